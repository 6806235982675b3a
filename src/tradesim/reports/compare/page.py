"""What `tradesim compare` writes: tables, a workbook, figures, a page, and terminal lines."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.inputs.pair import Pair
from tradesim.reports.compare.figures import figures
from tradesim.reports.compare.tables import (
    MONEY,
    RANGE,
    SHARE,
    TEXT,
    YEAR,
    Table,
    heading,
    heat,
    input_rows,
    outcomes,
    pages,
)
from tradesim.reports.export import excel
from tradesim.reports.html_page import AMOUNTS, PAGE, render, write_figures
from tradesim.reports.language import titled
from tradesim.reports.ranges import median_range
from tradesim.reports.terminal import columns
from tradesim.reports.wording import plain, plain_interval, probability, words
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.simulation.manifest import MANIFEST
from tradesim.studies.compare import (
    CRITERIA,
    Comparison,
    contained,
    members,
    moved_reference,
    ranked,
    regret,
)
from tradesim.studies.compare_runs import ComparedRuns
from tradesim.studies.compare_table import table

TABLE, PARQUET, WORKBOOK = "comparison.csv", "comparison.parquet", "comparison.xlsx"
HARDLY = 0.01
"""An effect below this share of the baseline hardly matters, whatever its sign."""


def write(runs: ComparedRuns, command: str, folder: Path, *, report: bool = True) -> None:
    """Write tables, workbook, figures and page into an existing folder.

    Parameters
    ----------
    runs
        From `compare_runs.compare_runs`.
    command
        The command that repeats it.
    folder
        Where to write.
    report
        Whether to draw figures and write the page.
    """
    runs = _in_language(runs)
    comparison = runs.comparison
    mark = words("compare")["identity"].format(identity=comparison.identity)
    tables = pages(comparison, runs.pair, runs.inputs)
    tidy = table(comparison)
    tidy.to_csv(folder / TABLE, index=False, float_format="%.6g", lineterminator="\n")
    if importlib.util.find_spec("pyarrow"):
        tidy.to_parquet(folder / PARQUET, index=False)
    if excel.available():
        excel.write(tables, folder / WORKBOOK, mark)
    if report:
        drawn = write_figures(figures(comparison, runs.pair, tables), folder, mark)
        (folder / PAGE).write_text(_page(runs, tables, drawn, command), encoding="utf-8")
    manifest = {"comparison": comparison.identity, "command": command,
                "baseline": comparison.baseline,
                "runs": {name: run.attrs["run_id"] for name, run in comparison.runs.items()},
                "seed": int(comparison.first.attrs["seed"]), "draws": comparison.draw_count,
                "hashes": json.loads(comparison.first.attrs["hashes"]),
                "created": datetime.now(UTC).isoformat(timespec="seconds")}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _in_language(runs: ComparedRuns) -> ComparedRuns:
    """Give a comparison with its titles in the language in use."""
    named = {name: run.assign_attrs(title=titled(str(run.attrs["title"])))
             for name, run in runs.comparison.runs.items()}
    return replace(runs, pair=titled(runs.pair),
                   comparison=replace(runs.comparison, runs=named))


def _page(runs: ComparedRuns, tables: Sequence[Table], drawn: dict[str, str],
          command: str) -> str:
    comparison = runs.comparison
    rows = input_rows(comparison, runs.inputs, by_origin=False)
    return render(
        "compare.html.j2", f"comparison {comparison.identity}", AMOUNTS,
        grades=words()["grades"], pair=runs.pair,
        words=words("compare"), f=facts(comparison, runs.pair), c=comparison, command=command,
        figures=list(drawn.items()),
        tables=[shown(one) for one in tables if one.name not in ("scenarios", "inputs")],
        scenarios=[{"name": name, "label": comparison.label(name), **comparison.scenario(name),
                    "run": comparison.runs[name].attrs["run_id"]} for name in comparison.names],
        given=[row for row in rows if row["difference"].given],
        defaults=[row for row in rows if not row["difference"].given])


def outcome(runs: ComparedRuns) -> str:
    """Short table for the terminal."""
    comparison, pair, phrases = runs.comparison, runs.pair, words("compare")["terminal"]
    rows = [list(phrases["head"])]
    for row in outcomes(comparison):
        rows.append([row["name"], _range(row["average"]), _range(row["implemented"]),
                     _per_cent(row["chance"]["scenario"]), _per_cent(row["best"])])
    title = phrases["title"].format(year=comparison.last, baseline=comparison.baseline,
                                    count=pair.name(comparison.count))
    note = phrases["note"].format(target=f"{comparison.target / MILLION:,.0f}",
                                  count=pair.name(comparison.target_count),
                                  draws=f"{comparison.draw_count:,}")
    return "\n".join([title, columns(rows), "", note])


def _range(three: Sequence[float]) -> str:
    places = 0 if max(map(abs, three)) >= 100 else 1
    return "{} ({} to {})".format(*(plain(value, places=places) for value in three))


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.005 else "under 1 %"


def facts(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    """Numbers and flags that the sentences of the report use; amounts in USD million."""
    rows = outcomes(comparison)
    where = {"count": comparison.count, "year": comparison.last}
    base = median_range(comparison.levels("turnover", comparison.baseline, SCENARIO, **where),
                        MILLION)
    regrets = {criterion: regret(comparison, criterion) for criterion in CRITERIA}
    chance = {name: float(share) for name, share in zip(
        regrets["turnover"].names, regrets["turnover"].chance, strict=True)}
    often = sorted(chance, key=lambda name: (-chance[name], name != rows[0]["name"]))
    target_base = comparison.levels("turnover", comparison.baseline, SCENARIO,
                                    count=comparison.target_count, year=comparison.last)
    under = float((target_base >= comparison.target).mean())
    largest = max(abs(row["implemented"][0]) for row in rows)
    return {
        "rows": rows, "first": rows[0], "last": comparison.last, "draws": comparison.draw_count,
        "baseline": comparison.label(comparison.baseline), "base": base,
        "count": pair.name(comparison.count), "target_count": pair.name(comparison.target_count),
        "target": [comparison.target / MILLION], "goal": pair.goal(comparison.target),
        "base_chance": under,
        "often": [{"label": comparison.label(name), "share": chance[name]}
                  for name in often[:2]],
        "tied": regrets["turnover"].tied,
        "events": [comparison.label(name) for name in ranked(comparison)
                   if name in comparison.events],
        "safest": {criterion: {
            "high": comparison.label(one.names[int(np.nanargmin(one.high))]),
            "worst": comparison.label(one.minimax)} for criterion, one in regrets.items()},
        "nothing": not any(any(row["average"] + row["implemented"]) for row in rows),
        "holds": {comparison.label(name): [comparison.label(other) for other in others]
                  for name, others in contained(comparison).items() if others},
        "better": [row for row in rows if _whole(row["chance"][SCENARIO]) != _whole(under)],
        "same": [row["title"] for row in rows
                 if _whole(row["chance"][SCENARIO]) == _whole(under)],
        "hardly": [row["title"] for row in rows if abs(row["implemented"][0]) < HARDLY * base[0]],
        "untouched": _untouched(comparison, pair),
        "moved": [comparison.label(name) for name in moved_reference(comparison)],
        "times": round((base[2] - base[1]) / largest) if largest else 0,
        "reported": _reported(comparison, pair),
    }


def _whole(share: float) -> int:
    return round(100 * share)


def _untouched(comparison: Comparison, pair: Pair) -> list[dict[str, Any]]:
    """Product groups that no scenario moves by a noticeable share, by direction."""
    groups = [pair.name(str(group)) for group in comparison.first["group"].to_numpy()]
    rows = []
    for importer in members(comparison):
        level = np.median(comparison.levels(
            "trade", comparison.baseline, IMPLEMENTED, count=comparison.count,
            year=comparison.last, importer=importer), axis=0) / MILLION
        largest = np.abs(heat(comparison, importer)).max(axis=0)
        still = [group for group, change, base in zip(groups, largest, level, strict=True)
                 if change < HARDLY * base or change == 0]
        rows.append({"importer": pair.name(importer), "groups": still,
                      "exporter": pair.name(pair.partner(importer)), "all": len(groups)})
    return rows


def _reported(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    by_year: dict[str, dict[str, float]] = json.loads(comparison.first.attrs["statistics"])
    latest = max(by_year)
    return {"year": latest, "values": [
        {"count": pair.name(name), "value": [value / MILLION]}
        for name, value in sorted(by_year[latest].items(),
                                  key=lambda item: item[0] != comparison.count)]}


def shown(table: Table) -> dict[str, Any]:
    """Give a table for the page: headings with units, cells rounded by the rules of the report."""
    return {"title": table.title, "name": table.name,
            "columns": [heading(column) for column in table.columns],
            "rows": [[cell(value, column.kind) for value, column in
                      zip(row, table.columns, strict=True)] for row in table.rows]}


CELLS: dict[str, Callable[[Any], str]] = {
    RANGE: plain_interval, MONEY: plain, TEXT: str,
    SHARE: lambda share: "0" if share == 0 else probability(share, "short").removesuffix(" %"),
    YEAR: "{:.0f}".format}


def cell(value: Any, kind: str) -> str:
    """Write one cell by the kind of its column; empty where there is no such number."""
    return "" if value is None else CELLS[kind](value)
