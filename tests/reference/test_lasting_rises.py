"""Lasting rises are found where they are, and only there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tradesim.common.files import calibration_folder
from tradesim.inputs.trade_panel import Panel
from tradesim.reference.lasting_rises import CONFIRMED, FOLLOWED, lasting_rises
from tradesim.reference.matched_pairs import Matching
from tradesim.reference.new_goods import LEAST_RISE

YEARS = tuple(range(1970, 2005))
LIKE = Matching((1.0, 1e12), (0.0, 10.0))
BASE = 1990


def panel(*moves):
    """Pairs whose trade is flat but for the moves given: mappings of year to level in logs."""
    trade = np.tile(np.log(1e8) + 0.01 * (np.arange(len(YEARS)) % 2), (len(moves), 1))
    for row, move in enumerate(moves):
        for year, level in move.items():
            trade[row, YEARS.index(year):] += level
    pairs = tuple((f"A{k}", f"B{k}") for k in range(len(moves)))
    return Panel("made up", pairs, YEARS, trade, np.full_like(trade, 50.0),
                 np.zeros(trade.shape, bool))


def test_a_rise_that_lasts_counts_and_a_spike_does_not():
    found = lasting_rises(panel({}, {1991: 0.5}, {1991: 0.5, 1993: -0.5}, {1991: -0.6}), LIKE,
                          [BASE], 0.6)
    assert (found.windows, found.rises, found.falls) == (4, 0.25, 0.25)
    np.testing.assert_allclose(found.size, 0.5, atol=0.02)
    np.testing.assert_array_equal(found.there, 1.0)


def test_growth_of_both_economies_is_no_rise():
    quiet = panel({}, {1991: 0.3})
    grown = np.where(np.array(YEARS) >= 1991, 0.5, 0.0)
    rich = Panel(quiet.name, quiet.pairs, YEARS, quiet.log_turnover, quiet.log_gdp + grown,
                 quiet.vanished)
    assert lasting_rises(quiet, LIKE, [BASE], 0.6).rises == 0.5
    assert lasting_rises(rich, LIKE, [BASE], 0.6).rises == 0.0


def test_a_rise_that_ends_is_no_longer_there():
    found = lasting_rises(panel({}, {}, {1991: 0.5}, {1991: 0.5, 1996: -0.5}), LIKE, [BASE], 0.6)
    np.testing.assert_allclose(found.there[:5], 1.0)
    np.testing.assert_allclose(found.there[5:], 0.5)


def test_no_window_is_nothing():
    assert lasting_rises(panel({}), LIKE, [1900, 2003], 0.6) is None


def test_the_parameters_are_those_of_the_table(base):
    """The second route to the numbers of `parameters.yaml`: the table that their sources name."""
    table = pd.read_csv(calibration_folder() / "new_goods.csv")
    numbers = base.parameters
    for code, pairs in (("MNG", "as the larger flow"), ("KAZ", "as the smaller flow")):
        rows = table[table["pairs"] == pairs].set_index("years_after")
        middle = numbers[f"new_goods.rises.{code}"].distribution.value
        assert middle == pytest.approx(rows["rises_a_year"].iloc[0], abs=0.001)
        high = numbers[f"new_goods.beyond.{code}"].distribution.high
        settled = rows["mean_log_rise"].loc[:CONFIRMED].mean() - LEAST_RISE
        assert high == pytest.approx(settled, abs=0.03)
        first = rows["mean_log_rise"].loc[1] / rows["mean_log_rise"].loc[CONFIRMED]
        assert numbers["new_goods.first_year"].distribution.value == pytest.approx(first, abs=0.07)
        lost = 1.0 - rows["still_there"].loc[FOLLOWED] ** (1.0 / (FOLLOWED - CONFIRMED))
        assert numbers["new_goods.loss"].distribution.value == pytest.approx(lost, abs=0.01)
