"""Single figures of results in memory, for notebooks."""

from __future__ import annotations

import xarray as xr

from tradesim.inputs.pair import PAIR_FILE, read_pair
from tradesim.reports.compare import figures as of_comparison
from tradesim.reports.figure_style import Draw
from tradesim.reports.run import figures as of_run
from tradesim.reports.run.page import Calibration
from tradesim.reports.run.view import ResultsView
from tradesim.simulation.manifest import made_with
from tradesim.studies.compare import Comparison


def figures_of(result: xr.Dataset | Comparison) -> dict[str, Draw]:
    """Give what draws each figure of a run or of a comparison, by name.

    Names and past trade come from the calibration of the run, or from the one that comes with
    tradesim where that is gone.
    """
    if isinstance(result, Comparison):
        pair = read_pair(made_with(result.first.attrs, PAIR_FILE))
        return of_comparison.figures(result, pair, ())
    known = Calibration.read(made_with(result.attrs))
    return of_run.figures(ResultsView(result, known.pair, known.history, known.posterior))
