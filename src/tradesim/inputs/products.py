"""Named products inside groups: which there are, and every number that is a product's own.

What a product has no number for it has from its group. What is left of a group when its products
are taken out carries the group's own code; it too may have numbers of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.distributions import Range
from tradesim.inputs.hs import chapters
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.strict_csv import SOURCES, Column, read_table

if TYPE_CHECKING:
    import pandas as pd

    from tradesim.inputs.pair import Group, Pair

PRODUCTS_FILE = "baseline/products.csv"
CELLS_FILE = "baseline/product_cells.csv"

ABROAD = "abroad"
"""Stands for every foreign supplier that has no row of its own."""

SHARE, HOME_TONNES = "share", "home_tonnes"


class Product(BaseModel):
    """A product that is followed by itself, with its group and its codes of the Harmonised System.

    A code stands for all that begins with it: ``0407`` for eggs, ``57`` for a whole chapter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    group: str
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """A number that a product may have of its own: what it is, and by what it differs."""

    title: str
    keys: tuple[str, ...] = ()
    most: float | None = None  #: greatest value allowed


VARIABLES: Mapping[str, Variable] = {
    SHARE: Variable("Share of the product in what the importer buys of the group",
                    ("importer", "exporter"), 1.0),
    "tariff": Variable("Duty charged in the base year", ("importer", "exporter")),
    HOME_TONNES: Variable("Home output in the base year", ("importer",)),
    "access": Variable("Share of supply approved in the base year", ("importer", "exporter"), 1.0),
    "unit_value": Variable("Unit value"),
    "time_value": Variable("Value of a day", most=1.0),
    "differentiated": Variable("Share of differentiated goods", most=1.0),
    "nontariff": Variable("Cost that policy could remove", most=1.0),
    "certified": Variable("Share of goods whose formalities an agreement can ease", most=1.0),
    "originating": Variable("Share of goods that originate in the partner", most=1.0),
    "elasticity.lower": Variable("Elasticity of substitution among foreign suppliers"),
    "elasticity.upper": Variable("Elasticity of substitution between home goods and imports"),
    "elasticity.demand": Variable("Price elasticity of demand"),
    "supply.home": Variable("Elasticity of home supply"),
    "supply.export": Variable("Elasticity of all that an exporter supplies", ("exporter",)),
    "adjustment.first_year": Variable("Share of a response reached in its first year", most=1.0),
    "adjustment.speed": Variable("Share of the rest reached in each later year", most=1.0),
}
"""Numbers that a product may have of its own. `SHARE` and `HOME_TONNES` have no counterpart of the
group; the others go before the group's number of the same name."""

POSITIVE = ("unit_value", "elasticity.lower", "elasticity.upper", "supply.home", "supply.export",
            "nontariff", "time_value")


def hs_codes(text: str) -> tuple[str, ...]:
    """Codes of the Harmonised System that a text lists: ``01-03, 0407`` is 01, 02, 03 and 0407.

    Raises
    ------
    ValueError
        For what is no code of two to ten digits, or no rising range of equally long codes.
    """
    found: list[str] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, _, last = part.partition("-")
        last = last or first
        if not (re.fullmatch(r"(\d\d){1,5}", first) and re.fullmatch(r"\d+", last)
                and len(first) == len(last) and int(first) <= int(last)):
            raise ValueError(f"'{part}' is no code of two, four, six, eight or ten digits, and no "
                             "range of two such codes")
        found += [str(code).zfill(len(first)) for code in range(int(first), int(last) + 1)]
    return tuple(found)


def read_products(folder: Path, groups: Mapping[str, Group]) -> dict[str, Product]:
    """Read which products there are; none where the folder has no such table.

    Parameters
    ----------
    folder
        Calibration folder.
    groups
        Groups, each with its chapters.

    Raises
    ------
    InputError
        With every product of an unknown group, whose codes are none, lie outside its group or
        belong to another product too.
    """
    path = Path(folder) / PRODUCTS_FILE
    if not path.exists():
        return {}
    columns = (Column("product", "text"), Column("group", "text", allowed=tuple(groups)),
               Column("title", "text"), Column("hs", "text"), *SOURCES)
    frame = read_table(path, columns, key=("product",))
    inside = {name: chapters(group.hs) for name, group in groups.items()}
    products, problems = dict[str, Product](), list[Problem]()
    for row in _records(frame):
        name = str(row["product"])
        try:
            codes = hs_codes(str(row["hs"]))
        except ValueError as error:
            problems.append(Problem(str(path), f"{name}, hs", str(error)))
            continue
        products[name] = Product(title=str(row["title"]), group=str(row["group"]), codes=codes)
        problems += [Problem(str(path), f"{name}, {key}", message) for key, message in
                     _definition_errors(name, products[name], inside)]
    for (one, first), (other, second) in combinations(products.items(), 2):
        problems += [Problem(str(path), f"{other}, hs", f"{mine} belongs to '{one}' already")
                     for mine in second.codes for theirs in first.codes
                     if mine.startswith(theirs) or theirs.startswith(mine)]
    if problems:
        raise InputError(problems)
    return products


