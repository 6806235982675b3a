"""The reference path of a run: rows by specification and weight, and how GDP moves each form."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import xarray as xr
from scipy.stats import kstest, t

from tradesim.common.errors import InputError
from tradesim.inputs.parameters import Cube
from tradesim.inputs.posterior import pooled
from tradesim.reference.projection import DRAWN, path_draws, reference_path

YEARS = tuple(range(2025, 2036))
FORMS = {
    "nominal": {"title": "a", "size": "nominal_gdp"},
    "real": {"title": "b", "size": "real_gdp"},
    "share": {"title": "c", "size": "imports", "elasticity": {"kind": "fixed", "value": 1.0}},
    "tails": {"title": "d", "size": "nominal_gdp",
              "innovations": {"kind": "student", "degrees": 4.0}},
}
WEIGHTS = {"nominal": 0.25, "real": 0.4, "tails": 0.35}


@pytest.fixture(scope="module")
def mixed(base):
    """The shipped baseline with four specifications whose rows can be told apart."""
    one = pooled(base.posterior)
    parts = [one.assign(constant=one["constant"] + place) for place in range(len(FORMS))]
    both = xr.concat(parts, dim=xr.DataArray(list(FORMS), dims="specification",
                                             name="specification"))
    attrs = one.attrs | {"weights": json.dumps(WEIGHTS), "specifications": json.dumps(FORMS)}
    return dataclasses.replace(base, posterior=both.assign_attrs(attrs))


def everything(base, cube, specification="stacked"):
    """What a path needs: rows of the posterior and named parameters in their middle."""
    from tradesim.inputs.parameters import draw

    numbers = {name: item for name, item in base.parameters.items()
               if name.startswith(("gdp.", "imports.", "corridor."))}
    return draw(numbers, cube, {}) | path_draws(base, cube, YEARS, specification)


def test_specifications_come_in_proportion_to_their_weights(mixed):
    place = path_draws(mixed, Cube.random(20_000, 1), YEARS)["posterior.specification"]
    share = np.bincount(place.astype(int), minlength=4) / place.size
    np.testing.assert_allclose(share, [0.25, 0.4, 0.0, 0.35], atol=0.015)
    even = Cube.table({"specification": (np.arange(2000) + 0.5) / 2000}, Cube.point())
    exact = path_draws(mixed, even, YEARS)["posterior.specification"]
    np.testing.assert_array_equal(np.bincount(exact.astype(int), minlength=4), [500, 800, 0, 700])
    assert (np.diff(exact) >= 0).all()


def test_rows_are_of_the_chosen_specification_and_stay_whole(mixed):
    drawn = path_draws(mixed, Cube.random(300, 2), YEARS)
    place = drawn["posterior.specification"].astype(int)
    for n in range(0, 300, 17):
        rows = mixed.posterior.isel(specification=place[n])
        match = np.flatnonzero((rows["constant"].to_numpy()
                                == drawn["posterior.constant"][n]).all(axis=1))
        assert len(match) == 1
        for name in DRAWN:
            np.testing.assert_array_equal(rows[name].to_numpy()[match[0]],
                                          drawn[f"posterior.{name}"][n])


def test_one_specification_may_be_asked_for_even_without_weight(mixed):
    drawn = path_draws(mixed, Cube.random(50, 1), YEARS, "share")
    assert (drawn["posterior.specification"] == 2).all()
    assert (drawn["posterior.imports"] == 1).all()
    with pytest.raises(InputError, match=r"specification: reel: the posterior holds no draws of "
                       r"it; it holds stacked, nominal, real, share, tails; did you mean 'real'"):
        path_draws(mixed, Cube.random(5, 1), YEARS, "reel")
    with pytest.raises(InputError, match=r"run `tradesim calibrate --specification zzz`"):
        path_draws(mixed, Cube.random(5, 1), YEARS, "zzz")


def test_the_column_posterior_moves_along_the_main_axis(base):
    u = (np.arange(200) + 0.5) / 200
    drawn = path_draws(base, Cube.table({"posterior": u}, Cube.point()), YEARS)
    columns = [drawn["posterior.elasticity_gdp"], *drawn["posterior.constant"].T,
               drawn["posterior.persistence"][:, 0]]
    assert max(abs(np.corrcoef(u, column)[0, 1]) for column in columns) > 0.7


def test_heavy_tails_are_drawn_where_asked_for(mixed):
    drawn = path_draws(mixed, Cube.random(4000, 3), YEARS, "tails")
    assert kstest(drawn["innovation.flow"][:, 3, 0], t(4).cdf).pvalue > 0.01
    both = path_draws(mixed, Cube.random(4000, 3), YEARS)
    same = both["posterior.specification"] == 3
    np.testing.assert_array_equal(both["innovation.flow"][same], drawn["innovation.flow"][same])
    assert kstest(both["innovation.flow"][~same][:, 3, 0], "norm").pvalue > 0.01


def moved(base, specification, **given):
    """Change of log flows (year, importer) when something happens, against the middle."""
    cube = Cube.point()
    middle = everything(base, cube, specification)
    other = middle | given
    return (reference_path(base, other, YEARS).log_flow
            - reference_path(base, middle, YEARS).log_flow)[0], middle


def test_errors_of_gdp_enter_every_form_by_its_own_equation(mixed):
    error = np.zeros((1, len(YEARS), 2))
    error[0, 0] = [0.5, 1.0]
    for name in ("nominal", "real", "share"):
        change, numbers = moved(mixed, name, **{"innovation.gdp": error,
                                                "gdp.error_correlation": np.zeros(1)})
        sd = np.array([numbers[f"gdp.error_sd.{code}"][0] for code in mixed.pair.importers])
        fade = numbers["gdp.error_persistence"][0] ** np.arange(len(YEARS))
        gdp = fade[:, None] * error[0, 0] * sd
        price = numbers["gdp.error_price_share"][0]
        size = {"nominal": gdp.sum(axis=1)[:, None].repeat(2, 1), "share": gdp,
                "real": (1 - price) * gdp.sum(axis=1)[:, None].repeat(2, 1)}[name]
        rate = price * (gdp[:, 1] - gdp[:, 0])
        beta = numbers["posterior.elasticity_gdp"][0]
        gamma = numbers["posterior.elasticity_exchange_rate"][0]
        np.testing.assert_allclose(change, beta * size + gamma * rate[:, None], atol=1e-12)


def test_imports_have_an_error_of_their_own_where_they_are_known(mixed):
    shock = np.zeros((1, len(YEARS), 2))
    shock[0, 1] = 1.0
    change, numbers = moved(mixed, "share", **{"innovation.imports": shock})
    fade = numbers["imports.error_persistence"][0] ** np.arange(len(YEARS) - 1)
    np.testing.assert_allclose(change[1:, 0], numbers["posterior.elasticity_gdp"][0]
                               * numbers["imports.error_sd"][0] * fade)
    np.testing.assert_array_equal(change[:, 1], 0.0)
    change, _ = moved(mixed, "nominal", **{"innovation.imports": shock})
    np.testing.assert_array_equal(change, 0.0)


def test_without_shocks_flows_grow_with_the_forecast_of_their_size(mixed):
    history = mixed.history
    at = history.years.index(2023)
    cube = Cube.point()
    for name, size in (
            ("nominal", (history.forecast.log_gdp - history.log_gdp[at]).sum(axis=1)),
            ("real", (history.forecast.log_real - history.log_real[at]).sum(axis=1)),
            ("share", (history.forecast.log_imports - history.log_imports[at])[:, 0])):
        drawn = everything(mixed, cube, name)
        for key in ("persistence", "residual", "elasticity_exchange_rate"):
            drawn[f"posterior.{key}"] = 0.0 * drawn[f"posterior.{key}"]
        path = reference_path(mixed, drawn, YEARS)
        np.testing.assert_allclose(
            path.log_flow[0, :, 0], drawn["posterior.constant"][0, 0]
            + drawn["posterior.elasticity_gdp"][0] * size[:len(YEARS)])


def test_a_point_run_takes_the_specification_of_most_weight(base):
    weights = json.loads(base.posterior.attrs["weights"])
    names = [str(name) for name in base.posterior["specification"].values]
    drawn = path_draws(base, Cube.point(), (2025, 2026))
    assert names[int(drawn["posterior.specification"].item())] == max(weights, key=weights.get)
