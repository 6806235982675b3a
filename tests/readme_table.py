"""The table of results in the README, made from the expected files beside the scenarios."""

from pathlib import Path

import pandas as pd

from expected import SCENARIOS, read

README = Path(__file__).parents[1] / "README.md"
BEGIN = "<!-- table of results: written by tests/refresh_expected.py -->\n"
END = "<!-- end of the table -->\n"
ORDER = ("base", "eaeu_interim", "eaeu_fta", "road_through_russia", "tsagaannuur_free_zone",
         "direct_flights", "border_facilitation", "all_levers")
COUNT = "kazakh"
MILLION = 1e6


def table() -> str:
    """Markdown: one row per scenario, USD million on the count of the target."""
    lines = [
        "| scenario | turnover 2030 | turnover 2035 | change 2035, with its risks "
        "| change 2035, if implemented | 500 million in 2035 |",
        "|---|---|---|---|---|---|",
    ]
    known = sorted(path.name.removesuffix(".expected.csv")
                   for path in SCENARIOS.glob("*.expected.csv"))
    for name in [*ORDER, *(name for name in known if name not in ORDER)]:
        lines.append(_row(name, read(SCENARIOS / f"{name}.yaml")))
    return "\n".join(lines) + "\n"


def _row(name: str, rows: pd.DataFrame) -> str:
    rows = rows[rows["count"] == COUNT]

    def number(variable: str, year: int, case: str, statistic: str) -> float:
        chosen = rows[(rows["variable"] == variable) & (rows["year"] == year)
                      & (rows["case"] == case) & (rows["statistic"] == statistic)]
        return float(chosen["value"].iloc[0])

    def million(year: int, case: str, statistic: str, sign: str = "") -> str:
        value = number("turnover", year, case, statistic) / MILLION
        digits = f"{value:{sign},.0f}" if abs(value) >= 100 or not sign else f"{value:{sign}.1f}"
        return digits.replace("-", "\N{MINUS SIGN}") if value else "0"

    def spread(year: int, case: str, middle: str, sign: str = "") -> str:
        low, high = (million(year, case, statistic, sign) for statistic in ("p10", "p90"))
        return f"{million(year, case, middle, sign)} ({low} to {high})"

    chance = number("target_probability", 2035, "scenario", "mean")
    policy = number("turnover", 2035, "effect_if_implemented", "p90") > 0.0
    changes = (f"{million(2035, 'effect', 'mean', '+')} "
               f"| {spread(2035, 'effect_if_implemented', 'p50', '+')} " if policy else "– | – ")
    return (f"| `{name}` | {spread(2030, 'scenario', 'p50')} | {spread(2035, 'scenario', 'p50')} "
            f"| {changes}| {100 * chance:.0f} % |")


def between(text: str) -> str:
    """The part of a text that stands between the two marks."""
    return text.split(BEGIN)[1].split(END)[0]


def refresh() -> Path:
    """Write the table into the README."""
    text = README.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    README.write_text(before + BEGIN + table() + END + after, encoding="utf-8")
    return README
