"""The tables of a comparison, once for the report and once for the workbook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import yaml

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.inputs.scenario_text import Difference
from tradesim.reports.wording import TEMPLATES
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.studies.compare import (
    ACCOUNTS,
    CASES,
    Comparison,
    contained,
    first_year,
    gains,
    members,
    probability,
    ranked,
)
from tradesim.studies.regret import CRITERIA, regret

TEXT, MONEY, RANGE, SHARE, YEAR = "text", "money", "range", "share", "year"


@cache
def phrases() -> dict[str, Any]:
    """Short words of the comparison, from the templates folder."""
    read: dict[str, Any] = yaml.safe_load((TEMPLATES / "compare.yaml").read_text(encoding="utf-8"))
    return read


@dataclass(frozen=True)
class Column:
    """A column: its heading and what its cells hold.

    A ``money`` cell is a number in USD million, a ``range`` a middle with the ends of its 80 %
    range, a ``share`` a number from 0 to 1, a ``year`` a year or None.
    """

    heading: str
    kind: str = TEXT


@dataclass(frozen=True)
class Table:
    """A table with raw numbers; who shows it rounds."""

    name: str
    title: str
    sheet: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


def pages(comparison: Comparison, pair: Pair,
          inputs: Mapping[str, Sequence[Difference]]) -> list[Table]:
    """All tables, in the order of the workbook.

    Parameters
    ----------
    comparison
        Runs side by side.
    pair
        Names of countries, groups and counts.
    inputs
        By scenario, what it changes in the inputs.
    """
    return [*_inputs(comparison, inputs), *_results(comparison, pair), *_chosen(comparison, pair),
            *_markets(comparison, pair), *_heat(comparison, pair)]


def _make(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]], number: int = 1,
          **names: Any) -> Table:
    words = phrases()["tables"][name]
    return Table(name, words["title"].format(**names), words["sheet"].format(number=number),
                 tuple(columns), tuple(tuple(row) for row in rows))


def _column(key: str, kind: str = TEXT, **names: Any) -> Column:
    return Column(phrases()["columns"][key].format(**names), kind)


def average(values: Array) -> tuple[float, float, float]:
    """Mean and the ends of the 80 % range, USD million."""
    low, high = np.quantile(values, [0.1, 0.9]) / MILLION
    return float(values.mean()) / MILLION, float(low), float(high)


def middle(values: Array) -> tuple[float, float, float]:
    """Median and the ends of the 80 % range, USD million."""
    low, median, high = np.quantile(values, [0.1, 0.5, 0.9]) / MILLION
    return float(median), float(low), float(high)


def input_rows(comparison: Comparison, inputs: Mapping[str, Sequence[Difference]],
               by_origin: bool = True) -> list[dict[str, Any]]:
    """Differences of all scenarios, each said once with the scenarios that have it.

    Parameters
    ----------
    comparison, inputs
        As for `pages`.
    by_origin
        Whether the same value set in another place is another row.
    """
    found: dict[Difference, list[tuple[str, str]]] = {}
    for name in comparison.names:
        for item in inputs[name]:
            key = item if by_origin else replace(item, origin="")
            found.setdefault(key, []).append((name, item.origin))
    order = list(dict.fromkeys(item.key.split(".")[0] for item in found))
    items = sorted(found.items(), key=lambda pair: order.index(pair[0].key.split(".")[0]))
    return [{"difference": item, "scenarios": [name for name, _ in places],
             "origins": list(dict.fromkeys(origin for _, origin in places))}
            for item, places in items]


def _inputs(comparison: Comparison, inputs: Mapping[str, Sequence[Difference]]) -> Iterator[Table]:
    holds, words = contained(comparison), phrases()
    rows = []
    for name in comparison.names:
        scenario = comparison.scenario(name)
        attrs = comparison.runs[name].attrs
        rows.append((name, attrs["title"], scenario["question"], ", ".join(scenario["levers"]),
                     ", ".join(holds.get(name, [])), attrs["run_id"], attrs["command"]))
    yield _make("scenarios", [_column(key) for key in (
        "scenario", "title", "question", "levers", "contains", "run", "command")], rows)
    keys = ("input", "key", "value", "unit", "reference", "source", "grade", "origin", "given",
            "scenarios")
    yield _make("inputs", [_column(key) for key in keys], [
        (item.title, item.key, item.value, item.unit, item.reference, item.source, item.grade,
         item.origin, words["given" if item.given else "not_given"], ", ".join(row["scenarios"]))
        for row in input_rows(comparison, inputs) for item in [row["difference"]]])


def _results(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    years = comparison.milestones
    for number, count in enumerate(comparison.counts, 1):
        names: dict[str, Any] = {"number": number, "count": pair.name(count)}
        columns = [_column("scenario")]
        for year in years:
            columns += [_column(key, RANGE, year=year) for key in ("average", "implemented")]
        rows = []
        for name in ranked(comparison):
            row: list[Any] = [comparison.label(name)]
            for year in years:
                change = [comparison.change("turnover", name, case, count=count, year=year)
                          for case in CASES]
                row += [average(change[0]), average(change[1])]
            rows.append(row)
        yield _make("effects", columns, rows, **names)
    for number, count in enumerate(comparison.counts, 1):
        names = {"number": number, "count": pair.name(count)}
        columns = [_column("scenario")]
        for year in years:
            columns += [_column(key, RANGE, year=year) for key in ("level", "implemented_level")]
        yield _make("turnover", columns, [
            [comparison.label(name),
             *(middle(comparison.levels("turnover", name, case, count=count, year=year))
               for year in years for case in CASES)]
            for name in _ordered(comparison)], **names)


def _ordered(comparison: Comparison) -> list[str]:
    return [comparison.baseline, *ranked(comparison)]


def _chosen(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    """Target, first year, regret."""
    last, names = comparison.last, _ordered(comparison)
    places = [comparison.years.index(year) for year in comparison.milestones]
    for number, count in enumerate(comparison.counts, 1):
        columns = [_column("scenario")]
        for year in comparison.milestones:
            columns += [_column(key, SHARE, year=year) for key in ("chance", "chance_implemented")]
        rows: list[list[Any]] = []
        for name in names:
            shares = [probability(comparison, name, case, count) for case in CASES]
            rows.append([comparison.label(name),
                         *(float(share[place]) for place in places for share in shares)])
        yield _make("chances", columns, rows, number, count=pair.name(count))
    for number, case in enumerate(CASES, 1):
        columns = [_column("scenario"), *(_column("year", SHARE, year=year)
                                          for year in comparison.years),
                   _column("not_reached", SHARE, last=last), _column("median_year", YEAR)]
        rows = []
        for name in names:
            reached = first_year(comparison, name, case)
            some = reached[~np.isnan(reached)]
            rows.append([comparison.label(name),
                         *(float((reached == year).mean()) for year in comparison.years),
                         float(np.isnan(reached).mean()),
                         float(np.median(some)) if some.size else None])
        yield _make("first", columns, rows, number, case=phrases()["cases"][case],
                    count=pair.name(comparison.target_count))
    for number, case in enumerate(CASES, 1):
        columns = [_column("scenario")]
        found = [regret(comparison, criterion, case) for criterion in CRITERIA]
        for criterion in CRITERIA:
            said = phrases()["criteria"][criterion]
            columns += [_column(key, kind, criterion=said) for key, kind in (
                ("best", SHARE), ("mean", MONEY), ("high", MONEY), ("worst", MONEY))]
        rows = []
        for name in names:
            row: list[Any] = [comparison.label(name)]
            for one in found:
                place = one.names.index(name)
                row += [float(one.chance[place]), *(float(values[place]) / MILLION for values in
                                                    (one.mean, one.high, one.worst))]
            rows.append(row)
        yield _make("regret", columns, rows, number, last=last, case=phrases()["cases"][case])


def party(pair: Pair, code: str, importer: str) -> str:
    """Name of a party in one market: a supplier, or one of the accounts."""
    words = phrases()
    if code in ACCOUNTS:
        return str(words["accounts"][code])
    return str(words["home"]) if code == importer else pair.name(code)


def _markets(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    last = comparison.last
    for number, importer in enumerate(members(comparison), 1):
        by_name = {name: gains(comparison, name, importer, IMPLEMENTED, last)
                   for name in ranked(comparison)}
        codes = list(next(iter(by_name.values())))
        for kind, chosen in (("sales", [code for code in codes if code not in ACCOUNTS]),
                             ("accounts", ACCOUNTS)):
            columns = [_column("scenario"), *(Column(party(pair, code, importer), RANGE)
                                              for code in chosen)]
            yield _make(kind, columns, [
                [comparison.label(name), *(average(found[code]) for code in chosen)]
                for name, found in by_name.items()],
                        number, importer=pair.name(importer), year=last)


def heat(comparison: Comparison, importer: str) -> Array:
    """Average change if implemented by scenario (ranked) and group, last year, USD million."""
    return np.array([comparison.change(
        "trade", name, IMPLEMENTED, count=comparison.count, year=comparison.last,
        importer=importer).mean(axis=0) for name in ranked(comparison)]) / MILLION


def _heat(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    groups = [str(group) for group in comparison.first["group"].to_numpy()]
    for number, importer in enumerate(members(comparison), 1):
        columns = [_column("scenario"), *(Column(pair.name(group), MONEY) for group in groups)]
        yield _make("heat", columns, [[comparison.label(name), *map(float, row)] for name, row in
                                      zip(ranked(comparison), heat(comparison, importer),
                                          strict=True)],
                    number, year=comparison.last, importer=pair.name(importer),
                    exporter=pair.name(pair.partner(importer)), count=pair.name(comparison.count))


def outcomes(comparison: Comparison) -> list[dict[str, Any]]:
    """Last year's outcome of each scenario, ranked: what the terminal and the answer show."""
    where = {"count": comparison.count, "year": comparison.last}
    found, rows = regret(comparison), []
    for name in ranked(comparison):
        change = {case: comparison.change("turnover", name, case, **where) for case in CASES}
        chances = {case: float(probability(comparison, name, case, comparison.target_count)[-1])
                   for case in CASES}
        rows.append({"name": name, "title": comparison.label(name),
                     "average": average(change[SCENARIO]),
                     "implemented": average(change[IMPLEMENTED]), "chance": chances,
                     "best": float(found.chance[found.names.index(name)])})
    return rows
