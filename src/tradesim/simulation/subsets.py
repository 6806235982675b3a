"""Trade under any subset of a scenario's levers; what does not differ is solved once.

In a given year and draw only some levers act: others have not begun, have ended, or are cut
off. Subsets that hold the same acting levers are then the same problem, and one solution
serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, at, entry, map_arrays, spread, total
from tradesim.common.errors import ConvergenceError
from tradesim.common.parallel import by_block
from tradesim.economy.accounts import counted
from tradesim.economy.adjustment import reached, settle
from tradesim.economy.shocks import CONDITIONS, Shock
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import years_of
from tradesim.simulation.model import BLOCK, prepare
from tradesim.simulation.prepared import Prepared

Subsets = NDArray[np.int64]

CELLS = 1024
"""Prepareds solved at once: their arrays stay in the processor's cache."""

PATHS = 8192
"""Cases times draws followed over the years at once: bounds the memory."""


@dataclass(frozen=True)
class Flows:
    """Bilateral trade by subset of levers.

    Attributes
    ----------
    counted
        Flow into each importer, USD on each count; (count, case, importer, year, draw).
    project
        Flow of given goods beside it, USD, counted alike by everyone; without counts.
    years
        Years of `counted`.
    solved
        Prepareds that were solved.
    """

    counted: Array
    project: Array
    years: tuple[int, ...]
    solved: int

    def on_count(self, place: int) -> Array:
        """Flow into each importer on one count, USD; (case, importer, year, draw)."""
        return np.asarray(self.counted[place] + self.project)

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
    scenario
        Levers with their settings, and the horizon.
    subsets
        Levers of each case, as bits in the order of the scenario; (case, draw) or (case, 1).
    years
        Years to keep; all by default.
    growth
        Growth of the pair's trade beyond the reference path, share a year.

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
        trade, project, solved = _block(base, scenario, here, chosen, growth)
        return trade[..., places, :], project[..., places, :], solved

    parts = by_block(block, count, min(BLOCK, max(1, PATHS // len(subsets))), progress)
    trade, project, solved = zip(*parts, strict=True)
    return Flows(np.concatenate(trade, axis=-1), np.concatenate(project, axis=-1), kept,
                 sum(solved))


def _block(base: Baseline, scenario: Scenario, draws: Mapping[str, Array], subsets: Subsets,
           growth: float) -> tuple[Array, Array, int]:
    start = prepare(base, scenario, draws, growth)
    size = (len(start.years), subsets.shape[1])
    acting = sum((_acts(made, size).astype(np.int64) << place
                  for place, made in enumerate(start.shocks.values())),
                 start=np.zeros(size, dtype=np.int64))

    met = subsets[:, None, :] & acting
    cell = np.arange(acting.size).reshape(size)
    keys, place = np.unique(met * acting.size + cell, return_inverse=True)
    idle = int(np.searchsorted(keys, acting.size))
    shape = (len(base.pair.importers), len(base.pair.groups), 1 + len(keys) - idle)
    answers = _Answer(*np.zeros((len(fields(_Answer)), *shape)))
    for begin in range(idle, len(keys), CELLS):
        chosen, where = np.divmod(keys[begin:begin + CELLS], acting.size)
        first = 1 + begin - idle
        _solve(start, chosen, *np.divmod(where, size[1])).into(
            answers, slice(first, first + len(where)))
    found = answers.take(np.maximum(place - idle + 1, 0).reshape(met.shape))

    world = start.world
    sales = reached(world, found.level, found.lasting, found.settled)
    elsewhere = (reached(world, found.level, found.lasting_elsewhere, found.settled_elsewhere)
                 if found.differs else None)
    levels = entry(start.levels, world.pair_flow)
    trade = counted(world, levels, start.to_count, levels * np.exp(sales), elsewhere)
    by_case = [np.moveaxis(total(values, "group")[..., 0, 0, :, :, :], -3, -4)
               for values in (trade, found.project)]
    return by_case[0], by_case[1], len(keys) - idle


@dataclass(frozen=True)
class _Answer:
    """What the pair's flows settle at; (importer, group, cell) or the order of `DIMS`."""

    lasting: Array
    settled: Array
    level: Array
    project: Array
    lasting_elsewhere: Array
    settled_elsewhere: Array

    @property
    def differs(self) -> bool:
        """Whether goods of other origin go another way than the partner's own."""
        return bool(np.any(self.lasting_elsewhere != self.lasting)
                    or np.any(self.settled_elsewhere != self.settled))

    def into(self, whole: _Answer, cells: slice) -> None:
        """Put into the cells of a larger one."""
        for part in fields(self):
            getattr(whole, part.name)[..., cells] = getattr(self, part.name)

    def take(self, place: NDArray[np.intp]) -> _Answer:
        """By case, year and draw, with an axis for the exporter."""
        return _Answer(*(getattr(self, part.name).take(place, axis=-1)[:, None]
                         for part in fields(self)))


def _acts(made: Shock, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Years and draws in which a lever changes anything; (year, draw)."""
    found = np.zeros(size, dtype=bool)
    for part in fields(made):
        if part.name in CONDITIONS:
            continue
        values = getattr(made, part.name) != 0.0
        found |= values.any(axis=tuple(range(values.ndim - 2)))
    return found


def _solve(start: Prepared, subset: Subsets, years: NDArray[np.intp],
           draws: NDArray[np.intp]) -> _Answer:
    """Settle each cell: one subset of levers in one year of one draw."""
    def here(owner: Any) -> Any:
        return map_arrays(owner, lambda values: at(values, years, draws))

    place = here(start.world)
    used = [bit for bit in range(len(start.shocks)) if np.any((subset >> bit) & 1)]
    made = list(start.shocks.values())
    pulled = [(spread(((subset >> bit) & 1).astype(float), "draw"), here(made[bit]))
              for bit in used]
    try:
        outcome = settle(place, at(start.levels, years, draws), pulled,
                         at_once=[start.at_once[bit] for bit in used],
                         exposed=at(start.exposed, years, draws), closure=start.closure)
    except ConvergenceError as error:
        raise error.moved(lambda cell: int(draws[cell])) from error
    shape = (len(place.pair.importers), len(place.pair.groups), len(subset))
    size = np.zeros((*shape[:2], 1, 1, shape[2]))[:, None]

    def on_pair(values: Array) -> Array:
        pair = total(values * place.pair_flow, "exporter") + size
        return np.asarray(pair.reshape(shape))

    change = outcome.change
    lasting, settled = (np.asarray((values + size).reshape(shape))
                        for values in outcome.elsewhere(place))
    return _Answer(on_pair(outcome.lasting), on_pair(outcome.settled.sales),
                   on_pair(change.level), on_pair(change.project), lasting, settled)
