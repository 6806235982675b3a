"""Pairs of other countries that were like this one in some year: by size and by volatility."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.inputs.trade_panel import Panel

Rows = NDArray[np.intp]
"""Rows of a panel."""

RECORD = 14
"""Years of record up to the origin, as long as the sample of the pair itself."""

LEAST_CHANGES = 8
"""Yearly changes of the record that must be known for a volatility."""

LEAST_PAIRS = 30
"""Matched pairs below which nothing is said."""


@dataclass(frozen=True)
class Matching:
    """Which pairs count as alike in a year.

    Attributes
    ----------
    size
        Least and greatest turnover in that year, current USD.
    volatility
        Least and greatest standard deviation of yearly log changes in the `RECORD` years up to it.
    """

    size: tuple[float, float] = (50e6, 250e6)
    volatility: tuple[float, float] = (0.22, 0.55)


def volatility(log_turnover: Array) -> Array:
    """Give the standard deviation of yearly log changes of a record; NaN with too few; (pair,)."""
    changes = np.diff(log_turnover, axis=1)
    known = np.isfinite(changes)
    count = known.sum(axis=1)
    mean = np.where(known, changes, 0.0).sum(axis=1) / np.maximum(count, 1)
    squares = (np.where(known, changes - mean[:, None], 0.0) ** 2).sum(axis=1)
    return np.where(count >= LEAST_CHANGES, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)


def record(panel: Panel, origin: int) -> tuple[Array, Array]:
    """Log turnover and log GDP of the years up to an origin, where both are known; (pair, year)."""
    end = panel.years.index(origin) + 1
    if end < RECORD:
        empty = np.full((len(panel.pairs), RECORD), np.nan)
        return empty, empty
    trade, gdp = (values[:, end - RECORD:end] for values in (panel.log_turnover, panel.log_gdp))
    return np.where(np.isfinite(gdp), trade, np.nan), gdp


def matched(panel: Panel, origin: int, like: Matching, *, complete: bool = False) -> Rows:
    """Rows of the panel that are alike in a year.

    Parameters
    ----------
    panel
        Trade of other countries.
    origin
        Year in which they are.
    like
        Bounds of size and volatility.
    complete
        Whether trade and GDP of every year of the record must be known.
    """
    trade, gdp = record(panel, origin)
    now, moves = np.exp(trade[:, -1]), volatility(trade)
    with np.errstate(invalid="ignore"):
        fits = ((like.size[0] <= now) & (now <= like.size[1])
                & (like.volatility[0] <= moves) & (moves <= like.volatility[1]))
    if complete:
        fits &= np.isfinite(trade).all(axis=1) & np.isfinite(gdp).all(axis=1)
    return np.flatnonzero(fits)


def origins_of(panel: Panel) -> range:
    """Years with a record before them and a year after them."""
    return range(panel.years[0] + RECORD - 1, panel.years[-1])


def refuse_few(panel: Panel, like: Matching, rows: Mapping[int, Rows]) -> None:
    """Stop where fewer than `LEAST_PAIRS` different pairs are matched in all years together.

    Raises
    ------
    InputError
        With their number and what to loosen.
    """
    found = {frozenset(panel.pairs[k]) for one in rows.values() for k in one}
    if len(found) < LEAST_PAIRS:
        raise InputError([Problem(
            panel.name, "", f"{len(found)} matched pairs with turnover of "
            f"{like.size[0] / 1e6:g} to {like.size[1] / 1e6:g} million USD, volatility "
            f"{like.volatility[0]:g} to {like.volatility[1]:g} and {RECORD} years of record; at "
            f"least {LEAST_PAIRS} are needed", "widen the band of sizes or of volatility, or "
            "give a panel of more countries or years")])
