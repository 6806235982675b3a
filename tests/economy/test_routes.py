"""Route choice against its limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tradesim.common.arrays import spread
from tradesim.economy.routes import carriage, carried, through_corridor

EXACT = 1e-12


def by_route(*values):
    return np.stack([spread(float(value)) for value in values])


def with_choice(world, theta):
    return replace(world, route_choice=spread(float(theta)))


def saving(world, *given):
    """Change of the cost of carriage, negative where it falls."""
    return carried(world, *given)[0]


def own_saving(world, freight, days):
    """What each route saves, as a share of value."""
    return -(world.pass_through * freight / world.unit_value + world.time_value * days)


def test_routes_share_out_all_goods(world):
    """Shares by hand, their sum, and that of the corridor's routes by the older function."""
    given = by_route(60, 5), by_route(0.5, 1.0), by_route(1.0, 0.4)
    share = carried(world, *given)[3]
    np.testing.assert_allclose(share.sum(axis=0), 1.0, rtol=EXACT)
    cost = own_saving(world, *given[:2])
    weight = world.route_share * given[2] * np.exp(-world.route_choice * cost)
    np.testing.assert_allclose(share, weight / weight.sum(axis=0), rtol=1e-10)
    np.testing.assert_allclose((share * world.corridor).sum(axis=0),
                               through_corridor(world, *given), rtol=EXACT)


def test_carriage_is_the_mean_over_routes(world):
    expected = sum(world.route_share[k] * (world.freight[k] / world.unit_value
                                           + world.time_value * world.days[k]) for k in range(2))
    np.testing.assert_allclose(carriage(world), expected, rtol=EXACT)


def test_nothing_saved_changes_nothing(world):
    np.testing.assert_array_equal(saving(world, by_route(0, 0), by_route(0, 0)), 0.0)


def test_no_choice_gives_the_share_weighted_mean(world):
    freight, days = by_route(40, 10), by_route(0.5, 1.0)
    change = saving(with_choice(world, 1e-7), freight, days)
    expected = (world.route_share * own_saving(world, freight, days)).sum(axis=0)
    np.testing.assert_allclose(change, expected, rtol=1e-6)


def test_perfect_choice_gives_the_largest_saving(world):
    freight, days = by_route(90, 10), by_route(0.5, 0.0)
    change = saving(with_choice(world, 1e4), freight, days)
    best = own_saving(world, freight, days).min(axis=0)
    assert np.abs(change - best).max() < 2e-4  # ln(1/share)/theta is left


def test_choice_adds_to_the_saving(world):
    freight, days = by_route(80, 0), by_route(0.0, 0.0)
    fixed = saving(with_choice(world, 1e-7), freight, days)
    assert (saving(world, freight, days) < fixed).all()


def test_a_route_saves_no_more_than_it_costs(world):
    everything = saving(world, world.freight, world.days)
    np.testing.assert_array_equal(saving(world, 10 * world.freight, 10 * world.days), everything)


def test_an_unused_route_does_not_matter(world):
    unused = replace(world, route_share=np.stack([0 * world.route_share[0],
                                                  1 + 0 * world.route_share[1]]))
    np.testing.assert_allclose(saving(unused, by_route(100, 0), by_route(1, 0)), 0.0, atol=EXACT)


def test_hand_computed(world):
    plain = replace(
        world, route_choice=spread(20.0), pass_through=spread(0.5), unit_value=spread(1000.0),
        time_value=spread(0.01), freight=by_route(200, 300), days=by_route(5, 5),
        route_share=by_route(0.25, 0.75))
    # route one saves 0.5 * 80 / 1000 + 0.01 * 1 = 0.05 of value
    expected = -np.log(0.25 * np.exp(20 * 0.05) + 0.75) / 20
    assert saving(plain, by_route(80, 0), by_route(1, 0)).item() == pytest.approx(expected)
