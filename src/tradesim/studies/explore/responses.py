"""What each lever does alone, draw by draw and by its strength, and what pairs of levers add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tradesim.common.arrays import Array, only, ratio, spread
from tradesim.economy.adjustment import at_once, partial_adjust
from tradesim.studies.explore.cards import HALF, START, Card, Strength, candidates
from tradesim.studies.explore.engine import FIRST_YEAR, SPEED, Copy, Drive, Engine

PAIR_DRAWS, ACCOUNT_DRAWS = 40, 64
"""Draws for pairs of levers, and for accounts."""

NODE_DRAWS, PATH_DRAWS = 150, 64
"""Draws on which the size by strength, and the course over the years, are solved first."""

SMALL = 1e-4
"""Log points below which an effect is none."""

FAR = 4e-3
"""Log points of turnover, root mean square, by which a course may differ from the model's before
it is solved in every draw."""

MAIN = 0.5
"""Share of the largest change of trade by any setting that that of a lever's strength has."""

LITTLE, MOST = 0.05, 20.0
"""Times the effect at the middle strength below, or above, which that of a draw is not scaled."""

Key = tuple[str, int]
"""A lever and the place of its variant."""


@dataclass(frozen=True)
class Response:
    """What one lever, in one of its variants, does to both flows if it succeeds.

    Attributes
    ----------
    path
        Log change of each flow, or USD million where `given` is true, with the start it is solved
        with and the middle strength; (importer, year, draw).
    given
        Whether the lever adds goods of a project instead of changing the flows.
    drawn
        Size as the strength is drawn, as a share of `path`; (importer, draw).
    sizes
        Size at each of `Strength.nodes`; (node, importer).
    """

    path: Array
    given: bool
    drawn: Array
    sizes: Array


def copy_of(card: Card, variant: int, strength: float | None = None, suffix: str = "",
            after: int = 0) -> Copy:
    """Copy a lever at the start it is solved with, at a strength or as drawn.

    `after` is the variant of the first stage that a later one follows.
    """
    given = dict(card.variants[variant].settings) | {START: card.solved}
    if card.strength and strength is not None:
        given[card.strength.key] = strength
    first = f"{card.lever.follows}.{after}" if card.lever.follows else ""
    name = f"{card.name}{suffix}.{variant}" + (f".{after}" if after else "")
    return Copy(name, card.name, given, first)


def _usual(card: Card, variant: int) -> Copy:
    """Copy a lever as it is drawn, as it would work were the corridor always open."""
    return replace(copy_of(card, variant, _given(card)), unbroken=True)


def _given(card: Card) -> float | None:
    """Strength of a lever at its defaults; None where it is drawn."""
    return card.strength.usual if card.strength and not card.strength.drawn else None


def _sudden(copy: Copy, last: int) -> Copy:
    """Let a lever begin in the last year, without delay."""
    settings = {**copy.settings, "delay": 0.0, "phase_in": 1.0, START: last}
    return replace(copy, settings=settings, unbroken=True)


def responses(engine: Engine, cards: Mapping[str, Card]) -> dict[Key, Response]:
    """Find what every lever does alone, draw by draw.

    Where trade settles is solved once for every draw; how it gets there follows from the course
    of the shock (equations 11 and 16). Levers whose course differs are solved in every year.
    How the size depends on the strength is solved for the first variant, as a mean over draws.
    """
    usual = {(name, variant): _usual(card, variant) for name, card in cards.items()
             for variant in range(len(card.variants))}
    drives = engine.drives(list(usual.values()))
    given = [key for key, copy in usual.items() if drives[copy.name].parts == {"project"}]
    solved = [key for key, copy in usual.items()
              if drives[copy.name].parts - {"project", "visitors"}]
    nothing = np.zeros((len(engine.base.pair.importers), len(engine.years), engine.size))
    paths = dict.fromkeys(usual, nothing) | {key: drives[usual[key].name].goods for key in given}
    copies = [usual[key] for key in solved]
    paths |= zip(solved, courses(engine, copies, drives), strict=True)
    sizes = (_by_strength(engine, cards, [key for key in solved if key[1] == 0])
             | _linear(cards, given))
    return {key: _response(paths[key], key in given, sizes.get(key, sizes.get((key[0], 0))),
                           cards[key[0]].strength, _drawn(engine, cards[key[0]]))
            for key in usual}


def _response(path: Array, given: bool, sizes: Array | None, strength: Strength | None,
              drawn: Array | None) -> Response:
    """Split the effect as drawn into that at the middle strength, and the size of each draw."""
    ones = np.ones((len(path), path.shape[-1]))
    if strength is None or sizes is None:
        return Response(path, given, ones, ones[:, :1].T)
    size = ones * sized(strength, sizes, np.array([strength.usual]) if drawn is None else drawn)
    enough = (np.abs(size) >= LITTLE) & (np.abs(size) <= MOST)
    middle = np.where(enough[:, None], ratio(path, size[:, None]), 0.0)
    count = np.maximum(enough.sum(axis=-1), 1)[:, None, None]
    middle = np.where(enough[:, None], middle, middle.sum(axis=-1, keepdims=True) / count)
    return Response(middle, given, np.where(enough, size, 0.0), sizes)


