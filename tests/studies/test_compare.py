"""Scenarios side by side: identities, refusals, the cache, and what is left in the folder."""

import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import fake_results
from tidy import tidy
from tradesim.cli import app as cli
from tradesim.common.errors import InputError
from tradesim.common.extras import install
from tradesim.reports.compare.facts import facts, outcomes
from tradesim.reports.compare.page import cell, shown_table
from tradesim.reports.compare.tables import Column, Table, pages
from tradesim.reports.export import excel as workbook
from tradesim.simulation import cache, model, results
from tradesim.simulation.manifest import DATA, MANIFEST
from tradesim.simulation.summary import summary as summarise
from tradesim.studies.compare import (
    TIE,
    Comparison,
    compare,
    first_year,
    gains,
    ranked,
    regret,
)
from tradesim.studies.compare_paths import (
    alike,
    contained,
    most_different,
    moved_reference,
    trough,
)
from tradesim.studies.compare_table import COLUMNS, table

DRAWS = 40


def made(pair, name, size, **changed):
    """Give made-up results of one scenario; the same seed gives the same draws."""
    scenario = {"name": name, "title": f"Title of {name}", "closure": "none",
                **changed.pop("scenario", {})}
    dataset = fake_results.dataset(list(pair.importers), list(pair.exporters), list(pair.groups),
                                   list(pair.counts), draws=DRAWS, size=size, scenario=scenario,
                                   **changed)
    return dataset.assign_attrs(run_id=f"run-{name}", title=scenario["title"])


@pytest.fixture
def three(base) -> Comparison:
    return compare(made(base.pair, "none", 0.0), made(base.pair, "small", 0.4),
                   made(base.pair, "large", 1.0))


# Effects.

def test_effects_are_those_of_the_summaries(three):
    rows = tidy(table(three))
    for name in three.packages:
        summary = tidy(summarise(three.runs[name]))
        keys = ["variable", "count", "year", "exporter", "importer", "group", "case", "statistic"]
        own = rows[(rows["scenario"] == name) & rows["variable"].isin(summary["variable"])]
        both = own.merge(summary, on=keys, suffixes=("", "_summary"))
        assert len(both) == len(own) > 2000
        assert np.allclose(both["value"], both["value_summary"], rtol=1e-5, atol=0.01)


def test_effects_are_against_the_baseline_and_case_by_case(base):
    none, large = made(base.pair, "none", 0.0), made(base.pair, "large", 1.0)
    comparison = compare(none, large, baseline="large")
    assert comparison.names == ["large", "none"]
    for case in ("scenario", "if_implemented"):
        change = comparison.change("turnover", "none", case, count=comparison.count)
        expected = none["turnover"].sel(case=case) - large["turnover"].sel(case=case)
        assert np.allclose(change, expected.sel(count=comparison.count).to_numpy())


def test_scenarios_are_ranked_by_their_mean_effect(three):
    assert ranked(three) == ["large", "small"]
    assert ranked(three, "if_implemented") == ["large", "small"]


def test_groups_add_up_to_directions_and_directions_to_turnover(three):
    where = {"count": three.count, "year": three.last}
    trade = three.change("trade", "large", "if_implemented", **where)
    total = three.change("turnover", "large", "if_implemented", **where)
    assert np.allclose(trade.sum(axis=(1, 2)), total, atol=1e-3)


def test_gains_hold_suppliers_and_accounts(three, base):
    importer = base.pair.importers[0]
    found = gains(three, "large", importer, "scenario", three.last)
    assert list(found)[:len(base.pair.exporters)] == list(base.pair.exporters)
    assert np.allclose(found["welfare"],
                       three.levels("welfare", "large", "scenario", importer=importer,
                                    year=three.last))


# The target.

def test_first_years_and_never_add_up_to_one(three):
    rows = table(three)
    chosen = rows[rows["variable"].isin(["first_year_share", "not_reached_share"])]
    assert np.allclose(chosen.groupby(["scenario", "case"])["mean"].sum(), 1.0)


