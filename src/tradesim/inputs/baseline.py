"""What the model knows before a scenario: observed markets, tariffs, routes, unit values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from tradesim.common.arrays import BILLION, MILLION, Array, frozen
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import unless_changed
from tradesim.inputs.distributions import Range
from tradesim.inputs.history import History, read_history
from tradesim.inputs.levers import LEVERS_FILE, Choice, Lever, read_levers
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.inputs.parameters import PARAMETERS_FILE, Parameter, read_parameters
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.products import ABROAD, CELLS_FILE, PRODUCTS_FILE, read_product_cells
from tradesim.inputs.strict_csv import SOURCES, Column, read_table

UNIT_COLUMN = "column unit"


@dataclass(frozen=True)
class Table:
    """One table of uncertain cells: where it stands and how its cells are named."""

    file: str  #: path inside the calibration folder
    prefix: str  #: first part of each cell's dotted name
    keys: tuple[str, ...]  #: columns that make the rest of the name, in order
    value: str  #: column of the central value
    unit: str  #: unit of a cell, or `UNIT_COLUMN` where each row names its own
    title: str  #: what a cell is, for people


MARKETS = Table("baseline/markets.csv", "market", ("importer", "group", "exporter"),
                "value_musd", "USD million", "Sales in the base year")
TARIFFS = Table("baseline/tariffs.csv", "tariff", ("importer", "group", "exporter"),
                "rate", "share of value", "Duty charged in the base year")
GROUPS = Table("baseline/groups.csv", "", ("variable", "group"),
               "value", UNIT_COLUMN, "Property of a product group")
ROUTES = Table("baseline/routes.csv", "", ("variable", "importer", "route"),
               "value", UNIT_COLUMN, "Cost or time of a route")
ROUTE_SHARES = Table("baseline/route_shares.csv", "route_share", ("importer", "group", "route"),
                     "share", "share", "Share of a route in a flow")
COVERAGE = Table("baseline/coverage.csv", "coverage", ("lever", "scope", "importer", "group"),
                 "share", "share of the duty", "Share of the duty that an agreement removes")
QUOTAS = Table("baseline/quotas.csv", "quota",
               ("lever", "scope", "importer", "group", "variable"), "value", UNIT_COLUMN,
               "Quota of an agreement")
OTHER_MARKETS = Table("baseline/other_markets.csv", "other_market",
                      ("exporter", "market", "group"), "value_musd", "USD million",
                      "Exports to a third market in the base year")
TAXES = Table("baseline/taxes.csv", "", ("variable", "importer", "group", "exporter"), "value",
              UNIT_COLUMN, "Tax at the border")
SERVICES = Table("baseline/services.csv", "services", ("item", "supplier", "buyer", "variable"),
                 "value", UNIT_COLUMN, "Services beside goods")
TABLES = (MARKETS, TARIFFS, GROUPS, ROUTES, ROUTE_SHARES, COVERAGE, QUOTAS, OTHER_MARKETS, TAXES,
          SERVICES)
OPTIONAL = (QUOTAS, OTHER_MARKETS, TAXES, SERVICES)
BY_LINE = (COVERAGE, QUOTAS)
"""Tables whose column ``group`` may name a product too."""
EXTRA = {ROUTE_SHARES: Column("exporter", "text"), QUOTAS: Column("product", "text"),
         SERVICES: Column("year", "number"),
         TARIFFS: Column("drawn_with", "text", required=False)}
"""Columns that a table has beside its cells."""
QUOTED_SHARE = "product_share"
QUOTA = {QUOTED_SHARE: "the product's share of the group's trade", "quota_tonnes": "a quantity",
         "usd_per_tonne": "a price that turns tonnes into value",
         "price_growth": "the growth of that price", "in_quota_rate": "a duty inside",
         "over_quota_rate": "a duty beyond"}
"""Variables that every quota needs, and what it is without one. That of a product of its own has
no share."""
SHARES = ("time_value", "differentiated", "nontariff", "certified", "originating")
"""Properties of a group that are parts of a whole."""

TOTALS, WORLD = "baseline/totals.csv", "baseline/world.csv"
NEEDED = (
    "adjustment.first_year", "adjustment.speed", "closure.theta", "corridor.closed_given_disrupted",
    "corridor.closed_share_closed", "corridor.closed_share_restricted",
    "corridor.disruption_probability", "corridor.persistence", "discount.inflation",
    "discount.rate", "elasticity.demand", "elasticity.ratio", "elasticity.scale",
    "gdp.error_correlation",
    "gdp.error_persistence", "gdp.error_price_share", "payment.friction", "routes.choice",
    "routes.pass_through")
"""Parameters without which no scenario can be run, whatever its levers."""

BY_NAME = {"access.": ("importer", "group", "exporter"), "supply.export.": ("exporter", "group"),
           "supply.inverse.": ("exporter",)}
"""Parameters that need not exist, with what follows their first words."""


@dataclass(frozen=True)
class Baseline:
    """Everything the model knows before a scenario is read."""

    folder: Path  #: the calibration folder
    pair: Pair  #: names and orders
    #: uncertain numbers by dotted name, the cells of all tables among them
    parameters: Mapping[str, Parameter]
    levers: Mapping[str, Lever]  #: levers by name
    #: official purchases of each importer from each foreign supplier in the base year, USD;
    #: (importer, exporter), zero for home sales
    totals: Array
    #: reported statistics and the posterior calibrated on them
    history: History
    posterior: xr.Dataset
    #: trade among all countries, USD, exporter by importer; None without such a table
    world_trade: Array | None = None


def read_baseline(folder: Path) -> Baseline:
    """Read and check everything in a calibration folder.

    Raises
    ------
    InputError
        With every problem of the first kind of file that has any.
    """
    pair = read_pair(folder)
    parameters = read_parameters(folder)
    levers = read_levers(folder)
    parameters |= read_cells(folder)
    totals = _totals(folder, pair)
    _feasible(folder, pair, parameters, totals)
    posterior = read_posterior(folder)
    as_of = int(posterior.attrs["as_of"])
    if as_of < pair.base_year:
        raise InputError([Problem(
            str(folder / "posterior.nc"), "", f"was fitted to data up to {as_of}, before the base "
            f"year {pair.base_year} of the markets", "run `tradesim calibrate` without --as-of")])
    history = read_history(folder, as_of=as_of)
    return Baseline(folder, pair, parameters, levers, totals,
                    history, posterior, read_world(folder, pair))


@unless_changed(*(table.file for table in TABLES), PAIR_FILE, LEVERS_FILE, PRODUCTS_FILE,
                CELLS_FILE)
def read_cells(folder: Path) -> dict[str, Parameter]:
    """Read the cells of all tables of the base year as parameters by dotted name.

    Numbers of what is left of a group go before those of the whole.

    Raises
    ------
    InputError
        With every problem of the first table that has any.
    """
    pair, levers = read_pair(folder), read_levers(folder)
    cells = {name: cell for table in TABLES
             if table not in OPTIONAL or (folder / table.file).exists()
             for name, cell in _cells(folder, table, pair, levers).items()}
    return cells | read_product_cells(folder, pair)


def _columns(table: Table, pair: Pair, levers: Mapping[str, Lever]) -> list[Column]:
    codes = {"importer": pair.importers, "exporter": pair.exporters,
             "group": pair.lines if table in BY_LINE else tuple(pair.groups),
             "route": tuple(pair.routes), "lever": tuple(levers), "market": pair.exporters,
             "supplier": pair.importers,
             "buyer": (*pair.importers, "all")}
    if table is TAXES:
        codes["exporter"] = (*pair.exporters, "all")
    most = 1.0 if table.unit in ("share", "share of the duty") else None
    columns = [*(Column(key, "text", allowed=codes.get(key)) for key in table.keys),
               *(Column(name, "number", low=0.0, high=most)
                 for name in (table.value, "low", "high")), *SOURCES]
    if table in EXTRA:
        columns.append(EXTRA[table])
    if table.unit == UNIT_COLUMN:
        columns.append(Column("unit", "text"))
    return columns


def _cells(folder: Path, table: Table, pair: Pair,
           levers: Mapping[str, Lever]) -> dict[str, Parameter]:
    """Cells of a table as parameters of kind ``range``, each with its source and grade."""
    columns = _columns(table, pair, levers)
    frame = read_table(folder / table.file, columns, key=table.keys)
    cells = {}
    for row in frame.to_dict("records"):
        parts = [str(row[key]) for key in table.keys]
        title = f"{table.title}: {', '.join(map(pair.name, parts))}"
        if table.prefix:
            parts.insert(1 if table.keys[0] == "lever" else 0, table.prefix)
        name = ".".join(parts)
        low, high = row["low"], row["high"]
        cells[name] = Parameter.model_validate({
            "name": name, "title": title,
            "unit": row["unit"] if table.unit == UNIT_COLUMN else table.unit,
            "distribution": Range(kind="range", value=row[table.value], low=low, high=high),
            "low": low, "high": high, "source": row["source"],
            "locator": row["url"] or table.file, "grade": row["grade"], "note": row["note"],
            "drawn_with": str(row.get("drawn_with", ""))})
    problems = list(_quota_problems(folder, cells, levers, pair)) if table is QUOTAS else []
    if problems:
        raise InputError(problems)
    return cells


def _quota_problems(folder: Path, cells: Mapping[str, Parameter], levers: Mapping[str, Lever],
                    pair: Pair) -> Iterator[Problem]:
    """Check that every quota is one of a schedule that exists, and has all its numbers."""
    quotas: dict[str, dict[str, Parameter]] = {}
    for name, cell in cells.items():
        quota, _, variable = name.rpartition(".")
        quotas.setdefault(quota, {})[variable] = cell
    for quota, numbers in quotas.items():
        lever, _, scope, importer, line = quota.split(".")
        for message, hint in (*_schedule_errors(levers[lever], scope),
                              *_number_errors(numbers, whole=line in pair.products)):
            yield Problem(str(folder / QUOTAS.file), f"{lever}, {scope}, {importer}, {line}",
                          message, hint)


def _schedule_errors(lever: Lever, scope: str) -> Iterator[tuple[str, str]]:
    chosen = lever.settings.get("scope")
    schedules = (chosen.values if isinstance(chosen, Choice)
                 else [str(lever.applies["scope"])] if "scope" in lever.applies else [])
    if scope not in schedules:
        yield (f"lever '{lever.name}' has no schedule '{scope}'; known: "
               f"{', '.join(schedules) or 'none'}", nearest(scope, schedules))


def _number_errors(numbers: Mapping[str, Parameter], *, whole: bool) -> Iterator[tuple[str, str]]:
    """Check the numbers of a quota, of a `whole` product or of one that is part of a group."""
    for name in numbers:
        if name not in QUOTA:
            yield f"unknown variable '{name}'; known: {', '.join(QUOTA)}", nearest(name, QUOTA)
    if whole and QUOTED_SHARE in numbers:
        yield f"the quota is on a product of its own: row {QUOTED_SHARE} must go", ""
    missing = [name for name in QUOTA if name not in numbers
               and not (whole and name == QUOTED_SHARE)]
    for name in missing:
        yield f"a quota without {QUOTA[name]}: row {name} missing", ""
    if missing:
        return
    if not whole and not 0.0 < numbers[QUOTED_SHARE].low <= numbers[QUOTED_SHARE].high <= 1:
        yield f"{QUOTED_SHARE} must lie above 0 and not above 1", ""
    if numbers["in_quota_rate"].high > numbers["over_quota_rate"].low:
        yield ("in_quota_rate may be above over_quota_rate; the duty inside a quota is the lower "
               "one"), ""


def _totals(folder: Path, pair: Pair) -> Array:
    columns = (Column("importer", "text", allowed=pair.importers),
               Column("exporter", "text", allowed=pair.exporters),
               Column("value_musd", "number", low=0.0), Column("grade", "text"), *SOURCES[1:])
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
    problems += [Problem(str(folder / PARAMETERS_FILE), name, "parameter missing; the model needs "
                         "it", nearest(name, parameters))
                 for name in _needed(pair) if name not in parameters]
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
    problems += [*_shares(folder, pair, parameters), *_named(folder, pair, parameters)]
    if problems:
        raise InputError(problems)


def _shares(folder: Path, pair: Pair, parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    """Check that shares of routes can add up to one, and that no part is more than the whole."""
    for importer in pair.importers:
        for group in pair.groups:
            cells = [parameters[f"route_share.{importer}.{group}.{route}"] for route in pair.routes]
            low, high = sum(cell.low for cell in cells), sum(cell.high for cell in cells)
            if not low < 1.0 < high:
                yield Problem(str(folder / ROUTE_SHARES.file), f"{importer}, {group}",
                              f"ranges of the shares of routes add up to {low:.6g}-{high:.6g}, "
                              "which does not hold 1 inside")
    for variable in SHARES:
        for group in pair.groups:
            cell = parameters[f"{variable}.{group}"]
            if cell.high > 1.0:
                yield Problem(str(folder / GROUPS.file), f"{group}, {variable}",
                              f"{cell.high:g} is no share: at most 1")


def _named(folder: Path, pair: Pair, parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    """Check the codes in names of parameters that the model looks up only where they exist."""
    known = {"importer": pair.importers, "group": pair.lines,
             "exporter": (*pair.exporters, ABROAD)}
    for name, part in parameters.items():
        if part.drawn_with and part.drawn_with not in parameters:
            yield Problem(str(folder / TARIFFS.file), name, f"drawn_with: '{part.drawn_with}' is "
                          "no parameter", nearest(part.drawn_with, parameters))
    for prefix, dims in BY_NAME.items():
        for name in parameters:
            if not name.startswith(prefix):
                continue
            codes = name.removeprefix(prefix).split(".")
            if len(codes) != len(dims):
                yield Problem(str(folder / PARAMETERS_FILE), name, f"must read {prefix}"
                              + ".".join(f"<{dim}>" for dim in dims))
                continue
            for code, dim in zip(codes, dims, strict=True):
                if code not in known[dim]:
                    yield Problem(str(folder / PARAMETERS_FILE), name, f"'{code}' is no {dim} of "
                                  f"pair.yaml; known: {', '.join(known[dim])}",
                                  nearest(code, known[dim]))


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
              for variable in ("unit_value", *SHARES)]
    return names


def _needed(pair: Pair) -> list[str]:
    """Names of the parameters that every run looks up, beside those of the posterior."""
    return [*NEEDED, *(f"{name}.{group}" for name in ("elasticity.lower", "supply.home")
                       for group in pair.groups),
            *(f"{name}.{importer}" for name in ("gdp.error_sd", "vat")
              for importer in pair.importers)]


def read_world(folder: Path, pair: Pair) -> Array | None:
    """Read trade among all countries in the base year, for the closure.

    Value before duty in USD by exporter and importer, home sales on the diagonal; None where
    the folder has no such table.

    Raises
    ------
    InputError
        With every cell that is missing, unknown, negative or no number, and every country
        without home sales.
    """
    path = Path(folder) / WORLD
    if not path.exists():
        return None
    countries = pair.exporters
    columns = (Column("exporter", "text", allowed=countries),
               Column("importer", "text", allowed=countries),
               Column("value_busd", "number", low=0.0), Column("low", "number", low=0.0),
               Column("high", "number", low=0.0),
               *SOURCES)
    frame = read_table(path, columns, key=("exporter", "importer"))
    wide = frame.pivot_table(index="exporter", columns="importer", values="value_busd")
    trade = wide.reindex(index=list(countries), columns=list(countries)).to_numpy() * BILLION
    problems = [Problem(str(path), f"{countries[i]}, {countries[j]}",
                        "row missing: the closure needs every pair of countries")
                for i, j in np.argwhere(np.isnan(trade))]
    problems += [Problem(str(path), f"{code}, {code}", "home sales are zero: a country that "
                         "sells nothing at home has no equilibrium in the one-sector world; "
                         "must be above zero")
                 for code, home in zip(countries, np.diagonal(trade), strict=True) if home == 0.0]
    if problems:
        raise InputError(problems)
    return frozen(trade)
