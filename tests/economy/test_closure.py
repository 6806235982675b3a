"""The one-sector world against published cases, closed forms, a second route and properties."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import root

import structural_gravity
from made_up_world import make_economy
from structural_gravity import Margins, conditional, fitted
from tradesim.common.arrays import spread
from tradesim.common.errors import ConvergenceError, InputError
from tradesim.common.files import calibration_folder
from tradesim.economy import ge_solver as gravity
from tradesim.economy.closure import OneSector, closure, one_sector
from tradesim.economy.elsewhere import third_duties
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import Change, Shock
from tradesim.inputs.baseline import read_world
from tradesim.inputs.pair import read_pair
from tradesim.simulation import model

EXACT = 1e-12  # closed forms: a few roundings of numbers near one
SOLVED = 1e-10  # two solvers, each with its own stopping rule
BOTH = ["multiplicative", "additive"]

STATA = "https://www.tomzylkin.com (ge_gravity, example data of 44 countries in 2000)"
GEGRAVITY = "https://github.com/peter-herman/gegravity (sample data of 30 countries in 2006)"
GUIDE = "https://www.wto.org/english/res_e/publications_e/advancedguide2016_e.htm (application 1)"


def published(name, address):
    """Folder of a published case: in $TRADESIM_VALIDATION, or in a folder beside the checkout."""
    given = os.environ.get("TRADESIM_VALIDATION")
    beside = sorted(Path(__file__).parents[3].glob("*/validation"))
    for folder in [Path(given)] if given else beside:
        if (folder / name).is_dir():
            return folder / name
    pytest.skip(f"set TRADESIM_VALIDATION to a folder that holds {name}; source: {address}")


def square(table, column):
    """Exporter by importer, in alphabetical order."""
    return table.pivot_table(index="exporter", columns="importer", values=column).to_numpy()


# --- published cases


def test_stata_enlargement_of_the_union():
    table = pd.read_csv(published("ge_gravity_eu", STATA) / "data_2000.csv")
    trade, theta = square(table, "trade"), 4.0
    found = one_sector(trade, np.exp(square(table, "partial_effect") / -theta), theta)
    welfare = square(table, "stata_welfare_mult")[:, 0]
    np.testing.assert_allclose(found.welfare, welfare, rtol=1e-6)
    # Stata multiplies spending by wages and leaves it there, so its table is 1.6e-6 short of
    # world output; with this one factor taken out the tables agree to its single precision.
    kappa = (found.spending / (trade.sum(axis=0) * found.wage))[0]
    stata = square(table, "stata_trade_mult")
    assert kappa == pytest.approx(trade.sum() / stata.sum(), abs=1e-7)
    np.testing.assert_allclose(found.trade / kappa, stata, rtol=1e-6)
    np.testing.assert_allclose(found.trade, stata, rtol=2e-6)


@pytest.mark.parametrize(("name", "imbalances"), [("mult", BOTH[0]), ("add", BOTH[1])])
def test_agreement_of_two_countries_among_thirty(name, imbalances):
    folder = published("gegravity_can_jpn", GEGRAVITY)
    base = pd.read_csv(folder / "in_model_baseline_trade_matrix.csv", index_col=0)
    effect = pd.read_csv(folder / "in_cost_coefficients.csv", index_col="var").beta["pta"]
    expected = pd.read_csv(folder / f"ref_true_ge_{name}.csv", index_col=0).loc[base.index]
    theta, cost = 4.0, pd.DataFrame(1.0, base.index, base.columns)
    cost.loc["CAN", "JPN"] = cost.loc["JPN", "CAN"] = np.exp(effect / -theta)
    found = one_sector(base, cost, theta, imbalances)
    output, spending = base.sum(axis=1), base.sum(axis=0)
    numeraire = (output * expected.p_hat).sum() / output.sum()  # theirs is not world output
    close = {"rtol": 1e-9}
    np.testing.assert_allclose(found.wage, expected.p_hat / numeraire, **close)
    np.testing.assert_allclose(found.price_index, expected.P_hat / numeraire, **close)
    np.testing.assert_allclose(found.spending, expected.E_prime / numeraire, **close)
    np.testing.assert_allclose(found.spending / spending / found.price_index, expected.W_hat,
                               **close)
    if imbalances == "additive":
        np.testing.assert_allclose(found.welfare, expected.W_hat, **close)


def test_borders_of_the_guide():
    folder = published("agtpa_app1_borders", GUIDE)
    table = pd.read_csv(folder / "input_data_2006.csv")
    given = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
    expected = pd.read_csv(folder / "published_results.csv", index_col="country").sort_index()
    trade, abroad = square(table, "trade"), 1.0 - np.eye(len(expected))
    causes = [np.log(square(table, "DIST")), square(table, "CNTG"), abroad]
    output, spending = trade.sum(axis=1), trade.sum(axis=0)

    def model(slopes):
        terms = sum(slope * cause for slope, cause in zip(slopes, causes, strict=True))
        return fitted(np.exp(terms), output, spending)

    def moments(slopes):  # of Poisson pseudo maximum likelihood with fixed effects
        gap = trade - model(slopes)
        return [(cause * gap).sum() / (cause * trade).sum() for cause in causes]

    printed = [given["ppml"][name] for name in ("ln_DIST", "CNTG", "INTL_BRDR")]
    slopes = root(moments, printed, tol=1e-12).x
    np.testing.assert_allclose(slopes, printed, atol=1e-6)

    theta, base = given["sigma"] - 1.0, model(slopes)
    cost = np.exp(slopes[2] * abroad / theta)

    def exports(flows):
        return (flows * abroad).sum(axis=1)

    first = 100.0 * (exports(conditional(base, cost, theta)) / exports(base) - 1.0)
    np.testing.assert_allclose(first, expected.change_Xi_CDL, rtol=0, atol=1e-3)

    found = one_sector(base, cost, theta)
    reference = found.price_index[expected.index.get_loc(given["reference_importer"])]
    early = {"rtol": 0, "atol": 0.6}  # per cent; the guide's loop stops at steps of 0.01
    np.testing.assert_allclose(100.0 * (found.wage / reference - 1.0),
                               expected.change_price_FULL, **early)
    real = 100.0 * (found.wage / found.price_index - 1.0)
    np.testing.assert_allclose(real, expected.change_rGDP_FULL, **early)
    assert np.median(np.abs(real - expected.change_rGDP_FULL)) < 0.1


# --- a made-up world


def made_up(seed, size=5, draws=None, *, balanced=False, spread_of_cost=0.3):
    """Arguments of `one_sector` for a world at random, no duty and no imbalance neutral."""
    rng = np.random.default_rng(seed)
    shape = (size, size) if draws is None else (draws, size, size)
    trade = rng.lognormal(0.0, 1.0, shape) + 20.0 * np.eye(size) * rng.uniform(0.5, 2.0, size)
    if balanced:
        trade = fitted(trade, np.ones(size) + np.arange(size), np.ones(size) + np.arange(size))
    return {
        "trade": trade, "cost_hat": np.exp(rng.uniform(-spread_of_cost, spread_of_cost, shape)),
        "theta": rng.uniform(2.0, 7.0, None if draws is None else draws),
        "tariff": rng.uniform(0.0, 0.4, shape) * (1.0 - np.eye(size)),
        "tariff_after": rng.uniform(0.0, 0.4, shape) * (1.0 - np.eye(size)),
    }


def costs_only(world):
    return {name: world[name] for name in ("trade", "cost_hat", "theta")}


def by_brute_force(trade, cost_hat, theta, tariff, tariff_after, imbalances):
    """Solve incomes, prices and markets in levels, written out, by scipy's hybrid method."""
    size = len(trade)
    paid = (1.0 + tariff) * trade
    output, spending = trade.sum(axis=1), paid.sum(axis=0)
    ratio = trade.sum(axis=0) / output
    deficit = trade.sum(axis=0) - output

    def parts(unknowns):
        wage, total = np.exp(unknowns[:size]), np.exp(unknowns[size:2 * size])
        factor = np.exp(unknowns[-1])
        delivered = wage[:, None] * cost_hat * (1.0 + tariff_after) / (1.0 + tariff)
        share = paid / spending * delivered ** -theta
        price = share.sum(axis=0) ** (-1.0 / theta)
        bought = share / share.sum(axis=0) * total
        flows = bought / (1.0 + tariff_after)
        return wage, total, factor, price, flows, (tariff_after * flows).sum(axis=0)

    def gaps(unknowns):
        wage, total, factor, _, flows, revenue = parts(unknowns)
        if imbalances == "additive":
            income = wage * output + deficit + revenue
            closing = factor - 1.0
        else:
            income = factor * ratio * wage * output + revenue
            closing = (wage * output).sum() / output.sum() - 1.0
        markets = flows.sum(axis=1) / (wage * output) - 1.0
        budget = total / income - 1.0
        if imbalances == "additive":  # one market follows from the others; fix the numeraire
            markets[-1] = (wage * output).sum() / output.sum() - 1.0
        return np.concatenate([markets, budget, [closing]])

    start = np.concatenate([np.zeros(size), np.log(spending), [0.0]])
    found = root(gaps, start, tol=1e-13)
    assert np.abs(found.fun).max() < 1e-10
    wage, total, factor, price, flows, revenue = parts(found.x)
    return wage, price, flows, total, revenue, total / spending / factor / price


