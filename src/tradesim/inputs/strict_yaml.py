"""YAML read strictly: what a file says is what the model gets, or an error with line and column.

Scalars follow the YAML 1.2 core schema, so ``NO``, ``on`` and ``1:30`` stay text. Refused, each
with its place: equal keys, keys that are not text, tags, anchors and aliases, several documents,
numbers that could be read in two ways (``010``) and numbers that are none (``.nan``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tradesim.common.errors import InputError, Problem

Places = Mapping[str, tuple[int, int]]

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
MAX_VALUES = 100_000
MAX_PROBLEMS = 50

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?")
_OTHER_BASE = re.compile(r"0[ox][0-9a-fA-F]+")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def scalar(text: str) -> str | int | float | bool | None:
    """Read one plain scalar by the YAML 1.2 core schema.

    Parameters
    ----------
    text
        The scalar as written, without quotes.

    Returns
    -------
    str, int, float, bool or None
        Its value; anything that is no number, truth value or null is text.

    Raises
    ------
    ValueError
        For a number that could be misread or is not finite; the message says what to write.
    """
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _LEADING_ZERO.fullmatch(text) or _OTHER_BASE.fullmatch(text):
        raise ValueError(f"the number {text} can be read in two ways; write it without leading "
                         f'zero, or "{text}" in quotes if it is a code')
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text} is not a finite number")
    if _INTEGER.fullmatch(text) and len(text) <= 30:
        return int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number) or len(text) > 30:
            raise ValueError(f"the number {text[:30]} is too large or has too many digits")
        return number
    return text


def load(path: str | Path, *, mapping: bool = True) -> Any:
    """Read a YAML file as plain dicts, lists and scalars.

    Parameters
    ----------
    path
        The file.
    mapping
        Whether the whole file must be a mapping (``key: value``).

    Raises
    ------
    InputError
        With every problem of the file.
    """
    return load_marked(path, mapping=mapping)[0]


def load_marked(path: str | Path, *, mapping: bool = True) -> tuple[Any, Places]:
    """Read a YAML file and say where everything stands in it.

    Parameters
    ----------
    path
        The file.
    mapping
        Whether the whole file must be a mapping (``key: value``).

    Returns
    -------
    data
        Plain dicts, lists and scalars.
    places
        Dotted key (``levers.road.start``, ``references.0.url``) to line and column, from 1.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    return parse(_text(Path(path)), str(path), mapping=mapping)


def parse(text: str, file: str, *, mapping: bool = True) -> tuple[Any, Places]:
    """Read YAML text that came from `file`; see `load_marked`."""
    reader = _Reader(file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not reader.take(event):
                break
    except (yaml.YAMLError, RecursionError) as error:
        reader.syntax(error, text)
    if not reader.problems:
        if reader.documents == 0 or (mapping and reader.data is None):
            reader.problem(None, "", "the file is empty")
        elif mapping and not isinstance(reader.data, dict):
            reader.problem(None, "", f"must hold 'key: value' pairs, not {kind(reader.data)}")
    if reader.problems:
        raise InputError(reader.problems)
    return reader.data, reader.places


def kind(value: Any) -> str:
    """Name the kind of a value read from YAML, in words for messages."""
    if value is None:
        return "nothing (null)"
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "text",
             list: "a list", dict: "a mapping"}
    return names.get(type(value), type(value).__name__)


