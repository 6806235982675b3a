"""The command that asks how wrong forecasts of the past were."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim.cli.options import (
    CALIBRATION,
    Stopped,
    calibration_of,
    note,
    repeat_command,
    results_folder,
)
from tradesim.common.errors import InputError, Problem

if TYPE_CHECKING:
    from tradesim.studies.backtest.backtest import Backtest
    from tradesim.studies.backtest.cells import Cell


@click.command(epilog="""\b
Examples:
  tradesim backtest
  tradesim backtest --origins 2016:2020 --specifications NAME,OTHER --out results/quick
  tradesim backtest --keep                     also put weights and record into the calibration""")
@click.option("--origins", metavar="FIRST:LAST", help="Years from which forecasts are made; 2014 "
              "to the last year but one by default.")
@click.option("--horizons", type=click.IntRange(min=1), metavar="N", help="Years ahead; 5 by "
              "default.")
@click.option("--specifications", multiple=True, metavar="NAMES", help="Specifications, with "
              "commas between; all by default. May be repeated.")
@click.option("--draws", type=click.IntRange(min=100), default=2000, show_default=True,
              help="Draws of each forecast.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
              help="Seed of the random numbers. Same seed, same results.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; the number of cores by "
              "default.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              default=Path("results/backtest"), show_default=True, help="Folder for the results.")
@click.option("--keep", is_flag=True, help="Also replace backtest.csv and weights.yaml of the "
              "calibration; for all specifications and origins only.")
@click.option("--fresh", is_flag=True, help="Start over, instead of going on with a stopped one.")
@CALIBRATION
def backtest(origins: str | None, horizons: int | None, specifications: tuple[str, ...],
             draws: int, seed: int, jobs: int | None, out: Path, keep: bool, fresh: bool,
             calibration: Path | None) -> None:
    """Hold forecasts of past years against what happened.

    For every origin all specifications of the reference path are fitted to what was known then,
    next to simple rules. Prints how wrong they were, by years ahead. A few minutes on two cores;
    the same command goes on where a stopped one was.
    """
    from tradesim.studies.backtest.backtest import cell_folder, prepare, record_of

    if keep and (origins or horizons or specifications):
        raise InputError([Problem("--keep", "", "needs all specifications, origins and horizons; "
                                  "leave out --origins, --horizons and --specifications")])
    names = tuple(dict.fromkeys(name.strip() for text in specifications
                                for name in text.split(",") if name.strip()))
    plan = prepare(calibration_of(calibration).resolve(), origins=_span(origins),
                   horizons=horizons, names=names, draws=draws, seed=seed)

    from tradesim.reports import backtest as page
    from tradesim.reports.html_page import PAGE

    command = repeat_command("out", "jobs", "fresh", "calibration")
    with results_folder(out, page.OUTPUTS) as work:
        cells = _run(plan, out, jobs, fresh)
        frame, decision = record_of(plan, cells)
        page.write(frame, plan, cells, decision, work, command)
    shutil.rmtree(cell_folder(out), ignore_errors=True)
    if keep:
        page.keep(frame, plan, decision, command)
    click.echo(page.outcome(frame, plan, decision))
    if keep:
        click.echo(f"\nKept in {plan.folder}; next: tradesim calibrate")
    report = out / PAGE
    click.echo(f"\nReport: {report}" if report.exists() else f"\nResults: {out}")


def _run(plan: Backtest, out: Path, jobs: int | None, fresh: bool) -> list[Cell]:
    """Work on all cells, with a bar where somebody watches."""
    from tradesim.common.parallel import open_mapper
    from tradesim.reports.terminal import progress
    from tradesim.studies.backtest.backtest import cell_folder, run

    try:
        with open_mapper(jobs or os.cpu_count() or 1) as mapper, progress("Forecasting") as show:
            return run(plan, out, mapper, fresh=fresh, progress=show, say=note)
    except KeyboardInterrupt as error:
        raise Stopped(f"stopped; what was done is kept in {cell_folder(out)}: the same command "
                       "goes on") from error


def _span(text: str | None) -> tuple[int, int] | None:
    """Read ``2014:2023``, or one year."""
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d{4})\s*(?::\s*(\d{4})\s*)?", text)
    if match is None:
        raise InputError([Problem("--origins", text, "must be two years with a colon between, "
                                  "such as 2014:2023, or one year")])
    first = int(match.group(1))
    return first, int(match.group(2) or first)