def test_first_year_is_the_first_and_stays_when_a_draw_falls_back(base):
    none, other = made(base.pair, "none", 0.0), made(base.pair, "other", 1.0)
    turnover = np.full(other["turnover"].shape, 1e6)
    turnover[:, 1, 0, [3, 7]], turnover[:, 1, 1, -1] = 600e6, 500e6
    other["turnover"] = (other["turnover"].dims, turnover)
    found = first_year(compare(none, other), "other", "scenario")
    assert found[0] == 2028
    assert found[1] == 2035
    assert np.isnan(found[2:]).all()


# Regret.

@pytest.mark.parametrize("criterion", ["turnover", "welfare"])
@pytest.mark.parametrize("case", ["scenario", "if_implemented"])
def test_regret_is_never_negative_and_zero_for_the_best(three, criterion, case):
    found = regret(three, criterion, case)
    assert found.loss.min() == 0.0
    assert (found.loss.min(axis=0) == 0.0).all()
    assert np.allclose(found.best.sum(axis=0), 1.0)
    assert found.chance.sum() == pytest.approx(1.0)
    assert (found.mean <= found.worst).all()
    assert (found.high <= found.worst).all()


def test_regret_by_hand(base):
    datasets = [made(base.pair, name, 0.0) for name in ("a", "b", "c")]
    by_name = {"a": [10e6, 10e6, 10e6], "b": [30e6, 0.0, 10e6 + TIE / 2], "c": [0.0, 5e6, 0.0]}
    for dataset, values in zip(datasets, by_name.values(), strict=True):
        turnover = np.zeros(dataset["turnover"].shape)
        turnover[:, 1, :3, -1] = values
        dataset["turnover"] = (dataset["turnover"].dims, turnover)
    found = regret(compare(*(dataset.isel(draw=slice(3)) for dataset in datasets)))
    assert found.names == ("a", "b", "c")
    assert found.loss.tolist() == [[20e6, 0.0, TIE / 2], [0.0, 10e6, 0.0],
                                   [30e6, 5e6, 10e6 + TIE / 2]]
    assert found.best.tolist() == [[0.0, 1.0, 0.5], [1.0, 0.0, 0.5], [0.0, 0.0, 0.0]]
    assert found.worst.tolist() == [20e6, 10e6, 30e6]
    assert found.tied == 0.0


# What can be compared.

@pytest.mark.parametrize(("changed", "match"), [
    ({"horizon": 2033}, "horizon: differs between scenarios: none 2035, other 2033; .*--align"),
    ({"seed": 2}, "seed: differs between scenarios: none 1, other 2; --seed S"),
])
def test_runs_on_another_footing_are_refused(base, changed, match):
    with pytest.raises(InputError, match=match):
        compare(made(base.pair, "none", 0.0), made(base.pair, "other", 1.0, **changed))


@pytest.mark.parametrize(("attributes", "match"), [
    ({"count": "another"}, "count: differs between scenarios: none .*, other another; --count"),
    ({"hashes": json.dumps({"posterior.nc": "cd" * 32})},
     r"calibration: differs .*other \(other posterior.nc\); run all with the same calibration"),
])
def test_other_counts_and_calibrations_are_refused(base, attributes, match):
    with pytest.raises(InputError, match=match):
        compare(made(base.pair, "none", 0.0),
                made(base.pair, "other", 1.0).assign_attrs(attributes))


def test_all_that_differs_is_said_at_once(base):
    other = made(base.pair, "other", 1.0, horizon=2033, seed=3).isel(draw=slice(7))
    with pytest.raises(InputError) as caught:
        compare(made(base.pair, "none", 0.0), other)
    assert [problem.key for problem in caught.value.problems] == ["draws", "seed", "horizon"]


