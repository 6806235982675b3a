"""What documents one flow: which count and years, how good they are, how far they may be off."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tradesim.inputs.pair import Pair
from tradesim.inputs.trade_files.official import Gap

if TYPE_CHECKING:
    import pandas as pd

MARGINS = {"A": 0.1, "B": 0.25}
"""Least relative width of a range on each side, by grade (judgement, grade C).

One year's composition of a small flow is an accident of that year; see docs/howto/import.md.
"""

AGEING = 0.42
"""Log points that a share moves with the square root of years to the base year.

Root mean square of the changes of sections of one small flow between 2005 and 2013-14; see
docs/howto/import.md.
"""


@dataclass(frozen=True)
class Judged:
    """A number as it stood before an import."""

    value: float
    low: float
    high: float
    grade: str


@dataclass(frozen=True)
class Documented:
    """A number that files document, and what was judged before; None where there was nothing."""

    importer: str
    exporter: str
    value: float
    low: float
    high: float
    grade: str
    source: str
    note: str
    before: Judged | None

    @property
    def inside(self) -> bool:
        """Whether the documented value lies in the range that was judged."""
        return self.before is not None and self.before.low <= self.value <= self.before.high


@dataclass(frozen=True)
class Evidence:
    """What documents a flow.

    Attributes
    ----------
    flow
        All rows, of both counts and all years.
    chosen
        Rows of the followed count: those of the base year, or all where it has none.
    grade
        A for the importer's own figures of the base year by chapter that add up, otherwise B.
    down, up
        Factors by which the range reaches below and above the value at least.
    source
        Agency, count, years and files, for the table of cells.
    """

    importer: str
    exporter: str
    flow: pd.DataFrame
    chosen: pd.DataFrame
    grade: str
    down: float
    up: float
    source: str

    def note(self, before: Judged | None) -> str:
        """Give the hash of the files and what was judged before."""
        sections = "; split of SITC sections by judgement" * bool(
            (self.flow["scheme"] == "SITC").all())
        was = (f"; judged before: {before.value:g} ({before.low:g}-{before.high:g}), grade "
               f"{before.grade}" if before else "")
        return f"tradesim import; SHA-256 {_joined(self.flow, 'sha256')}{sections}{was}"


def evidence(documented: pd.DataFrame, pair: Pair, count: str = "",
             gaps: Collection[Gap] = ()) -> Iterator[Evidence]:
    """Give what documents each flow; chapters go before sections of SITC.

    Parameters
    ----------
    documented
        Rows by year, count and flow, with ``scheme``, ``files``, ``sha256`` and ``source``.
    count
        Code of the reporter to follow; the importer's by default, another's where it has none.
    gaps
        Flows that do not add up to a total: what follows one is not of grade A.
    """
    missed = {(gap.reporter, gap.importer, gap.exporter) for gap in gaps}
    for (importer, exporter), flow in documented.groupby(["importer", "exporter"]):
        chapters = flow["scheme"] == "HS"
        flow = flow[chapters] if chapters.any() else flow
        there = [str(name) for name in dict.fromkeys(flow["reporter"])]
        reporter = next(name for name in (count, str(importer), *there) if name in there)
        own = flow[flow["reporter"] == reporter]
        base = (own["first"] == pair.base_year) & (own["last"] == pair.base_year)
        official = (base.any() and reporter == importer and chapters.any()
                    and (reporter, importer, exporter) not in missed)
        grade = "A" if official else "B"
        age = 0.0 if base.any() else float(
            np.abs((own["first"] + own["last"]) / 2 - pair.base_year).min())
        drift = AGEING * np.sqrt(age)
        yield Evidence(str(importer), str(exporter), flow, own[base] if base.any() else own, grade,
                       min(1.0 - MARGINS[grade], float(np.exp(-drift))),
                       max(1.0 + MARGINS[grade], float(np.exp(drift))),
                       _source(flow, reporter, pair))


def _source(flow: pd.DataFrame, reporter: str, pair: Pair) -> str:
    counted = f"count of {pair.name(reporter)}" if reporter else "reporter not named"
    spans = sorted(set(zip(flow["first"], flow["last"], strict=True)))
    years = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)
    return (f"{flow['source'].iloc[0]}; {counted}, {years}; "
            f"file {_joined(flow, 'files')}")


def _joined(flow: pd.DataFrame, column: str) -> str:
    """Different names of a column, where each may be several joined by plus signs."""
    return " + ".join(dict.fromkeys(" + ".join(flow[column]).split(" + ")))
