"""What `tradesim compare` writes: tables, a workbook, figures, a page, and terminal lines."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from textwrap import shorten
from typing import Any

from tradesim import __version__
from tradesim.common.arrays import MILLION
from tradesim.common.text import no_formulas
from tradesim.reports.compare.facts import facts, outcomes, shocks
from tradesim.reports.compare.kept_figures import Draws, drawn_or_kept, key_of
from tradesim.reports.compare.tables import (
    MONEY,
    RANGE,
    SHARE,
    TEXT,
    YEAR,
    Table,
    heading,
    input_rows,
    pages,
)
from tradesim.reports.export import excel
from tradesim.reports.html_page import AMOUNTS, PAGE, RANGES, colophon, render
from tradesim.reports.language import ENGLISH, code, speak, titled
from tradesim.reports.ranges import Change
from tradesim.reports.terminal import columns
from tradesim.reports.wording import pretty, probability, together, words
from tradesim.simulation.manifest import MANIFEST
from tradesim.studies.comparable import among
from tradesim.studies.compare_runs import ComparedRuns
from tradesim.studies.compare_table import table

TABLE, PARQUET, WORKBOOK = "comparison.csv", "comparison.parquet", "comparison.xlsx"


def write(runs: ComparedRuns, command: str, folder: Path, *, report: bool = True,
          shown: Sequence[str] = (), earlier: Path | None = None) -> None:
    """Write tables, workbook, figures and page into an existing folder.

    Workbook and figures are in the language in use; the page, whose sentences have not been
    translated yet, and the table for other programs are English.

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
    shown
        Scenarios to draw year by year; by default the six policies that differ most.
    earlier
        Folder of an earlier comparison, whose figures are taken where they are the same.
    """
    comparison, created = runs.comparison, datetime.now(UTC).isoformat(timespec="seconds")
    spoken, paths = _in_language(runs), among(shown, comparison.packages)
    mark = words("compare")["identity"].format(identity=comparison.identity)
    tables = pages(spoken.comparison, spoken.pair, spoken.inputs)
    numbers = table(comparison)
    no_formulas(numbers).to_csv(folder / TABLE, index=False, float_format="%.6g",
                                lineterminator="\n")
    if importlib.util.find_spec("pyarrow"):
        numbers.to_parquet(folder / PARQUET, index=False)
    if excel.available():
        excel.write(tables, folder / WORKBOOK, mark)
    made = {}
    if report:
        def figures() -> Draws:
            from tradesim.reports.compare import figures

            return figures.figures(spoken.comparison, spoken.pair, tables, paths)

        key = key_of(mark, code(), paths, tables, spoken.pair.model_dump_json())
        drawn, made["figures"] = drawn_or_kept(figures, key, folder, mark, earlier)
        note = "" if code() == ENGLISH else words("compare")["untranslated"]
        with speak(ENGLISH):
            page = _page(runs, pages(comparison, runs.pair, runs.inputs), drawn, command, created,
                         note)
        (folder / PAGE).write_text(page, encoding="utf-8")
    manifest = {"comparison": comparison.identity, "command": command,
                "baseline": comparison.baseline,
                "runs": {name: run.attrs["run_id"] for name, run in comparison.runs.items()},
                "seed": int(comparison.first.attrs["seed"]), "draws": comparison.draw_count,
                "hashes": json.loads(comparison.first.attrs["hashes"]),
                "created": created, **made}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _in_language(runs: ComparedRuns) -> ComparedRuns:
    """Give a comparison with its titles in the language in use."""
    named = {name: run.assign_attrs(
        title=titled(str(run.attrs["title"])),
        scenario=json.dumps(titled(json.loads(run.attrs["scenario"]))))
        for name, run in runs.comparison.runs.items()}
    return replace(runs, pair=titled(runs.pair), inputs=titled(dict(runs.inputs)),
                   comparison=replace(runs.comparison, runs=named))


def _page(runs: ComparedRuns, tables: Sequence[Table], drawn: dict[str, str],
          command: str, created: str, note: str) -> str:
    comparison, said = runs.comparison, facts(runs.comparison, runs.pair)
    rows = input_rows(comparison, runs.inputs, by_origin=False)
    return render(
        "compare.html.j2", f"comparison {comparison.identity}", (*AMOUNTS, *RANGES),
        {"ends": ends, "share": CELLS[SHARE]},
        grades=words()["grades"], pair=runs.pair, note=note,
        words=words("compare"), f=said, c=comparison, command=command,
        figures=drawn, made=colophon(created, __version__, shorten(command, 80, placeholder=" …"),
                                     int(said["reported"]["year"])),
        tables=[shown_table(one) for one in tables if one.name not in ("scenarios", "inputs")],
        scenarios=[{"name": name, "label": comparison.label(name), **comparison.scenario(name),
                    "run": comparison.runs[name].attrs["run_id"]} for name in comparison.names],
        given=[row for row in rows if row["difference"].given],
        defaults=[row for row in rows if not row["difference"].given])


def outcome(runs: ComparedRuns) -> str:
    """Short tables for the terminal: policies ranked, then shocks."""
    comparison, pair, phrases = runs.comparison, runs.pair, words("compare")["terminal"]
    lines = [phrases["title"].format(year=comparison.last, baseline=comparison.baseline,
                                     count=pair.name(comparison.count))]
    if policies := outcomes(comparison):
        lines += [columns([list(phrases["head"]), *(
            [row["name"], pretty(row["average"].mean), pretty(row["implemented"].mean),
             ends(row["implemented"]), _per_cent(row["chance"]["scenario"]),
             _per_cent(row["best"])] for row in policies)]), ""]
    if events := shocks(comparison):
        head = [text.format(last=comparison.last) for text in phrases["shocks"]]
        lines += [columns([head, *(
            [row["name"], str(row["worst"]), pretty(row["then"].mean), ends(row["then"]),
             pretty(row["average"].mean), _per_cent(row["chance"]["scenario"])]
            for row in events)]), ""]
    return "\n".join([*lines, phrases["note"].format(
        target=f"{comparison.target / MILLION:,.0f}", count=pair.name(comparison.target_count),
        draws=f"{comparison.draw_count:,}")])


def ends(change: Change) -> str:
    """Write the ends of an 80 % range, or the one value that most draws have."""
    low, high = (text if value else "0" for text, value in zip(
        together([change.low, change.high]), (change.low, change.high), strict=True))
    if low != high:
        return str(words()["ends"]["none"].format(low=low, high=high))
    return low if low == pretty(change.mean) else str(
        words("compare")["mostly"].format(value=low))


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.005 else "under 1 %"


def shown_table(table: Table) -> dict[str, Any]:
    """Give a table for the page: headings with units, cells rounded by the rules of the report."""
    return {"title": table.title, "name": table.name,
            "columns": [heading(column) for column in table.columns],
            "rows": [[cell(value, column.kind) for value, column in
                      zip(row, table.columns, strict=True)] for row in table.rows]}


def _around(values: Sequence[float]) -> str:
    """Write an average with its range, or with the one value that most draws have."""
    middle, low, high = together(values)
    if low == high == middle:
        return middle
    span = (words("compare")["mostly"].format(value=low) if low == high
            else words()["ends"]["none"].format(low=low, high=high))
    return f"{middle} ({span})"


CELLS: dict[str, Callable[[Any], str]] = {
    RANGE: _around, MONEY: pretty, TEXT: str,
    SHARE: lambda share: "0" if share == 0 else probability(share, "short").removesuffix(" %"),
    YEAR: "{:.0f}".format}


def cell(value: Any, kind: str) -> str:
    """Write one cell by the kind of its column; empty where there is no such number."""
    return "" if value is None else CELLS[kind](value)
