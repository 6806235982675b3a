"""The command `verify`: whether results and inputs are unchanged."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, RESULTS, calibration_of
from tradesim.common.errors import InputError, TradesimError


@click.command(epilog="""\b
Examples:
  tradesim verify results/mine
  tradesim verify results/mine --rerun""")
@RESULTS
@click.option("--rerun", is_flag=True, help="Also run the stored scenario.yaml again and compare "
                                            "summary.csv byte for byte.")
@CALIBRATION
def verify(folder: Path, rerun: bool, calibration: Path | None) -> None:
    """Check that results and inputs are unchanged.

    The files are compared with what the run wrote, the calibration with what the run read. Prints
    what differs, one line each, with exit code 1; or that all is well, with 0.
    """
    from tradesim.reports import terminal
    from tradesim.simulation.provenance import origin
    from tradesim.simulation.provenance import verify as differing

    source = None if calibration is None else calibration_of(calibration)
    try:
        made = origin(folder, source, check=False)
        with terminal.progress("Running again") as progress:
            wrong = differing(made, rerun=rerun, progress=progress)
    except InputError as error:
        if not (folder / "manifest.json").is_file():
            raise
        raise TradesimError(str(error)) from error
    if wrong:
        raise TradesimError("\n".join(wrong))
    again = "; running the stored scenario again gives the same summary.csv" if rerun else ""
    click.echo(f"{folder}: as run {made.manifest.run_id} wrote it, and its inputs are "
               f"unchanged{again}")
