"""Which switches are solved: cases that pull the same levers in a draw share one solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, map_arrays
from tradesim.simulation.draws import Cases, Draws
from tradesim.simulation.prepared import Prepared

WORTHWHILE = 0.75
"""Share of all switches of cases and draws that may differ for the draws to be taken apart."""

Index = NDArray[np.intp]


@dataclass(frozen=True)
class Patterns:
    """Switches to solve, and where each case finds its draws among them.

    Attributes
    ----------
    switches
        Cases to solve: by lever a switch for each of the columns.
    rows
        Draw of each column; None where the columns are the draws.
    layer
        Which of `switches` holds each case.
    column
        Column that holds each case and draw; -1 where no lever is pulled.
    """

    switches: Cases
    rows: Index | None
    layer: tuple[int, ...]
    column: Index

    @classmethod
    def of(cls, cases: Cases, count: int) -> Patterns:
        """Find the switches that differ among cases of `count` draws."""
        bits = np.array([_bits(case, count) for case in cases.values()])
        pulled = [case for case, on in zip(cases, bits, strict=True) if np.any(on)]
        keys, place = np.unique(bits * count + np.arange(count), return_inverse=True)
        idle = int(np.searchsorted(keys, count))
        place = place.reshape(bits.shape) - idle
        layer = tuple(pulled.index(case) if case in pulled else 0 for case in cases)
        if len(keys) - idle > WORTHWHILE * len(pulled) * count:
            column = np.where(place < 0, -1, np.arange(count))
            return cls({case: cases[case] for case in pulled}, None, layer, column)
        found, rows = np.divmod(keys[idle:], count)
        levers = next(iter(cases.values()), {})
        switches = {lever: ((found >> bit) & 1).astype(float) for bit, lever in enumerate(levers)}
        return cls({"all": switches} if len(rows) else {}, rows, (0,) * len(cases),
                   np.maximum(place, -1))

    def taken(self, start: Prepared) -> Prepared:
        """Draws of the columns."""
        if self.rows is None:
            return start
        count, rows = start.levels.shape[-1], self.rows

        def take(values: Array) -> Array:
            return values.take(rows, axis=-1) if values.shape[-1] == count else values

        world = map_arrays(start.world, take)
        return replace(
            map_arrays(start, take), world=replace(world, draws=self.numbers(start.world.draws)),
            shocks={name: shock.rows(rows) for name, shock in start.shocks.items()})

    def numbers(self, draws: Draws) -> Draws:
        """Drawn numbers of the columns."""
        if self.rows is None:
            return draws
        return {name: values[self.rows] for name, values in draws.items()}

    def draw_of(self, column: int) -> int:
        """Draw that a column stands for."""
        return column if self.rows is None else int(self.rows[column])

    def arranged(self, idle: Array, acting: Array, case: int) -> Array:
        """One case of a variable, from its reference and its solved columns.

        Both have the last axes case, year and draw.
        """
        column, layer = self.column[case], self.layer[case]
        none = column < 0
        if none.all():
            return idle
        solved = acting[..., layer:layer + 1, :, :]
        if self.rows is not None:
            solved = solved.take(np.maximum(column, 0), axis=-1)
        return np.where(none, idle, solved) if none.any() else solved


def _bits(case: Mapping[str, Array], count: int) -> NDArray[np.int64]:
    """Levers pulled in each draw, as bits in their order."""
    bits = np.zeros(count, dtype=np.int64)
    for place, switch in enumerate(case.values()):
        bits |= (np.broadcast_to(switch, count) != 0.0).astype(np.int64) << place
    return bits
