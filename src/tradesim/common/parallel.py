"""Work on many draws in blocks, in threads; the parts come back in order."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

from tradesim.common.errors import ConvergenceError

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all."""

WORKERS = 2
Part = TypeVar("Part")


def by_block(
    work: Callable[[slice], Part], count: int, size: int,
    progress: Progress | None = None,
) -> list[Part]:
    """Work on `count` draws, `size` at a time, in threads; the parts in order.

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

    blocks = [slice(start, min(start + size, count)) for start in range(0, count, size)]
    parts = []
    with _libraries().limit(limits=1), ThreadPoolExecutor(WORKERS) as pool:
        mapper = map if len(blocks) == 1 else pool.map
        for rows, part in zip(blocks, mapper(counted, blocks), strict=True):
            parts.append(part)
            if progress:
                progress(rows.stop, count)
    return parts


@cache
def _libraries() -> ThreadpoolController:
    """Libraries with threads of their own: on small batches those cost far more than they gain."""
    return ThreadpoolController()
