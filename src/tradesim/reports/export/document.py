"""A report as plain content: headings, paragraphs, lists, tables, figures.

The HTML page is the one source: its words come from the templates, its numbers from the results.
It is read back here, so that PDF and Word hold the same sentences, tables and figures.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.extras import install

FORMATS = {"pdf": ("tradesim.reports.export.pdf", "typst", "pdf"),
           "docx": ("tradesim.reports.export.word", "docx", "office"),
           "pptx": ("tradesim.reports.export.slides", "pptx", "office")}
"""For each format the module that writes it, the package that it needs, and the extra."""

HTML, BRIEF, BRIEF_IN, SLIDES = "html", "brief", ("pdf", "docx"), "pptx"
"""Formats: the page itself, the brief alone, those in which it comes, and slides made of it."""

UNREAD = re.compile(r"<!DOCTYPE[^>]*>|<style\b.*?</style>|<svg\b.*?</svg>", re.DOTALL)
UNCLOSED = re.compile(r"<(meta|link|br|img|hr|input|col)\b([^>]*?)/?>")
"""What of a page is not content, and elements that HTML leaves open and XML does not."""

SKIPPED = {"head", "nav", "script"}
SHADES = {"lever": "#e8f0f5", "judgement": "#fff7e8", "total": "#f2f5f7"}
"""Colours of marked rows."""


@dataclass(frozen=True)
class Run:
    """Words set in one way."""

    text: str
    bold: bool = False
    code: bool = False
    quiet: bool = False
    link: str = ""


Text = tuple[Run, ...]


def plain(text: Text) -> str:
    """Words of a text without their look."""
    return "".join(run.text for run in text)


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

    def strong(self, row: int, column: int) -> bool:
        """Whether a cell is set in bold: totals, and the first columns of levers."""
        return self.marks[row] == "total" or (self.marks[row] == "lever" and column < 3)


@dataclass(frozen=True)
class Picture:
    """A figure: its name (file name without ending), its caption and the text that replaces it.

    A `narrow` one does not need the width of the page.
    """

    name: str
    caption: Text
    alt: str
    narrow: bool = False


Block = Heading | Paragraph | Items | Code | Table | Picture


@dataclass(frozen=True)
class Document:
    """A report: its title, language and run id, the content in reading order, and its figures.

    `charts` holds the numbers of charts that office programs draw themselves (`run.charts`).
    """

    title: str
    language: str
    run_id: str
    blocks: tuple[Block, ...]
    folder: Path
    charts: dict[str, Any] = field(default_factory=dict)


def read(page: Path, part: str = "") -> Document:
    """Read an HTML page of ours; its figures are in the folder ``figures`` beside it.

    `part` is the identifier of a section; the document then holds the head of the page and that.
    """
    text = UNCLOSED.sub(r"<\1\2/>", UNREAD.sub("", page.read_text(encoding="utf-8")))
    root = ElementTree.fromstring(text)
    run_id = next((node.text or "" for node in root.iter() if "run" in _classes(node)), "")
    roots = [root] if not part else [
        node for node in root.iter() if node.tag == "header" or node.get("id") == part]
    return Document(" ".join((root.findtext("head/title") or "").split()), root.get("lang", "en"),
                    run_id.strip(), tuple(block for node in roots for block in _blocks(node, "")),
                    page.parent / "figures",
                    json.loads(root.findtext(".//script[@id='charts']") or "{}"))


def files(page: Path, formats: Sequence[str]) -> list[tuple[Path, str, str]]:
    """Give the files that formats besides HTML make: path, format, and part of the page."""
    return [made for name in dict.fromkeys(formats) if name != HTML for made in (
        [(page.with_name(f"{BRIEF}.{each}"), each, BRIEF) for each in BRIEF_IN] if name == BRIEF
        else [(page.with_suffix(f".{name}"), name, BRIEF if name == SLIDES else "")])]


def write(page: Path, formats: Sequence[str]) -> list[Path]:
    """Write a report in some of `FORMATS`, or its `BRIEF`, beside its HTML page; give the files.

    Raises
    ------
    InputError
        When a package that a format needs is not installed.
    """
    wanted, modules = files(page, formats), writers(formats)
    documents = {part: read(page, part) for part in {part for *_, part in wanted}}
    for target, name, part in wanted:
        work = target.with_name(f".{target.name}.part")
        try:
            modules[name].write(documents[part], work)
            work.replace(target)
        finally:
            work.unlink(missing_ok=True)
    return [target for target, *_ in wanted]


EARLIEST = 1980
"""Year before which a ZIP archive, as Word and PowerPoint write it, has no date."""


def writers(formats: Sequence[str]) -> dict[str, Any]:
    """Import what writes formats, by format, or say which are unknown or lack their extra."""
    known = (HTML, BRIEF, *FORMATS)
    if unknown := [asked for asked in formats if asked not in known]:
        raise InputError([Problem("--format", asked, f"unknown format; known: {', '.join(known)}",
                                  nearest(asked.lower(), known)) for asked in unknown])
    return {name: _writer(name, asked) for asked in formats if asked != HTML
            for name in (BRIEF_IN if asked == BRIEF else (asked,))}


def _writer(name: str, asked: str) -> Any:
    module, package, extra = FORMATS[name]
    if time.localtime().tm_year < EARLIEST:
        raise InputError([Problem(f"--format {name}", "", "the clock of this machine stands before "
                                  f"{EARLIEST}, which the file cannot hold", "set the clock")])
    try:
        import_module(package)
    except ImportError as error:
        raise InputError([Problem(f"--format {asked}", "", f"needs the package '{package}', which "
                                  "is not installed", install(extra))]
                         ) from error
    return import_module(module)


def _blocks(parent: Element, kind: str) -> Iterator[Block]:
    """Give the content of an element; `kind` is that of its paragraphs without a class."""
    for node in parent:
        if node.tag in READERS:
            yield READERS[node.tag](node, kind)
        elif node.tag not in SKIPPED:
            yield from _blocks(node, "answer" if {"answer", "lead"} & {*_classes(node)} else kind)


def _table(node: Element, _: str) -> Table:
    rows = node.findall("tbody/tr")
    caption = node.find("caption")
    return Table(() if caption is None else _text(caption),
                 tuple(_text(cell) for cell in node.iter("th")),
                 tuple(tuple(_text(cell) for cell in row.findall("td")) for row in rows),
                 tuple(row.get("class", "") for row in rows), "words" in _classes(node))


def _picture(node: Element, _: str) -> Picture:
    caption, drawing = node.find("figcaption"), node.find("div[@role='img']")
    assert caption is not None
    return Picture(node.get("id", "").removeprefix("figure-"), _text(caption),
                   "" if drawing is None else drawing.get("aria-label", ""),
                   "narrow" in _classes(node))


READERS: dict[str, Callable[[Element, str], Block]] = {
    "h1": lambda node, _: Heading(1, _text(node)), "h2": lambda node, _: Heading(2, _text(node)),
    "h3": lambda node, _: Heading(3, _text(node)),
    "p": lambda node, kind: Paragraph(_text(node), node.get("class", "") or kind),
    "ul": lambda node, _: Items(tuple(_text(item) for item in node.findall("li"))),
    "ol": lambda node, _: Items(tuple((Run(f"[{number}] "), *_text(item)) for number, item in
                                      enumerate(node.findall("li"), start=1))),
    "pre": lambda node, _: Code("".join(node.itertext())),
    "table": _table, "figure": _picture}


def _classes(node: Element) -> list[str]:
    return node.get("class", "").split()


def _runs(node: Element, look: Run) -> Iterator[Run]:
    """Give the words of an element, each with the look of the elements it is in.

    Links to a part of the page that supports a sentence (class ``more``) lead nowhere on paper.
    """
    if "more" in _classes(node):
        return
    if node.tag == "br":
        yield Run("\n")
    if "more" in _classes(node):  # leads from place to place on a screen
        return
    link = node.get("href", "")
    look = Run("", look.bold or node.tag in ("b", "strong"), look.code or node.tag == "code",
               look.quiet or "run" in _classes(node), look.link or link * (link[:1] != "#"))
    yield replace(look, text=node.text or "")
    for child in node:
        yield from _runs(child, look)
        yield replace(look, text=child.tail or "")


def _text(node: Element) -> Text:
    """Words of an element, with spaces as a browser would show them."""
    shown: list[Run] = []
    space = True
    for run in _runs(node, Run("")):
        if run == Run("\n"):
            shown.append(run)
            space = True
            continue
        text = re.sub("[ \n]+", " ", run.text)
        text = text.lstrip(" ") if space else text
        if text:
            shown.append(replace(run, text=text))
            space = text.endswith(" ")
    while shown and not shown[-1].text.strip():
        shown.pop()
    if shown:
        shown[-1] = replace(shown[-1], text=shown[-1].text.rstrip(" "))
    return tuple(shown)
