"""Shares of named products come from files whose codes are deep enough, and from no others."""

from __future__ import annotations

import pytest

import made_up_trade_files as made
from tradesim.common.files import calibration_folder
from tradesim.inputs.baseline import read_baseline
from tradesim.inputs.pair import read_pair
from tradesim.inputs.trade_files.folder import write_calibration
from tradesim.studies.imported import read_files

FOLDER = calibration_folder()
PAIR = read_pair(FOLDER)
GOOD = made.leaves(made.good_rows())
STEP = 1e-5
"""Shares are rounded to a millionth; amounts to a dollar."""


def deeper(row, **parts):
    """Split a chapter among codes of six digits by the shares given; the rest is other goods."""
    total = float(row["primaryValue"])
    shares = {**parts, "9990": 1.0 - sum(parts.values())}
    return [{**row, "cmdCode": row["cmdCode"] + code.strip("c"), "primaryValue": str(total * share)}
            for code, share in shares.items()]


def six_digits():
    cereals = {"10": {"c0190": 0.6, "c0630": 0.1}, "11": {"c0100": 0.9}}
    return [new for row in GOOD for new in deeper(row, **{
        code[1:] and code: share for code, share in cereals.get(row["cmdCode"], {}).items()})]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    path = tmp_path_factory.mktemp("six") / "six.csv"
    path.write_text(made.text(six_digits()), encoding="utf-8")
    return read_files([path], FOLDER)


def amount(chapters):
    """Value of chapters that the importer of the first market reports, USD."""
    return sum(float(row["primaryValue"]) for row in GOOD if row["reporterISO"] == PAIR.pair[0]
               and row["flowCode"] == "M" and row["cmdCode"] in chapters)


def test_shares_are_of_the_group(found):
    shares = {share.product: share for share in found.shares
              if (share.importer, share.exporter) == PAIR.pair}
    assert set(shares) == set(PAIR.products)
    whole = amount(("10", "11", "19"))
    assert shares["wheat"].value == pytest.approx(0.6 * amount(("10",)) / whole, abs=STEP)
    assert shares["flour"].value == pytest.approx(0.9 * amount(("11",)) / whole, abs=STEP)
    assert shares["carpets"].value > 0  # a whole chapter
    assert shares["eggs"].value == shares["eggs"].high == 0.0  # all of chapter 04 is other goods
    assert shares["wheat"].grade == "A"
    assert shares["wheat"].before.value == 0.05


def test_codes_of_two_digits_tell_whole_chapters_only(tmp_path):
    path = tmp_path / "two.csv"
    path.write_text(made.text(GOOD), encoding="utf-8")
    products = {share.product for share in read_files([path], FOLDER).shares}
    whole = {name for name, product in PAIR.products.items()
             if all(len(code) == 2 for code in product.codes)}
    assert products == whole
    assert "carpets" in products


def test_they_stand_in_the_new_folder(found, tmp_path):
    write_calibration(tmp_path, FOLDER, found.cells, found.documented, found.shares)
    base = read_baseline(tmp_path)
    for share in found.shares:
        cell = base.parameters[f"share.{share.importer}.{share.product}.{share.exporter}"]
        assert (cell.low, cell.high, cell.grade) == (share.low, share.high, share.grade)
    old = read_baseline(FOLDER).parameters["share.MNG.wheat.RUS"]
    assert base.parameters["share.MNG.wheat.RUS"] == old
