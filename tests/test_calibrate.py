"""Calibration: priors, the sampler and its diagnostics, recovery, the posterior file."""

import dataclasses
import json
import shutil
import warnings

import numpy as np
import pytest
import xarray as xr
import yaml
from scipy import integrate, stats

from tradesim import calibrate as fit
from tradesim import posterior, sampling
from tradesim.errors import ConvergenceError, InputError
from tradesim.folders import calibration_folder, sha256
from tradesim.history import History, read_history
from tradesim.parameters import Parameter, quantile

with warnings.catch_warnings():  # the oracle announces its successor when imported
    warnings.simplefilter("ignore")
    try:
        import arviz
    except ImportError:
        import arviz_stats as arviz

WINDOW = 0.1  # emcee cuts the sum of autocorrelations off at five times the time: 5 % too short
SHORT = 400  # steps of the runs that test reading and writing, not convergence


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


@pytest.fixture
def small(monkeypatch):
    """A sampler that is quick and lenient, for what does not depend on its quality."""
    monkeypatch.setattr(fit, "WALKERS", 34)
    monkeypatch.setattr(fit, "ENSEMBLES", 2)
    monkeypatch.setattr(fit, "DRAWS", 100)
    monkeypatch.setattr(sampling, "MAX_RHAT", 3.0)
    monkeypatch.setattr(sampling, "MIN_EFFECTIVE", 0)


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


# The posterior density


def by_name(evidence, vector):
    return dict(zip(evidence.names, vector, strict=True))


def test_vector_and_names_agree(committed):
    evidence = fit.read_evidence(committed)
    importers, reporters = evidence.history.importers, evidence.history.reporters
    named = by_name(evidence, np.arange(len(evidence.names), dtype=float))
    parts = fit.unpack(np.arange(len(evidence.names), dtype=float)[None], evidence)
    assert parts["elasticity_gdp"] == named["reference.elasticity_gdp"]
    assert parts["persistence"] == named["reference.persistence"]
    for j, importer in enumerate(importers):
        for name in ("constant", "elasticity_exchange_rate", "closure_effect", "innovation_sd",
                     "bias"):
            assert parts[name][0, j] == named[f"reference.{name}.{importer}"]
        for r, reporter in enumerate(reporters):
            assert parts["error_sd"][0, j, r] == named[f"reference.error_sd.{importer}.{reporter}"]


def test_log_posterior_equals_prior_plus_dense_normal(committed):
    """Equations (1)-(3) written out by name, with the covariance of all reports."""
    evidence = fit.read_evidence(committed)
    history = evidence.history
    vectors = fit.prior_draws(evidence, np.random.default_rng(2).uniform(0.2, 0.8, (3, 16)))
    ours = fit.log_posterior(vectors, evidence)
    years = np.arange(len(history.years))
    base = history.years.index(evidence.base_year)
    for vector, found in zip(vectors, ours, strict=True):
        p = {name.removeprefix("reference."): value
             for name, value in by_name(evidence, vector).items()}
        total = sum(float(fit.log_density(evidence.priors[name], np.array(value)))
                    for name, value in by_name(evidence, vector).items())
        for j, importer in enumerate(history.importers):
            growth = (history.log_gdp - history.log_gdp[base]).sum(axis=1)
            x = (p[f"constant.{importer}"] + p["elasticity_gdp"] * growth
                 + p[f"elasticity_exchange_rate.{importer}"] * history.exchange_rate
                 + p[f"closure_effect.{importer}"] * history.closed_share)
            state = (p[f"innovation_sd.{importer}"] ** 2 / (1 - p["persistence"] ** 2)
                     * p["persistence"] ** np.abs(years[:, None] - years))
            mean = np.concatenate([x, x + p[f"bias.{importer}"]])
            errors = np.concatenate([
                p[f"error_sd.{importer}.{reporter}"] * history.error_scale[:, j, r]
                for r, reporter in enumerate(history.reporters)])
            reports = np.concatenate([history.log_value[:, j, 0], history.log_value[:, j, 1]])
            seen = ~np.isnan(reports)
            cov = (np.kron(np.ones((2, 2)), state) + np.diag(errors**2))[np.ix_(seen, seen)]
            total += stats.multivariate_normal(mean[seen], cov).logpdf(reports[seen])
        assert found == pytest.approx(total, abs=1e-8)


