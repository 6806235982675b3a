"""A report for Word and LibreOffice: real headings, tables, captions and alternative texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from tradesim.reports.export.document import (
    Block,
    Code,
    Document,
    Heading,
    Items,
    Paragraph,
    Picture,
    Run,
    Table,
    Text,
    weights,
)

WIDTH, MARGIN = 21.0, 1.8
BODY = WIDTH - 2 * MARGIN
QUIET, BLUE = RGBColor(0x5A, 0x5A, 0x5A), RGBColor(0x00, 0x4C, 0x7A)
SHADES = {"lever": "E8F0F5", "judgement": "FFF7E8", "total": "F2F5F7"}
SIZES = {"note": 8.5, "question": 11.0}
FONT, CODE_FONT = "Calibri", "Consolas"


def write(document: Document, target: Path) -> None:
    """Write a report as a .docx file.

    Parameters
    ----------
    document
        The report.
    target
        The file.
    """
    made = docx.Document()
    _page(made, document)
    for block in document.blocks:
        _block(made, block, document)
    made.save(str(target))


def _page(made: Any, document: Document) -> None:
    section = made.sections[0]
    section.page_width, section.page_height = Cm(WIDTH), Cm(29.7)
    section.left_margin = section.right_margin = Cm(MARGIN)
    section.top_margin = section.bottom_margin = Cm(2)
    made.core_properties.title = document.title
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


def _block(made: Any, block: Block, document: Document) -> None:
    if isinstance(block, Heading):
        _put(made.add_heading(level=block.level), block.text)
    elif isinstance(block, Paragraph):
        paragraph = made.add_paragraph()
        if block.kind == "answer":
            _line_beside(paragraph)
        _put(paragraph, block.text, size=SIZES.get(block.kind))
    elif isinstance(block, Items):
        for item in block.items:
            _put(made.add_paragraph(style="List Bullet"), item)
    elif isinstance(block, Code):
        _put(made.add_paragraph(), (Run(block.text, code=True),))
    elif isinstance(block, Picture):
        _picture(made, block, document.folder)
    else:
        _table(made, block)


def _picture(made: Any, picture: Picture, folder: Path) -> None:
    paragraph = made.add_paragraph()
    paragraph.paragraph_format.keep_with_next = True
    shape = paragraph.add_run().add_picture(str(folder / f"{picture.name}.png"), width=Cm(BODY))
    tallest = Cm(20)
    if shape.height > tallest:
        shape.width, shape.height = int(shape.width * tallest / shape.height), tallest
    about = shape._inline.docPr
    about.set("descr", picture.alt)
    about.set("name", picture.name)
    _put(made.add_paragraph(style="Caption"), picture.caption)


def _table(made: Any, table: Table) -> None:
    caption = made.add_paragraph(style="Caption")
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(8)
    _put(caption, tuple(Run(run.text, not run.quiet, run.code, run.quiet) for run in table.caption))
    count = table.columns
    shares = weights(table)
    widths = [Cm(BODY * share / sum(shares)) for share in shares]
    head = 1 if table.head else 0
    grid = made.add_table(rows=head + len(table.rows), cols=count)
    grid.style = "Table Grid"
    grid.autofit = False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = width
    size = 7.0 if count > 5 else 8.0
    rows = [*([table.head] if head else []), *table.rows]
    marks = [*([""] if head else []), *table.marks]
    for index, (line, mark, row) in enumerate(zip(grid.rows, marks, rows, strict=True)):
        _keep_whole(line, repeat=index < head)
        for place, (cell, text) in enumerate(zip(line.cells, row, strict=False)):
            cell.width = widths[place]
            paragraph = cell.paragraphs[0]
            paragraph.paragraph_format.space_after = Pt(0)
            if place and not table.words:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            strong = index < head or mark == "total" or (mark == "lever" and place < 3)
            _put(paragraph, text, size=size, bold=strong)
            if mark in SHADES:
                _shade(cell, SHADES[mark])
    made.add_paragraph().paragraph_format.space_after = Pt(2)


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
    left = OxmlElement("w:left")
    for key, value in (("val", "single"), ("sz", "24"), ("space", "8"), ("color", "004C7A")):
        left.set(qn(f"w:{key}"), value)
    borders.append(left)
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
            run.font.size = Pt((size or 9.5) - 1)
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
