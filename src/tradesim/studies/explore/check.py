"""How far the emulator is from the model: random packages solved by both, on the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.inputs.growth import NAMED, growth_draws
from tradesim.studies.explore.cards import START, Card, Package, Pull
from tradesim.studies.explore.emulator import Emulator
from tradesim.studies.explore.engine import Engine
from tradesim.studies.explore.responses import copy_of

PACKAGES = 200
ROWS = 8
"""Draws of each package that the model solves too."""

QUANTILES = (0.1, 0.5, 0.9)
LARGEST_QUANTILE, LARGEST_CHANCE = 2.0, 0.5
"""Error allowed on average over packages: per cent of a quantile, points of the probability."""

PULLED = {"shock": 0.15}
"""Probability that a random package has an entry of a family; `USUALLY` for all others."""

USUALLY = 0.35


@dataclass(frozen=True)
class Accuracy:
    """Errors of the emulator in the last year, by package.

    Attributes
    ----------
    quantiles
        Per cent of each of `QUANTILES`, absolute; (package, quantile).
    chance
        Points of the probability of the target, absolute; (package,).
    packages
        What was asked.
    """

    quantiles: Array
    chance: Array
    packages: tuple[Package, ...]

    @property
    def mean(self) -> tuple[float, float]:
        """Mean error over packages of the worst quantile, per cent, and of the probability."""
        if not len(self.packages):
            return 0.0, 0.0
        return float(self.quantiles.mean(axis=0).max()), float(self.chance.mean())

    @property
    def usual(self) -> tuple[float, float]:
        """Errors that 95 of 100 packages stay below."""
        if not len(self.packages):
            return 0.0, 0.0
        return (float(np.quantile(self.quantiles, 0.95, axis=0).max()),
                float(np.quantile(self.chance, 0.95)))

    def added(self, lever: str) -> float:
        """How much larger errors are where a lever is pulled, against what is allowed."""
        pulled = np.array([lever in package.pulls for package in self.packages])
        if pulled.all() or not pulled.any():
            return 0.0
        error = np.maximum(self.quantiles.max(axis=1) / LARGEST_QUANTILE,
                           self.chance / LARGEST_CHANCE)
        return float(error[pulled].mean() - error[~pulled].mean())


def random_packages(cards: Mapping[str, Card], years: Sequence[int], importers: Sequence[str],
                    seed: int, count: int = PACKAGES) -> tuple[Package, ...]:
    """Draw packages that a reader could put together."""
    random = np.random.default_rng([seed, 15])
    return tuple(_package(cards, years, importers, random) for _ in range(count))


def _package(cards: Mapping[str, Card], years: Sequence[int], importers: Sequence[str],
             random: np.random.Generator) -> Package:
    pulls: dict[str, Pull] = {}
    for name, card in cards.items():
        likely = random.random() < PULLED.get(card.lever.family, USUALLY)
        if likely and (not card.lever.follows or card.lever.follows in pulls):
            pulls[name] = _pull(card, years, random)
    way = int(random.integers(2 * len(NAMED)))
    growth: str | dict[str, float] = NAMED[way % len(NAMED)]
    if way == 2 * len(NAMED) - 1:
        growth = {code: float(np.round(random.uniform(0.0, 10.0), 1)) for code in importers}
    return Package(pulls, growth)


def _pull(card: Card, years: Sequence[int], random: np.random.Generator) -> Pull:
    strength = None
    if card.strength and random.random() < 0.5:
        strength = float(random.uniform(card.strength.low, card.strength.high))
    elif card.strength and card.lever.required:
        strength = card.strength.usual
    chance = float(random.choice([1.0, card.chance, random.random()]))
    return Pull(int(random.integers(len(card.variants))),
                int(random.integers(card.first, years[-1])), chance, strength)


def measure(emulator: Emulator, engine: Engine, packages: Sequence[Package],
            target: float, rows: int = ROWS) -> Accuracy:
    """Solve packages with the model on some of the draws, and compare.

    The error of a quantile is, to the first order, that expected of a draw that lies there, and
    that of a probability the one expected of a draw at the target times the density there.
    """
    random = np.random.default_rng(len(packages))
    size = engine.size
    chosen = np.array([random.choice(size, min(rows, size), replace=False) for _ in packages])
    solved = solve(engine, emulator.cards, packages, chosen)[1][-1]
    last = [len(emulator.years) - 1]
    quantiles, chances = [], []
    for package, here, true in zip(packages, chosen, solved, strict=True):
        every = np.log(emulator.flows(package, last)[1][:, 0].sum(axis=0))
        error, level = np.log(true) - every[here], every[here]
        quantiles.append([100.0 * _at(level, error, value)
                          for value in np.quantile(every, QUANTILES)])
        width = 1.06 * every.std() * size**-0.2
        density = np.exp(-0.5 * ((every - np.log(target)) / width)**2).mean() / (
            width * np.sqrt(2.0 * np.pi))
        chances.append(100.0 * density * _at(level, error, np.log(target)))
    return Accuracy(np.abs(quantiles), np.abs(chances), tuple(packages))


def _at(level: Array, error: Array, value: float) -> float:
    """Error to expect at a value, by a straight line through those of the draws."""
    away = level - level.mean()
    slope = (away * error).sum() / max(float((away**2).sum()), 1e-12)
    return float(error.mean() + slope * (value - level.mean()))


def solve(engine: Engine, cards: Mapping[str, Card], packages: Sequence[Package],
          rows: NDArray[np.intp]) -> tuple[Array, Array]:
    """Turnover in the model, USD million, without and with the levers; (year, package, row).

    All packages are solved together, each on its own draws: start, probability, strength and
    growth are columns of draws like any other. Variants are levers of their own.
    """
    keys = sorted({_key(cards, package, name) for package in packages for name in package.pulls},
                  key=lambda key: (list(cards).index(key[0]), *key[1:]))
    copies = {key: copy_of(cards[key[0]], key[1], after=key[2]) for key in keys}
    size = rows.shape[1]
    many = engine.rows(rows.ravel()).pulling(list(copies.values()))
    bits = {key: 1 << place for place, key in enumerate(keys)}
    fixed: dict[str, Array] = {}
    subsets = np.zeros(rows.size, dtype=np.int64)

    def put(name: str, here: slice, values: Array | float) -> None:
        fixed.setdefault(name, np.array(many.draws[name]))[here] = values

    for place, package in enumerate(packages):
        here = slice(place * size, (place + 1) * size)
        for key, values in growth_draws(engine.base.pair.importers, package.growth, size).items():
            put(key, here, values)
        for name, pull in package.pulls.items():
            at = _key(cards, package, name)
            put(f"{copies[at].name}.{START}", here, pull.start)
            strength = cards[name].strength
            if strength and pull.strength is not None:
                put(f"{copies[at].name}.{strength.key}", here, pull.strength)
            happens = success(engine, cards, package, name)[rows[place]]
            subsets[here] |= np.where(happens, bits[at], 0)
    log_flow, project = many.fixed(fixed).trade(np.stack([np.zeros_like(subsets), subsets]))
    without, found = (np.exp(log_flow) + project).sum(axis=1).reshape(2, -1, *rows.shape)
    return without, found


def _key(cards: Mapping[str, Card], package: Package, name: str) -> tuple[str, int, int]:
    """Give a lever in use, its variant, and that of the first stage, if it follows one."""
    first = package.pulls.get(cards[name].lever.follows)
    return name, package.pulls[name].variant, first.variant if first else 0


def success(engine: Engine, cards: Mapping[str, Card], package: Package,
            name: str) -> NDArray[np.bool_]:
    """Draws in which a lever of a package succeeds in the model."""
    found = engine.draws[f"{name}.success"] < package.pulls[name].chance
    first = cards[name].lever.follows
    return np.asarray(found & success(engine, cards, package, first) if first else found)
