"""A report as plain content: headings, paragraphs, lists, tables, figures.

The HTML page is the one source: its words stand in the templates, its numbers come from the
results. Here it is read back, so that PDF and Word hold the same sentences, tables and figures.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import Any

from tradesim.common.errors import InputError, Problem

FORMATS = {"pdf": ("tradesim.reports.export.pdf", "typst", "pdf"),
           "docx": ("tradesim.reports.export.word", "docx", "office")}
"""For each format the module that writes it, the package that it needs, and the extra."""

VOID = {"meta", "link", "br", "img", "hr", "input", "col"}
SKIPPED = {"style", "title", "nav", "svg", "script", "summary"}


@dataclass(frozen=True)
class Run:
    """Words set in one way."""

    text: str
    bold: bool = False
    code: bool = False
    quiet: bool = False
    link: str = ""


Text = tuple[Run, ...]


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 (title of the report) to 3."""

    level: int
    text: Text


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; `kind` is its class in the page, or ``answer``."""

    text: Text
    kind: str = ""


@dataclass(frozen=True)
class Items:
    """A list of points."""

    items: tuple[Text, ...]


@dataclass(frozen=True)
class Code:
    """A command, as it is typed."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table; `marks` holds for each row its class (``total``, ``lever``, ``judgement``)."""

    caption: Text
    head: tuple[Text, ...]
    rows: tuple[tuple[Text, ...], ...]
    marks: tuple[str, ...]
    words: bool

    @property
    def columns(self) -> int:
        """Number of columns."""
        return max([len(self.head), *(len(row) for row in self.rows)])


@dataclass(frozen=True)
class Picture:
    """A figure: its name (file name without ending), its words and what stands instead of it."""

    name: str
    caption: Text
    alt: str


