"""CSV tables read strictly: what stands in the file, or every problem with its line and column.

Codes stay text (``NO``, ``0101``), numbers must be plain decimal numbers, and nothing becomes
a silent NaN: an empty cell is a problem unless its column says that it may be empty.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import content
from tradesim.common.text import control

Kind = Literal["text", "integer", "number", "year"]

YEARS = (1900, 2200)
"""Years that a column of kind ``year`` may hold."""

MAX_PROBLEMS = 50
"""Problems listed in full; more are only counted."""

_DECIMAL = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_INTEGER = re.compile(r"[-+]?\d+")


@dataclass(frozen=True)
class Column:
    """What one column of a table may hold."""

    name: str  #: heading of the column
    kind: Kind  #: ``text``, ``integer``, ``number`` or ``year``
    #: whether every cell must be filled. A column that is not required may also be absent; empty
    #: cells are an empty text or NaN
    required: bool = True
    #: least and greatest number allowed
    low: float | None = None
    high: float | None = None
    allowed: Sequence[str] | None = None  #: codes allowed; None for any text


GRADES = ("A", "B", "C", "D")
SOURCES = (Column("grade", "text", allowed=GRADES), Column("source", "text"),
           Column("url", "text", required=False), Column("note", "text", required=False))
"""Columns that say where a row comes from and how good it is."""


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, Any]


def read_table(path: Path, columns: Sequence[Column], key: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file and check every cell; a column that is not listed is a problem.

    Where the table has columns ``low`` and ``high``, the number column listed just before
    ``low`` must lie between them in every row. The columns named in `key` must together be
    different in every row.

    Raises
    ------
    InputError
        With every problem of the file: line, column, value and what is allowed.
    """
    file = str(path)
    header, lines = _split(path)
    problems = _heading_problems(file, header, columns)
    rows: list[_Row] = []
    for number, fields in lines:
        if len(fields) != len(header):
            problems.append(Problem(file, "", f"{len(fields)} cells, but the heading has "
                                    f"{len(header)}", line=number))
            continue
        texts = dict(zip(header, fields, strict=True))
        checked = {column.name: _cell(column, texts[column.name]) if column.name in texts
                   else (_empty(column), "", "") for column in columns}
        problems += [Problem(file, name, message, hint, number)
                     for name, (_, message, hint) in checked.items() if message]
        cells = {name: value for name, (value, _, _) in checked.items()}
        problems += _order_problems(file, number, cells, columns)
        rows.append(_Row(number, cells))
    if not lines:
        problems.append(Problem(file, "", "the table has a heading but no rows"))
    problems += _key_problems(file, rows, [name for name in key if name in header])
    if problems:
        problems.sort(key=lambda problem: problem.line or 0)
        raise InputError(_shortened(file, problems))
    return pd.DataFrame({column.name: [row.cells[column.name] for row in rows]
                         for column in columns})


