"""The command line: its commands, each in the file of its name, and how it starts and ends."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from tradesim import __version__
from tradesim.cli.backtest import backtest
from tradesim.cli.cache import cache
from tradesim.cli.calibrate import calibrate
from tradesim.cli.check import check
from tradesim.cli.compare import compare
from tradesim.cli.decompose import decompose
from tradesim.cli.discover import discover
from tradesim.cli.explore import explore
from tradesim.cli.export import export
from tradesim.cli.forecast import forecast
from tradesim.cli.goal import goal
from tradesim.cli.identify import identify
from tradesim.cli.import_ import import_
from tradesim.cli.levers import levers
from tradesim.cli.new import new
from tradesim.cli.options import Commands
from tradesim.cli.report import report
from tradesim.cli.run import run
from tradesim.cli.show import show
from tradesim.cli.smart import smart
from tradesim.cli.sweep import sweep
from tradesim.cli.update import update
from tradesim.cli.verify import verify
from tradesim.common.memory import keep_memory

if TYPE_CHECKING:
    from types import FrameType

HELP = """Simulate trade between a pair of countries under policy scenarios.

\b
First steps:
  tradesim run base              where trade goes by itself
  tradesim levers                what policy could change
  tradesim new mine              a scenario file of your own to edit
  tradesim check mine.yaml       all mistakes at once, with their lines
  tradesim run mine.yaml         results and a report in results/mine

\b
Completion of commands, scenarios and levers in bash (zsh and fish alike):
  eval "$(_TRADESIM_COMPLETE=bash_source tradesim)"
"""


@click.group(cls=Commands, help=HELP,
             context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96})
@click.version_option(__version__, "-V", "--version", prog_name="tradesim")
def cli() -> None:
    """Run the commands; `HELP` describes them."""


for command in (backtest, cache, calibrate, check, compare, decompose, discover, explore, export,
                forecast, goal, identify, import_, levers, new, report, run, show, smart, sweep,
                update, verify):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    for name in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")
    keep_memory()
    os.environ["MPLBACKEND"] = "agg"  # whatever the user's is: nothing opens a window
    _make_printable()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) != signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _interrupt)
    try:
        cli(prog_name="tradesim")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is done


def _make_printable() -> None:
    """Have letters that the terminal does not know replaced, and closed streams thrown away."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


class Interrupted(KeyboardInterrupt):
    """A signal to end; where Python's own comes while code is made, the exit code is lost."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as after Ctrl-C, so that nothing half-written stays."""
    raise Interrupted
