"""Tariff-rate quotas: three regimes against closed forms, borders, limits and accounting."""

from __future__ import annotations

import shutil
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import elementwise

from made_up_world import make_economy
from tradesim.common.arrays import spread
from tradesim.common.errors import ConvergenceError, InputError
from tradesim.common.files import calibration_folder
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.quotas import TOLERANCE, with_quotas, within_quotas
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import NONE, Shock
from tradesim.inputs.base_year_tables import QUOTAS, _cells
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation import model
from tradesim.simulation.draws import IMPLEMENTED, draw_all
from tradesim.simulation.model import prepare, simulate
from tradesim.simulation.subsets import all_subsets, flows
from tradesim.studies.study import ask

EXACT = 1e-12
MET = 5 * TOLERANCE  # of the quota, in log points, with what the markets' own residual adds
LEF, RIG, UNI, FAR = range(4)
BREAD, TOOLS, WOOL = range(3)
YEARS, CASES = 3, 2
ON = spread(np.ones(CASES), "case")


def trading(seed=0, **changes):
    """Build a world and its reference sales over three years that grow."""
    world = replace(make_economy(seed), **changes)
    growth = spread(np.array([1.0, 1.05, 1.2]), "year")
    return world, world.sales * growth


def once_in(world, levels, pulled, count=None):
    """Resolve and solve, as the model does; counts the cells that are solved."""
    def once(take, margin):
        here = take(world)
        change = resolve(here, take(pulled), margin)
        settled = equilibrium(here, take(levels), change)
        if count is not None:
            count.append(settled.sales[0, 0, 0].size)
        return change, settled

    return once


def border_of(world, pulled):
    """Give what happens at the border, as the model does."""
    def border(take, margin, filled):
        return resolve(take(world), take(pulled), margin, filled)

    return border


def settle(world, levels, pulled, count=None):
    once = once_in(world, levels, pulled, count)
    change, settled = once(lambda values: values, 1.0 + NONE)
    return within_quotas(lambda *words: once(*words)[1], border_of(world, pulled), levels, pulled,
                         change, settled)


def inside(importer=LEF, group=TOOLS, members=(RIG, UNI), share=0.6):
    """A preference within a quota for some suppliers of one market."""
    preference = np.zeros((2, 4, 3))
    preference[importer, list(members), group] = share
    return spread(preference, "importer", "exporter", "group")


def quota(room, levels, importer=LEF, group=TOOLS, members=(RIG, UNI), **more):
    """Give a quota of `room` times what the members sell without it."""
    together = levels[importer, list(members), group].sum(axis=0)
    limit = np.zeros((2, 1, 3, *together.shape))
    limit[importer, 0, group] = together * room
    return Shock(quota=inside(importer, group, members, **more), quota_limit=limit)


def imports(levels, settled, importer=LEF, group=TOOLS, members=(RIG, UNI)):
    sold = levels * np.exp(settled.sales - settled.supplier_price)
    return sold[importer, list(members), group].sum(axis=0)


def cut(share, **more):
    return [(ON, Shock(duty=inside(share=share, **more)))]


