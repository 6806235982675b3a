"""How much is missed by not choosing the best scenario: draw by draw, over all scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tradesim.common.arrays import Array
from tradesim.simulation.draws import SCENARIO
from tradesim.studies.compare import Comparison

CRITERIA = ("turnover", "welfare")
"""What "best" may mean: turnover on the headline count, or the welfare of both members."""

TIE = 1e3
"""Scenarios within this amount (USD a year) of the best of a draw share the first place."""


def outcome(comparison: Comparison, name: str, criterion: str, case: str) -> Array:
    """Give what a criterion is judged by, by draw: USD in the last year.

    Parameters
    ----------
    comparison
        The runs.
    name, case
        Scenario and case.
    criterion
        One of `CRITERIA`.
    """
    if criterion == "turnover":
        return comparison.levels("turnover", name, case, count=comparison.count,
                                 year=comparison.last)
    gain = comparison.levels("welfare", name, case, year=comparison.last)
    return np.asarray(gain.sum(axis=1))


@dataclass(frozen=True)
class Regret:
    """How much is missed in each draw by not having chosen that draw's best scenario.

    Attributes
    ----------
    names
        Scenarios, the baseline among them: to do nothing is a choice too.
    loss
        USD by scenario and draw; zero for the best.
    best
        By scenario and draw: the scenario's share of the first place. Scenarios within `TIE` of
        the best share it equally, so that it sums to one in each draw.
    """

    names: tuple[str, ...]
    loss: Array
    best: Array

    @property
    def mean(self) -> Array:
        """Mean regret by scenario."""
        return np.asarray(self.loss.mean(axis=1))

    @property
    def high(self) -> Array:
        """95th percentile of regret by scenario."""
        return np.asarray(np.quantile(self.loss, 0.95, axis=1))

    @property
    def worst(self) -> Array:
        """Largest regret by scenario."""
        return np.asarray(self.loss.max(axis=1))

    @property
    def chance(self) -> Array:
        """Probability of being best by scenario; sums to one."""
        return np.asarray(self.best.mean(axis=1))

    @property
    def minimax(self) -> str:
        """Scenario whose largest regret is smallest."""
        return self.names[int(self.worst.argmin())]

    @property
    def tied(self) -> float:
        """Share of draws in which all scenarios tie: nothing makes a difference."""
        return float(np.all(self.best > 0.0, axis=0).mean())


def regret(comparison: Comparison, criterion: str = "turnover", case: str = SCENARIO,
           among: Sequence[str] | None = None) -> Regret:
    """Compare each scenario with the best one, draw by draw.

    Parameters
    ----------
    comparison
        The runs.
    criterion
        One of `CRITERIA`.
    case
        With the risks of each draw, or if implemented.
    among
        Scenarios to choose from; all by default.
    """
    names = tuple(among or comparison.names)
    values = np.stack([outcome(comparison, name, criterion, case) for name in names])
    loss = values.max(axis=0) - values
    first = (loss <= TIE).astype(float)
    return Regret(names, loss, first / first.sum(axis=0))
