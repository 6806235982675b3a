"""Answers on who gains and loses: buyers, producers, treasuries, other suppliers, visitors.

Each is a function from the results of a run to facts, or None where there is nothing true to say.
"""

from __future__ import annotations

from dataclasses import replace

from tradesim.economy.services import VISITS
from tradesim.reports.claims import APPRAISAL, Cell, Claim, Told
from tradesim.reports.run.tell import (
    POINT,
    VISIBLE,
    Facts,
    goods_name,
    largest,
    points,
    rises,
    share,
    share_of,
    share_size,
    size,
    usd,
)
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import lower_first
from tradesim.simulation.summary import benefit_cost_ratio, costly, present_values

ALSO = 2
"""Products named beside the one whose price changes most."""

LISTED = 3
"""Products named beside the one that changes most."""

MAIN_PART = 0.3
"""A group of goods is named where it has at least this part of a change."""


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


def products(view: ResultsView) -> Facts | None:
    """How the price of a product made at home changes where it does so most, and its output."""
    year = view.moment
    prices = sorted((Cell("product_price", year, importer=importer, group=name)
                     for importer, name in view.followed()),
                    key=lambda cell: -abs(view.value(cell)))
    if not view.changes or not prices or abs(view.value(prices[0])) < POINT:
        return None
    most = prices[0]
    output = replace(most, variable="product_output")
    others = [cell for cell in prices[1:] if cell.importer == most.importer][:ALSO]
    up, claim = rises(view, most)
    more, made = rises(view, output)
    told = [share(view, cell) for cell in others]
    return {"up": up, "more": more, "year": year, "country": view.pair.name(most.importer),
            "product": goods_name(view, most.group),
            "price": share_size(view, most), "output": share_size(view, output),
            "listed": "; ".join(f"{goods_name(view, cell.group)} {one}"
                                for cell, one in zip(others, told, strict=True)),
            "told": told, "claims": [claim, made, Claim("most", tuple(prices))]}


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
    kept = [cell for cell in cells if cell.importer == most.importer
            and abs(view.value(cell)) < POINT]
    levels = [share(view, replace(cell, case="reference", statistic="p50")) for cell in kept]
    return {"none": False, "up": up, "product": lower_first(view.pair.name(most.group)),
            "year": view.last,
            "country": view.pair.name(most.importer),
            "before": share(view, replace(most, case="reference", statistic="p50")),
            "after": share(view, replace(most, case="if_implemented", statistic="p50")),
            "points": points(view, most),
            "listed": "; ".join(f"{lower_first(view.pair.name(cell.group))} {told}"
                                for cell, told in zip(others, moved, strict=True)),
            "moved": moved, "levels": levels,
            "kept": "; ".join(f"{lower_first(view.pair.name(cell.group))} ({told})"
                              for cell, told in zip(kept, levels, strict=True)),
            "claims": [claim, Claim("most", tuple(cells)),
                       *(Claim("least", (cell,)) for cell in kept)]}


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
