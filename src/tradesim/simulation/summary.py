"""Results in short: statistics over draws, the tidy summary, the headline numbers."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.common.memory import let_go
from tradesim.economy.variables import OCCASIONAL, VARIABLES
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.simulation.outlooks import BY_GROWTH, REPORTED

ALL = "all"
STATISTICS = ("mean", "p05", "p10", "p25", "p50", "p75", "p90", "p95")
LEVELS = tuple(float(name[1:]) / 100.0 for name in STATISTICS[1:])
KEYS = ("variable", "unit", "count", "year", "exporter", "importer", "group", "case")
COLUMNS = (*KEYS, *STATISTICS)
COLUMN = {"product": "group", "service": "group", "item": "group", "route": "group",
          "country": "exporter", "market": "importer"}
"""Columns of the summary that hold dimensions of another name."""

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
    frames = []
    for name, variable in {**VARIABLES, **OCCASIONAL}.items():
        if name not in dataset or not dataset[name].size:
            continue
        array = dataset[name].reset_coords(drop=True)
        if "product" in variable.dims and variable.unit == "USD":
            array = array.sel(year=_few(array["year"].to_numpy().tolist()))
        frames.append(_named(_by_case(array, variable.change), name, variable.unit, partners))
        let_go(array.to_numpy())
    if costly(dataset):
        frames.append(_named(_frame(_appraisal(dataset)), "appraisal", "USD", partners))
    chance = probability(dataset).rename("mean").to_series().reset_index()
    frames.append(_named(chance, "target_probability", "share", partners))
    return pd.concat(frames, ignore_index=True)


def _few(years: Sequence[int]) -> list[int]:
    """Years in which products are summed up: every fifth and the last."""
    return [year for year in years if year % 5 == 0 or year == years[-1]]


def _by_case(array: xr.DataArray, change: bool) -> pd.DataFrame:
    """Rows of levels in each case and of changes against the reference of the same draw."""
    drawn = {str(case): array.sel(case=case, drop=True) for case in array["case"].to_numpy()}
    effects = {label: case for label, case in EFFECTS.items() if case in drawn}
    reference = drawn[REFERENCE]
    if change:
        named = {case: label for label, case in effects.items()}
        found = [_frame(values).assign(case=named.get(case, case))
                 for case, values in drawn.items() if case != REFERENCE]
    else:
        found = [_frame(values).assign(case=case) for case, values in drawn.items()]
        found += [_frame(drawn[case], reference).assign(case=label)
                  for label, case in effects.items()]
    return pd.concat(found)


def _frame(values: xr.DataArray, before: xr.DataArray | None = None) -> pd.DataFrame:
    """Rows of a variable, or of its change, with a column for each statistic.

    Year by year: what is sorted at once is as large as the draws of one year.
    """
    after = _in_order(values)
    start = None if before is None else _in_order(before).to_numpy()
    of_year = [mean_and_percentiles(_with_total(
        year if start is None else year - start[t], after.dims[1:]))
        for t, year in enumerate(after.to_numpy())]
    labels = [after[dim].to_numpy().tolist() for dim in after.dims[:-1]]
    if "group" in after.dims:
        labels[after.dims.index("group")].append(ALL)
    index = pd.MultiIndex.from_product(labels, names=after.dims[:-1])
    table = np.moveaxis(np.array(of_year), 1, -1).reshape(len(index), len(STATISTICS))
    return pd.DataFrame(table, index, list(STATISTICS)).reset_index()


def _in_order(array: xr.DataArray) -> xr.DataArray:
    return array.transpose("year", ..., "draw")


def _with_total(values: Array, dims: Sequence[Hashable]) -> Array:
    """Add the total over groups, where there are groups."""
    if "group" not in dims:
        return values
    place = dims.index("group")
    return np.concatenate([values, values.sum(axis=place, keepdims=True)], axis=place)


def _appraisal(dataset: xr.Dataset) -> xr.DataArray:
    """Present values by item, case and draw, under the last year of the appraisal."""
    values = {label: present_values(dataset, case) for label, case in EFFECTS.items()}
    items = list(values["effect"])
    array = xr.DataArray([[values[label][item] for item in items] for label in EFFECTS],
                         dims=("case", "item", "draw"),
                         coords={"case": list(EFFECTS), "item": items})
    return array.expand_dims(year=[int(dataset["appraisal"].attrs["last_year"])])


def _named(frame: pd.DataFrame, name: str, unit: str,
           partners: Mapping[str, str]) -> pd.DataFrame:
    """Give rows of a variable the columns of the summary, in the order of the keys."""
    frame = frame.rename(columns=COLUMN)
    if unit == "USD":
        frame[list(STATISTICS)] = _cents(frame[list(STATISTICS)])
    frame["variable"], frame["unit"] = name, unit
    for dim in ("count", "importer", "group"):
        if dim not in frame:
            frame[dim] = ALL if dim != "count" else "own"
    if "exporter" not in frame:
        bilateral = name in ("trade", "product_trade")
        frame["exporter"] = frame["importer"].map(partners).fillna(ALL) if bilateral else ALL
    order = ["count", "year", "exporter", "importer", "group", "case"]
    return frame.sort_values(order, kind="stable").reindex(columns=list(COLUMNS))


def _cents(value: Any) -> Any:
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
        ``benefit_cost`` where levers carry a cost (present values up to the horizon),
        ``statistics`` (reported turnover of the last year of the sample by count), and what
        identifies the run.
    """
    count = dataset.attrs["count"]
    turnover = dataset["turnover"].sel(count=count)
    effect = turnover.sel(case=SCENARIO) - turnover.sel(case=REFERENCE)
    table = statistics(xr.concat([turnover, effect.assign_coords(case="effect")], dim="case"))
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


def _counts(dataset: xr.Dataset) -> dict[str, Any]:
    """Probability of the target on each count: of the trade itself, and as statistics read."""
    return {str(count): {
        name: {str(year): {str(case): float(chance.sel(count=count, year=year, case=case))
                           for case in chance["case"].to_numpy()}
               for year in chance["year"].to_numpy()}
        for name, chance in (("probability", probability(dataset)),
                             ("as_reported", probability(dataset, REPORTED)))}
        for count in dataset["count"].to_numpy()}


def _growth(dataset: xr.Dataset) -> dict[str, Any]:
    """Give reference turnover and the probability of the target by path of GDP and year."""
    count = dataset.attrs["target_count"]
    table = statistics(dataset[BY_GROWTH].sel(count=count))
    chance = probability(dataset, BY_GROWTH).sel(count=count)
    return {str(path): {
        str(year): {name: _cents(float(table.sel(growth=path, year=year, statistic=name)))
                    for name in STATISTICS}
        | {"probability": float(chance.sel(growth=path, year=year))}
        for year in milestones(dataset)} for path in table["growth"].to_numpy()}


def milestones(dataset: xr.Dataset) -> list[int]:
    """Years to report: every fifth after the first, and the last."""
    years = [int(year) for year in dataset["year"].to_numpy()]
    return sorted({*(year for year in years[1:] if year % 5 == 0), years[-1]})


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
