"""What it would take: how far a setting, several together, or growth must go to reach a target.

Everything is asked of the same draws: only what is moved differs, so probabilities are
comparable to the last draw. A response need not rise or fall all the way: both ends and values
between are looked at before the search, and the answer says when it turns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.optimize import bisect

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.listed import Listed
from tradesim.common.memory import refuse_too_much
from tradesim.common.parallel import Progress
from tradesim.inputs.levers import Choice
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, SCENARIO, standard_cases, years_of
from tradesim.simulation.prepared_model import PreparedModel
from tradesim.simulation.results import describe
from tradesim.simulation.summary import first_reached
from tradesim.studies.goal_answer import FirstYear, Goal, Move, Moves
from tradesim.studies.study import DRAWS, Study, ask, check_years

GROWTH = "growth"
CASES = (SCENARIO, IMPLEMENTED)
GROWTH_BOUND = 20.0
"""Most extra growth of the pair's trade that is tried, percentage points a year."""

SMALL = 1e6
"""A target below this (USD) was probably meant in millions."""

GRID = 5
"""Values looked at between and at the ends before the search."""

WHOLE = 6
"""A setting in whole numbers with at most so many values is tried at each of them."""

PRECISION = 1 / 4000
"""How finely the answer is sought, as a share of the range."""


def goal(
    path: str | Path, *, target: float | None = None, year: int | None = None,
    probability: float = 0.5, vary: Sequence[str] = (), case: str = SCENARIO,
    calibration: Path | None = None, overrides: Sequence[str] = (), draws: int | None = None,
    seed: int | None = None, count: str | None = None, command: str = "",
    progress: Progress | None = None,
) -> Goal:
    """Find how far settings must go for turnover to reach a target with a probability.

    Parameters
    ----------
    path, calibration, overrides, seed, count
        As for `model.run`.
    target
        Turnover, USD a year; the official target by default.
    year
        By when; the horizon by default.
    probability
        How surely, between zero and one.
    vary
        Settings (``lever.setting``) and ``growth``, each moved alone, and all settings named
        moved together as well; by default growth and every numeric setting of every lever but
        those that cannot take other values in this scenario (`Goal.left_out`).
    case
        ``scenario`` (risk-weighted) or ``if_implemented``.
    draws
        Number of draws; `decompose.DRAWS` by default.
    command
        The command that repeats this.
    progress
        Called with things tried and things in all.

    Returns
    -------
    Goal
        The answer for each thing moved.

    Raises
    ------
    InputError
        When the target is already reached, a setting cannot vary, or the question makes no
        sense.
    """
    study = ask(path, calibration=calibration, overrides=overrides,
                draws=DRAWS if draws is None else draws, seed=seed, count=count)
    target = float(study.scenario.target_usd) if target is None else target
    year = study.scenario.horizon if year is None else year
    _check(target, probability, case)
    (year,) = check_years(study, [year])
    chosen = movable(study, vary)
    _fits(study)
    search = _Search(study, target, year, probability, case)
    if search.now >= probability:
        raise InputError([Problem(
            "--target", f"{target:g}", f"is already reached in {year} with probability "
            f"{search.now:.3g}, which is not below the {probability:g} asked for",
            "targets are in USD, such as 500e6" if target < SMALL else
            "ask for a higher target or probability, or an earlier year")])
    moves: list[Move] = []
    left_out: dict[str, str] = {}
    several = [name for name in chosen if name != GROWTH] if vary else []
    things = [(name,) for name in chosen] + ([tuple(several)] if len(several) > 1 else [])
    for done, names in enumerate(things):
        try:
            moves.append(search.move(names, {move.names[0]: move for move in moves}))
        except InputError as error:
            if vary:
                raise
            left_out[names[0]] = error.problems[0].message
        if progress:
            progress(done + 1, len(things))
    return Goal(study, target, year, probability, case, search.now, Moves(moves),
                _first_years(study, target),
                Listed(describe(study.base, study.scenario, study.count, command)),
                Listed(left_out))


DRAW, LEVER, PROGRAM = 3.0, 0.5, 8e8
"""Numbers of a draw by flow, line and year that a search keeps, those of each lever, bytes beside.

Measured, peaks in GB of 600 and 1,800 draws, and what is estimated: no lever 0.3 and 0.5 (0.9,
1.0); 8 levers 0.6 and 0.9 (1.0, 1.3); 12 levers 0.8 and 1.2 (1.0, 1.5).
"""


