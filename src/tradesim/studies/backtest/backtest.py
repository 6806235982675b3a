"""Forecasts of the past: every origin and model, scored against what happened.

Cells (`cells`) are spread over processes and each is kept as it comes, so that a
back-test that was stopped goes on where it was. `docs/backtest.md` says what is scored and how
specifications are weighted by it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim import __version__
from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError, InputError, Problem, TradesimError
from tradesim.common.files import program, sha256
from tradesim.common.parallel import Mapper, Progress
from tradesim.inputs import posterior
from tradesim.inputs.history import TRADE, read_history
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import read_parameters
from tradesim.inputs.specifications import (
    STACKED,
    Specification,
    read_specifications,
    specification,
)
from tradesim.studies.backtest import scores
from tradesim.studies.backtest.benchmarks import (
    CLOSED,
    OPEN,
    OTHERS,
    RIVALS,
    SHORTEST,
    check_installed,
)
from tradesim.studies.backtest.cells import Cell, CellTask, read_cell, to_series, work, write_cell
from tradesim.studies.backtest.stacking import Decision, decide
from tradesim.studies.backtest.track_record import (
    CANDIDATE,
    EQUAL,
    HINDSIGHT,
    PROBE,
    QUANTILES,
    RIVAL,
    RIVAL_ALL_YEARS,
    STACK,
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
    forms: Mapping[str, Specification]
    years: tuple[int, ...]  # of reported trade, from the earliest that a specification uses
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
        models = {**self.forms, **dict.fromkeys(SIMPLE)}
        first = min(self.closed, default=self.years[-1])
        return [CellTask(self.folder, model, form, origin, self._known(model, origin),
                         self.outcome(origin), self.draws, self.seed)
                for model, form in models.items() for origin in self.origins
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
        if model in self.forms:
            return self.forms[model].use
        return RIVAL if model.endswith(OPEN) else RIVAL_ALL_YEARS if model in RIVALS else PROBE

    def file(self, folder: Path, task: CellTask) -> Path:
        """File of a cell; its name holds a fingerprint of all that it depends on."""
        about = {**{name: self.identity[name] for name in ("version", "program", "inputs")},
                 "model": task.model, "origin": task.origin, "horizons": len(task.outcome),
                 "draws": task.draws, "seed": task.seed,
                 "form": None if task.form is None else task.form.model_dump(mode="json")}
        text = json.dumps(about, sort_keys=True)
        return folder / (f"{task.model}-{task.origin}-"
                         f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz")


def series_of(pair: Pair) -> list[tuple[str, str]]:
    """Target and count of each series: turnover and each direction, on every count."""
    return [(target, count) for target in (TURNOVER, *pair.importers) for count in pair.counts]


def prepare(folder: Path, *, origins: tuple[int, int] | None = None, horizons: int | None = None,
            names: Sequence[str] = (), draws: int = DRAWS, seed: int = SEED) -> Backtest:
    """Read and check what a back-test needs.

    By default origins go from `FIRST` to the last year but one, horizons to `HORIZONS` or as far as
    the data reach, and all specifications take part.

    Raises
    ------
    InputError
        For origins without enough history or without a year after them, a horizon that no
        origin reaches, missing years, an unknown specification.
    """
    check_installed()
    folder = Path(folder)
    pair, known = read_pair(folder), read_specifications(folder)
    problems = [Problem(str(folder / "specifications.yaml"), name,
                        "is the name of a rival of the back-test")
                for name in known if name in SIMPLE]
    forms = {}
    for name in names or known:
        try:
            forms[name] = specification(folder, name)
        except InputError as error:
            problems += error.problems
    years, values, closed = _reported(folder, pair, known)
    first, last = origins or (FIRST, pair.last_year - 1)
    problems += _wrong_origins(first, last, years, pair)
    if not problems and horizons is not None and first + horizons > pair.last_year:
        problems.append(Problem("--horizons", str(horizons), f"no origin from {first} on has a "
                                f"known year so far ahead; the data end in {pair.last_year}, so "
                                f"at most {pair.last_year - first}"))
    if problems:
        raise InputError(problems)
    horizons = min(horizons or HORIZONS, pair.last_year - first)
    identity = {"version": __version__, "program": program(), "origins": [first, last],
                "horizons": horizons, "draws": draws, "seed": seed,
                "inputs": _inputs(folder, pair),
                "specifications": {name: form.model_dump(mode="json")
                                   for name, form in forms.items()}}
    return Backtest(folder, pair, tuple(range(first, last + 1)), horizons, forms, years, values,
                    draws, seed, identity, closed)


def _inputs(folder: Path, pair: Pair) -> dict[str, str]:
    """Fingerprints of what forecasts depend on; the specifications stand apart.

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


def _reported(folder: Path, pair: Pair, forms: Mapping[str, Specification],
              ) -> tuple[tuple[int, ...], Array, tuple[int, ...]]:
    """Read reported trade from the earliest year that any specification uses, without a gap.

    Gives years, log values (year, series), and the years in which the corridor was closed.
    """
    first = min([pair.first_year, *(form.presample.first_year for form in forms.values()
                                    if form.presample is not None)])
    history = read_history(folder, first=first)
    missing = [Problem(str(folder / TRADE), f"{history.years[t]} {pair.partner(importer)}-"
                       f"{importer} counted by {history.reporters[r]}",
                       "no used row; a back-test needs every year")
               for t, j, r in np.argwhere(np.isnan(history.log_value))
               for importer in [history.importers[j]]]
    if missing:
        raise InputError(missing)
    closed = np.array(history.years)[history.closed_share >= CLOSED]
    return history.years, to_series(history.log_value), tuple(map(int, closed))


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
    files = {(task.model, task.origin): plan.file(folder, task) for task in plan.tasks()}
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


