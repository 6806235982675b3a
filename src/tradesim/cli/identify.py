"""The command `identify`: how far the statistics pin down each calibrated parameter."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import click

from tradesim.cli.folders import results_folder
from tradesim.cli.options import CALIBRATION, JOBS, SEEDS, calibration_of, repeat_command


@click.command(epilog="""\b
Examples:
  tradesim identify
  tradesim identify --out checks.csv
  tradesim identify --simulations 200     also simulation-based calibration: ten minutes""")
@click.option("--simulations", type=click.IntRange(min=0), default=0, show_default=True,
              help="Fits to simulated reports.")
@click.option("--seed", type=SEEDS, default=1, show_default=True,
              help="Seed of the random numbers.")
@JOBS
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File for the table; identification.csv of the calibration by default.")
@click.option("--report", "page", type=click.Path(path_type=Path), metavar="DIR",
              default=Path("results/identification"), show_default=True,
              help="Folder for a page in words.")
@click.option("--no-report", is_flag=True, help="Save the table only, without the page.")
@CALIBRATION
def identify(simulations: int, seed: int, jobs: int | None, out: Path | None, page: Path,
             no_report: bool, calibration: Path | None) -> None:
    """Say what the statistics tell of each calibrated parameter.

    Prior against posterior, predictive checks, and what each year's reports do to the fit; see
    docs/identification.md.
    """
    from tradesim.common.output import judge_file
    from tradesim.common.parallel import CORES, open_mapper
    from tradesim.inputs.pair import read_pair
    from tradesim.inputs.parameters import read_parameters
    from tradesim.reports import identify as words
    from tradesim.reports import terminal
    from tradesim.studies.identification_table import FILE, write
    from tradesim.studies.identification_table import identify as check

    folder = calibration_of(calibration)
    path = folder / FILE if out is None else out
    judge_file(path)
    with (nullcontext() if no_report
          else results_folder(page, words.OUTPUTS, "--report")) as work:
        with (open_mapper(jobs or CORES) as mapper,
              terminal.progress("Checking") as progress):
            frame = check(folder, simulations=simulations, seed=seed, mapper=mapper,
                          progress=progress)
        known, pair = read_parameters(folder), read_pair(folder)
        write(frame, path)
        if work is not None:
            words.write(frame, known, pair, work, repeat_command("out", "jobs", "page",
                                                                 "no_report"))
    click.echo(f"{words.outcome(frame, known, pair)}\n")
    for rows in words.tables(frame).values():
        click.echo(f"{terminal.columns(rows)}\n")
    click.echo(f"Written: {path}")
    if not no_report:
        click.echo(f"Report: {page / 'report.html'}")
