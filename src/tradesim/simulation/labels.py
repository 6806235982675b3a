"""Titles and units on the coordinates of results: a file explains itself (CF conventions)."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from tradesim.inputs.pair import Pair

CONVENTIONS = "CF-1.11"
LONG_NAMES: Mapping[str, str] = {
    "count": "Whose statistics", "case": "Case", "draw": "Draw", "year": "Calendar year",
    "importer": "Market", "exporter": "Supplier, home producers included",
    "country": "Member of the pair", "market": "Market of an export", "group": "Group of goods",
    "product": "Product", "service": "Service", "growth": "Path of GDP", "factor": "Factor"}
TITLED = ("count", "importer", "exporter", "country", "market", "group", "product")
"""Dimensions whose labels have titles in `pair.yaml`."""


def labelled(dataset: xr.Dataset, pair: Pair) -> xr.Dataset:
    """Give results with a long name on every coordinate and a title for every label.

    Titles of the labels of a dimension are the coordinate ``<dimension>_title``.
    """
    titles = {f"{dim}_title": (dim, [pair.name(str(label)) for label in dataset[dim].to_numpy()],
                               {"long_name": f"{LONG_NAMES[dim]}: title"})
              for dim in TITLED if dim in dataset.coords}
    named = dataset.assign_coords(titles)
    for dim, text in LONG_NAMES.items():
        if dim in named.coords:
            named[dim].attrs |= {"long_name": text} | ({"units": "1"} if dim == "year" else {})
    return named.assign_attrs(
        Conventions=CONVENTIONS, institution="The tradesim developers",
        source=f"tradesim {dataset.attrs['version']}, run {dataset.attrs['run_id']}",
        references="docs/model.md")
