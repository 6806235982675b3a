"""Fit the reference path to both countries' statistics and write the posterior file.

The parameters of equations 1-3 have the priors of `parameters.yaml`; the latent flows are
integrated out exactly (`statespace`), and what is left is sampled with emcee: several
ensembles of walkers that start apart and must agree. Afterwards one path of latent flows is
drawn for every kept draw. Every specification with weight is fitted, all by the same code
(`likelihood`). `docs/calibration.md` shows the result.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import sha256, whole
from tradesim.common.parallel import Progress
from tradesim.inputs import posterior
from tradesim.inputs.parameters import quantile
from tradesim.inputs.specifications import read_specifications, read_weights, specification
from tradesim.reference.likelihood import (
    Evidence,
    log_posterior,
    posterior_dataset,
    read_evidence,
    starting_points,
)
from tradesim.reference.mcmc import diagnose, kept_draws, sample

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

ENSEMBLES = 4  #: independent ensembles, compared by R-hat
WALKERS = 128  #: walkers per ensemble
STEPS = 1500  #: steps per ensemble; the first third is thrown away
DRAWS = 2000  #: draws kept of each specification


@dataclass(frozen=True)
class Calibration:
    """A finished fit: the draws, the manifest with diagnostics, and where both were written."""

    dataset: xr.Dataset
    manifest: dict[str, Any]
    folder: Path


@dataclass(frozen=True)
class Fit:
    """The fit of one specification, with what entered it."""

    evidence: Evidence
    vectors: Array  #: kept draws of the free parameters; (draw, parameter)
    diagnostics: dict[str, tuple[float, float]]  #: split R-hat and effective draws by parameter
    dataset: xr.Dataset  #: the draws by name, with one path of latent flows each


def fit(evidence: Evidence, seed: int, steps: int = STEPS,
        progress: Progress | None = None) -> Fit:
    """Sample the posterior of one specification, and refuse chains that did not converge."""
    rng = np.random.default_rng([seed, 1])
    starts = np.array([starting_points(evidence, WALKERS, rng) for _ in range(ENSEMBLES)])
    chains = sample(lambda vectors: log_posterior(vectors, evidence), starts, steps, seed,
                    progress)
    diagnostics = diagnose([f"{evidence.specification.name}: {name}" for name in evidence.names],
                           chains)
    vectors = kept_draws(chains, DRAWS, rng)
    return Fit(evidence, vectors, dict(zip(evidence.names, diagnostics.values(), strict=True)),
               posterior_dataset(vectors, evidence, rng))


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
              progress: Progress | None = None, steps: int = STEPS,
              specifications: Sequence[str] = ()) -> Calibration:
    """Fit every specification that has weight and write `posterior.nc` and `posterior.yaml`.

    Parameters
    ----------
    folder
        Calibration folder with data, priors, specifications and weights.
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
    specifications
        Further ones to fit; without weight they count only where a scenario asks for them.

    Raises
    ------
    InputError
        For bad input, or an `out` that holds other files.
    ConvergenceError
        When the chains do not agree or hold too few effective draws; nothing is written.
    """
    import xarray as xr

    folder = Path(folder)
    target = folder if out is None else Path(out)
    _check_target(folder, target)
    known, weights = read_specifications(folder), read_weights(folder)
    further = {specification(folder, name).name for name in specifications}
    names = [name for name in known if name in weights or name in further]
    evidence = [read_evidence(folder, known[name], as_of) for name in names]
    fits = [fit(data, seed, steps, _part(progress, index, len(names)))
            for index, data in enumerate(evidence)]
    hashes = posterior.input_hashes(folder, tuple(names))
    command = _command(seed, as_of, steps, [name for name in names if name in further])
    history, base_year = evidence[0].history, evidence[0].base_year
    labels = xr.DataArray(names, dims="specification", name="specification")
    dataset = xr.concat([fitted.dataset for fitted in fits], dim=labels)
    dataset.attrs = {
        "as_of": history.years[-1], "seed": seed, "base_year": base_year, "command": command,
        "hashes": json.dumps(hashes, sort_keys=True), "weights": json.dumps(weights),
        "specifications": json.dumps({name: {"title": known[name].title, **known[name].choices}
                                      for name in names})}
    manifest = {
        "command": command, "seed": seed, "as_of": history.years[-1],
        "sample": [history.sample[0], history.years[-1]], "base_year": base_year,
        "ensembles": ENSEMBLES, "walkers": WALKERS, "steps": steps, "dropped": steps // 3,
        "draws": DRAWS, "inputs": hashes, "versions": _versions(),
        "specifications": {name: {
            "weight": weights.get(name, 0.0), "first_year": fitted.evidence.history.years[0],
            "parameters": summarise(fitted.vectors, fitted.evidence, fitted.diagnostics)}
            for name, fitted in zip(names, fits, strict=True)}}
    _write(dataset, manifest, target, alone=target != folder)
    return Calibration(dataset, manifest, target)


def _part(progress: Progress | None, index: int, parts: int) -> Progress | None:
    """Progress of one of several fits as progress of all."""
    if progress is None:
        return None
    return lambda done, steps: progress(index * steps + done, parts * steps)


def _command(seed: int, as_of: int | None, steps: int, further: Sequence[str]) -> str:
    command = f"tradesim calibrate --seed {seed}"
    command += "" if as_of is None else f" --as-of {as_of}"
    command += "" if steps == STEPS else f" --steps {steps}"
    return command + "".join(f" --specification {name}" for name in further)


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
    """Prior against posterior, one row per specification and parameter, for people."""
    import pandas as pd

    rows = {(name, parameter): row
            for name, fitted in calibration.manifest["specifications"].items()
            for parameter, row in fitted["parameters"].items()}
    return pd.DataFrame.from_dict(rows, orient="index")
