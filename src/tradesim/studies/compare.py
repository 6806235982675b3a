"""Scenarios side by side on the same draws: effects, target, regret, who gains and who loses.

An effect is always the scenario less the baseline scenario, draw by draw and case by case:
risk-weighted against risk-weighted, if implemented against if implemented.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.listed import Listed
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.simulation.summary import first_reached, milestones
from tradesim.studies.comparable import refuse_closures, refuse_different, refuse_same_names

if TYPE_CHECKING:
    import pandas as pd

CASES = (SCENARIO, IMPLEMENTED)
ACCOUNTS = ("consumer_surplus", "producer_surplus", "exporter_surplus", "tariff_revenue", "welfare")

CRITERIA = ("turnover", "welfare")
"""What "best" may mean: turnover on the headline count, or the welfare of both members to then."""

SHOWN = 20
"""Scenarios that fit on a screen."""

TIE = 1e3
"""Scenarios within this amount (USD a year) of the best of a draw share the first place."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """Runs of several scenarios on the same draws.

    Attributes
    ----------
    runs
        Results by scenario name, the baseline first.
    baseline
        Name of the scenario that the others are measured against.
    """

    runs: Mapping[str, xr.Dataset]
    baseline: str

    @property
    def names(self) -> list[str]:
        """All scenarios, the baseline first."""
        return list(self.runs)

    @property
    def packages(self) -> list[str]:
        """All scenarios but the baseline, in the order given."""
        return self.names[1:]

    @cached_property
    def events(self) -> list[str]:
        """Scenarios with a shock, in the order given: nobody chooses them, so none is ranked."""
        return [name for name in self.packages
                if json.loads(self.runs[name].attrs.get("shocks", "[]"))]

    @property
    def policies(self) -> list[str]:
        """Scenarios that can be chosen, in the order given."""
        return [name for name in self.packages if name not in self.events]

    @property
    def first(self) -> xr.Dataset:
        """Results of the baseline."""
        return self.runs[self.baseline]

    @property
    def count(self) -> str:
        """Name of the headline count."""
        return str(self.first.attrs["count"])

    @property
    def counts(self) -> list[str]:
        """All counts, the headline count first."""
        names = [str(name) for name in self.first["count"].to_numpy()]
        return sorted(names, key=lambda name: name != self.count)

    @property
    def identity(self) -> str:
        """Name of the comparison by its content: a hash of its run ids, the baseline first."""
        ids = [str(run.attrs["run_id"]) for run in self.runs.values()]
        return sha256(json.dumps([ids[0], sorted(ids[1:])]).encode()).hexdigest()[:16]

    @cached_property
    def years(self) -> list[int]:
        """Years of the projection."""
        return [int(year) for year in self.first["year"].to_numpy()]

    @property
    def last(self) -> int:
        """Last year of the projection."""
        return self.years[-1]

    @property
    def milestones(self) -> list[int]:
        """Years to report: every fifth after the first, and the last; at most the last two."""
        return milestones(self.first)[-2:]

    @property
    def draw_count(self) -> int:
        """Number of draws."""
        return int(self.first.sizes["draw"])

    @property
    def target(self) -> float:
        """Value of the target, USD."""
        return float(self.first.attrs["target_value"])

    @property
    def target_count(self) -> str:
        """Count on which the target was stated."""
        return str(self.first.attrs["target_count"])

    def label(self, name: str) -> str:
        """Title of a scenario, with its name where two have the same title."""
        titles = {other: str(run.attrs["title"]) for other, run in self.runs.items()}
        alone = list(titles.values()).count(titles[name]) == 1
        return titles[name] if alone else f"{titles[name]} ({name})"

    def scenario(self, name: str) -> dict[str, Any]:
        """Give the resolved scenario: levers, parameters, question and the rest."""
        resolved: dict[str, Any] = json.loads(self.runs[name].attrs["scenario"])
        return resolved

    def levels(self, variable: str, name: str, case: str, **where: Any) -> Array:
        """Values of a variable in one scenario, USD, draws first."""
        array = self.runs[name].variables[variable]
        chosen = {"case": case, **where}
        free = [dim for dim in array.dims if dim not in chosen]
        # Plain indexing: many small selections by label would take seconds.
        taken = array.to_numpy()[tuple(self._positions[dim][chosen[dim]] if dim in chosen
                                   else slice(None) for dim in array.dims)]
        return np.ascontiguousarray(np.moveaxis(taken, free.index("draw"), 0), dtype=float)

    def change(self, variable: str, name: str, case: str, **where: Any) -> Array:
        """Change of a variable against the baseline scenario, same draw and case, USD."""
        return (self.levels(variable, name, case, **where)
                - self.levels(variable, self.baseline, case, **where))

    @cached_property
    def _positions(self) -> dict[Any, dict[Any, int]]:
        return {dim: {label: k for k, label in enumerate(self.first[dim].to_numpy().tolist())}
                for dim in self.first.dims if dim in self.first.coords}

    def summary(self) -> pd.DataFrame:
        """Give turnover of the last year and its change by scenario: `compare_table.overview`."""
        from tradesim.studies.compare_table import overview

        return overview(self)

    @property
    def _heading(self) -> str:
        several = len(self.packages)
        return (f"{several} scenario{'s' * (several > 1)} against {self.baseline}, "
                f"{self.draw_count} draws, {self.years[0]}–{self.last}; turnover in USD million, "
                f"{self.count} count, risk-weighted")

    def __repr__(self) -> str:
        rows = self.summary().drop(columns="title").head(SHOWN)
        return (f"<tradesim.Comparison> {self._heading}\n"
                + rows.to_string(index=False, float_format="{:.1f}".format))

    def _repr_html_(self) -> str:
        rows = self.summary().drop(columns="scenario").to_html(
            index=False, float_format="{:.1f}".format, max_rows=SHOWN)
        return f"<p>{html.escape(self._heading)}</p>{rows}"


def compare(*datasets: xr.Dataset, baseline: str | None = None, align: bool = False) -> Comparison:
    """Put results of several scenarios side by side.

    Parameters
    ----------
    datasets
        Results of `model.run` or `results.load`.
    baseline
        Name of the scenario to measure the others against; the first by default.
    align
        Cut all runs to the shortest horizon instead of refusing different ones.

    Returns
    -------
    Comparison
        The runs, checked to stand on the same draws.

    Raises
    ------
    InputError
        When there is nothing to compare, a run has a closure, or runs differ in draws, seed,
        horizon, count or calibration.
    """
    runs: dict[str, xr.Dataset] = {}
    refuse_same_names([dataset.attrs for dataset in datasets])
    refuse_closures([dataset.attrs for dataset in datasets])
    for dataset in datasets:
        runs.setdefault(str(json.loads(dataset.attrs["scenario"])["name"]), dataset)
    chosen = baseline or next(iter(runs), "")
    if chosen not in runs:
        raise InputError([Problem("--baseline", chosen, "is not among the scenarios compared: "
                                  + ", ".join(runs))])
    if len(runs) < 2:
        raise InputError([Problem("compare", chosen, "at least one scenario besides the baseline "
                                  "is needed", "name another scenario")])
    if align:
        shortest = min(int(dataset["year"].to_numpy()[-1]) for dataset in runs.values())
        runs = {name: dataset.sel(year=slice(None, shortest)) for name, dataset in runs.items()}
    runs = {chosen: runs[chosen], **runs}
    refuse_different({name: {
        "draws": str(dataset.sizes["draw"]), "seed": str(dataset.attrs["seed"]),
        "horizon": str(dataset["year"].to_numpy()[-1]), "count": str(dataset.attrs["count"]),
        "calibration": str(dataset.attrs["hashes"])} for name, dataset in runs.items()})
    return Comparison(Listed(runs), chosen)


def ranked(comparison: Comparison, case: str = SCENARIO) -> list[str]:
    """Policies by their mean effect on turnover in the last year, largest first.

    Turnover is on the headline count. Events follow in the order given: they have no rank.
    """
    where = {"count": comparison.count, "year": comparison.last}
    means = {name: float(comparison.change("turnover", name, case, **where).mean())
             for name in comparison.policies}
    return [*sorted(means, key=lambda name: -means[name]), *comparison.events]


def probability(comparison: Comparison, name: str, case: str, count: str) -> Array:
    """Share of draws in which turnover reaches the target, by year."""
    reached = comparison.levels("turnover", name, case, count=count) >= comparison.target
    return np.asarray(reached.mean(axis=0))


def first_year(comparison: Comparison, name: str, case: str) -> Array:
    """First year in which each draw's turnover reaches the target; NaN where it never does.

    Turnover is on the count on which the target was stated (`summary.first_reached`).
    """
    reached = comparison.levels("turnover", name, case,
                                count=comparison.target_count) >= comparison.target
    return first_reached(reached.T, comparison.years)


def members(comparison: Comparison) -> list[str]:
    """Give both members of the pair: the markets."""
    return [str(code) for code in comparison.first["importer"].to_numpy()]


def gains(comparison: Comparison, name: str, importer: str, case: str,
          year: int) -> dict[str, Array]:
    """Change for each party in one market, USD by draw.

    Suppliers by code (their sales; the importer's own code is that of home producers' sales), then
    the accounts of surplus and revenue by variable name.
    """
    where = {"importer": importer, "year": year}
    sales = comparison.change("imports", name, case, **where)
    codes = [str(code) for code in comparison.first["exporter"].to_numpy()]
    return dict(zip(codes, sales.T, strict=True)) | {
        variable: comparison.change(variable, name, case, **where) for variable in ACCOUNTS}


def outcome(comparison: Comparison, name: str, criterion: str, case: str) -> Array:
    """Give what one of `CRITERIA` judges a scenario by, by draw, USD.

    Turnover is that of the last year. Welfare is the present value of all years: sales adjust more
    slowly than prices, so that a single year would show one of them without the other.
    """
    last = {"year": comparison.last}
    if criterion == "turnover":
        return comparison.levels("turnover", name, case, count=comparison.count, **last)
    return np.asarray(comparison.levels("welfare_present_value", name, case, **last).sum(axis=1))


@dataclass(frozen=True)
class Regret:
    """How much is missed in each draw by not having chosen that draw's best scenario."""

    names: tuple[str, ...]  # the baseline first: to do nothing is a choice too
    loss: Array  # USD by scenario and draw; zero for the best
    best: Array  # share of the first place by scenario and draw; ties (`TIE`) share it equally

    @property
    def mean(self) -> Array:
        """Mean regret by scenario."""
        return np.asarray(self.loss.mean(axis=1))

    @property
    def high(self) -> Array:
        """95th percentile of regret by scenario."""
        return np.asarray(np.quantile(self.loss, 0.95, axis=1))

    @property
    def worst(self) -> Array:
        """Largest regret by scenario."""
        return np.asarray(self.loss.max(axis=1))

    @property
    def chance(self) -> Array:
        """Probability of being best by scenario; sums to one."""
        return np.asarray(self.best.mean(axis=1))

    @property
    def tied(self) -> float:
        """Share of draws in which all scenarios tie: nothing makes a difference."""
        return float(np.all(self.best > 0.0, axis=0).mean())


def regret(comparison: Comparison, criterion: str = "turnover",
           case: str = SCENARIO) -> Regret:
    """Compare each scenario with the best one, draw by draw, by one of `CRITERIA`."""
    names = (comparison.baseline, *comparison.policies)
    values = np.stack([outcome(comparison, name, criterion, case) for name in names])
    loss = values.max(axis=0) - values
    first = (loss <= TIE).astype(float)
    return Regret(names, loss, first / first.sum(axis=0))
