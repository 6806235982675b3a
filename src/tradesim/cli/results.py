"""Commands on what exists already: show, report, verify, export."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import CALIBRATION, SCENARIO, SET, calibration_of
from tradesim.common.errors import InputError, Problem, TradesimError

FOLDER = click.argument("folder", metavar="RESULTS_DIR", type=click.Path(path_type=Path))
FORMATS = click.option(
    "--format", "formats", multiple=True, type=click.Choice(["html", "pdf", "docx"]),
    help="Format of the report; may be repeated. html by default; pdf needs the extra [pdf], "
         "docx the extra [office].")


def others(formats: tuple[str, ...], no_report: bool) -> list[str]:
    """Give the formats besides HTML; what they need is looked for before the work."""
    names = [name for name in dict.fromkeys(formats) if name != "html"]
    if no_report and formats:
        raise InputError([Problem("--format", "", "has no meaning with --no-report")])
    if names:
        from tradesim.reports.export.document import writer

        for name in names:
            writer(name)
    return names


@click.command(epilog="""\b
Examples:
  tradesim show mine.yaml --set draws=500
  tradesim show results/mine""")
@SCENARIO
@SET
@CALIBRATION
def show(scenario: str, overrides: tuple[str, ...], calibration: Path | None) -> None:
    """Print SCENARIO resolved, or what made results.

    SCENARIO is a scenario, or a folder of results. Of a scenario, every value is printed with its
    origin; parents and settings are resolved, defaults of the levers stand as comments. Of a
    folder it tells the scenario, command, seed, draws, hashes and versions, and whether the same
    would come out today.
    """
    if Path(scenario).is_dir():
        from tradesim.simulation.provenance import lines, origin

        click.echo("\n".join(lines(origin(Path(scenario), calibration))))
        return
    from tradesim.inputs.scenario import Known, read_scenario
    from tradesim.inputs.scenario_text import resolved

    known = Known.read(calibration_of(calibration))
    click.echo(resolved(read_scenario(scenario, known, overrides), known), nl=False)


@click.command(epilog="""\b
Examples:
  tradesim report results/mine
  tradesim report results/mine --format pdf --format docx""")
@FOLDER
@FORMATS
@CALIBRATION
def report(folder: Path, formats: tuple[str, ...], calibration: Path | None) -> None:
    """Write the report of results again, or as PDF.

    Files appear beside the results: report.html, report.pdf, report.docx (for Word). All have the
    same sentences, tables and figures.
    """
    from tradesim.reports.run.page import rebuild

    source = None if calibration is None else calibration_of(calibration)
    for path in rebuild(folder, source, formats or ("html",)):
        click.echo(f"Report: {path}")


@click.command(epilog="""\b
Examples:
  tradesim verify results/mine
  tradesim verify results/mine --rerun""")
@FOLDER
@click.option("--rerun", is_flag=True, help="Also run the stored scenario.yaml again and compare "
                                            "summary.csv byte for byte.")
@CALIBRATION
def verify(folder: Path, rerun: bool, calibration: Path | None) -> None:
    """Check that results and inputs are unchanged.

    The files are compared with what the run wrote, the calibration with what the run read. Prints
    what differs, one line each, with exit code 1; or that all is well, with 0.
    """
    from tradesim.reports import terminal
    from tradesim.simulation.provenance import origin
    from tradesim.simulation.provenance import verify as differing

    try:
        found = origin(folder, None if calibration is None else calibration_of(calibration))
        with terminal.progress("Running again") as progress:
            wrong = differing(found, rerun=rerun, progress=progress)
    except InputError as error:
        if not (folder / "manifest.json").is_file():
            raise
        raise TradesimError(str(error)) from error
    if wrong:
        raise TradesimError("\n".join(wrong))
    said = "; running the stored scenario again gives the same summary.csv" if rerun else ""
    click.echo(f"{folder}: as run {found.manifest['run_id']} wrote it, and its inputs are "
               f"unchanged{said}")


@click.command(epilog="""\b
Examples:
  tradesim export results/mine
  tradesim export results/mine --out mine-iamc.csv""")
@FOLDER
@click.option("--format", "form", type=click.Choice(["iamc"]), default="iamc", show_default=True,
              help="iamc: model, scenario, region, variable, unit, year, value (read by pyam).")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="File to write; iamc.csv in the folder by default.")
def export(folder: Path, form: str, out: Path | None) -> None:
    """Write results for other programs to read."""
    from tradesim.reports.export.iamc import to_iamc
    from tradesim.simulation.results import load

    target = folder / f"{form}.csv" if out is None else out
    table = to_iamc(load(folder))
    work = target.with_name(f".{target.name}.part")
    try:
        table.to_csv(work, index=False, float_format="%.6g", lineterminator="\n")
        work.replace(target)
    finally:
        work.unlink(missing_ok=True)
    click.echo(f"Written: {target} ({len(table):,} rows)")


COMMANDS = (show, report, verify, export)
