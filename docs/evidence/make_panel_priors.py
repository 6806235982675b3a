"""Estimate priors of the reference path from a panel of other countries' trade.

Run ``python docs/evidence/make_panel_priors.py PANEL [--gdp FILE] [--out calibration]``.

Writes `panel_priors.csv`: for windows of years that end one after the other, how the parameters of
the one-count form (equations 1 to 3 of `docs/model.md`) are spread over pairs of the size and
volatility of the pair, which is itself left out. Every window uses nothing after its last year.
`docs/outside-view.md` says what follows from it. About a minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click
import numpy as np
import pandas as pd

from tradesim.common.arrays import Array
from tradesim.inputs.pair import read_pair
from tradesim.inputs.trade_panel import Panel, read_panel
from tradesim.reference import one_count
from tradesim.reference.matched_pairs import RECORD, Matching, matched, refuse_few
from tradesim.reference.one_count import Nodes, Priors

FILE = "panel_priors.csv"
LASTS = (1980, 1985, 1990, 1995, 2000, 2003, 2006, 2010, 2014)
"""Last years of the windows."""

LONG = 22
"""Years of the longer windows, which see more of how slowly gaps close."""

FEWEST = 100
"""Pairs below which a window is left out."""

INNOVATION, ERROR = (0.25, 0.5), (0.15, 0.6)
CANDIDATES = {
    "yardstick": Priors((0.6, 0.3), (8.0, 2.0), INNOVATION, ERROR),
    "local_level": Priors((0.6, 0.3), None, INNOVATION, ERROR),
    "persistence_beta_5_5": Priors((0.6, 0.3), (5.0, 5.0), INNOVATION, ERROR),
    "elasticity_n_1_025": Priors((1.0, 0.25), (8.0, 2.0), INNOVATION, ERROR),
    "both_of_version_0_2": Priors((1.0, 0.25), (5.0, 5.0), INNOVATION, ERROR),
}
"""Priors compared by the mean log density that they give to a record, less that of the first."""


def nodes() -> Nodes:
    """Lay out nodes that may take any weight: persistence up to one, shocks and errors in logs."""
    parts = np.meshgrid([0.05, 0.2, 0.35, 0.5, 0.6, 0.7, 0.8, 0.87, 0.93, 0.97, 1.0],
                        np.geomspace(0.04, 0.7, 10), np.geomspace(0.04, 0.5, 6), indexing="ij")
    flat = [part.ravel() for part in parts]
    return Nodes(*flat, np.full(len(flat[0]), -np.log(len(flat[0]))))


def spread(values: Array, weights: Array) -> tuple[float, float]:
    """Give the weighted mean and standard deviation."""
    mean = float(weights @ values)
    return mean, float(np.sqrt(weights @ (values - mean) ** 2))


def complete(panel: Panel, rows: Array, last: int, years: int) -> tuple[Array, Array]:
    """Trade and GDP of the years up to `last` for the rows that lack none."""
    end = panel.years.index(last) + 1
    trade, gdp = (values[rows, end - years:end] for values in (panel.log_turnover, panel.log_gdp))
    whole = np.isfinite(trade).all(axis=1) & np.isfinite(gdp).all(axis=1)
    return trade[whole], gdp[whole]


def gap_closed(panel: Panel, rows: Array, last: int, years: int, slope: float) -> float:
    """Share of the gap to a record's own level, given GDP, that is closed some years later.

    The level is the mean over the record of turnover less `slope` times GDP; regression over pairs.
    """
    end = panel.years.index(last) + 1
    if end + years > len(panel.years):
        return float("nan")
    left = panel.log_turnover[rows] - slope * panel.log_gdp[rows]
    gap = left[:, end - 1] - left[:, end - RECORD:end].mean(axis=1)
    moved = left[:, end - 1 + years] - left[:, end - 1]
    known = np.isfinite(gap) & np.isfinite(moved)
    return float(-np.polyfit(gap[known], moved[known], 1)[0])


def enough(panel: Panel, like: Matching, last: int, years: int) -> bool:
    """Whether a window holds enough pairs for a distribution of parameters."""
    rows = matched(panel, last, like, complete=True)
    return (last - years + 1 >= panel.years[0]
            and len(complete(panel, rows, last, years)[0]) >= FEWEST)


def of_window(panel: Panel, like: Matching, last: int, years: int) -> dict[str, float]:
    """Estimate one window; a row of the table."""
    rows = matched(panel, last, like, complete=True)
    trade, gdp = complete(panel, rows, last, years)
    grid = nodes()
    fitted = one_count.fit(grid, trade, gdp)
    found = one_count.population(grid, fitted)
    flat_gdp, flat_trade = (values - values.mean(axis=1, keepdims=True) for values in (gdp, trade))
    simple = (flat_gdp * flat_trade).sum(axis=1) / (flat_gdp**2).sum(axis=1)
    rho, rho_sd = spread(grid.rho, found.weights)
    shock, shock_sd = spread(np.log(grid.omega), found.weights)
    error, error_sd = spread(np.log(grid.error), found.weights)
    densities = {name: density(priors, trade, gdp) for name, priors in CANDIDATES.items()}
    return {
        "last_year": last, "years": years, "pairs": len(trade),
        "elasticity_mean": found.mean, "elasticity_sd": found.sd,
        "least_squares_median": float(np.median(simple)),
        "least_squares_sd": float(np.subtract(*np.quantile(simple, (0.75, 0.25))) / 1.349),
        "persistence_mean": rho, "persistence_sd": rho_sd,
        "near_local_level": float(found.weights[grid.rho > 0.95].sum()),
        "innovation_median": float(np.exp(shock)), "innovation_sd": shock_sd,
        "error_median": float(np.exp(error)), "error_sd": error_sd,
        **{f"gap_closed_{h}": gap_closed(panel, rows, last, h, found.mean) for h in (1, 5, 11)},
        **{f"density_{name}": value - densities["yardstick"]
           for name, value in densities.items() if name != "yardstick"}}


def density(priors: Priors, trade: Array, gdp: Array) -> float:
    """Mean log density of the records under priors."""
    grid = one_count.grid(priors)
    logs = grid.log_weight[:, None] + one_count.log_marginal(
        one_count.fit(grid, trade, gdp), *priors.elasticity)
    top = logs.max(axis=0)
    return float((top + np.log(np.exp(logs - top).sum(axis=0))).mean())


def overall(rows: list[dict[str, float]]) -> dict[str, float]:
    """Mean over windows; standard deviations hold the one between windows as well."""
    frame = pd.DataFrame(rows)
    row: Mapping[str, float] = frame.mean().to_dict()
    for name in ("elasticity", "persistence"):
        row[f"{name}_sd"] = float(np.sqrt((frame[f"{name}_sd"] ** 2).mean()
                                          + frame[f"{name}_mean"].var(ddof=1)))
    return {**row, "last_year": np.nan, "pairs": frame["pairs"].sum()}


@click.command()
@click.argument("panel", type=click.Path(path_type=Path))
@click.option("--gdp", type=click.Path(path_type=Path), help="GDP; by default beside the panel.")
@click.option("--calibration", type=click.Path(path_type=Path), default=Path("calibration"))
@click.option("--out", type=click.Path(path_type=Path), default=Path("calibration"))
def main(panel: Path, gdp: Path | None, calibration: Path, out: Path) -> None:
    """Write `panel_priors.csv`."""
    others = read_panel(panel, gdp).without(*read_pair(calibration).pair)
    like, rows = Matching(), []
    lasts = [last for last in LASTS if last in others.years]
    refuse_few(others, like, {last: matched(others, last, like, complete=True) for last in lasts})
    for years in (RECORD, LONG):
        found = [of_window(others, like, last, years) for last in lasts
                 if enough(others, like, last, years)]
        rows += [*found, overall(found)]
    frame = pd.DataFrame(rows)
    for name in ("last_year", "pairs", "years"):
        frame[name] = frame[name].astype("Int64")
    frame.to_csv(out / FILE, index=False, float_format="%.3f", lineterminator="\n")


if __name__ == "__main__":
    main()
