"""From log changes to what people ask: trade, revenue, surplus, who gains and who loses."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tradesim.common.arrays import DIMS, Array, axis, entry, only, ratio, spread, total
from tradesim.economy.base_year import Economy
from tradesim.economy.costs import present_value
from tradesim.economy.elsewhere import Elsewhere, elsewhere, growth
from tradesim.economy.equilibrium import Macro, Settled, no_change
from tradesim.economy.indicators import concentration, corridor_share, shares
from tradesim.economy.products import by_product, purchases
from tradesim.economy.resolve import resolve
from tradesim.economy.services import services
from tradesim.economy.shocks import Change
from tradesim.economy.variables import DETAILED, INSIDE, USUAL, VARIABLES
from tradesim.economy.welfare import PARTIAL, gains

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
    "spent": ("policy_cost", "cost_present_value"),
    "present": ("welfare_present_value", "net_present_value"),
    "products": ("product_trade", "product_imports", "product_home_output", "product_output",
                 "product_price", "self_sufficiency"),
    "by_supplier": DETAILED,
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
    gain = total(np.maximum(change, 0.0), "exporter")
    loss = total(np.maximum(-change, 0.0), "exporter")
    moved = np.minimum(gain, loss)
    diversion = change * np.where(change > 0.0, ratio(moved, gain), ratio(moved, loss))
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

    def get(self, names: Collection[str] = USUAL) -> dict[str, Array]:
        """Variables by name, axes as in `VARIABLES`; `PARTIAL` only where they are given."""
        change = self.change.project.shape
        cost = () if self.cost is None else self.cost.shape
        sizes = _sizes(self.economy, np.broadcast_shapes(self.sales.shape, change, cost))
        return {name: _shaped(getattr(self, _PART_OF[name])[name], variable.dims, sizes)
                for name, variable in VARIABLES.items()
                if name in names and (self.partial or name not in PARTIAL)}

    @cached_property
    def _path(self) -> Array:
        """Purchases reached, USD; order of `DIMS`."""
        if not self.sales.any():
            return self.levels
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
        return elsewhere(self.economy, self._growth, self.change)

    @cached_property
    def _growth(self) -> Array:
        return growth(self.economy, self.levels)

    @cached_property
    def _real_growth(self) -> Array:
        """Growth at prices of the base year."""
        rise = spread(self.economy.draws["discount.inflation"], "draw")
        since = self.economy.begins + np.arange(self.levels.shape[axis("year")])
        return np.asarray(self._growth / (1.0 + rise) ** spread(since, "year"))

    @cached_property
    def trade(self) -> dict[str, Array]:
        """Bilateral trade and what of it projects give."""
        own = entry(self.levels, self.economy.pair_flow)
        trade = counted(self.economy, own, self.count_factor, self._flow, self.reexports)
        grouped = self.economy.grouped
        trade = grouped(trade) + grouped(self._project)
        return {"trade": trade, "turnover": total(trade, "importer", "group"),
                "project_trade": total(self._project, "group")}

    @cached_property
    def purchases(self) -> dict[str, Array]:
        """Purchases by supplier, and on whom a market depends."""
        given = total(self._project, "group") * self.economy.pair_flow
        imports = total(self._path, "group")
        share = shares(imports * (1.0 - self.economy.home) + given)
        home = self.economy.grouped(entry(self._path, self.economy.home))
        return {"imports": imports + given, "home_output": home,
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
        return {"route_share": corridor_share(self._flow, self.change.by_route)}

    @cached_property
    def revenue(self) -> dict[str, Array]:
        """Calculate what the border collects on purchases from abroad, rents of quotas (A3)."""
        change, foreign = self.change, self._path * (1.0 - self.economy.home)
        collected, imports = total(foreign * change.wedge, "exporter"), total(foreign, "exporter")
        revenue, bought = total(collected, "group"), total(imports, "group")
        excise = total(imports * self.economy.excise, "group")
        rent = (total(foreign * change.rent, "exporter", "group") if np.any(change.rent)
                else np.zeros_like(revenue))
        by_group = self.economy.grouped(collected)
        return {"tariff_revenue": revenue, "tariff_revenue_by_group": by_group,
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
        return {"exports": exports, "export_share": shares(exports),
                "export_concentration": concentration(shares(exports)),
                "duty_saved": self._elsewhere.duty_saved,
                "trade_share": ratio(turnover, everything),
                "services": services(self.economy, self._real_growth, self.change.visitors)}

    @cached_property
    def spent(self) -> dict[str, Array]:
        """Cost of the levers, in its year and worth today."""
        cost = spread(0.0) if self.cost is None else self.cost
        rate = spread(self.economy.draws["discount.rate"], "draw")
        return {"policy_cost": cost, "cost_present_value": present_value(cost, rate)}

    @cached_property
    def present(self) -> dict[str, Array]:
        """Give what welfare is worth today, and what is left of it after the cost."""
        rate, rise = (spread(self.economy.draws[f"discount.{name}"], "draw")
                      for name in ("rate", "inflation"))
        value = present_value(self.gains["welfare"], (1.0 + rate) * (1.0 + rise) - 1.0)
        cost = self.spent["cost_present_value"]
        return {"welfare_present_value": value,
                "net_present_value": total(value, "importer") - cost}

    @cached_property
    def products(self) -> dict[str, Array]:
        """What happens to each product."""
        return by_product(self.economy, self.levels, self._path, self.change.level, self.settled,
                          self.sales)

    @cached_property
    def by_supplier(self) -> dict[str, Array]:
        """Purchases of products by supplier."""
        return {"product_purchases": purchases(self.economy, self._path)}


def unchanged(economy: Economy, levels: Array, count_factor: Array,
              names: Collection[str] = USUAL, *,
              partial: bool = True) -> dict[str, Array]:
    """Give `Accounts` of the reference, where nothing changes: its changes are zero."""
    none = no_change(levels)
    still = Accounts(economy, levels, count_factor, resolve(economy, []), none, none.sales,
                     partial=partial)
    moving = [name for name in names if VARIABLES[name].change]
    found = still.get([name for name in names if name not in moving])
    sizes = _sizes(economy, levels.shape)
    return found | {name: np.broadcast_to(0.0, [sizes[dim] for dim in VARIABLES[name].dims])
                    for name in moving if partial or name not in PARTIAL}


def _vat_rate(economy: Economy) -> Array:
    return spread(np.array([economy.draws[f"vat.{importer}"]
                            for importer in economy.pair.importers]), "importer", "draw")


def _sizes(economy: Economy, shape: Sequence[int]) -> dict[str, int]:
    """Length of every dimension of accounts, from the shape of an array in the order of `DIMS`."""
    sizes = dict(zip(DIMS, shape, strict=True))
    pair = economy.pair
    return sizes | {"country": sizes["importer"], "market": sizes["exporter"],
                    "group": len(pair.groups), "product": len(pair.products)}


def _shaped(values: Array, dims: tuple[str, ...], sizes: Mapping[str, int]) -> Array:
    """Drop axes that a variable does not have and stretch it where it does not vary."""
    values = only(values, *(INSIDE.get(dim, dim) for dim in dims))
    shape = [sizes.get(dim, size)
             for dim, size in zip(dims[::-1], values.shape[::-1], strict=True)]
    return np.broadcast_to(values, shape[::-1])
