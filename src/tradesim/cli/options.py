"""What the modules of commands share: errors as plain lines, arguments, folders of results."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from tradesim.common.errors import ConvergenceError, InputError, Problem, TradesimError, nearest
from tradesim.common.files import calibration_folder, scenarios_folder, whole

OUTPUTS = ("report.html", "report.pdf", "report.docx", "figures", "summary.csv", "summary.json",
           "results.nc", "scenario.yaml", "manifest.json", "iamc.csv")
"""What a run leaves."""


class _Failure(click.ClickException):
    """Lines for standard error, and an exit code."""

    def show(self, file: Any = None) -> None:
        """Print the lines on standard error."""
        click.echo(self.message, err=True)


class _BadInput(_Failure):
    exit_code = 2


class _Unsolved(_Failure):
    exit_code = 3


class Stopped(_Failure):
    """Stopped by hand: exit code 130."""

    exit_code = 130


class Commands(click.Group):
    """The commands, with errors as plain lines: 2 bad input, 3 no solution, 130 stopped."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise _BadInput(str(error)) from error
        except ConvergenceError as error:
            raise _Unsolved(str(error)) from error
        except TradesimError as error:
            raise _Failure(str(error)) from error
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise
            raise _Failure(f"{error.filename or 'a file'}: {error.strerror or error}") from error
        except KeyboardInterrupt as error:
            raise Stopped("stopped; nothing was written") from error

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find a command, or say which one was probably meant."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            hint = nearest(name, self.commands)
            raise click.UsageError(f"no such command '{name}'" + (f"; {hint}" if hint else ""), ctx)
        return super().resolve_command(ctx, args)


def complete_scenarios(ctx: click.Context, param: click.Parameter,
                       incomplete: str) -> list[CompletionItem]:
    """Offer the shipped scenarios, and files."""
    names = sorted(path.stem for path in scenarios_folder().glob("*.yaml"))
    return [*(CompletionItem(name) for name in names if name.startswith(incomplete)),
            CompletionItem(incomplete, type="file")]


def complete_levers(ctx: click.Context, param: click.Parameter,
                    incomplete: str) -> list[CompletionItem]:
    """Offer the levers of the calibration."""
    from tradesim.inputs.strict_yaml import load

    try:
        names = load(calibration_folder() / "levers.yaml")
    except InputError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


SCENARIO = click.argument("scenario", shell_complete=complete_scenarios)
SET = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE",
                    help="Set a value over the file's; may be repeated.")
CALIBRATION = click.option(
    "--calibration", type=click.Path(path_type=Path), metavar="DIR",
    help="Calibration folder; the one that comes with tradesim by default.")


def calibration_of(folder: Path | None) -> Path:
    """Give the calibration folder asked for, or the one that comes with tradesim."""
    if folder is None:
        return calibration_folder()
    if not folder.is_dir():
        raise InputError([Problem(str(folder), "--calibration", "is not a folder")])
    return folder


@contextlib.contextmanager
def results_folder(target: Path, outputs: Collection[str] = OUTPUTS) -> Iterator[Path]:
    """Like `folders.whole`, for results: foreign files stay, empty parents go on failure.

    Parameters
    ----------
    target
        The folder to appear.
    outputs
        What the command leaves: a folder that holds anything else is not replaced.
    """
    if target.is_dir() and (others := {path.name for path in target.iterdir()} - set(outputs)):
        raise InputError([Problem(str(target), "--out", "holds other files ("
                                  f"{', '.join(sorted(others)[:3])}) and would be replaced",
                                  "name a new folder")])
    made = [parent for parent in target.parents if not parent.exists()]
    try:
        with whole(target) as work:
            yield work
    except BaseException:
        for parent in made:
            with contextlib.suppress(OSError):
                parent.rmdir()
        raise
