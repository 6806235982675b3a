"""Who gains what, and why: surpluses of buyers, producers and exporters, and their causes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

from tradesim.common.arrays import Array, axis, entry, exprel, ratio, total
from tradesim.economy.base_year import Economy
from tradesim.economy.equilibrium import Settled
from tradesim.economy.shocks import Change

IMPORTER, EXPORTER = axis("importer"), axis("exporter")

CAUSES = ("resource", "formalities", "tax", "supplier_price", "home_price", "choice")
"""Causes of the buyers' gain: cost of carriage, time and payments, cost of formalities and
information, border tax, prices of foreign suppliers and of
home producers, and how many varieties are offered."""

GAINERS = ("consumer_surplus", "producer_surplus", "exporter_surplus")
PARTIAL = (*GAINERS, *(f"gain_{cause}" for cause in CAUSES))
"""Accounts of one market at a time: left out where a closure gives real income itself."""


def gains(economy: Economy, levels: Array, change: Change, settled: Settled,
          elsewhere: Array, collected: Array) -> dict[str, Array]:
    """Who gains: buyers by cause, home producers, exporters, and all with what is collected."""
    before = total(levels * (economy.duty * (1.0 - economy.home)), "exporter", "group")
    if not any(np.any(moved) for moved in (settled.sales, settled.price, change.log_cost)):
        nothing = np.zeros_like(before)
        return dict.fromkeys(PARTIAL, nothing) | {"welfare": collected - before}
    change, settled, sold = in_own_money(economy, change, settled)
    causes = {f"gain_{cause}": total(gain, "group")
              for cause, gain in buyers(economy, levels, change, settled).items()}
    abroad = total(exporters(economy, levels, sold), "group")
    gained = (reduce(np.add, causes.values()),
              total(producers(economy, levels, settled), "group"),
              entry(abroad, economy.home) + elsewhere)
    return causes | dict(zip(GAINERS, gained, strict=True)) | {
        "welfare": reduce(np.add, gained) + collected - before}


def surplus(value: Array, log_price: Array, elasticity: Array) -> Array:
    r"""Area beside an iso-elastic schedule between the old and the new price (equations A1 and A2).

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
    """
    return np.asarray(value * log_price * exprel(elasticity * log_price))


def in_own_money(economy: Economy, change: Change,
                 settled: Settled) -> tuple[Change, Settled, Settled]:
    r"""Prices and sales in the money of each importer, and in that of each exporter (equation P3).

    .. math::

        \ln \hat p \to \ln \hat p - w_j, \qquad \ln d \to \ln d - \varepsilon w_j

    where the offer price :math:`w_j` of home goods moves because the currency does: who sells at
    home at the same price in own money has lost nothing. Prices of foreign suppliers stay in USD:
    what imports cost more in own money is left out, as is what exports to third countries earn
    more of it.
    """
    if not np.any(change.price):
        return change, settled, settled
    own = total(change.price * economy.home, "exporter")
    prices = {name: getattr(settled, name) - own
              for name in ("sales", "price", "home_price")}
    return (replace(change, demand=change.demand - economy.demand * own),
            replace(settled, **prices),
            replace(settled, sales=settled.sales - change.price))


def buyers(economy: Economy, levels: Array, change: Change, settled: Settled) -> dict[str, Array]:
    r"""Buyers' gain of each market by its cause; the causes add up to the whole (equation A1).

    .. math::

        -\bar E\,\ln\hat P = -\bar E \Bigl( \bar\alpha \ln\hat p_h + (1 - \bar\alpha)
            \sum_i \bar\theta_i \bigl(\ln\hat t_i + \ln\hat r_i + \ln\hat w_i
            - \tfrac{1}{\omega - 1} \ln a_i \bigr) \Bigr)

    Bars are logarithmic means between before and after: :math:`\bar E` of spending, and of shares
    :math:`\bar\theta_i \propto L(\theta_i, \theta'_i)`, :math:`\bar\alpha \propto L(\alpha,
    \alpha')` with :math:`L(x, y) = (y - x) / \ln(y / x)`, each set scaled to add up to one. With
    these weights (Sato 1976, Vartia 1976) a CES price index is exactly the weighted mean of its
    logarithms, so nothing is left over however large the change. Of the real cost :math:`r` the
    part of formalities is their share in its change.

    Parameters
    ----------
    change
        Border tax :math:`t` and real cost :math:`r` in the change of delivered cost, varieties
        :math:`a` (of elastic suppliers their supply too), and the shift of demand at given
        prices, which is not called a gain.
    settled
        Prices :math:`P`, :math:`p_h` and :math:`w`, and sales, at which each year settles.

    Returns
    -------
    dict
        Gain by cause (`CAUSES`), USD by importer and group, order of `DIMS`.
    """
    home = entry(levels, economy.home)
    home_moved = entry(settled.sales, economy.home)
    abroad = _Abroad.of(economy, levels, change, settled)
    imports, after = abroad.before, home * np.exp(home_moved) + abroad.after
    spending = imports + home
    spending_moved = np.log(ratio(after, spending, 1.0))

    from_abroad = imports * exprel(abroad.moved - spending_moved)
    from_home = home * exprel(home_moved - spending_moved)
    scale = -spending * np.exp(change.demand) * exprel((1.0 - economy.demand) * settled.price)
    scale = ratio(scale, from_abroad + from_home)
    share = scale * ratio(from_abroad, abroad.weight)
    return {
        "resource": share * (abroad.real - abroad.formal),
        "formalities": share * abroad.formal,
        "tax": share * (abroad.cost - abroad.real),
        "supplier_price": share * abroad.price,
        "home_price": scale * from_home * settled.home_price,
        "choice": share * abroad.varieties / (1.0 - economy.lower),
    }


@dataclass(frozen=True)
class _Abroad:
    """A market's foreign suppliers together, by importer and group.

    Spending on them before and after and its log change; the sum of their weights, and sums of
    log cost, real cost, formalities in it, price and varieties under these weights.
    """

    before: Array
    after: Array
    moved: Array
    weight: Array
    cost: Array
    real: Array
    formal: Array
    price: Array
    varieties: Array

    @classmethod
    def of(cls, economy: Economy, levels: Array, change: Change, settled: Settled) -> _Abroad:
        """Add up flow by flow: arrays stay in the processor's cache, and many flows do not move."""
        sums = [_sums_abroad(economy, levels, change, settled, importer)
                for importer in range(levels.shape[IMPORTER])]
        return cls(*map(np.concatenate, zip(*sums, strict=True)))


