"""Indices against closed forms and against SALib."""

import warnings

import numpy as np
import pytest
from scipy import stats

from tradesim.studies.sweep.design import make
from tradesim.studies.sweep.indices import (
    Estimate,
    Z,
    analyse,
    chance,
    distinguishable,
    more_needed,
    morris,
    prcc,
    sobol,
    whole_blocks,
)

A, B = 7.0, 0.1


def ishigami(u):
    x = np.pi * (2 * u - 1)
    return np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_indices():
    v1 = 0.5 * (1 + B * np.pi**4 / 5) ** 2
    v2 = A**2 / 8
    v13 = B**2 * np.pi**8 * (1 / 18 - 1 / 50)
    total = v1 + v2 + v13
    return (np.array([v1, v2, 0]) / total, np.array([v1 + v13, v2, v13]) / total, v13 / total)


def design_of(method, k=3, n=4096, groups=None, **more):
    names = [f"x{place}" for place in range(k)]
    groups = [[place] for place in range(k)] if groups is None else groups
    return make(method, names, groups, n=n, seed=1, levels=[3] * k, **more)


def evaluated(design, function):
    u, _ = design.part(slice(0, design.rows))
    return u, function(u)[:, None]


def estimates(design, function):
    u, y = evaluated(design, function)
    return {one.index: one for one in
            analyse(design, u, y, whole_blocks(y, design.block), seed=1)}


def test_sobol_of_ishigami_is_the_closed_form():
    found = estimates(design_of("sobol", n=2**13, second=True), ishigami)
    first, total, both = ishigami_indices()
    np.testing.assert_allclose(found["first"].value[:, 0], first, atol=0.02)
    np.testing.assert_allclose(found["total"].value[:, 0], total, atol=0.01)
    assert found["second"].factors == ((0, 1), (0, 2), (1, 2))
    np.testing.assert_allclose(found["second"].value[:, 0], [0, both, 0], atol=0.02)
    for name, truth in (("first", first), ("total", total)):
        assert (found[name].low[:, 0] <= truth).all()
        assert (found[name].high[:, 0] >= truth).all()
    assert found["first"].low[2, 0] < 0 < found["first"].high[2, 0]


@pytest.mark.filterwarnings("ignore")
def test_sobol_is_salibs():
    from SALib.analyze import sobol as oracle

    design = design_of("sobol", n=512, second=True)
    _, y = evaluated(design, ishigami)
    problem = {"num_vars": 3, "names": ["a", "b", "c"], "bounds": [[0, 1]] * 3}
    order = np.array([0, *range(2, 8), 1])  # A, mixed, B
    theirs = oracle.analyze(problem, y.reshape(512, 8)[:, order].ravel(), num_resamples=100,
                            calc_second_order=True, seed=1)
    ours = {one.index: one for one in sobol(y.reshape(512, 8, 1), 3, True, 1)}
    np.testing.assert_allclose(ours["first"].value[:, 0], theirs["S1"], atol=5e-3)
    np.testing.assert_allclose(ours["total"].value[:, 0], theirs["ST"], atol=2e-3)
    np.testing.assert_allclose(ours["second"].value[1, 0], theirs["S2"][0, 2], atol=5e-3)
    width = (ours["total"].high - ours["total"].low)[:, 0] / 2
    np.testing.assert_allclose(width, theirs["ST_conf"], rtol=0.5)


def test_influences_named_among_many_are_rarely_false():
    rng = np.random.default_rng(7)
    points, outputs = rng.random((300, 100)), rng.random((300, 60))
    outputs[:, 30:] += points[:, :1]  # the second half depends on the first factor
    one = prcc(points, outputs)
    alone = (one.low > 0) | (one.high < 0)
    named = distinguishable(chance(one)) == "yes"
    assert alone[1:].mean() == pytest.approx(0.05, abs=0.01)  # five of a hundred by chance
    assert named[:, :30].any(axis=0).mean() < 0.2
    assert named[0, 30:].all()
    assert named[1:, 30:].sum() <= 0.1 * named[:, 30:].sum()
    assert (chance(one) >= 0).all()
    assert (chance(one) <= 1).all()


