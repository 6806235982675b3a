"""Another pair than the shipped one, from a file of statistics to a report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.inputs.baseline import read_baseline
from tradesim.inputs.pair import read_pair
from tradesim.simulation.results import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "mongolia_russia"
FILE = EXAMPLE / "sources" / "russia_to_mongolia_by_section.csv"


def call(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words], prog_name="tradesim",
                              catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture(scope="module")
def documented(tmp_path_factory):
    """The calibration of the example after the import."""
    target = tmp_path_factory.mktemp("pair") / "documented"
    call("import", FILE, "--calibration", EXAMPLE / "calibration", "--no-answer", "--out", target)
    return target


def test_an_import_documents_the_goods_of_the_pair(documented):
    base = read_baseline(documented)
    pair = read_pair(documented)
    assert pair.pair == ("MNG", "RUS")
    cells = {group: base.parameters[f"market.MNG.{group}.RUS"] for group in pair.groups}
    assert {cell.grade for cell in cells.values()} == {"B"}
    value = {group: cell.distribution.value for group, cell in cells.items()}
    total = base.totals[0, pair.exporters.index("RUS")] / 1e6
    assert sum(value.values()) == pytest.approx(total, abs=1e-4)
    # fuels were 74 % of the flow in 2015 and 58 % in 2005 by the table itself
    assert 0.58 < value["minerals_fuels"] / total < 0.76
    others = read_baseline(EXAMPLE / "calibration").parameters
    assert base.parameters["market.RUS.metals.MNG"] == others["market.RUS.metals.MNG"]


@pytest.mark.slow
def test_it_runs_to_a_report(documented, tmp_path):
    text = call("run", EXAMPLE / "interim.yaml", "--calibration", documented, "--draws", 60,
                "--out", tmp_path / "results")
    assert "Turnover, USD million, Mongolia's count" in text
    page = (tmp_path / "results" / "report.html").read_text(encoding="utf-8")
    assert "Kazakhstan and Mongolia" not in page
    assert "Russia" in page
    results = load(tmp_path / "results")
    assert results.sizes["product"] == results.sizes["service"] == 0
    effect = results["turnover"].sel(case="scenario") - results["turnover"].sel(case="reference")
    assert np.isfinite(results["turnover"]).all()
    assert float(effect.sel(year=2035, count="mongolian").mean()) > 0
    told = json.loads((tmp_path / "results" / "summary.json").read_text(encoding="utf-8"))
    assert told["count"] == "mongolian"


@pytest.mark.slow
def test_it_is_compared_and_decomposed(documented, tmp_path):
    for command in ("compare", "decompose"):
        call(command, EXAMPLE / "interim.yaml", "--calibration", documented, "--draws", 30,
             "--out", tmp_path / command)
        assert (tmp_path / command / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.nightly
def test_it_is_calibrated_from_its_statistics(tmp_path):
    folder = tmp_path / "fresh"
    shutil.copytree(EXAMPLE / "calibration", folder)
    (folder / "posterior.nc").unlink()
    call("calibrate", "--calibration", folder, "--steps", 3000)
    posterior = read_baseline(folder).posterior
    shipped = read_baseline(EXAMPLE / "calibration").posterior
    for name in ("elasticity_gdp", "bias"):
        np.testing.assert_allclose(posterior[name].mean("draw"), shipped[name].mean("draw"),
                                   atol=0.03)
