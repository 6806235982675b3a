"""The command `export`: results for other programs to read."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.cli.options import RESULTS
from tradesim.common.output import whole_file
from tradesim.common.text import no_formulas


@click.command(epilog="""\b
Examples:
  tradesim export results/mine
  tradesim export results/mine --out mine-iamc.csv""")
@RESULTS
@click.option("--format", "form", type=click.Choice(["iamc"]), default="iamc", show_default=True,
              help="iamc: model, scenario, region, variable, unit, year, value (read by pyam).")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE",
              help="File to write; iamc.csv in the folder by default.")
def export(folder: Path, form: str, out: Path | None) -> None:
    """Write results for other programs to read."""
    from tradesim.reports import terminal
    from tradesim.reports.export.iamc import to_iamc
    from tradesim.simulation.manifest import read_manifest
    from tradesim.simulation.whole import whole_results

    read_manifest(folder)
    target = folder / f"{form}.csv" if out is None else out
    with whole_file(target) as work:
        with terminal.progress("Computing all draws") as progress:
            dataset = whole_results(folder, progress=progress)
        table = no_formulas(to_iamc(dataset))
        table.to_csv(work, index=False, float_format="%.6g", lineterminator="\n")
    click.echo(f"Written: {target} ({len(table):,} rows)")
