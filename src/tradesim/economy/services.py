"""Services between the pair: visitors, transit, students. An account beside goods trade."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tradesim.common.arrays import Array, spread
from tradesim.economy.base_year import Economy

PREFIX, ALL, VISITS = "services", "all", "tourism"


def items(names: Sequence[str]) -> tuple[str, ...]:
    """Services of the table, from the names of its cells, in their order."""
    head = f"{PREFIX}."
    parts = (name.split(".") for name in names if name.startswith(head))
    return tuple(dict.fromkeys(part[1] for part in parts))


def services(economy: Economy, growth: Array, visitors: Array) -> Array:
    r"""Sales of services by item and by the member of the pair that sells (equation E3).

    .. math:: S_{kj} = p_{kj} \left( N_{kj}\,g + \tfrac{1}{2} \Delta N_k \right)

    with base-year numbers :math:`N` that grow with the partner's GDP :math:`g` at constant prices
    (those of transit, which all the world buys, stay: most of it has nothing to do with the
    pair), prices :math:`p` in dollars of the base year, and visitors :math:`\Delta N` that a
    lever adds, half in each direction. Numbers counted in another year stand for the base year.

    Parameters
    ----------
    growth
        Growth factor of each member's GDP since the base year at constant prices, along
        ``importer``.
    visitors
        Visitors a year that levers add.

    Returns
    -------
    numpy.ndarray
        USD at prices of the base year, with the seller along ``importer``; leading axis for
        `items`.
    """
    pair, draws = economy.pair, economy.draws
    sold = []
    for item in items(list(draws)):
        by_seller = []
        for seller in pair.importers:
            partner = pair.importers.index(pair.partner(seller))
            value = 0.0 * (growth[:1] + visitors)
            for buyer in (pair.importers[partner], ALL):
                cell = f"{PREFIX}.{item}.{seller}.{buyer}"
                if f"{cell}.quantity" not in draws:
                    continue
                number = spread(draws[f"{cell}.quantity"], "draw")
                if buyer != ALL:
                    number = number * growth[partner:partner + 1]
                added = 0.5 * visitors if item == VISITS else 0.0
                value = value + spread(draws[f"{cell}.price"], "draw") * (number + added)
            by_seller.append(value)
        sold.append(np.concatenate(by_seller))
    return np.stack(sold) if sold else np.zeros((0, *growth.shape))
