"""Distributions, the cube and the table of parameters."""

import re
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inputs import PARAMETERS, write_calibration
from tradesim.common.errors import InputError
from tradesim.inputs.distributions import KINDS, between
from tradesim.inputs.parameters import Cube, Parameter, draw, quantile, read_parameters

U = np.concatenate([[1e-12, 1e-6], np.linspace(0.001, 0.999, 999), [1 - 1e-6, 1 - 1e-12]])
INFINITE = 1e300


def made(low: float, high: float, /, **distribution: object) -> Parameter:
    return Parameter(name="p", title="t", unit="u", distribution=distribution, low=low, high=high,
                     source="s", grade="C")


EXAMPLES = {
    "fixed": made(0, 5, kind="fixed", value=2),
    "uniform": made(-1, 5, kind="uniform", low=-1, high=3.5),
    "triangular": made(0, 1, kind="triangular", low=0, mode=0.2, high=1),
    "triangular, mode at the low end": made(0, 3, kind="triangular", low=0, mode=0, high=3),
    "triangular, mode at the high end": made(0, 3, kind="triangular", low=0, mode=3, high=3),
    "normal": made(-0.5, 3, kind="normal", mean=1, sd=0.25),
    "normal, far right": made(9, 12, kind="normal", mean=0, sd=1),
    "normal, far left": made(-12, -9, kind="normal", mean=0, sd=1),
    "lognormal": made(0.02, 2, kind="lognormal", median=0.25, sd=0.5),
    "lognormal, shifted": made(1, 30, kind="lognormal", median=4, sd=0.6, shift=1),
    "beta": made(0, 0.98, kind="beta", a=5, b=5),
    "beta, skewed": made(0.2, 1, kind="beta", a=0.5, b=3),
    "zero_inflated_lognormal": made(0, 4, kind="zero_inflated_lognormal", zero=0.6, median=0.3,
                                    sd=1),
    "range": made(0, 10, kind="range", value=2, low=1, high=10),
}


@pytest.mark.parametrize("parameter", EXAMPLES.values(), ids=EXAMPLES)
def test_quantile_rises_within_bounds(parameter):
    values = quantile(parameter, U)
    assert np.isfinite(values).all()
    assert (np.diff(values) >= 0).all()
    assert values.min() >= parameter.low
    assert values.max() <= parameter.high


def test_every_kind_has_an_example():
    assert {example.distribution.kind for example in EXAMPLES.values()} == set(KINDS)


def truncated(distribution, low, high):
    below = distribution.cdf(low)
    return distribution.ppf(below + U * (distribution.cdf(high) - below))


@pytest.mark.parametrize("name", ["uniform", "triangular", "normal", "lognormal",
                                  "lognormal, shifted", "beta", "beta, skewed"])
def test_quantile_equals_scipy(name):
    stats = pytest.importorskip("scipy.stats")
    oracle = {
        "uniform": stats.uniform(-1, 4.5), "triangular": stats.triang(0.2),
        "normal": stats.norm(1, 0.25), "lognormal": stats.lognorm(0.5, scale=0.25),
        "lognormal, shifted": stats.lognorm(0.6, loc=1, scale=4), "beta": stats.beta(5, 5),
        "beta, skewed": stats.beta(0.5, 3)}[name]
    parameter = EXAMPLES[name]
    np.testing.assert_allclose(quantile(parameter, U),
                               truncated(oracle, parameter.low, parameter.high), rtol=1e-9,
                               atol=1e-12)


def test_normal_far_from_its_mean_equals_scipy():
    stats = pytest.importorskip("scipy.stats")
    for name, low, high in (("normal, far right", 9, 12), ("normal, far left", -12, -9)):
        np.testing.assert_allclose(quantile(EXAMPLES[name], U), stats.truncnorm(low, high).ppf(U),
                                   rtol=1e-8)


def test_zero_inflated_lognormal_by_hand():
    parameter = made(0, INFINITE, kind="zero_inflated_lognormal", zero=0.6, median=0.3, sd=1)
    got = quantile(parameter, np.array([0.1, 0.6, 0.8]))
    np.testing.assert_allclose(got, [0, 0, 0.3], rtol=1e-12)


def test_range_has_its_value_as_median_and_never_leaves():
    assert between(np.array(0.5), 2.0, 1.0, 10.0) == pytest.approx(2.0, rel=1e-14)
    # By hand: logit(1/9) = log(1/8); at u = Phi(1) the logit is log(1/8) + 1.
    expected = 1 + 9 / (1 + 8 * np.exp(-1))
    assert between(np.array(0.8413447460685429), 2.0, 1.0, 10.0) == pytest.approx(expected)
    for value, low, high in ((3.0, 3.0, 3.0), (1.0, 1.0, 10.0), (10.0, 1.0, 10.0)):
        np.testing.assert_array_equal(between(U, value, low, high), value)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1))
