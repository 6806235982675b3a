"""How far the statistics pin down each calibrated parameter, and whether the fit fits.

Four questions:

- prior against posterior: how much variance the data removed, how far both still overlap;
- predictive checks: would the fitted model report series like those that were reported?
- years: what does each year's reports do to the elasticity and to the projection?
- simulation: does the fit find parameters that are known, as often as it says it does?

`docs/identification.md` shows the answers, `identification.csv` of a calibration holds them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from tradesim.common.arrays import Array, autoregression, frozen
from tradesim.common.parallel import Mapper, Progress
from tradesim.inputs.distributions import EDGE
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.reference.likelihood import (
    Evidence,
    explained,
    log_posterior,
    prior_draws,
    starting_points,
    unpack,
    with_reference,
)
from tradesim.reference.mcmc import kept_draws, sample
from tradesim.reference.statespace import kalman, log_likelihood, starting_variance

PARETO = 0.7
"""Shape of the tail of importance weights above which they are not to be trusted."""

AHEAD = 11
"""Years ahead of the projection that is looked at, as many as forecasts of other pairs have."""

ENSEMBLES, WALKERS, STEPS = 2, 64, 400
"""A fit without one year: its median is good to a tenth of a standard deviation."""

KEPT = 63
"""Draws among which a true parameter is ranked: 64 places, a power of two."""

SCORES = np.linspace(-8.0, 8.0, 4001)
"""Standard normal scores at which the quantiles of a prior are taken."""

GRID = SCORES[::5]
"""Standard normal scores at which densities are compared."""


# Prior against posterior.

def contraction(prior_variance: float, draws: Array) -> float:
    """Share of the prior's variance that the data removed; below zero where they added some."""
    return float(1.0 - draws.var() / prior_variance)


def scores(prior: Parameter, values: Array) -> Array:
    """Values as standard normal scores of their prior: a sample of the prior becomes normal."""
    return np.interp(values, quantile(prior, np.clip(ndtr(SCORES), EDGE, 1.0 - EDGE)), SCORES)


def overlap(prior: Parameter, draws: Array) -> float:
    r"""Overlapping coefficient of prior and posterior.

    .. math:: \int \min\{f(x), g(x)\}\,dx

    One where the data say nothing, zero where both are apart. It is the same in every monotone
    scale, so it is computed on the scale on which the prior is standard normal, with a kernel
    estimate of the posterior.

    Notes
    -----
    Inman and Bradley (1989), Communications in Statistics 18.
    """
    from scipy.stats import gaussian_kde

    density = gaussian_kde(scores(prior, draws))(GRID)
    standard = np.exp(-0.5 * GRID**2) / np.sqrt(2 * np.pi)
    return float(np.trapezoid(np.minimum(density, standard), GRID))


# Predictive checks.

def replicate(evidence: Evidence, vectors: Array, rng: np.random.Generator) -> Array:
    """Make the reports that each parameter vector would give, equations 1-3.

    Flows are drawn anew, regressors stay. Cells without a report stay NaN; axes
    (draw, year, importer, reporter).
    """
    history = evidence.history
    parts = with_reference(unpack(vectors, evidence))
    mean = explained(parts, evidence)
    normal = rng.standard_normal(mean.shape)
    rho, scale = parts["persistence"], parts["innovation_sd"]
    shocks = scale[:, None] * normal
    shocks[:, 0] = np.sqrt(starting_variance(rho[:, None], scale)) * normal[:, 0]
    residual = autoregression(shocks, rho, np.zeros(1))
    error = parts["error_sd"][:, None] * history.error_scale
    reports = ((mean + residual)[..., None] + parts["bias"][:, None]
               + error * rng.standard_normal(error.shape))
    return np.where(np.isnan(history.log_value), np.nan, reports)


def statistics(log_value: Array, importers: tuple[str, ...],
               reporters: tuple[str, ...]) -> dict[str, Array]:
    """Describe reported series (..., year, importer, reporter) by a few numbers each.

    For each series the standard deviation of yearly growth and its lag-1 autocorrelation; for
    each importer and reporter but the first, the reference, the standard deviation of the gap to
    the reference count, its lag-1 autocorrelation, and its trend per year. NaN = missing.
    """
    growth = np.diff(log_value, axis=-3)
    gap = log_value[..., 1:] - log_value[..., :1]
    numbers = {}
    for j, importer in enumerate(importers):
        for r, reporter in enumerate(reporters):
            own = growth[..., j, r]
            numbers[f"growth_sd.{importer}.{reporter}"] = np.nanstd(own, axis=-1)
            numbers[f"growth_autocorrelation.{importer}.{reporter}"] = _autocorrelation(own)
        for r, reporter in enumerate(reporters[1:]):
            own = gap[..., j, r]
            numbers[f"gap_sd.{importer}.{reporter}"] = np.nanstd(own, axis=-1)
            numbers[f"gap_autocorrelation.{importer}.{reporter}"] = _autocorrelation(own)
            numbers[f"gap_trend.{importer}.{reporter}"] = _trend(own)
    return numbers


