"""The brief of a run: its question, the answer, one picture, one short table, what to bear in mind.

Everything else is the annex of the same page; words are in `templates/brief.j2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tradesim.common.arrays import MILLION
from tradesim.inputs.levers import Lever
from tradesim.reports.claims import APPRAISAL, CHANCE, RISKY, Cell, found
from tradesim.reports.ranges import Change, median_range
from tradesim.reports.run.answers import Facts, answers, largest
from tradesim.reports.run.growth import growth_facts
from tradesim.reports.run.reliability import GROWTH, LEVERS
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import changed, interval, pretty, probability, words
from tradesim.simulation.summary import costly

ROWS = 6
"""Rows of the table."""

LEFT_OUT = 3
"""Things left out that the brief names."""

PERCENT = 100.0

WHERE = {"trade": "numbers", "directions": "flows", "target": "numbers", "level": "numbers",
         "reached": "numbers", "course": "numbers", "buyers": "gains", "treasury": "revenue",
         "suppliers": "flows", "producers": "flows", "food": "food", "corridor": "dependence",
         "project": "numbers", "worth": "benefit", "services": "services", "markets": "dependence"}
"""Part of the annex that supports an answer."""


def brief(view: ResultsView, levers: Sequence[Lever], trust: Mapping[str, Any]) -> Facts:
    """Give what the brief says, but for its picture.

    Parameters
    ----------
    levers
        Those that the scenario pulls.
    trust
        What `reliability` gives.

    Returns
    -------
    dict
        ``answers`` (facts by kind), ``where`` (anchors by kind), ``table``, ``growth``, ``trust``,
        ``left_out`` and what the sentences choose by.
    """
    given = answers(view, view.scenario.get("answers") or ["level" if not view.changes else
                                                           "trade", "target"])
    graded = [setting.grade for lever in levers for setting in lever.settings.values()]
    return {"answers": given, "where": WHERE, "table": table(view, given),
            "growth": _growth(view, trust), "record": trust["record"],
            "judged": sum(grade == "C" for grade in graded), "settings": len(graded),
            "left_out": view.scenario["not_modelled"][:LEFT_OUT], "nature": view.nature,
            "changes": view.changes, "point": view.point, "draws": view.draw_count,
            "pulls": bool(levers), "last": view.last}


def claims_of(facts: Facts) -> list[Any]:
    """Every number and claim of the answers of a brief."""
    return list(found(facts["answers"]))


def _growth(view: ResultsView, trust: Mapping[str, Any]) -> Facts:
    """Growth that the run assumes, and turnover on the path that differs most from it."""
    facts = growth_facts(view)
    paths = facts["paths"]
    chosen = next(name for name, path in paths.items() if path["chosen"])
    other = max((name for name in paths if name != chosen),
                key=lambda name: abs(paths[name]["value"][0] - paths[chosen]["value"][0]),
                default=None)
    shares = trust["shares"]
    return {"rates": [(view.pair.name(code), rate) for code, rate in
                      zip(view.pair.importers, facts["rates"][chosen], strict=True)],
            "path": paths[chosen]["title"], "value": [paths[chosen]["value"][0]],
            "other": paths[other]["title"] if other else None,
            "other_value": [paths[other]["value"][0]] if other else None,
            "count": view.pair.name(view.pair.target_count), "last": view.last,
            "more": bool(view.changes and shares and shares[GROWTH] > shares[LEVERS])}


def table(view: ResultsView, given: Mapping[str, Facts]) -> dict[str, Any]:
    """Table of at most `ROWS` rows: without the scenario, and what it changes."""
    if not view.changes:
        return _by_growth(view)
    phrases = words()["brief"]
    year = given["course"]["peak"] if view.nature == "shock" and "course" in given else view.last
    rows = [row for cell, label in _cells(view, given, year) if (row := _row(view, cell, label))]
    case = phrases["cases"][view.nature]
    columns = [phrases["columns"]["item"], phrases["columns"]["before"], case["change"]]
    if view.point or all(row[3] == row[4] for row in rows):
        rows = [row[:3] for row in rows]
    else:
        rows = [row[:3] + row[4:] for row in rows]
        columns.append(case["risky"])
    return {"title": phrases["table"].format(year=year), "columns": columns,
            "rows": rows[:ROWS], "total": False}


def _cells(view: ResultsView, given: Mapping[str, Facts], year: int) -> Iterator[tuple[Cell, str]]:
    """Rows that the table may have, the most important first, with their labels."""
    labels, pair = words()["brief"]["rows"], view.pair
    yield (Cell("turnover", year, count=view.count),
           labels["trade"].format(count=pair.name(view.count)))
    if not view.point:
        yield (Cell(CHANCE, view.last, count=pair.target_count),
               labels["target"].format(target=pretty(view.target), year=view.last))
    if "services" in given:
        yield from ((Cell("services", year, exporter=code, group="tourism"),
                     labels["services"].format(country=pair.name(code)))
                    for code in pair.importers)
    for name in map(str, view.dataset["product"].to_numpy()) if "food" in given else ():
        yield (Cell("self_sufficiency", year, importer=pair.products[name].country, group=name),
               labels["food"].format(product=pair.name(name)))
    most = largest(view, [Cell("tariff_revenue", year, importer=code) for code in pair.importers])
    yield most, labels["treasury"].format(country=pair.name(most.importer))
    home = largest(view, [Cell("home_output", year, importer=code) for code in pair.importers])
    yield home, labels["producers"].format(country=pair.name(home.importer))
    rival = largest(view, [Cell("imports", year, importer=importer, exporter=code)
                           for importer in pair.importers for code in view.exporters
                           if code not in (importer, pair.partner(importer))])
    yield rival, labels["suppliers"].format(supplier=pair.name(rival.exporter),
                                            market=pair.name(rival.importer))
    if costly(view.dataset):
        yield (Cell(APPRAISAL, view.last, group="cost"), labels["cost"])
    yield from ((Cell("welfare", year, importer=code), labels["gain"].format(
        country=pair.name(code))) for code in pair.importers)


def _row(view: ResultsView, cell: Cell, label: str) -> list[str] | None:
    """Label, level before, change if implemented, its average, and the average with its risks.

    None where the change would be printed as nothing.
    """
    shared = cell.variable in (CHANCE, "self_sufficiency")
    unit = 1.0 / PERCENT if shared else MILLION
    sure, risky = view.values(cell) / unit, view.values(replace(cell, case=RISKY)) / unit
    if abs(sure.mean()) < (0.05 if shared else 0.01):
        return None
    average, counted = pretty(float(sure.mean())), pretty(float(risky.mean()))
    if cell.variable in (APPRAISAL, "welfare"):
        return [label, "", changed(Change.of(sure), "short"), average, counted]
    before = view.values(replace(cell, case="reference")) / unit
    if cell.variable == CHANCE:
        points = words()["brief"]["points"]
        average, counted = (points.format(value=f"{mean:+.0f}".replace("-", "−"))
                            for mean in (sure.mean(), risky.mean()))
        return [label, probability(float(before.mean() / PERCENT), "short"), average, average,
                counted]
    return [label, pretty(median_range(before)[0]), changed(Change.of(sure), "short"), average,
            counted]


def _by_growth(view: ResultsView) -> dict[str, Any]:
    """Table of a run without a change: turnover by the growth of both economies."""
    phrases, facts = words()["brief"], growth_facts(view)
    rows = []
    for name, path in facts["paths"].items():
        value = path["value"]
        rows.append([path["title"], *(f"{rate} %" for rate in facts["rates"][name]),
                     pretty(value[0]) if view.point else interval(value),
                     *([] if view.point else [probability(path["chance"], "short")])])
    columns = [phrases["growth"]["path"],
               *(phrases["growth"]["rate"].format(country=view.pair.name(code))
                 for code in view.pair.importers), phrases["growth"]["turnover"],
               *([] if view.point else [phrases["growth"]["chance"]])]
    return {"title": phrases["growth"]["title"].format(
        year=view.last, count=view.pair.name(view.pair.target_count)),
        "columns": columns, "rows": rows, "total": False}
