"""What `tradesim decompose` leaves: a tidy table, figures, a page, and a few terminal lines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
import yaml

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.reports.decompose_figures import interactions, waterfall
from tradesim.reports.figure_style import save, style
from tradesim.reports.run.page import environment, inline
from tradesim.reports.terminal import columns
from tradesim.reports.wording import TEMPLATES, plain, pretty, together
from tradesim.reports.wording import words as common
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.simulation.summary import ALL, PERCENTILES, STATISTICS
from tradesim.studies.decompose import CASES

TABLE, PAGE = "decomposition.csv", "report.html"
CLEAR = 0.8
"""Share of the draws in which an interaction must have the sign of its average to be named."""

SMALL = 0.002
"""An average interaction below this share of the whole effect is next to none."""


@cache
def phrases() -> dict[str, Any]:
    """Short words of decompositions and goals, from the templates folder."""
    read: dict[str, Any] = yaml.safe_load((TEMPLATES / "study.yaml").read_text(encoding="utf-8"))
    return read


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
            found = ((values**2).sum("draw") ** 0.5 / draws).expand_dims(
                statistic=["standard_error"])
        else:
            numbers = values.to_numpy()
            stacked = np.concatenate([values.mean("draw").to_numpy()[None],
                                      np.percentile(numbers, PERCENTILES, axis=0)])
            found = xr.DataArray(stacked, dims=("statistic", *values.dims[1:]), coords={
                "statistic": list(STATISTICS), **{dim: values[dim] for dim in values.dims[1:]}})
        frame = found.rename("value").to_series().reset_index()
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


def spread_of(values: Array) -> list[float]:
    """Mean and the ends of the 80 % range, USD million."""
    low, high = np.quantile(values, [0.1, 0.9]) / MILLION
    return [float(values.mean()) / MILLION, float(low), float(high)]


def in_short(values: Array) -> str:
    """Mean and 80 % range as text, USD million."""
    middle, low, high = together(spread_of(values))
    return f"{middle} ({low} to {high})"


def verdict(values: Array, whole: float) -> str:
    """Say what an interaction means: substitutes, complements, either, or next to none.

    Parameters
    ----------
    values
        Index by draw.
    whole
        Average of the whole effect, to judge size by.
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
    found = [(one, two, here["interaction"].sel(lever=one, second=two).to_numpy())
             for one, two in combinations(names, 2)]
    found.sort(key=lambda item: -abs(item[2].mean()))
    return [(one, two, values, verdict(values, whole)) for one, two, values in found]


def outcome(dataset: xr.Dataset, pair: Pair) -> str:
    """Short table for the terminal: last year, turnover, both cases."""
    year = int(dataset["year"].to_numpy()[-1])
    heads = phrases()["columns"]["shares"]
    lines = [f"Turnover in {year}, USD million, {pair.name(dataset.attrs['count'])}: "
             "averages with 80 % ranges", ""]
    sampled = dataset.attrs["method"] != "exact"
    for case in CASES:
        rows = [[phrases()["cases"][case], heads[1], heads[3], heads[4],
                 *([phrases()["columns"]["error"]] if sampled else [])]]
        for name, one in ranked(dataset, case, year):
            rows.append([name, *(in_short(one[key]) for key in ("share", "alone", "last")),
                         *([_mean_error(one["error"])] if sampled else [])])
        effect = _effect(dataset, case, year)
        rows.append([phrases()["total"], in_short(effect), *[""] * (len(rows[0]) - 2)])
        lines += [columns(rows), ""]
    for kind in ("substitutes", "complements"):
        named = [f"{one} and {two} ({in_short(values)})"
                 for one, two, values, meaning in pairs(dataset, year) if meaning == kind]
        if named:
            lines.append(f"Strongest {kind}: {'; '.join(named[:2])}")
    lines.append(f"{dataset.attrs['draws']} draws, seed {dataset.attrs['seed']}, "
                 f"run {dataset.attrs['run_id']}, {_how(dataset)}")
    return "\n".join(lines)


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


def write(dataset: xr.Dataset, folder: Path, pair: Pair, titles: dict[str, str]) -> None:
    """Write table, figures, page, resolved scenario and manifest into an existing folder.

    Parameters
    ----------
    dataset
        From `decompose.decompose`.
    folder
        Where to; it appears whole with `folders.whole`.
    pair, titles
        Names of countries and counts; titles of levers by name.
    """
    tidy(dataset).to_csv(folder / TABLE, index=False, float_format="%.6g", lineterminator="\n")
    pictures = folder / "figures"
    pictures.mkdir()
    drawn = {"interactions": ""}
    made = {"waterfall": waterfall, "interactions": interactions}
    for name, draw in made.items():
        if name == "interactions" and not pairs(dataset, int(dataset["year"].to_numpy()[-1])):
            continue
        with style(name):
            figure = draw(dataset, pair, titles, phrases())
        drawn[name] = inline(save(figure, name, pictures))
    finish(folder, "decompose.html.j2", dataset.attrs, pair=pair, drawn=drawn,
           f=_facts(dataset, pair, titles), tables=list(_tables(dataset, pair, titles)))


