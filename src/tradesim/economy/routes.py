"""Freight and days by route, and how goods choose among routes, in hats."""

from __future__ import annotations

from functools import reduce

import numpy as np

from tradesim.common.arrays import Array
from tradesim.economy.base_year import Economy

CLOSED = 1e-3
"""Share of the year that a closed route stays open: some goods always pass."""


def carriage(economy: Economy) -> Array:
    r"""Cost of carriage of the pair's goods in the base year, as a share of value.

    .. math:: \sum_k s_k \left( F_k / v + g\,D_k \right)

    with shares :math:`s_k`, freight :math:`F_k` and days :math:`D_k` of each route, unit value
    :math:`v` and value of a day :math:`g` (the freight and time terms of equation 4).

    Returns
    -------
    numpy.ndarray
        Share of value, order of `DIMS`; the pair's flows only (others enter as unchanged).
    """
    cost = economy.freight / economy.unit_value + economy.time_value * economy.days
    return reduce(np.add, economy.route_share * cost)


def through_corridor(economy: Economy, freight: Array, days: Array,
                     opened: Array | float = 1.0) -> Array:
    r"""Share of the pair's goods on routes of the shared corridor after they chose (equation 6).

    .. math:: S = \frac{\sum_{k \in K} s_k o_k \exp(-\theta_r \Delta_k)}
                       {\sum_k s_k o_k \exp(-\theta_r \Delta_k)}

    Parameters
    ----------
    economy, freight, days, opened
        As in `carried`.
    """
    return carried(economy, freight, days, opened)[1]


def carried(economy: Economy, freight: Array, days: Array,
            opened: Array | float = 1.0) -> tuple[Array, Array, Array, Array]:
    r"""Calculate what carriage costs when routes change or close, and who uses them (equation 6).

    .. math::

        \Delta = -\frac{1}{\theta_r} \ln \sum_k s_k o_k \exp(-\theta_r \Delta_k), \qquad
        \Delta_k = -\kappa \min(f_k, F_k)/v - g \min(d_k, D_k)

        s'_k = \frac{s_k o_k \exp(-\theta_r \Delta_k)}{\sum_l s_l o_l \exp(-\theta_r \Delta_l)},
        \qquad (1 - \kappa) \sum_k s'_k \min(f_k, F_k) / v

    Parameters
    ----------
    freight, days
        What each route saves, USD per tonne and days; extra leading axis for routes. A route
        cannot save more than it costs.
    opened
        Share :math:`o_k` of the year for which each route is open, extra leading axis. What a
        closed route carried takes the others, at a cost; `CLOSED` stands for no opening at
        all, for then nothing could move.

    Returns
    -------
    tuple
        Change :math:`\Delta` of generalised cost as a share of value (negative is a saving);
        `through_corridor`; the freight saved that stays with hauliers, share of value; and the
        share :math:`s'_k` of each route in the pair's goods, routes along the leading axis.

    Notes
    -----
    With all routes open, as :math:`\theta_r \to 0` the change is the share-weighted mean of the
    routes' changes: no goods move to another route. As :math:`\theta_r \to \infty` it is the
    largest saving among the open routes in use. With nothing saved, routes with the share
    :math:`S` closed all year cost :math:`-\ln(1 - S)/\theta_r`.
    """
    cheaper, quicker = np.minimum(freight, economy.freight), np.minimum(days, economy.days)
    change = -(economy.pass_through / economy.unit_value) * cheaper - economy.time_value * quicker
    best = change.min(axis=0)
    moved = economy.route_share * _behind(economy, change - best, opened)
    lost = np.log1p(reduce(np.add, moved)) / economy.route_choice
    used = economy.route_share + moved
    used = used / reduce(np.add, used)
    kept = (1.0 - economy.pass_through) / economy.unit_value * reduce(np.add, used * cheaper)
    through = reduce(np.add, used[economy.corridor.ravel() > 0.0], 0.0 * used[0])
    return best - lost, through, kept, used


def _behind(economy: Economy, change: Array, opened: Array | float) -> Array:
    """Attraction of each route less that of the best one at its old share; never positive."""
    chosen = np.expm1(-economy.route_choice * change)
    if np.all(opened == 1.0):
        return chosen
    opened = np.maximum(opened, CLOSED)
    return np.asarray(opened * chosen + (opened - 1.0))
