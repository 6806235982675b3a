"""Forecasts that are kept, and how they did once the year has come.

`forecasts/` in a calibration folder has one file for every version and every update: percentiles of
trade without new policy by year, count and direction, in USD million.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim import __version__
from tradesim.common.arrays import MILLION, Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.memory import refuse_too_much
from tradesim.common.output import whole_file
from tradesim.inputs.history import History
from tradesim.inputs.pair import Pair
from tradesim.inputs.parameters import Cube
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.reference.gravity import by_count
from tradesim.reference.projection import reference_path
from tradesim.simulation.draws import draw_all, years_of
from tradesim.simulation.model import ask, load_baseline
from tradesim.studies.backtest.scores import quantiles
from tradesim.studies.backtest.track_record import TURNOVER

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "forecasts"
SCENARIO = "base"
"""The scenario without new policy."""

DRAWS = 10_000
DRAW, PROGRAM = 3e4, 2.5e8
"""Bytes of memory that a draw takes, and the program beside.

Measured: 1,000, 10,000 and 30,000 draws peak at 0.24, 0.51 and 1.10 GB.
"""

FLOW, REPORT = KINDS = ("flow", "report")
"""What is forecast: trade itself, or what a country's statistics will say, with their errors."""

LEVELS = np.arange(1, 100) / 100
PERCENTILES = [f"p{round(100 * level):02d}" for level in LEVELS]

KEY = ("year", "count", "direction", "of")
COLUMNS = (Column("as_of", "year"), Column("year", "year"), Column("count", "text"),
           Column("direction", "text"), Column("of", "text", allowed=KINDS),
           *(Column(name, "number", low=0.0) for name in PERCENTILES))


def directions(pair: Pair) -> list[str]:
    """Turnover, then each direction as exporter-importer."""
    return [TURNOVER, *(f"{pair.partner(importer)}-{importer}" for importer in pair.importers)]


def forecast(folder: Path, *, draws: int = DRAWS, seed: int = 1) -> pd.DataFrame:
    """Forecast trade without new policy with a calibration, as percentiles in USD million.

    Reports have the bias of their count and the error of an observation of grade A.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`; ``as_of`` is the last year of the statistics that were used.

    Raises
    ------
    InputError
        With what is wrong with the calibration.
    """
    import pandas as pd

    refuse_too_much("--draws", draws, DRAW, PROGRAM, "draws")
    base = load_baseline(folder)
    scenario, _ = ask(base, SCENARIO)
    numbers = draw_all(base, scenario, Cube.random(draws, seed))
    years, pair = years_of(base, scenario), base.pair
    path = reference_path(base, numbers, years)
    shape = (*path.log_flow.shape, len(pair.reporters))
    noise = np.random.default_rng([seed, len(years)]).standard_normal(shape)
    error = {FLOW: np.zeros(1), REPORT: numbers["posterior.error_sd"][:, None] * noise}
    bias = by_count(numbers["posterior.bias"])
    tables = []
    for of, wrong in error.items():
        flows = path.log_flow[..., None] + bias[:, None] + wrong
        values = np.concatenate([np.logaddexp.reduce(flows, axis=2, keepdims=True), flows], axis=2)
        index = pd.MultiIndex.from_product(
            [[base.history.years[-1]], years, directions(pair), pair.counts, [of]],
            names=["as_of", "year", "direction", "count", "of"])
        levels = quantiles(np.exp(values) / MILLION, LEVELS).reshape(len(LEVELS), -1).T
        tables.append(pd.DataFrame(levels, index, PERCENTILES).reset_index())
    return pd.concat(tables, ignore_index=True)[[column.name for column in COLUMNS]]


def write_forecast(frame: pd.DataFrame, path: Path) -> None:
    """Write a forecast with four digits; a file with other data behind it is not replaced.

    Raises
    ------
    InputError
        When the file holds a forecast as of another year, or cannot be written.
    """
    refuse_other(path, int(frame["as_of"].iloc[0]))
    with whole_file(path) as work:
        frame.to_csv(work, index=False, float_format="%.4g", lineterminator="\n")


