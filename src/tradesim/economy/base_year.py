"""One draw of the base year per row, as the arrays of equations 4-10.

Most cells of the base year are judgement within a range; only the totals by supplier are
official. Every draw keeps each cell inside its range and meets the totals exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import MILLION, Array, axis, ratio, spread, total
from tradesim.economy.adding_up import balanced
from tradesim.economy.lines import cells, elasticities, group_places, line_shares, split
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.pair import Pair

BY_LINE = ("unit_value", "time_value", "differentiated", "nontariff", "certified", "originating")
"""Properties of a line that are one table cell each."""


def _none() -> Array:
    return spread(0.0)


def _all() -> Array:
    return spread(1.0)


@dataclass(frozen=True)
class Economy:
    """One draw of the base year per row, as arrays in the order of `DIMS`.

    Along ``group`` stand the lines of the pair: the named products of each group, then what is
    left of it; without products the groups themselves. `grouped` adds lines up to groups.

    Attributes
    ----------
    sales
        Purchases before duty by importer, group and exporter (home sales included), USD.
    duty
        Ad valorem duty that is collected, share of value.
    duty_paid
        Share of the statutory duty that is collected; the rest is exempt.
    pair_flow, home
        One where the exporter is the importer's partner, or the importer itself, else zero.
    unit_value, time_value, differentiated
        USD per tonne; share of value per day; share of differentiated goods, by group.
    nontariff
        Cost of information, standards and formalities that policy could remove, share of
        delivered value, by group.
    certified
        Share of a group's goods whose formalities an agreement can ease, by group.
    originating
        Share of the partner's goods that originate there, by group, where a count holds more
        goods than the importer's own.
    payment_friction
        Cost of paying the partner, share of delivered value.
    access
        Share of a supplier's goods that a market has approved, by importer, group, exporter.
    freight, days, route_share
        By route (extra leading axis): USD per tonne and days door to door by importer; shares
        of the pair's flow by importer and group.
    corridor
        One for a route through the shared transit corridor, by route.
    lower, upper, demand, home_supply
        Elasticities of substitution among suppliers and between imports and home goods, of
        demand for the group, and of home supply, by group.
    inverse_supply
        One over the elasticity of what an exporter supplies to the pair's markets; zero where
        supply is elastic.
    offer_response
        Fall of an exporter's offer price per log point more of all that its country supplies.
    route_choice, pass_through
        Elasticity of route choice per unit of cost as a share of value; share of a freight
        saving that reaches the buyer.
    trade_elasticity
        Elasticity of trade to its cost in the one-sector world of a closure.
    first_year, speed
        Share of a long-run response reached in its first year, and of the rest in each later.
    excise
        Excise on purchases, share of customs value by importer and group.
    exports, other_sales
        Exports of each member of the pair (along ``importer``) to each market (along
        ``exporter``), USD: in all, and by group to markets other than the pair's.
    begins
        Years from the base year to the first projected one.
    rules
        One where a third market (along ``exporter``) has the border rules of a member of the
        pair (along ``importer``).
    """

    pair: Pair
    draws: Mapping[str, Array]
    sales: Array
    duty: Array
    pair_flow: Array
    home: Array
    unit_value: Array
    time_value: Array
    differentiated: Array
    nontariff: Array
    certified: Array
    originating: Array
    payment_friction: Array
    access: Array
    freight: Array
    days: Array
    route_share: Array
    corridor: Array
    lower: Array
    upper: Array
    demand: Array
    home_supply: Array
    inverse_supply: Array
    offer_response: Array
    route_choice: Array
    pass_through: Array
    trade_elasticity: Array
    first_year: Array
    speed: Array
    duty_paid: Array = field(default_factory=_all)
    excise: Array = field(default_factory=_none)
    exports: Array = field(default_factory=_none)
    other_sales: Array = field(default_factory=_none)
    rules: Array = field(default_factory=_none)
    begins: int = 1

    def mask(self, dim: str, members: Sequence[str]) -> Array:
        """One for the named members of a dimension (importer, group or exporter), else zero.

        The name of a group stands for all its lines, that of a product for its own line.
        """
        pair = self.pair
        if dim == "group":
            return spread([float(line in members or pair.group_of(line) in members)
                           for line in pair.lines], dim)
        names = {"importer": pair.importers, "exporter": pair.exporters}[dim]
        return spread([float(name in members) for name in names], dim)

    def line(self, name: str) -> Array:
        """One for a product, or for what is left of a group, else zero."""
        return spread([float(line == name) for line in self.pair.lines], "group")

    def grouped(self, values: Array) -> Array:
        """Add up lines to the groups of the pair."""
        if not self.pair.products:
            return values
        places = np.array(group_places(self.pair))
        if values.shape[axis("group")] < len(places):
            values = values + np.zeros((len(places), 1, 1, 1))
        parts = [total(values.take(np.flatnonzero(places == group), axis=axis("group")), "group")
                 for group in range(len(self.pair.groups))]
        return np.concatenate(parts, axis=axis("group"))

    def on_routes(self, routes: Sequence[str]) -> Array:
        """One for the named routes, else zero (extra leading axis)."""
        return np.stack([spread(float(name in routes)) for name in self.pair.routes])

    def coverage(self, lever: str, scope: str) -> Array:
        """Share of the duty that an agreement of this scope removes, by importer and group."""
        return cells(self.draws, f"{lever}.coverage.{scope}.{{importer}}.{{line}}", self.pair)


def economy(base: Baseline, draws: Mapping[str, Array]) -> Economy:
    """Arrange drawn numbers as the arrays that the model works on.

    Parameters
    ----------
    draws
        Values by dotted name, each of shape (draw,).

    Returns
    -------
    Economy
        Base-year arrays; cells add up to the official totals in every draw.
    """
    pair = base.pair
    importers, exporters, routes = pair.importers, pair.exporters, tuple(pair.routes)

    def by_line(name: str) -> Array:
        return cells(draws, f"{name}.{{line}}", pair)

    def by_line_if_any(name: str) -> Array:
        """One number for all lines, but where a product has its own."""
        if not any(f"{name}.{line}" in draws for line in pair.lines):
            return spread(draws[name], "draw")
        return cells(draws, f"{name}.{{line}}", pair, draws[name])

    def by_route_and_importer(prefix: str) -> Array:
        return np.stack([
            spread(np.array([draws[f"{prefix}.{importer}.{route}"] for importer in importers]),
                   "importer", "draw") for route in routes])

    lower, upper = elasticities(draws, pair, by_line("elasticity.lower"))
    demand = by_line_if_any("elasticity.demand")
    count = len(draws["elasticity.scale"])
    none, whole = np.zeros(count), np.ones(count)
    duty_paid = cells(draws, "duty_paid.{importer}.{line}.{exporter}", pair, whole)
    duty = cells(draws, "tariff.{importer}.{line}.{exporter}", pair, none) * duty_paid
    sold, of_group = _sales(base, draws), line_shares(base, draws)
    sales = spread(split(pair, sold, of_group), "group", "importer", "exporter", "draw")
    home = spread([[float(i == j) for j in exporters] for i in importers], "importer", "exporter")
    scarce = _supply(pair, draws, sales, _home_demand(sales * (1.0 + duty), home, upper, demand))
    partner = [[float(pair.partner(importer) == exporter) for exporter in exporters]
               for importer in importers]
    return Economy(
        pair=pair,
        draws=draws,
        sales=sales,
        duty=duty,
        duty_paid=duty_paid,
        pair_flow=spread(partner, "importer", "exporter"),
        home=home,
        **{name: by_line(name) for name in BY_LINE},
        payment_friction=spread(draws["payment.friction"], "draw"),
        access=cells(draws, "access.{importer}.{line}.{exporter}", pair, whole),
        freight=by_route_and_importer("freight"),
        days=by_route_and_importer("days"),
        route_share=_route_shares(base, draws),
        corridor=np.stack([spread(float(pair.routes[route].corridor)) for route in routes]),
        lower=lower,
        upper=upper,
        demand=demand,
        home_supply=by_line("supply.home"),
        inverse_supply=scarce[0],
        offer_response=scarce[1],
        route_choice=spread(draws["routes.choice"], "draw"),
        pass_through=spread(draws["routes.pass_through"], "draw"),
        trade_elasticity=spread(draws["closure.theta"], "draw"),
        first_year=by_line_if_any("adjustment.first_year"),
        speed=by_line_if_any("adjustment.speed"),
        excise=cells(draws, "excise.{importer}.{line}.all", pair, none),
        begins=base.history.years[-1] + 1 - pair.base_year,
        **_abroad(base, draws, of_group),
    )


def _abroad(base: Baseline, draws: Mapping[str, Array],
            of_group: Array | None) -> dict[str, Array]:
    """Arrange exports of the pair: to all markets, and by line to those that have a table.

    A product has the share in an exporter's sales to a third market that it has in those to the
    partner.
    """
    pair = base.pair
    if base.world_trade is None:
        return {}
    sellers = [pair.exporters.index(code) for code in pair.importers]
    totals = base.world_trade[sellers] * (1.0 - np.array(
        [[float(market == seller) for market in pair.exporters] for seller in pair.importers]))
    count, groups = len(draws["elasticity.scale"]), tuple(pair.groups)
    sales = np.zeros((*totals.shape, len(pair.lines), count))
    for i, seller in enumerate(pair.importers):
        for j, market in enumerate(pair.exporters):
            names = np.array([f"other_market.{seller}.{market}.{group}" for group in groups])
            if names[0] in draws:
                by_group = MILLION * balanced(
                    *_drawn(base, draws, names), np.array(totals[i, j] / MILLION))
                shares = of_group if of_group is None else of_group[:, 1 - i, sellers[i]]
                sales[i, j] = split(pair, by_group, shares)
    rules = [[float(pair.countries[market].duties_of == member) for market in pair.exporters]
             for member in pair.importers]
    return {"exports": spread(totals, "importer", "exporter"),
            "other_sales": spread(sales, "importer", "exporter", "group", "draw"),
            "rules": spread(rules, "importer", "exporter")}


def _home_demand(paid: Array, home: Array, upper: Array, demand: Array) -> Array:
    """Price elasticity of what each importer buys of its own goods, imports at given prices."""
    share = ratio(total(paid * home, "exporter"), total(paid, "exporter"))
    return np.asarray(upper * (1.0 - share) + demand * share)


def _supply(pair: Pair, draws: Mapping[str, Array], sales: Array,
            home_demand: Array) -> tuple[Array, Array]:
    r"""Inverse elasticity of each exporter's supply to the pair, and response of its offer price.

    .. math::

        \eta_i = \eta + (\eta + \varepsilon_h)\,\frac{H}{X}, \qquad
        \frac{\partial \ln b_i}{\partial s} = -\frac{X + H}{\eta X + (\eta + \varepsilon_h) H}

    (equation P1): what a member sells to its partner, :math:`X`, is what its home market of
    :math:`H` leaves, so a small partner meets elastic supply. An elasticity that is given for the
    partner's market itself, or of a third country, is taken as it is.
    """
    nothing = np.zeros(sales.shape[-1])
    eta = cells(draws, "supply.export.{exporter}.{line}", pair, np.nan + nothing)
    given = spread(np.array([draws.get(f"supply.inverse.{exporter}", nothing)
                             for exporter in pair.exporters]), "exporter", "draw")
    inverse = np.where(np.isnan(eta), given, 1.0 / eta)
    response = inverse.copy()
    for own, seller in enumerate(pair.exporters.index(code) for code in pair.importers):
        at_home, abroad = sales[own, seller], sales[1 - own, seller]
        slope = eta[0, seller] * abroad + (eta[0, seller] + home_demand[own, 0]) * at_home
        known = ~np.isnan(eta[0, seller])
        inverse[0, seller] = np.where(known, ratio(abroad, slope), inverse[0, seller])
        response[0, seller] = np.where(known, ratio(abroad + at_home, slope), inverse[0, seller])
    return inverse, response


def _drawn(base: Baseline, draws: Mapping[str, Array],
           names: NDArray[np.str_]) -> tuple[Array, Array, Array]:
    """Drawn cells, shape (*names, draw), and their ranges, shape (*names, 1)."""
    cells = [base.parameters[name] for name in names.flat]
    values = np.array([draws[name] for name in names.flat]).reshape(*names.shape, -1)
    low = np.array([cell.low for cell in cells]).reshape(*names.shape, 1)
    high = np.array([cell.high for cell in cells]).reshape(*names.shape, 1)
    return values, low, high


def _sales(base: Baseline, draws: Mapping[str, Array]) -> Array:
    """Base-year purchases, USD, (group, importer, exporter, draw); columns meet their totals."""
    pair = base.pair
    names = np.array([[[f"market.{importer}.{group}.{exporter}" for exporter in pair.exporters]
                       for importer in pair.importers] for group in pair.groups])
    values, low, high = _drawn(base, draws, names)
    abroad = base.totals > 0.0
    sales = values.copy()
    sales[:, abroad] = balanced(values[:, abroad], low[:, abroad], high[:, abroad],
                                base.totals[abroad][:, None] / MILLION)
    return sales * MILLION


def _route_shares(base: Baseline, draws: Mapping[str, Array]) -> Array:
    """Shares of routes in the pair's flows; they add up to one in every draw."""
    pair = base.pair
    names = np.array([[[f"route_share.{importer}.{group}.{route}" for group in pair.groups]
                       for importer in pair.importers] for route in pair.routes])
    shares = balanced(*_drawn(base, draws, names), np.array(1.0))[:, :, group_places(pair)]
    return np.stack([spread(share, "importer", "group", "draw") for share in shares])
