"""For notebooks: `import tradesim as ts`, then `ts.run("base")`."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import calibration_folder
from tradesim.common.listed import Listed
from tradesim.common.output import RUN_OUTPUTS, refuse_strangers, whole
from tradesim.inputs import scenario
from tradesim.inputs.levers import Lever, read_levers
from tradesim.inputs.pair import PAIR_FILE, Pair, read_pair
from tradesim.inputs.scenario import overrides_of
from tradesim.reports import terminal
from tradesim.reports.export.iamc import to_iamc
from tradesim.simulation import model, results, summary
from tradesim.simulation.arguments import checked
from tradesim.simulation.draws import SCENARIO
from tradesim.simulation.manifest import MANIFEST, made_with
from tradesim.simulation.prepared_model import PreparedModel, prepare_model
from tradesim.simulation.whole import whole_results
from tradesim.studies import compare as comparing
from tradesim.studies import decompose as decomposing
from tradesim.studies import goal as seeking
from tradesim.studies.compare import Comparison
from tradesim.studies.goal_answer import Goal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Comparison", "Goal", "Headline", "PreparedModel", "compare", "decompose", "figure",
           "goal", "headline", "levers", "load", "prepare", "report", "run", "save", "scenarios",
           "to_iamc"]


@checked
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
        ``horizon=2030``, ``**{"adjustment.speed": 0.35}``. The same in `compare`, `decompose`
        and `goal`.

    Returns
    -------
    xarray.Dataset
        The results, with units in the attributes of each variable.
    """
    return model.run(path, calibration=_given(calibration), overrides=overrides_of(settings),
                     draws=draws, seed=seed, count=count, progress=progress)


Run = xr.Dataset | str | Path
"""Something that can be compared: results, a folder of results, or a scenario to run."""


@checked
def compare(*runs: Run | Sequence[Run], baseline: str | None = None, align: bool = False,
            draws: int | None = None, seed: int | None = None, count: str | None = None,
            calibration: str | Path | None = None, **settings: Any) -> Comparison:
    """Set scenarios side by side on the same draws.

    Parameters
    ----------
    *runs
        Results, folders of results, and names or files of scenarios, which are run; one by one
        or as a list. The first is the baseline unless `baseline` names another.
    baseline, align
        As for `studies.compare.compare`.
    draws, seed, count, calibration, **settings
        As for `run`, for the scenarios that are run here.

    Raises
    ------
    InputError
        When there is nothing to compare, or runs differ in draws, seed, horizon, count or
        calibration.
    """
    several = [one for item in runs
               for one in ([item] if isinstance(item, xr.Dataset | str | Path) else item)]
    if not several:
        raise InputError([Problem("compare", "runs", "nothing was given to compare",
                                  'name scenarios: ts.compare("base", "eaeu_fta")')])
    asked = {"draws": draws, "seed": seed, "count": count, "calibration": calibration}
    if all(_is_there(one) for one in several):
        given = [name for name, value in asked.items() if value is not None]
        if ignored := [*given, *settings]:
            raise InputError([Problem("compare", name, "is for scenarios that are run here, and "
                                      "nothing is run", "leave it out") for name in ignored])
    return comparing.compare(*(_results_of(one, **asked, **settings) for one in several),
                             baseline=baseline, align=align)


def _is_there(one: Run) -> bool:
    """Whether results need no run."""
    return isinstance(one, xr.Dataset) or (Path(one) / MANIFEST).is_file()


def _results_of(one: Run, **asked: Any) -> xr.Dataset:
    if isinstance(one, xr.Dataset):
        return one
    return load(one) if _is_there(one) else run(one, **asked)


@checked
def decompose(path: str | Path, *, draws: int | None = None, seed: int | None = None,
              count: str | None = None, calibration: str | Path | None = None,
              years: int | Sequence[int] = (), method: str = "exact",
              permutations: int = decomposing.PERMUTATIONS,
              progress: Callable[[int, int], None] | None = None, **settings: Any) -> xr.Dataset:
    """Share the effect of a scenario out among its levers, by `studies.decompose.decompose`.

    `path`, `draws`, `seed`, `count`, `calibration` and settings are those of `run`.
    """
    return decomposing.decompose(path, calibration=_given(calibration),
                                 overrides=overrides_of(settings), draws=draws, seed=seed,
                                 count=count, years=[years] if isinstance(years, int) else years,
                                 method=method,
                                 permutations=permutations, progress=progress)


