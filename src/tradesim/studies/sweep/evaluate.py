"""One chunk of a sweep: rows of a design in, values of factors and outputs out.

`evaluate` is what workers run, here or on another machine. It needs nothing but its task, and
gives the same bits however the rows of a sweep are cut into tasks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from hashlib import sha256
from itertools import product
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import TradesimError
from tradesim.common.files import calibration_folder, program
from tradesim.common.parallel import blocks
from tradesim.economy.variables import VARIABLES
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import REFERENCE, SCENARIO
from tradesim.simulation.manifest import calibration_hashes
from tradesim.simulation.model import block_size, load_baseline, simulate
from tradesim.studies.sweep.factors import Factor, FactorSpace

EFFECT, TARGET, OWN = "effect", "target", "own"
DETAIL = ("count", "case", "year", "importer", "group", "product", "exporter")
TRIES = 3


@dataclass(frozen=True)
class Outputs:
    """What of the results each row keeps: `variables.VARIABLES`, or ``target`` (one if reached)."""

    variables: tuple[str, ...]
    years: tuple[int, ...]
    groups: bool = False  # whether product groups are kept apart instead of added up

    @property
    def needed(self) -> set[str]:
        """Variables that have to be computed."""
        return {"turnover" if name == TARGET else name for name in self.variables}


@dataclass(frozen=True)
class ChunkTask:
    """Some rows of a sweep, and all that a worker needs to evaluate them."""

    calibration: str | None  # folder; None for the one that comes with the worker's tradesim
    identity: tuple[str, str]  # hashes of code and calibration, so that no worker uses others
    scenario: str  # as JSON text
    seed: int
    factors: tuple[Factor, ...]
    outputs: Outputs
    start: int  # number of the first row
    points: Array  # rows of the design, (row, factor)
    noise: NDArray[np.int64] | None  # rows of the random table; None: its middle
    alone: bool = False  # whether this process uses one thread only

    def part(self, rows: slice) -> ChunkTask:
        """Take some rows of the task."""
        noise = None if self.noise is None else self.noise[rows]
        return replace(self, start=self.start + rows.start, points=self.points[rows], noise=noise)


@dataclass(frozen=True)
class ChunkResult:
    """What became of a task."""

    start: int  # number of the first row
    inputs: Array  # values of the factors in their units, (row, factor)
    outputs: Array  # (row, output); NaN in failed rows
    failed: tuple[tuple[int, str], ...] = ()  # number and reason of each failed row


def identity(folder: Path) -> tuple[str, str]:
    """Name the code that evaluates and a calibration, to see that workers have the same."""
    return program(), hash_of(json.dumps(calibration_hashes(folder), sort_keys=True))


def hash_of(text: str) -> str:
    """Short hash of a text."""
    return sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=4)
def _factor_space(calibration: str | None, expected: tuple[str, str], scenario: str,
                  seed: int) -> FactorSpace:
    folder = calibration_folder() if calibration is None else Path(calibration)
    if (own := identity(folder)) != expected:
        raise TradesimError(f"a worker has another calibration or another tradesim {own} than "
                            f"the sweep {expected}; install the same on every machine")
    return FactorSpace(load_baseline(folder), Scenario.model_validate_json(scenario), seed)


def evaluate(task: ChunkTask) -> ChunkResult:
    """Evaluate a task; rows that fail are found, named and left as NaN.

    A task that fails is tried again twice, then halved until the rows at fault are alone.
    """
    space = _factor_space(task.calibration, task.identity, task.scenario, task.seed)
    rows = len(task.points)
    return _joined([_evaluate_part(space, task.part(part), TRIES)
                    for part in blocks(rows, _alone(space) if task.alone else rows)])


def _alone(space: FactorSpace) -> int:
    """Rows that a process with one thread takes at once."""
    return block_size(space.base, space.scenario)


def _joined(parts: Sequence[ChunkResult]) -> ChunkResult:
    return ChunkResult(parts[0].start, np.concatenate([part.inputs for part in parts]),
                       np.concatenate([part.outputs for part in parts]),
                       tuple(failure for part in parts for failure in part.failed))


def _evaluate_part(space: FactorSpace, task: ChunkTask, tries: int) -> ChunkResult:
    reason = ""
    for _ in range(tries):
        try:
            return _simulated(space, task)
        except Exception as error:  # whatever it is, the sweep goes on and the row is reported
            reason = f"{type(error).__name__}: {error}".replace("\n", "; ")
    rows = len(task.points)
    if rows > 1:
        return _joined([_evaluate_part(space, task.part(part), 1)
                        for part in (slice(0, rows // 2), slice(rows // 2, rows))])
    try:
        inputs = space.rows(task.factors, task.points, task.noise)[2]
    except Exception:  # the draws themselves failed: the points say where
        inputs = np.array(task.points)
    outputs = np.full((1, len(labels(space.base, task.outputs))), np.nan)
    return ChunkResult(task.start, inputs, outputs, ((task.start, reason),))


def _simulated(space: FactorSpace, task: ChunkTask) -> ChunkResult:
    drawn, acting, values = space.rows(task.factors, task.points, task.noise)
    cases = {REFERENCE: dict.fromkeys(acting, np.array(0.0)), SCENARIO: acting}
    dataset = simulate(space.base, space.scenario, drawn, cases,
                       variables=task.outputs.needed)
    outputs = output_columns(space.base, dataset, task.outputs, space.scenario.target_usd)
    lost = np.flatnonzero(~np.isfinite(outputs).all(axis=1))
    outputs[lost] = np.nan
    return ChunkResult(task.start, values, outputs, tuple(
        (task.start + int(row), "the result is not a finite number") for row in lost))


def output_columns(base: Baseline, dataset: xr.Dataset, outputs: Outputs,
                   target_usd: float) -> Array:
    """Lay out the outputs by row, in the order of `labels`; the target is on its official count."""
    columns = []
    for name in outputs.variables:
        array = dataset["turnover" if name == TARGET else name].sel(year=list(outputs.years))
        if name == TARGET:
            reached = array.sel(count=[base.pair.target_count]) >= target_usd
            array = reached.astype(float)
        array = array.transpose("draw", ...)
        values, dims = array.to_numpy(), list(array.dims)
        if "group" in dims and not outputs.groups:
            # Added one after the other: the same last bit whatever the number of rows.
            values = reduce(np.add, np.moveaxis(values, dims.index("group"), 0))
            dims.remove("group")
        case = dims.index("case")
        if name in VARIABLES and VARIABLES[name].change:
            values = values.take([1], axis=case)
        elif name != TARGET:
            values = np.concatenate([values, np.diff(values, axis=case)], axis=case)
        columns.append(values.reshape(len(values), -1))
    return np.concatenate(columns, axis=1)


@dataclass(frozen=True)
class Label:
    """An output column: its name, what it is and its unit."""

    name: str
    title: str
    unit: str


def labels(base: Baseline, outputs: Outputs) -> list[Label]:
    """Output columns, named ``variable|count|case|year`` and what else the variable has."""
    return [label for name in outputs.variables for label in _labels(base, name, outputs)]


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
        "group": tuple(pair.groups), "product": tuple(pair.products),
        "exporter": pair.exporters}
    dims = [dim for dim in DETAIL if dim in variable.dims and (dim != "group" or outputs.groups)]
    head = [name] if "count" in dims else [name, OWN]
    for parts in product(*(known[dim] for dim in dims)):
        yield Label("|".join([*head, *map(str, parts)]), title, unit)
