"""Sweeps from the request to the folder, and the command."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.common.arrays import frozen
from tradesim.common.errors import InputError
from tradesim.common.parallel import open_mapper
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation.draws import draw_all
from tradesim.simulation.model import simulate
from tradesim.studies.sweep import METHODS, chunks
from tradesim.studies.sweep.design import make
from tradesim.studies.sweep.evaluate import TARGET, Outputs, output_columns
from tradesim.studies.sweep.plan import SweepRequest, is_sweep_file, prepare, read_sweep_file
from tradesim.studies.sweep.run import finished, sweep

OVER = ("adjustment.speed", "altai_road")
EFFECT = "turnover|kazakh|effect|2035"
SIZES = {"oat": None, "grid": None, "lhs": 12, "morris": 3, "sobol": 8}


def table_of(folder):
    return pd.read_parquet(folder / "table.parquet")


@pytest.fixture(scope="module", params=METHODS)
def swept(request, tmp_path_factory):
    method = request.param
    plan = prepare(SweepRequest("all_levers", method, n=SIZES[method], over=OVER, levels=3,
                                years=(2030, 2035)))
    folder = tmp_path_factory.mktemp(method) / "s"
    with open_mapper(1) as mapper:
        said = sweep(plan, folder, mapper=mapper, chunk=7)
    return plan, folder, said


def test_the_folder_says_all(swept):
    plan, folder, said = swept
    pytest.importorskip("pyarrow")
    table, indices = table_of(folder), pd.read_csv(folder / "indices.csv")
    units = json.loads((folder / "units.json").read_text())
    assert list(table.columns) == ["row", "block", *units]
    assert list(units)[:2] == list(OVER)
    assert len(table) == said["rows"] == plan.design.rows
    assert np.isfinite(table).all(axis=None)
    assert units[EFFECT] == {"title": "Bilateral turnover, both directions", "unit": "USD"}
    assert set(indices["output"]) == {item["name"] for item in said["outputs"]}
    assert set(indices["distinguishable"]) <= {"yes", "no", "does not vary"}
    assert json.loads((folder / "sweep.json").read_text()) == said
    assert finished(plan, folder)


def test_every_row_is_a_run_of_the_model(swept, base):
    """All columns of all rows: reference, scenario, effect, welfare and target."""
    pytest.importorskip("pyarrow")
    table = table_of(swept[1])
    scenario = read_scenario("all_levers", Known(base.parameters, base.levers, base.pair))
    draws = draw_all(base, scenario, Cube.table({"": np.full(len(table), 0.5)}, Cube.point()))
    draws["adjustment.speed"] = frozen(table["adjustment.speed"])
    on = {lever: np.ones(len(table)) for lever in scenario.levers} | {
        "altai_road": table["altai_road"].to_numpy()}
    run = simulate(base, scenario, draws, {
        "reference": {lever: np.array(0.0) for lever in on}, "scenario": on}).sel(
            year=[2030, 2035])
    reference, with_levers = (run["turnover"].sel(case=case) for case in ("reference", "scenario"))
    reached = run["turnover"].sel(count=base.pair.target_count) >= base.pair.target_value
    expected = {}
    for year in (2030, 2035):
        for count in base.pair.counts:
            at = {"count": count, "year": year}
            expected |= {f"turnover|{count}|reference|{year}": reference.sel(at),
                         f"turnover|{count}|scenario|{year}": with_levers.sel(at),
                         f"turnover|{count}|effect|{year}": (with_levers - reference).sel(at)}
        expected |= {f"welfare|own|effect|{year}|{importer}":
                     run["welfare"].sel(case="scenario", year=year, importer=importer)
                     for importer in base.pair.importers}
        expected |= {f"target|{base.pair.target_count}|{case}|{year}":
                     reached.sel(case=case, year=year) for case in ("reference", "scenario")}
    assert set(expected) == set(table.columns[4:])
    for name, values in expected.items():
        np.testing.assert_allclose(table[name], values, rtol=1e-12, err_msg=name)
    assert (table[EFFECT] > 1e6).all()


def test_effect_and_target_in_numbers(base):
    """An effect is the scenario less the reference; the target is reached at its very value."""
    target = 130e6  # of the scenario, which need not be the official one
    counts = len(base.pair.counts)
    turnover = np.empty((counts, 2, 1, 3))
    turnover[:, 0], turnover[:, 1] = 0.5 * target, target * np.array([0.95, 1.0, 1.1])
    run = xr.Dataset({"turnover": (("count", "case", "year", "draw"), turnover)}, {
        "count": list(base.pair.counts), "case": ["reference", "scenario"], "year": [2035]})
    levels = output_columns(base, run, Outputs(("turnover",), (2035,)), target).reshape(
        3, counts, 3)
    np.testing.assert_allclose(levels[:, 0] / target,
                               [[0.5, 0.95, 0.45], [0.5, 1.0, 0.5], [0.5, 1.1, 0.6]])
    reached = output_columns(base, run, Outputs((TARGET,), (2035,)), target)
    np.testing.assert_array_equal(reached, [[0, 0], [0, 1], [0, 1]])


def test_the_reference_answers_to_no_lever(swept):
    indices = pd.read_csv(swept[1] / "indices.csv")
    still = indices[(indices["output"] == "turnover|kazakh|reference|2035")
                    & ~indices["index"].isin(["at_low", "at_high"])]
    assert not (still["distinguishable"] == "yes").any()


def test_groups_second_order_and_chance():
    plan = prepare(SweepRequest("all_levers", "sobol", n=16, by_group=True, noise=True,
                                years=(2035,), variables=("turnover",), second=True))
    assert set(plan.groups) == {f"group:{name}" for name in
                                ("policy", "world", "behaviour", "calibration", "data")}
    assert plan.design.block == 2 + 2 * 6
    assert len(plan.factors) > 400
    u, noise = plan.design.part(slice(0, plan.design.block))
    assert (u[0] != u[1]).all()
    changed = u[2] != u[0]
    assert set(np.flatnonzero(changed)) == set(next(iter(plan.groups.values())))
    np.testing.assert_array_equal(noise, [0, 1, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0])


def test_products_and_variables_make_columns():
    plan = prepare(SweepRequest("all_levers", "oat", over=OVER, years=(2035,), products=True,
                        variables=("trade", "welfare")))
    names = [label.name for label in plan.labels]
    assert "trade|mongolian|effect|2035|KAZ|metals" in names
    assert "welfare|own|effect|2035|KAZ" in names
    assert len(names) == 2 * 3 * 2 * 12 + 2


def test_a_design_does_not_depend_on_its_neighbours():
    one = make("lhs", ["a", "b"], [[0], [1]], n=20, seed=1, levels=[])
    other = make("lhs", ["b", "c"], [[0], [1]], n=20, seed=1, levels=[])
    np.testing.assert_array_equal(one.table[:, 1], other.table[:, 0])
    assert sorted(np.floor(one.table[:, 0] * 20)) == list(range(20))


@pytest.mark.parametrize(("method", "options", "words"), [
    ("sobbol", {}, "did you mean 'sobol'"),
    ("lhs", {"n": 2}, "lhs needs 10 or more"),
    ("lhs", {"n": 60, "over": ()}, r"is too few for \d\d\d factors: rank correlations need more"),
    ("oat", {"noise": True}, "chance would hide what oat measures; take lhs"),
    ("oat", {"variables": ("turnver",)}, "did you mean 'turnover'"),
    ("oat", {"years": (1999,)}, "the scenario runs from 2025 to 2035"),
    ("grid", {"over": ("elasticity.*",)}, r"a grid of them is 10\^18 runs"),
    ("grid", {"over": OVER, "levels": 1}, "--levels: 1: a grid needs two or more"),
    ("lhs", {"by_group": True}, "only by the method sobol"),
    ("oat", {"over": ("elasticty.scale",)}, "did you mean 'elasticity.scale'"),
])
def test_requests_that_cannot_be(method, options, words):
    with pytest.raises(InputError, match=words):
        prepare(SweepRequest("all_levers", method, **options))


def test_sobol_takes_a_power_of_two_and_says_why():
    plan = prepare(SweepRequest("all_levers", "sobol", n=1000, over=OVER))
    assert plan.identity["n"] == 1024
    assert plan.notes == ["n = 1,000 is not a power of two, without which Sobol' points lose "
                          "their balance; taking 1,024"]


def test_a_large_grid_runs_when_one_insists(base):
    request = SweepRequest("all_levers", "grid", over=("elasticity.lower.*",), levels=3, yes=True)
    factors = sum(name.startswith("elasticity.lower.") for name in base.parameters)
    assert prepare(request).design.rows == 3**factors


def write(folder, text):
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_the_shipped_sweep_can_be_read():
    from pathlib import Path

    path = Path(__file__).parents[3] / "sweeps" / "all_levers_sobol.yaml"
    assert is_sweep_file(str(path))
    plan = prepare(read_sweep_file(path))
    assert plan.design.method == "sobol"
    assert plan.design.second


@pytest.mark.parametrize(("text", "words"), [
    ("extends: all_levers\nmethod: oat\novr: [a]\n", r"mine.yaml:3:1: ovr: unknown key.*'over'"),
    ("method: oat\n", "extends: is missing"),
    ("extends: all_leves\nmethod: oat\n", r"mine.yaml:1:\d+: extends.*did you mean 'all_levers'"),
    ("extends: base\nmethod: oat\nn: many\n", r"mine.yaml:3:\d+: n: must be a whole number"),
])
def test_files_of_sweeps_that_are_wrong(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_sweep_file(write(tmp_path, text))


def test_the_command(tmp_path):
    sheet = write(tmp_path, "extends: all_levers\nmethod: oat\nover: [adjustment.speed]\n"
                            "years: [2035]\nset: [altai_road.start=2031]\n")
    asked = ["sweep", str(sheet), "--out", str(tmp_path / "s"), "--over", ",".join(OVER[:1])]
    first = CliRunner().invoke(cli, asked)
    assert first.exit_code == 0, first.output
    assert "3 evaluations" in first.output
    assert "USD million" in first.output
    again = CliRunner().invoke(cli, asked)
    assert "holds this sweep already" in again.output
    other = CliRunner().invoke(cli, [*asked, "--set", "altai_road.start=2032"])
    assert other.exit_code == 2
    assert "scenario.levers.altai_road.start was 2031, is 2032" in other.output
    fresh = CliRunner().invoke(cli, [*asked, "--set", "altai_road.start=2032", "--fresh"])
    assert fresh.exit_code == 0
    assert json.loads((tmp_path / "s" / "sweep.json").read_text())["command"] == (
        f"tradesim sweep {sheet} --over adjustment.speed --set altai_road.start=2032")


@pytest.mark.parametrize(("options", "words"), [
    ([], "--method is needed"),
    (["--method", "oat", "--resume", "--fresh"], "name one"),
    (["--method", "oat", "--calibration", "/nowhere"], "is not a folder"),
])
def test_commands_that_are_wrong(options, words):
    found = CliRunner().invoke(cli, ["sweep", "all_levers", *options])
    assert found.exit_code == 2
    assert words in found.output


def test_the_list_of_factors():
    found = CliRunner().invoke(cli, ["sweep", "all_levers", "--list"])
    assert found.exit_code == 0
    assert "adjustment.speed" in found.output
    assert "cells of the tables" in found.output


def test_without_pyarrow_the_table_is_csv(tmp_path, monkeypatch):
    plan = prepare(SweepRequest("all_levers", "oat", over=OVER, years=(2035,)))
    sweep(plan, tmp_path / "a", mapper=map)
    monkeypatch.setattr(chunks, "find_spec", lambda name: None)
    sweep(plan, tmp_path / "b", mapper=map, chunk=2)
    ours = pd.read_csv(tmp_path / "b" / "table.csv.gz")
    if (tmp_path / "a" / "table.parquet").exists():
        pd.testing.assert_frame_equal(ours, table_of(tmp_path / "a"), rtol=1e-14, check_dtype=False)


@pytest.mark.parametrize("arrow", [True, False])
def test_a_sweep_has_the_same_bytes_whatever_its_chunks_and_workers(tmp_path, monkeypatch, arrow):
    if arrow:
        pytest.importorskip("pyarrow")
    else:
        monkeypatch.setattr(chunks, "find_spec", lambda name: None)
    monkeypatch.setattr(chunks, "TOGETHER", 8)
    plan = prepare(SweepRequest("direct_flights", "lhs", n=20, over=("adjustment.speed",),
                                years=(2035,)))
    _same_bytes(plan, tmp_path, ((1, 20, None), (1, 3, None), (2, 7, None)))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_sweep_has_the_same_bytes_over_dask(tmp_path):
    pytest.importorskip("distributed")
    plan = prepare(SweepRequest("direct_flights", "lhs", n=20, over=("adjustment.speed",),
                                years=(2035,)))
    _same_bytes(plan, tmp_path, ((1, 20, None), (1, 6, "local"), (2, 3, "local")))


def _same_bytes(plan, place, ways):
    """Whether a sweep leaves the same files by several workers, chunks and schedulers."""
    folders = []
    for workers, chunk, scheduler in ways:
        folders.append(place / f"{workers}-{chunk}")
        with open_mapper(workers, scheduler) as mapper:
            sweep(plan, folders[-1], mapper=mapper, chunk=chunk,
                  single=workers > 1 or scheduler is not None)
    names = {file.name for file in folders[0].iterdir()}
    assert {"indices.csv", "sweep.json"} < names
    for other in folders[1:]:
        assert {file.name for file in other.iterdir()} == names
        for name in names:
            assert (other / name).read_bytes() == (folders[0] / name).read_bytes(), name
