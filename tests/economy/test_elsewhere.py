"""Third markets against a root finder, and who shares whose duties; services; hauliers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from accounted import ONE_COUNT, account, books, pact, settled_books
from made_up_world import make_economy
from tradesim.common.arrays import spread
from tradesim.economy.elsewhere import elsewhere, growth, third_duties
from tradesim.economy.equilibrium import no_change
from tradesim.economy.resolve import resolve
from tradesim.economy.routes import carried
from tradesim.economy.services import services
from tradesim.economy.shocks import Shock

ON = spread(1.0)
LEF, RIG, UNI, FAR = range(4)


def settled_at_once(world):
    return replace(world, first_year=spread(1.0), speed=spread(1.0))


def test_a_third_market_clears_at_the_exporters_new_price():
    world = settled_at_once(make_economy(4))
    change = resolve(world, [(ON, pact(world, scope="wide"))])
    found = elsewhere(world, growth(world, world.sales), change)
    draw, value, gain = 2, 0.0, 0.0
    old, new = third_duties(world, change)
    for group in range(3):
        at = np.s_[LEF, UNI, group, 0, 0, draw]
        omega = world.lower[0, 0, group, 0, 0, draw]
        sold, home = world.other_sales[at], world.sales[LEF, LEF, group, 0, 0, draw]
        at_home = world.home_supply[0, 0, group, 0, 0, draw]
        eta = at_home + (at_home + world.demand[0, 0, 0, 0, 0, draw]) * home / sold
        tax = (1.0 + new[at]) / (1.0 + old[at])
        price = brentq(lambda w, eta=eta, tax=tax, omega=omega:
                       w**eta - (w * tax) ** -omega, 0.5, 2.0, xtol=1e-14)
        value += sold * price ** (1.0 + eta)
        gain += sold * (price ** (1.0 + eta) - 1.0) / (1.0 + eta)
    before = world.other_sales[LEF, UNI, :, 0, 0, draw].sum()
    moved = found.exports[LEF, UNI, 0, 0, 0, draw] - 150e6
    assert moved == pytest.approx(value - before, rel=1e-9)
    assert found.surplus[LEF, 0, 0, 0, 0, draw] == pytest.approx(gain, rel=1e-9)
    assert moved > 0.0


def test_only_markets_with_the_rules_of_a_member_cut_their_duties(world):
    change = resolve(world, [(ON, pact(world, scope="wide"))])
    grown = growth(world, world.sales)
    found, idle = (elsewhere(world, grown, part) for part in (change, resolve(world, [])))
    moved = found.exports - idle.exports
    assert (moved[LEF, UNI] > 0.0).all()
    assert not moved[LEF, FAR].any()
    assert not moved[RIG].any()  # members sell to each other free of duty already
    assert not idle.surplus.any()
    assert not idle.duty_saved.any()


@given(st.integers(0, 1000))
def test_duty_saved_is_shared_and_never_less_than_the_exporters_gain(seed):
    world = settled_at_once(make_economy(seed))
    change = resolve(world, [(ON, pact(world, scope="wide"))])
    found = elsewhere(world, growth(world, world.sales), change)
    assert (found.duty_saved[LEF] >= found.surplus[LEF]).all()
    assert (found.surplus[LEF] > 0.0).all()


def test_exports_and_shares_add_up(world):
    *_, found = books(world, [pact(world, scope="wide")])
    np.testing.assert_allclose(found["export_share"].sum(axis=1), 1.0, rtol=1e-12)
    partner = np.stack([found["exports"][LEF, RIG], found["exports"][RIG, LEF]])
    flow = found["trade"].sum(axis=2)  # count, importer, ...
    np.testing.assert_allclose(partner, np.stack([flow[1, RIG], flow[0, LEF]]), rtol=1e-12)
    abroad = found["imports"].sum(axis=1) - np.stack(
        [found["imports"][LEF, LEF], found["imports"][RIG, RIG]])
    whole = found["exports"].sum(axis=1) + abroad
    turnover = np.stack([found["turnover"][1], found["turnover"][0]])
    np.testing.assert_allclose(found["trade_share"] * whole, turnover, rtol=1e-12)


def test_services_by_hand(world):
    growth = spread([1.5, 2.0], "importer")
    found = services(world, growth, spread(0.0))
    draws = world.draws
    by_hand = (draws["services.tourism.LEF.RIG.price"] * draws["services.tourism.LEF.RIG.quantity"]
               * 2.0 + draws["services.tourism.LEF.all.price"]
               * draws["services.tourism.LEF.all.quantity"])
    np.testing.assert_allclose(found[0, LEF, 0, 0, 0, 0], by_hand, rtol=1e-12)


def test_services_are_counted_at_prices_of_the_base_year(world):
    """Sales to the partner grow by real growth: nominal growth less the rise of prices."""
    later = world.sales * spread([2.0, 2.0], "year")  # GDP in dollars doubles and stays there
    found = account(world, later, ONE_COUNT, resolve(world, []), no_change(later),
                    np.zeros_like(later))["services"]
    draws, rise = world.draws, 1.0 + world.draws["discount.inflation"]
    sold = draws["services.tourism.RIG.LEF.price"] * draws["services.tourism.RIG.LEF.quantity"]
    for year in (0, 1):
        prices = rise ** (world.begins + year)
        np.testing.assert_allclose(found[0, RIG, 0, year], sold * 2.0 / prices, rtol=1e-12)


def test_visitors_of_a_lever_spend_half_on_each_side(world):
    growth, draws = spread([1.5, 2.0], "importer"), world.draws
    more = services(world, growth, spread(800.0)) - services(world, growth, spread(0.0))
    own = draws["services.tourism.RIG.LEF.price"]
    np.testing.assert_allclose(more[0, RIG, 0, 0, 0, 0], 400.0 * own, rtol=1e-9)


def test_services_are_no_part_of_turnover(world):
    levels = world.sales
    idle = account(world, levels, ONE_COUNT, resolve(world, []), no_change(levels),
                   np.zeros_like(levels))
    more = {name: 2.0 * value if name.startswith("services") else value
            for name, value in world.draws.items()}
    other = account(replace(world, draws=more), levels, ONE_COUNT, resolve(world, []),
                    no_change(levels), np.zeros_like(levels))
    np.testing.assert_array_equal(idle["turnover"], other["turnover"])
    assert (other["services"] > idle["services"]).all()


def test_hauliers_keep_what_does_not_reach_the_buyer(world):
    one = replace(world, route_share=np.stack([spread(1.0), spread(0.0)]))
    freight = np.stack([spread(20.0), spread(0.0)])
    none = np.zeros_like(freight)
    change, _, kept, _ = carried(one, freight, none)
    np.testing.assert_allclose(kept - change, 20.0 / world.unit_value * np.ones_like(kept),
                               rtol=1e-12)
    *_, found = settled_books(world, [Shock(freight=freight)])
    assert (found["haulier_gain"] > 0.0).all()
