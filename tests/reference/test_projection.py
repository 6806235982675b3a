"""The reference path of a run: rows of the posterior, and how GDP moves it."""

from __future__ import annotations

import numpy as np

from tradesim.inputs.parameters import Cube, draw
from tradesim.reference.projection import DRAWN, path_draws, reference_path

YEARS = tuple(range(2025, 2036))


def everything(base, cube):
    """What a path needs: rows of the posterior and named parameters in their middle."""
    numbers = {name: item for name, item in base.parameters.items()
               if name.startswith(("gdp.", "corridor."))}
    return draw(numbers, cube, {}) | path_draws(base, cube, YEARS)


def test_rows_of_the_posterior_stay_whole_and_come_alike(base):
    drawn = path_draws(base, Cube.random(300, 2), YEARS)
    for n in range(0, 300, 17):
        match = np.flatnonzero((base.posterior["constant"].to_numpy()
                                == drawn["posterior.constant"][n]).all(axis=1))
        assert len(match) == 1
        for name in DRAWN:
            np.testing.assert_array_equal(base.posterior[name].to_numpy()[match[0]],
                                          drawn[f"posterior.{name}"][n])
    size = base.posterior.sizes["draw"]
    even = Cube.table({"posterior": (np.arange(size) + 0.5) / size}, Cube.point())
    np.testing.assert_array_equal(
        np.sort(path_draws(base, even, YEARS)["posterior.elasticity_gdp"]),
        np.sort(base.posterior["elasticity_gdp"].to_numpy()))


def test_the_column_posterior_moves_along_the_main_axis(base):
    u = (np.arange(200) + 0.5) / 200
    drawn = path_draws(base, Cube.table({"posterior": u}, Cube.point()), YEARS)
    columns = [drawn["posterior.elasticity_gdp"], *drawn["posterior.constant"].T,
               drawn["posterior.persistence"]]
    assert max(abs(np.corrcoef(u, column)[0, 1]) for column in columns) > 0.7


def test_errors_of_gdp_enter_by_size_and_by_prices(base):
    error = np.zeros((1, len(YEARS), 2))
    error[0, 0] = [0.5, 1.0]
    numbers = everything(base, Cube.point())
    other = numbers | {"innovation.gdp": error, "gdp.error_correlation": np.zeros(1)}
    change = (reference_path(base, other, YEARS).log_flow
              - reference_path(base, numbers, YEARS).log_flow)[0]
    sd = np.array([numbers[f"gdp.error_sd.{code}"][0] for code in base.pair.importers])
    gdp = numbers["gdp.error_persistence"][0] ** np.arange(len(YEARS))[:, None] * error[0, 0] * sd
    rate = numbers["gdp.error_price_share"][0] * (gdp[:, 1] - gdp[:, 0])
    beta = numbers["posterior.elasticity_gdp"][0]
    gamma = numbers["posterior.elasticity_exchange_rate"][0]
    np.testing.assert_allclose(change, beta * gdp.sum(axis=1)[:, None] + gamma * rate[:, None],
                               atol=1e-12)


def test_without_shocks_flows_grow_with_forecast_gdp(base):
    history = base.history
    size = (history.forecast.log_gdp
            - history.log_gdp[history.years.index(2023)]).sum(axis=1)[:len(YEARS)]
    drawn = everything(base, Cube.point())
    for key in ("persistence", "residual", "elasticity_exchange_rate"):
        drawn[f"posterior.{key}"] = 0.0 * drawn[f"posterior.{key}"]
    np.testing.assert_allclose(
        reference_path(base, drawn, YEARS).log_flow[0, :, 0],
        drawn["posterior.constant"][0, 0] + drawn["posterior.elasticity_gdp"][0] * size)
