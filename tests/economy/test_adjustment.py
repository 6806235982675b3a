"""What bites at once and what is adjusted to, closures of routes, and joint resolution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_up_world import make_economy
from tradesim.common.arrays import spread
from tradesim.common.errors import ConvergenceError
from tradesim.common.parallel import by_block
from tradesim.economy.adjustment import at_once, partial_adjust, settle
from tradesim.economy.equilibrium import _shifts, equilibrium
from tradesim.economy.resolve import resolve
from tradesim.economy.routes import CLOSED, carried, through_corridor
from tradesim.economy.shocks import FLOOR, Change, Shock

ON = spread(1.0)
EXACT = 1e-12
LEF, RIG, UNI, FAR = range(4)
YEARS = 5


def over_time(*values):
    return spread(np.array(values, dtype=float), "year")


def by_route(*values):
    return np.stack([spread(float(value)) for value in values])


def yearly(world):
    return world.sales * np.ones((1, 1, 1, 1, YEARS, 1))


def outcome(world, shock, *, fast=False, **more):
    return settle(world, yearly(world), [(ON, shock)], at_once=[fast], **more)


# Paths that bite at once.

def test_at_once_falls_now_and_recovers_by_the_speed():
    path = at_once(over_time(-0.5, -0.5, 0.0, 0.0, -0.3), spread(0.4)).ravel()
    np.testing.assert_allclose(path, [-0.5, -0.5, -0.3, -0.18, -0.3], atol=EXACT)


def test_at_once_crosses_zero_at_once_and_forgets_at_speed_one():
    path = at_once(over_time(-0.5, 0.2, 0.1, 0.0, 0.0), spread(0.5)).ravel()
    np.testing.assert_allclose(path, [-0.5, 0.2, 0.15, 0.075, 0.0375], atol=EXACT)
    goal = over_time(0.3, -0.1, 0.0, 0.4, 0.1)
    np.testing.assert_allclose(at_once(goal, spread(1.0)), goal, atol=EXACT)


def test_a_sudden_shock_is_felt_whole_in_its_year_and_a_lever_is_not(world):
    phase = over_time(0, 1, 1, 1, 1)
    ban = Shock(availability=-0.7 * phase * world.pair_flow)
    sudden, gradual = outcome(world, ban, fast=True), outcome(world, ban)
    np.testing.assert_array_equal(sudden.settled.sales, gradual.settled.sales)
    assert not sudden.lasting.any()
    now, later = sudden.path(world), gradual.path(world)
    pair = np.broadcast_to(world.pair_flow > 0, now.shape)
    np.testing.assert_allclose(now[pair], sudden.settled.sales[pair], atol=EXACT)
    assert (later[:, :, :, :, 1][pair[:, :, :, :, 1]]
            > now[:, :, :, :, 1][pair[:, :, :, :, 1]]).all()


def test_a_sudden_shock_that_ends_is_forgotten_by_the_speed(world):
    ban = Shock(availability=-0.7 * over_time(1, 0, 0, 0, 0) * world.pair_flow)
    path = outcome(world, ban, fast=True).path(world)[..., 1:, :]
    fallen = outcome(world, ban, fast=True).path(world)[..., :1, :]
    left = (1.0 - world.speed) ** over_time(1, 2, 3, 4)
    assert np.abs(fallen * world.pair_flow).max() > 0.1
    np.testing.assert_allclose(path, fallen * left, rtol=1e-9, atol=EXACT)


def test_levers_beside_a_sudden_shock_are_still_adjusted_to(world):
    cut = Shock(duty=0.5 * over_time(1, 1, 1, 1, 1) * world.pair_flow)
    nothing = Shock(availability=0.0 * over_time(0, 0, 0, 0, 0) * world.pair_flow)
    levels = yearly(world)
    alone = settle(world, levels, [(ON, cut)], at_once=[False]).path(world)
    beside = settle(world, levels, [(ON, cut), (ON, nothing)], at_once=[False, True]).path(world)
    np.testing.assert_allclose(beside, alone, atol=EXACT)
    expected = partial_adjust(equilibrium(world, levels, resolve(world, [(ON, cut)])).sales,
                              world.first_year, world.speed)
    np.testing.assert_allclose(alone, expected, atol=EXACT)


# The path itself.

def test_a_shock_to_the_path_moves_sales_by_itself_and_prices_not_at_all(world):
    rise = Shock(level=0.3 * world.mask("importer", ["LEF"]))
    found = outcome(world, rise)
    np.testing.assert_allclose(found.path(world)[0], 0.3, atol=EXACT)
    assert not found.path(world)[1].any()
    assert not found.settled.price.any()


def test_more_through_the_corridor_loses_more_when_it_closes(world):
    road = Shock(freight=by_route(80, 0) * over_time(1, 1, 1, 1, 1))
    exposed = over_time(0, -0.5, 0, 0, 0)
    found = outcome(world, road, exposed=exposed)
    share = found.change.through_corridor / through_corridor(world, by_route(0, 0),
                                                             by_route(0, 0))
    assert (share > 1.0).all()
    expected = exposed * (share - 1.0) * world.pair_flow
    np.testing.assert_allclose(found.change.level, expected, atol=EXACT)
    assert (found.change.level[0, RIG, :, :, 1] < 0.0).all()


def test_goods_without_a_route_on_the_corridor_are_not_exposed(world):
    away = replace(world, corridor=np.zeros_like(world.corridor))
    exposed = over_time(0, -0.5, 0, 0, 0)
    found = outcome(away, Shock(freight=by_route(80, 0) * over_time(1, 1, 1, 1, 1)),
                    exposed=exposed)
    assert not found.change.level.any()
    assert np.isfinite(found.settled.sales).all()


# Routes that close (equation 6 with the share of the year for which each is open).

def test_a_closed_route_costs_minus_log_of_what_is_left(world):
    cost = carried(world, by_route(0, 0), by_route(0, 0), by_route(0, 1))[0]
    left = world.route_share[1] + CLOSED * world.route_share[0]
    np.testing.assert_allclose(cost, -np.log(left) / world.route_choice, atol=EXACT)


def test_without_choice_a_closure_stops_and_with_perfect_choice_it_costs_nothing(world):
    closing = by_route(0, 0), by_route(0, 0), by_route(0.5, 1)
    rigid = carried(replace(world, route_choice=spread(1e-3)), *closing)[0]
    assert (rigid > 50.0).all()  # no other route will do
    supple = carried(replace(world, route_choice=spread(1e9)), *closing)[0]
    np.testing.assert_allclose(supple, 0.0, atol=1e-8)


def test_a_closure_diverts_to_the_open_route(world):
    before = through_corridor(world, by_route(0, 0), by_route(0, 0))
    np.testing.assert_allclose(before, world.route_share[0], atol=EXACT)
    after = through_corridor(world, by_route(0, 0), by_route(0, 0), by_route(0.5, 1))
    half = 0.5 * world.route_share[0]
    np.testing.assert_allclose(after, half / (half + world.route_share[1]), atol=EXACT)


@given(st.integers(0, 10_000), st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=25, deadline=None)
def test_the_longer_a_closure_the_less_trade(seed, one, two):
    world = make_economy(seed)
    less, more = sorted((one, two))
    short, long = (resolve(world, [(ON, Shock(closed=by_route(share, 0)))]).log_cost
                   for share in (less, more))
    assert (long[0, RIG] >= short[0, RIG] - EXACT).all()
    assert not long[:, FAR].any()


# Joint resolution.

def test_formalities_are_not_removed_twice(world):
    everything = Shock(information=10.0 * (1.0 - world.home))
    half = Shock(information=0.5 * world.nontariff * (1.0 - world.home))
    one, both = resolve(world, [(ON, everything)]), resolve(world, [(ON, everything), (ON, half)])
    np.testing.assert_array_equal(one.log_cost, both.log_cost)
    np.testing.assert_allclose(np.expm1(one.log_cost[0, UNI]), -world.nontariff[0, 0], atol=EXACT)


def test_payments_lift_part_of_what_there_is_and_of_what_sanctions_add(world):
    sanctions = Shock(friction=0.05 * world.pair_flow)
    relief = Shock(payment=0.4 * world.pair_flow)
    found = resolve(world, [(ON, sanctions), (ON, relief)]).resource[0, RIG]
    base = world.payment_friction[0, 0]
    np.testing.assert_allclose(found, np.broadcast_to(0.6 * (base + 0.05) - base, found.shape),
                               atol=EXACT)


def test_what_becomes_approved_is_offered_beside_what_is_sold_today(world):
    approve = Shock(approval=0.5 * world.pair_flow)
    cut = Shock(duty=world.pair_flow)
    found = resolve(world, [(ON, cut), (ON, approve), (ON, approve)])
    after = 1.0 - 0.25 * (1.0 - world.access)
    np.testing.assert_allclose(found.availability[0, RIG], np.log(after / world.access)[0, RIG],
                               atol=EXACT)
    assert not found.availability[0, UNI].any()
    assert not found.wedge[0, RIG].any()  # goods sold today get the whole cut


def test_a_market_that_approved_nobody_opens_from_the_last_hundredth(world):
    shut = replace(world, access=1.0 - world.pair_flow)
    found = resolve(shut, [(ON, Shock(approval=world.pair_flow))])
    np.testing.assert_allclose(found.availability[0, RIG], -FLOOR, atol=EXACT)


def test_approved_goods_in_short_supply_lower_its_offer_by_hand(world):
    """Where supply is finite its curve moves too: at unchanged prices a'/a times as much."""
    opened = resolve(world, [(ON, Shock(approval=0.5 * world.pair_flow))])
    gain = opened.approval[1, LEF, 2]
    shifts = _shifts(world, opened, None)
    np.testing.assert_allclose(shifts["offer"][0, LEF, 2],
                               -(gain * world.inverse_supply[0, LEF, 2]), atol=EXACT)
    assert not shifts["home_offer"].any()


