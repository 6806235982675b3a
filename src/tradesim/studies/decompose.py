r"""Which lever brings how much: Shapley shares of a scenario's effect, and interactions.

The worth :math:`v(S)` of a set of levers is trade with just these levers pulled. A lever's share

.. math:: \phi_i = \sum_{S \not\ni i} \frac{s!\,(k-s-1)!}{k!}\,[v(S + i) - v(S)]

is what it adds on average over all orders in which the levers could come (Shapley 1953). Shares
do not depend on any order and add up to the whole effect, draw by draw. The interaction index

.. math:: I_{ij} = \sum_{S \not\ni i,j} \frac{s!\,(k-s-2)!}{(k-1)!}\,
          [v(S+i+j) - v(S+i) - v(S+j) + v(S)]

(Grabisch and Roubens 1999) is negative where two levers do the same work, positive where one
makes the other worth more.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from math import factorial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.memory import refuse_too_much
from tradesim.common.parallel import Progress
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO, standard_cases, years_of
from tradesim.simulation.results import describe
from tradesim.simulation.subsets import PATHS, Flows, Subsets, all_subsets, as_subset, flows
from tradesim.simulation.summary import ALL
from tradesim.studies.study import DRAWS, Study, ask, check_years

MOST = 12
"""Levers whose subsets are all solved; beyond, only orders can be sampled."""

METHODS = ("exact", "permutations")
PERMUTATIONS = 40
CASES = (IMPLEMENTED, SCENARIO)


def decompose(
    path: str | Path, *, calibration: Path | None = None, overrides: Sequence[str] = (),
    draws: int | None = None, seed: int | None = None, count: str | None = None,
    years: Sequence[int] = (), method: str = "exact", permutations: int = PERMUTATIONS,
    command: str = "", progress: Progress | None = None,
) -> xr.Dataset:
    """Share out a scenario's effect on trade among its levers, draw by draw.

    Parameters
    ----------
    path, calibration, overrides, seed, count
        As for `model.run`.
    draws
        Number of draws; `DRAWS` by default.
    years
        Years to share out; the horizon by default.
    method
        ``exact``: every subset is solved. ``permutations``: `permutations` random orders by
        draw, each with its reverse, and the error that remains.
    command
        The command that repeats this.
    progress
        Called with draws done and draws in all.

    Returns
    -------
    xarray.Dataset
        In USD, by case (if implemented; risk-weighted), count, importer (``all``: turnover),
        year and draw: ``reference``, ``effect``, and by lever ``share``, ``alone`` (added to
        nothing), ``last`` (added to all others) and ``error`` (standard error of the share;
        zero when exact). ``interaction`` by lever and ``second`` lever, exact only.

    Raises
    ------
    InputError
        When the scenario pulls no lever, or too many for the exact method.
    """
    study = ask(path, calibration=calibration, overrides=overrides,
                draws=DRAWS if draws is None else draws, seed=seed, count=count)
    names = list(study.scenario.levers)
    _check(names, method, permutations, str(path))
    kept = check_years(study, years or [study.scenario.horizon])
    scenario = study.until(kept)
    _fits(study, len(kept), permutations if method != "exact" else 0)
    numbers = study.draw(scenario)
    happens = as_subset(standard_cases(study.base, scenario, numbers)[SCENARIO], scenario)[0]
    masks = {IMPLEMENTED: np.full_like(happens, 2**len(names) - 1), SCENARIO: happens}
    if method == "exact":
        answer = flows(study.base, scenario, numbers, all_subsets(len(names)), years=kept,
                       progress=progress)
        parts = [_exact(_by_case(answer), masks[case]) for case in CASES]
    else:
        orders = random_orders(len(names), permutations, scenario.draws, scenario.seed)
        subsets = along(orders)
        cases = [subsets & masks[case] for case in CASES]
        answer = flows(study.base, scenario, numbers, np.concatenate(cases), years=kept,
                       progress=progress)
        parts = [_sampled(trade, orders) for trade in np.split(_by_case(answer), len(CASES))]
    described = describe(study.base, study.scenario, study.count, command)
    return _dataset(study, answer, parts).assign_attrs(
        described, method=method, permutations=permutations if method != "exact" else 0,
        solved=answer.solved)


def _check(names: Sequence[str], method: str, permutations: int, path: str) -> None:
    if method not in METHODS:
        raise InputError([Problem("--method", method, f"unknown; known: {', '.join(METHODS)}",
                                  nearest(method, METHODS))])
    if not names:
        raise InputError([Problem(path, "levers", "the scenario pulls no lever, so there is "
                                  "nothing to share out")])
    if method == "exact" and len(names) > MOST:
        raise InputError([Problem(path, "levers", f"{len(names)} levers have "
                                  f"{2**len(names):,} subsets; at most {MOST} are shared out "
                                  "exactly", "--method permutations samples orders and states "
                                  "its error")])
    if method != "exact" and (permutations < 4 or permutations % 2):
        raise InputError([Problem("--permutations", str(permutations), "must be an even number "
                                  "from 4: orders come with their reverse")])


DRAW, TIMES, WAY, PROGRAM = 7e4, 6.0, 16.0, 3e8
"""Bytes of a draw; times that the trade of each subset counts; numbers by importer, count, line
and year that a subset followed over the years takes; bytes beside.

