"""A sweep from its plan to its folder: chunks, one table, indices."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tradesim import __version__
from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, TradesimError
from tradesim.common.files import whole
from tradesim.studies.sweep import execution
from tradesim.studies.sweep.evaluate import evaluate
from tradesim.studies.sweep.indices import analyse, more_needed, whole_blocks
from tradesim.studies.sweep.plan import Plan
from tradesim.studies.sweep.table import CSV, PARQUET, write_table

PLAN, JSON, INDICES, UNITS = "plan.json", "sweep.json", "indices.csv", "units.json"
CHANCE = "chance"
KEPT = {JSON, INDICES, UNITS, PARQUET, CSV, "report.html", "figures"}
DISCOVERED = "discover"
"""What a sweep leaves, and how the names of what is found in it begin."""

RANKED = 131_072
"""Rows whose ranks are correlated at most: they say it to the second digit."""

NUMBERS = 8_000_000
"""Outputs that are analysed at once: bounds the memory."""

ZERO = 1e-9
"""Size below which an index is rounding."""

_INDEX_COLUMNS = ("method", "output", "factor", "index", "value", "low", "high",
                  "distinguishable", "more_runs_needed")


def chunk_folder(target: Path) -> Path:
    """Folder beside a sweep's own that holds its chunks until it is complete."""
    return target.parent / f".{target.name}-chunks"


