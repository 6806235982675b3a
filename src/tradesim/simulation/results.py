"""Results of a run on disk: identify, save, load."""

from __future__ import annotations

import io
import json
import platform
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256 as sha256_of
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tradesim.common.errors import InputError, Problem
from tradesim.common.files import DISPLAY, sha256
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import quantile
from tradesim.inputs.scenario import Known, Scenario
from tradesim.inputs.scenario_text import resolved
from tradesim.simulation.summary import headline, summary

DATA, SUMMARY, HEADLINE = "results.nc", "summary.csv", "summary.json"
RESOLVED, MANIFEST = "scenario.yaml", "manifest.json"
HASHED = (DATA, SUMMARY, HEADLINE, RESOLVED)
EXACT = ("imports", "home_output")
"""Levels so large that a policy's change of them would be lost in single precision."""

FORMAT = 4
"""Number of the layout of a folder of results; a folder of another layout is refused."""

DISCOUNT = "discount.rate"
PACKAGES = ("tradesim", "numpy", "scipy", "pandas", "xarray", "matplotlib")


def describe(base: Baseline, scenario: Scenario, count: str, command: str) -> dict[str, Any]:
    """Everything that identifies a run, as attributes of its results.

    Parameters
    ----------
    base, scenario
        What went in.
    count
        Whose statistics the headline uses.
    command
        The command that repeats the run.

    Returns
    -------
    dict
        Texts and numbers; ``hashes`` and ``statistics`` as JSON text. ``run_id`` names the run
        by the content of the scenario, the calibration and the version of the program.
    """
    hashes = calibration_hashes(base.folder)
    totals = np.exp(base.history.log_value).sum(axis=1)
    statistics = {str(year): {name: float(value) for name, value in
                              zip(base.pair.counts, totals[t], strict=True)
                              if np.isfinite(value)}
                  for t, year in enumerate(base.history.years)}
    return {
        "scenario": scenario.model_dump_json(),
        "resolved": resolved(scenario, Known(base.parameters, base.levers, base.pair)),
        "title": scenario.title,
        "shocks": json.dumps([name for name in scenario.levers
                              if base.levers[name].family == "shock"]),
        "run_id": run_id(scenario, hashes),
        "format": FORMAT,
        "version": _version("tradesim"),
        "seed": scenario.seed,
        "draws": scenario.draws,
        "count": count,
        "partners": json.dumps({importer: base.pair.partner(importer)
                                for importer in base.pair.importers}),
        "products": json.dumps({name: item.country
                                for name, item in base.pair.products.items()}),
        "discount_rate": float(scenario.parameters.get(
            DISCOUNT, quantile(base.parameters[DISCOUNT], np.array([0.5])).item())),
        "target_value": float(scenario.target_usd),
        "target_count": base.pair.target_count,
        "statistics": json.dumps(statistics),
        "hashes": json.dumps(hashes),
        "command": command,
        "calibration": str(base.folder),
    }


def calibration_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a calibration folder that a run may read, by path in it.

    What only reports read (`DISPLAY`) is left out: a better translation makes no other run.
    """
    return {path.relative_to(folder).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in (".csv", ".yaml", ".nc") and path.is_file()
            and path.relative_to(folder).parts[0] != DISPLAY}


def run_id(scenario: Scenario, hashes: Mapping[str, str]) -> str:
    """Name a run by what goes in: the scenario, the calibration, this version of the program."""
    content = scenario.model_dump(exclude={"name", "origins", "title", "question", "references",
                                           "not_modelled"})
    identity = json.dumps([content, hashes, _version("tradesim")], sort_keys=True)
    return sha256_of(identity.encode()).hexdigest()[:16]


def program() -> str:
    """Version of the program."""
    return _version("tradesim")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def save(dataset: xr.Dataset, folder: Path) -> None:
    """Write a run's results into an existing folder.

    Writes ``results.nc`` (all draws; single precision where that is enough), ``summary.csv``,
    ``summary.json``, ``scenario.yaml`` (resolved, with origins) and ``manifest.json``, which
    holds the SHA-256 of the others. Only the manifest holds times and paths.
    """
    placeless = {key: value for key, value in dataset.attrs.items()
                 if key not in ("calibration", "command")}
    encoding = {name: {"dtype": "float64" if name in EXACT else "float32"}
                for name in dataset.data_vars}
    dataset.drop_attrs(deep=False).assign_attrs(placeless).to_netcdf(
        folder / DATA, engine="scipy", encoding=encoding)
    summary(dataset).to_csv(folder / SUMMARY, index=False, float_format="%.6g",
                            lineterminator="\n")
    _write_json(folder / HEADLINE, headline(dataset))
    (folder / RESOLVED).write_text(dataset.attrs["resolved"], encoding="utf-8", newline="\n")
    _write_json(folder / MANIFEST, {
        "run_id": dataset.attrs["run_id"],
        "command": dataset.attrs["command"],
        "seed": int(dataset.attrs["seed"]),
        "draws": int(dataset.attrs["draws"]),
        "calibration": dataset.attrs["calibration"],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": {package: _version(package) for package in PACKAGES},
        "hashes": json.loads(dataset.attrs["hashes"]),
        "files": {name: sha256(folder / name) for name in HASHED},
    })


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def load(folder: Path) -> xr.Dataset:
    """Read the results that `save` left in a folder.

    Raises
    ------
    InputError
        When the folder holds no results, damaged ones, or those of another version.
    """
    path = Path(folder) / DATA
    try:
        with xr.open_dataset(io.BytesIO(path.read_bytes()), engine="scipy") as opened:
            dataset = opened.load()
        manifest = json.loads((Path(folder) / MANIFEST).read_text(encoding="utf-8"))
    except Exception as error:  # any failure of the reader means the same to the user
        raise InputError([Problem(str(path), "", f"cannot be read as results ({error})",
                                  "run the scenario again")]) from error
    if (found := int(dataset.attrs.get("format", 1))) != FORMAT:
        raise InputError([Problem(
            str(path), "", f"was written in layout {found} by version "
            f"{dataset.attrs.get('version', '0.1.0')} of tradesim; this version reads layout "
            f"{FORMAT}", "run the scenario again")])
    texts = {name: (dataset[name].dims, [str(label) for label in dataset[name].to_numpy()])
             for name in dataset.coords if dataset[name].dtype.kind in "SO"}
    return dataset.assign_coords(texts).assign_attrs(
        calibration=manifest["calibration"], command=manifest["command"])


def repeat_command(names: Sequence[str], overrides: Sequence[str] = (),
                   command: str = "run", **options: Any) -> str:
    """Give the command that repeats something, quoted for a shell; options that are None go."""
    words = ["tradesim", command, *names]
    for text in overrides:
        words += ["--set", text]
    for option, value in options.items():
        if value is not None:
            words += [f"--{option}", str(value)]
    return shlex.join(words)
