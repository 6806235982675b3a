"""The report of a run: one HTML page that needs no network, and its figures as files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.common.output import copy_into, whole
from tradesim.inputs.baseline import read_cells
from tradesim.inputs.history import History, read_history
from tradesim.inputs.levers import Choice, Lever, read_levers
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import Parameter, quantile, read_parameters
from tradesim.inputs.posterior import MANIFEST as POSTERIOR
from tradesim.inputs.posterior import PARAMETERS, PREFIX, read_posterior
from tradesim.inputs.scenario import Scenario
from tradesim.inputs.scenario_text import Difference, differences
from tradesim.inputs.strict_yaml import load as load_yaml
from tradesim.reports.export.document import write, writer
from tradesim.reports.html_page import AMOUNTS, PAGE, RANGES, render, write_figures
from tradesim.reports.language import ENGLISH, speak, titled
from tradesim.reports.run.accounts import accounts, causes
from tradesim.reports.run.drivers import Ranking, assumptions, rankings, sentence, table
from tradesim.reports.run.facts import facts, sides, tables
from tradesim.reports.run.figures import figures
from tradesim.reports.run.growth import gdp_figure, gdp_table, reported_table
from tradesim.reports.run.outside import outside_facts, outside_figure, tables_of
from tradesim.reports.run.reliability import EVIDENCE, evidence, reliability
from tradesim.reports.run.route_map import route_map
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import plain, words
from tradesim.simulation.manifest import made_with, read_manifest, seal
from tradesim.simulation.results import load

OUTSIDE = "outside"
MAIN = ("fan", "gdp", "effect", "map", "groups", "gains", "causes", "assumptions")
MAIN_REFERENCE = ("fan", "gdp", "map", "probability", "directions", "assumptions")
"""Figures of the body, in the order in which a decision needs them; the others follow below."""


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


def report(folder: Path, calibration: Path | None = None, out: Path | None = None) -> Path:
    """Write figures and `report.html` of a run into its folder, or into another.

    Parameters
    ----------
    folder
        What a run wrote: ``results.nc`` and ``manifest.json``.
    calibration
        Calibration folder; by default that of the run, which must be as it was.
    out
        Folder to write into; that of the run by default.

    Raises
    ------
    InputError
        When the calibration cannot be read, or is not what the run used.
    """
    dataset = load(folder)
    known = Calibration.read(calibration or made_with(dataset.attrs))
    view = ResultsView(dataset, known.pair, known.history, known.posterior)
    target = folder if out is None else out
    trust = reliability(view, known.folder)
    ranked = rankings(view)
    drawn = write_figures(figures(view) | ({"causes": lambda: causes(view)} if view.changes else {})
                          | {"assumptions": lambda: assumptions(view, ranked)}, target, view.run_id)
    others = tables_of(view, known.folder)
    drawn |= write_figures({"map": lambda: route_map(view, known.folder)}, target, view.run_id)
    drawn |= write_figures({"gdp": lambda: gdp_figure(view)} | (
        {OUTSIDE: lambda: outside_figure(view, others)} if others else {}), target, view.run_id)
    drawn |= write_figures(evidence(view, trust["past"], known.parameters, known.posterior), target)
    manifest = read_manifest(folder).model_dump()
    page = target / PAGE
    page.write_text(_page(view, known, drawn, manifest, trust, ranked, outside_facts(
        view, others)), encoding="utf-8")
    return page


def rebuild(folder: Path, calibration: Path | None = None,
            formats: Sequence[str] = ("html",), language: str = ENGLISH) -> list[Path]:
    """Write the report of results again, all or nothing, and give the files.

    Parameters
    ----------
    folder, calibration
        As for `report`.
    formats
        Some of ``html``, ``pdf`` and ``docx``.
    language
        One of `LANGUAGES`.

    Raises
    ------
    InputError
        When the folder holds no results, those of another version, or a package is missing.
    """
    others = [name for name in dict.fromkeys(formats) if name != "html"]
    for name in others:
        writer(name)
    source = calibration or made_with(load(folder).attrs)
    with speak(language, source), whole(folder, option="") as work:
        copy_into(folder, work)
        write(report(work, source), others)
        seal(work)
    return [folder / f"report.{name}" for name in dict.fromkeys(formats)]


def _page(view: ResultsView, known: Calibration, drawn: Mapping[str, str],
          manifest: Mapping[str, Any], trust: Mapping[str, Any],
          ranked: Sequence[Ranking], outside: dict[str, Any] | None) -> str:
    scenario = view.scenario
    chosen = [known.levers[name] for name in scenario["levers"]]
    main = MAIN if view.changes else MAIN_REFERENCE
    rows = [assumption(parameter, scenario, view.posterior)
            for parameter in known.parameters.values()]
    return render(
        "report.html.j2", f"run {view.run_id}", AMOUNTS + RANGES,
        grades=words()["grades"], pair=view.pair, scenario=scenario, f=facts(
            view, chosen, outside) | {"drivers": [sentence(one) for one in ranked]},
        figures=[(name, drawn[name]) for name in main if name in drawn],
        evidence=[(name, drawn[name]) for name in (OUTSIDE, *EVIDENCE) if name in drawn],
        more=[(name, svg) for name, svg in drawn.items()
              if name not in (*main, OUTSIDE, *EVIDENCE)],
        gdp=gdp_table(view, known.folder), reported=None if view.point else reported_table(view),
        reliability=trust, accounts=accounts(view, priced=all(
            {"capital_cost", "yearly_cost"} & {*lever.settings} for lever in chosen)),
        tables=tables(view), sides=sides(view), switch=words()["changed"],
        rankings=[table(view, one) for one in ranked], changed=_differences(view, known),
        levers=[{"title": lever.title, "state": lever.state,
                 "rows": [assumption(setting, scenario, view.posterior)
                          for setting in _given_first(lever, scenario)]} for lever in chosen],
        set_parameters=[row for row in rows if row["name"] in scenario["parameters"]],
        parameters=[row for row in rows if row["name"] not in scenario["parameters"]],
        references=_references(view, chosen), manifest=manifest,
        quality=_quality(known.folder), run_id=view.run_id, seed=view.dataset.attrs["seed"])


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
    fitted = load_yaml(path)["parameters"].values()
    return {"rhat": f"{max(row['rhat'] for row in fitted):.3f}",
            "ess": f"{min(row['ess'] for row in fitted):.0f}"}


def assumption(setting: Parameter | Choice, scenario: Mapping[str, Any],
               posterior: xr.Dataset) -> dict[str, str]:
    """One row of the table of assumptions: a parameter, or a setting of a lever."""
    phrases = words()
    lever, _, key = setting.name.partition(".")
    given = scenario["levers"].get(lever, {}).get(key, scenario["parameters"].get(setting.name))
    row = {"name": setting.name, "title": setting.title.rstrip("."), "unit": setting.unit,
           "source": setting.source, "locator": setting.locator, "grade": setting.grade,
           "note": setting.note, "origin": ""}
    if given is not None:
        keys = (f"levers.{setting.name}", f"parameters.{setting.name}")
        origin = next(scenario["origins"][key] for key in keys if key in scenario["origins"])
        value = given if isinstance(given, str) else _number(given, setting.unit)
        return row | {"value": value, "origin": phrases["set_in"].format(origin=origin)}
    if isinstance(setting, Choice):
        return row | {"value": setting.default}
    prior = _spread(quantile(setting, np.array([0.5, 0.1, 0.9])), setting.unit)
    fitted = _fitted(setting.name, posterior) if setting.calibrated else None
    if fitted is None:
        return row | {"value": prior}
    middle, low, high = (plain(value) for value in np.quantile(fitted, [0.5, 0.1, 0.9]))
    return row | {"value": phrases["fitted_value"].format(middle=middle, low=low, high=high,
                                                          prior=prior)}


def _given_first(lever: Lever, scenario: Mapping[str, Any]) -> list[Parameter | Choice]:
    given = scenario["levers"][lever.name]
    return sorted(lever.settings.values(), key=lambda setting:
                  setting.name.removeprefix(f"{lever.name}.") not in given)


def _number(value: float, unit: str) -> str:
    return str(round(value)) if unit == "year" else plain(value)


def _spread(values: Array, unit: str) -> str:
    middle, low, high = (_number(float(value), unit) for value in values)
    if low == high:
        return middle
    return str(words()["distribution"].format(middle=middle, low=low, high=high))


def _fitted(name: str, posterior: xr.Dataset) -> Array | None:
    variable, *labels = name.removeprefix(PREFIX).split(".")
    if variable not in PARAMETERS:
        return None
    where = dict(zip(PARAMETERS[variable], labels, strict=True))
    return np.asarray(posterior[variable].sel(where).values)


def _references(view: ResultsView, levers: Iterable[Lever]) -> list[dict[str, str]]:
    pairs = [(item["title"], item.get("url") or "") for item in view.scenario["references"]]
    pairs += [(source.title, source.url) for lever in levers for source in lever.sources]
    pairs += [(source.title, source.url) for source in view.pair.target.sources]
    pairs += [(f"{count.title}: {count.source}", "") for count in view.pair.counts.values()
              if count.source]
    first = dict(reversed(pairs))
    return [{"title": title, "url": first[title]} for title in dict.fromkeys(title for title, _ in
                                                                             pairs)]
