"""Tables of docs/backtest.md: `python tests/helpers/backtest_page.py`."""

from __future__ import annotations

import re
from pathlib import Path

from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.backtest import model_rows
from tradesim.reports.skill import (
    horizon_rows,
    origin_rows,
    percent,
    sharpness_rows,
    skill_text,
    summary,
)
from tradesim.reports.wording import words
from tradesim.studies.backtest import track_record as record
from tradesim.studies.backtest.backtest import series_of
from tradesim.studies.backtest.track_record import MODEL, RIVAL, RIVAL_ALL_YEARS, TURNOVER

PAGE = Path(__file__).parents[2] / "docs" / "backtest.md"
BEGIN = "<!-- from calibration/backtest.csv by tests/helpers/backtest_page.py -->"
END = "<!-- end -->"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown, first column to the left, the others to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def tables(folder: Path) -> str:
    """Give the results of the page."""
    frame, pair = record.read_record(folder), read_pair(folder)
    heads = words("backtest")["columns"]
    count = pair.target_count
    rows = record.of(frame, TURNOVER, count)
    others = []
    for target, other in series_of(pair):
        part = record.of(frame, target, other)
        whole = record.overall(part).loc[MODEL]
        fair, every = (record.skill(part, MODEL, kind) for kind in (RIVAL, RIVAL_ALL_YEARS))
        what = TURNOVER if target == TURNOVER else (
            f"{pair.name(pair.partner(target))} to {pair.name(target)}")
        others.append([f"{what}, {pair.name(other)}", f"{whole['crps']:.3f}",
                       *(skill_text(one.range(2)) for one in (fair, every)),
                       *(percent(whole[f"covered{level}"]) for level in (90, 50))])
    return "\n\n".join([
        f"Turnover on {pair.name(count)}. {summary(rows, MODEL)}",
        table(heads["horizon"], horizon_rows(rows, MODEL)),
        "By origin, mean CRPS from the second year on:",
        table(heads["origins"], origin_rows(rows, MODEL)),
        "How spread out outcomes were in the ranges, and how wide these were:",
        table(heads["sharpness"], sharpness_rows(rows, MODEL)),
        "Every model, means over the five horizons (each counts the same); skill against the best "
        "rival of open years at each horizon, bias is outcome less median.",
        table(heads["models"], model_rows(rows)),
        "The model on every target and count:",
        table(["target", "CRPS", "skill, years 2 to 5", "the same, rivals of all years",
               "90 % held", "50 % held"], others)])


def page(text: str, folder: Path) -> str:
    """Put the results into the text of the page."""
    made = f"{BEGIN}\n\n{tables(folder)}\n\n{END}"
    return re.sub(re.escape(BEGIN) + r".*?" + re.escape(END), lambda _: made, text, flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), calibration_folder()), encoding="utf-8")
