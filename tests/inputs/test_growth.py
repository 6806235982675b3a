"""Paths of GDP: closed forms of each choice, the splice of two vintages, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from inputs import write_calibration
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.growth import (
    CHOICE,
    CHOICES,
    NAMED,
    decade_rates,
    growth_draws,
    outlook,
    outlooks,
)
from tradesim.inputs.history import read_history
from tradesim.inputs.macro_outlook import central, spliced
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known, json_schema
from tradesim.inputs.scenario_text import resolved

PAIR = ("MNG", "KAZ")


@pytest.fixture(scope="module")
def history():
    return read_history(calibration_folder())


@pytest.fixture
def known(tmp_path):
    return Known.read(write_calibration(tmp_path / "calibration"))


def scenario(tmp_path, known, growth="", *overrides):
    file = tmp_path / "mine.yaml"
    file.write_text(f"title: a\nquestion: b?\n{growth}\n", encoding="utf-8")
    return read_scenario(file, known, overrides)


def problem(tmp_path, known, growth, *overrides):
    with pytest.raises(InputError) as caught:
        scenario(tmp_path, known, growth, *overrides)
    (one,) = caught.value.problems
    return str(one)


def yearly(history, path):
    levels = np.concatenate([history.series.log_gdp[-1:], path.log_gdp])
    return 100 * np.expm1(np.diff(levels, axis=0))


# Each choice.

def test_published_is_the_file_but_for_the_step_between_vintages(history):
    macro = pd.read_csv(calibration_folder() / "data" / "macro.csv")
    rows = macro[(macro["variable"] == "gdp_usd") & (macro["kind"] == "forecast")]
    table = rows.pivot_table("value", "year", "country")[list(PAIR)].to_numpy()
    path = outlook(history)
    np.testing.assert_array_equal(path.log_gdp, history.forecast.log_gdp)
    found, written = (np.diff(levels, axis=0) for levels in (path.log_gdp[:11], np.log(table)))
    changed = np.abs(found - written) > 1e-4
    assert np.argwhere(changed).tolist() == [[0, 1]]  # Kazakhstan, 2025 to 2026
    assert np.expm1(written[0, 1]) == pytest.approx(0.155, abs=1e-3)
    assert np.expm1(found[0, 1]) == pytest.approx(0.073, abs=1e-3)


def test_record_is_the_rule_of_the_back_test(history):
    path, rule = outlook(history, "record"), central(history.series, 26)
    for name in ("log_gdp", "log_real"):
        np.testing.assert_array_equal(getattr(path, name), getattr(rule, name))


def test_decade_carries_the_growth_of_ten_years_on(history):
    level = history.series.log_gdp
    assert history.series.years[-11] == 2014
    path = outlook(history, "decade")
    np.testing.assert_allclose(path.log_gdp[9], 2 * level[-1] - level[-11])
    np.testing.assert_allclose(yearly(history, path), np.tile(decade_rates(history), (26, 1)))


def test_rates_are_exactly_what_they_say(history):
    path = outlook(history, {"KAZ": 4.0, "MNG": -2.5})
    np.testing.assert_allclose(yearly(history, path), np.tile([-2.5, 4.0], (26, 1)))
    prices = path.log_gdp - path.log_real - (history.series.log_gdp - history.series.log_real)[-1]
    np.testing.assert_allclose(prices, np.outer(np.arange(1, 27), np.log([1.02, 1.02])))
    np.testing.assert_allclose(path.exchange_rate, history.exchange_rate[-1])


def test_a_country_without_a_rate_goes_as_published(history):
    path = outlook(history, {"KAZ": 4.0})
    for name in ("log_gdp", "log_real"):
        np.testing.assert_array_equal(getattr(path, name)[:, 0],
                                      getattr(history.forecast, name)[:, 0])


def test_every_draw_has_its_own_path(history):
    drawn = growth_draws(PAIR, {"MNG": 6.0}, 5)
    drawn[CHOICE] = np.array([3.0, 0.0, 1.0, 2.0, 3.0])
    found = outlooks(history, drawn)
    for row, growth in enumerate(({"MNG": 6.0}, "published", "record", "decade", {"MNG": 6.0})):
        one = outlook(history, growth)
        for name in ("log_gdp", "log_real", "exchange_rate"):
            np.testing.assert_allclose(getattr(found, name)[row], getattr(one, name), rtol=1e-12)
    for name in NAMED:
        alike = outlooks(history, growth_draws(PAIR, name, 5))
        assert alike.log_gdp.shape == (1, 26, 2)
        np.testing.assert_array_equal(alike.log_gdp[0], outlook(history, name).log_gdp)


def test_before_the_last_year_published_is_the_rule(history):
    early = read_history(calibration_folder(), as_of=2019)
    np.testing.assert_array_equal(outlook(early).log_gdp, outlook(early, "record").log_gdp)


# The splice.

def test_without_a_seam_nothing_changes():
    last, levels = np.array([1.0, 2.0]), np.array([[1.1, 2.2], [1.3, 2.1], [1.4, 2.5]])
    same = spliced(last, levels, np.full((3, 2), 0.03), np.zeros((3, 2), dtype=bool))
    np.testing.assert_allclose(same, levels)


def test_a_seam_takes_real_growth_and_the_prices_of_the_year_after():
    growth = np.array([[0.05], [0.04], [0.03], [0.02]])
    levels = np.array([[1.07], [1.90], [1.95], [2.00]])  # a step of 0.83 between two vintages
    seam = np.array([[False], [True], [False], [True]])
    found = spliced(np.array([1.0]), levels, growth, seam)[:, 0]
    steps = [0.07, 0.04 + 0.02, 0.05, 0.02 + np.log(1.02)]  # the last year has none after it
    np.testing.assert_allclose(found, 1.0 + np.cumsum(steps))


# What a scenario may say.

def test_names_and_rates_are_read_with_their_origin(tmp_path, known):
    assert scenario(tmp_path, known).growth == "published"
    assert scenario(tmp_path, known, "growth: record").growth == "record"
    mine = scenario(tmp_path, known, "growth: {BOR: 4, AVA: 5.5}")
    assert mine.growth == {"AVA": 5.5, "BOR": 4.0}
    assert mine.origins["growth.BOR"] == "mine.yaml:3"
    assert "growth:\n  AVA: 5.5  # mine.yaml:3\n" in resolved(mine)
    assert scenario(tmp_path, known, resolved(mine).split("closure")[0].split("growth", 1)[1]
                    .join(["growth", ""])).growth == mine.growth


def test_the_command_line_replaces_or_adds(tmp_path, known):
    assert scenario(tmp_path, known, "growth: {AVA: 5}", "growth=decade").growth == "decade"
    assert scenario(tmp_path, known, "growth: record", "growth.BOR=4").growth == {"BOR": 4.0}
    both = scenario(tmp_path, known, "growth: {AVA: 5}", "growth.BOR=4", "growth.AVA=6")
    assert both.growth == {"AVA": 6.0, "BOR": 4.0}
    assert scenario(tmp_path, known, "growth: {AVA: 5}", "growth.AVA=null").growth == "published"
    assert scenario(tmp_path, known, "growth: decade", "growth=null").growth == "published"


@pytest.mark.parametrize(("growth", "message"), [
    ("growth: recrd", "growth: 'recrd' is not one of: published, record, decade, nor rates by "
                       "country, such as {AVA: 5, BOR: 5}; did you mean 'record'?"),
    ("growth: 4", "growth: 4 is not one of: published, record, decade, nor rates by country, such "
                  "as {AVA: 5, BOR: 5}"),
    ("growth: {ROW: 3}", "growth.ROW: is no country of the pair; known: AVA, BOR"),
    ("growth: {BRO: 3}", "growth.BRO: is no country of the pair; known: AVA, BOR; did you mean "
                         "'BOR'?"),
    ("growth: {AVA: 21}", "growth.AVA: 21 is not a number from -10 to 20 (growth in current USD, "
                          "per cent a year)"),
    ("growth: {AVA: fast}", "growth.AVA: 'fast' is not a number from -10 to 20 (growth in current "
                            "USD, per cent a year)"),
    ("growth: {}", "growth: has no rates; give them by country, such as {AVA: 5, BOR: 5}"),
])
def test_what_is_refused(tmp_path, known, growth, message):
    assert problem(tmp_path, known, growth).split(": ", 1)[1] == message


def test_refused_on_the_command_line(tmp_path, known):
    assert problem(tmp_path, known, "", "growth.ROW=3") == (
        "--set: growth.ROW: is no country of the pair; known: AVA, BOR")


def test_schema_offers_names_and_bounded_rates(known):
    name, rates = json_schema(known)["properties"]["growth"]["anyOf"]
    assert name["enum"] == [*CHOICES[:3], None]
    assert set(rates["properties"]) == {"AVA", "BOR"}
    assert (rates["properties"]["AVA"]["minimum"], rates["properties"]["AVA"]["maximum"]) == (
        -10, 20)
