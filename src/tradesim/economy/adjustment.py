"""From shocks to where trade settles, and how it gets there (equations 11 and 16)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, axis, entry, map_arrays, pick, ratio
from tradesim.economy.base_year import Economy
from tradesim.economy.equilibrium import Macro, Settled, equilibrium, finite_suppliers
from tradesim.economy.packed import Packed
from tradesim.economy.quotas import Take, within_quotas
from tradesim.economy.resolve import BORDER, Pulled, at_border, log_cost, resolve
from tradesim.economy.routes import through_corridor
from tradesim.economy.shocks import NONE, Change

Closure = Callable[[Economy, Change], Macro]
"""From base year and joint change to wages and spending."""
YEAR = axis("year")
Moved = TypeVar("Moved", Change, Settled)

IN_MARKETS = ("sales", "duty", "pair_flow", "home", "lower", "upper", "demand", "home_supply",
              "inverse_supply", "offer_response", "log_cost", "wedge", "resource", "preference",
              "supply", "availability", "price", "approval", "level", "rent")
"""What `at_border` and `equilibrium` read of a base year and of a change."""

AGAIN = ("log_cost", "wedge", "rent", "preference")
"""What of a change differs where a quota binds."""


@dataclass(frozen=True)
class Outcome:
    """Where trade settles under a set of shocks; order of `DIMS`.

    Attributes
    ----------
    change
        All shocks together.
    settled
        Prices and sales at which each year would settle, against the moved reference path.
    lasting
        Sales at which it would settle without the shocks that bite at once.
    lasting_preference
        Preference without them (`Change.preference`).
    macro
        Wages, spending and real income, where the scenario asks for a closure.
    """

    change: Change
    settled: Settled
    lasting: Array
    lasting_preference: Array = field(default_factory=lambda: NONE)
    macro: Macro | None = None

    def path(self, economy: Economy) -> Array:
        """Log change of sales reached in each year against the reference path (`reached`)."""
        return reached(economy, self.change.level, self.lasting, self.settled.sales)

    def elsewhere(self, economy: Economy) -> tuple[Array, Array]:
        r"""Where the partner's sales of goods made elsewhere settle, lasting and in all.

        .. math:: (O2)\;\; v'_{o} = v' + \omega\,\Delta

        They face the market of the partner's own goods, without the preference
        :math:`\Delta`: equation 9 with another duty. Log changes of the pair's flows.
        """
        lasting, settled = (entry(sales, economy.pair_flow)
                            for sales in (self.lasting, self.settled.sales))
        return (lasting + economy.lower * self.lasting_preference,
                settled + economy.lower * self.change.preference)

    def path_elsewhere(self, economy: Economy) -> Array | None:
        """Path of those sales; None where every good gets what the partner's own get."""
        if not (self.change.preference.any() or self.lasting_preference.any()):
            return None
        return reached(economy, entry(self.change.level, economy.pair_flow),
                       *self.elsewhere(economy))


def reached(economy: Economy, level: Array, lasting: Array, settled: Array) -> Array:
    """Log change of sales reached in each year against the reference path (equation 16).

    Parameters
    ----------
    economy
        Share of a response reached in the first year, and speed of the rest.
    level
        Log change of the reference path itself.
    lasting, settled
        Log change of sales at which each year would settle, without and with the shocks that
        bite at once.
    """
    gradual = partial_adjust(lasting, economy.first_year, economy.speed)
    if settled is not lasting and (sudden := settled - lasting).any():
        gradual = gradual + at_once(sudden, economy.speed)
    return np.asarray(level + gradual) if level.any() else gradual


def settle(economy: Economy, levels: Array, pulled: Sequence[Pulled], *,
           at_once: Sequence[bool], exposed: Array = NONE,
           closure: Closure | None = None) -> Outcome:
    r"""Resolve shocks and solve for where each year would settle (equations 4-10).

    Goods that come to rely on the shared corridor lose more when it closes: with :math:`S` the
    share that goes through it and :math:`\kappa C` the effect of a closure on the reference
    path, the path itself moves by :math:`\kappa C\,(S' / S - 1)` (equation 18).

    Parameters
    ----------
    pulled
        Pairs of a switch and a shock.
    at_once
        For each of them whether it bites at once instead of being adjusted to.
    exposed
        Effect :math:`\kappa C` of closures on the reference path of the pair's flows.
    closure
        General-equilibrium closure; wages and spending stay as they are by default.

    Raises
    ------
    ConvergenceError
        When a market, a quota or the closure is not solved.
    """
    change, settled, macro = _solved(economy, levels, pulled, exposed, closure)
    if not any(at_once):
        return Outcome(change, settled, settled.sales, change.preference, macro)
    gradual = [pair for pair, fast in zip(pulled, at_once, strict=True) if not fast]
    lasting, without, _ = _solved(economy, levels, gradual, exposed, closure)
    return Outcome(change, settled, without.sales, lasting.preference, macro)


def _solved(economy: Economy, levels: Array, pulled: Sequence[Pulled], exposed: Array,
            closure: Closure | None) -> tuple[Change, Settled, Macro | None]:
    change = resolve(economy, pulled)
    macro = None if closure is None else closure(economy, change)
    change = replace(change, level=change.level + _exposure(economy, exposed, change))
    base = levels * np.exp(change.level) if change.level.any() else levels
    settled = equilibrium(economy, base, change, macro)
    shocks = [(switch, Packed.of(shock)) for switch, shock in pulled]
    if lines := sorted({line for _, shock in shocks for line in shock.lines_with("quota")}):
        change, settled = _within_quotas(economy, levels, shocks, change, settled, macro,
                                         np.array(lines))
    return change, settled, macro


