"""Fit the reference path to both countries' statistics and write the posterior file.

The parameters of equations 1-3 have the priors of `parameters.yaml`; the latent flows are
integrated out exactly (`statespace`), and what is left is sampled with emcee: several
ensembles of walkers that start apart and must agree. Afterwards one path of latent flows is
drawn for every kept draw. `docs/calibration.md` shows the result.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from tradesim.common.arrays import Array
from tradesim.common.extras import version_of
from tradesim.common.files import sha256
from tradesim.common.memory import refuse_too_much
from tradesim.common.output import attribute, copy_into, refuse_strangers, whole
from tradesim.common.parallel import Progress
from tradesim.inputs import posterior
from tradesim.inputs.parameters import quantile
from tradesim.reference.likelihood import (
    Evidence,
    log_posterior,
    posterior_dataset,
    read_evidence,
    starting_points,
)
from tradesim.reference.mcmc import diagnose, kept_draws, sample

if TYPE_CHECKING:
    import xarray as xr

ENSEMBLES = 4  #: independent ensembles, compared by R-hat
WALKERS = 128  #: walkers per ensemble
STEPS = 1500  #: steps per ensemble; the first third is thrown away
DRAWS = 2000  #: draws kept
CHAINS = 3.0  #: copies of the chains in memory at once: sampled, joined, ranked


@dataclass(frozen=True)
class Calibration:
    """A finished fit: the draws, the manifest with diagnostics, and where both were written."""

    dataset: xr.Dataset
    manifest: dict[str, Any]
    folder: Path


@dataclass(frozen=True)
class Fit:
    """What was sampled, and how well."""

    vectors: Array  #: kept draws of the parameters; (draw, parameter)
    diagnostics: dict[str, tuple[float, float]]  #: split R-hat and effective draws by parameter
    dataset: xr.Dataset  #: the draws by name, with one path of latent flows each


def fit(evidence: Evidence, seed: int, steps: int = STEPS,
        progress: Progress | None = None) -> Fit:
    """Sample the posterior, and refuse chains that did not converge."""
    rng = np.random.default_rng([seed, 1])
    starts = np.array([starting_points(evidence, WALKERS, rng) for _ in range(ENSEMBLES)])
    chains = sample(lambda vectors: log_posterior(vectors, evidence), starts, steps, seed,
                    progress)
    diagnostics = diagnose(evidence.names, chains)
    vectors = kept_draws(chains, DRAWS, rng)
    return Fit(vectors, diagnostics, posterior_dataset(vectors, evidence, rng))


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

    Raises
    ------
    InputError
        For bad input, or an `out` that holds other files.
    ConvergenceError
        When the chains do not agree or hold too few effective draws; nothing is written.
    """
    folder = Path(folder)
    inside = out is None or os.path.realpath(out) == os.path.realpath(folder)
    target = folder if out is None else Path(out)
    if not inside:
        refuse_strangers(target, (posterior.DATA, posterior.MANIFEST), "--out",
                         "name a new folder")
    with whole(target, option="--calibration" if out is None else "--out") as work:
        dataset, manifest = _fitted(folder, as_of, seed, steps, progress)
        if inside:
            copy_into(folder, work)
        _write(dataset, manifest, work)
    return Calibration(dataset, manifest, target)


def _command(seed: int, as_of: int | None, steps: int) -> str:
    command = f"tradesim calibrate --seed {seed}"
    command += "" if as_of is None else f" --as-of {as_of}"
    return command + ("" if steps == STEPS else f" --steps {steps}")


def _fitted(folder: Path, as_of: int | None, seed: int, steps: int,
            progress: Progress | None) -> tuple[xr.Dataset, dict[str, Any]]:
    evidence = read_evidence(folder, as_of)
    refuse_too_much("--steps", steps, 8.0 * CHAINS * ENSEMBLES * WALKERS * len(evidence.names), 0.0,
                    "steps")
    history, hashes = evidence.history, posterior.input_hashes(folder)
    fitted = fit(evidence, seed, steps, progress)
    command = _command(seed, as_of, steps)
    dataset = fitted.dataset
    dataset.attrs = {"as_of": history.years[-1], "seed": attribute(seed),
                     "base_year": evidence.base_year, "command": command,
                     "hashes": json.dumps(hashes, sort_keys=True)}
    return dataset, {
        "command": command, "seed": seed, "as_of": history.years[-1],
        "sample": [history.years[0], history.years[-1]], "base_year": evidence.base_year,
        "ensembles": ENSEMBLES, "walkers": WALKERS, "steps": steps, "dropped": steps // 3,
        "draws": DRAWS, "inputs": hashes, "versions": _versions(),
        "parameters": summarise(fitted.vectors, evidence, fitted.diagnostics)}


def _versions() -> dict[str, str]:
    packages = ("tradesim", "numpy", "scipy", "emcee", "xarray")
    return {"python": platform.python_version(), **{name: version_of(name) for name in packages}}


def _write(dataset: xr.Dataset, manifest: dict[str, Any], folder: Path) -> None:
    data = folder / posterior.DATA
    data.write_bytes(dataset.to_netcdf(engine="scipy"))
    manifest["posterior_sha256"] = sha256(data)
    text = yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=100)
    (folder / posterior.MANIFEST).write_text(text, encoding="utf-8", newline="\n")
