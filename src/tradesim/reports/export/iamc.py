"""Results in the long format of the Integrated Assessment Modeling Consortium.

`pyam` and the tools around it read it: one row per model, scenario, region, variable, unit and
year.
"""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import xarray as xr

from tradesim.common.arrays import MILLION, Array
from tradesim.common.extras import version_of
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.simulation.arguments import checked
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.simulation.manifest import made_with

COLUMNS = ("model", "scenario", "region", "variable", "unit", "year", "value")
STATISTICS = {"p05": 5.0, "p50": 50.0, "p95": 95.0}
UNIT = "million USD/yr"
CHANGES = {"consumer_surplus": "Consumer Surplus", "producer_surplus": "Producer Surplus",
           "exporter_surplus": "Exporter Surplus", "welfare": "Welfare"}


@checked
def to_iamc(dataset: xr.Dataset, model: str | None = None) -> pd.DataFrame:
    """Give results as a table in the IAMC long format.

    Parameters
    ----------
    dataset
        Results of a run.
    model
        Name of the model; ``tradesim`` with its version by default.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`. The run is three scenarios: NAME, ``NAME, if implemented`` and
        ``NAME, reference``. Statistics are at the end of the variable: ``Trade|Exports|p50``.
        Flows have the region ``A>B`` and name their count: ``Trade|Exports|COUNT|GROUP|p50``;
        changes of surplus and welfare have the region of the market and are against the
        reference. ``Trade|Turnover|COUNT|Target Probability`` is a share (unit ``1``).
    """
    names = _names(dataset)
    if model is None:
        model = f"tradesim {dataset.attrs.get('version', version_of('tradesim'))}"
    scenario = str(json.loads(dataset.attrs["scenario"])["name"])
    labels = {SCENARIO: scenario, IMPLEMENTED: f"{scenario}, if implemented",
              REFERENCE: f"{scenario}, reference"}
    frames = []
    for case, label in labels.items():
        if case in dataset["case"]:
            frames += [frame.assign(scenario=label)
                       for frame in _case(dataset.sel(case=case), names, change=case != REFERENCE)]
    table = pd.concat(frames, ignore_index=True).assign(model=model)
    return table[list(COLUMNS)]


def _names(dataset: xr.Dataset) -> Pair:
    return read_pair(made_with(dataset.attrs, PAIR_FILE))


def _case(data: xr.Dataset, pair: Pair, *, change: bool) -> list[pd.DataFrame]:
    both = "+".join(pair.name(code) for code in pair.importers)
    target = float(data.attrs["target_value"])
    frames = []
    for count in (str(name) for name in data["count"].to_numpy()):
        turnover = data["turnover"].sel(count=count)
        frames += _rows(turnover, both, f"Trade|Turnover|{count}")
        reached = (turnover >= target).mean("draw").to_numpy()
        frames.append(_frame(data, both, f"Trade|Turnover|{count}|Target Probability", "1",
                             reached))
        for importer in pair.importers:
            region = f"{pair.name(pair.partner(importer))}>{pair.name(importer)}"
            trade = data["trade"].sel(count=count, importer=importer)
            frames += _rows(trade.sum("group"), region, f"Trade|Exports|{count}")
            for group in (str(name) for name in data["group"].to_numpy()):
                frames += _rows(trade.sel(group=group), region,
                                f"Trade|Exports|{count}|{pair.name(group)}")
    for importer in pair.importers:
        region = pair.name(importer)
        frames += _rows(data["tariff_revenue"].sel(importer=importer), region,
                        "Government Revenue|Tariff")
        for name, title in CHANGES.items() if change else ():
            frames += _rows(data[name].sel(importer=importer), region,
                            f"Change|{title}")
        for exporter in (str(code) for code in data["exporter"].to_numpy()):
            flow = data["imports"].sel(importer=importer, exporter=exporter)
            variable = "Home Sales" if exporter == importer else "Trade|Imports|own count"
            frames += _rows(flow, region if exporter == importer
                            else f"{pair.name(exporter)}>{region}", variable)
    return frames


def _rows(array: xr.DataArray, region: str, variable: str) -> list[pd.DataFrame]:
    values = array.transpose("draw", "year").to_numpy().astype(float) / MILLION
    statistics = {"mean": values.mean(axis=0)}
    statistics |= dict(zip(STATISTICS, np.percentile(values, list(STATISTICS.values()), axis=0),
                      strict=True))
    return [_frame(array, region, f"{variable}|{name}", UNIT, numbers)
            for name, numbers in statistics.items()]


def _frame(data: xr.Dataset | xr.DataArray, region: str, variable: str, unit: str,
           values: Array) -> pd.DataFrame:
    return pd.DataFrame({"region": region, "variable": variable, "unit": unit,
                         "year": data["year"].to_numpy().astype(int), "value": values})
