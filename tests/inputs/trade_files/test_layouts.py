"""Every layout gives the same trade; what is mended is said."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

import made_up_trade_files as made
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.inputs.trade_files.countries import read_countries
from tradesim.inputs.trade_files.layouts import named, read_layouts
from tradesim.inputs.trade_files.official import read_totals
from tradesim.inputs.trade_files.trade import read_trade

FOLDER = calibration_folder()
PAIR, COUNTRIES, LAYOUTS = read_pair(FOLDER), read_countries(FOLDER), read_layouts(FOLDER)
TOTALS = read_totals(FOLDER, PAIR)
ROUNDING = 1e-6  # relative: thousand USD with decimals, twelfths of a dollar


@pytest.fixture
def read(tmp_path):
    def reading(content, name="file.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_trade(path, named(LAYOUTS, options.pop("layout", "auto")), COUNTRIES, PAIR,
                          **options)
    return reading


def workbook(rows, lead=()):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    pytest.importorskip("python_calamine")
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet("Data")
    for number, line in enumerate([[line] for line in lead] + [list(rows[0])]
                                  + [list(row.values()) for row in rows]):
        sheet.write_row(number, 0, line)
    book.close()
    return out.getvalue()


def importers(trade):
    """Value of chapters by importer, as the importer reports them or both together do."""
    mine = trade.products[trade.products["reporter"].isin(["", *PAIR.importers])]
    mine = mine[(mine["reporter"] == "") | (mine["reporter"] == mine["importer"])]
    return mine.assign(chapter=mine["code"].str[:2]).groupby(["importer", "chapter"])["value"].sum()


GOOD = made.good_rows()
CYRILLIC = {"MNG": "Монголия", "KAZ": "Казахстан"}


@pytest.mark.parametrize(("name", "content"), [
    ("comtrade", made.text(GOOD)),
    ("comtrade", lambda: workbook(GOOD, ["Source: UN Comtrade", ""])),
    ("comtrade", made.text(GOOD, lead=["Source, UN Comtrade", "", "made up"])),
    ("comtrade", made.text(GOOD).encode("utf-16")),
    ("comtrade", "\n".join(line + "," for line in made.text(GOOD).splitlines())),
    ("comtrade-legacy", made.text(made.legacy(GOOD))),
    ("wits", made.text(made.wits(GOOD))),
    ("baci", made.text(made.baci(GOOD))),
    ("table", made.text(made.table(GOOD))),
    ("table", made.text(made.table(GOOD), separator=";")),
    ("table", made.text(made.table(GOOD, product="hs2", year="Year"))),
    ("table", made.text([{**row, "reporter": CYRILLIC[row["reporter"]],
                          "partner": CYRILLIC[row["partner"]]}
                         for row in made.table(GOOD)]).encode("cp1251")),
    ("table", made.text([{**row, "value": row["value"] + ",0"} for row in made.table(GOOD)])),
], ids=lambda value: value if isinstance(value, str) and len(value) < 20 else "")
def test_every_layout_gives_the_same_trade(read, name, content):
    content = content() if callable(content) else content
    trade = read(content, "file.xlsx" if content[:2] == b"PK" else "file.csv")
    assert trade.layout.name == name
    expected = importers(read(made.text(GOOD)))
    found = importers(trade)
    np.testing.assert_allclose(found.reindex(expected.index), expected, rtol=1e-3, atol=0.6)
    for importer in PAIR.importers:
        np.testing.assert_allclose(found[importer].sum(), TOTALS[importer, PAIR.partner(importer)],
                                   rtol=ROUNDING)


def test_trade_map_is_a_web_page(read):
    trade = read(made.trade_map(GOOD), "Trade_Map.xls")
    assert trade.layout.name == "trademap"
    assert trade.products["reporter"].unique().tolist() == ["MNG"]
    np.testing.assert_allclose(trade.products["value"].sum(), TOTALS["MNG", "KAZ"], rtol=ROUNDING)
    assert any("web page" in said for said in trade.said)


def test_a_list_of_markets_in_trade_map(read):
    page = ("<html><body><table><tr><td>List of supplying markets for a product imported by "
            "Mongolia</td></tr><tr><td>Product: 24 Tobacco</td></tr></table><table id='x'><tr>"
            "<th>Exporters</th><th>Imported value in 2022</th><th>Imported value in 2023</th></tr>"
            "<tr><td>World</td><td>9</td><td>9</td></tr><tr><td>Kazakhstan</td><td>3</td><td>4</td>"
            "</tr><tr><td>Russian Federation</td><td>1</td><td>2</td></tr></table></body></html>")
    found = read(page, "list.xls").products
    assert found[["first", "exporter", "code", "value"]].to_numpy().tolist() == [
        [2022, "KAZ", "24", 3e3], [2022, "RUS", "24", 1e3],
        [2023, "KAZ", "24", 4e3], [2023, "RUS", "24", 2e3]]


def test_declarations_are_added_up(read):
    rows = made.declarations(GOOD, "MNG")
    lead = ["Commercial extract", "", "", "", ""]
    trade = read(made.text(rows, lead=lead))
    assert trade.layout.name == "customs-mng"
    np.testing.assert_allclose(trade.products["value"].sum(), TOTALS["MNG", "KAZ"], rtol=ROUNDING)
    assert "the heading stands in row 6" in trade.said


def test_declarations_of_both_directions(read):
    rows = [{"REGISTRATION_DATE": f"{month:02d}.2023".rjust(10, "0").replace("000", "05."),
             "HS_CODE": "1001990000", "FROM_COUNTRY_NAME": a, "TO_COUNTRY_NAME": b,
             "ORIGIN_COUNTRY_NAME": a, "CUSTOMS_VALUE_USD": "10", "CUSTOMS_PROCEDURE_CODE": code}
            for month in range(1, 13) for a, b, code in
            (("КАЗАХСТАН", "МОНГОЛИЯ", "10"), ("МОНГОЛИЯ", "КАЗАХСТАН", "40"),
             ("КАЗАХСТАН", "МОНГОЛИЯ", "31"))]
    trade = read(made.text(rows))
    assert trade.products[["importer", "exporter", "value"]].to_numpy().tolist() == [
        ["KAZ", "MNG", 120.0], ["MNG", "KAZ", 120.0]]
    assert "12 declarations of other procedures" in " ".join(trade.said)


def test_a_latin_letter_in_a_cyrillic_name():
    assert COUNTRIES.code("АHУ") == "USA"
    assert COUNTRIES.code(" БНХАУ ") == "CHN"
    assert COUNTRIES.code("49³") == ""
    assert COUNTRIES.code("0398") == COUNTRIES.code("Kazakhstan") == "KAZ"


def test_names_of_countries_are_of_one_country_each():
    with (FOLDER / "import" / "countries.csv").open(encoding="utf-8") as file:
        names = [(name.casefold(), row["iso3"]) for row in csv.DictReader(file)
                 for name in {row["iso3"], row["name"], *row["codes"].split(";"),
                              *row["spellings"].split("|")} if name]
    assert len({name for name, _ in names}) == len(set(names))


def test_months_are_added_up_to_years(read):
    rows = [{**row, "period": f"2023{month:02d}", "refMonth": str(month), "freqCode": "M",
             "primaryValue": str(int(row["primaryValue"]) / 12)}
            for row in made.leaves(GOOD) for month in range(1, 13)]
    trade = read(made.text(rows))
    np.testing.assert_allclose(importers(trade)["MNG"].sum(), TOTALS["MNG", "KAZ"], rtol=ROUNDING)
    assert "months are added up to years" in trade.said


def test_rows_that_split_a_flow_are_left_out(read):
    parts = [{**row, "motCode": "2100"} for row in made.leaves(GOOD)]
    trade = read(made.text([*GOOD, *parts]))
    np.testing.assert_allclose(importers(trade)["MNG"].sum(), TOTALS["MNG", "KAZ"], rtol=ROUNDING)
    assert any("split a flow by mode" in said for said in trade.said)


def test_the_world_beside_partners_is_left_out(read):
    world = [{**row, "partnerISO": "W00", "partnerDesc": "World"} for row in made.leaves(GOOD)]
    trade = read(made.text([*GOOD, *world]))
    np.testing.assert_allclose(importers(trade)["MNG"].sum(), TOTALS["MNG", "KAZ"], rtol=ROUNDING)
    assert any("world as partner left out" in said for said in trade.said)


def test_countries_of_a_group_report_together(read):
    rows = [row | {"reporter": code, "partner": "MNG", "flow": "export", "value": "7"}
            for row in made.table(GOOD)[:2] for code in ("BLR", "ARM", "DEU", "W00")]
    found = read(made.text(rows)).products
    assert found[["reporter", "exporter", "value"]].to_numpy().tolist() == [
        ["REAEU", "REAEU", 14.0], ["REAEU", "REAEU", 14.0], ["ROW", "ROW", 7.0],
        ["ROW", "ROW", 7.0]]


def test_lost_zeros_are_given_back(read):
    trade = read(made.text(made.baci(GOOD)))
    assert trade.products["code"].str.len().eq(6).all()
    assert any("had lost the zero in front" in said for said in trade.said)


def test_one_level_can_be_chosen(read):
    deep = [{**row, "cmdCode": row["cmdCode"] + "0101"} for row in made.leaves(GOOD)]
    trade = read(made.text([*GOOD, *deep]), digits=2)
    np.testing.assert_allclose(importers(trade)["MNG"].sum(), TOTALS["MNG", "KAZ"], rtol=ROUNDING)


def test_years_can_be_chosen(read):
    old = [{**row, "refYear": "2019", "period": "2019"} for row in GOOD]
    assert set(read(made.text([*GOOD, *old]), years="2018-2020").products["first"]) == {2019}
    with pytest.raises(InputError, match="holds none of the years asked for; it has 2023"):
        read(made.text(GOOD), years="2018")
    with pytest.raises(InputError, match="'20x' is no year"):
        read(made.text(GOOD), years="20x")


def test_the_layout_of_a_name(read):
    assert read(made.text(made.wits(GOOD)), layout="wits").layout.name == "wits"
    with pytest.raises(InputError, match=r"wit: is no layout; known: auto, baci, comtrade"):
        read(made.text(GOOD), layout="wit")
    with pytest.raises(InputError, match=r"has the layout of no known agency|is nearest to"):
        read(made.text(GOOD), layout="wits")
