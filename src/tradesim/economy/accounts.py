"""From log changes to what people ask: trade, revenue, surplus, who gains and who loses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from tradesim.common.arrays import DIMS, Array, entry, only, ratio, spread, total
from tradesim.economy.base_year import Economy
from tradesim.economy.costs import present_value
from tradesim.economy.equilibrium import Settled
from tradesim.economy.indicators import concentration, corridor_share, self_sufficiency, shares
from tradesim.economy.shocks import Change
from tradesim.economy.welfare import CAUSES, buyers, exporters, producers


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
_SUPPLIER = ("importer", "exporter", *_DRAWN)
VARIABLES: Mapping[str, Variable] = {
    "trade": Variable("Bilateral trade into the importer from its partner", "USD",
                      ("count", "importer", "group", *_DRAWN)),
    "turnover": Variable("Bilateral turnover, both directions", "USD", ("count", *_DRAWN)),
    "project_trade": Variable("Given goods of projects, part of trade", "USD", _MARKET),
    "imports": Variable("Purchases by supplier, home sales included, importer's own count",
                        "USD", _SUPPLIER),
    "home_output": Variable("Home producers' sales at home", "USD", ("importer", "group", *_DRAWN)),
    "tariff_revenue": Variable("Border revenue on goods (duty, less rebated taxes)", "USD",
                               _MARKET),
    "vat_revenue": Variable("Value-added tax on imports, at the general rate", "USD", _MARKET),
    "quota_rent": Variable("Rent of those who may import within a quota", "USD", _MARKET),
    "consumer_surplus": Variable("Buyers' gain from lower prices and wider choice", "USD", _MARKET,
                                 True),
    "gain_resource": Variable("Buyers' gain: lower cost of carriage, time and payments", "USD",
                              _MARKET, True),
    "gain_formalities": Variable("Buyers' gain: lower cost of formalities and information", "USD",
                                 _MARKET, True),
    "gain_tax": Variable("Buyers' gain: lower border tax", "USD", _MARKET, True),
    "gain_supplier_price": Variable("Buyers' gain: lower prices of foreign suppliers", "USD",
                                    _MARKET, True),
    "gain_home_price": Variable("Buyers' gain: lower prices of home producers", "USD", _MARKET,
                                True),
    "gain_choice": Variable("Buyers' gain: more varieties offered", "USD", _MARKET, True),
    "producer_surplus": Variable("Home producers' gain from higher prices at home", "USD",
                                 _MARKET, True),
    "exporter_surplus": Variable("Exporters' gain from higher prices in the pair's markets",
                                 "USD", _MARKET, True),
    "welfare": Variable("Gain of buyers, producers, exporters, holders of quotas and the treasury",
                        "USD", _MARKET, True),
    "trade_creation": Variable("Change of imports that is new trade, by supplier", "USD",
                               _SUPPLIER, True),
    "trade_diversion": Variable("Change of imports taken from, or lost to, other suppliers",
                                "USD", _SUPPLIER, True),
    "import_share": Variable("Share of a supplier in imports", "share", _SUPPLIER),
    "import_concentration": Variable("Concentration of imports by supplier (Herfindahl-Hirschman)",
                                     "index, 0-1", _MARKET),
    "corridor_share": Variable("Share of the pair's trade on routes of the shared corridor",
                               "share", _MARKET),
    "self_sufficiency": Variable("Share of a product's use that is made at home", "share",
                                 ("product", *_DRAWN)),
    "policy_cost": Variable("Cost of building and running the levers pulled", "USD", _DRAWN),
    "cost_present_value": Variable("Cost of the levers up to the year, discounted", "USD",
                                   _DRAWN),
    "welfare_present_value": Variable("Welfare up to the year, discounted", "USD", _MARKET, True),
    "net_present_value": Variable("Welfare of both countries less cost up to the year, discounted",
                                  "USD", _DRAWN, True),
}

ASSUMED = "turnover_nontariff"
OCCASIONAL: Mapping[str, Variable] = {
    ASSUMED: Variable("Part of the change of turnover that is the assumed cut of non-tariff cost",
                      "USD", ("count", *_DRAWN), True),
}
"""Variables of runs whose levers have such a part."""

GAINERS = ("consumer_surplus", "producer_surplus", "exporter_surplus")


def split_change(change: Array) -> tuple[Array, Array]:
    r"""Split each foreign supplier's change of sales into creation and diversion (equation A5).

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
    diversion = gain * ratio(moved, all_gain) - loss * ratio(moved, all_loss)
    return change - diversion, diversion


def counted(economy: Economy, levels: Array, factor: Array, flow: Array,
            elsewhere: Array | None) -> Array:
    r"""Trade of the pair on each count (equation O3).

    .. math::

        F_c = f_c X \bigl( o_c e^{v} + (1 - o_c) e^{v_o} \bigr), \qquad
        o_c = \max\{o, \min\{1, 1 / f_c\}\}

    The importer's own count is by origin, so all of it originates in the partner. Another count
    that is larger by the factor :math:`f_c` holds goods of other origin too; at least
    what the importer counts of it originates, at most all.

    Parameters
    ----------
    levels
        Reference purchases :math:`X` of the pair by importer and group.
    factor
        Factor :math:`f_c` from the importer's own count to each count, extra leading axis.
    flow
        Purchases reached, :math:`X e^v`.
    elsewhere
        Log change :math:`v_o` of sales of goods made elsewhere; as the others' if None.
    """
    if elsewhere is None:
        return np.asarray(flow * factor)
    share = np.maximum(economy.originating, np.minimum(1.0 / factor, 1.0))
    return np.asarray(factor * (share * flow + (1.0 - share) * levels * np.exp(elsewhere)))


