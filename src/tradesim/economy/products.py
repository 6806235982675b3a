"""What happens to named products: what is bought, what is made at home, and at which price.

A product is a line of the economy like what is left of its group, so nothing is modelled here:
these are the accounts of single lines. Along ``group`` they have the products only.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, axis, entry, pick, ratio, total
from tradesim.economy.base_year import Economy
from tradesim.economy.equilibrium import Settled


def by_product(economy: Economy, levels: Array, path: Array, level: Array, settled: Settled,
               sales: Array) -> dict[str, Array]:
    r"""Purchases, home output, price and self-sufficiency of each product (equation A6).

    .. math::

        \hat h = \hat v_h\,\hat p_h^{-w}, \qquad
        z = \frac{H}{H + \sum_i M_i}

    with the value :math:`\hat v_h` and price :math:`\hat p_h` of home goods against the reference
    of the same year, the part :math:`w` of its way that a year has come, and :math:`H`,
    :math:`M_i` the quantities of home goods and of imports, at prices that buyers paid in the
    base year, duty included.

    Parameters
    ----------
    levels
        Reference purchases before duty, USD; order of `DIMS`.
    path
        Those reached in each year.
    level
        Log change of the reference path itself, at its prices.
    settled
        Sales and prices at which each year settles, against the path so changed.
    sales
        Log change of sales reached in each year, against the reference.

    Returns
    -------
    dict
        By name of `variables.VARIABLES`; single precision, for there is one for each product.

    Notes
    -----
    Sales are values. Of what they move on their way, the part that is price is the same as where
    they settle, so quantity and price arrive together.
    """
    lines = _product_lines(economy)

    def here(values: Array) -> Array:
        return pick(values, "group", lines)

    def way(part: Callable[[Array], Array]) -> Array:
        return _way(here(part(sales)) - here(part(level)), here(part(settled.sales)))

    def at_home(values: Array) -> Array:
        return entry(values, home)

    home, bought = economy.home, here(path)
    own, supplied = here(settled.home_price), here(settled.supplier_price)
    sold, had = at_home(bought), here(at_home(levels))
    made = sold * np.exp(-own * way(at_home)) if own.any() else sold
    arrived = bought * ((1.0 + here(economy.duty)) * (1.0 - home))
    for exporter in np.flatnonzero(supplied.any(axis=(0, 2, 3, 4, 5))):
        one = np.array([exporter])
        arrived[:, one] *= np.exp(-supplied[:, one] * way(
            partial(pick, dim="exporter", indices=one)))
    return {name: values.astype(np.float32) for name, values in {
        "product_trade": entry(bought, economy.pair_flow),
        "product_imports": total(bought * (1.0 - home), "exporter"),
        "product_home_output": sold,
        "product_output": ratio(made, had, 1.0),
        "product_price": np.exp(here(settled.price)) + 0.0 * had,
        "self_sufficiency": ratio(made, made + total(arrived, "exporter")),
    }.items()}


def purchases(economy: Economy, path: Array) -> Array:
    """Purchases of each product by supplier, home goods included, from those of all lines."""
    return path.take(_product_lines(economy), axis=axis("group"))


def _product_lines(economy: Economy) -> NDArray[np.intp]:
    """Places of the products among the lines, in their own order."""
    lines = economy.pair.lines
    return np.array([lines.index(name) for name in economy.pair.products], dtype=np.intp)


def _way(moved: Array, settled: Array) -> Array:
    """How far sales have come towards where they settle; one where they do not move."""
    return np.clip(ratio(moved, settled, 1.0), 0.0, 1.0)
