"""What GDP does next, judged by its own past alone.

A forecast as of an earlier year may use nothing later. The rule was chosen by its forecasts of
GDP itself (`docs/calibration.md`), never by what it does for trade: real growth continues half
way between its mean so far and that of the world, and prices in dollars return to their level so
far against the dollar's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, autoregression, frozen

WORLD_GROWTH, PULL = 0.03, 0.5
"""Yearly growth of the world's GDP in the long run, and how far a country's goes towards it.

Growth of one decade says little of the next: Easterly, Kremer, Pritchett and Summers (1993);
Pritchett and Summers (2014) find correlations of 0.2 to 0.4.
"""

DOLLAR_INFLATION = 0.02
"""Yearly rise of prices in the United States to expect: the aim of its central bank."""

PRICE_PERSISTENCE = 0.85
"""Share of a gap between prices in dollars and their mean level that is left a year later.

A half-life of four years: real exchange rates have three to five (Rogoff 1996).
"""

GROWTH_PERSISTENCE = 0.85
"""Share of a gap between growth and the world's that is left a year later (λ of equation S4).

Growth of two decades that follow each other then has a correlation of 0.4, the most that
Pritchett and Summers (2014) find.
"""

LEAST = 5
"""Years of growth that a forecast with a spread needs."""


@dataclass(frozen=True)
class MacroSeries:
    """Macroeconomic series up to some year, from the earliest year on."""

    years: tuple[int, ...]  #: consecutive years
    log_gdp: Array  #: log nominal GDP in USD; (year, importer)
    growth: Array  #: log real growth; (year, importer)

    @property
    def log_real(self) -> Array:
        """Log real GDP, chained from nominal GDP in the first year; (year, importer)."""
        steps = np.concatenate([self.log_gdp[:1], self.growth[1:]])
        return np.asarray(np.cumsum(steps, axis=0))

    @property
    def price_gap(self) -> Array:
        """Log GDP deflator in USD over that of the dollar, less its mean; (year, importer)."""
        years = np.arange(len(self.years))[:, None]
        level = self.log_gdp - self.log_real - np.log1p(DOLLAR_INFLATION) * years
        return np.asarray(level - level.mean(axis=0))


@dataclass(frozen=True)
class MacroPaths:
    """Paths after a series, on its scale; axes (..., year, importer)."""

    log_gdp: Array
    log_real: Array


def expected_growth(series: MacroSeries) -> Array:
    """Yearly log growth of real GDP to expect after a series; (importer,)."""
    return np.asarray((1.0 - PULL) * series.growth[1:].mean(axis=0)
                      + PULL * np.log1p(WORLD_GROWTH))


def central(series: MacroSeries, years: int) -> MacroPaths:
    """Real growth as expected; prices return to their mean level."""
    ahead = np.arange(1, years + 1)[:, None]
    grown = ahead * expected_growth(series)
    gap = series.price_gap[-1]
    prices = ahead * np.log1p(DOLLAR_INFLATION) + (PRICE_PERSISTENCE**ahead - 1.0) * gap
    return MacroPaths(series.log_gdp[-1] + grown + prices, series.log_real[-1] + grown)


def continued(log_gdp: Array, log_real: Array, years: int) -> tuple[Array, Array]:
    r"""Carry a forecast of nominal and of real GDP on beyond its last year (equation S4).

    .. math:: \gamma_{t+1} = \gamma + \lambda (\gamma_t - \gamma)

    Real growth goes from that of its last year to the world's :math:`\gamma`, a share
    `GROWTH_PERSISTENCE` of the distance being left each year; prices rise as the dollar's.
    """
    if not years:
        return log_gdp, log_real
    last = np.diff(log_real, axis=0)[-1]
    ahead = np.arange(1, years + 1)[:, None]
    world = np.log1p(WORLD_GROWTH)
    grown = np.cumsum(world + GROWTH_PERSISTENCE**ahead * (last - world), axis=0)
    nominal = grown + np.log1p(DOLLAR_INFLATION) * ahead
    return (np.concatenate([log_gdp, log_gdp[-1] + nominal]),
            np.concatenate([log_real, log_real[-1] + grown]))


def spliced(last: Array, log_gdp: Array, growth: Array, seam: NDArray[np.bool_]) -> Array:
    r"""Chain a forecast of nominal GDP by growth rates, each from one vintage (equation S5).

    .. math::

        \ln Y_t - \ln Y_{t-1} = g_t + p_t, \qquad
        p_t = p_{t+1} \text{ at a seam of two vintages}

    The step across a seam holds what changed between the vintages. There the later one's real
    growth :math:`g` counts with its rise of prices in dollars :math:`p` of the year after.

    Parameters
    ----------
    last
        Log nominal GDP in the last year known; (importer,).
    log_gdp, growth
        Forecast levels and log real growth; (year, importer).
    seam
        Whether a year is of another vintage than the one before; (year, importer).
    """
    prices = np.diff(log_gdp, axis=0, prepend=last[None]) - growth
    after = np.full(len(last), np.log1p(DOLLAR_INFLATION))
    for year in reversed(range(len(prices))):
        after = prices[year] = np.where(seam[year], after, prices[year])
    return np.asarray(last + np.cumsum(growth + prices, axis=0))


def paths(series: MacroSeries, years: int, draws: int, rng: np.random.Generator) -> MacroPaths:
    r"""Draw paths around `central` with errors as large as its own past ones.

    Yearly growth of real GDP, :math:`g`, and the gap of prices, :math:`z`, of both members
    together:

    .. math:: g_t = \bar g + \eta_t, \qquad z_t = \rho z_{t-1} + \zeta_t,

    :math:`(\eta, \zeta)` normal with the second moments of the past. A series of fewer than
    `LEAST` years of growth is a `ValueError`.
    """
    real, gap = series.growth[1:], series.price_gap
    count, members = real.shape
    if count < LEAST:
        raise ValueError(f"{count} years of growth are too few for a forecast; {LEAST} are needed")
    expected = expected_growth(series)
    errors = np.hstack([real - expected, gap[1:] - PRICE_PERSISTENCE * gap[:-1]])
    root = _root(errors.T @ errors / count)
    moves = rng.standard_normal((draws, years, 2 * members)) @ root.T
    grown = np.cumsum(moves[..., :members] + expected, axis=1)
    prices = autoregression(moves[..., members:], PRICE_PERSISTENCE, gap[-1]) - gap[-1]
    inflation = np.log1p(DOLLAR_INFLATION) * np.arange(1, years + 1)[:, None]
    return MacroPaths(series.log_gdp[-1] + grown + prices + inflation,
                      series.log_real[-1] + grown)


def _root(matrix: Array) -> Array:
    """Square root of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def relative_prices(series: MacroSeries, log_gdp: Array, log_real: Array) -> Array:
    r"""Log real exchange rate after a series, less its value in the last year; (..., year).

    .. math:: q_t - q_T = (P_{2t} - P_{2T}) - (P_{1t} - P_{1T}), \qquad P = \ln Y - \ln R

    with :math:`Y` nominal GDP in USD and :math:`R` real GDP of each member of the pair.
    """
    level = log_gdp - log_real - (series.log_gdp[-1] - series.log_real[-1])
    return np.asarray(level[..., 1] - level[..., 0])


def complete_series(years: Sequence[int], log_gdp: Array, growth: Array) -> MacroSeries:
    """Longest series of consecutive years that ends in the last one and lacks no GDP or growth."""
    complete = np.isfinite(log_gdp).all(axis=1) & np.isfinite(growth).all(axis=1)
    gaps = np.flatnonzero(~complete)
    first = int(gaps[-1]) + 1 if len(gaps) else 0
    return MacroSeries(tuple(years[first:]), frozen(log_gdp[first:]), frozen(growth[first:]))
