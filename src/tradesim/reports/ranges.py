"""What the draws of a result come to: a middle with its 80 % range, a change with its zeros."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tradesim.common.arrays import Array

NOTHING = 1e-6
"""A draw that changes by less than this (USD million) is one without an effect."""

SAME = 1e-3
"""Draws whose range is this share of the median wide print the same number."""

SKEW = 0.15
"""A median that is this share of the mean away from it is shown beside it."""

Range = tuple[float, float, float]
"""A median or a mean, with the low and the high end of the 80 % range."""


def median_range(values: Array, unit: float = 1.0) -> Range:
    """Median over draws and the ends of the 80 % range, in units of `unit`."""
    low, median, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0) / unit
    return float(median), float(low), float(high)


def mean_range(values: Array, unit: float = 1.0) -> Range:
    """Mean over draws and the ends of the 80 % range, in units of `unit`."""
    low, high = np.quantile(values, [0.1, 0.9]) / unit
    return float(values.mean()) / unit, float(low), float(high)


@dataclass(frozen=True)
class Change:
    """Mean change over draws with its median and the ends of its 80 % range, USD million.

    `nothing` is the share of draws without an effect, `inner` the 80 % range of the others.
    """

    mean: float
    median: float
    low: float
    high: float
    nothing: float
    inner: tuple[float, float]

    @classmethod
    def of(cls, values: Array) -> Change:
        """Sum up one value per draw."""
        some = values[np.abs(values) >= NOTHING]
        low, median, high = (float(end) for end in np.quantile(values, [0.1, 0.5, 0.9]))
        inner = np.quantile(some, [0.1, 0.9]) if some.size else (0.0, 0.0)
        return cls(float(values.mean()), median, low, high, 1 - some.size / values.size,
                   (float(inner[0]), float(inner[1])))

    @property
    def single(self) -> bool:
        """Whether all draws have the same change."""
        return self.high - self.low < NOTHING and abs(self.mean - self.low) < NOTHING

    @property
    def partial(self) -> bool:
        """Whether an end of the range is zero because some draws have no effect."""
        ends = min(abs(self.low), abs(self.high))
        return not self.single and self.nothing > 0 and ends < NOTHING

    @property
    def flat(self) -> bool:
        """Whether at least four draws in five have one and the same change, as it is printed."""
        width = max(NOTHING, SAME * abs(self.median))
        return not self.single and self.high - self.low < width

    @property
    def skewed(self) -> bool:
        """Whether the median is so far from the mean that a reader should see both."""
        return (not self.single and not self.partial and not self.flat
                and abs(self.mean - self.median) > SKEW * abs(self.mean))

    @property
    def outside(self) -> bool:
        """Whether a few large outcomes put the mean beyond the range, farther from zero."""
        return self.mean < min(self.low, 0.0) - NOTHING or self.mean > max(self.high, 0.0) + NOTHING
