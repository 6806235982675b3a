"""Runs kept by their identity: a scenario that was run with the same inputs is not run again.

An entry of the cache is a folder named by the run id. It holds what `results.save` leaves and
`CODE`, the hash of the code that made them. Fresh and kept runs are read the same way, so both
give the same numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import xarray as xr

from tradesim.common.errors import InputError
from tradesim.common.files import content, program
from tradesim.common.output import sweep_up, whole
from tradesim.inputs.baseline import Baseline
from tradesim.simulation import model, results
from tradesim.simulation.manifest import DATA

CACHE = Path("results") / "cache"
CODE = "code.txt"

Progress = Callable[[int, int], None]
Watch = Callable[[str], AbstractContextManager[Progress | None]]


def fetch(
    scenario: str | Path, base: Baseline, *, overrides: Sequence[str] = (),
    draws: int | None = None, seed: int | None = None, count: str | None = None,
    cache: Path = CACHE, force: bool = False, say: Callable[[str], None] = lambda _: None,
    watch: Watch = lambda _: nullcontext(),
) -> xr.Dataset:
    """Give the results of a scenario, from the cache where it holds them.

    Parameters
    ----------
    scenario
        A scenario file, the name of a shipped one, or the folder of an earlier run.
    base
        The baseline that every scenario shares.
    overrides, draws, seed, count
        As for `model.run`.
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
        When the scenario or the folder cannot be used.
    """
    folder = Path(scenario)
    if (folder / DATA).is_file():
        return results.load(folder)
    wanted, described = model.ask(base, scenario, overrides, draws, seed, count)
    entry = cache / described["run_id"]
    sweep_up(cache)
    kept = None
    if entry.exists() and not force:
        kept, reason = _kept(entry, described["run_id"])
        if kept is None:
            say(f"{entry}: {reason}; {wanted.name} is run again")
    if kept is None:
        with watch(wanted.name) as progress:
            fresh = model.answer(base, wanted, described, progress)
        with whole(entry, option="--cache") as work:
            results.save(fresh, work)
            (work / CODE).write_text(program() + "\n", encoding="utf-8")
        kept = results.load(entry)
    return kept.assign_attrs(described)


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
