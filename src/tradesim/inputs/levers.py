"""The levers a scenario may pull: `levers.yaml`, checked.

Kinds of lever are code; which levers there are, with their settings, units, ranges and sources,
is data.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import unless_changed
from tradesim.common.listed import Listed
from tradesim.inputs.distributions import Fixed, Source, Strict
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.inputs.parameters import Parameter, parameter
from tradesim.inputs.products import PRODUCTS_FILE
from tradesim.inputs.strict_yaml import Document, kind, load_document

LEVERS_FILE = "levers.yaml"
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
         "needs_consent", "at_once", "only", "sources", "settings")


class Choice(Strict):
    """A setting that takes one of several names, or some of them."""

    name: str  #: dotted name: lever and setting
    #: what it is, for people
    title: str = Field(min_length=1)
    unit: str = "choice"
    values: list[str] = Field(min_length=2)  #: the names a scenario may write
    default: str  #: the one taken where a scenario says nothing
    #: whether there is no default: a scenario that pulls the lever must choose
    required: bool = False
    #: whether a scenario may write more than one name, a list or a text with commas; none at all
    #: where the default is empty
    several: bool = False
    #: where the default comes from, as in `Parameter`
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

_CHOICE = tuple(sorted({*Choice.model_fields, "allowed"} - {"name", "values", "required"}))


class Lever(Strict):
    """One thing that policy, or the world, may change."""

    #: name in scenario files, and name for people
    name: str
    title: str = Field(min_length=1)
    #: kind of lever: which function of the economy turns the settings into shocks
    kind: str = Field(min_length=1)
    family: Literal["lever", "project", "shock"] = "lever"  #: one of `FAMILIES`, for lists
    state: str = Field(min_length=1)  #: a paragraph on the state of the thing in the world
    #: lever whose later stage this is: it takes over the names and settings that it does not give
    #: itself, and comes only where that lever does
    follows: str = ""
    repeatable: bool = False  #: whether a scenario may pull it several times, as NAME_WORD
    #: names of members, routes, groups, ... that the lever touches
    applies: dict[str, Any] = Field(default_factory=dict)
    needs_corridor: bool  #: whether it works only while the shared transit corridor is open
    #: whether it needs the consent of the country that holds the corridor: such levers tend to
    #: succeed or fail together
    needs_consent: bool = False
    #: whether trade follows without delay: closures, bans and physical losses; to a change of costs
    #: or prices it adjusts, whoever causes it
    at_once: bool = False
    #: settings that count only with certain choices: setting to the name of the choice to the
    #: values of it that they count with
    only: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    sources: list[Source] = Field(min_length=1)  #: where the state was read
    settings: dict[str, Parameter | Choice]  #: settings by name: numbers (`Parameter`) or choices

    @field_validator("settings")
    @classmethod
    def _listed(cls, settings: dict[str, Parameter | Choice]) -> dict[str, Parameter | Choice]:
        return Listed(settings)

    def __repr__(self) -> str:
        names = ", ".join(self.settings)
        return f"<tradesim.Lever> {self.name}: {self.title} ({self.kind}); settings: {names}"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in (
                name, item.title, item.unit, item.source, item.grade)) + "</tr>"
            for name, item in self.settings.items())
        heads = "".join(f"<th>{head}</th>"
                        for head in ("setting", "what it is", "unit", "source", "grade"))
        return (f"<p><b>{html.escape(self.title)}</b> ({html.escape(self.name)}). "
                f"{html.escape(self.state)}</p><table><tr>{heads}</tr>{rows}</table>")

    def counts(self, setting: str, given: Mapping[str, Any]) -> bool:
        """Whether a setting matters to a scenario that gives these settings."""
        return all(given.get(choice, getattr(self.settings[choice], "default", None)) in values
                   for choice, values in self.only.get(setting, {}).items())

    @property
    def required(self) -> tuple[str, ...]:
        """Settings without a default, which a scenario that pulls the lever must give."""
        return tuple(name for name, setting in self.settings.items() if setting.required)

    @property
    def parameters(self) -> dict[str, Parameter]:
        """Numeric settings by dotted name, as factors of a draw."""
        return Listed({setting.name: setting for setting in self.settings.values()
                       if isinstance(setting, Parameter)})


class Levers(dict[str, Lever]):
    """Levers by name, those that may be pulled several times under names of their own too.

    `tariff_change_flour` is then a lever like `tariff_change`, with its own settings and draws.
    Iteration gives the levers of the file only.
    """

    def __repr__(self) -> str:
        return "\n".join(["<tradesim.Levers>", *(f"    {name}: {lever.title}"
                                                  for name, lever in self.items())])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{html.escape(name)}</td><td>{html.escape(lever.title)}</td>"
                       f"<td>{lever.family}</td></tr>" for name, lever in self.items())
        return f"<table><tr><th>name</th><th>what it is</th><th>family</th></tr>{rows}</table>"

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or bool(self._model(name))

    def __missing__(self, name: str) -> Lever:
        model = self._model(name)
        if not model:
            raise KeyError(name)
        lever = self[model]
        word = name.removeprefix(f"{model}_").replace("_", " ")
        settings = Listed({key: item.model_copy(update={"name": f"{name}.{key}"})
                           for key, item in lever.settings.items()})
        return lever.model_copy(update={"name": name, "title": f"{lever.title} ({word})",
                                        "settings": settings})

    def _model(self, name: object) -> str:
        """Repeatable lever that a name extends by a word, if any."""
        return next((lever.name for lever in self.values() if lever.repeatable
                     and isinstance(name, str) and WORD.fullmatch(name.removeprefix(lever.name))),
                    "")


@unless_changed(LEVERS_FILE, PAIR_FILE, PRODUCTS_FILE)
def read_levers(folder: Path) -> Levers:
    """Read `levers.yaml` of a calibration folder: levers by name.

    Where a scenario may name groups of goods it may also name their products.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    document = load_document(folder / LEVERS_FILE)
    levers = Levers(document.entries(lambda name, entry: _lever(name, entry, document)))
    problems = [document.problem(f"{lever.name}.follows", *messages) for lever in levers.values()
                if lever.follows for messages in _stage_errors(lever, levers)]
    if problems:
        raise InputError(problems)
    if not (folder / PRODUCTS_FILE).exists():
        return levers
    pair = read_pair(folder)
    return Levers({name: _with_products(lever, pair) for name, lever in levers.items()})


