"""What `tradesim discover` writes: a table, figures, a page, and terminal lines.

Boxes are put into words here: what a limit means, how strong it is, what happens in the box.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from tradesim.common.arrays import MILLION, Array
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import Draw, beside, subplots
from tradesim.reports.html_page import PAGE, write_figures
from tradesim.reports.sweep.figures import title_of, unit_of
from tradesim.reports.sweep.page import count_titles, render_sweep
from tradesim.reports.wording import BARE, decimals, in_percent, lower_first, pretty, words, wrapped
from tradesim.studies.discover.discover import CERTAIN, Data, Discovery, Found, Question, Region
from tradesim.studies.discover.prim import Box
from tradesim.studies.sweep.results import Sweep, SweptFactor

TABLE = "discover.csv"
BINS, POINTS = 12, 2000
"""Bars of a histogram, points of a scatter."""

DASHES = (0, (4, 2))

SHARES = ("share", "probability", "share of value")
"""Units that are shares."""
VERY, CLEAR = 1 / 3, 2 / 3
"""A limit is strong when it leaves less than a third of the cases, weak when more than two."""


def question_of(result: Discovery) -> tuple[str, str]:
    """Say in words what counts as a hit, in full and in short."""
    return asked(result.sweep, result.question)


def tidy(result: Discovery) -> pd.DataFrame:
    """One row for every limit of every box and leaf.

    Returns
    -------
    pandas.DataFrame
        ``method``, ``box``, ``factor``, ``title``, ``unit``, ``low``, ``high`` (empty where
        there is no limit), ``chance`` and ``reproduced`` of the limit, and of the whole box
        ``rows``, ``hits``, ``density``, ``coverage``, ``support``, ``elsewhere``, ``mean``,
        ``mean_elsewhere``, ``box_chance``, ``fresh_density``.
    """
    regions: list[tuple[str, int, Region, Found | None]] = [
        ("prim", number, one.region, one) for number, one in enumerate(result.boxes, 1)]
    regions += [("tree", number, one, None) for number, one in enumerate(result.leaves, 1)]
    rows = []
    for method, number, region, box in regions:
        for k in region.box.restricted:
            factor = result.data.factors[k]
            rows.append({
                "method": method, "box": number, "factor": factor.name, "title": factor.title,
                "unit": factor.unit, "low": region.box.low[k], "high": region.box.high[k],
                "chance": box.factor_chance[k] if box else np.nan,
                "reproduced": box.reproduced[k] if box else np.nan, "rows": region.rows,
                "hits": region.hits, "density": region.density, "coverage": region.coverage,
                "support": region.support, "elsewhere": region.elsewhere, "mean": region.mean,
                "mean_elsewhere": region.mean_elsewhere,
                "box_chance": box.chance if box else np.nan,
                "fresh_density": box.fresh if box else np.nan})
    return pd.DataFrame(rows).replace([np.inf, -np.inf], np.nan)


def outcome(result: Discovery) -> str:
    """Give a few lines for the terminal."""
    data, (full, what) = result.data, question_of(result)
    lines = [f"{full}: {in_percent(data.y.mean())} % of {len(data.y):,} cases"]
    if data.dropped:
        lines.append(f"{data.dropped} rows failed and are left out")
    if data.idle:
        lines.append(f"{data.idle:,} rows in which no lever acts are left out: the answer there is "
                     "settled beforehand")
    for index, one in enumerate(result.boxes):
        region = one.region
        lines += ["", sentence(result, region, what, index > 0),
                  f"  holds {in_percent(region.coverage)} % of all such cases in "
                  f"{in_percent(region.support)} % of the cases; {_chance(one.chance)}; in rows "
                  f"not searched {in_percent(one.fresh)} %"]
        lines += [f"  {condition(data, region.box, k)}: {_chance(one.factor_chance[k])}, found "
                  f"again in {in_percent(one.reproduced[k])} % of resamples"
                  for k in region.box.restricted]
    if result.curve and not result.boxes:
        lines += ["", words("discover")["never"]]
    if result.leaves:
        lines += ["", f"Shallow tree (right in {in_percent(result.skill)} % of rows not seen, "
                  "where chance is 50 %):"]
        lines += [f"  {in_percent(one.density):>3} % of {one.rows:,}: {conditions(data, one.box)}"
                  for one in result.leaves]
    return "\n".join(lines)


def write(result: Discovery, folder: Path, command: str) -> None:
    """Write table, figures and page into an existing folder."""
    tidy(result).to_csv(folder / TABLE, index=False, float_format="%.6g", lineterminator="\n")
    drawn = write_figures(figures(result), folder, result.sweep.run_id)
    data = result.data
    (folder / PAGE).write_text(render_sweep(
        "discover.html.j2", result.sweep, drawn=drawn, asked=question_of(result)[0],
        base=in_percent(data.y.mean()), cases=len(data.y), dropped=data.dropped, idle=data.idle,
        factors=len(data.factors), again=command, skill=in_percent(result.skill),
        boxes=[_box(result, index, one) for index, one in enumerate(result.boxes)],
        searched=bool(result.curve), never=words("discover")["never"],
        leaves=[[conditions(data, one.box), in_percent(one.density), str(one.rows),
                 in_percent(one.coverage)] for one in result.leaves]), encoding="utf-8")


def _box(result: Discovery, index: int, one: Found) -> dict[str, Any]:
    region, data = one.region, result.data
    scale, unit = unit_of(result.question.output)
    rows = []
    for k in region.box.restricted:
        factor = data.factors[k]
        rows.append([condition(data, region.box, k),
                     limits(factor, region.box.low[k], region.box.high[k]),
                     f"{pretty(float(data.x[:, k].min()))} to {pretty(float(data.x[:, k].max()))}",
                     _chance(one.factor_chance[k]), f"{in_percent(one.reproduced[k])} %"])
    return {"sentence": sentence(result, region, question_of(result)[1], index > 0), "rows": rows,
            "density": in_percent(region.density), "coverage": in_percent(region.coverage),
            "support": in_percent(region.support), "count": region.rows, "hits": region.hits,
            "fresh": in_percent(one.fresh), "chance": _chance(one.chance),
            "sure": max(one.chance, *one.factor_chance.values()) <= CERTAIN,
            "mean": f"{pretty(region.mean / scale)} {unit}",
            "rest": f"{pretty(region.mean_elsewhere / scale)} {unit}"}


def _chance(probability: float) -> str:
    """Say in words how likely chance would do as well."""
    if probability <= CERTAIN:
        return f"not chance (p = {pretty(probability, 2)})"
    return f"may be chance (p = {pretty(probability, 2)})"


def number(value: float, factor: SweptFactor) -> str:
    """Write a value of a factor in its natural unit."""
    if factor.unit in SHARES:
        return f"{pretty(100 * value, places=0 if abs(value) >= 0.1 else 1)} %"
    if factor.unit == "year":
        return str(round(value))
    text = pretty(value, places=min(decimals([value]), 2) if abs(value) >= 0.1 else None)
    return text if not factor.unit or factor.unit in BARE else f"{text} {factor.unit}"


def named(factor: SweptFactor) -> str:
    """Name a factor with its unit, where that says anything, for an axis."""
    return factor.title if factor.unit in ("", *BARE) else f"{factor.title}, {factor.unit}"


def _named(data: Data, k: int) -> str:
    """Name a factor for an axis; a switch has no unit."""
    factor = data.factors[k]
    return factor.title if factor.switch else named(factor)


def _apart(data: Data, k: int) -> Array:
    """Values of a factor for a scatter; those of a switch are spread so that points are seen."""
    column = data.x[:, k]
    spread = np.random.default_rng(k).uniform(-0.25, 0.25, len(column))
    return column + spread if data.factors[k].switch else column


def condition(data: Data, box: Box, k: int) -> str:
    """Say in words what a box asks of one factor."""
    factor, column = data.factors[k], data.x[:, k]
    low, high = float(box.low[k]), float(box.high[k])
    phrases, title = words("discover"), lower_first(factor.title)
    if len(np.unique(column)) == 2:
        if np.isfinite(low):
            return title
        subject = title.removesuffix(phrases["happens"])
        return str(phrases["no"].format(title=title) if subject == title
                   else subject + phrases["happens_not"])
    kept = float(((column >= low) & (column <= high)).mean())
    rank = 0 if kept < VERY else 1 if kept < CLEAR else 2
    year = factor.unit == "year"
    if np.isfinite(low) and np.isfinite(high):
        adverb = phrases["middle"]
    elif np.isfinite(low):
        adverb = phrases[("very_late", "late", "not_early")[rank] if year else
                       ("very_high", "high", "not_low")[rank]]
    else:
        adverb = phrases[("very_early", "early", "not_late")[rank] if year else
                       ("very_low", "low", "not_high")[rank]]
    return str(phrases["condition"].format(title=title, adverb=adverb,
                                         limits=limits(factor, low, high)))


def limits(factor: SweptFactor, low: float, high: float) -> str:
    """Write limits with their unit; years as whole years."""
    phrases, year = words("discover"), factor.unit == "year"
    ends = {"low": number(np.ceil(low) if year and np.isfinite(low) else low, factor)
            if np.isfinite(low) else "",
            "high": number(np.floor(high) if year and np.isfinite(high) else high, factor)
            if np.isfinite(high) else ""}
    if ends["low"] and ends["high"]:
        return str(phrases["between"].format(**ends))
    return str(phrases[("from" if year else "above") if ends["low"] else
                     ("until" if year else "below")].format(**ends))


def conditions(data: Data, box: Box) -> str:
    """Say in words all that a box asks for."""
    parts = [condition(data, box, k) for k in box.restricted]
    if not parts:
        return str(words("discover")["anything"])
    return ", ".join(parts[:-1]) + (" and " if parts[:-1] else "") + parts[-1]


def asked(sweep: Sweep, question: Question) -> tuple[str, str]:
    """Say in words what counts as a hit: in full, and in short for what follows."""
    output, phrases = question.output, words("discover")
    target, counts = sweep.about.get("target", {}).get("value"), count_titles(sweep)
    scale, unit = (MILLION, "USD {} million") if output.unit == "USD" else (
        1.0, f"{{}} {output.unit}".strip())
    threshold = unit.format(pretty(question.threshold / scale))
    if output.variable == "turnover" and target == question.threshold and (
            not output.case.startswith("effect")):
        key = "reached" if question.above else "not_reached"
    else:
        key = "at_least" if question.above else "less"
    text = phrases[key].format(output=title_of(sweep, output, counts), threshold=threshold)
    return text[:1].upper() + text[1:], phrases["short"][key].format(threshold=threshold)


def sentence(result: Discovery, region: Region, what: str, rest: bool = False) -> str:
    """Say in words how often there is a hit in a box and elsewhere."""
    phrases = words("discover")
    return str(phrases["sentence"].format(
        what=what, density=in_percent(region.density),
        conditions=conditions(result.data, region.box), elsewhere=in_percent(region.elsewhere),
        where=phrases["others" if rest else "elsewhere"]))


def curve(result: Discovery) -> Figure:
    """Density against coverage of every box on the way, coloured by its number of limits."""
    phrases = words("discover")["figures"]["curve"]
    figure, (axes,) = subplots(phrases["title"], 4.2)
    x, y = ([100 * getattr(one, name) for one in result.curve] for name in ("coverage", "density"))
    axes.plot(x, y, color="#bdbdbd", linewidth=1, zorder=1)
    dots = axes.scatter(x, y, c=[len(one.box.restricted) for one in result.curve], s=18,
                        cmap="viridis_r")
    figure.colorbar(dots, ax=axes, label=phrases["colour"], ticks=MaxNLocator(integer=True))
    if result.boxes:
        best = result.boxes[0].region
        axes.plot(100 * best.coverage, 100 * best.density, "*", color=IMPLEMENTED, markersize=15)
        beside(axes, phrases["chosen"], (100 * best.coverage, 100 * best.density), (-9, -14),
               ha="right", color=IMPLEMENTED)
    base = 100 * float(result.data.y.mean())
    axes.axhline(base, color=REFERENCE, linewidth=0.9, linestyle=DASHES)
    beside(axes, phrases["base"], (0, base), (2, 3), fontsize=8, color=REFERENCE)
    axes.set_xlabel(phrases["x"])
    axes.set_ylabel(phrases["y"])
    axes.set_xlim(0, 104)
    axes.set_ylim(0, 104)
    return figure


def box_limits(result: Discovery) -> Figure:
    """Share of hits in bins of each factor of the first box, with the limits shaded."""
    box, data = result.boxes[0].region.box, result.data
    rows = -(-len(box.restricted) // 2)
    across, phrases = min(2, len(box.restricted)), words("discover")["figures"]["limits"]
    figure, panels = subplots(phrases["title"], 0.8 + 2.3 * rows, rows, across,
                              used=len(box.restricted), sharey=True)
    for axes, k in zip(panels, box.restricted, strict=False):
        column = data.x[:, k]
        edges = np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)))
        if len(np.unique(column)) <= BINS:
            values = np.unique(column)
            edges = np.concatenate([[values[0] - 0.5], (values[1:] + values[:-1]) / 2,
                                    [values[-1] + 0.5]])
        bins = np.clip(np.digitize(column, edges) - 1, 0, len(edges) - 2)
        sizes = np.bincount(bins, minlength=len(edges) - 1)
        share = 100 * np.bincount(bins, data.y, len(edges) - 1) / np.maximum(sizes, 1)
        axes.bar(edges[:-1], share, width=np.diff(edges), align="edge", color=SCENARIO, alpha=0.75,
                 edgecolor="white", linewidth=0.6)
        axes.axhline(100 * data.y.mean(), color=REFERENCE, linewidth=0.9, linestyle=DASHES)
        ends = np.clip([box.low[k], box.high[k]], edges[0], edges[-1])
        axes.axvspan(*ends, color=IMPLEMENTED, alpha=0.14, zorder=0)
        axes.set_xlabel(wrapped(_named(data, k), 46), fontsize=8)
        axes.set_ylim(0, 100)
        if data.factors[k].switch:
            axes.set_xticks([0, 1], phrases["switch"])
    for axes in panels[::across]:
        axes.set_ylabel(phrases["y"])
    return figure


def pair(result: Discovery) -> Figure:
    """Hits and misses along the two factors of the box that reproduce best, with the box."""
    best, data, phrases = result.boxes[0], result.data, words("discover")["figures"]["pair"]
    box = best.region.box
    one, two = sorted(box.restricted, key=lambda k: -best.reproduced[k])[:2]
    figure, (axes,) = subplots(phrases["title"], 4.4)
    x, y, hit = (values[:POINTS] for values in (
        _apart(data, one), _apart(data, two), data.y))
    for mask, colour, mark, key in ((hit == 0, "#9a9a9a", "x", "miss"),
                                    (hit == 1, SCENARIO, "o", "hit")):
        axes.scatter(x[mask], y[mask], s=12, marker=mark, color=colour, alpha=0.55,
                     linewidths=0.7, label=phrases[key])
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    x0, x1 = np.clip([box.low[one], box.high[one]], left, right)
    y0, y1 = np.clip([box.low[two], box.high[two]], bottom, top)
    axes.add_patch(Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, linewidth=2,
                             edgecolor=IMPLEMENTED))
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    axes.set_xlabel(wrapped(_named(data, one), 70))
    axes.set_ylabel(wrapped(_named(data, two), 44))
    for k, ticks in ((one, axes.set_xticks), (two, axes.set_yticks)):
        if data.factors[k].switch:
            ticks([0, 1], words("discover")["figures"]["limits"]["switch"])
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8, frameon=False)
    return figure


def leaves(result: Discovery) -> Figure:
    """Share of hits in each leaf of the tree, with its conditions in words."""
    phrases = words("discover")["figures"]["leaves"]
    labels = [wrapped(conditions(result.data, one.box), 62) for one in result.leaves]
    lines = [label.count("\n") + 1 for label in labels]
    figure, (axes,) = subplots(phrases["title"], 1.3 + 0.17 * sum(lines) + 0.12 * len(lines))
    heights = np.array(lines) + 0.7
    rows = np.cumsum(heights) - heights / 2
    axes.barh(rows, [100 * one.density for one in result.leaves], height=heights - 0.5,
              color=SCENARIO, alpha=0.75)
    for row, one in zip(rows, result.leaves, strict=True):
        beside(axes, f"{100 * one.density:.0f} % of {one.rows}", (100 * one.density, row),
               va="center", fontsize=7.5)
    axes.axvline(100 * result.data.y.mean(), color=REFERENCE, linewidth=0.9, linestyle=DASHES)
    axes.set_yticks(rows, labels, fontsize=7)
    axes.set_ylim(heights.sum(), 0)
    axes.set_xlim(0, 118)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(phrases["x"])
    return figure


def figures(result: Discovery) -> dict[str, Draw]:
    """Give what draws the figures that there is something for."""
    wanted = {"curve": (curve, result.curve), "limits": (box_limits, result.boxes),
              "pair": (pair, result.boxes and result.boxes[0].region.box.restricted[1:]),
              "leaves": (leaves, result.leaves)}
    return {name: partial(draw, result) for name, (draw, some) in wanted.items() if some}