def record_of(plan: Backtest, cells: Sequence[Cell]) -> tuple[pd.DataFrame, Decision]:
    """Score all forecasts, weight the candidates by the rule, and score the stack.

    Gives the record (`track_record.COLUMNS`), and what the rule says knowing all outcomes.
    """
    import pandas as pd

    by_name = {(cell.model, cell.origin): cell for cell in cells}
    for name, origin in itertools.product(RIVALS, plan.origins):  # before any closure: the same
        by_name.setdefault((name + OPEN, origin), by_name[name, origin])
    names = [name for name, form in plan.forms.items() if form.use == CANDIDATE]
    rows = [row for model in (*plan.forms, *SIMPLE) for origin in plan.origins
            for cell in [by_name[model, origin]]
            for row in _rows(plan, model, plan.kind(model), origin, cell.draws, cell.log_score,
                             None)]
    if not names:
        return pd.DataFrame(rows), Decision("", {}, 0)
    judged = _judged(plan, names, by_name)
    final, equal = decide(names, *judged), dict.fromkeys(names, 1.0 / len(names))
    stacked: dict[str, list[dict[str, Any]]] = {STACKED: [], HINDSIGHT: [], EQUAL: []}
    for index, origin in enumerate(plan.origins):
        then = decide(names, *_known_by(judged, index))
        for model, weights in zip(stacked, (then.weights, final.weights, equal), strict=True):
            stacked[model] += _rows(plan, model, STACK, origin, *_mixture(
                [by_name[name, origin] for name in weights], list(weights.values())))
    return pd.DataFrame([*itertools.chain(*stacked.values()), *rows]), final


def _judged(plan: Backtest, names: Sequence[str],
            cells: Mapping[tuple[str, int], Cell]) -> tuple[Array, Array, Array]:
    """Log score, CRPS and quantiles of candidates for the target, as `stacking.decide` takes them.

    Axes (origin, horizon, candidate), and (origin, horizon, level, candidate).
    """
    target = plan.series.index((TURNOVER, plan.pair.target_count))
    shape = (len(plan.origins), plan.horizons)
    density, crps = np.full((2, *shape, len(names)), np.nan)
    levels = np.full((*shape, len(scores.LEVELS), len(names)), np.nan)
    for k, name in enumerate(names):
        for o, origin in enumerate(plan.origins):
            cell, ahead = cells[name, origin], plan.ahead(origin)
            density[o, :ahead, k] = cell.log_score[:, target]
            crps[o, :ahead, k] = scores.crps(cell.draws[:, :, target],
                                             plan.outcome(origin)[:, target])
            levels[o, :ahead, :, k] = scores.quantiles(cell.draws[:, :, target]).T
    return density, crps, levels


def _known_by(judged: tuple[Array, Array, Array], index: int) -> tuple[Array, Array, Array]:
    """Keep what was known at one origin; the rest becomes NaN.

    The outcome of origin p at horizon index h comes h + 1 years after it.
    """
    origins, steps = np.indices(judged[0].shape[:2])
    known = np.asarray(origins + steps + 1 <= index)[..., None]
    density, crps = (np.where(known, values, np.nan) for values in judged[:2])
    made = np.asarray(origins <= index)[..., None, None]
    return density, crps, np.where(made, judged[2], np.nan)


def _mixture(cells: Sequence[Cell], weights: Sequence[float]) -> tuple[Array, Array, Array]:
    """Draws, log score and weight of each draw of a mixture of forecasts."""
    from scipy.special import logsumexp

    shares = np.concatenate([np.full(len(cell.draws), weight / len(cell.draws))
                             for cell, weight in zip(cells, weights, strict=True)])
    density = logsumexp(np.stack([cell.log_score for cell in cells]), axis=0,
                        b=np.array(weights)[:, None, None])
    return np.concatenate([cell.draws for cell in cells]), density, shares


def _rows(plan: Backtest, model: str, kind: str, origin: int, draws: Array, log_score: Array,
          weights: Array | None) -> list[dict[str, Any]]:
    """Rows of the record for one model at one origin."""
    outcome = plan.outcome(origin)
    share = np.full(len(draws), 1.0 / len(draws)) if weights is None else weights
    mean = np.tensordot(share, draws, axes=1)
    levels = scores.quantiles(draws, scores.LEVELS, weights)
    crps, pit = scores.crps(draws, outcome, weights), scores.pit(draws, outcome, weights)
    inside = {50: (levels[1] <= outcome) & (outcome <= levels[3]),
              90: (levels[0] <= outcome) & (outcome <= levels[4])}
    return [{"target": target, "count": count, "model": model, "kind": kind, "origin": origin,
             "horizon": h + 1, "year": origin + h + 1, "actual": outcome[h, k],
             "mean": mean[h, k], **dict(zip(QUANTILES, levels[:, h, k], strict=True)),
             "crps": crps[h, k], "covered50": float(inside[50][h, k]),
             "covered90": float(inside[90][h, k]), "pit": pit[h, k], "log_score": log_score[h, k]}
            for k, (target, count) in enumerate(plan.series) for h in range(len(outcome))]
