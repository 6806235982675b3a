"""A new year of statistics: score what was forecast of it, fit again, say what moved."""

from __future__ import annotations

import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tradesim.common.arrays import MILLION
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import content
from tradesim.common.output import PART, copy_into, sweep_up, whole
from tradesim.common.parallel import Progress
from tradesim.inputs import posterior
from tradesim.inputs.history import CORRIDOR, GDP, GROWTH, MACRO, TRADE, read_history
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.reference.calibrate import STEPS, calibrate
from tradesim.studies import forecasts
from tradesim.studies.backtest.track_record import TURNOVER

if TYPE_CHECKING:
    import pandas as pd

SCORES = "forecast_scores.csv"
"""How kept forecasts did, one row for every forecast, year, count and direction."""


@dataclass(frozen=True)
class Updated:
    """What an update found and where it wrote."""

    years: tuple[int, ...]  # that were new
    scores: pd.DataFrame  # from `forecasts.score`
    moved: pd.DataFrame  # from `moved`
    folder: Path


def update(folder: Path, *, out: Path | None = None, seed: int = 1, steps: int = STEPS,
           draws: int = forecasts.DRAWS, progress: Progress | None = None) -> Updated:
    """Take in a new year of reported trade.

    Scores the forecasts that were kept before, fits again, keeps the new forecast and compares
    the two. `pair.yaml` gets the new last year.

    Parameters
    ----------
    folder
        Calibration folder whose `data/` has the new rows.
    out
        New calibration folder, which appears whole or not at all; by default `folder` is changed.
    seed, steps, progress
        As for `calibrate`.
    draws
        Draws of the new forecast.

    Raises
    ------
    InputError
        Without a new year, with a year left out, without the GDP or the corridor of the new
        year, without a forecast that was kept before.
    ConvergenceError
        When the fit does not converge; nothing is written.
    """
    folder = Path(folder)
    target = folder if out is None else Path(out)
    place = Path(os.path.realpath(target))
    sweep_up(place.parent, place.name)  # also where a killed update was complete
    pair = read_pair(folder)
    years = _new_years(folder, pair)
    _check_complete(folder, pair, years)
    kept = forecasts.read_forecasts(folder)
    if not any(frame["as_of"].iloc[0] < years[0] for frame in kept.values()):
        raise InputError([Problem(str(folder / forecasts.FOLDER), "", f"holds no forecast made "
                                  f"before {years[0]}: nothing to hold the new year against",
                                  "take the new rows out, run `tradesim forecast`, put them back")])
    if out is not None and out.exists() and any(out.iterdir()):
        raise InputError([Problem(str(out), "--out", "is not empty", "name a new folder")])
    with whole(target) as work, _staged(folder, years[-1], work) as stage:
        history = read_history(stage)
        scored = forecasts.score(kept, history, pair, years)
        calibrate(stage, seed=seed, steps=steps, progress=progress)
        now = forecasts.forecast(stage, draws=draws, seed=seed)
        file = forecasts.file_of(stage, years[-1])
        forecasts.write_forecast(now, file)
        _add_scores(scored, stage / SCORES)
        before = next(reversed(kept))
        change = moved({before: kept[before], file.stem: now}, pair)
        _put(stage, target, work, [f"{forecasts.FOLDER}/{file.name}"])
    return Updated(years, scored, change, target)


def _new_years(folder: Path, pair: Pair) -> tuple[int, ...]:
    """Years of used rows after the last one of the sample, without a gap."""
    table = _columns(folder / TRADE, "year", "used")
    found = sorted(set(table.loc[(table["used"] == "yes") & (table["year"] > pair.last_year),
                                 "year"].astype(int)))
    if not found:
        raise InputError([Problem(str(folder / TRADE), "", f"no used row after {pair.last_year}, "
                                  f"the last year of {PAIR_FILE}: nothing new to take in",
                                  f"add the rows of {pair.last_year + 1} with `used` yes")])
    missing = sorted(set(range(pair.last_year + 1, found[-1])) - set(found))
    if missing:
        raise InputError([Problem(str(folder / TRADE), str(year), f"no used row, but there is one "
                                  f"of {found[-1]}: years must follow each other")
                          for year in missing])
    return tuple(found)


