"""Trade among all countries in the base year, home sales included, for the closure."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tradesim.common.arrays import Array, frozen
from tradesim.common.errors import InputError, Problem
from tradesim.inputs.pair import Pair
from tradesim.inputs.strict_csv import Column, read_table

WORLD = "baseline/world.csv"
BILLION = 1e9


def read_world(folder: Path, pair: Pair) -> Array | None:
    """Read the world's trade matrix of a calibration folder.

    Parameters
    ----------
    folder
        The calibration folder.
    pair
        Names and order of countries.

    Returns
    -------
    numpy.ndarray or None
        Value before duty in USD by exporter and importer, home sales on the diagonal;
        None where the folder has no such table.

    Raises
    ------
    InputError
        With every cell that is missing, unknown, negative or no number, and every country
        without home sales.
    """
    path = Path(folder) / WORLD
    if not path.exists():
        return None
    countries = pair.exporters
    columns = (Column("exporter", "text", allowed=countries),
               Column("importer", "text", allowed=countries),
               Column("value_busd", "number", low=0.0), Column("low", "number", low=0.0),
               Column("high", "number", low=0.0),
               Column("grade", "text", allowed=("A", "B", "C", "D")), Column("source", "text"),
               Column("url", "text", required=False), Column("note", "text", required=False))
    frame = read_table(path, columns, key=("exporter", "importer"))
    wide = frame.pivot_table(index="exporter", columns="importer", values="value_busd")
    trade = wide.reindex(index=list(countries), columns=list(countries)).to_numpy() * BILLION
    problems = [Problem(str(path), f"{countries[i]}, {countries[j]}",
                        "row missing: the closure needs every pair of countries")
                for i, j in np.argwhere(np.isnan(trade))]
    problems += [Problem(str(path), f"{code}, {code}", "home sales are zero: a country that "
                         "sells nothing at home has no equilibrium in the one-sector world; "
                         "must be above zero")
                 for code, home in zip(countries, np.diagonal(trade), strict=True) if home == 0.0]
    if problems:
        raise InputError(problems)
    return frozen(trade)
