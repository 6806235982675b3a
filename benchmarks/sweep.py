"""Measure sweeps: ``python benchmarks/sweep.py`` prints one table (five minutes on two cores).

``--ema PYTHON`` names an interpreter that has EMA Workbench and tradesim (EMA Workbench 2.5.3
is the last for Python 3.11), to run the same model one experiment at a time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from tradesim.common import parallel
from tradesim.common.parallel import CORES
from tradesim.inputs.parameters import Cube
from tradesim.simulation.draws import draw_all
from tradesim.simulation.model import simulate
from tradesim.studies.sweep.chunks import CHUNK
from tradesim.studies.sweep.evaluate import evaluate
from tradesim.studies.sweep.indices import sobol
from tradesim.studies.sweep.plan import SweepPlan, SweepRequest, prepare
from tradesim.studies.sweep.run import sweep

SCENARIO, ROWS, LOOP = "all_levers", 8192, 60
TWENTY = ("adjustment.*", "elasticity.scale", "elasticity.ratio", "elasticity.demand", "routes.*",
          "eaeu_interim.utilisation", "eaeu_fta.nontariff_cut", "access.KAZ.meat_livestock.MNG",
          "altai_road.km_saved", "altai_road.usd_per_tonne_km", "altai_road.speed_km_per_hour",
          "tsagaannuur_free_zone.uptake", "tsagaannuur_free_zone.regional_share",
          "direct_flights.information_cut", "border_facilitation.crossing_hours_saved",
          "border_facilitation.queue_days_saved", "border_facilitation.fees_saved",
          "border_facilitation.variability_premium", "posterior")

EMA = """
import logging, sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np
from ema_workbench import Model, RealParameter, ScalarOutcome, SequentialEvaluator, ema_logging
from tradesim.inputs.parameters import Cube
from tradesim.simulation.draws import draw_all
from tradesim.simulation.model import simulate
from tradesim.studies.sweep.plan import SweepRequest, prepare
rows, names = int(sys.argv[1]), sys.argv[2].split(",")
plan = prepare(SweepRequest(sys.argv[3], "lhs", n=10, over=names))
space, on = plan.space, {lever: np.array(1.0) for lever in plan.space.scenario.levers}
cases = {"reference": dict.fromkeys(on, np.array(0.0)), "scenario": on}
def one(**u):
    columns = {name.replace("__", "."): np.array([value]) for name, value in u.items()}
    draws = draw_all(space.base, space.scenario, Cube.table(columns, Cube.point()))
    last = simulate(space.base, space.scenario, draws, cases)["turnover"].to_numpy()
    return {"turnover": float(last[0, 1, 0, -1])}
model = Model("tradesim", function=one)
model.uncertainties = [RealParameter(item.name.replace(".", "__"), 1e-6, 1 - 1e-6)
                       for item in plan.factors]
model.outcomes = [ScalarOutcome("turnover")]
ema_logging.get_rootlogger().handlers = []
with SequentialEvaluator(model) as evaluator:
    evaluator.perform_experiments(scenarios=2)
    began, cpu = time.perf_counter(), time.process_time()
    evaluator.perform_experiments(scenarios=rows)
print(time.perf_counter() - began, time.process_time() - cpu)
"""


def show(what: str, value: str, aim: str = "") -> None:
    """Print a row of the table."""
    print(f"{what:66} {value:>20}   {aim}", flush=True)


def main() -> None:
    """Measure everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ema", metavar="PYTHON")
    asked = parser.parse_args()
    show("what", "measured", "aim")
    plan = prepare(SweepRequest(SCENARIO, "lhs", n=ROWS, over=TWENTY))
    rates = of_workers(plan)
    ratio(rates, *python_loop(plan), "a plain Python loop", ">= 20 times")
    if asked.ema:
        ratio(rates, *ema(asked.ema), "EMA Workbench, one experiment at a time", ">= 30 times")
    of_sobol()
    of_analysis()


