"""How much memory work may take, asked before it begins, and how a process holds it."""

from __future__ import annotations

import ctypes
import mmap
import sys
from functools import cache
from pathlib import Path
from typing import Any

from tradesim.common.errors import InputError, Problem

if sys.platform != "win32":
    import resource

KEPT = 0.9
"""Share of the free memory that one piece of work may plan with."""

PAGE = 4096
SMALL = 1e9
"""Bytes that are never refused: what others hold now may be free before they are needed."""

CONTROL = Path("/sys/fs/cgroup")
GROUPS = (("memory.max", "memory.current", "memory.stat"),
          ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"))
"""Files below `CONTROL`: limit of a group of processes, what it uses, and of what kind."""

CACHE = ("inactive_file", "active_file")
"""Kinds of memory that hold copies of files and are given back when somebody needs them."""

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -2, -3, -8
"""Options of glibc's ``mallopt``; see mallopt(3)."""

KEPT_BYTES, PAD_BYTES = 2**30, 2**26
"""Free memory that a process keeps, and takes beyond its need, instead of asking again."""


def refuse_too_much(option: str, asked: int, each: float, fixed: float, what: str) -> None:
    """Refuse work that would take more memory than there is, and say how much would fit.

    Parameters
    ----------
    option, asked, what
        Option of the command line, how many it asks for, and of what.
    each, fixed
        Bytes that each takes, and that the work takes beside.

    Raises
    ------
    InputError
        When they are more than `free`.
    """
    room, wanted = free(), fixed + asked * each
    if room is None or wanted <= max(KEPT * room, SMALL):
        return
    fit = max(0, int((KEPT * room - fixed) / each))
    scale = 10 ** max(0, len(str(fit)) - 2)
    rounded = fit // scale * scale
    raise InputError([Problem(option, f"{asked:,} {what}", f"needs about "
                              f"{_gigabytes(wanted)} of memory, and "
                              f"{_gigabytes(room)} are free", f"{rounded:,} {what} would fit"
                              if rounded else "not even a few would fit")])


def _gigabytes(number: float) -> str:
    return f"{number / 1e9:,.0f} GB" if number >= 9.5e9 else f"{number / 1e9:.1f} GB"


def free() -> float | None:
    """Bytes that this process may still take: of the machine, its group, its own limit (Linux)."""
    found = [room for room in (_of_machine(), _of_group(), _of_process()) if room is not None]
    return min(found) if found else None


def _of_machine() -> float | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((1024.0 * int(line.split()[1]) for line in lines
                 if line.startswith("MemAvailable:")), None)


def _of_group() -> float | None:
    for names in GROUPS:
        try:
            limit, used, kinds = [(CONTROL / name).read_text(encoding="ascii")
                                  for name in names]
        except OSError:
            continue
        if limit.strip().isdigit() and used.strip().isdigit():
            held = dict(line.split() for line in kinds.splitlines())
            cache = sum(int(held.get(f"total_{kind}", held.get(kind, 0))) for kind in CACHE)
            return float(int(limit) - int(used) + cache)
    return None


def _of_process() -> float | None:
    if sys.platform == "win32":
        return None
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit == resource.RLIM_INFINITY:
        return None
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        pages = 0
    return float(limit - PAGE * pages)


def let_go(array: Any) -> None:
    """Free the memory that an array in a file occupies; its numbers stay in the file."""
    owner = array
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = getattr(owner, "base", None)
    if owner is not None and hasattr(mmap, "MADV_DONTNEED"):
        owner.madvise(mmap.MADV_DONTNEED)


@cache
def keep_memory() -> bool:
    """Have this process keep the memory it frees; whether its C library can.

    By default glibc gives large arrays back to the system after every expression and asks for
    them again: the page faults took up to half of the processor time of a block. It also gives
    each thread memory of its own; here all share one, so that what one frees serves the others.
    Other C libraries are left as they are.
    """
    if not sys.platform.startswith("linux"):
        return False
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is None:
        return False
    return all([set_option(M_TRIM_THRESHOLD, KEPT_BYTES), set_option(M_TOP_PAD, PAD_BYTES),
                set_option(M_MMAP_THRESHOLD, KEPT_BYTES), set_option(M_ARENA_MAX, 1)])
