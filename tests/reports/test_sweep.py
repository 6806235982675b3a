"""Figures and page of a sweep, from synthetic folders."""

from __future__ import annotations

import html
import json
import os
import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import fake_sweep
from tradesim.common.errors import InputError
from tradesim.reports import discover as discoveries
from tradesim.reports.figure_style import style, styled
from tradesim.reports.sweep import figures
from tradesim.reports.sweep.page import drivers, main_outputs, outcome, write
from tradesim.studies.discover.discover import Question, discover
from tradesim.studies.sweep.results import find_output, read_sweep

COUNTS = {"right": "Right's count"}
DRAWN = {"oat": ["tornado"], "grid": ["heat"], "lhs": ["ranks", "scatter"],
         "morris": ["screening"], "sobol": ["shares", "area"]}


def make(folder, method, **settings):
    return read_sweep(fake_sweep.write(folder / method, method, **settings))


@pytest.fixture(scope="module", params=DRAWN)
def by_method(request, tmp_path_factory):
    """The method, its figures, and its page; drawn once."""
    folder = fake_sweep.write(tmp_path_factory.mktemp("sweep") / request.param, request.param,
                              rows=300)
    return request.param, draw(read_sweep(folder)), write(folder)


def draw(sweep):
    output = find_output(sweep, "turnover", case="effect")
    return {name: styled(make, sweep.run_id)
            for name, make in figures.figures(sweep, output, COUNTS).items()}


def texts(figure):
    with style("test"):
        FigureCanvasAgg(figure).draw()
    return [" ".join(text.get_text().split()) for text in figure.findobj(mpl.text.Text)
            if text.get_visible() and text.get_text().strip()]


def test_every_method_has_its_figures_signed_and_named(by_method):
    method, drawn, _ = by_method
    assert list(drawn) == DRAWN[method]
    for figure in drawn.values():
        shown = texts(figure)
        assert any("feedbeefcafe0123" in text for text in shown)
        assert any("Turnover 2035, change by the levers" in text and "Right's count" in text
                   for text in shown)
        assert "USD million" in " ".join(shown) or method in ("lhs", "sobol")
        names = " ".join(shown)
        assert "Elasticity of trade" in names or method == "grid"
        assert "growth.elasticity" not in names


def test_nothing_leaves_the_page(by_method):
    for figure in by_method[1].values():
        with style("test"):
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
            marked = [label for axes in figure.axes
                      for label in (axes.xaxis.label, axes.yaxis.label)]
            ticks = [label for axes in figure.axes for label in axes.get_yticklabels()]
            for text in [*figure.texts, *marked, *ticks]:
                box = text.get_window_extent(canvas.get_renderer())
                assert box.x0 >= -2
                assert box.x1 <= figure.bbox.x1 + 2


def test_the_tornado_starts_at_the_middle_and_is_sorted(tmp_path):
    sweep = make(tmp_path, "oat", rows=20)
    figure = draw(sweep)["tornado"]
    output = find_output(sweep, "turnover", case="effect")
    centre = sweep.table[output.name][0] / 1e6
    bars = [bar for bar in figure.axes[0].patches if bar.get_width()]
    widths = [abs(bar.get_x() + bar.get_width() - centre) for bar in bars]
    at_high = sweep.index(output, "at_high")["value"].to_numpy() / 1e6
    assert widths[1] == pytest.approx(abs(at_high[0] - centre))
    assert np.median(at_high) != centre


def test_the_heat_map_shows_the_means_of_the_table(tmp_path):
    sweep = make(tmp_path, "grid", rows=400)
    output = find_output(sweep, "turnover", case="effect")
    image = draw(sweep)["heat"].axes[0].images[0].get_array()
    names = [one.factor for one in sweep.index(output, "range_of_means").itertuples()][:2]
    table = sweep.table.pivot_table(output.name, names[1], names[0]) / 1e6
    np.testing.assert_allclose(image.filled(np.nan), table.to_numpy())


def test_the_area_stacks_to_one_hundred(tmp_path):
    figure = draw(make(tmp_path, "sobol", rows=100))["area"]
    tops = [path.vertices[:, 1].max() for layer in figure.axes[0].collections
            for path in layer.get_paths()]
    assert max(tops) == pytest.approx(100)
    assert figure.axes[0].get_xlim() == (2030, 2035)


