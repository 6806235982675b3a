"""Documented cells add up, hold years and counts in their ranges, and replace only their rows."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import made_up_trade_files as made
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.base_year_tables import MARKETS
from tradesim.inputs.baseline import read_baseline
from tradesim.inputs.pair import read_pair
from tradesim.inputs.trade_files.cells import cells, discrepancies, read_judged
from tradesim.inputs.trade_files.compositions import SECTIONS, split_sections
from tradesim.inputs.trade_files.evidence import AGEING, MARGINS
from tradesim.inputs.trade_files.folder import KEPT, write_calibration
from tradesim.inputs.trade_files.official import Gap, read_totals
from tradesim.studies.imported import read_files

FOLDER = calibration_folder()
PAIR = read_pair(FOLDER)
TOTALS = read_totals(FOLDER, PAIR)
JUDGED = read_judged(FOLDER, PAIR)
GOOD = made.good_rows()
STEP = 2e-4
"""A cell is rounded to 0.0001, its range outwards."""
FAINT = 0.001 * 54.7
"""What goods of other years only may take from the others, USD million."""


def composition(shares, reporter="MNG", year=PAIR.base_year, scheme="HS", total=54.69735e6):
    """One flow into the first market by group; groups that are not named have none."""
    values = [total * shares.get(group, 0.0) for group in PAIR.groups]
    return pd.DataFrame({
        "first": year, "last": year, "reporter": reporter, "importer": "MNG", "exporter": "KAZ",
        "scheme": scheme, "group": list(PAIR.groups), "value": values, "low": values,
        "high": values, "files": "f.csv", "sha256": "0" * 64, "source": "An agency"})


def by_group(*tables, **options):
    found = cells(pd.concat(tables), PAIR, TOTALS, JUDGED, **options)
    return {cell.group: cell for cell in found}


HALF = {"tobacco": 0.5, "metals": 0.5}
OTHER = {"tobacco": 0.2, "metals": 0.7, "chemicals": 0.1}
TOTAL = TOTALS["MNG", "KAZ"] / 1e6


def test_the_importers_count_of_the_base_year_is_a_fact():
    found = by_group(composition(HALF))
    assert found["tobacco"].value == pytest.approx(TOTAL / 2, abs=STEP)
    assert found["tobacco"].grade == "A"
    assert found["tobacco"].low == pytest.approx(TOTAL / 2 * (1 - MARGINS["A"]), abs=STEP)
    assert (found["chemicals"].low, found["chemicals"].high) == (0.0, 0.0)
    assert sum(cell.value for cell in found.values()) == pytest.approx(TOTAL, abs=1e-6)
    assert found["tobacco"].before == JUDGED["MNG", "tobacco", "KAZ"]


def test_a_total_that_is_not_met_lowers_the_grade():
    gap = Gap(2023, 2023, "MNG", "MNG", "KAZ", 1.0, 2.0, "x", "f.csv")
    assert by_group(composition(HALF), gaps=[gap])["tobacco"].grade == "B"


def test_ranges_hold_other_years_and_the_other_count():
    found = by_group(composition(HALF), composition(OTHER, year=PAIR.base_year - 1),
                     composition({"tobacco": 0.9, "metals": 0.1}, reporter="KAZ"))
    assert found["tobacco"].value == pytest.approx(TOTAL / 2, abs=FAINT)
    assert found["tobacco"].low == pytest.approx(0.2 * TOTAL, abs=STEP)
    assert found["tobacco"].high == pytest.approx(0.9 * TOTAL, abs=STEP)
    assert 0 < found["chemicals"].value <= FAINT  # traded in another year
    assert found["chemicals"].high == pytest.approx(0.1 * TOTAL, abs=STEP)
    assert found["chemicals"].low == 0.0


def test_another_count_can_be_followed():
    tables = composition(HALF), composition(OTHER, reporter="KAZ")
    assert by_group(*tables)["metals"].value == pytest.approx(TOTAL / 2, abs=FAINT)
    found = by_group(*tables, count="KAZ")["metals"]
    assert found.value == pytest.approx(0.7 * TOTAL, abs=STEP)
    assert found.grade == "B"


def test_an_old_composition_has_a_wide_range():
    old = by_group(composition(OTHER, year=PAIR.base_year - 9))["chemicals"]
    assert old.value == pytest.approx(0.1 * TOTAL, abs=STEP)
    assert old.low == pytest.approx(old.value * np.exp(-3 * AGEING), abs=STEP)
    assert old.high == pytest.approx(old.value * np.exp(3 * AGEING), abs=STEP)
    assert old.grade == "B"


def test_chapters_go_before_sections():
    found = by_group(composition(HALF, year=2019),
                     composition({"chemicals": 1.0}, scheme="SITC", year=2020))
    assert found["chemicals"].value == 0.0


@given(st.lists(st.floats(0.0, 1e6), min_size=12, max_size=12).filter(lambda v: sum(v) > 1.0))
def test_cells_add_up_inside_their_ranges(values):
    shares = dict(zip(PAIR.groups, np.array(values) / sum(values), strict=True))
    found = by_group(composition(shares)).values()
    assert sum(cell.value for cell in found) == pytest.approx(TOTAL, abs=1e-6)
    assert all(cell.low <= cell.value <= cell.high for cell in found)
    assert sum(cell.low for cell in found) < TOTAL < sum(cell.high for cell in found)


def test_sections_split_as_judged():
    judged = np.array([[3.0, 1.0, 5.0], [1.0, 0.5, 2.0], [2.0, 2.0, 2.0]])
    share = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    middle, low, high = split_sections(np.array([70.0, 25.0]), judged, share, share, share)
    np.testing.assert_allclose(middle, [60.0, 15.0, 20.0])
    np.testing.assert_allclose(low[0], 70.0 * 1.0 / (1.0 + 1.0))
    np.testing.assert_allclose(high[0], 70.0 * 5.0 / (5.0 + 0.25))
    assert middle.sum() == pytest.approx(95.0)
    nothing, *_ = split_sections(np.array([8.0, 0.0]), 0.0 * judged, share, share, share)
    assert nothing.sum() == pytest.approx(8.0)


def test_discrepancies_are_by_group_and_year():
    found = discrepancies(pd.concat([composition(HALF), composition(OTHER, reporter="KAZ"),
                                     composition(OTHER, reporter="KAZ", year=2019)]), PAIR.groups)
    assert found["first"].unique().tolist() == [PAIR.base_year]
    row = found.set_index("group").loc["metals"]
    assert row["exporters"] / row["importers"] == pytest.approx(1.4)


@pytest.fixture
def imported(tmp_path):
    path = tmp_path / "good.csv"
    path.write_text(made.text(GOOD), encoding="utf-8")
    return read_files([path], FOLDER)


def test_a_new_folder_is_a_calibration(tmp_path, imported):
    target = tmp_path / "new"
    target.mkdir()
    write_calibration(target, FOLDER, imported.cells, imported.documented)
    base = read_baseline(target)
    for cell in imported.cells:
        written = base.parameters[f"market.{cell.importer}.{cell.group}.{cell.exporter}"]
        assert (written.low, written.high) == (cell.low, cell.high)
        assert written.grade == cell.grade
        assert imported.trades[0].sha256 in written.note
        assert "good.csv" in written.source
    old, new = ((folder / MARKETS.file).read_text(encoding="utf-8").splitlines()
                for folder in (FOLDER, target))
    changed = [a for a, b in zip(old, new, strict=True) if a != b]
    assert len(changed) == len(imported.cells) == 2 * len(PAIR.groups)
    kept = list(csv.DictReader((target / KEPT).read_text(encoding="utf-8").splitlines()))
    assert {(row["reporter"], row["importer"]) for row in kept} == {
        (a, b) for a in PAIR.pair for b in PAIR.pair}
    assert all(row["sha256"] == imported.trades[0].sha256 for row in kept)


def test_cells_are_made_where_there_were_none(tmp_path, imported):
    bare = tmp_path / "bare"
    for name in ("pair.yaml", "baseline/totals.csv", "import/countries.csv"):
        (bare / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FOLDER / name, bare / name)
    found = read_files([imported.trades[0].path], bare)
    assert all(cell.before is None for cell in found.cells)
    target = tmp_path / "new"
    target.mkdir()
    write_calibration(target, bare, found.cells, found.documented)
    assert len(read_judged(target, PAIR)) == len(found.cells)


def test_a_group_of_suppliers_needs_nearly_all_its_countries(tmp_path):
    rows = made.table(GOOD)
    some = [row | {"partner": partner} for row in rows if row["reporter"] == "MNG"
            and row["flow"] == "import" for partner in ("KAZ", "BLR", "DEU")]
    path = tmp_path / "some.csv"
    path.write_text(made.text(some), encoding="utf-8")
    found = read_files([path], FOLDER)
    assert {(cell.importer, cell.exporter) for cell in found.cells} == {("MNG", "KAZ"),
                                                                        ("MNG", "REAEU")}
    assert list(found.left) == [("MNG", "ROW")]


def test_the_same_goods_in_two_files_are_refused(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(made.text(GOOD), encoding="utf-8")
    with pytest.raises(InputError, match=r"b\.csv: 2023, .*stands in .*a\.csv too, both as"):
        read_files([tmp_path / "a.csv", tmp_path / "b.csv"], FOLDER)


def test_parts_of_a_flow_may_come_in_several_files(tmp_path):
    rows = made.leaves(GOOD)
    for name, part in (("a.csv", rows[::2]), ("b.csv", rows[1::2])):
        (tmp_path / name).write_text(made.text(part), encoding="utf-8")
    found = read_files([tmp_path / "a.csv", tmp_path / "b.csv"], FOLDER)
    assert not found.gaps
    assert found.cells[0].source.endswith("file a.csv + b.csv")


def test_an_unknown_count_is_refused(tmp_path):
    with pytest.raises(InputError, match="--count: kasakh: unknown count"):
        read_files([tmp_path / "x.csv"], FOLDER, count="kasakh")


def test_wrong_weights_of_sections_are_refused(tmp_path):
    folder = tmp_path / "calibration"
    shutil.copytree(FOLDER, folder)
    path = folder / SECTIONS
    text = path.read_text(encoding="utf-8").replace("tobacco,1,1,1,1", "tobacco,1,0.9,0.9,1")
    path.write_text(text, encoding="utf-8")
    table = tmp_path / "sections.csv"
    table.write_text("year,exporter,importer,section,value\n2005,KAZ,MNG,1,5e6\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"tobacco: shares add up to 0\.9, not to 1"):
        read_files([table], folder)


def test_the_official_split_by_section_lies_inside_what_is_judged():
    """`docs/data.md` says so of 2013-14, and of fuels alone that 2005 lies outside."""
    table = FOLDER / "data" / "trade_sections.csv"
    found = {cell.group: cell for cell in read_files([table], FOLDER, years="2013-2014").cells}
    assert [cell.group for cell in found.values() if not cell.inside] == []
    assert {cell.exporter for cell in found.values()} == {"KAZ"}
    both = [cell for cell in read_files([table], FOLDER, years="2005,2013-2014").cells
            if (cell.importer, cell.exporter) == ("MNG", "KAZ")]
    assert [cell.group for cell in both if not cell.inside] == ["minerals_fuels"]


def test_ageing_is_what_sections_of_the_pair_moved():
    frame = pd.read_csv(FOLDER / "data" / "trade_sections.csv", dtype={"period": str})
    pair = frame[(frame["exporter"] == "KAZ") & (frame["importer"] == "MNG")]
    shares = pair.pivot_table(index="section", columns="period", values="value_usd").dropna()
    shares = shares / shares.sum()
    moved = np.log(shares["2013-14"] / shares["2005"])
    assert len(moved) == 8
    assert np.sqrt((moved**2).mean() / (2013.5 - 2005)) == pytest.approx(AGEING, abs=0.01)
