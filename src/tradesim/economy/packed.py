"""Shocks (equation 5) without their zeros: most levers act on few flows and lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.economy.shocks import CONDITIONS, NONE, Shock


@dataclass(frozen=True)
class Rows:
    """An array over years and draws, the last axes, of which only rows that hold anything stay."""

    shape: tuple[int, ...]
    places: NDArray[np.intp]  #: of the rows among all
    values: Array  #: (row, year, draw)

    @classmethod
    def of(cls, values: Array) -> Rows:
        """Leave out rows of zeros."""
        every = values.reshape(-1, *values.shape[-2:])
        places = np.flatnonzero(every.any(axis=(1, 2)))
        return cls(values.shape, places, every[places])

    def whole(self) -> Array:
        """Give the array again."""
        return self._placed(self.values, self.shape[-2:])

    def at(self, years: NDArray[np.intp], draws: NDArray[np.intp]) -> Array:
        """Take single pairs of a year and a draw, as `arrays.at` does."""
        all_years, all_draws = self.shape[-2:]
        if all_years == all_draws == 1:
            return self.whole()
        index = (years if all_years > 1 else 0) * all_draws + (draws if all_draws > 1 else 0)
        every = self.values.reshape(len(self.places), all_years * all_draws)
        some = every.take(index, axis=-1)
        return self._placed(some, (1, some.shape[-1]))

    def _placed(self, rows: Array, shape: tuple[int, ...]) -> Array:
        every = np.zeros((int(np.prod(self.shape[:-2])), *rows.shape[1:]))
        every[self.places] = rows
        return every.reshape(*self.shape[:-2], *shape)

    def acts(self) -> NDArray[np.bool_]:
        """Years and draws in which anything is not zero."""
        return np.asarray((self.values != 0.0).any(axis=0))

    def differs(self, other: Rows | None) -> NDArray[np.bool_]:
        """Years and draws in which another array is not the same."""
        if other is None:
            return self.acts()
        if np.array_equal(self.places, other.places):
            return np.asarray((self.values != other.values).any(axis=0))
        here, there = self.whole(), other.whole()
        return np.asarray((here != there).any(axis=tuple(range(here.ndim - 2))))


@dataclass(frozen=True)
class Packed:
    """A shock by its parts, zeros left out."""

    parts: Mapping[str, Rows]

    @classmethod
    def of(cls, shock: Shock) -> Packed:
        """Pack a shock."""
        return cls({part.name: Rows.of(values) for part in fields(shock)
                    if (values := getattr(shock, part.name)) is not NONE})

    def whole(self) -> Shock:
        """Give the shock again."""
        return Shock(**{name: rows.whole() for name, rows in self.parts.items()})

    def at(self, years: NDArray[np.intp], draws: NDArray[np.intp]) -> Shock:
        """Take single pairs of a year and a draw; they stand along the last dimension."""
        return Shock(**{name: rows.at(years, draws) for name, rows in self.parts.items()})

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


class PackedShocks(Mapping[str, Shock]):
    """Shocks of levers by name, each unpacked whenever it is looked up."""

    def __init__(self, packed: Mapping[str, Packed]) -> None:
        self.packed = dict(packed)

    def __getitem__(self, name: str) -> Shock:
        """Shock of one lever."""
        return self.packed[name].whole()

    def __iter__(self) -> Iterator[str]:
        """Names of levers."""
        return iter(self.packed)

    def __len__(self) -> int:
        """Count the levers."""
        return len(self.packed)


def packed(shocks: Mapping[str, Shock]) -> dict[str, Packed]:
    """Pack shocks; those that are packed stay as they are."""
    if isinstance(shocks, PackedShocks):
        return shocks.packed
    return {name: Packed.of(shock) for name, shock in shocks.items()}
