"""The command that sweeps over what is uncertain."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tradesim.cli.options import CALIBRATION, SET, Stopped, calibration_of, complete_scenarios
from tradesim.studies.sweep import MAIN_INDEX, METHODS

if TYPE_CHECKING:
    from tradesim.reports.terminal import Progress
    from tradesim.studies.sweep.plan import SweepPlan, SweepRequest

MANY = 4096
"""Rows from which several processes are worth their start."""

READABLE = 60_000_000
"""Numbers in a table up to which it is read whole for the report."""

SHOWN = 12


@click.command(epilog="""\b
Examples:
  tradesim sweep all_levers --method oat
  tradesim sweep all_levers --method sobol --n 1024 --over 'adjustment.*,posterior' --year 2035
  tradesim sweep mine.yaml --method grid --over 'LEVER.start=2028:2032,adjustment.speed'
  tradesim sweep sweeps/all_levers_sobol.yaml --scheduler tcp://10.0.0.1:8786""")
@click.argument("scenario", shell_complete=complete_scenarios)
@click.option("--method", type=click.Choice(METHODS), help="Design: one at a time, grid, Latin "
              "hypercube, Morris screening, Sobol indices.")
@click.option("--n", type=click.IntRange(min=1), help="Rows (lhs; 1,000 by default), trajectories "
              "(morris; 20), base points (sobol; 1,024).")
@click.option("--over", multiple=True, metavar="NAMES", help="Factors: names and patterns with "
              "commas between; NAME=LOW:HIGH gives a range. By default all parameters, settings "
              "of levers and the posterior.")
@click.option("--variable", "variables", multiple=True, metavar="NAME", help="Output to keep; "
              "turnover, welfare and target by default. May be repeated.")
@click.option("--year", "years", multiple=True, type=int, help="Year to keep; all by default. May "
              "be repeated.")
@click.option("--products", is_flag=True, help="Keep product groups apart.")
@click.option("--by-group", is_flag=True, help="Indices of policy, world, behaviour, calibration "
              "and data as a whole (sobol).")
@click.option("--second-order/--no-second-order", "second", default=None,
              help="Pairs of factors too (sobol): twice the runs. By default up to 12 factors.")
@click.option("--noise", is_flag=True, help="Draw at random what is not swept, instead of leaving "
              "it in its middle (lhs, sobol).")
@click.option("--levels", type=click.IntRange(min=2), help="Levels of each factor (grid); 5 by "
              "default.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the design; the scenario's by "
              "default.")
@SET
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR",
              help="Folder; results/NAME-sweep-METHOD by default.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes; the number of cores by "
              "default.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler, such as "
              "tcp://10.0.0.1:8786; 'local' starts a Dask cluster here.")
@click.option("--chunk", type=click.IntRange(min=1), default=1024, show_default=True,
              help="Rows of a chunk. Results do not depend on it.")
@click.option("--resume", is_flag=True, help="Go on where a stopped sweep was, and say so. That "
              "happens anyway.")
@click.option("--fresh", is_flag=True, help="Start over.")
@click.option("--yes", is_flag=True, help="Run even a very large grid.")
@click.option("--no-report", is_flag=True, help="Save numbers only, without figures and report.")
@click.option("--list", "listing", is_flag=True, help="List all factors and stop.")
@CALIBRATION
def sweep(scenario: str, out: Path | None, workers: int | None, scheduler: str | None, chunk: int,
          resume: bool, fresh: bool, no_report: bool, listing: bool, calibration: Path | None,
          **asked: Any) -> None:
    """Sweep over what is uncertain in SCENARIO, to see what drives the answer.

    SCENARIO is a scenario, or a YAML file of a sweep that extends one. Rows are evaluated in
    chunks, each kept as it comes: the same command goes on where a stopped one was.
    """
    from tradesim.studies.sweep.plan import prepare
    from tradesim.studies.sweep.run import finished

    if resume and fresh:
        raise click.UsageError("--resume goes on, --fresh starts over: name one")
    if calibration is not None:
        calibration = calibration_of(calibration).resolve()
    wish = _wish(scenario, asked, listing)
    plan = prepare(wish, calibration)
    if listing:
        click.echo(_listed(plan))
        return
    for note in plan.notes:
        _say(f"note: {note}")
    name = Path(scenario).stem if wish.scenario != scenario else plan.space.scenario.name
    target = out or Path("results") / (name if wish.scenario != scenario
                                       else f"{name}-sweep-{wish.method}")
    if not fresh and finished(plan, target):
        _say(f"{target} holds this sweep already; --fresh runs it again")
    else:
        if resume:
            _say(_found(target))
        _run(plan, target, workers or _cores(plan), scheduler, chunk, fresh,
             _leave if no_report else _report)
    click.echo(_outcome(target))
    page = target / "report.html"
    click.echo(f"Report: {page}" if page.exists() else f"Results: {target}")


def _wish(scenario: str, asked: dict[str, Any], listing: bool) -> SweepRequest:
    from dataclasses import replace

    from tradesim.studies.sweep.plan import SweepRequest, is_sweep_file, read_sweep_file

    asked["over"] = tuple(name.strip() for text in asked["over"] for name in text.split(",")
                          if name.strip())
    said = {key: value for key, value in asked.items() if value not in (None, (), False)
            or (key == "second" and value is not None)}
    if is_sweep_file(scenario):
        wish = read_sweep_file(Path(scenario))
        if more := said.pop("overrides", ()):
            said["overrides"] = (*wish.overrides, *more)
        return replace(wish, **said)
    if "method" not in said:
        if not listing:
            raise click.UsageError(f"--method is needed: one of {', '.join(METHODS)}")
        said["method"] = "lhs"
    return SweepRequest(scenario, **said)


