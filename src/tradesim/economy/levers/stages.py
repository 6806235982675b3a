r"""One agreement in stages: a later stage adds to the one before it, and takes over its use."""

from __future__ import annotations

import numpy as np

from tradesim.common.arrays import Array, ratio
from tradesim.economy.levers.timing import phase_in
from tradesim.economy.packed import Packed, Places


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


def increment(later: Packed, earlier: Packed) -> Packed:
    r"""Give what a later stage adds to an earlier one that stays in force (equation J2).

    .. math::

        r'' = 1 - \frac{1 - \max\{r, r'\}}{1 - r}, \qquad
        k'' = 1 - r'' - \frac{1 - \max\{r + k, r' + k'\}}{1 - r - k}, \qquad
        V'' = \max\{0, V' - V\}

    Both together remove the larger of the two shares of the duty, beyond a quota and within it:
    never less than the earlier stage alone, and nothing twice. Formalities removed and new goods
    are treated like the quota: the later stage adds what goes beyond the earlier one.

    Parameters
    ----------
    later, earlier
        What each stage would do by itself: shares :math:`r', r` of the duty removed,
        :math:`k', k` removed while a quota of :math:`V', V` is not full.
    """
    def of(*names: str) -> tuple[Places, list[Array]]:
        found = [shock.parts.get(name) for name in names for shock in (later, earlier)]
        places = Places.among(found)
        return places, [places.rows(part) for part in found]

    flows, (duty, before, quota, quota_before) = of("duty", "quota")
    added = 1.0 - ratio(1.0 - np.maximum(duty, before), 1.0 - before, 1.0)
    inside = np.maximum(duty + quota, before + quota_before)
    left = ratio(1.0 - inside, 1.0 - before - quota_before, 1.0)
    within = np.where(quota + quota_before > 0.0, 1.0 - added - left, 0.0)
    parts = {"duty": flows.packed(added), "quota": flows.packed(within)}
    for name in ("quota_limit", "information", "availability"):
        cells, (now, before) = of(name)
        parts[name] = cells.packed(np.maximum(now - before, 0.0))
    return Packed({name: part for name, part in {**later.parts, **parts}.items()
                   if len(part.places)})
