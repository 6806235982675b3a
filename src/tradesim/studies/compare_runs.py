"""Runs of several scenarios on the same draws, with what differs in their inputs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from tradesim.common.errors import InputError, Problem
from tradesim.common.memory import refuse_too_much
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.pair import Pair
from tradesim.inputs.scenario import Scenario
from tradesim.inputs.scenario_text import Difference, differences
from tradesim.simulation import model, results
from tradesim.simulation.cache import COMPARED, Watch, fetch, fetch_earlier
from tradesim.simulation.manifest import DATA, MANIFEST
from tradesim.simulation.model import FIXED, bytes_of_draw, load_baseline
from tradesim.studies.comparable import (
    among,
    refuse_closures,
    refuse_different,
    refuse_same_names,
)
from tradesim.studies.compare import Comparison, compare

TIMES = 3.0
"""How often the draws of all runs count in the memory.

Measured: 3 and 7 runs of 1,000 draws, 20 kB each, peak at 0.66 and 0.84 GB; 1.5 and 1.7 are
estimated.
"""


@dataclass(frozen=True)
class Asked:
    """What is the same for all scenarios of a comparison; see `model.run`."""

    calibration: Path
    overrides: Sequence[str] = ()
    draws: int | None = None
    seed: int | None = None
    count: str | None = None


@dataclass(frozen=True)
class ComparedRuns:
    """A comparison with what a reader of it needs: names, and what differs in the inputs."""

    comparison: Comparison
    pair: Pair
    inputs: Mapping[str, Sequence[Difference]]


def compare_runs(
    scenarios: Sequence[str], baseline: str, asked: Asked, *, cache: Path, force: bool = False,
    align: bool = False, shown: Sequence[str] = (), say: Callable[[str], None] = lambda _: None,
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
        As for `cache.fetch`.
    align
        Cut all to the shortest horizon.
    shown
        Scenarios that will be shown apart, which must be among those compared.

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
    index = next(index for index, name in enumerate(wanted)
                 if name == baseline or Path(name).stem == baseline)
    earlier = {name: results.load(Path(name)) for name in wanted
               if any(os.path.lexists(Path(name) / file) for file in (DATA, MANIFEST))}
    found = _check(wanted, base, asked, earlier, align=align)
    names = [scenario.name for scenario, _ in found]
    among(shown, [name for name in names if name != names[index]])
    refuse_too_much("--draws", found[0][0].draws, TIMES * sum(
        bytes_of_draw(base, scenario, COMPARED) for scenario, _ in found), FIXED, "draws")

    options: dict[str, Any] = {"cache": cache, "force": force, "say": say, "watch": watch}
    datasets = [fetch_earlier(base, Path(name), earlier[name], **options) if name in earlier
                else fetch(base, scenario, described, **options)
                for name, (scenario, described) in zip(wanted, found, strict=True)]
    comparison = compare(*datasets, baseline=names[index], align=align)
    by_name = {scenario.name: scenario for scenario, _ in found}
    inputs = {name: differences(base.folder, base.parameters, base.levers, by_name[name])
              for name in comparison.names}
    return ComparedRuns(comparison, base.pair, inputs)


def _check(wanted: Sequence[str], base: Baseline, asked: Asked,
           earlier: Mapping[str, xr.Dataset],
           *, align: bool) -> list[tuple[Scenario, Mapping[str, Any]]]:
    """Read every scenario before the first is run, with what identifies its run."""
    problems: list[Problem] = []
    found: list[tuple[Scenario, Mapping[str, Any]]] = []
    for name in wanted:
        if name in earlier:
            attrs = earlier[name].attrs
            found.append((Scenario.model_validate_json(attrs["scenario"]), attrs))
            continue
        try:
            found.append(model.ask(base, name, asked.overrides, asked.draws, asked.seed,
                                   asked.count))
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise InputError(problems)
    every = [described for _, described in found]
    refuse_same_names(every)
    refuse_closures(every)
    keys = ("draws", "seed") if align else ("draws", "seed", "horizon")
    refuse_different({name: {
        **{key: str(getattr(scenario, key)) for key in keys},
        "count": str(described["count"]), "calibration": str(described["hashes"])}
        for name, (scenario, described) in zip(wanted, found, strict=True)})
    return found
