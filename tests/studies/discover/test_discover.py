"""Scenario discovery: boxes that were planted, closed forms, words, chance, bad input."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import fake_sweep
from tradesim.cli.app import cli
from tradesim.common.errors import InputError
from tradesim.common.extras import install
from tradesim.reports.discover import box_limits, condition, outcome, question_of, sentence, tidy
from tradesim.reports.figure_style import style
from tradesim.studies.discover import prim
from tradesim.studies.discover.discover import Question, discover, prepare, region
from tradesim.studies.discover.prim import Box
from tradesim.studies.sweep.results import find_output, read_sweep

# Share of a factor's range by which limits of a thousand random rows may miss the planted ones.
NEAR = 0.06


def planted(rows=2000, factors=8, seed=0, inside=1.0, outside=0.0):
    rng = np.random.default_rng(seed)
    x = rng.random((rows, factors))
    box = (x[:, 1] > 0.6) & (x[:, 4] < 0.5)
    return x, np.where(box, rng.random(rows) < inside, rng.random(rows) < outside).astype(float)


@pytest.mark.parametrize(("inside", "outside"), [(1.0, 0.0), (0.9, 0.1), (0.7, 0.1)])
def test_a_planted_box_is_found(inside, outside):
    x, y = planted(inside=inside, outside=outside)
    box = prim.choose(x, y, prim.peel(x, y))
    assert box.restricted == [1, 4]
    assert box.low[1] == pytest.approx(0.6, abs=NEAR)
    assert box.high[4] == pytest.approx(0.5, abs=NEAR)
    assert np.isinf([box.high[1], box.low[4]]).all()


def test_a_switch_and_whole_years_are_cut_between_values():
    x, _ = planted()
    x[:, 1], x[:, 4] = x[:, 1] > 0.6, np.floor(2026 + 10 * x[:, 4])
    y = ((x[:, 1] == 1) & (x[:, 4] <= 2030)).astype(float)
    box = prim.choose(x, y, prim.peel(x, y))
    assert box.low[1] == 0.5
    assert box.high[4] == 2030.5
    assert y[box.holds(x)].all()


def test_the_path_counts_its_boxes():
    x, y = planted(inside=0.8, outside=0.1)
    path = prim.peel(x, y)
    inside = [box.holds(x) for box in path.boxes]
    np.testing.assert_array_equal(path.rows, [mask.sum() for mask in inside])
    np.testing.assert_array_equal(path.hits, [y[mask].sum() for mask in inside])
    assert path.hits[-1] / path.rows[-1] > 0.7 > path.hits[0] / path.rows[0]
    assert path.rows[-1] >= prim.LEAST * len(y)
    assert all((small <= large).all() for large, small in pairwise(inside))
    assert path.excess[0] == 0


def test_one_slice_takes_a_twentieth_of_the_rows():
    x = np.linspace(0, 1, 1000)[:, None]
    path = prim.peel(x, (x[:, 0] > 0.5).astype(float))
    assert path.rows[1] == 950
    assert path.boxes[1].low[0] == pytest.approx((x[49, 0] + x[50, 0]) / 2)
    assert (path.hits[-1] / path.rows[-1]) == 1.0


def test_pasting_only_raises_the_density():
    x, y = planted(inside=0.9, outside=0.1)
    narrow = Box.whole(x.shape[1]).cut(1, low=0.8).cut(4, high=0.3)
    wide = prim.paste(x, y, narrow)
    assert wide.low[1] <= 0.8
    assert wide.high[4] >= 0.3
    assert y[wide.holds(x)].mean() >= y[narrow.holds(x)].mean()


def test_limits_that_do_nothing_are_lifted():
    x, y = planted()
    box = Box.whole(x.shape[1]).cut(1, low=0.6).cut(4, high=0.5).cut(0, low=0.01).cut(7, high=0.98)
    assert prim.lift(x, y, box).restricted == [1, 4]


def test_nothing_is_found_where_all_answers_are_the_same():
    x, _ = planted()
    for y in (np.zeros(len(x)), np.ones(len(x))):
        path = prim.peel(x, y)
        assert len(path.boxes) == 1
        assert prim.choose(x, y, path).restricted == []


def test_chance_is_told_from_influence():
    rng = np.random.default_rng(3)
    x, y = planted(rows=600, factors=5, inside=0.8, outside=0.2)
    assert prim.against_chance(x, y, rng) == pytest.approx(1 / (1 + prim.PERMUTATIONS))
    shuffled = rng.permutation(y)
    assert prim.against_chance(x, shuffled, rng) > 0.05
    box = Box.whole(5).cut(1, low=0.6).cut(3, low=0.5)
    assert prim.factor_chance(x, y, box, 1, rng) < 0.01
    assert prim.factor_chance(x, y, box, 3, rng) > 0.05
    again, fresh = prim.reproducibility(x, y, prim.choose(x, y, prim.peel(x, y)), rng)
    assert again[1] > 0.8
    assert 0.32 < fresh < 0.8  # more than without conditions, less than the truth


def test_the_chance_of_a_factor_is_fair_where_it_has_no_influence():
    """Without influence the probability (before the number of factors) is uniform."""
    rng = np.random.default_rng(8)
    low = 0
    for _ in range(60):
        x, y = rng.random((200, 1)), (rng.random(200) < 0.4).astype(float)
        order = np.argsort(x[:, 0])
        sums = np.cumsum((y - y.mean())[order])
        cut = int(np.argmin(sums))  # the best lower limit that a search would set
        box = Box.whole(1).cut(0, low=float(x[order[cut], 0]))
        low += prim.factor_chance(x, y, box, 0, rng) <= 0.2
    assert low <= 24


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    return read_sweep(fake_sweep.write(tmp_path_factory.mktemp("sweep") / "mine-sweep-lhs"))


@pytest.fixture(scope="module")
def found(sweep):
    return discover(sweep, Question(find_output(sweep, "turnover"), 500e6), method="both")


def test_density_and_coverage_are_what_they_are_called(found):
    data, one = found.data, found.boxes[0].region
    inside = one.box.holds(data.x)
    assert one.rows == inside.sum()
    assert one.density == pytest.approx(data.y[inside].mean())
    assert one.coverage == pytest.approx(data.y[inside].sum() / data.y.sum())
    assert one.support == pytest.approx(inside.mean())
    assert one.density * one.support == pytest.approx(one.coverage * data.y.mean())
    assert one.density * one.support + one.elsewhere * (1 - one.support) == pytest.approx(
        data.y.mean())
    assert one.mean * one.support + one.mean_elsewhere * (1 - one.support) == pytest.approx(
        data.value.mean())


def test_the_box_stands_in_words_with_units(found):
    text = sentence(found, found.boxes[0].region, "Reached")
    assert re.fullmatch(
        r"Reached in \d\d % of cases where elasticity of trade to both economies is high \(above "
        r"0\.8\d\) and share of eligible trade that claims the preference is very high \(above "
        r"(69|7\d) %\); in \d+ % elsewhere", text)
    assert question_of(found)[0] == (
        "The target of USD 500 million is reached: Turnover 2035, with levers, Right's count")
    shown = outcome(found)
    assert "not chance (p = 0.010)" in shown
    assert "found again in 100 % of resamples" in shown


@pytest.mark.parametrize(("name", "limits", "expected"), [
    ("pact.start", {"low": 2029.5}, "late (2030 or later)"),
    ("pact.start", {"high": 2027.5}, "very early (2027 or earlier)"),
    ("pact.utilisation", {"low": 0.2, "high": 0.7}, "in a middle range (20 % to 70 %)"),
    ("noise.first", {"high": 90.0}, "not high (below 90.0 USD per tonne)"),
    ("pact.happens", {"low": 0.5}, "the pact happens"),
    ("pact.happens", {"high": 0.5}, "the pact does not happen"),
])
def test_limits_in_words(found, name, limits, expected):
    k = [factor.name for factor in found.data.factors].index(name)
    box = Box.whole(len(found.data.factors)).cut(k, **limits)
    assert condition(found.data, box, k).endswith(expected)


def test_the_tree_finds_the_same_and_covers_every_row_once(found):
    assert sum(leaf.rows for leaf in found.leaves) == len(found.data.y)
    best = found.leaves[0].box
    assert {0, 1} <= set(best.restricted)
    assert best.low[0] == pytest.approx(0.84, abs=NEAR)
    assert found.skill > 0.85


def test_the_tree_needs_its_package(sweep, monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.tree", None)
    with pytest.raises(InputError, match=re.escape("needs scikit-learn; " + install("discover"))):
        discover(sweep, Question(find_output(sweep, "turnover"), 500e6), method="tree")


def test_the_table_holds_every_limit(found):
    table = tidy(found)
    prim_rows = table[table["method"] == "prim"]
    assert list(prim_rows["factor"]) == ["growth.elasticity", "pact.utilisation"]
    assert prim_rows["high"].isna().all()
    assert set(table["method"]) == {"prim", "tree"}


def test_same_seed_same_discovery(sweep, found):
    again = discover(sweep, found.question, method="prim")
    pd.testing.assert_frame_equal(tidy(again), tidy(found).query("method == 'prim'"))


def test_when_a_lever_does_not_pay(sweep):
    output = find_output(sweep, "turnover", case="effect")
    found = discover(sweep, Question(output, 10e6, above=False))
    assert question_of(found)[0].endswith("is below USD 10.0 million")
    names = [factor.name for factor in found.data.factors]
    # That a pact which does not happen brings nothing is no finding: those rows are left out.
    assert "pact.happens" not in names
    idle = int((sweep.table["pact.happens"] == 0).sum())
    assert (found.data.idle, len(found.data.y)) == (idle, len(sweep.table) - idle)
    assert f"{idle} rows in which no lever acts are left out" in outcome(found)
    assert found.boxes[0].region.box.high[names.index("pact.utilisation")] == pytest.approx(
        0.1, abs=0.02)


def test_a_switch_has_two_bars_and_no_unit(sweep):
    found = discover(sweep, Question(find_output(sweep, "turnover", case="reference"), 350e6))
    switch = [factor.name for factor in found.data.factors].index("pact.happens")
    box = Box.whole(len(found.data.factors)).cut(switch, low=0.5)
    one = replace(found.boxes[0], region=replace(found.boxes[0].region, box=box))
    with style():
        axes = box_limits(replace(found, boxes=(one,))).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["no", "yes"]
    assert axes.get_xlabel() == "The pact happens"
    assert len(axes.patches) == 3  # two bars and the shade


def test_of_a_sobol_design_only_rows_drawn_apart_are_used(tmp_path):
    folder = fake_sweep.write(tmp_path / "s", "sobol", rows=1600)
    about = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    (folder / "sweep.json").write_text(json.dumps(about | {"blocks": 200}), encoding="utf-8")
    sweep = read_sweep(folder)
    data = prepare(sweep, Question(find_output(sweep, "turnover"), 500e6))
    assert len(data.y) == 400
    assert data.dropped == 0


def test_failed_rows_are_left_out_and_counted(tmp_path):
    sweep = read_sweep(fake_sweep.write(tmp_path / "s", failed=7))
    data = prepare(sweep, Question(find_output(sweep, "turnover"), 500e6))
    assert (len(data.y), data.dropped) == (993, 7)


def test_a_region_without_rows_is_no_number(found):
    empty = region(found.data, Box.whole(len(found.data.factors)).cut(0, low=99.0))
    assert empty.rows == 0
    assert np.isnan(empty.density)
    assert empty.elsewhere == found.data.y.mean()


@pytest.mark.parametrize(("threshold", "above", "expected"), [
    (900e6, True, "no row of 1000 does so, so there are no conditions to find; the rows reach "
                  r"from 300\.\de6 to 649\.\de6, median 3\d\d\.\de6; ask for a value between"),
    (1e6, True, "every row of 1000 does so"),
    (649.5e6, True, r"only \d+ of 1000 rows do so; conditions need at least 20"),
    (649.5e6, False, r"all but \d+ of 1000 rows do so"),
])
def test_nobody_or_everybody(sweep, threshold, above, expected):
    with pytest.raises(InputError, match=expected):
        discover(sweep, Question(find_output(sweep, "turnover"), threshold, above))


def test_too_few_rows(tmp_path):
    sweep = read_sweep(fake_sweep.write(tmp_path / "s", rows=60))
    with pytest.raises(InputError, match="only 60 rows with all numbers; conditions need at least "
                                         "100; sweep again with a larger --n"):
        discover(sweep, Question(find_output(sweep, "turnover"), 500e6))


@pytest.mark.parametrize("method", ["oat", "morris"])
def test_one_factor_at_a_time_shows_no_conditions(tmp_path, method):
    sweep = read_sweep(fake_sweep.write(tmp_path / "s", method))
    with pytest.raises(InputError, match=r"varied one factor at a time.*--method lhs"):
        discover(sweep, Question(find_output(sweep, "turnover"), 500e6))


def test_the_command(tmp_path):
    folder = fake_sweep.write(tmp_path / "mine-sweep-lhs", rows=400)
    result = CliRunner().invoke(cli, ["discover", str(folder), "--year", "2030", "--target", "4e8"])
    assert result.exit_code == 0, result.output
    assert "At least USD 400 million in " in result.output
    out = tmp_path / "mine-sweep-lhs-discover-2030-target-400000000"
    assert {path.name for path in out.iterdir()} == {"report.html", "figures", "discover.csv"}
    page = (out / "report.html").read_text(encoding="utf-8")
    assert f"tradesim discover {folder} --target 400000000 --year 2030" in page
    assert "feedbeefcafe0123" in page
    assert "&amp;#39;" not in page
    answer = " ".join(re.sub(r"<[^>]+>", "", page[page.index('class="answer"'):]).split())
    box = pd.read_csv(out / "discover.csv").query("method == 'prim' and box == 1").iloc[0]
    said = re.search(r"(\d+) % of cases where .+?; in (\d+) % elsewhere\. These conditions hold in "
                     r"(\d+) % of all cases, with (\d+) % of all that say yes", answer).groups()
    assert [float(share) for share in said] == pytest.approx(
        100 * box[["density", "elsewhere", "support", "coverage"]].astype(float), abs=0.51)


def test_another_question_has_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = fake_sweep.write(tmp_path / "s", rows=400)
    for words in ([], ["--case", "effect", "--below", "10e6"], ["--name", "mine"], []):
        done = CliRunner().invoke(cli, ["discover", "s", *words])
        assert done.exit_code == 0, done.output
    assert f"Replaced: {folder.name}-discover" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "s", "s-discover", "s-discover-effect-below-10000000", "results"}
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"mine"}


@pytest.mark.parametrize(("arguments", "expected"), [
    (["--variable", "turnovr"], "--variable: turnovr: the sweep kept no such variable; kept: "
                                "turnover; did you mean 'turnover'?"),
    (["--case", "scenaro"], "kept: reference, scenario, effect; did you mean 'scenario'?"),
    (["--year", "2031"], "kept: 2030, 2033, 2035"),
    (["--count", "left"], "kept: right"),
    (["--case", "effect"], "name a value for turnover|right|effect|2035: --above X or --below X"),
    (["--above", "1", "--below", "2"], "exclude each other"),
])
def test_bad_questions(tmp_path, arguments, expected):
    folder = fake_sweep.write(tmp_path / "s", rows=120)
    result = CliRunner().invoke(cli, ["discover", str(folder), *arguments])
    assert result.exit_code == 2
    assert expected in result.output
    assert not (tmp_path / "s-discover").exists()


@pytest.mark.parametrize(("make", "expected"), [
    (lambda folder: None, "is not a folder; name a folder that tradesim sweep wrote"),
    (lambda folder: folder.mkdir(), "is no sweep: it holds no sweep.json"),
    (lambda folder: (fake_sweep.write(folder) / "sweep.json").write_text("{"),
     r"sweep.json: cannot be read \(.*\); run the sweep again with --fresh"),
    (lambda folder: (fake_sweep.write(folder) / "table.csv.gz").unlink(),
     "holds no table .*; the sweep did not finish"),
    (lambda folder: (fake_sweep.write(folder) / "table.csv.gz").write_bytes(b"x"),
     "table.csv.gz: cannot be read"),
])
def test_folders_that_are_no_sweep(tmp_path, make, expected):
    make(tmp_path / "s")
    with pytest.raises(InputError, match=expected):
        read_sweep(tmp_path / "s")


@pytest.mark.slow
def test_a_run_is_a_sweep_of_everything(tmp_path):
    from tradesim.simulation import model, results, summary

    results.save(model.run("all_levers", draws=300), tmp_path)
    sweep = read_sweep(tmp_path)
    output = find_output(sweep, "turnover")
    data = prepare(sweep, Question(output, sweep.about["target"]["value"]))
    headline = summary.headline(results.load(tmp_path))
    assert data.y.mean() == pytest.approx(
        headline["target"]["probability"][str(output.year)]["scenario"])
    effect = find_output(sweep, "turnover", case="effect")
    assert effect.case == "effect"
