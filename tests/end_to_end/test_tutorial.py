"""The tutorial works as written: its commands run, its output appears, its files are used."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(\w+)(?: ([^\n]*))?\n(.*?)^```$", re.M | re.S)


def blocks() -> list[tuple[str, str, str]]:
    """Language, remark and content of every block of code."""
    return [(match[1], match[2] or "", match[3])
            for match in BLOCK.finditer(TUTORIAL.read_text(encoding="utf-8"))]


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "96", "PYTHONUTF8": "1"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment,
                          capture_output=True, text=True, encoding="utf-8", check=False)


def check_console(content: str, fails: bool, folder: Path) -> None:
    """Run a command; the lines shown appear in its output, in any order and with more."""
    command, *shown = content.strip().splitlines()
    assert command.startswith("$ tradesim ")
    done = run(["-m", "tradesim", *shlex.split(command)[2:]], folder)
    printed = done.stdout + done.stderr
    assert (done.returncode != 0) == fails, printed
    for line in shown:
        if line != "...":
            missing = [word for word in line.split() if word not in printed]
            assert not missing, f"{command}: '{line}' is not in\n{printed}"


@pytest.mark.slow
def test_tutorial_works_as_written(tmp_path):
    kinds = []
    for language, remark, content in blocks():
        kinds.append(language)
        if language == "console":
            check_console(content, remark == "fails", tmp_path)
        elif language == "yaml":
            (tmp_path / re.fullmatch(r'title="(\S+)"', remark)[1]).write_text(
                content, encoding="utf-8")
        else:
            assert language == "python"
            done = run(["-c", content], tmp_path)
            assert done.returncode == 0, done.stderr
    assert kinds.count("console") >= 7
    left = tmp_path / "results" / "early_road"
    for name in re.findall(r"`results/early_road/(\S+)`", TUTORIAL.read_text(encoding="utf-8")):
        assert (left / name).exists()
    for figure in ("fan", "effect", "groups", "gains"):
        assert (left / "figures" / f"{figure}.png").is_file()
    assert not (tmp_path / "posts_only" / "report.html").exists()
