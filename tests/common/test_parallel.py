"""Blocks and mappers: nothing lost, errors that say what to do."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tradesim.common import parallel
from tradesim.common.errors import InputError
from tradesim.common.extras import install


def test_blocks_cover_all_rows_once():
    assert parallel.blocks(7, 3) == [slice(0, 3), slice(3, 6), slice(6, 7)]
    assert parallel.blocks(0, 3) == []


def test_a_pool_loses_no_task():
    assert sorted(parallel.pool_mapper(2)(abs, range(-20, 0))) == list(range(1, 21))


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_an_error(address):
    pytest.importorskip("distributed")
    with pytest.raises(InputError, match="no Dask scheduler answers there"), \
            parallel.open_mapper(1, address):
        pass


def test_without_dask_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=re.escape(install("distributed"))), \
            parallel.open_mapper(1, "local"):
        pass


POOL = """
import os, sys, time
from tradesim.common.parallel import pool_mapper
def work(task):
    print(os.getpid(), flush=True)
    time.sleep(60)
if __name__ == "__main__":
    list(pool_mapper(2)(work, range(4)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent_and_without_a_word(tmp_path, number):
    (tmp_path / "pool.py").write_text(POOL)
    with subprocess.Popen([sys.executable, "pool.py"], cwd=tmp_path, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, start_new_session=True) as parent:
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)  # as a terminal does
        else:
            parent.kill()
        said = parent.stderr.read().decode()
    for worker in workers:
        for _ in range(100):
            if not Path(f"/proc/{worker}").exists():
                break
            time.sleep(0.1)
        else:
            pytest.fail("a worker lives on")
    assert "Process SpawnProcess" not in said


def test_no_block_is_begun_once_nobody_takes_them():
    begun = []

    def work(rows):
        begun.append(rows.start)
        time.sleep(0.01)
        return rows.start

    parts = parallel.each_block(work, 1000, 1)
    assert [next(parts), next(parts)] == [0, 1]
    parts.close()
    done = len(begun)
    time.sleep(0.1)
    assert len(begun) == done < 1000
