"""Synthetic results with the shape of a real run, for the tests of figures and report.

What figures and report rely on:

dataset.attrs
    scenario        JSON text of the resolved scenario: name, title, question, levers,
                    parameters, horizon, draws, seed, references, not_modelled, origins
                    (dotted key such as ``levers.<lever>.<setting>`` -> ``file:line``)
    run_id          text
    seed, draws     integers
    count           name of the headline count, one of the labels of dimension `count`
    target_value    USD, on the count that the target names in pair.yaml
    target_count    that count
    calibration     folder of the calibration used, text
    max_residual    largest residual of the market solver, float
dataset.coords
    count, case, draw, year, importer, group, exporter with the labels of pair.yaml
variables
    as in `VARIABLES` below; attrs ``units`` on each
files beside results.nc
    manifest.json with ``command`` (text), ``versions`` and ``hashes`` (mappings name -> text),
    as `tradesim.results.save` writes it
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import xarray as xr

from tradesim.economy import variables
from tradesim.inputs.history import Forecast
from tradesim.inputs.macro_outlook import MacroSeries
from tradesim.inputs.posterior import PARAMETERS
from tradesim.simulation import results
from tradesim.simulation.labels import ORDER
from tradesim.simulation.manifest import calibration_hashes

VARIABLES = {name: tuple(sorted(variable.dims, key=ORDER.index))
             for name, variable in variables.VARIABLES.items()
             if name in variables.USUAL}
PRODUCTS = {"rolls": 0, "yarn": 1}
"""Made-up products, with the place of their country among the importers."""
CASES = ["reference", "scenario", "if_implemented"]
# Made-up shares of the twelve groups in the flow into each market (they sum to one).
SHARES = np.array([
    [.11, .01, .05, .10, .15, .06, .07, .02, .09, .19, .05, .10],
    [.005, .58, .02, .02, .0, .01, .01, .15, .13, .03, .01, .035],
])
# Made-up logarithmic effect of the policy on each group's flow when fully in force.
PUSH = np.array([
    [.12, .05, .09, .08, .02, .01, .03, .02, .05, .04, .02, .03],
    [.02, .10, .03, .05, .0, .01, .02, .04, .12, .02, .01, .03],
])
# Home sales and sales of the other suppliers in each market, USD million, order of exporters
# with the partner's own entry left at zero.
SALES = {0: [2400.0, 0.0, 2700.0, 3770.0, 120.0, 2200.0],
         1: [0.0, 64000.0, 16000.0, 17000.0, 1900.0, 23000.0]}
ROUTES = ("pass", "ferry")
"""Routes of `made_up_world.PAIR`: one through the corridor, one not."""

SCENARIO = {
    "name": "made_up", "title": "A made-up agreement",
    "question": "What would a made-up agreement add to trade, and who pays?",
    "levers": {}, "parameters": {}, "horizon": 2035, "draws": 200, "seed": 1,
    "target_usd": 500e6,
    "references": [{"title": "A made-up study (2020)", "url": "https://example.org/study"}],
    "not_modelled": ["services", "dispute settlement"], "origins": {},
}


def paths(draws: int, years: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Reference flows on the first count, (draw, year, importer), USD."""
    steps = rng.normal(0.0, [0.13, 0.4], (draws, len(years), 2))
    noise = np.cumsum(steps * 0.8 ** np.arange(len(years))[None, :, None], axis=1)
    slope = rng.normal(0.062, 0.03, (draws, 1, 1)) * (np.arange(len(years))[None, :, None] + 1)
    return np.array([118e6, 4.5e6]) * np.exp(noise + slope)


