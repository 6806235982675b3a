"""Arguments of public functions: what does not fit its type hint is refused in one sentence."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set, ValuesView
from dataclasses import replace
from functools import cache, wraps
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import xarray as xr

from tradesim.common.errors import WRONG_NAME, InputError, Problem, nearest
from tradesim.common.text import FEW, control, named
from tradesim.economy.variables import VARIABLES
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.simulation.results import NEEDED

Args = ParamSpec("Args")
Value = TypeVar("Value")

WORDS: Mapping[Any, str] = {
    str: "text", bool: "True or False", int: "a whole number", float: "a number", Path: "a path",
    xr.Dataset: "results of a run", Callable: "a function", Mapping: "a mapping",
    Sequence: "a list of these"}
"""What an argument may be, by its type hint."""

JSON = ("scenario", "hashes", "partners")
"""Attributes of results that hold a mapping as JSON text."""

ALIASES = {"set": "settings", "format": "formats", "year": "years"}
"""Arguments that have another name than the option of the command."""

HINTS = {"--set ": "", "--draws N": "draws=N", "--seed S": "seed=S", "--count NAME": "count=...",
         "--method permutations": "method='permutations'", "--align": "align=True",
         "--keep-draws": "keep_draws=True"}
"""Options of commands in hints, as one writes them in Python."""


def checked(function: Callable[Args, Value]) -> Callable[Args, Value]:
    """Let a function refuse wrong arguments with an `InputError` that names them.

    Results are those of a run, and shown by their type only. Numbers, arrays and iterators are
    given on as Python's own numbers and lists. Options of commands in the function's messages
    become names of arguments.
    """
    known = inspect.signature(function)
    module = inspect.getmodule(function)

    @cache
    def hints() -> dict[str, Any]:
        written = {name: part.annotation for name, part in known.parameters.items()
                   if part.annotation is not part.empty and part.kind is not part.VAR_KEYWORD}
        return get_type_hints(SimpleNamespace(__annotations__=written), vars(module))

    @wraps(function)
    def call(*args: Args.args, **kwargs: Args.kwargs) -> Value:
        bound = _bound(function.__name__, known, hints(), args, kwargs)
        try:
            return function(*bound.args, **bound.kwargs)
        except InputError as error:
            renamed = [_renamed(problem, known.parameters) for problem in error.problems]
            if renamed == [*error.problems]:
                raise
            raise InputError(renamed) from None
        except OSError as error:
            if error.errno not in WRONG_NAME:
                raise
            raise InputError([Problem(str(error.filename or "a file")[:FEW], "",
                                      error.strerror or str(error))]) from error

    return call


def _bound(function: str, known: inspect.Signature, hints: Mapping[str, Any], args: Any,
           kwargs: Any) -> inspect.BoundArguments:
    """Give each argument its value, or say what is wrong with all of them."""
    try:
        bound = known.bind(*args, **kwargs)
    except TypeError as error:
        names = [name for name in known.parameters if name != "self"]
        new = re.search("keyword argument '(.+)'", str(error))
        raise InputError([Problem(function, "", f"{error}; known: {', '.join(names)}",
                                  nearest(new[1], names) if new else "")]) from None
    problems = []
    for name, hint in hints.items():
        if name not in bound.arguments:
            continue
        value = bound.arguments[name]
        several = known.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        values = [_plain(one, hint) for one in (value if several else [value])]
        bound.arguments[name] = tuple(values) if several else values[0]
        problems += [Problem(function, name, wrong) for one in values
                     if (wrong := _wrong(one, hint))]
    if problems:
        raise InputError(list(dict.fromkeys(problems)))
    return bound


def _plain(value: Any, hint: Any) -> Any:
    """Give a value as one of Python's own: arrays and iterators are lists, 5.0 is whole."""
    if isinstance(value, np.ndarray | np.generic | pd.Series | pd.Index):
        value = value.tolist()
    if isinstance(value, Iterator | Set | ValuesView):
        value = list(value)
    if isinstance(value, list | tuple | range):
        return [_plain(one, hint) for one in value]
    kinds = _kinds(hint)
    if isinstance(value, float) and value.is_integer() and int in kinds and float not in kinds:
        return int(value)
    return value


