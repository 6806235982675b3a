"""The numbers of docs/differences.md: those of others recomputed, ours from the expected files."""

import math

import pandas as pd
import pytest

from differences_table import BEGIN, PAGE, UNION, between, table
from tradesim.common.files import calibration_folder

TEXT = PAGE.read_text(encoding="utf-8")


def test_table_of_agreements_is_that_of_the_expected_files():
    assert between(TEXT) == table()
    assert TEXT.count(BEGIN) == 1


def test_smart_diverts_less_than_exact_shares():
    own, others, before, after, substitution = 100.0, 300.0, 0.2, 0.0, 1.5
    cut = (1 + after) / (1 + before) - 1
    smart = -own * others * cut * substitution / (own + others - own * cut * substitution)
    ratio = own / others * (1 + cut) ** -substitution
    exact = (own + others) * ratio / (1 + ratio) - own
    assert f"moves {smart:.1f} by SMART's formula and {exact:.1f} by exact shares" in TEXT


def test_elasticity_that_the_contested_study_implies():
    implied = math.log(2.17) / math.log(1.05)
    assert round(implied) == 16
    assert "elasticity\nof 16 (ln 2.17 / ln 1.05)" in TEXT


def test_exports_that_the_contested_study_implies():
    assert round(4.0 / 0.037) == 108
    assert "imply a base near USD 108 million" in TEXT


def test_the_duty_on_goods_from_the_union_is_a_small_part_of_gdp():
    folder = calibration_folder()
    totals = pd.read_csv(folder / "baseline" / "totals.csv")
    bought = totals[(totals["importer"] == "MNG") & totals["exporter"].isin(UNION)]
    macro = pd.read_csv(folder / "data" / "macro.csv")
    gdp = macro[(macro["country"] == "MNG") & (macro["year"] == 2023)
                & (macro["variable"] == "gdp_usd")]["value"].item()
    share = 0.05 * bought["value_musd"].sum() * 1e6 / gdp
    assert share == pytest.approx(0.006, abs=0.0005)
    assert "about 0.6 % of its GDP" in TEXT
