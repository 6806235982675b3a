"""A sweep from its plan to its folder: chunks, one table, indices."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from tradesim import __version__
from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, TradesimError
from tradesim.common.output import alone, judge, remove, strangers, sweep_up, whole, whole_file
from tradesim.common.parallel import Mapper, Progress, blocks
from tradesim.inputs.strict_json import Record, read_json
from tradesim.studies.sweep.chunks import (
    CHUNK,
    chunk_file,
    evaluate_missing,
    is_sound,
    read_chunk,
    read_outputs,
    write_table,
)
from tradesim.studies.sweep.evaluate import Label, evaluate
from tradesim.studies.sweep.factors import Factor
from tradesim.studies.sweep.indices import (
    analyse,
    chance,
    distinguishable,
    more_needed,
    whole_blocks,
)
from tradesim.studies.sweep.plan import SweepPlan
from tradesim.studies.sweep.results import CSV, INDEX_COLUMNS, INDICES, JSON, PARQUET, read_about

PLAN, UNITS = "plan.json", "units.json"
CHANCE = "chance"


class Begun(Record):
    """What ``plan.json`` of an unfinished sweep and ``sweep.json`` of a finished one say of it."""

    identity: dict[str, Any]
    chunk: int = Field(default=CHUNK, ge=1)


KEPT = {JSON, INDICES, UNITS, PARQUET, CSV, "report.html", "figures"}
DISCOVERED = "discover"
"""What a sweep leaves, and how the names of what is found in it begin."""

RANKED = 131_072
"""Rows whose ranks are correlated at most: they say it to the second digit."""

NUMBERS = 8_000_000
"""Outputs that are analysed at once: bounds the memory."""


def chunk_folder(target: Path) -> Path:
    """Folder beside a sweep's own that holds its chunks until it is complete."""
    return target.parent / f".{target.name}-chunks"


def finished(plan: SweepPlan, target: Path) -> bool:
    """Whether the folder holds this very sweep already."""
    try:
        return bool(read_about(target).get("identity") == plan.identity)
    except InputError:
        return False


def tidy(plan: SweepPlan, target: Path) -> None:
    """Remove what a stopped command left beside a folder that holds this very sweep.

    Chunks of another sweep stay, and those on which another process works.
    """
    sweep_up(target.parent, target.name)
    folder = chunk_folder(target)
    if not folder.is_dir():
        return
    with alone(folder) as free, suppress(InputError):
        known = (folder / PLAN).exists()
        if free and not (known and differences(
                read_json(folder / PLAN, Begun, "").identity, plan.identity)):
            shutil.rmtree(folder)


def begin(plan: SweepPlan, target: Path, fresh: bool, size: int) -> tuple[Path, list[slice]]:
    """Find or make the folder of chunks; give it and all chunks.

    Raises
    ------
    InputError
        When the folders hold another sweep; the message says what differs.
    """
    folder = chunk_folder(target)
    _refuse_other_files(target)
    judge(target)
    if folder.is_dir():
        with _held(folder):
            sweep_up(folder)
            if fresh:
                shutil.rmtree(folder)
    for path, name in ((folder / PLAN, "an unfinished sweep"), (target / JSON, "a sweep")):
        if fresh or not path.exists():
            continue
        earlier = read_json(path, Begun, "start over with --fresh")
        if other := differences(earlier.identity, plan.identity):
            raise InputError([Problem(str(target), "", f"holds {name} that differs: "
                                      + "; ".join(other[:5]) + ("; ..." if other[5:] else ""),
                                      "start over with --fresh, or name another folder with "
                                      "--out")])
        if path.parent == folder:
            size = earlier.chunk
    folder.mkdir(exist_ok=True)
    if not (folder / PLAN).exists():
        with whole_file(folder / PLAN) as work:
            _write(work, {"identity": plan.identity, "chunk": size})
    chunks = blocks(plan.design.rows, size)
    return folder, chunks


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold the chunks: two processes must not work on the same ones."""
    with alone(folder) as free:
        if not free:
            raise InputError([Problem(str(folder), "", "another process works on this sweep now",
                                      "wait for it, or name another folder with --out")])
        yield


def _drop_damaged(plan: SweepPlan, folder: Path, chunks: Sequence[slice]) -> int:
    """Remove what is no chunk of this sweep where one should be; how many there were."""
    damaged = [path for rows in chunks if os.path.lexists(path := chunk_file(folder, rows))
               and not is_sound(path, rows, plan.run_id)]
    for path in damaged:
        remove(path)
    return len(damaged)


def _refuse_other_files(target: Path) -> None:
    """Refuse a folder that holds anything but a sweep: it would be replaced."""
    if target.exists() and not target.is_dir():
        raise InputError([Problem(str(target), "--out", "is a file")])
    others = [name for name in strangers(target, KEPT) if not name.startswith(DISCOVERED)]
    if others:
        raise InputError([Problem(str(target), "--out", "holds other files "
                                  f"({', '.join(others[:3])}) and would be replaced",
                                  "name a new folder")])


def differences(old: Any, new: Any, key: str = "") -> list[str]:
    """Say where two records differ: key, old value and new value."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [text for name in dict.fromkeys([*old, *new])
                for text in differences(old.get(name), new.get(name), f"{key}.{name}".strip("."))]
    return [] if old == new else [f"{key} was {_short(old)}, is {_short(new)}"]


