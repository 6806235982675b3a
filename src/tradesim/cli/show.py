"""The command `show`: a scenario resolved, or what made results."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, SCENARIO, SET, calibration_of
from tradesim.common.errors import InputError, Problem


@click.command(epilog="""\b
Examples:
  tradesim show mine.yaml --set draws=500
  tradesim show results/mine""")
@SCENARIO
@SET
@CALIBRATION
def show(scenario: str, overrides: tuple[str, ...], calibration: Path | None) -> None:
    """Print SCENARIO resolved, or what made results.

    SCENARIO is a scenario, or a folder of results. Of a scenario, every value is printed with its
    origin; parents and settings are resolved, defaults of the levers stand as comments. Of a
    folder it tells the scenario, command, seed, draws, hashes and versions, and whether the same
    would come out today.
    """
    if Path(scenario).is_dir():
        from tradesim.simulation.provenance import lines, origin

        if overrides:
            raise InputError([Problem("--set", overrides[0], "does not apply to a folder of "
                                      "results; leave it out")])
        source = None if calibration is None else calibration_of(calibration)
        click.echo("\n".join(lines(origin(Path(scenario), source))))
        return
    from tradesim.inputs.scenario import Known, read_scenario
    from tradesim.inputs.scenario_text import resolved

    known = Known.read(calibration_of(calibration))
    click.echo(resolved(read_scenario(scenario, known, overrides), known), nl=False)
