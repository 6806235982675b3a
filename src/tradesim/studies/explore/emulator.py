r"""The emulator: every draw of the model, and how each lever moves it, small enough for a page.

.. math:: X_{fdt} = \exp\Bigl(x_{fdt} + g_{fdt} + \sum_l o_{ld} e_{lfdt}
    + \sum_{l<m} \kappa_{lmf}\, o_{ld} e_{lfdt}\, o_{md} e_{mfdt}\Bigr) + \sum_p o_{pd} e_{pfdt}

with the reference :math:`x`, growth :math:`g`, whether a lever succeeds in a draw :math:`o`, its
effect alone :math:`e`, and goods of projects :math:`p` in USD. The page computes the same in
JavaScript (`reports/explore/model.js`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, ratio
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.growth import NAMED, PUBLISHED, outlook
from tradesim.studies.explore.cards import Card, Package, Pull
from tradesim.studies.explore.responses import MOST, Response, sized

LARGEST = 32767
LEFT = 1e-3
"""Log points of turnover, root mean square, that the components of a path may leave out."""


@dataclass(frozen=True)
class Packed:
    """Numbers kept as 16-bit whole numbers times a scale."""

    codes: NDArray[np.int16]
    scale: float

    @classmethod
    def of(cls, values: Array) -> Packed:
        """Round to the nearest of 65,535 steps between minus and plus the largest."""
        largest = float(np.abs(values).max(initial=0.0))
        scale = float(f"{largest / LARGEST:.6g}") if largest else 1.0
        codes = np.clip(np.round(values / scale), -LARGEST, LARGEST).astype(np.int16)
        return cls(codes, scale)

    @cached_property
    def values(self) -> Array:
        """The numbers."""
        return np.asarray(self.codes * self.scale, dtype=float)


@dataclass(frozen=True)
class Path:
    """A lever's effect on one flow: few courses over the years, mixed draw by draw.

    Attributes
    ----------
    courses
        (component, year).
    mix
        (component, draw).
    """

    courses: Array
    mix: Packed

    @classmethod
    def of(cls, path: Array, left: float) -> Path | None:
        """Take as many principal components of (year, draw) as leave out no more than `left`."""
        axes, sizes, _ = np.linalg.svd(path, full_matrices=False)
        rest = np.sqrt(np.maximum((sizes**2)[::-1].cumsum()[::-1], 0.0) / path.size)
        kept = int((rest > left).sum())
        if not kept:
            return None
        mix = axes[:, :kept].T @ path
        largest = np.abs(mix).max(axis=1, keepdims=True)
        courses = np.array([[float(f"{value:.5g}") for value in row]
                            for row in axes[:, :kept].T * largest])
        return cls(courses, Packed.of(mix / largest))

    def at(self, places: Sequence[int], shift: int) -> Array:
        """Give the effect in some years when it begins some years later; (year, draw).

        When it begins earlier, the last year stands for what is beyond.
        """
        before = np.array(places) - shift
        courses = np.where(before >= 0, self.courses.take(before, axis=1, mode="clip"), 0.0)
        return np.asarray(courses.T @ self.mix.values)


@dataclass(frozen=True)
class Effect:
    """A `responses.Response` as the page holds it; lists are by flow, None where nothing moves."""

    given: bool
    paths: tuple[Path | None, ...]
    drawn: tuple[Packed | None, ...]  #: size at the draw's strength; (draw,)
    sizes: Array  #: size at each node of strength; (node, importer)

    @classmethod
    def of(cls, response: Response, weights: Array, card: Card) -> Effect:
        """Compress a response; `weights` are the flows' shares of turnover."""
        left = [LEFT * 100.0 if response.given else LEFT / weight for weight in weights]
        paths = tuple(Path.of(*one) for one in zip(response.path, left, strict=True))
        drawn = card.strength is not None and card.strength.drawn
        return cls(response.given, paths,
                   tuple(Packed.of(size) if drawn and path else None
                         for size, path in zip(response.drawn, paths, strict=True)),
                   np.array([[float(f"{size:.5g}") for size in node] for node in response.sizes]))

    def size(self, flow: int, card: Card, strength: float | None) -> Array | float:
        """Size of the effect as a share of the path at the middle strength."""
        drawn = self.drawn[flow]
        if card.strength is None:
            return 1.0
        if strength is None and drawn is not None:
            return drawn.values
        usual = card.strength.usual if strength is None else strength
        return float(sized(card.strength, self.sizes, np.array(usual))[flow])


