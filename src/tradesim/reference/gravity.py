"""The gravity equation of the reference path, forward in time (equations 2-3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tradesim.common.arrays import Array, frozen


@dataclass(frozen=True)
class Reference:
    """What happens without new policy, by draw.

    Attributes
    ----------
    log_flow
        Log of the bilateral flow into each importer, USD on the reference count;
        (draw, year, importer).
    log_growth
        Log of each importer's nominal GDP against the base year; (draw, year, importer).
    closed_share
        Share of the year in which the shared corridor is closed; (draw, year).
    unexplained
        Part of `log_flow` that nothing explains; (draw, year, importer).
    """

    log_flow: Array
    log_growth: Array
    closed_share: Array
    unexplained: Array


def autoregression(shocks: Array, persistence: Array, start: Array) -> Array:
    r"""First-order autoregression :math:`z_t = \rho z_{t-1} + \epsilon_t` (equation 3).

    Parameters
    ----------
    shocks
        Innovations :math:`\epsilon`, shape (draw, year, ...).
    persistence
        :math:`\rho`, shape (draw,) or that of a state.
    start
        State before the first year, shape (draw, ...).

    Returns
    -------
    numpy.ndarray
        States, shape of `shocks`.
    """
    path = np.empty_like(shocks)
    state = start
    rho = persistence if persistence.ndim > 1 else persistence.reshape(
        -1, *[1] * (shocks.ndim - 2))
    for t in range(shocks.shape[1]):
        state = rho * state + shocks[:, t]
        path[:, t] = state
    return path


def corridor(
    uniform: Array, disrupted: Array, persistence: Array, closed: Array,
    restricted_share: Array, closed_share: Array, *, begun: bool = False,
) -> Array:
    """Yearly regime of the shared corridor: open, restricted or closed, with memory.

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

    Returns
    -------
    numpy.ndarray
        Share of the year closed, zero when open; (draw, year).
    """
    path = np.empty(uniform.shape[:2])
    state = np.full(len(uniform), begun)
    for t in range(uniform.shape[1]):
        state = uniform[:, t, 0] < np.where(state, persistence, disrupted)
        severe = uniform[:, t, 1] < closed
        path[:, t] = np.where(state, np.where(severe, closed_share, restricted_share), 0.0)
    return path


def reference(
    *,
    constant: Array,
    elasticity_gdp: Array,
    elasticity_exchange_rate: Array,
    closure_effect: Array,
    persistence: Array,
    innovations: Array,
    residual: Array,
    size: Array,
    log_growth: Array,
    exchange_rate: Array,
    closed_share: Array,
) -> Reference:
    r"""Project bilateral flows by gravity, as calibrated (equations 2-3).

    .. math::

        x_{dt} = a_d + \beta g_{dt} + \gamma_d q_t + \kappa_d C_t + u_{dt}, \qquad
        u_{dt} = \rho_d u_{d,t-1} + \epsilon_{dt}

    Parameters
    ----------
    constant, elasticity_exchange_rate, closure_effect, persistence
        :math:`a`, :math:`\gamma`, :math:`\kappa`, :math:`\rho` by direction, shape
        (draw, importer).
    elasticity_gdp
        :math:`\beta`, shape (draw,).
    innovations
        :math:`\epsilon`, shape (draw, year, importer), log points.
    residual
        State :math:`u` in the last year of the sample, shape (draw, importer).
    size
        :math:`g`, log of what flows grow with less its value in the base year, with the errors
        of its forecast, (draw, year, importer).
    log_growth
        Log of each importer's nominal GDP against the base year, (draw, year, importer).
    exchange_rate
        :math:`q`, (draw, year).
    closed_share
        :math:`C`, (draw, year).

    Returns
    -------
    Reference
        Log flows on the reference count, growth of demand, and the corridor.
    """
    unexplained = autoregression(innovations, persistence, residual)
    flow = (
        constant[:, None, :]
        + elasticity_gdp[:, None, None] * size
        + elasticity_exchange_rate[:, None, :] * exchange_rate[..., None]
        + closure_effect[:, None, :] * closed_share[..., None]
        + unexplained
    )
    return Reference(frozen(flow), frozen(log_growth), frozen(closed_share), frozen(unexplained))


def innovations(normal: Callable[[str], Array], prefix: str, years: tuple[int, ...],
                names: tuple[str, ...]) -> Array:
    """Draw standard normal numbers named ``prefix.name.year``, shape (draw, year, name)."""
    columns = [[normal(f"{prefix}.{name}.{year}") for name in names] for year in years]
    return np.moveaxis(np.array(columns), -1, 0)
