"""The back-test on other pairs: rivals against statsmodels, skill where it is known, going on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from statsmodels.regression.linear_model import OLS
from statsmodels.tsa.holtwinters import ExponentialSmoothing

import made_up_panel as made
from tradesim.cli import app as cli
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.trade_panel import read_panel
from tradesim.reference.matched_pairs import Matching, matched, volatility
from tradesim.reference.one_count import Priors
from tradesim.studies.backtest import benchmarks, panel_rivals
from tradesim.studies.backtest import panel as studies

PRIORS = Priors((made.ELASTICITY, 0.3), (8.0, 2.0), (0.25, 0.5), (0.15, 0.6))
# statsmodels' likelihood of a random walk is found by a search.
SEARCHED = 1e-3
# Nodes of the grid are up to 0.15 apart, so that the top of the likelihood is missed by a little.
GRID = 0.02


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    return read_panel(made.write(tmp_path_factory.mktemp("panel")))


@pytest.fixture(scope="module")
def scored(panel):
    return studies.run_panel(panel, PRIORS)


@pytest.fixture(scope="module")
def series():
    rng = np.random.default_rng(5)
    return 17 + np.cumsum(0.03 + 0.3 * rng.standard_normal((6, 14)), axis=1)


@pytest.mark.parametrize("name", ["random_walk", "drift"])
def test_walks_are_those_of_statsmodels(series, name):
    mean, sd = panel_rivals.RIVALS[name](series, 11)
    for case, row in enumerate(series):
        wanted = getattr(benchmarks, name)(row, 11)
        np.testing.assert_allclose(mean[case], wanted.mean, atol=SEARCHED)
        np.testing.assert_allclose(sd[case], wanted.sd, rtol=2 * SEARCHED)


def test_line_is_least_squares_with_the_error_of_its_prediction(series):
    mean, sd = panel_rivals.line(series, 3)
    design = np.stack([np.ones(17), np.arange(17)], axis=1)
    for case, row in enumerate(series):
        found = OLS(row, design[:14]).fit().get_prediction(design[14:])
        np.testing.assert_allclose(mean[case], found.predicted_mean)
        np.testing.assert_allclose(sd[case], found.se_obs)


def test_damped_trend_at_a_node_is_that_of_statsmodels(series):
    errors, state = panel_rivals._smoothed(series, 0.5, 0.5 * 0.2, 0.9)
    found = panel_rivals._projected(state, (errors**2).mean(axis=1), 5, 0.5, 0.5 * 0.2, 0.9)
    for case, row in enumerate(series):
        # The start that is best for these errors, by a regression on unit starts.
        def one_step(level, trend, row=row):
            model = ExponentialSmoothing(row, trend="add", damped_trend=True,
                                         initialization_method="known", initial_level=level,
                                         initial_trend=trend)
            return model.fit(smoothing_level=0.5, smoothing_trend=0.2, damping_trend=0.9,
                             optimized=False)
        free = one_step(0.0, 0.0).resid
        unit = np.stack([one_step(1.0, 0.0).resid - free, one_step(0.0, 1.0).resid - free], axis=1)
        start = -np.linalg.lstsq(unit, free, rcond=None)[0]
        wanted = one_step(*start)
        np.testing.assert_allclose(errors[case], wanted.resid, atol=1e-8)
        np.testing.assert_allclose(found.mean[case], wanted.forecast(5), atol=1e-8)


def test_damped_trend_is_about_as_likely_as_the_best_that_statsmodels_finds(series):
    _, sd = panel_rivals.damped_trend(series, 1)
    for case, row in enumerate(series):
        assert sd[case, 0] <= benchmarks.damped_trend(row, 1).sd[0] * (1 + GRID)


def test_volatility_is_that_of_known_changes_and_needs_eight():
    values = [100, 120, np.nan, 90, 95, 100, 110, 100, 90, 99, 120, 130, 100, 90]
    record = np.log(np.array([values]))
    changes = np.diff(record[0])
    assert volatility(record)[0] == pytest.approx(changes[~np.isnan(changes)].std(ddof=1))
    assert np.isnan(volatility(record[:, :10])).all()


def test_matched_pairs_are_alike_in_size_and_volatility(panel):
    like = Matching((60e6, 150e6), (0.2, 0.4))
    rows = matched(panel, 1990, like, complete=True)
    end = panel.years.index(1990)
    assert len(rows)
    for row in range(len(panel.pairs)):
        value = np.exp(panel.log_turnover[row, end])
        moves = np.diff(panel.log_turnover[row, end - 13:end + 1]).std(ddof=1)
        assert (row in rows) == (60e6 <= value <= 150e6 and 0.2 <= moves <= 0.4)


def test_the_form_that_made_the_data_has_skill_and_honest_ranges(scored, panel):
    table = studies.skill_table(scored, panel).set_index(["model", "horizon"])
    for name in ("local_level_gdp_known", "tradesim_gdp_known"):
        assert table.loc[name, 5]["low"] > 0
    assert table.loc["tradesim_gdp_known", 5]["skill"] > table.loc["tradesim", 5]["skill"]
    assert table.loc["tradesim", 5]["skill"] > table.loc["priors_of_0_2", 5]["skill"]
    for horizon in range(1, 12):
        assert 0.82 < table.loc["local_level_gdp_known", horizon]["coverage90"] < 0.97
        assert table.loc["random_walk", horizon]["skill"] == pytest.approx(0)
    assert set(table["pairs"]) <= set(range(30, 67))
    assert list(studies.skill_table(scored, panel).columns) == list(studies.COLUMNS)


def test_nothing_after_the_origin_is_used_unless_gdp_is_known(panel, scored):
    end = panel.years.index(1990) + 1
    later = panel.log_turnover.copy(), panel.log_gdp.copy()
    for values in later:
        values[:, end + 5:] += 1.0
    changed = studies._scored(type(panel)(panel.name, panel.pairs, panel.years, *later,
                                          panel.vanished),
                              matched(panel, 1990, Matching(), complete=True), 1990,
                              {"tradesim": PRIORS}, 5)
    keys = ["model", "horizon", "pair"]
    both = changed.merge(scored[scored["origin"] == 1990], on=keys)
    assert len(both) == len(changed)
    np.testing.assert_allclose(both["crps_x"], both["crps_y"])


def test_a_stopped_run_goes_on_and_gives_the_same(panel, scored, tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "FIRST_ORIGIN", 2001)
    seen = []

    def stop(done, total):
        seen.append((done, total))
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        studies.run_panel(panel, PRIORS, keep=tmp_path, progress=stop)
    kept = list(tmp_path.glob("*.csv"))
    assert len(kept) == 2
    again, work = [], studies._scored
    monkeypatch.setattr(studies, "_scored", lambda *a: again.append(a[2]) or work(*a))
    whole = studies.run_panel(panel, PRIORS, keep=tmp_path)
    assert len(again) == seen[0][1] - 2
    late = scored[scored["origin"] >= 2001].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, late, rtol=1e-9)
    studies.run_panel(panel, Priors((0.5, 0.3), *list(vars(PRIORS).values())[1:]), keep=tmp_path)
    assert len(again) == 2 * seen[0][1] - 2  # other priors: nothing that was kept is used


def test_too_few_matched_pairs_are_counted_with_what_to_loosen(panel):
    with pytest.raises(InputError, match=r"\d+ matched pairs with turnover of 99 to 101 million "
                       "USD.* at least 30 are needed; widen the band of sizes or of volatility"):
        studies.run_panel(panel, PRIORS, like=Matching((99e6, 101e6), (0.22, 0.55)))


def test_one_origin_gives_no_skill(panel, scored):
    with pytest.raises(InputError, match="1 year to forecast from; a skill needs two or more"):
        studies.skill_table(scored[scored["origin"] == 1990], panel)


def test_priors_are_those_of_the_calibration():
    priors = studies.priors_of(calibration_folder())
    assert priors.elasticity[1] > 0
    assert priors.innovation == (0.25, 0.5)
    assert priors.error == (0.15, 0.6)


def test_shipped_skill_covers_every_horizon_and_says_what_it_was_made_of():
    table = pd.read_csv(calibration_folder() / studies.FILE)
    assert list(table.columns) == list(studies.COLUMNS)
    assert {"tradesim", "tradesim_gdp_known", *panel_rivals.RIVALS} <= set(table["model"])
    assert table.groupby("model")["horizon"].apply(list).map(
        lambda found: found == list(range(1, 12))).all()
    assert ((table["low"] <= table["skill"]) & (table["skill"] <= table["high"])).all()


def command(*words):
    return CliRunner().invoke(cli.cli, ["backtest", *map(str, words)], prog_name="tradesim")


def test_command_needs_the_pair_in_the_panel(tmp_path):
    found = command("--panel", made.write(tmp_path), "--out", tmp_path / "out")
    assert found.exit_code == 2
    assert "the panel lacks this pair" in found.output
    assert not (tmp_path / "out").exists()


def test_command_refuses_what_means_nothing_on_a_panel(tmp_path):
    path = made.write(tmp_path)
    found = command("--panel", path, "--origins", "2014:2016", "--horizons", 3)
    assert found.exit_code == 2
    assert "--origins: means nothing on a panel: leave it out" in found.output
    assert "--horizons: means nothing on a panel" in found.output
    found = command("--gdp", path)
    assert found.exit_code == 2
    assert "--gdp: needs --panel" in found.output


def test_forms_that_are_the_shipped_one_are_scored_once():
    forms = studies.forms_of(Priors((0.6, 0.3), (8.0, 2.0), (0.25, 0.5), (0.15, 0.6)))
    assert list(forms) == ["tradesim", "priors_of_0_2", "local_level", "without_gdp"]


def test_command_writes_and_prints_skill(tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "FIRST_ORIGIN", 2001)
    table, sizes = made.trade(), made.gdp()
    first, second = "KAZ", "MNG"
    for frame in (table, sizes):
        frame.replace({"CAA": first, "CBB": second}, inplace=True)  # noqa: PD002
    found = command("--panel", made.write(tmp_path, table, sizes), "--out", tmp_path / "out")
    assert found.exit_code == 0, found.output
    assert "other pairs 3 years ahead" in found.output
    assert found.output.startswith("skill [90 %], %")
    assert [path.name for path in Path(tmp_path / "out").iterdir()] == [studies.FILE]
    assert not list(tmp_path.glob(".out*"))
