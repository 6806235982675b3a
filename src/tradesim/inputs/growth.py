"""Which way the GDP of both members of the pair goes: the key `growth` of a scenario.

Growth decides more than any policy, so a run can take published forecasts, the rule that the
back-test used, growth of the last decade, or rates of its own.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tradesim.common.arrays import Array
from tradesim.inputs.history import Forecast, History, as_forecast
from tradesim.inputs.macro_outlook import DOLLAR_INFLATION, MacroPaths, central

PUBLISHED, RECORD, DECADE, OWN = CHOICES = ("published", "record", "decade", "own")
"""Paths of GDP; the last are rates that a scenario gives."""

NAMED = CHOICES[:-1]
"""Paths that have a name in a scenario."""

PAST = 10
"""Years whose growth ``decade`` carries on."""

LOWEST, HIGHEST = -10.0, 20.0
"""Bounds of a rate that a scenario gives, per cent a year of nominal GDP in USD."""

CHOICE, RATE = "growth.choice", "growth.rate"
"""Names among the draws: place of the path in `CHOICES`; rates by country (NaN: published)."""

Growth = str | Mapping[str, float]
"""One of `NAMED`, or rates in per cent a year by country."""


def kind_of(growth: Growth) -> str:
    """Name in `CHOICES` of what a scenario says."""
    return growth if isinstance(growth, str) else OWN


def growth_draws(importers: tuple[str, ...], growth: Growth, draws: int) -> dict[str, Array]:
    """Give the path of GDP of a scenario as columns of draws, the same in every draw."""
    rates = {} if isinstance(growth, str) else growth
    place = float(CHOICES.index(kind_of(growth)))
    return {CHOICE: np.full(draws, place)} | {
        f"{RATE}.{importer}": np.full(draws, float(rates.get(importer, np.nan)))
        for importer in importers}


def decade_rates(history: History) -> Array:
    """Mean growth of nominal GDP in USD in the last `PAST` years, per cent a year; (importer,)."""
    level = history.series.log_gdp
    years = min(PAST, len(level) - 1)
    return np.asarray(100.0 * np.expm1((level[-1] - level[-1 - years]) / years))


def outlook(history: History, growth: Growth = PUBLISHED) -> Forecast:
    """Give the macroeconomic paths that a scenario asks for; (year, importer).

    ``published`` is the forecast of the history, ``record`` the rule of `macro_outlook.central`,
    and ``decade`` stands for `decade_rates`. Rates are growth of nominal GDP in USD: prices in
    dollars rise with those of the dollar, the rest is real. A country without a rate follows the
    published forecast.
    """
    if growth == PUBLISHED:
        return history.forecast
    if growth == RECORD:
        return as_forecast(history.series, central(history.series, len(history.forecast.years)),
                           history.exchange_rate[-1])
    if isinstance(growth, str):
        return _at_rates(history, decade_rates(history))
    return _at_rates(history, np.array([growth.get(importer, np.nan)
                                        for importer in history.importers]))


def outlooks(history: History, draws: Mapping[str, Array]) -> Forecast:
    """Give the path of each draw; axes (draw, year, importer), the first of length one if alike."""
    place = draws[CHOICE].astype(int)
    if np.ptp(place) == 0 and place[0] != CHOICES.index(OWN):
        return _stacked([outlook(history, CHOICES[place[0]])])
    rates = np.stack([draws[f"{RATE}.{importer}"] for importer in history.importers], axis=-1)
    named = _stacked([outlook(history, name) for name in NAMED])
    own, is_own = _at_rates(history, rates[:, None]), place == CHOICES.index(OWN)
    row = np.where(is_own, 0, place)
    return Forecast(named.years, *(
        np.where(is_own.reshape(-1, *[1] * (part.ndim - 1)), given, part[row])
        for given, part in zip(_parts(own), _parts(named), strict=True)))


def _at_rates(history: History, rates: Array) -> Forecast:
    """Grow at rates in per cent a year, (..., importer); where they are NaN, as published."""
    published, series = history.forecast, history.series
    ahead = np.arange(1, len(published.years) + 1)[:, None]
    given = ~np.isnan(rates)
    nominal = ahead * np.log1p(np.where(given, rates, 0.0) / 100.0)
    log_gdp = np.where(given, series.log_gdp[-1] + nominal, published.log_gdp)
    log_real = np.where(given, series.log_real[-1] + nominal - ahead * np.log1p(DOLLAR_INFLATION),
                        published.log_real)
    return as_forecast(series, MacroPaths(log_gdp, log_real), history.exchange_rate[-1])


def _stacked(each: list[Forecast]) -> Forecast:
    return Forecast(each[0].years, *map(np.stack, zip(*map(_parts, each), strict=True)))


def _parts(one: Forecast) -> tuple[Array, Array, Array]:
    return one.log_gdp, one.log_real, one.exchange_rate
