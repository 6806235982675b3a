"""The variables of a run: what each is, its unit and its dimensions (equations A1-A13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Variable:
    """An output variable: what it is, its unit and its dimensions."""

    title: str
    unit: str
    dims: tuple[str, ...]
    change: bool = False
    """Whether it is a change against the reference path rather than a level."""


_DRAWN = ("case", "year", "draw")
_MARKET = ("importer", *_DRAWN)
_SUPPLIER = ("importer", "exporter", *_DRAWN)
_COUNTRY = ("country", *_DRAWN)
_PRODUCT = ("importer", "product", *_DRAWN)
INSIDE = {"country": "importer", "market": "exporter", "product": "group"}
"""Dimensions of accounts only, and where they stand in the order of `DIMS`."""
VARIABLES: Mapping[str, Variable] = {
    "trade": Variable("Bilateral trade into the importer from its partner", "USD",
                      ("count", "importer", "group", *_DRAWN)),
    "turnover": Variable("Bilateral turnover, both directions", "USD", ("count", *_DRAWN)),
    "project_trade": Variable("Given goods of projects, part of trade", "USD", _MARKET),
    "imports": Variable("Purchases by supplier, home sales included, importer's own count",
                        "USD", _SUPPLIER),
    "home_output": Variable("Home producers' sales at home", "USD", ("importer", "group", *_DRAWN)),
    "tariff_revenue": Variable("Border revenue on goods (duty, less rebated taxes)", "USD",
                               _MARKET),
    "tariff_revenue_by_group": Variable("Border revenue by group of goods", "USD",
                                        ("importer", "group", *_DRAWN)),
    "excise_revenue": Variable("Excise on imported goods", "USD", _MARKET),
    "vat_revenue": Variable("Value-added tax on imports, at the general rate", "USD", _MARKET),
    "quota_rent": Variable("Rent of those who may import within a quota", "USD", _MARKET),
    "consumer_surplus": Variable("Buyers' gain from lower prices and wider choice", "USD", _MARKET,
                                 True),
    "gain_resource": Variable("Buyers' gain: lower cost of carriage, time and payments", "USD",
                              _MARKET, True),
    "gain_formalities": Variable("Buyers' gain: lower cost of formalities and information", "USD",
                                 _MARKET, True),
    "gain_tax": Variable("Buyers' gain: lower border tax", "USD", _MARKET, True),
    "gain_supplier_price": Variable("Buyers' gain: lower prices of foreign suppliers", "USD",
                                    _MARKET, True),
    "gain_home_price": Variable("Buyers' gain: lower prices of home producers", "USD", _MARKET,
                                True),
    "gain_choice": Variable("Buyers' gain: more varieties offered", "USD", _MARKET, True),
    "producer_surplus": Variable("Home producers' gain from higher prices at home", "USD",
                                 _MARKET, True),
    "exporter_surplus": Variable("Exporters' gain from higher prices abroad", "USD", _MARKET, True),
    "welfare": Variable("Gain of buyers, producers, exporters, holders of quotas and the treasury",
                        "USD", _MARKET, True),
    "haulier_gain": Variable("Freight saved that stays with hauliers", "USD", _MARKET, True),
    "trade_creation": Variable("Change of imports that is new trade, by supplier", "USD",
                               _SUPPLIER, True),
    "trade_diversion": Variable("Change of imports taken from, or lost to, other suppliers",
                                "USD", _SUPPLIER, True),
    "import_share": Variable("Share of a supplier in imports", "share", _SUPPLIER),
    "import_concentration": Variable("Concentration of imports by supplier (Herfindahl-Hirschman)",
                                     "index, 0-1", _MARKET),
    "exports": Variable("Exports by market, the seller's own count", "USD",
                        ("country", "market", *_DRAWN)),
    "export_share": Variable("Share of a market in exports", "share",
                             ("country", "market", *_DRAWN)),
    "export_concentration": Variable("Concentration of exports by market (Herfindahl-Hirschman)",
                                     "index, 0-1", _COUNTRY),
    "duty_saved": Variable("Duty no longer paid on exports to third markets", "USD", _COUNTRY,
                           True),
    "trade_share": Variable("Share of the pair's trade in all trade of a country", "share",
                            _COUNTRY),
    "services": Variable("Sales of services to the partner and in transit, at prices of the "
                         "base year", "USD", ("service", *_COUNTRY)),
    "corridor_share": Variable("Share of the pair's trade on routes of the shared corridor",
                               "share", _MARKET),
    "route_share": Variable("Share of a route in the pair's trade", "share", ("route", *_MARKET)),
    "product_trade": Variable("Purchases of a product from the partner, importer's own count",
                              "USD", _PRODUCT),
    "product_imports": Variable("Purchases of a product from abroad", "USD", _PRODUCT),
    "product_home_output": Variable("Home producers' sales of a product at home", "USD", _PRODUCT),
    "product_output": Variable("Quantity of a product made at home, against the reference",
                               "ratio", _PRODUCT),
    "product_price": Variable("Price that buyers of a product pay, against the reference",
                              "ratio", _PRODUCT),
    "self_sufficiency": Variable("Share of a product's use that is made at home", "share",
                                 _PRODUCT),
    "product_purchases": Variable("Purchases of a product by supplier, home sales included",
                                  "USD", ("importer", "exporter", "product", *_DRAWN)),
    "policy_cost": Variable("Cost of building and running the levers pulled", "USD", _DRAWN),
    "cost_present_value": Variable("Cost of the levers up to the year, discounted", "USD",
                                   _DRAWN),
    "welfare_present_value": Variable("Welfare up to the year, discounted", "USD", _MARKET, True),
    "net_present_value": Variable("Welfare of both countries less cost up to the year, discounted",
                                  "USD", _DRAWN, True),
}

DETAILED = ("product_purchases",)
USUAL = tuple(name for name in VARIABLES if name not in DETAILED)
"""Variables that a run computes, and those so large that they have to be asked for by name."""

ASSUMED = "turnover_nontariff"
OCCASIONAL: Mapping[str, Variable] = {
    ASSUMED: Variable("Part of the change of turnover that is the assumed cut of non-tariff cost",
                      "USD", ("count", *_DRAWN), True),
}
"""Variables of runs whose levers have such a part."""

EXACT = ("imports", "home_output")
"""Levels so large that a policy's change of them would be lost in single precision."""


def precision(name: str) -> str:
    """Type of number in which draws of a variable are kept."""
    return "float64" if name in EXACT else "float32"