def some_shocks(world, rng):
    def share(low=0.1, high=0.9):
        return rng.uniform(low, high, world.sales.shape)
    pair = world.pair_flow
    return [Shock(duty=share() * pair, information=0.1 * share() * pair),
            Shock(approval=share() * pair, information=0.1 * share() * pair),
            Shock(payment=share() * pair), Shock(friction=0.1 * share() * pair),
            Shock(freight=by_route(60, 10), days=by_route(2, 0)),
            Shock(closed=by_route(0.4, 0.0)), Shock(closed=by_route(0.3, 0.2)),
            Shock(availability=-share() * pair, supply=0.2 * share(), price=-0.1 * share()[:1]),
            Shock(level=0.1 * share(), project=1e6 * pair, demand=0.1 * share()[:, :1])]


@given(st.integers(0, 10_000), st.permutations(range(9)), st.integers(2, 9))
@settings(max_examples=40, deadline=None)
def test_the_order_of_shocks_does_not_matter(seed, order, used):
    world = make_economy(seed)
    shocks = some_shocks(world, np.random.default_rng(seed))
    pulled = [(ON, shocks[place]) for place in order[:used]]
    forward, backward = resolve(world, pulled), resolve(world, pulled[::-1])
    for name in ("log_cost", "wedge", "resource", "demand", "supply", "availability", "price",
                 "approval", "level", "project", "through_corridor"):
        np.testing.assert_allclose(getattr(forward, name), getattr(backward, name), atol=1e-9)


