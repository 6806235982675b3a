"""GDP from its own past: the rule, its record against others, and the size of its errors."""

from __future__ import annotations

import numpy as np
import pytest

from tradesim import outlook
from tradesim.folders import calibration_folder
from tradesim.history import read_history
from tradesim.outlook import Record, central, paths, record_from, relative_prices

DRAWS = 40_000
MONTE_CARLO = 4.5 / np.sqrt(DRAWS)  # of a mean, in standard deviations


@pytest.fixture
def record() -> Record:
    """Thirty years of two made-up economies; imports of the first are known for twelve."""
    rng = np.random.default_rng(5)
    growth = rng.normal([0.04, 0.06], [0.03, 0.02], (30, 2))
    prices = rng.normal(0.0, [0.08, 0.12], (30, 2))
    log_gdp = np.cumsum(growth + prices, axis=0) + np.array([23.0, 25.0])
    imports = np.full((30, 2), np.nan)
    imports[18:, 0] = log_gdp[18:, 0] + rng.normal(-0.8, 0.2, 12)
    return Record(tuple(range(1995, 2025)), log_gdp, growth, imports)


def test_draws_surround_the_central_path_with_the_errors_of_the_record(record):
    middle = central(record, 6)
    drawn = paths(record, 6, DRAWS, np.random.default_rng(1))
    inflation = np.diff(record.log_gdp, axis=0) - record.growth[1:]
    n = len(inflation)
    growth = (record.growth[1:].mean(axis=0) + np.log(1.03)) / 2
    error = np.hstack([record.growth[1:] - growth, inflation])
    cov = error.T @ error / n
    nominal = cov[:2, :2] + cov[2:, 2:] + cov[:2, 2:] + cov[2:, :2]
    ahead = np.arange(1, 7)
    for found, wanted, moment in ((drawn.log_gdp, middle.log_gdp, nominal),
                                  (drawn.log_real, middle.log_real, cov[:2, :2])):
        sd = np.sqrt(ahead)[:, None] * np.sqrt(np.diag(moment))
        np.testing.assert_allclose((found.mean(axis=0) - wanted) / sd, 0.0, atol=MONTE_CARLO)
        np.testing.assert_allclose(found.std(axis=0) / sd, 1.0, atol=0.03)
    assert np.corrcoef(drawn.log_gdp[:, 0].T)[0, 1] == pytest.approx(
        nominal[0, 1] / np.sqrt(nominal[0, 0] * nominal[1, 1]), abs=0.02)
    ratio = (drawn.log_imports - drawn.log_gdp)[..., 0]
    np.testing.assert_allclose(ratio.mean(axis=0),
                               (middle.log_imports - middle.log_gdp)[:, 0], atol=0.01)
    assert np.isnan(drawn.log_imports[..., 1]).all()


def test_relative_prices_are_what_is_not_real(record):
    flat = relative_prices(record, *(np.repeat(part[-1:], 3, axis=0)
                                     for part in (record.log_gdp, record.log_real)))
    np.testing.assert_allclose(flat, 0.0, atol=1e-12)
    dearer = relative_prices(record, record.log_gdp[-1:] + np.array([0.1, 0.3]),
                             record.log_real[-1:])
    np.testing.assert_allclose(dearer, 0.2)


def test_record_begins_after_the_last_gap():
    gdp, growth = np.ones((6, 2)), np.ones((6, 2))
    gdp[1, 0], growth[0, 1] = np.nan, np.nan
    found = record_from(range(2000, 2006), gdp, growth, np.full((6, 2), np.nan))
    assert found.years == (2002, 2003, 2004, 2005)


def test_a_short_record_has_no_spread():
    short = Record((2000, 2001, 2002), *np.ones((3, 3, 2)))
    with pytest.raises(ValueError, match="2 years of growth are too few for a forecast; 5 are"):
        paths(short, 2, 10, np.random.default_rng(0))


# Why this rule: the table of docs/calibration.md, from GDP alone.

