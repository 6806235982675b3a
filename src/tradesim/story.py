"""What a run found, in the form in which figures and report ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tradesim.dims import Array
from tradesim.pair import Pair

if TYPE_CHECKING:
    from tradesim.history import History

MILLION = 1e6


@dataclass(frozen=True)
class Story:
    """What a run found, with the past it starts from and the names to call things by.

    Parameters
    ----------
    dataset
        Results of a run.
    pair
        Names and orders.
    history
        Reported trade of the sample.
    posterior
        Fitted draws: ``latent`` (draw, year, importer) and ``bias`` (draw, importer).
    """

    dataset: xr.Dataset
    pair: Pair
    history: History
    posterior: xr.Dataset

    @property
    def count(self) -> str:
        """Name of the headline count."""
        return str(self.dataset.attrs["count"])

    @property
    def counts(self) -> list[str]:
        """All counts, the headline count first."""
        return [self.count, *(name for name in self.pair.counts if name != self.count)]

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
        return sorted({*(year for year in self.years[1:] if year % 5 == 0), self.last})

    @property
    def draw_count(self) -> int:
        """Number of draws."""
        return int(self.dataset.sizes["draw"])

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
        values = array.values[tuple(self._places[dim][chosen[dim]] if dim in chosen
                                    else slice(None) for dim in array.dims)]
        return np.moveaxis(values, free.index("draw"), 0).astype(float) / MILLION

    @cached_property
    def _places(self) -> dict[Any, dict[Any, int]]:
        return {dim: {label: place for place, label in enumerate(self.dataset[dim].values.tolist())}
                for dim in self.dataset.dims if dim in self.dataset.coords}

    def change(self, name: str, case: str, **where: Any) -> Array:
        """Change of a variable against the reference of the same draw, USD million."""
        return self.draws(name, case, **where) - self.draws(name, "reference", **where)

    def reported(self, count: str) -> Array:
        """Trade as reported (year, importer) on a count, USD million."""
        place = self.history.reporters.index(self.pair.counts[count].reporter)
        return np.asarray(np.exp(self.history.log_value[:, :, place])) / MILLION

    def fitted(self, count: str) -> Array:
        """Fitted trade (draw, year, importer) on a count, USD million."""
        latent = self.posterior["latent"].transpose("draw", "year", "importer").values
        if count != self.pair.reference_count:
            latent = latent + self.posterior["bias"].transpose("draw", "importer").values[:, None]
        return np.asarray(np.exp(latent)) / MILLION
