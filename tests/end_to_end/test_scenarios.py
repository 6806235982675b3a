"""Every shipped scenario gives what its expected file says, and the pages say what those say.

These files only notice that results moved; they do not say that the results are right. Every push
compares the results with few draws (one scenario with all), every night those with all. After a
change that is meant to move them: ``python tests/refresh_expected.py``.
"""

import re

import numpy as np
import pandas as pd
import pytest

import scenario_answers
from expected import (
    ENDING,
    FEW_DRAWS,
    KEY,
    LAST,
    SHARES,
    YEARS,
    compute,
    expected_file,
    read,
    reduce,
    run_few,
    scenarios,
)
from readme_table import COUNT, ORDER, PLACES, between, names, table
from result_numbers import Numbers, amount, per_cent
from scenario_answers import PAGE, PARTICULAR, answer, chance, change, page, peak
from tradesim.common.files import calibration_folder
from tradesim.economy.variables import USUAL, VARIABLES
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import read_pair

TOLERANCE = 1e-6  # libraries and machines differ in the last bits only
ROUNDING = 1.0  # USD: a small change of large sums keeps fewer digits
POLICIES = ("tariff_agreement", "route_improvement", "free_zone", "air_link",
            "border_facilitation", "recognition", "payment_relief", "route_service", "plants",
            "contacts")  # no events, no single projects, no change of duty of the user's own
MOST = "all_levers"  # runs with all draws on every push, the others every night
OF_ONE = ("target_probability", *SHARES)  # of the order of one: held to the tolerance alone


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(found[KEY], expected[KEY], check_dtype=False)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False,
                                  rtol=TOLERANCE, atol=ROUNDING)
    shares = found["variable"].isin(OF_ONE)
    pd.testing.assert_frame_equal(found[shares], expected[shares], check_dtype=False,
                                  rtol=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", [
    pytest.param(path, marks=() if path.stem == MOST else pytest.mark.nightly, id=path.stem)
    for path in scenarios()])
def test_results_are_those_expected(scenario):
    same(compute(scenario), read(scenario))


@pytest.fixture(scope="module", params=scenarios(), ids=lambda path: path.stem)
def few(request):
    """Give a scenario's name and its results with few draws; one at a time is kept."""
    return request.param.stem, run_few(request.param)


@pytest.mark.slow
def test_results_with_few_draws_are_those_expected(few):
    name, dataset = few
    expected = pd.read_csv(FEW_DRAWS)[[*KEY, name]]
    expected = expected.dropna(subset=name).rename(columns={name: "value"})  # rows of its own
    same(*(table.sort_values(KEY, ignore_index=True) for table in (reduce(dataset), expected)))


@pytest.mark.slow
def test_every_result_is_there_and_finite(few):
    _, dataset = few
    for name in USUAL:
        variable = VARIABLES[name]
        assert set(dataset[name].dims) == set(variable.dims)
        assert dataset[name].sizes["case"] == 3
        assert np.isfinite(dataset[name]).all(), name


def test_every_scenario_has_its_column_with_few_draws():
    columns = pd.read_csv(FEW_DRAWS, nrows=0).columns
    assert list(columns) == [*KEY, *(scenario.stem for scenario in scenarios())]


@pytest.mark.parametrize("scenario", scenarios(), ids=lambda path: path.stem)
def test_says_what_it_is(scenario):
    read_in = scenario_answers.scenario(scenario.stem)
    assert read_in.title
    assert read_in.question.endswith("?")
    assert all(reference.title for reference in read_in.references)
    assert read_in.references
    assert read_in.not_modelled


def test_every_scenario_has_an_expected_file_and_none_is_left_over():
    files = set(scenarios()[0].parent.glob(f"*{ENDING}"))
    assert files == {expected_file(scenario) for scenario in scenarios()}


@pytest.mark.parametrize("path", PLACES, ids=lambda path: path.name)
def test_table_of_results_is_that_of_the_expected_files(path):
    assert between(path.read_text(encoding="utf-8")) == table()


def test_page_of_answers_is_that_of_the_expected_files():
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_scenario_has_its_place_and_its_particular_thing():
    stems = {path.stem for path in scenarios()}
    assert set(names()) == stems == set(ORDER) == set(PARTICULAR)


def test_pair_of_the_expected_files():
    pair = read_pair(calibration_folder())
    for scenario in scenarios():
        counts = set(read(scenario)["count"])
        assert counts - {"own"} == set(pair.counts)


