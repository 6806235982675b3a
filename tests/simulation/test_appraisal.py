"""Appraisal of a project with made-up gains: geometric sums, known rates of return."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from tradesim.simulation.appraisal import appraise, rate_of_return, streams

YEARS = np.arange(2025, 2051)
GAIN, CAPITAL = 10.0, 100.0


ROAD = SimpleNamespace(follows="", settings={"capital_cost": None})
BASE = SimpleNamespace(levers={"road": ROAD})
ASKED = SimpleNamespace(levers={"road": {}})
DRAWS = {"road.start": np.array([2029.0, 2029.0]), "road.delay": np.array([0.0, 1.0]),
         "road.success": np.array([0.1, 0.9]), "road.probability": np.array([0.5, 0.5]),
         "road.capital_cost": np.array([1e-4, 1e-4]), "appraisal.years": np.array([30.0, 25.0]),
         "appraisal.growth": np.array([0.0, 0.05]), "appraisal.life": np.array([40.0, 20.0]),
         "appraisal.haulier_share": np.array([0.5, 0.5]), "discount.rate": np.array([0.08, 0.08]),
         "discount.inflation": np.zeros(2)}


@pytest.fixture
def dataset():
    shape = (3, 2, len(YEARS))
    gain = np.zeros((2, *shape))
    gain[0, 1:, :, 4:] = GAIN
    cost = np.zeros(shape)
    cost[1:, :, :4] = CAPITAL / 4.0
    coords = {"importer": ["LEF", "RIG"], "case": ["reference", "scenario", "if_implemented"],
              "year": YEARS}
    dims = ("importer", "case", "draw", "year")
    return xr.Dataset({"welfare": (dims, gain), "haulier_gain": (dims, 0.2 * gain),
                       "policy_cost": (dims[1:], cost)}, coords)


def test_gains_go_on_growing_to_the_end_of_operation(dataset):
    yearly = streams(BASE, ASKED, DRAWS, dataset).sel(case="if_implemented", item="LEF")
    first, second = yearly.isel(draw=0), yearly.isel(draw=1)
    assert first.sel(year=slice(2029, 2058)).to_numpy() == pytest.approx(np.full(30, GAIN))
    assert not first.sel(year=slice(2059, None)).any()
    later = GAIN * 1.05 ** np.arange(1, 5)
    assert second.sel(year=slice(2051, 2054)).to_numpy() == pytest.approx(later)
    assert not second.sel(year=slice(2055, None)).any()


def test_present_values_are_geometric_sums(dataset):
    values = appraise(BASE, ASKED, DRAWS, dataset).sel(case="if_implemented").isel(appraised=0)
    annuity = (1.0 - 1.08**-30) / 0.08 * 1.08 * 1.08**-4  # thirty gains, the first in year four
    assert values.sel(item="LEF").item() == pytest.approx(GAIN * annuity)
    assert values.sel(item="RIG").item() == 0.0
    assert values.sel(item="hauliers").item() == pytest.approx(0.1 * GAIN * annuity)
    spent = sum(CAPITAL / 4.0 * 1.08**-year for year in range(4))
    assert values.sel(item="cost").item() == pytest.approx(spent)
    left = CAPITAL * (1.0 - 30.0 / 40.0) * 1.08 ** -(2059 - 2025)  # when the thirty years are over
    assert values.sel(item="residual").item() == pytest.approx(left)


def test_gains_in_current_dollars_are_brought_to_first_prices(dataset):
    rising = DRAWS | {"discount.inflation": np.array([0.02, 0.03])}
    plain, real = (streams(BASE, ASKED, draws, dataset) for draws in (DRAWS, rising))
    prices = np.array([[1.02], [1.03]]) ** (plain["year"].to_numpy() - 2025)
    for item in ("LEF", "hauliers"):
        np.testing.assert_allclose(real.sel(item=item) * prices, plain.sel(item=item))
    for item in ("cost", "residual"):  # of today's prices as they are
        np.testing.assert_array_equal(real.sel(item=item), plain.sel(item=item))
    values = appraise(BASE, ASKED, rising, dataset).sel(case="if_implemented", item="LEF")
    yearly = 1.08 * 1.02
    annuity = (1.0 - yearly**-30) / (yearly - 1.0) * yearly * yearly**-4
    assert values.isel(appraised=0).item() == pytest.approx(GAIN * annuity)


def test_a_failed_lever_leaves_nothing_behind(dataset):
    values = appraise(BASE, ASKED, DRAWS, dataset).sel(case="scenario", item="residual")
    assert values.isel(appraised=0).item() > 0.0
    assert values.isel(appraised=1).item() == 0.0  # fails; and is worn out at the end besides


@pytest.mark.parametrize(("gains", "rate"), [
    ([0.0, 110.0], 0.10), ([0.0, 0.0, 144.0], 0.20), ([0.0, 50.0, 50.0], 0.0), ([0.0, 250.0], 1.5),
    ([0.0, 1100.0], 10.0), ([0.0, 10.0], -0.9)])
def test_rates_of_return_known_beforehand(gains, rate):
    cost = [100.0, *np.zeros(len(gains) - 1)]
    yearly = xr.DataArray([[gains], [cost]], dims=("item", "draw", "year"),
                          coords={"item": ["LEF", "cost"]})
    assert rate_of_return(yearly) == pytest.approx(rate, abs=1e-9)


def test_a_last_year_that_costs_more_than_it_brings_hides_no_rate():
    gains, cost = [0.0, *[10.0] * 20, 0.0], [100.0, *[0.0] * 20, 1.0]
    yearly = xr.DataArray([[gains], [cost]], dims=("item", "draw", "year"),
                          coords={"item": ["LEF", "cost"]})
    assert rate_of_return(yearly) == pytest.approx(0.0773, abs=1e-4)


@pytest.mark.parametrize(("gains", "cost"), [([0.0, 0.9], [100.0, 0.0]),
                                             ([200.0, 50.0], [100.0, 0.0])])
def test_gains_that_never_repay_or_come_first_have_no_rate(gains, cost):
    yearly = xr.DataArray([[gains], [cost]], dims=("item", "draw", "year"),
                          coords={"item": ["LEF", "cost"]})
    assert np.isnan(rate_of_return(yearly))
