"""Results of a run: identify, summarise, save, load."""

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
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tradesim.common.errors import InputError, Problem
from tradesim.common.files import sha256
from tradesim.economy.accounts import VARIABLES
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import quantile
from tradesim.inputs.scenario import Known, Scenario
from tradesim.inputs.scenario_text import resolved
from tradesim.simulation.benefit import costly, present_values, ratio

ALL = "all"
REFERENCE, SCENARIO, IMPLEMENTED = "reference", "scenario", "if_implemented"
STATISTICS = ("mean", "p05", "p10", "p25", "p50", "p75", "p90", "p95")
PERCENTILES = tuple(float(name[1:]) for name in STATISTICS[1:])
COLUMNS = ("variable", "unit", "count", "year", "exporter", "importer", "group", "case",
           "statistic", "value")
DATA, SUMMARY, HEADLINE = "results.nc", "summary.csv", "summary.json"
RESOLVED, MANIFEST = "scenario.yaml", "manifest.json"
HASHED = (DATA, SUMMARY, HEADLINE, RESOLVED)
EXACT = ("imports", "home_output")
"""Levels so large that a policy's change of them would be lost in single precision."""

FORMAT = 3
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
        "resolved": resolved(scenario, Known(base.parameters, base.levers, base.pair,
                                             base.specifications)),
        "title": scenario.title,
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
        "target_value": float(base.pair.target_value),
        "target_count": base.pair.target_count,
        "statistics": json.dumps(statistics),
        "hashes": json.dumps(hashes),
        "command": command,
        "calibration": str(base.folder),
    }


