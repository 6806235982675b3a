"""Scores of probabilistic forecasts against what happened.

`docs/backtest.md` says which score is used for what.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tradesim.common.arrays import Array

LEVELS = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles that are kept of a forecast: its middle, its central 50 % and 90 %."""


def crps(draws: ArrayLike, outcome: ArrayLike, axis: int = 0) -> Array:
    r"""Continuous ranked probability score of draws, exact for their distribution function.

    .. math:: \frac1n \sum_i |x_i - y| - \frac1{n^2} \sum_i x_{(i)} (2 i - n - 1)

    Gneiting and Raftery 2007, Strictly proper scoring rules, prediction, and estimation, *JASA*
    102, equation (21); the sorted form is that of Jordan, Krüger and Lerch 2019, Evaluating
    probabilistic forecasts with scoringRules, *Journal of Statistical Software* 90.

    In the unit of the outcome; smaller is better. Draws run along `axis`, the outcome has the
    others.
    """
    values = np.sort(np.moveaxis(np.asarray(draws, dtype=float), axis, -1), axis=-1)
    count = values.shape[-1]
    apart = np.abs(values - np.asarray(outcome, dtype=float)[..., None]).mean(axis=-1)
    return np.asarray(apart - values @ (2 * np.arange(1.0, count + 1) - count - 1) / count**2)


def crps_normal(mean: ArrayLike, sd: ArrayLike, outcome: ArrayLike) -> Array:
    r"""Continuous ranked probability score of a normal forecast, in closed form.

    .. math:: \sigma \{ z (2 \Phi(z) - 1) + 2 \varphi(z) - \pi^{-1/2} \}

    Gneiting and Raftery 2007, equation (5), with :math:`z = (y - \mu) / \sigma`.
    """
    from scipy.special import ndtr

    scale = np.asarray(sd, dtype=float)
    z = (np.asarray(outcome, dtype=float) - np.asarray(mean, dtype=float)) / scale
    density = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    return np.asarray(scale * (z * (2 * ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def pit(draws: ArrayLike, outcome: ArrayLike) -> Array:
    """Probability integral transform: share of draws, along the first axis, up to the outcome."""
    return np.asarray((np.asarray(draws) <= np.asarray(outcome)).mean(axis=0))


def quantiles(draws: ArrayLike, levels: ArrayLike = LEVELS) -> Array:
    """Quantiles of draws along the first axis, each in the middle of its share; (level, ...)."""
    return np.asarray(np.quantile(np.asarray(draws), np.asarray(levels), axis=0, method="hazen"))


def log_score(draws: ArrayLike, outcome: float) -> float:
    """Log of the forecast's density at the outcome, from a Gaussian kernel density of the draws.

    Bandwidth by Scott's rule, as in `scipy.stats.gaussian_kde`. Larger is better.
    """
    from scipy.stats import gaussian_kde

    values = np.asarray(draws, dtype=float)
    if not values.size or not np.isfinite(values).all():
        raise ValueError("a forecast has no draws, or draws that are not finite")
    return float(gaussian_kde(values).logpdf(outcome)[0])


def log_score_normal(mean: ArrayLike, sd: ArrayLike, outcome: ArrayLike) -> Array:
    """Log of the density of a normal forecast at the outcome."""
    scale = np.asarray(sd, dtype=float)
    z = (np.asarray(outcome, dtype=float) - np.asarray(mean, dtype=float)) / scale
    return np.asarray(-0.5 * z**2 - np.log(scale) - 0.5 * np.log(2 * np.pi))


def normal_draws(mean: ArrayLike, sd: ArrayLike, size: int) -> Array:
    """Draws of a normal forecast without luck: quantiles at the middles of equal shares."""
    from scipy.special import ndtri

    z = ndtri((np.arange(size) + 0.5) / size)
    centre, scale = np.asarray(mean, dtype=float), np.asarray(sd, dtype=float)
    return np.asarray(centre + scale * z.reshape(-1, *[1] * np.ndim(centre)))
