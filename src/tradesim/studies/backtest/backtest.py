"""Forecasts of the past: every origin and model, scored against what happened.

Cells (`cells`) are spread over processes and each is kept as it comes, so that a
back-test that was stopped goes on where it was. `docs/backtest.md` says what is scored.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim import __version__
from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError, InputError, Problem, TradesimError
from tradesim.common.files import program, sha256
from tradesim.common.output import remove, sweep_up
from tradesim.common.parallel import Mapper, Progress
from tradesim.inputs import posterior
from tradesim.inputs.history import TRADE, closed_shares, read_reports
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import read_parameters
from tradesim.studies.backtest import scores
from tradesim.studies.backtest.benchmarks import (
    CLOSED,
    OPEN,
    OTHERS,
    RIVALS,
    SHORTEST,
    check_installed,
)
from tradesim.studies.backtest.cells import (
    MOST_DRAWS,
    Cell,
    CellTask,
    is_sound,
    read_cell,
    to_series,
    work,
    write_cell,
)
from tradesim.studies.backtest.track_record import (
    MODEL,
    PROBE,
    QUANTILES,
    RIVAL,
    RIVAL_ALL_YEARS,
    SHIPPED,
    TURNOVER,
)

if TYPE_CHECKING:
    import pandas as pd

CORRIDOR = "corridor."
"""How the names of the parameters of closures begin."""

SIMPLE = (*(name + OPEN for name in RIVALS), *RIVALS, *OTHERS)
"""Names of all simple forecasts."""

FIRST, HORIZONS, DRAWS, SEED = 2014, 5, 2000, 1
"""First origin, longest horizon, draws and seed, unless asked otherwise."""


@dataclass(frozen=True)
class Backtest:
    """What a back-test does."""

    folder: Path  # of the calibration
    pair: Pair
    origins: tuple[int, ...]  # years from which forecasts are made
    horizons: int  # for how many years
    years: tuple[int, ...]  # of reported trade; rivals see those before the sample too
    reported: Array  # log values (year, series)
    draws: int
    seed: int
    identity: Mapping[str, Any]  # fingerprint of every input that results depend on
    closed: tuple[int, ...] = ()  # years with the corridor closed, which rivals may leave out

    @property
    def series(self) -> list[tuple[str, str]]:
        """Target and count of each series."""
        return series_of(self.pair)

    def ahead(self, origin: int) -> int:
        """Years after an origin that are forecast and known."""
        return min(self.horizons, self.years[-1] - origin)

    def outcome(self, origin: int) -> Array:
        """Give what was reported after an origin; (horizon, series)."""
        start = self.years.index(origin) + 1
        return np.asarray(self.reported[start:start + self.ahead(origin)])

    def tasks(self) -> list[CellTask]:
        """All cells, the longest first; rivals of open years only where a year was closed."""
        first = min(self.closed, default=self.years[-1])
        return [CellTask(self.folder, model, origin, self._known(model, origin),
                         self.outcome(origin), self.draws, self.seed)
                for model in (MODEL, *SIMPLE) for origin in self.origins
                if not model.endswith(OPEN) or origin >= first]

    def _known(self, model: str, origin: int) -> Array:
        """Give reports up to an origin as a model sees them; (year, series)."""
        seen = self.reported[:self.years.index(origin) + 1]
        if not model.endswith(OPEN):
            return seen
        closed = np.isin(self.years[:len(seen)], self.closed)
        return np.where(closed[:, None], np.nan, seen)

    def kind(self, model: str) -> str:
        """Kind of a model in the record."""
        if model == MODEL:
            return SHIPPED
        return RIVAL if model.endswith(OPEN) else RIVAL_ALL_YEARS if model in RIVALS else PROBE

    def file(self, folder: Path, task: CellTask) -> Path:
        """File of a cell; its name holds a fingerprint of all that it depends on."""
        about = {**{name: self.identity[name] for name in ("version", "program", "inputs")},
                 "model": task.model, "origin": task.origin, "horizons": len(task.outcome),
                 "draws": task.draws, "seed": task.seed}
        text = json.dumps(about, sort_keys=True)
        return folder / (f"{task.model}-{task.origin}-"
                         f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz")


def series_of(pair: Pair) -> list[tuple[str, str]]:
    """Target and count of each series: turnover and each direction, on every count."""
    return [(target, count) for target in (TURNOVER, *pair.importers) for count in pair.counts]


def prepare(folder: Path, *, origins: tuple[int, int] | None = None, horizons: int | None = None,
            draws: int = DRAWS, seed: int = SEED) -> Backtest:
    """Read and check what a back-test needs.

    By default origins go from `FIRST` to the last year but one, and horizons to `HORIZONS` or as
    far as the data reach.

    Raises
    ------
    InputError
        For origins without enough history or without a year after them, a horizon that no
        origin reaches, or missing years.
    """
    check_installed()
    folder = Path(folder)
    pair = read_pair(folder)
    years, values, closed = _reported(folder, pair)
    first, last = origins or (FIRST, pair.last_year - 1)
    problems = _wrong_origins(first, last, years, pair)
    if not problems and horizons is not None and first + horizons > pair.last_year:
        problems.append(Problem("--horizons", str(horizons), f"no origin from {first} on has a "
                                f"known year so far ahead; the data end in {pair.last_year}, so "
                                f"at most {pair.last_year - first}"))
    if draws > MOST_DRAWS:
        problems.append(Problem("--draws", f"{draws:,}", f"the sampler keeps {MOST_DRAWS:,} draws; "
                                "at most so many are allowed"))
    if problems:
        raise InputError(problems)
    horizons = min(horizons or HORIZONS, pair.last_year - first)
    identity = {"version": __version__, "program": program(), "origins": [first, last],
                "horizons": horizons, "draws": draws, "seed": seed,
                "inputs": _inputs(folder, pair)}
    return Backtest(folder, pair, tuple(range(first, last + 1)), horizons, years, values,
                    draws, seed, identity, closed)


def _inputs(folder: Path, pair: Pair) -> dict[str, str]:
    """Fingerprints of what forecasts depend on.

    Of the pair and the parameters only what a fit reads counts, so that a new lever or a better
    title leaves a back-test as it is.
    """
    entering = {name: item.model_dump(mode="json") for name, item in read_parameters(folder).items()
               if item.calibrated or name.startswith(CORRIDOR)}
    parts = {"pair.yaml": [pair.pair, pair.reporters, pair.first_year, pair.last_year,
                           pair.base_year, pair.target_count],
             "parameters.yaml": entering}
    hashes = {name: hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()
              for name, part in parts.items()}
    return hashes | {name: sha256(folder / name) for name in posterior.FILES}


def _reported(folder: Path, pair: Pair) -> tuple[tuple[int, ...], Array, tuple[int, ...]]:
    """Read reported trade from the earliest year, without a gap.

    Gives years, log values (year, series), and the years in which the corridor was closed.
    """
    years, values = read_reports(folder)
    missing = [Problem(str(folder / TRADE), f"{years[t]} {pair.partner(importer)}-{importer} "
                       f"counted by {pair.reporters[r]}",
                       "no used row; a back-test needs every year")
               for t, j, r in np.argwhere(np.isnan(values)) for importer in [pair.importers[j]]]
    if missing:
        raise InputError(missing)
    closed = closed_shares(folder, years) >= CLOSED
    return years, to_series(values), tuple(np.array(years)[closed].tolist())


def _wrong_origins(first: int, last: int, years: Sequence[int], pair: Pair) -> list[Problem]:
    asked = f"{first}:{last}"
    earliest = max(years[0] + SHORTEST - 1, pair.first_year + 2)
    problems = []
    if first > last:
        problems.append(Problem("--origins", asked, "the first origin is after the last"))
    if first < earliest:
        problems.append(Problem("--origins", asked, f"{first} has too little history: reports "
                                f"begin in {years[0]} and the sample in {pair.first_year}; the "
                                f"first origin allowed is {earliest}"))
    if last >= pair.last_year:
        problems.append(Problem("--origins", asked, f"{last} has no later year to compare with; "
                                f"the data end in {pair.last_year}, so the last origin allowed "
                                f"is {pair.last_year - 1}"))
    return problems


def cell_folder(target: Path) -> Path:
    """Folder beside the results that holds finished cells until all are done."""
    return target.parent / f".{target.name}-cells"


def run(plan: Backtest, target: Path, mapper: Mapper, *, fresh: bool = False,
        progress: Progress | None = None,
        say: Callable[[str], None] = lambda _: None) -> list[Cell]:
    """Work on every cell that is not there yet.

    Cells are kept beside the folder of the results (`cell_folder`), unless `fresh` starts over.
    The work is spread over a mapper (`parallel.open_mapper`); `progress` is called with cells done
    and in all, `say` with a line about what was found. Models come in the order of the plan, each
    with its origins in order.

    Raises
    ------
    ConvergenceError
        When a fit does not converge; cells that were done stay.
    """
    folder = cell_folder(target)
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    sweep_up(folder)
    files = {(task.model, task.origin): plan.file(folder, task) for task in plan.tasks()}
    for path in files.values():
        if os.path.lexists(path) and not is_sound(path):
            remove(path)
            say(f"{path}: is damaged and made again")
    missing = [task for task in plan.tasks() if not files[task.model, task.origin].exists()]
    done, total = len(files) - len(missing), len(files)
    if done:
        say(f"going on: {done} of {total} forecasts were made before")
    if progress:
        progress(done, total)
    try:
        for cell in mapper(work, missing):
            if cell.failed:
                _fail(cell, f"{done} of {total} forecasts are kept in {folder}")
            write_cell(files[cell.model, cell.origin], cell)
            done += 1
            if progress:
                progress(done, total)
    except BrokenExecutor as error:
        raise TradesimError(f"a worker died ({error}); {done} of {total} forecasts are kept in "
                            f"{folder}: run the same command to go on, with fewer jobs if memory "
                            "was short") from error
    return [read_cell(path) for path in files.values()]


def _fail(cell: Cell, kept: str) -> None:
    if "residual" in cell.note:
        where = cell.failed.split(" did not converge")[0]
        raise ConvergenceError(f"{where}, from {cell.origin} ({kept})", cell.note["residual"])
    raise TradesimError(f"{cell.model} from {cell.origin}: {cell.failed} ({kept})")


def record_of(plan: Backtest, cells: Sequence[Cell]) -> pd.DataFrame:
    """Score all forecasts; gives the record (`track_record.COLUMNS`)."""
    import pandas as pd

    made = {(cell.model, cell.origin): cell for cell in cells}
    for name, origin in itertools.product(RIVALS, plan.origins):  # before any closure: the same
        made.setdefault((name + OPEN, origin), replace(made[name, origin], model=name + OPEN))
    return pd.DataFrame([row for model in (MODEL, *SIMPLE) for origin in plan.origins
                         for row in _rows(plan, made[model, origin])])


def _rows(plan: Backtest, cell: Cell) -> list[dict[str, Any]]:
    """Rows of the record for one model at one origin."""
    draws, outcome = cell.draws, plan.outcome(cell.origin)
    mean, levels = draws.mean(axis=0), scores.quantiles(draws)
    crps, pit = scores.crps(draws, outcome), scores.pit(draws, outcome)
    inside = {50: (levels[1] <= outcome) & (outcome <= levels[3]),
              90: (levels[0] <= outcome) & (outcome <= levels[4])}
    return [{"target": target, "count": count, "model": cell.model, "kind": plan.kind(cell.model),
             "origin": cell.origin, "horizon": h + 1, "year": cell.origin + h + 1,
             "actual": outcome[h, k], "mean": mean[h, k],
             **dict(zip(QUANTILES, levels[:, h, k], strict=True)), "crps": crps[h, k],
             "covered50": float(inside[50][h, k]), "covered90": float(inside[90][h, k]),
             "pit": pit[h, k], "log_score": cell.log_score[h, k]}
            for k, (target, count) in enumerate(plan.series) for h in range(len(outcome))]
