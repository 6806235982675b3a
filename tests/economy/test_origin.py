"""Rules of origin: whom a certificate lets pass, and what the two counts then say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounted import FULL, ON, books, pact
from made_up_world import PAIR, make_economy
from tradesim.common.arrays import entry, spread
from tradesim.economy.accounts import counted
from tradesim.economy.adjustment import settle
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.levers.duties import free_zone, tariff_change
from tradesim.economy.levers.transport import route_closure, route_improvement
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import NONE

EXACT = 1e-12
LEF, RIG, UNI, FAR = 0, 1, 2, 3


def duties(world, exporters, cut=0.5):
    return tariff_change(world, FULL, importers="LEF", exporters=exporters,
                         groups=", ".join(PAIR.groups), method="linear_cut", rate=spread(0.0),
                         cap=spread(0.0), cut=spread(cut), coefficient=spread(0.1),
                         coefficient_from="given", target_average_cut=spread(0.3),
                         utilisation=spread(1.0))


def road(world):
    return route_improvement(world, FULL, route="pass", km_saved=spread(500.0),
                             usd_per_tonne_km=spread(0.2), speed_km_per_hour=spread(30.0))


def zone(world):
    return free_zone(world, FULL, importers=["LEF"], exporters=["RIG", "UNI"],
                     groups=["bread", "tools"], regional_share=spread(0.4), uptake=spread(0.5),
                     vat_rate=spread(0.1), vat_avoided=spread(0.5))


def duty_pact(world, **more):
    return pact(world, nontariff_cut=spread(0.0), **more)


def test_an_agreement_asks_for_a_certificate(world):
    change = resolve(world, [(ON, duty_pact(world))])
    cut = duty_pact(world).duty
    expected = np.log((1 + world.duty * (1 - cut)) / (1 + world.duty))
    np.testing.assert_allclose(change.preference, entry(expected, world.pair_flow), rtol=EXACT)
    assert (change.preference < 0).all()


def test_what_every_good_gets_asks_for_none(world):
    for shock in (duties(world, "RIG, UNI, FAR"), zone(world), road(world)):
        assert shock.origin is NONE
        assert resolve(world, [(ON, shock)]).preference is NONE


def test_a_preference_for_some_suppliers_asks_for_one(world):
    chosen = duties(world, "RIG, UNI")
    np.testing.assert_array_equal(chosen.origin[LEF, :, 0].ravel(), [0, 1, 1, 0])
    assert not chosen.origin[1].any()


def test_what_other_levers_left_of_the_duty_is_shared_by_all(world):
    """Beside a cut for everybody, the certificate is worth the cut of what is left."""
    both = resolve(world, [(ON, duty_pact(world)), (ON, duties(world, "RIG, UNI, FAR"))])
    left = 1 + world.duty * np.where(np.arange(2).reshape(2, 1, 1, 1, 1, 1) == LEF, 0.5, 1.0)
    with_both = 1 + (left - 1) * (1 - duty_pact(world).duty)
    np.testing.assert_allclose(both.preference, entry(np.log(with_both / left), world.pair_flow),
                               rtol=1e-11)


def test_goods_made_elsewhere_move_like_those_of_an_outsider(world):
    """Second route: a supplier without agreement, whose supply is elastic, faces that market."""
    outcome = settle(world, world.sales, [(ON, duty_pact(world))], at_once=[False])
    _, settled = outcome.elsewhere(world)
    solved = equilibrium(world, world.sales, outcome.change)
    wage = solved.supplier_price[0, RIG] * (1 - world.lower[0, 0])
    np.testing.assert_allclose(settled[LEF, 0] - wage, solved.sales[LEF, FAR], atol=1e-10)
    assert (settled < entry(outcome.settled.sales, world.pair_flow)).all()


def two_counts(*factors):
    other = spread(factors, "importer")
    return np.stack([np.ones_like(other), other])


def change_of(world, shocks, factor):
    levels, *_, found = books(world, shocks, factor)
    before = factor * entry(levels, world.pair_flow)
    return found["trade"] - before[:, :, 0], before[:, :, 0]


def test_the_importers_own_count_is_by_origin(world):
    with_rules = books(world, [duty_pact(world)], two_counts(2.2, 1.5))[-1]["trade"][0]
    blind = replace(world, originating=0.0 * world.originating + 1.0)
    without = books(blind, [duty_pact(blind)], two_counts(2.2, 1.5))[-1]["trade"][0]
    np.testing.assert_array_equal(with_rules, without)


@given(st.floats(1.0, 4.0), st.integers(0, 50))
@settings(max_examples=15)
def test_both_counts_agree_within_the_share_that_originates(factor, seed):
    """Between one over the ratio of counts (the same dollars) and one (the same per cent)."""
    world = make_economy(seed)
    least = replace(world, originating=spread(0.0))
    moved, _ = change_of(least, [duty_pact(least)], two_counts(factor, factor))
    own, other = moved
    assert (other <= own + 1e-6).all()
    everything = replace(world, originating=spread(1.0))
    moved, before = change_of(everything, [duty_pact(everything)], two_counts(factor, factor))
    np.testing.assert_allclose(moved[1] / before[1], moved[0] / before[0], rtol=1e-9)
    some, _ = change_of(world, [duty_pact(world)], two_counts(factor, factor))
    assert (some[1] <= moved[1] + 1e-6).all()
    assert (some[1] >= other - 1e-6).all()


def test_the_share_in_closed_form(world):
    flow, gone = spread(3.0), spread(np.log(0.9))
    for factor, share in ((2.0, 0.7), (4.0, 0.7), (1.2, 1 / 1.2), (1.0, 1.0), (0.5, 1.0)):
        with_share = replace(world, originating=spread(0.7))
        found = counted(with_share, spread(2.0), spread(factor)[None], flow, gone)
        assert found.item() == pytest.approx(factor * (share * 3.0 + (1 - share) * 2.0 * 0.9))
    assert counted(world, spread(2.0), spread(2.0)[None], flow, None).item() == 6.0


def test_transport_and_closures_reach_every_good(world):
    shut = route_closure(world, FULL, routes=["pass"], closed_share=spread(0.5),
                         stranded_share=spread(0.3), years=spread(3.0), years_on=spread(0.0))
    for shock in (road(world), shut, zone(world)):
        outcome = settle(world, world.sales, [(ON, shock)], at_once=[True])
        assert outcome.path_elsewhere(world) is None
        moved, before = change_of(world, [shock], two_counts(2.2, 1.5))
        np.testing.assert_allclose(moved[1] / before[1], moved[0] / before[0], atol=EXACT)


def test_sudden_shocks_beside_an_agreement_hit_all_goods(world):
    """What bites at once is no part of what the certificate is worth."""
    shut = route_closure(world, FULL, routes=["pass"], closed_share=spread(0.5),
                         stranded_share=spread(0.3), years=spread(3.0), years_on=spread(0.0))
    pulled = [(ON, duty_pact(world)), (ON, shut)]
    outcome = settle(world, world.sales, pulled, at_once=[False, True])
    np.testing.assert_allclose(outcome.lasting_preference, outcome.change.preference, rtol=EXACT)
    for made, sales in zip(outcome.elsewhere(world), (outcome.lasting, outcome.settled.sales),
                           strict=True):
        lost = entry(sales, world.pair_flow) - made
        np.testing.assert_allclose(lost, -world.lower * outcome.change.preference, atol=EXACT)
    elsewhere, own = outcome.path_elsewhere(world), entry(outcome.path(world), world.pair_flow)
    assert (elsewhere < own).all()
