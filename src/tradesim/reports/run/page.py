"""The report of a run: one HTML page that needs no network, and its figures as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from tradesim.common.output import copy_into, whole
from tradesim.inputs.base_year_tables import read_cells
from tradesim.inputs.history import History, read_history
from tradesim.inputs.levers import Lever, read_levers
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import Parameter, read_parameters
from tradesim.inputs.posterior import MANIFEST as POSTERIOR
from tradesim.inputs.posterior import read_manifest as read_fit
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.scenario import Scenario
from tradesim.inputs.scenario_text import Difference, differences
from tradesim.reference.outside_view import OutsideView
from tradesim.reports.export.document import write, writers
from tradesim.reports.figure_style import Draw
from tradesim.reports.html_page import AMOUNTS, PAGE, RANGES, colophon, render, write_figures
from tradesim.reports.language import ENGLISH, speak, titled
from tradesim.reports.run.accounts import accounts, causes
from tradesim.reports.run.brief import brief
from tradesim.reports.run.charts import charts
from tradesim.reports.run.drivers import Ranking, assumptions, rankings, table
from tradesim.reports.run.facts import facts, sides, tables
from tradesim.reports.run.figures import figures
from tradesim.reports.run.growth import gdp_figure, gdp_table, reported_table
from tradesim.reports.run.outside import outside_facts, outside_figure, tables_of
from tradesim.reports.run.parameters import Sources, parameters, settings
from tradesim.reports.run.picture import Picture
from tradesim.reports.run.reliability import reliability
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import words
from tradesim.simulation.manifest import made_with, read_manifest, seal
from tradesim.simulation.whole import whole_results

SECTIONS = ("numbers", "growth", "flows", "revenue", "dependence", "limits")
"""Parts of the annex that every report has and the brief links to."""

ANNEXED = ("fan", "effect", "groups")
"""Figures of the annex; the others of `figures` are for notebooks."""


@dataclass(frozen=True)
class Calibration:
    """What a report needs of a calibration folder, read once."""

    folder: Path
    pair: Pair
    history: History
    parameters: dict[str, Parameter]
    levers: dict[str, Lever]
    posterior: xr.Dataset

    @classmethod
    def read(cls, folder: Path) -> Calibration:
        """Read a calibration folder, its titles in the language in use."""
        return cls(folder, titled(read_pair(folder)), read_history(folder),
                   titled(read_parameters(folder)), titled(read_levers(folder)),
                   read_posterior(folder))


def report(folder: Path, calibration: Path | None = None, out: Path | None = None, *,
           dataset: xr.Dataset | None = None) -> Path:
    """Write figures and `report.html` of a run into its folder, or into another.

    Parameters
    ----------
    folder
        What a run wrote: ``results.nc`` and ``manifest.json``.
    calibration
        Calibration folder; by default that of the run, which must be as it was.
    out
        Folder to write into; that of the run by default.
    dataset
        Results of the run with every draw, where they are at hand.

    Raises
    ------
    InputError
        When the calibration cannot be read, or is not what the run used.
    """
    dataset = whole_results(folder, calibration) if dataset is None else dataset
    known = Calibration.read(calibration or made_with(dataset.attrs))
    view = ResultsView(dataset, known.pair, known.history, known.posterior)
    target = folder if out is None else out
    trust, ranked = reliability(view, known.folder), rankings(view)
    others = tables_of(view, known.folder)
    outside = outside_facts(view, others)
    said = brief(view, [known.levers[name] for name in view.scenario["levers"]], trust, outside)
    shown = Picture.of(view, said, known.folder)
    drawn = write_figures(shown.drawn | annexed(view, ranked, others), target, view.run_id)
    manifest = read_manifest(folder).model_dump()
    page = target / PAGE
    page.write_text(_page(view, known, said, shown, drawn, manifest, trust, ranked, outside),
                    encoding="utf-8")
    return page


def rebuild(folder: Path, calibration: Path | None = None,
            formats: Sequence[str] = ("html",), language: str = ENGLISH,
            progress: Callable[[int, int], None] | None = None) -> list[Path]:
    """Write the report of results again, all or nothing, and give the files.

    Parameters
    ----------
    folder, calibration
        As for `report`.
    formats
        Some of ``html``, ``pdf``, ``docx`` and ``brief`` (the first page as PDF and for Word).
    language
        One of `LANGUAGES`.
    progress
        As for `whole_results`.

    Raises
    ------
    InputError
        When the folder holds no results, those of another version, or a package is missing.
    """
    writers(formats)
    dataset = whole_results(folder, calibration, progress)
    source = calibration or made_with(dataset.attrs)
    with speak(language, source), whole(folder, option="") as work:
        copy_into(folder, work)
        written = write(report(work, source, dataset=dataset), formats)
        seal(work)
    return [folder / path.name for path in ([work / PAGE] if "html" in formats else []) + written]


def annexed(view: ResultsView, ranked: Sequence[Ranking],
            others: OutsideView | None) -> dict[str, Draw]:
    """Give what draws each figure of the annex for which there are changes and draws."""
    every = figures(view)
    drawn = {name: every[name] for name in ANNEXED if name in every}
    drawn["gdp"] = lambda: gdp_figure(view)
    if view.changes:
        drawn["causes"] = lambda: causes(view)
    if others is not None:
        drawn["outside"] = lambda: outside_figure(view, others)
    return drawn | {"assumptions": lambda: assumptions(view, list(ranked))}


def _page(view: ResultsView, known: Calibration, said: Mapping[str, Any], shown: Picture,
          drawn: dict[str, str], manifest: Mapping[str, Any], trust: Mapping[str, Any],
          ranked: Sequence[Ranking], outside: dict[str, Any] | None) -> str:
    scenario = view.scenario
    chosen = [known.levers[name] for name in scenario["levers"]]
    sources = Sources()
    changed = settings(_differences(view, known), sources, view.pair)
    rows = parameters(known.parameters.values(), view.posterior, scenario["parameters"], sources)
    given = facts(view, chosen, outside)
    kept = accounts(view, priced=all(
        {"capital_cost", "yearly_cost"} & {*lever.settings} for lever in chosen))
    return render(
        "report.html.j2", words()["run"].format(run_id=view.run_id), AMOUNTS + RANGES,
        pair=view.pair, scenario=scenario,
        b={**said, "idle": given.get("idle") if chosen or scenario["parameters"] else None},
        made=colophon(manifest["created"], manifest["versions"]["tradesim"], manifest["command"],
                      view.history.years[-1]),
        picture=shown.on_page(drawn.pop(shown.name)) if shown.name in drawn else None,
        charts=charts(view), figures=drawn, sections=_sections(kept, view),
        f=given, gdp=gdp_table(view, known.folder), accounts=kept, tables=tables(view),
        reported=None if view.point else reported_table(view), sides=sides(view),
        reliability=trust, rankings=[table(view, one) for one in ranked],
        switch=words()["changed"], changed=changed,
        levers=[{"title": lever.title, "state": lever.state} for lever in chosen],
        parameters=rows, sources=sources.listed, references=_references(view, chosen),
        manifest=manifest, quality=_quality(known.folder), run_id=view.run_id,
        seed=view.dataset.attrs["seed"])


def _sections(kept: Mapping[str, Any], view: ResultsView) -> set[str]:
    """Parts of the annex that this run has, for the links of the brief."""
    present = {"gains": kept["gains"], "benefit": kept["benefit"], "services": kept["services"],
               "food": kept["food"], "products": kept["products"], "trust": not view.point}
    return {*SECTIONS, *(name for name, there in present.items() if there)}


def _differences(view: ResultsView, known: Calibration) -> list[Difference]:
    """List what the scenario changes in the inputs: parameters, levers, cells of tables."""
    inputs = known.parameters
    if not set(view.scenario["parameters"]) <= set(inputs):
        inputs = inputs | read_cells(known.folder)
    return differences(known.folder, inputs, known.levers,
                       Scenario.model_validate(view.scenario))


def _quality(calibration: Path) -> dict[str, str] | None:
    """Worst diagnostics of the calibration, where its manifest is at hand."""
    path = calibration / POSTERIOR
    if not path.is_file():
        return None
    fitted = read_fit(calibration).parameters.values()
    return {"rhat": f"{max(row.rhat for row in fitted):.3f}",
            "ess": f"{min(row.ess for row in fitted):.0f}"}


def _references(view: ResultsView, levers: Iterable[Lever]) -> list[dict[str, str]]:
    pairs = [(item["title"], item.get("url") or "") for item in view.scenario["references"]]
    pairs += [(source.title, source.url) for lever in levers for source in lever.sources]
    pairs += [(source.title, source.url) for source in view.pair.target.sources]
    pairs += [(f"{count.title}: {count.source}", "") for count in view.pair.counts.values()
              if count.source]
    first = dict(reversed(pairs))
    return [{"title": title, "url": first[title]} for title in dict.fromkeys(title for title, _ in
                                                                             pairs)]
