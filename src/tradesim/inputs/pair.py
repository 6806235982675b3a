"""Who and what: the pair of countries, their suppliers, product groups, routes and counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tradesim.common.arrays import MILLION
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import unless_changed
from tradesim.inputs.distributions import Source
from tradesim.inputs.hs import chapter_problems, group_of_chapter
from tradesim.inputs.products import PRODUCTS_FILE, Product, read_products
from tradesim.inputs.strict_yaml import Document, load_document, words

PAIR_FILE = "pair.yaml"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Country(_Part):
    """A country or group of countries that supplies the pair.

    `duties_of` names the member of the pair whose border rules it shares, as in a customs union;
    `members` the ISO codes of the countries in a group; `rest` marks the one that holds all
    countries that stand nowhere else.
    """

    name: str
    adjective: str = ""
    duties_of: str = ""
    members: tuple[str, ...] = ()
    rest: bool = False


class Count(_Part):
    """One country's statistics of the pair's trade."""

    reporter: str
    title: str
    source: str = ""


class Group(_Part):
    """A product group, with the list of chapters of the Harmonised System that it holds."""

    title: str
    hs: str = ""


class Route(_Part):
    """A way for goods between the pair; `corridor` says that it uses the shared corridor."""

    title: str
    corridor: bool


class Corridor(_Part):
    """The transit corridor that several routes share."""

    title: str


class Target(_Part):
    """The official goal for turnover, in USD, on the count in which it was stated."""

    value_usd: float = Field(gt=0)
    count: str
    title: str
    sources: tuple[Source, ...] = ()
    note: str = ""


class Pair(_Part):
    """What `pair.yaml` says: names and orders that every table and array follows.

    The order of `countries` is the order of exporters, the order of `pair` that of importers,
    and the first of `counts` is the reference count, on which flows are expressed. `cautions`
    stand in every report: what a reader must know of these data before using a number.
    `products` are those of `products.read_products`.
    """

    title: str
    countries: dict[str, Country]
    pair: tuple[str, str]
    counts: dict[str, Count] = Field(min_length=1)
    groups: dict[str, Group] = Field(min_length=1)
    products: dict[str, Product] = Field(default_factory=dict)
    routes: dict[str, Route] = Field(min_length=1)
    corridor: Corridor
    target: Target
    cautions: tuple[str, ...] = ()
    base_year: int
    first_year: int
    last_year: int
    horizon: int
    longest_horizon: int = 0

    def __repr__(self) -> str:
        return (f"<tradesim.Pair> {self.title}: {len(self.groups)} groups, {len(self.products)} "
                f"products, {len(self.countries)} suppliers; counts {', '.join(self.counts)}; "
                f"base year {self.base_year}, {self.first_year}–{self.horizon}")

    __str__ = __repr__

    @property
    def last_possible(self) -> int:
        """Last year that a scenario may ask for; beyond `horizon` growth follows a rule."""
        return max(self.horizon, self.longest_horizon)

    @property
    def importers(self) -> tuple[str, ...]:
        """The two members of the pair, each a market."""
        return self.pair

    @property
    def exporters(self) -> tuple[str, ...]:
        """All suppliers; a market's own code stands for home sales."""
        return tuple(self.countries)

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """What the economy is computed by: the products of each group, then what is left of it.

        What is left carries the group's own code; without products the lines are the groups.
        """
        return tuple(line for line, _ in self.lines_in_groups)

    @cached_property
    def lines_in_groups(self) -> tuple[tuple[str, str], ...]:
        """Lines, each with its group."""
        return tuple((line, group) for group in self.groups for line in (
            *(name for name, item in self.products.items() if item.group == group), group))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Pair:
        """Copy the pair; lines follow the products of the copy."""
        copied = super().model_copy(update=update, deep=deep)
        for name in ("lines", "lines_in_groups"):
            vars(copied).pop(name, None)
        return copied

    def group_of(self, line: str) -> str:
        """Group of a product, or of what is left of a group."""
        return self.products[line].group if line in self.products else line

    def line_name(self, line: str) -> str:
        """Name of a product, or of what is left of a group, for a reader."""
        rest = any(item.group == line for item in self.products.values())
        return f"{self.name(line)}, other" if rest else self.name(line)

    @property
    def reporters(self) -> tuple[str, ...]:
        """Countries whose statistics count the pair's trade, the reference first."""
        return tuple(count.reporter for count in self.counts.values())

    @property
    def target_value(self) -> float:
        """Official goal for turnover, USD."""
        return self.target.value_usd

    @property
    def target_count(self) -> str:
        """Name of the count in which the goal was stated."""
        return self.target.count

    def goal(self, value_usd: float) -> Target:
        """Give the official target, or one of another value on the same count."""
        official = self.target
        if value_usd == official.value_usd:
            return official
        amount = f"{value_usd / MILLION:,.6g}"
        return Target(value_usd=value_usd, count=official.count, sources=official.sources,
                      title=f"Turnover of USD {amount} million a year",
                      note=f"It is the scenario's own; the official one reads: {official.title}. "
                           f"{official.note}")

    @property
    def years(self) -> tuple[int, ...]:
        """Years of the sample."""
        return tuple(range(self.first_year, self.last_year + 1))

    @property
    def group_of_chapter(self) -> dict[str, str]:
        """Product group by chapter of the Harmonised System; empty where no group has a list."""
        return group_of_chapter({name: group.hs for name, group in self.groups.items()})

    def supplier_of(self, code: str) -> str:
        """Give the supplier that a country counts as: itself, its group, the rest, or nothing."""
        if code in self.countries:
            return code
        for name, country in self.countries.items():
            if code in country.members:
                return name
        return next((name for name, country in self.countries.items() if country.rest), "")

    def partner(self, importer: str) -> str:
        """Give the other member of the pair: the exporter of the bilateral flow."""
        first, second = self.pair
        return second if importer == first else first

    def name(self, code: str) -> str:
        """Name of a country, group, route, count or product for a reader."""
        if code in self.countries:
            return self.countries[code].name
        part = (self.groups.get(code) or self.routes.get(code) or self.counts.get(code)
                or self.products.get(code))
        return part.title if part else code

    @model_validator(mode="after")
    def _consistent(self) -> Pair:
        problems = [_unknown("pair", code, self.countries) for code in self.pair]
        if self.pair[0] == self.pair[1]:
            problems.append(f"pair: '{self.pair[0]}' stands twice; two countries are needed")
        problems += [_unknown(f"countries.{name}.duties_of", country.duties_of, self.pair)
                     for name, country in self.countries.items() if country.duties_of]
        problems += chapter_problems({name: group.hs for name, group in self.groups.items()})
        problems += self._suppliers()
        problems += [_unknown(f"counts.{name}.reporter", count.reporter, self.pair)
                     for name, count in self.counts.items()]
        if sorted(self.reporters) != sorted(self.pair):
            problems.append("counts: there must be one count of each member of the pair, "
                            f"{' and '.join(self.pair)}, but their reporters are "
                            f"{', '.join(self.reporters)}")
        problems.append(_unknown("target.count", self.target.count, self.counts))
        if not self.first_year < self.last_year < self.horizon:
            problems.append("first_year, last_year, horizon: must rise, but are "
                            f"{self.first_year}, {self.last_year}, {self.horizon}")
        if not self.first_year <= self.base_year <= self.last_year:
            problems.append(f"base_year: {self.base_year} lies outside the sample "
                            f"{self.first_year}-{self.last_year}")
        problems = [problem for problem in problems if problem]
        if problems:
            raise ValueError("\n".join(problems))
        return self

    def _suppliers(self) -> list[str]:
        """Check that each country is in one group of countries, and that one group is the rest."""
        held = [code for country in self.countries.values() for code in country.members]
        twice = sorted({code for code in held if held.count(code) > 1 or code in self.countries})
        rests = [name for name, country in self.countries.items() if country.rest]
        return [*(f"countries: '{code}' is a member twice, or has a place of its own"
                  for code in twice),
                *([f"countries: {', '.join(rests)} are both the rest; one can be"]
                  if len(rests) > 1 else [])]


