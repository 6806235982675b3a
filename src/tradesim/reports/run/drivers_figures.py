"""The figure of what matters: median outcome where a factor is low and where it is high."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradesim.reports.figure_style import IMPLEMENTED, REFERENCE, SCENARIO, lying_bars, sign, style
from tradesim.reports.run.drivers import Ranking, described
from tradesim.reports.run.view import Story
from tradesim.reports.wording import words, wrapped

NAME = "assumptions"
BAR = 0.37


def assumptions(story: Story, ranked: list[Ranking]) -> Figure:
    """Draw the ranked factors of each outcome as bars around its median ("tornado")."""
    shown = [ranking for ranking in ranked if ranking.movers]
    heights = [len(ranking.movers) + 2.2 for ranking in shown]
    with style(NAME):
        figure = Figure(figsize=(7.0, 0.7 + BAR * sum(heights)), layout="constrained")
        panels = figure.subplots(len(shown), 1, squeeze=False, height_ratios=heights)[:, 0]
        figure.suptitle(words()["figures"][NAME]["title"], x=0.01, ha="left")
        for axes, ranking in zip(panels, shown, strict=True):
            _panel(axes, story, ranking)
        sign(figure, str(story.dataset.attrs["run_id"]))
    return figure


def _panel(axes: Axes, story: Story, ranking: Ranking) -> None:
    phrases = words()["figures"][NAME]
    rows = np.arange(len(ranking.movers))
    for values, colour in (([mover.low for mover in ranking.movers], SCENARIO),
                           ([mover.high for mover in ranking.movers], IMPLEMENTED)):
        axes.barh(rows, np.array(values) - ranking.middle, left=ranking.middle, height=0.62,
                  color=colour, alpha=0.8)
    axes.axvline(ranking.middle, color=REFERENCE, linewidth=0.9)
    axes.set_yticks(rows, [wrapped(described(mover), 54) for mover in ranking.movers], fontsize=7.5)
    axes.tick_params(axis="y", length=0)
    lying_bars(axes, len(rows))
    axes.set_title(wrapped(phrases[ranking.outcome].format(year=story.last), 44), fontsize=8.5)
    axes.set_xlabel(words()["value_axis"].format(count=story.pair.name(story.count)), fontsize=8)
    for place, (key, colour) in enumerate((("low", SCENARIO), ("high", IMPLEMENTED))):
        axes.annotate(phrases[key], (1.0, 0.02 + 0.09 * place * 10 / (len(rows) + 2)), fontsize=7.5,
                      xycoords="axes fraction", ha="right", va="bottom", color=colour)
