"""Identification: overlap, predictive checks, years left out, simulation; and the page."""

import dataclasses
import importlib.util
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tradesim.cli import app as cli
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import Parameter, quantile, read_parameters
from tradesim.inputs.posterior import read_posterior
from tradesim.reference.likelihood import (
    log_posterior,
    log_prior,
    prior_draws,
    read_evidence,
    unpack,
)
from tradesim.reports import identification as identification_figure
from tradesim.reports import identify
from tradesim.studies import identification as checks
from tradesim.studies import identification_table

with warnings.catch_warnings():  # the oracle announces its successor when imported
    warnings.simplefilter("ignore")
    try:
        import arviz
    except ImportError:
        import arviz_stats as arviz

KERNEL = 0.02
"""Area by which a kernel estimate from 4,000 draws misses."""
DRAWS = 4000
SIMULATIONS = 40
"""Simulations that tell a wrong fit from a right one within a minute."""


def prior(least=-30.0, most=30.0, **shape):
    return Parameter(name="reference.x", title="x", unit="log", source="-", distribution=shape,
                     low=least, high=most, grade="C", calibrated=True)


NORMAL = prior(kind="normal", mean=1.0, sd=2.0)
MIDDLE = (np.arange(DRAWS) + 0.5) / DRAWS


@pytest.fixture(scope="module")
def evidence():
    return read_evidence(calibration_folder())


@pytest.fixture(scope="module")
def vectors(evidence):
    """Draws near the posterior: the prior ones that the data leave likeliest, and their kin."""
    rng = np.random.default_rng(3)
    drawn = prior_draws(evidence, rng.uniform(0.001, 0.999, (20_000, len(evidence.priors))))
    return drawn[np.argsort(-log_posterior(drawn, evidence))[:2000]]


# Prior against posterior


def test_contraction_is_the_variance_that_went():
    assert checks.contraction(4.0, np.array([-1.0, 1.0])) == pytest.approx(0.75)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 2.0])
def test_overlap_of_normals_in_closed_form(shift):
    """Equal spreads a distance of d standard deviations apart: 2 Φ(-d / 2)."""
    found = checks.overlap(NORMAL, stats.norm(1.0 + 2.0 * shift, 2.0).ppf(MIDDLE))
    assert found == pytest.approx(2 * stats.norm.cdf(-shift / 2), abs=KERNEL)


def test_overlap_of_a_narrower_normal():
    """Spreads s and s / r about one mean cross where z² = 2 ln r / (r² - 1), z = x / s."""
    ratio = 3.0
    cross = np.sqrt(2 * np.log(ratio) / (ratio**2 - 1))
    expected = 1 - 2 * (stats.norm.cdf(ratio * cross) - stats.norm.cdf(cross))
    found = checks.overlap(NORMAL, stats.norm(1.0, 2.0 / ratio).ppf(MIDDLE))
    assert found == pytest.approx(expected, abs=KERNEL)


def test_overlap_is_the_same_on_a_log_scale():
    wide = prior(0.0, 1e6, kind="lognormal", median=2.0, sd=0.7)
    straight = prior(kind="normal", mean=np.log(2.0), sd=0.7)
    draws = stats.norm(0.2, 0.3).ppf(MIDDLE)
    assert checks.overlap(wide, np.exp(draws)) == pytest.approx(
        checks.overlap(straight, draws), abs=1e-3)


@pytest.mark.parametrize("made", [
    prior(0.0, 0.98, kind="beta", a=5.0, b=5.0),
    prior(-1.0, 2.0, kind="uniform", low=-1.0, high=2.0),
    prior(-0.5, 0.5, kind="normal", mean=0.0, sd=1.0)], ids=lambda made: made.distribution.kind)
def test_a_prior_overlaps_with_itself_up_to_its_bounds(made):
    assert checks.overlap(made, quantile(made, MIDDLE)) == pytest.approx(1.0, abs=KERNEL)


# Predictive checks


