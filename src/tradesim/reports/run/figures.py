"""The figures of a report: each a function from a story (results and their past) to a figure.

Style, colours and files are those of `drawing`. Words stand in `templates/words.yaml`, names of
countries, groups and counts come from the pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tradesim.common.arrays import MILLION, Array
from tradesim.reports.figure_style import (
    CASES,
    COUNTS,
    FAN,
    IMPLEMENTED,
    QUIET,
    REFERENCE,
    SCENARIO,
    sign,
    style,
)
from tradesim.reports.run.facts import account_changes, supplier_changes
from tradesim.reports.run.view import NOTHING, Story
from tradesim.reports.wording import MINUS, plain, together, words, wrapped

# Bars shown before the smallest are summed into one.
BARS = 8
# A group whose change is less than this share of the largest joins that sum too.
SMALL = 0.02
# A year is shaded when the corridor was closed for more of it than this share.
CLOSED = 0.2


def history(story: Story) -> Figure:
    """Trade as reported on every count by direction, with the fitted path and its 80 % band."""
    figure, panels = _figure("history", 7.0, 3.6, columns=2)
    phrases, years = words(), np.array(story.history.years)
    for place, (axes, importer) in enumerate(zip(panels, story.pair.importers, strict=True)):
        axes.set_yscale("log")
        labels = []
        for count, colour in zip(story.pair.counts, COUNTS, strict=False):
            low, middle, high = np.quantile(story.fitted(count)[:, :, place], [.1, .5, .9], axis=0)
            axes.fill_between(years, low, high, color=colour, alpha=0.18, linewidth=0)
            axes.plot(years, middle, color=colour, linewidth=1.4)
            axes.plot(years, story.reported(count)[:, place], "o", color=colour, markersize=4)
            labels.append((middle[-1], wrapped(story.pair.name(count), 12), colour))
        axes.set_title(_direction(story, importer))
        axes.yaxis.set_major_formatter(FuncFormatter(_tick))
        axes.yaxis.set_minor_formatter(FuncFormatter(_log_minor))
        axes.tick_params(axis="y", which="minor", labelsize=9)
        axes.set_ylim(axes.get_ylim()[0] / 1.5)
        _years(axes)
        _closures(axes, story, years)
        _end_labels(axes, years[-1], labels, gap=0.13)
    panels[0].set_ylabel(phrases["value_axis_log"])
    return figure


def fan(story: Story) -> Figure:
    """Turnover: the reference fan against the scenario, with the past and the target."""
    figure, panels = _figure("fan", 7.0, 4.0, columns=len(story.counts), last=story.last,
                             key="title" if story.changes else "title_reference",
                             widths=[1.75] + [1.0] * (len(story.counts) - 1), sharey=True)
    target = story.dataset.attrs["target_value"] / MILLION
    lines = [_fan(axes, story, count, {"count": count}, None, detail=count == story.count)
             for axes, count in zip(panels, story.counts, strict=True)]
    panels[0].set_ylim(0, max(panels[0].get_ylim()[1], 1.1 * target))
    for axes, count, labels in zip(panels, story.counts, lines, strict=True):
        _end_labels(axes, story.last, labels, gap=0.055)
        axes.set_title(story.pair.name(count))
        _years(axes, 5 if count == story.count else 3)
        if count == story.pair.target_count:
            axes.axhline(target, color="black", linestyle=(0, (5, 3)), linewidth=1.1)
            goal = story.pair.goal(float(story.dataset.attrs["target_value"]))
            axes.annotate(goal.title, (0.01, target), xytext=(0, 3),
                          xycoords=("axes fraction", "data"), textcoords="offset points",
                          fontsize=8.5)
    panels[0].set_ylabel(words()["per_year"])
    return figure


def directions(story: Story) -> Figure:
    """Trade of each direction: the reference fan against the scenario, with the past."""
    figure, panels = _figure("directions", 7.0, 3.6, columns=2, last=story.last,
                             key="title" if story.changes else "title_reference")
    for place, (axes, importer) in enumerate(zip(panels, story.pair.importers, strict=True)):
        labels = _fan(axes, story, story.count,
                      {"count": story.count, "importer": importer}, place, detail=True)
        axes.set_ylim(bottom=0)
        _end_labels(axes, story.last, labels, gap=0.06)
        axes.set_title(_direction(story, importer))
        _years(axes)
    panels[0].set_ylabel(words()["value_axis"].format(count=story.pair.name(story.count)))
    return figure


def effect(story: Story) -> Figure:
    """Turnover of the scenario less the reference, by year, in USD million and in per cent."""
    figure, panels = _figure("effect", 7.0, 3.6, columns=2)
    phrases, years, base = words(), story.years, story.draws(
        "turnover", "reference", count=story.count)
    for axes, scale in zip(panels, (np.ones_like(base), 100 / base), strict=True):
        shown = {case: scale * story.change("turnover", case, count=story.count)
                 for case in ("scenario", "if_implemented")}
        axes.axhline(0, color=REFERENCE, linewidth=0.9)
        mean = shown["if_implemented"].mean(axis=0)
        axes.plot(years, mean, color=IMPLEMENTED)
        labels = [(mean[-1], wrapped(phrases["cases"]["if_implemented"] if story.point
                                     else phrases["implemented_mean"], 15), IMPLEMENTED)]
        if not story.point:
            labels += _bands(axes, years, shown)
        _years(axes)
        _end_labels(axes, story.last, labels, gap=0.1)
    panels[0].set_ylabel(phrases["change_axis_count"].format(count=story.pair.name(story.count)))
    panels[1].set_ylabel(phrases["percent_axis"])
    return figure


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


def groups(story: Story) -> Figure:
    """Change of each product group's trade in the last year, by direction, as sorted bars."""
    phrases, (figure, panels) = words(), _figure("groups", 7.0, 4.6, columns=2, last=story.last)
    for axes, importer in zip(panels, story.pair.importers, strict=True):
        where = {"count": story.count, "year": story.last, "importer": importer}
        change = story.change("trade", "if_implemented", **where)
        levels = [story.draws("trade", case, **where) for case in ("reference", "if_implemented")]
        names = [wrapped(story.pair.name(str(group)), 20)
                 for group in story.dataset["group"].values]
        size = np.abs(change.mean(axis=0))
        order = [int(place) for place in np.argsort(-size, kind="stable")
                 if np.abs(change[:, place]).max() >= NOTHING]
        bars = min(BARS, int((size[order] >= SMALL * size.max()).sum()))
        sets = [[place] for place in order[:bars]]
        labels = [names[place] for place in order[:bars]]
        if len(order) > bars:
            sets.append(order[bars:])
            labels.append(wrapped(phrases["rest"].format(number=len(order) - bars), 20))
        _bars(axes, labels, [change[:, places].sum(axis=1) for places in sets], IMPLEMENTED)
        for row, places in enumerate(sets):
            before, after = together([float(np.median(level[:, places].sum(axis=1)))
                                      for level in levels])
            _beside(axes, f"{before} → {after}", row)
        axes.set_title(_direction(story, importer))
        if not sets:
            axes.annotate(phrases["figures"]["groups"]["none"], (0.5, 0.5), fontsize=9,
                          xycoords="axes fraction", ha="center", color=QUIET)
            continue
        _beside(axes, phrases["figures"]["groups"]["levels"], -0.75)
        axes.set_xlabel(wrapped(phrases["change_axis_count"].format(
            count=story.pair.name(story.count)), 32))
    deepest = max(axes.get_ylim()[0] for axes in panels)
    for axes in panels:
        axes.set_ylim(deepest, -1.1)
    return figure


