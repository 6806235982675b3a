"""The levers a scenario may pull: `levers.yaml`, checked.

Kinds of lever are code; which levers there are, with their settings, units, ranges and sources,
is data.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.checks import gathered, problem, problems_of
from tradesim.inputs.distributions import Fixed, Strict
from tradesim.inputs.parameters import Parameter, parameter
from tradesim.inputs.strict_yaml import Places, kind, load_marked

FILE = "levers.yaml"
COMMON = {"start": "year", "delay": "years", "phase_in": "years", "probability": "share"}
"""Settings that every lever has, with their units."""

COST = {"capital_cost": "USD million", "capital_years": "years",
        "yearly_cost": "USD million a year"}
"""Settings that any lever may have, with their units: what it costs to build and to run."""

SHARE = "share"
"""Unit of a part of a whole."""

FAMILIES = {"lever": "Levers: what policy could change",
            "project": "Projects: single flows of goods",
            "shock": "Shocks: what the world may do"}
"""Families of entries, in the order in which they are listed, with their headings."""

WORD = re.compile(r"_[a-z0-9_]*[a-z0-9]")
"""What follows the name of a lever that is pulled several times."""

_KEYS = ("title", "kind", "family", "state", "follows", "repeatable", "applies", "needs_corridor",
         "at_once", "sources", "settings")


class Choice(Strict):
    """A setting that takes one of several names, or some of them.

    Attributes
    ----------
    name
        Dotted name: lever and setting.
    title, unit
        What it is, for people.
    values
        The names a scenario may write.
    default
        The one taken where a scenario says nothing.
    required
        Whether there is no default: a scenario that pulls the lever must choose.
    several
        Whether a scenario may write more than one name, a list or a text with commas; none at
        all where the default is empty.
    source, locator, grade, note
        Where the default comes from, as in `Parameter`.
    """

    name: str
    title: str = Field(min_length=1)
    unit: str = "choice"
    values: list[str] = Field(min_length=2)
    default: str
    required: bool = False
    several: bool = False
    source: str = Field(min_length=1)
    locator: str = ""
    grade: Literal["A", "B", "C", "D"]
    note: str = ""

    @model_validator(mode="after")
    def _known_default(self) -> Self:
        if not self.takes(self.default) and not self.required:
            raise ValueError(f"default: '{self.default}' is not one of: {', '.join(self.values)}")
        if len(set(self.values)) < len(self.values):
            raise ValueError("allowed: holds a name twice")
        return self

    @property
    def empty(self) -> bool:
        """Whether a scenario may choose none of the names."""
        return self.several and self.default == "" and not self.required

    @property
    def allowed(self) -> str:
        """What a scenario may write, in words."""
        if self.empty:
            return f"none, one or more of: {', '.join(self.values)}"
        return f"{'one or more' if self.several else 'one'} of: {', '.join(self.values)}"

    def names(self, value: Any) -> list[Any]:
        """Names that a value written in a scenario holds."""
        if not self.several:
            return [value]
        if value == "":
            return []
        return ([part.strip() for part in value.split(",")] if isinstance(value, str)
                else value if isinstance(value, list) else [value])

    def takes(self, value: Any) -> bool:
        """Whether a scenario may write this."""
        names = self.names(value)
        return ((bool(names) or self.empty) and all(name in self.values for name in names)
                and len(set(names)) == len(names))


Setting = Parameter | Choice


class Source(Strict):
    """Where a statement was read."""

    title: str = Field(min_length=1)
    url: str = ""


class Lever(Strict):
    """One thing that policy, or the world, may change.

    Attributes
    ----------
    name, title
        Name in scenario files, and name for people.
    kind
        Kind of lever: which function of the economy turns the settings into shocks.
    family
        One of `FAMILIES`, for lists.
    state
        A paragraph on the state of the thing in the world.
    follows
        Lever whose later stage this is: it takes over the names and settings that it does not
        give itself, and comes only where that lever does.
    repeatable
        Whether a scenario may pull it several times, as NAME_WORD with any word.
    applies
        Names of members, routes, groups, ... that the lever touches.
    needs_corridor
        Whether it works only while the shared transit corridor is open.
    at_once
        Whether trade follows without delay: what the world does, closures and bans, not what
        traders have to learn.
    sources
        Where the state was read.
    settings
        Settings by name: numbers (`Parameter`) or choices.
    """

    name: str
    title: str = Field(min_length=1)
    kind: str = Field(min_length=1)
    family: Literal["lever", "project", "shock"] = "lever"
    state: str = Field(min_length=1)
    follows: str = ""
    repeatable: bool = False
    applies: dict[str, Any] = Field(default_factory=dict)
    needs_corridor: bool
    at_once: bool = False
    sources: list[Source] = Field(min_length=1)
    settings: dict[str, Parameter | Choice]

    @property
    def required(self) -> tuple[str, ...]:
        """Settings without a default, which a scenario that pulls the lever must give."""
        return tuple(name for name, setting in self.settings.items() if setting.required)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Numeric settings by dotted name, as factors of a draw."""
        return {setting.name: setting for setting in self.settings.values()
                if isinstance(setting, Parameter)}


