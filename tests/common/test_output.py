"""Files and folders appear whole or not at all, and what killed processes left is swept up."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tradesim.cli.options import calibration_of
from tradesim.common import output
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.common.output import OLD, PART, alone, strangers, sweep_up, whole, whole_file

BEGIN = "import os, signal, sys; from pathlib import Path; from tradesim.common import output\n"
DIE = "os.kill(os.getpid(), signal.SIGKILL)"


def python(code, folder):
    """Run code in another process, in a folder."""
    return subprocess.run([sys.executable, "-c", BEGIN + textwrap.dedent(code)], cwd=folder,
                          check=False, capture_output=True, text=True)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=[True, False], ids=["exchanged", "renamed twice"])
def exchange(request, monkeypatch):
    """Whether the system can exchange two names in one step."""
    if not request.param:
        monkeypatch.setattr(output, "_renameat2", lambda: None)


@pytest.mark.usefixtures("exchange")
def test_a_folder_replaces_the_earlier_one_whole(tmp_path):
    for text in ("old", "new"):
        with whole(tmp_path / "a" / "o") as work:
            (work / "x").write_text(text)
    assert (tmp_path / "a" / "o" / "x").read_text() == "new"
    assert names(tmp_path / "a") == ["o"]


@pytest.mark.usefixtures("exchange")
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_nothing(tmp_path, error):
    with whole(tmp_path / "o") as work:
        (work / "x").write_text("old")
    for target, writer in (("o", whole), ("a/b", whole), ("a/c", whole_file)):
        with pytest.raises(error), writer(tmp_path / target):
            raise error
    assert names(tmp_path) == ["o"]
    assert (tmp_path / "o" / "x").read_text() == "old"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_the_exchange_leaves_the_old_or_the_new_whole(tmp_path, when):
    with whole(tmp_path / "o") as work:
        (work / "x").write_text("old")
    die = {"before": f"def die(one, other): {DIE}",
           "after": f"real = output._exchange\ndef die(one, other): real(one, other); {DIE}"}[when]
    done = python(f"{die}\noutput._exchange = die\n"
                  "with output.whole(Path('o')) as work: (work / 'x').write_text('new')\n",
                  tmp_path)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "o" / "x").read_text() == {"before": "old", "after": "new"}[when]
    assert len(names(tmp_path)) == 2
    sweep_up(tmp_path, "o")
    assert names(tmp_path) == ["o"]


def test_a_kill_between_two_renames_is_mended_by_the_next(tmp_path):
    with whole(tmp_path / "o") as work:
        (work / "x").write_text("old")
    python("output._renameat2 = lambda: None\nreal = Path.rename\n"
           f"def die(path, target):\n real(path, target)\n {DIE}\n"
           "Path.rename = die\n"
           "with output.whole(Path('o')) as work: (work / 'x').write_text('new')\n", tmp_path)
    assert not (tmp_path / "o").exists()
    sweep_up(tmp_path)
    assert (tmp_path / "o" / "x").read_text() == "old"
    assert names(tmp_path) == ["o"]


def test_a_calibration_that_made_way_is_found_again(tmp_path):
    folder = tmp_path / "cal"
    shutil.copytree(calibration_folder(), folder)
    python("output._renameat2 = lambda: None\nreal = Path.rename\n"
           f"def die(path, target):\n real(path, target)\n {DIE}\n"
           "Path.rename = die\n"
           "with output.whole(Path('cal')) as work: output.copy_into(Path('cal'), work)\n",
           tmp_path)
    assert not folder.exists()
    assert calibration_of(folder) == folder
    assert (folder / "pair.yaml").is_file()


@pytest.mark.parametrize("writer", ["whole", "whole_file"])
def test_what_a_killed_process_left_goes_with_the_next_and_nothing_else(tmp_path, writer):
    done = python(f"with output.{writer}(Path('o')) as work: {DIE}\n", tmp_path)
    assert done.returncode == -signal.SIGKILL
    (tmp_path / ".o-mine").touch()
    (tmp_path / f".other-12345678{PART}").touch()
    assert len(names(tmp_path)) == 3
    with getattr(output, writer)(tmp_path / "o"):
        pass
    assert names(tmp_path) == [".o-mine", f".other-12345678{PART}", "o"]


def test_what_a_living_process_writes_is_left_alone(tmp_path):
    with subprocess.Popen([sys.executable, "-c", BEGIN + "with output.whole(Path('o')): "
                           "print(flush=True); sys.stdin.read()"], cwd=tmp_path,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        before = names(tmp_path)
        sweep_up(tmp_path)
        assert names(tmp_path) == before != []
    assert names(tmp_path) == ["o"]


def test_one_process_at_a_time_holds_a_folder(tmp_path):
    asks = "with output.alone(Path('.')) as free: print(free)"
    with alone(tmp_path) as free:
        assert free
        assert python(asks, tmp_path).stdout == "False\n"
    assert python(asks, tmp_path).stdout == "True\n"


@pytest.mark.parametrize(("target", "message"), [
    ("", "is the folder that you are in, or none at all"), (".", "is the folder that you are in"),
    ("..", "none at all"), ("/", "none at all"), ("file", "a file of that name is in the way"),
    ("file/below", "a folder above it is a file"), ("file/far/below", "a folder above it is a"),
    ("loop", "is a link that leads nowhere"), ("x" * 300, "File name too long"),
    ("a/" + "x" * 300, "File name too long"), ("a\0b", "is not a possible name"),
    ("/proc/o", "cannot be written: "), ("/dev/null/x", "cannot be written: ")])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(tmp_path, monkeypatch, target,
                                                                   message):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("loop").symlink_to("loop")
    with pytest.raises(InputError) as caught, whole(Path(target)):
        pytest.fail("the work began")
    assert f": --out: {message}" in str(caught.value) or message in str(caught.value)
    assert names(tmp_path) == ["file", "loop"]


def test_a_file_cannot_take_the_place_of_a_folder_or_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, message in (("folder", "is a folder"), ("pipe", "is a pipe or a device")):
        with pytest.raises(InputError, match=message), whole_file(tmp_path / name):
            pytest.fail("the work began")


def test_links_are_followed(tmp_path):
    (tmp_path / "link").symlink_to("away/o")
    (tmp_path / "text").symlink_to("away/t")
    with whole(tmp_path / "link") as work:
        (work / "x").write_text("new")
    with whole_file(tmp_path / "text") as work:
        work.write_text("new")
    assert (tmp_path / "away" / "o" / "x").read_text() == "new"
    assert (tmp_path / "away" / "t").read_text() == "new"
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "text").is_symlink()


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_mask_of_modes_counts_for_folders_and_files(tmp_path, mask):
    before = os.umask(mask)
    try:
        with whole(tmp_path / "o"), whole_file(tmp_path / "f"):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "o").stat().st_mode & 0o777 == 0o777 & ~mask
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o666 & ~mask


def test_long_names_fit(tmp_path):
    for name in ("x" * 255, "Ⱥ" * 85):
        with whole(tmp_path / name):
            pass
        assert (tmp_path / name).is_dir()


def test_a_full_disk_says_what_was_written(tmp_path):
    with pytest.raises(OSError, match="No space") as caught, whole_file(tmp_path / "f"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / "f")


def test_strangers_are_what_is_neither_known_nor_ours(tmp_path):
    for name in ("known", "thesis", ".DS_Store", f".x-12345678{PART}", f".x-12345678{OLD}"):
        (tmp_path / name).touch()
    assert strangers(tmp_path, ["known"]) == ["thesis"]
    assert strangers(tmp_path / "absent", []) == []
