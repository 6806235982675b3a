"""How kept forecasts did, and what new data moved, as short tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tradesim.reports.terminal import columns
from tradesim.reports.wording import pretty

if TYPE_CHECKING:
    import pandas as pd

INSIDE = {50: "50 % range", 90: "90 % range", 0: "outside 90 %"}


def scores_table(scores: pd.DataFrame) -> str:
    """Where reports fell in the forecasts made before, one line each; USD million."""
    return "Reported against what was forecast, USD million\n" + columns([
        ["forecast", "year", "count", "direction", "reported", "median", "90 % range", "inside",
         "share below"],
        *([row["forecast"], str(row["year"]), row["count"], row["direction"],
           pretty(row["reported"]), pretty(row["p50"]), _range(row, "p05", "p95"),
           INSIDE[row["inside"]], f"{row['pit']:.2f}"] for row in scores.to_dict("records"))])


def moved_table(moved: pd.DataFrame) -> str:
    """Turnover of the last year before and after the new data; USD million."""
    year = moved["year"].iloc[0]
    return f"Turnover of {year} without new policy, USD million\n" + columns([
        ["forecast", "data to", "count", "median", "80 % range", "chance of the target"],
        *([row["forecast"], str(row["as_of"]), row["count"], pretty(row["p50"]),
           _range(row, "p10", "p90"), f"{100 * row['chance']:.0f} %"]
          for row in moved.to_dict("records"))])


def _range(row: Mapping[Any, Any], low: str, high: str) -> str:
    return f"{pretty(row[low])} to {pretty(row[high])}"
