"""What is drawn for a run: every uncertain number by name, and which levers act in which case."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, frozen
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.levers import Choice
from tradesim.inputs.parameters import Cube, draw
from tradesim.inputs.scenario import Scenario
from tradesim.reference.projection import path_draws

Draws = Mapping[str, Array]
Cases = Mapping[str, Mapping[str, Array]]
"""For each case, a switch by lever: zero or one, scalar or by draw."""

REFERENCE, SCENARIO, IMPLEMENTED = "reference", "scenario", "if_implemented"


def years_of(base: Baseline, scenario: Scenario) -> tuple[int, ...]:
    """Projected years: from the one after the fitted data to the scenario's horizon."""
    return tuple(range(base.history.years[-1] + 1, scenario.horizon + 1))


def draw_all(base: Baseline, scenario: Scenario, cube: Cube) -> dict[str, Array]:
    """Draw everything that is uncertain: one mapping of arrays, first axis ``draw``.

    Parameters
    ----------
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
        luck = base.levers[name].follows or name
        values |= {f"{name}.success": cube.column(f"{luck}.success"),
                   f"{name}.lifetime": cube.column(f"{name}.lifetime")}
    return {name: frozen(array) for name, array in values.items()}


def happens(base: Baseline, draws: Draws, name: str) -> NDArray[np.bool_]:
    """Draws in which a lever comes; a later stage comes only where the one before it does."""
    comes = draws[f"{name}.success"] < draws[f"{name}.probability"]
    before = base.levers[name].follows
    return np.asarray(comes & happens(base, draws, before) if before else comes)


def standard_cases(base: Baseline, scenario: Scenario,
                   draws: Draws) -> dict[str, dict[str, Array]]:
    """Give the reference, the scenario with its risks, and with every lever implemented."""
    on, off = np.array(1.0), np.array(0.0)
    comes = {lever: happens(base, draws, lever).astype(float) for lever in scenario.levers}
    return {REFERENCE: dict.fromkeys(comes, off), SCENARIO: comes,
            IMPLEMENTED: dict.fromkeys(comes, on)}
