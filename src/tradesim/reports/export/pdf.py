"""A report as PDF, set by typst: A4, page numbers, running title, tables that break over pages."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import matplotlib as mpl
import typst

from tradesim.reports.export import document as content
from tradesim.reports.export.columns import breakable, fitted
from tradesim.reports.export.document import SHADES, Document, Run, Text
from tradesim.reports.wording import TEMPLATES

LAYOUT = TEMPLATES / "report.typ"
SIZES = {6: 7.5, 8: 7.0, 100: 6.0}
"""Letters of a table by its number of columns, points; smaller where words do not fit."""

WIDTH, PADDING = 493.0, 6.0
"""Width of the text, and of the space on both sides of a cell, points; as in the layout."""

KINDS = {"note", "question", "answer"}


def write(document: Document, target: Path) -> None:
    """Write a report as PDF."""
    fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        for picture in document.folder.glob("*.svg"):
            shutil.copy(picture, work)
        source = work / "report.typ"
        source.write_text(typeset(document), encoding="utf-8")
        target.write_bytes(typst.compile(str(source), root=made, font_paths=[str(fonts)]))


def typeset(document: Document) -> str:
    """Give the report in the language of typst."""
    head = [f"#let running = {_quoted(document.title)}",
            f"#let identity = {_quoted(document.run_id)}",
            f"#let language = {_quoted(document.language)}",
            f"#set document(title: {_quoted(document.title)}, date: none)"]
    return "\n".join([*head, LAYOUT.read_text(encoding="utf-8"),
                      *(_block(block) for block in document.blocks)]) + "\n"


def _block(block: content.Block) -> str:
    match block:
        case content.Heading(level, text):
            return f"#heading(level: {level})[{_text(text)}]\n"
        case content.Paragraph(text, kind):
            return f"#{kind}[{_text(text)}]\n" if kind in KINDS else f"{_text(text)}\n"
        case content.Items(items):
            return "#list(" + ", ".join(f"[{_text(item)}]" for item in items) + ")\n"
        case content.Code(words):
            return f"#command(raw({_quoted(words)}, block: true))\n"
        case content.Picture(name, caption, alt, narrow):
            return (f"#picture({_quoted(name + '.svg')}, {_quoted(alt)}, [{_text(caption)}], "
                    f"{'66%' if narrow else '100%'})\n")
        case content.Table():
            return _table(block)


def _table(table: content.Table) -> str:
    count = table.columns
    several = count > 2
    cells = []
    for number, (row, mark) in enumerate(zip(table.rows, table.marks, strict=True)):
        fill = f"fill: rgb({_quoted(SHADES[mark])})" if mark in SHADES else ""
        for column, cell in enumerate(row):
            body = _text(cell, breaks=several)
            body = f"#strong[{body}]" if body and table.strong(number, column) else body
            cells.append(f"table.cell({fill})[{body}]" if fill else f"[{body}]")
    size, points = fitted(table, WIDTH, next(size for most, size in SIZES.items()
                                             if count <= most), PADDING)
    widths = ", ".join(f"{point:.2f}pt" for point in points)
    aligned = ["left"] * count if table.words else ["left", *["right"] * (count - 1)]
    head = "".join(f"[{_text(cell, breaks=several)}], " for cell in table.head)
    return (f"#grid_of([{_text(table.caption)}], ({widths}), ({', '.join(aligned)},), ({head}), "
            f"({''.join(cell + ', ' for cell in cells)}), {size}pt)\n")


def _text(text: Text, *, breaks: bool = False) -> str:
    return "".join(_run(run, breaks) for run in text)


def _run(run: Run, breaks: bool) -> str:
    if run.text == "\n":
        return "#linebreak()"
    text = breakable(run.text) if breaks else run.text
    body = f"#raw({_quoted(text)})" if run.code else f"#{_quoted(text)}"
    if run.bold:
        body = f"#strong[{body}]"
    if run.quiet:
        body = f'#text(6.5pt, weight: "regular", fill: quiet)[{body}]'
    return f"#link({_quoted(run.link)})[{body}]" if run.link else body


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
