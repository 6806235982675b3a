"""Folders of results: how they are named, and what is said when an earlier one is replaced."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click

from tradesim.cli.options import note
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import content
from tradesim.common.output import MANIFEST, RUN_OUTPUTS, refuse_strangers, strangers, whole

F = TypeVar("F", bound=Callable[..., Any])

ROOT = Path("results")
STUDY_OUTPUTS = ("report.html", "figures", "scenario.yaml", MANIFEST)
"""Files and folders that every study of one scenario writes."""

OUT = click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
                   help="Folder for the results, in place of the one in results. What an earlier "
                        "command left there is replaced.")
NAME = click.option("--name", metavar="NAME", help="Name of the folder in results, so that results "
                    "of several variants stand beside each other: results/NAME.")


def results_options(command: F) -> F:
    """Add the options that say where results go."""
    return OUT(NAME(command))


def chosen_folder(out: Path | None, name: str | None, default: str) -> Path:
    """Folder for results: the one asked for, ``results/NAME``, or that of the default name.

    Raises
    ------
    InputError
        When both are given, or the name is not that of a folder.
    """
    if name is None:
        return ROOT / default if out is None else out
    if out is not None:
        raise InputError([Problem("--name", name, "names a folder in results, and --out another; "
                                  "give one of them")])
    if Path(name).name != name or name.startswith(".") or "\\" in name:
        raise InputError([Problem("--name", name, "must be the name of a folder, without / or a "
                                  "dot in front", "--out DIR writes anywhere")])
    return ROOT / name


def study_folder(out: Path | None, name: str | None, scenario: str) -> Path:
    """Folder for a study of a scenario: as asked for, or results/SCENARIO-COMMAND."""
    from tradesim.inputs.scenario import find

    command = click.get_current_context().info_name
    return chosen_folder(out, name, f"{find(scenario).stem}-{command}")


@contextlib.contextmanager
def results_folder(target: Path, outputs: Collection[str] = RUN_OUTPUTS,
                   option: str = "--out") -> Iterator[Path]:
    """Like `output.whole`, and say what is replaced.

    A folder that holds anything besides `outputs` is not replaced.
    """
    named = "--out or --name" if option == "--out" else option
    refuse_strangers(target, outputs, option, f"name a new folder with {named}")
    before, earlier = _files(target), _earlier(target)
    with whole(target, option=option) as work:
        yield work
        now = _files(work)
    if before:
        note(f"Replaced: {target}{earlier}")
    if lost := sorted(before - now):
        note(f"Gone with it, since this command did not write "
             f"{'it' if len(lost) == 1 else 'them'} again: {', '.join(lost)}")


def _files(folder: Path) -> set[str]:
    return set(strangers(folder, ()))


def _earlier(folder: Path) -> str:
    """Say what a folder holds by its manifest, or nothing where that cannot be read."""
    try:
        kept = json.loads(content(folder / MANIFEST))
        return f" ({kept['draws']:,} draws, `{kept['command']}`)"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
