"""What every question about one scenario begins with: read it, draw, and check the years asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import calibration_folder
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Scenario
from tradesim.simulation import model
from tradesim.simulation.draws import draw_all, years_of

DRAWS = 1000
"""Draws of a study where none are asked for."""


@dataclass(frozen=True, repr=False)
class Study:
    """A scenario and what questions about it need, read and checked."""

    base: Baseline
    scenario: Scenario
    count: str

    def __repr__(self) -> str:
        return (f"<tradesim.Study> {self.scenario.name}, {self.scenario.draws} draws, "
                f"{len(self.scenario.levers)} levers, {self.count} count")

    def until(self, years: Sequence[int]) -> Scenario:
        """Give the scenario up to the last of `years`; its draws and numbers stay the same."""
        return self.scenario.model_copy(update={"horizon": max(years)})

    def draw(self, scenario: Scenario) -> dict[str, Array]:
        """Draw everything uncertain; one draw stands in the middle of every distribution."""
        return draw_all(self.base, scenario, Cube.of(scenario.draws, scenario.seed))


def ask(path: str | Path, *, calibration: Path | None = None, overrides: Sequence[str] = (),
        draws: int | None = None, seed: int | None = None, count: str | None = None) -> Study:
    """Read a scenario and what it needs; parameters as for `model.run`.

    Raises
    ------
    InputError
        With every problem of the first input that has any.
    """
    base = model.load_baseline(calibration_folder() if calibration is None else calibration)
    scenario, described = model.ask(base, path, overrides, draws, seed, count)
    return Study(base, scenario, described["count"])


def check_years(study: Study, years: Sequence[int]) -> tuple[int, ...]:
    """Give the years in order, without doubles, or say which are outside the run."""
    known = years_of(study.base, study.scenario)
    wrong = [Problem("--year", str(year), f"is outside the run, which goes from {known[0]} to "
                     f"{known[-1]}") for year in years if year not in known]
    if wrong:
        raise InputError(wrong)
    return tuple(sorted({*years}))
