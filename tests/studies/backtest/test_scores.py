"""Scores: closed forms, second routes, properties, bad input."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from scipy.stats import norm

from tradesim.studies.backtest import scores

# Rounding of a few thousand sums.
EXACT = 1e-10
# A normal cut into ten thousand equal shares against the normal itself.
CUT = 1e-4

NUMBERS = st.floats(-50, 50, allow_nan=False)
DRAWS = arrays(float, st.integers(2, 40), elements=NUMBERS)


def by_integral(mean, sd, outcome):
    """CRPS by its definition: integral of the squared distance of distribution functions."""
    left, _ = quad(lambda x: norm.cdf(x, mean, sd) ** 2, mean - 12 * sd, outcome)
    right, _ = quad(lambda x: norm.sf(x, mean, sd) ** 2, outcome, mean + 12 * sd)
    return left + right


@pytest.mark.parametrize(("mean", "sd", "outcome"), [(0, 1, 0), (0.3, 0.7, 1.9), (18, 0.4, 17.1)])
def test_crps_of_a_normal_in_three_ways(mean, sd, outcome):
    closed = scores.crps_normal(mean, sd, outcome)
    assert closed == pytest.approx(by_integral(mean, sd, outcome), abs=1e-8)
    drawn = scores.crps(scores.normal_draws(mean, sd, 10_000), outcome)
    assert drawn == pytest.approx(float(closed), abs=CUT)


def test_crps_of_a_standard_normal_at_its_middle_as_published():
    # Gneiting and Raftery 2007, equation (5) at z = 0: (sqrt(2) - 1) / sqrt(pi).
    assert scores.crps_normal(0, 1, 0) == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi))


@given(DRAWS, NUMBERS)
def test_crps_is_the_double_sum_of_its_definition(draws, outcome):
    wanted = np.abs(draws - outcome).mean() - 0.5 * np.abs(draws[:, None] - draws).mean()
    assert scores.crps(draws, outcome) == pytest.approx(wanted, abs=1e-9)


@given(DRAWS, NUMBERS)
def test_crps_is_the_integral_of_squared_steps(draws, outcome):
    """Properscoring's way: distribution functions are steps, so the integral is a sum."""
    edges = np.unique(np.append(draws, outcome))
    middles = 0.5 * (edges[1:] + edges[:-1])
    steps = (draws[:, None] <= middles).mean(axis=0) - (middles >= outcome)
    wanted = (steps**2 * np.diff(edges)).sum()
    assert scores.crps(draws, outcome) == pytest.approx(wanted, abs=1e-9)


@given(DRAWS, NUMBERS, st.floats(-9, 9), st.floats(0.1, 5))
def test_crps_moves_and_scales_with_the_unit(draws, outcome, shift, scale):
    base = scores.crps(draws, outcome)
    moved = scores.crps(scale * draws + shift, scale * outcome + shift)
    assert moved == pytest.approx(float(scale * base), abs=1e-8)
    assert base >= -EXACT


def test_crps_of_one_number_is_the_absolute_error():
    assert scores.crps([3.0], 5.5) == 2.5


def test_the_true_forecast_scores_best_on_average():
    rng = np.random.default_rng(4)
    outcomes = rng.normal(0.5, 1.2, 4000)
    mean = {sd: scores.crps_normal(0.5, sd, outcomes).mean() for sd in (0.8, 1.2, 1.8)}
    log = {sd: scores.log_score_normal(0.5, sd, outcomes).mean() for sd in (0.8, 1.2, 1.8)}
    assert min(mean, key=mean.get) == max(log, key=log.get) == 1.2


def test_quantiles_of_equal_weights_are_numpys():
    draws = np.random.default_rng(1).normal(size=(501, 3, 2))
    np.testing.assert_allclose(scores.quantiles(draws),
                               np.quantile(draws, scores.LEVELS, axis=0, method="hazen"))


def test_coverage_and_pit_of_a_right_forecast():
    rng = np.random.default_rng(2)
    outcomes, draws = rng.normal(size=4000), scores.normal_draws(np.zeros(4000), 1.0, 999)
    p05, p25, _, p75, p95 = scores.quantiles(draws)
    for level, low, high in ((0.5, p25, p75), (0.9, p05, p95)):
        share = ((low <= outcomes) & (outcomes <= high)).mean()
        assert share == pytest.approx(level, abs=3 * np.sqrt(level * (1 - level) / 4000))
    counts, _ = np.histogram(scores.pit(draws, outcomes), 10, (0, 1))
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # chi-squared, 9 degrees, one in a thousand


def test_log_score_of_many_draws_is_that_of_their_density():
    draws = scores.normal_draws(1.0, 0.5, 20_000)
    for outcome in (1.0, 0.2, 1.9):
        exact = float(scores.log_score_normal(1.0, 0.5, outcome))
        assert exact == pytest.approx(norm.logpdf(outcome, 1.0, 0.5))
        assert scores.log_score(draws, outcome) == pytest.approx(exact, abs=0.03)


def test_scores_broadcast():
    draws = np.random.default_rng(3).normal(size=(50, 4, 2))
    outcome = np.zeros((4, 2))
    whole = scores.crps(draws, outcome)
    assert whole.shape == (4, 2)
    assert whole[2, 1] == pytest.approx(float(scores.crps(draws[:, 2, 1], 0.0)))
    np.testing.assert_array_equal(whole, scores.crps(np.moveaxis(draws, 0, -1), outcome, axis=-1))


@pytest.mark.parametrize("draws", [[], [1.0, np.nan], [np.inf, 2.0]])
def test_no_draws_or_broken_ones_are_an_error(draws):
    with pytest.raises(ValueError, match="no draws, or draws that are not finite"):
        scores.log_score(draws, 1.0)