@pytest.mark.parametrize("imbalances", BOTH)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_agrees_with_a_general_root_finder_with_duties_rebated(imbalances, seed):
    world = made_up(seed, balanced=False)
    found = one_sector(**world, imbalances=imbalances)
    wage, price, flows, total, revenue, real = by_brute_force(**world, imbalances=imbalances)
    np.testing.assert_allclose(found.wage, wage, rtol=SOLVED)
    np.testing.assert_allclose(found.price_index, price, rtol=SOLVED)
    np.testing.assert_allclose(found.trade, flows, rtol=SOLVED)
    np.testing.assert_allclose(found.spending, total, rtol=SOLVED)
    np.testing.assert_allclose(found.revenue, revenue, rtol=SOLVED, atol=1e-9)
    np.testing.assert_allclose(found.welfare, real, rtol=SOLVED)


@pytest.mark.parametrize("imbalances", BOTH)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_every_market_clears_and_everything_earned_is_spent(imbalances, seed):
    world = made_up(seed, draws=3)
    found = one_sector(**world, imbalances=imbalances)
    output, bought = world["trade"].sum(axis=-1), world["trade"].sum(axis=-2)
    earned = found.wage * output
    np.testing.assert_allclose(found.trade.sum(axis=-1), earned, rtol=EXACT)  # Walras: each one
    np.testing.assert_allclose(earned.sum(axis=-1), output.sum(axis=-1), rtol=EXACT)
    revenue = (world["tariff_after"] * found.trade).sum(axis=-2)
    np.testing.assert_allclose(found.revenue, revenue, rtol=EXACT)
    np.testing.assert_allclose(found.spending, found.trade.sum(axis=-2) + revenue, rtol=EXACT)
    before_duty = found.spending - revenue
    if imbalances == "additive":
        np.testing.assert_allclose(before_duty - earned, bought - output, rtol=0, atol=1e-10)
    else:
        kappa = before_duty / earned / (bought / output)
        np.testing.assert_allclose(kappa, kappa[:, :1] * np.ones_like(kappa), rtol=EXACT)
    assert found.residual.max() <= gravity.TOLERANCE


