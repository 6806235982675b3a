"""Work that would not fit in the memory is refused; memory that was freed is used again."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.common import memory
from tradesim.common.errors import InputError
from tradesim.studies import decompose

GIGABYTE = 1e9


def call(*words):
    return CliRunner().invoke(cli, [str(word) for word in words], prog_name="tradesim")


@pytest.fixture
def ten(monkeypatch):
    """A machine with ten gigabytes free."""
    monkeypatch.setattr(memory, "free", lambda: 10 * GIGABYTE)


@pytest.mark.usefixtures("ten")
@pytest.mark.parametrize(("asked", "message"), [
    (90_000, None), (90_001, "needs about 9.0 GB of memory, and 10 GB are free; 90,000 draws would "
                             "fit"),
    (380_000, r"--draws: 380,000 draws: needs about 38 GB of memory, and 10 GB are free; 90,000")])
def test_what_would_fit_is_said(asked, message):
    if message is None:
        memory.refuse_too_much("--draws", asked, 1e5, 0.0, "draws")
    else:
        with pytest.raises(InputError, match=message):
            memory.refuse_too_much("--draws", asked, 1e5, 0.0, "draws")


def test_little_is_never_refused(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: 1000.0)
    memory.refuse_too_much("--draws", 10, 1e8, 0.0, "draws")
    with pytest.raises(InputError, match=r"needs about 1\.1 GB"):
        memory.refuse_too_much("--draws", 11, 1e8, 0.0, "draws")


@pytest.mark.parametrize(("folder", "names", "kinds"), [
    ("", ("memory.max", "memory.current"), "anon 5\ninactive_file 30\nactive_file 20\n"),
    ("memory", ("memory.limit_in_bytes", "memory.usage_in_bytes"),
     "inactive_file 1\ntotal_inactive_file 30\ntotal_active_file 20\n")])
def test_copies_of_files_are_free(tmp_path, monkeypatch, folder, names, kinds):
    """A group of processes that has read much is not full: the kernel gives such memory back."""
    place = tmp_path / folder
    place.mkdir(exist_ok=True)
    for name, text in (*zip(names, ("100\n", "80\n"), strict=True), ("memory.stat", kinds)):
        (place / name).write_text(text, encoding="ascii")
    monkeypatch.setattr(memory, "CONTROL", tmp_path)
    assert memory._of_group() == 100 - 80 + 50


@pytest.mark.usefixtures("ten")
def test_nothing_would_fit():
    with pytest.raises(InputError, match="not even a few would fit"):
        memory.refuse_too_much("--draws", 2, 1.0, 20 * GIGABYTE, "draws")


def test_an_unknown_memory_refuses_nothing(monkeypatch):
    monkeypatch.setattr(memory, "free", lambda: None)
    memory.refuse_too_much("--draws", 10**12, 1e9, 0.0, "draws")


@pytest.mark.usefixtures("ten")
@pytest.mark.parametrize(("words", "option"), [
    (["sweep", "all_levers", "--method", "lhs", "--n", "100000000", "--out", "o"], "--n"),
    (["sweep", "all_levers", "--method", "sobol", "--n", "67108864", "--out", "o"], "--n"),
    (["sweep", "all_levers", "--method", "morris", "--n", "1000000", "--out", "o"], "--n"),
    (["decompose", "all_levers", "--draws", "1000000", "--out", "o"], "--draws"),
    (["decompose", "all_levers", "--method", "permutations", "--permutations", "100000",
      "--out", "o"], "--permutations"),
    (["decompose", "all_levers", "--method", "permutations", "--draws", "1000000", "--out", "o"],
     "--draws"),
    (["goal", "base", "--draws", "1000000", "--out", "o"], "--draws"),
    (["forecast", "--draws", "1000000", "--out", "o.csv"], "--draws"),
    (["compare", "base", "eaeu_fta", "--draws", "1000000", "--out", "o"], "--draws"),
    (["calibrate", "--steps", "10000000", "--out", "o"], "--steps")])
def test_commands_ask_before_they_work(words, option, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*words)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"{option}: ")
    assert "GB of memory, and 10 GB are free" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_run_asks_for_the_memory_of_a_portion_whatever_the_draws(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(memory, "free", lambda: 1.6 * GIGABYTE)
    for draws in ("2048", "100000"):
        done = call("run", "base", "--draws", draws, "--no-report", "--out", "o")
        assert done.exit_code == 2
        assert done.stderr.startswith("--draws: 2,048 draws: needs about ")
        assert "of memory, and 1.6 GB are free" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("ten")
def test_a_decomposition_that_is_said_to_fit_is_not_refused():
    levers = 12
    with pytest.raises(InputError, match=r"([\d,]+) orders of 12 levers would fit") as caught:
        decompose.decompose("all_levers", draws=10, method="permutations", permutations=10**6)
    fits = int(str(caught.value).split("; ")[1].split()[0].replace(",", ""))
    study = decompose.ask("all_levers", draws=10)
    assert len(study.scenario.levers) == levers
    decompose._fits(study, 1, fits)
    with pytest.raises(InputError, match="would fit"):
        decompose._fits(study, 1, 2 * fits)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are read on Linux only")
def test_limits_of_the_process_count():
    code = ("import resource; resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9, 3 * 10**9))\n"
            "from tradesim.common.memory import free; print(free())")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 0 < float(done.stdout) < 3e9


def test_memory_that_is_short_all_the_same_is_said_in_a_line(monkeypatch):
    def short(*_, **__):
        raise MemoryError

    monkeypatch.setattr("tradesim.cli.levers.calibration_of", short, raising=False)
    monkeypatch.setattr("tradesim.cli.check.calibration_of", short)
    done = call("check")
    assert done.exit_code == 1
    assert done.stderr == ("the memory is not enough for this; ask for fewer draws, rows or "
                           "workers\n")


FAULTS = """
import resource, sys
import numpy as np
from tradesim.common.memory import keep_memory
if not keep_memory():
    sys.exit("no such C library")
def work():
    for _ in range(20):
        np.ones(2**20) + 1.0
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_memory_that_was_freed_is_used_again():
    if not memory.keep_memory():
        pytest.skip("this C library has no such option")
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True,
                          check=True)
    assert int(done.stdout) < 2**20 * 8 / 4096  # 40 arrays of 8 MB: less than one of them anew


def test_a_library_without_the_option_is_left_alone(monkeypatch):
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: object())
    assert not memory.keep_memory.__wrapped__()
