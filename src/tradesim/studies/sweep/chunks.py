"""Chunks of a sweep: evaluated over a mapper, kept as they come, joined into one table.

A chunk is written whole or not at all, so that a sweep that is stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.common.errors import TradesimError
from tradesim.common.files import plain
from tradesim.common.output import whole_file
from tradesim.common.parallel import Mapper
from tradesim.studies.sweep.evaluate import ChunkResult, ChunkTask
from tradesim.studies.sweep.results import CSV, PARQUET

CHUNK = 1024
"""Rows of a chunk."""

TOGETHER = 8192
"""Rows that a table is written by."""

DEATHS = 3
"""How often workers may die in a row without any chunk being done."""


def chunk_file(folder: Path, rows: slice) -> Path:
    """File of a chunk: its name holds its rows."""
    return folder / f"rows-{rows.start:010d}-{rows.stop:010d}.nc"


def evaluate_missing(work: Callable[[ChunkTask], ChunkResult],
                     task_of: Callable[[slice], ChunkTask], chunks: Sequence[slice], folder: Path,
                     mapper: Mapper, made: str, done: Callable[[int], None]) -> None:
    """Evaluate the chunks whose files are missing and write each as it comes.

    `made` names what they are made from; `done` is called with the rows of each that was
    written. When workers die again and
    again a TradesimError is raised; what was written stays.
    """
    deaths = 0
    while missing := [rows for rows in chunks if not chunk_file(folder, rows).exists()]:
        files = {rows.start: chunk_file(folder, rows) for rows in missing}
        try:
            for result in mapper(work, (task_of(rows) for rows in missing)):
                write_chunk(files[result.start], result, made)
                deaths = 0
                done(len(result.outputs))
        except Exception as error:
            if not _worker_died(error):
                raise
            deaths += 1
            if deaths >= DEATHS:
                raise TradesimError(
                    f"workers died {deaths} times in a row ({error}); {len(chunks) - len(missing)} "
                    f"of {len(chunks)} chunks were kept in {folder}: run the same command to go "
                    "on, with fewer workers if memory was short") from error


def _worker_died(error: Exception) -> bool:
    """Whether a worker was lost, rather than the work at fault."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker",
                                                                        "CancelledError")


def write_chunk(path: Path, result: ChunkResult, made: str) -> None:
    """Write the result of a chunk, whole or not at all, with what it was made from."""
    dataset = xr.Dataset({"values": (("row", "factor"), result.inputs),
                          "outputs": (("row", "output"), result.outputs)},
                         attrs={"start": result.start, "failed": json.dumps(result.failed),
                                "sha256": _digest(result, made)})
    with whole_file(path, sweep=False) as work:
        dataset.to_netcdf(work, engine="scipy")


def read_chunk(path: Path) -> ChunkResult:
    """Read the result of a chunk."""
    return _read(path)[0]


def is_sound(path: Path, rows: slice, made: str) -> bool:
    """Whether a file holds what was evaluated of some rows, bit for bit, from the same inputs."""
    try:
        result, digest = _read(plain(path))
    except MemoryError:
        raise
    except Exception:  # whatever a damaged file does to its reader
        return False
    return (digest == _digest(result, made) and result.start == rows.start
            and len(result.outputs) == rows.stop - rows.start)


def _read(path: Path) -> tuple[ChunkResult, str]:
    with xr.open_dataset(path, engine="scipy", cache=False) as opened:
        values, outputs = (opened[name].to_numpy().astype(float) for name in ("values", "outputs"))
        failed = tuple((int(row), str(reason))
                       for row, reason in json.loads(opened.attrs["failed"]))
        return (ChunkResult(int(opened.attrs["start"]), values, outputs, failed),
                str(opened.attrs["sha256"]))


def _digest(result: ChunkResult, made: str) -> str:
    """Hash of a result with what it was made from."""
    head = json.dumps([made, result.start, result.inputs.shape, result.outputs.shape,
                       result.failed])
    digest = sha256(head.encode())
    for values in (result.inputs, result.outputs):
        digest.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    return digest.hexdigest()


def read_outputs(folder: Path, chunks: Sequence[slice], columns: slice, rows: int) -> Array:
    """Read some outputs of the first rows, (row, output)."""
    parts = []
    for chunk in chunks:
        if chunk.start >= rows:
            break
        with xr.open_dataset(chunk_file(folder, chunk), engine="scipy", cache=False) as opened:
            parts.append(opened["outputs"][:, columns].to_numpy().astype(float))
    return np.concatenate(parts)[:rows]


def write_table(
    work: Path, folder: Path, chunks: Sequence[slice], factors: Sequence[str],
    outputs: Sequence[str], block: int,
) -> tuple[list[dict[str, Any]], Array, Array]:
    """Write the table of all chunks, in the order of rows, one chunk in memory at a time.

    Parquet where pyarrow is installed, otherwise gzipped CSV with all digits. Returns the failed
    rows (row, reason, inputs), and the least and greatest value of each factor.
    """
    failed: list[dict[str, Any]] = []
    least, most = np.full(len(factors), np.inf), np.full(len(factors), -np.inf)
    with _table_writer(work) as write:
        for rows in chunks:
            result = read_chunk(chunk_file(folder, rows))
            numbers = np.arange(rows.start, rows.stop)
            head = pd.DataFrame({"row": numbers, "block": numbers // block})
            write(pd.concat([head, pd.DataFrame(result.inputs, columns=list(factors)),
                             pd.DataFrame(result.outputs, columns=list(outputs))], axis=1))
            least = np.minimum(least, result.inputs.min(axis=0, initial=np.inf))
            most = np.maximum(most, result.inputs.max(axis=0, initial=-np.inf))
            failed += [{"row": row, "reason": reason,
                        "inputs": dict(zip(factors, result.inputs[row - rows.start].tolist(),
                                           strict=True))} for row, reason in result.failed]
    return failed, least, most


@contextmanager
def _table_writer(work: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
    """Write a table in parts of `TOGETHER` rows: its bytes do not show how it was computed."""
    left: list[pd.DataFrame] = []
    with _part_writer(work) as write:
        def add(frame: pd.DataFrame) -> None:
            table = pd.concat([*left, frame], ignore_index=True)
            whole = len(table) // TOGETHER * TOGETHER
            for start in range(0, whole, TOGETHER):
                write(table.iloc[start:start + TOGETHER])
            left[:] = [table.iloc[whole:]]

        yield add
        for frame in left:
            if len(frame):
                write(frame)


@contextmanager
def _part_writer(work: Path) -> Iterator[Callable[[pd.DataFrame], None]]:
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
