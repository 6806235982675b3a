"""The page of a sweep: what was varied, what drives the answer, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.figure_style import save
from tradesim.reports.run.page import environment, inline
from tradesim.reports.sweep_figures import figures, largest, name_of, phrases, title_of, unit_of
from tradesim.reports.wording import plain, pretty, words
from tradesim.studies.sweep import MAIN_INDEX
from tradesim.studies.sweep.results import Output, Sweep, find_output, read_sweep

PAGE = "report.html"
VARIED, RANKED = 20, 25
"""Rows of the table of factors and of the table of indices."""


def sweep_report(folder: Path) -> Path:
    """Write figures and `report.html` of a sweep into its folder.

    Parameters
    ----------
    folder
        What ``tradesim sweep`` left.

    Returns
    -------
    pathlib.Path
        The page.

    Raises
    ------
    InputError
        When the folder holds no sweep.
    """
    sweep = read_sweep(folder)
    counts = count_titles(sweep)
    pictures = folder / "figures"
    pictures.mkdir(exist_ok=True)
    sections = []
    for place, output in enumerate(main_outputs(sweep)):
        drawn = [(name, inline(save(figure, f"{name}-{place + 1}", pictures)))
                 for name, figure in figures(sweep, output, counts)]
        sections.append({"title": title_of(output, counts), "drawn": drawn,
                         "f": drivers(sweep, output), "table": _table(sweep, output)})
    page = folder / PAGE
    page.write_text(render("sweep.html.j2", sweep, sections=sections, varied=_varied(sweep),
                           more=_more(sweep)), encoding="utf-8")
    return page


def main_outputs(sweep: Sweep) -> list[Output]:
    """Give the outputs that the page shows: the change by the levers, and the level with them."""
    found: list[Output] = []
    variable = sweep.outputs[0].variable
    for case in ("effect", "scenario"):
        try:
            output = find_output(sweep, variable, case=case)
        except InputError:
            continue
        index = sweep.index(output, MAIN_INDEX.get(sweep.method, ""))["value"]
        if np.isfinite(index).any() and (index != 0).any() and output not in found:
            found.append(output)
    return found or [find_output(sweep, variable)]


def drivers(sweep: Sweep, output: Output) -> dict[str, Any]:
    """Give what the sentences on an output need: the leading factors and their indices."""
    index = MAIN_INDEX.get(sweep.method, "")
    rows = largest(sweep.index(output, index), len(sweep.index(output, index)))
    scale, unit = unit_of(output)
    scaled = sweep.method in ("oat", "grid", "morris")
    clear = rows[rows["distinguishable"] == "yes"]
    first = sweep.index(output, "first")["value"].clip(lower=0).sum()
    leaders = []
    for row in clear.head(3).itertuples():
        value = float(str(row.value))
        leaders.append({"name": _lower(name_of(sweep, str(row.factor))), "up": value > 0,
                        "size": pretty(abs(value) / scale) if scaled else plain(abs(value), 2),
                        "percent": f"{min(100.0, 100 * abs(value)):.0f}",
                        "range": " to ".join(f"{min(100.0, max(0.0, 100 * end)):.0f}" for end in
                                             (float(str(row.low)), float(str(row.high))))})
    return {"method": sweep.method, "unit": unit, "leaders": leaders, "sure": len(clear),
            "factors": len(sweep.index(output, index)), "first": f"{100 * min(first, 1.0):.0f}",
            "interaction": f"{100 * max(0.0, 1.0 - first):.0f}"}


def count_titles(sweep: Sweep) -> dict[str, str]:
    """Names of counts for people: those of the sweep, or of the calibration that is installed."""
    given = sweep.about.get("counts")
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    pair = read_pair(calibration_folder())
    return {name: count.title for name, count in pair.counts.items()}


def render(template: str, sweep: Sweep, **given: Any) -> str:
    """Fill a template with what a sweep is and with more."""
    about = sweep.about
    text = environment().get_template(template).render(
        language=words()["language"], run_id=sweep.run_id, method=sweep.method,
        scenario=about["scenario"], about=about, command=about.get("command", ""),
        rows=len(sweep.table), failed=_failed(about.get("failed") or []), **given)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def _failed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown = [{"row": one.get("row"), "reason": one.get("reason", ""), "inputs": ", ".join(
        f"{key} = {value:.4g}" if isinstance(value, float) else f"{key} = {value}"
        for key, value in list(dict(one.get("inputs") or {}).items())[:12])} for one in rows[:20]]
    return {"count": len(rows), "rows": shown}


def _lower(title: str) -> str:
    """Begin a title with a small letter, unless it is a name or an abbreviation."""
    plain_word = title[1:2].islower() and not title.split(" ")[0].endswith("'s")
    return title[:1].lower() + title[1:] if plain_word else title


def _varied(sweep: Sweep) -> dict[str, Any]:
    """Table of the factors that matter most, with range, source and grade; the rest is counted."""
    def shown(low: float, high: float) -> str:
        return f"{pretty(low)} to {pretty(high)}" if np.isfinite([low, high]).all() else ""

    index = MAIN_INDEX.get(sweep.method, "")
    ranked = largest(sweep.index(main_outputs(sweep)[0], index), len(sweep.factors))
    rank = {str(name): place for place, name in enumerate(ranked["factor"])}
    rows = [{"name": one.name, "title": one.title, "unit": one.unit, "grade": one.grade,
             "range": shown(one.low, one.high), "source": one.source,
             "group": phrases()["groups"].get(one.group, one.group)}
            for one in sorted(sweep.factors, key=lambda one: rank.get(one.name, len(rank)))]
    return {"rows": rows[:VARIED], "more": max(0, len(rows) - VARIED), "all": len(rows)}


def _table(sweep: Sweep, output: Output) -> dict[str, Any]:
    """Give indices of the leading factors with intervals, in words where they are noise."""
    main = MAIN_INDEX.get(sweep.method, "")
    rows = largest(sweep.index(output, main), RANKED)
    scale, unit = unit_of(output)
    heads = {"oat": ["at its low end", "at its high end", "swing"], "grid": ["range of means"],
             "lhs": ["partial rank correlation"], "morris": ["μ*", "μ", "σ"],
             "sobol": ["first order", "total"]}.get(sweep.method, [])
    kinds = {"oat": ["at_low", "at_high", "swing"], "morris": ["mu_star", "mu", "sigma"],
             "sobol": ["first", "total"]}.get(sweep.method, [main])
    scale = scale if sweep.method in ("oat", "grid", "morris") else 1.0
    parts = {kind: sweep.index(output, kind).set_index("factor") for kind in kinds}
    lines = []
    for name in rows["factor"]:
        cells = [_cell(parts[kind].loc[name], scale, sweep.method) for kind in kinds]
        lines.append([name_of(sweep, str(name)), *cells])
    suffix = f", {unit}" if scale != 1.0 else ""
    pairs = sweep.index(output, "second")
    asked = len(pairs)
    pairs = largest(pairs[pairs["distinguishable"] == "yes"], 8)
    return {"columns": ["factor", *(head + suffix for head in heads)], "rows": lines,
            "asked": asked, "pairs": [[name_of(sweep, str(row["factor"])), _cell(row, 1.0, "sobol")]
                      for _, row in pairs.iterrows()]}


def _cell(row: pd.Series, scale: float, method: str) -> str:
    value, low, high = (float(row[key]) / scale for key in ("value", "low", "high"))
    if not np.isfinite(value):
        return str(phrases()["still"])
    if method in ("oat", "grid"):
        return pretty(value)
    text = f"{pretty(value)} ({pretty(low)} to {pretty(high)})"
    unclear = low <= 0 <= high
    return f"{text}, {phrases()['not_from_zero']}" if unclear else text


def _more(sweep: Sweep) -> str:
    """Count evaluations still needed for sharp indices of the outputs shown, or an empty text."""
    if "more_runs_needed" not in sweep.indices:
        return ""
    names = [one.name for one in main_outputs(sweep)]
    rows = sweep.indices[sweep.indices["output"].isin(names)]["more_runs_needed"]
    most = int(rows.max()) if len(rows) else 0
    return f"{most:,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if most else ""

