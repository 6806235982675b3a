"""What both countries reported, with grades, and the macroeconomic series that explain it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tradesim.common.arrays import Array, frozen
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import unless_changed
from tradesim.inputs.macro_outlook import (
    MacroPaths,
    MacroSeries,
    central,
    complete_series,
    continued,
    relative_prices,
    spliced,
)
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.inputs.strict_csv import SOURCES, Column, read_table

TRADE = "data/bilateral_trade.csv"
MACRO = "data/macro.csv"
CORRIDOR = "data/corridor.csv"

ERROR_SCALE = {"A": 1.0, "B": 1.5, "C": 3.0}
"""Factor on the reporting error of an observation of each grade; grade D is never used."""

MIN_YEARS = 3
"""Shortest sample that has a growth rate to carry on and one to check it against."""

GDP, GROWTH = "gdp_usd", "real_growth_pct"


@dataclass(frozen=True)
class Forecast:
    """Macroeconomic paths after the sample."""

    years: tuple[int, ...]  #: years after the sample, to the horizon
    #: log nominal GDP in USD and log real GDP, on the scale of the sample; (year, importer)
    log_gdp: Array
    log_real: Array
    exchange_rate: Array  #: log real exchange rate, on the scale of the sample; (year,)


@dataclass(frozen=True, repr=False)
class History:
    """Reported trade of the pair and what explains it, one entry per year of the sample."""

    #: names of the axes; the reference reporter stands first
    years: tuple[int, ...]
    importers: tuple[str, ...]
    reporters: tuple[str, ...]
    #: natural log of reported trade in USD; (year, importer, reporter), NaN where missing
    log_value: Array
    error_scale: Array  #: factor on the reporting error by the grade of the observation; same shape
    log_gdp: Array  #: log nominal GDP in USD; (year, importer)
    #: log real GDP, chained from nominal GDP in the first year of `series`; (year, importer)
    log_real: Array
    #: log real exchange rate: GDP deflator in USD of the second member of the pair over that of the
    #: first, less its mean over the sample; (year,)
    exchange_rate: Array
    closed_share: Array  #: share of the year in which the shared corridor was closed; (year,)
    forecast: Forecast  #: the same macroeconomic series after the sample
    #: the same macroeconomic series up to the last year, from the earliest year known
    series: MacroSeries

    def __repr__(self) -> str:
        return (f"<tradesim.History> {self.years[0]}–{self.years[-1]}, trade into "
                f"{' and '.join(self.importers)}, reported by {' and '.join(self.reporters)}")


@unless_changed(TRADE, MACRO, CORRIDOR, PAIR_FILE)
def read_history(folder: Path, as_of: int | None = None) -> History:
    """Read reported trade, GDP and closures, as known now or at the end of an earlier year.

    Parameters
    ----------
    folder
        Folder of a calibration.
    as_of
        Last year of the sample. Before the last year with data the forecast is that of
        `macro_outlook.central`, so that nothing dated later is used; otherwise it is the
        published projection.

    Raises
    ------
    InputError
        With every cell that is wrong or missing.
    """
    pair = read_pair(folder)
    last = pair.last_year if as_of is None else as_of
    if not pair.first_year + MIN_YEARS - 1 <= last <= pair.last_year:
        raise InputError([Problem(str(folder), "as_of", f"{last} is no last year of a sample; "
                                  f"allowed {pair.first_year + MIN_YEARS - 1} to "
                                  f"{pair.last_year}")])
    years = tuple(range(pair.first_year, last + 1))
    later = tuple(range(last + 1, pair.last_possible + 1))
    published = later[:pair.horizon - last]
    log_value, error_scale = _observations(folder, _read_trade(folder, pair), pair, years)
    macro = _read_macro(folder)
    log_gdp = np.log(_series(folder, macro, pair, GDP, "actual", years))
    _series(folder, macro, pair, GROWTH, "actual", years)  # no year of the sample lacks it
    series = _macro_series(macro, pair, last)
    if last == pair.last_year:
        next_gdp = np.log(_series(folder, macro, pair, GDP, "forecast", published))
        next_growth = np.log1p(_series(folder, macro, pair, GROWTH, "forecast", published) / 100)
        next_gdp, next_real = continued(
            spliced(log_gdp[-1], next_gdp, next_growth, _seams(macro, pair, published)),
            series.log_real[-1] + np.cumsum(next_growth, axis=0), len(later) - len(published))
        ahead = MacroPaths(next_gdp, next_real)
    else:
        ahead = central(series, len(later))
    start = series.years.index(years[0])
    rate = relative_prices(series, series.log_gdp, series.log_real)[start:]
    centre = rate.mean()
    return History(
        years, pair.importers, pair.reporters, log_value, error_scale, frozen(log_gdp),
        frozen(series.log_real[start:]), frozen(rate - centre), closed_shares(folder, years),
        as_forecast(series, ahead, rate[-1] - centre), series)


def as_forecast(series: MacroSeries, ahead: MacroPaths, last_rate: float) -> Forecast:
    """Give paths after a series with the real exchange rate that goes on from `last_rate`."""
    years = tuple(range(series.years[-1] + 1, series.years[-1] + 1 + ahead.log_gdp.shape[-2]))
    rate = relative_prices(series, ahead.log_gdp, ahead.log_real) + last_rate
    return Forecast(years, frozen(ahead.log_gdp), frozen(ahead.log_real), frozen(rate))


def _seams(macro: pd.DataFrame, pair: Pair, years: Sequence[int]) -> NDArray[np.bool_]:
    """Whether a forecast of nominal GDP has another source than the year before."""
    rows = macro[(macro["variable"] == GDP) & (macro["kind"] == "forecast")]
    source = rows.set_index(["year", "country"])["source"].unstack().reindex(  # noqa: PD010
        index=list(years), columns=list(pair.importers)).to_numpy()
    return np.concatenate([np.zeros((1, len(pair.importers)), dtype=bool),
                           source[1:] != source[:-1]])


@unless_changed(TRADE, PAIR_FILE)
def read_reports(folder: Path) -> tuple[tuple[int, ...], Array]:
    """Read all reported trade that may be used, also from before the sample.

    Returns
    -------
    tuple
        Years, and log reported values in USD, (year, importer, reporter), NaN where missing.

    Raises
    ------
    InputError
        With every row that is wrong.
    """
    pair = read_pair(folder)
    trade = _read_trade(folder, pair)
    years = tuple(range(min(int(trade["year"].min()), pair.first_year), pair.last_year + 1))
    return years, _observations(folder, trade, pair, years)[0]


def _macro_series(macro: pd.DataFrame, pair: Pair, last: int) -> MacroSeries:
    """Everything known of GDP and growth up to a year."""
    rows = macro[(macro["kind"] == "actual") & (macro["year"] <= last)
                 & macro["country"].isin(pair.importers)]
    years = range(int(rows["year"].min()), last + 1)
    gdp, growth = (
        rows[rows["variable"] == variable].pivot_table("value", "year", "country")
        .reindex(index=years, columns=list(pair.importers)).to_numpy(dtype=float)
        for variable in (GDP, GROWTH))
    with np.errstate(invalid="ignore", divide="ignore"):
        return complete_series(years, np.log(gdp), np.log1p(growth / 100))


def forecast_sources(folder: Path) -> dict[str, list[str]]:
    """Give the sources of each country's published forecast of nominal GDP, in order."""
    macro = _read_macro(folder)
    rows = macro[(macro["variable"] == GDP) & (macro["kind"] == "forecast")].sort_values("year")
    return {str(code): list(dict.fromkeys(part["source"]))
            for code, part in rows.groupby("country", sort=False)}


