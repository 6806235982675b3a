"""Scenario discovery: the conditions under which a target is reached, or a lever fails to pay.

A question turns one output of a sweep into yes or no by row; boxes (`prim`) and a shallow tree
look for the inputs that make a yes frequent; resampling says whether chance would do as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.extras import install
from tradesim.common.parallel import Progress
from tradesim.studies.discover.prim import (
    Box,
    against_chance,
    choose,
    factor_chance,
    peel,
    reproducibility,
)
from tradesim.studies.sweep.results import Output, Sweep, SweptFactor, numbers

LEAST_ROWS, LEAST_HITS = 100, 20
"""Rows, and rows of the rarer kind, below which no conditions are looked for."""
BOXES, CERTAIN = 3, 0.05
"""Boxes at most, and the probability of chance above which no further box is reported."""
IDLE = 1e-6
"""A change of an output by less than this, in its unit, is none."""
DEPTH, LEAF = 3, 0.05
"""Depth of the tree and smallest share of rows in a leaf."""


@dataclass(frozen=True)
class Question:
    """What counts as a yes: an output at or above a threshold, or below it."""

    output: Output
    threshold: float  # in the unit of the output
    above: bool = True  # whether a yes is at or above the threshold


@dataclass(frozen=True)
class Data:
    """What is searched."""

    factors: tuple[SweptFactor, ...]  # inputs that vary
    x: Array  # their values (row, factor)
    y: Array  # 1 where the question is answered with yes (row,)
    value: Array  # the output itself (row,)
    dropped: int  # rows that failed, left out
    idle: int = 0  # rows in which no lever acts, left out of a question on the change by levers


@dataclass(frozen=True)
class Region:
    """One box, and what is in it."""

    box: Box
    rows: int  # in it; rows of a box found before do not count
    hits: int  # rows with a yes among them
    density: float  # share of yes in it
    coverage: float  # share of all yes that it holds
    support: float  # share of all rows that it holds
    elsewhere: float  # share of yes outside
    mean: float  # of the output in it
    mean_elsewhere: float


@dataclass(frozen=True)
class Found:
    """A box that a search found, against chance."""

    region: Region
    chance: float  # probability that a search in shuffled outcomes finds as good a box
    fresh: float  # share of yes in boxes found the same way, in rows that the search did not see
    factor_chance: dict[int, float]  # by factor with a limit; see `prim.factor_chance`
    reproduced: dict[int, float]  # share of searches in resampled rows that limit it likewise


@dataclass(frozen=True)
class Discovery:
    """What was asked and what was found."""

    sweep: Sweep
    question: Question
    data: Data
    boxes: tuple[Found, ...]  # best first; each is found in the rows that those before it leave
    curve: tuple[Region, ...]  # every box on the way of the first search
    leaves: tuple[Region, ...] = ()  # of the tree, densest first; empty where none was asked for
    skill: float = np.nan  # share of rows that trees grown on other rows put right, yes and no
    # weighing the same (one half is chance)


def discover(sweep: Sweep, question: Question, *, method: str = "prim", seed: int = 1,
             progress: Progress | None = None) -> Discovery:
    """Find the conditions under which a question is answered with yes.

    By ``prim`` (boxes), ``tree`` or ``both``; `progress` is called with searches done and in all.

    Raises
    ------
    InputError
        When there is nothing to find conditions for, or a package is missing.
    """
    data = prepare(sweep, question)
    boxes, curve = (_boxes(data, np.random.default_rng(seed), progress)
                    if method in ("prim", "both") else ((), ()))
    leaves, skill = tree(data) if method in ("tree", "both") else ((), np.nan)
    return Discovery(sweep, question, data, boxes, curve, leaves, skill)


def prepare(sweep: Sweep, question: Question) -> Data:
    """Take from a sweep's table what a search needs, or say why there is nothing to search."""
    folder = str(sweep.folder)
    value = numbers(sweep, question.output.name)
    rows = np.isfinite(value) & independent(sweep)
    acting = rows & ~settled(question, value)
    idle, rows = int(rows.sum() - acting.sum()), acting
    columns = {factor: numbers(sweep, factor.name) for factor in sweep.factors
               if factor.name in sweep.table.columns}
    columns = {factor: column for factor, column in columns.items()
               if len(np.unique(column[rows & np.isfinite(column)])) > 1}
    for column in columns.values():
        rows = rows & np.isfinite(column)
    if sweep.method in ("oat", "morris"):
        raise InputError([Problem(folder, "", "varied one factor at a time, so it shows no "
                                  "conditions that hold together", "sweep with --method lhs")])
    if not columns:
        raise InputError([Problem(folder, "", "no column of the table varies as a number")])
    if rows.sum() < LEAST_ROWS:
        raise InputError([Problem(folder, "", f"only {rows.sum()} rows with all numbers; "
                                  f"conditions need at least {LEAST_ROWS}",
                                  "sweep again with a larger --n")])
    y = value[rows] >= question.threshold
    y = y if question.above else ~y
    _check_both_kinds(folder, question, value[rows], y)
    return Data(tuple(columns), np.column_stack(list(columns.values()))[rows], y.astype(float),
                value[rows], int((~np.isfinite(value)).sum()), idle)


def settled(question: Question, value: Array) -> NDArray[np.bool_]:
    """Say in which rows a change by levers is none because no lever acts.

    That a lever which does not happen changes nothing is true by construction, and no finding.
    """
    if not question.output.case.startswith("effect"):
        return np.zeros(len(value), dtype=bool)
    return np.asarray(np.abs(value) < IDLE)


