"""Trade under any subset of a scenario's levers; what does not differ is solved once.

In a given year and draw only some levers act: others have not begun, have ended, or are cut
off. Subsets that hold the same acting levers are then the same problem, and one solution
serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, at, axis, entry, map_arrays, spread, total
from tradesim.common.errors import ConvergenceError
from tradesim.common.parallel import by_block
from tradesim.economy.accounts import counted
from tradesim.economy.adjustment import reached, settle
from tradesim.economy.packed import Packed
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import count_of, years_of
from tradesim.simulation.model import block_size
from tradesim.simulation.prepared import Prepared, prepare

Subsets = NDArray[np.int64]

CELLS = 1024
"""Cells solved at once: their arrays stay in the processor's cache."""

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
        Cells that were solved.
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
    count = count_of(draws)

    def block(rows: slice) -> tuple[Array, Array, int]:
        here = {name: values[rows] for name, values in draws.items()}
        chosen = np.broadcast_to(subsets, (len(subsets), count))[:, rows]
        found = solve(prepare(base, scenario, here, growth), chosen)
        trade, project = (np.moveaxis(total(values, "group")[..., 0, 0, :, :, :], -3, -4)
                          for values in (found.trade, found.project))
        return trade[..., places, :], project[..., places, :], found.solved

    size = min(block_size(base, scenario), max(1, PATHS // len(subsets)))
    parts = by_block(block, count, size, progress)
    trade, project, solved = zip(*parts, strict=True)
    return Flows(np.concatenate(trade, axis=-1), np.concatenate(project, axis=-1), kept,
                 sum(solved))


@dataclass(frozen=True)
class Solved:
    """Trade of a block under subsets of levers, and what of it can be taken again.

    Attributes
    ----------
    trade
        Flow into each importer by group, USD on each count (extra leading axis); order of `DIMS`.
    project
        Flow of given goods beside it; order of `DIMS`.
    solved
        Cells that were solved: one subset of acting levers in one year of one draw.
    residual
        Largest residual of the solver, log points.
    """

    trade: Array
    project: Array
    solved: int
    residual: float
    start: Prepared
    shocks: Mapping[str, Packed]
    acting: Mapping[str, NDArray[np.bool_]]
    keys: Subsets
    answers: _Answer


def solve(start: Prepared, subsets: Subsets, before: Solved | None = None) -> Solved:
    """Trade of a block of draws when only some levers are pulled.

    Parameters
    ----------
    subsets
        Levers of each case, as bits in their order; (case, draw).
    before
        An earlier answer for the same draws: cells in which no acting lever changed are not
        solved again.

    Raises
    ------
    ConvergenceError
        When a market is not solved.
    """
    size = (len(start.years), subsets.shape[1])
    if before is not None and not _same_draws(start, before.start):
        before = None
    shocks = start.shocks
    acting = {name: before.acting[name] if before and made is before.shocks.get(name)
              else made.acts(size) for name, made in shocks.items()}
    bits = _together(acting, size)
    met = subsets[:, None, :] & bits
    cell = np.arange(bits.size).reshape(size)
    keys, place = np.unique(met * bits.size + cell, return_inverse=True)
    keys, place = keys[keys >= bits.size], place - np.searchsorted(keys, bits.size)

    shape = (len(start.world.pair.importers), start.levels.shape[axis("group")], 1 + len(keys))
    answers = _Answer(*np.zeros((len(fields(_Answer)), *shape)))
    left = np.arange(len(keys)) if before is None else _carried_over(shocks, before, keys, answers)
    residual = before.residual if before else 0.0
    for some in np.split(left, range(CELLS, len(left), CELLS)):
        if len(some):
            chosen, where = np.divmod(keys[some], bits.size)
            answer, worst = _solve(start, shocks, chosen, *np.divmod(where, size[1]))
            answer.into(answers, 1 + some)
            residual = max(residual, worst)
    found = answers.take(np.maximum(place + 1, 0).reshape(met.shape))

    world = start.world
    sales = reached(world, found.level, found.lasting, found.settled)
    elsewhere = (reached(world, found.level, found.lasting_elsewhere, found.settled_elsewhere)
                 if found.differs else None)
    levels = entry(start.levels, world.pair_flow)
    trade = counted(world, levels, start.to_count, levels * np.exp(sales), elsewhere)
    trade, project = world.grouped(trade), world.grouped(found.project)
    return Solved(trade, project, len(left), residual, start, shocks, acting, keys, answers)


def _same_draws(start: Prepared, old: Prepared) -> bool:
    """Whether only shocks differ."""
    return (start.levels is old.levels and start.world.sales is old.world.sales
            and list(start.shocks) == list(old.shocks))


def _together(by_lever: Mapping[str, NDArray[np.bool_]], size: tuple[int, int]) -> Subsets:
    """Levers marked in each year and draw, as bits in their order."""
    return np.asarray(sum((marked.astype(np.int64) << place
                           for place, marked in enumerate(by_lever.values())),
                          start=np.zeros(size, dtype=np.int64)))


def _carried_over(shocks: Mapping[str, Packed], before: Solved, keys: Subsets,
                  answers: _Answer) -> NDArray[np.intp]:
    """Put in the answers that still hold, and give the places of the others."""
    size = next(iter(before.acting.values())).shape if before.acting else (1, 1)
    changed = _together({name: made.differs(before.shocks[name], size)
                         for name, made in shocks.items()}, size)
    subset, where = np.divmod(keys, changed.size)
    at_old = np.searchsorted(before.keys, keys)
    known = at_old < len(before.keys)
    known[known] = before.keys[at_old[known]] == keys[known]
    known &= subset & changed.ravel()[where] == 0
    kept = np.flatnonzero(known)
    before.answers.at(1 + at_old[kept]).into(answers, 1 + kept)
    return np.flatnonzero(~known)


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

    def into(self, whole: _Answer, cells: NDArray[np.intp]) -> None:
        """Put into the cells of a larger one."""
        for part in fields(self):
            getattr(whole, part.name)[..., cells] = getattr(self, part.name)

    def at(self, cells: NDArray[np.intp]) -> _Answer:
        """Take some cells."""
        return _Answer(*(getattr(self, part.name)[..., cells] for part in fields(self)))

    def take(self, place: NDArray[np.intp]) -> _Answer:
        """By case, year and draw, with an axis for the exporter."""
        return _Answer(*(getattr(self, part.name).take(place, axis=-1)[:, None]
                         for part in fields(self)))


def _solve(start: Prepared, shocks: Mapping[str, Packed], subset: Subsets,
           years: NDArray[np.intp], draws: NDArray[np.intp]) -> tuple[_Answer, float]:
    """Settle each cell, one subset of levers in one year of one draw; with the residual."""
    place = map_arrays(start.world, lambda values: at(values, years, draws))
    used = [bit for bit in range(len(shocks)) if np.any((subset >> bit) & 1)]
    made = list(shocks.values())
    pulled = [(spread(((subset >> bit) & 1).astype(float), "draw"), made[bit].at(years, draws))
              for bit in used]
    try:
        outcome = settle(place, at(start.levels, years, draws), pulled,
                         at_once=[start.at_once[bit] for bit in used],
                         exposed=at(start.exposed, years, draws), closure=start.closure)
    except ConvergenceError as error:
        raise error.moved(lambda cell: int(draws[cell])) from error
    shape = (len(place.pair.importers), len(place.pair.lines), len(subset))
    size = np.zeros((*shape[:2], 1, 1, shape[2]))[:, None]

    def on_pair(values: Array) -> Array:
        pair = total(values * place.pair_flow, "exporter") + size
        return np.asarray(pair.reshape(shape))

    change = outcome.change
    lasting, settled = (np.asarray((values + size).reshape(shape))
                        for values in outcome.elsewhere(place))
    answer = _Answer(on_pair(outcome.lasting), on_pair(outcome.settled.sales),
                     on_pair(change.level), on_pair(change.project), lasting, settled)
    return answer, outcome.settled.residual
