"""What each lever does alone, draw by draw and by its strength, and what pairs of levers add."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from tradesim.common.arrays import Array, ratio
from tradesim.studies.explore.cards import START, Card, candidates
from tradesim.studies.explore.engine import FIRST_YEAR, Copy, Engine, moves

PAIR_DRAWS, ACCOUNT_DRAWS, LOOK = 64, 125, 4
"""Draws for pairs of levers, for accounts, and to see what a lever moves."""

SMALL = 1e-4
"""Log points below which an effect is none."""

MOST = 20.0
"""Times the effect at the middle strength that an effect may be in a draw."""

Key = tuple[str, int]
"""A lever and the place of its variant."""


@dataclass(frozen=True)
class Response:
    """What one lever, in one of its variants, does to both flows if it succeeds.

    Attributes
    ----------
    path
        Log change of each flow, or USD million where `given` is true, with the earliest start and
        the middle strength; (importer, year, draw).
    given
        Whether the lever adds goods of a project instead of changing the flows.
    sizes
        Size at each of `Strength.nodes` as a share of `path`; (node, importer, draw). Empty
        without a strength.
    """

    path: Array
    given: bool
    sizes: Array


def copy_of(card: Card, variant: int, strength: float | None = None, suffix: str = "") -> Copy:
    """Copy a lever at the start it is solved with, at a strength or as drawn."""
    given = dict(card.variants[variant].settings) | {START: card.solved}
    if card.strength and strength is not None:
        given[card.strength.key] = strength
    first = f"{card.lever.follows}{suffix}.0" if card.lever.follows else ""
    return Copy(f"{card.name}{suffix}.{variant}", card.name, given, first)


def _middle(card: Card, variant: int) -> Copy:
    """Copy a lever at its middle strength, as it would work were the corridor always open."""
    copy = copy_of(card, variant, card.strength.nodes[1] if card.strength else None)
    return replace(copy, unbroken=True)


def _given(card: Card) -> float | None:
    """Strength of a lever at its defaults; None where it is drawn."""
    return card.strength.usual if card.strength and not card.strength.drawn else None


def _sudden(copy: Copy, last: int) -> Copy:
    """Let a lever begin in the last year, without delay."""
    settings = {**copy.settings, "delay": 0.0, "phase_in": 1.0, START: last}
    return replace(copy, settings=settings, unbroken=True)


def responses(engine: Engine, cards: Mapping[str, Card]) -> dict[Key, Response]:
    """Solve for what every lever does alone: over the years once, and at once by strength.

    How the size depends on the strength is solved for the first variant only.
    """
    keys = [(name, variant) for name, card in cards.items()
            for variant in range(len(card.variants))]
    middle = {key: _middle(cards[key[0]], key[1]) for key in keys}
    few = engine.rows(slice(LOOK)).pulling(list(middle.values())).shocks()
    moved = {key: moves(few[copy.name]) for key, copy in middle.items()}
    given = [key for key in keys if moved[key] == {"project"}]
    solved = [key for key in keys if moved[key] - {"project", "visitors"}]
    nothing = np.zeros((len(engine.base.pair.importers), len(engine.years), engine.size))
    paths = dict.fromkeys(keys, nothing)
    # First stages stand before later ones, so that they are at hand to be copied.
    paths |= zip(solved, engine.effects([middle[key] for key in solved]), strict=True)
    if given:
        paths |= zip(given, engine.goods([middle[key] for key in given]), strict=True)
    sizes = _sizes(engine, cards, [key for key in solved if key[1] == 0]) | _linear(cards, given)
    none = np.empty((0, *nothing[:, 0].shape))
    return {(name, variant): Response(
        path, (name, variant) in given, sizes.get((name, variant), sizes.get((name, 0), none)))
        for (name, variant), path in paths.items()}


def _sizes(engine: Engine, cards: Mapping[str, Card], keys: Sequence[Key]) -> dict[Key, Array]:
    """Size by node of strength, from where each draw settles at once."""
    strong = [key for key in keys if cards[key[0]].strength]
    copies, firsts = [], []
    for name, variant in strong:
        card = cards[name]
        copies += [copy_of(card, variant, node, f"@{place}")
                   for place, node in enumerate(card.strength.nodes if card.strength else ())]
        if card.lever.follows and not cards[card.lever.follows].strength:
            firsts += [copy_of(cards[card.lever.follows], 0, None, f"@{place}")
                       for place in range(3)]
    # A later stage is measured after the first one at its middle strength.
    ready = [replace(_sudden(copy, engine.years[-1]),
                     first=copy.first.replace("@0", "@1").replace("@2", "@1"))
             for copy in [*firsts, *copies]]
    effects = engine.fixed({FIRST_YEAR: 1.0}).effects(ready, last=True)[len(firsts):, :, 0]
    found = {}
    for place, key in enumerate(strong):
        three = effects[3 * place:3 * place + 3]
        share = np.where(np.abs(three[1]) > SMALL / 10, ratio(three, three[1][None]), 1.0)
        found[key] = np.clip(share, -MOST, MOST)
    return found


def _linear(cards: Mapping[str, Card], keys: Sequence[Key]) -> dict[Key, Array]:
    """Give sizes of projects, whose strength is an amount, a price or a share."""
    found = {}
    for name, variant in keys:
        strength = cards[name].strength
        if strength:
            shares = np.array(strength.nodes) / strength.nodes[1]
            found[name, variant] = np.broadcast_to(shares[:, None, None], (3, 2, 1))
    return found


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
    solved = few.trade(np.array(wanted)[:, None], few.years[-1:])[0][:, :, 0]
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
    """Changes for those who gain or lose by one lever, USD million, and of trade by group.

    Attributes
    ----------
    sides
        Change in each account in the last year; (side, draw).
    course
        Mean change in each year as a share of that of the last; (side, year).
    groups
        Mean change of trade by importer and group; (importer, group, year).
    """

    sides: Array
    course: Array
    groups: Array


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
    course = np.where(np.abs(mean[:, -1:]) > SMALL, ratio(mean, mean[:, -1:]),
                      np.linspace(0.0, 1.0, mean.shape[1]))
    return Sides(by_side[:, -1], np.clip(course, -3.0, 3.0), change["trade"].mean(axis=-1))


def _rows(change: Mapping[str, Array], farm: Sequence[int],
          others: Sequence[int]) -> Iterator[Array]:
    for account in ("welfare", "tariff_revenue"):
        yield from change[account]
    yield from change["home_output"][:, list(farm)].sum(axis=1)
    for exporter in others:
        yield change["imports"][:, exporter].sum(axis=0)


def strongest(centre: Engine, levers: Sequence[str]) -> dict[str, str]:
    """Find for each lever its setting that moves trade most, all else in the middle.

    From the lowest to the highest value that a reader may fix. `centre` is a model of one draw in
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
    effects = ready.effects(tried, last=True) + ready.goods(tried)[..., -1:, :]
    by_name = {copy.name: effect for copy, effect in zip(tried, effects, strict=True)}
    moved: dict[str, dict[str, float]] = {}
    for (name, key), (low, high) in ends.items():
        change = np.abs(by_name[high] - by_name[low]).sum()
        moved.setdefault(name, {})[key] = float(change)
    return found | {name: max(by_key, key=by_key.__getitem__) for name, by_key in moved.items()}
