"""Tables as an Excel workbook: contents, one named sheet a table, charts that can be edited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from textwrap import wrap
from typing import Any

from tradesim.reports.colours import IMPLEMENTED, SCENARIO
from tradesim.reports.compare.tables import MONEY, RANGE, SHARE, TEXT, YEAR, Column, Table, heading
from tradesim.reports.wording import words

FORMATS = {MONEY: "#,##0.00;-#,##0.00;0", SHARE: "0.0%", YEAR: "0"}
HEADER = {"bold": True, "text_wrap": True, "valign": "bottom", "bottom": 1, "bg_color": "#E6EDF2"}
LONGEST, NUMBER, LINE = 60, 15, 15.0
"""Widths of columns, in characters: of the longest text, and of a number; height of a line."""

COLOURS = (SCENARIO, IMPLEMENTED)
"""Of the series of a chart: those of the figures."""

NAME = 31
"""Characters that Excel allows in the name of a sheet."""


def available() -> bool:
    """Whether the package that writes workbooks is installed."""
    return find_spec("xlsxwriter") is not None


def write(tables: Sequence[Table], path: Path, mark: str) -> None:
    """Write tables as a workbook with `mark` under each title; same tables, same bytes."""
    with import_module("xlsxwriter").Workbook(str(path)) as workbook:
        workbook.set_properties({"created": datetime(2000, 1, 1), "comments": mark})
        styles = {kind: workbook.add_format({"num_format": form, "valign": "top"})
                  for kind, form in FORMATS.items()}
        styles[TEXT] = workbook.add_format({"text_wrap": True, "valign": "top"})
        styles["title"] = workbook.add_format({"bold": True, "font_size": 13})
        styles["mark"] = workbook.add_format({"font_color": "#666666", "font_size": 9})
        styles["header"] = workbook.add_format(HEADER)
        styles["link"] = workbook.add_format({"font_color": "#004C7A", "underline": 1})
        names = _names([words("compare")["contents"]["sheet"], *(one.sheet for one in tables)])
        _contents(workbook.add_worksheet(names[0]), names[1:], tables, styles, mark)
        for name, table in zip(names[1:], tables, strict=True):
            sheet = workbook.add_worksheet(name)
            _sheet(sheet, table, styles, mark)
            if table.charted:
                _chart(workbook, sheet, name, table)


def _names(texts: Sequence[str]) -> list[str]:
    """Give each sheet the name it may have; a number tells apart those that would be the same."""
    names: list[str] = []
    for text in texts:
        plain = re.sub(r"[\[\]:*?/\\]", " ", text).strip("'")
        name, number = plain[:NAME], 1
        while name.casefold() in map(str.casefold, names):
            number += 1
            name = f"{plain[:NAME - 3]} {number}"
        names.append(name)
    return names


def _contents(sheet: Any, names: Sequence[str], tables: Sequence[Table], styles: dict[str, Any],
              mark: str) -> None:
    """List the sheets, each a link to it."""
    phrases = words("compare")["contents"]
    sheet.write_string(0, 0, phrases["title"], styles["title"])
    sheet.write_string(1, 0, mark, styles["mark"])
    for index, (text, width) in enumerate(zip(phrases["columns"], (34, 100, 8), strict=True)):
        sheet.write_string(2, index, text, styles["header"])
        sheet.set_column(index, index, width)
    for line, (name, table) in enumerate(zip(names, tables, strict=True), 3):
        quoted = name.replace("'", "''")
        sheet.write_url(line, 0, f"internal:'{quoted}'!A1", styles["link"], name)
        sheet.write_string(line, 1, table.title, styles[TEXT])
        sheet.write_string(line, 2, phrases["chart"] if table.charted else "", styles[TEXT])
    sheet.freeze_panes(3, 0)
    _printed(sheet)


def _chart(workbook: Any, sheet: Any, name: str, table: Table) -> None:
    """Draw bars of some columns below the table, in its order from the top."""
    chart = workbook.add_chart({"type": "bar"})
    places = _places(table.columns)
    first, last = 3, 2 + len(table.rows)
    for column, colour in zip(table.charted, COLOURS, strict=False):
        place = places[column]
        chart.add_series({"name": [name, 2, place], "categories": [name, first, 0, last, 0],
                          "values": [name, first, place, last, place], "gap": 60,
                          "fill": {"color": colour}})
    chart.set_title({"name": table.title, "name_font": {"size": 11}})
    chart.set_y_axis({"reverse": True, "crossing": "max", "label_position": "low",
                      "num_font": {"size": 8}})
    chart.set_x_axis({"major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    chart.set_legend({"position": "bottom"})
    chart.set_size({"width": 900, "height": 160 + 26 * len(table.rows)})
    sheet.insert_chart(last + 2, 0, chart, {"description": table.title})


def _places(columns: Sequence[Column]) -> list[int]:
    """Column of the sheet in which each column of a table begins: a range takes three."""
    places, place = [], 0
    for column in columns:
        places.append(place)
        place += 3 if column.kind == RANGE else 1
    return places


def _sheet(sheet: Any, table: Table, styles: dict[str, Any], mark: str) -> None:
    columns = list(_columns(table.columns))
    rows = [list(_cells(row, table.columns)) for row in table.rows]
    sheet.write_string(0, 0, table.title, styles["title"])
    sheet.write_string(1, 0, mark, styles["mark"])
    widths = [_width(column, [row[index] for row in rows]) for index, column in enumerate(columns)]
    headings = [heading(column) for column in columns]
    for index, (title, width) in enumerate(zip(headings, widths, strict=True)):
        sheet.write_string(2, index, title, styles["header"])
        sheet.set_column(index, index, width)
    sheet.set_row(2, _height(headings, widths))
    for line, row in enumerate(rows, 3):
        sheet.set_row(line, _height(row, widths))
        for index, (value, column) in enumerate(zip(row, columns, strict=True)):
            if value is None:
                continue
            if column.kind == TEXT:
                sheet.write_string(line, index, str(value), styles[TEXT])
            else:
                sheet.write_number(line, index, value, styles[column.kind])
    sheet.freeze_panes(3, 1)
    sheet.autofilter(2, 0, 2 + len(rows), len(columns) - 1)
    _printed(sheet)
    sheet.repeat_rows(2)


def _printed(sheet: Any) -> None:
    """Print on A4, across, as wide as the paper."""
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)


def _height(cells: Sequence[Any], widths: Sequence[float]) -> float:
    """Give the height of a row in points, for its longest text wrapped in its column."""
    return LINE * max((len(wrap(cell, int(width) - 2)) or 1
                       for cell, width in zip(cells, widths, strict=True)
                       if isinstance(cell, str)), default=1)


def _columns(columns: Sequence[Column]) -> Iterator[Column]:
    """Columns of the sheet: a range takes three."""
    for column in columns:
        if column.kind == RANGE:
            yield Column(column.heading, MONEY)
            for end in ("low", "high"):
                yield Column(words("compare")[end].format(column=column.heading), MONEY)
        else:
            yield column


def _cells(row: Sequence[Any], columns: Sequence[Column]) -> Iterator[Any]:
    for value, column in zip(row, columns, strict=True):
        if column.kind == RANGE:
            yield from value
        else:
            yield value


def _width(column: Column, cells: Sequence[Any]) -> float:
    if column.kind != TEXT:
        return NUMBER
    return min(LONGEST, 2 + max((len(str(cell)) for cell in (column.heading, *cells)), default=10))
