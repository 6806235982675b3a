"""A made-up year of statistics that a calibration does not have yet."""

import pandas as pd

YEAR = 2025
REPORTED = {("KAZ", "MNG", "KAZ"): 140e6, ("KAZ", "MNG", "MNG"): 400e6,
            ("MNG", "KAZ", "KAZ"): 5e6, ("MNG", "KAZ", "MNG"): 0.1e6}
"""Made-up reports of 2025 by exporter, importer and reporter, USD."""


def append(path, rows):
    """Add rows to a table; what they lack stays empty."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    more = pd.DataFrame(rows).astype(str)
    pd.concat([frame, more]).fillna("").to_csv(path, index=False)


def trade_rows(year):
    return [{"year": year, "months": "1-12", "exporter": exporter, "importer": importer,
             "reporter": reporter, "series": "made up", "value_usd": value, "used": "yes",
             "grade": "A", "source": "made up"}
            for (exporter, importer, reporter), value in REPORTED.items()]


def macro_rows(year):
    return [{"country": country, "year": year, "variable": variable, "kind": "actual",
             "value": value, "unit": unit, "grade": "A", "source": "made up"}
            for country, gdp in (("MNG", 25e9), ("KAZ", 305e9))
            for variable, value, unit in (("gdp_usd", gdp, "USD"),
                                          ("real_growth_pct", 5, "per cent"),
                                          ("imports_usd", 0.4 * gdp, "USD"))]


def grow(folder):
    """Add the made-up year to a calibration."""
    append(folder / "data/bilateral_trade.csv", trade_rows(YEAR))
    append(folder / "data/macro.csv", macro_rows(YEAR))
    append(folder / "data/corridor.csv", [{"year": YEAR, "closed_share": 0, "low": 0, "high": 0,
                                           "grade": "A", "source": "made up"}])
    return folder
