"""A brief in each language: nothing of it stays English, and its numbers are those of English."""

import re

import pytest

import fake_results
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.export import document
from tradesim.reports.language import ENGLISH, LANGUAGES, speak
from tradesim.reports.run import page as report
from tradesim.reports.run.answers import KINDS
from tradesim.reports.run.view import ResultsView

OTHERS = [code for code in LANGUAGES if code != ENGLISH]
SCENARIO = {"levers": {"eaeu_fta": {"start": 2027}}, "title": "Название", "question": "Вопрос?",
            "not_modelled": ["одно", "другое"], "answers": list(KINDS)}
LATIN = re.compile(r"[A-Za-z]{2,}")
ALLOWED = {"tradesim", "rolls", "yarn"}
"""The program, and made-up products, which have no title."""


@pytest.fixture(scope="module")
def briefs(tmp_path_factory):
    """Write the report in every language, without figures, and read the briefs back."""
    read = read_pair(calibration_folder())
    history, posterior = fake_results.past(read.importers, read.reporters)
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "read_history", lambda _: history)
        patch.setattr(report, "write_figures", lambda *_: {})
        patch.setattr(report, "ResultsView", lambda data, pair, history, _: ResultsView(
            data, pair, history, posterior))
        data = fake_results.dataset(
            list(read.importers), list(read.exporters), list(read.groups), list(read.counts),
            calibration=str(calibration_folder()), scenario=SCENARIO, cost=4.0)
        for code in LANGUAGES:
            folder = fake_results.save(data, tmp_path_factory.mktemp(code))
            with speak(code):
                page = report.report(folder)
                found[code] = document.read(page, document.BRIEF)
    return found


def said(brief):
    """Give the words of a brief, without commands and run ids."""
    for block in brief.blocks:
        texts = ([block.text] if isinstance(block, document.Heading | document.Paragraph)
                 else [block.caption, *block.head, *(cell for row in block.rows for cell in row)]
                 if isinstance(block, document.Table) else [])
        for text in texts:
            yield "".join(run.text for run in text if not run.code and not run.quiet)


@pytest.mark.parametrize("code", OTHERS)
def test_nothing_of_the_brief_stays_english(briefs, code):
    brief = briefs[code]
    assert brief.language == code
    text = "\n".join(said(brief))
    assert len(text) > 1500
    assert set(LATIN.findall(text)) <= ALLOWED
    assert "%(" not in text
    assert "{" not in text


@pytest.mark.parametrize("code", OTHERS)
def test_charts_of_slides_are_in_the_language_too(briefs, code):
    brief = briefs[code]
    chart = brief.charts
    words = [line["name"] for line in chart["lines"]["lines"]] + [
        name for name, _ in chart["bars"]["rows"]] + [
        chart[name][key] for name in ("lines", "bars") for key in ("title", "axis", "caption")]
    assert not LATIN.findall(" ".join(words))
    english = briefs[ENGLISH].charts
    assert [line["values"] for line in chart["lines"]["lines"]] == [
        line["values"] for line in english["lines"]["lines"]]


@pytest.mark.parametrize("code", OTHERS)
def test_the_table_has_the_numbers_of_english(briefs, code):
    def numbers(brief):
        (table,) = [block for block in brief.blocks if isinstance(block, document.Table)]
        texts = ["".join(run.text for run in cell) for row in table.rows for cell in row[1:]]
        point = LANGUAGES[brief.language].point
        return [re.findall(r"[−+]?\d+(?:\.\d+)?", re.sub(r"(?<=\d)[\u202f,](?=\d{3}\b)", "", text)
                           if point == "." else text.replace("\u202f", "").replace(point, "."))
                for text in texts]

    assert numbers(briefs[code]) == numbers(briefs[ENGLISH])
