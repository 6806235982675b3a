"""The whole model on one screen: from a baseline, a scenario and draws to results.

Read `simulate` first.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array, frozen
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import calibration_folder
from tradesim.common.parallel import by_block
from tradesim.economy.accounts import VARIABLES, account
from tradesim.economy.costs import policy_cost
from tradesim.economy.equilibrium import no_change
from tradesim.economy.levers.checks import check_levers
from tradesim.economy.self_sufficiency import balances
from tradesim.economy.shocks import resolve
from tradesim.inputs.baseline import Baseline, read_baseline
from tradesim.inputs.levers import Choice
from tradesim.inputs.parameters import Cube, draw
from tradesim.inputs.scenario import Known, Scenario, read_scenario
from tradesim.reference.projection import path_draws, reference_path
from tradesim.simulation.factors import factors
from tradesim.simulation.results import IMPLEMENTED, REFERENCE, SCENARIO, describe, repeat_command
from tradesim.simulation.situation import Cases, Draws, situation, years_of

BLOCK = 256
"""Draws worked on at once: their arrays stay in the processor's cache."""

ORDER = ("count", "case", "draw", "year", "importer", "group", "product", "exporter")  # of results


def simulate(
    base: Baseline, scenario: Scenario, draws: Draws, cases: Cases | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Simulate reference and scenario for every draw.

    Parameters
    ----------
    base
        The baseline.
    scenario
        Which levers, with which settings, and the horizon.
    draws
        Drawn numbers by name, first axis ``draw``; from `draw_all`.
    cases
        For each case, a switch by lever: zero or one, scalar or by draw. By default the
        reference (all off), the scenario (each lever fails where its draw says so) and the
        scenario if implemented (all on).
    progress
        Called with draws done and draws in all.

    Returns
    -------
    xarray.Dataset
        `VARIABLES`, with units, by count, case, draw, year, importer, group and exporter.

    Raises
    ------
    ConvergenceError
        When a market is not solved.
    """
    cases = standard_cases(scenario, draws) if cases is None else cases
    count = len(next(iter(draws.values())))

    def block(rows: slice) -> dict[str, Array]:
        here = {name: values[rows] for name, values in draws.items()}
        switches = {case: {lever: np.broadcast_to(switch, (count,))[rows]
                           for lever, switch in by_lever.items()}
                    for case, by_lever in cases.items()}
        return _simulate_block(base, scenario, here, switches)

    return _dataset(base, scenario, list(cases), by_block(block, count, BLOCK, progress))


def _simulate_block(base: Baseline, scenario: Scenario, draws: Draws,
                    cases: Cases) -> dict[str, Array]:
    start = situation(base, scenario, draws)
    world, levels = start.world, start.levels
    policies = {name: case for name, case in cases.items() if _acts(case)}
    idle = account(world, levels, start.to_count, resolve(world, []), no_change(levels),
                   np.zeros_like(levels))
    if not policies:
        return _arrange(cases, {}, {}, idle) | {"max_residual": np.array(0.0)}
    found = start.settle(policies)
    acting = account(world, levels, start.to_count, found.change, found.settled,
                     found.path(world),
                     policy_cost(base.levers, draws, start.years, policies))
    return (_arrange(cases, policies, acting, idle)
            | {"max_residual": np.array(found.settled.residual)})


def standard_cases(scenario: Scenario, draws: Draws) -> dict[str, dict[str, Array]]:
    """Give the reference, the scenario with its risks, and with every lever implemented."""
    on, off = np.array(1.0), np.array(0.0)
    happens = {lever: (draws[f"{lever}.success"] < draws[f"{lever}.probability"]).astype(float)
               for lever in scenario.levers}
    return {REFERENCE: dict.fromkeys(happens, off), SCENARIO: happens,
            IMPLEMENTED: dict.fromkeys(happens, on)}


def draw_all(base: Baseline, scenario: Scenario, cube: Cube) -> dict[str, Array]:
    """Draw everything that is uncertain: one mapping of arrays, first axis ``draw``.

    Parameters
    ----------
    base
        The baseline.
    scenario
        Settings and parameters it fixes are not drawn.
    cube
        Where the draws come from.

    Returns
    -------
    dict
        Parameters, table cells and settings by dotted name; rows of the posterior
        (``posterior.*``), drawn whole so that their correlations stay; innovations of the
        projection (``innovation.*``); and for each lever ``success`` and ``lifetime``.
    """
    years = years_of(base, scenario)
    numbers = {name: item for name, item in base.parameters.items() if not item.calibrated}
    fixed = dict(scenario.parameters)
    for name, chosen in scenario.levers.items():
        lever = base.levers[name]
        numbers |= lever.parameters
        fixed |= {f"{name}.{key}": float(value) for key, value in chosen.items()
                  if not isinstance(lever.settings[key], Choice)}
    values = draw(numbers, cube, fixed)
    values |= path_draws(base, cube, years, scenario.specification)
    for name in scenario.levers:
        values |= {key: cube.column(key) for key in (f"{name}.success", f"{name}.lifetime")}
    return {name: frozen(array) for name, array in values.items()}


def _acts(switches: Mapping[str, Array]) -> bool:
    return any(np.any(switch) for switch in switches.values())


def _arrange(cases: Cases, policies: Cases, acting: Mapping[str, Array],
             idle: Mapping[str, Array]) -> dict[str, Array]:
    """Put the solved cases and the unchanged ones in the order asked for."""
    place = list(policies)
    arranged = {}
    for name, variable in VARIABLES.items():
        at = variable.dims.index("case")
        arranged[name] = np.concatenate(
            [acting[name].take([place.index(case)], axis=at) if case in policies else idle[name]
             for case in cases], axis=at)
    return arranged


def _dataset(base: Baseline, scenario: Scenario, cases: list[str],
             parts: Sequence[Mapping[str, Array]]) -> xr.Dataset:
    pair = base.pair
    variables = {}
    for name, variable in VARIABLES.items():
        at = variable.dims.index("draw")
        array = np.concatenate([part[name] for part in parts], axis=at)
        variables[name] = (variable.dims, array,
                           {"units": variable.unit, "long_name": variable.title})
    coordinates = _coordinates(tuple(pair.counts), tuple(cases), years_of(base, scenario),
                               pair.importers, tuple(pair.groups),
                               balances(pair, base.parameters), pair.exporters)
    residual = max(float(part["max_residual"]) for part in parts)
    dataset = xr.Dataset(variables, coordinates, {"max_residual": residual})
    return dataset.transpose(*ORDER, missing_dims="ignore")


@cache
def _coordinates(*labels: tuple[str | int, ...]) -> xr.Coordinates:
    names = ("count", "case", "year", "importer", "group", "product", "exporter")
    coordinates = dict(zip(names, (list(values) for values in labels), strict=True))
    return xr.Dataset(coords=coordinates).coords


def run(
    path: str | Path, *, calibration: Path | None = None, overrides: Sequence[str] = (),
    draws: int | None = None, seed: int | None = None, count: str | None = None,
    progress: Callable[[int, int], None] | None = None,
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
    progress
        Called with draws done and draws in all.

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
    return answer(base, scenario, described, progress)


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
    known = Known(base.parameters, base.levers, base.pair, base.specifications)
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
    progress: Callable[[int, int], None] | None = None,
) -> xr.Dataset:
    """Draw and simulate: the second half of `run`. One draw stands in the middle of everything."""
    cube = Cube.point() if scenario.draws == 1 else Cube.random(scenario.draws, scenario.seed)
    numbers = draw_all(base, scenario, cube)
    dataset = simulate(base, scenario, numbers, progress=progress)
    ahead = reference_path(base, numbers, years_of(base, scenario))
    dataset["factors"] = factors(base, scenario, numbers, ahead)
    return dataset.assign_attrs(described)


def load_baseline(folder: Path) -> Baseline:
    """Read a calibration folder and check its levers against the kinds that exist."""
    base = read_baseline(folder)
    check_levers(base.levers, Path(folder) / "levers.yaml", base.pair)
    return base
