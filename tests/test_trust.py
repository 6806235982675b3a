"""The section on trust: its numbers from the record and the draws, and what it says."""

from __future__ import annotations

import pytest

from fake_backtest import record
from tradesim.record import FILE, read_record, track_record, write_record
from tradesim.report import environment
from tradesim.trust import COVERAGE, PAST_FANS, evidence, trust


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
    facts = {"count": "Right's count", "last": {"year": 2035}, "changes": changes}
    return " ".join(made.render(found=found, f=facts).split())


def test_numbers_are_those_of_the_record(folder):
    found, expected = trust(Told(), folder), track_record(read_record(folder), "right")
    assert found["shares"] is None
    assert found["record"]["skill"] == pytest.approx(100 * expected["skill"])
    assert [row["ahead"] for row in found["record"]["rows"]] == list(expected["horizons"])
    assert found["record"]["first"]["above"] == expected["horizons"][1]["above"]
    assert [name for name, _ in evidence(Told(), folder)] == [PAST_FANS, COVERAGE]


def test_a_worse_record_is_said_to_be_worse(folder):
    found = trust(Told(), folder)
    better = said(found)
    assert "smaller than those of the best of four simple rules" in better
    found["record"] |= {"skill": -12.0, "losing": [1, 2]}
    assert "12 % <b>larger</b> than those of the best" in said(found)
    found["record"] |= {"skill": 8.0, "losing": [1], "strict": 3.0}
    assert "errors were 3 % smaller" in said(found)
    assert "8 % smaller" in said(found)
    assert "but larger 1 year ahead" in said(found)


def test_without_a_record_it_says_so(tmp_path):
    assert trust(Told(), tmp_path)["record"] is None
    assert "was not held against its own past" in said(trust(Told(), tmp_path))
    assert not list(evidence(Told(), tmp_path))


def test_parts_of_the_range_in_words():
    found = {"record": None, "shares": {"growth": 55.4, "specification": 30.2, "levers": 0.3,
                                        "rest": 14.1}}
    text = said(found)
    assert "about 55 % comes from how fast both economies grow" in text
    assert "30 % from the choice of the equation" in text
    assert "under 1 % from the levers of this scenario (which move the middle" in text
    assert "levers" not in said(found, changes=False)
