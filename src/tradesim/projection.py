"""The reference path of a run: which rows of the posterior, which chances, and what follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri

from tradesim import dynamics
from tradesim.baseline import Baseline
from tradesim.dims import Array
from tradesim.parameters import Cube


def path_draws(base: Baseline, cube: Cube, years: tuple[int, ...]) -> dict[str, Array]:
    """Draw what moves the reference path apart from named parameters.

    Parameters
    ----------
    base
        The baseline.
    cube
        Where the draws come from.
    years
        Projected years.

    Returns
    -------
    dict
        Rows of the posterior (``posterior.*``), drawn whole so that their correlations stay;
        and innovations of the projection (``innovation.*``); first axis ``draw``.
    """
    values = {}
    row = np.minimum(cube.column("posterior") * base.posterior.sizes["draw"],
                     base.posterior.sizes["draw"] - 1).astype(int)
    order = _along_main_axis(base.posterior)
    for name in ("constant", "elasticity_gdp", "elasticity_exchange_rate", "closure_effect",
                 "persistence", "innovation_sd", "bias", "residual"):
        values[f"posterior.{name}"] = base.posterior[name].to_numpy()[order[row]]

    def normal(name: str) -> Array:
        return np.asarray(ndtri(cube.column(name)))

    importers = base.pair.importers
    values["innovation.flow"] = dynamics.innovations(normal, "innovation.flow", years, importers)
    values["innovation.gdp"] = dynamics.innovations(normal, "innovation.gdp", years, importers)
    values["innovation.corridor"] = dynamics.innovations(
        cube.column, "innovation.corridor", years, ("disruption", "severity"))
    return values


def _along_main_axis(posterior: xr.Dataset) -> NDArray[np.intp]:
    """Order of posterior rows along their first principal axis, for use as one factor."""
    table = np.column_stack([posterior[name].to_numpy().reshape(posterior.sizes["draw"], -1)
                             for name in ("elasticity_gdp", "constant", "persistence")])
    scaled = (table - table.mean(axis=0)) / table.std(axis=0)
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    return np.argsort(scaled @ (axes[0] * np.sign(axes[0, 0])), kind="stable")


def reference_path(base: Baseline, draws: Mapping[str, Array],
                   years: Sequence[int]) -> dynamics.Reference:
    """Project flows, demand and the corridor without new policy (equations 2-3)."""
    history = base.history
    ahead = slice(0, len(years))
    shocks = draws["innovation.gdp"]
    correlation = draws["gdp.error_correlation"][:, None]
    mixed = np.stack([shocks[..., 0], correlation * shocks[..., 0]
                      + np.sqrt(1.0 - correlation**2) * shocks[..., 1]], axis=-1)
    spread_of_error = np.stack([draws[f"gdp.error_sd.{importer}"]
                                for importer in base.pair.importers], axis=-1)
    gdp_error = dynamics.autoregression(
        mixed * spread_of_error[:, None, :], draws["gdp.error_persistence"], np.zeros(2))
    closed = dynamics.corridor(
        draws["innovation.corridor"], draws["corridor.disruption_probability"],
        draws["corridor.persistence"], draws["corridor.closed_given_disrupted"],
        draws["corridor.closed_share_restricted"], draws["corridor.closed_share_closed"])
    return dynamics.reference(
        constant=draws["posterior.constant"],
        elasticity_gdp=draws["posterior.elasticity_gdp"],
        elasticity_exchange_rate=draws["posterior.elasticity_exchange_rate"],
        closure_effect=draws["posterior.closure_effect"],
        persistence=draws["posterior.persistence"],
        innovations=draws["innovation.flow"] * draws["posterior.innovation_sd"][:, None, :],
        residual=draws["posterior.residual"],
        log_gdp=history.forecast.log_gdp[ahead],
        base_log_gdp=history.log_gdp[history.years.index(int(base.posterior.attrs["base_year"]))],
        gdp_error=gdp_error,
        exchange_rate=history.forecast.exchange_rate[ahead],
        price_share=draws["gdp.error_price_share"],
        closed_share=closed,
    )