def test_all_levers_pulls_every_policy_and_nothing_else():
    levers = read_levers(calibration_folder())
    pulled = scenario_answers.scenario("all_levers").levers
    assert set(pulled) == {name for name, lever in levers.items() if lever.kind in POLICIES}
    assert not any(pulled.values())  # with the settings each has by itself


def test_amounts_that_nobody_stated_are_called_assumptions():
    for path in scenarios():
        for line in path.read_text(encoding="utf-8").splitlines():
            if re.match(r"\s+(quantity|price):", line):
                assert "an assumption" in line, path.name


# Sentences.

def numbers(*, risky=0.0, sure=0.0, before=0.4, after=0.4, path=None, **accounts) -> Numbers:
    """Results as an expected file holds them; USD million.

    `path` has changes of other years; `accounts` mean changes by variable, of one importer.
    """
    rows = []

    def add(variable, year, case, value, statistics=("mean", "p10", "p50", "p90"), *,
            count=COUNT, importer="all", exporter="all"):
        rows.extend([variable, count, year, exporter, importer, "all", case, statistic, value]
                    for statistic in statistics)

    for case in ("reference", "scenario"):
        add("turnover", LAST, case, 4e8)
        add("target_probability", LAST, case, before if case == "reference" else after, ["mean"])
    for case, value in (("effect", risky), ("effect_if_implemented", sure)):
        add("turnover", LAST, case, value * 1e6)
        for year, moved in (path or {}).items():
            add("turnover", year, case, moved * 1e6, ["mean"])
        for variable, moved in accounts.items():
            for importer in ("MNG", "KAZ"):
                add(variable, LAST, case, moved * 1e6, ["mean"], count="own", importer=importer)
    return Numbers(pd.DataFrame(rows, columns=[*KEY, "value"]), COUNT)


LEVEL = f"Turnover of {LAST} is USD 400 million (400 to 400) on Kazakhstan's count"


@pytest.mark.parametrize(("found", "expected"), [
    (numbers(), f"{LEVEL}, and 500 million are reached with a probability of 40 %."),
    (numbers(risky=31.74, sure=34.6, after=0.456),
     f"{LEVEL}, on average 31.7 million more than otherwise (34.6 million if implemented); "
     "the probability of 500 million rises from 40 % to 46 %."),
    (numbers(risky=-120.2, sure=-120.2, after=0.3),
     f"{LEVEL}, on average 120 million less than otherwise; "
     "the probability of 500 million falls from 40 % to 30 %."),
    (numbers(risky=0.01, sure=0.04, after=0.401),
     f"{LEVEL}, no different on average from what it is otherwise; "
     "the probability of 500 million stays at 40 %."),
    (numbers(risky=-1.0, sure=2.0),
     f"{LEVEL}, on average 1.0 million less than otherwise (2.0 million more if implemented); "
     "the probability of 500 million stays at 40 %."),
    (numbers(risky=-1.0, sure=-1.0, path={2026: -40.0, 2027: -80.0, 2028: -50.0, 2029: -30.0}),
     f"{LEVEL}, on average 1.0 million less than otherwise; "
     "the largest change is 80.0 million less, in 2027, half of it over by 2029; "
     "the probability of 500 million stays at 40 %."),
], ids=["nothing", "better", "worse", "hardly", "mixed", "shock"])
def test_sentence(found, expected):
    assert answer("a scenario of nobody", found) == expected


@pytest.mark.parametrize(("risky", "sure", "expected"), [
    (1.0, 1.04, "on average 1.0 million more than otherwise"),
    (0.02, 0.3,
     "on average less than 0.1 million more than otherwise (0.3 million if implemented)"),
    (0.0, -0.049, "no different on average from what it is otherwise"),
    (-1234.0, -2345.0,
     "on average 1,234 million less than otherwise (2,345 million if implemented)"),
])
def test_change_in_words(risky, sure, expected):
    assert change(risky, sure) == expected


@pytest.mark.parametrize(("before", "after", "expected"), [
    (0.0, 0.004, "stays at less than 1 %"),
    (0.0, 0.02, "rises from less than 1 % to 2 %"),
    (0.999, 1.0, "stays at more than 99 %"),
    (0.42, 0.39, "falls from 42 % to 39 %"),
    (0.4235, 0.4265, "hardly moves from 42 %"),
])
def test_chance_in_words(before, after, expected):
    assert chance(before, after) == f"the probability of 500 million {expected}"


