"""The back-test: cells, going on, the record, the command, and everything that can be wrong."""

from __future__ import annotations

import itertools
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

import backtest_page
import fake_backtest
from tradesim.cli.app import cli
from tradesim.cli.backtest import _span
from tradesim.common.errors import ConvergenceError, InputError, TradesimError
from tradesim.common.extras import install
from tradesim.common.files import calibration_folder, program
from tradesim.inputs.pair import read_pair
from tradesim.studies.backtest import backtest, scores, track_record
from tradesim.studies.backtest.backtest import SIMPLE, cell_folder, prepare, record_of, run
from tradesim.studies.backtest.benchmarks import OPEN, RIVALS
from tradesim.studies.backtest.bootstrap import skill_range
from tradesim.studies.backtest.cells import ATTEMPTS, Cell, read_cell, to_series, work, write_cell
from tradesim.studies.backtest.track_record import MODEL, RIVAL, RIVAL_ALL_YEARS, TURNOVER

ROOT = Path(__file__).parents[3]

# Six digits of a csv.
WRITTEN = 1e-5


@pytest.fixture(scope="module")
def made():
    """Made-up plan, cells and record."""
    plan = fake_backtest.plan()
    cells = [fake_backtest.rough(task) for task in plan.tasks()]
    return SimpleNamespace(plan=plan, cells=cells, frame=record_of(plan, cells))


