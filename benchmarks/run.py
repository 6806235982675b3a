"""Measure tradesim: ``python benchmarks/run.py`` prints one table (some minutes on two cores).

Times are medians of processor time over several calls: other work on the machine disturbs them
least. Yardsticks run in the same process, one core each.

``python benchmarks/run.py equilibrium`` measures the solver of the markets only.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.optimize import root

from tradesim.common.files import calibration_folder
from tradesim.economy.markets import Market, Shifts, solve_market
from tradesim.economy.variables import USUAL
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation import model
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, draw_all, standard_cases
from tradesim.simulation.draws import SCENARIO as POLICY
from tradesim.simulation.model import load_baseline, simulate
from tradesim.simulation.prepared_model import PreparedModel

ROOT = Path(__file__).parents[1]
SCENARIO, DRAWS, SEED, REPEATS = "all_levers", 2000, 1, 3
DECOMPOSED, MOVED = "strategic_partnership", 1000
COMPARED = 400
"""Cells that the loop of `scipy.optimize.root` solves."""


def used(function: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median of the processor time that several calls and their processes take, seconds."""
    times = []
    for _ in range(repeats):
        began = time.process_time() + sum(os.times()[2:4])
        function()
        times.append(time.process_time() + sum(os.times()[2:4]) - began)
    return statistics.median(times)


def show(what: str, value: str, aim: str) -> None:
    """Print a row of the table."""
    print(f"{what:58} {value:>14}   {aim}", flush=True)


def main() -> None:
    """Measure everything and print the table."""
    base = load_baseline(calibration_folder())
    known = Known(base.parameters, base.levers, base.pair)
    scenario = read_scenario(SCENARIO, known, [f"draws={DRAWS}", f"seed={SEED}"])
    show("what", "measured", "aim")
    parts = {"simulate": lambda: of_simulate(base, scenario),
             "lines": lambda: of_lines(base),
             "prepared": lambda: of_prepared(base, scenario),
             "equilibrium": lambda: of_equilibrium(base, scenario),
             "decompose": of_decompose, "commands": of_commands}
    for name in sys.argv[1:] or parts:
        parts[name]()


def of_simulate(base: model.Baseline, scenario: model.Scenario) -> None:
    """Time and memory of `simulate`, and of one point."""
    draws = draw_all(base, scenario, Cube.random(DRAWS, SEED))
    cases = standard_cases(base, scenario, draws)
    two = {case: cases[case] for case in (REFERENCE, POLICY)}
    show(f"simulate, {DRAWS:,} draws, reference and scenario",
         f"{used(lambda: simulate(base, scenario, draws, two)):.2f} s", "<= 2.5 s")
    show("the same with a third case, if implemented",
         f"{used(lambda: simulate(base, scenario, draws)):.2f} s", "")
    tracemalloc.start()
    simulate(base, scenario, draws, two)
    show("arrays at their peak during it", f"{tracemalloc.get_traced_memory()[1] / 2**20:,.0f} MB",
         "")
    tracemalloc.stop()
    show("peak memory of a process that does it", f"{peak_memory():,.0f} MB", "<= 2,048 MB")
    show("draw everything, 2,000 draws", f"{drawing(base, scenario, Cube.random(DRAWS, SEED))}", "")
    point = draw_all(base, scenario, Cube.point())
    alone = {case: {lever: np.asarray(float(case == POLICY)) for lever in scenario.levers}
             for case in two}
    show("simulate a point, reference and scenario",
         f"{1e3 * used(lambda: simulate(base, scenario, point, alone), 30):.1f} ms", "<= 8 ms")


def of_lines(base: model.Baseline) -> None:
    """Time the same world with its products and without: 0.2.0 had the groups only."""
    groups = replace(base, pair=base.pair.model_copy(update={"products": {}}))
    for world in (base, groups):
        known = Known(world.parameters, world.levers, world.pair)
        scenario = read_scenario(SCENARIO, known, [f"seed={SEED}"])
        lines = len(world.pair.lines)
        for draws in (model.BLOCK, 1):
            drawn = draw_all(world, scenario, Cube.of(draws, SEED))
            every = standard_cases(world, scenario, drawn)
            cases = {case: every[case] for case in (REFERENCE, POLICY)}
            for what, names in (("all accounts", USUAL), ("turnover", ("turnover",))):
                spent = used(partial(simulate, world, scenario, drawn, cases, variables=names), 15)
                show(f"simulate {draws} draw{'s' * (draws > 1)}, {lines} lines, {what}",
                     f"{1e3 * spent:.0f} ms", "")