def _read_trade(folder: Path, pair: Pair) -> pd.DataFrame:
    """Rows of reported trade that a fit may use, checked."""
    path = folder / TRADE
    columns = (Column("year", "year"), Column("months", "text", required=False),
               Column("exporter", "text"), Column("importer", "text"),
               Column("reporter", "text"), Column("series", "text", required=False),
               Column("value_usd", "number", low=0.0),
               Column("used", "text", allowed=("yes", "presample", "no")),
               *SOURCES)
    frame = read_table(path, columns)
    used = frame[frame["used"] != "no"]
    problems, seen = [], set()
    for row in used.to_dict("records"):
        key = "{year} {exporter}-{importer} counted by {reporter}".format(
            **{str(name): value for name, value in row.items()})
        flow = (row["year"], row["importer"], row["reporter"])
        checks = (
            (row["importer"] not in pair.importers
             or row["exporter"] != pair.partner(row["importer"]),
             f"a used row must run between {' and '.join(pair.importers)}"),
            (row["reporter"] not in pair.reporters,
             f"a used row must be counted by one of {', '.join(pair.reporters)}"),
            (row["grade"] not in ERROR_SCALE, "a row of grade D cannot be used"),
            (row["months"] not in ("", "1-12"), "a used row must cover the whole year"),
            (row["value_usd"] <= 0, "a used row must have a value above zero"),
            (flow in seen, "two used rows count the same flow"),
            ((row["used"] == "presample") != (row["year"] < pair.first_year),
             f"rows before {pair.first_year}, and only they, are used as 'presample'"))
        problems += [Problem(str(path), key, message) for wrong, message in checks if wrong]
        seen.add(flow)
    if problems:
        raise InputError(problems)
    return used


