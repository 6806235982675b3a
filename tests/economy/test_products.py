"""Products inside groups: what is split alike stays alike, and each product has its own market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounted import EXACT, ON, ONE_COUNT, account, books, pact, settled_books, shocks_of
from made_up_world import make_economy, split
from tradesim.common.arrays import entry, spread, total
from tradesim.economy.accounts import Accounts
from tradesim.economy.equilibrium import equilibrium, no_change
from tradesim.economy.levers.supply import plants, project
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import Shock
from tradesim.economy.variables import DETAILED, VARIABLES

PRODUCTS = {"rolls": "bread", "toast": "bread", "yarn": "wool"}
BY_PRODUCT = [name for name, variable in VARIABLES.items() if "product" in variable.dims]


@given(st.integers(0, 1000), st.floats(0.01, 0.49))
@settings(max_examples=10, deadline=None)
def test_products_that_are_alike_give_what_their_group_gives(seed, share):
    whole = make_economy(seed)
    parts = split(whole, PRODUCTS, share)
    rng = np.random.default_rng(seed)
    *_, before = books(whole, shocks_of(whole, rng))
    rng = np.random.default_rng(seed)
    *_, after = books(parts, shocks_of(parts, rng))
    for name in before:
        if name not in BY_PRODUCT:
            np.testing.assert_allclose(after[name], before[name], rtol=EXACT, atol=1e-3,
                                       err_msg=name)


def test_lines_are_the_products_of_a_group_and_then_its_rest():
    world = split(make_economy(), PRODUCTS)
    assert world.pair.lines == ("rolls", "toast", "bread", "tools", "yarn", "wool")
    assert world.mask("group", ["bread", "yarn"]).ravel().tolist() == [1, 1, 1, 0, 1, 0]
    assert world.line("bread").ravel().tolist() == [0, 0, 1, 0, 0, 0]
    added = world.grouped(spread([1.0, 2, 4, 8, 16, 32], "group"))
    assert added.ravel().tolist() == [7, 8, 48]


def test_without_products_the_lines_are_the_groups(world):
    assert world.pair.lines == tuple(world.pair.groups)
    values = spread([1.0, 2, 3], "group")
    assert world.grouped(values) is values
    *_, found = books(world, [Shock()])
    assert {found[name].size for name in BY_PRODUCT if name in found} == {0}


def test_a_product_left_out_of_an_agreement_keeps_its_home_share():
    world = split(make_economy(), PRODUCTS)
    _, _, _, found = settled_books(world, [pact(world, without=["rolls"])])
    rolls, toast = 0, 1
    idle = Accounts(world, world.sales, ONE_COUNT, resolve(world, []), no_change(world.sales),
                    np.zeros_like(world.sales)).get()
    for name in ("self_sufficiency", "product_imports", "product_home_output"):
        np.testing.assert_array_equal(found[name][0, rolls], idle[name][0, rolls], err_msg=name)
    assert (found["product_output"][0, rolls] == 1.0).all()
    assert (found["self_sufficiency"][0, toast] < idle["self_sufficiency"][0, toast]).all()


def test_a_group_left_out_takes_its_products_along():
    world = split(make_economy(), PRODUCTS)
    shock = pact(world, without=["bread"])
    assert not shock.duty[:, :, :3].any()
    assert shock.duty[:, :, 3:].any()


def test_self_sufficiency_and_output_by_a_second_route():
    """Home quantities from the supply curve, imports at given prices."""
    world = split(make_economy(), PRODUCTS, 0.25)
    world = replace(world, inverse_supply=0.0 * world.inverse_supply)
    levels, _, _, sales, found = books(world, shocks_of(world, np.random.default_rng(3)))
    for place, line in enumerate(("rolls", "toast", "yarn")):
        at = world.pair.lines.index(line)
        for importer in range(2):
            supply = world.home_supply[0, 0, at]
            value = sales[importer, importer, at]
            made = np.exp(supply / (1 + supply) * value)
            np.testing.assert_allclose(found["product_output"][importer, place], made, rtol=1e-6)
            home = levels[importer, importer, at] * made
            others = [k for k in range(4) if k != importer]
            paid = (levels * np.exp(sales) * (1 + world.duty))[importer, others, at].sum(axis=0)
            np.testing.assert_allclose(found["self_sufficiency"][importer, place],
                                       home / (home + paid), rtol=1e-6)


def test_products_by_supplier_add_up_to_their_imports(world):
    world = split(world, PRODUCTS)
    levels, change, settled, sales, found = books(world, shocks_of(world, np.random.default_rng(0)))
    detail = Accounts(world, levels, ONE_COUNT, change, settled, sales).get(DETAILED)
    bought = detail["product_purchases"]
    home = bought[[0, 1], [0, 1]]
    np.testing.assert_allclose(home, found["product_home_output"], rtol=1e-6)
    np.testing.assert_allclose(bought.sum(axis=1) - home, found["product_imports"], rtol=1e-5)
    np.testing.assert_allclose(bought[[0, 1], [1, 0]], found["product_trade"], rtol=1e-6)


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_cheaper_imports_lower_home_output_and_the_price(seed):
    world = replace(split(make_economy(seed), PRODUCTS), demand=spread(0.3))
    _, _, _, found = settled_books(world, [Shock(duty=spread(0.5) * (1 - world.home))])
    assert (found["product_output"] < 1.0).all()
    assert (found["product_price"] < 1.0).all()


def test_a_product_with_its_own_closer_substitutes_loses_more():
    """The upper elasticity of one line alone is raised."""
    world = split(make_economy(), PRODUCTS)
    upper = world.upper.copy()
    upper[:, :, world.pair.lines.index("rolls")] *= 4.0
    closer = replace(world, upper=upper, lower=np.maximum(world.lower, upper))
    cut = [Shock(duty=spread(0.8) * (1 - world.home))]
    before, after = (settled_books(one, cut)[3]["product_output"] for one in (world, closer))
    assert (after[:, 0] < before[:, 0]).all()
    np.testing.assert_array_equal(after[:, 1:], before[:, 1:])


def test_a_line_that_nobody_buys_moves_nothing_and_divides_by_nothing(world):
    whole = world
    parts = split(world, PRODUCTS, 0.0)
    *_, before = books(whole, shocks_of(whole, np.random.default_rng(1)))
    *_, after = books(parts, shocks_of(parts, np.random.default_rng(1)))
    for name in before:
        assert np.isfinite(after[name]).all(), name
        if name not in BY_PRODUCT:
            np.testing.assert_allclose(after[name], before[name], rtol=EXACT, atol=1e-3,
                                       err_msg=name)
    assert (after["product_output"] == 1.0).all()
    assert not after["self_sufficiency"].any()


def test_goods_of_a_project_are_counted_once(world):
    world = split(world, PRODUCTS)
    for name, group in (("bread", 0), ("yarn", 2)):
        shock = project(world, ON, importer="LEF", group=name, quantity=spread(5e6),
                        years=spread(9.0), years_on=spread(0.0))
        change = resolve(world, [(ON, shock)])
        settled = equilibrium(world, world.sales, change)
        found = account(world, world.sales, ONE_COUNT, change, settled, settled.sales)
        idle = account(world, world.sales, ONE_COUNT, resolve(world, []), settled,
                       0.0 * settled.sales)
        added = found["trade"] - idle["trade"]
        np.testing.assert_allclose(added[0, 0, group], 5e6, rtol=EXACT)
        assert added.sum() == pytest.approx(5e6 * added[:, 0, 0].size, rel=EXACT)


def test_plants_make_as_much_whether_their_group_is_split_or_not(world):
    def sold(one):
        shock = plants(one, ON, host="LEF", output_groups=["bread", "wool"],
                       input_groups=["tools"], invested=spread(10.0), output_per_usd=spread(0.8),
                       partner_share=spread(0.4), home_share=spread(0.9), input_share=spread(0.3),
                       input_partner_share=spread(0.2), levels=one.sales)
        moved = np.expm1(shock.supply + shock.availability)
        flow = entry(total(one.sales * one.pair_flow * moved, "exporter"), one.home)
        return one.grouped(np.broadcast_to(flow, (2, *flow.shape[1:])))

    np.testing.assert_allclose(sold(split(world, PRODUCTS, 0.3)), sold(world), rtol=EXACT)
