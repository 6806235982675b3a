"""How far a report can be trusted: the track record, and what the range is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure

from tradesim.common.arrays import MILLION
from tradesim.inputs.posterior import DATA as POSTERIOR
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.specifications import read_specifications
from tradesim.reports import backtest_figures as plots_backtest
from tradesim.reports import identification as plots_evidence
from tradesim.reports.figure_style import style
from tradesim.reports.run.facts import middle
from tradesim.reports.run.shares import GROWTH, LEAST, LEVERS, REST, SPECIFIED, range_shares
from tradesim.reports.run.view import Story
from tradesim.simulation.factors import SPECIFICATION
from tradesim.studies.backtest.benchmarks import OTHERS
from tradesim.studies.backtest.track_record import FILE, RIVAL, read_record, track_record

if TYPE_CHECKING:
    import pandas as pd

PAST_FANS, COVERAGE, LEARNED = EVIDENCE = ("past_fans", "coverage", "learned")
"""Figures of the section, in order."""


def evidence(story: Story, calibration: Path,
             past: pd.DataFrame | None) -> Iterator[tuple[str, Figure]]:
    """Draw the figures of the section by name, those for which there are data and draws.

    Parameters
    ----------
    story, calibration
        As in `trust`.
    past
        The back-test, as `trust` found it.
    """
    makers: dict[str, Callable[[], Figure]] = {}
    if past is not None and not story.point:
        makers[PAST_FANS] = lambda: plots_backtest.past_fans(past, story.count)
        makers[COVERAGE] = lambda: plots_backtest.coverage(past, story.count)
    if (calibration / POSTERIOR).is_file() and not story.point:
        makers[LEARNED] = lambda: plots_evidence.identification(
            plots_evidence.beliefs(calibration))
    for name, make in makers.items():
        with style(name):
            yield name, make()


def trust(story: Story, calibration: Path) -> dict[str, Any]:
    """Give the numbers of the section on trust.

    Parameters
    ----------
    story
        The run and its past.
    calibration
        Folder with the back-test, if it was made.

    Returns
    -------
    dict
        ``past``: the back-test itself, None where this calibration was never back-tested.
        ``record``: what `record.track_record` says of it on the headline count, with the
        horizons as rows; poorer fits of the rivals count as rivals too, and ``lenient`` is the
        skill without them. ``shares``: parts of the range in per cent; None where there are too
        few draws. ``forms``: the reference by specification, where the draws hold several.
    """
    found: dict[str, Any] = {"past": None, "record": None, "shares": None,
                             "forms": forms(story, calibration)}
    if (calibration / FILE).is_file():
        found["past"] = frame = read_record(calibration)
        lenient = track_record(frame, story.count)["skill"]
        lucky = frame["model"].isin(OTHERS)
        record = track_record(frame.assign(kind=frame["kind"].mask(lucky, RIVAL)), story.count)
        rows = [{"ahead": ahead, **row, "skill": 100 * row["skill"],
                 "covered50": 100 * row["covered50"], "covered90": 100 * row["covered90"]}
                for ahead, row in record["horizons"].items()]
        found["record"] = record | {
            "rows": rows, "first": rows[0], "last": rows[-1],
            "skill": 100 * record["skill"], "lenient": 100 * lenient,
            "losing": [row["ahead"] for row in rows if row["skill"] < 0],
            "covered50": 100 * record["covered50"], "covered90": 100 * record["covered90"]}
    parts = range_shares(story)
    if parts:
        found["shares"] = {name: 100 * parts[name] for name in (GROWTH, SPECIFIED, LEVERS, REST)}
    return found


def forms(story: Story, calibration: Path) -> list[dict[str, Any]]:
    """Give the reference of the last year by specification, on the count of the target.

    Parameters
    ----------
    story, calibration
        As in `trust`.

    Returns
    -------
    list of dict
        ``title``, ``weight`` (share of draws), ``value`` (median, low and high end of the 80 %
        range, USD million) and ``chance`` of the target, in the order of the posterior; empty
        where all draws have one specification or there are too few.
    """
    if story.draw_count < LEAST or SPECIFICATION not in story.dataset["factor"]:
        return []
    place = story.dataset["factors"].sel(factor=SPECIFICATION).to_numpy().astype(int)
    names = read_posterior(calibration)["specification"].to_numpy().astype(str)
    known = read_specifications(calibration)
    target = float(story.dataset.attrs["target_value"]) / MILLION
    turnover = story.draws("turnover", "reference", count=story.pair.target_count,
                           year=story.last)
    return [{"title": known[str(names[k])].title, "weight": float((place == k).mean()),
             "value": middle(turnover[place == k]),
             "chance": float((turnover[place == k] >= target).mean())}
            for k in np.unique(place)]