def _beside(axes: Axes, text: str, row: float) -> None:
    axes.annotate(text, (1.0, row), fontsize=8, xycoords=("axes fraction", "data"), xytext=(3, 0),
                  va="center", textcoords="offset points", color=REFERENCE)


def gains(story: Story) -> Figure:
    """Who gains and who loses in each market: suppliers' sales, buyers, makers, border revenue."""
    last, phrases = story.last, words()
    middle = story.milestones[0] if len(story.milestones) > 1 else None
    figure, panels = _figure("gains", 7.0, 5.2, columns=2, rows=2,
                             key="title" if middle else "title_one", last=last, middle=middle)
    for row, importer in enumerate(story.pair.importers):
        sales, accounts = panels[2 * row: 2 * row + 2]
        for axes, (labels, read) in zip((sales, accounts), (
                supplier_changes(story, importer), account_changes(story, importer)), strict=True):
            colours = [IMPLEMENTED if label == story.pair.name(story.pair.partner(importer))
                       else SCENARIO for label in labels]
            _bars(axes, [wrapped(label, 17) for label in labels], read(last), colours)
            if middle:
                axes.plot([values.mean() for values in read(middle)], range(len(labels)), "o",
                          markersize=4.5, markerfacecolor="white", markeredgecolor="black",
                          zorder=4)
            axes.set_xlabel(phrases["change_axis"] if row else "")
        sales.set_title(_market(story, importer) + "\n" + phrases["figures"]["gains"]["sales"])
        accounts.set_title(phrases["figures"]["gains"]["accounts"])
    return figure


