"""The model passes May 2024: mills' loss lies inside its range, by the numbers of the page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from flour import LOST, PAGE, cells, drawn, fit, happened, predicted, response, tables

from tradesim.common.arrays import spread
from tradesim.economy.adjustment import settle
from tradesim.economy.shocks import Shock

REFRESH = "run: python docs/evidence/flour.py"
NET = ("2024 against 2023, net of the trend", "the same, net of the trend")
MINISTRY = -0.30


@pytest.fixture(scope="module")
def world(base):
    return drawn(base)


def test_page_holds_what_the_script_writes(base):
    page = PAGE.read_text(encoding="utf-8")
    for name, text in tables(base).items():
        assert text in page, f"{name}: {REFRESH}"


def test_what_happened_is_inside_the_80_percent_range(base, world):
    _, first = predicted(world)
    low, high = np.quantile(first, [0.1, 0.9])
    seen = happened(base.folder)
    for loss in (*(seen[name] for name in NET), MINISTRY, -LOST[0]):
        assert low < loss < high


def test_elasticities_of_the_group_leave_it_outside(base, world):
    """The reason for a market of its own."""
    group = base.pair.group_of("flour")
    upper = world.draws["elasticity.ratio"] * (
        1.0 + world.draws["elasticity.scale"]
        * (world.draws[f"elasticity.lower.{group}"] - 1.0))
    alike = response(world, "flour", upper=upper, supply=world.draws[f"supply.home.{group}"])
    assert np.quantile(np.expm1(alike), 0.1) > -0.06


def test_numbers_of_the_calibration_are_those_of_the_fit(base, world):
    names = {"upper": "elasticity.upper.flour", "supply": "supply.home.flour",
             "first_year": "adjustment.first_year.flour"}
    for name, fitted in cells(fit(base, world)).items():
        cell = base.parameters[names[name]]
        used = (cell.distribution.value, cell.low, cell.high)
        np.testing.assert_allclose(used, fitted, rtol=0.03)


def test_the_whole_model_gives_what_one_market_gives(base, world):
    """Second way: the duty of all suppliers removed in the economy of two markets."""
    world = replace(world, inverse_supply=0.0 * world.inverse_supply)
    at = world.pair.lines.index("flour")
    cut = world.line("flour") * world.mask("importer", ["MNG"]) * (1.0 - world.home)
    settled = settle(world, world.sales, [(spread(1.0), Shock(duty=cut))],
                     at_once=[False]).settled
    output = (settled.sales[0, 0, at] - settled.home_price[0, 0, at]).ravel()
    np.testing.assert_allclose(output, response(world, "flour"), atol=1e-9)


def test_the_fit_learns_from_the_month(base, world):
    found = fit(base, world)
    assert 500 < found.weight.sum() ** 2 / (found.weight**2).sum() < len(found.weight)
    assert found.quantile("upper", 0.5)[0] > 1.5 * np.sqrt(2.0 * 50.0)