def _autocorrelation(series: Array) -> Array:
    centred = series - np.nanmean(series, axis=-1, keepdims=True)
    return np.asarray(np.nansum(centred[..., 1:] * centred[..., :-1], axis=-1)
                      / np.nansum(centred**2, axis=-1))


def _trend(series: Array) -> Array:
    years = np.where(np.isnan(series), np.nan, np.arange(series.shape[-1]))
    centred = years - np.nanmean(years, axis=-1, keepdims=True)
    return np.asarray(np.nansum(centred * series, axis=-1) / np.nansum(centred**2, axis=-1))


# One year left out.

@dataclass(frozen=True)
class Importance:
    """Weights that turn draws of one density into draws of another."""

    weight: Array  # smoothed, adding up to one; (draw,)
    effective: float  # number of draws
    shape: float  # of the generalised Pareto tail; above `PARETO` weights are not to be trusted


def importance(log_ratio: Array) -> Importance:
    """Pareto-smoothed importance weights of log ratios of densities.

    The largest ratios are replaced by the quantiles of a generalised Pareto distribution fitted
    to them.

    Notes
    -----
    Vehtari, Simpson, Gelman, Yao and Gabry (2024), Journal of Machine Learning Research 25. The
    tail is fitted by maximum likelihood, theirs by Zhang and Stephens's quick estimator with a
    prior on the shape.
    """
    from scipy.stats import genpareto

    count = len(log_ratio)
    ratio = np.exp(log_ratio - log_ratio.max())
    tail = int(np.ceil(min(0.2 * count, 3 * np.sqrt(count))))
    order = np.argsort(ratio, kind="stable")
    largest, cut = order[-tail:], ratio[order[-tail - 1]]
    shape = -np.inf
    if ratio[largest[-1]] > cut * (1 + 1e-9):
        shape, _, scale = genpareto.fit(ratio[largest] - cut, floc=0.0)
        smooth = cut + genpareto.ppf((np.arange(tail) + 0.5) / tail, shape, scale=scale)
        ratio[largest] = np.minimum(smooth, 1.0)
    weight = ratio / ratio.sum()
    return Importance(weight, float(1.0 / (weight**2).sum()), float(shape))


def without(evidence: Evidence, year: int) -> Evidence:
    """Give the evidence without one year's reports: the year stays, its cells are missing."""
    reports = evidence.history.log_value.copy()
    reports[evidence.history.years.index(year)] = np.nan
    return replace(evidence, history=replace(evidence.history, log_value=frozen(reports)))


def log_evidence(vectors: Array, evidence: Evidence) -> Array:
    """Log likelihood of parameter vectors (draw,)."""
    parts = with_reference(unpack(vectors, evidence))
    history = evidence.history
    return log_likelihood(parts, history.log_value, history.error_scale,
                          explained(parts, evidence))


def log_turnover(vectors: Array, evidence: Evidence) -> Array:
    """Log of both flows added up `AHEAD` years after the sample, by parameter vector (draw,).

    GDP and prices as projected, the corridor open, no new shocks: what a draw of the parameters
    makes of the data, and nothing else.
    """
    history = evidence.history
    parts = with_reference(unpack(vectors, evidence))
    ahead, base = history.forecast, history.years.index(evidence.base_year)
    size = (ahead.log_gdp[AHEAD - 1] - history.log_gdp[base]).sum()
    deviation = (history.log_value - explained(parts, evidence)[..., None]
                 - parts["bias"][:, None])
    error = np.maximum(parts["error_sd"], EDGE)[:, None] * history.error_scale
    rho = parts["persistence"][:, None]
    state = kalman(deviation, error, rho, parts["innovation_sd"]).mean[:, -1]
    flow = (parts["constant"] + parts["elasticity_gdp"][:, None] * size
            + parts["elasticity_exchange_rate"] * ahead.exchange_rate[AHEAD - 1]
            + rho**AHEAD * state)
    return np.asarray(np.logaddexp(flow[:, 0], flow[:, 1]))


def fit(evidence: Evidence, seed: int, *, draws: int = 4000, steps: int = STEPS,
        ensembles: int = ENSEMBLES, walkers: int = WALKERS) -> Array:
    """Draw parameter vectors with few steps of the sampler of `calibrate` (draw, parameter)."""
    rng = np.random.default_rng([seed, 1])
    starts = np.array([starting_points(evidence, walkers, rng) for _ in range(ensembles)])
    chains = sample(lambda vectors: log_posterior(vectors, evidence), starts, steps, seed)
    return kept_draws(chains, draws, rng)


