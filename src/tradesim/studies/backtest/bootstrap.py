"""How sure a skill is: forecasts from neighbouring origins share what happened.

A skill is the share by which the mean score of a model is below that of a rival. Origins are
drawn anew in blocks of consecutive ones, each with all its forecasts (Künsch 1989, The jackknife
and the bootstrap for general stationary observations, *Annals of Statistics* 17; circular as in
Politis and Romano 1992).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tradesim.common.arrays import Array

ROUNDING = 1e-12
"""Skill up to which a sample counts as none."""

BLOCK, SAMPLES, LEVEL = 3, 4000, 0.9
"""Consecutive origins drawn together, samples drawn, and the share that an interval holds."""


class SkillRange(NamedTuple):
    """A skill with what redrawing the origins makes of it."""

    skill: float  #: 1 − mean score / mean score of the rival
    low: float  #: end of the central interval
    high: float
    chance_of_none: float  #: share of samples in which the skill is zero or less


def skill_range(ours: Array, theirs: Array, *, block: int = BLOCK, samples: int = SAMPLES,
                level: float = LEVEL, seed: int = 1) -> SkillRange:
    """Give the skill of one model with an interval over origins, by block bootstrap.

    Parameters
    ----------
    ours
        Scores of the model, smaller is better, origins in order along the first axis; a sum or mean
        by origin will do if `theirs` is the same. NaN where there is no forecast.
    theirs
        Scores of the rival, same shape; or with one more axis at the end for several rivals, of
        which the best one is taken anew in every sample, column by column.
    block, samples, level, seed
        As the constants of this module; the seed of the drawing.

    Returns
    -------
    SkillRange
        Of the mean over columns of the skill in each, where there are columns (horizons).

    Raises
    ------
    ValueError
        When shapes differ, or fewer than two origins have a score.
    """
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    own = ours[:, None] if ours.ndim == 1 else ours
    other = theirs.reshape(*own.shape, -1)
    if len(own) < 2 or not np.isfinite(own).any():
        raise ValueError("a skill needs scores from two origins or more")
    rng = np.random.default_rng(seed)
    count = -(-len(own) // block)
    starts = rng.integers(len(own), size=(samples, count))
    places = ((starts[..., None] + np.arange(block)) % len(own)).reshape(samples, -1)
    times = np.zeros((samples + 1, len(own)))
    times[0] = 1.0
    np.add.at(times[1:], (np.arange(samples)[:, None], places[:, :len(own)]), 1.0)
    known = np.isfinite(own) & np.isfinite(other).all(axis=2)
    first = times @ np.where(known, own, 0.0)
    second = np.einsum("so,ohr->shr", times, np.where(known[..., None], other, 0.0)).min(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(second > 0, 1.0 - first / second, np.nan)
    drawn = found[:, ~np.isnan(found[0])].mean(axis=1)
    tail = 0.5 * (1.0 - level)
    whole = drawn[1:][np.isfinite(drawn[1:])]  # without samples that lack a whole column
    low, high = np.quantile(whole, (tail, 1.0 - tail))
    return SkillRange(float(drawn[0]), float(low), float(high),
                      float((whole <= ROUNDING).mean()))
