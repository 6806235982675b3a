"""The episode page says what its script says, and the model has the sign of 2014 to 2016."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from episodes import PAGE, observed, predicted, real_rates, tables

REFRESH = "run: python docs/evidence/episodes.py"


@pytest.fixture(scope="module")
def rates(base):
    return real_rates(pd.read_csv(base.folder / "data" / "macro.csv"))


def test_page_holds_what_the_script_writes(base):
    page = PAGE.read_text(encoding="utf-8")
    for name, text in tables(base).items():
        assert text in page, f"{name}: {REFRESH}"


def test_real_rate_by_hand(rates):
    """Kazakhstan, 2015: GDP 221.4 to 184.4 billion USD, real growth 1.2 %."""
    assert rates["KAZ"][0] == pytest.approx(np.log(184.388 / 221.416) - np.log(1.012), abs=2e-3)


def test_observed_flow_and_share(base):
    seen = observed(base.folder)
    assert seen["KAZ"][2015] == pytest.approx(53.5, abs=0.05)
    assert seen["KAZ"][2016] == pytest.approx(77.1, abs=0.05)
    assert seen["imports"][2016] / seen["imports"][2015] - 1 == pytest.approx(-0.12, abs=0.005)
    assert seen["share"][2016] == pytest.approx(0.0088, abs=5e-5)


def test_share_rises_in_every_draw_and_what_happened_is_inside_the_range(base, rates):
    _, share = predicted(base, rates, draws=200)
    assert (share[1] > 0.0).all()
    seen = observed(base.folder)["share"]
    low, high = np.quantile(share[1], [0.05, 0.95])
    assert low < np.log(seen[2016] / seen[2014]) < high


def test_a_cheaper_rouble_takes_part_of_it(base, rates):
    alone, _ = predicted(base, {"KAZ": rates["KAZ"]}, draws=100)
    both, _ = predicted(base, {name: rates[name] for name in ("KAZ", "RUS")}, draws=100)
    assert (both < alone).all()
