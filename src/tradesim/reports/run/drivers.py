"""Which assumptions matter in a run: its draws ranked by how they go with the results."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradesim.common.arrays import Array
from tradesim.reports import colours
from tradesim.reports.colours import IMPLEMENTED, SCENARIO
from tradesim.reports.figure_style import horizontal_bars, subplots
from tradesim.reports.language import titled
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import BARE, pretty, together, words, wrapped
from tradesim.simulation.factors import HAPPENS

TOP = 10
"""Bars and rows shown."""

THIRDS = 60
"""Fewer draws than this are too few to be looked at by thirds."""

CHANCE = 3.3
"""A correlation within so many standard errors of zero is taken for chance.

Among a thousand factors without influence one reaches this.
"""

CONSTANTS = ("reference.constant.", "reference.bias.")
"""Constants of the fit that move together with what is left unexplained: no causes, no bars."""

LOG, PERCENT = "log", "%"
"""A logarithm beside nothing is shown as per cent above or below what is explained."""

BAR = 0.37
"""Height of a bar, inches."""

REFERENCE, EFFECT = "reference", "effect"


@dataclass(frozen=True)
class Mover:
    """One factor, its rank correlation with an outcome, and the outcome in its outer thirds.

    `edges` bound its lowest and its highest third; `low` and `high` are the median outcomes
    there, USD million.
    """

    name: str
    title: str
    unit: str
    correlation: float
    edges: tuple[float, float]
    low: float
    high: float


@dataclass(frozen=True)
class Ranking:
    """The factors that matter for one outcome, at most `TOP`, the strongest first.

    The outcome is `REFERENCE` (turnover without the scenario) or `EFFECT` (its change if
    implemented); `middle` is its median over all draws, USD million.
    """

    outcome: str
    middle: float
    movers: tuple[Mover, ...]


def rankings(view: ResultsView) -> list[Ranking]:
    """Rank the factors of a run for the last year: for the reference, and for the effect.

    Turnover is on the headline count. The effect is that if implemented, so whether a lever
    happens is not among its factors. Empty where there are too few draws to tell anything.
    """
    if view.draw_count < THIRDS:
        return []
    outcomes = {REFERENCE: view.last_turnover("reference")}
    if view.changes:
        outcomes[EFFECT] = view.last_turnover("if_implemented") - outcomes[REFERENCE]
    levers = tuple(f"{name}." for name in view.scenario["levers"])
    names = [str(name) for name in view.dataset["factor"].to_numpy()]
    constants = [name.startswith(CONSTANTS) for name in names]
    policy = [name.startswith(levers) or constant
              for name, constant in zip(names, constants, strict=True)]
    barred = {REFERENCE: policy, EFFECT: [name.endswith(f".{HAPPENS}") or constant
                                          for name, constant in zip(names, constants, strict=True)]}
    kept = view.dataset["factors"].transpose("factor", "draw")
    ranked = [Ranking(name, float(np.median(values)),
                      movers(kept.isel(factor=np.flatnonzero(~np.array(barred[name]))), values))
            for name, values in outcomes.items()]
    return [ranking for ranking in ranked if ranking.movers]


def movers(kept: xr.DataArray, outcome: Array) -> tuple[Mover, ...]:
    """Give the factors (factor, draw) that move an outcome beyond chance, the strongest first."""
    names, titles, units = (kept[key].to_numpy().astype(str)
                            for key in ("factor", "factor_title", "factor_unit"))
    values = kept.to_numpy().astype(float)
    logs = units == LOG
    values[logs], units = 100.0 * np.expm1(values[logs]), np.where(logs, PERCENT, units)
    correlation = correlations(values, outcome)
    chance = CHANCE / np.sqrt(len(outcome) - 1)
    strongest = []
    for k in np.argsort(-np.abs(correlation), kind="stable")[:TOP]:
        if abs(correlation[k]) <= chance:
            break
        low, high = _outer_thirds(values[k])
        strongest.append(Mover(
            str(names[k]), titled(str(titles[k])), titled(str(units[k])), float(correlation[k]),
            (float(values[k][low].max()), float(values[k][high].min())),
            float(np.median(outcome[low])), float(np.median(outcome[high]))))
    return tuple(strongest)


def _outer_thirds(values: Array) -> tuple[Array, Array]:
    """Say which draws are in the lowest and in the highest third; of a switch, off and on."""
    first, second = np.quantile(values, [1 / 3, 2 / 3])
    if first < second:
        return values <= first, values >= second
    above = values > first
    return (~above, above) if above.any() else (values < first, values >= first)


def correlations(values: Array, outcome: Array) -> Array:
    """Rank correlation (Spearman) of each row of `values` with `outcome`; 0 without variation."""
    ranks = pd.DataFrame(values.T).rank()
    target = pd.Series(outcome).rank()
    if target.nunique() < 2:
        return np.zeros(len(values))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array(ranks.corrwith(target).fillna(0.0), dtype=float)


def table(view: ResultsView, ranking: Ranking) -> dict[str, object]:
    """Give a ranking as a table of the report."""
    phrases = words()["ranking"]
    rows = []
    for rank, mover in enumerate(ranking.movers, start=1):
        rows.append([f"{rank}. {mover.title}", mover.unit,
                     *(_edge(edge) for edge in mover.edges), pretty(mover.low), pretty(mover.high),
                     pretty(mover.correlation, 2)])
    title = (words()["figures"]["assumptions"]["ranked"] if ranking.outcome == EFFECT
             else phrases[ranking.outcome])
    return {"title": title.format(year=view.last, count=view.pair.name(view.count),
                                  case=view.case_words),
            "columns": list(phrases["columns"].values()), "rows": rows, "total": False}


def _edge(value: float) -> str:
    return str(round(value)) if value.is_integer() else pretty(value)


def described(mover: Mover) -> str:
    """Label of a bar: what it is, and the values that bound its outer thirds."""
    low, high = (str(round(edge)) if edge.is_integer() else pretty(edge) for edge in mover.edges)
    if not any(edge.is_integer() for edge in mover.edges):
        low, high = together(mover.edges)
    unit = "" if mover.unit in map(titled, BARE) else f"\N{NO-BREAK SPACE}{mover.unit}"
    return str(words()["ranking"]["label"].format(title=mover.title, low=low, high=high,
                                                  unit=unit))


def assumptions(view: ResultsView, ranked: list[Ranking]) -> Figure | None:
    """Draw the ranked factors of each outcome as bars around its median ("tornado")."""
    if not ranked:
        return None
    heights = [len(ranking.movers) + 2.2 for ranking in ranked]
    figure, panels = subplots(words()["figures"]["assumptions"]["title"],
                              0.7 + BAR * sum(heights), len(ranked), height_ratios=heights)
    for axes, ranking in zip(panels, ranked, strict=True):
        _panel(axes, view, ranking)
    return figure


def _panel(axes: Axes, view: ResultsView, ranking: Ranking) -> None:
    phrases = words()["figures"]["assumptions"]
    rows = np.arange(len(ranking.movers))
    for values, colour in (([mover.low for mover in ranking.movers], SCENARIO),
                           ([mover.high for mover in ranking.movers], IMPLEMENTED)):
        axes.barh(rows, np.array(values) - ranking.middle, left=ranking.middle, height=0.62,
                  color=colour, alpha=0.8)
    axes.axvline(ranking.middle, color=colours.REFERENCE, linewidth=0.9)
    axes.set_yticks(rows, [wrapped(described(mover), 54) for mover in ranking.movers], fontsize=7.5)
    horizontal_bars(axes, len(rows))
    axes.set_title(wrapped(phrases[ranking.outcome].format(
        year=view.last, case=view.case_words), 44), fontsize=8.5)
    axes.set_xlabel(words()["value_axis"].format(count=view.pair.name(view.count)), fontsize=8)
    for line, (key, colour) in enumerate((("low", SCENARIO), ("high", IMPLEMENTED))):
        axes.annotate(phrases[key], (1.0, 0.02 + 0.09 * line * 10 / (len(rows) + 2)), fontsize=7.5,
                      xycoords="axes fraction", ha="right", va="bottom", color=colour)
