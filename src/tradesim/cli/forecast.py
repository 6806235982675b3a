"""The command `forecast`: write down what is forecast, so that it can be scored later."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, MAX_DRAWS, SEEDS, TOO_MANY, Whole, calibration_of


@click.command(epilog="""\b
Examples:
  tradesim forecast
  tradesim forecast --out my-forecast.csv""")
@click.option("--draws", type=Whole(100, MAX_DRAWS, TOO_MANY), default=10_000, show_default=True,
              help="Number of draws.")
@click.option("--seed", type=SEEDS, default=1, show_default=True,
              help="Seed of the random numbers.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File for the table; forecasts/VERSION.csv of the calibration by default.")
@CALIBRATION
def forecast(draws: int, seed: int, out: Path | None, calibration: Path | None) -> None:
    """Keep the forecast of trade without new policy.

    Writes percentiles by year, count and direction. Once a year has come, `tradesim update` holds
    them against what was reported. A forecast made with other data is never overwritten.
    """
    from tradesim.common.output import judge_file
    from tradesim.inputs.history import read_history
    from tradesim.studies.forecasts import file_of, refuse_other, write_forecast
    from tradesim.studies.forecasts import forecast as make

    folder = calibration_of(calibration)
    path = file_of(folder) if out is None else out
    judge_file(path)
    refuse_other(path, read_history(folder).years[-1])
    write_forecast(make(folder, draws=draws, seed=seed), path)
    click.echo(f"Written: {path}")
