"""The outside view: counts and errors by hand, mixtures, the shipped tables, the script."""

import make_outside_view
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import made_up_panel as made
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.trade_panel import read_panel
from tradesim.reference import outside_view as view
from tradesim.reference.matched_pairs import Matching, matched
from tradesim.reference.outside_view import Windows

EXACT = 1e-9
# What another program counted in the same panel (share, pairs), by lower bound of the class.
READING = {0.5: (0.056, 475), 0.9: (0.120, 833), 1.3: (0.216, 1154), 1.95: (0.458, 815)}
# It took a slightly different record of volatility; shares within two standard errors of its own.
READING_SHARE, READING_PAIRS = 0.022, 0.05


@pytest.fixture(scope="module")
def shipped():
    return view.read_outside_view(calibration_folder())


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    return read_panel(made.write(tmp_path_factory.mktemp("panel")))


def made_windows(pair, factor):
    count = len(pair)
    return Windows(np.array(pair, float), np.full(count, 1990.0), np.linspace(0, 1, count),
                   np.log(np.array(factor, float)), np.zeros(count))


def test_share_and_its_error_by_pair_by_hand():
    # Pair 1 reaches a doubling in both of its windows, pair 2 in neither, pair 3 in its only one.
    found = view.summary(made_windows([1, 1, 2, 2, 3], [2.5, 3, 1, 1.9, 2]), 2.0)
    assert (found["windows"], found["pairs"], found["share"]) == (5, 3, pytest.approx(0.6))
    assert found["se"] == pytest.approx(np.sqrt(0.8**2 + 1.2**2 + 0.4**2) / 5)
    assert found["p50"] == pytest.approx(2.0)
    assert view.summary(made_windows([], []), 2.0) == {"windows": 0, "pairs": 0}


def test_without_overlap_the_error_is_the_plain_one():
    factor = np.random.default_rng(1).lognormal(0, 1, 400)
    found = view.summary(made_windows(range(400), factor), 2.0)
    plain = np.sqrt(found["share"] * (1 - found["share"]) / 400)
    assert found["se"] == pytest.approx(plain)


def test_windows_are_matched_pairs_followed_for_some_years(panel):
    like = Matching((60e6, 150e6), (0.2, 0.4))
    found = view.windows(panel, like, [1990, 1991, 1999, 2040], 11)
    rows = {base: matched(panel, base, like) for base in (1990, 1991)}
    assert len(found.factor) == sum(map(len, rows.values()))  # 2010 is beyond the panel
    at = panel.years.index(1991)
    part = view.chosen(found, found.base == 1991)
    for values, got in ((panel.log_turnover, part.factor), (panel.log_gdp, part.growth)):
        np.testing.assert_allclose(got, values[rows[1991], at + 11] - values[rows[1991], at])
    assert len(view.windows(panel, like, [2040], 11).factor) == 0


def test_ends_that_nobody_reports_count_as_nil_where_asked(panel):
    trade = panel.log_turnover.copy()
    trade[:, panel.years.index(2001)] = np.nan
    gone = type(panel)(panel.name, panel.pairs, panel.years, trade, panel.log_gdp, panel.vanished)
    assert len(view.windows(gone, Matching(), [1990], 11).factor) == 0
    lost = view.windows(gone, Matching(), [1990], 11, lost=True)
    assert len(lost.factor) > 5
    assert view.summary(lost, 0.1)["share"] == 0.0


def test_classes_hold_every_window_once(panel):
    found = view.windows(panel, Matching(), range(1985, 1995), 5)
    rows = view.by_class(found, 5, 2.0)
    assert sum(row["windows"] for row in rows) == len(found.factor)
    assert rows[3]["growth_from"] == pytest.approx(0.9 * 5 / 11)


def test_shipped_tables_agree_with_another_reading_of_the_panel(shipped):
    table = shipped.classes.query("horizon == 11").set_index("growth_from")
    for low, (share, pairs) in READING.items():
        assert table.loc[low, "share"] == pytest.approx(share, abs=READING_SHARE)
        assert table.loc[low, "pairs"] == pytest.approx(pairs, rel=READING_PAIRS)
    assert shipped.longest == 11
    assert shipped.multiple == pytest.approx(500e6 / shipped.about["base_usd"])


def test_a_second_panel_says_the_same_within_errors(shipped):
    both = shipped.variants.query("what == 'as shipped' and growth_from >= 0")
    first, second = (both[both["panel"] == name].set_index("growth_from")
                     for name in ("main", "check"))
    apart = (first["share"] - second["share"]) / np.hypot(first["se"], second["se"])
    assert (apart.abs() < 2.5).all()


def test_answer_counts_the_class_of_the_run(shipped):
    growth = np.full(50, 1.63)
    found = view.answer(shipped, 124.0, 500.0, 11, growth)
    row = shipped.classes.query("horizon == 11 and growth_from == 1.3").iloc[0]
    assert found.windows == row["windows"]
    assert found.pairs == row["pairs"]
    assert (found.growth_from, found.growth_to) == (1.3, 1.95)
    assert found.share == pytest.approx(row["share"])
    assert found.se == pytest.approx(row["se"])
    assert found.share_by_draw == pytest.approx(found.share)