@pytest.mark.parametrize("imbalances", BOTH)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_real_wage_follows_from_the_home_share_alone(imbalances, seed):
    """Arkolakis, Costinot and Rodriguez-Clare 2012: a formula for gains from trade."""
    world = costs_only(made_up(seed))
    np.fill_diagonal(world["cost_hat"], 1.0)
    found = one_sector(**world, imbalances=imbalances)
    share = world["trade"] / world["trade"].sum(axis=0)
    after = found.trade / found.trade.sum(axis=0)
    gains = (np.diagonal(after) / np.diagonal(share)) ** (-1.0 / world["theta"])
    np.testing.assert_allclose(found.wage / found.price_index, gains, rtol=EXACT)
    if imbalances == "multiplicative":
        np.testing.assert_allclose(found.welfare, gains, rtol=EXACT)


def test_gains_from_trade_where_nothing_is_traded_any_more():
    world = costs_only(made_up(2, balanced=True))
    home = np.diagonal(world["trade"]) / world["trade"].sum(axis=0)
    world["cost_hat"] = np.where(np.eye(5) > 0, 1.0, 1e6)
    found = one_sector(**world, imbalances="additive")
    np.testing.assert_allclose(found.welfare, home ** (1.0 / world["theta"]), rtol=1e-9)


