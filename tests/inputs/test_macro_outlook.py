"""GDP from its own past: the rule, its series against others, and the size of its errors."""

from __future__ import annotations

import numpy as np
import pytest

from tradesim.common.files import calibration_folder
from tradesim.inputs.history import read_history
from tradesim.inputs.macro_outlook import (
    MacroSeries,
    central,
    complete_series,
    paths,
    relative_prices,
)

DRAWS = 40_000
MONTE_CARLO = 4.5 / np.sqrt(DRAWS)  # of a mean, in standard deviations


@pytest.fixture
def series() -> MacroSeries:
    """Thirty years of two made-up economies."""
    rng = np.random.default_rng(5)
    growth = rng.normal([0.04, 0.06], [0.03, 0.02], (30, 2))
    prices = rng.normal(0.0, [0.08, 0.12], (30, 2))
    log_gdp = np.cumsum(growth + prices, axis=0) + np.array([23.0, 25.0])
    return MacroSeries(tuple(range(1995, 2025)), log_gdp, growth)


def test_draws_surround_the_central_path_with_the_errors_of_the_record(series):
    middle = central(series, 6)
    drawn = paths(series, 6, DRAWS, np.random.default_rng(1))
    level = series.log_gdp - series.log_real - np.arange(30)[:, None] * np.log(1.02)
    gap = level - level.mean(axis=0)
    growth = (series.growth[1:].mean(axis=0) + np.log(1.03)) / 2
    error = np.hstack([series.growth[1:] - growth, gap[1:] - 0.85 * gap[:-1]])
    cov = error.T @ error / len(error)
    for year in range(6):
        fade = 0.85 ** np.arange(year + 1)
        nominal = ((year + 1) * cov[:2, :2] + (fade**2).sum() * cov[2:, 2:]
                   + fade.sum() * (cov[:2, 2:] + cov[2:, :2]))
        for found, wanted, moment in (
                (drawn.log_gdp, middle.log_gdp, nominal),
                (drawn.log_real, middle.log_real, (year + 1) * cov[:2, :2])):
            sd = np.sqrt(np.diag(moment))
            np.testing.assert_allclose((found[:, year].mean(axis=0) - wanted[year]) / sd, 0.0,
                                       atol=MONTE_CARLO)
            np.testing.assert_allclose(np.cov(found[:, year].T) / np.outer(sd, sd),
                                       moment / np.outer(sd, sd), atol=0.03)


def test_relative_prices_are_what_is_not_real(series):
    flat = relative_prices(series, *(np.repeat(part[-1:], 3, axis=0)
                                     for part in (series.log_gdp, series.log_real)))
    np.testing.assert_allclose(flat, 0.0, atol=1e-12)
    dearer = relative_prices(series, series.log_gdp[-1:] + np.array([0.1, 0.3]),
                             series.log_real[-1:])
    np.testing.assert_allclose(dearer, 0.2)


def test_record_begins_after_the_last_gap():
    gdp, growth = np.ones((6, 2)), np.ones((6, 2))
    gdp[1, 0], growth[0, 1] = np.nan, np.nan
    found = complete_series(range(2000, 2006), gdp, growth)
    assert found.years == (2002, 2003, 2004, 2005)


def test_a_short_record_has_no_spread():
    short = MacroSeries((2000, 2001, 2002), *np.ones((2, 3, 2)))
    with pytest.raises(ValueError, match="2 years of growth are too few for a forecast; 5 are"):
        paths(short, 2, 10, np.random.default_rng(0))


# Why this rule: the table of docs/calibration.md, from GDP alone.

def nominal(growth, prices):
    """A rule for each year alike: real growth and change of prices, both from their past."""
    def rule(known, years):
        steps = growth(known.growth[1:]) + prices(np.diff(known.log_gdp - known.log_real, axis=0))
        return known.log_gdp[-1] + np.arange(1, years + 1)[:, None] * steps
    return rule


def own(past):
    return past.mean(axis=0)


RULES = {
    "real growth half way to 3 %, prices back to their level": lambda known, years: central(
        known, years).log_gdp,
    "real growth half way to 3 %, prices unchanged": nominal(
        lambda past: (own(past) + np.log(1.03)) / 2, lambda past: 0.0),
    "3 % a year, prices unchanged": nominal(lambda past: np.log(1.03), lambda past: 0.0),
    "real growth at its mean, prices unchanged": nominal(own, lambda past: 0.0),
    "real growth at its mean, prices up 2 %": nominal(own, lambda past: np.log(1.02)),
    "real growth and prices at their means": nominal(own, own),
    "no growth": nominal(lambda past: 0.0, lambda past: 0.0),
}
FIRST, EARLIER, FARTHEST = 2010, 2008, 5  # a mean level needs about ten years


def up_to(series: MacroSeries, last: int) -> MacroSeries:
    return MacroSeries(series.years[:last + 1], series.log_gdp[:last + 1],
                       series.growth[:last + 1])


def errors_of_gdp(series: MacroSeries, first: int) -> dict[str, np.ndarray]:
    """Root mean square errors of log nominal GDP by rule; (horizon,), mean of both countries."""
    found = {}
    for name, rule in RULES.items():
        missed = [[] for _ in range(FARTHEST)]
        for last in range(series.years.index(first), len(series.years) - 1):
            ahead = min(FARTHEST, len(series.years) - 1 - last)
            wrong = rule(up_to(series, last), ahead) - series.log_gdp[last + 1:last + 1 + ahead]
            for h, row in enumerate(wrong):
                missed[h].append(row)
        found[name] = np.array([np.sqrt(np.mean(np.square(rows), axis=0)).mean()
                                for rows in missed])
    return found


def test_the_rule_has_the_best_record_on_gdp_itself():
    series = read_history(calibration_folder()).series
    tables = {first: errors_of_gdp(series, first) for first in (FIRST, EARLIER)}
    mean = {name: rows.mean() for name, rows in tables[FIRST].items()}
    assert min(mean, key=mean.get) == next(iter(RULES))
    page = calibration_folder().parent / "docs" / "calibration.md"
    if page.is_file():
        text = page.read_text(encoding="utf-8")
        for name, rows in tables[FIRST].items():
            cells = " | ".join(f"{value:.2f}" for value in rows)
            line = f"| {name} | {cells} | {rows.mean():.3f} | {tables[EARLIER][name].mean():.3f} |"
            assert line in text, line


def test_half_of_the_outcomes_lay_in_the_middle_half():
    """Coverage of the sum of both log GDPs over all past forecasts, on GDP's own series."""
    series = read_history(calibration_folder()).series
    inside = {0.5: [], 0.9: []}
    for last in range(series.years.index(FIRST), len(series.years) - 1):
        known = up_to(series, last)
        farthest = min(FARTHEST, len(series.years) - 1 - last)
        drawn = paths(known, farthest, 4000, np.random.default_rng(1)).log_gdp.sum(axis=-1)
        below = np.mean(drawn < series.log_gdp[last + 1:last + 1 + farthest].sum(axis=1), axis=0)
        for share, found in inside.items():
            found += (np.abs(below - 0.5) < share / 2).tolist()
    assert len(inside[0.5]) == 60
    assert np.mean(inside[0.5]) == pytest.approx(0.60, abs=0.02)
    assert np.mean(inside[0.9]) == pytest.approx(0.95, abs=0.02)
