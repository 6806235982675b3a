"""Figures of a sweep: tornado, heat map, rank correlation, screening, shares of the variance."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from tradesim.common.arrays import MILLION
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import COUNTS, QUIET, Draw, beside, horizontal_bars, subplots
from tradesim.reports.wording import pretty, words, wrapped
from tradesim.studies.sweep import MAIN_INDEX
from tradesim.studies.sweep.results import Output, Sweep, numbers

BARS, PANELS, AREAS, POINTS = 12, 4, 6, 3000
"""Factors in a bar chart, panels of scatter, layers of the stacked area, points of a scatter."""
NOTHING = 1e-9
"""Indices below this share of the largest are nothing."""
PALETTE = (SCENARIO, IMPLEMENTED, *COUNTS[:3], "#56B4E9", "#bdbdbd", "#e3e3e3")
LABEL = 44


def unit_of(output: Output) -> tuple[float, str]:
    """Give what an output is divided by to be shown, and the unit then."""
    return (MILLION, words("sweep")["million"]) if output.unit == "USD" else (1.0, output.unit)


RISKY = ("scenario", "effect")
"""Cases in which levers fail, where chance is let in."""


def title_of(sweep: Sweep, output: Output, counts: dict[str, str]) -> str:
    """Name an output: variable, year, case, count."""
    case = words("sweep")["cases"].get(output.case, output.case)
    if sweep.about.get("noise") and output.case in RISKY:
        case = words("sweep")["risky"].format(case=case)
    name = words("sweep")["variables"].get(output.variable, output.title)
    parts = [f"{name} {output.year}" if output.year else name, case,
             counts.get(output.count, output.count), output.importer]
    text = ", ".join(part for part in parts if part)
    return text[:1].upper() + text[1:]


def name_of(sweep: Sweep, factor: str) -> str:
    """Name a factor, a group of factors or a pair of either for people."""
    named = []
    for part in factor.split(" × "):
        kind, colon, group = part.partition(":")
        if colon and kind == "group":
            group = words("sweep")["groups"].get(group, group)
            named.append(words("sweep")["group"].format(name=group))
        else:
            named.append(sweep.factor(part).title)
    return " × ".join(named)


def tornado(sweep: Sweep, output: Output, counts: dict[str, str]) -> Figure:
    """Bars from the output at a factor's low end to that at its high end, largest first."""
    scale, unit = unit_of(output)
    swing = largest(sweep.index(output, "swing"))
    at = {side: sweep.index(output, f"at_{side}").set_index("factor")["value"] / scale
          for side in ("low", "high")}
    centre = float(numbers(sweep, output.name)[0]) / scale
    figure, axes = _one(sweep, "tornado", output, counts, 1.4 + 0.42 * len(swing))
    labels = []
    for row, name in enumerate(swing["factor"]):
        for side, colour in (("low", SCENARIO), ("high", IMPLEMENTED)):
            axes.barh(row, at[side][name] - centre, left=centre, height=0.62, color=colour,
                      alpha=0.8, label=_legend("tornado", side) if row == 0 else None)
        one = sweep.factor(str(name))
        ends = f" ({pretty(one.low)} to {pretty(one.high)})" if np.isfinite(one.low) else ""
        labels.append(name_of(sweep, str(name)) + ends)
    axes.axvline(centre, color=REFERENCE, linewidth=0.9)
    _rows(axes, labels, unit)
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    return figure


def heat(sweep: Sweep, output: Output, counts: dict[str, str]) -> Figure | None:
    """Colours and numbers of an output over the two factors that move it most, if two do."""
    scale, unit = unit_of(output)
    names = [str(name) for name in largest(sweep.index(output, "range_of_means"))["factor"][:2]]
    if len(names) < 2:
        return None
    frame = pd.DataFrame({name: numbers(sweep, name) for name in names})
    frame["value"] = numbers(sweep, output.name) / scale
    cells = frame.pivot_table("value", names[-1], names[0])
    figure, axes = _one(sweep, "heat", output, counts, 4.6)
    values = cells.to_numpy()
    image = axes.imshow(values, origin="lower", aspect="auto", cmap="cividis")
    middle = (np.nanmin(values) + np.nanmax(values)) / 2
    if values.size <= 150:
        for (row, column), value in np.ndenumerate(values):
            axes.annotate(pretty(float(value)), (column, row), ha="center", va="center",
                          fontsize=8, color="white" if value < middle else "black")
    axes.set_xticks(range(cells.shape[1]), [pretty(float(v)) for v in cells.columns])
    axes.set_yticks(range(cells.shape[0]), [pretty(float(v)) for v in cells.index])
    axes.set_xlabel(_axis(sweep, names[0], 70))
    axes.set_ylabel(_axis(sweep, names[-1], 40))
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, label=unit)
    return figure


