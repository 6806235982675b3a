"""What a sweep is to do, from options or a file: factors, groups, design, outputs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import calibration_folder
from tradesim.economy.variables import VARIABLES
from tradesim.inputs.distributions import Strict
from tradesim.inputs.growth import NAMED
from tradesim.inputs.scenario import SUFFIXES, Known, named, read_scenario, shipped
from tradesim.inputs.strict_yaml import Document, load_document
from tradesim.simulation.draws import years_of
from tradesim.simulation.model import load_baseline
from tradesim.studies.sweep import METHODS
from tradesim.studies.sweep.design import ORDERED, Design, make
from tradesim.studies.sweep.evaluate import (
    TARGET,
    ChunkTask,
    Label,
    Outputs,
    hash_of,
    identity,
    labels,
)
from tradesim.studies.sweep.factors import CHOSEN, GROWTH, Factor, FactorSpace

DEFAULT_N = {"lhs": 1000, "morris": 20, "sobol": 1024}
DEFAULT_OUTPUTS = ("turnover", "welfare", TARGET)
LEVELS, GRID_LIMIT, SECOND_LIMIT = 5, 100_000, 12
SPARE, ROWS_A_FACTOR = 4, 3
"""Rows beyond the number of factors without which rank correlations are perfect by construction,
and rows for each factor that make them worth reading."""

GROUP = "group:"

_NOT_CONTENT = {"name", "title", "question", "references", "not_modelled", "origins", "draws",
                "seed"}


@dataclass(frozen=True)
class SweepRequest:
    """What a sweep is to do, as asked."""

    scenario: str
    method: str  # one of `sweep.METHODS`
    overrides: tuple[str, ...] = ()  # settings ``key=value`` over the scenario
    n: int | None = None  # rows (lhs), trajectories (morris), base points (sobol)
    over: tuple[str, ...] = ()  # names and patterns of factors; see `FactorSpace.choose`
    variables: tuple[str, ...] = ()
    years: tuple[int, ...] = ()  # all by default
    products: bool = False  # whether product groups are kept apart
    by_group: bool = False  # whether factors are replaced by whole groups (sobol)
    second: bool | None = None  # second-order indices; by default up to `SECOND_LIMIT` factors
    noise: bool = False  # whether what is not swept is drawn at random
    levels: int = LEVELS  # of each factor (grid)
    seed: int | None = None  # of the design and of chance; the scenario's by default
    yes: bool = False  # whether a grid may be very large


@dataclass(frozen=True)
class SweepPlan:
    """A sweep that can be run."""

    request: SweepRequest
    space: FactorSpace
    factors: tuple[Factor, ...]
    groups: Mapping[str, Sequence[int]]  # for each unit of the design its name and columns
    design: Design
    outputs: Outputs
    labels: Sequence[Label]
    calibration: Path | None  # folder; None for the one that comes with tradesim
    identity: Mapping[str, Any]  # everything that decides the numbers
    notes: Sequence[str]  # what was decided for the user, in words

    @cached_property
    def run_id(self) -> str:
        """Name of the sweep by its content."""
        return hash_of(json.dumps(self.identity, sort_keys=True))

    def task(self, alone: bool) -> Callable[[slice], ChunkTask]:
        """Give what makes the task of some rows."""
        scenario = self.space.scenario.model_dump_json()
        folder = None if self.calibration is None else str(self.calibration)
        code = (str(self.identity["program"]), str(self.identity["calibration"]))

        def make_task(rows: slice) -> ChunkTask:
            points, noise = self.design.part(rows)
            return ChunkTask(folder, code, scenario, self.space.seed, self.factors, self.outputs,
                             rows.start, points, noise, alone)
        return make_task


def prepare(request: SweepRequest, calibration: Path | None = None) -> SweepPlan:
    """Check a request and lay out the sweep.

    Raises
    ------
    InputError
        With what is wrong with the request.
    """
    _check_method(request)
    base = load_baseline(calibration or calibration_folder())
    known = Known(base.parameters, base.levers, base.pair)
    scenario = read_scenario(request.scenario, known, request.overrides)
    seed = scenario.seed if request.seed is None else request.seed
    space = FactorSpace(base, scenario, seed)
    outputs = _outputs(request, space)
    factors = tuple(space.choose(request.over, request.by_group, request.method in ORDERED))
    if request.method in ("oat", "morris") and any(item.kind == CHOSEN for item in factors):
        raise InputError([Problem("--over", GROWTH, f"has no order: {request.method} cannot step "
                                  "through it", "take grid, lhs or sobol")])
    groups = _groups(factors, request.by_group)
    notes: list[str] = []
    n = _size(request, notes)
    if request.method == "lhs" and n < len(factors) + SPARE:
        raise InputError([Problem("--n", str(n), f"is too few for {len(factors)} factors: rank "
                                  "correlations need more rows than factors",
                                  f"--n {ROWS_A_FACTOR * len(factors)}, or fewer factors with "
                                  "--over")])
    second = request.second if request.second is not None else len(groups) <= SECOND_LIMIT
    second = second and request.method == "sobol"
    levels = _levels(request, factors) if request.method == "grid" else []
    design = make(request.method, [item.name for item in factors], list(groups.values()), n=n,
                  seed=seed, levels=levels, second=second, noise=request.noise)
    program, data = identity(base.folder)
    content = {
        "scenario": scenario.model_dump(mode="json", exclude=_NOT_CONTENT),
        "program": program, "calibration": data,
        "method": request.method, "n": n, "rows": design.rows, "seed": seed,
        "factors": {item.name: [item.low, item.high] for item in factors},
        "by group": request.by_group, "second order": second, "noise": request.noise,
        "levels": levels, "outputs": asdict(outputs)}
    return SweepPlan(request, space, factors, groups, design, outputs, labels(base, outputs),
                     calibration, json.loads(json.dumps(content)), notes)


def _check_method(request: SweepRequest) -> None:
    if request.method not in METHODS:
        raise InputError([Problem("--method", request.method, "unknown; known: "
                                  + ", ".join(METHODS), nearest(request.method, METHODS))])
    if request.by_group and request.method != "sobol":
        raise InputError([Problem("--by-group", "", "groups of factors are replaced together only "
                                  "by the method sobol")])


def _groups(factors: Sequence[Factor], by_group: bool) -> dict[str, list[int]]:
    """Give the units of the design: columns by the name of a factor, or of its group."""
    groups: dict[str, list[int]] = {}
    for k, factor in enumerate(factors):
        groups.setdefault(f"{GROUP}{factor.group}" if by_group else factor.name, []).append(k)
    return groups


def _outputs(request: SweepRequest, space: FactorSpace) -> Outputs:
    known = (*VARIABLES, TARGET)
    years = years_of(space.base, space.scenario)
    problems = [Problem("--variable", name, f"unknown variable; known: {', '.join(known)}",
                        nearest(name, known)) for name in request.variables if name not in known]
    problems += [Problem("--year", str(year), f"the scenario runs from {years[0]} to {years[-1]}")
                 for year in request.years if year not in years]
    if problems:
        raise InputError(problems)
    return Outputs(tuple(dict.fromkeys(request.variables)) or DEFAULT_OUTPUTS,
                   tuple(sorted(set(request.years))) or years, request.products)


def _size(request: SweepRequest, notes: list[str]) -> int:
    n = request.n or DEFAULT_N.get(request.method, 0)
    least = {"lhs": 10, "morris": 2, "sobol": 8}.get(request.method, 0)
    if n < least:
        raise InputError([Problem("--n", str(n), f"{request.method} needs {least} or more")])
    if request.method == "sobol" and n & (n - 1):
        power = 1 << n.bit_length()
        notes.append(f"n = {n:,} is not a power of two, without which Sobol' points lose their "
                     f"balance; taking {power:,}")
        return power
    for option, given, methods in (("--n", request.n, ("lhs", "morris", "sobol")),
                                   ("--levels", request.levels != LEVELS, ("grid",)),
                                   ("--second-order", request.second, ("sobol",))):
        if given and request.method not in methods:
            notes.append(f"{option} means nothing to {request.method}")
    return n


def _levels(request: SweepRequest, factors: Sequence[Factor]) -> list[int]:
    """Levels of each factor of a grid, which must not be too large."""
    if request.levels < 2:
        raise InputError([Problem("--levels", str(request.levels), "a grid needs two or more")])
    levels = [2 if item.kind in ("lever", "success") else len(NAMED) if item.kind == CHOSEN
              else request.levels for item in factors]
    rows = math.prod(levels)
    if rows > GRID_LIMIT and not request.yes:
        number = f"{rows:,}" if rows < 10**15 else f"10^{len(str(rows)) - 1}"
        raise InputError([Problem("--over", f"{len(levels)} factors", f"a grid of them is {number} "
                                  "runs", "name fewer, lower --levels, take --method lhs, or say "
                                  "--yes")])
    return levels


class SweepFile(Strict):
    """What the file of a sweep may say: options of the command, over a scenario it extends."""

    extends: str  # name of a shipped scenario, or a file beside this one
    method: str
    title: str = ""
    set: list[str] = Field(default_factory=list)
    n: int | None = Field(default=None, gt=0)
    over: list[str] = Field(default_factory=list)
    variables: list[str] = Field(default_factory=list)
    years: list[int] = Field(default_factory=list)
    products: bool = False
    by_group: bool = False
    second_order: bool | None = None
    noise: bool = False
    levels: int = LEVELS
    seed: int | None = Field(default=None, ge=0)


def is_sweep_file(path_or_name: str) -> bool:
    """Whether a path is a file of a sweep rather than a scenario."""
    path = Path(path_or_name)
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    return "method" in load_document(path).data


def read_sweep_file(path: Path) -> SweepRequest:
    """Read and check the file of a sweep.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    document = load_document(path)
    file = document.model(SweepFile, "", document.data, tuple(SweepFile.model_fields))
    if isinstance(file, list):
        raise InputError(file)
    return SweepRequest(
        _scenario(path, file.extends, document), file.method, tuple(file.set), file.n,
        tuple(file.over), tuple(file.variables), tuple(file.years), file.products, file.by_group,
        file.second_order, file.noise, file.levels, file.seed)


def _scenario(path: Path, name: str, document: Document) -> str:
    found = named(path, name)
    if isinstance(found, str):
        raise InputError([document.problem("extends", found)])
    return name if name in shipped() else str(found)
