"""The command `run`: one scenario, its results and its report."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.folders import chosen_folder, results_folder, results_options
from tradesim.cli.options import (
    CALIBRATION,
    DRAWS,
    FORMATS,
    LANGUAGE,
    SCENARIO,
    SEEDS,
    SET,
    calibration_of,
    other_formats,
)


@click.command(epilog="""\b
Examples:
  tradesim run base
  tradesim run mine.yaml --draws 500 --out quick
  tradesim run mine.yaml --set adjustment.speed=0.35 --set LEVER.start=2030""")
@SCENARIO
@results_options
@click.option("--draws", type=DRAWS, help="Number of draws; 2,000 by default.")
@click.option("--seed", type=SEEDS, help="Seed of the random numbers; 1 by "
                                                         "default. Same seed, same results.")
@SET
@click.option("--count", metavar="NAME", help="Whose statistics the headline uses (a name under "
                                              "counts in pair.yaml); the target's by default.")
@CALIBRATION
@FORMATS
@LANGUAGE
@click.option("--keep-draws", is_flag=True,
              help="Keep the draws of every variable in results.nc (80 kB a draw). By default "
                   "those of turnover, welfare and border revenue stay, and commands that need "
                   "others compute them again.")
@click.option("--no-report", is_flag=True, help="Save numbers only, without figures and report.")
def run(scenario: str, out: Path | None, name: str | None, draws: int | None, seed: int | None,
        overrides: tuple[str, ...], count: str | None, calibration: Path | None,
        formats: tuple[str, ...], language: str, keep_draws: bool, no_report: bool) -> None:
    """Simulate SCENARIO and write results and a report.

    SCENARIO is a YAML file or the name of a scenario that comes with tradesim. The folder of
    results appears whole or not at all.
    """
    from tradesim.inputs.scenario import find

    folder = calibration_of(calibration)
    target = chosen_folder(out, name, find(scenario).stem)
    others = other_formats(formats, no_report)
    with results_folder(target) as work:
        from tradesim.inputs.pair import read_pair
        from tradesim.reports import terminal
        from tradesim.simulation import manifest, model, results, summary

        with terminal.progress("Simulating") as progress:
            dataset = model.run(scenario, calibration=folder, overrides=overrides, draws=draws,
                                seed=seed, count=count, progress=progress, every=keep_draws)
        results.save(dataset, work, every=keep_draws)
        headline, pair = summary.headline(dataset), read_pair(folder)
        if not no_report:
            from tradesim.reports.language import speak
            from tradesim.reports.run.page import report

            with speak(language, folder):
                page = report(work, folder, dataset=results.as_kept(dataset))
                if others:
                    from tradesim.reports.export.document import write

                    write(page, others)
            manifest.seal(work)
    click.echo(f"{dataset.attrs['title']}\n")
    click.echo(terminal.outcome(headline, pair))
    click.echo(f"Results: {target}" if no_report else f"Report: {target / 'report.html'}")
