"""Measure the closure against gegravity 0.3, in a minute.

``PYTHONPATH=tests/helpers python benchmarks/closure.py``

Needs the extra ``benchmark`` and gegravity's own sample (30 countries in 2006), in the folder
``gegravity_can_jpn`` below $TRADESIM_VALIDATION or below a folder ``validation`` beside the
checkout.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from structural_gravity import conditional, fitted
from tradesim.economy.closure import OneSector, one_sector

CAUSES = ["pta", "contiguity", "common_language", "lndist", "international", "constant"]
SIGMA, REFERENCE, MEMBERS = 5.0, "DEU", ("CAN", "JPN")
TRIALS, DRAWS, REPEATS, SEED = 5, 4000, 20, 1
SIX = 20_000


def sample() -> Path:
    """Folder of gegravity's sample."""
    given = os.environ.get("TRADESIM_VALIDATION")
    places = [Path(given)] if given else sorted(Path(__file__).parents[2].glob("*/validation"))
    for place in places:
        if (place / "gegravity_can_jpn").is_dir():
            return place / "gegravity_can_jpn"
    sys.exit("set TRADESIM_VALIDATION to a folder that holds gegravity_can_jpn, the sample data of "
             "https://github.com/peter-herman/gegravity")


def show(what: str, value: str, aim: str = "") -> None:
    """Print a row of the table."""
    print(f"{what:62} {value:>14}   {aim}", flush=True)


