"""What `tradesim backtest` writes: tables, figures, a page, and terminal lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tradesim.common.arrays import MILLION
from tradesim.common.output import whole_file
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import QUIET, Draw, beside, subplots, tick
from tradesim.reports.html_page import FIGURES, PAGE, render, write_figures
from tradesim.reports.skill import (
    horizon_rows,
    log,
    named,
    origin_rows,
    percent,
    sharpness_rows,
    summary,
)
from tradesim.reports.terminal import columns
from tradesim.reports.wording import MINUS, words
from tradesim.studies.backtest import track_record as record
from tradesim.studies.backtest.backtest import Backtest
from tradesim.studies.backtest.benchmarks import OPEN
from tradesim.studies.backtest.cells import Cell
from tradesim.studies.backtest.track_record import (
    MODEL,
    PROBE,
    RIVAL,
    RIVAL_ALL_YEARS,
    SHIPPED,
    TURNOVER,
)

if TYPE_CHECKING:
    import pandas as pd

TABLE, ABOUT = record.FILE, "backtest.yaml"
OUTPUTS = (TABLE, ABOUT, PAGE, FIGURES)
"""What a back-test writes."""

LIGHT, DARK, FAINT = "#d9e8f2", "#9ec7e0", "#b5b5b5"
BINS = 5
"""Bars of the PIT histogram: a few dozen outcomes fill no more."""


def model_rows(rows: pd.DataFrame) -> list[list[str]]:
    """Mean scores of every model, each horizon counting the same, as texts.

    `rows` are those of one target and count.
    """
    table = record.overall(rows)
    order = {kind: rank for rank, kind in enumerate((SHIPPED, RIVAL, RIVAL_ALL_YEARS, PROBE))}
    table = table.assign(order=table["kind"].map(order)).sort_values(["order", "crps"],
                                                                     kind="stable")
    lines, kinds = [], words("backtest")["kinds"]
    for model, row in table.iterrows():
        name = str(model)
        lines.append([named(name), kinds[row["kind"]], log(row["crps"]),
                      percent(record.skill(rows, name).mean()), percent(row["covered90"]),
                      percent(row["covered50"]), log(row["bias"], "+"),
                      f"{row['log_score']:.2f}".replace("-", MINUS)])
    return lines


def outcome(frame: pd.DataFrame, plan: Backtest) -> str:
    """Give the lines for the terminal."""
    heads, count = words("backtest")["columns"], plan.pair.target_count
    rows = record.of(frame, TURNOVER, count)
    return "\n".join([
        f"Turnover, {plan.pair.name(count)}, origins {plan.origins[0]} to {plan.origins[-1]}: "
        f"{named(MODEL)}; errors of logs", columns([heads["horizon"], *horizon_rows(rows, MODEL)]),
        "", summary(rows, MODEL), "", columns([heads["models"], *model_rows(rows)])])


def write(frame: pd.DataFrame, plan: Backtest, cells: Sequence[Cell], folder: Path,
          command: str) -> None:
    """Write record, figures, page and how it was made into an existing folder."""
    record.write_record(frame, folder / TABLE)
    notes: dict[str, Any] = {}
    for cell in cells:
        notes.setdefault(cell.model, {})[cell.origin] = {
            key: float(f"{value:.5g}") if isinstance(value, float) else value
            for key, value in cell.note.items()}
    about = {"command": command, **plan.identity, "fits": notes}
    (folder / ABOUT).write_text(yaml.safe_dump(about, sort_keys=False, allow_unicode=True,
                                               width=100), encoding="utf-8")
    drawn = write_figures(figures(frame, plan.pair.target_count), folder)
    (folder / PAGE).write_text(_page(frame, plan, drawn, command), encoding="utf-8")


def _page(frame: pd.DataFrame, plan: Backtest, drawn: Mapping[str, str], command: str) -> str:
    heads, tables = words("backtest")["columns"], []
    for target, count in plan.series:
        rows = record.of(frame, target, count)
        name = plan.pair.name(count)
        what = "Turnover" if target == TURNOVER else (
            f"From {plan.pair.name(plan.pair.partner(target))} to {plan.pair.name(target)}")
        tables.append({"title": f"{what}, {name}: {named(MODEL)}", "columns": heads["horizon"],
                       "rows": horizon_rows(rows, MODEL)})
        if (target, count) == (TURNOVER, plan.pair.target_count):
            tables += [{"title": f"{what}, {name}: {title}", "columns": heads[key], "rows": lines}
                       for title, key, lines in (
                           ("by origin, mean CRPS from the second year on", "origins",
                            origin_rows(rows, MODEL)),
                           ("how wide the ranges were", "sharpness", sharpness_rows(rows, MODEL)),
                           ("all models", "models", model_rows(rows)))]
    rows = record.of(frame, TURNOVER, plan.pair.target_count)
    errors = record.track_record(frame, plan.pair.target_count)["horizons"]
    near, far = ({"ahead": h, **errors[h]} for h in (min(errors), max(errors)))
    return render(
        "backtest.html.j2", "", pair=plan.pair, tables=tables, near=near, far=far,
        drawn=drawn, again=command, f=_facts(rows),
        summary=summary(rows, MODEL), count=plan.pair.name(plan.pair.target_count),
        origins=plan.origins, last=plan.years[-1])


def _facts(rows: pd.DataFrame) -> dict[str, Any]:
    """Numbers of the answer, from the forecasts of turnover on the headline count."""
    mine, scores = rows[rows["model"] == MODEL], record.skill(rows, MODEL)
    each = mine.groupby("horizon").size()
    first = min(2, len(scores.horizons))
    found, held = scores.range(first), record.overall(rows)
    return {"forecasts": len(mine), "fewest": int(each.min()), "most": int(each.max()),
            "outcomes": int(mine["year"].nunique()),
            "better": found.skill > 0, "skill": percent(abs(found.skill)),
            "unsure": not found.low > 0 if found.skill > 0 else not found.high < 0,
            **{f"held{level}": percent(held[f"covered{level}"][MODEL]) for level in (50, 90)}}


def keep(frame: pd.DataFrame, folder: Path) -> None:
    """Put the record into a calibration folder, whole."""
    with whole_file(folder / TABLE, option="--keep") as work:
        record.write_record(frame, work)


def past_fans(frame: pd.DataFrame, count: str, model: str = MODEL) -> Figure:
    """One small panel per origin: fan of the forecast, and what was reported."""
    rows = record.of(frame, TURNOVER, count, model)
    origins = sorted(rows["origin"].unique())
    phrases, across = words("backtest")["figures"]["past_fans"], min(5, len(origins))
    down = -(-len(origins) // across)
    figure, panels = subplots(phrases["title"], 0.9 + 1.35 * down, down, across, used=len(origins),
                              sharex=True, sharey=True)
    actual = rows.groupby("year")["actual"].first()
    for axes, origin in zip(panels, origins, strict=False):
        _one_fan(axes, rows[rows["origin"] == origin].sort_values("year"), actual, int(origin))
    first = panels[0]
    first.set_yscale("log")
    low, high = np.exp([rows["p05"].min(), rows["p95"].max()]) / MILLION
    first.set_ylim(0.93 * low, 1.07 * high)
    first.yaxis.set_major_locator(FixedLocator([value for value in _round_numbers()
                                                if low <= value <= high]))
    first.yaxis.set_minor_locator(NullLocator())
    first.yaxis.set_major_formatter(FuncFormatter(tick))
    first.xaxis.set_major_locator(FixedLocator(list(range(2000, 2100, 5))))
    figure.supylabel(phrases["y"], fontsize=9)
    figure.legend(handles=[
        Patch(color=DARK, label=phrases["bands"]), Line2D([], [], color=SCENARIO,
                                                        label=phrases["middle"]),
        Line2D([], [], marker="o", linestyle="", markersize=4, color="black",
               label=phrases["inside"]),
        Line2D([], [], marker="D", linestyle="", markersize=4, color=IMPLEMENTED,
               label=phrases["outside"])],
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


def coverage(frame: pd.DataFrame, count: str, model: str = MODEL) -> Figure:
    """Share of outcomes inside the central 50 % and 90 % by horizon, rivals in grey."""
    rows, phrases = record.of(frame, TURNOVER, count), words("backtest")["figures"]["coverage"]
    table = record.by_horizon(rows)
    figure, panels = subplots(phrases["title"], 2.7, columns=2, sharey=True)
    for axes, level in zip(panels, (50, 90), strict=True):
        axes.axhline(level, color="black", linewidth=1.0, linestyle=(0, (5, 3)))
        for name in record.models_of(rows, RIVAL):
            _line(axes, table, name, f"covered{level}", color=FAINT, linewidth=1.0)
        _line(axes, table, model, f"covered{level}", color=SCENARIO, marker="o", markersize=5,
              clip_on=False, zorder=5)
        axes.set_title(phrases["panel"].format(level=level))
        axes.set_ylim(0, 102)
        axes.set_xlabel(phrases["x"])
        _whole(axes, table)
    panels[0].set_ylabel(phrases["y"])
    figure.legend(handles=[
        Line2D([], [], color=SCENARIO, marker="o", markersize=5, label=named(model)),
        Line2D([], [], color=FAINT, linewidth=1.0, label=phrases["rivals"]),
        Line2D([], [], color="black", linewidth=1.0, linestyle=(0, (5, 3)),
               label=phrases["meant"])],
        loc="outside lower center", ncols=3, frameon=False, fontsize=8)
    return figure


def skill(frame: pd.DataFrame, count: str) -> Figure:
    """Skill by horizon with its 90 % interval over origins."""
    rows, phrases = record.of(frame, TURNOVER, count), words("backtest")["figures"]["skill"]
    figure, (axes,) = subplots(phrases["title"], 2.9)
    scores = record.skill(rows, MODEL)
    x = np.array(scores.horizons)
    axes.axhline(0, color="black", linewidth=0.9)
    each = [scores.range(h, h) for h in scores.horizons]
    axes.vlines(x, [one.low for one in each], [one.high for one in each], color=SCENARIO,
                linewidth=1.6, alpha=0.55)
    axes.plot(x, scores.skill, "o", color=SCENARIO, markersize=6, zorder=5)
    axes.plot(x - 0.1, record.skill(rows, MODEL, RIVAL_ALL_YEARS).skill, "x", color=REFERENCE,
              markersize=6, zorder=4)
    names = [named(rival.removesuffix(OPEN)) for rival in scores.rival]
    axes.set_xticks(x, [f"{h}\n{name}" for h, name in zip(x, names, strict=True)], fontsize=8)
    axes.set_xlim(0.6, x[-1] + 0.4)
    axes.grid(axis="x", visible=False)
    axes.set_xlabel(phrases["x"])
    axes.set_ylabel(phrases["y"])
    axes.yaxis.set_major_formatter(FuncFormatter(
        lambda value, _: f"{100 * value:.0f} %".replace("-", MINUS)))
    axes.legend(handles=[
        Line2D([], [], marker="o", linestyle="", color=SCENARIO, label=phrases["now"]),
        Line2D([], [], color=SCENARIO, alpha=0.55, label=phrases["bar"]),
        Line2D([], [], marker="x", linestyle="", color=REFERENCE, label=phrases["every_year"])],
        loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False, fontsize=8)
    return figure


def pit(frame: pd.DataFrame, count: str, model: str = MODEL) -> Figure:
    """Histogram of the share of each forecast that lay below the outcome."""
    rows, phrases = record.of(frame, TURNOVER, count, model), words("backtest")["figures"]["pit"]
    figure, (axes,) = subplots(phrases["title"], 2.5)
    edges = np.linspace(0, 1, BINS + 1)
    counts, _ = np.histogram(rows["pit"], edges)
    axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=SCENARIO, alpha=0.7,
             edgecolor="white")
    axes.axhline(len(rows) / BINS, color=REFERENCE, linewidth=1.0, linestyle=(0, (5, 3)))
    beside(axes, phrases["even"], (1.0, len(rows) / BINS), (4, 0), va="center", fontsize=8,
           color=REFERENCE, annotation_clip=False)
    axes.set_xlim(0, 1)
    axes.set_xlabel(phrases["x"])
    axes.set_ylabel(phrases["y"])
    axes.grid(axis="x", visible=False)
    return figure


def figures(frame: pd.DataFrame, count: str) -> dict[str, Draw]:
    """Give what draws each figure of a back-test."""
    return {draw.__name__: partial(draw, frame, count)
            for draw in (past_fans, skill, coverage, pit)}


def _line(axes: Axes, table: pd.DataFrame, model: str, column: str, **look: Any) -> None:
    part = table[table["model"] == model]
    axes.plot(part["horizon"], 100 * part[column], **look)


def _whole(axes: Axes, table: pd.DataFrame) -> None:
    axes.xaxis.set_major_locator(FixedLocator(sorted(table["horizon"].unique())))
    axes.grid(axis="x", visible=False)
    axes.tick_params(axis="x", length=3, colors=QUIET, labelcolor="black")
