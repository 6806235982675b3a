r"""General equilibrium of a world with one sector, and what it hands to the product groups.

`one_sector` solves an Armington world (the same equations as Eaton and Kortum's) in exact
hats: wages clear the markets of all countries, spending follows income. `closure` feeds it with
what the levers do to trade in the pair's markets and gives changes of wages and spending back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from tradesim.common.arrays import DIMS, Array, axis, ratio, spread, total
from tradesim.common.errors import ConvergenceError, InputError, Problem
from tradesim.common.parallel import by_block
from tradesim.economy.base_year import Economy
from tradesim.economy.elsewhere import third_duties
from tradesim.economy.equilibrium import Macro
from tradesim.economy.ge_solver import (
    CELLS,
    LEAST,
    TOLERANCE,
    Markets,
    bad_cells,
    by_exporter,
    by_importer,
    solved,
)
from tradesim.economy.shocks import Change

Imbalances = Literal["multiplicative", "additive"]


@dataclass(frozen=True, slots=True)
class OneSector:
    r"""A world after a change; hats are factors on what was, levels are in the unit of trade.

    Every array has the leading draw axis if one of the inputs had it.

    Attributes
    ----------
    wage
        Wage and factory-gate price of each country, :math:`\hat w`; world output is the
        numeraire: :math:`\sum_i \hat w_i Y_i = \sum_i Y_i`.
    price_index
        Price index of what each country buys, duties included, :math:`\hat P`.
    trade
        Trade before duty, level, exporter by importer; rows add up to :math:`\hat w_i Y_i`.
    welfare
        Real spending: :math:`(E'/E)/\hat P` with additive imbalances; with multiplicative ones
        the same less the common factor on imbalances, so that without duties it is
        :math:`\hat w / \hat P`.
    spending
        Spending of each country, duties included, level.
    revenue
        Duties collected by each country and rebated to its buyers, level.
    residual
        Largest gap between sales and output, log points, by draw.
    """

    wage: Array
    price_index: Array
    trade: Array
    welfare: Array
    spending: Array
    revenue: Array
    residual: Array


def one_sector(
    trade: Any, cost_hat: Any, theta: Any, imbalances: Imbalances = "multiplicative", *,
    tariff: Any = 0.0, tariff_after: Any = None,
) -> OneSector:
    r"""Solve a one-sector world for a change of costs and duties (equations G1-G4).

    .. math::

        X'_{ij} = \frac{X_{ij} (\hat w_i \hat c_{ij})^{-\theta} \hat T_{ij}^{-\theta-1}}
            {\sum_k X_{kj} (\hat w_k \hat c_{kj})^{-\theta} \hat T_{kj}^{-\theta-1}}\, N'_j,
        \qquad \hat w_i Y_i = \sum_j X'_{ij}

        \hat P_j^{-\theta} = \sum_i \lambda_{ij} (\hat w_i \hat c_{ij} \hat T_{ij})^{-\theta},
        \qquad E'_j = \sum_i (1 + t'_{ij}) X'_{ij}

    with :math:`\hat T = (1 + t')/(1 + t)`, :math:`\lambda` shares in spending at prices with
    duty and :math:`N' = E' - R'` purchases before duty. Duties collected are spent by the
    country that collects them.

    Parameters
    ----------
    trade
        Base trade before duty by exporter and importer, home sales on the diagonal;
        shape (country, country) or (draw, country, country).
    cost_hat
        Factor by which delivered cost changes, duties apart (iceberg: what melts is paid for),
        same shape; not raised to :math:`-\theta`.
    theta
        Trade elasticity, number or one per draw.
    imbalances
        ``multiplicative``: purchases before duty stay in proportion to output,
        :math:`N'_j = \kappa N_j \hat w_j`, with one factor :math:`\kappa` that makes world
        purchases equal world output. ``additive``: their difference stays,
        :math:`N'_j = \hat w_j Y_j + N_j - Y_j`.
    tariff, tariff_after
        Duty before and after, share of value before duty, numbers or of the shape of `trade`;
        no duty, and the same as before, by default.

    Returns
    -------
    OneSector
        The world after the change. No change gives factors of one, to the last bit.

    Raises
    ------
    InputError
        When a cell is missing, negative, infinite or a country sells nothing at home.
    ConvergenceError
        When neither Newton's method nor a fixed point solves a draw, with the draws and the
        worst residual.

    Notes
    -----
    Arkolakis, Costinot and Rodriguez-Clare (2012); Costinot and Rodriguez-Clare (2014); the
    imbalances are those of Baier, Yotov and Zylkin (2019). Results of a draw do not depend on
    the draws it was solved with.
    """
    after = tariff if tariff_after is None else tariff_after
    given = {"trade": trade, "cost_hat": cost_hat, "theta": theta, "tariff": tariff,
             "tariff_after": after}
    arrays = _checked({name: np.asarray(value, dtype=float) for name, value in given.items()})
    if imbalances not in ("multiplicative", "additive"):
        raise InputError([Problem("imbalances", "", "must be multiplicative or additive, "
                                  f"not {imbalances!r}")])
    size = arrays["trade"].shape[-1]
    drawn = _draws(arrays)
    count = max(drawn, default=1)
    whole = {name: np.broadcast_to(value, (count, size, size) if _ndim(name) else (count,))
             for name, value in arrays.items()}

    def block(rows: slice) -> OneSector:
        here = {name: np.ascontiguousarray(value[rows]) for name, value in whole.items()}
        return _solved_world(**here, additive=imbalances == "additive",
                             dutiable=bool(arrays["tariff"].any() or arrays["tariff_after"].any()))

    parts = by_block(block, count, max(1, CELLS // size**2))
    found = {name: np.concatenate([getattr(part, name) for part in parts])
             for name in OneSector.__slots__}
    worst = found["residual"]
    if not (worst <= TOLERANCE).all():
        raise ConvergenceError("one-sector world", float(worst.max()),
                               np.flatnonzero(~(worst <= TOLERANCE)).tolist())
    return OneSector(**found if drawn else {name: value[0] for name, value in found.items()})


def _solved_world(trade: Array, cost_hat: Array, theta: Array, tariff: Array,
                  tariff_after: Array, *, additive: bool, dutiable: bool) -> OneSector:
    """Solve one block of draws; every array has the draw axis."""
    ones = np.ones(trade.shape[:2])
    output, purchases = by_exporter(trade, ones), by_importer(trade, ones)
    power = (1.0 + tariff_after) / (1.0 + tariff)
    cost = np.exp(-theta[:, None, None] * np.log(cost_hat * power))
    kernel = trade * cost / power if dutiable else trade * cost
    markets = Markets(kernel, theta[:, None], output, purchases, additive)
    unknowns, residual = solved(markets, np.zeros_like(output))
    wage = np.exp(unknowns)
    growth = markets.growth(wage)
    residual = np.where((growth > LEAST).all(axis=-1), residual, np.inf)
    flows = markets.flows(wage)
    factor, price = markets.prices(wage)
    price_index = np.exp(-np.log(price) / theta[:, None])
    spending, revenue = purchases * growth, np.zeros_like(output)
    real = wage / price_index if not additive else growth / price_index
    if dutiable:
        paid = (1.0 + tariff) * trade
        before = by_importer(paid, ones)
        spending = by_importer((1.0 + tariff_after) * flows, ones)
        revenue = by_importer(tariff_after * flows, ones)
        price_index = np.exp(-np.log(by_importer(paid * cost, factor) / before)
                             / theta[:, None])
        real = spending / before / markets.scale(wage) / price_index
    return OneSector(wage, price_index, flows, real, spending, revenue, residual)


def closure(world: Array, economy: Economy, change: Change, theta: Array,
            imbalances: Imbalances = "multiplicative") -> Macro:
    r"""Give the wages and spending that follow from the levers, in one pass (equation G5).

    .. math::

        \ln \hat c_{ij} = \sum_s \phi_{ijs} \Bigl(\ln \hat c_{ijs}
            - \ln \frac{1 + \tau'_{ijs}}{1 + \tau_{ijs}}\Bigr)
            - \frac{1}{\theta} \ln \sum_s \phi_{ijs} a_{ijs},
        \qquad \ln \hat T_{ij} = \sum_s \phi_{ijs} \ln \frac{1 + \tau'_{ijs}}{1 + \tau_{ijs}}

    with :math:`\phi` shares of the groups in base-year purchases of :math:`j` from :math:`i` at
    consumer prices and :math:`a` the factor on varieties offered. Rents of quotas stay in the
    importing country and are part of :math:`\tau'` here. Markets that share the border rules of a
    member of the pair cut their duties on the pair's goods alike; other costs there stay.

    Hand-over to the markets of the groups (equations 7-10, G5), all log changes of nominal values
    with world output as numeraire: the wage of a supplier moves the price of its goods, in both
    markets; the wage of an importer moves the price at which its home producers offer; and the
    demand for every group moves by :math:`\ln E - (1 - \varepsilon) \ln P`, because
    :math:`q_s \propto (E / P) (p_s / P)^{-\varepsilon}`. Where all wages and prices move alike, no
    quantity does. What moves in the groups does not come back to this world.

    Parameters
    ----------
    world
        Trade among all countries in the base year, exporter by importer.
    economy, change
        Base year and joint change of costs, as for `equilibrium`.
    theta
        Trade elasticity of the world, order of `DIMS`, along draws.
    imbalances
        As in `one_sector`.

    Returns
    -------
    Macro
        Log changes by exporter (wages) and importer (spending and price level) of the pair,
        case, year and draw; zero where nothing changes, to the last bit.

    Raises
    ------
    ConvergenceError
        From `one_sector`; draws are places in the block.
    """
    pair = economy.pair
    paid = economy.sales * (1.0 + economy.duty)
    power = np.log((1.0 + change.wedge + change.rent) / (1.0 + economy.duty))
    offered = np.log1p(_mean(np.expm1(change.availability), paid))
    resource = _mean(change.log_cost - power, paid) - offered / theta
    duty_before, duty_after = _mean_duties(economy.duty, change.wedge + change.rent,
                                           economy.sales)

    cells = np.broadcast_shapes(resource.shape, duty_after.shape, theta.shape)[axis("case"):]
    places = [pair.exporters.index(importer) for importer in pair.importers]
    in_world = partial(_in_world, places=places, cells=cells, size=len(world))
    third_before, third_after = _mean_duties(*third_duties(economy, change), economy.other_sales)
    duty = in_world(duty_before, third_before)
    try:
        found = one_sector(
            world, np.exp(in_world(resource, spread(0.0))),
            np.broadcast_to(theta[0, 0, 0], cells).ravel(), imbalances, tariff=duty,
            tariff_after=in_world(duty_after, third_after))
    except ConvergenceError as error:
        raise error.moved(lambda cell: cell % cells[-1]) from error

    by_country = partial(_by_country, cells=cells)
    before = by_importer((1.0 + duty) * world, np.ones(duty.shape[:2]))
    return Macro(
        wage=by_country(np.log(found.wage), "exporter"),
        spending=by_country(np.log(found.spending / before)[:, places], "importer"),
        price_level=by_country(np.log(found.price_index)[:, places], "importer"),
        real_income=by_country(np.log(found.welfare)[:, places], "importer"))


def _in_world(values: Array, third: Array, places: Sequence[int], cells: tuple[int, ...],
              size: int) -> Array:
    """Put the markets of the pair, and its sales to others, among all; one cell a row."""
    whole = np.zeros((*cells, size, size))
    sold = np.broadcast_to(third[:, :, 0], (len(places), size, *cells))
    whole[..., places, :] = np.moveaxis(sold, (0, 1), (-2, -1))
    flat = np.broadcast_to(values[:, :, 0], (*values.shape[:2], *cells))
    whole[..., places] = np.moveaxis(flat, (0, 1), (-1, -2))
    return whole.reshape(-1, size, size)


def _by_country(values: Array, dim: str, cells: tuple[int, ...]) -> Array:
    """Give rows of cells the order of `DIMS`."""
    return spread(values.reshape(*cells, -1), *DIMS[axis("case"):], dim)


def _mean_duties(before: Array, after: Array, sales: Array) -> tuple[Array, Array]:
    """Mean duties over groups, before and after: logs of their powers are averaged."""
    power = _mean(np.log((1.0 + after) / (1.0 + before)), sales * (1.0 + before))
    mean = _mean(before, sales)
    return mean, mean + (1.0 + mean) * np.expm1(power)


def _mean(values: Array, weight: Array) -> Array:
    """Weighted mean over groups, zero where nothing is bought."""
    bought = total(weight, "group")
    added = total(values * weight, "group")
    return ratio(added, bought)


def _checked(arrays: dict[str, Array]) -> dict[str, Array]:
    """Refuse a world that has no equilibrium in hats, with every problem."""
    trade, problems = arrays["trade"], list[Problem]()
    if trade.ndim not in (2, 3) or trade.shape[-1] != trade.shape[-2]:
        raise InputError([Problem("trade", "", "must be a square table of exporters and importers "
                                  f"(with draws first, if any), not of shape {trade.shape}")])
    for name, value in arrays.items():
        wanted = () if name == "theta" else trade.shape[-2:]
        shared = value.ndim == 0 and name.startswith("tariff")
        if not shared and (value.shape[value.ndim - len(wanted):] != wanted
                           or value.ndim - len(wanted) not in (0, 1)):
            problems.append(Problem(name, "", f"is of shape {value.shape}; must be {wanted}, or "
                                    "that with draws first"))
    drawn = _draws(arrays) - {1}
    if not problems and len(drawn) > 1:
        problems.append(Problem("draws", "", f"the inputs hold {sorted(drawn)} draws"))
    if problems:
        raise InputError(problems)
    for name, least, said in (("cost_hat", 0.0, "above zero"), ("theta", 0.0, "above zero"),
                              ("tariff", -1.0, "above -1"), ("tariff_after", -1.0, "above -1")):
        problems += bad_cells(name, arrays[name], arrays[name] > least, f"must be {said}")
    problems += bad_cells("trade", trade, trade >= 0.0, "must be zero or more")
    home = np.diagonal(trade, axis1=-2, axis2=-1)
    problems += bad_cells("trade, home sales", home, ~(home <= 0.0), "must be above zero")
    if problems:
        raise InputError(problems)
    return arrays


def _ndim(name: str) -> int:
    return 0 if name == "theta" else 2


def _draws(arrays: dict[str, Array]) -> set[int]:
    """Numbers of draws of the arrays that have an axis for them."""
    return {len(value) for name, value in arrays.items() if value.ndim == _ndim(name) + 1}
