"""Rivals: closed forms, second routes, properties, no warnings, loud failures."""

import re
import sys

import numpy as np
import pytest

from tradesim.common.errors import ConvergenceError, InputError
from tradesim.common.extras import install
from tradesim.studies.backtest import benchmarks

# What a search for the largest likelihood leaves in means and standard deviations of logs.
SEARCH = 2e-3


def walk(years=16, seed=0, growth=0.05, sd=0.25):
    return 18 + np.cumsum(np.random.default_rng(seed).normal(growth, sd, years))


def test_random_walk_in_closed_form():
    series, h = walk(), np.arange(1, 6)
    found = benchmarks.random_walk(series, 5)
    np.testing.assert_allclose(found.mean, series[-1], atol=SEARCH)
    step = np.sqrt((np.diff(series) ** 2).mean())
    np.testing.assert_allclose(found.sd, step * np.sqrt(h), atol=SEARCH)


def test_random_walk_with_drift_in_closed_form():
    series, h = walk(), np.arange(1, 6)
    found = benchmarks.drift(series, 5)
    steps = np.diff(series)
    np.testing.assert_allclose(found.mean, series[-1] + h * steps.mean(), atol=SEARCH)
    np.testing.assert_allclose(found.sd, steps.std() * np.sqrt(h), atol=SEARCH)
    assert found.fit == f"{100 * steps.mean():+.1f} % a year"


def test_damped_trend_follows_its_recursion():
    """The mean forecast is the level plus the trend times a falling sum: growth dies out."""
    series = 18 + 0.1 * np.arange(16) + 0.02 * np.random.default_rng(3).normal(size=16)
    found = benchmarks.damped_trend(series, 8)
    growth = np.diff(found.mean)
    ratios = growth[1:] / growth[:-1]
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-6)
    assert 0.8 <= ratios[0] < 1
    assert found.fit.endswith(f"damping {ratios[0]:.2f}")
    assert growth[0] > 0


def test_damped_trend_is_at_the_highest_top():
    """Second route: the likelihood on a grid of starting points of one's own, by hand."""
    import pandas as pd
    from scipy.optimize import minimize
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(pd.Series(NOISY), error="add", trend="add", damped_trend=True)
    tops = []
    for level in (0.05, 0.3, 0.6, 0.95):
        for damping in (0.85, 0.95):
            start = np.array([level, 0.02, damping, NOISY[0], 0.05])
            bounds = [(1e-4, 1 - 1e-4), (1e-4, 1 - 1e-4), (0.8, 0.98), (None, None), (None, None)]
            found = minimize(lambda x: -model.loglike(x), start, bounds=bounds, method="L-BFGS-B")
            tops.append(-found.fun)
    highest, own = benchmarks.damped_trend(NOISY, 2), benchmarks.damped_line(NOISY, 2)
    fitted = model.fit(disp=False, maxiter=5000)
    assert own.fit.startswith(f"smoothing {fitted.params.iloc[0]:.2f}")
    sd = np.exp(-max(tops) / len(NOISY) - 0.5 * (np.log(2 * np.pi) + 1))
    assert highest.sd[0] <= sd * 1.001  # the likelihood falls with the error of one year


def test_several_tops_are_compared():
    """A series on which statsmodels' own start ends on a lower top: a line, not a level."""
    series = np.log([47.4, 67.5, 35.6, 34.4, 32.4, 23.3, 36.9, 54.6, 63.6, 58.9, 54.6, 78.0, 74.8])
    line, top = benchmarks.damped_line(series, 5), benchmarks.damped_trend(series, 5)
    assert line.fit.startswith("smoothing 0.00")
    assert float(top.fit.split()[1].rstrip(",")) > 0.5
    assert top.sd[0] < line.sd[0]


def test_arima_finds_reversion_in_a_long_series():
    rng = np.random.default_rng(5)
    series = np.zeros(300)
    for t in range(1, 300):
        series[t] = 0.5 * series[t - 1] + rng.normal()
    found = benchmarks.arima(series + 18, 30)
    assert found.fit[4] == "0"  # no difference
    assert found.mean[-1] == pytest.approx(18, abs=0.3)
    assert found.sd[-1] == pytest.approx(np.sqrt(1 / (1 - 0.25)), rel=0.15)


