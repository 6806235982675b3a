"""Adding-up identities of the accounts, with every parameter off its neutral value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from accounted import EXACT, ON, ONE_COUNT, account, before_books, books, shocks_of
from made_up_world import make_economy
from tradesim.common.arrays import spread, total
from tradesim.economy.accounts import PARTS, split_change
from tradesim.economy.elsewhere import elsewhere, growth
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import NONE, Shock
from tradesim.economy.variables import VARIABLES
from tradesim.economy.welfare import CAUSES, surplus


@pytest.fixture(params=[0, 1, 2])
def case(request):
    world = make_economy(request.param)
    shocks = shocks_of(world, np.random.default_rng(request.param))
    return world, *books(world, shocks)


def test_every_variable_is_of_one_part():
    named = [name for names in PARTS.values() for name in names]
    assert sorted(named) == sorted(VARIABLES)


def axes(name):
    return {dim: i for i, dim in enumerate(VARIABLES[name].dims)}


def test_groups_add_up_to_totals(case):
    _, _, _, _, _, found = case
    trade = found["trade"].sum(axis=(axes("trade")["importer"], axes("trade")["group"]))
    np.testing.assert_allclose(found["turnover"], trade, rtol=EXACT)


def test_suppliers_and_home_add_up_to_purchases(case):
    _, levels, _, _, sales, found = case
    bought = (levels * np.exp(sales)).sum(axis=(1, 2))
    np.testing.assert_allclose(found["imports"].sum(axis=1), bought, rtol=EXACT)
    home = found["home_output"].sum(axis=1)
    own = np.stack([found["imports"][0, 0], found["imports"][1, 1]])
    np.testing.assert_allclose(home, own, rtol=EXACT)
    partner = np.stack([found["imports"][0, 1], found["imports"][1, 0]])
    np.testing.assert_allclose(found["trade"][0].sum(axis=1), partner, rtol=EXACT)


def test_creation_and_diversion_add_up(case):
    world, levels, _, _, _, found = case
    idle = before_books(world, levels)
    change = found["imports"] - idle["imports"]
    change[0, 0], change[1, 1] = 0.0, 0.0  # home sales are no imports
    scale = np.abs(change).max()
    np.testing.assert_allclose(found["trade_creation"] + found["trade_diversion"], change,
                               atol=EXACT * scale)
    np.testing.assert_allclose(found["trade_diversion"].sum(axis=1), 0.0, atol=EXACT * scale)
    np.testing.assert_allclose(found["trade_creation"].sum(axis=1), change.sum(axis=1),
                               atol=EXACT * scale)


def test_welfare_adds_up(case):
    world, levels, _, _, _, found = case
    revenue = found["tariff_revenue"] - before_books(world, levels)["tariff_revenue"]
    parts = (found["consumer_surplus"] + found["producer_surplus"] + found["exporter_surplus"]
             + revenue)
    np.testing.assert_allclose(found["welfare"], parts, rtol=EXACT)


def test_revenue_is_duty_on_what_is_bought(case):
    world, levels, change, _, sales, found = case
    paid = levels * np.exp(sales) * change.wedge * (1 - world.home)
    np.testing.assert_allclose(found["tariff_revenue"], paid.sum(axis=(1, 2)), rtol=EXACT)


def test_nothing_moves_without_a_shock(world):
    _, _, _, _, found = books(world, [Shock()])
    for name, variable in VARIABLES.items():
        if variable.change:
            np.testing.assert_allclose(found[name], 0.0, atol=1e-3)  # of USD millions
    levels = world.sales * np.exp(spread([0.0, 0.05, 0.1], "year"))
    idle = before_books(world, levels)
    for name in ("trade", "turnover", "imports", "home_output", "tariff_revenue"):
        np.testing.assert_allclose(found[name], idle[name], rtol=EXACT)


def areas(value, log_price, exponent):
    """Numerical area beside a schedule, cell by cell, summed over groups."""
    value, log_price, exponent = np.broadcast_arrays(value, log_price, exponent)
    cells = [v * quad(lambda x, k=k: x ** (k - 1), 1.0, np.exp(p))[0]
             for v, p, k in zip(value.flat, log_price.flat, exponent.flat, strict=True)]
    return total(np.reshape(cells, value.shape), "group")[:, 0, 0]


def test_surpluses_are_areas_beside_their_own_schedules(case):
    world, levels, _, settled, _, found = case
    spending = total(levels * (1 + world.duty), "exporter")
    home = total(levels * world.home, "exporter")
    np.testing.assert_allclose(found["consumer_surplus"],
                               -areas(spending, settled.price, 1 - world.demand), rtol=1e-7)
    np.testing.assert_allclose(found["producer_surplus"],
                               areas(home, settled.home_price, 1 + world.home_supply), rtol=1e-7)
    wool = 2
    sold = total(levels * (1 - world.home), "importer")[0, 0, wool]
    price = settled.supplier_price[0, 0, wool]
    supply = 1 / np.broadcast_to(world.inverse_supply[0, 0, wool], price.shape)
    cells = [v * quad(lambda x, n=n: x ** n, 1.0, np.exp(p))[0]
             for v, p, n in zip(np.broadcast_to(sold, price.shape).flat, price.flat, supply.flat,
                                strict=True)]
    elsewhere_too = elsewhere(world, growth(world, levels), case[2]).surplus[0].ravel()
    np.testing.assert_allclose(found["exporter_surplus"][0].ravel(), cells + elsewhere_too,
                               rtol=1e-7)


def test_counts_differ_by_their_factor_where_every_good_gets_the_same(world):
    other = spread([2.2, 0.6], "importer")
    factor = np.stack([np.ones_like(other), other])
    alike = [shock for shock in shocks_of(world, np.random.default_rng(0)) if shock.origin is NONE]
    *_, found = books(world, alike, factor)
    np.testing.assert_allclose(found["trade"][1, 0], 2.2 * found["trade"][0, 0], rtol=EXACT)
    np.testing.assert_allclose(found["trade"][1, 1], 0.6 * found["trade"][0, 1], rtol=EXACT)


@pytest.mark.parametrize("exponent", [-0.7, 0.0, 1e-12, 0.4, 2.5])
def test_surplus_is_the_area_beside_the_schedule(exponent):
    area, _ = quad(lambda price: price ** (exponent - 1), 1.0, np.exp(0.3))
    value = surplus(spread(7.0), spread(0.3), spread(exponent)).item()
    assert value == pytest.approx(7.0 * area, rel=1e-10)


@given(st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=4))
def test_split_of_any_change(values):
    change = spread(values, "exporter")
    creation, diversion = split_change(change)
    np.testing.assert_allclose(creation + diversion, change, atol=1e-6)
    assert abs(diversion.sum()) <= 1e-6
    assert (creation * change >= -1e-6).all()


def test_split_by_hand():
    creation, diversion = split_change(spread([6.0, 2.0, -4.0, 0.0], "exporter"))
    np.testing.assert_allclose(creation[0, :, 0, 0, 0, 0], [3, 1, 0, 0])
    np.testing.assert_allclose(diversion[0, :, 0, 0, 0, 0], [3, 1, -4, 0])


@given(st.integers(0, 1000))
@settings(max_examples=10, deadline=None)
def test_welfare_of_a_small_shock_is_the_envelope_theorem(seed):
    """Second route: real cost saved on what is bought, plus the wedge on what is bought anew.

    dW = sum over suppliers of -V (1 + wedge) dm + wedge dV, plus what exporters gain abroad,
    less what buyers pay more for goods in short supply.
    """
    world = make_economy(seed)
    step = 1e-5
    shocks = [Shock(duty=shock.duty * step, rebate=shock.rebate * step,
                    freight=shock.freight * step, days=shock.days * step,
                    information=shock.information * step)
              for shock in shocks_of(world, np.random.default_rng(seed))]
    change = resolve(world, [(ON, shock) for shock in shocks])
    settled = equilibrium(world, world.sales, change)
    found = account(world, world.sales, ONE_COUNT, change, settled, settled.sales)
    abroad = 1 - world.home
    value = world.sales * abroad
    real = np.log1p(change.resource)
    tax = np.log((1 + change.wedge) / (1 + world.duty))
    sold = total(value, "importer") * settled.supplier_price
    gain = total(-value * (1 + world.duty) * (real + tax + settled.supplier_price)
                 + value * (change.wedge * np.exp(settled.sales) - world.duty),
                 "exporter", "group")
    gain = gain + total(sold * world.home, "exporter", "group")
    # has tests of its own
    gain = gain + elsewhere(world, growth(world, world.sales), change).surplus
    expected = gain[:, 0, 0]
    scale = np.abs(found["consumer_surplus"]).max()
    np.testing.assert_allclose(found["welfare"], expected, atol=5 * step * scale)


# Currencies and approvals.

def of_prices(world):
    """Offer prices that move with a currency, approvals, and demand, all at once."""
    return Shock(price=-0.2 * world.mask("exporter", ["LEF"]), approval=0.6 * world.pair_flow,
                 demand=-0.1 * world.mask("importer", ["LEF"]),
                 level=-0.08 * world.mask("importer", ["LEF"]))


def test_accounts_add_up_where_prices_and_approvals_move(world):
    shocks = [of_prices(world), *shocks_of(world, np.random.default_rng(4))]
    levels, _, settled, _, found = books(world, shocks)
    before = before_books(world, levels)
    assert settled.residual <= 1e-11
    moved = found["tariff_revenue"] - before["tariff_revenue"]
    base = levels * np.exp(shocks[0].level * spread([0.3, 0.7, 1.0], "year"))
    shifted = total(base * world.duty * (1 - world.home), "group", "exporter")[:, 0, 0]
    gains = (found["consumer_surplus"] + found["producer_surplus"] + found["exporter_surplus"])
    np.testing.assert_allclose(found["welfare"], gains + found["tariff_revenue"] - shifted,
                               rtol=EXACT)
    causes = sum(found[f"gain_{cause}"] for cause in CAUSES)
    np.testing.assert_allclose(causes, found["consumer_surplus"], rtol=EXACT)
    change = found["imports"] - before["imports"]
    abroad = 1.0 - world.home[:, :, 0, 0, 0, 0][..., None, None, None]
    split = found["trade_creation"] + found["trade_diversion"]
    np.testing.assert_allclose(split, change * abroad, rtol=EXACT, atol=1e-6)
    assert moved.any()


def test_a_currency_is_no_gain_or_loss_to_who_sells_at_home_in_it(world):
    """Second route: home prices and incomes as they are, foreign goods dearer instead."""
    fall = 0.2
    here = world.mask("importer", ["LEF"])
    own = Shock(price=-fall * world.mask("exporter", ["LEF"]), demand=-fall * world.demand * here)
    change = resolve(world, [(ON, own)])
    settled = equilibrium(world, world.sales, change)
    found = account(world, world.sales, ONE_COUNT, change, settled, settled.sales)
    dearer = replace(resolve(world, []), log_cost=fall * here * (1.0 - world.home))
    mirror = equilibrium(world, world.sales, dearer)
    other = account(world, world.sales, ONE_COUNT, dearer, mirror, mirror.sales)
    np.testing.assert_allclose((settled.home_price + fall)[0], mirror.home_price[0], atol=EXACT)
    np.testing.assert_allclose(found["producer_surplus"][0], other["producer_surplus"][0],
                               rtol=1e-9)
    np.testing.assert_allclose(found["gain_home_price"][0], other["gain_home_price"][0], rtol=1e-9)
