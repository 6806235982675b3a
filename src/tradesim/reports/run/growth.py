"""Growth of both economies in the report: its paths, and what turnover is on each of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradesim.common.arrays import BILLION, MILLION, Array
from tradesim.inputs.growth import CHOICES, DECADE, OWN, PAST, kind_of, outlook
from tradesim.inputs.history import Forecast, forecast_sources
from tradesim.inputs.macro_outlook import DOLLAR_INFLATION
from tradesim.reports.figure_style import COUNTS, FAN, beside, subplots, whole_years
from tradesim.reports.ranges import Range, median_range
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import interval, pretty, probability, together, words, wrapped
from tradesim.simulation.outlooks import BY_GROWTH, GDP, GROWTH, REPORTED

COLOURS = dict(zip(CHOICES, COUNTS, strict=True))


def growth_facts(view: ResultsView) -> dict[str, Any]:
    """Give turnover without the scenario by path of GDP, on the count of the target.

    Returns
    -------
    dict
        ``paths`` by name in `CHOICES`: ``title``, ``chosen`` (whether the run took it),
        ``value`` (USD million) and ``chance`` in the last year; ``rates``: growth of GDP by path
        and country, per cent a year; ``table``; ``deflated``: the
        reference of the last year on the headline count in dollars of the last statistics.
    """
    phrases, chosen = words()["growth"], kind_of(view.scenario.get(GROWTH, CHOICES[0]))
    paths = {name: {"title": phrases["paths"][name], "chosen": name == chosen,
                    "value": median_range(turnover(view, name, view.last)),
                    "chance": float((turnover(view, name, view.last) >= view.target).mean())}
             for name in map(str, view.dataset[GROWTH].to_numpy())}
    rates = {name: [_a_year(view, _path(view, name).log_gdp, place, view.last)
                    for place in range(len(view.pair.importers))] for name in paths}
    return {"paths": paths, "rates": rates, "table": _turnover_table(view, paths),
            "inflation": DOLLAR_INFLATION,
            "deflated": median_range(deflated(view, view.last_turnover("reference")))}


def turnover(view: ResultsView, path: str, year: int) -> Array:
    """Give reference turnover by draw on a path of GDP, count of the target, USD million."""
    chosen = view.dataset[BY_GROWTH].sel(growth=path, count=view.pair.target_count, year=year)
    return np.asarray(chosen, dtype=float) / MILLION


def deflated(view: ResultsView, values: Array) -> Array:
    """Give amounts of the last year in dollars of the last year of the statistics."""
    return np.asarray(values / (1.0 + DOLLAR_INFLATION) ** (view.last - view.history.years[-1]))


def _turnover_table(view: ResultsView, paths: dict[str, Any]) -> dict[str, Any]:
    phrases, years = words()["growth"], view.milestones
    rows = []
    for name, path in paths.items():
        ahead = _path(view, name)
        rates = [_a_year(view, ahead.log_gdp, j, view.last)
                 for j in range(len(view.pair.importers))]
        rows.append([phrases["this_run"].format(path=path["title"]) if path["chosen"]
                     else path["title"], *rates,
                     *(_in_words(view, median_range(turnover(view, name, year)))
                       for year in years),
                     *([] if view.point else [probability(path["chance"], "short")])])
    columns = [phrases["path"], *(phrases["rate"].format(country=view.pair.name(code))
                                  for code in view.pair.importers),
               *(phrases["turnover"].format(year=year) for year in years),
               *([] if view.point else [phrases["chance"].format(year=view.last)])]
    return {"title": phrases["by_path"].format(count=view.pair.name(view.pair.target_count)),
            "columns": columns, "rows": rows, "total": False}


def gdp_table(view: ResultsView, folder: Path) -> dict[str, Any]:
    """Table of the middle path of each country's GDP by choice: levels, growth and sources."""
    phrases, years = words()["growth"], view.milestones
    published = forecast_sources(folder)
    rows = []
    for j, code in enumerate(view.pair.importers):
        now = np.exp(view.history.log_gdp[-1, j]) / BILLION
        for name in map(str, view.dataset[GROWTH].to_numpy()):
            ahead = _path(view, name)
            levels = np.exp(ahead.log_gdp[:, j]) / BILLION
            source = phrases["sources"][name].format(past=PAST, sources="; ".join(published[code]))
            rows.append([phrases["of_country"].format(country=view.pair.name(code),
                                                      path=phrases["paths"][name]),
                         pretty(now), *(pretty(levels[ahead.years.index(year)]) for year in years),
                         *(_a_year(view, ahead.log_gdp, j, year) for year in years),
                         "–" if name == DECADE else _real(view, ahead, j), source])
    first = view.history.years[-1]
    columns = [phrases["country"],
               *(phrases["level"].format(year=year) for year in (first, *years)),
               *(phrases["nominal"].format(first=first, year=year) for year in years),
               phrases["real"].format(first=first, year=view.last), phrases["source"]]
    return {"title": phrases["gdp"], "columns": columns, "rows": rows, "total": False}


