"""Slides of PowerPoint and LibreOffice: real titles, charts that can be edited, tables, notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pptx
from pptx.chart.data import CategoryChartData as ChartData
from pptx.dml.color import RGBColor
from pptx.enum.chart import (
    XL_CHART_TYPE,
    XL_LABEL_POSITION,
    XL_LEGEND_POSITION,
    XL_TICK_LABEL_POSITION,
)
from pptx.enum.dml import MSO_LINE
from pptx.enum.shapes import MSO_SHAPE
from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from tradesim.reports.export.archive import PROPERTY, settle

_data: Any = ChartData  # its own annotations are incomplete

WIDTH, HEIGHT, EDGE = Inches(13.333), Inches(7.5), Inches(0.6)
BODY = Inches(13.333 - 2 * 0.6)
PADDING = 14.4
"""Space on both sides of a cell's text, points."""

TOP, BOTTOM = Inches(1.45), Inches(6.85)
INK, QUIET, BLUE = "#1a1a1a", "#5a5a5a", "#004c7a"
PALE, WHITE, LINE = "#e8f0f5", "#ffffff", "#d9d9d9"
WHOLE = 100
"""Numbers as large as this have no decimals in charts."""

LETTERS = {500: 24, 800: 20, 1200: 18, 1700: 16, 10**9: 14}
"""Letter size by how much there is to read on a slide, letters."""

TITLE_ONLY = 5
"""Layout of the standard template that has a title and nothing else."""


@dataclass(frozen=True)
class Said:
    """A paragraph of a slide, or a heading inside it."""

    text: str
    heading: bool = False


@dataclass(frozen=True)
class Words:
    """Paragraphs of a slide, below a `lead` where there is one."""

    paragraphs: Sequence[Said]
    lead: str = ""


@dataclass(frozen=True)
class Line:
    """One line of a chart; values are None where there are none."""

    name: str
    values: Sequence[float | None]
    colour: str
    width: float = 2.25
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Lines:
    """A line chart over years."""

    years: Sequence[int]
    lines: Sequence[Line]
    axis: str


@dataclass(frozen=True)
class Bars:
    """A bar chart, the first row on top; rows above and below zero in two colours."""

    rows: Sequence[tuple[str, float]]
    axis: str
    colours: tuple[str, str]


