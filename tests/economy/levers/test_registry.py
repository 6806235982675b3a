"""Each kind of lever against hand arithmetic, its direction, and joint resolution."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounted import fly, interrupted, pact, shocks_of
from made_up_world import PAIR, make_economy
from tradesim.common.arrays import spread
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.economy.levers.duties import free_zone
from tradesim.economy.levers.frictions import payment_friction, payment_relief
from tradesim.economy.levers.registry import GIVEN, KINDS, NAMES, arguments, check_levers
from tradesim.economy.levers.supply import export_ban, plants, project, supply_loss
from tradesim.economy.levers.timing import TIMING, phase_in
from tradesim.economy.levers.transport import border_facilitation, route_closure, route_improvement
from tradesim.economy.resolve import resolve
from tradesim.economy.routes import carriage, carried
from tradesim.economy.shocks import CONDITIONS, NONE, Shock
from tradesim.inputs.levers import Choice, read_levers
from tradesim.inputs.pair import read_pair

EXACT = 1e-12
made = partial(SimpleNamespace, follows="")
FULL = spread(1.0)
ON = spread(1.0)
LEF, RIG, UNI, FAR = range(4)


def test_phase_in_is_a_straight_line():
    years = np.arange(2026.0, 2032)
    np.testing.assert_allclose(phase_in(years, 2027.0, 4.0), [0, 0.25, 0.5, 0.75, 1, 1])
    np.testing.assert_allclose(phase_in(years, 2027.5, 1.0), [0, 0.5, 1, 1, 1, 1])
    assert phase_in(2030.0, 2027.0, 5.0) == pytest.approx(0.8)  # a plain number is enough


def test_agreement_by_hand(world):
    duty = pact(world).duty
    coverage = world.coverage("pact", "narrow")
    assert duty[0, RIG, 1, 0, 0, 0] == pytest.approx(0.5 * coverage[0, 0, 1, 0, 0, 0])
    assert duty[1, LEF, 1, 0, 0, 2] == pytest.approx(0.5 * coverage[1, 0, 1, 0, 0, 2])


def test_every_member_gets_the_same_cut_and_outsiders_none(world):
    duty = pact(world).duty
    np.testing.assert_array_equal(duty[0, RIG], duty[0, UNI])
    assert not duty[:, FAR].any()
    assert not duty[1, UNI].any()  # inside the union nothing changes


def test_other_costs_fall_by_group_and_partner(world):
    cut = pact(world).information
    by_group = 0.03 * world.coverage("pact", "narrow") * world.certified
    np.testing.assert_allclose(cut[0, RIG], by_group[0, 0])
    np.testing.assert_allclose(cut[0, UNI], 0.4 * by_group[0, 0])
    np.testing.assert_allclose(cut[1, LEF], by_group[1, 0])
    assert not cut[:, FAR].any()
    bulk = replace(world, certified=world.certified * world.mask("group", ["wool"]))
    assert not pact(bulk).information[:, :, :2].any()  # bread and tools need no certificate here
    assert pact(world, nontariff_cut=spread(0.0)).information is NONE


def test_members_and_groups_of_an_agreement_can_be_chosen(world):
    some = pact(world, members="UNI", without="tools, wool")
    for part in (some.duty, some.information):
        assert part[0, UNI, 0].all()
        assert not part[0, RIG].any()
        assert not part[1].any()
        assert not part[:, :, 1:].any()
    np.testing.assert_array_equal(some.duty[0, UNI, 0], pact(world).duty[0, UNI, 0])


def test_road_by_hand(world):
    shock = route_improvement(world, spread(0.5), route="pass", km_saved=spread(600.0),
                              usd_per_tonne_km=spread(0.1), speed_km_per_hour=spread(25.0))
    assert shock.freight[0].item() == pytest.approx(0.5 * 60)
    assert shock.days[0].item() == pytest.approx(0.5)  # half of 600 / 25 / 24 = 1 day
    assert shock.freight[1].item() == 0.0


def test_zone_by_hand(world):
    shock = free_zone(world, FULL, importers=["LEF"], exporters=["RIG"], groups=["tools"],
                      regional_share=spread(0.2), uptake=spread(0.5), vat_rate=spread(0.1),
                      vat_avoided=spread(0.3))
    assert shock.duty[0, RIG, 1].item() == pytest.approx(0.1)
    assert shock.rebate[0, RIG, 1].item() == pytest.approx(0.003)
    assert shock.duty.sum() == pytest.approx(0.1)  # no other importer, supplier or group


def test_flights_by_hand(world):
    cut = fly(world, flights=8.0).information
    expected = 0.01 * np.log(9) / np.log(3) * world.differentiated[0, 0, 1, 0, 0, 3]
    assert cut[0, RIG, 1, 0, 0, 3] == pytest.approx(expected)
    assert not cut[0, UNI].any()


def test_visitors_of_flights_by_hand(world):
    brought = fly(world, flights=2.0, seats=150.0, occupancy=0.8, new_visitors=0.3).visitors
    assert brought.item() == pytest.approx(3744.0)  # 104 flights a year, 120 passengers, 36 new


@given(st.floats(0.5, 28), st.floats(10, 400), st.floats(0, 1), st.floats(0, 1), st.floats(1, 2))
def test_larger_and_fuller_aircraft_bring_more_visitors(flights, seats, occupancy, new, times):
    world = make_economy()
    few = {"flights": flights, "seats": seats, "occupancy": occupancy, "new_visitors": new}
    for key in few:
        many = few | {key: few[key] * times}
        more, less = (fly(world, **given).visitors.item() for given in (many, few))
        assert more == pytest.approx(times * less)
        assert more >= less >= 0.0
        goods = [fly(world, **given).information for given in (many, few)]
        assert key == "flights" or np.array_equal(*goods)  # only flights move goods


def test_flights_stop_when_their_life_is_over(world):
    life = np.log(0.5) / np.log(0.8)  # 3.1 years
    assert fly(world, years_on=life - 0.01).information.any()
    assert not fly(world, years_on=life + 0.01).information.any()
    assert fly(world, years_on=life - 0.01).visitors.any()
    assert not fly(world, years_on=life + 0.01).visitors.any()


def test_bulk_goods_gain_nothing_from_flights(world):
    bulk = make_economy()
    object.__setattr__(bulk, "differentiated", 0.0 * bulk.differentiated)
    assert not fly(bulk).information.any()


def test_border_by_hand(world):
    shock = border_facilitation(world, FULL, routes=["pass"], rivals=["UNI"],
                                rival_importers=["LEF"],
                                crossing_hours_saved=spread(6.0),
                                queue_days_saved=spread(0.5), fees_saved=spread(4.0),
                                variability_premium=spread(1.5), rival_share=spread(0.2))
    assert shock.days[0].item() == pytest.approx(1.5 * 0.75)
    assert shock.freight[0].item() == pytest.approx(4.0)
    assert shock.days[1].item() == 0.0
    pick = (0, 0, 1, 0, 0, 3)  # tools, fourth draw
    worth = (world.time_value[pick] * 1.125
             + world.pass_through[0, 0, 0, 0, 0, 3] * 4.0 / world.unit_value[pick])
    assert shock.haulage[0, UNI, 1, 0, 0, 3] == pytest.approx(0.2 * worth)
    assert not shock.haulage[0, RIG].any()
    assert not shock.haulage[1].any()


def blows_of(world, rng):
    """Give six random shocks, one of each kind that does something else."""
    def number(low, high):
        return spread(rng.uniform(low, high))
    lasts = {"years": number(1, 3), "years_on": spread(0.0)}
    return [
        payment_friction(world, FULL, rivals=["UNI"], rival_importers=["LEF", "RIG"],
                         friction=number(0, 0.1), rival_factor=number(0, 2), **lasts),
        route_closure(world, FULL, routes=["pass"], closed_share=number(0, 1),
                      stranded_share=number(0, 1), **lasts),
        supply_loss(world, FULL, exporters=["LEF"], groups=["bread", "wool"],
                    loss=number(0, 0.5), recovery=number(1, 5), years_on=spread(0.0)),
        export_ban(world, FULL, exporter="RIG", groups="bread", banned_share=number(0, 1),
                   **lasts),
        project(world, FULL, importer="LEF", group="tools", quantity=number(0, 9),
                price=number(0, 1e6), **lasts),
        plants(world, FULL, host="RIG", output_groups=["tools"], input_groups=["wool"],
               invested=number(0, 9), output_per_usd=number(0, 2), partner_share=number(0, 1),
               home_share=number(0, 1), input_share=number(0, 1),
               input_partner_share=number(0, 1), levels=world.sales),
    ]


KINDER, ROUGHER = 9, 6


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_more_levers_never_make_trade_dearer(seed):
    world = make_economy(seed)
    shocks = shocks_of(world, np.random.default_rng(seed))
    cost = 0.0
    for used in range(1, KINDER + 1):
        lower = resolve(world, [(ON, shock) for shock in shocks[:used]]).log_cost
        assert (lower <= cost + EXACT).all()
        cost = lower


@given(st.integers(0, 10_000), st.permutations(range(KINDER + ROUGHER)),
       st.integers(1, KINDER + ROUGHER))
@settings(max_examples=40, deadline=None)
def test_the_order_of_levers_does_not_matter(seed, order, used):
    """Any subset of all kinds, in any order, is the same change."""
    world = make_economy(seed)
    world = replace(world, access=1.0 - 0.7 * world.pair_flow)
    rng = np.random.default_rng(seed)
    shocks = shocks_of(world, rng) + blows_of(world, rng)
    switches = [spread(rng.integers(0, 2, world.sales.shape[-1]), "draw") for _ in shocks]
    pulled = [(switches[k], shocks[k]) for k in order[:used]]
    forward, sorted_ = resolve(world, pulled), resolve(world, [
        (switches[k], shocks[k]) for k in sorted(order[:used])])
    backward = resolve(world, pulled[::-1])
    for part in fields(forward):
        for other in (sorted_, backward):
            np.testing.assert_allclose(getattr(forward, part.name), getattr(other, part.name),
                                       rtol=1e-12, atol=EXACT, err_msg=part.name)


def test_no_cost_is_removed_twice(world):
    """Two levers that take away all of a cost take away no more than one of them."""
    all_of_it = {
        "formalities": Shock(information=world.nontariff * world.pair_flow),
        "payments": payment_relief(world, FULL, relieved_share=spread(1.0)),
    }
    for shock in all_of_it.values():
        once = resolve(world, [(ON, shock)])
        assert (once.log_cost[LEF, RIG] < 0).all()
        more = resolve(world, [(ON, shock), (ON, replace(shock, information=NONE))])
        np.testing.assert_allclose(more.log_cost, once.log_cost, atol=EXACT)
    formal = all_of_it["formalities"]
    np.testing.assert_allclose(resolve(world, [(ON, formal), (ON, formal)]).log_cost,
                               resolve(world, [(ON, formal)]).log_cost, atol=EXACT)
    approved = Shock(approval=world.pair_flow)
    once, twice = (resolve(world, [(ON, approved)] * times) for times in (1, 2))
    assert (once.availability[LEF, RIG] > 0).all()
    np.testing.assert_allclose(twice.availability, once.availability, atol=EXACT)


def test_the_same_duty_is_not_removed_twice(world):
    whole = Shock(duty=world.pair_flow)
    one, two = resolve(world, [(ON, whole)]), resolve(world, [(ON, whole), (ON, whole)])
    np.testing.assert_array_equal(one.log_cost, two.log_cost)
    flow = np.broadcast_to(world.pair_flow, one.wedge.shape) > 0
    np.testing.assert_array_equal(one.wedge[flow], 0.0)


def test_zone_has_nothing_to_relieve_after_free_trade(world):
    zone = Shock(duty=0.3 * world.pair_flow)
    free = Shock(duty=world.pair_flow)
    np.testing.assert_allclose(resolve(world, [(ON, free), (ON, zone)]).log_cost,
                               resolve(world, [(ON, free)]).log_cost, atol=EXACT)


def test_resolve_by_hand(world):
    shock = Shock(duty=0.4 * world.pair_flow, rebate=0.01 * world.pair_flow,
                  information=0.02 * world.pair_flow)
    change = resolve(world, [(ON, shock)])
    duty = world.duty[0, RIG, 2, 0, 0, 1]
    wedge = 0.6 * duty - 0.01
    expected = np.log((1 + wedge) / (1 + duty)) + np.log(1 - 0.02)
    assert change.wedge[0, RIG, 2, 0, 0, 1] == pytest.approx(wedge)
    assert change.log_cost[0, RIG, 2, 0, 0, 1] == pytest.approx(expected)


def test_carriage_enters_with_the_base_cost_of_carriage(world):
    saved = Shock(freight=np.stack([spread(50.0), spread(0.0)]))
    change = resolve(world, [(ON, saved)])
    moved = carried(world, saved.freight, np.zeros((2, 1, 1, 1, 1, 1, 1)))[0][0, 0, 2, 0, 0, 1]
    expected = np.log1p(moved / (1 + carriage(world)[0, 0, 2, 0, 0, 1]))
    assert change.log_cost[0, RIG, 2, 0, 0, 1] == pytest.approx(expected)
    assert not change.log_cost[0, UNI].any()


def test_the_same_cut_of_formalities_is_the_same_for_every_supplier(world):
    change = resolve(world, [(ON, Shock(information=0.03 * (1 - world.home)))])
    np.testing.assert_allclose(change.log_cost[0, 1:], np.log(0.97), rtol=1e-12)


def test_a_switch_turns_a_lever_off(world):
    shock = Shock(duty=0.4 * world.pair_flow)
    switch = spread(np.array([0.0, 1.0]), "case")
    cost = resolve(world, [(switch, shock)]).log_cost
    assert not cost[:, :, :, 0].any()
    assert (cost[0, RIG, :, 1] < 0).all()


def test_a_closed_corridor_stops_the_pair_and_nobody_else(world):
    shock = pact(world)
    half = interrupted(shock, world, 0.5)
    np.testing.assert_allclose(half.duty[0, RIG], 0.5 * shock.duty[0, RIG])
    wide = pact(world, scope="wide")
    np.testing.assert_allclose(interrupted(wide, world, 0.5).information[0, RIG],
                               0.5 * wide.information[0, RIG])
    np.testing.assert_array_equal(half.duty[0, UNI], shock.duty[0, UNI])
    road = route_improvement(world, FULL, route="pass", km_saved=spread(600.0),
                             usd_per_tonne_km=spread(0.1), speed_km_per_hour=spread(25.0))
    assert interrupted(road, world, 1.0).freight.any() == np.False_


def test_nothing_is_shared_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        NONE[...] = 1.0


def lever(kind="route_improvement", applies=("route",), **more):
    names = {"km_saved", "usd_per_tonne_km", "speed_km_per_hour", *TIMING}
    return made(kind=kind, applies=dict.fromkeys(applies, "pass"),
                settings=dict.fromkeys(sorted(names | set(more)), None))


def test_levers_must_give_what_their_kind_asks_for():
    path = Path("levers.yaml")
    check_levers({"road": lever()}, path)
    check_levers({"road": lever(capital_cost=1)}, path)
    with pytest.raises(InputError, match=r"road\.kind: unknown kind 'rout_improvement'.*"
                                         r"did you mean 'route_improvement'\?"):
        check_levers({"road": lever("rout_improvement")}, path)
    with pytest.raises(InputError, match=r"road\.route: missing: kind 'route_improvement' needs"):
        check_levers({"road": lever(applies=())}, path)
    with pytest.raises(InputError, match=r"road\.settings\.kms: kind 'route_improvement' has no "
                                         r"such name"):
        check_levers({"road": lever(kms=1)}, path)
    with pytest.raises(InputError, match=r"road\.applies\.km_save: kind 'route_improvement' has "
                                         r"no such name; did you mean 'km_saved'\?"):
        check_levers({"road": lever(applies=("route", "km_save"))}, path)
    with pytest.raises(InputError, match=r"road\.applies\.km_saved: stands in settings too"):
        check_levers({"road": lever(applies=("route", "km_saved"))}, path)


@pytest.mark.parametrize(("kind", "key", "value", "message"), [
    ("route_improvement", "route", "pas",
     "road.applies.route: 'pas' is no route of pair.yaml; known: pass, ferry; "
     "did you mean 'pass'?"),
    ("route_improvement", "route", ["pass"],
     "road.applies.route: must be the name of one route, not a list"),
    ("route_closure", "routes", ["pass", "tunnel"],
     "road.applies.routes: 'tunnel' is no route of pair.yaml; known: pass, ferry"),
    ("route_closure", "routes", "pass", "road.applies.routes: must be a list of names, not text"),
    ("route_closure", "routes", [1], "road.applies.routes: must be a list of names, not a list"),
    ("supply_loss", "groups", ["bred"],
     "road.applies.groups: 'bred' is no group or product of pair.yaml; known: bread, tools, wool; "
     "did you mean 'bread'?"),
    ("payment_friction", "rivals", ["UNO"],
     "road.applies.rivals: 'UNO' is no country of pair.yaml; known: LEF, RIG, UNI, FAR; "
     "did you mean 'UNI'?"),
    ("payment_friction", "rival_importers", ["UNI"],
     "road.applies.rival_importers: 'UNI' is no member of the pair of pair.yaml; "
     "known: LEF, RIG"),
    ("plants", "host", "FAR",
     "road.applies.host: 'FAR' is no member of the pair of pair.yaml; known: LEF, RIG"),
    ("project", "group", "tool",
     "road.applies.group: 'tool' is no group or product of pair.yaml; known: bread, tools, wool; "
     "did you mean 'tools'?"),
])
def test_names_must_be_those_of_the_pair(kind, key, value, message):
    good = {"route": "pass", "routes": ["pass"], "groups": ["bread"], "rivals": ["UNI"],
            "rival_importers": ["LEF"], "host": "LEF", "group": "tools", "importer": "RIG",
            "exporters": ["LEF"], "input_groups": [], "output_groups": ["wool"]}
    names = {name for name in arguments(kind) if name in NAMES}
    rest = dict.fromkeys([name for name in (*arguments(kind), *TIMING) if name not in names])
    right = made(kind=kind, applies={name: good[name] for name in names}, settings=rest)
    check_levers({"road": right}, Path("levers.yaml"), PAIR)
    wrong = made(kind=kind, applies=right.applies | {key: value}, settings=rest)
    with pytest.raises(InputError) as caught:
        check_levers({"road": wrong}, Path("levers.yaml"), PAIR)
    assert str(caught.value) == f"levers.yaml: {message}"


def test_names_that_a_scenario_may_choose_are_checked_too():
    setting = Choice(name="road.group", title="Goods", values=["tools", "tolls"], default="tools",
                     source="x", grade="C")
    chosen = made(
        kind="project", applies={"importer": "LEF"},
        settings={"group": setting} | dict.fromkeys(("quantity", "price", "years", *TIMING)))
    with pytest.raises(InputError, match=r"road\.settings\.group\.allowed: 'tolls' is no group or "
                                         r"product of pair\.yaml.*did you mean 'tools'\?"):
        check_levers({"road": chosen}, Path("levers.yaml"), PAIR)


def test_every_argument_that_names_something_is_known():
    words = {name for kind in KINDS for name in arguments(kind)
             if "str" in str(KINDS[kind].__annotations__[name])}
    assert words - set(NAMES) == {"scope", "method", "coefficient_from"}


def test_errors_name_the_line(tmp_path):
    path = tmp_path / "levers.yaml"
    path.write_text("road:\n  kind: route_improvement\n  applies:\n    route: pas\n")
    with pytest.raises(InputError, match=r"levers\.yaml:4:5: road\.applies\.route: 'pas' is no"):
        check_levers({"road": made(kind="route_improvement", applies={"route": "pas"},
                                              settings=lever().settings)}, path, PAIR)


def test_the_shipped_levers_fit():
    folder = calibration_folder()
    levers = read_levers(folder)
    check_levers(levers, folder / "levers.yaml", read_pair(folder))
    assert {each.kind for each in levers.values()} == set(KINDS)  # every kind is in use


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_does_nothing_at_strength_zero(world, kind):
    given = {"lever": "pact", "members": ["RIG"], "partner": "LEF",
             "without": "", "scope": "wide", "route": "pass", "routes": ["pass"],
             "importers": ["LEF"], "exporters": ["RIG"], "groups": ["bread"], "group": "bread",
             "rivals": ["UNI"], "rival_importers": ["LEF"], "survival": spread(0.8),
             "host": "LEF", "input_groups": ["wool"], "output_groups": ["tools"],
             "importer": "LEF", "exporter": "RIG", "country": "RIG", "levels": world.sales,
             "years": spread(2.0), "years_on": spread(0.0), "method": "linear_cut",
             "coefficient_from": "given", "calendar": spread(2030.0),
             "extra_goods": lambda strength, more: strength * more}
    if KINDS[kind].__annotations__.get("groups") == "str":
        given["groups"] = "bread, tools"
    posterior = {"elasticity_gdp": np.ones(5), "elasticity_exchange_rate": np.ones((5, 2)),
                 "nominal": np.ones((5, 2, 2)), "real": np.zeros((5, 2, 2))}
    world = replace(world, draws={**world.draws, **{f"posterior.{name}": values
                                                    for name, values in posterior.items()}})
    keys = {*arguments(kind), *(key for key in GIVEN if key in KINDS[kind].__annotations__)}
    shock = KINDS[kind](world, spread(0.0), **{key: given.get(key, spread(0.5)) for key in keys})
    for part in fields(shock):
        if part.name not in CONDITIONS:
            assert not getattr(shock, part.name).any(), part.name
