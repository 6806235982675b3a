"""Which specification of the reference path counts how much: the rule of `docs/backtest.md`.

It sees the forecasts of candidates, and their log scores and CRPS by origin and horizon, with NaN
where there is no forecast yet or the outcome is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError

Flags = NDArray[np.bool_]

TWIN = 0.10
"""Mean distance of forecasts (logs) below which two candidates are the same but for details."""

FLOOR, SHARE = 0.05, 0.4
"""Least weight, and least share of an equal weight; candidates below either are dropped.

With two windows the prior alone leaves a third of an equal weight to a candidate that is hopeless.
"""

LAGS = 4
"""Years apart up to which forecasts may share outcomes."""

FEWEST = 8
"""Fewest origins with which a candidate can be called clearly best."""

ERRORS = 3.0
"""Standard errors by which it must beat every other one.

Ten origins that overlap make standard errors too small: of six equally good candidates one would
pass a bound of two in a tenth of histories, a bound of three in one of forty.
"""

PLACES = 4
"""Decimals of a weight."""


@dataclass(frozen=True)
class Standing:
    """How one candidate did; means over horizons of means over origins."""

    weight: float
    log_score: float  # NaN without any outcome
    crps: float
    behind: float  # log score that it lies behind the best; NaN for a twin
    error: float  # standard error of that
    twin: str = ""  # the candidate that represents this one


@dataclass(frozen=True)
class Decision:
    """What the rule says."""

    alone: str  # the candidate that is clearly best, or an empty text
    standing: Mapping[str, Standing]  # every candidate, by name
    origins: int  # with a known outcome

    @property
    def weights(self) -> dict[str, float]:
        """Weights above zero; they add up to one."""
        return {name: one.weight for name, one in self.standing.items() if one.weight > 0}


def cell_weights(known: Flags) -> Array:
    """Weight of every cell (origin, horizon): horizons count the same, and add up to one."""
    counts = known.sum(axis=0)
    share = np.where(counts > 0, 1.0 / np.maximum(counts, 1), 0.0) / max((counts > 0).sum(), 1)
    return np.asarray(known * share)


def stack(log_density: Array, cells: Array, origins: float) -> Array:
    r"""Weights of a mixture that maximise its log score, with a prior worth one observation.

    .. math:: N \sum_c c \log \sum_k w_k p_k(y_c) + \frac1K \sum_k \log w_k

    Yao, Vehtari, Simpson and Gelman 2018, Using stacking to average Bayesian predictive
    distributions, *Bayesian Analysis* 13, equation (4), plus the prior.

    with log densities (cell, candidate), weights :math:`c` of cells that add up to one, and
    :math:`N` the observations they count for, windows that do not overlap. A search that fails is
    a ConvergenceError.
    """
    from scipy.optimize import minimize
    from scipy.special import log_softmax, logsumexp, softmax

    size = log_density.shape[1]

    def loss(free: Array) -> tuple[float, Array]:
        logs, weights = log_softmax(free), softmax(free)
        joint = log_density + logs
        mixture = logsumexp(joint, axis=1)
        part = (cells[:, None] * np.exp(joint - mixture[:, None])).sum(axis=0)
        value = origins * (cells @ mixture) + logs.mean()
        slope = origins * part + 1.0 / size - (origins * cells.sum() + 1.0) * weights
        return -float(value), -slope

    best = minimize(loss, np.zeros(size), jac=True, method="BFGS", options={"gtol": 1e-8})
    steepest = float(np.abs(loss(best.x)[1]).max())
    if not steepest < 1e-5:
        raise ConvergenceError("stacking of specifications", steepest)
    return np.asarray(softmax(best.x))


def twins(forecasts: Array) -> list[int]:
    """Find for each candidate the first one whose forecasts are nearly the same, often itself.

    From quantiles (origin, horizon, level, candidate), NaN where there is none.
    """
    made = np.asarray(np.isfinite(forecasts).all(axis=(2, 3)))
    cells = cell_weights(made)[made]
    values, stands = forecasts[made], list[int]()
    for k in range(forecasts.shape[-1]):
        apart = [cells @ np.abs(values[..., k] - values[..., other]).mean(axis=1)
                 for other in range(k)]
        near = [other for other in range(k) if stands[other] == other and apart[other] < TWIN]
        stands.append(min(near, key=apart.__getitem__) if near else k)
    return stands


def decide(names: Sequence[str], log_density: Array, crps: Array, forecasts: Array) -> Decision:
    """Apply the rule: one candidate alone where it is clearly best, otherwise a stack.

    From scores (origin, horizon, candidate), NaN where the outcome is not known, and quantiles
    (origin, horizon, level, candidate), NaN where there is no forecast yet.
    """
    stands = twins(forecasts)
    kept = [k for k, own in enumerate(stands) if k == own]
    known: Flags = np.asarray(np.isfinite(log_density).all(axis=-1))
    cells, origins = cell_weights(known), int(known.any(axis=1).sum())
    shares = cells[..., None] * np.where(known[..., None], log_density, 0.0)
    spread = (cells[..., None] * np.where(known[..., None], crps, 0.0)).sum(axis=(0, 1))
    by_origin = shares[known.any(axis=1)].sum(axis=1)
    means, alone = by_origin.sum(axis=0), ""
    weights, behind, errors = np.zeros(len(names)), *np.full((2, len(names)), np.nan)
    if not origins:
        weights[kept] = _rounded(np.full(len(kept), 1.0 / len(kept)))
        means, spread = np.full((2, len(names)), np.nan)
    else:
        first = max(kept, key=lambda k: float(means[k]))
        differences = by_origin[:, [first]] - by_origin
        behind[kept] = differences.sum(axis=0)[kept]
        errors[kept] = [_error(differences[:, k]) for k in kept]
        others = [k for k in kept if k != first]
        if (origins >= FEWEST and _leads(crps[..., kept], known, kept.index(first))
                and (behind[others] > ERRORS * errors[others]).all()):
            alone = names[first]
            weights[first] = 1.0
        else:
            horizons = int(known.any(axis=0).sum())
            weights[kept] = _above_floor(log_density[known][:, kept], cells[known],
                                         origins / horizons)
    return Decision(alone, {
        name: Standing(float(weights[k]), float(means[k]), float(spread[k]), float(behind[k]),
                       float(errors[k]), "" if stands[k] == k else names[stands[k]])
        for k, name in enumerate(names)}, origins)


def _leads(crps: Array, known: Flags, first: int) -> bool:
    """Whether a candidate has the lowest mean CRPS at more than half of the horizons."""
    horizons = np.flatnonzero(known.any(axis=0))
    means = np.array([crps[known[:, h], h].mean(axis=0) for h in horizons])
    return bool(2 * (means.argmin(axis=1) == first).sum() > len(horizons))


def _error(differences: Array) -> float:
    """Give the standard error of a sum of differences by origin.

    With correlation up to `LAGS` years apart (Newey and West 1987, *Econometrica* 55) or without,
    whichever is larger, and the correction for a mean that is estimated.
    """
    rest, size = differences - differences.mean(), len(differences)
    if size == 1:
        return float("nan")
    alone = total = float(rest @ rest)
    for lag in range(1, min(LAGS, size - 1) + 1):
        total += 2 * (1 - lag / (LAGS + 1)) * float(rest[lag:] @ rest[:-lag])
    return float(np.sqrt(max(total, alone) * size / (size - 1)))


def _above_floor(log_density: Array, cells: Array, origins: float) -> Array:
    """Stack, dropping candidates below the floor until there are none."""
    kept = np.arange(log_density.shape[1])
    floor = max(FLOOR, SHARE / len(kept))
    while True:
        shares = stack(log_density[:, kept], cells, origins)
        stays = shares >= min(floor, shares.max())
        if stays.all():
            weights = np.zeros(log_density.shape[1])
            weights[kept] = shares
            return _rounded(weights)
        kept = kept[stays]


def _rounded(weights: Array) -> Array:
    """Round weights so that they still add up to one; the largest takes the difference."""
    rounded = np.round(weights, PLACES)
    rounded[int(np.argmax(rounded))] += 1.0 - rounded.sum()
    return np.round(rounded, PLACES)
