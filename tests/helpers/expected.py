"""The expected files beside the scenarios, and the table of the same with few draws.

The expected files hold the results that the documents quote, with the draws of each scenario
(2,000). The table holds the same rows with `FEW` draws: it is compared on every push, the files
every night. Both only notice that something moved.
"""

from pathlib import Path

import pandas as pd
import xarray as xr

from tidy import tidy
from tradesim.simulation import model
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.simulation.summary import ALL
from tradesim.simulation.summary import summary as summarise

SCENARIOS = Path(__file__).parents[2] / "scenarios"
ENDING = ".expected.csv"
FEW = 256
FEW_DRAWS = Path(__file__).parents[1] / "end_to_end" / "few_draws.csv"
"""Rows as in an expected file; a column for each scenario."""
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
            "exporter_surplus", "welfare", "cost_present_value", "welfare_present_value")
"""Kept for the last year, as changes of totals over groups."""


SHARES = ("self_sufficiency", "corridor_share", "export_share", "export_concentration",
          "trade_share")
"""Kept for the last year, without the scenario and as changes, as means."""

BESIDE = ("services",)
"""Accounts beside goods, in USD, kept as `SHARES` are."""

APPRAISAL = "appraisal"
"""Present values over the life of what is built, kept as means of changes."""

PATHS = ("turnover", "consumer_surplus")
"""Mean changes kept for every year: what a shock does is over by the last one."""


def scenarios() -> list[Path]:
    """Files of the shipped scenarios."""
    return sorted(SCENARIOS.glob("*.yaml"))


def expected_file(scenario: Path) -> Path:
    """Where the expected results of a scenario stand."""
    return scenario.with_suffix(ENDING)


def compute(scenario: Path) -> pd.DataFrame:
    """Results of a scenario with its own draws and seed, as its expected file holds them."""
    return reduce(model.run(scenario))


def run_few(scenario: Path) -> xr.Dataset:
    """Results of a scenario with few draws and its own seed."""
    return model.run(scenario, draws=FEW)


def compute_few() -> pd.DataFrame:
    """The table with few draws, as it should stand in its file."""
    found = [reduce(run_few(scenario)).set_index(KEY)["value"].rename(scenario.stem)
             for scenario in scenarios()]
    return pd.concat(found, axis="columns").reset_index()


def reduce(dataset: xr.Dataset) -> pd.DataFrame:
    """Rows of the run's summary that an answer needs."""
    rows = tidy(summarise(dataset.sel(year=list(YEARS))))
    rows = rows[rows["statistic"].isin(STATISTICS)]
    last, change = rows["year"] == LAST, rows["case"].isin(CHANGES)
    mean = rows["statistic"] == "mean"
    before = rows["variable"].isin(LEVELS) & (rows["case"] == REFERENCE) & mean
    totals = (rows["group"] == ALL) & last & (
        before | (rows["variable"].isin(ACCOUNTS) & change))
    shares = rows["variable"].isin((*SHARES, *BESIDE)) & last & mean & (
        change | (rows["case"] == REFERENCE))
    appraised = (rows["variable"] == APPRAISAL) & mean & change
    kept = rows[rows["variable"].isin(HEADLINE) | totals | shares | appraised]
    parts = [kept, *(_path(dataset, name) for name in PATHS)]
    return pd.concat([part[[*KEY, "value"]] for part in parts]).drop_duplicates(
        KEY, ignore_index=True)


def _path(dataset: xr.Dataset, name: str) -> pd.DataFrame:
    """Mean change of a variable, year by year."""
    mean = dataset[name].mean("draw")
    changes = [(mean.sel(case=case) - mean.sel(case=REFERENCE)).assign_coords(case=label)
               for label, case in zip(CHANGES, (SCENARIO, IMPLEMENTED),
                                      strict=True)]
    table = xr.concat(changes, dim="case").rename("value").round(2) + 0.0
    frame = table.to_series().reset_index()
    fixed = {"count": "own"} | dict.fromkeys(("exporter", "importer", "group"), ALL)
    return frame.assign(variable=name, statistic="mean",
                        **{key: value for key, value in fixed.items() if key not in frame})


def read(scenario: Path) -> pd.DataFrame:
    """The expected file of a scenario."""
    return pd.read_csv(expected_file(scenario))
