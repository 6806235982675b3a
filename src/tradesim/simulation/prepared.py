"""What a block of draws starts from: base year, reference path, and what each lever would do."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tradesim.common.arrays import Array, only, spread, total
from tradesim.common.errors import InputError, Problem
from tradesim.economy.adjustment import Closure, Outcome, settle
from tradesim.economy.base_year import Economy, economy
from tradesim.economy.closure import Imbalances, closure
from tradesim.economy.levers.registry import GIVEN, KINDS, arguments
from tradesim.economy.levers.stages import increment, stage_strength
from tradesim.economy.levers.timing import TIMING, phase_in
from tradesim.economy.packed import Packed
from tradesim.economy.shocks import NONE, Shock
from tradesim.inputs.baseline import WORLD, Baseline
from tradesim.inputs.levers import Choice, Lever
from tradesim.inputs.scenario import Scenario
from tradesim.reference import new_goods as new
from tradesim.reference.gravity import ReferencePath, by_count
from tradesim.reference.projection import reference_path
from tradesim.simulation.draws import Cases, Draws, years_of


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
    path
        The reference path.
    closure
        General-equilibrium closure, if the scenario asks for one.
    """

    years: tuple[int, ...]
    world: Economy
    levels: Array
    to_count: Array
    shocks: Mapping[str, Packed]
    at_once: tuple[bool, ...]
    exposed: Array
    path: ReferencePath
    closure: Closure | None

    def settle(self, cases: Cases) -> Outcome:
        """Where trade would settle in each year of each case (equations 4-10)."""
        switched = [(spread(np.array([case[lever] for case in cases.values()]), "case", "draw"),
                     shock) for lever, shock in self.shocks.items()]
        return settle(self.world, self.levels, switched, at_once=self.at_once,
                      exposed=self.exposed, closure=self.closure)


@dataclass(frozen=True)
class Before:
    """What a block of draws was prepared for, of which some can be taken again."""

    scenario: Scenario
    growth: float
    start: Prepared

    def same_world(self, scenario: Scenario) -> bool:
        """Whether the base year, the years and the closure stay as they were."""
        old = self.scenario
        return all(getattr(old, key) == getattr(scenario, key)
                   for key in ("parameters", "horizon", "closure", "imbalances"))

    def same_path(self, scenario: Scenario, growth: float) -> bool:
        """Whether the reference path stays too."""
        return self.scenario.growth == scenario.growth and self.growth == growth

    def shocks(self, base: Baseline, scenario: Scenario, growth: float) -> dict[str, Packed]:
        """Shocks of levers with the settings that they had, on the path that they had."""
        on_path = self.same_path(scenario, growth)
        return {name: shock for name, shock in self.start.shocks.items()
                if self._settings(base, name) == _settings_of(base, scenario, name)
                and (on_path or "levels" not in KINDS[base.levers[name].kind].__annotations__)}

    def _settings(self, base: Baseline, name: str) -> tuple[Any, ...]:
        return _settings_of(base, self.scenario, name)


def _settings_of(base: Baseline, scenario: Scenario, name: str) -> tuple[Any, ...]:
    """Give settings of a lever and of the one that it follows; none where it is not pulled."""
    stages = (name, base.levers[name].follows)
    return tuple(scenario.levers.get(stage) for stage in stages if stage)


def prepare(base: Baseline, scenario: Scenario, draws: Draws, growth: float = 0.0,
            before: Before | None = None) -> Prepared:
    """Set up a block of draws: the base year, the reference path, what each lever would do.

    Parameters
    ----------
    growth
        Growth of the pair's trade beyond the reference path, share a year.
    before
        The same block prepared for another scenario: what does not differ is not done again.
    """
    years = years_of(base, scenario)
    known: Mapping[str, Packed] = {}
    if before is not None and before.same_world(scenario):
        world = replace(before.start.world, draws=draws)
        known = before.shocks(base, scenario, growth)
    else:
        world, before = economy(base, draws), None
    if before is not None and before.same_path(scenario, growth):
        old = before.start
        path, levels, to_count = old.path, old.levels, old.to_count
    else:
        path = reference_path(base, draws, years)
        faster = np.log1p(growth) * np.arange(1, len(years) + 1)
        path = replace(path, log_flow=path.log_flow + faster[None, :, None])
        levels, to_count = reference_levels(base, world, draws, path)
    both = {**known, **lever_shocks(base, scenario, world, draws, years, path.closed_share, levels,
                                    known)}
    shocks = {name: both[name] for name in scenario.levers}
    exposed = (spread(draws["posterior.closure_effect"], "draw", "importer")
               * spread(path.closed_share, "draw", "year"))
    return Prepared(years, world, levels, to_count, shocks,
                    tuple(base.levers[name].at_once for name in scenario.levers), exposed, path,
                    closure_of(base, scenario))


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
    log_count = np.stack([spread(bias, "draw", "importer") for bias in
                          np.moveaxis(by_count(draws["posterior.bias"]), -1, 0)])
    own = [pair.reporters.index(importer) for importer in pair.importers]
    log_own = np.stack([log_count[index, j] for j, index in enumerate(own)])

    bought = total(world.sales * world.pair_flow, "exporter")
    share = bought / total(bought, "group")
    flow = np.exp(spread(path.log_flow, "draw", "year", "importer") + log_own) * share
    others = world.sales * np.exp(spread(path.log_growth, "draw", "year", "importer"))
    levels = np.where(world.pair_flow > 0.0, flow, others)
    return levels, np.exp(log_count - log_own[None])


def lever_shocks(base: Baseline, scenario: Scenario, world: Economy, draws: Draws,
                 years: Sequence[int], closed_share: Array, levels: Array,
                 known: Collection[str] = ()) -> dict[str, Packed]:
    """Give the shock of each lever if it succeeds; a later stage is what it adds (equation J2).

    Those that are `known` are left out.
    """
    calendar = spread(np.asarray(years, dtype=float), "year")
    new = [name for name in scenario.levers if name not in known]
    alone = {name: Packed.of(_shock(base, scenario, world, draws, name, calendar, levels))
             for name in dict.fromkeys([*new, *filter(None, (base.levers[one].follows
                                                             for one in new))])}
    shut, found = spread(closed_share, "draw", "year"), {}
    for name in new:
        lever = base.levers[name]
        made = increment(alone[name], alone[lever.follows]) if lever.follows else alone[name]
        found[name] = made.interrupted(shut, world.pair_flow) if lever.needs_corridor else made
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
