"""The committed data: complete, sourced, consistent, and silent about nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tradesim.common.files import calibration_folder
from tradesim.economy.adding_up import balanced
from tradesim.inputs.distributions import between
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import read_pair
from tradesim.inputs.products import ABROAD, VARIABLES
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.inputs.strict_yaml import load

FOLDER = calibration_folder()
PAIR = read_pair(FOLDER)
GRADES = ("A", "B", "C", "D")
SIDES = (*PAIR.pair, "BOTH")
TAIL = (Column("grade", "text", allowed=GRADES), Column("source", "text"),
        Column("url", "text", required=False), Column("note", "text", required=False))
OFFICIAL = 5e-6
"""Official totals are given to a dollar per USD million."""

# Million USD: year, flow into MNG counted by KAZ and MNG, flow into KAZ counted by KAZ and MNG.
REPORTED = """
2011 35.43 16.94 1.45 2.58
2012 52.77 20.50 1.85 3.53
2013 62.83 34.24 0.84 0.57
2014 58.30 29.43 0.62 4.86
2015 53.53 29.22 1.11 2.06
2016 77.05 29.28 0.87 0.71
2017 72.49 34.15 2.31 2.44
2018 73.18 32.19 2.82 3.53
2019 58.27 29.11 1.75 6.23
2020 27.43 17.99 1.87 1.39
2021 54.69 18.90 2.44 2.17
2022 97.09 30.74 7.08 7.82
2023 124.28 54.70 8.71 22.02
2024 120.16 47.35 3.81 6.80
"""
PRINTED = 0.0051
"""Half a unit of the last printed decimal."""


def text(*names: str, required: bool = True) -> tuple[Column, ...]:
    return tuple(Column(name, "text", required=required) for name in names)


def cells(value: str, low: float = 0.0, high: float | None = None) -> tuple[Column, ...]:
    return tuple(Column(name, "number", low=low, high=high) for name in (value, "low", "high"))


IMPORTER = Column("importer", "text", allowed=PAIR.importers)
IMPORTERS = Column("importer", "text", allowed=PAIR.exporters)
EXPORTER = Column("exporter", "text", allowed=PAIR.exporters)
GROUP = Column("group", "text", allowed=tuple(PAIR.groups))
LINE = Column("group", "text", allowed=PAIR.lines)
ROUTE = Column("route", "text", allowed=tuple(PAIR.routes))
SPARSE = (Column("low", "number", False, 0.0), Column("high", "number", False, 0.0))

TABLES: dict[str, tuple[tuple[Column, ...], tuple[str, ...]]] = {
    "data/bilateral_trade.csv": (
        (Column("year", "year", low=2005), *text("months", required=False),
         Column("exporter", "text", allowed=SIDES), Column("importer", "text", allowed=SIDES),
         *text("reporter", "series"), Column("value_usd", "number", low=1.0),
         Column("used", "text", allowed=("yes", "presample", "no"))), ()),
    "data/macro.csv": (
        (*text("country"), Column("year", "year"), *text("variable"),
         Column("kind", "text", allowed=("actual", "forecast")), Column("value", "number"),
         *text("unit"), *SPARSE), ("country", "year", "variable", "kind")),
    "data/corridor.csv": ((Column("year", "year"), *cells("closed_share", high=1.0)), ("year",)),
    "data/targets.csv": (
        (*text("target"), Column("value_usd", "number", False, 0.0),
         *text("target_year", "stated_on", "stated_by")), ("target", "stated_on", "value_usd")),
    "data/composition.csv": (
        (*text("period"), *text("months", required=False), *text("exporter", "importer",
         "reporter"), *text("series", required=False), *text("product"),
         *text("hs", required=False), Column("rank", "integer", False, 1),
         Column("value_usd", "number", False, 0.0), Column("share_pct", "number", False, 0, 100),
         Column("quantity", "number", False, 0.0), *text("unit", required=False)), ()),
    "data/analogues.csv": (
        (*text("agreement", "entry_into_force"), Column("year", "year"),
         *text("months", required=False), *text("exporter", "importer", "reporter"),
         *text("series", required=False), Column("value_usd", "number", low=0.0)), ()),
    "data/unit_values.csv": (
        (GROUP, *text("product"), *text("hs", required=False), *text("flow"),
         *text("period", required=False),
         Column("usd_per_tonne", "number", False, 0.0), *SPARSE), ()),
    "data/tariff_lines.csv": (
        (IMPORTER, *text("product", "hs"), Column("mfn_rate_pct", "number", False, 0, 100),
         Column("preferential_rate_pct", "number", False, 0, 100), *text("regime")),
        ("importer", "product")),
    "data/tariffs_history.csv": (
        (Column("year", "year"), *text("importer", "exporter"),
         Column("applied_tariff_pct", "number", low=0, high=100)),
        ("year", "importer", "exporter")),
    "data/agreement_facts.csv": (text("agreement", "fact", "value"), ("agreement", "fact")),
    "data/lever_facts.csv": (
        (*text("lever", "quantity", "value"), *text("unit", "year", required=False)), ()),
    "data/self_sufficiency.csv": (
        (*text("country", "product"), Column("year", "year"),
         Column("self_sufficiency_pct", "number", low=0)), ("country", "product", "year")),
    "data/home_output.csv": (
        (*text("country", "product", "variable"), Column("year", "year"),
         Column("value", "number", low=0), *text("unit")),
        ("country", "product", "variable", "year")),
    "data/flow_shares.csv": (
        (Column("exporter", "text", allowed=PAIR.pair), IMPORTER, GROUP,
         *cells("share", high=1.0)), ("importer", "group")),
    "baseline/markets.csv": ((IMPORTER, GROUP, EXPORTER, *cells("value_musd")),
                             ("importer", "group", "exporter")),
    "baseline/totals.csv": ((IMPORTER, EXPORTER, Column("value_musd", "number", low=0.0)),
                            ("importer", "exporter")),
    "baseline/tariffs.csv": ((IMPORTER, GROUP, EXPORTER, *cells("rate", high=1.0),
                              *text("drawn_with", required=False)),
                             ("importer", "group", "exporter")),
    "baseline/groups.csv": (
        (GROUP, Column("variable", "text", allowed=("unit_value", "time_value",
                                                    "differentiated", "nontariff", "certified",
                                                    "originating")),
         *cells("value"), *text("unit")), ("group", "variable")),
    "baseline/routes.csv": (
        (IMPORTER, ROUTE, Column("variable", "text", allowed=("freight", "days")),
         *cells("value"), *text("unit")), ("importer", "route", "variable")),
    "baseline/route_shares.csv": ((IMPORTER, GROUP, EXPORTER, ROUTE, *cells("share", high=1.0)),
                                  ("importer", "group", "route")),
    "baseline/coverage.csv": (
        (*text("lever"), Column("scope", "text", allowed=("interim", "full", "guarded")), IMPORTER,
         LINE, *cells("share", high=1.0)), ("lever", "scope", "importer", "group")),
    "baseline/products.csv": (
        (*text("product"), GROUP, *text("title", "hs")), ("product",)),
    "baseline/product_cells.csv": (
        (Column("product", "text", allowed=PAIR.lines),
         Column("variable", "text", allowed=tuple(VARIABLES)),
         Column("importer", "text", False, allowed=PAIR.pair),
         Column("exporter", "text", False, allowed=(*PAIR.exporters, ABROAD)),
         *cells("value"), *text("unit")), ("product", "variable", "importer", "exporter")),
    "baseline/world.csv": ((EXPORTER, IMPORTERS, *cells("value_busd")), ("exporter", "importer")),
    "data/trade_sections.csv": (
        (Column("period", "text", allowed=("2005", "2013-14", "2015")),
         Column("exporter", "text", allowed=PAIR.exporters), IMPORTER,
         Column("section", "text", allowed=tuple("0123456789")),
         Column("value_usd", "number", low=0.0)), ("period", "exporter", "importer", "section")),
    "baseline/other_markets.csv": (
        (Column("exporter", "text", allowed=PAIR.pair),
         Column("market", "text", allowed=("RUS", "CHN")), GROUP, *cells("value_musd")),
        ("exporter", "market", "group")),
    "baseline/trade_totals.csv": (
        (Column("country", "text", allowed=PAIR.pair),
         Column("flow", "text", allowed=("export", "import")), Column("year", "year"),
         Column("value_musd", "number", low=0.0)), ("country", "flow", "year")),
    "baseline/sitc_sections.csv": (
        (GROUP, Column("section", "text", allowed=tuple("0123456789")), *cells("share", high=1.0)),
        ("group", "section")),
    "baseline/taxes.csv": (
        (Column("variable", "text", allowed=("duty_paid", "excise")), IMPORTER, GROUP,
         Column("exporter", "text", allowed=(*PAIR.exporters, "all")), *cells("value"),
         *text("unit")), ("variable", "importer", "group", "exporter")),
    "baseline/services.csv": (
        (*text("item"), Column("supplier", "text", allowed=PAIR.pair),
         Column("buyer", "text", allowed=(*PAIR.pair, "all")), *text("variable"),
         Column("year", "year"), *cells("value"), *text("unit")),
        ("item", "supplier", "buyer", "variable")),
    "baseline/projects.csv": ((*text("project", "variable"), *cells("value"), *text("unit")),
                              ("project", "variable")),
    "baseline/quotas.csv": (
        (*text("lever", "scope"), IMPORTER, LINE, *text("product", "variable"), *cells("value"),
         *text("unit")), ("lever", "scope", "importer", "group", "variable")),
}
COMPLETE = {"baseline/markets.csv": 2 * 12 * 6, "baseline/totals.csv": 2 * 5,
            "baseline/tariffs.csv": 2 * 12 * 5, "baseline/groups.csv": 12 * 6,
            "baseline/routes.csv": 2 * 5 * 2, "baseline/route_shares.csv": 2 * 12 * 5,
            "baseline/coverage.csv": 3 * 2 * 12 + 19, "baseline/world.csv": 36,
            "baseline/other_markets.csv": 2 * 2 * 12,
            "data/corridor.csv": 20}
CENTRE = {"markets": "value_musd", "tariffs": "rate", "groups": "value", "routes": "value",
          "route_shares": "share", "coverage": "share", "product_cells": "value",
          "other_markets": "value_musd"}


def table(name: str):
    columns, key = TABLES[name]
    return read_table(FOLDER / name, (*columns, *TAIL), key)


def parameters() -> dict:
    return load(FOLDER / "parameters.yaml")


def test_every_table_is_checked():
    found = {str(path.relative_to(FOLDER)) for part in ("data", "baseline")
             for path in (FOLDER / part).glob("*.csv")}
    assert found == set(TABLES)


@pytest.mark.parametrize("name", TABLES)
def test_table_is_well_formed(name):
    frame = table(name)
    assert len(frame) == COMPLETE.get(name, len(frame))
    addresses = frame["url"][frame["url"] != ""]
    assert addresses.str.fullmatch(r"https?://\S+( ; https?://\S+)*").all()
    derived = frame["source"] + frame["note"]
    assert (derived[(frame["url"] == "") & (frame["grade"] == "D")].str.len() > 20).all()
    assert (frame["note"][frame["grade"] == "D"] != "").all()
    data = (FOLDER / name).read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")


@pytest.mark.parametrize("path", [path for path in FOLDER.rglob("*")
                                  if path.suffix in (".csv", ".yaml", ".md")], ids=lambda p: p.name)
def test_nothing_points_at_a_place_a_reader_cannot_reach(path: Path):
    words = r"(seed|document) 00\d|00\d_[0-9a-f]{8}|(?<![\w/])facts/|/work/|/tmp/"
    assert not re.search(words, path.read_text(encoding="utf-8"))


def test_used_observations_are_the_published_ones():
    frame = table("data/bilateral_trade.csv")
    used = frame[frame["used"] == "yes"]
    wide = used.pivot_table(index="year", columns=["importer", "reporter"], values="value_usd")
    expected = np.array([line.split() for line in REPORTED.split("\n") if line], dtype=float)
    assert wide.index.tolist() == expected[:, 0].astype(int).tolist()
    order = [("MNG", "KAZ"), ("MNG", "MNG"), ("KAZ", "KAZ"), ("KAZ", "MNG")]
    np.testing.assert_allclose(wide[order] / 1e6, expected[:, 1:], atol=PRINTED)
    assert len(used) == 14 * 2 * 2
    assert set(used["grade"]) == {"A"}


def test_guide_prints_the_same_figures():
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    printed = [line.split("|")[1:-1] for line in page.splitlines()
               if re.match(r"\| 20\d\d \|", line)]
    found = np.array(printed, dtype=float)[:, [0, 1, 2, 4, 5]]
    expected = np.array([line.split() for line in REPORTED.split("\n") if line], dtype=float)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_series_of_the_kazakh_count_changes_in_2020():
    frame = table("data/bilateral_trade.csv")
    used = frame[(frame["used"] == "yes") & (frame["reporter"] == "KAZ")]
    assert set(used["series"][used["year"] <= 2019]) == {"WITS"}
    assert set(used["series"][used["year"] >= 2020]) == {"BNS"}


def test_unused_rows_say_why():
    frame = table("data/bilateral_trade.csv")
    unused = frame[frame["used"] == "no"]
    assert unused["note"].str.contains("not used: ").all()
    early = frame[frame["year"] < PAIR.first_year]
    assert set(early["used"]) == {"presample"}
    assert early["note"].str.contains("pre-sample").all()
    assert len(early) == 6 * 2 * 2


def test_no_trade_after_the_sample():
    assert table("data/bilateral_trade.csv")["year"].max() == 2024
    macro = table("data/macro.csv")
    assert (macro["kind"][macro["year"] > 2024] == "forecast").all()
    assert (macro["kind"][macro["year"] <= 2024] == "actual").all()
    assert not table("data/composition.csv")["period"].str.contains("202[5-9]").any()
    assert not table("data/unit_values.csv")["period"].str.contains("202[5-9]").any()
    for name in ("tariffs_history", "analogues", "home_output"):
        assert table(f"data/{name}.csv")["year"].max() <= 2024
    facts = table("data/lever_facts.csv")
    turnover = facts[facts["lever"] == "context"]
    assert not turnover["year"].str.contains("202[5-9]").any()
    assert not turnover["note"].str.contains(r"202[5-9]:").any()


REJECTED = [(2013, "MNG", 18e6), (2013, "KAZ", 26e6), (2018, "BOTH", 67.4e6),
            (2020, "BOTH", 41120864), (2021, "BOTH", 60.9e6), (2021, "BOTH", 61e6),
            (2023, "BOTH", 150e6), (2024, "BOTH", 150e6), (2024, "BOTH", 150e6)]


def test_rejected_figures_are_kept():
    frame = table("data/bilateral_trade.csv")
    rejected = frame[frame["grade"] == "D"]
    found = list(zip(rejected["year"], rejected["importer"], rejected["value_usd"], strict=True))
    assert sorted(found) == sorted(REJECTED)
    assert (rejected["used"] == "no").all()


@pytest.mark.parametrize(("number", "name"), [
    (1, "bilateral_trade"), (2, "bilateral_trade"), (3, "bilateral_trade"),
    (4, "bilateral_trade"), (5, "bilateral_trade"), (6, "bilateral_trade"),
    (7, "bilateral_trade"), (8, "bilateral_trade"), (8, "targets"), (9, "agreement_facts"),
    (10, "macro")])
def test_conflicts_are_marked_and_explained(number, name):
    notes = table(f"data/{name}.csv")["note"]
    assert notes.str.contains(rf"conflict {number}\b").any()
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"**Conflict {number}:" in readme


def test_markets_add_up_to_the_official_totals():
    markets = table("baseline/markets.csv")
    sums = markets.groupby(["importer", "exporter"])[["value_musd", "low", "high"]].sum()
    for row in table("baseline/totals.csv").to_dict("records"):
        column = sums.loc[(row["importer"], row["exporter"])]
        assert column["value_musd"] == pytest.approx(row["value_musd"], abs=OFFICIAL)
        assert column["low"] <= row["value_musd"] <= column["high"]


def test_totals_of_the_pair_are_the_reported_ones():
    totals = table("baseline/totals.csv").set_index(["importer", "exporter"])["value_musd"]
    trade = table("data/bilateral_trade.csv")
    trade = trade[(trade["used"] == "yes") & (trade["year"] == PAIR.base_year)]
    for importer in PAIR.importers:
        counted = trade[(trade["importer"] == importer) & (trade["reporter"] == importer)]
        expected = counted["value_usd"].item() / 1e6
        assert totals[importer, PAIR.partner(importer)] == pytest.approx(expected, abs=OFFICIAL)


@pytest.mark.parametrize("name", CENTRE)
def test_central_values_lie_inside_their_ranges(name):
    frame = table(f"baseline/{name}.csv")
    value = frame[CENTRE[name]]
    inside = (frame["low"] < value) & (value < frame["high"])
    fixed = (frame["low"] == value) & (value == frame["high"])
    assert (inside | fixed).all()


@pytest.mark.parametrize("name", ["baseline/route_shares.csv", "data/flow_shares.csv"])
def test_shares_sum_to_one(name):
    by = ["importer", "group"] if "route" in name else ["importer"]
    sums = table(name).groupby(by)["share"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-9)


SECTIONS = {
    "food, oils and crude materials": ("024", ("cereals_flour", "meat_livestock", "other_agri",
                                               "processed_food", "raw_fibres_hides")),
    "drink and tobacco": ("1", ("tobacco",)), "fuels": ("3", ("minerals_fuels",)),
    "chemicals": ("5", ("chemicals",)),
    "manufactures": ("68", ("textiles_leather", "metals", "other")),
    "machinery": ("7", ("machinery_vehicles",)),
}
"""Sections of the SITC and the groups that hold nearly the same goods."""
FUEL = SECTIONS["fuels"][1][0]
SUPPLIERS = ("RUS", "CHN", "ROW")


def drawn(importer: str, exporter: str, draws: int = 4000) -> dict[str, np.ndarray]:
    """Draws of one column of a market by group; they add up to the official total."""
    rows = table("baseline/markets.csv").set_index(["importer", "exporter"])
    rows = rows.loc[[(importer, exporter)]]
    value, low, high = (rows[name].to_numpy()[:, None] for name in ("value_musd", "low", "high"))
    total = table("baseline/totals.csv").set_index(["importer", "exporter"])["value_musd"]
    rng = np.random.default_rng([1, PAIR.exporters.index(exporter)])
    u = rng.uniform(size=(len(rows), draws))
    cells = balanced(between(u, value, low, high), low, high, total[importer, exporter])
    np.testing.assert_allclose(cells.sum(axis=0), total[importer, exporter], rtol=1e-12)
    return dict(zip(rows["group"], cells, strict=True))


def documented(period: str, exporter: str, importer: str) -> dict[str, float]:
    """Value of the documented sections by the names of `SECTIONS`."""
    rows = table("data/trade_sections.csv")
    rows = rows[(rows["period"] == period) & (rows["exporter"] == exporter)
                & (rows["importer"] == importer)].set_index("section")["value_usd"]
    return {name: float(rows[rows.index.isin(list(codes))].sum())
            for name, (codes, _) in SECTIONS.items()}


@pytest.mark.parametrize("period", ["2005", "2013-14", "2015"])
def test_documented_split_of_the_pair_lies_inside_the_prior(period):
    """By section, within 90 %; of 2005, when half was oil products, the split without fuels."""
    found, cells = documented(period, "KAZ", "MNG"), drawn("MNG", "KAZ")
    left_out = ("fuels",) if period == "2005" else ()
    whole = sum(value for name, value in found.items() if name not in left_out)
    total = sum(cells.values()) - (cells[FUEL] if left_out else 0.0)
    for name, (_, groups) in SECTIONS.items():
        if name in left_out:
            continue
        low, high = np.quantile(sum(cells[group] for group in groups) / total, [0.05, 0.95])
        assert low <= found[name] / whole <= high, name


def test_suppliers_of_mongolia_in_2015_lie_inside_the_prior():
    """Shares of Russia, China and the rest in each section, within 90 %."""
    found = {code: documented("2015", code, "MNG") for code in SUPPLIERS}
    cells = {code: drawn("MNG", code) for code in SUPPLIERS}
    for name, (_, groups) in SECTIONS.items():
        sales = {code: sum(cells[code][group] for group in groups) for code in SUPPLIERS}
        whole = sum(found[code][name] for code in SUPPLIERS)
        for code in SUPPLIERS:
            low, high = np.quantile(sales[code] / sum(sales.values()), [0.05, 0.95])
            assert low <= found[code][name] / whole <= high, (name, code)


def test_sections_add_up_to_the_reported_exports():
    """The split of 2013-14 has the mean of the two totals that Kazakhstan reported."""
    rows = table("data/trade_sections.csv")
    pair = rows[(rows["exporter"] == "KAZ") & (rows["importer"] == "MNG")]
    sums = pair.groupby("period")["value_usd"].sum()
    trade = table("data/bilateral_trade.csv")
    reported = trade[(trade["importer"] == "MNG") & (trade["reporter"] == "KAZ")
                     & trade["used"].isin(["yes", "presample"])].set_index("year")["value_usd"]
    assert sums["2013-14"] == pytest.approx((reported[2013] + reported[2014]) / 2, rel=1e-4)
    assert sums["2015"] == pytest.approx(0.55709 * sums["2013-14"], rel=1e-4)
    assert sums["2005"] == pytest.approx(reported[2005], rel=0.02)


def test_the_partners_column_follows_the_shares_of_the_flow():
    """Cells are shares times the total, but for machinery, which Mongolia counts by origin."""
    shares = table("data/flow_shares.csv")
    shares = shares[shares["importer"] == "MNG"].set_index("group")["share"]
    market = table("baseline/markets.csv").set_index(["importer", "exporter"])
    column = market.loc[[("MNG", "KAZ")]].set_index("group")["value_musd"]
    without = column.drop("machinery_vehicles")
    np.testing.assert_allclose(without / without.sum(),
                               (shares / shares.drop("machinery_vehicles").sum())[without.index],
                               atol=1e-5)
    assert column["machinery_vehicles"] == 0.6
    assert shares["machinery_vehicles"] == 0.02


def test_home_sales_of_kazakhstan_add_up_to_output_less_exports():
    market = table("baseline/markets.csv")
    home = market[(market["importer"] == "KAZ") & (market["exporter"] == "KAZ")]
    world = table("baseline/world.csv").set_index(["exporter", "importer"])["value_busd"]
    assert home["value_musd"].sum() == pytest.approx(world["KAZ", "KAZ"] * 1e3, abs=1.0)
    most = home.set_index("group")["high"]
    assert most["chemicals"] == 1988
    assert most["machinery_vehicles"] == 3782


def test_other_markets_add_up_to_the_world():
    markets = table("baseline/other_markets.csv")
    sums = markets.groupby(["exporter", "market"])[["value_musd", "low", "high"]].sum()
    world = table("baseline/world.csv").set_index(["exporter", "importer"])["value_busd"] * 1e3
    for key, row in sums.iterrows():
        assert row["value_musd"] == pytest.approx(world[key], abs=1e-6)
        assert row["low"] < world[key] < row["high"]


def test_trade_totals_agree_with_the_world_and_give_the_quoted_shares():
    totals = table("baseline/trade_totals.csv").set_index(["country", "flow", "year"])["value_musd"]
    world = table("baseline/world.csv")
    abroad = world[world["exporter"] != world["importer"]]
    for country in PAIR.pair:
        sold = abroad[abroad["exporter"] == country]["value_busd"].sum() * 1e3
        assert totals[country, "export", 2023] == pytest.approx(sold, rel=1e-3)
        bought = abroad[abroad["importer"] == country]["value_busd"].sum() * 1e3
        assert totals[country, "import", 2023] == pytest.approx(bought, rel=1e-2)
    trade = 124.28 + 8.71
    share = {c: trade / (totals[c, "export", 2023] + totals[c, "import", 2023]) for c in PAIR.pair}
    assert round(100 * share["MNG"], 1) == 0.5
    assert round(100 * share["KAZ"], 1) == 0.1


def test_originating_shares_agree_with_the_two_counts():
    """Weighted by the flow they come near what Mongolia counts over what Kazakhstan counts."""
    shares = table("data/flow_shares.csv")
    shares = shares[shares["importer"] == "MNG"].set_index("group")["share"]
    origin = table("baseline/groups.csv")
    origin = origin[origin["variable"] == "originating"].set_index("group")
    mean = {name: (shares * origin[name]).sum() for name in ("value", "low", "high")}
    counts = np.array([line.split() for line in REPORTED.split("\n") if line], dtype=float)
    ratio = np.exp(np.log(counts[:, 2] / counts[:, 1]).mean())
    assert mean["value"] == pytest.approx(ratio, abs=0.03)
    assert mean["low"] < ratio < mean["high"] <= 1.0


def test_no_certificate_is_taken_off_fuels_and_ores():
    certified = table("baseline/groups.csv")
    certified = certified[certified["variable"] == "certified"].set_index("group")
    assert certified.loc[FUEL, "high"] == 0.0
    assert (certified.drop(FUEL)["value"] > 0.0).all()


def test_a_duty_of_one_law_is_drawn_once():
    tariffs = table("baseline/tariffs.csv")
    tariffs = tariffs[tariffs["importer"] == "MNG"]
    tobacco = tariffs[tariffs["group"] == "tobacco"].set_index("exporter")
    assert set(tobacco["rate"]) == {0.30}
    assert set(tobacco.drop("KAZ")["drawn_with"]) == {"tariff.MNG.tobacco.KAZ"}
    metals = tariffs[tariffs["group"] == "metals"].set_index("exporter")["rate"]
    assert metals["CHN"] < metals["RUS"] == 0.05


def test_guide_prints_the_cells_in_use():
    """The table of what was judged before, documented and is used now shows today's cells."""
    page = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    shares = table("data/flow_shares.csv")
    for row in shares[shares["importer"] == "MNG"].to_dict("records"):
        now = f"{100 * row['share']:.3g} ({100 * row['low']:.3g}–{100 * row['high']:.3g})"
        assert f"| {PAIR.groups[row['group']].title} |" in page
        assert f"| {now} |" in page, row["group"]


