from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import fake_results
from tidy import tidy
from tradesim.common.errors import InputError
from tradesim.inputs.scenario_text import starter
from tradesim.reports import terminal
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


def amount(text: str) -> float:
    """First number of a cell."""
    text = text.replace("\N{MINUS SIGN}", "-").replace("\N{NARROW NO-BREAK SPACE}", "")
    return float(re.match(r"-?[\d.]+", text).group())


@pytest.fixture(scope="module")
def page(make, tmp_path_factory):
    """Write the report of a made-up run with everything in it."""
    folder = fake_results.save(make(scenario=USED).dataset, tmp_path_factory.mktemp("run"))
    return report.report(folder)


@pytest.fixture
def without_figures(monkeypatch):
    """Leave the figures out where a test looks at the words only: they take the time."""
    monkeypatch.setattr(report, "write_figures", lambda *_: {})


def test_page_is_well_formed_and_needs_no_network(page):
    text = page.read_text(encoding="utf-8")
    parsed = Page(text)
    assert not parsed.open
    assert "nan" not in re.findall(r"[a-z]+", parsed.text.lower())
    for tag, attrs in parsed.tags:
        assert tag not in {"script", "link", "img", "iframe", "object"} or (
            attrs.get("type") == "application/json")  # data, which runs nothing
        assert not attrs.get("src")
        if tag != "a":
            link = attrs.get("href") or attrs.get("xlink:href") or "#"
            assert link.startswith("#"), (tag, link)
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []
    assert len(text) < 1_000_000


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
    assert len(pictures) == sum(tag == "svg" for tag, _ in tags) == 7
    for attrs in pictures:
        assert len(attrs["aria-label"].split()) > 12
    files = sorted(path.name for path in (page.parent / "figures").iterdir())
    assert len(files) == 2 * 7
    for path in (page.parent / "figures").glob("*.svg"):
        ET.parse(path)


def test_same_results_give_the_same_bytes(make, page, tmp_path):
    def written(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes()
                for path in sorted(folder.rglob("*"))
                if path.suffix in {".html", ".svg", ".png"}}

    second = report.report(fake_results.save(make(scenario=USED).dataset, tmp_path / "again"))
    assert written(page.parent) == written(second.parent)


@pytest.mark.usefixtures("without_figures")
def test_a_goal_of_the_scenarios_own_is_named_and_the_official_one_too(make, tmp_path, pair):
    view = make(scenario=USED)
    view.dataset.attrs["target_value"] = 130e6
    page = report.report(fake_results.save(view.dataset, tmp_path / "own"))
    text = Page(page.read_text(encoding="utf-8")).text
    assert "reaches USD 130 million in 2035" in text
    assert "The target: Turnover of USD 130 million a year, stated on" in text
    assert f"It is the scenario's own; the official one reads: {pair.target.title}." in text


def test_both_kinds_of_change_are_averages(make):
    view = make()
    table = tidy(summarise(view.dataset))
    chosen = table[(table["variable"] == "turnover") & (table["statistic"] == "mean")]
    means = chosen.set_index(["count", "year", "case"])["value"] / 1e6
    for count, block in zip(view.counts, facts(view)["blocks"], strict=True):
        for row in block["rows"]:
            for key, case in (("effect", "effect"), ("implemented", "effect_if_implemented")):
                mean = means[count, row["year"], case]
                assert row["numbers"][key].mean == pytest.approx(mean, rel=1e-5)
                assert amount(row[key]) == pytest.approx(mean, rel=0.02, abs=0.06)


def test_creation_and_diversion_add_up_to_the_change_beside_them(make):
    view = make()
    for table in tables(view)[2:4]:
        for row in table["rows"][:-1]:
            change, parts = amount(row[3]), [amount(cell) for cell in row[-2:]]
            assert sum(parts) == pytest.approx(change, rel=0.02, abs=0.002)


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
    text = Page(page.read_text(encoding="utf-8")).text
    assert "free-trade agreement starts in 2034 only, after 2030" in text
    idle = make(size=0.0, scenario={"parameters": {"adjustment.speed": 0.35}})
    page = report.report(fake_results.save(idle.dataset, tmp_path / "idle"))
    assert "What it sets (adjustment.speed) holds with and without" in Page(
        page.read_text(encoding="utf-8")).text


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
    assert "This run has one draw" in text
    before = text.split("What the scenario changes Grades")[0].split("All other parameters")[0]
    for part in ("probability of", "The probability", "The chance", "80 %", "average change"):
        assert part not in before, before[max(0, before.find(part) - 60):before.find(part) + 60]


@pytest.mark.usefixtures("without_figures")
def test_a_short_horizon_is_reported_to_its_end(make, tmp_path):
    page = report.report(fake_results.save(make(horizon=2028).dataset, tmp_path / "short"))
    text = Page(page.read_text(encoding="utf-8")).text
    assert "in 2028" in text
    assert "2035" not in text.split("What the scenario changes")[0]


def test_assumptions_show_what_the_scenario_sets_and_where(page):
    text = Page(page.read_text(encoding="utf-8")).text
    for part in ("2027", "scenarios/made_up.yaml:5", "interim", "scenarios/made_up.yaml:4",
                 "0.35", "--set"):
        assert part in text
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
                 "dispute settlement", "Seasons within a year"):
        assert part in text
    assert not any(value in text for value in manifest["hashes"].values())
    assert 'href="https://example.org/study"' in page.read_text(encoding="utf-8")


@pytest.mark.usefixtures("without_figures")
def test_scenario_text_is_escaped(make, tmp_path):
    view = make(scenario={**USED, "title": "Beans & <b>peas</b>", "question": "1 < 2?"})
    page = report.report(fake_results.save(view.dataset, tmp_path / "escaped"))
    text = page.read_text(encoding="utf-8")
    assert "<h1>Beans &amp; &lt;b&gt;peas&lt;/b&gt;</h1>" in text


def test_tables_follow_the_summary_and_leave_out_what_does_not_change(make):
    view = make()
    made = tables(view)
    assert 4 <= len(made) <= 6
    for table in made:
        assert len({len(row) for row in table["rows"]} | {len(table["columns"])}) == 1
        for heading in table["columns"][1:]:
            assert "USD million" in heading or "%" in heading
        assert not any("-" in cell for row in table["rows"] for cell in row[1:])
        assert all(amount(row[3]) != 0.0 for row in table["rows"])
    summary = tidy(summarise(view.dataset))
    trade = summary[(summary["variable"] == "trade") & (summary["year"] == 2035)
                    & (summary["count"] == view.count) & (summary["group"] == "all")
                    & (summary["importer"] == view.pair.importers[0])
                    & (summary["case"] == "effect_if_implemented")]
    mean = trade.set_index("statistic")["value"]["mean"] / 1e6
    assert amount(made[0]["rows"][-1][3]) == pytest.approx(mean, rel=5e-3)


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
