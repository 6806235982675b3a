"""The outside view in the report: what similar pairs did, beside the run's own answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from tradesim.common.arrays import Array
from tradesim.reference.outside_view import FILE, OutsideView, answer, fan, read_outside_view
from tradesim.reports.colours import IMPLEMENTED, REFERENCE
from tradesim.reports.figure_style import BEHIND, FAN, beside, legend_below, subplots, whole_years
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import in_percent, pretty, words
from tradesim.simulation.outlooks import GDP

LINES: dict[str, tuple[tuple[float, ...], tuple[float, Sequence[float]] | None]] = {
    "median": ((0.5,), None), "80": ((0.10, 0.90), (0, (4, 2))), "90": ((0.05, 0.95), (0, (1, 2)))}
"""Quantiles of the similar pairs that the figure shows, with the dashes of their lines."""


def tables_of(view: ResultsView, folder: Path) -> OutsideView | None:
    """Read the tables of a calibration folder; None without them, or for a run of one draw."""
    return read_outside_view(folder) if (folder / FILE).is_file() and not view.point else None


def growth_of(view: ResultsView) -> Array:
    """Sum of both log changes of GDP since the last statistics; (draw, year)."""
    log_gdp = np.log(np.asarray(view.dataset[GDP].transpose("draw", "year", "country"),
                                dtype=float))
    return np.asarray((log_gdp - view.history.log_gdp[-1]).sum(axis=-1))


def base_of(view: ResultsView) -> float:
    """Give reported turnover of the last statistics on the count of the target, USD million."""
    return float(view.reported(view.pair.target_count)[-1].sum())


def outside_facts(view: ResultsView, tables: OutsideView | None) -> dict[str, Any] | None:
    """Numbers of the sentence: how many similar pairs grew by what the target asks for.

    Returns
    -------
    dict
        ``longest`` and ``years`` (from the last statistics to the last year); where the tables
        reach that far also ``pairs``, ``windows``, ``multiple`` and, in percentage points, ``se``;
        shares ``share`` and ``by_draw``; in per cent the rise ``growth`` of the product of both
        GDPs and the ends ``low`` and ``high`` of its class, where it has them. None without tables.
    """
    if tables is None:
        return None
    years = view.last - view.history.years[-1]
    found: dict[str, Any] = {"longest": tables.longest, "years": years}
    if years > tables.longest:
        return found
    one = answer(tables, base_of(view), view.target, years, growth_of(view)[:, -1])
    return found | {"pairs": one.pairs, "windows": one.windows, "share": one.share,
                    "se": pretty(100.0 * one.se, 2), "by_draw": one.share_by_draw,
                    "multiple": pretty(one.multiple, 2), "growth": in_percent(np.expm1(one.growth)),
                    **{end: in_percent(np.expm1(bound)) for end, bound in
                       (("low", one.growth_from), ("high", one.growth_to)) if np.isfinite(bound)}}


def outside_figure(view: ResultsView, tables: OutsideView) -> Figure:
    """Lay the model's fan, on the count of the target, over what similar pairs did."""
    phrases, start = words()["figures"]["outside"], base_of(view)
    figure, (axes,) = subplots(phrases["title"], 4.0)
    years = np.array([view.history.years[-1], *view.years])
    turnover = view.draws("turnover", "reference", count=view.pair.target_count)
    handles: list[Any] = []
    for (low, high), colour in FAN:
        ends = np.quantile(turnover, [low, high], axis=0)
        axes.fill_between(years, *np.column_stack([[start, start], ends]), color=colour,
                          linewidth=0)
        handles.append(Patch(color=colour, label=phrases["range"].format(
            share=round(100 * (high - low)))))
    axes.plot(years, [start, *np.median(turnover, axis=0)], color=REFERENCE)
    handles.append(Line2D([], [], color=REFERENCE, label=phrases["median"]))
    for name, (levels, dashes) in LINES.items():
        look: dict[str, Any] = {"color": IMPLEMENTED, "linewidth": 1.3, "linestyle": dashes or "-"}
        for values in fan(tables, start, growth_of(view), levels):
            axes.plot(years[:len(values) + 1], [start, *values], **look)
        handles.append(Line2D([], [], label=phrases["others"][name], **look))
    axes.axhline(view.target, color="black", linestyle=(0, (5, 3)), linewidth=1.1)
    beside(axes, view.goal.title, (0.01, view.target), (0, 3), bbox=BEHIND, zorder=5,
           xycoords=("axes fraction", "data"), fontsize=8.5)
    axes.set_ylim(bottom=0)
    axes.set_ylabel(words()["value_axis"].format(count=view.pair.name(view.pair.target_count)))
    whole_years(axes, 6)
    legend_below(figure, handles, loc="outside lower center", ncols=4)
    return figure
