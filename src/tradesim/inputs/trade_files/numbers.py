"""Values, years and product codes as files write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from tradesim.common.arrays import Array

T = TypeVar("T", bound=Hashable)

TOTAL = "TOTAL"
_SPACES = re.compile("[\\s\u00a0\u202f']+")
_YEAR = re.compile(r"(?<!\d)(19|20)(\d\d)(?!\d)")
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.]\d{1,2}|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
UNITS = {"usd": 1.0, "us dollar": 1.0, "us$": 1.0, "dollars": 1.0}


class AmbiguousError(ValueError):
    """A number can be read in two ways."""


def mapped(series: pd.Series[str], function: Callable[[str], Any]) -> Any:
    """Apply a function once to every different text of a column; an array of objects."""
    import pandas as pd

    codes, texts = pd.factorize(series)
    values = np.empty(len(texts), dtype=object)
    values[:] = [function(text) for text in texts]
    return values[codes]


def amounts(texts: pd.Series[str]) -> tuple[Array, str]:
    """Read values; what is no number is NaN, and so is an empty cell.

    Returns
    -------
    tuple
        The values, and what was mended, in words.

    Raises
    ------
    AmbiguousError
        When commas may be decimal commas or separate thousands.
    """
    import pandas as pd

    values = pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float, copy=True)
    odd = np.isnan(values) & (texts.to_numpy() != "")
    if not odd.any():
        return values, ""
    tidy = texts[odd].str.replace(_SPACES, "", regex=True)
    commas = tidy[tidy.str.contains(",", regex=False)]
    said = ""
    if len(commas):
        decimal = _decimal_commas(commas)
        said = ("commas in values are read as decimal commas" if decimal
                else "commas in values are read as separators of thousands")
        tidy = (tidy.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
                if decimal else tidy.str.replace(",", "", regex=False))
        if decimal and len(commas) < len(texts) - (texts == "").sum() and (
                texts[~odd].str.contains(".", regex=False).any()):
            raise AmbiguousError("some values have a decimal point, others a comma")
    values[odd] = pd.to_numeric(tidy, errors="coerce").to_numpy(dtype=float)
    return values, said


def _decimal_commas(texts: pd.Series[str]) -> bool:
    """Whether the comma of these values is a decimal comma."""
    both = texts.str.contains(".", regex=False)
    if both.any():
        last = texts[both].str.rfind(",") > texts[both].str.rfind(".")
        if last.all():
            return True
        if not last.any():
            return False
        raise AmbiguousError("values hold points and commas in both orders")
    if (texts.str.count(",") > 1).any():
        return False
    if not texts.str.fullmatch(r"-?\d{1,3},\d{3}").all():
        return True
    raise AmbiguousError("every comma stands before three digits, so it may be a decimal comma or "
                    "separate thousands")


def period(text: str) -> tuple[int, int, int]:
    """First and last year of a period, and its month, 0 for a whole year; zeros where unreadable.

    Examples
    --------
    >>> period("2013-2014 mean"), period("202303"), period("05.03.2023")
    ((2013, 2014, 0), (2023, 2023, 3), (2023, 2023, 3))
    """
    word = text.strip().removesuffix(".0")
    if date := _DATE.match(word):
        year, month = (date[1], date[2]) if date[1] else (date[5], date[4])
        return int(year), int(year), int(month)
    if month := re.fullmatch(r"((?:19|20)\d\d)-?(0[1-9]|1[0-2])", word):
        return int(month[1]), int(month[1]), int(month[2])
    years = [int("".join(found)) for found in _YEAR.findall(word)]
    short = re.fullmatch(r"((?:19|20)\d\d)\s*[-–/]\s*(\d\d)", word)
    if short:
        years = [int(short[1]), int(short[1][:2] + short[2])]
    return (years[0], years[-1], 0) if years else (0, 0, 0)


def chosen_years(text: str) -> list[tuple[int, int]]:
    """Read a choice of years such as ``2005, 2013-2014``.

    Raises
    ------
    ValueError
        For a part that is no year and no rising range of years.
    """
    spans = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{4})\s*(?:[-–]\s*(\d{4})\s*)?", part)
        if match is None or int(match[2] or match[1]) < int(match[1]):
            raise ValueError(f"'{part.strip()}' is no year and no rising range of years, "
                             "such as 2019,2021-2023")
        spans.append((int(match[1]), int(match[2] or match[1])))
    return spans


def unit(text: str) -> float:
    """USD in a unit such as ``thousand USD``; 0 when it is no unit of USD."""
    word = re.sub(r"[\s,().]+", " ", text).strip().casefold()
    for name, factor in (("million", 1e6), ("mln", 1e6), ("thousand", 1e3), ("000", 1e3),
                         ("1000", 1e3)):
        if name in word.split():
            return factor if re.search(r"usd|us\$|dollar|\$|долл", word) else 0.0
    return UNITS.get(word, 0.0)


def product(text: str) -> tuple[str, str]:
    """Scheme (``HS``, ``SITC`` or nothing) and code of a product, without marks around it.

    Examples
    --------
    >>> product("HS02"), product("SITC0"), product("0101.21"), product("All products")
    (('HS', '02'), ('SITC', '0'), ('', '010121'), ('', 'TOTAL'))
    """
    word = text.strip().strip("'\"").strip()
    word = re.sub(r"\.0$", "", word) if re.fullmatch(r"\d+\.0", word) else word
    if re.fullmatch(r"(total|ag|all products|all commodities|всего|--?)( .*)?", word, re.I):
        return "", TOTAL
    match = re.fullmatch(r"(HS|SITC|S)?[\s_-]*(\d[\d. ]*)", word, re.I)
    if match is None:
        return "", ""
    scheme = {"HS": "HS", "SITC": "SITC", "S": "SITC", "": ""}[(match[1] or "").upper()]
    return scheme, re.sub(r"\D", "", match[2])


def padded(codes: Sequence[str], digits: int) -> tuple[dict[str, str], int]:
    """Give codes back the zero that they lost in front, and say how many had.

    Codes of the Harmonised System have an even number of digits, so one with an odd number has
    lost a zero.

    Raises
    ------
    AmbiguousError
        When every code has an odd number of digits: then the codes may be of another system.
    """
    short = [code for code in codes if code != TOTAL
             and (len(code) % 2 or (digits and len(code) < digits))]
    real = [code for code in codes if code != TOTAL]
    if short and len(short) == len(real) and not digits:
        raise AmbiguousError("every product code has an odd number of digits")
    wide = {code: code.zfill(digits or len(code) + 1) for code in short}
    return {code: wide.get(code, code) for code in codes}, len(wide)
