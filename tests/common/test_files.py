"""The hash of the program covers what makes numbers, and nothing that only shows them."""

from pathlib import Path
from shutil import copytree

import pytest

from tradesim.common import files


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
