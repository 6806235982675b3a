"""A scenario made ready for many questions: what a question does not move is not done again.

Draws, base year and reference path are made once. A question is the scenario with some settings
changed; its answer has the numbers that `model.simulate` gives for that scenario on the same
draws, to the last digit.
"""

from __future__ import annotations

import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array, total
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import calibration_folder
from tradesim.common.parallel import Progress, blocks, each_block
from tradesim.economy.variables import VARIABLES
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Scenario, Settings, overrides_of, read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation.arguments import checked
from tradesim.simulation.draws import Cases, Draws, draw_all, standard_cases
from tradesim.simulation.labels import RESIDUAL, as_dataset
from tradesim.simulation.model import block_size, load_baseline, simulate_block
from tradesim.simulation.prepared import Before, prepare
from tradesim.simulation.subsets import Solved, as_subset, solve

TRADE = ("trade", "turnover", "project_trade")
"""Variables for which the partner's sales are enough: cells that a move leaves alone are kept."""


@dataclass(frozen=True)
class KeptCube(Cube):
    """A cube whose random columns are made once."""

    columns: dict[str, Array] = field(default_factory=dict)

    def column(self, name: str) -> Array:
        """Column of a name, shape (draw,), strictly between 0 and 1."""
        if name not in self.columns:
            self.columns[name] = super().column(name)
        return self.columns[name]


@dataclass
class _Block:
    """What is kept of a block of draws from one question to the next."""

    rows: slice
    before: Before | None = None
    solved: Solved | None = None


