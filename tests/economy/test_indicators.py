"""Shares and concentration of imports, the shared corridor, projects and VAT."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounted import EXACT, ON, account, before_books, books, shocks_of
from tradesim.common.arrays import spread
from tradesim.economy.equilibrium import equilibrium, no_change
from tradesim.economy.indicators import concentration, corridor_share, shares
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import Shock


@given(st.lists(st.floats(0.0, 1e9), min_size=3, max_size=3).filter(lambda x: sum(x) > 1.0))
def test_shares_add_up_and_concentration_lies_between_its_ends(values):
    share = shares(spread(values, "exporter"))
    assert share.sum() == pytest.approx(1.0)
    assert 1 / 3 - EXACT <= concentration(share).item() <= 1.0 + EXACT


def test_concentration_by_hand():
    assert concentration(shares(spread([5.0, 5.0, 5.0, 5.0], "exporter"))).item() == 0.25
    assert concentration(shares(spread([0.0, 7.0], "exporter"))).item() == 1.0
    half = shares(spread([2.0, 1.0, 1.0], "exporter"))
    assert concentration(half).item() == pytest.approx(0.25 + 2 / 16)


def test_corridor_share_by_hand():
    flow, through = spread([1.0, 3.0], "group"), spread([0.2, 0.6], "group")
    assert corridor_share(flow, through).item() == pytest.approx(0.5)
    assert corridor_share(0.0 * flow, through).item() == 0.0


def test_shares_are_of_imports_without_home_sales(world):
    *_, found = books(world, shocks_of(world, np.random.default_rng(0)))
    abroad = found["imports"].copy()
    abroad[0, 0] = abroad[1, 1] = 0.0
    np.testing.assert_allclose(found["import_share"], abroad / abroad.sum(axis=1, keepdims=True),
                               rtol=EXACT)
    np.testing.assert_allclose(found["import_concentration"],
                               (found["import_share"] ** 2).sum(axis=1), rtol=EXACT)


def test_a_better_corridor_route_draws_trade_into_the_corridor(world):
    levels = world.sales * np.exp(spread([0.0, 0.05, 0.1], "year"))
    idle = before_books(world, levels)["corridor_share"]
    on_pass = np.stack([spread(60.0), spread(0.0)])
    *_, found = books(world, [Shock(freight=on_pass)])
    assert (found["corridor_share"] > idle).all()
    *_, found = books(world, [Shock(freight=on_pass[::-1])])
    assert (found["corridor_share"] < idle).all()


def test_routes_carry_all_and_those_of_the_corridor_its_share(world):
    on_pass = np.stack([spread(60.0), spread(0.0)])
    *_, found = books(world, [Shock(freight=on_pass)])
    corridor = np.array([route.corridor for route in world.pair.routes.values()], dtype=float)
    np.testing.assert_allclose(found["route_share"].sum(axis=0), 1.0, rtol=EXACT)
    np.testing.assert_allclose(np.tensordot(corridor, found["route_share"], 1),
                               found["corridor_share"], rtol=EXACT)


def test_vat_is_its_rate_on_imports_with_border_tax(world):
    *_, found = books(world, shocks_of(world, np.random.default_rng(0)))
    abroad = found["imports"].sum(axis=1) - np.stack([found["imports"][0, 0],
                                                      found["imports"][1, 1]])
    rate = np.stack([world.draws["vat.LEF"], world.draws["vat.RIG"]])[:, None, None]
    with_taxes = abroad + found["tariff_revenue"] + found["excise_revenue"]
    np.testing.assert_allclose(found["vat_revenue"], rate * with_taxes, rtol=EXACT)
    assert (found["excise_revenue"] > 0.0).all()


def test_goods_of_a_project_stand_apart_and_add_up(world):
    """They are trade on every count, imports and creation; no duty, no gain."""
    tools = spread([0.0, 1.0, 0.0], "group") * spread([1.0, 0.0], "importer") * world.pair_flow
    factor = np.stack([spread([1.0, 1.0], "importer"), spread([2.2, 0.6], "importer")])
    plain = account(world, world.sales, factor, resolve(world, []), no_change(world.sales),
                    np.zeros_like(world.sales))
    change = resolve(world, [(ON, Shock(project=5e6 * tools))])
    settled = equilibrium(world, world.sales, change)
    found = account(world, world.sales, factor, change, settled, settled.sales)
    np.testing.assert_allclose(found["project_trade"][:, 0, 0, 0], [5e6, 0.0], rtol=EXACT)
    for count in (0, 1):
        np.testing.assert_allclose(found["trade"][count, 0, 1] - plain["trade"][count, 0, 1], 5e6,
                                   rtol=EXACT)
        np.testing.assert_allclose(found["turnover"][count] - plain["turnover"][count], 5e6,
                                   rtol=EXACT)
    np.testing.assert_allclose((found["imports"] - plain["imports"])[0, 1], 5e6, rtol=EXACT)
    np.testing.assert_allclose(found["trade_creation"][0, 1], 5e6, rtol=EXACT)
    for name in ("tariff_revenue", "vat_revenue", "welfare", "trade_diversion", "home_output"):
        np.testing.assert_allclose(found[name], plain[name], atol=1e-3)
    assert (found["import_share"][0, 1] > plain["import_share"][0, 1]).all()