def test_a_ban_leaks(world):
    banned = resolve(world, [(ON, Shock(availability=-50.0 * world.pair_flow))]).availability
    assert banned.min() == pytest.approx(FLOOR)


def test_a_closure_takes_effect_through_wages_and_spending(world):
    def rise(economy, change):
        assert not change.log_cost.any()
        return nominal(0.1)

    found = settle(world, yearly(world), [(ON, Shock(duty=0.0 * world.pair_flow))],
                   at_once=[False], closure=rise)
    np.testing.assert_allclose(found.settled.price, 0.1, atol=1e-10)


def nominal(rise):
    from tradesim.economy.equilibrium import Macro

    return Macro(wage=spread(rise), spending=spread(rise), price_level=spread(rise),
                     real_income=spread(0.0))


def test_goods_of_a_ban_come_from_others(world):
    ban = Change(np.zeros_like(world.sales), availability=-0.7 * world.pair_flow)
    sales = equilibrium(world, world.sales, ban).sales
    assert (sales[0, RIG] < 0.0).all()
    assert (sales[0, FAR] > 0.0).all()


def test_an_unsolved_market_is_named_by_its_draw_among_all(world):
    cost = np.zeros(world.sales.shape)
    cost[0, RIG, 1, 0, 0, 3] = np.nan

    def work(rows):
        part = {"sales": world.sales, "cost": cost} if rows.start else {
            "sales": world.sales, "cost": 0.0 * np.nan_to_num(cost)}
        return equilibrium(world, part["sales"], Change(part["cost"]))

    with pytest.raises(ConvergenceError, match=r"did not converge in draw 8; largest"):
        by_block(work, 10, 5)  # fourth draw of the second block of five


def test_many_unsolved_draws_are_counted():
    error = ConvergenceError("the markets", 0.5, range(12)).moved(lambda draw: draw + 100)
    assert str(error) == ("the markets did not converge in draws 100, 101, 102, 103, 104, 105, "
                          "106, 107, 108, 109 and 2 more; largest residual 0.5")
