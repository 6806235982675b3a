"""The tutorial works as written: its commands run, its output appears, its files are used."""

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from tradesim.cli import app

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.M | re.S)


def blocks() -> list[tuple[str, str, str]]:
    """Language, remark and content of every block of code."""
    return [(match[1], match[2] or "", match[3])
            for match in BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8"))]


def check_console(content: str, fails: bool) -> None:
    """Run a command; the lines shown appear in its output, in any order and with more."""
    command, *shown = content.strip().splitlines()
    assert command.startswith("$ tradesim ")
    done = CliRunner().invoke(app.cli, shlex.split(command)[2:], prog_name="tradesim")
    assert (done.exit_code != 0) == fails, done.output
    for line in shown:
        if line != "...":
            missing = [word for word in line.split() if word not in done.output]
            assert not missing, f"{command}: '{line}' is not in\n{done.output}"


@pytest.mark.slow
def test_tutorial_works_as_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "96")
    kinds = []
    for language, remark, content in blocks():
        kinds.append(language)
        if language == "console":
            check_console(content, remark == "fails")
        elif language == "yaml":
            (tmp_path / re.fullmatch(r'title="(\S+)"', remark)[1]).write_text(
                content, encoding="utf-8")
        else:
            assert language == "python"
            exec(content, {})
    assert kinds.count("console") >= 7
    left = tmp_path / "results" / "early_road"
    for name in re.findall(r"`results/early_road/(\S+)`", TUTORIAL.read_text(encoding="utf-8")):
        assert (left / name).exists()
    for figure in ("fan", "effect", "groups", "causes"):
        assert (left / "figures" / f"{figure}.png").is_file()
    assert not (tmp_path / "posts_only" / "report.html").exists()