def test_range_stays_within_any_limits(low, width, place):
    high = low + width
    value = min(max(low + place * width, low), high)
    parameter = made(low, high, kind="range", value=value, low=low, high=high)
    values = quantile(parameter, U)
    assert (np.diff(values) >= -1e-9 * max(abs(low), abs(high), 1)).all()
    assert (values >= low).all()
    assert (values <= high).all()


@given(st.floats(-50, 50), st.floats(0.01, 20), st.floats(-50, 50), st.floats(0.1, 50))
def test_any_truncated_normal_rises_within_its_bounds(mean, sd, low, width):
    values = quantile(made(low, low + width, kind="normal", mean=mean, sd=sd), U)
    assert np.isfinite(values).all()
    assert (np.diff(values) >= 0).all()


def test_random_columns_are_named_streams():
    cube = Cube.random(500, 7)
    column = cube.column("a.b")
    assert column.shape == (500,)
    assert 0 < column.min() < column.max() < 1
    np.testing.assert_array_equal(column, Cube.random(500, 7).column("a.b"))
    np.testing.assert_array_equal(column[:100], Cube.random(100, 7).column("a.b"))
    assert abs(np.corrcoef(column, cube.column("a.c"))[0, 1]) < 0.2
    assert abs(np.corrcoef(column, Cube.random(500, 8).column("a.b"))[0, 1]) < 0.2


def test_random_columns_never_change():
    """Published results rest on these streams: same name and seed, same numbers for ever."""
    np.testing.assert_allclose(Cube.random(3, 1).column("adjustment.speed"),
                               [0.7672857676137285, 0.50205154985765, 0.7464783923153123],
                               rtol=0, atol=0)


@given(st.text(max_size=20), st.integers(0, 2**63))
def test_random_columns_are_uniform_for_any_name_and_seed(name, seed):
    column = Cube.random(400, seed).column(name)
    assert abs(column.mean() - 0.5) < 0.1
    assert abs((column < 0.25).mean() - 0.25) < 0.15


