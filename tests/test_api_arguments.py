"""Wrong arguments of the programming interface: one sentence that says what is allowed."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import tradesim as ts
from tradesim.common.errors import InputError
from tradesim.simulation.model import load_baseline


@pytest.fixture(scope="module")
def base():
    return ts.run("base", draws=5)


@pytest.fixture(scope="module")
def fta():
    return ts.run("eaeu_fta", draws=5)


@pytest.fixture(scope="module")
def held(base, fta):
    """What a user may hold, and give to the wrong function."""
    return {"base": base, "fta": fta, "comparison": ts.compare(base, fta),
            "prepared": ts.prepare("eaeu_fta", draws=5), "headline": ts.headline(base),
            "fewer": ts.run("base", draws=4)}


RESULTS = "must be results of a run"
WRONG = [
    # reports and folders
    (lambda h: ts.report("r1", "nope"), "formats: nope: unknown format; known: html, brief, pdf"),
    (lambda h: ts.report("r1", "HTML"), r"formats: HTML: unknown format; .*did you mean 'html'\?"),
    (lambda h: ts.report("r1", None), "report: formats: must be text, not None"),
    (lambda h: ts.report(None), "report: folder: must be text or a path, not None"),
    (lambda h: ts.report("r1", languages="en"),
     "unexpected keyword argument 'languages'.*'language'"),
    (lambda h: ts.load(None), "load: folder: must be text or a path, not None"),
    (lambda h: ts.load("x" * 300), "x: File name too long"),
    (lambda h: ts.load("a\0b"), r"load: folder: 'a\\x00b' holds what is no text"),
    (lambda h: ts.save("r1", "z"), f"save: dataset: {RESULTS}, not text"),
    (lambda h: ts.save(h["comparison"], "z"), f"save: dataset: {RESULTS}, not a Comparison"),
    # single results
    (lambda h: ts.headline("r1"), rf"headline: dataset: {RESULTS}, not text \('r1'\)"),
    (lambda h: ts.headline(xr.Dataset()), f"headline: dataset: {RESULTS} .*no attribute 'run_id'"),
    (lambda h: ts.headline(h["base"].isel(draw=0)), "its 'turnover' has no axis 'draw'"),
    (lambda h: ts.headline(h["base"].isel(draw=[])), "its axis 'draw' is empty"),
    (lambda h: ts.headline(h["base"].isel(case=[0])), "its axis 'case' has no 'scenario'"),
    (lambda h: ts.headline(h["base"].isel(importer=[0])), "its axis 'importer' has no "),
    (lambda h: ts.headline(h["base"].assign_attrs(scenario="{")), "no attribute 'scenario' of a"),
    (lambda h: ts.to_iamc("r1"), f"to_iamc: dataset: {RESULTS}, not text"),
    (lambda h: ts.figure("r1"), f"figure: result: {RESULTS} or a Comparison, not text"),
    (lambda h: ts.figure(None), f"figure: result: {RESULTS} or a Comparison, not None"),
    (lambda h: ts.figure(h["prepared"]), "figure: result: .*, not a PreparedModel"),
    (lambda h: ts.figure(h["headline"]), "figure: result: .*, not a Headline"),
    (lambda h: ts.figure(h["base"], 1), r"figure: name: must be text, not a whole number \(1\)"),
    (lambda h: ts.figure(h["base"], []), "figure: name: must be text, not a list"),
    # goal
    (lambda h: ts.goal("eaeu_fta", draws=5, case="x"), "case: x: unknown; known: scenario, if_imp"),
    (lambda h: ts.goal("base", target="500"), r"goal: target: must be a number, not text \('500'"),
    (lambda h: ts.goal("base", probability="0.5"), "goal: probability: must be a number, not text"),
    (lambda h: ts.goal("base", probability=None), "goal: probability: must be a number, not None"),
    (lambda h: ts.goal("base", draws=5, probability=2), "^probability: 2: must lie between"),
    (lambda h: ts.goal("base", draws=5, target=-1), "^target: -1: must be an amount"),
    (lambda h: ts.goal("base", draws=5, vary="eaeu_fta.start"),
     r"^vary: eaeu_fta.start: the scenario does not pull lever 'eaeu_fta'; add it: eaeu_fta=\{\}"),
    # decompose
    (lambda h: ts.decompose("eaeu_fta", years="2035"),
     r"decompose: years: must be a whole number or a list of these, not text \('2035'\)"),
    (lambda h: ts.decompose("eaeu_fta", years=["2035"]), r"not a list with text \('2035'\)"),
    (lambda h: ts.decompose("eaeu_fta", draws=5, years=1999), "^years: 1999: is outside the run"),
    (lambda h: ts.decompose("eaeu_fta", method="permutations", permutations="3"),
     "decompose: permutations: must be a whole number, not text"),
    (lambda h: ts.decompose("eaeu_fta", draws=5, method="exat"), "^method: exat: .*'exact'"),
    # compare
    (lambda h: ts.compare(None), "compare: runs: must be .* or a list of these, not None"),
    (lambda h: ts.compare(1), "compare: runs: must be .* or a list of these, not a whole number"),
    (lambda h: ts.compare(h["comparison"]), "compare: runs: must be .*, not a Comparison"),
    (lambda h: ts.compare([None]), "compare: runs: must be .*, not a list with None"),
    (lambda h: ts.compare([["a", "b"]]), "compare: runs: must be .*, not a list with a list"),
    (lambda h: ts.compare(xr.Dataset(), h["base"]), f"compare: runs: {RESULTS}.*'run_id'"),
    (lambda h: ts.compare(), "compare: runs: nothing was given to compare"),
    (lambda h: ts.compare([]), "compare: runs: nothing was given to compare"),
    (lambda h: ts.compare(h["base"], h["fta"], draws=-1, nolever=1, calibration="nope"),
     "compare: draws: .*nothing is run.*\n.*calibration: .*\n.*nolever: "),
    (lambda h: ts.compare(h["base"], h["fewer"]), "^compare: base: two runs of .* draws: 5 and 4;"),
    (lambda h: ts.compare(h["base"], h["fta"], baseline="bas"), "^baseline: bas: is not among"),
    # scenarios and settings
    (lambda h: ts.run(), "run: missing a required argument: 'path'"),
    (lambda h: ts.run(h["base"]), "run: path: must be text or a path, not a Dataset$"),
    (lambda h: ts.run("base", calibration=3), "run: calibration: must be text or a path, not a wh"),
    (lambda h: ts.run("base", count=3), "run: count: must be text, not a whole number"),
    (lambda h: ts.run("base", count=[]), "run: count: must be text, not a list"),
    (lambda h: ts.run("base", count="x"), "^count: x: unknown count; known: "),
    (lambda h: ts.run("base", draws="5"), "run: draws: must be a whole number, not text"),
    (lambda h: ts.run("base", draws=True), "run: draws: must be a whole number, not True"),
    (lambda h: ts.run("base", draws=-1), "^draws: -1 is not a whole number from 1"),
    (lambda h: ts.run("base", progress=3), "run: progress: must be a function, not a whole"),
    (lambda h: ts.run("base", eaeu_fta=[1]), "^settings: eaeu_fta: .*mapping.*, not a list"),
    (lambda h: ts.run("base", eaeu_fta=h["base"]), "^settings: eaeu_fta: .*, not a Dataset$"),
    (lambda h: ts.run("base", eaeu_fta={"start": object}), "^settings: eaeu_fta.start: .*a type"),
    (lambda h: ts.run("base", eaeu_ft={}), "^settings: .*did you mean 'eaeu_fta'"),
    (lambda h: ts.levers(3), "levers: calibration: must be text or a path, not a whole number"),
    (lambda h: ts.prepare(None), "prepare: path: must be text or a path, not None"),
    (lambda h: ts.prepare("base", draws="x"), "prepare: draws: must be a whole number, not text"),
    (lambda h: h["prepared"].run(None), "run: settings: must be .*mapping.*, not None"),
    (lambda h: h["prepared"].run(h["base"]), "run: settings: must be .*, not a Dataset"),
    (lambda h: h["prepared"].run(outputs=3), "run: outputs: must be text or a list of these"),
    (lambda h: h["prepared"].run(cases=[]), "^cases: must name one of: reference, scenario"),
    (lambda h: h["prepared"].run(outputs="turnove"), "outputs: turnove: .*'turnover'"),
    (lambda h: load_baseline(None), "load_baseline: folder: must be text or a path, not None"),
]


@pytest.mark.parametrize(("call", "sentence"), WRONG)
def test_a_wrong_argument_is_named(held, call, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=sentence) as found:
        call(held)
    assert "--" not in str(found.value)
    assert len(str(found.value)) < 1000
    assert not list(tmp_path.iterdir())


def test_one_is_a_list_of_one(held):
    one = ts.goal("eaeu_fta", draws=5, vary="growth")
    assert [move.label for move in one.moves] == ["growth"]
    assert ts.decompose("eaeu_fta", draws=5, years=2035)["year"].to_numpy().tolist() == [2035]
    found = held["prepared"].run("eaeu_fta.start=2031", outputs="turnover", cases="scenario")
    assert list(found["case"].to_numpy()) == ["scenario"]


def test_numbers_and_lists_of_other_libraries_are_taken(held):
    parts = ts.decompose("eaeu_fta", draws=np.int64(5), years=np.array([2030, 2035]))
    assert parts["year"].to_numpy().tolist() == [2030, 2035]
    assert ts.run("base", draws=5.0, horizon=np.int64(2030)).sizes["draw"] == 5
    shared = ts.compare(run for run in (held["base"], held["fta"]))
    assert list(ts.compare(shared.runs.values()).runs) == ["base", "eaeu_fta"]
    goods = ts.run("base", draws=2, tariff_change={
        "method": "new_rate", "rate": np.float64(0.1), "exporters": "KAZ", "importers": "MNG",
        "groups": np.array(["cereals_flour", "tobacco"])})
    assert '"cereals_flour, tobacco"' in goods.attrs["scenario"]


def test_a_baseline_is_read_from_a_text(held):
    folder = held["prepared"].base.folder
    assert load_baseline(str(folder)).folder == Path(folder)


def test_what_a_callback_raises_stays_as_it_is():
    def stop(done, total):
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        ts.run("base", draws=5, progress=stop)


def test_functions_still_say_what_they_take():
    assert list(inspect.signature(ts.run).parameters)[:3] == ["path", "draws", "seed"]
    assert "Run a scenario" in ts.run.__doc__
    assert ts.to_iamc.__module__ == "tradesim.reports.export.iamc"