def of_workers(plan: SweepPlan) -> tuple[float, float]:
    """Measure evaluations a second in this process and in several; give the best."""
    rates: dict[str, float] = {}
    evaluate(plan.task(False)(slice(0, 256)))
    tasks = [plan.task(False)(rows) for rows in parallel.blocks(ROWS // 2, CHUNK)]
    began, cpu = time.perf_counter(), time.process_time()
    for task in tasks:
        evaluate(task)
    spent, used = time.perf_counter() - began, time.process_time() - cpu
    rates["here"] = ROWS / 2 / spent
    show(f"evaluations a second, this process ({ROWS // 2:,} rows, 11 years)",
         f"{rates['here']:,.0f}")
    show("the same for each second of processor time", f"{ROWS / 2 / used:,.0f}")
    for workers in sorted({1, CORES, 2 * CORES}):
        few, many = (_pool_time(plan, workers, rows) for rows in (ROWS // 4, ROWS))
        rates[str(workers)] = (ROWS - ROWS // 4) / (many - few)
        show(f"{workers} worker process{'es' if workers > 1 else ''}, without their start",
             f"{rates[str(workers)]:,.0f}", f"{rates[str(workers)] / rates['1']:.2f} times one")
    return max(rates.values()), ROWS / 2 / used


def _pool_time(plan: SweepPlan, workers: int, rows: int) -> float:
    work = [plan.task(True)(part) for part in parallel.blocks(rows, CHUNK // 4)]
    began = time.perf_counter()
    for _ in parallel.pool_mapper(workers)(evaluate, work):
        pass
    return time.perf_counter() - began


def python_loop(plan: SweepPlan) -> tuple[float, float]:
    """Evaluate one row at a time: rate by the clock and by processor time."""
    space = plan.space
    on = dict.fromkeys(space.scenario.levers, np.array(1.0))
    cases = {"reference": dict.fromkeys(on, np.array(0.0)), "scenario": on}
    points, _ = plan.design.part(slice(0, LOOP))
    began, cpu = time.perf_counter(), time.process_time()
    for row in points:
        columns = {item.name: row[[place]] for place, item in enumerate(plan.factors)}
        draws = draw_all(space.base, space.scenario, Cube.table(columns, Cube.point()))
        simulate(space.base, space.scenario, draws, cases)
    return LOOP / (time.perf_counter() - began), LOOP / (time.process_time() - cpu)


def ema(python: str) -> tuple[float, float]:
    """Evaluate the same with EMA Workbench in sequence."""
    done = subprocess.run([python, "-c", EMA, str(LOOP), ",".join(TWENTY), SCENARIO],
                          capture_output=True, text=True, check=True)
    spent, cpu = (float(part) for part in done.stdout.split())
    return LOOP / spent, LOOP / cpu


def ratio(rates: tuple[float, float], theirs: float, by_cpu: float, what: str, aim: str) -> None:
    """Print a rate and how many times slower it is."""
    ours, by_ours = rates
    show(f"evaluations a second, {what}", f"{theirs:,.1f}")
    show("   for each second of processor time", f"{by_cpu:,.1f}")
    show("   the best rate above against it", f"{ours / theirs:,.0f} times", aim)
    show("   the same by processor time, on all cores", f"{by_ours * CORES / by_cpu:,.0f} times")


def of_sobol() -> None:
    """Compute Sobol indices of twenty factors, from the request to the folder."""
    began, before = time.perf_counter(), sum(os.times()[:4])
    plan = prepare(SweepRequest(SCENARIO, "sobol", n=4096, over=TWENTY, second=False))
    with tempfile.TemporaryDirectory() as folder, parallel.open_mapper(CORES) as mapper:
        sweep(plan, Path(folder) / "s", mapper=mapper, single=CORES > 1)
    show(f"Sobol, {len(plan.factors)} factors, n = 4,096: {plan.design.rows:,} evaluations, "
         f"{len(plan.labels)} outputs", f"{time.perf_counter() - began:.1f} s", "<= 60 s")
    show("   its processor time, spread over the cores",
         f"{sum(os.times()[:4]) - before:.1f} s / {CORES}")


def of_analysis(units: int = 20, n: int = 4096, outputs: int = 50) -> None:
    """Compute indices of many outputs at once, against SALib output by output."""
    from SALib.analyze import sobol as oracle

    rng = np.random.default_rng(0)
    table = rng.random((n, 2 + 2 * units, outputs))
    began = time.perf_counter()
    sobol(table, units, True, 1)
    show(f"first, total, second order and intervals of {outputs} outputs",
         f"{time.perf_counter() - began:.1f} s", "<= 10 s")
    problem = {"num_vars": units, "names": [str(i) for i in range(units)],
               "bounds": [[0, 1]] * units}
    order = [0, *range(2, 2 + 2 * units), 1]
    few = 2
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for place in range(few):
            oracle.analyze(problem, table[:, order, place].ravel(), num_resamples=100)
    spent = (time.perf_counter() - began) / few * outputs
    show(f"SALib, output by output ({few} measured, 100 resamples)", f"{spent:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
