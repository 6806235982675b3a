"""Which assumptions matter in a run: its own draws, ranked against what came out of them."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.reports.run.view import Story
from tradesim.reports.wording import plain, pretty, together, words
from tradesim.simulation.factors import HAPPENS, SPECIFICATION

# Bars and rows shown.
TOP = 10
# Fewer draws than this are too few to be looked at by thirds.
THIRDS = 60
# A correlation within so many standard errors of zero is taken for chance: among a thousand
# factors without influence one reaches this.
CHANCE = 3.3
REFERENCE, EFFECT = "reference", "effect"


@dataclass(frozen=True)
class Mover:
    """One factor, and what came out where it was low and where it was high.

    Attributes
    ----------
    name, title, unit
        Dotted name, and what it is for people.
    correlation
        Rank correlation (Spearman) with the outcome.
    edges
        Values that bound its lowest and its highest third.
    low, high
        Median outcome in the lowest and in the highest third, USD million.
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
    """Factors in the order in which they matter for one outcome.

    Attributes
    ----------
    outcome
        `REFERENCE` (turnover without the scenario) or `EFFECT` (its change if implemented).
    middle
        Median outcome over all draws, USD million.
    movers
        At most `TOP`, the strongest first.
    """

    outcome: str
    middle: float
    movers: tuple[Mover, ...]


def rankings(story: Story) -> list[Ranking]:
    """Rank the factors of a run for the last year: for the reference, and for the effect.

    Turnover is on the headline count. The effect is that if implemented, so whether a lever
    happens is not among its factors.

    Parameters
    ----------
    story
        The run and its past.

    Returns
    -------
    list of Ranking
        Empty where there are too few draws to tell anything.
    """
    if story.draw_count < THIRDS:
        return []
    where = {"count": story.count, "year": story.last}
    outcomes = {REFERENCE: story.draws("turnover", "reference", **where)}
    if story.changes:
        outcomes[EFFECT] = story.change("turnover", "if_implemented", **where)
    levers = tuple(f"{name}." for name in json.loads(story.dataset.attrs["scenario"])["levers"])
    names = [str(name) for name in story.dataset["factor"].to_numpy()]
    policy = [name.startswith(levers) for name in names]
    barred = {REFERENCE: [policy[k] or name == SPECIFICATION for k, name in enumerate(names)],
              EFFECT: [name.endswith(f".{HAPPENS}") or name == SPECIFICATION
                       for name in names]}  # a place in a list is no quantity to rank
    kept = story.dataset["factors"].transpose("factor", "draw")
    return [Ranking(name, float(np.median(values)),
                    movers(kept.isel(factor=np.flatnonzero(~np.array(barred[name]))), values))
            for name, values in outcomes.items()]


def movers(kept: xr.DataArray, outcome: Array) -> tuple[Mover, ...]:
    """Give the factors that move an outcome beyond chance, the strongest first.

    Parameters
    ----------
    kept
        Factors (factor, draw), with titles and units.
    outcome
        What came out, by draw.
    """
    names, titles, units = (kept[key].to_numpy().astype(str)
                            for key in ("factor", "factor_title", "factor_unit"))
    values = kept.to_numpy().astype(float)
    correlation = correlations(values, outcome)
    chance = CHANCE / np.sqrt(len(outcome) - 1)
    found = []
    for place in np.argsort(-np.abs(correlation), kind="stable")[:TOP]:
        if abs(correlation[place]) <= chance:
            break
        thirds = np.quantile(values[place], [1 / 3, 2 / 3])
        low, high = values[place] <= thirds[0], values[place] >= thirds[1]
        if thirds[0] == thirds[1]:  # a switch: the few against the many
            low, high = values[place] <= thirds[0], values[place] > thirds[0]
            if not high.any():
                low, high = values[place] < thirds[0], values[place] >= thirds[0]
        found.append(Mover(
            str(names[place]), str(titles[place]), str(units[place]), float(correlation[place]),
            (float(values[place][low].max()), float(values[place][high].min())),
            float(np.median(outcome[low])), float(np.median(outcome[high]))))
    return tuple(found)


def correlations(values: Array, outcome: Array) -> Array:
    """Rank correlation (Spearman) of each row of `values` with `outcome`; 0 without variation."""
    ranks = pd.DataFrame(values.T).rank()
    target = pd.Series(outcome).rank()
    if target.nunique() < 2:
        return np.zeros(len(values))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.array(ranks.corrwith(target).fillna(0.0), dtype=float)


def table(story: Story, ranking: Ranking) -> dict[str, object]:
    """Give a ranking as a table of the report."""
    phrases = words()["ranking"]
    rows = []
    for place, mover in enumerate(ranking.movers, start=1):
        rows.append([f"{place}. {mover.title}", mover.unit,
                     *(_edge(edge) for edge in mover.edges), plain(mover.low), plain(mover.high),
                     plain(mover.correlation, 2)])
    return {"title": phrases[ranking.outcome].format(year=story.last,
                                                     count=story.pair.name(story.count)),
            "columns": list(phrases["columns"].values()), "rows": rows, "total": False}


def _edge(value: float) -> str:
    return str(round(value)) if value.is_integer() else plain(value)


def sentence(ranking: Ranking) -> dict[str, object] | None:
    """Give the strongest factor of a ranking for a sentence, or None where none stands out."""
    if not ranking.movers:
        return None
    first = ranking.movers[0]
    return {"title": first.title, "low": [first.low], "high": [first.high],
            "outcome": ranking.outcome}


def described(mover: Mover) -> str:
    """Label of a bar: what it is, and the values that bound its outer thirds."""
    low, high = (str(round(edge)) if edge.is_integer() else pretty(edge) for edge in mover.edges)
    if not any(edge.is_integer() for edge in mover.edges):
        low, high = together(mover.edges)
    return str(words()["ranking"]["label"].format(title=mover.title, low=low, high=high,
                                                  unit=mover.unit))
