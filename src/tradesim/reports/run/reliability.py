"""How reliable a run is: the track record of its forecasts, and what its range is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.inputs.posterior import PREFIX
from tradesim.reports.panel_skill import SHOWN
from tradesim.reports.run.view import ResultsView
from tradesim.reports.skill import named, skill_text
from tradesim.reports.wording import grouped
from tradesim.simulation.factors import NEW_GOODS, SIZE
from tradesim.studies.backtest.benchmarks import OPEN
from tradesim.studies.backtest.bootstrap import SkillRange
from tradesim.studies.backtest.panel import SHIPPED, read_skill
from tradesim.studies.backtest.track_record import FILE, read_record, track_record

if TYPE_CHECKING:
    import pandas as pd

ELASTICITY = f"{PREFIX}elasticity_gdp"
LEVERS, GROWTH, NEW, REST = "levers", "growth", "new_goods", "rest"
LEAST = 60
"""Fewer draws than this say nothing about shares."""

def reliability(view: ResultsView, calibration: Path) -> dict[str, Any]:
    """Give the numbers of the section on reliability.

    Returns
    -------
    dict
        ``record``: its track record on the headline count, with the horizons as rows. ``others``:
        skill of the equation on other pairs by years ahead, None where that was not tested.
        ``shares``: parts of the range in per cent; None where there are too few draws.
    """
    past = read_record(calibration) if (calibration / FILE).is_file() else None
    parts = range_shares(view)
    return {"record": None if past is None else _record(past, view.count),
            "others": _others(calibration),
            "shares": {name: 100 * parts[name] for name in (GROWTH, NEW, LEVERS, REST)}
            if parts else None}


def _record(past: pd.DataFrame, count: str) -> dict[str, Any]:
    record = track_record(past, count)
    shares = ("skill", "covered50", "covered90")
    rows = [{"ahead": ahead, **row, **{name: 100 * row[name] for name in shares},
             "rival": named(row["rival"].removesuffix(OPEN))}
            for ahead, row in record["horizons"].items()]
    return record | {name: 100 * record[name] for name in shares[1:]} | {
        "rows": rows, "first": rows[0], "last": rows[-1],
        **{name: skill_text(record[name]) for name in ("skill", "skill_all_years")}}


def _others(calibration: Path) -> list[dict[str, Any]] | None:
    """Skill of the shipped form against a random walk on other pairs, by years ahead."""
    table = read_skill(calibration)
    rows: list[dict[Any, Any]] = [] if table is None else table[
        (table["model"] == SHIPPED) & table["horizon"].isin(SHOWN)].to_dict("records")
    parts = ("skill", "low", "high", "chance_of_none")
    return [{**row, **{name: grouped(row[name])
                       for name in ("cases", "pairs")},
             "text": skill_text(SkillRange(*(row[name] for name in parts)))}
            for row in rows] or None


def range_shares(view: ResultsView) -> dict[str, float]:
    """Share of each part in the variance of log turnover, last year, headline count.

    Empty where there are too few draws or nothing varies. A share below zero says that a part
    narrows the range: it is high where the others are low.
    """
    if view.draw_count < LEAST:
        return {}
    before = np.log(view.last_turnover("reference"))
    after = np.log(view.last_turnover(view.policy)) if view.changes else before
    factors = view.dataset["factors"]
    return variance_shares(before, after, {
        name: factors.sel(factor=name).to_numpy().astype(float)
        for name in map(str, factors["factor"].to_numpy())
        if name in (SIZE, ELASTICITY) or name.startswith(NEW_GOODS)})


def variance_shares(before: Array, after: Array, factors: Mapping[str, Array]) -> dict[str, float]:
    r"""Shares of the variance of log turnover with the levers (`after`) by part.

    Log turnover is taken apart draw by draw,

    .. math:: \ln T = \ln T_0 + \ln(T / T_0), \qquad
        \ln T_0 = \bar m + g + n + e

    into the part :math:`g` that the size of both economies and its elasticity explain of log
    turnover without the levers (`before`; least squares on size, elasticity and their product),
    what nothing explains :math:`e`, and the levers. A part's share is its covariance with
    :math:`\ln T` over the variance of :math:`\ln T`, so that shares add up to one, without any
    order.
    """
    if np.ptp(after) == 0.0:
        return {}
    size, elasticity = (factors.get(name, np.zeros(len(before))) for name in (SIZE, ELASTICITY))
    explained = [size, elasticity, size * elasticity]
    arrived = [values for name, values in factors.items() if name.startswith(NEW_GOODS)]
    design = np.column_stack([part - part.mean() for part in (*explained, *arrived)])
    deviation = before - before.mean()
    fitted = design * np.linalg.lstsq(design, deviation, rcond=None)[0]
    growth, goods = (fitted[:, part].sum(axis=1) for part in
                     (slice(len(explained)), slice(len(explained), None)))
    parts = {GROWTH: growth, NEW: goods, LEVERS: after - before,
             REST: deviation - growth - goods}
    spread = after - after.mean()
    return {name: float(np.mean(part * spread) / np.mean(spread**2))
            for name, part in parts.items()}
