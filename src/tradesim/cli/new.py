"""The command `new`: a scenario file to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, calibration_of, complete_scenarios


@click.command(epilog="""\b
Examples:
  tradesim new mine
  tradesim new later --from base""")
@click.argument("name")
@click.option("--from", "parent", default="base", show_default=True, metavar="SCENARIO",
              shell_complete=complete_scenarios,
              help="Scenario to start from: a shipped name, or a file beside the new one.")
@CALIBRATION
def new(name: str, parent: str, calibration: Path | None) -> None:
    """Write a commented scenario NAME.yaml to start from.

    Nothing is overwritten.
    """
    from tradesim.inputs.levers import read_levers
    from tradesim.inputs.scenario_text import starter, write_new

    path = Path(name if name.endswith((".yaml", ".yml")) else f"{name}.yaml")
    write_new(path, starter(path, parent, read_levers(calibration_of(calibration))))
    typed = shlex.quote(str(path))
    click.echo(f"Written: {path}\nNext: edit it, then tradesim check {typed} and tradesim run "
               f"{typed}")
