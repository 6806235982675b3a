"""Figures of evidence: past duty cuts against the model, and prior against posterior.

Style, colours and files are those of `drawing`; words stand in `templates/evidence.yaml`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from tradesim.common.arrays import Array
from tradesim.inputs.distributions import EDGE
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import quantile, read_parameters
from tradesim.inputs.posterior import PREFIX, pooled, read_posterior
from tradesim.reports.figure_style import IMPLEMENTED, SCENARIO
from tradesim.reports.wording import MINUS, TEMPLATES, pretty, wrapped
from tradesim.studies.identification import overlap

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


@dataclass(frozen=True)
class Belief:
    """One parameter before and after the data.

    Attributes
    ----------
    title, flow
        What it is, and of which flow, for a reader.
    prior, posterior
        Draws, in the unit of the title.
    each
        Draws of each specification; one that fixes the parameter has a single value.
    overlap
        Overlapping coefficient of prior and posterior.
    """

    title: str
    flow: str
    prior: Array
    posterior: Array
    each: Mapping[str, Array]
    overlap: float


SHOWN: Mapping[str, Callable[[Array], Array]] = {
    "elasticity_gdp": np.asarray,
    "elasticity_exchange_rate": np.asarray,
    "closure_effect": lambda values: np.asarray(100 * np.expm1(values)),
    "persistence": np.asarray,
    "innovation_sd": lambda values: np.asarray(100 * values),
}
"""Parameters that matter for a projection, and how each is put into its title's unit."""

PRIOR_DRAWS = 4000


def beliefs(folder: Path) -> list[Belief]:
    """Prior against posterior of the parameters that matter, from a calibration folder.

    Of parameters that differ by flow the larger flow's are taken.
    """
    said, pair, known = words()["identification"], read_pair(folder), read_parameters(folder)
    dataset = read_posterior(folder)
    mixed = pooled(dataset)
    main = int(np.argmax(mixed["constant"].to_numpy().mean(axis=0)))
    importer = pair.importers[main]
    flow = said["flow"].format(exporter=pair.name(pair.partner(importer)),
                               importer=pair.name(importer))
    u = np.clip((np.arange(PRIOR_DRAWS) + 0.5) / PRIOR_DRAWS, EDGE, 1 - EDGE)
    found = []
    for name, scaled in SHOWN.items():
        by_flow = "importer" in mixed[name].dims

        def one(values: Any, by_flow: bool = by_flow) -> Array:
            return np.asarray((values.isel(importer=main) if by_flow else values).to_numpy())

        prior = known.get(f"{PREFIX}{name}.{importer}", known.get(PREFIX + name))
        assert prior is not None
        draws = one(mixed[name])
        each = {label: scaled(one(dataset[name].sel(specification=label)))
                for label, weight in json.loads(dataset.attrs["weights"]).items() if weight > 0}
        found.append(Belief(
            said["panels"][name], flow if prior.name.endswith(f".{importer}") else said["both"],
            scaled(quantile(prior, u)), scaled(draws), each, overlap(prior, draws)))
    return found


def identification(panels: Sequence[Belief]) -> Figure:
    """Prior against posterior: the first panel large, four more beside it."""
    said = words()["identification"]
    figure = Figure(figsize=(7.0, 4.3), layout="constrained")
    figure.suptitle(said["title"], x=0.01, ha="left")
    grid = figure.add_gridspec(2, 3, width_ratios=[1.35, 1.0, 1.0])
    places = [grid[:, 0], grid[0, 1], grid[0, 2], grid[1, 1], grid[1, 2]]
    several = len(panels[0].each) > 1
    for place, panel in zip(places, panels, strict=False):
        axes = figure.add_subplot(place)
        _belief(axes, panel, several)
        axes.set_title(panel.title, fontsize=8)
        axes.set_xlabel(panel.flow, fontsize=8)
        if panel is panels[0]:
            low, middle, high = np.quantile(panel.posterior, (0.05, 0.5, 0.95))
            axes.set_xlabel(said["learnt"].format(
                middle=pretty(middle, 2), low=pretty(low, 2), high=pretty(high, 2),
                overlap=round(100 * panel.overlap)), fontsize=8)
    handles = [Patch(color="#d6d6d6", label=said["prior"]),
               Line2D([], [], color=SCENARIO, label=said["posterior"])]
    if several:
        handles.append(Line2D([], [], color=IMPLEMENTED, linewidth=0.8, label=said["each"]))
    figure.legend(handles=handles, loc="outside lower left", ncols=3, fontsize=8, frameon=False)
    return figure


def _belief(axes: Axes, panel: Belief, several: bool) -> None:
    ends = [np.quantile(draws, (0.002, 0.998)) for draws in (panel.prior, panel.posterior)]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    grid = np.linspace(low, high, 301)
    axes.fill_between(grid, _density(panel.prior, grid), color="#d6d6d6", linewidth=0)
    for draws in panel.each.values() if several else ():
        if np.ptp(draws) > 0:
            axes.plot(grid, _density(draws, grid), color=IMPLEMENTED, linewidth=0.8)
        else:
            axes.axvline(float(draws[0]), color=IMPLEMENTED, linewidth=0.8)
    if np.ptp(panel.posterior) > 0:
        axes.plot(grid, _density(panel.posterior, grid), color=SCENARIO)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}".replace("-", MINUS)))
    axes.tick_params(axis="x", labelsize=8)


def _density(draws: Array, grid: Array) -> Array:
    from scipy.stats import gaussian_kde

    return np.asarray(gaussian_kde(draws)(grid))
