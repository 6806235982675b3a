"""A panel of other countries' trade: the file a user gives, checked, as turnover and GDP by pair.

Two layouts are known, told apart by their columns: one row for every pair and year with the imports
of each country from the other (Correlates of War), and one row for every reported flow (World
Bank WITS). The panel itself is not part of tradesim.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tradesim.common.arrays import Array, frozen
from tradesim.common.errors import InputError, Problem, nearest

if TYPE_CHECKING:
    import pandas as pd

UNITS = {"USD": 1.0, "thousand USD": 1e3, "million USD": 1e6}
"""Units that a column ``unit`` may name, in dollars."""

PAIRS = ("year", "country_1", "country_2", "imports_1_from_2", "imports_2_from_1")
"""Columns of a panel of pairs, in million USD where there is no column ``unit``."""

FLOWS = ("year", "reporter", "partner", "flow", "value", "unit")
"""Columns of a panel of reported flows; ``flow`` is ``export`` or ``import``."""

GDP = ("code", "year", "gdp_usd")
"""Columns of the file of GDP, current USD."""

GDP_NAMES = ("gdp_current_usd.csv.gz", "gdp_current_usd.csv")
"""Names under which GDP is looked for beside a panel."""

OPENNESS = (1e-3, 5.0)
"""What turnover over GDP may be: its highest tenth above the first, its middle below the second.

In panels of all countries the middle is near 0.5. A panel in another unit is off by a thousand.
"""

SHOWN = 10
"""Problems of one kind listed in full; more are only counted."""


@dataclass(frozen=True)
class Panel:
    """Trade of many pairs with the GDPs of both countries.

    Attributes
    ----------
    name
        File that it was read from.
    pairs
        Codes of both countries; in a panel of reported flows the first one reports.
    years
        Consecutive years.
    log_turnover
        Log of both directions together, current USD; (pair, year), NaN where not reported.
    log_gdp
        Sum of both logs of GDP, current USD; (pair, year), NaN where one is not known.
    vanished
        Whether turnover was reported as nil; (pair, year).
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    years: tuple[int, ...]
    log_turnover: Array
    log_gdp: Array
    vanished: Array

    def without(self, first: str, second: str) -> Panel:
        """Leave out one pair, whichever of both reports."""
        rows = [k for k, pair in enumerate(self.pairs) if set(pair) != {first, second}]
        return Panel(self.name, tuple(self.pairs[k] for k in rows), self.years,
                     frozen(self.log_turnover[rows]), frozen(self.log_gdp[rows]),
                     frozen(self.vanished[rows]))

    def rows_of(self, first: str, second: str) -> list[int]:
        """Rows of one pair, that in which the first country reports before the other.

        Raises
        ------
        InputError
            When the panel lacks the pair.
        """
        rows = [k for k, pair in enumerate(self.pairs) if set(pair) == {first, second}]
        if rows:
            return sorted(rows, key=lambda k: self.pairs[k] != (first, second))
        codes = {code for pair in self.pairs for code in pair}
        hints = [nearest(code, codes) for code in (first, second) if code not in codes]
        raise InputError([Problem(self.name, f"{first}-{second}", "the panel lacks this pair",
                                  "; ".join(filter(None, hints))
                                  or "it must have trade and GDP of both in the same years")])


