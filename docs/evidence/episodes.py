"""What the exchange rates of 2014 to 2016 would have done by the model, against what happened.

``python docs/evidence/episodes.py`` rewrites the tables of `docs/episodes.md`. Every currency's
real change is that of its GDP deflator in USD; it goes through the lever `exchange_rate` and the
base year of the calibration, with all their uncertainty, and nothing else does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from make_evidence import change, fill, markdown

from tradesim.common.arrays import Array, entry, spread, total
from tradesim.common.files import calibration_folder
from tradesim.economy.adjustment import settle
from tradesim.economy.base_year import economy
from tradesim.economy.levers.macro import currency_move
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.levers import Choice
from tradesim.inputs.parameters import Cube, draw
from tradesim.simulation.model import load_baseline

PAGE = Path(__file__).parents[1] / "episodes.md"
BEFORE, YEARS = 2014, (2015, 2016)
COUNTRIES = ("KAZ", "RUS", "CHN", "MNG")
MARKET, SELLER = "MNG", "KAZ"
DRAWS, SEED = 1000, 1


def real_rates(macro: pd.DataFrame, countries: Sequence[str] = COUNTRIES) -> dict[str, Array]:
    """Log change of each country's GDP deflator in USD since `BEFORE`, by year of `YEARS`."""
    actual = macro[macro["kind"] == "actual"].pivot_table(
        index="year", columns=["country", "variable"], values="value")
    found = {}
    for code in countries:
        nominal = np.log(actual[code]["gdp_usd"])
        growth = np.log1p(actual[code]["real_growth_pct"] / 100)
        found[code] = np.array([nominal[year] - nominal[BEFORE]
                                - growth.loc[BEFORE + 1:year].sum() for year in YEARS])
    return found


def observed(folder: Path) -> pd.DataFrame:
    """Flow on both counts, Mongolia's imports, USD million, and the share in them, by year."""
    trade = pd.read_csv(folder / "data" / "bilateral_trade.csv")
    used = trade[(trade["used"] == "yes") & (trade["exporter"] == SELLER)
                 & (trade["importer"] == MARKET)]
    wide = used.pivot_table(index="year", columns="reporter", values="value_usd") / 1e6
    macro = pd.read_csv(folder / "data" / "macro.csv")
    imports = macro[(macro["country"] == MARKET) & (macro["variable"] == "imports_usd")]
    wide["imports"] = imports.set_index("year")["value"] / 1e6
    wide["share"] = wide[MARKET] / wide["imports"]
    return wide.loc[[2011, *range(2013, 2019)]]


def predicted(base: Baseline, rates: Mapping[str, Array],
              draws: int = DRAWS) -> tuple[Array, Array]:
    """Log change since `BEFORE` of the flow and of its share in imports, by year and draw."""
    lever = base.levers["exchange_rate"]
    numbers = {name: item for name, item in base.parameters.items() if not item.calibrated}
    settings = {f"{lever.name}.{key}": item for key, item in lever.settings.items()
                if not isinstance(item, Choice)}
    drawn = draw(numbers | settings, Cube.random(draws, SEED), {})
    world = economy(base, drawn)
    shocks = [currency_move(
        world, spread(1.0), country=code, depreciation=spread(-np.expm1(move), "year"),
        half_life=spread(math.inf), years_on=spread(0.0),
        pass_through=spread(drawn[f"{lever.name}.pass_through"], "draw"))
        for code, move in rates.items()]
    levels = world.sales * np.ones((1, 1, 1, 1, len(YEARS), 1))
    path = settle(world, levels, [(spread(1.0), shock) for shock in shocks],
                  at_once=[False] * len(shocks)).path(world)
    after = levels * np.exp(path)
    place = base.pair.importers.index(MARKET)
    flow, imports = (np.log(total(value, "group")[place, 0, 0, 0])
                     for value in (entry(after, world.pair_flow),
                                   total(after * (1.0 - world.home), "exporter")))
    flow_before, imports_before = (
        np.log(total(value, "group")[place, 0, 0, 0])
        for value in (entry(levels, world.pair_flow),
                      total(levels * (1.0 - world.home), "exporter")))
    moved = flow - flow_before
    return moved, moved - (imports - imports_before)


def tables(base: Baseline, draws: int = DRAWS) -> dict[str, str]:
    """Tables of the page by name."""
    macro = pd.read_csv(base.folder / "data" / "macro.csv")
    rates = real_rates(macro)
    seen = observed(base.folder)
    happened = markdown(
        ("year", "Kazakhstan's count", "Mongolia's count", "Mongolia's imports", "share in them"),
        [(str(year), f"{row[SELLER]:.1f}", f"{row[MARKET]:.1f}", f"{row['imports']:,.0f}",
          f"{100 * row['share']:.2f} %") for year, row in seen.iterrows()])
    currencies = markdown(
        ("real value in USD since 2014", *map(str, YEARS)),
        [(base.pair.name(code), *(change(float(np.expm1(move))) for move in rates[code]))
         for code in COUNTRIES])
    rows = []
    for title, codes in (("tenge alone", ("KAZ",)), ("tenge and rouble", ("KAZ", "RUS")),
                         ("all four", COUNTRIES)):
        flow, share = predicted(base, {code: rates[code] for code in codes}, draws)
        rows.append((f"model, {title}", *(_range(values[year]) for values in (flow, share)
                                          for year in range(len(YEARS)))))
    actual = [seen[SELLER][list(YEARS)] / seen[SELLER][BEFORE] - 1,
              seen["share"][list(YEARS)] / seen["share"][BEFORE] - 1]
    rows.append(("happened", *(change(float(value)) for column in actual for value in column)))
    compared = markdown(("", *(f"{what} {year}" for what in ("flow", "share") for year in YEARS)),
                        rows)
    return {"happened": happened, "currencies": currencies, "compared": compared}


def _range(log_change: Array) -> str:
    low, middle, high = (change(float(np.expm1(value)))
                         for value in np.quantile(log_change, (0.05, 0.5, 0.95)))
    return f"{middle} ({low} to {high})"


def main() -> None:
    """Write the tables."""
    base = load_baseline(calibration_folder())
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), tables(base)), encoding="utf-8")


if __name__ == "__main__":
    main()