def leaves(data: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every scalar, and of every empty list or mapping, in `data`."""
    children = (data.items() if isinstance(data, dict)
                else enumerate(data) if isinstance(data, list) else ())
    if not children:
        yield prefix, data
    for key, value in children:
        yield from leaves(value, f"{prefix}.{key}" if prefix else str(key))


def _text(path: Path) -> str:
    def stop(message: str) -> InputError:
        return InputError([Problem(str(path), "", message)])

    try:
        if path.is_dir():
            raise stop("is a directory, not a YAML file")
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise stop(f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise stop("is not a possible file name") from error
    if len(raw) > MAX_BYTES:
        raise stop(f"is larger than {MAX_BYTES // 1_000_000} MB, too large for a file of settings")
    if b"\0" in raw:
        raise stop("is a binary file, not text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError([Problem(str(path), "", "is not UTF-8 text; save it as UTF-8",
                                  line=line)]) from error


@dataclass
class _Level:
    """One open mapping or list: what is in it and where the next value goes."""

    data: Any
    prefix: str
    key: str | None = None
    awaits_key: bool = True
    first: dict[str, int] = field(default_factory=dict)


class _Reader:
    """Builds plain data from parse events; keeps every problem with its place."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.data: Any = None
        self.places: dict[str, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self.documents = 0
        self._levels: list[_Level] = []
        self._values = 0

    def problem(self, mark: Any, key: str, message: str, hint: str = "") -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        self.problems.append(Problem(self.file, key, message, hint, line, column))

    def syntax(self, error: Exception, text: str) -> None:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        if isinstance(error, RecursionError) or _open_brackets(text, mark) > MAX_DEPTH:
            self.problem(mark, "", TOO_DEEP)  # some parsers refuse deep nesting themselves
            return
        context, opened = getattr(error, "context", None), getattr(error, "context_mark", None)
        if context and opened and mark and opened.line != mark.line:
            context = f"{context} (from line {opened.line + 1})"
        parts = [context, getattr(error, "problem", None)]
        words = ", ".join(part for part in parts if part) or str(error).split("\n")[0]
        hint = ("put text that holds ': ' in quotes" if "mapping values" in words
                else "indent with spaces, not tabs, and quote text that starts with @, ` or %"
                if "cannot start any token" in words else "")
        self.problem(mark, "", f"is not valid YAML: {words}", hint)

    def take(self, event: Any) -> bool:
        """Use one event; False when reading on would be useless."""
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.problem(event.start_mark, "", "holds a second document after '---'",
                             "one file holds one mapping")
                return False
        elif isinstance(event, yaml.AliasEvent):
            self._value(event, None, f"aliases (*{event.anchor}) are not allowed; write the value "
                                     "out")
        elif isinstance(event, yaml.NodeEvent):
            self._node(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._levels.pop()
        return self._room(event)

    def _room(self, event: Any) -> bool:
        if len(self._levels) > MAX_DEPTH:
            self.problem(event.start_mark, "", TOO_DEEP)
        elif self._values > MAX_VALUES:
            self.problem(event.start_mark, "", f"holds more than {MAX_VALUES:,} values")
        elif len(self.problems) < MAX_PROBLEMS:
            return True
        return False

    def _node(self, event: Any) -> None:
        wrong = ""
        if event.anchor is not None:
            wrong = f"anchors (&{event.anchor}) are not allowed; write the value out"
        elif event.tag is not None and not (event.tag == "!" and _is_scalar(event)):
            wrong = f"tags ({event.tag}) are not allowed"
        if not _is_scalar(event):
            data: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
            key = self._value(event, data, wrong)
            self._levels.append(_Level(data, key))
            return
        value: Any = event.value
        if event.implicit[0] and not wrong:
            try:
                value = scalar(event.value)
            except ValueError as error:
                wrong, value = str(error), event.value
        self._value(event, value, wrong)

    def _value(self, event: Any, value: Any, wrong: str) -> str:
        """Put a value where it belongs; returns its dotted key."""
        self._values += 1
        level = self._levels[-1] if self._levels else None
        if level is not None and isinstance(level.data, dict) and level.awaits_key:
            return self._key(level, event, value, wrong)
        dotted = self._place(level, event, value)
        if wrong:
            self.problem(event.start_mark, dotted, wrong)
        return dotted

    def _place(self, level: _Level | None, event: Any, value: Any) -> str:
        if level is None:
            self.data = value
            return ""
        if isinstance(level.data, dict):
            level.awaits_key = True
            if level.key is None:
                return level.prefix
            level.data[level.key] = value
            return _joined(level.prefix, level.key)
        dotted = _joined(level.prefix, str(len(level.data)))
        level.data.append(value)
        self.places[dotted] = (event.start_mark.line + 1, event.start_mark.column + 1)
        return dotted

    def _key(self, level: _Level, event: Any, value: Any, wrong: str) -> str:
        level.awaits_key, level.key = False, None
        mark = event.start_mark
        if wrong or not isinstance(value, str):
            shown = getattr(event, "value", "")
            hint = f'write "{shown}" in quotes' if shown and not wrong else ""
            what = f"the key {shown} is" if shown else "a key is"
            self.problem(mark, level.prefix, wrong or f"{what} {kind(value)}, not text", hint)
        elif value in level.first:
            self.problem(mark, _joined(level.prefix, value),
                         f"stands twice, first in line {level.first[value]}", "keep one of them")
        else:
            level.key, level.first[value] = value, mark.line + 1
            self.places[_joined(level.prefix, value)] = (mark.line + 1, mark.column + 1)
        return level.prefix


def _open_brackets(text: str, mark: Any) -> int:
    """Count the lists and mappings in brackets that are open where a parser stopped."""
    before = text[:mark.index] if mark else text
    return sum(before.count(sign) for sign in "[{") - sum(before.count(sign) for sign in "]}")


def _is_scalar(event: Any) -> bool:
    return isinstance(event, yaml.ScalarEvent)


def _joined(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key
