"""The command that compares one year with and without a scenario, named as WITS-SMART names it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim.cli.options import CALIBRATION, SCENARIO, SET, calibration_of
from tradesim.common.errors import InputError, Problem
from tradesim.common.output import whole_file
from tradesim.common.text import no_formulas

if TYPE_CHECKING:
    import pandas as pd

    from tradesim.studies.smart import YearChange

SEPARATORS = {".csv": ",", ".tsv": "\t"}


@click.command(epilog="""\b
Examples:
  tradesim smart mine.yaml
  tradesim smart mine.yaml --year 2030 --out smart.csv
  tradesim smart mine.yaml --out smart.tsv      opens in a spreadsheet, or paste it there""")
@SCENARIO
@click.option("--year", type=int, help="Year to compare; the scenario's last by default.")
@click.option("--importer", "importers", multiple=True, metavar="NAME",
              help="Importer (reporter) to show; all by default; may be repeated.")
@SET
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File for the whole table: .csv, or .tsv with tabs.")
@CALIBRATION
def smart(scenario: str, year: int | None, importers: tuple[str, ...],
          overrides: tuple[str, ...], out: Path | None, calibration: Path | None) -> None:
    """Compare one year before and after, in the words of WITS-SMART.

    Every lever of SCENARIO is implemented and everything uncertain has its middle value. The
    table has this model's effects once trade has adjusted, and the formulas of SMART beside
    them. Amounts are thousand USD on the importer's own count.
    """
    separator = _separator(out)
    from tradesim.simulation.model import ask, load_baseline
    from tradesim.studies.smart import compare_year, table

    with nullcontext() if out is None else whole_file(out) as work:
        base = load_baseline(calibration_of(calibration))
        asked, _ = ask(base, scenario, overrides, draws=1)
        result = compare_year(base, asked, year)
        rows = table(base, result, importers)
        if work is not None:
            no_formulas(rows).to_csv(work, sep=separator, index=False, lineterminator="\n")
    _show(rows, result, asked.title)
    if out is not None:
        click.echo(f"Table: {out}")


def _separator(out: Path | None) -> str:
    if out is None:
        return ""
    if out.suffix not in SEPARATORS:
        raise InputError([Problem(str(out), "--out", "must end in " + " or ".join(SEPARATORS))])
    return SEPARATORS[out.suffix]


def _show(rows: pd.DataFrame, result: YearChange, title: str) -> None:
    """Show totals by partner and by product; the file has every pair of the two."""
    from tradesim.reports.terminal import columns
    from tradesim.studies.smart import BEFORE, EFFECTS, FORMULA, NAMES, RATES, TOTAL, WORLD

    reporter, partner, product = NAMES
    shown = {RATES[2]: "Old duty %", RATES[3]: "New duty %", BEFORE: "Before",
             EFFECTS[0]: "Total", EFFECTS[1]: "Creation", EFFECTS[2]: "Diversion",
             EFFECTS[3]: "Price", FORMULA[0]: "SMART total"}
    for name, part in rows.groupby(reporter, sort=False):
        of_all = part[part[product] == TOTAL]
        by_product = part[(part[partner] == WORLD) & (part[product] != TOTAL)]
        grid = [["", *shown.values()], *(
            [str(row[label]), *(_number(head, row[head]) for head in shown)]
            for label, group in ((partner, of_all), (product, by_product))
            for _, row in group.iterrows())]
        click.echo(f"{title}: imports of {name}, {result.year}, USD thousand\n{columns(grid)}\n")
    if not rows[EFFECTS[0]].abs().max() > 0.0:
        click.echo(f"Nothing changes in {result.year}: the levers begin later, or do nothing.")


def _number(head: str, value: float) -> str:
    if value != value:
        return "–"  # no imports to weigh rates with
    text = f"{value:.2f}" if head.endswith("(%)") else f"{value:,.0f}"
    return text.removeprefix("-") if not text.strip("-0.,") else text
