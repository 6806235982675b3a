"""Letters that the font of the figures lacks: another font of the machine has them, or it is said.

A figure whose letters are all in the usual font is drawn as if this were not here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.text import Text

PREFERRED = ("Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Emoji",
             "Segoe UI", "Segoe UI Symbol", "Segoe UI Emoji", "Microsoft YaHei", "Yu Gothic",
             "Malgun Gothic", "PingFang SC", "Arial Unicode MS")
"""Families that are tried first; then all others by name."""

NO_LETTERS = ("Last Resort", "STIXNonUnicode", "STIXSize", "cm")
"""How the names of fonts begin that hold boxes, or other signs than their places say."""

BROKEN = "\n\r"
"""Signs that end a line and are not drawn."""

SHOWN = 40
"""Letters of a text that a message repeats."""

_undrawn: ContextVar[dict[str, str] | None] = ContextVar("undrawn", default=None)


@contextmanager
def told(say: Callable[[str], None]) -> Iterator[None]:
    """Say once, after all figures of a block are drawn, which letters no font has."""
    found: dict[str, str] = {}
    token = _undrawn.set(found)
    try:
        yield
    finally:
        _undrawn.reset(token)
    if found:
        say(message(found))


def message(undrawn: Mapping[str, str]) -> str:
    """Say which letters are boxes, each with the text that it stands in first."""
    texts: dict[str, list[str]] = {}
    for letter, text in undrawn.items():
        texts.setdefault(text, []).append(f"'{letter}' (U+{ord(letter):04X})")
    parts = [f"{', '.join(letters)} of '{text}'" for text, letters in texts.items()]
    return (f"No font of this machine has {'; '.join(parts)}: boxes stand there in PNG files and "
            "in Word. Install a font that has them, such as one of the Noto fonts, and write the "
            "report again.")


@contextmanager
def drawable(figure: Figure) -> Iterator[None]:
    """Give texts with letters that their font lacks other fonts as well, for as long as a block.

    Letters that no font has are kept for `told`.
    """
    before = {}
    for text, lacking in _lacking(figure).items():
        families, undrawn = others(lacking)
        before[text] = list(text.get_fontfamily())
        text.set_fontfamily([*before[text], *families])
        held = _undrawn.get()
        for letter in undrawn:
            if held is not None:
                held.setdefault(letter, _short(text.get_text()))
    try:
        yield
    finally:
        for text, families in before.items():
            text.set_fontfamily(families)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[:SHOWN - 1] + "…"


def _lacking(figure: Figure) -> dict[Text, list[str]]:
    """Letters that the fonts of texts lack, by text."""
    from matplotlib.font_manager import findfont
    from matplotlib.text import Text

    found = {}
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        letters = set(text.get_text()) - set(BROKEN)
        if letters and not text.get_text().isascii():
            known = _letters(str(findfont(text.get_fontproperties())))
            if missing := sorted(letter for letter in letters if ord(letter) not in known):
                found[text] = missing
    return found


def others(letters: Collection[str]) -> tuple[list[str], list[str]]:
    """Families that have some letters between them, and the letters that none has."""
    families, left = [], {ord(letter) for letter in letters}
    for family, path in _fonts().items():
        if not left:
            break
        if held := left & _letters(path):
            families.append(family)
            left -= held
    return families, [chr(code) for code in sorted(left)]


@cache
def _fonts() -> dict[str, str]:
    """Files of all families of the machine that can be drawn with, the preferred ones first."""
    from matplotlib.font_manager import fontManager

    files: dict[str, str] = {}
    for font in fontManager.ttflist:
        if not font.name.startswith(NO_LETTERS) and font.style == "normal":
            files.setdefault(font.name, font.fname)
    names = [name for name in PREFERRED if name in files]
    return {name: files[name] for name in [*names, *sorted(files.keys() - {*names})]}


@cache
def _letters(path: str) -> frozenset[int]:
    """Letters that a font can draw; none where it cannot be read."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()
