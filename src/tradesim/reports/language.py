"""The language of reports: catalogues of translations, plurals, and the style of numbers.

Texts are written in English in the code and the templates; a catalogue in the folder ``locale``
holds what stands for them in another language. What it lacks stays English, and `missing` tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import DISPLAY, calibration_folder, scenarios_folder
from tradesim.inputs.titles import read_titles
from tradesim.reports.catalogue import Catalogue

T = TypeVar("T")

UNIT = "unit"
LOCALE, DOMAIN = Path(__file__).parent / "locale", "reports"
THIN, COMMA = "\N{NARROW NO-BREAK SPACE}", ","


@dataclass(frozen=True)
class Language:
    """How one language is named and writes numbers (Unicode CLDR 45, but for English).

    `complete` names the templates (files or folders) whose every text is translated.
    """

    name: str
    point: str = "."
    thousands: str = THIN
    complete: tuple[str, ...] = ()


ENGLISH = "en"
BRIEF = ("brief.j2", "brief_page.html.j2", "answers", "idle.j2", "page.html.j2", "parts.j2",
         "pictures.yaml", "slides.yaml", "words.yaml")
"""Templates of the brief and of the figures and tables of a run."""

LANGUAGES = {
    ENGLISH: Language("English"),
    "ru": Language("Русский", ",", complete=(*BRIEF, "accounts.yaml", "compare.yaml",
                                             "evidence.yaml", "explore.yaml")),
    "mn": Language("Монгол", thousands=COMMA, complete=(*BRIEF, "explore.yaml")),
    "kk": Language("Қазақша", ",", complete=(*BRIEF, "explore.yaml")),
}
"""Languages by their ISO 639-1 code, the one in which the program is written first."""


@dataclass
class _Speaking:
    """A language in use: its code, translated titles of the data, and texts that lack."""

    code: str
    titles: Mapping[str, str]
    missing: set[str]


_SPEAKING: ContextVar[_Speaking] = ContextVar("speaking")


@contextmanager
def speak(language: str, calibration: Path | None = None) -> Iterator[None]:
    """Write everything within in one of `LANGUAGES`.

    Titles of the data are taken from the calibration folder and from the scenarios that come
    with tradesim; what is read outside of this context stays English.

    Raises
    ------
    InputError
        When there is no such language, or a table of titles cannot be read.
    """
    if language not in LANGUAGES:
        raise InputError([Problem("--language", "", f"'{language}' is unknown; known: "
                                  + ", ".join(LANGUAGES), nearest(language, LANGUAGES))])
    known = calibration if calibration and calibration.is_dir() else calibration_folder()
    folders = (scenarios_folder(), known / DISPLAY)
    titles: dict[str, str] = {}
    for folder in folders:
        titles |= read_titles(folder).get(language, {})
    token = _SPEAKING.set(_Speaking(language, titles, set()))
    try:
        yield
    finally:
        _SPEAKING.reset(token)


def _speaking() -> _Speaking:
    return _SPEAKING.get(_Speaking(ENGLISH, {}, set()))


def code() -> str:
    """ISO 639-1 code of the language in use."""
    return _speaking().code


def language() -> Language:
    """Give the language in use."""
    return LANGUAGES[code()]


def translated(text: str) -> str:
    """Translate a text, or leave it as it is."""
    return _catalogue(code()).gettext(text) if text else text


def gettext(text: str) -> str:
    """Translate a text, or leave it as it is and note that its translation is missing."""
    found = translated(text)
    return found if found is not text else _lacking(text)


def ngettext(one: str, many: str, number: int) -> str:
    """Translate a text that holds a number, in the form that this number takes."""
    found = _catalogue(code()).ngettext(one, many, number)
    return found if found not in (one, many) else _lacking(found)


def title(text: str) -> str:
    """Translate a title of the data (of a lever, a scenario), or note that it has none."""
    return _speaking().titles.get(text) or _lacking(text)


def titled(part: T) -> T:
    """Give an object of the data with every title in it translated that has a translation.

    Units stay as they are: they are read by the program too.
    """
    titles = _speaking().titles
    if not titles:
        return part
    if isinstance(part, str):
        return cast(T, titles.get(part, part))
    if isinstance(part, BaseModel):
        return part.model_copy(update={name: titled(getattr(part, name))
                                       for name in type(part).model_fields if name != UNIT})
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{item.name: titled(getattr(part, item.name))
                                for item in fields(part) if item.name != UNIT})
    if isinstance(part, dict):
        changed = copy(part)
        changed.update({name: titled(value) for name, value in part.items()})
        return cast(T, changed)
    if isinstance(part, list | tuple):
        return cast(T, type(part)(titled(value) for value in part))
    return part


def missing() -> frozenset[str]:
    """Texts met since `speak` that have no translation."""
    return frozenset(_speaking().missing)


def _lacking(text: str) -> str:
    speaking = _speaking()
    if speaking.code != ENGLISH and text:
        speaking.missing.add(text)
    return text


@cache
def _catalogue(language: str) -> NullTranslations:
    return NullTranslations() if language == ENGLISH else Catalogue(
        LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po")
