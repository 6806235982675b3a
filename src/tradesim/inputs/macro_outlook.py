"""What GDP and imports do next, judged by their own past alone.

A forecast as of an earlier year may use nothing later. The rule was chosen by its record on GDP
itself (`docs/calibration.md`), never by what it does for trade: real growth goes on half way
between its mean so far and that of the world, prices in dollars go back to their level so far
against the dollar's own, and the ratio of imports to GDP goes back to its mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tradesim.common.arrays import Array, frozen

RATIO_PERSISTENCE = 0.6
"""Share of the gap between the ratio of imports to GDP and its mean that is left a year later."""

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

LEAST = 5
"""Years of growth that a forecast with a spread needs."""


@dataclass(frozen=True)
class Record:
    """Macroeconomic series up to some year, from the earliest year on.

    Attributes
    ----------
    years
        Consecutive years.
    log_gdp
        Log nominal GDP in USD; (year, importer).
    growth
        Log real growth; (year, importer).
    log_imports
        Log total imports in USD; (year, importer), NaN where not known.
    """

    years: tuple[int, ...]
    log_gdp: Array
    growth: Array
    log_imports: Array

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
class Outlook:
    """Paths after a record; axes (..., year, importer).

    Attributes
    ----------
    log_gdp, log_real, log_imports
        On the scale of the record; imports NaN where the record has none.
    """

    log_gdp: Array
    log_real: Array
    log_imports: Array


def expected_growth(record: Record) -> Array:
    """Yearly log growth of real GDP to expect after a record; (importer,)."""
    return np.asarray((1.0 - PULL) * record.growth[1:].mean(axis=0)
                      + PULL * np.log1p(WORLD_GROWTH))


def central(record: Record, years: int) -> Outlook:
    """Real growth as expected; prices and imports go back to their mean levels."""
    ahead = np.arange(1, years + 1)[:, None]
    grown = ahead * expected_growth(record)
    gap = record.price_gap[-1]
    prices = ahead * np.log1p(DOLLAR_INFLATION) + (PRICE_PERSISTENCE**ahead - 1.0) * gap
    log_gdp = record.log_gdp[-1] + grown + prices
    ratio, distance, _ = _ratio(record)
    return Outlook(log_gdp, record.log_real[-1] + grown,
                   log_gdp + ratio + RATIO_PERSISTENCE**ahead * distance)


def continued(levels: Outlook, years: int) -> Outlook:
    r"""Carry a forecast on beyond its last year (equation S7).

    .. math:: \gamma_{t+1} = \gamma + \lambda (\gamma_t - \gamma)

    Real growth goes from that of its last year to the world's :math:`\gamma`, a share
    `PRICE_PERSISTENCE` of the distance being left each year; prices rise as the dollar's; the
    ratio of imports to GDP stays.
    """
    last = np.diff(levels.log_real, axis=0)[-1]
    ahead = np.arange(1, years + 1)[:, None]
    world = np.log1p(WORLD_GROWTH)
    grown = np.cumsum(world + PRICE_PERSISTENCE**ahead * (last - world), axis=0)
    nominal = grown + np.log1p(DOLLAR_INFLATION) * ahead

    def longer(level: Array, growth: Array) -> Array:
        return np.concatenate([level, level[-1] + growth])

    return Outlook(longer(levels.log_gdp, nominal), longer(levels.log_real, grown),
                   longer(levels.log_imports, nominal))


def paths(record: Record, years: int, draws: int, rng: np.random.Generator) -> Outlook:
    r"""Draw paths around `central` with errors as large as the record's own.

    Yearly growth of real GDP, :math:`g`, and the gap of prices, :math:`z`, of both members
    together:

    .. math:: g_t = \bar g + \eta_t, \qquad z_t = \rho z_{t-1} + \zeta_t,

    :math:`(\eta, \zeta)` normal with the second moments of the past. The ratio of imports to GDP
    moves on its own.

    Raises
    ------
    ValueError
        When the record is shorter than `LEAST` years of growth.
    """
    real, gap = record.growth[1:], record.price_gap
    count, members = real.shape
    if count < LEAST:
        raise ValueError(f"{count} years of growth are too few for a forecast; {LEAST} are needed")
    expected = expected_growth(record)
    errors = np.hstack([real - expected, gap[1:] - PRICE_PERSISTENCE * gap[:-1]])
    root = _root(errors.T @ errors / count)
    moves = rng.standard_normal((draws, years, 2 * members)) @ root.T
    grown = np.cumsum(moves[..., :members] + expected, axis=1)
    prices = _reverting(moves[..., members:], PRICE_PERSISTENCE, gap[-1]) - gap[-1]
    inflation = np.log1p(DOLLAR_INFLATION) * np.arange(1, years + 1)[:, None]
    log_gdp = record.log_gdp[-1] + grown + prices + inflation
    return Outlook(log_gdp, record.log_real[-1] + grown,
                   log_gdp + _ratio_paths(record, years, draws, rng))


def _reverting(shocks: Array, persistence: float, start: Array) -> Array:
    """Path of a first-order autoregression; shocks (draw, year, importer)."""
    path, state = np.empty_like(shocks), np.broadcast_to(start, shocks[:, 0].shape)
    for year in range(shocks.shape[1]):
        state = persistence * state + shocks[:, year]
        path[:, year] = state
    return path


def _root(matrix: Array) -> Array:
    """Square root of a covariance that may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _ratio(record: Record) -> tuple[Array, Array, Array]:
    """Mean log ratio of imports to GDP, last gap to it, and past errors; by importer."""
    ratio = record.log_imports - record.log_gdp
    seen = ~np.isnan(ratio)
    count = seen.sum(axis=0)
    mean = np.where(count > 0, np.where(seen, ratio, 0.0).sum(axis=0) / np.maximum(count, 1),
                    np.nan)
    gap = ratio - mean
    return mean, gap[-1], gap[1:] - RATIO_PERSISTENCE * gap[:-1]