def finished(plan: Plan, target: Path) -> bool:
    """Whether the folder holds this very sweep already."""
    try:
        about = json.loads((target / JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(about.get("identity") == plan.identity)


def begin(plan: Plan, target: Path, fresh: bool, size: int) -> tuple[Path, list[slice], int]:
    """Find or make the folder of chunks.

    Returns
    -------
    tuple
        The folder, all chunks, and how many rows are done.

    Raises
    ------
    InputError
        When the folders hold another sweep; the message says what differs.
    """
    folder = chunk_folder(target)
    _no_strangers(target)
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    for place, name in ((folder / PLAN, "an unfinished sweep"), (target / JSON, "a sweep")):
        if fresh or not place.exists():
            continue
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
            other = differences(found["identity"], plan.identity)
        except (OSError, ValueError, KeyError) as error:
            raise InputError([Problem(str(place), "", f"cannot be read ({error})",
                                      "start over with --fresh")]) from error
        if other:
            raise InputError([Problem(str(target), "", f"holds {name} that differs: "
                                      + "; ".join(other[:5]) + ("; ..." if other[5:] else ""),
                                      "start over with --fresh, or name another folder with "
                                      "--out")])
        if place.parent == folder:
            size = int(found["chunk"])
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / PLAN).exists():
        text = json.dumps({"identity": plan.identity, "chunk": size}, indent=2)
        part = folder / f"{PLAN}.part"
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(folder / PLAN)
    wanted = execution.chunks(plan.design.rows, size)
    done = sum(rows.stop - rows.start for rows in wanted
               if execution.chunk_file(folder, rows).exists())
    return folder, wanted, done


def _no_strangers(target: Path) -> None:
    """Refuse a folder that holds anything but a sweep: it would be replaced."""
    if target.exists() and not target.is_dir():
        raise InputError([Problem(str(target), "--out", "is a file")])
    found = {path.name for path in target.iterdir()} if target.is_dir() else set()
    strangers = sorted(name for name in found - KEPT if not name.startswith(DISCOVERED))
    if strangers:
        raise InputError([Problem(str(target), "--out", "holds other files "
                                  f"({', '.join(strangers[:3])}) and would be replaced",
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


def finish(plan: Plan, target: Path, folder: Path, wanted: list[slice], command: str,
           extra: Callable[[Path], None] = lambda _: None) -> dict[str, Any]:
    """Write the folder of a sweep from its chunks, whole or not at all, and drop the chunks.

    Parameters
    ----------
    plan, target
        The sweep and its folder.
    folder, wanted
        The chunks, all of them done.
    command
        The command that repeats the sweep.
    extra
        Adds to the folder (figures, report) before it takes its place.

    Returns
    -------
    dict
        What ``sweep.json`` holds.
    """
    with whole(target) as work:
        failed, least, most = write_table(
            work, folder, wanted, [item.name for item in plan.factors],
            [label.name for label in plan.labels], plan.design.block)
        if len(failed) == plan.design.rows:
            raise TradesimError(f"all {len(failed)} rows failed; the first: {failed[0]['reason']}")
        table, left_out = indices(plan, folder, wanted)
        table.to_csv(work / INDICES, index=False, float_format="%.6g", lineterminator="\n")
        about = _about(plan, command, failed, left_out, least, most)
        _write(work / JSON, about)
        titles = [(item.name, item.title, item.unit) for item in plan.factors]
        titles += [(label.name, label.title, label.unit) for label in plan.labels]
        _write(work / UNITS, {name: {"title": title, "unit": unit} for name, title, unit in titles})
        extra(work)
    shutil.rmtree(folder, ignore_errors=True)
    return about


def table_size(folder: Path) -> int:
    """How many numbers the table of a sweep holds."""
    about = json.loads((folder / JSON).read_text(encoding="utf-8"))
    return int(about["rows"]) * (len(about["factors"]) + len(about["outputs"]))


def _about(plan: Plan, command: str, failed: Sequence[Mapping[str, Any]], left_out: int,
           least: Array, most: Array) -> dict[str, Any]:
    pair, numbers = plan.world.base.pair, plan.world.numbers
    factors = []
    for item, low, high in zip(plan.factors, least, most, strict=True):
        origin = numbers.get(item.name)
        factors.append({**{key: getattr(item, key) for key in ("name", "title", "unit", "group",
                                                               "kind")},
                        "low": _number(low), "high": _number(high),
                        "source": origin.source if origin else "",
                        "grade": origin.grade if origin else ""})
    return {"format": 1, "method": plan.design.method, "n": plan.identity["n"],
            "rows": plan.design.rows, "seed": plan.world.seed, "run_id": plan.run_id,
            "version": __version__, "command": command,
            "scenario": plan.world.scenario.model_dump(mode="json", exclude={"origins"}),
            "target": {"value": float(plan.world.scenario.target_usd), "count": pair.target_count},
            "noise": plan.design.noise, "factors": factors,
            "groups": {name: [plan.factors[place].name for place in places]
                       for name, places in plan.groups.items()},
            "outputs": [asdict(label) for label in plan.labels], "failed": list(failed),
            "blocks": plan.design.rows // plan.design.block, "blocks_left_out": left_out,
            "notes": list(plan.notes), "identity": plan.identity}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def indices(plan: Plan, folder: Path, wanted: list[slice]) -> tuple[pd.DataFrame, int]:
    """Compute all indices from the chunks, some outputs at a time.

    Returns
    -------
    tuple
        Tidy table, and how many blocks of rows were left out because a row in them failed.
    """
    design, rows = plan.design, plan.design.rows
    points = None
    if design.method == "lhs":
        rows = min(rows, RANKED)
        few = [part for part in wanted if part.start < rows]
        points = np.concatenate([execution.read_chunk(execution.chunk_file(folder, part)).inputs
                                 for part in few])[:rows]
    size = max(1, NUMBERS // rows)
    frames = []
    left_out = 0
    for first in range(0, len(plan.labels), size):
        columns = slice(first, first + size)
        outputs = execution.read_outputs(folder, wanted, columns, rows)
        kept = whole_blocks(outputs, design.block)
        left_out = max(left_out, int((~kept).sum()))
        if kept.sum() > 1 or design.method in ("oat", "grid"):
            frames += list(_tidy(plan, points, outputs, kept,
                                 [label.name for label in plan.labels[columns]]))
    table = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(
        columns=pd.Index(_INDEX_COLUMNS))
    return table, left_out


def _tidy(plan: Plan, points: Array | None, outputs: Array, kept: Any,
          names: list[str]) -> Iterator[pd.DataFrame]:
    estimates = analyse(plan.design, points, outputs, kept, plan.world.seed)
    more = more_needed(estimates, int(kept.sum()) * plan.design.block)
    units = [*plan.groups, CHANCE] if plan.design.noise else list(plan.groups)
    if plan.design.method != "sobol":
        units = [item.name for item in plan.factors]
    for one in estimates:
        factors = [" × ".join(units[place] for place in places) for places in one.factors]
        value, low, high = (array.T.ravel() for array in (one.value, one.low, one.high))
        known = np.isfinite(value)
        clear = ((low > 0) | (high < 0)) & (np.abs(value) > ZERO)
        yield pd.DataFrame({
            "method": plan.design.method, "output": np.repeat(names, len(factors)),
            "factor": np.tile(factors, len(names)), "index": one.index, "value": value,
            "low": low, "high": high,
            "distinguishable": np.where(known, np.where(clear, "yes", "no"), "does not vary"),
            "more_runs_needed": np.repeat(more if one.share else np.zeros_like(more),
                                          len(factors)).astype(np.int64)})


def sweep(plan: Plan, target: Path, *, mapper: execution.Mapper, fresh: bool = False,
          chunk: int = execution.CHUNK, alone: bool = False, command: str = "",
          progress: Callable[[int, int], None] | None = None,
          say: Callable[[str], None] = lambda _: None,
          extra: Callable[[Path], None] = lambda _: None) -> dict[str, Any]:
    """Run a sweep, or go on with one that was stopped.

    Parameters
    ----------
    plan
        What to do; from `prepare`.
    target
        Its folder.
    mapper
        What the chunks are spread over; see `execution.open_mapper`.
    fresh
        Whether to start over.
    chunk
        Rows of a chunk; a sweep that goes on keeps its own.
    alone
        Whether each worker uses one thread.
    command
        The command that repeats the sweep.
    progress
        Called with rows done and rows in all.
    say
        Called with a line about what is found there.
    extra
        Adds to the folder before it takes its place.

    Returns
    -------
    dict
        What ``sweep.json`` holds.
    """
    folder, wanted, done = begin(plan, target, fresh, chunk)
    if done:
        say(f"going on: {done:,} of {plan.design.rows:,} evaluations were done before")

    def tally(rows: int) -> None:
        nonlocal done
        done += rows
        if progress:
            progress(done, plan.design.rows)

    tally(0)
    execution.run(evaluate, plan.task(alone), wanted, folder, mapper, tally)
    return finish(plan, target, folder, wanted, command, extra)
