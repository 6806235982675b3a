"""Answers of every shipped scenario, each sentence read back against ``summary.csv``."""

from __future__ import annotations

import re
from html import unescape

import pytest

import briefs
from reading import ease
from tradesim.common.files import calibration_folder
from tradesim.inputs.answers import ANSWERS
from tradesim.inputs.history import read_history
from tradesim.inputs.pair import read_pair
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.scenario import shipped
from tradesim.reports.claims import Cell, Claim, Told, found
from tradesim.reports.html_page import environment
from tradesim.reports.run.answers import KINDS, answers
from tradesim.reports.run.brief import ROWS
from tradesim.reports.run.brief import table as brief_table
from tradesim.reports.run.view import ResultsView
from tradesim.simulation.model import run
from tradesim.simulation.summary import headline, summary
from truth import Summary, number

FOLDER = calibration_folder()
DRAWS = 64
MOST_WORDS, ANSWERED_BY, EASE = 600, 120, 50.0
FIXED = ("80 %", "Four outcomes in five", "Half of that", "In half of the draws")
"""Numbers that sentences hold by themselves."""


@pytest.fixture(scope="module", params=shipped())
def case(request):
    """Results of a shipped scenario with few draws, as a report reads them, and their summary."""
    dataset = run(request.param, draws=DRAWS)
    view = ResultsView(dataset, read_pair(FOLDER), read_history(FOLDER), read_posterior(FOLDER))
    return view, Summary(summary(dataset))


def sentences(name: str, facts) -> str:
    text = environment().get_template(f"answers/{name}.j2").render(f=facts)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split(" "))


def test_every_kind_has_a_function_and_a_template():
    assert list(KINDS) == list(ANSWERS)
    for name in KINDS:
        environment().get_template(f"answers/{name}.j2")


@pytest.mark.slow
def test_numbers_and_words_of_every_answer_hold_in_the_summary(case):
    view, table = case
    given = answers(view, list(KINDS))  # all kinds, not only those asked for
    assert set(view.scenario["answers"]) <= set(given)
    for name, facts in given.items():
        claims = list(found(facts))
        wrong = [table.told(one) if isinstance(one, Told) else table.claim(one) for one in claims]
        assert not any(wrong), (view.scenario["name"], name, [one for one in wrong if one])


@pytest.mark.slow
def test_sentences_have_no_number_of_their_own(case):
    view, _ = case
    for name, facts in answers(view, list(KINDS)).items():
        text = sentences(name, facts)
        for told in sorted((one.text for one in found(facts) if isinstance(one, Told)), key=len,
                           reverse=True):
            text = text.replace(told, "")
        for part in FIXED:
            text = text.replace(part, "")
        years = {str(year) for year in (*view.history.years, *view.years)}
        left = set(re.findall(r"\d[\d.]*\d|\d", text)) - years
        end = facts.get("end")  # of an appraisal
        assert left <= {str(end)}, (view.scenario["name"], name, left, text)


@pytest.mark.slow
def test_a_shock_is_not_implemented_and_a_policy_does_not_happen(case):
    view, _ = case
    text = " ".join(sentences(name, facts) for name, facts in answers(view, list(KINDS)).items())
    if view.nature == "shock":
        assert "mplemented" not in text
    if view.nature == "policy":
        assert "it happens" not in text


@pytest.mark.slow
def test_words_of_direction_follow_the_sign(case):
    """The words themselves, not only the flags behind them: higher, lower, more, less, lose."""
    view, table = case
    facts = answers(view, ["trade", "treasury", "course"])
    last = Cell("turnover", view.last, count=view.count)
    if "trade" in facts and not facts["trade"]["unclear"]:
        said = sentences("trade", facts["trade"])
        up = "higher" in said or "raises" in said
        assert up != ("lower" in said or "lowers" in said)
        assert up == (table[last] > 0.0)
    if "treasury" in facts and not facts["treasury"]["none"]:
        said = sentences("treasury", facts["treasury"])
        country = next(code for code in view.pair.importers if view.pair.name(code) in said)
        assert (" less in duty at the border" in said) == (
            table[Cell("tariff_revenue", view.last, importer=country)] < 0.0)
    if "course" in facts:
        said = sentences("course", facts["course"])
        worst = table[Cell("turnover", facts["course"]["peak"], count=view.count)]
        assert ("The loss is largest" in said) == (worst < 0.0)
        assert f"in {facts['course']['peak']}" in said


@pytest.mark.slow
def test_the_brief_is_short_plain_and_answers_first(case):
    view, _ = case
    html = briefs.rendered(view)
    name, text, lead = view.scenario["name"], briefs.text_of(html), briefs.lead_of(html)
    assert len(text.split()) <= MOST_WORDS, name
    assert text.startswith(view.scenario["question"])
    before = f"{view.scenario['title']} {view.scenario['question']} {lead}"
    assert len(before.replace(" details", "").split()) <= ANSWERED_BY, name
    assert ease(briefs.prose_of(html)) >= EASE, name
    rows = re.findall("<tr>", html.split("<tbody>")[1])
    assert 1 <= len(rows) <= ROWS
    assert not re.search(r"\.yaml|[a-z]_[a-z]", re.sub("<code>.*?</code>", "", text)), name
    assert not re.search(r"\b0(\.0+)? \(0(\.0+)? to 0|\((-?[\d.]+) to \3\b", text), name
    assert "-" not in re.sub(r"[A-Za-z0-9]-[A-Za-z0-9]|2026-11-30", "", text), name


@pytest.mark.slow
def test_what_the_brief_says_of_growth_and_its_table_hold_in_the_summary(case):
    view, table = case
    text = briefs.text_of(briefs.rendered(view))
    medians = [path[str(view.last)]["p50"] for path in headline(view.dataset)["growth"].values()]
    apart = max(abs(median - medians[0]) for median in medians)
    last = Cell("turnover", view.last, count=view.count)
    said = "That difference is larger than what the scenario changes" in text
    assert said == (view.changes and apart > abs(table[last]))
    if not view.changes:
        return
    rows = brief_table(view, answers(view, view.scenario["answers"]))["rows"]
    label, _, change, *_ = rows[0]
    assert label.startswith("Trade between the two countries")
    mean = table[Cell("turnover", view.moment, count=view.count)]
    shown, half = number(change.split(" ")[0] + " million")
    assert abs(shown - mean) <= 1.01 * half


def test_a_false_claim_is_found():
    """The check itself: a wrong number, a wrong direction and a wrong superlative."""
    class Two(Summary):
        def __init__(self) -> None:
            self._values = {}

        def __getitem__(self, cell: Cell) -> float:
            return {2030: 12.34e6, 2035: -2e6}[cell.year]

    table, more, less = Two(), Cell("turnover", 2030), Cell("turnover", 2035)
    assert not table.told(Told("USD 12.3 million", (more,)))
    assert table.told(Told("USD 12.4 million", (more,)))
    assert not table.told(Told("USD 2.00 million", (less,), sign=-1))
    assert table.told(Told("USD 2.00 million", (less,)))
    assert not table.told(Told("16 %", (less,), (more,), -1))
    assert table.told(Told("16 %", (less,), (more,)))
    assert table.claim(Claim("above", (less,)))
    assert not table.claim(Claim("below", (less,)))
    assert table.claim(Claim("most", (less, more)))
    assert not table.claim(Claim("most", (more, less)))
    assert table.claim(Claim("least", (more,)))
    assert not table.claim(Claim("smaller", (less, more), 0.2))
    assert table.claim(Claim("smaller", (less, more), 0.1))