def test_point_and_table():
    np.testing.assert_array_equal(Cube.point().column("x"), [0.5])
    table = Cube.table({"x": np.array([0.1, 0.9])}, Cube.point())
    np.testing.assert_array_equal(table.column("x"), [0.1, 0.9])
    np.testing.assert_array_equal(table.column("y"), [0.5, 0.5])
    with pytest.raises(ValueError, match="read-only"):
        table.column("x")[0] = 0.2
    fallback = Cube.random(2, 1)
    np.testing.assert_array_equal(Cube.table({"x": np.array([0.1, 0.9])}, fallback).column("y"),
                                  fallback.column("y"))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: Cube.random(0, 1), "draws must be 1 or more"),
    (lambda: Cube.random(3, -1), "the seed 0 or more, not 3, -1"),
    (lambda: Cube.table({"x": np.array([0.0, 0.5])}, Cube.point()),
     r"column 'x' leaves the open interval \(0, 1\)"),
    (lambda: Cube.table({"x": np.array([np.nan])}, Cube.point()), "leaves the open interval"),
    (lambda: Cube.table({"x": np.array([0.5]), "y": np.array([0.5, 0.5])}, Cube.point()),
     r"column 'x' has shape \(1,\), not \(2,\)"),
    (lambda: Cube.table({"x": np.array([0.5])}, Cube.random(3, 1)),
     "columns of 1 draws, but the fallback has 3"),
])
def test_impossible_cubes(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_draw_moves_no_other_column():
    cube = Cube.random(50, 3)
    few = draw({"a": EXAMPLES["normal"], "r": EXAMPLES["range"]}, cube, {})
    many = draw({"z": EXAMPLES["beta"], "s": EXAMPLES["range"], "a": EXAMPLES["normal"],
                 "r": EXAMPLES["range"]}, cube, {"z": 0.3})
    assert list(many) == ["z", "s", "a", "r"]
    for name in few:
        np.testing.assert_array_equal(few[name], many[name])
        assert few[name].shape == (50,)
    np.testing.assert_array_equal(many["z"], 0.3)
    np.testing.assert_array_equal(few["r"], quantile(EXAMPLES["range"], cube.column("r")))


def test_fixing_what_does_not_exist():
    with pytest.raises(InputError, match="parameters: speeed: unknown parameter; did you mean "
                                         "'speed'"):
        draw({"speed": EXAMPLES["beta"]}, Cube.point(), {"speeed": 1.0})


def test_nothing_warns_at_the_ends():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for parameter in EXAMPLES.values():
            quantile(parameter, np.array([2.0**-53, 1 - 2.0**-53]))


def test_read_parameters(tmp_path):
    found = read_parameters(write_calibration(tmp_path))
    assert list(found) == ["adjustment.speed", "elasticity.demand"]
    speed = found["adjustment.speed"]
    assert (speed.name, speed.low, speed.high, speed.locator) == ("adjustment.speed", 0, 1,
                                                                  "table 2")
    assert not speed.calibrated
    assert found["elasticity.demand"].note == "no estimate for this pair"
    with pytest.raises(ValueError, match="frozen"):
        speed.low = -1


ENTRY = ("a.b: {title: t, unit: u, distribution: {kind: beta, a: 1, b: 2}, bounds: [0, 1], "
         "source: s, grade: B}")


@pytest.mark.parametrize(("old", "new", "message"), [
    ("unit: u, ", "", "a.b.unit: is missing"),
    ("source: s, ", "", "a.b.source: is missing"),
    (", grade: B", "", "a.b.grade: is missing"),
    ("grade: B", "grade: E", "a.b.grade: must be A, B, C or D, not 'E'"),
    ("title: t", "title: ''", "a.b.title: must not be empty"),
    ("title: t", "title: 3", "parameters.yaml:1:7: a.b.title: must be text, not a whole number "
                             "(3)"),
    ("bounds: [0, 1]", "bounds: [1, 0]", "a.b.bounds: the lower bound 1 is above the upper"),
    ("bounds: [0, 1]", "bounds: [0]", "a.b.bounds: must be a list of two numbers"),
    ("bounds: [0, 1], ", "", "a.b.bounds: is missing"),
    ("bounds: [0, 1]", "bounds: [2, 3]", "a.b.bounds: leave nothing of the distribution"),
    ("bounds: [0, 1]", "bounds: [0, NO]", "a.b.bounds: must be a number, not text ('NO')"),
    ("unit: u", "unit: u, unti: u",
     "a.b.unti: unknown key; known: bounds, calibrated, distribution, grade, locator, note, "
     "source, title, unit; did you mean 'unit'?"),
    ("kind: beta", "kind: bta", "a.b.distribution: unknown kind 'bta'; known: fixed, uniform"),
    ("kind: beta, ", "", "a.b.distribution: must say its kind"),
    ("a: 1", "a: 0", "a.b.distribution.a: must be greater than 0, not 0"),
    ("a: 1", "a: .nan", "a.b.distribution.a: .nan is not a finite number"),
    ("a: 1, ", "", "a.b.distribution.a: is missing"),
    ("b: 2", "b: 2, c: 3", "a.b.distribution.c: unknown key"),
    ("b: 2", "b: yes", "a.b.distribution.b: must be a number, not text ('yes')"),
    ("{kind: beta, a: 1, b: 2}", "beta", "a.b.distribution: must be a mapping"),
    ("{kind: beta, a: 1, b: 2}", "{kind: uniform, low: 0, high: 2}",
     "a.b.distribution: reaches from 0 to 2, outside the bounds 0 to 1"),
    ("{kind: beta, a: 1, b: 2}", "{kind: triangular, low: 0, mode: 2, high: 1}",
     "a.b.distribution: low, mode, high must rise, but are 0, 2, 1"),
    ("{kind: beta, a: 1, b: 2}", "{kind: uniform, low: 1, high: 1}",
     "a.b.distribution: low, high must rise, but are 1, 1"),
    ("{kind: beta, a: 1, b: 2}", "{kind: range, value: 3, low: 0, high: 1}",
     "a.b.distribution: low, value, high must rise, but are 0, 3, 1"),
    ("{kind: beta, a: 1, b: 2}", "{kind: fixed, value: 7}", "a.b.distribution: reaches from 7"),
    ("bounds: [0, 1]", "bounds: [0, 1], calibrated: maybe",
     "a.b.calibrated: must be true or false, not text ('maybe')"),
])
def test_bad_parameters(tmp_path, old, new, message):
    assert old in ENTRY
    write_calibration(tmp_path, parameters=ENTRY.replace(old, new))
    with pytest.raises(InputError, match=re.escape(message)):
        read_parameters(tmp_path)


def test_zero_inflation_needs_zero_within_bounds(tmp_path):
    text = ENTRY.replace("{kind: beta, a: 1, b: 2}", "{kind: zero_inflated_lognormal, zero: 0.5, "
                         "median: 1, sd: 1}").replace("[0, 1]", "[1, 2]")
    write_calibration(tmp_path, parameters=text)
    with pytest.raises(InputError, match="must hold zero, but begin at 1"):
        read_parameters(tmp_path)


def test_all_problems_of_all_parameters_come_together(tmp_path):
    text = PARAMETERS.replace("grade: B", "grade: Z").replace("unit: elasticity", "unti: x")
    write_calibration(tmp_path, parameters=text + "\nthird: 7\n")
    with pytest.raises(InputError, match=r"grade.*\n.*unti.*\n.*unit: is missing\n.*third") as got:
        read_parameters(tmp_path)
    assert all(problem.line for problem in got.value.problems)
