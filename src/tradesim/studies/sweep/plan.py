"""What a sweep is to do, checked and laid out: factors, groups, design, outputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import calibration_folder
from tradesim.economy.accounts import VARIABLES
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation.draws import years_of
from tradesim.simulation.model import load_baseline
from tradesim.studies.sweep.design import METHODS, ORDERED, Design, make
from tradesim.studies.sweep.evaluate import TARGET, Label, Outputs, Task, hash_of, identity, labels
from tradesim.studies.sweep.factors import Factor, World

DEFAULT_N = {"lhs": 1000, "morris": 20, "sobol": 1024}
DEFAULT_OUTPUTS = ("turnover", "welfare", TARGET)
LEVELS, GRID_LIMIT, SECOND_LIMIT = 5, 100_000, 12
GROUP = "group:"

_NOT_CONTENT = {"name", "title", "question", "references", "not_modelled", "origins", "draws",
                "seed"}


@dataclass(frozen=True)
class Wish:
    """What a sweep is to do.

    Attributes
    ----------
    scenario, overrides
        A scenario, and settings ``key=value`` over it.
    method
        One of `design.METHODS`.
    n
        Rows (lhs), trajectories (morris), base points (sobol); None for the usual number.
    over
        Names and patterns of factors; see `World.choose`.
    variables, years
        Outputs to keep; none for the usual variables, and for all years.
    products
        Whether product groups are kept apart.
    by_group
        Whether factors are replaced by whole groups (sobol).
    second
        Whether second-order indices are wanted; None for up to `SECOND_LIMIT` factors.
    noise
        Whether what is not swept is drawn at random.
    levels
        Levels of each factor (grid).
    seed
        Seed of the design and of chance; the scenario's by default.
    yes
        Whether a grid may be very large.
    """

    scenario: str
    method: str
    overrides: tuple[str, ...] = ()
    n: int | None = None
    over: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    products: bool = False
    by_group: bool = False
    second: bool | None = None
    noise: bool = False
    levels: int = LEVELS
    seed: int | None = None
    yes: bool = False


@dataclass(frozen=True)
class Plan:
    """A sweep that can be run.

    Attributes
    ----------
    wish, world
        What was asked for, of which model.
    factors, groups
        What is varied, and for each unit of the design its name and columns.
    design, outputs, labels
        Which rows, and what is kept of each.
    calibration
        Calibration folder; None for the one that comes with tradesim.
    identity
        Everything that decides the numbers.
    notes
        What was decided for the user, in words.
    """

    wish: Wish
    world: World
    factors: tuple[Factor, ...]
    groups: Mapping[str, Sequence[int]]
    design: Design
    outputs: Outputs
    labels: Sequence[Label]
    calibration: Path | None
    identity: Mapping[str, Any]
    notes: Sequence[str]

    @cached_property
    def run_id(self) -> str:
        """Name of the sweep by its content."""
        return hash_of(json.dumps(self.identity, sort_keys=True))

    def task(self, alone: bool) -> Callable[[slice], Task]:
        """Give what makes the task of some rows."""
        scenario = self.world.scenario.model_dump_json()
        folder = None if self.calibration is None else str(self.calibration)
        code = (str(self.identity["program"]), str(self.identity["calibration"]))

        def make_task(rows: slice) -> Task:
            points, noise = self.design.part(rows)
            return Task(folder, code, scenario, self.world.seed, self.factors, self.outputs,
                        rows.start, points, noise, alone)
        return make_task


def prepare(wish: Wish, calibration: Path | None = None) -> Plan:
    """Check a wish and lay out the sweep.

    Raises
    ------
    InputError
        With what is wrong with the wish.
    """
    if wish.method not in METHODS:
        raise InputError([Problem("--method", wish.method, f"unknown; known: {', '.join(METHODS)}",
                                  nearest(wish.method, METHODS))])
    base = load_baseline(calibration or calibration_folder())
    known = Known(base.parameters, base.levers, base.pair, base.specifications)
    scenario = read_scenario(wish.scenario, known, wish.overrides)
    seed = scenario.seed if wish.seed is None else wish.seed
    world = World(base, scenario, seed)
    outputs = _outputs(wish, world)
    if wish.by_group and wish.method != "sobol":
        raise InputError([Problem("--by-group", "", "groups of factors are replaced together only "
                                  "by the method sobol")])
    factors = tuple(world.choose(wish.over, wish.by_group, wish.method in ORDERED))
    groups: dict[str, list[int]] = {}
    for place, factor in enumerate(factors):
        key = f"{GROUP}{factor.group}" if wish.by_group else factor.name
        groups.setdefault(key, []).append(place)
    notes: list[str] = []
    n = _size(wish, notes)
    second = wish.method == "sobol" and (len(groups) <= SECOND_LIMIT if wish.second is None
                                         else wish.second)
    levels = [2 if item.kind in ("lever", "success") else wish.levels for item in factors]
    if wish.method == "grid":
        _bearable(levels, wish)
    design = make(wish.method, [item.name for item in factors], list(groups.values()), n=n,
                  seed=seed, levels=levels, second=second, noise=wish.noise)
    program, data = identity(base.folder)
    content = {
        "scenario": scenario.model_dump(mode="json", exclude=_NOT_CONTENT),
        "program": program, "calibration": data,
        "method": wish.method, "n": n, "rows": design.rows, "seed": seed,
        "factors": {item.name: [item.low, item.high] for item in factors},
        "by group": wish.by_group, "second order": second, "noise": wish.noise,
        "levels": levels if wish.method == "grid" else [], "outputs": asdict(outputs)}
    return Plan(wish, world, factors, groups, design, outputs, labels(world, outputs), calibration,
                json.loads(json.dumps(content)), notes)


def _outputs(wish: Wish, world: World) -> Outputs:
    known = (*VARIABLES, TARGET)
    years = years_of(world.base, world.scenario)
    problems = [Problem("--variable", name, f"unknown variable; known: {', '.join(known)}",
                        nearest(name, known)) for name in wish.variables if name not in known]
    problems += [Problem("--year", str(year), f"the scenario runs from {years[0]} to {years[-1]}")
                 for year in wish.years if year not in years]
    if problems:
        raise InputError(problems)
    return Outputs(tuple(dict.fromkeys(wish.variables)) or DEFAULT_OUTPUTS,
                   tuple(sorted(set(wish.years))) or years, wish.products)


def _size(wish: Wish, notes: list[str]) -> int:
    n = wish.n or DEFAULT_N.get(wish.method, 0)
    least = {"lhs": 10, "morris": 2, "sobol": 8}.get(wish.method, 0)
    if n < least:
        raise InputError([Problem("--n", str(n), f"{wish.method} needs {least} or more")])
    if wish.method == "sobol" and n & (n - 1):
        power = 1 << n.bit_length()
        notes.append(f"n = {n:,} is not a power of two, without which Sobol' points lose their "
                     f"balance; taking {power:,}")
        return power
    if wish.n and wish.method in ("oat", "grid"):
        notes.append(f"--n means nothing to {wish.method}")
    return n


def _bearable(levels: Sequence[int], wish: Wish) -> None:
    if wish.levels < 2:
        raise InputError([Problem("--levels", str(wish.levels), "a grid needs two or more")])
    rows = 1
    for size in levels:
        rows *= size
    if rows > GRID_LIMIT and not wish.yes:
        raise InputError([Problem("--over", f"{len(levels)} factors", f"a grid of them is {rows:,} "
                                  "runs", "name fewer, lower --levels, take --method lhs, or say "
                                  "--yes")])
