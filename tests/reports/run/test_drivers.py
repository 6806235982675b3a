"""Which assumptions matter: the ranking against another route, and against a known answer."""

import numpy as np
import pytest
import xarray as xr
from scipy.stats import spearmanr

from tradesim.reports.run.drivers import correlations, movers

DRAWS = 400


@pytest.fixture
def known():
    """An outcome that hangs strongly on `a`, weakly (and inversely) on `b`, not on `c`."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(3, DRAWS))
    values = np.vstack([values, rng.random(DRAWS) < 0.2])
    outcome = 100 + 10 * values[0] - 4 * values[1] + 3 * values[3] + 0.1 * rng.normal(size=DRAWS)
    names = ["a", "b", "c", "switch"]
    kept = xr.DataArray(values, dims=("factor", "draw"), coords={
        "factor": names, "factor_title": ("factor", names),
        "factor_unit": ("factor", ["share"] * 4)})
    return kept, outcome


def test_correlations_are_those_of_scipy(known):
    kept, outcome = known
    found = correlations(kept.to_numpy(), outcome)
    expected = [spearmanr(row, outcome).statistic for row in kept.to_numpy()]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_without_variation_nothing_is_correlated(known):
    kept, outcome = known
    assert not correlations(kept.to_numpy(), np.ones(DRAWS)).any()
    constant = correlations(np.ones((1, DRAWS)), outcome)
    assert constant.tolist() == [0.0]


def test_the_strongest_comes_first_and_chance_is_left_out(known):
    kept, outcome = known
    found = movers(kept, outcome)
    assert [mover.name for mover in found][:2] == ["a", "b"]
    assert "c" not in {mover.name for mover in found}
    first, second = found[:2]
    assert first.correlation > 0 > second.correlation
    # Medians of the outer thirds of a normal number lie at its 1/6 and 5/6 quantiles.
    assert first.high - first.low == pytest.approx(10 * 2 * 0.9674, rel=0.15)
    assert first.edges[0] == pytest.approx(-0.4307, abs=0.15)
    assert first.edges[1] == pytest.approx(0.4307, abs=0.15)


def test_a_switch_is_split_by_its_two_values():
    switch = (np.arange(DRAWS) % 5 == 0).astype(float)
    kept = xr.DataArray(switch[None], dims=("factor", "draw"), coords={
        "factor": ["switch"], "factor_title": ("factor", ["Switch"]),
        "factor_unit": ("factor", ["0 no, 1 yes"])})
    only = movers(kept, switch * 7 + np.linspace(0, 1, DRAWS))
    assert only[0].edges == (0.0, 1.0)
    assert only[0].high - only[0].low == pytest.approx(7, abs=0.1)
    often = movers(kept.copy(data=1 - kept), switch * 7 + np.linspace(0, 1, DRAWS))
    assert often[0].edges == (0.0, 1.0)
