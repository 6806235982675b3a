"""What the tariff channel alone would have said of past changes of duty, against what happened.

A duty cut on a small bilateral flow, and a duty taken off goods that are also made at home, go
through the same market kernel and the same parameters as a scenario; `docs/analogues.md` shows the
result. A difference between before and after is not an effect: outcomes stand beside growth of
GDP and beside changes of the same length in flows that had no agreement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from analogue_cases import Cases, read_cases, read_flows, read_gdp, read_output, read_rates

from tradesim.common.arrays import Array, spread
from tradesim.economy import adjustment
from tradesim.economy.markets import solve_market
from tradesim.inputs.history import read_history
from tradesim.inputs.parameters import Cube, Parameter, draw

if TYPE_CHECKING:
    import pandas as pd

SAME_GOOD = 1000.0
"""Elasticity of substitution above which home goods and imports count as the same good."""

EDGE = 1e-9
"""Inverse elasticity of supply that stands for none at all."""

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
WINDOW = 3
"""Years of the means that are compared where nothing happened."""


# Predictions: pure functions of arrays.

def flow_response(cost: Array, import_share: Array, home_share: Array, lower: Array,
                  upper: Array, demand: Array, home_supply: Array) -> Array:
    """Long-run log change of one supplier's sales when only its own cost changes (equations 7-10).

    Parameters
    ----------
    cost
        Log change of the supplier's delivered cost.
    import_share, home_share
        Its share of imports, and the share of home goods in spending.
    lower, upper, demand, home_supply
        Elasticities as in `equilibrium.solve_market`.

    Returns
    -------
    numpy.ndarray
        Log change of quantity, which is that of value before duty: supply is elastic.
    """
    arrays = np.broadcast_arrays(cost, import_share, home_share, lower, upper, demand,
                                 home_supply)
    shape = arrays[0].shape
    cost, share, home, lower, upper, demand, supply = (array.reshape(1, -1) for array in arrays)
    nothing = np.zeros((2, cost.size))
    market = solve_market(
        np.stack([share, 1.0 - share], axis=1), home,
        np.stack([cost, np.zeros_like(cost)], axis=1), lower=lower, upper=upper, demand=demand,
        home_supply=supply, inverse_supply=nothing, sales_share=np.ones((1, *nothing.shape)))
    return np.asarray(market.quantity[0, 0].reshape(shape))


def home_response(cost: Array, home_share: Array, upper: Array, demand: Array,
                  home_supply: Array) -> Array:
    """Long-run log change of home output when all imports change cost alike (equations 7-10)."""
    arrays = np.broadcast_arrays(cost, home_share, upper, demand, home_supply)
    shape = arrays[0].shape
    cost, home, upper, demand, supply = (array.reshape(1, -1) for array in arrays)
    whole = np.ones((1, 1, cost.size))
    market = solve_market(whole, home, cost[:, None], lower=upper, upper=upper, demand=demand,
                          home_supply=supply, inverse_supply=np.zeros((1, cost.size)),
                          sales_share=whole)
    return np.asarray(market.home_quantity[0].reshape(shape))


def supply_needed(output: float, cost: float, home_share: float, upper: float,
                  demand: float) -> float:
    r"""Elasticity of home supply at which imports that are cheaper by `cost` cut output so far.

    Equation 9 gives the home price at which buyers want the lower output,
    :math:`\ln q = -\sigma p + (\sigma - \varepsilon) \ln P(p)`; the elasticity is output over
    price.

    Parameters
    ----------
    output, cost
        Log changes of home output and of the cost of imports, both negative.
    home_share, upper, demand
        As in `home_response`.

    Returns
    -------
    float
        The elasticity; infinity when even a home price that does not move leaves more output.
    """
    from scipy.optimize import brentq

    def wanted(price: float) -> float:
        index = np.logaddexp(np.log(home_share) + (1 - upper) * price,
                             np.log1p(-home_share) + (1 - upper) * cost) / (1 - upper)
        return float(-upper * price + (upper - demand) * index - output)

    if wanted(0.0) >= 0.0:
        return np.inf
    price = brentq(wanted, cost, 0.0, xtol=1e-14)
    return output / price if price < 0.0 else np.inf


def substitution_needed(output: float, cost: float, home_share: float, demand: float,
                        home_supply: float) -> float:
    """Elasticity between home goods and imports at which home output falls so far.

    Infinity when none up to `SAME_GOOD` is enough: with goods that are the same the home price
    falls as the cost of imports, and output by no more than `home_supply` times that.
    """
    from scipy.optimize import brentq

    def gap(log_upper: float) -> float:
        supply = supply_needed(output, cost, home_share, float(np.exp(log_upper)), demand)
        return 1.0 / supply - (1.0 / home_supply or EDGE)

    low, high = np.log(max(demand, 1.0) + 1e-3), np.log(SAME_GOOD)
    return float(np.exp(brentq(gap, low, high))) if gap(high) > 0.0 > gap(low) else np.inf


def duty_path(before: Array, cut: Array, utilisation: Array) -> Array:
    """Log change of cost when the used part of a cut is taken off the duty (equation 4)."""
    taken = np.minimum(cut, before) * utilisation
    return np.log1p(before - taken) - np.log1p(before)


# What happened.

def window_mean(series: Mapping[int, float], window: Sequence[int]) -> float:
    """Mean of a yearly series from the first to the last year of a window."""
    return float(np.mean([series[year] for year in range(window[0], window[1] + 1)]))


def quiet_changes(flows: Sequence[tuple[Mapping[int, float], int]], gap: int) -> Array:
    """Log changes between means of `WINDOW` years in flows while they had no agreement.

    Parameters
    ----------
    flows
        Yearly values of each flow and the last year before its agreement.
    gap
        Years from the start of one window to the start of the next.

    Returns
    -------
    numpy.ndarray
        One log change per flow and pair of windows.
    """
    found = []
    for series, last in flows:
        for first in sorted(series):
            later = first + gap
            years = [*range(first, first + WINDOW), *range(later, later + WINDOW)]
            if years[-1] <= last and all(series.get(year, 0.0) > 0.0 for year in years):
                found.append(np.log(window_mean(series, (later, later + WINDOW - 1))
                                    / window_mean(series, (first, first + WINDOW - 1))))
    return np.array(found)


# From cases to numbers.

def _draws(cases: Cases, numbers: Mapping[str, Parameter]) -> dict[str, Array]:
    known = {name: item for name, item in cases.parameters.items() if not item.calibrated}
    wanted = {**known, **{item.name: item for item in numbers.values()},
              **{item.name: item for item in cases.market.values()},
              cases.utilisation.name: cases.utilisation}
    return draw(wanted, Cube.random(cases.draws, cases.seed), {})


def _lower(values: Mapping[str, Array], group: str) -> Array:
    return 1.0 + values["elasticity.scale"] * (values[f"elasticity.lower.{group}"] - 1.0)


def predicted_flow(cases: Cases, name: str) -> tuple[list[int], Array, Array]:
    """Years, sales relative to no agreement (draw, year), and the elasticity among suppliers.

    The first-year share and the speed of adjustment are those of scenarios (equation 11); the
    elasticity is the mean over groups by their drawn shares (draw,).
    """
    case = cases.duty_cuts[name]
    values = _draws(cases, case.numbers)
    last = max(window[1] for window in (case.after, case.later) if window is not None)
    years = list(range(case.first_year, last + 1))
    used = values[cases.utilisation.name][:, None]
    if case.rates_of is None:
        before, cut = (values[case.numbers[part].name][:, None] for part in ("duty", "cut"))
        cost = duty_path(before, cut, used) + np.zeros(len(years))
    else:
        rates = read_rates(cases.folder, case.importer, case.exporter)
        newest = max(rates)
        applied = np.array([rates[min(year, newest)] for year in years])
        cost = duty_path(np.array(rates[case.rates_of]), rates[case.rates_of] - applied, used)
    rng = np.random.default_rng([cases.seed, 2])
    shares = np.array([rng.triangular(*share, size=cases.draws) for share in case.mix.values()])
    shares = shares / shares.sum(axis=0)
    lower = np.array([_lower(values, group) for group in case.mix])
    share, home = (values[cases.market[part].name][:, None]
                   for part in ("import_share", "home_share"))
    target = np.array([flow_response(
        cost, share, home, one[:, None], (values["elasticity.ratio"] * one)[:, None],
        values["elasticity.demand"][:, None], values[f"supply.home.{group}"][:, None])
        for group, one in zip(case.mix, lower, strict=True)])
    path = adjustment.partial_adjust(spread(target, "group", "draw", "year"),
                                   spread(values["adjustment.first_year"], "draw"),
                                   spread(values["adjustment.speed"], "draw"))
    sales = np.exp(path.reshape(len(case.mix), len(years), -1)).transpose(0, 2, 1)
    return years, (shares[:, :, None] * sales).sum(axis=0), (shares * lower).sum(axis=0)


def elasticity_needed(outcome: float, sales: Array, elasticity: Array) -> Array:
    """Elasticity at which a prediction would have met an outcome (draw,), in proportion of logs.

    Negative when trade fell although the duty was cut; infinite where no duty was.
    """
    with np.errstate(divide="ignore"):
        return np.asarray(elasticity * np.log(outcome) / np.log(sales))


def flow_results(cases: Cases, name: str, quiet: Sequence[tuple[Mapping[int, float], int]]
                 ) -> list[dict[str, Any]]:
    """Rows (case, key, year, statistic, value) of one duty cut: prediction, outcome, control."""
    case = cases.duty_cuts[name]
    years, sales, elasticity = predicted_flow(cases, name)
    flow = read_flows(cases.folder)[case.exporter, case.importer]
    gdp = read_gdp(cases.folder, case.control)
    base, size = window_mean(flow, case.before), window_mean(gdp, case.before)
    rows = [_row(name, "base", None, "value", base)]
    for place, year in enumerate(years):
        rows += _quantiles(name, "predicted", year, sales[:, place] - 1.0)
    for year in range(case.before[0], years[-1] + 1):
        rows += [_row(name, "outcome", year, "value", flow[year] / base - 1.0),
                 _row(name, "net_of_gdp", year, "value", flow[year] / base * size / gdp[year] - 1)]
    for key, window in (("after", case.after), ("later", case.later)):
        if window is None:
            continue
        inside = [years.index(year) for year in range(window[0], window[1] + 1)]
        reached = sales[:, inside].mean(axis=1)
        ratio, growth = window_mean(flow, window) / base, window_mean(gdp, window) / size
        rows += _quantiles(name, f"predicted_{key}", None, reached - 1.0)
        rows += [_row(name, f"outcome_{key}", None, "value", ratio - 1.0),
                 _row(name, f"gdp_{key}", None, "value", growth - 1.0),
                 _row(name, f"net_of_gdp_{key}", None, "value", ratio / growth - 1.0)]
        changes = quiet_changes(quiet, window[0] - case.before[0])
        if key == "after":
            needed = elasticity_needed(ratio / growth, reached, elasticity)
            rows += [_row(name, "quiet_as_large", None, "value",
                          float((np.abs(changes) >= abs(np.log(ratio))).mean())),
                     _row(name, "elasticity", None, "p50", float(np.median(elasticity))),
                     _row(name, "elasticity_needed", None, "p50", float(np.median(needed))),
                     _row(name, "inside", None, "value",
                          float((reached >= ratio / growth).mean()))]
    return rows


def home_results(cases: Cases, name: str) -> list[dict[str, Any]]:
    """Rows of one home-output case: prediction, outcomes, and what elasticities it would take."""
    case = cases.home_output[name]
    values = _draws(cases, case.numbers)
    output = read_output(cases.folder, case.country, case.product)
    duty, home = (values[case.numbers[part].name] for part in ("duty", "home_share"))
    cost = -np.log1p(duty)
    upper = values["elasticity.ratio"] * _lower(values, case.group)
    supply, demand = values[f"supply.home.{case.group}"], values["elasticity.demand"]
    settled = home_response(cost, home, upper, demand, supply)
    rows = _quantiles(name, "predicted_settled", None, np.expm1(settled))
    rows += _quantiles(name, "predicted_first_year", None,
                       np.expm1(values["adjustment.first_year"] * settled))
    rows += _quantiles(name, "upper", None, upper) + _quantiles(name, "supply", None, supply)
    year, part = case.year, case.months_before / 12
    last, first = output[year - 1], output[case.trend[0]]
    trend = (output[case.trend[1]] / first) ** (1 / (case.trend[1] - case.trend[0]))
    reported = float(np.median(values[case.numbers["reported"].name]))
    outcomes = {"year": output[year] / last - 1.0, "trend": trend - 1.0,
                "net_of_trend": output[year] / (last * trend) - 1.0,
                "after_cut": (output[year] / last - part) / (1 - part) - 1.0,
                "after_cut_net_of_trend": (output[year] / last / trend - part) / (1 - part) - 1.0,
                "reported": reported}
    rows += [_row(name, f"outcome_{key}", None, "value", value)
             for key, value in outcomes.items()]
    middle = [float(np.median(array)) for array in (cost, home, demand, supply)]
    fall = float(np.log1p(reported))
    for sigma in (*np.percentile(upper, (50, 95)), 5.0, 10.0, 20.0, 40.0):
        rows.append(_row(name, f"supply_needed_at_{sigma:.1f}", None, "value", supply_needed(
            fall, middle[0], middle[1], float(sigma), middle[2])))
    same = fall / middle[0]
    rigid = substitution_needed(fall, middle[0], middle[1], middle[2], np.inf)
    rows += [_row(name, "supply_needed_same_good", None, "value", same),
             _row(name, "supply_prior_above_same_good", None, "value",
                  float((supply >= same).mean())),
             _row(name, "upper_needed_rigid_price", None, "value", rigid),
             _row(name, "upper_prior_above_needed", None, "value", float((upper >= rigid).mean())),
             _row(name, "inside", None, "value", float((settled <= fall).mean()))]
    return rows


def _row(case: str, key: str, year: int | None, statistic: str, value: float) -> dict[str, Any]:
    return {"case": case, "key": key, "year": year, "statistic": statistic, "value": value}


def _quantiles(case: str, key: str, year: int | None, values: Array) -> list[dict[str, Any]]:
    found = np.quantile(values, LEVELS)
    return [_row(case, key, year, f"p{100 * level:02.0f}", float(value))
            for level, value in zip(LEVELS, found, strict=True)]


def results(folder: Path) -> pd.DataFrame:
    """All cases as a tidy table: case, key, year, statistic, value (changes as shares)."""
    import pandas as pd

    cases = read_cases(folder)
    flows = read_flows(cases.folder)
    history = read_history(cases.folder)
    quiet: list[tuple[Mapping[int, float], int]] = [
        (flows[case.exporter, case.importer], case.first_year - 1)
        for case in cases.duty_cuts.values()]
    for place in range(len(history.importers)):
        own = np.exp(history.log_value[:, place, 0])
        quiet.append((dict(zip(history.years, own, strict=True)), history.years[-1]))
    rows = [row for name in cases.duty_cuts for row in flow_results(cases, name, quiet)]
    changes = np.expm1(np.abs(quiet_changes(quiet, WINDOW + 1)))
    rows += _quantiles("quiet", "size", None, changes)
    rows.append(_row("quiet", "number", None, "value", float(len(changes))))
    rows += [row for name in cases.home_output for row in home_results(cases, name)]
    return pd.DataFrame(rows)
