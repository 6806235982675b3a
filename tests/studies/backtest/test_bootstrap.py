"""Intervals of skill: a second route by loops, known cases, bad input."""

import numpy as np
import pytest

from tradesim.studies.backtest.bootstrap import skill_range

EXACT = 1e-12


def by_loops(ours, theirs, block, samples, seed):
    """The same drawing, written out."""
    rng, count = np.random.default_rng(seed), len(ours)
    starts = rng.integers(count, size=(samples, -(-count // block)))
    found = []
    for row in starts:
        places = [(start + step) % count for start in row for step in range(block)][:count]
        found.append(1 - sum(ours[k] for k in places) / sum(theirs[k] for k in places))
    return np.array(found)


@pytest.mark.parametrize("block", [1, 3, 5])
def test_interval_is_that_of_skills_of_redrawn_origins(block):
    rng = np.random.default_rng(3)
    theirs = rng.uniform(0.2, 0.5, 10)
    ours = theirs * rng.uniform(0.5, 1.2, 10)
    found = skill_range(ours, theirs, block=block, samples=500, seed=7)
    drawn = by_loops(ours, theirs, block, 500, 7)
    assert found.skill == pytest.approx(1 - ours.sum() / theirs.sum(), abs=EXACT)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, (0.05, 0.95))))
    assert found.chance_of_none == pytest.approx((drawn <= 0).mean())


def test_the_best_rival_is_chosen_anew_by_horizon_and_origins_without_outcome_do_not_count():
    ours = np.array([[0.2, 0.3], [0.2, 0.3], [0.2, np.nan]])
    theirs = np.stack([np.array([[0.4, 0.6]] * 3), np.array([[0.25, 0.9]] * 3)], axis=-1)
    found = skill_range(ours, theirs, block=1, samples=50)
    assert found.skill == pytest.approx(0.5 * ((1 - 0.2 / 0.25) + (1 - 0.3 / 0.6)))
    assert found.low == pytest.approx(found.skill)
    assert found.chance_of_none == 0.0


def test_a_model_that_is_its_rival_has_no_skill_for_sure():
    scores = np.random.default_rng(1).uniform(0.1, 0.9, 12)
    found = skill_range(scores, scores)
    assert found[:3] == pytest.approx((0, 0, 0), abs=EXACT)
    assert found.chance_of_none == 1.0


def test_longer_blocks_widen_the_interval_where_neighbours_are_alike():
    theirs = np.ones(40)
    ours = 0.8 + 0.2 * np.sin(np.arange(40) / 4)
    one, five = (skill_range(ours, theirs, block=block) for block in (1, 5))
    assert five.high - five.low > 1.5 * (one.high - one.low)


@pytest.mark.parametrize("scores", [[0.3], [np.nan, np.nan]])
def test_one_origin_says_nothing(scores):
    with pytest.raises(ValueError, match="a skill needs scores from two origins or more"):
        skill_range(np.array(scores), np.array(scores))