def ranks(sweep: Sweep, output: Output, counts: dict[str, str]) -> Figure:
    """Bars of partial rank correlation with intervals; grey where it may be zero."""
    rows = largest(sweep.index(output, "prcc"))
    figure, axes = _one(sweep, "ranks", output, counts, 1.3 + 0.42 * len(rows))
    clear = rows["distinguishable"] == "yes"
    axes.barh(range(len(rows)), rows["value"], height=0.62, alpha=0.8,
              color=np.where(clear, SCENARIO, "#bdbdbd"))
    axes.hlines(range(len(rows)), rows["low"], rows["high"], color="black", linewidth=1.1)
    axes.axvline(0, color="black", linewidth=0.8)
    _rows(axes, [name_of(sweep, str(name)) for name in rows["factor"]], _legend("ranks", "axis"))
    return figure


def scatter(sweep: Sweep, output: Output, counts: dict[str, str]) -> Figure:
    """Every run (or a fair part of them) against the factors that matter most."""
    scale, unit = unit_of(output)
    names = [str(name) for name in largest(sweep.index(output, "prcc"))["factor"][:PANELS]]
    rows = -(-len(names) // 2)
    figure, panels = subplots(_title(sweep, "scatter", output, counts), 2.9 * rows, rows, 2,
                              used=len(names), sharey=True)
    value = numbers(sweep, output.name)[:POINTS] / scale
    for axes, name in zip(panels, names, strict=False):
        axes.plot(numbers(sweep, name)[:POINTS], value, "o", color=SCENARIO, markersize=2.4,
                  alpha=0.35, markeredgewidth=0)
        axes.set_xlabel(_axis(sweep, name, 44))
        axes.xaxis.set_major_locator(MaxNLocator(5))
    for axes in panels[::2]:
        axes.set_ylabel(unit)
    return figure


def screening(sweep: Sweep, output: Output, counts: dict[str, str]) -> Figure:
    """Morris plane: mean size of elementary effects against their spread."""
    scale, unit = unit_of(output)
    size = largest(sweep.index(output, "mu_star"), len(sweep.factors))
    spread = sweep.index(output, "sigma").set_index("factor")["value"]
    figure, axes = _one(sweep, "morris", output, counts, 5.6)
    x = size["value"].to_numpy() / scale
    y = np.array([spread[name] for name in size["factor"]]) / scale
    axes.hlines(y, size["low"] / scale, size["high"] / scale, color="#bdbdbd", linewidth=0.9)
    top = max(x.max(), y.max())
    axes.plot([0, top], [0, top], color=QUIET, linewidth=0.8, linestyle=(0, (4, 2)))
    shown = min(8, len(x))
    axes.plot(x[shown:], y[shown:], "o", color="#9a9a9a", markersize=4)
    axes.plot(x[:shown], y[:shown], "o", color=SCENARIO, markersize=5.5)
    for number, at in enumerate(zip(x[:shown], y[:shown], strict=True), 1):
        beside(axes, str(number), at, (4, 3), fontsize=8.5, fontweight="bold")
    key = [Line2D([], [], linestyle="none",
                  label=f"{number}  " + wrapped(name_of(sweep, str(name)), 46))
           for number, name in enumerate(size["factor"][:shown], 1)]
    axes.legend(handles=key, handlelength=0, loc="upper center",
                bbox_to_anchor=(0.45, -0.16), ncols=2, fontsize=7.5, frameon=False)
    axes.set_xlabel(_legend("morris", "x").format(unit=unit))
    axes.set_ylabel(_legend("morris", "y").format(unit=unit))
    axes.set_xlim(0, 1.08 * max(x.max(), (size["high"] / scale).max()))
    axes.set_ylim(bottom=0)
    return figure


def shares(sweep: Sweep, output: Output, counts: dict[str, str]) -> Figure:
    """First-order and total shares of the variance with intervals, largest total first."""
    total = largest(sweep.index(output, "total"))
    first = sweep.index(output, "first").set_index("factor").loc[list(total["factor"])]
    figure, axes = _one(sweep, "indices", output, counts, 1.5 + 0.5 * len(total))
    for rows, offset, colour, key in ((first, -0.19, SCENARIO, "first"),
                                      (total, 0.19, IMPLEMENTED, "total")):
        heights = np.arange(len(rows)) + offset
        axes.barh(heights, np.maximum(rows["value"], 0), height=0.36, color=colour, alpha=0.8,
                  label=_legend("indices", key))
        axes.hlines(heights, np.maximum(rows["low"], -0.05), rows["high"], color="black",
                    linewidth=1)
    axes.axvline(0, color="black", linewidth=0.8)
    labels = [name_of(sweep, str(name)) + ("" if clear == "yes" else
                                           f" ({words('sweep')['not_from_zero']})")
              for name, clear in zip(total["factor"], total["distinguishable"], strict=True)]
    _rows(axes, labels, _legend("indices", "axis"))
    axes.legend(loc="lower right", fontsize=8, frameon=False)
    return figure


def area(sweep: Sweep, output: Output, counts: dict[str, str]) -> Figure | None:
    """First-order shares by year, stacked; what is left to 100 % is interaction."""
    by_year = sorted((one for one in sweep.outputs if one.year and (
        one.variable, one.count, one.case, one.importer) == (
        output.variable, output.count, output.case, output.importer)), key=lambda one: one.year)
    table = pd.DataFrame({one.year: sweep.index(one, "first").set_index("factor")["value"]
                          for one in by_year}).dropna(axis=1, how="all").clip(lower=0)
    if table.shape[1] < 3:
        return None
    table = table.div(table.sum().clip(lower=1.0))
    table = table.loc[table.max(axis=1).sort_values(ascending=False).index]
    names = [name_of(sweep, str(name)) for name in table.index[:AREAS]]
    layers = list(table.to_numpy()[:AREAS])
    if len(table) > AREAS:
        layers.append(table.to_numpy()[AREAS:].sum(axis=0))
        names.append(_legend("area", "others"))
    layers.append(np.maximum(0, 1 - np.sum(layers, axis=0)))
    names.append(_legend("area", "rest"))
    figure, axes = _one(sweep, "area", output, counts, 4.4)
    colours = [*PALETTE[:len(names) - 1], PALETTE[-1]]
    axes.stackplot(table.columns, 100 * np.array(layers), colors=colours, alpha=0.85,
                   labels=[wrapped(name, 34) for name in names])
    axes.set_ylim(0, 100)
    years = [int(year) for year in table.columns]
    axes.set_xlim(years[0], years[-1])
    axes.set_ylabel(_legend("area", "axis"))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="center left", bbox_to_anchor=(1.0, 0.5),
                fontsize=7.5, frameon=False)
    return figure