def dataset(importers: list[str], exporters: list[str], groups: list[str], counts: list[str], *,
            draws: int = 200, size: float = 1.0, probability: float = 0.7, seed: int = 1,
            horizon: int = 2035, scenario: dict[str, object] | None = None,
            calibration: str = "", cost: float = 0.0) -> xr.Dataset:
    """Make results for one scenario whose effect is `size` times a middling one."""
    rng = np.random.default_rng(seed)
    years = np.arange(2025, horizon + 1)
    shape = {"count": len(counts), "case": 3, "draw": draws, "year": len(years),
             "importer": 2, "group": len(groups), "product": len(PRODUCTS),
             "exporter": len(exporters), "country": 2, "market": len(exporters), "service": 1,
             "route": len(ROUTES)}
    arrays = {name: np.zeros([shape[dim] for dim in dims]) for name, dims in VARIABLES.items()}
    flow = paths(draws, years, rng)[..., None] * SHARES
    ramp = np.clip((years - 2026) / 5, 0, 1)[:, None, None]
    spread = rng.lognormal(0.0, 0.5, (draws, 1, 2, 1)) * rng.lognormal(0.0, 0.2, (draws, 1, 2, 12))
    push = size * PUSH * ramp * spread
    happens = (rng.random(draws) < probability).astype(float)[:, None, None, None]
    ratio = np.exp(rng.normal([-0.83, 0.5], 0.1, (draws, 2)))[:, None, :, None]
    for case, strength in enumerate((0.0, happens, 1.0)):
        arrays["trade"][0, case] = flow * np.exp(push * strength)
        arrays["trade"][1, case] = arrays["trade"][0, case] * ratio
    arrays["turnover"] = arrays["trade"].sum(axis=(-1, -2))
    growth = np.exp(0.05 * (years - 2023))
    for market in (0, 1):
        own = arrays["trade"][1 if market == 0 else 0, :, :, :, market].sum(axis=-1)
        gain = own - own[:1]
        sales = np.array(SALES[market]) * 1e6 * growth[:, None]
        split = np.array(SALES[market]) / sum(SALES[market])
        taken = gain[..., None] * (0.7 * split)
        partner = 1 - market
        arrays["imports"][:, :, :, market] = sales - taken
        arrays["imports"][:, :, :, market, partner] = own
        arrays["trade_diversion"][:, :, :, market] = -taken
        arrays["trade_diversion"][:, :, :, market, partner] = taken.sum(axis=-1)
        arrays["trade_creation"][:, :, :, market, partner] = gain - taken.sum(axis=-1)
        home = split[market] * 0.7 * gain
        weight = SHARES[market] / SHARES[market].sum()
        total = np.array(SALES[market])[market] * 1e6 * growth
        arrays["home_output"][:, :, :, market] = (total - home)[..., None] * weight
        revenue = 0.05 * own - 0.35 * gain
        arrays["tariff_revenue"][..., market] = revenue
        arrays["consumer_surplus"][..., market] = 0.3 * gain
        for cause, part in (("resource", 0.06), ("formalities", 0.04), ("tax", 0.15),
                            ("supplier_price", -0.02), ("home_price", 0.06), ("choice", 0.01)):
            arrays[f"gain_{cause}"][..., market] = part * gain
        abroad = arrays["imports"][:, :, :, market].copy()
        abroad[..., market] = 0.0
        share = abroad / abroad.sum(axis=-1, keepdims=True)
        arrays["import_share"][:, :, :, market] = share
        arrays["import_concentration"][..., market] = (share**2).sum(axis=-1)
        arrays["vat_revenue"][..., market] = 0.1 * abroad.sum(axis=-1)
        arrays["corridor_share"][..., market] = 0.85 + 0.3 * gain / own
        carried = arrays["corridor_share"][..., market]
        arrays["route_share"][..., market, :] = np.stack([carried, 1 - carried], axis=-1)
        lost = 0.5 * (gain / own)[..., None] * np.ones(len(PRODUCTS))
        arrays["self_sufficiency"][:, :, :, market] = 0.8 - lost
        arrays["product_output"][:, :, :, market] = 1.0 - lost
        arrays["product_price"][:, :, :, market] = 1.0 - 0.1 * lost
        arrays["product_home_output"][:, :, :, market] = 50e6 * (1.0 - lost)
        arrays["product_imports"][:, :, :, market] = 20e6 * (1.0 + lost)
        arrays["product_trade"][:, :, :, market] = 2e6 * (1.0 + lost)
        arrays["producer_surplus"][..., market] = -0.06 * gain
        arrays["exporter_surplus"][..., market] = 0.01 * gain
        arrays["welfare"][..., market] = 0.25 * gain + revenue - revenue[:1]
        arrays["tariff_revenue_by_group"][:, :, :, market] = revenue[..., None] * weight
        arrays["excise_revenue"][..., market] = 0.02 * abroad.sum(axis=-1)
        arrays["haulier_gain"][..., market] = 0.01 * gain
        exports = np.full((*own.shape, len(exporters)), 1e9)
        exports[..., market], exports[..., partner] = 0.0, own
        arrays["exports"][:, :, :, market] = exports
        arrays["export_share"][:, :, :, market] = exports / exports.sum(axis=-1, keepdims=True)
        arrays["export_concentration"][..., market] = (
            arrays["export_share"][:, :, :, market] ** 2).sum(axis=-1)
        arrays["duty_saved"][..., market] = 0.02 * gain
        arrays["trade_share"][..., market] = own / exports.sum(axis=-1)
        arrays["services"][:, :, :, market, 0] = 20e6 + 0.1 * gain
    rate = 1.09 ** -np.arange(float(len(years)))
    for case, built in enumerate((0.0, happens[:, :, 0, 0], 1.0)):
        arrays["policy_cost"][case] = cost * 1e6 * built * np.ones((draws, len(years)))
    arrays["cost_present_value"] = np.cumsum(arrays["policy_cost"] * rate, axis=-1)
    arrays["welfare_present_value"] = np.cumsum(arrays["welfare"] * rate[:, None], axis=-2)
    arrays["net_present_value"] = (arrays["welfare_present_value"].sum(axis=-1)
                                   - arrays["cost_present_value"])
    labels = {"count": counts, "case": CASES, "draw": np.arange(draws), "year": years,
              "importer": importers, "group": groups, "product": list(PRODUCTS),
              "exporter": exporters, "country": importers, "market": exporters,
              "service": ["tourism"], "route": list(ROUTES)}
    result = xr.Dataset({name: (dims, arrays[name], {"units": variables.VARIABLES[name].unit})
                         for name, dims in VARIABLES.items()}, labels)
    if cost:
        result["appraisal"] = appraisal(result, importers)
    faster = np.exp(np.array([0.0, -0.02, -0.01])[:, None] * np.arange(1, len(years) + 1))
    result["turnover_by_growth"] = (("growth", "count", "draw", "year"),
                                    arrays["turnover"][:, 0] * faster[:, None, None])
    result["gdp"] = (("draw", "year", "country"), np.array([21.8e9, 414e9]) * np.exp(
        0.07 * np.arange(1, len(years) + 1)[:, None] + rng.normal(0.0, 0.1, (draws, 1, 2))))
    result["turnover_reported"] = (("count", "case", "draw", "year"), arrays["turnover"] * np.exp(
        rng.normal(0.0, 0.1 * (draws > 1), (len(counts), 1, draws, len(years)))))
    result = result.assign_coords(growth=["published", "record", "decade"])
    slope = arrays["turnover"][0, 0, :, -1] / arrays["turnover"][0, 0, :, 0]
    result["factors"] = factors(0.1 * np.log(slope) + 0.7, happens.ravel(), rng)
    described = {**SCENARIO, **(scenario or {}), "draws": draws, "horizon": horizon}
    result.attrs = {"scenario": json.dumps(described), "run_id": "0123456789ab", "seed": seed,
                    "draws": draws, "count": counts[0], "target_value": 500e6,
                    "target_count": counts[0],
                    "command": "tradesim run made_up",
                    "partners": json.dumps(dict(zip(importers, importers[::-1], strict=True))),
                    "products": json.dumps({name: {importers[place]: 20000.0}
                                            for name, place in PRODUCTS.items()}),
                    "discount_rate": 0.09,
                    "statistics": json.dumps({"2024": dict.fromkeys(counts, 100e6)}),
                    "hashes": json.dumps(calibration_hashes(Path(calibration)) if calibration
                                         else {"posterior.nc": "ab" * 32}),
                    "resolved": "", "title": described["title"], "shocks": "[]",
                    "max_residual": 1e-13, "calibration": calibration, "format": results.FORMAT,
                    "version": "0.1.0"}
    return result


