"""Each kind of lever against hand arithmetic, its direction, and joint resolution."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import make_economy
from tradesim.dims import spread
from tradesim.errors import InputError
from tradesim.levers import (
    GIVEN,
    KINDS,
    TIMING,
    air_link,
    arguments,
    border_facilitation,
    check_levers,
    free_zone,
    phase_in,
    route_improvement,
    tariff_agreement,
)
from tradesim.routes import carriage, saving
from tradesim.shocks import NONE, Shock, resolve

EXACT = 1e-12
FULL = spread(1.0)
ON = spread(1.0)
LEF, RIG, UNI, FAR = range(4)


def pact(world, **changes):
    given = {"lever": "pact", "members": ["RIG", "UNI"], "partner": "LEF",
             "gated_groups": ["bread"], "nontariff_scopes": ["wide"], "scope": "narrow",
             "utilisation": spread(0.5), "nontariff_cut": spread(0.03), "calendar": spread(2015.0)}
    return tariff_agreement(world, FULL, **(given | changes))


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
    gated = pact(world).gated
    assert gated[1, LEF, 0].item() == 1.0
    assert gated.sum() == 1.0  # one group, one direction


def test_every_member_gets_the_same_cut_and_outsiders_none(world):
    duty = pact(world).duty
    np.testing.assert_array_equal(duty[0, RIG], duty[0, UNI])
    assert not duty[:, FAR].any()
    assert not duty[1, UNI].any()  # inside the union nothing changes


def test_only_the_wide_scope_lowers_other_costs(world):
    assert not pact(world).information.any()
    wide = pact(world, scope="wide").information
    assert wide[0, RIG, 1, 0, 0, 0] == pytest.approx(
        0.03 * world.coverage("pact", "wide")[0, 0, 1, 0, 0, 0])


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


def fly(world, years_on=0.0, flights=2.0, lifetime=0.5):
    return air_link(world, FULL, survival=spread(0.8), lifetime=spread(lifetime),
                    weekly_flights=spread(flights), reference_flights=spread(2.0),
                    information_cut=spread(0.01), years_on=spread(years_on))


def test_flights_by_hand(world):
    cut = fly(world, flights=8.0).information
    expected = 0.01 * np.log(9) / np.log(3) * world.differentiated[0, 0, 1, 0, 0, 3]
    assert cut[0, RIG, 1, 0, 0, 3] == pytest.approx(expected)
    assert not cut[0, UNI].any()


def test_flights_stop_when_their_life_is_over(world):
    life = np.log(0.5) / np.log(0.8)  # 3.1 years
    assert fly(world, years_on=life - 0.01).information.any()
    assert not fly(world, years_on=life + 0.01).information.any()


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


def shocks_of(world, rng):
    """Five random shocks, one of each kind."""
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
    ]


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_more_levers_never_make_trade_dearer(seed):
    world = make_economy(seed)
    shocks = shocks_of(world, np.random.default_rng(seed))
    cost = 0.0
    for used in range(1, 6):
        lower = resolve(world, [(ON, shock) for shock in shocks[:used]]).log_cost
        assert (lower <= cost + EXACT).all()
        cost = lower


@given(st.integers(0, 10_000), st.permutations(range(5)), st.integers(1, 5))
@settings(max_examples=25, deadline=None)
def test_the_order_of_levers_does_not_matter(seed, order, used):
    world = make_economy(seed)
    shocks = shocks_of(world, np.random.default_rng(seed))
    chosen = [shocks[k] for k in order[:used]]
    forward = resolve(world, [(ON, shock) for shock in chosen])
    backward = resolve(world, [(ON, shock) for shock in reversed(chosen)])
    for name in ("log_cost", "wedge", "resource"):
        np.testing.assert_allclose(getattr(forward, name), getattr(backward, name), atol=EXACT)


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
    moved = saving(world, saved.freight, np.zeros((2, 1, 1, 1, 1, 1, 1)))[0, 0, 2, 0, 0, 1]
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
    half = shock.interrupted(world, spread(0.5))
    np.testing.assert_allclose(half.duty[0, RIG], 0.5 * shock.duty[0, RIG])
    wide = pact(world, scope="wide")
    np.testing.assert_allclose(wide.interrupted(world, spread(0.5)).information[0, RIG],
                               0.5 * wide.information[0, RIG])
    np.testing.assert_array_equal(half.duty[0, UNI], shock.duty[0, UNI])
    road = route_improvement(world, FULL, route="pass", km_saved=spread(600.0),
                             usd_per_tonne_km=spread(0.1), speed_km_per_hour=spread(25.0))
    assert road.interrupted(world, spread(1.0)).freight.any() == np.False_


def test_nothing_is_shared_by_accident():
    with pytest.raises(ValueError, match="read-only"):
        NONE[...] = 1.0


def lever(kind="route_improvement", applies=("route",), **more):
    names = {"km_saved", "usd_per_tonne_km", "speed_km_per_hour", *TIMING}
    return SimpleNamespace(kind=kind, applies=dict.fromkeys(applies, "pass"),
                           settings=dict.fromkeys(sorted(names | set(more)), None))


def test_levers_must_give_what_their_kind_asks_for():
    check_levers({"road": lever()}, Path("levers.yaml"))
    with pytest.raises(InputError, match=r"road\.kind: unknown kind 'rout_improvement'.*"
                                         r"did you mean 'route_improvement'\?"):
        check_levers({"road": lever("rout_improvement")}, Path("levers.yaml"))
    with pytest.raises(InputError, match=r"road\.route: missing: kind 'route_improvement'"):
        check_levers({"road": lever(applies=())}, Path("levers.yaml"))
    with pytest.raises(InputError, match=r"road\.kms: kind 'route_improvement' has no such name"):
        check_levers({"road": lever(kms=1)}, Path("levers.yaml"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_does_nothing_at_strength_zero(world, kind):
    values = {"lever": "pact", "members": ["RIG"], "partner": "LEF", "gated_groups": [],
              "nontariff_scopes": ["wide"], "scope": "wide", "route": "pass", "routes": ["pass"],
              "importers": ["LEF"], "exporters": ["RIG"], "groups": ["bread"],
              "rivals": ["UNI"], "rival_importers": ["LEF"], "survival": spread(0.8)}
    keys = {*arguments(kind), *GIVEN}
    given = {key: values.get(key, spread(0.5)) for key in keys
             if key in KINDS[kind].__annotations__}
    shock = KINDS[kind](world, spread(0.0), **given)
    for name in ("duty", "rebate", "freight", "days", "information"):
        assert not getattr(shock, name).any()


