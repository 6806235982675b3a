"""Texts that people gave: what may stand in them, and how they go into tables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 refuses or a terminal obeys: control characters, halves of pairs, no characters."""

_NUMBER = re.compile(r"[-+]?[\d.]+([eE][-+]?\d+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def control(text: str) -> str:
    r"""Name the first character of a text that no document should hold, or give an empty text.

    Examples
    --------
    >>> control("a title"), control("a bell\a")
    ('', 'U+0007')
    """
    found = _CONTROL.search(text)
    return f"U+{ord(found.group()):04X}" if found else ""


def without_control(text: str) -> str:
    """Give a text without the characters that `control` names."""
    return _CONTROL.sub("", text)


FEW = 40
"""Characters of a value that a message shows."""

_KINDS = {str: "text", int: "a whole number", float: "a number"}


def named(value: object) -> str:
    """Name the kind of a Python value, with the value where it is short.

    Examples
    --------
    >>> named("2035"), named(None), named([1]), named({}), named(abs)
    ("text ('2035')", 'None', 'a list', 'a mapping', 'a builtin_function_or_method')
    """
    if value is None or isinstance(value, bool):
        return str(value)
    if kind := _KINDS.get(type(value)):
        text = repr(value)
        return f"{kind} ({text})" if len(text) <= FEW else f"{kind} ({text[:FEW]}...)"
    if type(value) in (list, tuple, dict):
        return "a mapping" if isinstance(value, dict) else "a list"
    name = type(value).__name__
    return f"an {name}" if name[0] in "aeiouAEIOU" else f"a {name}"


def no_formula(text: object) -> object:
    """Give a cell that a spreadsheet takes for text, never for a formula.

    Examples
    --------
    >>> no_formula("=1+1"), no_formula("-1.5"), no_formula(2)
    ("'=1+1", '-1.5', 2)
    """
    if isinstance(text, str) and text.startswith(_FORMULA) and not _NUMBER.fullmatch(text):
        return f"'{text}"
    return text


def no_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table whose texts a spreadsheet takes for text; numbers stay as they are."""
    texts = table.select_dtypes(exclude="number")
    return table.assign(**{str(name): texts[name].map({
        text: no_formula(text) for text in texts[name].unique()}) for name in texts})
