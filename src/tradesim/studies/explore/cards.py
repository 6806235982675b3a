"""What a reader of the explorer may move: levers with their settings, and scenarios to start from.

A lever is shown once for each set of settings that differs in more than its start, its
probability and its strength: by default, and as scenarios have it (`Variant`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tradesim.inputs.baseline import Baseline
from tradesim.inputs.distributions import Fixed
from tradesim.inputs.growth import NAMED
from tradesim.inputs.levers import COMMON, COST, Lever
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.inputs.scenario import Scenario

START, CHANCE = "start", "probability"
MOVED = (START, CHANCE)
"""Settings that every card lets a reader move."""

HALF = 3
"""Nodes of a strength on either side of the middle."""

YEARS = "years"
"""Unit of settings that stretch an effect rather than strengthen it."""

Value = int | float | str


@dataclass(frozen=True)
class Strength:
    """The one setting of a lever that a reader may fix instead of leaving it to its range."""

    key: str
    low: float
    high: float
    #: value where a scenario says nothing: the one it has, or the middle of those drawn
    usual: float
    drawn: bool  #: whether the model draws it unless it is fixed

    @property
    def nodes(self) -> tuple[float, ...]:
        """Values at which the model is solved; sizes are measured against the middle one."""
        return tuple(float(value) for value in np.linspace(self.low, self.high, 2 * HALF + 1))

    @property
    def middle(self) -> float:
        """The value in the middle."""
        return self.nodes[HALF]


@dataclass(frozen=True)
class Variant:
    """A lever with some settings given."""

    title: str  #: of the scenario that has them; empty for the lever's defaults
    settings: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Card:
    """A lever that a reader may pull."""

    lever: Lever
    strength: Strength | None
    variants: tuple[Variant, ...]
    first: int  #: earliest start

    @property
    def name(self) -> str:
        """Name of the lever."""
        return self.lever.name

    @property
    def start(self) -> int:
        """Start where a scenario says nothing."""
        return max(self.first, round(usual(self.lever.settings[START])))

    @property
    def solved(self) -> int:
        """Start with which the model is solved.

        The earliest, so that every later start is the same course later; a later stage of an
        agreement at its usual time, since it takes over what the first stage has reached by then.
        """
        return self.start if self.lever.follows else self.first

    @property
    def chance(self) -> float:
        """Probability where a scenario says nothing."""
        return usual(self.lever.settings[CHANCE])


@dataclass(frozen=True)
class Pull:
    """A lever in use: which variant, from when, how surely, how strongly (None: as drawn)."""

    variant: int
    start: int
    chance: float
    strength: float | None = None


@dataclass(frozen=True)
class Package:
    """What is asked of the emulator, or of the model."""

    pulls: Mapping[str, Pull] = field(default_factory=dict)
    growth: str | Mapping[str, float] = NAMED[0]


@dataclass(frozen=True)
class Preset:
    """A scenario to start from."""

    name: str
    title: str
    question: str
    target: float
    package: Package


def usual(setting: Any) -> float:
    """Middle of what is drawn of a setting."""
    return float(quantile(setting, np.array([0.5]))[0])


def candidates(lever: Lever) -> dict[str, tuple[float, float]]:
    """Give settings that may be a lever's strength, with the range that readers may fix them in.

    A setting that a scenario must give leaves no choice.
    """
    numbers = {key: item for key, item in lever.settings.items() if isinstance(item, Parameter)
               and key not in COMMON and key not in COST and item.unit != YEARS}
    required = {key: item for key, item in numbers.items() if item.required}
    return {key: _range(item) for key, item in (required or numbers).items()}


def _range(item: Parameter) -> tuple[float, float]:
    """Give values from nothing to beyond what is drawn, in round numbers, within the bounds."""
    middle = usual(item)
    if item.required:
        return item.low, item.high
    tail = float(quantile(item, np.array([0.99]))[0])
    high = max(2.0 * middle if isinstance(item.distribution, Fixed) else 1.1 * tail, item.low)
    low = min(item.low, 0.0) if middle < 0.0 else max(item.low, 0.0)
    return low, min(item.high, _rounded(high))


def _rounded(value: float) -> float:
    """Round up to one of 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    if value <= 0.0:
        return value
    power = 10.0 ** np.floor(np.log10(value))
    steps = np.array([1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0])
    return float(power * steps[np.searchsorted(steps, value / power - 1e-9)])


