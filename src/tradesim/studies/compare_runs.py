"""Runs of several scenarios on the same draws, with what differs in their inputs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.pair import Pair
from tradesim.inputs.scenario import Known, Scenario, read_scenario
from tradesim.inputs.scenario_text import Difference, differences
from tradesim.simulation.cache import Watch, fetch
from tradesim.simulation.manifest import DATA
from tradesim.simulation.model import load_baseline
from tradesim.studies.compare import Comparison, compare, refuse_different


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
class ComparedRuns:
    """A comparison with what a reader of it needs: names, and what differs in the inputs."""

    comparison: Comparison
    pair: Pair
    inputs: Mapping[str, Sequence[Difference]]


def compare_runs(
    scenarios: Sequence[str], baseline: str, asked: Asked, *, cache: Path, force: bool = False,
    align: bool = False, say: Callable[[str], None] = lambda _: None,
    watch: Watch = lambda _: nullcontext(),
) -> ComparedRuns:
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
    if len(wanted) < 2:
        raise InputError([Problem("compare", baseline, "at least one scenario besides the baseline "
                                  "is needed")])
    _check(wanted, base, asked, align)

    def get(name: str) -> xr.Dataset:
        return fetch(name, base, overrides=asked.overrides, draws=asked.draws, seed=asked.seed,
                     count=asked.count, cache=cache, force=force, say=say, watch=watch)

    datasets = [get(name) for name in wanted]
    index = next(index for index, name in enumerate(wanted)
                 if name == baseline or Path(name).stem == baseline)
    first = str(json.loads(datasets[index].attrs["scenario"])["name"])
    comparison = compare(*datasets, baseline=first, align=align)
    inputs = {name: differences(base.folder, base.parameters, base.levers,
                                Scenario.model_validate(comparison.scenario(name)))
              for name in comparison.names}
    return ComparedRuns(comparison, base.pair, inputs)


def _check(wanted: Sequence[str], base: Baseline, asked: Asked, align: bool) -> None:
    """Read every scenario before the first is run."""
    known = Known(base.parameters, base.levers, base.pair)
    problems: list[Problem] = []
    common: dict[str, dict[str, str]] = {}
    for name in wanted:
        if (Path(name) / DATA).is_file():
            continue
        try:
            scenario = read_scenario(name, known, asked.settings)
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
            continue
        common[name] = {"draws": str(scenario.draws), "seed": str(scenario.seed)}
        if not align:
            common[name]["horizon"] = str(scenario.horizon)
    if problems:
        raise InputError(problems)
    refuse_different(common)
