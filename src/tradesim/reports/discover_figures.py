"""Figures of scenario discovery: trade-off of boxes, limits by factor, hits and misses, leaves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tradesim.reports.discover_wording import conditions, named, phrases
from tradesim.reports.figure_style import IMPLEMENTED, REFERENCE, SCENARIO, sign, style
from tradesim.reports.wording import wrapped
from tradesim.studies.discover.discover import Discovery

BINS, POINTS = 12, 2000


def curve(found: Discovery) -> Figure:
    """Density against coverage of every box on the way, coloured by its number of limits."""
    words = phrases()["figures"]["curve"]
    figure = _figure(found, "curve", 4.2)
    axes = figure.subplots()
    x, y = ([100 * getattr(one, name) for one in found.curve] for name in ("coverage", "density"))
    axes.plot(x, y, color="#bdbdbd", linewidth=1, zorder=1)
    dots = axes.scatter(x, y, c=[len(one.box.restricted) for one in found.curve], s=18,
                        cmap="viridis_r")
    figure.colorbar(dots, ax=axes, label=words["colour"])
    if found.boxes:
        best = found.boxes[0].region
        axes.plot(100 * best.coverage, 100 * best.density, "*", color=IMPLEMENTED, markersize=15)
        axes.annotate(words["chosen"], (100 * best.coverage, 100 * best.density), xytext=(-9, -14),
                      textcoords="offset points", ha="right", color=IMPLEMENTED)
    base = 100 * float(found.data.y.mean())
    axes.axhline(base, color=REFERENCE, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.annotate(words["base"], (0, base), xytext=(2, 3), textcoords="offset points",
                  fontsize=8, color=REFERENCE)
    axes.set_xlabel(words["x"])
    axes.set_ylabel(words["y"])
    axes.set_xlim(0, 104)
    axes.set_ylim(0, 104)
    sign(figure, found.sweep.run_id)
    return figure


def limits(found: Discovery) -> Figure:
    """Share of hits in bins of each factor of the first box, with the limits shaded."""
    box, data = found.boxes[0].region.box, found.data
    rows = -(-len(box.restricted) // 2)
    figure = _figure(found, "limits", 0.8 + 2.3 * rows)
    panels = figure.subplots(rows, min(2, len(box.restricted)), squeeze=False, sharey=True)
    for axes, k in zip(panels.flat, box.restricted, strict=False):
        column = data.x[:, k]
        edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)))
        if len(np.unique(column)) <= BINS:
            values = np.unique(column)
            edges = np.concatenate([[values[0] - 0.5], (values[1:] + values[:-1]) / 2,
                                    [values[-1] + 0.5]])
        place = np.clip(np.digitize(column, edges) - 1, 0, len(edges) - 2)
        sizes = np.bincount(place, minlength=len(edges) - 1)
        share = 100 * np.bincount(place, data.y, len(edges) - 1) / np.maximum(sizes, 1)
        axes.bar(edges[:-1], share, width=np.diff(edges), align="edge", color=SCENARIO, alpha=0.75,
                 edgecolor="white", linewidth=0.6)
        axes.axhline(100 * data.y.mean(), color=REFERENCE, linewidth=0.9, linestyle=(0, (4, 2)))
        ends = np.clip([box.low[k], box.high[k]], edges[0], edges[-1])
        axes.axvspan(*ends, color=IMPLEMENTED, alpha=0.14, zorder=0)
        factor = data.factors[k]
        axes.set_xlabel(wrapped(named(factor), 46), fontsize=8)
        axes.set_ylim(0, 100)
    for axes in list(panels.flat)[len(box.restricted):]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel(phrases()["figures"]["limits"]["y"])
    sign(figure, found.sweep.run_id)
    return figure


def pair(found: Discovery) -> Figure:
    """Hits and misses along the two factors of the box that reproduce best, with the box."""
    best, data, words = found.boxes[0], found.data, phrases()["figures"]["pair"]
    box = best.region.box
    one, two = sorted(box.restricted, key=lambda k: -best.reproduced[k])[:2]
    figure = _figure(found, "pair", 4.4)
    axes = figure.subplots()
    x, y, hit = (values[:POINTS] for values in (data.x[:, one], data.x[:, two], data.y))
    for mask, colour, mark, key in ((hit == 0, "#9a9a9a", "x", "miss"),
                                    (hit == 1, SCENARIO, "o", "hit")):
        axes.scatter(x[mask], y[mask], s=12, marker=mark, color=colour, alpha=0.55,
                     linewidths=0.7, label=words[key])
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x0, x1 = np.clip([box.low[one], box.high[one]], left, right)
    y0, y1 = np.clip([box.low[two], box.high[two]], bottom, top)
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, linewidth=2,
                             edgecolor=IMPLEMENTED))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    for name, k in (("x", one), ("y", two)):
        factor = data.factors[k]
        getattr(axes, f"set_{name}label")(wrapped(named(factor), 70 if name == "x" else 44))
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    sign(figure, found.sweep.run_id)
    return figure


def leaves(found: Discovery) -> Figure:
    """Share of hits in each leaf of the tree, with its conditions in words."""
    words = phrases()["figures"]["leaves"]
    labels = [wrapped(conditions(found.data, one.box), 62) for one in found.leaves]
    lines = [label.count("\n") + 1 for label in labels]
    figure = _figure(found, "leaves", 1.3 + 0.17 * sum(lines) + 0.12 * len(lines))
    axes = figure.subplots()
    heights = np.array(lines) + 0.7
    places = np.cumsum(heights) - heights / 2
    axes.barh(places, [100 * one.density for one in found.leaves], height=heights - 0.5,
              color=SCENARIO, alpha=0.75)
    for place, one in zip(places, found.leaves, strict=True):
        axes.annotate(f"{100 * one.density:.0f} % of {one.rows}", (100 * one.density, place),
                      xytext=(3, 0), textcoords="offset points", va="center", fontsize=7.5)
    axes.axvline(100 * found.data.y.mean(), color=REFERENCE, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.set_yticks(places, labels, fontsize=7)
    axes.set_ylim(heights.sum(), 0)
    axes.set_xlim(0, 118)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(words["x"])
    sign(figure, found.sweep.run_id)
    return figure


def figures(found: Discovery) -> Iterator[tuple[str, Figure]]:
    """Draw the figures that there is something for."""
    made = [(curve, bool(found.curve)), (limits, bool(found.boxes)),
            (pair, bool(found.boxes) and len(found.boxes[0].region.box.restricted) > 1),
            (leaves, bool(found.leaves))]
    for draw, wanted in made:
        if wanted:
            with style(draw.__name__):
                figure = draw(found)
            yield draw.__name__, figure


def _figure(found: Discovery, name: str, height: float) -> Figure:
    figure = Figure(figsize=(7.0, height), layout="constrained")
    figure.suptitle(phrases()["figures"][name]["title"], x=0.01, ha="left")
    return figure