def account(economy: Economy, levels: Array, count_factor: Array, change: Change,
            settled: Settled, sales: Array, cost: Array | None = None,
            elsewhere: Array | None = None) -> dict[str, Array]:
    r"""Levels and changes of everything in `VARIABLES`.

    .. math::

        R_j = \sum_{i,s} v_{ijs}\,\tau'_{ijs}, \qquad
        W_j = B_j + \Pi_j + X_j + Q_j + R_j - R^0_j

    with border revenue :math:`R` (equation A3) and, for welfare :math:`W` (equation A4), the
    gains of buyers :math:`B`, home producers :math:`\Pi` and exporters :math:`X`, and rents of
    quotas :math:`Q`.

    Parameters
    ----------
    count_factor
        Factor from the importer's own count to each count, extra leading axis for counts.
    change
        Joint change of all levers.
    settled
        Prices at which each year settles, against the reference path with `change.level`.
        Buyers face them at once.
    sales
        Log change of sales reached in each year, against the reference; order of `DIMS`.
    cost
        Cost of the levers by case, year and draw, USD; none by default.

    Returns
    -------
    dict
        Name to array, axes as in `VARIABLES` (cases first; reference among them when its
        switch is zero throughout).

    Notes
    -----
    Border revenue uses each importer's own count: its customs taxes what it records. Values
    before duty keep their base-year cost of carriage, so a cheaper road does not lower the
    duty base. A shift of the path itself (`change.level`) is no gain: what is compared is the
    shifted path with and without the levers. Goods of projects are taken to be worth what they
    cost, free of duty.
    """
    abroad = 1.0 - economy.home
    path = levels * np.exp(sales)
    project = total(change.project, "exporter")
    moved = (path - levels) * abroad
    creation, diversion = split_change(moved)
    foreign = path * abroad
    flow = entry(path, economy.pair_flow)
    revenue = total(foreign * change.wedge, "group", "exporter")
    found = {
        "trade": counted(economy, entry(levels, economy.pair_flow), count_factor, flow,
                         elsewhere) + project,
        "project_trade": total(project, "group"),
        "imports": total(path, "group"),
        "home_output": entry(path, economy.home),
        "tariff_revenue": revenue,
        "quota_rent": (total(foreign * change.rent, "group", "exporter") if np.any(change.rent)
                       else np.zeros_like(revenue)),
        "trade_creation": total(creation, "group"),
        "trade_diversion": total(diversion, "group"),
        "corridor_share": corridor_share(flow, change.through_corridor),
        "policy_cost": spread(0.0) if cost is None else cost,
    }
    bought = found["imports"] * abroad
    found["vat_revenue"] = _vat_rate(economy) * (total(bought, "exporter") + revenue)
    base = levels * np.exp(change.level) if np.any(change.level) else levels
    found |= _gains(economy, base, change, settled, revenue + found["quota_rent"])
    partner = found["project_trade"] * economy.pair_flow
    for name in ("imports", "trade_creation"):
        found[name] = found[name] + partner
    found["import_share"] = shares(bought + partner)
    found["import_concentration"] = concentration(found["import_share"])
    found["turnover"] = total(found["trade"], "importer", "group")
    rate = spread(economy.draws["discount.rate"], "draw")
    for name, yearly in (("cost_present_value", "policy_cost"),
                         ("welfare_present_value", "welfare")):
        found[name] = present_value(found[yearly], rate)
    found["net_present_value"] = (total(found["welfare_present_value"], "importer")
                                  - found["cost_present_value"])
    products = self_sufficiency(economy, levels, change.level, settled, sales)
    sizes = dict(zip(DIMS, np.broadcast_shapes(*(values.shape for values in (
        path, project, found["policy_cost"]))), strict=True))
    made = {name: _full(only(values, *variable.dims), variable.dims, sizes)
            for name, variable in VARIABLES.items() if (values := found.get(name)) is not None}
    return made | {"self_sufficiency": _full(only(products, *_DRAWN), ("product", *_DRAWN), sizes)}


def _gains(economy: Economy, levels: Array, change: Change, settled: Settled,
           collected: Array) -> dict[str, Array]:
    """Who gains: buyers by cause, home producers, exporters, and all with what is collected."""
    before = total(levels * economy.duty * (1.0 - economy.home), "group", "exporter")
    if not any(np.any(moved) for moved in (settled.sales, settled.price, change.log_cost)):
        nothing = np.zeros_like(before)
        return dict.fromkeys((*(f"gain_{cause}" for cause in CAUSES), *GAINERS), nothing) | {
            "welfare": collected - before}
    causes = {f"gain_{cause}": total(gain, "group")
              for cause, gain in buyers(economy, levels, change, settled).items()}
    abroad = total(exporters(economy, levels, settled), "group")
    gained = (reduce(np.add, causes.values()),
              total(producers(economy, levels, settled), "group"),
              entry(abroad, economy.home))
    return causes | dict(zip(GAINERS, gained, strict=True)) | {
        "welfare": reduce(np.add, gained) + collected - before}


def _vat_rate(economy: Economy) -> Array:
    return spread(np.array([economy.draws[f"vat.{importer}"]
                            for importer in economy.pair.importers]), "importer", "draw")


def _full(values: Array, dims: tuple[str, ...], sizes: Mapping[str, int]) -> Array:
    """Stretch a variable to the size of its dimensions where it does not vary."""
    shape = [sizes.get(dim, size) for dim, size in zip(dims[::-1], values.shape[::-1], strict=True)]
    return np.broadcast_to(values, shape[::-1])
