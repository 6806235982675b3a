"""The expected files beside the scenarios: what stands in them, and how they are made."""

from pathlib import Path

import pandas as pd
import xarray as xr

from tradesim import model, results

SCENARIOS = Path(__file__).parents[1] / "scenarios"
YEARS = (2030, 2035)
EFFECTS = {"effect": "scenario", "effect_if_implemented": "if_implemented"}
STATISTICS = ("mean", "p10", "p50", "p90")
KEY = ["variable", "count", "year", "case", "statistic"]


def scenarios() -> list[Path]:
    """Files of the shipped scenarios."""
    return sorted(SCENARIOS.glob("*.yaml"))


def expected_file(scenario: Path) -> Path:
    """Where the expected results of a scenario stand."""
    return scenario.with_suffix(".expected.csv")


def compute(scenario: Path) -> pd.DataFrame:
    """Results of a scenario with its own draws and seed, as its expected file holds them."""
    return reduce(model.run(scenario))


def reduce(dataset: xr.Dataset) -> pd.DataFrame:
    """Turnover (whole USD) and probability of the target in the years that matter."""
    turnover = dataset["turnover"].sel(year=list(YEARS))
    reference = turnover.sel(case="reference")
    changes = [(turnover.sel(case=case) - reference).assign_coords(case=name)
               for name, case in EFFECTS.items()]
    dollars = results.statistics(xr.concat([turnover, *changes], dim="case"))
    chance = results.probability(dataset).sel(year=list(YEARS)).expand_dims(statistic=["mean"])
    return pd.concat([_tidy("turnover", dollars.sel(statistic=list(STATISTICS)).round() + 0.0),
                      _tidy("target_probability", chance)], ignore_index=True)


def _tidy(name: str, array: xr.DataArray) -> pd.DataFrame:
    frame = array.transpose(*KEY[1:]).rename("value").to_series().reset_index()
    return frame.assign(variable=name)[[*KEY, "value"]]


def read(scenario: Path) -> pd.DataFrame:
    """The expected file of a scenario."""
    return pd.read_csv(expected_file(scenario))
