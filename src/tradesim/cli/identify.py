"""The command `identify`: how far the statistics pin down each calibrated parameter."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim.cli.options import CALIBRATION, JOBS, calibration_of

if TYPE_CHECKING:
    import pandas as pd


@click.command(epilog="""\b
Examples:
  tradesim identify
  tradesim identify --out checks.csv
  tradesim identify --simulations 200     also simulation-based calibration: ten minutes""")
@click.option("--simulations", type=click.IntRange(min=0), default=0, show_default=True,
              help="Fits to simulated reports.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
              help="Seed of the random numbers.")
@JOBS
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File for the table; identification.csv of the calibration by default.")
@CALIBRATION
def identify(simulations: int, seed: int, jobs: int | None, out: Path | None,
             calibration: Path | None) -> None:
    """Say what the statistics tell of each calibrated parameter.

    Prior against posterior, predictive checks, and what each year's reports do to the fit; see
    docs/identification.md.
    """
    from tradesim.common.parallel import open_mapper
    from tradesim.reports import terminal
    from tradesim.studies.identification_table import FILE, write
    from tradesim.studies.identification_table import identify as check

    folder = calibration_of(calibration)
    with (open_mapper(jobs or os.cpu_count() or 1) as mapper,
          terminal.progress("Checking") as progress):
        frame = check(folder, simulations=simulations, seed=seed, mapper=mapper,
                      progress=progress)
    path = folder / FILE if out is None else out
    write(frame, path)
    click.echo(f"{_parameters(frame)}\n\n{_series(frame)}\n\n{_years(frame)}\n")
    if simulations:
        click.echo(f"{_simulations(frame)}\n")
    click.echo(f"Written: {path}")


def _values(rows: pd.DataFrame, check: str) -> dict[str, dict[str, float]]:
    values: dict[str, dict[str, float]] = {}
    for row in rows[rows["check"] == check].itertuples():
        values.setdefault(str(row.parameter), {})[str(row.key)] = float(str(row.value))
    return values


def _parameters(rows: pd.DataFrame) -> str:
    from tradesim.reports.terminal import columns

    before, after, learnt = (_values(rows, check) for check in ("prior", "posterior", "identified"))
    return columns([["parameter", "prior", "posterior", "90 % range", "learnt", "overlap"], *(
        [name, f"{before[name]['mean']:.3g} ± {before[name]['sd']:.2g}",
         f"{row['mean']:.3g} ± {row['sd']:.2g}", f"{row['p05']:.3g} to {row['p95']:.3g}",
         f"{100 * learnt[name]['contraction']:.0f} %", f"{100 * learnt[name]['overlap']:.0f} %"]
        for name, row in after.items())])


def _series(rows: pd.DataFrame) -> str:
    from tradesim.reports.terminal import columns

    return columns([["of the series", "observed", "model, 90 %", "p-value"], *(
        [name, f"{row['observed']:.2f}", f"{row['p05']:.2f} to {row['p95']:.2f}",
         f"{row['p_value']:.2f}"] for name, row in _values(rows, "predictive").items())])


def _simulations(rows: pd.DataFrame) -> str:
    from tradesim.reports.terminal import columns

    found = _values(rows, "simulation")
    number = found.pop("simulations")["number"]
    return columns([[f"of {number:.0f} simulations", "p-value", "dispersion"], *(
        [name, f"{row['p_value']:.3f}", f"{row['dispersion']:.2f} ± {(0.8 / number)**0.5:.2f}"]
        for name, row in found.items())])


def _years(rows: pd.DataFrame) -> str:
    from tradesim.reports.terminal import columns

    shifts = _values(rows, "left_out")
    years = next(iter(shifts.values()))
    return columns([["left out, in sd", *shifts], *(
        [year, *(f"{shift[year]:+.2f}" for shift in shifts.values())] for year in years)])
