"""The command `import`: what it prints, what it asks, what it writes."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

import made_up_trade_files as made
from tradesim.cli import import_
from tradesim.cli.app import cli
from tradesim.common.files import calibration_folder

GOOD = made.good_rows()
HALF = [{**row, "primaryValue": str(int(row["primaryValue"]) / 2)} for row in made.leaves(GOOD)]


@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "half.csv").write_text(made.text(HALF), encoding="utf-8")
    return lambda *words: CliRunner().invoke(cli, ["import", *words], prog_name="tradesim")


def test_the_example_can_be_imported(call, tmp_path):
    done = call("--example")
    assert done.exit_code == 0
    again = call("--example")
    assert (again.exit_code, "is there already" in again.stderr) == (2, True)
    done = call("example_trade.csv", "--out", "new")
    assert done.exit_code == 0, done.output
    text = done.stdout
    assert "judged before" in text
    assert "documented now" in text
    assert re.search(r"\d+ of 12 documented values lie outside the range", text)
    assert "USD million by whoever reports" in text
    assert re.search(r"mean change if implemented +[\d.]+ +[\d.]+", text)
    assert (tmp_path / "new" / "posterior.nc").is_file()
    kept = call("example_trade.csv", "--out", "new")
    assert (kept.exit_code, "is not empty" in kept.stderr) == (2, True)


def test_without_a_folder_nothing_is_written(call, tmp_path):
    call("--example")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert call("example_trade.csv", "--no-answer").exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_totals_never_move_silently(call, tmp_path):
    refused = call("half.csv", "--out", "new", "--no-answer")
    assert refused.exit_code == 2
    assert "USD 27.35 million in half.csv, 54.7 in data/bilateral_trade.csv (-50.0 %)" in (
        refused.stderr)
    assert not (tmp_path / "new").exists()
    taken = call("half.csv", "--out", "new", "--no-answer", "--accept-totals")
    assert taken.exit_code == 0
    assert "(-50.0 %)" in taken.stderr
    name = "baseline/totals.csv"
    assert (tmp_path / "new" / name).read_bytes() == (calibration_folder() / name).read_bytes()


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 2)])
def test_whoever_sits_there_is_asked(call, tmp_path, monkeypatch, answer, code):
    asked = []
    monkeypatch.setattr(import_, "_watched", lambda: True)
    monkeypatch.setattr(import_.click, "confirm", lambda text: asked.append(text) or answer)
    assert call("half.csv", "--out", "new", "--no-answer").exit_code == code
    assert len(asked) == 1
    assert (tmp_path / "new").exists() == answer


def test_what_is_missing_is_said(call):
    assert "name one file or more" in call().stderr
    assert call().exit_code == 2
    done = call("half.csv", "--as", "comtrad")
    assert "--as: comtrad: is no layout; known: auto," in done.stderr


def test_a_calibration_without_a_posterior_has_no_answer(call, tmp_path):
    import shutil

    shutil.copytree(calibration_folder(), tmp_path / "young")
    (tmp_path / "young" / "posterior.nc").unlink()
    call("--example")
    done = call("example_trade.csv", "--calibration", "young", "--out", "new")
    assert done.exit_code == 0
    assert "no posterior yet" in done.stderr
