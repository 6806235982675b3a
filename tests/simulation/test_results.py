"""What a run leaves: summary, headline, files, and reading them back."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tidy import tidy
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.economy.variables import OCCASIONAL, USUAL, VARIABLES
from tradesim.simulation import manifest, results
from tradesim.simulation.appraisal import NAME as APPRAISAL
from tradesim.simulation.model import run
from tradesim.simulation.summary import COLUMNS, LEVELS, STATISTICS, quantiles
from tradesim.simulation.summary import headline as first_numbers
from tradesim.simulation.summary import summary as summarise
from tradesim.simulation.whole import check_same, whole_results

DRAWS = 40


@pytest.fixture(scope="module")
def dataset():
    return run("all_levers", draws=DRAWS, seed=2)


@pytest.fixture(scope="module")
def table(dataset):
    return tidy(summarise(dataset))


def pick(table, **where):
    chosen = table
    for column, value in where.items():
        chosen = chosen[chosen[column] == value]
    return chosen["value"].item()


def test_summary_is_tidy(dataset, table):
    assert tuple(summarise(dataset).columns) == COLUMNS
    keys = table.drop(columns=["value", "unit"])
    assert not keys.duplicated().any()
    complete = summarise(dataset).query("variable != 'target_probability'")
    assert complete.notna().all().all()
    assert set(table["variable"]) == {*USUAL, *OCCASIONAL, APPRAISAL, "target_probability"}
    assert set(table["statistic"]) == set(STATISTICS)


def test_totals_are_totals_of_draws(dataset, table):
    turnover = dataset["turnover"].sel(count="kazakh", case="scenario", year=2030).to_numpy()
    where = {"variable": "turnover", "count": "kazakh", "case": "scenario", "year": 2030,
             "exporter": "all", "importer": "all", "group": "all"}
    assert pick(table, **where, statistic="mean") == pytest.approx(turnover.mean())
    assert pick(table, **where, statistic="p90") == pytest.approx(np.percentile(turnover, 90))


def test_effects_are_paired(dataset, table):
    trade = dataset["trade"].sel(count="mongolian", importer="MNG", year=2035).sum("group")
    effect = (trade.sel(case="scenario") - trade.sel(case="reference")).to_numpy()
    found = pick(table, variable="trade", count="mongolian", importer="MNG", exporter="KAZ",
                 group="all", case="effect", year=2035, statistic="p50")
    assert found == pytest.approx(np.median(effect))


def test_means_of_groups_add_up(table):
    rows = table[(table["variable"] == "trade") & (table["count"] == "kazakh")
                 & (table["importer"] == "KAZ") & (table["case"] == "reference")
                 & (table["year"] == 2031) & (table["statistic"] == "mean")]
    parts = rows[rows["group"] != "all"]["value"].sum()
    assert parts == pytest.approx(rows[rows["group"] == "all"]["value"].item())


def test_changes_have_no_reference(table):
    cases = table[table["variable"] == "welfare"]["case"].unique()
    assert set(cases) == {"effect", "effect_if_implemented"}


def test_probability_is_the_share_of_draws(dataset, table):
    reached = (dataset["turnover"].sel(count="kazakh", case="reference", year=2035)
               >= dataset.attrs["target_value"]).to_numpy()
    found = pick(table, variable="target_probability", count="kazakh", case="reference",
                 year=2035)
    assert found == pytest.approx(reached.mean())


def test_headline_has_the_shape_that_is_promised(dataset, table):
    front = first_numbers(dataset)
    assert front["scenario"] == "all_levers"
    assert front["count"] == "kazakh"
    assert set(front["turnover"]["2030"]) == {"reference", "scenario", "effect"}
    assert set(front["turnover"]["2030"]["effect"]) == set(STATISTICS)
    assert front["target"]["value"] == 500e6
    assert set(front["target"]["probability"]["2035"]) == {"reference", "scenario",
                                                           "if_implemented"}
    assert front["if_implemented"]["2035"]["p50"] > 0
    assert front["statistics"]["2024"]["kazakh"] == pytest.approx(123.96e6, rel=1e-3)
    assert front["statistics"]["2024"]["mongolian"] == pytest.approx(54.15e6, rel=1e-3)
    assert front["draws"] == DRAWS
    assert front["max_residual"] < 1e-11
    assert front["turnover"]["2035"]["reference"]["p50"] == pytest.approx(
        pick(table, variable="turnover", count="kazakh", case="reference", year=2035,
             statistic="p50"))


def test_saved_results_read_back(dataset, tmp_path):
    results.save(dataset, tmp_path, every=True)
    loaded = results.load(tmp_path)
    for name in USUAL:
        np.testing.assert_allclose(loaded[name], dataset[name], rtol=1e-6, atol=1.0)
        assert loaded[name].attrs["units"] == VARIABLES[name].unit
    assert list(loaded["group"].values) == list(dataset["group"].values)
    assert loaded.attrs["run_id"] == dataset.attrs["run_id"]
    written = pd.read_csv(tmp_path / "summary.csv", keep_default_na=False)
    assert tuple(written.columns) == COLUMNS
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert {"run_id", "command", "versions", "hashes", "seed"} <= set(manifest)
    assert "posterior.nc" in manifest["hashes"]


def test_same_inputs_same_bytes_but_for_the_manifest(dataset, tmp_path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
        results.save(run("all_levers", draws=DRAWS, seed=2), folder)
    for name in ("summary.csv", "summary.json", "results.nc", "scenario.yaml"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_resolved_scenario_runs_again_to_the_same_numbers(dataset, tmp_path):
    results.save(dataset, tmp_path)
    again = run(tmp_path / "scenario.yaml")
    np.testing.assert_array_equal(again["turnover"], dataset["turnover"])


def test_damaged_results_are_refused(dataset, tmp_path):
    with pytest.raises(InputError, match=r"is not a folder of results: it holds no manifest"):
        results.load(tmp_path)
    results.save(dataset, tmp_path)
    (tmp_path / "results.nc").write_bytes(b"CDF\x01 nonsense")
    with pytest.raises(InputError, match="is not what the run wrote: its SHA-256 is not the one"):
        results.load(tmp_path)
    manifest.seal(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read as results .*; run the scenario again"):
        results.load(tmp_path)


def test_a_folder_keeps_few_draws_and_the_others_are_computed_again(dataset, tmp_path):
    results.save(dataset, tmp_path)
    kept = results.load(tmp_path)
    assert set(kept.data_vars) == set(results.KEPT) & set(dataset.data_vars)
    again = whole_results(tmp_path)
    for name, array in results.as_kept(dataset).data_vars.items():
        np.testing.assert_array_equal(again[name], array, str(name))


def test_all_draws_are_kept_where_they_are_asked_for(dataset, tmp_path, monkeypatch):
    results.save(dataset, tmp_path, every=True)
    monkeypatch.setattr("tradesim.simulation.model.answer", None)
    assert set(whole_results(tmp_path).data_vars) == set(dataset.data_vars)


def test_draws_that_would_be_others_are_refused(dataset, tmp_path):
    results.save(dataset.assign(turnover=dataset["turnover"] * 1.001), tmp_path)
    with pytest.raises(InputError, match=r"the others cannot be computed again.*--keep-draws"):
        whole_results(tmp_path)


@pytest.mark.parametrize("change", [{"year": slice(0, 5)}, {"count": [1, 0]}])
def test_results_of_other_years_or_counts_are_refused(dataset, change, tmp_path):
    with pytest.raises(InputError, match="the others cannot be computed again"):
        check_same(dataset.isel(change), dataset, tmp_path)


def test_another_calibration_computes_nothing_again(dataset, tmp_path):
    results.save(dataset, tmp_path)
    other = tmp_path / "other"
    shutil.copytree(calibration_folder(), other)
    with (other / "parameters.yaml").open("a", encoding="utf-8") as file:
        file.write("# another\n")
    with pytest.raises(InputError, match="program or calibration are not those of the run"):
        whole_results(tmp_path, other)


def test_a_default_run_is_small(tmp_path):
    """Ten million bytes with 2,000 draws, the page and its figures among them."""
    results.save(run("eaeu_fta", draws=200), tmp_path)
    of_draws = (tmp_path / "results.nc").stat().st_size
    others = sum(path.stat().st_size for path in tmp_path.iterdir()) - of_draws
    assert 10 * of_draws + others < 8.5e6


@given(values=arrays(float, st.tuples(st.integers(1, 3), st.integers(1, 30)),
                     elements=st.floats(-1e9, 1e9)))
def test_quantiles_are_those_of_numpy(values):
    np.testing.assert_array_equal(quantiles(values), np.quantile(values, LEVELS, axis=-1))
