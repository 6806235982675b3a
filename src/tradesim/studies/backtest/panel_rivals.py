"""Simple forecasts of many series at once: the rivals of `benchmarks` without a loop over pairs.

Each sees complete logs up to the origin, (case, year), and gives the mean and standard deviation of
a normal forecast, (case, horizon). Random walk, drift and line have closed forms; the damped
trend is fitted by maximum likelihood on a grid of its three coefficients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tradesim.common.arrays import Array

SMOOTHING = (0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.98)
"""Smoothing of the level, and of the trend as a share of it, at which the damped trend is tried."""

DAMPING = (0.8, 0.85, 0.9, 0.94, 0.98)
"""Damping at which it is tried: the range to which statsmodels keeps it."""


class Normal(NamedTuple):
    """A normal forecast of logs; both (case, horizon)."""

    mean: Array
    sd: Array


def random_walk(series: Array, horizons: int) -> Normal:
    """No change; the variance of a step is the mean square of past ones."""
    step = np.sqrt((np.diff(series, axis=1) ** 2).mean(axis=1))
    ahead = np.arange(1.0, horizons + 1)
    return Normal(np.repeat(series[:, -1:], horizons, axis=1), step[:, None] * np.sqrt(ahead))


def drift(series: Array, horizons: int) -> Normal:
    """Mean growth of the past goes on; the variance of a step is that around it."""
    steps = np.diff(series, axis=1)
    ahead = np.arange(1.0, horizons + 1)
    return Normal(series[:, -1:] + steps.mean(axis=1)[:, None] * ahead,
                  steps.std(axis=1)[:, None] * np.sqrt(ahead))


def line(series: Array, horizons: int) -> Normal:
    """Least-squares line through the logs, with the error of its prediction."""
    count = series.shape[1]
    years = np.arange(count) - (count - 1) / 2
    level, spread = series.mean(axis=1, keepdims=True), (years**2).sum()
    slope = ((series - level) @ years / spread)[:, None]
    left = series - level - slope * years
    variance = (left**2).sum(axis=1, keepdims=True) / (count - 2)
    ahead = years[-1] + np.arange(1.0, horizons + 1)
    return Normal(level + slope * ahead,
                  np.sqrt(variance * (1 + 1 / count + ahead**2 / spread)))


def damped_trend(series: Array, horizons: int) -> Normal:
    r"""Exponential smoothing with a trend that dies out, by maximum likelihood.

    .. math:: y_t = l_{t-1} + \phi b_{t-1} + e_t, \quad l_t = l_{t-1} + \phi b_{t-1} + \alpha e_t,
              \quad b_t = \phi b_{t-1} + \alpha \beta^* e_t

    Errors are linear in the starting level and trend, so these are found by least squares at every
    node of the grid. Hyndman, Koehler, Ord and Snyder 2008, Forecasting with Exponential
    Smoothing, sections 2.5 and 6.3.
    """
    least = np.full(len(series), np.inf)
    mean, sd = np.empty((2, len(series), horizons))
    for alpha in SMOOTHING:
        for share in SMOOTHING:
            for damping in DAMPING:
                errors, state = _smoothed(series, alpha, alpha * share, damping)
                squares = (errors**2).sum(axis=1)
                better = squares < least
                found = _projected(state, squares / series.shape[1], horizons, alpha,
                                   alpha * share, damping)
                least = np.where(better, squares, least)
                mean[better], sd[better] = found.mean[better], found.sd[better]
    return Normal(mean, sd)


def _smoothed(series: Array, alpha: float, beta: float, damping: float) -> tuple[Array, Array]:
    """One-step errors (case, year) and last state (case, 2), from the best starting state."""
    step = np.array([[1.0, damping], [0.0, damping]])
    look, gain = np.array([1.0, damping]), np.array([alpha, beta])
    keep = step - np.outer(gain, look)
    state, carried = np.zeros((len(series), 2)), np.eye(2)
    errors, design = np.empty_like(series), np.empty((series.shape[1], 2))
    for t in range(series.shape[1]):
        errors[:, t], design[t] = series[:, t] - state @ look, look @ carried
        state = state @ step.T + errors[:, t:t + 1] * gain
        carried = keep @ carried
    start = errors @ np.linalg.pinv(design).T
    return errors - start @ design.T, state + start @ carried.T


def _projected(state: Array, variance: Array, horizons: int, alpha: float, beta: float,
               damping: float) -> Normal:
    damped = np.cumsum(damping ** np.arange(1, horizons + 1))
    weight = alpha + beta * damped
    growth = 1.0 + np.concatenate([[0.0], np.cumsum(weight[:-1] ** 2)])
    return Normal(state[:, :1] + state[:, 1:] * damped, np.sqrt(variance[:, None] * growth))


RIVALS: dict[str, Callable[[Array, int], Normal]] = {
    "random_walk": random_walk, "drift": drift, "damped_trend": damped_trend, "line": line}
"""Rivals by name; skill is against the first."""