def probability(story: Story) -> Figure:
    """Share of draws that reach the target, by year and case, on every count."""
    figure, panels = _figure("probability", 7.0, 3.4, columns=len(story.counts), sharey=True)
    target, phrases = story.dataset.attrs["target_value"] / MILLION, words()
    top = 10.0
    for axes, count in zip(panels, story.counts, strict=True):
        labels = []
        for case in story.cases:
            colour = CASES[case]
            share = 100 * (story.draws("turnover", case, count=count) >= target).mean(axis=0)
            axes.plot(story.years, share, color=colour, clip_on=False)
            labels.append((float(share[-1]), wrapped(phrases["cases"][case], 14), colour))
            top = max(top, 1.15 * float(share.max()))
        axes.set_title(story.pair.name(count))
        axes.set_ylim(0, min(top, 100))
        axes.set_ylabel(phrases["probability_axis"].format(count=story.pair.name(count)))
        _years(axes)
        axes.tick_params(labelleft=True)
        _end_labels(axes, story.last, labels, gap=0.13)
    return figure


FIGURES: dict[str, Callable[[Story], Figure]] = {
    "fan": fan, "history": history, "effect": effect, "probability": probability,
    "directions": directions, "groups": groups, "gains": gains}
NEED_CHANGE = ("effect", "groups", "gains")
NEED_DRAWS = ("probability",)


def figures(story: Story) -> Iterator[tuple[str, Figure]]:
    """Draw every figure that the story needs, one at a time."""
    for name, draw in FIGURES.items():
        if name not in (() if story.changes else NEED_CHANGE) + (NEED_DRAWS if story.point else ()):
            with style(name):
                figure = draw(story)
                sign(figure, str(story.dataset.attrs["run_id"]))
            yield name, figure


def _figure(name: str, width: float, height: float, *, columns: int, rows: int = 1,
            widths: Sequence[float] | None = None, sharey: bool = False, key: str = "title",
            **names: Any) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, width_ratios=widths, sharey=sharey)
    figure.suptitle(words()["figures"][name][key].format(**names), x=0.01, ha="left")
    return figure, list(panels.flat)


