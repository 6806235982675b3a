"""Results in short: statistics over draws, the tidy summary, the headline numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.memory import let_go
from tradesim.economy.variables import OCCASIONAL, VARIABLES
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, SCENARIO, every_fifth
from tradesim.simulation.outlooks import BY_GROWTH, REPORTED

ALL = "all"
STATISTICS = ("mean", "p05", "p10", "p25", "p50", "p75", "p90", "p95")
LEVELS = tuple(float(name[1:]) / 100.0 for name in STATISTICS[1:])
KEYS = ("variable", "unit", "count", "year", "exporter", "importer", "group", "case")
COLUMNS = (*KEYS, *STATISTICS)
COLUMN = {"product": "group", "service": "group", "item": "group", "route": "group",
          "country": "exporter", "market": "importer"}
"""Columns of the summary that hold dimensions of another name."""

ORDER = ("count", "year", "exporter", "importer", "group", "case")
"""Keys by which the rows of a variable are sorted."""

EFFECTS = {"effect": SCENARIO, "effect_if_implemented": IMPLEMENTED}
"""Changes against the reference of the same draw, and the case of each."""


def quantiles(values: Array, levels: Sequence[float] = LEVELS) -> Array:
    """Quantiles along the last axis, as `numpy.quantile` gives them; levels come first.

    All come from one sort, which is six times as fast as numpy's own way for thousands of
    short rows.
    """
    ordered = np.sort(values, axis=-1)
    place = np.asarray(levels) * (ordered.shape[-1] - 1)
    below = np.floor(place).astype(int)
    low = ordered[..., below]
    high = ordered[..., np.minimum(below + 1, ordered.shape[-1] - 1)]
    part, step = place - below, high - low
    between = np.where(part >= 0.5, high - step * (1.0 - part), low + step * part)
    return np.moveaxis(between, -1, 0)


def statistics(array: xr.DataArray) -> xr.DataArray:
    """Mean and percentiles over draws, with a first dimension ``statistic``."""
    values = array.transpose(..., "draw")
    coordinates = {name: values[name] for name in values.dims[:-1]}
    return xr.DataArray(mean_and_percentiles(values.to_numpy()),
                        {"statistic": list(STATISTICS), **coordinates},
                        ("statistic", *values.dims[:-1]))


def mean_and_percentiles(values: Array) -> Array:
    """`STATISTICS` along the last axis; they come first."""
    return np.concatenate([values.mean(axis=-1)[None], quantiles(values)])


def probability(dataset: xr.Dataset, variable: str = "turnover") -> xr.DataArray:
    """Share of draws in which turnover of a year reaches the target, by count, case and year.

    `variable` is ``turnover``, that of a year as statistics would read (`outlooks.REPORTED`), or
    the reference by path of GDP (`outlooks.BY_GROWTH`).
    """
    reached: xr.DataArray = dataset[variable] >= dataset.attrs["target_value"]
    return reached.mean("draw")


def summary(dataset: xr.Dataset) -> pd.DataFrame:
    """Table of every variable: one row per number, its mean and percentiles side by side.

    Parameters
    ----------
    dataset
        Results of a run.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`. Totals are spelled ``all``; products stand in the column ``group``,
        but for their shares in every fifth year and the last.
        Variables that are changes have no case
        ``reference``; their scenario is their effect. ``appraisal`` has present values under the
        last year that they count, its items in the column ``group``. ``target_probability`` is
        the share of draws that reach the target in that year, in the column ``mean``.
    """
    partners = json.loads(dataset.attrs["partners"])
    parts = []
    for name, variable in {**VARIABLES, **OCCASIONAL}.items():
        if name not in dataset or not dataset[name].size:
            continue
        years = dataset["year"].to_numpy().tolist()
        if "product" in variable.dims and variable.unit == "USD":
            years = every_fifth(years)
        numbers = _by_case(dataset[name].reset_coords(drop=True), years, variable.change)
        parts.append(_rows(name, variable.unit, numbers, partners))
    if costly(dataset):
        parts.append(_rows("appraisal", "USD", statistics(_appraisal(dataset)), partners))
    chance = probability(dataset).expand_dims(statistic=["mean"])
    parts.append(_rows("target_probability", "share", chance, partners))
    return pd.DataFrame({column: np.concatenate([part[column] for part in parts])
                         for column in COLUMNS})


def _by_case(array: xr.DataArray, years: Sequence[int], change: bool) -> xr.DataArray:
    """Statistics of levels in each case, and of changes against the reference of the same draw."""
    array = array.transpose("case", "year", ..., "draw")
    values = dict(zip(array["case"].to_numpy().tolist(), array.to_numpy(), strict=True))
    effects = {label: case for label, case in EFFECTS.items() if case in values}
    if change:
        named = {case: label for label, case in effects.items()}
        drawn = {named.get(case, case): (levels, None) for case, levels in values.items()
                 if case != REFERENCE}
    else:
        drawn = {case: (levels, None) for case, levels in values.items()} | {
            label: (values[case], values[REFERENCE]) for label, case in effects.items()}
    dims = array.dims[1:-1]
    labels = {dim: array[dim].to_numpy().tolist() for dim in dims}
    places = [labels["year"].index(year) for year in years]
    labels["year"] = list(years)
    if "group" in dims:
        labels["group"].append(ALL)
    groups = dims.index("group") - 1 if "group" in dims else None
    return xr.DataArray(
        np.array([_by_year(*pair, places, groups) for pair in drawn.values()]),
        {"case": list(drawn), "statistic": list(STATISTICS), **labels},
        ("case", "year", "statistic", *dims[1:]))


def _by_year(values: Array, before: Array | None, years: Sequence[int],
             groups: int | None) -> Array:
    """Statistics of a variable or of its change; `groups` is the axis to add totals along.

    What is read and sorted at once is as large as the draws of one year.
    """
    found = []
    for t in years:
        here = values[t] if before is None else values[t] - before[t]
        if groups is not None:
            here = np.concatenate([here, here.sum(axis=groups, keepdims=True)], axis=groups)
        found.append(mean_and_percentiles(here))
        let_go(values)
    return np.array(found)


def _appraisal(dataset: xr.Dataset) -> xr.DataArray:
    """Present values by item, case and draw, under the last year of the appraisal."""
    values = {label: present_values(dataset, case) for label, case in EFFECTS.items()}
    items = list(values["effect"])
    array = xr.DataArray([[values[label][item] for item in items] for label in EFFECTS],
                         dims=("case", "item", "draw"),
                         coords={"case": list(EFFECTS), "item": items})
    return array.expand_dims(year=[int(dataset["appraisal"].attrs["last_year"])])


def _rows(name: str, unit: str, numbers: xr.DataArray,
          partners: Mapping[str, str]) -> dict[str, Any]:
    """Columns of the summary for one variable, its rows in the order of `ORDER`."""
    dims = {COLUMN.get(str(dim), str(dim)): dim for dim in numbers.dims}
    bilateral = name in ("trade", "product_trade")
    for column, dim in dims.items():
        labels = numbers[dim].to_numpy().tolist()
        if bilateral and column == "importer":
            labels = [partners[label] for label in labels]  # rows begin with the exporter
        if column in ORDER:
            numbers = numbers.isel({dim: sorted(range(len(labels)), key=labels.__getitem__)})
    keys = [column for column in ORDER if column in dims]
    ordered = numbers.transpose(*(dims[key] for key in keys), "statistic")
    places = np.indices(ordered.shape[:-1]).reshape(len(keys), -1)
    found = {key: ordered[dims[key]].to_numpy()[place]
             for key, place in zip(keys, places, strict=True)}
    if bilateral:
        found["exporter"] = np.array([partners[code] for code in found["importer"]])
    rows = places.shape[1]
    others = {"variable": name, "unit": unit, "count": "own", **dict.fromkeys(
        ("exporter", "importer", "group"), ALL)}
    found = {key: np.full(rows, text) for key, text in others.items()} | found
    values = ordered.to_numpy().reshape(rows, -1)
    known = dict(zip(numbers["statistic"].to_numpy().tolist(),
                     (values.round(2) + 0.0 if unit == "USD" else values).T, strict=True))
    return found | {key: known.get(key, np.full(rows, np.nan)) for key in STATISTICS}


def _cents(value: float) -> float:
    """USD to the cent: what is smaller is rounding of the arithmetic; no minus before zero."""
    return round(value, 2) + 0.0


def headline(dataset: xr.Dataset) -> dict[str, Any]:
    """Numbers for the first page, as `summary.json` holds them.

    Returns
    -------
    dict
        ``turnover`` (year, case, statistic, USD), ``target`` (value, count, probability by year
        and case; ``counts``: the same on each count, of the trade itself and as its statistics
        would read), ``growth`` (reference turnover of milestones on the count of the target, and
        probability, by path of GDP), ``if_implemented`` (turnover by year and statistic),
        ``benefit_cost`` where levers carry a cost (present values over the life of what is built),
        ``statistics`` (reported turnover of the last year of the sample by count), and what
        identifies the run.
    """
    count = dataset.attrs["count"]
    turnover = dataset["turnover"].sel(count=count)
    effect = turnover.sel(case=SCENARIO) - turnover.sel(case=REFERENCE)
    table = statistics(xr.concat([turnover, effect.assign_coords(case="effect")], dim="case"))
    chance = probability(dataset).sel(count=dataset.attrs["target_count"])
    reported = json.loads(dataset.attrs["statistics"])
    latest = max(reported)
    return {
        "scenario": json.loads(dataset.attrs["scenario"])["name"],
        "count": count,
        "unit": "USD",
        "turnover": _by_label(table.sel(case=[REFERENCE, SCENARIO, "effect"]),
                              "year", "case", "statistic", number=_cents),
        "if_implemented": _by_label(table.sel(case=IMPLEMENTED), "year", "statistic",
                                    number=_cents),
        "target": {
            "value": dataset.attrs["target_value"],
            "count": dataset.attrs["target_count"],
            "probability": _by_label(chance, "year", "case"),
            "counts": _counts(dataset),
        },
        "growth": _growth(dataset),
        **({"benefit_cost": _benefit_cost(dataset)} if costly(dataset) else {}),
        "statistics": {latest: reported[latest]},
        "max_residual": dataset.attrs["max_residual"],
        "draws": int(dataset.attrs["draws"]),
        "seed": int(dataset.attrs["seed"]),
        "run_id": dataset.attrs["run_id"],
    }


def _by_label(array: xr.DataArray, *dims: str, number: Callable[[float], float] = float) -> Any:
    """Numbers of an array by the labels of its axes, one mapping inside the other."""
    labels = [[str(label) for label in array[dim].to_numpy()] for dim in dims]

    def inside(values: Any, depth: int) -> Any:
        if depth == len(dims):
            return number(values)
        return {label: inside(part, depth + 1)
                for label, part in zip(labels[depth], values, strict=True)}

    return inside(array.transpose(*dims).to_numpy().tolist(), 0)


def _counts(dataset: xr.Dataset) -> dict[str, Any]:
    """Probability of the target on each count: of the trade itself, and as statistics read."""
    found = {name: _by_label(probability(dataset, variable), "count", "year", "case")
             for name, variable in (("probability", "turnover"), ("as_reported", REPORTED))}
    return {str(count): {name: chance[str(count)] for name, chance in found.items()}
            for count in dataset["count"].to_numpy()}


def _growth(dataset: xr.Dataset) -> dict[str, Any]:
    """Give reference turnover and the probability of the target by path of GDP and year."""
    count, years = dataset.attrs["target_count"], milestones(dataset)
    table = statistics(dataset[BY_GROWTH].sel(count=count, year=years))
    chance = probability(dataset, BY_GROWTH).sel(count=count, year=years)
    found: dict[str, Any] = _by_label(table, "growth", "year", "statistic", number=_cents)
    for path, by_year in _by_label(chance, "growth", "year").items():
        for year, share in by_year.items():
            found[path][year]["probability"] = share
    return found


def milestones(dataset: xr.Dataset) -> list[int]:
    """Years to report: every fifth after the first, and the last."""
    years = [int(year) for year in dataset["year"].to_numpy()]
    return every_fifth(years[1:] or years)


def first_reached(reached: NDArray[np.bool_], years: Sequence[int]) -> Array:
    """First year in which each draw reaches something, (year, draw); NaN where it never does.

    A draw that falls back later still counts as having reached it.
    """
    return np.where(reached.any(axis=0), np.asarray(years, dtype=float)[reached.argmax(axis=0)],
                    np.nan)


def _benefit_cost(dataset: xr.Dataset) -> dict[str, Any]:
    """Present values of gains and cost by case, USD of the first year."""
    attrs = dataset["appraisal"].attrs
    found: dict[str, Any] = {"discount_rate": dataset.attrs["discount_rate"],
                             "first_year": int(attrs["first_year"]),
                             "last_year": int(attrs["last_year"])}
    for case in (SCENARIO, IMPLEMENTED):
        values = present_values(dataset, case)
        rate = float(attrs[f"rate_of_return_{case}"])
        ratio = benefit_cost_ratio(values)
        found[case] = {name: _by_statistic(numbers) for name, numbers in values.items()} | {
            "ratio": round(ratio, 4),
            "rate_of_return": None if np.isnan(rate) else round(rate, 4),
            "gains_must_be": round(1.0 / ratio, 2) if ratio > 0.0 else None,
            "pays": round(float((values["net"] > 0.0).mean()), 4)}
    return found


def _by_statistic(values: Array) -> dict[str, float]:
    return {name: _cents(float(value))
            for name, value in zip(STATISTICS, mean_and_percentiles(values), strict=True)}


def costly(dataset: xr.Dataset) -> bool:
    """Whether any lever pulled has a cost, so that the run was appraised."""
    return "appraisal" in dataset


def present_values(dataset: xr.Dataset, case: str) -> dict[str, Array]:
    r"""Present values over the life of what is built, in one case, by draw (equation A11).

    .. math:: N = \sum_j V_j + H + R - K

    Returns
    -------
    dict
        USD of the first year by draw: ``cost`` :math:`K`, the gain :math:`V` of each member of
        the pair by its name, ``hauliers`` :math:`H`, ``residual`` :math:`R`, ``joint`` (all
        gains together) and ``net`` of the cost :math:`N`.
    """
    values = dataset["appraisal"].sel(case=case)
    parts = {str(item): values.sel(item=item).to_numpy().astype(float)
             for item in values["item"].to_numpy()}
    joint = np.sum([part for item, part in parts.items() if item != "cost"], axis=0)
    return parts | {"joint": joint, "net": joint - parts["cost"]}


def benefit_cost_ratio(values: dict[str, Array]) -> float:
    """Mean joint gain over mean cost; zero where nothing is spent."""
    cost = float(values["cost"].mean())
    return float(values["joint"].mean()) / cost if cost > 0.0 else 0.0
