"""Cells of a back-test: one model at one origin, knowing nothing later, kept in a file.

A cell is pure: it depends on its task alone, so cells can be worked on by any process in any
order, and one that is on disk need not be made again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError, InputError, Problem, TradesimError
from tradesim.common.files import plain
from tradesim.common.output import whole_file
from tradesim.inputs import macro_outlook
from tradesim.inputs.parameters import Cube, quantile, read_parameters
from tradesim.reference import gravity
from tradesim.reference.likelihood import (
    Evidence,
    log_posterior,
    posterior_dataset,
    read_evidence,
    starting_points,
)
from tradesim.reference.mcmc import assess, kept_draws, sample
from tradesim.studies.backtest import scores
from tradesim.studies.backtest.benchmarks import rule
from tradesim.studies.backtest.track_record import MODEL

MAX_RHAT, MIN_EFFECTIVE = 1.05, 400.0
"""Bounds for the fit of one origin; what fails them is repeated with more steps."""

ENSEMBLES, WALKERS, STEPS = 2, 96, 400
"""A fit that is repeated for every origin: short, so that its diagnostics must be looked at."""

MOST_DRAWS = ENSEMBLES * WALKERS * (STEPS - STEPS // 3)
"""Draws that the shortest fit keeps."""

ATTEMPTS = (STEPS, 3 * STEPS, 9 * STEPS)
"""Steps of the sampler that are tried in turn."""


@dataclass(frozen=True)
class CellTask:
    """One model at one origin, ready to be sent to another process."""

    folder: Path  # of the calibration
    model: str  # `MODEL`, or the name of a simple forecast
    origin: int  # last year known
    series: Array  # reported trade up to the origin, logs; (year, series), NaN in a gap
    outcome: Array  # the same after it; of the model only to be scored
    draws: int
    seed: int


@dataclass(frozen=True)
class Cell:
    """A forecast by one model at one origin."""

    model: str
    origin: int
    draws: Array  # log of what would be reported; (draw, horizon, series)
    log_score: Array  # log density at what happened; (horizon, series)
    note: Mapping[str, Any]  # what was fitted, or how well the sampler did
    failed: str = ""  # why there is no forecast; empty where there is one


def to_series(log_value: Array) -> Array:
    """Log flows (..., importer, reporter) as series (..., series); turnover is their sum."""
    turnover = np.logaddexp.reduce(log_value, axis=-2)
    parts = [turnover, *np.moveaxis(log_value, -2, 0)]
    return np.concatenate(parts, axis=-1)


def work(task: CellTask) -> Cell:
    """Forecast one cell and give its density at what happened.

    Errors come back in the cell, because they do not all survive the way between processes.
    """
    try:
        return (_fitted if task.model == MODEL else _rival)(task)
    except TradesimError as error:
        note = {"residual": error.residual} if isinstance(error, ConvergenceError) else {}
        return Cell(task.model, task.origin, np.zeros((0, *task.outcome.shape)),
                    np.zeros_like(task.outcome), note, str(error))


def _rival(task: CellTask) -> Cell:
    forecasts = [rule(task.model)(column, len(task.outcome)) for column in task.series.T]
    mean = np.stack([forecast.mean for forecast in forecasts], axis=-1)
    sd = np.stack([forecast.sd for forecast in forecasts], axis=-1)
    return Cell(task.model, task.origin, scores.normal_draws(mean, sd, task.draws),
                scores.log_score_normal(mean, sd, task.outcome),
                {"fit": forecasts[0].fit,
                 "left_out": sum(forecast.left_out for forecast in forecasts)})


def _fitted(task: CellTask) -> Cell:
    done = _converged(task)
    draws, outcome = to_series(done.log_report), task.outcome
    density = np.array([[scores.log_score(draws[:, h, k], outcome[h, k])
                         for k in range(outcome.shape[1])] for h in range(len(outcome))])
    return Cell(task.model, task.origin, draws, density,
                {"rhat": done.worst_rhat, "effective": done.smallest_ess})


def _converged(task: CellTask) -> Hindcast:
    """Fit with as many steps as it takes."""
    for steps in ATTEMPTS:
        done = hindcast(task.folder, task.origin, horizons=len(task.outcome),
                        draws=task.draws, seed=task.seed, steps=steps)
        if done.worst_rhat < MAX_RHAT and done.smallest_ess >= MIN_EFFECTIVE:
            return done
    raise ConvergenceError(
        f"fit to the years up to {task.origin} (R-hat {done.worst_rhat:.3f}, must "
        f"be below {MAX_RHAT}; {done.smallest_ess:.0f} effective draws, at least "
        f"{MIN_EFFECTIVE:.0f} needed; {ATTEMPTS[-1]} steps)", done.worst_rhat)


@dataclass(frozen=True)
class Hindcast:
    """A projection as it would have been made at the end of `origin`."""

    origin: int  # last year known
    years: tuple[int, ...]
    log_flow: Array  # on the reference count, USD; (draw, year, importer)
    log_report: Array  # as each country would report it, with bias and reporting error of an
    # observation of grade A; (draw, year, importer, reporter)
    worst_rhat: float  # largest split R-hat of the parameters of the fit
    smallest_ess: float  # smallest effective sample size


def hindcast(folder: Path, origin: int, *, horizons: int = 5, draws: int = 2000, seed: int = 1,
             steps: int = STEPS) -> Hindcast:
    """Fit the reference path to the data up to a year and project from there.

    After the origin GDP and prices follow `macro_outlook.paths`, the corridor's regime and the
    innovations are drawn.

    Bad input, or an origin without enough history, is an InputError.
    """
    folder = Path(folder)
    if horizons < 1 or draws < 1:
        raise InputError([Problem("hindcast", "horizons" if horizons < 1 else "draws",
                                  "must be 1 or more")])
    evidence = read_evidence(folder, origin)
    rng = np.random.default_rng([seed, origin, 1])
    starts = np.array([starting_points(evidence, WALKERS, rng) for _ in range(ENSEMBLES)])
    chains = sample(lambda vectors: log_posterior(vectors, evidence), starts, steps, seed)
    diagnostics = assess(evidence.names, chains, least=0.0)
    vectors = kept_draws(chains, draws, rng)
    if len(vectors) < draws:
        raise InputError([Problem("hindcast", "draws", f"{draws} are more than the {len(vectors)} "
                                  "that the sampler keeps; take fewer, or more steps")])
    fitted = posterior_dataset(vectors, evidence, rng)
    numbers = {str(name): values.to_numpy().astype(float) for name, values in fitted.items()}
    flow = _project(folder, evidence, numbers, horizons, np.random.default_rng([seed, origin, 2]))
    noise = np.random.default_rng([seed, origin, 3]).standard_normal(
        (*flow.shape, len(evidence.history.reporters)))
    bias = gravity.by_count(numbers["bias"])
    report = (flow[..., None] + bias[:, None] + numbers["error_sd"][:, None] * noise)
    return Hindcast(origin, tuple(range(origin + 1, origin + 1 + horizons)), flow, report,
                    max(rhat for rhat, _ in diagnostics.values()),
                    min(size for _, size in diagnostics.values()))


def _project(folder: Path, evidence: Evidence, numbers: dict[str, Array], horizons: int,
             rng: np.random.Generator) -> Array:
    """Log flows after the last year of the evidence (draw, year, importer)."""
    history = evidence.history
    draws, members = numbers["constant"].shape
    series = history.series
    if len(series.years) <= macro_outlook.LEAST:
        raise InputError([Problem(str(folder / "data/macro.csv"), "", f"{len(series.years)} years "
                                  f"of GDP and growth up to {series.years[-1]} are too few to "
                                  f"forecast it; {macro_outlook.LEAST + 1} are needed")])
    ahead = macro_outlook.paths(series, horizons, draws, rng)
    base = history.years.index(evidence.base_year)
    growth = ahead.log_gdp - history.log_gdp[base]
    closed = _corridor(folder, history.closed_share[-1], draws, horizons, rng)
    normal = rng.standard_normal((draws, horizons, members))
    path = gravity.reference(
        parameters=numbers, innovations=normal * numbers["innovation_sd"][:, None, :],
        size=growth.sum(axis=-1), log_growth=growth,
        exchange_rate=history.exchange_rate[-1] + macro_outlook.relative_prices(
            series, ahead.log_gdp, ahead.log_real),
        closed_share=closed)
    return path.log_flow


def _corridor(folder: Path, last: float, draws: int, horizons: int,
              rng: np.random.Generator) -> Array:
    """Regime of the corridor, drawn: nobody knew it."""
    parameters = read_parameters(folder)
    cube = Cube.random(draws, int(rng.integers(2**31)))
    chances = [quantile(parameters[name], cube.column(name)) for name in (
        "corridor.disruption_probability", "corridor.persistence",
        "corridor.closed_given_disrupted", "corridor.closed_share_restricted",
        "corridor.closed_share_closed")]
    return gravity.corridor(rng.random((draws, horizons, 2)), *chances,
                            begun=last > gravity.DISRUPTED)


def write_cell(path: Path, cell: Cell) -> None:
    """Write a cell, whole or not at all."""
    with whole_file(path, sweep=False) as work, work.open("wb") as file:
        np.savez(file, draws=cell.draws.astype(np.float32), log_score=cell.log_score,
                 about=np.array(json.dumps([cell.model, cell.origin, dict(cell.note)])))


def is_sound(path: Path) -> bool:
    """Whether a file holds a whole cell: a ZIP archive knows the sums of its parts."""
    try:
        read_cell(path)
    except MemoryError:
        raise
    except Exception:  # whatever a damaged file does to its reader
        return False
    return True


def read_cell(path: Path) -> Cell:
    """Read a cell."""
    with np.load(plain(path), allow_pickle=False) as opened:
        model, origin, note = json.loads(str(opened["about"]))
        return Cell(model, origin, opened["draws"].astype(float), opened["log_score"], note)
