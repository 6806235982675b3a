"""A brief as five slides: the answer, trade by year, who gains, the table, what to bear in mind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tradesim.reports.export import powerpoint
from tradesim.reports.export.columns import fitted
from tradesim.reports.export.document import Block, Document, Heading, Paragraph, Table, plain
from tradesim.reports.export.powerpoint import (
    BODY,
    PADDING,
    Bars,
    Deck,
    Grid,
    Line,
    Lines,
    Said,
    Slide,
    Words,
)
from tradesim.reports.wording import pretty, words

NOT_SAID = ("note", "colophon", "question")
"""Kinds of paragraphs that are no part of the answer."""


def write(document: Document, target: Path) -> None:
    """Write a brief as slides, with charts and a table that can be edited."""
    powerpoint.write(deck(document), target)


def deck(document: Document) -> Deck:
    """Give the slides of a brief: sentences and table of its page, charts of the same run."""
    start, rest = _parted(document.blocks)
    said = [block for block in start if isinstance(block, Paragraph)]
    answer = [Said(_one_line(block)) for block in said if block.kind not in NOT_SAID]
    question = next((_one_line(block) for block in said if block.kind == "question"), "")
    made = next((_one_line(block) for block in rest
                 if isinstance(block, Paragraph) and block.kind == "colophon"), "")
    notes = "\n".join(_one_line(block) for block in said if block.kind == "note")
    table = next(block for block in start if isinstance(block, Table))
    head, *rows = [tuple(map(plain, row)) for row in (table.head, *table.rows)]
    size, widths = fitted(table, BODY.pt, 14.0, PADDING)
    caption = plain(tuple(run for run in table.caption if not run.quiet)).strip()
    mind = [Said(_one_line(block), isinstance(block, Heading)) for block in rest
            if isinstance(block, Heading) or (isinstance(block, Paragraph)
                                              and block.kind not in NOT_SAID)]
    return Deck(document.title, document.language, f"tradesim · {document.run_id}", [
        Slide(document.title, Words(answer, question), caption=made, notes=notes),
        _turnover(document.charts["lines"]), _bars(document.charts["bars"]),
        Slide(words("slides")["results"], Grid(head, rows, widths, size), caption=caption,
              notes=notes),
        Slide(words("slides")["mind"], Words(mind), notes=made)])


def _parted(blocks: tuple[Block, ...]) -> tuple[list[Block], list[Block]]:
    """Part the blocks of a brief before its first heading below the title."""
    at = next((place for place, block in enumerate(blocks)
               if isinstance(block, Heading) and block.level > 1), len(blocks))
    return list(blocks[:at]), list(blocks[at:])


def _one_line(block: Paragraph | Heading) -> str:
    return " ".join(plain(block.text).split())


def _turnover(chart: dict[str, Any]) -> Slide:
    lines = [Line(**line) for line in chart["lines"]]
    return Slide(chart["title"], Lines(chart["years"], lines, chart["axis"]),
                 alt=words("slides")["lines"].format(names="; ".join(_ends(lines))),
                 caption=chart["caption"])


def _ends(lines: list[Line]) -> Iterator[str]:
    for line in lines:
        known = [value for value in line.values if value is not None]
        yield f"{line.name} {pretty(known[-1])}"


def _bars(chart: dict[str, Any]) -> Slide:
    rows = [(str(name), float(value)) for name, value in chart["rows"]]
    told = "; ".join(f"{name} {pretty(value)}" for name, value in rows)
    return Slide(chart["title"], Bars(rows, chart["axis"], tuple(chart["colours"])),
                 alt=words("slides")["bars"].format(rows=told), caption=chart["caption"])
