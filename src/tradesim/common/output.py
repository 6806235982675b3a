"""Files and folders written whole or not at all, and what killed processes left of them.

Everything is written under a hidden name beside its place, ``.NAME-xxxxxxxx.tradesim``, brought to
the disk, and put in its place by one renaming. Whoever writes holds a lock on the hidden file or
folder; the system drops it when the process ends, however it ends, so that the next who
writes the same output knows what to sweep up.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from secrets import token_hex

from tradesim.common.errors import InputError, Problem

if sys.platform != "win32":
    import fcntl

MANIFEST = "manifest.json"
RUN_OUTPUTS = ("report.html", "report.pdf", "report.docx", "report.pptx", "brief.pdf", "brief.docx",
               "figures", "summary.csv", "summary.json", "results.nc", "scenario.yaml", MANIFEST,
               "iamc.csv")
"""Files and folders that a run and what is made of it write into its folder."""

PART, OLD = ".tradesim", ".tradesim-old"
"""Endings of what is being written, and of a folder that makes way for it."""

LONGEST = 255
"""Bytes of the longest name of a file."""

STEM = 200
"""Bytes of a name that its hidden name repeats: hidden names must not become too long."""

SYSTEM = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", ".ipynb_checkpoints"})
"""What file managers and notebooks leave everywhere."""


@contextmanager
def whole(target: Path, *, option: str = "--out") -> Iterator[Path]:
    """Write a folder whole or not at all; an existing one is replaced.

    Yields an empty temporary folder beside `target`; when the block ends well it takes the
    place of `target`, otherwise (also on Ctrl-C) it is removed and `target` stays as it was.
    A process that is killed leaves the old folder or the new one whole, too. Missing parents are
    made, and removed again on failure.

    Parameters
    ----------
    target
        The folder; a link to one is followed.
    option
        Option of the command line that named it, for messages.

    Raises
    ------
    InputError
        When the folder cannot be written: at once, before the block begins.
    """
    with _beside(target, option) as (work, place):
        yield work
        for folder, _, names in os.walk(work):
            for name in names:
                _to_disk(Path(folder, name))
            _to_disk(Path(folder))
        _take_place(work, place)
        _to_disk(place.parent)


@contextmanager
def _beside(target: Path, option: str) -> Iterator[tuple[Path, Path]]:
    """Give a folder beside the place of a target, and that place."""
    place = _place(target, option)
    if os.path.lexists(place) and not place.is_dir():
        raise _refusal(target, option, "cannot be written: a file of that name is in the way")
    sweep_up(place.parent, place.name)
    with (_parents(target, place, option), _hidden(target, place, option, Path.mkdir) as work,
          _named(target)):
        yield work, place


def judge(target: Path, option: str = "--out") -> None:
    """Refuse a folder that cannot be written, before any work; its parents are made.

    Raises
    ------
    InputError
        As `whole` would.
    """
    with _beside(target, option):
        pass


@contextmanager
def whole_file(target: Path, *, option: str = "--out", sweep: bool = True) -> Iterator[Path]:
    """Write a file whole or not at all: yields a file beside it that takes its place at the end.

    As for `whole`; `sweep` says whether to look for what killed processes left of the same file.
    """
    place = _place(target, option)
    if place.is_dir():
        raise _refusal(target, option, "is a folder, not a file")
    if os.path.lexists(place) and not place.is_file():
        raise _refusal(target, option, "is a pipe or a device, not a file")
    if sweep:
        sweep_up(place.parent, place.name)
    with (_parents(target, place, option), _hidden(target, place, option, _touch) as work,
          _named(target)):
        yield work
        _to_disk(work)
        work.replace(place)
        _to_disk(place.parent)


def judge_file(target: Path, option: str = "--out") -> None:
    """Refuse a file that cannot be written, before any work.

    Raises
    ------
    InputError
        As `whole_file` would.
    """
    with contextlib.suppress(_JudgedError), whole_file(target, option=option):
        raise _JudgedError


class _JudgedError(Exception):
    """Leaves a file as it was, and removes what was made above it."""


def copy_into(folder: Path, work: Path) -> None:
    """Copy what a folder holds into another, but for leftovers."""
    shutil.copytree(folder, work, dirs_exist_ok=True,
                    ignore=lambda _, names: [name for name in names if is_leftover(name)])


def attribute(number: int) -> int | str:
    """Give a whole number as an attribute of netCDF-3, which holds 32 bits: larger ones as text."""
    return number if abs(number) < 2**31 else str(number)


@contextmanager
def alone(folder: Path) -> Iterator[bool]:
    """Hold a folder, and say whether no other process is known to hold it."""
    try:
        handle = _lock(folder)
    except BlockingIOError:
        yield False
        return
    try:
        yield True
    finally:
        _drop(handle)


def strangers(folder: Path, known: Collection[str]) -> list[str]:
    """Names in a folder that are not known, nor leftovers of ours, nor of a file manager."""
    if not folder.is_dir():
        return []
    return sorted(name for name in {path.name for path in folder.iterdir()} - {*known} - SYSTEM
                  if not is_leftover(name))


def refuse_strangers(target: Path, known: Collection[str], option: str, hint: str) -> None:
    """Refuse to replace a folder that holds what no command of ours writes there.

    Raises
    ------
    InputError
        With the first names of what is there.
    """
    if others := strangers(target, known):
        raise InputError([Problem(str(target), option, f"holds other files "
                                  f"({', '.join(others[:3])}) and would be replaced", hint)])


def is_leftover(name: str) -> bool:
    """Whether a name is one that `whole` or `whole_file` writes under."""
    return name.startswith(".") and name.endswith((PART, OLD))


def sweep_up(folder: Path, name: str = "") -> None:
    """Remove what processes that are gone left in a folder, of one name or of all.

    An old folder that had made way for a new one that never came gets its name back.
    """
    stem = f".{_stem(name)}-" if name else "."
    with contextlib.suppress(OSError):
        for path in [path for path in folder.iterdir()
                     if path.name.startswith(stem) and is_leftover(path.name)]:
            with contextlib.suppress(OSError):
                if (handle := _lock(path)) is not None:
                    try:
                        _restore(path) if path.name.endswith(OLD) else remove(path)
                    finally:
                        _drop(handle)


def _stem(name: str) -> str:
    return name.encode(errors="surrogateescape")[:STEM].decode(errors="ignore")


def _restore(old: Path) -> None:
    """Give a folder that made way its name back, or remove it where the new one came."""
    place = old.with_name(old.name.removesuffix(OLD)[1:-9])
    if place.exists():
        remove(old)
    else:
        old.rename(place)


def remove(path: Path) -> None:
    """Remove a file or a folder, whatever it is."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _touch(path: Path) -> None:
    path.touch(exist_ok=False)


