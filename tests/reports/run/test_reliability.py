"""The section on reliability: its numbers from the record and the draws, and what it says."""

from __future__ import annotations

import numpy as np
import pytest

from fake_backtest import record
from tradesim.reports.html_page import environment
from tradesim.reports.run.reliability import (
    ELASTICITY,
    reliability,
    variance_shares,
)
from tradesim.reports.skill import skill_text
from tradesim.simulation.factors import NEW_GOODS, SIZE
from tradesim.studies.backtest.track_record import FILE, read_record, track_record, write_record


class FewDraws:
    """As much of a view as the section asks for: few draws, a count."""

    draw_count, count, point = 2, "right", False


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("calibration")
    write_record(record(), made / FILE)
    return made


def said(found, changes=True):
    made = environment().from_string(
        "{% import 'reliability.j2' as t %}{{ t.made_of(found, f) }}{{ t.record(found, f) }}")
    facts = {"count": "Right's count", "last": {"year": 2035}, "now": {"year": 2024},
             "changes": changes}
    return " ".join(made.render(found=found, f=facts).split())


def test_numbers_are_those_of_the_record(folder):
    found = reliability(FewDraws(), folder)
    expected = track_record(read_record(folder), "right")
    assert found["shares"] is None
    assert found["others"] is None
    assert found["record"]["skill"] == skill_text(expected["skill"])
    assert [row["ahead"] for row in found["record"]["rows"]] == list(expected["horizons"])
    assert found["record"]["first"]["above"] == expected["horizons"][1]["above"]


def test_both_sets_of_rivals_stand_in_the_text_with_their_intervals(folder):
    text = said(reliability(FewDraws(), folder))
    expected = track_record(read_record(folder), "right")
    fair, every = (" ".join(skill_text(expected[name]).split())
                   for name in ("skill", "skill_all_years"))
    assert fair != every
    assert f"mean skill was {fair};" in text
    assert f"every year seen {every}." in text
    assert "P(skill ≤ 0)" in text
    assert "other pairs of this size" not in text


def test_skill_is_stated_on_other_pairs(folder, tmp_path):
    (tmp_path / "panel_skill.csv").write_text(
        "model,horizon,skill,low,high,coverage90,cases,pairs,chance_of_none,crps,bias\n"
        "tradesim,1,-0.03,-0.05,0.01,0.9,4000,300,0.96,0.2,0\n"
        "tradesim,11,0.2,0.11,0.29,0.88,12345,250,0.01,0.5,0\n"
        "other,11,0.9,0.8,1,0.88,9,9,0,0.5,0\n")
    found = reliability(FewDraws(), tmp_path)
    text = said(found)
    assert "trade of up to 300 other pairs" in text
    assert "11 years ahead was 20 % smaller than that of a random walk" in text
    assert "held 88 % of 12 345 outcomes" in text
    assert "<td>−3 % [−5 % to 1 %; P(skill ≤ 0) 96 %]</td>" in text
    found["others"][-1] |= {"skill": -0.07}
    assert "was 7 % larger than that of a random walk" in said(found)


def test_without_a_record_it_says_so(tmp_path):
    assert reliability(FewDraws(), tmp_path)["record"] is None
    assert "was not held against its own past" in said(reliability(FewDraws(), tmp_path))


def test_parts_of_the_range_in_words():
    found = {"record": None, "others": None,
             "shares": {"growth": 55.4, "new_goods": 7.2, "levers": 0.3, "rest": 37.1}}
    text = said(found)
    assert "7 % from goods that may be traded for the first time, and 37 % from shocks" in text
    found["shares"] |= {"new_goods": 0.0, "rest": 44.3}
    assert "first time" not in said(found)
    text = said(found)
    assert "about 55 % comes from how fast both economies grow" in text
    assert "and 44 % from shocks to trade that nothing explains" in text
    assert "under 1 % from the levers of this scenario (which move the middle" in text
    assert "levers" not in said(found, changes=False)


# Shares of the range, against cases that can be worked out.

DRAWS = 40_000


@pytest.fixture
def parts():
    rng = np.random.default_rng(1)
    return {"size": rng.normal(0, 1, DRAWS), "noise": rng.normal(0, 1, DRAWS),
            "levers": rng.normal(0, 1, DRAWS)}


def test_new_goods_are_a_part_of_their_own(parts):
    before = 0.4 * parts["size"] + 0.2 * parts["noise"]
    found = variance_shares(before, before, {SIZE: parts["size"],
                                             f"{NEW_GOODS}.MNG": parts["noise"]})
    assert found["new_goods"] == pytest.approx(0.2, abs=0.01)
    assert found["rest"] == pytest.approx(0.0, abs=1e-9)


def test_independent_parts_have_the_shares_of_their_variances(parts):
    before = 0.4 * parts["size"] + 0.2 * parts["noise"]
    after = before + 0.1 * parts["levers"]
    found = variance_shares(before, after, {SIZE: parts["size"]})
    variances = {"growth": 0.16, "rest": 0.04, "levers": 0.01}
    whole = sum(variances.values())
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-12)
    for name, variance in variances.items():
        assert found[name] == pytest.approx(variance / whole, abs=0.02)


def test_growth_is_size_times_its_elasticity(parts):
    rng = np.random.default_rng(2)
    elasticity = rng.normal(0.8, 0.2, DRAWS)
    before = elasticity * (1.0 + 0.3 * parts["size"])
    found = variance_shares(before, before, {SIZE: parts["size"], ELASTICITY: elasticity})
    assert found["growth"] == pytest.approx(1.0, abs=1e-9)
    assert found["levers"] == 0.0
    assert found["rest"] == pytest.approx(0.0, abs=1e-9)


def test_a_part_that_narrows_the_range_has_a_share_below_zero(parts):
    before = parts["size"]
    found = variance_shares(before, 0.5 * before, {SIZE: parts["size"]})
    assert found["growth"] == pytest.approx(2.0)
    assert found["levers"] == pytest.approx(-1.0)


def test_nothing_varies_nothing_is_said():
    assert variance_shares(np.ones(100), np.ones(100), {}) == {}
