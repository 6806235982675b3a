"""How much of a product a country makes itself: a published ratio moved by its group's market."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from tradesim.common.arrays import Array, entry, total
from tradesim.economy.base_year import Economy
from tradesim.economy.equilibrium import Settled
from tradesim.inputs.pair import Pair

PREFIX = "self_sufficiency"


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
    economy
        Base year, and the published shares among its draws.
    levels
        Reference purchases before duty, USD; order of `DIMS`.
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
        made = _ratio(entry(quantity, home), entry(base, home))
        bought = _ratio(*(total(values * (1.0 - home), "exporter") for values in (quantity, base)))
        share = economy.draws[f"{PREFIX}.{name}"]
        found.append(share * made / (share * made + (1.0 - share) * bought))
    shape = np.broadcast_shapes(sales.shape, levels.shape)[3:]
    return np.stack(found) if found else np.zeros((0, 1, 1, 1, *shape))


def _at(values: Array, place: tuple[slice, ...]) -> Array:
    """Take one market and one group; an axis of length one stays as it is."""
    return values[tuple(part if size > 1 else slice(None)
                        for part, size in zip(place, values.shape, strict=False))]


def _ratio(after: Array, before: Array) -> Array:
    """After over before; one where there was nothing before."""
    shape = np.broadcast_shapes(after.shape, before.shape)
    return np.divide(after, before, out=np.ones(shape), where=before > 0.0)


def _way(moved: Array, settled: Array) -> Array:
    """How far sales have come towards where they settle; one where they do not move."""
    shape = np.broadcast_shapes(moved.shape, settled.shape)
    way = np.divide(moved, settled, out=np.ones(shape), where=settled != 0.0)
    return np.clip(way, 0.0, 1.0)