def _place(target: Path, option: str) -> Path:
    """Where a target really is: links are followed."""
    try:
        place = Path(os.path.realpath(target))
        here = place == Path.cwd()
    except (OSError, ValueError) as error:
        raise _refusal(target, option, "is not a possible name") from error
    if here or Path(target).name in ("", ".."):
        raise _refusal(target, option, "is the folder that you are in, or none at all; name "
                                       "another")
    try:
        if len(os.fsencode(place.name)) > LONGEST:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
        mode = place.lstat().st_mode
    except FileNotFoundError:
        return place
    except OSError as error:
        raise _unwritable(target, option, error) from error
    if stat.S_ISLNK(mode):
        raise _refusal(target, option, "is a link that leads nowhere")
    return place


def _refusal(target: Path, option: str, message: str) -> InputError:
    return InputError([Problem(str(target), option, message)])


@contextmanager
def _parents(target: Path, place: Path, option: str) -> Iterator[None]:
    """Make the folders above a place; those made are removed again on failure."""
    try:
        made = [parent for parent in place.parents if not parent.exists()]
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(target, option, error) from error
    try:
        yield
    except BaseException:
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise


def _unwritable(target: Path, option: str, error: OSError) -> InputError:
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return _refusal(target, option, "cannot be written: a folder above it is a file")
    return _refusal(target, option, f"cannot be written: {error.strerror or error}")


@contextmanager
def _hidden(target: Path, place: Path, option: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """Make something under a hidden name and hold it; what is still there at the end goes."""
    handle, work = None, _free_name(place)
    try:  # from the first moment: a signal may come before anything is yielded
        try:
            while handle is None:
                work = _free_name(place)
                make(work)
                with contextlib.suppress(BlockingIOError):
                    handle = _lock(work)
                    if handle is None and work.exists():  # nothing can be locked here
                        break
        except OSError as error:
            raise _unwritable(target, option, error) from error
        yield work
    finally:
        remove(work)
        _drop(handle)


def _free_name(place: Path) -> Path:
    return place.parent / f".{_stem(place.name)}-{token_hex(4)}{PART}"


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """Let errors of writing say what was being written: a full disk does not."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(target)
        raise


def _take_place(work: Path, place: Path) -> None:
    """Put a folder in its place, in one renaming where the system can exchange two names."""
    if not place.exists():
        work.rename(place)
    elif not _exchange(work, place):
        old = work.with_name(work.name.removesuffix(PART) + OLD)
        with alone(place):
            place.rename(old)
            try:
                work.rename(place)
            except BaseException:
                old.rename(place)
                raise
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two names in one step (Linux); False where that cannot be done."""
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    rename = _renameat2()
    return rename is not None and rename(here, os.fsencode(one), here, os.fsencode(other),
                                         exchange) == 0


@cache
def _renameat2() -> Callable[..., int] | None:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def _lock(path: Path) -> int | None:
    """Lock a file or folder that is there; gives what holds the lock.

    None where there is nothing, or nothing that can be locked; BlockingIOError where another
    process holds it.
    """
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except BlockingIOError:
        os.close(handle)
        raise
    except OSError:
        pass
    os.close(handle)
    return None


def _drop(handle: int | None) -> None:
    if handle is not None:
        os.close(handle)


def _to_disk(path: Path) -> None:
    """Have the system write a file or folder to the disk."""
    if sys.platform == "win32":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a file system that cannot
            raise
    finally:
        os.close(handle)