def same(one, other):
    for name in ("sales", "price", "home_price", "supplier_price"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_without_a_quota_nothing_is_solved_again():
    world, levels = trading()
    count = []
    settle(world, levels, cut(0.5), count)
    assert len(count) == 1


def test_large_quota_is_the_agreement_without_one():
    world, levels = trading()
    count = []
    change, settled = settle(world, levels, [(ON, quota(1e6, levels))], count)
    free, without = settle(world, levels, cut(0.6))
    same(settled, without)
    np.testing.assert_array_equal(change.log_cost, free.log_cost)
    assert len(count) == 1
    assert not change.rent.any()


def test_quota_of_nothing_is_the_full_duty():
    world, levels = trading()
    change, settled = settle(world, levels, [(ON, quota(0.0, levels))])
    full, without = settle(world, levels, [(ON, Shock(duty=inside(share=0.0)))])
    same(settled, without)
    np.testing.assert_array_equal(change.wedge, np.broadcast_to(full.wedge, change.wedge.shape))
    assert not change.rent.any()


def test_exceeded_quota_leaves_the_full_duty_on_the_last_unit():
    world, levels = trading()
    change, settled = settle(world, levels, [(ON, quota(0.4, levels))])
    same(settled, settle(world, levels, [(ON, Shock(duty=inside(share=0.0)))])[1])
    duty = world.duty[LEF, RIG, TOOLS]
    filled = 0.4  # prices as without the agreement, so imports as well
    np.testing.assert_allclose(change.rent[LEF, RIG, TOOLS],
                               np.broadcast_to(0.6 * duty * filled, (CASES, YEARS, 5)), EXACT)
    np.testing.assert_allclose(change.wedge[LEF, RIG, TOOLS],
                               np.broadcast_to(duty * (1 - 0.6 * filled), (CASES, YEARS, 5)), EXACT)


def test_binding_quota_by_a_closed_form():
    """One supplier, elastic supply, no home goods or rivals: demand alone sets the duty."""
    world, _ = trading()
    only = np.zeros((2, 4, 3))
    only[:, UNI] = 1.0
    sales = world.sales * spread(only, "importer", "exporter", "group") + 1e-30
    world = replace(world, sales=sales, inverse_supply=0.0 * world.inverse_supply)
    levels = world.sales * spread(np.ones(YEARS), "year")
    duty, demand = world.duty[LEF, UNI, TOOLS], world.demand[0, 0, 0]
    at_full = demand * np.log((1 + duty) / (1 + 0.4 * duty))  # what the whole preference brings
    room = np.exp(0.5 * at_full)
    change, settled = settle(world, levels, [(ON, quota(room, levels, members=(UNI,)))])
    marginal = (1 + duty) * room ** (-1 / demand) - 1
    np.testing.assert_allclose(settled.sales[LEF, UNI, TOOLS],
                               np.broadcast_to(0.5 * at_full, (CASES, YEARS, 5)), atol=MET)
    paid = change.wedge + change.rent
    np.testing.assert_allclose(paid[LEF, UNI, TOOLS],
                               np.broadcast_to(marginal, (CASES, YEARS, 5)), atol=MET)
    np.testing.assert_allclose(change.wedge[LEF, UNI, TOOLS],
                               np.broadcast_to(0.4 * duty, (CASES, YEARS, 5)), atol=EXACT)


def test_quantity_fills_a_quota_not_value():
    """A supplier that is short raises its price; a binding quota holds the tonnes."""
    world, levels = trading()
    goods = {"group": BREAD}
    assert world.inverse_supply[0, RIG, BREAD].all()
    ends = [imports(levels, settle(world, levels, cut(share, **goods))[1], **goods)
            for share in (0.6, 0.0)]
    together = levels[LEF, [RIG, UNI], BREAD].sum(axis=0)
    room = (np.sqrt(ends[0] * ends[1]) / together)[0]
    _, settled = settle(world, levels, [(ON, quota(room, levels, **goods))])
    np.testing.assert_allclose(np.log(imports(levels, settled, **goods) / together / room), 0.0,
                               atol=MET)
    assert (settled.supplier_price[0, RIG, BREAD] > 1e-4).all()


def binding(seed=0):
    world, levels = trading(seed)
    whole = imports(levels, settle(world, levels, cut(0.6))[1])
    none = imports(levels, settle(world, levels, [])[1])
    together = levels[LEF, [RIG, UNI], TOOLS].sum(axis=0)
    room = np.sqrt(whole * none) / together
    return world, levels, room[0]


@pytest.mark.parametrize("seed", range(3))
def test_binding_quota_is_just_full(seed):
    world, levels, room = binding(seed)
    change, settled = settle(world, levels, [(ON, quota(room, levels))])
    gap = np.log(imports(levels, settled) / levels[LEF, [RIG, UNI], TOOLS].sum(axis=0) / room)
    np.testing.assert_allclose(gap, 0.0, atol=MET)
    rent = change.rent[LEF, [RIG, UNI], TOOLS]
    assert (rent > 0).all()
    assert (rent < (0.6 * world.duty)[LEF, [RIG, UNI], TOOLS]).all()
    assert not change.rent[:, FAR].any()
    assert not change.rent[:, :, BREAD].any()


def test_binding_duty_by_a_general_root_finder():
    world, levels, room = binding()
    pulled = [(ON, quota(room, levels))]
    change, _ = settle(world, levels, pulled)
    paid = (change.wedge + change.rent)[LEF, RIG, TOOLS]
    duty = world.duty[LEF, RIG, TOOLS]

    def gap(margin, draw):
        at = draw.astype(int).reshape(-1)
        found = []
        for one, place in zip(margin.reshape(-1), at, strict=True):
            shock = Shock(duty=inside(share=0.6 * one))
            _, settled = settle(world, levels, [(ON, shock)])
            found.append(imports(levels, settled)[0, 2, place])
        known = levels[LEF, [RIG, UNI], TOOLS].sum(axis=0)[0, 2, at] * room[2, at]
        return np.reshape(np.log(np.array(found) / known), np.shape(margin))

    margin = elementwise.find_root(gap, (np.zeros(5), np.ones(5)), args=(np.arange(5),),
                                   tolerances={"fatol": 1e-12}).x
    np.testing.assert_allclose(paid[0, 2], duty[0, 0] * (1 - 0.6 * margin), atol=MET)


@pytest.mark.parametrize(("edge", "share"), [("full", 0.6), ("none", 0.0)])
def test_regimes_meet_at_their_borders(edge, share):
    world, levels = trading()
    at = imports(levels, settle(world, levels, cut(share))[1])
    room = (at / levels[LEF, [RIG, UNI], TOOLS].sum(axis=0))[0]
    near = 1e-6
    below = settle(world, levels, [(ON, quota(room * (1 - near), levels))])
    above = settle(world, levels, [(ON, quota(room * (1 + near), levels))])
    np.testing.assert_allclose(below[1].sales, above[1].sales, atol=10 * near)
    shape = below[1].sales.shape
    for name in ("rent", "wedge"):
        np.testing.assert_allclose(*(np.broadcast_to(getattr(change, name), shape)
                                     for change, _ in (below, above)), atol=10 * near)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.floats(0.5, 1.6), st.floats(0.01, 0.6))
