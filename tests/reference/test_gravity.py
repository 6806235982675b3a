"""Adjustment over time and the reference path against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter

from tradesim.common.arrays import autoregression, only, spread
from tradesim.economy.adjustment import partial_adjust
from tradesim.reference.gravity import corridor, innovations, reference

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
def test_a_path_lies_below_its_target_and_above_the_worst_so_far(target, first, speed):
    goals = np.array(target)
    path = adjust(goals, first, speed)
    assert (path <= np.maximum(goals, 0.0) + EXACT).all()
    assert (path >= np.minimum(np.minimum.accumulate(goals), 0.0) - EXACT).all()


def test_what_was_lost_is_won_back_as_slowly():
    path = adjust(np.array([-1.0, -1.0, 0.0, 0.0]), 0.4, 0.3)
    np.testing.assert_allclose(path, [-0.4, -0.58, -0.306, -0.2142], atol=EXACT)


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
             "residual": (2, 2), "size": (2, 3), "log_growth": (2, 3, 2),
             "exchange_rate": (2, 3), "closed_share": (2, 3)}
    values = {name: np.broadcast_to(changes.get(name, 0.0), size).astype(float)
              for name, size in shape.items()}
    series = ("innovations", "size", "log_growth", "exchange_rate", "closed_share")
    return reference(values, **{name: values[name] for name in series})


def test_reference_hand_computed():
    path = plain(constant=[2.0, 3.0], elasticity_gdp=0.5, size=[0.2, 0.4, 0.6],
                 log_growth=[0.1, 0.3],
                 elasticity_exchange_rate=-1.0, exchange_rate=0.3, closure_effect=-0.7,
                 closed_share=0.5, residual=[0.4, 0.8], persistence=[0.5, 0.1])
    level = np.array([2.0, 3.0]) - 0.3 - 0.35
    left = np.array([[0.2, 0.4], [0.1, 0.2], [0.05, 0.1]])
    np.testing.assert_allclose(path.log_flow[0],
                               level + np.array([0.1, 0.2, 0.3])[:, None] + left)
    np.testing.assert_allclose(path.unexplained[1], [[0.04, 0.08], [0.004, 0.008],
                                                     [0.0004, 0.0008]])
    np.testing.assert_allclose(path.log_growth[0, 0], [0.1, 0.3])


def test_a_corridor_that_was_disrupted_may_stay_so():
    uniform = np.full((2, 3, 2), 0.2)
    chances = [np.full(2, value) for value in (0.1, 0.3, 0.5, 0.4, 0.9)]
    assert (corridor(uniform, *chances) == 0.0).all()
    assert (corridor(uniform, *chances, begun=True) == 0.9).all()


def test_innovations_are_named_by_prefix_name_and_year():
    asked = []

    def column(name):
        asked.append(name)
        return np.full(4, float(len(asked)))

    shocks = innovations(column, "shock", (2001, 2002), ("A", "B"))
    assert asked == ["shock.A.2001", "shock.B.2001", "shock.A.2002", "shock.B.2002"]
    np.testing.assert_array_equal(shocks[0], [[1.0, 2.0], [3.0, 4.0]])