def _drawn(engine: Engine, card: Card) -> Array | None:
    """Strength of each draw, where it is drawn."""
    strength = card.strength
    return engine.draws[f"{card.name}.{strength.key}"] if strength and strength.drawn else None


def sized(strength: Strength, sizes: Array, at: Array) -> Array:
    """Interpolate sizes at the nodes, (node, importer), between them; (importer, ...)."""
    return np.array([np.interp(at, strength.nodes, column) for column in sizes.T])


def courses(engine: Engine, copies: Sequence[Copy], drives: Mapping[str, Drive]) -> Array:
    """Effect of each copy alone; (copy, importer, year, draw)."""
    sudden = [_sudden(copy, engine.years[-1]) for copy in copies]
    settled = engine.fixed({FIRST_YEAR: 1.0}).effects(sudden, last=True)
    whole = engine.drives(sudden, last=True)
    first, speed = (spread(engine.draws[name], "draw") for name in (FIRST_YEAR, SPEED))
    found = []
    for copy, where in zip(copies, settled, strict=True):
        full = whole[copy.name].course[-1]
        target = where * np.where(full > 0.0, ratio(drives[copy.name].course, full), 0.0)
        ordered = spread(target, "importer", "year", "draw")
        moved = (at_once(ordered, speed) if engine.base.levers[copy.lever].at_once
                 else partial_adjust(ordered, first, speed))
        found.append(only(moved, "importer", "year", "draw"))
    return _mended(engine, copies, np.array(found))


def _mended(engine: Engine, copies: Sequence[Copy], found: Array) -> Array:
    """Put courses right year by year on some draws, or solve them where that is not enough."""
    few = engine.rows(slice(PATH_DRAWS))
    true, near = few.effects(copies), found[..., :PATH_DRAWS]
    factor = ratio((true * near).sum(axis=-1), (near**2).sum(axis=-1), 1.0)
    mended = found * factor[..., None]
    weight = engine.weights()[None, :, None, None]
    left = (weight * (true - mended[..., :PATH_DRAWS])).sum(axis=1)
    far = np.flatnonzero(np.sqrt((left**2).mean(axis=(1, 2))) > FAR).tolist()
    if far:
        mended[far] = engine.effects([copies[place] for place in far])
    return mended


def _by_strength(engine: Engine, cards: Mapping[str, Card],
                 keys: Sequence[Key]) -> dict[Key, Array]:
    """Mean effect at each node of strength against that at the middle one, settled at once."""
    strong = [(key, strength) for key in keys if (strength := cards[key[0]].strength)]
    firsts = [_usual(cards[first], 0) for first in dict.fromkeys(
        cards[name].lever.follows for (name, _), _ in strong) if first]
    copies = [copy_of(cards[name], variant, node, f"@{place}")
              for (name, variant), strength in strong
              for place, node in enumerate(strength.nodes)]
    few = engine.rows(slice(NODE_DRAWS)).fixed({FIRST_YEAR: 1.0})
    ready = [_sudden(copy, engine.years[-1]) for copy in [*firsts, *copies]]
    means = few.effects(ready, last=True)[len(firsts):, :, 0].mean(axis=-1)
    found = {}
    for (key, _), own in zip(strong, np.split(means, len(strong)), strict=True):
        middle = own[HALF][None]
        share = np.where(np.abs(middle) > SMALL / 10, ratio(own, middle), 1.0)
        found[key] = np.clip(share, -MOST, MOST)
    return found


def _linear(cards: Mapping[str, Card], keys: Sequence[Key]) -> dict[Key, Array]:
    """Give sizes of projects, whose strength is an amount, a price or a share."""
    return {key: np.repeat(np.array(strength.nodes)[:, None] / strength.middle, 2, axis=1)
            for key in keys if (strength := cards[key[0]].strength)}


def pair_factors(engine: Engine, cards: Mapping[str, Card],
                 levers: Sequence[str]) -> dict[tuple[str, str], Array]:
    r"""Give for each pair of levers what both add to each flow, as a share of their product.

    .. math:: v_{ij} - v_i - v_j \approx \kappa_{ij} v_i v_j

    in log changes, fitted by least squares over draws in which both act fully at once. A later
    stage is measured after the first; with that one it adds nothing more.
    """
    sudden = [_sudden(copy_of(cards[name], 0, _given(cards[name])), engine.years[-1])
              for name in levers]
    few = engine.rows(slice(PAIR_DRAWS)).fixed({FIRST_YEAR: 1.0}).pulling(sudden)
    bit = {copy.name: 1 << place for place, copy in enumerate(sudden)}
    own = {name: bit[copy.name] for name, copy in zip(levers, sudden, strict=True)}
    before = {name: bit.get(copy.first, 0) for name, copy in zip(levers, sudden, strict=True)}
    pairs = [(one, other) for one, other in combinations(levers, 2)
             if not (before[one] & own[other] or before[other] & own[one])]
    wanted = sorted({0, *before.values(), *(before[name] | own[name] for name in levers),
                     *(before[i] | before[j] | rest for i, j in pairs
                       for rest in (0, own[i] | own[j]))})
    solved = few.settled(np.array(wanted)[:, None])
    at = dict(zip(wanted, solved, strict=True))
    factors = {}
    for i, j in pairs:
        base = before[i] | before[j]
        alone = [at[before[name] | own[name]] - at[before[name]] for name in (i, j)]
        added = at[base | own[i] | own[j]] - at[base] - alone[0] - alone[1]
        product = alone[0] * alone[1]
        factor = ratio((product * added).sum(axis=-1), (product**2).sum(axis=-1))
        if np.sqrt(((factor[:, None] * product)**2).mean(axis=-1)).max() > SMALL:
            factors[i, j] = factor
    return factors


