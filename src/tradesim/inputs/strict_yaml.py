"""YAML read strictly: what a file says is what the model gets, or errors with line and column.

Scalars follow the YAML 1.2 core schema, so ``NO``, ``on`` and ``1:30`` stay text. Refused, each
with its position: equal keys, keys that are not text, tags, anchors and aliases, several documents,
numbers that could be read in two ways (``010``) and numbers that are none (``.nan``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import content, plain
from tradesim.common.text import control

MAX_BYTES = 1_000_000
MAX_DEPTH = 20
TOO_DEEP = f"is nested deeper than {MAX_DEPTH} levels"
MAX_VALUES = 100_000
MAX_PROBLEMS = 50

Model = TypeVar("Model", bound=BaseModel)
Entry = TypeVar("Entry")

_KEYS = ("bounds", "distribution", "default", "allowed")
"""Keys that a check of a whole entry may name at the start of its message."""
_TYPES = {"float_type": "a number", "int_type": "a whole number", "string_type": "text",
          "bool_type": "true or false", "list_type": "a list", "dict_type": "a mapping",
          "finite_number": "a finite number", "model_type": "a mapping",
          "model_attributes_type": "a mapping", "tuple_type": "a list"}
_MESSAGES = {"missing": "is missing", "extra_forbidden": "unknown key",
             "union_tag_not_found": "must say its kind", "string_too_short": "must not be empty",
             "too_short": "must hold {min_length} or more"}

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
    """Read one plain scalar by the YAML 1.2 core schema; what is nothing else is text.

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


class Document(NamedTuple):
    """A YAML file as plain dicts, lists and scalars, with where everything stands in it."""

    data: Any  #: what the file says
    #: dotted key (``levers.road.start``, ``references.0.url``) to line and column, from 1
    positions: Mapping[str, tuple[int, int]]
    file: str  #: name of the file, for messages

    def problem(self, key: str, message: str, *hints: str) -> Problem:
        """Report a problem at the position of its key, or of the nearest enclosing one."""
        known = key
        while known and known not in self.positions:
            known = known.rpartition(".")[0]
        line, column = self.positions.get(known, (None, None))
        return Problem(self.file, key, message, "; ".join(filter(None, hints)), line, column)

    def problems(self, error: ValidationError, key: str) -> list[Problem]:
        """Report what pydantic found wrong with the entry of a key, in plain words."""
        return [self.problem(".".join(part for part in (key, *parts) if part), message)
                for parts, message in map(_located, error.errors())]

    def model(self, model: type[Model], key: str, entry: Any, known: Sequence[str],
              **given: Any) -> Model | list[Problem]:
        """Make a model of an entry, or list all that is wrong with it.

        Parameters
        ----------
        model
            The pydantic model.
        key, entry
            Dotted key of the entry, and what the file says there.
        known
            Keys that the entry may have.
        given
            Fields of the model that do not come from the entry.
        """
        if not isinstance(entry, dict):
            return [self.problem(key, f"must be a mapping, not {kind(entry)}")]
        wrong = [self.problem(_joined(key, part), f"unknown key; known: {', '.join(known)}",
                              nearest(part, known)) for part in entry if part not in known]
        fields = {part: value for part, value in entry.items() if part in known}
        try:
            checked = model(**fields | given)
        except ValidationError as error:
            return wrong + self.problems(error, key)
        return wrong or checked

    def entries(self, make: Callable[[str, Any], Entry | list[Problem]],
                key: str = "") -> dict[str, Entry]:
        """Make something of every entry below a key, or of the file, by name.

        Raises
        ------
        InputError
            With the problems of all entries, in their order.
        """
        results = {name: make(name, entry)
                   for name, entry in (self.data[key] if key else self.data).items()}
        problems = [problem for result in results.values() if isinstance(result, list)
                    for problem in result]
        if problems:
            raise InputError(problems)
        return {name: entry for name, entry in results.items() if not isinstance(entry, list)}


def load(path: str | Path, *, mapping: bool = True) -> Any:
    """Read the data of a YAML file; see `load_document`."""
    return load_document(path, mapping=mapping).data


