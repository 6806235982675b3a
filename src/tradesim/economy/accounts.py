"""From log changes to what people ask: trade, revenue, surplus, who gains and who loses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tradesim.common.arrays import DIMS, Array, entry, only, ratio, spread, total
from tradesim.economy.base_year import Economy
from tradesim.economy.costs import present_value
from tradesim.economy.elsewhere import Elsewhere, elsewhere, growth
from tradesim.economy.equilibrium import Macro, Settled, no_change
from tradesim.economy.indicators import concentration, corridor_share, self_sufficiency, shares
from tradesim.economy.routes import by_route
from tradesim.economy.services import services
from tradesim.economy.shocks import Change, resolve
from tradesim.economy.welfare import PARTIAL, gains


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
_COUNTRY = ("country", *_DRAWN)
INSIDE = {"country": "importer", "market": "exporter"}
"""Dimensions of accounts by member of the pair, and where they stand in the order of `DIMS`."""
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
    "tariff_revenue_by_group": Variable("Border revenue by group of goods", "USD",
                                        ("importer", "group", *_DRAWN)),
    "excise_revenue": Variable("Excise on imported goods", "USD", _MARKET),
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
    "exporter_surplus": Variable("Exporters' gain from higher prices abroad", "USD", _MARKET, True),
    "welfare": Variable("Gain of buyers, producers, exporters, holders of quotas and the treasury",
                        "USD", _MARKET, True),
    "haulier_gain": Variable("Freight saved that stays with hauliers", "USD", _MARKET, True),
    "trade_creation": Variable("Change of imports that is new trade, by supplier", "USD",
                               _SUPPLIER, True),
    "trade_diversion": Variable("Change of imports taken from, or lost to, other suppliers",
                                "USD", _SUPPLIER, True),
    "import_share": Variable("Share of a supplier in imports", "share", _SUPPLIER),
    "import_concentration": Variable("Concentration of imports by supplier (Herfindahl-Hirschman)",
                                     "index, 0-1", _MARKET),
    "exports": Variable("Exports by market, the seller's own count", "USD",
                        ("country", "market", *_DRAWN)),
    "export_share": Variable("Share of a market in exports", "share",
                             ("country", "market", *_DRAWN)),
    "export_concentration": Variable("Concentration of exports by market (Herfindahl-Hirschman)",
                                     "index, 0-1", _COUNTRY),
    "duty_saved": Variable("Duty no longer paid on exports to third markets", "USD", _COUNTRY,
                           True),
    "trade_share": Variable("Share of the pair's trade in all trade of a country", "share",
                            _COUNTRY),
    "services": Variable("Sales of services to the partner and in transit, beside goods", "USD",
                         ("service", *_COUNTRY)),
    "corridor_share": Variable("Share of the pair's trade on routes of the shared corridor",
                               "share", _MARKET),
    "route_share": Variable("Share of a route in the pair's trade", "share", ("route", *_MARKET)),
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

PARTS: Mapping[str, tuple[str, ...]] = {
    "trade": ("trade", "turnover", "project_trade"),
    "purchases": ("imports", "home_output", "import_share", "import_concentration"),
    "creation": ("trade_creation", "trade_diversion"),
    "carried": ("haulier_gain", "corridor_share"),
    "routed": ("route_share",),
    "revenue": ("tariff_revenue", "tariff_revenue_by_group", "excise_revenue", "vat_revenue",
                "quota_rent"),
    "gains": (*PARTIAL, "welfare"),
    "by_country": ("exports", "export_share", "export_concentration", "duty_saved", "trade_share",
                   "services"),
    "present": ("policy_cost", "cost_present_value", "welfare_present_value",
                "net_present_value"),
    "balances": ("self_sufficiency",),
}
"""What is computed together: parts of `Accounts`, and the variables that each gives."""
_PART_OF = {name: part for part, names in PARTS.items() for name in names}


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
            reexports: Array | None) -> Array:
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
    reexports
        Log change :math:`v_o` of sales of goods made elsewhere; as the others' if None.
    """
    if reexports is None:
        return np.asarray(flow * factor)
    share = np.maximum(economy.originating, np.minimum(1.0 / factor, 1.0))
    others = levels * np.exp(reexports) - flow  # none to the last bit where all goods go alike
    return np.asarray(factor * (flow + (1.0 - share) * others))


