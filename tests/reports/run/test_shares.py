"""Shares of the range, against cases that can be worked out."""

import numpy as np
import pytest

from tradesim.reports.run.shares import ELASTICITY, shares
from tradesim.simulation.factors import SIZE, SPECIFICATION

DRAWS = 40_000


@pytest.fixture
def parts():
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, 3, DRAWS).astype(float)
    return {"size": rng.normal(0, 1, DRAWS), "kinds": kinds,
            "elasticity": 1.0 + 0.0 * kinds, "noise": rng.normal(0, 1, DRAWS),
            "levers": rng.normal(0, 1, DRAWS)}


def test_independent_parts_have_the_shares_of_their_variances(parts):
    before = 0.4 * parts["size"] + 0.3 * parts["kinds"] + 0.2 * parts["noise"]
    after = before + 0.1 * parts["levers"]
    found = shares(before, after, {SIZE: parts["size"], SPECIFICATION: parts["kinds"]})
    variances = {"growth": 0.16, "specification": 0.09 * 2 / 3, "rest": 0.04, "levers": 0.01}
    whole = sum(variances.values())
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)
    for name, variance in variances.items():
        assert found[name] == pytest.approx(variance / whole, abs=0.02)


def test_growth_is_size_times_its_elasticity_within_a_specification(parts):
    rng = np.random.default_rng(2)
    elasticity = rng.normal(0.8, 0.2, DRAWS)
    before = elasticity * (1.0 + 0.3 * parts["size"])
    found = shares(before, before, {SIZE: parts["size"], ELASTICITY: elasticity})
    assert found["growth"] == pytest.approx(1.0, abs=1e-9)
    assert found["levers"] == 0.0
    assert found["specification"] == pytest.approx(0.0, abs=1e-9)


def test_a_part_that_narrows_the_range_has_a_share_below_zero(parts):
    before = parts["size"]
    found = shares(before, 0.5 * before, {SIZE: parts["size"]})
    assert found["growth"] == pytest.approx(2.0)
    assert found["levers"] == pytest.approx(-1.0)


def test_nothing_varies_nothing_is_said():
    assert shares(np.ones(100), np.ones(100), {}) == {}
