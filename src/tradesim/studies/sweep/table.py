"""The one table of a sweep, written chunk by chunk: factors and outputs, one row an evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tradesim.common.arrays import Array
from tradesim.studies.sweep.execution import chunk_file, read_chunk

PARQUET, CSV = "table.parquet", "table.csv.gz"
NUMBER, BLOCK = "row", "block"


def write_table(
    work: Path, folder: Path, wanted: Sequence[slice], factors: Sequence[str],
    outputs: Sequence[str], block: int,
) -> tuple[list[dict[str, Any]], Array, Array]:
    """Write the table of all chunks, in the order of rows, one chunk in memory at a time.

    Parquet where pyarrow is installed, otherwise gzipped CSV with all digits.

    Parameters
    ----------
    work
        Folder to write into.
    folder, wanted
        Folder of chunks, and the chunks.
    factors, outputs
        Names of columns.
    block
        Rows of the design that belong together.

    Returns
    -------
    tuple
        Failed rows (row, reason, inputs); least and greatest value of each factor.
    """
    failed: list[dict[str, Any]] = []
    least, most = np.full(len(factors), np.inf), np.full(len(factors), -np.inf)
    with _writer(work) as write:
        for rows in wanted:
            result = read_chunk(chunk_file(folder, rows))
            places = np.arange(rows.start, rows.stop)
            head = pd.DataFrame({NUMBER: places, BLOCK: places // block})
            write(pd.concat([head, pd.DataFrame(result.inputs, columns=list(factors)),
                             pd.DataFrame(result.outputs, columns=list(outputs))], axis=1))
            least = np.minimum(least, result.inputs.min(axis=0, initial=np.inf))
            most = np.maximum(most, result.inputs.max(axis=0, initial=-np.inf))
            failed += [{"row": row, "reason": reason,
                        "inputs": dict(zip(factors, result.inputs[row - rows.start].tolist(),
                                           strict=True))} for row, reason in result.failed]
    return failed, least, most


@contextmanager
def _writer(work: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    if find_spec("pyarrow") is None:
        def append(frame: pd.DataFrame) -> None:
            path = work / CSV
            frame.to_csv(path, index=False, header=not path.exists(), mode="ab",
                         compression={"method": "gzip", "mtime": 0}, lineterminator="\n")
        yield append
        return
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    opened: list[Any] = []

    def add(frame: pd.DataFrame) -> None:
        table = arrow.Table.from_pandas(frame, preserve_index=False)
        if not opened:
            opened.append(parquet.ParquetWriter(work / PARQUET, table.schema))
        opened[0].write_table(table)

    try:
        yield add
    finally:
        for writer in opened:
            writer.close()
