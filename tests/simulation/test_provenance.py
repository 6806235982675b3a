"""What made results is told and checked; the stored scenario gives the same bytes again."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tradesim import __version__
from tradesim.cli import app as cli
from tradesim.common.errors import InputError
from tradesim.simulation import manifest, provenance, results
from tradesim.simulation.model import run
from tradesim.simulation.provenance import origin, verify

DRAWS = 30


@pytest.fixture(scope="module")
def dataset():
    return run("eaeu_interim", draws=DRAWS, seed=5, overrides=["adjustment.speed=0.35"],
               count="mongolian")


@pytest.fixture
def folder(dataset, tmp_path):
    results.save(dataset, tmp_path)
    return tmp_path


def call(*words):
    return CliRunner().invoke(cli.cli, [str(word) for word in words], prog_name="tradesim")


def test_the_stored_scenario_gives_the_same_summary_byte_for_byte(folder, tmp_path_factory):
    again = tmp_path_factory.mktemp("again")
    results.save(run(folder / "scenario.yaml"), again)
    assert (again / "summary.csv").read_bytes() == (folder / "summary.csv").read_bytes()


def test_untouched_results_are_verified(folder, dataset):
    done = call("verify", folder, "--rerun")
    assert done.exit_code == 0, done.output
    assert dataset.attrs["run_id"] in done.output
    assert "gives the same summary.csv" in done.output


def test_a_changed_file_is_named(folder):
    (folder / "summary.csv").write_text("nothing\n", encoding="utf-8")
    (folder / "summary.json").unlink()
    done = call("verify", folder)
    assert done.exit_code == 1
    assert "summary.csv: is not as the run wrote it" in done.output
    assert "summary.json: is missing" in done.output
    assert "scenario.yaml" not in done.output


def test_a_changed_scenario_is_found_by_running_it_again(folder):
    path = folder / "scenario.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("seed: 5", "seed: 6"), encoding="utf-8")
    wrong = verify(origin(folder), rerun=True)
    assert wrong == ["scenario.yaml: is not as the run wrote it",
                     "summary.csv: running scenario.yaml again gives other numbers"]


def test_a_changed_calibration_is_named(folder, tmp_path_factory):
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    content["hashes"]["parameters.yaml"] = "0" * 64
    del content["hashes"]["levers.yaml"]
    (folder / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    assert verify(origin(folder)) == ["calibration, levers.yaml: is new since the run",
                                      "calibration, parameters.yaml: has changed since the run"]


def test_show_tells_what_made_results(folder, dataset):
    done = call("show", folder)
    assert done.exit_code == 0
    for part in (dataset.attrs["run_id"], "30, seed 5", "adjustment.speed", "eaeu_interim",
                 "--set adjustment.speed=0.35", "mongolian", "would have the same run id today"):
        assert part in done.output, part


def test_show_says_what_has_changed_since(folder, monkeypatch):
    for module in (manifest, provenance, results):
        monkeypatch.setattr(module, "version_of", lambda _: "9.9")
    assert f"{__version__} then, 9.9 now" in call("show", folder).output


def test_what_is_no_folder_of_results_is_refused(tmp_path):
    for command in ("show", "verify", "report"):
        done = call(command, tmp_path)
        assert done.exit_code == 2, command
        assert "run" in done.output
    with pytest.raises(InputError, match=r"is not a folder of results: it holds no manifest\.json"):
        origin(tmp_path)
    with pytest.raises(InputError, match="there is no such folder"):
        origin(tmp_path / "nowhere")


def test_results_of_another_version_are_refused(dataset, tmp_path):
    older = dataset.assign_attrs(format=1, version="0.0.9")
    results.save(older, tmp_path)
    with pytest.raises(InputError, match=r"was written in layout 1 by version 0\.0\.9 of tradesim; "
                                         r"this version reads layout 5; run the scenario again"):
        results.load(tmp_path)
    content = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    del content["files"]
    (tmp_path / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError, match="files: is missing; it is of another version of tradesim"):
        origin(tmp_path)


def test_factors_come_back_with_titles(folder, dataset):
    again = results.load(folder)
    np.testing.assert_array_equal(again["factors"], dataset["factors"])
    assert list(again["factor_title"].to_numpy()) == list(dataset["factor_title"].to_numpy())


def test_export_writes_a_table(folder):
    done = call("export", folder)
    assert done.exit_code == 0, done.output
    head = (folder / "iamc.csv").read_text(encoding="utf-8").splitlines()[0]
    assert head == "model,scenario,region,variable,unit,year,value"
