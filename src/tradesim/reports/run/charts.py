"""Numbers of the charts that office programs draw themselves, so that they can be edited there."""

from __future__ import annotations

from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import QUIET
from tradesim.reports.run.growth import growth_facts
from tradesim.reports.run.picture import market, winner_rows
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import words

INK, PALE, GOAL = "#1a1a1a", "#9a9a9a", "#8a6a00"


def charts(view: ResultsView) -> dict[str, Any]:
    """Give the chart of turnover by year, and one of bars: who gains, or turnover by growth.

    Returns
    -------
    dict
        ``lines``: ``years``, ``axis``, ``caption`` and ``lines`` with ``name``, ``values``
        (USD million, None where there is none) and look; ``bars``: ``rows`` of name and value,
        ``axis``, ``caption`` and two ``colours``. Both have a ``title``.
    """
    return {"lines": _turnover(view), "bars": _winners(view) if view.changes else _growth(view)}


def _turnover(view: ResultsView) -> dict[str, Any]:
    phrases, past = words("slides"), view.history.years
    years = sorted({*past, *view.years})
    reported = dict(zip(past, view.reported(view.count).sum(axis=1), strict=True))

    def line(name: str, values: dict[int, float], colour: str, **look: Any) -> dict[str, Any]:
        known = [values.get(year, np.nan) for year in years]
        return {"name": name, "colour": colour, "values": [
            None if np.isnan(value) else round(float(value), 1) for value in known], **look}

    def ahead(case: str, level: float) -> dict[int, float]:
        values = np.quantile(view.draws("turnover", case, count=view.count), level, axis=0)
        return {past[-1]: reported[past[-1]], **dict(zip(view.years, values, strict=True))}

    lines = [line(phrases["reported"], reported, INK, dots=True),
             line(phrases["without"], ahead("reference", 0.5), REFERENCE)]
    if not view.point:
        lines += [line(phrases[name], ahead("reference", level), PALE, dashed=True, width=1.25)
                  for name, level in (("low", 0.1), ("high", 0.9))]
    if view.changes:
        lines.append(line(phrases["with"], ahead(view.policy, 0.5), SCENARIO))
    lines.append(line(phrases["target"], dict.fromkeys(years, view.target), GOAL, dashed=True,
                      width=1.25))
    title = words()["figures"]["fan"]["title" if view.changes else "title_reference"]
    return {"title": title.format(last=view.last), "years": years, "lines": lines,
            "axis": words()["value_axis"].format(count=view.pair.name(view.count)),
            "caption": phrases["point" if view.point else "medians" if view.changes
                               else "dollars"]}


def _winners(view: ResultsView) -> dict[str, Any]:
    title, rows, _ = winner_rows(view)
    found = [[label, round(float(view.values(cell).mean()) / MILLION, 2)] for label, cell in rows]
    return {"title": title, "rows": found, "axis": words()["change_axis"],
            "colours": [SCENARIO, IMPLEMENTED], "caption": words("slides")["average"].format(
                case=words("pictures")["cases"][view.nature], market=view.pair.name(market(view)))}


def _growth(view: ResultsView) -> dict[str, Any]:
    phrases, paths = words()["brief"]["growth"], growth_facts(view)["paths"]
    count = view.pair.name(view.pair.target_count)
    return {"title": phrases["title"].format(year=view.last, count=count),
            "rows": [[path["title"], round(path["value"][0], 1)] for path in paths.values()],
            "axis": words()["value_axis"].format(count=count),
            "colours": [QUIET, QUIET], "caption": ""}
