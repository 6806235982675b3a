"""Widths of the columns of a table on paper, so that no word is broken inside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib as mpl
from PIL import ImageFont

from tradesim.reports.export.document import Table, plain

BREAK = "\N{ZERO WIDTH SPACE}"
LONG = 14
"""Words longer than this may break at their marks, in tables of several columns."""

STEP, SMALLEST = 0.5, 5.5
"""By how much letters shrink at a time where words do not fit, and their least size, points."""

WIDEST = 0.5
"""Part of the page's width that a column asks for at most."""

MEASURED, SLACK = 100, 1.05
"""Letter size at which words are measured, points, and room for other ways to set them."""


def breakable(text: str) -> str:
    """Let long names and addresses break after their marks."""
    return re.sub(rf"\S{{{LONG},}}", lambda word: re.sub(r"([._/?=&:-])", rf"\1{BREAK}",
                                                         word.group()), text)


def fitted(table: Table, width: float, size: float, padding: float) -> tuple[float, list[float]]:
    """Give the letter size and the widths of columns that together are as wide as the page.

    Every column holds its longest word, and what is left goes where there is most to read. Letters
    are those of DejaVu Sans, wider than most, so that a reader's own font fits too.

    Parameters
    ----------
    width
        Width of the page without margins, points.
    size
        Letter size to start from, points; it shrinks while the longest words do not fit.
    padding
        Space on both sides of a cell's text, points.
    """
    columns = list(_columns(table))
    while size > SMALLEST and sum(need + padding / size for need, _ in columns) * size > width:
        size -= STEP
    needs = [need * size + padding for need, _ in columns]
    wishes = [max(0.0, min(wish * size + padding, WIDEST * width) - need)
              for (_, wish), need in zip(columns, needs, strict=True)]
    spare, wished = width - sum(needs), sum(wishes)
    share = min(1.0, max(spare, 0.0) / wished) if wished else 0.0
    widths = [need + share * wish for need, wish in zip(needs, wishes, strict=True)]
    return size, [one * width / sum(widths) for one in widths]


def _columns(table: Table) -> list[tuple[float, float]]:
    """Give for each column its longest word, and the width that it would like, by letter size."""
    found = []
    for column in range(table.columns):
        rows = [plain(row[column]) for row in table.rows if column < len(row)]
        head = plain(table.head[column]) if column < len(table.head) else ""
        words = [_wide(word, False) for text in rows for word in _words(text)]
        words += [_wide(word, True) for word in _words(head)]
        lines = [_wide(text, False) for text in rows] or [0.0]
        found.append((max(words, default=0.0), min(max(lines), 2.5 * sum(lines) / len(lines))))
    return found


def _words(text: str) -> Sequence[str]:
    return [word for word in re.split(f"[ \n{BREAK}]+", breakable(text)) if word]


def _wide(text: str, bold: bool) -> float:
    return float(_letters(bold).getlength(text)) * SLACK / MEASURED


@cache
def _letters(bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), MEASURED,
                              layout_engine=ImageFont.Layout.BASIC)
