"""Calibration: the sampler and its diagnostics, writing, the committed posterior."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import integrate

from tradesim.common import output
from tradesim.common.errors import ConvergenceError, InputError
from tradesim.common.files import sha256
from tradesim.inputs import posterior
from tradesim.inputs.history import read_history
from tradesim.reference import calibrate, mcmc
from tradesim.reference.likelihood import explained, log_density, log_posterior, read_evidence

with warnings.catch_warnings():  # the oracle announces its successor when imported
    warnings.simplefilter("ignore")
    try:
        import arviz
    except ImportError:
        import arviz_stats as arviz

WINDOW = 0.1  # emcee cuts the sum of autocorrelations off at five times the time: 5 % too short
SHORT = 400  # steps of the runs that test reading and writing, not convergence


@pytest.fixture
def small(monkeypatch):
    """A sampler that is quick and lenient, for what does not depend on its quality."""
    monkeypatch.setattr(calibrate, "WALKERS", 34)
    monkeypatch.setattr(calibrate, "ENSEMBLES", 2)
    monkeypatch.setattr(calibrate, "DRAWS", 100)
    monkeypatch.setattr(mcmc, "MAX_RHAT", 3.0)
    monkeypatch.setattr(mcmc, "MIN_EFFECTIVE", 0)


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
    assert mcmc.split_rhat(chains) == pytest.approx(
        float(arviz.rhat(chains, method="rank")), abs=1e-10)


def test_effective_draws_agree_with_arviz_and_theory():
    rho, walkers, steps = 0.7, 20, 4000
    walks = autoregressive(np.random.default_rng(6), walkers, steps, rho)
    ours = mcmc.effective_draws(walks.T[None, :, :, None])[0]
    theory = walkers * steps * (1 - rho) / (1 + rho)
    assert ours == pytest.approx(float(arviz.ess(walks, method="mean")), rel=WINDOW)
    assert ours == pytest.approx(theory, rel=WINDOW)


def normal_density(vectors):
    return -0.5 * np.sum(vectors**2, axis=1)


def test_sampler_finds_a_known_density_and_reports_progress():
    starts = np.random.default_rng(1).normal(0, 3, (2, 12, 2))
    calls = []
    chains = mcmc.sample(normal_density, starts, 3000, 4, lambda *step: calls.append(step))
    assert chains.shape == (2, 2000, 12, 2)
    assert calls == [(k, 6000) for k in range(1, 6001)]
    diagnostics = mcmc.diagnose(["a", "b"], chains)
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
    mcmc.diagnose(["a", "b"], chains)
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
        mcmc.diagnose(["a", "b"], chains)


def test_kept_draws_come_from_all_walkers_and_ensembles_once():
    chains = np.arange(2 * 30 * 5, dtype=float).reshape(2, 30, 5, 1)
    kept = mcmc.kept_draws(chains, 40, np.random.default_rng(0))
    assert kept.shape == (40, 1)
    assert len(np.unique(kept)) == 40
    steps = np.unique(kept.astype(int) // 5 % 30)
    np.testing.assert_array_equal(steps, [6, 14, 21, 29])
    assert np.ptp(kept[:10]) > 100  # in random order


# Writing


@pytest.mark.usefixtures("small")
def test_a_kill_leaves_the_old_calibration_or_the_new_one_whole(folder, monkeypatch):
    calibrate.calibrate(folder, seed=5, steps=SHORT)
    before = (folder / posterior.DATA).read_bytes()
    others = sorted(path.name for path in folder.iterdir())

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(output, "_take_place", killed)
        with pytest.raises(KeyboardInterrupt):
            calibrate.calibrate(folder, seed=6, steps=SHORT)
    assert (folder / posterior.DATA).read_bytes() == before
    posterior.read_posterior(folder)
    calibrate.calibrate(folder, seed=6, steps=SHORT)
    assert (folder / posterior.DATA).read_bytes() != before
    posterior.read_posterior(folder)
    assert sorted(path.name for path in folder.iterdir()) == others
    assert not [path.name for path in folder.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.usefixtures("small")
def test_same_seed_same_bytes(folder, tmp_path):
    names = (posterior.DATA, posterior.MANIFEST)
    first = calibrate.calibrate(folder, out=tmp_path / "a", seed=5, steps=SHORT)
    calibrate.calibrate(folder, out=tmp_path / "b", seed=5, steps=SHORT)
    calibrate.calibrate(folder, out=tmp_path / "c", seed=6, steps=SHORT)
    a, b, c = ([(tmp_path / run / name).read_bytes() for name in names] for run in "abc")
    assert a == b
    assert a[0] != c[0]
    assert first.manifest == yaml.safe_load(a[1])
    assert first.manifest["command"] == f"tradesim calibrate --seed 5 --steps {SHORT}"
    found = posterior.read_posterior(tmp_path / "a", inputs=folder)
    for name in found.data_vars:  # stored with the seven digits of float32
        np.testing.assert_allclose(found[name].transpose(*first.dataset[name].dims),
                                   first.dataset[name], rtol=1e-6)
    row = first.manifest["parameters"]["reference.bias.MNG"]
    assert float(found["bias"][:, 0].mean()) == pytest.approx(row["mean"], rel=1e-5)


def prior_moments(folder, name):
    parameter = read_evidence(folder).priors[name]

    def moment(power):
        def weighted(x):
            return x**power * np.exp(log_density(parameter, np.array(x)))
        return integrate.quad(weighted, parameter.low, parameter.high, points=[0.1, 0.5])[0]

    mean, square = moment(1), moment(2)
    return mean, np.sqrt(square - mean**2)


@pytest.mark.usefixtures("small")
def test_default_replaces_two_files_and_leaves_the_rest(folder):
    before = {path: path.read_bytes() for path in folder.rglob("*")
              if path.is_file() and not path.name.startswith("posterior")}
    calls = []
    done = calibrate.calibrate(folder, seed=2, steps=SHORT, as_of=2020,
                               progress=lambda *step: calls.append(step))
    assert done.folder == folder
    assert calls[-1] == (2 * SHORT, 2 * SHORT)
    assert [step for step, _ in calls] == sorted(step for step, _ in calls)
    found = posterior.read_posterior(folder)
    assert (found.attrs["as_of"], found.attrs["base_year"]) == (2020, 2020)
    assert found.sizes["year"] == 10
    assert found.attrs["command"] == f"tradesim calibrate --seed 2 --as-of 2020 --steps {SHORT}"
    after = {path: path.read_bytes() for path in folder.rglob("*")
             if path.is_file() and not path.name.startswith("posterior")}
    assert before == after
    rows = pd.DataFrame.from_dict(done.manifest["parameters"], orient="index")
    assert list(rows.index) == read_evidence(folder).names
    np.testing.assert_allclose(rows["contraction"], 1 - (rows["sd"] / rows["prior_sd"]) ** 2,
                               rtol=1e-3, atol=1e-4)
    innovation = prior_moments(folder, "reference.innovation_sd.MNG")
    assert tuple(rows.loc["reference.innovation_sd.MNG", ["prior_mean", "prior_sd"]]) == (
        pytest.approx(innovation, rel=1e-3))
    last = explained({key: found[key].to_numpy() for key in posterior.PARAMETERS},
                     read_evidence(folder, as_of=2020))[:, -1]
    np.testing.assert_allclose(found["latent"].to_numpy()[:, -1], last + found["residual"],
                               atol=1e-5)
    assert list(rows.columns) == ["prior_mean", "prior_sd", "mean", "sd", "p05", "p50", "p95",
                                  "contraction", "rhat", "ess"]


@pytest.mark.usefixtures("small")
def test_nothing_is_written_when_the_chains_disagree(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(mcmc, "MAX_RHAT", 1.0)
    before = (folder / posterior.DATA).read_bytes()
    with pytest.raises(ConvergenceError,
                       match=r"calibration of reference\.\S+ \(split R-hat"):
        calibrate.calibrate(folder, out=tmp_path / "out", steps=30)
    with pytest.raises(ConvergenceError):
        calibrate.calibrate(folder, steps=30)
    assert not (tmp_path / "out").exists()
    assert (folder / posterior.DATA).read_bytes() == before


def test_a_folder_with_other_files_is_not_replaced(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(InputError, match=r"--out: holds other files \(letter\.txt\)"):
        calibrate.calibrate(folder, out=tmp_path / "mine")


# The committed posterior


def manifest_of(folder):
    return yaml.safe_load((folder / posterior.MANIFEST).read_text())


def test_committed_posterior_belongs_to_the_committed_inputs(committed):
    found = posterior.read_posterior(committed)
    manifest = manifest_of(committed)
    assert json.loads(found.attrs["hashes"]) == manifest["inputs"] == (
        posterior.input_hashes(committed))
    for name in posterior.FILES:
        assert manifest["inputs"][name] == sha256(committed / name)
    assert manifest["command"] == found.attrs["command"]
    assert found.attrs["command"].startswith("tradesim calibrate --seed 1")
    assert found.sizes["draw"] == manifest["draws"] == calibrate.DRAWS
    assert list(manifest["parameters"]) == read_evidence(committed).names


def test_committed_draws_are_what_the_manifest_says(committed):
    found, evidence = posterior.read_posterior(committed), read_evidence(committed)
    vectors = np.concatenate([
        found[key].transpose("draw", *dims).to_numpy().reshape(found.sizes["draw"], -1)
        for key, dims in posterior.PARAMETERS.items()], axis=1)
    inside = np.clip(vectors, *np.array([(prior.low, prior.high)
                                         for prior in evidence.priors.values()]).T)
    assert np.all(np.isfinite(log_posterior(inside, evidence)))
    np.testing.assert_allclose(inside, vectors, rtol=1e-6)
    for k, parameter in enumerate(evidence.names):
        row = manifest_of(committed)["parameters"][parameter]
        assert vectors[:, k].mean() == pytest.approx(row["mean"], rel=1e-4, abs=1e-5)
        assert vectors[:, k].std() == pytest.approx(row["sd"], rel=1e-4)
        assert row["rhat"] < mcmc.MAX_RHAT
        assert row["ess"] >= mcmc.MIN_EFFECTIVE
    mean = explained({key: found[key].to_numpy() for key in posterior.PARAMETERS}, evidence)
    latent = found["latent"].transpose("draw", "year", "importer").to_numpy()
    residual = found["residual"].transpose("draw", "importer").to_numpy()
    np.testing.assert_allclose(latent[:, -1] - mean[:, -1], residual, atol=1e-5)


def test_documentation_shows_the_committed_posterior(committed):
    """The tables of docs/calibration.md, where the documentation stands beside the data."""
    page = committed.parent / "docs" / "calibration.md"
    if not page.is_file():
        pytest.skip("the documentation is not installed")
    text = page.read_text(encoding="utf-8")
    shown = {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in
             (line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `"))}
    for name, row in manifest_of(committed)["parameters"].items():
        cells = shown[name.removeprefix(posterior.PREFIX)]
        assert cells[1] == f"{row['mean']:.2f} ({row['sd']:.2f})", name
        assert cells[2] == f"{row['p05']:.2f} to {row['p95']:.2f}", name
        assert cells[3] == f"{row['contraction']:.2f}", name


def test_committed_flows_track_the_reports(committed):
    found, history = posterior.read_posterior(committed), read_history(committed)
    latent = found["latent"].transpose("draw", "year", "importer").to_numpy()
    for r in range(2):
        bias = found["bias"].transpose("draw", "importer").to_numpy() if r else np.zeros((1, 2))
        sd = found["error_sd"].transpose("draw", "importer", "reporter").to_numpy()[..., r]
        gap = history.log_value[..., r] - latent - bias[:, None]
        score = (gap / sd[:, None]).mean(axis=0) / history.error_scale[..., r]
        assert np.nanmax(np.abs(score)) < 2.5  # docs/model.md: why errors are normal
        assert np.all(np.abs(np.nanmean(score, axis=0)) < 0.5)
