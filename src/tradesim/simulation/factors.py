"""What differed between the draws of a run: the numbers its results can be ranked by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.inputs.base_year_tables import TABLES
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.posterior import PARAMETERS, PREFIX
from tradesim.inputs.products import SHARE
from tradesim.inputs.scenario import Scenario
from tradesim.reference.gravity import ReferencePath
from tradesim.simulation.draws import count_of, happening

FACTOR = "factor"
SIZE, CLOSED, UNEXPLAINED = "gdp.size", "corridor.closed_years", "reference.unexplained"
NEW_GOODS = "reference.new_goods"
HAPPENS = "happens"

Row = tuple[str, str, str, Array]


def factors(base: Baseline, scenario: Scenario, draws: Mapping[str, Array],
            path: ReferencePath) -> xr.DataArray:
    """Give everything that may vary between draws as one table of plain numbers.

    Parameters
    ----------
    scenario
        The scenario of the run.
    draws
        What `model.draw_all` drew.
    path
        The reference path of those draws.

    Returns
    -------
    xarray.DataArray
        ``factors`` (factor, draw) with coordinates ``factor`` (dotted name), ``factor_title`` and
        ``factor_unit``: parameters, settings of levers, whether each lever happens, fitted
        numbers, and of the path the size of both economies, the unexplained part and the new goods
        of each flow (last year) and the years with a closed corridor. Cells of the base-year tables
        are left out.
    """
    rows = [*_drawn(base, scenario, draws), *_levers(base, scenario, draws),
            *_fitted(base, draws), *_path(base, draws, path)]
    names, titles, units, values = zip(*rows, strict=True) if rows else ((), (), (), ())
    size = count_of(draws)
    return xr.DataArray(
        np.array(values, dtype=np.float32).reshape(len(names), size), dims=(FACTOR, "draw"),
        coords={FACTOR: list(names), f"{FACTOR}_title": (FACTOR, list(titles)),
                f"{FACTOR}_unit": (FACTOR, list(units))},
        attrs={"units": "see factor_unit", "long_name": "What differs between draws"})


def varying(dataset: xr.Dataset) -> xr.Dataset:
    """Leave out factors that are the same in every draw."""
    values = dataset["factors"].transpose(FACTOR, "draw").to_numpy()
    return dataset.isel({FACTOR: np.ptp(values, axis=1) > 0})


def _drawn(base: Baseline, scenario: Scenario, draws: Mapping[str, Array]) -> Iterator[Row]:
    cells = tuple(f"{table.title}: " for table in TABLES)
    settings = {name: item for lever in scenario.levers
                for name, item in base.levers[lever].parameters.items()}
    for name, item in {**base.parameters, **settings}.items():
        if (name in draws and not item.title.startswith(cells)
                and not name.startswith(f"{SHARE}.")):
            yield name, item.title.rstrip("."), item.unit, draws[name]


def _levers(base: Baseline, scenario: Scenario, draws: Mapping[str, Array]) -> Iterator[Row]:
    for name in scenario.levers:
        yield (f"{name}.{HAPPENS}", f"{base.levers[name].title} happens", "0 no, 1 yes",
               happening(base, draws, name))


def _fitted(base: Baseline, draws: Mapping[str, Array]) -> Iterator[Row]:
    for name, dims in PARAMETERS.items():
        values = draws.get(f"posterior.{name}")
        if values is None or dims not in ((), ("importer",)):
            continue
        for place, importer in enumerate(base.pair.importers if dims else [""]):
            full = f"{PREFIX}{name}.{importer}".rstrip(".")
            item = base.parameters[full]
            yield full, item.title.rstrip("."), item.unit, values[:, place] if dims else values


def _path(base: Baseline, draws: Mapping[str, Array], path: ReferencePath) -> Iterator[Row]:
    yield (SIZE, "Product of both GDPs in the last year, rise since the base year",
           "log", path.log_growth[:, -1].sum(axis=-1))
    yield (CLOSED, "Years in which the corridor is closed at least in part", "years",
           (path.closed_share > 0).sum(axis=1).astype(float))
    for place, importer in enumerate(base.pair.importers):
        market = f"market of {base.pair.name(importer)}"
        yield (f"{UNEXPLAINED}.{importer}", f"Unexplained part of trade, last year: {market}",
               "log", path.unexplained[:, -1, place])
        yield (f"{NEW_GOODS}.{importer}",
               f"Goods newly traded, last year, against their average: {market}",
               "log", path.new_goods[:, -1, place])
