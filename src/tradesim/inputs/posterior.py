"""The posterior file: what `tradesim calibrate` leaves and the model reads.

`posterior.nc` holds draws of the parameters of equations 1-3 and of the latent flows, for
every specification that was fitted, and the weight of each; `posterior.yaml` says how they were
made. Reading needs no sampler. The file is bound to what went into the fit: when trade data,
macro data, closures, priors, specifications or weights change, it is refused.
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

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import content, sha256, unless_changed
from tradesim.inputs.pair import PAIR_FILE, read_pair
from tradesim.inputs.parameters import PARAMETERS_FILE
from tradesim.inputs.specifications import (
    MOST_OFF,
    SPECIFICATIONS_FILE,
    STACKED,
    WEIGHTS,
    read_specifications,
    read_weights,
)
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
    "persistence": ("importer",),
    "innovation_sd": ("importer",),
    "bias": ("importer",),
    "error_sd": ("importer", "reporter"),
}

#: Parameters with one prior for both flows, though a specification may separate them.
SHARED = ("persistence",)

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


@unless_changed(*FILES, PAIR_FILE, PARAMETERS_FILE, SPECIFICATIONS_FILE, WEIGHTS)
def input_hashes(folder: Path, fitted: tuple[str, ...]) -> dict[str, str]:
    """SHA-256 of everything in a calibration folder that enters the fit of some specifications.

    Data files are hashed as they are; of `pair.yaml`, `parameters.yaml`, `specifications.yaml`
    and `weights.yaml` only what the fit uses (countries, counts and years; distributions and
    bounds of the calibrated parameters; choices of the fitted specifications; weights), so that
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
    forms = read_specifications(folder)
    return {**{name: sha256(folder / name) for name in FILES},
            "pair.yaml: countries, counts and years": _text_hash(used),
            "parameters.yaml: calibrated entries": _text_hash(priors),
            "weights.yaml: weights": _text_hash(read_weights(folder)),
            **{f"specifications.yaml: {name}": _text_hash(forms[name].choices)
               for name in fitted if name in forms}}


def _text_hash(value: Any) -> str:
    return sha256_of(json.dumps(value, sort_keys=True).encode()).hexdigest()


def read_posterior(folder: Path, inputs: Path | None = None) -> xr.Dataset:
    """Read `posterior.nc` of a folder, which must belong to `inputs`, by default the same folder.

    Returns
    -------
    xarray.Dataset
        `PARAMETERS` and `STATES` by specification and draw, float64, in memory; attributes
        `as_of`, `seed`, `command`, `base_year` (year at whose size the constants hold),
        `hashes`, and `weights` and `specifications` as JSON by name.

    Raises
    ------
    InputError
        When the file is missing, damaged, of another shape, or belongs to other inputs.
    """
    folder = Path(folder)
    inputs = folder if inputs is None else Path(inputs)
    dataset = _open(folder / DATA)
    pair = read_pair(inputs)
    labels = {"importer": pair.importers, "reporter": pair.reporters}
    problem = (_shape(dataset, labels) or _mixture(dataset) or _manifest(folder)
               or _sample(dataset, pair.last_year) or _stale(dataset, inputs))
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
    except Exception as error:  # any failure of the reader means the same to the user
        raise InputError([Problem(str(path), "", f"is damaged or no netCDF file ({error})",
                                  RERUN)]) from error
    for array in dataset.data_vars.values():
        array.values.setflags(write=False)
    return dataset


def _shape(dataset: xr.Dataset, labels: Mapping[str, Sequence[str]]) -> str:
    for name, dims in {**PARAMETERS, **STATES}.items():
        if name not in dataset:
            return f"holds no variable '{name}'"
        expected = ("specification", "draw", *dims)
        if dataset[name].dims != expected:
            return f"'{name}' has dimensions {dataset[name].dims}, not {expected}"
        if not np.all(np.isfinite(dataset[name])):
            return f"'{name}' holds values that are not finite"
    for dim, names in labels.items():
        held = [str(label) for label in dataset[dim].values]
        if held != list(names):
            return f"is for {dim}s {', '.join(held)}, but pair.yaml has {', '.join(names)}"
    absent = [name for name in ("as_of", "seed", "base_year", "hashes", "weights",
                                "specifications") if name not in dataset.attrs]
    return f"lacks the attributes {', '.join(absent)}" if absent else ""


