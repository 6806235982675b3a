"""Measure what one pass between closure and groups neglects: ``python benchmarks/feedback.py``.

The closure averages costs over groups with base-year purchases. Here it is solved again with the
purchases that follow from its own first pass, and so on; nothing comes back in the model.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from tradesim.common.arrays import spread, total
from tradesim.common.files import calibration_folder
from tradesim.economy.closure import closure
from tradesim.economy.equilibrium import Macro, equilibrium
from tradesim.economy.resolve import resolve
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation import model
from tradesim.simulation.model import prepare

SCENARIO, DRAWS, SEED, PASSES = "all_levers", 1000, 1, 4


def main() -> None:
    """Print effects in the last year, per cent: 5 %, median, 95 % over draws."""
    base = model.load_baseline(calibration_folder())
    known = Known(base.parameters, base.levers, base.pair)
    scenario = read_scenario(SCENARIO, known, [f"draws={DRAWS}", f"seed={SEED}"])
    parts: dict[str, list[np.ndarray]] = {}
    for first in range(0, DRAWS, model.BLOCK):
        draws = {name: values[first:first + model.BLOCK] for name, values in
                 model.draw_all(base, scenario, Cube.random(DRAWS, SEED)).items()}
        for name, values in passes(base, scenario, draws).items():
            parts.setdefault(name, []).append(values)
    print(f"{SCENARIO}, every lever implemented, {DRAWS:,} draws, last year, per cent")
    for name, values in parts.items():
        percent = 100.0 * np.expm1(np.concatenate(values))
        low, middle, high = np.percentile(percent, [5, 50, 95])
        print(f"{name:58} {low:9.4f} {middle:9.4f} {high:9.4f}   largest "
              f"{np.abs(percent).max():.4f}, mean size {np.abs(percent).mean():.4f}")


def passes(base: model.Baseline, scenario: model.Scenario,
           draws: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Log changes of turnover and of wages from one pass to the next, by draw."""
    start = prepare(base, scenario, draws)
    world, levels = start.world, start.levels
    change = resolve(world, [(spread(1.0), shock) for shock in start.shocks.values()])

    def turnover(sales: np.ndarray) -> np.ndarray:
        flows = total(levels * np.exp(sales) * world.pair_flow, "importer", "exporter", "group")
        return np.log(flows[0, 0, 0, 0, -1])

    paid = world.sales * (1.0 + world.duty)
    offered = total(paid * np.exp(change.availability), "group") / total(paid, "group")
    settled = replace(change, availability=np.log(offered))  # the same with any weights

    def macro_of(sales: np.ndarray) -> Macro:
        here = replace(world, sales=world.sales * np.exp(sales))
        return closure(base.world_trade, here, settled, world.trade_elasticity)

    without = equilibrium(world, levels, change).sales
    none, sales = np.zeros_like(without), [without]
    macros = []
    for _ in range(PASSES):
        macros.append(macro_of(none if not macros else sales[-1]))
        sales.append(equilibrium(world, levels, change, macros[-1]).sales)
    found = {"levers, without closure": turnover(without) - turnover(none)}
    for place in range(1, len(sales)):
        name = "closure" if place == 1 else f"pass {place}"
        found[f"{name}: change of turnover"] = turnover(sales[place]) - turnover(sales[place - 1])
    for name in ("wage", "spending", "price_level"):
        one, two = (getattr(macro, name) for macro in macros[:2])
        for j, importer in enumerate(base.pair.importers):
            place = base.pair.exporters.index(importer)
            at = np.s_[0, place] if name == "wage" else np.s_[j, 0]
            found[f"first pass: {name}, {importer}"] = one[at][0, 0, -1]
            found[f"pass 2: change of {name}, {importer}"] = (two - one)[at][0, 0, -1]
    return found


if __name__ == "__main__":
    sys.exit(main())