def _fits(study: Study) -> None:
    """Refuse draws that would take more memory than there is."""
    pair = study.base.pair
    numbers = (len(pair.importers) * len(pair.exporters) * len(pair.lines)
               * len(years_of(study.base, study.scenario)))
    refuse_too_much("--draws", study.scenario.draws,
                    8.0 * numbers * (DRAW + LEVER * len(study.scenario.levers)), PROGRAM, "draws")


def _check(target: float, probability: float, case: str) -> None:
    problems = []
    if case not in CASES:
        problems.append(Problem("--case", case, f"unknown; known: {', '.join(CASES)}",
                                nearest(case, CASES)))
    if not 0 < probability < 1:
        problems.append(Problem("--probability", f"{probability:g}", "must lie between 0 and 1"))
    if not 0 < target < np.inf:
        problems.append(Problem("--target", f"{target:g}", "must be an amount above zero, in USD"))
    if problems:
        raise InputError(problems)


def movable(study: Study, vary: Sequence[str]) -> list[str]:
    """Names of what is to be moved, checked; all that can be by default."""
    levers = study.base.levers
    settings = {name: item for lever in study.scenario.levers
                for name, item in levers[lever].parameters.items() if item.low < item.high}
    if not vary:
        return [*settings, GROWTH]
    problems = [_why_fixed(study, name) for name in dict.fromkeys(vary)
                if name not in settings and name != GROWTH]
    if problems:
        raise InputError(problems)
    return list(dict.fromkeys(vary))


def _why_fixed(study: Study, name: str) -> Problem:
    """Why a name cannot be moved."""
    everything = {item.name: item for lever in study.base.levers.values()
                  for item in lever.settings.values()}
    item = everything.get(name)
    if item is None:
        return Problem("--vary", name, "unknown setting", nearest(name, [*everything, GROWTH])
                       or "`tradesim levers NAME` lists a lever's settings")
    if isinstance(item, Choice):
        return Problem("--vary", name, "cannot be moved: it is a choice between "
                       f"{', '.join(item.values)}", f"--set {name}=... chooses")
    if item.low == item.high:
        return Problem("--vary", name, f"cannot be moved: its bounds leave only {item.low:g}")
    lever = name.partition(".")[0]
    return Problem("--vary", name, f"the scenario does not pull lever '{lever}'",
                   f"add it: --set {lever}={{}}")


