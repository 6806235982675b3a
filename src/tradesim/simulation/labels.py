"""From arrays of blocks to results whose axes explain themselves (CF conventions)."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from functools import cache

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.economy.services import items
from tradesim.economy.variables import OCCASIONAL, VARIABLES
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.pair import Pair
from tradesim.inputs.scenario import Scenario
from tradesim.simulation.draws import years_of

CONVENTIONS = "CF-1.11"
LONG_NAMES: Mapping[str, str] = {
    "count": "Whose statistics", "case": "Case", "draw": "Draw", "year": "Calendar year",
    "importer": "Market", "exporter": "Supplier, home producers included",
    "country": "Member of the pair", "market": "Market of an export", "group": "Group of goods",
    "product": "Product", "service": "Service", "growth": "Path of GDP", "factor": "Factor"}
TITLED = ("count", "importer", "exporter", "country", "market", "group", "product")
"""Dimensions whose labels have titles in `pair.yaml`."""

ORDER = ("count", "case", "draw", "year", "importer", "group", "product", "exporter", "country",
         "market", "service", "route")

RESIDUAL = "max_residual"
"""Largest residual of the solver: what a block gives beside its variables."""

Blocks = Generator[Mapping[str, Array], None, None]


def as_dataset(base: Baseline, scenario: Scenario, cases: list[str],
               parts: Blocks, draws: int) -> xr.Dataset:
    """Join what blocks of draws give: variables by name with their dimensions and units."""
    pair, (arrays, residual) = base.pair, _joined_blocks(parts, draws)
    variables = {}
    for name, variable in {**VARIABLES, **OCCASIONAL}.items():
        if name in arrays:
            dims = [dim for dim in ORDER if dim in variable.dims]
            variables[name] = xr.Variable(
                dims, arrays[name].transpose([variable.dims.index(dim) for dim in dims]),
                {"units": variable.unit, "long_name": variable.title}, fastpath=True)
    coordinates = _coordinates(tuple(pair.counts), tuple(cases), years_of(base, scenario),
                               pair.importers, tuple(pair.groups),
                               tuple(pair.products), pair.exporters, pair.importers,
                               pair.exporters, items(list(base.parameters)), tuple(pair.routes))
    return xr.Dataset(variables, coordinates, {RESIDUAL: residual})


def _joined_blocks(parts: Blocks, draws: int) -> tuple[dict[str, Array], float]:
    """Put each block into arrays of all draws as it comes; also the largest residual."""
    arrays: dict[str, Array] = {}
    done, residual = 0, 0.0
    with closing(parts):  # whatever goes wrong here, no block is begun after it
        for part in parts:
            found = dict(part)
            residual = max(residual, float(found.pop(RESIDUAL)))
            rows = slice(done, done + max((one.shape[-1] for one in found.values()), default=0))
            if rows == slice(0, draws):
                arrays, found = found, {}
            for name, values in found.items():
                if name not in arrays:
                    arrays[name] = np.empty((*values.shape[:-1], draws), values.dtype)
                arrays[name][..., rows] = values
            done = rows.stop
    return arrays, residual


@cache
def _coordinates(*labels: tuple[str | int, ...]) -> xr.Coordinates:
    names = ("count", "case", "year", "importer", "group", "product", "exporter", "country",
             "market", "service", "route")
    coordinates = dict(zip(names, (list(values) for values in labels), strict=True))
    return xr.Dataset(coords=coordinates).coords


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
