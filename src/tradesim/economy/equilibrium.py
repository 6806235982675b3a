"""Market equilibrium of the pair: every group, year and draw, in exact hats.

The arrays of the economy become the cells of `markets.solve_market`, and its solution becomes
changes by importer, exporter and group again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import DIMS, Array, axis, entry, pick, ratio, spread, total
from tradesim.common.errors import ConvergenceError
from tradesim.economy.base_year import Economy
from tradesim.economy.markets import Market, Shifts, solve_market
from tradesim.economy.shocks import Change


@dataclass(frozen=True, slots=True)
class Settled:
    """Where each year would settle: log changes in the order of `DIMS`.

    Attributes
    ----------
    sales
        Value of sales before duty and trade cost, home sales included.
    price
        Price index of the group for the buyers of each importer.
    home_price
        Home producers' price in each importer.
    supplier_price
        Foreign suppliers' price before duty and trade cost.
    residual
        Largest residual of the solver, log points.
    """

    sales: Array
    price: Array
    home_price: Array
    supplier_price: Array
    residual: float


@dataclass(frozen=True)
class Macro:
    """What a general-equilibrium closure hands to the markets; log changes, order of `DIMS`.

    Attributes
    ----------
    wage
        Price of each exporter's resources.
    spending
        Each importer's spending on goods.
    price_level
        Price index of all goods in each importer.
    real_income
        Real spending of each importer: the closure's own measure of welfare.
    """

    wage: Array
    spending: Array
    price_level: Array
    real_income: Array


def equilibrium(economy: Economy, levels: Array, change: Change, macro: Macro | None = None,
                finite: NDArray[np.bool_] | None = None) -> Settled:
    r"""Solve both markets of every group, draw and year (equations 7-10).

    A change of supply moves the price at which the base quantity is offered (equation 15); where
    supply is elastic at a given cost it moves the varieties offered. A change of the offer price
    and the wages of a closure move that price too, and the spending of a closure moves demand,
    :math:`\ln d = \ln E - (1 - \varepsilon) \ln P`, so that a rise of all prices and incomes
    alike moves no quantity.

    Lines of a group are solved apart: substitution among them is as elastic as demand for the
    group (equation I2), so a price in one line moves no other.

    Parameters
    ----------
    economy
        Elasticities and base-year duties.
    change
        Joint change of costs, demand and supply.
    macro
        Wages and spending from a closure; unchanged by default.
    finite
        Suppliers whose supply counts as finite in every group, in place of those of each: so
        that groups which stand along the draws are solved alike whichever of them are there.

    Returns
    -------
    Settled
        Long-run log changes against the reference path.

    Raises
    ------
    ConvergenceError
        From `solve_market`, with the draws concerned.
    """
    home = economy.home
    paid = levels * ((1.0 + economy.duty) * (1.0 - home))
    imports = total(paid, "exporter")
    at_home = entry(levels, home) * (1.0 + entry(economy.duty, home))
    inputs = {
        "import_share": ratio(paid, imports),
        "home_share": ratio(at_home, imports + at_home),
        "cost": change.log_cost,
        "lower": economy.lower,
        "upper": economy.upper,
        "demand": economy.demand,
        "home_supply": economy.home_supply,
        "inverse_supply": economy.inverse_supply,
    }
    moves = _shifts(economy, change, macro)
    inputs |= moves
    importers, exporters, groups, *rest = np.broadcast_shapes(
        levels.shape, *(values.shape for values in (change.log_cost, *moves.values())))
    sales = np.empty((importers, exporters, groups, *rest))
    price, home_price = np.empty((2, importers, 1, groups, *rest))
    supplier_price = np.empty((1, exporters, groups, *rest))
    residual = 0.0
    for chosen in alike(economy.inverse_supply, groups):
        shape = (importers, exporters, len(chosen), *rest)
        here = {name: pick(values, "group", chosen) for name, values in inputs.items()}
        here["sales_share"] = _sales_share(levels, home, here["inverse_supply"], chosen)
        try:
            part = _solve_groups(here, shape, finite)
        except ConvergenceError as error:
            raise error.moved(lambda cell: cell % rest[-1]) from error
        home_price[:, :, chosen] = part.home_price.reshape(importers, 1, *shape[2:])
        price[:, :, chosen] = part.price.reshape(importers, 1, *shape[2:])
        supplier_price[:, :, chosen] = part.supplier_price.reshape(1, *shape[1:])
        sold = part.quantity + part.supplier_price
        for j, i in np.argwhere(home[:, :, 0, 0, 0, 0]):
            sold[j, i] = part.home_price[j] + part.home_quantity[j]
        sales[:, :, chosen] = sold.reshape(shape)
        residual = max(residual, part.residual)
    return Settled(sales, price, home_price, supplier_price, residual)


def _sales_share(levels: Array, home: Array, inverse_supply: Array,
                 chosen: NDArray[np.intp]) -> Array:
    """Share of each market in what a supplier sells to both, where its supply is finite."""
    finite = finite_suppliers(inverse_supply)
    if not finite.any():
        return spread(0.0)
    finite = np.broadcast_to(finite, levels.shape[1:2])
    sold = pick(levels[:, finite] * (1.0 - home[:, finite]), "group", chosen)
    share = np.zeros((*levels.shape[:2], *sold.shape[2:]))
    share[:, finite] = ratio(sold, total(sold, "importer"))
    return share


def _shifts(economy: Economy, change: Change, macro: Macro | None) -> dict[str, Array]:
    """Shifts by name of `markets.Shifts`, order of `DIMS`; nothing when nothing moves."""
    moved = [change.demand, change.supply, change.availability, change.price]
    if macro is None and not any(values.any() for values in moved):
        return {}
    elastic = economy.inverse_supply == 0.0
    freed = total(change.approval * (1.0 - economy.home), "importer")
    offer = (change.price - change.supply * economy.offer_response
             - freed * economy.inverse_supply)
    appeal = change.availability + np.where(elastic, change.supply, 0.0)
    home_offer = (total(change.price * economy.home, "exporter")
                  - total(change.supply * economy.home, "exporter") / economy.home_supply)
    demand = change.demand
    if macro is not None:
        offer = offer + macro.wage
        home_offer = home_offer + total(macro.wage * economy.home, "exporter")
        demand = demand + macro.spending - (1.0 - economy.demand) * macro.price_level
    return {"demand_shift": demand, "appeal": appeal, "home_offer": home_offer, "offer": offer}


def finite_suppliers(inverse_supply: Array) -> NDArray[np.bool_]:
    """Find exporters whose supply of any group is finite."""
    others = tuple(axis(dim) for dim in DIMS if dim != "exporter")
    return np.asarray(inverse_supply.any(axis=others))


def alike(inverse_supply: Array, groups: int) -> list[NDArray[np.intp]]:
    """Sort groups into sets with finite supply by the same exporters: one size of system each."""
    if groups == 1:
        return [np.zeros(1, dtype=np.intp)]
    finite = np.any(inverse_supply != 0.0, axis=(axis("case"), axis("year"), axis("draw")))
    finite = np.broadcast_to(finite[0], (finite.shape[1], groups))
    _, kind = np.unique(finite, axis=1, return_inverse=True)
    return [np.flatnonzero(kind == one) for one in range(kind.max() + 1)]


def _solve_groups(inputs: Mapping[str, Array], shape: Sequence[int],
                  finite: NDArray[np.bool_] | None) -> Market:
    """Flatten groups, cases, years and draws into cells, and solve them."""
    importers, exporters, *cells = shape

    def flat(values: Array, *leading: int) -> Array:
        return np.broadcast_to(values, (*leading, *cells)).reshape(*leading, -1)

    by_market = {name: flat(inputs[name], importers, 1)[:, 0]
                 for name in ("home_share", "lower", "upper", "demand", "home_supply")}
    by_supplier = {name: flat(inputs[name], importers, exporters)
                   for name in ("import_share", "cost", "sales_share")}
    inverse_supply = flat(inputs["inverse_supply"], 1, exporters)[0]
    shifts = Shifts(
        demand=flat(inputs["demand_shift"], importers, 1)[:, 0],
        appeal=flat(inputs["appeal"], importers, exporters),
        home_offer=flat(inputs["home_offer"], importers, 1)[:, 0],
        offer=flat(inputs["offer"], 1, exporters)[0],
    ) if "offer" in inputs else None
    return solve_market(**by_supplier, **by_market, inverse_supply=inverse_supply, shifts=shifts,
                        finite=finite)


def no_change(levels: Array) -> Settled:
    """Give the solution without any shock: every change is zero."""
    none = np.broadcast_to(0.0, levels.shape)
    return Settled(none, none[:, :1], none[:, :1], none[:1], residual=0.0)