def read_panel(path: Path, gdp: Path | None = None) -> Panel:
    """Read and check a panel of trade and the GDP of its countries.

    Rows of a country in a year for which the file of GDP lacks it, and has others, are left out
    first: they say nothing of growth, and a code of such years may be that of two states (the two
    Yemens before 1990).

    Parameters
    ----------
    path
        CSV file, packed or not, in one of the two layouts.
    gdp
        CSV file of GDP; by default the one named as in `GDP_NAMES` beside the panel.

    Returns
    -------
    Panel

    Raises
    ------
    InputError
        For missing columns, other units, cells that are not numbers, duplicated rows, trade out
        of proportion to GDP.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError([Problem(str(path), "--panel", "is a folder, not a file"
                                  if path.is_dir() else "file not found")])
    gdp = _beside(path) if gdp is None else Path(gdp)
    size = _read_gdp(gdp)
    heading = list(_frame(path, nrows=0).columns)
    flows = "reporter" in heading or "partner" in heading
    table = _read(path, FLOWS if flows else PAIRS, heading)
    wide = _pairs_of_flows(path, table) if flows else _dollars(path, table)
    known = wide[_usable(wide, size)]
    _refuse_doubles(path, known, flows=flows)
    if known.empty:
        raise InputError([Problem(str(path), "", "no row has the GDP of both countries",
                                  f"the codes of {gdp} must be those of the panel")])
    panel = _arranged(path, known, size)
    _refuse_other_units(path, gdp, known, size)
    return panel


def _beside(path: Path) -> Path:
    for name in GDP_NAMES:
        if (path.parent / name).is_file():
            return path.parent / name
    raise InputError([Problem("--gdp", "", f"no {GDP_NAMES[0]} beside {path}",
                              "give the file of GDP: columns " + ", ".join(GDP))])


def _frame(path: Path, **options: object) -> pd.DataFrame:
    """Read a CSV file; what is wrong with the file as such becomes one problem."""
    import pandas as pd

    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""],  # type: ignore[call-overload,no-any-return]
                           **options)
    except FileNotFoundError as error:
        raise InputError([Problem(str(path), "", "file not found")]) from error
    except pd.errors.EmptyDataError as error:
        raise InputError([Problem(str(path), "", "the file is empty")]) from error
    except (OSError, EOFError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise InputError([Problem(str(path), "", f"is no CSV table: {error}")]) from error


def _read(path: Path, wanted: Sequence[str], heading: Sequence[str]) -> pd.DataFrame:
    """Read the wanted columns and check every cell."""
    import pandas as pd

    missing = [name for name in wanted if name not in heading]
    if missing:
        free = [name for name in heading if name not in wanted]
        raise InputError([Problem(str(path), name, "column missing", nearest(name, free)
                                  or f"needed: {', '.join(wanted)}", 1) for name in missing])
    extra = [name for name in ("unit",) if name in heading and name not in wanted]
    frame = _frame(path, usecols=[*wanted, *extra])
    problems = []
    for name in wanted:
        if name in ("country_1", "country_2", "reporter", "partner", "flow", "unit", "code"):
            continue
        numbers = pd.to_numeric(frame[name], errors="coerce").replace([np.inf, -np.inf], np.nan)
        wrong = numbers.isna() & frame[name].notna()
        below = numbers < 0
        for text, rows in (("is not a number", wrong), ("must not be below zero", below)):
            problems += _listed(path, name, [(line, f"'{frame[name][line]}' {text}")
                                             for line in frame.index[rows]])
        if name == "year" and numbers.isna().any():
            problems += _listed(path, name, [(line, "must not be empty")
                                             for line in frame.index[frame[name].isna()]])
        frame[name] = numbers
    if problems:
        raise InputError(problems)
    return frame.astype({"year": int})


def _listed(path: Path, key: str, found: Sequence[tuple[int, str]]) -> list[Problem]:
    shown = [Problem(str(path), key, text, line=int(line) + 2) for line, text in found[:SHOWN]]
    more = len(found) - SHOWN
    return [*shown, Problem(str(path), key, f"and {more} more such cells")] if more > 0 else shown


def _read_gdp(path: Path) -> pd.Series[float]:
    """Log GDP by code and year."""
    frame = _read(path, GDP, list(_frame(path, nrows=0).columns))
    frame = frame[frame["gdp_usd"] > 0]
    key = ["code", "year"]
    doubled = frame[frame.duplicated(key)]
    if len(doubled):
        raise InputError(_listed(path, "code, year", [
            (line, f"'{row.code}, {row.year}' stands twice")
            for line, row in zip(doubled.index, doubled.itertuples(), strict=True)]))
    found = frame.set_index(key)["gdp_usd"]
    return found.map(np.log)


def _factor(path: Path, unit: pd.Series[str]) -> pd.Series[float]:
    unknown = sorted(set(unit.dropna()) - set(UNITS)) + [""] * int(unit.isna().any())
    if unknown:
        raise InputError([Problem(str(path), "unit", f"'{name}' is unknown",
                                  f"known: {', '.join(UNITS)}") for name in unknown])
    return unit.map(UNITS)


def _dollars(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Turnover in USD of a panel of pairs."""
    factor = _factor(path, table["unit"]) if "unit" in table else UNITS["million USD"]
    both = table["imports_1_from_2"] + table["imports_2_from_1"]
    return table[["year", "country_1", "country_2"]].assign(turnover=both * factor)


