"""What people ask of a market: on whom it depends, and how much of a product is made at home."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tradesim.common.arrays import Array, entry, ratio, total
from tradesim.economy.base_year import Economy
from tradesim.economy.equilibrium import Settled
from tradesim.inputs.pair import Pair

PREFIX = "self_sufficiency"


def shares(imports: Array) -> Array:
    r"""Share of each foreign supplier in a market's imports (equation A7).

    .. math:: s_{ij} = \frac{v_{ij}}{\sum_{k} v_{kj}}

    Parameters
    ----------
    imports
        Purchases from abroad by importer and exporter, zero for home sales; order of `DIMS`.
    """
    return ratio(imports, total(imports, "exporter"))


def concentration(share: Array) -> Array:
    r"""Concentration of imports by supplier (equation A7): Herfindahl and Hirschman's index.

    .. math:: H_j = \sum_i s_{ij}^2

    Parameters
    ----------
    share
        Shares of suppliers, adding up to one; order of `DIMS`.

    Returns
    -------
    numpy.ndarray
        One over the number of suppliers where all are equal, one where there is a single one.
    """
    return total(share**2, "exporter")


def corridor_share(flow: Array, through: Array) -> Array:
    """Share of the pair's trade that takes routes of the shared corridor, or one (equation A8).

    Parameters
    ----------
    flow
        Purchases from the partner before duty, USD by importer and group; order of `DIMS`.
    through
        Share of the pair's goods on those routes, by importer and group; further leading axes
        for routes one by one.

    Returns
    -------
    numpy.ndarray
        Share between zero and one by importer; zero where the pair does not trade.
    """
    whole, part = total(flow, "group"), total(flow * through, "group")
    return ratio(part, whole)


def balances(pair: Pair, known: Collection[str]) -> tuple[str, ...]:
    """Products whose published ratio is among the known names, in their order.

    Parameters
    ----------
    pair
        Products by name, each with its country and group.
    known
        Names of parameters, ``self_sufficiency.<product>`` among them.
    """
    return tuple(name for name in pair.products if f"{PREFIX}.{name}" in known)


def self_sufficiency(economy: Economy, levels: Array, level: Array, settled: Settled,
                     sales: Array) -> Array:
    r"""Share of a product's use that its country makes itself (equation A6).

    .. math::

        z' = \frac{z\,\hat H}{z\,\hat H + (1 - z)\,\hat M}

    with the published share :math:`z`, and :math:`\hat H`, :math:`\hat M` the quantities of home
    goods and of imports of the product's group against the base year. The group's market stands
    for the product's: what moves bread moves flour.

    Parameters
    ----------
    level
        Log change of the reference path itself, at its prices.
    settled
        Sales and prices at which each year settles, against the path so changed.
    sales
        Log change of sales reached in each year, against the reference.

    Returns
    -------
    numpy.ndarray
        Share between zero and one; leading axis for the products of `balances`.

    Notes
    -----
    Sales are values. Of what they move on their way, the part that is price is the same as where
    they settle, so quantity and price arrive together.
    """
    pair = economy.pair
    names = balances(pair, economy.draws)
    found = []
    for name in names:
        importer = pair.importers.index(pair.products[name].country)
        group = list(pair.groups).index(pair.products[name].group)
        here = np.s_[importer:importer + 1, :, group:group + 1]
        home = economy.home[importer:importer + 1]
        price = np.where(home > 0.0, _at(settled.home_price, here),
                         _at(settled.supplier_price, here))
        moved = _at(sales, here)
        way = _way(moved - _at(level, here), _at(settled.sales, here))
        quantity = _at(levels, here) * np.exp(moved - price * way)
        base = _at(economy.sales, here)
        made = ratio(entry(quantity, home), entry(base, home), 1.0)
        bought = ratio(total(quantity * (1.0 - home), "exporter"),
                       total(base * (1.0 - home), "exporter"), 1.0)
        share = economy.draws[f"{PREFIX}.{name}"]
        found.append(share * made / (share * made + (1.0 - share) * bought))
    shape = np.broadcast_shapes(sales.shape, levels.shape)[3:]
    return np.stack(found) if found else np.zeros((0, 1, 1, 1, *shape))


def _at(values: Array, place: tuple[slice, ...]) -> Array:
    """Take one market and one group; an axis of length one stays as it is."""
    return values[tuple(part if size > 1 else slice(None)
                        for part, size in zip(place, values.shape, strict=False))]



def _way(moved: Array, settled: Array) -> Array:
    """How far sales have come towards where they settle; one where they do not move."""
    return np.clip(ratio(moved, settled, 1.0), 0.0, 1.0)
