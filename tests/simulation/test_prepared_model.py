"""A prepared model gives the numbers of `simulate`, whatever was asked before."""

import numpy as np
import pytest

import tradesim as ts
from tradesim.common.errors import InputError
from tradesim.inputs.levers import Choice
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import overrides_of, read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation import model
from tradesim.simulation.draws import draw_all, standard_cases
from tradesim.simulation.model import load_baseline, simulate
from tradesim.simulation.prepared_model import TRADE, PreparedModel

DRAWS, SEED = 7, 3
ACCOUNTS = ("welfare", "tariff_revenue", "net_present_value")
PULLED = sorted(read.name for read in ts.levers().values())


def scenario_of(base, name, *texts):
    known = Known(base.parameters, base.levers, base.pair)
    return read_scenario(name, known, [*texts, f"draws={DRAWS}", f"seed={SEED}"])


def prepared(name, **settings):
    return ts.prepare(name, draws=DRAWS, seed=SEED, **settings)


def check(asked, base, name, settings, outputs=TRADE, off=()):
    """Compare an answer with a simulation from nothing."""
    found = asked.run(settings, outputs=outputs,
                      levers=[lever for lever in asked.asked(settings).levers if lever not in off])
    scenario = scenario_of(base, name, *overrides_of(settings))
    numbers = draw_all(base, scenario, Cube.random(DRAWS, SEED))
    cases = {case: {lever: 0.0 * switch if lever in off else switch
                    for lever, switch in by_lever.items()}
             for case, by_lever in standard_cases(base, scenario, numbers).items()}
    whole = simulate(base, scenario, numbers, cases, variables=outputs)
    for variable in outputs:
        assert found[variable].dims == whole[variable].dims
        np.testing.assert_array_equal(found[variable], whole[variable], f"{variable} {settings}")
    assert found.coords.equals(whole.coords)
    return found


@pytest.fixture(params=[256, 4])
def blocks(request, monkeypatch):
    monkeypatch.setattr(model, "BLOCK", request.param)


def value_of(setting):
    """Another value than a draw in the middle has."""
    if isinstance(setting, Choice):
        return list(setting.values)[-1]
    low, high = setting.distribution.support()
    if low == high or not np.isfinite(high):
        low, high = setting.low, setting.high
    value = max(setting.low, min(low + 0.8 * (high - low), setting.high))
    return round(value) if setting.integer else value


@pytest.mark.slow
@pytest.mark.parametrize("lever", PULLED)
def test_each_setting_of_each_lever_moves_what_it_moves(base, lever):
    first, own = base.levers[lever].follows, base.levers[lever].settings
    needed = {key: value_of(item) for key, item in own.items()
              if (not item.default if isinstance(item, Choice) else item.required)}
    settings = {lever: needed} | ({first: {}} if first else {})
    asked = prepared("corridor_closure", **settings)
    before = check(asked, base, "corridor_closure", settings)["turnover"].to_numpy()
    moved = []
    for key, setting in own.items():
        here = {**settings, lever: {**needed, key: value_of(setting)}}
        found = check(asked, base, "corridor_closure", here)["turnover"].to_numpy()
        moved.append(not np.array_equal(found, before))
    check(asked, base, "corridor_closure", settings)
    assert any(moved) or lever == "cross_border_tourism"  # visitors are no turnover


@pytest.mark.parametrize("outputs", [TRADE, ACCOUNTS])
def test_moves_one_after_the_other(base, blocks, outputs):
    asked = prepared("strategic_partnership")
    for settings in ({}, {"altai_road": {"start": 2029}}, {"altai_road": {"start": 2029},
                     "eaeu_interim": {"probability": 0.3}}, {"growth": "record"},
                     {"growth": "decade", "altai_road.km_saved": 700}, {"adjustment.speed": 0.2},
                     {"routes.choice": 8.0}, {"altai_road": None}, {"payments": {}},
                     {"horizon": 2031}, {"growth": {"MNG": 6.0}}, {}):
        check(asked, base, "strategic_partnership", settings, outputs)


def test_levers_are_switched_off(base, blocks):
    asked = prepared("strategic_partnership")
    for off in ((), ("altai_road",), ("eaeu_interim", "direct_flights"), ()):
        check(asked, base, "strategic_partnership", {}, off=off)
        check(asked, base, "strategic_partnership", {}, ACCOUNTS, off)


def test_stages_of_an_agreement_move_together(base):
    asked = prepared("eaeu_fta")
    for settings in ({}, {"eaeu_interim.start": 2028}, {"eaeu_fta.start": 2033},
                     {"eaeu_interim.utilisation": 0.9}):
        check(asked, base, "eaeu_fta", settings)


def test_a_closure_moves_with_everything(base):
    asked = prepared("corridor_closure", closure="one_sector")
    for settings in ({}, {"imbalances": "additive"}, {"closure": "none"}):
        check(asked, base, "corridor_closure", {"closure": "one_sector", **settings})


def test_what_does_not_move_is_not_solved_again(base):
    asked = PreparedModel.of(base, scenario_of(base, "strategic_partnership"),
                             "strategic_partnership", [f"draws={DRAWS}", f"seed={SEED}"])
    asked.run()
    everything = asked._blocks[0].solved.solved
    asked.run()
    assert asked._blocks[0].solved.solved == 0
    asked.run(["altai_road.start=2033"])
    assert 0 < asked._blocks[0].solved.solved < everything / 2
    kept = asked._blocks[0].before.start
    asked.run(["altai_road.start=2034"])
    now = asked._blocks[0].before.start
    assert kept.levels is now.levels
    same = {name for name, shock in now.shocks.items()
            if shock is kept.shocks[name]}
    assert set(now.shocks) - same == {"altai_road"}


def test_only_the_cases_asked_for():
    found = prepared("direct_flights").run(cases=["scenario"])
    assert found["case"].to_numpy().tolist() == ["scenario"]


def test_what_is_not_possible_is_refused():
    asked = prepared("direct_flights")
    with pytest.raises(InputError, match=r"outputs: turnovr: unknown.*did you mean 'turnover'"):
        asked.run(outputs=["turnovr"])
    with pytest.raises(InputError, match="levers: road: unknown"):
        asked.run(levers=["road"])
    with pytest.raises(InputError, match="cases: never: unknown; known: reference, scenario"):
        asked.run(cases=["never"])
    with pytest.raises(InputError, match=r"direct_flights\.strat.*did you mean"):
        asked.run({"direct_flights.strat": 2030})
    with pytest.raises(InputError, match="settings: seed: is 3 since the model was prepared"):
        asked.run({"seed": 4})


def test_it_says_what_it_is():
    assert repr(prepared("direct_flights")) == (
        "<tradesim.PreparedModel> direct_flights, 7 draws, 1 levers")


def test_another_calibration(tmp_path, base):
    asked = ts.prepare("base", draws=2, calibration=base.folder)
    assert asked.base is load_baseline(base.folder) or asked.base.folder == base.folder
