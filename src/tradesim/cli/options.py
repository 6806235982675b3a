"""What commands share: errors as plain lines, options, folders of results, how to repeat them."""

from __future__ import annotations

import errno
import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from tradesim.common.errors import (
    WRONG_NAME,
    ConvergenceError,
    InputError,
    Problem,
    TradesimError,
    nearest,
)
from tradesim.common.files import calibration_folder, neighbours, scenarios_folder
from tradesim.common.output import sweep_up
from tradesim.common.text import control
from tradesim.reports.letters import told

F = TypeVar("F", bound=Callable[..., Any])


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
            with told(note):
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
            kind = _BadInput if error.errno in WRONG_NAME else _Failure
            raise kind(f"{error.filename or 'a file'}: {error.strerror or error}") from error
        except MemoryError as error:
            raise _Failure("the memory is not enough for this; ask for fewer draws, rows or "
                           "workers") from error
        except KeyboardInterrupt as error:
            raise Stopped("stopped; nothing was written") from error

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse words that are no text before anything is done with them."""
        for word in args:
            if found := control(word):
                raise click.UsageError(f"{word!a} holds what is no text ({found}): rename the "
                                       "file, or write the value as UTF-8", ctx)
        return super().parse_args(ctx, args)

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


class Whole(click.IntRange):
    """A whole number up to a limit that the help need not name."""

    def __init__(self, least: int, most: int, beyond: str) -> None:
        super().__init__(min=least)
        self.most, self.beyond = most, beyond

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a number, or say what is allowed."""
        number = int(super().convert(value, param, ctx))
        if number > self.most:
            self.fail(f"{number:,} is {self.beyond.format(most=f'{self.most:,}')}", param, ctx)
        return number


MAX_DRAWS, MAX_SEED = 1_000_000, 2**63 - 1
TOO_MANY = "too many; at most {most} are allowed"
DRAWS = Whole(1, MAX_DRAWS, TOO_MANY)
SEEDS = Whole(0, MAX_SEED, "too large; the largest allowed is {most}")
"""Numbers of draws and seeds that a scenario may have (`inputs.scenario_schema`)."""

SCENARIO = click.argument("scenario", shell_complete=complete_scenarios)
SET = click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE",
                    help="Set a value over the file's; may be repeated, and the last wins.")
COUNT = click.option("--count", metavar="NAME", help="Whose statistics to use; the target's by "
                                                     "default.")
SEED = click.option("--seed", type=SEEDS, help="Seed; that of the scenario by "
                                                               "default.")
STUDY_DRAWS = click.option("--draws", type=DRAWS, help="Number of draws; 1,000 by default.")
JOBS = click.option("--jobs", type=click.IntRange(min=1),
                    help="Processes; the number of cores by default.")
RESULTS = click.argument("folder", metavar="RESULTS_DIR", type=click.Path(path_type=Path))
FORMATS = click.option(
    "--format", "formats", multiple=True,
    type=click.Choice(["html", "brief", "pdf", "docx", "pptx"]),
    help="Format of the report; may be repeated. html by default; brief is its first page alone, "
         "as PDF and for Word; pptx is five slides; pdf needs the extra [pdf], docx and pptx the "
         "extra [office].")
LANGUAGE = click.option(
    "--language", type=click.Choice(["en", "ru", "mn", "kk"]), default="en", show_default=True,
    envvar="TRADESIM_LANGUAGE", help="Language of the report (ISO 639-1 code). What is not "
                                     "translated yet stays English.")
CALIBRATION = click.option(
    "--calibration", type=click.Path(path_type=Path), metavar="DIR",
    help="Calibration folder; the one that comes with tradesim by default.")


def study_options(command: F) -> F:
    """Add the argument and the options of every study of one scenario."""
    for option in (CALIBRATION, COUNT, SET, SEED, STUDY_DRAWS, SCENARIO):
        command = option(command)
    return command


def note(line: str) -> None:
    """Print a line on standard error."""
    click.echo(line, err=True)


def other_formats(formats: tuple[str, ...], no_report: bool) -> list[str]:
    """Give the formats besides HTML; what they need is looked for before the work."""
    names = [name for name in dict.fromkeys(formats) if name != "html"]
    if no_report and formats:
        raise InputError([Problem("--format", "", "has no meaning with --no-report")])
    if names:
        from tradesim.reports.export.document import writers

        writers(names)
    return names


def repeat_command(*unsaid: str, always: Collection[str] = ()) -> str:
    """Command line that repeats the current command, quoted for a shell.

    Parameters
    ----------
    unsaid
        Parameters to leave out: they do not change the results.
    always
        Options to name even at their default.
    """
    context = click.get_current_context()
    words = ["tradesim", str(context.info_name)]
    for parameter in context.command.params:
        name = str(parameter.name)
        value = context.params[name]
        values = value if isinstance(value, tuple) else (value,)
        if name in unsaid or value is None:
            continue
        if isinstance(parameter, click.Argument):
            words += map(str, values)
        elif isinstance(value, bool):
            words += (parameter.opts if value else parameter.secondary_opts)[:1]
        elif name in always or value != parameter.default:
            for one in values:
                words += [parameter.opts[0], f"{one:.10g}" if isinstance(one, float) else str(one)]
    return shlex.join(words)


def calibration_of(folder: Path | None) -> Path:
    """Give the calibration folder asked for, or the one that comes with tradesim."""
    if folder is None:
        return calibration_folder()
    from tradesim.inputs.pair import PAIR_FILE

    if not folder.exists():
        sweep_up(folder.parent, folder.name)  # a killed process may have left it under another name
    if not (folder / PAIR_FILE).exists():
        what = f"holds no {PAIR_FILE}" if folder.is_dir() else "is not a folder"
        raise InputError([Problem(str(folder), "--calibration", what,
                                  nearest(folder.name, neighbours(folder, PAIR_FILE))
                                  or f"a calibration is a copy of {calibration_folder()}, changed")
                          ])
    return folder
