"""New goods: closed forms against simulation, the middle, and a path whose spread stays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradesim.inputs.parameters import Cube, draw
from tradesim.reference.new_goods import (
    LEAST_RISE,
    PREFIX,
    SPAN,
    NewGoods,
    arrivals,
    expected,
    left,
    new_goods,
    variance,
)
from tradesim.reference.projection import path_draws, reference_path

YEARS = tuple(range(2025, 2036))


def process(rate=0.3, beyond=0.4, first_year=0.6, loss=0.1, draws=1):
    return NewGoods(np.full((draws, 1), rate), np.full((draws, 1), beyond),
                    np.full(draws, first_year), np.full(draws, loss))


def test_one_good_by_hand():
    uniform = np.full((1, 5, 1, 3), 0.01)
    uniform[0, 1, 0] = [0.99, 1.0 - np.exp(-2.0), 0.95]  # comes, twice the mean beyond, lasts
    path = arrivals(process(first_year=0.5, loss=0.02), uniform)[0, :, 0]
    full = LEAST_RISE + 2.0 * 0.4
    np.testing.assert_allclose(path, [0.0, 0.5 * full, 0.75 * full, full, 0.0], atol=1e-12)


def test_mean_and_variance_are_those_of_many_paths():
    draws, years = 200_000, 8
    goods = process(draws=draws)
    path = arrivals(goods, np.random.default_rng(5).random((draws, years, 1, 3)))[..., 0]
    mean, square = expected(goods, years)[0, :, 0], variance(goods, years)[0, :, 0]
    error = path.std(axis=0) / np.sqrt(draws)
    assert (np.abs(path.mean(axis=0) - mean) < 4 * error).all()
    np.testing.assert_allclose(path.var(axis=0), square, rtol=0.02)


def test_columns_in_their_middle_give_the_mean():
    goods = process()
    np.testing.assert_allclose(arrivals(goods, np.full((1, 9, 1, 3), 0.5)), expected(goods, 9),
                               rtol=1e-12)


@given(st.floats(0.0, 1.0), st.floats(0.0, 2.0))
def test_more_arrivals_never_take_one_away(rate, more):
    uniform = np.random.default_rng(3).random((50, 11, 1, 3))
    goods = process(rate=rate, draws=50)
    assert (arrivals(goods, uniform, rate=goods.rate * (1 + more))
            >= arrivals(goods, uniform) - 1e-12).all()


def test_what_is_left_keeps_the_variance_over_ten_years():
    sd, rho = np.array([[0.3]]), np.array([0.8])
    goods = process(rate=0.02, beyond=0.2)
    rest = (left(goods, sd, rho) * sd) ** 2 * (rho ** (2 * np.arange(SPAN))).sum()
    fitted = sd**2 * (rho ** (2 * np.arange(SPAN))).sum()
    np.testing.assert_allclose(rest + variance(goods, SPAN)[:, -1], fitted, rtol=1e-12)
    assert left(process(rate=2.0), sd, rho)[0, 0] == 0.5  # never less than a quarter of it


def everything(base, cube, **fixed):
    numbers = {name: item for name, item in base.parameters.items()
               if name.startswith(("gdp.", "corridor.", PREFIX))}
    return draw(numbers, cube, fixed) | path_draws(base, cube, YEARS)


def test_the_shipped_process_moves_neither_the_mean_nor_the_spread(base):
    drawn = everything(base, Cube.random(4000, 3))
    without = {name: values for name, values in drawn.items() if name != f"{PREFIX}loss"}
    on, off = (reference_path(base, numbers, YEARS) for numbers in (drawn, without))
    gap = (on.log_flow - off.log_flow)[:, SPAN - 1]
    assert (np.abs(gap.mean(axis=0)) < 4 * gap.std(axis=0) / np.sqrt(4000)).all()
    np.testing.assert_allclose(on.log_flow[:, SPAN - 1].std(axis=0),
                               off.log_flow[:, SPAN - 1].std(axis=0), rtol=0.03)
    assert (off.new_goods == 0.0).all()
    assert (on.new_goods[:, SPAN - 1].std(axis=0) > 0.05).all()


def test_no_rises_leave_the_path_as_it_was(base):
    none = {f"{PREFIX}rises.{code}": 0.0 for code in base.pair.importers}
    drawn = everything(base, Cube.random(50, 1), **none)
    off = {name: values for name, values in drawn.items() if name != f"{PREFIX}loss"}
    np.testing.assert_allclose(reference_path(base, drawn, YEARS).log_flow,
                               reference_path(base, off, YEARS).log_flow, rtol=1e-14)


def test_a_calibration_without_the_numbers_has_no_process(base):
    assert new_goods({}, base.pair.importers) is None


def test_the_middle_of_everything_stays_in_the_middle(base):
    point = everything(base, Cube.point())
    off = {name: values for name, values in point.items() if name != f"{PREFIX}loss"}
    np.testing.assert_allclose(reference_path(base, point, YEARS).log_flow,
                               reference_path(base, off, YEARS).log_flow, rtol=1e-14)
    assert new_goods(point, base.pair.importers).rate[0, 0] == pytest.approx(0.0215)
