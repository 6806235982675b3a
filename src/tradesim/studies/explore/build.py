"""From scenarios to an emulator that is near enough to the model, with all that a page shows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tradesim.common.arrays import MILLION, Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import calibration_folder
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.scenario import Scenario, shipped
from tradesim.simulation.model import ask, load_baseline
from tradesim.studies.explore import check
from tradesim.studies.explore.cards import Card, Preset, cards, preset
from tradesim.studies.explore.check import Accuracy, measure, random_packages
from tradesim.studies.explore.emulator import Effect, Emulator, Growth, Packed
from tradesim.studies.explore.engine import Engine
from tradesim.studies.explore.responses import (
    Sides,
    pair_factors,
    responses,
    route_shares,
    sides,
    strongest,
)

DRAWS = 1000
BASE = "base"
"""Scenario without levers, which every page starts from."""

FOOD = 24
"""Last chapter of the Harmonized System with goods of farms and food."""


@dataclass(frozen=True)
class Explorer:
    """Everything that a page of the explorer shows.

    Attributes
    ----------
    target
        Turnover that is aimed at, USD million.
    reported
        Turnover that was reported, USD million, by year.
    others
        Suppliers outside the pair whose sales are shown.
    sides
        Who gains or loses by each variant of each lever.
    routes
        Mean share of each route in each flow without policy; (route, importer, year).
    left_out
        Scenarios that set what no card shows.
    """

    base: Baseline
    scenario: Scenario
    count: str
    target: float
    reported: Mapping[int, float]
    others: tuple[str, ...]
    emulator: Emulator
    sides: Mapping[str, tuple[Sides, ...]]
    routes: Array
    presets: tuple[Preset, ...]
    left_out: tuple[str, ...]
    accuracy: Accuracy


def explore(scenarios: Sequence[str | Path] = (), *, calibration: Path | None = None,
            draws: int = DRAWS, seed: int | None = None, count: str | None = None,
            levers: Collection[str] | None = None, packages: int = check.PACKAGES,
            read: Callable[[], None] = lambda: None) -> Explorer:
    """Read scenarios, and build the emulator that readers start from; see `build`.

    Parameters
    ----------
    scenarios
        Scenarios that readers may start from, the first one open at the beginning; those that come
        with tradesim follow.
    read
        Called when all is read and found right, before the work.

    Raises
    ------
    InputError
        When a scenario is wrong, or the emulator is farther from the model than it may be.
    """
    base = load_baseline(calibration_folder() if calibration is None else calibration)
    start, described = ask(base, BASE, (), draws, seed, count)
    asked = [ask(base, name, (), draws, seed)[0] for name in dict.fromkeys(map(str, scenarios))]
    if not asked:
        asked.append(start)
    names = {scenario.name for scenario in asked}
    for name in shipped():
        if name not in names:
            with suppress(InputError):  # another calibration lacks some of the levers
                asked.append(ask(base, name, (), draws, seed)[0])
    read()
    return build(base, asked, start, str(described["count"]), levers=levers, packages=packages)


def build(base: Baseline, scenarios: Sequence[Scenario], start: Scenario, count: str, *,
          levers: Collection[str] | None = None, packages: int = check.PACKAGES) -> Explorer:
    """Build the emulator and measure how far it is from the model.

    Parameters
    ----------
    scenarios
        Scenarios that readers may start from, in this order.
    start
        Scenario without levers that gives horizon, draws, seed and target.
    count
        Whose statistics are used.
    levers
        Levers that may be pulled; all that these scenarios make complete by default.
    packages
        Random packages to measure the error on.

    Raises
    ------
    InputError
        When the emulator is farther from the model than it may be.
    """
    known = [name for name in dict.fromkeys(
        [*base.levers, *(name for one in scenarios for name in one.levers)])
        if levers is None or name in levers]
    centre = Engine.of(base, start.model_copy(update={"draws": 1}), count, known)
    shown = cards(base, scenarios, strongest(centre, known), centre.years, known)
    engine = Engine.of(base, start, count, list(shown))
    emulator = _emulator(engine, shown)
    presets = {scenario.name: preset(scenario, shown, start) for scenario in scenarios}
    target = start.target_usd / MILLION
    accuracy = measure(emulator, engine, random_packages(
        shown, engine.years, base.pair.importers, start.seed, packages), target)
    _near_enough(accuracy, shown)
    others = tuple(code for code in base.pair.exporters if code not in base.pair.importers)[:2]
    return Explorer(
        base, start, count, target, _reported(base, count), others, emulator,
        _sides(engine, shown, others), route_shares(engine),
        tuple(found for found in presets.values() if found),
        tuple(name for name, found in presets.items() if found is None), accuracy)


def _emulator(engine: Engine, shown: Mapping[str, Card]) -> Emulator:
    reference = engine.pulling([]).trade(np.zeros((1, 1), dtype=np.int64))[0][0]
    found, weights = responses(engine, shown), engine.weights()
    effects = {name: tuple(Effect.of(found[name, variant], weights, card)
                           for variant in range(len(card.variants)))
               for name, card in shown.items()}
    flowing = [name for name, (effect, *_) in effects.items()
               if not effect.given and any(effect.paths)]
    success = {name: Packed.of(engine.draws[f"{name}.success"]) for name in shown}
    return Emulator(engine.years, shown, Packed.of(reference),
                    Growth.of(engine.base, engine.draws, len(engine.years)), success, effects,
                    pair_factors(engine, shown, flowing), *map(Packed.of, engine.open_share()))


def _sides(engine: Engine, shown: Mapping[str, Card],
           others: Sequence[str]) -> dict[str, tuple[Sides, ...]]:
    pair = engine.base.pair
    farm = [place for place, group in enumerate(pair.groups.values()) if is_food(group.hs)]
    places = [pair.exporters.index(code) for code in others]
    return {name: tuple(sides(engine, card, variant, shown.get(card.lever.follows), farm, places)
                        for variant in range(len(card.variants)))
            for name, card in shown.items()}


def is_food(chapters: str) -> bool:
    """Whether a group holds chapters of farm goods and food: those up to `FOOD`."""
    first = chapters.replace("-", ",").split(",")[0].strip()
    return first.isdigit() and int(first) <= FOOD


def _reported(base: Baseline, count: str) -> dict[int, float]:
    """Turnover on a count by year, where both flows were reported."""
    reporter = base.pair.reporters.index(base.pair.counts[count].reporter)
    turnover = np.exp(base.history.log_value[:, :, reporter]).sum(axis=1) / MILLION
    return {year: float(value) for year, value in zip(base.history.years, turnover, strict=True)
            if np.isfinite(value)}


def _near_enough(accuracy: Accuracy, shown: Mapping[str, Card]) -> None:
    """Refuse an emulator that is too far from the model, and say which lever is to blame."""
    quantile, chance = accuracy.mean
    if quantile <= check.LARGEST_QUANTILE and chance <= check.LARGEST_CHANCE:
        return
    worst = max(shown, key=accuracy.added)
    raise InputError([Problem(
        "explore", "", f"the page would be {quantile:.1f} % off the model on a quantile and "
        f"{chance:.2f} points on the probability of the target; allowed are "
        f"{check.LARGEST_QUANTILE:g} % and {check.LARGEST_CHANCE:g} points",
        f"most of it comes with the lever '{worst}'")])