def test_vectors_outside_the_bounds_have_no_density(committed):
    evidence = fit.read_evidence(committed)
    vectors = fit.prior_draws(evidence, np.full((2, 16), 0.5))
    vectors[1, evidence.names.index("reference.persistence")] = 1.0
    density = fit.log_posterior(vectors, evidence)
    assert np.isfinite(density[0])
    assert density[1] == -np.inf


def test_an_earlier_fit_uses_nothing_later(folder):
    evidence = fit.read_evidence(folder, as_of=2018)
    assert evidence.history.years[-1] == evidence.base_year == 2018
    assert evidence.gdp[-1] == 0
    file = folder / "data" / "macro.csv"
    lines = file.read_text().splitlines()
    changed = [line.replace("actual", "forecast") if line.split(",")[1] in ("2019", "2022")
               else line for line in lines]
    assert changed != lines
    file.write_text("\n".join([line for line in changed if ",forecast," not in line]) + "\n")
    np.testing.assert_array_equal(fit.read_evidence(folder, as_of=2018).gdp, evidence.gdp)


# The sampler and its diagnostics


def autoregressive(rng, chains, steps, rho):
    noise = rng.standard_normal((chains, steps)) * np.sqrt(1 - rho**2)
    noise[:, 0] /= np.sqrt(1 - rho**2)
    for t in range(1, steps):
        noise[:, t] += rho * noise[:, t - 1]
    return noise


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 1.0), (0.4, 1.0), (0.0, 1.5)])
def test_split_rhat_equals_arviz(shift, scale):
    chains = autoregressive(np.random.default_rng(5), 4, 501, 0.6)
    chains[0] = shift + scale * chains[0]
    assert sampling.split_rhat(chains) == pytest.approx(
        float(arviz.rhat(chains, method="rank")), abs=1e-10)


def test_effective_draws_agree_with_arviz_and_theory():
    rho, walkers, steps = 0.7, 20, 4000
    walks = autoregressive(np.random.default_rng(6), walkers, steps, rho)
    ours = sampling.effective_draws(walks.T[None, :, :, None])[0]
    theory = walkers * steps * (1 - rho) / (1 + rho)
    assert ours == pytest.approx(float(arviz.ess(walks, method="mean")), rel=WINDOW)
    assert ours == pytest.approx(theory, rel=WINDOW)


def normal_density(vectors):
    return -0.5 * np.sum(vectors**2, axis=1)


def test_sampler_finds_a_known_density_and_reports_progress():
    starts = np.random.default_rng(1).normal(0, 3, (2, 12, 2))
    calls = []
    chains = sampling.sample(normal_density, starts, 3000, 4, lambda *step: calls.append(step))
    assert chains.shape == (2, 2000, 12, 2)
    assert calls == [(k, 6000) for k in range(1, 6001)]
    diagnostics = sampling.diagnose(["a", "b"], chains)
    error = 4.5 / np.sqrt(min(size for _, size in diagnostics.values()))
    assert np.max(np.abs(chains.mean((0, 1, 2)))) < error
    assert np.max(np.abs(chains.std((0, 1, 2)) - 1)) < error


@pytest.mark.parametrize(("case", "words"), [
    ("stuck", r"calibration of b \(split R-hat inf, .*; 0 effective draws, at least 400 needed; "
              r"1 of 2 parameters fail; take more steps\) did not converge"),
    ("apart", r"calibration of b \(split R-hat [1-9]\.\d{3}, must be below 1\.01; \d+ effective"),
    ("drifting", r"calibration of b \(split R-hat 1\.\d{3}"),
    ("slow", r"calibration of b \(.*; 0 effective draws, at least 400 needed"),
])
def test_chains_that_did_not_converge_are_refused(case, words):
    rng = np.random.default_rng(8)
    chains = rng.standard_normal((4, 800, 10, 2))
    sampling.diagnose(["a", "b"], chains)
    if case == "stuck":
        chains[..., 1] = np.arange(4)[:, None, None]
    elif case == "apart":
        chains[0, ..., 1] += 2
    elif case == "drifting":
        chains[..., 1] += np.linspace(0, 2, 800)[:, None]
    else:
        walks = autoregressive(rng, 40, 800, 0.995)
        chains[..., 1] = walks.reshape(4, 10, 800).swapaxes(1, 2)
    with pytest.raises(ConvergenceError, match=words):
        sampling.diagnose(["a", "b"], chains)


