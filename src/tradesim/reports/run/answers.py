"""Answers of a run to what its scenario asks: each a function from results to facts.

Facts are words and numbers for one template of `templates/answers`, with the claims that its
sentences make; a function gives None where there is nothing true to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.economy.services import VISITS
from tradesim.reports.claims import APPRAISAL, CHANCE, Cell, Claim, Told
from tradesim.reports.ranges import SKEW
from tradesim.reports.run.tell import chance, points, share, share_of, size, usd
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import lower_first, money, pretty
from tradesim.simulation.summary import benefit_cost_ratio, costly, present_values

Facts = dict[str, Any]

HARDLY = 0.01
"""An effect below this share of the reference hardly matters, whatever its sign."""

VISIBLE = 5e4
"""Amounts (USD) below this are not worth a sentence."""

POINT = 5e-4
"""Changes of a share below this would be printed as none."""

LISTED = 5
"""Products named beside the one that changes most."""

MINOR = 0.05
"""A flow below this share of turnover is called small."""

MAIN_PART = 0.3
"""A group of goods is named where it has at least this part of a change."""


def turnover(view: ResultsView, year: int | None = None) -> Cell:
    """Change of turnover in the last year or another, if implemented, on the headline count."""
    return Cell("turnover", year or view.last, count=view.count)


def moment(view: ResultsView) -> int:
    """Year that answers are about: the last, or that in which a shock moves turnover most."""
    if view.nature == "shock" and view.changes:
        return largest(view, [turnover(view, year) for year in view.years]).year
    return view.last


def largest(view: ResultsView, cells: Iterable[Cell]) -> Cell:
    """Cell with the largest number, whatever its sign."""
    return max(cells, key=lambda cell: abs(view.value(cell)))


def rises(view: ResultsView, cell: Cell) -> tuple[bool, Claim]:
    """Whether a number is above zero, and the claim that says so."""
    up = view.value(cell) > 0.0
    return up, Claim("above" if up else "below", (cell,))


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
    if unclear:
        claims += [Claim("below", (low,)), Claim("above", (high,))]
    return {"up": up, "hardly": part < HARDLY, "unclear": unclear, "skewed": skewed,
            "count": view.pair.name(view.count), "year": view.last, "nature": view.nature,
            "size": size(view, cell), "percent": share_of(view, cell, before, 1 if up else -1),
            "middle": size(view, middle), "low": usd(view, low), "high": usd(view, high),
            "stretched": _stretched(view) if part < HARDLY else None, "claims": claims}


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


def goods_name(view: ResultsView, group: str) -> str:
    """Name of a group of goods inside a sentence."""
    return lower_first(view.pair.name(group))


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
    after = replace(cell, case="scenario")
    facts["after"] = chance(view, after)
    same = str(facts["after"]) == str(facts["before"])
    up = view.value(after) > view.value(cell)
    return facts | {"same": same, "up": up, "claims": [] if same else [
        Claim("above" if up else "below", (after, cell), 1.0)]}


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


def buyers(view: ResultsView) -> Facts | None:
    """Say what buyers of one market gain or lose in the year in which it is most."""
    return _at_worst(view, "consumer_surplus")


def producers(view: ResultsView) -> Facts | None:
    """Sales at home of producers of one market in the year in which they change most."""
    found = _at_worst(view, "home_output")
    if found is None:
        return None
    cell: Cell = found["cell"]
    before = replace(cell, case="reference")
    groups = [replace(cell, group=group) for group in view.groups]
    most = largest(view, groups)
    found["claims"].append(Claim("most", (most, *groups)))
    return found | {"percent": share_of(view, cell, before, 1 if found["up"] else -1),
                    "group": goods_name(view, most.group), "part": size(view, most),
                    "part_up": view.value(most) > 0.0}


def _at_worst(view: ResultsView, variable: str) -> Facts | None:
    if variable not in view.dataset or not view.changes:
        return None
    years = view.years if view.nature == "shock" else [view.last]
    cells = [Cell(variable, year, importer=importer)
             for importer in view.pair.importers for year in years]
    worst = largest(view, cells)
    if abs(view.value(worst)) < VISIBLE:
        return None
    up, claim = rises(view, worst)
    return {"country": view.pair.name(worst.importer), "year": worst.year, "up": up,
            "size": size(view, worst), "cell": worst, "several": len(years) > 1,
            "claims": [claim, Claim("most", (worst, *cells))]}


def treasury(view: ResultsView) -> Facts | None:
    """Border revenue of the country where it changes most, and the goods that it comes from."""
    if not view.changes:
        return None
    cells = [Cell("tariff_revenue", view.last, importer=code) for code in view.pair.importers]
    most = largest(view, cells)
    if abs(view.value(most)) < VISIBLE:
        return {"none": True, "claims": [Claim("least", (cell,)) for cell in cells]}
    up, claim = rises(view, most)
    groups = [replace(most, variable="tariff_revenue_by_group", group=group)
              for group in view.groups]
    goods = largest(view, groups)
    part = view.value(goods) / view.value(most)
    named = part >= MAIN_PART
    claims = [claim, Claim("most", (most, *cells))]
    before = replace(most, case="reference", statistic="p50")
    return {"none": False, "up": up, "country": view.pair.name(most.importer), "year": view.last,
            "size": size(view, most), "before": usd(view, before),
            "goods": goods_name(view, goods.group) if named else None,
            "part": size(view, goods) if named else None,
            "claims": [*claims, Claim("most", (goods, *groups))] if named else claims}


def suppliers(view: ResultsView) -> Facts | None:
    """Who gains and who loses most in the market whose foreign suppliers' sales change most."""
    if not view.changes:
        return None
    markets = {importer: [Cell("imports", view.last, importer=importer, exporter=code)
                          for code in view.exporters] for importer in view.pair.importers}

    def moved(importer: str) -> float:
        return sum(abs(view.value(cell)) for cell in markets[importer])

    importer = max(markets, key=moved)
    cells = markets[importer]
    gains, loses = (pick(cells, key=view.value) for pick in (max, min))
    partner = next(cell for cell in cells if cell.exporter == view.pair.partner(importer))
    if view.value(gains) < VISIBLE:
        return None
    lost = view.value(loses) < -VISIBLE
    order = [Claim("above", (gains, cell), 1.0) for cell in cells if cell != gains]
    if lost:
        order += [Claim("below", (loses, cell), 1.0) for cell in cells if cell != loses]
    up, claim = rises(view, partner)
    return {"market": view.pair.name(importer), "year": view.last,
            "winner": view.supplier(gains.exporter, importer), "gain": size(view, gains),
            "loser": view.supplier(loses.exporter, importer) if lost else None,
            "loss": size(view, loses), "is_partner": partner == gains,
            "partner": view.pair.name(partner.exporter), "sold": size(view, partner), "up": up,
            "home": gains.exporter == importer, "loses_home": loses.exporter == importer,
            "claims": [*order, claim]}


