"""Results of a run on disk: identify, save, load."""

from __future__ import annotations

import io
import json
import shlex
from collections.abc import Mapping, Sequence
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any, Literal

import numpy as np
import xarray as xr
from pydantic import Field, Json

from tradesim.common.errors import InputError, Problem
from tradesim.common.extras import version_of
from tradesim.common.files import plain
from tradesim.common.output import attribute
from tradesim.economy.variables import ASSUMED, precision
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import quantile
from tradesim.inputs.products import HOME_TONNES
from tradesim.inputs.scenario import Known, Scenario
from tradesim.inputs.scenario_text import resolved
from tradesim.inputs.strict_json import Record, as_record
from tradesim.simulation.appraisal import NAME as APPRAISAL
from tradesim.simulation.manifest import (
    AGAIN,
    DATA,
    MANIFEST,
    Manifest,
    calibration_hashes,
    place_of,
    read_manifest,
    write_manifest,
)
from tradesim.simulation.outlooks import BY_GROWTH, GDP, REPORTED
from tradesim.simulation.summary import headline, summary

SUMMARY, HEADLINE, RESOLVED = "summary.csv", "summary.json", "scenario.yaml"
FORMAT = 5
"""Number of the layout of a folder of results; a folder of another layout is refused."""

DISCOUNT = "discount.rate"
EMPTY = "empty"
KEPT = ("turnover", ASSUMED, REPORTED, BY_GROWTH, GDP, "welfare", "tariff_revenue", "factors",
        APPRAISAL)
"""Variables whose draws a folder of results keeps; of all where it is asked to."""

NEEDED = ("count", "turnover", "welfare", "tariff_revenue")
"""Variables that every run keeps, a run of the cache too."""

EVERY, SOME = "every", "some"
COMMENT = {EVERY: "Draws of every variable that was computed",
           SOME: "Draws of the main variables; summary.csv has the mean and percentiles of all, "
                 "and `tradesim run --keep-draws` keeps all draws"}
"""What a file says of itself (CF attribute ``comment``)."""


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
        "version": version_of("tradesim"),
        "seed": scenario.seed,
        "draws": scenario.draws,
        "count": count,
        "partners": json.dumps({importer: base.pair.partner(importer)
                                for importer in base.pair.importers}),
        "products": json.dumps({name: _home_tonnes(base, name) for name in base.pair.products}),
        "discount_rate": float(scenario.parameters.get(
            DISCOUNT, quantile(base.parameters[DISCOUNT], np.array([0.5])).item())),
        "target_value": float(scenario.target_usd),
        "target_count": base.pair.target_count,
        "statistics": json.dumps(statistics),
        "hashes": json.dumps(hashes),
        "command": command,
        "calibration": str(base.folder.resolve()),
    }


def _home_tonnes(base: Baseline, product: str) -> dict[str, float]:
    """Output of a product in the base year, tonnes, by country; where it is known."""
    cells = {importer: base.parameters.get(f"{HOME_TONNES}.{importer}.{product}")
             for importer in base.pair.importers}
    return {importer: float(quantile(cell, np.array([0.5])).item())
            for importer, cell in cells.items() if cell is not None}


def run_id(scenario: Scenario, hashes: Mapping[str, str]) -> str:
    """Name a run by what goes in: the scenario, the calibration, this version of the program."""
    content = scenario.model_dump(exclude={"name", "origins", "title", "question", "answers",
                                           "references", "not_modelled"})
    identity = json.dumps([content, hashes, version_of("tradesim")], sort_keys=True)
    return sha256_of(identity.encode()).hexdigest()[:16]


def as_kept(dataset: xr.Dataset) -> xr.Dataset:
    """Give results with their draws in the precision of a file."""
    return dataset.assign({name: array.astype(precision(str(name)), copy=False)
                           for name, array in dataset.data_vars.items()})


