"""A tiny made-up world: two importers, three groups, four exporters, two routes.

Tests of the economy use it, never the calibration. No parameter stands at a neutral value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace

import numpy as np

from tradesim.common.arrays import Array, axis, spread
from tradesim.economy.base_year import Economy
from tradesim.inputs.pair import Pair
from tradesim.inputs.products import Product

PAIR = Pair.model_validate({
    "title": "Trade of Left and Right",
    "countries": {"LEF": {"name": "Left"}, "RIG": {"name": "Right"}, "UNI": {"name": "Union"},
                  "FAR": {"name": "Far"}},
    "pair": ["LEF", "RIG"],
    "counts": {"right": {"reporter": "RIG", "title": "Right's count"},
               "left": {"reporter": "LEF", "title": "Left's count"}},
    "groups": {"bread": {"title": "Bread"}, "tools": {"title": "Tools"}, "wool": {"title": "Wool"}},
    "routes": {"pass": {"title": "Mountain pass", "corridor": True},
               "ferry": {"title": "Ferry", "corridor": False}},
    "corridor": {"title": "The valley"},
    "target": {"value_usd": 50e6, "count": "right", "title": "A goal"},
    "base_year": 2010, "first_year": 2000, "last_year": 2011, "horizon": 2015,
})
DRAWS = 5


def make_economy(seed: int = 0, draws: int = DRAWS) -> Economy:
    """Draw a world at random, away from every neutral value."""
    rng = np.random.default_rng(seed)

    def uniform(low, high, *dims):
        sizes = {"importer": 2, "exporter": 4, "group": 3, "draw": draws}
        return spread(rng.uniform(low, high, [sizes[dim] for dim in dims]), *dims)

    home = spread([[1.0, 0, 0, 0], [0, 1.0, 0, 0]], "importer", "exporter")
    partner = spread([[0, 1.0, 0, 0], [1.0, 0, 0, 0]], "importer", "exporter")
    first = uniform(0.2, 0.8, "importer", "group", "draw")
    inverse = np.zeros((3, 4, draws))
    inverse[2, 0], inverse[0, 1] = rng.uniform(0.5, 2, draws), rng.uniform(0.1, 0.3, draws)
    coverage = {f"pact.coverage.{scope}.{importer}.{group}": rng.uniform(0.3, 0.9, draws)
                for scope in ("narrow", "wide") for importer in PAIR.importers
                for group in PAIR.groups}
    more = np.random.default_rng([seed, 1])
    accounts = {name: more.uniform(low, high, draws) for name, low, high in (
        ("vat.LEF", 0.05, 0.1), ("vat.RIG", 0.1, 0.2), ("discount.rate", 0.05, 0.1),
        ("discount.inflation", 0.01, 0.03))}
    lower = uniform(2.0, 7.0, "group", "draw")
    other = np.random.default_rng([seed, 2])
    certified, originating = (spread(other.uniform(low, high, (3, draws)), "group", "draw")
                              for low, high in ((0.2, 0.9), (0.5, 0.9)))
    services = {f"services.tourism.{seller}.{buyer}.{part}": more.uniform(low, high, draws)
                for seller, buyer in (("LEF", "RIG"), ("RIG", "LEF"), ("LEF", "all"))
                for part, low, high in (("quantity", 1e3, 9e3), ("price", 100, 900))}

    def uniform_more(low, high, *dims):
        sizes = {"importer": 2, "exporter": 4, "group": 3, "draw": draws}
        return spread(more.uniform(low, high, [sizes[dim] for dim in dims]), *dims)

    return Economy(
        pair=PAIR,
        draws=coverage | accounts | services,
        sales=uniform(1e6, 20e6, "importer", "exporter", "group", "draw"),
        duty=uniform(0.02, 0.2, "importer", "exporter", "group", "draw") * (1.0 - home),
        pair_flow=partner,
        home=home,
        unit_value=uniform(500, 5000, "group", "draw"),
        time_value=uniform(0.003, 0.02, "group", "draw"),
        differentiated=uniform(0.1, 0.9, "group", "draw"),
        nontariff=uniform(0.05, 0.15, "group", "draw"),
        certified=certified,
        originating=originating,
        payment_friction=uniform(0.01, 0.05, "draw"),
        access=uniform(0.3, 0.9, "importer", "exporter", "group", "draw"),
        freight=np.stack([uniform(100, 300, "importer", "draw") for _ in range(2)]),
        days=np.stack([uniform(3, 20, "importer", "draw") for _ in range(2)]),
        route_share=np.stack([first, 1.0 - first]),
        corridor=np.stack([spread(1.0), spread(0.0)]),
        lower=lower,
        upper=uniform(0.4, 0.8, "draw") * lower,
        demand=uniform(0.6, 1.4, "draw"),
        home_supply=uniform(0.4, 2.0, "group", "draw"),
        inverse_supply=spread(inverse, "group", "exporter", "draw"),
        offer_response=spread(1.4 * inverse, "group", "exporter", "draw"),
        route_choice=uniform(5, 30, "draw"),
        pass_through=uniform(0.4, 0.9, "draw"),
        trade_elasticity=uniform(3, 7, "draw"),
        first_year=uniform(0.2, 0.5, "draw"),
        speed=uniform(0.2, 0.4, "draw"),
        excise=uniform_more(0.05, 0.3, "importer", "group", "draw"),
        exports=spread([[0.0, 20e6, 150e6, 300e6], [30e6, 0.0, 90e6, 200e6]],
                       "importer", "exporter"),
        other_sales=uniform_more(2e6, 30e6, "importer", "exporter", "group", "draw") * spread(
            [[0.0, 0, 1, 1], [0, 0, 1, 1]], "importer", "exporter"),
        rules=spread([[0.0, 0, 0, 0], [0, 0, 1, 0]], "importer", "exporter"),
    )


def split(world: Economy, products: Mapping[str, str], share: Array | float = 0.3) -> Economy:
    """Split groups of a world into products and a rest that are alike but for their size.

    Parameters
    ----------
    products
        Group of each product.
    share
        Share of each product in every cell of its group; broadcasts to the sales of the group.
    """
    named = {name: Product(title=name.title(), group=group, codes=())
             for name, group in products.items()}
    pair = world.pair.model_copy(update={"products": named})
    groups = list(pair.groups)
    places = [groups.index(pair.group_of(line)) for line in pair.lines]

    def repeated(values: Array) -> Array:
        return (values.take(places, axis=axis("group"))
                if values.shape[axis("group")] == len(groups) else values)

    new = {part.name: repeated(values) for part in fields(world)
           if isinstance(values := getattr(world, part.name), np.ndarray)}
    inside = [list(products.values()).count(pair.group_of(line)) for line in pair.lines]
    for name in ("sales", "other_sales"):
        parts = [share if line in products else 1.0 - count * share
                 for line, count in zip(pair.lines, inside, strict=True)]
        new[name] = np.concatenate([
            new[name].take([k], axis=axis("group")) * part for k, part in enumerate(parts)],
            axis=axis("group"))
    return replace(world, pair=pair, **new)