def _kinds(hint: Any) -> list[Any]:
    """Plain types of a type hint, those of lists too."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return list(dict.fromkeys(kind for part in get_args(hint) for kind in _kinds(part)))
    if origin is Sequence:
        return [*_kinds(get_args(hint)[0]), Sequence]
    return [Callable if hint is not NoneType and origin is not None and origin is not Mapping
            else origin or hint]


def _fits(value: Any, hint: Any) -> bool:
    origin = get_origin(hint)
    if hint is Any:
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, part) for part in get_args(hint))
    if origin is Sequence:
        return (isinstance(value, Sequence) and not isinstance(value, str | bytes)
                and all(_fits(one, get_args(hint)[0]) for one in value))
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    if origin is Mapping and isinstance(value, xr.Dataset):
        return False
    return isinstance(value, origin or hint)


def _wrong(value: Any, hint: Any) -> str:
    """Say what is wrong with a value, if anything."""
    if not _fits(value, hint):
        kinds = [WORDS.get(kind, f"a {getattr(kind, '__name__', kind)}") for kind in _kinds(hint)
                 if kind is not NoneType]
        allowed = " or ".join(filter(None, [", ".join(kinds[:-1]), kinds[-1]]))
        return f"must be {allowed}, not {_named(value, hint)}"
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, xr.Dataset) and (why := _no_results(one)):
            return f"must be results of a run as `run` or `load` gives them; {why}"
        if isinstance(one, str | Path) and (found := control(str(one))):
            return f"{str(one)[:FEW]!a} holds what is no text ({found})"
    return ""


def _no_results(dataset: xr.Dataset) -> str:
    """Why a dataset cannot be results of a run, if so."""
    attrs = dataset.attrs
    for name in ("run_id", "count", "target_count", *JSON):
        if not isinstance(attrs.get(name), str) or (name in JSON and not _is_json(attrs[name])):
            return f"this dataset has no attribute '{name}' of a run"
    for name in NEEDED:
        if name not in dataset.variables:
            return f"this dataset has no '{name}'"
        lost = {*(VARIABLES[name].dims if name in VARIABLES else ())} - {*dataset[name].dims}
        if lost:
            return f"its '{name}' has no axis '{min(lost)}'"
    labels = {"case": (REFERENCE, SCENARIO, IMPLEMENTED), "importer": json.loads(attrs["partners"]),
              "count": (attrs["count"], attrs["target_count"])}
    for axis, needed in labels.items():
        gone = [label for label in needed if label not in dataset[axis].to_numpy()]
        if gone:
            return f"its axis '{axis}' has no '{gone[0]}'"
    return next((f"its axis '{axis}' is empty" for axis in ("draw", "year")
                 if not dataset.sizes[axis]), "")


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _named(value: Any, hint: Any) -> str:
    """Name what was given; of a list, what in it is wrong."""
    if isinstance(value, list) and Sequence in _kinds(hint):
        parts = [part for part in get_args(hint) or [hint] if get_origin(part) is Sequence]
        one = next(one for one in value if not any(_fits([one], part) for part in parts))
        return f"a list with {named(one)}"
    return named(value)


def _renamed(problem: Problem, known: Mapping[str, Any]) -> Problem:
    """Name the argument instead of the option of the command."""
    file, key, hint = problem.file, problem.key, problem.hint
    for option, argument in HINTS.items():
        hint = hint.replace(option, argument)
    if file.startswith("--"):
        option, _, value = file[2:].replace("-", "_").partition(" ")
        if option == "set" and key in known:
            file, key = key, ""
        else:
            file = option if option in known else ALIASES.get(option, option)
            key = ": ".join(filter(None, [value, key]))
    return replace(problem, file=file, key=key, hint=hint)