def test_two_alike_countries_in_closed_form():
    home, abroad, theta, cost, duty = 80.0, 20.0, 5.0, 0.9, 0.25
    trade = np.array([[home, abroad], [abroad, home]])
    costs = np.array([[1.0, cost], [cost, 1.0]])
    found = one_sector(trade, costs, theta, tariff_after=duty * (1.0 - np.eye(2)))
    weight = abroad * cost**-theta * (1.0 + duty) ** (-theta - 1.0)
    imported = weight / (home + weight)
    price = ((home + abroad * (cost * (1.0 + duty)) ** -theta) / 100.0) ** (-1.0 / theta)
    np.testing.assert_allclose(found.wage, 1.0, rtol=EXACT)
    np.testing.assert_allclose(found.price_index, price, rtol=EXACT)
    np.testing.assert_allclose(found.trade[0, 1], 100.0 * imported, rtol=EXACT)
    np.testing.assert_allclose(found.revenue, 100.0 * imported * duty, rtol=EXACT)
    np.testing.assert_allclose(found.welfare, (1.0 + duty * imported) / price, rtol=EXACT)


@pytest.mark.parametrize("imbalances", BOTH)
@given(seed=st.integers(0, 10_000), unit=st.floats(1e-6, 1e6), dearer=st.floats(0.3, 3.0))
@settings(max_examples=15, deadline=None)
def test_units_and_costs_common_to_all_flows_move_no_wage(imbalances, seed, unit, dearer):
    world = made_up(seed)
    found = one_sector(**world, imbalances=imbalances)
    other = one_sector(**world | {"trade": world["trade"] * unit}, imbalances=imbalances)
    np.testing.assert_allclose(other.wage, found.wage, rtol=SOLVED)
    np.testing.assert_allclose(other.trade, found.trade * unit, rtol=SOLVED)
    other = one_sector(**world | {"cost_hat": world["cost_hat"] * dearer}, imbalances=imbalances)
    np.testing.assert_allclose(other.wage, found.wage, rtol=SOLVED)
    np.testing.assert_allclose(other.price_index, found.price_index * dearer, rtol=SOLVED)
    np.testing.assert_allclose(other.welfare, found.welfare / dearer, rtol=SOLVED)


@pytest.mark.parametrize("imbalances", BOTH)
@given(seed=st.integers(0, 10_000), cut=st.floats(0.01, 0.3))
@settings(max_examples=15, deadline=None)
def test_a_cheaper_flow_grows(imbalances, seed, cut):
    world = made_up(seed)
    before = one_sector(**world, imbalances=imbalances)
    cheaper = world["cost_hat"].copy()
    cheaper[0, 1] *= 1.0 - cut
    after = one_sector(**world | {"cost_hat": cheaper}, imbalances=imbalances)
    assert after.trade[0, 1] > before.trade[0, 1]
    assert after.price_index[1] / after.wage[1] < before.price_index[1] / before.wage[1]


@pytest.mark.parametrize("imbalances", BOTH)
def test_no_change_gives_ones_to_the_last_bit(imbalances):
    world = made_up(3, draws=4)
    world |= {"cost_hat": np.ones((5, 5)), "tariff_after": world["tariff"]}
    for these in (world, costs_only(world) | {"cost_hat": np.ones((5, 5))}):
        found = one_sector(**these, imbalances=imbalances)
        for name in ("wage", "price_index", "welfare"):
            assert (getattr(found, name) == 1.0).all(), name
        assert (found.trade == world["trade"]).all()


def test_one_draw_goes_with_many():
    world = made_up(10, draws=3)
    one = world | {"trade": world["trade"][:1], "theta": world["theta"][:1]}
    found = one_sector(**one)
    alone = one_sector(**{name: part[min(2, len(part) - 1)] for name, part in one.items()})
    assert np.array_equal(found.wage[2], alone.wage)


