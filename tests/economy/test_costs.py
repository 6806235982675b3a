"""What levers cost by year, and present values, against hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounted import ONE_COUNT, account, books, shocks_of
from inputs import COMMON, LEVERS, write_calibration
from tradesim.common.arrays import spread
from tradesim.common.errors import InputError
from tradesim.economy.costs import lever_cost, policy_cost, present_value, spending
from tradesim.economy.equilibrium import no_change
from tradesim.economy.resolve import resolve
from tradesim.inputs.levers import read_levers

YEARS = range(2025, 2036)
CALENDAR = spread(np.array(YEARS, dtype=float), "year")
COST = """
      capital_cost: {title: Cost of building, unit: USD million, default: 12, bounds: [0, 100],
                     source: judgement, grade: C}
      capital_years: {title: Years of building, unit: years, default: 3, bounds: [1, 10],
                      source: judgement, grade: C}
      yearly_cost: {title: Upkeep, unit: USD million a year, default: 0.5, bounds: [0, 10],
                    source: judgement, grade: C}
"""


def spent(opening, capital=12.0, length=3.0, running=0.5):
    return spending(CALENDAR, *(spread(float(value)) for value in (
        opening, capital, length, running))).ravel()


def test_spending_by_hand():
    expected = np.zeros(11)
    expected[3:6] = 4.0  # 2028 to 2030
    expected[6:] = 0.5
    np.testing.assert_allclose(spent(2031), expected)
    expected = np.zeros(11)
    expected[3:7] = [2.0, 4.0, 4.0, 2.0]  # mid-2028 to mid-2031
    expected[6] += 0.25
    expected[7:] = 0.5
    np.testing.assert_allclose(spent(2031.5), expected)


def test_capital_is_spent_whole_when_the_lever_opens_early():
    np.testing.assert_allclose(spent(2026, running=0.0)[:2], [12.0, 0.0])
    np.testing.assert_allclose(spent(2020, running=0.0)[:2], [12.0, 0.0])
    np.testing.assert_allclose(spent(2027, running=0.0)[:3], [6.0, 6.0, 0.0])


@given(st.floats(2015, 2036), st.floats(1, 8))
def test_all_capital_is_spent_by_the_opening(opening, length):
    found = spent(opening, length=length, running=0.0)
    assert found.sum() == pytest.approx(12.0)
    assert (found >= 0).all()


def test_what_opens_beyond_the_horizon_has_spent_a_part():
    assert spent(2038, running=1.0).sum() == pytest.approx(4.0)  # 2035 of 2035-2037
    assert spent(2050, running=1.0).sum() == 0.0


def test_present_value_is_the_annuity():
    rate = 0.08
    found = present_value(np.full(CALENDAR.shape, 3.0), spread(rate)).ravel()
    whole = 3.0 * (1 - (1 + rate) ** -11) / (1 - 1 / (1 + rate))
    assert found[0] == 3.0
    assert found[-1] == pytest.approx(whole)
    np.testing.assert_allclose(present_value(CALENDAR, spread(0.0)).ravel()[-1], sum(YEARS))


def levers(tmp_path, cost=COST):
    return read_levers(write_calibration(tmp_path, levers=LEVERS.replace(
        COMMON, COMMON + cost, 1)))


def drawn(name):
    return {f"{name}.{key}": np.full(2, value) for key, value in (
        ("start", 2030.0), ("delay", 1.0), ("capital_cost", 12.0), ("capital_years", 3.0),
        ("yearly_cost", 0.5))}


def test_cost_of_a_lever_from_its_settings(tmp_path):
    known = levers(tmp_path)
    cost = lever_cost(known["pact"], drawn("pact"), YEARS)
    np.testing.assert_allclose(cost[0, 0, 0, 0, :, 0], 1e6 * spent(2031))
    assert lever_cost(known["pass_road"], {}, YEARS).item() == 0.0


def test_a_lever_that_fails_is_not_built(tmp_path):
    known = levers(tmp_path)
    cases = {"scenario": {"pact": np.array([1.0, 0.0]), "pass_road": np.ones(2)},
             "if_implemented": {"pact": np.ones(2), "pass_road": np.ones(2)}}
    cost = policy_cost(known, drawn("pact"), YEARS, cases)[0, 0, 0].sum(axis=1)
    np.testing.assert_allclose(cost, [[14.5e6, 0.0], [14.5e6, 14.5e6]])


def test_unit_of_a_cost_is_checked(tmp_path):
    with pytest.raises(InputError, match=r"pact\.settings\.capital_cost\.unit: must be 'USD "
                                         r"million', not 'USD'"):
        levers(tmp_path, COST.replace("unit: USD million, default: 12", "unit: USD, default: 12"))


def test_present_values_in_the_accounts(world):
    levels, change, settled, sales, found = books(world, shocks_of(world,
                                                                   np.random.default_rng(1)))
    cost = spread([2e6, 1e6, 0.5e6], "year")
    again = account(world, levels, ONE_COUNT, change, settled, sales, cost)
    rate = world.draws["discount.rate"]
    by_hand = (2e6 + 1e6 / (1 + rate)) + 0.5e6 / (1 + rate) ** 2
    np.testing.assert_allclose(again["cost_present_value"][0, -1], by_hand)
    real = (1 + rate) * (1 + world.draws["discount.inflation"])
    gains = found["welfare"] / real ** np.arange(3.0)[:, None]
    np.testing.assert_allclose(again["welfare_present_value"], np.cumsum(gains, axis=2))
    idle = account(world, levels, ONE_COUNT, resolve(world, []), no_change(levels),
                   np.zeros_like(levels))
    for name in ("policy_cost", "cost_present_value", "welfare_present_value"):
        assert not idle[name].any()