def _short(value: Any) -> str:
    text = "absent" if value is None else json.dumps(value, ensure_ascii=False)
    return text if len(text) < 60 else text[:57] + "..."


def _finish(plan: SweepPlan, target: Path, folder: Path, chunks: list[slice], command: str,
            extra: Callable[[Path], None]) -> dict[str, Any]:
    """Write the folder of a sweep from its chunks, whole or not at all, and drop the chunks."""
    with whole(target) as work:
        failed, least, most = write_table(
            work, folder, chunks, [item.name for item in plan.factors],
            [label.name for label in plan.labels], plan.design.block)
        if len(failed) == plan.design.rows:
            raise TradesimError(f"all {len(failed)} rows failed; the first: {failed[0]['reason']}")
        table, left_out = _index_table(plan, folder, chunks)
        table.to_csv(work / INDICES, index=False, float_format="%.6g", lineterminator="\n")
        about = _about(plan, command, failed, left_out, least, most)
        _write(work / JSON, about)
        columns: list[Factor | Label] = [*plan.factors, *plan.labels]
        _write(work / UNITS, {item.name: {"title": item.title, "unit": item.unit}
                              for item in columns})
        extra(work)
    shutil.rmtree(folder, ignore_errors=True)
    return about


def _about(plan: SweepPlan, command: str, failed: Sequence[Mapping[str, Any]], left_out: int,
           least: Array, most: Array) -> dict[str, Any]:
    pair, numbers = plan.space.base.pair, plan.space.numbers
    factors = []
    for item, low, high in zip(plan.factors, least, most, strict=True):
        origin = numbers.get(item.name)
        factors.append({"name": item.name, "title": item.title, "unit": item.unit,
                        "group": item.group, "kind": item.kind, "low": _number(low),
                        "high": _number(high), "source": origin.source if origin else "",
                        "grade": origin.grade if origin else ""})
    return {"format": 1, "method": plan.design.method, "n": plan.identity["n"],
            "rows": plan.design.rows, "seed": plan.space.seed, "run_id": plan.run_id,
            "version": __version__, "command": command,
            "scenario": plan.space.scenario.model_dump(mode="json", exclude={"origins"}),
            "target": {"value": float(plan.space.scenario.target_usd),
                       "count": pair.target_count},
            "noise": plan.design.noise, "factors": factors,
            "groups": {name: [plan.factors[k].name for k in columns]
                       for name, columns in plan.groups.items()},
            "outputs": [asdict(label) for label in plan.labels], "failed": list(failed),
            "blocks": plan.design.rows // plan.design.block, "blocks_left_out": left_out,
            "notes": list(plan.notes), "identity": plan.identity}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _index_table(plan: SweepPlan, folder: Path, chunks: list[slice]) -> tuple[pd.DataFrame, int]:
    """Compute all indices from the chunks, some outputs at a time.

    Returns the tidy table, and how many blocks were left out because a row in them failed.
    """
    design, rows = plan.design, plan.design.rows
    points = None
    if design.method == "lhs":
        rows = min(rows, RANKED)
        points = np.concatenate([read_chunk(chunk_file(folder, chunk)).inputs
                                 for chunk in chunks if chunk.start < rows])[:rows]
    size = max(1, NUMBERS // rows)
    frames = []
    left_out = 0
    for columns in blocks(len(plan.labels), size):
        outputs = read_outputs(folder, chunks, columns, rows)
        kept = whole_blocks(outputs, design.block)
        left_out = max(left_out, int((~kept).sum()))
        if kept.sum() > 1 or design.method in ("oat", "grid"):
            frames += list(_index_rows(plan, points, outputs, kept,
                                       [label.name for label in plan.labels[columns]]))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(
        columns=pd.Index(INDEX_COLUMNS))
    return table, left_out


def _index_rows(plan: SweepPlan, points: Array | None, outputs: Array, kept: Any,
                names: list[str]) -> Iterator[pd.DataFrame]:
    estimates = analyse(plan.design, points, outputs, kept, plan.space.seed)
    more = more_needed(estimates, int(kept.sum()) * plan.design.block)
    units = [*plan.groups, CHANCE] if plan.design.noise else list(plan.groups)
    if plan.design.method != "sobol":
        units = [item.name for item in plan.factors]
    for estimate in estimates:
        factors = [" × ".join(units[k] for k in columns) for columns in estimate.factors]
        value, low, high = (array.T.ravel() for array in
                            (estimate.value, estimate.low, estimate.high))
        by_chance = chance(estimate).T.ravel()
        needed = more if estimate.share else np.zeros_like(more)
        yield pd.DataFrame(dict(zip(INDEX_COLUMNS, (
            plan.design.method, np.repeat(names, len(factors)), np.tile(factors, len(names)),
            estimate.index, value, low, high, distinguishable(by_chance),
            np.repeat(needed, len(factors)).astype(np.int64), by_chance), strict=True)))


def sweep(plan: SweepPlan, target: Path, *, mapper: Mapper, fresh: bool = False,
          chunk: int = CHUNK, single: bool = False, command: str = "",
          progress: Progress | None = None,
          say: Callable[[str], None] = lambda _: None,
          extra: Callable[[Path], None] = lambda _: None) -> dict[str, Any]:
    """Run a sweep, or go on with one that was stopped.

    Parameters
    ----------
    plan, target
        What to do, from `prepare`, and its folder.
    mapper, chunk, single
        What chunks are spread over (`parallel.open_mapper`), their rows (a sweep that goes on
        keeps its own), and whether each worker uses one thread.
    fresh
        Whether to start over.
    command
        The command that repeats the sweep.
    progress, say, extra
        Called with rows done and in all; with a line about what was found; with the folder,
        to add to it before it takes its place.

    Returns
    -------
    dict
        What ``sweep.json`` holds.
    """
    folder, chunks = begin(plan, target, fresh, chunk)
    with _held(folder):
        if damaged := _drop_damaged(plan, folder, chunks):
            say(f"{damaged} chunk{'s' * (damaged > 1)} in {folder} were not what this sweep wrote, "
                "and are made again")
        done = sum(rows.stop - rows.start for rows in chunks
                   if chunk_file(folder, rows).exists())
        if done:
            say(f"going on: {done:,} of {plan.design.rows:,} evaluations were done before")

        def tally(rows: int) -> None:
            nonlocal done
            done += rows
            if progress:
                progress(done, plan.design.rows)

        tally(0)
        evaluate_missing(evaluate, plan.task(single), chunks, folder, mapper, plan.run_id, tally)
        return _finish(plan, target, folder, chunks, command, extra)