def test_chance_is_that_of_the_correction_by_hand():
    error = np.array([1.0, 1.0, 1.0, 0.0]) * Z
    value = np.array([[4.0], [2.1], [0.5], [3.0]])
    one = Estimate("first", ((0,), (1,), (2,), (3,)), value, value - error[:, None],
                   value + error[:, None])
    raw = [6.334e-5, 0.035729, 0.617075, 0.0]
    expected = [2 * raw[0], 4 / 3 * raw[1], raw[2], 0.0]
    np.testing.assert_allclose(chance(one)[:, 0], expected, rtol=1e-3, atol=1e-12)
    assert distinguishable(chance(one))[:, 0].tolist() == ["yes", "yes", "no", "yes"]


def test_groups_take_their_interactions_with_them():
    found = estimates(design_of("sobol", n=2**12, groups=[[0, 2], [1]]), ishigami)
    _, total, _ = ishigami_indices()
    np.testing.assert_allclose(found["first"].value[:, 0], [1 - total[1], total[1]], atol=0.02)
    np.testing.assert_allclose(found["total"].value, found["first"].value, atol=0.03)


def test_chance_is_a_unit_of_its_own():
    design = design_of("sobol", n=1024, noise=True)
    u, noise = design.part(slice(0, design.rows))
    chance = np.random.default_rng(0).random(2 * 1024)
    y = (u[:, 0] + 2 * chance[noise])[:, None]
    first = sobol(y.reshape(1024, design.block, 1), design.units, False, 1)[0]
    np.testing.assert_allclose(first.value[:, 0], [0.2, 0, 0, 0.8], atol=0.05)


def test_an_output_that_stands_still_has_no_indices():
    found = estimates(design_of("sobol", n=64), lambda u: np.full(len(u), 3.0))
    assert np.isnan(found["first"].value).all()
    assert np.isnan(found["total"].low).all()


def test_an_output_that_rarely_moves_has_an_interval():
    found = estimates(design_of("sobol", n=64), lambda u: (u[:, 0] > 0.9).astype(float))
    assert np.isfinite(found["total"].high[0, 0])
    assert found["total"].high[0, 0] > found["total"].low[0, 0]


@pytest.mark.filterwarnings("ignore")
def test_morris_is_salibs():
    from SALib.analyze import morris as oracle

    design = design_of("morris", k=4, n=30)

    def function(u):
        return 3 * u[:, 0] - u[:, 1] + 5 * u[:, 1] * u[:, 2]

    u, y = evaluated(design, function)
    problem = {"num_vars": 4, "names": list("abcd"), "bounds": [[0, 1]] * 4}
    grid = (u - 0.125) / 0.75  # levels 0, 1/3, 2/3, 1, as SALib expects: a jump of 2/3
    theirs = oracle.analyze(problem, grid, y[:, 0], num_levels=4)
    ours = {one.index: one for one in
            morris(u.reshape(30, 5, 4), y.reshape(30, 5, 1), 1)}
    for name in ("mu", "mu_star", "sigma"):
        np.testing.assert_allclose(ours[name].value[:, 0], 4 / 3 * theirs[name],
                                   rtol=1e-9, atol=1e-12)
    assert ours["mu_star"].value[3, 0] == 0


def test_morris_jumps_each_factor_once():
    design = design_of("morris", k=5, n=8)
    u, _ = design.part(slice(0, design.rows))
    assert u.min() > 0
    assert u.max() < 1
    step = np.diff(u.reshape(8, 6, 5), axis=1)
    assert (np.count_nonzero(step, axis=2) == 1).all()
    assert (np.count_nonzero(step, axis=1) == 1).all()
    np.testing.assert_allclose(np.abs(step).max(axis=2), 0.5)


