"""The command line: parse, call, print. What a command needs is imported when it runs."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim import __version__
from tradesim.cli import backtest as cli_backtest
from tradesim.cli import compare as cli_compare
from tradesim.cli import decompose as cli_decompose
from tradesim.cli import discover as cli_discover
from tradesim.cli import identify as cli_identify
from tradesim.cli import results as cli_results
from tradesim.cli import smart as cli_smart
from tradesim.cli import sweep as cli_sweep
from tradesim.cli.options import (
    CALIBRATION,
    SCENARIO,
    SET,
    Commands,
    calibration_of,
    complete_levers,
    complete_scenarios,
    results_folder,
)
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import scenarios_folder

if TYPE_CHECKING:
    from types import FrameType

    from tradesim.inputs.scenario_schema import Known

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
    """Run the commands; what they do stands in `HELP`."""


@cli.command(epilog="""\b
Examples:
  tradesim run base
  tradesim run mine.yaml --draws 500 --out quick
  tradesim run mine.yaml --set adjustment.speed=0.35 --set LEVER.start=2030""")
@SCENARIO
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for the results; results/NAME by default. An earlier run there is "
                   "replaced.")
@click.option("--draws", type=click.IntRange(min=1), help="Number of draws; 2,000 by default.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the random numbers; 1 by "
                                                         "default. Same seed, same results.")
@SET
@click.option("--count", metavar="NAME", help="Whose statistics the headline uses (a name under "
                                              "counts in pair.yaml); the target's by default.")
@CALIBRATION
@cli_results.FORMATS
@click.option("--no-report", is_flag=True, help="Save numbers only, without figures and report.")
def run(scenario: str, out: Path | None, draws: int | None, seed: int | None,
        overrides: tuple[str, ...], count: str | None, calibration: Path | None,
        formats: tuple[str, ...], no_report: bool) -> None:
    """Simulate SCENARIO and write results and a report.

    SCENARIO is a YAML file or the name of a scenario that comes with tradesim. The folder of
    results appears whole or not at all.
    """
    from tradesim.inputs.scenario import find

    folder = calibration_of(calibration)
    target = Path("results") / find(scenario).stem if out is None else out
    others = cli_results.others(formats, no_report)
    with results_folder(target) as work:
        from tradesim.inputs.pair import read_pair
        from tradesim.reports import terminal
        from tradesim.simulation import model, results, summary

        with terminal.progress("Simulating") as progress:
            dataset = model.run(scenario, calibration=folder, overrides=overrides, draws=draws,
                                seed=seed, count=count, progress=progress)
        results.save(dataset, work)
        headline, pair = summary.headline(dataset), read_pair(folder)
        if not no_report:
            from tradesim.reports.run.page import report

            page = report(work, folder)
            if others:
                from tradesim.reports.export.document import write

                write(page, others)
    click.echo(f"{dataset.attrs['title']}\n")
    click.echo(terminal.outcome(headline, pair))
    click.echo(f"Results: {target}" if no_report else f"Report: {target / 'report.html'}")


@cli.command(epilog="""\b
Examples:
  tradesim calibrate
  tradesim calibrate --as-of 2019 --out as-of-2019""")
@click.option("--as-of", type=int, metavar="YEAR", help="Use no data dated after this year.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder for posterior.nc and posterior.yaml; the calibration folder by "
                   "default.")
@click.option("--seed", type=click.IntRange(min=0), default=1, show_default=True,
              help="Seed of the random numbers.")
@click.option("--steps", type=click.IntRange(min=100), metavar="N",
              help="Steps of the sampler; more when it says that it has not converged.")
@click.option("--specification", "specifications", multiple=True, metavar="NAME",
              help="Fit this one too, of calibration/specifications.yaml; repeatable.")
@CALIBRATION
def calibrate(as_of: int | None, out: Path | None, seed: int, steps: int | None,
              specifications: tuple[str, ...], calibration: Path | None) -> None:
    """Fit the reference path to both countries' statistics.

    Fits every specification that has weight in calibration/weights.yaml. Prints what was
    believed before (prior) against what the statistics say (posterior).
    """
    from tradesim.reference.calibrate import calibrate as fit
    from tradesim.reports import terminal

    more = {} if steps is None else {"steps": steps}
    with terminal.progress("Calibrating") as progress:
        done = fit(calibration_of(calibration), as_of=as_of, out=out, seed=seed,
                   progress=progress, specifications=specifications, **more)
    click.echo(terminal.fitted(done.manifest["specifications"]))
    click.echo(f"\nWritten: {done.folder}")


@cli.command()
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


@cli.command(epilog="""\b
Examples:
  tradesim check                                   what comes with tradesim
  tradesim check mine.yaml more-scenarios/
  tradesim check --schema schema.json mine.yaml    also write a JSON Schema for editors""")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--schema", type=click.Path(path_type=Path), metavar="FILE",
              help="Write the JSON Schema of scenario files to FILE.")
@CALIBRATION
def check(paths: tuple[Path, ...], schema: Path | None, calibration: Path | None) -> None:
    """Check the calibration and scenario files.

    PATHS are scenario files, and folders of them; by default the scenarios that come with
    tradesim. All problems of all files are printed together.
    """
    folder = calibration_of(calibration)
    known = _check_calibration(folder)
    files = [file for path in paths or (scenarios_folder(),) for file in _files(path)]
    problems: list[Problem] = []
    for file in files:
        found = _check_scenario(file, known)
        problems += [problem for problem in found if problem not in problems]
        if not found:
            click.echo(f"{file}: no problems")
    if problems:
        raise InputError(problems)
    if schema is not None:
        _write_schema(schema, known)


@cli.command(epilog="""\b
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
    click.echo(f"Written: {path}\nNext: edit it, then tradesim check {path} and tradesim run "
               f"{path}")


