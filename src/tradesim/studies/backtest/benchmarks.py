"""Simple forecasts from statsmodels that the model has to beat.

Every rival sees one series of logs up to the origin and gives a normal forecast: a mean and a
standard deviation by horizon. A year that is NaN is a gap: it is integrated out, and what follows
is that much less certain. No fit fails in silence: what does not converge is tried from
other starting points, then it is an error (or, for one order of an ARIMA among many, left out
and counted). Short or broken series are an InputError, fits that do not converge a
ConvergenceError.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError, InputError, Problem
from tradesim.common.extras import install

SHORTEST = 8
"""Fewest known years of a series that a rival is fitted to."""

CLOSED = 0.5
"""Share of a year with the corridor closed from which the year is a gap for `OPEN` rivals."""

OPEN = "_open_years"
"""What the name of a rival gets that does not see the years in which the corridor was closed."""

ORDERS = tuple((p, d, q) for d in (0, 1) for p in range(3) for q in range(3))
"""Orders (p, d, q) of an ARIMA that are compared."""

EDGE = 1.01
"""Distance of roots from zero up to which an ARIMA is at the edge; the unit circle is 1."""

METHODS = ("lbfgs", "powell", "nm")
"""Ways to look for the largest likelihood of an ARIMA, tried in this order."""

STARTS = tuple((level, trend) for level in (None, 0.1, 0.5, 0.9) for trend in (None, 0.1, 0.5))
"""Smoothing of level and trend from which a damped trend is fitted; None is statsmodels' own.

