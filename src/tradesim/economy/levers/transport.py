r"""Levers on transport and borders: roads, services, flights, crossings, closures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from tradesim.common.arrays import Array
from tradesim.economy.base_year import Economy
from tradesim.economy.levers.timing import lasting
from tradesim.economy.shocks import FLOOR, Shock

WEEKS = 52.0
"""Weeks of a year in which a weekly service flies."""


def route_improvement(
    economy: Economy, phase: Array, *, route: str,
    km_saved: Array, usd_per_tonne_km: Array, speed_km_per_hour: Array,
) -> Shock:
    r"""Shorten one route: freight and days fall with the distance (equation L2).

    .. math:: f = \varphi\, K p, \qquad d = \varphi\, K / (24 v)

    Parameters
    ----------
    route
        The route that becomes shorter.
    km_saved
        Distance saved :math:`K`, km.
    usd_per_tonne_km
        Freight rate :math:`p`, USD per tonne-kilometre.
    speed_km_per_hour
        Speed with stops :math:`v`.
    """
    strength = phase * economy.on_routes([route])
    return Shock(freight=strength * km_saved * usd_per_tonne_km,
                 days=strength * km_saved / speed_km_per_hour / 24.0)


def route_service(
    economy: Economy, phase: Array, *, routes: Sequence[str], rivals: Sequence[str],
    rival_importers: Sequence[str], freight_cut: Array, crossings: Array,
    hours_saved: Array, waiting_days_saved: Array, rival_share: Array,
) -> Shock:
    r"""Run a regular service on a route: less freight, less waiting at borders (equation L8).

    .. math::

        f_r = \varphi\, c F_r, \qquad d_r = \varphi\,(B H / 24 + W), \qquad
        z_{rival} = \rho\, g\, d

    with :math:`F_r` the freight of the route today.

    Parameters
    ----------
    routes
        Routes that get the service.
    rivals, rival_importers
        Other suppliers whose goods cross the same posts, and where these goods go.
    freight_cut
        Share :math:`c` of the freight saved.
    crossings
        Border crossings :math:`B` of a trip that get quicker.
    hours_saved
        Hours :math:`H` saved at each.
    waiting_days_saved
        Days :math:`W` of waiting for a load, a transfer or papers saved per trip.
    rival_share
        Share :math:`\rho` of the rivals' goods that cross these posts, times their part of the
        time saved.
    """
    used = economy.on_routes(routes)
    days = phase * (crossings * hours_saved / 24.0 + waiting_days_saved)
    rival = (rival_share * economy.mask("exporter", rivals) * (1.0 - economy.pair_flow)
             * economy.mask("importer", rival_importers))
    return Shock(freight=used * phase * freight_cut * economy.freight, days=used * days,
                 haulage=rival * economy.time_value * days)


def border_facilitation(
    economy: Economy, phase: Array, *, routes: Sequence[str], rivals: Sequence[str],
    rival_importers: Sequence[str], crossing_hours_saved: Array, queue_days_saved: Array,
    fees_saved: Array, variability_premium: Array, rival_share: Array,
) -> Shock:
    r"""Make border crossings on some routes quicker, cheaper and more predictable (equation L5).

    .. math::

        d = \varphi\, \pi (H / 24 + Q), \qquad f = \varphi\, e, \qquad
        z_{rival} = \rho\,(g\,d + \kappa f / v)

    The posts are open to all: suppliers whose goods cross them on their own way gain too.

    Parameters
    ----------
    routes
        Routes of the pair's goods that use the crossings.
    rivals, rival_importers
        Other suppliers whose goods use them, and where these goods go.
    crossing_hours_saved
        Hours :math:`H` saved per trip over all its crossings.
    queue_days_saved
        Mean days :math:`Q` of queues, closed posts and refused documents saved per trip.
    fees_saved
        Fees :math:`e`, USD per tonne.
    variability_premium
        Factor :math:`\pi` by which a day of uncertain delay costs more than a planned one.
    rival_share
        Share :math:`\rho` of the rivals' goods that cross these posts, times the part of the
        saving that one crossing instead of two brings them.
    """
    days = phase * variability_premium * (crossing_hours_saved / 24.0 + queue_days_saved)
    fees = phase * fees_saved
    used = economy.on_routes(routes)
    rival = (rival_share * economy.mask("exporter", rivals)
             * economy.mask("importer", rival_importers))
    worth = economy.time_value * days + economy.pass_through * fees / economy.unit_value
    return Shock(freight=used * fees, days=used * days,
                 haulage=rival * (1.0 - economy.pair_flow) * worth)


def air_link(
    economy: Economy, phase: Array, *, survival: Array, lifetime: Array,
    weekly_flights: Array, reference_flights: Array, information_cut: Array, seats: Array,
    occupancy: Array, new_visitors: Array, years_on: Array,
) -> Shock:
    r"""Fly directly: cheaper contacts, and visitors, while it lasts (equation L4).

    .. math::

        m = \varphi\, n\, \delta_g \frac{\ln(1 + F)}{\ln(1 + F_0)}\,
            1[t - t_0 < \ln u / \ln s], \qquad
        \Delta N = \varphi\, 52\, F\, b\, o\, \nu\, 1[t - t_0 < \ln u / \ln s]

    A visitor takes one seat there and one back, so a flight there and back brings as many
    visitors as an aircraft has seats in use.

    Parameters
    ----------
    survival
        Probability :math:`s` that the service is still flown a year later.
    lifetime
        Uniform number :math:`u` that fixes how long this draw's service lasts.
    weekly_flights, reference_flights
        Flights a week :math:`F`, and the number :math:`F_0` to which the cut refers.
    information_cut
        Cost :math:`n` removed on fully differentiated goods, share of delivered value.
    seats, occupancy
        Seats of an aircraft :math:`b`, and the share :math:`o` of them in use.
    new_visitors
        Share :math:`\nu` of the passengers who would not visit the partner otherwise.
    years_on
        Years since the service began :math:`t - t_0`.
    """
    flying = years_on < np.log(lifetime) / np.log(survival)
    frequency = np.log1p(weekly_flights) / np.log1p(reference_flights)
    cut = phase * flying * information_cut * frequency
    return Shock(information=economy.differentiated * economy.pair_flow * cut,
                 visitors=phase * flying * WEEKS * weekly_flights * seats * occupancy
                 * new_visitors)


def visits(economy: Economy, phase: Array, *, visitors: Array) -> Shock:
    r"""Bring visitors by land, with no change of what goods cost (equation L18).

    .. math:: \Delta N = \varphi\, V

    Parameters
    ----------
    visitors
        Visitors a year :math:`V` in both directions that there would not be otherwise.
    """
    return Shock(visitors=phase * visitors)


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
    """
    closed = economy.on_routes(routes) * phase * lasting(years_on, years) * closed_share
    stranded = stranded_share * reduce(np.add, economy.route_share * closed) * economy.pair_flow
    return Shock(closed=closed,
                 availability=np.maximum(np.log1p(-np.minimum(stranded, 0.99)), FLOOR))
