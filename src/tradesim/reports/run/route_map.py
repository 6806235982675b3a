"""The map: both countries, the routes between them, what each carries and what changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.geography import Geography, Place, read_geography
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import QUIET, subplots
from tradesim.reports.language import titled
from tradesim.reports.projection import projected, smooth
from tradesim.reports.ranges import Change
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import together, words, wrapped

SHARE = "route_share"
SEA, LAND, ONE, OTHER, BORDER = "#eef3f6", "#fafaf8", "#e7dcc3", "#dfe3cf", "#b9b9b4"
MARKS = {"capital": ("o", 6.5, "black"), "city": ("o", 3.0, "#555555"),
         "post": ("s", 4.5, "white"), "zone": ("*", 10.0, "#f2c744")}
SIZES = {"country": 9.0, "capital": 8.5, "city": 6.6, "post": 6.6, "zone": 6.6}
PLACING = {"left": (-5, 0, "right", "center"), "right": (5, 0, "left", "center"),
           "above": (0, 5, "center", "bottom"), "below": (0, -5, "center", "top")}
COLOURS = {1: SCENARIO, -1: IMPLEMENTED, 0: REFERENCE}
THIN, THICK = 1.0, 8.0
"""Widths of a line that carries nothing, and of the one that carries most, points."""

NEW: Mapping[str, Any] = {"color": "black", "linewidth": 2.2, "zorder": 4,
                          "path_effects": [withStroke(linewidth=4.0, foreground="white")]}
"""How a way that the scenario opens is drawn."""

MOVED = 0.01
"""A route whose goods change by less than this share is drawn as unchanged."""

LETTER = 0.0096
"""Width of a letter of the key, as a share of the figure's width."""

Point = tuple[float, float]
BESIDE = 0.3
"""Weight of the distance from other numbers, so that they do not stand together."""

MARGIN = 0.04
"""Free space around both countries, as a share of the map's width."""


@dataclass(frozen=True)
class Load:
    """What one route carries in a year, both directions, USD million on the headline count.

    `before` and `after` are medians without the scenario and if it is implemented, `mean`, `low`
    and `high` the average change with its 80 % range; `moves` is 1, -1 or 0 for more, less or
    much the same.
    """

    route: str
    title: str
    before: float
    after: float
    mean: float
    low: float
    high: float
    moves: int


def loads(view: ResultsView, year: int | None = None) -> list[Load]:
    """Sum up what each route carries, in the year shown unless one is given."""
    year = view.moment if year is None else year
    found = []
    for route in _routes(view):
        before = _carried(view, route, "reference", year)
        after = _carried(view, route, "if_implemented", year) if view.changes else before
        change = Change.of(after - before)
        middle = float(np.median(before)), float(np.median(after))
        moved = abs(change.mean) > MOVED * max(before.mean(), 1e-9)
        found.append(Load(route, view.pair.name(route), *middle, change.mean, change.low,
                          change.high, int(np.sign(change.mean)) if moved else 0))
    return found


def _routes(view: ResultsView) -> list[str]:
    return [str(route) for route in view.dataset["route"].values]


def _carried(view: ResultsView, route: str, case: str, year: int) -> Array:
    parts = [view.draws("trade", case, count=view.count, year=year, importer=importer).sum(axis=-1)
             * MILLION * view.draws(SHARE, case, year=year, importer=importer, route=route)
             for importer in view.pair.importers]
    return np.asarray(np.sum(parts, axis=0))


def route_map(view: ResultsView, folder: Path) -> Figure | None:
    """Draw the map with a key: width by what a route carries, colour by what changes.

    Nothing is drawn where the calibration folder has no outlines of countries.
    """
    geography = read_geography(folder, view.pair)
    if geography is None or SHARE not in view.dataset:
        return None
    year, phrases = view.moment, words()["figures"]["map"]
    carried = loads(view, year)
    title = phrases["title" if view.changes else "title_reference"].format(year=year)
    figure, (axes, key) = subplots(title, 4.75, rows=2, height_ratios=(2.2, 1.0))
    left, right, low, high = _frame(view, geography)
    axes.set(xlim=(left, right), ylim=(low, high), aspect="equal", xticks=[], yticks=[],
             facecolor=SEA)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    _land(axes, view, geography)
    lines = {route: projected(smooth(points)) for route, points in geography.ways.items()}
    towns = projected(np.array([[place.lon, place.lat] for place in geography.places
                                if place.kind != "country"]))
    most, badges = max(max(load.before, load.after) for load in carried), [(left, low)]
    for number, load in enumerate(carried, 1):
        if load.route in lines:
            others = [towns, *(line for route, line in lines.items() if route != load.route)]
            _way(axes, lines[load.route], load, most)
            badges.append(_clear(lines[load.route], np.concatenate(others), badges))
            _badge(axes, badges[-1], str(number), COLOURS[load.moves])
    opened = [way for lever, way in geography.new_ways.items() if lever in view.scenario["levers"]]
    for way in opened:
        axes.plot(*projected(smooth(way)).T, linestyle=(0, (1, 0.8)), **NEW)
    for place in titled(geography.places):
        _label(axes, view, place)
    _key(key, view, carried, new=bool(opened))
    return figure


def _land(axes: Axes, view: ResultsView, geography: Geography) -> None:
    colours = dict(zip(view.pair.importers, (ONE, OTHER), strict=True))
    order = sorted(geography.outlines, key=lambda code: code in colours)
    for code in order:
        inside = code in colours
        axes.add_collection(PolyCollection(
            [projected(ring) for ring in geography.outlines[code]],
            facecolor=colours.get(code, LAND), edgecolor="#8a8a80" if inside else BORDER,
            linewidth=0.9 if inside else 0.5, zorder=1.5 if inside else 1))