class _Search:
    """Probability of the target as a function of what is moved, on the same draws."""

    def __init__(self, study: Study, target: float, year: int, probability: float,
                 case: str) -> None:
        self.base, self.target, self.year = study.base, target, year
        self.probability, self.case = probability, case
        self.scenario: Scenario = study.until([year])
        self.count = list(self.base.pair.counts).index(study.count)
        self.model = PreparedModel.of(self.base, self.scenario)
        self.draws = self.model.draws(self.scenario)

    def _turnover(self, scenario: Scenario, growth: float = 0.0) -> Array:
        """Turnover of each draw in the year asked for."""
        case = standard_cases(self.base, scenario, self.model.draws(scenario))[self.case]
        found = self.model.answer(scenario, {self.case: case}, ("turnover",), growth=growth)
        return np.asarray(found["turnover"].to_numpy()[self.count, 0, :, -1])

    @cached_property
    def today(self) -> Array:
        """Turnover of each draw with everything as assumed."""
        return self._turnover(self.scenario)

    @property
    def now(self) -> float:
        """Probability with everything as assumed."""
        return float(np.mean(self.today >= self.target))

    def chance(self, settings: Mapping[str, float]) -> float:
        """Probability when these settings, or growth, take these values in every draw."""
        levers = {lever: dict(given) for lever, given in self.scenario.levers.items()}
        for name, value in settings.items():
            if name != GROWTH:
                lever, _, key = name.partition(".")
                levers[lever][key] = value
        scenario = self.scenario.model_copy(update={"levers": levers})
        turnover = self._turnover(scenario, settings.get(GROWTH, 0.0) / 100)
        return float(np.mean(turnover >= self.target))

    def move(self, names: tuple[str, ...], known: Mapping[str, Move]) -> Move:
        """Try one thing, or several together, and search where the asked probability begins."""
        if names == (GROWTH,):
            return self._searched(names, "percentage points a year", 0.0,
                                  np.linspace(0.0, GROWTH_BOUND, GRID), lambda x: {GROWTH: x})
        items = {name: self.base.levers[name.partition(".")[0]].parameters[name]
                 for name in names}
        middle = {name: float(np.median(self.draws[name])) for name in names}
        if len(names) == 1:
            (name,), (item,) = names, items.values()
            return self._searched(names, item.unit, middle[name], _values(item, middle[name]),
                                  lambda x: {name: x}, whole=item.integer)
        ends = {name: known[name].tried[0 if known[name].chances[0] > known[name].chances[-1]
                                         else -1] for name in names}

        def on_the_way(share: float) -> dict[str, float]:
            way = {name: middle[name] + share * (ends[name] - middle[name]) for name in names}
            return {name: float(round(way[name])) if item.integer else way[name]
                    for name, item in items.items()}

        return self._searched(names, "share of the way", 0.0, np.linspace(0, 1, GRID), on_the_way)

    def _searched(self, names: tuple[str, ...], unit: str, now: float, values: Array,
                  settings: Callable[[float], dict[str, float]], *, whole: bool = False) -> Move:
        tried = {float(value): self.chance(settings(float(value))) for value in values}
        found = self._nearest(tried, now, lambda x: self.chance(settings(x)),
                              whole=whole, width=float(values[-1] - values[0]))
        if found is not None and found not in tried:
            tried[found] = self.chance(settings(found))
        ordered = sorted(tried)
        chances = [tried[value] for value in ordered]
        best = ordered[int(np.argmax(chances))]
        return Move(names, unit, now, tuple(ordered), tuple(chances), found,
                    settings(best if found is None else found), 2.0 / len(self.today))

    def _nearest(self, tried: Mapping[float, float], now: float, chance: Callable[[float], float],
                 *, whole: bool, width: float) -> float | None:
        """Value nearest to today's that reaches the asked probability, to `PRECISION`."""
        enough = [value for value, share in tried.items() if share >= self.probability]
        if not enough:
            return None
        reached = min(enough, key=lambda value: abs(value - now))
        between = [value for value in tried if min(reached, now) <= value <= max(reached, now)
                   and value not in enough]
        if not between:
            return reached
        short = min(between, key=lambda value: abs(value - reached))
        step = PRECISION * width
        if whole:
            inside = range(round(min(short, reached)) + 1, round(max(short, reached)))
            options = [float(value) for value in inside if chance(value) >= self.probability]
            return min([*options, reached], key=lambda value: abs(value - now))
        # The probability moves in steps of single draws, so only its side of the goal counts.
        root = bisect(lambda x: 1.0 if chance(x) >= self.probability else -1.0, short, reached,
                      xtol=step)
        beyond = root + np.sign(reached - short) * step
        return next((float(value) for value in (root, beyond)
                     if chance(value) >= self.probability), reached)


def _values(item: Parameter, now: float) -> Array:
    if item.integer and item.high - item.low < WHOLE:
        return np.arange(item.low, item.high + 1)
    values = np.array([*np.linspace(item.low, item.high, GRID), now])
    return np.unique(np.round(values) if item.integer else values)


def _first_years(study: Study, target: float) -> tuple[FirstYear, ...]:
    """When each case first reaches the target."""
    scenario = study.scenario
    model = PreparedModel.of(study.base, scenario)
    cases = standard_cases(study.base, scenario, model.draws(scenario))
    if not scenario.levers:
        cases = {REFERENCE: cases[REFERENCE]}
    found = model.answer(scenario, cases, ("turnover",))["turnover"].sel(count=study.count)
    reached = found.transpose("case", "year", "draw").to_numpy() >= target
    answers = []
    for case, hit in zip(cases, reached, strict=True):
        first = first_reached(hit, years_of(study.base, scenario))
        ever = np.isfinite(first)
        low, middle, high = ((float(value) for value in np.quantile(
            first[ever], [0.1, 0.5, 0.9], method="inverted_cdf")) if ever.any() else (None,) * 3)
        answers.append(FirstYear(case, low, middle, high, float(1.0 - ever.mean())))
    return tuple(answers)
