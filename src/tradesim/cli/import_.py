"""The command `import`: take in files of trade statistics."""

from __future__ import annotations

import sys
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradesim.cli.options import CALIBRATION, calibration_of, note
from tradesim.common.errors import InputError, Problem
from tradesim.common.output import whole_file

if TYPE_CHECKING:
    from tradesim.studies.imported import Imported


@click.command("import", epilog="""\b
Examples:
  tradesim import TradeData.csv
  tradesim import exports.xlsx imports.xlsx --years 2021-2023 --out my-calibration
  tradesim import --example && tradesim import example_trade.csv --out my-calibration
  tradesim run eaeu_fta --calibration my-calibration""")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--as", "layout", default="auto", show_default=True, metavar="LAYOUT",
              help="Layout of the files: comtrade, comtrade-legacy, wits, baci, trademap, table, "
                   "or one of the calibration's own countries.")
@click.option("--years", metavar="YEARS", help="Years to take, such as 2019,2021-2023; all by "
                                               "default.")
@click.option("--count", metavar="NAME", help="Whose composition to follow; the importer's by "
                                              "default.")
@click.option("--unit", type=click.Choice(["usd", "thousand", "million"]),
              help="Unit of the values; what the layout says by default.")
@click.option("--digits", type=click.Choice(["2", "4", "6", "8", "10"]),
              help="Take product codes of this many digits only.")
@click.option("--accept-totals", is_flag=True,
              help="Go on where files do not add up to a total: their shares are used, official "
                   "totals stay.")
@click.option("--scenario", metavar="SCENARIO", help="Scenario for the answer before and after; "
                                                     "all agreements on duties by default.")
@click.option("--no-answer", is_flag=True, help="Do not run the model before and after.")
@click.option("--example", is_flag=True, help="Write a small made-up file to try, "
                                              "example_trade.csv.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="New calibration folder; without it nothing is written.")
@CALIBRATION
def import_(files: tuple[Path, ...], layout: str, years: str | None, count: str | None,
            unit: str | None, digits: str | None, accept_totals: bool, scenario: str | None,
            no_answer: bool, example: bool, out: Path | None, calibration: Path | None) -> None:
    """Take in what statistics say of the goods in trade.

    Reads files of UN Comtrade, WITS, BACI, Trade Map, customs, or a plain table, and prints what
    was judged before, what is documented now, and what it changes in the answer.
    """
    folder = calibration_of(calibration)
    if example:
        _write_example(folder)
        return
    if not files:
        raise InputError([Problem("FILE", "", "name one file or more",
                                  "tradesim import --example writes one to try")])
    _check_out(out)
    _check_scenario(scenario, folder, no_answer)
    from tradesim.reports import imported as texts
    from tradesim.studies.imported import read_files

    found = read_files(files, folder, layout=layout, years=years, count=count, unit=unit,
                       digits=None if digits is None else int(digits))
    click.echo(texts.files_text(found))
    click.echo(f"\n{texts.cells_text(found)}")
    if both := texts.discrepancies_text(found):
        click.echo(f"\n{both}")
    _accept(found, accept_totals)
    with _place(out) as work:
        _write(found, folder, work, scenario, no_answer)
    if out is not None:
        click.echo(f"\nWritten: {out}; next: tradesim run SCENARIO --calibration {out}")


def _write_example(folder: Path) -> None:
    from tradesim.inputs.trade_files.example import NAME, example

    target = Path(NAME)
    if target.exists():
        raise InputError([Problem(NAME, "--example", "is there already", "move it away first")])
    with whole_file(target, option="--example") as work:
        work.write_text(example(folder), encoding="utf-8", newline="\n")
    click.echo(f"Written: {NAME}, made-up trade of a made-up split; next: tradesim import {NAME}")


def _check_out(out: Path | None) -> None:
    if out is not None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError([Problem(str(out), "--out", "is not empty", "name a new folder")])


def _check_scenario(scenario: str | None, folder: Path, no_answer: bool) -> None:
    """Refuse a scenario that cannot be run, before the files are read."""
    from tradesim.inputs.scenario import Known, read_scenario
    from tradesim.studies.imported import has_posterior

    if scenario is None:
        return
    if no_answer:
        raise InputError([Problem("--scenario", scenario, "has no meaning with --no-answer")])
    if has_posterior(folder):
        read_scenario(scenario, Known.read(folder))


def _watched() -> bool:
    """Whether somebody sits at the terminal who can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def _accept(found: Imported, accepted: bool) -> None:
    """Go on where totals are not met only when the user says so."""
    from tradesim.reports.imported import gaps_text

    if not found.gaps:
        return
    text = gaps_text(found)
    if not accepted and not _watched():
        raise InputError([Problem("--accept-totals", "", text, "the files' shares can be used with "
                                  "official totals as they are: add --accept-totals")])
    note(f"\n{text}")
    if not accepted and not click.confirm("Use the shares of these files, official totals as they "
                                          "are?"):
        raise InputError([Problem("--accept-totals", "", "not accepted; nothing was written")])


def _place(out: Path | None) -> AbstractContextManager[Path | str]:
    from tradesim.common.output import whole

    return tempfile.TemporaryDirectory() if out is None else whole(out)


def _write(found: Imported, folder: Path, place: Path | str, scenario: str | None,
           no_answer: bool) -> None:
    from tradesim.inputs.trade_files.folder import write_calibration
    from tradesim.reports import terminal
    from tradesim.reports.imported import answers_text
    from tradesim.studies.imported import answers, has_posterior

    write_calibration(Path(place), folder, found.cells, found.documented, found.shares)
    if no_answer:
        return
    if not has_posterior(folder):
        note("The calibration has no posterior yet, so there is no answer to compare; run "
             "`tradesim calibrate`.")
        return
    with terminal.progress("Answering before and after") as progress:
        told = answers(folder, Path(place), scenario, progress=progress)
    click.echo(f"\n{answers_text(told)}")
