"""How close home flour and imported flour are: fitted to the month in which the duty went to zero.

``python docs/evidence/flour.py`` prints the rows that `baseline/product_cells.csv` has from the
fit and rewrites the flour tables of `docs/episodes.md`. Prior draws of three numbers of flour are
weighted by how well the market of equations 7-10 gives what mills lost; everything else is drawn
from the calibration.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from analogue_cases import read_output
from analogues import home_response
from make_evidence import change, fill, markdown
from scipy.special import ndtri
from scipy.stats import beta, triang

from tradesim.common.arrays import Array, entry, ratio, total
from tradesim.common.files import calibration_folder
from tradesim.economy.base_year import Economy, economy
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import Cube, draw
from tradesim.simulation.model import load_baseline

PAGE = Path(__file__).parents[1] / "episodes.md"
MARKET, PRODUCT = "MNG", "flour"
DRAWS, SEED = 4000, 1

LOST = (0.20, 0.40)
"""Loss of output from May to December 2024 that the sources and readings span: an 80 % range."""

DUE_TO_DUTY = (0.6, 0.9, 1.0)
"""Part of it that the duty explains: least, most likely, most. The rouble and cheap Russian wheat
did the rest."""

UPPER = (2.0, 50.0)
"""Prior of the elasticity between home and foreign flour: its logarithm is uniform from what whole
groups of goods have to practically the same good. Natural gas, the most uniform good of Hertel and
others (2007), has 34 among suppliers."""

VALUE_ADDED = (0.20, 0.28, 0.35)
"""Part of the price of flour that is milling: the rest is wheat, whose price the duty leaves."""

FIRST_YEAR = (8.0, 2.0)
"""Beta prior of the part of the loss that comes within months: 30 % by October 2024 against
40 % of the market by May 2025."""


@dataclass(frozen=True)
class Fit:
    """Draws of three numbers of flour, and the weight of each."""

    upper: Array
    supply: Array
    first_year: Array
    weight: Array

    def quantile(self, name: str, *levels: float) -> list[float]:
        """Weighted quantiles of one of them."""
        values = getattr(self, name)
        order = np.argsort(values)
        reached = np.cumsum(self.weight[order]) / self.weight.sum()
        return [float(values[order][np.searchsorted(reached, level)]) for level in levels]


def drawn(base: Baseline, draws: int = DRAWS) -> Economy:
    """Draw base years of the calibration."""
    numbers = {name: item for name, item in base.parameters.items() if not item.calibrated}
    return economy(base, draw(numbers, Cube.random(draws, SEED), {}))


def fit(base: Baseline, world: Economy) -> Fit:
    """Weigh prior draws of flour's own numbers by the likelihood of what mills lost."""
    count = world.sales.shape[-1]
    cube = Cube.random(count, SEED)
    upper = UPPER[0] * (UPPER[1] / UPPER[0]) ** cube.column("fit.upper")
    least, most_likely, most = VALUE_ADDED
    added = least + (most - least) * triang.ppf(
        cube.column("fit.value_added"), (most_likely - least) / (most - least))
    supply = world.draws[f"supply.home.{base.pair.group_of(PRODUCT)}"] / added
    first_year = beta.ppf(cube.column("fit.first_year"), *FIRST_YEAR)
    least, most_likely, most = DUE_TO_DUTY
    part = least + (most - least) * triang.ppf(cube.column("fit.part"),
                                               (most_likely - least) / (most - least))
    settled = response(world, PRODUCT, upper=upper, supply=supply)
    ends = np.log1p(-np.array(LOST))
    middle, sd = ends.mean(), (ends[0] - ends[1]) / (2.0 * ndtri(0.9))
    gap = (first_year * settled - part * middle) / sd
    return Fit(upper, supply, first_year, np.exp(-0.5 * gap**2))


def response(world: Economy, product: str, *, cut: float = 1.0, upper: Array | None = None,
             supply: Array | None = None) -> Array:
    """Settled log change of home output when all imports lose the part `cut` of their duty.

    Elasticities are the product's own in `world` unless others are given.
    """
    at, here = world.pair.lines.index(product), world.pair.importers.index(MARKET)
    paid = world.sales * (1.0 + world.duty)
    home = ratio(entry(paid, world.home), total(paid, "exporter"))[here, 0, at, 0, 0]
    abroad = paid * (1.0 - world.home)
    cost = np.log1p(world.duty * (1.0 - cut)) - np.log1p(world.duty)
    mean = ratio(total(abroad * cost, "exporter"), total(abroad, "exporter"))[here, 0, at, 0, 0]
    own = {name: np.broadcast_to(values, (1, 1, len(world.pair.lines), 1, 1, len(home)))[
        0, 0, at, 0, 0] for name, values in (("upper", world.upper), ("demand", world.demand),
                                             ("supply", world.home_supply))}
    return home_response(mean, home, own["upper"] if upper is None else upper, own["demand"],
                         own["supply"] if supply is None else supply)


