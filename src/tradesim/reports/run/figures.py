"""The figures of the report of a run: each a function from its results to a figure.

Words are in `templates/words.yaml`; names of countries, groups and counts come from the pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from tradesim.common.arrays import Array
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import (
    BEHIND,
    CASES,
    COUNTS,
    FAN,
    QUIET,
    Draw,
    beside,
    horizontal_bars,
    subplots,
    tick,
    whole_years,
)
from tradesim.reports.ranges import NOTHING
from tradesim.reports.run.facts import account_changes, supplier_changes
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import pretty, together, words, wrapped
from tradesim.simulation.outlooks import REPORTED

BARS = 8
"""Bars shown before the smallest are summed into one."""

SMALL = 0.02
"""A group whose change is less than this share of the largest joins that sum too."""

LABEL = 26
"""Letters of a line of a label beside an axis, so that it does not run past the axis."""

CLOSED = 0.2
"""A year is shaded when the corridor was closed for more of it than this share."""


def history(view: ResultsView) -> Figure:
    """Trade as reported on every count by direction, with the fitted path and its 80 % band."""
    figure, panels = _figure("history", 3.6, columns=2)
    phrases, years = words(), np.array(view.history.years)
    for flow, (axes, importer) in enumerate(zip(panels, view.pair.importers, strict=True)):
        axes.set_yscale("log")
        labels = []
        for count, colour in zip(view.pair.counts, COUNTS, strict=False):
            low, middle, high = np.quantile(view.fitted(count)[:, :, flow], [.1, .5, .9], axis=0)
            axes.fill_between(years, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(years, middle, color=colour, linewidth=1.4)
            axes.plot(years, view.reported(count)[:, flow], "o", color=colour, markersize=4)
            labels.append((middle[-1], wrapped(view.pair.name(count), 12), colour))
        axes.set_title(_direction(view, importer))
        axes.yaxis.set_major_formatter(FuncFormatter(tick))
        axes.yaxis.set_minor_formatter(FuncFormatter(_log_minor))
        axes.tick_params(axis="y", which="minor", labelsize=9)
        axes.set_ylim(axes.get_ylim()[0] / 1.5)
        _years(axes)
        _closures(axes, view, years)
        _end_labels(axes, years[-1], labels, gap=0.13)
    panels[0].set_ylabel(phrases["value_axis_log"])
    return figure


def fan(view: ResultsView) -> Figure:
    """Turnover: the reference fan against the scenario, with the past and the target."""
    figure, panels = _figure("fan", 4.0, "title" if view.changes else "title_reference",
                             columns=len(view.counts), names={"last": view.last}, sharey=True,
                             width_ratios=[1.75] + [1.0] * (len(view.counts) - 1))
    lines = [_fan(axes, view, count, {"count": count}, None, detail=count == view.count)
             for axes, count in zip(panels, view.counts, strict=True)]
    panels[0].set_ylim(0, max(panels[0].get_ylim()[1], 1.1 * view.target))
    for axes, count, labels in zip(panels, view.counts, lines, strict=True):
        _end_labels(axes, view.last, labels, gap=0.055)
        axes.set_title(view.pair.name(count))
        _years(axes, 5 if count == view.count else 3)
        if count == view.pair.target_count:
            axes.axhline(view.target, color="black", linestyle=(0, (5, 3)), linewidth=1.1)
            beside(axes, view.goal.title, (0.01, view.target), (0, 3), bbox=BEHIND,
                   xycoords=("axes fraction", "data"), fontsize=8.5, zorder=5)
    panels[0].set_ylabel(words()["per_year"])
    return figure


def directions(view: ResultsView) -> Figure:
    """Trade of each direction: the reference fan against the scenario, with the past."""
    figure, panels = _figure("directions", 3.6, "title" if view.changes else "title_reference",
                             columns=2, names={"last": view.last})
    for flow, (axes, importer) in enumerate(zip(panels, view.pair.importers, strict=True)):
        labels = _fan(axes, view, view.count,
                      {"count": view.count, "importer": importer}, flow, detail=True)
        axes.set_ylim(bottom=0)
        _end_labels(axes, view.last, labels, gap=0.06)
        axes.set_title(_direction(view, importer))
        _years(axes)
    panels[0].set_ylabel(wrapped(words()["value_axis"].format(
        count=view.pair.name(view.count)), LABEL))
    return figure


def effect(view: ResultsView) -> Figure:
    """Turnover of the scenario less the reference, by year, in USD million and per cent of it."""
    figure, panels = _figure("effect", 3.6, columns=2)
    phrases, years, base = words(), view.years, view.draws(
        "turnover", "reference", count=view.count)
    middle = base.mean(axis=0)
    for axes, scale in zip(panels, (np.ones_like(middle), 100 / middle), strict=True):
        shown = {case: scale * view.change("turnover", case, count=view.count)
                 for case in ("scenario", "if_implemented")}
        axes.axhline(0, color=REFERENCE, linewidth=0.9)
        mean = shown["if_implemented"].mean(axis=0)
        axes.plot(years, mean, color=IMPLEMENTED)
        labels = [(mean[-1], wrapped(view.case_words if view.point else phrases["figures"]["effect"]
                                     ["average"].format(case=view.case_words), 15), IMPLEMENTED)]
        if not view.point:
            labels += (_bands(axes, years, shown) if view.risky
                       else _band(axes, years, shown["if_implemented"]))
        _years(axes)
        _end_labels(axes, view.last, labels, gap=0.1)
    panels[0].set_ylabel(wrapped(phrases["change_axis_count"].format(
        count=view.pair.name(view.count)), LABEL))
    panels[1].set_ylabel(phrases["percent_axis"])
    return figure


def _band(axes: Axes, years: Sequence[int], values: Array) -> list[tuple[float, str, str]]:
    """Shade the 80 % range of a change that cannot fail to come; give its label."""
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    axes.fill_between(years, low, high, color=IMPLEMENTED, alpha=0.18, linewidth=0)
    return [(high[-1], words()["range_80_long"], IMPLEMENTED)]


def _bands(axes: Axes, years: Sequence[int],
           shown: dict[str, Array]) -> list[tuple[float, str, str]]:
    """Draw the risk-weighted average and both 80 % ranges; give their labels."""
    phrases = words()
    low, band = np.quantile(shown["scenario"], [0.1, 0.9], axis=0)
    mean = shown["scenario"].mean(axis=0)
    axes.fill_between(years, low, band, color=SCENARIO, alpha=0.2, linewidth=0)
    axes.plot(years, mean, color=SCENARIO)
    edges = np.quantile(shown["if_implemented"], [0.1, 0.9], axis=0)
    for edge in edges:
        axes.plot(years, edge, color=IMPLEMENTED, linewidth=0.9, linestyle=(0, (4, 2)))
    return [(mean[-1], wrapped(phrases["risk_weighted_mean"], 14), SCENARIO),
            (edges[1][-1], phrases["range_80_long"], IMPLEMENTED),
            (band[-1], phrases["range_80_long"], SCENARIO)]


def groups(view: ResultsView) -> Figure:
    """Change of each product group's trade in the year shown, by direction, as sorted bars."""
    figure, panels = _figure("groups", 4.6, columns=2,
                             names={"year": view.moment, "case": view.case_words})
    for axes, importer in zip(panels, view.pair.importers, strict=True):
        axes.set_title(_direction(view, importer))
        _group_bars(axes, view, importer)
    deepest = max(axes.get_ylim()[0] for axes in panels)
    for axes in panels:
        axes.set_ylim(deepest, -1.1)
    return figure