def test_route_shares_are_of_the_bilateral_flow():
    frame = table("baseline/route_shares.csv")
    assert (frame["exporter"] == frame["importer"].map(PAIR.partner)).all()


def test_duties_follow_the_customs_union():
    tariffs = table("baseline/tariffs.csv")
    inside = tariffs[(tariffs["importer"] == "KAZ") & tariffs["exporter"].isin(["RUS", "REAEU"])]
    assert (inside["high"] == 0).all()
    assert not (tariffs["importer"] == tariffs["exporter"]).any()
    rates = tariffs.set_index(["importer", "group", "exporter"])["rate"]
    assert rates["KAZ", "meat_livestock", "MNG"] == 0.15
    assert rates["MNG", "metals", "RUS"] == 0.05


def test_duty_on_all_trade_of_the_pair_is_small():
    """Duty on the base year's trade of the pair is about USD 7 million on the importers' counts."""
    tariffs = table("baseline/tariffs.csv").set_index(["importer", "group", "exporter"])["rate"]
    markets = table("baseline/markets.csv").set_index(["importer", "group", "exporter"])
    duty = {importer: sum(tariffs[importer, group, PAIR.partner(importer)]
                          * markets["value_musd"][importer, group, PAIR.partner(importer)]
                          for group in PAIR.groups) for importer in PAIR.importers}
    assert 0.10 * 54.7 <= duty["MNG"] <= 0.12 * 54.7  # a quarter of it tobacco at 30 %
    assert 0.5 <= duty["KAZ"] <= 1.3


