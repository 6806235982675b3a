"""The tables of a comparison, once for the report and once for the workbook."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.inputs.scenario_text import Difference
from tradesim.reports.ranges import Range, mean_range, median_range
from tradesim.reports.wording import words
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.studies.compare import (
    ACCOUNTS,
    CASES,
    CRITERIA,
    Comparison,
    Regret,
    first_year,
    gains,
    members,
    probability,
    ranked,
    regret,
)
from tradesim.studies.compare_paths import contained

TEXT, MONEY, RANGE, SHARE, YEAR = "text", "money", "range", "share", "year"


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
    charted: tuple[int, ...] = ()  # columns that a chart beside the table shows


def pages(comparison: Comparison, pair: Pair,
          inputs: Mapping[str, Sequence[Difference]]) -> list[Table]:
    """All tables, in the order of the workbook; `inputs` holds each scenario's changes."""
    kinds = [_effects, _regret, _markets, _groups] if comparison.policies else []
    kinds[1:1] = [_turnover, _chances, _first_years]
    kinds += [_shocks] if comparison.events else []
    return [*_inputs(comparison, inputs),
            *(table for kind in kinds for table in kind(comparison, pair))]


def chosen(comparison: Comparison) -> list[str]:
    """Policies in their order: a shock is no choice, and is never implemented."""
    return [name for name in ranked(comparison) if name in comparison.policies]


def _make(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Any]],
          charted: Sequence[int] = (), **names: Any) -> Table:
    phrases = words("compare")["tables"][name]
    return Table(name, phrases["title"].format(**names), phrases["sheet"].format(**names),
                 tuple(columns), tuple(tuple(row) for row in rows), tuple(charted))


def _column(key: str, kind: str = TEXT, **names: Any) -> Column:
    return Column(words("compare")["columns"][key].format(**names), kind)


def input_rows(comparison: Comparison, inputs: Mapping[str, Sequence[Difference]],
               by_origin: bool = True) -> list[dict[str, Any]]:
    """Differences of all scenarios, each named once with the scenarios that have it.

    With `by_origin` the same value set in another file is another row.
    """
    known: dict[Difference, list[tuple[str, str]]] = {}
    for name in comparison.names:
        for item in inputs[name]:
            key = item if by_origin else replace(item, origin="")
            known.setdefault(key, []).append((name, item.origin))
    order = list(dict.fromkeys(item.key.split(".")[0] for item in known))
    items = sorted(known.items(), key=lambda entry: order.index(entry[0].key.split(".")[0]))
    return [{"difference": item, "scenarios": [name for name, _ in sources],
             "origins": list(dict.fromkeys(origin for _, origin in sources))}
            for item, sources in items]


def _inputs(comparison: Comparison, inputs: Mapping[str, Sequence[Difference]]) -> Iterator[Table]:
    holds, phrases = contained(comparison), words("compare")
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
         item.origin, phrases["given" if item.given else "not_given"], ", ".join(row["scenarios"]))
        for row in input_rows(comparison, inputs) for item in [row["difference"]]])


def _by_scenario(
    comparison: Comparison, name: str, columns: Sequence[Column],
    cells: Callable[[str], Sequence[Any]], *, baseline: bool = True,
    charted: Sequence[int] = (), **names: Any,
) -> Table:
    """Make a table with one row a policy, ranked, after the baseline if that has a row too."""
    scenarios = [*([comparison.baseline] if baseline else []), *chosen(comparison)]
    return _make(name, [_column("scenario"), *columns],
                 [[comparison.label(one), *cells(one)] for one in scenarios], charted, **names)