@pytest.mark.parametrize("imbalances", BOTH)
def test_draws_do_not_depend_on_their_company(imbalances, monkeypatch):
    monkeypatch.setattr("tradesim.economy.closure.CELLS", 25 * 7)  # several blocks
    world = made_up(4, draws=40)
    world["cost_hat"][:20] **= 0.01  # some are solved sooner
    together = one_sector(**world, imbalances=imbalances)
    turned = one_sector(**{name: part[::-1] for name, part in world.items()},
                        imbalances=imbalances)
    for draw in (0, 19, 20, 39):
        alone = one_sector(**{name: part[draw] for name, part in world.items()},
                           imbalances=imbalances)
        for name in OneSector.__slots__:
            assert np.array_equal(getattr(alone, name), getattr(together, name)[draw]), name
            assert np.array_equal(getattr(alone, name), getattr(turned, name)[39 - draw]), name


@pytest.mark.parametrize("imbalances", BOTH)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None)
def test_the_slow_method_comes_to_the_same_end(imbalances, seed):
    world = made_up(seed, draws=3)
    fast = one_sector(**world, imbalances=imbalances)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gravity, "NEWTON_STEPS", 0)
        slow = one_sector(**world, imbalances=imbalances)
    assert not np.array_equal(fast.wage, slow.wage)  # it was another method
    np.testing.assert_allclose(slow.wage, fast.wage, rtol=SOLVED)
    np.testing.assert_allclose(slow.welfare, fast.welfare, rtol=SOLVED)


def test_jacobian_is_the_derivative_of_the_residual():
    world, step = made_up(5, draws=3), 1e-6
    output, bought = world["trade"].sum(axis=-1), world["trade"].sum(axis=-2)
    at = np.random.default_rng(6).uniform(-0.2, 0.2, (3, 5))
    systems = [gravity.Markets(world["trade"] * world["cost_hat"], world["theta"][:, None], output,
                               bought, kind == "additive") for kind in BOTH]
    systems.append(Margins(world["cost_hat"], output, bought))
    for system in systems:
        exact = system.jacobian(at)
        for k in range(5):
            move = np.zeros((3, 5))
            move[:, k] = step
            change = (system.residual(at + move) - system.residual(at - move)) / (2 * step)
            np.testing.assert_allclose(exact[..., k], change, atol=1e-8)


def test_no_solution_is_an_error_with_its_draws_and_residual(monkeypatch):
    monkeypatch.setattr(gravity, "NEWTON_STEPS", 1)
    monkeypatch.setattr(gravity, "DAMPED_STEPS", 1)
    world = made_up(7, draws=4)
    world["cost_hat"][[0, 2]], world["tariff_after"] = 1.0, world["tariff"]
    message = r"one-sector world did not converge in draws 1, 3; largest residual 0\.\d+"
    with pytest.raises(ConvergenceError, match=message) as caught:
        one_sector(**world)
    assert caught.value.draws == (1, 3)
    monkeypatch.setattr(structural_gravity, "SWEEPS", 0)
    with pytest.raises(ConvergenceError, match="margins of a trade matrix did not converge"):
        fitted(world["cost_hat"], np.arange(1.0, 6.0), np.arange(1.0, 6.0)[::-1])


def test_a_surplus_larger_than_output_can_become_is_no_equilibrium():
    trade = np.array([[1.0, 30.0], [1.0, 100.0]])  # country 0 sells 31 and buys 2
    with pytest.raises(ConvergenceError, match="one-sector world"):
        one_sector(trade, [[1.0, 3.0], [1.0, 1.0]], 6.0, "additive")
    assert one_sector(trade, [[1.0, 3.0], [1.0, 1.0]], 6.0, "multiplicative").wage[0] < 0.5


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_fitted_matrix_meets_its_margins_and_keeps_the_pattern(seed):
    rng = np.random.default_rng(seed)
    pattern = rng.lognormal(0.0, 2.0, (3, 6, 6))
    output, spending = rng.uniform(0.1, 10.0, (2, 3, 6))
    flows = fitted(pattern, output, spending)
    scaled = output * (spending.sum(-1) / output.sum(-1))[:, None]
    np.testing.assert_allclose(flows.sum(axis=-1), scaled, rtol=EXACT)
    np.testing.assert_allclose(flows.sum(axis=-2), spending, rtol=EXACT)
    factor = np.log(flows / pattern)  # exporter's plus importer's: no interaction is left
    left = (factor - factor.mean(-1, keepdims=True) - factor.mean(-2, keepdims=True)
            + factor.mean((-1, -2), keepdims=True))
    np.testing.assert_allclose(left, 0.0, atol=1e-11)


