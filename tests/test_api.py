"""The programming interface, and the export that other programs read."""

import ast
import copy
import json
import pickle
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

import tradesim as ts
from tidy import tidy
from tradesim.common.errors import InputError
from tradesim.reports.export.iamc import COLUMNS
from tradesim.simulation.summary import summary as summarise


@pytest.fixture(scope="module")
def dataset():
    return ts.run("eaeu_fta", draws=40, eaeu_fta={"start": 2027}, horizon=2030)


def test_the_package_alone_loads_nothing_heavy():
    code = ("import sys, tradesim; tradesim.__version__; "
            "print([name for name in ('numpy', 'pandas', 'yaml', 'click') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_functions_stay_callable_when_modules_of_their_name_are_loaded():
    code = ("import tradesim.reports.run.page, tradesim.studies.compare, tradesim as ts; "
            "from tradesim.economy.levers.registry import KINDS; "
            "print(len(ts.levers()) > 3, len(KINDS) > 3)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True True"


def test_unknown_names_are_refused():
    with pytest.raises(AttributeError, match="module 'tradesim' has no attribute 'nonsense'"):
        _ = ts.nonsense
    assert {"run", "compare", "levers"} <= set(dir(ts))


def test_settings_reach_the_scenario(dataset):
    scenario = json.loads(dataset.attrs["scenario"])
    assert scenario["levers"]["eaeu_fta"]["start"] == 2027
    assert scenario["horizon"] == 2030
    assert dataset["turnover"].attrs["units"] == "USD"
    dropped = ts.run("eaeu_fta", draws=3, eaeu_fta=None)
    assert json.loads(dropped.attrs["scenario"])["levers"] == {"eaeu_interim": {}}


def test_headline_reads_as_the_command_prints(dataset):
    shown = ts.headline(dataset)
    assert "Turnover, USD million" in repr(shown)
    assert repr(shown).startswith(dataset.attrs["title"])
    assert shown._repr_html_().count("<tr>") == 1 + 2  # a head, 2025 and 2030
    assert shown["draws"] == 40


def test_iamc_rows_are_those_of_the_summary(dataset):
    table = ts.to_iamc(dataset, model="m")
    assert tuple(table.columns) == COLUMNS
    assert not table.duplicated(list(COLUMNS[:-1])).any()
    assert table["value"].notna().all()
    assert set(table["model"]) == {"m"}
    summary = tidy(summarise(dataset))
    importer = str(dataset["importer"].to_numpy()[0])
    wanted = summary[(summary["variable"] == "trade") & (summary["count"] == "kazakh")
                     & (summary["importer"] == importer) & (summary["group"] == "all")
                     & (summary["case"] == "scenario") & (summary["statistic"] == "p95")]
    region = "Kazakhstan>Mongolia"
    found = table[(table["scenario"] == "eaeu_fta") & (table["region"] == region)
                  & (table["variable"] == "Trade|Exports|kazakh|p95")]
    np.testing.assert_allclose(found["value"], wanted["value"] / 1e6, rtol=1e-9)
    assert list(found["year"]) == list(wanted["year"])
    assert set(found["unit"]) == {"million USD/yr"}


def test_iamc_holds_changes_only_where_there_is_a_policy(dataset):
    table = ts.to_iamc(dataset)
    changes = table[table["variable"].str.startswith("Change|")]
    assert "eaeu_fta, if implemented" in set(changes["scenario"])
    assert "eaeu_fta, reference" not in set(changes["scenario"])
    shares = table[table["variable"].str.endswith("Target Probability")]
    assert shares["value"].between(0, 1).all()
    assert set(shares["unit"]) == {"1"}


def test_settings_are_passed_alike_everywhere(dataset):
    setting = {"eaeu_fta": {"start": 2027}, "horizon": 2030}
    shared = ts.compare(["base", dataset], draws=40, horizon=2030)
    parts = ts.decompose("eaeu_fta", draws=40, **setting)
    sought = ts.goal("eaeu_fta", draws=40, vary=["growth"], **setting)
    assert json.loads(shared.runs["eaeu_fta"].attrs["scenario"])["levers"]["eaeu_fta"] == {
        "start": 2027}
    effect = float((dataset["turnover"].sel(count="kazakh", year=2030)
                    .diff("case").sel(case="scenario")).mean())
    assert float(parts["effect"].sel(case="scenario", count="kazakh", importer="all").mean()
                 ) == pytest.approx(effect)
    assert sought.now == pytest.approx(float((dataset["turnover"].sel(
        count="kazakh", case="scenario", year=2030) >= sought.target).mean()))


def test_a_list_of_values_is_a_list(dataset):
    found = ts.run("base", draws=3, levers={"tariff_change": {
        "method": "new_rate", "rate": 0.1, "exporters": "KAZ", "importers": "MNG",
        "groups": ["cereals_flour", "tobacco"]}})
    chosen = json.loads(found.attrs["scenario"])["levers"]["tariff_change"]
    assert chosen["groups"] == "cereals_flour, tobacco"


def test_runs_folders_and_names_can_be_compared(dataset, tmp_path):
    ts.save(dataset, tmp_path / "fta")
    base = ts.run("base", draws=40, horizon=2030)
    found = ts.compare([base, tmp_path / "fta"])
    assert list(found.runs) == ["base", "eaeu_fta"]
    assert found.summary()["mean change"].iloc[0] == pytest.approx(
        found.change("turnover", "eaeu_fta", "scenario", count="kazakh", year=2030).mean() / 1e6)


def test_saved_results_replace_those_of_an_earlier_run_whole(dataset, tmp_path, monkeypatch):
    folder = tmp_path / "fta"
    ts.save(ts.run("base", draws=3), folder)
    (folder / "report.html").write_text("of another run", encoding="utf-8")
    assert ts.save(dataset, folder) == folder
    assert not (folder / "report.html").exists()
    assert ts.load(folder).attrs["run_id"] == dataset.attrs["run_id"]
    (folder / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(InputError, match=r"fta: folder: holds other files \(mine\.txt\) and would "
                                         "be replaced; name a new folder"):
        ts.save(dataset, folder)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match="is the folder that you are in"):
        ts.save(dataset, ".")


def test_everything_a_user_holds_fits_on_a_screen(dataset):
    base = ts.run("base", draws=40, horizon=2030)
    held = [ts.compare(base, dataset), ts.goal("eaeu_fta", draws=40), ts.levers()["eaeu_fta"],
            ts.levers(), ts.headline(dataset)]
    for thing in held:
        assert len(repr(thing).splitlines()) <= 40
        assert len(repr(thing)) < 4000
        assert repr(thing) == str(thing)
    for thing in (*held[:3], held[4]):
        shown = thing._repr_html_()
        assert shown.startswith("<")
        assert "<script" not in shown


def parts(thing):
    """Public attributes that are no functions; how a dataset prints is not ours."""
    names = [name for name in dir(thing) if not name.startswith(("_", "model_"))]
    values = {name: getattr(thing, name) for name in names}
    return {name: value for name, value in values.items()
            if not callable(value) and not isinstance(value, xr.Dataset)}


def test_every_part_of_what_a_user_holds_fits_on_a_screen():
    prepared = ts.prepare("all_levers", draws=3)
    base, compared = prepared.base, ts.compare("base", "all_levers", draws=3)
    held = [prepared, compared, ts.headline(compared.first), ts.levers(), *ts.levers().values(),
            base.levers["tariff_change_flour"],
            ts.goal("all_levers", draws=3, target=5e9, vary=["growth", "eaeu_fta.start"])]
    long = {(type(thing).__name__, name): len(repr(value)) for thing in held
            for name, value in parts(thing).items()
            if len(repr(value)) > 2000}
    assert not long
    assert max(len(repr(value)) for value in (base.pair, base.history, base.parameters)) < 2000
    for thing in (prepared, ts.levers()):
        assert thing._repr_html_().startswith("<")
    assert "tariff_change" in ts.levers()._repr_html_()


def test_what_prints_in_short_is_still_a_mapping(dataset):
    lever = ts.levers()["eaeu_fta"]
    assert copy.copy(lever.settings) == lever.settings == dict(lever.settings)
    assert list(lever.model_dump()["settings"]) == list(lever.settings)
    assert pickle.loads(pickle.dumps(lever)) == lever
    assert "start: Year in which " in repr(lever.settings)
    assert json.loads(json.dumps(ts.headline(dataset).numbers)) == ts.headline(dataset).numbers


def test_the_stub_names_what_the_package_gives():
    stub = ast.parse(Path(ts.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    named = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom)
             for alias in node.names}
    assert named == set(ts._API)
    assert named <= set(dir(ts))


def test_a_figure_by_its_name(dataset):
    drawn = ts.figure(dataset, "fan")
    assert drawn.axes
    with pytest.raises(InputError, match=r"fna: unknown figure; known: .*did you mean 'fan'"):
        ts.figure(dataset, "fna")


def test_results_explain_themselves(dataset, tmp_path):
    """Titles and units are in the file, so another machine needs no calibration folder."""
    found = ts.load(ts.save(dataset, tmp_path / "fta"))
    assert found.attrs["Conventions"].startswith("CF-")
    assert found["year"].attrs["long_name"] == "Calendar year"
    titles = dict(zip(found["group"].to_numpy(), found["group_title"].to_numpy(), strict=True))
    assert titles["cereals_flour"] == "Cereals and flour"
    assert found["exporter_title"].sel(exporter="RUS").item() == "Russia"


def test_names_may_be_a_column_and_numbers_go_into_yaml(dataset):
    found = ts.compare(pd.Series(["base", "eaeu_fta"]), draws=2)
    assert list(found.runs) == ["base", "eaeu_fta"]
    assert yaml.safe_load(yaml.safe_dump(ts.headline(dataset).numbers)) == dict(
        ts.headline(dataset).numbers)
    settings = MappingProxyType({"start": 2028})
    chosen = json.loads(ts.run("eaeu_fta", draws=1, eaeu_fta=settings).attrs["scenario"])
    assert chosen["levers"]["eaeu_fta"]["start"] == 2028