def test_corridor_closures():
    shares = table("data/corridor.csv").set_index("year")["closed_share"]
    assert shares.index.tolist() == list(range(2005, PAIR.last_year + 1))
    assert shares[shares > 0].to_dict() == {2020: 0.83, 2021: 0.05}


def test_macro_is_complete_for_the_pair():
    macro = table("data/macro.csv")
    for country in PAIR.pair:
        for variable, first in (("gdp_usd", 2000), ("real_growth_pct", 2000)):
            rows = macro[(macro["country"] == country) & (macro["variable"] == variable)]
            assert set(rows["year"]) >= set(range(first, PAIR.horizon + 1))
            later = rows[rows["year"] > 2031]
            assert set(later["grade"]) == {"C"}
            assert later["note"].str.contains("carried on").all()
    kazakh = macro[(macro["country"] == "KAZ") & (macro["year"] == 2025)]
    assert set(kazakh["grade"]) == {"C"}


GROUPS = tuple(PAIR.groups)
EXPECTED = (
    *(f"elasticity.lower.{group}" for group in GROUPS), "elasticity.scale", "elasticity.ratio",
    "elasticity.demand", *(f"supply.home.{group}" for group in GROUPS),
    "supply.export.MNG.meat_livestock", "supply.export.MNG.raw_fibres_hides",
    "supply.export.KAZ.cereals_flour", "supply.inverse.KAZ", "politics.correlation",
    "adjustment.first_year", "adjustment.speed",
    "routes.choice", "routes.pass_through", "payment.friction", "closure.theta",
    "access.KAZ.meat_livestock.MNG",
    "discount.rate", "discount.inflation",
    *(f"appraisal.{name}" for name in ("years", "growth", "life", "haulier_share")),
    *(f"vat.{importer}" for importer in PAIR.importers),
    *(f"new_goods.{name}" for name in ("rises.MNG", "rises.KAZ", "beyond.MNG", "beyond.KAZ",
                                       "share_of_rises", "first_year", "loss")),
    *(f"gdp.error_{name}" for name in ("sd.MNG", "sd.KAZ", "persistence", "correlation",
                                       "price_share")),
    *(f"corridor.{name}" for name in ("disruption_probability", "persistence",
                                      "closed_given_disrupted", "closed_share_restricted",
                                      "closed_share_closed")),
)
PRIORS = (
    "reference.elasticity_gdp", "reference.persistence",
    *(f"reference.{name}.{importer}" for importer in PAIR.importers
      for name in ("constant", "elasticity_exchange_rate", "closure_effect", "innovation_sd",
                   "bias")),
    *(f"reference.error_sd.{importer}.{reporter}" for importer in PAIR.importers
      for reporter in PAIR.reporters),
)


