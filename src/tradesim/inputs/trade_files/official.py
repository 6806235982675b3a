"""Do documented flows add up to the official totals? Which do not, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.common.errors import InputError, Problem
from tradesim.inputs.baseline import TOTALS
from tradesim.inputs.history import TRADE
from tradesim.inputs.pair import Pair
from tradesim.inputs.strict_csv import SOURCES, Column, read_table
from tradesim.inputs.trade_files.trade import FLOW, Trade

if TYPE_CHECKING:
    import pandas as pd

TOLERANCE = 0.01
"""Share of an official total by which a documented flow may miss it."""

THOUSANDFOLD = 300.0, 3000.0
"""Factors to an official total that tell of another unit."""

COVERED, COVERED_ELSEWHEN = 0.9, 0.3
"""Share of the official total that the countries of a group of suppliers must hold together.

In a year other than that of the total trade may have been smaller as a whole, so less is asked.
"""

Flow = tuple[int, int, str, str, str]


@dataclass(frozen=True)
class Gap:
    """A documented flow that does not add up to a total."""

    first: int
    last: int
    reporter: str
    importer: str
    exporter: str
    documented: float  #: USD
    total: float  #: USD
    where: str  #: where the total stands
    files: str  #: names of the files

    def said(self, pair: Pair) -> str:
        """Give the gap in words, USD million."""
        span = f"{self.first}" if self.first == self.last else f"{self.first}-{self.last}"
        counted = f", as {pair.name(self.reporter)} reports" if self.reporter else ""
        change = 100 * (self.documented / self.total - 1.0)
        return (f"{span}, {pair.name(self.importer)} from {pair.name(self.exporter)}{counted}: "
                f"USD {self.documented / MILLION:,.4g} million in {self.files}, "
                f"{self.total / MILLION:,.4g} in {self.where} ({change:+,.1f} %)")


def read_totals(folder: Path, pair: Pair) -> dict[tuple[str, str], float]:
    """Read official purchases by importer and supplier in the base year, USD.

    Raises
    ------
    InputError
        For every cell that is wrong.
    """
    columns = (Column("importer", "text", allowed=pair.importers),
               Column("exporter", "text", allowed=pair.exporters),
               Column("value_musd", "number", low=0.0), *SOURCES)
    frame = read_table(folder / TOTALS, columns, key=("importer", "exporter"))
    return {(str(row["importer"]), str(row["exporter"])): row["value_musd"] * MILLION
            for row in frame.to_dict("records")}


def read_reported(folder: Path) -> dict[tuple[int, str, str, str], float]:
    """Read reported trade of the pair, USD, by year, reporter, importer, exporter."""
    import pandas as pd

    path = folder / TRADE
    if not path.is_file():
        return {}
    table = pd.read_csv(path, usecols=["year", "exporter", "importer", "reporter", "value_usd",
                                       "used"])
    table = table[table["used"].isin(["yes", "presample"])]
    return {(int(row["year"]), str(row["reporter"]), str(row["importer"]), str(row["exporter"])):
            float(row["value_usd"]) for row in table.to_dict("records")}


def gaps(documented: pd.DataFrame, trades: Sequence[Trade], folder: Path, pair: Pair,
         totals: dict[tuple[str, str], float]) -> list[Gap]:
    """Compare every documented flow with the totals of the file itself and the official ones.

    Raises
    ------
    InputError
        When a flow is about a thousand times a total, or a thousandth of it.
    """
    reported = read_reported(folder)
    sums = documented.groupby(FLOW)["value"].sum().reset_index()
    own = {tuple(row[name] for name in FLOW): float(row["value"]) for trade in trades
           for row in trade.totals.to_dict("records")}
    found: list[Gap] = []
    problems: list[Problem] = []
    for row in sums.to_dict("records"):
        value = float(row["value"])
        flow: Flow = (int(row["first"]), int(row["last"]), str(row["reporter"]),
                      str(row["importer"]), str(row["exporter"]))
        known = [*_official(flow, reported, totals, pair)]
        if flow in own:
            known.append((own[flow], "the file's own row of all products"))
        for total, where in known:
            if total <= 0 or value <= 0:
                continue
            factor = max(value / total, total / value)
            if THOUSANDFOLD[0] < factor < THOUSANDFOLD[1]:
                problems.append(_unit_problem(documented, flow, value, total, where))
            elif abs(value / total - 1.0) > TOLERANCE and "nearest" not in where:
                found.append(Gap(*flow, value, total, where, _files(documented, flow)))
    if problems:
        raise InputError(problems)
    return found


def _official(flow: Flow, reported: dict[tuple[int, str, str, str], float],
              totals: dict[tuple[str, str], float], pair: Pair) -> Iterator[tuple[float, str]]:
    """Give official totals of a flow; one of another year or count serves for the unit only."""
    first, last, reporter, importer, exporter = flow
    years = range(first, last + 1)
    values = [reported.get((year, reporter, importer, exporter)) for year in years]
    if all(value is not None for value in values):
        yield float(np.mean([value for value in values if value is not None])), TRADE
    elif (importer, exporter) in totals:
        same = first == last == pair.base_year and reporter == importer
        yield totals[importer, exporter], TOTALS if same else f"{TOTALS} (nearest total)"


def _unit_problem(documented: pd.DataFrame, flow: Flow, value: float, total: float,
                  where: str) -> Problem:
    more = value > total
    return Problem(
        _files(documented, flow), f"{flow[0]}, {flow[3]} from {flow[4]}",
        f"USD {value / MILLION:,.6g} million in the file, {total / MILLION:,.6g} in {where}: "
        f"about a {'thousand times as much' if more else 'thousandth of it'}",
        "its values are in another unit; say which with --unit " + ("usd" if more else "thousand"))


def _files(documented: pd.DataFrame, flow: Flow) -> str:
    return str(documented.loc[(documented[FLOW] == list(flow)).all(axis=1), "files"].iloc[0])


def uncovered(documented: pd.DataFrame, pair: Pair,
              totals: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    """Find groups of suppliers of which a file has some countries only: coverage by flow.

    Their composition cannot be told from those few, so their cells stay.
    """
    sums = documented.groupby(FLOW)["value"].sum().reset_index()
    found = {}
    for (importer, exporter), inside in sums.groupby(["importer", "exporter"]):
        group = pair.countries[str(exporter)]
        total = totals.get((str(importer), str(exporter)), 0.0)
        share = float(inside["value"].max()) / total if total else 1.0
        least = COVERED if (inside["last"] == pair.base_year).any() else COVERED_ELSEWHEN
        if (group.members or group.rest) and share < least:
            found[str(importer), str(exporter)] = share
    return found
