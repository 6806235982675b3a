"""A new calibration folder with documented cells, and all that was documented beside them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tradesim.inputs.baseline import MARKETS
from tradesim.inputs.trade_files.cells import Cell

if TYPE_CHECKING:
    import pandas as pd

KEPT = "data/imported_compositions.csv"
"""Compositions as each country reports them, with file and hash; the model does not read it."""

HEADING = ("importer", "group", "exporter", MARKETS.value, "low", "high", "grade", "source",
           "url", "note")


def write_calibration(work: Path, folder: Path, cells: Sequence[Cell],
                      documented: pd.DataFrame) -> None:
    """Copy a calibration into an empty folder, with documented cells in place of judged ones."""
    shutil.copytree(folder, work, dirs_exist_ok=True)
    write_cells(work / MARKETS.file, cells)
    kept = work / KEPT
    kept.parent.mkdir(exist_ok=True)
    table = documented.drop(columns=["scheme"]).assign(scheme=documented["scheme"])
    table = table.rename(columns={"first": "first_year", "last": "last_year",
                                  "value": "value_usd"})
    table.to_csv(kept, index=False, lineterminator="\n", float_format="%.10g")


def write_cells(path: Path, cells: Sequence[Cell]) -> None:
    """Replace the rows of cells in a table of markets, or add them; all other rows stay."""
    new = {(cell.importer, cell.group, cell.exporter): cell for cell in cells}
    heading, rows = list(HEADING), []
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            heading, *rows = csv.reader(file)
    place = {name: k for k, name in enumerate(heading)}
    written = []
    for row in rows:
        key = tuple(row[place[name]] for name in ("importer", "group", "exporter"))
        cell = new.pop(key, None)  # type: ignore[arg-type]
        written.append(row if cell is None else _row(cell, heading))
    written += [_row(cell, heading) for cell in new.values()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([heading, *written])


def _row(cell: Cell, heading: Sequence[str]) -> list[str]:
    known = {"importer": cell.importer, "group": cell.group, "exporter": cell.exporter,
             MARKETS.value: f"{cell.value:.10g}", "low": f"{cell.low:.10g}",
             "high": f"{cell.high:.10g}", "grade": cell.grade, "source": cell.source,
             "note": cell.note}
    return [known.get(name, "") for name in heading]
