"""What `tradesim sweep` writes: figures and a page, and the terminal lines.

The page shows what was varied, what drives the answer, and how to read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tradesim.common.arrays import MILLION
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.html_page import PAGE, render, write_figures
from tradesim.reports.sweep.figures import figures, largest, name_of, title_of, unit_of
from tradesim.reports.terminal import columns
from tradesim.reports.wording import grouped, lower_first, money, plain, pretty, words
from tradesim.studies.sweep import MAIN_INDEX
from tradesim.studies.sweep.factors import POSTERIOR
from tradesim.studies.sweep.indices import FALSE
from tradesim.studies.sweep.results import (
    Output,
    Sweep,
    find_output,
    read_about,
    read_indices,
    read_sweep,
)

IN_UNITS = ("oat", "grid", "morris")
"""Methods whose indices are amounts in the unit of the output."""

SHOWN, VARIED, RANKED = 12, 20, 25
"""Rows on the terminal, of the table of factors and of the table of indices."""

TABLES = {"oat": {"at_low": "at its low end", "at_high": "at its high end", "swing": "swing"},
          "grid": {"range_of_means": "range of means"}, "lhs": {"prcc": "partial rank correlation"},
          "morris": {"mu_star": "μ*", "mu": "μ", "sigma": "σ"},
          "sobol": {"first": "first order", "total": "total"}}
"""Indices of each method in the table of the page, with their headings."""


def write(folder: Path) -> Path:
    """Write figures and the page of a sweep into its folder.

    Raises
    ------
    InputError
        When the folder holds no sweep.
    """
    sweep = read_sweep(folder)
    counts = count_titles(sweep)
    sections = []
    for number, output in enumerate(main_outputs(sweep), 1):
        drawn = write_figures({f"{name}-{number}": draw for name, draw in
                               figures(sweep, output, counts).items()}, folder, sweep.run_id)
        sections.append({"title": title_of(sweep, output, counts), "f": drivers(sweep, output),
                         "drawn": [(name.rpartition("-")[0], svg) for name, svg in drawn.items()],
                         "table": _table(sweep, output)})
    page = folder / PAGE
    page.write_text(render_sweep("sweep.html.j2", sweep, sections=sections, varied=_varied(sweep),
                                 more=_more(sweep), fitted=_fitted(sweep)), encoding="utf-8")
    return page


def outcome(folder: Path) -> str:
    """Short table for the terminal: the factors that move the main output most.

    It is read from the indices alone: the table of rows may be larger than the memory.
    """
    about = read_about(folder)
    method = about["method"]
    lines = [f"{about['rows']:,} evaluations of '{about['scenario']['title']}', method "
             f"{method}, run {about['run_id']}"]
    if lost := about["failed"]:
        lines.append(f"{len(lost)} failed and are listed in sweep.json; {about['blocks_left_out']} "
                     f"of {about['blocks']:,} blocks of rows were left out of the indices")
    units = {item["name"]: item["unit"] for item in about["outputs"]}
    wanted = [name for name in units if name.startswith("turnover|") and "|effect|" in name
              and f"|{about['target']['count']}|" in name] or list(units)
    output = wanted[-1]
    table = read_indices(folder)
    table = table[(table["output"] == output) & (table["index"] == MAIN_INDEX[method])]
    if not table["value"].abs().max() > 0.0:
        return "\n".join([*lines, "", f"Nothing that was varied moves {output}."])
    table = table.iloc[table["value"].abs().fillna(-1.0).argsort(kind="stable")[::-1]]
    sure = method in ("oat", "grid")
    scale = MILLION if units[output] == "USD" and method in IN_UNITS else 1.0
    rows = [["factor", MAIN_INDEX[method], "" if sure else "95 % interval", ""]]
    for row in table.head(SHOWN).itertuples():
        value, low, high = (f"{number / scale:.3g}" for number in (row.value, row.low, row.high))
        rows.append([str(row.factor), value, "" if sure else f"{low} to {high}",
                     "" if row.distinguishable == "yes" else words("sweep")["not_from_zero"]])
    lines += ["", output + (", USD million" if scale > 1 else ""), columns(rows)]
    if (more := int(table["more_runs_needed"].max())) > 0:
        lines.append(f"about {more:,} more evaluations for intervals of ±0.05")
    return "\n".join(lines)


def main_outputs(sweep: Sweep) -> list[Output]:
    """Give the outputs that the page shows: the change by the levers, and the level with them."""
    outputs: list[Output] = []
    variable = sweep.outputs[0].variable
    for case in ("effect", "scenario"):
        try:
            output = find_output(sweep, variable, case=case)
        except InputError:
            continue
        index = sweep.index(output, MAIN_INDEX.get(sweep.method, ""))["value"]
        if np.isfinite(index).any() and (index != 0).any() and output not in outputs:
            outputs.append(output)
    return outputs or [find_output(sweep, variable)]


def drivers(sweep: Sweep, output: Output) -> dict[str, Any]:
    """Give what the sentences on an output need: the leading factors and their indices."""
    index = MAIN_INDEX.get(sweep.method, "")
    rows = largest(sweep.index(output, index), len(sweep.index(output, index)))
    scale, unit = unit_of(output)
    clear = rows[rows["distinguishable"] == "yes"]
    first = sweep.index(output, "first")["value"].clip(lower=0).sum()
    leaders = []
    for row in clear.head(3).itertuples():
        value = float(str(row.value))
        size = pretty(abs(value) / scale) if sweep.method in IN_UNITS else plain(abs(value), 2)
        leaders.append({"name": lower_first(name_of(sweep, str(row.factor))), "up": value > 0,
                        "size": size,
                        "amount": money([abs(value) / MILLION]) if output.unit == "USD"
                        else f"{size} {unit}",
                        "percent": f"{min(100.0, 100 * abs(value)):.0f}",
                        "range": " to ".join(f"{min(100.0, max(0.0, 100 * end)):.0f}" for end in
                                             (float(str(row.low)), float(str(row.high))))})
    return {"by_chance": _count(FALSE * len(rows)), "false": _count(FALSE * len(clear)),
            "method": sweep.method, "unit": unit, "leaders": leaders, "sure": len(clear),
            "factors": len(sweep.index(output, index)), "moved": len(rows) > 0,
            "first": f"{100 * min(first, 1.0):.0f}",
            "interaction": f"{100 * max(0.0, 1.0 - first):.0f}"}


def _count(expected: float) -> str:
    """Write a number that is expected, not counted."""
    return "fewer than one" if expected < 0.75 else str(max(1, round(expected)))


def _fitted(sweep: Sweep) -> str:
    """Title of the factor that moves all fitted numbers together, where it was varied."""
    return next((one.title for one in sweep.factors if one.name == POSTERIOR), "")


def count_titles(sweep: Sweep) -> dict[str, str]:
    """Names of counts for people: those of the sweep, or of the calibration that is installed."""
    given = sweep.about.get("counts")
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    pair = read_pair(calibration_folder())
    return {name: count.title for name, count in pair.counts.items()}


def render_sweep(template: str, sweep: Sweep, **given: Any) -> str:
    """Fill a template with what a sweep is and with more."""
    about = sweep.about
    return render(template, f"run {sweep.run_id}", run_id=sweep.run_id, method=sweep.method,
                  scenario=about["scenario"], about=about, command=about.get("command", ""),
                  rows=len(sweep.table), failed=_failed(about.get("failed") or []), **given)


def _failed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    shown = [{"row": one.get("row"), "reason": one.get("reason", ""), "inputs": ", ".join(
        f"{key} = {value:.4g}" if isinstance(value, float) else f"{key} = {value}"
        for key, value in list(dict(one.get("inputs") or {}).items())[:12])} for one in rows[:20]]
    return {"count": len(rows), "rows": shown}


def _varied(sweep: Sweep) -> dict[str, Any]:
    """Table of the factors that matter most, with range, source and grade; the rest is counted."""
    def shown(low: float, high: float) -> str:
        return f"{pretty(low)} to {pretty(high)}" if np.isfinite([low, high]).all() else ""

    index = MAIN_INDEX.get(sweep.method, "")
    ranked = largest(sweep.index(main_outputs(sweep)[0], index), len(sweep.factors))
    rank = {str(name): index for index, name in enumerate(ranked["factor"])}
    rows = [{"name": one.name, "title": one.title, "unit": one.unit, "grade": one.grade,
             "range": shown(one.low, one.high), "source": one.source,
             "group": words("sweep")["groups"].get(one.group, one.group)}
            for one in sorted(sweep.factors, key=lambda one: rank.get(one.name, len(rank)))]
    return {"rows": rows[:VARIED], "more": max(0, len(rows) - VARIED), "all": len(rows)}


def _table(sweep: Sweep, output: Output) -> dict[str, Any]:
    """Give indices of the leading factors with intervals, in words where they are noise."""
    main = MAIN_INDEX.get(sweep.method, "")
    rows = largest(sweep.index(output, main), RANKED)
    scale, unit = unit_of(output) if sweep.method in IN_UNITS else (1.0, "")
    heads = TABLES.get(sweep.method, {main: ""})
    parts = {kind: sweep.index(output, kind).set_index("factor") for kind in heads}
    lines = []
    for name in rows["factor"]:
        cells = [_cell(part.loc[name], scale, sweep.method) for part in parts.values()]
        lines.append([name_of(sweep, str(name)), *cells])
    suffix = f", {unit}" if scale != 1.0 else ""
    pairs = sweep.index(output, "second")
    asked = len(pairs)
    pairs = largest(pairs[pairs["distinguishable"] == "yes"], 8)
    return {"columns": ["factor", *(head + suffix for head in heads.values())], "rows": lines,
            "asked": asked, "pairs": [[name_of(sweep, str(row["factor"])), _cell(row, 1.0, "sobol")]
                      for _, row in pairs.iterrows()]}


def _cell(row: pd.Series, scale: float, method: str) -> str:
    value, low, high = (float(row[key]) / scale for key in ("value", "low", "high"))
    if not np.isfinite(value):
        return str(words("sweep")["still"])
    if method in ("oat", "grid"):
        return pretty(value)
    text = f"{pretty(value)} ({pretty(low)} to {pretty(high)})"
    return text if row["distinguishable"] == "yes" else (
        f"{text}, {words('sweep')['not_from_zero']}")


def _more(sweep: Sweep) -> str:
    """Count evaluations still needed for sharp indices of the outputs shown, or an empty text."""
    if "more_runs_needed" not in sweep.indices:
        return ""
    names = [one.name for one in main_outputs(sweep)]
    rows = sweep.indices[sweep.indices["output"].isin(names)]["more_runs_needed"]
    most = int(rows.max()) if len(rows) else 0
    return grouped(most) if most else ""
