"""A report for Word and LibreOffice: real headings, tables, captions and alternative texts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from tradesim.reports.export import document as content
from tradesim.reports.export.archive import PROPERTY, settle
from tradesim.reports.export.columns import breakable, fitted
from tradesim.reports.export.document import SHADES, Document, Run, Text

WIDTH, MARGIN = 21.0, 1.8
BODY = WIDTH - 2 * MARGIN
NARROW = 0.66
"""Part of the width of the text that a narrow figure takes."""
QUIET, BLUE = RGBColor(0x5A, 0x5A, 0x5A), RGBColor(0x00, 0x4C, 0x7A)

SIZES = {"note": 8.5, "question": 11.0}
MANY = 6
"""Columns of a table that is set in letters of common size."""

PADDING = 0.1
"""Space beside the text of a cell, cm."""
FONT, CODE_FONT = "Calibri", "Consolas"


def write(document: Document, target: Path) -> None:
    """Write a report as a .docx file; same report, same bytes."""
    made = docx.Document()
    _page(made, document)
    for block in document.blocks:
        _block(made, block, document)
    made.save(str(target))
    settle(target)


def _page(made: Any, document: Document) -> None:
    section = made.sections[0]
    section.page_width, section.page_height = Cm(WIDTH), Cm(29.7)
    section.left_margin = section.right_margin = Cm(MARGIN)
    section.top_margin = section.bottom_margin = Cm(2)
    made.core_properties.title = document.title[:PROPERTY]
    made.core_properties.author = "tradesim"
    made.core_properties.comments = document.run_id
    made.core_properties.language = document.language
    style = made.styles["Normal"]
    style.font.name, style.font.size = FONT, Pt(10)
    style.paragraph_format.space_after = Pt(5)
    for level in (1, 2, 3):
        heading = made.styles[f"Heading {level}"]
        heading.font.name, heading.font.color.rgb = FONT, BLUE
        heading.element.rPr.rFonts.set(qn("w:asciiTheme"), "")
        heading.font.size = Pt({1: 20, 2: 14, 3: 11}[level])
    caption = made.styles["Caption"]
    caption.font.size, caption.font.color.rgb, caption.font.bold = Pt(9), RGBColor(0, 0, 0), False
    head = section.header.paragraphs[0]
    _put(head, (Run(f"{document.title}\t\t{document.run_id}"),), size=8, colour=QUIET)
    foot = section.footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    _field(foot, "PAGE")
    _put(foot, (Run(" / "),), size=8, colour=QUIET)
    _field(foot, "NUMPAGES")


def _field(paragraph: Any, name: str) -> None:
    run = paragraph.add_run()
    run.font.size = Pt(8)
    for kind in ("begin", "", "end"):
        if kind:
            part = OxmlElement("w:fldChar")
            part.set(qn("w:fldCharType"), kind)
        else:
            part = OxmlElement("w:instrText")
            part.text = name
        run._r.append(part)


def _block(made: Any, block: content.Block, document: Document) -> None:
    match block:
        case content.Heading(level, text):
            _put(made.add_heading(level=level), text)
        case content.Paragraph(text, kind):
            paragraph = made.add_paragraph()
            if kind == "answer":
                _line_beside(paragraph)
            _put(paragraph, text, size=SIZES.get(kind))
        case content.Items(items):
            for item in items:
                _put(made.add_paragraph(style="List Bullet"), item)
        case content.Code(words):
            _put(made.add_paragraph(), (Run(words, code=True),))
        case content.Picture():
            _picture(made, block, document.folder)
        case content.Table():
            _table(made, block)


def _picture(made: Any, picture: content.Picture, folder: Path) -> None:
    paragraph = made.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    shape = paragraph.add_run().add_picture(str(folder / f"{picture.name}.png"), width=Cm(
        NARROW * BODY if picture.narrow else BODY))
    tallest = Cm(20)
    if shape.height > tallest:
        shape.width, shape.height = int(shape.width * tallest / shape.height), tallest
    about = shape._inline.docPr
    about.set("descr", picture.alt)
    about.set("name", picture.name)
    _put(made.add_paragraph(style="Caption"), picture.caption)


def _table(made: Any, table: content.Table) -> None:
    caption = made.add_paragraph(style="Caption")
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(8)
    _put(caption, tuple(replace(run, bold=not run.quiet, link="") for run in table.caption))
    size, points = fitted(table, Cm(BODY).pt, 8.0 if table.columns <= MANY else 7.0,
                          2 * Cm(PADDING).pt)
    widths = [Pt(one) for one in points]
    head = 1 if table.head else 0
    grid = made.add_table(rows=head + len(table.rows), cols=table.columns)
    grid.autofit = False
    _padded(grid)
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    rows = [*([table.head] if head else []), *table.rows]
    for number, (line, row) in enumerate(zip(grid.rows, rows, strict=True), -head):
        _keep_whole(line, repeat=number < 0)
        mark = table.marks[number] if number >= 0 else ""
        for column, (cell, text) in enumerate(zip(line.cells, row, strict=False)):
            cell.width = widths[column]
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(0)
            if column and not table.words:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            _put(paragraph, tuple(replace(run, text=breakable(run.text)) for run in text),
                 size=size, bold=number < 0 or table.strong(number, column))
            if mark in SHADES:
                _shade(cell, SHADES[mark].removeprefix("#").upper())
    made.add_paragraph().paragraph_format.space_after = Pt(2)


def _padded(grid: Any) -> None:
    """Leave little space beside the text of cells, and draw thin lines between rows only."""
    borders = OxmlElement("w:tblBorders")
    for side in ("top", "bottom", "insideH"):
        line = OxmlElement(f"w:{side}")
        for key, value in (("val", "single"), ("sz", "4"), ("space", "0"), ("color", "B4B4B4")):
            line.set(qn(f"w:{key}"), value)
        borders.append(line)
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        space = OxmlElement(f"w:{side}")
        space.set(qn("w:w"), str(Cm(PADDING).twips))
        space.set(qn("w:type"), "dxa")
        margins.append(space)
    properties = grid._tbl.tblPr  # whose parts have a fixed order
    properties.find(qn("w:tblLayout")).addprevious(borders)
    properties.find(qn("w:tblLayout")).addnext(margins)


def _keep_whole(line: Any, *, repeat: bool) -> None:
    properties = line._tr.get_or_add_trPr()
    for name in ("w:cantSplit", *(["w:tblHeader"] if repeat else [])):
        properties.append(OxmlElement(name))


def _shade(cell: Any, colour: str) -> None:
    shade = OxmlElement("w:shd")
    for key, value in (("val", "clear"), ("color", "auto"), ("fill", colour)):
        shade.set(qn(f"w:{key}"), value)
    cell._tc.get_or_add_tcPr().append(shade)


def _line_beside(paragraph: Any) -> None:
    borders = OxmlElement("w:pBdr")
    line = OxmlElement("w:left")
    for key, value in (("val", "single"), ("sz", "24"), ("space", "8"), ("color", "004C7A")):
        line.set(qn(f"w:{key}"), value)
    borders.append(line)
    paragraph._p.get_or_add_pPr().append(borders)


def _put(paragraph: Any, text: Text, *, size: float | None = None, bold: bool = False,
         colour: RGBColor | None = None) -> None:
    """Write runs into a paragraph, links as real ones."""
    for part in text:
        run = paragraph.add_run(part.text)
        run.bold = True if bold or part.bold else None
        if size:
            run.font.size = Pt(size)
        if part.code:
            run.font.name = CODE_FONT
            run.font.size = Pt((size or 9.5) - 0.8)
        if part.quiet:
            run.font.size, run.font.color.rgb, run.bold = Pt(7), QUIET, False
        elif colour is not None:
            run.font.color.rgb = colour
        if part.link:
            run.font.color.rgb = BLUE
            relation = paragraph.part.relate_to(part.link, RELATIONSHIP_TYPE.HYPERLINK,
                                                is_external=True)
            link = OxmlElement("w:hyperlink")
            link.set(qn("r:id"), relation)
            link.append(run._r)
            paragraph._p.append(link)
