"""What a run found, in the form in which figures and report ask for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair

if TYPE_CHECKING:
    from tradesim.inputs.history import History

# A draw that changes by less than this (USD million) is one without an effect.
NOTHING = 1e-6


@dataclass(frozen=True)
class Change:
    """Average change over draws, with its 80 % range and the share of draws without any.

    Attributes
    ----------
    mean, low, high
        Mean, and ends of the 80 % range over all draws, USD million.
    nothing
        Share of draws without an effect.
    inner
        Ends of the 80 % range over the draws that have one.
    """

    mean: float
    low: float
    high: float
    nothing: float
    inner: tuple[float, float]

    @classmethod
    def of(cls, values: Array) -> Change:
        """Sum up one value per draw."""
        some = values[np.abs(values) >= NOTHING]
        low, high = (float(end) for end in np.quantile(values, [0.1, 0.9]))
        inner = np.quantile(some, [0.1, 0.9]) if some.size else (0.0, 0.0)
        return cls(float(values.mean()), low, high, 1 - some.size / values.size,
                   (float(inner[0]), float(inner[1])))

    @property
    def single(self) -> bool:
        """Whether all draws have the same change."""
        return self.high - self.low < NOTHING and abs(self.mean - self.low) < NOTHING

    @property
    def partial(self) -> bool:
        """Whether an end of the range is zero because some draws have no effect."""
        ends = min(abs(self.low), abs(self.high))
        return not self.single and self.nothing > 0 and ends < NOTHING

    @property
    def straddles(self) -> bool:
        """Whether the range holds rises and falls."""
        return self.low <= -NOTHING and self.high >= NOTHING

    @property
    def outside(self) -> bool:
        """Whether a few large outcomes put the mean outside the range."""
        return not self.low - NOTHING <= self.mean <= self.high + NOTHING



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
