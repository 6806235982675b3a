"""Cells of the base year from documented compositions, beside what was judged before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.inputs.base_year_tables import MARKETS
from tradesim.inputs.pair import Pair
from tradesim.inputs.strict_csv import SOURCES, Column, read_table
from tradesim.inputs.trade_files.compositions import Prior
from tradesim.inputs.trade_files.evidence import Documented, Evidence, Judged, evidence
from tradesim.inputs.trade_files.official import Gap
from tradesim.inputs.trade_files.trade import FLOW

if TYPE_CHECKING:
    import pandas as pd

FAINT = 0.001
"""Most that goods may hold of a flow which it had in another year or count only (judgement)."""

DIGITS = 4
"""Decimals of a cell, USD million."""


@dataclass(frozen=True)
class Cell(Documented):
    """A documented cell, USD million."""

    group: str


def read_judged(folder: Path, pair: Pair) -> dict[tuple[str, str, str], Judged]:
    """Read the cells of a calibration by importer, group, exporter; none where it has no table.

    Raises
    ------
    InputError
        For every cell that is wrong.
    """
    path = folder / MARKETS.file
    if not path.is_file():
        return {}
    columns = (*(Column(name, "text", allowed=allowed) for name, allowed in
                 (("importer", pair.importers), ("group", tuple(pair.groups)),
                  ("exporter", pair.exporters))),
               *(Column(name, "number", low=0.0) for name in (MARKETS.value, "low", "high")),
               *SOURCES)
    return {(row["importer"], row["group"], row["exporter"]):
            Judged(row[MARKETS.value], row["low"], row["high"], row["grade"])
            for row in read_table(path, columns, key=MARKETS.keys).to_dict("records")}


def prior(judged: Mapping[tuple[str, str, str], Judged]) -> Prior:
    """Arrange cells by flow and group."""
    flows: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}
    for (importer, group, exporter), cell in judged.items():
        flows.setdefault((importer, exporter), {})[group] = (cell.value, cell.low, cell.high)
    return flows


def cells(documented: pd.DataFrame, pair: Pair, totals: Mapping[tuple[str, str], float],
          judged: Mapping[tuple[str, str, str], Judged], count: str = "",
          gaps: Collection[Gap] = ()) -> list[Cell]:
    """Make cells of every documented flow; they add up to its official total.

    The value follows the count of the importer, or that of `count`; where it has none, the
    other's. It is that of the base year where that year is documented, otherwise that of all
    years together. The range holds all years and both counts, and is at least as wide as
    `Evidence` says.

    Parameters
    ----------
    documented
        From `compositions.compositions`.
    totals
        Official purchases, USD.
    count
        Code of the reporter to follow.
    gaps
        Flows that do not add up to a total: no cell that follows one is of grade A.
    """
    made: list[Cell] = []
    for seen in evidence(documented, pair, count, gaps):
        total = totals.get((seen.importer, seen.exporter), 0.0) / MILLION
        made += _of_flow(seen, pair, total, judged) if total > 0 else []
    return made


def _of_flow(seen: Evidence, pair: Pair, total: float,
             judged: Mapping[tuple[str, str, str], Judged]) -> list[Cell]:
    groups = list(pair.groups)
    shares, low, high = (_shares(seen.flow, groups, name) for name in ("value", "low", "high"))
    middle = seen.chosen.groupby("group")["value"].sum().reindex(groups).fillna(0.0).to_numpy()
    middle = middle / middle.sum()
    middle = np.where(middle > 0, middle, np.minimum(shares.mean(axis=0), FAINT))
    value = rounded(middle / middle.sum() * total, total)
    bottom = np.minimum(low.min(axis=0) * total, value * seen.down)
    top = np.minimum(np.maximum(high.max(axis=0) * total, value * seen.up),
                     np.maximum(total, value))
    return [_cell(seen, group, float(value[k]), float(bottom[k]), float(top[k]), judged)
            for k, group in enumerate(groups)]


def _shares(flow: pd.DataFrame, groups: list[str], column: str) -> np.ndarray:
    """Shares of groups in each year and count, (year and count, group)."""
    wide = flow.pivot_table(index=FLOW, columns="group", values=column, aggfunc="sum")
    total = flow.groupby(FLOW)["value"].sum()
    shares = wide.reindex(columns=groups).fillna(0.0).div(total, axis=0)
    return np.asarray(shares.to_numpy(dtype=float))


def rounded(values: np.ndarray, total: float) -> np.ndarray:
    """Round cells; the largest takes what rounding leaves, so that they add up to the total."""
    found = np.round(values, DIGITS)
    found[np.argmax(found)] += total - found.sum()
    return np.round(found, 6)


def _cell(seen: Evidence, group: str, value: float, low: float, high: float,
          judged: Mapping[tuple[str, str, str], Judged]) -> Cell:
    before = judged.get((seen.importer, group, seen.exporter))
    if value == 0.0:
        low = high = 0.0
    return Cell(seen.importer, seen.exporter, value, *outwards(low, high, DIGITS),
                seen.grade, seen.source, seen.note(before), before, group)


def outwards(low: float, high: float, digits: int) -> tuple[float, float]:
    """Round both ends of a range away from its middle."""
    step = 10.0**-digits
    return (round(float(np.floor(low / step)) * step, digits),
            round(float(np.ceil(high / step)) * step, digits))


def discrepancies(documented: pd.DataFrame, groups: Iterable[str]) -> pd.DataFrame:
    """Compare both reporters by group, where both report a flow of the same years.

    Returns
    -------
    pandas.DataFrame
        ``importer``, ``exporter``, ``first``, ``last``, ``group``, ``importers`` and
        ``exporters`` count in USD.
    """
    known = documented[documented["reporter"] != ""]
    mine = known[known["reporter"] == known["importer"]]
    theirs = known[known["reporter"] == known["exporter"]]
    key = ["importer", "exporter", "first", "last", "group"]
    both = mine[[*key, "value"]].merge(theirs[[*key, "value"]], on=key)
    both["place"] = both["group"].map({group: k for k, group in enumerate(groups)})
    return both.rename(columns={"value_x": "importers", "value_y": "exporters"}).sort_values(
        [*key[:4], "place"])
