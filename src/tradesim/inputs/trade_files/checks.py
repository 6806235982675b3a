"""What makes a file of trade statistics unfit, each with what was found and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tradesim.inputs.trade_files import numbers
from tradesim.inputs.trade_files.layouts import plain
from tradesim.inputs.trade_files.numbers import TOTAL, AmbiguousError
from tradesim.inputs.trade_files.rows import MANY, Reading

if TYPE_CHECKING:
    import pandas as pd

LIMITS = (500, 100_000, 250_000)
"""Rows at which services cut a download: without a key, on the former site, with a key."""

SPAN = 11
"""Months from the first to the last declaration of a year, at least."""

LARGEST = 1e14
"""Greatest value of a row, in its own unit: world trade in USD is about 3e13."""

KEY = ["first", "last", "reporter", "by", "flow", "importer", "exporter", "country"]


def cut(reading: Reading) -> None:
    """Refuse a file that ends where services cut, or in the middle of a row."""
    rows = reading.rows
    if len(rows) in LIMITS:
        reading.wrong("", f"has exactly {len(rows):,} rows, where services cut a download",
                      "download it in parts, one year or one flow a file, and import all parts "
                      "together")
    if len(rows) and rows["value"].iloc[-1] == "" and (rows["value"] == "").sum() == 1:
        reading.wrong("value", "the last row breaks off before its value",
                      "the download was cut; download it again", rows.index[-1])


def values(reading: Reading, factor: float | None) -> None:
    """Turn values into USD; refuses what is no number, and negative values."""
    rows, layout = reading.rows, reading.layout
    try:
        value, said = numbers.amounts(rows["value"])
    except AmbiguousError as error:
        reading.wrong("value", str(error), "write values with a decimal point and without "
                      "separators of thousands")
        reading.stop()
        return
    reading.said += [said] if said else []
    text = rows["value"].to_numpy()
    for wrong, message in ((np.isnan(value) & (text != ""), "is no number"),
                           (value < 0, "is negative; trade cannot be"),
                           (value > LARGEST, "is too large")):
        if wrong.any():
            reading.wrong("value", f"'{text[wrong][0]}' {message} ({int(wrong.sum())} rows)",
                          row=rows.index[wrong][0])
    if empty := int((text == "").sum()):
        reading.said.append(f"{empty:,} rows without a value count as none")
    scale = np.full(len(rows), layout.unit if factor is None else factor)
    if factor is None and "unit" in rows:
        scale = numbers.mapped(rows["unit"], numbers.unit).astype(float)
        if (scale == 0).any():
            odd = rows["unit"].to_numpy()[scale == 0][0]
            reading.wrong("unit", f"'{odd}' is no unit of USD",
                          "write USD, thousand USD or million USD, or give --unit",
                          rows.index[scale == 0][0])
    reading.rows = rows.assign(value=np.nan_to_num(value) * scale)


def periods(reading: Reading, years: list[tuple[int, int]] | None) -> None:
    """Add ``first`` and ``last`` year and ``month``; keeps the years asked for."""
    role = next(name for name in ("date", "year", "period") if name in reading.rows)
    found = numbers.mapped(reading.rows[role], numbers.period)
    first, last, month = (np.array([one[k] for one in found], dtype=int) for k in range(3))
    if "period" in reading.rows and role == "year":
        month = np.array([one[2] for one in numbers.mapped(reading.rows["period"],
                                                           numbers.period)], dtype=int)
    if (first == 0).any():
        odd = reading.rows[role][first == 0]
        reading.wrong(role, f"'{odd.iloc[0]}' is no year ({len(odd)} rows)", row=odd.index[0])
    rows = reading.rows.assign(first=first, last=last, month=month)
    if years is not None:
        inside = np.zeros(len(rows), dtype=bool)
        for low, high in years:
            inside |= (first >= low) & (last <= high)
        if not inside.any():
            there = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in
                              sorted(set(zip(first.tolist(), last.tolist(), strict=True))))
            reading.wrong(role, f"holds none of the years asked for; it has {there}",
                          "choose others with --years")
            reading.stop()
        rows = rows[inside]
    reading.rows = rows


def months(reading: Reading) -> None:
    """Refuse months where years are wanted, and years of declarations that are not whole."""
    rows = reading.rows
    if reading.layout.declarations:
        for year, inside in rows.groupby("first")["month"]:
            low, high = int(inside.min()), int(inside.max())
            if high - low + 1 < SPAN:
                reading.wrong("date", f"declarations of {year} run from month {low} to {high} only")
        return
    if not (rows["month"] > 0).any():
        return
    held: dict[tuple[int, str], set[int]] = {}
    for one in rows[["first", "reporter", "month"]].drop_duplicates().to_dict("records"):
        held.setdefault((one["first"], one["reporter"]), set()).add(one["month"])
    for (year, reporter), there_are in held.items():
        if set(range(1, 13)) - there_are:
            there = len(there_are)
            reading.wrong("year", f"{year}, {reporter}: {there} month{'s' if there > 1 else ''}, "
                          "not a year")
    reading.said.append("months are added up to years")


def flows(reading: Reading) -> None:
    """Refuse re-exports beside exports; parts of a flow, such as processing, are left out."""
    rows = reading.rows
    again = rows["flow"].isin(["re-export", "re-import"])
    if again.any():
        reading.wrong("flow", f"re-exports or re-imports are mixed in ({int(again.sum()):,} rows); "
                      "exports and imports hold them already",
                      "delete these rows, or download exports and imports only",
                      rows.index[again][0])
    parts = (rows["flow"] == "processing").to_numpy()
    if parts.any():
        reading.said.append(f"{int(parts.sum()):,} rows of processing, parts of a flow, left out")
        reading.keep(~parts)


def breakdowns(reading: Reading) -> None:
    """Keep the rows that hold a whole, where the file also splits it by mode or regime."""
    for role, marks in reading.layout.whole.items():
        if role not in reading.rows:
            continue
        known = {plain(mark) for mark in marks} | {""}
        whole = reading.rows[role].isin([text for text in reading.rows[role].unique()
                                         if plain(text) in known]).to_numpy()
        if whole.all():
            continue
        if role == "procedure":
            odd = reading.rows[role][~whole].iloc[0]
            reading.said.append(f"{int((~whole).sum()):,} declarations of other procedures than "
                                f"imports and exports left out ('{odd}' the first)")
        elif not whole.any():
            reading.wrong(role, "every row is a part of a flow, none is the whole")
            continue
        else:
            reading.said.append(f"{int((~whole).sum()):,} rows that split a flow by {role} "
                                "left out; the rows of the whole stay")
        reading.keep(whole)


def products(reading: Reading, digits: int | None) -> None:
    """Add ``scheme`` and a clean ``code``; refuses what is no code, gives lost zeros back."""
    rows, layout = reading.rows, reading.layout
    found = numbers.mapped(rows["code"], numbers.product)
    scheme = np.array([one for one, _ in found], dtype=object)
    code = np.array([two for _, two in found], dtype=object)
    if (code == "").any():
        odd = rows["code"][code == ""]
        reading.wrong("product", f"'{odd.iloc[0]}' is no product code ({len(odd)} rows)",
                      row=odd.index[0])
        reading.stop()
    sitc = _is_sitc(reading, scheme)
    if not sitc:
        try:
            wide, count = numbers.padded(list(dict.fromkeys(code)), layout.digits)
        except AmbiguousError as error:
            reading.wrong("product", f"{error}: zeros in front may be lost, or it is another "
                          "system", "download it again and keep product codes as text (in Excel: "
                          "format the column as text); for SITC add a column `classification`")
            reading.stop()
            return
        code = np.array([wide[one] for one in code], dtype=object)
        if count:
            reading.said.append(f"{count:,} product codes had lost the zero in front; given back")
    rows = rows.assign(code=code, scheme="SITC" if sitc else "HS")
    if digits is not None:
        rows = rows[rows["code"].str.len().eq(digits) | rows["code"].eq(TOTAL)]
        if rows.empty:
            reading.wrong("product", f"no code has {digits} digits", "choose others with --digits")
            reading.stop()
        reading.said.append(f"rows with codes of {digits} digits chosen")
    reading.rows = rows


def _is_sitc(reading: Reading, scheme: np.ndarray) -> bool:
    heading = next((name for name in map(plain, reading.headings) if name in ("section", "sitc")),
                   "")
    revision = reading.rows.get("revision")
    named = revision is not None and revision.str.match(r"(?i)s\d?$|sitc").any()
    return bool((scheme == "SITC").any() or heading or named)


def revisions(reading: Reading) -> None:
    """Refuse more than one revision of the Harmonised System in a year and flow."""
    rows = reading.rows
    if "revision" not in rows:
        return
    mixed = rows.groupby(["first", "reporter", "flow"])["revision"].nunique()
    for year, reporter, flow in mixed.index[mixed > 1].tolist():
        inside = rows[(rows["first"] == year) & (rows["reporter"] == reporter)
                      & (rows["flow"] == flow)]
        names = ", ".join(f"{name} ({count:,} rows)" for name, count in
                          inside["revision"].value_counts().items())
        reading.wrong("classification", f"{year}, {reporter}, {flow}: several revisions: {names}; "
                      "each holds the whole trade",
                      "keep the rows of one, or download one classification a year")


def levels(reading: Reading) -> None:
    """Refuse totals of a chapter beside its parts, and rows that stand twice."""
    rows = reading.rows[reading.rows["code"] != TOTAL]
    if rows["scheme"].eq("HS").any():
        _leaves(reading, rows)
    if reading.layout.declarations or reading.problems:
        return
    key = [*KEY, "code", "month"]
    doubled = rows.duplicated(key)
    if doubled.any():
        row = rows[doubled].iloc[0]
        reading.wrong("product", f"{row['first']}, {row['reporter']}, {row['flow']}, "
                      f"{row['country']}, {row['code']} stands twice ({int(doubled.sum()):,} such "
                      "rows)", "one row for each year, flow, partner and product; rows that split "
                      "it must go", rows.index[doubled][0])


def _leaves(reading: Reading, rows: pd.DataFrame) -> None:
    long = rows["code"].str.len()
    lengths = sorted(long.unique())
    if lengths[0] < 2 or len(lengths) < 2:
        return
    for short in lengths[:-1]:
        here = rows[long == short]
        deeper = rows[long > short]
        parts = deeper.assign(code=deeper["code"].str[:short])[[*KEY, "code"]].drop_duplicates()
        both = here[[*KEY, "code"]].merge(parts)
        if len(both):
            shown = ", ".join(dict.fromkeys(both["code"].head(MANY)))
            count = ", ".join(f"{int((long == one).sum()):,} rows of {one} digits"
                              for one in lengths)
            reading.wrong("product", f"totals stand beside their parts ({shown}): {count}",
                          f"keep one level, for instance with --digits {lengths[0]}")
            return
