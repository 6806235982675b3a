"""What a sweep varies: its factors, their groups, and how a row of a design becomes numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tradesim.common.arrays import Array, frozen
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.base_year_tables import TABLES
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.growth import CHOICE, NAMED
from tradesim.inputs.parameters import Cube, Parameter
from tradesim.inputs.posterior import PREFIX
from tradesim.inputs.scenario import Scenario
from tradesim.inputs.scenario_schema import GONE
from tradesim.simulation.draws import draw_all, happening
from tradesim.studies.sweep.results import SWITCH

POSTERIOR, FUTURE, SUCCESS, INNOVATION = "posterior", "future", ".success", "innovation."
GROWTH, CHOSEN = "growth", "choice"
POLICY, DATA = "policy", "data"
FUTURES = 1024
"""Futures drawn for the factor `future`, which picks one of them."""

GROUPS: Mapping[str, str] = {
    "gdp": "world", GROWTH: "world", "corridor": "world", "innovation": "world", FUTURE: "world",
    "elasticity": "behaviour", "adjustment": "behaviour", "supply": "behaviour",
    "routes": "behaviour", "time_value": "behaviour", "differentiated": "behaviour",
    POSTERIOR: "calibration",
}
"""Group of a factor by the first part of its name; levers are policy, all else is data."""

_FITTED = "What the statistics leave open (all fitted numbers together)"
_CELLS = tuple(f"{table.title}: " for table in TABLES)
_LIST = "`tradesim sweep SCENARIO --list` lists all factors"


@dataclass(frozen=True)
class Factor:
    """One thing that a sweep varies.

    Its kind is ``number`` (a parameter or setting), ``cell`` (of a table of the base year),
    ``lever`` (off or on), ``success`` (whether a lever happens), ``posterior`` and ``future``
    (rows of a table), ``choice`` (one of several names), or ``column`` (any other column of the
    unit cube).
    """

    name: str
    title: str
    unit: str
    group: str  # policy, world, behaviour, calibration or data
    kind: str = "number"
    low: float | None = None  # range to take instead of the distribution
    high: float | None = None

    def within(self, u: Array) -> Array:
        """Values in the range of its own; whole numbers for calendar years."""
        low, high = float(self.low or 0.0), float(self.high or 0.0)
        if self.unit == "year":
            return np.floor(low + (high - low + 1.0) * u)
        return low + (high - low) * u


@dataclass(frozen=True)
class Noise(Cube):
    """Random columns of single rows: row i is row i of `Cube.random` with the same seed."""

    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, dtype=np.int64))

    def column(self, name: str) -> Array:
        """Column of a name, shape (draw,), strictly between 0 and 1."""
        first, last = int(self.rows.min()), int(self.rows.max())
        return Cube(last - first + 1, self.seed or 0, first).column(name)[self.rows - first]


@dataclass(frozen=True)
class _Recorder(Cube):
    columns: list[str] = field(default_factory=list)

    def column(self, name: str) -> Array:
        self.columns.append(name)
        return super().column(name)


@dataclass(frozen=True)
class FactorSpace:
    """A baseline and a scenario, and what of them can be varied."""

    base: Baseline
    scenario: Scenario
    seed: int

    @cached_property
    def columns(self) -> list[str]:
        """Names of all columns of the unit cube that draws of the scenario use."""
        recorder = _Recorder(1)
        draw_all(self.base, self.scenario, recorder)
        return list(dict.fromkeys(recorder.columns))

    @cached_property
    def numbers(self) -> dict[str, Parameter]:
        """Parameters, cells of tables and settings of the scenario's levers."""
        fixed = {name: item for name, item in self.base.parameters.items() if not item.calibrated}
        for lever in self.scenario.levers:
            fixed |= self.base.levers[lever].parameters
        return fixed

    @cached_property
    def factors(self) -> dict[str, Factor]:
        """Everything that has a range, by name."""
        made = [self._column_factor(name) for name in self.columns]
        made.append(self._factor(FUTURE, "The world's course: shocks to trade, both economies and "
                                 "the corridor", "place in order", FUTURE))
        made.append(self._factor(GROWTH, f"Path of both GDPs: {', '.join(NAMED)}",
                                 "place in the list, from 0", CHOSEN))
        made += [self._factor(name, f"{self.base.levers[name].title} is pulled", SWITCH, "lever")
                 for name in self.scenario.levers]
        return {item.name: item for item in made if item is not None}

    def _column_factor(self, name: str) -> Factor | None:
        """Give the factor that a column of the unit cube is; none where nothing varies."""
        if name in self.numbers:
            item = self.numbers[name]
            low, high = item.distribution.support()
            if not (low < high and item.low < item.high):
                return None
            kind = "cell" if item.title.startswith(_CELLS) else "number"
            return self._factor(name, item.title.rstrip("."), item.unit, kind)
        if name == POSTERIOR:
            return self._factor(name, _FITTED, "place in order", POSTERIOR)
        if name.endswith(SUCCESS):
            lever = self.base.levers[name.removesuffix(SUCCESS)].title
            return self._factor(name, f"{lever} happens", SWITCH, "success")
        unit = "standard normal" if name.startswith(INNOVATION) else "probability"
        return self._factor(name, name, unit, "column")

    def _factor(self, name: str, title: str, unit: str, kind: str) -> Factor:
        head = name.split(".")[0]
        lever = head in self.base.levers and kind != "cell"
        return Factor(name, title, unit, POLICY if lever else GROUPS.get(head, DATA), kind)

    def choose(self, over: Sequence[str], everything: bool, ordered: bool) -> list[Factor]:
        """Find the factors that names, patterns and ranges (``name=LOW:HIGH``) mean.

        Without any: parameters, settings of the scenario's levers and the posterior; with
        `everything` also cells of tables, the future and the success of levers. The path of GDP
        is varied where it is named. An `ordered` design takes no future, whose values have no
        order.

        Raises
        ------
        InputError
            With every name that is unknown or has no range.
        """
        if not over:
            kinds = {"number", POSTERIOR} | (set() if ordered else {FUTURE})
            kinds |= {"cell", "success"} if everything else set()
            return [item for item in self.factors.values() if item.kind in kinds]
        chosen: dict[str, Factor] = {}
        problems: list[Problem] = []
        for text in over:
            name, given, span = text.strip().partition("=")
            try:
                some = [self._with_range(name.strip(), span)] if given else self._matching(name)
            except InputError as error:
                problems += error.problems
            else:
                chosen |= {item.name: item for item in some}
        if ordered and FUTURE in chosen:
            problems.append(Problem("--over", FUTURE, "has no order, so its middle means nothing",
                                    "take lhs or sobol"))
        if problems:
            raise InputError(problems)
        return list(chosen.values())

    def _matching(self, text: str) -> list[Factor]:
        if text in self.factors:
            return [self.factors[text]]
        if not any(sign in text for sign in "*?["):
            raise InputError([Problem("--over", text, *self._why_missing(text))])
        some = [item for name, item in self.factors.items() if fnmatchcase(name, text)
                and item.kind not in ("lever", FUTURE, CHOSEN)]
        if not some:
            raise InputError([Problem("--over", text, "no factor has such a name", _LIST)])
        return some

    def _why_missing(self, name: str) -> tuple[str, str]:
        """Why a name is no factor, and what to do."""
        if name in self.numbers:
            reason = "it is taken as certain" if name in self.columns else "the scenario sets it"
            return f"has no range: {reason}", f"give it one: '{name}=LOW:HIGH'"
        if name.startswith(PREFIX) and name in self.base.parameters:
            return "is fitted with others", f"sweep them together: '{POSTERIOR}'"
        lever = name.partition(".")[0]
        if lever in self.base.levers and lever not in self.scenario.levers:
            return f"belongs to the lever '{lever}', which the scenario does not pull", ""
        if name in GONE:
            return GONE[name], ""
        return "unknown factor", nearest(name, [*self.factors, *self.numbers]) or _LIST

    def _with_range(self, name: str, span: str) -> Factor:
        def wrong(message: str, hint: str = "") -> InputError:
            return InputError([Problem("--over", f"{name}={span}", message, hint)])

        if name not in self.numbers:
            if name in self.factors:
                raise wrong("only a number can be given a range")
            raise wrong(*self._why_missing(name))
        item = self.numbers[name]
        try:
            low, high = (float(part) for part in span.split(":"))
        except ValueError:
            raise wrong("must read NAME=LOW:HIGH") from None
        if not item.low <= low < high <= item.high:
            raise wrong(f"needs LOW below HIGH, both {item.allowed}")
        return replace(self._factor(name, item.title.rstrip("."), item.unit, "number"),
                       low=low, high=high)

    @cached_property
    def futures(self) -> dict[str, Array]:
        """Columns of the futures, from those bad for trade to the good ones."""
        names = [name for name in self.columns if name.startswith(INNOVATION)]
        drawn = Cube.random(FUTURES, self.seed)
        columns = {name: drawn.column(name) for name in names}
        flows = [ndtri(columns[name]) for name in names
                 if name.startswith((f"{INNOVATION}flow", f"{INNOVATION}gdp"))]
        order = np.argsort(np.sum(flows, axis=0), kind="stable")
        return {name: column[order] for name, column in columns.items()}

    def rows(self, factors: Sequence[Factor], u: Array, noise: NDArray[np.int64] | None
             ) -> tuple[dict[str, Array], dict[str, Array], Array]:
        """Give draws, switches of levers, and values of the factors for rows of a design."""
        drawn = self.draws(factors, u, noise)
        acting = self.switches(factors, u, drawn, noise is not None)
        return drawn, acting, self.values(factors, u, drawn, acting)

    def draws(self, factors: Sequence[Factor], u: Array,
              noise: NDArray[np.int64] | None) -> dict[str, Array]:
        """Turn rows of a design, (row, factor) in (0, 1), into everything the model draws.

        What is not swept is drawn from the rows `noise` of the random table; None: the middle.
        """
        columns: dict[str, Array] = {}
        for k, item in enumerate(factors):
            if item.kind == FUTURE:
                row = np.minimum(u[:, k] * FUTURES, FUTURES - 1).astype(int)
                columns = {name: values[row] for name, values in self.futures.items()} | columns
            elif item.low is None and item.kind not in ("lever", CHOSEN):
                columns[item.name] = u[:, k]
        fallback = Cube.point() if noise is None else Noise(len(noise), self.seed, rows=noise)
        middle = np.full(len(u), 0.5)
        ranged = {item.name: item.within(u[:, k]) for k, item in enumerate(factors)
                  if item.low is not None}
        drawn = draw_all(self.base, self.scenario, Cube.table({"": middle} | columns, fallback),
                         given=ranged)
        for k, item in enumerate(factors):
            if item.kind == CHOSEN:
                drawn[CHOICE] = frozen(_place(u[:, k]))
        return drawn

    def switches(self, factors: Sequence[Factor], u: Array, drawn: Mapping[str, Array],
                 noise: bool) -> dict[str, Array]:
        """Which levers act in each row, one or zero: swept, left to chance, otherwise all."""
        index = {item.name: k for k, item in enumerate(factors)}
        acting = {}
        for name in self.scenario.levers:
            if name in index:
                acting[name] = (u[:, index[name]] >= 0.5).astype(float)
            elif noise or f"{self._first(name)}{SUCCESS}" in index:
                acting[name] = happening(self.base, drawn, name)
            else:
                acting[name] = np.ones(len(u))
        return {name: pulled * acting[self._first(name)] for name, pulled in acting.items()}

    def _first(self, name: str) -> str:
        """First stage of what a lever belongs to, whose luck is also that of the later ones."""
        return self.base.levers[name].follows or name

    def values(self, factors: Sequence[Factor], u: Array, drawn: Mapping[str, Array],
               acting: Mapping[str, Array]) -> Array:
        """Values of the factors in their units; (row, factor)."""
        table = np.array(u)
        for k, item in enumerate(factors):
            if item.kind in ("number", "cell"):
                table[:, k] = drawn[item.name]
            elif item.kind == "lever":
                table[:, k] = acting[item.name]
            elif item.kind == CHOSEN:
                table[:, k] = drawn[CHOICE]
            elif item.kind == "success":
                table[:, k] = happening(self.base, drawn, item.name.removesuffix(SUCCESS))
            elif item.name.startswith(INNOVATION):
                table[:, k] = ndtri(u[:, k])
        return table


def _place(u: Array) -> Array:
    """Place in `NAMED` of a point of the unit interval."""
    return np.minimum(np.floor(len(NAMED) * u), len(NAMED) - 1.0)
