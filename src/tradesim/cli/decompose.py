"""The command `decompose`: what each lever of a scenario adds."""

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
  tradesim decompose all_levers
  tradesim decompose mine.yaml --year 2030 --year 2035 --out parts""")
@study_options
@results_options
@click.option("--year", "years", type=int, multiple=True, metavar="YEAR",
              help="Year to share out; the horizon by default; may be repeated.")
@click.option("--method", default="exact", show_default=True, metavar="[exact|permutations]",
              help="permutations samples orders, for more than twelve levers.")
@click.option("--permutations", type=click.IntRange(min=4), metavar="N",
              help="Orders by draw that --method permutations samples; an even number, 40 by "
                   "default.")
def decompose(
    scenario: str, out: Path | None, name: str | None, draws: int | None, seed: int | None,
    overrides: tuple[str, ...], count: str | None, calibration: Path | None,
    years: tuple[int, ...], method: str, permutations: int | None,
) -> None:
    """Share out what SCENARIO changes among its levers.

    Every combination of levers is solved on the same draws. Shares add up to the whole in every
    draw; pairs that overlap, or help each other, are named.
    """
    if permutations is not None and method == "exact":
        raise click.UsageError("--permutations means nothing to the exact method: add --method "
                               "permutations")
    folder, target = calibration_of(calibration), study_folder(out, name, scenario)
    with results_folder(target, (*STUDY_OUTPUTS, "decomposition.csv")) as work:
        from tradesim.inputs.levers import read_levers
        from tradesim.inputs.pair import read_pair
        from tradesim.reports import terminal
        from tradesim.reports.decompose import outcome, write
        from tradesim.studies import decompose as study

        with terminal.progress("Solving combinations") as progress:
            dataset = study.decompose(
                scenario, calibration=folder, overrides=overrides, draws=draws, seed=seed,
                count=count, years=years, method=method,
                permutations=permutations or study.PERMUTATIONS,
                command=repeat_command("out", "name"), progress=progress)
        pair = read_pair(folder)
        levers = read_levers(folder)
        write(dataset, work, pair,
              {name: levers[name].title for name in map(str, dataset["lever"].values)})
    click.echo(f"{dataset.attrs['title']}\n")
    click.echo(outcome(dataset, pair))
    click.echo(f"Report: {target / 'report.html'}")
