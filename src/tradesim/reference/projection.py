"""The reference path of a run: which rows of the posterior, which chances, and what follows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from tradesim.common.arrays import Array, autoregression
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import Cube
from tradesim.inputs.posterior import loaded, shares
from tradesim.inputs.specifications import STACKED, Specification, loadings
from tradesim.reference import gravity

DRAWN = ("constant", "elasticity_gdp", "elasticity_exchange_rate", "closure_effect",
         "persistence", "innovation_sd", "bias", "error_sd", "residual")
"""What a run takes from the posterior."""

MIDDLE = 0.5
"""Probability of the middle of every distribution."""


def path_draws(base: Baseline, cube: Cube, years: tuple[int, ...],
               specification: str = STACKED) -> dict[str, Array]:
    """Draw what moves the reference path apart from named parameters; first axis ``draw``.

    Rows of the posterior (``posterior.*``), drawn whole so that their correlations stay, with the
    index of the specification (``posterior.specification``) and how its flows grow with GDP
    (``posterior.nominal``, ``posterior.real``, ``posterior.imports``); and innovations of the
    projection (``innovation.*``). An `InputError` lists the specifications with draws where the
    one asked for has none.
    """
    index = _specification_index(shares(base.posterior, specification), cube)
    forms = _forms(base)
    return {**_posterior_rows(base, cube, index), **_growth(base, forms, index),
            **_innovations(base, cube, years, forms, index)}


def _specification_index(weights: Mapping[str, float], cube: Cube) -> NDArray[np.intp]:
    """Specification of each draw by weight, where more than one has any.

    At `MIDDLE`, where a point run stands, the one of most weight: names have no middle.
    """
    share = np.array(list(weights.values()))
    if np.count_nonzero(share) == 1:
        return np.full(cube.draws, np.argmax(share))
    column = cube.column("specification")
    index = np.searchsorted(np.cumsum(share) / share.sum(), column, side="right")
    return np.where(column == MIDDLE, np.argmax(share), index)


def _posterior_rows(base: Baseline, cube: Cube, index: NDArray[np.intp]) -> dict[str, Array]:
    """Rows of the posterior of each draw's specification, picked by column ``posterior``."""
    fitted = base.posterior
    size = fitted.sizes["draw"]
    row = np.minimum(cube.column("posterior") * size, size - 1).astype(int)
    order = np.stack([_along_main_axis(fitted.isel(specification=k))
                      for k in range(fitted.sizes["specification"])])
    rows = {f"posterior.{name}": fitted[name].to_numpy()[index, order[index, row]]
            for name in DRAWN}
    return rows | {"posterior.specification": index.astype(float)}


def _growth(base: Baseline, forms: Sequence[Specification],
            index: NDArray[np.intp]) -> dict[str, Array]:
    """How the flows of each draw's specification grow with GDP, and whether with imports."""
    nominal, real = (np.stack(part) for part in zip(
        *(loadings(form.size, len(base.pair.importers)) for form in forms), strict=True))
    imports = np.array([form.size == "imports" for form in forms], dtype=float)
    return {"posterior.nominal": nominal[index], "posterior.real": real[index],
            "posterior.imports": imports[index]}


def _innovations(base: Baseline, cube: Cube, years: tuple[int, ...],
                 forms: Sequence[Specification], index: NDArray[np.intp]) -> dict[str, Array]:
    def uniform(name: str, columns: tuple[str, ...] = base.pair.importers) -> Array:
        return gravity.innovations(cube.column, f"innovation.{name}", years, columns)

    degrees = np.array([form.degrees for form in forms])[index]
    values = {"innovation.flow": _standard(uniform("flow"), degrees),
              "innovation.gdp": np.asarray(ndtri(uniform("gdp")))}
    if any(form.size == "imports" for form in forms):
        values["innovation.imports"] = np.asarray(ndtri(uniform("imports")))
    return values | {"innovation.corridor": uniform("corridor", ("disruption", "severity"))}


