"""From the names of scenarios to a folder with their comparison."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import xarray as xr

from tradesim.common.arrays import MILLION
from tradesim.common.errors import InputError, Problem
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.pair import Pair
from tradesim.inputs.scenario import Known, Scenario, read_scenario
from tradesim.inputs.scenario_text import Difference, differences
from tradesim.reports.compare.page import report as write_report
from tradesim.reports.compare.tables import outcomes, pages, phrases
from tradesim.reports.export import excel as workbook
from tradesim.reports.terminal import columns
from tradesim.reports.wording import plain
from tradesim.simulation.cache import Watch, fetch
from tradesim.simulation.model import load_baseline
from tradesim.simulation.results import DATA, MANIFEST
from tradesim.studies.compare import Comparison, compare, refuse_different
from tradesim.studies.compare_table import table

TABLE, PARQUET, WORKBOOK = "comparison.csv", "comparison.parquet", "comparison.xlsx"


@dataclass(frozen=True)
class Asked:
    """What is the same for all scenarios of a comparison; see `model.run`."""

    calibration: Path
    overrides: Sequence[str] = ()
    draws: int | None = None
    seed: int | None = None
    count: str | None = None

    @property
    def settings(self) -> list[str]:
        """Overrides with draws and seed among them."""
        return [*self.overrides, *(f"{key}={value}" for key, value in
                                   (("draws", self.draws), ("seed", self.seed))
                                   if value is not None)]


@dataclass(frozen=True)
class Compared:
    """A comparison with what a reader of it needs: names, and what differs in the inputs."""

    comparison: Comparison
    pair: Pair
    inputs: Mapping[str, Sequence[Difference]]


def compared(
    scenarios: Sequence[str], baseline: str, asked: Asked, *, cache: Path, force: bool = False,
    align: bool = False, say: Callable[[str], None] = lambda _: None,
    watch: Watch = lambda _: nullcontext(),
) -> Compared:
    """Run what is not kept yet, and put all side by side.

    Parameters
    ----------
    scenarios
        Scenario files, names of shipped scenarios, or folders of earlier runs.
    baseline
        Name of one of them, or another scenario to add.
    asked
        What is the same for all.
    cache, force, say, watch
        As for `runs.fetch`.
    align
        Cut all to the shortest horizon.

    Raises
    ------
    InputError
        With the problems of every scenario, before anything is simulated.
    """
    base = load_baseline(asked.calibration)
    wanted = list(dict.fromkeys(scenarios))
    if baseline not in {Path(name).stem for name in wanted}:
        wanted.insert(0, baseline)
    _check(wanted, base, asked, align)

    def get(name: str) -> xr.Dataset:
        return fetch(name, base, overrides=asked.overrides, draws=asked.draws, seed=asked.seed,
                     count=asked.count, cache=cache, force=force, say=say, watch=watch)

    datasets = [get(name) for name in wanted]
    place = next(place for place, name in enumerate(wanted)
                 if name == baseline or Path(name).stem == baseline)
    first = str(json.loads(datasets[place].attrs["scenario"])["name"])
    comparison = compare(*datasets, baseline=first, align=align)
    inputs = {name: differences(base.folder, base.parameters, base.levers,
                                Scenario.model_validate(comparison.scenario(name)))
              for name in comparison.names}
    return Compared(comparison, base.pair, inputs)


def _check(wanted: Sequence[str], base: Baseline, asked: Asked, align: bool) -> None:
    """Read every scenario before the first is run."""
    known = Known(base.parameters, base.levers, base.pair, base.specifications)
    problems: list[Problem] = []
    said: dict[str, dict[str, str]] = {}
    for name in wanted:
        if (Path(name) / DATA).is_file():
            continue
        try:
            scenario = read_scenario(name, known, asked.settings)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
            continue
        said[name] = {"draws": str(scenario.draws), "seed": str(scenario.seed)}
        if not align:
            said[name]["horizon"] = str(scenario.horizon)
    if problems:
        raise InputError(problems)
    refuse_different(said)


def leave(found: Compared, command: str, folder: Path, *, report: bool = True) -> None:
    """Write tables, workbook, figures and report into an existing folder.

    Parameters
    ----------
    found
        From `compared`.
    command
        The command that repeats it.
    folder
        Where to write.
    report
        Whether to draw figures and write the page.
    """
    comparison = found.comparison
    tidy = table(comparison)
    tidy.to_csv(folder / TABLE, index=False, float_format="%.6g", lineterminator="\n")
    if importlib.util.find_spec("pyarrow"):
        tidy.to_parquet(folder / PARQUET, index=False)
    if workbook.available():
        workbook.write(pages(comparison, found.pair, found.inputs), folder / WORKBOOK,
                       phrases()["identity"].format(identity=comparison.identity))
    if report:
        write_report(comparison, found.pair, found.inputs, command, folder)
    manifest = {"comparison": comparison.identity, "command": command,
                "baseline": comparison.baseline,
                "runs": {name: run.attrs["run_id"] for name, run in comparison.runs.items()},
                "seed": int(comparison.first.attrs["seed"]), "draws": comparison.draw_count,
                "hashes": json.loads(comparison.first.attrs["hashes"]),
                "created": datetime.now(UTC).isoformat(timespec="seconds")}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def lines(comparison: Comparison, pair: Pair) -> list[str]:
    """Short table for the terminal."""
    said = phrases()["terminal"]
    rows = [list(said["head"])]
    for row in outcomes(comparison):
        rows.append([row["name"], _range(row["average"]), _range(row["implemented"]),
                     _per_cent(row["chance"]["scenario"]), _per_cent(row["best"])])
    names = {"year": comparison.last, "baseline": comparison.baseline,
             "count": pair.name(comparison.count)}
    note = said["note"].format(target=f"{comparison.target / MILLION:,.0f}",
                               count=pair.name(comparison.target_count),
                               draws=f"{comparison.draw_count:,}")
    return [said["title"].format(**names), columns(rows), "", note]


def _range(three: Sequence[float]) -> str:
    places = 0 if max(map(abs, three)) >= 100 else 1
    middle, low, high = (plain(value, places=places) for value in three)
    return f"{middle} ({low} to {high})"


def _per_cent(share: float) -> str:
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.005 else "under 1 %"
