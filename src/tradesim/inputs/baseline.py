"""What the model knows before a scenario: observed markets, tariffs, routes, unit values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from tradesim.common.arrays import MILLION, Array, frozen
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.distributions import Range
from tradesim.inputs.history import History, read_history
from tradesim.inputs.levers import Choice, Lever, read_levers
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import FILE as PARAMETERS
from tradesim.inputs.parameters import Parameter, read_parameters
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.specifications import read_specifications
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.inputs.world import read_world


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
QUOTAS = Table("baseline/quotas.csv", "quota",
               ("lever", "scope", "importer", "group", "variable"), "value", "column unit",
               "Quota of an agreement")
SELF_SUFFICIENCY = Table("baseline/self_sufficiency.csv", "self_sufficiency", ("product",),
                         "share", "share", "Share of use made at home in the base year")
TABLES = (MARKETS, TARIFFS, GROUPS, ROUTES, ROUTE_SHARES, COVERAGE, QUOTAS, SELF_SUFFICIENCY)
OPTIONAL = (QUOTAS, SELF_SUFFICIENCY)
QUOTA = {"product_share": "the product's share of the group's trade", "quota_tonnes": "a quantity",
         "usd_per_tonne": "a price that turns tonnes into value",
         "price_growth": "the growth of that price", "in_quota_rate": "a duty inside",
         "over_quota_rate": "a duty beyond"}
"""Variables that every quota needs, and what it is without one."""
SHARES = ("time_value", "differentiated", "nontariff", "certified", "originating")
"""Properties of a group that are parts of a whole."""

TOTALS = "baseline/totals.csv"
BY_NAME = {"access.": ("importer", "group", "exporter"), "supply.export.": ("exporter", "group")}
"""Parameters that need not exist, with what follows their first words."""


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
    world
        Trade among all countries, USD, exporter by importer; None without such a table.
    """

    folder: Path
    pair: Pair
    parameters: Mapping[str, Parameter]
    levers: Mapping[str, Lever]
    totals: Array
    history: History
    posterior: xr.Dataset
    world: Array | None = None

    @property
    def specifications(self) -> tuple[str, ...]:
        """Names of the specifications of the reference path that are on offer."""
        return tuple(read_specifications(self.folder))


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
    parameters |= read_cells(folder, pair, levers)
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


def read_cells(folder: Path, pair: Pair, levers: Mapping[str, Lever]) -> dict[str, Parameter]:
    """Read the cells of all tables of the base year as parameters by dotted name.

    Parameters
    ----------
    folder
        The calibration folder.
    pair, levers
        Names that the tables may use.

    Raises
    ------
    InputError
        With every problem of the first table that has any.
    """
    cells: dict[str, Parameter] = {}
    for table in TABLES:
        if table not in OPTIONAL or (folder / table.file).exists():
            cells |= _cells(folder, table, pair, levers)
    return cells


def _codes(pair: Pair, levers: Mapping[str, Lever]) -> dict[str, tuple[str, ...] | None]:
    return {"importer": pair.importers, "group": tuple(pair.groups), "exporter": pair.exporters,
            "route": tuple(pair.routes), "lever": tuple(levers), "product": tuple(pair.products),
            "variable": None, "scope": None}


def _cells(folder: Path, table: Table, pair: Pair,
           levers: Mapping[str, Lever]) -> dict[str, Parameter]:
    """Cells of a table as parameters of kind ``range``, each with its source and grade."""
    codes = _codes(pair, levers)
    keys = [Column(key, "text", allowed=codes[key]) for key in table.keys]
    most = 1.0 if table.unit.startswith("share of the") or table.unit == "share" else None
    columns = [*keys, *(Column(part, "number", low=0.0, high=most)
                        for part in (table.value, "low", "high")),
               Column("grade", "text", allowed=("A", "B", "C", "D")), Column("source", "text"),
               Column("url", "text", required=False), Column("note", "text", required=False)]
    if table is ROUTE_SHARES:
        columns.append(Column("exporter", "text", allowed=pair.exporters))
    if table is QUOTAS:
        columns.append(Column("product", "text"))
    if table.unit.startswith("column "):
        columns.append(Column(table.unit.removeprefix("column "), "text"))
    frame = read_table(folder / table.file, columns, key=table.keys)
    cells = {}
    for row in frame.to_dict("records"):
        parts = [str(row[key]) for key in table.keys]
        if table.keys[0] == "lever":
            parts.insert(1, table.prefix)
        elif table.prefix:
            parts.insert(0, table.prefix)
        name = ".".join(parts)
        unit = table.unit if "column " not in table.unit else str(row["unit"])
        described = ", ".join(pair.name(str(row[key])) for key in table.keys)
        cells[name] = Parameter.model_validate({
            "name": name, "title": f"{table.title}: {described}", "unit": unit,
            "distribution": Range(kind="range", value=row[table.value], low=row["low"],
                                  high=row["high"]),
            "low": row["low"], "high": row["high"], "source": row["source"],
            "locator": row["url"] or table.file, "grade": row["grade"], "note": row["note"],
        })
    if table is QUOTAS:
        _whole_quotas(str(folder / table.file), cells, levers)
    return cells


def _whole_quotas(file: str, cells: Mapping[str, Parameter], levers: Mapping[str, Lever]) -> None:
    """Check that every quota is one of a schedule that exists, and has all its numbers."""
    problems = []
    for head in dict.fromkeys(name.rpartition(".")[0] for name in cells):
        lever, _, scope, importer, group = head.split(".")
        place = f"{lever}, {scope}, {importer}, {group}"
        schedules = _schedules(levers[lever])
        if scope not in schedules:
            known = ", ".join(schedules) or "none"
            problems.append(Problem(file, place, f"lever '{lever}' has no schedule '{scope}'; "
                                    f"known: {known}", nearest(scope, schedules)))
        given = {name.rpartition(".")[2]: part for name, part in cells.items()
                 if name.startswith(f"{head}.")}
        problems += [Problem(file, place, f"unknown variable '{name}'; known: {', '.join(QUOTA)}",
                             nearest(name, QUOTA)) for name in given if name not in QUOTA]
        missing = [name for name in QUOTA if name not in given]
        problems += [Problem(file, place, f"a quota without {QUOTA[name]}: row {name} missing")
                     for name in missing]
        if not missing and not 0.0 < given["product_share"].low <= given["product_share"].high <= 1:
            problems.append(Problem(file, place, "product_share must lie above 0 and not above 1"))
        if not missing and given["in_quota_rate"].high > given["over_quota_rate"].low:
            problems.append(Problem(file, place, "in_quota_rate may be above over_quota_rate; the "
                                    "duty inside a quota is the lower one"))
    if problems:
        raise InputError(problems)


def _schedules(lever: Lever) -> list[str]:
    """Schedules of an agreement: those a scenario may choose from, or its only one."""
    if isinstance(chosen := lever.settings.get("scope"), Choice):
        return chosen.values
    return [str(lever.applies["scope"])] if "scope" in lever.applies else []


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
    known = {"importer": pair.importers, "group": tuple(pair.groups), "exporter": pair.exporters}
    for prefix, dims in BY_NAME.items():
        for name in parameters:
            if not name.startswith(prefix):
                continue
            codes = name.removeprefix(prefix).split(".")
            if len(codes) != len(dims):
                yield Problem(str(folder / PARAMETERS), name, f"must read {prefix}"
                              + ".".join(f"<{dim}>" for dim in dims))
                continue
            for code, dim in zip(codes, dims, strict=True):
                if code not in known[dim]:
                    yield Problem(str(folder / PARAMETERS), name, f"'{code}' is no {dim} of "
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
