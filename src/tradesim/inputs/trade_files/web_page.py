"""Tables of a web page that calls itself a workbook: Trade Map's, in long form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

HEADINGS = ("tradesim:year", "tradesim:reporter", "tradesim:flow", "tradesim:partner",
            "tradesim:product", "tradesim:value", "tradesim:unit")
"""Headings of the long form, which the layout of Trade Map names."""

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_NAME = r"([A-Z][^:;|]*?)"
_LIST = re.compile(r"\b(imported|exported) by " + _NAME + r"(?: (?:from|to) " + _NAME
                   + r")?\s*(?:$|[|;:]|Product\b|Metadata\b|\(Mirror)")
_PRODUCT = re.compile(r"Product\s*:?\s*(TOTAL|\d{2,6})\b")
_PAIR = re.compile(_NAME + r"[’']s? (imports from|exports to) " + _NAME + r"\s*(?:\||$)")
_UNIT = re.compile(r"Unit\s*:?\s*(US Dollar (?:thousand|million)|US Dollar)", re.I)


class _Tables(HTMLParser):
    """Every table as rows of (text, columns spanned, rows spanned), and the text outside."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[list[list[tuple[str, int, int]]]] = []
        self.outside: list[str] = []
        self.title = ""
        self._open: list[int] = []
        self._cell: list[str] | None = None
        self._spans = (1, 1)
        self._in = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row or a cell."""
        given = dict(attrs)
        if tag == "table":
            self._close()
            self._open.append(len(self.tables))
            self.tables.append([])
        elif tag == "tr" and self._open:
            self._close()
            self.tables[self._open[-1]].append([])
        elif tag in ("td", "th") and self._open and self.tables[self._open[-1]]:
            self._close()
            self._cell = []
            self._spans = (_number(given.get("colspan")), _number(given.get("rowspan")))
        elif tag in ("script", "style", "title"):
            self._in = tag

    def handle_endtag(self, tag: str) -> None:
        """Close what is open."""
        if tag in ("td", "th", "tr"):
            self._close()
        elif tag == "table" and self._open:
            self._close()
            self._open.pop()
        elif tag == self._in:
            self._in = ""

    def handle_data(self, data: str) -> None:
        """Keep text where it stands."""
        if self._in == "title":
            self.title += data
        elif self._in:
            return
        elif self._cell is not None:
            self._cell.append(data)
        else:
            self.outside.append(data)

    def _close(self) -> None:
        if self._cell is not None and self._open:
            self.tables[self._open[-1]][-1].append((_tidy(" ".join(self._cell)), *self._spans))
        self._cell = None


def _number(text: str | None) -> int:
    return min(max(int(text), 1), 200) if text and text.isdecimal() else 1


def _tidy(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\xa0", " ")).strip()


def page_title(text: str) -> str:
    """Title of a web page, at most eighty letters."""
    parser = _Tables()
    parser.feed(text)
    return _tidy(parser.title or " ".join(parser.outside))[:80]


def grids(text: str) -> Iterator[list[list[str]]]:
    """Tables of trade in a web page, each in long form under `HEADINGS`."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    tables = [_filled(table) for table in parser.tables]
    about = " | ".join([_tidy(part) for part in parser.outside if part.strip()]
                       + [cell for table in tables if not _is_grid(table)
                          for row in table for cell in row if cell])
    for table in tables:
        if _is_grid(table):
            rows = list(_long(table, about))
            if rows:
                yield [list(HEADINGS), *rows]


def _filled(rows: Sequence[Sequence[tuple[str, int, int]]]) -> list[list[str]]:
    """Cells that span columns or rows, written into each of them."""
    held: dict[tuple[int, int], str] = {}
    for number, row in enumerate(rows):
        column = 0
        for text, wide, tall in row:
            while (number, column) in held:
                column += 1
            for down in range(tall):
                for right in range(wide):
                    held[number + down, column + right] = text
            column += wide
    width = 1 + max((column for _, column in held), default=-1)
    return [[held.get((number, column), "") for column in range(width)]
            for number in range(len(rows))]


def _is_grid(table: Sequence[Sequence[str]]) -> bool:
    return any(sum(bool(_YEAR.search(cell)) for cell in row) >= 1 and len(row) >= 2
               and re.search(r"code|product|importers|exporters|partner", row[0], re.I)
               for row in table[:4])


def _long(table: Sequence[Sequence[str]], about: str) -> Iterator[list[str]]:
    """One row for each product, flow and year."""
    last = max(k for k, row in enumerate(table[:4])
               if any(_YEAR.search(cell) for cell in row))
    headings = [" | ".join(dict.fromkeys(row[column] for row in table[:last + 1] if row[column]))
                for column in range(len(table[0]))]
    products = re.search(r"code|product", headings[0], re.I) is not None
    listed, product, unit = (search.search(about) for search in (_LIST, _PRODUCT, _UNIT))
    said = unit[1] if unit else "US Dollar thousand"
    for row in table[last + 1:]:
        for heading, cell in zip(headings[1:], row[1:], strict=True):
            year, pair = _YEAR.search(heading), _PAIR.search(heading)
            if year is None or not cell:
                continue
            if pair is not None:
                reporter, flow, partner = pair[1].strip(), pair[2].split()[0][:-1], pair[3].strip()
            elif listed is not None:
                reporter, flow = listed[2].strip(), listed[1][:6]
                partner = row[0] if not products else (listed[3] or "World").strip()
            else:
                continue
            code = row[0].strip("'") if products else (product[1] if product else "TOTAL")
            yield [year[0], reporter, flow, partner, code, cell, said]