def _sums_abroad(economy: Economy, levels: Array, change: Change, settled: Settled,
                 importer: int) -> tuple[Array, ...]:
    """Add up what `_Abroad` holds for one importer."""
    flows = [(importer, int(i)) for i in np.flatnonzero(economy.home[importer] == 0.0)]
    paid = [_of(levels, flow) * (1.0 + _of(economy.duty, flow)) for flow in flows]
    before = reduce(np.add, paid)
    moves = [_of(settled.sales, flow) + _of(change.log_cost, flow) for flow in flows]
    after = reduce(np.add, (value * np.exp(move)
                            for value, move in zip(paid, moves, strict=True)))
    moved = np.log(ratio(after, before, 1.0))
    weights = [value * exprel(move - moved) for value, move in zip(paid, moves, strict=True)]

    def weighed(part: Callable[[tuple[int, int]], Array]) -> Array:
        return reduce(np.add, [weight * values for weight, flow in zip(weights, flows, strict=True)
                               if (values := part(flow)).any()], np.zeros_like(after))

    def real(flow: tuple[int, int]) -> Array:
        resource = _of(change.resource, flow)
        return np.log1p(resource) if resource.any() else resource

    def formal(flow: tuple[int, int]) -> Array:
        part = _of(change.formalities, flow)
        return part * ratio(real(flow), _of(change.resource, flow), 1.0) if part.any() else part

    def varieties(flow: tuple[int, int]) -> Array:
        supply = _of(change.supply, flow)
        elastic = _of(economy.inverse_supply, flow) == 0.0
        return _of(change.availability, flow) + (elastic * supply if supply.any() else 0.0)

    return (before, after, moved, reduce(np.add, weights),
            weighed(lambda flow: _of(change.log_cost, flow)), weighed(real), weighed(formal),
            weighed(lambda flow: _of(settled.supplier_price, flow)), weighed(varieties))


def _of(values: Array, flow: tuple[int, int]) -> Array:
    """Values of one importer and exporter."""
    importer, exporter = (place if size > 1 else 0
                          for place, size in zip(flow, values.shape[:2], strict=True))
    return values[importer:importer + 1, exporter:exporter + 1]


def producers(economy: Economy, levels: Array, settled: Settled) -> Array:
    r"""Home producers' gain by importer and group: area beside their supply curve (equation A2).

    .. math:: \Pi = V_h \frac{\hat p_h^{1 + \eta} \hat s - 1}{1 + \eta}
                  = \frac{V'_h - V_h}{1 + \eta}

    with the shift :math:`\hat s` of what they offer at given prices: more capacity is a gain too,
    and what it cost to build does not stand here.
    """
    sold = entry(levels, economy.home)
    return np.asarray(sold * np.expm1(entry(settled.sales, economy.home))
                      / (1.0 + economy.home_supply))


def exporters(economy: Economy, levels: Array, settled: Settled) -> Array:
    """Gain of suppliers in short supply by exporter and group, where they live (equation A2).

    Where supply is elastic its price is given and there is no gain.
    """
    gains = []
    for i in range(economy.home.shape[EXPORTER]):
        inverse, sold, moved, home = (
            values if values.shape[EXPORTER] == 1 else values[:, i:i + 1]
            for values in (economy.inverse_supply, levels, settled.sales, economy.home))
        share = inverse / (1.0 + inverse)
        gains.append(share * total(sold * (1.0 - home) * np.expm1(moved), "importer")
                     if share.any() else np.zeros_like(share * settled.price[:1]))
    return np.concatenate(gains, axis=EXPORTER)
