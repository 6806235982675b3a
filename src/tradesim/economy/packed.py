"""Shocks (equation 5) without their zeros: most levers act on few flows and lines.

What stays is one row for each flow and line, with axes for case, year and draw. Rows of several
shocks meet at `Places`: the flows and lines on which any of them acts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import DIMS, Array
from tradesim.economy.shocks import CONDITIONS, LASTING, NONE, ROUTED, Shock

Index = NDArray[np.intp]

CELLS = len(DIMS) - 3
"""Axes of a row before it is packed: case, year and draw; flows and lines stand before them."""


@dataclass(frozen=True)
class Rows:
    """An array in the order of `DIMS` of which only flows and lines that hold anything stay."""

    shape: tuple[int, ...]
    places: Index  #: of the rows among all
    values: Array  #: (row, case, year, draw)

    @classmethod
    def of(cls, values: Array) -> Rows:
        """Leave out rows of zeros."""
        every = values.reshape(-1, *values.shape[-CELLS:])
        places = np.flatnonzero(every.any(axis=(1, 2, 3)))
        return cls(values.shape, places, every if len(places) == len(every) else every[places])

    def whole(self) -> Array:
        """Give the array again."""
        every = np.zeros((int(np.prod(self.shape[:-CELLS])), *self.shape[-CELLS:]))
        every[self.places] = self.values
        return every.reshape(self.shape)

    def at(self, years: Index, draws: Index) -> Rows:
        """Take single pairs of a year and a draw, as `arrays.at` does."""
        all_years, all_draws = self.shape[-2:]
        if all_years == all_draws == 1:
            return self
        index = np.asarray((years if all_years > 1 else 0) * all_draws
                           + (draws if all_draws > 1 else 0))
        every = self.values.reshape(*self.values.shape[:2], 1, all_years * all_draws)
        return Rows((*self.shape[:-2], 1, index.size), self.places, every.take(index, axis=-1))

    def rows(self, draws: Index) -> Rows:
        """Take some draws."""
        if self.shape[-1] == 1:
            return self
        return Rows((*self.shape[:-1], draws.size), self.places, self.values.take(draws, axis=-1))

    def lines(self, chosen: Index) -> Rows:
        """Take some lines."""
        lines = self.shape[-CELLS - 1]
        if lines == 1:
            return self
        into = np.full(lines, -1)
        into[chosen] = np.arange(chosen.size)
        flow, line = np.divmod(self.places, lines)
        kept = into[line] >= 0
        places = flow[kept] * chosen.size + into[line[kept]]
        return Rows((*self.shape[:-CELLS - 1], chosen.size, *self.shape[-CELLS:]), places,
                    self.values[kept])

    def times(self, factor: Array) -> Rows:
        """Multiply by an array in the order of `DIMS`."""
        values = self.values * Places(self.shape[:-CELLS], self.places).take(factor)
        return Rows((*self.shape[:-CELLS], *values.shape[1:]), self.places, values)

    def acts(self) -> NDArray[np.bool_]:
        """Years and draws in which anything is not zero."""
        return np.asarray((self.values != 0.0).any(axis=(0, 1)))

    def differs(self, other: Rows | None) -> NDArray[np.bool_]:
        """Years and draws in which another array is not the same."""
        if other is None:
            return self.acts()
        alike = self.shape[:-CELLS] == other.shape[:-CELLS]
        if alike and np.array_equal(self.places, other.places):
            return np.asarray((self.values != other.values).any(axis=(0, 1)))
        here, there = self.whole(), other.whole()
        return np.asarray((here != there).any(axis=tuple(range(here.ndim - 2))))


@dataclass(frozen=True)
class Packed:
    """A shock by its parts, zeros left out."""

    parts: Mapping[str, Rows]

    @classmethod
    def of(cls, shock: Shock | Packed) -> Packed:
        """Pack a shock; one that is packed stays as it is."""
        if isinstance(shock, Packed):
            return shock
        return cls({part.name: Rows.of(values) for part in fields(shock)
                    if (values := getattr(shock, part.name)) is not NONE})

    def whole(self) -> Shock:
        """Give the shock again."""
        return Shock(**{name: rows.whole() for name, rows in self.parts.items()})

    def only(self, *names: str) -> Packed:
        """Take some parts."""
        return Packed({name: rows for name, rows in self.parts.items() if name in names})

    def at(self, years: Index, draws: Index) -> Packed:
        """Take single pairs of a year and a draw; they stand along the last dimension."""
        return Packed({name: rows.at(years, draws) for name, rows in self.parts.items()})

    def rows(self, draws: Index) -> Packed:
        """Take some draws."""
        return Packed({name: part.rows(draws) for name, part in self.parts.items()})

    def lines_with(self, name: str) -> list[int]:
        """Lines on which a part acts."""
        part = self.parts.get(name)
        return [] if part is None else np.unique(part.places % part.shape[-CELLS - 1]).tolist()

    def lines(self, chosen: Index) -> Packed:
        """Take some lines."""
        return Packed({name: part.lines(chosen) for name, part in self.parts.items()})

    def interrupted(self, closed_share: Array, pair_flow: Array) -> Packed:
        """Take away what a closed corridor stops: the share of the year, on the pair's flows.

        Other suppliers do not use the corridor and keep what the lever gives them. Visitors are
        of the pair alone.
        """
        on_pair, on_routes = 1.0 - closed_share * pair_flow, 1.0 - closed_share
        return Packed({name: rows if name in LASTING else rows.times(
            on_routes if name in (*ROUTED, "visitors") else on_pair)
            for name, rows in self.parts.items()})

    def acts(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Years and draws in which the lever changes anything; (year, draw)."""
        found = np.zeros(size, dtype=bool)
        for name, rows in self.parts.items():
            if name not in CONDITIONS:
                found |= rows.acts()
        return found

    def differs(self, other: Packed, size: tuple[int, int]) -> NDArray[np.bool_]:
        """Years and draws in which another shock of the lever is not the same; (year, draw)."""
        found = np.zeros(size, dtype=bool)
        if self is not other:
            for name in {**self.parts, **other.parts}:
                mine, theirs = self.parts.get(name), other.parts.get(name)
                found |= mine.differs(theirs) if mine else theirs.acts() if theirs else False
        return found


