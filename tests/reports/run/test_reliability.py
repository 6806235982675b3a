"""The section on trust: its numbers from the record and the draws, and what it says."""

from __future__ import annotations

import pytest

from fake_backtest import record
from tradesim.common.files import calibration_folder
from tradesim.inputs.history import read_history
from tradesim.inputs.pair import read_pair
from tradesim.inputs.posterior import pooled, read_posterior
from tradesim.inputs.specifications import read_specifications, read_weights
from tradesim.reports.run.page import environment
from tradesim.reports.run.reliability import COVERAGE, PAST_FANS, evidence, forms, trust
from tradesim.reports.run.view import Story
from tradesim.simulation.model import run
from tradesim.studies.backtest.track_record import FILE, read_record, track_record, write_record


class Told:
    """As much of a story as the section asks for: few draws, a count."""

    draw_count, count, point = 2, "right", False


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("calibration")
    write_record(record()[0], made / FILE)
    return made


def said(found, changes=True):
    made = environment().from_string(
        "{% import 'trust.j2' as t %}{{ t.made_of(found, f) }}{{ t.record(found, f) }}")
    facts = {"count": "Right's count", "last": {"year": 2035}, "now": {"year": 2024},
             "changes": changes}
    return " ".join(made.render(found=found, f=facts).split())


def test_numbers_are_those_of_the_record(folder):
    found, expected = trust(Told(), folder), track_record(read_record(folder), "right")
    assert found["shares"] is None
    assert found["record"]["lenient"] == pytest.approx(100 * expected["skill"])
    assert found["record"]["skill"] <= found["record"]["lenient"]
    assert [row["ahead"] for row in found["record"]["rows"]] == list(expected["horizons"])
    assert found["record"]["first"]["above"] == expected["horizons"][1]["above"]
    assert [name for name, _ in evidence(
        Told(), folder, found["past"])] == [PAST_FANS, COVERAGE]


def test_a_worse_record_is_said_to_be_worse(folder):
    found = trust(Told(), folder)
    better = said(found)
    assert "smaller than those of the best of four simple rules" in better
    found["record"] |= {"skill": -12.0, "losing": [1, 2]}
    assert "12 % <b>larger</b> than those of the best" in said(found)
    found["record"] |= {"skill": 8.0, "losing": [1], "lenient": 13.0}
    assert "without it errors were 13 % smaller" in said(found)
    assert "8 % smaller" in said(found)
    assert "but larger 1 year ahead" in said(found)


def test_without_a_record_it_says_so(tmp_path):
    assert trust(Told(), tmp_path)["record"] is None
    assert "was not held against its own past" in said(trust(Told(), tmp_path))
    assert not list(evidence(Told(), tmp_path, None))


def test_parts_of_the_range_in_words():
    found = {"record": None, "forms": [],
             "shares": {"growth": 55.4, "specification": 30.2, "levers": 0.3, "rest": 14.1}}
    text = said(found)
    assert "about 55 % comes from how fast both economies grow" in text
    assert "30 % from the choice of the equation" in text
    assert "under 1 % from the levers of this scenario (which move the middle" in text
    assert "levers" not in said(found, changes=False)


def test_forms_of_a_run_stand_by_themselves():
    dataset = run("base", draws=200)
    source = calibration_folder()
    story = Story(dataset, read_pair(source), read_history(source), pooled(read_posterior(source)))
    rows = forms(story, source)
    weights = read_weights(source)
    assert [row["title"] for row in rows] == [
        read_specifications(source)[name].title for name in weights]
    assert sum(row["weight"] for row in rows) == pytest.approx(1.0)
    for row, weight in zip(rows, weights.values(), strict=True):
        assert row["weight"] == pytest.approx(weight, abs=0.1)  # three standard errors
        assert row["value"][1] < row["value"][0] < row["value"][2]
    one = run("base", draws=100, overrides=["specification=real_gdp"])
    assert forms(Story(one, story.pair, story.history, story.posterior), source) == []
