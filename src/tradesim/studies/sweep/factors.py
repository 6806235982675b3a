"""What a sweep varies: its factors, their groups, and how a row of a design becomes numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cached_property
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tradesim.common.arrays import Array, frozen
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.baseline import TABLES, Baseline
from tradesim.inputs.distributions import EDGE
from tradesim.inputs.parameters import Cube, Parameter
from tradesim.inputs.posterior import PREFIX
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import draw_all, happens

POSTERIOR, FUTURE, SUCCESS, INNOVATION = "posterior", "future", ".success", "innovation."
SPECIFICATION = "specification"
POLICY, DATA = "policy", "data"
FUTURES = 1024
"""Futures drawn for the factor `future`, which picks one of them."""

GROUPS: Mapping[str, str] = {
    "gdp": "world", "corridor": "world", "innovation": "world", FUTURE: "world",
    "elasticity": "behaviour", "adjustment": "behaviour", "supply": "behaviour",
    "routes": "behaviour", "time_value": "behaviour", "differentiated": "behaviour",
    POSTERIOR: "calibration", SPECIFICATION: "calibration",
}
"""Group of a factor by the first part of its name; levers are policy, all else is data."""


@dataclass(frozen=True)
class Factor:
    """One thing that a sweep varies.

    Attributes
    ----------
    name, title, unit
        Name in commands and tables, and for people.
    group
        Policy, world, behaviour, calibration or data.
    kind
        ``number`` (a parameter or setting), ``cell`` (of a table of the base year), ``lever``
        (off or on), ``success`` (whether a lever happens), ``posterior`` and ``future`` (rows
        of a table), ``column`` (any other column of the unit cube).
    low, high
        Range to take instead of the distribution.
    """

    name: str
    title: str
    unit: str
    group: str
    kind: str = "number"
    low: float | None = None
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

    @classmethod
    def of(cls, rows: NDArray[np.int64], seed: int) -> Noise:
        """Give the rows of the random table of a seed."""
        return cls(len(rows), seed, rows=rows)

    def column(self, name: str) -> Array:
        """Column of a name, shape (draw,), strictly between 0 and 1."""
        digest = sha256(name.encode()).digest()
        stream = np.random.PCG64(np.random.SeedSequence([self.seed or 0, int.from_bytes(digest)]))
        first, last = int(self.rows.min()), int(self.rows.max())
        uniform = np.random.Generator(stream.advance(first)).random(last - first + 1)
        return np.clip(uniform[self.rows - first], EDGE, 1.0 - EDGE)


@dataclass(frozen=True)
class _Recorder(Cube):
    asked: list[str] = field(default_factory=list)

    def column(self, name: str) -> Array:
        self.asked.append(name)
        return super().column(name)


@dataclass(frozen=True)
class World:
    """A baseline and a scenario, and what of them can be varied."""

    base: Baseline
    scenario: Scenario
    seed: int

    @cached_property
    def asked(self) -> list[str]:
        """Names of all columns that draws of the scenario use."""
        recorder = _Recorder(1)
        draw_all(self.base, self.scenario, recorder)
        return list(dict.fromkeys(recorder.asked))

    @cached_property
    def numbers(self) -> dict[str, Parameter]:
        """Parameters, cells of tables and settings of the scenario's levers."""
        found = {name: item for name, item in self.base.parameters.items() if not item.calibrated}
        for lever in self.scenario.levers:
            found |= self.base.levers[lever].parameters
        return found

    @cached_property
    def factors(self) -> dict[str, Factor]:
        """Everything that has a range, by name."""
        cells = tuple(f"{table.title}: " for table in TABLES)
        found = {}
        for name in self.asked:
            if name in self.numbers:
                item = self.numbers[name]
                low, high = item.distribution.support()
                if low < high and item.low < item.high:
                    kind = "cell" if item.title.startswith(cells) else "number"
                    found[name] = self._factor(name, item.title.rstrip("."), item.unit, kind)
            elif name == POSTERIOR:
                found[name] = self._factor(name, "What the statistics leave open (all fitted "
                                           "numbers together)", "place in order", POSTERIOR)
            elif name == SPECIFICATION:
                found[name] = self._factor(name, "Which form the reference path has (those with "
                                           "weight, in their order)", "place in order", POSTERIOR)
            elif name.endswith(SUCCESS):
                lever = self.base.levers[name.removesuffix(SUCCESS)].title
                found[name] = self._factor(name, f"{lever} happens", "0 no, 1 yes", "success")
            else:
                unit = "standard normal" if name.startswith(INNOVATION) else "probability"
                found[name] = self._factor(name, name, unit, "column")
        found[FUTURE] = self._factor(FUTURE, "The world's course: shocks to trade, both economies "
                                     "and the corridor", "place in order", FUTURE)
        for name in self.scenario.levers:
            found[name] = self._factor(name, f"{self.base.levers[name].title} is pulled",
                                       "0 no, 1 yes", "lever")
        return found

    def _factor(self, name: str, title: str, unit: str, kind: str) -> Factor:
        head = name.split(".")[0]
        lever = head in self.base.levers and kind != "cell"
        group = POLICY if lever else GROUPS.get(head, DATA)
        return Factor(name, title, unit, group, kind)

    def choose(self, over: Sequence[str], everything: bool, ordered: bool) -> list[Factor]:
        """Find the factors that names and patterns mean.

        Parameters
        ----------
        over
            Names, patterns such as ``elasticity.*``, and names with a range of their own,
            ``name=LOW:HIGH``. Without any: parameters, settings of the scenario's levers and the
            posterior.
        everything
            Without names take also the cells of tables, the future and the success of levers.
        ordered
            Whether the design needs factors whose values have an order: the future has none.

        Raises
        ------
        InputError
            With every name that is unknown or has no range.
        """
        if not over:
            kinds = {"number", POSTERIOR} | (set() if ordered else {FUTURE})
            kinds |= {"cell", "success"} if everything else set()
            return [item for item in self.factors.values() if item.kind in kinds]
        found: dict[str, Factor] = {}
        problems: list[Problem] = []
        for text in (part.strip() for part in over):
            name, equals, span = text.partition("=")
            try:
                some = ([self._given(name.strip(), span)] if equals
                        else list(self._matching(name)))
            except InputError as error:
                problems += error.problems
                continue
            problems += [Problem("--over", item.name, "has no order, so its middle means nothing",
                                 "take lhs or sobol") for item in some
                         if ordered and item.kind == FUTURE]
            found |= {item.name: item for item in some}
        if problems:
            raise InputError(problems)
        return list(found.values())

    def _matching(self, text: str) -> Iterator[Factor]:
        if text in self.factors:
            yield self.factors[text]
            return
        if any(sign in text for sign in "*?["):
            some = [item for name, item in self.factors.items() if fnmatchcase(name, text)
                    and item.kind not in ("lever", FUTURE)]
            if some:
                yield from some
                return
            raise InputError([Problem("--over", text, "no factor has such a name", self._list())])
        raise InputError([Problem("--over", text, *self._missing(text))])

    def _missing(self, name: str) -> tuple[str, str]:
        if name in self.numbers:
            if name not in self.asked:
                return "has no range: the scenario sets it", f"give it one: '{name}=LOW:HIGH'"
            return "has no range: it is taken as certain", f"give it one: '{name}=LOW:HIGH'"
        if name.startswith(PREFIX) and name in self.base.parameters:
            return "is fitted with others", f"sweep them together: '{POSTERIOR}'"
        lever, _, _ = name.partition(".")
        if lever in self.base.levers and lever not in self.scenario.levers:
            return f"belongs to the lever '{lever}', which the scenario does not pull", ""
        return "unknown factor", nearest(name, [*self.factors, *self.numbers]) or self._list()

    def _given(self, name: str, span: str) -> Factor:
        def wrong(message: str, hint: str = "") -> InputError:
            return InputError([Problem("--over", f"{name}={span}", message, hint)])

        if name not in self.numbers:
            message, hint = self._missing(name)
            raise wrong("only a number can be given a range" if name in self.factors else message,
                        "" if name in self.factors else hint)
        item = self.numbers[name]
        try:
            low, high = (float(part) for part in span.split(":"))
        except ValueError:
            raise wrong("must read NAME=LOW:HIGH") from None
        if not item.low <= low < high <= item.high:
            raise wrong(f"needs LOW below HIGH, both {item.allowed}")
        made = self._factor(name, item.title.rstrip("."), item.unit, "number")
        return Factor(made.name, made.title, made.unit, made.group, made.kind, low, high)

    def _list(self) -> str:
        return "`tradesim sweep SCENARIO --list` lists all factors"

    @cached_property
    def futures(self) -> dict[str, Array]:
        """Columns of the futures, from those bad for trade to the good ones."""
        names = [name for name in self.asked if name.startswith(INNOVATION)]
        drawn = Cube.random(FUTURES, self.seed)
        columns = {name: drawn.column(name) for name in names}
        flows = [ndtri(columns[name]) for name in names
                 if name.startswith((f"{INNOVATION}flow", f"{INNOVATION}gdp"))]
        order = np.argsort(np.sum(flows, axis=0), kind="stable")
        return {name: column[order] for name, column in columns.items()}

    def draws(self, factors: Sequence[Factor], u: Array,
              noise: NDArray[np.int64] | None) -> dict[str, Array]:
        """Turn rows of a design into everything the model draws.

        Parameters
        ----------
        factors
            What the columns of `u` stand for.
        u
            Rows of the design in (0, 1); (row, factor).
        noise
            Rows of the random table for what is not swept; None for its middle.
        """
        columns: dict[str, Array] = {}
        for place, item in enumerate(factors):
            if item.kind == FUTURE:
                row = np.minimum(u[:, place] * FUTURES, FUTURES - 1).astype(int)
                columns = {name: values[row] for name, values in self.futures.items()} | columns
            elif item.low is None and item.kind != "lever":
                columns[item.name] = u[:, place]
        fallback = Cube.point() if noise is None else Noise.of(noise, self.seed)
        middle = np.full(len(u), 0.5)
        drawn = draw_all(self.base, self.scenario, Cube.table({"": middle} | columns, fallback))
        for place, item in enumerate(factors):
            if item.low is not None:
                drawn[item.name] = frozen(item.within(u[:, place]))
        return drawn

    def switches(self, factors: Sequence[Factor], u: Array, drawn: Mapping[str, Array],
                 noise: bool) -> dict[str, Array]:
        """Which levers act in each row, one or zero: swept, left to chance, otherwise all."""
        place = {item.name: index for index, item in enumerate(factors)}
        acting = {}
        for name in self.scenario.levers:
            if name in place:
                acting[name] = (u[:, place[name]] >= 0.5).astype(float)
            elif noise or f"{self._first(name)}{SUCCESS}" in place:
                acting[name] = happens(self.base, drawn, name).astype(float)
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
        for place, item in enumerate(factors):
            if item.kind in ("number", "cell"):
                table[:, place] = drawn[item.name]
            elif item.kind == "lever":
                table[:, place] = acting[item.name]
            elif item.kind == "success":
                table[:, place] = happens(self.base, drawn, item.name.removesuffix(SUCCESS))
            elif item.name.startswith(INNOVATION):
                table[:, place] = ndtri(u[:, place])
        return table
