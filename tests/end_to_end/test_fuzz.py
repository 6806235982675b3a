"""Damaged files of every kind: read, or refused in words; never anything else.

How many examples: `TRADESIM_FUZZ`, by default some five hundred in all; `pytest -m nightly` tries
twenty thousand.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import fake_sweep
from mutants import csv_files, damaged, json_files, yaml_files
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder, scenarios_folder
from tradesim.economy.levers.registry import check_levers
from tradesim.inputs.baseline import read_baseline
from tradesim.inputs.history import read_history
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import read_parameters
from tradesim.inputs.posterior import read_manifest as read_fit
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.scenario import Known, Scenario, read_scenario
from tradesim.inputs.scenario_text import resolved
from tradesim.reports.sweep.page import drivers, main_outputs, outcome
from tradesim.simulation import manifest, provenance, results
from tradesim.simulation.model import run
from tradesim.studies import forecasts, identification_table
from tradesim.studies.backtest import track_record
from tradesim.studies.sweep.plan import SweepRequest, prepare, read_sweep_file
from tradesim.studies.sweep.results import numbers, read_sweep
from tradesim.studies.sweep.run import begin, chunk_folder

CI, NIGHT = 500, 20_000
SHARES = {"scenario": 0.5, "calibration yaml": 0.1, "calibration csv": 0.1, "posterior": 0.1,
          "manifest": 0.1, "sweep": 0.1}
"""Part of all examples that each kind of file gets."""


def tried(kind: str) -> Callable[[Any], Any]:
    """Give a test of one kind its examples; by night forty times as many."""
    def examples(total: int) -> Any:
        return settings(max_examples=max(1, round(SHARES[kind] * total)), deadline=None,
                        database=None, derandomize=total == CI,
                        phases=(Phase.generate, Phase.shrink),
                        suppress_health_check=list(HealthCheck))

    def decorate(test: Any) -> Any:
        return examples(int(os.environ.get("TRADESIM_FUZZ", CI)))(test)
    return decorate


@pytest.fixture(scope="module")
def cal(tmp_path_factory) -> Path:
    """A copy of the calibration."""
    folder = tmp_path_factory.mktemp("fuzz") / "cal"
    shutil.copytree(calibration_folder(), folder)
    return folder


@pytest.fixture(scope="module")
def known() -> Known:
    return Known.read(calibration_folder())


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Path:
    """A folder of results."""
    folder = tmp_path_factory.mktemp("fuzz")
    results.save(run("eaeu_interim", draws=2), folder)
    return folder


@pytest.fixture(scope="module")
def swept(tmp_path_factory) -> Path:
    """A folder of a made-up sweep."""
    return fake_sweep.write(tmp_path_factory.mktemp("fuzz") / "s", "lhs", rows=30)


@pytest.fixture(scope="module")
def plan() -> Any:
    return prepare(SweepRequest("base", "lhs", n=10, over=("adjustment.*",), years=(2030,),
                                variables=("turnover",)))


def refused_or_read(work: Callable[[], Any]) -> Any:
    """What some work gives, or nothing where it is refused with a file and a reason."""
    try:
        return work()
    except InputError as error:
        if not all(problem.file and problem.message for problem in error.problems):
            pytest.fail(f"a refusal without a file or a reason: {error}")
        return None


class Changed:
    """A file with other content for as long as a block lasts."""

    moment = 10**18

    def __init__(self, path: Path, content: bytes) -> None:
        self.path, self.content, self.before = path, content, path.read_bytes()

    def __enter__(self) -> None:
        self.path.write_bytes(self.content)
        Changed.moment += 1  # old enough to be read once for all readers
        os.utime(self.path, ns=(Changed.moment, Changed.moment))

    def __exit__(self, *_: object) -> None:
        self.path.write_bytes(self.before)
        Changed.moment += 1
        os.utime(self.path, ns=(Changed.moment, Changed.moment))


SCENARIOS = sorted(scenarios_folder().glob("*.yaml"))


@tried("scenario")
@given(st.data())
def test_scenarios(known, tmp_path_factory, data):
    source = data.draw(st.sampled_from(SCENARIOS))
    path = tmp_path_factory.getbasetemp() / "fuzzed.yaml"
    path.write_bytes(data.draw(yaml_files(source.read_bytes())))
    scenario = refused_or_read(lambda: read_scenario(path, known))
    refused_or_read(lambda: read_sweep_file(path))
    if scenario is not None:
        again = path.with_name("again") / path.name
        again.parent.mkdir(exist_ok=True)
        again.write_text(resolved(scenario, known), encoding="utf-8")
        assert _content(read_scenario(again, known)) == _content(scenario)


def _content(scenario: Scenario) -> dict[str, Any]:
    return scenario.model_dump(exclude={"origins"})


def _calibration(folder: Path) -> Iterator[Callable[[], Any]]:
    """Everything that reads a calibration folder."""
    yield lambda: read_pair(folder)
    yield lambda: read_parameters(folder)
    yield lambda: read_history(folder)
    yield lambda: Known.read(folder)
    yield lambda: check_levers(read_levers(folder), folder / "levers.yaml", read_pair(folder))
    yield lambda: read_baseline(folder)
    yield lambda: track_record.read_record(folder)
    yield lambda: identification_table.read(folder)
    yield lambda: forecasts.read_forecasts(folder)


@tried("calibration yaml")
@given(st.data())
def test_yaml_of_the_calibration(cal, data):
    path = cal / data.draw(st.sampled_from(["pair.yaml", "parameters.yaml", "levers.yaml"]))
    with Changed(path, data.draw(yaml_files(path.read_bytes()))):
        for read in _calibration(cal):
            refused_or_read(read)


@tried("calibration csv")
@given(st.data())
def test_csv_of_the_calibration(cal, data):
    tables = sorted(path for path in cal.rglob("*.csv") if path.parent.name != "import")
    path = data.draw(st.sampled_from(tables))
    with Changed(path, data.draw(csv_files(path.read_bytes()))):
        for read in _calibration(cal):
            refused_or_read(read)


@tried("posterior")
@given(st.data())
def test_posterior(cal, data):
    name = data.draw(st.sampled_from(["posterior.nc", "posterior.yaml"]))
    content = (cal / name).read_bytes()
    made = data.draw((damaged if name.endswith("nc") else yaml_files)(content))
    with Changed(cal / "posterior.yaml", (cal / "posterior.yaml").read_bytes()), Changed(
            cal / name, made):
        if name.endswith("nc") and data.draw(st.booleans()):
            _seal_posterior(cal)
        refused_or_read(lambda: read_posterior(cal))
        refused_or_read(lambda: read_fit(cal))


def _seal_posterior(folder: Path) -> None:
    """Let the manifest agree with what is there, as a forger would."""
    from tradesim.common.files import sha256

    path = folder / "posterior.yaml"
    before = read_fit(folder).posterior_sha256
    path.write_text(path.read_text(encoding="utf-8").replace(
        before, sha256(folder / "posterior.nc")), encoding="utf-8")


@tried("manifest")
@given(st.data())
def test_manifest_and_results(ran, data):
    name = data.draw(st.sampled_from(["manifest.json", "manifest.json", "results.nc"]))
    made = data.draw((json_files if name.endswith("json") else damaged)((ran / name).read_bytes()))
    with Changed(ran / "manifest.json", (ran / "manifest.json").read_bytes()), Changed(
            ran / name, made):
        if name == "results.nc" and data.draw(st.booleans()):
            manifest.seal(ran)
        refused_or_read(lambda: results.load(ran))
        refused_or_read(lambda: read_sweep(ran))
        found = refused_or_read(lambda: provenance.origin(ran))
        if found is not None:
            assert provenance.lines(found)
            provenance.verify(found)


@tried("sweep")
@given(st.data())
def test_sweeps(swept, plan, data):
    name = data.draw(st.sampled_from(["sweep.json", "indices.csv", "table.csv.gz", "plan.json"]))
    if name == "plan.json":
        folder = chunk_folder(swept.parent / "new")
        if not (folder / name).exists():
            begin(plan, swept.parent / "new", fresh=False, size=5)
        path = folder / name
    else:
        path = swept / name
    strategy = json_files if name.endswith("json") else (
        csv_files if name.endswith("csv") else damaged)
    with Changed(path, data.draw(strategy(path.read_bytes()))):
        refused_or_read(lambda: begin(plan, swept.parent / "new", fresh=False, size=5))
        refused_or_read(lambda: outcome(swept))
        sweep = refused_or_read(lambda: read_sweep(swept))
        if sweep is not None:
            for output in refused_or_read(lambda: main_outputs(sweep)) or ():
                drivers(sweep, output)
                numbers(sweep, output.name)


@pytest.mark.nightly
def test_twenty_thousand(request):
    """The same with many more examples, in a process of their own."""
    import subprocess
    import sys

    done = subprocess.run([sys.executable, "-m", "pytest", "-n", "auto", "-q", __file__, "-m",
                           "not nightly"], env=os.environ | {"TRADESIM_FUZZ": str(NIGHT)},
                          check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:]
