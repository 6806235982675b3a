"""What every test has: one thread for linear algebra, no deadlines, a made-up world."""

from __future__ import annotations

import os
from pathlib import Path

for library in ("OPENBLAS", "OMP", "MKL"):  # before numpy: two threads on small batches are slow
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest
from hypothesis import settings

from made_up_world import make_economy
from tradesim.common.files import calibration_folder
from tradesim.economy.base_year import Economy
from tradesim.inputs.baseline import Baseline
from tradesim.simulation.model import load_baseline

settings.register_profile("tradesim", deadline=None)  # machines are shared; no test measures time
settings.load_profile("tradesim")


SLOW = (
    "end_to_end/test_fuzz.py",
    "end_to_end/test_hostile.py",
    "end_to_end/test_notebook.py",
    "reference/test_calibrate.py",
    "reports/explore/test_beside.py",
    "reports/explore/test_browser.py",
    "reports/explore/test_live.py",
    "reports/export/test_document.py",
    "reports/run/test_figures.py",
    "reports/run/test_languages.py",
    "reports/run/test_page.py",
    "reports/test_sweep.py",
    "simulation/test_provenance.py",
    "studies/backtest/test_backtest.py",
    "studies/backtest/test_benchmarks.py",
    "studies/backtest/test_cells.py",
    "studies/discover/test_discover.py",
    "studies/explore/test_emulator.py",
    "studies/sweep/test_chunks.py",
    "studies/test_compare.py",
    "studies/test_goal.py",
    "studies/test_identification.py",
    "test_api.py",
)
"""Files that run whole studies or build whole pages: slow as a whole, because their tests share
what the first of them computes. Single slow tests elsewhere are marked where they stand."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow files, before `-m` chooses."""
    folder = Path(__file__).parent
    for item in items:
        if item.path.relative_to(folder).as_posix() in SLOW:
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def world() -> Economy:
    return make_economy()


@pytest.fixture(scope="session")
def base() -> Baseline:
    """Give the calibration that comes with the program: for tests of the whole, not the economy."""
    return load_baseline(calibration_folder())
