"""Figures of the back-test: past fans against what happened, coverage, PIT, skill by horizon.

Each is a function from the record (`record.read_record`) to a figure that is not yet signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tradesim.common.arrays import MILLION
from tradesim.inputs.specifications import STACKED
from tradesim.reports.figure_style import IMPLEMENTED, QUIET, REFERENCE, SCENARIO, style
from tradesim.reports.wording import MINUS, TEMPLATES
from tradesim.studies.backtest import track_record as record
from tradesim.studies.backtest.track_record import CANDIDATE, HINDSIGHT, RIVAL, TURNOVER

if TYPE_CHECKING:
    import pandas as pd

LIGHT, DARK = "#d9e8f2", "#9ec7e0"
BINS = 5
"""Bars of the PIT histogram: a few dozen outcomes fill no more."""


@cache
def phrases() -> dict[str, Any]:
    """Words of the back-test, from the templates folder."""
    read: dict[str, Any] = yaml.safe_load((TEMPLATES / "backtest.yaml").read_text(encoding="utf-8"))
    return read


def named(model: str) -> str:
    """Name of a model for a reader; a specification goes by its own name."""
    return str(phrases()["models"].get(model, model))


def past_fans(frame: pd.DataFrame, count: str, model: str = STACKED) -> Figure:
    """One small panel per origin: fan of the forecast, and what was reported."""
    rows = record.of(frame, TURNOVER, count, model)
    origins = sorted(rows["origin"].unique())
    words, across = phrases()["figures"]["past_fans"], min(5, len(origins))
    down = -(-len(origins) // across)
    figure = Figure(figsize=(7.0, 0.9 + 1.35 * down), layout="constrained")
    figure.suptitle(words["title"], x=0.01, ha="left")
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    actual = rows.groupby("year")["actual"].first()
    for axes, origin in zip(panels.flat, origins, strict=False):
        _one_fan(axes, rows[rows["origin"] == origin].sort_values("year"), actual, int(origin))
    for axes in list(panels.flat)[len(origins):]:
        axes.set_visible(False)
    first = panels[0, 0]
    first.set_yscale("log")
    low, high = np.exp([rows["p05"].min(), rows["p95"].max()]) / MILLION
    first.set_ylim(0.93 * low, 1.07 * high)
    first.yaxis.set_major_locator(FixedLocator([value for value in _round_numbers()
                                                if low <= value <= high]))
    first.yaxis.set_minor_locator(NullLocator())
    first.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    first.xaxis.set_major_locator(FixedLocator(list(range(2000, 2100, 5))))
    figure.supylabel(words["y"], fontsize=9)
    figure.legend(handles=[
        Patch(color=DARK, label=words["bands"]), Line2D([], [], color=SCENARIO,
                                                        label=words["middle"]),
        Line2D([], [], marker="o", linestyle="", markersize=4, color="black",
               label=words["inside"]),
        Line2D([], [], marker="D", linestyle="", markersize=4, color=IMPLEMENTED,
               label=words["outside"])],
        loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return figure


def _one_fan(axes: Axes, fan: pd.DataFrame, actual: pd.Series, origin: int) -> None:
    quantile = {name: np.exp(fan[name].to_numpy(float)) / MILLION for name in record.QUANTILES}
    years, happened = fan["year"].to_numpy(int), np.exp(fan["actual"].to_numpy(float)) / MILLION
    before = actual[actual.index <= origin]
    axes.plot(before.index, np.exp(before.to_numpy(float)) / MILLION, color="#8a8a8a",
              linewidth=1.2)
    wide = years if len(years) > 1 else np.array([years[0] - 0.3, years[0] + 0.3])
    for low, high, colour in (("p05", "p95", LIGHT), ("p25", "p75", DARK)):
        axes.fill_between(wide, np.broadcast_to(quantile[low], wide.shape),
                          np.broadcast_to(quantile[high], wide.shape), color=colour, linewidth=0)
    axes.plot(wide, np.broadcast_to(quantile["p50"], wide.shape), color=SCENARIO, linewidth=1.3)
    held = fan["covered90"].to_numpy(float) > 0
    axes.plot(years[held], happened[held], "o", color="black", markersize=3, zorder=4)
    axes.plot(years[~held], happened[~held], "D", color=IMPLEMENTED, markersize=3.5, zorder=4)
    axes.set_title(str(origin), fontsize=8.5)
    axes.tick_params(labelsize=8, length=2)


def _round_numbers() -> list[float]:
    return [lead * 10.0**power for power in range(-3, 7) for lead in (1, 2, 5)]


def coverage(frame: pd.DataFrame, count: str, model: str = STACKED) -> Figure:
    """Share of outcomes inside the central 50 % and 90 % by horizon, rivals in grey."""
    rows, words = record.of(frame, TURNOVER, count), phrases()["figures"]["coverage"]
    table = record.by_horizon(rows)
    figure, panels = _panels(words["title"], 2, 2.7)
    for axes, level in zip(panels, (50, 90), strict=True):
        axes.axhline(level, color="black", linewidth=1.0, linestyle=(0, (5, 3)))
        for name in record.models_of(rows, RIVAL):
            _line(axes, table, name, f"covered{level}", color="#b5b5b5", linewidth=1.0)
        _line(axes, table, model, f"covered{level}", color=SCENARIO, marker="o", markersize=5,
              clip_on=False, zorder=5)
        axes.set_title(words["panel"].format(level=level))
        axes.set_ylim(0, 102)
        axes.set_xlabel(words["x"])
        _whole(axes, table)
    panels[0].set_ylabel(words["y"])
    figure.legend(handles=[
        Line2D([], [], color=SCENARIO, marker="o", markersize=5, label=named(model)),
        Line2D([], [], color="#b5b5b5", linewidth=1.0, label=words["rivals"]),
        Line2D([], [], color="black", linewidth=1.0, linestyle=(0, (5, 3)),
               label=words["meant"])],
        loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def skill(frame: pd.DataFrame, count: str) -> Figure:
    """Skill by horizon: the stack, its range without one origin, hindsight, single candidates."""
    rows, words = record.of(frame, TURNOVER, count), phrases()["figures"]["skill"]
    figure, (axes,) = _panels(words["title"], 1, 2.9)
    found = record.skill(rows, STACKED)
    x = np.array(found.horizons)
    axes.axhline(0, color="black", linewidth=0.9)
    for name in record.models_of(rows, CANDIDATE):
        axes.plot(x, record.skill(rows, name).skill, "_", color="#9a9a9a", markersize=11)
    axes.vlines(x, found.without.min(axis=0), found.without.max(axis=0), color=SCENARIO,
                linewidth=1.6, alpha=0.55)
    axes.plot(x, found.skill, "o", color=SCENARIO, markersize=6, zorder=5)
    axes.plot(x + 0.1, record.skill(rows, HINDSIGHT).skill, "o", markersize=5.5,
              markerfacecolor="white", markeredgecolor=IMPLEMENTED, zorder=4)
    names = [named(rival) for rival in found.rival]
    axes.set_xticks(x, [f"{h}\n{name}" for h, name in zip(x, names, strict=True)], fontsize=8)
    axes.set_xlim(0.6, x[-1] + 0.4)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(words["x"])
    axes.set_ylabel(words["y"])
    axes.yaxis.set_major_formatter(FuncFormatter(
        lambda value, _: f"{100 * value:.0f} %".replace("-", MINUS)))
    axes.legend(handles=[
        Line2D([], [], marker="o", linestyle="", color=SCENARIO, label=words["now"]),
        Line2D([], [], color=SCENARIO, alpha=0.55, label=words["bar"]),
        Line2D([], [], marker="o", linestyle="", markerfacecolor="white",
               markeredgecolor=IMPLEMENTED, label=words["hindsight"]),
        Line2D([], [], marker="_", linestyle="", markersize=11, color="#9a9a9a",
               label=words["singles"])],
        loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    return figure


def pit(frame: pd.DataFrame, count: str, model: str = STACKED) -> Figure:
    """Histogram of the share of each forecast that lay below the outcome."""
    rows, words = record.of(frame, TURNOVER, count, model), phrases()["figures"]["pit"]
    figure, (axes,) = _panels(words["title"], 1, 2.5)
    edges = np.linspace(0, 1, BINS + 1)
    counts, _ = np.histogram(rows["pit"], edges)
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=SCENARIO, alpha=0.7,
             edgecolor="white")
    axes.axhline(len(rows) / BINS, color=REFERENCE, linewidth=1.0, linestyle=(0, (5, 3)))
    axes.annotate(words["even"], (1.0, len(rows) / BINS), xytext=(4, 0), va="center", fontsize=8,
                  textcoords="offset points", color=REFERENCE, annotation_clip=False)
    axes.set_xlim(0, 1)
    axes.set_xlabel(words["x"])
    axes.set_ylabel(words["y"])
    axes.grid(axis="x", visible=False)
    return figure


def figures(frame: pd.DataFrame, count: str) -> Iterator[tuple[str, Figure]]:
    """Draw all figures of a back-test, one at a time."""
    for draw in (past_fans, skill, coverage, pit):
        with style(draw.__name__):
            figure = draw(frame, count)
        yield draw.__name__, figure


def _panels(title: str, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(7.0, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    return figure, list(figure.subplots(1, columns, squeeze=False, sharey=True).flat)


def _line(axes: Axes, table: pd.DataFrame, model: str, column: str, **look: Any) -> None:
    part = table[table["model"] == model]
    axes.plot(part["horizon"], 100 * part[column], **look)


def _whole(axes: Axes, table: pd.DataFrame) -> None:
    axes.xaxis.set_major_locator(FixedLocator(sorted(table["horizon"].unique())))
    axes.grid(axis="x", visible=False)
    axes.tick_params(axis="x", length=3, colors=QUIET, labelcolor="black")
