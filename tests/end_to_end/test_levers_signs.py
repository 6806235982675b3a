"""Every lever and shock alone: its sign, that it is not inert, and its size beside publications."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lever_effects import CASES, effect, run_alone

DRAWS = 40
ALONE = {case.lever: case for case in CASES}


def test_every_lever_is_in_the_table(base):
    assert set(ALONE) == set(base.levers)
    assert len(CASES) == len(ALONE)


@pytest.fixture(scope="module", params=CASES, ids=list(ALONE))
def alone(request, base):
    case = request.param
    return case, effect(run_alone(base, case, DRAWS), case)


def test_sign(alone):
    """In every draw in which anything moves; a delay may keep a draw still."""
    case, moved = alone
    right = moved >= -1e-9 if case.rises else moved <= 1e-9
    assert right.mean() >= 0.95, case.lever
    assert (moved.mean() > 1e-6) if case.rises else (moved.mean() < -1e-6)


def test_size(alone):
    case, moved = alone
    middle = np.median(moved)
    assert case.low <= middle <= case.high, f"{middle:.4f} against {case.low} to {case.high}"


@pytest.mark.parametrize("case", CASES, ids=list(ALONE))
def test_more_of_it_does_more(base, case):
    name, less, more = case.turn
    small, large = (effect(run_alone(base, case, DRAWS, [f"{name}={value}"]), case)
                    for value in (less, more))
    further = large - small if case.rises else small - large
    assert (further >= -1e-9).mean() >= 0.95, case.lever
    assert further.mean() > 1e-5, f"{case.lever} does not answer to {name}"


def test_a_falling_tenge_raises_exports_to_mongolia(base):
    case = ALONE["exchange_rate"]
    moved = effect(run_alone(base, case, 200), case)
    assert (moved > 0.0).mean() >= 0.95


def test_from_one_plant_in_a_hundred_to_all_trade_moves_by_multiples(base):
    case = ALONE["veterinary_recognition"]
    moved = effect(run_alone(base, case, DRAWS, [
        "access.KAZ.meat_livestock.MNG=0.01", "veterinary_recognition.approval=1",
        "veterinary_recognition.nontariff_cut=0", "veterinary_recognition.start=2026",
        "veterinary_recognition.delay=0"]), case)
    assert np.exp(np.median(moved)) > 5.0


def test_sanctions_reach_the_pair_and_not_kazakhstans_trade_with_russia(base):
    case = ALONE["sanctions"]
    found = run_alone(base, case, DRAWS).sel(year=2030)
    bought = found["imports"].sel(importer="KAZ", exporter="RUS")
    np.testing.assert_allclose(bought.sel(case="if_implemented"), bought.sel(case="reference"),
                               rtol=1e-4)
    assert abs(found["welfare"].sel(importer="KAZ", case="if_implemented").mean()) < 20e6


def test_price_shocks_bite_gradually_and_closures_at_once(base):
    first, second = (effect(run_alone(base, case, DRAWS), case) for case in (
        ALONE["sanctions"], ALONE["corridor_closure"]))
    later = [effect(run_alone(base, case, DRAWS), case) for case in (
        _later(ALONE["sanctions"]), _later(ALONE["corridor_closure"]))]
    assert (later[0] < first).all()
    assert (later[1] > second).all()


def _later(case):
    return replace(case, year=case.year + 1)