@dataclass(frozen=True)
class Accounts:
    r"""Levels and changes of everything in `VARIABLES`, each part computed when it is asked for.

    .. math::

        R_j = \sum_{i,s} v_{ijs}\,\tau'_{ijs}, \qquad
        W_j = B_j + \Pi_j + X_j + Q_j + R_j - R^0_j

    with border revenue :math:`R` (equation A3) and, for welfare :math:`W` (equation A4), the
    gains of buyers :math:`B`, home producers :math:`\Pi` and exporters :math:`X` in the pair's and
    in third markets, and rents of quotas :math:`Q`. With a closure welfare is its change of real
    income on what the importer spends on goods (equation G6).

    Attributes
    ----------
    levels
        Reference purchases before duty, USD on each importer's own count; order of `DIMS`.
    count_factor
        Factor from the importer's own count to each count, extra leading axis for counts.
    settled
        Prices at which each year settles, against the reference path with `change.level`.
        Buyers face them at once.
    sales
        Log change of sales reached in each year, against the reference; order of `DIMS`.
    cost
        Cost of the levers by case, year and draw, USD; none by default.
    macro
        Real income of a closure, where the scenario asks for one and something changes.
    reexports
        Log change of sales of goods made elsewhere, where it differs (`counted`).
    partial
        Whether the accounts of one market at a time (`PARTIAL`) are given.

    Notes
    -----
    Border revenue uses each importer's own count: its customs taxes what it records. Values
    before duty keep their base-year cost of carriage, so a cheaper road does not lower the
    duty base. A shift of the path itself (`change.level`) is no gain: what is compared is the
    shifted path with and without the levers. Goods of projects are taken to be worth what they
    cost, free of duty.
    """

    economy: Economy
    levels: Array
    count_factor: Array
    change: Change
    settled: Settled
    sales: Array
    cost: Array | None = None
    macro: Macro | None = None
    reexports: Array | None = None
    partial: bool = True

    def get(self, names: Collection[str] = tuple(VARIABLES)) -> dict[str, Array]:
        """Variables by name, axes as in `VARIABLES`; `PARTIAL` only where they are given."""
        change = self.change.project.shape
        cost = () if self.cost is None else self.cost.shape
        sizes = dict(zip(DIMS, np.broadcast_shapes(self.sales.shape, change, cost), strict=True))
        return {name: _shaped(getattr(self, _PART_OF[name])[name], variable.dims, sizes)
                for name, variable in VARIABLES.items()
                if name in names and (self.partial or name not in PARTIAL)}

    @cached_property
    def _path(self) -> Array:
        """Purchases reached, USD; order of `DIMS`."""
        return np.asarray(self.levels * np.exp(self.sales))

    @cached_property
    def _flow(self) -> Array:
        """Those from the partner."""
        pair = self.economy.pair_flow
        return np.asarray(entry(self.levels, pair) * np.exp(entry(self.sales, pair)))

    @cached_property
    def _project(self) -> Array:
        return total(self.change.project, "exporter")

    @cached_property
    def _elsewhere(self) -> Elsewhere:
        return elsewhere(self.economy, self.levels, self.change)

    @cached_property
    def trade(self) -> dict[str, Array]:
        """Bilateral trade and what of it projects give."""
        own = entry(self.levels, self.economy.pair_flow)
        trade = counted(self.economy, own, self.count_factor, self._flow, self.reexports)
        trade = trade + self._project
        return {"trade": trade, "turnover": total(trade, "importer", "group"),
                "project_trade": total(self._project, "group")}

    @cached_property
    def purchases(self) -> dict[str, Array]:
        """Purchases by supplier, and on whom a market depends."""
        given = total(self._project, "group") * self.economy.pair_flow
        imports = total(self._path, "group")
        share = shares(imports * (1.0 - self.economy.home) + given)
        return {"imports": imports + given, "home_output": entry(self._path, self.economy.home),
                "import_share": share, "import_concentration": concentration(share)}

    @cached_property
    def creation(self) -> dict[str, Array]:
        """Creation and diversion of trade by supplier."""
        creation, diversion = split_change((self._path - self.levels) * (1.0 - self.economy.home))
        given = total(self._project, "group") * self.economy.pair_flow
        return {"trade_creation": total(creation, "group") + given,
                "trade_diversion": total(diversion, "group")}

    @cached_property
    def carried(self) -> dict[str, Array]:
        """What hauliers keep, and how much takes the shared corridor."""
        return {"haulier_gain": total(self._flow * self.change.hauliers, "group"),
                "corridor_share": corridor_share(self._flow, self.change.through_corridor)}

    @cached_property
    def routed(self) -> dict[str, Array]:
        """How the pair's goods share out among routes."""
        change = self.change
        share = by_route(self.economy, change.freight, change.days, change.opened)
        return {"route_share": corridor_share(self._flow, share)}

    @cached_property
    def revenue(self) -> dict[str, Array]:
        """Calculate what the border collects on purchases from abroad, rents of quotas (A3)."""
        change, foreign = self.change, self._path * (1.0 - self.economy.home)
        collected = foreign * change.wedge
        revenue = total(collected, "group", "exporter")
        excise = total(total(foreign, "exporter") * self.economy.excise, "group")
        bought = total(foreign, "group", "exporter")
        rent = (total(foreign * change.rent, "group", "exporter") if np.any(change.rent)
                else np.zeros_like(revenue))
        return {"tariff_revenue": revenue, "tariff_revenue_by_group": total(collected, "exporter"),
                "excise_revenue": excise, "quota_rent": rent,
                "vat_revenue": _vat_rate(self.economy) * (bought + revenue + excise)}

    @cached_property
    def gains(self) -> dict[str, Array]:
        """Who gains: one market at a time, or what a closure says."""
        level = self.change.level
        base = self.levels * np.exp(level) if np.any(level) else self.levels
        if self.partial:
            collected = self.revenue["tariff_revenue"] + self.revenue["quota_rent"]
            return gains(self.economy, base, self.change, self.settled, self._elsewhere.surplus,
                         collected)
        spending = total(base * (1.0 + self.economy.duty), "exporter", "group")
        real = spread(0.0) if self.macro is None else self.macro.real_income
        return {"welfare": spending * np.expm1(real)}

    @cached_property
    def by_country(self) -> dict[str, Array]:
        """Exports and all trade of each member of the pair, along ``importer``."""
        pair = self.economy.pair
        own = [pair.reporters.index(code) for code in pair.importers]
        sold = np.concatenate([total(self.trade["trade"][count], "group")[[1 - seller]]
                               for seller, count in enumerate(own)])
        exports = np.where(self.economy.pair_flow > 0.0, sold, self._elsewhere.exports)
        bought = self.purchases["imports"] * (1.0 - self.economy.home)
        turnover = np.concatenate([self.trade["turnover"][count] for count in own])
        everything = total(exports, "exporter") + total(bought, "exporter")
        grown = growth(self.economy, self.levels)
        return {"exports": exports, "export_share": shares(exports),
                "export_concentration": concentration(shares(exports)),
                "duty_saved": self._elsewhere.duty_saved,
                "trade_share": ratio(turnover, everything),
                "services": services(self.economy, grown, self.change.visitors)}

    @cached_property
    def present(self) -> dict[str, Array]:
        """Cost of the levers, and what cost and welfare are worth today."""
        cost = spread(0.0) if self.cost is None else self.cost
        rate = spread(self.economy.draws["discount.rate"], "draw")
        cost_value, welfare_value = (present_value(values, rate)
                                     for values in (cost, self.gains["welfare"]))
        return {"policy_cost": cost, "cost_present_value": cost_value,
                "welfare_present_value": welfare_value,
                "net_present_value": total(welfare_value, "importer") - cost_value}

    @cached_property
    def balances(self) -> dict[str, Array]:
        """How much of a product's use is made at home."""
        return {"self_sufficiency": self_sufficiency(
            self.economy, self.levels, self.change.level, self.settled, self.sales)}


