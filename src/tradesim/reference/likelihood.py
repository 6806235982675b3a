"""What enters a fit of the reference path, and the density that follows from it.

One code path for all specifications: their choices decide which parameters are free and with
which priors, what the flows grow with, which years enter and how much they count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, ndtr, xlog1py, xlogy

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs import posterior
from tradesim.inputs.distributions import EDGE, Beta, Fixed, Lognormal, Normal, Uniform
from tradesim.inputs.history import History, read_history
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import Parameter, quantile, read_parameters
from tradesim.inputs.specifications import Specification, size_of_market, specification
from tradesim.reference.gravity import expected
from tradesim.reference.statespace import log_likelihood, smooth_draw

if TYPE_CHECKING:
    import xarray as xr

CANDIDATES = 100  #: prior draws per walker from which the best become starting points


@dataclass(frozen=True)
class Evidence:
    """What enters the fit of one specification: reports, regressors and priors."""

    history: History  #: reports and macroeconomic series, from the first year that enters
    specification: Specification  #: which form of the reference path
    size: Array  #: term g of equation 2, less its value in `base_year`; (year, importer)
    weight: Array  #: how much each year's reports count; (year,)
    base_year: int  #: year at whose size the constants hold
    priors: Mapping[str, Parameter]  #: free parameters by dotted name, in the order of the vector
    #: for each parameter of `posterior.PARAMETERS`, written out, its index in the vector; from
    #: ``len(priors)`` on, its index in `fixed`
    index: NDArray[np.intp]
    fixed: Array  #: values of the parameters that are not free

    @property
    def names(self) -> list[str]:
        """Dotted names of the free parameters."""
        return list(self.priors)


def read_evidence(folder: Path, form: str | Specification, as_of: int | None = None) -> Evidence:
    """Read history and priors of a calibration folder for one specification, or its name.

    Nothing dated after `as_of` is used.

    Raises
    ------
    InputError
        When a parameter of the reference path has no prior, or data that it needs are missing.
    """
    form = specification(folder, form) if isinstance(form, str) else form
    pair = read_pair(folder)
    early = form.presample
    history = read_history(folder, as_of, None if early is None else early.first_year)
    weight = np.ones(len(history.years))
    if early is not None:
        weight[[year < pair.first_year for year in history.years]] = early.weight
    # An earlier fit cannot know the size of a base year that has not come yet.
    base_year = min(pair.base_year, history.years[-1])
    size = size_of_market(form.size, history.log_gdp, history.log_real, history.log_imports)
    known = {name: item for name, item in read_parameters(folder).items() if item.calibrated}
    priors, index, fixed = _choices(folder, form, known, history.importers, history.reporters)
    if np.isfinite(form.degrees) and np.isnan(history.log_value[..., 0]).any():
        raise InputError([Problem(
            str(folder), form.name, f"needs a report of {history.reporters[0]} for every flow and "
            "year, because with Student's t that count is taken as the flow")])
    return Evidence(history, form, size - size[history.years.index(base_year)], weight, base_year,
                    priors, index, fixed)


def _choices(folder: Path, form: Specification, known: Mapping[str, Parameter],
             importers: Sequence[str], reporters: Sequence[str],
             ) -> tuple[dict[str, Parameter], NDArray[np.intp], Array]:
    """Free parameters with their priors, index of every parameter, and values of the fixed ones."""
    free: dict[str, Parameter] = {}
    fixed: dict[str, float] = {}
    prior_of: dict[str, str] = {}
    absent = []
    names = posterior.parameter_names(importers, reporters)
    for name in names:
        value = _given(form, name, reporters[0])
        if value is not None:
            fixed[name] = value
            continue
        variable = name.removeprefix(posterior.PREFIX).partition(".")[0]
        shared = posterior.PREFIX + variable if variable in posterior.SHARED else name
        if shared not in known:
            absent.append(shared)
            continue
        own = name if form.persistence == "by_flow" else shared
        if own not in free:
            change: dict[str, object] = {"name": own}
            if variable == "elasticity_gdp" and isinstance(form.elasticity, Normal):
                change["distribution"] = form.elasticity
            free[own] = known[shared].model_copy(update=change)
        prior_of[name] = own
    if absent:
        raise InputError([Problem(str(folder / "parameters.yaml"), name,
                                  "has no prior with `calibrated: true`, and the calibration "
                                  "needs one", nearest(name, known))
                          for name in dict.fromkeys(absent)])
    order = [*free, *fixed]
    index = [order.index(prior_of.get(name, name)) for name in names]
    return free, np.array(index), np.array(list(fixed.values()))


def _given(form: Specification, name: str, reference: str) -> float | None:
    """Value that a specification gives a parameter; None where it is free."""
    variable = name.removeprefix(posterior.PREFIX).partition(".")[0]
    if variable == "error_sd" and np.isfinite(form.degrees) and name.endswith(f".{reference}"):
        return 0.0
    return {"elasticity_gdp": form.elasticity.value if isinstance(form.elasticity, Fixed) else None,
            "persistence": form.persistence if isinstance(form.persistence, float) else None,
            "elasticity_exchange_rate": None if form.exchange_rate else 0.0,
            "closure_effect": None if form.closure else 0.0}.get(variable)


def unpack(vectors: Array, evidence: Evidence) -> dict[str, Array]:
    """Name the parts of parameter vectors (..., parameter), with the axes of `PARAMETERS`."""
    history = evidence.history
    given = np.broadcast_to(evidence.fixed, (*vectors.shape[:-1], len(evidence.fixed)))
    full = np.concatenate([vectors, given], axis=-1)[..., evidence.index]
    sizes = {"importer": len(history.importers), "reporter": len(history.reporters)}
    parts, start = {}, 0
    for name, dims in posterior.PARAMETERS.items():
        shape = tuple(sizes[dim] for dim in dims)
        stop = start + int(np.prod(shape))
        parts[name] = full[..., start:stop].reshape(*vectors.shape[:-1], *shape)
        start = stop
    return parts


def with_reference(parts: Mapping[str, Array]) -> dict[str, Array]:
    """Give every reporter a bias, zero for the first: equation 1."""
    bias = parts["bias"][..., None]
    return {**parts, "bias": np.concatenate([np.zeros_like(bias), bias], axis=-1)}


def explained(parts: Mapping[str, Array], evidence: Evidence) -> Array:
    """Log flow without its residual (..., year, importer): equation 2."""
    history = evidence.history
    return expected(parts, evidence.size, history.exchange_rate, history.closed_share)


def log_density(parameter: Parameter, values: Array) -> Array:
    """Log density of a prior, minus infinity outside its bounds.

    Normal, lognormal and beta distributions are truncated to the bounds and renormalised,
    as `parameters.quantile` draws them.
    """
    shape, low, high = parameter.distribution, parameter.low, parameter.high
    if isinstance(shape, Uniform):
        low, high = shape.low, shape.high
    inside = (values >= low) & (values <= high)
    x = np.where(inside, values, 0.5 * (max(low, shape.support()[0]) + high))
    density: Array
    if isinstance(shape, Uniform):
        density = np.full_like(x, -np.log(high - low))
    elif isinstance(shape, Beta):
        mass = betainc(shape.a, shape.b, min(high, 1.0)) - betainc(shape.a, shape.b, max(low, 0.0))
        density = (xlogy(shape.a - 1, x) + xlog1py(shape.b - 1, -x)
                   - betaln(shape.a, shape.b) - np.log(mass))
    elif isinstance(shape, Normal):
        score = (np.array([low, high]) - shape.mean) / shape.sd
        density = _log_normal((x - shape.mean) / shape.sd, score) - np.log(shape.sd)
    elif isinstance(shape, Lognormal):
        with np.errstate(divide="ignore"):
            score = np.log(np.maximum(np.array([low, high]) - shape.shift, 0.0) / shape.median)
        z = np.log((x - shape.shift) / shape.median) / shape.sd
        density = (_log_normal(z, score / shape.sd) - np.log(shape.sd)
                   - np.log(x - shape.shift))
    else:
        raise InputError([Problem("parameters.yaml", parameter.name,
                                  f"a calibrated parameter cannot be '{shape.kind}'; allowed: "
                                  "normal, lognormal, beta, uniform")])
    return np.where(inside, density, -np.inf)


def _log_normal(z: Array, bounds: Array) -> Array:
    """Log density of a standard normal truncated to bounds, computed on the accurate side."""
    low, high = bounds if bounds[0] <= 0 else -bounds[::-1]
    return np.asarray(-0.5 * (z ** 2 + np.log(2 * np.pi)) - np.log(ndtr(high) - ndtr(low)))


def log_prior(vectors: Array, evidence: Evidence) -> Array:
    """Log prior density of parameter vectors (..., parameter)."""
    terms = [log_density(prior, vectors[..., k])
             for k, prior in enumerate(evidence.priors.values())]
    return np.asarray(np.sum(terms, axis=0))


def log_posterior(vectors: Array, evidence: Evidence) -> Array:
    """Log prior plus weighted log likelihood of many parameter vectors (vector, parameter)."""
    density = log_prior(vectors, evidence)
    inside = np.isfinite(density)
    if inside.any():
        parts = with_reference(unpack(vectors[inside], evidence))
        history = evidence.history
        density[inside] += log_likelihood(
            parts, history.log_value, history.error_scale, explained(parts, evidence),
            evidence.weight, evidence.specification.degrees)
    return density


def prior_draws(evidence: Evidence, uniform: Array) -> Array:
    """Parameter vectors from the prior, for uniform numbers (..., parameter)."""
    return np.stack([quantile(prior, uniform[..., k])
                     for k, prior in enumerate(evidence.priors.values())], axis=-1)


def starting_points(evidence: Evidence, walkers: int, rng: np.random.Generator) -> Array:
    """Prior draws in the region that the data leave likely: the best of `CANDIDATES` each."""
    shape = (walkers * CANDIDATES, len(evidence.priors))
    drawn = prior_draws(evidence, rng.uniform(EDGE, 1 - EDGE, shape))
    return drawn[np.argsort(-log_posterior(drawn, evidence), kind="stable")[:walkers]]


def posterior_dataset(vectors: Array, evidence: Evidence,
                      rng: np.random.Generator) -> xr.Dataset:
    """Draws of parameters and of one smoothed path of latent flows each, sample years only."""
    import xarray as xr

    history = evidence.history
    parts = unpack(vectors, evidence)
    full = with_reference(parts)
    mean = explained(full, evidence)
    residual = smooth_draw(full, history.log_value, history.error_scale, mean,
                           rng.standard_normal(mean.shape), evidence.specification.degrees)
    sample = slice(len(history.years) - len(history.sample), None)
    values = {**parts, "residual": residual[:, -1], "latent": (mean + residual)[:, sample]}
    dims = {**posterior.PARAMETERS, **posterior.STATES}
    return xr.Dataset(
        {name: (("draw", *dims[name]), value.astype(np.float32))
         for name, value in values.items()},
        coords={"importer": list(history.importers), "reporter": list(history.reporters),
                "year": np.array(history.sample, dtype=np.int32)})
