r"""Events that move whole economies: exchange rates and growth."""

from __future__ import annotations

import numpy as np

from tradesim.common.arrays import Array, only, spread
from tradesim.economy.base_year import Economy
from tradesim.economy.shocks import Shock
from tradesim.inputs.posterior import response


def currency_move(
    economy: Economy, phase: Array, *, country: str, depreciation: Array, half_life: Array,
    years_on: Array,
) -> Shock:
    r"""Let one country's currency lose real value: the path moves (equations 2, L16).

    With :math:`z_t = \varphi \ln(1 - V)\, 2^{-\max\{k, 0\} / H}` the log change of the country's
    prices in USD,

    .. math:: \Delta x_d = \beta z \pm \gamma_d z

    for the pair's flows, with plus where the country stands in the numerator of the real
    exchange rate, and :math:`\beta z` as far as nominal GDP drives the draw's reference path;
    its purchases from all others change by :math:`z`, as its GDP in USD does.

    Parameters
    ----------
    country
        Whose currency; a member of the pair.
    depreciation
        Real loss of value :math:`V`, share; negative for a gain.
    half_life
        Years :math:`H` in which half of it is undone.
    years_on
        Years :math:`k` since it happened.
    """
    first, second = economy.pair.importers
    move = phase * np.log1p(-depreciation) * 0.5 ** (np.maximum(years_on, 0.0) / half_life)
    sign = float(country == second) - float(country == first)
    own = move * economy.mask("importer", [country])
    return Shock(level=_macro(economy, own, 0.0 * own, sign * move))


def growth_path(
    economy: Economy, phase: Array, *, growth_of_first: Array, growth_of_second: Array,
    years: Array, years_on: Array,
) -> Shock:
    r"""Let the two economies grow faster or slower: the path moves (equations 2, L17).

    .. math::

        \Delta \ln Y_c = \varphi\, g_c \min\{1 + \max\{k, 0\}, Y\}, \qquad
        \Delta x_d = \beta \sum_c \Delta \ln Y_c

    for the pair's flows; purchases from all others grow with the importer's own GDP.

    Parameters
    ----------
    growth_of_first, growth_of_second
        Extra growth :math:`g` a year of the two members of the pair, in their order, share.
    years
        For how many years :math:`Y` growth differs; the level reached stays.
    years_on
        Years :math:`k` since it began.
    """
    grown = phase * np.minimum(1.0 + np.maximum(years_on, 0.0), years)
    first, second = (economy.mask("importer", [name]) for name in economy.pair.importers)
    own = grown * (growth_of_first * first + growth_of_second * second)
    return Shock(level=_macro(economy, own, own, 0.0 * grown))


def _macro(economy: Economy, nominal: Array, real: Array, rate: Array) -> Array:
    """Move the reference path: the pair by equation 2, other sales with the importer's GDP.

    Parameters
    ----------
    nominal, real
        Log change of each importer's GDP, in USD and in volume; order of `DIMS`.
    rate
        Change of the log real exchange rate; order of `DIMS`.
    """
    volume, value = (only(gdp, "importer", "year", "draw").T for gdp in (real, nominal))
    flow = response(economy.draws, value, volume, only(rate, "year", "draw").T)
    gravity = spread(flow, "draw", "year", "importer")
    return np.asarray(gravity * economy.pair_flow + nominal * (1.0 - economy.pair_flow))