def drawing(base: model.Baseline, scenario: model.Scenario, cube: Cube) -> str:
    """Time of drawing, as text."""
    return f"{used(lambda: draw_all(base, scenario, cube), 3):.2f} s"


def peak_memory() -> float:
    """Largest resident memory of a fresh process that simulates, MB."""
    code = (
        "import resource, sys\n"
        "from tradesim.simulation import model\n"
        "from tradesim.common.files import calibration_folder\n"
        "from tradesim.inputs.parameters import Cube\n"
        "from tradesim.inputs.scenario import read_scenario\n"
        "from tradesim.inputs.scenario_schema import Known\n"
        "from tradesim.simulation.draws import draw_all, standard_cases\n"
        "base = model.load_baseline(calibration_folder())\n"
        f"s = read_scenario('{SCENARIO}', Known(base.parameters, base.levers, base.pair))\n"
        f"d = draw_all(base, s, Cube.random({DRAWS}, {SEED}))\n"
        "c = standard_cases(base, s, d)\n"
        "kept = model.simulate(base, s, d, {k: c[k] for k in ('reference', 'scenario')})\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout) / (2**20 if sys.platform == "darwin" else 2**10)


def of_prepared(base: model.Baseline, scenario: model.Scenario) -> None:
    """One setting moved after another: turnover of all draws."""
    asked = PreparedModel.of(base, scenario.model_copy(update={"draws": MOVED}), SCENARIO,
                             [f"draws={MOVED}", f"seed={SEED}"])
    asked.run()
    for setting in ("altai_road.start", "direct_flights.start"):
        values, times = (2030, 2031, 2032, 2033), []
        for value in values:
            began = time.process_time()
            asked.run({setting: value}, cases=[POLICY])
            times.append(time.process_time() - began)
        show(f"turnover of {MOVED:,} draws when {setting} moves",
             f"{statistics.median(times[1:]):.2f} s", "<= 0.25 s")


def cells(base: model.Baseline, scenario: model.Scenario) -> list[tuple[tuple, dict]]:
    """Arguments of `solve_market` in the blocks in which the model calls it."""
    caught: list[tuple[tuple, dict]] = []
    from tradesim.economy import equilibrium

    def catch(**given: np.ndarray) -> Market:
        copies = {name: part if isinstance(part, Shifts) else np.array(part)
                  for name, part in given.items() if part is not None and name != "finite"}
        shares = tuple(copies.pop(name) for name in ("import_share", "home_share", "cost"))
        caught.append((shares, copies))
        return solve_market(**given)

    draws = draw_all(base, scenario, Cube.random(4 * model.BLOCK, SEED))
    cases = standard_cases(base, scenario, draws)
    equilibrium.solve_market = catch
    try:
        simulate(base, scenario, draws, {case: cases[case]
                                         for case in (REFERENCE, IMPLEMENTED)})
    finally:
        equilibrium.solve_market = solve_market
    return caught


def of_equilibrium(base: model.Baseline, scenario: model.Scenario) -> None:
    """Market solves a second, and the same cells by a loop over a general solver."""
    blocks = cells(base, scenario)
    solved = sum(home_share.size for (_, home_share, _), _ in blocks)
    seconds = used(lambda: [solve_market(*arguments, **rest) for arguments, rest in blocks])
    rate = solved / seconds
    show(f"market solves a second, one core ({solved:,} solves)", f"{rate:,.0f}", ">= 150,000")
    against_loop(max(blocks, key=lambda block: block[1]["inverse_supply"].any(axis=1).sum()), rate)

    against_newton(next(block for block in blocks if not block[1]["inverse_supply"].any()))

    hard = made_up()
    seconds = used(lambda: [solve_market(*arguments, **rest) for arguments, rest in hard])
    rate = sum(home_share.size for (_, home_share, _), _ in hard) / seconds
    show("the same, made-up markets, supply of all six finite", f"{rate:,.0f}", "")
    against_loop(hard[0], rate)


def made_up() -> list[tuple[tuple, dict]]:
    """Blocks of two markets that share six suppliers, all of finite supply; costs +-30 %."""
    rng = np.random.default_rng(SEED)

    def block(count: int) -> tuple[tuple, dict]:
        lower = rng.uniform(1.5, 8.0, (2, count))
        share = rng.dirichlet(np.ones(6), size=(count, 2)).transpose(1, 2, 0)
        sold = rng.dirichlet(np.ones(2), size=(count, 6)).T
        return ((np.ascontiguousarray(share), rng.uniform(0.1, 0.9, (2, count)),
                 rng.uniform(-0.3, 0.3, (2, 6, count))),
                {"lower": lower, "upper": rng.uniform(0.35, 0.95, (2, count)) * lower,
                 "demand": rng.uniform(0.4, 1.6, (2, count)),
                 "home_supply": rng.uniform(0.3, 3.0, (2, count)),
                 "inverse_supply": rng.uniform(0.2, 2.0, (6, count)),
                 "sales_share": np.ascontiguousarray(sold)})

    return [block(model.BLOCK) for _ in range(40)]


def against_loop(block: tuple[tuple, dict], rate: float) -> None:
    """Solve some cells of a block by a loop over a general solver."""
    arguments, rest = block
    count = min(COMPARED, arguments[2].shape[-1])
    chosen = np.random.default_rng(SEED).choice(arguments[2].shape[-1], count, replace=False)

    def pick(part: np.ndarray | Shifts) -> np.ndarray | Shifts:
        if isinstance(part, Shifts):
            return Shifts(*(getattr(part, name)[..., chosen] for name in Shifts.__slots__))
        return part[..., chosen]

    some = tuple(pick(part) for part in arguments)
    others = {name: pick(part) for name, part in rest.items()}
    ours = solve_market(*some, **others)
    began = time.process_time()
    theirs = np.array([solve_one(some, others, cell) for cell in range(count)]).T
    loop = time.process_time() - began
    unknowns = np.concatenate([ours.home_price, ours.supplier_price])
    show(f"  times a loop of scipy.optimize.root ({count} cells)",
         f"{rate / (some[1].size / loop):,.0f}", ">= 75")
    show("  largest difference between the two, log points",
         f"{np.abs(unknowns - theirs).max():.1e}", "<= 1e-12")
    moved = np.abs(some[2]).max(axis=(0, 1))
    show("  cost change in these cells, median and largest",
         f"{statistics.median(moved):.3f}, {moved.max():.2f}", "")


def against_newton(block: tuple[tuple, dict]) -> None:
    """Solve the cells of a block without finite supply by Newton's method in plain Python."""
    arguments, rest = block
    ours = used(lambda: solve_market(*arguments, **rest))
    count = arguments[2].shape[-1]
    moved = rest.get("shifts")
    zero = np.zeros_like(arguments[2])
    wanted, appeal, home_offer, offer = (
        (zero[:, 0], zero, zero[:, 0], zero[0]) if moved is None else
        (moved.demand, moved.appeal, moved.home_offer, moved.offer))
    names = ("lower", "upper", "demand", "home_supply")
    lists = [np.asarray(part).tolist() for part in
             (*arguments, *(rest[name] for name in names), wanted, appeal, home_offer, offer)]
    found: list[list[float]] = []
    theirs = used(lambda: found.extend([newton_one(lists, market, cell) for cell in range(count)]
                                       for market in range(2)), 1)
    show(f"  times Newton's method in plain Python ({2 * count:,} solves)",
         f"{theirs / ours:,.1f}", "")
    show("  largest difference between the two, log points",
         f"{np.abs(solve_market(*arguments, **rest).home_price - np.array(found)).max():.1e}",
         "<= 1e-12")


def newton_one(lists: list, market: int, cell: int) -> float:
    """Home price of one market that shares no finite supplier, with floats only."""
    (share, home_share, cost, lower, upper, demand, supply, wanted, appeal, home_offer,
     offer) = lists
    low, up, away = (lower[market][cell], upper[market][cell],
                     upper[market][cell] - demand[market][cell])
    imports = sum(share[market][i][cell] * math.exp(
        (1 - low) * (cost[market][i][cell] + offer[i][cell]) + appeal[market][i][cell])
        for i in range(len(offer)))
    abroad = (1 - home_share[market][cell]) * imports ** ((1 - up) / (1 - low))
    price, offered, slope = 0.0, home_offer[market][cell], 1 / supply[market][cell]
    for _ in range(60):
        home = home_share[market][cell] * math.exp((1 - up) * price)
        index = math.log(home + abroad) / (1 - up)
        gap = price - offered - slope * (-up * price + away * index + wanted[market][cell])
        if abs(gap) <= 1e-12:
            break
        price -= gap / (1 + slope * (up - away * home / (home + abroad)))
    return price


def solve_one(arguments: tuple, others: dict[str, np.ndarray], cell: int) -> np.ndarray:
    """Solve one cell, written out once more from equations (7)-(10), by scipy's hybrid method."""
    import_share, home_share, cost = (part[..., cell] for part in arguments)
    lower, upper, demand, home_supply, inverse_supply, sales_share = (
        others[name][..., cell] for name in
        ("lower", "upper", "demand", "home_supply", "inverse_supply", "sales_share"))
    moved = others.get("shifts")
    wanted, appeal, home_offer, offer = (
        (0.0, 0.0, 0.0, 0.0) if moved is None else
        (getattr(moved, name)[..., cell] for name in ("demand", "appeal", "home_offer", "offer")))
    markets, column = len(home_share), (lower[:, None], upper[:, None])

    def gap(unknowns: np.ndarray) -> np.ndarray:
        home, wage = unknowns[:markets], unknowns[markets:]
        delivered = cost + wage
        imports = (import_share * np.exp((1 - column[0]) * delivered + appeal)).sum(axis=1)
        import_price = np.log(imports) / (1 - lower)
        price = np.log(home_share * np.exp((1 - upper) * home)
                       + (1 - home_share) * np.exp((1 - upper) * import_price)) / (1 - upper)
        reach = (lower - upper) * import_price + (upper - demand) * price + wanted
        bought = reach[:, None] - column[0] * delivered + appeal
        sold = np.maximum((sales_share * np.exp(bought)).sum(axis=0), 1e-300)
        at_home = -upper * home + (upper - demand) * price + wanted
        return np.concatenate([home - home_offer - at_home / home_supply,
                               wage - offer - inverse_supply * np.log(sold)])

    found = root(gap, np.zeros(markets + len(inverse_supply)), tol=1e-13)
    if np.abs(found.fun).max() > 1e-11:
        raise RuntimeError(f"scipy did not solve cell {cell}: {found.message}")
    return found.x


def of_decompose() -> None:
    """Time and memory of a fresh process that shares out eight levers over 1,000 draws."""
    code = (
        "import resource, time\n"
        "from tradesim.studies.decompose import decompose\n"
        "began = time.process_time()\n"
        f"found = decompose({DECOMPOSED!r}, draws=1000)\n"
        "print(time.process_time() - began,\n"
        "      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, found.attrs['solved'],\n"
        "      len(found['lever']))\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    processor, memory, solved, levers = (float(number) for number in done.stdout.split())
    show(f"decompose {DECOMPOSED}, {levers:.0f} levers, 1,000 draws", f"{processor:.1f} s",
         "<= 60 s, both cores")
    show("peak memory of it", f"{memory / 2**(20 if sys.platform == 'darwin' else 10):,.0f} MB",
         "<= 2,048 MB")
    show("situations solved, of all combinations, draws and years",
         f"{solved / ((2**levers - 1) * 11 * 1000):.2f}", "")


def of_commands() -> None:
    """Whole commands, as a user waits for them."""
    with tempfile.TemporaryDirectory() as folder:
        whole = [sys.executable, "-m", "tradesim", "run", str(ROOT / "scenarios" / "eaeu_fta.yaml"),
                 "--out", f"{folder}/out"]
        show("tradesim run scenarios/eaeu_fta.yaml, report included",
             f"{used(lambda: quiet(whole), 3):.1f} s", "<= 15 s")
    first = used(lambda: quiet([sys.executable, "-m", "tradesim", "--help"]), 10)
    pandas = used(lambda: quiet([sys.executable, "-c", "import pandas"]), 10)
    show("tradesim --help", f"{1e3 * first:.0f} ms", "")
    show("the same against python -c 'import pandas'", f"{first / pandas:.2f}", "<= 0.33")


def quiet(command: list[str]) -> None:
    """Run a command without showing what it prints."""
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