RULES = {
    "real growth half way from its mean to 3 %, prices unchanged":
        lambda g, p: (g.mean(axis=0) + np.log(1.03)) / 2,
    "real growth at its mean, prices unchanged": lambda g, p: g.mean(axis=0),
    "no growth": lambda g, p: 0.0,
    "real growth at its mean, prices up 2 %": lambda g, p: g.mean(axis=0) + 0.02,
    "half of mean nominal growth": lambda g, p: (g + p).mean(axis=0) / 2,
    "real growth at its mean, prices at half their mean": lambda g, p: (g + p / 2).mean(axis=0),
    "mean nominal growth": lambda g, p: (g + p).mean(axis=0),
    "mean nominal growth of five years": lambda g, p: (g + p)[-5:].mean(axis=0),
    "3 % a year, prices unchanged": lambda g, p: np.log(1.03),
}
FIRST, FARTHEST = 2008, 5


def errors_of_gdp(record: Record) -> dict[str, np.ndarray]:
    """Root mean square errors of log nominal GDP by rule; (horizon, importer)."""
    found = {}
    for name, rule in RULES.items():
        rows = []
        for h in range(1, FARTHEST + 1):
            missed = []
            for origin in range(record.years.index(FIRST), len(record.years) - h):
                growth, prices = record.growth[1:origin + 1], record.inflation[:origin]
                missed.append(record.log_gdp[origin] + h * rule(growth, prices)
                              - record.log_gdp[origin + h])
            rows.append(np.sqrt(np.mean(np.square(missed), axis=0)))
        found[name] = np.array(rows)
    return found


def test_the_rule_has_the_best_record_on_gdp_itself():
    record = read_history(calibration_folder()).record
    mean = {name: rows.mean() for name, rows in errors_of_gdp(record).items()}
    assert min(mean, key=mean.get) == next(iter(RULES))
    page = calibration_folder().parent / "docs" / "calibration.md"
    if page.is_file():
        text = page.read_text(encoding="utf-8")
        for name, rows in errors_of_gdp(record).items():
            cells = " | ".join(f"{value:.2f}" for value in rows.mean(axis=1))
            assert f"| {name} | {cells} | {mean[name]:.3f} |" in text


def test_the_ratio_of_imports_reverts_as_assumed():
    record = read_history(calibration_folder()).record
    ratio = (record.log_imports - record.log_gdp)[5:, 0]
    missed = {}
    for rho in (0.0, 0.3, outlook.RATIO_PERSISTENCE, 0.8, 1.0):
        rows = [np.mean([(ratio[:t].mean() + rho**h * (ratio[t - 1] - ratio[:t].mean())
                          - ratio[t + h - 1])**2 for t in range(6, len(ratio) - h + 1)])
                for h in range(1, FARTHEST + 1)]
        missed[rho] = np.sqrt(np.array(rows))
    assert missed[0.6][0] == min(rows[0] for rows in missed.values())
    assert missed[0.6].mean() <= min(rows.mean() for rows in missed.values()) + 0.005


def test_half_of_the_outcomes_lay_in_the_middle_half():
    """Coverage of the sum of both log GDPs over all past forecasts, on GDP's own record."""
    record = read_history(calibration_folder()).record
    inside = {0.5: [], 0.9: []}
    for last in range(record.years.index(FIRST), len(record.years) - 1):
        known = Record(record.years[:last + 1], *(part[:last + 1] for part in (
            record.log_gdp, record.growth, record.log_imports)))
        farthest = min(FARTHEST, len(record.years) - 1 - last)
        drawn = paths(known, farthest, 4000, np.random.default_rng(1)).log_gdp.sum(axis=-1)
        below = np.mean(drawn < record.log_gdp[last + 1:last + 1 + farthest].sum(axis=1), axis=0)
        for share, found in inside.items():
            found += (np.abs(below - 0.5) < share / 2).tolist()
    assert len(inside[0.5]) == 70
    assert np.mean(inside[0.5]) == pytest.approx(0.53, abs=0.02)
    assert np.mean(inside[0.9]) == pytest.approx(0.96, abs=0.02)
