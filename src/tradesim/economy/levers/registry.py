r"""Kinds of lever: one small function each, from settings to a shock to trade costs.

A kind knows nothing of any country, group or route: those come with the lever's entry in
``levers.yaml``. Every function takes the economy, the strength :math:`\varphi` of the lever in
each draw and year, and keyword arguments that are both its structural names (``applies``) and
its settings. Units are those of the settings.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from tradesim.common.arrays import Array
from tradesim.economy.base_year import Economy
from tradesim.economy.levers import kinds_events, kinds_policy
from tradesim.economy.levers.duties import tariff_change
from tradesim.economy.quotas import with_quotas
from tradesim.economy.shocks import Shock

TIMING = ("start", "delay", "phase_in", "probability")
"""Settings that every lever has and no kind sees: they make the strength."""


def phase_in(years: Array, start: Array, length: Array) -> Array:
    r"""Give the strength of a lever over time, rising in a straight line (equation 19).

    .. math:: \varphi_t = \min\{1, \max\{0, (t + 1 - t_0) / L\}\}

    Parameters
    ----------
    years
        Calendar years.
    start
        Time :math:`t_0` at which the lever begins; fractions are parts of a year.
    length
        Years :math:`L \ge 1` until full strength; one means full in the first whole year.

    Returns
    -------
    numpy.ndarray
        Strength between zero and one.
    """
    return np.clip((years + 1.0 - start) / length, 0.0, 1.0)


def tariff_agreement(
    economy: Economy, phase: Array, *, lever: str, members: Sequence[str], partner: str,
    gated_groups: Sequence[str], nontariff_scopes: Sequence[str],
    scope: str, utilisation: Array, nontariff_cut: Array, calendar: Array,
) -> Shock:
    r"""Lower duties between one country and the members of a union (equation L1).

    .. math:: r = \varphi\, c_{jg}\, U, \qquad n = \varphi\, N\, c_{jg}

    Every member gets the same cut, so rivals inside the union keep their place. Of gated goods
    only what approved suppliers offer gains anything (`shocks.resolve`).

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    lever
        Name under which the table of coverage holds this agreement.
    members, partner
        The union's members and the country on the other side.
    gated_groups
        Groups whose access to the members needs approval of suppliers, not only a lower duty.
    nontariff_scopes
        Scopes of the agreement that also lower non-tariff costs.
    scope
        Which schedule: the coverage :math:`c` by importer and group.
    utilisation
        Share :math:`U` of eligible trade that claims the preference.
    nontariff_cut
        Cost :math:`N` removed on covered goods, share of delivered value.
    calendar
        Calendar years.

    Returns
    -------
    Shock
        Share of duty removed and information cost saved, and what quotas add (equation Q3).
    """
    inside = economy.mask("importer", [partner]) * economy.mask("exporter", members)
    outside = economy.mask("importer", members) * economy.mask("exporter", [partner])
    reach = phase * (inside + outside)
    covered = reach * economy.coverage(lever, scope)
    nontariff = nontariff_cut if scope in nontariff_scopes else 0.0
    made = Shock(duty=covered * utilisation, information=covered * nontariff,
                 gated=outside * economy.mask("group", gated_groups))
    return with_quotas(made, economy, lever, scope, reach, calendar)


def route_improvement(
    economy: Economy, phase: Array, *, route: str,
    km_saved: Array, usd_per_tonne_km: Array, speed_km_per_hour: Array,
) -> Shock:
    r"""Shorten one route: freight and days fall with the distance (equation L2).

    .. math:: f = \varphi\, K p, \qquad d = \varphi\, K / (24 v)

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    route
        The route that becomes shorter.
    km_saved
        Distance saved :math:`K`, km.
    usd_per_tonne_km
        Freight rate :math:`p`, USD per tonne-kilometre.
    speed_km_per_hour
        Speed with stops :math:`v`.

    Returns
    -------
    Shock
        Freight and days saved on the route.
    """
    strength = phase * economy.on_routes([route])
    return Shock(freight=strength * km_saved * usd_per_tonne_km,
                 days=strength * km_saved / speed_km_per_hour / 24.0)


def free_zone(
    economy: Economy, phase: Array, *, importers: Sequence[str], exporters: Sequence[str],
    groups: Sequence[str], regional_share: Array, uptake: Array, vat_rate: Array,
    vat_avoided: Array,
) -> Shock:
    r"""Open a zone that sells duty-free: relief on trade that passes through it (equation L3).

    .. math:: r = \varphi\, w s, \qquad b = \varphi\, w s\, V z

    Where no duty is left, as after a free-trade agreement, nothing of it is relieved.

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    importers, exporters, groups
        Country of the zone, suppliers that reach it, and goods that are sold there.
    regional_share
        Share :math:`w` of the flow that serves the region of the zone.
    uptake
        Share :math:`s` of that trade sold or processed in the zone.
    vat_rate
        Value-added tax at the border :math:`V`, share of value.
    vat_avoided
        Share :math:`z` of that tax which goods leaving the zone do not pay.

    Returns
    -------
    Shock
        Share of duty removed and tax not collected.
    """
    passing = (phase * regional_share * uptake * economy.mask("importer", importers)
               * economy.mask("exporter", exporters) * economy.mask("group", groups))
    return Shock(duty=passing, rebate=passing * vat_rate * vat_avoided)


def air_link(
    economy: Economy, phase: Array, *, survival: Array, lifetime: Array,
    weekly_flights: Array, reference_flights: Array, information_cut: Array, years_on: Array,
) -> Shock:
    r"""Fly directly: cheaper contacts for differentiated goods while it lasts (equation L4).

    .. math::

        m = \varphi\, n\, \delta_g \frac{\ln(1 + F)}{\ln(1 + F_0)}\,
            1[t - t_0 < \ln u / \ln s]

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    survival
        Probability :math:`s` that the service is still flown a year later.
    lifetime
        Uniform number :math:`u` that fixes how long this draw's service lasts.
    weekly_flights, reference_flights
        Flights a week :math:`F`, and the number :math:`F_0` to which the cut refers.
    information_cut
        Cost :math:`n` removed on fully differentiated goods, share of delivered value.
    years_on
        Years since the service began :math:`t - t_0`.

    Returns
    -------
    Shock
        Information cost saved on the pair's flows; zero for bulk goods.
    """
    flying = years_on < np.log(lifetime) / np.log(survival)
    frequency = np.log1p(weekly_flights) / np.log1p(reference_flights)
    cut = phase * flying * information_cut * frequency
    return Shock(information=cut * economy.differentiated * economy.pair_flow)


def border_facilitation(
    economy: Economy, phase: Array, *, routes: Sequence[str], rivals: Sequence[str],
    rival_importers: Sequence[str], crossing_hours_saved: Array, queue_days_saved: Array,
    fees_saved: Array, variability_premium: Array, rival_share: Array,
) -> Shock:
    r"""Make border crossings on some routes quicker, cheaper and more predictable (equation L5).

    .. math::

        d = \varphi\, \pi (H / 24 + Q), \qquad f = \varphi\, e, \qquad
        m_{rival} = \rho\,(g\,d + \kappa f / v)

    The posts are open to all: suppliers whose goods cross them on their own way gain too.

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
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

    Returns
    -------
    Shock
        Days and USD per tonne saved on the routes; for rivals, the same as a share of value.
    """
    days = phase * variability_premium * (crossing_hours_saved / 24.0 + queue_days_saved)
    fees = phase * fees_saved
    used = economy.on_routes(routes)
    rival = (rival_share * economy.mask("exporter", rivals)
             * economy.mask("importer", rival_importers))
    worth = economy.time_value * days + economy.pass_through * fees / economy.unit_value
    return Shock(freight=used * fees, days=used * days,
                 haulage=rival * (1.0 - economy.pair_flow) * worth)


KINDS: Mapping[str, Callable[..., Shock]] = {
    "tariff_agreement": tariff_agreement,
    "route_improvement": route_improvement,
    "free_zone": free_zone,
    "air_link": air_link,
    "border_facilitation": border_facilitation,
    "recognition": kinds_policy.recognition,
    "payment_relief": kinds_policy.payment_relief,
    "route_service": kinds_policy.route_service,
    "plants": kinds_policy.plants,
    "contacts": kinds_policy.contacts,
    "project": kinds_events.project,
    "route_closure": kinds_events.route_closure,
    "payment_friction": kinds_events.payment_friction,
    "supply_loss": kinds_events.supply_loss,
    "export_ban": kinds_events.export_ban,
    "currency_move": kinds_events.currency_move,
    "growth_path": kinds_events.growth_path,
    "tariff_change": tariff_change,
}

GIVEN = ("lever", "lifetime", "years_on", "calendar", "levels")
"""Arguments that the model supplies where a kind asks for them."""


@cache
def arguments(kind: str) -> tuple[str, ...]:
    """Names a lever of this kind must give, in ``applies`` or ``settings``."""
    parameters = inspect.signature(KINDS[kind]).parameters.values()
    return tuple(parameter.name for parameter in parameters
                 if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in GIVEN)
