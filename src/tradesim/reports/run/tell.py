"""Numbers of a run as sentences print them, each with the cells of the summary it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tradesim.common.arrays import MILLION
from tradesim.reports.claims import Cell, Claim, Told
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import lower_first, money, percent, pretty, probability

Facts = dict[str, Any]
"""Words and numbers for one template of `templates/answers`, with the claims it makes."""

VISIBLE = 5e4
"""Amounts (USD) below this are not worth a sentence."""

POINT = 5e-4
"""Changes of a share below this would be printed as none."""


def total(view: ResultsView, cells: Sequence[Cell]) -> float:
    """Sum of some numbers of the summary, in their own unit."""
    return sum(view.value(cell) for cell in cells)


def usd(view: ResultsView, *cells: Cell, sign: int = 1) -> Told:
    """Write an amount in US dollars; `sign` turns a loss into an amount lost."""
    return Told(money([sign * total(view, cells) / MILLION]), cells, sign=sign)


def size(view: ResultsView, *cells: Cell) -> Told:
    """Write an amount in US dollars without its sign."""
    return usd(view, *cells, sign=1 if total(view, cells) >= 0.0 else -1)


def share_of(view: ResultsView, cell: Cell, whole: Cell, sign: int = 1) -> Told:
    """Write one number as a part of another, in per cent."""
    part = sign * view.value(cell) / view.value(whole)
    return Told(percent([100.0 * part]), (cell,), (whole,), sign)


def share(view: ResultsView, cell: Cell) -> Told:
    """Write a share in per cent."""
    return Told(percent([100.0 * view.value(cell)]), (cell,))


def share_size(view: ResultsView, cell: Cell) -> Told:
    """Write a share in per cent without its sign."""
    sign = 1 if view.value(cell) >= 0.0 else -1
    return Told(percent([100.0 * sign * view.value(cell)]), (cell,), sign=sign)


def points(view: ResultsView, cell: Cell) -> Told:
    """Write a change of a share in percentage points."""
    return Told(pretty(100.0 * view.value(cell), places=1), (cell,))


def chance(view: ResultsView, cell: Cell) -> Told:
    """Write a probability."""
    return Told(probability(view.value(cell)), (cell,))


def turnover(view: ResultsView, year: int | None = None) -> Cell:
    """Change of turnover in the last year or another, if implemented, on the headline count."""
    return Cell("turnover", year or view.last, count=view.count)


def largest(view: ResultsView, cells: Iterable[Cell]) -> Cell:
    """Cell with the largest number, whatever its sign."""
    return max(cells, key=lambda cell: abs(view.value(cell)))


def rises(view: ResultsView, cell: Cell) -> tuple[bool, Claim]:
    """Whether a number is above zero, and the claim that says so."""
    up = view.value(cell) > 0.0
    return up, Claim("above" if up else "below", (cell,))


def goods_name(view: ResultsView, group: str) -> str:
    """Name of a group of goods inside a sentence."""
    return lower_first(view.pair.name(group))
