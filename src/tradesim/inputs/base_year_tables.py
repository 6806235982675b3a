"""Tables of the base year: uncertain cells, each with its range, source and grade."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import unless_changed
from tradesim.inputs.distributions import Range
from tradesim.inputs.levers import LEVERS_FILE, Choice, Lever, read_levers
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.products import CELLS_FILE, PRODUCTS_FILE, read_product_cells
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


def schedules(lever: Lever) -> list[str]:
    """Schedules that an agreement may have; none for other levers."""
    chosen = lever.settings.get("scope")
    if isinstance(chosen, Choice):
        return chosen.values
    return [str(lever.applies["scope"])] if "scope" in lever.applies else []


def _schedule_errors(lever: Lever, scope: str) -> Iterator[tuple[str, str]]:
    known = schedules(lever)
    if scope not in known:
        yield (f"lever '{lever.name}' has no schedule '{scope}'; known: "
               f"{', '.join(known) or 'none'}", nearest(scope, known))


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
