"""Hindcasts: nothing later is used, the draws are those of the equations, errors are clear."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.history import CORRIDOR, MACRO, TRADE
from tradesim.studies.backtest import cells
from tradesim.studies.backtest.cells import hindcast

ORIGIN, SHORT, DRAWS = 2017, 60, 400


@pytest.fixture(scope="module")
def committed():
    return calibration_folder()


def quick(folder, origin=ORIGIN, **more):
    return hindcast(folder, origin, **{"draws": DRAWS, "steps": SHORT, "seed": 3, **more})


@pytest.fixture(scope="module")
def changed(committed, tmp_path_factory):
    """Every figure after the origin is another one, or gone."""
    folder = shutil.copytree(committed, tmp_path_factory.mktemp("later") / "calibration")
    rng = np.random.default_rng(1)

    def spoil(name, column, values):
        frame = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
        later = frame["year"].astype(int) > ORIGIN
        frame.loc[later, column] = values(frame.loc[later, column])
        for extra in {"low", "high"} & set(frame):
            frame.loc[later, extra] = ""
        frame[~(later & (rng.random(len(frame)) < 0.1))].to_csv(
            folder / name, index=False, lineterminator="\n")

    def scaled(old):
        return [f"{abs(float(value)) * rng.uniform(0.2, 5.0):.6f}" for value in old]

    spoil(TRADE, "value_usd", scaled)
    spoil(MACRO, "value", scaled)
    frame = pd.read_csv(folder / CORRIDOR, dtype=str, keep_default_na=False)
    later = frame["year"].astype(int) > ORIGIN
    frame.loc[later, ["closed_share", "low", "high"]] = "0.37"
    frame.to_csv(folder / CORRIDOR, index=False, lineterminator="\n")
    return folder


def test_nothing_later_than_the_origin_is_used(committed, changed):
    before, after = quick(committed), quick(changed)
    assert before.log_flow.tobytes() == after.log_flow.tobytes()
    assert before.log_report.tobytes() == after.log_report.tobytes()
    assert (before.worst_rhat, before.smallest_ess) == (after.worst_rhat, after.smallest_ess)


def test_the_last_known_year_does_matter(committed, changed):
    """The test above would see a difference: one year later it does."""
    assert not np.allclose(quick(committed, ORIGIN + 1).log_flow,
                           quick(changed, ORIGIN + 1).log_flow)


def test_shape_and_names(committed):
    found = quick(committed, horizons=3)
    assert found.years == (2018, 2019, 2020)
    assert found.origin == 2017
    assert found.log_flow.shape == (DRAWS, 3, 2)
    assert found.log_report.shape == (DRAWS, 3, 2, 2)
    assert np.isfinite(found.log_report).all()
    assert found.worst_rhat > 1.0
    assert found.smallest_ess > 0.0


def test_seed_decides_everything(committed):
    first, again, other = (quick(committed, seed=seed).log_report for seed in (5, 5, 6))
    assert first.tobytes() == again.tobytes()
    assert not np.allclose(first, other)


def test_a_report_is_the_flow_with_bias_and_error(committed):
    found = quick(committed, draws=2000, steps=200)
    gap = found.log_report - found.log_flow[..., None]
    assert gap[..., 0].mean() == pytest.approx(0.0, abs=0.05)  # the reference has no bias
    assert gap[..., 0, 1].mean() == pytest.approx(-0.8, abs=0.25)
    assert 0.05 < gap[..., 0, 0].std() < 0.4


def test_a_year_of_closure_may_be_followed_by_another(committed):
    shares = [np.mean(cells._corridor(committed, last, 4000, 1, np.random.default_rng(2)) > 0)
              for last in (0.0, 0.83)]
    assert shares[0] == pytest.approx(0.08, abs=0.02)
    assert shares[1] == pytest.approx(0.30, abs=0.03)


@pytest.mark.parametrize(("given", "message"), [
    ({"origin": 2012}, "as_of: 2012 is no last year of a sample; allowed 2013 to 2024"),
    ({"origin": 2025}, "as_of: 2025 is no last year of a sample; allowed 2013 to 2024"),
    ({"horizons": 0}, "hindcast: horizons: must be 1 or more"),
    ({"draws": 0}, "hindcast: draws: must be 1 or more"),
    ({"draws": 10**6}, "hindcast: draws: 1000000 are more than the 7680 that the sampler keeps"),
])
def test_bad_input(committed, given, message):
    with pytest.raises(InputError, match=message):
        quick(committed, **given)


def test_too_little_gdp_is_an_error(committed, tmp_path):
    folder = shutil.copytree(committed, tmp_path / "calibration")
    frame = pd.read_csv(folder / MACRO, dtype=str, keep_default_na=False)
    frame[frame["year"].astype(int) > 2010].to_csv(folder / MACRO, index=False)
    with pytest.raises(InputError, match=r"macro\.csv: 4 years of GDP and growth up to 2014 are "
                                         r"too few to forecast it; 6 are needed"):
        quick(folder, 2014)
