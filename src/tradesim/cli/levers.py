"""The command `levers`: what policy could change."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, calibration_of, complete_levers
from tradesim.common.errors import InputError, Problem, nearest


@click.command(epilog="""\b
Examples:
  tradesim levers                 one line for each
  tradesim levers eaeu_fta        its settings, with units, ranges and sources""")
@click.argument("name", required=False, shell_complete=complete_levers)
@CALIBRATION
def levers(name: str | None, calibration: Path | None) -> None:
    """List all levers, or the settings of lever NAME."""
    from tradesim.inputs.levers import read_levers
    from tradesim.reports import terminal

    known = read_levers(calibration_of(calibration))
    if name is None:
        click.echo(terminal.lever_list(known))
    elif name in known:
        click.echo(terminal.lever_page(known[name]))
    else:
        raise InputError([Problem("levers", name, f"unknown lever; known: {', '.join(known)}",
                                  nearest(name, known))])
