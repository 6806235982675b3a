"""What sentences claim, in a form that can be read back from ``summary.csv``.

A number in a sentence names the cells that it comes from; a word such as higher, most or none
names the cells that must stand in that relation. The tests check both against the summary of the
same run, which is computed in another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.simulation.summary import ALL

SURE, RISKY = "effect_if_implemented", "effect"
"""Cases of the summary that hold changes: every lever is sure to come, or may fail."""

OF_CHANGE = {SURE: IMPLEMENTED, RISKY: SCENARIO}
CHANCE, APPRAISAL = "target_probability", "appraisal"
"""Variables of the summary that are no variable of the results."""


@dataclass(frozen=True)
class Cell:
    """One number of ``summary.csv``; the fields are its columns."""

    variable: str
    year: int
    case: str = SURE
    statistic: str = "mean"
    count: str = "own"
    exporter: str = ALL
    importer: str = ALL
    group: str = ALL


@dataclass(frozen=True)
class Told:
    """A number as a sentence prints it: `sign` times the sum of `cells`, over that of `of`.

    `offset` is added to the former. A number without cells comes from the settings of the
    scenario or from statistics.
    """

    text: str
    cells: tuple[Cell, ...] = ()
    of: tuple[Cell, ...] = ()
    sign: int = 1
    offset: float = 0.0

    def __str__(self) -> str:
        return self.text


Relation = Literal["above", "below", "larger", "smaller", "most", "least"]


@dataclass(frozen=True)
class Claim:
    """A relation that a word of a sentence states.

    ``above`` and ``below`` hold the first cell against `factor` times the second, or against
    `factor` itself where there is one cell; `sign` multiplies both first. ``larger`` and
    ``smaller`` do so with absolute values. ``most`` says that the first is the largest of all in
    absolute value, ``least`` that each is so small that it prints as nothing.
    """

    relation: Relation
    cells: tuple[Cell, ...]
    factor: float = 0.0
    sign: int = 1


def found(facts: Any) -> Iterator[Told | Claim]:
    """Give every number and claim that facts hold, at any depth."""
    if isinstance(facts, Told | Claim):
        yield facts
    elif isinstance(facts, Mapping):
        for part in facts.values():
            yield from found(part)
    elif isinstance(facts, Sequence) and not isinstance(facts, str):
        for part in facts:
            yield from found(part)