def test_the_area_needs_three_years(tmp_path):
    sweep = make(tmp_path, "sobol", rows=100)
    one = find_output(sweep, "turnover", year=2030)
    table = sweep.indices[sweep.indices["output"] == one.name]
    assert figures.area(replace(sweep, indices=table), one, COUNTS) is None


def test_the_page_of_every_method(by_method):
    method, _, page = by_method
    text = page.read_text(encoding="utf-8")
    plain = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", text))
    assert "http" not in text.replace("http://www.w3.org", "")
    assert "A pact: what drives the answer" in plain
    assert "Does it pay?" in plain
    assert f"tradesim sweep mine --method {method}" in plain
    assert "made up" in plain
    for heading in ("What was varied", "How to read this", "What this cannot say",
                    "How to reproduce"):
        assert heading in plain
    assert "lasticity of trade to both economies" in plain.split("How to read this")[0]
    assert not re.search(r"\{\{|&lt;|\bnan\b|built-in", text)
    assert {path.stem.rpartition("-")[0] for path in (page.parent / "figures").iterdir()} == set(
        DRAWN[method])


def test_what_drives_the_answer_is_read_from_the_indices(tmp_path):
    sweep = make(tmp_path, "sobol", rows=100)
    facts = drivers(sweep, main_outputs(sweep)[0])
    assert [one["percent"] for one in facts["leaders"]] == ["80", "40", "20"]
    assert facts["sure"] == 5
    assert facts["factors"] == 6
    assert (facts["first"], facts["interaction"]) == ("100", "0")


@pytest.mark.parametrize("method", ["lhs", "oat", "morris"])
def test_the_answer_is_read_back_from_the_indices(tmp_path, method):
    folder = fake_sweep.write(tmp_path / "s", method, rows=300)
    text = re.sub(r"<svg.*?</svg>", "", write(folder).read_text(encoding="utf-8"), flags=re.S)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())
    sweep = read_sweep(folder)
    output = main_outputs(sweep)[0]
    index = {"lhs": "prcc", "oat": "swing", "morris": "mu_star"}[method]
    rows = sweep.index(output, index).set_index("factor")
    sure = rows[rows["distinguishable"] == "yes"]["value"]
    first = sure.abs().idxmax()
    title = sweep.factor(str(first)).title
    assert title.lower() in text.split("How to read this")[0].lower()
    assert f"{len(sure)} of {len(rows)} factors" in text
    pattern = {"lhs": r"(rises|falls) most clearly with .+? \(partial rank correlation (−?)"
                      r"([\d.]+)",
               "oat": r"(raises|lowers) the answer by ()USD ([\d.]+) million",
               "morris": r"(moves) the answer most, by ()USD ([\d.]+) million"}[method]
    verb, sign, size = re.search(pattern, text).groups()
    scale = 1 if method == "lhs" else 1e6
    assert float(size) == pytest.approx(abs(sure[first]) / scale, rel=0.01)
    if method != "morris":
        assert (verb in ("rises", "raises")) == (sure[first] > 0)
        assert sign == ("−" if method == "lhs" and sure[first] < 0 else "")


def test_levers_fail_in_a_label_only_where_chance_is_let_in(tmp_path):
    folder = fake_sweep.write(tmp_path / "s", "lhs", rows=200)
    sweep = read_sweep(folder)
    output = find_output(sweep, "turnover", case="effect")
    assert figures.title_of(sweep, output, COUNTS) == (
        "Turnover 2035, change by the levers, Right's count")
    noisy = replace(sweep, about={**sweep.about, "noise": True})
    assert figures.title_of(noisy, output, COUNTS) == (
        "Turnover 2035, change by the levers, risks counted, Right's count")


def test_noise_is_called_noise_and_more_runs_are_asked_for(tmp_path):
    folder = fake_sweep.write(tmp_path / "s", "sobol", rows=100)
    text = write(folder).read_text(encoding="utf-8")
    assert "may be chance" in text
    assert "About 1\N{NARROW NO-BREAK SPACE}200 more runs" in text


