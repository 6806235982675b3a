"""Chunks over mappers: same bits everywhere, nothing lost, and it goes on where it stopped."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tradesim.common import parallel
from tradesim.common.errors import InputError, TradesimError
from tradesim.common.output import alone
from tradesim.studies.sweep import chunks, evaluate
from tradesim.studies.sweep.plan import SweepRequest, prepare
from tradesim.studies.sweep.run import begin, chunk_folder, sweep, tidy

SMALL = {"over": ("adjustment.*", "posterior"), "years": (2035,), "variables": ("turnover",)}


@pytest.fixture(scope="module")
def plan():
    return prepare(SweepRequest("all_levers", "lhs", n=40, noise=True, **SMALL))


def whole(plan, size=40, mapper=map, alone=False):
    """All results of a plan, in the order of rows."""
    tasks = [plan.task(alone)(rows) for rows in parallel.blocks(plan.design.rows, size)]
    results = sorted(mapper(evaluate.evaluate, tasks), key=lambda result: result.start)
    return (np.concatenate([result.inputs for result in results]),
            np.concatenate([result.outputs for result in results]))


@pytest.fixture(scope="module")
def expected(plan):
    return whole(plan)


@pytest.mark.parametrize(("size", "alone"), [(5, False), (7, True), (16, False)])
def test_cut_and_order_change_no_bit(plan, expected, size, alone):
    def backwards(work, tasks):
        return map(work, list(tasks)[::-1])

    for mapper in (map, backwards):
        for ours, theirs in zip(whole(plan, size, mapper, alone), expected, strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_processes_change_no_bit(plan, expected):
    for ours, theirs in zip(whole(plan, 10, parallel.pool_mapper(2), alone=True), expected,
                            strict=True):
        np.testing.assert_array_equal(ours, theirs)


def failing(monkeypatch, plan, rows, times=10**6):
    """Make the model fail where adjustment is one of some rows'."""
    column = [factor.name for factor in plan.factors].index("adjustment.speed")
    bad = {whole(plan)[0][row, column] for row in rows}
    true, left = evaluate.simulate, [times]

    def simulate(base, scenario, draws, cases, **options):
        if left[0] and bad & set(draws["adjustment.speed"]):
            left[0] -= 1
            raise TradesimError("no solution")
        return true(base, scenario, draws, cases, **options)

    monkeypatch.setattr(evaluate, "simulate", simulate)


def test_failed_rows_are_found_and_named(plan, expected, monkeypatch):
    failing(monkeypatch, plan, [3, 17])
    result = evaluate.evaluate(plan.task(False)(slice(0, 40)))
    assert [row for row, _ in result.failed] == [3, 17]
    assert result.failed[0][1] == "TradesimError: no solution"
    assert np.isnan(result.outputs[[3, 17]]).all()
    np.testing.assert_array_equal(result.inputs, expected[0])
    others = np.setdiff1d(np.arange(40), [3, 17])
    np.testing.assert_array_equal(result.outputs[others], expected[1][others])


def test_a_passing_trouble_is_tried_again(plan, expected, monkeypatch):
    failing(monkeypatch, plan, [3], times=2)
    result = evaluate.evaluate(plan.task(False)(slice(0, 40)))
    assert not result.failed
    np.testing.assert_array_equal(result.outputs, expected[1])


def test_failed_rows_are_listed_with_their_inputs(plan, monkeypatch, tmp_path):
    failing(monkeypatch, plan, [3])
    said = sweep(plan, tmp_path / "s", mapper=map, chunk=16)
    assert [item["row"] for item in said["failed"]] == [3]
    assert set(said["failed"][0]["inputs"]) == {item.name for item in plan.factors}
    assert said["blocks_left_out"] == 1
    assert json.loads((tmp_path / "s" / "sweep.json").read_text())["failed"] == said["failed"]


def test_when_every_row_fails_nothing_is_left(monkeypatch, tmp_path):
    plan = prepare(SweepRequest("base", "oat", **SMALL))
    rows = plan.design.rows
    failing(monkeypatch, plan, range(rows))
    with pytest.raises(TradesimError, match=f"all {rows} rows failed; the first: TradesimError"):
        sweep(plan, tmp_path / "s", mapper=map)
    assert not (tmp_path / "s").exists()


def test_a_chunk_reads_back_as_it_was(plan, tmp_path):
    result = evaluate.evaluate(plan.task(False)(slice(0, 5)))
    path = chunks.chunk_file(tmp_path, slice(0, 5))
    chunks.write_chunk(path, result, "made")
    again = chunks.read_chunk(path)
    np.testing.assert_array_equal(again.outputs, result.outputs)
    np.testing.assert_array_equal(again.inputs, result.inputs)
    assert [item.name for item in tmp_path.iterdir()] == [path.name]