@dataclass(frozen=True, repr=False)
class PreparedModel:
    """A scenario on its draws; made by `prepare_model` or `of`.

    Attributes
    ----------
    base, scenario
        The calibration and the scenario as read.
    path, overrides
        Where it was read from, and settings over it.
    """

    base: Baseline
    scenario: Scenario
    path: str | Path = ""
    overrides: tuple[str, ...] = ()
    _cube: Cube = field(default_factory=Cube.point)
    _blocks: tuple[_Block, ...] = ()
    _drawn: list[tuple[Scenario, Draws]] = field(default_factory=list)

    @classmethod
    def of(cls, base: Baseline, scenario: Scenario, path: str | Path = "",
           overrides: Sequence[str] = ()) -> PreparedModel:
        """Make ready a scenario that was read."""
        cube = KeptCube.of(scenario.draws, scenario.seed)
        parts = blocks(scenario.draws, block_size(base, scenario))
        return cls(base, scenario, path, tuple(overrides), cube, tuple(map(_Block, parts)))

    def __repr__(self) -> str:
        return (f"<tradesim.PreparedModel> {self.scenario.name}, {self.scenario.draws} draws, "
                f"{len(self.scenario.levers)} levers")

    def _repr_html_(self) -> str:
        heading = f"{self.scenario.title} ({self.scenario.name}), {self.scenario.draws} draws"
        levers = ", ".join(self.scenario.levers) or "none"
        return f"<p><b>{html.escape(heading)}</b><br>Levers: {html.escape(levers)}</p>"

    @checked
    def run(self, settings: Settings | str | Sequence[str] = (), *,
            levers: str | Sequence[str] | None = None,
            outputs: str | Sequence[str] = ("turnover",),
            cases: str | Sequence[str] | None = None,
            progress: Progress | None = None) -> xr.Dataset:
        """Simulate the scenario with some settings changed.

        Parameters
        ----------
        settings
            Values over the scenario's: ``{"eaeu_fta.start": 2030, "altai_road": None,
            "growth": "record"}``, or the same as texts ``key=value``.
        levers
            Levers that may be pulled, the others are switched off; all by default.
        outputs
            Which of `variables.VARIABLES` to compute.
        cases
            Which of ``reference``, ``scenario`` and ``if_implemented``; all by default.
        progress
            Called with draws done and draws in all.

        Returns
        -------
        xarray.Dataset
            The numbers of `model.simulate`.

        Raises
        ------
        InputError
            When settings, levers, outputs or cases are not possible, or settings change draws or
            seed.
        """
        scenario = self.asked(settings)
        draws = self.draws(scenario)
        switches = standard_cases(self.base, scenario, draws)
        levers = [levers] if isinstance(levers, str) else levers
        outputs = [outputs] if isinstance(outputs, str) else outputs
        cases = [cases] if isinstance(cases, str) else cases
        if cases is not None and not cases:
            raise InputError([Problem("cases", "", "must name one of: " + ", ".join(switches))])
        _check("cases", cases or (), switches)
        _check("outputs", outputs, VARIABLES)
        _check("levers", levers or (), scenario.levers)
        chosen = {case: {lever: switch if levers is None or lever in levers else np.array(0.0)
                         for lever, switch in by_lever.items()}
                  for case, by_lever in switches.items() if cases is None or case in cases}
        return self.answer(scenario, chosen, outputs, progress=progress)

    def asked(self, settings: Settings | str | Sequence[str]) -> Scenario:
        """Read the scenario with some settings changed."""
        texts = overrides_of(settings)
        if not texts:
            return self.scenario
        base = self.base
        scenario = read_scenario(self.path, Known(base.parameters, base.levers, base.pair),
                                 [*self.overrides, *texts])
        problems = [Problem("settings", key, f"is {getattr(self.scenario, key)} since the model "
                            "was prepared, and stays") for key in ("draws", "seed")
                    if getattr(scenario, key) != getattr(self.scenario, key)]
        if problems:
            raise InputError(problems)
        return scenario

    def draws(self, scenario: Scenario) -> Draws:
        """Draw what the scenario leaves to chance; what was drawn before is taken again."""
        before = self._drawn[-1] if self._drawn else None
        if before is None or before[0] != scenario:
            self._drawn[:] = [(scenario, draw_all(self.base, scenario, self._cube, before))]
        return self._drawn[-1][1]

    def answer(self, scenario: Scenario, cases: Cases, outputs: Collection[str], *,
               growth: float = 0.0, progress: Progress | None = None) -> xr.Dataset:
        """Simulate another version of the scenario in any cases; see `run`.

        Parameters
        ----------
        cases
            For each case a switch by lever: zero or one, scalar or by draw.
        growth
            Growth of the pair's trade beyond the reference path, share a year.
        """
        draws = self.draws(scenario)
        work = _trade if set(outputs) <= {*TRADE} else _accounts

        def part(rows: slice) -> dict[str, Array]:
            block = self._blocks[rows.start // size]
            here = {name: values[rows] for name, values in draws.items()}
            start = prepare(self.base, scenario, here, growth, block.before)
            block.before = Before(scenario, growth, start)
            return work(self.base, block, outputs, {
                case: {lever: np.broadcast_to(switch, scenario.draws)[rows]
                       for lever, switch in by_lever.items()}
                for case, by_lever in cases.items()})

        size = self._blocks[0].rows.stop
        parts = each_block(part, scenario.draws, size, progress)
        return as_dataset(self.base, scenario, list(cases), parts, scenario.draws)


def _accounts(base: Baseline, block: _Block, outputs: Collection[str],
              cases: Cases) -> dict[str, Array]:
    """Everything asked for, each case settled anew."""
    assert block.before is not None
    return simulate_block(base, block.before.start, cases, outputs)


def _trade(base: Baseline, block: _Block, outputs: Collection[str],
           cases: Cases) -> dict[str, Array]:
    """Trade alone, from cells that may have been solved before."""
    assert block.before is not None
    before = block.before
    pulled = [np.broadcast_to(as_subset(case, before.scenario)[0], before.start.levels.shape[-1])
              for case in cases.values()]
    block.solved = solve(before.start, np.stack(pulled), block.solved)
    trade = block.solved.trade + block.solved.project
    found = {"trade": trade[:, :, 0], "turnover": total(trade, "importer", "group")[:, 0, 0, 0],
             "project_trade": total(block.solved.project, "group")[:, 0, 0]}
    return {name: found[name] for name in outputs} | {
        RESIDUAL: np.array(block.solved.residual)}


def _check(option: str, asked: Collection[str], known: Collection[str]) -> None:
    """Refuse names that are not known."""
    problems = [Problem(option, name, "unknown; known: " + ", ".join(known), nearest(name, known))
                for name in asked if name not in known]
    if problems:
        raise InputError(problems)


def prepare_model(path: str | Path, *, calibration: str | Path | None = None,
                  draws: int | None = None, seed: int | None = None,
                  settings: Settings | str | Sequence[str] = ()) -> PreparedModel:
    """Read a scenario and make it ready for many questions.

    Parameters
    ----------
    path, calibration, draws, seed
        As for `model.run`.
    settings
        Values over the scenario's, as in `PreparedModel.run`.

    Returns
    -------
    PreparedModel
        Whose `PreparedModel.run` answers questions.

    Raises
    ------
    InputError
        With every problem of the scenario.
    """
    base = load_baseline(calibration_folder() if calibration is None else Path(calibration))
    texts = overrides_of(settings)
    texts += [f"{key}={value}" for key, value in (("draws", draws), ("seed", seed))
              if value is not None]
    known = Known(base.parameters, base.levers, base.pair)
    return PreparedModel.of(base, read_scenario(path, known, texts), path, texts)