def _check_calibration(folder: Path) -> Known:
    from tradesim.economy.levers.registry import check_levers
    from tradesim.inputs.history import read_history
    from tradesim.inputs.levers import read_levers
    from tradesim.inputs.pair import read_pair
    from tradesim.inputs.parameters import read_parameters
    from tradesim.inputs.scenario_schema import Known
    from tradesim.inputs.specifications import read_specifications, read_weights

    problems: list[Problem] = []
    known = pair = None
    with _gathered(problems):
        pair = read_pair(folder)
    with _gathered(problems):
        read_parameters(folder)
    with _gathered(problems):
        check_levers(read_levers(folder), folder / "levers.yaml", pair)
    if not problems and (folder / "data").is_dir():
        with _gathered(problems):
            read_history(folder)
        with _gathered(problems):
            read_specifications(folder)
            read_weights(folder)
    if not problems:
        with _gathered(problems):
            known = Known.read(folder)
    if known is None:
        raise InputError(problems)
    settings = sum(len(lever.settings) for lever in known.levers.values())
    absent = [name for name in ("data", "baseline") if not (folder / name).is_dir()]
    click.echo(f"{folder}: no problems ({len(known.parameters)} parameters, {len(known.levers)} "
               f"levers with {settings} settings"
               + (f"; no folder {' or '.join(absent)} to check)" if absent else ")"))
    return known


@contextlib.contextmanager
def _gathered(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except InputError as error:
        problems += [problem for problem in error.problems if problem not in problems]


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    if (path / "pair.yaml").is_file():
        raise InputError([Problem(str(path), "", "is a calibration folder, not one of scenarios",
                                  f"tradesim check --calibration {path}")])
    files = sorted([*path.glob("*.yaml"), *path.glob("*.yml")])
    if not files:
        raise InputError([Problem(str(path), "", "holds no scenario files (*.yaml)")])
    return files


def _check_scenario(file: Path, known: Known) -> list[Problem]:
    from tradesim.inputs.scenario import read_scenario

    problems: list[Problem] = []
    with _gathered(problems):
        read_scenario(file, known)
    return problems


def _write_schema(path: Path, known: Known) -> None:
    import json

    from tradesim.inputs.scenario import json_schema

    text = json.dumps(json_schema(known), indent=2, ensure_ascii=False) + "\n"
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError([Problem(str(path), "--schema", "cannot be written: "
                                  f"{error.strerror or error}")]) from error
    click.echo(f"Written: {path}")


cli.add_command(cli_compare.compare)
cli.add_command(cli_decompose.decompose)
cli.add_command(cli_decompose.goal)
cli.add_command(cli_sweep.sweep)
cli.add_command(cli_discover.discover)
cli.add_command(cli_backtest.backtest)
cli.add_command(cli_identify.identify)
cli.add_command(cli_smart.smart)
for command in cli_results.COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    for name in ("OPENBLAS", "OMP", "MKL"):
        os.environ.setdefault(f"{name}_NUM_THREADS", "1")
    signal.signal(signal.SIGTERM, _interrupt)
    cli(prog_name="tradesim")


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End like Ctrl-C, so that nothing half-written stays."""
    raise KeyboardInterrupt
