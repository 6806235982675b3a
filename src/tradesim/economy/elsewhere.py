r"""What the pair sells to other markets: a union's duties fall there too, and who depends on whom.

The model solves two markets. In a third one the sellers of the pair are too small to move the
price index, so the response has a closed form. Arrays have the selling member of the pair along
``importer`` and the market along ``exporter``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, entry, ratio, total
from tradesim.economy.adjustment import partial_adjust
from tradesim.economy.base_year import Economy
from tradesim.economy.shocks import NONE, Change


@dataclass(frozen=True)
class Elsewhere:
    """Exports to markets other than the partner's; by member of the pair and market.

    Attributes
    ----------
    exports
        Value before duty, USD.
    surplus
        Gain of the exporters from higher prices, USD by member; a change against the reference.
    duty_saved
        Duty that these exports no longer pay, USD by member; buyers and sellers share it.
    """

    exports: Array
    surplus: Array
    duty_saved: Array


def growth(economy: Economy, levels: Array) -> Array:
    """Factor since the base year by which a member's other trade grows: that of its own GDP."""
    others = 1.0 - economy.pair_flow
    return ratio(total(levels * others, "exporter", "group"),
                 total(economy.sales * others, "exporter", "group"), 1.0)


def elsewhere(economy: Economy, grown: Array, change: Change) -> Elsewhere:
    r"""Calculate the pair's exports to third markets (equations E1 and E2).

    .. math::

        \ln\hat w = \frac{\eta p - \omega \ln\hat t}{\eta + \omega}, \qquad
        \ln\hat v = (1 - \omega) \ln\hat w - \omega \ln\hat t, \qquad
        \eta = \eta_h + (\eta_h + \varepsilon) \frac{H}{X}

    with the change :math:`\hat t` of one plus the duty of the member of the pair whose border
    rules hold in the market, the change :math:`p` of the price at which the exporter offers, the
    demand :math:`q = (\hat w\,\hat t)^{-\omega}` for a small supplier, and the supply left for
    the market by a home market of :math:`H`: the residual supply elasticity :math:`\eta` is
    large where little is sold abroad. Values move gradually (equation 11).

    Parameters
    ----------
    grown
        Growth of other trade since the base year, from `growth`.
    change
        Joint change of costs and prices.
    """
    exports = economy.exports * grown
    felt = np.any(economy.other_sales > 0.0, axis=(0, 2, 3, 4, 5)) & (
        np.any(economy.rules > 0.0, axis=(0, 2, 3, 4, 5)) | np.any(change.price))
    markets = np.flatnonzero(np.broadcast_to(felt, exports.shape[1:2]))
    sold = economy.other_sales[:, markets] if markets.size else NONE
    old, new = third_duties(economy, change, markets)
    log_cut = np.log((1.0 + new) / (1.0 + old))
    if not (np.any(log_cut) or np.any(change.price)):
        none = np.zeros_like(total(exports, "exporter"))
        return Elsewhere(exports, none, none)
    before = sold * grown
    supply = economy.home_supply + (economy.home_supply + economy.demand) * ratio(
        entry(economy.sales, economy.home), sold)
    offer = _by_seller(economy, change.price)
    price = (supply * offer - economy.lower * log_cut) / (supply + economy.lower)
    first, speed = economy.first_year, economy.speed
    value = (1.0 - economy.lower) * price - economy.lower * log_cut
    gained = before * np.expm1(partial_adjust(value + 0.0 * grown, first, speed))
    own = partial_adjust((1.0 + supply) * (price - offer) + 0.0 * grown, first, speed)
    exports = exports + 0.0 * total(gained, "group", "exporter")
    exports[:, markets] += total(gained, "group")
    return Elsewhere(exports, total(before * np.expm1(own) / (1.0 + supply), "group", "exporter"),
                     total((before + gained) * (old - new), "group", "exporter"))


def _by_seller(economy: Economy, values: Array) -> Array:
    """Values by exporter, of the members of the pair alone and along ``importer``."""
    if values.shape[1] == 1:
        return values
    members = [economy.pair.exporters.index(code) for code in economy.pair.importers]
    return np.swapaxes(values[:, members], 0, 1)


def third_duties(economy: Economy, change: Change,
                 markets: NDArray[np.intp] | slice = slice(None)) -> tuple[Array, Array]:
    """Duties before and after on the pair's goods in third markets: those of their rules."""
    members = [economy.pair.exporters.index(code) for code in economy.pair.importers]
    rules = economy.rules[:, :, 0, 0, 0, 0][:, markets]

    def in_market(duty: Array) -> Array:
        collected = np.broadcast_to(duty * (1.0 - economy.home), np.broadcast_shapes(
            duty.shape, economy.home.shape))[:, members]
        return np.asarray(sum(rules[giver][None, :, None, None, None, None]
                              * collected[giver][:, None] for giver in range(len(rules))))

    return in_market(economy.duty), in_market(change.wedge + change.rent)
