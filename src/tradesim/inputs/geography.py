"""Where things are, for maps: outlines of countries, places, and the ways that routes take.

The three tables lie in the folder `DISPLAY` of a calibration. They draw a picture and enter no
calculation; a calibration without them has no map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from tradesim.common.arrays import Array
from tradesim.common.files import DISPLAY, unless_changed
from tradesim.inputs.pair import Pair
from tradesim.inputs.strict_csv import Column, read_table

OUTLINES, PLACES, WAYS = "outlines.csv", "places.csv", "ways.csv"
KINDS = ("country", "capital", "city", "post", "zone")
SIDES = ("left", "right", "above", "below")

_LON = Column("lon", "number", low=-180.0, high=180.0)
_LAT = Column("lat", "number", low=-90.0, high=90.0)


@dataclass(frozen=True)
class Place:
    """A country's name, a town, a border post or a free zone, with the side its label is on."""

    name: str
    title: str
    kind: str
    lon: float
    lat: float
    side: str


@dataclass(frozen=True)
class Geography:
    """Outlines by country code, each a list of rings (lon, lat); places; the way of each route.

    `new_ways` are those that a lever opens, by its name.
    """

    outlines: Mapping[str, list[Array]]
    places: tuple[Place, ...]
    ways: Mapping[str, Array]
    new_ways: Mapping[str, Array]


def read_geography(folder: Path, pair: Pair) -> Geography | None:
    """Read what a map of a calibration folder needs; None where it has no outlines.

    Raises
    ------
    InputError
        With every problem of a table: a coordinate off the globe, a route or a kind of place that
        is unknown.
    """
    home = folder / DISPLAY
    if not (home / OUTLINES).is_file():
        return None
    return _read(home, tuple(pair.routes))


@unless_changed(OUTLINES, PLACES, WAYS)
def _read(home: Path, routes: tuple[str, ...]) -> Geography:
    outlines = read_table(home / OUTLINES, (
        Column("country", "text"), Column("ring", "integer", low=1), _LON, _LAT))
    places = read_table(home / PLACES, (
        Column("name", "text"), Column("title", "text", required=False),
        Column("kind", "text", allowed=KINDS), _LON, _LAT,
        Column("side", "text", required=False, allowed=SIDES),
        Column("source", "text", required=False)), key=["name"])
    ways = read_table(home / WAYS, (Column("route", "text", allowed=routes), _LON, _LAT,
                                    Column("note", "text", required=False),
                                    Column("lever", "text", required=False)))
    return Geography(
        {str(code): [_points(ring) for _, ring in part.groupby("ring", sort=False)]
         for code, part in outlines.groupby("country", sort=False)},
        tuple(Place(**{str(key): value for key, value in row.items()}) for row in
              places.drop(columns="source").to_dict("records")),
        *({str(name): _points(part) for name, part in some.groupby(key, sort=False)}
          for key, some in (("route", ways[ways["lever"] == ""]),
                            ("lever", ways[ways["lever"] != ""]))))


def _points(rows: pd.DataFrame) -> Array:
    return np.asarray(rows[["lon", "lat"]], dtype=float)
