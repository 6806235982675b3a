"""Folders that come with tradesim, and files read once."""

from __future__ import annotations

import errno
import hashlib
import stat
import time
from collections.abc import Callable
from copy import copy
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from tradesim.common.errors import InputError, Problem

Args = ParamSpec("Args")
Value = TypeVar("Value")

MOMENT = 100_000_000
"""Nanoseconds in which a file may change twice without a change of its time."""

NUMBERS = ("common", "inputs", "reference", "economy", "simulation", "studies")
"""Rooms whose code makes numbers."""

DISPLAY = "display"
"""Folder of a calibration that holds what only reports read: translations, and the map."""


def _shipped(name: str) -> Path:
    package = Path(__file__).resolve().parents[1]
    for root in (package / "_data", package.parents[1]):
        if (root / name).is_dir():
            return root / name
    raise InputError([Problem(name, "", "the folder that comes with tradesim is missing",
                              "reinstall tradesim")])


def calibration_folder() -> Path:
    """Folder of the calibration that comes with tradesim (checkout or installed wheel)."""
    return _shipped("calibration")


def scenarios_folder() -> Path:
    """Folder of the scenarios that come with tradesim (checkout or installed wheel)."""
    return _shipped("scenarios")


def neighbours(folder: Path, file: str) -> list[str]:
    """Names of the folders beside one that hold a file: one of them may have been meant."""
    try:
        return sorted(path.parent.name for path in folder.parent.glob(f"*/{file}"))
    except (OSError, ValueError):
        return []


def unless_changed(*names: str, keep: int = 64) -> Callable[
        [Callable[Concatenate[Path, Args], Value]], Callable[Concatenate[Path, Args], Value]]:
    """Reuse what a reader returned while the files it read stay the same; the last few results.

    The reader's first argument is a file, or the folder of the files called `names`. A file is
    the same as long as its time, size and inode are; one written within the last moment is read
    again, since a second change in that moment could leave its time as it is. Every caller gets
    a shallow copy.
    """
    def decorate(read: Callable[Concatenate[Path, Args], Value],
                 ) -> Callable[Concatenate[Path, Args], Value]:
        @lru_cache(maxsize=keep)
        def kept(path: Path, stamps: Any, args: Any, options: Any) -> Value:
            return read(path, *args, **dict(options))

        @wraps(read)
        def reader(path: Path, /, *args: Args.args, **options: Args.kwargs) -> Value:
            path = Path(path)
            files = [path / name for name in names] or [path]
            stamps = tuple(_stamp(file) for file in files)
            if any(stamp and time.time_ns() - stamp[0] < MOMENT for stamp in stamps):
                return read(path, *args, **options)
            return copy(kept(path, stamps, args, tuple(options.items())))

        return reader
    return decorate


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def plain(path: Path) -> Path:
    """Give a path on, unless it is a pipe or a device: reading one could wait for ever.

    Raises
    ------
    OSError
        When it is one, or is not there.
    """
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "is a pipe or a device, not a file", str(path))
    return path


@unless_changed()
def content(path: Path) -> bytes:
    """Bytes of a file, which is no pipe or device; one that has not changed is read once."""
    return plain(path).read_bytes()


@unless_changed()
def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(content(path)).hexdigest()


@cache
def program(rooms: tuple[str, ...] = NUMBERS, pattern: str = "*.py") -> str:
    """Hash of code, by default of that which makes numbers: what other code made is not used.

    Reports and commands are left out there: they may change under a long sweep or a kept run.
    """
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for room in rooms for path in (package / room).rglob(pattern)
                       if path.is_file() and path.suffix != ".pyc"):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
