"""Boxes of inputs in which a yes-or-no outcome is frequent: the patient rule induction method.

Friedman and Fisher (1999), Bump hunting in high-dimensional data, Statistics and Computing 9(2).
Pure functions of arrays; they know nothing of sweeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array

ALPHA, LEAST = 0.05, 0.05
"""Share of a box's rows that one step peels off or pastes on; smallest share of all rows kept."""


@dataclass(frozen=True)
class Box:
    """Limits on inputs, both ends belonging to the box.

    Attributes
    ----------
    low, high
        Limits (factor,); minus and plus infinity where there is none.
    """

    low: Array
    high: Array

    @classmethod
    def whole(cls, factors: int) -> Box:
        """Give the box without limits."""
        return cls(np.full(factors, -np.inf), np.full(factors, np.inf))

    @property
    def restricted(self) -> list[int]:
        """Factors with a limit."""
        return [int(k) for k in np.flatnonzero(np.isfinite(self.low) | np.isfinite(self.high))]

    def holds(self, x: Array) -> NDArray[np.bool_]:
        """Say which rows (row, factor) lie in the box."""
        inside = np.ones(len(x), dtype=bool)
        for k in self.restricted:
            inside &= (x[:, k] >= self.low[k]) & (x[:, k] <= self.high[k])
        return inside

    def lifted(self, factor: int) -> Box:
        """Give the box without the limits of one factor."""
        return self.cut(factor, low=-np.inf, high=np.inf)

    def cut(self, factor: int, **limits: float) -> Box:
        """Give the box with other limits (``low``, ``high``) of one factor."""
        changed = {}
        for side, limit in limits.items():
            changed[side] = getattr(self, side).copy()
            changed[side][factor] = limit
        return replace(self, **changed)


@dataclass(frozen=True)
class Path:
    """The boxes of one search, from the whole space to the smallest.

    Attributes
    ----------
    boxes
        The boxes; each lies in the one before.
    rows, hits
        Rows in each, and those of them with outcome 1 (box,).
    """

    boxes: list[Box]
    rows: Array
    hits: Array

    @property
    def excess(self) -> Array:
        """Hits in each box above those that as many rows taken at random would hold."""
        return np.asarray(self.hits - self.rows * self.hits[0] / self.rows[0])


def peel(x: Array, y: Array, alpha: float = ALPHA, least: float = LEAST) -> Path:
    """Cut thin slices off the whole space, each time the slice whose loss gains most per row.

    A slice is also cut where every slice loses density: by chance the next may gain again.

    Parameters
    ----------
    x
        Inputs (row, factor), finite.
    y
        Outcome (row,), 0 or 1.
    alpha
        Share of the box's rows in one slice; rows of equal value go together.
    least
        Stop before the box holds a smaller share of all rows.

    Returns
    -------
    Path
        The boxes, down to the least share of rows or to a box of hits or misses alone.
    """
    order = np.ascontiguousarray(np.argsort(x, axis=0, kind="stable").T)
    columns = np.ascontiguousarray(x.T)
    boxes, rows, hits = [Box.whole(len(columns))], [float(len(y))], [float(y.sum())]
    while True:
        cuts = [_cut(columns, y, order[:, ::step], max(1, int(alpha * rows[-1])),
                     hits[-1], least * len(y)) for step in (1, -1)]
        side = int(cuts[1][0] > cuts[0][0])
        gain, factor, limit = cuts[side]
        if gain == -np.inf or hits[-1] in (0.0, rows[-1]):
            return Path(boxes, np.array(rows), np.array(hits))
        boxes.append(boxes[-1].cut(factor, **{("low", "high")[side]: limit}))
        kept = columns[factor] <= limit if side else columns[factor] >= limit
        order = order[kept[order]].reshape(len(columns), -1)
        rows.append(float(order.shape[1]))
        hits.append(float(y[order[0]].sum()))


def _cut(columns: Array, y: Array, order: NDArray[np.intp], step: int, total: float,
         least: float) -> tuple[float, int, float]:
    """Give the best slice off the beginning of an order: gain in density per row, factor, limit."""
    size = order.shape[1]
    if step >= size:
        return -np.inf, 0, 0.0
    first = order[:, :step + 1]
    values = np.take_along_axis(columns, first, axis=1)
    off = values[:, :-1] != values[:, -1:]
    lost, gone = off.sum(axis=1), (y[first[:, :-1]] * off).sum(axis=1)
    for factor in np.flatnonzero(lost == 0):  # the slice would part rows of equal value
        equal = columns[factor, order[factor]] == values[factor, 0]
        lost[factor], gone[factor] = equal.sum(), y[order[factor]][equal].sum()
    left = size - lost
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = ((total - gone) / left - total / size) / lost
    gain[(left <= 0) | (left < least)] = -np.inf
    best = int(np.argmax(gain))
    if gain[best] == -np.inf:
        return -np.inf, 0, 0.0
    ends = order[best, lost[best] - 1:lost[best] + 1]
    return float(gain[best]), best, float(columns[best, ends].mean())


def paste(x: Array, y: Array, box: Box, alpha: float = ALPHA) -> Box:
    """Widen a box again, a slice at a time, as long as its density rises."""
    while True:
        inside = box.holds(x)
        best, density = box, y[inside].mean()
        for factor in box.restricted:
            beyond = box.lifted(factor).holds(x) & ~inside
            for side, sign in (("low", -1.0), ("high", 1.0)):
                limit = getattr(box, side)[factor]
                rows = np.flatnonzero(beyond & (sign * (x[:, factor] - limit) > 0))
                if not len(rows):
                    continue
                distance = np.sort(sign * (x[rows, factor] - limit))
                place = min(max(1, int(alpha * inside.sum())), len(rows))
                far = np.inf if place == len(rows) else distance[place - 1:place + 1].mean()
                wider = box.cut(factor, **{side: limit + sign * far})
                found = y[wider.holds(x)].mean()
                if found > density:
                    best, density = wider, found
        if best is box:
            return box
        box = best


def lift(x: Array, y: Array, box: Box, share: float = 0.05, most: int = 4) -> Box:
    """Lift the limits that hardly matter, the least useful first.

    The limits of a factor go while that costs less than `share` of the box's excess of hits, or
    more than `most` factors are limited.
    """
    factors = box.restricted
    if not factors:
        return box
    out = ~np.array([(x[:, k] >= box.low[k]) & (x[:, k] <= box.high[k]) for k in factors])
    while len(factors):
        centred = y - y.mean()
        broken = out.sum(axis=0)
        now = centred[broken == 0].sum()
        without = ((broken - out) == 0) @ centred
        least = int(np.argmax(without))
        if len(factors) <= most and now - without[least] >= share * now:
            break
        box, out = box.lifted(factors[least]), np.delete(out, least, axis=0)
        del factors[least]
    return box


def choose(x: Array, y: Array, path: Path) -> Box:
    """Choose one box of a search: the one with the largest excess of hits, cleaned up.

    Limits that hardly matter are lifted. The search is repeated over the factors that are left
    alone, where fewer by-ways lead astray; the better of both boxes is widened again.
    """
    first = lift(x, y, path.boxes[int(np.argmax(path.excess))])
    factors = first.restricted
    if not factors:
        return first
    again = peel(x[:, factors], y)
    best = again.boxes[int(np.argmax(again.excess))]
    second = Box.whole(x.shape[1])
    second.low[factors], second.high[factors] = best.low, best.high
    centred = y - y.mean()
    return paste(x, y, max((first, lift(x, y, second)),
                           key=lambda box: float(centred[box.holds(x)].sum())))
