"""The commands `tradesim decompose` and `tradesim goal`: studies of one scenario."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tradesim.cli.options import CALIBRATION, SCENARIO, SET, calibration_of, results_folder

SHARED = ("report.html", "figures", "scenario.yaml", "manifest.json")
OUT = click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
                   help="Folder for the results; results/NAME-COMMAND by default.")
DRAWS = click.option("--draws", type=click.IntRange(min=1),
                     help="Number of draws; 1,000 by default.")
SEED = click.option("--seed", type=click.IntRange(min=0), help="Seed; that of the scenario by "
                                                               "default.")
COUNT = click.option("--count", metavar="NAME", help="Whose statistics to use; the target's by "
                                                     "default.")


def repeat(command: str, scenario: str, options: Mapping[str, Any]) -> str:
    """Give the command that repeats this, with the options that were given."""
    words = [f"tradesim {command} {shlex.quote(scenario)}"]
    for name, value in options.items():
        values = value if isinstance(value, tuple) else () if value is None else (value,)
        words += [f"--{name} {shlex.quote(str(one))}" for one in values]
    return " ".join(words)


def _target(out: Path | None, scenario: str, ending: str) -> Path:
    from tradesim.inputs.scenario import find

    return Path("results") / f"{find(scenario).stem}-{ending}" if out is None else out


@click.command(epilog="""\b
Examples:
  tradesim decompose all_levers
  tradesim decompose mine.yaml --year 2030 --year 2035 --out parts""")
@SCENARIO
@OUT
@DRAWS
@SEED
@SET
@COUNT
@CALIBRATION
@click.option("--year", "years", type=int, multiple=True, metavar="YEAR",
              help="Year to share out; the horizon by default; may be repeated.")
@click.option("--method", default="exact", show_default=True,
              help="exact, or permutations: sampled orders, for more than twelve levers.")
@click.option("--permutations", type=int, default=40, show_default=True,
              help="Orders by draw that --method permutations samples; an even number.")
def decompose(
    scenario: str, out: Path | None, draws: int | None, seed: int | None,
    overrides: tuple[str, ...], count: str | None, calibration: Path | None,
    years: tuple[int, ...], method: str, permutations: int,
) -> None:
    """Share out what SCENARIO changes among its levers.

    Every combination of levers is solved on the same draws. Shares add up to the whole in every
    draw; pairs that overlap, or help each other, are named.
    """
    folder = calibration_of(calibration)
    target = _target(out, scenario, "decompose")
    sampled = {} if method == "exact" else {"method": method, "permutations": permutations}
    command = repeat("decompose", scenario, {"set": overrides, "draws": draws, "seed": seed,
                                             "count": count, "calibration": calibration,
                                             "year": years, **sampled})
    with results_folder(target, (*SHARED, "decomposition.csv")) as work:
        from tradesim.inputs.levers import read_levers
        from tradesim.inputs.pair import read_pair
        from tradesim.reports import terminal
        from tradesim.reports.decompose import outcome, write
        from tradesim.studies.decompose import decompose as share_out

        with terminal.progress("Solving combinations") as progress:
            dataset = share_out(
                scenario, calibration=folder, overrides=overrides, draws=draws, seed=seed,
                count=count, years=years, method=method, permutations=permutations,
                command=command, progress=progress)
        pair = read_pair(folder)
        levers = read_levers(folder)
        write(dataset, work, pair,
              {name: levers[name].title for name in map(str, dataset["lever"].values)})
    click.echo(f"{dataset.attrs['title']}\n")
    click.echo(outcome(dataset, pair))
    click.echo(f"Report: {target / 'report.html'}")


@click.command(epilog="""\b
Examples:
  tradesim goal base --target 500e6 --year 2035
  tradesim goal all_levers --probability 0.6 --vary LEVER.probability,growth""")
@SCENARIO
@OUT
@DRAWS
@SEED
@SET
@COUNT
@CALIBRATION
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
    scenario: str, out: Path | None, draws: int | None, seed: int | None,
    overrides: tuple[str, ...], count: str | None, calibration: Path | None,
    target: float | None, year: int | None, probability: float, vary: str | None, certain: bool,
) -> None:
    """Find what it would take for SCENARIO to reach a target.

    Each setting moves within its bounds; where that is not enough, the answer says how close it
    gets. Also: in which year each case first reaches the target.
    """
    folder = calibration_of(calibration)
    place = _target(out, scenario, "goal")
    command = repeat("goal", scenario, {
        "set": overrides, "draws": draws, "seed": seed, "count": count,
        "calibration": calibration, "year": year,
        "target": None if target is None else f"{target:.10g}",
        "probability": f"{probability:.10g}", "vary": vary})
    with results_folder(place, (*SHARED, "goal.csv")) as work:
        from tradesim.inputs.levers import read_levers
        from tradesim.reports import terminal
        from tradesim.reports.goal import outcome, write
        from tradesim.studies.goal import IMPLEMENTED
        from tradesim.studies.goal import SCENARIO as RISKY
        from tradesim.studies.goal import goal as search

        named = [name.strip() for name in (vary or "").split(",") if name.strip()]
        with terminal.progress("Trying settings") as progress:
            answer = search(
                scenario, target=target, year=year, probability=probability, vary=named,
                case=IMPLEMENTED if certain else RISKY, calibration=folder, overrides=overrides,
                draws=draws, seed=seed, count=count, progress=progress,
                command=command + (" --if-implemented" if certain else ""))
        levers = read_levers(folder)
        pulled = (levers[name] for name in (*levers, *answer.asked.scenario.levers))
        write(answer, work, {item.name: f"{lever.title}: {item.title}"
                             for lever in pulled for item in lever.settings.values()})
    click.echo(f"{answer.asked.scenario.title}\n")
    click.echo(outcome(answer))
    click.echo(f"Report: {place / 'report.html'}")
