"""The whole model: from a baseline, a scenario and draws to results. Read this file first.

1. Base year: purchases, duties, elasticities (`economy`).
2. Reference path: trade without new policy (`reference_path`, equations 2 and 3).
3. Shocks: what each lever does if it succeeds (`lever_shocks`, equation 5).
4. Target: where each year would settle (`Prepared.settle`, equations 4-10).
5. Path: how far trade gets (`Outcome.path`, equation 11).
6. Accounts: levels, revenue, welfare (`Accounts`, equations A1-A11).

`prepare` takes the first three steps, `simulate_block` the others.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from math import nan, prod
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError, InputError, Problem, nearest
from tradesim.common.files import calibration_folder
from tradesim.common.memory import refuse_too_much
from tradesim.common.parallel import each_block
from tradesim.economy.accounts import Accounts, unchanged
from tradesim.economy.costs import policy_cost
from tradesim.economy.levers.registry import check_levers
from tradesim.economy.services import items
from tradesim.economy.variables import ASSUMED, OCCASIONAL, USUAL, VARIABLES, precision
from tradesim.inputs.baseline import Baseline, read_baseline
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, Scenario, read_scenario
from tradesim.reference.gravity import ReferencePath
from tradesim.reference.projection import reference_path
from tradesim.simulation.appraisal import APPRAISED, COUNTED, appraise, has_cost
from tradesim.simulation.appraisal import NAME as APPRAISAL
from tradesim.simulation.arguments import checked
from tradesim.simulation.cases import Patterns
from tradesim.simulation.draws import (
    Cases,
    Draws,
    count_of,
    draw_all,
    standard_cases,
    years_of,
)
from tradesim.simulation.factors import factors, varying
from tradesim.simulation.labels import RESIDUAL, as_dataset, labelled
from tradesim.simulation.outlooks import BY_GROWTH, GDP, REPORTED, as_reported, by_growth, gdp
from tradesim.simulation.portions import (
    WHOLE,
    joined,
    portions,
    refuse_too_full,
    refuse_too_large,
)
from tradesim.simulation.prepared import Before, Prepared, prepare
from tradesim.simulation.results import describe, repeat_command

T = TypeVar("T")

NONTARIFF_CUT = "nontariff_cut"
"""Setting of levers that lower non-tariff cost by an assumed amount."""

BLOCK, FEWEST = 256, 16
"""Draws worked on at once, at most and at least."""

NUMBERS = 1_400_000
"""Numbers in an array of a block: the larger a world, the fewer draws are worked on at once."""

TIMES, FIXED = 3.0, 1.3e9
"""Memory of a portion: bytes of its results, counted so often, and what the program takes."""

SAVED, BESIDE = 1e4, 1.05
"""Bytes of memory that saving takes for a draw, and what the outlooks add to its results."""


def simulate(
    base: Baseline, scenario: Scenario, draws: Draws, cases: Cases | None = None,
    progress: Callable[[int, int], None] | None = None,
    variables: Collection[str] = USUAL,
) -> xr.Dataset:
    """Simulate reference and scenario for every draw.

    Parameters
    ----------
    scenario
        Which levers, with which settings, and the horizon.
    cases
        For each case, a switch by lever: zero or one, scalar or by draw. By default the
        reference (all off), the scenario (each lever fails where its draw says so) and the
        scenario if implemented (all on).
    variables
        Which of `VARIABLES` to compute, by default all but `variables.DETAILED`; and of
        `OCCASIONAL`, which are left out where the scenario has no such part.

    Returns
    -------
    xarray.Dataset
        Those variables, with units, by count, case, draw, year, importer, group and exporter.

    Raises
    ------
    ConvergenceError
        When a market is not solved.
    """
    cases = standard_cases(base, scenario, draws) if cases is None else cases
    names = [name for name in variables if name not in OCCASIONAL]
    uncut = _uncut(base, scenario, draws) if ASSUMED in variables else None

    def work(here: Draws, switches: Cases) -> dict[str, Array]:
        start = prepare(base, scenario, here)
        if uncut is None:
            return simulate_block(base, start, switches, names)
        found = simulate_block(base, start, switches, {*names, "turnover"})
        without = _turnover_without(base, Before(scenario, 0.0, start), uncut, switches)
        assumed = found["turnover"] - without
        asked = {name: found[name] for name in found.keys() & {*names, RESIDUAL}}
        return asked | {ASSUMED: assumed}

    size = block_size(base, scenario, sum(_acts(case) for case in cases.values()))
    parts = _in_blocks(work, draws, cases, size, progress)
    return as_dataset(base, scenario, list(cases), parts, count_of(draws))


def _cuts(base: Baseline, scenario: Scenario) -> dict[str, str]:
    """Dotted names of the assumed cuts of non-tariff cost, by lever."""
    return {lever: f"{lever}.{NONTARIFF_CUT}" for lever in scenario.levers
            if NONTARIFF_CUT in base.levers[lever].settings}


def _uncut(base: Baseline, scenario: Scenario, draws: Draws) -> Scenario | None:
    """Give the scenario for draws without assumed cuts of non-tariff cost; None if there are none.

    Its cuts equal no number, so that their levers are not taken from another scenario.
    """
    cuts = _cuts(base, scenario)
    if not any(np.any(draws[name]) for name in cuts.values()):
        return None
    return scenario.model_copy(update={"levers": {
        lever: {**settings, NONTARIFF_CUT: nan} if lever in cuts else settings
        for lever, settings in scenario.levers.items()}})


def _turnover_without(base: Baseline, before: Before, uncut: Scenario, switches: Cases) -> Array:
    """Turnover of a block when levers cut no non-tariff cost."""
    drawn = before.start.world.draws
    none = {name: np.zeros_like(drawn[name]) for name in _cuts(base, uncut).values()}
    bare = prepare(base, uncut, {**drawn, **none}, before=before)
    return simulate_block(base, bare, switches, ("turnover",))["turnover"]


def block_size(base: Baseline, scenario: Scenario, cases: int = 1) -> int:
    """Draws of a block, so that its memory does not grow with markets, lines, years and cases.

    `cases` are those that pull levers, one beside the other.
    """
    pair = base.pair
    one = (len(pair.importers) * len(pair.exporters) * len(pair.lines)
           * len(years_of(base, scenario)) * max(cases, 1))
    return min(BLOCK, max(FEWEST, NUMBERS // one))


def _in_blocks(work: Callable[[Draws, Cases], T], draws: Draws, cases: Cases, size: int,
               progress: Callable[[int, int], None] | None = None) -> Generator[T, None, None]:
    """Work on the draws and their switches block by block."""
    count = count_of(draws)

    def block(rows: slice) -> T:
        here = {name: values[rows] for name, values in draws.items()}
        switches = {case: {lever: np.broadcast_to(switch, (count,))[rows]
                           for lever, switch in by_lever.items()}
                    for case, by_lever in cases.items()}
        return work(here, switches)

    return each_block(block, count, size, progress)


def simulate_block(base: Baseline, start: Prepared, cases: Cases,
                   names: Collection[str]) -> dict[str, Array]:
    """Settle each case of a block that was prepared and keep accounts: variables by name."""
    draws = start.world.draws
    partial = start.closure is None
    idle = unchanged(start.world, start.levels, start.to_count, names, partial=partial)
    patterns = Patterns.of(cases, start.levels.shape[-1])
    if not patterns.switches:
        return _arranged(patterns, idle, idle, len(cases)) | {RESIDUAL: np.array(0.0)}
    here = patterns.taken(start)
    world = here.world
    try:
        target = here.settle(patterns.switches)
    except ConvergenceError as error:
        raise error.moved(patterns.draw_of) from error
    cost = policy_cost(base.levers, patterns.numbers(draws), start.years, patterns.switches)
    acting = Accounts(world, here.levels, here.to_count, target.change, target.settled,
                      target.path(world), cost, target.macro, target.path_elsewhere(world),
                      partial).get(names)
    return (_arranged(patterns, idle, acting, len(cases))
            | {RESIDUAL: np.array(target.settled.residual)})


def _arranged(patterns: Patterns, idle: Mapping[str, Array], acting: Mapping[str, Array],
              cases: int) -> dict[str, Array]:
    """Every variable with all cases in the order asked for."""
    return {name: np.concatenate([patterns.arranged(values, acting[name], case)
                                  for case in range(cases)],
                                 axis=VARIABLES[name].dims.index("case"))
            for name, values in idle.items()}


def _acts(switches: Mapping[str, Array]) -> bool:
    return any(np.any(switch) for switch in switches.values())


def run(
    path: str | Path, *, calibration: Path | None = None, overrides: Sequence[str] = (),
    draws: int | None = None, seed: int | None = None, count: str | None = None,
    progress: Callable[[int, int], None] | None = None, every: bool = False,
) -> xr.Dataset:
    """Read a scenario, draw, simulate.

    Parameters
    ----------
    path
        A scenario file, or the name of one that comes with tradesim.
    calibration
        Calibration folder; the one that comes with tradesim by default.
    overrides
        Settings ``key=value`` that go before those of the file.
    draws, seed
        Number of draws and seed; those of the scenario by default.
    count
        Whose statistics the headline uses; the target's count by default.
    every
        Whether the draws of every variable will be saved, which takes memory.

    Returns
    -------
    xarray.Dataset
        Results of `simulate`, with everything that identifies the run in its attributes.

    Raises
    ------
    InputError
        With every problem of the first input that has any.
    """
    shipped = calibration_folder()
    base = load_baseline(shipped if calibration is None else calibration)
    scenario, described = ask(base, path, overrides, draws, seed, count)
    if base.folder != shipped:
        described["command"] += f" --calibration {shlex.quote(str(base.folder))}"
    return answer(base, scenario, described, progress, every=every)


def ask(
    base: Baseline, path: str | Path, overrides: Sequence[str] = (), draws: int | None = None,
    seed: int | None = None, count: str | None = None,
) -> tuple[Scenario, dict[str, Any]]:
    """Read a scenario and say what its run will be: the first half of `run`.

    Returns
    -------
    tuple
        The scenario, and everything that identifies its run (`results.describe`).

    Raises
    ------
    InputError
        With every problem of the scenario, or for a count that is not known.
    """
    asked = [*overrides, *(f"{key}={value}" for key, value in (("draws", draws), ("seed", seed))
                           if value is not None)]
    known = Known(base.parameters, base.levers, base.pair)
    scenario = read_scenario(path, known, asked)
    headline = base.pair.target_count if count is None else count
    if headline not in base.pair.counts:
        counts = list(base.pair.counts)
        raise InputError([Problem("--count", headline, f"unknown count; known: {', '.join(counts)}",
                                  nearest(headline, counts))])
    command = repeat_command([str(path)], overrides, draws=draws, seed=seed, count=count)
    return scenario, describe(base, scenario, headline, command)


def answer(
    base: Baseline, scenario: Scenario, described: Mapping[str, Any],
    progress: Callable[[int, int], None] | None = None, variables: Collection[str] | None = None,
    every: bool = False,
) -> xr.Dataset:
    """Draw and simulate: the second half of `run`. One draw stands in the middle of everything.

    With `variables` only these of `VARIABLES` are computed, and ``factors``. `every` says that the
    draws of every variable will be saved.

    Raises
    ------
    InputError
        Where memory or disk are too small for so many draws.
    """
    names = USUAL if variables is None else variables
    each = bytes_of_draw(base, scenario, names)
    refuse_too_much("--draws", min(scenario.draws, WHOLE), TIMES * each, FIXED, "draws")
    refuse_too_much("--draws", scenario.draws, each if every else SAVED, FIXED, "draws")
    refuse_too_full(scenario.draws, BESIDE * each)
    if every:
        refuse_too_large(scenario.draws, max(
            bytes_of_draw(base, scenario, [name]) * np.dtype(precision(name)).itemsize / 8.0
            for name in names))
    cube = Cube.of(scenario.draws, scenario.seed)

    def counted(rows: slice) -> Callable[[int, int], None] | None:
        return progress and (lambda done, _: progress(rows.start + done, scenario.draws))

    parts = (_portion(base, scenario, cube.part(rows), variables, counted(rows))
             for rows in portions(scenario.draws))
    dataset = varying(joined(parts, scenario.draws))
    if variables is None and has_cost(base, scenario):
        dataset[APPRAISAL] = _appraised(base, scenario, cube)
    return labelled(dataset.assign_attrs(described), base.pair)


def _portion(base: Baseline, scenario: Scenario, cube: Cube, variables: Collection[str] | None,
             progress: Callable[[int, int], None] | None) -> xr.Dataset:
    """Answer with some of the draws."""
    numbers = draw_all(base, scenario, cube)
    dataset = simulate(base, scenario, numbers, progress=progress,
                       variables=(*USUAL, ASSUMED) if variables is None else variables)
    ahead = reference_path(base, numbers, years_of(base, scenario))
    dataset["factors"] = factors(base, scenario, numbers, ahead)
    if variables is None:
        _add_to(dataset, base, scenario, numbers, cube, ahead)
    return dataset


def bytes_of_draw(base: Baseline, scenario: Scenario, names: Collection[str]) -> float:
    """Bytes that the results of one draw take."""
    pair = base.pair
    sizes = {"count": len(pair.counts), "case": 3, "year": len(years_of(base, scenario)),
             "importer": len(pair.importers), "group": len(pair.groups),
             "product": len(pair.products), "exporter": len(pair.exporters),
             "country": len(pair.importers), "market": len(pair.exporters),
             "service": len(items(list(base.parameters))), "route": len(pair.routes), "draw": 1}
    return 8.0 * sum(prod(sizes[dim] for dim in VARIABLES[name].dims) for name in names)


def _add_to(dataset: xr.Dataset, base: Baseline, scenario: Scenario, numbers: Draws, cube: Cube,
            ahead: ReferencePath) -> None:
    """Add what a report asks besides the accounts."""
    dataset[BY_GROWTH] = by_growth(base, scenario, numbers)
    dataset[GDP] = gdp(base, years_of(base, scenario), ahead)
    dataset[REPORTED] = as_reported(base, dataset, numbers, cube)


def _appraised(base: Baseline, scenario: Scenario, cube: Cube) -> xr.DataArray:
    """Appraise what costs money on the first draws, simulated to the longest horizon."""
    longest = scenario.model_copy(update={"horizon": base.pair.last_possible})
    numbers = draw_all(base, longest, cube.part(slice(0, min(APPRAISED, cube.draws))))
    return appraise(base, longest, numbers, simulate(base, longest, numbers, variables=COUNTED))


@checked
def load_baseline(folder: str | Path) -> Baseline:
    """Read a calibration folder and check its levers against the kinds that exist."""
    base = read_baseline(Path(folder))
    check_levers(base.levers, base.folder / "levers.yaml", base.pair)
    return base
