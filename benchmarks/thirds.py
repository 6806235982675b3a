"""How much single unknowns move the answer: draws split into thirds by each of them.

``python benchmarks/thirds.py [SCENARIO]`` prints, for every factor, median turnover of 2035 in
the reference and the mean effect of the scenario if implemented, in the lowest and in the
highest third of the draws of that factor. Other factors stay as they are drawn, so this is no
decomposition, but it shows at a glance which judgement matters. Used for docs/limits.md.
"""

import sys

import numpy as np

from tradesim.common.files import calibration_folder
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation.draws import draw_all
from tradesim.simulation.model import load_baseline, simulate

YEAR, SHOWN = 2035, 14
MILLION = 1e6


def factors(draws: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One column per uncertain number that varies; those over years as their sum."""
    columns = {}
    for name, values in draws.items():
        flat = values.reshape(len(values), values.shape[1] if values.ndim > 1 else 1, -1)
        if name.startswith("innovation."):
            flat = flat.sum(axis=1, keepdims=True)
        flat = flat.reshape(len(values), -1)
        for column in range(flat.shape[1]):
            label = f"{name}[{column}]" if flat.shape[1] > 1 else name
            if np.ptp(flat[:, column]) > 0:
                columns[label] = flat[:, column]
    return columns


def main(name: str = "all_levers") -> None:
    """Print the factors that matter most, for the level and for the effect."""
    base = load_baseline(calibration_folder())
    scenario = read_scenario(name, Known(base.parameters, base.levers, base.pair))
    draws = draw_all(base, scenario, Cube.random(scenario.draws, scenario.seed))
    turnover = simulate(base, scenario, draws)["turnover"].isel(count=0).sel(year=YEAR) / MILLION
    level = turnover.sel(case="reference").to_numpy()
    effect = turnover.sel(case="if_implemented").to_numpy() / level - 1.0
    print(f"{name}, {YEAR}: reference {np.median(level):.0f}, if implemented "
          f"{100 * effect.mean():+.1f} % on average")
    for title, values, middle, scale in (("reference, median, USD million", level, np.median, 1.0),
                                         ("effect if implemented, mean, %", effect, np.mean, 100.)):
        rows = []
        for label, column in factors(draws).items():
            low, high = np.quantile(column, [1 / 3, 2 / 3])
            pair = [scale * middle(values[side]) for side in (column <= low, column >= high)]
            rows.append((abs(pair[1] - pair[0]), label, pair))
        print(f"\n{title}: lowest third, highest third")
        for _, label, (low, high) in sorted(rows, reverse=True)[:SHOWN]:
            print(f"  {label:44} {low:8.1f} {high:8.1f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
