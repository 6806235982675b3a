"""Products in the whole model: data only, additive, and what the food scenarios say of them."""

from __future__ import annotations

import csv
import shutil

import numpy as np
import pytest

from tradesim.common.files import calibration_folder
from tradesim.economy.variables import USUAL, VARIABLES
from tradesim.inputs.parameters import Cube
from tradesim.inputs.products import CELLS_FILE, PRODUCTS_FILE
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, draw_all
from tradesim.simulation.model import ask, load_baseline, simulate

DRAWS = 12
ALIKE = {"flour": "cereals_flour", "eggs": "meat_livestock", "wool": "raw_fibres_hides"}
TOTALS = [name for name in USUAL if "product" not in VARIABLES[name].dims]


def simulated(folder, name, draws=DRAWS, overrides=()):
    base = load_baseline(folder)
    scenario, _ = ask(base, name, overrides, draws=draws)
    return simulate(base, scenario, draw_all(base, scenario, Cube.random(draws, 1)))


def rewritten(path, change):
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *change(head, rows)])


@pytest.fixture(scope="module")
def bare(tmp_path_factory, base):
    """The calibration without any product, nor a row that names one."""
    folder = tmp_path_factory.mktemp("bare") / "calibration"
    shutil.copytree(calibration_folder(), folder)
    (folder / PRODUCTS_FILE).unlink()
    (folder / CELLS_FILE).unlink()
    for name in ("coverage", "quotas"):
        rewritten(folder / "baseline" / f"{name}.csv", lambda head, rows: [
            row for row in rows if row[head.index("group")] not in base.pair.products])
    (folder / "baseline" / "quotas.csv").unlink()
    return folder


@pytest.fixture(scope="module")
def split(tmp_path_factory, bare):
    """The same with products that have 0.3 of every cell of their groups and nothing of their own.
    """
    folder = tmp_path_factory.mktemp("split") / "calibration"
    shutil.copytree(bare, folder)
    for file in (PRODUCTS_FILE, CELLS_FILE):
        shutil.copy(calibration_folder() / file, folder / file)
    rewritten(folder / PRODUCTS_FILE, lambda head, rows: [
        row for row in rows if row[head.index("product")] in ALIKE])
    rewritten(folder / CELLS_FILE, lambda head, rows: [
        [product, "share", importer, exporter, "0.3", "0.3", "0.3", "share", "C", "made up", "", ""]
        for product in ALIKE for importer in ("MNG", "KAZ") for exporter in (importer, "abroad")])
    return folder


@pytest.mark.parametrize("overrides", [(), ("closure=one_sector",)], ids=["partial", "closure"])
def test_products_that_are_alike_leave_the_groups_as_they_are(bare, split, overrides):
    """Second way: the same goods in one line or in two, through all levers and all accounts."""
    whole, parts = (simulated(folder, "all_levers", overrides=overrides)
                    for folder in (bare, split))
    assert parts.sizes["product"] == len(ALIKE)
    assert whole.sizes["product"] == 0
    for name in (name for name in TOTALS if name in whole):
        np.testing.assert_allclose(parts[name], whole[name], rtol=1e-9, atol=1.0, err_msg=name)


def test_products_and_what_is_left_add_up_to_their_group(base):
    found = simulated(base.folder, "eaeu_interim")
    for group in base.pair.groups:
        inside = [name for name, item in base.pair.products.items() if item.group == group]
        made = found["product_home_output"].sel(product=inside).sum("product")
        whole = found["home_output"].sel(group=group)
        assert (made <= whole * (1 + 1e-6)).all()


@pytest.fixture(scope="module")
def guarded(base):
    return simulated(base.folder, "food_security", draws=60)


def test_goods_left_out_of_an_agreement_stay_as_they_are(guarded):
    before, after = (guarded.sel(case=case, importer="MNG", product=["flour", "vegetables"])
                     for case in (REFERENCE, IMPLEMENTED))
    for name in ("self_sufficiency", "product_home_output", "product_imports", "product_price"):
        np.testing.assert_allclose(after[name], before[name], rtol=2e-6, err_msg=name)


def test_quotas_hold_back_wheat_and_eggs(base, guarded):
    full = simulated(base.folder, "eaeu_fta", draws=60)
    for product in ("wheat", "eggs"):
        where = {"case": IMPLEMENTED, "importer": "MNG", "product": product, "year": 2035}
        held, free = (1.0 - one["product_output"].sel(where).mean("draw").item()
                      for one in (guarded, full))
        assert 0.0 <= held < 0.4 * free


def test_home_shares_hold_what_is_published(base):
    """Share of use made at home in the base year, as published (data/self_sufficiency.csv)."""
    reference = simulated(base.folder, "base", draws=200)["self_sufficiency"].sel(
        case=REFERENCE, year=2025)
    for importer, product, share in (("MNG", "flour", 0.84), ("MNG", "eggs", 0.6),
                                     ("MNG", "vegetables", 0.7), ("MNG", "meat_products", 0.69),
                                     ("MNG", "wheat", 0.525), ("KAZ", "eggs", 0.969)):
        low, high = reference.sel(importer=importer, product=product).quantile([0.05, 0.95])
        assert low < share < high, product
