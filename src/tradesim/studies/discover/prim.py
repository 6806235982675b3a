"""Boxes of inputs in which a yes-or-no outcome is frequent: the patient rule induction method.

Friedman and Fisher (1999), Bump hunting in high-dimensional data, Statistics and Computing 9(2).
Pure functions of arrays; they know nothing of sweeps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.parallel import Progress

ALPHA, LEAST = 0.05, 0.05
"""Share of a box's rows that one step peels off or pastes on; smallest share of all rows kept."""

PERMUTATIONS, RESAMPLES, SHUFFLES = 99, 40, 4999
"""Searches in shuffled outcomes, searches in resampled rows, shuffles by factor."""

TESTED = 1000
"""Rows at most that the resampling uses; more are thinned at random."""


@dataclass(frozen=True)
class Box:
    """Limits on inputs, both ends belonging to the box."""

    low: Array  # (factor,); minus infinity where there is none
    high: Array  # (factor,); plus infinity where there is none

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
    """The boxes of one search, from the whole space to the smallest."""

    boxes: list[Box]  # each lies in the one before
    rows: Array  # in each (box,)
    hits: Array  # rows with outcome 1 in each (box,)

    @property
    def excess(self) -> Array:
        """Hits in each box above those that as many rows taken at random would hold."""
        return np.asarray(self.hits - self.rows * self.hits[0] / self.rows[0])


def peel(x: Array, y: Array, alpha: float = ALPHA, least: float = LEAST) -> Path:
    """Cut thin slices off the whole space, each time the slice whose loss gains most per row.

    A slice is also cut where every slice loses density: by chance the next may gain again. Inputs
    `x` (row, factor) are finite, the outcome `y` (row,) is 0 or 1. A slice holds the share `alpha`
    of the box's rows; rows of equal value go together. The search ends at the share `least` of all
    rows, or at a box of hits or misses alone.
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
                step = min(max(1, int(alpha * inside.sum())), len(rows))
                far = np.inf if step == len(rows) else distance[step - 1:step + 1].mean()
                wider = box.cut(factor, **{side: limit + sign * far})
                share = y[wider.holds(x)].mean()
                if share > density:
                    best, density = wider, share
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


# Whether chance would find as good a box.

def against_chance(x: Array, y: Array, rng: np.random.Generator,
                   progress: Progress | None = None) -> float:
    """Probability that the best box of a search is as good where the outcome is shuffled."""
    x, y = _thinned(x, y, rng)
    real = peel(x, y).excess.max()
    better = 0
    for done in range(PERMUTATIONS):
        better += peel(x, rng.permutation(y)).excess.max() >= real
        if progress is not None:
            progress(done + 1, PERMUTATIONS)
    return (1 + better) / (1 + PERMUTATIONS)


def factor_chance(x: Array, y: Array, box: Box, factor: int, rng: np.random.Generator) -> float:
    """Probability that a limit on a factor without influence does as well, for all factors tried.

    In the rows of the box without this factor's limits the outcome is shuffled, and the best
    limits of the same kind (one end or both) are searched anew each time. The probability is
    multiplied by the number of factors, of which this one was picked (Bonferroni).
    """
    parent = box.lifted(factor).holds(x)
    column, hits = _thinned(x[parent], y[parent], rng)
    column = column[:, factor]
    inside = (column >= box.low[factor]) & (column <= box.high[factor])
    real = (hits[inside] - hits.mean()).sum()
    order = np.argsort(column, kind="stable")
    edges = np.append(np.flatnonzero(np.diff(column[order])), len(column) - 1)
    both = np.isfinite(box.low[factor]) and np.isfinite(box.high[factor])
    centred, better = hits - hits.mean(), 0
    for _ in range(SHUFFLES):
        sums = np.cumsum(rng.permutation(centred))[edges]
        best = max(sums.max(), 0) - min(sums.min(), 0) if both else np.abs(sums).max()
        better += best >= real - 1e-9
    return float(min(1.0, x.shape[1] * (1 + better) / (1 + SHUFFLES)))


def reproducibility(x: Array, y: Array, box: Box,
                    rng: np.random.Generator) -> tuple[dict[int, float], float]:
    """Search again in resampled rows.

    By factor of the box, how often it is limited on a side on which the box limits it; and the
    share of yes that the boxes have in the rows left out.
    """
    x, y = _thinned(x, y, rng)
    times = dict.fromkeys(box.restricted, 0)
    hits = rows = 0.0
    for _ in range(RESAMPLES):
        taken = rng.integers(0, len(y), len(y))
        left = np.ones(len(y), dtype=bool)
        left[taken] = False
        other = choose(x[taken], y[taken], peel(x[taken], y[taken]))
        for k in times:
            times[k] += any(np.isfinite(getattr(box, side)[k])
                            and np.isfinite(getattr(other, side)[k]) for side in ("low", "high"))
        inside = other.holds(x) & left
        hits, rows = hits + y[inside].sum(), rows + inside.sum()
    return ({k: count / RESAMPLES for k, count in times.items()},
            float(hits / rows) if rows else np.nan)


def _thinned(x: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    if len(y) <= TESTED:
        return x, y
    rows = rng.choice(len(y), TESTED, replace=False)
    return x[rows], y[rows]
