"""Tables of docs/backtest.md from calibration/backtest.csv: `python tests/backtest_page.py`."""

from __future__ import annotations

import re
from pathlib import Path

from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.backtest import horizon_rows, model_rows, summary
from tradesim.reports.wording import words
from tradesim.studies.backtest import track_record as record
from tradesim.studies.backtest.backtest import series_of
from tradesim.studies.backtest.track_record import MODEL, TURNOVER

PAGE = Path(__file__).parents[2] / "docs" / "backtest.md"
BEGIN, END = "<!-- from calibration/backtest.csv by tests/backtest_page.py -->", "<!-- end -->"


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Lay out a table in Markdown, first column to the left, the others to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def tables(folder: Path) -> str:
    """Give the results of the page."""
    frame, pair, heads = record.read_record(folder), read_pair(folder), words("backtest")["columns"]
    count = pair.target_count
    rows = record.of(frame, TURNOVER, count)
    others = []
    for target, other in series_of(pair):
        part = record.of(frame, target, other)
        found, whole = record.skill(part, MODEL), record.overall(part).loc[MODEL]
        what = TURNOVER if target == TURNOVER else (
            f"{pair.name(pair.partner(target))} to {pair.name(target)}")
        others.append([f"{what}, {pair.name(other)}", f"{whole['crps']:.3f}",
                       *(f"{100 * value:.0f}\u00a0%".replace("-", "−") for value in (
                           found.mean(), found.mean(2), whole["covered90"], whole["covered50"]))])
    return "\n\n".join([
        f"Turnover on {pair.name(count)}. {summary(rows)}",
        table(heads["horizon"], horizon_rows(rows)),
        "Every model, means over the five horizons (each counts the same); skill against the best "
        "rival at each horizon, bias is outcome less median.",
        table(heads["models"], model_rows(rows)),
        "The model on every target and count:",
        table(["target", "CRPS", "skill", "skill, years 2 to 5", "90 % held", "50 % held"],
              others)])


def page(text: str, folder: Path) -> str:
    """Put the results into the text of the page."""
    made = f"{BEGIN}\n\n{tables(folder)}\n\n{END}"
    return re.sub(re.escape(BEGIN) + r".*?" + re.escape(END), lambda _: made, text, flags=re.S)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), calibration_folder()), encoding="utf-8")
