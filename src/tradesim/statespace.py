"""What the statistics say of a latent flow: exact likelihood and exact draws of the state.

The model of `docs/model.md`, sections 1 and 2, for importer j, year t and reporter r, all in
natural logs of USD:

    (1)  y[r,j,t] = x[j,t] + b[r,j] + e[r,j,t],      e ~ N(0, (s[r,j] * grade[r,j,t])²)
    (2)  x[j,t]   = a[j] + β g[t] + γ[j] q[t] + κ[j] C[t] + u[j,t]
    (3)  u[j,t]   = ρ u[j,t-1] + ε[j,t],             ε ~ N(0, ω[j]²),  u[j,0] ~ N(0, ω²/(1 - ρ²))

with b = 0 for the first (reference) reporter. Given the parameters the system is linear and
Gaussian with one state per importer, so a scalar Kalman filter is exact. Reporters are
independent given the state and are therefore taken in one after the other, which needs no
matrix at all. Every function works on any number of leading axes (walkers, draws); the only
loops run over years and reporters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tradesim.dims import Array


class Filtered(NamedTuple):
    """What the forward filter leaves: log density, and the state given the data so far."""

    log_likelihood: Array  #: one per parameter vector (...,)
    mean: Array  #: E(u[t] | y[..t]), axes (..., year, importer)
    variance: Array  #: Var(u[t] | y[..t]), axes (..., year, importer)


def expected(parameters: Mapping[str, Array], gdp: Array, exchange_rate: Array,
             closed_share: Array) -> Array:
    """Latent log flow without its residual, equation (2): a + β g + γ q + κ C.

    Parameters
    ----------
    parameters
        `constant`, `elasticity_exchange_rate` and `closure_effect` with axes (..., importer),
        `elasticity_gdp` with axes (...,).
    gdp
        g, sum over the pair of log nominal GDP less its value in the base year (..., year).
    exchange_rate
        q, log relative price level of the second member over the first (..., year).
    closed_share
        C, share of the year in which the transit corridor was closed (..., year).

    Returns
    -------
    numpy.ndarray
        Natural log of USD on the reference count, axes (..., year, importer).
    """
    def by_importer(name: str) -> Array:
        return parameters[name][..., None, :]

    return (by_importer("constant")
            + parameters["elasticity_gdp"][..., None, None] * gdp[..., None]
            + by_importer("elasticity_exchange_rate") * exchange_rate[..., None]
            + by_importer("closure_effect") * closed_share[..., None])


def kalman(deviation: Array, error_sd: Array, persistence: Array,
           innovation_sd: Array) -> Filtered:
    """Run the Kalman filter of (1) and (3) forward, exactly, with missing values.

    Taking in one report with prediction error v = deviation - E(u), error variance
    H = error_sd² and state variance P:

        F = P + H,   log density -= (log 2πF + v²/F) / 2,   E += P v / F,   P *= H / F

    and from one year to the next E *= ρ, P = ρ² P + ω².

    Parameters
    ----------
    deviation
        Reported less expected log flow and bias, y - a - β g - γ q - κ C - b, axes
        (..., year, importer, reporter); NaN where nothing was reported.
    error_sd
        Standard deviation of the reporting error of each observation, same axes.
    persistence
        ρ, axes (...,).
    innovation_sd
        ω, axes (..., importer).

    Returns
    -------
    Filtered
    """
    deviation, error_sd = np.broadcast_arrays(deviation, error_sd)
    # Loop axes first, so that every step works on one block of memory.
    reports = np.ascontiguousarray(np.moveaxis(deviation, (-3, -1), (0, 1)))
    errors = np.ascontiguousarray(np.moveaxis(error_sd, (-3, -1), (0, 1))) ** 2
    seen = ~np.isnan(reports)
    reports = np.where(seen, reports, 0.0)
    rho, innovation = persistence[..., None], innovation_sd ** 2
    shape = np.broadcast_shapes(reports.shape[2:], rho.shape, innovation.shape)
    mean, variance = np.zeros(shape), np.broadcast_to(innovation / (1 - rho ** 2), shape)
    means, variances = np.empty((2, len(reports), *shape))
    surprises, spreads = np.empty((2, *reports.shape[:2], *shape))
    for year in range(len(reports)):
        if year:
            mean, variance = rho * mean, rho ** 2 * variance + innovation
        for reporter in range(reports.shape[1]):
            surprise = seen[year, reporter] * (reports[year, reporter] - mean)
            spread = variance + errors[year, reporter]
            gain = seen[year, reporter] * variance / spread
            mean, variance = mean + gain * surprise, variance * (1 - gain)
            surprises[year, reporter], spreads[year, reporter] = surprise, spread
        means[year], variances[year] = mean, variance
    terms = np.where(seen, np.log(2 * np.pi * spreads) + surprises ** 2 / spreads, 0.0)
    return Filtered(-0.5 * terms.sum(axis=(0, 1, -1)),
                    np.moveaxis(means, 0, -2), np.moveaxis(variances, 0, -2))


def _deviation(parameters: Mapping[str, Array], log_value: Array, mean: Array) -> Array:
    return log_value - mean[..., None] - parameters["bias"][..., None, :, :]


def log_likelihood(parameters: Mapping[str, Array], log_value: Array, error_scale: Array,
                   mean: Array) -> Array:
    """Exact log density of all reports given the parameters, latent states integrated out.

    Parameters
    ----------
    parameters
        `bias` and `error_sd` with axes (..., importer, reporter), `persistence` (...,) and
        `innovation_sd` (..., importer).
    log_value
        y, log reported values (year, importer, reporter); NaN = missing.
    error_scale
        Factor on the error's standard deviation by quality grade, same axes.
    mean
        Expected log flow from `expected`, axes (..., year, importer).

    Returns
    -------
    numpy.ndarray
        One log density per parameter vector, axes (...,).
    """
    return kalman(_deviation(parameters, log_value, mean),
                  parameters["error_sd"][..., None, :, :] * error_scale,
                  parameters["persistence"], parameters["innovation_sd"]).log_likelihood


def smooth_draw(parameters: Mapping[str, Array], log_value: Array, error_scale: Array,
                mean: Array, normal: Array) -> Array:
    """Draw the residual u of every year from its exact distribution given all reports.

    Forward filter, backward sampling: with filtered mean m[t] and variance P[t],

        u[T] ~ N(m[T], P[T]),
        u[t] | u[t+1] ~ N(m[t] + J (u[t+1] - ρ m[t]),  P[t] - J ρ P[t]),
        J = ρ P[t] / (ρ² P[t] + ω²).

    Parameters
    ----------
    parameters, log_value, error_scale, mean
        As in `log_likelihood`.
    normal
        Standard normal numbers, axes (..., year, importer).

    Returns
    -------
    numpy.ndarray
        u, axes (..., year, importer); the latent log flow is `mean` + u.
    """
    filtered = kalman(_deviation(parameters, log_value, mean),
                      parameters["error_sd"][..., None, :, :] * error_scale,
                      parameters["persistence"], parameters["innovation_sd"])
    rho, innovation = parameters["persistence"][..., None], parameters["innovation_sd"] ** 2
    centre, variance = filtered.mean, filtered.variance
    drawn = centre + np.sqrt(variance) * normal  # right for the last year; others replaced
    for year in range(drawn.shape[-2] - 2, -1, -1):
        now, spread = centre[..., year, :], variance[..., year, :]
        back = rho * spread / (rho ** 2 * spread + innovation)
        left = np.maximum(spread * (1 - back * rho), 0.0)
        drawn[..., year, :] = (now + back * (drawn[..., year + 1, :] - rho * now)
                               + np.sqrt(left) * normal[..., year, :])
    return drawn
