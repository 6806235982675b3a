"""What enters a fit: priors by specification, the density against dense normals, recovery."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
from scipy import integrate, stats

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs import posterior
from tradesim.inputs.distributions import Fixed
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.inputs.specifications import Specification, read_specifications
from tradesim.reference import likelihood as fit
from tradesim.reference import mcmc

RECOVERED = 4.0  # posterior sd; 80 comparisons of skewed posteriors: the largest stays below
FORMS = tuple(read_specifications(calibration_folder()))


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


@pytest.fixture
def committed():
    return calibration_folder()


@pytest.fixture
def folder(tmp_path, committed):
    return shutil.copytree(committed, tmp_path / "calibration")


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
        fit.read_evidence(folder, "nominal_gdp")


# What a specification changes


def by_name(evidence, vector):
    """Every parameter of the equations by name, those that are not free included."""
    parts = fit.unpack(vector[None], evidence)
    flat = np.concatenate([parts[name].ravel() for name in posterior.PARAMETERS])
    history = evidence.history
    return dict(zip(posterior.parameter_names(history.importers, history.reporters), flat,
                    strict=True))


def test_vector_and_names_agree(committed):
    evidence = fit.read_evidence(committed, "two_persistences")
    assert evidence.names == posterior.parameter_names(("MNG", "KAZ"), ("KAZ", "MNG"))
    vector = np.arange(len(evidence.names), dtype=float)
    assert list(by_name(evidence, vector).values()) == vector.tolist()
    parts = fit.unpack(vector[None], evidence)
    assert parts["error_sd"].shape == (1, 2, 2)
    assert parts["elasticity_gdp"].shape == (1,)


@pytest.mark.parametrize(("name", "absent", "given"), [
    ("nominal_gdp", (), {}),
    ("unit_elasticity", ("elasticity_gdp",), {"elasticity_gdp": 1.0}),
    ("no_exchange_rate", ("elasticity_exchange_rate.MNG", "elasticity_exchange_rate.KAZ"),
     {"elasticity_exchange_rate.MNG": 0.0, "elasticity_exchange_rate.KAZ": 0.0}),
    ("no_corridor", ("closure_effect.MNG", "closure_effect.KAZ"),
     {"closure_effect.MNG": 0.0, "closure_effect.KAZ": 0.0}),
    ("heavy_tails", ("error_sd.MNG.KAZ", "error_sd.KAZ.KAZ"),
     {"error_sd.MNG.KAZ": 0.0, "error_sd.KAZ.KAZ": 0.0}),
    ("gravity_without_reversion", ("persistence",), {"persistence.MNG": 1.0,
                                                     "persistence.KAZ": 1.0}),
    ("reversion_without_gdp", ("elasticity_gdp",), {"elasticity_gdp": 0.0}),
])
def test_what_is_not_free_has_the_value_of_the_specification(committed, name, absent, given):
    common = [*posterior.parameter_names(("MNG", "KAZ"), ("KAZ", "MNG"))]
    at = common.index("reference.persistence.MNG")
    common[at:at + 2] = ["reference.persistence"]
    evidence = fit.read_evidence(committed, name)
    assert evidence.names == [one for one in common
                              if one.removeprefix("reference.") not in absent]
    vector = fit.prior_draws(evidence, np.full(len(evidence.names), 0.3))
    found = by_name(evidence, vector)
    for parameter, value in given.items():
        assert found[f"reference.{parameter}"] == value
    if "persistence" not in absent:
        assert found["reference.persistence.MNG"] == found["reference.persistence.KAZ"]


def test_the_elasticity_may_have_a_prior_of_its_own(committed):
    usual, wide = (fit.read_evidence(committed, name).priors["reference.elasticity_gdp"]
                   for name in ("nominal_gdp", "wide_elasticity"))
    assert (usual.distribution.sd, wide.distribution.sd) == (0.25, 1.0)
    assert (usual.low, usual.high) == (wide.low, wide.high)


def test_earlier_years_enter_with_their_weight(committed):
    half = fit.read_evidence(committed, "nominal_half_presample")
    assert half.history.years == tuple(range(2005, 2025))
    np.testing.assert_array_equal(half.weight, [0.5] * 6 + [1.0] * 14)
    usual = fit.read_evidence(committed, "nominal_gdp")
    np.testing.assert_array_equal(half.size[6:], usual.size)
    assert usual.weight.sum() == 14


def test_an_earlier_fit_is_centred_on_its_last_year(committed):
    for name in ("nominal_gdp", "real_gdp", "import_share"):
        evidence = fit.read_evidence(committed, name, as_of=2018)
        assert evidence.history.years[-1] == evidence.base_year == 2018
        np.testing.assert_array_equal(evidence.size[-1], 0.0)
    assert fit.read_evidence(committed, "nominal_gdp").base_year == 2023


# The posterior density


def equations(evidence, p, j, years):
    """Mean and covariance of all reports of importer j in the first years, from (1)-(3)."""
    history, form = evidence.history, evidence.specification
    importer = history.importers[j]
    base = history.years.index(evidence.base_year)
    imports = history.log_gdp[:, j] if np.isnan(history.log_imports[:, j]).any() else (
        history.log_imports[:, j])
    size = {"nominal_gdp": history.log_gdp.sum(axis=1), "real_gdp": history.log_real.sum(axis=1),
            "imports": imports, "none": np.zeros(len(history.years))}[form.size]
    x = (p[f"constant.{importer}"] + p["elasticity_gdp"] * (size - size[base])
         + p[f"elasticity_exchange_rate.{importer}"] * history.exchange_rate
         + p[f"closure_effect.{importer}"] * history.closed_share)[:years]
    rho, omega, t = p[f"persistence.{importer}"], p[f"innovation_sd.{importer}"], np.arange(years)
    state = (omega**2 * (1 + np.minimum(t[:, None], t)) if rho == 1 else
             omega**2 / (1 - rho**2) * rho ** np.abs(t[:, None] - t))
    mean = np.concatenate([x, x + p[f"bias.{importer}"]])
    errors = np.concatenate([p[f"error_sd.{importer}.{reporter}"]
                             * history.error_scale[:years, j, r]
                             for r, reporter in enumerate(history.reporters)])
    reports = np.concatenate([history.log_value[:years, j, r] for r in range(2)])
    return reports, mean, np.kron(np.ones((2, 2)), state) + np.diag(errors**2)


def heavy(evidence, p, j):
    """Log density with t innovations, where the first count is the flow."""
    history, importer = evidence.history, evidence.history.importers[j]
    reports, mean, _ = equations(evidence, p, j, len(history.years))
    n = len(history.years)
    left = reports[:n] - mean[:n]
    rho, omega = p[f"persistence.{importer}"], p[f"innovation_sd.{importer}"]
    gap = reports[n:] - reports[:n] - p[f"bias.{importer}"]
    sd = p[f"error_sd.{importer}.{history.reporters[1]}"] * history.error_scale[:, j, 1]
    return (stats.t.logpdf(left[0], 4, scale=omega / np.sqrt(1 - rho**2))
            + stats.t.logpdf(left[1:] - rho * left[:-1], 4, scale=omega).sum()
            + stats.norm.logpdf(gap, scale=sd).sum())


@pytest.mark.parametrize("name", FORMS)
def test_log_posterior_equals_prior_plus_dense_normal(committed, name):
    """The equations written out by name, with the covariance of all reports, for every form."""
    evidence = fit.read_evidence(committed, name)
    history = evidence.history
    uniform = np.random.default_rng(2).uniform(0.2, 0.8, (3, len(evidence.names)))
    vectors = fit.prior_draws(evidence, uniform)
    early = evidence.specification.presample
    for vector, found in zip(vectors, fit.log_posterior(vectors, evidence), strict=True):
        p = {key.removeprefix("reference."): value
             for key, value in by_name(evidence, vector).items()}
        total = sum(float(fit.log_density(prior, np.array(value)))
                    for prior, value in zip(evidence.priors.values(), vector, strict=True))
        for j in range(2):
            if np.isfinite(evidence.specification.degrees):
                total += heavy(evidence, p, j)
                continue
            spans = [(1.0, len(history.years))]
            if early is not None:
                spans.append((early.weight - 1.0, len(history.years) - len(history.sample)))
            for factor, years in spans:
                reports, mean, cov = equations(evidence, p, j, years)
                total += factor * stats.multivariate_normal(mean, cov).logpdf(reports)
        assert found == pytest.approx(total, abs=1e-8)


def test_full_weight_is_one_long_sample_and_none_is_a_start(committed):
    """Weight one: the plain likelihood from 2005. Weight zero: what later years add to earlier."""
    one = fit.read_evidence(committed, "nominal_presample")
    zero = dataclasses.replace(one, weight=np.where(one.weight == 1, one.weight, 1.0))
    vectors = fit.prior_draws(one, np.random.default_rng(4).uniform(0.3, 0.7, (4, 16)))
    np.testing.assert_array_equal(fit.log_posterior(vectors, one), fit.log_posterior(vectors, zero))
    none = dataclasses.replace(one, weight=np.r_[np.zeros(6), np.ones(14)])
    early = dataclasses.replace(one, weight=np.r_[np.ones(6), np.zeros(14)])
    likelihood = {key: fit.log_posterior(vectors, item) - fit.log_prior(vectors, item)
                  for key, item in (("all", one), ("late", none), ("early", early))}
    np.testing.assert_allclose(likelihood["late"], likelihood["all"] - likelihood["early"])


def test_vectors_outside_the_bounds_have_no_density(committed):
    evidence = fit.read_evidence(committed, "nominal_gdp")
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
    own = evidence.specification.size == "imports"
    size = np.cumsum(rng.normal(0, 0.15, (years, 2 if own else 1)), axis=0)
    size = np.broadcast_to(size - size[-1], (years, 2))
    rate = rng.normal(0, 0.4, years)
    closed = (rng.random(years) < 0.15) * rng.random(years)
    sd, rho = p["innovation_sd"], p["persistence"]
    u = np.stack([autoregressive(rng, 1, years, rho[j])[0] for j in range(2)], axis=1)
    flow = (p["constant"] + p["elasticity_gdp"] * size
            + p["elasticity_exchange_rate"] * rate[:, None]
            + p["closure_effect"] * closed[:, None] + u * sd / np.sqrt(1 - rho**2))
    bias = np.stack([np.zeros(2), p["bias"]], axis=-1)
    scale = rng.choice([1.0, 1.5, 3.0], shape, p=[0.7, 0.2, 0.1])
    value = flow[..., None] + bias + p["error_sd"] * scale * rng.standard_normal(shape)
    value[rng.random(shape) < 0.05] = np.nan
    span = tuple(range(2011, 2011 + years))
    history = dataclasses.replace(
        evidence.history, years=span, sample=span, log_value=value, error_scale=scale,
        exchange_rate=rate, closed_share=closed)
    return dataclasses.replace(evidence, history=history, size=size,
                               weight=np.ones(years)), flow


@pytest.mark.slow
@pytest.mark.parametrize("name", ["nominal_gdp", "real_gdp", "import_elasticity",
                                  "two_persistences"])
def test_known_parameters_and_flows_are_recovered(committed, name):
    evidence = fit.read_evidence(committed, name)
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


@pytest.mark.slow
def test_heavy_tails_are_recovered(committed):
    evidence = fit.read_evidence(committed, "heavy_tails")
    rng = np.random.default_rng(7)
    size, years = len(evidence.names), 60
    truth = fit.prior_draws(evidence, np.linspace(0.3, 0.7, size)[rng.permutation(size)])
    data, _ = simulated(evidence, truth, years, rng)
    p = {key: value[0] for key, value in fit.unpack(truth[None], evidence).items()}
    left = np.empty((years, 2))
    state = np.zeros(2)
    for year in range(years):
        state = p["persistence"] * state + p["innovation_sd"] * rng.standard_t(4, 2)
        left[year] = state
    flow = fit.explained({key: value[None] for key, value in p.items()}, data)[0] + left
    other = flow + p["bias"] + p["error_sd"][:, 1] * data.history.error_scale[..., 1] * (
        rng.standard_normal((years, 2)))
    history = dataclasses.replace(data.history, log_value=np.stack([flow, other], axis=-1))
    data = dataclasses.replace(data, history=history)
    chains = mcmc.sample(lambda vectors: fit.log_posterior(vectors, data),
                             fit.starting_points(data, 96, rng)[None], 1500, 3)
    vectors = mcmc.kept_draws(chains, 2000, rng)
    score = (vectors.mean(0) - truth) / vectors.std(0)
    assert np.max(np.abs(score)) < RECOVERED, dict(zip(data.names, score.round(1), strict=True))


def test_a_specification_needs_no_file(committed):
    form = Specification(name="own", title="Own", size="imports",
                         elasticity=Fixed(kind="fixed", value=0.5), closure=False)
    evidence = fit.read_evidence(committed, form)
    assert "reference.elasticity_gdp" not in evidence.names
    assert not [name for name in evidence.names if "closure" in name]