def test_conditional_trade_holds_output_and_spending():
    world = costs_only(made_up(8, draws=2))
    flows = conditional(**world)
    for side in (-1, -2):
        np.testing.assert_allclose(flows.sum(axis=side), world["trade"].sum(axis=side), rtol=EXACT)
    one = conditional(**{name: part[1] for name, part in world.items()})
    assert np.array_equal(one, flows[1])


# --- bad input


@pytest.mark.parametrize(("change", "message"), [
    ({"trade": [[1.0, 2.0], [3.0, 0.0]]}, r"trade, home sales: \(1,\): is 0; must be above zero"),
    ({"trade": [[1.0, np.nan], [3.0, 4.0]]}, r"trade: \(0, 1\): is missing; must be zero or more"),
    ({"trade": [[1.0, -2.0], [3.0, 4.0]]}, r"trade: \(0, 1\): is -2; must be zero or more"),
    ({"trade": [1.0, 2.0]}, r"trade: must be a square table .* not of shape \(2,\)"),
    ({"cost_hat": [[1.0, 0.0], [1.0, 1.0]]}, r"cost_hat: \(0, 1\): is 0; must be above zero"),
    ({"cost_hat": np.ones(2)}, r"cost_hat: is of shape \(2,\); must be \(2, 2\)"),
    ({"cost_hat": np.ones((3, 2, 2)), "theta": [4.0, 5.0]}, r"draws: the inputs hold \[2, 3\]"),
    ({"theta": -4.0}, "theta: is -4; must be above zero"),
    ({"theta": [np.inf]}, r"theta: \(0,\): is inf; must be above zero and finite"),
    ({"tariff": -1.0}, "tariff: is -1; must be above -1"),
    ({"imbalances": "none"}, "imbalances: must be multiplicative or additive, not 'none'"),
])
def test_bad_worlds_get_one_clear_error(change, message):
    good = {"trade": [[1.0, 2.0], [3.0, 4.0]], "cost_hat": np.ones((2, 2)), "theta": 4.0}
    with pytest.raises(InputError, match=message):
        one_sector(**good | change)


def test_all_problems_of_a_world_come_together():
    with pytest.raises(InputError) as caught:
        one_sector([[0.0, np.nan], [-1.0, 4.0]], -np.ones((2, 2)), 0.0)
    assert [problem.file for problem in caught.value.problems] == [
        "cost_hat", "theta", "trade", "trade, home sales"]


HEADING = "exporter,importer,value_busd,low,high,grade,source,url,note"