def _unknown(key: str, code: str, known: Iterable[str]) -> str:
    codes = list(known)
    if code in codes:
        return ""
    message = f"{key}: '{code}' is unknown; known: {', '.join(codes)}"
    return "; ".join(filter(None, (message, nearest(code, codes))))


@unless_changed(PAIR_FILE, PRODUCTS_FILE)
def read_pair(folder: Path) -> Pair:
    """Read `pair.yaml` of a calibration folder, and its table of products if it has one.

    Raises
    ------
    InputError
        With every problem of the first of the two files that has any.
    """
    document = load_document(folder / PAIR_FILE)
    if "products" in (document.data or {}):
        raise InputError([document.problem("products", "products have a table of their own",
                                           f"move them to {PRODUCTS_FILE}")])
    try:
        pair = Pair.model_validate(document.data)
    except ValidationError as error:
        raise InputError([problem for item in error.errors()
                          for problem in _problems(item, document)]) from error
    return pair.model_copy(update={"products": read_products(folder, pair.groups)})


def _problems(item: Mapping[str, Any], document: Document) -> list[Problem]:
    """Problems of one pydantic error; `Pair._consistent` reports several, one a line."""
    key, message = ".".join(map(str, item["loc"])), words(item)
    if item["type"] == "value_error" and not key:
        return [document.problem(*line.split(": ", 1)) for line in message.splitlines()]
    hint = (nearest(str(item["loc"][-1]), _fields(item["loc"]))
            if item["type"] == "extra_forbidden" else "")
    return [document.problem(key, message, hint)]


def _fields(location: tuple[int | str, ...]) -> list[str]:
    parts: dict[str, type[_Part]] = {
        "countries": Country, "counts": Count, "groups": Group, "routes": Route,
        "corridor": Corridor, "target": Target}
    model = Pair if len(location) == 1 else parts.get(str(location[0]), Source)
    return list(model.model_fields)
