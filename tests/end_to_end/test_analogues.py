"""Past changes of duty: the tariff channel in closed form, and the page as it stands."""

import re
import shutil
from pathlib import Path

import analogue_figure
import analogues
import make_evidence
import numpy as np
import pytest
from analogue_cases import read_cases, read_flows, read_rates
from hypothesis import given, settings
from hypothesis import strategies as st

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "analogues.md"
SMALL = 1e-7
"""Log points of a shock at which squares vanish."""
EXACT = 1e-9
"""Relative error of a root found to full precision and put back."""


def test_a_vanishing_supplier_answers_with_the_lower_elasticity():
    sales = analogues.flow_response(np.array([-0.05, 0.02]), 1e-12, 0.6, 4.3, 2.5, 0.9, 1.2)
    assert sales == pytest.approx(4.3 * np.array([0.05, -0.02]), rel=1e-6)


def test_a_large_supplier_answers_with_less():
    cuts = [float(analogues.flow_response(np.array(-0.05), share, 0.3, 4.3, 2.5, 0.9, 1.2))
            for share in (1e-9, 0.1, 0.5, 0.9)]
    assert cuts == sorted(cuts, reverse=True)


def test_home_output_to_first_order():
    """(9)-(10) linear in the cost of imports: p = (σ-ε)(1-α) c / (η + σ - (σ-ε) α), q = η p."""
    home, upper, demand, supply = 0.84, 2.5, 0.9, 1.2
    expected = (supply * (upper - demand) * (1 - home)
                / (supply + upper - (upper - demand) * home))
    found = analogues.home_response(np.array(-SMALL), home, upper, demand, supply) / -SMALL
    assert found == pytest.approx(expected, rel=1e-5)


@settings(deadline=None)
@given(upper=st.floats(1.3, 60), supply=st.floats(0.3, 8), home=st.floats(0.05, 0.95),
       cut=st.floats(0.02, 0.3))
def test_elasticity_needed_is_the_inverse_of_the_market(upper, supply, home, cut):
    output = float(analogues.home_response(np.array(-cut), home, upper, 0.9, supply))
    assert analogues.supply_needed(output, -cut, home, upper, 0.9) == pytest.approx(
        supply, rel=1e-7)
    assert analogues.substitution_needed(output, -cut, home, 0.9, supply) == pytest.approx(
        upper, rel=1e-7)


def test_the_same_good_needs_output_over_price():
    needed = analogues.supply_needed(np.log(0.7), -0.14, 0.84, analogues.SAME_GOOD, 0.9)
    assert needed == pytest.approx(np.log(0.7) / -0.14, rel=0.02)


def test_what_no_supply_elasticity_can_reach():
    assert analogues.supply_needed(np.log(0.7), -0.13, 0.84, 2.5, 0.9) == np.inf
    assert analogues.substitution_needed(np.log(0.7), -0.13, 0.84, 0.9, 1.2) == np.inf
    rigid = analogues.substitution_needed(np.log(0.7), -0.13, 0.84, 0.9, np.inf)
    index = np.log(0.84 + 0.16 * np.exp(-0.13 * (1 - rigid))) / (1 - rigid)
    assert (rigid - 0.9) * index == pytest.approx(np.log(0.7), abs=1e-5)


def test_only_the_used_part_of_a_duty_is_taken_off():
    cost = analogues.duty_path(np.array([0.10, 0.02]), np.array([0.05, 0.05]),
                               np.array([0.5, 1.0]))
    assert np.exp(cost) == pytest.approx([1.075 / 1.10, 1.0 / 1.02], rel=EXACT)


def test_quiet_changes_stop_at_the_agreement():
    series = {year: float(2 ** (year - 2010)) for year in range(2010, 2020)}
    found = analogues.quiet_changes([(series, 2016)], 4)
    assert found == pytest.approx([4 * np.log(2)], rel=EXACT)  # 2010-12 against 2014-16 only
    assert len(analogues.quiet_changes([(series, 2019)], 4)) == 4
    assert len(analogues.quiet_changes([({**series, 2012: 0.0}, 2019)], 4)) == 1


def test_elasticity_needed_scales_with_logs():
    needed = analogues.elasticity_needed(1.21, np.array([1.1, 1.0]), np.array([4.0, 4.0]))
    assert needed == pytest.approx([8.0, np.inf], rel=EXACT)
    assert analogues.elasticity_needed(0.9, np.array([1.1]), np.array([4.0]))[0] < 0