def _cores(plan: SweepPlan) -> int:
    return (os.cpu_count() or 1) if plan.design.rows >= MANY else 1


def _run(plan: SweepPlan, target: Path, workers: int, scheduler: str | None, chunk: int,
         fresh: bool, extra: Callable[[Path], None]) -> None:
    from tradesim.common.parallel import open_mapper
    from tradesim.studies.sweep.run import begin, chunk_folder, sweep

    begin(plan, target, fresh, chunk)  # what is wrong with the folder, before workers start
    command = " ".join(["tradesim sweep", *map(shlex.quote, _arguments())])
    try:
        with open_mapper(workers, scheduler) as mapper, _bar() as progress:
            sweep(plan, target, mapper=mapper, fresh=fresh, chunk=chunk, command=command,
                  alone=workers > 1 or scheduler is not None, progress=progress, say=_say,
                  extra=extra)
    except KeyboardInterrupt as error:
        raise Stopped(f"stopped; what was done is kept in {chunk_folder(target)}: the same "
                       "command goes on") from error


def _report(work: Path) -> None:
    """Write figures and page, where the table fits in the memory."""
    from tradesim.reports.sweep import sweep_report
    from tradesim.studies.sweep.results import table_size

    if table_size(work) > READABLE:
        _say("the table is too large for figures and a report; indices.csv holds the indices")
        return
    sweep_report(work)


def _leave(work: Path) -> None:
    """Leave the numbers as they are."""


def _arguments() -> list[str]:
    """Arguments of this command, without those that only say how to run it."""
    context = click.get_current_context()
    found = [str(context.params["scenario"])]
    for parameter in context.command.params:
        value = context.params.get(str(parameter.name))
        if (parameter.name in ("scenario", "out", "workers", "scheduler", "chunk", "resume",
                               "fresh", "calibration",
                               "no_report", "listing") or value in (None, (), False)):
            if not (parameter.name == "second" and value is False):
                continue
            found.append("--no-second-order")
            continue
        option = parameter.opts[0]
        for one in value if isinstance(value, tuple) else (value,):
            found += [option] if one is True else [option, str(one)]
    return found


def _found(target: Path) -> str:
    from tradesim.studies.sweep.run import PLAN, chunk_folder

    folder = chunk_folder(target)
    if (folder / PLAN).exists():
        return f"resuming the sweep in {folder}"
    return f"nothing to resume for {target}; starting from the first row"


@contextmanager
def _bar() -> Iterator[Progress | None]:
    """Bar with evaluations a second and time left, where somebody watches."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    with Progress(TextColumn("{task.completed:,.0f} of {task.total:,.0f}"), BarColumn(),
                  TextColumn("{task.fields[rate]}"), TimeRemainingColumn(), TextColumn("left"),
                  console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1, rate="")

        def show(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total,
                       rate=f"{speed:,.0f} evaluations/s" if speed else "")

        yield show


def _say(line: str) -> None:
    click.echo(line, err=True)


def _listed(plan: SweepPlan) -> str:
    factors = plan.space.factors.values()
    cells = sum(item.kind == "cell" for item in factors)
    shown = [item for item in factors if item.kind not in ("cell", "column")]
    width = max(len(item.name) for item in shown)
    lines = [f"{item.name:{width}}  {item.group:11}  {item.title} [{item.unit}]" for item in shown]
    return "\n".join([*lines, f"and {cells} cells of the tables of the base year, by name or "
                      "pattern (market.*, tariff.*, freight.*), and single shocks (innovation.*)"])


def _outcome(target: Path) -> str:
    """Short table: the factors that move the main output most."""
    import json

    import pandas as pd

    from tradesim.reports.terminal import columns

    about = json.loads((target / "sweep.json").read_text(encoding="utf-8"))
    lines = [f"{about['rows']:,} evaluations of '{about['scenario']['title']}', method "
             f"{about['method']}, run {about['run_id']}"]
    if lost := about["failed"]:
        lines.append(f"{len(lost)} failed and are listed in sweep.json; {about['blocks_left_out']} "
                     f"of {about['blocks']:,} blocks of rows were left out of the indices")
    table = pd.read_csv(target / "indices.csv")
    names = [item["name"] for item in about["outputs"]]
    wanted = [name for name in names if name.startswith("turnover|") and "|effect|" in name
              and f"|{about['target']['count']}|" in name] or names
    table = table[(table["output"] == wanted[-1]) & (table["index"] == MAIN_INDEX[about["method"]])]
    if not len(table):
        return "\n".join(lines)
    table = table.iloc[table["value"].abs().fillna(-1.0).argsort(kind="stable")[::-1]]
    sure = about["method"] in ("oat", "grid")
    unit = next(item["unit"] for item in about["outputs"] if item["name"] == wanted[-1])
    scale = 1e6 if unit == "USD" and about["method"] in ("oat", "grid", "morris") else 1.0
    rows = [["factor", MAIN_INDEX[about["method"]], "" if sure else "95 % interval", ""]]
    for row in table.head(SHOWN).itertuples():
        value, low, high = (f"{number / scale:.3g}" for number in (row.value, row.low, row.high))
        rows.append([str(row.factor), value, "" if sure else f"{low} to {high}",
                     "" if row.distinguishable == "yes" else "not distinguishable from 0"])
    lines += ["", wanted[-1] + (", USD million" if scale > 1 else ""), columns(rows)]
    if (more := int(table["more_runs_needed"].max())) > 0:
        lines.append(f"about {more:,} more evaluations for intervals of ±0.05")
    return "\n".join(lines)
