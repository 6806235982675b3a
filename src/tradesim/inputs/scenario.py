"""A scenario: a YAML file, with inheritance, as a checked object that knows where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import scenarios_folder
from tradesim.common.text import named as shown
from tradesim.inputs.answers import answers_of
from tradesim.inputs.distributions import Source, Strict
from tradesim.inputs.growth import PUBLISHED
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.scenario_schema import (
    GONE,
    Known,
    check,
    disordered,
    integer,
    json_schema,
    unanswered,
)
from tradesim.inputs.strict_yaml import Document, load_document, scalar

__all__ = ["Known", "Scenario", "find", "json_schema", "merge", "read_scenario",
           "shipped"]

DRAWS, SEED = 2000, 1
SUFFIXES = (".yaml", ".yml")
SCALARS = str | int | float | None
"""What a setting may be given in Python, beside lists of these and mappings."""


class Scenario(Strict):
    """What is asked of the model, resolved and checked."""

    name: str  #: name of the file, without its ending
    #: for people
    title: str
    question: str
    #: what the brief answers, names of `answers.ANSWERS`; by default what the levers raise
    answers: list[str] = Field(default_factory=list)
    #: levers pulled, each with the settings that differ from its defaults
    levers: dict[str, dict[str, int | float | str]] = Field(default_factory=dict)
    #: numbers taken as given instead of drawn
    parameters: dict[str, float] = Field(default_factory=dict)
    #: path of GDP: a name in `growth.NAMED`, or rates in per cent a year by country
    growth: str | dict[str, float] = PUBLISHED
    #: whether wages and spending follow trade, and what that closure holds of trade imbalances
    closure: str = "none"
    imbalances: str = "multiplicative"
    horizon: int  #: last year of the run
    #: how many draws, and from which seed
    draws: int = DRAWS
    seed: int = SEED
    target_usd: float  #: turnover a year whose probability is asked for; pair.yaml's by default
    #: what the scenario rests on and what it leaves out
    references: list[Source] = Field(default_factory=list)
    not_modelled: list[str] = Field(default_factory=list)
    #: dotted key of each value to where it was set: file and line, or the command line
    origins: dict[str, str] = Field(default_factory=dict, repr=False)


Settings = Mapping[str, Any]
"""What a scenario may set, by key: a number or text, a mapping of a lever's settings, or None to
drop a lever; dotted names (``adjustment.speed``) reach any parameter."""


@dataclass(frozen=True)
class _File:
    """One file of the chain, or one override, with its name in origins."""

    label: str
    document: Document

    def origin(self, key: str) -> str:
        """Where this file sets a key."""
        positions = self.document.positions
        return f"{self.label}:{positions[key][0]}" if key in positions else self.label


@dataclass(frozen=True)
class _Leaf:
    value: Any
    origin: str


def shipped() -> list[str]:
    """Names of the scenarios that come with tradesim."""
    return sorted(path.stem for path in scenarios_folder().glob("*.yaml"))


def find(path_or_name: str | Path) -> Path:
    """Find the file of a scenario: a path (``.yaml`` may be left out), or a shipped name.

    Raises
    ------
    InputError
        When there is none; the message lists the shipped names.
    """
    text = str(path_or_name)
    path = Path(text)
    if path.suffix in SUFFIXES:
        return path
    if text in (names := shipped()):
        return scenarios_folder() / f"{text}.yaml"
    if text and _possible(Path(f"{text}.yaml").is_file):
        return Path(f"{text}.yaml")
    if text and _possible(path.exists):
        return path
    raise InputError([Problem(text, "", "there is no such scenario; shipped: " + ", ".join(names)
                              + "; a file of your own ends in .yaml", nearest(text, names))])


def merge(parent: Mapping[str, Any], child: Mapping[str, Any]) -> dict[str, Any]:
    """Put a child over its parent: mappings merge, all else replaces, None removes.

    Merging in any grouping gives the same as long as no mapping holds None and no key is a
    mapping in one and something else in another.
    """
    merged = dict(parent)
    for key, value in child.items():
        old = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            merged[key] = merge(old if isinstance(old, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


def read_scenario(path_or_name: str | Path, known: Known,
                  overrides: Sequence[str] = ()) -> Scenario:
    """Read, resolve and check a scenario.

    Parameters
    ----------
    path_or_name
        Path of a YAML file, or the name of a shipped scenario.
    known
        Names and bounds to check against.
    overrides
        Texts ``key=value`` that come last: ``pact.start=2028``, ``adjustment.speed=0.35``,
        ``growth=record``, ``draws=500``, ``pact=null``.

    Raises
    ------
    InputError
        With every problem of every file of the chain, and of the overrides.
    """
    path = find(path_or_name)
    files, problems = _chain(path, known)
    for text in overrides:
        document, wrong = _override(text, known)
        problems += wrong
        files.append(_File("--set", document))
    if problems:
        raise InputError(problems)
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for file in files:
        data = {key: value for key, value in file.document.data.items() if key != "extends"}
        merged = merge(merged, _leaves(data, "", file))
        origins |= {f"levers.{name}": file.origin(f"levers.{name}")
                    for name in data.get("levers") or {}}
    origins = {key: origin for key, origin in origins.items()
               if key.removeprefix("levers.") in merged.get("levers", {})}
    values = _unwrap(merged, "", origins)
    missing = [Problem(str(path), key, "is missing") for key in ("title", "question")
               if key not in values]
    for found in (unanswered, disordered):
        missing += found(values.get("levers", {}), str(path), known)
    if missing:
        raise InputError(missing)
    return _scenario(path.stem, values, origins, known)


def overrides_of(settings: Settings | str | Sequence[str]) -> list[str]:
    """Give settings as the lines ``key=value`` that a command line would have.

    Raises
    ------
    InputError
        For a value that no file could hold.
    """
    if not isinstance(settings, Mapping):
        return [settings] if isinstance(settings, str) else list(settings)
    return list(_lines(settings, ""))


def _lines(settings: Settings, prefix: str) -> Iterator[str]:
    for key, value in settings.items():
        name = f"{prefix}{key}"
        if isinstance(value, np.ndarray | np.generic):
            value = value.tolist()
        several = isinstance(value, list | tuple) and "." in name
        if isinstance(value, Mapping) and not hasattr(value, "data_vars"):
            yield from _lines(value, f"{name}.") if value else [f"{name}={{}}"]
        elif not all(isinstance(one, SCALARS) for one in (value if several else [value])):
            allowed = "a list of them" if "." in name else "a mapping of a lever's settings"
            raise InputError([Problem("settings", name, f"must be a number, text, {allowed} or "
                                      f"None, not {shown(value)}")])
        else:
            yield f"{name}={', '.join(map(_written, value)) if several else _written(value)}"


def _written(value: Any) -> str:
    return "null" if value is None else "''" if value == "" else str(value)


def _scenario(name: str, values: dict[str, Any], origins: dict[str, str],
              known: Known) -> Scenario:
    defaults = {"horizon": (known.pair.horizon, "pair.yaml"), "draws": (DRAWS, "default"),
                "seed": (SEED, "default")}
    for key, (value, origin) in defaults.items():
        if key not in values:
            values[key], origins[key] = value, origin
        values[key] = integer(values[key])
    if "target_usd" not in values:
        values["target_usd"], origins["target_usd"] = known.pair.target_value, "pair.yaml"
    for key, field in known.fields.items():
        if key not in values and "default" in field.schema:
            values[key], origins[key] = field.schema["default"], "default"
    if isinstance(values["growth"], dict):
        values["growth"] = {code: float(values["growth"][code]) for code in known.pair.importers
                            if code in values["growth"]} or PUBLISHED
    for lever, settings in values.get("levers", {}).items():
        for key, value in settings.items():
            setting = known.levers[lever].settings[key]
            if isinstance(setting, Parameter):
                settings[key] = integer(value) if setting.integer else float(value)
            else:
                settings[key] = ", ".join(setting.names(value))
    if "answers" not in values:
        values["answers"] = answers_of(known.levers[name] for name in values.get("levers", {}))
        origins["answers"] = "default"
    values["parameters"] = {key: float(value)
                            for key, value in values.get("parameters", {}).items()}
    return Scenario(name=name, origins=origins, **values)


def _chain(path: Path, known: Known) -> tuple[list[_File], list[Problem]]:
    """Files from the oldest parent to `path`, and what is wrong with each."""
    files: list[_File] = []
    problems: list[Problem] = []
    seen: list[Path] = []
    file: Path | None = path
    while file is not None:
        document = _loaded(file, known)
        seen.append(file.resolve())
        problems += check(document, known)
        files.insert(0, _File(_label(file, path), document))
        parent = _parent(file, document.data.get("extends"), seen)
        if isinstance(parent, str):
            problems.append(document.problem("extends", parent))
            parent = None
        file = parent
    return files, problems


def _loaded(file: Path, known: Known) -> Document:
    """Read a file; a lever that stands twice and may be repeated gets the name to use."""
    try:
        return load_document(file)
    except InputError as error:
        raise InputError([_repeated(problem, known) for problem in error.problems]) from error


def _repeated(problem: Problem, known: Known) -> Problem:
    lever = known.levers.get(problem.key.removeprefix("levers."))
    if lever is None or not lever.repeatable or "stands twice" not in problem.message:
        return problem
    return replace(problem, hint=f"call the second one {lever.name}_WORD, with your own word")


def _parent(file: Path, name: Any, seen: Sequence[Path]) -> Path | str | None:
    """File of the parent that a file names, if any, or what is wrong with the name."""
    if not isinstance(name, str) or not name.strip():
        return None
    parent = named(file, name)
    if isinstance(parent, Path) and parent.resolve() in seen:
        return ("goes round in a loop: "
                f"{' -> '.join(step.name for step in (*seen, parent.resolve()))}")
    return parent


def named(file: Path, name: str) -> Path | str:
    """File of a scenario that another file names, or what is wrong with the name."""
    names, ours = shipped(), scenarios_folder()
    if name in names:
        return ours / f"{name}.yaml"
    ending = "" if name.endswith(SUFFIXES) else ".yaml"
    for folder in (file.parent, ours):
        try:
            parent = folder / f"{name}{ending}"
            inside = parent.resolve().is_relative_to(folder.resolve())
        except (OSError, ValueError, RuntimeError):  # the last for links in a loop
            return f"{name!r} is not a possible file name"
        if Path(name).is_absolute() or not inside:
            return (f"'{name}' leaves the folder of the file; a parent stands beside the file, "
                    f"or is shipped: {', '.join(names)}")
        if _possible(parent.exists):
            return parent
    guess = nearest(name.removesuffix(".yaml"), names)
    return (f"there is no scenario '{name}' beside the file, nor among the shipped: "
            f"{', '.join(names)}" + (f"; {guess}" if guess else ""))


def _override(text: str, known: Known) -> tuple[Document, list[Problem]]:
    """Read the option ``--set KEY=VALUE``, with what is wrong with it."""
    def wrong(message: str, hint: str = "") -> tuple[Document, list[Problem]]:
        return Document({}, {}, "--set"), [Problem("--set", text, message, hint)]

    key, equals, written = (part.strip() for part in text.partition("="))
    if not equals or not key or not written:
        return wrong("must read KEY=VALUE, such as draws=500")
    try:
        value: Any = {} if written == "{}" else scalar(written)
    except ValueError as error:
        return wrong(str(error))
    if len(written) > 1 and written[0] == written[-1] and written[0] in "'\"":
        value = written[1:-1]
    keys = _path(key, known)
    if not keys:
        names = [*known.fields, *known.levers, *known.parameters,
                 *(setting.name for lever in known.levers.values()
                   for setting in lever.settings.values())]
        return wrong("unknown key", nearest(key, names) or "`tradesim levers` lists levers, "
                     "calibration/parameters.yaml parameters")
    for part in reversed(keys):
        value = {part: value}
    document = Document(value, {}, "--set")
    return document, check(document, known)


def _path(key: str, known: Known) -> list[str]:
    """Keys that lead to the value of a dotted key as options write it; none if unknown."""
    section, _, rest = key.partition(".")
    if section in ("levers", "parameters") and rest:
        key = rest
    elif section == "growth" and rest:
        return [section, rest]
    elif key in known.parameters:
        section = "parameters"
    elif section in known.levers:
        section = "levers"
    else:
        return [key] if key in {*known.fields, *GONE} - {"extends"} else []
    names = [key] if section == "parameters" else key.split(".", 1)
    return [section, *filter(None, names)]


def _label(file: Path, first: Path) -> str:
    """Name of a file as origins show it: no absolute paths, so results do not depend on them."""
    for folder, prefix in ((scenarios_folder(), "scenarios/"), (first.parent, "")):
        if file.resolve().is_relative_to(folder.resolve()):
            return prefix + file.resolve().relative_to(folder.resolve()).as_posix()
    return file.name


def _leaves(data: Mapping[str, Any], prefix: str, file: _File) -> dict[str, Any]:
    marked: dict[str, Any] = {}
    for name, value in data.items():
        key = f"{prefix}{name}"
        marked[name] = (_leaves(value, f"{key}.", file) if isinstance(value, Mapping)
                        else None if value is None else _Leaf(value, file.origin(key)))
    return marked


def _unwrap(marked: Mapping[str, Any], prefix: str, origins: dict[str, str]) -> dict[str, Any]:
    values = {}
    for name, part in marked.items():
        if isinstance(part, _Leaf):
            origins[f"{prefix}{name}"] = part.origin
            values[name] = part.value
        else:
            values[name] = _unwrap(part, f"{prefix}{name}.", origins)
    return values


def _possible(check: Callable[[], bool]) -> bool:
    """Whether a check of a path holds; not for what no file can be called."""
    try:
        return check()
    except (OSError, ValueError):
        return False
