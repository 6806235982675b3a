"""The figures of a comparison, in the style of the report's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.reports.compare.tables import RANGE, Table, heat
from tradesim.reports.figure_style import (
    FAN,
    IMPLEMENTED,
    REFERENCE,
    SCENARIO,
    Draw,
    beside,
    horizontal_bars,
    subplots,
    whole_years,
)
from tradesim.reports.ranges import mean_range
from tradesim.reports.wording import pretty, words, wrapped
from tradesim.simulation.draws import IMPLEMENTED as IMPLEMENTED_CASE
from tradesim.simulation.draws import SCENARIO as SCENARIO_CASE
from tradesim.studies.compare import (
    CASES,
    CRITERIA,
    Comparison,
    members,
    probability,
    ranked,
    regret,
)

COLUMNS = 3
LINES = ("#0072B2", "#C04F00", "#00795A", "#A3497D", "#8A6A00", "#4d4d4d", "#5B2C83", "#B01E3C")
"""Colours of scenarios where lines share a panel; dashes tell further ones apart."""

SMALLEST = 0.1
"""Change (USD million) below which the colours of a heat map are linear."""

ZERO = 0.005
"""Change (USD million) below which a cell says 0."""


def figures(comparison: Comparison, pair: Pair, tables: Sequence[Table]) -> dict[str, Draw]:
    """Give what draws each figure, in the order of the page."""
    drawn: dict[str, Draw] = {name: partial(draw, comparison, pair) for name, draw in (
        ("effects", effects), ("fans", fans), ("chances", chances), ("best", best),
        ("heat", heat_map))}
    return drawn | {"parties": lambda: parties(comparison, pair, tables)}


def fans(comparison: Comparison, pair: Pair) -> Figure:
    """Turnover of each scenario over the baseline's fan: small multiples."""
    names = ranked(comparison)
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


def effects(comparison: Comparison, pair: Pair) -> Figure:
    """Effects on turnover, ranked: dot and 80 % range, one panel for each milestone."""
    names = ranked(comparison)
    figure, panels = _figure("effects", 1.4 + 0.45 * len(names), columns=len(comparison.milestones),
                             sharey=True, count=pair.name(comparison.count))
    rows, phrase = np.arange(len(names)), words("compare")["figures"]["effects"]
    for axes, year in zip(panels, comparison.milestones, strict=True):
        for case, colour, shift in ((SCENARIO_CASE, SCENARIO, -0.15),
                                    (IMPLEMENTED_CASE, IMPLEMENTED, 0.15)):
            values = [mean_range(comparison.change(
                "turnover", name, case, count=comparison.count, year=year), MILLION)
                for name in names]
            centre, low, high = (np.array(part) for part in zip(*values, strict=True))
            axes.hlines(rows + shift, low, high, color=colour, linewidth=1.5)
            axes.plot(centre, rows + shift, "o" if shift < 0 else "D", color=colour, markersize=4.5)
        axes.axvline(0, color="black", linewidth=0.8)
        axes.set_title(str(year))
        axes.set_yticks(rows, [wrapped(comparison.label(name), 24) for name in names], fontsize=8)
        horizontal_bars(axes)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
        axes.set_xlabel(phrase["axis"])
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    _legend(figure, [(SCENARIO, "o", phrase["average"]), (IMPLEMENTED, "D", phrase["implemented"])])
    return figure


