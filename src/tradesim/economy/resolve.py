r"""How shocks act together: one change out of several.

Each shock acts on what the others leave, so that nothing is removed twice and no order matters.
Equations are written for rows: single flows and lines on which a shock acts (`packed.Places`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from tradesim.common.arrays import Array, ratio
from tradesim.economy.base_year import Economy
from tradesim.economy.packed import CELLS, Packed, Places, Rows
from tradesim.economy.routes import carriage, carried
from tradesim.economy.shocks import FLOOR, NONE, Change, Shock

Pulled = tuple[Array, Shock | Packed]
"""A switch (zero or one, by case and draw) and the shock it turns on."""

Together = Sequence[tuple[Array, Packed]]

Parts = Sequence[tuple[Array, Rows]]
"""The same part of several shocks, with their switches."""

ONE = 1.0 + NONE

COST = ("information", "payment", "friction", "haulage")
"""Parts that change the real cost of single flows."""

TAX = ("duty", "quota", "rebate")
"""Parts that change what is collected at the border."""

BORDER = (*TAX, "quota_limit", "origin")
"""Parts that say what happens at the border."""

ADDED = ("demand", "supply", "price", "level", "project", "visitors")
"""Parts that just add up."""


def resolve(economy: Economy, shocks: Iterable[Pulled], margin: Array = ONE,
            filled: Array = ONE) -> Change:
    r"""Combine the shocks of several levers into one change (equations 4-5 and 12-14).

    .. math::

        a' = 1 - (1 - a) \prod_l (1 - v_l), \qquad
        \tau' = \tau \prod_l (1 - r_l - \mu k_l) - \sum_l b_l, \qquad
        m' = m \prod_l (1 - n_l / m), \qquad
        h' = (h + \sum_l x_l) \prod_l (1 - y_l)

        \ln \hat c = \ln\frac{1 + \tau'}{1 + \tau}
            + \ln\Bigl(1 + \frac{\Delta}{1 + C} + (m' - m) + (h' - h) - \sum_l z_l\Bigr)

    with approvals :math:`v`, duty removed :math:`r`, rebates :math:`b`, the share :math:`k` that
    a quota removes on the margin :math:`\mu`, formalities removed :math:`n`, friction added
    :math:`x` and removed :math:`y`, the cost of carriage :math:`\Delta` (equation 6) over
    :math:`1 + C`, and carriage saved by others :math:`z`. Each lever acts on the duty, the
    formalities, the friction and the supply not approved that the others leave; routes add up
    what they save before goods choose among them, and only then are logs taken: the result does
    not depend on the order. What becomes approved is offered beside what is sold today,
    :math:`\ln(a'/a)` of varieties; goods sold today are approved and get every cut whole.

    Parameters
    ----------
    shocks
        Pairs of a switch and a shock.
    margin
        Part :math:`\mu` of a quota's relief that the marginal import gets: one while the quota
        is not full.
    filled
        Part of the imports that lies inside the quota: on it holders of licences earn what the
        marginal import pays.

    Returns
    -------
    Change
        By case, draw, year, importer, group and exporter.
    """
    pulled = [(switch, Packed.of(shock)) for switch, shock in shocks]
    shape = _shape(economy)
    freight, days = (_joint(_parts(pulled, name)) for name in ("freight", "days"))
    opened = _joint(_parts(pulled, "closed"), _left, 1.0 + NONE)
    saved, through, hauliers, by_route = carried(economy, freight, days, opened)
    resource, formalities = _real_cost(economy, pulled, shape, saved)
    every = np.broadcast_shapes(resource.shape, economy.home.shape,
                                *(switch.shape for switch, _ in pulled))
    resource = np.broadcast_to(resource, every)
    approval, availability = _offered(economy, pulled, shape)
    change = Change(
        log_cost=NONE, resource=resource, formalities=formalities, availability=availability,
        approval=approval, through_corridor=through, hauliers=hauliers, by_route=by_route,
        **{name: _joint(_parts(pulled, name)) for name in ADDED})
    return at_border(economy, change, pulled, margin, filled)


def _real_cost(economy: Economy, pulled: Together, shape: tuple[int, ...],
               saved: Array) -> tuple[Array, Array]:
    """Change of real cost, share of delivered value, and the part of it that is formalities."""
    information, payment, friction, haulage = parts = [_parts(pulled, name) for name in COST]
    on_pair = (economy.pair_flow != 0.0)[..., 0, 0, 0] & saved.any(axis=(-3, -2, -1))
    flows = Places.of(shape, [on_pair, *(rows for part in parts for _, rows in part)])
    carriage_saved = flows.take(economy.pair_flow) * flows.take(saved / (1.0 + carriage(economy)))

    nontariff = flows.take(economy.nontariff)
    known = _ones(flows, information, nontariff.shape[1:])
    for switch, rows in information:
        here, removed = flows.where(rows)
        known[here] *= 1.0 - switch[0, 0, 0] * np.minimum(ratio(removed, nontariff[here]), 1.0)
    formalities = nontariff * (known - 1.0)

    paid = flows.take(economy.payment_friction * economy.pair_flow)
    paying = (paid + _sum(flows, friction)) * _left(flows, payment) - paid
    resource = carriage_saved + formalities + paying - _sum(flows, haulage)
    return flows.put(resource), flows.put(formalities)


def _offered(economy: Economy, pulled: Together, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Log change of approved supply (equation 13), and of all varieties offered.

    No market is closed to the last hundredth.
    """
    approvals, offers = (_parts(pulled, name) for name in ("approval", "availability"))
    flows = Places.of(shape, [rows for _, rows in (*approvals, *offers)])
    today = np.maximum(flows.take(economy.access), np.exp(FLOOR))
    approved = np.log1p((1.0 - today) * (1.0 - _left(flows, approvals)) / today)
    offered = np.maximum(_sum(flows, offers), FLOOR) + approved
    return flows.put(approved) if approvals else NONE, flows.put(offered)


def at_border(economy: Economy, change: Change, shocks: Iterable[Pulled],
              margin: Array = ONE, filled: Array = ONE) -> Change:
    """Put into a change what its shocks do at the border (taxes of equations 12 and Q1-Q2)."""
    pulled = [(switch, Packed.of(shock)) for switch, shock in shocks]
    flows, old, rebated, new = _taxes(economy, pulled, margin)
    tax = flows.put(new, economy.duty)
    limited = _where(economy, pulled, ("quota",))
    rent = NONE if margin is ONE else limited.put(limited.take(economy.duty) * filled[0, 0] * (
        _kept(limited, pulled, margin) - _kept(limited, pulled, ONE)))
    preference = (_preference(economy, flows, pulled, margin, new, rebated)
                  if _parts(pulled, "origin") else NONE)
    return replace(change, log_cost=_delivered(change, flows, old, new),
                   wedge=tax if rent is NONE else tax - rent, rent=rent, preference=preference)


def log_cost(economy: Economy, change: Change, shocks: Iterable[Pulled], margin: Array) -> Array:
    """Log change of delivered cost, duty included, alone of what `at_border` finds."""
    pulled = [(switch, Packed.of(shock)) for switch, shock in shocks]
    flows, old, _, new = _taxes(economy, pulled, margin)
    return _delivered(change, flows, old, new)


def _taxes(economy: Economy, pulled: Together,
           margin: Array) -> tuple[Places, Array, Array, Array]:
    """Flows whose border tax changes: the duty on them, what is rebated, what is collected."""
    flows = _where(economy, pulled, TAX)
    old, rebated = flows.take(economy.duty), _sum(flows, _parts(pulled, "rebate"))
    return flows, old, rebated, old * _kept(flows, pulled, margin) - rebated


def _delivered(change: Change, flows: Places, old: Array, new: Array) -> Array:
    """Log change of delivered cost, from real cost and the tax on some flows before and after."""
    real = np.log1p(change.resource)
    return flows.put(flows.take(real) + np.log((1.0 + new) / (1.0 + old)), real)


def _where(economy: Economy, pulled: Together, names: Sequence[str]) -> Places:
    """Find the flows and lines on which any of some parts act."""
    return Places.of(_shape(economy), [rows for name in names for _, rows in _parts(pulled, name)])


def _kept(flows: Places, pulled: Together, margin: Array, *, unproven: bool = False) -> Array:
    """Share of the duty that is left; for goods made elsewhere where no origin is asked for."""
    kept = np.ones((1, 1, 1, 1))
    for switch, shock in pulled:
        duty, quota, origin = (shock.parts.get(name) for name in ("duty", "quota", "origin"))
        proof = flows.rows(origin) if unproven else 0.0
        if (duty is None and quota is None) or np.all(proof == 1.0):
            continue
        relief = flows.rows(duty)
        if quota is not None:
            relief = relief + flows.rows(quota) * margin[0, 0]
        if unproven:
            relief = relief * (1.0 - proof)
        kept = kept * (1.0 - switch[0, 0] * relief)
    return kept


def _preference(economy: Economy, flows: Places, pulled: Together, margin: Array, own: Array,
                rebated: Array) -> Array:
    """Log change of border tax that goods of other origin do not share (equation O1)."""
    pair = np.flatnonzero(flows.take(economy.pair_flow))
    own, rebated = (np.broadcast_to(rows, (len(flows.index), *rows.shape[1:]))[pair]
                    for rows in (own, rebated))
    flows = Places(flows.shape, flows.index[pair])
    # in this order: where nothing differs the ratio is just one
    other = (flows.take(economy.duty) * _kept(flows, pulled, margin, unproven=True) - rebated)
    importer, _, line = np.unravel_index(flows.index, flows.shape)
    into = (flows.shape[0], 1, flows.shape[2])
    place = np.ravel_multi_index((importer, np.zeros_like(importer), line), into)
    return Places(into, place).put(np.log((1.0 + own) / (1.0 + other)))


def _shape(economy: Economy) -> tuple[int, ...]:
    """Numbers of importers, exporters and lines."""
    return np.broadcast_shapes(economy.home.shape, economy.sales.shape)[:-CELLS]


def _parts(pulled: Together, name: str) -> Parts:
    """One part of all shocks that have it."""
    return [(switch, shock.parts[name]) for switch, shock in pulled if name in shock.parts]


def _ones(places: Places, parts: Parts, cells: tuple[int, ...] = (1, 1, 1)) -> Array:
    """One for each row; (row, case, year, draw)."""
    shapes = [shape[-CELLS:] for switch, rows in parts for shape in (switch.shape, rows.shape)]
    return np.ones((len(places.index), *map(max, zip(cells, *shapes, strict=True))))


def _sum(places: Places, parts: Parts) -> Array:
    """Add up what several shocks do to each row."""
    if not parts:
        return np.zeros((1, 1, 1, 1))
    if len(parts) == 1:
        return np.asarray(parts[0][0][0, 0] * places.rows(parts[0][1]))
    added = 0.0 * _ones(places, parts)
    for switch, rows in parts:
        here, values = places.where(rows)
        added[here] += switch[0, 0, 0] * values
    return added


def _left(places: Places, parts: Parts) -> Array:
    """Give what is left of each row when every shock takes its share of what others leave."""
    if not parts:
        return np.ones((1, 1, 1, 1))
    left = _ones(places, parts)
    for switch, rows in parts:
        here, values = places.where(rows)
        left[here] *= 1.0 - switch[0, 0, 0] * values
    return left


def _joint(parts: Parts, together: Callable[[Places, Parts], Array] = _sum,
           others: Array = NONE) -> Array:
    """Combine a part of all shocks, with those axes only along which it varies."""
    places = Places.among([rows for _, rows in parts])
    return places.put(together(places, parts), others)
