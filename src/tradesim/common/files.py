"""Where the data that come with tradesim stand, and how results are written whole."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from tradesim.common.errors import InputError, Problem

NUMBERS = ("common", "inputs", "reference", "economy", "simulation", "studies")
"""Rooms whose code makes numbers."""


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


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@cache
def program() -> str:
    """Hash of the code that makes numbers, so that what other code made is not used again.

    Reports and commands are left out: they may change under a long sweep or a kept run.
    """
    package = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for room in NUMBERS for path in (package / room).rglob("*.py")):
        digest.update(f"{path.relative_to(package).as_posix()}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Write a folder whole or not at all.

    Yields an empty temporary folder beside `target`; when the block ends well it takes the
    place of `target`, otherwise (also on Ctrl-C) it is removed and `target` stays as it was.

    Parameters
    ----------
    target
        The folder to appear. An existing one is replaced.

    Raises
    ------
    InputError
        When the folder cannot be written.
    """
    try:
        if target.exists() and not target.is_dir():
            raise NotADirectoryError("a file of that name is in the way")
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise InputError([Problem(str(target), "--out", "cannot be written: "
                                  f"{error.strerror or error}")]) from error
    old = work.with_name(work.name + "-old")
    try:
        yield work
        work.chmod(0o755)
        if target.exists():
            target.rename(old)
        work.rename(target)
    except BaseException:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


@contextmanager
def whole_file(target: Path) -> Iterator[Path]:
    """Write a file whole or not at all: yields a file beside it that takes its place at the end."""
    handle, name = tempfile.mkstemp(prefix=".part-", dir=target.parent)
    os.close(handle)
    work = Path(name)
    try:
        yield work
        work.replace(target)
    finally:
        work.unlink(missing_ok=True)
