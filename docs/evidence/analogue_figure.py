"""The figure of past duty cuts: what the model says of each against what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tradesim.reports.colours import IMPLEMENTED, SCENARIO
from tradesim.reports.figure_style import subplots, tick
from tradesim.reports.wording import words, wrapped

MULTIPLES = (0.25, 0.5, 1, 2, 5, 10, 20, 50)


def draw(rows: Sequence[tuple[str, Mapping[str, float]]], quiet: float) -> Figure:
    """Predicted range against outcome, one row per case.

    `rows` holds the title of each case and its changes as shares: predictions ``p05``, ``p25``,
    ``p75`` and ``p95``, and what happened (``happened``, ``net``). `quiet` is the median size of a
    change where nothing was agreed, as a share.
    """
    phrases = words("evidence")["analogues"]
    figure, (axes,) = subplots(phrases["title"], 0.9 + 0.45 * len(rows))
    axes.set_xscale("log")
    axes.axvspan(1 / (1 + quiet), 1 + quiet, color="#ebebeb", linewidth=0, zorder=0)
    axes.axvline(1.0, color="black", linewidth=0.8)
    for row, (_, value) in enumerate(rows):
        for low, high, width in (("p05", "p95", 2.5), ("p25", "p75", 7.0)):
            axes.plot([1 + value[low], 1 + value[high]], [row, row], color=SCENARIO,
                      linewidth=width, solid_capstyle="butt", zorder=3)
        axes.plot(1 + value["happened"], row, "o", color=IMPLEMENTED, markersize=6, zorder=4)
        axes.plot(1 + value["net"], row, "o", markersize=6, zorder=4, markerfacecolor="white",
                  markeredgecolor=IMPLEMENTED)
    axes.set_yticks(range(len(rows)), [wrapped(title, 34) for title, _ in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(FixedLocator(MULTIPLES))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.set_xlabel(phrases["axis"])
    axes.legend(handles=[
        Line2D([], [], color=SCENARIO, linewidth=5, label=phrases["predicted"]),
        Line2D([], [], marker="o", linestyle="", color=IMPLEMENTED, label=phrases["happened"]),
        Line2D([], [], marker="o", linestyle="", markerfacecolor="white",
               markeredgecolor=IMPLEMENTED, label=phrases["net"]),
        Patch(color="#ebebeb", label=phrases["quiet"])],
        loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    return figure
