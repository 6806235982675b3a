"""Turnover without new policy by growth of both economies, and every case as a statistic reads."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from scipy.special import ndtri

from tradesim.common.arrays import Array
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.growth import NAMED, OWN, growth_draws, kind_of
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Scenario
from tradesim.reference import gravity
from tradesim.reference.projection import reference_path
from tradesim.simulation.draws import count_of, years_of

GROWTH = "growth"
BY_GROWTH, GDP, REPORTED = "turnover_by_growth", "gdp", "turnover_reported"


def by_growth(base: Baseline, scenario: Scenario, draws: Mapping[str, Array]) -> xr.DataArray:
    """Give reference turnover on each path of GDP, all else in every draw the same, in USD.

    Returns
    -------
    xarray.DataArray
        Axes growth, count, draw and year. Paths are those with a name, and the scenario's own
        rates where it gives any. The reference only: on another path a policy would have to be
        simulated anew.
    """
    years, count = years_of(base, scenario), count_of(draws)
    paths = {name: name for name in NAMED} | (
        {OWN: scenario.growth} if kind_of(scenario.growth) == OWN else {})
    factors = np.moveaxis(np.exp(gravity.by_count(draws["posterior.bias"])), -1, 0)
    turnover = []
    for growth in paths.values():
        other = {**draws, **growth_draws(base.pair.importers, growth, count)}
        flow = np.exp(reference_path(base, other, years).log_flow)
        turnover.append([(flow * factor[:, None]).sum(axis=-1) for factor in factors])
    return xr.DataArray(
        np.array(turnover), dims=(GROWTH, "count", "draw", "year"),
        coords={GROWTH: list(paths), "count": list(base.pair.counts), "year": list(years)},
        attrs={"units": "USD", "long_name": "Turnover without new policy, by path of GDP"})


def gdp(base: Baseline, years: tuple[int, ...], path: gravity.ReferencePath) -> xr.DataArray:
    """Give nominal GDP of each member with the errors of its forecast; (draw, year, country)."""
    history = base.history
    start = history.log_gdp[history.years.index(int(base.posterior.attrs["base_year"]))]
    return xr.DataArray(
        np.exp(start + path.log_growth), dims=("draw", "year", "country"),
        coords={"year": list(years), "country": list(base.pair.importers)},
        attrs={"units": "USD", "long_name": "Nominal GDP"})


def as_reported(base: Baseline, dataset: xr.Dataset, draws: Mapping[str, Array],
                cube: Cube) -> xr.DataArray:
    r"""Give turnover as each country's statistics would read, in USD (equation S6).

    .. math:: T^s_{ct} = \sum_d X_{dct} e^{\sigma_{dc} u_{dct}}, \qquad u \sim N(0, 1)

    The standard deviations :math:`\sigma` are those of the fit for reports of grade A; errors of
    a draw are the same in every case.

    Returns
    -------
    xarray.DataArray
        Axes count, case, draw and year.
    """
    pair, years = base.pair, tuple(int(year) for year in dataset["year"].to_numpy())
    errors = []
    for count in pair.counts.values():
        uniform = gravity.innovations(cube.column, f"report.{count.reporter}", years,
                                      pair.importers)
        sd = draws["posterior.error_sd"][:, :, pair.reporters.index(count.reporter)]
        errors.append(np.exp(sd[:, None, :] * ndtri(uniform)))
    factor = xr.DataArray(np.array(errors), dims=("count", "draw", "year", "importer"))
    trade = dataset["trade"].sum("group", skipna=False)
    found = (trade * factor).sum("importer", skipna=False)
    return found.transpose("count", "case", "draw", "year").assign_attrs(
        units="USD", long_name="Turnover as a statistic would read")
