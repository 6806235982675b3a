"""The command `goal`: what it would take to reach a target."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.folders import STUDY_OUTPUTS, results_folder, results_options, study_folder
from tradesim.cli.options import (
    calibration_of,
    repeat_command,
    study_options,
)


@click.command(epilog="""\b
Examples:
  tradesim goal base --target 500e6 --year 2035
  tradesim goal all_levers --probability 0.6 --vary LEVER.probability,growth""")
@study_options
@results_options
@click.option("--target", type=float, metavar="USD",
              help="Turnover a year, such as 500e6; the official target by default.")
@click.option("--year", type=int, help="By when; the horizon by default.")
@click.option("--probability", type=float, default=0.5, show_default=True,
              help="How surely, between 0 and 1.")
@click.option("--vary", metavar="LEVER.SETTING,…|growth",
              help="What to move, each alone and all settings named together; by default every "
                   "numeric setting of every lever, and growth of trade.")
@click.option("--if-implemented", "certain", is_flag=True,
              help="Take every lever as certain to succeed.")
def goal(
    scenario: str, out: Path | None, name: str | None, draws: int | None, seed: int | None,
    overrides: tuple[str, ...], count: str | None, calibration: Path | None,
    target: float | None, year: int | None, probability: float, vary: str | None, certain: bool,
) -> None:
    """Find what it would take for SCENARIO to reach a target.

    Each setting moves within its bounds; where that is not enough, the answer says how close it
    gets. Also: in which year each case first reaches the target.
    """
    folder, results = calibration_of(calibration), study_folder(out, name, scenario)
    with results_folder(results, (*STUDY_OUTPUTS, "goal.csv")) as work:
        from tradesim.inputs.levers import read_levers
        from tradesim.reports import terminal
        from tradesim.reports.goal import outcome, write
        from tradesim.simulation import draws as cases
        from tradesim.studies import goal as study

        named = [name.strip() for name in (vary or "").split(",") if name.strip()]
        with terminal.progress("Trying settings") as progress:
            answer = study.goal(
                scenario, target=target, year=year, probability=probability, vary=named,
                case=cases.IMPLEMENTED if certain else cases.SCENARIO, calibration=folder,
                overrides=overrides, draws=draws, seed=seed, count=count, progress=progress,
                command=repeat_command("out", "name", always=("probability",)))
        levers = read_levers(folder)
        pulled = (levers[name] for name in (*levers, *answer.study.scenario.levers))
        write(answer, work, {item.name: f"{lever.title}: {item.title}"
                             for lever in pulled for item in lever.settings.values()})
    click.echo(f"{answer.study.scenario.title}\n")
    click.echo(outcome(answer))
    click.echo(f"Report: {results / 'report.html'}")