def test_statistics_of_series_by_hand():
    """Counts 1, 3, 2, 4 and a second that is one higher, then two, one, two."""
    series = np.array([[1.0, 2.0], [3.0, 5.0], [2.0, 3.0], [4.0, 6.0]])[:, None]
    found = checks.statistics(series, ("J",), ("R", "S"))
    assert found["growth_sd.J.R"] == pytest.approx(np.std([2, -1, 2]))
    assert found["growth_autocorrelation.J.R"] == pytest.approx(-4 / 6)  # of 1, -2, 1
    assert found["gap_sd.J.S"] == pytest.approx(0.5)
    assert found["gap_autocorrelation.J.S"] == pytest.approx(-0.75)
    assert found["gap_trend.J.S"] == pytest.approx(0.2)
    assert set(found) == {"growth_sd.J.R", "growth_sd.J.S", "growth_autocorrelation.J.R",
                          "growth_autocorrelation.J.S", "gap_sd.J.S", "gap_autocorrelation.J.S",
                          "gap_trend.J.S"}


def test_statistics_pass_over_gaps():
    series = np.array([[1, 2], [2, 4], [np.nan, 5], [4, 8], [6, 11]])[:, None]
    found = checks.statistics(series, ("J",), ("R", "S"))
    assert found["growth_sd.J.R"] == pytest.approx(np.std([1, 2]))
    assert found["gap_trend.J.S"] == pytest.approx(1.0)


def test_replicated_reports_have_the_moments_of_the_model(evidence):
    vector = np.array([quantile(item, np.array(0.5)) for item in evidence.priors.values()])
    made = checks.replicate(evidence, np.broadcast_to(vector, (40_000, len(vector))),
                            np.random.default_rng(1))
    parts = {name: part[0] for name, part in unpack(vector[None], evidence).items()}
    flow = parts["innovation_sd"]**2 / (1 - parts["persistence"]**2)
    variance = flow[:, None] + (parts["error_sd"] * evidence.history.error_scale[5])**2
    assert made[:, 5].var(axis=0) == pytest.approx(variance, rel=0.04)
    both = np.mean((made[:, 5, 0, 0] - made[:, 5, 0, 0].mean())
                   * (made[:, 4, 0, 0] - made[:, 4, 0, 0].mean()))
    assert both == pytest.approx((parts["persistence"] * flow)[0], rel=0.05)
    gap = (made[..., 1] - made[..., 0]).mean(axis=(0, 1))
    assert gap == pytest.approx(parts["bias"], abs=0.01)


def test_missing_reports_stay_missing(evidence, vectors):
    made = checks.replicate(checks.without(evidence, 2015), vectors[:3], np.random.default_rng(1))
    place = evidence.history.years.index(2015)
    assert np.isnan(made[:, place]).all()
    assert not np.isnan(np.delete(made, place, axis=1)).any()


# Years left out


@settings(deadline=None, max_examples=20)
@given(shift=st.floats(-0.8, 0.8), seed=st.integers(0, 1000))
def test_importance_moves_a_normal(shift, seed):
    """Weights exp(d x - d²/2) turn N(0, 1) into N(d, 1)."""
    draws = np.random.default_rng(seed).standard_normal(4000)
    found = checks.importance(shift * draws - shift**2 / 2)
    assert found.weight.sum() == pytest.approx(1.0)
    assert (found.weight * draws).sum() == pytest.approx(shift, abs=0.13)
    assert found.effective == pytest.approx(4000 * np.exp(-shift**2), rel=0.35)
    assert found.shape < checks.PARETO


@pytest.mark.parametrize("degrees", [1.0, 2.0, 4.0, 30.0])
def test_tail_of_weights_as_arviz_has_it(degrees):
    """Ratios with a Pareto tail of shape 1 / degrees; both estimate it from the same tail."""
    draws = np.random.default_rng(2).pareto(degrees, 4000)
    _, expected = arviz.psislw(np.log1p(draws).copy())
    assert checks.importance(np.log1p(draws)).shape == pytest.approx(float(expected), abs=0.12)


def test_weights_that_fail_are_called_so():
    draws = np.random.default_rng(2).pareto(0.8, 4000)
    assert checks.importance(np.log1p(draws)).shape > checks.PARETO
    assert checks.importance(np.zeros(1000)).effective == pytest.approx(1000)


