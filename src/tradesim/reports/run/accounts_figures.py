"""The figure of the accounts: why each country gains or loses, as a waterfall."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradesim.reports.figure_style import IMPLEMENTED, REFERENCE, SCENARIO, lying_bars, sign, style
from tradesim.reports.run.accounts import parts, phrases
from tradesim.reports.run.view import Story
from tradesim.reports.wording import pretty, words, wrapped

NAME = "causes"
BAR = 0.36


def causes(story: Story) -> Figure:
    """Draw the parts of each country's gain one after the other, and what they add up to."""
    with style(NAME):
        drawn = [parts(story, importer) for importer in story.pair.importers]
        rows = max(len(found) for found in drawn)
        figure = Figure(figsize=(7.0, 1.2 + BAR * rows), layout="constrained")
        panels = figure.subplots(1, len(drawn), squeeze=False)[0]
        figure.suptitle(phrases()["figure"]["title"].format(last=story.last), x=0.01, ha="left")
        for axes, importer, found in zip(panels, story.pair.importers, drawn, strict=True):
            low, high = (float(end) for end in np.quantile(found["net"], [0.1, 0.9]))
            _waterfall(axes, {part: float(values.mean()) for part, values in found.items()},
                       max(high, 0.0))
            if not story.point:
                axes.hlines(len(found) - 1, low, high, color="black", linewidth=1.1)
            axes.set_title(words()["market"].format(importer=story.pair.name(importer)))
        sign(figure, str(story.dataset.attrs["run_id"]))
    return figure


def _waterfall(axes: Axes, means: dict[str, float], reach: float) -> None:
    sizes = np.array(list(means.values()))
    ends = np.append(np.cumsum(sizes[:-1]), sizes[-1])
    starts = np.append(np.append(0.0, ends[:-2]), 0.0) if len(sizes) > 1 else np.zeros(1)
    colours = [REFERENCE if part == "net" else SCENARIO if size >= 0 else IMPLEMENTED
               for part, size in means.items()]
    rows = np.arange(len(sizes))
    axes.barh(rows, ends - starts, left=starts, height=0.62, color=colours, alpha=0.8)
    for row in rows[1:-1]:
        axes.vlines(starts[row], row - 0.69, row - 0.31, color=REFERENCE, linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(rows, [wrapped(phrases()["short"][part], 16) for part in means], fontsize=8)
    for row, (end, start, size) in enumerate(zip(ends, starts, sizes, strict=True)):
        right = max(end, start, reach) if row == len(rows) - 1 else max(end, start)
        axes.annotate(pretty(size), (right, row), xytext=(3, 0), fontsize=7.5,
                      va="center", textcoords="offset points", color=REFERENCE)
    axes.tick_params(axis="y", length=0)
    low, high = min(0.0, *starts, *ends), max(0.0, reach, *starts, *ends)
    span = high - low or 1.0
    axes.set_xlim(low - 0.02 * span * (low < 0), high + 0.22 * span)
    lying_bars(axes, len(rows))
    axes.set_xlabel(phrases()["figure"]["axis"], fontsize=8)
