r"""What levers and events do to trade, and how several of them act together.

A shock is what one lever does if it works; `resolve` makes one change out of several. Each acts
on what the others leave, so that nothing is removed twice and no order matters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, entry, ratio, spread
from tradesim.economy.base_year import Economy
from tradesim.economy.routes import carriage, carried

NONE = spread(0.0)
NONE.setflags(write=False)

ROUTED = ("freight", "days", "closed")
"""Parts of a shock with an extra leading axis for routes."""

LASTING = ("origin", "friction", "closed", "demand", "price", "level", "quota_limit")
"""Parts of a shock that a closed corridor does not take away."""

FLOOR = float(np.log(0.01))
"""Log change of what is offered at which a flow counts as stopped: some always leaks."""

CONDITIONS = ("origin", "quota_limit")
"""Parts of a shock that say where others act and do nothing by themselves."""


def _none() -> Array:
    return NONE


@dataclass(frozen=True)
class Shock:
    r"""What a lever or an event does (equation 5); arrays in the order of `DIMS`.

    Attributes
    ----------
    duty
        Share of the duty removed, 0-1.
    rebate
        Other border tax no longer collected, share of value; a transfer, not a resource.
    freight, days
        Saved on each route (extra leading axis): USD per tonne, days; below zero for a loss.
    information
        Cost of information, standards and formalities removed, share of delivered value.
    payment
        Share of the friction of payments removed, 0-1.
    friction
        Friction of payments added, share of delivered value.
    haulage
        Cost of carriage saved by suppliers whose routes are not modelled, share of delivered
        value.
    closed
        Share of the year for which a route is closed (extra leading axis), 0-1.
    approval
        Share of supply not yet approved for a market that becomes approved, 0-1.
    origin
        One where the cut of duty reaches only goods that prove where they were made, else zero.
    demand
        Log change of demand for a group.
    supply
        Log change of supply by exporter, home producers included. Where supply is elastic at
        a given cost it is a change of the varieties offered.
    availability
        Log change of the varieties offered on one flow; a ban is negative.
    price
        Log change of the price in USD at which an exporter offers, home producers included.
    level
        Log change of the reference path itself.
    project
        Flow of given goods added to the pair's trade, USD a year.
    quota
        Share of the duty removed while a quota is not full; beyond it nothing of this is.
    quota_limit
        Joint sales of the group by the suppliers of a quota at which it is full, USD of that
        year, by importer and group; zero for no quota.
    visitors
        Visitors a year between the two countries that there would not be otherwise.
    """

    duty: Array = field(default_factory=_none)
    rebate: Array = field(default_factory=_none)
    freight: Array = field(default_factory=_none)
    days: Array = field(default_factory=_none)
    information: Array = field(default_factory=_none)
    payment: Array = field(default_factory=_none)
    friction: Array = field(default_factory=_none)
    haulage: Array = field(default_factory=_none)
    closed: Array = field(default_factory=_none)
    approval: Array = field(default_factory=_none)
    origin: Array = field(default_factory=_none)
    demand: Array = field(default_factory=_none)
    supply: Array = field(default_factory=_none)
    availability: Array = field(default_factory=_none)
    price: Array = field(default_factory=_none)
    level: Array = field(default_factory=_none)
    project: Array = field(default_factory=_none)
    quota: Array = field(default_factory=_none)
    quota_limit: Array = field(default_factory=_none)
    visitors: Array = field(default_factory=_none)

    def interrupted(self, economy: Economy, closed_share: Array) -> Shock:
        """Take away what a closed corridor stops: the share of the year, on the pair's flows.

        Other suppliers do not use the corridor and keep what the lever gives them. Visitors are
        of the pair alone.
        """
        on_pair = 1.0 - closed_share * economy.pair_flow
        on_routes = 1.0 - closed_share
        kept = {part.name: getattr(self, part.name) for part in fields(self)}
        return Shock(**{name: values if values is NONE or name in LASTING
                        else values * (on_routes if name in (*ROUTED, "visitors") else on_pair)
                        for name, values in kept.items()})


@dataclass(frozen=True)
class Change:
    r"""Joint effect of all shocks, order of `DIMS`.

    Attributes
    ----------
    log_cost
        Log change of delivered cost, duty included, :math:`\ln \hat c`.
    wedge
        Border tax still collected, share of value: the duty left less rebates.
    resource
        Change of real cost (freight, time, payments, information), share of delivered value
        before duty.
    formalities
        Part of it that is information, standards and formalities.
    preference
        Log change of border tax that the partner's goods of other origin do not share, by
        importer and group (equation O1).
    demand, supply, availability, price, level, project
        As in `Shock`, all shocks together; goods that become approved are varieties too.
    approval
        Log change of the supply that a market has approved, by flow.
    through_corridor
        Share of the pair's goods that takes routes of the shared corridor, by importer and
        group.
    rent
        Part of the price paid at the border that goes to holders of import licences under a
        quota, share of value.
    hauliers
        Freight saved on the pair's goods that stays with those who carry them, share of value.
    visitors
        As in `Shock`.
    freight, days, opened
        What each route saves, and the share of the year for which it is open; leading axis routes.
    """

    log_cost: Array
    wedge: Array = field(default_factory=_none)
    resource: Array = field(default_factory=_none)
    formalities: Array = field(default_factory=_none)
    preference: Array = field(default_factory=_none)
    demand: Array = field(default_factory=_none)
    supply: Array = field(default_factory=_none)
    availability: Array = field(default_factory=_none)
    price: Array = field(default_factory=_none)
    approval: Array = field(default_factory=_none)
    level: Array = field(default_factory=_none)
    project: Array = field(default_factory=_none)
    through_corridor: Array = field(default_factory=_none)
    rent: Array = field(default_factory=_none)
    hauliers: Array = field(default_factory=_none)
    visitors: Array = field(default_factory=_none)
    freight: Array = field(default_factory=_none)
    days: Array = field(default_factory=_none)
    opened: Array = field(default_factory=lambda: 1.0 + NONE)


Pulled = tuple[Array, Shock]
"""A switch (zero or one, by case and draw) and the shock it turns on."""


def resolve(economy: Economy, shocks: Iterable[Pulled], margin: Array = 1.0 + NONE,
            filled: Array = 1.0 + NONE) -> Change:
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
    pulled = list(shocks)

    def parts(name: str) -> Iterator[Array]:
        return (switch * values for switch, shock in pulled
                if (values := getattr(shock, name)) is not NONE)

    def summed(name: str) -> Array:
        return reduce(np.add, parts(name), NONE[None] if name in ROUTED else NONE)

    def left(name: str) -> Array:
        whole = 1.0 + (NONE[None] if name in ROUTED else NONE)
        return reduce(np.multiply, (1.0 - part for part in parts(name)), whole)

    known = 1.0 + NONE
    for switch, shock in pulled:
        if shock.information is not NONE:
            cut = np.minimum(ratio(shock.information, economy.nontariff), 1.0)
            known = known * (1.0 - switch * cut)
    approval = _approval(economy.access, left("approval"))
    friction = economy.payment_friction * economy.pair_flow
    paying = (friction + summed("friction")) * left("payment") - friction
    freight, days, opened = summed("freight"), summed("days"), left("closed")
    saved, through, hauliers = carried(economy, freight, days, opened)
    base = carriage(economy) * economy.pair_flow
    formalities = economy.nontariff * (known - 1.0)
    resource = (saved * economy.pair_flow / (1.0 + base) + formalities + paying
                - summed("haulage"))
    change = Change(
        log_cost=NONE, resource=resource, formalities=formalities, demand=summed("demand"),
        supply=summed("supply"), availability=np.maximum(summed("availability"), FLOOR) + approval,
        price=summed("price"), approval=approval, level=summed("level"),
        project=summed("project"), through_corridor=through, hauliers=hauliers,
        visitors=summed("visitors"), freight=freight, days=days, opened=opened)
    return at_border(economy, change, pulled, margin, filled)


def border_only(shocks: Iterable[Pulled]) -> list[Pulled]:
    """Switches with the parts of the shocks that `at_border` reads."""
    return [(switch, Shock(duty=shock.duty, quota=shock.quota, quota_limit=shock.quota_limit,
                           origin=shock.origin, rebate=shock.rebate)) for switch, shock in shocks
            if any(part is not NONE for part in (shock.duty, shock.quota, shock.rebate))]


def at_border(economy: Economy, change: Change, shocks: Iterable[Pulled],
              margin: Array = 1.0 + NONE, filled: Array = 1.0 + NONE) -> Change:
    """Put into a change what its shocks do at the border (taxes of equations 12 and Q1-Q2)."""
    pulled = border_only(shocks)
    limited = any(shock.quota is not NONE for _, shock in pulled)
    traced = any(shock.origin is not NONE for _, shock in pulled)
    flows = _taxed(economy, pulled)
    duty, resource = economy.duty, np.log1p(change.resource)
    old = _of_flows(duty, flows)
    keep, inside, rebated = 1.0 + NONE[0], 1.0 + NONE[0], NONE[0]
    for switch, shock in pulled:
        cut, quota, back = (_of_flows(part, flows)
                            for part in (shock.duty, shock.quota, shock.rebate))
        keep = keep * (1.0 - switch[0] * (cut + quota * margin[0]))
        rebated = rebated + switch[0] * back
        if limited:
            inside = inside * (1.0 - switch[0] * (cut + quota))
    new = old * keep - rebated
    tax = _with_flows(economy, duty, new, flows)
    rent = (_with_flows(economy, NONE, old * (keep - inside) * filled[0], flows) if limited
            else NONE)
    log_cost = resource + _with_flows(economy, NONE, np.log((1.0 + new) / (1.0 + old)), flows)
    preference = _preference(economy, tax, pulled, margin) if traced else NONE
    return replace(change, log_cost=log_cost, wedge=tax - rent, rent=rent, preference=preference)


Flows = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Places of importers and of exporters, one of each for a flow."""


