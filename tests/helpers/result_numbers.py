"""Figures of one scenario's expected file, written for people."""

import pandas as pd

from expected import KEY, LAST
from tradesim.simulation.summary import ALL

MILLION = 1e6
MINUS = "\N{MINUS SIGN}"
VISIBLE = 0.05
"""USD million: what is smaller shows as zero with one decimal."""


class Numbers:
    """Results of one scenario on one count.

    Parameters
    ----------
    rows
        Its expected file.
    count
        Whose statistics bilateral trade is counted by.
    """

    def __init__(self, rows: pd.DataFrame, count: str) -> None:
        self.rows = rows.set_index(KEY)["value"].to_dict()
        self.count = count

    def value(self, variable: str, year: int, case: str, statistic: str, *,
              exporter: str = ALL, importer: str = ALL, group: str = ALL,
              count: str | None = None) -> float:
        """One number, in the unit of its variable."""
        where = (variable, self.count if count is None else count, year, exporter, importer,
                 group, case, statistic)
        return float(self.rows[where])

    def change(self, variable: str, case: str = "effect_if_implemented", year: int = LAST,
               **where: str) -> float:
        """Mean change against the reference, USD million."""
        return self.value(variable, year, case, "mean", **where) / MILLION

    def level(self, variable: str, year: int = LAST, **where: str) -> float:
        """Mean without the scenario, USD million."""
        return self.value(variable, year, "reference", "mean", **where) / MILLION

    def share(self, variable: str, **where: str) -> tuple[float, float]:
        """A mean share of the last year: without the scenario, and if it is implemented."""
        before, change = (self.value(variable, LAST, case, "mean", count="own", **where)
                          for case in ("reference", "effect_if_implemented"))
        return before, before + change

    def million(self, year: int, case: str, statistic: str, sign: str = "") -> str:
        """Turnover in USD million; changes below 100 with one decimal."""
        value = self.value("turnover", year, case, statistic) / MILLION
        digits = f"{value:{sign},.0f}" if abs(value) >= 100 or not sign else f"{value:{sign}.1f}"
        return digits.replace("-", MINUS) if value else "0"

    def spread(self, year: int, case: str, middle: str = "p50", sign: str = "") -> str:
        """Median or mean of turnover, and the 80 % range in brackets."""
        low, middle, high = (self.million(year, case, statistic, sign)
                             for statistic in ("p10", middle, "p90"))
        return f"{middle} ({low} to {high})"

    def chance(self, case: str, year: int = LAST) -> float:
        """Probability of the goal."""
        return self.value("target_probability", year, case, "mean")

    @property
    def still(self) -> bool:
        """Whether the scenario changes nothing in any year."""
        return not any(value for key, value in self.rows.items()
                       if key[0] == "turnover" and key[KEY.index("case")].startswith("effect"))

    def years(self, variable: str) -> list[int]:
        """Years of a variable."""
        return sorted({key[KEY.index("year")] for key in self.rows if key[0] == variable})

    def path(self, variable: str = "turnover", case: str = "effect_if_implemented",
             **where: str) -> dict[int, float]:
        """Mean change of a variable by year, USD million."""
        return {year: self.change(variable, case, year, **where) for year in self.years(variable)}


def amount(value: float) -> str:
    """An amount of USD million without its sign: 1,234, 123, 12.3, 0.4."""
    size = abs(value)
    if size < VISIBLE:
        return "less than 0.1 million"
    return f"{size:,.0f} million" if size >= 99.95 else f"{size:.1f} million"


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign unless it is zero."""
    said = f"{100 * share:+.1f}"
    return "0" if float(said) == 0.0 else said.replace("-", MINUS)


def per_cent(share: float) -> str:
    """A probability in whole per cent, never as certain."""
    whole = round(100 * share)
    return "less than 1 %" if whole < 1 else "more than 99 %" if whole > 99 else f"{whole} %"
