r"""The form of the reference path for one series and one count, exact for many pairs at once.

Equations 1 to 3 of `docs/model.md` with turnover as one country reports it, no exchange rate and
no closed corridor:

.. math:: y_t = a + \beta g_t + u_t + e_t, \quad u_t = \rho u_{t-1} + \varepsilon_t,
          \quad \varepsilon \sim N(0, \omega^2), \; e \sim N(0, s^2)

with :math:`g` the sum of both logs of GDP. Given a node :math:`(\rho, \omega, s)` of a grid the
model is a regression with a known covariance, which is the same for all pairs: a constant with a
flat prior and :math:`\beta \sim N(m, \tau^2)` have closed posteriors, and forecasts are normal.
Everything is thus a product of matrices over all pairs, without a sampler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, xlogy

from tradesim.common.arrays import Array

RHO_NODES, OMEGA_NODES, ERROR_NODES = 12, 14, 5
"""Nodes of the grid."""

OMEGA_RANGE, ERROR_RANGE = (0.03, 1.2), (0.03, 0.5)
"""Standard deviations of yearly shocks and of reporting errors between which the nodes lie."""


@dataclass(frozen=True)
class Priors:
    """Priors of the one-count form.

    Attributes
    ----------
    elasticity
        Mean and standard deviation of β; a standard deviation of zero fixes it.
    persistence
        Both parameters of the beta distribution of ρ; None is a local level, ρ = 1.
    innovation, error
        Median and standard deviation of the log of ω and of s.
    """

    elasticity: tuple[float, float]
    persistence: tuple[float, float] | None
    innovation: tuple[float, float]
    error: tuple[float, float]


class Nodes(NamedTuple):
    """Nodes of the grid and the log of their prior weight; each (node,)."""

    rho: Array
    omega: Array
    error: Array
    log_weight: Array


def grid(priors: Priors) -> Nodes:
    """Lay out the nodes: even in ρ, even in the logs of ω and s, weighted by the prior."""
    if priors.persistence is None:
        rho: Array = np.ones(1)
        weight: Array = np.zeros(1)
    else:
        a, b = priors.persistence
        rho = (np.arange(RHO_NODES) + 0.5) / RHO_NODES
        weight = np.asarray(xlogy(a - 1, rho) + xlogy(b - 1, 1 - rho))
    omega = np.geomspace(*OMEGA_RANGE, OMEGA_NODES)
    error = np.geomspace(*ERROR_RANGE, ERROR_NODES)
    parts = np.meshgrid(rho, omega, error, indexing="ij")
    logs = [weight[:, None, None],
            -0.5 * (np.log(parts[1] / priors.innovation[0]) / priors.innovation[1]) ** 2,
            -0.5 * (np.log(parts[2] / priors.error[0]) / priors.error[1]) ** 2]
    total = sum(np.broadcast_to(one, parts[0].shape) for one in logs)
    flat = [part.ravel() for part in parts]
    return Nodes(flat[0], flat[1], flat[2], _normalised(np.asarray(total).ravel()))


def _normalised(logs: Array) -> Array:
    top = logs.max(axis=0)
    return np.asarray(logs - top - np.log(np.exp(logs - top).sum(axis=0)))


def covariance(rho: float, omega: float, first: Array, second: Array) -> Array:
    """Give the covariance of u between two sets of years; a walk starts from zero in year 0."""
    apart = np.abs(first[:, None] - second)
    if rho >= 1.0:
        return np.asarray(omega**2 * np.minimum(first[:, None], second))
    return np.asarray(omega**2 / (1 - rho**2) * rho**apart)


class Fitted(NamedTuple):
    """What the years up to the origin say, by node and case, with the prior of β left out."""

    log_density: Array  #: of changes of the series at the best β, (node, case)
    best: Array  #: β of least squares, (node, case)
    precision: Array  #: of that β, (node, case)


def fit(nodes: Nodes, log_turnover: Array, log_gdp: Array) -> Fitted:
    """Generalised least squares at every node, constant and β integrated or maximised out.

    Parameters
    ----------
    nodes
        From `grid`.
    log_turnover, log_gdp
        y and g, (case, year), complete.
    """
    y = log_turnover - log_turnover.mean(axis=1, keepdims=True)
    g = log_gdp - log_gdp.mean(axis=1, keepdims=True)
    years = np.arange(1.0, y.shape[1] + 1)
    shape = (len(nodes.rho), len(y))
    density, best, precision = np.empty((3, *shape))
    for k, (rho, omega, error) in enumerate(zip(*nodes[:3], strict=True)):
        inverse = np.linalg.inv(covariance(rho, omega, years, years)
                                + error**2 * np.eye(len(years)))
        ones = inverse.sum(axis=1)
        centred = inverse - np.outer(ones, ones) / ones.sum()
        weighed = g @ centred
        precision[k] = (weighed * g).sum(axis=1)
        best[k] = (weighed * y).sum(axis=1) / precision[k]
        left = ((y @ centred) * y).sum(axis=1) - best[k] ** 2 * precision[k]
        constant = np.linalg.slogdet(inverse)[1] - np.log(ones.sum() / len(years))
        density[k] = 0.5 * (constant - (len(years) - 1) * np.log(2 * np.pi) - left)
    return Fitted(density, best, precision)


def log_marginal(fitted: Fitted, mean: float, sd: float) -> Array:
    """Log density of every series at every node with β ~ N(mean, sd²) integrated out."""
    spread = 1.0 + sd**2 * fitted.precision
    return np.asarray(fitted.log_density - 0.5 * (
        np.log(spread) + (fitted.best - mean) ** 2 * fitted.precision / spread))


def elasticity(fitted: Fitted, mean: float, sd: float) -> tuple[Array, Array]:
    """Posterior mean and variance of β at every node; (node, case)."""
    if sd == 0:
        return np.full_like(fitted.best, mean), np.zeros_like(fitted.best)
    total = fitted.precision + sd**-2
    return (fitted.precision * fitted.best + mean * sd**-2) / total, 1.0 / total


class Ahead(NamedTuple):
    """GDP after the origin as it is forecast, or known."""

    mean: Array  #: g, (case, horizon)
    variance: Array  #: of its error, (case, horizon); zero where GDP is known


class Predicted(NamedTuple):
    r"""Best linear unbiased predictors: mean :math:`\lambda_h' y + \beta (g_{T+h} - \lambda_h' g)`.

    The weights :math:`\lambda_h` depend on the node and not on the pair.
    """

    level: Array  #: λ'y, (horizon, node, case)
    size: Array  #: λ'g, (horizon, node, case)
    variance: Array  #: at a given β and g, (horizon, node)


def predict(nodes: Nodes, log_turnover: Array, log_gdp: Array, horizons: int) -> Predicted:
    """Predict at every node; arrays as in `fit`."""
    years = log_turnover.shape[1]
    past, later = np.arange(1.0, years + 1), years + np.arange(1.0, horizons + 1)
    weights = np.empty((horizons, len(nodes.rho), years))
    variance = np.empty(weights.shape[:2])
    for k, (rho, omega, error) in enumerate(zip(*nodes[:3], strict=True)):
        inverse = np.linalg.inv(covariance(rho, omega, past, past) + error**2 * np.eye(years))
        across = covariance(rho, omega, later, past)
        own = np.diag(covariance(rho, omega, later, later)) + error**2
        ones = inverse.sum(axis=1)
        short = 1.0 - across @ ones
        weights[:, k] = across @ inverse + short[:, None] * ones / ones.sum()
        variance[:, k] = own - ((across @ inverse) * across).sum(axis=1) + short**2 / ones.sum()
    return Predicted(weights @ log_turnover.T, weights @ log_gdp.T, variance)


def forecast(priors: Priors, nodes: Nodes, fitted: Fitted, predicted: Predicted, ahead: Ahead,
             points: Array) -> Array:
    """Draw what would be reported after the origin.

    Parameters
    ----------
    priors, nodes, fitted, predicted
        The prior, `grid` of it (nodes may be shared by several), `fit` and `predict`.
    ahead
        GDP of each horizon.
    points
        Evenly spread numbers in (0, 1), one column for the node and one for the error; (draw, 2).

    Returns
    -------
    numpy.ndarray
        Log turnover as reported; (case, horizon, draw).
    """
    middle, variance = elasticity(fitted, *priors.elasticity)
    logs = nodes.log_weight[:, None] + log_marginal(fitted, *priors.elasticity)
    chosen = _chosen(np.exp(_normalised(logs)), points[:, 0])
    cases, z = np.arange(chosen.shape[0])[:, None], ndtri(points[:, 1])
    beta, doubt = middle[chosen, cases], variance[chosen, cases]
    drawn = np.empty((len(cases), ahead.mean.shape[1], len(z)))
    for h in range(drawn.shape[1]):
        size = ahead.mean[:, h, None] - predicted.size[h][chosen, cases]
        total = (predicted.variance[h][chosen] + doubt * size**2
                 + (beta**2 + doubt) * ahead.variance[:, h, None])
        drawn[:, h] = predicted.level[h][chosen, cases] + beta * size + z * np.sqrt(total)
    return drawn


def _chosen(weights: Array, points: Array) -> NDArray[np.intp]:
    """Place of the node at which the cumulative weight passes each point; (case, draw)."""
    found = [np.searchsorted(column, points) for column in np.cumsum(weights, axis=0).T]
    return np.minimum(np.stack(found), len(weights) - 1)


class Population(NamedTuple):
    """How parameters are spread over pairs, from `population`."""

    mean: float  #: of β
    sd: float  #: of β, between pairs
    weights: Array  #: of the nodes, (node,)


def population(nodes: Nodes, fitted: Fitted, steps: int = 200) -> Population:
    r"""Estimate how parameters are spread over pairs: maximum likelihood by the EM algorithm.

    β is normal between pairs, nodes have free weights; the noise of each pair's own fourteen years
    is thereby taken out (Laird 1978, Nonparametric maximum likelihood estimation of a mixing
    distribution, *JASA* 73).
    """
    mean, sd = float(np.median(fitted.best)), 0.3
    weights = np.exp(nodes.log_weight)
    for _ in range(steps):
        logs = np.log(weights + 1e-300)[:, None] + log_marginal(fitted, mean, sd)
        share = np.exp(_normalised(logs))
        middle, variance = elasticity(fitted, mean, sd)
        count = fitted.best.shape[1]
        mean = float((share * middle).sum() / count)
        sd = float(np.sqrt((share * (variance + (middle - mean) ** 2)).sum() / count))
        weights = share.mean(axis=1)
    return Population(mean, sd, weights)