def test_every_parameter_is_there():
    found = parameters()
    assert set(found) == {*EXPECTED, *PRIORS}
    assert {name for name, entry in found.items() if entry.get("calibrated")} == set(PRIORS)


def centre(distribution: dict) -> float:
    kind = distribution["kind"]
    if kind == "lognormal":
        return distribution["median"] + distribution.get("shift", 0.0)
    if kind == "beta":
        return distribution["a"] / (distribution["a"] + distribution["b"])
    if kind == "uniform":
        return (distribution["low"] + distribution["high"]) / 2
    return distribution[{"normal": "mean", "triangular": "mode", "fixed": "value",
                         "range": "value"}[kind]]


@pytest.mark.parametrize("name", [*EXPECTED, *PRIORS])
def test_parameter_has_source_grade_and_bounds(name):
    entry = parameters()[name]
    low, high = entry["bounds"]
    assert low <= centre(entry["distribution"]) < high
    assert not entry["title"].endswith(".")
    assert entry["title"][0].isupper()
    assert entry["grade"] in GRADES[:3]
    assert all(entry[word].strip() for word in ("unit", "source", "locator"))


def test_gdp_errors_agree_with_the_sample():
    """Priors of GDP errors stand where the text says that the sample puts them."""
    macro = table("data/macro.csv")
    actual = macro[macro["kind"] == "actual"].set_index(["country", "variable", "year"])["value"]
    years = range(2011, 2025)
    nominal = np.array([[np.log(actual[code, "gdp_usd", year] / actual[code, "gdp_usd", year - 1])
                         for year in years] for code in PAIR.pair])
    real = np.array([[np.log1p(actual[code, "real_growth_pct", year] / 100) for year in years]
                     for code in PAIR.pair])
    np.testing.assert_allclose(nominal.std(axis=1, ddof=1), [0.119, 0.153], atol=1e-3)
    assert np.corrcoef(nominal)[0, 1] == pytest.approx(0.74, abs=0.01)
    relative, price = np.diff(nominal, axis=0)[0], np.diff(nominal - real, axis=0)[0]
    share = np.cov(price, relative)
    assert share[0, 1] / share[1, 1] == pytest.approx(0.98, abs=0.01)
    one_year = np.sqrt(((nominal - real - 0.02)[:, 3:] ** 2).mean(axis=1))
    np.testing.assert_allclose(one_year, [0.075, 0.139], atol=2e-3)


@pytest.mark.parametrize(("setting", "row", "unit"), [
    ("gold_refinery.quantity", "gold", 1.0), ("gold_refinery.joint_quantity", "silver", 1.0),
    ("gold_refinery.price", "gold_price", 1e6),
    ("gold_refinery.joint_price", "silver_price", 1e6),
    ("ferrosilicon_plant.quantity", "quantity", 1.0), ("ferrosilicon_plant.price", "price", 1.0),
    ("medicines.quantity", "imports_of_mongolia", 1e6),
    ("medicines.partner_share", "share_of_kazakhstan", 1.0),
])
def test_projects_have_the_amounts_of_their_table(setting, row, unit):
    lever = setting.partition(".")[0]
    table = pd.read_csv(calibration_folder() / "baseline" / "projects.csv")
    [cell] = table[(table["project"] == lever) & (table["variable"] == row)].to_dict("records")
    shape = read_levers(calibration_folder())[lever].parameters[setting].distribution
    assert (shape.low, shape.mode, shape.high) == pytest.approx(
        (unit * cell["low"], unit * cell["value"], unit * cell["high"]))
