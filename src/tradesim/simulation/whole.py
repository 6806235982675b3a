"""The draws of every variable of a folder of results: read where kept, else computed again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.scenario import Scenario
from tradesim.simulation import model
from tradesim.simulation.manifest import AGAIN, DATA, made_with
from tradesim.simulation.results import EVERY, as_kept, load

SAME = 1e-5
"""Relative difference of turnover that another processor or library may make, and no more."""


def whole_results(folder: Path, calibration: Path | None = None,
                  progress: Callable[[int, int], None] | None = None) -> xr.Dataset:
    """Give the draws of every variable of a run.

    A folder keeps those of few variables (`results.KEPT`) unless it was asked to keep every one;
    the others follow from the scenario, the seed and the calibration that it names.

    Parameters
    ----------
    folder
        A folder that a run left.
    calibration
        Calibration folder; by default that of the run, which must be as it was.
    progress
        Called with draws done and draws in all, where the run is computed again.

    Raises
    ------
    InputError
        When the folder holds no results, the calibration has changed, or the run gives other
        numbers now.
    """
    kept = load(Path(folder))
    if kept.attrs["kept"] == EVERY:
        return kept
    base = model.load_baseline(calibration or made_with(kept.attrs))
    scenario = Scenario.model_validate_json(kept.attrs["scenario"])
    again = as_kept(model.answer(base, scenario, kept.attrs, progress)).assign_attrs(kept=EVERY)
    if not np.allclose(again["turnover"], kept["turnover"].transpose(*again["turnover"].dims),
                       rtol=SAME, atol=0.0):
        raise InputError([Problem(
            str(Path(folder) / DATA), "", "keeps the draws of few variables, and computing the "
            "others again gives another turnover: program or calibration are not those of the run",
            f"{AGAIN}; with --keep-draws all draws stay")])
    return again
