"""Runs kept by their identity: a scenario that was run with the same inputs is not run again.

An entry of the cache is a folder named by the run id. It holds the draws of the variables that a
comparison reads and `CODE`, the hash of the code that made them. Fresh and kept runs are read the
same way, so both give the same numbers. Beyond `LIMIT` those that were not used for longest go.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr

from tradesim.common.errors import InputError
from tradesim.common.files import content, program
from tradesim.common.output import sweep_up, whole
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.scenario import Scenario
from tradesim.simulation import model, results
from tradesim.simulation.manifest import (
    MANIFEST,
    calibration_hashes,
    made_with,
    read_manifest,
)
from tradesim.simulation.whole import check_same, identity_of

CACHE = Path("results") / "cache"
CODE = "code.txt"

COMPARED = ("turnover", "trade", "imports", "tariff_revenue", "consumer_surplus",
            "producer_surplus", "exporter_surplus", "welfare", "welfare_present_value")
"""Variables that a comparison reads."""

LIMIT = 2 * 2**30
"""Bytes that the cache may hold."""

Progress = Callable[[int, int], None]
Watch = Callable[[str], AbstractContextManager[Progress | None]]


def fetch(
    base: Baseline, wanted: Scenario, described: Mapping[str, Any], *,
    cache: Path = CACHE, force: bool = False,
    say: Callable[[str], None] = lambda _: None, watch: Watch = lambda _: nullcontext(),
) -> xr.Dataset:
    """Give the results of a scenario, from the cache where it holds them.

    Parameters
    ----------
    base
        The baseline that every scenario shares.
    wanted, described
        The scenario, and what identifies its run: from `model.ask`.
    cache
        Folder of kept runs.
    force
        Run again even what is kept.
    say
        Called with one line about an entry of the cache that has to be made anew.
    watch
        Gives, for a label, a context in which progress is shown.

    Returns
    -------
    xarray.Dataset
        As saved (single precision where that is enough), described as asked for now.

    Raises
    ------
    InputError
        When there is no room for the run.
    """
    entry = cache / described["run_id"]
    sweep_up(cache)
    kept = None
    if entry.exists() and not force:
        kept, reason = _kept(entry, described["run_id"])
        if kept is None:
            say(f"{entry}: {reason}; {wanted.name} is run again")
    if kept is None:
        with watch(wanted.name) as progress:
            fresh = model.answer(base, wanted, described, progress, COMPARED)
        with whole(entry, option="--cache") as work:
            results.save(fresh, work, tables=False, every=True)
            (work / CODE).write_text(program() + "\n", encoding="utf-8")
        kept = results.load(entry)
        prune(cache, LIMIT, but=entry)
    os.utime(entry)
    return kept.assign_attrs(described)


def fetch_earlier(base: Baseline, folder: Path, stored: xr.Dataset, **options: Any) -> xr.Dataset:
    """Give the draws of an earlier run: what it saved, or computed again where that is not all.

    Parameters
    ----------
    folder, stored
        Where it is, and what `results.load` read there.
    options
        As for `fetch`.

    Raises
    ------
    InputError
        When its calibration has changed, or the run gives other numbers now.
    """
    if stored.attrs["kept"] == results.EVERY:
        return stored
    if calibration_hashes(base.folder) != json.loads(stored.attrs["hashes"]):
        base = model.load_baseline(made_with(stored.attrs))
    wanted = Scenario.model_validate_json(stored.attrs["scenario"])
    found = fetch(base, wanted, identity_of(stored), **options)
    check_same(found, stored, folder)
    return found


@dataclass(frozen=True)
class Entry:
    """A kept run: its folder, the scenario, its draws, bytes and when it was used last."""

    folder: Path
    scenario: str
    draws: int
    size: int
    used: datetime
    fresh: bool  #: whether the code that made it is that of this program


def entries(cache: Path = CACHE) -> list[Entry]:
    """List what a cache keeps, that used last first; what is no kept run is left out."""
    found = []
    for folder in (cache.iterdir() if cache.is_dir() else ()):
        if not (folder / CODE).is_file() or not (folder / MANIFEST).is_file():
            continue
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        found.append(Entry(folder, *_named(folder), size,
                           datetime.fromtimestamp(folder.stat().st_mtime, UTC),
                           content(folder / CODE).decode(errors="replace").strip() == program()))
    return sorted(found, key=lambda entry: entry.used, reverse=True)


def _named(folder: Path) -> tuple[str, int]:
    """Scenario and draws of a kept run; a dash where its manifest cannot be read."""
    try:
        manifest = read_manifest(folder)
    except InputError:
        return "–", 0
    return shlex.split(manifest.command)[2], manifest.draws


def prune(cache: Path, limit: int, *, but: Path | None = None) -> list[Entry]:
    """Remove kept runs of other code, and then those not used for longest, down to a limit.

    Parameters
    ----------
    limit
        Bytes that may stay.
    but
        A run that stays in any case.

    Returns
    -------
    list of Entry
        What was removed.
    """
    gone, room = [], limit
    for entry in entries(cache):
        room -= entry.size
        if entry.folder != but and (room < 0 or not entry.fresh):
            room += entry.size
            shutil.rmtree(entry.folder, ignore_errors=True)
            gone.append(entry)
    return gone


def _kept(entry: Path, run_id: str) -> tuple[xr.Dataset | None, str]:
    """Results of an entry, or why it cannot be used."""
    try:
        if content(entry / CODE).decode().strip() != program():
            return None, "the kept run was made by other code"
        kept = results.load(entry)
    except (OSError, ValueError, InputError) as error:
        return None, f"the kept run is damaged ({error})"
    if kept.attrs["run_id"] != run_id:
        return None, f"the kept run is damaged (it is run {kept.attrs['run_id']})"
    return kept, ""
