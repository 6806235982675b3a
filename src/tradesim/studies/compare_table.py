"""The table of a comparison: one row per scenario and number, for spreadsheets and code."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from tradesim.common.arrays import MILLION, Array
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.simulation.summary import ALL, KEYS, STATISTICS, mean_and_percentiles
from tradesim.studies.compare import (
    ACCOUNTS,
    CASES,
    CRITERIA,
    Comparison,
    first_year,
    members,
    probability,
    ranked,
    regret,
)

COLUMNS = ("scenario", *KEYS, *STATISTICS, "max")
EFFECT = {SCENARIO: "effect", IMPLEMENTED: "effect_if_implemented"}

Row = dict[str, Any]
Key = dict[str, Any]


def table(comparison: Comparison) -> pd.DataFrame:
    """Table of a comparison: the columns of a run's summary, with the scenario before them.

    Cases ``effect`` and ``effect_if_implemented`` are changes against the baseline scenario.
    Turnover and directions come for all years, product groups, suppliers and accounts for the
    milestones. ``target_probability``, ``first_year_share`` (share of draws that first reach the
    target in that year), ``not_reached_share``, ``best_turnover`` and ``best_welfare`` are shares
    of draws; ``regret_turnover`` and ``regret_welfare`` are USD in the last year, of which the
    largest in any draw stands in the column ``max``.
    """
    rows: list[Row] = []
    for name in comparison.names:
        rows += _levels(comparison, name)
        rows += _chances(comparison, name)
        if name != comparison.baseline:
            rows += _groups(comparison, name)
            rows += _parties(comparison, name)
    rows += _regrets(comparison)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(scenario: str, variable: str, unit: str, **key: Any) -> Row:
    return {"scenario": scenario, "variable": variable, "unit": unit, "count": ALL,
            "exporter": ALL, "importer": ALL, "group": ALL} | key


def _described(scenario: str, variable: str, values: Array, labels: Sequence[Sequence[Key]],
               **key: Any) -> Iterator[Row]:
    """Rows of `values` (draw first), each other axis with its labels."""
    cells = mean_and_percentiles(np.moveaxis(values, 0, -1)).reshape(len(STATISTICS), -1).T
    for parts, numbers in zip(product(*labels), cells, strict=True):
        yield _row(scenario, variable, "USD", **key, **ChainMap(*parts),
                   **dict(zip(STATISTICS, numbers.tolist(), strict=True)))


def _levels(comparison: Comparison, name: str) -> Iterator[Row]:
    """Turnover and trade by direction, all years, both counts."""
    years = [{"year": year} for year in comparison.years]
    ways = _directions(comparison)
    for count, case in product(comparison.counts, CASES):
        kinds = [(case, comparison.levels)]
        if name != comparison.baseline:
            kinds.append((EFFECT[case], comparison.change))
        for label, read in kinds:
            yield from _described(name, "turnover", read("turnover", name, case, count=count),
                                  [years], count=count, case=label)
            trade = read("trade", name, case, count=count).sum(axis=-1)
            yield from _described(name, "trade", trade, [years, ways], count=count, case=label)


def _directions(comparison: Comparison) -> list[Key]:
    partners = json.loads(comparison.first.attrs["partners"])
    return [{"importer": code, "exporter": partners[code]} for code in members(comparison)]


def _groups(comparison: Comparison, name: str) -> Iterator[Row]:
    groups = [{"group": str(group)} for group in comparison.first["group"].to_numpy()]
    for count, case, year in product(comparison.counts, CASES, comparison.milestones):
        change = comparison.change("trade", name, case, count=count, year=year)
        yield from _described(name, "trade", change, [_directions(comparison), groups],
                              count=count, case=EFFECT[case], year=year)


def _parties(comparison: Comparison, name: str) -> Iterator[Row]:
    """Suppliers' sales and the accounts of surplus and revenue, importer's own count."""
    codes = [str(code) for code in comparison.first["exporter"].to_numpy()]
    markets = [{"importer": importer} for importer in members(comparison)]
    suppliers = [{"exporter": code} for code in codes]
    for case, year in product(CASES, comparison.milestones):
        key: Key = {"count": "own", "case": EFFECT[case], "year": year}
        yield from _described(name, "imports", comparison.change("imports", name, case, year=year),
                              [markets, suppliers], **key)
        for variable in ACCOUNTS:
            change = comparison.change(variable, name, case, year=year)
            yield from _described(name, variable, change, [markets], **key)


def _chances(comparison: Comparison, name: str) -> Iterator[Row]:
    for case in CASES:
        for count in comparison.counts:
            shares = probability(comparison, name, case, count)
            for year, share in zip(comparison.years, shares, strict=True):
                yield _row(name, "target_probability", "share", count=count, year=year, case=case,
                           mean=float(share))
        reached = first_year(comparison, name, case)
        key: Key = {"count": comparison.target_count, "case": case}
        for year in comparison.years:
            yield _row(name, "first_year_share", "share", year=year,
                       mean=float((reached == year).mean()), **key)
        yield _row(name, "not_reached_share", "share", year=comparison.last,
                   mean=float(np.isnan(reached).mean()), **key)


def _regrets(comparison: Comparison) -> Iterator[Row]:
    for criterion, case in product(CRITERIA, CASES):
        missed = regret(comparison, criterion, case)
        key = {"year": comparison.last, "case": case,
               "count": comparison.count if criterion == "turnover" else "own"}
        for k, name in enumerate(missed.names):
            yield _row(name, f"regret_{criterion}", "USD", **key, mean=float(missed.mean[k]),
                       p95=float(missed.high[k]), max=float(missed.worst[k]))
            yield _row(name, f"best_{criterion}", "share", **key, mean=float(missed.chance[k]))


def overview(comparison: Comparison) -> pd.DataFrame:
    """Give turnover of the last year and its change by scenario, USD million; the best first.

    Risk-weighted, on the headline count, against the baseline scenario.
    """
    where = {"count": comparison.count, "year": comparison.last}
    rows = []
    for name in ranked(comparison):
        level, change = (found("turnover", name, SCENARIO, **where) / MILLION
                         for found in (comparison.levels, comparison.change))
        low, middle, high = np.quantile(change, [0.1, 0.5, 0.9])
        rows.append({"scenario": name, "title": comparison.label(name),
                     f"median in {comparison.last}": np.median(level),
                     "mean change": change.mean(), "median change": middle,
                     "low (10 %)": low, "high (90 %)": high})
    return pd.DataFrame(rows)
