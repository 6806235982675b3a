"""Figures of the back-test: what they show is what the record holds, and they do not collide."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import fake_backtest
from tradesim.reports import backtest
from tradesim.reports.figure_style import save, style, styled
from tradesim.studies.backtest import track_record as record
from tradesim.studies.backtest.benchmarks import OPEN
from tradesim.studies.backtest.track_record import MODEL, RIVAL_ALL_YEARS, TURNOVER

COUNT = "right"


@pytest.fixture(scope="module")
def frame():
    return fake_backtest.record()


@pytest.fixture(scope="module")
def rows(frame):
    return record.of(frame, TURNOVER, COUNT)


def drawn(draw, frame):
    with style():
        figure = draw(frame, COUNT)
        figure.draw_without_rendering()
    return figure


def test_fans_hold_every_forecast_and_what_happened(frame, rows):
    figure = drawn(backtest.past_fans, frame)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == [
        str(origin) for origin in fake_backtest.ORIGINS]
    first = rows[(rows["model"] == MODEL) & (rows["origin"] == 2005)]
    lines = {line.get_marker(): line for line in panels[0].lines}
    held = first["covered90"] > 0
    np.testing.assert_allclose(lines["o"].get_ydata(), np.exp(first.loc[held, "actual"]) / 1e6)
    np.testing.assert_allclose(lines["D"].get_ydata(), np.exp(first.loc[~held, "actual"]) / 1e6)
    low, high = panels[0].get_ylim()
    mine = rows[rows["model"] == MODEL]
    assert low < np.exp(mine[["p05", "actual"]].min().min()) / 1e6
    assert high > np.exp(mine[["p95", "actual"]].max().max()) / 1e6


def test_skill_marks_stand_at_the_skill(frame, rows):
    figure = drawn(backtest.skill, frame)
    (axes,) = figure.axes
    scores = record.skill(rows, MODEL)
    dots = [line for line in axes.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots[0].get_ydata(), scores.skill)
    crosses = next(line for line in axes.lines if line.get_marker() == "x")
    every = record.skill(rows, MODEL, RIVAL_ALL_YEARS)
    np.testing.assert_allclose(crosses.get_ydata(), every.skill)
    (bars,) = axes.collections
    ends = [segment[:, 1] for segment in bars.get_segments()]
    wanted = [scores.range(h, h)[1:3] for h in scores.horizons]
    np.testing.assert_allclose(ends, wanted)
    labels = [text.get_text() for text in axes.get_xticklabels()]
    assert labels == [f"{h}\n{backtest.named(rival.removesuffix(OPEN))}"
                      for h, rival in zip(scores.horizons, scores.rival, strict=True)]


def test_coverage_is_that_of_the_record(frame, rows):
    figure = drawn(backtest.coverage, frame)
    table = record.by_horizon(rows)
    mine = table[table["model"] == MODEL]
    for axes, column in zip(figure.axes, ("covered50", "covered90"), strict=True):
        line = next(line for line in axes.lines if line.get_marker() == "o")
        np.testing.assert_allclose(line.get_ydata(), 100 * mine[column])
        assert len(axes.lines) == 1 + 4 + 1  # level, rivals, ours


def test_every_outcome_is_in_the_histogram(frame, rows):
    figure = drawn(backtest.pit, frame)
    (axes,) = figure.axes
    assert sum(bar.get_height() for bar in axes.patches) == (rows["model"] == MODEL).sum()


def test_the_same_figure_has_the_same_bytes(frame, tmp_path):
    files = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        for name, draw in backtest.figures(frame, COUNT).items():
            save(styled(draw), name, folder)
        files.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert files[0] == files[1]
    assert len(files[0]) == 8


def test_titles_of_neighbours_do_not_touch(frame):
    figure = drawn(backtest.past_fans, frame)
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