def _group_bars(axes: Axes, view: ResultsView, importer: str) -> None:
    """Draw the groups with the largest changes and the sum of the others, or say there are none."""
    phrases = words()
    where = {"count": view.count, "year": view.moment, "importer": importer}
    change = view.change("trade", "if_implemented", **where)
    levels = [view.draws("trade", case, **where) for case in ("reference", "if_implemented")]
    names = [wrapped(view.pair.name(group), 20) for group in view.groups]
    size = np.abs(change.mean(axis=0))
    order = [int(group) for group in np.argsort(-size, kind="stable")
             if np.abs(change[:, group]).max() >= NOTHING]
    bars = min(BARS, int((size[order] >= SMALL * size.max()).sum()))
    sets = [[group] for group in order[:bars]]
    labels = [names[group] for group in order[:bars]]
    if len(order) > bars:
        sets.append(order[bars:])
        labels.append(wrapped(phrases["rest"].format(number=len(order) - bars), 20))
    _bars(axes, labels, [change[:, members].sum(axis=1) for members in sets], IMPLEMENTED)
    for row, members in enumerate(sets):
        before, after = together([float(np.median(level[:, members].sum(axis=1)))
                                  for level in levels])
        _beside(axes, f"{before} → {after}", row)
    if not sets:
        axes.annotate(phrases["figures"]["groups"]["none"], (0.5, 0.5), fontsize=9,
                      xycoords="axes fraction", ha="center", color=QUIET)
        return
    _beside(axes, phrases["figures"]["groups"]["levels"], -0.75)
    axes.set_xlabel(wrapped(phrases["change_axis_count"].format(
        count=view.pair.name(view.count)), 32))