def test_answer_by_draw_is_the_mean_over_classes(shipped):
    low, high = (view.answer(shipped, 124.0, 500.0, 11, np.array([g])).share for g in (0.7, 2.2))
    found = view.answer(shipped, 124.0, 500.0, 11, np.array([0.7, 0.7, 0.7, 2.2]))
    assert found.share == pytest.approx(low)
    assert found.share_by_draw == pytest.approx(0.75 * low + 0.25 * high)


@given(st.floats(0.2, 15), st.floats(-1, 4), st.integers(1, 11))
def test_a_higher_target_is_reached_by_fewer(shipped, multiple, growth, horizon):
    less, more = (view.answer(shipped, 100.0, 100.0 * m, horizon, np.array([growth])).share
                  for m in (multiple, 1.05 * multiple))
    # Counted at one multiple, read between quantiles elsewhere: half the widest gap between levels.
    assert 0.0 <= more <= less + np.diff(view.LEVELS).max() / 2
    assert less <= 1.0


def test_fan_of_one_class_is_its_quantiles(shipped):
    growth = np.outer(np.ones(20), 1.63 / 11 * np.arange(1, 12))
    found = view.fan(shipped, 124.0, growth, (0.05, 0.5, 0.9))
    row = shipped.classes.query("horizon == 11 and growth_from == 1.3").iloc[0]
    assert found.shape == (3, 11)
    np.testing.assert_allclose(found[:, -1], 124.0 * row[["p05", "p50", "p90"]].astype(float))
    assert (np.diff(found, axis=0) > 0).all()


def test_errors_of_gdp_widen_the_fan(shipped):
    spread = np.random.default_rng(1).normal(1.6, 0.45, (4000, 1)) * np.arange(1, 12) / 11
    sure, unsure = (view.fan(shipped, 124.0, growth, (0.1, 0.9))[:, -1]
                    for growth in (np.full_like(spread, 1.6) * np.arange(1, 12) / 11, spread))
    assert unsure[0] < sure[0]
    assert unsure[1] > sure[1]


def test_beyond_the_tables_is_an_error(shipped):
    with pytest.raises(ValueError, match="the outside view reaches 11 years, not 12"):
        view.answer(shipped, 124.0, 500.0, 12, np.ones(3))
    with pytest.raises(ValueError, match="base value and target must be above zero"):
        view.answer(shipped, 0.0, 500.0, 11, np.ones(3))
    assert view.fan(shipped, 1.0, np.ones((3, 15))).shape == (7, 11)


def test_a_folder_without_tables_says_what_makes_them(tmp_path):
    with pytest.raises(InputError, match=r"there is no outside view here; run `python "
                       r"docs/evidence/make_outside_view\.py` with a panel"):
        view.read_outside_view(tmp_path)


def test_tables_without_a_base_value_are_refused(tmp_path):
    for name in (view.FILE, view.ERAS, view.VARIANTS):
        (tmp_path / name).write_bytes((calibration_folder() / name).read_bytes())
    (tmp_path / view.ABOUT).write_text("target_usd: 5\nbase_usd: none\n")
    with pytest.raises(InputError, match="base_usd: must be a number above zero"):
        view.read_outside_view(tmp_path)


def script(*words):
    return CliRunner().invoke(make_outside_view.main, list(map(str, words)))


def test_script_works_for_another_pair_and_target(tmp_path):
    path = made.write(tmp_path)
    done = script(path, "--pair", "caa-cbb", "--base-value", 80e6, "--target", 160e6, "--bases",
                  "1985:1994", "--size", "40e6:300e6", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    found = view.read_outside_view(tmp_path)
    assert found.multiple == pytest.approx(2.0)
    assert found.about["pair"] == "CAA-CBB"
    others = read_panel(path).without("CAA", "CBB")
    windows = view.windows(others, Matching((40e6, 300e6)), range(1985, 1995), 11)
    rows = found.classes.query("horizon == 11")
    assert rows["windows"].sum() == len(windows.factor)
    assert (rows["share"] * rows["windows"]).sum() == pytest.approx(
        (windows.factor >= np.log(2)).sum(), abs=0.5)
    about = yaml.safe_load((tmp_path / view.ABOUT).read_text())
    assert about["panels"]["main"]["terms"]


def test_script_says_what_is_wrong_with_the_pair_or_the_bands(tmp_path):
    path = made.write(tmp_path)
    for words, message in (
            (["--pair", "CAA-CZZ", "--base-value", 1, "--target", 2], "CAA-CZZ: the panel lacks "),
            (["--pair", "CAA-CBB"], "and needs --base-value and --target"),
            (["--pair", "CAA-CBB", "--base-value", 1, "--target", 2, "--size", "1e9:2e9"],
             "5 matched pairs with turnover of 1000 to 2000 million USD"),
            ([], "MNG-KAZ: the panel lacks this pair"),
            (["--size", "5"], "'5' must be two rising numbers with a colon between")):
        done = script(path, *words, "--out", tmp_path)
        assert done.exit_code == 2
        assert message in done.output
    assert not (tmp_path / view.FILE).exists()


def test_shipped_priors_of_the_panel_support_what_is_written_of_them():
    table = pd.read_csv(calibration_folder() / "panel_priors.csv")
    mean = table[table["last_year"].isna()]
    assert mean["elasticity_mean"].between(0.45, 0.65).all()
    assert mean["persistence_mean"].between(0.8, 0.95).all()
    assert (mean["density_both_of_version_0_2"] < -1).all()
