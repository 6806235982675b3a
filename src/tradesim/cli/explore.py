"""The command `explore`: a page in which readers move levers themselves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim.cli.options import (
    CALIBRATION,
    COUNT,
    LANGUAGE,
    SEED,
    calibration_of,
    complete_scenarios,
    note,
    repeat_command,
)
from tradesim.common.errors import InputError, Problem
from tradesim.common.output import whole_file

if TYPE_CHECKING:
    from tradesim.studies.explore.build import Explorer

ENDINGS = (".html", ".htm")


@click.command(epilog="""\b
Examples:
  tradesim explore --open
  tradesim explore mine.yaml eaeu_fta --out talk.html
  tradesim explore --live""")
@click.argument("scenarios", nargs=-1, shell_complete=complete_scenarios, metavar="[SCENARIO...]")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              default=Path("explore.html"), show_default=True,
              help="File to write. An earlier one there is replaced.")
@click.option("--open", "open_page", is_flag=True, help="Open the page in the browser.")
@click.option("--live", is_flag=True, help="Serve the page on this machine, where the model checks "
                                           "each answer; needs the extra [web].")
@click.option("--port", type=click.IntRange(0, 65535), default=0,
              help="Port for --live; any free one by default.")
@click.option("--draws", type=click.IntRange(min=200, max=2000), default=1000, show_default=True,
              help="Number of draws.")
@SEED
@COUNT
@CALIBRATION
@LANGUAGE
def explore(scenarios: tuple[str, ...], out: Path, open_page: bool, live: bool, port: int,
            draws: int, seed: int | None, count: str | None, calibration: Path | None,
            language: str) -> None:
    """Write a page in which readers move levers and see what becomes of trade.

    One HTML file that needs no network and no server. It opens with the first SCENARIO; the others,
    and all that come with tradesim, are there to start from.
    """
    if port and not live:
        raise InputError([Problem("--port", "", "needs --live")])
    if not live and out.suffix.lower() not in ENDINGS:
        raise InputError([Problem("--out", str(out), "must end in .html")])
    from tradesim.reports.explore import live as server
    from tradesim.reports.explore.page import write
    from tradesim.reports.language import speak
    from tradesim.studies.explore.build import explore as build

    def built() -> Explorer:
        found = build(scenarios, calibration=folder, draws=draws, seed=seed, count=count,
                      read=lambda: note("Solving the model for every lever, alone and in pairs, "
                                        "and checking the page against it"))
        for name in {Path(scenario).stem for scenario in scenarios} & {*found.left_out}:
            note(f"'{name}' sets what no card shows, so the page does not offer it")
        return found

    command, folder = repeat_command("open_page", "port"), calibration_of(calibration)
    if live:
        server.needed()
        with server.listening(port) as listener, speak(language, folder):
            server.serve(built(), command, listener, open_page=open_page, say=click.echo)
        return
    with whole_file(out) as work, speak(language, folder):
        found = built()
        write(found, work, command)
    quantile, chance = found.accuracy.mean
    click.echo(f"Explorer: {out} (on average {quantile:.1f} % off the model on a quantile, "
               f"{chance:.2f} points on the probability of the target)")
    if open_page:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())