def _beside(axes: Axes, text: str, row: float) -> None:
    beside(axes, text, (1.0, row), xycoords=("axes fraction", "data"), fontsize=8, va="center",
           color=REFERENCE)


def gains(view: ResultsView) -> Figure:
    """Who gains and who loses in each market: suppliers' sales, buyers, makers, border revenue."""
    last, phrases = view.moment, words()
    middle = view.milestones[0] if len(view.milestones) > 1 and last == view.last else None
    figure, panels = _figure("gains", 5.2, "title" if middle else "title_one", columns=2, rows=2,
                             names={"last": last, "year": last, "middle": middle,
                                    "case": view.case_words})
    for row, importer in enumerate(view.pair.importers):
        sales, accounts = panels[2 * row: 2 * row + 2]
        for axes, (labels, read) in zip((sales, accounts), (
                supplier_changes(view, importer), account_changes(view, importer)), strict=True):
            colours = [IMPLEMENTED if label == view.flow(importer)["exporter"]
                       else SCENARIO for label in labels]
            _bars(axes, [wrapped(label, 17) for label in labels], read(last), colours)
            if middle:
                axes.plot([values.mean() for values in read(middle)], range(len(labels)), "o",
                          markersize=4.5, markerfacecolor="white", markeredgecolor="black",
                          zorder=4)
            axes.set_xlabel(phrases["change_axis"] if row else "")
        sales.set_title(phrases["market"].format(importer=view.pair.name(importer))
                        + "\n" + phrases["figures"]["gains"]["sales"])
        accounts.set_title(phrases["figures"]["gains"]["accounts"])
    return figure


def probability(view: ResultsView) -> Figure:
    """Share of draws that reach the target, by year and case, on every count."""
    figure, panels = _figure("probability", 3.4, columns=len(view.counts), sharey=True)
    top, phrases = 10.0, words()
    for axes, count in zip(panels, view.counts, strict=True):
        labels = []
        for case in view.cases:
            colour = CASES[case]
            share = 100 * (view.draws("turnover", case, count=count) >= view.target).mean(axis=0)
            axes.plot(view.years, share, color=colour, clip_on=False)
            name = view.case_words if case == "if_implemented" else phrases["cases"][case]
            labels.append((float(share[-1]), wrapped(name, 14), colour))
            top = max(top, 1.15 * float(share.max()))
        axes.set_title(view.pair.name(count))
        axes.set_ylim(0, min(top, 100))
        axes.set_ylabel(phrases["probability_axis"].format(count=view.pair.name(count)))
        _years(axes)
        axes.tick_params(labelleft=True)
        _end_labels(axes, view.last, labels, gap=0.13)
    return figure


FIGURES: dict[str, Callable[[ResultsView], Figure]] = {
    "fan": fan, "history": history, "effect": effect, "probability": probability,
    "directions": directions, "groups": groups, "gains": gains}
NEED_CHANGE = ("effect", "groups", "gains")
NEED_DRAWS = ("probability",)


def figures(view: ResultsView) -> dict[str, Draw]:
    """Give what draws every figure that the results are enough for."""
    left_out = (() if view.changes else NEED_CHANGE) + (NEED_DRAWS if view.point else ())
    return {name: partial(draw, view) for name, draw in FIGURES.items() if name not in left_out}


def _figure(name: str, height: float, key: str = "title", *, columns: int, rows: int = 1,
            names: Mapping[str, Any] | None = None, **options: Any) -> tuple[Figure, list[Axes]]:
    title = words()["figures"][name][key].format(**(names or {}))
    return subplots(title, height, rows, columns, **options)


