"""The report of a run: one HTML page that needs no network, and its figures as files."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from tradesim.common.files import calibration_folder
from tradesim.inputs.baseline import read_cells
from tradesim.inputs.history import read_history
from tradesim.inputs.levers import Choice, Lever, read_levers
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import Parameter, quantile, read_parameters
from tradesim.inputs.posterior import MANIFEST as POSTERIOR
from tradesim.inputs.posterior import PARAMETERS, PREFIX, SHARED, pooled, read_posterior
from tradesim.inputs.scenario import Scenario
from tradesim.inputs.scenario_text import differences
from tradesim.inputs.specifications import STACKED
from tradesim.inputs.strict_yaml import load as load_yaml
from tradesim.reports import wording
from tradesim.reports.export.document import write, writer
from tradesim.reports.figure_style import save
from tradesim.reports.run import accounts_figures as plots_books
from tradesim.reports.run import drivers_figures as plots_ranking
from tradesim.reports.run.accounts import books
from tradesim.reports.run.drivers import rankings, sentence, table
from tradesim.reports.run.facts import facts, sides, tables
from tradesim.reports.run.figures import figures
from tradesim.reports.run.reliability import EVIDENCE, evidence, trust
from tradesim.reports.run.view import Story
from tradesim.reports.wording import plain, words
from tradesim.simulation.results import MANIFEST, load

REPORT, FIGURES = "report.html", "figures"
MAIN = ("fan", "effect", "groups", "gains", plots_books.NAME, "assumptions")
MAIN_REFERENCE = ("fan", "probability", "directions", "assumptions")
"""Figures of the body, in the order in which a decision needs them; the others follow below."""


def report(folder: Path, calibration: Path | None = None, out: Path | None = None) -> Path:
    """Write figures and `report.html` of a run into its folder, or into another.

    Parameters
    ----------
    folder
        What a run left: ``results.nc`` and ``manifest.json``.
    calibration
        Calibration folder; that of the run by default, or the one that comes with tradesim
        where that is gone.
    out
        Folder to write into; that of the run by default.

    Returns
    -------
    pathlib.Path
        The report.

    Raises
    ------
    InputError
        When the calibration cannot be read.
    """
    dataset = load(folder)
    source = calibration or Path(dataset.attrs["calibration"])
    if not source.is_dir():
        source = calibration_folder()
    form = json.loads(dataset.attrs["scenario"]).get("specification", STACKED)
    story = Story(dataset, read_pair(source), read_history(source),
                  pooled(read_posterior(source), form))
    target = folder if out is None else out
    pictures = target / FIGURES
    pictures.mkdir(exist_ok=True)
    trusted = trust(story, source)
    drawn = {name: inline(save(figure, name, pictures))
             for name, figure in (*_figures(story), *evidence(story, source, trusted["past"]))}
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    page = target / REPORT
    page.write_text(render(story, source, drawn, manifest, trusted), encoding="utf-8")
    return page


def rebuild(folder: Path, calibration: Path | None = None,
            formats: Sequence[str] = ("html",)) -> list[Path]:
    """Write the report of a folder of results again, in some formats; all or nothing.

    Parameters
    ----------
    folder
        What a run left.
    calibration
        As for `report`.
    formats
        Some of ``html``, ``pdf`` and ``docx``.

    Returns
    -------
    list of pathlib.Path
        The files asked for.

    Raises
    ------
    InputError
        When the folder holds no results, those of another version, or a package is missing.
    """
    others = [name for name in dict.fromkeys(formats) if name != "html"]
    for name in others:
        writer(name)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=folder if folder.is_dir() else None
                                     ) as made:
        work = Path(made)
        page = report(folder, calibration, out=work)
        write(page, others)
        (folder / FIGURES).mkdir(exist_ok=True)
        for path in sorted((work / FIGURES).iterdir()):
            path.replace(folder / FIGURES / path.name)
        for path in sorted(work.glob("report.*")):
            path.replace(folder / path.name)
    return [folder / f"report.{name}" for name in dict.fromkeys(formats)]


def _figures(story: Story) -> Iterator[tuple[str, Figure]]:
    yield from figures(story)
    if story.changes:
        yield plots_books.NAME, plots_books.causes(story)
    ranked = rankings(story)
    if any(ranking.movers for ranking in ranked):
        yield plots_ranking.NAME, plots_ranking.assumptions(story, ranked)


def render(story: Story, calibration: Path, drawn: Mapping[str, str],
           manifest: Mapping[str, Any], trusted: Mapping[str, Any]) -> str:
    """Give the page's text.

    Parameters
    ----------
    story
        The run and its past.
    calibration
        Folder whose parameters and levers the assumptions come from.
    drawn
        Inline SVG of the figures by name.
    manifest
        Command, versions and hashes of the run.
    trusted
        How far it can be trusted, from `trust.trust`.
    """
    scenario = json.loads(story.dataset.attrs["scenario"])
    parameters, levers = read_parameters(calibration), read_levers(calibration)
    chosen = {name: levers[name] for name in scenario["levers"]}
    rows = [assumption(parameter, scenario, story.posterior) for parameter in parameters.values()]
    priced = all({"capital_cost", "yearly_cost"} & {*lever.settings} for lever in chosen.values())
    main = MAIN if story.changes else MAIN_REFERENCE
    ranked = [ranking for ranking in rankings(story) if ranking.movers]
    text = environment().get_template("report.html.j2").render(
        language=words()["language"], grades=words()["grades"], pair=story.pair,
        scenario=scenario, f=facts(story, list(chosen.values())) | {
            "hangs_on": [sentence(one) for one in ranked]},
        figures=[(name, drawn[name]) for name in main if name in drawn],
        evidence=[(name, drawn[name]) for name in EVIDENCE if name in drawn],
        more=[(name, svg) for name, svg in drawn.items() if name not in (*main, *EVIDENCE)],
        trust=trusted, books=books(story, priced=priced),
        tables=tables(story), sides=sides(story), switch=words()["changed"],
        rankings=[table(story, one) for one in ranked],
        changed=differences(calibration, _cells(story, calibration, parameters), levers,
                            Scenario.model_validate(scenario)),
        levers=[{"title": lever.title, "state": lever.state,
                 "rows": [assumption(setting, scenario, story.posterior)
                          for setting in _given_first(lever, scenario)]}
                for lever in chosen.values()],
        set_parameters=[row for row in rows if row["name"] in scenario["parameters"]],
        parameters=[row for row in rows if row["name"] not in scenario["parameters"]],
        references=_references(story, scenario, chosen.values()), manifest=manifest,
        quality=_quality(calibration), run_id=story.dataset.attrs["run_id"],
        seed=story.dataset.attrs["seed"])
    text = re.sub(r"(\d) %", "\\1\N{NO-BREAK SPACE}%", text)
    text = re.sub(r"\bUSD (?=\S)", "USD\N{NO-BREAK SPACE}", text)
    text = re.sub(r"(?<=\d) to (?=\N{MINUS SIGN}?\d)",
                  "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}", text)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def _quality(calibration: Path) -> dict[str, str] | None:
    """Worst diagnostics of the calibration, where its manifest is at hand."""
    path = calibration / POSTERIOR
    if not path.is_file():
        return None
    fitted = [row for one in load_yaml(path)["specifications"].values()
              for row in one["parameters"].values()]
    return {"rhat": f"{max(row['rhat'] for row in fitted):.3f}",
            "ess": f"{min(row['ess'] for row in fitted):.0f}"}


def _cells(story: Story, calibration: Path,
           parameters: dict[str, Parameter]) -> dict[str, Parameter]:
    """Parameters, and the cells of tables too where the scenario sets any."""
    set_here = json.loads(story.dataset.attrs["scenario"])["parameters"]
    if set(set_here) <= set(parameters):
        return parameters
    return parameters | read_cells(calibration)


def environment() -> jinja2.Environment:
    """Templates with the filters that turn numbers into words."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(wording.TEMPLATES), trim_blocks=True, lstrip_blocks=True,
        autoescape=lambda name: name is None or not name.endswith(".css"),
        undefined=jinja2.StrictUndefined)
    made.filters.update(
        money=wording.money, changed=wording.changed, percent=wording.percent,
        probability=wording.probability, plural=wording.plural,
        plain_range=lambda three: "{} ({} to {})".format(*wording.together(three)),
        squeeze=lambda text: " ".join(text.split()))
    return made


