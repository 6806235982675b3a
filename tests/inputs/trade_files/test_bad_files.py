"""Fifty files that cannot serve: each refused in words, with nothing written and no traceback."""

from __future__ import annotations

import io
import re
import sys
import zipfile

import pytest
from click.testing import CliRunner

import made_up_trade_files as made
from tradesim.cli.app import cli
from tradesim.common.extras import install

GOOD = made.good_rows()
LEAVES = made.leaves(GOOD)
TABLE = made.table(GOOD)


def rows(change, of=GOOD):
    return made.text(made.changed(of, change))


def put(**values):
    return lambda row: row | values


def deeper(row):
    return {**row, "cmdCode": row["cmdCode"] + "0101"}


def scaled(factor):
    return lambda row: {**row, "primaryValue": str(float(row["primaryValue"]) * factor)}


def first(count, **values):
    """Change the first few rows only."""
    left = iter([True] * count)
    return lambda row: row | values if next(left, False) else row


def packed():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("data.csv", made.text(GOOD))
    return out.getvalue()


def padding(count):
    """Fill a file up to a number of rows with trade of other countries."""
    other = LEAVES[0] | {"reporterISO": "DEU", "partnerISO": "FRA", "reporterDesc": "Germany"}
    return made.text([*LEAVES, *([other] * (count - len(LEAVES)))])


def swapped(a, b):
    names = {"MNG": a, "KAZ": b}
    return rows(lambda row: row | {"reporterISO": names[row["reporterISO"]],
                                   "partnerISO": names[row["partnerISO"]]})


def without(*names, of=GOOD):
    return made.text([{key: value for key, value in row.items() if key not in names}
                      for row in of])


def table(change):
    return rows(change, TABLE)