def _pairs_of_flows(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Turnover in USD as one country reports it: exports and imports of the same year added.

    A reporter who names one flow with a partner and not the other had none of it. Codes that
    never report are groups of countries.
    """
    unknown = sorted(set(table["flow"].fillna("")) - {"export", "import"})
    if unknown:
        raise InputError([Problem(str(path), "flow", f"'{name}' is unknown",
                                  "known: export, import") for name in unknown])
    key = ["year", "reporter", "partner", "flow"]
    doubled = table[table.duplicated(key)]
    if len(doubled):
        raise InputError(_doubles(path, doubled, key))
    table = table.assign(turnover=table["value"] * _factor(path, table["unit"]))
    table = table[table["partner"].isin(set(table["reporter"]))]
    wide = table.groupby(key[:3])["turnover"].sum(min_count=1).reset_index()
    return wide.set_axis(["year", "country_1", "country_2", "turnover"], axis=1)


def _usable(wide: pd.DataFrame, size: pd.Series[float]) -> pd.Series[bool]:
    """Say which rows a file of GDP that covers their year has both countries for."""
    import pandas as pd

    keep = pd.Series(True, index=wide.index)
    covered = wide["year"].isin(size.index.get_level_values("year").unique())
    for name in ("country_1", "country_2"):
        has = pd.MultiIndex.from_frame(wide[[name, "year"]]).isin(size.index)
        keep &= has | ~covered
    return keep


def _doubles(path: Path, doubled: pd.DataFrame, key: Sequence[str]) -> list[Problem]:
    said = doubled[list(key)].astype(str).agg(", ".join, axis=1)
    return _listed(path, ", ".join(key), [(int(str(line)), f"'{text}' stands twice")
                                          for line, text in said.items()])


def _refuse_doubles(path: Path, known: pd.DataFrame, *, flows: bool) -> None:
    key = ["year", "country_1", "country_2"]
    sides = known[key]
    if not flows:
        names = np.sort(known[key[1:]].to_numpy(dtype=str), axis=1)
        sides = known[["year"]].assign(country_1=names[:, 0], country_2=names[:, 1])
    doubled = sides[sides.duplicated()]
    if len(doubled):
        raise InputError(_doubles(path, doubled, key))


def _arranged(path: Path, known: pd.DataFrame, size: pd.Series[float]) -> Panel:
    years = range(int(known["year"].min()), int(known["year"].max()) + 1)
    table = known.pivot_table(index=["country_1", "country_2"], columns="year",
                              values="turnover").reindex(columns=years)
    gdp = size.rename("gdp").reset_index().pivot_table(
        index="code", columns="year", values="gdp").reindex(columns=years)
    both = sum(gdp.reindex(table.index.get_level_values(name)).to_numpy()
               for name in ("country_1", "country_2"))
    value = table.to_numpy(dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(value > 0, np.log(value), np.nan)
    pairs = tuple((str(first), str(second)) for first, second in table.index)
    return Panel(str(path), pairs, tuple(years), frozen(logs), frozen(np.asarray(both, float)),
                 frozen(value == 0))


def _refuse_other_units(path: Path, gdp: Path, known: pd.DataFrame,
                        size: pd.Series[float]) -> None:
    """Compare all trade of each country and year with its GDP."""
    import pandas as pd

    sides = pd.concat([known.set_index([name, "year"])["turnover"].rename_axis(["code", "year"])
                       for name in ("country_1", "country_2")])
    total = sides.groupby(level=["code", "year"]).sum()
    ratio = (total / np.exp(size)).dropna()
    if ratio.empty:
        return
    middle, high = (float(ratio.quantile(level)) for level in (0.5, 0.9))
    if middle > OPENNESS[1] or high < OPENNESS[0]:
        raise InputError([Problem(
            str(path), "", f"trade of a country is {middle:.3g} times its GDP in the middle of "
            "all countries and years; about 0.5 is usual",
            f"one file is in another unit: {gdp} must be in USD, a panel of pairs in million USD "
            f"or with a column 'unit' ({', '.join(UNITS)})")])
