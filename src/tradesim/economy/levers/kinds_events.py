r"""Kinds of event: single projects, and shocks that the world deals out.

Functions as in the other modules of kinds. Many events end: ``years`` says how long they last,
and `lasting` gives the share of each year.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from tradesim.common.arrays import Array, only, spread
from tradesim.economy.base_year import Economy
from tradesim.economy.shocks import FLOOR, Shock
from tradesim.inputs.posterior import response


def lasting(years_on: Array, years: Array) -> Array:
    r"""Share of what is left of a year after an event began for which it lasts (equation 20).

    .. math::

        e_t = \frac{\min\{\max\{Y - \max\{k, 0\}, 0\}, \ell\}}{\ell}, \qquad
        \ell = \min\{k + 1, 1\}, \qquad k = t - t_0

    Times the strength of a lever without phase-in it is the share of the year for which the
    event lasts.

    Parameters
    ----------
    years_on
        Years :math:`k` from the beginning to the first day of the year.
    years
        How long the event lasts, :math:`Y`.

    Returns
    -------
    numpy.ndarray
        Between zero and one; zero before the beginning and after the end.
    """
    lived = np.clip(years_on + 1.0, 0.0, 1.0)
    left = np.clip(years - np.maximum(years_on, 0.0), 0.0, lived)
    lived = np.broadcast_to(lived, left.shape)
    return np.divide(left, lived, out=np.zeros(left.shape), where=lived > 0.0)


def project(
    economy: Economy, phase: Array, *, importer: str, group: str, quantity: Array, price: Array,
    years: Array, years_on: Array,
) -> Shock:
    r"""Add a flow of given goods to the pair's trade (equation L11).

    .. math:: X = \varphi\, e\, q\, p

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    importer, group
        Who buys, and in which group the goods are counted.
    quantity, price
        Amount a year :math:`q`, and USD per unit of it :math:`p`.
    years
        For how many years.
    years_on
        Years since it began.

    Returns
    -------
    Shock
        USD a year on one flow of the pair.
    """
    value = phase * lasting(years_on, years) * quantity * price
    return Shock(project=value * economy.mask("importer", [importer])
                 * economy.mask("group", [group]) * economy.pair_flow)


def route_closure(
    economy: Economy, phase: Array, *, routes: Sequence[str], closed_share: Array,
    stranded_share: Array, years: Array, years_on: Array,
) -> Shock:
    r"""Close routes for part of the year (equation L12).

    .. math::

        x_r = \varphi\, e\, C, \qquad
        o = \ln\Bigl(1 - L \sum_{r\ closed} s_r x_r\Bigr)

    What is stranded is not sold; the rest chooses among the routes that are left, at their cost.

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    routes
        Routes that close.
    closed_share
        Share :math:`C` of each year for which they are closed.
    stranded_share
        Share :math:`L` of their goods that finds no other way in time.
    years
        In how many years.
    years_on
        Years since the first closure.

    Returns
    -------
    Shock
        Share of the year closed on these routes, and what the pair's flows lose by it.
    """
    closed = economy.on_routes(routes) * phase * lasting(years_on, years) * closed_share
    stranded = stranded_share * reduce(np.add, economy.route_share * closed) * economy.pair_flow
    return Shock(closed=closed,
                 availability=np.maximum(np.log1p(-np.minimum(stranded, 0.99)), FLOOR))


def payment_friction(
    economy: Economy, phase: Array, *, rivals: Sequence[str], rival_importers: Sequence[str],
    friction: Array, rival_factor: Array, years: Array, years_on: Array,
) -> Shock:
    r"""Make payments dearer, for the pair and for other suppliers concerned (equation L13).

    .. math:: x = \varphi\, e\, F, \qquad x_{rival} = \kappa\, x

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    rivals, rival_importers
        Other suppliers whose payments are concerned, and in which markets.
    friction
        Cost :math:`F` added on the pair's flows, share of delivered value.
    rival_factor
        Cost added on the rivals' flows, as a multiple :math:`\kappa` of the pair's.
    years
        How long it lasts.
    years_on
        Years since it began.

    Returns
    -------
    Shock
        Friction of payments added.
    """
    added = phase * lasting(years_on, years) * friction
    rival = (economy.mask("exporter", rivals) * economy.mask("importer", rival_importers)
             * (1.0 - economy.pair_flow) * (1.0 - economy.home))
    return Shock(friction=added * (economy.pair_flow + rival_factor * rival))


def supply_loss(
    economy: Economy, phase: Array, *, exporters: Sequence[str], groups: Sequence[str],
    loss: Array, recovery: Array, years_on: Array,
) -> Shock:
    r"""Destroy part of what a country can supply, at home and abroad; it grows back (equation L14).

    .. math:: s = \ln\bigl(1 - \varphi\, \ell \max\{0, 1 - \max\{k, 0\} / R\}\bigr)

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    exporters, groups
        Whose supply of which goods.
    loss
        Share :math:`\ell` of it lost.
    recovery
        Years :math:`R` until it is made good, in a straight line.
    years_on
        Years :math:`k` since the loss.

    Returns
    -------
    Shock
        Log change of supply, zero or negative.
    """
    rest = np.maximum(1.0 - np.maximum(years_on, 0.0) / recovery, 0.0)
    lost = phase * loss * rest * economy.mask("exporter", exporters) * economy.mask("group", groups)
    return Shock(supply=np.maximum(np.log1p(-np.minimum(lost, 0.99)), FLOOR))


def export_ban(
    economy: Economy, phase: Array, *, exporter: str, groups: str, banned_share: Array,
    years: Array, years_on: Array,
) -> Shock:
    r"""Forbid one member of the pair to sell some goods to the other (equation L15).

    .. math:: o = \ln \max\{1 - \varphi\, e\, B,\ 0.01\}

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    exporter, groups
        Who may not sell what: names of groups, with commas between them.
    banned_share
        Share :math:`B` of the goods under the ban.
    years
        How long it lasts.
    years_on
        Years since it began.

    Returns
    -------
    Shock
        Log change of what is offered, zero or negative: the rest of the group still is.
    """
    flow = (economy.mask("exporter", [exporter]) * economy.pair_flow
            * economy.mask("group", [group.strip() for group in groups.split(",")]))
    banned = phase * lasting(years_on, years) * banned_share * flow
    return Shock(availability=np.maximum(np.log1p(-np.minimum(banned, 0.99)), FLOOR))


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
    economy, phase
        Base year, whose draws hold :math:`\beta` and :math:`\gamma`; strength of the lever.
    country
        Whose currency; a member of the pair.
    depreciation
        Real loss of value :math:`V`, share; negative for a gain.
    half_life
        Years :math:`H` in which half of it is undone.
    years_on
        Years :math:`k` since it happened.

    Returns
    -------
    Shock
        Log change of the reference path by importer and exporter.
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
    economy, phase
        Base year, whose draws hold :math:`\beta`; strength of the lever.
    growth_of_first, growth_of_second
        Extra growth :math:`g` a year of the two members of the pair, in their order, share.
    years
        For how many years :math:`Y` growth differs; the level reached stays.
    years_on
        Years :math:`k` since it began.

    Returns
    -------
    Shock
        Log change of the reference path by importer and exporter.
    """
    grown = phase * np.minimum(1.0 + np.maximum(years_on, 0.0), years)
    first, second = (economy.mask("importer", [name]) for name in economy.pair.importers)
    own = grown * (growth_of_first * first + growth_of_second * second)
    return Shock(level=_macro(economy, own, own, 0.0 * grown))


def _macro(economy: Economy, nominal: Array, real: Array, rate: Array) -> Array:
    """Move the reference path: the pair by equation 2, other sales with the importer's GDP.

    Parameters
    ----------
    economy
        Base year and draws of the posterior.
    nominal, real
        Log change of each importer's GDP, in USD and in volume; order of `DIMS`.
    rate
        Change of the log real exchange rate; order of `DIMS`.
    """
    volume, value = (only(gdp, "importer", "year", "draw").T for gdp in (real, nominal))
    flow = response(economy.draws, value, volume, only(rate, "year", "draw").T)
    gravity = spread(flow, "draw", "year", "importer")
    return np.asarray(gravity * economy.pair_flow + nominal * (1.0 - economy.pair_flow))
