"""Whether chance would find as good a box: resampling tests of boxes; knows nothing of sweeps."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tradesim.common.arrays import Array
from tradesim.studies.discover.prim import Box, choose, peel

PERMUTATIONS, RESAMPLES, SHUFFLES = 99, 40, 4999
"""Searches in shuffled outcomes, searches in resampled rows, shuffles by factor."""
TESTED = 1000
"""Rows at most that the resampling uses; more are thinned at random."""

Progress = Callable[[int, int], None]


def against_chance(x: Array, y: Array, rng: np.random.Generator,
                   progress: Progress | None = None) -> float:
    """Probability that the best box of a search is as good where the outcome is shuffled."""
    x, y = _thinned(x, y, rng)
    real = _best(x, y)
    better = 0
    for done in range(PERMUTATIONS):
        better += _best(x, rng.permutation(y)) >= real
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

    Returns
    -------
    tuple
        By factor of the box, how often it is limited on a side on which the box limits it; and
        the share of yes that the boxes have in the rows left out.
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
            times[k] += bool((np.isfinite(box.low[k]) and np.isfinite(other.low[k]))
                             or (np.isfinite(box.high[k]) and np.isfinite(other.high[k])))
        inside = other.holds(x) & left
        hits, rows = hits + y[inside].sum(), rows + inside.sum()
    return ({k: count / RESAMPLES for k, count in times.items()},
            float(hits / rows) if rows else np.nan)


def _best(x: Array, y: Array) -> float:
    return float(peel(x, y).excess.max())


def _thinned(x: Array, y: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    if len(y) <= TESTED:
        return x, y
    rows = rng.choice(len(y), TESTED, replace=False)
    return x[rows], y[rows]
