"""What is drawn for a run: every uncertain number by name, and which levers act in which case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from tradesim.common.arrays import Array, frozen
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.levers import Choice
from tradesim.inputs.parameters import Cube, Parameter, draw
from tradesim.inputs.scenario import Scenario
from tradesim.reference.projection import path_draws

Draws = Mapping[str, Array]
Cases = Mapping[str, Mapping[str, Array]]
"""For each case, a switch by lever: zero or one, scalar or by draw."""

REFERENCE, SCENARIO, IMPLEMENTED = "reference", "scenario", "if_implemented"


def years_of(base: Baseline, scenario: Scenario) -> tuple[int, ...]:
    """Projected years: from the one after the fitted data to the scenario's horizon."""
    return tuple(range(base.history.years[-1] + 1, scenario.horizon + 1))


def every_fifth(years: Sequence[int]) -> list[int]:
    """Years that a table has room for: every fifth and the last."""
    return [year for year in years if year % 5 == 0 or year == years[-1]]


def count_of(draws: Draws) -> int:
    """Count the draws."""
    return len(next(iter(draws.values())))


def draw_all(base: Baseline, scenario: Scenario, cube: Cube,
             before: tuple[Scenario, Draws] | None = None,
             given: Mapping[str, Array] | None = None) -> dict[str, Array]:
    """Draw everything that is uncertain: one mapping of arrays, first axis ``draw``.

    Parameters
    ----------
    scenario
        Settings and parameters it fixes are not drawn.
    cube
        Where the draws come from.
    before
        Another scenario and what was drawn for it from the same cube, to be taken where it is
        the same.
    given
        Numbers by name that take the place of drawn ones, and of what the scenario sets.

    Returns
    -------
    dict
        Parameters, table cells and settings by dotted name; rows of the posterior
        (``posterior.*``), drawn whole so that their correlations stay; innovations of the
        projection (``innovation.*``); the path of GDP (``growth.*``); and for each lever
        ``success`` and ``lifetime``.
    """
    numbers, set_here = _numbers(base, scenario)
    fixed: dict[str, float | Array] = {**set_here, **(given or {})}
    known = {} if before is None else _known(base, *before, numbers, set_here)
    left = {name: item for name, item in numbers.items() if name not in known}
    fresh = draw(left, cube, {name: value for name, value in fixed.items()
                              if name not in known or name not in numbers})
    values = {name: known[name] if name in known else fresh[name] for name in numbers}
    values |= path_draws(base, cube, years_of(base, scenario), scenario.growth)
    for name in scenario.levers:
        values |= {key: cube.column(key) for key in (f"{name}.success", f"{name}.lifetime")
                   if key.endswith("lifetime") or not base.levers[name].follows}
    consent = [f"{name}.success" for name in scenario.levers
               if base.levers[name].needs_consent and not base.levers[name].follows]
    values |= together({name: values[name] for name in consent}, cube.column("politics.common"),
                       values["politics.correlation"])
    values |= {f"{name}.success": values[f"{first}.success"] for name in scenario.levers
               if (first := base.levers[name].follows)}
    return {name: array if name in known else frozen(array) for name, array in values.items()}


def _numbers(base: Baseline, scenario: Scenario) -> tuple[dict[str, Parameter], dict[str, float]]:
    """Parameters and settings of levers, and the values that a scenario gives some of them."""
    numbers = {name: item for name, item in base.parameters.items() if not item.calibrated}
    fixed = dict(scenario.parameters)
    for name, chosen in scenario.levers.items():
        lever = base.levers[name]
        numbers |= lever.parameters
        fixed |= {f"{name}.{key}": float(value) for key, value in chosen.items()
                  if not isinstance(lever.settings[key], Choice)}
    return numbers, fixed


def _known(base: Baseline, old: Scenario, drawn: Draws, numbers: Mapping[str, Parameter],
           fixed: Mapping[str, float]) -> dict[str, Array]:
    """Numbers that another scenario left to chance, or set, as this one does."""
    before, were = _numbers(base, old)
    return {name: drawn[name] for name in numbers
            if name in before and fixed.get(name) == were.get(name)}


def happening(base: Baseline, draws: Draws, lever: str) -> Array:
    """One in the draws in which a lever succeeds, else zero; a later stage needs the first."""
    comes = (draws[f"{lever}.success"] < draws[f"{lever}.probability"]).astype(float)
    first = base.levers[lever].follows
    return comes * happening(base, draws, first) if first else comes


def together(columns: Mapping[str, Array], common: Array, correlation: Array) -> dict[str, Array]:
    r"""Make uniform numbers that rise and fall together, each still uniform (equation P2).

    .. math:: u'_l = \Phi\bigl(\sqrt{r}\,\Phi^{-1}(f) + \sqrt{1 - r}\,\Phi^{-1}(u_l)\bigr)

    Parameters
    ----------
    columns
        Independent uniform numbers :math:`u` by name.
    common
        Uniform number :math:`f` that they share.
    correlation
        Correlation :math:`r` of the normal scores of any two; where it is zero nothing changes.
    """
    shared = np.sqrt(correlation) * ndtri(common)
    return {name: np.where(correlation > 0.0,
                           ndtr(shared + np.sqrt(1.0 - correlation) * ndtri(own)), own)
            for name, own in columns.items()}


def standard_cases(base: Baseline, scenario: Scenario,
                   draws: Draws) -> dict[str, dict[str, Array]]:
    """Give the reference, the scenario with its risks, and with every lever implemented."""
    on, off = np.array(1.0), np.array(0.0)
    happens = {lever: happening(base, draws, lever) for lever in scenario.levers}
    return {REFERENCE: dict.fromkeys(happens, off), SCENARIO: happens,
            IMPLEMENTED: dict.fromkeys(happens, on)}
