"""One draw of the base year per row, as the arrays of equations 4-10.

Most cells of the base year are judgement within a range; only the totals by supplier are
official. Every draw keeps each cell inside its range and meets the totals exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from tradesim.common.arrays import MILLION, Array, ratio, spread, total
from tradesim.common.errors import ConvergenceError
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.pair import Pair

EDGE = 1e-12
"""Distance from the end of a range, as a share of its width, that a draw may not cross."""

ADDING_UP = 1e-14
"""Gap to an official total, as a share of the width of its ranges, that counts as none."""

MAX_ITERATIONS = 50

BY_GROUP = ("unit_value", "time_value", "differentiated", "nontariff", "certified", "originating")
"""Properties of a group that are one table cell each."""


def _none() -> Array:
    return spread(0.0)


@dataclass(frozen=True)
class Economy:
    """One draw of the base year per row, as arrays in the order of `DIMS`.

    Attributes
    ----------
    sales
        Purchases before duty by importer, group and exporter (home sales included), USD.
    duty
        Ad valorem duty, share of value.
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
    excise: Array = field(default_factory=_none)
    exports: Array = field(default_factory=_none)
    other_sales: Array = field(default_factory=_none)
    rules: Array = field(default_factory=_none)

    def mask(self, dim: str, members: Sequence[str]) -> Array:
        """One for the named members of a dimension (importer, group or exporter), else zero."""
        names = {"importer": self.pair.importers, "group": tuple(self.pair.groups),
                 "exporter": self.pair.exporters}[dim]
        return spread([float(name in members) for name in names], dim)

    def on_routes(self, routes: Sequence[str]) -> Array:
        """One for the named routes, else zero (extra leading axis)."""
        return np.stack([spread(float(name in routes)) for name in self.pair.routes])

    def coverage(self, lever: str, scope: str) -> Array:
        """Share of the duty that an agreement of this scope removes, by importer and group."""
        pair = self.pair
        cells = [[self.draws[f"{lever}.coverage.{scope}.{importer}.{group}"]
                  for group in pair.groups] for importer in pair.importers]
        return spread(np.array(cells), "importer", "group", "draw")


def balanced(values: Array, low: Array, high: Array, total: Array) -> Array:
    r"""Move cells within their ranges until they add up to an official total.

    .. math::

        x_k = l_k + (h_k - l_k)\,\Lambda(\operatorname{logit} u_k + \lambda),
        \qquad \sum_k x_k = T

    with :math:`u_k` the place of the drawn value in its range, :math:`\Lambda` the logistic
    function and one :math:`\lambda` per draw. On the logit scale the sum is close to linear in
    :math:`\lambda`, with slope one far out on both sides, so Newton's method meets the total
    from anywhere.

    Parameters
    ----------
    values
        Drawn cells, shape (cell, ...).
    low, high
        Ranges, broadcasting against `values`; a cell of width zero stays where it is.
    total
        What the cells must add up to, strictly between the sums of `low` and of `high`;
        broadcasting against one cell.

    Returns
    -------
    numpy.ndarray
        Cells inside their ranges whose sum over the first axis is `total`.

    Raises
    ------
    ConvergenceError
        When a total is not met to `ADDING_UP`, relative to the width of its ranges.
    """
    width = np.broadcast_to(high - low, values.shape)
    place = logit(np.clip(ratio(values - low, width, 0.5), EDGE, 1.0 - EDGE))
    weight = width / _added(width)
    need = (total - _added(np.broadcast_to(low, values.shape))) / _added(width)
    shift, gap = np.zeros(values.shape[1:]), np.full(values.shape[1:], np.inf)
    for _ in range(MAX_ITERATIONS):
        share = expit(place + shift)
        mean = _added(weight * share)
        gap = np.abs(mean - need)
        if gap.max() <= ADDING_UP:
            return np.asarray(low + width * share)
        slope = _added(weight * share * (1.0 - share)) / (mean * (1.0 - mean))
        shift = np.where(gap > ADDING_UP, shift + (logit(need) - logit(mean)) / slope, shift)
    raise ConvergenceError("adding up of base-year cells", float(gap.max()))


