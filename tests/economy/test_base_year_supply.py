"""Supply to the partner as what a home market leaves (equation P1), against a market in levels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tradesim.common.arrays import spread
from tradesim.economy.base_year import _home_demand, _supply

PAIR = SimpleNamespace(lines=("meat", "wool"), importers=("LEF", "RIG"),
                       exporters=("LEF", "RIG", "UNI"),
                       lines_in_groups=(("meat", "meat"), ("wool", "wool")))
SALES = spread([[[800.0, 100.0], [5.0, 4.0], [50.0, 10.0]],
                [[6.0, 30.0], [900.0, 700.0], [70.0, 20.0]]], "importer", "exporter", "group")
DEMAND = spread([[0.9, 0.7], [0.8, 0.6]], "importer", "group")


def supply(**elasticities):
    names = {name.replace("__", "."): np.array([value]) for name, value in elasticities.items()}
    return _supply(PAIR, names, SALES, DEMAND)


def sold_abroad(price, more, eta, home, abroad):
    """What a country sells abroad at a price: all it makes less what it buys itself."""
    return (home + abroad) * more * price**eta - home * price**-0.9


def test_a_small_partner_meets_elastic_supply():
    inverse, _ = supply(supply__export__LEF__meat=1.2)
    step = 1e-6
    slope = np.log(sold_abroad(np.exp(step), 1.0, 1.2, 800.0, 6.0) / 6.0) / step
    assert 1.0 / inverse[0, 0, 0].item() == pytest.approx(slope, rel=1e-3)
    assert 1.0 / inverse[0, 0, 0].item() == pytest.approx(1.2 + 2.1 * 800 / 6)


def test_more_of_all_supply_lowers_the_offer_as_it_would_at_home():
    _, response = supply(supply__export__LEF__meat=1.2)
    step = 1e-7
    price = np.exp(-step * response[0, 0, 0].item())
    assert sold_abroad(price, np.exp(step), 1.2, 800.0, 6.0) == pytest.approx(6.0, rel=1e-9)


def test_the_other_way_round_uses_the_other_market():
    inverse, _ = supply(supply__export__RIG__wool=1.0)
    assert 1.0 / inverse[0, 1, 1].item() == pytest.approx(1.0 + 1.6 * 700 / 4)
    assert np.count_nonzero(inverse) == 1


def test_an_elasticity_of_a_third_country_is_taken_as_it_is():
    inverse, response = supply(supply__export__UNI__meat=4.0)
    assert inverse[0, 2, 0].item() == response[0, 2, 0].item() == pytest.approx(0.25)


def test_one_number_for_all_goods_of_an_exporter_gives_way_to_its_own():
    inverse, response = supply(supply__inverse__LEF=0.3, supply__export__LEF__wool=1.0)
    assert inverse[0, 0, 0].item() == response[0, 0, 0].item() == 0.3
    assert 1.0 / inverse[0, 0, 1].item() == pytest.approx(1.0 + 1.7 * 100 / 30)
    assert not inverse[0, 1].any()


def test_nothing_given_is_elastic_to_the_last_bit():
    for found in supply():
        assert not found.any()


def test_home_demand_mixes_both_nests():
    home = spread([[1.0, 0, 0], [0, 1.0, 0]], "importer", "exporter")
    found = _home_demand(SALES, home, spread(3.0), spread(0.8))
    share = 800.0 / 855.0
    assert found[0, 0, 0].item() == pytest.approx(3.0 * (1 - share) + 0.8 * share)
