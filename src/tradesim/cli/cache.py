"""The command `cache`: the runs that comparisons keep."""

from __future__ import annotations

from pathlib import Path

import click

from tradesim.common.errors import InputError, Problem

MEGABYTE = 2**20


@click.command(epilog="""\b
Examples:
  tradesim cache
  tradesim cache --prune
  tradesim cache --prune --limit 0""")
@click.option("--cache", "folder", type=click.Path(path_type=Path), metavar="DIR",
              envvar="TRADESIM_CACHE", default=Path("results") / "cache", show_default=True,
              help="Folder of kept runs.")
@click.option("--prune", is_flag=True, help="Remove runs of other versions of the program, and "
                                            "those beyond the limit that were not used for "
                                            "longest.")
@click.option("--limit", type=click.IntRange(min=0), metavar="MB",
              help="Megabytes that may stay; 2,048 by default, as after every comparison.")
def cache(folder: Path, prune: bool, limit: int | None) -> None:
    """Show which runs comparisons keep, and remove what is not needed."""
    from tradesim.simulation import cache as kept

    if limit is not None and not prune:
        raise InputError([Problem("--limit", str(limit), "needs --prune")])
    if not folder.is_dir() and (folder.exists() or folder.parent.is_file()):
        raise InputError([Problem(str(folder), "--cache", "is not a folder")])
    gone = (kept.prune(folder, kept.LIMIT if limit is None else limit * MEGABYTE)
            if prune else [])
    for entry in gone:
        click.echo(f"removed: {_line(entry.scenario, entry.draws, entry.size)}")
    entries = kept.entries(folder)
    for entry in entries:
        old = "" if entry.fresh else ", of another version of the program"
        click.echo(f"{_line(entry.scenario, entry.draws, entry.size)}, used "
                   f"{entry.used:%Y-%m-%d %H:%M} UTC{old}")
    total = sum(entry.size for entry in entries)
    click.echo(f"{folder}: {len(entries)} runs, {total / MEGABYTE:,.1f} of "
               f"{kept.LIMIT / MEGABYTE:,.0f} MB")


def _line(scenario: str, draws: int, size: int) -> str:
    return f"{scenario}, {draws:,} draws, {size / MEGABYTE:,.1f} MB"