def test_failed_rows_stand_on_the_page_with_their_inputs(tmp_path):
    folder = fake_sweep.write(tmp_path / "s", "lhs", rows=200, failed=3)
    text = write(folder).read_text(encoding="utf-8")
    assert "3 runs failed" in text
    assert "noise.first = 1.5" in text
    assert "no solution" in text


def test_outputs_that_do_not_vary_are_left_out(tmp_path):
    folder = fake_sweep.write(tmp_path / "s", "sobol", rows=100)
    table = pd.read_csv(folder / "indices.csv")
    table.loc[table["output"].str.contains("effect"), ["value", "low", "high"]] = np.nan
    table.to_csv(folder / "indices.csv", index=False)
    assert [one.case for one in main_outputs(read_sweep(folder))] == ["scenario"]
    write(folder)


def test_same_folder_same_page(tmp_path):
    folder = fake_sweep.write(tmp_path / "s", "lhs", rows=200)
    assert write(folder).read_bytes() == write(folder).read_bytes()


def test_the_figures_of_a_discovery_are_signed(tmp_path):
    sweep = make(tmp_path, "lhs", rows=400)
    found = discover(sweep, Question(find_output(sweep, "turnover"), 500e6), method="both")
    drawn = {name: styled(make, sweep.run_id) for name, make in discoveries.figures(found).items()}
    assert list(drawn) == ["curve", "limits", "pair", "leaves"]
    for figure in drawn.values():
        assert any("feedbeefcafe0123" in text for text in texts(figure))
    assert "the more of no it holds" in " ".join(texts(drawn["curve"]))


@pytest.mark.parametrize("method", ["oat", "grid", "lhs", "morris", "sobol"])
def test_a_sweep_in_which_nothing_moves_says_so(tmp_path, method):
    folder = fake_sweep.write(tmp_path / "s", method, rows=100)
    table = pd.read_csv(folder / "indices.csv")
    table.assign(value=0.0, low=0.0, high=0.0, distinguishable="no").to_csv(
        folder / "indices.csv", index=False)
    assert "Nothing that was varied moves it." in write(folder).read_text(encoding="utf-8")
    assert "Nothing that was varied moves turnover|right|effect|2035." in outcome(folder)
    assert not list((folder / "figures").iterdir())


WIDER = ("method,output,factor,index,value,low,higher,low.1,high,distinguishable,more_runs_needed\n"
         "lhs,turnover|right|effect|2035,noise.first,prcc,0.8,0.5,1,0,1,yes\n")
"""A heading that was damaged, with more columns than the rows have numbers."""


@pytest.mark.parametrize(("name", "text"), [
    ("sweep.json", "[]"), ("sweep.json", "null"), ("sweep.json", '{"method": "lhs"}'),
    ("sweep.json", '{"rows": NaN}'), ("indices.csv", ""), ("indices.csv", "\0\1\2"),
    ("indices.csv", "method\nlhs"), ("indices.csv", WIDER), ("table.csv.gz", ""),
    ("table.csv.gz", "no gzip")])
def test_a_damaged_folder_is_refused_with_its_file(tmp_path, name, text):
    folder = fake_sweep.write(tmp_path / "s", rows=100)
    (folder / name).write_text(text)
    for read in (write, outcome):
        if name == "table.csv.gz" and read is outcome:
            continue
        with pytest.raises(InputError, match=rf"{name}: .*run the sweep again"):
            read(folder)


def test_a_pipe_in_a_folder_is_refused(tmp_path):
    for name in ("sweep.json", "indices.csv", "table.csv.gz"):
        folder = fake_sweep.write(tmp_path / name, rows=100)
        (folder / name).unlink()
        os.mkfifo(folder / name)
        with pytest.raises(InputError, match=f"{name}: cannot be read.*pipe or a device"):
            write(folder)


def test_a_column_that_is_missing(tmp_path):
    folder = fake_sweep.write(tmp_path / "s", rows=100)
    about = json.loads((folder / "sweep.json").read_text(encoding="utf-8"))
    about["outputs"].append({"name": "welfare|2035", "title": "Welfare", "unit": "USD"})
    (folder / "sweep.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape("the table has no column 'welfare|2035'")):
        write(folder)
    (folder / "indices.csv").write_text("a,b\n1,2\n")
    about["outputs"].pop()
    (folder / "sweep.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(InputError, match=r"indices\.csv: has no column 'value'"):
        write(folder)
