"""For notebooks: `import tradesim as ts`, then `ts.run("base")`."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from tradesim.common.files import calibration_folder
from tradesim.inputs import scenario
from tradesim.inputs.levers import Lever, read_levers
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.reports import terminal
from tradesim.reports.export.iamc import to_iamc
from tradesim.simulation import model, results, summary
from tradesim.simulation.manifest import made_with
from tradesim.simulation.results import load
from tradesim.studies.compare import Comparison, compare
from tradesim.studies.decompose import decompose
from tradesim.studies.goal import goal

__all__ = ["Comparison", "Headline", "compare", "decompose", "goal", "headline", "levers",
           "load", "report", "run", "save", "scenarios", "to_iamc"]


def run(path: str | Path, *, draws: int | None = None, seed: int | None = None,
        count: str | None = None, calibration: str | Path | None = None,
        progress: Callable[[int, int], None] | None = None, **settings: Any) -> xr.Dataset:
    """Run a scenario.

    Parameters
    ----------
    path
        The name of a shipped scenario, or a scenario file.
    draws, seed, count, calibration, progress
        As for `model.run`.
    **settings
        Values over the file's: ``lever={"start": 2030}``, ``lever=None`` to drop a lever,
        ``horizon=2030``, ``**{"adjustment.speed": 0.35}``.

    Returns
    -------
    xarray.Dataset
        The results, with units in the attributes of each variable.
    """
    folder = None if calibration is None else Path(calibration)
    return model.run(path, calibration=folder, overrides=list(_overrides(settings)), draws=draws,
                     seed=seed, count=count, progress=progress)


def _overrides(settings: Mapping[str, Any]) -> Iterator[str]:
    for key, value in settings.items():
        if isinstance(value, Mapping) and value:
            yield from (f"{key}.{name}={_written(one)}" for name, one in value.items())
        else:
            yield f"{key}={_written(value)}"


def _written(value: Any) -> str:
    return "null" if value is None else "{}" if value == {} else str(value)


def levers(calibration: str | Path | None = None) -> dict[str, Lever]:
    """All levers by name."""
    return read_levers(_folder(calibration))


def scenarios() -> list[str]:
    """Names of the shipped scenarios."""
    return scenario.shipped()


def save(dataset: xr.Dataset, folder: str | Path) -> Path:
    """Save results in a folder, which is made where it is missing."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    results.save(dataset, target)
    return target


def report(folder: str | Path, *formats: str, language: str = "en") -> list[Path]:
    """Write the report of saved results: ``html`` (the default), ``pdf``, ``docx``.

    `language` is one that reports know, by its ISO 639-1 code: ``en``, ``ru``, ``mn``, ``kk``.
    """
    from tradesim.reports.run.page import rebuild

    return rebuild(Path(folder), formats=formats or ("html",), language=language)


@dataclass(frozen=True)
class Headline:
    """The first numbers of a run, readable as they are.

    Attributes
    ----------
    title
        Title of the scenario.
    numbers
        What `summary.json` holds.
    pair
        Names of counts.
    """

    title: str
    numbers: dict[str, Any]
    pair: Pair

    def __repr__(self) -> str:
        return f"{self.title}\n\n{terminal.outcome(self.numbers, self.pair)}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"

    def __getitem__(self, key: str) -> Any:
        """One part of the numbers."""
        return self.numbers[key]


def headline(dataset: xr.Dataset) -> Headline:
    """Give the first numbers of a run: turnover, its change, the chance of the target."""
    return Headline(str(dataset.attrs["title"]), summary.headline(dataset),
                    read_pair(made_with(dataset.attrs, PAIR_FILE)))


def _folder(calibration: str | Path | None) -> Path:
    folder = None if calibration is None else Path(calibration)
    return folder if folder is not None and folder.is_dir() else calibration_folder()
