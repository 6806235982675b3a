"""The one-count form: second routes for density and forecast, recovery of known parameters."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from tradesim.reference import one_count
from tradesim.reference.one_count import Ahead, Nodes, Priors

EXACT = 1e-8
# A constant with a large but finite variance stands for a flat prior in the second route.
FLAT, NEARLY = 1e7, 1e-4
PRIORS = Priors((0.6, 0.3), (8.0, 2.0), (0.25, 0.5), (0.15, 0.6))
PLACES = [(0.7, 0.3, 0.1), (0.95, 0.2, 0.2), (1.0, 0.25, 0.15)]


def one_node(rho, omega, error):
    return Nodes(np.array([rho]), np.array([omega]), np.array([error]), np.zeros(1))


def example(cases=3, years=14, seed=1):
    rng = np.random.default_rng(seed)
    gdp = 50 + np.cumsum(0.1 + 0.1 * rng.standard_normal((cases, years)), axis=1)
    return 18 + np.cumsum(0.3 * rng.standard_normal((cases, years)), axis=1), gdp


def all_covariance(rho, omega, error, count):
    years = np.arange(1.0, count + 1)
    return one_count.covariance(rho, omega, years, years) + error**2 * np.eye(count)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("prior", [(0.6, 0.3), (1.0, 0.05)])
def test_density_is_that_of_the_changes_between_years(place, prior):
    trade, gdp = example()
    found = one_count.log_marginal(one_count.fit(one_node(*place), trade, gdp), *prior)[0]
    # Rows that are orthogonal to a constant and to each other, of length one.
    contrasts = np.linalg.svd(np.eye(14) - 1 / 14)[0][:, :13].T
    for case in range(len(trade)):
        slope = contrasts @ gdp[case]
        spread = (contrasts @ all_covariance(*place, 14) @ contrasts.T
                  + prior[1] ** 2 * np.outer(slope, slope))
        wanted = multivariate_normal(prior[0] * slope, spread).logpdf(contrasts @ trade[case])
        assert found[case] == pytest.approx(wanted, abs=EXACT)


@pytest.mark.parametrize("place", PLACES)
def test_forecast_is_the_conditional_normal(place):
    trade, gdp = example()
    later = gdp[:, -1:] + 0.1 * np.arange(1, 12)
    points = np.stack([np.full(4001, 0.5), (np.arange(4001) + 0.5) / 4001], axis=1)
    nodes = one_node(*place)
    drawn = one_count.forecast(PRIORS, nodes, one_count.fit(nodes, trade, gdp),
                               one_count.predict(nodes, trade, gdp, 11),
                               Ahead(later, np.zeros_like(later)), points)
    for case in range(len(trade)):
        size = np.concatenate([gdp[case], later[case]]) - gdp[case].mean()
        whole = (all_covariance(*place, 25) + FLAT + 0.3**2 * np.outer(size, size))
        mean = 0.6 * size
        gain = np.linalg.solve(whole[:14, :14], whole[:14, 14:]).T
        wanted = trade[case].mean() + mean[14:] + gain @ (trade[case] - trade[case].mean()
                                                           - mean[:14])
        variance = np.diag(whole[14:, 14:] - gain @ whole[:14, 14:])
        np.testing.assert_allclose(np.median(drawn[case], axis=1), wanted, atol=NEARLY)
        # Evenly cut normals lack a little of their tails.
        np.testing.assert_allclose(drawn[case].var(axis=1), variance, rtol=5e-3)


def test_error_of_gdp_widens_by_its_variance_times_the_mean_square_of_the_elasticity():
    trade, gdp = example(1)
    nodes, fixed = one_node(1.0, 0.2, 0.1), Priors((0.5, 0.0), None, (0.2, 0.5), (0.1, 0.5))
    points = np.stack([np.full(4001, 0.5), (np.arange(4001) + 0.5) / 4001], axis=1)
    parts = fixed, nodes, one_count.fit(nodes, trade, gdp), one_count.predict(nodes, trade, gdp, 2)
    known, unknown = (one_count.forecast(*parts, Ahead(gdp[:, -2:], np.full((1, 2), v)), points)
                      for v in (0.0, 0.09))
    np.testing.assert_allclose(unknown.var(axis=2) - known.var(axis=2), 0.5**2 * 0.09, rtol=5e-3)


def test_a_residual_that_hardly_reverts_is_a_local_level():
    trade, gdp = example()
    near, level = (one_count.fit(one_node(rho, 0.25, 0.1), trade, gdp) for rho in (1 - 1e-7, 1.0))
    np.testing.assert_allclose(near.best, level.best, atol=NEARLY)
    np.testing.assert_allclose(near.log_density, level.log_density, atol=NEARLY)


def test_grid_holds_the_means_of_its_priors():
    nodes = one_count.grid(PRIORS)
    weight = np.exp(nodes.log_weight)
    assert weight.sum() == pytest.approx(1.0)
    assert weight @ nodes.rho == pytest.approx(0.8, abs=0.01)  # a/(a+b), on twelve nodes
    assert np.exp(weight @ np.log(nodes.omega)) == pytest.approx(0.25, rel=0.02)
    assert np.exp(weight @ np.log(nodes.error)) == pytest.approx(0.15, rel=0.15)


def test_population_finds_what_made_the_pairs():
    rng = np.random.default_rng(4)
    cases, years = 600, 14
    _, gdp = example(cases, years, 5)
    beta = 0.5 + 0.3 * rng.standard_normal((cases, 1))
    trade = (beta * gdp + np.cumsum(0.2 * rng.standard_normal((cases, years)), axis=1)
             + 0.1 * rng.standard_normal((cases, years)))
    parts = np.meshgrid([0.3, 0.6, 0.8, 0.95, 1.0], [0.1, 0.2, 0.4], [0.05, 0.1, 0.2],
                        indexing="ij")
    nodes = Nodes(*(part.ravel() for part in parts), np.full(45, -np.log(45)))
    found = one_count.population(nodes, one_count.fit(nodes, trade, gdp))
    assert found.mean == pytest.approx(0.5, abs=0.05)  # three standard errors
    assert found.sd == pytest.approx(0.3, abs=0.08)
    assert found.weights @ nodes.rho > 0.9
    assert found.weights.sum() == pytest.approx(1.0)