@checked
def goal(path: str | Path, *, target: float | None = None, year: int | None = None,
         probability: float = 0.5, vary: str | Sequence[str] = (), case: str = SCENARIO,
         draws: int | None = None, seed: int | None = None, count: str | None = None,
         calibration: str | Path | None = None,
         progress: Callable[[int, int], None] | None = None, **settings: Any) -> Goal:
    """Say what it would take to reach a target, by `studies.goal.goal`; `target` is in USD.

    `path`, `draws`, `seed`, `count`, `calibration` and settings are those of `run`.
    """
    return seeking.goal(path, target=target, year=year, probability=probability,
                        vary=[vary] if isinstance(vary, str) else vary, case=case,
                        calibration=_given(calibration),
                        overrides=overrides_of(settings), draws=draws, seed=seed, count=count,
                        progress=progress)


@checked
def prepare(path: str | Path, *, draws: int | None = None, seed: int | None = None,
            calibration: str | Path | None = None, **settings: Any) -> PreparedModel:
    """Make a scenario ready for many questions: only what each of them moves is computed.

    ``ts.prepare("eaeu_fta").run({"eaeu_fta.start": 2031})`` has the turnover that
    ``ts.run("eaeu_fta", eaeu_fta={"start": 2031})`` has, to the last digit.

    `path`, `draws`, `seed`, `calibration` and settings are those of `run`.
    """
    return prepare_model(path, calibration=calibration, draws=draws, seed=seed, settings=settings)


@checked
def figure(result: xr.Dataset | Comparison, name: str = "fan") -> Figure:
    """Draw one figure of the report of a run, or of a comparison.

    Parameters
    ----------
    result
        Results of `run` or `load`, or a `Comparison`.
    name
        Name of the figure: ``fan``, ``effect``, ... A name that does not exist is refused with
        those that do.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InputError
        When there is no figure of this name for this result.
    """
    from tradesim.reports.drawing import figures_of

    drawn = figures_of(result)
    if name not in drawn:
        raise InputError([Problem("figure", name, f"unknown figure; known: {', '.join(drawn)}",
                                  nearest(name, drawn))])
    if (made := drawn[name]()) is None:
        raise InputError([Problem("figure", name, "the results hold too little for this figure")])
    return made


def _given(calibration: str | Path | None) -> Path | None:
    return None if calibration is None else Path(calibration)


@checked
def levers(calibration: str | Path | None = None) -> dict[str, Lever]:
    """All levers by name."""
    return read_levers(_given(calibration) or calibration_folder())


def scenarios() -> list[str]:
    """Names of the shipped scenarios."""
    return scenario.shipped()


@checked
def save(dataset: xr.Dataset, folder: str | Path, *, keep_draws: bool = False) -> Path:
    """Save results in a folder, whole or not at all.

    An earlier run in it is replaced, its reports included; `report` makes them again.

    `keep_draws` keeps the draws of every variable, not only of turnover, welfare and border
    revenue.

    Raises
    ------
    InputError
        When the folder holds other files, is the one that the program is in, or cannot be
        written.
    """
    target = Path(folder)
    refuse_strangers(target, RUN_OUTPUTS, "folder", "name a new folder")
    with whole(target, option="folder") as work:
        results.save(dataset, work, every=keep_draws)
    return target


@checked
def load(folder: str | Path, progress: Callable[[int, int], None] | None = None) -> xr.Dataset:
    """Give the results of a folder: draws that it does not keep are computed again.

    That takes as long as the run, and needs the calibration that made it.
    """
    return whole_results(Path(folder), progress=progress)


@checked
def report(folder: str | Path, *formats: str, language: str = "en") -> list[Path]:
    """Write the report of saved results: ``html`` (the default), ``brief``, ``pdf``, ``docx``.

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
        heading, rows, notes = terminal.parts(self.numbers, self.pair)
        cells = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
                        + "</tr>" for row in rows)
        said = "<br>".join(html.escape(note) for note in notes if note)
        return (f"<p><b>{html.escape(self.title)}</b><br>{html.escape(heading)}</p>"
                f"<table>{cells}</table><p>{said}</p>")

    def __getitem__(self, key: str) -> Any:
        """One part of the numbers."""
        return self.numbers[key]


@checked
def headline(dataset: xr.Dataset) -> Headline:
    """Give the first numbers of a run: turnover, its change, the chance of the target."""
    return Headline(str(dataset.attrs["title"]), Listed(summary.headline(dataset)),
                    read_pair(made_with(dataset.attrs, PAIR_FILE)))
