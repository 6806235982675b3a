"""Measure economies of many products: ``python benchmarks/products.py`` (half a minute).

Made-up worlds of 2 markets, 30 suppliers and up to 500 products. Every product has its own duty,
home share, suppliers and elasticities; duties of a third of the suppliers fall, and the
cost of carriage for all. What is measured is the market, from the joint change of cost
to where each year settles, and the accounts of it.
"""

from __future__ import annotations

import time
import tracemalloc

import numpy as np

from tradesim.common.arrays import Array, entry, spread
from tradesim.economy.base_year import Economy
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.products import by_product
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import Shock
from tradesim.inputs.pair import Pair
from tradesim.inputs.products import Product

SUPPLIERS, YEARS, DRAWS, SIZES = 30, 11, 16, (125, 250, 500)


def pair(products: int) -> Pair:
    """Name two markets, the suppliers, one group and its products."""
    countries = {f"C{k}": {"name": f"Country {k}"} for k in range(SUPPLIERS)}
    made = Pair.model_validate({
        "title": "Made up", "countries": countries, "pair": ["C0", "C1"],
        "counts": {"first": {"reporter": "C0", "title": "First"},
                   "second": {"reporter": "C1", "title": "Second"}},
        "groups": {"goods": {"title": "Goods"}}, "corridor": {"title": "Way"},
        "routes": {"road": {"title": "Road", "corridor": True}},
        "target": {"value_usd": 1e9, "count": "first", "title": "Goal"},
        "base_year": 2020, "first_year": 2010, "last_year": 2021, "horizon": 2031})
    return made.model_copy(update={"products": {
        f"p{k}": Product(title=f"Product {k}", group="goods", codes=())
        for k in range(products - 1)}})


def world(products: int, seed: int = 1) -> Economy:
    """Draw an economy of so many lines."""
    rng = np.random.default_rng(seed)
    sizes = {"importer": 2, "exporter": SUPPLIERS, "group": products, "draw": DRAWS}

    def uniform(low: float, high: float, *dims: str) -> Array:
        return spread(rng.uniform(low, high, [sizes[dim] for dim in dims]), *dims)

    home = spread(np.eye(2, SUPPLIERS), "importer", "exporter")
    partner = spread(np.eye(2, SUPPLIERS)[::-1], "importer", "exporter")
    lower = uniform(2.0, 9.0, "group", "draw")
    inverse = uniform(0.01, 0.1, "group", "exporter", "draw") * spread(
        [1.0, 1.0, *[0.0] * (SUPPLIERS - 2)], "exporter")
    none = spread(0.0)
    return Economy(
        pair=pair(products), draws={}, home=home, pair_flow=partner, lower=lower,
        sales=uniform(0.1e6, 9e6, "importer", "exporter", "group", "draw"),
        duty=uniform(0.0, 0.2, "importer", "exporter", "group", "draw") * (1.0 - home),
        unit_value=uniform(300, 9000, "group", "draw"),
        time_value=uniform(0, 0.02, "group", "draw"),
        differentiated=uniform(0, 1, "group", "draw"),
        nontariff=uniform(0.05, 0.1, "group", "draw"),
        certified=none, originating=spread(1.0), payment_friction=none, access=spread(1.0),
        freight=np.stack([uniform(50, 200, "importer", "draw")]),
        days=np.stack([uniform(3, 9, "importer", "draw")]), route_share=np.stack([spread(1.0)]),
        corridor=np.stack([spread(1.0)]), upper=0.6 * lower, demand=uniform(0.6, 1.2, "draw"),
        home_supply=uniform(0.5, 4.0, "group", "draw"), inverse_supply=inverse,
        offer_response=inverse, route_choice=spread(9.0), pass_through=spread(0.7),
        trade_elasticity=spread(4.0), first_year=spread(0.4), speed=spread(0.3))


def run(economy: Economy) -> tuple[float, int]:
    """Settle all years of all draws and keep accounts; largest residual, and cells."""
    levels = economy.sales * np.exp(spread(0.03 * np.arange(YEARS), "year"))
    strength = spread(np.linspace(0.1, 1.0, YEARS), "year")
    third = spread(np.arange(SUPPLIERS) % 3 == 0, "exporter")
    cheaper = Shock(duty=third * (1.0 - economy.home), haulage=0.02 + 0.0 * economy.home)
    change = resolve(economy, [(strength, cheaper)])
    settled = equilibrium(economy, levels, change)
    found = by_product(economy, levels, levels * np.exp(settled.sales), change.level, settled,
                       settled.sales)
    assert np.isfinite(found["self_sufficiency"]).all()
    return settled.residual, entry(levels, economy.home).size


def main() -> None:
    """Print a row for each size."""
    heads = ("processor, s", "ms a product", "peak, MB", "residual")
    print(f"{'products':>8} " + " ".join(f"{head:>13}" for head in heads))
    for products in SIZES:
        economy = world(products)
        run(economy)
        began = time.process_time()
        residual, _ = run(economy)
        spent = time.process_time() - began
        tracemalloc.start()
        run(economy)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
        print(f"{products:8} {spent:13.2f} {1e3 * spent / products:13.2f} {peak:13.0f} "
              f"{residual:13.1e}", flush=True)


if __name__ == "__main__":
    main()