def _fan(axes: Axes, view: ResultsView, count: str, where: dict[str, Any], flow: int | None, *,
         detail: bool) -> list[tuple[float, str, str]]:
    phrases, name = words(), "turnover" if flow is None else "trade"
    past, then = view.reported(count), view.fitted(count)[:, -1]
    past, start = ((past.sum(axis=1), then.sum(axis=1)) if flow is None
                   else (past[:, flow], then[:, flow]))
    axes.plot(view.history.years, past, "o", color="black", markersize=3)
    years = [view.history.years[-1], *view.years]

    def at(case: str, *levels: float) -> Array:
        values = view.draws(name, case, **where)
        values = values.reshape(len(values), len(view.years), -1).sum(axis=-1)
        first = np.quantile(start, [0.5] * len(levels) if view.point else levels)
        return np.column_stack([first, np.quantile(values, levels, axis=0).reshape(
            len(levels), -1)])

    for (low, high), colour in FAN:
        axes.fill_between(years, *at("reference", low, high), color=colour, linewidth=0)
    if flow is None and not view.point:
        reported = np.quantile(view.draws(REPORTED, "reference", **where), [0.05, 0.95], axis=0)
        for edge in np.column_stack([[past[-1], past[-1]], reported]):
            axes.plot(years, edge, color=REFERENCE, linewidth=0.8, linestyle=(0, (1, 2)))
    middle = at("reference", 0.5)[0]
    axes.plot(years, middle, color=REFERENCE)
    labels = [(middle[-1], phrases["reference_median"], REFERENCE)]
    if view.changes:
        low, scenario, high = at(view.policy, 0.1, 0.5, 0.9)
        for edge in () if view.point else (low, high):
            axes.plot(years, edge, color=SCENARIO, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.plot(years, scenario, color=SCENARIO)
        labels.append((scenario[-1], view.case_words if view.point
                       else phrases["scenario_median"], SCENARIO))
    if detail and not view.point:
        labels += [(at("reference", level)[0, -1], phrases[key], REFERENCE) for level, key in
                   ((0.95, "range_90"), (0.9, "range_80"), (0.75, "range_50"))]
    return labels


def _bars(axes: Axes, labels: Sequence[str], values: Sequence[Array],
          colours: str | Sequence[str]) -> None:
    rows = np.arange(len(labels))
    if not labels:
        axes.set(xticks=[], yticks=[])
        return
    axes.hlines(rows, *np.quantile(values, [0.1, 0.9], axis=1), color="black", linewidth=1.1)
    axes.barh(rows, [drawn.mean() for drawn in values], height=0.62, color=colours, alpha=0.75)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(rows, labels, fontsize=8)
    axes.invert_yaxis()
    horizontal_bars(axes)


def _direction(view: ResultsView, importer: str) -> str:
    return str(words()["direction"].format(**view.flow(importer)))


def _years(axes: Axes, ticks: int = 5) -> None:
    whole_years(axes, ticks)
    axes.tick_params(axis="x", length=3)


def _log_minor(value: float, _: int | None) -> str:
    return tick(value) if pretty(value, 1).lstrip("0.")[:1] in "25" else ""


def _closures(axes: Axes, view: ResultsView, years: Array) -> None:
    for year, share in zip(years, view.history.closed_share, strict=True):
        if share > CLOSED:
            axes.axvspan(year - 0.45, year + 0.45, color="#e6e6e6", zorder=0)
            axes.annotate(words()["corridor_closed"].format(
                corridor=view.pair.corridor.title, share=pretty(100 * share, 2), year=int(year)),
                (year, 0.01), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                fontsize=7.5, color=REFERENCE)


def _end_labels(axes: Axes, x: float, labels: Sequence[tuple[float, str, str]], *,
                gap: float) -> None:
    """Name lines at their right ends, kept `gap` of the panel's height apart."""
    axes.set_ylim(axes.get_ylim())
    heights = axes.transScale.transform([(x, value) for value, _, _ in labels])[:, 1]
    low, high = axes.transScale.transform([(x, edge) for edge in axes.get_ylim()])[:, 1]
    order = np.argsort(heights, kind="stable")
    at = (heights[order] - low) / (high - low)
    for _ in range(50):
        for i in range(len(at) - 1):
            lack = gap - (at[i + 1] - at[i])
            if lack > 1e-6:
                at[i] -= lack / 2
                at[i + 1] += lack / 2
        at += max(0.0, 0.02 - at[0])
    for height, index in zip(at, order, strict=True):
        _, text, colour = labels[index]
        beside(axes, text, (1.0, height), (4, 0), xycoords="axes fraction", color=colour,
               va="center", fontsize=8)
