"""Entries by name that print as a list which fits on a screen."""

from __future__ import annotations

from itertools import islice
from textwrap import shorten
from typing import TypeVar

import yaml

Value = TypeVar("Value")

SHOWN, WIDE = 20, 60
"""Entries that a list shows, and characters of each."""


class Listed(dict[str, Value]):
    """A mapping like any other, of which only the beginning is printed.

    Examples
    --------
    >>> Listed(start=2027, speed=0.35)
    <2 entries>
        start: 2027
        speed: 0.35
    """

    def __repr__(self) -> str:
        lines = [f"<{len(self)} entr{'y' if len(self) == 1 else 'ies'}>"]
        lines += [f"    {name}: {_line(value)}"
                  for name, value in islice(self.items(), SHOWN)]
        more = len(self) - SHOWN
        return "\n".join([*lines, f"    and {more:,} more"] if more > 0 else lines)


def _line(value: object) -> str:
    """Title of what has one, or else the value, in a line."""
    title = getattr(value, "title", None)
    return shorten(title if isinstance(title, str) else repr(value), WIDE, placeholder=" ...")


yaml.SafeDumper.add_representer(Listed, yaml.SafeDumper.represent_dict)