def _split(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Heading and rows of a file, each row with the line on which it starts."""
    try:
        data = content(Path(path))
    except OSError as error:
        reason = ("file not found" if isinstance(error, FileNotFoundError)
                  else "is a folder, not a file" if isinstance(error, IsADirectoryError)
                  else f"cannot be read: {error.strerror or error}")
        raise InputError([Problem(str(path), "", reason)]) from error
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[:error.start].count(b"\n") + 1
        raise InputError([Problem(str(path), "", "is not UTF-8 text", "save it as UTF-8",
                                  line)]) from error
    if "\0" in text:
        raise InputError([Problem(str(path), "", "holds zero bytes, so it is not a text table")])
    if found := control(text):
        raise InputError([Problem(str(path), "", f"holds a control character ({found})",
                                  "leave it out")])
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows, start = [], 1
    try:
        for fields in reader:
            if fields:
                rows.append((start, fields))
            start = reader.line_num + 1
    except csv.Error as error:
        raise InputError([Problem(str(path), "", f"is no CSV table: {error}",
                                  line=max(reader.line_num, 1))]) from error
    if not rows:
        raise InputError([Problem(str(path), "", "the file is empty")])
    return rows[0][1], rows[1:]


def _heading_problems(file: str, header: Sequence[str],
                      columns: Sequence[Column]) -> list[Problem]:
    if len(header) == 1 and len(columns) > 1 and re.search("[;\t]", header[0]):
        return [Problem(file, "", "has one column only", "separate the columns by commas", 1)]
    return _column_problems(file, header, columns)


def _column_problems(file: str, header: Sequence[str],
                     columns: Sequence[Column]) -> list[Problem]:
    known = [column.name for column in columns]
    names = list(dict.fromkeys(header))
    extra = [name for name in names if name not in known]
    absent = [name for name in known if name not in names]
    repeated = [Problem(file, name, "column stands twice", line=1)
                for name in names if header.count(name) > 1]
    unknown = [Problem(file, name, "unknown column",
                       nearest(name, absent) or f"known columns: {', '.join(known)}", 1)
               for name in extra]
    missing = [Problem(file, column.name, "column missing",
                       _renamed(nearest(column.name, extra)), 1)
               for column in columns if column.required and column.name in absent]
    return [*repeated, *unknown, *missing]


def _renamed(guess: str) -> str:
    return guess.replace("did you mean", "is it").replace("?", " under another name?")


def _empty(column: Column) -> Any:
    return "" if column.kind == "text" else math.nan


def _cell(column: Column, text: str) -> tuple[Any, str, str]:
    """Value of one cell, or what is wrong with it and a hint."""
    if text.strip() == "":
        return _empty(column), "must not be empty" if column.required else "", ""
    if column.kind == "text":
        if column.allowed is not None and text not in column.allowed:
            hint = nearest(text, column.allowed) or f"known: {', '.join(column.allowed)}"
            return text, f"'{text}' is unknown", hint
        return text, "", ""
    return _number(column, text)


def _number(column: Column, text: str) -> tuple[Any, str, str]:
    integer = column.kind != "number"
    if not (_INTEGER if integer else _DECIMAL).fullmatch(text.strip()):
        return math.nan, f"'{text}' is not a {'whole ' if integer else ''}number", ""
    value = int(text) if integer else float(text)
    low, high = YEARS if column.kind == "year" else (column.low, column.high)
    if not math.isfinite(value):
        return math.nan, f"'{text}' is too large", ""
    if (low is not None and value < low) or (high is not None and value > high):
        return value, f"{text.strip()} is out of range", _range(low, high)
    return value, "", ""


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"allowed {low:g} to {high:g}"


def _order_problems(file: str, line: int, cells: dict[str, Any],
                    columns: Sequence[Column]) -> list[Problem]:
    """Check that the central value lies between the columns ``low`` and ``high``."""
    names = [column.name for column in columns]
    if "low" not in names or "high" not in names:
        return []
    before = [column.name for column in columns[:names.index("low")] if column.kind == "number"]
    ordered = ["low", *before[-1:], "high"]
    values = [cells[name] for name in ordered if not math.isnan(cells[name])]
    if values == sorted(values):
        return []
    row = ", ".join(f"{name} {cells[name]:g}" for name in ordered)
    return [Problem(file, ordered[1], f"out of order: {row}",
                    f"must be {' <= '.join(ordered)}", line)]


def _key_problems(file: str, rows: Sequence[_Row], key: Sequence[str]) -> list[Problem]:
    problems, seen = [], dict[tuple[Any, ...], int]()
    for row in rows if key else ():
        code = tuple(row.cells[name] for name in key)
        if code in seen:
            text = ", ".join(map(str, code))
            problems.append(Problem(file, ", ".join(key), f"'{text}' stands twice, first on line "
                                    f"{seen[code]}", line=row.line))
        seen.setdefault(code, row.line)
    return problems


def _shortened(file: str, problems: list[Problem]) -> list[Problem]:
    more = len(problems) - MAX_PROBLEMS
    if more <= 0:
        return problems
    return [*problems[:MAX_PROBLEMS], Problem(file, "", f"and {more} more problems")]
