from __future__ import annotations

import pytest

import fake_results
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.run import page as report
from tradesim.reports.run.view import ResultsView


@pytest.fixture(scope="module")
def pair():
    return read_pair(calibration_folder())


@pytest.fixture(scope="module")
def make(pair):
    """View the results of a made-up run; its past replaces that of the calibration."""
    history, posterior = fake_results.past(pair.importers, pair.reporters)

    def results_view(**settings) -> ResultsView:
        data = fake_results.dataset(
            list(pair.importers), list(pair.exporters), list(pair.groups), list(pair.counts),
            calibration=str(calibration_folder()), **settings)
        return ResultsView(data, pair, history, posterior)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "read_history", lambda _: history)
        patch.setattr(report, "ResultsView", lambda data, pair, history, _: ResultsView(
            data, pair, history, posterior))
        yield results_view
