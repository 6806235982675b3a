"""The programming interface, and the export that other programs read."""

import json
import subprocess
import sys

import numpy as np
import pytest

import tradesim as ts
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
    assert shown._repr_html_().startswith("<pre>")
    assert shown["draws"] == 40


def test_iamc_rows_are_those_of_the_summary(dataset):
    table = ts.to_iamc(dataset, model="m")
    assert tuple(table.columns) == COLUMNS
    assert not table.duplicated(list(COLUMNS[:-1])).any()
    assert table["value"].notna().all()
    assert set(table["model"]) == {"m"}
    summary = summarise(dataset)
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