def calibration_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a calibration folder that a run may read, by path in it."""
    return {path.relative_to(folder).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in (".csv", ".yaml", ".nc") and path.is_file()}


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


def _with_effects(array: xr.DataArray) -> xr.DataArray:
    """Add the change against the reference of the same draw, for each case of policy."""
    reference = array.sel(case=REFERENCE)
    names = {"effect": SCENARIO, "effect_if_implemented": IMPLEMENTED}
    effects = [(array.sel(case=case) - reference).assign_coords(case=name)
               for name, case in names.items() if case in array["case"]]
    return xr.concat([array, *effects], dim="case")


def _with_totals(array: xr.DataArray) -> xr.DataArray:
    """Add the total over groups, where the variable has groups."""
    if "group" not in array.dims:
        return array
    return xr.concat([array, array.sum("group").assign_coords(group=ALL)], dim="group")


def statistics(array: xr.DataArray) -> xr.DataArray:
    """Mean and percentiles over draws, with a dimension ``statistic``."""
    values = array.transpose("draw", ...)
    stacked = np.concatenate([values.mean("draw").to_numpy()[None],
                              np.percentile(values.to_numpy(), PERCENTILES, axis=0)])
    dims = ("statistic", *values.dims[1:])
    coordinates = {name: values[name] for name in values.dims[1:]}
    return xr.DataArray(stacked, {"statistic": list(STATISTICS), **coordinates}, dims)


def probability(dataset: xr.Dataset) -> xr.DataArray:
    """Share of draws in which turnover of a year reaches the target, by count, case and year."""
    reached: xr.DataArray = dataset["turnover"] >= dataset.attrs["target_value"]
    return reached.mean("draw")


def summary(dataset: xr.Dataset) -> pd.DataFrame:
    """Tidy table of every variable: one row per statistic.

    Parameters
    ----------
    dataset
        Results of a run.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`. Totals are spelled ``all``; products stand in the column ``group``.
        Variables that are changes have no case
        ``reference``; their scenario is their effect. ``target_probability`` is the share of
        draws that reach the target in that year.
    """
    partners = json.loads(dataset.attrs["partners"])
    places = json.loads(dataset.attrs["products"])
    frames = []
    for name, variable in VARIABLES.items():
        if not dataset[name].size:
            continue
        array = _with_totals(dataset[name])
        if variable.change:
            array = array.sel(case=[case for case in array["case"].to_numpy() if case != REFERENCE])
            array = array.assign_coords(case=[
                {SCENARIO: "effect", IMPLEMENTED: "effect_if_implemented"}.get(case, case)
                for case in array["case"].to_numpy()])
        else:
            array = _with_effects(array)
        frame = _tidy(statistics(array), name, variable.unit, partners)
        if "product" in variable.dims:
            frame["importer"] = frame["group"].map(places)
        frames.append(frame)
    chance = probability(dataset).expand_dims(statistic=["mean"])
    frames.append(_tidy(chance, "target_probability", "share", partners))
    return pd.concat(frames, ignore_index=True)


def _tidy(array: xr.DataArray, name: str, unit: str,
          partners: Mapping[str, str]) -> pd.DataFrame:
    frame = array.rename("value").to_series().reset_index().rename(columns={"product": "group"})
    if unit == "USD":
        frame["value"] = _cents(frame["value"])
    frame["variable"], frame["unit"] = name, unit
    for dim in ("count", "importer", "group"):
        if dim not in frame:
            frame[dim] = ALL if dim != "count" else "own"
    if "exporter" not in frame:
        bilateral = name == "trade"
        frame["exporter"] = frame["importer"].map(partners).fillna(ALL) if bilateral else ALL
    order = ["count", "year", "exporter", "importer", "group", "case"]
    place = {statistic: i for i, statistic in enumerate(STATISTICS)}
    frame = frame.assign(_place=frame["statistic"].map(place))
    frame = frame.sort_values([*order, "_place"], kind="stable")
    return frame[list(COLUMNS)]


def _cents(value: Any) -> Any:
    """USD to the cent: what is smaller is rounding of the arithmetic; no minus before zero."""
    return round(value, 2) + 0.0


def headline(dataset: xr.Dataset) -> dict[str, Any]:
    """Numbers for the first page, as `summary.json` holds them.

    Returns
    -------
    dict
        ``turnover`` (year, case, statistic, USD), ``target`` (value, count, probability by year
        and case), ``if_implemented`` (turnover by year and statistic), ``benefit_cost`` where
        levers carry a cost (present values up to the horizon), ``statistics`` (reported
        turnover of the last year of the sample by count), and what identifies the run.
    """
    count = dataset.attrs["count"]
    turnover = _with_effects(dataset["turnover"].sel(count=count))
    table = statistics(turnover)
    cases = (REFERENCE, SCENARIO, "effect")
    years = [int(year) for year in dataset["year"].to_numpy()]
    chance = probability(dataset).sel(count=dataset.attrs["target_count"])
    reported = json.loads(dataset.attrs["statistics"])
    latest = max(reported)

    def numbers(year: int, case: str) -> dict[str, float]:
        column = table.sel(year=year, case=case)
        return {name: _cents(float(column.sel(statistic=name))) for name in STATISTICS}

    return {
        "scenario": json.loads(dataset.attrs["scenario"])["name"],
        "count": count,
        "unit": "USD",
        "turnover": {str(year): {case: numbers(year, case) for case in cases} for year in years},
        "if_implemented": {str(year): numbers(year, IMPLEMENTED) for year in years},
        "target": {
            "value": dataset.attrs["target_value"],
            "count": dataset.attrs["target_count"],
            "probability": {str(year): {str(case): float(chance.sel(year=year, case=case))
                                        for case in chance["case"].to_numpy()} for year in years},
        },
        **({"benefit_cost": _benefit_cost(dataset)} if costly(dataset) else {}),
        "statistics": {latest: reported[latest]},
        "max_residual": dataset.attrs["max_residual"],
        "draws": int(dataset.attrs["draws"]),
        "seed": int(dataset.attrs["seed"]),
        "run_id": dataset.attrs["run_id"],
    }


def _benefit_cost(dataset: xr.Dataset) -> dict[str, Any]:
    """Present values of gains and cost by case, USD of the first year."""
    found: dict[str, Any] = {"discount_rate": dataset.attrs["discount_rate"],
                             "first_year": int(dataset["year"][0]),
                             "last_year": int(dataset["year"][-1])}
    for case in (SCENARIO, IMPLEMENTED):
        values = present_values(dataset, case)
        found[case] = {name: _statistics(numbers) for name, numbers in values.items()}
        found[case]["ratio"] = round(ratio(values), 4)
    return found


def _statistics(values: NDArray[np.float64]) -> dict[str, float]:
    numbers = [values.mean(), *np.percentile(values, PERCENTILES)]
    return {name: _cents(float(value)) for name, value in zip(STATISTICS, numbers, strict=True)}


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
