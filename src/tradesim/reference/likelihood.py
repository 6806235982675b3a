"""What enters a fit of the reference path, and the density that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc, betaln, ndtr, xlog1py, xlogy

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs import posterior
from tradesim.inputs.distributions import EDGE, Beta, Lognormal, Normal, Uniform
from tradesim.inputs.history import History, read_history
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import Parameter, quantile, read_parameters
from tradesim.reference.gravity import by_count, expected
from tradesim.reference.statespace import log_likelihood, smooth_draw

if TYPE_CHECKING:
    import xarray as xr

CANDIDATES = 100  #: prior draws per walker from which the best become starting points


@dataclass(frozen=True)
class Evidence:
    """What enters the fit: reports, regressors and priors."""

    history: History  #: reports and macroeconomic series
    size: Array  #: term g of equation 2, less its value in `base_year`; (year,)
    base_year: int  #: year at whose size the constants hold
    priors: Mapping[str, Parameter]  #: parameters by dotted name, in the order of the vector

    @property
    def names(self) -> list[str]:
        """Dotted names of the parameters."""
        return list(self.priors)


def read_evidence(folder: Path, as_of: int | None = None) -> Evidence:
    """Read history and priors of a calibration folder; nothing dated after `as_of` is used.

    Raises
    ------
    InputError
        When a parameter of the reference path has no prior, or data that it needs are missing.
    """
    pair, history = read_pair(folder), read_history(folder, as_of)
    # An earlier fit cannot know the size of a base year that has not come yet.
    base_year = min(pair.base_year, history.years[-1])
    size = history.log_gdp.sum(axis=1)
    known = {name: item for name, item in read_parameters(folder).items() if item.calibrated}
    names = posterior.parameter_names(history.importers, history.reporters)
    absent = [name for name in names if name not in known]
    if absent:
        raise InputError([Problem(str(folder / "parameters.yaml"), name,
                                  "has no prior with `calibrated: true`, and the calibration "
                                  "needs one", nearest(name, known)) for name in absent])
    return Evidence(history, size - size[history.years.index(base_year)], base_year,
                    {name: known[name] for name in names})


def unpack(vectors: Array, evidence: Evidence) -> dict[str, Array]:
    """Name the parts of parameter vectors (..., parameter), with the axes of `PARAMETERS`."""
    history = evidence.history
    sizes = {"importer": len(history.importers), "reporter": len(history.reporters)}
    parts, start = {}, 0
    for name, dims in posterior.PARAMETERS.items():
        shape = tuple(sizes[dim] for dim in dims)
        stop = start + int(np.prod(shape))
        parts[name] = vectors[..., start:stop].reshape(*vectors.shape[:-1], *shape)
        start = stop
    return parts


def with_reference(parts: Mapping[str, Array]) -> dict[str, Array]:
    """Give every reporter a bias, zero for the first: equation 1."""
    return {**parts, "bias": by_count(parts["bias"])}


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
    """Log prior plus log likelihood of many parameter vectors (vector, parameter)."""
    density = log_prior(vectors, evidence)
    inside = np.isfinite(density)
    if inside.any():
        parts = with_reference(unpack(vectors[inside], evidence))
        history = evidence.history
        density[inside] += log_likelihood(
            parts, history.log_value, history.error_scale, explained(parts, evidence))
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
    """Draws of parameters and of one smoothed path of latent flows each."""
    import xarray as xr

    history = evidence.history
    parts = unpack(vectors, evidence)
    full = with_reference(parts)
    mean = explained(full, evidence)
    residual = smooth_draw(full, history.log_value, history.error_scale, mean,
                           rng.standard_normal(mean.shape))
    values = {**parts, "residual": residual[:, -1], "latent": mean + residual}
    dims = {**posterior.PARAMETERS, **posterior.STATES}
    return xr.Dataset(
        {name: (("draw", *dims[name]), value.astype(np.float32))
         for name, value in values.items()},
        coords={"importer": list(history.importers), "reporter": list(history.reporters),
                "year": np.array(history.years, dtype=np.int32)})
