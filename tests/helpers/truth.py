"""Hold what sentences claim against the summary of the same run, as a reader with the file would.

The summary is read back from its text, so that nothing of the report's own arithmetic is used.
"""

import io
import re

import pandas as pd

from tidy import tidy
from tradesim.reports.claims import Cell, Claim, Told

KEY = ["variable", "year", "case", "statistic", "count", "exporter", "importer", "group"]
UNITS = {"million": 1e6, "thousand": 1e3, "%": 0.01, "": 1.0}
NUMBER = re.compile(r"(\u2212?)(\d[\d\u202f]*(?:\.(\d+))?)")
NEAR = 1e-5
"""The summary has six digits."""


class Summary:
    """`summary.csv` as its text holds it, by key."""

    def __init__(self, frame: pd.DataFrame) -> None:
        text = frame.to_csv(index=False, float_format="%.6g")
        table = tidy(pd.read_csv(io.StringIO(text), dtype={"count": str}))
        self._values = table.set_index(KEY)["value"].to_dict()

    def __getitem__(self, cell: Cell) -> float:
        return self._values[tuple(getattr(cell, name) for name in KEY)]

    def told(self, told: Told) -> str:
        """What is wrong with a number, if anything."""
        if not told.cells:
            return ""
        value = told.offset + told.sign * sum(self[cell] for cell in told.cells)
        if told.of:
            value /= sum(self[cell] for cell in told.of)
        if told.text.startswith(("less than 1", "more than 99")):
            right = value < 0.005 if told.text.startswith("less") else value > 0.995
            return "" if right else f"{told.text}: {value}"
        shown, half = number(told.text)
        points = 100.0 if not re.search(r"%|million|thousand", told.text) and not told.of else 1.0
        value *= points  # percentage points are printed without a unit
        return "" if abs(shown - value) <= half * 1.01 + NEAR * abs(value) else (
            f"{told.text}: {value}")

    def claim(self, claim: Claim) -> str:
        """What is wrong with a claim, if anything."""
        first, *others = (claim.sign * self[cell] for cell in claim.cells)
        slack = NEAR * max(abs(first), *(abs(one) for one in others), 1e-9)
        if claim.relation in ("above", "below", "larger", "smaller"):
            bound = claim.factor * others[0] if others else claim.factor
            if claim.relation in ("larger", "smaller"):
                first, bound = abs(first), abs(bound)
            right = (first >= bound - slack if claim.relation in ("above", "larger")
                     else first <= bound + slack)
        elif claim.relation == "most":
            right = abs(first) >= max(abs(one) for one in others) - slack
        else:
            right = all(abs(one) < 1e5 for one in (first, *others))
        return "" if right else f"{claim.relation} {claim.factor}: {first} {others[:3]}"


def number(text: str) -> tuple[float, float]:
    """Read the first number of a text in its unit, and half a unit of its last digit."""
    minus, digits, decimals = NUMBER.search(text).groups()
    unit = next(UNITS[word] for word in UNITS if word in text)
    plain = digits.replace("\u202f", "")
    significant = plain.replace(".", "").lstrip("0")
    half = 0.5 * 10.0 ** -len(decimals or "") * unit
    if not decimals and len(significant) > 3:  # three significant digits are printed
        half *= 10.0 ** (len(plain) - 3)
    return (-1.0 if minus else 1.0) * float(plain) * unit, half
