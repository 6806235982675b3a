"""Designs of sweeps: which points of the unit cube are evaluated, row by row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.memory import refuse_too_much
from tradesim.inputs.distributions import EDGE

ORDERED = ("oat", "grid", "morris")
LOW, HIGH = 0.1, 0.9
"""Points at which `oat` puts a factor, besides its middle."""

STEPS = 4
"""Levels of a Morris design; a factor jumps half of them."""

JUMP = 0.5
"""Change of probability in one Morris step."""


@dataclass(frozen=True)
class Design:
    """The rows of a sweep."""

    method: str  # one of `sweep.METHODS`
    rows: int  # how many evaluations
    block: int  # rows that belong together: all are left out of the indices when one fails
    groups: tuple[tuple[int, ...], ...]  # for each group of factors its columns
    table: Array = field(repr=False)  # rows (oat, lhs, morris), base sample (sobol), levels (grid)
    second: bool = False  # whether second-order indices are asked for (sobol)
    noise: bool = False  # whether what is not swept is drawn at random

    @property
    def units(self) -> int:
        """Groups of columns that are replaced together; chance is one more, if drawn."""
        return len(self.groups) + self.noise

    @property
    def factors(self) -> int:
        """Number of columns."""
        return sum(len(group) for group in self.groups)

    def part(self, rows: slice) -> tuple[Array, NDArray[np.int64] | None]:
        """Points of some rows, (row, factor), and their rows in the random table."""
        numbers = np.arange(rows.start, rows.stop)
        if self.method == "sobol":
            return self._sobol(numbers)
        if self.method == "grid":
            sizes = self.table.astype(int)
            index = np.array(np.unravel_index(numbers, tuple(sizes))).T
            return (index + 0.5) / sizes, None
        return self.table[numbers], numbers if self.noise else None

    def _sobol(self, numbers: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64] | None]:
        """Rows of a base point: A, B, then A with each unit from B, then B with each from A."""
        point, role = np.divmod(numbers, self.block)
        k, units = self.factors, self.units
        a, b = self.table[point, :k], self.table[point, k:]
        reverse = role >= 2 + units
        unit = np.where(role < 2, -1, (role - 2) % units)
        from_b = np.broadcast_to(((role == 1) | reverse)[:, None], a.shape).copy()
        noise_b = (role == 1) | reverse
        for index, group in enumerate(self.groups):
            from_b[np.ix_(unit == index, group)] ^= True
        if not self.noise:
            return np.where(from_b, b, a), None
        noise_b = noise_b ^ (unit == len(self.groups))
        return np.where(from_b, b, a), 2 * point + noise_b


NUMBER, PROGRAM = 24.0, 4e8
"""Bytes of memory that each number of a design takes, and the program beside.

Measured: a million points of 87 factors peak at 1.8 GB.
"""


def make(method: str, names: Sequence[str], groups: Sequence[Sequence[int]], *, n: int, seed: int,
         levels: Sequence[int], second: bool = False, noise: bool = False) -> Design:
    """Lay out the rows of a sweep.

    Each factor has a random stream of its own; the columns of a group are replaced together
    (sobol). `n` counts rows (lhs), trajectories (morris) or base points, a power of two (sobol);
    `levels` are those of each factor (grid).
    """
    if noise and method not in ("lhs", "sobol"):
        raise InputError([Problem("--noise", "", f"chance would hide what {method} measures",
                                  "take lhs or sobol")])
    k = len(names)
    refuse_too_much("--n", n, NUMBER * k * {"lhs": 1, "morris": k + 1, "sobol": 2}.get(method, 0),
                    PROGRAM, "points of the design")
    together = tuple(tuple(group) for group in groups)
    if method == "oat":
        table = np.full((1 + 2 * k, k), 0.5)
        table[1 + 2 * np.arange(k), np.arange(k)] = LOW
        table[2 + 2 * np.arange(k), np.arange(k)] = HIGH
        return Design(method, len(table), 1, together, table)
    if method == "grid":
        return Design(method, math.prod(levels), 1, together, np.array(levels, dtype=float))
    if method == "lhs":
        return Design(method, n, 1, together, _hypercube(names, n, seed), noise=noise)
    if method == "morris":
        table = _trajectories(k, n, seed)
        return Design(method, len(table), k + 1, together, table)
    units = len(together) + noise
    block = 2 + units * (2 if second else 1)
    return Design(method, n * block, block, together, _base_points(k, n, seed), second, noise)


def _hypercube(names: Sequence[str], n: int, seed: int) -> Array:
    from scipy.stats.qmc import LatinHypercube

    table = np.empty((n, len(names)), order="F")
    for k, name in enumerate(names):
        rng = np.random.default_rng([seed, int.from_bytes(sha256(name.encode()).digest())])
        table[:, k] = LatinHypercube(1, rng=rng).random(n)[:, 0]
    return np.clip(table, EDGE, 1.0 - EDGE, out=table)


def _base_points(k: int, n: int, seed: int) -> Array:
    from scipy.stats.qmc import Sobol

    points = Sobol(2 * k, rng=np.random.default_rng(seed)).random(n)
    return np.clip(points, EDGE, 1.0 - EDGE)


def _trajectories(k: int, count: int, seed: int) -> Array:
    """Morris's paths: from a random point each factor jumps once, in random order."""
    rng = np.random.default_rng(seed)
    half = STEPS // 2
    start = rng.integers(half, size=(count, k))
    up = rng.random((count, k)) < 0.5
    turn = rng.permuted(np.tile(np.arange(k), (count, 1)), axis=1)
    moved = np.arange(k + 1)[None, :, None] > turn[:, None, :]
    level = start[:, None, :] + half * (moved == up[:, None, :])
    return np.asarray((level + 0.5) / STEPS).reshape(-1, k)
