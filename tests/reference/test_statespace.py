"""The filter against two other routes to the same number: dense normals and statsmodels."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from statsmodels.tsa.statespace.mlemodel import MLEModel

from tradesim.reference.gravity import expected
from tradesim.reference.statespace import kalman, log_likelihood, smooth_draw

YEARS, IMPORTERS, REPORTERS, BATCH = 9, 2, 2, 6
EXACT = 1e-10  # two exact routes differ by rounding only
MONTE_CARLO_SD = 4.5  # about 200 comparisons of means: the largest of them stays below


@pytest.fixture
def parameters():
    rng = np.random.default_rng(7)
    bias = rng.normal(0, 1, (BATCH, IMPORTERS, REPORTERS))
    bias[..., 0] = 0
    return {
        "constant": rng.normal(17, 1, (BATCH, IMPORTERS)),
        "elasticity_gdp": rng.normal(1, 0.3, BATCH),
        "elasticity_exchange_rate": rng.normal(0, 1, (BATCH, IMPORTERS)),
        "closure_effect": rng.normal(-0.7, 0.4, (BATCH, IMPORTERS)),
        "persistence": rng.uniform(0.05, 0.95, BATCH),
        "innovation_sd": rng.uniform(0.1, 1.0, (BATCH, IMPORTERS)),
        "bias": bias,
        "error_sd": rng.uniform(0.05, 0.8, (BATCH, IMPORTERS, REPORTERS)),
    }


@pytest.fixture
def reports():
    """Values with gaps (one year without any report) and the scale of each one's error."""
    rng = np.random.default_rng(11)
    values = rng.normal(17, 1, (YEARS, IMPORTERS, REPORTERS))
    values[0, 0, 0] = values[4, 1, 1] = values[8, 0, 1] = np.nan
    values[5, 1, :] = np.nan
    return values, rng.choice([1.0, 1.5, 3.0], values.shape)


@pytest.fixture
def mean(parameters):
    years = np.arange(YEARS)
    return expected(parameters, years / 9 - 0.5, np.sin(years), (years == 6) * 0.8)


def dense(parameters, scale, n, j):
    """Covariance of the state, and of all reports, of importer j under parameter vector n."""
    rho, omega = parameters["persistence"][n], parameters["innovation_sd"][n, j]
    years = np.arange(YEARS)
    state = omega**2 / (1 - rho**2) * rho ** np.abs(years[:, None] - years)
    errors = (parameters["error_sd"][n, j] * scale[:, j]).ravel() ** 2
    return state, np.kron(state, np.ones((REPORTERS, REPORTERS))) + np.diag(errors)


def stacked(parameters, reports, mean, n, j):
    """Deviations of all reports of importer j from their expectation, and which exist."""
    deviation = (reports[:, j] - mean[n, :, j, None] - parameters["bias"][n, j]).ravel()
    return deviation, ~np.isnan(deviation)


def test_expected_is_equation_2(parameters, mean):
    g, q, c = 4 / 9 - 0.5, np.sin(4), 0.0
    by_hand = [[parameters["constant"][n, j] + parameters["elasticity_gdp"][n] * g
                + parameters["elasticity_exchange_rate"][n, j] * q
                + parameters["closure_effect"][n, j] * c for j in range(IMPORTERS)]
               for n in range(BATCH)]
    np.testing.assert_allclose(mean[:, 4], by_hand, rtol=1e-13)
    closed = expected(parameters, np.zeros(1), np.zeros(1), np.ones(1))[:, 0]
    np.testing.assert_allclose(closed - parameters["constant"], parameters["closure_effect"])


def dense_likelihood(parameters, reports, mean, n):
    """Log density of the reports, from one normal by importer."""
    values, scale = reports
    total = 0.0
    for j in range(IMPORTERS):
        deviation, seen = stacked(parameters, values, mean, n, j)
        cov = dense(parameters, scale, n, j)[1][np.ix_(seen, seen)]
        total += multivariate_normal(cov=cov).logpdf(deviation[seen])
    return total


def test_likelihood_equals_dense_normal(parameters, reports, mean):
    ours = log_likelihood(parameters, *reports, mean)
    for n in range(BATCH):
        assert ours[n] == pytest.approx(dense_likelihood(parameters, reports, mean, n),
                                        abs=EXACT, rel=0)


