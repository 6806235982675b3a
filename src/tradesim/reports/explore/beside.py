"""The explorer beside a comparison: the levers compared, to be moved by readers themselves."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

from tradesim.common.errors import InputError
from tradesim.common.files import program
from tradesim.common.output import whole_file
from tradesim.inputs.scenario import Known, Scenario, read_scenario
from tradesim.reports import language
from tradesim.reports.explore.page import HERE, page, script
from tradesim.simulation.manifest import calibration_hashes
from tradesim.simulation.model import load_baseline
from tradesim.studies.compare_runs import Asked, ComparedRuns
from tradesim.studies.explore.build import BASE, build

FILE = "explore.html"
FEWEST, PACKAGES = 200, 60
"""Draws that a page needs, and random packages to measure its error on."""


def beside(result: ComparedRuns, asked: Asked, command: str, target: Path, cache: Path) -> str:
    """Write the explorer of the levers of a comparison into a file.

    A page of the same scenarios, calibration and program is taken from the cache.

    Returns
    -------
    str
        Why there is no page, if there is none.
    """
    found = result.comparison
    scenarios = [Scenario.model_validate(found.scenario(name)) for name in found.names]
    levers = {name for scenario in scenarios for name in scenario.levers}
    draws = min(scenario.draws for scenario in scenarios)
    if not levers or draws < FEWEST:
        return "no scenario pulls a lever" if not levers else f"it needs {FEWEST} draws or more"
    try:
        text = _kept(scenarios, levers, asked, found.count, command, cache)
    except InputError as error:
        return str(error)
    target.write_text(text, encoding="utf-8", newline="\n")
    return ""


def _kept(scenarios: list[Scenario], levers: set[str], asked: Asked, count: str, command: str,
          cache: Path) -> str:
    base = load_baseline(asked.calibration)
    first = scenarios[0]
    start = read_scenario(BASE, Known(base.parameters, base.levers, base.pair),
                          [f"draws={min(first.draws, 1000)}", f"seed={first.seed}",
                           f"horizon={first.horizon}"])
    what = [program(), script(), (HERE / "style.css").read_text(encoding="utf-8"),
            language.code(), command, count, calibration_hashes(base.folder),
            [scenario.model_dump(exclude={"origins"}) for scenario in scenarios]]
    identity = sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]
    path = cache / f"explore-{identity}.html"
    if path.is_file():
        return path.read_text(encoding="utf-8")
    text = page(build(base, scenarios, start, count, levers=levers, packages=PACKAGES), command)
    with whole_file(path) as work:
        work.write_text(text, encoding="utf-8", newline="\n")
    return text