def finish(folder: Path, template: str, attrs: Mapping[Any, Any], **given: Any) -> None:
    """Write the page, the resolved scenario and the manifest of a study."""
    text = environment().get_template(template).render(
        language=common()["language"], scenario=json.loads(str(attrs["scenario"])),
        command=attrs["command"], run_id=attrs["run_id"], **given)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    (folder / PAGE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "scenario.yaml").write_text(str(attrs["resolved"]), encoding="utf-8")
    manifest = {key: attrs[key] for key in ("run_id", "command", "seed", "draws", "calibration")}
    manifest["hashes"] = json.loads(str(attrs["hashes"]))
    (folder / "manifest.json").write_text(
        json.dumps(manifest, indent=2, ensure_ascii=False, default=int) + "\n", encoding="utf-8")


def _facts(dataset: xr.Dataset, pair: Pair, titles: Mapping[str, str]) -> dict[str, Any]:
    year = int(dataset["year"].to_numpy()[-1])
    whole = _effect(dataset, IMPLEMENTED, year)
    found = pairs(dataset, year)

    def strongest(kind: str) -> dict[str, Any] | None:
        for one, two, values, meaning in found:
            if meaning == kind:
                return {"names": f"“{titles[one]}” and “{titles[two]}”",
                        "value": spread_of(-values if kind == "substitutes" else values)}
        return None

    gap = np.abs(dataset["share"].sum("lever") - dataset["effect"])
    size = np.maximum(np.abs(dataset["effect"]), 1.0)
    return {
        "year": year, "count": pair.name(dataset.attrs["count"]),
        "implemented": spread_of(whole), "risky": spread_of(_effect(dataset, SCENARIO, year)),
        "levers": [{"title": titles[name], "part": [100 * one["share"].mean() / whole.mean()]}
                   for name, one in ranked(dataset, IMPLEMENTED, year)] if whole.any() else [],
        "worst": strongest("substitutes"), "best": strongest("complements"),
        "method": dataset.attrs["method"], "permutations": dataset.attrs["permutations"],
        "subsets": f"{2**dataset.sizes['lever']:,}", "gap": f"{float((gap / size).max()):.0e}",
    }


def _tables(dataset: xr.Dataset, pair: Pair,
            titles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    words, count = phrases(), pair.name(dataset.attrs["count"])
    sampled = dataset.attrs["method"] != "exact"
    heads = [*words["columns"]["shares"], *([words["columns"]["error"]] if sampled else [])]
    last = int(dataset["year"].to_numpy()[-1])
    wanted = [(int(year), case, ALL) for year in dataset["year"].to_numpy() for case in CASES]
    wanted += [(last, IMPLEMENTED, importer) for importer in pair.importers]
    for year, case, importer in wanted:
        flow = words["both"] if importer == ALL else common()["direction"].format(
            exporter=pair.name(pair.partner(importer)), importer=pair.name(importer))
        effect = _effect(dataset, case, year, importer)
        rows = []
        for name, one in ranked(dataset, case, year, importer):
            part = 100 * one["share"].mean() / effect.mean() if effect.any() else 0.0
            rows.append([titles[name], in_short(one["share"]), plain(float(part), 2),
                         in_short(one["alone"]), in_short(one["last"]),
                         *([_mean_error(one["error"])] if sampled else [])])
        rows.append([words["total"], in_short(effect), "100" if effect.any() else "0",
                     *[""] * (len(heads) - 3)])
        title = words["shares_title"].format(flow=flow[0].upper() + flow[1:], year=year,
                                             case=words["cases"][case], count=count)
        yield {"title": title, "columns": heads, "rows": rows, "total": True}
    if found := pairs(dataset, last):
        rows = [[f"{titles[one]} · {titles[two]}", in_short(values),
                 plain(100 * float((values < 0).mean()), 2), words["verdict"][meaning]]
                for one, two, values, meaning in found]
        yield {"title": words["pairs_title"].format(year=last, count=count), "rows": rows,
               "columns": words["columns"]["pairs"], "total": False}
