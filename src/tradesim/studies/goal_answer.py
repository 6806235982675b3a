"""The answer to what it would take: what moving each thing does, and when the target is reached."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

TOGETHER = "together"

SHOWN = 20
"""Things moved that fit on a screen."""


@dataclass(frozen=True, repr=False)
class Move:
    """One thing moved, and what that does to the probability of the target."""

    names: tuple[str, ...]  # several go the same share of the way from today's value to a bound
    unit: str  # of `tried`
    now: float  # middle of what is assumed today
    tried: tuple[float, ...]  # values in order, with the probability of the target at each
    chances: tuple[float, ...]
    found: float | None  # value nearest to today's at which the asked probability is reached
    settings: Mapping[str, float]  # of each setting at `found`, or else at the best value
    noise: float = 0.0  # steps of the probability up to this (two draws) do not count as a turn

    @property
    def label(self) -> str:
        """The setting's name, or how many are moved together."""
        return self.names[0] if len(self.names) == 1 else TOGETHER

    @property
    def best(self) -> tuple[float, float]:
        """Value with the highest probability among those tried, and that probability."""
        best = int(np.argmax(self.chances))
        return self.tried[best], self.chances[best]

    @property
    def turns(self) -> bool:
        """Whether the probability neither only rises nor only falls along the values."""
        steps = np.diff(self.chances)
        return bool((steps > self.noise).any() and (steps < -self.noise).any())

    def __repr__(self) -> str:
        return f"{self.label}: " + (
            f"at {self.found:.4g} {self.unit}" if self.found is not None else
            f"not reached; at best {self.best[1]:.0%}, at {self.best[0]:.4g} {self.unit}")


class Moves(tuple[Move, ...]):
    """Everything that was moved, of which the first are printed."""

    __slots__ = ()

    def __repr__(self) -> str:
        lines = [f"    {move}" for move in self[:SHOWN]]
        more = len(self) - SHOWN
        return "\n".join([*lines, f"    and {more} more: .table()"] if more > 0 else lines)


@dataclass(frozen=True)
class FirstYear:
    """When a case first reaches the target: years among the draws that reach it at all."""

    case: str
    p10: float | None
    p50: float | None
    p90: float | None
    never: float  # share of draws in which it is not reached by the horizon


@dataclass(frozen=True, repr=False)
class Goal:
    """Answer to what it would take.

    Attributes
    ----------
    study
        The scenario and what it needs.
    target, year, probability, case
        What was asked: USD, by when, how surely, and risk-weighted or if implemented.
    now
        Probability today, with everything as assumed.
    moves, first_years
        What moving each thing does; when each case reaches the target.
    attrs
        What identifies this answer, as for a run.
    left_out
        Settings that other values of make no sense in this scenario, and why.
    """

    study: Study
    target: float
    year: int
    probability: float
    case: str
    now: float
    moves: tuple[Move, ...]
    first_years: tuple[FirstYear, ...]
    attrs: Mapping[str, Any] = field(repr=False, default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """Give what moving each thing does: value now, value that reaches the target, chances."""
        import pandas as pd

        return pd.DataFrame([{
            "moved": move.label, "unit": move.unit, "now": move.now,
            "reaches it at": move.found, "best value": move.best[0],
            "probability there": move.best[1]} for move in self.moves])

    def __repr__(self) -> str:
        return "\n".join([f"<tradesim.Goal> USD {self.target / 1e6:,.0f} million in {self.year} "
                          f"with probability {self.probability:.0%}; now {self.now:.0%}",
                          *repr(Moves(self.moves)).splitlines()])

    def _repr_html_(self) -> str:
        first = html.escape(repr(self).splitlines()[0].removeprefix("<tradesim.Goal> "))
        return f"<p>{first}</p>{self.table().to_html(index=False, na_rep='–', max_rows=SHOWN)}"