def test_more_quota_is_never_less_trade(seed, room, more):
    world, levels = trading(seed)
    small = settle(world, levels, [(ON, quota(room, levels))])[1]
    large = settle(world, levels, [(ON, quota(room + more, levels))])[1]
    assert (imports(levels, large) >= imports(levels, small) * (1 - MET)).all()
    assert (large.price[LEF, 0, TOOLS] <= small.price[LEF, 0, TOOLS] + MET).all()


@pytest.mark.parametrize("room", [0.0, 0.4, 0.97, 1.05, 1.2, 9.0])
def test_rent_and_revenue_are_what_the_last_unit_pays(room):
    world, levels = trading()
    other = Shock(duty=inside(share=0.3), rebate=spread(0.01))  # a second lever leaves 0.7
    pulled = [(ON, quota(room, levels)), (ON, other)]
    change, settled = settle(world, levels, pulled)
    marginal = np.exp(change.log_cost - np.log1p(change.resource)) * (1 + world.duty) - 1
    np.testing.assert_allclose(change.wedge + change.rent, marginal, atol=EXACT)
    sold = imports(levels, settled)
    limit = levels[LEF, [RIG, UNI], TOOLS].sum(axis=0) * room
    inner = np.minimum(1.0, limit / sold)  # of all units
    low, full = 0.4 * 0.7 * world.duty - 0.01, 0.7 * world.duty - 0.01
    low, full = (np.broadcast_to(rate, settled.sales.shape)[LEF, [RIG, UNI], TOOLS]
                 for rate in (low, full))
    collected = np.where(sold > limit * (1 + MET), inner * low + (1 - inner) * full, low)
    wedge = np.broadcast_to(change.wedge, settled.sales.shape)[LEF, [RIG, UNI], TOOLS]
    np.testing.assert_allclose(wedge, collected, atol=MET)


def test_order_of_levers_does_not_matter():
    world, levels, room = binding()
    pulled = [(ON, quota(room, levels)), (ON, Shock(duty=inside(share=0.2)))]
    one, other = settle(world, levels, pulled), settle(world, levels, pulled[::-1])
    np.testing.assert_allclose(one[1].sales, other[1].sales, atol=MET)
    np.testing.assert_allclose(one[0].rent, other[0].rent, atol=MET)


def test_switches_and_years_decide_cell_by_cell():
    """A quota that acts in one case and one year only; every cell as if it stood alone."""
    world, levels, room = binding()
    pulled_all = [(ON, quota(room, levels))]
    everywhere = settle(world, levels, pulled_all)
    shock = pulled_all[0][1]
    year = spread(np.array([0.0, 1.0, 0.0]), "year")
    some = Shock(quota=shock.quota * year, quota_limit=shock.quota_limit * year)
    change, settled = settle(world, levels, [(spread(np.array([0.0, 1.0]), "case"), some)])
    np.testing.assert_array_equal(settled.sales[..., 1, 1, :], everywhere[1].sales[..., 1, 1, :])
    nothing = settle(world, levels, [])[1]
    np.testing.assert_array_equal(settled.sales[..., 0, :, :],
                                  np.broadcast_to(nothing.sales, settled.sales.shape)[..., 0, :, :])
    assert not change.rent[..., 0, :].any()
    assert change.rent[LEF, RIG, TOOLS, 1, 1].all()


