"""Sweeps from the wish to the folder, and the command."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.common.errors import InputError
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation.draws import draw_all
from tradesim.simulation.model import simulate
from tradesim.studies.sweep.design import METHODS, make
from tradesim.studies.sweep.execution import open_mapper
from tradesim.studies.sweep.file import is_sweep_file, read_sweep_file
from tradesim.studies.sweep.plan import Wish, prepare
from tradesim.studies.sweep.run import finished, sweep

OVER = ("adjustment.speed", "altai_road")
EFFECT = "turnover|kazakh|effect|2035"
SIZES = {"oat": None, "grid": None, "lhs": 12, "morris": 3, "sobol": 8}


def table_of(folder):
    return pd.read_parquet(folder / "table.parquet")


@pytest.fixture(scope="module", params=METHODS)
def swept(request, tmp_path_factory):
    method = request.param
    plan = prepare(Wish("all_levers", method, n=SIZES[method], over=OVER, years=(2030, 2035),
                        levels=3))
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


def test_a_row_is_a_run_of_the_model(swept, base):
    pytest.importorskip("pyarrow")
    table = table_of(swept[1])
    row = table.iloc[-1]
    known = Known(base.parameters, base.levers, base.pair)
    scenario = read_scenario("all_levers", known,
                             [f"adjustment.speed={float(row['adjustment.speed'])!r}"])
    draws = draw_all(base, scenario, Cube.point())
    on = {lever: np.array(1.0) for lever in scenario.levers} | {
        "altai_road": np.array(row["altai_road"])}
    cases = {"reference": dict.fromkeys(on, np.array(0.0)), "scenario": on}
    turnover = simulate(base, scenario, draws, cases)["turnover"].isel(draw=0)
    for case in cases:
        assert row[f"turnover|kazakh|{case}|2035"] == pytest.approx(
            float(turnover.sel(count="kazakh", case=case, year=2035)), rel=1e-12)


def test_the_reference_answers_to_no_lever(swept):
    indices = pd.read_csv(swept[1] / "indices.csv")
    still = indices[(indices["output"] == "turnover|kazakh|reference|2035")
                    & ~indices["index"].isin(["at_low", "at_high"])]
    assert not (still["distinguishable"] == "yes").any()


def test_groups_second_order_and_chance():
    plan = prepare(Wish("all_levers", "sobol", n=16, by_group=True, noise=True, years=(2035,),
                        variables=("turnover",), second=True))
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
    plan = prepare(Wish("all_levers", "oat", over=OVER, years=(2035,), products=True,
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


@pytest.mark.parametrize(("wish", "words"), [
    (Wish("all_levers", "sobbol"), "did you mean 'sobol'"),
    (Wish("all_levers", "lhs", n=2), "lhs needs 10 or more"),
    (Wish("all_levers", "oat", noise=True), "chance would hide what oat measures; take lhs"),
    (Wish("all_levers", "oat", variables=("turnver",)), "did you mean 'turnover'"),
    (Wish("all_levers", "oat", years=(1999,)), "the scenario runs from 2025 to 2035"),
    (Wish("all_levers", "grid", over=("elasticity.*",)), r"a grid of them is \d[\d,]+ runs"),
    (Wish("all_levers", "lhs", by_group=True), "only by the method sobol"),
    (Wish("all_levers", "oat", over=("elasticty.scale",)), "did you mean 'elasticity.scale'"),
])
def test_wishes_that_cannot_be(wish, words):
    with pytest.raises(InputError, match=words):
        prepare(wish)


def test_sobol_takes_a_power_of_two_and_says_why():
    plan = prepare(Wish("all_levers", "sobol", n=1000, over=OVER))
    assert plan.identity["n"] == 1024
    assert plan.notes == ["n = 1,000 is not a power of two, without which Sobol' points lose "
                          "their balance; taking 1,024"]


def test_a_large_grid_runs_when_one_insists():
    wish = Wish("all_levers", "grid", over=("elasticity.lower.*",), levels=3, yes=True)
    assert prepare(wish).design.rows == 3**12


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
    from tradesim.studies.sweep import table as sweep_table

    plan = prepare(Wish("all_levers", "oat", over=OVER, years=(2035,)))
    sweep(plan, tmp_path / "a", mapper=map)
    monkeypatch.setattr(sweep_table, "find_spec", lambda name: None)
    sweep(plan, tmp_path / "b", mapper=map, chunk=2)
    ours = pd.read_csv(tmp_path / "b" / "table.csv.gz")
    if (tmp_path / "a" / "table.parquet").exists():
        pd.testing.assert_frame_equal(ours, table_of(tmp_path / "a"), rtol=1e-14, check_dtype=False)