def _way(axes: Axes, line: Array, load: Load, most: float) -> None:
    """Draw a route as wide as what it carries; in dashes where it goes straight."""
    width = THIN + (THICK - THIN) * max(load.after, 0.0) / most
    straight = np.allclose(np.diff(line, 2, axis=0), 0.0, atol=1e-4)
    axes.plot(*line.T, color=COLOURS[load.moves], linewidth=width, alpha=0.9, zorder=3 - width / 99,
              linestyle=(0, (3, 2)) if straight else "-", solid_capstyle="round",
              solid_joinstyle="round",
              path_effects=[withStroke(linewidth=width + 1.4, foreground="white")])


def _clear(line: Array, others: Array, badges: Sequence[Point]) -> Point:
    """Give the point of a line, not near its ends, that is farthest from everything else."""
    middle = line[len(line) // 6: -len(line) // 6]

    def away(points: Any) -> Array:
        far = middle[:, None] - np.asarray(points)
        return np.asarray(np.hypot(far[..., 0], far[..., 1]).min(axis=1))

    x, y = middle[int(np.argmax(np.minimum(away(others), BESIDE * away(badges))))]
    return float(x), float(y)


def _label(axes: Axes, view: ResultsView, place: Place) -> None:
    x, y = projected(np.array([[place.lon, place.lat]]))[0]
    if place.kind == "country":
        own = place.name in view.pair.importers
        axes.text(x, y, view.pair.name(place.name).upper() if own else view.pair.name(place.name),
                  fontsize=SIZES["country"] + 1.5 * own, color="#6d6650" if own else "#9a9a96",
                  ha="center", va="center", zorder=2, weight="bold" if own else "normal",
                  clip_on=True)
        return
    marker, size, colour = MARKS[place.kind]
    axes.plot(x, y, marker, markersize=size, markerfacecolor=colour, markeredgecolor="black",
              markeredgewidth=0.8, zorder=5)
    right, up, across, along = PLACING[place.side or "right"]
    axes.annotate(place.title, (x, y), xytext=(right, up), textcoords="offset points",
                  fontsize=SIZES[place.kind], ha=across, va=along, zorder=7,
                  weight="bold" if place.kind == "capital" else "normal",
                  bbox={"facecolor": "white", "alpha": 0.65, "edgecolor": "none", "pad": 0.6})


def _key(axes: Axes, view: ResultsView, carried: Sequence[Load], *, new: bool) -> None:
    """Write under the map what each route carries, before and after, and what colours mean."""
    phrases, rows = words()["figures"]["map"], len(carried)
    beside = 0.06 + LETTER * max(len(load.title) for load in carried)
    axes.set(xlim=(0, 1), ylim=(rows + 1.4, -0.2), xticks=[], yticks=[])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    for row, load in enumerate(carried):
        before, after = together([load.before, load.after])
        amount = f"{before} → {after}" if load.moves else before
        look: dict[str, Any] = {"fontsize": 8, "va": "center"}
        _badge(axes, (0.018, row + 0.5), str(row + 1), COLOURS[load.moves])
        axes.text(0.042, row + 0.5, load.title, **look)
        axes.text(beside, row + 0.5, phrases["amount"].format(amount=amount), weight="bold",
                  color=COLOURS[load.moves], **look)
    lines = [phrases["unit"].format(count=view.pair.name(view.count)),
             *([phrases["changes"]] if view.changes else []),
             *([phrases["new"]] if new else [])]
    axes.text(0.003, rows + 0.3, wrapped(" ".join(lines), 108), fontsize=7.4, va="top",
              color=QUIET)


def _badge(axes: Axes, at: Point, number: str, colour: str) -> None:
    axes.text(*at, number, fontsize=7.5, color="white", weight="bold", ha="center", va="center",
              zorder=6, bbox={"boxstyle": "circle,pad=0.22", "facecolor": colour,
                              "edgecolor": "white", "linewidth": 1.0})


def _frame(view: ResultsView, geography: Geography) -> tuple[float, float, float, float]:
    """Edges of the map: both countries and all ways, with a margin."""
    parts = [ring for code in view.pair.importers for ring in geography.outlines.get(code, [])]
    points = projected(np.concatenate([*parts, *geography.ways.values()]))
    low, high = points.min(axis=0), points.max(axis=0)
    edge = MARGIN * (high - low).max() * np.array([0.5, 1.0])
    (left, bottom), (right, top) = low - edge, high + edge
    return float(left), float(right), float(bottom), float(top)


def for_browsers(view: ResultsView, folder: Path) -> dict[str, Any] | None:
    """Give the map as numbers for a page that draws it: outlines, places, ways and their loads.

    Coordinates are `projected`, with y upwards; loads are as in `Load`.
    """
    geography = read_geography(folder, view.pair)
    if geography is None or SHARE not in view.dataset:
        return None
    return {"year": view.moment,
            "outlines": {code: [projected(ring).round(4).tolist() for ring in rings]
                         for code, rings in geography.outlines.items()},
            "places": [asdict(place) | dict(zip("xy", projected(np.array(
                [[place.lon, place.lat]]))[0].round(4).tolist(), strict=True))
                for place in titled(geography.places)],
            "ways": {route: projected(smooth(points)).round(4).tolist()
                     for route, points in geography.ways.items()},
            "loads": [asdict(load) for load in loads(view)]}
