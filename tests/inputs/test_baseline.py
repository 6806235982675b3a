"""Draws of the base year stay in their ranges and meet the official totals."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradesim.common.arrays import only
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.economy.adding_up import balanced
from tradesim.economy.base_year import economy
from tradesim.inputs.baseline import read_baseline
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation.draws import draw_all
from tradesim.simulation.model import run

MET = 1e-12  # relative to an official total


@given(st.integers(0, 10_000), st.floats(0.02, 0.98))
@settings(max_examples=50, deadline=None)
def test_balanced_cells_meet_any_feasible_total(seed, where):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 5, (6, 1))
    high = low + rng.uniform(0, 8, (6, 1))
    values = low + (high - low) * rng.uniform(0.001, 0.999, (6, 40))
    total = low.sum() + where * (high - low).sum()
    cells = balanced(values, low, high, np.array(total))
    np.testing.assert_allclose(cells.sum(axis=0), total, rtol=MET)
    assert (cells >= low).all()
    assert (cells <= high).all()
    order = np.argsort((values - low) / (high - low), axis=0)
    place = np.take_along_axis((cells - low) / (high - low), order, axis=0)
    assert (np.diff(place, axis=0) >= -1e-12).all()  # the order of places is kept


def test_cells_that_add_up_stay_where_they_are():
    low, high = np.array([[0.0], [1.0], [2.0]]), np.array([[4.0], [1.0], [8.0]])
    values = np.array([[1.0], [1.0], [5.0]])
    np.testing.assert_allclose(balanced(values, low, high, np.array(7.0)), values, rtol=1e-12)


@pytest.fixture(scope="module")
def drawn(base):
    known = Known(base.parameters, base.levers, base.pair)
    draws = draw_all(base, read_scenario("base", known), Cube.random(300, 5))
    return economy(base, draws)


def test_official_totals_are_met_in_every_draw(base, drawn):
    sales = only(drawn.sales.sum(axis=2, keepdims=True), "importer", "exporter", "draw")
    for i in range(2):
        for j in range(len(base.pair.exporters)):
            if base.totals[i, j]:
                np.testing.assert_allclose(sales[i, j], base.totals[i, j], rtol=MET)


def test_cells_are_uncertain_and_inside_their_ranges(base, drawn):
    groups = drawn.grouped(drawn.sales)
    for i, importer in enumerate(base.pair.importers):
        for j, exporter in enumerate(base.pair.exporters):
            for g, group in enumerate(base.pair.groups):
                cell = base.parameters[f"market.{importer}.{group}.{exporter}"]
                values = groups[i, j, g].ravel() / 1e6
                slack = 1e-9 * (1.0 + cell.high)
                assert cell.low - slack <= values.min() <= values.max() <= cell.high + slack
                if cell.low < cell.high:
                    assert values.std() > 0.0


def test_route_shares_add_up(drawn):
    np.testing.assert_allclose(drawn.route_share.sum(axis=0), 1.0, rtol=MET)


def test_a_duty_of_one_law_is_the_same_for_all_suppliers(drawn):
    group = drawn.pair.lines.index("cigarettes")
    abroad = [drawn.duty[0, j, group].ravel() for j, code in enumerate(drawn.pair.exporters)
              if code != "MNG"]
    assert np.ptp(abroad[0]) > 0.1
    for other in abroad[1:]:
        np.testing.assert_array_equal(other, abroad[0])


def damaged(tmp_path, file, change):
    folder = tmp_path / "calibration"
    shutil.copytree(calibration_folder(), folder)
    path = folder / "baseline" / file
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def swap(*pairs):
    """Give a change of a text: in each pair the second for the first, once."""
    def change(text):
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        return text
    return change


@pytest.mark.parametrize(("file", "change", "message"), [
    ("markets.csv", lambda text: text.replace("value_musd", "value_usd", 1),
     r"markets\.csv.*value_musd.*missing"),
    ("markets.csv", lambda text: text.replace(",275,190,360,", ",-275,190,360,", 1),
     r"markets\.csv:2.*value_musd.*-275"),
    ("markets.csv", lambda text: "".join(text.splitlines(keepends=True)[:-1]),
     r"markets\.csv: market\.\w+\.\w+\.\w+: row missing"),
    ("totals.csv", lambda text: "".join(text.splitlines(keepends=True)[:-1]),
     r"totals\.csv: .*row missing: the official total of this supplier is needed"),
    ("totals.csv", lambda text: text.replace("54.69735", "5469.735", 1),
     r"ranges add up to .* USD million, which does not hold the official total of 5469\.7"),
    ("tariffs.csv", swap(["tariff.MNG.tobacco.KAZ", "tariff.MNG.tobaco.KAZ"]),
     r"tariffs\.csv: tariff\.MNG\.tobacco\.RUS: drawn_with: 'tariff\.MNG\.tobaco\.KAZ' is no "
     r"parameter; did you mean 'tariff\.MNG\.tobacco\.KAZ'\?"),
    ("route_shares.csv", swap(["altai,0.25,0.05,0.45", "altai,25,5,45"]),
     r"route_shares\.csv:2: share: 25 is out of range; allowed 0 to 1"),
    ("route_shares.csv", swap(["rail_russia,0.5,0.3,0.7", "rail_russia,0,0,0"],
                              ["altai,0.25,0.05,0.45", "altai,0.25,0.05,0.25"]),
     r"route_shares\.csv: MNG, cereals_flour: ranges of the shares of routes add up to "
     r"0\.[0-9]+-0\.[0-9]+, which does not hold 1 inside"),
    ("coverage.csv", swap(["cereals_flour,0.1,0.01,0.4", "cereals_flour,10,1,40"]),
     r"coverage\.csv:2: share: 10 is out of range; allowed 0 to 1"),
    ("coverage.csv", swap(["cereals_flour,0.1", "cereal_flour,0.1"]),
     r"coverage\.csv:2: group: 'cereal_flour' is unknown; did you mean 'cereals_flour'\?"),
    ("coverage.csv", swap(["eaeu_interim,interim", "eaeu_interin,interim"]),
     r"coverage\.csv:2: lever: 'eaeu_interin' is unknown; did you mean 'eaeu_interim'\?"),
    ("coverage.csv", lambda text: "".join([*text.splitlines(keepends=True)[:1],
                                           *text.splitlines(keepends=True)[2:]]),
     r"coverage\.csv: eaeu_interim\.coverage\.interim\.KAZ\.cereals_flour: row missing"),
    ("other_markets.csv", lambda text: "".join(text.splitlines(keepends=True)[:-1]),
     r"other_markets\.csv: other_market\.\w+\.\w+\.\w+: row missing"),
    ("services.csv", lambda text: "".join(text.splitlines(keepends=True)[:-1]),
     r"services\.csv: services\.students\.MNG\.KAZ\.price: row missing"),
    ("groups.csv", swap(["differentiated,0.3,0.1,0.6", "differentiated,30,10,60"]),
     r"groups\.csv: cereals_flour, differentiated: 60 is no share: at most 1"),
    ("groups.csv", swap(["cereals_flour,nontariff", "cereals_flour,nontarif"]),
     r"groups\.csv: nontariff\.cereals_flour: row missing"),
    ("../parameters.yaml", swap(["access.KAZ.meat_livestock", "access.KAZ.meat_livestok"]),
     r"parameters\.yaml: access\.KAZ\.meat_livestok\.MNG: 'meat_livestok' is no group of "
     r"pair\.yaml; known: .*; did you mean 'meat_livestock'\?"),
    ("../parameters.yaml", swap(["access.KAZ.meat_livestock.MNG", "access.KAZ.MNG"]),
     r"access\.KAZ\.MNG: must read access\.<importer>\.<group>\.<exporter>"),
    ("../parameters.yaml", swap(["supply.export.KAZ", "supply.export.KZA"]),
     r"supply\.export\.KZA\.cereals_flour: 'KZA' is no exporter of pair\.yaml"),
])
def test_bad_baseline_gets_one_clear_error(tmp_path, file, change, message):
    with pytest.raises(InputError, match=message):
        read_baseline(damaged(tmp_path, file, change))


def test_a_schedule_without_rows_is_missed_where_it_is_chosen(tmp_path):
    folder = damaged(tmp_path, "coverage.csv", lambda text: "".join(
        line for line in text.splitlines(keepends=True) if ",guarded," not in line))
    assert run("eaeu_fta", calibration=folder, draws=1).sizes["draw"] == 1
    with pytest.raises(InputError, match=r"eaeu_fta\.coverage\.guarded\.\w+\.\w+: row missing; "
                                         r"this scenario needs it"):
        run("food_security", calibration=folder, draws=1)


def test_a_missing_parameter_is_named(tmp_path):
    folder = tmp_path / "calibration"
    shutil.copytree(calibration_folder(), folder)
    path = folder / "parameters.yaml"
    text = path.read_text(encoding="utf-8").replace("\ndiscount.rate:", "\ndiscount.rat:")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"parameters\.yaml: discount\.rate: parameter missing; "
                                         r"the model needs it; did you mean 'discount\.rat'"):
        read_baseline(folder)