def cards(base: Baseline, scenarios: Sequence[Scenario], strongest: Mapping[str, str],
          years: tuple[int, ...], names: Sequence[str]) -> dict[str, Card]:
    """Give the levers that can be shown: those whose settings are given, by default or somewhere.

    Parameters
    ----------
    scenarios
        Scenarios that readers may start from.
    strongest
        For each lever its setting that moves trade most.
    years
        Projected years.
    names
        Levers to look at, first stages before later ones.
    """
    found: dict[str, Card] = {}
    for name in names:
        lever = base.levers[name]
        uses = [(scenario.title, scenario.levers[name]) for scenario in scenarios
                if name in scenario.levers]
        key = strongest.get(name)
        others = {*lever.required} - {key}
        variants = list(_variants(uses, key, default=not others))
        first = max(years[0], round(_number(lever, START).low))
        if variants and first <= years[-1] and (not lever.follows or lever.follows in found):
            found[name] = Card(lever, _strength(lever, key, uses), tuple(variants), first)
    return found


def _number(lever: Lever, key: str) -> Parameter:
    item = lever.settings[key]
    if not isinstance(item, Parameter):
        raise TypeError(f"{lever.name}.{key} is no number")
    return item


def _strength(lever: Lever, key: str | None,
              uses: Iterable[tuple[str, Mapping[str, Value]]]) -> Strength | None:
    if key is None:
        return None
    item = _number(lever, key)
    low, high = candidates(lever)[key]
    given = [float(use[key]) for _, use in uses if key in use]
    if item.required:
        if not given:
            return None
        high = min(high, _rounded(2.0 * max(given)))
        return Strength(key, low, high, given[0], drawn=False)
    high = max(high, *given, low) if given else high
    drawn = not isinstance(item.distribution, Fixed)
    return Strength(key, low, high, usual(item), drawn) if high > low else None


def _variants(uses: Iterable[tuple[str, Mapping[str, Value]]], key: str | None, *,
              default: bool) -> Iterable[Variant]:
    """Give settings beside those on the card, each set once."""
    seen: list[dict[str, Value]] = []
    if default:
        seen.append({})
        yield Variant("")
    for title, use in uses:
        rest = settings_beside(use, key)
        if rest not in seen:
            seen.append(rest)
            yield Variant(title, rest)


def settings_beside(use: Mapping[str, Value], key: str | None) -> dict[str, Value]:
    """Give what a scenario sets of a lever apart from what its card shows."""
    return {name: value for name, value in use.items() if name not in (*MOVED, key)}


def preset(scenario: Scenario, shown: Mapping[str, Card], start: Scenario) -> Preset | None:
    """Give a scenario as a start for readers; None where it sets what no card shows.

    `start` is the scenario whose horizon and seed the page has.
    """
    alike = (scenario.horizon, scenario.seed) == (start.horizon, start.seed)
    if (scenario.parameters or scenario.closure != "none" or not alike
            or not {*scenario.levers} <= {*shown}):
        return None
    pulls = {}
    for name, use in scenario.levers.items():
        card = shown[name]
        key = card.strength.key if card.strength else None
        rest = settings_beside(use, key)
        place = next((at for at, variant in enumerate(card.variants)
                      if dict(variant.settings) == rest), None)
        if place is None:
            return None
        strength = float(use[key]) if key in use else None
        pulls[name] = Pull(place, round(float(use.get(START, card.start))),
                           float(use.get(CHANCE, card.chance)), strength)
    return Preset(scenario.name, scenario.title, scenario.question, scenario.target_usd,
                  Package(pulls, scenario.growth))
