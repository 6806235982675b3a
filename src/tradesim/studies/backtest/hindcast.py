"""What a specification would have said at the end of an earlier year, knowing nothing later."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.inputs import macro_outlook
from tradesim.inputs.parameters import Cube, quantile, read_parameters
from tradesim.inputs.specifications import Specification, size_of_market
from tradesim.reference import gravity
from tradesim.reference.likelihood import (
    Evidence,
    log_posterior,
    posterior_dataset,
    read_evidence,
    starting_points,
)
from tradesim.reference.mcmc import assess, kept_draws, sample

ENSEMBLES, WALKERS, STEPS = 2, 96, 400
"""A fit that is repeated for every origin: short, so that its diagnostics must be looked at."""

DISRUPTED = 1.0 / 12.0
"""Share of a year closed from which it counts as disrupted: a month."""


@dataclass(frozen=True)
class Hindcast:
    """A projection as it would have been made at the end of `origin`.

    Attributes
    ----------
    origin, specification
        Last year known, and the name of the form of the reference path.
    years
        Projected years.
    log_flow
        Log flow on the reference count, USD; (draw, year, importer).
    log_report
        What each country would report of it, with bias and reporting error of an observation of
        grade A; (draw, year, importer, reporter).
    worst_rhat, smallest_ess
        Largest split R-hat and smallest effective sample size of the parameters of the fit.
    """

    origin: int
    specification: str
    years: tuple[int, ...]
    log_flow: Array
    log_report: Array
    worst_rhat: float
    smallest_ess: float


def hindcast(folder: Path, origin: int, specification: str | Specification, *, horizons: int = 5,
             draws: int = 2000, seed: int = 1, steps: int = STEPS) -> Hindcast:
    """Fit a specification to the data up to a year and project from there.

    After the origin GDP, prices and imports follow `macro_outlook.paths`, the corridor's regime and
    the innovations are drawn. Every specification sees the same of all these.

    Parameters
    ----------
    folder
        Calibration folder.
    origin
        Last year of data that is used.
    specification
        Specification, or the name of one of `specifications.yaml`.
    horizons
        Years to project.
    draws
        Draws of the projection.
    seed
        Seed of everything random.
    steps
        Steps per ensemble of the sampler, of which the first third is dropped.

    Returns
    -------
    Hindcast

    Raises
    ------
    InputError
        For bad input, or an origin without enough history.
    """
    folder = Path(folder)
    if horizons < 1 or draws < 1:
        raise InputError([Problem("hindcast", "horizons" if horizons < 1 else "draws",
                                  "must be 1 or more")])
    evidence = read_evidence(folder, specification, origin)
    rng = np.random.default_rng([seed, origin, 1])
    starts = np.array([starting_points(evidence, WALKERS, rng) for _ in range(ENSEMBLES)])
    chains = sample(lambda vectors: log_posterior(vectors, evidence), starts, steps, seed)
    found = assess(evidence.names, chains, least=0.0)
    vectors = kept_draws(chains, draws, rng)
    if len(vectors) < draws:
        raise InputError([Problem("hindcast", "draws", f"{draws} are more than the {len(vectors)} "
                                  "that the sampler keeps; take fewer, or more steps")])
    fitted = posterior_dataset(vectors, evidence, rng)
    numbers = {str(name): values.to_numpy().astype(float) for name, values in fitted.items()}
    flow = _project(folder, evidence, numbers, horizons, np.random.default_rng([seed, origin, 2]))
    noise = np.random.default_rng([seed, origin, 3]).standard_normal(
        (*flow.shape, len(evidence.history.reporters)))
    bias = np.stack([np.zeros_like(numbers["bias"]), numbers["bias"]], axis=-1)
    report = (flow[..., None] + bias[:, None] + numbers["error_sd"][:, None] * noise)
    return Hindcast(origin, evidence.specification.name,
                    tuple(range(origin + 1, origin + 1 + horizons)), flow, report,
                    max(rhat for rhat, _ in found.values()),
                    min(size for _, size in found.values()))


def _project(folder: Path, evidence: Evidence, numbers: dict[str, Array], horizons: int,
             rng: np.random.Generator) -> Array:
    """Log flows after the last year of the evidence (draw, year, importer)."""
    history, form = evidence.history, evidence.specification
    draws, members = numbers["constant"].shape
    record = history.series
    if len(record.years) <= macro_outlook.LEAST:
        raise InputError([Problem(str(folder / "data/macro.csv"), "", f"{len(record.years)} years "
                                  f"of GDP and growth up to {record.years[-1]} are too few to "
                                  f"forecast it; {macro_outlook.LEAST + 1} are needed")])
    ahead = macro_outlook.paths(record, horizons, draws, rng)
    base = history.years.index(evidence.base_year)
    known = size_of_market(form.size, history.log_gdp, history.log_real, history.log_imports)
    size = size_of_market(form.size, ahead.log_gdp, ahead.log_real, ahead.log_imports)
    shape = (draws, horizons, members)
    closed = _corridor(folder, history.closed_share[-1], draws, horizons, rng)
    normal = rng.standard_normal(shape)
    if np.isfinite(form.degrees):
        normal /= np.sqrt(rng.chisquare(form.degrees, shape) / form.degrees)
    path = gravity.reference(
        parameters=numbers, innovations=normal * numbers["innovation_sd"][:, None, :],
        size=size - known[base],
        log_growth=ahead.log_gdp - history.log_gdp[base],
        exchange_rate=history.exchange_rate[-1] + macro_outlook.relative_prices(
            record, ahead.log_gdp, ahead.log_real),
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
    return gravity.corridor(rng.random((draws, horizons, 2)), *chances, begun=last > DISRUPTED)
