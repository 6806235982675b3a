"""Time: partial adjustment to a long-run effect, and the reference path forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from tradesim.dims import Array, axis, frozen

YEAR = axis("year")


def partial_adjust(target: Array, first: Array, speed: Array) -> Array:
    r"""Path of a variable that moves towards where each year would settle.

    .. math::

        (11)\; v_t = v_{t-1} + \lambda (v^*_{t-1} - v_{t-1}) + s (v^*_t - v^*_{t-1})

    so that a step is followed by the share :math:`s` in its first year and by the share
    :math:`\lambda` of what is left in each later one; with :math:`s = \lambda` this is
    :math:`v_t = v_{t-1} + \lambda (v^*_t - v_{t-1})`. What was gained slowly is lost at once:
    a path never lies beyond its target, nor on the other side of zero from it.

    Parameters
    ----------
    target
        Log change at which each year would settle, order of `DIMS`.
    first, speed
        Shares :math:`s` and :math:`\lambda`, between zero and one, without a year axis longer
        than one.

    Returns
    -------
    numpy.ndarray
        Log change reached in each year, shape of `target`.

    Notes
    -----
    Source of the shares: Boehm, Levchenko and Pandalai-Nayar (2023), 0.76 after one year
    against about 2.0 after seven to ten.
    """
    targets = np.moveaxis(target, YEAR, 0)
    first, speed = (np.moveaxis(np.asarray(share), YEAR, 0)[0] for share in (first, speed))
    path = np.empty_like(targets)
    value = before = np.zeros(targets.shape[1:])
    for t, goal in enumerate(targets):
        value = value + speed * (before - value) + first * (goal - before)
        value = np.clip(value, np.minimum(goal, 0.0), np.maximum(goal, 0.0))
        path[t], before = value, goal
    return np.moveaxis(path, 0, YEAR)


def at_once(target: Array, speed: Array) -> Array:
    r"""Path of a variable that falls at once and recovers gradually (equation 16).

    .. math::

        v_t = v^*_t \text{ where } v^*_t \text{ lies farther from zero than } v_{t-1}
        \text{ or beyond zero}, \qquad
        v_t = v_{t-1} + \lambda (v^*_t - v_{t-1}) \text{ otherwise}

    Parameters
    ----------
    target
        Log change at which each year would settle, order of `DIMS`.
    speed
        Share :math:`\lambda` of the way back to zero made in a year; one forgets at once.

    Returns
    -------
    numpy.ndarray
        Log change reached in each year, shape of `target`.
    """
    targets = np.moveaxis(target, YEAR, 0)
    pace = np.moveaxis(np.asarray(speed), YEAR, 0)[0]
    path, value = np.empty_like(targets), np.zeros(targets.shape[1:])
    for t, goal in enumerate(targets):
        farther = (np.abs(goal) >= np.abs(value)) | (goal * value < 0.0)
        value = np.where(farther, goal, value + pace * (goal - value))
        path[t] = value
    return np.moveaxis(path, 0, YEAR)


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


def loaded(draws: Mapping[str, Array], nominal: Array, real: Array) -> Array:
    r"""Term g of each flow for given growth of both economies (equation S1).

    .. math:: g_{jt} = \sum_c A_{jc} \Delta\ln Y_{ct} + B_{jc} \Delta\ln R_{ct}

    Parameters
    ----------
    draws
        Loadings :math:`A` and :math:`B` of each draw's specification, ``posterior.nominal`` and
        ``posterior.real``; (draw, importer, member).
    nominal, real
        Log change of nominal and of real GDP, (draw, year, member).

    Returns
    -------
    numpy.ndarray
        (draw, year, importer).
    """
    return np.asarray(np.einsum("dij,dtj->dti", draws["posterior.nominal"], nominal)
                      + np.einsum("dij,dtj->dti", draws["posterior.real"], real))


def response(draws: Mapping[str, Array], nominal: Array, real: Array, rate: Array) -> Array:
    r"""Log change of each flow when GDP and prices move (equation 2 with S1).

    Parameters
    ----------
    draws
        Elasticities and loadings of each draw, ``posterior.*``.
    nominal, real
        Log change of nominal GDP in USD and of real GDP, (draw, year, member).
    rate
        Change of the log real exchange rate :math:`q`, (draw, year).

    Returns
    -------
    numpy.ndarray
        (draw, year, importer).
    """
    return np.asarray(
        draws["posterior.elasticity_gdp"][:, None, None] * loaded(draws, nominal, real)
        + draws["posterior.elasticity_exchange_rate"][:, None, :] * rate[..., None])


def innovations(normal: Callable[[str], Array], prefix: str, years: tuple[int, ...],
                names: tuple[str, ...]) -> Array:
    """Draw standard normal numbers named ``prefix.name.year``, shape (draw, year, name)."""
    columns = [[normal(f"{prefix}.{name}.{year}") for name in names] for year in years]
    return np.moveaxis(np.array(columns), -1, 0)
