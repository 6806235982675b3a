"""Market equilibrium: nested CES with home supply and finite foreign supply, in exact hats.

Every price and quantity is a log change against the reference path. The unknowns of a cell
(one draw, year and product group) are the log prices of home producers in each market and of
the foreign suppliers whose supply is finite. All cells are solved at once by Newton's method
with the analytic Jacobian; a cell that has converged is frozen, so that its numbers do not
depend on which cells it was solved with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tradesim.dims import Array
from tradesim.errors import ConvergenceError

TOLERANCE = 1e-12
"""Largest residual, in log points, at which a cell counts as solved."""

MAX_ITERATIONS = 60
MAX_STEP = 2.0
"""Longest Newton step of a log price; reached only by shocks of several hundred per cent."""


@dataclass(frozen=True, slots=True)
class Market:
    """Solution of all cells, as log changes (equations 7-10).

    Attributes
    ----------
    price
        Price index of the group, :math:`\\ln P`, shape (cell, market).
    import_price
        Import price index, :math:`\\ln P_M`, shape (cell, market).
    home_price, home_quantity
        Home producers' price and sales, shape (cell, market).
    supplier_price
        Foreign suppliers' price before duty and trade cost, :math:`\\ln w`, (cell, supplier).
    quantity
        Quantity bought from each foreign supplier, shape (cell, market, supplier).
    residual
        Largest residual over all cells, log points.
    iterations
        Newton steps of the slowest cell.
    """

    price: Array
    import_price: Array
    home_price: Array
    home_quantity: Array
    supplier_price: Array
    quantity: Array
    residual: float
    iterations: int


@dataclass(frozen=True, slots=True)
class _Cells:
    """What stays the same over the iterations; last axis: market, or market by finite supplier."""

    elastic_imports: Array  # sum over elastic suppliers of share * exp((1 - lower) * cost)
    finite_imports: Array  # the same term for each finite supplier before its price moves
    finite_cost: Array
    home_share: Array
    lower: Array
    upper: Array
    demand: Array
    inverse_home_supply: Array
    inverse_supply: Array
    sales_share: Array

    def take(self, index: Array) -> _Cells:
        return _Cells(*(getattr(self, name)[index] for name in self.__slots__))


def solve_market(
    import_share: Array,
    home_share: Array,
    cost: Array,
    *,
    lower: Array,
    upper: Array,
    demand: Array,
    home_supply: Array,
    inverse_supply: Array,
    sales_share: Array,
) -> Market:
    r"""Solve all cells for the prices at which home and finite foreign supply clear.

    .. math::

        (7)\; P_M^{1-\omega} = \sum_i \theta_i (\hat c_i \hat w_i)^{1-\omega} \qquad
        (8)\; P^{1-\sigma} = \alpha p_h^{1-\sigma} + (1-\alpha) P_M^{1-\sigma}

        (9)\; q_i = (\hat c_i \hat w_i)^{-\omega} P_M^{\omega-\sigma} P^{\sigma-\varepsilon},
        \quad q_h = p_h^{-\sigma} P^{\sigma-\varepsilon}

        (10)\; q_h = p_h^{\eta_h}, \quad \sum_j s_{ij} q_{ij} = \hat w_i^{\eta_i}

    Parameters
    ----------
    import_share
        Shares :math:`\theta` of foreign suppliers in imports at consumer prices, summing to
        one over suppliers; shape (cell, market, supplier).
    home_share
        Share :math:`\alpha` of home goods in spending, shape (cell, market).
    cost
        Log change of delivered cost, duty included, shape (cell, market, supplier).
    lower, upper, demand
        Elasticities :math:`\omega` among suppliers, :math:`\sigma` between home goods and
        imports, :math:`\varepsilon` of demand for the group; shape (cell, market).
        None may be exactly one except `demand`.
    home_supply
        Elasticity :math:`\eta_h > 0` of home supply, shape (cell, market); ``inf`` makes the
        home price rigid.
    inverse_supply
        One over the supply elasticity of each supplier, shape (cell, supplier); zero means
        supply at a given price.
    sales_share
        Share of each supplier's modelled sales that goes to each market, shape
        (cell, market, supplier).

    Returns
    -------
    Market
        Log changes that solve (7)-(10) to `TOLERANCE`.

    Raises
    ------
    ConvergenceError
        When a cell is not solved after `MAX_ITERATIONS`, with its position and residual.

    Notes
    -----
    With ``upper == lower`` and a rigid home price this is one CES nest. With home share zero
    and every supply finite, its derivative at zero is the linear system of Francois and Hall's
    global simulation model.
    """
    finite = np.flatnonzero(np.any(inverse_supply != 0.0, axis=0))
    terms = import_share * np.exp((1.0 - lower[..., None]) * cost)
    elastic = np.ones(inverse_supply.shape[-1], dtype=bool)
    elastic[finite] = False
    cells = _Cells(
        terms[..., elastic].sum(axis=-1),
        terms[..., finite],
        cost[..., finite],
        home_share,
        lower,
        upper,
        demand,
        1.0 / home_supply,
        inverse_supply[..., finite],
        sales_share[..., finite],
    )
    unknowns, residual, iterations = _newton(cells)
    markets = home_share.shape[-1]
    home_price = unknowns[:, :markets]
    supplier_price = np.zeros_like(inverse_supply)
    supplier_price[:, finite] = unknowns[:, markets:]
    import_price, price, _, _ = _indices(cells, unknowns)
    reach = (lower - upper) * import_price + (upper - demand) * price
    return Market(
        price=price,
        import_price=import_price,
        home_price=home_price,
        home_quantity=-upper * home_price + (upper - demand) * price,
        supplier_price=supplier_price,
        quantity=reach[..., None] - lower[..., None] * (cost + supplier_price[:, None, :]),
        residual=residual,
        iterations=iterations,
    )


def _newton(cells: _Cells) -> tuple[Array, float, int]:
    """Newton's method from zero; converged cells are frozen and leave the active set."""
    count, markets = cells.home_share.shape
    solution = np.zeros((count, markets + cells.inverse_supply.shape[-1]))
    active, current, unknowns = np.arange(count), cells, solution.copy()
    worst = 0.0
    for iteration in range(MAX_ITERATIONS + 1):
        residual, jacobian = _system(current, unknowns)
        error = np.abs(residual).max(axis=1)
        done = error <= TOLERANCE
        if done.any():
            solution[active[done]] = unknowns[done]
            worst = max(worst, float(error[done].max()))
            if done.all():
                return solution, worst, iteration
            left = ~done
            active, current, unknowns = active[left], current.take(left), unknowns[left]
            residual, jacobian = residual[left], jacobian[left]
        step = np.linalg.solve(jacobian, residual[..., None])[..., 0]
        unknowns = unknowns - np.clip(step, -MAX_STEP, MAX_STEP)
    raise ConvergenceError("market equilibrium", float(np.nanmax(error)), active.tolist())


