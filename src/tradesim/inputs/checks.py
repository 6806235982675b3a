"""What pydantic found, as problems in plain words with file, line and column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.strict_yaml import Places, kind

Made = TypeVar("Made")

KEYS = ("bounds", "distribution", "default", "allowed")
"""Keys that a check of a whole entry may name at the start of its message."""


def problem(file: str, key: str, places: Places, message: str, hint: str = "") -> Problem:
    """Give a problem its place: the key's own, or that of the nearest enclosing key."""
    at = key
    while at and at not in places:
        at = at.rpartition(".")[0]
    line, column = places.get(at, (None, None))
    return Problem(file, key, message, hint, line, column)


def problems_of(error: ValidationError, file: str, key: str, places: Places) -> list[Problem]:
    """Turn what pydantic found into problems with places and plain words."""
    found = []
    for item in error.errors():
        parts = [str(part) for part in item["loc"]]
        if len(parts) > 1 and parts[0] == "distribution":
            del parts[1]
        if len(parts) == 1 and parts[0] in ("low", "high"):
            parts = ["bounds"]
        elif parts and parts[0] == "values":
            parts[0] = "allowed"
        message = words(dict(item))
        if item["type"] == "value_error" and message.split(":")[0] in KEYS:
            head, _, message = message.partition(": ")
            parts.append(head)
        found.append(problem(file, ".".join([key, *parts] if key else parts), places, message))
    return found


def words(item: dict[str, Any]) -> str:
    """Say in plain words what one pydantic error means."""
    sort, got, context = item["type"], item["input"], item.get("ctx", {})
    kinds = str(context.get("expected_tags", "")).replace("'", "")
    plain = {"missing": "is missing", "extra_forbidden": "unknown key",
             "union_tag_not_found": "must say its kind",
             "union_tag_invalid": f"unknown kind {context.get('tag')!r}; known: {kinds}",
             "string_too_short": "must not be empty",
             "too_short": f"must hold {context.get('min_length')} or more"}
    if sort in plain:
        return plain[sort]
    if sort == "value_error":
        return str(context["error"])
    wanted = {"float_type": "a number", "int_type": "a whole number", "string_type": "text",
              "bool_type": "true or false", "list_type": "a list", "dict_type": "a mapping",
              "finite_number": "a finite number", "model_type": "a mapping",
              "model_attributes_type": "a mapping", "tuple_type": "a list"}
    if sort in wanted:
        return f"must be {wanted[sort]}, not {kind(got)}" + shown(got)
    if sort == "literal_error":
        return f"must be {str(context['expected']).replace(chr(39), '')}, not {got!r}"
    return f"{item['msg'].lower().replace('input should', 'must')}, not {got!r}"


def shown(value: Any) -> str:
    """Show a short value in brackets after its kind."""
    return f" ({value!r})" if isinstance(value, str | int | float) and len(str(value)) < 40 else ""


def gathered(data: Mapping[str, Any],
             make: Callable[[str, Any], Made | list[Problem]]) -> dict[str, Made]:
    """Make something of every entry of a file, or refuse the file with every problem.

    Parameters
    ----------
    data
        Entries by name.
    make
        What is made of a name and its entry, or a list of what is wrong with it.

    Raises
    ------
    InputError
        With the problems of all entries, in their order.
    """
    found: dict[str, Made] = {}
    problems: list[Problem] = []
    for name, entry in data.items():
        made = make(name, entry)
        if isinstance(made, list):
            problems += made
        else:
            found[name] = made
    if problems:
        raise InputError(problems)
    return found
