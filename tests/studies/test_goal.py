"""What it would take: search, bounds, round trips, first years, errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.common.errors import InputError
from tradesim.reports.goal import outward, verdict
from tradesim.simulation.model import run
from tradesim.studies import goal as module
from tradesim.studies.goal import GROWTH_BOUND, _Search, goal, movable
from tradesim.studies.goal_answer import TOGETHER, Move
from tradesim.studies.study import ask

DRAWS = 200
TARGET = 260e6
LEVERS = ("eaeu_fta.probability", "eaeu_fta.nontariff_cut", "eaeu_fta.start")


@pytest.fixture(scope="module")
def best():
    """Give the highest probability that each setting reaches by itself."""
    answer = goal("eaeu_fta", target=TARGET, draws=DRAWS, vary=LEVERS, probability=0.999)
    return {move.label: move.best[1] for move in answer.moves}


@pytest.fixture(scope="module")
def answer(best):
    """Ask for a little less than both settings but the start can reach alone."""
    asked = min(best[name] for name in LEVERS[:2]) - 0.5 / DRAWS
    return goal("eaeu_fta", target=TARGET, draws=DRAWS, vary=[*LEVERS, "growth"],
                probability=asked)


def of(answer, label):
    return next(move for move in answer.moves if move.label == label)


class Toy(_Search):
    """A search whose chance is a function given, instead of the model."""

    def __init__(self, chance, probability):
        self.probability, self.function, self.today = probability, chance, np.zeros(1000)
        self.calls = 0

    def chance(self, settings):
        self.calls += 1
        return float(self.function(*settings.values()))


def searched(chance, probability, now=0.0, low=0.0, high=10.0, **given):
    toy = Toy(chance, probability)
    return toy._searched(("x",), "units", now, np.linspace(low, high, 5), lambda x: {"x": x},
                         **given)


# The search, on toys.

def test_linear_chance_is_solved():
    move = searched(lambda x: 0.05 * x, 0.31)
    assert move.found == pytest.approx(6.2, abs=10 * module.PRECISION)
    assert 0.05 * move.found >= 0.31
    assert not move.turns
    assert move.settings == {"x": move.found}


def test_falling_chance_is_solved_from_above():
    move = searched(lambda x: 1.0 - 0.05 * x, 0.81, now=10.0)
    assert move.found == pytest.approx(3.8, abs=10 * module.PRECISION)
    assert 1.0 - 0.05 * move.found >= 0.81


def test_steps_of_single_draws_are_met_on_the_right_side():
    def step(x):
        return np.floor(x * 37) / 1000

    for asked in (0.1, 0.1234, 0.2, 0.369):
        move = searched(step, asked)
        assert step(move.found) >= asked
        assert step(move.found - 20 * module.PRECISION) < asked


def test_out_of_reach_says_how_close():
    move = searched(lambda x: 0.3 + 0.01 * x, 0.5)
    assert move.found is None
    assert move.best == (10.0, pytest.approx(0.4))
    assert move.settings == {"x": 10.0}
    assert verdict(move) == "not reachable within its plausible range; at best 40 % (at 10.0)"


def test_response_that_turns_is_said_and_still_solved():
    move = searched(lambda x: 0.6 - 0.02 * (x - 5.0)**2, 0.55)
    assert move.turns
    assert "does not only rise" in verdict(move)
    assert move.found == pytest.approx(5.0 - np.sqrt(2.5), abs=10 * module.PRECISION)


def test_one_draw_does_not_make_a_turn():
    assert not Move(("x",), "", 0, (0, 1, 2), (0.5, 0.499, 0.6), None, {}, noise=0.002).turns
    assert Move(("x",), "", 0, (0, 1, 2), (0.5, 0.49, 0.6), None, {}, noise=0.002).turns


def test_whole_numbers_stay_whole():
    move = searched(lambda x: 0.1 * x, 0.36, high=8.0, whole=True)
    assert move.found == 4.0
    assert searched(lambda x: 0.1 * x, 0.11, high=8.0, whole=True).found == 2.0


def test_of_two_ways_the_nearer_is_taken():
    assert searched(lambda x: abs(x - 5.0) / 10, 0.25, now=6.0).found == pytest.approx(7.5)


# On the model.

def test_giving_the_answer_back_gives_the_probability(answer):
    for name in LEVERS[:2]:
        move = of(answer, name)
        assert move.found is not None
        for value, reached in ((move.found, True), (move.now, False)):
            again = run("eaeu_fta", draws=DRAWS, overrides=[f"{name}={value!r}"])
            turnover = again["turnover"].sel(count="kazakh", year=2035, case="scenario")
            chance = float((turnover >= TARGET).mean())
            assert (chance >= answer.probability) == reached
            if reached:
                assert chance == move.chances[move.tried.index(move.found)]
                assert chance <= answer.probability + 1.5 / DRAWS


def test_moving_together_gives_the_probability(answer):
    move = of(answer, TOGETHER)
    again = run("eaeu_fta", draws=DRAWS, overrides=[
        f"{name}={round(value) if value > 2000 else repr(value)}"
        for name, value in move.settings.items()])
    turnover = again["turnover"].sel(count="kazakh", year=2035, case="scenario")
    chance = float((turnover >= TARGET).mean())
    assert chance == move.chances[move.tried.index(move.found)] >= answer.probability
    assert 0.0 < move.found < 1.0


def test_every_value_tried_is_what_the_model_says(answer):
    move = of(answer, "eaeu_fta.start")
    for value, chance in zip(move.tried, move.chances, strict=True):
        again = run("eaeu_fta", draws=DRAWS, overrides=[f"eaeu_fta.start={round(value)}"])
        turnover = again["turnover"].sel(count="kazakh", year=2035, case="scenario")
        assert float((turnover >= TARGET).mean()) == chance


def test_out_of_reach_on_the_model_too(best):
    asked = best["eaeu_fta.start"] + 0.5 / DRAWS
    move, = goal("eaeu_fta", target=TARGET, draws=DRAWS, vary=["eaeu_fta.start"],
                 probability=asked).moves
    assert move.found is None
    assert move.best[1] == best["eaeu_fta.start"] < asked
    assert all(value == int(value) for value in move.tried)


def test_growth_shifts_the_reference_path():
    """Trade that grows faster by g is larger by (1 + g) to the power of the years ahead."""
    study = ask("base", draws=20)
    search = _Search(study, 1e9, 2030, 0.5, "scenario")
    grown = search._turnover(search.scenario, 0.03)
    np.testing.assert_allclose(grown, search.today * 1.03**6, rtol=1e-12)
    search.target = float(np.median(grown))
    assert search.chance({"growth": 3.0}) == 0.5 > search.now


def test_growth_reaches_the_target(answer):
    move = of(answer, "growth")
    assert 0.0 < move.found < 5.0
    assert move.tried[-1] == GROWTH_BOUND
    assert not move.turns


def test_certain_levers_are_likelier(answer):
    sure = _Search(ask("eaeu_fta", draws=DRAWS), TARGET, 2035, 0.5, "if_implemented")
    again = run("eaeu_fta", draws=DRAWS)
    turnover = again["turnover"].sel(count="kazakh", year=2035, case="if_implemented")
    assert sure.now == float((turnover >= TARGET).mean()) > answer.now


def test_first_years_are_those_of_the_run(answer):
    turnover = run("eaeu_fta", draws=DRAWS)["turnover"].sel(count="kazakh")
    for first in answer.first_years:
        hit = (turnover.sel(case=first.case) >= TARGET).transpose("draw", "year").to_numpy()
        years = [2025 + int(row.argmax()) for row in hit if row.any()]
        assert first.never == pytest.approx(1.0 - len(years) / DRAWS)
        for year, share in ((first.p10, 0.1), (first.p50, 0.5), (first.p90, 0.9)):
            assert year in years
            assert np.mean(np.array(years) < year) < share <= np.mean(np.array(years) <= year)


def test_target_out_of_every_reach():
    found = goal("base", draws=20, target=1e12, vary=["growth"])
    assert found.moves[0].found is None
    assert found.first_years[0].p50 is None
    assert found.first_years[0].never == 1.0


def test_everything_that_can_move_is_moved_by_default():
    study = ask("direct_flights", draws=5)
    names = movable(study, [])
    assert names[-1] == "growth"
    assert len(names) == 1 + len(study.base.levers["direct_flights"].parameters)


@pytest.mark.parametrize(("value", "now", "text"), [
    (0.83639, 0.5, "0.837"), (0.83631, 0.9, "0.836"), (2028.0, 2030.0, "2028"),
    (0.0, 1.0, "0"), (4.001, 1.0, "4.01")])
def test_answers_are_rounded_so_that_they_are_enough(value, now, text):
    assert outward(value, now, "year" if value > 2000 else "share") == text


# Bad input.

@pytest.mark.parametrize(("path", "given", "message"), [
    ("base", {"target": 1e6}, r"--target: 1e\+06: is already reached in 2035 with probability 1"),
    ("base", {"target": 500.0}, "targets are in USD, such as 500e6"),
    ("base", {"probability": 0.1}, "already reached in 2035 with probability 0.[12]"),
    ("base", {"probability": 0.0}, "--probability: 0: must lie between 0 and 1"),
    ("base", {"probability": 1.0}, "must lie between 0 and 1"),
    ("base", {"target": -5.0}, "--target: -5: must be an amount above zero"),
    ("base", {"year": 2050}, "--year: 2050: is outside the run, .* 2025 to 2035"),
    ("base", {"vary": ["eaeu_interim.utilisation"]},
     "does not pull lever 'eaeu_interim'; add it"),
    ("eaeu_fta", {"vary": ["eaeu_interim.utilization"]},
     "did you mean 'eaeu_interim.utilisation'"),
    ("eaeu_fta", {"vary": ["eaeu_fta.scope"]}, "cannot be moved: it is a choice between full"),
    ("eaeu_fta", {"vary": ["grwth"]}, "did you mean 'growth'"),
    ("eaeu_fta", {"count": "mongol"}, "unknown count"),
])
def test_bad_input_is_named(path, given, message):
    with pytest.raises(InputError, match=message):
        goal(path, **({"draws": 100} | given))


def test_setting_with_one_value_cannot_move(tmp_path, base):
    import shutil

    folder = tmp_path / "calibration"
    shutil.copytree(base.folder, folder)
    path = folder / "levers.yaml"
    text = path.read_text(encoding="utf-8")
    place = text.index("utilisation:")
    text = text[:place] + text[place:].replace(
        "distribution: {kind: beta, a: 6, b: 3.2}\n      bounds: [0, 1]",
        "default: 0.6\n      bounds: [0.6, 0.6]", 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"eaeu_interim.utilisation: cannot be moved: .* only 0.6"):
        goal("eaeu_fta", calibration=folder, draws=5, vary=["eaeu_interim.utilisation"])


def test_a_setting_without_other_values_is_left_out_and_said(tmp_path):
    (tmp_path / "free.yaml").write_text(
        "title: Free\nquestion: What then?\nlevers: {tariff_change: {importers: 'MNG, KAZ', "
        "exporters: 'MNG, KAZ, REAEU', groups: tobacco, method: new_rate, rate: 0}}\n",
        encoding="utf-8")
    with pytest.raises(InputError, match="no duty in the base year"):
        goal(tmp_path / "free.yaml", draws=20, vary=["tariff_change.rate"])
    out = tmp_path / "out"
    done = CliRunner().invoke(cli, ["goal", str(tmp_path / "free.yaml"), "--draws", "20", "--out",
                                    str(out)])
    assert done.exit_code == 0, done.output
    assert "left out: tariff_change.rate: there is no duty in the base year" in done.output
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Left out, since other values make no sense" in page
    assert "tariff_change.rate" not in set(pd.read_csv(out / "goal.csv")["name"])


def test_problems_are_told_together():
    with pytest.raises(InputError, match=r"(?s)cannot be moved.*unknown setting"):
        goal("eaeu_fta", draws=5, vary=["eaeu_fta.scope", "nothing.at_all"])


# The command.

def test_command_leaves_a_whole_folder(tmp_path):
    out = tmp_path / "goal"
    arguments = ["goal", "eaeu_fta", "--draws", "60", "--probability", "0.7", "--vary",
                 "eaeu_fta.probability,eaeu_interim.utilisation,growth", "--out", str(out)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "not within 0 to 1.00" in done.output
    assert "First year" in done.output
    assert {path.name for path in out.iterdir()} == {
        "goal.csv", "report.html", "figures", "scenario.yaml", "manifest.json"}
    table = pd.read_csv(out / "goal.csv")
    assert set(table["what"]) == {"probability", "needed", "first_year", "not_reached"}
    assert set(table["name"].dropna()) == {"as assumed", "eaeu_fta.probability", "together",
                                           "eaeu_interim.utilisation", "growth"}
    assert "not reachable within its plausible range" in (out / "report.html").read_text()


def test_target_already_reached_is_one_clear_line(tmp_path):
    done = CliRunner().invoke(cli, ["goal", "base", "--draws", "50", "--target", "1e6", "--out",
                                    str(tmp_path / "none")])
    assert done.exit_code == 2
    assert done.output.count("\n") == 1
    assert "already reached" in done.output
    assert not list(tmp_path.iterdir())
