"""What `tradesim decompose` writes: a tidy table, figures, a page, and a few terminal lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.reports.colours import REFERENCE
from tradesim.reports.figure_style import CASES as COLOURS
from tradesim.reports.figure_style import QUIET, beside, subplots
from tradesim.reports.html_page import PAGE, render, write_figures
from tradesim.reports.ranges import Change, mean_range
from tradesim.reports.terminal import columns
from tradesim.reports.wording import interval, plain, pretty, together, words, wrapped
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.simulation.manifest import seen_from
from tradesim.simulation.summary import ALL, statistics
from tradesim.studies.decompose import CASES

TABLE = "decomposition.csv"
CLEAR = 0.8
"""Share of the draws in which an interaction must have the sign of its average to be named."""

SMALL = 0.002
"""An average interaction below this share of the whole effect is next to none."""

ROOM = 6
"""Levers for whose names and ranges the map of interactions has room."""

FEWEST = 3
"""Fewer levers make no map: a table says it better."""


def tidy(dataset: xr.Dataset) -> pd.DataFrame:
    """One row per statistic of everything in a decomposition.

    Returns
    -------
    pandas.DataFrame
        ``measure`` (reference, effect, share, alone, last, interaction, error), ``variable``
        (turnover or trade), ``unit``, ``count``, ``year``, ``exporter``, ``importer``, ``case``,
        ``lever``, ``second``, ``statistic``, ``value``. The row ``standard_error`` of a share is
        that of its mean, from sampling orders; ``error`` has no rows of its own.
    """
    partners = json.loads(dataset.attrs["partners"])
    frames = []
    for name, array in dataset.data_vars.items():
        values = array.transpose("draw", ...)
        if name == "error":
            draws = values.sizes["draw"]
            shown = ((values**2).sum("draw") ** 0.5 / draws).expand_dims(
                statistic=["standard_error"])
        else:
            shown = statistics(array)
        frame = shown.rename("value").to_series().reset_index()
        frame.insert(0, "measure", "share" if name == "error" else str(name))
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True)
    if "second" not in table:
        table["second"] = np.nan
    table = table[table["second"].isna() | (table["second"] != table["lever"])].copy()
    table["variable"] = np.where(table["importer"] == ALL, "turnover", "trade")
    table["exporter"] = table["importer"].map(partners).fillna(ALL)
    table["unit"] = "USD"
    table["lever"] = table["lever"].fillna(ALL)
    table["second"] = table["second"].astype(object).fillna("")
    return table[["measure", "variable", "unit", "count", "year", "exporter", "importer", "case",
                  "lever", "second", "statistic", "value"]].reset_index(drop=True)


def in_short(values: Array) -> str:
    """Mean and 80 % range of a change as text, USD million."""
    return interval(mean_range(values, MILLION))


def verdict(values: Array, whole: float) -> str:
    """Say what an interaction by draw means, judged by the average of the whole effect.

    One of ``substitutes``, ``complements``, ``either`` and ``none``.
    """
    if abs(values.mean()) < SMALL * abs(whole) or not values.any():
        return "none"
    some = values[values != 0.0]
    for name, sign in (("substitutes", -1.0), ("complements", 1.0)):
        if (sign * some > 0).mean() >= CLEAR and sign * values.mean() > 0:
            return name
    return "either"


def ranked(dataset: xr.Dataset, case: str, year: int, importer: str = ALL) -> Iterator[
        tuple[str, dict[str, Array]]]:
    """Levers by average share, each with its measures by draw, on the headline count."""
    here = dataset.sel(case=case, year=year, importer=importer, count=dataset.attrs["count"])
    order = here["share"].mean("draw").to_numpy().argsort()[::-1]
    for name in dataset["lever"].to_numpy()[order]:
        one = here.sel(lever=name)
        yield str(name), {key: one[key].to_numpy() for key in ("share", "alone", "last", "error")}


def pairs(dataset: xr.Dataset, year: int) -> list[tuple[str, str, Array, str]]:
    """Pairs of levers with their interaction by draw and its meaning, strongest first."""
    if "interaction" not in dataset or dataset.sizes["lever"] < 2:
        return []
    here = dataset.sel(case=IMPLEMENTED, year=year, importer=ALL, count=dataset.attrs["count"])
    whole = float(here["effect"].mean())
    names = [str(name) for name in dataset["lever"].to_numpy()]
    rows = [(one, two, here["interaction"].sel(lever=one, second=two).to_numpy())
            for one, two in combinations(names, 2)]
    rows.sort(key=lambda row: -abs(row[2].mean()))
    return [(one, two, values, verdict(values, whole)) for one, two, values in rows]


def outcome(dataset: xr.Dataset, pair: Pair) -> str:
    """Short table for the terminal: last year, turnover, both cases."""
    year, phrases = _last(dataset), words("study")
    heads = phrases["columns"]["shares"]
    lines = [f"Turnover in {year}, USD million, {pair.name(dataset.attrs['count'])}: "
             "averages with 80 % ranges", ""]
    sampled = dataset.attrs["method"] != "exact"
    for case in CASES:
        rows = [[phrases["cases"][case], heads[1], heads[3], heads[4],
                 *([phrases["columns"]["error"]] if sampled else [])]]
        for name, one in ranked(dataset, case, year):
            rows.append([name, *(in_short(one[key]) for key in ("share", "alone", "last")),
                         *([_mean_error(one["error"])] if sampled else [])])
        effect = _effect(dataset, case, year)
        rows.append([phrases["total"], in_short(effect), *[""] * (len(rows[0]) - 2)])
        lines += [columns(rows), ""]
    for kind in ("substitutes", "complements"):
        named = [f"{one} and {two} ({in_short(values)})"
                 for one, two, values, meaning in pairs(dataset, year) if meaning == kind]
        if named:
            lines.append(f"Strongest {kind}: {'; '.join(named[:2])}")
    lines.append(f"{dataset.attrs['draws']} draws, seed {dataset.attrs['seed']}, "
                 f"run {dataset.attrs['run_id']}, {_how(dataset)}")
    return "\n".join(lines)


def _last(dataset: xr.Dataset) -> int:
    return int(dataset["year"].to_numpy()[-1])


def _how(dataset: xr.Dataset) -> str:
    if dataset.attrs["method"] == "exact":
        return f"exact over {2**dataset.sizes['lever']:,} combinations"
    return f"{dataset.attrs['permutations']} sampled orders by draw"


def _mean_error(error: Array) -> str:
    return pretty(float(np.sqrt((error**2).sum()) / len(error)) / MILLION, 2)


def _effect(dataset: xr.Dataset, case: str, year: int, importer: str = ALL) -> Array:
    here = dataset["effect"].sel(case=case, year=year, importer=importer,
                                 count=dataset.attrs["count"])
    return np.asarray(here.to_numpy())


def write(dataset: xr.Dataset, folder: Path, pair: Pair, titles: Mapping[str, str]) -> None:
    """Write table, figures, page, resolved scenario and manifest into an existing folder."""
    tidy(dataset).to_csv(folder / TABLE, index=False, float_format="%.6g", lineterminator="\n")
    drawn = write_figures({"waterfall": lambda: waterfall(dataset, pair, titles),
                           "interactions": lambda: interactions(dataset, pair, titles)},
                          folder, str(dataset.attrs["run_id"]))
    write_study(folder, "decompose.html.j2", dataset.attrs, pair=pair,
                drawn={"interactions": ""} | drawn, f=_facts(dataset, pair, titles),
                tables=list(_tables(dataset, pair, titles)))


def write_study(folder: Path, template: str, attrs: Mapping[Any, Any], **given: Any) -> None:
    """Write the page, the resolved scenario and the manifest of a study."""
    (folder / PAGE).write_text(render(
        template, f"run {attrs['run_id']}", scenario=json.loads(str(attrs["scenario"])),
        command=attrs["command"], run_id=attrs["run_id"], **given), encoding="utf-8")
    (folder / "scenario.yaml").write_text(str(attrs["resolved"]), encoding="utf-8")
    manifest = {key: attrs[key] for key in ("run_id", "command", "seed", "draws")}
    manifest["calibration"] = seen_from(folder, Path(attrs["calibration"]))
    manifest["hashes"] = json.loads(str(attrs["hashes"]))
    (folder / "manifest.json").write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False, default=int) + "\n", encoding="utf-8")


def _facts(dataset: xr.Dataset, pair: Pair, titles: Mapping[str, str]) -> dict[str, Any]:
    year = _last(dataset)
    whole = _effect(dataset, IMPLEMENTED, year)
    strong = pairs(dataset, year)

    def strongest(kind: str) -> dict[str, Any] | None:
        for one, two, values, meaning in strong:
            if meaning == kind:
                return {"names": f"“{titles[one]}” and “{titles[two]}”",
                        "value": mean_range(
                            -values if kind == "substitutes" else values, MILLION)}
        return None

    gap = np.abs(dataset["share"].sum("lever") - dataset["effect"])
    size = np.maximum(np.abs(dataset["effect"]), 1.0)
    return {
        "year": year, "count": pair.name(dataset.attrs["count"]),
        "implemented": Change.of(whole / MILLION),
        "risky": Change.of(_effect(dataset, SCENARIO, year) / MILLION),
        "levers": [{"title": titles[name], "part": [100 * one["share"].mean() / whole.mean()]}
                   for name, one in ranked(dataset, IMPLEMENTED, year)] if whole.any() else [],
        "worst": strongest("substitutes"), "best": strongest("complements"),
        "method": dataset.attrs["method"], "permutations": dataset.attrs["permutations"],
        "subsets": f"{2**dataset.sizes['lever']:,}", "gap": f"{float((gap / size).max()):.0e}",
    }


def _tables(dataset: xr.Dataset, pair: Pair,
            titles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    phrases, count = words("study"), pair.name(dataset.attrs["count"])
    sampled = dataset.attrs["method"] != "exact"
    heads = [*phrases["columns"]["shares"], *([phrases["columns"]["error"]] if sampled else [])]
    last = _last(dataset)
    wanted = [(int(year), case, ALL) for year in dataset["year"].to_numpy() for case in CASES]
    wanted += [(last, IMPLEMENTED, importer) for importer in pair.importers]
    for year, case, importer in wanted:
        flow = phrases["both"] if importer == ALL else words()["direction"].format(
            exporter=pair.name(pair.partner(importer)), importer=pair.name(importer))
        effect = _effect(dataset, case, year, importer)
        rows = []
        for name, one in ranked(dataset, case, year, importer):
            part = 100 * one["share"].mean() / effect.mean() if effect.any() else 0.0
            rows.append([titles[name], in_short(one["share"]), plain(float(part), 2),
                         in_short(one["alone"]), in_short(one["last"]),
                         *([_mean_error(one["error"])] if sampled else [])])
        rows.append([phrases["total"], in_short(effect), "100" if effect.any() else "0",
                     *[""] * (len(heads) - 3)])
        title = phrases["shares_title"].format(flow=flow[0].upper() + flow[1:], year=year,
                                             case=phrases["cases"][case], count=count)
        yield {"title": title, "columns": heads, "rows": rows, "total": True}
    if by_pair := pairs(dataset, last):
        rows = [[f"{titles[one]} · {titles[two]}", in_short(values),
                 plain(100 * float((values < 0).mean()), 2), phrases["verdict"][meaning]]
                for one, two, values, meaning in by_pair]
        yield {"title": phrases["pairs_title"].format(year=last, count=count), "rows": rows,
               "columns": phrases["columns"]["pairs"], "total": False}


def waterfall(dataset: xr.Dataset, pair: Pair, titles: Mapping[str, str]) -> Figure:
    """Levers as bars on top of the reference, ending at the scenario, last year, by case."""
    phrases, case_names = words("study")["waterfall"], words("study")["cases"]
    year, count = _last(dataset), str(dataset.attrs["count"])
    here = dataset.sel(year=year, count=count, importer=ALL) / MILLION
    order = here["share"].sel(case=IMPLEMENTED).mean("draw").to_numpy().argsort()[::-1]
    names = [str(name) for name in dataset["lever"].to_numpy()[order]]
    figure, both = subplots(phrases["title"].format(year=year), 2.2 + 0.42 * len(names), columns=2,
                          sharey=True, sharex=True)
    for axes, case in zip(both, CASES, strict=True):
        shares = here["share"].sel(case=case, lever=names).transpose("lever", "draw").to_numpy()
        _steps(axes, shares, here["effect"].sel(case=case).to_numpy(), COLOURS[case])
        axes.set_title(phrases["panel"].format(case=case_names[case]))
    without = here["reference"].isel(case=0).to_numpy()
    base = float(np.median(without))
    whole = [float(np.median(without + here["effect"].sel(case=case).to_numpy()))
             for case in CASES]
    levels = together([base, *whole])
    labels = [phrases["reference"].format(value=levels[0]),
              *(wrapped(titles[name], 30) for name in names),
              phrases["scenario"].format(value=" | ".join(levels[1:]))]
    both[0].set_yticks(range(len(labels)), labels, fontsize=8)
    both[0].invert_yaxis()
    for axes in both:
        axes.set_xlabel(wrapped(phrases["axis"].format(count=pair.name(count)), 40))
    return figure


def _steps(axes: Axes, shares: Array, effect: Array, colour: str) -> None:
    """Bars one on top of the other, with the range of each at its end."""
    means = shares.mean(axis=1)
    begin = np.concatenate([[0.0], np.cumsum(means)])
    rows = np.arange(1, len(means) + 1)
    axes.barh(rows, means, left=begin[:-1], height=0.6, color=colour, alpha=0.75)
    low, high = np.quantile(shares, [0.1, 0.9], axis=1)
    axes.hlines(rows, begin[:-1] + low, begin[:-1] + high, color="black", linewidth=1.1)
    axes.barh(rows[-1] + 1, effect.mean(), height=0.6, color=REFERENCE, alpha=0.75)
    axes.hlines(rows[-1] + 1, *np.quantile(effect, [0.1, 0.9]), color="black", linewidth=1.1)
    for row, edge in zip(rows, begin[1:], strict=True):
        axes.plot([edge, edge], [row - 0.3, row + 1.3], color=QUIET, linewidth=0.7)
    texts = together([*means, float(effect.mean())])
    ends = np.maximum([*(begin[:-1] + high), np.quantile(effect, 0.9)],
                      [*begin[1:], float(effect.mean())])
    for row, end, value, text in zip([*rows, rows[-1] + 1], ends, [*means, effect.mean()], texts,
                                     strict=True):
        beside(axes, f"+{text}" if value > 0 else text, (end, row), fontsize=8, va="center")
    axes.axvline(0, color="black", linewidth=0.8)
    axes.margins(x=0.16)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(MaxNLocator(4))


def interactions(dataset: xr.Dataset, pair: Pair, titles: Mapping[str, str]) -> Figure | None:
    """Heat map of the interaction of each pair of levers, last year; none for fewer than three."""
    phrases = words("study")["interactions"]
    year, count = _last(dataset), str(dataset.attrs["count"])
    if dataset.sizes["lever"] < FEWEST or not pairs(dataset, year):
        return None
    chosen = dataset["interaction"].sel(year=year, count=count, importer=ALL, case=IMPLEMENTED)
    values = chosen.transpose("lever", "second", "draw").to_numpy() / MILLION
    levers = dataset["lever"].to_numpy().astype(str)
    size, crowded = len(levers), len(levers) > ROOM
    names = [wrapped(f"{place}  {titles[name]}", 34 if crowded else 22)
             for place, name in enumerate(levers, 1)]
    across = [str(place) for place in range(1, size)] if crowded else names[:-1]
    figure, (axes,) = subplots(phrases["title"].format(year=year),
                             1.7 + (0.45 if crowded else 0.58) * (size - 1))
    means = values.mean(axis=-1)
    hidden = np.triu(np.ones((size, size), dtype=bool))
    far = max(float(np.abs(means[~hidden]).max()), 1e-9)
    top = 0 if crowded else 1  # where columns have numbers alone, the first lever needs a row too
    shown = np.ma.masked_array(means, hidden)[top:, :-1]
    axes.imshow(shown, cmap=mpl.colormaps["PuOr_r"], norm=TwoSlopeNorm(0.0, -1.6 * far, 1.6 * far),
                aspect="auto")
    for row in range(1, size):
        for column in range(row):
            low, high = np.quantile(values[row, column], [0.1, 0.9])
            middle, *ends = together([float(means[row, column]), float(low), float(high)], 2)
            text = middle if crowded else f"{middle}\n({ends[0]} to {ends[1]})"
            axes.annotate(text, (column, row - top), fontsize=7.5, ha="center", va="center")
    axes.set_xticks(range(size - 1), across, fontsize=7.5)
    axes.set_yticks(range(size - top), names[top:], fontsize=7.5)
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(phrases["axis"].format(count=pair.name(count)), fontsize=9)
    return figure
