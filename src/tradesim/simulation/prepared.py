"""What a block of draws starts from: base year, reference path, and what each lever would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tradesim.common.arrays import Array, only, spread, total
from tradesim.common.errors import InputError, Problem
from tradesim.economy.adjustment import Closure, Outcome, settle
from tradesim.economy.base_year import Economy
from tradesim.economy.closure import Imbalances, closure
from tradesim.economy.levers.registry import GIVEN, KINDS, arguments
from tradesim.economy.levers.stages import increment, stage_strength
from tradesim.economy.levers.timing import TIMING, phase_in
from tradesim.economy.shocks import NONE, Shock
from tradesim.inputs.baseline import WORLD, Baseline
from tradesim.inputs.levers import Choice, Lever
from tradesim.inputs.scenario import Scenario
from tradesim.reference import new_goods as new
from tradesim.reference.gravity import ReferencePath
from tradesim.simulation.draws import Cases, Draws


@dataclass(frozen=True)
class Prepared:
    """Base year, reference path and shocks of a block of draws.

    Attributes
    ----------
    years
        Projected years.
    world
        The base year.
    levels
        Reference purchases, USD on each importer's own count; order of `DIMS`.
    to_count
        Factors from the importer's own count to each count, extra leading axis.
    shocks
        What each lever does if it succeeds, in the order of the scenario.
    at_once
        For each lever whether its effect comes at once.
    exposed
        Effect of closures of the shared corridor on the reference path, log points.
    closure
        General-equilibrium closure, if the scenario asks for one.
    """

    years: tuple[int, ...]
    world: Economy
    levels: Array
    to_count: Array
    shocks: Mapping[str, Shock]
    at_once: tuple[bool, ...]
    exposed: Array
    closure: Closure | None

    def settle(self, cases: Cases) -> Outcome:
        """Where trade would settle in each year of each case (equations 4-10)."""
        switched = [(spread(np.array([case[lever] for case in cases.values()]), "case", "draw"),
                     shock) for lever, shock in self.shocks.items()]
        return settle(self.world, self.levels, switched, at_once=self.at_once,
                      exposed=self.exposed, closure=self.closure)


def reference_levels(base: Baseline, world: Economy, draws: Draws,
                     path: ReferencePath) -> tuple[Array, Array]:
    """Purchases without new policy by importer, group and exporter, and factors to each count.

    The pair's own flows follow the projected path, on the importer's own count; all other
    sales grow with the importer's GDP.

    Returns
    -------
    tuple of numpy.ndarray
        Levels in USD, order of `DIMS`; and factors from the importer's own count to each
        count, with an extra leading axis for counts.
    """
    pair = base.pair
    bias = spread(draws["posterior.bias"], "draw", "importer")
    is_reference = np.array([reporter == pair.reporters[0] for reporter in pair.reporters])
    log_count = np.stack([np.zeros_like(bias) if first else bias for first in is_reference])
    own = [pair.reporters.index(importer) for importer in pair.importers]
    log_own = np.stack([log_count[index, j] for j, index in enumerate(own)])

    bought = total(world.sales * world.pair_flow, "exporter")
    share = bought / total(bought, "group")
    flow = np.exp(spread(path.log_flow, "draw", "year", "importer") + log_own) * share
    others = world.sales * np.exp(spread(path.log_growth, "draw", "year", "importer"))
    levels = np.where(world.pair_flow > 0.0, flow, others)
    return levels, np.exp(log_count - log_own[None])


def lever_shocks(base: Baseline, scenario: Scenario, world: Economy, draws: Draws,
                 years: Sequence[int], closed_share: Array, levels: Array) -> dict[str, Shock]:
    """Give the shock of each lever if it succeeds; a later stage is what it adds (equation J2)."""
    calendar = spread(np.asarray(years, dtype=float), "year")
    alone = {name: _shock(base, scenario, world, draws, name, calendar, levels)
             for name in scenario.levers}
    shut, found = spread(closed_share, "draw", "year"), {}
    for name, shock in alone.items():
        lever = base.levers[name]
        made = increment(shock, alone[lever.follows]) if lever.follows else shock
        found[name] = made.interrupted(world, shut) if lever.needs_corridor else made
    return found


def _shock(base: Baseline, scenario: Scenario, world: Economy, draws: Draws, name: str,
           calendar: Array, levels: Array) -> Shock:
    """Shock of one lever: its kind, with its settings and strength.

    A later stage has the names and settings of the first one where it gives none of its own.
    """
    lever = base.levers[name]
    first = base.levers[lever.follows] if lever.follows else lever
    kind, needed = KINDS[lever.kind], {*arguments(lever.kind)} - {*TIMING}
    settings: dict[str, Any] = {}
    for source in dict.fromkeys((first.name, name)):
        item = base.levers[source]
        settings |= item.applies | {key: _setting(scenario, item, draws, key)
                                    for key in item.settings if key in needed}
    begin = _begin(draws, name)
    length = spread(draws[f"{name}.phase_in"], "draw")
    if lever.follows:
        opened = _begin(draws, first.name)
        begin = np.maximum(begin, opened)
        strength = stage_strength(calendar, opened, begin, length)
    else:
        strength = phase_in(calendar, begin, length)
    given = {"lever": name, "calendar": calendar, "years_on": calendar - begin,
             "levels": levels, "lifetime": spread(draws[f"{name}.lifetime"], "draw"),
             "extra_goods": partial(_extra_goods, base, draws)}
    extra = {key: given[key] for key in GIVEN if key in kind.__annotations__}
    return kind(world, strength, **settings, **extra)


def _extra_goods(base: Baseline, draws: Draws, strength: Array, more: Array) -> Array:
    """Log rise of the pair's flows by goods that arrive besides those of the reference path (N4).

    The same random numbers decide, so that what arrives without a lever arrives with it too.
    """
    goods = new.new_goods(draws, base.pair.importers)
    if goods is None:
        return NONE
    weight = only(strength, "year", "draw").T
    weight = np.broadcast_to(weight, (len(goods.loss), weight.shape[1]))
    uniform = draws["innovation.new_goods"][:, :weight.shape[1]]
    rate = goods.rate * (1.0 + only(more, "draw"))[:, None]
    extra = (new.arrivals(goods, uniform, weight, rate)
             - new.arrivals(goods, uniform, weight))
    return spread(extra, "draw", "year", "importer")


def _begin(draws: Draws, name: str) -> Array:
    return spread(draws[f"{name}.start"] + draws[f"{name}.delay"], "draw")


def _setting(scenario: Scenario, lever: Lever, draws: Draws, key: str) -> Array | str:
    item = lever.settings[key]
    if isinstance(item, Choice):
        return str(scenario.levers[lever.name].get(key, item.default))
    return spread(draws[f"{lever.name}.{key}"], "draw")


def closure_of(base: Baseline, scenario: Scenario) -> Closure | None:
    """General-equilibrium closure that the scenario asks for, if any."""
    if scenario.closure == "none":
        return None
    if base.world_trade is None:
        raise InputError([Problem(str(base.folder / WORLD), "", "file is missing; the closure "
                                  f"'{scenario.closure}' needs it", "closure: none")])
    world = base.world_trade
    imbalances: Imbalances = "additive" if scenario.imbalances == "additive" else "multiplicative"
    return lambda economy, change: closure(world, economy, change, economy.trade_elasticity,
                                           imbalances)
