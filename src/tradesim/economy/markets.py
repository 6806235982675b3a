"""One market of one product group: nested CES with home and finite foreign supply, exact hats.

Every price and quantity is a log change against the reference path. The unknowns of a cell
(one draw, year and product group) are the log prices of home producers in each market and of
the foreign suppliers whose supply is finite. All cells are solved at once by Newton's method
with the analytic Jacobian; a cell that has converged is frozen, so that its numbers do not
depend on which cells it was solved with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import ConvergenceError

TOLERANCE = 1e-12
"""Largest residual, in log points, at which a cell counts as solved."""

ROUNDING = 1e-9
"""Residual below which a cell that Newton's method improves no more is at the limit of its numbers.

Where imports all but vanish, the price index is the logarithm of a small number left by a
subtraction, and keeps fewer digits.
"""

MAX_ITERATIONS = 60
CROWDED = 0.6
"""Share of cells that may be left before those that are solved are put aside: moving costs too."""

MAX_STEP = 2.0
"""Longest Newton step of a log price; reached only by shocks of several hundred per cent."""


@dataclass(frozen=True, slots=True)
class Market:
    r"""Solution of all cells, as log changes (equations 7-10).

    Attributes
    ----------
    price
        Price index of the group, :math:`\ln P`, shape (market, cell).
    import_price
        Import price index, :math:`\ln P_M`, shape (market, cell).
    home_price, home_quantity
        Home producers' price and sales, shape (market, cell).
    supplier_price
        Foreign suppliers' price before duty and trade cost, :math:`\ln w`, (supplier, cell).
    quantity
        Quantity bought from each foreign supplier, shape (market, supplier, cell).
    residual
        Largest residual over all cells, log points.
    """

    price: Array
    import_price: Array
    home_price: Array
    home_quantity: Array
    supplier_price: Array
    quantity: Array
    residual: float


@dataclass(frozen=True, slots=True)
class Shifts:
    """What moves besides cost, as log changes.

    Attributes
    ----------
    demand
        Demand for the group at given prices, shape (market, cell).
    appeal
        Varieties offered by each foreign supplier, shape (market, supplier, cell).
    home_offer
        Price at which home producers offer their base quantity, shape (market, cell).
    offer
        The same of each foreign supplier; its price where supply is elastic, (supplier, cell).
    """

    demand: Array
    appeal: Array
    home_offer: Array
    offer: Array


def no_shifts(cost: Array) -> Shifts:
    """Give shifts of zero for costs of shape (market, supplier, cell)."""
    none = np.broadcast_to(0.0, cost.shape)
    return Shifts(none[:, 0], none, none[:, 0], none[0])


@dataclass(frozen=True, slots=True)
class _Cells:
    """What stays the same over the iterations; (market, cell) or (market, supplier, cell).

    Suppliers are those with finite supply only: what the others sell at given prices is one
    constant term of the import price index. Every sum of shares is written as one plus what
    changes, so that no shock gives no change, to the last bit.
    """

    elastic_imports: Array
    import_share: Array
    cost: Array
    appeal: Array
    home_share: Array
    lower: Array
    upper: Array
    demand: Array
    market: Array
    inverse_home_supply: Array
    home_offer: Array
    inverse_supply: Array
    offer: Array
    sales_share: Array

    def take(self, index: NDArray[np.intp]) -> _Cells:
        return _Cells(*(getattr(self, name)[..., index] for name in self.__slots__))


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
    shifts: Shifts | None = None,
    finite: NDArray[np.bool_] | None = None,
) -> Market:
    r"""Solve all cells for the prices at which home and finite foreign supply clear.

    .. math::

        (7)\; P_M^{1-\omega} = \sum_i \theta_i a_i (\hat c_i \hat w_i)^{1-\omega} \qquad
        (8)\; P^{1-\sigma} = \alpha p_h^{1-\sigma} + (1-\alpha) P_M^{1-\sigma}

        (9)\; q_i = d\, a_i (\hat c_i \hat w_i)^{-\omega} P_M^{\omega-\sigma}
        P^{\sigma-\varepsilon}, \quad q_h = d\, p_h^{-\sigma} P^{\sigma-\varepsilon}

        (10)\; q_h = (p_h / b_h)^{\eta_h}, \quad
        \sum_j s_{ij} q_{ij} = (\hat w_i / b_i)^{\eta_i}

    Parameters
    ----------
    import_share
        Shares :math:`\theta` of foreign suppliers in imports at consumer prices, summing to
        one over suppliers; shape (market, supplier, cell).
    home_share
        Share :math:`\alpha` of home goods in spending, shape (market, cell).
    cost
        Log change of delivered cost, duty included, shape (market, supplier, cell).
    lower, upper, demand
        Elasticities :math:`\omega` among suppliers, :math:`\sigma` between home goods and
        imports, :math:`\varepsilon` of demand for the group; shape (market, cell).
        `lower` and `upper` must not be exactly one.
    home_supply
        Elasticity :math:`\eta_h > 0` of home supply, shape (market, cell); ``inf`` makes the
        home price rigid.
    inverse_supply
        One over the supply elasticity of each supplier, shape (supplier, cell); zero means
        supply at a given price.
    sales_share
        Share of each supplier's modelled sales that goes to each market, shape
        (market, supplier, cell).
    shifts
        Shifts of demand :math:`d`, of the varieties offered :math:`a` and of the prices
        :math:`b` at which the base quantities are offered; none by default.
    finite
        Suppliers whose prices are unknowns; by default those of which any cell has a supply
        that is finite. For one that is not the price is found, and is the one given.

    Returns
    -------
    Market
        Log changes that solve (7)-(10) to `TOLERANCE`, or as far as their digits go (`ROUNDING`).

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
    move = no_shifts(cost) if shifts is None else shifts
    finite = np.asarray(inverse_supply.any(axis=-1)) if finite is None else finite
    moved = cost.any(axis=-1) | move.appeal.any(axis=-1) | move.offer.any(axis=-1)
    given = np.zeros_like(home_share)
    for j, i in np.argwhere(moved & ~finite):
        given[j] += import_share[j, i] * np.expm1(
            (1.0 - lower[j]) * (cost[j, i] + move.offer[i]) + move.appeal[j, i])
    cells = _Cells(
        given,
        import_share[:, finite],
        cost[:, finite],
        move.appeal[:, finite],
        home_share,
        lower,
        upper,
        demand,
        move.demand,
        1.0 / home_supply,
        move.home_offer,
        inverse_supply[finite],
        move.offer[finite],
        sales_share[:, finite],
    )
    unknowns, residual = _newton(cells)
    markets = len(home_share)
    home_price = unknowns[:markets]
    supplier_price = np.array(move.offer)
    supplier_price[finite] = unknowns[markets:]
    import_price, price, _, _ = _indices(cells, unknowns)
    spread = (upper - demand) * price + move.demand
    reach = (lower - upper) * import_price + spread
    quantity = np.empty_like(cost)
    quantity[:] = reach[:, None]
    for j, i in np.argwhere(moved | finite):
        quantity[j, i] -= lower[j] * (cost[j, i] + supplier_price[i])
        quantity[j, i] += move.appeal[j, i]
    return Market(
        price=price,
        import_price=import_price,
        home_price=home_price,
        home_quantity=-upper * home_price + spread,
        supplier_price=supplier_price,
        quantity=quantity,
        residual=residual,
    )


