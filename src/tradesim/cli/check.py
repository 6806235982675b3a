"""The command `check`: all problems of calibration and scenarios at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim.cli.options import CALIBRATION, calibration_of
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import DISPLAY, scenarios_folder
from tradesim.common.output import whole_file

if TYPE_CHECKING:
    from tradesim.inputs.scenario_schema import Known


@click.command(epilog="""\b
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
    with (contextlib.nullcontext() if schema is None
          else whole_file(schema, option="--schema")) as work:
        known = _checked(paths, calibration_of(calibration))
        if work is not None:
            _write_schema(work, known)
    if schema is not None:
        click.echo(f"Written: {schema}")


def _checked(paths: tuple[Path, ...], folder: Path) -> Known:
    """Check a calibration and scenarios, and say what is fine."""
    known, fine = _check_calibration(folder)
    files = [file for path in paths or (scenarios_folder(),) for file in _files(path)]
    problems: list[Problem] = []
    good = [fine]
    for file in files:
        wrong = _check_scenario(file, known)
        problems += [problem for problem in wrong if problem not in problems]
        good += [] if wrong else [f"{file}: no problems"]
    for line in good[1:] if problems else good:
        click.echo(line)
    if problems:
        raise InputError(problems)
    return known


def _check_calibration(folder: Path) -> tuple[Known, str]:
    """Read all of a calibration, and give the line that says so."""
    from tradesim.economy.levers.registry import check_levers
    from tradesim.inputs.geography import read_geography
    from tradesim.inputs.history import read_history
    from tradesim.inputs.levers import read_levers
    from tradesim.inputs.pair import read_pair
    from tradesim.inputs.parameters import read_parameters
    from tradesim.inputs.posterior import RERUN
    from tradesim.inputs.scenario_schema import Known
    from tradesim.inputs.titles import read_titles
    from tradesim.simulation.model import load_baseline

    problems: list[Problem] = []
    known = pair = None
    with _gathered(problems):
        pair = read_pair(folder)
    with _gathered(problems):
        read_parameters(folder)
    with _gathered(problems):
        check_levers(read_levers(folder), folder / "levers.yaml", pair)
    with _gathered(problems):
        read_titles(folder / DISPLAY)
    with _gathered(problems):
        if pair:
            read_geography(folder, pair)
    absent = [name for name in ("data", "baseline") if not (folder / name).is_dir()]
    if not problems and "data" not in absent:
        with _gathered(problems):
            read_history(folder)
    if not problems:
        with _gathered(problems):
            known = Known.read(folder)
    left: list[Problem] = []
    if not problems and not absent:
        with _gathered(left):
            load_baseline(folder)
    problems += [problem for problem in left if problem.hint != RERUN]
    if known is None or problems:
        raise InputError(problems)
    for problem in left:
        click.echo(f"To do: {problem}", err=True)
    settings = sum(len(lever.settings) for lever in known.levers.values())
    missing = f"; no folder {' or '.join(absent)} to check" if absent else ""
    return known, (f"{folder}: no problems ({len(known.parameters)} parameters, "
                   f"{len(known.levers)} levers with {settings} settings{missing})")


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

    path.write_text(json.dumps(json_schema(known), indent=2, ensure_ascii=False) + "\n",
                    encoding="utf-8", newline="\n")
