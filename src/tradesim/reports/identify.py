"""What `tradesim identify` says: the answer in words, a figure, a page, and its tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from tradesim.inputs.pair import Pair
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.posterior import PREFIX
from tradesim.reports.colours import SCENARIO
from tradesim.reports.figure_style import QUIET, beside, horizontal_bars, subplots
from tradesim.reports.html_page import FIGURES, PAGE, environment, render, write_figures
from tradesim.reports.wording import pretty, words, wrapped

if TYPE_CHECKING:
    import pandas as pd

OUTPUTS = (PAGE, FIGURES)
"""What a page of identification is."""

MUCH, LITTLE = 0.5, 0.25
"""Shares of the prior's variance that the data remove: known from them, and hardly."""

ODD = 0.05
"""A series stands out where the model makes one as extreme, on either side, so rarely."""


def values(rows: pd.DataFrame, check: str) -> dict[str, dict[str, float]]:
    """Values of one check by parameter (or series) and key."""
    found: dict[str, dict[str, float]] = {}
    for row in rows[rows["check"] == check].itertuples():
        found.setdefault(str(row.parameter), {})[str(row.key)] = float(str(row.value))
    return found


def tables(rows: pd.DataFrame) -> dict[str, list[list[str]]]:
    """Rows of each table with its head first: parameters, series, years left out, simulations."""
    heads = words("identify")["heads"]
    before, after, learnt = (values(rows, check) for check in ("prior", "posterior", "identified"))
    parameters = [[name, f"{before[name]['mean']:.3g} ± {before[name]['sd']:.2g}",
                   f"{row['mean']:.3g} ± {row['sd']:.2g}",
                   f"{row['p05']:.3g} to {row['p95']:.3g}",
                   f"{100 * learnt[name]['contraction']:.0f} %",
                   f"{100 * learnt[name]['overlap']:.0f} %"] for name, row in after.items()]
    series = [[name, f"{row['observed']:.2f}", f"{row['p05']:.2f} to {row['p95']:.2f}",
               f"{row['p_value']:.2f}"] for name, row in values(rows, "predictive").items()]
    shifts = values(rows, "left_out")
    years = next(iter(shifts.values()))
    left_out = [[year, *(f"{shift[year]:+.2f}" for shift in shifts.values())] for year in years]
    found = {"parameters": [heads["parameters"], *parameters], "series": [heads["series"], *series],
             "years": [[*heads["years"], *shifts], *left_out]}
    if simulated := values(rows, "simulation"):
        number = simulated.pop("simulations")["number"]
        found["simulations"] = [[text.format(number=f"{number:.0f}")
                                 for text in heads["simulations"]], *(
            [name, f"{row['p_value']:.3f}", f"{row['dispersion']:.2f} ± {(0.8 / number)**0.5:.2f}"]
            for name, row in simulated.items())]
    return found


def title(name: str, known: Mapping[str, Parameter]) -> str:
    """Name a parameter for people."""
    return known[name].title if name in known else name.removeprefix(PREFIX)


def facts(rows: pd.DataFrame, known: Mapping[str, Parameter], pair: Pair) -> dict[str, Any]:
    """Give what the sentences of the answer say."""
    learnt = {name: row["contraction"] for name, row in values(rows, "identified").items()}
    order = sorted(learnt, key=lambda name: -learnt[name])
    series = values(rows, "predictive")
    odd = sorted((name for name, row in series.items()
                  if min(row["p_value"], 1 - row["p_value"]) <= ODD),
                 key=lambda name: min(series[name]["p_value"], 1 - series[name]["p_value"]))
    shifts = values(rows, "left_out")
    most = {name: max(shift, key=lambda year: abs(shift[year])) for name, shift in shifts.items()}
    return {
        "all": len(learnt),
        "much": [_said(name, learnt, known) for name in order if learnt[name] >= MUCH],
        "little": [_said(name, learnt, known) for name in order[::-1] if learnt[name] < LITTLE],
        "series": len(series), "odd": [_series(name, series[name], pair) for name in odd],
        "by_chance": pretty(2 * ODD * len(series), 2),
        "years": [{"name": words("identify")["shifted"].get(name, name), "year": year,
                   "shift": f"{abs(shifts[name][year]):.2f}"}
                  for name, year in most.items()]}


def _said(name: str, learnt: Mapping[str, float], known: Mapping[str, Parameter]) -> dict[str, str]:
    return {"name": name, "title": title(name, known), "share": f"{100 * learnt[name]:.0f}"}


def _series(name: str, row: Mapping[str, float], pair: Pair) -> dict[str, str]:
    """Name a property of a series: what it is of which flow on whose statistics."""
    kind, importer, reporter = [*name.split("."), "", ""][:3]
    phrases = words("identify")
    return {"name": phrases["series"].format(
        kind=phrases["kinds"].get(kind, kind), exporter=pair.name(pair.partner(importer)),
        importer=pair.name(importer), reporter=pair.name(reporter)),
        "p": f"{row['p_value']:.2f}"}


def outcome(rows: pd.DataFrame, known: Mapping[str, Parameter], pair: Pair) -> str:
    """Give the answer in words, as on the page."""
    text = environment().from_string('{% import "identify_words.j2" as say %}{{ say.answer(f) }}')
    plain = re.sub(r"<[^>]+>", "", text.render(f=facts(rows, known, pair)))
    plain = plain.replace("&#39;", "'").replace("&amp;", "&")
    return "\n".join(line.strip() for line in plain.splitlines() if line.strip())


def write(rows: pd.DataFrame, known: Mapping[str, Parameter], pair: Pair, folder: Path,
          command: str) -> None:
    """Write figure and page into an existing folder."""
    drawn = write_figures({"learnt": lambda: learnt_figure(rows, known)}, folder)
    shown = [{"title": words("identify")["titles"][name], "columns": lines[0], "rows": lines[1:]}
             for name, lines in tables(rows).items()]
    (folder / PAGE).write_text(render(
        "identify.html.j2", "", pair=pair, f=facts(rows, known, pair), drawn=drawn, tables=shown,
        command=command, last=pair.last_year), encoding="utf-8")


def learnt_figure(rows: pd.DataFrame, known: Mapping[str, Parameter]) -> Figure:
    """Share of the prior's variance that the statistics remove, the largest first."""
    phrases = words("identify")["figure"]
    learnt = {name: 100 * row["contraction"] for name, row in values(rows, "identified").items()}
    order = sorted(learnt, key=lambda name: -learnt[name])
    labels = [wrapped(title(name, known), 62) for name in order]
    figure, (axes,) = subplots(phrases["title"], 1.0 + 0.34 * len(order))
    axes.barh(range(len(order)), [learnt[name] for name in order], height=0.62, color=SCENARIO,
              alpha=0.8)
    for row, name in enumerate(order):
        beside(axes, f"{learnt[name]:.0f}", (max(learnt[name], 0.0), row), va="center", fontsize=8)
    for level in (MUCH, LITTLE):
        axes.axvline(100 * level, color=QUIET, linewidth=0.9, linestyle=(0, (4, 2)))
    axes.set_yticks(range(len(order)), labels, fontsize=7.5)
    horizontal_bars(axes, len(order), ticks=5)
    axes.set_xlim(min(0.0, *learnt.values()), 108)
    axes.set_xlabel(phrases["axis"])
    return figure
