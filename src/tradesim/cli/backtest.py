"""The command that asks how wrong forecasts of the past were."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim.cli.folders import results_folder
from tradesim.cli.options import (
    CALIBRATION,
    JOBS,
    SEEDS,
    Stopped,
    calibration_of,
    note,
    repeat_command,
)
from tradesim.common.errors import InputError, Problem
from tradesim.common.output import whole_file

if TYPE_CHECKING:
    from tradesim.studies.backtest.backtest import Backtest
    from tradesim.studies.backtest.cells import Cell

OUT, PANEL_OUT = Path("results/backtest"), Path("results/panel")
"""Folders for the results, unless another is named."""


@click.command(epilog="""\b
Examples:
  tradesim backtest
  tradesim backtest --origins 2016:2020 --out results/quick
  tradesim backtest --keep                     also put the record into the calibration
  tradesim backtest --panel FILE               on the trade of other pairs""")
@click.option("--origins", metavar="FIRST:LAST", help="Years from which forecasts are made; 2014 "
              "to the last year but one by default.")
@click.option("--horizons", type=click.IntRange(min=1), metavar="N", help="Years ahead; 5 by "
              "default.")
@click.option("--draws", type=click.IntRange(min=100), default=2000, show_default=True,
              help="Draws of each forecast.")
@click.option("--seed", type=SEEDS, default=1, show_default=True,
              help="Seed of the random numbers. Same seed, same results.")
@JOBS
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              default=OUT,
              help="Folder for the results; results/backtest by default, with --panel "
                   "results/panel.")
@click.option("--keep", is_flag=True, help="Also replace backtest.csv of the calibration; "
              "for all origins and horizons only.")
@click.option("--fresh", is_flag=True, help="Start over, instead of going on with a stopped one.")
@click.option("--panel", type=click.Path(path_type=Path), metavar="FILE", help="Score the form of "
              "the reference path on other pairs: their trade, CSV.")
@click.option("--gdp", type=click.Path(path_type=Path), metavar="FILE", help="GDP of the countries "
              "of the panel; gdp_current_usd.csv.gz beside it by default.")
@CALIBRATION
def backtest(origins: str | None, horizons: int | None, draws: int, seed: int, jobs: int | None,
             out: Path, keep: bool, fresh: bool, panel: Path | None, gdp: Path | None,
             calibration: Path | None) -> None:
    """Hold forecasts of past years against what happened.

    For every origin the reference path is fitted to what was known then, next to simple rules.
    Prints how wrong they were, by years ahead. A minute or two on two cores; the same command goes
    on where a stopped one was.
    """
    from tradesim.studies.backtest.backtest import cell_folder, prepare, record_of

    if panel is not None or gdp is not None:
        file = _only_panel(panel, origins, horizons)
        _on_panel(file, gdp, PANEL_OUT if out == OUT else out, keep, fresh, calibration)
        return
    if keep and (origins or horizons):
        raise InputError([Problem("--keep", "", "needs all origins and horizons; leave out "
                                  "--origins and --horizons")])
    plan = prepare(calibration_of(calibration).resolve(), origins=_span(origins),
                   horizons=horizons, draws=draws, seed=seed)

    from tradesim.reports import backtest as page
    from tradesim.reports.html_page import PAGE

    command = repeat_command("out", "jobs", "fresh", "calibration")
    with results_folder(out, page.OUTPUTS) as work:
        cells = _run(plan, out, jobs, fresh)
        frame = record_of(plan, cells)
        page.write(frame, plan, cells, work, command)
    shutil.rmtree(cell_folder(out), ignore_errors=True)
    if keep:
        page.keep(frame, plan.folder)
    click.echo(page.outcome(frame, plan))
    if keep:
        click.echo(f"\nKept in {plan.folder}")
    click.echo(f"\nReport: {out / PAGE}")


def _run(plan: Backtest, out: Path, jobs: int | None, fresh: bool) -> list[Cell]:
    """Work on all cells, with a bar where somebody watches."""
    from tradesim.common.parallel import CORES, open_mapper
    from tradesim.reports.terminal import progress
    from tradesim.studies.backtest.backtest import cell_folder, run

    try:
        with open_mapper(jobs or CORES) as mapper, progress("Forecasting") as show:
            return run(plan, out, mapper, fresh=fresh, progress=show, say=note)
    except KeyboardInterrupt as error:
        raise Stopped(f"stopped; what was done is kept in {cell_folder(out)}: the same command "
                       "goes on") from error


def _only_panel(panel: Path | None, *others: object) -> Path:
    """Give the panel; options that mean nothing on one are refused."""
    names = ("--origins", "--horizons")
    problems = [Problem(name, "", "means nothing on a panel: leave it out")
                for name, value in zip(names, others, strict=True) if value]
    if panel is None:
        raise InputError([Problem("--gdp", "", "needs --panel"), *problems])
    if problems:
        raise InputError(problems)
    return panel


def _on_panel(panel: Path, gdp: Path | None, out: Path, keep: bool, fresh: bool,
              calibration: Path | None) -> None:
    """Score the form on the trade of other pairs; finished origins are kept beside the results."""
    from tradesim.inputs.trade_panel import read_panel
    from tradesim.reports import panel_skill
    from tradesim.reports.terminal import progress
    from tradesim.studies.backtest.backtest import cell_folder
    from tradesim.studies.backtest.panel import (
        FILE,
        panel_without_pair,
        priors_of,
        run_panel,
        skill_table,
        write_skill,
    )

    folder, cells = calibration_of(calibration).resolve(), cell_folder(out)
    priors = priors_of(folder)
    others = panel_without_pair(read_panel(panel, gdp), folder)
    if fresh:
        shutil.rmtree(cells, ignore_errors=True)
    try:
        with results_folder(out, panel_skill.OUTPUTS) as work, progress("Forecasting") as show:
            scored = run_panel(others, priors, keep=cells, progress=show)
            table = skill_table(scored, others)
            write_skill(table, work / FILE)
    except KeyboardInterrupt as error:
        raise Stopped(f"stopped; what was done is kept in {cells}: the same command goes on"
                      ) from error
    shutil.rmtree(cells, ignore_errors=True)
    if keep:
        with whole_file(folder / FILE, option="--keep") as kept:
            write_skill(table, kept)
    click.echo(panel_skill.outcome(table))
    click.echo(f"\nResults: {out}")


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
