"""From log changes to what people ask: trade, revenue, surplus, who gains and who loses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import exprel

from tradesim.dims import Array, only, total
from tradesim.economy import Economy
from tradesim.equilibrium import Settled
from tradesim.shocks import Change


@dataclass(frozen=True)
class Variable:
    """An output variable: what it is, its unit and its dimensions."""

    title: str
    unit: str
    dims: tuple[str, ...]
    change: bool = False
    """Whether it is a change against the reference path rather than a level."""


_DRAWN = ("case", "year", "draw")
_MARKET = ("importer", *_DRAWN)
VARIABLES: Mapping[str, Variable] = {
    "trade": Variable("Bilateral trade into the importer from its partner", "USD",
                      ("count", "importer", "group", *_DRAWN)),
    "turnover": Variable("Bilateral turnover, both directions", "USD",
                         ("count", *_DRAWN)),
    "imports": Variable("Purchases by supplier, home sales included, importer's own count",
                        "USD", ("importer", "exporter", *_DRAWN)),
    "home_output": Variable("Home producers' sales at home", "USD", ("importer", "group", *_DRAWN)),
    "tariff_revenue": Variable("Border revenue on goods (duty, less rebated taxes)", "USD",
                               _MARKET),
    "consumer_surplus": Variable("Buyers' gain from lower prices", "USD", _MARKET, True),
    "producer_surplus": Variable("Home producers' gain from higher prices at home", "USD",
                                 _MARKET, True),
    "exporter_surplus": Variable("Exporters' gain from higher prices in the pair's markets",
                                 "USD", _MARKET, True),
    "welfare": Variable("Buyers' gain, producers' and exporters' gain and border revenue",
                        "USD", _MARKET, True),
    "trade_creation": Variable("Change of imports that is new trade, by supplier", "USD",
                               ("importer", "exporter", *_DRAWN), True),
    "trade_diversion": Variable("Change of imports taken from, or lost to, other suppliers",
                                "USD", ("importer", "exporter", *_DRAWN), True),
}


def surplus(value: Array, log_price: Array, elasticity: Array) -> Array:
    r"""Area beside an iso-elastic schedule between the old and the new price.

    .. math:: V \int_1^{p} x^{k-1}\,dx = V \frac{p^k - 1}{k}, \qquad k \to 0:\; V \ln p

    With :math:`k = 1 + \eta` this is the producers' gain on sales :math:`V`; with
    :math:`k = 1 - \varepsilon` and a minus sign the buyers' gain on spending :math:`V`.

    Parameters
    ----------
    value
        Sales or spending before the change, USD.
    log_price
        Log change of the price.
    elasticity
        Exponent :math:`k`.

    Returns
    -------
    numpy.ndarray
        USD.
    """
    return np.asarray(value * log_price * exprel(elasticity * log_price))


def split_change(change: Array) -> tuple[Array, Array]:
    r"""Split each foreign supplier's change of sales into creation and diversion.

    With gains :math:`G = \sum_i \max(\Delta_i, 0)` and losses :math:`L` of a market's
    suppliers, :math:`D = \min(G, L)` only changes hands: of what a supplier gains the share
    :math:`D/G`, of what one loses the share :math:`D/L` is diversion, the rest creation.

    Parameters
    ----------
    change
        Change of sales by foreign supplier, last dimension ``exporter``.

    Returns
    -------
    tuple of numpy.ndarray
        Creation and diversion, shape of `change`. Their sum is `change`; diversion adds up to
        zero over suppliers and creation to the change of imports.
    """
    gain, loss = np.maximum(change, 0.0), np.maximum(-change, 0.0)
    all_gain, all_loss = total(gain, "exporter"), total(loss, "exporter")
    moved = np.minimum(all_gain, all_loss)
    diversion = gain * _share(moved, all_gain) - loss * _share(moved, all_loss)
    return change - diversion, diversion


def _share(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0.0)


def account(economy: Economy, levels: Array, count_factor: Array, change: Change,
            settled: Settled, sales: Array) -> dict[str, Array]:
    """Levels and changes of everything in `VARIABLES`.

    Parameters
    ----------
    economy
        Base year.
    levels
        Reference purchases before duty, USD on each importer's own count; order of `DIMS`.
    count_factor
        Factor from the importer's own count to each count, extra leading axis for counts.
    change
        Joint change of trade costs.
    settled
        Prices at which each year settles. Buyers face them at once.
    sales
        Log change of sales reached in each year, order of `DIMS`.

    Returns
    -------
    dict
        Name to array, axes as in `VARIABLES` (cases first; reference among them when its
        switch is zero throughout).

    Notes
    -----
    Border revenue uses each importer's own count: its customs taxes what it records. Values
    before duty keep their base-year cost of carriage, so a cheaper road does not lower the
    duty base.
    """
    abroad = 1.0 - economy.home
    path = levels * np.exp(sales)
    moved = (path - levels) * abroad
    creation, diversion = split_change(moved)
    spending = total(levels * (1.0 + economy.duty), "exporter")
    home_levels = total(levels * economy.home, "exporter")
    buyers = total(-surplus(spending, settled.price, 1.0 - economy.demand), "group")
    producers = total(surplus(home_levels, settled.home_price, 1.0 + economy.home_supply), "group")
    finite = economy.inverse_supply > 0.0
    supply = np.divide(1.0, economy.inverse_supply, out=np.zeros(finite.shape), where=finite)
    sold = total(levels * abroad, "importer")
    exporters = total(surplus(sold, settled.supplier_price, 1.0 + supply), "group")
    own = total(exporters * economy.home, "exporter")
    revenue = total(path * change.wedge * abroad, "group", "exporter")
    before = total(levels * economy.duty * abroad, "group", "exporter")
    found = {
        "trade": total(path * economy.pair_flow, "exporter") * count_factor,
        "imports": total(path, "group"),
        "home_output": total(path * economy.home, "exporter"),
        "tariff_revenue": revenue,
        "consumer_surplus": buyers,
        "producer_surplus": producers,
        "exporter_surplus": own,
        "welfare": buyers + producers + own + revenue - before,
        "trade_creation": total(creation, "group"),
        "trade_diversion": total(diversion, "group"),
    }
    found["turnover"] = total(found["trade"], "importer", "group")
    return {name: only(values, *VARIABLES[name].dims) for name, values in found.items()}