def _added(cells: Array) -> Array:
    """Add up cells one after the other: one draw gives the same last bit as among thousands."""
    return np.asarray(reduce(np.add, cells))


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
    importers, groups, exporters = pair.importers, tuple(pair.groups), pair.exporters
    routes = tuple(pair.routes)

    def by_group(prefix: str) -> Array:
        return spread(np.array([draws[f"{prefix}.{group}"] for group in groups]), "group", "draw")

    def by_route_and_importer(prefix: str) -> Array:
        return np.stack([
            spread(np.array([draws[f"{prefix}.{importer}.{route}"] for importer in importers]),
                   "importer", "draw") for route in routes])

    lower = 1.0 + spread(draws["elasticity.scale"], "draw") * (by_group("elasticity.lower") - 1.0)
    count = len(draws["elasticity.scale"])
    upper = spread(draws["elasticity.ratio"], "draw") * lower
    demand = spread(draws["elasticity.demand"], "draw")
    access = np.array([
        [[draws.get(f"access.{importer}.{group}.{exporter}", np.ones(count))
          for exporter in exporters] for group in groups] for importer in importers])
    duty = np.array([
        [[draws[f"tariff.{importer}.{group}.{exporter}"] if exporter != importer
          else np.zeros(count) for exporter in exporters] for group in groups]
        for importer in importers])
    paid = np.array([
        [[draws.get(f"duty_paid.{importer}.{group}.{exporter}", np.ones(count))
          for exporter in exporters] for group in groups] for importer in importers])
    duty = spread(duty * paid, "importer", "group", "exporter", "draw")
    sales = spread(_sales(base, draws), "group", "importer", "exporter", "draw")
    home = spread([[float(i == j) for j in exporters] for i in importers], "importer", "exporter")
    scarce = _supply(pair, draws, sales, _home_demand(sales * (1.0 + duty), home, upper, demand))
    partner = [[float(pair.partner(importer) == exporter) for exporter in exporters]
               for importer in importers]
    return Economy(
        pair=pair,
        draws=draws,
        sales=sales,
        duty=duty,
        pair_flow=spread(partner, "importer", "exporter"),
        home=home,
        **{name: by_group(name) for name in BY_GROUP},
        payment_friction=spread(draws["payment.friction"], "draw"),
        access=spread(access, "importer", "group", "exporter", "draw"),
        freight=by_route_and_importer("freight"),
        days=by_route_and_importer("days"),
        route_share=_route_shares(base, draws),
        corridor=np.stack([spread(float(pair.routes[route].corridor)) for route in routes]),
        lower=lower,
        upper=upper,
        demand=demand,
        home_supply=by_group("supply.home"),
        inverse_supply=scarce[0],
        offer_response=scarce[1],
        route_choice=spread(draws["routes.choice"], "draw"),
        pass_through=spread(draws["routes.pass_through"], "draw"),
        trade_elasticity=spread(draws["closure.theta"], "draw"),
        first_year=spread(draws["adjustment.first_year"], "draw"),
        speed=spread(draws["adjustment.speed"], "draw"),
        excise=_cells(draws, "excise.{importer}.{group}.all", pair),
        **_abroad(base, draws),
    )


def _cells(draws: Mapping[str, Array], name: str, pair: Pair) -> Array:
    """Drawn cells by importer and group; zero where the table has no row."""
    none = np.zeros(len(draws["elasticity.scale"]))
    cells = [[draws.get(name.format(importer=importer, group=group), none)
              for group in pair.groups] for importer in pair.importers]
    return spread(np.array(cells), "importer", "group", "draw")


def _abroad(base: Baseline, draws: Mapping[str, Array]) -> dict[str, Array]:
    """Arrange exports of the pair: to all markets, and by group to those that have a table."""
    pair = base.pair
    if base.world_trade is None:
        return {}
    sellers = [pair.exporters.index(code) for code in pair.importers]
    totals = base.world_trade[sellers] * (1.0 - np.array(
        [[float(market == seller) for market in pair.exporters] for seller in pair.importers]))
    count, groups = len(draws["elasticity.scale"]), tuple(pair.groups)
    sales = np.zeros((*totals.shape, len(groups), count))
    for i, seller in enumerate(pair.importers):
        for j, market in enumerate(pair.exporters):
            names = np.array([f"other_market.{seller}.{market}.{group}" for group in groups])
            if names[0] in draws:
                sales[i, j] = MILLION * balanced(
                    *_drawn(base, draws, names), np.array(totals[i, j] / MILLION))
    rules = [[float(pair.countries[market].duties_of == member) for market in pair.exporters]
             for member in pair.importers]
    return {"exports": spread(totals, "importer", "exporter"),
            "other_sales": spread(sales, "importer", "exporter", "group", "draw"),
            "rules": spread(rules, "importer", "exporter")}


def _home_demand(paid: Array, home: Array, upper: Array, demand: Array) -> Array:
    """Price elasticity of what each importer buys of its own goods, imports at given prices."""
    share = total(paid * home, "exporter") / total(paid, "exporter")
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
    count = sales.shape[-1]
    inverse = np.zeros((len(pair.groups), len(pair.exporters), count))
    response = inverse.copy()
    for g, group in enumerate(pair.groups):
        for i, exporter in enumerate(pair.exporters):
            eta = draws.get(f"supply.export.{exporter}.{group}")
            if eta is None or exporter not in pair.importers:
                given = draws.get(f"supply.inverse.{exporter}", np.zeros(count))
                inverse[g, i] = response[g, i] = given if eta is None else 1.0 / eta
                continue
            own = pair.importers.index(exporter)
            at_home, abroad = sales[own, i, g, 0, 0], sales[1 - own, i, g, 0, 0]
            slope = eta * abroad + (eta + home_demand[own, 0, g, 0, 0]) * at_home
            inverse[g, i] = ratio(abroad, slope)
            response[g, i] = ratio(abroad + at_home, slope)
    return spread(inverse, "group", "exporter", "draw"), spread(response, "group", "exporter",
                                                                "draw")


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
    shares = balanced(*_drawn(base, draws, names), np.array(1.0))
    return np.stack([spread(share, "importer", "group", "draw") for share in shares])
