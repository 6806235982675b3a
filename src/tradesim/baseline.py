"""The observed markets, tariffs, routes and unit values, and draws of them that add up.

Most cells of the base year are judgement within a range; only the totals by supplier are
official. Every draw keeps each cell inside its range and meets the totals exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from tradesim.catalogue import Lever, read_levers
from tradesim.dims import Array, frozen, spread
from tradesim.errors import ConvergenceError, InputError, Problem
from tradesim.history import History, read_history
from tradesim.pair import Pair, read_pair
from tradesim.parameters import Parameter, read_parameters
from tradesim.posterior import read_posterior
from tradesim.tables import Column, read_table

MILLION = 1e6
EDGE = 1e-12
"""Distance from the end of a range, as a share of its width, that a draw may not cross."""

ADDING_UP = 1e-14
"""Gap to an official total, as a share of the width of its ranges, that counts as none."""

MAX_ITERATIONS = 50


@dataclass(frozen=True)
class Table:
    """One table of uncertain cells: where it stands and how its cells are named.

    Attributes
    ----------
    file
        Path inside the calibration folder.
    prefix
        First part of each cell's dotted name.
    keys
        Columns that make the rest of the name, in order.
    value
        Column of the central value.
    unit
        Unit of a cell, or the name of the column that holds it.
    title
        What a cell is, for people.
    """

    file: str
    prefix: str
    keys: tuple[str, ...]
    value: str
    unit: str
    title: str


MARKETS = Table("baseline/markets.csv", "market", ("importer", "group", "exporter"),
                "value_musd", "USD million", "Sales in the base year")
TARIFFS = Table("baseline/tariffs.csv", "tariff", ("importer", "group", "exporter"),
                "rate", "share of value", "Duty charged in the base year")
GROUPS = Table("baseline/groups.csv", "", ("variable", "group"),
               "value", "column unit", "Property of a product group")
ROUTES = Table("baseline/routes.csv", "", ("variable", "importer", "route"),
               "value", "column unit", "Cost or time of a route")
ROUTE_SHARES = Table("baseline/route_shares.csv", "route_share", ("importer", "group", "route"),
                     "share", "share", "Share of a route in a flow")
COVERAGE = Table("baseline/coverage.csv", "coverage", ("lever", "scope", "importer", "group"),
                 "share", "share of the duty", "Share of the duty that an agreement removes")
TABLES = (MARKETS, TARIFFS, GROUPS, ROUTES, ROUTE_SHARES, COVERAGE)
TOTALS = "baseline/totals.csv"


@dataclass(frozen=True)
class Baseline:
    """Everything the model knows before a scenario is read.

    Attributes
    ----------
    folder
        The calibration folder.
    pair
        Names and orders.
    parameters
        Uncertain numbers by dotted name, the cells of all tables among them.
    levers
        Levers by name.
    totals
        Official purchases of each importer from each foreign supplier in the base year, USD;
        (importer, exporter), zero for home sales.
    history, posterior
        Reported statistics and the posterior calibrated on them.
    """

    folder: Path
    pair: Pair
    parameters: Mapping[str, Parameter]
    levers: Mapping[str, Lever]
    totals: Array
    history: History
    posterior: object


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
    freight, days, route_share
        By route (extra leading axis): USD per tonne and days door to door by importer; shares
        of the pair's flow by importer and group.
    corridor
        One for a route through the shared transit corridor, by route.
    lower, upper, demand, home_supply
        Elasticities of substitution among suppliers and between imports and home goods, of
        demand for the group, and of home supply, by group.
    inverse_supply
        One over the supply elasticity of an exporter; zero where supply is elastic.
    route_choice, pass_through
        Elasticity of route choice per unit of cost as a share of value; share of a freight
        saving that reaches the buyer.
    first_year, speed
        Share of a long-run response reached in its first year, and of the rest in each later.
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
    freight: Array
    days: Array
    route_share: Array
    corridor: Array
    lower: Array
    upper: Array
    demand: Array
    home_supply: Array
    inverse_supply: Array
    route_choice: Array
    pass_through: Array
    first_year: Array
    speed: Array

    def mask(self, dim: str, members: Sequence[str]) -> Array:
        """One for the named members of a dimension (importer, group or exporter), else zero."""
        names = {"importer": self.pair.importers, "group": tuple(self.pair.groups),
                 "exporter": self.pair.exporters}[dim]
        return spread([float(name in members) for name in names], dim)

    def on_routes(self, routes: Sequence[str]) -> Array:
        """One for the named routes, else zero (extra leading axis)."""
        return _by_route([spread(float(name in routes)) for name in self.pair.routes])

    def coverage(self, lever: str, scope: str) -> Array:
        """Share of the duty that an agreement of this scope removes, by importer and group."""
        pair = self.pair
        cells = [[self.draws[f"{lever}.coverage.{scope}.{importer}.{group}"]
                  for group in pair.groups] for importer in pair.importers]
        return spread(np.array(cells), "importer", "group", "draw")


def read_baseline(folder: Path) -> Baseline:
    """Read and check everything in a calibration folder.

    Parameters
    ----------
    folder
        The calibration folder.

    Returns
    -------
    Baseline
        Names, parameters, levers, totals, statistics and posterior.

    Raises
    ------
    InputError
        With every problem of the first kind of file that has any.
    """
    pair = read_pair(folder)
    parameters = dict(read_parameters(folder))
    levers = read_levers(folder)
    for table in TABLES:
        parameters |= _cells(folder, table, pair, levers)
    totals = _totals(folder, pair)
    _feasible(folder, pair, parameters, totals)
    return Baseline(folder, pair, parameters, levers, totals,
                    read_history(folder), read_posterior(folder))


def _codes(pair: Pair, levers: Mapping[str, Lever]) -> dict[str, tuple[str, ...] | None]:
    return {"importer": pair.importers, "group": tuple(pair.groups), "exporter": pair.exporters,
            "route": tuple(pair.routes), "lever": tuple(levers), "variable": None, "scope": None}


def _cells(folder: Path, table: Table, pair: Pair,
           levers: Mapping[str, Lever]) -> dict[str, Parameter]:
    """Cells of a table as parameters of kind ``range``, each with its source and grade."""
    codes = _codes(pair, levers)
    keys = [Column(key, "text", allowed=codes[key]) for key in table.keys]
    columns = [*keys, Column(table.value, "number", low=0.0), Column("low", "number", low=0.0),
               Column("high", "number", low=0.0),
               Column("grade", "text", allowed=("A", "B", "C", "D")), Column("source", "text"),
               Column("url", "text", required=False), Column("note", "text", required=False)]
    if table is ROUTE_SHARES:
        columns.append(Column("exporter", "text", allowed=pair.exporters))
    if table.unit.startswith("column "):
        columns.append(Column(table.unit.removeprefix("column "), "text"))
    frame = read_table(folder / table.file, columns, key=table.keys)
    cells = {}
    for row in frame.to_dict("records"):
        parts = [str(row[key]) for key in table.keys]
        if table is COVERAGE:
            parts.insert(1, table.prefix)
        elif table.prefix:
            parts.insert(0, table.prefix)
        name = ".".join(parts)
        unit = table.unit if "column " not in table.unit else str(row["unit"])
        described = ", ".join(pair.name(str(row[key])) for key in table.keys)
        cells[name] = Parameter(
            name=name, title=f"{table.title}: {described}", unit=unit,
            distribution={"kind": "range", "value": row[table.value],
                          "low": row["low"], "high": row["high"]},
            low=row["low"], high=row["high"], source=str(row["source"]),
            locator=str(row["url"] or table.file), grade=str(row["grade"]),
            note=str(row["note"] or ""),
        )
    return cells


def _totals(folder: Path, pair: Pair) -> Array:
    columns = (Column("importer", "text", allowed=pair.importers),
               Column("exporter", "text", allowed=pair.exporters),
               Column("value_musd", "number", low=0.0), Column("grade", "text"),
               Column("source", "text"), Column("url", "text", required=False),
               Column("note", "text", required=False))
    frame = read_table(folder / TOTALS, columns, key=("importer", "exporter"))
    wide = frame.pivot_table(index="importer", columns="exporter", values="value_musd")
    wide = wide.reindex(index=list(pair.importers), columns=list(pair.exporters))
    home = np.array([[i == j for j in pair.exporters] for i in pair.importers])
    missing = wide.isna().to_numpy() & ~home
    if missing.any():
        raise InputError([
            Problem(str(folder / TOTALS), f"{pair.importers[i]}, {pair.exporters[j]}",
                    "row missing: the official total of this supplier is needed")
            for i, j in np.argwhere(missing)])
    return frozen(np.where(home, 0.0, wide.fillna(0.0).to_numpy() * MILLION))


def _feasible(folder: Path, pair: Pair, parameters: Mapping[str, Parameter],
              totals: Array) -> None:
    """Check that every expected cell exists and that the official totals can be met."""
    problems = [Problem(str(folder / table.file), name, "row missing")
                for table, name in _expected(pair) if name not in parameters]
    if problems:
        raise InputError(problems)
    for i, importer in enumerate(pair.importers):
        for j, exporter in enumerate(pair.exporters):
            if importer == exporter:
                continue
            cells = [parameters[f"market.{importer}.{group}.{exporter}"] for group in pair.groups]
            low, high = sum(cell.low for cell in cells), sum(cell.high for cell in cells)
            if not low <= totals[i, j] / MILLION <= high:
                problems.append(Problem(
                    str(folder / MARKETS.file), f"{importer}, {exporter}",
                    f"ranges add up to {low:.6g}-{high:.6g} USD million, which does not hold the "
                    f"official total of {totals[i, j] / MILLION:.6g}"))
    if problems:
        raise InputError(problems)


def _expected(pair: Pair) -> list[tuple[Table, str]]:
    names = []
    for importer in pair.importers:
        for group in pair.groups:
            for exporter in pair.exporters:
                names.append((MARKETS, f"market.{importer}.{group}.{exporter}"))
                if exporter != importer:
                    names.append((TARIFFS, f"tariff.{importer}.{group}.{exporter}"))
            names += [(ROUTE_SHARES, f"route_share.{importer}.{group}.{route}")
                      for route in pair.routes]
        names += [(ROUTES, f"{variable}.{importer}.{route}")
                  for variable in ("freight", "days") for route in pair.routes]
    names += [(GROUPS, f"{variable}.{group}") for group in pair.groups
              for variable in ("unit_value", "time_value", "differentiated")]
    return names


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
    place = np.divide(values - low, width, out=np.full(values.shape, 0.5), where=width > 0)
    place = logit(np.clip(place, EDGE, 1.0 - EDGE))
    weight = width / width.sum(axis=0)
    need = (total - np.broadcast_to(low, values.shape).sum(axis=0)) / width.sum(axis=0)
    shift, gap = np.zeros(values.shape[1:]), np.full(values.shape[1:], np.inf)
    for _ in range(MAX_ITERATIONS):
        share = expit(place + shift)
        mean = (weight * share).sum(axis=0)
        gap = np.abs(mean - need)
        if gap.max() <= ADDING_UP:
            return low + width * share
        slope = (weight * share * (1.0 - share)).sum(axis=0) / (mean * (1.0 - mean))
        shift = np.where(gap > ADDING_UP, shift + (logit(need) - logit(mean)) / slope, shift)
    raise ConvergenceError("adding up of base-year cells", float(gap.max()))


def economy(base: Baseline, draws: Mapping[str, Array]) -> Economy:
    """Arrange drawn numbers as the arrays that the model works on.

    Parameters
    ----------
    base
        The baseline.
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
        return _by_route([
            spread(np.array([draws[f"{prefix}.{importer}.{route}"] for importer in importers]),
                   "importer", "draw") for route in routes])

    lower = 1.0 + spread(draws["elasticity.scale"], "draw") * (by_group("elasticity.lower") - 1.0)
    count = len(draws["elasticity.scale"])
    inverse = np.array([
        [1.0 / draws[name] if (name := f"supply.export.{exporter}.{group}") in draws
         else np.zeros(count) for exporter in exporters] for group in groups])
    duty = np.array([
        [[draws[f"tariff.{importer}.{group}.{exporter}"] if exporter != importer
          else np.zeros(count) for exporter in exporters] for group in groups]
        for importer in importers])
    partner = [[float(pair.partner(importer) == exporter) for exporter in exporters]
               for importer in importers]
    return Economy(
        pair=pair,
        draws=draws,
        sales=spread(_sales(base, draws), "group", "importer", "exporter", "draw"),
        duty=spread(duty, "importer", "group", "exporter", "draw"),
        pair_flow=spread(partner, "importer", "exporter"),
        home=spread([[float(i == j) for j in exporters] for i in importers],
                    "importer", "exporter"),
        unit_value=by_group("unit_value"),
        time_value=by_group("time_value"),
        differentiated=by_group("differentiated"),
        freight=by_route_and_importer("freight"),
        days=by_route_and_importer("days"),
        route_share=_route_shares(base, draws),
        corridor=_by_route([spread(float(pair.routes[route].corridor)) for route in routes]),
        lower=lower,
        upper=spread(draws["elasticity.ratio"], "draw") * lower,
        demand=spread(draws["elasticity.demand"], "draw"),
        home_supply=by_group("supply.home"),
        inverse_supply=spread(inverse, "group", "exporter", "draw"),
        route_choice=spread(draws["routes.choice"], "draw"),
        pass_through=spread(draws["routes.pass_through"], "draw"),
        first_year=spread(draws["adjustment.first_year"], "draw"),
        speed=spread(draws["adjustment.speed"], "draw"),
    )


def _by_route(arrays: Sequence[Array]) -> Array:
    return np.stack(arrays, axis=0)


def _drawn(base: Baseline, draws: Mapping[str, Array], names: Array) -> tuple[Array, ...]:
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
    return _by_route([spread(share, "importer", "group", "draw") for share in shares])
