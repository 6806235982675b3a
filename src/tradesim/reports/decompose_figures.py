"""Figures of a decomposition and of a goal: waterfall, interactions, probability by setting."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.reports.figure_style import CASES as COLOURS
from tradesim.reports.figure_style import COUNTS, QUIET, REFERENCE, sign
from tradesim.reports.wording import pretty, together, wrapped
from tradesim.simulation.draws import IMPLEMENTED
from tradesim.simulation.summary import ALL
from tradesim.studies.decompose import CASES
from tradesim.studies.goal import Goal, Move

LINES = 6
"""Things moved that are drawn: those that bring the probability furthest."""


def waterfall(dataset: xr.Dataset, pair: Pair, titles: dict[str, str],
              words: dict[str, Any]) -> Figure:
    """Levers as bars on top of the reference, ending at the scenario, last year, by case."""
    year, count = int(dataset["year"].to_numpy()[-1]), str(dataset.attrs["count"])
    here = dataset.sel(year=year, count=count, importer=ALL) / MILLION
    order = here["share"].sel(case=IMPLEMENTED).mean("draw").to_numpy().argsort()[::-1]
    names = [str(name) for name in dataset["lever"].to_numpy()[order]]
    figure = Figure(figsize=(7.0, 2.2 + 0.42 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True, sharex=True)
    figure.suptitle(words["waterfall"]["title"].format(year=year), x=0.01, ha="left")
    for axes, case in zip(panels, CASES, strict=True):
        shares = here["share"].sel(case=case, lever=names).transpose("lever", "draw").to_numpy()
        _steps(axes, shares, here["effect"].sel(case=case).to_numpy(), COLOURS[case])
        axes.set_title(words["waterfall"]["panel"].format(case=words["cases"][case]))
    base = float(here["reference"].isel(case=0).mean("draw"))
    whole = [base + float(here["effect"].sel(case=case).mean("draw")) for case in CASES]
    levels = together([base, *whole])
    labels = [words["waterfall"]["reference"].format(value=levels[0]),
              *(wrapped(titles[name], 30) for name in names),
              words["waterfall"]["scenario"].format(value=" | ".join(levels[1:]))]
    panels[0].set_yticks(range(len(labels)), labels, fontsize=8)
    panels[0].invert_yaxis()
    for axes in panels:
        axes.set_xlabel(wrapped(words["waterfall"]["axis"].format(count=pair.name(count)), 40))
    sign(figure, str(dataset.attrs["run_id"]))
    return figure


def _steps(axes: Axes, shares: Array, effect: Array, colour: str) -> None:
    """Bars one on top of the other, with the range of each at its end."""
    means = shares.mean(axis=1)
    begin = np.concatenate([[0.0], np.cumsum(means)])
    rows = np.arange(1, len(means) + 1)
    axes.barh(rows, means, left=begin[:-1], height=0.6, color=colour, alpha=0.75)
    low, high = np.quantile(shares, [0.1, 0.9], axis=1)
    axes.hlines(rows, begin[:-1] + low, begin[:-1] + high, color="black", linewidth=1.1)
    axes.barh(rows[-1] + 1, effect.mean(), height=0.6, color=REFERENCE, alpha=0.75)
    axes.hlines(rows[-1] + 1, *np.quantile(effect, [0.1, 0.9]), color="black", linewidth=1.1)
    for row, edge in zip(rows, begin[1:], strict=True):
        axes.plot([edge, edge], [row - 0.3, row + 1.3], color=QUIET, linewidth=0.7)
    texts = together([*means, float(effect.mean())])
    ends = np.maximum([*(begin[:-1] + high), np.quantile(effect, 0.9)],
                      [*begin[1:], float(effect.mean())])
    for row, end, value, text in zip([*rows, rows[-1] + 1], ends, [*means, effect.mean()], texts,
                                     strict=True):
        axes.annotate(f"+{text}" if value > 0 else text, (end, row), xytext=(3, 0), fontsize=8,
                      textcoords="offset points", va="center")
    axes.axvline(0, color="black", linewidth=0.8)
    axes.margins(x=0.16)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(4))


ROOM = 6
"""Levers for whose names and ranges the map of interactions has room."""


def interactions(dataset: xr.Dataset, pair: Pair, titles: dict[str, str],
                 words: dict[str, Any]) -> Figure:
    """Heat map of the interaction of each pair of levers, last year, if implemented."""
    year, count = int(dataset["year"].to_numpy()[-1]), str(dataset.attrs["count"])
    chosen = dataset["interaction"].sel(year=year, count=count, importer=ALL, case=IMPLEMENTED)
    values = chosen.transpose("lever", "second", "draw").to_numpy() / MILLION
    levers = dataset["lever"].to_numpy().astype(str)
    size, crowded = len(levers), len(levers) > ROOM
    names = [name if crowded else wrapped(titles[name], 22) for name in levers]
    figure = Figure(figsize=(7.0, 1.7 + (0.45 if crowded else 0.58) * (size - 1)),
                    layout="constrained")
    axes = figure.subplots()
    figure.suptitle(words["interactions"]["title"].format(year=year), x=0.01, ha="left")
    means = values.mean(axis=-1)
    hidden = np.triu(np.ones((size, size), dtype=bool))
    far = max(float(np.abs(means[~hidden]).max()), 1e-9)
    shown = np.ma.masked_array(means, hidden)[1:, :-1]
    axes.imshow(shown, cmap=mpl.colormaps["PuOr_r"], norm=TwoSlopeNorm(0.0, -1.6 * far, 1.6 * far),
                aspect="auto")
    for row in range(1, size):
        for column in range(row):
            low, high = np.quantile(values[row, column], [0.1, 0.9])
            middle, *ends = together([float(means[row, column]), float(low), float(high)], 2)
            text = middle if crowded else f"{middle}\n({ends[0]} to {ends[1]})"
            axes.annotate(text, (column, row - 1), fontsize=7.5, ha="center", va="center")
    axes.set_xticks(range(size - 1), names[:-1], fontsize=7.5, rotation=90 if crowded else 0)
    axes.set_yticks(range(size - 1), names[1:], fontsize=7.5)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(words["interactions"]["axis"].format(count=pair.name(count)), fontsize=9)
    sign(figure, str(dataset.attrs["run_id"]))
    return figure


def chances(answer: Goal, pair: Pair, labels: dict[str, str], words: dict[str, Any]) -> Figure:
    """Probability of the target against what is moved, for the things that matter most."""
    figure = Figure(figsize=(7.0, 5.2), layout="constrained")
    axes = figure.subplots()
    target = f"USD {pretty(answer.target / MILLION)} million"
    figure.suptitle(words["chances"]["title"].format(target=target, year=answer.year), x=0.01,
                    ha="left")
    best = sorted(answer.moves, key=lambda move: -move.best[1])[:LINES]
    for move, colour in zip(best, [*COUNTS, "#C04F00", "#4d4d4d"], strict=False):
        ways, shares = _way(move)
        axes.plot(ways, 100 * shares, color=colour, marker="o", markersize=3,
                  label=wrapped(labels[move.label], 100))
        if move.found is not None:
            place = move.tried.index(move.found)
            axes.plot(_share(move, move.found), 100 * move.chances[place], "D", color=colour,
                      markersize=6, zorder=4)
    for value, key, dashes in ((answer.probability, "asked", (0, (5, 3))),
                               (answer.now, "now", (0, (1, 2)))):
        axes.axhline(100 * value, color="black", linewidth=1.0, linestyle=dashes, zorder=1)
        axes.annotate(words["chances"][key].format(probability=f"{100 * value:.3g}"),
                      (1.0, 100 * value), xycoords=("axes fraction", "data"), xytext=(3, 0),
                      textcoords="offset points", fontsize=8, va="center")
    axes.set_xlabel(words["chances"]["share"])
    axes.set_ylabel(words["chances"]["axis"].format(count=pair.name(answer.attrs["count"])))
    figure.legend(fontsize=7.5, frameon=False, loc="outside lower left")
    sign(figure, str(answer.attrs["run_id"]))
    return figure


def _share(move: Move, value: float) -> float:
    """Place of a value on the way from today's to the best one tried."""
    end = _end(move)
    return (value - move.now) / (end - move.now) if end != move.now else 0.0


def _end(move: Move) -> float:
    low, high = move.tried[0], move.tried[-1]
    return low if move.chances[0] > move.chances[-1] else high


def _way(move: Move) -> tuple[Array, Array]:
    """Values between today's and the better end as shares of that way, and their chances."""
    points = sorted((_share(move, value), chance)
                    for value, chance in zip(move.tried, move.chances, strict=True))
    kept = np.array([point for point in points if point[0] >= -1e-9])
    return kept[:, 0], kept[:, 1]
