r"""Trade matrices of structural gravity, for tests and benchmarks of the one-sector world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError
from tradesim.common.parallel import by_block
from tradesim.economy.ge_solver import CELLS, TOLERANCE, added, by_exporter, by_importer, solved

SWEEPS = 12
"""Proportional sweeps over both margins before Newton's method starts."""


@dataclass(frozen=True, slots=True)
class Margins:
    r"""Which factors of exporters give a matrix the margins wanted.

    .. math::

        \sum_j \frac{r_{ij} a_i}{\sum_k r_{kj} a_k}\, E_j = Y_i

    The factors of importers are eliminated; the scale of the rest is fixed by
    :math:`\sum_i Y_i \ln a_i = 0`.

    Attributes
    ----------
    kernel
        :math:`r`, shape (draw, exporter, importer).
    output, spending
        Margins :math:`Y` and :math:`E` with the same total, shape (draw, country).
    """

    kernel: Array
    output: Array
    spending: Array

    def take(self, draws: NDArray[np.intp]) -> Margins:
        """Give the equations of some of the draws."""
        return Margins(self.kernel[draws], self.output[draws], self.spending[draws])

    def flows(self, unknowns: Array) -> Array:
        """Matrix with these factors of exporters; its columns meet their margins."""
        factor = np.exp(unknowns)
        price = by_importer(self.kernel, factor) / self.spending
        return self.kernel * factor[..., None] / price[..., None, :]

    def residual(self, unknowns: Array) -> Array:
        """Sales over output, log, and the scale of the factors."""
        factor = np.exp(unknowns)
        price = by_importer(self.kernel, factor) / self.spending
        sales = factor * by_exporter(self.kernel, 1.0 / price)
        return np.log(sales / self.output) + added(self.output * unknowns) / added(self.output)

    def jacobian(self, unknowns: Array) -> Array:
        """Differentiate the residual: own sales less what rivals in the same markets lose."""
        flows = self.flows(unknowns)
        sales = flows.sum(axis=-1)
        share = flows / self.spending[..., None, :]
        lost = np.matmul(flows, share.swapaxes(-1, -2)) / sales[..., None]
        scale = self.output / added(self.output)
        return np.asarray(np.eye(flows.shape[-1]) - lost + scale[..., None, :])

    def damped(self, unknowns: Array, residual: Array) -> Array:
        """Proportional fitting: scale every row to its margin (columns always meet theirs)."""
        return unknowns - residual


def fitted(resistance: Any, output: Any, spending: Any) -> Array:
    r"""Give the trade matrix of structural gravity with these margins.

    .. math::

        X_{ij} = r_{ij}\, a_i\, b_j, \qquad \sum_j X_{ij} = Y_i, \quad \sum_i X_{ij} = E_j

    with :math:`r = t^{-\theta}`: the factors are output and spending over multilateral
    resistances. It is the baseline that a gravity equation with fixed effects fits.

    Parameters
    ----------
    resistance
        Trade costs raised to the power of minus the trade elasticity, exporter by importer,
        with or without a leading draw axis.
    output, spending
        Margins, one per country (and draw). Output is scaled to the total of spending.

    Raises
    ------
    ConvergenceError
        When a draw's margins are not met.
    """
    kernel = np.asarray(resistance, dtype=float)
    rows, columns = (np.asarray(margin, dtype=float) for margin in (output, spending))
    drawn = {len(part) for part, least in ((kernel, 2), (rows, 1), (columns, 1))
             if part.ndim > least}
    count, size = max(drawn, default=1), kernel.shape[-1]
    kernel = np.broadcast_to(kernel, (count, size, size))
    rows, columns = (np.broadcast_to(part, (count, size)) for part in (rows, columns))

    def block(part: slice) -> tuple[Array, Array]:
        spent = np.ascontiguousarray(columns[part])
        made = rows[part] * (spent.sum(-1, keepdims=True) / rows[part].sum(-1, keepdims=True))
        margins = Margins(np.ascontiguousarray(kernel[part]), made, spent)
        near = np.zeros_like(spent)
        for _ in range(SWEEPS):
            near = margins.damped(near, margins.residual(near))
        unknowns, gap = solved(margins, near)
        return margins.flows(unknowns), gap

    flows, gaps = (np.concatenate(list(part)) for part in
                   zip(*by_block(block, count, max(1, CELLS // size**2)), strict=True))
    if not (gaps <= TOLERANCE).all():
        raise ConvergenceError("margins of a trade matrix", float(gaps.max()),
                               np.flatnonzero(~(gaps <= TOLERANCE)).tolist())
    return flows if drawn else np.asarray(flows[0])


def conditional(trade: Any, cost_hat: Any, theta: Any) -> Array:
    r"""Give trade after a change of costs at given output and spending ("conditional" GE).

    Multilateral resistances move, wages and incomes do not: the first round of the effect.

    Parameters
    ----------
    trade, cost_hat, theta
        As in `one_sector`.

    Returns
    -------
    numpy.ndarray
        Trade, level.
    """
    base, power = np.asarray(trade, dtype=float), np.asarray(theta, dtype=float)
    kernel = base * np.asarray(cost_hat, dtype=float) ** -power[..., None, None]
    return fitted(kernel, base.sum(axis=-1), base.sum(axis=-2))