def test_moved_path_counts_against_the_quota():
    """Twice the trade by another cause fills the quota."""
    world, levels = trading()
    twice = Shock(level=spread(np.log(2.0)))
    moved = settle(world, levels, [(ON, quota(1.5, levels)), (ON, twice)])
    level = settle(world, 2.0 * levels, [(ON, quota(0.75, 2.0 * levels))])
    np.testing.assert_allclose(moved[1].sales, level[1].sales, atol=MET)
    assert moved[0].rent[LEF, RIG, TOOLS].all()


def test_only_what_exceeds_the_quota_is_solved_again():
    world, levels, room = binding()
    count = []
    settle(world, levels, [(ON, quota(room, levels))], count)
    cells = CASES * YEARS * 5
    assert count[1] == cells
    assert sum(count[2:]) <= 4 * cells  # secant steps to 1e-10


def test_two_importers_in_one_group_are_refused():
    world, levels = trading()
    both = [(ON, quota(0.5, levels)), (ON, quota(0.5, levels, importer=RIG, members=(LEF,)))]
    with pytest.raises(InputError, match="two importers have quotas in one group"):
        settle(world, levels, both)


def test_a_quota_that_cannot_be_met_is_an_error():
    world, levels, room = binding()
    pulled = [(ON, quota(room, levels))]
    once = once_in(world, levels, pulled)

    def jumps(take, margin):
        settled = once(take, margin)[1]
        return replace(settled, sales=0.0 * settled.sales + np.where(margin < 0.5, -1.0, 1.0))

    change, settled = once(lambda values: values, 1.0 + NONE)
    with pytest.raises(ConvergenceError, match=r"quota did not converge in draws? \d.*; "
                                               r"largest residual"):
        within_quotas(jumps, border_of(world, pulled), levels, pulled, change, settled)


def cells(**changes):
    numbers = {"product_share": 0.5, "quota_tonnes": 1000.0, "usd_per_tonne": 300.0,
               "price_growth": 0.02, "in_quota_rate": 0.0, "over_quota_rate": 0.1} | changes
    return {f"pact.quota.narrow.LEF.tools.{name}": np.full(5, value)
            for name, value in numbers.items()}


def agreement(world, scope="narrow", duty=0.2, **more):
    goods = spread(np.array([[0.0, 1.0, 1.0, 0.0], [0.0] * 4]), "importer", "exporter")
    shock = Shock(duty=0.5 * goods * duty)
    years = spread(np.array([2010.0, 2012.0]), "year")
    return with_quotas(shock, world, "pact", scope, goods, spread(0.5), years), shock


def test_quota_of_a_product_by_hand():
    world = replace(make_economy(), draws=make_economy().draws | cells())
    made, _ = agreement(world)
    duty = world.duty[LEF, RIG, TOOLS, 0, 0, 0]  # half of the group saves ten points, half in force
    assert made.quota[LEF, RIG, TOOLS, 0, 0, 0] == pytest.approx(
        min(0.5 * 0.05 / duty, 0.5 * 0.8))
    assert not made.quota[RIG].any()
    assert not made.quota[:, :, BREAD].any()
    assert not made.quota[:, FAR].any()
    np.testing.assert_allclose(made.quota_limit[LEF, 0, TOOLS, 0, :, 0],
                               [600e3, 600e3 * 1.02**2])  # 1,000 t at 300, half of what is sold
    assert not made.quota_limit[RIG].any()


def test_quota_removes_no_more_than_the_agreement_leaves():
    world = replace(make_economy(), draws=make_economy().draws | cells(over_quota_rate=3.0))
    made, shock = agreement(world)
    np.testing.assert_allclose((made.quota + shock.duty)[LEF, RIG, TOOLS], 0.5)
    dear = replace(world, draws=world.draws | cells(in_quota_rate=0.3))
    assert not agreement(dear)[0].quota.any()  # a quota that is no preference


def test_schedule_without_a_quota_stays_as_it_is():
    world = replace(make_economy(), draws=make_economy().draws | cells())
    made, shock = agreement(world, scope="wide")
    assert made is shock


def test_no_quota_before_the_agreement():
    """Its limit is zero too: a lever that does nothing yet must not look as if it acted."""
    world = replace(make_economy(), draws=make_economy().draws | cells())
    made = with_quotas(Shock(), world, "pact", "narrow", spread(np.ones((2, 4)), "importer",
                                                                "exporter"), spread(0.0),
                       spread(2010.0))
    assert not made.quota.any()
    assert not made.quota_limit.any()


