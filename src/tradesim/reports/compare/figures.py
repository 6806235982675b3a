"""The figures of a comparison, in the style of the report's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.compare.facts import outcomes
from tradesim.reports.compare.tables import RANGE, Table, chosen, heat
from tradesim.reports.figure_style import FAN, Draw, beside, horizontal_bars, subplots, whole_years
from tradesim.reports.wording import pretty, words, wrapped
from tradesim.simulation.draws import IMPLEMENTED as IMPLEMENTED_CASE
from tradesim.simulation.draws import SCENARIO as SCENARIO_CASE
from tradesim.studies.compare import (
    CASES,
    CRITERIA,
    Comparison,
    members,
    regret,
)
from tradesim.studies.compare_paths import most_different

COLUMNS = 3
SHOWN = 6
"""Paths drawn in full where the reader picks none."""

HEIGHT, LABEL = 0.29, 46
"""Height of a row in inches, and longest line of its label in characters."""

SMALLEST = 0.1
"""Change (USD million) below which the colours of a heat map are linear."""

ZERO = 0.005
"""Change (USD million) below which a cell says 0."""


def figures(comparison: Comparison, pair: Pair, tables: Sequence[Table],
            shown: Sequence[str] = ()) -> dict[str, Draw]:
    """Give what draws each figure: of policies, of shocks, of the paths `shown`, and the annex.

    By default the paths are those of the policies that differ most.
    """
    paths = list(shown) or most_different(comparison, SHOWN)
    wanted: dict[str, Draw] = {}
    if comparison.policies:
        wanted["ranked"] = partial(dots, comparison, pair)
    if comparison.events:
        wanted["events"] = partial(event_paths, comparison, pair)
    if paths:
        wanted["fans"] = partial(fans, comparison, pair, paths)
    if len(comparison.policies) > 1:
        wanted["best"] = partial(best, comparison, pair)
    if comparison.policies:
        wanted |= {"parties": partial(parties, comparison, pair, tables),
                   "heat": partial(heat_map, comparison, pair)}
    return wanted


def dots(comparison: Comparison, pair: Pair) -> Figure:
    """Policies ranked by what they add to turnover, each with its numbers at the right."""
    rows = outcomes(comparison)
    figure, (axes,) = _figure("ranked", 1.75 + HEIGHT * len(rows), year=comparison.last,
                              count=pair.name(comparison.count))
    phrase, places = words("compare")["figures"]["ranked"], np.arange(len(rows))
    change = [row["implemented"] for row in rows]
    axes.hlines(places, [one.low for one in change], [one.high for one in change],
                color=IMPLEMENTED, linewidth=2.2, alpha=0.6)
    axes.plot([row["median"] for row in rows], places, "|", color=IMPLEMENTED, markersize=9,
              markeredgewidth=1.6)
    axes.plot([one.mean for one in change], places, "D", color=IMPLEMENTED, markersize=5)
    axes.plot([row["average"].mean for row in rows], places, "o", color=SCENARIO, markersize=5.5)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(places, [wrapped(f"{row['rank']}  {row['title']}", LABEL) for row in rows],
                    fontsize=8)
    horizontal_bars(axes, len(rows), ticks=6)
    axes.set_xlabel(phrase["axis"])
    for place, row in zip(places, rows, strict=True):
        _numbers(axes, float(place), pretty(row["average"].mean), pretty(row["implemented"].mean))
    _numbers(axes, -1.0, phrase["short"]["average"], phrase["short"]["implemented"])
    _legend(figure, [(SCENARIO, "o", phrase["average"]), (IMPLEMENTED, "D", phrase["implemented"]),
                     (IMPLEMENTED, "|", phrase["median"])])
    return figure


def _numbers(axes: Axes, row: float, one: str, two: str) -> None:
    """Write the two numbers of a row beside the axes, each in the colour of its mark."""
    where: tuple[Any, Any] = ("axes fraction", "data")
    for text, shift, colour in ((one, 46, SCENARIO), (two, 108, IMPLEMENTED)):
        beside(axes, text, (1.0, row), (shift, 0), xycoords=where, ha="right", va="center",
               fontsize=8, color=colour, annotation_clip=False)


def event_paths(comparison: Comparison, pair: Pair) -> Figure:
    """Draw what each event does to turnover year by year, one small panel each."""
    names = comparison.events
    across = len(names) if len(names) <= COLUMNS + 1 else COLUMNS
    down = -(-len(names) // across)
    figure, panels = _figure("events", 0.75 + 1.75 * down, rows=down, columns=across,
                             used=len(names), sharey=True, count=pair.name(comparison.count))
    for axes, name in zip(panels, names, strict=False):
        change = comparison.change("turnover", name, SCENARIO_CASE,
                                   count=comparison.count) / MILLION
        low, high = np.quantile(change, [0.1, 0.9], axis=0)
        axes.fill_between(comparison.years, low, high, color=SCENARIO, alpha=0.2, linewidth=0)
        axes.plot(comparison.years, change.mean(axis=0), color=SCENARIO)
        axes.axhline(0, color="black", linewidth=0.8)
        axes.set_title(wrapped(comparison.label(name), 84 // across), fontsize=8)
        _years(axes)
    for axes in panels[:len(names):across]:
        axes.set_ylabel(words("compare")["figures"]["events"]["axis"], fontsize=8)
    return figure


def fans(comparison: Comparison, pair: Pair, names: Sequence[str]) -> Figure:
    """Turnover of some scenarios over the baseline's fan: small multiples."""
    rows = -(-len(names) // COLUMNS)
    figure, panels = _figure("fans", 0.9 + 1.75 * rows, rows=rows,
                             columns=min(COLUMNS, len(names)), used=len(names), sharey=True,
                             last=comparison.last,
                             count=pair.name(comparison.count))
    phrase, years = words("compare")["figures"]["fans"], comparison.years
    base = comparison.levels("turnover", comparison.baseline, SCENARIO_CASE,
                             count=comparison.count) / MILLION
    for axes, name in zip(panels, names, strict=False):
        for (low, high), colour in FAN[1:]:
            axes.fill_between(years, *np.quantile(base, [low, high], axis=0), color=colour,
                              linewidth=0)
        axes.plot(years, np.median(base, axis=0), color=REFERENCE)
        for case, colour in zip(CASES, (SCENARIO, IMPLEMENTED), strict=True):
            values = comparison.levels("turnover", name, case, count=comparison.count) / MILLION
            low, median, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
            for edge in (low, high):
                axes.plot(years, edge, color=colour, linewidth=0.8, linestyle=(0, (4, 2)))
            axes.plot(years, median, color=colour, linewidth=1.4)
        if comparison.count == comparison.target_count:
            axes.axhline(comparison.target / MILLION, color="black", linestyle=(0, (1, 2)),
                         linewidth=1.0)
        axes.set_title(wrapped(comparison.label(name), 30), fontsize=8)
        _years(axes)
    panels[0].set_ylim(bottom=0)
    for first in range(0, len(names), COLUMNS):
        panels[first].set_ylabel(phrase["axis"], fontsize=8)
    return figure


def heat_map(comparison: Comparison, pair: Pair) -> Figure:
    """Change by direction, product group and scenario."""
    names = chosen(comparison)
    groups = [pair.name(str(group)) for group in comparison.first["group"].to_numpy()]
    figure, panels = _figure("heat", 2.0 + 2.2 * HEIGHT * max(len(names), 2), rows=2, sharex=True,
                             year=comparison.last, count=pair.name(comparison.count))
    for axes, importer in zip(panels, members(comparison), strict=True):
        _cells(axes, heat(comparison, importer), [comparison.label(name) for name in names], groups)
        axes.set_title(words("compare")["figures"]["heat"]["panel"].format(
            exporter=pair.name(pair.partner(importer)), importer=pair.name(importer)))
    return figure


def parties(comparison: Comparison, pair: Pair, tables: Sequence[Table]) -> Figure:
    """Who gains and who loses in each market, from the tables of sales and of accounts."""
    figure, panels = _figure("parties", 3.2 + 2.2 * HEIGHT * max(len(comparison.policies), 2),
                             rows=2, year=comparison.last)
    phrase = words("compare")["figures"]["parties"]
    for number, (axes, importer) in enumerate(zip(panels, members(comparison), strict=True)):
        sales = [table for table in tables if table.name == "sales"][number]
        accounts = [table for table in tables if table.name == "accounts"][number]
        columns = [phrase["sales"].format(party=column.heading)
                   for column in sales.columns if column.kind == RANGE]
        columns += [column.heading for column in accounts.columns if column.kind == RANGE]
        values = np.array([[cell[0] for cell in (*one[1:], *two[1:])]
                           for one, two in zip(sales.rows, accounts.rows, strict=True)])
        _cells(axes, values, [row[0] for row in sales.rows], columns)
        axes.axvline(len(sales.columns) - 1.5, color="white", linewidth=4)
        axes.set_title(phrase["market"].format(importer=pair.name(importer)))
    return figure


def best(comparison: Comparison, pair: Pair) -> Figure:
    """Share of draws in which each scenario is the best, by criterion."""
    names = [*chosen(comparison), comparison.baseline]
    figure, panels = _figure("best", 1.3 + 0.3 * len(names), columns=len(CRITERIA), sharey=True,
                             last=comparison.last)
    phrase, rows = words("compare")["figures"]["best"], np.arange(len(names))
    for axes, criterion in zip(panels, CRITERIA, strict=True):
        for case, colour, shift in ((SCENARIO_CASE, SCENARIO, -0.19),
                                    (IMPLEMENTED_CASE, IMPLEMENTED, 0.19)):
            one = regret(comparison, criterion, case)
            share = [100 * one.chance[one.names.index(name)] for name in names]
            axes.barh(rows + shift, share, height=0.36, color=colour, alpha=0.85)
        axes.set_title(phrase["panel"].format(criterion=words("compare")["criteria"][criterion]))
        axes.set_yticks(rows, [wrapped(comparison.label(name), 34) for name in names], fontsize=7.5)
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, 100)
        axes.grid(axis="y", visible=False)
        axes.grid(axis="x", visible=True)
        axes.set_xlabel(phrase["axis"])
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    cases = words("compare")["cases"]
    _legend(figure, [(SCENARIO, "s", cases[SCENARIO_CASE]),
                     (IMPLEMENTED, "s", cases[IMPLEMENTED_CASE])])
    return figure


