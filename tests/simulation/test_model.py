"""The whole model on the calibration that comes with it: pairing, risk, independence."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tradesim.common.arrays import spread
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.economy.variables import ASSUMED
from tradesim.inputs import baseline
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.reference.projection import reference_path
from tradesim.simulation import model
from tradesim.simulation.draws import draw_all, standard_cases, years_of
from tradesim.simulation.model import load_baseline, run, simulate
from tradesim.simulation.summary import headline

DRAWS = 60


def read(base, name, *overrides):
    return read_scenario(name, Known(base.parameters, base.levers, base.pair), overrides)


def results(base, name, *overrides, draws=DRAWS, seed=3):
    scenario = read(base, name, *overrides)
    return simulate(base, scenario, draw_all(base, scenario, Cube.random(draws, seed)))


@pytest.fixture(scope="module")
def everything(base):
    return results(base, "all_levers")


def test_same_seed_same_bytes(base, everything):
    again = results(base, "all_levers")
    for name, values in everything.data_vars.items():
        assert values.to_numpy().tobytes() == again[name].to_numpy().tobytes(), name


def test_results_do_not_depend_on_blocks(base, everything, monkeypatch):
    monkeypatch.setattr(model, "BLOCK", 7)
    other = results(base, "all_levers")
    for name, values in everything.data_vars.items():
        assert values.to_numpy().tobytes() == other[name].to_numpy().tobytes(), name


def test_the_assumed_part_is_the_difference_to_draws_without_cuts(base, monkeypatch):
    monkeypatch.setattr(model, "BLOCK", 7)
    scenario = read(base, "eaeu_fta")
    draws = draw_all(base, scenario, Cube.random(20, 5))
    uncut = draws | {"eaeu_fta.nontariff_cut": np.zeros(20)}
    whole, bare = (simulate(base, scenario, some, variables=("turnover",))["turnover"]
                   for some in (draws, uncut))
    for names in ((ASSUMED,), (ASSUMED, "trade")):  # with turnover or without
        found = simulate(base, scenario, draws, variables=names)
        assert set(found) == set(names)
        np.testing.assert_array_equal(found[ASSUMED], whole - bare)
    assert (whole - bare).any()
    again = simulate(base, read(base, "eaeu_fta", "eaeu_fta.nontariff_cut=0"), draws,
                     variables=(ASSUMED,))  # what is drawn counts, not what the scenario says
    np.testing.assert_array_equal(again[ASSUMED], whole - bare)
    assert not set(simulate(base, scenario, uncut, variables=(ASSUMED,)))


def test_variables_that_a_closure_leaves_out_leave_nothing(base):
    scenario = read(base, "eaeu_fta", "closure=one_sector")
    draws = draw_all(base, scenario, Cube.random(3, 1))
    assert not set(simulate(base, scenario, draws, variables=("consumer_surplus",)))
    both = simulate(base, scenario, draws, variables=("consumer_surplus", ASSUMED))
    assert set(both) == {ASSUMED}
    with pytest.raises(KeyError, match="turnovr"):
        simulate(base, scenario, draws, variables=("turnovr",))


def test_more_draws_keep_the_first_ones(base, everything):
    fewer = results(base, "all_levers", draws=20)
    np.testing.assert_array_equal(everything["turnover"].isel(draw=slice(0, 20)),
                                  fewer["turnover"])


def test_reference_is_the_same_under_every_scenario(base, everything):
    alone = results(base, "direct_flights")
    for name in ("turnover", "imports", "tariff_revenue"):
        np.testing.assert_array_equal(everything[name].sel(case="reference"),
                                      alone[name].sel(case="reference"))


def test_a_lever_draws_the_same_numbers_in_company(base):
    together, alone = read(base, "all_levers"), read(base, "road_through_russia")
    cube = Cube.random(DRAWS, 3)
    many, few = draw_all(base, together, cube), draw_all(base, alone, cube)
    assert set(few) < set(many)
    for name in few:
        np.testing.assert_array_equal(many[name], few[name])


def test_no_lever_no_change(base):
    plain = results(base, "base")
    for name in plain.data_vars:
        for case in ("scenario", "if_implemented"):
            np.testing.assert_array_equal(plain[name].sel(case=case),
                                          plain[name].sel(case="reference"))


def test_draws_in_which_a_lever_fails_are_the_reference(base):
    scenario = read(base, "road_through_russia")
    draws = draw_all(base, scenario, Cube.random(DRAWS, 3))
    found = simulate(base, scenario, draws)["turnover"]
    happens = standard_cases(base, scenario, draws)["scenario"]["altai_road"] > 0
    assert 0 < happens.sum() < DRAWS
    np.testing.assert_array_equal(found.sel(case="scenario").isel(draw=~happens),
                                  found.sel(case="reference").isel(draw=~happens))
    np.testing.assert_array_equal(found.sel(case="scenario").isel(draw=happens),
                                  found.sel(case="if_implemented").isel(draw=happens))


def test_certain_levers_leave_no_risk(base):
    found = results(base, "eaeu_fta", "eaeu_fta.probability=1",
                    "eaeu_interim.probability=1")["turnover"]
    np.testing.assert_array_equal(found.sel(case="scenario"), found.sel(case="if_implemented"))


def test_a_closed_corridor_stops_what_passes_through_it(base):
    scenario = read(base, "road_through_russia", "corridor.disruption_probability=0.5",
                    "corridor.closed_given_disrupted=0.5", "corridor.closed_share_closed=1",
                    "altai_road.start=2028", "altai_road.delay=0")
    draws = draw_all(base, scenario, Cube.random(DRAWS, 3))
    years = years_of(base, scenario)
    share = reference_path(base, draws, years).closed_share
    closed, opened = share == 1.0, share == 0.0
    late = np.array(years) >= 2030
    found = simulate(base, scenario, draws)["turnover"].sel(count="kazakh")
    effect = (found.sel(case="if_implemented") - found.sel(case="reference")).to_numpy()
    assert (closed & late).sum() > 10
    assert (effect[closed & late] == 0.0).all()
    assert (effect[opened & late] > 0.0).all()


def test_counts_differ_by_the_bias_of_the_posterior(base):
    scenario = read(base, "base")
    draws = draw_all(base, scenario, Cube.random(DRAWS, 3))
    trade = simulate(base, scenario, draws)["trade"].sel(case="reference").sum("group")
    ratio = (trade.sel(count="mongolian") / trade.sel(count="kazakh")).to_numpy()
    expected = np.exp(draws["posterior.bias"])[:, None, :]
    np.testing.assert_allclose(ratio, np.broadcast_to(expected, ratio.shape), rtol=1e-10)


def test_reference_flow_is_the_projected_one(base):
    scenario = read(base, "base")
    draws = draw_all(base, scenario, Cube.random(DRAWS, 3))
    flow = np.exp(reference_path(base, draws, years_of(base, scenario)).log_flow)
    trade = simulate(base, scenario, draws)["trade"].sel(case="reference", count="kazakh")
    np.testing.assert_allclose(trade.sum("group"), flow, rtol=1e-10)


def test_third_countries_sales_grow_with_the_importers_gdp(base):
    scenario = read(base, "base")
    draws = draw_all(base, scenario, Cube.random(10, 3))
    start, path = model.prepare(base, scenario, draws), reference_path(
        base, draws, years_of(base, scenario))
    grown = np.exp(spread(path.log_growth, "draw", "year", "importer"))
    others = 1.0 - start.world.pair_flow
    np.testing.assert_allclose(start.levels * others, start.world.sales * grown * others,
                               rtol=1e-12)
    assert np.ptp(grown) > 0.1


def test_the_common_scale_acts_on_what_an_elasticity_has_above_one(base):
    scenario = read(base, "base")
    draws = draw_all(base, scenario, Cube.random(10, 3))
    world = model.prepare(base, scenario, draws).world
    for index, line in enumerate(base.pair.lines):
        if f"elasticity.upper.{line}" in draws:
            continue  # no closer to home goods than suppliers are to each other
        own = draws.get(f"elasticity.lower.{line}",
                        draws[f"elasticity.lower.{base.pair.group_of(line)}"])
        above_one = draws["elasticity.scale"] * (own - 1.0)
        np.testing.assert_allclose(world.lower[0, 0, index, 0, 0] - 1.0, above_one, rtol=1e-12)


@pytest.mark.parametrize(("name", "low", "high"), [
    ("road_through_russia", "altai_road.km_saved=200", "altai_road.km_saved=700"),
    ("eaeu_fta", "eaeu_interim.utilisation=0.3", "eaeu_interim.utilisation=0.9"),
    ("tsagaannuur_free_zone", "tsagaannuur_free_zone.uptake=0.1",
     "tsagaannuur_free_zone.uptake=0.4"),
    ("direct_flights", "direct_flights.weekly_flights=1", "direct_flights.weekly_flights=7"),
    ("border_facilitation", "border_facilitation.queue_days_saved=0.1",
     "border_facilitation.queue_days_saved=2"),
])
def test_more_of_a_lever_is_more_trade(base, name, low, high):
    def effect(override):
        found = results(base, name, override)["turnover"].sel(year=2035)
        return found.sel(case="if_implemented") - found.sel(case="reference")
    less, more = effect(low), effect(high)
    assert (more >= less).all()
    assert float(more.mean()) > float(less.mean())


def test_a_point_run_is_one_draw_in_the_middle(base):
    scenario = read(base, "all_levers")
    found = simulate(base, scenario, draw_all(base, scenario, Cube.point()))
    assert found.sizes["draw"] == 1
    assert found.attrs["max_residual"] < 1e-11


def test_cases_can_be_asked_for(base):
    scenario = read(base, "all_levers")
    draws = draw_all(base, scenario, Cube.random(300, 3))
    off = dict.fromkeys(scenario.levers, np.array(0.0))
    only_road = off | {"altai_road": np.array(1.0)}
    found = simulate(base, scenario, draws, {"road": only_road, "reference": off})
    assert list(found["case"].values) == ["road", "reference"]
    gain = found["turnover"].sel(case="road") - found["turnover"].sel(case="reference")
    closed = reference_path(base, draws, years_of(base, scenario)).closed_share > 0.0
    assert closed.any()
    assert (gain.transpose("count", "draw", "year").to_numpy()[:, ~closed] >= 0.0).all()
    assert gain.to_numpy().min() < 0.0  # a closure takes more where more goods take the road


def test_errors_of_gdp_have_the_drawn_correlation(base):
    scenario = read(base, "base", "gdp.error_correlation=0.4", "gdp.error_sd.MNG=0.1",
                    "gdp.error_sd.KAZ=0.1")
    drawn = dict(draw_all(base, scenario, Cube.random(4000, 3)))
    growth = reference_path(base, drawn, years_of(base, scenario)).log_growth[:, 0]
    assert np.corrcoef(growth.T)[0, 1] == pytest.approx(0.4, abs=0.05)  # 4 standard errors


def test_one_draw_is_the_middle_whatever_the_seed():
    one, other = run("eaeu_fta", draws=1, seed=1), run("eaeu_fta", draws=1, seed=2)
    np.testing.assert_array_equal(one["turnover"], other["turnover"])


def test_horizon_shortens_a_run_without_moving_it(base, everything):
    short = results(base, "all_levers", "horizon=2030")
    np.testing.assert_allclose(short["turnover"], everything["turnover"].sel(
        year=slice(2025, 2030)), rtol=1e-12)


def test_unknown_count_is_refused():
    with pytest.raises(InputError, match=r"--count: kazak: unknown count; known: kazakh, "
                                         r"mongolian; did you mean 'kazakh'\?"):
        run("base", draws=5, count="kazak")


def test_run_carries_what_identifies_it():
    found = run("eaeu_fta", draws=5, seed=9, overrides=["eaeu_fta.start=2028"])
    other = run("eaeu_fta", draws=5, seed=9)
    assert found.attrs["command"] == ("tradesim run eaeu_fta --set eaeu_fta.start=2028 "
                                      "--draws 5 --seed 9")
    assert len(found.attrs["run_id"]) == 16
    assert found.attrs["run_id"] != other.attrs["run_id"]
    assert run("eaeu_fta", draws=5, seed=9).attrs["run_id"] == other.attrs["run_id"]


def test_the_command_names_another_calibration(tmp_path):
    shipped = run("eaeu_fta", draws=5, calibration=calibration_folder())
    assert shipped.attrs["command"] == "tradesim run eaeu_fta --draws 5"
    folder = tmp_path / "my data"
    shutil.copytree(calibration_folder(), folder)
    assert run("eaeu_fta", draws=5, calibration=folder).attrs["command"] == (
        f"tradesim run eaeu_fta --draws 5 --calibration '{folder}'")


def test_a_posterior_older_than_the_base_year_is_refused(tmp_path, base):
    old = base.posterior.assign_attrs(as_of=2015)
    folder = tmp_path / "calibration"
    shutil.copytree(base.folder, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline, "read_posterior", lambda _: old)
        with pytest.raises(InputError, match=r"posterior\.nc: was fitted to data up to 2015, "
                                             r"before the base year 2023 of the markets; run"):
            load_baseline(folder)


def test_a_run_starts_after_the_fitted_data(base):
    old = base.posterior.assign_attrs(as_of=2023)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(baseline, "read_posterior", lambda _: old)
        earlier = load_baseline(base.folder)
    assert years_of(earlier, read(earlier, "base"))[0] == 2024
    assert results(earlier, "base", draws=4).sizes["year"] == 12


def test_progress_reaches_the_end(base):
    steps = []
    scenario = read(base, "base")
    simulate(base, scenario, draw_all(base, scenario, Cube.random(300, 1)),
             progress=lambda done, all_: steps.append((done, all_)))
    assert steps == [(256, 300), (300, 300)]


def test_spread_of_a_scalar_has_all_axes():
    assert spread(2.0).shape == (1, 1, 1, 1, 1, 1)


def test_a_project_alone_changes_trade_and_no_price(base):
    """What no lever touches has no case of its own, and is the same in all."""
    found = results(base, "critical_minerals", "critical_minerals.probability=0.5")
    assert found["project_trade"].sel(case="if_implemented", year=2035).mean() > 0.0
    assert not found["consumer_surplus"].any()


@pytest.mark.parametrize(("lever", "buyer", "settings", "expected"), [
    ("gold_refinery", "KAZ", {"quantity": 25, "price": 62.4e6, "joint_quantity": 50,
                              "joint_price": 0.75e6, "partner_share": 0.5}, 798.75e6),
    ("ferrosilicon_plant", "KAZ", {"quantity": 20000, "price": 1300, "partner_share": 0.25}, 6.5e6),
    ("medicines", "MNG", {"quantity": 165e6, "partner_share": 0.02}, 3.3e6),
])
def test_named_projects_by_hand(base, lever, buyer, settings, expected):
    given = {"start": 2030, "delay": 0, "phase_in": 1, "probability": 1, **settings}
    asked = [f"{lever}.{key}={value}" for key, value in given.items()]
    by_draw = results(base, "base", *asked, draws=20)["project_trade"].sel(case="if_implemented")
    found = by_draw.max("draw")  # with the corridor open
    np.testing.assert_allclose(found.sel(importer=buyer, year=[2030, 2035]), expected, rtol=1e-9)
    assert found.sum() == found.sel(importer=buyer, year=slice(2030, None)).sum()


def test_visitors_pay_for_services_and_for_no_turnover(base):
    still = results(base, "tourism", "direct_flights.information_cut=0")
    moved = (still.sel(case="if_implemented") - still.sel(case="reference")).sel(year=2035)
    assert (moved["services"].sel(service="tourism") > 0.0).any("draw").all()
    assert not moved["services"].drop_sel(service="tourism").any()
    assert not moved["turnover"].any()
    assert not moved["trade"].any()
    assert not moved["welfare"].any()
    assert not moved["trade_share"].any()


def test_the_probability_is_that_of_the_scenarios_own_goal():
    found = run("first_goal", draws=DRAWS)
    assert found.attrs["target_value"] == 130e6
    front = headline(found)["target"]
    assert front["value"] == 130e6
    reached = found["turnover"].sel(count="kazakh", year=2030, case="reference") >= 130e6
    assert front["probability"]["2030"]["reference"] == float(reached.mean())
    official = headline(run("base", draws=DRAWS))["target"]
    assert official["value"] == 500e6
    assert official["probability"]["2030"]["reference"] < float(reached.mean())