def appraisal(result: xr.Dataset, importers: list[str]) -> xr.DataArray:
    """Present values to the horizon, with a little for hauliers and the end."""
    cases, last = ["scenario", "if_implemented"], result.sel(case=CASES[1:]).isel(year=-1)
    gains = [last["welfare_present_value"].sel(importer=code) for code in importers]
    cost = last["cost_present_value"]
    items = [*gains, cost, 0.05 * cost, 0.02 * cost]
    return xr.DataArray(np.stack([item.to_numpy() for item in items]),
                        {"item": [*importers, "cost", "residual", "hauliers"], "case": cases},
                        ("item", "case", "appraised"), attrs={
        "first_year": 2025, "last_year": 2064, "rate_of_return_scenario": 0.02,
        "rate_of_return_if_implemented": 0.03})


def factors(elasticity: np.ndarray, happens: np.ndarray,
            rng: np.random.Generator) -> xr.DataArray:
    """Make factors: one that drives the reference, one switch, one of no account."""
    names = ["reference.elasticity_gdp", "made_up.happens", "adjustment.speed"]
    return xr.DataArray(
        np.array([elasticity, happens, rng.random(len(elasticity))], dtype=np.float32),
        dims=("factor", "draw"),
        coords={"factor": names,
                "factor_title": ("factor", ["Elasticity to both economies", "It happens",
                                            "Speed of adjustment"]),
                "factor_unit": ("factor", ["elasticity", "0 no, 1 yes", "share"])})