@dataclass(frozen=True)
class Growth:
    """How another path of GDP moves the reference: exact, by what the flows are loaded with.

    Attributes
    ----------
    loading_size
        Elasticity of both flows to the size of both economies; (draw,).
    loading_rate
        Elasticity of each flow to the real exchange rate; (importer, draw).
    named
        Change of size and rate against the published path, by name; each (2, year).
    own
        For each country the same at growth of nothing, and what each log point a year adds;
        (2, 2, year): constant and slope, size and rate.
    """

    loading_size: Packed
    loading_rate: Packed
    named: Mapping[str, Array]
    own: Mapping[str, Array]

    @classmethod
    def of(cls, base: Baseline, draws: Mapping[str, Array], years: int) -> Growth:
        """Read the loadings of the draws, and the paths of the history."""
        def paths(growth: str | dict[str, float]) -> Array:
            found = outlook(base.history, growth)
            return np.array([found.log_gdp[:years].sum(axis=-1), found.exchange_rate[:years]])

        published, unit = paths(PUBLISHED), float(np.expm1(0.1) * 100.0)
        own = {}
        for code in base.pair.importers:
            still, fast = paths({code: 0.0}) - published, paths({code: unit}) - published
            own[code] = np.array([still, (fast - still) / 0.1])
        return cls(Packed.of(draws["posterior.elasticity_gdp"]),
                   Packed.of(draws["posterior.elasticity_exchange_rate"].T),
                   {name: paths(name) - published for name in NAMED}, own)

    def shift(self, growth: str | Mapping[str, float], places: Sequence[int]) -> Array:
        """Log change of each flow; (importer, year, draw)."""
        if isinstance(growth, str):
            moved = self.named[growth]
        else:
            moved = np.sum([self.own[code][0] + self.own[code][1] * np.log1p(rate / 100.0)
                            for code, rate in growth.items()], axis=0)
        size, rate = moved[:, list(places)]
        return np.asarray(self.loading_size.values * size[:, None]
                          + self.loading_rate.values[:, None] * rate[:, None])


@dataclass(frozen=True)
class Emulator:
    """Everything that answers a `Package` without the model."""

    years: tuple[int, ...]
    cards: Mapping[str, Card]
    reference: Packed  #: log of each flow, USD million; (importer, year, draw)
    growth: Growth
    success: Mapping[str, Packed]  #: by lever a uniform number: it succeeds below its probability
    effects: Mapping[str, tuple[Effect, ...]]  #: by lever and variant
    pairs: Mapping[tuple[str, str], Array]  #: by pair of levers what both add; (importer,)
    #: what closures of the corridor leave of goods, and of the effect of a lever that needs it
    open_goods: Packed
    open_effect: Packed

    def happens(self, pulls: Mapping[str, Pull], name: str) -> NDArray[np.bool_]:
        """Draws in which a lever succeeds; a later stage needs the first."""
        found = self.success[name].values < pulls[name].chance
        first = self.cards[name].lever.follows
        return np.asarray(found & self.happens(pulls, first) if first else found)

    def shift(self, pulls: Mapping[str, Pull], name: str) -> int:
        """Years by which a lever begins later than in its path."""
        card, start = self.cards[name], pulls[name].start
        if first := card.lever.follows:
            start = max(start, pulls[first].start)
        return start - card.solved

    def effect(self, pulls: Mapping[str, Pull], name: str, places: Sequence[int]) -> Array:
        """Effect of one lever where it succeeds; (importer, year, draw)."""
        pull, card = pulls[name], self.cards[name]
        effect, shift = self.effects[name][pull.variant], self.shift(pulls, name)
        nothing = np.zeros((len(places), self.reference.codes.shape[-1]))
        left = self.open_goods if effect.given else self.open_effect
        kept = left.values[list(places)] if card.lever.needs_corridor else 1.0
        return np.array([nothing if path is None else
                         path.at(places, shift) * effect.size(flow, card, pull.strength)
                         * self._first_stage(pulls, card, flow) * kept
                         for flow, path in enumerate(effect.paths)])

    def _first_stage(self, pulls: Mapping[str, Pull], card: Card, flow: int) -> Array | float:
        """Size that a later stage takes over from the first, against that one as drawn."""
        name = card.lever.follows
        if not name or pulls[name].strength is None:
            return 1.0
        first, effect = self.cards[name], self.effects[name][pulls[name].variant]
        fixed, drawn = (effect.size(flow, first, strength)
                        for strength in (pulls[name].strength, None))
        return np.clip(ratio(np.asarray(fixed), np.asarray(drawn), 1.0), 0.0, MOST)

    def flows(self, package: Package, places: Sequence[int] | None = None) -> tuple[Array, Array]:
        """Flow into each importer without and with the levers, USD million.

        Both on the package's path of GDP; (importer, year, draw), in all years by default.
        """
        places = range(len(self.years)) if places is None else places
        log_flow = self.reference.values[:, list(places)] + self.growth.shift(package.growth,
                                                                              places)
        pulls, acting = package.pulls, {}
        total, given = log_flow, np.zeros_like(log_flow)
        for name in pulls:
            effect = self.effect(pulls, name, places) * self.happens(pulls, name)
            if self.effects[name][pulls[name].variant].given:
                given = given + effect
                continue
            acting[name] = effect
            total = total + effect
        for (one, other), factor in self.pairs.items():
            if one in acting and other in acting:
                total = total + factor[:, None, None] * acting[one] * acting[other]
        return np.exp(log_flow), np.exp(total) + given
