from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import fake_results
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.inputs.scenario_text import starter
from tradesim.reports import html_page, terminal
from tradesim.reports.ranges import Change
from tradesim.reports.run import page as report
from tradesim.reports.run.facts import facts, tables
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import (
    TEMPLATES,
    changed,
    decimals,
    money,
    percent,
    plain,
    plural,
    pretty,
    probability,
    words,
)
from tradesim.simulation.summary import headline as first_numbers
from tradesim.simulation.summary import summary as summarise

VOID = {"meta", "link", "br", "img", "hr", "input", "col"}
USED = {
    "levers": {"eaeu_fta": {"scope": "interim", "start": 2027}},
    "parameters": {"adjustment.speed": 0.35},
    "origins": {"levers.eaeu_fta.scope": "scenarios/made_up.yaml:4",
                "levers.eaeu_fta.start": "scenarios/made_up.yaml:5",
                "parameters.adjustment.speed": "--set"},
}


class Page(HTMLParser):
    """Checks that tags close in order, and keeps what the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.fixture(scope="module")
def pair():
    return read_pair(calibration_folder())


@pytest.fixture(scope="module")
def make(pair):
    """View the results of a made-up run; its past replaces that of the calibration."""
    history, posterior = fake_results.past(pair.importers, pair.reporters)

    def results_view(**settings) -> ResultsView:
        data = fake_results.dataset(
            list(pair.importers), list(pair.exporters), list(pair.groups), list(pair.counts),
            calibration=str(calibration_folder()), **settings)
        return ResultsView(data, pair, history, posterior)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "read_history", lambda _: history)
        patch.setattr(report, "ResultsView", lambda data, pair, history, _: ResultsView(
            data, pair, history, posterior))
        yield results_view


@pytest.fixture(scope="module")
def page(make, tmp_path_factory):
    """Write the report of a made-up run with everything in it."""
    folder = fake_results.save(make(scenario=USED).dataset, tmp_path_factory.mktemp("run"))
    return report.report(folder)


@pytest.fixture
def without_figures(monkeypatch):
    """Leave the figures out where a test looks at the words only: they take the time."""
    monkeypatch.setattr(report, "write_figures", lambda *_: {})


def sentences(view: ResultsView) -> str:
    template = html_page.environment().get_template("answer.j2")
    text = re.sub(r"<[^>]+>", " ", template.render(f=facts(view)))
    return " ".join(text.replace("\N{NO-BREAK SPACE}", " ").split())


def numbers(text: str) -> list[float]:
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{NARROW NO-BREAK SPACE}", "")
    return [float(number) for number in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", text)]


def test_page_is_well_formed_and_needs_no_network(page):
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert not parsed.open
    assert "nan" not in re.findall(r"[a-z]+", parsed.text.lower())
    for tag, attrs in parsed.tags:
        assert tag not in {"script", "link", "img", "iframe", "object"}
        assert not attrs.get("src")
        if tag != "a":
            link = attrs.get("href") or attrs.get("xlink:href") or "#"
            assert link.startswith("#"), (tag, link)
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []
    assert len(text) < 600_000


def test_identifiers_are_unique_and_links_lead_somewhere(page):
    tags = Page(page.read_text(encoding="utf-8")).tags
    names = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert len(names) == len(set(names))
    for tag, attrs in tags:
        link = attrs.get("href") or ""
        if tag == "a" and link.startswith("#"):
            assert link[1:] in names


def test_every_figure_has_words_instead_of_it_and_files(page):
    tags = Page(page.read_text(encoding="utf-8")).tags
    pictures = [attrs for tag, attrs in tags if attrs.get("role") == "img"]
    assert len(pictures) == sum(tag == "svg" for tag, _ in tags) == 15
    for attrs in pictures:
        assert len(attrs["aria-label"].split()) > 15
    files = sorted(path.name for path in (page.parent / "figures").iterdir())
    assert len(files) == 30
    for path in (page.parent / "figures").glob("*.svg"):
        ET.parse(path)


def test_same_results_give_the_same_bytes(make, page, tmp_path):
    def written(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.suffix in {".html", ".svg", ".png"}}

    second = report.report(fake_results.save(make(scenario=USED).dataset, tmp_path / "again"))
    assert written(page.parent) == written(second.parent)


def test_numbers_of_the_answer_are_those_of_the_summary(make):
    view = make()
    table = summarise(view.dataset)
    headline = table[(table["variable"] == "turnover") & (table["count"] == view.count)
                     & (table["year"] == 2035)].set_index(["case", "statistic"])["value"] / 1e6
    found = numbers(sentences(view))
    chances = first_numbers(view.dataset)["target"]["probability"]["2035"]
    expected = [
        float(view.reported(view.count)[-1].sum()), 2024,
        *(headline["reference", name] for name in ("p50", "p10", "p90")), 80, 2035,
        *(headline["effect_if_implemented", name] for name in ("mean", "p10", "p90")),
        headline["effect", "mean"], *Change.of(
            view.change("turnover", "scenario", count=view.count, year=2035)).inner,
        500, *(100 * share for share in chances.values()),
    ]
    for value in expected:
        assert any(abs(number - value) <= max(0.006 * abs(value), 0.05, 0.51 * (value < 100))
                   for number in found), (value, found)


def test_answer_states_an_ordinary_effect(make):
    text = sentences(make())
    assert "higher than without it" in text
    assert "hardly matters" not in text
    assert "distinguishable" not in text
    assert re.search(r"average change is USD [\d.]+ million \(nothing in \d+ % of the draws; "
                     r"otherwise [\d.]+ to [\d.]+ million\)", text)


def test_answer_says_plainly_when_the_lever_hardly_matters(make):
    text = sentences(make(size=0.05))
    assert "it hardly matters: turnover in 2035 is on average" in text


def test_answer_says_when_an_effect_is_not_distinguishable_from_zero(make):
    view = make()
    flip = np.where(np.arange(200) % 2, 1.0, -1.0)[:, None]
    data = view.dataset["turnover"].transpose("count", "case", "draw", "year").values
    data[:, 1:] = data[:, :1] + (data[:, 1:] - data[:, :1]) * flip
    view.dataset["turnover"] = (("count", "case", "draw", "year"), data)
    text = sentences(view)
    assert "not distinguishable from zero" in text
    assert "higher" not in text


def test_answer_says_lower_when_trade_falls(make):
    text = sentences(make(size=-1.0))
    assert "lower than without it" in text
    size = re.search(r"in 2035 is on average USD ([\d.]+) million "
                     r"\((?:median [\d.]+; )?80 % range ([\d.]+) to ([\d.]+) million\)", text)
    middle, low, high = map(float, size.groups())
    assert low < middle < high


@pytest.mark.usefixtures("without_figures")
def test_a_scenario_without_policy_says_so(make, tmp_path):
    view = make(size=0.0)
    assert "it is the reference itself" in sentences(view)
    page = report.report(fake_results.save(view.dataset, tmp_path / "base"))
    parsed = Page(page.read_text(encoding="utf-8"))
    assert "The scenario uses no lever." in parsed.text
    assert "if implemented" not in parsed.text.split("Assumptions")[1].split("How to read")[0]


@pytest.mark.usefixtures("without_figures")
def test_a_goal_of_the_scenarios_own_is_named_and_the_official_one_too(make, tmp_path, pair):
    view = make(scenario=USED)
    view.dataset.attrs["target_value"] = 130e6
    assert "reaches USD 130 million in 2035" in sentences(view)
    page = report.report(fake_results.save(view.dataset, tmp_path / "own"))
    text = Page(page.read_text(encoding="utf-8")).text
    assert "Target: Turnover of USD 130 million a year, stated on" in text
    assert f"It is the scenario's own; the official one reads: {pair.target.title}." in text


def rescaled(view: ResultsView, scale: np.ndarray) -> ResultsView:
    """Multiply the change if implemented of turnover, draw by draw and year by year."""
    data = view.dataset["turnover"].transpose("count", "case", "draw", "year").values.copy()
    data[:, 1:] = data[:, :1] + (data[:, 1:] - data[:, :1]) * scale
    view.dataset["turnover"] = (("count", "case", "draw", "year"), data)
    return view


def test_both_kinds_of_change_are_averages(make):
    view = make()
    table = summarise(view.dataset)
    chosen = table[(table["variable"] == "turnover") & (table["statistic"] == "mean")]
    means = chosen.set_index(["count", "year", "case"])["value"] / 1e6
    for count, block in zip(view.counts, facts(view)["blocks"], strict=True):
        for row in block["rows"]:
            for key, case in (("effect", "effect"), ("implemented", "effect_if_implemented")):
                mean = means[count, row["year"], case]
                assert row["numbers"][key].mean == pytest.approx(mean, rel=1e-5)
                assert numbers(row[key])[0] == pytest.approx(mean, rel=0.02, abs=0.06)


def test_creation_and_diversion_add_up_to_the_change_beside_them(make):
    view = make()
    for table in tables(view)[2:4]:
        for row in table["rows"][:-1]:
            change, parts = float(row[3]), [float(cell) for cell in row[-2:]]
            assert sum(parts) == pytest.approx(change, rel=0.02, abs=0.002)


def test_a_service_that_ends_is_not_called_indistinguishable(make):
    survive = np.ones((200, 11))
    survive[20:, 7:] = 0  # 2032 and later: an effect in one draw of ten
    view = rescaled(make(probability=1.0), survive)
    text = sentences(view)
    assert "distinguishable" not in text
    assert "In 2035 it still has an effect in only 10 % of the draws" in text
    assert "the average effect is largest in 2031: USD" in text
    assert "nothing in 90 % of the draws; otherwise" in text


def test_an_average_outside_its_range_is_explained(make):
    few = np.full((200, 11), 0.01)
    few[:15] = 50
    view = rescaled(make(probability=1.0), few)
    change = facts(view)["last"]["implemented"]
    assert change.mean > change.high > change.low > 0
    assert "a few large outcomes put the average outside it" in sentences(view)


def test_changes_in_words():
    values = np.concatenate([np.zeros(60), np.linspace(1, 9, 40)])
    assert changed(Change.of(values)) == (
        "USD 2.00 million (nothing in 60 % of the draws; otherwise 1.80 to 8.20 million)")
    steep = Change.of(np.array([*range(1, 10), 55.0]))
    assert changed(steep) == "USD 10.0 million (median 5.5; 80 % range 1.9 to 13.6 million)"
    mostly = Change.of(np.array([0.0, *[50.0] * 19]))
    assert changed(mostly) == "USD 47.5 million (50.0 in most draws)"
    assert changed(Change.of(values), "short") == (
        "2.00 (nothing in 60 % of draws; otherwise 1.80 to 8.20)")
    assert changed(Change.of(np.zeros(9))) == "USD 0 thousand"
    assert changed(Change.of(np.array([12.0]))) == "USD 12.0 million"


def test_the_largest_group_is_that_of_the_largest_average(make):
    view = make()
    for item, importer in zip(facts(view)["largest"], view.pair.importers, strict=True):
        change = view.change("trade", "if_implemented", count=view.count, year=2035,
                              importer=importer).mean(axis=0)
        place = int(np.argmax(np.abs(change)))
        assert item["group"] == view.pair.name(str(view.dataset["group"].values[place]))
        assert not item["none"]


@pytest.mark.usefixtures("without_figures")
def test_a_lever_that_starts_too_late_is_named(make, tmp_path):
    used = {"levers": {"eaeu_fta": {"start": 2034}},
            "origins": {"levers.eaeu_fta.start": "made_up.yaml:4"}}
    view = make(size=0.0, scenario=used, horizon=2030)
    page = report.report(fake_results.save(view.dataset, tmp_path / "late"))
    answer = Page(page.read_text(encoding="utf-8")).text.split("What this scenario changes")[0]
    assert "free-trade agreement starts in 2034 only" in answer
    assert "the reference itself" not in answer
    idle = make(size=0.0, scenario={"parameters": {"adjustment.speed": 0.35}})
    assert "What it sets (adjustment.speed) holds with and without policy" in sentences(idle)


def test_terms_of_the_standing_text(page):
    text = Page(page.read_text(encoding="utf-8")).text
    assert "have to be set in the scenario" not in text
    for part in ("partial equilibrium", "Hauliers", "mix two speeds", "pool the import duties",
                 "border revenue"):
        assert part in text


def test_terminal_shows_one_column_without_changes_and_no_ranges_of_one_draw(make):
    still, one = make(size=0.0), make(draws=1)
    text = terminal.outcome(first_numbers(still.dataset), still.pair)
    assert "scenario" not in text
    assert "without" not in text
    assert "mean change" not in text
    text = terminal.outcome(first_numbers(one.dataset), one.pair)
    assert "One draw: no ranges, no probability" in text
    assert "Probability" not in text
    assert " to " not in text
    assert "if implemented" in text
    assert "1 draw, seed" in text


def test_a_new_scenario_does_not_take_a_shipped_name(tmp_path):
    with pytest.raises(InputError, match="is the name of a shipped scenario"):
        starter(tmp_path / "base.yaml", "base", {})


@pytest.mark.usefixtures("without_figures")
def test_a_point_run_says_that_it_has_no_ranges(make, tmp_path):
    page = report.report(fake_results.save(make(draws=1).dataset, tmp_path / "point"))
    text = Page(page.read_text(encoding="utf-8")).text
    assert "This is a point run" in text
    before = text.split("Assumptions Grades")[0]
    assert "One draw: no ranges, no probability." in before
    for part in ("probability of", "The probability", "80 %", "median", "average change", "risk-w"):
        assert part not in before, before[max(0, before.find(part) - 60):before.find(part) + 60]


@pytest.mark.usefixtures("without_figures")
def test_a_short_horizon_is_reported_to_its_end(make, tmp_path):
    page = report.report(fake_results.save(make(horizon=2028).dataset, tmp_path / "short"))
    text = Page(page.read_text(encoding="utf-8")).text
    assert "in 2028" in text
    assert "2035" not in text.split("Assumptions")[0]


def test_assumptions_show_what_the_scenario_sets_and_where(page):
    text = Page(page.read_text(encoding="utf-8")).text
    assert "2027 set by scenarios/made_up.yaml:5" in text
    assert "interim set by scenarios/made_up.yaml:4" in text
    assert "0.350 set by --set" in text
    assert text.index("made_up.yaml:5") < text.index("eaeu_fta.delay")
    assert "fitted; before the data" in text
    assert 'class="judgement"' in page.read_text(encoding="utf-8")


def test_report_names_counts_limits_identity_and_sources(page, pair):
    text = Page(page.read_text(encoding="utf-8")).text
    for count in pair.counts.values():
        assert count.title in text
    assert " ".join(pair.target.note.split()) in text
    manifest = json.loads((page.parent / "manifest.json").read_text(encoding="utf-8"))
    for part in (manifest["command"], manifest["run_id"], manifest["versions"]["numpy"],
                 *manifest["hashes"].values(), "dispute settlement", "Seasons within a year"):
        assert part in text
    assert 'href="https://example.org/study"' in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("without_figures")
def test_scenario_text_is_escaped(make, tmp_path):
    view = make(scenario={**USED, "title": "Beans & <b>peas</b>", "question": "1 < 2?"})
    page = report.report(fake_results.save(view.dataset, tmp_path / "escaped"))
    text = page.read_text(encoding="utf-8")
    assert "<h1>Beans &amp; &lt;b&gt;peas&lt;/b&gt;</h1>" in text


def test_tables_hold_plain_numbers_that_follow_the_summary(make):
    view = make()
    made = tables(view)
    assert len(made) == 8
    number = re.compile(r"-?\d+(\.\d+)?$")
    for table in made:
        assert len({len(row) for row in table["rows"]} | {len(table["columns"])}) == 1
        for heading in table["columns"][1:]:
            assert "USD million" in heading or "%" in heading
        for row in table["rows"]:
            assert all(cell == "" or number.match(cell) for cell in row[1:])
    summary = summarise(view.dataset)
    trade = summary[(summary["variable"] == "trade") & (summary["year"] == 2035)
                    & (summary["count"] == view.count) & (summary["group"] == "all")
                    & (summary["importer"] == view.pair.importers[0])
                    & (summary["case"] == "effect_if_implemented")]
    values = trade.set_index("statistic")["value"] / 1e6
    total = made[0]["rows"][-1]
    assert total[3:6] == [plain(values[name]) for name in ("mean", "p10", "p90")]


def test_names_come_from_the_data(make):
    view = make()
    country = view.pair.countries["RUS"].model_copy(update={"name": "Ruritania"})
    renamed = view.pair.model_copy(update={"countries": {**view.pair.countries, "RUS": country}})
    made = tables(ResultsView(view.dataset, renamed, view.history, view.posterior))
    assert any(row[0] == "Ruritania" for table in made for row in table["rows"])


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0"), (1e-5, "0"), (-1e-9, "0"), (0.0456, "0.046"), (1.5, "1.50"), (12.345, "12.3"),
    (99.96, "100"), (999.6, "1000"), (12345.0, "12300"), (-3.21, "-3.21")])
def test_plain_numbers(value, text):
    assert plain(value) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_refused(value):
    with pytest.raises(ValueError, match="a number to be shown is"):
        plain(value)


def test_numbers_for_prose():
    assert pretty(-12345.0) == "\N{MINUS SIGN}12\N{NARROW NO-BREAK SPACE}300"
    assert money([12.34]) == "USD 12.3 million"
    assert money([0.0123, -0.001, 0.02]) == (
        "USD 12.3 thousand (80 % range \N{MINUS SIGN}1.0 to 20.0 thousand)")
    assert money([12.34, 0.02, 131.0]) == "USD 12 million (80 % range 0 to 131 million)"
    assert percent([4.71]) == "4.7 %"
    assert percent([4.71, -0.2, 12.0], "range_short") == "4.7 % (\N{MINUS SIGN}0.2 to 12.0 %)"
    assert decimals([0.0, 0.0]) == 0


def test_one_and_many():
    assert plural(1, "draw", "draws") == "1 draw"
    assert plural(0, "draw", "draws") == "0 draws"
    assert plural(2000, "draw", "draws") == "2\N{NARROW NO-BREAK SPACE}000 draws"


@pytest.mark.parametrize(("share", "text"), [
    (0.0, "less than 1 %"), (0.004, "less than 1 %"), (0.012, "1 %"), (0.5, "50 %"),
    (0.997, "more than 99 %"), (1.0, "more than 99 %")])
def test_probabilities_are_never_certain(share, text):
    assert probability(share) == text


def test_phrases_are_all_texts():
    def leaves(part):
        return [leaf for value in part.values() for leaf in leaves(value)] \
            if isinstance(part, dict) else [part]

    assert all(isinstance(leaf, str) and leaf for leaf in leaves(words()))
    assert Path(TEMPLATES, "report.html.j2").is_file()