def test_what_leaving_a_year_out_takes_away(evidence, vectors):
    """Chain rule, second route: the density without the last year is that of a shorter series."""
    last = evidence.history.years[-1]
    less = checks.without(evidence, last)
    history = evidence.history
    short = dataclasses.replace(
        evidence, size=evidence.size[:-1],
        history=dataclasses.replace(
            history, years=history.years[:-1], log_value=history.log_value[:-1],
            error_scale=history.error_scale[:-1], exchange_rate=history.exchange_rate[:-1],
            closed_share=history.closed_share[:-1]))
    assert checks.log_evidence(vectors, less) == pytest.approx(
        checks.log_evidence(vectors, short), rel=1e-12)
    full = checks.log_evidence(vectors, evidence) + log_prior(vectors, evidence)
    assert full == pytest.approx(log_posterior(vectors, evidence), rel=1e-12)


def test_projection_grows_with_the_elasticity(evidence, vectors):
    """One more of the elasticity adds the growth of both GDPs; exact to all digits."""
    more = vectors.copy()
    more[:, evidence.names.index("reference.elasticity_gdp")] += 0.1
    less = dataclasses.replace(evidence, history=dataclasses.replace(
        evidence.history, log_value=np.full_like(evidence.history.log_value, np.nan)))
    growth = (evidence.history.forecast.log_gdp[checks.AHEAD - 1].sum()
              - evidence.history.log_gdp[evidence.history.years.index(2023)].sum())
    gain = checks.log_turnover(more, less) - checks.log_turnover(vectors, less)
    assert gain == pytest.approx(0.1 * growth, rel=1e-9)


@pytest.mark.slow
def test_weights_and_a_new_fit_agree(evidence):
    """Two routes to the posterior without a year."""
    fitted = checks.fit(evidence, 1)
    weighted = checks.influence(evidence, fitted, 2024)
    again = checks.fit(checks.without(evidence, 2024), 2)
    assert not weighted.refitted
    place = evidence.names.index("reference.elasticity_gdp")
    change = np.median(again[:, place]) - np.median(fitted[:, place])
    assert weighted.change["elasticity"] == pytest.approx(change, abs=0.03)
    assert weighted.shift["elasticity"] > 0.4


# Simulation