def _with_products(lever: Lever, pair: Pair) -> Lever:
    """Allow products wherever their group is allowed."""
    settings = {
        key: item.model_copy(update={"values": [*item.values, *(
            name for name, product in pair.products.items() if product.group in item.values)]})
        if isinstance(item, Choice) and {*item.values} <= {*pair.groups} else item
        for key, item in lever.settings.items()}
    return lever.model_copy(update={"settings": Listed(settings)})


def _stage_errors(lever: Lever, levers: Levers) -> Iterator[tuple[str, ...]]:
    """Check the lever that another one follows."""
    first = dict(levers).get(lever.follows)
    if first is None:
        yield f"there is no lever '{lever.follows}'", nearest(lever.follows, levers)
    elif first.follows:
        yield (f"'{first.name}' is a later stage itself; name the first stage",)
    elif first.kind != lever.kind:
        yield (f"'{first.name}' is of kind '{first.kind}', this lever of '{lever.kind}'",)


def _lever(name: str, entry: Any, document: Document) -> Lever | list[Problem]:
    if not isinstance(entry, dict):
        return [document.problem(name, f"must be a mapping, not {kind(entry)}")]
    fields = dict(entry)
    dotted = ([document.problem(name, "a lever's name must not hold a dot")] if "." in name
              else [])
    if isinstance(fields.get("sources"), list):
        fields["sources"] = [{"title": source} if isinstance(source, str) else source
                             for source in fields["sources"]]
    settings, problems = _settings(name, fields.pop("settings", None), document)
    lever = document.model(Lever, name, fields, _KEYS, name=name, settings=settings)
    if isinstance(lever, list):
        return dotted + lever + problems
    return dotted + problems or lever


