"""A small panel of countries that do not exist, written as a user would give it."""

from functools import cache
from itertools import combinations

import numpy as np
import pandas as pd

YEARS = range(1970, 2006)
CODES = tuple(f"C{letter}{letter}" for letter in "ABCDEFGHIJKL")
ELASTICITY = 0.6


def gdp():
    """GDP of all countries, current USD."""
    return _gdp().copy()


def trade():
    """Imports of each from the other, million USD: a local level around GDP."""
    return _trade().copy()


@cache
def _gdp():
    rng = np.random.default_rng(1)
    grown = np.cumsum(0.05 + 0.08 * rng.standard_normal((len(CODES), len(YEARS))), axis=1)
    return pd.DataFrame([{"country": code, "code": code, "year": year,
                          "gdp_usd": 3e9 * np.exp(grown[k, t])}
                         for k, code in enumerate(CODES) for t, year in enumerate(YEARS)])


@cache
def _trade():
    rng = np.random.default_rng(2)
    size = np.log(gdp().pivot_table(index="code", columns="year", values="gdp_usd"))
    rows = []
    for first, second in combinations(CODES, 2):
        both = (size.loc[first] + size.loc[second]).to_numpy()
        level = np.cumsum(0.25 * rng.standard_normal(len(YEARS)))
        value = 100 * np.exp(ELASTICITY * (both - both[20]) + level - level[20]
                             + 0.1 * rng.standard_normal(len(YEARS)))
        rows += [{"year": year, "country_1": first, "country_2": second,
                  "imports_1_from_2": 0.75 * value[t], "imports_2_from_1": 0.25 * value[t]}
                 for t, year in enumerate(YEARS)]
    return pd.DataFrame(rows)


def write(folder, table=None, sizes=None):
    """Write both files; returns the path of the panel."""
    (gdp() if sizes is None else sizes).to_csv(folder / "gdp_current_usd.csv", index=False)
    path = folder / "panel.csv.gz"
    (trade() if table is None else table).to_csv(path, index=False)
    return path


def flows(table):
    """Write the same as reported flows: the first country reports both."""
    parts = [pd.DataFrame({"value": 1000 * table[name], "unit": "thousand USD",
                           "year": table["year"], "reporter": table["country_1"],
                           "partner": table["country_2"], "flow": flow})
             for name, flow in (("imports_1_from_2", "import"), ("imports_2_from_1", "export"))]
    whole = pd.concat(parts)
    turned = whole.rename(columns={"reporter": "partner", "partner": "reporter"})
    return pd.concat([whole, turned[["value", "unit", "year", "reporter", "partner", "flow"]]])