def _definition_errors(name: str, product: Product,
                       held: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    if name in held:
        yield "product", f"'{name}' is a group; a product needs a name of its own"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        yield "product", f"'{name}' must be small letters, digits and underscores"
    for code in product.codes if held[product.group] else ():
        if code[:2] not in held[product.group]:
            yield "hs", f"chapter {code[:2]} is not in group '{product.group}'"


def read_product_cells(folder: Path, pair: Pair) -> dict[str, Parameter]:
    """Read the numbers of products as parameters: ``tariff.<importer>.<product>.<exporter>``.

    A number of all foreign suppliers together has `ABROAD` for the supplier.

    Raises
    ------
    InputError
        With every row whose variable is unknown, whose keys do not fit it or whose number is
        not allowed; every product without a share, and every cell that its products fill by
        themselves.
    """
    path = Path(folder) / CELLS_FILE
    if not pair.products:
        return {}
    lines = (*pair.products, *pair.groups)
    columns = (Column("product", "text", allowed=lines),
               Column("variable", "text", allowed=tuple(VARIABLES)),
               Column("importer", "text", required=False, allowed=pair.importers),
               Column("exporter", "text", required=False, allowed=(*pair.exporters, ABROAD)),
               *(Column(name, "number", low=0.0) for name in ("value", "low", "high")),
               Column("unit", "text"), *SOURCES)
    frame = read_table(path, columns, key=("product", "variable", "importer", "exporter"))
    cells, problems = dict[str, Parameter](), list[Problem]()
    for row in _records(frame):
        place = ", ".join(str(row[key]) for key in ("product", "variable", "importer", "exporter")
                          if row[key])
        wrong = list(_cell_errors(row, pair))
        problems += [Problem(str(path), place, message) for message in wrong]
        if not wrong:
            cell = _cell(row, pair)
            cells[cell.name] = cell
    problems += [Problem(str(path), place, message) for place, message in _adding_up(cells, pair)]
    if problems:
        raise InputError(problems)
    return cells


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in frame.to_dict("records")]


def _cell_errors(row: Mapping[str, Any], pair: Pair) -> Iterator[str]:
    name, variable = str(row["variable"]), VARIABLES[str(row["variable"])]
    for key in ("importer", "exporter"):
        if key in variable.keys and not row[key]:
            yield f"{name} needs {'an' if key[0] in 'ie' else 'a'} {key}"
        if key not in variable.keys and row[key]:
            yield f"{name} does not differ by {key}: leave the cell empty"
    if row["product"] in pair.groups and name in (SHARE, HOME_TONNES):
        yield f"what is left of group '{row['product']}' follows from its products"
    if variable.most is not None and row["high"] > variable.most:
        yield f"high {row['high']:g} is too much: at most {variable.most:g}"
    if name in POSITIVE and row["low"] <= 0.0:
        yield f"low {row['low']:g} must be above zero"
    if name == "tariff" and row["importer"] == row["exporter"]:
        yield "no duty on home goods"


def _cell(row: Mapping[str, Any], pair: Pair) -> Parameter:
    line, kind = str(row["product"]), str(row["variable"])
    keys = {key: str(row[key]) for key in VARIABLES[kind].keys}
    ahead = [keys["importer"]] if "importer" in keys else []
    behind = [keys["exporter"]] if "exporter" in keys else []
    if kind == "supply.export":
        ahead, behind = behind, []
    low, high = float(row["low"]), float(row["high"])
    titles = ", ".join(pair.name(code) for code in (*ahead, line, *behind))
    return Parameter.model_validate({
        "name": ".".join((kind, *ahead, line, *behind)),
        "title": f"{VARIABLES[kind].title}: {titles}", "unit": row["unit"],
        "distribution": Range(kind="range", value=float(row["value"]), low=low, high=high),
        "low": low, "high": high, "source": row["source"], "locator": row["url"] or CELLS_FILE,
        "grade": row["grade"], "note": row["note"]})


def _adding_up(cells: Mapping[str, Parameter], pair: Pair) -> Iterator[tuple[str, str]]:
    """Check that every product is bought somewhere and that no cell of a group overflows."""
    for name in pair.products:
        if not any(cell.startswith(f"{SHARE}.") and cell.split(".")[2] == name for cell in cells):
            yield name, ("no row with variable share: where a product has none it is not "
                         "followed, so this one is followed nowhere")
    for importer in pair.importers:
        for exporter in pair.exporters:
            for group in pair.groups:
                low = sum(cells[name].low for name in share_names(
                    cells, [product for product, item in pair.products.items()
                            if item.group == group], importer, exporter) if name)
                if low >= 1.0:
                    yield (f"{group}, {importer}, {exporter}",
                           f"low ends of the shares of its products add up to {low:g}; less "
                           "than 1 is needed")


def share_names(known: Collection[str], products: Sequence[str], importer: str,
                exporter: str) -> list[str]:
    """Name of each product's share in a cell; empty where it has none."""
    return [own(known, f"{SHARE}.{importer}.{product}.{exporter}", foreign=importer != exporter)
            for product in products]


def own(known: Collection[str], name: str, *, foreign: bool = True) -> str:
    """Give the name of a number by supplier, or that of all foreign suppliers, or nothing."""
    if name in known:
        return name
    rest = abroad(name)
    return rest if foreign and rest in known else ""


def abroad(name: str) -> str:
    """Give the name of the number of all foreign suppliers in place of that of one."""
    return f"{name.rpartition('.')[0]}.{ABROAD}"