def _fan(axes: Axes, story: Story, count: str, where: dict[str, Any], place: int | None, *,
         detail: bool) -> list[tuple[float, str, str]]:
    phrases, name = words(), "turnover" if place is None else "trade"
    past, then = story.reported(count), story.fitted(count)[:, -1]
    past, start = ((past.sum(axis=1), then.sum(axis=1)) if place is None
                   else (past[:, place], then[:, place]))
    axes.plot(story.history.years, past, "o", color="black", markersize=3)
    years = [story.history.years[-1], *story.years]

    def at(case: str, *levels: float) -> Array:
        values = story.draws(name, case, **where)
        values = values.reshape(len(values), len(story.years), -1).sum(axis=-1)
        first = np.quantile(start, [0.5] * len(levels) if story.point else levels)
        return np.column_stack([first, np.quantile(values, levels, axis=0).reshape(
            len(levels), -1)])

    for (low, high), colour in FAN:
        axes.fill_between(years, *at("reference", low, high), color=colour, linewidth=0)
    middle = at("reference", 0.5)[0]
    axes.plot(years, middle, color=REFERENCE)
    labels = [(middle[-1], phrases["reference_median"], REFERENCE)]
    if story.changes:
        low, scenario, high = at(story.policy, 0.1, 0.5, 0.9)
        for edge in () if story.point else (low, high):
            axes.plot(years, edge, color=SCENARIO, linewidth=0.9, linestyle=(0, (4, 2)))
        axes.plot(years, scenario, color=SCENARIO)
        labels.append((scenario[-1], phrases["cases"]["if_implemented"] if story.point
                       else phrases["scenario_median"], SCENARIO))
    if detail and not story.point:
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
    axes.tick_params(axis="y", length=0)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(FuncFormatter(_tick))


def _direction(story: Story, importer: str) -> str:
    return str(words()["direction"].format(
        exporter=story.pair.name(story.pair.partner(importer)), importer=story.pair.name(importer)))


def _market(story: Story, importer: str) -> str:
    return str(words()["market"].format(importer=story.pair.name(importer)))


def _years(axes: Axes, ticks: int = 5) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=[1, 2, 5, 10]))
    axes.margins(x=0.02)
    axes.tick_params(axis="x", length=3)
    axes.grid(axis="x", visible=False)


def _tick(value: float, _: int | None = None) -> str:
    return f"{value:g}".replace("-", MINUS)


def _log_minor(value: float, _: int | None) -> str:
    return _tick(value) if plain(value, 1).lstrip("0.")[:1] in "25" else ""


def _closures(axes: Axes, story: Story, years: Array) -> None:
    for year, share in zip(years, story.history.closed_share, strict=True):
        if share > CLOSED:
            axes.axvspan(year - 0.45, year + 0.45, color="#e6e6e6", zorder=0)
            axes.annotate(words()["corridor_closed"].format(
                corridor=story.pair.corridor.title, share=plain(100 * share, 2), year=int(year)),
                (year, 0.01), xycoords=("data", "axes fraction"), ha="center", va="bottom",
                fontsize=7.5, color=REFERENCE)


def _end_labels(axes: Axes, x: float, labels: Sequence[tuple[float, str, str]], *,
                gap: float) -> None:
    """Name lines at their right ends, kept `gap` of the panel's height apart."""
    axes.set_ylim(axes.get_ylim())
    heights = axes.transScale.transform([(x, value) for value, _, _ in labels])[:, 1]
    low, high = axes.transScale.transform([(x, edge) for edge in axes.get_ylim()])[:, 1]
    order = np.argsort(heights, kind="stable")
    places = (heights[order] - low) / (high - low)
    for _ in range(50):
        for i in range(len(places) - 1):
            lack = gap - (places[i + 1] - places[i])
            if lack > 1e-6:
                places[i] -= lack / 2
                places[i + 1] += lack / 2
        places += max(0.0, 0.02 - places[0])
    for place, index in zip(places, order, strict=True):
        _, text, colour = labels[index]
        axes.annotate(text, (1.0, place), xycoords="axes fraction", xytext=(4, 0),
                      textcoords="offset points", color=colour, va="center", fontsize=8)
