"""One chunk of a sweep: rows of a design in, values of factors and outputs out.

`evaluate` is what workers run, here or on another machine. It needs nothing but its task, and
gives the same bits however the rows of a sweep are cut into tasks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from itertools import product
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import TradesimError
from tradesim.common.files import calibration_folder, program
from tradesim.economy.accounts import VARIABLES
from tradesim.economy.indicators import balances
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import REFERENCE, SCENARIO
from tradesim.simulation.model import BLOCK, load_baseline, simulate
from tradesim.simulation.results import calibration_hashes
from tradesim.studies.sweep.factors import Factor, World

EFFECT, TARGET, OWN = "effect", "target", "own"
DETAIL = ("count", "case", "year", "importer", "group", "product", "exporter")
TRIES = 3


@dataclass(frozen=True)
class Outputs:
    """What of the results each row keeps.

    Attributes
    ----------
    variables
        Names of `accounts.VARIABLES`, and ``target`` (one where turnover reaches it).
    years
        Years.
    groups
        Whether product groups are kept apart instead of added up.
    """

    variables: tuple[str, ...]
    years: tuple[int, ...]
    groups: bool = False


@dataclass(frozen=True)
class Task:
    """Some rows of a sweep, and all that a worker needs to evaluate them.

    Attributes
    ----------
    calibration
        Calibration folder; None for the one that comes with the worker's tradesim.
    identity
        Hashes of code and calibration, so that no worker uses others.
    scenario
        Scenario as JSON text.
    seed, factors, outputs
        Of the sweep.
    start
        Number of the first row.
    points
        Rows of the design, (row, factor).
    noise
        Their rows in the table of chance; None where what is not swept stands in its middle.
    alone
        Whether this process uses one thread only.
    """

    calibration: str | None
    identity: tuple[str, str]
    scenario: str
    seed: int
    factors: tuple[Factor, ...]
    outputs: Outputs
    start: int
    points: Array
    noise: NDArray[np.int64] | None
    alone: bool = False

    def part(self, rows: slice) -> Task:
        """Take some rows of the task."""
        noise = None if self.noise is None else self.noise[rows]
        return replace(self, start=self.start + rows.start, points=self.points[rows], noise=noise)


@dataclass(frozen=True)
class Result:
    """What became of a task.

    Attributes
    ----------
    start
        Number of the first row.
    inputs
        Values of the factors in their units, (row, factor).
    outputs
        Outputs, (row, output); NaN in failed rows.
    failed
        Number and reason of each failed row.
    """

    start: int
    inputs: Array
    outputs: Array
    failed: tuple[tuple[int, str], ...] = ()


def identity(folder: Path) -> tuple[str, str]:
    """Name the code that evaluates and a calibration, to see that workers have the same."""
    return program(), hash_of(json.dumps(calibration_hashes(folder), sort_keys=True))


def hash_of(text: str) -> str:
    """Short hash of a text."""
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=4)
def _world(calibration: str | None, wanted: tuple[str, str], scenario: str, seed: int) -> World:
    folder = calibration_folder() if calibration is None else Path(calibration)
    if (found := identity(folder)) != wanted:
        raise TradesimError(f"a worker has another calibration or another tradesim {found} than "
                            f"the sweep {wanted}; install the same on every machine")
    return World(load_baseline(folder), Scenario.model_validate_json(scenario), seed)


def evaluate(task: Task) -> Result:
    """Evaluate a task; rows that fail are found, named and left as NaN.

    A task that fails is tried again twice, then halved until the rows at fault are alone.
    """
    world = _world(task.calibration, task.identity, task.scenario, task.seed)
    size = BLOCK if task.alone else len(task.points)
    parts = [_careful(world, task.part(slice(first, min(first + size, len(task.points)))), TRIES)
             for first in range(0, len(task.points), size)]
    return _joined(parts)


def _joined(parts: Sequence[Result]) -> Result:
    return Result(parts[0].start, np.concatenate([part.inputs for part in parts]),
                  np.concatenate([part.outputs for part in parts]),
                  tuple(failure for part in parts for failure in part.failed))


def _careful(world: World, task: Task, tries: int) -> Result:
    reason = ""
    for _ in range(tries):
        try:
            return _evaluated(world, task)
        except Exception as error:  # whatever it is, the sweep goes on and the row is reported
            reason = f"{type(error).__name__}: {error}".replace("\n", "; ")
    rows = len(task.points)
    if rows == 1:
        shape = (1, len(labels(world, task.outputs)))
        return Result(task.start, _inputs(world, task), np.full(shape, np.nan),
                      ((task.start, reason),))
    half = rows // 2
    return _joined([_careful(world, task.part(part), 1)
                    for part in (slice(0, half), slice(half, rows))])


def _inputs(world: World, task: Task) -> Array:
    try:
        drawn = world.draws(task.factors, task.points, task.noise)
        acting = world.switches(task.factors, task.points, drawn, task.noise is not None)
        return world.values(task.factors, task.points, drawn, acting)
    except Exception:  # the draws themselves failed: the points say where
        return np.array(task.points)


def _evaluated(world: World, task: Task) -> Result:
    drawn = world.draws(task.factors, task.points, task.noise)
    acting = world.switches(task.factors, task.points, drawn, task.noise is not None)
    cases = {REFERENCE: dict.fromkeys(acting, np.array(0.0)), SCENARIO: acting}
    dataset = simulate(world.base, world.scenario, drawn, cases)
    outputs = _table(world, dataset, task.outputs)
    lost = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    outputs[lost] = np.nan
    failed = tuple((task.start + int(row), "the result is not a finite number") for row in lost)
    values = world.values(task.factors, task.points, drawn, acting)
    return Result(task.start, values, outputs, failed)


def _table(world: World, dataset: xr.Dataset, outputs: Outputs) -> Array:
    """Lay out the outputs by row, in the order of `labels`."""
    years = [list(dataset["year"].values).index(year) for year in outputs.years]
    columns = []
    for name in outputs.variables:
        source = dataset["turnover" if name == TARGET else name].transpose("draw", ...)
        array = source.isel(year=years)
        values, dims = array.to_numpy(), list(array.dims)
        if "group" in dims and not outputs.groups:
            # Added one after the other: the same last bit whatever the number of rows.
            values = reduce(np.add, np.moveaxis(values, dims.index("group"), 0))
            dims.remove("group")
        if name == TARGET:
            place = list(dataset["count"].values).index(world.base.pair.target_count)
            values = values.take([place], axis=dims.index("count"))
            values = (values >= world.scenario.target_usd).astype(float)
        at = dims.index("case")
        first, second = (values.take([index], axis=at) for index in (0, 1))
        if name in VARIABLES and VARIABLES[name].change:
            values = second
        elif name != TARGET:
            values = np.concatenate([first, second, second - first], axis=at)
        columns.append(values.reshape(len(values), -1))
    return np.concatenate(columns, axis=1)


@dataclass(frozen=True)
class Label:
    """An output column: its name, what it is and its unit."""

    name: str
    title: str
    unit: str


def labels(world: World, outputs: Outputs) -> list[Label]:
    """Output columns, named ``variable|count|case|year`` and what else the variable has."""
    return [label for name in outputs.variables for label in _labels(world.base, name, outputs)]


def _labels(base: Baseline, name: str, outputs: Outputs) -> Iterator[Label]:
    pair = base.pair
    variable = VARIABLES["turnover" if name == TARGET else name]
    title, unit = variable.title, variable.unit
    cases: tuple[str, ...] = (REFERENCE, SCENARIO, EFFECT)
    counts = tuple(pair.counts)
    if name == TARGET:
        title, unit, cases = "Turnover reaches the target", "0 no, 1 yes", cases[:2]
        counts = (pair.target_count,)
    elif variable.change:
        cases = cases[2:]
    known: dict[str, Sequence[object]] = {
        "count": counts, "case": cases, "year": outputs.years, "importer": pair.importers,
        "group": tuple(pair.groups), "product": balances(pair, base.parameters),
        "exporter": pair.exporters}
    dims = [dim for dim in DETAIL if dim in variable.dims and (dim != "group" or outputs.groups)]
    head = [name] if "count" in dims else [name, OWN]
    for parts in product(*(known[dim] for dim in dims)):
        yield Label("|".join([*head, *map(str, parts)]), title, unit)