def _newton(cells: _Cells) -> tuple[Array, float]:
    """Newton's method from zero; converged cells are frozen and leave the active set."""
    markets, count = cells.home_share.shape
    solution = np.zeros((markets + len(cells.inverse_supply), count))
    active, current, unknowns = np.arange(count), cells, solution.copy()
    open_ = np.ones(count, dtype=bool)
    before, worst = np.full(count, np.inf), 0.0
    for _ in range(MAX_ITERATIONS + 1):
        residual, jacobian = _system(current, unknowns)
        error = np.abs(residual).max(axis=0)
        stuck = (error > 0.5 * before) & (error <= ROUNDING)
        done, before = open_ & ((error <= TOLERANCE) | stuck), error
        if done.any():
            solution[:, active[done]] = unknowns[:, done]
            worst = max(worst, float(error[done].max()))
            open_ &= ~done
            left = np.flatnonzero(open_)
            if not len(left):
                return solution, worst
            if len(left) < CROWDED * len(open_):
                active, current, unknowns = active[left], current.take(left), unknowns[:, left]
                residual, jacobian = residual[:, left], jacobian[..., left]
                open_, before = open_[left], before[left]
        step = _solved(jacobian, residual, markets)
        unknowns = unknowns - np.clip(step, -MAX_STEP, MAX_STEP)
    raise ConvergenceError("market equilibrium", float(error[open_].max()), active[open_].tolist())


