"""The rule that weights specifications: second routes, properties, the cases it must tell apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradesim.studies.backtest import stacking
from tradesim.studies.backtest.stacking import cell_weights, decide, stack

# Weights found by two ways of searching the same maximum.
SAME = 1e-5


def triangle(origins=10, horizons=5):
    """Which cells have an outcome when every origin reaches the same last year."""
    return np.arange(origins)[:, None] + np.arange(horizons) < origins


def scores(offsets, seed=0, noise=0.2, origins=10):
    """Log scores and CRPS of candidates that differ by an offset and noise of each origin."""
    rng = np.random.default_rng(seed)
    shape = (origins, 5, len(offsets))
    shared = rng.normal(0, 1.0, (origins, 5, 1))
    values = shared + np.array(offsets) + rng.normal(0, noise, (origins, 1, len(offsets)))
    values = np.where(triangle(origins)[..., None], np.broadcast_to(values, shape), np.nan)
    return values, np.exp(-values)


def far_apart(count, origins=10):
    """Forecasts of candidates of which none is another's twin."""
    levels = np.arange(5) + 10.0 * np.arange(count)[:, None]
    made = np.broadcast_to(levels.T, (origins, 5, 5, count))
    return np.where(triangle(origins)[..., None, None], made, np.nan)


def judge(names, values, crps):
    return decide(names, values, crps, far_apart(len(names), len(values)))


def by_expectation(log_density, cells, origins):
    """Second route: the expectation-maximisation steps for weights of a mixture."""
    size = log_density.shape[1]
    weights = np.full(size, 1 / size)
    for _ in range(20_000):
        joint = weights * np.exp(log_density - log_density.max(axis=1, keepdims=True))
        part = joint / joint.sum(axis=1, keepdims=True)
        weights = (origins * cells @ part + 1 / size) / (origins + 1)
    return weights


@pytest.mark.parametrize("seed", range(4))
def test_stack_by_two_routes(seed):
    rng = np.random.default_rng(seed)
    density, cells = rng.normal(0, 1, (40, 6)), rng.dirichlet(np.ones(40))
    found = stack(density, cells, 10)
    assert found.sum() == pytest.approx(1)
    np.testing.assert_allclose(found, by_expectation(density, cells, 10), atol=SAME)


def test_stack_of_two_in_closed_form():
    """One that is impossible: the best counts for N and half the prior, of N + 1 in all."""
    found = stack(np.array([[0.0, -800.0]]), np.array([1.0]), 10)
    np.testing.assert_allclose(found, [10.5 / 11, 0.5 / 11], atol=SAME)


def test_the_same_forecast_twice_shares_its_weight():
    rng = np.random.default_rng(1)
    density, cells = rng.normal(0, 1, (40, 3)), np.full(40, 1 / 40)
    twice = stack(density[:, [0, 0, 1, 2]], cells, 1e6)
    once = stack(density, cells, 1e6)
    assert twice[0] == pytest.approx(twice[1], abs=SAME)
    assert twice[0] + twice[1] == pytest.approx(once[0], abs=1e-3)


def test_cells_weigh_every_horizon_the_same():
    weights = cell_weights(triangle())
    np.testing.assert_allclose(weights.sum(axis=0), 0.2)
    assert weights[0, 0] == pytest.approx(1 / 50)
    assert weights[0, 4] == pytest.approx(1 / 30)
    assert weights[9, 1] == 0


def test_without_any_outcome_weights_are_equal():
    empty = np.full((10, 5, 3), np.nan)
    found = judge(["a", "b", "c"], empty, empty)
    assert found.weights == {"a": 0.3334, "b": 0.3333, "c": 0.3333}
    assert found.origins == 0


def test_a_clear_winner_is_used_alone():
    found = judge(["a", "b", "c"], *scores([0.0, 1.5, 0.2]))
    assert found.alone == "b"
    assert found.weights == {"b": 1.0}


def test_a_close_race_is_stacked():
    found = judge(["a", "b", "c"], *scores([0.0, 0.02, 0.01], noise=0.5))
    assert found.alone == ""
    assert len(found.weights) > 1
    assert sum(found.weights.values()) == pytest.approx(1, abs=1e-12)


def test_few_origins_show_no_clear_winner():
    values, crps = scores([0.0, 3.0], origins=7)
    assert judge(["a", "b"], values, crps).alone == ""
    assert judge(["a", "b"], *scores([0.0, 3.0], origins=8)).alone == "b"


def test_a_winner_must_lead_on_crps_too():
    values, crps = scores([0.0, 1.5])
    crps[:, 1:] = crps[:, 1:, ::-1]
    assert judge(["a", "b"], values, crps).alone == ""