METHODS = {"oat": (tornado,), "grid": (heat,), "lhs": (ranks, scatter), "morris": (screening,),
           "sobol": (shares, area)}


def figures(sweep: Sweep, output: Output, counts: dict[str, str]) -> dict[str, Draw]:
    """Give what draws the figures of the method of a sweep; none where nothing moves the output."""
    if largest(sweep.index(output, MAIN_INDEX.get(sweep.method, ""))).empty:
        return {}
    return {draw.__name__: partial(draw, sweep, output, counts)
            for draw in METHODS.get(sweep.method, ())}


def largest(rows: pd.DataFrame, most: int = BARS) -> pd.DataFrame:
    """Give the rows of the largest indices, largest first, without those that are nothing."""
    rows = rows[rows["value"].abs() > NOTHING * rows["value"].abs().max()]
    order = np.argsort(-rows["value"].abs().to_numpy(), kind="stable")
    return rows.iloc[order[:most]].reset_index(drop=True)


def _one(sweep: Sweep, name: str, output: Output, counts: dict[str, str],
         height: float) -> tuple[Figure, Axes]:
    figure, (axes,) = subplots(_title(sweep, name, output, counts), height)
    return figure, axes


def _title(sweep: Sweep, name: str, output: Output, counts: dict[str, str]) -> str:
    return f"{_legend(name, 'title')}\n{wrapped(title_of(sweep, output, counts), 84)}"


def _legend(name: str, key: str) -> str:
    return str(words("sweep")["figures"][name][key])


def _axis(sweep: Sweep, name: str, width: int) -> str:
    factor = sweep.factor(name)
    unit = "" if factor.unit.casefold() in factor.title.casefold() else f", {factor.unit}"
    return wrapped(factor.title + unit, width)


def _rows(axes: Axes, labels: Sequence[str], unit: str) -> None:
    axes.set_yticks(range(len(labels)), [wrapped(label, LABEL) for label in labels], fontsize=7.5)
    horizontal_bars(axes, len(labels), ticks=5)
    axes.set_xlabel(unit)