def test_only_missing_chunks_are_worked_on(plan, tmp_path):
    target = tmp_path / "s"
    asked = []

    def stopping(work, tasks):
        for task in tasks:
            if len(asked) == 2:
                raise KeyboardInterrupt
            asked.append(task.start)
            yield work(task)

    with pytest.raises(KeyboardInterrupt):
        sweep(plan, target, mapper=stopping, chunk=10)
    assert not target.exists()
    assert len(list(chunk_folder(target).glob("rows-*.nc"))) == 2

    def counting(work, tasks):
        for task in tasks:
            asked.append(task.start)
            yield work(task)

    said = []
    sweep(plan, target, mapper=counting, chunk=999, say=said.append)
    assert asked == [0, 10, 20, 30]
    assert said == ["going on: 20 of 40 evaluations were done before"]
    assert not chunk_folder(target).exists()
    sweep(plan, tmp_path / "whole", mapper=map)
    for path in target.iterdir():
        if path.suffix == ".gz":  # the same rows in other parts
            assert gzip.decompress(path.read_bytes()) == gzip.decompress(
                (tmp_path / "whole" / path.name).read_bytes())
        elif path.suffix != ".parquet":  # the same rows in other row groups
            assert path.read_bytes() == (tmp_path / "whole" / path.name).read_bytes()


def stopping(after):
    """A mapper that is stopped after some chunks."""
    def mapper(work, tasks):
        for number, task in enumerate(tasks):
            if number == after:
                raise KeyboardInterrupt
            yield work(task)
    return mapper


def stopped(plan, target):
    """A sweep that was stopped after two chunks of ten rows."""
    with pytest.raises(KeyboardInterrupt):
        sweep(plan, target, mapper=stopping(2), chunk=10)
    return [chunks.chunk_file(chunk_folder(target), rows) for rows in (slice(0, 10), slice(10, 20))]


def flipped(first, second):
    content = bytearray(first.read_bytes())
    content[-100] ^= 1
    first.write_bytes(content)


def linked(first, second):
    first.unlink()
    first.symlink_to(".")


def piped(first, second):
    first.unlink()
    os.mkfifo(first)


@pytest.mark.parametrize("spoil", [
    flipped, lambda first, second: first.write_bytes(b""),
    lambda first, second: first.write_bytes(first.read_bytes()[:500]),
    lambda first, second: first.write_bytes(second.read_bytes()), linked, piped],
    ids=["a bit", "empty", "cut", "other rows", "a link", "a pipe"])
def test_a_damaged_chunk_is_made_again(plan, tmp_path, spoil):
    sweep(plan, tmp_path / "whole", mapper=map, chunk=10)
    said, files = [], stopped(plan, tmp_path / "s")
    spoil(*files)
    sweep(plan, tmp_path / "s", mapper=map, say=said.append)
    assert said[0].startswith("1 chunk in ")
    assert said[1] == "going on: 10 of 40 evaluations were done before"
    for name in ("table.parquet", "indices.csv"):
        assert (tmp_path / "s" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_chunk_made_from_other_inputs_is_made_again(plan, tmp_path):
    files, said = stopped(plan, tmp_path / "s"), []
    chunks.write_chunk(files[0], chunks.read_chunk(files[0]), "another sweep")
    sweep(plan, tmp_path / "s", mapper=map, say=said.append)
    assert said[0].startswith("1 chunk in ")


def test_two_processes_do_not_work_on_the_same_sweep(plan, tmp_path):
    stopped(plan, tmp_path / "s")
    with alone(chunk_folder(tmp_path / "s")):
        for work in (lambda: begin(plan, tmp_path / "s", fresh=True, size=10),
                     lambda: sweep(plan, tmp_path / "s", mapper=map)):
            with pytest.raises(InputError, match="another process works on this sweep now"):
                work()
    sweep(plan, tmp_path / "s", mapper=map)


def test_chunks_beside_a_whole_sweep_go(plan, tmp_path):
    """One that was begun again with --fresh and stopped, or stopped just before its end."""
    target = tmp_path / "s"
    sweep(plan, target, mapper=map, chunk=10)
    (tmp_path / ".s-0123abcd.tradesim").mkdir()
    with pytest.raises(KeyboardInterrupt):
        sweep(plan, target, mapper=stopping(1), chunk=10, fresh=True)
    with alone(chunk_folder(target)):
        tidy(plan, target)
    assert chunk_folder(target).is_dir()  # another process works on it
    tidy(plan, target)
    assert list(tmp_path.iterdir()) == [target]
    tidy(plan, target)
    chunk_folder(target).mkdir()  # stopped before it had a plan
    tidy(plan, target)
    assert list(tmp_path.iterdir()) == [target]


def test_chunks_of_another_sweep_stay(plan, other, tmp_path):
    target = tmp_path / "s"
    sweep(plan, target, mapper=map, chunk=10)
    begin(other, target, fresh=True, size=10)
    tidy(plan, target)
    assert (chunk_folder(target) / "plan.json").exists()
    (chunk_folder(target) / "plan.json").write_text("{")
    tidy(plan, target)
    assert chunk_folder(target).is_dir()  # whose it is nobody knows


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"identity": 1, "chunk": 10}',
                                  '{"identity": {}, "chunk": 0}', '{"identity": {}, "chunk": NaN}'])
