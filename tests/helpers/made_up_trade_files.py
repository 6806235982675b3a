"""Files of trade statistics, good and bad, generated from the made-up example."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence

from tradesim.common.files import calibration_folder
from tradesim.inputs.trade_files.example import example

Row = dict[str, str]


def good_rows() -> list[Row]:
    """Rows of the example, in the layout of UN Comtrade; both countries report both flows."""
    return list(csv.DictReader(io.StringIO(example(calibration_folder()))))


def text(rows: Sequence[Row], separator: str = ",", lead: Sequence[str] = ()) -> str:
    """Write rows as CSV, below some lines of another kind."""
    out = io.StringIO()
    for line in lead:
        out.write(line + "\n")
    writer = csv.DictWriter(out, list(rows[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def leaves(rows: Iterable[Row]) -> list[Row]:
    """Rows without those of all products."""
    return [row for row in rows if row["cmdCode"] != "TOTAL"]


def changed(rows: Iterable[Row], change: Callable[[Row], Row | None]) -> list[Row]:
    """Rows after a change; None leaves a row out."""
    return [new for row in rows if (new := change(dict(row))) is not None]


def wits(rows: Iterable[Row]) -> list[Row]:
    """Write the same in the layout of WITS, thousand USD."""
    return [{"Nomenclature": "H6", "ReporterISO3": row["reporterISO"],
             "ProductCode": row["cmdCode"], "ReporterName": row["reporterDesc"],
             "PartnerISO3": row["partnerISO"], "PartnerName": row["partnerDesc"],
             "Year": row["refYear"], "TradeFlowName": row["flowDesc"],
             "TradeFlowCode": "5" if row["flowCode"] == "M" else "6",
             "TradeValue in 1000 USD": str(float(row["primaryValue"]) / 1000)}
            for row in leaves(rows)]


def legacy(rows: Iterable[Row]) -> list[Row]:
    """Write the same in the layout of the former site of UN Comtrade."""
    return [{"Classification": "H6", "Year": row["refYear"], "Period": row["refYear"],
             "Aggregate Level": "2", "Trade Flow Code": "1" if row["flowCode"] == "M" else "2",
             "Trade Flow": row["flowDesc"], "Reporter Code": "", "Reporter": row["reporterDesc"],
             "Reporter ISO": row["reporterISO"], "Partner": row["partnerDesc"],
             "Partner ISO": row["partnerISO"], "Commodity Code": row["cmdCode"],
             "Commodity": "Beverages, spirits and vinegar", "Netweight (kg)": "",
             "Trade Value (US$)": row["primaryValue"]} for row in leaves(rows)]


def baci(rows: Iterable[Row]) -> list[Row]:
    """Write the importer's rows in the layout of BACI: six digits as numbers, thousand USD."""
    codes = {"MNG": "496", "KAZ": "398"}
    return [{"t": row["refYear"], "i": codes[row["partnerISO"]], "j": codes[row["reporterISO"]],
             "k": str(int(row["cmdCode"] + "0000")), "v": str(float(row["primaryValue"]) / 1000),
             "q": "1"} for row in leaves(rows) if row["flowCode"] == "M"]


def table(rows: Iterable[Row], **names: str) -> list[Row]:
    """Write the same as a plain table, in USD; `names` renames columns."""
    plain = [{"year": row["refYear"], "reporter": row["reporterISO"], "partner": row["partnerISO"],
              "flow": row["flowDesc"].lower(), "product": row["cmdCode"],
              "value": row["primaryValue"], "unit": "USD"} for row in leaves(rows)]
    return [{names.get(key, key): value for key, value in row.items()} for row in plain]


def trade_map(rows: Iterable[Row], reporter: str = "MNG") -> str:
    """Write one direction as Trade Map's page: products down, years across, thousand USD."""
    chosen = [row for row in leaves(rows)
              if row["reporterISO"] == reporter and row["flowCode"] == "M"]
    who, whom = chosen[0]["reporterDesc"], chosen[0]["partnerDesc"]
    body = "".join(f"<tr><td>'{row['cmdCode']}</td><td>made up</td>"
                   f"<td>{float(row['primaryValue']) / 1000:,.3f}</td></tr>" for row in chosen)
    return (f"<html><head><title>Trade Map</title></head><body><table><tr><td>Bilateral trade "
            f"between {who} and {whom}</td></tr><tr><td>Unit : US Dollar thousand</td></tr></table>"
            f"<table id='ctl00_PageContent_MyGridView1'><tr><th rowspan=2>Product code</th>"
            f"<th rowspan=2>Product label</th><th colspan=1>{who}'s imports from {whom}</th></tr>"
            f"<tr><th>Value in {chosen[0]['refYear']}</th></tr>{body}</table></body></html>")


def declarations(rows: Iterable[Row], country: str) -> list[Row]:
    """Write one country's imports as declarations, one a month and chapter."""
    return [{"IMP_DATE": f"2023-{month:02d}-15", "HS_CODE": row["cmdCode"] + "01100000",
             "ORIGIN_COUNTRY_EN": row["partnerDesc"], "ORIGIN_COUNTRY": "Казахстан",
             "TOTAL_VALUE_IN_USD": str(int(row["primaryValue"]) / 12)}
            for row in leaves(rows) if row["reporterISO"] == country and row["flowCode"] == "M"
            for month in range(1, 13)]
