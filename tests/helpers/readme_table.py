"""The table of results in README and CHANGELOG, made from the expected files of the scenarios."""

from pathlib import Path

import pandas as pd

from expected import ENDING, SCENARIOS, read
from result_numbers import MILLION, Numbers
from tradesim.inputs.strict_yaml import load

ROOT = Path(__file__).parents[2]
PLACES = (ROOT / "README.md", ROOT / "CHANGELOG.md")  # in the latter, the newest version's
BEGIN = "<!-- table of results: written by tests/refresh_expected.py -->\n"
END = "<!-- end of the table -->\n"
ORDER = ("base", "first_goal", "eaeu_interim", "eaeu_fta", "food_security", "bilateral_mechanism",
         "roadmap_2025_2027", "strategic_partnership", "road_through_russia", "china_corridor",
         "border_facilitation", "tsagaannuur_free_zone", "direct_flights",
         "tourism", "processing_investment", "medicines", "ferrosilicon", "gold_refinery",
         "critical_minerals", "energy", "all_levers", "export_dependence",
         "russia_says_no", "corridor_closure", "sanctions", "dzud")
COUNT, OTHER = "kazakh", "mongolian"


def names() -> list[str]:
    """Scenarios that have results, in the order in which people ask."""
    known = sorted(path.name.removesuffix(ENDING) for path in SCENARIOS.glob(f"*{ENDING}"))
    return [*(name for name in ORDER if name in known),
            *(name for name in known if name not in ORDER)]


def table() -> str:
    """Markdown: one row per scenario, USD million on the count of the target."""
    lines = [
        "| scenario | turnover 2030 | turnover 2035 | average change 2035, with its risks "
        "| average change 2035, if implemented | probability of 500 in 2035 |",
        "|---|---|---|---|---|---|",
    ]
    for name in names():
        lines.append(_row(name, read(SCENARIOS / f"{name}.yaml")))
    first, last = (Numbers(read(SCENARIOS / f"{name}.yaml"), OTHER).spread(2035, "scenario")
                   for name in ("base", "all_levers"))
    lines += ["", f"On Mongolia's count, turnover of 2035 is {first} in `base` and {last} in "
                  "`all_levers`."]
    return "\n".join(lines) + "\n"


def _row(name: str, rows: pd.DataFrame) -> str:
    numbers = Numbers(rows, COUNT)
    chance = numbers.chance("scenario")
    implemented = numbers.spread(2035, "effect_if_implemented", "mean", "+")
    changes = [numbers.million(2035, "effect", "mean", "+"), implemented]
    if numbers.still:
        changes = ["–", "–"]
    own = own_goal(name)
    cells = [f"`{name}`", numbers.spread(2030, "scenario"), numbers.spread(2035, "scenario"),
             *changes, f"{100 * chance:.0f} %" + (f" (of {own / MILLION:.0f})" if own else "")]
    return f"| {' | '.join(cells)} |"


def own_goal(name: str) -> float:
    """The goal that a scenario sets itself, USD; zero where it keeps the official one."""
    path = SCENARIOS / f"{name}.yaml"
    return float(load(path).get("target_usd", 0.0)) if path.is_file() else 0.0


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
