"""The posterior file: what `tradesim calibrate` leaves and the model reads.

`posterior.nc` holds draws of the parameters of equations 1-3 and of the latent flows;
`posterior.yaml` says how they were made. Reading needs no sampler. The file is bound to what went
into the fit: when trade data, macro data, closures or priors change, it is refused.
"""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import Field, Json

from tradesim.common.errors import InputError, Problem
from tradesim.common.files import content, sha256, unless_changed
from tradesim.inputs.pair import PAIR_FILE, read_pair
from tradesim.inputs.parameters import PARAMETERS_FILE
from tradesim.inputs.strict_json import Record, as_record
from tradesim.inputs.strict_yaml import load

if TYPE_CHECKING:
    import xarray as xr

DATA, MANIFEST = "posterior.nc", "posterior.yaml"
PREFIX = "reference."
RERUN = "run `tradesim calibrate`"

#: Parameters of the reference path and their dimensions, in the order of the sampled vector.
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "constant": ("importer",),
    "elasticity_gdp": (),
    "elasticity_exchange_rate": ("importer",),
    "closure_effect": ("importer",),
    "persistence": (),
    "innovation_sd": ("importer",),
    "bias": ("importer",),
    "error_sd": ("importer", "reporter"),
}

#: What is drawn for the states: the last residual and the whole smoothed log flow.
STATES: Mapping[str, tuple[str, ...]] = {"residual": ("importer",), "latent": ("year", "importer")}

FILES = ("data/bilateral_trade.csv", "data/macro.csv", "data/corridor.csv")


def parameter_names(importers: Sequence[str], reporters: Sequence[str]) -> list[str]:
    """Dotted names of all calibrated parameters, in the order of the sampled vector.

    Examples
    --------
    >>> parameter_names(["A"], ["A", "B"])[-3:]
    ['reference.bias.A', 'reference.error_sd.A.A', 'reference.error_sd.A.B']
    """
    labels = {"importer": importers, "reporter": reporters}
    return [".".join([PREFIX + name, *where]) for name, dims in PARAMETERS.items()
            for where in itertools.product(*(labels[dim] for dim in dims))]


@unless_changed(*FILES, PAIR_FILE, PARAMETERS_FILE)
def input_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of everything in a calibration folder that enters the fit.

    Data files are hashed as they are; of `pair.yaml` and `parameters.yaml` only what the fit uses
    (countries, counts and years; distributions and bounds of the calibrated parameters), so that
    a new title or another lever's parameter does not call for a new calibration.

    Raises
    ------
    InputError
        When a file is missing or cannot be read.
    """
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        raise InputError([Problem(str(folder / name), "", "file is missing; the calibration "
                                  "needs it") for name in missing])
    pair = read_pair(folder)
    used = {"pair": pair.pair, "reporters": pair.reporters, "base_year": pair.base_year,
            "first_year": pair.first_year, "last_year": pair.last_year}
    priors = {name: [entry.get("distribution"), entry.get("bounds")]
              for name, entry in load(folder / PARAMETERS_FILE).items()
              if isinstance(entry, dict) and entry.get("calibrated")}
    return {**{name: sha256(folder / name) for name in FILES},
            "pair.yaml: countries, counts and years": _text_hash(used),
            "parameters.yaml: calibrated entries": _text_hash(priors)}


def _text_hash(value: Any) -> str:
    return sha256_of(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_posterior(folder: Path, inputs: Path | None = None) -> xr.Dataset:
    """Read `posterior.nc` of a folder, which must belong to `inputs`, by default the same folder.

    Returns
    -------
    xarray.Dataset
        `PARAMETERS` and `STATES` by draw, float64, in memory; attributes `as_of`, `seed`,
        `command`, `base_year` (year at whose size the constants hold) and `hashes` as JSON.

    Raises
    ------
    InputError
        When the file is missing, damaged, of another shape, or belongs to other inputs.
    """
    folder = Path(folder)
    inputs = folder if inputs is None else Path(inputs)
    dataset = _open(folder / DATA)
    as_record({name: value.item() if isinstance(value, np.generic) else value
               for name, value in dataset.attrs.items()}, Attributes, str(folder / DATA), RERUN)
    pair = read_pair(inputs)
    labels = {"importer": pair.importers, "reporter": pair.reporters}
    problem = (_shape(dataset, labels) or _manifest(folder) or _sample(dataset, pair.last_year)
               or _stale(dataset, inputs))
    if problem:
        raise InputError([Problem(str(folder / DATA), "", problem, RERUN)])
    return dataset


@unless_changed(keep=4)
def _open(path: Path) -> xr.Dataset:
    import xarray as xr

    if not path.is_file():
        raise InputError([Problem(str(path), "", "there is no posterior here", RERUN)])
    try:
        with xr.open_dataset(io.BytesIO(content(path)), engine="scipy") as opened:
            dataset = opened.load().astype(float)
    except MemoryError:
        raise
    except Exception as error:  # any failure of the reader means the same to the user
        raise InputError([Problem(str(path), "", f"is damaged or no netCDF file ({error})",
                                  RERUN)]) from error
    for array in dataset.data_vars.values():
        array.values.setflags(write=False)
    return dataset


class Fitted(Record):
    """How well the sampler did for one parameter."""

    rhat: float
    ess: float


class Attributes(Record):
    """What ``posterior.nc`` says of the fit; a large seed is text."""

    as_of: int
    seed: int | str
    base_year: int
    hashes: Json[dict[str, str]]


class Manifest(Record):
    """What ``posterior.yaml`` says, as far as it is read again."""

    posterior_sha256: str
    parameters: dict[str, Fitted] = Field(min_length=1)


def read_manifest(folder: Path) -> Manifest:
    """Read ``posterior.yaml``.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    return as_record(load(folder / MANIFEST), Manifest, str(folder / MANIFEST), RERUN)


def _shape(dataset: xr.Dataset, labels: Mapping[str, Sequence[str]]) -> str:
    for name, dims in {**PARAMETERS, **STATES}.items():
        if name not in dataset:
            return f"holds no variable '{name}'"
        expected = ("draw", *dims)
        if dataset[name].dims != expected:
            return f"'{name}' has dimensions {dataset[name].dims}, not {expected}"
        if not np.all(np.isfinite(dataset[name])):
            return f"'{name}' holds values that are not finite"
    for dim, names in labels.items():
        held = [str(label) for label in dataset[dim].values]
        if held != list(names):
            return f"is for {dim}s {', '.join(held)}, but pair.yaml has {', '.join(names)}"
    return ""


def _manifest(folder: Path) -> str:
    if not (folder / MANIFEST).is_file():
        return f"has no {MANIFEST} beside it"
    if read_manifest(folder).posterior_sha256 != sha256(folder / DATA):
        return f"is damaged: its SHA-256 is not the one in {MANIFEST}"
    return ""


def _sample(dataset: xr.Dataset, last_year: int) -> str:
    as_of = int(dataset.attrs["as_of"])
    if as_of > last_year:
        return f"was fitted to data up to {as_of}, but the data end in {last_year}"
    return ""


def _stale(dataset: xr.Dataset, inputs: Path) -> str:
    then = json.loads(dataset.attrs["hashes"])
    now = input_hashes(inputs)
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if changed:
        return f"belongs to other inputs; changed since: {', '.join(changed)}"
    return ""
