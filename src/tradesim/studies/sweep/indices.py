r"""Sensitivity indices of many outputs at once, each with an interval.

Every function takes outputs (row, output) and gives estimates (index, output) in a few matrix
products; intervals come from resampling blocks of rows, which is a matrix of weights times the
terms of each block.

Sobol: Saltelli et al. 2010 for the first order, Jansen 1999 for the total, Saltelli 2002 for
the second. With A and B two independent samples and :math:`A_B^{(i)}` the first with column i
from the second,

.. math::

    S_i = \frac{\overline{f(B)\,(f(A_B^{(i)}) - f(A))}}{V}, \qquad
    T_i = \frac{\overline{(f(A) - f(A_B^{(i)}))^2}}{2 V}, \qquad
    S_{ij} = \frac{\overline{f(B_A^{(i)})\,f(A_B^{(j)}) - f(A)\,f(B)}}{V} - S_i - S_j
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import false_discovery_control, norm, rankdata

from tradesim.common.arrays import Array, ratio
from tradesim.studies.sweep.design import JUMP, Design

Z = 1.959964
"""Half width of a 95 % interval in standard errors."""

FALSE = 0.05
"""Share of false findings among those named that is accepted on average."""

NEARLY = 1 - 1e-15
"""Correlation taken for a perfect one."""

RESAMPLES = 200
GOAL = 0.05
"""Half width of the interval that indices should reach."""

ROUNDING = 1e-9
"""Size below which an index is rounding."""

STILL = 1e-12
"""Spread relative to the largest value below which an output does not vary."""


@dataclass(frozen=True)
class Estimate:
    """One kind of index for all factors (or pairs) and outputs, with 95 % intervals."""

    index: str  # name of the kind
    factors: tuple[tuple[int, ...], ...]  # columns of the design, or pairs of them
    value: Array  # (factor, output); NaN where the output does not vary
    low: Array
    high: Array
    share: bool = True  # whether `GOAL` applies: not to second orders, noisy as three indices


def whole_blocks(outputs: Array, block: int) -> NDArray[np.bool_]:
    """Say which blocks of rows have no failed row."""
    fine = np.isfinite(outputs).all(axis=1)
    return np.asarray(fine.reshape(-1, block).all(axis=1))


def analyse(design: Design, points: Array | None, outputs: Array, kept: NDArray[np.bool_],
            seed: int) -> list[Estimate]:
    """Compute the indices that belong to a design.

    From outputs (row, output) of the blocks that are kept; lhs needs the values of the factors,
    `points` (row, factor), too. The seed is that of the resampling.
    """
    blocks = outputs.reshape(len(kept), design.block, -1)
    if design.method == "oat":
        return one_at_a_time(blocks[:, 0])
    if design.method == "grid":
        return by_level(design, blocks[:, 0])
    blocks = blocks[kept]
    if design.method == "lhs":
        assert points is not None
        return [prcc(points[kept], blocks[:, 0])]
    if design.method == "morris":
        paths = design.table.reshape(len(kept), design.block, -1)[kept]
        return morris(paths, blocks, seed)
    return sobol(blocks, design.units, design.second, seed)


def one_at_a_time(outputs: Array) -> list[Estimate]:
    """Give outputs with each factor at its low and high point, and the swing between them.

    The first row is the middle; it stands in `low` and `high` of nothing. A swing has no
    interval: the model answers without chance.
    """
    low, high = outputs[1::2], outputs[2::2]
    factors = _single(len(low))
    return [_certain(name, factors, values) for name, values in
            (("at_low", low), ("at_high", high), ("swing", high - low))]


def by_level(design: Design, outputs: Array) -> list[Estimate]:
    """How far the mean over all other factors moves between the levels of each factor."""
    sizes = tuple(int(size) for size in design.table)
    cube = outputs.reshape(*sizes, -1)
    spans = []
    for k in range(len(sizes)):
        others = tuple(axis for axis in range(len(sizes)) if axis != k)
        means = np.nanmean(cube, axis=others)
        spans.append(means.max(axis=0) - means.min(axis=0))
    return [_certain("range_of_means", _single(len(sizes)), np.array(spans))]


def prcc(points: Array, outputs: Array) -> Estimate:
    """Partial rank correlation of each factor with each output, the other factors held.

    Intervals by Fisher's transformation with one degree of freedom less per other factor.
    """
    x, y = _scores(points), _scores(outputs)
    rows, k = x.shape
    moving = np.flatnonzero(x.any(axis=0))
    inverse = np.linalg.pinv(x[:, moving].T @ x[:, moving], hermitian=True)
    slope = inverse @ (x[:, moving].T @ y)
    left = np.maximum(1.0 - np.sum(slope * (x[:, moving].T @ y), axis=0), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        partial = slope / np.sqrt(slope**2 + left * np.diag(inverse)[:, None])
    value = np.full((k, y.shape[1]), np.nan)
    value[moving] = np.where(y.any(axis=0), partial, np.nan)
    score = np.arctanh(np.clip(value, -NEARLY, NEARLY))
    error = Z / np.sqrt(max(rows - 3 - (k - 1), 1))
    return Estimate("prcc", _single(k), value, np.tanh(score - error), np.tanh(score + error))


def morris(paths: Array, outputs: Array, seed: int) -> list[Estimate]:
    """Mean, mean size and standard deviation of elementary effects.

    From the points of each trajectory, (trajectory, step, factor), and their outputs, (trajectory,
    step, output): ``mu_star``, ``mu`` and ``sigma`` in units of the output per whole range of
    probability.
    """
    step = np.diff(paths, axis=1)
    turn = np.abs(step).argmax(axis=2)
    sign = np.sign(np.take_along_axis(step, turn[:, :, None], axis=2))
    effects = np.empty((len(paths), paths.shape[2], outputs.shape[2]))
    np.put_along_axis(effects, turn[:, :, None], np.diff(outputs, axis=1) * sign / JUMP, axis=1)
    count, k, m = effects.shape
    weights = _weights(count, seed)

    def resampled(terms: Array) -> Array:
        return (weights @ terms.reshape(count, -1)).reshape(-1, k, m)

    size, first, square = (resampled(terms) for terms in (np.abs(effects), effects, effects**2))
    correction = count / max(count - 1, 1)
    spread = np.sqrt(np.maximum(square - first**2, 0.0) * correction)
    exact = effects.std(axis=0, ddof=1) if count > 1 else np.zeros((k, m))
    return [_estimate("mu_star", _single(k), np.abs(effects).mean(axis=0), size, share=False),
            _estimate("mu", _single(k), effects.mean(axis=0), first, share=False),
            _estimate("sigma", _single(k), exact, spread, share=False)]


def sobol(outputs: Array, units: int, second: bool, seed: int) -> list[Estimate]:
    """First, total and second order indices of factors, or groups of factors.

    Outputs are (base point, row of its block, output), rows as `Design` lays them out: A, B, A
    with each unit from B, and for the second order B with each unit from A.
    """
    count, _, m = outputs.shape
    y = outputs - outputs[:, :2].mean(axis=(0, 1))
    a, b, ab = y[:, 0, None], y[:, 1, None], y[:, 2:2 + units]
    weights = np.vstack([np.full(count, 1.0 / count), _weights(count, seed)])

    def mean(terms: Array) -> Array:
        return (weights @ terms.reshape(count, -1)).reshape(len(weights), -1, m)

    variance = mean((a**2 + b**2) / 2.0) - mean((a + b) / 2.0) ** 2
    still = variance[0] <= (STILL * np.abs(outputs).max(axis=(0, 1))) ** 2
    variance = np.where(still | (variance <= 0.0), np.nan, variance)
    first = mean(b * (ab - a)) / variance
    total = mean((a - ab) ** 2) / (2.0 * variance)
    estimates = [_estimate("first", _single(units), first[0], first[1:]),
                 _estimate("total", _single(units), total[0], total[1:])]
    if second:
        ba, product = y[:, 2 + units:], mean(a * b)
        pairs = tuple(combinations(range(units), 2))
        i, j = np.array(pairs, dtype=int).reshape(-1, 2).T
        closed = (mean(ba[:, i] * ab[:, j]) - product) / variance
        both = closed - first[:, i] - first[:, j]
        estimates.append(_estimate("second", pairs, both[0], both[1:], share=False))
    return estimates


def chance(one: Estimate) -> Array:
    """Probability that noise gives an index as far from zero, corrected for many factors.

    From the standard error behind the interval (that of Fisher's transformation for correlations),
    adjusted over all factors of an output so that choosing those below `FALSE` makes at most that
    share of false findings on average (Benjamini and Hochberg 1995). NaN where the output does not
    vary.
    """
    bend = np.arctanh if one.index == "prcc" else np.asarray
    value, low, high = (bend(np.clip(array, -NEARLY, NEARLY) if one.index == "prcc" else array)
                        for array in (one.value, one.low, one.high))
    error = (high - low) / (2.0 * Z)
    raw = 2.0 * norm.sf(np.abs(ratio(value, error)))
    raw = np.where(error > 0.0, raw, np.where(np.abs(value) > ROUNDING, 0.0, 1.0))
    raw = np.where(np.abs(one.value) > ROUNDING, raw, 1.0)
    adjusted = np.full(raw.shape, np.nan)
    for column in range(raw.shape[1]):
        varies = np.isfinite(one.value[:, column])
        if varies.any():
            adjusted[varies, column] = false_discovery_control(raw[varies, column])
    return adjusted


def distinguishable(probability: Array) -> NDArray[np.str_]:
    """Whether an index differs from zero, by its corrected probability of chance (`chance`)."""
    return np.where(np.isfinite(probability), np.where(probability <= FALSE, "yes", "no"),
                    "does not vary")


def more_needed(estimates: list[Estimate], rows: int) -> Array:
    """For each output the evaluations still needed until all shares are known to `GOAL`."""
    worst = np.array([np.nanmax(np.where(np.isfinite(one.high), (one.high - one.low) / 2.0, 0.0),
                                axis=0) for one in estimates if one.share and len(one.value)])
    if not worst.size:
        return np.zeros(estimates[0].value.shape[1])
    factor = (worst.max(axis=0) / GOAL) ** 2
    return np.asarray(np.ceil(np.maximum(factor - 1.0, 0.0) * rows))


def _single(k: int) -> tuple[tuple[int, ...], ...]:
    return tuple((column,) for column in range(k))


def _certain(name: str, factors: tuple[tuple[int, ...], ...], value: Array) -> Estimate:
    return Estimate(name, factors, value, value, value, share=False)


def _estimate(name: str, factors: tuple[tuple[int, ...], ...], value: Array, resampled: Array,
              share: bool = True) -> Estimate:
    fine = np.isfinite(resampled)  # a resample of an output that rarely moves may stand still
    some = np.maximum(fine.sum(axis=0), 2)
    known = np.where(fine, resampled, 0.0)
    middle = known.sum(axis=0) / some
    spread = np.where(fine, resampled - middle, 0.0)
    error = Z * np.sqrt((spread**2).sum(axis=0) / (some - 1))
    return Estimate(name, factors, value, value - error, value + error, share)


def _weights(count: int, seed: int) -> Array:
    """Weights of blocks in each resample; rows add up to one."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=RESAMPLES)
    return np.asarray(drawn / count)


def _scores(table: Array) -> Array:
    """Centred ranks of each column, of length one; zero where a column does not vary."""
    ranks = rankdata(table, axis=0) - (len(table) + 1) / 2.0
    length = np.sqrt((ranks**2).sum(axis=0))
    return ratio(ranks, length)