def best(function: Callable[[], object], repeats: int) -> float:
    """Shortest of several times, seconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


def agreed(data: pd.DataFrame) -> pd.DataFrame:
    """Give the sample with an agreement between the two members."""
    both = data.importer.isin(MEMBERS) & data.exporter.isin(MEMBERS)
    return data.assign(pta=data.pta.where(~(both & (data.importer != data.exporter)), 1))


def ours(data: pd.DataFrame, slopes: pd.Series) -> dict[str, pd.DataFrame]:
    """Solve one scenario: from the table of pairs of countries to tables of results."""
    countries, places = np.unique(data.exporter, return_inverse=True)
    importers = np.searchsorted(countries, data.importer)
    causes = np.empty((len(CAUSES), len(countries), len(countries)))
    causes[:, places, importers] = data[CAUSES].to_numpy().T
    after = causes.copy()
    changed = agreed(data)
    after[:, places, importers] = changed[CAUSES].to_numpy().T
    output = data.groupby("exporter").Y.first().to_numpy(float)
    spending = data.groupby("importer").E.first().to_numpy(float)
    beta = slopes[CAUSES].to_numpy()
    base = fitted(np.exp(np.tensordot(beta, causes, 1)), output, spending)
    cost = np.exp(np.tensordot(beta, after - causes, 1) / (1.0 - SIGMA))
    found, first = one_sector(base, cost, SIGMA - 1.0), conditional(base, cost, SIGMA - 1.0)
    home = np.eye(len(countries), dtype=bool)

    def abroad(flows: np.ndarray, side: int) -> np.ndarray:
        return np.where(home, 0.0, flows).sum(axis=side)

    results = pd.DataFrame({
        "price": 100.0 * (found.wage - 1.0), "price_index": 100.0 * (found.price_index - 1.0),
        "welfare": 100.0 * (found.welfare - 1.0),
        "exports": 100.0 * (abroad(found.trade, 1) / abroad(base, 1) - 1.0),
        "imports": 100.0 * (abroad(found.trade, 0) / abroad(base, 0) - 1.0),
        "home sales": 100.0 * (found.trade[home] / base[home] - 1.0),
        "spending": found.spending, "output": found.wage * base.sum(axis=1)}, index=countries)
    flows = pd.DataFrame({"baseline": base.ravel(), "conditional": first.ravel(),
                          "experiment": found.trade.ravel()},
                         index=pd.MultiIndex.from_product([countries, countries]))
    flows["change"] = 100.0 * (flows.experiment / flows.baseline - 1.0)
    return {"countries": results, "flows": flows}


def many(data: pd.DataFrame, betas: np.ndarray) -> OneSector:
    """Solve one scenario for many draws of the slopes, each with its own baseline."""
    ordered = data.sort_values(["exporter", "importer"])
    size = ordered.exporter.nunique()
    causes = ordered[CAUSES].to_numpy()
    moved = agreed(ordered)[CAUSES].to_numpy() - causes
    output = ordered.groupby("exporter").Y.first().to_numpy(float)
    spending = ordered.groupby("importer").E.first().to_numpy(float)
    shape = (len(betas), size, size)
    base = fitted(np.exp(betas @ causes.T).reshape(shape), output, spending)
    cost = np.exp(betas @ moved.T / (1.0 - SIGMA)).reshape(shape)
    found = one_sector(base, cost, np.full(len(betas), SIGMA - 1.0))
    np.percentile(found.welfare, [5, 50, 95], axis=0)
    return found


def main() -> None:
    """Measure both and print the table."""
    import gegravity

    warnings.simplefilter("ignore")
    folder = sample()
    data = pd.read_csv(folder / "in_sample_data_2006.csv")
    slopes = pd.read_csv(folder / "in_cost_coefficients.csv")
    true = pd.read_csv(folder / "ref_true_ge_mult.csv", index_col=0)

    def given(frame: pd.DataFrame) -> object:
        return gegravity.BaselineData(
            frame.assign(year=frame.year.astype(str)), trade_var_name="trade",
            expend_var_name="E", output_var_name="Y")

    chosen = slopes[slopes["var"].isin(CAUSES)]
    covariance = pd.DataFrame(np.diag(chosen.stderr**2), chosen["var"], chosen["var"])
    common = {"year": "2006", "reference_importer": REFERENCE, "sigma": SIGMA,
              "expend_var_name": "E", "output_var_name": "Y", "cost_variables": CAUSES}
    coefficients = gegravity.CostCoeffs(chosen, "var", "beta", "stderr", covariance)

    def theirs() -> object:
        with contextlib.redirect_stdout(io.StringIO()):
            solved = gegravity.OneSectorGE(given(data), cost_coeff_values=coefficients,
                                           quiet=True, **common)
            solved.build_baseline()
            changed = agreed(solved.baseline_data)
            solved.define_experiment(changed)
            solved.simulate()
        return solved

    def trials() -> object:
        with contextlib.redirect_stdout(io.StringIO()):
            monte = gegravity.MonteCarloGE(given(data), trials=TRIALS, seed=SEED,
                                           cost_coeff_values=coefficients, mc_variables=CAUSES,
                                           **common)
            monte.run_trials(agreed(monte.baseline_data), quiet=True,
                             all_results=True)
        return monte

    show("what", "measured", "aim")
    beta = slopes.set_index("var").beta
    one, other = best(lambda: theirs(), 3), best(lambda: ours(data, beta), REPEATS)
    show("gegravity: one scenario, table to tables", f"{one:.2f} s")
    show("tradesim: the same", f"{1e3 * other:.1f} ms")
    show("times faster", f"{one / other:,.0f}", ">= 100")
    tables, solved = ours(data, beta), theirs()
    correctness(tables, solved, true)

    began = time.perf_counter()
    monte = trials()
    rate = (TRIALS - monte.num_failed_trials) / (time.perf_counter() - began)
    show(f"gegravity: Monte Carlo with own baselines, trials a second ({TRIALS})", f"{rate:.2f}")
    draws = np.random.default_rng(SEED).multivariate_normal(
        beta[CAUSES], covariance.loc[CAUSES, CAUSES], DRAWS)
    seconds = best(lambda: many(data, draws), 3)
    show(f"tradesim: the same, draws a second ({DRAWS:,})", f"{DRAWS / seconds:,.0f}")
    show("times its rate", f"{DRAWS / seconds / rate:,.0f}", ">= 3,000")
    found = many(data, draws)
    gap = np.abs(found.trade.sum(axis=1) / found.spending - 1.0).max()
    show("  largest gap of imports to spending, all draws", f"{gap:.0e}", "")
    show("  largest residual of a market, all draws", f"{found.residual.max():.0e}")
    same = monte.coeff_sample.set_index("var").loc[CAUSES].to_numpy().T
    welfare = 100.0 * (many(data, same).welfare - 1.0)
    errors = []
    for place, trial in enumerate(monte.trial_models):
        income = trial.country_results.sort_index()["GDP change (percent)"].to_numpy()
        errors.append(np.abs(income - welfare[place]).max())
    show("  gegravity's trials against tradesim's, welfare, at most",
         f"{max(errors):.3f} pp")
    of_six()


def correctness(tables: dict[str, pd.DataFrame], solved: object, true: pd.DataFrame) -> None:
    """Say how far each is from adding up, and from the equilibrium published beside the sample."""
    mine = tables["countries"]
    welfare = 100.0 * (true.p_hat / true.P_hat - 1.0)
    show("  tradesim: welfare against the independent solution, at most",
         f"{np.abs(mine.welfare - welfare[mine.index]).max():.0e} pp", "1e-07")
    theirs = solved.country_results["GDP change (percent)"]
    show("  gegravity: the same", f"{np.abs(theirs - welfare[theirs.index]).max():.3f} pp")
    imports = tables["flows"].experiment.groupby(level=1).sum()
    show("  tradesim: imports against spending, at most",
         f"{100.0 * np.abs(imports / mine.spending - 1.0).max():.0e} %")
    trade = solved.bilateral_trade_results
    column = next(name for name in trade.columns if "experiment" in name and "trade" in name)
    bought = trade[column].groupby(level="importer").sum()
    spent = solved.outputs_expenditures
    column = next(name for name in spent.columns if "experiment" in name and "expend" in name)
    gap = bought / spent[column].reindex(bought.index) - 1.0
    show("  gegravity: the same", f"{100.0 * np.abs(gap).max():.2f} %")


def of_six() -> None:
    """Rate of the closure's own size: worlds of six countries with duties."""
    rng = np.random.default_rng(SEED)
    trade = rng.lognormal(0.0, 1.0, (6, 6)) + 20.0 * np.eye(6)
    cost = np.exp(rng.normal(0.0, 0.02, (SIX, 6, 6)))
    duty = rng.uniform(0.0, 0.1, (6, 6)) * (1.0 - np.eye(6))
    after = duty * rng.uniform(0.0, 1.0, (SIX, 6, 6))
    theta = rng.uniform(2.5, 6.5, SIX)
    seconds = best(lambda: one_sector(trade, cost, theta, tariff=duty, tariff_after=after), 5)
    show(f"worlds of six with duties, a second ({SIX:,}, all cells shocked)",
         f"{SIX / seconds:,.0f}")


if __name__ == "__main__":
    main()