def _within_quotas(economy: Economy, levels: Array, shocks: Sequence[tuple[Array, Packed]],
                   change: Change, settled: Settled, macro: Macro | None,
                   lines: NDArray[np.intp]) -> tuple[Change, Settled]:
    """Solve the lines that have a quota again where it is exceeded (`quotas.within_quotas`)."""
    def here(values: Array) -> Array:
        return pick(values, "group", lines)

    world, free, before = (map_arrays(economy, here, IN_MARKETS),
                           map_arrays(change, here, IN_MARKETS), map_arrays(settled, here))
    base = here(levels) * np.exp(free.level)
    taxes = [(switch, shock.lines(lines).only(*BORDER)) for switch, shock in shocks
             if {*BORDER} & {*shock.parts}]
    finite = finite_suppliers(economy.inverse_supply)

    def again(take: Take, margin: Array) -> Settled:
        cells, part = take(world), take(free)
        cost = log_cost(cells, part, take(taxes), margin)
        return equilibrium(cells, take(base), replace(part, log_cost=cost),
                           None if macro is None else take(macro), finite)

    def border(take: Take, margin: Array, filled: Array) -> Change:
        return at_border(take(world), take(free), take(taxes), margin, filled)

    limited, after = within_quotas(again, border, here(levels), taxes, free, before)
    if after is before:
        return change, settled

    return (_merged(change, limited, [name for name in AGAIN
                                      if getattr(limited, name) is not NONE], lines, levels),
            _merged(replace(settled, residual=after.residual), after,
                    [field.name for field in fields(Settled) if field.name != "residual"],
                    lines, levels))


def _merged(whole: Moved, some: Moved, names: Sequence[str], lines: NDArray[np.intp],
            levels: Array) -> Moved:
    """Put what was solved again for some lines in its place among all lines of `levels`."""
    def both(old: Array, new: Array) -> Array:
        shape = (*new.shape[:2], levels.shape[axis("group")], *new.shape[3:])
        array = np.array(np.broadcast_to(old, shape))
        array[:, :, lines] = new
        return array

    changed: dict[str, Any] = {name: both(getattr(whole, name), getattr(some, name))
                               for name in names}
    return replace(whole, **changed)


def _exposure(economy: Economy, exposed: Array, change: Change) -> Array:
    """Log change of the path from relying more, or less, on a corridor that closes."""
    if not exposed.any():
        return NONE
    before = through_corridor(economy, NONE[None], NONE[None])
    return exposed * (ratio(change.through_corridor, before, 1.0) - 1.0) * economy.pair_flow


def partial_adjust(target: Array, first: Array, speed: Array) -> Array:
    r"""Path of a variable that moves towards where each year would settle.

    .. math::

        (11)\; v_t = v_{t-1} + \lambda (v^*_{t-1} - v_{t-1}) + s (v^*_t - v^*_{t-1})

    so that a step is followed by the share :math:`s` in its first year and by the share
    :math:`\lambda` of what is left in each later one; with :math:`s = \lambda` this is
    :math:`v_t = v_{t-1} + \lambda (v^*_t - v_{t-1})`. What was gained slowly is lost at once:
    a path never lies above its target and zero; what was lost is won back at the same pace.

    Parameters
    ----------
    target
        Log change at which each year would settle, order of `DIMS`.
    first, speed
        Shares :math:`s` and :math:`\lambda`, between zero and one, without a year axis longer
        than one.

    Notes
    -----
    Source of the shares: Boehm, Levchenko and Pandalai-Nayar (2023), 0.76 after one year
    against about 2.0 after seven to ten.
    """
    targets = np.moveaxis(target, YEAR, 0)
    first, speed = (np.moveaxis(np.asarray(share), YEAR, 0)[0] for share in (first, speed))
    path = np.empty_like(targets)
    value = before = np.zeros(targets.shape[1:])
    for t, goal in enumerate(targets):
        value = value + speed * (before - value) + first * (goal - before)
        value = np.minimum(value, np.maximum(goal, 0.0), out=path[t])
        before = goal
    return np.moveaxis(path, 0, YEAR)


def at_once(target: Array, speed: Array) -> Array:
    r"""Path of a variable that falls at once and recovers gradually (equation 16).

    .. math::

        v_t = v^*_t \text{ where } v^*_t \text{ lies farther from zero than } v_{t-1}
        \text{ or beyond zero}, \qquad
        v_t = v_{t-1} + \lambda (v^*_t - v_{t-1}) \text{ otherwise}

    Parameters
    ----------
    target
        Log change at which each year would settle, order of `DIMS`.
    speed
        Share :math:`\lambda` of the way back to zero made in a year; one forgets at once.
    """
    targets = np.moveaxis(target, YEAR, 0)
    pace = np.moveaxis(np.asarray(speed), YEAR, 0)[0]
    path, value = np.empty_like(targets), np.zeros(targets.shape[1:])
    for t, goal in enumerate(targets):
        farther = (np.abs(goal) >= np.abs(value)) | (goal * value < 0.0)
        value = np.where(farther, goal, value + pace * (goal - value))
        path[t] = value
    return np.moveaxis(path, 0, YEAR)
