"""Layouts of files of trade statistics: which heading plays which role, as data, and a detector."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.distributions import Strict
from tradesim.inputs.strict_yaml import load, words

SHIPPED = Path(__file__).parent / "layouts"
OWN = "import"
"""Folder of a calibration that holds the layouts of its own countries, and `COUNTRIES`."""

HEADING_ROWS = 40
"""Rows of a file in which its heading is looked for."""

Flow = Literal["import", "export", "re-import", "re-export", "processing"]


class Layout(Strict):
    """One way in which an agency lays out its table."""

    name: str  #: what `--as` calls it; several variants may share it
    title: str
    download: str  #: what to download instead of a file that does not serve
    recognised_by: tuple[str, ...]  #: headings that no other layout has together
    columns: dict[str, tuple[str, ...]]  #: headings by role; the first that is filled counts
    flows: dict[str, Flow] = Field(default_factory=dict)  #: flow by code
    unit: float = 1.0  #: USD in one unit of value
    #: by role, what stands in the rows that hold the whole and not a part of it
    whole: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    reporter: str = ""  #: the country whose file it is, where no column says so
    flow: Flow | None = None  #: the flow, where no column says so
    declarations: bool = False  #: many rows of a flow and product add up
    digits: int = 0  #: digits of every code; 0 where they differ
    refuse: str = ""  #: why no file of this layout serves

    @cached_property
    def roles(self) -> Mapping[str, str]:
        """Role by heading, in lower case."""
        return {plain(heading): role for role, headings in self.columns.items()
                for heading in headings}

    def missing(self, headings: Iterable[str]) -> list[str]:
        """Roles without which this layout cannot be read, and for which there is no heading."""
        there = {self.roles[name] for name in map(plain, headings) if name in self.roles}
        needed = [("code",), ("value",), ("year", "date"), *self._direction(there)]
        return [" or ".join(roles) for roles in needed if not there & set(roles)]

    def _direction(self, there: set[str]) -> list[tuple[str, ...]]:
        if self.reporter and self.flow:
            return [("partner",)]
        if self.reporter:
            return [("origin",), ("destination",)]
        if there & {"exporter", "importer"} and "reporter" not in there:
            return [("exporter",), ("importer",)]
        if "flow" not in there and {"exporter", "importer"} <= there:
            return []
        return [("reporter",), ("partner",), ("flow",)]


@dataclass(frozen=True)
class Found:
    """The layout of a file and the place of its heading, counted from 0."""

    layout: Layout
    row: int
    headings: tuple[str, ...]


def plain(text: str) -> str:
    """Write a heading in lower case, without space around it or a mark of byte order."""
    return re.sub(r"\s+", " ", text.strip().strip("﻿'\"")).casefold()


def read_layouts(calibration: Path | None = None) -> tuple[Layout, ...]:
    """Read the layouts that come with tradesim, and those of a calibration's own countries.

    Raises
    ------
    InputError
        For a layout with an unknown or missing key.
    """
    own = [] if calibration is None else sorted((calibration / OWN).glob("*.yaml"))
    return tuple(_layout(path) for path in (*sorted(SHIPPED.glob("*.yaml")), *own))


def _layout(path: Path) -> Layout:
    data = {key: _tuples(value) for key, value in load(path).items()}
    try:
        return Layout.model_validate(data, strict=False)
    except ValidationError as error:
        raise InputError([Problem(str(path), ".".join(map(str, item["loc"])), words(item))
                          for item in error.errors()]) from error


def _tuples(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _tuples(part) for key, part in value.items()}
    return value


def named(layouts: Sequence[Layout], name: str) -> tuple[Layout, ...]:
    """Give the layouts of a name, or all of them for ``auto``.

    Raises
    ------
    InputError
        When there is no layout of that name.
    """
    if name == "auto":
        return tuple(layouts)
    chosen = tuple(layout for layout in layouts if layout.name == name)
    if not chosen:
        known = dict.fromkeys(["auto", *(layout.name for layout in layouts)])
        raise InputError([Problem("--as", name, f"is no layout; known: {', '.join(known)}",
                                  nearest(name, known))])
    return chosen


def detect(rows: Sequence[Sequence[str]], layouts: Sequence[Layout]) -> Found | None:
    """Find the heading among the first rows of a table, and the layout that it belongs to.

    A layout with marks of its own goes before the general table, and more marks before fewer.
    """
    best: tuple[tuple[int, int], Found] | None = None
    for number, row in enumerate(rows[:HEADING_ROWS]):
        headings = [plain(cell) for cell in row]
        for layout in layouts:
            marks = [plain(mark) for mark in layout.recognised_by]
            if not _marked(marks, headings) or (not marks and layout.missing(headings)):
                continue
            score = (len(marks), -number)
            if best is None or score > best[0]:
                best = score, Found(layout, number, tuple(row))
    return None if best is None else best[1]


def _marked(marks: Sequence[str], headings: Sequence[str]) -> bool:
    return all(any(heading == mark or (len(mark) > 8 and heading.startswith(mark))
                   for heading in headings) for mark in marks)


def nearest_layout(rows: Sequence[Sequence[str]],
                   layouts: Sequence[Layout]) -> tuple[Layout, int, list[str]] | None:
    """Give the layout that shares most headings with one of the rows, and what is missing there."""
    best: tuple[int, Layout, int, list[str]] | None = None
    for number, row in enumerate(rows[:HEADING_ROWS]):
        headings = {plain(cell) for cell in row}
        for layout in layouts:
            marks = [mark for mark in layout.recognised_by if plain(mark) not in headings]
            shared = len(headings & set(layout.roles))
            if shared >= 3 and (best is None or shared > best[0]):
                best = shared, layout, number, marks or layout.missing(row)
    return None if best is None else best[1:]
