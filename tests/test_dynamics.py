"""Adjustment over time and the reference path against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from tradesim.dims import only, spread
from tradesim.dynamics import autoregression, corridor, innovations, partial_adjust, reference

EXACT = 1e-12
share = st.floats(0.01, 1.0)


def adjust(target, first, speed):
    return only(partial_adjust(spread(target, "year"), spread(first), spread(speed)), "year")


@given(share, share)
def test_a_step_leaves_a_geometric_remainder(first, speed):
    path = adjust(np.ones(9), first, speed)
    years = np.arange(9)
    np.testing.assert_allclose(path, 1 - (1 - first) * (1 - speed) ** years, atol=EXACT)


def test_equal_shares_are_the_plain_rule():
    target = np.array([0.0, 0.1, 0.3, 0.3, 0.6, 0.6])
    path, value = [], 0.0
    for goal in target:
        value += 0.3 * (goal - value)
        path.append(value)
    np.testing.assert_allclose(adjust(target, 0.3, 0.3), path, atol=EXACT)


def test_what_is_withdrawn_is_lost_at_once_and_comes_back_slowly():
    path = adjust(np.array([1.0, 1.0, 0.0, 1.0, 1.0]), 0.4, 0.3)
    assert path[2] == 0.0
    assert path[3] == pytest.approx(0.4)
    assert path[3] < path[4] < 1.0


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), share, share)
def test_a_path_lies_between_zero_and_its_target(target, first, speed):
    goals = np.array(target)
    path = adjust(goals, first, speed)
    assert (np.abs(path) <= np.abs(goals) + EXACT).all()
    assert (path * goals >= 0.0).all()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), share, share, st.floats(0.1, 5))
def test_paths_scale_with_their_target(target, first, speed, factor):
    goals = np.array(target)
    np.testing.assert_allclose(adjust(factor * goals, first, speed),
                               factor * adjust(goals, first, speed), atol=1e-10)


def test_autoregression_is_a_linear_filter():
    rng = np.random.default_rng(0)
    shocks, start = rng.normal(size=(3, 8, 2)), rng.normal(size=(3, 2))
    rho = np.array([0.2, 0.5, 0.9])
    path = autoregression(shocks, rho, start)
    for n in range(3):
        for d in range(2):
            expected, _ = lfilter([1.0], [1.0, -rho[n]], shocks[n, :, d],
                                  zi=[rho[n] * start[n, d]])
            np.testing.assert_allclose(path[n, :, d], expected, atol=EXACT)


def test_corridor_has_the_long_run_share_of_a_markov_chain():
    uniform = np.random.default_rng(1).random((400, 200, 2))
    full = np.full(400, 1.0)
    closed = corridor(uniform, 0.08 * full, 0.3 * full, 0.25 * full, 0.4 * full, 0.9 * full)
    disrupted = 0.08 / (1 - 0.3 + 0.08)
    assert (closed[:, 20:] > 0).mean() == pytest.approx(disrupted, abs=0.005)  # 4 standard errors
    assert (closed == 0.9).sum() / (closed > 0).sum() == pytest.approx(0.25, abs=0.02)
    assert set(np.unique(closed)) == {0.0, 0.4, 0.9}


def plain(**changes):
    """Two draws, three years, two importers, with nothing happening."""
    shape = {"constant": (2, 2), "elasticity_gdp": (2,), "elasticity_exchange_rate": (2, 2),
             "closure_effect": (2, 2), "persistence": (2,), "innovations": (2, 3, 2),
             "residual": (2, 2), "log_gdp": (3, 2), "base_log_gdp": (2,),
             "gdp_error": (2, 3, 2), "exchange_rate": (3,), "price_share": (2,),
             "closed_share": (2, 3)}
    inputs = {name: np.zeros(size) for name, size in shape.items()}
    return reference(**(inputs | {name: np.broadcast_to(value, shape[name]).astype(float)
                                  for name, value in changes.items()}))


def test_reference_hand_computed():
    path = plain(constant=2.0, elasticity_gdp=0.5, log_gdp=[[0.1, 0.2]] * 3, base_log_gdp=[0, 0.1],
                 elasticity_exchange_rate=-1.0, exchange_rate=0.3, closure_effect=-0.7,
                 closed_share=0.5, residual=0.4, persistence=0.5)
    level = 2.0 + 0.5 * (0.1 + 0.1) - 0.3 - 0.35
    np.testing.assert_allclose(path.log_flow[0, :, 0], level + np.array([0.2, 0.1, 0.05]))
    np.testing.assert_allclose(path.log_growth[0, 0], [0.1, 0.1])


def test_a_relative_error_of_gdp_moves_the_exchange_rate():
    error = np.zeros((2, 3, 2))
    error[..., 1] = 0.2
    path = plain(gdp_error=error, price_share=0.9, elasticity_exchange_rate=-1.0)
    np.testing.assert_allclose(path.log_flow, -0.18)


def test_innovations_are_named_by_prefix_name_and_year():
    asked = []

    def column(name):
        asked.append(name)
        return np.full(4, float(len(asked)))

    shocks = innovations(column, "shock", (2001, 2002), ("A", "B"))
    assert asked == ["shock.A.2001", "shock.B.2001", "shock.A.2002", "shock.B.2002"]
    np.testing.assert_array_equal(shocks[0], [[1.0, 2.0], [3.0, 4.0]])
