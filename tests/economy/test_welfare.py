"""Gains by who has them and by what causes them: adding up, small changes, pure transfers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from accounted import EXACT, ON, ONE_COUNT, account, books, settled_books, shocks_of
from made_up_world import make_economy
from tradesim.common.arrays import entry, spread, total
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import NONE, Shock
from tradesim.economy.welfare import CAUSES, buyers, surplus

GAINS = tuple(f"gain_{cause}" for cause in CAUSES)
THIRD = 1e-4
"""Relative error of a second-order formula at the small steps used here."""


def everything(world, rng):
    """Shocks of cost, and of demand, supply and varieties."""
    def number(scale, *dims):
        sizes = {"importer": 2, "exporter": 4, "group": 3}
        return spread(rng.normal(0.0, scale, [sizes[dim] for dim in dims]), *dims)

    abroad = 1.0 - world.home
    others = Shock(demand=number(0.1, "importer", "group"),
                   supply=number(0.1, "exporter", "group"),
                   availability=number(0.2, "importer", "exporter", "group") * abroad,
                   level=number(0.1, "importer") * world.pair_flow)
    return [*shocks_of(world, rng), others]


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_causes_add_up_to_the_buyers_gain(seed, more):
    world = make_economy(seed)
    rng = np.random.default_rng(seed)
    shocks = everything(world, rng) if more else shocks_of(world, rng)
    change, base, settled, found = settled_books(world, shocks)
    spending = total(base * (1.0 + world.duty), "exporter") * np.exp(change.demand)
    area = total(-surplus(spending, settled.price, 1.0 - world.demand), "group")
    scale = sum(np.abs(found[name]) for name in GAINS)
    assert (np.abs(found["consumer_surplus"] - area[:, 0, 0]) <= EXACT * scale).all()
    assert (np.abs(sum(found[name] for name in GAINS) - area[:, 0, 0]) <= EXACT * scale).all()


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_parts_add_up_to_welfare_over_the_years(seed):
    world = make_economy(seed)
    *_, found = books(world, shocks_of(world, np.random.default_rng(seed)))
    before = account(world, world.sales * np.exp(spread([0.0, 0.05, 0.1], "year")), ONE_COUNT,
                     *idle(world))["tariff_revenue"]
    parts = sum(found[name] for name in (*GAINS, "producer_surplus", "exporter_surplus",
                                         "quota_rent", "tariff_revenue")) - before
    np.testing.assert_allclose(found["welfare"], parts, rtol=EXACT,
                               atol=EXACT * np.abs(found["consumer_surplus"]).max())


def idle(world):
    from tradesim.economy.equilibrium import no_change

    levels = world.sales * np.exp(spread([0.0, 0.05, 0.1], "year"))
    return resolve(world, []), no_change(levels), np.zeros_like(levels)


def test_causes_that_do_not_act_gain_nothing(world):
    _, _, _, found = settled_books(world, [Shock(duty=spread(0.3) * (1 - world.home))])
    assert not found["gain_resource"].any()
    assert not found["gain_choice"].any()
    assert (found["gain_tax"] > 0).all()
    _, _, _, found = settled_books(world, [Shock(freight=np.stack([spread(40.0)] * 2))])
    assert not found["gain_tax"].any()
    assert (found["gain_resource"] > 0).all()


def test_causes_of_a_large_change_are_those_of_its_small_steps():
    """Second route: gain by cause summed along a path of ever stronger shocks.

    Prices move from old to new in many steps; each step's gain of a cause is spending times the
    cause's change. One step of the whole gives nearly the same split and exactly the same sum.
    """
    world = elastic(make_economy(5))
    shock = Shock(duty=spread(0.5) * (1 - world.home), freight=np.stack([spread(30.0)] * 2))
    change = resolve(world, [(ON, shock)])
    settled = equilibrium(world, world.sales, change)
    whole = {cause: total(gain, "group") for cause, gain in
             buyers(world, world.sales, change, settled).items()}
    real = np.log1p(change.resource)
    tax = change.log_cost - real
    sums = dict.fromkeys(("resource", "tax"), 0.0)
    knots, weights = np.polynomial.legendre.leggauss(12)
    for knot, weight in zip(knots, weights, strict=True):
        way = 0.5 * (knot + 1.0)
        part = replace(change, log_cost=way * change.log_cost)
        sales = equilibrium(world, world.sales, part).sales
        paid = world.sales * (1 + world.duty) * np.exp(sales + part.log_cost) * (1 - world.home)
        for name, cause in (("resource", real), ("tax", tax)):
            sums[name] = sums[name] - 0.5 * weight * total(paid * cause, "exporter", "group")
    for name in sums:
        np.testing.assert_allclose(whole[name], sums[name], rtol=0.02)
    np.testing.assert_allclose(whole["resource"] + whole["tax"], sums["resource"] + sums["tax"],
                               rtol=1e-7)


def elastic(world):
    """The same world with given prices everywhere: home and foreign supply without limit."""
    return replace(world, home_supply=spread(1e12), inverse_supply=0.0 * world.inverse_supply)


@given(st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_net_gain_of_a_small_duty_cut_is_the_triangle(seed):
    """Harberger: mean of the old and new duty times what is bought anew, at given prices."""
    world = elastic(make_economy(seed))
    rng = np.random.default_rng(seed)
    cut = spread(rng.uniform(0.005, 0.01, (2, 4, 3)), "importer", "exporter", "group")
    change, _, settled, found = settled_books(world, [Shock(duty=cut * (1 - world.home))])
    bought = world.sales * np.expm1(settled.sales) * (1 - world.home)
    triangle = total(0.5 * (world.duty + change.wedge) * bought, "exporter", "group")[:, 0, 0]
    np.testing.assert_allclose(found["welfare"], triangle, rtol=THIRD)


def test_net_gain_of_a_cut_to_zero_for_one_good_by_quadrature(world):
    """One group, one supplier, no home goods: the area under the demand curve, less transfers."""
    one = spread([[0.0, 1.0, 0, 0], [1.0, 0, 0, 0]], "importer", "exporter")
    world = replace(elastic(world), sales=world.sales * one)
    change, _, _, found = settled_books(world, [Shock(duty=spread(1.0) * (1 - world.home))])
    duty, sales = (total(values * one, "exporter") for values in (world.duty, world.sales))
    expected = np.zeros_like(found["welfare"])
    for j in range(2):
        for d in range(found["welfare"].shape[-1]):
            for g in range(3):
                t, v = duty[j, 0, g, 0, 0, d], sales[j, 0, g, 0, 0, d]
                power = world.demand.ravel()[d]
                area, _ = quad(lambda p, e=power, t=t: (p / (1 + t)) ** -e - 1.0, 1.0, 1.0 + t)
                expected[j, 0, 0, d] += v * area
    np.testing.assert_allclose(found["welfare"], expected, rtol=1e-8)
    assert not change.wedge.any()


def test_a_pure_transfer_has_no_net_gain(world):
    """Where nothing reacts, what buyers save is what the treasury loses."""
    flat = spread(0.15) * (1 - world.home)
    world = replace(elastic(world), duty=flat, sales=world.sales * (1 - world.home),
                    demand=spread(np.zeros(5), "draw"))
    _, _, _, found = settled_books(world, [Shock(duty=spread(0.6) * (1 - world.home))])
    lost = 0.6 * total(world.sales * world.duty, "exporter", "group")[:, 0, 0]
    np.testing.assert_allclose(found["gain_tax"], lost, rtol=EXACT)
    np.testing.assert_allclose(found["welfare"], 0.0, atol=EXACT * lost.max())


@given(st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_home_prices_move_money_between_neighbours(seed):
    """What home producers lose by a lower price, buyers at home gain, to second order."""
    world = make_economy(seed)
    shocks = [Shock(duty=0.01 * shock.duty, freight=0.01 * shock.freight)
              for shock in shocks_of(world, np.random.default_rng(seed))]
    _, _, settled, found = settled_books(world, shocks)
    at_stake = np.abs(found["producer_surplus"])
    net = np.abs(found["producer_surplus"] + found["gain_home_price"])
    assert (net <= np.abs(settled.home_price).max() ** 2 * at_stake.max()).all()


def test_resource_cost_saved_without_duties_is_the_whole_gain(world):
    world = replace(elastic(world), duty=0.0 * world.duty)
    _, _, _, found = settled_books(world, [Shock(freight=np.stack([spread(40.0)] * 2))])
    np.testing.assert_allclose(found["welfare"], found["gain_resource"], rtol=1e-6)


def test_wider_choice_gains_like_a_lower_price(world):
    """n varieties for one are worth a price lower by ln n over the elasticity less one."""
    world = elastic(world)
    pair = world.pair_flow
    _, _, _, wider = settled_books(world, [Shock(availability=0.2 * pair)])
    change = resolve(world, [])
    same = replace(change, log_cost=-0.2 * pair / (world.lower - 1.0))
    settled = equilibrium(world, world.sales, same)
    lower = account(world, world.sales, ONE_COUNT, same, settled, settled.sales)
    np.testing.assert_allclose(wider["gain_choice"], lower["consumer_surplus"], rtol=EXACT)
    assert not wider["gain_tax"].any()


def test_more_supply_is_a_gain_to_those_who_supply(world):
    """Area beside the shifted supply curve, less the area beside the old one."""
    left_wool = spread([0.0, 0.0, 1.0], "group") * spread([1.0, 0, 0, 0], "exporter")
    _, _, settled, found = settled_books(world, [Shock(supply=0.1 * left_wool)])
    sold = total(world.sales * (1 - world.home), "importer")[0, 0, 2]
    home = entry(world.sales, world.home)[0, 0, 2]
    for value, price, supply, name in (
            (sold, settled.supplier_price[0, 0, 2], 1.0 / world.inverse_supply[0, 0, 2],
             "exporter_surplus"),
            (home, settled.home_price[0, 0, 2], world.home_supply[0, 0, 2], "producer_surplus")):
        value, price, supply = (np.broadcast_to(one, (1, 1, 5)).ravel()
                                for one in (value, price, supply))
        more = 1.4 * 0.1 if name == "exporter_surplus" else 0.1  # 1.4 at home and abroad for one
        areas = [np.exp(more) * quad(lambda x, n=n: x**n, 0, np.exp(p))[0]
                 - quad(lambda x, n=n: x**n, 0, 1)[0]
                 for p, n in zip(price, supply, strict=True)]
        own = value * np.array(areas)
        if name == "exporter_surplus":
            np.testing.assert_allclose(found[name][0].ravel(), own, rtol=1e-7)
        else:
            others = total(entry(world.sales * np.expm1(settled.sales), world.home)
                           / (1 + world.home_supply), "group")[0].ravel()
            wool = entry(world.sales * np.expm1(settled.sales), world.home)[0, 0, 2].ravel() / (
                1 + supply)
            np.testing.assert_allclose(found[name][0].ravel() - (others - wool), own, rtol=1e-6)


def test_rent_of_a_quota_stays_in_the_country(world):
    change, base, settled, found = settled_books(world, shocks_of(world,
                                                                  np.random.default_rng(1)))
    inside = 0.4 * change.wedge * spread([1.0, 0.0, 0.0], "group")
    kept = replace(change, wedge=change.wedge - inside, rent=inside)
    again = account(world, world.sales, ONE_COUNT, kept, settled, settled.sales)
    np.testing.assert_allclose(again["quota_rent"] + again["tariff_revenue"],
                               found["tariff_revenue"], rtol=EXACT)
    assert (again["quota_rent"] > 0).all()
    np.testing.assert_allclose(again["welfare"], found["welfare"], rtol=EXACT)
    assert base.shape == world.sales.shape


def test_a_shift_of_the_path_alone_is_no_gain(world):
    _, _, _, found = settled_books(world, [Shock(level=0.3 * world.pair_flow)])
    for name in (*GAINS, "producer_surplus", "exporter_surplus", "welfare"):
        np.testing.assert_allclose(found[name], 0.0, atol=1e-3)  # of USD millions
    before = account(world, world.sales, ONE_COUNT, resolve(world, []),
                     *idle_now(world))
    np.testing.assert_allclose(found["turnover"], np.exp(0.3) * before["turnover"], rtol=EXACT)


def idle_now(world):
    from tradesim.economy.equilibrium import no_change

    return no_change(world.sales), np.zeros_like(world.sales)


@pytest.mark.parametrize("name", GAINS)
def test_nothing_changes_nothing_is_gained(world, name):
    _, _, _, found = settled_books(world, [Shock()])
    assert NONE.size == 1
    assert not found[name].any()