@dataclass(frozen=True)
class Influence:
    """What leaving one year out does to quantities of interest."""

    shift: dict[str, float]  # change of the median in standard deviations of the full posterior
    change: dict[str, float]  # the same in the quantity's own unit
    effective: float  # of the importance weights
    shape: float
    refitted: bool  # whether the weights were bad, so that a fit of its own was made


def influence(evidence: Evidence, vectors: Array, year: int, seed: int = 1) -> Influence:
    """Medians without one year's reports, by importance weights or else by a new fit.

    The quantities are ``elasticity`` (to GDP) and ``turnover`` (`log_turnover`).
    """
    less = without(evidence, year)
    weights = importance(log_evidence(vectors, less) - log_evidence(vectors, evidence))
    refitted = weights.shape > PARETO or weights.effective < 0.1 * len(vectors)
    after, weight = vectors, weights.weight
    if refitted:
        after = fit(less, seed)
        weight = np.full(len(after), 1.0 / len(after))
    before, now = _quantities(vectors, evidence), _quantities(after, less)
    change = {name: float(np.quantile(now[name], 0.5, weights=weight, method="inverted_cdf")
                          - np.median(values)) for name, values in before.items()}
    return Influence({name: change[name] / float(values.std())
                      for name, values in before.items()}, change,
                     weights.effective / len(vectors), weights.shape, refitted)


def _quantities(vectors: Array, evidence: Evidence) -> dict[str, Array]:
    return {"elasticity": unpack(vectors, evidence)["elasticity_gdp"],
            "turnover": log_turnover(vectors, evidence)}


# Simulation-based calibration.

@dataclass(frozen=True)
class Simulated:
    """One simulation, ready to be sent to another process."""

    evidence: Evidence  # its reports are replaced
    number: int
    seed: int
    kept: int
    steps: int
    walkers: int


def rank(task: Simulated) -> tuple[int, Array]:
    """Draw parameters and reports, fit them, and rank each parameter among the draws kept."""
    evidence, rng = task.evidence, np.random.default_rng([task.seed, task.number])
    true = prior_draws(evidence, rng.uniform(EDGE, 1 - EDGE, (1, len(evidence.priors))))
    reports = frozen(replicate(evidence, true, rng)[0])
    made = replace(evidence, history=replace(evidence.history, log_value=reports))
    drawn = fit(made, int(rng.integers(2**31)), draws=task.kept, steps=task.steps, ensembles=1,
                walkers=task.walkers)
    return task.number, (drawn < true).sum(axis=0)


def ranks(evidence: Evidence, simulations: int, *, seed: int = 1, kept: int = KEPT,
          steps: int = 300, walkers: int = 64, mapper: Mapper = map,
          progress: Progress | None = None) -> Array:
    """Rank of the true parameters among draws fitted to reports simulated from them.

    For each simulation parameters are drawn from the prior, reports from equations 1-3, and
    the model is fitted to them. If the fit is right every rank from 0 to `kept` is equally
    likely. Axes (simulation, parameter); the same for any `mapper` (`parallel.open_mapper`).

    Notes
    -----
    Talts, Betancourt, Simpson, Vehtari and Gelman (2018), arXiv 1804.06788.
    """
    tasks = (Simulated(evidence, number, seed, kept, steps, walkers)
             for number in range(simulations))
    found: dict[int, Array] = {}
    for number, one in mapper(rank, tasks):
        found[number] = one
        if progress is not None:
            progress(len(found), simulations)
    return np.array([found[number] for number in range(simulations)])


def dispersion(ranks_of: Array, kept: int = KEPT) -> Array:
    r"""Say how spread out ranks are: :math:`12\,\overline{(u - 1/2)^2}` by parameter.

    With :math:`u = (r + 1/2) / (K + 1)` of ranks :math:`r` from 0 to :math:`K`. One if the fit is
    right, more if it is too sure, less if it is not sure enough. The standard error for :math:`n`
    simulations is :math:`\sqrt{0.8 / n}`, so that this finds a wrong spread sooner than
    `uniformity`.
    """
    return np.asarray(12 * (((ranks_of + 0.5) / (kept + 1) - 0.5) ** 2).mean(axis=0))


def uniformity(ranks_of: Array, kept: int = KEPT, bins: int = 8) -> Array:
    """p-value of the chi-square test that ranks from 0 to `kept` are uniform, by parameter."""
    from scipy.stats import chisquare

    counts = np.array([np.bincount(column * bins // (kept + 1), minlength=bins)
                       for column in ranks_of.T])
    return np.asarray(chisquare(counts, axis=1).pvalue)