def predicted(world: Economy) -> tuple[Array, Array]:
    """Change of flour output that the model gives: settled, and within its first year."""
    at = world.pair.lines.index(PRODUCT)
    settled = response(world, PRODUCT)
    first = np.broadcast_to(world.first_year, (1, 1, len(world.pair.lines), 1, 1, len(settled)))
    return np.expm1(settled), np.expm1(first[0, 0, at, 0, 0] * settled)


def happened(folder: Path) -> dict[str, float]:
    """Give readings of the loss: change of output by name."""
    output = read_output(folder, MARKET, "wheat flour")
    trend = (output[2023] / output[2020]) ** (1 / 3)
    year, before = output[2024] / output[2023], 4 / 12
    return {"2024 against 2023": year - 1.0,
            "2024 against 2023, net of the trend": year / trend - 1.0,
            "May to December, if January to April were as a year earlier":
                (year - before) / (1.0 - before) - 1.0,
            "the same, net of the trend": (year / trend - before) / (1.0 - before) - 1.0}


def tables(base: Baseline, draws: int = DRAWS) -> dict[str, str]:
    """Tables of the page by name."""
    world = drawn(base, draws)
    found = fit(base, world)
    settled, first = predicted(world)
    rows = [("model, within months (80 %)", _range(first)),
            ("model, settled (80 %)", _range(settled)),
            *((name, change(value)) for name, value in happened(base.folder).items())]
    names = {"upper": "elasticity of home against foreign flour",
             "supply": "elasticity of what mills supply",
             "first_year": "part of the loss that comes within months"}
    prior = Fit(found.upper, found.supply, found.first_year, np.ones(len(found.weight)))
    fitted = [(title, *(" – ".join(f"{value:.2g}" for value in one.quantile(name, 0.1, 0.9))
                        for one in (prior, found)), f"{found.quantile(name, 0.5)[0]:.2g}")
              for name, title in names.items()]
    return {"flour_happened": markdown(("flour", "change of output"), rows),
            "flour_fit": markdown(("", "before (80 %)", "after (80 %)", "median"), fitted),
            "flour_implied": markdown(
                ("home output if the whole duty went", "as its group", "own elasticities",
                 "as flour"), list(_implied(base, world, found)))}


def _implied(base: Baseline, world: Economy, found: Fit) -> list[tuple[str, ...]]:
    """Say what elasticities of a group, of the product and of flour imply for other products."""
    ratio_of = world.draws["elasticity.ratio"]
    rows = []
    for product in ("flour", "wheat", "eggs", "vegetables"):
        group = base.pair.group_of(product)
        upper = ratio_of * (1.0 + world.draws["elasticity.scale"]
                            * (world.draws[f"elasticity.lower.{group}"] - 1.0))
        alike = {"upper": upper, "supply": world.draws[f"supply.home.{group}"]}
        like_flour = {"upper": np.full(len(upper), found.quantile("upper", 0.5)[0]),
                      "supply": np.full(len(upper), found.quantile("supply", 0.5)[0])}
        rows.append((base.pair.name(product), *(_range(np.expm1(response(world, product, **one)))
                                                for one in (alike, {}, like_flour))))
    return rows


def cells(found: Fit) -> Mapping[str, tuple[float, float, float]]:
    """Value and range of each fitted number for the table of the calibration.

    The range is that in which 95 of 100 weighted draws lie.
    """
    return {name: tuple(found.quantile(name, 0.5, 0.025, 0.975))
            for name in ("upper", "supply", "first_year")}


def _range(values: Array) -> str:
    low, middle, high = (change(float(value)) for value in np.quantile(values, (0.1, 0.5, 0.9)))
    return f"{middle} ({low} to {high})"


def main() -> None:
    """Print the fit and write the tables."""
    base = load_baseline(calibration_folder())
    for name, (value, low, high) in cells(fit(base, drawn(base))).items():
        print(f"{name}: {value:.3g} ({low:.3g} to {high:.3g})")
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), tables(base)), encoding="utf-8")


if __name__ == "__main__":
    main()
