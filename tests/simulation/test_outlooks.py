"""Turnover by path of GDP, and what statistics would read: exact, and by second routes."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from tradesim.inputs.growth import NAMED
from tradesim.inputs.parameters import Cube
from tradesim.simulation.model import run
from tradesim.simulation.outlooks import as_reported
from tradesim.simulation.summary import headline, probability

DRAWS = 400


@pytest.fixture(scope="module")
def found():
    return run("base", draws=DRAWS)


def test_each_path_is_the_run_that_takes_it(found):
    for growth in NAMED:
        other = run("base", draws=DRAWS, overrides=[f"growth={growth}"])
        np.testing.assert_allclose(
            found["turnover_by_growth"].sel(growth=growth).transpose("count", "draw", "year"),
            other["turnover"].sel(case="reference").transpose("count", "draw", "year"), rtol=1e-12)
        assert headline(other)["growth"] == headline(found)["growth"]
        front = headline(found)["growth"][growth]["2035"]
        assert front["p50"] == headline(other)["turnover"]["2035"]["reference"]["p50"]
        assert front["probability"] == headline(other)["target"]["probability"]["2035"]["reference"]


def test_rates_of_the_scenario_are_a_path_of_their_own():
    own = run("base", draws=20, overrides=["growth.KAZ=4", "growth.MNG=5.5"])
    assert own["growth"].to_numpy().tolist() == [*NAMED, "own"]
    np.testing.assert_allclose(
        own["turnover_by_growth"].sel(growth="own").transpose("count", "draw", "year"),
        own["turnover"].sel(case="reference").transpose("count", "draw", "year"), rtol=1e-12)


def test_faster_growth_of_both_means_more_trade(base):
    chance = [headline(run("base", draws=DRAWS, overrides=[f"growth.{code}={rate}" for code in
                                                           base.pair.importers]))["target"]
              ["probability"]["2035"]["reference"] for rate in (1, 5, 9)]
    assert chance == sorted(chance)
    assert chance[0] < chance[-1]


def test_gdp_is_the_path_times_its_error(base, found):
    point = run("base", draws=1)
    np.testing.assert_allclose(np.log(point["gdp"].isel(draw=0)),
                               base.history.forecast.log_gdp[:11], rtol=1e-10)
    middle = np.log(found["gdp"]).median("draw") - base.history.forecast.log_gdp[:11]
    spread = np.log(found["gdp"]).std("draw")
    assert (np.abs(middle) < 4 * 1.2533 * spread / np.sqrt(DRAWS)).all()


def test_reported_probability_is_that_of_a_normal_convolution(base):
    """Flows lognormal, errors lognormal: the report is lognormal with both variances."""
    size, spread, wide, years = 40_000, 0.2, {"kazakh": 0.2, "mongolian": 0.4}, [2025, 2026]
    cube = Cube.random(size, 3)
    rng = np.random.default_rng(4)
    flow = np.zeros((2, 1, size, 2, 2, 1))  # one direction only
    flow[:, 0, :, :, 0, 0] = 400e6 * np.exp(spread * rng.standard_normal((size, 2)))
    data = xr.Dataset({"trade": (("count", "case", "draw", "year", "importer", "group"), flow)}, {
        "count": list(base.pair.counts), "case": ["reference"], "year": years,
        "importer": list(base.pair.importers)}, {"target_value": 500e6})
    sd = np.zeros((size, 2, 2))
    for name, count in base.pair.counts.items():
        sd[:, :, base.pair.reporters.index(count.reporter)] = wide[name]
    data["turnover_reported"] = as_reported(base, data, {"posterior.error_sd": sd}, cube)
    for name, error in wide.items():
        exact = norm.sf(np.log(500 / 400) / np.hypot(spread, error))
        drawn = probability(data, "turnover_reported").sel(count=name, case="reference")
        np.testing.assert_allclose(drawn, exact, atol=4.5 * np.sqrt(exact * (1 - exact) / size))
    errors = np.log(data["turnover_reported"] / data["trade"].sum(["importer", "group"]))
    flat = errors.sel(case="reference").transpose("draw", "count", "year").to_numpy()
    independent = np.corrcoef(flat.reshape(size, -1).T) - np.eye(4)
    assert np.abs(independent).max() < 4.5 / np.sqrt(size)


def test_errors_widen_the_range_and_one_draw_has_none(base, found):
    for count in base.pair.counts:
        spread = {name: np.log(found[name].sel(count=count, case="reference", year=2025)).std()
                  for name in ("turnover", "turnover_reported")}
        assert spread["turnover_reported"] > spread["turnover"]
    point = run("base", draws=1)
    np.testing.assert_allclose(point["turnover_reported"], point["turnover"], rtol=1e-12)


def test_both_counts_stand_side_by_side(found):
    target = headline(found)["target"]
    assert set(target["counts"]) == {"kazakh", "mongolian"}
    assert target["counts"]["kazakh"]["probability"] == target["probability"]
    for count, parts in target["counts"].items():
        for name, variable in (("probability", "turnover"), ("as_reported", "turnover_reported")):
            reached = found[variable].sel(count=count, year=2035, case="reference") >= 500e6
            assert parts[name]["2035"]["reference"] == float(reached.mean())
    assert (target["counts"]["mongolian"]["probability"]["2035"]["reference"]
            < target["probability"]["2035"]["reference"])