def test_arima_has_the_smallest_criterion_of_all_orders(monkeypatch):
    """Second route: the criterion of each order by statsmodels' own AICc of that likelihood."""
    fits, fit = {}, benchmarks._arima

    def recorded(series, order, trend):
        fits[order] = fit(series, order, trend)
        return fits[order]

    monkeypatch.setattr(benchmarks, "_arima", recorded)
    found = benchmarks.arima(walk(14, seed=2), 3)
    best = {str(order): fitted.aicc for order, fitted in fits.items()
            if not (np.abs([*fitted.arroots, *fitted.maroots]) < 1.01).any()}
    assert set(fits) <= set(benchmarks.ORDERS) == {
        (p, d, q) for d in (0, 1) for p in range(3) for q in range(3)}
    assert found.fit == min(best, key=best.get)
    assert found.left_out == len(benchmarks.ORDERS) - len(best)


def test_first_year_does_not_count():
    """So that levels and differences are compared on the same years: normal likelihood by hand."""
    series = walk()
    steps = np.diff(series)
    by_hand = -0.5 * len(steps) * (np.log(2 * np.pi * steps.var()) + 1)
    assert benchmarks._arima(series, (0, 1, 0), "c").llf == pytest.approx(by_hand, abs=1e-4)
    by_hand = -0.5 * len(steps) * (np.log(2 * np.pi * series[1:].var()) + 1)
    fitted = benchmarks._arima(series, (0, 0, 0), "c")
    assert fitted.llf == pytest.approx(by_hand, abs=1e-3)
    assert fitted.params[0] == pytest.approx(series[1:].mean(), abs=SEARCH)


NOISY = np.array([13.22, 14.33, 13.59, 14.00, 14.98, 14.23, 14.76, 15.08, 13.26, 15.40, 14.54,
                  13.47, 14.71, 15.08, 15.65, 14.15, 14.59])
"""A short series on which an order that seems to converge has roots on the unit circle."""


def test_orders_at_the_edge_are_left_out():
    assert benchmarks._at_the_edge(benchmarks._arima(NOISY, (2, 1, 2), "c"))
    assert not benchmarks._at_the_edge(benchmarks._arima(NOISY, (0, 0, 0), "c"))
    found = benchmarks.arima(NOISY, 3)
    assert found.left_out > 1
    assert np.isfinite(found.sd).all()


SERIES = [(years, seed) for seed, years in enumerate((10, 13, 19, 10, 13, 19))]
"""Lengths and seeds: from falling and calm to rising and wild, as short as the back-test's."""


@pytest.mark.parametrize(("name", "years", "seed"), [
    (name, years, seed) for name in benchmarks.RIVALS
    for years, seed in (SERIES[::2] if name == "arima" else SERIES)])
def test_rivals_neither_warn_nor_break(name, years, seed):
    """Warnings are errors here."""
    series = walk(years, seed, growth=0.1 * (seed - 3), sd=0.1 + 0.1 * seed)
    found = benchmarks.RIVALS[name](series, 5)
    assert found.mean.shape == found.sd.shape == (5,)
    assert (np.diff(found.sd) >= -1e-9).all()


# Years that are left out.

@pytest.mark.parametrize("gap", [5, 15])
def test_random_walk_carries_over_the_last_open_year(gap):
    """The likelihood by hand: a step over a gap has twice the variance."""
    series, h = walk(), np.arange(1, 4)
    series[gap] = np.nan
    found = benchmarks.random_walk(series, 3)
    known = np.flatnonzero(np.isfinite(series))
    steps, lengths = np.diff(series[known]), np.diff(known)
    variance = (steps**2 / lengths).mean()
    since = len(series) - 1 - known[-1]
    np.testing.assert_allclose(found.mean, series[known[-1]], atol=SEARCH)
    np.testing.assert_allclose(found.sd, np.sqrt(variance * (h + since)), atol=SEARCH)


