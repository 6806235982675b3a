"""Chapters of the Harmonised System: lists of them as people write them, read and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

CHAPTERS = tuple(f"{number:02d}" for number in range(1, 98) if number != 77)
"""Chapters that hold goods; 77 is kept free by the system."""

SPECIAL = ("98", "99")
"""Chapters that national statistics add: special entries, and goods that are not specified."""

EMPTY = "77"

_PART = re.compile(r"(\d{2})(?:\s*[-–]\s*(\d{2}))?")


def chapters(text: str) -> tuple[str, ...]:
    """Read a list of chapters such as ``"06-09, 12, 13"``.

    Examples
    --------
    >>> chapters("06-08, 12")
    ('06', '07', '08', '12')

    Raises
    ------
    ValueError
        For a part that is no chapter of two digits and no rising range of them.
    """
    found: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"'{part}' is no chapter of the Harmonised System; write two digits, "
                             "or a range such as 06-09")
        first, last = int(match[1]), int(match[2] or match[1])
        if not 1 <= first <= last <= 99:
            raise ValueError(f"'{part}' is no rising range of chapters from 01 to 99")
        found += [f"{number:02d}" for number in range(first, last + 1)]
    return tuple(chapter for chapter in found if chapter != EMPTY)


def group_of_chapter(lists: Mapping[str, str]) -> dict[str, str]:
    """Give the group of every chapter, from the list of each group."""
    return {chapter: group for group, text in lists.items() for chapter in chapters(text)}


def chapter_problems(lists: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with lists of chapters that must hold each of 01 to 97 once.

    Chapters 98 and 99 stand at most once. Groups without any list are not checked.
    """
    if not any(lists.values()):
        return
    held: dict[str, list[str]] = {}
    for group, text in lists.items():
        try:
            for chapter in chapters(text):
                held.setdefault(chapter, []).append(group)
        except ValueError as error:
            yield f"groups.{group}.hs: {error}"
            return
    for chapter, groups in sorted(held.items()):
        if len(groups) > 1:
            yield f"groups.{groups[-1]}.hs: chapter {chapter} stands in {' and in '.join(groups)}"
    missing = [chapter for chapter in CHAPTERS if chapter not in held]
    if missing:
        yield (f"groups: chapter{'s' if len(missing) > 1 else ''} {', '.join(missing)} of the "
               "Harmonised System in no group; every one of 01 to 97 needs a home")