def unchanged(economy: Economy, levels: Array, count_factor: Array,
              names: Collection[str] = tuple(VARIABLES), *,
              partial: bool = True) -> dict[str, Array]:
    """Give `Accounts` of the reference, where nothing changes: its changes are zero."""
    still = Accounts(economy, levels, count_factor, resolve(economy, []), no_change(levels),
                     np.zeros_like(levels), partial=partial)
    moving = [name for name in names if VARIABLES[name].change]
    found = still.get([name for name in names if name not in moving])
    sizes = dict(zip(DIMS, levels.shape, strict=True))
    none = {name: np.broadcast_to(0.0, [sizes[INSIDE.get(dim, dim)]
                                        for dim in VARIABLES[name].dims])
            for name in moving if partial or name not in PARTIAL}
    return found | none


def _vat_rate(economy: Economy) -> Array:
    return spread(np.array([economy.draws[f"vat.{importer}"]
                            for importer in economy.pair.importers]), "importer", "draw")


def _shaped(values: Array, dims: tuple[str, ...], sizes: Mapping[str, int]) -> Array:
    """Drop axes that a variable does not have and stretch it where it does not vary."""
    inside = tuple(INSIDE.get(dim, dim) for dim in dims)
    values = only(values, *inside)
    shape = [sizes.get(dim, size)
             for dim, size in zip(inside[::-1], values.shape[::-1], strict=True)]
    return np.broadcast_to(values, shape[::-1])
