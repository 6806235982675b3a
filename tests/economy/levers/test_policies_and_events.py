"""Kinds of policy and of event against hand arithmetic, and the direction of each."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounted import interrupted
from made_up_world import make_economy
from tradesim.common.arrays import MILLION, spread, total
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.levers.frictions import (
    contacts,
    payment_friction,
    payment_relief,
    recognition,
)
from tradesim.economy.levers.macro import currency_move, growth_path
from tradesim.economy.levers.supply import export_ban, plants, project, supply_loss
from tradesim.economy.levers.timing import lasting, phase_in
from tradesim.economy.levers.transport import route_closure, route_service, visits
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import FLOOR, NONE, Shock

FULL = spread(1.0)
LEF, RIG, UNI, FAR = range(4)
BREAD, TOOLS, WOOL = range(3)
YEARS = np.arange(2025.0, 2036.0)
share = st.floats(0.0, 1.0)


def timed(begin, *, phase=1.0, years=YEARS):
    """Strength and years since the beginning, over the years."""
    return (spread(phase_in(years, begin, phase), "year"), spread(years - begin, "year"))


def acts(shock):
    """Names of the parts of a shock that are not untouched."""
    return {part.name for part in fields(Shock) if getattr(shock, part.name) is not NONE}


# Recognition (L6).

def recognise(world, phase=FULL, **changes):
    given = {"importers": ["RIG"], "groups": ["bread"], "approval": spread(0.4),
             "nontariff_cut": spread(0.05), "return_share": spread(0.25)}
    return recognition(world, phase, **(given | changes))


def test_recognition_by_hand(world):
    shock = recognise(world, spread(0.5))
    assert shock.approval[RIG, LEF, BREAD].item() == pytest.approx(0.5 * 0.4)
    assert shock.information[RIG, LEF, BREAD].item() == pytest.approx(0.5 * 0.05)
    assert shock.approval[LEF, RIG, BREAD].item() == pytest.approx(0.5 * 0.4 * 0.25)
    assert shock.approval.sum() == pytest.approx(0.5 * 0.4 * 1.25)  # no other flow or group
    assert not shock.approval[:, UNI:].any()


@given(share, share, share, share)
@settings(max_examples=30, deadline=None)
def test_more_recognition_is_never_less_trade(one, two, low, high):
    world = make_economy(3)
    small, large = sorted((one, two)), sorted((low, high))
    found = [resolve(world, [(FULL, recognise(world, approval=spread(a),
                                              nontariff_cut=spread(0.2 * n)))])
             for a, n in zip(small, large, strict=True)]
    assert (found[1].log_cost <= found[0].log_cost + 1e-12).all()
    assert (found[0].log_cost <= 1e-12).all()
    assert (found[1].availability >= found[0].availability - 1e-12).all()


def test_from_a_hundredth_of_the_plants_to_all_of_them_trade_moves_by_multiples(world):
    world = replace(world, access=1.0 - 0.99 * world.pair_flow,
                    sales=world.sales * (1.0 - 0.99 * world.pair_flow))  # a small supplier
    settled = equilibrium(world, world.sales, resolve(world, [(FULL, recognise(
        world, approval=spread(1.0), nontariff_cut=spread(0.0)))]))
    assert (np.exp(settled.sales[RIG, LEF, BREAD]) > 10.0).all()


# Payments (L7, L13).

def test_payments_by_hand(world):
    shock = payment_relief(world, spread(0.5), relieved_share=spread(0.4))
    assert shock.payment[LEF, RIG].item() == pytest.approx(0.2)
    assert not shock.payment[LEF, [LEF, UNI, FAR]].any()
    cost = resolve(world, [(FULL, shock)]).resource
    friction = np.broadcast_to(world.payment_friction[0, 0], cost[RIG, LEF].shape)
    np.testing.assert_allclose(cost[RIG, LEF], -0.2 * friction)


def sanction(world, friction=0.03, factor=1.5, years=2.0, begin=2028.0):
    phase, years_on = timed(begin)
    return payment_friction(world, phase, rivals=["UNI", "LEF"], rival_importers=["LEF"],
                            friction=spread(friction), rival_factor=spread(factor),
                            years=spread(years), years_on=years_on)


def test_sanctions_by_hand(world):
    added = sanction(world).friction[..., 0, :, 0]  # importer, exporter, group, year
    np.testing.assert_allclose(added[LEF, RIG, 0], 0.03 * np.isin(YEARS, (2028, 2029)))
    np.testing.assert_allclose(added[LEF, UNI, 0], 0.045 * np.isin(YEARS, (2028, 2029)))
    assert not added[RIG, UNI].any()
    assert not added[LEF, [LEF, FAR]].any()


@given(st.floats(0, 0.2), st.floats(0, 0.2), share)
@settings(max_examples=30, deadline=None)
def test_friction_costs_and_relief_gives_some_of_it_back(one, two, relief):
    world = make_economy(4)
    low, high = (sanction(world, friction) for friction in sorted((one, two)))
    cost = [resolve(world, [(FULL, shock)]).log_cost for shock in (low, high)]
    assert (cost[0] >= -1e-12).all()
    assert (cost[1] >= cost[0] - 1e-12).all()
    eased = resolve(world, [(FULL, high), (FULL, payment_relief(world, FULL,
                                                                relieved_share=spread(relief)))])
    assert (eased.log_cost <= cost[1] + 1e-12).all()


# A service on a route (L8) and a closed route (L12).

def serve(world, phase=FULL, **changes):
    given = {"routes": ["ferry"], "rivals": ["FAR"], "rival_importers": ["LEF"],
             "freight_cut": spread(0.1), "crossings": spread(2.0), "hours_saved": spread(6.0),
             "waiting_days_saved": spread(0.5), "rival_share": spread(0.05)}
    return route_service(world, phase, **(given | changes))


def test_service_by_hand(world):
    shock = serve(world, spread(0.5))
    np.testing.assert_allclose(shock.freight[1], 0.05 * world.freight[1])
    assert shock.days[1].item() == pytest.approx(0.5 * (2 * 6 / 24 + 0.5))
    assert not shock.freight[0].any()
    assert not shock.days[0].any()
    np.testing.assert_allclose(shock.haulage[LEF, FAR], (0.05 * 0.5 * world.time_value)[0, 0])
    assert not shock.haulage[RIG].any()
    assert not shock.haulage[LEF, :FAR].any()


@given(share, share, st.floats(0, 48), st.floats(0, 48))
@settings(max_examples=30, deadline=None)
def test_a_better_service_never_makes_trade_dearer(one, two, few, many):
    world = make_economy(5)
    costs = [resolve(world, [(FULL, serve(world, freight_cut=spread(cut),
                                          hours_saved=spread(hours)))]).log_cost
             for cut, hours in zip(sorted((one, two)), sorted((few, many)), strict=True)]
    assert (costs[1] <= costs[0] + 1e-12).all()


def close(world, closed=0.5, years=1.0, begin=2028.0, stranded=0.3):
    phase, years_on = timed(begin)
    return route_closure(world, phase, routes=["pass"], closed_share=spread(closed),
                         stranded_share=spread(stranded), years=spread(years), years_on=years_on)


def test_closure_by_hand(world):
    closed = close(world, years=1.5, begin=2027.5).closed
    expected = dict.fromkeys(YEARS, 0.0) | {2027: 0.25, 2028: 0.5}
    np.testing.assert_allclose(closed[0].ravel(), list(expected.values()))
    assert not closed[1].any()
    offered = close(world, years=1.5, begin=2027.5).availability
    np.testing.assert_allclose(offered[LEF, RIG, WOOL, 0, 3],
                               np.log(1 - 0.3 * 0.5 * world.route_share[0][LEF, 0, WOOL, 0, 0]))
    assert not offered[:, UNI:].any()
    assert not close(world, stranded=0.0).availability.any()


@given(share, share)
@settings(max_examples=30, deadline=None)
def test_a_longer_closure_is_never_better(one, two):
    world = make_economy(6)
    short, long = sorted((one, two))
    for name in ("closed", "years", "stranded"):
        sizes = {"closed": 0.5, "years": 1.0, "stranded": 0.3}
        less, more = (close(world, **sizes | {name: size}) for size in (short, long))
        assert (more.closed >= less.closed).all()
        assert (more.availability <= less.availability).all()
    assert (close(world, closed=1.0, stranded=1.0).availability >= FLOOR - 1e-12).all()


# The time an event lasts (20).

@pytest.mark.parametrize(("begin", "years", "expected"), [
    (2028.0, 1.0, {2028: 1}),
    (2028.0, 2.25, {2028: 1, 2029: 1, 2030: 0.25}),
    (2028.75, 0.1, {2028: 0.1}),
    (2028.75, 0.5, {2028: 0.25, 2029: 0.25}),
    (2028.0, 0.0, {}),
    (2024.5, 1.0, {2025: 0.5}),
])
def test_an_event_takes_its_share_of_each_year(begin, years, expected):
    phase, years_on = timed(begin)
    np.testing.assert_allclose((phase * lasting(years_on, spread(years))).ravel(),
                               [expected.get(year, 0.0) for year in YEARS], atol=1e-12)


@given(st.floats(2025, 2030), st.floats(0, 5))
@settings(max_examples=50, deadline=None)
def test_the_shares_of_the_years_add_up_to_the_length(begin, years):
    phase, years_on = timed(begin)
    assert (phase * lasting(years_on, spread(years))).sum() == pytest.approx(years, abs=1e-9)


# Plants (L9).

def build(world, phase=FULL, **changes):
    given = {"host": "LEF", "output_groups": ["tools"], "input_groups": ["wool"],
             "invested": spread(4.0), "output_per_usd": spread(0.5),
             "partner_share": spread(0.3), "home_share": spread(0.5), "input_share": spread(0.4),
             "input_partner_share": spread(0.25), "levels": world.sales}
    return plants(world, phase, **(given | changes))


def test_plants_by_hand(world):
    shock = build(world)
    sold, home = world.sales[RIG, LEF, TOOLS], world.sales[LEF, LEF, TOOLS]
    supply = np.log(1 + 2e6 * 0.7 * 0.5 / home)
    np.testing.assert_allclose(shock.supply[0, LEF, TOOLS], supply)
    np.testing.assert_allclose(shock.availability[RIG, LEF, TOOLS],
                               np.log(1 + 0.6e6 / sold) - supply)
    bought = total(world.sales, "exporter")[LEF, 0, WOOL]
    demand = np.log(1 + 0.8e6 / bought)
    np.testing.assert_allclose(shock.demand[LEF, 0, WOOL], demand)
    np.testing.assert_allclose(shock.availability[LEF, RIG, WOOL],
                               np.log(1 + 0.2e6 / world.sales[LEF, RIG, WOOL]) - demand)
    assert acts(shock) == {"supply", "demand", "availability"}
    assert not shock.supply[0, RIG:].any()
    assert not shock.demand[RIG].any()
    assert not shock.availability[:, UNI:].any()
    assert not shock.availability[:, :, BREAD].any()


def test_what_a_plant_offers_the_partner_is_what_it_sells_there(world):
    shock = build(world)
    offered = shock.supply[0, LEF, TOOLS] + shock.availability[RIG, LEF, TOOLS]
    grown = world.sales[RIG, LEF, TOOLS] * np.expm1(offered)
    np.testing.assert_allclose(grown, 0.3 * 4 * 0.5 * MILLION)


def test_money_is_split_among_groups_of_output(world):
    one, two = build(world), build(world, output_groups=["tools", "bread"])
    assert (two.supply[0, LEF, TOOLS] < one.supply[0, LEF, TOOLS]).all()
    assert (two.supply[0, LEF, BREAD] > 0).all()
    nothing = build(world, input_groups=[])
    assert not nothing.demand.any()


def test_a_flow_of_nothing_does_not_break_a_plant(world):
    empty = build(world, levels=0.0 * world.sales)
    assert all(np.isfinite(getattr(empty, name)).all() for name in acts(empty))


@given(st.floats(0, 50), st.floats(0, 50))
@settings(max_examples=30, deadline=None)
def test_more_money_makes_more_goods(one, two):
    world = make_economy(7)
    small, large = (build(world, invested=spread(money)) for money in sorted((one, two)))
    assert (large.supply >= small.supply).all()
    assert (large.demand >= small.demand).all()
    offered = [shock.supply[0, LEF, TOOLS] + shock.availability[RIG, LEF, TOOLS]
               for shock in (small, large)]
    assert (offered[1] >= offered[0] - 1e-12).all()


# Contacts (L10).

def test_contacts_by_hand(world):
    cut = contacts(world, spread(0.5), link_growth=spread(0.2), elasticity=spread(0.1)).information
    lower, differentiated = world.lower[0, 0, TOOLS], world.differentiated[0, 0, TOOLS]
    np.testing.assert_allclose(cut[LEF, RIG, TOOLS],
                               0.5 * differentiated * (1 - 1.2 ** (-0.1 / lower)))
    assert not cut[LEF, UNI].any()


@given(st.floats(0, 3), st.floats(0, 3), st.floats(0, 0.4), st.floats(0, 0.4))
@settings(max_examples=30, deadline=None)
def test_more_links_cut_more_cost_and_never_all(few, many, weak, strong):
    world = make_economy(8)
    cuts = [contacts(world, FULL, link_growth=spread(links), elasticity=spread(by)).information
            for links, by in zip(sorted((few, many)), sorted((weak, strong)), strict=True)]
    assert (cuts[1] >= cuts[0]).all()
    assert (cuts[0] >= 0).all()
    assert (cuts[1] < 1).all()


# Projects (L11).

def deliver(world, quantity=4.0, price=4e6, years=2.0, **more):
    phase, years_on = timed(2028.0)
    return project(world, phase, importer="LEF", group="tools", quantity=spread(quantity),
                   price=spread(price), years=spread(years), years_on=years_on,
                   **{key: spread(value) for key, value in more.items()})


def test_project_by_hand(world):
    value = deliver(world).project
    np.testing.assert_allclose(value[LEF, RIG, TOOLS, 0, :, 0],
                               16e6 * np.isin(YEARS, (2028, 2029)))
    assert value.sum() == pytest.approx(32e6)  # no other flow or group
    assert acts(deliver(world)) == {"project"}


def test_project_of_which_the_partner_buys_a_share_by_hand(world):
    value = deliver(world, partner_share=0.25, joint_quantity=50.0, joint_price=2e5).project
    assert value.sum() == pytest.approx(2 * 0.25 * (16e6 + 10e6))
    assert not deliver(world, partner_share=0.0).project.any()


def test_an_amount_without_a_price_is_a_value(world):
    phase, years_on = timed(2028.0)
    value = project(world, phase, importer="LEF", group="tools", quantity=spread(3e6),
                    years=spread(2.0), years_on=years_on).project
    assert value.sum() == pytest.approx(6e6)


@given(share, share, st.floats(0, 100), st.floats(0, 100))
@settings(max_examples=30, deadline=None)
def test_the_partner_buys_no_less_of_a_larger_share(one, two, few, many):
    world = make_economy(9)
    small, large = (deliver(world, partner_share=part, joint_quantity=joint, joint_price=1e5)
                    .project for part, joint in
                    zip(sorted((one, two)), sorted((few, many)), strict=True))
    assert (large >= small).all()
    assert (small >= 0.0).all()


# Visitors by land (L18).

def test_visits_by_hand(world):
    phase, _ = timed(2028.0, phase=2.0)
    shock = visits(world, phase, visitors=spread(1000.0))
    np.testing.assert_array_equal(shock.visitors[0, 0, 0, 0, 3:6, 0], [500.0, 1000.0, 1000.0])
    assert acts(shock) == {"visitors"}


def test_a_closed_corridor_stops_visitors_by_land(world):
    shock = interrupted(visits(world, FULL, visitors=spread(1000.0)), world, 0.25)
    assert shock.visitors.item() == 750.0  # one number of the pair, not one by market


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_more_visits_are_more_visitors(one, two):
    world = make_economy(9)
    few, many = (visits(world, FULL, visitors=spread(number)).visitors.item()
                 for number in sorted((one, two)))
    assert many >= few >= 0.0


def test_a_closed_corridor_stops_a_project(world):
    half = interrupted(deliver(world), world, 0.5)
    assert half.project.sum() == pytest.approx(16e6)


@given(st.floats(0, 1e3), st.floats(0, 1e3), st.floats(0, 5), st.floats(0, 5))
@settings(max_examples=30, deadline=None)
def test_a_larger_project_is_worth_more(few, many, short, long):
    world = make_economy(9)
    small, large = (deliver(world, quantity=goods, years=years).project for goods, years in
                    zip(sorted((few, many)), sorted((short, long)), strict=True))
    assert (large >= small).all()


# Losses of supply (L14) and bans (L15).

def lose(world, loss=0.2, recovery=4.0, begin=2028.0):
    phase, years_on = timed(begin)
    return supply_loss(world, phase, exporters=["LEF"], groups=["bread", "wool"],
                       loss=spread(loss), recovery=spread(recovery), years_on=years_on)


def test_loss_of_supply_by_hand(world):
    supply = lose(world).supply
    lost = dict.fromkeys(YEARS, 0.0) | {2028: 0.2, 2029: 0.15, 2030: 0.1, 2031: 0.05}
    np.testing.assert_allclose(supply[0, LEF, WOOL].ravel(), np.log1p([-x for x in lost.values()]))
    assert not supply[:, RIG:].any()
    assert not supply[:, :, TOOLS].any()
    late = lose(world, begin=2028.5).supply[0, LEF, WOOL].ravel()
    np.testing.assert_allclose(late[3:5], np.log1p([-0.1, -0.175]))  # half a year; 7/8 of it left


@given(share, share, st.floats(0.5, 10), st.floats(0.5, 10))
@settings(max_examples=30, deadline=None)
def test_a_larger_loss_leaves_less(one, two, quick, slow):
    world = make_economy(10)
    small, large = (lose(world, loss, recovery).supply for loss, recovery in
                    zip(sorted((one, two)), sorted((quick, slow)), strict=True))
    assert (large <= small + 1e-12).all()
    assert (small <= 0).all()
    assert (large >= FLOOR - 1e-12).all()


def ban(world, banned=0.5, years=0.5, groups="bread, wool"):
    phase, years_on = timed(2028.0)
    return export_ban(world, phase, exporter="RIG", groups=groups, banned_share=spread(banned),
                      years=spread(years), years_on=years_on)


def test_ban_by_hand(world):
    offered = ban(world).availability
    np.testing.assert_allclose(offered[LEF, RIG, BREAD].ravel(),
                               np.log(1 - 0.25 * (YEARS == 2028)))
    np.testing.assert_array_equal(offered[LEF, RIG, BREAD], offered[LEF, RIG, WOOL])
    assert not offered[LEF, RIG, TOOLS].any()
    assert not offered[RIG].any()
    assert not offered[:, UNI].any()
    assert ban(world, banned=1.0, years=1.0).availability.min() == pytest.approx(FLOOR)


@given(share, share)
@settings(max_examples=30, deadline=None)
def test_a_wider_ban_leaves_less(one, two):
    world = make_economy(11)
    narrow, wide = (ban(world, banned, 1.0).availability for banned in sorted((one, two)))
    assert (wide <= narrow + 1e-12).all()
    assert (narrow <= 0).all()


# Macro paths (L16, L17).

def fitted(world, draws=5):
    """Give the world a posterior: nominal GDP of both drives the flows, gamma differs."""
    rng = np.random.default_rng(1)
    posterior = {"elasticity_gdp": rng.uniform(0.3, 1.2, draws),
                 "elasticity_exchange_rate": rng.normal(0, 0.7, (draws, 2)),
                 "nominal": np.ones((draws, 2, 2)), "real": np.zeros((draws, 2, 2))}
    return replace(world, draws={**world.draws, **{f"posterior.{name}": values
                                                   for name, values in posterior.items()}})


def currency(world, country="RIG", loss=0.2, half_life=3.0, pass_through=0.6):
    phase, years_on = timed(2028.0)
    return currency_move(world, phase, country=country, depreciation=spread(loss),
                         half_life=spread(half_life), pass_through=spread(pass_through),
                         years_on=years_on)


def at_year(level, year):
    """Importer, exporter, draw in one year; every group alike."""
    return np.broadcast_to(level, (2, 4, 1, 1, len(YEARS), 5))[:, :, 0, 0, int(year - YEARS[0])]


@pytest.mark.parametrize(("country", "own"), [("LEF", LEF), ("RIG", RIG)])
def test_currency_by_hand(world, country, own):
    shock = currency(world, country)
    assert acts(shock) == {"price", "level", "demand"}
    paid = world.sales * (1.0 + world.duty)
    home = total(paid * world.home, "exporter", "group") / total(paid, "exporter", "group")
    for year, left in ((2028, 1.0), (2031, 0.5), (2034, 0.25)):
        move, when = left * np.log(0.8), int(year - YEARS[0])
        price = shock.price[0, :, 0, 0, when, 0]
        np.testing.assert_allclose(price, 0.6 * move * (np.arange(4) == own))
        here = at_year(shock.level, year)
        np.testing.assert_allclose(here[own], 0.4 * move)
        np.testing.assert_allclose(here[1 - own], 0.0)
        kept = 1.0 - (1.0 - world.demand) * home[own]
        np.testing.assert_allclose(shock.demand[own, 0, 0, 0, when],
                                   (kept * 0.6 * move).squeeze())
    assert not at_year(shock.level, 2027).any()


def test_a_third_countrys_currency_moves_only_its_prices(world):
    shock = currency(world, "UNI")
    assert shock.price[0, UNI].any()
    assert not shock.level.any()
    assert not shock.demand.any()


def moved(world, **settings):
    """Where trade settles the year after a currency fell, path included."""
    change = resolve(world, [(FULL, currency(world, **settings))])
    levels = world.sales * np.ones((1, 1, 1, 1, len(YEARS), 1))
    settled = equilibrium(world, levels * np.exp(change.level), change)
    return (settled.sales + change.level)[..., int(2028 - YEARS[0]), :]


def test_a_falling_currency_sells_more_and_buys_less(world):
    sales = moved(world)
    assert (sales[LEF, RIG] > 0).all()  # its exports rise
    assert (sales[LEF, [LEF, UNI, FAR]] <= 0).all()  # others lose to them
    assert (sales[RIG, [LEF, UNI, FAR]] < 0).all()  # and it imports less


def test_full_pass_through_is_a_change_of_unit_at_home(world):
    """Where home prices and incomes fall alike and nothing is imported, no quantity moves."""
    alone = replace(world, sales=world.sales * np.where(world.home > 0, 1.0, 1e-12))
    sales = moved(alone, pass_through=1.0)
    np.testing.assert_allclose(sales[RIG, RIG], np.log(0.8), atol=1e-9)


def test_what_is_spent_in_usd_falls_as_the_currency_does(world):
    """With one price for all goods the currency's loss is the loss of spending."""
    world = replace(world, demand=spread(0.7), duty=0.0 * world.duty)
    same = replace(world, sales=np.ones_like(world.sales))
    sales = np.exp(moved(same, pass_through=0.6))
    spending = sales[RIG].sum(axis=0) / 4.0
    np.testing.assert_allclose(np.log(spending), np.log(0.8), atol=0.02)


