"""Tables of products: what they hold, and every way to get them wrong."""

from __future__ import annotations

import re
import shutil

import pytest

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.base_year_tables import read_cells
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import read_pair
from tradesim.inputs.products import CELLS_FILE, PRODUCTS_FILE, hs_codes

EGGS = "eggs,meat_livestock,Eggs,0407,A"
DUTY = "eggs,tariff,MNG,abroad,0.15,0.15,0.15,share of value,B"
SHARE = "eggs,share,MNG,RUS,0.3,0.12,0.5,share,C"


@pytest.mark.parametrize(("text", "codes"), [
    ("0407", ("0407",)), ("01-03, 0407", ("01", "02", "03", "0407")), ("", ()),
    ("0401-0403", ("0401", "0402", "0403")), (" 57 ", ("57",))])
def test_codes_by_hand(text, codes):
    assert hs_codes(text) == codes


@pytest.mark.parametrize("text", ["407", "04O7", "0407-05", "0409-0407", "0407;0408", "-0407"])
def test_what_is_no_code_is_refused(text):
    with pytest.raises(ValueError, match="is no code"):
        hs_codes(text)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(calibration_folder(), tmp_path / "calibration")
    return tmp_path / "calibration"


def replaced(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, old
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_without_the_table_there_are_no_products(folder):
    (folder / PRODUCTS_FILE).unlink()
    pair = read_pair(folder)
    assert pair.products == {}
    assert pair.lines == tuple(pair.groups)


def test_products_are_allowed_where_their_group_is(folder):
    chosen = read_levers(folder)["eaeu_interim"].settings["without"]
    assert {"meat_livestock", "eggs"} <= {*chosen.values}


@pytest.mark.parametrize(("new", "message"), [
    ("eggs,meat,Eggs,0407,A", "'meat' is unknown"),
    ("eggs,meat_livestock,Eggs,407,A", "eggs, hs: '407' is no code of two, four"),
    ("eggs,meat_livestock,Eggs,0701,A", "eggs, hs: chapter 07 is not in group 'meat_livestock'"),
    ("eggs,meat_livestock,Eggs,0205,A", "hs: 0205 belongs to 'horse_meat' already"),
    ("other,meat_livestock,Eggs,0407,A", "'other' is a group; a product needs a name of its own"),
    ("Eggs!,meat_livestock,Eggs,0407,A", "'Eggs!' must be small letters"),
    ("dairy,meat_livestock,Eggs,0407,A", "'dairy' stands twice"),
    ("eggs,meat_livestock,,0407,A", "title: must not be empty")])
def test_bad_products_are_named(folder, new, message):
    replaced(folder / PRODUCTS_FILE, EGGS, new)
    with pytest.raises(InputError, match=re.escape(message)):
        read_pair(folder)


@pytest.mark.parametrize(("old", "new", "message"), [
    (DUTY, DUTY.replace("eggs", "egs"), "'egs' is unknown; did you mean 'eggs'?"),
    (DUTY, DUTY.replace("tariff", "tarif"), "'tarif' is unknown; did you mean 'tariff'?"),
    (DUTY, DUTY.replace("abroad", ""), "eggs, tariff, MNG: tariff needs an exporter"),
    (DUTY, DUTY.replace("abroad", "MNG"), "no duty on home goods"),
    (DUTY, DUTY.replace("abroad", "USA"), "'USA' is unknown"),
    (SHARE, SHARE.replace("0.5", "1.5"), "high 1.5 is too much: at most 1"),
    (SHARE, SHARE.replace("0.12", "0.4"), "out of order"),
    (SHARE, SHARE.replace("eggs", "meat_livestock"), "follows from its products"),
    (SHARE, "eggs,share,MNG,RUS,1,1,1,share,C", "add up to"),
    (DUTY, "eggs,unit_value,MNG,,2000,1300,2800,USD per tonne,C",
     "unit_value does not differ by importer"),
    (DUTY, "eggs,supply.home,,,1,0,2,elasticity,C", "low 0 must be above zero")])
def test_bad_cells_are_named(folder, old, new, message):
    replaced(folder / CELLS_FILE, old, new)
    with pytest.raises(InputError, match=re.escape(message)):
        read_cells(folder)


def test_a_product_that_nobody_buys_is_named(folder):
    path = folder / CELLS_FILE
    rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(row for row in rows if not row.startswith("eggs,share")),
                    encoding="utf-8")
    with pytest.raises(InputError, match="eggs: no row with variable share"):
        read_cells(folder)


def test_products_in_the_file_of_the_pair_are_sent_to_their_table(folder):
    path = folder / "pair.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nproducts: {eggs: {title: Eggs}}\n",
                    encoding="utf-8")
    with pytest.raises(InputError, match=r"products have a table.*baseline/products\.csv"):
        read_pair(folder)


def test_a_quota_on_a_product_has_no_share(folder):
    path = folder / "baseline" / "quotas.csv"
    row = next(line for line in path.read_text(encoding="utf-8").splitlines()
               if "eggs,eggs,quota_tonnes" in line)
    extra = row.replace("quota_tonnes,3000,500,20000,tonnes a year",
                        "product_share,0.5,0.4,0.6,share")
    path.write_text(path.read_text(encoding="utf-8") + extra + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="a product of its own: row product_share must go"):
        read_cells(folder)


def test_a_copied_pair_has_the_lines_of_its_own_products():
    pair = read_pair(calibration_folder())
    assert len(pair.lines) == len(pair.groups) + len(pair.products)
    bare = pair.model_copy(update={"products": {}})
    assert bare.lines == tuple(pair.groups)
    assert bare.lines_in_groups == tuple(zip(pair.groups, pair.groups, strict=True))
    assert len(pair.lines) == len(pair.groups) + len(pair.products)
