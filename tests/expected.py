"""The expected files beside the scenarios: what stands in them, and how they are made."""

from pathlib import Path

import pandas as pd
import xarray as xr

from tradesim import model, results

SCENARIOS = Path(__file__).parents[1] / "scenarios"
ENDING = ".expected.csv"
YEARS = (2030, 2035)
LAST = YEARS[-1]
STATISTICS = ("mean", "p10", "p50", "p90")
CHANGES = ("effect", "effect_if_implemented")
KEY = ["variable", "count", "year", "exporter", "importer", "group", "case", "statistic"]

HEADLINE = ("turnover", "target_probability")
"""Kept for both years, in every case."""

LEVELS = ("trade", "imports", "tariff_revenue")
"""Kept for the last year without the scenario too, as means: what changes are compared with."""

ACCOUNTS = ("trade", "imports", "tariff_revenue", "consumer_surplus", "producer_surplus",
            "exporter_surplus", "welfare")
"""Kept for the last year, as changes of totals over groups."""


def scenarios() -> list[Path]:
    """Files of the shipped scenarios."""
    return sorted(SCENARIOS.glob("*.yaml"))


def expected_file(scenario: Path) -> Path:
    """Where the expected results of a scenario stand."""
    return scenario.with_suffix(ENDING)


def compute(scenario: Path) -> pd.DataFrame:
    """Results of a scenario with its own draws and seed, as its expected file holds them."""
    return reduce(model.run(scenario))


def reduce(dataset: xr.Dataset) -> pd.DataFrame:
    """Rows of the run's summary that an answer needs.

    The last year says where a policy leads; what a shock does is over by then, so the mean
    change of turnover is kept for every year.
    """
    rows = results.summary(dataset.sel(year=list(YEARS)))
    rows = rows[rows["statistic"].isin(STATISTICS)]
    last, change = rows["year"] == LAST, rows["case"].isin(CHANGES)
    before = (rows["variable"].isin(LEVELS) & (rows["case"] == results.REFERENCE)
              & (rows["statistic"] == "mean"))
    totals = (rows["group"] == results.ALL) & last & (
        before | (rows["variable"].isin(ACCOUNTS) & change))
    kept = rows[rows["variable"].isin(HEADLINE) | totals]
    return pd.concat([kept[[*KEY, "value"]], _path(dataset)], ignore_index=True)


def _path(dataset: xr.Dataset) -> pd.DataFrame:
    """Mean change of turnover in the other years."""
    others = dataset.drop_sel(year=list(YEARS))["turnover"].mean("draw")
    reference = others.sel(case="reference")
    changes = [(others.sel(case=case) - reference).assign_coords(case=name)
               for name, case in zip(CHANGES, ("scenario", "if_implemented"), strict=True)]
    table = xr.concat(changes, dim="case").transpose("count", "year", "case").round(2) + 0.0
    frame = table.rename("value").to_series().reset_index()
    fixed = dict.fromkeys(("exporter", "importer", "group"), results.ALL)
    return frame.assign(variable="turnover", statistic="mean", **fixed)[[*KEY, "value"]]


def read(scenario: Path) -> pd.DataFrame:
    """The expected file of a scenario."""
    return pd.read_csv(expected_file(scenario))