@given(st.floats(-0.5, 0.6), st.floats(-0.5, 0.6))
@settings(max_examples=15, deadline=None)
def test_a_larger_fall_sells_more(one, two):
    world = make_economy(12)
    small, large = (moved(world, loss=loss) for loss in sorted((one, two)))
    assert (large[LEF, RIG] >= small[LEF, RIG] - 1e-9).all()
    assert (large[RIG, FAR] <= small[RIG, FAR] + 1e-9).all()


def grow(world, first=0.01, second=0.02, years=3.0):
    phase, years_on = timed(2028.0)
    return growth_path(world, phase, growth_of_first=spread(first), growth_of_second=spread(second),
                       years=spread(years), years_on=years_on).level


def test_growth_by_hand(world):
    world = fitted(world)
    beta = world.draws["posterior.elasticity_gdp"]
    level = grow(world)
    for year, steps in ((2027, 0), (2028, 1), (2029, 2), (2030, 3), (2033, 3)):
        here = at_year(level, year)
        np.testing.assert_allclose(here[LEF, RIG], beta * 0.03 * steps)
        np.testing.assert_allclose(here[RIG, LEF], beta * 0.03 * steps)
        np.testing.assert_allclose(here[LEF, FAR], 0.01 * steps)
        np.testing.assert_allclose(here[RIG, RIG], 0.02 * steps)


@given(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1))
@settings(max_examples=30, deadline=None)
def test_more_growth_means_more_trade(one, two):
    world = fitted(make_economy(13))
    slow, fast = (grow(world, rate, rate) for rate in sorted((one, two)))
    assert (fast >= slow - 1e-12).all()
