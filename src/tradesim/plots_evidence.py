"""Figures of evidence: past duty cuts against the model, and prior against posterior.

Style, colours and files are those of `drawing`; words stand in `templates/evidence.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import yaml
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from tradesim.drawing import IMPLEMENTED, SCENARIO
from tradesim.wording import TEMPLATES, wrapped

MULTIPLES = (0.25, 0.5, 1, 2, 5, 10, 20, 50)


@cache
def words() -> dict[str, Any]:
    """Phrases of the figures of this module."""
    read: dict[str, Any] = yaml.safe_load(
        (TEMPLATES / "evidence.yaml").read_text(encoding="utf-8"))
    return read


def analogues(rows: Sequence[tuple[str, Mapping[str, float]]], quiet: float) -> Figure:
    """Predicted range against outcome, one row per case.

    Parameters
    ----------
    rows
        Title of each case, and its changes as shares: predictions ``p05``, ``p25``, ``p75``
        and ``p95``, and what happened (``happened``, ``net``).
    quiet
        Median size of a change where nothing was agreed, as a share.
    """
    said = words()["analogues"]
    figure = Figure(figsize=(7.0, 0.9 + 0.45 * len(rows)), layout="constrained")
    figure.suptitle(said["title"], x=0.01, ha="left")
    axes = figure.subplots()
    axes.set_xscale("log")
    axes.axvspan(1 / (1 + quiet), 1 + quiet, color="#ebebeb", linewidth=0, zorder=0)
    axes.axvline(1.0, color="black", linewidth=0.8)
    for place, (_, value) in enumerate(rows):
        for low, high, width in (("p05", "p95", 2.5), ("p25", "p75", 7.0)):
            axes.plot([1 + value[low], 1 + value[high]], [place, place], color=SCENARIO,
                      linewidth=width, solid_capstyle="butt", zorder=3)
        axes.plot(1 + value["happened"], place, "o", color=IMPLEMENTED, markersize=6, zorder=4)
        axes.plot(1 + value["net"], place, "o", markersize=6, zorder=4, markerfacecolor="white",
                  markeredgecolor=IMPLEMENTED)
    axes.set_yticks(range(len(rows)), [wrapped(title, 34) for title, _ in rows], fontsize=8)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_locator(FixedLocator(MULTIPLES))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel(said["axis"])
    axes.legend(handles=[
        Line2D([], [], color=SCENARIO, linewidth=5, label=said["predicted"]),
        Line2D([], [], marker="o", linestyle="", color=IMPLEMENTED, label=said["happened"]),
        Line2D([], [], marker="o", linestyle="", markerfacecolor="white",
               markeredgecolor=IMPLEMENTED, label=said["net"]),
        Patch(color="#ebebeb", label=said["quiet"])],
        loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    return figure