BAD = {
    # what is in the file
    "chapters beside six digits": (made.text([*LEAVES, *map(deeper, LEAVES)]),
                                   "totals stand beside their parts .*--digits 2"),
    "four beside six digits": (made.text([
        *({**row, "cmdCode": row["cmdCode"] + "01"} for row in LEAVES), *map(deeper, LEAVES)]),
        "totals stand beside"),
    "two revisions in a year": (made.text([*LEAVES, *(row | {"classificationCode": "H5"}
                                                      for row in LEAVES)]),
                                r"2023, KAZ, import: several revisions: H6 \(\d+ rows\), H5"),
    "three revisions": (made.text([row | {"classificationCode": name} for row in LEAVES
                                   for name in ("H4", "H5", "H6")]), "several revisions"),
    "re-exports mixed in": (made.text([*GOOD, *(row | {"flowCode": "RX"} for row in LEAVES[:5])]),
                            "re-exports or re-imports are mixed in .*delete these rows"),
    "re-imports mixed in": (made.text([*GOOD, LEAVES[0] | {"flowCode": "RM"}]), "re-imports"),
    "re-exports of the former site": (made.text([*made.legacy(GOOD), made.legacy(GOOD)[0]
                                                 | {"Trade Flow Code": "3"}]), "re-exports"),
    "the world as only partner": (rows(put(partnerISO="W00", partnerDesc="World")),
                                  "the world is the only partner.*download instead"),
    "the world as only partner in WITS": (made.text([row | {"PartnerISO3": "WLD"}
                                                     for row in made.wits(GOOD)]),
                                          "the world is the only partner"),
    "another pair": (swapped("UZB", "TJK"), "holds nothing that Mongolia and Kazakhstan "
                                            "buy; it has UZB-TJK"),
    "another pair in a table": (table(lambda row: row | {"reporter": "DEU", "partner": "FRA"}),
                                "holds nothing that"),
    "a country of unknown name": (table(lambda row: row | {"partner": "Atlantis"}),
                                  "countries of unknown name hold 100 % of the value: Atlantis"),
    "a misspelt partner": (table(lambda row: row | {
        "partner": row["partner"].replace("KAZ", "Kazakstan")}),
                           "'Kazakstan' is no known country; did you mean 'Kazakhstan'"),
    "negative values": (rows(first(3, primaryValue="-5"), LEAVES), "'-5' is negative"),
    "a value beyond all trade": (rows(first(1, primaryValue="1e300"), LEAVES),
                                 "'1e300' is too large"),
    "a value without end": (rows(first(1, primaryValue="inf"), LEAVES), "'inf' is too large"),
    "values that are words": (rows(first(2, primaryValue="n.a."), LEAVES), "'n.a.' is no number"),
    "a value that is a formula": (rows(first(1, primaryValue="=A1*2"), LEAVES), "is no number"),
    "rows that stand twice": (made.text([*LEAVES, LEAVES[7]]), "stands twice"),
    "a whole file twice": (made.text(LEAVES * 2), r"stands twice \(\d+ such rows\)"),
    "totals of all products only": (rows(lambda row: row if row["cmdCode"] == "TOTAL" else None),
                                    "has totals of all products only"),
    "chapter 77": (rows(first(1, cmdCode="77"), LEAVES), "chapter 77 has no group"),
    "words for products": (table(lambda row: row | {"product": "Food"}),
                           "'Food' is no product code"),
    "codes of an odd number of digits": (rows(lambda row: deeper(row) | {
        "cmdCode": deeper(row)["cmdCode"][1:]}, LEAVES), "every product code has an odd number"),
    "chapters that lost their zero": (
        table(lambda row: row | {"product": row["product"][1]} if row["product"] < "10" else None),
        "every product code has an odd number of digits.*format the column as text"),
    "an unknown flow": (table(lambda row: row | {"flow": "transit"}), "'transit' is no flow"),
    # units and numbers
    "thousand USD taken for USD": (rows(scaled(0.001)),
                                   "about a thousandth of it.*--unit thousand"),
    "USD taken for thousand USD": (made.text([row | {"TradeValue in 1000 USD": str(
        1000 * float(row["TradeValue in 1000 USD"]))} for row in made.wits(GOOD)]),
        "about a thousand times as much.*--unit usd"),
    "another currency": (table(lambda row: row | {"unit": "EUR"}), "'EUR' is no unit of USD"),
    "a thousand of another currency": (table(lambda row: row | {"unit": "thousand KZT"}),
                                       "'thousand KZT' is no unit of USD"),
    "commas that may be either": (table(lambda row: row | {"value": "1,234"}),
                                  "may be a decimal comma or separate thousands"),
    "points and commas mixed": (rows(first(100, primaryValue="1,5"), [
        row | {"primaryValue": "2.5"} for row in LEAVES]), "some values have a decimal point"),
    "both marks in both orders": (rows(first(2, primaryValue="1.234,5"), [
        row | {"primaryValue": "1,234.5"} for row in LEAVES]), "in both orders"),
    # years
    "one month": (rows(put(period="202303", freqCode="M")), "1 month, not a year"),
    "eleven months": (made.text([row | {"period": f"2023{month:02d}"} for row in LEAVES
                                 for month in range(1, 12)]), "11 months, not a year"),
    "no year": (table(lambda row: row | {"year": "last"}), "'last' is no year"),
    "declarations of half a year": (made.text([row for row in made.declarations(GOOD, "MNG")
                                               if row["IMP_DATE"] < "2023-07"]),
                                    "declarations of 2023 run from month 1 to 6 only"),
    # what the file does not add up to
    "half of the trade": (rows(scaled(0.5)), r"\(-50.0 %\).*--accept-totals"),
    "less than its own total": (rows(lambda row: None if row["cmdCode"] in ("01", "12") else row),
                                "in the file's own row of all products"),
    # cut
    "500 rows": (padding(500), "has exactly 500 rows, where services cut a download"),
    "100,000 rows": (padding(100_000), "has exactly 100,000 rows"),
    "250,000 rows": (padding(250_000), "has exactly 250,000 rows"),
    "the last row broken off": (made.text(LEAVES).rsplit(",", 3)[0],
                                "the last row breaks off before its value"),
    "no rows": (made.text(LEAVES[:1]).splitlines()[0] + "\n", "holds nothing|no rows"),
    # the file as such
    "nothing": ("", "the file is empty"),
    "blank lines": ("\n\n \n", "the file is empty"),
    "a page that says error": ("<!DOCTYPE html><html><head><title>503 Service Unavailable</title>"
                               "</head><body>Try later</body></html>",
                               r"is a web page \('503 Service Unavailable'\) without a table"),
    "a page with a table of other things": (
        "<html><body><table><tr><td>Menu</td></tr></table></body></html>", "is a web page"),
    "JSON": ('{"elapsedTime": "0.1", "data": []}', "is JSON"),
    "PDF": (b"%PDF-1.7\n...", "is a PDF document"),
    "gzip": (b"\x1f\x8b\x08\x00aaaa", r"is packed \(gzip\)"),
    "ZIP": (packed(), r"is packed \(ZIP\) or a damaged workbook"),
    "zero bytes": (b"a,b\x00\x01\n1,2", "zero bytes"),
    "one column": ("alpha\nbeta\n", "is no table: one column only"),
    "columns of nobody": ("a,b,c\n1,2,3\n",
                          "has the layout of no known agency .first row: a, b, c"),
    "an unclosed quotation mark": (made.text(LEAVES).replace("made up", '"made up', 1),
                                   "is no CSV table|breaks off|one column"),
    "too many cells in a row": (made.text(LEAVES).replace("made up", "made, up, and, more", 3),
                                "file.csv:2: 23 cells, but the heading has 20"),
    "too many cells far down": ("made, up".join(made.text(LEAVES).rsplit("made up", 1)),
                                "file.csv:393: 21 cells, but the heading has 20"),
    # layouts that cannot serve
    "weights, no values": (without("primaryValue"), "is nearest to UN Comtrade.*lacks the column "
                                                    "primaryValue"),
    "no reporter": (without("reporterISO", "reporterDesc"), "reporter: column missing"),
    "no partner in a table": (without("partner", of=TABLE),
                              "has the layout of no known|is nearest"),
    "a country profile of WITS": (
        "Reporter,Partner,Product categories,Indicator Type,Indicator,2021\n"
        "Mongolia, World,Food,Import,Trade,5\n", "broad categories only"),
    "chapters without partners": ("date,region,item_code,item_name,value\n2023,A,HS02,Meat,5\n",
                                  "it names no partner"),
}


