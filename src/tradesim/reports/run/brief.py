"""The brief of a run: its question, the answer, one picture, one short table, what to bear in mind.

Everything else is the annex of the same page; words are in `templates/brief.j2`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tradesim.common.arrays import MILLION
from tradesim.inputs.levers import Lever
from tradesim.reports.claims import APPRAISAL, CHANCE, RISKY, Cell
from tradesim.reports.ranges import Change, median_range
from tradesim.reports.run.answers import answers
from tradesim.reports.run.growth import growth_facts
from tradesim.reports.run.tell import VISIBLE, Facts, largest, turnover
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import changed, interval, pretty, probability, words
from tradesim.simulation.summary import costly

ROWS = 6
"""Rows of the table."""

AHEAD = 1.5
"""A target this many times as large as the last statistics is held against other trades."""

PRODUCTS = 2
"""Products whose home producers have a row."""

LEFT_OUT = 2
"""Things left out that the brief names."""

PERCENT = 100.0

NEW = "new_goods"
"""Setting of levers that let goods arrive which are not traded today."""

LEAST = 1e-3
"""A change by less than this share of a level is no row, unless it is asked about."""

ASKED = {"treasury": ["tariff_revenue"], "suppliers": ["imports"],
         "producers": ["home_output", "product_home_output"],
         "products": ["product_home_output"],
         "services": ["services"], "trade": ["turnover"], "course": ["turnover"],
         "target": [CHANCE], "food": ["self_sufficiency"]}
"""Variables of the rows that belong to an answer."""

WHERE = {"trade": "numbers", "directions": "flows", "target": "numbers", "level": "numbers",
         "reached": "numbers", "course": "numbers", "buyers": "gains", "treasury": "revenue",
         "suppliers": "flows", "producers": "flows", "products": "products",
         "food": "food", "corridor": "dependence",
         "project": "numbers", "worth": "benefit", "services": "services", "markets": "dependence"}
"""Part of the annex that supports an answer."""


def brief(view: ResultsView, levers: Sequence[Lever], trust: Mapping[str, Any],
          outside: dict[str, Any] | None = None) -> Facts:
    """Give what the brief says, but for its picture.

    Parameters
    ----------
    levers
        Those that the scenario pulls.
    trust
        What `reliability` gives.
    outside
        What `outside_facts` gives.

    Returns
    -------
    dict
        ``answers`` (facts by kind), ``where`` (anchors by kind), ``table``, ``growth``, ``trust``,
        ``left_out`` and what the sentences choose by.
    """
    asked = view.scenario.get("answers") or ["trade" if view.changes else "level", "target"]
    given = answers(view, asked, levers)
    grades = [setting.grade for lever in levers for setting in lever.settings.values()]
    return {"answers": given, "where": WHERE, "table": table(view, given),
            "growth": _growth(view), "record": trust["record"],
            "outside": outside if outside and "pairs" in outside else None,
            "aims": bool({"target", "level", "reached", "project"} & set(given)) and (
                view.target > AHEAD * float(view.reported(view.pair.target_count)[-1].sum())),
            "judged": sum(grade == "C" for grade in grades), "settings": len(grades),
            "left_out": [_plain(text) for text in view.scenario["not_modelled"][:LEFT_OUT]],
            "no_new": not _brings_goods(view, levers), "nature": view.nature,
            "changes": view.changes, "point": view.point, "draws": view.draw_count,
            "last": view.last, "now": view.history.years[-1], "idle": None}


def _plain(text: str) -> str:
    """Cut the afterthought and the names of other scenarios from a thing left out."""
    return re.sub(r"\s*\(see [^)]*\)", "", text.split(";")[0])


def _brings_goods(view: ResultsView, levers: Sequence[Lever]) -> bool:
    """Whether goods arrive that are not traded today: by projects, or by a setting of a lever."""
    return (any(lever.family == "project" for lever in levers)
            or any(given.get(NEW) for given in view.scenario["levers"].values()))


def _growth(view: ResultsView) -> Facts:
    """Growth that the run assumes, and turnover on the path that differs most from it."""
    facts = growth_facts(view)
    paths = facts["paths"]
    chosen = next(name for name, path in paths.items() if path["chosen"])
    other = max((name for name in paths if name != chosen),
                key=lambda name: abs(paths[name]["value"][0] - paths[chosen]["value"][0]),
                default=None)
    effect = view.value(turnover(view)) / MILLION if view.changes else 0.0
    apart = abs(paths[other]["value"][0] - paths[chosen]["value"][0]) if other else 0.0
    return {"rates": [(view.pair.name(code), rate) for code, rate in
                      zip(view.pair.importers, facts["rates"][chosen], strict=True)],
            "path": paths[chosen]["title"], "value": [paths[chosen]["value"][0]],
            "rival": paths[other]["title"] if other else None,
            "rival_value": [paths[other]["value"][0]] if other else None,
            "count": view.pair.name(view.pair.target_count), "last": view.last,
            "changes": view.changes, "more": view.changes and apart > abs(effect)}


def table(view: ResultsView, given: Mapping[str, Facts]) -> dict[str, Any]:
    """Table of at most `ROWS` rows: without the scenario, and what it changes."""
    if not view.changes:
        return _by_growth(view)
    phrases = words()["brief"]
    year, asked = view.moment, {row for name in given for row in ASKED.get(name, ())}
    rows = [row for cell, label in _cells(view, given, year)
            if (row := _row(view, cell, label, least=0.0 if cell.variable in asked else LEAST))]
    case, form = phrases["cases"][view.nature], "_point" if view.point else ""
    columns = [phrases["columns"]["item"], phrases["columns"][f"before{form}"], case["change"]]
    if view.point or all(row[3] == row[4] for row in rows):
        rows = [row[:3] for row in rows]
    else:
        rows = [row[:3] + row[4:] for row in rows]
        columns.append(case["risky"])
    return {"title": phrases[f"table{form}"].format(year=year), "columns": columns,
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
    food = [Cell("self_sufficiency", year, importer=importer, group=name)
            for importer, name in view.followed(food=True) if "food" in given]
    yield from ((cell, labels["food"].format(product=pair.name(cell.group)))
                for cell in sorted(food, key=lambda cell: -abs(view.value(cell))))
    most = largest(view, [Cell("tariff_revenue", year, importer=code) for code in pair.importers])
    yield most, labels["treasury"].format(country=pair.name(most.importer))
    yield from _producers(view, year)
    rival = largest(view, [Cell("imports", year, importer=importer, exporter=code)
                           for importer in pair.importers for code in view.exporters
                           if code not in (importer, pair.partner(importer))])
    yield rival, labels["suppliers"].format(supplier=pair.name(rival.exporter),
                                            market=pair.name(rival.importer))
    if costly(view.dataset):
        yield (Cell(APPRAISAL, view.last, group="cost"), labels["cost"])
        if "worth" in given:
            yield (Cell(APPRAISAL, view.last, group="joint"), labels["worth"])
    yield from ((Cell("welfare", year, importer=code), labels["gain"].format(
        country=pair.name(code))) for code in pair.importers)


def _producers(view: ResultsView, year: int) -> Iterator[tuple[Cell, str]]:
    """Rows of home producers: of the products that change most, or of all goods of a country."""
    labels, pair = words()["brief"]["rows"], view.pair
    def part(cell: Cell) -> float:
        before = view.value(replace(cell, case="reference"))
        return abs(view.value(cell)) / before if abs(view.value(cell)) >= VISIBLE else 0.0

    made = sorted((Cell("product_home_output", year, importer=importer, group=name)
                   for importer, name in view.followed()), key=lambda cell: -part(cell))
    for cell in made[:PRODUCTS]:
        yield cell, labels["product"].format(product=pair.name(cell.group),
                                             country=pair.name(cell.importer))
    if not made:
        home = largest(view, [Cell("home_output", year, importer=code) for code in pair.importers])
        yield home, labels["producers"].format(country=pair.name(home.importer))


def _row(view: ResultsView, cell: Cell, label: str, least: float) -> list[str] | None:
    """Label, level before, change if implemented, its average, and the average with its risks.

    None where the change would be printed as nothing, or is less than the part `least` of the
    level.
    """
    shared = cell.variable in (CHANCE, "self_sufficiency")
    unit = 1.0 / PERCENT if shared else MILLION
    sure, risky = view.values(cell) / unit, view.values(replace(cell, case=RISKY)) / unit
    average, counted = pretty(float(sure.mean())), pretty(float(risky.mean()))
    if abs(sure.mean()) < (0.05 if shared else VISIBLE / MILLION):
        return None
    if cell.variable in (APPRAISAL, "welfare"):
        return [label, "", changed(Change.of(sure), "short"), average, counted]
    before = view.values(replace(cell, case="reference")) / unit
    if abs(sure.mean()) < least * before.mean():
        return None
    if cell.variable == CHANCE:
        average, counted = (signed(round(float((before + values).mean()))
                                   - round(float(before.mean()))) for values in (sure, risky))
        return [label, probability(float(before.mean() / PERCENT), "short"), average, average,
                counted]
    return [label, pretty(median_range(before)[0]), changed(Change.of(sure), "short"), average,
            counted]


def signed(points: float) -> str:
    """Write whole percentage points with their sign."""
    whole = round(points)
    return f"+{whole}" if whole > 0 else pretty(float(whole), places=0)


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
