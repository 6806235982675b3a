"""Trade under any subset of a scenario's levers; what does not differ is solved once.

In a given year and draw only some levers act: others have not begun, have ended, or are cut
off. Subsets that hold the same acting levers are then the same situation, and one solution
serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradesim import dynamics
from tradesim.baseline import Baseline
from tradesim.blocks import by_block
from tradesim.dims import Array, at, only, spread, total
from tradesim.economy import Economy, economy
from tradesim.equilibrium import equilibrium
from tradesim.model import BLOCK, reference_levels, shock, years_of
from tradesim.projection import reference_path
from tradesim.scenario import Scenario
from tradesim.shocks import Shock, resolve

Subsets = NDArray[np.int64]

CELLS = 1024
"""Situations solved at once: their arrays stay in the processor's cache."""

PATHS = 8192
"""Cases times draws followed over the years at once: bounds the memory."""


@dataclass(frozen=True)
class Flows:
    """Bilateral trade by subset of levers.

    Attributes
    ----------
    own
        Flow into each importer, USD on its own count; (case, importer, year, draw).
    to_count
        Factor from the importer's own count to each count; (count, importer, draw).
    years
        Years of `own`.
    solved
        Situations that were solved.
    """

    own: Array
    to_count: Array
    years: tuple[int, ...]
    solved: int

    def on_count(self, place: int) -> Array:
        """Flow into each importer on one count, USD; (case, importer, year, draw)."""
        return np.asarray(self.own * self.to_count[place, None, :, None])

    def turnover(self, place: int) -> Array:
        """Both directions together on one count, USD; (case, year, draw)."""
        return np.asarray(self.on_count(place).sum(axis=1))


def all_subsets(levers: int) -> Subsets:
    """Every subset once, (case, 1): lever ``l`` is in case ``c`` when bit ``l`` of ``c`` is set."""
    return np.arange(2**levers, dtype=np.int64)[:, None]


def as_subset(switches: Mapping[str, Array], scenario: Scenario) -> Subsets:
    """Give the switches of one case, by lever, as a subset by draw; (1, draw)."""
    bits = [np.atleast_1d(switches[lever]).astype(np.int64) << place
            for place, lever in enumerate(scenario.levers)]
    return np.asarray(sum(bits, start=np.zeros(1, dtype=np.int64)))[None]


def flows(
    base: Baseline, scenario: Scenario, draws: Mapping[str, Array], subsets: Subsets, *,
    years: tuple[int, ...] | None = None, growth: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> Flows:
    """Bilateral trade of every draw and year when only some levers are pulled.

    Parameters
    ----------
    base
        The baseline.
    scenario
        Levers with their settings, and the horizon.
    draws
        Drawn numbers by name, from `model.draw_all`.
    subsets
        Levers of each case, as bits in the order of the scenario; (case, draw) or (case, 1).
    years
        Years to keep; all by default.
    growth
        Growth of the pair's trade beyond the reference path, share a year.
    progress
        Called with draws done and draws in all.

    Returns
    -------
    Flows
        The numbers that `model.simulate` gives for the same switches, without the accounts.

    Raises
    ------
    ConvergenceError
        When a market is not solved.
    """
    calendar = years_of(base, scenario)
    kept = calendar if years is None else tuple(years)
    places = [calendar.index(year) for year in kept]
    count = len(next(iter(draws.values())))

    def block(rows: slice) -> tuple[Array, Array, int]:
        here = {name: values[rows] for name, values in draws.items()}
        chosen = np.broadcast_to(subsets, (len(subsets), count))[:, rows]
        own, to_count, solved = _block(base, scenario, here, chosen, growth)
        return own[:, :, places], to_count, solved

    parts = by_block(block, count, min(BLOCK, max(1, PATHS // len(subsets))), progress)
    own, to_count, solved = zip(*parts, strict=True)
    return Flows(np.concatenate(own, axis=-1), np.concatenate(to_count, axis=-1), kept,
                 sum(solved))


def _block(base: Baseline, scenario: Scenario, draws: Mapping[str, Array], subsets: Subsets,
           growth: float) -> tuple[Array, Array, int]:
    years = years_of(base, scenario)
    world = economy(base, draws)
    path = reference_path(base, draws, years)
    ahead = np.arange(1, len(years) + 1)
    path = replace(path, log_flow=path.log_flow + (np.log1p(growth) * ahead)[None, :, None])
    levels, to_count = reference_levels(base, world, draws, path)
    shocks = [shock(base, scenario, world, draws, name, years, path.closed_share)
              for name in scenario.levers]
    size = (len(years), subsets.shape[1])
    acting = sum((_acts(made, size).astype(np.int64) << place
                  for place, made in enumerate(shocks)), start=np.zeros(size, dtype=np.int64))

    situation = subsets[:, None, :] & acting
    cell = np.arange(acting.size).reshape(size)
    keys, place = np.unique(situation * acting.size + cell, return_inverse=True)
    idle = int(np.searchsorted(keys, acting.size))
    change = np.zeros((len(base.pair.importers), len(base.pair.groups), 1 + len(keys) - idle))
    for start in range(idle, len(keys), CELLS):
        chosen, where = np.divmod(keys[start:start + CELLS], acting.size)
        first = 1 + start - idle
        change[..., first:first + len(where)] = _solve(
            world, levels, shocks, chosen, *np.divmod(where, size[1]))
    target = change.take(np.maximum(place - idle + 1, 0).reshape(situation.shape), axis=-1)

    sales = dynamics.partial_adjust(target[:, None], world.first_year, world.speed)
    flow = total(total(levels * world.pair_flow, "exporter") * np.exp(sales), "group")
    own = np.moveaxis(flow[:, 0, 0], 1, 0)
    return own, only(to_count, "importer", "draw"), len(keys) - idle


def _acts(made: Shock, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Years and draws in which a lever changes anything; (year, draw)."""
    found = np.zeros(size, dtype=bool)
    for part in fields(made):
        values = getattr(made, part.name) != 0.0
        found |= values.any(axis=tuple(range(values.ndim - 2)))
    return found


def _solve(world: Economy, levels: Array, shocks: list[Shock], subset: Subsets,
           years: NDArray[np.intp], draws: NDArray[np.intp]) -> Array:
    """Log change of the pair's flows where each situation would settle; (importer, group, cell)."""
    def here(owner: Any) -> Any:
        return replace(owner, **{part.name: at(value, years, draws) for part in fields(owner)
                                 if isinstance(value := getattr(owner, part.name), np.ndarray)})

    place = here(world)
    pulled = [(spread(switch.astype(float), "draw"), here(made))
              for bit, made in enumerate(shocks)
              if np.any(switch := (subset >> bit) & 1)]
    settled = equilibrium(place, at(levels, years, draws), resolve(place, pulled))
    return only(total(settled.sales * place.pair_flow, "exporter"), "importer", "group", "draw")