def test_likelihood_equals_statsmodels(parameters, reports, mean):
    values, scale = reports
    ours = log_likelihood(parameters, values, scale, mean)
    for n in range(BATCH):
        total = 0.0
        for j in range(IMPORTERS):
            model = MLEModel(values[:, j], k_states=1)
            model["design"] = np.ones((REPORTERS, 1))
            model["obs_intercept"] = (mean[n, :, j, None] + parameters["bias"][n, j]).T
            sd = parameters["error_sd"][n, j] * scale[:, j]
            model["obs_cov"] = np.stack([np.diag(row**2) for row in sd], axis=-1)
            model["transition"] = [[parameters["persistence"][n]]]
            model["selection"] = [[1.0]]
            model["state_cov"] = [[parameters["innovation_sd"][n, j] ** 2]]
            model.ssm.initialize_stationary()
            total += model.ssm.loglike()
        assert ours[n] == pytest.approx(total, abs=1e-8)  # statsmodels stops updating P early


def test_leading_axes_do_not_mix(parameters, reports, mean):
    values, scale = reports
    together = log_likelihood(parameters, values, scale, mean)
    for n in range(BATCH):
        alone = log_likelihood({k: v[n] for k, v in parameters.items()}, values, scale, mean[n])
        assert alone == pytest.approx(together[n], rel=1e-13)  # order of the sum differs
    folded = {k: v.reshape(2, 3, *v.shape[1:]) for k, v in parameters.items()}
    again = log_likelihood(folded, values, scale, mean.reshape(2, 3, *mean.shape[1:]))
    np.testing.assert_allclose(again.ravel(), together, rtol=1e-13)


def test_no_report_leaves_the_stationary_state(parameters, mean):
    empty = np.full((YEARS, IMPORTERS, REPORTERS), np.nan)
    ones = np.ones_like(empty)
    assert np.all(log_likelihood(parameters, empty, ones, mean) == 0)
    filtered = kalman(np.broadcast_to(empty, (BATCH, *empty.shape)), ones,
                      parameters["persistence"][:, None], parameters["innovation_sd"])
    stationary = parameters["innovation_sd"]**2 / (1 - parameters["persistence"][:, None]**2)
    np.testing.assert_allclose(filtered.variance[:, -1], stationary, rtol=1e-12)
    np.testing.assert_array_equal(filtered.mean, 0)


def test_smooth_draw_has_the_exact_conditional_moments(parameters, reports, mean):
    values, scale = reports
    n, draws = 2, 40_000
    many = {k: np.broadcast_to(v[n], (draws, *v[n].shape)) for k, v in parameters.items()}
    normal = np.random.default_rng(3).standard_normal((draws, YEARS, IMPORTERS))
    drawn = smooth_draw(many, values, scale, np.broadcast_to(mean[n], normal.shape), normal)
    for j in range(IMPORTERS):
        deviation, seen = stacked(parameters, values, mean, n, j)
        state, reported = dense(parameters, scale, n, j)
        cross = np.repeat(state, REPORTERS, axis=1)[:, seen]
        weights = np.linalg.solve(reported[np.ix_(seen, seen)], cross.T).T
        centre, cov = weights @ deviation[seen], state - weights @ cross.T
        sample = drawn[..., j]
        sd = np.sqrt(np.diag(cov))
        assert np.max(np.abs(sample.mean(0) - centre) / sd) < MONTE_CARLO_SD / np.sqrt(draws)
        correlation_error = (np.cov(sample.T) - cov) / np.outer(sd, sd)
        assert np.max(np.abs(correlation_error)) < MONTE_CARLO_SD * np.sqrt(2 / draws)


def test_smooth_draw_follows_reports_that_have_no_error(parameters, reports, mean):
    values = np.nan_to_num(reports[0], nan=17.0)
    sure = {**parameters, "error_sd": np.full((BATCH, IMPORTERS, REPORTERS), [1e-9, 5.0])}
    drawn = smooth_draw(sure, values, np.ones_like(values), mean, np.zeros(mean.shape))
    np.testing.assert_allclose(mean + drawn, np.broadcast_to(values[..., 0], mean.shape),
                               atol=1e-7)
