"""Bytes of a file as tables of text: CSV in several encodings, workbooks, web pages."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from tradesim.common.errors import InputError, Problem
from tradesim.common.extras import install
from tradesim.common.files import content
from tradesim.inputs.trade_files.layouts import HEADING_ROWS
from tradesim.inputs.trade_files.web_page import grids, page_title

if TYPE_CHECKING:
    import pandas as pd

SEPARATORS = (",", ";", "\t", "|")
HEAD = 1 << 18
"""Bytes in which heading and separator are looked for."""


@dataclass(frozen=True)
class Sheet:
    """One table of text.

    `body` gives the rows below the heading in row `row`, of the columns asked for by number; its
    index is the line or row of the file.
    """

    name: str
    head: tuple[tuple[str, ...], ...]
    body: Callable[[int, Sequence[int]], pd.DataFrame]
    said: tuple[str, ...] = ()  #: what was mended, for the user


def read_sheets(path: Path) -> list[Sheet]:
    """Read all tables of a file.

    Raises
    ------
    InputError
        When the file is missing, empty, packed, a document, a web page without a table of trade,
        or in no known encoding; when a workbook is to be read without python-calamine.
    """
    data = _bytes(path)
    start = data[:4096].lstrip().lower()
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        return list(_workbook(path, data))
    if data[:4] == b"%PDF" or data[:2] == b"\x1f\x8b":
        what = "a PDF document" if data[:4] == b"%PDF" else "packed (gzip)"
        raise _refusal(path, f"is {what}, not a table", "unpack or export it as CSV or XLSX")
    if start.startswith((b"<", b"\xef\xbb\xbf<")) or b"<html" in start:
        return _web_page(path, data)
    if start.startswith((b"{", b"[")):
        raise _refusal(path, "is JSON, an answer of a service to a program",
                       "ask the service for CSV")
    return [*_text(path, data)]


def _refusal(path: Path, message: str, hint: str = "") -> InputError:
    return InputError([Problem(str(path), "", message, hint)])


def _bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise _refusal(path, "is a folder or a device, not a file")
        data = content(path)
    except OSError as error:
        raise _refusal(path, "file not found" if isinstance(error, FileNotFoundError)
                       else f"cannot be read: {error.strerror or error}") from error
    if not data.strip():
        raise _refusal(path, "the file is empty")
    return data


def _decoded(path: Path, data: bytes) -> tuple[str, tuple[str, ...]]:
    """Text, and what to say of its encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), ("it is UTF-16 text",)
    if b"\0" in data[:HEAD]:
        raise _refusal(path, "holds zero bytes, so it is no table of text", "save it as CSV, UTF-8")
    try:
        return data.decode("utf-8-sig"), ()
    except UnicodeDecodeError:
        text = data.decode("cp1251", errors="replace")
        return text, ("it is no UTF-8 text; read in the encoding cp1251",)


def _text(path: Path, data: bytes) -> Iterator[Sheet]:
    text, said = _decoded(path, data)
    for separator in sorted(SEPARATORS, key=lambda mark: -text[:HEAD].count(mark)):
        if separator in text[:HEAD]:
            yield Sheet("", _first_rows(text, separator), partial(_body, path, text, separator),
                        said)
    if not any(separator in text[:HEAD] for separator in SEPARATORS):
        raise _refusal(path, "is no table: one column only",
                       "separate the columns by commas, and save it as CSV")


def _body(path: Path, text: str, separator: str, row: int, columns: Sequence[int]) -> pd.DataFrame:
    """Read the rows below the heading; the index is the line of the file on which each ends."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        width = len(next(islice(reader, row, None)))
        lines, cells = [], []
        chosen = sorted(set(columns))
        pick = itemgetter(*chosen, 0)  # the first once more: of one column it makes a tuple too
        for fields in reader:
            if len(fields) != width:
                fields = _fitted(path, fields, width, reader.line_num)
            if fields:
                lines.append(reader.line_num)
                cells.append(pick(fields)[:-1])
    except csv.Error as error:
        raise InputError([Problem(str(path), "", f"is no CSV table: {error}", "download it again, "
                                  "or save it as CSV, UTF-8", reader.line_num)]) from error
    return _frame(cells, chosen, lines)


def _fitted(path: Path, fields: list[str], width: int, line: int) -> list[str]:
    """Make a row as wide as the heading: empty cells at its end are no harm, others are."""
    if any(cell.strip() for cell in fields[width:]):
        raise InputError([Problem(
            str(path), "", f"{len(fields)} cells, but the heading has {width}",
            "text that holds a separator must stand in quotation marks", line)])
    return [*fields[:width], *[""] * (width - len(fields))] if fields else fields


def _frame(cells: Sequence[Sequence[str]], columns: Sequence[int],
           lines: Sequence[int]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(cells, index=list(lines), columns=list(columns), dtype=object)


def _first_rows(text: str, separator: str) -> tuple[tuple[str, ...], ...]:
    rows: list[tuple[str, ...]] = []
    try:
        for row in csv.reader(io.StringIO(text[:HEAD], newline=""), delimiter=separator):
            rows.append(tuple(row))
            if len(rows) >= HEADING_ROWS:
                break
    except csv.Error:
        pass
    return tuple(rows)


def _listed(name: str, rows: Sequence[Sequence[str]], said: tuple[str, ...] = ()) -> Sheet:
    def body(row: int, columns: Sequence[int]) -> pd.DataFrame:
        chosen = sorted(set(columns))
        filled = [number for number in range(row + 1, len(rows)) if any(rows[number])]
        return _frame([[rows[number][k] if k < len(rows[number]) else "" for k in chosen]
                       for number in filled], chosen, [number + 1 for number in filled])

    return Sheet(name, tuple(map(tuple, rows[:HEADING_ROWS])), body, said)


def _workbook(path: Path, data: bytes) -> Iterator[Sheet]:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise _refusal(path, "is a workbook; reading it needs the extra [import]",
                       f"{install('import')}, or save it as CSV") from error
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            yield _listed(name, [[_cell(cell) for cell in row] for row in rows])
    except (CalamineError, OSError, ValueError) as error:
        what = ("is packed (ZIP) or a damaged workbook" if data[:2] == b"PK"
                else "is a damaged workbook")
        raise _refusal(path, f"{what}: {error}", "unpack it, or download it again") from error


def _cell(value: object) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _web_page(path: Path, data: bytes) -> list[Sheet]:
    text, said = _decoded(path, data)
    found = [_listed("", rows, (*said, "it is a web page that calls itself a workbook"))
             for rows in grids(text)]
    if not found:
        title = page_title(text)
        raise _refusal(path, "is a web page" + (f" ('{title}')" if title else "")
                       + " without a table of trade, often the message of an error",
                       "download it again, and look at it in an editor before you import it")
    return found