class Levers(dict[str, Lever]):
    """Levers by name, those that may be pulled several times under names of their own too.

    `tariff_change_flour` is then a lever like `tariff_change`, with its own settings and draws.
    Iteration gives the levers of the file only.
    """

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or bool(self._model(name))

    def __missing__(self, name: str) -> Lever:
        model = self._model(name)
        if not model:
            raise KeyError(name)
        lever = self[model]
        word = name.removeprefix(f"{model}_").replace("_", " ")
        settings = {key: item.model_copy(update={"name": f"{name}.{key}"})
                    for key, item in lever.settings.items()}
        self_named = {"name": name, "title": f"{lever.title} ({word})", "settings": settings}
        return lever.model_copy(update=self_named)

    def _model(self, name: object) -> str:
        """Repeatable lever that a name extends by a word, if any."""
        return next((lever.name for lever in self.values() if lever.repeatable
                     and isinstance(name, str) and WORD.fullmatch(name.removeprefix(lever.name))),
                    "")


def read_levers(folder: Path) -> Levers:
    """Read and check `levers.yaml` of a calibration folder.

    Parameters
    ----------
    folder
        The calibration folder.

    Returns
    -------
    dict
        Levers by name, in the order of the file.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    path = Path(folder) / FILE
    data, places = load_marked(path)
    levers = Levers(gathered(data, lambda name, entry: _lever(name, entry, str(path), places)))
    problems = [found for lever in levers.values() if lever.follows
                for found in _stage(lever, levers, str(path), places)]
    if problems:
        raise InputError(problems)
    return levers


def _stage(lever: Lever, levers: Levers, file: str, places: Places) -> list[Problem]:
    """Check the lever that another one follows."""
    def wrong(message: str, hint: str = "") -> list[Problem]:
        return [problem(file, f"{lever.name}.follows", places, message, hint)]

    first = dict(levers).get(lever.follows)
    if first is None:
        return wrong(f"there is no lever '{lever.follows}'", nearest(lever.follows, levers))
    if first.follows or first is lever:
        return wrong(f"'{first.name}' is a later stage itself; name the first stage")
    if first.kind != lever.kind:
        return wrong(f"'{first.name}' is of kind '{first.kind}', this lever of '{lever.kind}'")
    return []


def _lever(name: str, entry: Any, file: str, places: Places) -> Lever | list[Problem]:
    if not isinstance(entry, dict):
        return [problem(file, name, places, f"must be a mapping, not {kind(entry)}")]
    fields = dict(entry)
    problems = []
    if "." in name:
        problems.append(problem(file, name, places, "a lever's name must not hold a dot"))
    for wrong in [part for part in fields if part not in _KEYS]:
        del fields[wrong]
        problems.append(problem(file, f"{name}.{wrong}", places,
                                f"unknown key; known: {', '.join(_KEYS)}", nearest(wrong, _KEYS)))
    if isinstance(fields.get("sources"), list):
        fields["sources"] = [{"title": source} if isinstance(source, str) else source
                             for source in fields["sources"]]
    settings, wrong_settings = _settings(name, fields.pop("settings", None), file, places)
    problems += wrong_settings
    try:
        lever = Lever(name=name, settings=settings, **fields)
    except ValidationError as error:
        return problems + problems_of(error, file, name, places)
    return problems or lever


def _settings(lever: str, entries: Any, file: str,
              places: Places) -> tuple[dict[str, Setting], list[Problem]]:
    key = f"{lever}.settings"
    if not isinstance(entries, dict):
        said = "is missing" if entries is None else f"must be a mapping, not {kind(entries)}"
        return {}, [problem(file, key, places, said)]
    settings: dict[str, Setting] = {}
    problems = [problem(file, key, places, f"'{name}' is missing; every lever needs "
                        f"{', '.join(COMMON)}") for name in COMMON if name not in entries]
    for name, entry in entries.items():
        made = _setting(f"{lever}.{name}", entry, f"{key}.{name}", file, places)
        if isinstance(made, list):
            problems += made
        elif made.unit != (unit := (COMMON | COST).get(name, made.unit)):
            problems.append(problem(file, f"{key}.{name}.unit", places,
                                    f"must be '{unit}', not '{made.unit}'"))
        elif (made.unit == SHARE and isinstance(made, Parameter)
              and not 0.0 <= made.low <= made.high <= 1.0):
            problems.append(problem(
                file, f"{key}.{name}.bounds", places, f"a {SHARE} lies between 0 and 1, not "
                f"{made.low:g} and {made.high:g}", "name another unit if it is no part of a whole"))
        else:
            settings[name] = made
    return settings, problems


def _setting(name: str, entry: Any, key: str, file: str,
             places: Places) -> Setting | list[Problem]:
    if not isinstance(entry, dict):
        return [problem(file, key, places, f"must be a mapping, not {kind(entry)}")]
    fields = dict(entry)
    required = fields.pop("required", False)
    if not isinstance(required, bool):
        return [problem(file, f"{key}.required", places,
                        f"must be true or false, not {kind(required)}")]
    if required:
        return _required(name, fields, key, file, places)
    if "allowed" in fields:
        return _choice(name, fields, key, file, places)
    if "default" in fields and "distribution" in fields:
        return [problem(file, f"{key}.distribution", places,
                        "has both a default and a distribution", "keep one of them")]
    if "default" in fields:
        return _certain(name, fields, key, file, places)
    if "distribution" not in fields:
        return [problem(file, key, places, "needs a default or a distribution")]
    return parameter(name, fields, key, file, places)


def _required(name: str, fields: dict[str, Any], key: str, file: str,
              places: Places) -> Setting | list[Problem]:
    """Make a setting that a scenario must give: no default stands in for it."""
    for part in ("default", "distribution"):
        if part in fields:
            return [problem(file, f"{key}.{part}", places,
                            "has no meaning where a scenario must give the setting",
                            f"drop `required` or `{part}`")]
    made: Setting | list[Problem]
    if "allowed" in fields:
        made = _choice(name, fields | {"default": ""}, key, file, places, required=True)
    else:
        bounds = fields.get("bounds")
        low = bounds[0] if isinstance(bounds, list) and bounds else 0.0
        made = parameter(name, fields | {"distribution": Fixed(kind="fixed", value=low)}, key,
                         file, places)
    return made if isinstance(made, list) else made.model_copy(update={"required": True})


def _certain(name: str, fields: dict[str, Any], key: str, file: str,
             places: Places) -> Setting | list[Problem]:
    """Make a parameter of a setting with one default value."""
    default = fields.pop("default")
    if isinstance(default, bool) or not isinstance(default, int | float):
        return [problem(file, f"{key}.default", places, f"must be a number, not {kind(default)}",
                        "a setting of names needs a list `allowed`")]
    made = parameter(name, fields | {"distribution": Fixed(kind="fixed", value=default)}, key,
                     file, places)
    if isinstance(made, list):
        return [problem(file, f"{key}.default", places,
                        f"{default:g} lies outside the bounds")
                if part.key.endswith(".distribution") else part for part in made]
    if made.integer and default != int(default):
        return [problem(file, f"{key}.default", places, f"{default:g} is not a whole number")]
    return made


def _choice(name: str, fields: dict[str, Any], key: str, file: str, places: Places, *,
            required: bool = False) -> Setting | list[Problem]:
    known = ({*Choice.model_fields} - {"name", "values", "required"}) | {"allowed"}
    values = fields.pop("allowed")
    problems = [problem(file, f"{key}.{wrong}", places,
                        f"unknown key; known: {', '.join(sorted(known))}", nearest(wrong, known))
                for wrong in fields if wrong not in known]
    fields = {part: value for part, value in fields.items() if part in known}
    try:
        choice = Choice(name=name, values=values, required=required, **fields)
    except ValidationError as error:
        return problems + problems_of(error, file, key, places)
    return problems or choice
