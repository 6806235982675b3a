"""PDF and Word hold what the page holds: same sentences, tables and figures."""

import io
import re
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import docx
import pptx
import pytest
from docx.oxml.ns import qn
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

import fake_results
from tradesim.cli.options import other_formats
from tradesim.common.errors import InputError
from tradesim.common.extras import install
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.export import document, slides, word
from tradesim.reports.export.archive import MOMENT
from tradesim.reports.export.columns import SMALLEST, breakable, fitted
from tradesim.reports.export.document import (
    Code,
    Heading,
    Items,
    Paragraph,
    Picture,
    Run,
    Table,
    plain,
)
from tradesim.reports.export.pdf import typeset
from tradesim.reports.run import page as report
from tradesim.reports.run.view import ResultsView

CYRILLIC = "Зах зээл: Қазақстан — Өвөрхангай"
USED = {"levers": {"eaeu_fta": {"start": 2027}}, "parameters": {"adjustment.speed": 0.35},
        "question": CYRILLIC, "origins": {"levers.eaeu_fta": "mine.yaml:4",
                                          "levers.eaeu_fta.start": "mine.yaml:5",
                                          "parameters.adjustment.speed": "mine.yaml:7"}}
PAGE = """<!DOCTYPE html><html lang="kk"><head><title>A  title</title><style>p { }</style></head>
<body><nav><a href="#x">skip me</a></nav><h1>One &amp; <i>two</i></h1>
<p class="note">See <b>this</b> <code>a_b</code>,
<a href="https://example.org">there</a><br>and <a href="#x">here</a>.</p>
<section class="answer"><p>Yes.</p></section>
<ul><li>first</li><li>second <b>part</b></li></ul>
<details><summary><h2>More</h2></summary><table class="words assumptions">
<caption>Cap <span class="run">run 12ab</span></caption>
<thead><tr><th>a</th><th>b</th></tr></thead>
<tbody><tr class="total"><td>1</td><td></td></tr></tbody></table></details>
<figure id="figure-fan"><div role="img" aria-label="words for it"><svg><text>no</text></svg></div>
<figcaption>Figure 1. Caption</figcaption></figure><pre>tradesim run x</pre></body></html>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    pair = read_pair(calibration_folder())
    history, posterior = fake_results.past(pair.importers, pair.reporters)
    data = fake_results.dataset(
        list(pair.importers), list(pair.exporters), list(pair.groups), list(pair.counts),
        calibration=str(calibration_folder()), scenario=USED)
    folder = fake_results.save(data, tmp_path_factory.mktemp("run"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "read_history", lambda _: history)
        patch.setattr(report, "ResultsView", lambda data, pair, history, _: ResultsView(
            data, pair, history, posterior))
        made = report.rebuild(folder, formats=("html", "pdf", "docx", "brief", "pptx"))
    assert [path.name for path in made] == ["report.html", "report.pdf", "report.docx",
                                            "brief.pdf", "brief.docx", "report.pptx"]
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    return folder / "report.html"


def test_a_page_is_read_as_content(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE, encoding="utf-8")
    read = document.read(path)
    assert (read.title, read.language, read.run_id) == ("A title", "kk", "run 12ab")
    head, note, answer, items, folded, table, picture, code = read.blocks
    assert folded == Heading(2, (Run("More"),))
    assert isinstance(head, Heading)
    assert plain(head.text) == "One & two"
    assert note == Paragraph((Run("See "), Run("this", bold=True), Run(" "),
                              Run("a_b", code=True), Run(", "),
                              Run("there", link="https://example.org"), Run("\n"),
                              Run("and "), Run("here"), Run(".")), "note")
    assert answer == Paragraph((Run("Yes."),), "answer")
    assert items == Items(((Run("first"),), (Run("second "), Run("part", bold=True))))
    assert isinstance(table, Table)
    assert table.words
    assert (plain(table.caption), table.marks) == ("Cap run 12ab", ("total",))
    assert [plain(cell) for cell in table.rows[0]] == ["1", ""]
    assert picture == Picture("fan", (Run("Figure 1. Caption"),), "words for it")
    assert code == Code("tradesim run x")


def test_marks_of_the_typesetter_are_plain_letters(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(PAGE.replace("Yes.", r'a "b" \c #d $e [f] *g* @h'), encoding="utf-8")
    assert r'#"a \"b\" \\c #d $e [f] *g* @h"' in typeset(document.read(path))


def test_word_file_has_real_headings_tables_captions_and_alternative_texts(page):
    read = document.read(page)
    made = docx.Document(str(page.with_suffix(".docx")))
    headings = [part.text for part in made.paragraphs if part.style.name.startswith("Heading")]
    assert headings == [plain(block.text) for block in read.blocks if isinstance(block, Heading)]
    tables = [block for block in read.blocks if isinstance(block, Table)]
    assert len(made.tables) == len(tables) > 10
    for grid, table in zip(made.tables, tables, strict=True):
        cells = [cell.text for cell in grid.rows[-1].cells]
        assert cells == [breakable(plain(cell)) for cell in table.rows[-1]]
        assert bool(grid.rows[0]._tr.findall(f".//{qn('w:tblHeader')}")) == bool(table.head)
    pictures = [block for block in read.blocks if isinstance(block, Picture)]
    shapes = list(made.inline_shapes)
    assert [shape._inline.docPr.get("descr") for shape in shapes] == [
        picture.alt for picture in pictures]
    assert len(shapes) == 7
    text = "\n".join(part.text for part in made.paragraphs)
    for block in read.blocks:
        if isinstance(block, Paragraph):
            assert plain(block.text) in text
    assert CYRILLIC in text
    assert "0123456789ab" in made.sections[0].header.paragraphs[0].text


def test_the_brief_is_the_head_and_the_first_section(page):
    whole, brief = document.read(page), document.read(page, "brief")
    assert brief.title == whole.title
    assert brief.blocks == whole.blocks[:len(brief.blocks)]
    assert 1 < sum(isinstance(block, Picture | Table) for block in brief.blocks) <= 2
    made = docx.Document(str(page.with_name("brief.docx")))
    assert len(made.inline_shapes) == len(made.tables) == 1
    assert CYRILLIC in "\n".join(part.text for part in made.paragraphs)


def test_pdf_is_one_and_the_same_each_time(page, tmp_path):
    made = page.with_suffix(".pdf").read_bytes()
    assert made.startswith(b"%PDF-")
    (tmp_path / "figures").symlink_to(page.parent / "figures")
    (tmp_path / "report.html").write_bytes(page.read_bytes())
    again = document.write(tmp_path / "report.html", ["pdf"])[0]
    assert again.read_bytes() == made


def test_word_file_is_one_and_the_same_each_time(page, tmp_path):
    written = page.with_suffix(".docx")
    again = tmp_path / "again.docx"
    word.write(document.read(page), again)
    assert again.read_bytes() == written.read_bytes()
    with zipfile.ZipFile(written) as parts:
        assert {part.date_time for part in parts.infolist()} == {MOMENT}


@pytest.mark.parametrize(("width", "size", "padding"), [(493.0, 7.5, 6.0), (380.0, 8.0, 5.7)])
def test_no_word_of_a_table_is_broken(page, width, size, padding):
    """Measured by the letters of another library than the one that sets the widths."""
    regular, bold = (FT2Font(findfont(FontProperties(family="DejaVu Sans", weight=weight)))
                     for weight in ("normal", "bold"))

    def wide(word, font, letters):
        font.set_size(200.0, 72)  # large, so that hints for small letters do not count
        font.set_text(word, 0.0)
        return font.get_width_height()[0] / 64 * letters / 200.0

    tables = [block for block in document.read(page).blocks if isinstance(block, Table)]
    assert len(tables) > 10
    for table in tables:
        letters, widths = fitted(table, width, size, padding)
        assert sum(widths) == pytest.approx(width)
        assert letters <= size
        for rows, font in (((table.head,), bold), (table.rows, regular)):
            for row in rows:
                for text, room in zip(row, widths, strict=False):
                    for word_ in re.split(r"[ \n\u200b]+", breakable(plain(text))):
                        if letters > SMALLEST:
                            assert wide(word_, font, letters) <= room - padding, word_


def test_slides_hold_what_the_brief_says(page):
    brief = document.read(page, document.BRIEF)
    made = pptx.Presentation(str(page.with_suffix(".pptx")))
    assert len(made.slides) == 5
    titles = [slide.shapes.title.text_frame.text for slide in made.slides]
    assert titles[0] == brief.title
    assert all(titles)
    text = "\n".join(shape.text_frame.text for slide in made.slides for shape in slide.shapes
                     if shape.has_text_frame)
    for block in brief.blocks:
        if isinstance(block, Paragraph) and block.kind in ("", "question", "answer"):
            assert " ".join(plain(block.text).split()) in text
    assert CYRILLIC in text
    (grid,) = [shape.table for slide in made.slides for shape in slide.shapes if shape.has_table]
    (table,) = [block for block in brief.blocks if isinstance(block, Table)]
    assert [[cell.text for cell in row.cells] for row in grid.rows] == [
        [plain(cell) for cell in row] for row in (table.head, *table.rows)]
    assert "0123456789ab" in text


def test_charts_of_slides_can_be_edited_and_hold_the_numbers_of_the_page(page):
    given = document.read(page, document.BRIEF).charts
    made = pptx.Presentation(str(page.with_suffix(".pptx")))
    lines, bars = [shape for slide in made.slides for shape in slide.shapes if shape.has_chart]
    for shape in (lines, bars):
        assert len(shape._element.xpath(".//p:cNvPr")[0].get("descr")) > 40
        book = shape.chart.part.chart_workbook.xlsx_part.blob
        assert zipfile.is_zipfile(io.BytesIO(book))
    assert [(series.name, list(series.values)) for series in lines.chart.plots[0].series] == [
        (line["name"], line["values"]) for line in given["lines"]["lines"]]
    (series,) = bars.chart.plots[0].series
    assert list(zip(bars.chart.plots[0].categories, series.values, strict=True)) == [
        tuple(row) for row in given["bars"]["rows"]]


def test_a_title_longer_than_a_property_is_written(page, tmp_path):
    brief = replace(document.read(page, document.BRIEF), title="x" * 300)
    slides.write(brief, tmp_path / "long.pptx")
    made = pptx.Presentation(str(tmp_path / "long.pptx"))
    assert made.core_properties.title == "x" * 255
    assert made.slides[0].shapes.title.text_frame.text == "x" * 300


def test_slides_are_one_and_the_same_each_time(page, tmp_path):
    again = tmp_path / "again.pptx"
    slides.write(document.read(page, document.BRIEF), again)
    written = page.with_suffix(".pptx").read_bytes()
    assert again.read_bytes() == written
    with zipfile.ZipFile(io.BytesIO(written)) as parts:
        assert {part.date_time for part in parts.infolist()} == {MOMENT}
        (book, *_) = [name for name in parts.namelist() if name.endswith(".xlsx")]
        with zipfile.ZipFile(io.BytesIO(parts.read(book))) as inner:
            assert b"2000-01-01T00:00:00Z" in inner.read("docProps/core.xml")


def test_word_file_is_whole(page):
    with zipfile.ZipFile(page.with_suffix(".docx")) as archive:
        assert archive.testzip() is None


@pytest.mark.parametrize(("name", "package", "extra"), [
    ("pdf", "typst", "pdf"), ("docx", "docx", "office"),
    ("pptx", "pptx", "office")])
def test_a_missing_package_is_one_clear_error(monkeypatch, page, name, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=re.escape(
            f"--format {name}: needs the package '{package}', which is not installed; "
            + install(extra))):
        report.rebuild(page.parent, formats=(name,))


def test_a_failing_writer_leaves_nothing_behind(monkeypatch, page):
    before = sorted(path.name for path in page.parent.iterdir())

    def fail(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr("tradesim.reports.export.pdf.typst.compile", fail)
    with pytest.raises(OSError, match="no space left"):
        document.write(page, ["pdf"])
    assert sorted(path.name for path in Path(page.parent).iterdir()) == before


def test_formats_are_looked_for_before_a_run(monkeypatch):
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(InputError, match="needs the package 'typst'"):
        other_formats(("pdf",), no_report=False)
    with pytest.raises(InputError, match="--format: has no meaning with --no-report"):
        other_formats(("html",), no_report=True)
    assert other_formats(("html", "docx", "docx"), no_report=False) == ["docx"]