def inline(svg: str) -> str:
    """Cut an SVG file down to the element that stands inside a page.

    Group names go: they would repeat between figures. Size goes to the style sheet.
    """
    element = svg[svg.index("<svg"):].strip()
    element = re.sub(r"<metadata>.*?</metadata>\s*", "", element, flags=re.S)
    element = re.sub(r"<title>.*?</title>\s*|<!--.*?-->\s*", "", element, flags=re.S)
    element = re.sub(r'<g id="[^"]*"', "<g", element)
    head, rest = element.split(">", 1)
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return f'{head} aria-hidden="true" focusable="false">{rest}'


def assumption(setting: Parameter | Choice, scenario: Mapping[str, Any],
               posterior: xr.Dataset) -> dict[str, str]:
    """One row of the table of assumptions.

    Parameters
    ----------
    setting
        A parameter, or a setting of a lever.
    scenario
        What the scenario sets, and where.
    posterior
        Fitted draws, for parameters that the calibration updates.
    """
    phrases = words()
    lever, _, key = setting.name.partition(".")
    given = scenario["levers"].get(lever, {}).get(key, scenario["parameters"].get(setting.name))
    row = {"name": setting.name, "title": setting.title.rstrip("."), "unit": setting.unit,
           "source": setting.source, "locator": setting.locator, "grade": setting.grade,
           "note": setting.note, "origin": ""}
    if given is not None:
        places = (f"levers.{setting.name}", f"parameters.{setting.name}")
        origin = next(scenario["origins"][place] for place in places
                      if place in scenario["origins"])
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


def _spread(values: np.ndarray[Any, Any], unit: str) -> str:
    middle, low, high = (_number(float(value), unit) for value in values)
    if low == high:
        return middle
    return str(words()["distribution"].format(middle=middle, low=low, high=high))


def _fitted(name: str, posterior: xr.Dataset) -> np.ndarray[Any, Any] | None:
    variable, *labels = name.removeprefix(PREFIX).split(".")
    if variable not in PARAMETERS:
        return None
    dims = () if variable in SHARED else PARAMETERS[variable]
    where = dict(zip(dims, labels, strict=True))
    return np.asarray(posterior[variable].sel(where).values)


def _references(story: Story, scenario: Mapping[str, Any],
                levers: Iterable[Lever]) -> list[dict[str, str]]:
    pairs = [(item["title"], item.get("url") or "") for item in scenario["references"]]
    pairs += [(source.title, source.url) for lever in levers for source in lever.sources]
    pairs += [(source.title, source.url) for source in story.pair.target.sources]
    pairs += [(f"{count.title}: {count.source}", "") for count in story.pair.counts.values()
              if count.source]
    found: dict[str, str] = {}
    for title, url in pairs:
        found.setdefault(title, url)
    return [{"title": title, "url": url} for title, url in found.items()]
