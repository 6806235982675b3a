"""Which runs can be compared: all problems at once, before anything is simulated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tradesim.common.errors import InputError, Problem, nearest

HINTS = {"draws": "--draws N gives all the same", "seed": "--seed S gives all the same",
         "horizon": "set the same horizon, or align to the shortest with --align",
         "count": "--count NAME gives all the same",
         "calibration": "run all with the same calibration"}


def refuse_same_names(described: Sequence[Mapping[str, Any]]) -> None:
    """Refuse two different runs of one name; `described` as by `results.describe`."""
    known: dict[str, Mapping[str, Any]] = {}
    problems = []
    for attrs in described:
        name = str(json.loads(attrs["scenario"])["name"])
        if str(known.setdefault(name, attrs)["run_id"]) != str(attrs["run_id"]):
            problems.append(_same_name(name, known[name], attrs))
    if problems:
        raise InputError(problems)


def _same_name(name: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> Problem:
    """Say whether two runs of one name are runs of one scenario, and how they differ."""
    first, second = (json.loads(attrs["scenario"]) for attrs in (one, other))
    differ = [key for key in {**first, **second}
              if key != "origins" and first.get(key) != second.get(key)]
    if differ and {*differ} <= {*HINTS}:
        values = ", ".join(f"{key}: {first[key]} and {second[key]}" for key in differ)
        return Problem("compare", name, f"two runs of this scenario differ in {values}",
                       "compare different scenarios, run with the same draws, seed and horizon")
    return Problem("compare", name, "two different scenarios have this name",
                   "rename one of the files")


def among(shown: Sequence[str], packages: Sequence[str]) -> list[str]:
    """Names of the scenarios to draw, as given or as the names of their files.

    Raises
    ------
    InputError
        For one that is not compared.
    """
    names = {name: Path(name).stem if Path(name).stem in packages else name for name in shown}
    problems = [Problem("--show", given, "is not among the scenarios compared: "
                        + ", ".join(packages), nearest(name, packages))
                for given, name in names.items() if name not in packages]
    if problems:
        raise InputError(problems)
    return list(dict.fromkeys(names.values()))


def refuse_closures(described: Sequence[Mapping[str, Any]]) -> None:
    """Refuse runs with a closure: they say nothing of buyers, producers and exporters."""
    asked = {str(scenario["name"]): str(scenario["closure"])
             for scenario in (json.loads(attrs["scenario"]) for attrs in described)}
    problems = [Problem("compare", f"{name}: closure", f"'{closure}' gives real income of all "
                        "together, and a comparison shows who gains", "closure: none")
                for name, closure in asked.items() if closure != "none"]
    if problems:
        raise InputError(problems)


def refuse_different(facts: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse scenarios that cannot be compared, with a problem for each thing that differs.

    `facts` are, by scenario, its draws, seed, horizon, count and calibration, as far as known.
    """
    problems = []
    for key, hint in HINTS.items():
        by_name = {name: of_one[key] for name, of_one in facts.items() if key in of_one}
        if len(set(by_name.values())) > 1:
            shown = _other_files(by_name) if key == "calibration" else by_name
            text = ", ".join(f"{name} {value}" for name, value in shown.items())
            problems.append(Problem("compare", key, f"differs between scenarios: {text}", hint))
    if problems:
        raise InputError(problems)


def _other_files(by_name: Mapping[str, str]) -> dict[str, str]:
    """Name the files in which the calibrations differ from that of the first run."""
    first = json.loads(next(iter(by_name.values())))
    shown = {}
    for name, text in by_name.items():
        own = json.loads(text)
        files = sorted(file for file in {*first, *own} if first.get(file) != own.get(file))
        shown[name] = f"(other {', '.join(files[:3])}{', ...' if len(files) > 3 else ''})" \
            if files else "(as the first)"
    return shown
