"""Shocks of every kind in the made-up world, and the accounts of what they do."""

from __future__ import annotations

import numpy as np

from tradesim.common.arrays import entry, spread
from tradesim.economy.accounts import Accounts
from tradesim.economy.adjustment import partial_adjust
from tradesim.economy.equilibrium import equilibrium, no_change
from tradesim.economy.levers.duties import free_zone, tariff_agreement
from tradesim.economy.levers.frictions import contacts, payment_relief, recognition
from tradesim.economy.levers.transport import (
    air_link,
    border_facilitation,
    route_improvement,
    route_service,
)
from tradesim.economy.packed import Packed
from tradesim.economy.resolve import resolve

EXACT = 1e-9  # relative, over sums of hundreds of terms
FULL = ON = spread(1.0)
ONE_COUNT = np.ones((2, 1, 1, 1, 1, 1, 1))  # both countries count alike


def account(*given, **named):
    """All accounts at once."""
    return Accounts(*given, **named).get()


def books(world, shocks, factor=ONE_COUNT, adjusted=True):
    """Levels, sales reached and accounts of some shocks over three years of growing strength."""
    levels = world.sales * np.exp(spread([0.0, 0.05, 0.1], "year"))
    strength = spread([0.3, 0.7, 1.0], "year")
    change = resolve(world, [(strength, shock) for shock in shocks])
    settled = equilibrium(world, levels, change)
    sales = settled.sales
    if adjusted:
        sales = partial_adjust(sales, world.first_year, world.speed)
    found = account(world, levels, factor, change, settled, sales,
                    reexports=reexported(world, change, settled, adjusted))
    return levels, change, settled, sales, found


def reexported(world, change, settled, adjusted=True):
    """Log change of the partner's sales of goods made elsewhere."""
    sales = entry(settled.sales, world.pair_flow) + world.lower * change.preference
    return partial_adjust(sales, world.first_year, world.speed) if adjusted else sales


def before_books(world, levels, factor=ONE_COUNT):
    return account(world, levels, factor, resolve(world, []), no_change(levels),
                   np.zeros_like(levels))


def pact(world, **changes):
    given = {"lever": "pact", "members": ["RIG", "UNI"], "partner": "LEF",
             "without": [], "scope": "narrow",
             "utilisation": spread(0.5), "nontariff_cut": spread(0.03),
             "other_members_share": spread(0.4), "calendar": spread(2015.0),
             "extra_goods": lambda strength, more: strength * more}
    return tariff_agreement(world, FULL, **(given | changes))


def fly(world, years_on=0.0, flights=2.0, lifetime=0.5, seats=100.0, occupancy=0.7,
        new_visitors=0.4):
    return air_link(world, FULL, survival=spread(0.8), lifetime=spread(lifetime),
                    weekly_flights=spread(flights), reference_flights=spread(2.0),
                    information_cut=spread(0.01), seats=spread(seats),
                    occupancy=spread(occupancy), new_visitors=spread(new_visitors),
                    years_on=spread(years_on))


def shocks_of(world, rng):
    """Give nine random shocks, one of each kind that makes trade cheaper."""
    def number(low, high):
        return spread(rng.uniform(low, high))
    return [
        pact(world, scope="wide", utilisation=number(0.2, 0.9)),
        route_improvement(world, number(0.3, 1), route="pass", km_saved=number(100, 800),
                          usd_per_tonne_km=number(0.05, 0.2), speed_km_per_hour=number(20, 40)),
        free_zone(world, FULL, importers=["LEF"], exporters=["RIG", "UNI"],
                  groups=["bread", "tools"],
                  regional_share=number(0.1, 0.4), uptake=number(0.1, 0.5),
                  vat_rate=number(0.1, 0.2), vat_avoided=number(0, 1)),
        fly(world, flights=rng.uniform(1, 7)),
        border_facilitation(world, FULL, routes=["pass", "ferry"], rivals=["UNI"],
                            rival_importers=["LEF"], rival_share=number(0, 0.3),
                            crossing_hours_saved=number(1, 12),
                            queue_days_saved=number(0, 2),
                            fees_saved=number(0, 20), variability_premium=number(1, 2)),
        recognition(world, FULL, importers=["RIG"], groups=["bread"], approval=number(0, 1),
                    nontariff_cut=number(0, 0.3), return_share=number(0, 1)),
        payment_relief(world, FULL, relieved_share=number(0, 1)),
        route_service(world, FULL, routes=["ferry"], rivals=["FAR"], rival_importers=["LEF"],
                      freight_cut=number(0, 0.3), crossings=number(1, 3),
                      hours_saved=number(0, 12), waiting_days_saved=number(0, 3),
                      rival_share=number(0, 0.1)),
        contacts(world, FULL, link_growth=number(0, 1), elasticity=number(0, 0.3)),
    ]


def settled_books(world, shocks):
    """Accounts where trade has settled, with all that went into them."""
    change = resolve(world, [(ON, shock) for shock in shocks])
    base = world.sales * np.exp(change.level)
    settled = equilibrium(world, base, change)
    found = account(world, world.sales, ONE_COUNT, change, settled, settled.sales + change.level)
    return change, base, settled, found


def interrupted(shock, world, share):
    """A shock while the shared corridor is closed for a share of the year."""
    return Packed.of(shock).interrupted(spread(share), world.pair_flow).whole()
