"""Cells of a back-test: one model at one origin, forecast and kept in a file.

A cell is pure: it depends on its task alone, so cells can be worked on by any process in any
order, and one that is on disk need not be made again.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError, TradesimError
from tradesim.inputs.specifications import Specification
from tradesim.studies.backtest import scores
from tradesim.studies.backtest.benchmarks import OTHERS, RIVALS

if TYPE_CHECKING:
    from tradesim.studies.backtest.hindcast import Hindcast

MAX_RHAT, MIN_EFFECTIVE = 1.05, 400.0
"""Bounds for the fit of one origin; what fails them is repeated with more steps."""

STEPS = (400, 1200, 3600)
"""Steps of the sampler that are tried in turn."""


@dataclass(frozen=True)
class Task:
    """One model at one origin, ready to be sent to another process.

    Attributes
    ----------
    folder
        Calibration folder.
    model
        Name of a simple forecast, or of a specification.
    form
        The specification; None for a simple forecast.
    origin
        Last year known.
    series, outcome
        Reported trade up to the origin and after it, logs; (year, series). A specification
        reads its own past and uses only the outcome, to be scored.
    draws, seed
        Draws of the forecast, and the seed of everything random.
    """

    folder: Path
    model: str
    form: Specification | None
    origin: int
    series: Array
    outcome: Array
    draws: int
    seed: int


@dataclass(frozen=True)
class Cell:
    """A forecast by one model at one origin.

    Attributes
    ----------
    model, origin
        Which.
    draws
        Log of what would be reported; (draw, horizon, series).
    log_score
        Log density at what happened; (horizon, series).
    note
        What was fitted, or how well the sampler did.
    failed
        Why there is no forecast; empty where there is one.
    """

    model: str
    origin: int
    draws: Array
    log_score: Array
    note: Mapping[str, Any]
    failed: str = ""


def to_series(log_value: Array) -> Array:
    """Log flows (..., importer, reporter) as series (..., series); turnover is their sum."""
    turnover = np.logaddexp.reduce(log_value, axis=-2)
    parts = [turnover, *(log_value[..., place, :] for place in range(log_value.shape[-2]))]
    return np.concatenate(parts, axis=-1)


def work(task: Task) -> Cell:
    """Forecast one cell and give its density at what happened.

    Errors come back in the cell, because they do not all survive the way between processes.
    """
    try:
        return (_specified if task.form is not None else _rival)(task)
    except TradesimError as error:
        note = {"residual": error.residual} if isinstance(error, ConvergenceError) else {}
        return Cell(task.model, task.origin, np.zeros((0, *task.outcome.shape)),
                    np.zeros_like(task.outcome), note, str(error))


def _rival(task: Task) -> Cell:
    rule = {**RIVALS, **OTHERS}[task.model]
    found = [rule(column, len(task.outcome)) for column in task.series.T]
    mean, sd = (np.stack([getattr(one, name) for one in found], axis=-1) for name in ("mean", "sd"))
    return Cell(task.model, task.origin, scores.normal_draws(mean, sd, task.draws),
                scores.log_score_normal(mean, sd, task.outcome),
                {"fit": found[0].fit, "left_out": sum(one.left_out for one in found)})


def _specified(task: Task) -> Cell:
    done = _converged(task)
    draws, outcome = to_series(done.log_report), task.outcome
    density = np.array([[scores.log_score(draws[:, h, k], outcome[h, k])
                         for k in range(outcome.shape[1])] for h in range(len(outcome))])
    return Cell(task.model, task.origin, draws, density,
                {"rhat": done.worst_rhat, "effective": done.smallest_ess})


def _converged(task: Task) -> Hindcast:
    """Fit with as many steps as it takes."""
    from tradesim.studies.backtest.hindcast import hindcast

    assert task.form is not None
    for steps in STEPS:
        done = hindcast(task.folder, task.origin, task.form, horizons=len(task.outcome),
                        draws=task.draws, seed=task.seed, steps=steps)
        if done.worst_rhat < MAX_RHAT and done.smallest_ess >= MIN_EFFECTIVE:
            return done
    raise ConvergenceError(
        f"fit of {task.model} to the years up to {task.origin} (R-hat {done.worst_rhat:.3f}, must "
        f"be below {MAX_RHAT}; {done.smallest_ess:.0f} effective draws, at least "
        f"{MIN_EFFECTIVE:.0f} needed; {STEPS[-1]} steps)", done.worst_rhat)


def write_cell(path: Path, cell: Cell) -> None:
    """Write a cell, whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, draws=cell.draws.astype(np.float32), log_score=cell.log_score,
                     about=np.array(json.dumps([cell.model, cell.origin, dict(cell.note)])))
        Path(name).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def read_cell(path: Path) -> Cell:
    """Read a cell."""
    with np.load(path, allow_pickle=False) as opened:
        model, origin, note = json.loads(str(opened["about"]))
        return Cell(model, origin, opened["draws"].astype(float), opened["log_score"], note)
