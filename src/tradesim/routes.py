"""Freight and days by route, and how goods choose among routes, in hats."""

from __future__ import annotations

from functools import reduce

import numpy as np

from tradesim.dims import Array
from tradesim.economy import Economy


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


def saving(economy: Economy, freight: Array, days: Array) -> Array:
    r"""Change of the cost of carriage when routes become cheaper or quicker (equation 6).

    .. math::

        \Delta = -\frac{1}{\theta_r} \ln \sum_k s_k \exp(-\theta_r \Delta_k), \qquad
        \Delta_k = -\kappa \min(f_k, F_k)/v - g \min(d_k, D_k)

    Parameters
    ----------
    economy
        Base year; supplies shares, freight, days, unit values, the value of a day, the
        elasticity of route choice and the pass-through of freight.
    freight, days
        What each route saves, USD per tonne and days; extra leading axis for routes. A route
        cannot save more than it costs.

    Returns
    -------
    numpy.ndarray
        Change of generalised cost as a share of value (negative is a saving).

    Notes
    -----
    As :math:`\theta_r \to 0` the change is the share-weighted mean of the routes' changes: no
    goods move to another route. As :math:`\theta_r \to \infty` it is the largest saving, if any
    goods use that route at all.
    """
    change = -economy.pass_through * np.minimum(freight, economy.freight) / economy.unit_value
    change = change - economy.time_value * np.minimum(days, economy.days)
    best = change.min(axis=0)
    behind = np.expm1(-economy.route_choice * (change - best))  # never positive: no overflow
    lost = np.log1p(reduce(np.add, economy.route_share * behind)) / economy.route_choice
    return np.asarray(best - lost)