def test_the_better_series_counts():
    flows = read_flows(calibration_folder())
    assert flows["KAZ", "VNM"][2020] == 57334073  # the poorer row says 3.8 million
    assert flows["VNM", "KAZ"][2019] == 309178415
    assert read_rates(calibration_folder(), "KAZ", "VNM")[2016] == pytest.approx(0.06241)


def test_predictions_answer_to_the_rates():
    cases = read_cases(calibration_folder())
    years, sales, elasticity = analogues.predicted_flow(cases, "vietnam_imports")
    assert (years[0], years[-1]) == (2017, 2024)
    assert sales.shape == (cases.draws, 8)
    assert (sales > 1).all()
    assert np.median(elasticity) == pytest.approx(4.3, abs=0.2)
    rates = read_rates(cases.folder, "KAZ", "VNM")
    whole = elasticity * np.log((1 + rates[2016]) / (1 + rates[2023]))
    assert (np.log(sales[:, -1]) < 1.3 * whole).all()  # groups differ, so the mean is no bound


def broken(tmp_path, old, new):
    shutil.copytree(calibration_folder(), tmp_path / "c")
    path = tmp_path / "c" / "analogues.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return tmp_path / "c"


@pytest.mark.parametrize(("old", "new", "message"), [
    ("draws: 4000\n", "", "draws: is missing"),
    ("seed: 1\n", "seed: 1\nseeds: 2\n", "seeds: unknown key"),
    ("eaeu_interim.utilisation", "eaeu_interim.use",
     "'eaeu_interim.use' is no numeric setting of a lever"),
    ("      metals: [0.5", "      metal: [0.5", "'metal' is no group with elasticities"),
    ("    exporter: VNM\n", "", "duty_cuts.vietnam_imports.exporter: is missing"),
    ("        grade: B\n        note: 15 %", "        note: 15 %", "grade: is missing"),
    ("    months_before: 4\n", "    months_before: four\n", "must be a whole number")])
def test_bad_cases_are_named(tmp_path, old, new, message):
    with pytest.raises(InputError, match=re.escape(message)):
        read_cases(broken(tmp_path, old, new))


@pytest.fixture(scope="module")
def frame():
    return analogues.results(calibration_folder())


def test_page_shows_the_current_numbers():
    page = PAGE.read_text(encoding="utf-8")
    assert make_evidence.fill(page, make_evidence.analogue_tables(calibration_folder())) == page


def test_prose_of_the_page_is_true(frame):
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    flour, exports = (make_evidence.lookup(frame, name) for name in ("flour", "vietnam_exports"))
    settled = flour("predicted_settled", "p05")
    assert -0.02 < flour("predicted_settled", "p50") < -0.015
    assert "predicts that home mills lose 2 %; they lost 20 to 40 %" in text
    assert flour("outcome_net_of_trend") < 3 * settled  # "more than three times"
    assert f"of {flour('upper_needed_rigid_price'):.1f} no supply elasticity" in text
    assert flour("upper_prior_above_needed") < 0.01
    assert f"elasticity of {flour('supply_needed_same_good'):.1f}: one prior draw" in text
    assert flour("supply_prior_above_same_good") == pytest.approx(0.05, abs=0.01)
    upper = [f"{flour('upper', level):.1f}" for level in ("p50", "p05", "p95")]
    assert "median {} (90 % range {} to {})".format(*upper) in text
    supply = [f"{flour('supply', level):.1f}" for level in ("p50", "p05", "p95")]
    assert "that of home supply {} ({} to {})".format(*supply) in text
    medians = frame[(frame["key"] == "predicted_after") & (frame["statistic"] == "p50")]["value"]
    assert "predicts 0 to 8 %" in text
    assert (round(100 * medians.min()), round(100 * medians.max())) == (0, 8)
    assert exports("base") * (1 + exports("outcome_after")) == pytest.approx(193.9e6, rel=1e-3)
    assert f"of {frame[frame['key'] == 'number']['value'].iloc[0]:.0f} changes" in text


def test_figure_has_a_row_per_case():
    value = {"p05": -0.1, "p25": -0.05, "p75": 0.0, "p95": 0.1, "happened": 1.0, "net": 0.5}
    figure = analogue_figure.draw([("one", value), ("two", value)], 0.4)
    labels = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert labels == ["one", "two"]
