"""The gravity equation of the reference path (equation 2), and its projection (equation 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tradesim.common.arrays import Array, autoregression, frozen


@dataclass(frozen=True)
class ReferencePath:
    """What happens without new policy, by draw."""

    #: log of the bilateral flow into each importer, USD on the reference count; (draw, year,
    #: importer)
    log_flow: Array
    #: log of each importer's nominal GDP against the base year; (draw, year, importer)
    log_growth: Array
    closed_share: Array  #: share of the year in which the corridor is closed; (draw, year)
    unexplained: Array  #: part of `log_flow` that nothing explains; (draw, year, importer)
    #: part of `log_flow` that is goods newly traded, less their mean; (draw, year, importer)
    new_goods: Array


DISRUPTED = 1.0 / 12.0
"""Share of a year closed from which it counts as disrupted: a month."""


def by_count(bias: Array) -> Array:
    """Log factor of each count on a flow, the reference count first; (..., importer, count)."""
    return np.stack([np.zeros_like(bias), bias], axis=-1)


def corridor(
    uniform: Array, disrupted: Array, persistence: Array, closed: Array,
    restricted_share: Array, closed_share: Array, *, begun: bool = False,
) -> Array:
    """Share of each year in which the corridor is closed; (draw, year).

    Every year is open, restricted or closed, with memory.

    Parameters
    ----------
    uniform
        Two uniform numbers a year, shape (draw, year, 2): whether the year is disrupted, and
        how badly.
    disrupted, persistence
        Probability of a disrupted year after an open one, and after a disrupted one; (draw,).
    closed
        Probability that a disrupted year is one of closure rather than restriction; (draw,).
    restricted_share, closed_share
        Share of the year that counts as closed in each of the two; (draw,).
    begun
        Whether the year before the first was disrupted.
    """
    path = np.empty(uniform.shape[:2])
    state = np.full(len(uniform), begun)
    for t in range(uniform.shape[1]):
        state = uniform[:, t, 0] < np.where(state, persistence, disrupted)
        severe = uniform[:, t, 1] < closed
        path[:, t] = np.where(state, np.where(severe, closed_share, restricted_share), 0.0)
    return path


def expected(parameters: Mapping[str, Array], size: Array, exchange_rate: Array,
             closed_share: Array) -> Array:
    r"""Log flow without its residual, equation 2; (..., year, importer).

    .. math:: a_d + \beta g_{dt} + \gamma_d q_t + \kappa_d C_t

    Parameters
    ----------
    parameters
        ``constant`` :math:`a`, ``elasticity_exchange_rate`` :math:`\gamma` and
        ``closure_effect`` :math:`\kappa` with axes (..., importer), ``elasticity_gdp``
        :math:`\beta` with axes (...,).
    size
        :math:`g`, sum of both logs of nominal GDP less its value in the base year, (..., year).
    exchange_rate
        :math:`q`, log relative price level of the second member over the first, (..., year).
    closed_share
        :math:`C`, share of the year in which the corridor is closed, (..., year).
    """
    def by_importer(name: str) -> Array:
        return parameters[name][..., None, :]

    return (by_importer("constant")
            + parameters["elasticity_gdp"][..., None, None] * size[..., None]
            + by_importer("elasticity_exchange_rate") * exchange_rate[..., None]
            + by_importer("closure_effect") * closed_share[..., None])


def reference(parameters: Mapping[str, Array], *, innovations: Array, size: Array,
              log_growth: Array, exchange_rate: Array, closed_share: Array,
              new_goods: Array | None = None) -> ReferencePath:
    """Project bilateral flows by gravity, as calibrated (equations 2-3).

    Parameters
    ----------
    parameters
        Those of `expected`, ``persistence`` and ``residual``, the state in the last year of the
        sample, all with a leading axis ``draw``.
    innovations
        Of the residual, (draw, year, importer), log points.
    size, exchange_rate, closed_share
        As in `expected`; size with the errors of its forecast.
    log_growth
        Log of each importer's nominal GDP against the base year, (draw, year, importer).
    new_goods
        Log rise by goods newly traded, less its mean, (draw, year, importer); nil by default.
    """
    new = np.zeros_like(innovations) if new_goods is None else new_goods
    unexplained = autoregression(innovations, parameters["persistence"], parameters["residual"])
    flow = expected(parameters, size, exchange_rate, closed_share) + unexplained + new
    return ReferencePath(frozen(flow), frozen(log_growth), frozen(closed_share),
                         frozen(unexplained), frozen(new))


def innovations(column: Callable[[str], Array], prefix: str, years: tuple[int, ...],
                names: tuple[str, ...]) -> Array:
    """Gather random numbers named ``prefix.name.year``, shape (draw, year, name)."""
    columns = [[column(f"{prefix}.{name}.{year}") for name in names] for year in years]
    return np.moveaxis(np.array(columns), -1, 0)