@pytest.mark.parametrize(("path", "expected"), [
    ({2027: 0.0, LAST: 0.0}, ""),
    ({2027: 14.0, LAST: 10.0}, ""),  # the last year says enough
    ({2027: -14.0, LAST: 0.0}, "the largest change is 14.0 million less, in 2027, "
                               f"half of it over by {LAST}"),
    ({2027: 0.04, LAST: 0.0}, ""),
    ({2027: 16.0, 2028: 15.0, LAST: 10.0}, "the largest change is 16.0 million more, in 2027"),
    ({2027: -16.0, 2028: 3.0, LAST: -1.0},
     "the largest change is 16.0 million less, in 2027, half of it over by 2028"),
])
def test_peak_in_words(path, expected):
    assert peak(path) == expected


@pytest.mark.parametrize(("value", "expected"), [
    (0.0, "less than 0.1 million"), (-0.26, "0.3 million"), (99.94, "99.9 million"),
    (99.96, "100 million"), (-12345.6, "12,346 million"),
])
def test_amount_in_words(value, expected):
    assert amount(value) == expected


def test_per_cent_is_never_certain():
    assert [per_cent(share) for share in (0.0, 0.0049, 0.5, 0.996, 1.0)] == [
        "less than 1 %", "less than 1 %", "50 %", "more than 99 %", "more than 99 %"]


@pytest.mark.parametrize(("value", "customs", "producers"), [
    (-185.4, "Mongolia's customs collect 185 million less", "they lose 185 million"),
    (0.26, "Mongolia's customs collect 0.3 million more", "they gain 0.3 million"),
    (0.01, "Mongolia's customs collect as much as before", "they neither gain nor lose"),
])
def test_particular_accounts_in_words(value, customs, producers):
    found = numbers(tariff_revenue=value, producer_surplus=value)
    assert scenario_answers.customs("MNG")("", found) == customs
    assert scenario_answers.account("producer_surplus", "MNG", "they")("", found) == producers


def test_loss_in_the_worst_year_in_words():
    found = numbers(path={2027: 1.0}, consumer_surplus=-2.0)
    say = scenario_answers.worst("consumer_surplus", "MNG", "they")
    assert say("", found) == f"they lose 2.0 million in {LAST}, the year in which it is most"
    assert say("", numbers(consumer_surplus=0.0)) == "they neither gain nor lose"


@pytest.mark.parametrize(("changes", "expected"), [
    ({"wheat": -0.0061}, "\N{MINUS SIGN}0.6 points in wheat"),
    ({"wheat": -0.0061, "eggs": 0.0113}, "\N{MINUS SIGN}0.6 points in wheat and +1.1 in eggs"),
    ({"wheat": -0.0004, "flour": 0.02, "eggs": 0.0},
     "0 points in wheat, +2.0 in flour and 0 in eggs"),
])
def test_own_food_in_words(changes, expected):
    assert scenario_answers.by_points(changes) == expected


@pytest.mark.parametrize(("before", "change", "expected"), [
    (0.84, -0.061, "goods for Mongolia that cross Russia become 78 % of all instead of 84 %"),
    (0.84, 0.001, "goods for Mongolia that cross Russia stay 84 % of all"),
])
def test_crossing_in_words(before, change, expected):
    rows = [["corridor_share", "own", LAST, "all", "MNG", "all", case, "mean", value]
            for case, value in (("reference", before), ("effect_if_implemented", change))]
    found = Numbers(pd.DataFrame(rows, columns=[*KEY, "value"]), COUNT)
    assert scenario_answers.crossing("MNG")("", found) == expected


@pytest.mark.parametrize(("cost", "gain", "expected"), [
    (92.4, 35.0, "it costs 92.4 million and is worth 35.0 million to both countries over its life, "
                 "to 2064, both discounted"),
    (92.4, -3.0, "it costs 92.4 million and is worth \N{MINUS SIGN}3.0 million to both countries "
                 "over its life, to 2064, both discounted"),
    (0.0, 0.01, "to 2064 it is worth less than 0.1 million to both countries, and costs "
                "nothing known"),
])
def test_cost_and_gain_in_words(cost, gain, expected):
    assert scenario_answers.cost_and_gain(cost, gain, 2064) == expected