def _settings(lever: str, entries: Any,
              document: Document) -> tuple[dict[str, Setting], list[Problem]]:
    key = f"{lever}.settings"
    if not isinstance(entries, dict):
        return {}, [document.problem(key, "is missing" if entries is None else
                                     f"must be a mapping, not {kind(entries)}")]
    settings: dict[str, Setting] = {}
    problems = [document.problem(key, f"'{name}' is missing; every lever needs "
                                 f"{', '.join(COMMON)}") for name in COMMON if name not in entries]
    for name, entry in entries.items():
        setting = _setting(f"{lever}.{name}", entry, f"{key}.{name}", document)
        if isinstance(setting, list):
            problems += setting
            continue
        settings[name] = setting
        unit = (COMMON | COST).get(name, setting.unit)
        if setting.unit != unit:
            problems.append(document.problem(f"{key}.{name}.unit",
                                             f"must be '{unit}', not '{setting.unit}'"))
        elif (unit == SHARE and isinstance(setting, Parameter)
              and not 0.0 <= setting.low <= setting.high <= 1.0):
            problems.append(document.problem(
                f"{key}.{name}.bounds", f"a {SHARE} lies between 0 and 1, not {setting.low:g} and "
                f"{setting.high:g}", "name another unit if it is no part of a whole"))
    return settings, problems


def _setting(name: str, entry: Any, key: str, document: Document) -> Setting | list[Problem]:
    """Make a setting: one that a scenario must give, one with a default, or one that is drawn."""
    if not isinstance(entry, dict):
        return [document.problem(key, f"must be a mapping, not {kind(entry)}")]
    fields = dict(entry)
    required = fields.pop("required", False)
    if not isinstance(required, bool):
        return [document.problem(f"{key}.required", f"must be true or false, not {kind(required)}")]
    if required:
        return _required(name, fields, key, document)
    if "allowed" in fields:
        return _choice(name, fields, key, document)
    if "default" in fields and "distribution" in fields:
        return [document.problem(f"{key}.distribution", "has both a default and a distribution",
                                 "keep one of them")]
    if "default" in fields:
        return _certain(name, fields, key, document)
    if "distribution" not in fields:
        return [document.problem(key, "needs a default or a distribution")]
    return parameter(name, fields, key, document)


def _required(name: str, fields: dict[str, Any], key: str,
              document: Document) -> Setting | list[Problem]:
    for part in ("default", "distribution"):
        if part in fields:
            return [document.problem(f"{key}.{part}",
                                     "has no meaning where a scenario must give the setting",
                                     f"drop `required` or `{part}`")]
    if "allowed" in fields:
        return _choice(name, fields, key, document, required=True, default="")
    bounds = fields.get("bounds")
    low = bounds[0] if isinstance(bounds, list) and bounds else 0.0
    return parameter(name, fields, key, document, required=True,
                     distribution=Fixed(kind="fixed", value=low))


def _choice(name: str, fields: dict[str, Any], key: str, document: Document,
            **given: Any) -> Setting | list[Problem]:
    return document.model(Choice, key, fields, _CHOICE, name=name, values=fields.pop("allowed"),
                          **given)


def _certain(name: str, fields: dict[str, Any], key: str,
             document: Document) -> Setting | list[Problem]:
    """Make a parameter of a setting with one default value."""
    default = fields.pop("default")
    if isinstance(default, bool) or not isinstance(default, int | float):
        return [document.problem(f"{key}.default", f"must be a number, not {kind(default)}",
                                 "a setting of names needs a list `allowed`")]
    setting = parameter(name, fields, key, document,
                        distribution=Fixed(kind="fixed", value=default))
    if isinstance(setting, list):
        return [document.problem(f"{key}.default", f"{default:g} lies outside the bounds")
                if part.key.endswith(".distribution") else part for part in setting]
    if setting.integer and default != int(default):
        return [document.problem(f"{key}.default", f"{default:g} is not a whole number")]
    return setting
