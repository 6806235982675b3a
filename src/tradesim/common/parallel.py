"""Parallel work: blocks of draws in threads, tasks over processes or a Dask cluster."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from itertools import islice
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait as ended
from threading import Thread
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from threadpoolctl import ThreadpoolController

from tradesim.common.errors import ConvergenceError, InputError, Problem
from tradesim.common.extras import install
from tradesim.common.memory import keep_memory

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all."""

Task = TypeVar("Task")
Part = TypeVar("Part")

CORES = (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity")
         else os.cpu_count() or 1)
"""Cores that this process may use, which may be fewer than the machine has."""

WORKERS = min(CORES, 6)
"""Threads for blocks: one a core, as far as the interpreter's lock lets them work at once."""

AHEAD = 3
"""Tasks on their way per worker: enough to keep it busy, few enough for the memory."""

LOCAL = "local"
PATIENCE = 4.0
"""Seconds to wait for a scheduler."""


class Mapper(Protocol):
    """Anything shaped like `map` over tasks that can be sent elsewhere; results in any order."""

    def __call__(self, work: Callable[[Task], Part], tasks: Iterable[Task], /) -> Iterator[Part]:
        """Work on every task."""


def blocks(count: int, size: int) -> list[slice]:
    """Cut rows into blocks of a size, the last one smaller."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def by_block(
    work: Callable[[slice], Part], count: int, size: int,
    progress: Progress | None = None,
) -> list[Part]:
    """Give all parts of `each_block`."""
    return list(each_block(work, count, size, progress))


def each_block(
    work: Callable[[slice], Part], count: int, size: int,
    progress: Progress | None = None,
) -> Generator[Part, None, None]:
    """Work on `count` draws, `size` at a time, in threads; the parts in order, as they come.

    Raises
    ------
    ConvergenceError
        That of a block, its draws counted from the first of all blocks.
    """
    def counted(rows: slice) -> Part:
        try:
            return work(rows)
        except ConvergenceError as error:
            raise error.moved(lambda draw: rows.start + draw) from error

    _settle_in()
    every = blocks(count, size)
    with _libraries().limit(limits=1), ThreadPoolExecutor(WORKERS) as pool:
        mapper = map if len(every) == 1 else pool.map
        for rows, part in zip(every, mapper(counted, every), strict=True):
            yield part
            if progress:
                progress(rows.stop, count)


@cache
def _settle_in() -> None:
    """Once in each process: keep memory, and look no more for garbage in what was read."""
    keep_memory()
    gc.collect()
    gc.freeze()


@cache
def _libraries() -> ThreadpoolController:
    """Libraries with threads of their own: on small batches those cost far more than they gain."""
    return ThreadpoolController()


@contextmanager
def open_mapper(workers: int, scheduler: str | None = None) -> Iterator[Mapper]:
    """Open what tasks are spread over.

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
        with _dask_client(scheduler, workers) as client:
            yield dask_mapper(client)
    else:
        yield pool_mapper(workers) if workers > 1 else map


def pool_mapper(workers: int) -> Mapper:
    """Give a mapper over processes of this machine."""
    def mapper(work: Callable[[Task], Part], tasks: Iterable[Task]) -> Iterator[Part]:
        waiting = iter(tasks)
        with (_single_threads(),
              ProcessPoolExecutor(workers, get_context("spawn"), _live_with_parent) as pool):
            try:
                running: set[Future[Part]] = set()
                while True:
                    with _no_interrupt():
                        running |= {pool.submit(work, task)
                                    for task in islice(waiting, AHEAD * workers - len(running))}
                    if not running:
                        return
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
    return mapper


def _live_with_parent() -> None:
    """Have a worker end without a word when it is interrupted, or when its parent is gone."""
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: ended([parent.sentinel]) and os._exit(1), daemon=True).start()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _mask(signal.SIG_UNBLOCK)


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Let Ctrl-C wait, here and in processes that start meanwhile."""
    _mask(signal.SIG_BLOCK)
    try:
        yield
    finally:
        _mask(signal.SIG_UNBLOCK)


def _mask(how: int) -> None:
    if sys.platform != "win32":
        signal.pthread_sigmask(how, {signal.SIGINT})


@contextmanager
def _single_threads() -> Iterator[None]:
    """Have processes that start meanwhile use one thread each for linear algebra."""
    names = [f"{name}_NUM_THREADS" for name in ("OPENBLAS", "OMP", "MKL")]
    before = {name: os.environ[name] for name in names if name in os.environ}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]
        os.environ.update(before)


def dask_mapper(client: Any) -> Mapper:
    """Give a mapper over the workers of a Dask client."""
    def mapper(work: Callable[[Task], Part], tasks: Iterable[Task]) -> Iterator[Part]:
        dask: Any = import_module("distributed")
        waiting = iter(tasks)

        def submit(count: int) -> list[Any]:
            return [client.submit(work, task, pure=False, retries=2)
                    for task in islice(waiting, count)]

        threads = sum(client.nthreads().values()) or 1
        running = dask.as_completed(submit(AHEAD * threads))
        for future in running:
            yield future.result()
            running.update(submit(1))
    return mapper


def judge_scheduler(scheduler: str | None) -> None:
    """Refuse a scheduler that nothing can be sent to, before any work.

    Raises
    ------
    InputError
        Without Dask, or where nothing listens.
    """
    if scheduler is None:
        return
    try:
        import_module("distributed")
    except ImportError as error:
        raise InputError([Problem("--scheduler", scheduler, "needs Dask, which is not installed",
                                  install("distributed"))]) from error
    if scheduler != LOCAL:
        with _answering(scheduler):
            _check_address(scheduler)


@contextmanager
def _answering(scheduler: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError([Problem("--scheduler", scheduler, "no Dask scheduler answers there "
                                  f"({type(error).__name__})", "start one with `dask scheduler`, "
                                  f"or take --scheduler {LOCAL}")]) from error


@contextmanager
def _dask_client(scheduler: str, workers: int) -> Iterator[Any]:
    judge_scheduler(scheduler)
    dask: Any = import_module("distributed")
    if scheduler == LOCAL:
        with (_single_threads(),
              dask.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None,
                                local_directory=tempfile.gettempdir()) as cluster,
              dask.Client(cluster) as client):
            yield client
        return
    with _answering(scheduler):
        client = dask.Client(scheduler, timeout=PATIENCE)
    with client:
        if not client.scheduler_info()["workers"]:
            raise InputError([Problem("--scheduler", scheduler, "the scheduler has no workers",
                                      f"start some with `dask worker {scheduler}`")])
        yield client


def _check_address(address: str) -> None:
    """Fail at once where nothing listens; Dask itself would try for as long as it is let."""
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.hostname is None or parts.port is None:
        raise ValueError("no address such as tcp://10.0.0.1:8786")
    socket.create_connection((parts.hostname, parts.port), PATIENCE).close()
