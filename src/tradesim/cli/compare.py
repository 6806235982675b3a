"""The command that puts scenarios side by side."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.folders import chosen_folder, results_folder, results_options
from tradesim.cli.options import (
    CALIBRATION,
    DRAWS,
    LANGUAGE,
    SEEDS,
    SET,
    calibration_of,
    complete_scenarios,
    note,
    repeat_command,
)
from tradesim.common.extras import install

OUTPUTS = ("report.html", "figures", "comparison.csv", "comparison.parquet", "comparison.xlsx",
           "manifest.json", "explore.html")
"""What a comparison writes."""


@click.command(epilog="""\b
Examples:
  tradesim compare scenarios/*.yaml
  tradesim compare mine.yaml other.yaml --baseline base --draws 500 --out results/quick
  tradesim compare results/mine results/other --baseline base""")
@click.argument("scenarios", nargs=-1, required=True, shell_complete=complete_scenarios,
                metavar="SCENARIO...")
@click.option("--baseline", default="base", show_default=True, metavar="SCENARIO",
              shell_complete=complete_scenarios,
              help="Scenario that the others are measured against; added where it is not named.")
@results_options
@click.option("--draws", type=DRAWS, help="Number of draws for all.")
@click.option("--seed", type=SEEDS, help="Seed of the random numbers for all.")
@SET
@click.option("--count", metavar="NAME", help="Whose statistics the headline uses; the target's "
                                              "by default.")
@click.option("--show", "shown", multiple=True, metavar="SCENARIO",
              shell_complete=complete_scenarios, help="Scenario whose path to draw year by year; "
              "may be repeated. By default the six policies that differ most.")
@click.option("--align", is_flag=True, help="Cut all scenarios to the shortest horizon.")
@click.option("--force", is_flag=True, help="Run again what was run before.")
@click.option("--cache", type=click.Path(path_type=Path), metavar="DIR", envvar="TRADESIM_CACHE",
              default=Path("results") / "cache", show_default=True,
              help="Folder of kept runs; may be deleted at any time.")
@CALIBRATION
@LANGUAGE
@click.option("--no-report", is_flag=True, help="Save tables only, without figures and report.")
@click.option("--no-explore", is_flag=True, help="Leave out explore.html, in which readers move "
                                                 "the levers themselves.")
def compare(scenarios: tuple[str, ...], baseline: str, out: Path | None, name: str | None,
            draws: int | None, seed: int | None, overrides: tuple[str, ...], count: str | None,
            shown: tuple[str, ...], align: bool, force: bool, cache: Path,
            calibration: Path | None, language: str, no_report: bool, no_explore: bool) -> None:
    """Compare scenarios on the same draws.

    Each SCENARIO is a YAML file, the name of a scenario that comes with tradesim, or the folder
    of an earlier run. Scenarios already run with the same inputs are not run again. The folder
    of the comparison appears whole or not at all.
    """
    target = chosen_folder(out, name, "comparison")
    with results_folder(target, OUTPUTS) as work:
        from tradesim.reports import terminal
        from tradesim.reports.compare.page import outcome, write
        from tradesim.reports.export import excel
        from tradesim.reports.language import speak
        from tradesim.studies.compare_runs import Asked, compare_runs

        asked = Asked(calibration_of(calibration), overrides, draws, seed, count)
        result = compare_runs(
            scenarios, baseline, asked, cache=cache, force=force, align=align, shown=shown,
            say=note, watch=lambda name: terminal.progress(f"Simulating {name}"))
        if not excel.available():
            note(f"comparison.xlsx is left out: {install('office')} adds it")
        command = repeat_command("out", "name", "force", "cache", "no_report", "no_explore",
                                 always=("baseline",))
        with speak(language, asked.calibration):
            write(result, command, work, report=not no_report, shown=shown, earlier=target)
            if not (no_report or no_explore):
                from tradesim.reports.explore.beside import FILE, beside

                if reason := beside(result, asked, command, work / FILE, cache):
                    note(f"{FILE} is left out: {reason}")
    click.echo(outcome(result))
    click.echo(f"Results: {target}" if no_report else f"Report: {target / 'report.html'}")
