"""Cells that are known within ranges only, and must add up to a total that is known.

So are the cells of groups, which meet official totals, and those of products (equation I1).
"""

from __future__ import annotations

from functools import reduce

import numpy as np
from scipy.special import expit, logit

from tradesim.common.arrays import Array, ratio
from tradesim.common.errors import ConvergenceError

EDGE = 1e-12
"""Distance from the end of a range, as a share of its width, that a draw may not cross."""

ADDING_UP = 1e-14
"""Gap to an official total, as a share of the width of its ranges, that counts as none."""

MAX_ITERATIONS = 50


def balanced(values: Array, low: Array, high: Array, total: Array) -> Array:
    r"""Move cells within their ranges until they add up to an official total.

    .. math::

        x_k = l_k + (h_k - l_k)\,\Lambda(\operatorname{logit} u_k + \lambda),
        \qquad \sum_k x_k = T

    with :math:`u_k` the place of the drawn value in its range, :math:`\Lambda` the logistic
    function and one :math:`\lambda` per draw. On the logit scale the sum is close to linear in
    :math:`\lambda`, with slope one far out on both sides, so Newton's method meets the total
    from anywhere.

    Parameters
    ----------
    values
        Drawn cells, shape (cell, ...).
    low, high
        Ranges, broadcasting against `values`; a cell of width zero stays where it is.
    total
        What the cells must add up to, strictly between the sums of `low` and of `high`;
        broadcasting against one cell.

    Returns
    -------
    numpy.ndarray
        Cells inside their ranges whose sum over the first axis is `total`.

    Raises
    ------
    ConvergenceError
        When a total is not met to `ADDING_UP`, relative to the width of its ranges.
    """
    width = np.broadcast_to(high - low, values.shape)
    place = logit(np.clip(ratio(values - low, width, 0.5), EDGE, 1.0 - EDGE))
    weight = width / _added(width)
    need = (total - _added(np.broadcast_to(low, values.shape))) / _added(width)
    shift, gap = np.zeros(values.shape[1:]), np.full(values.shape[1:], np.inf)
    for _ in range(MAX_ITERATIONS):
        share = expit(place + shift)
        mean = _added(weight * share)
        gap = np.abs(mean - need)
        if gap.max() <= ADDING_UP:
            return np.asarray(low + width * share)
        slope = _added(weight * share * (1.0 - share)) / (mean * (1.0 - mean))
        shift = np.where(gap > ADDING_UP, shift + (logit(need) - logit(mean)) / slope, shift)
    raise ConvergenceError("adding up of base-year cells", float(gap.max()))


def _added(cells: Array) -> Array:
    """Add up cells one after the other: one draw gives the same last bit as among thousands."""
    return np.asarray(reduce(np.add, cells))