def test_horizons_are_aligned_when_asked(base):
    none = made(base.pair, "none", 0.0)
    comparison = compare(none, made(base.pair, "other", 1.0).sel(year=slice(None, 2033)),
                         align=True)
    assert comparison.last == 2033
    assert comparison.milestones == [2030, 2033]


def test_one_scenario_alone_is_refused(base):
    none = made(base.pair, "none", 0.0)
    with pytest.raises(InputError, match="at least one scenario besides the baseline"):
        compare(none, none)
    with pytest.raises(InputError, match="--baseline: other: is not among"):
        compare(none, made(base.pair, "mine", 1.0), baseline="other")


def test_runs_with_a_closure_are_refused(base):
    closed = made(base.pair, "mine", 1.0, scenario={"closure": "one_sector"})
    with pytest.raises(InputError, match=r"mine: closure: 'one_sector' gives real income of all "
                                         r"together, .*; closure: none"):
        compare(made(base.pair, "none", 0.0), closed)


def test_two_scenarios_of_one_name_are_refused(base):
    mine = made(base.pair, "mine", 1.0)
    with pytest.raises(InputError, match="mine: two different scenarios have this name"):
        compare(made(base.pair, "none", 0.0), mine, mine.assign_attrs(run_id="another"))


def test_packages_that_hold_others_and_moved_paths_are_found(base):
    one = made(base.pair, "one", 0.5, scenario={"levers": {"x": {"start": 2030}}})
    other = made(base.pair, "other", 0.5, scenario={"levers": {"x": {}}})
    both = made(base.pair, "both", 1.0, scenario={"levers": {"x": {"start": 2030}, "y": {}}})
    comparison = compare(made(base.pair, "none", 0.0), one, other, both)
    assert contained(comparison) == {"one": [], "other": [], "both": ["one"]}
    assert moved_reference(comparison) == []
    moved = one.assign(turnover=one["turnover"] * 1.01)
    assert moved_reference(compare(made(base.pair, "none", 0.0), moved)) == ["one"]


# The table.

def test_table_is_tidy_and_finite(three):
    found = table(three)
    assert tuple(found.columns) == COLUMNS
    assert not found["max"].where(found["variable"].str.startswith("regret_"), 0.0).isna().any()
    rows = tidy(found)
    assert len(rows) > 3000
    assert np.isfinite(rows["value"]).all()
    assert not rows.isna().any().any()
    assert not rows.drop(columns=["value", "unit"]).duplicated().any()


def test_outcomes_and_facts_agree_with_the_table(three, base):
    numbers = table(three)
    best = numbers[(numbers["variable"] == "best_turnover") & (numbers["case"] == "scenario")]
    shares = dict(zip(best["scenario"], best["mean"], strict=True))
    for row in outcomes(three):
        assert row["best"] == pytest.approx(shares[row["name"]])
        assert row["average"].low <= row["average"].high
    said = facts(three, base.pair)
    assert said["leader"]["name"] == "large"
    assert said["rows"][0]["average"].mean == pytest.approx(
        numbers.query("scenario == 'large' and variable == 'turnover' and case == 'effect' and "
                      f"year == {three.last} and count == '{three.count}'")["mean"].item() / 1e6)


@pytest.mark.parametrize(("value", "kind", "text"), [
    ((12.34, -1.0, 20.0), "range", "12.3 (−1.0 to 20.0)"),
    ((47.3, 50.0, 50.0), "range", "47.3 (mostly 50.0)"), ((2.0, 2.0, 2.0), "range", "2.00"),
    (0.004, "share", "< 1"),
    (0.0, "share", "0"), (1.0, "share", "> 99"), (0.42, "share", "42"), (2031.5, "year", "2032"),
    (None, "year", ""), (1234.0, "money", "1230")])
def test_cells_are_rounded_as_in_the_report(value, kind, text):
    assert cell(value, kind) == text


# The cache.