def _observations(folder: Path, trade: pd.DataFrame, pair: Pair,
                  years: Sequence[int]) -> tuple[Array, Array]:
    """Log reported values and error scales; (year, importer, reporter)."""
    shape = (len(years), len(pair.importers), len(pair.reporters))
    log_value, scale = np.full(shape, np.nan), np.ones(shape)
    for row in trade[trade["year"].isin(years)].to_dict("records"):
        cell = (years.index(row["year"]), pair.importers.index(row["importer"]),
                pair.reporters.index(row["reporter"]))
        log_value[cell] = np.log(row["value_usd"])
        scale[cell] = ERROR_SCALE[row["grade"]]
    counted = np.isfinite(log_value).sum(axis=0)
    problems = [Problem(str(folder / TRADE), f"{pair.importers[i]} counted by {pair.reporters[r]}",
                        f"{counted[i, r]} used years between {years[0]} and {years[-1]}; at least "
                        f"{MIN_YEARS} are needed")
                for i, r in np.argwhere(counted < MIN_YEARS)]
    if problems:
        raise InputError(problems)
    return frozen(log_value), frozen(scale)


def _read_macro(folder: Path) -> pd.DataFrame:
    columns = (Column("country", "text"), Column("year", "year"), Column("variable", "text"),
               Column("kind", "text", allowed=("actual", "forecast")), Column("value", "number"),
               Column("unit", "text"), Column("low", "number", required=False),
               Column("high", "number", required=False), *SOURCES)
    return read_table(folder / MACRO, columns, key=("country", "year", "variable", "kind"))


def _series(folder: Path, macro: pd.DataFrame, pair: Pair, variable: str, kind: str,
            years: Sequence[int]) -> Array:
    """One variable of both members of the pair; (year, importer), complete."""
    rows = macro[(macro["variable"] == variable) & (macro["kind"] == kind)]
    known = {(country, int(year)): float(value) for country, year, value in
             zip(rows["country"], rows["year"], rows["value"], strict=True)}
    floor = 0.0 if variable == GDP else -100.0
    problems = [Problem(str(folder / MACRO), f"{country} {year} {variable} ({kind})",
                        f"must be above {floor:g}" if (country, year) in known else "row missing")
                for country in pair.importers for year in years
                if known.get((country, year), -np.inf) <= floor]
    if problems:
        raise InputError(problems)
    return np.array([[known[country, year] for country in pair.importers] for year in years])


def closed_shares(folder: Path, years: Iterable[int]) -> Array:
    """Share of each year in which the corridor was closed."""
    path = folder / CORRIDOR
    columns = (Column("year", "year"), Column("closed_share", "number", low=0.0, high=1.0),
               Column("low", "number", low=0.0, high=1.0),
               Column("high", "number", low=0.0, high=1.0), *SOURCES)
    frame = read_table(path, columns, key=("year",))
    shares = dict(zip(frame["year"], frame["closed_share"], strict=True))
    missing = [Problem(str(path), str(year), "row missing") for year in years
               if year not in shares]
    if missing:
        raise InputError(missing)
    return frozen([shares[year] for year in years])
