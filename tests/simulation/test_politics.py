"""Success of levers that need the same consent: marginals stay, the joint moves (equation P2)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal, norm

from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation.draws import draw_all, standard_cases, together

DRAWS = 40_000


def columns(*names):
    cube = Cube.random(DRAWS, 7)
    return {name: cube.column(name) for name in names}, cube.column("politics.common")


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.8])
def test_every_column_stays_uniform(correlation):
    own, common = columns("road", "pact")
    for values in together(own, common, np.full(DRAWS, correlation)).values():
        assert kstest(values, "uniform").pvalue > 0.01


@pytest.mark.parametrize("correlation", [0.3, 0.8])
def test_both_come_as_often_as_the_two_normals_say(correlation):
    own, common = columns("road", "pact")
    found = together(own, common, np.full(DRAWS, correlation))
    both = np.mean((found["road"] < 0.2) & (found["pact"] < 0.5))
    expected = multivariate_normal(cov=[[1, correlation], [correlation, 1]]).cdf(
        [norm.ppf(0.2), norm.ppf(0.5)])
    assert both == pytest.approx(expected, abs=4 * np.sqrt(expected / DRAWS))
    assert expected > 0.2 * 0.5


def test_no_correlation_is_independence_to_the_last_bit():
    own, common = columns("road", "pact")
    for name, values in together(own, common, np.zeros(DRAWS)).items():
        np.testing.assert_array_equal(values, own[name])


def test_complete_correlation_would_be_one_decision():
    own, common = columns("road", "pact")
    found = together(own, common, np.ones(DRAWS))
    np.testing.assert_allclose(found["road"], found["pact"])


def test_a_run_correlates_those_that_need_consent_and_no_others(base):
    known = Known(base.parameters, base.levers, base.pair)
    apart, close = (read_scenario("all_levers", known, [f"politics.correlation={value}"])
                    for value in (0, 0.9))
    cube = Cube.random(2000, 3)
    free, tied = (draw_all(base, scenario, cube) for scenario in (apart, close))
    for name in apart.levers:
        same = np.array_equal(free[f"{name}.success"], tied[f"{name}.success"])
        assert same == (not base.levers[name].needs_consent), name
    consent = [name for name in apart.levers
               if base.levers[name].needs_consent and not base.levers[name].follows]
    assert len(consent) >= 4
    common = [np.corrcoef([norm.ppf(draws[f"{name}.success"]) for name in consent])
              [np.triu_indices(len(consent), 1)] for draws in (free, tied)]
    np.testing.assert_allclose(common[0], 0.0, atol=0.09)
    np.testing.assert_allclose(common[1], 0.9, atol=0.03)
    for draws, scenario in ((free, apart), (tied, close)):
        for name, happens in standard_cases(base, scenario, draws)["scenario"].items():
            assert happens.mean() == pytest.approx(draws[f"{name}.probability"][0], abs=0.05)
