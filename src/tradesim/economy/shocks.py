r"""What levers and events do to trade.

A shock is what one lever does if it works; `resolve.resolve` makes one change out of several.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tradesim.common.arrays import Array, spread

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
    by_route
        Share of each route in the pair's goods; leading axis routes.
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
    by_route: Array = field(default_factory=_none)