def _solved(jacobian: Array, residual: Array, markets: int) -> Array:
    """Solve each cell's linear system; each home price follows from its own row by division."""
    if len(residual) == markets:
        return np.asarray(residual / jacobian[0])
    own = np.einsum("iic->ic", jacobian[:markets, :markets])
    alone = residual[:markets] / own
    across = jacobian[:markets, markets:] / own[:, None]
    at_home, abroad = jacobian[markets:, :markets], jacobian[markets:, markets:]
    system = abroad - (at_home[:, :, None] * across).sum(axis=1)
    aim = residual[markets:] - (at_home * alone).sum(axis=1)
    wage = aim / system[0] if len(aim) == 1 else np.linalg.solve(
        np.moveaxis(system, -1, 0), aim.T[..., None])[..., 0].T
    return np.concatenate([alone - (across * wage).sum(axis=1), wage])


def _indices(cells: _Cells, unknowns: Array) -> tuple[Array, Array, Array, Array]:
    """Price indices (7)-(8) and the current shares of finite suppliers and of home goods."""
    home_price, wage = unknowns[:len(cells.home_share)], unknowns[len(cells.home_share):]
    growth = np.expm1((1.0 - cells.lower)[:, None] * (cells.cost + wage) + cells.appeal)
    terms = cells.import_share * growth
    change = cells.elastic_imports + terms.sum(axis=1)
    import_price = np.log1p(change) / (1.0 - cells.lower)
    home = cells.home_share * np.expm1((1.0 - cells.upper) * home_price)
    rest = (1.0 - cells.home_share) * np.expm1((1.0 - cells.upper) * import_price)
    price = np.log1p(home + rest) / (1.0 - cells.upper)
    share = (cells.import_share + terms) / (1.0 + change)[:, None]
    return import_price, price, share, (cells.home_share + home) / (1.0 + home + rest)


def _system(cells: _Cells, unknowns: Array) -> tuple[Array, Array]:
    """Residuals of supply (equation 10), solved for price, and their Jacobian.

    A supplier's equation reads w - (demand for its goods) / elasticity = 0, so an infinite
    elasticity makes it w = 0 and every equation is in log points of price. Without finite
    suppliers markets stand alone: of the Jacobian there is the diagonal only, in one row.
    """
    markets, suppliers = len(cells.home_share), len(cells.inverse_supply)
    import_price, price, share, home_share = _indices(cells, unknowns)
    home_price, wage = unknowns[:markets], unknowns[markets:]
    spread = cells.upper - cells.demand
    home_demand = -cells.upper * home_price + spread * price + cells.market
    slope = cells.inverse_home_supply
    gap = home_price - cells.home_offer - slope * home_demand
    at_home = 1.0 + slope * (cells.upper - spread * home_share)
    if not suppliers:
        return gap, at_home[None]

    residual = np.empty_like(unknowns)
    jacobian = np.zeros((len(unknowns), *unknowns.shape))
    residual[:markets] = gap
    through_price = -slope * spread * (1.0 - home_share)
    for j in range(markets):
        jacobian[j, j] = at_home[j]
        jacobian[j, markets:] = through_price[j] * share[j]
    reach = (cells.lower - cells.upper) * import_price + spread * price + cells.market
    demand = reach[:, None] - cells.lower[:, None] * (cells.cost + wage) + cells.appeal
    growth = cells.sales_share * np.expm1(demand)
    change = growth.sum(axis=0)
    residual[markets:] = wage - cells.offer - cells.inverse_supply * np.log1p(change)
    weight = cells.inverse_supply * (cells.sales_share + growth) / (1.0 + change)
    cross = ((cells.lower - cells.upper) + spread * (1.0 - home_share))[:, None] * share
    jacobian[markets:, :markets] = -np.moveaxis(weight * (spread * home_share)[:, None], 0, 1)
    for i in range(suppliers):
        jacobian[markets + i, markets:] = -(weight[:, i, None] * cross).sum(axis=0)
        jacobian[markets + i, markets + i] += 1.0 + (weight[:, i] * cells.lower).sum(axis=0)
    return residual, jacobian
