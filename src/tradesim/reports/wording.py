"""Numbers and names as a reader meets them: rounding, ranges, plurals, short phrases.

Prose is in `templates/`; this module only turns numbers into text by the same rules everywhere:
three significant digits, one number of decimals for a middle and its range.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tradesim.reports.language import code, language, ngettext, translated
from tradesim.reports.ranges import Change

TEMPLATES = Path(__file__).parent / "templates"
DIGITS = 3
MINUS = "\N{MINUS SIGN}"
# More decimals than these (thousands of dollars, where the unit is a million) would be noise.
PLACES = 3

BARE = ("log", "log USD", "ratio", "elasticity", "factor", "correlation", "place in order",
        "log per share of value", "log per year closed")
"""Units that say nothing beside a number."""


def words(name: str = "words") -> dict[str, Any]:
    """Short phrases of figures and tables, in the language in use.

    They come from a YAML file of the folder of templates.
    """
    return _words(name, code())


@cache
def _words(name: str, _: str) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((TEMPLATES / f"{name}.yaml").read_text(encoding="utf-8"))
    return {key: _translated(part) for key, part in read.items()}


def _translated(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _translated(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_translated(value) for value in part]
    return translated(part) if isinstance(part, str) else part


def decimals(values: Sequence[float], digits: int = DIGITS) -> int:
    """Count the decimals that show the largest of `values` with so many significant digits."""
    largest = max(abs(value) for value in values)
    if round(largest, PLACES) == 0:
        return 0
    exponent = math.floor(math.log10(float(f"{largest:.{digits - 1}e}")))
    return min(max(0, digits - 1 - exponent), PLACES)


def plain(value: float, digits: int = DIGITS, *, places: int | None = None) -> str:
    """Write a number as spreadsheets read it: hyphen for minus, no separators, no exponent.

    It has `digits` significant digits, or `places` decimals. A number that is not finite raises
    ValueError: a report must never print one.
    """
    if not math.isfinite(value):
        raise ValueError(f"a number to be shown is {value}")
    places = decimals([value], digits) if places is None else places
    if value and abs(value) >= 10**digits:
        value = float(f"{value:.{digits - 1}e}")
    text = f"{value:.{places}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def pretty(value: float, digits: int = DIGITS, *, places: int | None = None) -> str:
    """Write a number for prose and figures, in the style of the language in use.

    English: minus sign, narrow spaces between thousands, decimal point.
    """
    text = plain(value, digits, places=places)
    sign, text = (MINUS, text[1:]) if text.startswith("-") else ("", text)
    whole, dot, rest = text.partition(".")
    if len(whole) > 4:
        whole = grouped(int(whole))
    return f"{sign}{whole}{language().point if dot else ''}{rest}"


def grouped(number: int) -> str:
    """Write a whole number with its thousands apart."""
    return f"{number:,}".replace(",", language().thousands)


def together(values: Sequence[float], digits: int = DIGITS) -> list[str]:
    """Write numbers that belong together with the same decimals."""
    places = decimals(values, digits)
    return [pretty(value, digits, places=places) for value in values]


def interval(values: Sequence[float], digits: int = DIGITS) -> str:
    """Write a middle with the ends of its range in brackets."""
    return _ranged(together(values, digits))


def plain_interval(values: Sequence[float]) -> str:
    """Write a middle with the ends of its range in brackets, as `plain` writes numbers."""
    places = decimals(values)
    return _ranged([plain(value, places=places) for value in values])


def _ranged(texts: Sequence[str]) -> str:
    middle, low, high = texts
    return str(words()["distribution"].format(middle=middle, low=low, high=high))


def money(values: Sequence[float], form: str | None = None) -> str:
    """Write one amount in USD million, or a middle with its low and high end, in US dollars.

    `form` is the key of the phrase for three amounts: ``range`` or ``range_short``.
    """
    phrases = words()
    small = max(abs(value) for value in values) < 1
    size = "small" if small else "large"
    texts = together([value * 1000 if small else value for value in values])
    middle = str(phrases["million"][size].format(values=texts[0]))
    if len(values) == 1 or min(values) == max(values):
        return middle
    return str(phrases[form or "range"].format(middle=middle, ends=_ends(texts[1], texts[2], size)))


def _ends(low: str, high: str, size: str) -> str:
    """Write both ends of a range of amounts with their unit."""
    return str(words()["ends"][size].format(low=low, high=high))


def changed(change: Change, form: str = "long") -> str:
    """Write an average change with its range, and how many draws have none where that matters.

    The median stands beside an average that few large outcomes pull away from it. `form` is
    ``long`` for sentences, ``short`` for cells of tables, whose heads hold the unit.
    """
    phrases = words()["average"][form]
    low, high = change.inner if change.partial else (change.low, change.high)
    amounts = [change.mean, *([] if change.single else [change.median, low, high])]
    small = form == "long" and max(abs(value) for value in amounts) < 1
    size = ("small" if small else "large") if form == "long" else "none"
    texts = together([value * 1000 if small else value for value in amounts])
    middle = texts[0]
    if form == "long":
        middle = words()["million"][size].format(values=middle)
    if change.single:
        return str(middle)
    kind = ("partial" if change.partial else "flat" if change.flat
            else "outside" if change.outside else "skewed" if change.skewed else "range")
    return str(phrases[kind].format(
        middle=middle, median=texts[1], ends=_ends(texts[2], texts[3], size),
        some=probability(1 - change.nothing), nothing=probability(change.nothing)))


def percent(values: Sequence[float], form: str | None = None) -> str:
    """Write one share, or a middle with its low and high end, given in per cent."""
    phrases = words()
    texts = together(values, 2 if max(abs(value) for value in values) < 10 else DIGITS)
    if len(values) == 1:
        return str(phrases["per_cent"].format(number=texts[0]))
    middle, low, high = texts
    return str(phrases[form or "range"].format(
        middle=phrases["per_cent"].format(number=middle), ends=_ends(low, high, "per_cent")))


def probability(share: float, form: str = "long") -> str:
    """Write a share of draws as a probability in whole per cent, never as certain.

    `form` is ``long`` for sentences, ``short`` for tables.
    """
    phrases = words()["probability"][form]
    whole = round(100 * share)
    if whole < 1:
        return str(phrases["least"])
    if whole > 99:
        return str(phrases["most"])
    return str(words()["per_cent"].format(number=whole))


def in_percent(share: float) -> str:
    """Write a share in whole per cent without the sign; a dash where there is none."""
    return pretty(100 * share, places=0) if math.isfinite(share) else "–"


def plural(number: int, one: str, many: str) -> str:
    """Write a whole number with its noun: ``1 draw``, ``200 draws``."""
    return f"{grouped(number)} {ngettext(one, many, number)}"


def lower_first(title: str) -> str:
    """Begin a title with a small letter, unless it begins with an abbreviation or a name."""
    first = title.split(" ")[0]
    proper = first[1:] != first[1:].lower() or "'" in first
    return title if proper else title[:1].lower() + title[1:]


def wrapped(text: str, width: int) -> str:
    """Break a label into lines of at most `width` characters, between words."""
    return "\n".join(textwrap.wrap(text, width, break_long_words=False))
