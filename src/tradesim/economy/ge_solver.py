r"""Systems of a one-sector world: wages that clear all markets.

Kernels for many draws at once, draws first, because each draw's linear system stands alone. A
draw that is solved leaves the active set, so its numbers do not depend on which draws it was
solved with. What a world means stands in `tradesim.economy.closure`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import Problem

TOLERANCE = 1e-13
"""Largest residual, in log points of sales, at which a draw counts as solved."""

NEWTON_STEPS = 40
DAMPED_STEPS = 20_000
MAX_STEP = 1.0
"""Longest Newton step of a log wage; reached only by shocks of several hundred per cent."""

CELLS = 2**15
"""Cells of trade matrices worked on at once: their arrays stay in the processor's cache."""

LEAST = 1e-6
"""Smallest factor of spending allowed on the way to a solution with additive imbalances."""


@dataclass(frozen=True, slots=True)
class Markets:
    r"""Which wages clear the markets of all countries, in exact hats (equations G1, G3 and G4).

    .. math::

        \sum_j \frac{k_{ij} \hat w_i^{-\theta}}{\sum_k k_{kj} \hat w_k^{-\theta}}\, N'_j
            = \hat w_i Y_i, \qquad \sum_i \hat w_i Y_i = \sum_i Y_i

    with :math:`N'_j = \hat w_j Y_j + N_j - Y_j` (additive) or
    :math:`N'_j = \kappa \hat w_j N_j` (multiplicative), where one :math:`\kappa` makes world
    purchases equal world output.

    One of the equations follows from the others (Walras). None is dropped: the gap of world
    output to what it was is added to all, and vanishes with them.

    Attributes
    ----------
    kernel
        Trade before duty if only costs and duties changed, before shares are taken,
        (draw, exporter, importer).
    theta
        Trade elasticity, (draw, 1).
    output, purchases
        Row and column sums :math:`Y`, :math:`N` of base trade before duty, (draw, country).
    additive
        Whether imbalances stay as they are, or stay in proportion to output.
    """

    kernel: Array
    theta: Array
    output: Array
    purchases: Array
    additive: bool

    def take(self, draws: NDArray[np.intp]) -> Markets:
        """Give the equations of some of the draws."""
        return Markets(self.kernel[draws], self.theta[draws], self.output[draws],
                       self.purchases[draws], self.additive)

    def growth(self, wage: Array) -> Array:
        """Factor on purchases before duty, (draw, importer)."""
        if self.additive:
            return 1.0 + self.output * (wage - 1.0) / self.purchases
        return wage * self.scale(wage)

    def scale(self, wage: Array) -> Array:
        r"""Give :math:`\kappa`, by which world purchases meet world output, (draw, 1)."""
        if self.additive:
            return np.ones((len(wage), 1))
        output = added(self.output * wage) / added(self.output)
        return output / (added(self.purchases * wage) / added(self.purchases))

    def prices(self, wage: Array) -> tuple[Array, Array]:
        r"""Factors :math:`\hat w^{-\theta}`, and what they and costs do to all offers."""
        factor = np.exp(-self.theta * np.log(wage))
        return factor, by_importer(self.kernel, factor) / self.purchases

    def flows(self, wage: Array) -> Array:
        """Trade before duty at these wages, (draw, exporter, importer)."""
        factor, price = self.prices(wage)
        return self.kernel * factor[..., None] * (self.growth(wage) / price)[..., None, :]

    def residual(self, unknowns: Array) -> Array:
        """Sales over output at these log wages, log, and the gap of world output."""
        wage = np.exp(unknowns)
        factor, price = self.prices(wage)
        growth = np.maximum(self.growth(wage), LEAST)
        sales = factor * by_exporter(self.kernel, growth / price)
        world = added(self.output * (wage - 1.0)) / added(self.output)
        return np.log(sales / self.output) - unknowns - world

    def jacobian(self, unknowns: Array) -> Array:
        """Differentiate the residual: rivals, spending, own price, world output."""
        wage = np.exp(unknowns)
        factor, price = self.prices(wage)
        growth = np.maximum(self.growth(wage), LEAST)
        offers = self.kernel * factor[..., None]
        flows = offers * (growth / price)[..., None, :]
        share = offers / (price * self.purchases)[..., None, :]
        earned = self.output * wage
        world = earned / added(self.output)
        if self.additive:
            spent, common = earned / (self.purchases * growth), 0.0 * earned
        else:
            bought = self.purchases * wage
            spent, common = np.ones_like(wage), earned / added(earned) - bought / added(bought)
        won = self.theta[..., None] * np.matmul(flows, share.swapaxes(-1, -2))
        change = (won + flows * spent[..., None, :]) / flows.sum(axis=-1)[..., None]
        own = np.eye(wage.shape[-1]) * (1.0 + self.theta[..., None])
        return np.asarray(change + (common - world)[..., None, :] - own)

    def damped(self, unknowns: Array, residual: Array) -> Array:
        """Move wages with excess demand, and all so that world output stays."""
        moved = unknowns + residual / (1.0 + self.theta)
        world = added(self.output * np.exp(moved)) / added(self.output)
        return np.asarray(moved - np.log(world))