def test_prcc_is_the_correlation_of_what_the_others_leave():
    rng = np.random.default_rng(2)
    x = rng.random((400, 4))
    x[:, 1] += 0.8 * x[:, 0]
    y = np.exp(2 * x[:, :1] - x[:, 1:2] + 0.3 * rng.standard_normal((400, 1)))
    found = prcc(x, np.hstack([y, x[:, 2:3] + 0.1 * rng.random((400, 1))]))
    ranks, goal = stats.rankdata(x, axis=0), stats.rankdata(y[:, 0])
    for place in range(4):
        others = np.column_stack([np.ones(400), np.delete(ranks, place, axis=1)])
        left = [v - others @ np.linalg.lstsq(others, v, rcond=None)[0]
                for v in (ranks[:, place], goal)]
        assert found.value[place, 0] == pytest.approx(stats.pearsonr(*left).statistic, abs=1e-9)
    assert (found.low <= found.value).all()
    assert found.value[2, 1] > 0.9


def test_the_interval_of_prcc_pays_for_the_other_factors():
    """Second route: Fisher's interval of a plain correlation, of as many rows fewer."""
    rng = np.random.default_rng(4)
    x = rng.random((20, 6))
    found = prcc(x, x[:, :1] + rng.random((20, 1)))
    value, half = found.value[:, 0], 1.959964 / np.sqrt((20 - 5) - 3)
    np.testing.assert_allclose(found.low[:, 0], np.tanh(np.arctanh(value) - half), rtol=1e-12)
    np.testing.assert_allclose(found.high[:, 0], np.tanh(np.arctanh(value) + half), rtol=1e-12)


@pytest.mark.parametrize(("value", "low", "high", "word"), [
    (0.3, 0.1, 0.5, "yes"), (-0.3, -0.5, -0.1, "yes"), (0.3, -0.1, 0.7, "no"),
    (0.0, 0.0, 0.0, "no"), (0.0, 0.0, 0.1, "no"), (1e-12, 5e-13, 2e-12, "no"),
    (np.nan, np.nan, np.nan, "does not vary")])
def test_only_what_is_not_zero_is_distinguishable(value, low, high, word):
    one = Estimate("first", ((0,),), *(np.array([[number]]) for number in (value, low, high)))
    assert distinguishable(chance(one)) == [[word]]


def test_prcc_of_what_does_not_move_is_nothing():
    x = np.random.default_rng(0).random((50, 2))
    x[:, 1] = 4.0
    found = prcc(x, np.column_stack([x[:, 0], np.ones(50)]))
    assert found.value[0, 0] == pytest.approx(1.0)
    assert np.isnan(found.value[1]).all()
    assert np.isnan(found.value[:, 1]).all()


def test_one_at_a_time_and_levels():
    def plane(u):
        return 10 * u[:, 0] - u[:, 1]

    oat = estimates(design_of("oat", k=2), plane)
    np.testing.assert_allclose(oat["swing"].value[:, 0], [8.0, -0.8])
    np.testing.assert_allclose(oat["at_low"].value[:, 0], [0.5, 4.9])
    grid = estimates(design_of("grid", k=2), plane)
    np.testing.assert_allclose(grid["range_of_means"].value[:, 0], [20 / 3, 2 / 3])


def test_failed_rows_go_by_whole_blocks():
    design = design_of("sobol", n=1024)
    u, y = evaluated(design, ishigami)
    y[7] = np.nan
    kept = whole_blocks(y, design.block)
    assert kept.sum() == 1023
    assert not kept[1]
    found = analyse(design, u, y, kept, 1)
    np.testing.assert_allclose(found[0].value[:, 0], ishigami_indices()[0], atol=0.1)


def test_more_evaluations_follow_the_square_root_law():
    few, many = (list(estimates(design_of("sobol", n=n), ishigami).values()) for n in (128, 8192))
    needed = more_needed(few, 128 * 5)[0]
    assert 128 * 5 < needed < 100_000
    assert more_needed(many, 8192 * 5)[0] == 0


def test_no_warnings_with_one_trajectory():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimates(design_of("morris", n=1), ishigami)