def test_below_the_floor_is_dropped():
    values, crps = scores([0.0, 0.1, -9.0, -9.0], noise=0.5)
    found = judge(list("abcd"), values, crps)
    assert set(found.weights) == {"a", "b"}
    assert min(found.weights.values()) >= stacking.FLOOR
    assert found.standing["c"].weight == 0
    assert found.standing["c"].behind > 5


def test_overlap_makes_weights_move_less():
    """The stack of two full windows, against counting every origin."""
    values, crps = scores([0.0, 0.8], noise=0.5)
    found = judge(["a", "b"], values, crps)
    known = np.isfinite(values).all(axis=-1)
    cells = cell_weights(known)[known]
    np.testing.assert_allclose(list(found.weights.values()), stack(values[known], cells, 2.0),
                               atol=1e-4)
    assert max(found.weights.values()) < stack(values[known], cells, 10.0).max()


def test_twins_count_once_and_the_first_stands_for_them():
    values, crps = scores([0.0, 0.1, -0.1, 0.0], noise=0.4)
    levels = far_apart(4)
    levels[..., 1] = levels[..., 0] + 0.05
    levels[..., 3] = levels[..., 2] + 0.12
    found = decide(list("abcd"), values, crps, levels)
    assert [found.standing[name].twin for name in "abcd"] == ["", "a", "", ""]
    assert found.standing["b"].weight == 0
    assert np.isnan(found.standing["b"].behind)
    rest = decide(list("acd"), values[..., [0, 2, 3]], crps[..., [0, 2, 3]],
                  levels[..., [0, 2, 3]])
    assert found.weights == rest.weights


def test_a_twin_of_a_twin_may_stand_for_itself():
    levels = far_apart(3)
    levels[..., 1], levels[..., 2] = levels[..., 0] + 0.08, levels[..., 0] + 0.16
    assert stacking.twins(levels) == [0, 0, 2]


def test_twins_do_not_look_at_outcomes():
    """Forecasts alone decide, also before there is any outcome."""
    levels = far_apart(2)
    levels[..., 1] = levels[..., 0] + 0.01
    empty = np.full((10, 5, 2), np.nan)
    assert decide(["a", "b"], empty, empty, levels).weights == {"a": 1.0}


@given(st.permutations(range(4)), st.integers(0, 30))
def test_order_of_candidates_does_not_matter(order, seed):
    values, crps = scores([0.0, 0.1, -0.1, 0.3], seed=seed, noise=0.4)
    names = np.array(list("abcd"))
    one = judge(list(names), values, crps).weights
    two = judge(list(names[order]), values[..., order], crps[..., order]).weights
    assert one == pytest.approx(two, abs=2e-4)


@given(st.integers(0, 30), st.floats(-5, 5))
def test_what_all_share_does_not_matter(seed, shift):
    values, crps = scores([0.0, 0.1, -0.1], seed=seed, noise=0.4)
    one, two = judge(list("abc"), values, crps), judge(list("abc"), values + shift, crps)
    assert one.weights == pytest.approx(two.weights, abs=2e-4)


def test_standard_error_against_the_covariances():
    """Second route: the sum over all pairs of origins of weighted products."""
    rest = np.cumsum(np.random.default_rng(6).normal(size=10))
    centred = rest - rest.mean()
    apart = np.abs(np.subtract.outer(np.arange(10), np.arange(10)))
    wanted = (np.maximum(1 - apart / 5, 0) * np.outer(centred, centred)).sum()
    plain = (centred**2).sum()
    assert wanted > 1.1 * plain
    assert stacking._error(rest) == pytest.approx(np.sqrt(max(wanted, plain) * 10 / 9))


def test_overlap_makes_the_standard_error_larger_never_smaller():
    smooth = np.sin(np.arange(10) / 2)
    jagged = np.array([1.0, -1.0] * 5)
    plain = np.sqrt(10 * 10 / 9)
    assert stacking._error(jagged) == pytest.approx(plain)
    assert stacking._error(smooth) > 1.2 * np.sqrt(((smooth - smooth.mean())**2).sum() * 10 / 9)


def test_winners_among_equals_are_rare():
    """What docs/backtest.md says of the bound: overlapping differences, six equal candidates."""
    rng, wins = np.random.default_rng(0), 0
    for _ in range(1000):
        noise = rng.normal(size=(14, 6))
        scored = sum(noise[lag:lag + 10] for lag in range(5))
        first = int(scored.sum(axis=0).argmax())
        behind = np.delete(scored[:, [first]] - scored, first, axis=1)
        wins += all(column.sum() > stacking.ERRORS * stacking._error(column)
                    for column in behind.T)
    assert wins / 1000 == pytest.approx(0.03, abs=0.015)
