"""Fit the reference path to both countries' statistics and write the posterior file.

The parameters of equations (1)-(3) have the priors of `parameters.yaml`; the latent flows are
integrated out exactly (`statespace`), and what is left is sampled with emcee: several
ensembles of walkers that start apart and must agree. Afterwards one path of latent flows is
drawn for every kept draw. `docs/calibration.md` shows the result.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from scipy.special import betainc, betaln, ndtr, xlog1py, xlogy

from tradesim import posterior
from tradesim.dims import Array
from tradesim.distributions import EDGE, Beta, Lognormal, Normal, Uniform
from tradesim.errors import InputError, Problem, nearest
from tradesim.folders import sha256, whole
from tradesim.history import History, read_history
from tradesim.pair import read_pair
from tradesim.parameters import Parameter, quantile, read_parameters
from tradesim.sampling import diagnose, kept_draws, sample
from tradesim.statespace import expected, log_likelihood, smooth_draw

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Progress = Callable[[int, int], None]

ENSEMBLES = 4  #: independent ensembles, compared by R-hat
WALKERS = 128  #: walkers per ensemble
STEPS = 1500  #: steps per ensemble; the first third is thrown away
DRAWS = 4000  #: draws kept
CANDIDATES = 100  #: prior draws per walker from which the best become starting points


@dataclass(frozen=True)
class Evidence:
    """What enters the fit: reports, regressors and priors, in the order of the vector."""

    history: History
    gdp: Array  #: sum of both log GDPs less that of `base_year` (year,)
    base_year: int
    priors: Mapping[str, Parameter]

    @property
    def names(self) -> list[str]:
        """Dotted names of the parameters."""
        return list(self.priors)


@dataclass(frozen=True)
class Calibration:
    """A finished fit: the draws, the manifest with diagnostics, and where both were written."""

    dataset: xr.Dataset
    manifest: dict[str, Any]
    folder: Path


def read_evidence(folder: Path, as_of: int | None = None) -> Evidence:
    """Read history and priors of a calibration folder, using nothing later than `as_of`.

    Raises
    ------
    InputError
        When a parameter of the reference path has no prior.
    """
    history = read_history(folder, as_of=as_of)
    known = {name: parameter for name, parameter in read_parameters(folder).items()
             if parameter.calibrated}
    wanted = posterior.parameter_names(history.importers, history.reporters)
    absent = [name for name in wanted if name not in known]
    if absent:
        raise InputError([Problem(str(Path(folder) / "parameters.yaml"), name,
                                  "has no prior with `calibrated: true`, and the calibration "
                                  "needs one", nearest(name, known)) for name in absent])
    # An earlier fit cannot know the GDP of a base year that has not come yet.
    base_year = min(read_pair(folder).base_year, history.years[-1])
    gdp = history.log_gdp.sum(axis=1)
    return Evidence(history, gdp - gdp[history.years.index(base_year)], base_year,
                    {name: known[name] for name in wanted})


def unpack(vectors: Array, evidence: Evidence) -> dict[str, Array]:
    """Name the parts of parameter vectors (..., parameter), with the axes of `PARAMETERS`."""
    sizes = {"importer": len(evidence.history.importers),
             "reporter": len(evidence.history.reporters)}
    parts, start = {}, 0
    for name, dims in posterior.PARAMETERS.items():
        shape = tuple(sizes[dim] for dim in dims)
        stop = start + int(np.prod(shape))
        parts[name] = vectors[..., start:stop].reshape(*vectors.shape[:-1], *shape)
        start = stop
    return parts


def _with_reference(parts: Mapping[str, Array]) -> dict[str, Array]:
    """Give every reporter a bias, zero for the first: equation (1)."""
    bias = parts["bias"][..., None]
    return {**parts, "bias": np.concatenate([np.zeros_like(bias), bias], axis=-1)}


def _mean(parts: Mapping[str, Array], evidence: Evidence) -> Array:
    history = evidence.history
    return expected(parts, evidence.gdp, history.exchange_rate, history.closed_share)


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
    """Log prior plus exact log likelihood of many parameter vectors (vector, parameter)."""
    density = log_prior(vectors, evidence)
    inside = np.isfinite(density)
    if inside.any():
        parts = _with_reference(unpack(vectors[inside], evidence))
        density[inside] += log_likelihood(parts, evidence.history.log_value,
                                          evidence.history.error_scale, _mean(parts, evidence))
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
    full = _with_reference(parts)
    mean = _mean(full, evidence)
    residual = smooth_draw(full, history.log_value, history.error_scale, mean,
                           rng.standard_normal(mean.shape))
    values = {**parts, "residual": residual[:, -1], "latent": mean + residual}
    dims = {**posterior.PARAMETERS, **posterior.STATES}
    return xr.Dataset(
        {name: (("draw", *dims[name]), value.astype(np.float32))
         for name, value in values.items()},
        coords={"importer": list(history.importers), "reporter": list(history.reporters),
                "year": np.array(history.years, dtype=np.int32)})


def summarise(vectors: Array, evidence: Evidence,
              diagnostics: Mapping[str, tuple[float, float]]) -> dict[str, dict[str, float]]:
    """Prior against posterior by parameter, rounded to six digits for the manifest."""
    u = (np.arange(20_000) + 0.5) / 20_000
    rows = {}
    for k, (name, prior) in enumerate(evidence.priors.items()):
        before, after = quantile(prior, u), vectors[:, k]
        p05, p50, p95 = np.percentile(after, [5, 50, 95])
        row = {"prior_mean": before.mean(), "prior_sd": before.std(), "mean": after.mean(),
               "sd": after.std(), "p05": p05, "p50": p50, "p95": p95,
               "contraction": 1 - after.var() / before.var(),
               "rhat": diagnostics[name][0], "ess": diagnostics[name][1]}
        rows[name] = {key: float(f"{round(value, 9) + 0.0:.6g}") for key, value in row.items()}
    return rows


def calibrate(folder: Path, *, as_of: int | None = None, out: Path | None = None, seed: int = 1,
              progress: Progress | None = None, steps: int = STEPS) -> Calibration:
    """Fit the reference path and write `posterior.nc` and `posterior.yaml`.

    Parameters
    ----------
    folder
        Calibration folder with data and priors.
    as_of
        Last year of data that may be used; all by default.
    out
        Folder for the two files, which appears whole or not at all; by default they are
        replaced in `folder`.
    seed
        Seed of everything random: the same seed and inputs give the same bytes.
    progress
        Called with steps done and steps in all.
    steps
        Steps per ensemble of walkers, the first third of which is dropped.

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        For bad input, or an `out` that holds other files.
    ConvergenceError
        When the chains do not agree or hold too few effective draws; nothing is written.
    """
    folder = Path(folder)
    target = folder if out is None else Path(out)
    _check_target(folder, target)
    evidence = read_evidence(folder, as_of)
    rng = np.random.default_rng([seed, 1])
    starts = np.array([starting_points(evidence, WALKERS, rng) for _ in range(ENSEMBLES)])
    chains = sample(lambda vectors: log_posterior(vectors, evidence), starts, steps, seed,
                    progress)
    diagnostics = diagnose(evidence.names, chains)
    vectors = kept_draws(chains, DRAWS, rng)
    dataset = posterior_dataset(vectors, evidence, rng)
    last_year = evidence.history.years[-1]
    command = f"tradesim calibrate --seed {seed}"
    command += "" if as_of is None else f" --as-of {as_of}"
    command += "" if steps == STEPS else f" --steps {steps}"
    hashes = posterior.input_hashes(folder)
    dataset.attrs = {"as_of": last_year, "seed": seed, "base_year": evidence.base_year,
                     "command": command, "hashes": json.dumps(hashes, sort_keys=True)}
    manifest = {
        "command": command, "seed": seed, "as_of": last_year,
        "sample": [evidence.history.years[0], last_year], "base_year": evidence.base_year,
        "ensembles": ENSEMBLES, "walkers": WALKERS, "steps": steps, "dropped": steps // 3,
        "draws": DRAWS, "inputs": hashes, "versions": _versions(),
        "parameters": summarise(vectors, evidence, diagnostics)}
    _write(dataset, manifest, target, alone=target != folder)
    return Calibration(dataset, manifest, target)


def _check_target(folder: Path, target: Path) -> None:
    if target.resolve() == folder.resolve() or not target.is_dir():
        return
    others = {path.name for path in target.iterdir()} - {posterior.DATA, posterior.MANIFEST}
    if others:
        raise InputError([Problem(str(target), "--out", "holds other files "
                                  f"({', '.join(sorted(others)[:3])}) and would be replaced; "
                                  "name a new folder")])


def _versions() -> dict[str, str]:
    packages = ("tradesim", "numpy", "scipy", "emcee", "xarray")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def _write(dataset: xr.Dataset, manifest: dict[str, Any], target: Path, *, alone: bool) -> None:
    """Write both files, either as a folder of their own or in place of two files."""
    if alone:
        with whole(target) as work:
            _write_pair(dataset, manifest, work, "")
        return
    _write_pair(dataset, manifest, target, ".new")
    for name in (posterior.DATA, posterior.MANIFEST):
        os.replace(target / f"{name}.new", target / name)


def _write_pair(dataset: xr.Dataset, manifest: dict[str, Any], folder: Path,
                suffix: str) -> None:
    data = folder / f"{posterior.DATA}{suffix}"
    data.write_bytes(dataset.to_netcdf(engine="scipy"))
    manifest["posterior_sha256"] = sha256(data)
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
    (folder / f"{posterior.MANIFEST}{suffix}").write_text(text, encoding="utf-8", newline="\n")


def table(calibration: Calibration) -> pd.DataFrame:
    """Prior against posterior, one row per parameter, for people."""
    import pandas as pd

    return pd.DataFrame.from_dict(calibration.manifest["parameters"], orient="index")