@pytest.mark.parametrize(("whole", "rest", "expected"), [
    (80.9, 25.9, "of the 80.9 million that `other` would bring 25.9 million are left"),
    (80.9, -3.0, "of the 80.9 million that `other` would bring nothing is left"),
    (80.9, 90.0, "of the 80.9 million that `other` would bring nothing is lost"),
    (-1.0, 3.0, "`other` itself brings nothing"),
])
def test_what_is_left_in_words(whole, rest, expected):
    assert scenario_answers.remainder(whole, rest, "other") == expected


@pytest.mark.parametrize(("brings", "gap", "expected"), [
    (50.0, 57.0, "50,000 tonnes a year bring 50.0 million, "
                 "and to lift the median to the goal takes 57,000"),
    (65.0, -20.0, "50,000 tonnes a year bring 65.0 million, "
                  "and the median reaches the goal without them"),
    (0.0, 57.0, "50,000 tonnes a year bring next to nothing"),
    (0.3, 333.0, "50,000 tonnes a year bring 0.3 million, "
                 "and to lift the median to the goal takes 56,000,000"),
])
def test_what_a_project_would_take_in_words(brings, gap, expected):
    assert scenario_answers.enough(50_000, "tonnes a year", brings, gap) == expected


@pytest.mark.parametrize(("share", "brings", "gap", "expected"), [
    (0.1, 177.0, 230.0, "10 % of the output brings 177 million, all of it 1,770 million a year, "
                        "and to lift the median to the goal takes 13 % of it"),
    (0.1, 10.0, 230.0, "10 % of the output brings 10.0 million, all of it 100 million a year, "
                       "and all of it does not lift the median to the goal"),
    (0.1, 10.0, -5.0, "10 % of the output brings 10.0 million, all of it 100 million a year, "
                      "and the median reaches the goal without it"),
    (0.1, 0.0, 230.0, "10 % of the output brings next to nothing"),
])
def test_what_share_of_an_output_it_takes_in_words(share, brings, gap, expected):
    assert scenario_answers.enough_of(share, "the output", brings, gap) == expected


@pytest.mark.parametrize(("counted", "expected"), [
    ({2022: 90.0, 2023: 133.0, 2024: 124.0},
     "on Avalon's count turnover was above 130 million in 2023 (133 million), "
     "was 124 million in 2024"),
    ({2022: 131.0, 2023: 90.0, 2024: 140.0},
     "on Avalon's count turnover was above 130 million in 2022 (131 million) and "
     "2024 (140 million)"),
    ({2023: 76.7, 2024: 54.1},
     "on Avalon's count turnover has not reached 130 million in any year to 2024 "
     "(at most 76.7 million, in 2023)"),
])
def test_when_a_goal_was_passed_in_words(counted, expected):
    assert scenario_answers.passed("Avalon", counted, 130.0) == expected


@pytest.mark.parametrize(("before", "moved", "expected"), [
    (53.5, 5.7, "5.7 million more in Avalon (otherwise 53.5 million)"),
    (53.5, -5.7, "5.7 million less in Avalon (otherwise 53.5 million)"),
    (53.5, 0.01, "as much as before in Avalon (otherwise 53.5 million)"),
])
def test_what_visitors_spend_in_words(before, moved, expected):
    assert scenario_answers.visits("Avalon", before, moved) == expected


@pytest.mark.parametrize(("before", "after", "expected"), [
    (0.918, 0.917, "China takes 91.7 % of Avalon's exports (\N{MINUS SIGN}0.1 points)"),
    (0.185, 0.18504, "China takes 18.5 % of Avalon's exports (unchanged)"),
])
def test_share_of_a_buyer_in_words(before, after, expected):
    assert scenario_answers.bought("China", "Avalon", before, after) == expected


def test_a_goal_of_the_scenarios_own_is_named_where_its_probability_is():
    assert scenario_answers.goal_of("first_goal") == 130.0
    assert scenario_answers.goal_of("base") == 500.0
    assert chance(0.4, 0.5, 130.0) == "the probability of 130 million rises from 40 % to 50 %"


def test_every_year_of_the_path_is_in_the_expected_files():
    for name in names():
        years = sorted(scenario_answers.numbers(name).path())
        assert years == list(range(years[0], LAST + 1))
        assert set(YEARS) <= set(years)