def _figure(name: str, height: float, *, rows: int = 1, columns: int = 1,
            used: int | None = None, sharey: bool = False, sharex: bool = False,
            **names: Any) -> tuple[Figure, list[Axes]]:
    title = words("compare")["figures"][name]["title"].format(**names)
    return subplots(title, height, rows, columns, used=used, sharey=sharey, sharex=sharex)


def _cells(axes: Axes, values: Array, rows: Sequence[str], columns: Sequence[str]) -> None:
    """Fill a matrix with colours by size and sign, and with its numbers."""
    limit = max(float(np.abs(values).max()), SMALLEST * 10)
    norm = SymLogNorm(SMALLEST, vmin=-limit, vmax=limit)
    axes.imshow(values, cmap="PuOr", norm=norm, aspect="auto")
    dark = np.abs(norm(values) - 0.5) > 0.33
    for (row, column), value in np.ndenumerate(values):
        text = axes.text(column, row, pretty(float(value), 2) if abs(value) >= ZERO else "0",
                         ha="center", va="center", fontsize=6.5,
                         color="white" if dark[row, column] else "black")
        text.set_in_layout(False)  # measuring hundreds of numbers would take a second
    axes.set_yticks(range(len(rows)), [wrapped(text, 34) for text in rows], fontsize=7)
    axes.set_xticks(range(len(columns)), [wrapped(text, 14) for text in columns], fontsize=7,
                    rotation=60, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _legend(figure: Figure, marks: Sequence[tuple[str, str, str]]) -> None:
    axes = figure.axes[0]
    handles = [axes.plot([], [], mark, color=colour, markersize=5, label=label)[0]
               for colour, mark, label in marks]
    figure.legend(handles=handles, loc="outside lower left", frameon=False, fontsize=8,
                  ncols=len(handles), handlelength=1.0, handletextpad=0.4, columnspacing=1.2)


def _years(axes: Axes) -> None:
    whole_years(axes, 4)
    axes.tick_params(axis="both", labelsize=8)
