"""Chunks of work over a mapper: in this process, in several, or on a Dask cluster.

A mapper is anything shaped like `map` over tasks that can be sent elsewhere; results may come
in any order. Each is written as it comes, whole or not at all, so that work that is stopped
goes on where it was.
"""

from __future__ import annotations

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, TradesimError
from tradesim.studies.sweep.evaluate import Result, Task

Work = Callable[[Task], Result]
Mapper = Callable[[Work, Iterable[Task]], Iterator[Result]]

CHUNK = 1024
"""Rows of a chunk."""

AHEAD = 3
"""Chunks on their way per worker: enough to keep it busy, few enough for the memory."""

DEATHS = 3
"""How often workers may die in a row without any chunk being done."""

LOCAL = "local"
PATIENCE = 4.0
"""Seconds to wait for a scheduler."""


@contextmanager
def open_mapper(workers: int, scheduler: str | None = None) -> Iterator[Mapper]:
    """Open what work is spread over.

    Parameters
    ----------
    workers
        Processes on this machine; one works in this process.
    scheduler
        Address of a Dask scheduler, or ``local`` for a Dask cluster on this machine.

    Raises
    ------
    InputError
        When Dask is not installed, or there is no scheduler at the address.
    """
    if scheduler is not None:
        with _client(scheduler, workers) as client:
            yield dask_mapper(client)
    elif workers > 1:
        yield pool_mapper(workers)
    else:
        yield _here


def _here(work: Work, tasks: Iterable[Task]) -> Iterator[Result]:
    return map(work, tasks)


def pool_mapper(workers: int) -> Mapper:
    """Give a mapper over processes of this machine."""
    def mapper(work: Work, tasks: Iterable[Task]) -> Iterator[Result]:
        waiting = iter(tasks)
        with _single_threads(), ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            try:
                running: set[Future[Result]] = set()
                while True:
                    running |= {pool.submit(work, task)
                                for task in islice(waiting, AHEAD * workers - len(running))}
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    return mapper


@contextmanager
def _single_threads() -> Iterator[None]:
    """Have processes that start meanwhile use one thread each for linear algebra."""
    names = [f"{name}_NUM_THREADS" for name in ("OPENBLAS", "OMP", "MKL")]
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def dask_mapper(client: Any) -> Mapper:
    """Give a mapper over the workers of a Dask client."""
    def mapper(work: Work, tasks: Iterable[Task]) -> Iterator[Result]:
        dask: Any = import_module("distributed")
        waiting = iter(tasks)

        def submit(count: int) -> list[Any]:
            return [client.submit(work, task, pure=False, retries=2)
                    for task in islice(waiting, count)]

        threads = sum(client.nthreads().values()) or 1
        running = dask.as_completed(submit(AHEAD * threads))
        for future in running:
            yield future.result()
            for more in submit(1):
                running.add(more)
    return mapper


@contextmanager
def _client(scheduler: str, workers: int) -> Iterator[Any]:
    try:
        dask: Any = import_module("distributed")
    except ImportError as error:
        raise InputError([Problem("--scheduler", scheduler, "needs Dask, which is not installed",
                                  'pip install "tradesim[distributed]"')]) from error
    if scheduler == LOCAL:
        with (_single_threads(),
              dask.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None,
                                local_directory=tempfile.gettempdir()) as cluster,
              dask.Client(cluster) as client):
            yield client
        return
    try:
        _knock(scheduler)
        client = dask.Client(scheduler, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError([Problem("--scheduler", scheduler, "no Dask scheduler answers there "
                                  f"({type(error).__name__})", "start one with `dask scheduler`, "
                                  f"or take --scheduler {LOCAL}")]) from error
    with client:
        if not client.scheduler_info()["workers"]:
            raise InputError([Problem("--scheduler", scheduler, "the scheduler has no workers",
                                      f"start some with `dask worker {scheduler}`")])
        yield client


def _knock(address: str) -> None:
    """Fail at once where nothing listens; Dask itself would try for as long as it is let."""
    place = urlsplit(address if "://" in address else f"tcp://{address}")
    if place.hostname is None or place.port is None:
        raise ValueError("no address such as tcp://10.0.0.1:8786")
    socket.create_connection((place.hostname, place.port), PATIENCE).close()


def chunks(rows: int, size: int) -> list[slice]:
    """Cut rows into chunks of a size, the last one smaller."""
    return [slice(first, min(first + size, rows)) for first in range(0, rows, size)]


def chunk_file(folder: Path, rows: slice) -> Path:
    """File of a chunk: its name holds its rows."""
    return folder / f"rows-{rows.start:010d}-{rows.stop:010d}.nc"


def run(work: Work, task_of: Callable[[slice], Task], wanted: list[slice], folder: Path,
        mapper: Mapper, done: Callable[[int], None] = lambda _: None) -> None:
    """Evaluate the chunks whose files are missing and write each as it comes.

    Parameters
    ----------
    work
        What gives the result of a task.
    task_of
        Gives the task of some rows.
    wanted
        All chunks.
    folder
        Where chunks are written.
    mapper
        What the work is spread over.
    done
        Called with the rows of each chunk that was written.

    Raises
    ------
    TradesimError
        When workers die again and again; what was written stays.
    """
    deaths = 0
    while missing := [rows for rows in wanted if not chunk_file(folder, rows).exists()]:
        sizes = {rows.start: rows for rows in missing}
        try:
            for result in mapper(work, (task_of(rows) for rows in missing)):
                write_chunk(chunk_file(folder, sizes[result.start]), result)
                deaths = 0
                done(len(result.outputs))
        except Exception as error:
            if not _died(error):
                raise
            deaths += 1
            if deaths >= DEATHS:
                raise TradesimError(
                    f"workers died {deaths} times in a row ({error}); {len(wanted) - len(missing)} "
                    f"of {len(wanted)} chunks were kept in {folder}: run the same command to go "
                    "on, with fewer workers if memory was short") from error


def _died(error: Exception) -> bool:
    """Whether a worker was lost, rather than the work at fault."""
    return isinstance(error, BrokenExecutor) or type(error).__name__ in ("KilledWorker",
                                                                        "CancelledError")


def write_chunk(path: Path, result: Result) -> None:
    """Write the result of a chunk, whole or not at all."""
    dataset = xr.Dataset({"values": (("row", "factor"), result.inputs),
                          "outputs": (("row", "output"), result.outputs)},
                         attrs={"start": result.start, "failed": json.dumps(result.failed)})
    handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    os.close(handle)
    try:
        dataset.to_netcdf(name, engine="scipy")
        Path(name).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()


def read_chunk(path: Path) -> Result:
    """Read the result of a chunk."""
    with xr.open_dataset(path, engine="scipy", cache=False) as opened:
        values, outputs = (opened[name].to_numpy().astype(float) for name in ("values", "outputs"))
        failed = tuple((int(row), str(why)) for row, why in json.loads(opened.attrs["failed"]))
        return Result(int(opened.attrs["start"]), values, outputs, failed)


def read_outputs(folder: Path, wanted: list[slice], columns: slice, rows: int) -> Array:
    """Read some outputs of the first rows, (row, output)."""
    parts = []
    for part in wanted:
        if part.start >= rows:
            break
        with xr.open_dataset(chunk_file(folder, part), engine="scipy", cache=False) as opened:
            parts.append(opened["outputs"][:, columns].to_numpy().astype(float))
    return np.concatenate(parts)[:rows]