@pytest.fixture
def bring(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def importing(content, name="file.csv", *words):
        (tmp_path / name).write_bytes(content if isinstance(content, bytes)
                                      else content.encode())
        return CliRunner().invoke(cli, ["import", name, "--out", "new", "--no-answer", *words],
                                  prog_name="tradesim")
    return importing


def test_there_are_fifty():
    assert len(BAD) >= 50


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused(bring, tmp_path, name):
    content, message = BAD[name]
    if name == "ZIP":
        pytest.importorskip("python_calamine")
    done = bring(content)
    assert done.exit_code == 2, done.output
    assert isinstance(done.exception, SystemExit)
    assert re.search(message, done.stderr.replace("\n", " ")), done.stderr
    assert "file.csv" in done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"file.csv"}


def test_the_good_file_is_taken(bring, tmp_path):
    done = bring(made.text(GOOD))
    assert done.exit_code == 0, done.output
    assert (tmp_path / "new" / "baseline" / "markets.csv").is_file()


@pytest.mark.parametrize(("content", "said"), [
    (made.text(TABLE).replace("reporter", "Reporter").encode("utf-16"), "it is UTF-16 text"),
    (made.text([row | {"partner": {"MNG": "Монголия", "KAZ": "Казахстан"}[row["partner"]]}
                for row in TABLE]).encode("cp1251"), "read in the encoding cp1251"),
    (made.text(GOOD, lead=[""] * 2 + ["Downloaded, today", "", ""]), "heading stands in row"),
    (made.text([row | {"value": row["value"] + ",50"} for row in TABLE], separator=";"),
     "read as decimal commas"),
])
def test_what_can_be_mended_is_mended_and_said(bring, content, said):
    done = bring(content)
    assert done.exit_code == 0, done.output
    assert said in done.output


def test_a_workbook_needs_the_extra(bring, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    done = bring(packed(), "file.xlsx")
    assert done.exit_code == 2
    assert done.stderr == ("file.xlsx: is a workbook; reading it needs the extra [import]; "
                           f"{install('import')}, or save it as CSV\n")


def test_a_missing_file_and_a_folder(bring, tmp_path):
    done = CliRunner().invoke(cli, ["import", "absent.csv"], prog_name="tradesim")
    assert (done.exit_code, "absent.csv: file not found" in done.stderr) == (2, True)
    done = CliRunner().invoke(cli, ["import", str(tmp_path)], prog_name="tradesim")
    assert (done.exit_code, "is a folder or a device" in done.stderr) == (2, True)
