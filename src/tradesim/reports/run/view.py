"""The results of a run as figures and report read them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair, Target
from tradesim.reference.gravity import by_count
from tradesim.reports.claims import APPRAISAL, CHANCE, OF_CHANGE, Cell
from tradesim.reports.language import titled
from tradesim.reports.wording import words
from tradesim.simulation.summary import ALL, COLUMN, milestones, present_values

if TYPE_CHECKING:
    from tradesim.inputs.history import History

NOT_EATEN = "24"
"""First chapter of the Harmonised System beyond food, drink and feed."""


@dataclass(frozen=True)
class ResultsView:
    """Results of a run with the reported trade of the sample, the fitted draws, and names.

    `posterior` holds ``latent`` (draw, year, importer) and ``bias`` (draw, importer).
    """

    dataset: xr.Dataset
    pair: Pair
    history: History
    posterior: xr.Dataset

    @property
    def run_id(self) -> str:
        """Identity of the run."""
        return str(self.dataset.attrs["run_id"])

    @property
    def target(self) -> float:
        """Turnover aimed at, USD million."""
        return float(self.dataset.attrs["target_value"]) / MILLION

    @property
    def goal(self) -> Target:
        """The target with its title and what there is to know about it."""
        return self.pair.goal(float(self.dataset.attrs["target_value"]))

    @cached_property
    def scenario(self) -> dict[str, Any]:
        """The resolved scenario: levers, parameters, question and the rest."""
        scenario: dict[str, Any] = json.loads(self.dataset.attrs["scenario"])
        return titled(scenario)

    @property
    def groups(self) -> list[str]:
        """Product groups."""
        return [str(group) for group in self.dataset["group"].values]

    @property
    def exporters(self) -> list[str]:
        """Suppliers, home producers among them."""
        return [str(code) for code in self.dataset["exporter"].values]

    @property
    def count(self) -> str:
        """Name of the headline count."""
        return str(self.dataset.attrs["count"])

    @property
    def counts(self) -> list[str]:
        """Counts to show, the headline count first; one that ended earlier served the fit only."""
        return [self.count, *(name for name in self.pair.counts if name != self.count
                              and np.isfinite(self.reported(name)[-1]).all())]

    @cached_property
    def years(self) -> list[int]:
        """Years of the projection."""
        return [int(year) for year in self.dataset["year"].values]

    @property
    def last(self) -> int:
        """Last year of the projection."""
        return self.years[-1]

    @property
    def milestones(self) -> list[int]:
        """Years to report: every fifth after the first, and the last."""
        return milestones(self.dataset)

    @property
    def draw_count(self) -> int:
        """Number of draws."""
        return int(self.dataset.sizes["draw"])

    @property
    def point(self) -> bool:
        """Whether there is one draw: no ranges and no probability."""
        return self.draw_count == 1

    @property
    def policy(self) -> str:
        """Case that stands for the scenario where there is room for one: none fails by chance."""
        return "if_implemented" if self.point else "scenario"

    @property
    def cases(self) -> list[str]:
        """Cases to tell apart; the reference alone where nothing changes."""
        return ["reference", *(["scenario", "if_implemented"] if self.changes else [])]

    @cached_property
    def changes(self) -> bool:
        """Whether the scenario changes anything at all."""
        if "if_implemented" not in self.dataset["case"].values:
            return False
        return bool(np.any(self.change("turnover", "if_implemented", count=self.count)))

    def draws(self, name: str, case: str, **where: Any) -> Array:
        """Values of a variable in USD million, draws first."""
        # Plain indexing: hundreds of small selections by label would take a second.
        array, chosen = self.dataset[name].variable, {"case": case, **where}
        free = [dim for dim in array.dims if dim not in chosen]
        values = array.values[tuple(self._indices[dim][chosen[dim]] if dim in chosen
                                    else slice(None) for dim in array.dims)]
        return np.moveaxis(values, free.index("draw"), 0).astype(float) / MILLION

    def values(self, cell: Cell) -> Array:
        """Values by draw of a number of the summary, in its own unit.

        A change of the probability of the target, which the summary leaves to its readers, is one.
        """
        if cell.variable == APPRAISAL:
            return present_values(self.dataset, OF_CHANGE[cell.case])[cell.group]
        if cell.case in OF_CHANGE:
            after, before = (self.values(replace(cell, case=case))
                             for case in (OF_CHANGE[cell.case], "reference"))
            return after - before
        if cell.variable == CHANCE:
            where = {"count": cell.count, "year": cell.year}
            return (self.draws("turnover", cell.case, **where) >= self.target).astype(float)
        where = {"year": cell.year} | {
            str(dim): getattr(cell, COLUMN.get(str(dim), str(dim)))
            for dim in self.dataset[cell.variable].dims if dim not in ("case", "year", "draw")}
        drawn = self.draws(cell.variable, cell.case, **{
            dim: label for dim, label in where.items() if label != ALL})
        return np.asarray(MILLION * drawn.reshape(self.draw_count, -1).sum(axis=-1))

    def value(self, cell: Cell) -> float:
        """Give one number of the summary."""
        drawn = self.values(cell)
        if cell.statistic == "mean":
            return float(drawn.mean())
        return float(np.percentile(drawn, float(cell.statistic[1:])))

    def followed(self, *, food: bool = False) -> list[tuple[str, str]]:
        """Countries and products whose output at home is known: all, or what is eaten or drunk."""
        pairs = [(importer, name) for name, importers in
                 json.loads(self.dataset.attrs["products"]).items() for importer in importers]
        return [(importer, name) for importer, name in pairs if not food or all(
            code[:2] < NOT_EATEN for code in self._codes(name))]

    def _codes(self, product: str) -> tuple[str, ...]:
        return self.pair.products[product].codes if product in self.pair.products else ()

    @property
    def shocks(self) -> list[str]:
        """Levers of the scenario that are shocks: they happen, nobody implements them."""
        return list(json.loads(self.dataset.attrs.get("shocks", "[]")))

    @property
    def nature(self) -> str:
        """What the scenario is: ``policy``, ``shock``, or ``mixed`` of both."""
        shocks = len(self.shocks)
        return ("policy" if not shocks else
                "shock" if shocks == len(self.scenario["levers"]) else "mixed")

    @property
    def case_words(self) -> str:
        """How the case without failures is called: if implemented, or of a shock if it happens."""
        return str(words("pictures")["cases"][self.nature])

    @cached_property
    def risky(self) -> bool:
        """Whether a measure may fail, so that the two cases of the scenario differ."""
        return self.changes and not all(np.array_equal(
            self.draws(name, "scenario"), self.draws(name, "if_implemented"))
            for name in ("turnover", "welfare"))

    @cached_property
    def moment(self) -> int:
        """Year that brief and annex are about: the last, or that in which a shock costs most.

        What counts is the loss of buyers, or turnover where a closure leaves buyers out.
        """
        if self.nature != "shock" or not self.changes:
            return self.last
        name, where = (("consumer_surplus", {}) if "consumer_surplus" in self.dataset
                       else ("turnover", {"count": self.count}))
        lost = np.abs(self.change(name, "if_implemented", **where).mean(axis=0))
        return self.years[int(np.argmax(lost.reshape(len(self.years), -1).max(axis=-1)))]

    @cached_property
    def _indices(self) -> dict[Any, dict[Any, int]]:
        return {dim: {label: index for index, label in enumerate(self.dataset[dim].values.tolist())}
                for dim in self.dataset.dims if dim in self.dataset.coords}

    def last_turnover(self, case: str, count: str = "") -> Array:
        """Turnover of the last year by draw, on the headline count or another, USD million."""
        return self.draws("turnover", case, count=count or self.count, year=self.last)

    def flow(self, importer: str) -> dict[str, str]:
        """Names of the seller and the market of one direction of the pair's trade."""
        return {"exporter": self.pair.name(self.pair.partner(importer)),
                "importer": self.pair.name(importer)}

    def supplier(self, code: str, importer: str) -> str:
        """Name of a supplier of a market."""
        return str(words()["home_sales"]) if code == importer else self.pair.name(code)

    def change(self, name: str, case: str, **where: Any) -> Array:
        """Change of a variable against the reference of the same draw, USD million."""
        return self.draws(name, case, **where) - self.draws(name, "reference", **where)

    def reported(self, count: str) -> Array:
        """Trade as reported (year, importer) on a count, USD million."""
        reporter = self.history.reporters.index(self.pair.counts[count].reporter)
        return np.asarray(np.exp(self.history.log_value[:, :, reporter])) / MILLION

    def fitted(self, count: str) -> Array:
        """Fitted trade (draw, year, importer) on a count, USD million."""
        latent = self.posterior["latent"].transpose("draw", "year", "importer").values
        bias = by_count(self.posterior["bias"].transpose("draw", "importer").values)
        place = list(self.pair.counts).index(count)
        return np.asarray(np.exp(latent + bias[:, None, :, place])) / MILLION
