"""How far a report can be trusted: the track record, and what the range is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from tradesim import plots_backtest, plots_evidence
from tradesim.drawing import style
from tradesim.posterior import DATA as POSTERIOR
from tradesim.record import FILE, RIVAL, read_record, track_record
from tradesim.rivals import OTHERS
from tradesim.shares import GROWTH, LEVERS, REST, SPECIFIED, range_shares
from tradesim.story import Story

PAST_FANS, COVERAGE, LEARNED = EVIDENCE = ("past_fans", "coverage", "learned")
"""Figures of the section, in order."""


def evidence(story: Story, calibration: Path) -> Iterator[tuple[str, Figure]]:
    """Draw the figures of the section by name, those for which there are data and draws.

    Parameters
    ----------
    story, calibration
        As in `trust`.
    """
    makers: dict[str, Callable[[], Figure]] = {}
    if (calibration / FILE).is_file() and not story.point:
        record = read_record(calibration)
        makers[PAST_FANS] = lambda: plots_backtest.past_fans(record, story.count)
        makers[COVERAGE] = lambda: plots_backtest.coverage(record, story.count)
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
        ``record``: what `record.track_record` says on the headline count, with the horizons as
        rows, and ``strict``, the skill when poorer fits of the rivals count as rivals too; None
        where this calibration was never back-tested. ``shares``: parts of the range in per cent;
        None where there are too few draws.
    """
    found: dict[str, Any] = {"record": None, "shares": None}
    if (calibration / FILE).is_file():
        frame = read_record(calibration)
        record = track_record(frame, story.count)
        lucky = frame["model"].isin(OTHERS)
        strict = track_record(frame.assign(kind=frame["kind"].mask(lucky, RIVAL)), story.count)
        rows = [{"ahead": ahead, **row, "skill": 100 * row["skill"],
                 "covered50": 100 * row["covered50"], "covered90": 100 * row["covered90"]}
                for ahead, row in record["horizons"].items()]
        found["record"] = record | {
            "rows": rows, "first": rows[0], "last": rows[-1],
            "skill": 100 * record["skill"], "strict": 100 * strict["skill"],
            "losing": [row["ahead"] for row in rows if row["skill"] < 0],
            "covered50": 100 * record["covered50"], "covered90": 100 * record["covered90"]}
    parts = range_shares(story)
    if parts:
        found["shares"] = {name: 100 * parts[name] for name in (GROWTH, SPECIFIED, LEVERS, REST)}
    return found
