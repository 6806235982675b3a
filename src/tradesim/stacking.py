"""Which specification of the reference path counts how much: the rule of `docs/backtest.md`.

It sees only the log scores and the CRPS of candidates by origin and horizon, with NaN where the
outcome is not known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.dims import Array
from tradesim.errors import ConvergenceError

Flags = NDArray[np.bool_]

FLOOR = 0.05
"""Least weight; candidates below it are dropped."""

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
    """How one candidate did.

    Attributes
    ----------
    weight
        Its weight.
    log_score, crps
        Means over horizons of means over origins; NaN without any outcome.
    behind, error
        Log score that it lies behind the best, and the standard error of that.
    """

    weight: float
    log_score: float
    crps: float
    behind: float
    error: float


@dataclass(frozen=True)
class Decision:
    """What the rule says.

    Attributes
    ----------
    alone
        The candidate that is clearly best, or an empty text.
    standing
        Every candidate, by name.
    origins
        Origins with a known outcome.
    """

    alone: str
    standing: Mapping[str, Standing]
    origins: int

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

    Parameters
    ----------
    log_density
        Log density each candidate gave to each outcome; (cell, candidate).
    cells
        Weight of each cell; they add up to one.
    origins
        How many observations the cells count for: :math:`N`.

    Returns
    -------
    numpy.ndarray
        Weights, (candidate,).

    Raises
    ------
    ConvergenceError
        When the search for the maximum fails.
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

    found = minimize(loss, np.zeros(size), jac=True, method="BFGS", options={"gtol": 1e-8})
    steepest = float(np.abs(loss(found.x)[1]).max())
    if not steepest < 1e-5:
        raise ConvergenceError("stacking of specifications", steepest)
    return np.asarray(softmax(found.x))


def decide(names: Sequence[str], log_density: Array, crps: Array) -> Decision:
    """Apply the rule: one candidate alone where it is clearly best, otherwise a stack.

    Parameters
    ----------
    names
        Candidates.
    log_density, crps
        Scores, NaN where the outcome is not known; (origin, horizon, candidate).
    """
    known: Flags = np.asarray(np.isfinite(log_density).all(axis=-1))
    cells, origins = cell_weights(known), int(known.any(axis=1).sum())
    if not origins:
        equal = _rounded(np.full(len(names), 1.0 / len(names)))
        return Decision("", {name: Standing(float(weight), *[float("nan")] * 4)
                             for name, weight in zip(names, equal, strict=True)}, 0)
    shares = cells[..., None] * np.where(known[..., None], log_density, 0.0)
    by_origin = shares[known.any(axis=1)].sum(axis=1)
    means = by_origin.sum(axis=0)
    spread = (cells[..., None] * np.where(known[..., None], crps, 0.0)).sum(axis=(0, 1))
    first = int(np.argmax(means))
    behind = by_origin[:, [first]] - by_origin
    errors = np.array([_error(column) for column in behind.T])
    ahead = _leads(crps, known, first)
    others = np.arange(len(names)) != first
    alone = origins >= FEWEST and ahead and bool(
        (behind.sum(axis=0)[others] > ERRORS * errors[others]).all())
    weights = np.eye(len(names))[first] if alone else _above_floor(
        log_density[known], cells[known], origins)
    return Decision(names[first] if alone else "", {
        name: Standing(float(weights[k]), float(means[k]), float(spread[k]),
                       float(behind[:, k].sum()), float(errors[k]))
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


def _above_floor(log_density: Array, cells: Array, origins: int) -> Array:
    """Stack, dropping candidates below the floor until there are none."""
    kept = np.arange(log_density.shape[1])
    while True:
        found = stack(log_density[:, kept], cells, origins)
        stays = found >= min(FLOOR, found.max())
        if stays.all():
            weights = np.zeros(log_density.shape[1])
            weights[kept] = found
            return _rounded(weights)
        kept = kept[stays]


def _rounded(weights: Array) -> Array:
    """Round weights so that they still add up to one; the largest takes the difference."""
    rounded = np.round(weights, PLACES)
    rounded[int(np.argmax(rounded))] += 1.0 - rounded.sum()
    return np.round(rounded, PLACES)
