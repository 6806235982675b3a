"""The one picture of a brief: what says the answer at a glance, chosen by what is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradesim.common.arrays import MILLION
from tradesim.inputs.geography import read_geography
from tradesim.reports.claims import Cell
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import Draw, beside, horizontal_bars, subplots, whole_years
from tradesim.reports.run.figures import LABEL, fan
from tradesim.reports.run.route_map import route_map
from tradesim.reports.run.tell import largest
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import pretty, together, words, wrapped

HEIGHT = 0.34
"""Height of a row, inches."""

SHOWN = 8
"""Rows of a figure of products."""

NARROW = 5.0
"""Width of figures that stay legible on a phone, inches."""

TITLE = 50
"""Letters of a line of their titles."""


@dataclass(frozen=True)
class Picture:
    """A figure with its caption and the words that stand for it."""

    name: str
    draw: Draw
    caption: str
    alt: str

    @classmethod
    def of(cls, view: ResultsView, said: Mapping[str, Any], folder: Path) -> Picture:
        """Choose the picture of the first answer that has one of its own.

        `folder` is that of the calibration, which may hold a map.
        """
        asked = [PICTURES[kind] for kind in said["answers"] if kind in PICTURES]
        if not view.changes:
            asked = []
        elif "route" not in view.dataset.dims or read_geography(folder, view.pair) is None:
            asked = [name for name in asked if name != "map"]
        name = next(iter(asked), "fan")
        phrases = words("pictures")[name]
        case = words("pictures")["cases"][view.nature]
        about = {"year": view.moment, "last": view.last, "case": case,
                 "count": view.pair.name(view.count), "target": pretty(view.target),
                 "market": view.pair.name(market(view)) if view.changes else ""}
        one = ("point" if view.point and "point" in phrases
               else "still" if not view.changes else "caption")
        draw = partial(route_map, view, folder) if name == "map" else partial(DRAWN[name], view)
        return cls(name, draw, phrases[one].format(**about),
                   phrases["alt"].format(**about))

    @property
    def drawn(self) -> dict[str, Draw]:
        """The figure by its name."""
        return {self.name: self.draw}

    def on_page(self, svg: str) -> dict[str, str]:
        """Give what the page shows."""
        return {"name": self.name, "svg": svg, "caption": self.caption, "alt": self.alt,
                "kind": "" if self.name in ("fan", "map") else "narrow"}


def market(view: ResultsView) -> str:
    """Market in which the sales of all suppliers together change most."""
    def moved(importer: str) -> float:
        return sum(abs(view.value(Cell("imports", view.moment, importer=importer, exporter=code)))
                   for code in view.exporters)

    return max(view.pair.importers, key=moved)


def winners(view: ResultsView) -> Figure:
    """Who gains and who loses in the market that changes most: suppliers, treasury, buyers."""
    return _rows(view, *winner_rows(view), MILLION)


def winner_rows(view: ResultsView) -> tuple[str, list[tuple[str, Cell]], str]:
    """Give a title, named rows and the unit of who gains and who loses, suppliers first."""
    phrases, importer, year = words("pictures")["winners"], market(view), view.moment
    sales = sorted((Cell("imports", year, importer=importer, exporter=code)
                    for code in view.exporters), key=lambda cell: -view.value(cell))
    rows = [(phrases["home" if cell.exporter == importer else "sales"].format(
        supplier=view.supplier(cell.exporter, importer)), cell) for cell in sales]
    rows += [(phrases[name], Cell(name, year, importer=importer))
             for name in ("tariff_revenue", "consumer_surplus") if name in view.dataset]
    return (phrases["title"].format(market=view.pair.name(importer), year=year), rows,
            str(phrases["axis"]))


def food(view: ResultsView) -> Figure:
    """How the shares of food made at home change, product by product."""
    phrases = words("pictures")["food"]
    cells = [Cell("self_sufficiency", view.last, importer=importer, group=name)
             for importer, name in view.followed(food=True)]
    rows = [(f"{view.pair.name(cell.group)}, {view.pair.name(cell.importer)}", cell)
            for cell in sorted(cells, key=lambda cell: view.value(cell))]
    return _rows(view, phrases["title"].format(year=view.last), rows, phrases["axis"], 0.01)


def prices(view: ResultsView) -> Figure:
    """Change of the prices of products made at home, in the year and country where most."""
    phrases, year = words("pictures")["prices"], view.moment
    cells = sorted((Cell("product_price", year, importer=importer, group=name)
                    for importer, name in view.followed()),
                   key=lambda cell: -abs(view.value(cell)))
    country = cells[0].importer
    rows = [(view.pair.name(cell.group), cell) for cell in cells if cell.importer == country]
    return _rows(view, phrases["title"].format(year=year, country=view.pair.name(country)),
                 rows[:SHOWN], phrases["axis"], 0.01)


def _rows(view: ResultsView, title: str, rows: list[tuple[str, Cell]], axis: str,
          unit: float) -> Figure:
    """Draw averages as dots and 80 % ranges as lines, one named row each, with the number."""
    figure, (axes,) = subplots(wrapped(title, TITLE), 0.95 + HEIGHT * len(rows))
    figure.set_figwidth(NARROW)
    drawn = [view.values(cell) / unit for _, cell in rows]
    texts = together([float(values.mean()) for values in drawn])
    for place, (values, text) in enumerate(zip(drawn, texts, strict=True)):
        mean = float(values.mean())
        low, high = (float(end) for end in np.quantile(values, [0.1, 0.9]))
        colour = SCENARIO if mean >= 0.0 else IMPLEMENTED
        axes.hlines(place, low, high, color=colour, linewidth=2.2, alpha=0.55)
        axes.plot(mean, place, "o", color=colour, markersize=6)
        end, shift, side = ((max(mean, high), 6, "left") if mean >= 0.0
                            else (min(mean, low), -6, "right"))
        beside(axes, text, (end, place), (shift, 0), fontsize=8, va="center", ha=side,
               color=REFERENCE)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(rows)), [wrapped(label, 22) for label, _ in rows], fontsize=8.5)
    horizontal_bars(axes, len(rows), 5)
    axes.margins(x=0.24)
    axes.set_xlabel(axis)
    return figure


def course(view: ResultsView) -> Figure:
    """Turnover less the path without the scenario, year by year, with the 80 % range."""
    phrases = words("pictures")["course"]
    figure, (axes,) = subplots(wrapped(phrases["title"], TITLE), 3.0)
    figure.set_figwidth(NARROW)
    change = view.change("turnover", "if_implemented", count=view.count)
    mean = change.mean(axis=0)
    axes.axhline(0, color=REFERENCE, linewidth=0.9)
    if not view.point:
        axes.fill_between(view.years, *np.quantile(change, [0.1, 0.9], axis=0), color=IMPLEMENTED,
                          alpha=0.18, linewidth=0)
    axes.plot(view.years, mean, "o-", color=IMPLEMENTED, markersize=4)
    peak = largest(view, [Cell("turnover", year, count=view.count) for year in view.years]).year
    for year in dict.fromkeys((peak, view.last)):
        _number(axes, year, float(mean[view.years.index(year)]))
    axes.set_ylabel(wrapped(phrases["axis"].format(count=view.pair.name(view.count)), LABEL))
    whole_years(axes, 6)
    return figure


def _number(axes: Axes, year: int, value: float) -> None:
    beside(axes, pretty(value), (year, value), (0, -11 if value < 0 else 6), fontsize=8,
           ha="center", color=REFERENCE)


DRAWN: dict[str, Callable[[ResultsView], Figure]] = {
    "fan": fan, "winners": winners, "food": food, "prices": prices,
    "course": course}
PICTURES = {"course": "course", "buyers": "course", "treasury": "winners", "suppliers": "winners",
            "producers": "winners", "products": "prices",
            "food": "food", "target": "fan", "level": "fan",
            "reached": "fan", "project": "fan", "corridor": "map", "worth": "map"}
"""Picture of each answer that has one."""
