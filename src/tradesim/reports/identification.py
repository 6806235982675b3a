"""The figure of what the statistics tell: prior against posterior of calibrated parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tradesim.common.arrays import Array
from tradesim.inputs.distributions import EDGE
from tradesim.inputs.pair import Pair
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.inputs.posterior import PREFIX
from tradesim.reports.colours import SCENARIO
from tradesim.reports.figure_style import canvas, tick
from tradesim.reports.wording import pretty, words
from tradesim.studies.identification import overlap


@dataclass(frozen=True)
class Belief:
    """One parameter before and after the data, as draws in the unit of its title.

    `overlap` is the overlapping coefficient of prior and posterior.
    """

    title: str
    flow: str
    prior: Array
    posterior: Array
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


def beliefs(pair: Pair, known: Mapping[str, Parameter], posterior: xr.Dataset) -> list[Belief]:
    """Prior against posterior of the parameters that matter.

    Of parameters that differ by flow the larger flow's are taken.
    """
    phrases = words("evidence")["identification"]
    main = int(np.argmax(posterior["constant"].to_numpy().mean(axis=0)))
    importer = pair.importers[main]
    flow = phrases["flow"].format(exporter=pair.name(pair.partner(importer)),
                               importer=pair.name(importer))
    u = np.clip((np.arange(PRIOR_DRAWS) + 0.5) / PRIOR_DRAWS, EDGE, 1 - EDGE)
    shown = []
    for name, scaled in SHOWN.items():
        values = posterior[name]
        values = values.isel(importer=main) if "importer" in values.dims else values
        prior = known.get(f"{PREFIX}{name}.{importer}", known.get(PREFIX + name))
        assert prior is not None
        draws = values.to_numpy()
        shown.append(Belief(
            phrases["panels"][name],
            flow if prior.name.endswith(f".{importer}") else phrases["both"],
            scaled(quantile(prior, u)), scaled(draws), overlap(prior, draws)))
    return shown


def identification(panels: Sequence[Belief]) -> Figure:
    """Prior against posterior: the first panel large, four more beside it."""
    phrases = words("evidence")["identification"]
    figure = canvas(phrases["title"], 4.3)
    grid = figure.add_gridspec(2, 3, width_ratios=[1.35, 1.0, 1.0])
    cells = [grid[:, 0], grid[0, 1], grid[0, 2], grid[1, 1], grid[1, 2]]
    for cell, panel in zip(cells, panels, strict=False):
        axes = figure.add_subplot(cell)
        _belief(axes, panel)
        axes.set_title(panel.title, fontsize=8)
        axes.set_xlabel(panel.flow, fontsize=8)
        if panel is panels[0]:
            low, middle, high = np.quantile(panel.posterior, (0.05, 0.5, 0.95))
            axes.set_xlabel(phrases["learnt"].format(
                middle=pretty(middle, 2), low=pretty(low, 2), high=pretty(high, 2),
                overlap=round(100 * panel.overlap)), fontsize=8)
    handles = [Patch(color="#d6d6d6", label=phrases["prior"]),
               Line2D([], [], color=SCENARIO, label=phrases["posterior"])]
    figure.legend(handles=handles, loc="outside lower left", ncols=2, fontsize=8, frameon=False)
    return figure


def _belief(axes: Axes, panel: Belief) -> None:
    ends = [np.quantile(draws, (0.002, 0.998)) for draws in (panel.prior, panel.posterior)]
    low, high = min(end[0] for end in ends), max(end[1] for end in ends)
    grid = np.linspace(low, high, 301)
    axes.fill_between(grid, _density(panel.prior, grid), color="#d6d6d6", linewidth=0)
    axes.plot(grid, _density(panel.posterior, grid), color=SCENARIO)
    axes.set_ylim(bottom=0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))
    axes.tick_params(axis="x", labelsize=8)


def _density(draws: Array, grid: Array) -> Array:
    from scipy.stats import gaussian_kde

    return np.asarray(gaussian_kde(draws)(grid))
