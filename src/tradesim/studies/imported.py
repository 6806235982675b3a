"""Files of trade statistics become a calibration: what they document, what the answer becomes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.posterior import DATA
from tradesim.inputs.products import read_product_cells
from tradesim.inputs.trade_files import cells as made
from tradesim.inputs.trade_files.cells import Cell
from tradesim.inputs.trade_files.compositions import compositions
from tradesim.inputs.trade_files.countries import read_countries
from tradesim.inputs.trade_files.layouts import named, read_layouts
from tradesim.inputs.trade_files.official import Gap, gaps, read_totals, uncovered
from tradesim.inputs.trade_files.product_shares import (
    ProductShare,
    product_shares,
    product_values,
)
from tradesim.inputs.trade_files.trade import Trade, read_trade
from tradesim.simulation import model, summary

if TYPE_CHECKING:
    import pandas as pd

DRAWS = 200
"""Draws of the runs before and after: enough to see a change, too few to quote."""

AGREEMENT = "tariff_agreement"

UNITS = {"usd": 1.0, "thousand": 1e3, "million": 1e6}


@dataclass(frozen=True)
class Imported:
    """What files document.

    Attributes
    ----------
    pair
        Names.
    trades
        The files as they were read.
    documented
        Compositions by flow as each country reports them, from `compositions`.
    cells
        Documented cells; they add up to the official totals.
    shares
        Documented shares of named products in their groups.
    gaps
        Flows that do not add up to a total.
    left
        Groups of suppliers that a file covers in part only, with the share covered.
    """

    pair: Pair
    trades: tuple[Trade, ...]
    documented: pd.DataFrame
    cells: tuple[Cell, ...]
    shares: tuple[ProductShare, ...]
    gaps: tuple[Gap, ...]
    left: Mapping[tuple[str, str], float]


def read_files(files: Sequence[Path], folder: Path, *, layout: str = "auto",
               years: str | None = None, count: str | None = None, unit: str | None = None,
               digits: int | None = None) -> Imported:
    """Read files of trade statistics against a calibration.

    Parameters
    ----------
    folder
        The calibration whose cells were judged; it needs `pair.yaml`, official totals and the
        table of countries, no more.
    layout
        Name of the files' layout, or ``auto``.
    years, digits
        What to keep, as for `read_trade`.
    count
        Name of the count whose composition is followed; the importer's by default.
    unit
        Unit of value: ``usd``, ``thousand`` or ``million``; what the layout says by default.

    Raises
    ------
    InputError
        With what was found, where, and what to download instead.
    """
    pair = read_pair(folder)
    reporter = _reporter(pair, count)
    layouts, countries = named(read_layouts(folder), layout), read_countries(folder)
    trades: list[Trade] = []
    problems: list[Problem] = []
    for file in files:
        try:
            trades.append(read_trade(file, layouts, countries, pair, years=years, digits=digits,
                                     unit=None if unit is None else UNITS[unit]))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    judged, totals = made.read_judged(folder, pair), read_totals(folder, pair)
    documented = compositions(trades, pair, made.prior(judged), folder)
    found = gaps(documented, trades, folder, pair, totals)
    left = uncovered(documented, pair, totals)
    flows = documented.set_index(["importer", "exporter"]).index
    used = documented[~flows.isin(list(left))]
    cells = made.cells(used, pair, totals, judged, reporter, found) if len(used) else []
    if not cells:
        raise InputError([Problem(", ".join(map(str, files)), "", "documents no flow whose "
                                  "official total is known", "baseline/totals.csv holds those "
                                  "totals by importer and supplier")])
    shares = [share for share in product_shares(product_values(trades, pair), pair,
                                                read_product_cells(folder, pair), reporter, found)
              if (share.importer, share.exporter) not in left]
    return Imported(pair, tuple(trades), documented, tuple(cells), tuple(shares), tuple(found),
                    left)


def _reporter(pair: Pair, count: str | None) -> str:
    if count is None:
        return ""
    if count not in pair.counts:
        raise InputError([Problem("--count", count, "unknown count; known: "
                                  f"{', '.join(pair.counts)}", nearest(count, pair.counts))])
    return pair.counts[count].reporter


@dataclass(frozen=True)
class Answers:
    """Headlines of one scenario with the calibration before and after."""

    title: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def has_posterior(folder: Path) -> bool:
    """Whether a calibration can answer a question."""
    return (folder / DATA).is_file()


def answers(before: Path, after: Path, scenario: str | None = None, draws: int = DRAWS,
            progress: Callable[[int, int], None] | None = None) -> Answers:
    """Run a scenario with both calibrations, the same draws and the same seed.

    Parameters
    ----------
    scenario
        File or name; by default all agreements on duties that need no setting, or all such levers
        where there is no agreement.

    Raises
    ------
    InputError
        When the scenario or the new calibration is wrong.
    """
    with tempfile.TemporaryDirectory() as place:
        path = scenario or str(_agreements(before, Path(place)))
        found = []
        for k, folder in enumerate((before, after)):
            done = model.run(path, calibration=folder, draws=draws)
            if progress is not None:
                progress(k + 1, 2)
            found.append((str(done.attrs["title"]), summary.headline(done)))
    return Answers(found[0][0], found[0][1], found[1][1])


def _agreements(folder: Path, place: Path) -> Path:
    levers = {name: lever for name, lever in read_levers(folder).items() if not lever.required}
    chosen = [name for name, lever in levers.items() if lever.kind == AGREEMENT] or list(levers)
    lines = ["title: Agreements on duties, together", "question: What would they change?",
             "levers:", *(f"  {name}: {{}}" for name in chosen)]
    path = place / "agreements.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
