"""What the model itself says of a package: the numbers of the page, without the emulator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION, Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.growth import HIGHEST, LOWEST, NAMED
from tradesim.simulation.draws import REFERENCE, SCENARIO
from tradesim.simulation.prepared_model import PreparedModel
from tradesim.studies.explore.build import Explorer
from tradesim.studies.explore.cards import CHANCE, START, Card, Package, Pull

LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Quantiles of the fans, after which stands the mean."""


def prepared(explorer: Explorer) -> PreparedModel:
    """Make the model ready to answer: what a move leaves alone is not solved again."""
    model = PreparedModel.of(explorer.base, explorer.scenario, explorer.scenario.name,
                             [f"{key}={getattr(explorer.scenario, key)}" for key in
                              ("draws", "seed", "horizon")])
    model.run()
    return model


def answer(explorer: Explorer, model: PreparedModel, package: Package, target: float,
           year: int) -> dict[str, Any]:
    """Solve a package on all draws, as a run of the scenario that a reader may download.

    Returns
    -------
    dict
        ``chance`` and ``without``, probabilities of the target in the year; ``level``,
        ``reference`` and ``change``: by year `LEVELS` and the mean, USD million.
    """
    texts = [*settings(explorer.emulator.cards, package)]
    found = model.run(texts, cases=(REFERENCE, SCENARIO))["turnover"].sel(
        count=explorer.count).transpose("case", "year", "draw").to_numpy() / MILLION
    without, turnover = found
    place = explorer.emulator.years.index(year)
    return {"chance": float((turnover[place] >= target).mean()),
            "without": float((without[place] >= target).mean()),
            "level": fan(turnover), "reference": fan(without),
            "change": fan(turnover - without) if package.pulls else None}


def settings(cards: Mapping[str, Card], package: Package) -> Iterator[str]:
    """Give a package as settings over the scenario without levers."""
    if isinstance(package.growth, str):
        yield f"growth={package.growth}"
    else:
        yield from (f"growth.{code}={rate}" for code, rate in package.growth.items())
    for name, pull in package.pulls.items():
        card = cards[name]
        given = {**card.variants[pull.variant].settings, START: pull.start, CHANCE: pull.chance}
        if card.strength and pull.strength is not None:
            given[card.strength.key] = pull.strength
        yield from (f"{name}.{key}={value}" for key, value in given.items())


def fan(turnover: Array) -> list[list[float]]:
    """Quantiles and mean of each year."""
    return [[*map(float, np.quantile(row, LEVELS)), float(row.mean())] for row in turnover]


def asked(values: Any, cards: Mapping[str, Card], countries: tuple[str, ...],
          years: tuple[int, ...]) -> tuple[Package, float, int]:
    """Read what a page asks for: a package, a target and a year.

    Raises
    ------
    InputError
        When anything in it is not what a page may ask for.
    """
    try:
        pulls = {str(name): _pull(str(name), pull, cards, years)
                 for name, pull in values["pulls"].items()}
        year, target = int(values["year"]), float(values["target"])
        growth = values["growth"]
        known = growth in NAMED if isinstance(growth, str) else (
            {*growth} <= {*countries}
            and all(LOWEST <= float(rate) <= HIGHEST for rate in growth.values()))
        if not known or year not in years or not np.isfinite(target):
            raise ValueError("growth, year or target")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError([Problem("explore", "", f"cannot be read: {error}")]) from error
    ordered = {name: pulls[name] for name in cards if name in pulls}
    for name in ordered:
        first = cards[name].lever.follows
        if first and first not in ordered:
            raise InputError([Problem("explore", name, f"needs the lever '{first}'")])
    return Package(ordered, growth), target, year


def _pull(name: str, pull: Any, cards: Mapping[str, Card], years: tuple[int, ...]) -> Pull:
    if name not in cards:
        raise InputError([Problem("explore", name, "unknown lever", nearest(name, cards))])
    card, strength = cards[name], pull["strength"]
    found = Pull(int(pull["variant"]), int(pull["start"]), float(pull["chance"]),
                 None if strength is None else float(strength))
    inside = (0 <= found.variant < len(card.variants) and card.first <= found.start <= years[-1]
              and 0.0 <= found.chance <= 1.0)
    if found.strength is not None:
        limits = card.strength
        inside = inside and limits is not None and limits.low <= found.strength <= limits.high
    if not inside:
        raise ValueError(name)
    return found
