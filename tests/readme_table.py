"""The table of results in README and CHANGELOG, made from the expected files of the scenarios."""

from pathlib import Path

import pandas as pd

from expected import KEY, SCENARIOS, read

ROOT = Path(__file__).parents[1]
PLACES = (ROOT / "README.md", ROOT / "CHANGELOG.md")  # in the latter, the newest version's
BEGIN = "<!-- table of results: written by tests/refresh_expected.py -->\n"
END = "<!-- end of the table -->\n"
ORDER = ("base", "eaeu_interim", "eaeu_fta", "road_through_russia", "tsagaannuur_free_zone",
         "direct_flights", "border_facilitation", "all_levers")
COUNT, OTHER = "kazakh", "mongolian"
MILLION = 1e6


def table() -> str:
    """Markdown: one row per scenario, USD million on the count of the target."""
    lines = [
        "| scenario | turnover 2030 | turnover 2035 | average change 2035, with its risks "
        "| average change 2035, if implemented | probability of 500 in 2035 |",
        "|---|---|---|---|---|---|",
    ]
    known = sorted(path.name.removesuffix(".expected.csv")
                   for path in SCENARIOS.glob("*.expected.csv"))
    for name in [*ORDER, *(name for name in known if name not in ORDER)]:
        lines.append(_row(name, read(SCENARIOS / f"{name}.yaml")))
    first, last = (Numbers(read(SCENARIOS / f"{name}.yaml"), OTHER).spread(2035, "scenario")
                   for name in ("base", "all_levers"))
    lines += ["", f"On Mongolia's count, turnover of 2035 is {first} in `base` and {last} in "
                  "`all_levers`."]
    return "\n".join(lines) + "\n"


class Numbers:
    """Figures of one scenario on one count, written for people."""

    def __init__(self, rows: pd.DataFrame, count: str) -> None:
        self.rows = rows[rows["count"] == count].set_index(KEY)["value"]
        self.count = count

    def value(self, variable: str, year: int, case: str, statistic: str) -> float:
        return float(self.rows[variable, self.count, year, case, statistic])

    def million(self, year: int, case: str, statistic: str, sign: str = "") -> str:
        """USD million; changes below 100 with one decimal."""
        value = self.value("turnover", year, case, statistic) / MILLION
        digits = f"{value:{sign},.0f}" if abs(value) >= 100 or not sign else f"{value:{sign}.1f}"
        return digits.replace("-", "\N{MINUS SIGN}") if value else "0"

    def spread(self, year: int, case: str, middle: str = "p50", sign: str = "") -> str:
        """Median or mean, and the 80 % range in brackets."""
        low, middle, high = (self.million(year, case, statistic, sign)
                             for statistic in ("p10", middle, "p90"))
        return f"{middle} ({low} to {high})"


def _row(name: str, rows: pd.DataFrame) -> str:
    numbers = Numbers(rows, COUNT)
    chance = numbers.value("target_probability", 2035, "scenario", "mean")
    implemented = numbers.spread(2035, "effect_if_implemented", "mean", "+")
    changes = [numbers.million(2035, "effect", "mean", "+"), implemented]
    if numbers.value("turnover", 2035, "effect_if_implemented", "p90") == 0.0:
        changes = ["–", "–"]
    cells = [f"`{name}`", numbers.spread(2030, "scenario"), numbers.spread(2035, "scenario"),
             *changes, f"{100 * chance:.0f} %"]
    return f"| {' | '.join(cells)} |"


def between(text: str) -> str:
    """The part of a text that stands between the two marks."""
    return text.split(BEGIN)[1].split(END)[0]


def refresh() -> list[Path]:
    """Write the table where it belongs."""
    for path in PLACES:
        text = path.read_text(encoding="utf-8")
        before, after = text.split(BEGIN)[0], text.split(END)[1]
        path.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
    return list(PLACES)
