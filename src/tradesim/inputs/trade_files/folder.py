"""A new calibration folder with documented cells, and all that was documented beside them."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tradesim.inputs.base_year_tables import MARKETS
from tradesim.inputs.products import CELLS_FILE, SHARE
from tradesim.inputs.trade_files.cells import Cell
from tradesim.inputs.trade_files.product_shares import ProductShare

if TYPE_CHECKING:
    import pandas as pd

KEPT = "data/imported_compositions.csv"
"""Compositions as each country reports them, with file and hash; the model does not read it."""

HEADING = ("importer", "group", "exporter", MARKETS.value, "low", "high", "grade", "source",
           "url", "note")
PRODUCT_KEY = ("product", "variable", "importer", "exporter")


def write_calibration(work: Path, folder: Path, cells: Sequence[Cell], documented: pd.DataFrame,
                      shares: Sequence[ProductShare] = ()) -> None:
    """Copy a calibration into an empty folder, with documented cells in place of judged ones."""
    shutil.copytree(folder, work, dirs_exist_ok=True)
    write_rows(work / MARKETS.file, HEADING, MARKETS.keys, [
        {"group": cell.group, **_numbers(cell, MARKETS.value)} for cell in cells])
    if shares:
        write_rows(work / CELLS_FILE, (), PRODUCT_KEY, [
            {"product": cell.product, "variable": SHARE, "unit": "share",
             **_numbers(cell, "value")} for cell in shares])
    kept = work / KEPT
    kept.parent.mkdir(exist_ok=True)
    table = documented.drop(columns=["scheme"]).assign(scheme=documented["scheme"])
    table = table.rename(columns={"first": "first_year", "last": "last_year",
                                  "value": "value_usd"})
    table.to_csv(kept, index=False, lineterminator="\n", float_format="%.10g")


def write_rows(path: Path, heading: Sequence[str], key: Sequence[str],
               rows: Sequence[Mapping[str, str]]) -> None:
    """Replace the rows of a table that have the same key, or add them; all others stay."""
    new = {tuple(row[name] for name in key): row for row in rows}
    columns, kept = list(heading), []
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as file:
            columns, *kept = csv.reader(file)
    written = []
    for fields in kept:
        row = new.pop(tuple(fields[columns.index(name)] for name in key), None)
        written.append(fields if row is None else [row.get(name, "") for name in columns])
    written += [[row.get(name, "") for name in columns] for row in new.values()]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *written])


def _numbers(cell: Cell | ProductShare, value: str) -> dict[str, str]:
    return {"importer": cell.importer, "exporter": cell.exporter, value: f"{cell.value:.10g}",
            "low": f"{cell.low:.10g}", "high": f"{cell.high:.10g}", "grade": cell.grade,
            "source": cell.source, "note": cell.note}
