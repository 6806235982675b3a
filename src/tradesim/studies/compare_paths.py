"""Scenarios of a comparison beside each other: which are alike, differ most, or hold others."""

from __future__ import annotations

import json

import numpy as np

from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.studies.compare import CASES, TIE, Comparison, ranked

SAME = 1e-5
"""Relative difference above which two paths are not the same path."""


def alike(comparison: Comparison) -> dict[str, list[str]]:
    """For each scenario, those before it in `ranked` with the same turnover in every draw."""
    found: dict[str, list[str]] = {}
    for name in ranked(comparison):
        paths = [comparison.levels("turnover", name, case, count=comparison.count)
                 for case in CASES]
        found[name] = [other for other in found if all(
            np.allclose(path, comparison.levels("turnover", other, case, count=comparison.count),
                        rtol=SAME, atol=0.0) for path, case in zip(paths, CASES, strict=True))]
    return found


def most_different(comparison: Comparison, most: int) -> list[str]:
    """Policies whose average paths if implemented differ most, in the order of `ranked`.

    The first moves turnover most; each further one is the farthest, by the largest difference in
    any year, from the baseline and all chosen before it. Paths that do not differ are left out.
    """
    paths = {name: comparison.change("turnover", name, IMPLEMENTED,
                                     count=comparison.count).mean(axis=0)
             for name in comparison.policies}
    apart = {name: float(np.abs(path).max()) for name, path in paths.items()}
    chosen: list[str] = []
    while len(chosen) < min(most, len(paths)):
        one = max(apart, key=lambda name: apart[name])
        if apart.pop(one) <= TIE:
            break
        chosen.append(one)
        apart = {name: min(far, float(np.abs(paths[name] - paths[one]).max()))
                 for name, far in apart.items()}
    return [name for name in ranked(comparison) if name in chosen]


def trough(comparison: Comparison, name: str) -> tuple[int, int | None]:
    """Year in which an event moves average turnover most, and the first after it with half of that.

    None where half of it or more remains to the last year.
    """
    path = np.abs(comparison.change("turnover", name, SCENARIO,
                                    count=comparison.count).mean(axis=0))
    worst = int(path.argmax())
    half = next((year for year, size in zip(comparison.years[worst:], path[worst:], strict=True)
                 if size <= path[worst] / 2), None)
    return comparison.years[worst], half if path[worst] else None


def contained(comparison: Comparison) -> dict[str, list[str]]:
    """For each scenario, those whose levers and settings it holds too, and more."""
    def parts(name: str) -> set[str]:
        scenario = comparison.scenario(name)
        levers = {json.dumps([lever, settings], sort_keys=True)
                  for lever, settings in scenario["levers"].items()}
        return levers | {json.dumps(item) for item in scenario["parameters"].items()}

    by_name = {name: parts(name) for name in comparison.packages}
    return {name: [other for other, less in by_name.items() if less and less < own]
            for name, own in by_name.items()}


def moved_reference(comparison: Comparison) -> list[str]:
    """Scenarios whose path without policy is not the baseline's, because they set parameters."""
    base = comparison.levels("turnover", comparison.baseline, REFERENCE)
    return [name for name in comparison.packages if not np.allclose(
        comparison.levels("turnover", name, REFERENCE), base, rtol=SAME, atol=0.0)]