def _forms(base: Baseline) -> list[Specification]:
    """Specifications in the order of the posterior."""
    described = json.loads(base.posterior.attrs["specifications"])
    return [Specification(name=str(name), **described[str(name)])
            for name in base.posterior["specification"].values]


def _standard(uniform: Array, degrees: Array) -> Array:
    """Innovations of scale one, normal or Student's t by draw, from uniform numbers."""
    heavy = np.isfinite(degrees)
    scores = np.asarray(ndtri(uniform))
    if heavy.any():
        scores[heavy] = stdtrit(degrees[heavy].reshape(-1, *[1] * (uniform.ndim - 1)),
                                uniform[heavy])
    return scores


def _along_main_axis(posterior: xr.Dataset) -> NDArray[np.intp]:
    """Order of posterior rows along their first principal axis, for use as one factor."""
    table = np.column_stack([posterior[name].to_numpy().reshape(posterior.sizes["draw"], -1)
                             for name in ("elasticity_gdp", "constant", "persistence")])
    table = table[:, np.ptp(table, axis=0) > 0.0]  # a specification may fix some
    scaled = (table - table.mean(axis=0)) / table.std(axis=0)
    _, _, axes = np.linalg.svd(scaled, full_matrices=False)
    return np.argsort(scaled @ (axes[0] * np.sign(axes[0, 0])), kind="stable")


def reference_path(base: Baseline, draws: Mapping[str, Array],
                   years: Sequence[int]) -> gravity.ReferencePath:
    r"""Project flows, demand and the corridor without new policy (equations 2, 3, S1 and S3).

    Nominal GDP is the forecast times the exponential of an error :math:`e`. Of that error the
    share :math:`\psi` is price: it moves the real exchange rate, and real GDP moves with the
    rest. Imports follow nominal GDP and have an error :math:`m` of their own on top:

    .. math::

        \ln Y_{ct} = \overline{\ln Y}_{ct} + e_{ct}, \quad
        \ln R_{ct} = \overline{\ln R}_{ct} + (1 - \psi) e_{ct}, \quad
        \ln M_{ct} = \overline{\ln M}_{ct} + e_{ct} + m_{ct}, \quad
        q_t = \bar q_t + \psi (e_{2t} - e_{1t})
    """
    history, ahead = base.history, slice(0, len(years))
    forecast = history.forecast
    base_year = history.years.index(int(base.posterior.attrs["base_year"]))
    error = _gdp_error(base, draws)
    price_share = draws["gdp.error_price_share"][:, None]
    growth = forecast.log_gdp[ahead] - history.log_gdp[base_year] + error
    real = (forecast.log_real[ahead] - history.log_real[base_year]
            + (1.0 - price_share[..., None]) * error)
    size = loaded(draws, growth, real)
    if np.any(draws["posterior.imports"]):
        size = size + draws["posterior.imports"][:, None, None] * _import_ratio(
            base, draws, base_year, ahead)
    closed = gravity.corridor(
        draws["innovation.corridor"], draws["corridor.disruption_probability"],
        draws["corridor.persistence"], draws["corridor.closed_given_disrupted"],
        draws["corridor.closed_share_restricted"], draws["corridor.closed_share_closed"])
    return gravity.reference(
        {name: draws[f"posterior.{name}"] for name in DRAWN},
        innovations=draws["innovation.flow"] * draws["posterior.innovation_sd"][:, None, :],
        size=size,
        log_growth=growth,
        exchange_rate=forecast.exchange_rate[ahead]
        + price_share * (error[:, :, 1] - error[:, :, 0]),
        closed_share=closed,
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


def _import_ratio(base: Baseline, draws: Mapping[str, Array], base_year: int,
                  ahead: slice) -> Array:
    """Log ratio of imports to GDP against the base year, with error; zero where not known."""
    history = base.history
    change = ((history.forecast.log_imports - history.forecast.log_gdp)[ahead]
              - (history.log_imports - history.log_gdp)[base_year])
    error = autoregression(
        draws["innovation.imports"] * draws["imports.error_sd"][:, None, None],
        draws["imports.error_persistence"], np.zeros(len(base.pair.importers)))
    return np.where(np.isnan(change), 0.0, change + error)