def load_document(path: str | Path, *, mapping: bool = True) -> Document:
    """Read a YAML file, which must be a mapping (``key: value``) unless said otherwise.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    return parse(_text(Path(path)), str(path), mapping=mapping)


def parse(text: str, file: str, *, mapping: bool = True) -> Document:
    """Read YAML text that came from `file`; see `load_document`."""
    reader = _Reader(file)
    try:
        reader.read(yaml.parse(text, Loader=_LOADER))
    except _StopError:
        pass
    except (yaml.YAMLError, RecursionError) as error:
        reader.syntax(error, text)
    if not reader.problems:
        if reader.documents == 0 or (mapping and reader.data is None):
            reader.problem(None, "", "the file is empty")
        elif mapping and not isinstance(reader.data, dict):
            reader.problem(None, "", f"must hold 'key: value' pairs, not {kind(reader.data)}")
    if reader.problems:
        raise InputError(reader.problems)
    return Document(reader.data, reader.positions, file)


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


def shown(value: Any) -> str:
    """Show a short value in brackets after its kind."""
    return f" ({value!r})" if isinstance(value, str | int | float) and len(str(value)) < 40 else ""


def words(item: Mapping[str, Any]) -> str:
    """Say in plain words what one pydantic error means."""
    sort, got, context = item["type"], item["input"], item.get("ctx", {})
    if sort in _TYPES:
        return f"must be {_TYPES[sort]}, not {kind(got)}" + shown(got)
    if sort in _MESSAGES:
        return _MESSAGES[sort].format(**context)
    if sort == "value_error":
        return str(context["error"])
    if sort == "union_tag_invalid":
        known = context["expected_tags"].replace("'", "")
        return f"unknown kind {context['tag']!r}; known: {known}"
    if sort == "literal_error":
        return f"must be {context['expected'].replace(chr(39), '')}, not {got!r}"
    return f"{item['msg'].lower().replace('input should', 'must')}, not {got!r}"


def _located(item: Mapping[str, Any]) -> tuple[list[str], str]:
    """Key below the entry, as the file names it, and message of one pydantic error."""
    parts, message = [str(part) for part in item["loc"]], words(item)
    if len(parts) > 1 and parts[0] == "distribution":
        del parts[1]
    if len(parts) == 1 and parts[0] in ("low", "high"):
        parts = ["bounds"]
    elif parts and parts[0] == "values":
        parts[0] = "allowed"
    if item["type"] == "value_error" and message.split(":")[0] in _KEYS:
        key, _, message = message.partition(": ")
        parts.append(key)
    return parts, message


def _text(path: Path) -> str:
    def refusal(message: str, line: int | None = None) -> InputError:
        return InputError([Problem(str(path), "", message, line=line)])

    try:
        if path.is_dir():
            raise refusal("is a directory, not a YAML file")
        size = plain(path).stat().st_size
        raw = content(path) if size <= MAX_BYTES else b""
    except OSError as error:
        raise refusal(f"cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise refusal("is not a possible file name") from error
    if size > MAX_BYTES:
        raise refusal(f"is larger than {MAX_BYTES // 1_000_000} MB, too large for a file of "
                      "settings")
    if b"\0" in raw:
        raise refusal("is a binary file, not text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal("is not UTF-8 text; save it as UTF-8",
                      raw.count(b"\n", 0, error.start) + 1) from error


class _StopError(Exception):
    """The rest need not be read: the last problem says why, or there are too many."""


class _Reader:
    """Builds plain data from parse events; keeps every problem with its position."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.data: Any = None
        self.positions: dict[str, tuple[int, int]] = {}
        self.problems: list[Problem] = []
        self.documents = 0
        self._values = 0

    def read(self, events: Iterator[Any]) -> None:
        """Read a whole file."""
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                self.documents += 1
                if self.documents > 1:
                    self.problem(event, "", "holds a second document after '---'",
                                 "one file holds one mapping")
                    raise _StopError
            elif isinstance(event, yaml.NodeEvent):
                self.data = self._value(event, events, "", 1)

    def problem(self, at: Any, key: str, message: str, hint: str = "") -> None:
        """Keep a problem at an event, or at the mark of a syntax error."""
        mark = getattr(at, "start_mark", at)
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
        message = ", ".join(part for part in parts if part) or str(error).split("\n")[0]
        hint = ("put text that holds ': ' in quotes" if "mapping values" in message
                else "indent with spaces, not tabs, and quote text that starts with @, ` or %"
                if "cannot start any token" in message else "")
        self.problem(mark, "", f"is not valid YAML: {message}", hint)

    def _value(self, event: Any, events: Iterator[Any], key: str, depth: int) -> Any:
        """Value of the node that begins with an event, at a dotted key."""
        value, refusal = _node(event)
        if refusal:
            self.problem(event, key, refusal)
        return self._children(event, events, value, key, depth)

    def _children(self, event: Any, events: Iterator[Any], value: Any, key: str,
                  depth: int) -> Any:
        """Fill a list or mapping with what follows; any other value stays as it is."""
        self._values += 1
        self._within_limits(event, depth if isinstance(value, dict | list) else 0)
        if isinstance(value, list):
            while not isinstance(event := next(events), yaml.SequenceEndEvent):
                item = _joined(key, str(len(value)))
                self.positions[item] = (event.start_mark.line + 1, event.start_mark.column + 1)
                value.append(self._value(event, events, item, depth + 1))
        elif isinstance(value, dict):
            first: dict[str, int] = {}
            while not isinstance(event := next(events), yaml.MappingEndEvent):
                name = self._name(event, events, key, first, depth + 1)
                if name is None:
                    self._value(next(events), events, key, depth + 1)
                else:
                    value[name] = self._value(next(events), events, _joined(key, name), depth + 1)
        return value

    def _name(self, event: Any, events: Iterator[Any], prefix: str, first: dict[str, int],
              depth: int) -> str | None:
        """Key of a mapping, or None for one that is refused."""
        name, refusal = _node(event)
        key = _joined(prefix, name) if isinstance(name, str) else prefix
        if refusal or not isinstance(name, str):
            text = getattr(event, "value", "")
            hint = ("" if refusal or not text else f'write "{text}" in quotes'
                    + (", or a point where a comma begins decimals" * text.isdecimal()))
            subject = f"the key {text} is" if text else "a key is"
            self.problem(event, prefix, refusal or f"{subject} {kind(name)}, not text", hint)
        elif name in first:
            self.problem(event, key, f"stands twice, first in line {first[name]}",
                         "keep one of them")
        self._children(event, events, name, prefix, depth)
        if refusal or not isinstance(name, str) or name in first:
            return None
        first[name] = event.start_mark.line + 1
        self.positions[key] = (event.start_mark.line + 1, event.start_mark.column + 1)
        return name

    def _within_limits(self, event: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            self.problem(event, "", TOO_DEEP)
        elif self._values > MAX_VALUES:
            self.problem(event, "", f"holds more than {MAX_VALUES:,} values")
        elif len(self.problems) < MAX_PROBLEMS:
            return
        raise _StopError


def _node(event: Any) -> tuple[Any, str]:
    """Value that begins with an event, lists and mappings still empty, and why it is refused."""
    if isinstance(event, yaml.AliasEvent):
        return None, f"aliases (*{event.anchor}) are not allowed; write the value out"
    plain = isinstance(event, yaml.ScalarEvent)
    if plain and (found := control(event.value)):
        return "", f"holds a control character ({found}); leave it out"
    value: Any = (event.value if plain else
                  {} if isinstance(event, yaml.MappingStartEvent) else [])
    if event.anchor is not None:
        return value, f"anchors (&{event.anchor}) are not allowed; write the value out"
    if event.tag is not None and not (event.tag == "!" and plain):
        return value, f"tags ({event.tag}) are not allowed"
    if not plain or not event.implicit[0]:
        return value, ""
    try:
        return scalar(event.value), ""
    except ValueError as error:
        return value, str(error)


def _open_brackets(text: str, mark: Any) -> int:
    """Count the lists and mappings in brackets that are open where a parser stopped."""
    before = text[:mark.index] if mark else text
    return sum(before.count(sign) for sign in "[{") - sum(before.count(sign) for sign in "]}")


def _joined(prefix: str, key: str) -> str:
    return f"{prefix}.{key}" if prefix else key