@pytest.fixture
def folder(tmp_path):
    """A copy of the calibration that a test may spoil."""
    target = tmp_path / "calibration"
    for name in ("pair.yaml", "parameters.yaml", "data/bilateral_trade.csv", "data/macro.csv",
                 "data/corridor.csv"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(calibration_folder() / name, target / name)
    return target


def problems(folder, **asked) -> str:
    with pytest.raises(InputError) as caught:
        prepare(folder, **asked)
    return str(caught.value).replace(str(folder), "DIR")


# Cells and series.

def test_turnover_is_the_sum_of_both_directions():
    flows = np.log(np.array([[[30.0, 20.0], [5.0, 4.0]]]))  # (year, importer, reporter)
    np.testing.assert_allclose(np.exp(to_series(flows)), [[35, 24, 30, 20, 5, 4]])


def test_rival_cells_are_their_normal_forecasts():
    plan = fake_backtest.plan()
    task = next(task for task in plan.tasks() if task.model == "drift")
    cell = work(task)
    said = RIVALS["drift"](task.series[:, 0], len(task.outcome))
    np.testing.assert_allclose(cell.draws[:, :, 0].mean(axis=0), said.mean, atol=1e-9)
    np.testing.assert_allclose(cell.draws[:, :, 0].std(axis=0), said.sd, rtol=0.01)
    np.testing.assert_allclose(cell.log_score[:, 0], scores.log_score_normal(
        said.mean, said.sd, task.outcome[:, 0]))


def test_series_of_a_task_end_at_its_origin():
    plan = fake_backtest.plan()
    for task in plan.tasks():
        assert len(task.series) == task.origin - plan.years[0] + 1
        assert len(task.outcome) == min(5, plan.years[-1] - task.origin)
        whole = plan.reported[:len(task.series) + len(task.outcome)].copy()
        if task.model.endswith(OPEN):
            whole[plan.years.index(fake_backtest.CLOSED)] = np.nan
        np.testing.assert_array_equal(np.vstack([task.series, task.outcome]), whole)


def test_closed_years_are_gaps_for_rivals_that_know_of_them(made):
    """Before the closure both kinds forecast the same, afterwards they do not."""
    plan, rows = made.plan, track_record.of(made.frame, TURNOVER, "right")
    asked = {(task.model, task.origin) for task in plan.tasks()}
    for name in RIVALS:
        assert {origin for model, origin in asked if model == name + OPEN} == {2008, 2009, 2010}
        every, some = (rows[rows["model"] == model].set_index(["origin", "horizon"])
                       for model in (name, name + OPEN))
        assert set(every["kind"]) == {RIVAL_ALL_YEARS}
        assert set(some["kind"]) == {RIVAL}
        same = (every["p50"] == some["p50"]).groupby("origin").all()
        assert same.to_dict() == {o: o != 2008 for o in plan.origins}


def test_the_closed_years_are_those_of_the_corridor(folder):
    assert prepare(folder).closed == (2020,)
    path = folder / "data/corridor.csv"
    path.write_text(re.sub(r"^2017,0,0,0,", "2017,0.5,0,1,", path.read_text(), flags=re.M))
    assert prepare(folder).closed == (2017, 2020)


def test_the_model_is_scored_on_what_would_be_reported(monkeypatch):
    rng, plan = np.random.default_rng(1), fake_backtest.plan()
    report = rng.normal(17, 0.3, (400, 5, 2, 2))

    def hindcast(folder, origin, *, horizons, draws, seed, steps):
        assert (origin, draws) == (2005, fake_backtest.DRAWS)
        return SimpleNamespace(log_report=report, worst_rhat=1.01, smallest_ess=800.0)

    monkeypatch.setattr("tradesim.studies.backtest.cells.hindcast", hindcast)
    cell = work(plan.tasks()[0])
    np.testing.assert_allclose(cell.draws[..., 0], np.log(np.exp(report[..., 0]).sum(axis=-1)))
    assert cell.note == {"rhat": 1.01, "effective": 800.0}
    assert cell.log_score[2, 1] == pytest.approx(
        scores.log_score(cell.draws[:, 2, 1], plan.outcome(2005)[2, 1]))


def test_a_fit_takes_more_steps_until_it_agrees(monkeypatch):
    tried = []

    def hindcast(folder, origin, *, horizons, draws, seed, steps):
        tried.append(steps)
        return SimpleNamespace(log_report=np.ones((9, 5, 2, 2)) + np.arange(9)[:, None, None, None],
                               worst_rhat=1.2 if len(tried) < 3 else 1.01, smallest_ess=500.0)

    monkeypatch.setattr("tradesim.studies.backtest.cells.hindcast", hindcast)
    assert not work(fake_backtest.plan().tasks()[0]).failed
    assert tuple(tried) == ATTEMPTS


def test_a_fit_that_never_agrees_ends_the_back_test(monkeypatch, tmp_path):
    def hindcast(*_, **__):
        return SimpleNamespace(worst_rhat=1.31, smallest_ess=12.0)

    monkeypatch.setattr("tradesim.studies.backtest.cells.hindcast", hindcast)
    with pytest.raises(ConvergenceError, match=r"fit to the years up to 2005 \(R-hat 1.31"
                                               r"0, must be below 1.05; 12 effective.*0 of 48 fore"
                                               r"casts are kept.*largest residual 1.31"):
        run(fake_backtest.plan(), tmp_path / "b", map)
    assert not (tmp_path / "b").exists()


def test_a_cell_reads_back_as_it_was(tmp_path, made):
    cell = made.cells[0]
    write_cell(tmp_path / "one.npz", cell)
    again = read_cell(tmp_path / "one.npz")
    np.testing.assert_allclose(again.draws, cell.draws, atol=WRITTEN)
    np.testing.assert_array_equal(again.log_score, cell.log_score)
    assert (again.model, again.origin, again.note) == (cell.model, cell.origin, dict(cell.note))
    assert [path.name for path in tmp_path.iterdir()] == ["one.npz"]


# Going on.

def test_only_missing_cells_are_worked_on(tmp_path, monkeypatch):
    monkeypatch.setattr(backtest, "work", fake_backtest.rough)
    plan, asked = fake_backtest.plan(), []

    def stopping(work, tasks):
        for task in tasks:
            if len(asked) == 5:
                raise KeyboardInterrupt
            asked.append((task.model, task.origin))
            yield work(task)

    with pytest.raises(KeyboardInterrupt):
        run(plan, tmp_path / "b", stopping)
    kept = cell_folder(tmp_path / "b")
    assert len(list(kept.iterdir())) == 5

    def counting(work, tasks):
        for task in tasks:
            asked.append((task.model, task.origin))
            yield work(task)

    said, bar = [], []
    cells = run(plan, tmp_path / "b", counting, say=said.append,
                progress=lambda *seen: bar.append(seen))
    assert said == ["going on: 5 of 48 forecasts were made before"]
    assert len(asked) == len(set(asked)) == 48
    assert bar[0] == (5, 48)
    assert bar[-1] == (48, 48)
    pd.testing.assert_frame_equal(record_of(plan, cells), fake_backtest.record(), atol=1e-4)
    run(plan, tmp_path / "b", counting, fresh=True)
    assert len(asked) == 96


def test_cells_of_other_inputs_are_not_taken(tmp_path):
    plan = fake_backtest.plan()
    task = plan.tasks()[0]
    here = plan.file(tmp_path, task)
    other = replace(plan, identity={**plan.identity, "inputs": {"data": "changed"}})
    assert other.file(tmp_path, task) != here
    program = replace(plan, identity={**plan.identity, "program": "mended"})
    assert program.file(tmp_path, task) != here
    assert plan.file(tmp_path, replace(task, seed=2)) != here
    more = replace(plan, identity={**plan.identity, "origins": [2001, 2010]})
    assert more.file(tmp_path, task) == here


def test_a_dead_worker_says_how_to_go_on(tmp_path):
    from concurrent.futures.process import BrokenProcessPool

    def dying(work, tasks):
        raise BrokenProcessPool("killed")
        yield

    with pytest.raises(TradesimError, match=r"a worker died \(killed\); 0 of 48.*same command to g"
                                            r"o on"):
        run(fake_backtest.plan(), tmp_path / "b", dying)


def test_other_failures_keep_their_words(tmp_path, monkeypatch):
    def broken(task):
        return Cell(task.model, task.origin, np.zeros((0, 1, 1)), np.zeros((1, 1)), {}, "no luck")

    monkeypatch.setattr(backtest, "work", broken)
    with pytest.raises(TradesimError, match="tradesim from 2005: no luck"):
        run(fake_backtest.plan(), tmp_path / "b", map)


# The record.

def test_scores_of_the_record_from_the_draws(made):
    """Second route: one row by hand from the draws of its cell."""
    cell = next(cell for cell in made.cells if (cell.model, cell.origin) == (MODEL, 2007))
    rows = track_record.of(made.frame, "LEF", "left", MODEL)
    row = rows[(rows["origin"] == 2007) & (rows["horizon"] == 3)].iloc[0]
    place = made.plan.series.index(("LEF", "left"))
    draws, actual = cell.draws[:, 2, place], made.plan.outcome(2007)[2, place]
    assert row["actual"] == actual
    assert row["year"] == 2010
    assert row["crps"] == pytest.approx(
        np.abs(draws - actual).mean() - np.abs(draws[:, None] - draws).mean() / 2)
    assert row["pit"] == pytest.approx((draws <= actual).mean())
    low, high = np.quantile(draws, [0.05, 0.95])
    assert row["covered90"] == (low <= actual <= high)


def test_every_model_has_every_cell(made):
    counts = made.frame.groupby(["model", "target", "count"]).size()
    assert (counts == 20).all()  # 5 + 5 + 4 + 3 + 2 + 1
    assert set(made.frame["model"]) == {MODEL, *SIMPLE}
    assert not made.frame.isna().any().any()


def test_record_survives_its_file(made, tmp_path):
    track_record.write_record(made.frame, tmp_path / track_record.FILE)
    again = track_record.read_record(tmp_path)
    pd.testing.assert_frame_equal(again, made.frame[list(again)], check_dtype=False, rtol=WRITTEN)


@pytest.mark.parametrize(("kind", "suffix"), [(RIVAL, OPEN), (RIVAL_ALL_YEARS, "")])
def test_skill_by_hand(made, kind, suffix):
    rows = track_record.of(made.frame, TURNOVER, "right")
    found = track_record.skill(rows, MODEL, kind)
    means = rows.groupby(["model", "horizon"])["crps"].mean()
    for place, h in enumerate(found.horizons):
        best = min((name + suffix for name in RIVALS), key=lambda name, h=h: means[name, h])
        assert found.rival[place] == best
        assert found.skill[place] == pytest.approx(1 - means[MODEL, h] / means[best, h])
    whole = found.range(2)
    assert whole.skill == pytest.approx(found.mean(2))
    assert whole.low < whole.skill < whole.high
    assert found.range(3, 3).skill == pytest.approx(found.skill[2])


def test_the_interval_of_a_skill_is_that_of_the_scores_of_its_origins(made):
    rows = track_record.of(made.frame, TURNOVER, "right")
    found = track_record.skill(rows, MODEL)
    scores_of = rows.set_index(["model", "origin", "horizon"])["crps"]
    origins = made.plan.origins
    ours = np.array([[scores_of.get((MODEL, o, h), np.nan) for h in (2, 3)] for o in origins])
    theirs = np.array([[[scores_of.get((name + OPEN, o, h), np.nan) for name in RIVALS]
                        for h in (2, 3)] for o in origins])
    assert found.range(2, 3) == skill_range(ours, theirs)


def test_one_origin_has_a_skill_without_an_interval(made):
    rows = track_record.of(made.frame, TURNOVER, "right")
    found = track_record.skill(rows[rows["origin"] == 2006], MODEL).range()
    assert np.isfinite(found.skill)
    assert np.isnan(found[1:]).all()


def test_a_rival_has_no_skill_against_itself(made):
    rows = track_record.of(made.frame, TURNOVER, "right")
    best = track_record.skill(rows, MODEL).rival[0]
    assert track_record.skill(rows, best).skill[0] == 0
    assert all(track_record.skill(rows, name + OPEN).skill[0] <= 0 for name in RIVALS)


def test_scores_of_origins_add_up_to_those_of_horizons(made):
    rows = track_record.of(made.frame, TURNOVER, "right")
    each = track_record.by_origin(rows, (MODEL, "drift"), total=True)
    table = track_record.by_horizon(rows).set_index(["model", "horizon"])["crps"]
    for name in (MODEL, "drift"):
        assert each[name].sum() == pytest.approx(table[name].loc[2:].sum())
    plain = rows[(rows["model"] == MODEL) & (rows["horizon"] >= 2)]
    mean = plain.groupby("origin")["crps"].mean()
    np.testing.assert_allclose(track_record.by_origin(rows, (MODEL,))[MODEL], mean)


def test_dispersion_of_a_calibrated_and_of_a_narrow_forecast():
    """Even PITs have dispersion one; all at both ends three, all in the middle zero."""
    even = (np.arange(4000) + 0.5) / 4000
    frame = pd.concat([pd.DataFrame({"model": name, "horizon": 1, "pit": pit, "p05": -1.0,
                                     "p95": 0.5}) for name, pit in (
        ("right", even), ("narrow", np.round(even)), ("wide", 0 * even + 0.5))])
    found = track_record.sharpness(frame, ("right", "narrow", "wide")).set_index("model")
    np.testing.assert_allclose(found["dispersion"], [1, 3, 0], atol=1e-6)
    assert (found["width"] == 1.5).all()


def test_track_record_says_what_the_rows_say(made):
    said = track_record.track_record(made.frame, "right")
    rows = track_record.of(made.frame, TURNOVER, "right", MODEL)
    assert (said["first_origin"], said["last_origin"], said["last_year"]) == (2005, 2010, 2011)
    assert said["forecasts"] == len(rows) == 20
    near = rows[rows["horizon"] == 1]
    error = 100 * (np.exp(near["actual"] - near["p50"]) - 1)
    first = said["horizons"][1]
    within = error.between(first["below"] - 1e-9, first["above"] + 1e-9)
    assert first["below"] < 0 < first["above"]
    assert (1 + first["below"] / 100) * (1 + first["above"] / 100) == pytest.approx(1)
    assert within.sum() == 3  # half of six
    by_h = rows.groupby("horizon")["covered90"].mean()
    assert said["covered90"] == pytest.approx(by_h.mean())
    assert said["skill"].skill == pytest.approx(
        np.mean([said["horizons"][h]["skill"] for h in (1, 2, 3, 4, 5)]))
    every = track_record.skill(track_record.of(made.frame, TURNOVER, "right"), MODEL,
                               RIVAL_ALL_YEARS)
    assert said["skill_all_years"] == every.range()


def test_track_record_of_what_is_not_there(made):
    with pytest.raises(InputError, match=r"backtest.csv: turnover, nowhere, tradesim: no such fore"
                                         r"casts.*tradesim backtest --keep"):
        track_record.track_record(made.frame, "nowhere")


def test_no_record_and_a_broken_one(made, tmp_path):
    with pytest.raises(InputError, match=r"no back-test here; run `tradesim backtest --keep`"):
        track_record.read_record(tmp_path)
    frame = made.frame.head(3).assign(kind=["model", "clever", "model"])
    track_record.write_record(frame, tmp_path / track_record.FILE)
    with pytest.raises(InputError, match="'clever' is unknown"):
        track_record.read_record(tmp_path)


# Bad input.

def test_a_good_plan(folder):
    plan = prepare(folder)
    assert plan.origins == tuple(range(2014, 2024))
    assert (plan.years[0], plan.years[-1], plan.horizons) == (2005, 2024, 5)
    assert [plan.kind(name) for name in (MODEL, "drift", f"drift{OPEN}", "damped_line")] == [
        "model", "rival_all_years", "rival", "probe"]
    assert len(plan.tasks()) == 10 * (1 + 4 + 1) + 4 * 4
    assert len(plan.tasks()[0].series) == 10


@pytest.mark.parametrize(("asked", "said"), [
    ({"origins": (2009, 2015)}, "--origins: 2009:2015: 2009 has too little history: reports begin "
     "in 2005 and the sample in 2011; the first origin allowed is 2013"),
    ({"origins": (2014, 2024)}, "--origins: 2014:2024: 2024 has no later year to compare with; the "
     "data end in 2024, so the last origin allowed is 2023"),
    ({"origins": (2020, 2015)}, "--origins: 2020:2015: the first origin is after the last"),
    ({"origins": (2020, 2022), "horizons": 5}, "--horizons: 5: no origin from 2020 on has a known "
     "year so far ahead; the data end in 2024, so at most 4"),
    ({"origins": (2001, 2030)}, "2001 has too little history: reports begin in 2005 and the sample "
     "in 2011; the first origin allowed is 2013\n--origins: 2001:2030: 2030 has no later year"),
])
def test_what_is_asked_for_must_be_there(folder, asked, said):
    assert said in problems(folder, **asked)


def test_a_plan_carries_what_it_depends_on(folder):
    identity = prepare(folder).identity
    assert identity["program"] == program()
    assert set(identity["inputs"]) == {"pair.yaml", "parameters.yaml", "data/bilateral_trade.csv",
                                       "data/macro.csv", "data/corridor.csv"}
    text = (folder / "parameters.yaml").read_text()
    (folder / "parameters.yaml").write_text(text.replace("corridor.persistence:\n  title: ",
                                                         "corridor.persistence:\n  title: The "))
    assert prepare(folder).identity["inputs"] != identity["inputs"]


def test_levers_leave_a_back_test_as_it_is(folder):
    before = prepare(folder).identity
    text = (folder / "parameters.yaml").read_text()
    changed = text.replace("adjustment.speed:\n  title: ", "adjustment.speed:\n  title: The ")
    assert changed != text
    (folder / "parameters.yaml").write_text(changed)
    assert prepare(folder).identity == before


def test_few_late_origins_have_short_horizons(folder):
    plan = prepare(folder, origins=(2022, 2023))
    assert plan.horizons == 2
    assert [plan.ahead(origin) for origin in plan.origins] == [2, 1]


def test_missing_years_are_named(folder):
    path = folder / "data/bilateral_trade.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    gone = frame["year"].eq("2017") & frame["reporter"].eq("KAZ") & frame["used"].eq("yes")
    gone |= frame["year"].eq("2007") & frame["importer"].eq("KAZ") & frame["reporter"].eq("MNG")
    frame[~gone].to_csv(path, index=False)
    assert problems(folder).splitlines() == [
        f"DIR/data/bilateral_trade.csv: {where}: no used row; a back-test needs every year"
        for where in ("2007 MNG-KAZ counted by MNG", "2017 KAZ-MNG counted by KAZ",
                      "2017 MNG-KAZ counted by KAZ")]


@pytest.mark.parametrize(("words", "said"), [
    (["--origins", "2014-2023"], "--origins: 2014-2023: must be two years with a colon between, su"
     "ch as 2014:2023, or one year"),
    (["--origins", "now"], "--origins: now: must be two years"),
    (["--keep", "--origins", "2015:2023"], "--keep: needs all origins and horizons"),
    (["--calibration", "nowhere"], "nowhere: --calibration: is not a folder"),
])
def test_the_command_refuses_bad_words(words, said):
    done = CliRunner().invoke(cli, ["backtest", *words])
    assert done.exit_code == 2
    assert said in done.output


# The command.

@pytest.fixture
def quick(monkeypatch):
    """Make-believe forecasts in this process, so that the command takes seconds."""
    monkeypatch.setattr(backtest, "work", fake_backtest.rough)
    return lambda *words: CliRunner().invoke(cli, ["backtest", "--jobs", "1", "--draws", "200",
                                                   *map(str, words)])


def test_the_command_leaves_everything_and_changes_nothing_else(quick, folder, tmp_path):
    before = sorted(path for path in folder.rglob("*"))
    done = quick("--calibration", folder, "--out", tmp_path / "b")
    assert done.exit_code == 0, done.output
    found = {path.name for path in (tmp_path / "b").iterdir()}
    assert found == {"backtest.csv", "backtest.yaml", "report.html", "figures"}
    assert {path.name for path in (tmp_path / "b/figures").iterdir()} == {
        f"{name}.{end}" for name, end in itertools.product(
            ("past_fans", "skill", "coverage", "pit"), ("svg", "png"))}
    assert not cell_folder(tmp_path / "b").exists()
    assert sorted(folder.rglob("*")) == before
    for words in ("years ahead", "best rival, open years", "P(skill ≤ 0)", "random walk",
                  "Mean skill over years 2 to 5", "Report: "):
        assert words in done.output
    about = yaml.safe_load((tmp_path / "b/backtest.yaml").read_text())
    assert about["command"] == "tradesim backtest --draws 200"
    assert about["fits"]["drift"][2014]["left_out"] == 0
    page = (tmp_path / "b/report.html").read_text()
    assert page.count("<svg") == 4
    assert "How wrong was it before?" in page
    answer_holds_for(page, tmp_path / "b")


def test_the_page_of_a_short_run_says_how_short_it_is(quick, folder, tmp_path):
    done = quick("--calibration", folder, "--out", tmp_path / "b", "--origins", "2016:2018",
                 "--horizons", "2")
    assert done.exit_code == 0, done.output
    assert "Skill in year 2 against" in done.output
    page = (tmp_path / "b/report.html").read_text()
    assert "A dot rests on 3 overlapping forecasts" in page
    assert "they cover 4 outcomes, each seen up to 2 times" in page  # 2017 to 2020
    assert "more than 2 years ahead" in page
    answer_holds_for(page, tmp_path / "b")


def answer_holds_for(page, folder):
    """Read every number of the answer back against the record."""
    text = re.search(r'<section class="answer".*?</section>', page, re.S)[0]
    text = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    count = read_pair(calibration_folder()).target_count
    rows = track_record.of(track_record.read_record(folder), TURNOVER, count)
    mine = rows[rows["model"] == MODEL]
    error = (mine["actual"] - mine["p50"]).abs()
    for low, high, ahead in re.findall(r"by ([+−]?\d+) % to ([+−]?\d+) % (\d+) years? ahead", text):
        said = [float(end.replace("−", "-")) for end in (low, high)]
        middle = error[mine["horizon"] == int(ahead)].median()
        assert said == pytest.approx(100 * np.expm1([-middle, middle]), abs=0.51)
    held = re.search(r"90 % of outcomes held (\d+) %, those meant to hold 50 % held (\d+) %", text)
    whole = track_record.overall(rows)
    for said, level in zip(held.groups(), (90, 50), strict=True):
        assert float(said) == pytest.approx(100 * whole[f"covered{level}"][MODEL], abs=0.51)
    skill = track_record.skill(rows, MODEL).mean(min(2, mine["horizon"].max()))
    said, which = re.search(r"Errors were (\d+) % (smaller|larger) than", text).groups()
    assert float(said) == pytest.approx(100 * abs(skill), abs=0.51)
    assert (which == "smaller") == (skill > 0)


def test_keep_replaces_the_record(quick, folder, tmp_path):
    done = quick("--calibration", folder, "--out", tmp_path / "b", "--keep")
    assert done.exit_code == 0, done.output
    assert f"Kept in {folder}" in done.output
    assert (folder / "backtest.csv").read_bytes() == (tmp_path / "b/backtest.csv").read_bytes()
    assert {path.name for path in folder.iterdir()} == {
        "backtest.csv", "data", "pair.yaml", "parameters.yaml"}


def test_other_peoples_files_are_not_replaced(quick, folder, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/thesis.doc").write_text("years of work")
    done = quick("--calibration", folder, "--out", tmp_path / "b")
    assert done.exit_code == 2
    assert "holds other files (thesis.doc)" in done.output


def test_stopping_says_how_to_go_on(quick, folder, tmp_path, monkeypatch):
    def stop(task):
        if task.origin == 2016:
            raise KeyboardInterrupt
        return fake_backtest.rough(task)

    monkeypatch.setattr(backtest, "work", stop)
    done = quick("--calibration", folder, "--out", tmp_path / "b")
    assert done.exit_code == 130
    assert "the same command goes on" in done.output
    assert len(list(cell_folder(tmp_path / "b").iterdir())) == 2
    monkeypatch.setattr(backtest, "work", fake_backtest.rough)
    again = quick("--calibration", folder, "--out", tmp_path / "b")
    assert again.exit_code == 0
    assert "going on: 2 of 76 forecasts were made before" in again.output


def test_without_statsmodels_the_command_says_what_to_install(monkeypatch, folder):
    import sys

    monkeypatch.setitem(sys.modules, "statsmodels", None)
    done = CliRunner().invoke(cli, ["backtest", "--calibration", str(folder)])
    assert done.exit_code == 2
    assert install("backtest") in done.output


def test_span():
    assert _span("2014:2023") == (2014, 2023)
    assert _span("2019") == (2019, 2019)
    assert _span(None) is None


# What is committed.

def test_the_page_holds_the_committed_results():
    """Refresh with `python tests/helpers/backtest_page.py`."""
    text = backtest_page.PAGE.read_text(encoding="utf-8")
    assert backtest_page.BEGIN in text
    assert backtest_page.page(text, calibration_folder()) == text


def test_the_words_of_the_page_hold_the_committed_numbers():
    text = backtest_page.PAGE.read_text(encoding="utf-8")
    said = " ".join(text.split("## What was reached")[1].split("## What ten years")[0].split())
    rows = track_record.of(track_record.read_record(calibration_folder()), TURNOVER,
                     read_pair(calibration_folder()).target_count)

    def percent(value):
        return f"{100 * value:.0f}".replace("-0", "0").replace("-", "−")

    def skill(part, kind=RIVAL_ALL_YEARS):
        return track_record.skill(part, MODEL, kind)

    def listed(found):
        *most, last = (percent(value) for value in found.skill)
        return f"{', '.join(most)} and {last} %"

    def cell(found):
        whole = found.range(2)
        return (f"{percent(whole.skill)} % [{percent(whole.low)}, {percent(whole.high)}], "
                f"P {percent(whole.chance_of_none)} %")

    line = rows.assign(kind=rows["kind"].where(rows["model"] != "damped_line", RIVAL_ALL_YEARS))
    against = (skill(rows, RIVAL), skill(rows), skill(line))
    whole, mine = track_record.overall(rows), rows[rows["model"] == MODEL]
    *most, last = (percent(value) for value in mine.groupby("horizon")["covered90"].mean())
    for words in (
            f"years 1 to 5 | {' | '.join(map(listed, against))} |",
            f"at least 20 % | {' | '.join(map(cell, against))} |",
            f"by horizon {', '.join(most)} and {last} %",
            f"{percent(whole.loc[MODEL, 'covered90'])} % of all outcomes",
            f"{percent(whole.loc[MODEL, 'covered50'])} % by the 50 % ranges",
            f"held {percent(whole.loc['damped_line', 'covered50'])} % of the outcomes"):
        assert words in said, words


def test_the_committed_record_is_complete():
    plan = prepare(calibration_folder())
    frame = track_record.read_record(calibration_folder())
    assert set(frame["model"]) == {MODEL, *SIMPLE}
    counts = frame.groupby(["model", "target", "count"]).size()
    assert (counts == sum(plan.ahead(origin) for origin in plan.origins)).all()
    for row in frame[frame["model"] == MODEL].to_dict("records"):
        place = plan.series.index((row["target"], row["count"]))
        actual = plan.outcome(row["origin"])[row["horizon"] - 1, place]
        assert row["actual"] == pytest.approx(actual, rel=WRITTEN)
