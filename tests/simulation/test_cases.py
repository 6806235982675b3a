"""Cases that pull the same levers in a draw are solved once, and give what each alone gives."""

import numpy as np
import pytest

from tradesim.economy.variables import USUAL
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation.cases import Patterns
from tradesim.simulation.draws import draw_all, standard_cases
from tradesim.simulation.model import simulate

DRAWS = 24
OFF, ON = np.zeros(4), np.ones(4)


def drawn(base, name):
    scenario = read_scenario(name, Known(base.parameters, base.levers, base.pair), ())
    numbers = draw_all(base, scenario, Cube.random(DRAWS, 3))
    return scenario, numbers, standard_cases(base, scenario, numbers)


def test_one_lever_is_solved_only_where_it_is_pulled():
    some = np.array([0.0, 1.0, 0.0, 1.0])
    found = Patterns.of({"reference": {"road": OFF}, "scenario": {"road": some},
                         "if_implemented": {"road": ON}}, 4)
    assert found.rows.tolist() == [0, 1, 2, 3]
    assert found.column.tolist() == [[-1] * 4, [-1, 1, -1, 3], [0, 1, 2, 3]]


def test_draws_that_differ_keep_their_cases():
    found = Patterns.of({"one": {"road": ON, "pact": OFF}, "none": {"road": OFF, "pact": OFF},
                         "other": {"road": OFF, "pact": ON}}, 4)
    assert found.rows is None
    assert list(found.switches) == ["one", "other"]
    assert (found.layer[0], found.layer[2]) == (0, 1)


def test_patterns_hold_the_switches_of_every_case():
    rng = np.random.default_rng(1)
    cases = {str(case): {lever: (rng.random(9) < 0.85).astype(float) for lever in "abc"}
             for case in range(3)}
    found = Patterns.of(cases, 9)
    assert len(found.rows) < 27
    for place, case in enumerate(cases.values()):
        for lever, switch in case.items():
            column = found.column[place]
            solved = np.where(column < 0, 0.0, found.switches["all"][lever][column])
            np.testing.assert_array_equal(solved, switch)
            np.testing.assert_array_equal(found.rows[column[column >= 0]],
                                          np.arange(9)[column >= 0])


@pytest.mark.parametrize("name", ["eaeu_fta", "strategic_partnership", "corridor_closure"])
def test_every_case_is_what_it_is_alone(base, name):
    scenario, numbers, cases = drawn(base, name)
    together = simulate(base, scenario, numbers, cases)
    for case, switches in cases.items():
        alone = simulate(base, scenario, numbers, {case: switches})
        for variable in USUAL:
            np.testing.assert_array_equal(alone[variable].sel(case=case),
                                          together[variable].sel(case=case), variable)


def test_every_draw_is_what_it_is_alone(base):
    scenario, numbers, _ = drawn(base, "roadmap_2025_2027")
    together = simulate(base, scenario, numbers)
    for draw in range(0, DRAWS, 5):
        alone = simulate(base, scenario, {key: values[[draw]] for key, values in numbers.items()})
        for variable in USUAL:
            np.testing.assert_array_equal(alone[variable].isel(draw=0),
                                          together[variable].isel(draw=draw), variable)


def test_variables_asked_for_are_those_of_all(base):
    scenario, numbers, _ = drawn(base, "eaeu_fta")
    everything = simulate(base, scenario, numbers)
    for variable in USUAL:
        one = simulate(base, scenario, numbers, variables=[variable])
        assert list(one) == [variable]
        np.testing.assert_array_equal(one[variable], everything[variable], variable)