def by_exporter(matrix: Array, weight: Array) -> Array:
    """Weighted sum over importers, (draw, exporter)."""
    return np.asarray(np.matmul(matrix, weight[..., None])[..., 0])


def by_importer(matrix: Array, weight: Array) -> Array:
    """Weighted sum over exporters, (draw, importer)."""
    return np.asarray(np.matmul(weight[..., None, :], matrix)[..., 0, :])


def added(values: Array) -> Array:
    """Sum over countries, kept as an axis of length one."""
    return np.asarray(values.sum(axis=-1, keepdims=True))


def solved(system: Markets, start: Array) -> tuple[Array, Array]:
    """Solve each draw by Newton's method, and where it fails by the slow one.

    Parameters
    ----------
    system
        Equations of all draws.
    start
        First guess, shape (draw, exporter).

    Returns
    -------
    tuple of numpy.ndarray
        Unknowns, and the largest residual of each draw; above `TOLERANCE` where neither
        method came to an end.
    """
    unknowns, error = _iterated(system, start, NEWTON_STEPS, newton=True)
    failed = np.flatnonzero(~(error <= TOLERANCE))
    if failed.size:
        unknowns[failed], error[failed] = _iterated(
            system.take(failed), start[failed], DAMPED_STEPS, newton=False)
    return unknowns, error


def _iterated(system: Markets, start: Array, steps: int, *, newton: bool) -> tuple[Array, Array]:
    """Iterate on the draws not yet solved; those that leave the numbers are given up."""
    solution, error = start.copy(), np.full(len(start), np.inf)
    active, current, unknowns = np.arange(len(start)), system, start
    for _ in range(steps + 1):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            residual = current.residual(unknowns)
        gap = np.abs(residual).max(axis=-1)
        solution[active], error[active] = unknowns, np.where(np.isfinite(gap), gap, np.inf)
        left = np.flatnonzero((gap > TOLERANCE) & np.isfinite(gap))
        if not left.size:
            break
        if left.size < len(active):
            active, current = active[left], current.take(left)
            unknowns, residual = unknowns[left], residual[left]
        if newton:
            step = np.linalg.solve(current.jacobian(unknowns), residual[..., None])[..., 0]
            unknowns = unknowns - np.clip(step, -MAX_STEP, MAX_STEP)
        else:
            unknowns = current.damped(unknowns, residual)
    return solution, error


def bad_cells(name: str, values: Array, good: NDArray[np.bool_], must: str) -> list[Problem]:
    """Give one problem for the cells of an array that are missing, infinite or out of range."""
    wrong = np.argwhere(~(good & np.isfinite(values)))
    if not len(wrong):
        return []
    places = ", ".join(str(tuple(int(k) for k in place)) for place in wrong[:3])
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    value = values[tuple(wrong[0])]
    said = "is missing" if np.isnan(value) else f"is {value:g}"
    return [Problem(name, places + more if values.ndim else "", f"{said}; {must} and finite")]
