"""The command `report`: the report of results again, in any format."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, FORMATS, LANGUAGE, RESULTS, calibration_of


@click.command(epilog="""\b
Examples:
  tradesim report results/mine
  tradesim report results/mine --format brief
  tradesim report results/mine --format pdf --format docx
  tradesim report results/mine --language ru""")
@RESULTS
@FORMATS
@LANGUAGE
@CALIBRATION
def report(folder: Path, formats: tuple[str, ...], language: str,
           calibration: Path | None) -> None:
    """Write the report of results again, as a page, as PDF or for Word.

    Files appear beside the results: report.html, report.pdf and report.docx have the same
    sentences, tables and figures; brief.pdf and brief.docx have the first page alone.
    """
    from tradesim.reports import terminal
    from tradesim.reports.run.page import rebuild

    source = None if calibration is None else calibration_of(calibration)
    with terminal.progress("Computing all draws") as progress:
        written = rebuild(folder, source, formats or ("html",), language, progress)
    for path in written:
        click.echo(f"Report: {path}")
