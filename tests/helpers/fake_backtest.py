"""A made-up back-test: the world of `conftest`, the model's forecasts drawn by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from made_up_world import PAIR
from tradesim.studies.backtest import scores
from tradesim.studies.backtest.backtest import Backtest, record_of
from tradesim.studies.backtest.benchmarks import OPEN, OTHERS, RIVALS
from tradesim.studies.backtest.cells import Cell, CellTask, to_series, work
from tradesim.studies.backtest.track_record import MODEL

FIRST, LAST = 1998, 2011
ORIGINS = tuple(range(2005, 2011))
DRAWS = 400
CLOSED = 2008
"""The year in which the corridor was closed."""

SHIFT, ERROR = 0.0, 0.18
"""Bias and error of one year's forecast of the model."""


def values(seed: int = 0) -> np.ndarray:
    """Reported trade (year, series): a residual that reverts around growth, two counts."""
    rng = np.random.default_rng(seed)
    years = LAST - FIRST + 1
    flow = np.zeros((years, 2))
    for t in range(1, years):
        flow[t] = 0.5 * flow[t - 1] + rng.normal(0, (0.2, 0.4))
    flow += np.array([17.5, 14.5]) + 0.05 * np.arange(years)[:, None]
    counts = np.stack([flow, flow - (0.7, -0.3)], axis=-1)
    return to_series(counts + rng.normal(0, 0.05, counts.shape))


def plan(seed: int = 0, folder: Path = Path("nowhere")) -> Backtest:
    """Plan of the made-up back-test."""
    return Backtest(folder, PAIR, ORIGINS, 5, tuple(range(FIRST, LAST + 1)), values(seed),
                    DRAWS, 1, {"version": "0", "program": "0", "inputs": {},
                               "origins": [2005, 2010]}, (CLOSED,))


def forecast(task: CellTask) -> Cell:
    """Work on a cell: rivals as they are, the model near the truth by its own error."""
    if task.model != MODEL:
        return work(task)
    rng = np.random.default_rng([task.origin, len(task.model)])
    h = np.sqrt(np.arange(1, len(task.outcome) + 1))[:, None]
    middle = task.outcome + h * ERROR * rng.normal(size=(1, 1)) + SHIFT
    draws = middle + h * ERROR * rng.normal(size=(task.draws, *task.outcome.shape))
    density = np.array([[scores.log_score(draws[:, i, k], task.outcome[i, k])
                         for k in range(draws.shape[2])] for i in range(draws.shape[1])])
    return Cell(task.model, task.origin, draws, density, {"rhat": 1.01, "effective": 900.0})


def rough(task: CellTask) -> Cell:
    """The same with rivals that need no fit: means and spreads of the series itself, quickly."""
    if task.model == MODEL:
        return forecast(task)
    place = [*RIVALS, *OTHERS].index(task.model.removesuffix(OPEN))
    h = np.sqrt(np.arange(1, len(task.outcome) + 1))[:, None]
    known = task.series[np.isfinite(task.series).all(axis=1)]
    mean = known[-1] + 0.03 * place * h**2
    sd = (0.2 + 0.05 * place) * h * np.ones_like(mean)
    return Cell(task.model, task.origin, scores.normal_draws(mean, sd, task.draws),
                scores.log_score_normal(mean, sd, task.outcome), {"fit": "made up", "left_out": 0})


def record(seed: int = 0):
    """Record of the made-up back-test."""
    made = plan(seed)
    return record_of(made, [rough(task) for task in made.tasks()])
