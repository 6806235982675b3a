"""Every shipped scenario gives what its expected file says.

These files only notice that results moved; they do not say that the results are right. After a
change that is meant to move them: ``python tests/refresh_expected.py``.
"""

import pandas as pd
import pytest

from expected import KEY, compute, expected_file, read, scenarios
from readme_table import PLACES, between, table
from tradesim.folders import calibration_folder
from tradesim.pair import read_pair
from tradesim.scenario import Known, read_scenario

TOLERANCE = 1e-6  # libraries and machines differ in the last bits only
ROUNDING = 1.0  # USD: turnover is written in whole dollars


@pytest.mark.slow
@pytest.mark.parametrize("scenario", scenarios(), ids=lambda path: path.stem)
def test_results_are_those_expected(scenario):
    found, expected = compute(scenario), read(scenario)
    pd.testing.assert_frame_equal(found[KEY], expected[KEY], check_dtype=False)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False,
                                  rtol=TOLERANCE, atol=ROUNDING)
    chances = found["variable"] == "target_probability"
    pd.testing.assert_frame_equal(found[chances], expected[chances], check_dtype=False,
                                  rtol=TOLERANCE)


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda path: path.stem)
def test_says_what_it_is(scenario):
    read_in = read_scenario(scenario, Known.read(calibration_folder()))
    assert read_in.title
    assert read_in.question.endswith("?")
    assert read_in.references
    assert read_in.not_modelled
    assert expected_file(scenario).is_file()


def test_no_expected_file_without_a_scenario():
    files = {path.with_name(path.name.removesuffix(".expected.csv") + ".yaml")
             for path in scenarios()[0].parent.glob("*.expected.csv")}
    assert files == set(scenarios())


@pytest.mark.parametrize("path", PLACES, ids=lambda path: path.name)
def test_table_of_results_is_that_of_the_expected_files(path):
    assert between(path.read_text(encoding="utf-8")) == table()


def test_pair_of_the_expected_files():
    pair = read_pair(calibration_folder())
    for scenario in scenarios():
        assert set(read(scenario)["count"]) == set(pair.counts)