def refuse_other(path: Path, as_of: int) -> None:
    """Refuse a file that holds anything but a forecast with data up to a year.

    Raises
    ------
    InputError
        When it does: the file is not replaced.
    """
    if not path.is_file():
        return
    hint = "name another file with --out"
    try:
        held = int(_read(path)["as_of"].iloc[0])
    except InputError as error:
        raise InputError([replace(error.problems[0], hint=f"so it is no forecast and is kept as it "
                                  f"was; {hint}")]) from error
    if held != as_of:
        raise InputError([Problem(str(path), "", f"holds the forecast made with data up to {held}, "
                                  f"not {as_of}; it is kept as it was", hint)])


def file_of(folder: Path, updated: int | None = None) -> Path:
    """File of the forecast of this version, or of its update with data up to a year."""
    name = __version__ if updated is None else f"{__version__}-{updated}"
    return folder / FOLDER / f"{name}.csv"


def _read(path: Path) -> pd.DataFrame:
    return read_table(path, COLUMNS, key=KEY)


def read_forecasts(folder: Path) -> dict[str, pd.DataFrame]:
    """Read all forecasts that are kept, by name: the oldest data first, then the oldest version.

    Raises
    ------
    InputError
        With every problem of the first file that has any.
    """
    found = {path.stem: _read(path) for path in (folder / FOLDER).glob("*.csv")}
    return dict(sorted(found.items(), key=lambda item: (
        int(item[1]["as_of"].iloc[0]), [int(part) for part in re.findall(r"\d+", item[0])])))


def place(row: Mapping[Any, Any], value: float) -> float:
    """Share of a forecast at or below a value in USD million.

    Straight between percentiles of logs; 0 or 1 where the value lies outside of all.
    """
    levels = np.log([row[name] for name in PERCENTILES])
    return float(np.interp(np.log(value), levels, LEVELS, left=0.0, right=1.0))


def outcomes(history: History, pair: Pair, year: int) -> dict[tuple[str, str], float]:
    """Give what was reported of a year by direction and count, USD million; what is known."""
    flows = np.exp(history.log_value[history.years.index(year)]) / MILLION
    values: Array = np.concatenate([flows.sum(axis=0, keepdims=True), flows])
    return {(direction, count): float(values[j, r])
            for j, direction in enumerate(directions(pair)) for r, count in enumerate(pair.counts)
            if np.isfinite(values[j, r])}


def score(kept: Mapping[str, pd.DataFrame], history: History, pair: Pair,
          years: Sequence[int]) -> pd.DataFrame:
    """Hold forecasts against what was reported of some years.

    A forecast has no rows of years that its own data hold, so only earlier ones count.

    Returns
    -------
    pandas.DataFrame
        ``forecast``, ``as_of``, ``year``, ``count``, ``direction``, ``reported``, ``p05``, ``p25``,
        ``p50``, ``p75``, ``p95`` (USD million), ``pit``, and ``inside``: the narrowest of the
        central 50 and 90 % ranges that held the outcome, or 0.
    """
    import pandas as pd

    shown = ["p05", "p25", "p50", "p75", "p95"]
    rows = []
    for name, frame in kept.items():
        reports = {(row["year"], row["direction"], row["count"]): row
                   for row in frame[frame["of"] == REPORT].to_dict("records")}
        for year in years:
            for (direction, count), value in outcomes(history, pair, year).items():
                if (year, direction, count) not in reports:
                    continue
                row = reports[year, direction, count]
                inside = 50 if row["p25"] <= value <= row["p75"] else (
                    90 if row["p05"] <= value <= row["p95"] else 0)
                rows.append({"forecast": name, "as_of": row["as_of"], "year": year,
                             "count": count, "direction": direction, "reported": value,
                             **{level: row[level] for level in shown},
                             "pit": place(row, value), "inside": inside})
    return pd.DataFrame(rows)