# Made-up reported values, USD million: market, count, year.
REPORTED = np.array([
    [[35, 53, 63, 58, 54, 77, 72, 73, 58, 27, 55, 97, 124, 120],
     [17, 20, 34, 29, 29, 29, 34, 32, 29, 18, 19, 31, 55, 47]],
    [[1.4, 1.8, .84, .62, 1.1, .87, 2.3, 2.8, 1.7, 1.9, 2.4, 7.1, 8.7, 3.8],
     [2.6, 3.5, .57, 4.9, 2.1, .71, 2.4, 3.5, 6.2, 1.4, 2.2, 7.8, 22, 6.8]]])


def past(importers: tuple[str, ...], reporters: tuple[str, ...], draws: int = 200,
         ) -> tuple[SimpleNamespace, xr.Dataset]:
    """Make a history and a posterior that follow it loosely."""
    rng = np.random.default_rng(2)
    log_value = np.log(REPORTED * 1e6).transpose(2, 0, 1)
    closed = np.where(np.arange(2011, 2025) == 2020, 0.83, 0.0)
    history = SimpleNamespace(years=tuple(range(2011, 2025)), importers=importers,
                              reporters=reporters, log_value=log_value, closed_share=closed,
                              **economies())
    bias = np.nanmean(log_value[:, :, 1] - log_value[:, :, 0], axis=0)
    bias = bias + rng.normal(0.0, 0.08, (draws, len(importers)))
    noise = rng.normal(0.0, [0.05, 0.25], (draws, 14, len(importers)))
    priors = {name: (dims, rng.normal(1.0, 0.1, (draws, *[2] * len(dims))))
              for name, dims in PARAMETERS.items() if name != "bias"}
    posterior = xr.Dataset(
        {name: (("draw", *dims), values) for name, (dims, values) in priors.items()} |
        {"latent": (("draw", "year", "importer"), log_value[:, :, 0] + noise),
         "bias": (("draw", "importer"), bias)},
        {"draw": np.arange(draws), "year": np.arange(2011, 2025), "importer": list(importers),
         "reporter": list(reporters)})
    return history, posterior


def economies() -> dict[str, object]:
    """Make GDP of both members from 2011 to 2024 and a forecast to 2050, without surprises."""
    past = np.log([10e9, 190e9]) + 0.06 * np.arange(14)[:, None]
    real = past - 0.02 * np.arange(14)[:, None]
    series = MacroSeries(tuple(range(2011, 2025)), past, np.full((14, 2), 0.04))
    ahead = np.arange(1, 27)[:, None]
    forecast = Forecast(tuple(range(2025, 2051)), past[-1] + 0.07 * ahead, real[-1] + 0.05 * ahead,
                        np.zeros(26))
    return {"log_gdp": past, "log_real": real, "series": series, "forecast": forecast,
            "exchange_rate": np.zeros(14)}


def save(result: xr.Dataset, folder: Path) -> Path:
    """Leave in `folder` what figures and report read of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    results.save(result, folder, every=True)
    return folder