def independent(sweep: Sweep) -> NDArray[np.bool_]:
    """Say which rows of a design are drawn apart: of a Sobol' design the two base samples.

    Its other rows repeat all columns but one of those, so resampling would count them twice.
    """
    size = len(sweep.table) // max(1, int(sweep.about.get("blocks", 0)))
    if sweep.method != "sobol" or "row" not in sweep.table.columns:
        return np.ones(len(sweep.table), dtype=bool)
    return np.asarray(sweep.table["row"] % size < 2, dtype=bool)


def _check_both_kinds(folder: str, question: Question, value: Array,
                      y: NDArray[np.bool_]) -> None:
    """Refuse a question that nearly all rows, or hardly any, answer with yes."""
    hits, rows = int(y.sum()), len(y)
    if LEAST_HITS <= hits <= rows - LEAST_HITS:
        return
    asked = f"{question.output.name} {'at least' if question.above else 'below'} " \
            f"{_number(question.threshold)}"
    middle = f"the rows reach from {_number(value.min())} to {_number(value.max())}, " \
             f"median {_number(np.median(value))}; ask for a value between"
    if hits in (0, rows):
        who = "no row" if hits == 0 else "every row"
        raise InputError([Problem(folder, asked, f"{who} of {rows} does so, so there are no "
                                  "conditions to find", middle)])
    few = f"only {hits} of {rows} rows do so" if hits < LEAST_HITS else \
        f"all but {rows - hits} of {rows} rows do so"
    raise InputError([Problem(folder, asked, f"{few}; conditions need at least {LEAST_HITS}",
                              f"{middle}, or sweep with a larger --n")])


def _number(value: Any) -> str:
    """Write a number as a command takes it: millions as 500e6."""
    return f"{value / 1e6:.4g}e6" if abs(value) >= 1e6 else f"{value:.4g}"


def region(data: Data, box: Box, among: NDArray[np.bool_] | None = None) -> Region:
    """Count what is in a box, and what is not, among some of the rows (all by default)."""
    among = np.ones(len(data.y), dtype=bool) if among is None else among
    inside = box.holds(data.x) & among
    outside = among & ~inside

    def mean(values: Array, rows: NDArray[np.bool_]) -> float:
        return float(values[rows].mean()) if rows.any() else np.nan

    hits = int(data.y[inside].sum())
    return Region(
        box, int(inside.sum()), hits, density=mean(data.y, inside),
        coverage=hits / data.y.sum(), support=float(inside.mean()),
        elsewhere=mean(data.y, outside), mean=mean(data.value, inside),
        mean_elsewhere=mean(data.value, outside))


def _boxes(data: Data, rng: np.random.Generator,
           progress: Progress | None) -> tuple[tuple[Found, ...], tuple[Region, ...]]:
    """Find boxes one after another, each in the rows that those before it leave."""
    path = peel(data.x, data.y)
    curve = tuple(region(data, box) for box in path.boxes)
    found: list[Found] = []
    left = np.ones(len(data.y), dtype=bool)
    for _ in range(BOXES):
        x, y = data.x[left], data.y[left]
        if min(y.sum(), (1 - y).sum()) < LEAST_HITS:
            break
        box = choose(x, y, peel(x, y) if found else path)
        if not box.restricted:
            break
        box, limits = _plausible(x, y, box, rng)
        here = region(data, box, left)
        if found and here.density < data.y.mean():
            break
        chance = against_chance(x, y, rng, progress)
        if found and chance > CERTAIN:
            break
        reproduced, fresh = reproducibility(x, y, box, rng)
        found.append(Found(here, chance, fresh, limits, reproduced))
        left &= ~box.holds(data.x)
    return tuple(found), curve


def _plausible(x: Array, y: Array, box: Box,
               rng: np.random.Generator) -> tuple[Box, dict[int, float]]:
    """Lift, the weakest first, all limits but one that chance would set as well."""
    while True:
        limits = {k: factor_chance(x, y, box, k, rng) for k in box.restricted}
        worst = max(limits, key=lambda k: limits[k])
        if limits[worst] <= CERTAIN or len(limits) == 1:
            return box, limits
        box = box.lifted(worst)


def tree(data: Data) -> tuple[tuple[Region, ...], float]:
    """Grow a shallow decision tree: its leaves, densest first, and its skill in unseen rows."""
    try:
        from sklearn.model_selection import cross_val_score
        from sklearn.tree import DecisionTreeClassifier
    except ImportError as error:
        raise InputError([Problem("--method", "tree", "needs scikit-learn",
                                  install("discover"))]) from error
    grown = DecisionTreeClassifier(max_depth=DEPTH, random_state=0, class_weight="balanced",
                                   min_samples_leaf=max(1, int(LEAF * len(data.y))))
    skill = cross_val_score(grown, data.x, data.y, cv=5, scoring="balanced_accuracy").mean()
    grown.fit(data.x, data.y)
    leaves = [region(data, box) for box in _leaves(grown.tree_, 0, Box.whole(data.x.shape[1]))]
    return tuple(sorted(leaves, key=lambda leaf: -leaf.density)), float(skill)


def _leaves(nodes: object, node: int, box: Box) -> Sequence[Box]:
    """Give the leaves under a node; a row goes left where its value is at most the threshold."""
    left, right, feature, threshold = (
        getattr(nodes, name)[node]
        for name in ("children_left", "children_right", "feature", "threshold"))
    if left < 0:
        return [box]
    return [*_leaves(nodes, left, box.cut(feature, high=float(threshold))),
            *_leaves(nodes, right, box.cut(feature, low=float(np.nextafter(threshold, np.inf))))]