def save(dataset: xr.Dataset, folder: Path, *, tables: bool = True, every: bool = False) -> None:
    """Write a run's results into an existing folder.

    Writes ``results.nc`` (draws in single precision where that is enough), ``summary.csv``,
    ``summary.json``, ``scenario.yaml`` (resolved, with origins) and ``manifest.json``, which
    holds the SHA-256 of the others (`manifest.seal` adds what comes later). Only the manifest
    holds times and paths. Without `tables` only ``results.nc`` and the manifest are written.

    Parameters
    ----------
    every
        Whether to keep the draws of every variable, not only those of `KEPT`.
    """
    placeless = {key: value for key, value in dataset.attrs.items()
                 if key not in ("calibration", "command")}
    placeless["seed"] = attribute(int(placeless["seed"]))
    extent = EVERY if every else SOME
    kept = dataset if every else dataset.drop_vars(
        [name for name in dataset.data_vars if name not in KEPT])
    filled = _without_empty(kept.drop_attrs(deep=False).assign_attrs(
        placeless, kept=extent, comment=COMMENT[extent]))
    encoding = {name: {"dtype": precision(str(name))} for name in filled.data_vars}
    filled.to_netcdf(folder / DATA, engine="scipy", encoding=encoding)
    if tables:
        summary(dataset).to_csv(folder / SUMMARY, index=False, float_format="%.6g",
                                lineterminator="\n")
        _write_json(folder / HEADLINE, headline(dataset))
        (folder / RESOLVED).write_text(dataset.attrs["resolved"], encoding="utf-8", newline="\n")
    write_manifest(folder, dataset.attrs)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _without_empty(dataset: xr.Dataset) -> xr.Dataset:
    """Leave out what has no entries, such as products where a pair follows none.

    NetCDF 3 cannot hold an axis of length zero; an attribute keeps names and axes.
    """
    none = {dim for dim, size in dataset.sizes.items() if size == 0}
    empty = {str(name): list(array.dims) for name, array in dataset.variables.items()
             if none & set(array.dims)}
    return dataset.drop_dims(none).assign_attrs({EMPTY: json.dumps(empty)} if empty else {})


def _with_empty(dataset: xr.Dataset) -> xr.Dataset:
    """Give back what `_without_empty` left out."""
    empty: dict[str, list[str]] = json.loads(dataset.attrs.pop(EMPTY, "{}"))
    arrays = {name: (dims, np.zeros([dataset.sizes.get(dim, 0) for dim in dims],
                                    dtype=object if [name] == dims else float))
              for name, dims in empty.items()}
    return dataset.assign(arrays)


def load(folder: Path, *, check: bool = True) -> xr.Dataset:
    """Read what `save` left in a folder; `whole.whole_results` gives the draws of everything.

    Raises
    ------
    InputError
        When the folder holds no results, damaged ones, those of another version, or (unless
        `check` is off) others than its manifest says.
    """
    folder = Path(folder)
    manifest, path = read_manifest(folder), folder / DATA
    try:
        data = plain(path).read_bytes()
        same = not check or sha256_of(data).hexdigest() == manifest.files[DATA]
        if same:
            with xr.open_dataset(io.BytesIO(data), engine="scipy") as opened:
                dataset = opened.load()
    except MemoryError:
        raise
    except Exception as error:  # any failure of the reader means the same to the user
        raise InputError([Problem(str(path), "", f"cannot be read as results ({error})",
                                  AGAIN)]) from error
    if not same:
        raise InputError([Problem(str(path), "", "is not what the run wrote: its SHA-256 is not "
                                  f"the one in {MANIFEST}", AGAIN)])
    _check(dataset, path, manifest)
    dataset = _with_empty(dataset)
    texts = {name: (dataset[name].dims, [str(label) for label in dataset[name].to_numpy()])
             for name in dataset.coords if dataset[name].dtype.kind in "SO"}
    return dataset.assign_coords(texts).assign_attrs(
        seed=manifest.seed, calibration=str(place_of(folder, manifest.calibration)),
        command=manifest.command)


class Described(Record):
    """What `describe` says of a run, as it comes back from `results.nc`."""

    scenario: Json[Any]
    resolved: str
    title: str
    shocks: Json[list[str]]
    run_id: str
    draws: int = Field(ge=1)
    count: str
    partners: Json[dict[str, str]]
    products: Json[dict[str, dict[str, float]]]
    discount_rate: float
    target_value: float
    target_count: str
    statistics: Json[dict[str, dict[str, float]]]
    hashes: Json[dict[str, str]]
    kept: Literal["every", "some"]
    max_residual: float


def _check(dataset: xr.Dataset, path: Path, manifest: Manifest) -> None:
    attrs = {name: value.item() if isinstance(value, np.generic) else value
             for name, value in dataset.attrs.items()}
    if (found := attrs.get("format", 1)) != FORMAT:
        raise InputError([Problem(
            str(path), "", f"was written in layout {found} by version "
            f"{attrs.get('version', '0.1.0')} of tradesim; this version reads layout {FORMAT}",
            AGAIN)])
    described = as_record(attrs, Described, str(path), AGAIN)
    as_record(described.scenario, Scenario, f"{path}: scenario", AGAIN)
    if described.run_id != manifest.run_id:
        raise InputError([Problem(str(path), "", f"is of run {described.run_id}, {MANIFEST} of "
                                  f"run {manifest.run_id}", AGAIN)])
    absent = [name for name in NEEDED if name not in dataset.variables]
    absent = absent or [name for name in (described.count, described.target_count)
                        if name not in dataset["count"].to_numpy().astype(str)]
    if absent:
        raise InputError([Problem(str(path), absent[0], "is not there", AGAIN)])


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
