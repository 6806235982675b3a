"""The command `update`: take in a new year of statistics."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, SEEDS, calibration_of


@click.command(epilog="""\b
Examples:
  tradesim update
  tradesim update --calibration mine --out mine-2025""")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="New calibration folder; the calibration itself is changed by default.")
@click.option("--seed", type=SEEDS, default=1, show_default=True,
              help="Seed of the random numbers.")
@click.option("--steps", type=click.IntRange(min=100), metavar="N",
              help="Steps of the sampler; more when it says that it has not converged.")
@CALIBRATION
def update(out: Path | None, seed: int, steps: int | None, calibration: Path | None) -> None:
    """Score what was forecast of a new year, and fit again.

    First add the year's rows to data/bilateral_trade.csv, data/macro.csv and data/corridor.csv.
    Prints where the outcome fell in the forecasts that were kept, and what the new data move.
    """
    from tradesim.reports import terminal
    from tradesim.reports.forecasts import moved_table, scores_table
    from tradesim.studies.update import update as take_in

    more = {} if steps is None else {"steps": steps}
    with terminal.progress("Calibrating") as progress:
        done = take_in(calibration_of(calibration), out=out, seed=seed, progress=progress, **more)
    click.echo(scores_table(done.scores))
    click.echo(f"\n{moved_table(done.moved)}")
    click.echo(f"\nWritten: {done.folder}; the back-test is as it was, next: tradesim backtest "
               "--keep")