@pytest.fixture
def kept(base, tmp_path, monkeypatch):
    """Fetch from a cache in an empty folder; counts how often the model really runs."""
    said, ran, run = [], [], model.answer

    def counted(*words, **options):
        ran.append(words[1].name)
        return run(*words, **options)

    monkeypatch.setattr(model, "answer", counted)

    def fetch(name="base", *, seed=None, count=None, force=False):
        asked = model.ask(base, name, draws=5, seed=seed, count=count)
        return cache.fetch(base, *asked, cache=tmp_path / "cache", say=said.append, force=force)

    fetch.said, fetch.ran, fetch.folder = said, ran, tmp_path / "cache"
    return fetch


@pytest.fixture(scope="module")
def one_run(base, tmp_path_factory):
    """Give a cache with one run, to be copied."""
    folder = tmp_path_factory.mktemp("one") / "cache"
    cache.fetch(base, *model.ask(base, "base", draws=5), cache=folder)
    return folder


@pytest.fixture
def filled(kept, one_run):
    """Fetch from a cache that holds the run already."""
    shutil.copytree(one_run, kept.folder)
    return kept


def test_second_time_comes_from_the_cache_with_the_same_numbers(kept):
    first, second = kept(), kept()
    assert kept.ran == ["base"]
    assert first.identical(second)
    assert [path.name for path in kept.folder.iterdir()] == [first.attrs["run_id"]]
    assert kept.said == []


def test_other_inputs_are_another_entry(filled):
    filled(seed=7)
    filled("eaeu_fta")
    assert filled.ran == ["base", "eaeu_fta"]
    assert len(list(filled.folder.iterdir())) == 3


