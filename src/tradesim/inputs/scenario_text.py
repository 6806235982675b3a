"""A scenario in words: resolved with origins, against the reference, and as a file to fill in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tradesim.common.errors import InputError, Problem
from tradesim.common.files import unless_changed
from tradesim.common.output import whole_file
from tradesim.inputs.distributions import Fixed
from tradesim.inputs.levers import LEVERS_FILE, Choice, Lever
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.inputs.scenario import DRAWS, SEED, Scenario, find, shipped
from tradesim.inputs.scenario_schema import Known
from tradesim.inputs.strict_yaml import load_document

_FIELDS = ("title", "question", "answers", "levers", "parameters", "growth", "closure",
           "imbalances", "horizon", "draws", "seed", "target_usd", "references", "not_modelled")

ON, OFF = "on", "off"
NONE = "–"
DIGITS, EXACT = 3, 10

STARTER = """\
# A scenario for tradesim. Check it with: tradesim check {file}

# Everything of this scenario is taken over; what stands below replaces it.
extends: {extends}
title: {title}
question: What would change, by how much, and for whom?

# What the brief of the report answers, up to three in this order; by default what the levers
# raise (docs/howto/add-a-scenario.md lists what there is).
# answers: [trade, target]

# Levers to pull. Take away the '# ' of 'levers:', of a lever and of each setting you
# want to change, and fill in a value. 'NAME: {{}}' takes a lever's defaults, and
# 'NAME: null' removes one that the parent pulls.
# levers:
{levers}

# Numbers to take as given instead of drawn.
# parameters:
#   adjustment.speed: 0.35

# Growth of both economies: published forecasts, record (the rule that was tested on the past),
# decade (as in the last ten years), or rates by country, {{CODE: 5}}, per cent a year in
# current US dollars.
# growth: record

# draws: {draws}
# seed: {seed}