def reported_table(view: ResultsView) -> dict[str, Any]:
    """Table of reference turnover and of the probability of the target, beside statistics."""
    phrases = words()["growth"]
    rows = []
    for count in view.counts:
        for year in view.milestones:
            pair = [view.draws(name, "reference", count=count, year=year)
                    for name in ("turnover", REPORTED)]
            rows.append([phrases["on_count"].format(count=view.pair.name(count), year=year),
                         *(interval(median_range(values)) for values in pair),
                         *(probability(float((values >= view.target).mean()), "short")
                           for values in pair)])
    return {"title": phrases["reported"], "columns": [*phrases["reported_columns"].values()],
            "rows": rows, "total": False}


def gdp_figure(view: ResultsView) -> Figure:
    """GDP of each country: the past, each path, and the fan of errors around that of the run."""
    phrases, past = words()["growth"], view.history
    figure, panels = subplots(words()["figures"]["gdp"]["title"], 3.6, columns=2)
    years = [past.years[-1], *view.years]
    for j, (axes, code) in enumerate(zip(panels, view.pair.importers, strict=True)):
        drawn = np.asarray(view.dataset[GDP].sel(country=code), dtype=float) / BILLION
        now = np.exp(past.log_gdp[-1, j]) / BILLION
        for (low, high), colour in FAN if not view.point else ():
            ends = np.quantile(drawn, [low, high], axis=0)
            axes.fill_between(years, *np.column_stack([[now, now], ends]), color=colour,
                              linewidth=0)
        axes.plot(past.years, np.exp(past.log_gdp[:, j]) / BILLION, "o-", color="black",
                  markersize=3, linewidth=0.8)
        for name in map(str, view.dataset[GROWTH].to_numpy()):
            levels = np.exp(_path(view, name).log_gdp[:len(view.years), j]) / BILLION
            axes.plot(years, [now, *levels], color=COLOURS[name])
            _name_line(axes, phrases["short"][name], (years[-1], levels[-1]), COLOURS[name])
        axes.set_title(view.pair.name(code))
        axes.set_ylim(bottom=0)
        whole_years(axes, 4)
    panels[0].set_ylabel(phrases["axis"])
    return figure


def _name_line(axes: Axes, text: str, at: tuple[float, float], colour: str) -> None:
    beside(axes, wrapped(text, 12), at, (4, 0), color=colour, fontsize=8, va="center")


def _path(view: ResultsView, name: str) -> Forecast:
    return outlook(view.history, view.scenario[GROWTH] if name == OWN else name)


def _a_year(view: ResultsView, log_gdp: Array, place: int, year: int) -> str:
    """Mean growth in per cent a year from the last statistics to a year."""
    ahead = year - view.history.years[-1]
    grown = log_gdp[ahead - 1, place] - view.history.log_gdp[-1, place]
    return pretty(float(100.0 * np.expm1(grown / ahead)), places=1)


def _real(view: ResultsView, ahead: Forecast, place: int) -> str:
    years = view.last - view.history.years[-1]
    grown = ahead.log_real[years - 1, place] - view.history.log_real[-1, place]
    return pretty(float(100.0 * np.expm1(grown / years)), places=1)


def _in_words(view: ResultsView, three: Range) -> str:
    return together(three)[0] if view.point else interval(three)