@pytest.mark.parametrize(("old", "new", "message"), [
    ("KAZ,KAZ,58.1056,50.8657", "KAZ,KAZ,0,0", r"world\.csv: KAZ, KAZ: home sales are zero"),
    ("KAZ,RUS,10.2074,9.7", "KAZ,RUS,-10.2074,9.7", r"value_busd: -10\.2074 is out of range"),
    ("KAZ,RUS,10.2074,9.7", "KAZ,RUS,,9.7", "value_busd: must not be empty"),
    ("KAZ,RUS,10.2074,9.7", "KAZ,RSU,10.2074,9.7", r"'RSU' is unknown; did you mean 'RUS'\?"),
    ("KAZ,RUS,10.2074,9.7", None, "KAZ, RUS: row missing"),
    ("KAZ,RUS,10.2074,9.7", "KAZ,CHN,10.2074,9.7", "'KAZ, CHN' stands twice"),
])
def test_a_bad_world_file_gets_one_clear_error(tmp_path, old, new, message):
    file = "baseline/world.csv"
    lines = (calibration_folder() / file).read_text(encoding="utf-8").splitlines()
    assert lines[0] == HEADING
    changed = [line.replace(old, new or "") for line in lines
               if new is not None or not line.startswith(old)]
    assert changed != lines
    (tmp_path / "baseline").mkdir()
    (tmp_path / file).write_text("\n".join(changed), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_world(tmp_path, read_pair(calibration_folder()))


def test_a_calibration_without_a_world_has_none(tmp_path):
    assert read_world(tmp_path, read_pair(calibration_folder())) is None


def test_the_world_agrees_with_the_statistics_used_elsewhere():
    folder = calibration_folder()
    pair = read_pair(folder)
    world = read_world(folder, pair)
    totals = pd.read_csv(folder / "baseline" / "totals.csv")
    flows = pd.read_csv(folder / "data" / "bilateral_trade.csv")
    flows = flows[(flows.year == pair.base_year) & (flows.used == "yes")]
    first = next(iter(pair.counts.values())).reporter
    for row in totals.itertuples():
        cell = world[pair.exporters.index(row.exporter), pair.exporters.index(row.importer)]
        official = 1e6 * row.value_musd
        if row.exporter == pair.partner(row.importer):  # both flows on the reference count
            chosen = flows[(flows.exporter == row.exporter) & (flows.reporter == first)]
            official = chosen.value_usd.item()
        assert cell == pytest.approx(official, rel=1e-9)


# --- what the markets of the groups are handed


WORLD = 1e6 * np.array([[90.0, 9.0, 20.0, 30.0], [8.0, 120.0, 25.0, 40.0],
                        [15.0, 20.0, 900.0, 100.0], [40.0, 50.0, 90.0, 9000.0]])


def change_of(economy, seed=9):
    rng = np.random.default_rng(seed)
    shape = (2, 4, 3, 2, 3, 5)  # order of DIMS: two cases, three years
    duty = Shock(duty=rng.uniform(0.1, 0.9, shape), information=rng.uniform(0, 0.1, shape))
    switch = spread([0.0, 1.0], "case")
    change = resolve(economy, [(switch, duty)])
    rent = 0.3 * change.wedge * switch
    return Change(log_cost=change.log_cost, wedge=change.wedge - rent, rent=rent,
                  availability=switch * rng.uniform(-0.2, 0.0, shape))


def closed(economy, change, theta, imbalances="multiplicative"):
    return closure(WORLD, economy, change, spread(theta, "draw"), imbalances)


@pytest.mark.parametrize("imbalances", BOTH)
def test_handed_over_is_the_world_solved_for_mean_costs(world, imbalances):
    theta = np.linspace(3.0, 6.0, 5)
    change = change_of(world)
    found = closed(world, change, theta, imbalances)
    assert found.wage.shape == (1, 4, 1, 2, 3, 5)
    assert found.spending.shape == found.price_level.shape == (2, 1, 1, 2, 3, 5)
    case, year, draw = 1, 2, 3
    cost, before, after = np.ones((4, 4)), np.zeros((4, 4)), np.zeros((4, 4))
    old, new = (np.broadcast_to(duty, (2, 4, 3, 2, 3, 5)) for duty in third_duties(world, change))
    for i in range(2):  # goods of the pair in the third market that shares a member's duties
        sales = world.other_sales[i, 2][..., 0, 0, draw]
        power = np.log((1 + new) / (1 + old))[i, 2, :, case, year, draw]
        duty = old[i, 2, :, case, year, draw]
        before[i, 2] = (sales * duty).sum() / sales.sum()
        mean = (sales * (1 + duty) * power).sum() / (sales * (1 + duty)).sum()
        after[i, 2] = (1 + before[i, 2]) * np.exp(mean) - 1
    assert after[0, 2] < before[0, 2]
    assert not after[1].any()  # the member itself sells there free of duty
    at_draw = np.s_[..., 0, 0, draw]
    for j in range(2):
        for i in range(4):
            sales = world.sales[j, i][at_draw]
            duty = np.broadcast_to(world.duty, (2, 4, 3, 1, 1, 5))[j, i][at_draw]
            left = (change.wedge + change.rent)[j, i, :, case, year, draw]
            weight = sales * (1.0 + duty)
            power = np.log((1.0 + left) / (1.0 + duty))
            real = change.log_cost[j, i, :, case, year, draw] - power
            offered = np.exp(change.availability[j, i, :, case, year, draw])
            cost[i, j] = (np.exp((weight * real).sum() / weight.sum())
                          * ((weight * offered).sum() / weight.sum()) ** (-1.0 / theta[draw]))
            before[i, j] = (sales * duty).sum() / sales.sum()
            after[i, j] = (1.0 + before[i, j]) * np.exp((weight * power).sum() / weight.sum()) - 1
    alone = one_sector(WORLD, cost, theta[draw], imbalances, tariff=before, tariff_after=after)
    np.testing.assert_allclose(found.wage[0, :, 0, case, year, draw], np.log(alone.wage),
                               atol=EXACT)
    spent = alone.spending / ((1.0 + before) * WORLD).sum(axis=0)
    np.testing.assert_allclose(found.spending[:, 0, 0, case, year, draw], np.log(spent)[:2],
                               atol=EXACT)
    np.testing.assert_allclose(found.price_level[:, 0, 0, case, year, draw],
                               np.log(alone.price_index)[:2], atol=EXACT)
    np.testing.assert_allclose(found.real_income[:, 0, 0, case, year, draw],
                               np.log(alone.welfare)[:2], atol=EXACT)


def test_nothing_pulled_hands_over_nothing(world):
    found = closed(world, change_of(world), np.full(5, 4.0))
    for seed in range(20):
        other = make_economy(seed)
        none = closed(other, resolve(other, []), np.full(5, 4.0))
        assert not any(getattr(none, name).any() for name in ("wage", "spending", "price_level"))
    for name in ("wage", "spending", "price_level"):
        assert not getattr(found, name)[..., 0, :, :].any()  # the case in which nothing is on
        assert getattr(found, name)[..., 1, :, :].any()


def test_wages_and_spending_that_move_alike_move_no_quantity(world):
    none = resolve(world, [])
    found = closed(world, none, np.full(5, 4.0))
    alike = type(found)(wage=found.wage + 0.1, spending=found.spending + 0.1,
                        price_level=found.price_level + 0.1, real_income=found.real_income)
    settled = equilibrium(world, world.sales, none, alike)
    np.testing.assert_allclose(settled.sales, 0.1, atol=SOLVED)
    np.testing.assert_allclose(settled.price, 0.1, atol=SOLVED)


def test_draws_without_an_equilibrium_are_named(world, monkeypatch):
    monkeypatch.setattr(gravity, "NEWTON_STEPS", 0)
    monkeypatch.setattr(gravity, "DAMPED_STEPS", 0)
    still = spread([1.0, 0.0, 1.0, 0.0, 1.0], "draw")
    change = resolve(world, [(still, Shock(duty=spread([0.0, 0.5, 0.5], "year")))])
    with pytest.raises(ConvergenceError, match=r"one-sector world .* in draws 0, 2, 4") as caught:
        closed(world, change, np.full(5, 4.0))
    assert caught.value.draws == (0, 2, 4)


def test_a_group_nobody_buys_does_no_harm():
    economy = make_economy()
    economy.sales[:, 2] = 0.0  # one supplier sells nothing at all
    found = closed(economy, resolve(economy, []), np.full(5, 4.0))
    assert not found.wage.any()


# --- in a run


def simulated(calibration=None, *overrides):
    return model.run("all_levers", calibration=calibration, draws=3,
                     overrides=["horizon=2032", *overrides])


def test_a_run_with_the_closure_keeps_the_reference_and_moves_the_effect():
    without, closed_world = simulated(), simulated(None, "closure=one_sector")
    other = simulated(None, "closure=one_sector", "imbalances=additive")
    for name in ("turnover", "imports"):
        one, two, three = (run[name] for run in (without, closed_world, other))
        assert np.array_equal(one.sel(case="reference"), two.sel(case="reference"))
        effects = [run.sel(case="if_implemented", year=2032) for run in (one, two, three)]
        assert not np.allclose(effects[0], effects[1], rtol=1e-6)
        assert not np.allclose(effects[1], effects[2], rtol=1e-6)
        np.testing.assert_allclose(effects[0], effects[1], rtol=0.05)  # a correction, no upheaval


def test_a_run_with_the_closure_needs_a_world(tmp_path):
    folder = tmp_path / "calibration"
    shutil.copytree(calibration_folder(), folder)
    (folder / "baseline" / "world.csv").unlink()
    assert simulated(folder).sizes["draw"] == 3
    with pytest.raises(InputError, match=r"world\.csv: file is missing; the closure 'one_sector' "
                                         "needs it"):
        simulated(folder, "closure=one_sector")
