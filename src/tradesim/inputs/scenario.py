"""A scenario: a YAML file, with inheritance, as a checked object that knows where it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import scenarios_folder
from tradesim.inputs.distributions import Strict
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.scenario_schema import (
    Known,
    check,
    disordered,
    json_schema,
    unanswered,
    whole,
)
from tradesim.inputs.strict_yaml import Places, load_marked, scalar

__all__ = ["Known", "Reference", "Scenario", "find", "json_schema", "merge", "read_scenario",
           "shipped"]

DRAWS, SEED = 2000, 1
SUFFIXES = (".yaml", ".yml")


class Reference(Strict):
    """Where something in a scenario was read."""

    title: str
    url: str = ""


class Scenario(Strict):
    """What is asked of the model, resolved and checked.

    Attributes
    ----------
    name
        Name of the file, without its ending.
    title, question
        For people.
    levers
        Levers pulled, each with the settings that differ from its defaults.
    parameters
        Numbers taken as given instead of drawn.
    specification, closure, imbalances
        How the reference path is specified, whether wages and spending follow trade, and what
        that closure holds of trade imbalances.
    horizon
        Last year of the run.
    draws, seed
        How many draws, and from which seed.
    references, not_modelled
        What the scenario rests on and what it leaves out.
    origins
        Dotted key of each value to where it was set: file and line, or the command line.
    """

    name: str
    title: str
    question: str
    levers: dict[str, dict[str, int | float | str]] = Field(default_factory=dict)
    parameters: dict[str, float] = Field(default_factory=dict)
    specification: str = "stacked"
    closure: str = "none"
    imbalances: str = "multiplicative"
    horizon: int
    draws: int = DRAWS
    seed: int = SEED
    references: list[Reference] = Field(default_factory=list)
    not_modelled: list[str] = Field(default_factory=list)
    origins: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True)
class _File:
    """One file of the chain, or one override."""

    label: str
    data: dict[str, Any]
    places: Places


@dataclass(frozen=True)
class _Leaf:
    value: Any
    origin: str


def shipped() -> list[str]:
    """Names of the scenarios that come with tradesim."""
    return sorted(path.stem for path in scenarios_folder().glob("*.yaml"))


def find(path_or_name: str | Path) -> Path:
    """Find the file of a scenario: a path ending in .yaml, or the name of a shipped scenario.

    Parameters
    ----------
    path_or_name
        Path of a file (the ending may be left out), or a shipped scenario's name.

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
    if text and _is_file(Path(f"{text}.yaml")):
        return Path(f"{text}.yaml")
    if _exists(path) and text:
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
        ``draws=500``, ``pact=null``.

    Raises
    ------
    InputError
        With every problem of every file of the chain, and of the overrides.
    """
    path = find(path_or_name)
    files, problems = _chain(path, known)
    for text in overrides:
        layer, wrong = _override(text, known)
        problems += wrong
        files.append(layer)
    if problems:
        raise InputError(problems)
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for file in files:
        said = {key: value for key, value in file.data.items() if key != "extends"}
        merged = merge(merged, _leaves(said, "", file))
        origins |= {f"levers.{name}": _origin(file, f"levers.{name}")
                    for name in file.data.get("levers") or {}}
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


def _scenario(name: str, values: dict[str, Any], origins: dict[str, str],
              known: Known) -> Scenario:
    defaults = {"horizon": (known.pair.horizon, "pair.yaml"), "draws": (DRAWS, "default"),
                "seed": (SEED, "default")}
    for key, (value, origin) in defaults.items():
        if key not in values:
            values[key], origins[key] = value, origin
        values[key] = whole(values[key])
    for key, (allowed, _) in known.choices.items():
        if key not in values:
            values[key], origins[key] = allowed[0], "default"
    for lever, settings in values.get("levers", {}).items():
        for key, value in settings.items():
            setting = known.levers[lever].settings[key]
            if isinstance(setting, Parameter):
                settings[key] = whole(value) if setting.integer else float(value)
            else:
                settings[key] = ", ".join(setting.names(value))
    values["parameters"] = {key: float(value)
                            for key, value in values.get("parameters", {}).items()}
    return Scenario(name=name, origins=origins, **values)


def _chain(path: Path, known: Known) -> tuple[list[_File], list[Problem]]:
    """Files from the oldest parent to `path`, and what is wrong with each."""
    files: list[_File] = []
    problems: list[Problem] = []
    seen: list[Path] = []
    following: Path | None = path
    while following is not None:
        file = following
        data, places = load_marked(file)
        seen.append(file.resolve())
        problems += check(data, places, str(file), known)
        files.insert(0, _File(_label(file, path), data, places))
        following = None
        if isinstance(wanted := data.get("extends"), str) and wanted.strip():
            found = _parent(file, wanted)
            line, column = places["extends"]
            if isinstance(found, Path) and found.resolve() in seen:
                names = [step.name for step in (*seen, found.resolve())]
                found = f"goes round in a loop: {' -> '.join(names)}"
            if isinstance(found, Path):
                following = found
            else:
                problems.append(Problem(str(file), "extends", found, "", line, column))
    return files, problems


def _parent(file: Path, wanted: str) -> Path | str:
    """File of the parent, or what is wrong with its name."""
    names = shipped()
    ours = scenarios_folder()
    if wanted in names:
        return ours / f"{wanted}.yaml"
    ending = "" if wanted.endswith(SUFFIXES) else ".yaml"
    for folder in (file.parent, ours):
        try:
            found = folder / f"{wanted}{ending}"
            inside = found.resolve().is_relative_to(folder.resolve())
        except (OSError, ValueError):
            return f"{wanted!r} is not a possible file name"
        if Path(wanted).is_absolute() or not inside:
            return (f"'{wanted}' leaves the folder of the file; a parent stands beside the file, "
                    f"or is shipped: {', '.join(names)}")
        if _exists(found):
            return found
    guess = nearest(wanted.removesuffix(".yaml"), names)
    return (f"there is no scenario '{wanted}' beside the file, nor among the shipped: "
            f"{', '.join(names)}" + (f"; {guess}" if guess else ""))


def _override(text: str, known: Known) -> tuple[_File, list[Problem]]:
    def wrong(message: str, hint: str = "") -> tuple[_File, list[Problem]]:
        return _File("--set", {}, {}), [Problem("--set", text, message, hint)]

    key, equals, written = text.partition("=")
    key, written = key.strip(), written.strip()
    if not equals or not key:
        return wrong("must read KEY=VALUE, such as draws=500")
    try:
        value: Any = {} if written == "{}" else scalar(written)
    except ValueError as error:
        return wrong(str(error))
    if len(written) > 1 and written[0] == written[-1] and written[0] in "'\"":
        value = written[1:-1]
    section, _, rest = key.partition(".")
    if section in ("levers", "parameters") and rest:
        key, section = rest, section
    elif key in known.parameters:
        section = "parameters"
    elif section in known.levers:
        section = "levers"
    elif key in known.keys and key != "extends":
        section = ""
    else:
        names = [*known.keys, *known.parameters, *known.levers,
                 *(setting.name for lever in known.levers.values()
                   for setting in lever.settings.values())]
        return wrong("unknown key", nearest(key, names) or "`tradesim levers` lists levers, "
                     "calibration/parameters.yaml parameters")
    data: dict[str, Any] = {key: value}
    if section == "levers":
        lever, _, setting = key.partition(".")
        data = {"levers": {lever: {setting: value} if setting else value}}
    elif section == "parameters":
        data = {"parameters": {key: value}}
    return _File("--set", data, {}), check(data, {}, "--set", known)


def _label(file: Path, first: Path) -> str:
    """Name of a file as origins show it: no absolute paths, so results do not depend on them."""
    for folder, prefix in ((scenarios_folder(), "scenarios/"), (first.parent, "")):
        if file.resolve().is_relative_to(folder.resolve()):
            return prefix + file.resolve().relative_to(folder.resolve()).as_posix()
    return file.name


def _origin(file: _File, key: str) -> str:
    return f"{file.label}:{file.places[key][0]}" if key in file.places else file.label


def _leaves(data: Mapping[str, Any], prefix: str, file: _File) -> dict[str, Any]:
    marked: dict[str, Any] = {}
    for name, value in data.items():
        key = f"{prefix}{name}"
        marked[name] = (_leaves(value, f"{key}.", file) if isinstance(value, Mapping)
                        else None if value is None else _Leaf(value, _origin(file, key)))
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


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
