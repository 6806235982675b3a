"""What `tradesim discover` leaves: terminal lines, a table, figures and a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tradesim.reports.discover_figures import figures
from tradesim.reports.discover_wording import (
    asked,
    condition,
    conditions,
    limits,
    percent,
    phrases,
    sentence,
)
from tradesim.reports.figure_style import save
from tradesim.reports.run.page import inline
from tradesim.reports.sweep import count_titles, render
from tradesim.reports.sweep_figures import unit_of
from tradesim.reports.wording import pretty
from tradesim.studies.discover.discover import CERTAIN, Discovery, Found, Region

TABLE, PAGE = "discover.csv", "report.html"


def question_of(found: Discovery) -> tuple[str, str]:
    """Say in words what counts as a hit, in full and in short."""
    target = found.sweep.about.get("target", {}).get("value")
    return asked(found.question, target, count_titles(found.sweep))


def tidy(found: Discovery) -> pd.DataFrame:
    """One row for every limit of every box and leaf.

    Returns
    -------
    pandas.DataFrame
        ``method``, ``box``, ``factor``, ``title``, ``unit``, ``low``, ``high`` (empty where
        there is no limit), ``chance`` and ``reproduced`` of the limit, and of the whole box
        ``rows``, ``hits``, ``density``, ``coverage``, ``support``, ``elsewhere``, ``mean``,
        ``mean_elsewhere``, ``box_chance``, ``fresh_density``.
    """
    regions: list[tuple[str, int, Region, Found | None]] = [
        ("prim", place + 1, one.region, one) for place, one in enumerate(found.boxes)]
    regions += [("tree", place + 1, one, None) for place, one in enumerate(found.leaves)]
    rows = []
    for method, place, region, box in regions:
        for k in region.box.restricted:
            factor = found.data.factors[k]
            rows.append({
                "method": method, "box": place, "factor": factor.name, "title": factor.title,
                "unit": factor.unit, "low": region.box.low[k], "high": region.box.high[k],
                "chance": box.factor_chance[k] if box else np.nan,
                "reproduced": box.reproduced[k] if box else np.nan, "rows": region.rows,
                "hits": region.hits, "density": region.density, "coverage": region.coverage,
                "support": region.support, "elsewhere": region.elsewhere, "mean": region.mean,
                "mean_elsewhere": region.mean_elsewhere,
                "box_chance": box.chance if box else np.nan,
                "fresh_density": box.fresh if box else np.nan})
    return pd.DataFrame(rows).replace([np.inf, -np.inf], np.nan)


def outcome(found: Discovery) -> str:
    """Give a few lines for the terminal."""
    data, (full, what) = found.data, question_of(found)
    lines = [f"{full}: {percent(data.y.mean())} % of {len(data.y):,} cases"]
    if data.dropped:
        lines.append(f"{data.dropped} rows failed and are left out")
    for place, one in enumerate(found.boxes):
        region = one.region
        lines += ["", sentence(found, region, what, place > 0),
                  f"  holds {percent(region.coverage)} % of all such cases in "
                  f"{percent(region.support)} % of the cases; {_chance(one.chance)}; in rows not "
                  f"searched {percent(one.fresh)} %"]
        lines += [f"  {condition(data, region.box, k)}: {_chance(one.factor_chance[k])}, found "
                  f"again in {percent(one.reproduced[k])} % of resamples"
                  for k in region.box.restricted]
    if found.curve and not found.boxes:
        lines += ["", phrases()["never"]]
    if found.leaves:
        lines += ["", f"Shallow tree (right in {percent(found.skill)} % of rows not seen, where "
                  "chance is 50 %):"]
        lines += [f"  {percent(one.density):>3} % of {one.rows:,}: {conditions(data, one.box)}"
                  for one in found.leaves]
    return "\n".join(lines)


def write(found: Discovery, folder: Path, command: str) -> None:
    """Write table, figures and page into an existing folder.

    Parameters
    ----------
    found
        From `discover.discover`.
    folder
        Where to; it appears whole with `folders.whole`.
    command
        The command that repeats this.
    """
    tidy(found).to_csv(folder / TABLE, index=False, float_format="%.6g", lineterminator="\n")
    pictures = folder / "figures"
    pictures.mkdir(exist_ok=True)
    drawn = [(name, inline(save(figure, name, pictures))) for name, figure in figures(found)]
    (folder / PAGE).write_text(render(
        "discover.html.j2", found.sweep, drawn=drawn, asked=question_of(found)[0],
        base=percent(found.data.y.mean()), cases=len(found.data.y), dropped=found.data.dropped,
        factors=len(found.data.factors), again=command, skill=percent(found.skill),
        boxes=[_box(found, place, one) for place, one in enumerate(found.boxes)],
        searched=bool(found.curve), never=phrases()["never"],
        leaves=[[conditions(found.data, one.box), percent(one.density), str(one.rows),
                 percent(one.coverage)] for one in found.leaves]), encoding="utf-8")


def _box(found: Discovery, place: int, one: Found) -> dict[str, Any]:
    region, data = one.region, found.data
    scale, unit = unit_of(found.question.output)
    rows = []
    for k in region.box.restricted:
        factor = data.factors[k]
        rows.append([condition(data, region.box, k),
                     limits(factor, region.box.low[k], region.box.high[k]),
                     f"{pretty(float(data.x[:, k].min()))} to {pretty(float(data.x[:, k].max()))}",
                     _chance(one.factor_chance[k]), f"{percent(one.reproduced[k])} %"])
    return {"sentence": sentence(found, region, question_of(found)[1], place > 0), "rows": rows,
            "density": percent(region.density), "coverage": percent(region.coverage),
            "support": percent(region.support), "count": region.rows, "hits": region.hits,
            "fresh": percent(one.fresh), "chance": _chance(one.chance),
            "sure": max(one.chance, *one.factor_chance.values()) <= CERTAIN,
            "mean": f"{pretty(region.mean / scale)} {unit}",
            "rest": f"{pretty(region.mean_elsewhere / scale)} {unit}"}


def _chance(probability: float) -> str:
    """Say in words how likely chance would do as well."""
    if probability <= CERTAIN:
        return f"not chance (p = {pretty(probability, 2)})"
    return f"may be chance (p = {pretty(probability, 2)})"
