r"""Levers on duties and taxes at the border: agreements, zones, changes by formula.

The four ways to change a rate, their names and their effect are those of the tariff tools of the
World Integrated Trade Solution. Rates are shares of value: a duty of five per cent is 0.05.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tradesim.common.arrays import DIMS, Array, axis, ratio, spread
from tradesim.common.errors import InputError, Problem
from tradesim.economy.base_year import Economy
from tradesim.economy.quotas import with_quotas
from tradesim.economy.shocks import NONE, Shock

METHODS = ("new_rate", "maximum_rate", "linear_cut", "swiss_formula")
GIVEN_COEFFICIENT, WEIGHTED_AVERAGE = "given", "weighted_average"



def tariff_agreement(
    economy: Economy, phase: Array, *, lever: str, members: str | Sequence[str], partner: str,
    without: str | Sequence[str], scope: str, utilisation: Array, calendar: Array,
    extra_goods: Callable[[Array, Array], Array], nontariff_cut: Array = NONE,
    other_members_share: Array = NONE, new_goods: Array = NONE,
) -> Shock:
    r"""Lower duties between one country and the members of a union (equation L1).

    .. math:: r = \varphi\, c_{jg}\, U, \qquad
        n = \varphi\, N\, c_{jg}\, z_g\, \pi_{ij}, \qquad
        \pi_{ij} = \begin{cases} 1 & \text{between the pair} \\ \rho & \text{else}
        \end{cases}

    Every member gets the same cut of duty, so rivals inside the union keep their place; it
    reaches only goods with a certificate of origin.

    Parameters
    ----------
    lever
        Name under which the table of coverage holds this agreement.
    members, partner
        The union's members and the country on the other side.
    without
        Groups that the agreement leaves out.
    scope
        Which schedule: the coverage :math:`c` by importer and group.
    utilisation
        Share :math:`U` of eligible trade that claims the preference.
    calendar
        Calendar years.
    nontariff_cut
        Cost :math:`N` removed on covered goods that need certificates (the share :math:`z` of
        a group), share of delivered value.
    other_members_share
        Part :math:`\rho` of it for members other than the pair's own.
    new_goods
        Share by which new goods arrive more often in the pair's trade (equation N4).
    extra_goods
        Log rise of the pair's flows by the goods that arrive besides.
    """
    members, left_out = _names(members), _names(without)
    inside = economy.mask("importer", [partner]) * economy.mask("exporter", members)
    outside = economy.mask("importer", members) * economy.mask("exporter", [partner])
    goods = (inside + outside) * (1.0 - economy.mask("group", left_out))
    covered = goods * economy.coverage(lever, scope)
    close = economy.pair_flow + (1.0 - economy.pair_flow) * other_members_share
    cut = covered * nontariff_cut * economy.certified * close
    arrived = extra_goods(phase, new_goods) if new_goods.any() else NONE
    offered = economy.pair_flow * (goods > 0.0)
    made = Shock(duty=covered * utilisation * phase, information=cut * phase if cut.any() else NONE,
                 origin=inside + outside,
                 availability=arrived * offered if arrived.any() else NONE)
    return with_quotas(made, economy, lever, scope, goods, phase, calendar)


def free_zone(
    economy: Economy, phase: Array, *, importers: Sequence[str], exporters: Sequence[str],
    groups: Sequence[str], regional_share: Array, uptake: Array, vat_rate: Array,
    vat_avoided: Array,
) -> Shock:
    r"""Open a zone that sells duty-free: relief on trade that passes through it (equation L3).

    .. math:: r = \varphi\, w s, \qquad b = \varphi\, w s\, V z

    Where no duty is left, as after a free-trade agreement, nothing of it is relieved. What is
    sold in the zone is relieved wherever it was made, so no certificate of origin is asked for.

    Parameters
    ----------
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
    """
    sold = (economy.mask("importer", importers) * economy.mask("exporter", exporters)
            * economy.mask("group", groups))
    passing = phase * regional_share * uptake
    return Shock(duty=passing * sold, rebate=passing * vat_rate * vat_avoided * sold)


def new_rate(old: Array, rate: Array) -> Array:
    r"""Put one rate in the place of all: :math:`t_1 = r` (equation T1), above or below the old."""
    return np.broadcast_arrays(rate, old)[0].copy()


def maximum_rate(old: Array, cap: Array) -> Array:
    r"""Bring rates above a maximum down to it: :math:`t_1 = \min\{t_0, m\}` (equation T2)."""
    return np.minimum(old, cap)


def linear_cut(old: Array, cut: Array) -> Array:
    r"""Cut every rate by the same share: :math:`t_1 = (1 - k)\,t_0` (equation T3)."""
    return np.asarray(old * (1.0 - cut))


def swiss_formula(old: Array, coefficient: Array) -> Array:
    r"""Cut high rates by more than low ones: :math:`t_1 = a t_0 / (a + t_0)` (equation T4).

    Parameters
    ----------
    old
        Rate before.
    coefficient
        Coefficient :math:`a \ge 0` in the unit of the rates; no new rate is above it. Zero
        ends all duty.
    """
    return old * ratio(coefficient, old + coefficient)


def swiss_coefficient(old: Array, weight: Array, cut: Array) -> Array:
    r"""Coefficient with which the Swiss formula cuts the average rate by a given share.

    .. math:: (T5)\;\; \sum_k w_k \frac{a t_k}{a + t_k} = (1 - k) \sum_k w_k t_k

    Parameters
    ----------
    old
        Rates :math:`t_k`, one row each, by any number of cases; shape (rate, case).
    weight
        Weights :math:`w_k \ge 0`: ones for the simple average, imports for the trade-weighted
        one; shape of `old`.
    cut
        Share :math:`0 < k < 1` by which the average is to fall; shape (case,).

    Returns
    -------
    numpy.ndarray
        Coefficient :math:`a` of each case; zero where there is no duty to cut.

    Notes
    -----
    With one rate alone :math:`a = t(1-k)/k`; with several, the root lies between the values for
    the lowest and the highest rate, which bracket it.
    """
    from scipy.optimize import elementwise  # a fifth of a second, only where it is asked for

    old, weight = (np.asarray(np.broadcast_to(part, old.shape), dtype=float)
                   for part in (old, weight))
    cut = np.broadcast_to(np.asarray(cut, dtype=float), old.shape[1:])
    counts = (old > 0.0) & (weight > 0.0)
    place = np.flatnonzero(counts.any(axis=0))
    rates, heavy, left = old[:, place], weight[:, place] * counts[:, place], 1.0 - cut[place]
    heavy = heavy / (heavy * rates).sum(axis=0)

    def gap(coefficient: Array, case: Array) -> Array:
        at = case.astype(int)
        return np.asarray((heavy[:, at] * swiss_formula(rates[:, at], coefficient)).sum(axis=0)
                          - left[at])

    alone = left / (1.0 - left)
    low = np.where(counts[:, place], rates, np.inf).min(axis=0, initial=np.inf) * alone
    high = np.where(counts[:, place], rates, 0.0).max(axis=0, initial=0.0) * alone
    found = np.zeros(old.shape[1:])
    if place.size:
        edge = 1e-9  # equal rates: the two ends are one, and rounding must not move the root out
        ends = (low * (1.0 - edge), high * (1.0 + edge))
        found[place] = elementwise.find_root(gap, ends, args=(np.arange(place.size),)).x
    return found


def tariff_change(
    economy: Economy, phase: Array, *, importers: str | Sequence[str],
    exporters: str | Sequence[str], groups: str | Sequence[str], method: str, rate: Array,
    cap: Array, cut: Array, coefficient: Array, coefficient_from: str, target_average_cut: Array,
    utilisation: Array,
) -> Shock:
    r"""Change the duties of importers on chosen suppliers' goods in one of the four ways.

    .. math:: (T6)\;\; \tau = p\,t_0, \qquad \tau_1 = p\,f(t_0), \qquad
        r = \varphi\, U\,(1 - \tau_1 / \tau)

    The formula acts on the statutory rate :math:`t_0`; the duty collected before and after is
    the share :math:`p` of it that the base year has (`Economy.duty_paid`).

    Parameters
    ----------
    importers, exporters, groups
        Whose duties, on whose goods, of which groups; names, or a text of names with commas.
        All suppliers of an importer make it a change of the most-favoured-nation duty; some
        of them a preference, which asks for a certificate of origin.
    method
        One of `METHODS`.
    rate, cap, cut
        New rate, maximum rate, share cut.
    coefficient
        Coefficient of the Swiss formula, share of value.
    coefficient_from
        Whether that coefficient is ``given``, or solved so that the ``simple_average`` or the
        ``weighted_average`` of each importer's chosen rates falls by `target_average_cut`.
    target_average_cut
        Share by which that average is to fall.
    utilisation
        Share :math:`U` of the trade that gets the new rate; one where it needs no certificate
        of origin.

    Raises
    ------
    InputError
        When a new rate is asked for where the base year has no duty that could be raised.
    """
    chosen = (economy.mask("importer", _names(importers)) * economy.mask(
        "exporter", _names(exporters)) * economy.mask("group", _names(groups)))
    chosen = chosen * (1.0 - economy.home)
    old = ratio(economy.duty, economy.duty_paid)
    if method == "new_rate":
        _nothing_to_raise(economy, chosen, rate)
        new = new_rate(old, rate)
    elif method == "maximum_rate":
        new = maximum_rate(old, cap)
    elif method == "linear_cut":
        new = linear_cut(old, cut)
    else:
        if coefficient_from != GIVEN_COEFFICIENT:
            traded = economy.sales if coefficient_from == WEIGHTED_AVERAGE else 1.0
            coefficient = _solved(old, chosen * traded, target_average_cut)
        new = swiss_formula(old, coefficient)
    foreign = {*economy.pair.exporters} - {*_names(exporters)}
    some = chosen * np.any(economy.mask("exporter", [*foreign]) * (1.0 - economy.home),
                           axis=axis("exporter"), keepdims=True)
    return Shock(duty=phase * utilisation * chosen * (1.0 - ratio(new, old, 1.0)),
                 origin=some if some.any() else NONE)


def _names(names: str | Sequence[str]) -> list[str]:
    parts = names.split(",") if isinstance(names, str) else names
    return [part.strip() for part in parts if part.strip()]


def _solved(old: Array, weight: Array, cut: Array) -> Array:
    """Coefficient by importer and draw."""
    shape = np.broadcast_shapes(old.shape, weight.shape, cut.shape)
    importers, draws = shape[axis("importer")], shape[axis("draw")]

    def flat(values: Array) -> Array:
        cells = np.moveaxis(np.broadcast_to(values, shape), axis("importer"), -2)
        return cells.reshape(-1, importers * draws)

    found = swiss_coefficient(flat(old), flat(weight), flat(cut)[0])
    return spread(found.reshape(importers, draws), "importer", "draw")


def _nothing_to_raise(economy: Economy, chosen: Array, rate: Array) -> None:
    """Refuse a new rate on goods that enter free: a share of no duty is no duty."""
    free = (chosen > 0.0) & ~np.any(economy.duty > 0.0, axis=axis("draw"), keepdims=True)
    if not (np.any(rate > 0.0) and free.any()):
        return
    pair = economy.pair
    names = {"importer": pair.importers, "exporter": pair.exporters, "group": pair.lines}
    cells = np.argwhere(free)[:, :len(names)]
    told = [", ".join(names[dim][at] for dim, at in zip(DIMS, cell, strict=False))
            for cell in cells]
    raise InputError([Problem("scenario", "tariff_change.rate", "there is no duty in the base "
                              f"year that a new rate could replace: {cell}",
                              "leave them out, or take maximum_rate") for cell in told])