The likelihood of a short series has several tops, and the search from statsmodels' own start often
ends on a lower one; see `damped_line`.
"""

STEPS = 5000
"""Steps of each attempt."""


@dataclass(frozen=True)
class Forecast:
    """A normal forecast of logs."""

    mean: Array  # by horizon, from one year ahead
    sd: Array
    fit: str  # what was fitted, in a few words
    left_out: int = 0  # fits that did not converge and were left out of a choice among many


Rival = Callable[[Array, int], Forecast]


def random_walk(series: Array, horizons: int) -> Forecast:
    """Forecast that nothing changes: x[t] = x[t−1] + e[t]."""
    return _ahead(_arima(series, (0, 1, 0), "n"), horizons, "no change")


def drift(series: Array, horizons: int) -> Forecast:
    """Forecast that the mean growth of the past goes on: x[t] = c + x[t−1] + e[t]."""
    fitted = _arima(series, (0, 1, 0), "c")
    return _ahead(fitted, horizons, f"{100 * fitted.params[0]:+.1f} % a year")


def damped_trend(series: Array, horizons: int) -> Forecast:
    """Exponential smoothing with a level and an additive trend that dies out.

    Gardner and McKenzie 1985, Forecasting trends in time series, *Management Science* 31. Fitted
    from all of `STARTS`; the fit with the largest likelihood counts.
    """
    return _damped(series, horizons, STARTS)


def damped_line(series: Array, horizons: int) -> Forecast:
    """Give the damped trend that statsmodels finds from its own starting point alone.

    On short series that is often a lower top of the likelihood, with next to no smoothing: nearly
    a straight line through the logs. No rival, but kept in the record because it forecasts well.
    """
    return _damped(series, horizons, STARTS[:1])


def _damped(series: Array, horizons: int,
            starts: Sequence[tuple[float | None, float | None]]) -> Forecast:
    import pandas as pd

    series = _checked_series(series, "damped trend")
    if np.isnan(series).any():
        return _damped_with_gaps(series, horizons, starts)
    ets: Any = _statsmodels("statsmodels.tsa.exponential_smoothing.ets")
    model = ets.ETSModel(pd.Series(series), error="add", trend="add", damped_trend=True)
    best, left_out = _highest(model, len(series), starts)
    ahead = best.get_prediction(len(series), len(series) + horizons - 1)
    return _checked(Forecast(np.asarray(ahead.predicted_mean, dtype=float),
                             np.sqrt(np.asarray(ahead.forecast_variance, dtype=float)),
                             _smoothing(model, best), left_out), "damped trend")


def _damped_with_gaps(series: Array, horizons: int,
                      starts: Sequence[tuple[float | None, float | None]]) -> Forecast:
    """Fit the same model in its state-space form, which can do without a year but is slower."""
    model = _statsmodels("statsmodels.tsa.statespace.exponential_smoothing").ExponentialSmoothing(
        series, trend=True, damped_trend=True, initialization_method="concentrated")
    best, left_out = _highest(model, len(series), starts, cov_type="none")
    return _ahead(best, horizons, _smoothing(model, best), left_out)


def _highest(model: Any, years: int, starts: Sequence[tuple[float | None, float | None]],
             **options: Any) -> tuple[Any, int]:
    """Fit from every start; the fit with the largest likelihood, and how many did not converge."""
    fits = []
    for level, trend in starts:
        with _quiet():
            first = np.array(model.start_params, dtype=float)
            first[0] = first[0] if level is None else level
            first[1] = first[1] if trend is None else min(trend, 0.9 * first[0])
            fitted = model.fit(start_params=first, disp=False, maxiter=STEPS, **options)
        if fitted.mle_retvals["converged"] and np.isfinite(fitted.llf):
            fits.append(fitted)
    if not fits:
        raise ConvergenceError(f"damped trend of {years} years", float("nan"))
    return max(fits, key=lambda fitted: float(fitted.llf)), len(starts) - len(fits)


def _smoothing(model: Any, fitted: Any) -> str:
    found = dict(zip(model.param_names, fitted.params, strict=True))
    return f"smoothing {found['smoothing_level']:.2f}, damping {found['damping_trend']:.2f}"


def arima(series: Array, horizons: int) -> Forecast:
    r"""ARIMA whose order has the smallest AIC corrected for small samples.

    .. math:: -2 \ln L + 2k + \frac{2k(k+1)}{n-k-1}

    Hurvich and Tsai 1989, *Biometrika* 76. Orders with a root within 1 % of the unit circle are
    left out, as by Hyndman and Khandakar 2008, *Journal of Statistical Software* 27: there the
    likelihood of a short series says nothing. All others are compared on the likelihood of every
    year but the first, which a difference uses up. Levels have a mean, differences a drift.
    """
    best, left_out, years = None, 0, int(np.isfinite(series).sum()) - 1
    for order in ORDERS:
        k = order[0] + order[2] + 2
        if years - k - 1 <= 0:
            continue
        try:
            fitted = _arima(series, order, "c")
        except ConvergenceError:
            fitted = None
        if fitted is None or _at_the_edge(fitted):
            left_out += 1
            continue
        criterion = -2 * fitted.llf + 2 * k + 2 * k * (k + 1) / (years - k - 1)
        if best is None or criterion < best[0]:
            best = (criterion, order, fitted)
    if best is None:
        raise ConvergenceError(f"ARIMA of {len(series)} years in every order", float("nan"))
    return _ahead(best[2], horizons, str(best[1]), left_out)


RIVALS: dict[str, Rival] = {"random_walk": random_walk, "drift": drift,
                            "damped_trend": damped_trend, "arima": arima}
"""Rivals by name."""

OTHERS: dict[str, Rival] = {"damped_line": damped_line}
"""Simple forecasts that are scored beside the rivals, by name."""


def rule(name: str) -> Rival:
    """Give the rule of a simple forecast by its name in the record, with or without `OPEN`."""
    return {**RIVALS, **OTHERS}[name.removesuffix(OPEN)]


def _arima(series: Array, order: tuple[int, int, int], trend: str) -> Any:
    """Fit an ARIMA by the first way that converges; the first year does not count."""
    name = f"ARIMA{order}"
    model = _statsmodels("statsmodels.tsa.statespace.sarimax").SARIMAX(
        _checked_series(series, name), order=order, trend=trend, loglikelihood_burn=1)
    for method in METHODS:
        with _quiet():
            fitted = model.fit(disp=False, maxiter=STEPS, method=method, cov_type="none")
        if fitted.mle_retvals["converged"] and np.isfinite(fitted.llf):
            return fitted
    raise ConvergenceError(f"{name} of {len(series)} years", float("nan"))


def _at_the_edge(fitted: Any) -> bool:
    """Whether a root lies on the unit circle, or hardly outside."""
    roots = np.abs(np.concatenate([fitted.arroots, fitted.maroots]))
    return bool((roots < EDGE).any())


def _ahead(fitted: Any, horizons: int, fit: str, left_out: int = 0) -> Forecast:
    ahead = fitted.get_forecast(horizons)
    return _checked(Forecast(np.asarray(ahead.predicted_mean, dtype=float),
                             np.asarray(ahead.se_mean, dtype=float), fit, left_out), fit)


def _checked_series(series: Array, name: str) -> Array:
    """Give the series from its first known year on, if enough years are known."""
    known = np.isfinite(series)
    if known.sum() < SHORTEST:
        raise InputError([Problem("rivals", name, f"needs at least {SHORTEST} known years, but "
                                  f"there are {known.sum()} of {len(series)}")])
    return np.array(series[int(known.argmax()):], dtype=float)


def _checked(forecast: Forecast, name: str) -> Forecast:
    if not (np.isfinite(forecast.mean).all() and np.isfinite(forecast.sd).all()
            and (forecast.sd > 0).all()):
        raise ConvergenceError(f"forecast of {name}", float("nan"))
    return forecast


def _statsmodels(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise InputError([Problem("tradesim backtest", "", "needs statsmodels, which is not "
                                  "installed", install("backtest"))]) from error


def check_installed() -> None:
    """Fail at once where statsmodels is missing, with what to install."""
    _statsmodels("statsmodels")


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence what is checked afterwards (convergence) or tried otherwise (starting points)."""
    kinds: Any = _statsmodels("statsmodels.tools.sm_exceptions")
    with warnings.catch_warnings():
        for category in (kinds.ConvergenceWarning, kinds.EstimationWarning):
            warnings.simplefilter("ignore", category)
        yield