@dataclass(frozen=True)
class Sides:
    """Changes for those who gain or lose by one lever, USD million; of groups and of routes.

    Attributes
    ----------
    sides
        Change in each account in the year in which most changes; (side, draw).
    course
        Mean change in each year as a share of that; (side, year).
    groups
        Mean change of trade by importer and group; (importer, group, year).
    routes
        Mean change of each route's share in the flow; (route, importer, year).
    products
        Mean change of trade in each product, importer's own count; (importer, product, year).
    """

    sides: Array
    course: Array
    groups: Array
    routes: Array
    products: Array


def sides(engine: Engine, card: Card, variant: int, first: Card | None,
          farm: Sequence[int], others: Sequence[int]) -> Sides:
    """Simulate the accounts of one lever at its earliest start, alone, as drawn.

    `farm` are the positions of groups of farm goods, `others` those of other exporters.
    """
    copy = copy_of(card, variant, _given(card))
    before = [copy_of(first, 0)] if first else []
    few = engine.rows(slice(ACCOUNT_DRAWS)).pulling([*before, copy])
    names = [one.name for one in before]
    found = few.accounts({"without": names, "with": [*names, copy.name]})
    change = {key: found["with"][key] - found["without"][key] for key in found["with"]}
    by_side = np.array([*_rows(change, farm, others)])
    mean = by_side.mean(axis=-1)
    most = int(np.abs(mean).sum(axis=0).argmax())
    course = np.where(np.abs(mean[:, [most]]) > SMALL, ratio(mean, mean[:, [most]]), 0.0)
    return Sides(by_side[:, most], np.clip(course, -3.0, 3.0), change["trade"].mean(axis=-1),
                 change["route_share"].mean(axis=-1), change["product_trade"].mean(axis=-1))


def route_shares(engine: Engine) -> Array:
    """Give the mean share of each route in each flow without policy; (route, importer, year)."""
    few = engine.rows(slice(ACCOUNT_DRAWS)).pulling([])
    return np.asarray(few.accounts({"without": []})["without"]["route_share"].mean(axis=-1))


def _rows(change: Mapping[str, Array], farm: Sequence[int],
          others: Sequence[int]) -> Iterator[Array]:
    for account in ("welfare", "tariff_revenue"):
        yield from change[account]
    yield from change["home_output"][:, list(farm)].sum(axis=1)
    for exporter in others:
        yield change["imports"][:, exporter].sum(axis=0)


def strongest(centre: Engine, levers: Sequence[str]) -> dict[str, str]:
    """Find for each lever the setting that is its strength, all else in the middle.

    It is the first one that moves trade nearly as much as any, from the lowest to the highest value
    that a reader may fix. `centre` is a model of one draw in
    the middle of everything.
    """
    found: dict[str, str] = {}
    tried: list[Copy] = []
    ends: dict[tuple[str, str], list[str]] = {}
    for name in levers:
        lever = centre.base.levers[name]
        ranges = candidates(lever)
        if len(ranges) <= 1 or lever.required:
            found.update((name, key) for key in list(ranges)[:1])
            continue
        if lever.follows:
            tried.append(Copy(f"{name}.first", lever.follows, {}))
        for key, values in ranges.items():
            ends[name, key] = [f"{name}.{key}.{place}" for place in range(2)]
            tried += [Copy(at, name, {key: value}, f"{name}.first" if lever.follows else "")
                      for at, value in zip(ends[name, key], values, strict=True)]
    tried = [_sudden(copy, centre.years[-1]) for copy in tried]
    ready = centre.fixed({FIRST_YEAR: 1.0})
    goods = ready.drives(tried, last=True)
    by_name = {copy.name: effect + goods[copy.name].goods for copy, effect in
               zip(tried, ready.effects(tried, last=True), strict=True)}
    moved: dict[str, dict[str, float]] = {}
    for (name, key), (low, high) in ends.items():
        change = np.abs(by_name[high] - by_name[low]).sum()
        moved.setdefault(name, {})[key] = float(change)
    return found | {name: next(key for key, change in by_key.items()
                               if change >= MAIN * max(by_key.values()))
                    for name, by_key in moved.items()}
