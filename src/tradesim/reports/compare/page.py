"""The report of a comparison: figures, tables and one HTML page that needs no network."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.inputs.pair import Pair
from tradesim.inputs.scenario_text import Difference
from tradesim.reports.compare.figures import figures
from tradesim.reports.compare.tables import (
    MONEY,
    RANGE,
    SHARE,
    TEXT,
    YEAR,
    Table,
    heat,
    input_rows,
    middle,
    outcomes,
    pages,
    phrases,
)
from tradesim.reports.figure_style import save
from tradesim.reports.run.page import FIGURES, REPORT, environment, inline
from tradesim.reports.wording import decimals, plain, probability, words
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.studies.compare import Comparison, contained, members, moved_reference
from tradesim.studies.regret import CRITERIA, regret

# An effect below this share of the baseline hardly matters, whatever its sign.
HARDLY = 0.01


def report(comparison: Comparison, pair: Pair, inputs: Mapping[str, Sequence[Difference]],
           command: str, folder: Path) -> Path:
    """Write figures and `report.html` of a comparison into an existing folder.

    Parameters
    ----------
    comparison
        Runs side by side.
    pair
        Names of countries, groups and counts, and the target.
    inputs
        By scenario, what it changes in the inputs.
    command
        The command that repeats the comparison.
    folder
        Where to write.

    Returns
    -------
    pathlib.Path
        The report.
    """
    tables = pages(comparison, pair, inputs)
    pictures = folder / FIGURES
    pictures.mkdir(exist_ok=True)
    drawn = [(name, inline(save(figure, name, pictures)))
             for name, figure in figures(comparison, pair, tables)]
    rows = input_rows(comparison, inputs, by_origin=False)
    text = comparison_environment().get_template("compare.html.j2").render(
        language=words()["language"], grades=words()["grades"], pair=pair, words=phrases(),
        f=facts(comparison, pair), c=comparison, command=command, figures=drawn,
        tables=[shown(table) for table in tables if table.name not in ("scenarios", "inputs")],
        scenarios=[{"name": name, "label": comparison.label(name), **comparison.scenario(name),
                    "run": comparison.runs[name].attrs["run_id"]} for name in comparison.names],
        given=[row for row in rows if row["difference"].given],
        defaults=[row for row in rows if not row["difference"].given])
    text = re.sub(r"(\d) %", "\\1\N{NO-BREAK SPACE}%", text)
    text = re.sub(r"\bUSD (?=\S)", "USD\N{NO-BREAK SPACE}", text)
    page = folder / REPORT
    page.write_text("\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n",
                    encoding="utf-8")
    return page


def comparison_environment() -> jinja2.Environment:
    """Give the report's templates, with the filters that a comparison needs besides."""
    made = environment()
    made.filters.update(brackets=lambda three: cell(three, RANGE),
                        lower_first=lambda text: text[:1].lower() + text[1:])
    return made


def facts(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    """Numbers and flags that the sentences of the report use; amounts in USD million."""
    rows = outcomes(comparison)
    where = {"count": comparison.count, "year": comparison.last}
    base = middle(comparison.levels("turnover", comparison.baseline, SCENARIO, **where))
    found = {criterion: regret(comparison, criterion) for criterion in CRITERIA}
    chance = {name: float(share) for name, share in zip(
        found["turnover"].names, found["turnover"].chance, strict=True)}
    often = sorted(chance, key=lambda name: (-chance[name], name != rows[0]["name"]))
    target_base = comparison.levels("turnover", comparison.baseline, SCENARIO,
                                    count=comparison.target_count, year=comparison.last)
    under = float((target_base >= comparison.target).mean())
    largest = max(abs(row["implemented"][0]) for row in rows)
    return {
        "rows": rows, "first": rows[0], "last": comparison.last, "draws": comparison.draw_count,
        "baseline": comparison.label(comparison.baseline), "base": base,
        "count": pair.name(comparison.count), "target_count": pair.name(comparison.target_count),
        "target": [comparison.target / MILLION],
        "base_chance": under,
        "often": [{"label": comparison.label(name), "share": chance[name]}
                  for name in often[:2]],
        "tied": found["turnover"].tied,
        "safest": {criterion: {
            "high": comparison.label(one.names[int(one.high.argmin())]),
            "worst": comparison.label(one.minimax)} for criterion, one in found.items()},
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
    found = []
    for importer in members(comparison):
        level = np.median(comparison.levels(
            "trade", comparison.baseline, IMPLEMENTED, count=comparison.count,
            year=comparison.last, importer=importer), axis=0) / MILLION
        largest = np.abs(heat(comparison, importer)).max(axis=0)
        still = [group for group, change, base in zip(groups, largest, level, strict=True)
                 if change < HARDLY * base or change == 0]
        found.append({"importer": pair.name(importer), "groups": still,
                      "exporter": pair.name(pair.partner(importer)), "all": len(groups)})
    return found


def _reported(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    by_year: dict[str, dict[str, float]] = json.loads(comparison.first.attrs["statistics"])
    latest = max(by_year)
    return {"year": latest, "values": [
        {"count": pair.name(name), "value": [value / MILLION]}
        for name, value in sorted(by_year[latest].items(),
                                  key=lambda item: item[0] != comparison.count)]}


def shown(table: Table) -> dict[str, Any]:
    """Give a table for the page: headings with units, cells rounded by the rules of the report."""
    units = phrases()["unit"]
    said = {MONEY: units["money"], RANGE: units["money"], SHARE: units["share"]}
    headings = [phrases()["heading"].format(title=column.heading, unit=said[column.kind])
                if column.kind in said else column.heading for column in table.columns]
    rows = [[cell(value, column.kind) for value, column in
             zip(row, table.columns, strict=True)] for row in table.rows]
    return {"title": table.title, "name": table.name, "columns": headings, "rows": rows}


def cell(value: Any, kind: str) -> str:
    """Write one cell."""
    if kind == RANGE:
        places = decimals(value)
        centre, low, high = (plain(number, places=places) for number in value)
        return str(words()["range_short"].format(middle=centre, low=low, high=high))
    if kind == MONEY:
        return plain(value)
    if kind == SHARE:
        return "0" if value == 0 else probability(value, "short").removesuffix(" %")
    if kind == YEAR:
        return "" if value is None else f"{value:.0f}"
    return str(value) if kind == TEXT else plain(value)