@pytest.mark.parametrize("name", ["plan.json", "sweep.json"])
def test_a_damaged_plan_is_refused(plan, tmp_path, name, text):
    target = tmp_path / "s"
    folder = target if name == "sweep.json" else chunk_folder(target)
    folder.mkdir()
    (folder / name).write_text(text)
    with pytest.raises(InputError, match="start over with --fresh"):
        begin(plan, target, fresh=False, size=10)


@pytest.fixture(scope="module")
def other():
    return prepare(SweepRequest("all_levers", "lhs", n=40, noise=True, **SMALL,
                                overrides=("altai_road.start=2031",)))


def test_resume_of_another_sweep_is_refused(plan, other, tmp_path):
    begin(plan, tmp_path / "s", fresh=False, size=10)
    with pytest.raises(InputError, match=r"unfinished sweep that differs: scenario.levers.altai_roa"
                                         r"d.start was absent, is 2031; start over with --fresh"):
        begin(other, tmp_path / "s", fresh=False, size=10)
    begin(other, tmp_path / "s", fresh=True, size=10)


def test_other_peoples_files_are_not_replaced(plan, tmp_path):
    (tmp_path / "thesis.doc").write_text("years of work")
    with pytest.raises(InputError, match=r"holds other files \(thesis.doc\)"):
        begin(plan, tmp_path, fresh=True, size=10)


def test_workers_with_another_calibration_are_refused(plan):
    from dataclasses import replace

    task = replace(plan.task(False)(slice(0, 2)), identity=("other", ""))
    with pytest.raises(TradesimError, match="another calibration or another tradesim"):
        evaluate.evaluate(task)


def test_workers_that_die_again_and_again_end_the_sweep(plan, tmp_path):
    from concurrent.futures.process import BrokenProcessPool

    def dying(work, tasks):
        raise BrokenProcessPool("killed")
        yield

    with pytest.raises(TradesimError, match="workers died 3 times in a row"):
        sweep(plan, tmp_path / "s", mapper=dying)


@pytest.mark.slow
def test_a_killed_sweep_goes_on_where_it_was(tmp_path):
    command = [sys.executable, "-m", "tradesim", "sweep", "all_levers", "--method", "lhs", "--n",
               "600", "--over", "adjustment.*", "--year", "2035", "--chunk", "30",
               "--workers", "1", "--out", str(tmp_path / "s")]
    folder = chunk_folder(tmp_path / "s")
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(folder.glob("rows-*.nc"))) < 2 and running.poll() is None:
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    kept = list(folder.glob("rows-*.nc"))
    assert 2 <= len(kept) < 20
    assert not (tmp_path / "s").exists()
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=True)
    assert "resuming the sweep" in again.stderr
    assert f"going on: {30 * len(kept):,} of 600" in again.stderr
    whole_at_once = [*command[:-1], str(tmp_path / "w")]
    subprocess.run(whole_at_once, check=True, capture_output=True)
    for name in ("indices.csv", "sweep.json", "units.json"):
        assert (tmp_path / "s" / name).read_bytes() == (tmp_path / "w" / name).read_bytes()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_dask_with_a_worker_killed_changes_no_bit(plan, expected):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None,
                                  silence_logs=50) as cluster, \
            distributed.Client(cluster) as client:
        seen = []

        def mapper(work, tasks):
            for result in parallel.dask_mapper(client)(work, tasks):
                seen.append(result.start)
                if len(seen) == 2:
                    first = next(iter(cluster.workers.values()))
                    os.kill(first.process.process.pid, signal.SIGKILL)
                yield result

        found = whole(plan, 2, mapper, alone=True)
    assert len(seen) == 20
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)