Measured, peaks in GB and what is estimated: 2 levers, 12 orders of 36,008 subsets, 4 draws 5.7
(8.4); 248 subsets, 100 and 2,100 draws 1.7 and 1.9 (2.2, 2.4); 8 levers, all subsets, 50 and 500
draws 2.1 and 2.5 (2.2, 2.2); 12 levers, all subsets, 4 draws 2.1 (2.2).
"""


def _fits(study: Study, years: int, permutations: int) -> None:
    """Refuse orders or draws that would take more memory than there is."""
    pair, levers, draws = study.base.pair, len(study.scenario.levers), study.scenario.draws
    flows = 8.0 * len(pair.importers) * len(pair.counts)
    way = WAY * flows * len(pair.lines) * len(years_of(study.base, study.scenario))
    kept = TIMES * flows * years
    order = len(CASES) * (levers + 1)
    subsets = permutations * order + len(CASES) * 2 * levers if permutations else 2**levers
    at_once = max(PATHS, subsets) * way
    if permutations > PERMUTATIONS:
        each = order * (draws * kept + (way if subsets > PATHS else 0.0))
        total = PROGRAM + at_once + draws * (DRAW + kept * subsets)
        refuse_too_much("--permutations", permutations, each, total - permutations * each,
                        f"orders of {levers} levers")
    else:
        refuse_too_much("--draws", draws, DRAW + kept * subsets, PROGRAM + at_once, "draws")


def shapley(worth: Array) -> Array:
    """Shapley shares; worth of every subset (case, ...) to shares (lever, ...)."""
    levers = len(worth).bit_length() - 1
    size = np.bitwise_count(np.arange(len(worth) // 2))
    weight = np.array([factorial(s) * factorial(levers - s - 1) / factorial(levers)
                       for s in range(levers)])[size]
    return np.array([_weighted(_gain(worth, lever), weight) for lever in range(levers)])


def interactions(worth: Array) -> Array:
    """Interaction index of each pair; worth (case, ...) to indices (lever, other, ...)."""
    levers = len(worth).bit_length() - 1
    index = np.zeros((levers, levers, *worth.shape[1:]))
    if levers < 2:
        return index
    size = np.bitwise_count(np.arange(len(worth) // 4))
    weight = np.array([factorial(s) * factorial(levers - s - 2) / factorial(levers - 1)
                       for s in range(levers - 1)])[size]
    for high in range(levers):
        gain = _gain(worth, high)
        for low in range(high):
            index[high, low] = index[low, high] = _weighted(_gain(gain, low), weight)
    return index


def _gain(worth: Array, lever: int) -> Array:
    """Subtract from each subset with a lever the same one without: half as many cases."""
    split = worth.reshape(-1, 2, 2**lever, *worth.shape[1:])
    return (split[:, 1] - split[:, 0]).reshape(-1, *worth.shape[1:])


def _weighted(values: Array, weight: Array) -> Array:
    """Sum over cases, one after the other: the same last bit however many draws there are."""
    total = np.zeros(values.shape[1:])
    for value, factor in zip(values, weight, strict=True):
        total += factor * value
    return total


def _by_case(found: Flows) -> Array:
    """Give counted trade; (case, count, importer, year, draw)."""
    return np.moveaxis(found.counted, 0, 1)


def _exact(trade: Array, mask: Subsets) -> dict[str, Array]:
    """Everything about one case; a lever that fails in a draw drops out of every subset there."""
    levers = len(trade).bit_length() - 1
    chosen = all_subsets(levers) & mask
    worth = np.take_along_axis(trade, chosen[:, None, None, None], axis=0)
    single = 2**np.arange(levers)
    share = shapley(worth)
    return {"reference": worth[0], "effect": worth[-1] - worth[0], "share": share,
            "alone": worth[single] - worth[0], "last": worth[-1] - worth[len(trade) - 1 - single],
            "error": np.zeros_like(share), "interaction": interactions(worth)}


def random_orders(levers: int, permutations: int, draws: int, seed: int) -> NDArray[np.intp]:
    """Position of each lever in random orders, each followed by its reverse.

    Axes (permutation, draw, lever). A draw has a stream of its own: more draws keep the first.
    """
    name = int.from_bytes(sha256(b"decompose.orders").digest()[:8])
    one = np.array([np.random.default_rng([seed, name, draw]).permuted(
        np.tile(np.arange(levers), (permutations // 2, 1)), axis=1) for draw in range(draws)])
    orders = np.moveaxis(one, 0, 1)
    return np.stack([orders, levers - 1 - orders], axis=1).reshape(permutations, draws, levers)


def along(orders: NDArray[np.intp]) -> Subsets:
    """Subsets met when the levers come in these orders, then each alone and each left out.

    Whole numbers, (case, draw): ``levers + 1`` for each order, then twice ``levers``.
    """
    draws, levers = orders.shape[1:]
    bit = 1 << np.arange(levers, dtype=np.int64)
    met = np.array([np.where(orders < step, bit, 0).sum(axis=-1) for step in range(levers + 1)])
    ends = np.broadcast_to(np.concatenate([bit, bit.sum() - bit])[:, None], (2 * levers, draws))
    return np.concatenate([np.moveaxis(met, 0, 1).reshape(-1, draws), ends])


def _sampled(trade: Array, orders: NDArray[np.intp]) -> dict[str, Array]:
    """Shares as means over sampled orders, with the standard error of that mean by draw."""
    permutations, _, levers = orders.shape
    walks, ends = np.split(trade, [permutations * (levers + 1)])
    walks = walks.reshape(permutations, levers + 1, *trade.shape[1:])
    step = np.diff(walks, axis=1)  # (permutation, step, count, importer, year, draw)
    places = np.moveaxis(orders, -1, 1)[:, :, None, None, None]
    gain = np.take_along_axis(step, places, axis=1)
    pairs = gain.reshape(permutations // 2, 2, *gain.shape[1:]).mean(axis=1)
    alone, without = np.split(ends, 2)
    none, whole = walks[0, 0], walks[0, -1]
    return {"reference": none, "effect": whole - none, "share": pairs.mean(axis=0),
            "alone": alone - none, "last": whole - without,
            "error": pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs))}


def _dataset(study: Study, answer: Flows, parts: Sequence[dict[str, Array]]) -> xr.Dataset:
    pair, names = study.base.pair, list(study.scenario.levers)
    variables: dict[str, Any] = {}
    for name in parts[0]:
        counted = np.moveaxis(np.stack([part[name] for part in parts]), -4, 1)
        leading = ("lever", "second")[:counted.ndim - 5]
        if name == "error":
            joined = np.sqrt((counted**2).sum(axis=-3, keepdims=True))
        else:
            joined = counted.sum(axis=-3, keepdims=True)
        variables[name] = (("case", "count", *leading, "importer", "year", "draw"),
                           np.concatenate([joined, counted], axis=-3), {"units": "USD"})
    coordinates = {"case": list(CASES), "count": list(pair.counts), "lever": names,
                   "importer": [ALL, *pair.importers], "year": list(answer.years)}
    return xr.Dataset(variables, coordinates | (
        {"second": names} if "interaction" in parts[0] else {}))