def _indices(cells: _Cells, unknowns: Array) -> tuple[Array, Array, Array, Array]:
    """Price indices (7)-(8) and the current shares of finite suppliers and of home goods."""
    markets = cells.home_share.shape[-1]
    home_price, wage = unknowns[:, :markets], unknowns[:, None, markets:]
    terms = cells.finite_imports * np.exp((1.0 - cells.lower[..., None]) * wage)
    imports = cells.elastic_imports + terms.sum(axis=-1)
    import_price = np.log(imports) / (1.0 - cells.lower)
    home = cells.home_share * np.exp((1.0 - cells.upper) * home_price)
    spending = home + (1.0 - cells.home_share) * np.exp((1.0 - cells.upper) * import_price)
    price = np.log(spending) / (1.0 - cells.upper)
    return import_price, price, terms / imports[..., None], home / spending


def _system(cells: _Cells, unknowns: Array) -> tuple[Array, Array]:
    """Residuals of the supply equations (10), solved for price, and their Jacobian.

    A supplier's equation reads w - (demand for its goods) / elasticity = 0, so an infinite
    elasticity makes it w = 0 and every equation is in log points of price.
    """
    markets = cells.home_share.shape[-1]
    suppliers = cells.inverse_supply.shape[-1]
    import_price, price, share, home_share = _indices(cells, unknowns)
    home_price, wage = unknowns[:, :markets], unknowns[:, markets:]
    spread = cells.upper - cells.demand
    home_demand = -cells.upper * home_price + spread * price
    residual = np.empty_like(unknowns)
    jacobian = np.zeros((*unknowns.shape, unknowns.shape[-1]))
    residual[:, :markets] = home_price - cells.inverse_home_supply * home_demand
    for j in range(markets):
        slope = cells.inverse_home_supply[:, j]
        jacobian[:, j, j] = 1.0 + slope * (cells.upper[:, j] - spread[:, j] * home_share[:, j])
        through_price = (slope * spread[:, j] * (1.0 - home_share[:, j]))[:, None]
        jacobian[:, j, markets:] = -through_price * share[:, j, :]
    if not suppliers:
        return residual, jacobian

    reach = (cells.lower - cells.upper) * import_price + spread * price
    delivered = cells.finite_cost + wage[:, None, :]
    sales = cells.sales_share * np.exp(reach[..., None] - cells.lower[..., None] * delivered)
    volume = sales.sum(axis=1)
    residual[:, markets:] = wage - cells.inverse_supply * np.log(volume)
    weight = cells.inverse_supply[:, None, :] * sales / volume[:, None, :]
    cross = (cells.lower - cells.upper) + spread * (1.0 - home_share)
    for j in range(markets):
        response = weight[:, j, :]
        jacobian[:, markets:, j] -= response * (spread[:, j] * home_share[:, j])[:, None]
        jacobian[:, markets:, markets:] -= (
            response[:, :, None] * (cross[:, j, None] * share[:, j, :])[:, None, :]
        )
    own = np.arange(markets, markets + suppliers)
    jacobian[:, own, own] += 1.0 + (weight * cells.lower[..., None]).sum(axis=1)
    return residual, jacobian
