"""What can be swept, what it is called, and that chance belongs to rows, not to chunks."""

import numpy as np
import pytest

from tradesim.common.errors import InputError
from tradesim.inputs.growth import outlook, outlooks
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation.draws import draw_all
from tradesim.studies.sweep.factors import FUTURE, FactorSpace, Noise


def space_of(base, *overrides):
    known = Known(base.parameters, base.levers, base.pair)
    return FactorSpace(base, read_scenario("all_levers", known, overrides), 1)


@pytest.fixture(scope="module")
def space(base):
    return space_of(base)


def test_every_uncertain_number_is_a_factor_of_a_group(space):
    groups = {item.name: item.group for item in space.factors.values()}
    assert groups["adjustment.speed"] == "behaviour"
    assert groups["time_value.metals"] == "behaviour"
    assert groups["posterior"] == "calibration"
    assert groups["future"] == groups["gdp.error_persistence"] == "world"
    assert groups["altai_road.km_saved"] == groups["altai_road.success"] == "policy"
    assert groups["eaeu_fta.coverage.full.MNG.metals"] == "data"
    assert "altai_road.start" not in groups
    assert "reference.persistence" not in groups


def test_patterns_and_defaults(space):
    def names(*over):
        return [item.name for item in space.choose(over, False, False)]

    assert names("adjustment.*") == ["adjustment.first_year.flour", "adjustment.first_year",
                                     "adjustment.speed"]
    assert names("posterior", "posterior") == ["posterior"]
    assert "future" in names()
    assert not [name for name in names() if name.startswith("market.")]
    assert len(space.choose((), True, False)) > 400


@pytest.mark.parametrize(("name", "words"), [
    ("elasticty.scale", "unknown factor; did you mean 'elasticity.scale'?"),
    ("nothing", "unknown factor.*--list"),
    ("nothing.*", "no factor has such a name"),
    ("altai_road.start", r"has no range: it is taken as certain; give it one: 'altai_road.start="),
    ("adjustment.speed", "has no range: the scenario sets it; give it one"),
    ("reference.persistence", "is fitted with others; sweep them together: 'posterior'"),
    ("altai_road.start=2030", "must read NAME=LOW:HIGH"),
    ("altai_road.start=2030:1990", "needs LOW below HIGH, both a whole number"),
    ("posterior=0:1", "only a number can be given a range"),
    ("nothing=0:1", "unknown factor"),
])
def test_names_that_cannot_be_swept(base, name, words):
    with pytest.raises(InputError, match=words):
        space_of(base, "adjustment.speed=0.3").choose([name], False, False)


def test_the_future_has_no_middle(space):
    with pytest.raises(InputError, match="future: has no order"):
        space.choose([FUTURE], False, True)


def test_a_lever_that_the_scenario_does_not_pull(base):
    with pytest.raises(InputError, match="lever 'altai_road', which the scenario does not pull"):
        space_of(base, "altai_road=null").choose(["altai_road.km_saved"], False, False)


def test_all_problems_are_said_together(space):
    with pytest.raises(InputError) as caught:
        space.choose(["nothing", "altai_road.start"], False, False)
    assert len(caught.value.problems) == 2


def test_chance_of_a_row_is_that_of_the_whole_table():
    whole = Cube.random(50, 3).column("name")
    rows = np.array([7, 4, 30, 31])
    np.testing.assert_array_equal(Noise(len(rows), 3, rows=rows).column("name"), whole[rows])


def test_given_ranges_levers_and_middles(space):
    factors = space.choose(["altai_road.start=2028:2032", "direct_flights", "adjustment.speed"],
                           False, False)
    u = np.array([[0.01, 0.2, 0.5], [0.99, 0.8, 0.9]])
    drawn = space.draws(factors, u, None)
    np.testing.assert_array_equal(drawn["altai_road.start"], [2028, 2032])
    point = draw_all(space.base, space.scenario, Cube.point())
    assert drawn["adjustment.speed"][0] == point["adjustment.speed"][0]
    assert drawn["adjustment.speed"][1] > drawn["adjustment.speed"][0]
    np.testing.assert_array_equal(drawn["elasticity.scale"],
                                  np.repeat(point["elasticity.scale"], 2))
    acting = space.switches(factors, u, drawn, noise=False)
    np.testing.assert_array_equal(acting["direct_flights"], [0, 1])
    np.testing.assert_array_equal(acting["altai_road"], [1, 1])
    table = space.values(factors, u, drawn, acting)
    np.testing.assert_array_equal(table[:, 1], [0, 1])
    np.testing.assert_array_equal(table[:, 2], drawn["adjustment.speed"])


def test_what_is_drawn_from_a_ranged_number_follows_it(space):
    """Consent of Russia to several levers goes together the more, the higher the correlation."""
    noise, names = np.arange(400), ("altai_road.success", "border_facilitation.success")
    ranged = space.choose(["politics.correlation=0:0.95"], False, False)
    together = [space.draws(ranged, np.full((400, 1), u), noise) for u in (0.0, 1.0)]
    apart, alike = (np.corrcoef(*(drawn[name] for name in names))[0, 1] for drawn in together)
    assert abs(apart) < 0.15
    assert alike > 0.85


def test_futures_go_from_bad_to_good(space):
    factors = space.choose([FUTURE], False, False)
    u = np.array([[0.001], [0.5], [0.999]])
    flow = space.draws(factors, u, None)["innovation.flow"].sum(axis=(1, 2))
    gdp = space.draws(factors, u, None)["innovation.gdp"].sum(axis=(1, 2))
    assert (np.diff(flow + gdp) > 0).all()


def test_growth_is_a_factor_where_it_is_named(space):
    (growth,) = space.choose(["growth"], False, False)
    assert (growth.group, growth.kind) == ("world", "choice")
    assert "growth" not in [item.name for item in space.choose((), True, False)]
    u = np.array([[0.01], [0.4], [0.99]])
    drawn, _, values = space.rows([growth], u, None)
    np.testing.assert_array_equal(values[:, 0], [0, 1, 2])
    paths = outlooks(space.base.history, drawn).log_gdp
    for row, name in enumerate(("published", "record", "decade")):
        np.testing.assert_array_equal(paths[row], outlook(space.base.history, name).log_gdp)


def test_success_follows_its_probability(space):
    factors = space.choose(["altai_road.success"], False, False)
    u = np.array([[0.001], [0.999]])
    drawn = space.draws(factors, u, None)
    acting = space.switches(factors, u, drawn, noise=False)
    np.testing.assert_array_equal(acting["altai_road"], [1, 0])
    np.testing.assert_array_equal(acting["direct_flights"], [1, 1])
    np.testing.assert_array_equal(space.values(factors, u, drawn, acting)[:, 0], [1, 0])
