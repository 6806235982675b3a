r"""How much of the range of turnover is growth, how much specification, how much levers.

Log turnover of the last year is taken apart draw by draw,

.. math:: \ln T = \ln T_0 + \ln(T / T_0), \qquad
    \ln T_0 = \bar m_k + g_k + e

into the mean :math:`\bar m_k` of the reference under the specification of the draw, the part
:math:`g_k` that the size of both economies and its elasticity explain within a specification
(least squares on size, elasticity and their product), what nothing explains :math:`e`, and the
levers. A part's share is its covariance with :math:`\ln T` over the variance of :math:`\ln T`,
so that shares add up to one, without any order.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tradesim.common.arrays import Array
from tradesim.inputs.posterior import PREFIX
from tradesim.reports.run.view import Story
from tradesim.simulation.factors import SIZE, SPECIFICATION

ELASTICITY = f"{PREFIX}elasticity_gdp"
LEVERS, SPECIFIED, GROWTH, REST = "levers", "specification", "growth", "rest"
LEAST = 60
"""Fewer draws than this say nothing about shares."""


def range_shares(story: Story) -> dict[str, float]:
    """Share of each part in the variance of log turnover, last year, headline count.

    Parameters
    ----------
    story
        The run and its past.

    Returns
    -------
    dict
        ``growth``, ``specification``, ``levers`` and ``rest``, adding up to one; empty where
        there are too few draws or nothing varies. A share below zero says that a part narrows
        the range: it is high where the others are low.
    """
    if story.draw_count < LEAST:
        return {}
    where = {"count": story.count, "year": story.last}
    before = np.log(story.draws("turnover", "reference", **where))
    after = np.log(story.draws("turnover", story.policy, **where)) if story.changes else before
    return shares(before, after, _factors(story))


def _factors(story: Story) -> dict[str, Array]:
    kept = story.dataset["factors"]
    names = kept["factor"].to_numpy().astype(str).tolist()
    values = kept.transpose("factor", "draw").to_numpy().astype(float)
    return {name: values[names.index(name)] for name in (SIZE, ELASTICITY, SPECIFICATION)
            if name in names}


def shares(before: Array, after: Array, factors: Mapping[str, Array]) -> dict[str, float]:
    """Shares of the variance of `after` by part.

    Parameters
    ----------
    before, after
        Log turnover without and with the levers, by draw.
    factors
        By draw, those that vary: size of both economies (`SIZE`), its elasticity and the
        specification.

    Returns
    -------
    dict
        As `range_shares`.
    """
    if np.ptp(after) == 0.0:
        return {}
    kinds = factors.get(SPECIFICATION, np.zeros(len(before)))
    size, elasticity = (factors.get(name, np.zeros(len(before))) for name in (SIZE, ELASTICITY))
    middle, growth = np.empty_like(before), np.empty_like(before)
    for kind in np.unique(kinds):
        rows = kinds == kind
        middle[rows] = before[rows].mean()
        columns = [size[rows], elasticity[rows], size[rows] * elasticity[rows]]
        design = np.column_stack([part - part.mean() for part in columns])
        left = before[rows] - middle[rows]
        growth[rows] = design @ np.linalg.lstsq(design, left, rcond=None)[0]
    parts = {GROWTH: growth, SPECIFIED: middle, LEVERS: after - before,
             REST: before - middle - growth}
    spread = after - after.mean()
    return {name: float(np.mean(part * spread) / np.mean(spread**2))
            for name, part in parts.items()}