def _taxed(economy: Economy, pulled: Iterable[Pulled]) -> Flows:
    """Flows whose border tax any shock changes; there are few of them."""
    found = np.zeros(economy.home.shape[:2], dtype=bool)
    for _, shock in pulled:
        for part in (shock.duty, shock.quota, shock.rebate):
            found |= np.any(part != 0.0, axis=tuple(range(2, part.ndim)))
    importers, exporters = np.nonzero(found)
    return importers, exporters


def _of_flows(values: Array, flows: Flows) -> Array:
    """Take single flows: they stand along the exporters, without an axis for importers."""
    importers, exporters = (places if size > 1 else np.zeros_like(places)
                            for places, size in zip(flows, values.shape, strict=False))
    return np.asarray(values[importers, exporters] if values.shape[:2] != (1, 1) else values[0])


def _with_flows(economy: Economy, values: Array, some: Array, flows: Flows) -> Array:
    """Give a copy of values for all flows with single ones in their places."""
    shape = np.broadcast_shapes(economy.home.shape, (1, 1, *some.shape[1:]), values.shape)
    whole = np.array(np.broadcast_to(values, shape))
    whole[flows] = some
    return whole


def _preference(economy: Economy, tax: Array, pulled: Iterable[Pulled], margin: Array) -> Array:
    """Log change of border tax that goods of other origin do not share (equation O1)."""
    own, duty = (entry(part, economy.pair_flow) for part in (tax, economy.duty))
    shared, rebated = 1.0 + NONE, NONE
    for switch, shock in pulled:
        cut, quota, proof, back = (entry(part, economy.pair_flow) for part in (
            shock.duty, shock.quota, shock.origin, shock.rebate))
        shared = shared * (1.0 - switch * (cut + quota * margin) * (1.0 - proof))
        rebated = rebated + switch * back
    other = duty * shared - rebated  # in this order: where nothing differs the ratio is just one
    return np.asarray(np.log((1.0 + own) / (1.0 + other)))


def _approval(access: Array, refused: Array) -> Array:
    """Log change of approved supply (equation 13); no market is closed to the last hundredth."""
    if refused is NONE or np.all(refused == 1.0):
        return NONE
    today = np.maximum(access, np.exp(FLOOR))
    return np.asarray(np.log1p((1.0 - today) * (1.0 - refused) / today))
