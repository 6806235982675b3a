"""What the statistics say of a latent flow: exact likelihood and exact draws of the state.

The model of `docs/model.md`, sections 1 and 2, for importer j, year t and reporter r, all in
natural logs of USD:

    (1)  y[r,j,t] = x[j,t] + b[r,j] + e[r,j,t],      e ~ N(0, (s[r,j] * grade[r,j,t])²)
    (2)  x[j,t]   = a[j] + β g[t] + γ[j] q[t] + κ[j] C[t] + u[j,t]
    (3)  u[j,t]   = ρ u[j,t-1] + ε[j,t],             ε ~ N(0, ω[j]²),  u[j,0] ~ N(0, ω²/(1 - ρ²))

with b = 0 for the first (reference) reporter. Given the parameters equations 1-3 are linear and
Gaussian with one state per importer, so a scalar Kalman filter is exact. Reporters are independent
given the state and are therefore taken in one after the other, which needs no matrix at all. Every
function works on any number of leading axes (walkers, draws); the only loops run over years and
reporters. Arguments throughout:

Parameters
----------
    `bias` and `error_sd` with axes (..., importer, reporter), `innovation_sd` (..., importer)
    and `persistence` (...,).
log_value
    y, log reported values (year, importer, reporter); NaN = missing.
error_scale
    Factor on the error's standard deviation by quality grade, same axes.
mean
    Log flow without its residual, from `gravity.expected`, axes (..., year, importer).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from tradesim.common.arrays import Array


class Filtered(NamedTuple):
    """What the forward filter leaves: log density, and the state given the data so far."""

    log_density: Array  #: of the reports of each year given all earlier ones, axes (..., year)
    mean: Array  #: E(u[t] | y[..t]), axes (..., year, importer)
    variance: Array  #: Var(u[t] | y[..t]), axes (..., year, importer)


def starting_variance(persistence: Array, innovation_sd: Array) -> Array:
    """Variance of the residual before the first report, which is the stationary one."""
    return innovation_sd**2 / (1.0 - persistence**2)


def kalman(deviation: Array, error_sd: Array, persistence: Array,
           innovation_sd: Array) -> Filtered:
    """Run the Kalman filter of (1) and (3) forward, exactly, with missing values.

    Taking in one report with prediction error v = deviation - E(u), error variance
    H = error_sd² and state variance P:

        F = P + H,   log density -= (log 2πF + v²/F) / 2,   E += P v / F,   P *= H / F

    and from one year to the next E *= ρ, P = ρ² P + ω².

    `deviation` is reported less expected log flow and bias, y - a - β g - γ q - κ C - b, axes
    (..., year, importer, reporter), NaN where nothing was reported; `error_sd` of each
    observation has the same axes, ω (..., importer) and ρ axes that broadcast to those of ω.
    """
    deviation, error_sd = np.broadcast_arrays(deviation, error_sd)
    # Loop axes first, so that every step works on one block of memory.
    reports = np.ascontiguousarray(np.moveaxis(deviation, (-3, -1), (0, 1)))
    errors = np.ascontiguousarray(np.moveaxis(error_sd, (-3, -1), (0, 1))) ** 2
    known = ~np.isnan(reports)
    reports = np.where(known, reports, 0.0)
    rho, innovation = persistence, innovation_sd ** 2
    shape = np.broadcast_shapes(reports.shape[2:], rho.shape, innovation.shape)
    mean = np.zeros(shape)
    variance = np.broadcast_to(starting_variance(persistence, innovation_sd), shape)
    means, variances = np.empty((2, len(reports), *shape))
    surprises, spreads = np.empty((2, *reports.shape[:2], *shape))
    for year in range(len(reports)):
        if year:
            mean, variance = rho * mean, rho ** 2 * variance + innovation
        for reporter in range(reports.shape[1]):
            surprise = known[year, reporter] * (reports[year, reporter] - mean)
            spread = variance + errors[year, reporter]
            gain = known[year, reporter] * variance / spread
            mean, variance = mean + gain * surprise, variance * (1 - gain)
            surprises[year, reporter], spreads[year, reporter] = surprise, spread
        means[year], variances[year] = mean, variance
    terms = np.where(known, np.log(2 * np.pi * spreads) + surprises ** 2 / spreads, 0.0)
    return Filtered(np.moveaxis(-0.5 * terms.sum(axis=(1, -1)), 0, -1),
                    np.moveaxis(means, 0, -2), np.moveaxis(variances, 0, -2))


def _filtered(parameters: Mapping[str, Array], log_value: Array, error_scale: Array,
              mean: Array) -> Filtered:
    return kalman(log_value - mean[..., None] - parameters["bias"][..., None, :, :],
                  parameters["error_sd"][..., None, :, :] * error_scale,
                  parameters["persistence"][..., None], parameters["innovation_sd"])


def log_likelihood(parameters: Mapping[str, Array], log_value: Array, error_scale: Array,
                   mean: Array) -> Array:
    """Log density of all reports given the parameters, latent states integrated out."""
    return np.asarray(_filtered(parameters, log_value, error_scale, mean).log_density.sum(axis=-1))


def smooth_draw(parameters: Mapping[str, Array], log_value: Array, error_scale: Array,
                mean: Array, normal: Array) -> Array:
    """Draw the residual u of every year from its exact distribution given all reports.

    Forward filter, backward sampling: with filtered mean m[t] and variance P[t],

        u[T] ~ N(m[T], P[T]),
        u[t] | u[t+1] ~ N(m[t] + J (u[t+1] - ρ m[t]),  P[t] - J ρ P[t]),
        J = ρ P[t] / (ρ² P[t] + ω²).

    Axes (..., year, importer), as those of the standard normal numbers `normal`; the latent log
    flow is `mean` + u.
    """
    filtered = _filtered(parameters, log_value, error_scale, mean)
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