def _effects(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    return _ranges(comparison, pair, "effects", ("average", "implemented"), comparison.change,
                   mean_range, baseline=False)


def _turnover(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    return _ranges(comparison, pair, "turnover", ("level", "implemented_level"),
                   comparison.levels, median_range)


def _ranges(comparison: Comparison, pair: Pair, name: str, keys: Sequence[str],
            turnover: Callable[..., Array], shown: Callable[[Array, float], Range], *,
            baseline: bool = True) -> Iterator[Table]:
    """Turnover, or its change, by milestone and case: one table a count."""
    years = comparison.milestones
    columns = [_column(key, RANGE, year=year) for year in years for key in keys]

    def cells(count: str, scenario: str) -> list[Range]:
        return [shown(turnover("turnover", scenario, case, count=count, year=year), MILLION)
                for year in years for case in CASES]

    for count in comparison.counts:
        yield _by_scenario(comparison, name, columns, partial(cells, count), baseline=baseline,
                           charted=(len(columns) - 1, len(columns)), count=pair.name(count))


def _chances(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    indices = [comparison.years.index(year) for year in comparison.milestones]
    columns = [_column(key, SHARE, year=year) for year in comparison.milestones
               for key in ("chance", "chance_implemented")]

    def cells(count: str, name: str) -> list[float]:
        shares = [probability(comparison, name, case, count) for case in CASES]
        return [float(share[index]) for index in indices for share in shares]

    for count in comparison.counts:
        yield _by_scenario(comparison, "chances", columns, partial(cells, count),
                           charted=(len(columns) - 1, len(columns)), count=pair.name(count))


def _first_years(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    columns = [*(_column("year", SHARE, year=year) for year in comparison.years),
               _column("not_reached", SHARE, last=comparison.last), _column("median_year", YEAR)]

    def cells(case: str, name: str) -> list[float | None]:
        reached = first_year(comparison, name, case)
        some = reached[~np.isnan(reached)]
        return [*(float((reached == year).mean()) for year in comparison.years),
                float(np.isnan(reached).mean()), float(np.median(some)) if some.size else None]

    for case in CASES:
        yield _by_scenario(comparison, "first", columns, partial(cells, case),
                           case=words("compare")["cases"][case],
                           count=pair.name(comparison.target_count))


def _regret(comparison: Comparison, _: Pair) -> Iterator[Table]:
    columns = [_column(key, kind, criterion=words("compare")["criteria"][criterion])
               for criterion in CRITERIA for key, kind in (
                   ("best", SHARE), ("mean", MONEY), ("high", MONEY), ("worst", MONEY))]

    def cells(regrets: Sequence[Regret], name: str) -> list[float]:
        row = []
        for one in regrets:
            index = one.names.index(name)
            row += [float(one.chance[index]), *(float(values[index]) / MILLION for values in
                                                (one.mean, one.high, one.worst))]
        return row

    for case in CASES:
        regrets = [regret(comparison, criterion, case) for criterion in CRITERIA]
        yield _by_scenario(comparison, "regret", columns, partial(cells, regrets),
                           charted=(1, 1 + len(columns) // len(CRITERIA)),
                           last=comparison.last, case=words("compare")["cases"][case])


def heading(column: Column) -> str:
    """Heading of a column with the unit of its cells."""
    units = words("compare")["unit"]
    unit = units["share"] if column.kind == SHARE else units["money"]
    return column.heading if column.kind in (TEXT, YEAR) else str(
        words("compare")["heading"].format(title=column.heading, unit=unit))


def party(pair: Pair, code: str, importer: str) -> str:
    """Name of a party in one market: a supplier, or one of the accounts."""
    phrases = words("compare")
    if code in ACCOUNTS:
        return str(phrases["accounts"][code])
    return str(phrases["home"]) if code == importer else pair.name(code)


def _markets(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    last = comparison.last
    for importer in members(comparison):
        by_name = {name: gains(comparison, name, importer, IMPLEMENTED, last)
                   for name in chosen(comparison)}
        suppliers = [code for code in next(iter(by_name.values())) if code not in ACCOUNTS]
        for kind, codes in (("sales", suppliers), ("accounts", ACCOUNTS)):
            cells = {name: [mean_range(changes[code], MILLION) for code in codes]
                     for name, changes in by_name.items()}
            columns = [Column(party(pair, code, importer), RANGE) for code in codes]
            yield _by_scenario(comparison, kind, columns, cells.__getitem__,
                               baseline=False, charted=(len(columns),) * (kind == "accounts"),
                               importer=pair.name(importer), year=last)


def heat(comparison: Comparison, importer: str) -> Array:
    """Average change if implemented by scenario (ranked) and group, last year, USD million."""
    return np.array([comparison.change(
        "trade", name, IMPLEMENTED, count=comparison.count, year=comparison.last,
        importer=importer).mean(axis=0) for name in chosen(comparison)]) / MILLION


def _groups(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    columns = [Column(pair.name(str(group)), MONEY)
               for group in comparison.first["group"].to_numpy()]
    for importer in members(comparison):
        cells = {name: [float(value) for value in row] for name, row in zip(
            chosen(comparison), heat(comparison, importer), strict=True)}
        yield _by_scenario(
            comparison, "heat", columns, cells.__getitem__, baseline=False,
            year=comparison.last, importer=pair.name(importer),
            exporter=pair.name(pair.partner(importer)), count=pair.name(comparison.count))


def _shocks(comparison: Comparison, pair: Pair) -> Iterator[Table]:
    """Average change by year of each event, in the order given: one table a count."""
    columns = [_column("scenario"), *(_column("year", RANGE, year=year)
                                      for year in comparison.years)]
    for count in comparison.counts:
        rows = [[comparison.label(name), *(mean_range(change, MILLION) for change in (
            comparison.change("turnover", name, SCENARIO, count=count).T))]
            for name in comparison.events]
        yield _make("shocks", columns, rows, count=pair.name(count))
