"""What a back-test on other pairs found, as a short table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tradesim.reports.terminal import columns
from tradesim.reports.wording import MINUS
from tradesim.studies.backtest.panel import FILE, KNOWN, SHIPPED
from tradesim.studies.backtest.panel_rivals import RIVALS

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = (FILE,)
"""What the command leaves."""

SHOWN = (1, 3, 5, 8, 11)
"""Years ahead that are printed; the table has all."""


def outcome(table: pd.DataFrame) -> str:
    """Give skill of every model against the random walk, with its interval, by years ahead."""
    horizons = [h for h in SHOWN if h in set(table["horizon"])]
    known = {(str(row["model"]), int(row["horizon"])): row for row in table.to_dict("records")}
    models = list(dict.fromkeys(table["model"]))
    rows = [["skill [90 %], %", *(f"{h} y" for h in horizons), "90 % range held, last"]]
    for model in models:
        cells = [known.get((model, h)) for h in horizons]
        rows.append([model, *("" if cell is None else _cell(cell) for cell in cells),
                     "" if cells[-1] is None else f"{100 * cells[-1]['coverage90']:.0f} %"])
    last = table[(table["model"] == SHIPPED) & (table["horizon"] == max(horizons))].iloc[0]
    return (f"{columns(rows)}\n\n{last['cases']:,} forecasts of {last['pairs']:,} other pairs "
            f"{max(horizons)} years ahead. Skill is in CRPS, against "
            f"`{next(iter(RIVALS))}`; `{SHIPPED}` forecasts GDP, `{SHIPPED}{KNOWN}` knows it.")


def _cell(row: Mapping[Any, Any]) -> str:
    skill, low, high = (f"{round(100 * row[name]):d}".replace("-", MINUS)
                        for name in ("skill", "low", "high"))
    return f"{skill} [{low}, {high}]"