# Where the scenario's numbers were read, and what it leaves out; each list replaces
# that of the parent.
# references:
#   - {{title: A study, url: https://example.org}}
# not_modelled:
#   - what you know and the model does not
"""


def resolved(scenario: Scenario, known: Known | None = None) -> str:
    """Write a resolved scenario as YAML that reads back, the origin of each value behind it.

    Where `known` is given, the defaults of each lever follow as comments.
    """
    values = scenario.model_dump(include=set(_FIELDS))
    values["references"] = [reference.model_dump(exclude_defaults=True)
                            for reference in scenario.references]
    lines = [line for name in _FIELDS for line in _lines((name,), values[name], scenario, known)]
    return "\n".join(lines) + "\n"


def _lines(keys: tuple[str, ...], value: Any, scenario: Scenario,
           known: Known | None) -> Iterator[str]:
    """Lines of the value that some keys lead to, and of all below it."""
    origin = scenario.origins.get(".".join(keys))
    text = "" if value and isinstance(value, dict | list) else f" {_json(value)}"
    yield f"{'  ' * (len(keys) - 1)}{keys[-1]}:{text}" + (f"  # {origin}" if origin else "")
    if isinstance(value, list):
        yield from (f"  - {_json(entry)}" for entry in value)
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _lines((*keys, name), entry, scenario, known)
        if known and keys[0] == "levers" and len(keys) == 2:
            yield from (f"    # {name}: {describe(setting)}  (default)"
                        for name, setting in known.levers[keys[1]].settings.items()
                        if name not in value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def describe(setting: Parameter | Choice) -> str:
    """Default of a setting in a few words, with its unit."""
    if setting.required:
        return "none; a scenario must give it"
    if isinstance(setting, Choice):
        return setting.default or "none"
    shape = setting.distribution
    if isinstance(shape, Fixed):
        return f"{shape.value:.10g}" + ("" if setting.integer else f" {setting.unit}")
    parts = ", ".join(f"{name} {value:g}" for name, value in shape.model_dump().items()
                      if name != "kind" and not (name == "shift" and value == 0))
    return f"{shape.kind.replace('_', ' ')} ({parts}) {setting.unit}"


@dataclass(frozen=True)
class Difference:
    """One input that is not as in the reference."""

    #: dotted name of a lever, a setting or a parameter; the same for people; a lever has no unit
    key: str
    title: str
    unit: str
    reference: str  #: its value in the reference: ``off`` for a lever, a dash for a setting of it
    #: its value in the scenario: ``on`` for a lever; one number, or the median with the 80 % range
    #: in brackets where it is drawn
    value: str
    default: str  #: default of a setting; empty for levers and parameters
    #: source of a default, with its grade; a dash for what the scenario sets
    source: str
    grade: str
    origin: str  #: file and line that set it, or the command-line option
    given: bool  #: whether the scenario sets it (otherwise a default of the lever is in force)


def differences(folder: Path, parameters: Mapping[str, Parameter], levers: Mapping[str, Lever],
                scenario: Scenario) -> list[Difference]:
    """List what a scenario changes in the inputs of a calibration, against the reference.

    For each lever that the scenario pulls, the lever and then its settings, those that the
    scenario sets first; after the levers the parameters that it sets.
    """
    lines = _lines_of(folder) if scenario.levers else {}
    rows = [row for name in scenario.levers
            for row in _lever_rows(levers[name], scenario, lines)]
    for name, number in scenario.parameters.items():
        parameter = parameters[name]
        rows.append(Difference(
            name, parameter.title.rstrip("."), parameter.unit, value_of(parameter),
            _number(number, EXACT), "", NONE, "",
            scenario.origins.get(f"parameters.{name}", ""), given=True))
    return rows


@unless_changed(LEVERS_FILE)
def _lines_of(folder: Path) -> dict[str, str]:
    """Where the file of levers says what, by dotted key."""
    path = Path(folder) / LEVERS_FILE
    positions = load_document(path).positions if path.is_file() else {}
    return {key: f"{LEVERS_FILE}:{line}" for key, (line, _) in positions.items()}


def _lever_rows(lever: Lever, scenario: Scenario, lines: Mapping[str, str]) -> list[Difference]:
    given = scenario.levers[lever.name]
    rows = [Difference(lever.name, lever.title.rstrip("."), "", OFF, ON, "",
                       "; ".join(source.title for source in lever.sources), "",
                       scenario.origins.get(f"levers.{lever.name}", ""), given=True)]
    for key in sorted(lever.settings, key=lambda key: key not in given):
        if key not in given and not lever.counts(key, given):
            continue
        setting = lever.settings[key]
        default = value_of(setting)
        if key in given:
            chosen = given[key]
            value = chosen if isinstance(chosen, str) else _number(chosen, EXACT)
            source, grade = NONE, ""
            origin = scenario.origins.get(f"levers.{lever.name}.{key}", "")
        else:
            value, grade = default, setting.grade
            source = "; ".join(part for part in (setting.source, setting.locator) if part)
            origin = lines.get(f"{lever.name}.settings.{key}", LEVERS_FILE)
        unit = "" if isinstance(setting, Choice) else setting.unit
        rows.append(Difference(setting.name, setting.title.rstrip("."), unit, NONE, value,
                               default, source, grade, origin, given=key in given))
    return rows


def value_of(setting: Parameter | Choice) -> str:
    """Value of a setting or parameter in words: one, or the median with its 80 % range."""
    if isinstance(setting, Choice):
        return setting.default or "none"
    low, middle, high = (float(value) for value in
                         quantile(setting, np.array([0.1, 0.5, 0.9])))
    if low == high:
        return _number(middle, EXACT)
    return f"{_number(middle)} ({_number(low)} to {_number(high)})"


def _number(value: float, digits: int = DIGITS) -> str:
    """Write a number so that what a person wrote appears as written."""
    whole = float(value).is_integer() or abs(value) >= 10**digits
    return str(round(value)) if whole else f"{value:.{digits}g}"


def _more(lever: Lever) -> str:
    """Name the stage before a lever, and how to pull it again."""
    return ((f"; after {lever.follows}" if lever.follows else "")
            + (f"; again as {lever.name}_WORD" if lever.repeatable else ""))


def starter(path: Path, parent: str, levers: Mapping[str, Lever]) -> str:
    """Write the text of a new scenario: what must be filled in, and as comments all that may be.

    Parameters
    ----------
    path
        Where the file is to be.
    parent
        Scenario it extends: a shipped name, or a file in the same folder.
    levers
        Levers that it may pull.

    Raises
    ------
    InputError
        When there is no such parent, or it is in another folder, or the new name is that of a
        shipped scenario: its results would replace that scenario's.
    """
    if path.stem in shipped():
        raise InputError([Problem(str(path), "", "is the name of a shipped scenario",
                                  "choose another name")])
    extends = parent
    if parent not in shipped():
        file = find(parent)
        if not file.is_file():
            raise InputError([Problem(parent, "--from", "there is no such file")])
        if file.resolve().parent != path.resolve().parent:
            raise InputError([Problem(parent, "--from", "must stand in the folder of the new file "
                                      f"({path.resolve().parent})")])
        extends = file.name
    entries = [line for lever in levers.values() for line in (
        f"#   {lever.name}:  # {lever.title}{_more(lever)}",
        *(f"#     {name}:  # {setting.allowed}; default {describe(setting)}"
          for name, setting in lever.settings.items()))]
    return STARTER.format(
        file=path.name, extends=_json(extends), title=_json(path.stem.replace("_", " ")),
        levers="\n".join(entries), draws=DRAWS, seed=SEED)


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet; an `InputError` where it does or cannot be written."""
    if os.path.lexists(path):
        raise InputError([Problem(str(path), "", "exists already and is not overwritten",
                                  "choose another name")])
    with whole_file(path, option="") as work:
        work.write_text(text, encoding="utf-8", newline="\n")
