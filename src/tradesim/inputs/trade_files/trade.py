"""One file of trade statistics, read whole: from bytes to values by year, flow and chapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tradesim.common.errors import InputError, Problem
from tradesim.common.files import sha256
from tradesim.inputs.pair import Pair
from tradesim.inputs.trade_files import checks, rows
from tradesim.inputs.trade_files.countries import Countries
from tradesim.inputs.trade_files.layouts import Layout
from tradesim.inputs.trade_files.numbers import TOTAL, chosen_years

if TYPE_CHECKING:
    import pandas as pd

FLOW = ["first", "last", "reporter", "importer", "exporter"]
"""Columns that name a flow as one country reports it for a year or a span of years."""

LONGEST = 300
"""Letters of a source that are kept."""


@dataclass(frozen=True)
class Trade:
    """What one file says of the two markets.

    Attributes
    ----------
    path, sha256, layout
        The file, the hash of its bytes, and how it was read.
    products
        Value in USD by `FLOW`, ``scheme`` (HS or SITC) and ``code``: chapter, six digits where the
        file has them, or section.
    totals
        Value of all products in USD by `FLOW`, where the file has such rows.
    source
        What the file itself says of its source, or the title of its layout.
    said
        What was mended or left out, in words.
    """

    path: Path
    sha256: str
    layout: Layout
    products: pd.DataFrame
    totals: pd.DataFrame
    source: str
    said: tuple[str, ...]


def read_trade(path: Path, layouts: Sequence[Layout], countries: Countries, pair: Pair, *,
               years: str | None = None, unit: float | None = None,
               digits: int | None = None) -> Trade:
    """Read and check one file.

    Parameters
    ----------
    layouts
        Those that may fit.
    years
        Years to keep, such as ``2019,2021-2023``; all by default.
    unit
        USD in one unit of value; what the layout says by default.
    digits
        Keep codes of this many digits.

    Raises
    ------
    InputError
        With what was found, where, and what to download instead.
    """
    span = None
    if years is not None:
        try:
            span = chosen_years(years)
        except ValueError as error:
            raise InputError([Problem("--years", years, str(error))]) from error
    reading = rows.read_rows(Path(path), layouts)
    checks.cut(reading)
    reading.stop()
    rows.flow_columns(reading)
    reading.stop()
    rows.direction_columns(reading, countries, pair)
    rows.choose_pair(reading, pair)
    checks.periods(reading, span)
    checks.values(reading, unit)
    checks.flows(reading)
    checks.breakdowns(reading)
    reading.stop()
    rows.name_problems(reading, pair)
    checks.months(reading)
    checks.revisions(reading)
    checks.products(reading, digits)
    checks.levels(reading)
    reading.stop()
    table = reading.rows
    whole = (table["code"] == TOTAL).to_numpy()
    leaves = table[~whole]
    if leaves.empty:
        reading.wrong("product", "has totals of all products only")
        reading.stop()
    return Trade(
        Path(path), sha256(Path(path)), reading.layout,
        leaves.groupby([*FLOW, "scheme", "code"])["value"].sum().reset_index(),
        table[whole].groupby(FLOW)["value"].sum().reset_index(), _source(reading),
        tuple(reading.said))


def _source(reading: rows.Reading) -> str:
    if "source" in reading.rows and (named := "; ".join(
            text for text in dict.fromkeys(reading.rows["source"]) if text)):
        return named[:LONGEST]
    return reading.layout.title
