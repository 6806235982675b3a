"""The market solver against closed forms, second routes and published tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import root

from made_up_world import make_economy
from tradesim.common.arrays import spread, total
from tradesim.common.errors import ConvergenceError
from tradesim.economy import markets as module
from tradesim.economy.equilibrium import Macro, equilibrium, no_change
from tradesim.economy.markets import ROUNDING, TOLERANCE, Shifts, no_shifts, solve_market
from tradesim.economy.shocks import Change

PUBLISHED = Path(__file__).parents[1] / "published"
EXACT = 1e-12  # closed forms: a few roundings of numbers near one
SOLVED = 1e-10  # two solvers, each with its own stopping rule


def random_cells(seed, cells=6, markets=2, suppliers=4, spread=0.3):
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.ones(suppliers), size=(cells, markets)).transpose(1, 2, 0)
    sold = rng.dirichlet(np.ones(markets), size=(cells, suppliers)).T
    lower = rng.uniform(1.5, 8, (markets, cells))
    inverse = rng.uniform(0.2, 2, (suppliers, cells))
    inverse[suppliers // 2:] = 0.0
    return {
        "import_share": share, "home_share": rng.uniform(0.1, 0.9, (markets, cells)),
        "cost": rng.uniform(-spread, spread, (markets, suppliers, cells)), "lower": lower,
        "upper": rng.uniform(0.35, 0.95, (markets, cells)) * lower,
        "demand": rng.uniform(0.4, 1.6, (markets, cells)),
        "home_supply": rng.uniform(0.3, 3, (markets, cells)),
        "inverse_supply": inverse, "sales_share": sold,
    }


def one_market(cost, share, home, lower, upper, demand, home_supply, inverse):
    """One cell, one market, from plain numbers."""
    column = np.reshape(np.asarray(share, float), (1, -1, 1))
    return solve_market(
        column, np.array([[home]]), np.reshape(np.asarray(cost, float), (1, -1, 1)),
        lower=np.array([[lower]]), upper=np.array([[upper]]), demand=np.array([[demand]]),
        home_supply=np.array([[home_supply]]),
        inverse_supply=np.reshape(np.asarray(inverse, float), (-1, 1)),
        sales_share=np.ones_like(column))


def test_no_shock_changes_nothing():
    cells = random_cells(1) | {"cost": np.zeros((2, 4, 6))}
    market = solve_market(**cells)
    for name in ("price", "import_price", "home_price", "home_quantity", "supplier_price",
                 "quantity"):
        assert not getattr(market, name).any()


def test_one_ces_where_the_nests_agree_and_prices_are_given():
    share, home, cost, sigma, demand = np.array([0.6, 0.4]), 0.3, np.array([-0.1, 0.05]), 3.0, 1.2
    market = one_market(cost, share, home, sigma, sigma, demand, np.inf, [0, 0])
    index = home + (1 - home) * (share * np.exp((1 - sigma) * cost)).sum()
    price = np.log(index) / (1 - sigma)
    assert market.price.item() == pytest.approx(price, abs=EXACT)
    np.testing.assert_allclose(market.quantity[0, :, 0],
                               -sigma * (cost - price) - demand * price, atol=EXACT)


def test_uniform_cost_without_home_goods_moves_demand_by_its_elasticity():
    market = one_market([0.07] * 3, [0.2, 0.3, 0.5], 0.0, 4.0, 2.0, 0.8, 1.0, [0, 0, 0])
    assert market.price.item() == pytest.approx(0.07, abs=EXACT)
    np.testing.assert_allclose(market.quantity[0, :, 0], -0.8 * 0.07, atol=EXACT)


@pytest.mark.parametrize("case", range(3))
def test_simple_armington(case):
    text = (PUBLISHED / "simple_armington.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    inputs, expected = table["inputs"], table["cases"][case]
    sales = np.array(inputs["sales"])
    market = one_market(
        np.log(expected["tariff_factor"])[1:], sales[1:] / sales[1:].sum(),
        sales[0] / sales.sum(), inputs["substitution"], inputs["substitution"],
        inputs["demand"], inputs["supply_elasticity"][0],
        1.0 / np.array(inputs["supply_elasticity"][1:]))
    producer = np.exp([market.home_price.item(), *market.supplier_price[:, 0]])
    quantity = np.exp([market.home_quantity.item(), *market.quantity[0, :, 0]])
    close = {"rtol": 0, "atol": table["tolerance"]}
    np.testing.assert_allclose(np.exp(market.price.item()), expected["price_index"], **close)
    np.testing.assert_allclose(producer, expected["producer_price"], **close)
    np.testing.assert_allclose(quantity, expected["quantity"], **close)
    np.testing.assert_allclose(producer * expected["tariff_factor"],
                               expected["consumer_price"], **close)


def gsim(table, scale=None):
    """World price changes of the example, log: whole shock, or `scale` times its percentage."""
    inputs = table["inputs"]
    trade, before = np.array(inputs["trade"]), np.array(inputs["tariff_factor"])
    after = before.copy()
    for i, j in inputs["set_to_one"]:
        after[i, j] = 1.0
    paid = (trade * before).T  # market, supplier
    markets = len(trade)
    cost = np.log(after / before).T if scale is None else scale * (after / before - 1.0).T
    full = np.full((markets, 1), 1.0)
    market = solve_market(
        (paid / paid.sum(axis=1, keepdims=True))[..., None], 0.0 * full, cost[..., None],
        lower=inputs["substitution"] * full, upper=2.0 * full,
        demand=inputs["import_demand"] * full, home_supply=full,
        inverse_supply=full / inputs["export_supply"],
        sales_share=(trade / trade.sum(axis=1, keepdims=True)).T[..., None])
    return market.supplier_price[:, 0]


def test_gsim_is_the_derivative_of_the_exact_model():
    table = yaml.safe_load((PUBLISHED / "gsim.yaml").read_text(encoding="utf-8"))
    step = 1e-4  # central difference: truncation near 1e-8, solver error near 1e-8
    slope = (gsim(table, step) - gsim(table, -step)) / (2 * step)
    np.testing.assert_allclose(slope, table["world_price_change"], rtol=0,
                               atol=table["tolerance"])


def test_the_exact_model_moves_prices_more_than_the_linear_one():
    table = yaml.safe_load((PUBLISHED / "gsim.yaml").read_text(encoding="utf-8"))
    linear, exact = table["world_price_change"][0], np.expm1(gsim(table)[0])
    assert exact > 1.5 * linear  # why the linear model is not used for large cuts


def equations(cells, k, shifts):
    """Equations (7)-(10) written out for cell `k`, without logs or elimination."""
    def pick(name):
        return cells[name][..., k]
    theta, alpha, cost = pick("import_share"), pick("home_share"), pick("cost")
    omega, sigma, epsilon, eta = (pick(name) for name in ("lower", "upper", "demand",
                                                          "home_supply"))
    inverse, sales = pick("inverse_supply"), pick("sales_share")
    markets, suppliers = theta.shape
    more, offered = np.exp(shifts.demand[:, k]), np.exp(shifts.appeal[..., k])
    home_base, base = np.exp(shifts.home_offer[:, k]), np.exp(shifts.offer[:, k])

    def residual(logs):
        home, wage = np.exp(logs[:markets]), np.exp(logs[markets:])
        demand = np.empty((markets, suppliers))
        excess = np.empty(markets + suppliers)
        for j in range(markets):
            delivered = np.exp(cost[j]) * wage
            p_m = (theta[j] @ (offered[j] * delivered ** (1 - omega[j]))) ** (1 / (1 - omega[j]))
            p = (alpha[j] * home[j] ** (1 - sigma[j])
                 + (1 - alpha[j]) * p_m ** (1 - sigma[j])) ** (1 / (1 - sigma[j]))
            demand[j] = (more[j] * offered[j] * delivered ** -omega[j]
                         * p_m ** (omega[j] - sigma[j]) * p ** (sigma[j] - epsilon[j]))
            excess[j] = (more[j] * home[j] ** -sigma[j] * p ** (sigma[j] - epsilon[j])
                         - (home[j] / home_base[j]) ** eta[j])
        volume = (sales * demand).sum(axis=0)
        excess[markets:] = np.where(inverse > 0, volume ** inverse, 1.0) * base - wage
        return excess
    return residual, markets + suppliers


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_agrees_with_a_general_root_finder(seed):
    cells, shifts = random_cells(seed, cells=1), random_shifts(seed, cells=1)
    market = solve_market(**cells, shifts=shifts)
    residual, size = equations(cells, 0, shifts)
    found = root(residual, np.zeros(size), tol=1e-13)
    ours = np.concatenate([market.home_price[:, 0], market.supplier_price[:, 0]])
    np.testing.assert_allclose(ours, found.x, atol=SOLVED)


def random_shifts(seed, cells=6, markets=2, suppliers=4):
    rng = np.random.default_rng(seed)
    return Shifts(rng.uniform(-0.3, 0.3, (markets, cells)),
                  rng.uniform(-0.5, 0.5, (markets, suppliers, cells)),
                  rng.uniform(-0.3, 0.3, (markets, cells)),
                  rng.uniform(-0.3, 0.3, (suppliers, cells)))


def test_jacobian_is_the_derivative_of_the_residual():
    cells, shifts = random_cells(3, cells=4), random_shifts(5, cells=4)
    finite = np.any(cells["inverse_supply"] != 0, axis=-1)
    given = cells["import_share"] * np.expm1((1 - cells["lower"])[:, None] * cells["cost"])
    fixed = module._Cells(
        given[:, ~finite].sum(axis=1), cells["import_share"][:, finite], cells["cost"][:, finite],
        shifts.appeal[:, finite], cells["home_share"], cells["lower"], cells["upper"],
        cells["demand"], shifts.demand, 1 / cells["home_supply"], shifts.home_offer,
        cells["inverse_supply"][finite], shifts.offer[finite], cells["sales_share"][:, finite])
    at = np.random.default_rng(4).uniform(-0.2, 0.2, (2 + finite.sum(), 4))
    _, jacobian = module._system(fixed, at)
    step = 1e-6
    for k in range(len(at)):
        move = np.zeros_like(at)
        move[k] = step
        up, _ = module._system(fixed, at + move)
        down, _ = module._system(fixed, at - move)
        np.testing.assert_allclose(jacobian[:, k], (up - down) / (2 * step), atol=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_spending_and_supply_identities(seed):
    cells = random_cells(seed)
    market = solve_market(**cells)
    home = cells["home_share"] * np.exp(market.home_price + market.home_quantity)
    delivered = cells["cost"] + market.supplier_price
    imports = (cells["import_share"] * np.exp(delivered + market.quantity)).sum(axis=1)
    spending = home + (1 - cells["home_share"]) * imports
    np.testing.assert_allclose(spending, np.exp((1 - cells["demand"]) * market.price),
                               rtol=SOLVED)
    np.testing.assert_allclose(market.home_quantity, cells["home_supply"] * market.home_price,
                               atol=SOLVED)
    volume = np.log((cells["sales_share"] * np.exp(market.quantity)).sum(axis=0))
    np.testing.assert_allclose(market.supplier_price, cells["inverse_supply"] * volume,
                               atol=SOLVED)


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_dearer_supplier_sells_less_and_rivals_sell_no_less(seed):
    cells = random_cells(seed, cells=3)
    cells["inverse_supply"] = 0.0 * cells["inverse_supply"]
    before = solve_market(**cells)
    cells["cost"] = cells["cost"].copy()
    cells["cost"][0, 0] += 0.05
    after = solve_market(**cells)
    assert (after.quantity[0, 0] < before.quantity[0, 0]).all()
    assert (after.price[0] >= before.price[0]).all()


def test_cells_do_not_depend_on_their_company():
    cells = random_cells(5, cells=700)
    together = solve_market(**cells)
    for rows in (slice(0, 1), slice(1, 257), slice(257, 700)):
        alone = solve_market(**{name: values[..., rows] for name, values in cells.items()})
        for name in ("price", "home_price", "supplier_price", "quantity"):
            assert np.array_equal(getattr(together, name)[..., rows], getattr(alone, name))


def test_residual_is_reported_and_below_tolerance():
    assert 0.0 < solve_market(**random_cells(6)).residual <= TOLERANCE


def test_a_cell_at_the_limit_of_its_digits_is_solved():
    """All imports come from one supplier, whose price rises 2.2 times at an elasticity of 19."""
    lower, upper, demand, home_share = 19.21059759, 11.86829649, 0.81002112, 0.82927402
    appeal, market, home_slope, slope = 0.95068383, 1.09196591, 1.46663083, 2.19069216
    one = np.ones((1, 1))
    found = solve_market(
        import_share=one[None], home_share=home_share * one, cost=0.0 * one[None],
        lower=lower * one, upper=upper * one, demand=demand * one, home_supply=one / home_slope,
        inverse_supply=slope * one, sales_share=one[None],
        shifts=Shifts(market * one, appeal * one[None], 0.0 * one, 0.0 * one))

    def gaps(unknowns):
        home, wage = unknowns
        imports = wage + appeal / (1.0 - lower)
        price = np.log(home_share * np.exp((1.0 - upper) * home)
                       + (1.0 - home_share) * np.exp((1.0 - upper) * imports)) / (1.0 - upper)
        at_prices = (upper - demand) * price + market
        return (home - home_slope * (at_prices - upper * home),
                wage - slope * (at_prices + appeal - lower * wage + (lower - upper) * imports))

    known = root(gaps, (0.5, 0.5), tol=1e-13)
    assert known.success
    np.testing.assert_allclose([found.home_price.item(), found.supplier_price.item()], known.x,
                               atol=1e-10)
    assert found.residual <= ROUNDING


def test_a_cell_that_cannot_be_solved_is_named():
    cells = random_cells(7, cells=3)
    cells["cost"] = cells["cost"].copy()
    cells["cost"][:, :, 1] = np.nan
    with pytest.raises(ConvergenceError, match=r"market equilibrium did not converge in "
                                               r"draw 1; largest residual"):
        solve_market(**cells)


def test_no_shifts_are_none():
    cells = random_cells(8)
    plain, still = solve_market(**cells), solve_market(**cells, shifts=no_shifts(cells["cost"]))
    for name in ("price", "home_price", "home_quantity", "supplier_price", "quantity"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(still, name))


@given(st.integers(0, 10_000), st.floats(-0.5, 0.5))
@settings(max_examples=25, deadline=None)
def test_prices_and_incomes_alike_move_no_quantity(seed, rise):
    cells = random_cells(seed)
    shifts = no_shifts(cells["cost"])
    nominal = Shifts(shifts.demand + cells["demand"] * rise, shifts.appeal,
                     shifts.home_offer + rise, shifts.offer + rise)
    before, after = solve_market(**cells), solve_market(**cells, shifts=nominal)
    np.testing.assert_allclose(after.price, before.price + rise, atol=SOLVED)
    np.testing.assert_allclose(after.quantity, before.quantity, atol=SOLVED)
    np.testing.assert_allclose(after.home_quantity, before.home_quantity, atol=SOLVED)


def test_more_varieties_from_all_lower_the_index_by_the_love_of_variety():
    cells = random_cells(9) | {"inverse_supply": np.zeros((4, 6)), "cost": np.zeros((2, 4, 6))}
    market = solve_market(**cells, shifts=replace(no_shifts(cells["cost"]),
                                                  appeal=np.full((2, 4, 6), 0.2)))
    np.testing.assert_allclose(market.import_price, 0.2 / (1 - cells["lower"]), atol=EXACT)


def test_a_shift_of_home_supply_moves_output_less_than_itself():
    cells = random_cells(10) | {"cost": np.zeros((2, 4, 6))}
    lost = 0.3 / cells["home_supply"]  # supply falls by 0.3 log points at given prices
    market = solve_market(**cells, shifts=replace(no_shifts(cells["cost"]), home_offer=lost))
    assert (market.home_price > 0).all()
    assert ((market.home_quantity < 0) & (market.home_quantity > -0.3)).all()


def test_supply_of_the_economy_shifts_its_price_or_its_varieties(world):
    none = Change(np.zeros_like(world.sales))
    more = replace(none, supply=0.2 * world.mask("exporter", ["UNI"]))  # elastic everywhere
    banned = replace(none, availability=0.2 * world.mask("exporter", ["UNI"]))
    np.testing.assert_array_equal(equilibrium(world, world.sales, more).sales,
                                  equilibrium(world, world.sales, banned).sales)
    herds = replace(none, supply=-0.3 * world.mask("exporter", ["LEF"])
                    * world.mask("group", ["wool"]))
    lost = equilibrium(world, world.sales, herds)
    assert (lost.supplier_price[0, 0, 2] > 0.0).all()  # fewer goods, dearer abroad
    assert (lost.home_price[0, 0, 2] > 0.0).all()      # and at home
    assert (lost.sales[1, 0, 2] < lost.supplier_price[0, 0, 2]).all()  # quantity falls


def test_a_closure_that_scales_the_world_moves_no_quantity(world):
    rise = spread(0.1)
    nominal = Macro(wage=rise + 0.0 * world.mask("exporter", []), spending=rise, price_level=rise,
                    real_income=0.0 * rise)
    settled = equilibrium(world, world.sales, Change(np.zeros_like(world.sales)), nominal)
    np.testing.assert_allclose(settled.sales, 0.1, atol=SOLVED)
    np.testing.assert_allclose(settled.price, 0.1, atol=SOLVED)


def test_world_and_kernel_agree(world):
    rng = np.random.default_rng(0)
    cost = rng.uniform(-0.1, 0.1, world.sales.shape) * (1.0 - world.home)
    settled = equilibrium(world, world.sales, Change(cost))
    paid = world.sales * (1.0 + world.duty)
    after = paid * np.exp(settled.sales + cost)  # duty factor of the base stays in `paid`
    spending = total(after, "exporter") / total(paid, "exporter")
    np.testing.assert_allclose(spending, np.exp((1.0 - world.demand) * settled.price), rtol=SOLVED)
    assert settled.residual <= TOLERANCE
    abroad = world.sales * (1.0 - world.home)
    share = abroad / np.where(total(abroad, "importer") > 0, total(abroad, "importer"), 1.0)
    volume = total(share * np.exp(settled.sales - settled.supplier_price), "importer")
    np.testing.assert_allclose(settled.supplier_price, world.inverse_supply * np.log(volume),
                               atol=SOLVED)


def test_levels_do_not_matter_only_shares():
    world = make_economy(3)
    cost = -0.05 * world.pair_flow
    one = equilibrium(world, world.sales, Change(cost))
    ten = equilibrium(world, 10.0 * world.sales, Change(cost))
    np.testing.assert_allclose(one.sales, ten.sales, atol=EXACT)


def test_no_change_has_the_shapes_of_a_solution(world):
    solved = equilibrium(world, world.sales, Change(np.zeros_like(world.sales)))
    idle = no_change(world.sales)
    for name in ("sales", "price", "home_price", "supplier_price"):
        assert getattr(idle, name).shape == getattr(solved, name).shape
        assert not getattr(solved, name).any()