def _ratio_paths(record: Record, years: int, draws: int, rng: np.random.Generator) -> Array:
    mean, gap, errors = _ratio(record)
    count = np.maximum((~np.isnan(errors)).sum(axis=0), 1)
    sd = np.sqrt(np.where(np.isnan(errors), 0.0, errors**2).sum(axis=0) / count)
    scale = np.sqrt(count / rng.chisquare(count, (draws, len(count))))[:, None]
    shocks = scale * sd * rng.standard_normal((draws, years, len(sd)))
    wrong = scale * sd / (1.0 - RATIO_PERSISTENCE) / np.sqrt(count) * rng.standard_normal(
        (draws, 1, len(sd)))
    path = _reverting(shocks, RATIO_PERSISTENCE, gap)
    faded = 1.0 - RATIO_PERSISTENCE ** np.arange(1, years + 1)[:, None]
    return np.asarray(mean + path + wrong * faded)


def relative_prices(record: Record, log_gdp: Array, log_real: Array) -> Array:
    r"""Log real exchange rate after a record, less its value in the last year; (..., year).

    .. math:: q_t - q_T = (P_{2t} - P_{2T}) - (P_{1t} - P_{1T}), \qquad P = \ln Y - \ln R

    with :math:`Y` nominal GDP in USD and :math:`R` real GDP of each member of the pair.
    """
    level = log_gdp - log_real - (record.log_gdp[-1] - record.log_real[-1])
    return np.asarray(level[..., 1] - level[..., 0])


def record_from(years: Sequence[int], log_gdp: Array, growth: Array, log_imports: Array) -> Record:
    """Longest record of consecutive years that ends in the last one and lacks no GDP or growth."""
    whole = np.isfinite(log_gdp).all(axis=1) & np.isfinite(growth).all(axis=1)
    gaps = np.flatnonzero(~whole)
    first = int(gaps[-1]) + 1 if len(gaps) else 0
    return Record(tuple(years[first:]), frozen(log_gdp[first:]), frozen(growth[first:]),
                  frozen(log_imports[first:]))
