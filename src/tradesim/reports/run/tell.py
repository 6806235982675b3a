"""Numbers of a run as sentences print them, each with the cells of the summary it comes from."""

from __future__ import annotations

from collections.abc import Sequence

from tradesim.common.arrays import MILLION
from tradesim.reports.claims import Cell, Told
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import money, percent, pretty, probability


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


def points(view: ResultsView, cell: Cell) -> Told:
    """Write a change of a share in percentage points."""
    return Told(pretty(100.0 * view.value(cell), places=1), (cell,))


def chance(view: ResultsView, cell: Cell) -> Told:
    """Write a probability."""
    return Told(probability(view.value(cell)), (cell,))