Block = Heading | Paragraph | Items | Code | Table | Picture


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes
    ----------
    title, language
        For the file's properties.
    run_id
        Identity of the run (or runs), for the running title; empty where the page names none.
    blocks
        The content in reading order.
    folder
        Folder of the figures.
    """

    title: str
    language: str
    run_id: str
    blocks: tuple[Block, ...]
    folder: Path


def read(page: Path) -> Document:
    """Read a report of ours back from its HTML page.

    Parameters
    ----------
    page
        The page; its figures stand in the folder ``figures`` beside it.
    """
    reader = _Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    return Document(" ".join(reader.title.split()), reader.language, reader.run_id,
                    tuple(reader.blocks), page.parent / "figures")


def write(page: Path, formats: Sequence[str]) -> list[Path]:
    """Write a report in other formats beside its HTML page.

    Parameters
    ----------
    page
        The HTML page.
    formats
        Some of `FORMATS`.

    Returns
    -------
    list of pathlib.Path
        The files written.

    Raises
    ------
    InputError
        When a package that a format needs is not installed.
    """
    writers = [writer(name) for name in formats]
    found = []
    for name, module in zip(formats, writers, strict=True):
        target = page.with_suffix(f".{name}")
        work = target.with_name(f".{target.name}.part")
        try:
            module.write(read(page), work)
            work.replace(target)
        finally:
            work.unlink(missing_ok=True)
        found.append(target)
    return found


def writer(name: str) -> Any:
    """Import what writes a format, or say which extra is missing."""
    module, package, extra = FORMATS[name]
    try:
        import_module(package)
    except ImportError as error:
        raise InputError([Problem(f"--format {name}", "", f"needs the package '{package}', which "
                                  "is not installed", f"pip install 'tradesim[{extra}]'")]
                         ) from error
    return import_module(module)


def weights(table: Table) -> list[float]:
    """Relative widths of columns: by the longest word, and by how much there is to read."""
    found = []
    for place in range(table.columns):
        texts = ["".join(run.text for run in row[place])
                 for row in (table.head, *table.rows) if place < len(row)]
        longest = max((len(word) for text in texts for word in re.split(r"[ /_.-]+", text)),
                      default=0)
        mean = sum(map(len, texts)) / max(1, len(texts))
        first = 0.9 * max(map(len, texts), default=0) if not place and not table.words else 0.0
        found.append(max(6.0, 1.5 + 1.2 * min(longest, 16), 0.8 * min(mean, 40.0),
                         min(first, 24.0)))
    return found


@dataclass
class _Open:
    """What is being gathered of a table."""

    words: bool
    caption: Text = ()
    head: list[Text] = field(default_factory=list)
    rows: list[list[Text]] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    """Gathers the blocks of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.title, self.language, self.run_id = "", "en", ""
        self.blocks: list[Block] = []
        self.open: list[tuple[str, dict[str, str]]] = []
        self.runs: list[Run] = []
        self.table: _Open | None = None
        self.items: list[Text] = []
        self.figure, self.alt = "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = {name: value or "" for name, value in attrs}
        if tag == "br":
            self.runs.append(Run("\n"))
        if tag in VOID or self._within(SKIPPED - {"title"}):
            if tag not in VOID:
                self.open.append((tag, about))
            return
        self.open.append((tag, about))
        if tag == "html":
            self.language = about.get("lang", "en")
        elif tag == "figure":
            self.figure = about.get("id", "").removeprefix("figure-")
        elif tag == "div" and about.get("role") == "img":
            self.alt = about.get("aria-label", "")
        elif tag == "table":
            self.table = _Open("words" in about.get("class", "").split())
        elif tag == "tr" and self.table and self._within({"tbody"}):
            self.table.rows.append([])
            self.table.marks.append(about.get("class", ""))
        elif tag in {"p", "h1", "h2", "h3", "li", "td", "th", "caption", "figcaption", "pre"}:
            self.runs = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self.runs.append(Run("\n"))

    def handle_data(self, data: str) -> None:
        names = [name for name, _ in self.open]
        if "title" in names and not self._within(SKIPPED - {"title"}):
            self.title += data
        if self._within(SKIPPED):
            return
        link = next((about.get("href", "") for name, about in self.open if name == "a"), "")
        quiet = any("run" in about.get("class", "").split() for _, about in self.open)
        if quiet and not self.run_id:
            self.run_id = data.strip()
        self.runs.append(Run(data, bool({"b", "strong"} & set(names)), "code" in names, quiet,
                             "" if link.startswith("#") else link))

    def handle_endtag(self, tag: str) -> None:
        about = self.open.pop()[1]
        if self._within(SKIPPED) or tag in SKIPPED:
            return
        if tag == "pre":
            self.blocks.append(Code("".join(run.text for run in self.runs)))
        elif tag in {"h1", "h2", "h3"}:
            self.blocks.append(Heading(int(tag[1]), self._text()))
        elif tag == "p":
            inside = {name for _, kept in self.open for name in kept.get("class", "").split()}
            self.blocks.append(Paragraph(self._text(), about.get("class", "")
                                         or ("answer" if "answer" in inside else "")))
        elif tag == "li":
            self.items.append(self._text())
        elif tag == "ul":
            self.blocks.append(Items(tuple(self.items)))
            self.items = []
        elif tag == "figcaption":
            self.blocks.append(Picture(self.figure, self._text(), self.alt))
        elif self.table:
            self._end_of_table(tag)

    def _end_of_table(self, tag: str) -> None:
        table = self.table
        assert table is not None
        if tag == "caption":
            table.caption = self._text()
        elif tag == "th":
            table.head.append(self._text())
        elif tag == "td":
            table.rows[-1].append(self._text())
        elif tag == "table":
            self.blocks.append(Table(table.caption, tuple(table.head),
                                     tuple(tuple(row) for row in table.rows),
                                     tuple(table.marks), table.words))
            self.table = None

    def _within(self, tags: set[str]) -> bool:
        return any(name in tags for name, _ in self.open)

    def _text(self) -> Text:
        """Take the runs gathered so far, with spaces as a browser would show them."""
        found: list[Run] = []
        space = True
        for run in self.runs:
            if run.text == "\n" and not run.code and run == Run("\n"):
                found.append(run)
                space = True
                continue
            text = " ".join(part for part in run.text.replace("\n", " ").split(" ") if part)
            lead = run.text[:1].isspace() and not run.text.startswith("\N{NO-BREAK SPACE}")
            if lead and not space:
                text = f" {text}"
            if text.strip() and run.text[-1:] in " \n":
                text += " "
            if text:
                found.append(Run(text, run.bold, run.code, run.quiet, run.link))
                space = text.endswith(" ")
        while found and not found[-1].text.strip():
            found.pop()
        if found:
            last = found[-1]
            found[-1] = Run(last.text.rstrip(" "), last.bold, last.code, last.quiet, last.link)
        self.runs = []
        return tuple(found)