HEAD = "lever,scope,importer,group,product,variable,value,low,high,unit,grade,source,url,note"
ROWS = {"product_share": "0.5,0.4,0.6", "quota_tonnes": "1000,500,2000",
        "usd_per_tonne": "300,200,400", "price_growth": "0.02,0,0.04",
        "in_quota_rate": "0,0,0", "over_quota_rate": "0.1,0.1,0.1"}
PAIR = SimpleNamespace(importers=("LEF",), groups={"tools": None}, exporters=("LEF", "RIG"),
                       lines=("tools",), routes={}, products={}, name=str)
LEVERS = {"pact": SimpleNamespace(name="pact", settings={}, applies={"scope": "narrow"})}


def read(tmp_path, scope="narrow", **changes):
    (tmp_path / "baseline").mkdir()
    rows = [f"pact,{scope},LEF,tools,hammers,{name},{values},unit,C,source,,"
            for name, values in (ROWS | changes).items() if values is not None]
    (tmp_path / QUOTAS.file).write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    return _cells(tmp_path, QUOTAS, PAIR, LEVERS)


def test_quotas_are_read_as_uncertain_numbers(tmp_path):
    found = read(tmp_path)
    assert len(found) == len(ROWS)
    tonnes = found["pact.quota.narrow.LEF.tools.quota_tonnes"]
    assert (tonnes.low, tonnes.distribution.value, tonnes.high) == (500, 1000, 2000)


@pytest.mark.parametrize(("changes", "message"), [
    ({"quota_tonnes": None}, "a quota without a quantity: row quota_tonnes missing"),
    ({"quota_tonnes": ",,"}, "quotas.csv:3: value: must not be empty"),
    ({"usd_per_tonne": None}, "a quota without a price that turns tonnes into value"),
    ({"quota_tones": "1,1,1"}, r"unknown variable 'quota_tones'; .*did you mean 'quota_tonnes'\?"),
    ({"product_share": "0.5,0,0.6"}, "product_share must lie above 0 and not above 1"),
    ({"product_share": "0.5,0.1,1.6"}, "product_share must lie above 0 and not above 1"),
    ({"in_quota_rate": "0.1,0,0.2"}, "in_quota_rate may be above over_quota_rate"),
    ({"scope": "narow"}, r"no schedule 'narow'; known: narrow; did you mean 'narrow'\?"),
])
def test_incomplete_quotas_are_refused(tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, **changes)


def test_a_calibration_needs_no_quotas(tmp_path):
    shutil.copytree(calibration_folder(), tmp_path / "calibration")
    (tmp_path / "calibration" / QUOTAS.file).unlink()
    known = Known.read(tmp_path / "calibration")
    assert not [name for name in known.parameters if ".quota." in name]
    assert [name for name in Known.read(calibration_folder()).parameters if ".quota." in name]


def test_runs_subsets_and_blocks_meet_the_same_quotas(base, monkeypatch):
    """The whole model, with a quota on wheat that binds in some draws and years."""
    tonnes = "eaeu_interim.quota.interim.MNG.wheat.quota_tonnes=150000"
    asked = ask("eaeu_interim", draws=40, seed=3, overrides=[tonnes, "horizon=2031"])
    draws = draw_all(base, asked.scenario, Cube.random(40, 3))
    start = prepare(base, asked.scenario, draws)
    found = start.settle({IMPLEMENTED: {"eaeu_interim": np.ones(40)}})
    group = base.pair.lines.index("wheat")
    rent = found.change.rent[base.pair.importers.index("MNG"), :, group].max(axis=0)
    duty = start.shocks["eaeu_interim"].whole().quota[0, :, group].max(axis=0) * 0.05
    assert (rent > 0).mean() > 0.3
    assert ((rent > 0) & (rent < 0.3 * duty)).any()
    whole = simulate(base, asked.scenario, draws)
    own = flows(base, asked.scenario, draws, all_subsets(1))
    first = next(iter(base.pair.counts))
    trade = whole["trade"].sum("group").sel(case=IMPLEMENTED, count=first)
    np.testing.assert_allclose(own.counted[0, -1],
                               trade.transpose("importer", "year", "draw"), rtol=1e-12)
    monkeypatch.setattr(model, "BLOCK", 7)
    again = simulate(base, asked.scenario, draws)
    for name in ("trade", "tariff_revenue", "consumer_surplus"):
        np.testing.assert_array_equal(again[name], whole[name])
