"""The emulator of the explorer against the model that it stands in for."""

from dataclasses import replace

import numpy as np
import pytest

from small_explorer import DRAWS, LEVERS, small_explorer
from tradesim.common.errors import InputError
from tradesim.inputs.parameters import Cube
from tradesim.simulation.draws import SCENARIO, draw_all, happening
from tradesim.simulation.model import ask, simulate
from tradesim.studies.explore import build, check
from tradesim.studies.explore.cards import Package, Pull
from tradesim.studies.explore.check import solve, success
from tradesim.studies.explore.emulator import Packed, Path
from tradesim.studies.explore.engine import Engine

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@pytest.fixture(scope="module")
def explorer():
    return small_explorer()


@pytest.fixture(scope="module")
def engine(explorer):
    levers = list(explorer.emulator.cards)
    return Engine.of(explorer.base, explorer.scenario, explorer.count, levers)


def preset(explorer, name):
    return next(found.package for found in explorer.presets if found.name == name)


def both(explorer, engine, package):
    """Turnover with the levers, by the emulator and by the model; (year, draw)."""
    every = np.arange(engine.size)[None]
    emulated = explorer.emulator.flows(package)[1].sum(axis=0)
    return emulated, solve(engine, explorer.emulator.cards, [package], every)[1][:, 0]


@pytest.mark.parametrize("name", ["eaeu_fta", "food_security", "energy", "corridor_closure",
                                  "road_through_russia"])
def test_scenarios_that_come_with_tradesim_are_met(explorer, engine, name):
    emulated, solved = both(explorer, engine, preset(explorer, name))
    ratio = np.quantile(emulated, QUANTILES, axis=1) / np.quantile(solved, QUANTILES, axis=1)
    assert np.abs(ratio - 1.0)[:, -1].max() < 0.02
    assert np.abs(ratio - 1.0).mean() < 0.007
    assert np.abs((emulated >= 500.0).mean(axis=1) - (solved >= 500.0).mean(axis=1)).max() <= 0.012
    moved = solved[-1].mean() - explorer.emulator.flows(Package())[1][:, -1].sum(axis=0).mean()
    assert abs(emulated[-1].mean() - solved[-1].mean()) < 0.1 * abs(moved)


def test_the_model_solved_is_that_of_a_run(explorer):
    """`solve`, which the check and the live page use, gives the numbers of `simulate`."""
    scenario, described = ask(explorer.base, "eaeu_fta", draws=DRAWS)
    draws = draw_all(explorer.base, scenario, Cube.random(DRAWS, scenario.seed))
    run = simulate(explorer.base, scenario, draws)["turnover"].sel(
        count=described["count"], case=SCENARIO).transpose("year", "draw")
    engine = Engine.of(explorer.base, explorer.scenario, explorer.count,
                       list(explorer.emulator.cards))
    package = preset(explorer, "eaeu_fta")
    solved = solve(engine, explorer.emulator.cards, [package], np.arange(DRAWS)[None])[1][:, 0]
    np.testing.assert_allclose(solved, run.to_numpy() / 1e6, rtol=1e-9)
    for name in package.pulls:
        np.testing.assert_array_equal(success(engine, explorer.emulator.cards, package, name),
                                      happening(explorer.base, draws, name) > 0)


@pytest.mark.parametrize("growth", ["published", "record", "decade", {"MNG": 2.0, "KAZ": 7.5},
                                    {"KAZ": 0.0}])
def test_growth_moves_the_reference_exactly(explorer, engine, growth):
    package = Package(growth=growth)
    every = np.arange(engine.size)[None]
    emulated = explorer.emulator.flows(package)[0].sum(axis=0)
    solved = solve(engine, explorer.emulator.cards, [package], every)[0][:, 0]
    np.testing.assert_allclose(emulated, solved, rtol=1e-3)


def test_levers_come_about_in_the_draws_of_the_model(explorer, engine):
    package = preset(explorer, "eaeu_fta")
    for name in package.pulls:
        differ = (explorer.emulator.happens(package.pulls, name)
                  != success(engine, explorer.emulator.cards, package, name))
        assert differ.sum() <= 1


def test_a_later_start_moves_the_effect_to_later_years(explorer):
    def effect(start):
        package = Package({"altai_road": Pull(0, start, 1.0)})
        without, found = explorer.emulator.flows(package)
        return np.log(found / without)[0]

    early, late = effect(2029), effect(2032)
    before = explorer.emulator.years.index(2032)
    assert np.abs(late[:before]).max() == 0.0
    open_years = explorer.emulator.open_effect.values[-4:] > 0.99
    always = open_years.all(axis=0)
    np.testing.assert_allclose(late[-3:, always], early[-6:-3, always], atol=0.01)


def test_a_fixed_strength_is_met(explorer, engine):
    for name, value in (("veterinary_recognition", 0.15), ("investment", 20.0)):
        assert explorer.emulator.cards[name].strength
        emulated, solved = both(explorer, engine, Package({name: Pull(0, 2027, 1.0, value)}))
        assert abs(np.median(emulated[-1]) / np.median(solved[-1]) - 1.0) < 0.01


def test_a_later_stage_needs_the_first(explorer):
    emulator = explorer.emulator
    pulls = {"eaeu_interim": Pull(0, 2026, 0.0), "eaeu_fta": Pull(0, 2029, 1.0)}
    assert not emulator.happens(pulls, "eaeu_fta").any()


def test_pairs_are_kept_where_they_matter(explorer):
    """Without what pairs add, two levers that sell the same goods would be counted twice."""
    package = Package({name: Pull(0, 2027, 1.0) for name in ("veterinary_recognition",
                                                             "investment")})
    factor = explorer.emulator.pairs["veterinary_recognition", "investment"]
    assert factor[1] < -0.2
    alone = replace(explorer.emulator, pairs={})
    assert (alone.flows(package)[1][1, -1].mean()
            > 1.02 * explorer.emulator.flows(package)[1][1, -1].mean())


def test_errors_are_measured_and_small(explorer):
    quantile, chance = explorer.accuracy.mean
    assert 0.0 < quantile < check.LARGEST_QUANTILE
    assert 0.0 < chance < check.LARGEST_CHANCE


def test_an_emulator_too_far_from_the_model_is_refused_with_the_lever(explorer, engine):
    effects = dict(explorer.emulator.effects)
    wrong = effects["altai_road"][0]
    path = next(path for path in wrong.paths if path)
    effects["altai_road"] = (replace(wrong, paths=tuple(
        Path(8.0 * path.courses, path.mix) if one else None for one in wrong.paths)),)
    packages = check.random_packages(explorer.emulator.cards, engine.years,
                                     explorer.base.pair.importers, 1, 40)
    found = check.measure(replace(explorer.emulator, effects=effects), engine, packages, 500.0)
    with pytest.raises(InputError, match=r"off the model .* 'altai_road'"):
        build._near_enough(found, explorer.emulator.cards)


def test_packing_keeps_four_digits():
    values = np.random.default_rng(1).normal(size=1000)
    np.testing.assert_allclose(Packed.of(values).values, values, atol=2e-4)
    assert Packed.of(np.zeros(3)).values.tolist() == [0.0, 0.0, 0.0]


def test_every_lever_asked_for_has_a_card(explorer):
    assert tuple(explorer.emulator.cards) == LEVERS
    guarded = explorer.emulator.cards["eaeu_fta"].variants[1]
    assert dict(guarded.settings) == {"scope": "guarded"}


def test_scenarios_that_no_card_can_show_are_named(explorer):
    assert "direct_flights" in explorer.left_out
    assert "eaeu_fta" not in explorer.left_out
