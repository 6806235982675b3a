"""Answers on trade between the two: how much, in which direction, on which way, to whom.

Each is a function from the results of a run to facts, or None where there is nothing true to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.inputs.levers import Lever
from tradesim.reports.claims import CHANCE, RISKY, Cell, Claim, Told
from tradesim.reports.language import title
from tradesim.reports.ranges import SKEW
from tradesim.reports.run.tell import (
    POINT,
    VISIBLE,
    Facts,
    chance,
    goods_name,
    largest,
    rises,
    share,
    share_of,
    size,
    turnover,
    usd,
)
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import money, percent, pretty

HARDLY = 0.01
"""An effect below this share of the reference hardly matters, whatever its sign."""

MINOR = 0.05
"""A flow below this share of turnover is called small."""

UNSURE = 0.5
"""With its risks counted, less than this part of an effect is left: a sentence must say so."""


def trade(view: ResultsView) -> Facts | None:
    """How much turnover changes, with its median where that is far from the average."""
    if not view.changes:
        return None
    cell = turnover(view)
    before = replace(cell, case="reference")
    low, middle, high = (replace(cell, statistic=name) for name in ("p10", "p50", "p90"))
    up, claim = rises(view, cell)
    part = abs(view.value(cell)) / view.value(before)
    unclear = view.value(low) < -VISIBLE and view.value(high) > VISIBLE
    skewed = (abs(view.value(middle) - view.value(cell)) > SKEW * abs(view.value(cell))
              and (view.value(middle) > 0.0) == up and abs(view.value(middle)) > VISIBLE)
    claims = [claim, Claim("smaller" if part < HARDLY else "larger", (cell, before), HARDLY)]
    risky = replace(cell, case=RISKY)
    sign = 1 if up else -1
    risk = (sign * view.value(risky) < UNSURE * abs(view.value(cell)) and not unclear
            and not view.point)
    if risk:
        claims.append(Claim("below", (risky, cell), UNSURE, sign))
    if unclear:
        claims += [Claim("below", (low,)), Claim("above", (high,))]
    return {"up": up, "hardly": part < HARDLY, "unclear": unclear, "skewed": skewed,
            "point": view.point, "nature": view.nature,
            "count": view.pair.name(view.count), "year": view.last,
            "size": size(view, cell), "base": usd(view, before),
            "percent": share_of(view, cell, before, 1 if up else -1),
            "risk": risk and part >= HARDLY, "counted": usd(view, risky, sign=sign),
            "middle": size(view, middle), "low": usd(view, low), "high": usd(view, high),
            "stretched": _stretched(view) if part < HARDLY and view.nature == "policy" and up
            else None, "claims": claims}


def _stretched(view: ResultsView) -> Facts | None:
    """Name the flow that changes most, where it is small and the model can only stretch it."""
    cells = [cell for importer in view.pair.importers for cell in _goods(view, importer)]
    most = largest(view, cells)
    before = replace(most, case="reference", statistic="p50")
    whole = Cell("turnover", view.last, "reference", "p50", view.count)
    if (abs(view.value(most)) < VISIBLE or view.value(before) > MINOR * view.value(whole)
            or view.change("project_trade", "if_implemented", year=view.last).any()):
        return None
    return {"group": goods_name(view, most.group), **view.flow(most.importer),
            "before": usd(view, before),
            "claims": [Claim("most", (most, *cells)), Claim("smaller", (before, whole), MINOR)]}


def _goods(view: ResultsView, importer: str, year: int | None = None) -> list[Cell]:
    return [Cell("trade", year or view.last, count=view.count, importer=importer,
                 exporter=view.pair.partner(importer), group=group) for group in view.groups]


def directions(view: ResultsView) -> Facts | None:
    """Say what each of the two sells the other more or less."""
    rows: list[Facts] = []
    for importer in view.pair.importers:
        cell = Cell("trade", view.last, count=view.count, importer=importer,
                    exporter=view.pair.partner(importer))
        up, claim = rises(view, cell)
        if abs(view.value(cell)) >= VISIBLE:
            rows.append(view.flow(importer) | {"up": up, "size": size(view, cell),
                                               "cell": abs(view.value(cell)), "claims": [claim]})
    rows.sort(key=lambda row: -row["cell"])
    return {"flows": rows} if rows else None


def target(view: ResultsView) -> Facts | None:
    """Give the probability of the target without and with the scenario, its risks counted."""
    if view.point:
        return None
    cell = Cell(CHANCE, view.last, "reference", count=view.pair.target_count)
    facts: Facts = {"count": view.pair.name(cell.count), "year": view.last,
                    "target": Told(_goal(view)), "before": chance(view, cell)}
    if not view.changes:
        others = [{"count": view.pair.name(count), "chance": chance(view, replace(
            cell, count=count))} for count in view.counts if count != cell.count]
        return facts | {"same": None, "others": others}
    after, sure = (replace(cell, case=case) for case in ("scenario", "if_implemented"))
    facts |= {"after": chance(view, after), "all": None}
    same = str(facts["after"]) == str(facts["before"])
    up = view.value(after) > view.value(cell)
    claims = [] if same else [Claim("above" if up else "below", (after, cell), 1.0)]
    certain = chance(view, sure)
    if view.nature == "policy" and up and not same and str(certain) != str(facts["after"]):
        facts["all"] = certain
        claims.append(Claim("above", (sure, cell), 1.0))
    return facts | {"same": same, "up": up, "claims": claims}


def _goal(view: ResultsView) -> str:
    return money([view.target])


def level(view: ResultsView) -> Facts | None:
    """Turnover of the last year without policy, on every count, from the last statistics."""
    rows = []
    for count in view.counts:
        cell = Cell("turnover", view.last, "reference", "p50", count)
        rows.append({"count": view.pair.name(count),
                     "now": Told(money([float(view.reported(count)[-1].sum())])),
                     "middle": usd(view, cell), "low": usd(view, replace(cell, statistic="p10")),
                     "high": usd(view, replace(cell, statistic="p90"))})
    return {"first": rows[0], "others": rows[1:], "last": view.history.years[-1],
            "year": view.last, "point": view.point}


def reached(view: ResultsView) -> Facts | None:
    """Whether statistics have reached the target, by count, and whether they still do."""
    rows = []
    for count in view.counts:
        values = view.reported(count).sum(axis=1)
        over = [year for year, value in zip(view.history.years, values, strict=True)
                if value >= view.target]
        best = int(np.nanargmax(values))
        rows.append({
            "count": view.pair.name(count), "first": over[0] if over else None,
            "still": bool(values[-1] >= view.target),
            "now": Told(money([float(values[-1])])),
            "best": Told(money([float(values[best])])),
            "best_year": view.history.years[best]})
    return {"counts": rows, "last": view.history.years[-1], "target": Told(_goal(view))}


def course(view: ResultsView) -> Facts | None:
    """Give the year in which turnover changes most, and when half of it is over."""
    if not view.changes:
        return None
    by_year = [turnover(view, year) for year in view.years]
    peak = largest(view, by_year)
    up, claim = rises(view, peak)
    sign = 1 if up else -1
    top = sign * view.value(peak)
    later = [cell for cell in by_year if cell.year > peak.year]
    over = next((cell for cell in later if sign * view.value(cell) <= top / 2), None)
    before = replace(peak, case="reference")
    claims = [claim, Claim("most", (peak, *by_year))]
    if over is not None:
        claims += [Claim("below", (over, peak), 0.5, sign),
                   *(Claim("above", (cell, peak), 0.5, sign)
                     for cell in later if cell.year < over.year)]
    left = by_year[-1]
    return {"up": up, "peak": peak.year, "size": size(view, peak),
            "percent": share_of(view, peak, before, sign), "nature": view.nature,
            "half": over.year if over is not None else None, "last": view.last,
            "ends": peak.year == view.last, "same": sign * view.value(left) > 0.0,
            "left": size(view, left), "sum": size(view, *by_year), "first": view.years[0],
            "count": view.pair.name(view.count), "claims": claims}


def project(view: ResultsView) -> Facts | None:
    """How many times what a scenario assumes would lift the median to the target."""
    cell = turnover(view)
    median = replace(cell, case="reference", statistic="p50")
    if view.value(cell) < VISIBLE:
        return None
    goal = MILLION * view.target
    gap = goal - view.value(median)
    needed = gap / view.value(cell)
    facts: Facts = {"target": Told(_goal(view)), "year": view.last, "size": usd(view, cell),
                    "median": usd(view, median), "reached": gap <= 0.0}
    if gap <= 0.0:
        return facts | {"claims": [Claim("above", (median,), goal)]}
    times = Told(pretty(needed, 2 if needed < 100.0 else 3), (median,), (cell,), -1, goal)
    return facts | {"times": times, "enough": needed <= 1.0, "needed": needed,
                    "amount": None, "part": None, "claims": [Claim("below", (median,), goal)]}


def amount(view: ResultsView, levers: Sequence[Lever], facts: Facts) -> Facts:
    """Amount of a single project that the target takes: part of its output, or its quantity."""
    if facts["reached"] or len(levers) != 1:
        return {}
    lever, = levers
    given, needed = view.scenario["levers"][lever.name], facts["needed"]
    part = given.get("partner_share", 1.0) * needed
    if "partner_share" in given and part <= 1.0:
        return {"part": Told(percent([100.0 * part]))}
    if "quantity" not in given:
        return {}
    unit = title(lever.settings["quantity"].unit)
    return {"amount": Told(f"{pretty(given['quantity'] * part, 2)} {unit}")}


def corridor(view: ResultsView) -> Facts | None:
    """Share of the larger flow that crosses the corridor."""
    year = view.moment
    cells = [Cell("corridor_share", year, importer=code) for code in view.pair.importers]
    larger = max(cells, key=lambda cell: float(view.draws(
        "trade", "reference", count=view.count, year=year, importer=cell.importer).mean()))
    same = not view.changes or abs(view.value(larger)) < POINT
    before = replace(larger, case="reference", statistic="p50")
    facts: Facts = view.flow(larger.importer) | {
        "corridor": view.pair.corridor.title, "year": year, "before": share(view, before),
        "same": same}
    if same:
        return facts
    after = replace(before, case="if_implemented")
    up = view.value(after) > view.value(before)
    return facts | {"up": up, "after": share(view, after), "claims": [
        Claim("above" if up else "below", (after, before), 1.0)]}


def markets(view: ResultsView) -> Facts | None:
    """Share of the largest buyer in the exports of both countries."""
    if "export_share" not in view.dataset:
        return None

    def cell(seller: str, market: str, case: str = "reference") -> Cell:
        return Cell("export_share", view.last, case, "p50", exporter=seller, importer=market)

    first = view.pair.importers[0]
    buyer = max((code for code in view.exporters if code != first),
                key=lambda code: view.value(cell(first, code)))
    rivals = [cell(first, code) for code in view.exporters if code not in (first, buyer)]
    rows = []
    for seller in view.pair.importers:
        before = share(view, cell(seller, buyer))
        after = share(view, cell(seller, buyer, "if_implemented")) if view.changes else before
        rows.append({"seller": view.pair.name(seller), "before": before, "after": after,
                     "same": str(before) == str(after)})
    return {"buyer": view.pair.name(buyer), "sellers": rows, "year": view.last,
            "changes": view.changes,
            "claims": [Claim("above", (cell(first, buyer), rival), 1.0) for rival in rivals]}
