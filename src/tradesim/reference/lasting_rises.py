"""How often trades of other pairs rise for good by more than both economies explain.

`calibration/new_goods.csv` holds what a panel says; `docs/evidence/make_new_goods.py` makes it. A
panel of totals cannot tell new goods from more of the old, so its rises bound new goods from above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.inputs.trade_panel import Panel
from tradesim.reference.matched_pairs import Matching, matched
from tradesim.reference.new_goods import LEAST_RISE

BEFORE, CONFIRMED, FOLLOWED = 3, 3, 11
"""Years that make the level before; years that all must lie above it; years looked at."""


@dataclass(frozen=True)
class Rises:
    """Windows of pairs alike, and those of them that hold a lasting rise.

    Attributes
    ----------
    windows
        Pairs and base years looked at.
    rises, falls
        Share of windows with a rise, or a fall, of at least `LEAST_RISE` that lasts.
    size
        Mean log rise over the level before, by years after the base; (`FOLLOWED`,).
    there
        Share of rises of which half the least rise is left, less what windows without a rise show
        by chance, as a share of what chance leaves open; (`FOLLOWED`,).
    """

    windows: int
    rises: float
    falls: float
    size: Array
    there: Array


def lasting_rises(panel: Panel, like: Matching, bases: Sequence[int],
                  elasticity: float) -> Rises | None:
    """Count rises that begin in the year after a base year and last; None without a window.

    Parameters
    ----------
    panel
        Trade of other countries.
    like
        Which pairs are alike in a base year.
    bases
        Base years; those without enough years before or after are passed over.
    elasticity
        Elasticity of trade to the product of both GDPs, which is taken out first.
    """
    left = panel.log_turnover - elasticity * panel.log_gdp
    found = []
    for base in bases:
        at = panel.years.index(base) if base in panel.years else -1
        if at + 1 < BEFORE or at + FOLLOWED >= len(panel.years):
            continue
        rows = matched(panel, base, like)
        window = left[rows, at + 1 - BEFORE:at + 1 + FOLLOWED]
        found.append(window[np.isfinite(window).all(axis=1)])
    windows = np.concatenate(found) if found else np.empty((0, BEFORE + FOLLOWED))
    if not len(windows):
        return None
    over = windows[:, BEFORE:] - windows[:, :BEFORE].mean(axis=1, keepdims=True)
    last = windows[:, BEFORE - 1] - windows[:, :BEFORE].mean(axis=1)
    up, down = ((sign * over[:, :CONFIRMED] >= LEAST_RISE).all(axis=1)
                & (sign * last < LEAST_RISE / 2) for sign in (1, -1))
    above = over >= LEAST_RISE / 2
    chance, there, size = (_mean(values, rows) for values, rows in
                           ((above, ~up), (above, up), (over, up)))
    return Rises(len(windows), float(up.mean()), float(down.mean()), size,
                 (there - chance) / (1.0 - chance))


def _mean(values: Array, rows: NDArray[np.bool_]) -> Array:
    return values[rows].mean(axis=0) if rows.any() else np.full(values.shape[1], np.nan)
