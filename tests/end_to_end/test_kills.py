"""Killed at any moment, every command leaves the old or the new whole, and nothing else for long.

`TRADESIM_KILLS` says how many kills; by default a hundred, by night.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import new_year
from tradesim.common.files import calibration_folder, sha256
from tradesim.inputs.pair import PAIR_FILE, read_pair
from tradesim.inputs.posterior import DATA
from tradesim.inputs.posterior import MANIFEST as FITTED
from tradesim.inputs.strict_yaml import load

KILLS = int(os.environ.get("TRADESIM_KILLS", "100"))
QUICK = ["--draws", "40", "--no-report"]
COMMANDS = {
    "run": ["run", "eaeu_interim", *QUICK, "--out", "o"],
    "run with report": ["run", "eaeu_interim", "--draws", "40", "--out", "o"],
    "report": ["report", "made"],
    "export": ["export", "made"],
    "compare": ["compare", "base", "eaeu_interim", *QUICK, "--out", "o", "--cache", "cache"],
    "sweep": ["sweep", "eaeu_interim", "--method", "lhs", "--n", "400", "--over", "adjustment.*",
              "--year", "2035", "--chunk", "40", "--workers", "1", "--no-report", "--out", "o"],
    "sweep in a pool": ["sweep", "eaeu_interim", "--method", "lhs", "--n", "400", "--over",
                        "adjustment.*", "--year", "2035", "--chunk", "40", "--workers", "2",
                        "--no-report", "--out", "o"],
    "decompose": ["decompose", "eaeu_interim", "--draws", "40", "--out", "o"],
    "goal": ["goal", "eaeu_interim", "--draws", "40", "--vary", "growth", "--out", "o"],
    "smart": ["smart", "eaeu_interim", "--year", "2030", "--out", "o.csv"],
    "forecast": ["forecast", "--draws", "2000", "--out", "o.csv"],
    "check": ["check", "--schema", "o.json"],
    "identify": ["identify", "--calibration", "cal", "--jobs", "1"],
    "backtest": ["backtest", "--origins", "2018:2019", "--horizons", "1", "--draws", "200",
                 "--jobs", "1", "--out", "o"],
    "calibrate": ["calibrate", "--calibration", "cal", "--seed", "2"],
    "calibrate elsewhere": ["calibrate", "--calibration", "cal", "--seed", "2", "--out", "o"],
    "update": ["update", "--calibration", "grown"],
    "update elsewhere": ["update", "--calibration", "grown", "--out", "o"],
}
"""Every command that writes."""

ONCE = {"update": "nothing new to take in", "update elsewhere": "is not empty"}
"""Commands that refuse to do again what is done, and their words."""

VARIES = ("manifest.json", "report.html", "report.docx", "about.yaml", "sweep.json")
"""Files that hold a time, or a path of this machine."""


def environment(folder: Path) -> dict[str, str]:
    """That of a command; what it puts aside for a while goes into a folder of its own."""
    aside = folder.parent / f"{folder.name}-aside"
    aside.mkdir(exist_ok=True)
    return os.environ | {"TMPDIR": str(aside)}


def start(words: list[str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "tradesim", *words], cwd=folder,
                            env=environment(folder), stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def finish(words: list[str], folder: Path, done_before: str = "") -> None:
    done = subprocess.run([sys.executable, "-m", "tradesim", *words], cwd=folder, check=False,
                          env=environment(folder), capture_output=True, text=True)
    if done.returncode == 2 and done_before and done_before in done.stderr:
        return
    assert done.returncode == 0, done.stderr


def prepared(folder: Path, made: Path) -> Path:
    """A folder with what the commands read."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(made, folder / "made")
    shutil.copytree(calibration_folder(), folder / "cal")
    new_year.grow(shutil.copytree(calibration_folder(), folder / "grown"))
    return folder


def files(folder: Path) -> dict[str, str]:
    """Hash of every file in a folder, but for those that vary."""
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in VARIES
            and path.name != "manifest.json"}


def leftovers(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob(".*")]


def is_whole(folder: Path) -> Iterator[str]:
    """What is half-written in a folder."""
    for path in folder.rglob("manifest.json"):
        if not path.relative_to(folder).parts[0].startswith("."):
            for name, digest in json.loads(path.read_text()).get("files", {}).items():
                file = path.parent / name
                if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != digest:
                    yield str(file)
    for fitted in (folder / "cal", folder / "grown", folder / "o"):
        if (fitted / FITTED).is_file():
            said = load(fitted / FITTED)
            if said["posterior_sha256"] != sha256(fitted / DATA):
                yield str(fitted / DATA)
            if (fitted / PAIR_FILE).is_file() and read_pair(fitted).last_year != said["as_of"]:
                yield str(fitted / PAIR_FILE)
    for name in ("o.json", "made/manifest.json"):
        if (folder / name).exists():
            json.loads((folder / name).read_text())


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Results for the commands that read some."""
    folder = tmp_path_factory.mktemp("made")
    finish(COMMANDS["run"], folder)
    return folder / "o"


@pytest.fixture(scope="module")
def undisturbed(made, tmp_path_factory):
    """What a command leaves, and how long it takes; each is run once."""
    known: dict[str, tuple[dict[str, str], float]] = {}

    def run(name: str) -> tuple[dict[str, str], float]:
        if name not in known:
            folder = prepared(tmp_path_factory.mktemp("undisturbed"), made)
            began = time.monotonic()
            finish(COMMANDS[name], folder)
            known[name] = files(folder), time.monotonic() - began
            assert not leftovers(folder)
        return known[name]
    return run


@pytest.mark.nightly
@pytest.mark.parametrize("trial", range(KILLS))
def test_a_kill_loses_nothing_and_leaves_nothing(undisturbed, made, tmp_path, trial):
    dice = random.Random(trial)
    name = list(COMMANDS)[trial % len(COMMANDS)]
    expected, seconds = undisturbed(name)
    folder = prepared(tmp_path / "w", made)
    if dice.random() < 0.5 and name not in ONCE:  # over an earlier result
        finish(COMMANDS[name], folder)
    for _ in range(dice.randint(1, 2)):
        process = start([*COMMANDS[name], *(["--fresh"] if "sweep" in name and dice.random() < 0.3
                                            else [])], folder)
        time.sleep(seconds * (0.3 + 0.75 * dice.random()))
        process.send_signal(dice.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGHUP]))
        process.wait()
        assert not list(is_whole(folder))
    finish(COMMANDS[name], folder, ONCE.get(name, ""))
    assert files(folder) == expected
    assert leftovers(folder) == []
    if name.startswith(("calibrate", "update")):
        assert list((folder.parent / f"{folder.name}-aside").iterdir()) == []
