"""What the model knows before a scenario: observed markets, tariffs, routes, unit values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import xarray as xr

from tradesim.common.arrays import BILLION, MILLION, Array, frozen
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.base_year_tables import (
    COVERAGE,
    GROUPS,
    MARKETS,
    OTHER_MARKETS,
    ROUTE_SHARES,
    ROUTES,
    SERVICES,
    SHARES,
    TARIFFS,
    Table,
    read_cells,
)
from tradesim.inputs.history import History, read_history
from tradesim.inputs.levers import Lever, read_levers
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import PARAMETERS_FILE, Parameter, read_parameters
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.products import ABROAD
from tradesim.inputs.strict_csv import SOURCES, Column, read_table

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


@dataclass(frozen=True, repr=False)
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

    def __repr__(self) -> str:
        return (f"<tradesim.Baseline> {self.pair.title}: {len(self.parameters):,} uncertain "
                f"numbers, {len(self.levers)} levers, base year {self.pair.base_year}")


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
    needed = dict.fromkeys([*_expected(pair), *_beside(pair, parameters)])
    problems = [Problem(str(folder / table.file), name, "row missing")
                for table, name in needed if name not in parameters]
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


def _beside(pair: Pair, parameters: Mapping[str, Parameter]) -> Iterator[tuple[Table, str]]:
    """Rows that must be there because others of the same schedule, market or service are."""
    for name in parameters:
        head, kind, *rest = [*name.split("."), ""]
        if kind == COVERAGE.prefix:
            for importer, group in product(pair.importers, pair.groups):
                yield COVERAGE, f"{head}.{kind}.{rest[0]}.{importer}.{group}"
        elif head == OTHER_MARKETS.prefix:
            for group in pair.groups:
                yield OTHER_MARKETS, f"{head}.{kind}.{rest[0]}.{group}"
        elif head == SERVICES.prefix:
            for variable in ("quantity", "price"):
                yield SERVICES, f"{name.rpartition('.')[0]}.{variable}"


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