def _columns(path: Path, *names: str) -> pd.DataFrame:
    """Read some columns of a table whose other problems are found later."""
    import pandas as pd

    try:
        return pd.read_csv(io.BytesIO(content(path)), usecols=list(names)).astype(
            {"year": int} if "year" in names else {})
    except (OSError, ValueError) as error:
        raise InputError([Problem(str(path), "", f"cannot be read: {error}")]) from error


def _check_complete(folder: Path, pair: Pair, years: Sequence[int]) -> None:
    """Refuse new years without GDP and corridor, and a horizon without a forecast of GDP."""
    macro = _columns(folder / MACRO, "country", "year", "variable", "kind")
    held = set(macro.itertuples(index=False, name=None))
    later = range(years[-1] + 1, pair.horizon + 1)
    needed = [(year, kind, why) for when, kind, why in (
        (years, "actual", "a fit to the trade of that year needs it"),
        (later, "forecast", f"a projection from {years[-1]} on needs it")) for year in when]
    problems = [Problem(str(folder / MACRO), f"{country} {year} {variable} ({kind})",
                        f"row missing; {why}")
                for year, kind, why in needed for country in pair.importers
                for variable in (GDP, GROWTH) if (country, year, variable, kind) not in held]
    closures = set(_columns(folder / CORRIDOR, "year")["year"])
    problems += [Problem(str(folder / CORRIDOR), str(year), "row missing; say for what share of "
                         "the year the corridor was closed, 0 if it was not")
                 for year in years if year not in closures]
    if problems:
        raise InputError(problems)


@contextmanager
def _staged(folder: Path, last: int, work: Path) -> Iterator[Path]:
    """Copy a calibration with a later last year; problems found there name the original.

    The copy stands in `work`, and goes with it when the process is killed.
    """
    with tempfile.TemporaryDirectory(dir=work, prefix=".", suffix=PART) as place:
        stage = Path(place) / folder.name
        copy_into(folder, stage)
        path = stage / PAIR_FILE
        text, count = re.subn(r"^(last_year:\s*)\d+", rf"\g<1>{last}",
                              path.read_text(encoding="utf-8"), flags=re.M)
        if count != 1:
            raise InputError([Problem(str(folder / PAIR_FILE), "last_year", "must stand on a line "
                                      "of its own to be brought up to date")])
        path.write_text(text, encoding="utf-8")
        try:
            yield stage
        except InputError as error:
            raise InputError([_elsewhere(problem, stage, folder)
                              for problem in error.problems]) from error


def _elsewhere(problem: Problem, stage: Path, folder: Path) -> Problem:
    return replace(problem, file=problem.file.replace(str(stage), str(folder)))


def _add_scores(scored: pd.DataFrame, path: Path) -> None:
    import pandas as pd

    both = pd.concat([pd.read_csv(path), scored]) if path.is_file() else scored
    both.to_csv(path, index=False, float_format="%.4g", lineterminator="\n")


def _put(stage: Path, target: Path, work: Path, more: Sequence[str]) -> None:
    """Fill the folder that takes the target's place: what is there and what changed, or all."""
    if not target.exists() or not any(target.iterdir()):
        copy_into(stage, work)
        return
    copy_into(target, work)
    for name in (*more, SCORES, posterior.DATA, posterior.MANIFEST, PAIR_FILE):
        (work / name).parent.mkdir(exist_ok=True)
        shutil.copy(stage / name, work / name)


def moved(by_name: dict[str, pd.DataFrame], pair: Pair) -> pd.DataFrame:
    """Median and chance of the target in the last year of the projection, by forecast and count.

    Returns
    -------
    pandas.DataFrame
        ``forecast``, ``as_of``, ``year``, ``count``, ``p10``, ``p50``, ``p90`` (USD million, trade
        itself), and ``chance`` of the target.
    """
    import pandas as pd

    rows = []
    for name, frame in by_name.items():
        last = frame[(frame["year"] == pair.horizon) & (frame["of"] == forecasts.FLOW)
                     & (frame["direction"] == TURNOVER)]
        rows += [{"forecast": name,
                  **{key: row[key] for key in ("as_of", "year", "count", "p10", "p50", "p90")},
                  "chance": 1.0 - forecasts.place(row, pair.target_value / MILLION)}
                 for row in last.to_dict("records")]
    return pd.DataFrame(rows)