@dataclass(frozen=True)
class Grid:
    """A table; its first column is text, the others numbers.

    `widths` are those of its columns and `size` that of its letters, points.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    widths: Sequence[float]
    size: float


@dataclass(frozen=True)
class Slide:
    """One slide: what it says as its title, what shows it, words instead of it, and notes."""

    title: str
    content: Words | Lines | Bars | Grid
    alt: str = ""
    caption: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Deck:
    """Slides with what stands at the foot of each."""

    title: str
    language: str
    foot: str
    slides: Sequence[Slide]


def write(deck: Deck, target: Path) -> None:
    """Write slides as a .pptx file; same deck, same bytes."""
    made = pptx.Presentation()
    made.slide_width, made.slide_height = WIDTH, HEIGHT
    made.core_properties.title = deck.title[:PROPERTY]
    made.core_properties.author = "tradesim"
    made.core_properties.comments, made.core_properties.language = deck.foot, deck.language
    for number, slide in enumerate(deck.slides, 1):
        _slide(made, slide, f"{deck.foot}   {number} / {len(deck.slides)}")
    made.save(str(target))
    settle(target)


def _slide(made: Any, slide: Slide, foot: str) -> None:
    page = made.slides.add_slide(made.slide_layouts[TITLE_ONLY])
    title = page.shapes.title
    title.left, title.top, title.width, title.height = EDGE, Inches(0.4), BODY, Inches(1)
    title.text_frame.word_wrap, title.text_frame.vertical_anchor = True, MSO_ANCHOR.MIDDLE
    _put(title.text_frame.paragraphs[0], slide.title, 26, colour=BLUE, bold=True)
    title.text_frame.paragraphs[0].alignment = PP_ALIGN.LEFT
    rule = page.shapes.add_shape(MSO_SHAPE.RECTANGLE, EDGE, Inches(1.38), BODY, Pt(2))
    rule.fill.solid()
    rule.fill.fore_color.rgb = _colour(BLUE)
    rule.line.fill.background()
    rule.shadow.inherit = False
    low = BOTTOM - (Inches(0.62) if slide.caption else 0)
    area = (EDGE, TOP + Inches(0.15), BODY, low - TOP - Inches(0.15))
    shape = DRAW[type(slide.content)](page, slide.content, area)
    shape._element.xpath(".//p:cNvPr")[0].set("descr", slide.alt)
    if slide.caption:
        _text(page, [slide.caption], (EDGE, low + Inches(0.05), BODY, Inches(0.55)), 12)
    _text(page, [foot], (EDGE, Inches(6.98), BODY, Inches(0.35)), 10, QUIET)
    if slide.notes:
        page.notes_slide.notes_text_frame.text = slide.notes


def _words(page: Any, words: Words, area: tuple[int, int, int, int]) -> Any:
    size = next(size for most, size in LETTERS.items()
                if sum(len(said.text) + 40 for said in words.paragraphs) <= most)
    box = _text(page, [], area, size)
    if words.lead:
        _paragraph(box, words.lead, size, QUIET)
    for said in words.paragraphs:
        _paragraph(box, said.text, size, BLUE if said.heading else INK, bold=said.heading)
    return box


def _number(values: Sequence[float]) -> str:
    """Format of numbers: decimals where they are small, and a real minus sign."""
    form = "#,##0" if max(map(abs, values), default=0.0) >= WHOLE else "#,##0.0"
    return f"{form};\N{MINUS SIGN}{form}"


def _lines(page: Any, chart: Lines, area: tuple[int, int, int, int]) -> Any:
    number = _number([value for line in chart.lines for value in line.values if value])
    data = _data(number_format=number)
    data.categories = [str(year) for year in chart.years]
    for line in chart.lines:
        data.add_series(line.name, line.values)
    frame = page.shapes.add_chart(XL_CHART_TYPE.LINE_MARKERS, *area, data)
    drawn = frame.chart
    drawn.has_legend, drawn.has_title = True, False
    drawn.legend.position, drawn.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
    drawn.legend.font.size = Pt(13)
    for series, line in zip(drawn.plots[0].series, chart.lines, strict=True):
        series.smooth = False
        colour = _colour(line.colour)
        series.marker.style = 8 if line.dots else -4142  # a circle, or none
        series.marker.size = 6
        series.marker.format.fill.solid()
        series.marker.format.fill.fore_color.rgb = colour
        series.marker.format.line.color.rgb = colour
        if line.dots:
            series.format.line.fill.background()
            continue
        series.format.line.color.rgb, series.format.line.width = colour, Pt(line.width)
        if line.dashed:
            series.format.line.dash_style = MSO_LINE.DASH
    _axes(drawn, chart.axis, number)
    for name, step in (("c:tickLblSkip", 4), ("c:tickMarkSkip", 4)):
        part = drawn.category_axis._element.makeelement(qn(name), {"val": str(step)})
        drawn.category_axis._element.find(qn("c:noMultiLvlLbl")).addprevious(part)
    return frame


def _bars(page: Any, chart: Bars, area: tuple[int, int, int, int]) -> Any:
    number = _number([value for _, value in chart.rows])
    data = _data(number_format=number)
    data.categories = [name for name, _ in chart.rows]
    data.add_series(chart.axis, [value for _, value in chart.rows])
    frame = page.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *area, data)
    drawn = frame.chart
    drawn.has_legend, drawn.has_title = False, False
    plot = drawn.plots[0]
    plot.gap_width, plot.has_data_labels = 45, True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = number, False
    plot.data_labels.font.size, plot.data_labels.position = Pt(14), XL_LABEL_POSITION.OUTSIDE_END
    plot.series[0].invert_if_negative = False
    for place, (_, value) in enumerate(chart.rows):
        fill = plot.series[0].points[place].format.fill
        fill.solid()
        fill.fore_color.rgb = _colour(chart.colours[value < 0])
    _axes(drawn, chart.axis, number)
    drawn.category_axis.reverse_order = True
    drawn.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    drawn.value_axis.tick_label_position = XL_TICK_LABEL_POSITION.HIGH
    return frame


def _axes(drawn: Any, title: str, number: str) -> None:
    axis = drawn.value_axis
    axis.has_title = True
    _put(axis.axis_title.text_frame.paragraphs[0], title, 12, colour=QUIET)
    axis.tick_labels.font.size = drawn.category_axis.tick_labels.font.size = Pt(13)
    axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = number, False
    axis.major_gridlines.format.line.color.rgb = _colour(LINE)
    axis.format.line.fill.background()


def _grid(page: Any, grid: Grid, area: tuple[int, int, int, int]) -> Any:
    left, top, width, _ = area
    frame = page.shapes.add_table(1 + len(grid.rows), len(grid.columns), left, top, width,
                                  Inches(0.6) * (1 + len(grid.rows)))
    table = frame.table
    for column, points in zip(table.columns, grid.widths, strict=True):
        column.width = Pt(points)
    for number, row in enumerate([grid.columns, *grid.rows]):
        for place, text in enumerate(row):
            cell = table.cell(number, place)
            cell.fill.solid()
            cell.fill.fore_color.rgb = _colour(BLUE if not number else WHITE if number % 2
                                               else PALE)
            cell.vertical_anchor = MSO_ANCHOR.MIDDLE
            paragraph = cell.text_frame.paragraphs[0]
            paragraph.alignment = PP_ALIGN.RIGHT if place else PP_ALIGN.LEFT
            _put(paragraph, text, grid.size, bold=not number,
                 colour=WHITE if not number else INK)
    return frame


def _text(page: Any, paragraphs: Sequence[str], area: tuple[int, int, int, int], size: float,
          colour: str = INK) -> Any:
    box = page.shapes.add_textbox(*area)
    box.text_frame.word_wrap = True
    for text in paragraphs:
        _paragraph(box, text, size, colour)
    return box


def _paragraph(box: Any, text: str, size: float, colour: str, *, bold: bool = False) -> None:
    """Add a paragraph to a box; its first one is there already, and empty."""
    first = box.text_frame.paragraphs[0]
    paragraph = box.text_frame.add_paragraph() if first.runs else first
    paragraph.space_after = Pt(0.15 * size if bold else 0.5 * size)
    _put(paragraph, text, size, colour=colour, bold=bold)


def _put(paragraph: Any, text: str, size: float, *, colour: str = INK,
         bold: bool = False) -> None:
    run = paragraph.add_run()
    run.text, run.font.size, run.font.bold = text, Pt(size), bold
    run.font.color.rgb = _colour(colour)


def _colour(code: str) -> RGBColor:
    return RGBColor.from_string(code.removeprefix("#"))  # type: ignore[no-any-return, no-untyped-call]


DRAW: dict[type, Callable[..., Any]] = {Words: _words, Lines: _lines, Bars: _bars, Grid: _grid}