def food(view: ResultsView) -> Facts | None:
    """How the shares of food made at home change, the largest change first."""
    products = view.followed(food=True)
    if not view.changes or not products:
        return None
    cells = sorted((Cell("self_sufficiency", view.last, group=name, importer=importer)
                    for importer, name in products),
                   key=lambda cell: -abs(view.value(cell)))
    most = cells[0]
    others = [cell for cell in cells[1:] if cell.importer == most.importer][:LISTED]
    if abs(view.value(most)) < POINT:
        return {"none": True, "claims": [Claim("least", (cell,)) for cell in cells]}
    up, claim = rises(view, most)
    moved = [points(view, cell) for cell in others]
    return {"none": False, "up": up, "product": lower_first(view.pair.name(most.group)),
            "year": view.last,
            "country": view.pair.name(most.importer),
            "before": share(view, replace(most, case="reference", statistic="p50")),
            "after": share(view, replace(most, case="if_implemented", statistic="p50")),
            "points": points(view, most),
            "listed": "; ".join(f"{lower_first(view.pair.name(cell.group))} {told}"
                                for cell, told in zip(others, moved, strict=True)),
            "moved": moved, "claims": [claim, Claim("most", tuple(cells))]}


def corridor(view: ResultsView) -> Facts | None:
    """Share of one direction's goods that crosses the corridor, where it changes most."""
    year = moment(view)
    cells = [Cell("corridor_share", year, importer=code) for code in view.pair.importers]
    most = largest(view, cells) if view.changes else cells[0]
    same = not view.changes or abs(view.value(most)) < POINT
    if same:  # the larger flow
        most = max(cells, key=lambda cell: float(view.draws(
            "trade", "reference", count=view.count, year=year, importer=cell.importer).mean()))
    before = replace(most, case="reference", statistic="p50")
    facts: Facts = view.flow(most.importer) | {
        "corridor": view.pair.corridor.title, "year": year, "before": share(view, before),
        "same": same}
    if same:
        return facts
    after = replace(before, case="if_implemented")
    up = view.value(after) > view.value(before)
    return facts | {"up": up, "after": share(view, after), "claims": [
        Claim("above" if up else "below", (after, before), 1.0), Claim("most", (most, *cells))]}


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
    return facts | {"times": times, "enough": needed <= 1.0,
                    "claims": [Claim("below", (median,), goal)]}


def worth(view: ResultsView) -> Facts | None:
    """Hold what is built costs over its life against what it brings."""
    if not view.changes or not costly(view.dataset):
        return None
    attrs = view.dataset["appraisal"].attrs
    end = int(attrs["last_year"])
    cost, gain = (Cell(APPRAISAL, end, group=item) for item in ("cost", "joint"))
    if view.value(cost) < VISIBLE:
        return None
    ratio = benefit_cost_ratio(present_values(view.dataset, "if_implemented"))
    return {"cost": usd(view, cost), "gain": usd(view, gain), "end": end, "pays": ratio > 1.0,
            "year": int(attrs["first_year"]),
            "rate": Told(f"{100 * float(view.dataset.attrs['discount_rate']):g} %"),
            "claims": [Claim("above" if ratio > 1.0 else "below", (gain, cost), 1.0)]}


def services(view: ResultsView) -> Facts | None:
    """Say what visitors spend in each country, an account beside goods."""
    if not view.changes or VISITS not in view.dataset["service"].to_numpy():
        return None
    rows = []
    for country in view.pair.importers:
        cell = Cell("services", view.last, exporter=country, group=VISITS)
        if view.value(cell) > VISIBLE:
            rows.append({"country": view.pair.name(country), "size": usd(view, cell),
                         "before": usd(view, replace(cell, case="reference", statistic="p50")),
                         "claims": [Claim("above", (cell,))]})
    return {"countries": rows, "year": view.last} if rows else None


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


KINDS: dict[str, Callable[[ResultsView], Facts | None]] = {
    "trade": trade, "directions": directions, "target": target, "level": level,
    "reached": reached, "course": course, "buyers": buyers, "treasury": treasury,
    "suppliers": suppliers, "producers": producers, "food": food, "corridor": corridor,
    "project": project, "worth": worth, "services": services, "markets": markets}


def answers(view: ResultsView, asked: Sequence[str]) -> dict[str, Facts]:
    """Give the facts of each answer asked for that has something to say, in order."""
    given = {name: KINDS[name](view) for name in asked}
    return {name: facts for name, facts in given.items() if facts is not None}