def test_uniform_ranks_pass_and_others_fail():
    rng = np.random.default_rng(1)
    even = rng.integers(0, 64, (SIMULATIONS, 200))
    assert (checks.uniformity(even) < 0.05).mean() == pytest.approx(0.05, abs=0.05)
    for wrong in (even // 2, 16 + even // 2, np.where(even < 32, even // 2, 32 + even // 2)):
        assert np.median(checks.uniformity(wrong)) < 0.002


def test_dispersion_of_ranks():
    """One for ranks that are uniform, three at both ends, near zero in the middle."""
    even = np.repeat(np.arange(64)[:, None], 2, axis=1)
    assert checks.dispersion(even) == pytest.approx(1 - 1 / 64**2)
    assert checks.dispersion(np.where(even < 32, 0, 63)) == pytest.approx(3 * (63 / 64) ** 2)
    assert checks.dispersion(0 * even + 31) == pytest.approx(12 / 128**2)


def test_order_of_the_work_does_not_matter(evidence, monkeypatch):
    """Processes finish in any order; ranks stand by the number of the simulation."""
    def backwards(work, tasks):
        return iter([work(task) for task in tasks][::-1])

    monkeypatch.setattr(checks, "rank", lambda task: (task.number, np.array([task.number])))
    assert checks.ranks(evidence, 5, mapper=backwards).ravel().tolist() == [0, 1, 2, 3, 4]


@pytest.mark.slow
def test_fits_know_how_much_they_know(evidence):
    """Simulation-based calibration: true parameters have uniform ranks among fitted ones.

    Each parameter alone, and all together, where too narrow a posterior shows with few fits.
    """
    found = checks.ranks(evidence, 20, seed=1)
    assert found.shape == (20, len(evidence.priors))
    least = checks.uniformity(found)
    assert least.min() > 0.01 / len(least), dict(zip(evidence.names, least.round(4), strict=True))
    assert checks.uniformity(found.reshape(-1, 1)) > 0.001
    assert stats.kstest((found.ravel() + 0.5) / 64, "uniform").pvalue > 0.001


# The table, the command, the page and the figure

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "identification.md"


@pytest.fixture(scope="module")
def committed():
    return identification_table.read(calibration_folder())


def evidence_script():
    """The script that writes the pages."""
    spec = importlib.util.spec_from_file_location("make_evidence",
                                                  ROOT / "docs" / "evidence" / "make_evidence.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def value(frame, parameter, check, key):
    rows = frame[(frame["parameter"] == parameter) & (frame["check"] == check)
                 & (frame["key"] == key)]
    return rows["value"].item()


def test_table_belongs_to_the_posterior(committed):
    """After a new fit: run `tradesim identify --simulations 200`."""
    folder = calibration_folder()
    vectors = identification_table.vectors_of(read_posterior(folder))
    for k, (parameter, item) in enumerate(read_evidence(folder).priors.items()):
        before = quantile(item, (np.arange(20_000) + 0.5) / 20_000).var()
        assert value(committed, parameter, "identified", "contraction") == (
            pytest.approx(checks.contraction(before, vectors[:, k]), abs=1e-5))
        assert value(committed, parameter, "identified", "overlap") == pytest.approx(
            checks.overlap(item, vectors[:, k]), abs=1e-4)


def test_vectors_of_a_posterior_are_those_that_were_packed(evidence):
    dataset = read_posterior(calibration_folder())
    parts = unpack(identification_table.vectors_of(dataset), evidence)
    for key, part in parts.items():
        assert part == pytest.approx(dataset[key].to_numpy(), rel=1e-12)


def test_page_shows_the_table():
    script = evidence_script()
    page = PAGE.read_text(encoding="utf-8")
    assert script.fill(page, script.identification_tables(calibration_folder())) == page


def test_prose_of_the_page_is_true(committed):
    """What the page calls known, half known and not known."""
    def learnt(parameter):
        return value(committed, f"reference.{parameter}", "identified", "contraction")

    for known in ("bias.MNG", "bias.KAZ", "constant.MNG", "constant.KAZ", "innovation_sd.MNG"):
        assert learnt(known) > 0.75
    assert 0.3 < learnt("elasticity_gdp") < 0.8
    assert 0.3 < learnt("closure_effect.MNG") < 0.8
    for unknown in ("elasticity_exchange_rate.KAZ", "closure_effect.KAZ"):
        assert learnt(unknown) < 0.4
    assert abs(value(committed, "elasticity", "left_out", "2024")) > 0.4
    others = [abs(value(committed, "elasticity", "left_out", str(year)))
              for year in range(2011, 2024)]
    assert max(others) < 0.45
    for series in ("MNG.KAZ", "MNG.MNG", "KAZ.KAZ"):
        assert value(committed, f"growth_sd.{series}", "predictive", "p_value") > 0.5
        assert value(committed, f"growth_autocorrelation.{series}", "predictive",
                     "p_value") < 0.25
    for series in ("MNG.MNG", "KAZ.MNG"):
        for what in ("gap_sd", "gap_autocorrelation", "gap_trend"):
            assert 0.05 < value(committed, f"{what}.{series}", "predictive",
                                "p_value") < 0.95
    overlaps = committed[(committed["check"] == "identified") & (committed["key"] == "overlap")]
    assert overlaps["value"].min() > 0.05


def rows(given):
    return [{"parameter": parameter, "check": check, "key": key, "value": number}
            for (parameter, check), keys in given.items() for key, number in keys.items()]


def test_command_prints_and_writes(tmp_path, monkeypatch):
    spread = {"mean": 1.0, "sd": 0.25, "p05": 0.6, "p50": 1.0, "p95": 1.4}
    frame = pd.DataFrame(rows(given={
        ("reference.x", "prior"): spread, ("reference.x", "posterior"): spread | {"sd": 0.1},
        ("reference.x", "identified"): {"contraction": 0.84, "overlap": 0.4321},
        ("growth_sd.A.B", "predictive"): {"observed": 0.36, "p05": 0.27, "p95": 0.6,
                                          "p_value": 0.7123},
        ("elasticity", "left_out"): {"2011": -0.241}}))
    monkeypatch.setattr(identification_table, "identify", lambda *_, **__: frame)
    out = tmp_path / "checks.csv"
    done = CliRunner().invoke(cli.cli, ["identify", "--out", str(out), "--report",
                                        str(tmp_path / "page")])
    assert done.exit_code == 0, done.output
    assert "at least half of what was unknown about 1 of the 1 fitted numbers" in done.output
    assert {path.name for path in (tmp_path / "page").iterdir()} == {"report.html", "figures"}
    text = " ".join(done.output.split())
    for said in ("reference.x 1 ± 0.25 1 ± 0.1 0.6 to 1.4 84 % 43 %",
                 "growth_sd.A.B 0.36 0.27 to 0.60 0.71", "2011 -0.24", f"Written: {out}"):
        assert said in text
    assert out.read_text().splitlines()[0] == "parameter,check,key,value"
    assert "elasticity,left_out,2011,-0.241" in out.read_text()


def test_the_answer_in_words_is_that_of_the_table():
    folder = calibration_folder()
    frame = identification_table.read(folder)
    known, pair = read_parameters(folder), read_pair(folder)
    text = " ".join(identify.outcome(frame, known, pair).split())

    def of(check, key):
        rows = frame[(frame["check"] == check) & (frame["key"] == key)]
        return rows.set_index("parameter")["value"].astype(float)

    learnt = of("identified", "contraction")
    many, every = re.search(r"about (\d+) of the (\d+) fitted numbers", text).groups()
    assert (int(many), int(every)) == ((learnt >= 0.5).sum(), len(learnt))
    assert f"most of all {known[learnt.idxmax()].title} ({100 * learnt.max():.0f} %)" in text
    little = learnt[learnt < 0.25].sort_values()
    assert f"about {len(little)}, where" in text
    assert all(f"{known[name].title} ({100 * share:.0f} %)" in text
               for name, share in little.items())
    p_value = of("predictive", "p_value")
    odd = p_value[(p_value <= 0.05) | (p_value >= 0.95)]
    assert f"Of {len(p_value)} properties of the reported series, {len(odd)} would be rare" in text
    shifts = frame[frame["check"] == "left_out"]
    for name, phrase in (("elasticity", "the elasticity of trade to GDP"),
                         ("turnover", "turnover of the last projected year")):
        mine = shifts[shifts["parameter"] == name].set_index("key")["value"].astype(float).abs()
        assert (f"{phrase} by at most {mine.max():.2f} standard deviations (without "
                f"{mine.idxmax()})") in text


def test_a_folder_that_cannot_be_written(tmp_path):
    frame = pd.DataFrame({name: [1.0] for name in identification_table.COLUMNS})
    (tmp_path / "taken").touch()
    with pytest.raises(InputError, match="taken"):
        identification_table.write(frame, tmp_path / "taken" / "x.csv")


def test_no_table_is_no_error(tmp_path):
    assert identification_table.read(tmp_path) is None


def test_figure_shows_each_belief():
    draws = np.random.default_rng(1).normal(1.0, 0.2, 500)
    panels = [identification_figure.Belief(f"panel {k}", "a to b", draws + 0.1, draws, 0.5)
              for k in range(5)]
    figure = identification_figure.identification(panels)
    assert [axes.get_title(loc="left") or axes.get_title() for axes in figure.axes] == [
        f"panel {k}" for k in range(5)]
    assert "overlap with before 50 %" in figure.axes[0].get_xlabel()
    assert len(figure.axes[0].lines) == 1


def test_beliefs_are_of_the_larger_flow():
    folder = calibration_folder()
    found = identification_figure.beliefs(read_pair(folder), read_parameters(folder),
                                          read_posterior(folder))
    assert len(found) == len(identification_figure.SHOWN)
    assert found[0].flow == "both directions"
    assert found[1].flow == "Kazakhstan to Mongolia"
    assert all(0 < belief.overlap < 1 for belief in found)
