"""The command `calibrate`: fit the reference path to the statistics."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, SEEDS, calibration_of


@click.command(epilog="""\b
Examples:
  tradesim calibrate
  tradesim calibrate --as-of 2019 --out as-of-2019""")
@click.option("--as-of", type=int, metavar="YEAR", help="Use no data dated after this year.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for posterior.nc and posterior.yaml; the calibration folder by "
                   "default.")
@click.option("--seed", type=SEEDS, default=1, show_default=True,
              help="Seed of the random numbers.")
@click.option("--steps", type=click.IntRange(min=100), metavar="N",
              help="Steps of the sampler; more when it says that it has not converged.")
@CALIBRATION
def calibrate(as_of: int | None, out: Path | None, seed: int, steps: int | None,
              calibration: Path | None) -> None:
    """Fit the reference path to both countries' statistics.

    Prints what was believed before (prior) against what the statistics say (posterior).
    """
    from tradesim.reference.calibrate import calibrate as fit
    from tradesim.reports import terminal

    more = {} if steps is None else {"steps": steps}
    with terminal.progress("Calibrating") as progress:
        done = fit(calibration_of(calibration), as_of=as_of, out=out, seed=seed,
                   progress=progress, **more)
    click.echo(terminal.fitted(done.manifest["parameters"]))
    click.echo(f"\nWritten: {done.folder}")
