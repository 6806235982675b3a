"""The command that finds the conditions under which a target is reached."""

from __future__ import annotations

import math
import re
from pathlib import Path

import click

from tradesim.cli.folders import chosen_folder, results_folder, results_options
from tradesim.cli.options import SEEDS, repeat_command
from tradesim.common.errors import InputError, Problem

OUTPUTS = ("report.html", "figures", "discover.csv")


@click.command(epilog="""\b
Examples:
  tradesim discover results/all_levers-sweep-lhs
  tradesim discover results/all_levers-sweep-lhs --target 300e6 --year 2030
  tradesim discover results/all_levers-sweep-lhs --case effect --below 10e6 --method both
  tradesim discover results/all_levers""")
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--target", type=float, metavar="USD", help="Turnover to reach; the target of the "
              "calibration by default.")
@click.option("--variable", default="turnover", show_default=True, metavar="NAME",
              help="Output to ask about, or a whole column of the table.")
@click.option("--above", type=float, metavar="X", help="A hit is an output of at least X.")
@click.option("--below", type=float, metavar="X", help="A hit is an output below X.")
@click.option("--year", type=int, help="Year; the last by default.")
@click.option("--count", metavar="NAME", help="Whose statistics; the target's by default.")
@click.option("--case", metavar="NAME", help="reference, scenario or effect (change by the "
              "levers); scenario by default.")
@click.option("--importer", metavar="NAME", help="Market, for outputs by market.")
@click.option("--method", type=click.Choice(["prim", "tree", "both"]), default="prim",
              show_default=True, help="Boxes, a shallow tree (needs scikit-learn), or both.")
@click.option("--seed", type=SEEDS, default=1, show_default=True,
              help="Seed of the resampling.")
@results_options
def discover(folder: Path, target: float | None, variable: str, above: float | None,
             below: float | None, year: int | None, count: str | None, case: str | None,
             importer: str | None, method: str, seed: int, out: Path | None,
             name: str | None) -> None:
    """Find the conditions under which a target is reached, or a lever does not pay.

    DIR is the folder of a sweep that varied many factors at once (lhs, sobol), or of a run.
    Conditions are boxes: limits on a few factors, in words, tested against chance. Results go to
    DIR-discover; another question than the default one has a folder of its own beside it.
    """
    from tradesim.reports.discover import outcome, write
    from tradesim.reports.terminal import progress
    from tradesim.studies.discover import discover as study
    from tradesim.studies.sweep.results import find_output, read_sweep

    if sum(value is not None for value in (target, above, below)) > 1:
        raise click.UsageError("--target, --above and --below exclude each other: name one")
    sweep = read_sweep(folder)
    output = find_output(sweep, variable, year=year, count=count, case=case, importer=importer)
    threshold = next((value for value in (target, above, below) if value is not None), None)
    if threshold is None:
        threshold = sweep.about.get("target", {}).get("value")
        if threshold is None or output.variable != "turnover" or output.case.startswith("effect"):
            raise InputError([Problem("--above", "", f"name a value for {output.name}: --above X "
                                      "or --below X")])
    if not math.isfinite(threshold):
        raise InputError([Problem("--target" if target is not None else
                                  "--above" if above is not None else "--below", str(threshold),
                                  "must be a finite number")])
    question = study.Question(output, float(threshold), above=below is None)
    values = {"target": target, "above": above, "below": below}
    asked = ["" if variable == "turnover" else variable, case, count, importer,
             "" if year is None else str(year),
             *(f"{key}-{value:.12g}" for key, value in values.items() if value is not None)]
    stem = "-".join([folder.resolve().name, "discover", *(part for part in asked if part)])
    results = (chosen_folder(out, name, stem) if out or name
               else folder.with_name(re.sub(r"[^\w.-]", "_", stem)))
    with results_folder(results, OUTPUTS) as work:
        with progress("Searching") as show:
            result = study.discover(sweep, question, method=method, seed=seed, progress=show)
        write(result, work, repeat_command("out", "name"))
    click.echo(outcome(result))
    click.echo(f"\nReport: {results / 'report.html'}")
