"""Count the lasting rises of other pairs' trade, which bound how often new goods arrive.

Run ``python docs/evidence/make_new_goods.py PANEL [--gdp FILE] [--out calibration]``.

Writes `new_goods.csv`: for pairs as large as each flow of this one, which is itself left out, how
many windows hold a rise of a quarter or more that lasts three years and that both GDPs do not
explain, how many hold such a fall, how large the rises are by years since, and how many are still
there. `docs/new-goods.md` says what follows from it. Half a minute.
"""

from __future__ import annotations

from pathlib import Path

import click
import pandas as pd

from tradesim.inputs.pair import read_pair
from tradesim.inputs.trade_panel import read_panel
from tradesim.reference.lasting_rises import FOLLOWED, lasting_rises
from tradesim.reference.matched_pairs import Matching

FILE = "new_goods.csv"
ELASTICITY = 0.6
"""Of trade to the product of both GDPs, over time, in other pairs (`docs/outside-view.md`)."""

BASES = range(1980, 2004)
SIZES = {"as the larger flow": Matching((50e6, 250e6), (0.22, 0.55)),
         "as the smaller flow": Matching((3e6, 15e6), (0.22, 1.5))}


@click.command()
@click.argument("panel", type=click.Path(path_type=Path))
@click.option("--gdp", type=click.Path(path_type=Path), help="GDP; by default beside the panel.")
@click.option("--calibration", type=click.Path(path_type=Path), default=Path("calibration"))
@click.option("--out", type=click.Path(path_type=Path), default=Path("calibration"))
def main(panel: Path, gdp: Path | None, calibration: Path, out: Path) -> None:
    """Write `new_goods.csv`."""
    others = read_panel(panel, gdp).without(*read_pair(calibration).pair)
    rows = []
    for title, like in SIZES.items():
        found = lasting_rises(others, like, BASES, ELASTICITY)
        if found is None:
            continue
        rows += [{"pairs": title, "size_from_musd": like.size[0] / 1e6,
                  "size_to_musd": like.size[1] / 1e6, "windows": found.windows,
                  "rises_a_year": found.rises, "falls_a_year": found.falls, "years_after": age + 1,
                  "mean_log_rise": found.size[age], "still_there": found.there[age]}
                 for age in range(FOLLOWED)]
    pd.DataFrame(rows).to_csv(out / FILE, index=False, float_format="%.4g", lineterminator="\n")


if __name__ == "__main__":
    main()
