"""The draws of every variable of a folder of results: read where kept, else computed again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.scenario import Scenario
from tradesim.simulation import model
from tradesim.simulation.manifest import AGAIN, DATA, calibration_hashes, made_with
from tradesim.simulation.results import COMMENT, EVERY, as_kept, load

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
    source = made_with(kept.attrs) if calibration is None else calibration
    if calibration_hashes(source) != json.loads(kept.attrs["hashes"]):
        raise _others(Path(folder))
    scenario = Scenario.model_validate_json(kept.attrs["scenario"])
    again = model.answer(model.load_baseline(source), scenario, identity_of(kept), progress)
    check_same(again, kept, Path(folder))
    return as_kept(again).assign_attrs(kept=EVERY, comment=COMMENT[EVERY])


def identity_of(kept: xr.Dataset) -> dict[str, Any]:
    """Give what identifies a run, from the attributes of its results."""
    return {str(key): value for key, value in kept.attrs.items() if key not in ("kept", "comment")}


def check_same(again: xr.Dataset, kept: xr.Dataset, folder: Path) -> None:
    """Refuse results that were computed again and are not those of a folder.

    Raises
    ------
    InputError
        When years, counts or cases are others, or turnover differs by more than `SAME`.
    """
    here, there = again["turnover"], kept["turnover"]
    try:
        xr.align(here, there, join="exact")
    except ValueError as error:
        raise _others(folder) from error
    if not np.allclose(here, there.transpose(*here.dims), rtol=SAME, atol=0.0):
        raise _others(folder)


def _others(folder: Path) -> InputError:
    return InputError([Problem(
        str(folder / DATA), "", "keeps the draws of few variables, and the others cannot be "
        "computed again: program or calibration are not those of the run",
        f"{AGAIN}; with --keep-draws all draws stay")])
