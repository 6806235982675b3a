"""Files are read once; the hash of the program covers what makes numbers and nothing else."""

import hashlib
import os
import time
from pathlib import Path
from shutil import copytree

import pytest

from tradesim.common import files
from tradesim.common.files import content, sha256, unless_changed


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the sources that `program` reads instead of the installed ones."""
    copy = tmp_path / "tradesim"
    copytree(Path(files.__file__).parents[1], copy, ignore=lambda *_: ["__pycache__"])
    monkeypatch.setattr(files, "__file__", str(copy / "common" / "files.py"))
    return copy


@pytest.mark.parametrize(("file", "counts"), [
    ("inputs/distributions.py", True), ("inputs/parameters.py", True),
    ("economy/markets.py", True), ("economy/levers/duties.py", True),
    ("reference/gravity.py", True), ("simulation/model.py", True),
    ("studies/backtest/hindcast.py", True), ("common/arrays.py", True),
    ("reports/wording.py", False), ("cli/app.py", False), ("api.py", False),
])
def test_program_changes_with_what_makes_numbers_alone(package, file, counts):
    before = files.program.__wrapped__()
    with (package / file).open("a") as source:
        source.write("# changed\n")
    assert (files.program.__wrapped__() != before) is counts


def test_every_room_either_makes_numbers_or_shows_them():
    package = Path(files.__file__).parents[1]
    rooms = {path.parent.name for path in package.glob("*/__init__.py")}
    assert rooms == {*files.NUMBERS, "reports", "cli"}


def opens(monkeypatch) -> list[str]:
    """Names of the files read from now on."""
    read, names = Path.read_bytes, []
    monkeypatch.setattr(Path, "read_bytes", lambda path: names.append(path.name) or read(path))
    return names


def aged(path: Path, text: str, seconds: int) -> None:
    """Write a file as if so many seconds ago."""
    path.write_text(text)
    os.utime(path, ns=(then := time.time_ns() - seconds * 10**9, then))


def test_a_file_is_read_once_until_it_changes(tmp_path, monkeypatch):
    names = opens(monkeypatch)
    aged(path := tmp_path / "a.csv", "one", 60)
    assert [content(path), content(path), content(str(path))] == [b"one"] * 3
    assert sha256(path) == hashlib.sha256(b"one").hexdigest()
    assert names == ["a.csv"]
    aged(path, "two", 30)
    assert content(path) == b"two"
    assert sha256(path) == hashlib.sha256(b"two").hexdigest()
    assert names == ["a.csv"] * 2


def test_a_file_that_may_have_changed_within_its_time_stamp_is_read_again(tmp_path):
    aged(path := tmp_path / "a.csv", "one", seconds=-60)
    assert content(path) == b"one"
    os.utime(path, ns=(then := path.stat().st_mtime_ns, then))
    path.write_text("two")
    os.utime(path, ns=(then, then))
    assert content(path) == b"two"


def test_what_is_made_of_files_is_made_again_when_one_of_them_changes(tmp_path):
    calls = []

    @unless_changed("a", "b")
    def both(folder: Path, between: str = "") -> dict[str, str]:
        calls.append(between)
        return {"text": between.join((folder / name).read_text() for name in "ab")}

    aged(tmp_path / "a", "x", 60)
    aged(tmp_path / "b", "y", 60)
    both(tmp_path)["text"] = "changed by a caller"
    assert both(tmp_path) == {"text": "xy"}
    assert both(tmp_path, between="-") == both(tmp_path, between="-") == {"text": "x-y"}
    assert calls == ["", "-"]
    aged(tmp_path / "b", "z", 30)
    assert both(tmp_path) == {"text": "xz"}
    (tmp_path / "a").unlink()
    for _ in range(2):
        with pytest.raises(FileNotFoundError):
            both(tmp_path)
