"""A lender's appraisal of what costs money: gains over the life of a project against its cost.

The projection stays as long as a scenario asks; the appraisal looks further. It simulates to the
longest horizon, lets the gains of its last year grow on by a rate, counts what the assets are
worth in the end, and adds the freight saved that stays with hauliers of the two countries.
"""

from __future__ import annotations

import numpy as np
import scipy
import xarray as xr

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.levers import COST
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO, Draws, happening

NAME = "appraisal"
APPRAISED = 500
"""Draws that an appraisal uses: its simulation is more than twice as long."""

COUNTED = ("welfare", "haulier_gain", "policy_cost")
"""Variables of a simulation that an appraisal reads."""


def has_cost(base: Baseline, scenario: Scenario) -> bool:
    """Whether any lever of a scenario carries a cost."""
    return any(key in base.levers[name].settings for name in scenario.levers for key in COST)


def streams(base: Baseline, scenario: Scenario, draws: Draws, dataset: xr.Dataset) -> xr.DataArray:
    r"""Yearly gains and costs to the end of the appraisal (equation A12).

    .. math::

        g_t = \frac{G_t}{(1 + \pi)^{t - t_0}}, \qquad
        G_t = G_H (1 + \gamma)^{t - H} \text{ for } t > H, \qquad
        R = K \max\Bigl\{0, 1 - \frac{T - o}{L}\Bigr\}

    with gains :math:`G` in current dollars, the rise :math:`\pi` of dollar prices, the last
    simulated year :math:`H`, growth :math:`\gamma`, capital :math:`K` of a lever
    that opens in :math:`o`, life of the assets :math:`L`, and the end :math:`T`, so many years
    of operation after the last opening among the levers with a cost.

    Parameters
    ----------
    dataset
        `COUNTED` by `simulate` for these draws, to the longest horizon.

    Returns
    -------
    xarray.DataArray
        USD a year at prices of the first year, (item, case, draw, year): gain of each member of
        the pair, ``hauliers``, ``cost`` and ``residual`` (in the last year of its draw).
    """
    years = dataset["year"].to_numpy().astype(float)
    costly = [name for name in scenario.levers
              if any(key in base.levers[name].settings for key in COST)]
    opening = {name: draws[f"{name}.start"] + draws[f"{name}.delay"] for name in costly}
    end = (np.max(list(opening.values()), axis=0) + draws["appraisal.years"])[:, None]
    ahead = np.arange(years[-1] + 1.0, np.ceil(end.max()) + 1.0)
    calendar = np.concatenate([years, ahead])
    counted = np.clip(end - calendar, 0.0, 1.0)  # part of a year before the end, (draw, year)

    def longer(yearly: Array, growth: Array) -> Array:
        later = yearly[..., -1:] * (1.0 + growth[:, None]) ** (ahead - years[-1])
        return np.asarray(np.concatenate([yearly, later], axis=-1) * counted)

    def real(nominal: Array) -> Array:
        prices = (1.0 + draws["discount.inflation"])[:, None] ** (calendar - calendar[0])
        return np.asarray(longer(nominal, growth) / prices)

    cases = [SCENARIO, IMPLEMENTED]
    found = dataset.sel(case=cases).transpose("case", "draw", "year", ...)
    growth, none = draws["appraisal.growth"], np.zeros(len(end))
    items = {str(member): real(found["welfare"].sel(importer=member).to_numpy())
             for member in found["importer"].to_numpy()}
    kept = draws["appraisal.haulier_share"][:, None]
    items["hauliers"] = real(found["haulier_gain"].sum("importer").to_numpy() * kept)
    items["cost"] = longer(found["policy_cost"].to_numpy(), none)
    last = (calendar <= end) & (calendar + 1.0 > end)
    items["residual"] = np.zeros_like(items["cost"])
    for name in costly:
        if "capital_cost" not in base.levers[name].settings:
            continue
        left = np.maximum(1.0 - (end[:, 0] - opening[name]) / draws["appraisal.life"], 0.0)
        worth = MILLION * draws[f"{name}.capital_cost"] * left
        built = np.stack([happening(base, draws, name), np.ones(len(end))])
        items["residual"] = items["residual"] + (built * worth)[..., None] * last
    return xr.DataArray(np.stack(list(items.values())), dims=("item", "case", "draw", "year"),
                        coords={"item": list(items), "case": cases, "year": calendar.astype(int)})


def appraise(base: Baseline, scenario: Scenario, draws: Draws,
             dataset: xr.Dataset) -> xr.DataArray:
    """Discount `streams`: values by item, case and draw, USD of the first year (equation A10)."""
    yearly = streams(base, scenario, draws, dataset)
    ahead = yearly["year"].to_numpy() - int(yearly["year"][0])
    factor = (1.0 + draws["discount.rate"])[:, None] ** -ahead.astype(float)
    values = (yearly * xr.DataArray(factor, dims=("draw", "year"))).sum("year")
    return values.rename(draw="appraised").assign_attrs(
        units="USD", long_name="Present values over the life of what is built",
        first_year=int(yearly["year"][0]), last_year=int(yearly["year"][-1]),
        **{f"rate_of_return_{case}": rate_of_return(yearly.sel(case=case))
           for case in (SCENARIO, IMPLEMENTED)})


def rate_of_return(yearly: xr.DataArray) -> float:
    r"""Rate at which mean gains and mean costs have the same present value (equation A13).

    .. math:: \sum_t \frac{g_t - k_t}{(1 + r)^{t - t_0}} = 0

    NaN where no rate above -99 % does, as where gains never repay the cost.
    """
    mean = yearly.mean("draw")
    net = (mean.sel(item=[item for item in mean["item"].to_numpy() if item != "cost"]).sum("item")
           - mean.sel(item="cost")).to_numpy()
    ahead = np.arange(len(net))

    def value(rate: float) -> float:
        return float((net * (1.0 + rate) ** -ahead).sum())

    low, high = -0.5, 1.0
    if not (np.isfinite(value(low)) and value(low) > 0.0 > value(high)):
        return float("nan")
    return float(scipy.optimize.brentq(value, low, high))