@dataclass(frozen=True)
class Places:
    """Some flows and lines, one a row: where a change moves anything.

    Attributes
    ----------
    shape
        Numbers of importers, exporters and lines among which they are; routes before, if any.
    index
        Their places, ascending.
    """

    shape: tuple[int, ...]
    index: Index

    @classmethod
    def of(cls, shape: Sequence[int], parts: Iterable[Rows | NDArray[np.bool_]]) -> Places:
        """Find where any part has a row, or any mask is true."""
        found = np.zeros(shape, dtype=bool)
        for part in parts:
            found |= _marked(part) if isinstance(part, Rows) else part
        return cls(tuple(shape), np.flatnonzero(found))

    @classmethod
    def among(cls, parts: Sequence[Rows | None]) -> Places:
        """Find where any part has a row, with those axes only that a part has."""
        given = [part for part in parts if part is not None]
        return cls.of(np.broadcast_shapes(*(part.shape[:-CELLS] for part in given)), given)

    def take(self, values: Array) -> Array:
        """Rows of an array in the order of `DIMS`."""
        leading, cells = values.shape[:-CELLS], values.shape[-CELLS:]
        at = [place for place, size in zip(np.unravel_index(self.index, self.shape)[-len(leading):],
                                           leading, strict=True) if size > 1]
        some = values.reshape(*(size for size in leading if size > 1), *cells)
        return some[tuple(at)] if at else np.broadcast_to(some, (len(self.index), *cells))

    def put(self, rows: Array, others: Array = NONE) -> Array:
        """Give an array in the order of `DIMS` with rows in their places, and others elsewhere."""
        if not len(self.index):
            return others
        cells = np.broadcast_shapes(rows.shape[1:], others.shape[-CELLS:])
        shape = np.broadcast_shapes((*self.shape, *cells), others.shape)
        whole = (np.zeros(shape) if others is NONE
                 else np.array(np.broadcast_to(others, shape), order="C"))
        whole.reshape(-1, *cells)[self.index] = rows
        return whole

    def where(self, part: Rows) -> tuple[Index | slice, Array]:
        """Which of these rows a part has, and its values there; (row, case, year, draw)."""
        if part.shape[:-CELLS] == self.shape:
            if np.array_equal(part.places, self.index):
                return slice(None), part.values
            here = np.searchsorted(self.index, part.places)
            if len(self.index) and np.array_equal(self.index.take(here, mode="clip"), part.places):
                return here, part.values
        place = np.full(int(np.prod(part.shape[:-CELLS])), -1)
        place[part.places] = np.arange(len(part.places))
        place = np.broadcast_to(place.reshape(part.shape[:-CELLS]), self.shape).ravel()
        place = place[self.index]
        if np.array_equal(place, np.arange(len(part.values))):
            return slice(None), part.values
        here = np.flatnonzero(place >= 0)
        return here, part.values[place[here]]

    def rows(self, part: Rows | None) -> Array:
        """Values of a part in these rows, zero where it has none; (row, case, year, draw)."""
        if part is None:
            return np.zeros((1, 1, 1, 1))
        here, values = self.where(part)
        if isinstance(here, slice):
            return values
        whole = np.zeros((len(self.index), *values.shape[1:]))
        whole[here] = values
        return whole

    def packed(self, rows: Array) -> Rows:
        """Give rows as a part, without those of zeros."""
        rows = np.broadcast_to(rows, (len(self.index), *rows.shape[1:]))
        acts = rows.any(axis=(1, 2, 3))
        return Rows((*self.shape, *rows.shape[1:]), self.index[acts], rows[acts])


def _marked(part: Rows) -> NDArray[np.bool_]:
    """Flows and lines that have a row."""
    found = np.zeros(part.shape[:-CELLS], dtype=bool)
    found.ravel()[part.places] = True
    return found
