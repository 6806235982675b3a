"""What a scenario changes in the inputs, against the reference: the first table of any report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from tradesim.inputs.levers import FILE, Choice, Lever
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.inputs.scenario import Scenario
from tradesim.inputs.strict_yaml import Places, load_marked

ON, OFF = "on", "off"
NONE = "–"
DIGITS, EXACT = 3, 10


class Inputs(Protocol):
    """What is needed to say what a scenario changes; a `Baseline` is one."""

    @property
    def folder(self) -> Path:
        """The calibration folder."""

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """Parameters by dotted name."""

    @property
    def levers(self) -> Mapping[str, Lever]:
        """Levers by name."""


@dataclass(frozen=True)
class Catalogue:
    """The part of a calibration that `differences` reads, where no whole baseline is at hand."""

    folder: Path
    parameters: Mapping[str, Parameter]
    levers: Mapping[str, Lever]


@dataclass(frozen=True)
class Difference:
    """One input that is not as in the reference.

    Attributes
    ----------
    key
        Dotted name: a lever, a lever's setting, or a parameter.
    title, unit
        What it is and its unit, for people; a lever as such has no unit.
    reference
        Its value in the reference: ``off`` for a lever, a dash for a setting of it.
    value
        Its value in the scenario: ``on`` for a lever; one number, or the median with the 80 %
        range in brackets where it is drawn.
    default
        What the setting would be if the scenario said nothing; empty for levers and parameters.
    source, grade
        Where the value comes from: the scenario itself where it sets it, otherwise the source
        that the calibration names, with its grade.
    origin
        File and line that set it, or the command-line option.
    given
        Whether the scenario sets it (otherwise a default of the lever is in force).
    """

    key: str
    title: str
    unit: str
    reference: str
    value: str
    default: str
    source: str
    grade: str
    origin: str
    given: bool


def differences(base: Inputs, scenario: Scenario) -> list[Difference]:
    """Say what a scenario changes in the inputs, against the reference.

    Parameters
    ----------
    base
        The calibration: a `Baseline`, or a `Catalogue`.
    scenario
        The resolved scenario.

    Returns
    -------
    list of Difference
        For each lever that the scenario pulls, the lever and then its settings, those that the
        scenario sets first; after the levers the parameters that it sets.
    """
    places = _places(base.folder) if scenario.levers else {}
    found = [row for name in scenario.levers
             for row in _lever(base.levers[name], scenario, places)]
    for name, number in scenario.parameters.items():
        parameter = base.parameters[name]
        found.append(Difference(
            name, parameter.title.rstrip("."), parameter.unit, value_of(parameter),
            _number(number, EXACT), "", NONE, "",
            scenario.origins.get(f"parameters.{name}", ""), given=True))
    return found


def _lever(lever: Lever, scenario: Scenario, places: Places) -> list[Difference]:
    said = scenario.levers[lever.name]
    rows = [Difference(lever.name, lever.title.rstrip("."), "", OFF, ON, "",
                       "; ".join(source.title for source in lever.sources), "",
                       scenario.origins.get(f"levers.{lever.name}", ""), given=True)]
    for key in sorted(lever.settings, key=lambda key: key not in said):
        setting = lever.settings[key]
        default, place = value_of(setting), f"{lever.name}.settings.{key}"
        line = f"{FILE}:{places[place][0]}" if place in places else FILE
        if key in said:
            chosen = said[key]
            text = chosen if isinstance(chosen, str) else _number(chosen, EXACT)
            source, grade = NONE, ""
            line = scenario.origins.get(f"levers.{lever.name}.{key}", "")
        else:
            text, grade = default, setting.grade
            source = "; ".join(part for part in (setting.source, setting.locator) if part)
        rows.append(Difference(setting.name, setting.title.rstrip("."), _unit(setting), NONE, text,
                               default, source, grade, line, given=key in said))
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


def _unit(setting: Parameter | Choice) -> str:
    return "" if isinstance(setting, Choice) else setting.unit


def _number(value: float, digits: int = DIGITS) -> str:
    """Write a number so that what a person wrote appears as written."""
    whole = float(value).is_integer() or abs(value) >= 10**digits
    return str(round(value)) if whole else f"{value:.{digits}g}"


def _places(folder: Path) -> Places:
    path = Path(folder) / FILE
    return load_marked(path)[1] if path.is_file() else {}