def _mixture(dataset: xr.Dataset) -> str:
    """Report what is wrong with the weights of the specifications, if anything."""
    names = labels_of(dataset)
    weights, known = json.loads(dataset.attrs["weights"]), json.loads(
        dataset.attrs["specifications"])
    if set(known) != set(names):
        return (f"describes the specifications {', '.join(known)}, but holds draws of "
                f"{', '.join(names)}")
    for name in weights:
        if name not in names:
            return (f"gives weight to the specification '{name}', of which it holds no draws; it "
                    f"holds {', '.join(names)}")
    if abs(sum(weights.values()) - 1.0) > MOST_OFF:
        return f"has weights that add up to {sum(weights.values()):.6g}, not to 1"
    return ""


def labels_of(dataset: xr.Dataset) -> list[str]:
    """Names of the specifications that were fitted, in their order."""
    return [str(name) for name in dataset["specification"].values]


def shares(dataset: xr.Dataset, name: str = STACKED) -> dict[str, float]:
    """Weight of each fitted specification; all on one, if it is named.

    An `InputError` lists the names where the posterior holds no such specification.
    """
    names = labels_of(dataset)
    if name == STACKED:
        weights = json.loads(dataset.attrs["weights"])
        return {label: float(weights.get(label, 0.0)) for label in names}
    if name not in names:
        raise InputError([Problem("specification", name,
                                  f"the posterior holds no draws of it; it holds {STACKED}, "
                                  f"{', '.join(names)}",
                                  nearest(name, [STACKED, *names])
                                  or f"run `tradesim calibrate --specification {name}`")])
    return {label: float(label == name) for label in names}


def pooled(dataset: xr.Dataset, name: str = STACKED) -> xr.Dataset:
    """Draws of all specifications by weight, or of the one named, without that dimension.

    As many draws as one specification has; of each one the first rows, as many as its weight
    asks for, to the nearest whole number.
    """
    if "specification" not in dataset.dims:
        return dataset
    weights = np.array(list(shares(dataset, name).values()))
    ends = np.round(np.cumsum(weights) * dataset.sizes["draw"]).astype(int)
    counts = np.diff(ends, prepend=0)
    index = np.repeat(np.arange(len(counts)), counts)
    row = np.concatenate([np.arange(count) for count in counts])
    values = {key: (("draw", *array.dims[2:]), array.to_numpy()[index, row])
              for key, array in dataset.items()}
    coords = {key: dataset.coords[key] for key in dataset.coords if key != "specification"}
    return type(dataset)(values, coords, dataset.attrs)


def _manifest(folder: Path) -> str:
    if not (folder / MANIFEST).is_file():
        return f"has no {MANIFEST} beside it"
    if load(folder / MANIFEST).get("posterior_sha256") != sha256(folder / DATA):
        return f"is damaged: its SHA-256 is not the one in {MANIFEST}"
    return ""


def _sample(dataset: xr.Dataset, last_year: int) -> str:
    as_of = int(dataset.attrs["as_of"])
    if as_of > last_year:
        return f"was fitted to data up to {as_of}, but the data end in {last_year}"
    return ""


def _stale(dataset: xr.Dataset, inputs: Path) -> str:
    then = json.loads(dataset.attrs["hashes"])
    now = input_hashes(inputs, tuple(labels_of(dataset)))
    changed = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    if changed:
        return f"belongs to other inputs; changed since: {', '.join(changed)}"
    return ""


def loaded(draws: Mapping[str, Array], nominal: Array, real: Array) -> Array:
    r"""Term g of each flow for growth of both economies (equation S1); (draw, year, importer).

    .. math:: g_{jt} = \sum_c A_{jc} \Delta\ln Y_{ct} + B_{jc} \Delta\ln R_{ct}

    Loadings :math:`A` and :math:`B` of each draw's specification are ``posterior.nominal`` and
    ``posterior.real`` (draw, importer, member); log changes of GDP are (draw, year, member).
    """
    return np.asarray(np.einsum("dij,dtj->dti", draws["posterior.nominal"], nominal)
                      + np.einsum("dij,dtj->dti", draws["posterior.real"], real))


def response(draws: Mapping[str, Array], nominal: Array, real: Array, rate: Array) -> Array:
    r"""Log change of each flow when GDP and prices move (equation 2); (draw, year, importer).

    Parameters
    ----------
    draws
        Elasticities and loadings of each draw, ``posterior.*``.
    nominal, real
        Log change of nominal GDP in USD and of real GDP, (draw, year, member).
    rate
        Change of the log real exchange rate :math:`q`, (draw, year).
    """
    return np.asarray(
        draws["posterior.elasticity_gdp"][:, None, None] * loaded(draws, nominal, real)
        + draws["posterior.elasticity_exchange_rate"][:, None, :] * rate[..., None])
