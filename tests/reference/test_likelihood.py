"""What enters a fit: priors, the density against dense normals, recovery."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import integrate, stats

from tradesim.common.errors import InputError
from tradesim.inputs import posterior
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.reference import likelihood as fit
from tradesim.reference import mcmc

RECOVERED = 4.0  # posterior sd; 80 comparisons of skewed posteriors: the largest stays below


def prior(kind, lowest, highest, **shape):
    return Parameter(name="reference.x", title="x", unit="log", source="-",
                     distribution={"kind": kind, **shape}, low=lowest, high=highest, grade="C",
                     calibrated=True)


PRIORS = {
    "normal": (prior("normal", -0.2, 3.0, mean=1.0, sd=0.5),
               stats.truncnorm(-2.4, 4.0, loc=1.0, scale=0.5)),
    "normal in its tail": (prior("normal", 5.0, 9.0, mean=0.0, sd=0.8),
                           stats.truncnorm(6.25, 11.25, scale=0.8)),
    "lognormal": (prior("lognormal", 0.0, 60.0, median=0.4, sd=0.6),
                  stats.lognorm(0.6, scale=0.4)),
    "lognormal truncated": (prior("lognormal", 1.2, 3.0, median=0.8, sd=0.7, shift=1.0), None),
    "beta": (prior("beta", 0.0, 1.0, a=5.0, b=2.0), stats.beta(5, 2)),
    "beta truncated": (prior("beta", 0.1, 0.6, a=0.8, b=0.9), None),
    "uniform": (prior("uniform", -1.0, 5.0, low=0.0, high=4.0), stats.uniform(0, 4)),
}


# Priors


@pytest.mark.parametrize("name", PRIORS)
def test_prior_density_integrates_to_one(name):
    parameter, oracle = PRIORS[name]
    inside = np.linspace(parameter.low, parameter.high, 9)[1:-1]
    total, error = integrate.quad(
        lambda x: np.exp(fit.log_density(parameter, np.array(x))), parameter.low, parameter.high,
        points=inside, limit=400)
    assert total == pytest.approx(1, abs=1e-6)
    assert error < 1e-6
    outside = fit.log_density(parameter, np.array([parameter.low - 1e-9, parameter.high + 1e-9]))
    assert np.all(outside == -np.inf)
    if oracle is not None:
        np.testing.assert_allclose(fit.log_density(parameter, inside), oracle.logpdf(inside),
                                   rtol=1e-8)


@pytest.mark.parametrize("name", PRIORS)
def test_prior_density_is_the_derivative_of_what_is_drawn(name):
    parameter, _ = PRIORS[name]
    u, step = np.array([0.1, 0.35, 0.8]), 1e-5
    slope = (quantile(parameter, u + step) - quantile(parameter, u - step)) / (2 * step)
    density = np.exp(fit.log_density(parameter, quantile(parameter, u)))
    np.testing.assert_allclose(density * slope, 1, rtol=1e-4)


def test_a_kind_without_density_is_refused():
    parameter = prior("triangular", 0.0, 1.0, low=0.0, mode=0.5, high=1.0)
    with pytest.raises(InputError, match=r"reference\.x: a calibrated parameter cannot be "
                                         r"'triangular'; allowed: normal, lognormal, beta"):
        fit.log_density(parameter, np.array(0.5))


def test_a_missing_prior_is_named(folder):
    file = folder / "parameters.yaml"
    file.write_text(file.read_text().replace("reference.persistence:", "reference.persistance:"))
    with pytest.raises(InputError, match=r"parameters\.yaml: reference\.persistence: has no prior "
                                         r".*did you mean 'reference\.persistance'"):
        fit.read_evidence(folder)


# The vector of parameters


def by_name(evidence, vector):
    """Every parameter of the equations by name."""
    parts = fit.unpack(vector[None], evidence)
    flat = np.concatenate([parts[name].ravel() for name in posterior.PARAMETERS])
    history = evidence.history
    return dict(zip(posterior.parameter_names(history.importers, history.reporters), flat,
                    strict=True))


def test_vector_and_names_agree(committed):
    evidence = fit.read_evidence(committed)
    assert evidence.names == posterior.parameter_names(("MNG", "KAZ"), ("KAZ", "MNG"))
    vector = np.arange(len(evidence.names), dtype=float)
    assert list(by_name(evidence, vector).values()) == vector.tolist()
    parts = fit.unpack(vector[None], evidence)
    assert parts["error_sd"].shape == (1, 2, 2)
    assert parts["elasticity_gdp"].shape == parts["persistence"].shape == (1,)


def test_an_earlier_fit_is_centred_on_its_last_year(committed):
    evidence = fit.read_evidence(committed, as_of=2018)
    assert evidence.history.years[-1] == evidence.base_year == 2018
    assert evidence.size[-1] == 0.0
    assert fit.read_evidence(committed).base_year == 2023


# The posterior density


def equations(evidence, p, j):
    """Mean and covariance of all reports of importer j, from (1)-(3)."""
    history = evidence.history
    importer, years = history.importers[j], np.arange(len(history.years))
    size = history.log_gdp[:, 0] + history.log_gdp[:, 1]
    x = (p[f"constant.{importer}"]
         + p["elasticity_gdp"] * (size - size[history.years.index(evidence.base_year)])
         + p[f"elasticity_exchange_rate.{importer}"] * history.exchange_rate
         + p[f"closure_effect.{importer}"] * history.closed_share)
    rho, omega = p["persistence"], p[f"innovation_sd.{importer}"]
    state = omega**2 / (1 - rho**2) * rho ** np.abs(years[:, None] - years)
    mean = np.concatenate([x, x + p[f"bias.{importer}"]])
    errors = np.concatenate([p[f"error_sd.{importer}.{reporter}"] * history.error_scale[:, j, r]
                             for r, reporter in enumerate(history.reporters)])
    reports = np.concatenate([history.log_value[:, j, r] for r in range(2)])
    return reports, mean, np.kron(np.ones((2, 2)), state) + np.diag(errors**2)


def test_log_posterior_equals_prior_plus_dense_normal(committed):
    """The equations written out by name, with the covariance of all reports."""
    evidence = fit.read_evidence(committed)
    uniform = np.random.default_rng(2).uniform(0.2, 0.8, (3, len(evidence.names)))
    vectors = fit.prior_draws(evidence, uniform)
    for vector, found in zip(vectors, fit.log_posterior(vectors, evidence), strict=True):
        p = {key.removeprefix("reference."): value
             for key, value in by_name(evidence, vector).items()}
        total = sum(float(fit.log_density(prior, np.array(value)))
                    for prior, value in zip(evidence.priors.values(), vector, strict=True))
        for j in range(2):
            reports, mean, cov = equations(evidence, p, j)
            total += stats.multivariate_normal(mean, cov).logpdf(reports)
        assert found == pytest.approx(total, abs=1e-8)


def test_vectors_outside_the_bounds_have_no_density(committed):
    evidence = fit.read_evidence(committed)
    vectors = fit.prior_draws(evidence, np.full((2, 16), 0.5))
    vectors[1, evidence.names.index("reference.persistence")] = 1.0
    density = fit.log_posterior(vectors, evidence)
    assert np.isfinite(density[0])
    assert density[1] == -np.inf


# Recovery of what is known


def autoregressive(rng, chains, steps, rho):
    noise = rng.standard_normal((chains, steps)) * np.sqrt(1 - rho**2)
    noise[:, 0] /= np.sqrt(1 - rho**2)
    for t in range(1, steps):
        noise[:, t] += rho * noise[:, t - 1]
    return noise


def simulated(evidence, vector, years, rng):
    """Evidence like the committed one, but simulated from a parameter vector."""
    p = {k: v[0] for k, v in fit.unpack(vector[None], evidence).items()}
    shape = (years, 2, 2)
    size = np.cumsum(rng.normal(0, 0.15, years))
    size -= size[-1]
    rate = rng.normal(0, 0.4, years)
    closed = (rng.random(years) < 0.15) * rng.random(years)
    sd, rho = p["innovation_sd"], p["persistence"]
    u = np.stack([autoregressive(rng, 1, years, rho)[0] for j in range(2)], axis=1)
    flow = (p["constant"] + p["elasticity_gdp"] * size[:, None]
            + p["elasticity_exchange_rate"] * rate[:, None]
            + p["closure_effect"] * closed[:, None] + u * sd / np.sqrt(1 - rho**2))
    bias = np.stack([np.zeros(2), p["bias"]], axis=-1)
    scale = rng.choice([1.0, 1.5, 3.0], shape, p=[0.7, 0.2, 0.1])
    value = flow[..., None] + bias + p["error_sd"] * scale * rng.standard_normal(shape)
    value[rng.random(shape) < 0.05] = np.nan
    span = tuple(range(2011, 2011 + years))
    history = dataclasses.replace(
        evidence.history, years=span, log_value=value, error_scale=scale,
        exchange_rate=rate, closed_share=closed)
    return dataclasses.replace(evidence, history=history, size=size), flow


@pytest.mark.slow
def test_known_parameters_and_flows_are_recovered(committed):
    evidence = fit.read_evidence(committed)
    size = len(evidence.names)
    rng = np.random.default_rng(12)
    truth = fit.prior_draws(evidence, np.linspace(0.25, 0.75, size)[rng.permutation(size)])
    data, flow = simulated(evidence, truth, 60, rng)
    starts = fit.starting_points(data, 96, rng)[None]
    chains = mcmc.sample(lambda vectors: fit.log_posterior(vectors, data), starts, 1500, 3)
    mcmc.diagnose(data.names, chains)
    vectors = mcmc.kept_draws(chains, 2000, rng)
    score = (vectors.mean(0) - truth) / vectors.std(0)
    assert np.max(np.abs(score)) < RECOVERED, dict(zip(data.names, score.round(1), strict=True))
    low, high = np.percentile(vectors, [5, 95], axis=0)
    assert np.sum((low < truth) & (truth < high)) >= 12  # of 16; 14.4 expected
    latent = fit.posterior_dataset(vectors, data, rng)["latent"].to_numpy()
    low, high = np.percentile(latent, [10, 90], axis=0)
    assert np.mean((low < flow) & (flow < high)) == pytest.approx(0.8, abs=0.06)