def test_another_name_with_the_same_content_shares_the_entry_under_its_own_name(filled, tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("title: Mine\nquestion: What?\n", encoding="utf-8")
    found = filled(mine, count="mongolian")
    assert filled.ran == []
    assert found.attrs["title"] == "Mine"
    assert json.loads(found.attrs["scenario"])["name"] == "mine"
    assert found.attrs["count"] == "mongolian"


def test_force_runs_again(filled):
    filled()
    assert filled.ran == []
    filled(force=True)
    assert filled.ran == ["base"]


def test_an_entry_holds_what_a_comparison_reads(filled):
    found = filled()
    assert set(found.data_vars) == {*cache.COMPARED, "factors"}
    assert {path.name for path in filled.folder.glob("*/*")} == {DATA, MANIFEST, cache.CODE}


def test_entries_are_listed_with_the_last_used_first(filled):
    filled("eaeu_fta")
    filled()
    listed = cache.entries(filled.folder)
    assert [(entry.scenario, entry.draws, entry.fresh) for entry in listed] == [
        ("base", 5, True), ("eaeu_fta", 5, True)]
    assert all(entry.size > 10_000 for entry in listed)


def test_beyond_the_limit_what_was_not_used_for_longest_goes(filled, monkeypatch):
    filled("eaeu_fta")
    filled()
    base, agreement = cache.entries(filled.folder)
    assert cache.prune(filled.folder, base.size + agreement.size) == []
    assert cache.prune(filled.folder, base.size + agreement.size - 1) == [agreement]
    assert [entry.folder for entry in cache.entries(filled.folder)] == [base.folder]
    monkeypatch.setattr(cache, "LIMIT", 0)
    kept = filled("eaeu_fta").attrs["run_id"]
    assert [entry.folder.name for entry in cache.entries(filled.folder)] == [kept]


def test_pruning_takes_runs_of_other_code_and_nothing_that_is_not_ours(filled):
    spoil(filled.folder / filled().attrs["run_id"], "code")
    (filled.folder / "mine").mkdir()
    (filled.folder / "mine" / "notes.txt").write_text("mine", encoding="utf-8")
    assert [entry.fresh for entry in cache.prune(filled.folder, 2**40)] == [False]
    assert [path.name for path in filled.folder.iterdir()] == ["mine"]
    assert cache.prune(filled.folder / "nowhere", 0) == []


def test_the_command_shows_and_prunes(filled):
    filled()
    call = CliRunner().invoke
    shown = call(cli.cli, ["cache", "--cache", str(filled.folder)], catch_exceptions=False).output
    assert re.match(r"base, 5 draws, 0\.\d MB, used \d{4}-\d\d-\d\d \d\d:\d\d UTC\n", shown)
    assert shown.endswith(": 1 runs, 0.1 of 2,048 MB\n")
    gone = call(cli.cli, ["cache", "--prune", "--limit", "0", "--cache", str(filled.folder)],
                catch_exceptions=False).output
    assert gone.startswith("removed: base, 5 draws")
    assert gone.endswith(": 0 runs, 0.0 of 2,048 MB\n")
    wrong = call(cli.cli, ["cache", "--limit", "-1"])
    assert wrong.exit_code == 2


def spoil(entry: Path, how: str) -> None:
    data, manifest = entry / DATA, entry / MANIFEST
    if how == "one byte":
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 1
        data.write_bytes(content)
    elif how == "cut":
        data.write_bytes(data.read_bytes()[:1000])
    elif how == "gone":
        data.unlink()
    elif how == "manifest":
        manifest.write_text("{", encoding="utf-8")
    elif how == "another run":
        text = manifest.read_text(encoding="utf-8").replace(entry.name, "0" * 16)
        manifest.write_text(text, encoding="utf-8")
    else:
        (entry / cache.CODE).write_text("another\n", encoding="utf-8")


@pytest.mark.parametrize("how", ["one byte", "cut", "gone", "manifest", "another run", "code"])
def test_spoilt_entries_are_noticed_rebuilt_and_said(filled, how):
    first = filled()
    spoil(filled.folder / first.attrs["run_id"], how)
    again = filled()
    assert filled.ran == ["base"]
    assert len(filled.said) == 1
    assert first.attrs["run_id"] in filled.said[0]
    assert ("other code" if how == "code" else "damaged") in filled.said[0]
    assert first.identical(again)
    assert filled().identical(first)
    assert len(filled.said) == 1


def test_unknown_count_is_refused_even_when_kept(filled):
    with pytest.raises(InputError, match=r"--count: kazak: unknown count; .*did you mean"):
        filled(count="kazak")


# The command.

@pytest.fixture
def call(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli.cli, ["compare", *map(str, words)],
                                             prog_name="tradesim")


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """Give the folder of a real comparison, and what the command printed."""
    home = tmp_path_factory.mktemp("compared")
    out = home / "out"
    outcome = CliRunner().invoke(cli.cli, [
        "compare", "eaeu_fta", "direct_flights", "--draws", "20", "--out", str(out), "--cache",
        str(home / "cache")], catch_exceptions=False)
    assert outcome.exit_code == 0, outcome.output
    return out, outcome.output


def test_command_leaves_tables_workbook_figures_and_report(left):
    folder, output = left
    names = {path.name for path in folder.iterdir()}
    assert names >= {"report.html", "figures", "comparison.csv", "comparison.xlsx",
                     "manifest.json"}
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".png", ".svg"}
    assert {path.stem for path in (folder / "figures").iterdir()} == {
        "ranked", "fans", "best", "parties", "heat"}
    assert re.search(r"^eaeu_fta .*%.*%$", output, re.M)
    assert output.rstrip().endswith(f"Report: {folder / 'report.html'}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["runs"]) == ["base", "eaeu_fta", "direct_flights"]
    assert manifest["command"] == ("tradesim compare eaeu_fta direct_flights --baseline base "
                                   "--draws 20")


def test_report_needs_no_network_and_opens_with_the_answer(left):
    page = (left[0] / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"<(script|link|img|iframe)|@import|url\((?!#)", page)
    sections = [page.index(text) for text in (
        'id="answer"', 'id="figure-ranked"', 'id="figure-fans"', 'id="reading"', '<details',
        'id="inputs"', 'id="tables"', 'id="reproduce"')]
    assert sections == sorted(sections)
    assert "scenarios/eaeu_fta.yaml:" in page[sections[4]:]
    assert "scenarios/eaeu_fta.yaml:" not in page[:sections[4]]
    assert page.count("<svg") == 5
    assert page.count('role="img" aria-label="') == 5
    assert not re.search(r"\bnan\b|None|inf\b|\{\{|\}\}", re.sub(r"<svg.*?</svg>", "", page,
                                                                flags=re.S))


def test_workbook_has_a_sheet_a_table_with_units_and_frozen_panes(left):
    with zipfile.ZipFile(left[0] / "comparison.xlsx") as book:
        texts = book.read("xl/sharedStrings.xml").decode()
        sheets = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        pages = [book.read(f"xl/worksheets/sheet{place}.xml").decode()
                 for place in range(1, len(sheets) + 1)]
    assert sheets[:4] == ["Contents", "Scenarios", "Input differences",
                          "Change, Kazakhstan's count"]
    assert {"Regret, if implemented", "Gains, market of Mongolia", "Goods to Kazakhstan"} <= set(
        sheets)
    assert len(sheets) == len(set(sheets)) == 19
    assert all('state="frozen"' in page for page in pages)
    assert "2035, risk-weighted average, low, USD million" in texts
    assert "2035, if implemented, %" in texts


def test_workbook_holds_the_numbers_of_the_table(left):
    numbers = pd.read_csv(left[0] / "comparison.csv")
    mean = numbers.query("scenario == 'eaeu_fta' and variable == 'turnover' and case == 'effect' "
                         "and year == 2035")["mean"].to_numpy() / 1e6
    with zipfile.ZipFile(left[0] / "comparison.xlsx") as book:
        page = book.read("xl/worksheets/sheet4.xml").decode()
    values = [float(value) for value in re.findall(r'<c r="H\d+" s="\d+"><v>([^<]+)', page)]
    assert any(abs(value - mean).min() < 1e-4 for value in values)


def test_workbook_lists_its_sheets_and_draws_what_they_hold(left):
    with zipfile.ZipFile(left[0] / "comparison.xlsx") as book:
        sheets = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        links = re.findall(r'location="\'([^!]+)\'!A1"',
                           book.read("xl/worksheets/sheet1.xml").decode())
        charts = [book.read(name).decode() for name in book.namelist() if "charts/chart" in name]
    assert [link.replace("''", "'") for link in links] == sheets[1:]
    sources = {source for chart in charts
               for source in re.findall(r"<c:val><c:numRef><c:f>'([^!]+)'!", chart)}
    assert {source.replace("''", "'") for source in sources} == {
        "Change, Kazakhstan's count", "Change, Mongolia's count", "Turnover, Kazakhstan's count",
        "Turnover, Mongolia's count", "Target, Kazakhstan's count", "Target, Mongolia's count",
        "Regret, risk-weighted", "Regret, if implemented", "Gains, market of Mongolia",
        "Gains, market of Kazakhstan"}


def test_a_chart_shows_the_columns_it_is_told_to(tmp_path):
    columns = (Column("name"), Column("size", "range"), Column("share", "share"))
    rows = (("first", (1.0, 0.5, 2.0), 0.2), ("second", (3.0, 2.0, 4.0), 0.4))
    one = Table("x", "A title", "Same name", columns, rows, charted=(1, 2))
    workbook.write([one, replace(one, sheet="same name")], tmp_path / "a.xlsx", "made up")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        chart = book.read("xl/charts/chart1.xml").decode()
        sheets = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    assert sheets == ["Contents", "Same name", "same name 2"]
    assert re.findall(r"<c:val><c:numRef><c:f>([^<]+)<", chart) == [
        "'Same name'!$B$4:$B$5", "'Same name'!$E$4:$E$5"]


def test_workbook_gives_the_same_bytes_for_the_same_tables(tmp_path):
    one = Table("x", "A title", "A/sheet: [1]", (Column("name"), Column("size", "range"),
                                                Column("when", "year")),
                (("first", (1.0, 0.5, 2.0), 2030.0), ("second", (0.0, 0.0, 0.0), None)))
    for name in ("a.xlsx", "b.xlsx"):
        workbook.write([one], tmp_path / name, "made up")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert "2000-01-01T00:00:00Z" in book.read("docProps/core.xml").decode()


def test_mistakes_of_all_files_are_said_before_anything_runs(call, tmp_path, monkeypatch):
    monkeypatch.setattr(model, "answer", None)
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("title: T\nquestion: Q\nlevers: {nonsense: {}}\n",
                                               encoding="utf-8")
    outcome = call("one.yaml", "two.yaml")
    assert outcome.exit_code == 2
    assert "one.yaml:3" in outcome.stderr
    assert "two.yaml:3" in outcome.stderr
    assert not (tmp_path / "results").exists()


def test_a_closure_is_refused_before_anything_runs(call, tmp_path, monkeypatch):
    monkeypatch.setattr(model, "answer", None)
    outcome = call("eaeu_fta", "--set", "closure=one_sector")
    assert outcome.exit_code == 2
    assert outcome.stderr.count("closure: none") == 2  # base and eaeu_fta
    assert not (tmp_path / "results").exists()


def test_other_horizons_are_refused_before_anything_runs(call, tmp_path, monkeypatch):
    monkeypatch.setattr(model, "answer", None)
    (tmp_path / "short.yaml").write_text("extends: base\nhorizon: 2031\n", encoding="utf-8")
    outcome = call("short.yaml")
    assert outcome.exit_code == 2
    assert "horizon: differs between scenarios: base 2035, short.yaml 2031" in outcome.stderr


def test_missing_writer_of_workbooks_is_said_and_the_rest_is_left(call, monkeypatch, tmp_path):
    monkeypatch.setattr(workbook, "available", lambda: False)
    outcome = call("direct_flights", "--draws", "3", "--no-report")
    assert outcome.exit_code == 0, outcome.output
    assert install("office") in outcome.stderr
    left = {path.name for path in (tmp_path / "results" / "comparison").iterdir()}
    assert left - {"comparison.parquet"} == {"comparison.csv", "manifest.json"}


def test_paths_to_draw_can_be_picked_and_unknown_ones_are_refused(call, tmp_path):
    words = ("direct_flights", "dzud", "--draws", "2")
    outcome = call(*words, "--show", "dzud")
    assert outcome.exit_code == 0, outcome.output
    picture = (tmp_path / "results/comparison/figures/fans.svg").read_text(encoding="utf-8")
    assert "A dzud" in picture
    assert "Direct flights" not in picture
    outcome = call(*words, "--show", "dzut", "--out", "other")
    assert outcome.exit_code == 2
    assert "--show: dzut: is not among the scenarios compared" in outcome.stderr
    assert not (tmp_path / "other").exists()


def test_one_scenario_one_draw_one_year_can_be_drawn(call):
    outcome = call("direct_flights", "--draws", "1", "--set", "horizon=2026")
    assert outcome.exit_code == 0, outcome.output


def test_folder_of_an_earlier_run_can_be_compared(call, base, tmp_path):
    dataset = model.run("direct_flights", draws=3)
    folder = tmp_path / "earlier"
    folder.mkdir()
    results.save(dataset, folder)
    outcome = call(folder, "--draws", "3", "--no-report")
    assert outcome.exit_code == 0, outcome.output
    assert "direct_flights" in outcome.output
    outcome = call(folder, "--draws", "4", "--no-report")
    assert outcome.exit_code == 2
    assert "draws: differs between scenarios" in outcome.stderr


# Events.

def with_event(base, *, all_of_them=False):
    runs = [made(base.pair, "none", 0.0), made(base.pair, "small", 0.4),
            made(base.pair, "boom", 1.0)]
    chosen = runs[1:] if all_of_them else runs[2:]
    events = [run.attrs["run_id"] for run in chosen]
    return compare(*(run.assign_attrs(shocks=json.dumps(["boom"])) if run.attrs["run_id"] in events
                     else run for run in runs))


def test_an_event_is_shown_last_and_is_nobodys_choice(base):
    found = with_event(base)
    assert ranked(found) == ["small", "boom"]  # though the boom brings more
    assert regret(found).names == ("none", "small")
    assert regret(found).chance.sum() == pytest.approx(1.0)
    said = facts(found, base.pair)
    assert [row["title"] for row in said["events"]] == ["Title of boom"]
    assert [row["title"] for row in said["rows"]] == ["Title of small"]


def test_an_event_is_in_no_table_of_regret(base):
    found = with_event(base)
    tables = [shown_table(one) for one in pages(found, base.pair, dict.fromkeys(found.names, ()))]
    regrets = [row for one in tables if one["name"] == "regret" for row in one["rows"]]
    assert {row[0] for row in regrets} == {"Title of none", "Title of small"}


def test_events_alone_keep_the_order_given(base):
    found = with_event(base, all_of_them=True)
    assert ranked(found) == ["small", "boom"]
    assert facts(found, base.pair)["rows"] == []
    tables = pages(found, base.pair, dict.fromkeys(found.names, ()))
    assert not {"regret", "effects", "sales", "accounts", "heat"} & {one.name for one in tables}


def test_shocks_have_a_table_of_their_own_and_are_in_no_other(base):
    found = with_event(base)
    tables = pages(found, base.pair, dict.fromkeys(found.names, ()))
    for one in tables:
        titles = {row[0] for row in one.rows}
        if one.name == "shocks":
            assert titles == {"Title of boom"}
            change = found.change("turnover", "boom", "scenario", year=found.years[3],
                                  count=found.counts[tables[-2:].index(one)])
            assert one.rows[0][4][0] == pytest.approx(change.mean() / 1e6)
        elif one.name not in ("scenarios", "inputs"):
            assert "Title of boom" not in titles
    assert [one.name for one in tables[-2:]] == ["shocks", "shocks"]


def path_of(base, name, by_year):
    """Make up a run whose turnover is 100 plus so many million by year from the second on."""
    run = made(base.pair, name, 0.0)
    turnover = np.full(run["turnover"].shape, 100e6)
    turnover[..., 1:1 + len(by_year)] += 1e6 * np.array(by_year)
    run["turnover"] = (run["turnover"].dims, turnover)
    return run


def test_the_trough_of_an_event_and_when_half_is_over(base):
    found = compare(path_of(base, "none", []), path_of(base, "dip", [-3, -8, -5, -4, -1]),
                    path_of(base, "for_good", [-2] * 10), path_of(base, "idle", []))
    years = found.years
    assert trough(found, "dip") == (years[2], years[4])
    assert trough(found, "for_good") == (years[1], None)
    assert trough(found, "idle") == (years[0], None)


def test_the_most_different_paths_are_chosen_and_twins_left_out(base):
    found = compare(*(path_of(base, name, steps) for name, steps in {
        "none": [], "up": [9, 9], "twin": [9, 9], "near": [8, 9], "late": [0, 0, 7],
        "down": [-6], "idle": []}.items()))
    assert set(most_different(found, 3)) == {"up", "late", "down"}
    assert set(most_different(found, 9)) == {"up", "late", "down", "near"}
    assert alike(found)["twin"] == ["up"]
    assert alike(found)["near"] == []


def test_a_run_says_which_of_its_levers_are_shocks():
    assert json.loads(model.run("sanctions", draws=2).attrs["shocks"]) == ["sanctions"]
    assert json.loads(model.run("road_through_russia", draws=2).attrs["shocks"]) == []