def chances(comparison: Comparison, pair: Pair) -> Figure:
    """Probability of the target by year, on its count: risk-weighted and if implemented."""
    figure, panels = _figure("chances", 3.9, columns=2, sharey=True,
                             count=pair.name(comparison.target_count))
    names = [comparison.baseline, *ranked(comparison)]
    top = 0.0
    for axes, case in zip(panels, CASES, strict=True):
        labels = []
        for index, name in enumerate(names):
            share = 100 * probability(comparison, name, case, comparison.target_count)
            colour = "black" if index == 0 else LINES[(index - 1) % len(LINES)]
            dash = (0, (3, 1.5)) if index == 0 or index > len(LINES) else "-"
            axes.plot(comparison.years, share, color=colour, linestyle=dash, linewidth=1.3)
            labels.append((float(share[-1]), wrapped(comparison.label(name), 22), colour))
            top = max(top, float(share.max()))
        axes.set_title(words("compare")["cases"][case])
        _years(axes)
        axes.set_ylim(0, max(10.0, min(100.0, 1.1 * top)))
        _name_lines(axes, labels)
    panels[0].set_ylabel(words("compare")["figures"]["chances"]["axis"])
    return figure


def heat_map(comparison: Comparison, pair: Pair) -> Figure:
    """Change by direction, product group and scenario."""
    names = ranked(comparison)
    groups = [pair.name(str(group)) for group in comparison.first["group"].to_numpy()]
    figure, panels = _figure("heat", 2.0 + 0.55 * max(len(names), 2), rows=2, sharex=True,
                             year=comparison.last, count=pair.name(comparison.count))
    for axes, importer in zip(panels, members(comparison), strict=True):
        _cells(axes, heat(comparison, importer), [comparison.label(name) for name in names], groups)
        axes.set_title(words("compare")["figures"]["heat"]["panel"].format(
            exporter=pair.name(pair.partner(importer)), importer=pair.name(importer)))
    return figure


def parties(comparison: Comparison, pair: Pair, tables: Sequence[Table]) -> Figure:
    """Who gains and who loses in each market, from the tables of sales and of accounts."""
    figure, panels = _figure("parties", 2.7 + 0.5 * max(len(comparison.packages), 2), rows=2,
                             year=comparison.last)
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
    names = [*ranked(comparison), comparison.baseline]
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
        axes.set_yticks(rows, [wrapped(comparison.label(name), 30) for name in names], fontsize=8)
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
    for (row, column), value in np.ndenumerate(values):
        dark = abs(float(norm(value)) - 0.5) > 0.33
        text = axes.text(column, row, pretty(float(value), 2) if abs(value) >= ZERO else "0",
                         ha="center", va="center", fontsize=6.5,
                         color="white" if dark else "black")
        text.set_in_layout(False)  # measuring hundreds of numbers would take a second
    axes.set_yticks(range(len(rows)), [wrapped(text, 26) for text in rows], fontsize=7)
    axes.set_xticks(range(len(columns)), [wrapped(text, 14) for text in columns], fontsize=7,
                    rotation=60, ha="right", rotation_mode="anchor")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def _legend(figure: Figure, marks: Sequence[tuple[str, str, str]]) -> None:
    axes = figure.axes[0]
    handles = [axes.plot([], [], mark, color=colour, markersize=5, label=label)[0]
               for colour, mark, label in marks]
    figure.legend(handles=handles, loc="outside lower left", frameon=False, fontsize=8)


def _name_lines(axes: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Name lines at their right ends, in the order of their ends and evenly apart."""
    low, high = axes.get_ylim()
    order = sorted(labels)
    heights = [sum(1 + text.count("\n") for _, text, _ in order[:index]) + text.count("\n") / 2
               for index, (_, text, _) in enumerate(order)]
    step = min(0.055, 0.98 / (heights[-1] + 1.5))
    middle_at = float(np.mean([value for value, _, _ in order]) - low) / (high - low)
    start = min(max(0.02, middle_at - step * heights[-1] / 2), 0.99 - step * heights[-1])
    for (_, text, colour), height in zip(order, heights, strict=True):
        beside(axes, text, (1.0, start + step * height), (4, 0), xycoords="axes fraction",
               color=colour, va="center", fontsize=7, linespacing=0.95)


def _years(axes: Axes) -> None:
    whole_years(axes, 4)
    axes.tick_params(axis="both", labelsize=8)
