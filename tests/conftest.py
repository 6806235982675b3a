"""What every test has: one thread for linear algebra, no deadlines, a made-up world."""

from __future__ import annotations

import os

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


@pytest.fixture
def world() -> Economy:
    return make_economy()


@pytest.fixture(scope="session")
def base() -> Baseline:
    """Give the calibration that comes with the program: for tests of the whole, not the economy."""
    return load_baseline(calibration_folder())
