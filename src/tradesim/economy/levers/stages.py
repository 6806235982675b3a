r"""One agreement in stages: a later stage adds to the one before it, and takes over its use."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tradesim.common.arrays import Array, ratio
from tradesim.economy.levers.timing import phase_in
from tradesim.economy.shocks import NONE, Shock


def stage_strength(years: Array, first: Array, start: Array, length: Array) -> Array:
    r"""Give the strength of a later stage, whose use has grown since the first (equation J1).

    .. math::

        \varphi'_t = \min\{1, \max\{0, t + 1 - t'_0\}\}\,\min\{1, \max\{0, (t + 1 - t_0) / L\}\}

    Parameters
    ----------
    years
        Calendar years.
    first, start
        Times :math:`t_0` and :math:`t'_0 \ge t_0` at which the first stage and this one begin.
    length
        Years :math:`L` from the first stage until full use.
    """
    return phase_in(years, start, np.ones_like(length)) * phase_in(years, first, length)


def increment(later: Shock, earlier: Shock) -> Shock:
    r"""Give what a later stage adds to an earlier one that stays in force (equation J2).

    .. math::

        r'' = 1 - \frac{1 - \max\{r, r'\}}{1 - r}, \qquad
        k'' = 1 - r'' - \frac{1 - \max\{r + k, r' + k'\}}{1 - r - k}, \qquad
        V'' = \max\{0, V' - V\}

    Both together remove the larger of the two shares of the duty, beyond a quota and within it:
    never less than the earlier stage alone, and nothing twice.

    Parameters
    ----------
    later, earlier
        What each stage would do by itself: shares :math:`r', r` of the duty removed,
        :math:`k', k` removed while a quota of :math:`V', V` is not full.
    """
    duty, quota = np.maximum(later.duty, earlier.duty), later.quota + earlier.quota
    added = 1.0 - ratio(1.0 - duty, 1.0 - earlier.duty, 1.0)
    made = replace(later, duty=added,
                   information=np.maximum(later.information - earlier.information, 0.0))
    if not quota.any():
        return made
    inside = np.maximum(later.duty + later.quota, earlier.duty + earlier.quota)
    left = ratio(1.0 - inside, 1.0 - earlier.duty - earlier.quota, 1.0)
    limit = np.maximum(later.quota_limit - earlier.quota_limit, 0.0)
    return replace(made, quota=np.where(quota > 0.0, 1.0 - added - left, 0.0),
                   quota_limit=limit if limit.any() else NONE)