def test_kept_draws_come_from_all_walkers_and_ensembles_once():
    chains = np.arange(2 * 30 * 5, dtype=float).reshape(2, 30, 5, 1)
    kept = sampling.kept_draws(chains, 40, np.random.default_rng(0))
    assert kept.shape == (40, 1)
    assert len(np.unique(kept)) == 40
    steps = np.unique(kept.astype(int) // 5 % 30)
    np.testing.assert_array_equal(steps, [6, 14, 21, 29])
    assert np.ptp(kept[:10]) > 100  # in random order


# Recovery of what is known


def simulated(evidence, vector, years, rng):
    """Evidence like the committed one, but simulated from a parameter vector."""
    p = {k: v[0] for k, v in fit.unpack(vector[None], evidence).items()}
    shape = (years, 2, 2)
    gdp, rate = np.cumsum(rng.normal(0, 0.15, years)), rng.normal(0, 0.4, years)
    gdp -= gdp[-1]
    closed = (rng.random(years) < 0.15) * rng.random(years)
    sd = p["innovation_sd"]
    u = autoregressive(rng, 2, years, p["persistence"]).T * sd / np.sqrt(1 - p["persistence"]**2)
    flow = (p["constant"] + p["elasticity_gdp"] * gdp[:, None]
            + p["elasticity_exchange_rate"] * rate[:, None]
            + p["closure_effect"] * closed[:, None] + u)
    bias = np.stack([np.zeros(2), p["bias"]], axis=-1)
    scale = rng.choice([1.0, 1.5, 3.0], shape, p=[0.7, 0.2, 0.1])
    value = flow[..., None] + bias + p["error_sd"] * scale * rng.standard_normal(shape)
    value[rng.random(shape) < 0.05] = np.nan
    log_gdp = np.repeat(gdp[:, None] / 2, 2, axis=1)
    history = dataclasses.replace(
        evidence.history, years=tuple(range(2011, 2011 + years)), log_value=value,
        error_scale=scale, log_gdp=log_gdp, exchange_rate=rate, closed_share=closed)
    return dataclasses.replace(evidence, history=history, gdp=gdp), flow


@pytest.mark.slow
def test_known_parameters_and_flows_are_recovered(committed):
    evidence = fit.read_evidence(committed)
    assert isinstance(evidence.history, History)
    rng = np.random.default_rng(12)
    truth = fit.prior_draws(evidence, np.linspace(0.25, 0.75, 16)[rng.permutation(16)])
    data, flow = simulated(evidence, truth, 60, rng)
    starts = fit.starting_points(data, 96, rng)[None]
    chains = sampling.sample(lambda vectors: fit.log_posterior(vectors, data), starts, 1500, 3)
    sampling.diagnose(data.names, chains)
    vectors = sampling.kept_draws(chains, 2000, rng)
    score = (vectors.mean(0) - truth) / vectors.std(0)
    assert np.max(np.abs(score)) < 3, dict(zip(data.names, score.round(1), strict=True))
    low, high = np.percentile(vectors, [5, 95], axis=0)
    assert np.sum((low < truth) & (truth < high)) >= 12  # of 16; 14.4 expected
    rows = fit.summarise(vectors, data, dict.fromkeys(data.names, (1.0, 1e3)))
    assert rows["reference.bias.MNG"]["contraction"] > 0.9
    latent = fit.posterior_dataset(vectors, data, rng)["latent"].to_numpy()
    low, high = np.percentile(latent, [10, 90], axis=0)
    assert np.mean((low < flow) & (flow < high)) == pytest.approx(0.8, abs=0.06)


# Writing


@pytest.mark.usefixtures("small")
def test_same_seed_same_bytes(folder, tmp_path):
    names = (posterior.DATA, posterior.MANIFEST)
    first = fit.calibrate(folder, out=tmp_path / "a", seed=5, steps=SHORT)
    fit.calibrate(folder, out=tmp_path / "b", seed=5, steps=SHORT)
    fit.calibrate(folder, out=tmp_path / "c", seed=6, steps=SHORT)
    a, b, c = ([(tmp_path / run / name).read_bytes() for name in names] for run in "abc")
    assert a == b
    assert a[0] != c[0]
    assert first.manifest == yaml.safe_load(a[1])
    assert first.manifest["command"] == f"tradesim calibrate --seed 5 --steps {SHORT}"
    found = posterior.read_posterior(tmp_path / "a", inputs=folder)
    for name in found.data_vars:  # stored with the seven digits of float32
        np.testing.assert_allclose(found[name].transpose(*first.dataset[name].dims),
                                   first.dataset[name], rtol=1e-6)


def prior_moments(folder, name):
    parameter = fit.read_evidence(folder).priors[name]

    def moment(power):
        def weighted(x):
            return x**power * np.exp(fit.log_density(parameter, np.array(x)))
        return integrate.quad(weighted, parameter.low, parameter.high, points=[0.1, 0.5])[0]

    mean, square = moment(1), moment(2)
    return mean, np.sqrt(square - mean**2)


@pytest.mark.usefixtures("small")
def test_default_replaces_two_files_and_leaves_the_rest(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*")
              if path.is_file() and not path.name.startswith("posterior")}
    calls = []
    done = fit.calibrate(folder, seed=2, steps=SHORT, as_of=2020,
                         progress=lambda *step: calls.append(step))
    assert done.folder == folder
    assert calls[-1] == (2 * SHORT, 2 * SHORT)
    found = posterior.read_posterior(folder)
    assert (found.attrs["as_of"], found.attrs["base_year"]) == (2020, 2020)
    assert found.sizes["year"] == 10
    assert found.attrs["command"] == f"tradesim calibrate --seed 2 --as-of 2020 --steps {SHORT}"
    after = {path: path.read_bytes() for path in folder.rglob("*")
             if path.is_file() and not path.name.startswith("posterior")}
    assert before == after
    rows = fit.table(done)
    assert list(rows.index) == posterior.parameter_names(
        *([str(label) for label in found[dim].values] for dim in ("importer", "reporter")))
    np.testing.assert_allclose(rows["contraction"], 1 - (rows["sd"] / rows["prior_sd"]) ** 2,
                               rtol=1e-3, atol=1e-4)
    innovation = prior_moments(folder, "reference.innovation_sd.MNG")
    assert tuple(rows.loc["reference.innovation_sd.MNG", ["prior_mean", "prior_sd"]]) == (
        pytest.approx(innovation, rel=1e-3))
    evidence = fit.read_evidence(folder, as_of=2020)
    last = fit._mean({name: found[name].to_numpy() for name in posterior.PARAMETERS},
                     evidence)[:, -1]
    np.testing.assert_allclose(found["latent"].to_numpy()[:, -1], last + found["residual"],
                               atol=1e-5)
    assert list(rows.columns) == ["prior_mean", "prior_sd", "mean", "sd", "p05", "p50", "p95",
                                  "contraction", "rhat", "ess"]


@pytest.mark.usefixtures("small")
def test_nothing_is_written_when_the_chains_disagree(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "MAX_RHAT", 1.0)
    before = (folder / posterior.DATA).read_bytes()
    with pytest.raises(ConvergenceError, match=r"calibration of reference\.\S+ \(split R-hat"):
        fit.calibrate(folder, out=tmp_path / "out", steps=30)
    with pytest.raises(ConvergenceError):
        fit.calibrate(folder, steps=30)
    assert not (tmp_path / "out").exists()
    assert (folder / posterior.DATA).read_bytes() == before


def test_a_folder_with_other_files_is_not_replaced(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(InputError, match=r"--out: holds other files \(letter\.txt\)"):
        fit.calibrate(folder, out=tmp_path / "mine")


# The committed posterior


def test_committed_posterior_belongs_to_the_committed_inputs(committed):
    found = posterior.read_posterior(committed)
    manifest = yaml.safe_load((committed / posterior.MANIFEST).read_text())
    assert json.loads(found.attrs["hashes"]) == manifest["inputs"] == (
        posterior.input_hashes(committed))
    for name in posterior.FILES:
        assert manifest["inputs"][name] == sha256(committed / name)
    assert manifest["command"] == found.attrs["command"] == "tradesim calibrate --seed 1"
    assert found.sizes["draw"] == manifest["draws"] == 4000


def test_committed_draws_are_what_the_manifest_says(committed):
    found = posterior.read_posterior(committed)
    evidence = fit.read_evidence(committed)
    manifest = yaml.safe_load((committed / posterior.MANIFEST).read_text())["parameters"]
    parts = [found[name].transpose("draw", *dims).to_numpy().reshape(found.sizes["draw"], -1)
             for name, dims in posterior.PARAMETERS.items()]
    vectors = np.concatenate(parts, axis=1)
    assert np.all(np.isfinite(fit.log_posterior(vectors, evidence)))
    for k, name in enumerate(evidence.names):
        row = manifest[name]
        assert vectors[:, k].mean() == pytest.approx(row["mean"], rel=1e-4, abs=1e-5)
        assert vectors[:, k].std() == pytest.approx(row["sd"], rel=1e-4)
        assert row["rhat"] < sampling.MAX_RHAT
        assert row["ess"] >= sampling.MIN_EFFECTIVE
    full = fit.unpack(vectors, evidence)
    mean = fit._mean(full, evidence)
    latent = found["latent"].transpose("draw", "year", "importer").to_numpy()
    residual = found["residual"].transpose("draw", "importer").to_numpy()
    np.testing.assert_allclose(latent[:, -1] - mean[:, -1], residual, atol=1e-5)


def test_documentation_shows_the_committed_posterior(committed):
    """The table of docs/calibration.md, where the documentation stands beside the data."""
    page = committed.parent / "docs" / "calibration.md"
    if not page.is_file():
        pytest.skip("the documentation is not installed")
    manifest = yaml.safe_load((committed / posterior.MANIFEST).read_text())["parameters"]
    shown = {row[0].strip(" `"): row[1:] for row in
             (line.strip("|").split("|") for line in page.read_text().splitlines()
              if line.startswith("| `"))}
    for name, row in manifest.items():
        cells = [cell.strip() for cell in shown[name.removeprefix(posterior.PREFIX)]]
        assert cells[1] == f"{row['mean']:.2f} ({row['sd']:.2f})"
        assert cells[2] == f"{row['p05']:.2f} to {row['p95']:.2f}"
        assert cells[3] == f"{row['contraction']:.2f}"


def test_committed_flows_track_the_reports(committed):
    found = posterior.read_posterior(committed)
    history = read_history(committed)
    latent = found["latent"].transpose("draw", "year", "importer").to_numpy()
    for r in range(2):
        bias = found["bias"].transpose("draw", "importer").to_numpy() if r else np.zeros((1, 2))
        sd = found["error_sd"].transpose("draw", "importer", "reporter").to_numpy()[..., r]
        score = (history.log_value[..., r] - latent - bias[:, None]) / sd[:, None]
        score = score.mean(axis=0) / history.error_scale[..., r]
        assert np.nanmax(np.abs(score)) < 2  # docs/model.md: why errors are normal
        assert np.all(np.abs(np.nanmean(score, axis=0)) < 0.5)


# Reading a posterior that is wrong


def rewrite(folder, change, *, signed=True):
    """Change the data set of a posterior; `signed` makes the manifest agree with it."""
    file = folder / posterior.DATA
    with xr.open_dataset(file, engine="scipy") as opened:
        dataset = opened.load()
    file.write_bytes(change(dataset).to_netcdf(engine="scipy"))
    if signed:
        manifest = folder / posterior.MANIFEST
        data = yaml.safe_load(manifest.read_text())
        manifest.write_text(yaml.safe_dump({**data, "posterior_sha256": sha256(file)}))


def with_nan(dataset):
    dataset["bias"][3, 0] = np.nan
    return dataset


WRONG = {
    "missing": (lambda f: (f / "posterior.nc").unlink(), "there is no posterior here"),
    "garbage": (lambda f: (f / "posterior.nc").write_bytes(b"garbage" * 99),
                r"is damaged or no netCDF file"),
    "empty": (lambda f: (f / "posterior.nc").write_bytes(b""), r"is damaged or no netCDF file"),
    "truncated": (lambda f: (f / "posterior.nc").write_bytes(
        (f / "posterior.nc").read_bytes()[:300_000]), "is damaged"),
    "a changed byte": (lambda f: rewrite(f, lambda d: d.assign(bias=d["bias"] + 0.01),
                                         signed=False),
                       r"is damaged: its SHA-256 is not the one in posterior\.yaml"),
    "no manifest": (lambda f: (f / "posterior.yaml").unlink(), r"has no posterior\.yaml beside"),
    "no variable": (lambda f: rewrite(f, lambda d: d.drop_vars("latent")),
                    "holds no variable 'latent'"),
    "dimensions": (lambda f: rewrite(f, lambda d: d.assign(residual=d["residual"].isel(draw=0))),
                   r"'residual' has dimensions \('importer',\), not \('draw', 'importer'\)"),
    "NaN": (lambda f: rewrite(f, with_nan), "'bias' holds values that are not finite"),
    "labels": (lambda f: rewrite(f, lambda d: d.assign_coords(importer=["AAA", "BBB"])),
               r"is for importers AAA, BBB, but pair\.yaml has "),
    "attributes": (lambda f: rewrite(f, lambda d: d.drop_attrs().assign_attrs(seed=1)),
                   "lacks the attributes as_of, base_year, hashes"),
    "later data": (lambda f: rewrite(f, lambda d: d.assign_attrs(as_of=2031)),
                   "was fitted to data up to 2031, but the data end in 2024"),
    "other data": (lambda f: (f / "data/corridor.csv").write_bytes(
        (f / "data/corridor.csv").read_bytes() + b"\n"),
                   r"belongs to other inputs; changed since: data/corridor\.csv"),
    "other prior": (lambda f: (f / "parameters.yaml").write_text(
        (f / "parameters.yaml").read_text().replace("{kind: beta, a: 5.0, b: 5.0}",
                                                    "{kind: beta, a: 5.0, b: 6.0}")),
                    r"changed since: parameters\.yaml: calibrated entries"),
    "other years": (lambda f: (f / "pair.yaml").write_text(
        (f / "pair.yaml").read_text().replace("first_year: 2011", "first_year: 2012")),
                    r"changed since: pair\.yaml: countries, counts and years"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_posterior_is_one_clear_error(folder, case):
    posterior.read_posterior(folder)
    spoil, words = WRONG[case]
    spoil(folder)
    with pytest.raises(InputError, match=words) as caught:
        posterior.read_posterior(folder)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(str(folder / "posterior.nc"))
    assert str(caught.value).endswith("run `tradesim calibrate`")


def test_what_does_not_enter_the_fit_leaves_the_posterior_valid(folder):
    file = folder / "parameters.yaml"
    text = file.read_text()
    file.write_text(text.replace("{kind: beta, a: 13.0, b: 30.0}",
                                 "{kind: beta, a: 12.0, b: 30.0}"))
    assert file.read_text() != text
    pair = folder / "pair.yaml"
    data = yaml.safe_load(pair.read_text())
    pair.write_text(yaml.safe_dump({**data, "title": "Another title"}, sort_keys=False))
    posterior.read_posterior(folder)


def test_a_missing_input_is_named(folder):
    (folder / "data/macro.csv").unlink()
    with pytest.raises(InputError, match=r"data/macro\.csv: file is missing"):
        posterior.read_posterior(folder)