def test_drift_goes_on_through_a_gap_at_the_end():
    series = walk()
    series[-1] = np.nan
    found = benchmarks.drift(series, 3)
    steps = np.diff(series[:-1])
    np.testing.assert_allclose(found.mean, series[-2] + steps.mean() * np.arange(2, 5),
                               atol=SEARCH)
    np.testing.assert_allclose(found.sd, steps.std() * np.sqrt(np.arange(2, 5)), atol=SEARCH)


def test_damped_trend_is_the_same_model_with_and_without_gaps():
    """Second route: the state-space form on a series that has no gap."""
    series = 18 + 0.1 * np.arange(14) + 0.1 * np.random.default_rng(3).normal(size=14)
    plain = benchmarks.damped_trend(series, 4)
    other = benchmarks._damped_with_gaps(series, 4, benchmarks.STARTS[3:6])
    np.testing.assert_allclose(other.mean, plain.mean, atol=0.01)
    np.testing.assert_allclose(other.sd, plain.sd, atol=0.01)


@pytest.mark.parametrize("name", benchmarks.RIVALS)
def test_what_happened_in_a_gap_does_not_count(name):
    """A collapse in the year left out leaves no trace; seen, it moves every forecast."""
    series = walk(13, seed=4)
    collapsed = series.copy()
    collapsed[-1] -= 2.0
    open_years = series.copy()
    open_years[-1] = np.nan
    seen, gap = (benchmarks.rule(f"{name}{suffix}")(given, 2) for suffix, given in (
        ("", collapsed), (benchmarks.OPEN, open_years)))
    before = benchmarks.RIVALS[name](series[:-1], 3)
    np.testing.assert_allclose(gap.mean, before.mean[1:], atol=0.03)
    assert (gap.mean > seen.mean + 0.05).all()


def test_years_before_the_first_known_one_do_not_count():
    series = walk()
    late = np.concatenate([[np.nan, np.nan], series])
    np.testing.assert_allclose(benchmarks.arima(late, 3).mean, benchmarks.arima(series, 3).mean,
                               atol=SEARCH)


@pytest.mark.parametrize("name", benchmarks.RIVALS)
def test_rivals_move_with_the_unit(name):
    series = walk()
    here, there = (benchmarks.RIVALS[name](series + shift, 5) for shift in (0.0, 3.0))
    np.testing.assert_allclose(there.mean - here.mean, 3.0, atol=10 * SEARCH)
    np.testing.assert_allclose(there.sd, here.sd, atol=10 * SEARCH)


@pytest.mark.parametrize("name", benchmarks.RIVALS)
def test_short_series_are_an_error(name):
    with pytest.raises(InputError, match="needs at least 8 known years, but there are 5 of 5"):
        benchmarks.RIVALS[name](walk(5), 2)
    series = walk(12)
    series[3:9] = np.nan
    with pytest.raises(InputError, match="there are 6 of 12"):
        benchmarks.RIVALS[name](series, 2)


@pytest.mark.parametrize("name", benchmarks.RIVALS)
def test_a_fit_that_does_not_converge_is_an_error(name, monkeypatch):
    monkeypatch.setattr(benchmarks, "STEPS", 1)
    monkeypatch.setattr(benchmarks, "METHODS", ("nm",))
    with pytest.raises(ConvergenceError, match=r"years.* did not converge"):
        benchmarks.RIVALS[name](walk(), 2)


def test_orders_that_do_not_converge_are_left_out_and_counted(monkeypatch):
    fit = benchmarks._arima

    def failing(series, order, trend):
        if order[1] == 0:
            raise ConvergenceError("made up", 1.0)
        return fit(series, order, trend)

    monkeypatch.setattr(benchmarks, "_arima", failing)
    found = benchmarks.arima(walk(), 2)
    assert found.left_out >= 9
    assert ", 1, " in found.fit


def test_without_statsmodels_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "statsmodels.tsa.statespace.sarimax", None)
    with pytest.raises(InputError, match=r"needs statsmodels.*" + re.escape(install("backtest"))):
        benchmarks.random_walk(walk(), 2)
