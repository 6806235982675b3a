"""The reference path of a run: which rows of the posterior, which chances, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

from tradesim.common.arrays import Array, autoregression
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.growth import PUBLISHED, Growth, growth_draws, outlooks
from tradesim.inputs.parameters import Cube
from tradesim.reference import gravity
from tradesim.reference import new_goods as new

DRAWN = ("constant", "elasticity_gdp", "elasticity_exchange_rate", "closure_effect",
         "persistence", "innovation_sd", "bias", "error_sd", "residual")
"""What a run takes from the posterior."""


def path_draws(base: Baseline, cube: Cube, years: tuple[int, ...],
               growth: Growth = PUBLISHED) -> dict[str, Array]:
    """Draw what moves the reference path apart from named parameters; first axis ``draw``.

    Rows of the posterior (``posterior.*``), drawn whole so that their correlations stay,
    innovations of the projection (``innovation.*``), and which path GDP takes (``growth.*``).
    """
    def uniform(name: str, columns: tuple[str, ...] = base.pair.importers) -> Array:
        return gravity.innovations(cube.column, f"innovation.{name}", years, columns)

    return {**_posterior_rows(base.posterior, cube.column("posterior")),
            "innovation.flow": np.asarray(ndtri(uniform("flow"))),
            "innovation.gdp": np.asarray(ndtri(uniform("gdp"))),
            "innovation.corridor": uniform("corridor", ("disruption", "severity")),
            "innovation.new_goods": uniform("new_goods", new.columns(base.pair.importers)).reshape(
                cube.draws, len(years), len(base.pair.importers), -1),
            **growth_draws(base.pair.importers, growth, cube.draws)}


def _posterior_rows(fitted: xr.Dataset, column: Array) -> dict[str, Array]:
    """Rows of the posterior, picked by a column of uniform numbers."""
    size = fitted.sizes["draw"]
    row = _along_main_axis(fitted)[np.minimum(column * size, size - 1).astype(int)]
    return {f"posterior.{name}": fitted[name].to_numpy()[row] for name in DRAWN}


def _along_main_axis(posterior: xr.Dataset) -> NDArray[np.intp]:
    """Order of posterior rows along their first principal axis, for use as one factor."""
    table = np.column_stack([posterior[name].to_numpy().reshape(posterior.sizes["draw"], -1)
                             for name in ("elasticity_gdp", "constant", "persistence")])
    scaled = (table - table.mean(axis=0)) / table.std(axis=0)
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    return np.argsort(scaled @ (axes[0] * np.sign(axes[0, 0])), kind="stable")


def reference_path(base: Baseline, draws: Mapping[str, Array],
                   years: Sequence[int]) -> gravity.ReferencePath:
    r"""Project flows, demand and the corridor without new policy (equations 2, 3, S1, N1-N3).

    Nominal GDP is the forecast times the exponential of an error :math:`e`. Of that error the
    share :math:`\psi` is price and moves the real exchange rate:

    .. math::

        \ln Y_{ct} = \overline{\ln Y}_{ct} + e_{ct}, \quad
        q_t = \bar q_t + \psi (e_{2t} - e_{1t})
    """
    history, ahead = base.history, slice(0, len(years))
    forecast = outlooks(history, draws)
    base_year = history.years.index(int(base.posterior.attrs["base_year"]))
    error = _gdp_error(base, draws)
    price_share = draws["gdp.error_price_share"][:, None]
    growth = forecast.log_gdp[:, ahead] - history.log_gdp[base_year] + error
    closed = gravity.corridor(
        draws["innovation.corridor"], draws["corridor.disruption_probability"],
        draws["corridor.persistence"], draws["corridor.closed_given_disrupted"],
        draws["corridor.closed_share_restricted"], draws["corridor.closed_share_closed"],
        begun=bool(history.closed_share[-1] > gravity.DISRUPTED))
    sd, arrived = draws["posterior.innovation_sd"], None
    if (goods := new.new_goods(draws, base.pair.importers)) is not None:
        arrived = (new.arrivals(goods, draws["innovation.new_goods"][:, ahead])
                   - new.expected(goods, len(years)))
        sd = sd * new.left(goods, sd, draws["posterior.persistence"])
    return gravity.reference(
        {name: draws[f"posterior.{name}"] for name in DRAWN},
        innovations=draws["innovation.flow"] * sd[:, None, :],
        size=growth.sum(axis=-1),
        log_growth=growth,
        exchange_rate=forecast.exchange_rate[:, ahead]
        + price_share * (error[:, :, 1] - error[:, :, 0]),
        closed_share=closed,
        new_goods=arrived,
    )


def _gdp_error(base: Baseline, draws: Mapping[str, Array]) -> Array:
    """Errors of the forecasts of log nominal GDP (draw, year, importer)."""
    shocks = draws["innovation.gdp"]
    correlation = draws["gdp.error_correlation"][:, None]
    mixed = np.stack([shocks[..., 0], correlation * shocks[..., 0]
                      + np.sqrt(1.0 - correlation**2) * shocks[..., 1]], axis=-1)
    sd = np.stack([draws[f"gdp.error_sd.{importer}"] for importer in base.pair.importers], axis=-1)
    return autoregression(
        mixed * sd[:, None, :], draws["gdp.error_persistence"], np.zeros(2))
