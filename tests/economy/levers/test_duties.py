"""Duties changed in four ways: by hand, their properties, and the kind of lever that uses them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from made_up_world import make_economy
from tradesim.common.arrays import spread, total
from tradesim.common.errors import InputError
from tradesim.economy.levers.duties import (
    linear_cut,
    maximum_rate,
    new_rate,
    swiss_coefficient,
    swiss_formula,
    tariff_change,
)
from tradesim.economy.resolve import resolve
from tradesim.inputs.levers import Choice

EXACT = 1e-12
LEF, RIG, UNI, FAR = range(4)
BREAD, TOOLS, WOOL = range(3)
ON = spread(1.0)
RATES = np.array([0.0, 0.03, 0.05, 0.15, 0.5, 3.0])

numbers = st.just(0.0) | st.floats(1e-9, 5)
rates = arrays(float, 7, elements=numbers)
shares = st.floats(0, 1)


def test_the_four_ways_by_hand():
    np.testing.assert_allclose(new_rate(RATES, np.array(0.04)), [0.04] * 6)
    np.testing.assert_allclose(maximum_rate(RATES, np.array(0.1)), [0, 0.03, 0.05, 0.1, 0.1, 0.1])
    np.testing.assert_allclose(linear_cut(RATES, np.array(0.2)), [0, 0.024, 0.04, 0.12, 0.4, 2.4])
    np.testing.assert_allclose(  # coefficient 0.1: 15 % becomes 0.015 / 0.25 = 6 %
        swiss_formula(RATES, np.array(0.1)),
        [0, 0.003 / 0.13, 0.005 / 0.15, 0.06, 0.05 / 0.6, 0.3 / 3.1])


def test_a_tariff_of_five_lines_under_a_swiss_formula_of_eight():
    """Rates and coefficient in per cent, as negotiators write them; one decimal by hand."""
    before = np.array([4.0, 8.0, 12.0, 24.0, 56.0])
    printed = np.array([2.7, 4.0, 4.8, 6.0, 7.0])
    np.testing.assert_allclose(swiss_formula(before, np.array(8.0)), printed, atol=0.05)


@given(rates, numbers)
def test_formulas_never_raise_a_rate(old, number):
    for new in (maximum_rate(old, np.array(number)), swiss_formula(old, np.array(number)),
                linear_cut(old, np.array(min(number, 1.0)))):
        assert (new <= old * (1 + EXACT)).all()
        assert (new >= 0).all()


@given(rates, numbers)
def test_swiss_rates_stay_below_the_coefficient(old, coefficient):
    new = swiss_formula(old, np.array(coefficient))
    assert (new <= coefficient * (1 + EXACT)).all()
    order = np.argsort(old)
    assert (np.diff(new[order]) >= -EXACT).all()  # the order of rates is kept
    apart = old[order][-1] - old[order][0]
    assert new[order][-1] - new[order][0] <= apart + EXACT  # and they move together


@given(rates, shares, st.floats(0.1, 10))
def test_linear_cut_is_homogeneous(old, cut, scale):
    np.testing.assert_allclose(linear_cut(scale * old, np.array(cut)),
                               scale * linear_cut(old, np.array(cut)), rtol=EXACT, atol=EXACT)


@given(rates, st.floats(0.01, 5), st.floats(0.1, 10))
def test_swiss_formula_has_no_unit(old, coefficient, scale):
    """Per cent or shares: the coefficient scales with the rates."""
    np.testing.assert_allclose(swiss_formula(scale * old, np.array(scale * coefficient)),
                               scale * swiss_formula(old, np.array(coefficient)),
                               rtol=1e-9, atol=EXACT)


@given(st.integers(0, 10**6), st.floats(0.01, 0.99), st.sampled_from(["simple", "weighted"]))
@settings(max_examples=25, deadline=None)
def test_solved_coefficient_gives_the_average_asked_for(seed, cut, kind):
    rng = np.random.default_rng(seed)
    old = rng.uniform(0, 0.6, (6, 9)) * (rng.uniform(size=(6, 9)) < 0.8)
    weight = np.ones((6, 9)) if kind == "simple" else rng.lognormal(0, 2, (6, 9))
    coefficient = swiss_coefficient(old, weight, np.full(9, cut))
    new = swiss_formula(old, coefficient)
    before, after = ((weight * part).sum(axis=0) for part in (old, new))
    np.testing.assert_allclose(after, (1 - cut) * before, rtol=EXACT)


def test_solved_coefficient_by_a_closed_form():
    equal = np.full((3, 2), 0.15)
    found = swiss_coefficient(equal, np.ones((3, 2)), np.array([0.25, 0.5]))
    np.testing.assert_allclose(found, [0.15 * 0.75 / 0.25, 0.15], rtol=EXACT)
    assert swiss_coefficient(0 * equal, np.ones((3, 2)), np.array([0.5, 0.5])).tolist() == [0, 0]
    alone = swiss_coefficient(np.array([[0.1], [0.9]]), np.array([[1.0], [0.0]]), np.array([0.5]))
    assert alone == pytest.approx(0.1, rel=EXACT)  # what has no weight does not count


CALL = {"importers": "LEF", "exporters": "RIG, UNI", "groups": ["tools", "wool"],
        "method": "linear_cut", "rate": spread(0.02), "cap": spread(0.05), "cut": spread(0.4),
        "coefficient": spread(0.05), "coefficient_from": "given",
        "target_average_cut": spread(0.3), "utilisation": ON}


def removed(world, phase=ON, **changes):
    return tariff_change(world, phase, **(CALL | changes)).duty


def test_only_the_chosen_duties_change(world):
    duty = removed(world)
    np.testing.assert_allclose(duty[LEF, [RIG, UNI], TOOLS:], 0.4)
    assert duty.sum() == pytest.approx(4 * 5 * 0.4)
    assert not removed(world, phase=spread(0.0)).any()
    np.testing.assert_allclose(removed(world, phase=spread(0.25), utilisation=spread(0.5)),
                               0.125 * duty)


@pytest.mark.parametrize(("method", "expected"), [
    ("new_rate", lambda old: 0.02 + 0 * old),
    ("maximum_rate", lambda old: np.minimum(old, 0.05)),
    ("linear_cut", lambda old: 0.6 * old),
    ("swiss_formula", lambda old: 0.05 * old / (0.05 + old)),
])
def test_what_is_left_is_the_new_rate(world, method, expected):
    left = resolve(world, [(ON, tariff_change(world, ON, **(CALL | {"method": method})))]).wedge
    old = world.duty[LEF, RIG, TOOLS]
    np.testing.assert_allclose(left[LEF, RIG, TOOLS], expected(old), rtol=EXACT)


def test_a_new_rate_may_be_higher(world):
    duty = removed(world, method="new_rate", rate=spread(0.5))
    assert (duty[LEF, RIG, TOOLS] < 0).all()
    pulled = [(ON, tariff_change(world, ON, **(CALL | {"method": "new_rate",
                                                       "rate": spread(0.5)})))]
    np.testing.assert_allclose(resolve(world, pulled).wedge[LEF, RIG, TOOLS], 0.5, rtol=EXACT)


def test_a_duty_that_is_not_there_is_not_raised():
    world = make_economy()
    free = world.duty.copy()
    free[LEF, UNI, WOOL] = 0.0
    world = replace(world, duty=free)
    with pytest.raises(InputError, match=r"tariff_change\.rate: there is no duty in the base year "
                                         r"that a new rate could replace: LEF, UNI, wool; "
                                         r"leave them out, or take maximum_rate"):
        removed(world, method="new_rate")
    assert not removed(world, method="new_rate", rate=spread(0.0))[LEF, UNI, WOOL].any()
    for method in ("maximum_rate", "linear_cut", "swiss_formula"):
        assert not removed(world, method=method)[LEF, UNI, WOOL].any()


@pytest.mark.parametrize("method", ["new_rate", "maximum_rate", "swiss_formula"])
def test_the_formula_acts_on_the_statutory_rate(world, method):
    """Half of the duty is exempt: twice the rate is cut, and half of the new one collected."""
    half = removed(replace(world, duty_paid=spread(0.5)), method=method)
    twice = removed(replace(world, duty=2 * world.duty), method=method)
    np.testing.assert_allclose(half, twice, atol=EXACT)


def test_linear_cut_does_not_ask_who_pays(world):
    half = removed(replace(world, duty_paid=spread(0.5)))
    np.testing.assert_allclose(half, removed(world), atol=EXACT)


@pytest.mark.parametrize("kind", ["simple_average", "weighted_average"])
def test_the_average_of_each_importer_falls_as_asked(world, kind):
    call = CALL | {"importers": ["LEF", "RIG"], "exporters": ["UNI", "FAR"],
                   "method": "swiss_formula", "coefficient_from": kind}
    shock = tariff_change(world, ON, **call)
    weight = world.sales if kind == "weighted_average" else 1.0 + 0 * world.sales
    picked = (world.mask("exporter", ["UNI", "FAR"]) * world.mask("group", ["tools", "wool"])
              * weight)
    before = total(picked * world.duty, "exporter", "group")
    after = total(picked * world.duty * (1.0 - shock.duty), "exporter", "group")
    np.testing.assert_allclose(after, 0.7 * before, rtol=EXACT)


def test_a_choice_may_hold_several_names():
    choice = Choice(name="x.groups", title="Groups", values=["a", "b", "c"], default="a, b",
                    several=True, source="test", grade="C")
    assert choice.allowed == "one or more of: a, b, c"
    for good in ("a", "a,c", ["b", "a"], "a, b, c"):
        assert choice.takes(good)
    for bad in ("", "a,,b", "d", ["a", "d"], [], "a, a", 3, None):
        assert not choice.takes(bad)


def test_a_single_rate_has_its_closed_form_whatever_the_rounding():
    rng = np.random.default_rng(0)
    rate, cut, weight = rng.uniform(0.001, 0.6, 5000), rng.uniform(0.02, 0.98, 5000), 3.7
    found = swiss_coefficient(rate[None], np.full((1, 5000), weight), cut)
    np.testing.assert_allclose(found, rate * (1 - cut) / cut, rtol=1e-8)
