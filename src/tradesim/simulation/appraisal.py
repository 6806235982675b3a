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

RATES = np.array([-0.99, -0.9, -0.7, -0.5, *np.linspace(-0.4, 1.0, 15), *2.0 ** np.arange(1, 20)])
"""Between which neighbours of these a rate of return is looked for; the largest counts."""


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
    costly = [name for name in scenario.levers
              if any(key in base.levers[name].settings for key in COST)]
    opening = {name: draws[f"{name}.start"] + draws[f"{name}.delay"] for name in costly}
    end = np.max(list(opening.values()), axis=0) + draws["appraisal.years"]
    years = dataset["year"].to_numpy().astype(float)
    calendar = np.arange(years[0], max(years[-1], np.ceil(end.max())) + 1.0)
    cases = [SCENARIO, IMPLEMENTED]
    found = dataset.sel(case=cases).transpose("case", "draw", "year", ...)
    items = _gains(found, draws, calendar, end)
    items["cost"] = _longer(found["policy_cost"].to_numpy(), np.zeros(len(end)), calendar, end)
    items["residual"] = np.zeros_like(items["cost"])
    for name in costly:
        if "capital_cost" in base.levers[name].settings:
            items["residual"] += _residual(base, draws, name, opening[name], calendar, end)
    return xr.DataArray(np.stack(list(items.values())), dims=("item", "case", "draw", "year"),
                        coords={"item": list(items), "case": cases, "year": calendar.astype(int)})


def _longer(yearly: Array, growth: Array, calendar: Array, end: Array) -> Array:
    """Let the last year simulated grow on to the end, (..., draw, year); the end counts in part."""
    known = yearly.shape[-1]
    later = yearly[..., -1:] * (1.0 + growth[:, None]) ** (calendar[known:] - calendar[known - 1])
    counted = np.clip(end[:, None] - calendar, 0.0, 1.0)
    return np.asarray(np.concatenate([yearly, later], axis=-1) * counted)


def _gains(found: xr.Dataset, draws: Draws, calendar: Array, end: Array) -> dict[str, Array]:
    """Give gains of each member of the pair and of hauliers, at prices of the first year."""
    prices = (1.0 + draws["discount.inflation"])[:, None] ** (calendar - calendar[0])
    nominal = {str(member): found["welfare"].sel(importer=member).to_numpy()
               for member in found["importer"].to_numpy()}
    kept = draws["appraisal.haulier_share"][:, None]
    nominal["hauliers"] = found["haulier_gain"].sum("importer").to_numpy() * kept
    return {item: _longer(gain, draws["appraisal.growth"], calendar, end) / prices
            for item, gain in nominal.items()}


def _residual(base: Baseline, draws: Draws, name: str, opening: Array, calendar: Array,
              end: Array) -> Array:
    """Worth of what a lever built when the appraisal ends, in that year; (case, draw, year)."""
    left = np.maximum(1.0 - (end - opening) / draws["appraisal.life"], 0.0)
    worth = MILLION * draws[f"{name}.capital_cost"] * left
    built = np.stack([happening(base, draws, name), np.ones(len(end))])
    last = (calendar <= end[:, None]) & (calendar + 1.0 > end[:, None])
    return np.asarray((built * worth)[..., None] * last)


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

    The largest where several do. NaN where no rate above -99 % does: gains never repay the cost,
    or nothing is spent first.
    """
    mean = yearly.mean("draw")
    net = (mean.sel(item=[item for item in mean["item"].to_numpy() if item != "cost"]).sum("item")
           - mean.sel(item="cost")).to_numpy()
    ahead = np.arange(len(net))

    def value(rate: float) -> float:
        return float((net * (1.0 + rate) ** -ahead).sum())

    values = np.array([value(rate) for rate in RATES])
    turns = np.flatnonzero((values[:-1] > 0.0) & (values[1:] <= 0.0))
    if not turns.size:
        return float("nan")
    return float(scipy.optimize.brentq(value, *RATES[turns[-1]:turns[-1] + 2]))
