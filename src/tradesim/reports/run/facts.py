"""The facts that the report's sentences are made of, and its tables.

Every number is computed here from the results, never in a template; templates only choose
words and round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.inputs.levers import Lever
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.reports.ranges import NOTHING, Change, Range, median_range
from tradesim.reports.run.accounts import assumed_part
from tradesim.reports.run.growth import growth_facts
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import (
    changed,
    decimals,
    interval,
    pretty,
    probability,
    together,
    words,
)

VISIBLE = 5e-5
"""A mean change below this (USD million) would be printed as zero."""

SMALL = 0.01
"""A mean change below this (USD million) is no row of a table."""

LEAST = 5e-5
"""A mean change below this share of the level is no row of a table."""

ACCOUNTS = {"consumer_surplus": "consumers", "producer_surplus": "producers",
            "exporter_surplus": "exporters", "tariff_revenue": "revenue", "welfare": "net"}
"""Accounts of a market in the order of tables and figures, with the keys of their names."""

Read = Callable[[int], list[Array]]


def facts(view: ResultsView, levers: Sequence[Lever] = (),
          outside: dict[str, Any] | None = None) -> dict[str, Any]:
    """Numbers and flags that the sentences of the annex use.

    Amounts are in USD million: numbers, (middle, low, high) or `Change`. The levers that the
    scenario pulls are named where they change nothing. `outside` is what `outside_facts` gives.
    """
    pair, last, target = view.pair, view.last, view.target
    blocks = [_block(view, count) for count in view.counts]
    end = blocks[0]["rows"][-1]["numbers"]
    chance = {case: _chance(view, pair.target_count, case, last) for case in view.cases}
    years = view.history.years
    common = {
        "case": view.case_words, "risky": view.risky, "moment": view.moment,
        "count": pair.name(view.count), "target_count": pair.name(pair.target_count),
        "changes": view.changes, "draws": view.draw_count, "point": view.point,
        "target": [target], "goal": view.goal,
        "now": {"year": years[-1], "value": [blocks[0]["reported"]]},
        "sample": (years[0], years[-1]),
        "last": {"year": last, **end}, "blocks": blocks, "others": _others(view, blocks),
        "chance": chance, "outside": outside, "growth": growth_facts(view),
        "residual": f"{view.dataset.attrs['max_residual']:.0e}",
        "chance_error": [_chance_error(chance["reference"], view.draw_count)],
    }
    if not view.changes:
        return common | {"idle": _idle(view, levers)}
    change = view.change("turnover", "if_implemented", count=view.count, year=last)
    risky = view.change("turnover", "scenario", count=view.count, year=last)
    return common | {
        "effect_error": [float(risky.std() / np.sqrt(view.draw_count))],
        "assumed": assumed_part(view, float(change.mean())),
        "largest": [_largest(view, importer) for importer in pair.importers]}


def _block(view: ResultsView, count: str) -> dict[str, Any]:
    reported = float(view.reported(count)[-1].sum())
    rows = []
    for year in sorted({*view.milestones, view.moment}):
        where = {"count": count, "year": year}
        numbers: dict[str, Any] = {
            "reference": median_range(view.draws("turnover", "reference", **where))}
        if view.changes:
            change = {case: Change.of(view.change("turnover", case, **where))
                      for case in view.cases[1:]}
            numbers |= {"scenario": median_range(view.draws("turnover", view.policy, **where)),
                        "effect": change["scenario"], "implemented": change["if_implemented"]}
        rows.append({"year": year, "numbers": numbers,
                     **{name: changed(amount, "short") if isinstance(amount, Change)
                        else _in_words(amount) for name, amount in numbers.items()},
                     "chances": [probability(_chance(view, count, case, year), "short")
                                 for case in view.cases]})
    return {"count": view.pair.name(count), "reported": reported, "now": together([reported])[0],
            "rows": rows}


def _idle(view: ResultsView, levers: Sequence[Lever]) -> dict[str, Any]:
    """Say what is set although nothing changes; levers with the year in which they start."""
    scenario = view.scenario
    late, others = [], []
    for lever in levers:
        start = scenario["levers"][lever.name].get("start")
        setting = lever.settings.get("start")
        if start is None and isinstance(setting, Parameter):
            start = float(quantile(setting, np.array([0.5]))[0])
        if start is not None and round(start) > view.last:
            late.append({"title": lever.title, "year": round(start)})
        else:
            others.append(lever.title)
    return {"late": late, "others": others, "levers": bool(scenario["levers"]),
            "parameters": list(scenario["parameters"])}


def _in_words(three: Range) -> str:
    return together(three)[0] if min(three) == max(three) else interval(three)


def _chance(view: ResultsView, count: str, case: str, year: int,
            name: str = "turnover") -> float:
    return float((view.draws(name, case, count=count, year=year) >= view.target).mean())


def _chance_error(share: float, draws: int) -> float:
    # The rule of three (upper 95 % end near 3/n) keeps the error above zero for a share of 0 or 1.
    return 100 * max(float(np.sqrt(share * (1 - share) / draws)), 1 / draws)


def _others(view: ResultsView, blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    first = view.reported(view.count).sum(axis=1)
    others = []
    for count, block in zip(view.counts[1:], blocks[1:], strict=True):
        ratio = first / view.reported(count).sum(axis=1)
        others.append({"count": block["count"], "value": [block["reported"]],
                       "ratio": pretty(float(ratio[-1]), 2),
                       "mean_ratio": pretty(float(np.nanmean(ratio)), 2)})
    return others


def _largest(view: ResultsView, importer: str) -> dict[str, Any]:
    change = view.change("trade", "if_implemented", count=view.count, year=view.moment,
                         importer=importer)
    means = np.abs(change.mean(axis=0))
    group = int(np.argmax(means))
    return view.flow(importer) | {
        "group": view.pair.name(view.groups[group]), "change": Change.of(change[:, group]),
        "none": means[group] < VISIBLE}


def tables(view: ResultsView) -> list[dict[str, Any]]:
    """Tables of the report: by direction and group, suppliers, home producers.

    Each has ``title``, ``columns``, ``rows`` (texts), and ``total`` when its last row is one.
    Where the scenario changes something, what does not change is no row, and a table without
    rows is left out.
    """
    kinds = [_trade, _suppliers, *([_producers] if view.changes else [])]
    made = [kind(view, importer) for kind in kinds for importer in view.pair.importers]
    return [table for table in made if table["rows"]]


def _trade(view: ResultsView, importer: str) -> dict[str, Any]:
    rows = _by_group(view, "trade", count=view.count, importer=importer)
    return _table(view, "trade", rows, importer, total=True)


def _producers(view: ResultsView, importer: str) -> dict[str, Any]:
    rows = _by_group(view, "home_output", importer=importer)
    return _table(view, "producers", rows, importer, total=True)


def _by_group(view: ResultsView, name: str, **where: Any) -> list[list[str]]:
    """Rows of a variable by group in the year shown, and their total."""
    whole = _row(view, words()["all_groups"], name, year=view.moment, **where)
    if whole is None:
        return []
    rows = [_row(view, view.pair.name(group), name, year=view.moment, **where, group=group)
            for group in view.groups]
    return [*(row for row in rows if row is not None), whole]


def _suppliers(view: ResultsView, importer: str) -> dict[str, Any]:
    where = {"year": view.moment, "importer": importer}
    rows = []
    for code, name in _suppliers_of(view, importer).items():
        row = _row(view, name, "imports", **where, exporter=code)
        if row is None:
            continue
        if view.changes:
            parts = [view.change(part, "if_implemented", **where, exporter=code)
                     for part in ("trade_creation", "trade_diversion")]
            row += [pretty(float(part.mean())) for part in parts]
        rows.append(row)
    return _table(view, "suppliers", rows, importer, extra=["creation", "diversion"])


def _suppliers_of(view: ResultsView, importer: str) -> dict[str, str]:
    """Names of a market's suppliers: the partner first, home producers last."""
    order = sorted(view.exporters, key=lambda code: (code == importer,
                                                     code != view.pair.partner(importer)))
    return {code: view.supplier(code, importer) for code in order}


def sides(view: ResultsView) -> dict[str, Any]:
    """Table of what both countries export, import, collect and gain in the year shown.

    Flows are on the headline count for both sides, so that one's exports are the other's
    imports; revenue and gain are of all trade with all partners.
    """
    phrases, pair = words()["sides"], view.pair
    rows = []
    for country in pair.importers:
        partner = pair.partner(country)
        names = {"country": pair.name(country), "partner": pair.name(partner)}
        for key, parts in _items(country, partner).items():
            read = {case: sum(sign * view.draws(name, case, **where).reshape(
                        view.draw_count, len(view.years), -1).sum(axis=-1)
                        for sign, name, where in _on(parts, view.count))
                    for case in view.cases}
            if any(row := _side(read, view.years.index(view.moment))):
                rows.append([phrases[key].format(**names), *row])
    keys = ["reference", *(["level", "change", "percent", "mean",
                             *([] if view.point else ["chance"])] if view.changes else [])]
    named = phrases | (phrases["point"] if view.point else {})
    if view.nature != "policy":
        named |= words()["tables"]["sides"]["point" if view.point else "all"]
    columns = [phrases["first"], *(named[key].format(
        first=view.years[0], last=view.last, case=view.case_words) for key in keys)]
    return {"title": phrases["title"].format(year=view.moment, count=pair.name(view.count)),
            "columns": columns, "rows": rows, "total": False}


def _items(country: str, partner: str) -> dict[str, list[tuple[int, str, str]]]:
    return {"exports": [(1, "trade", partner)], "imports": [(1, "trade", country)],
            "balance": [(1, "trade", partner), (-1, "trade", country)],
            "tariff_revenue": [(1, "tariff_revenue", country)],
            "welfare": [(1, "welfare", country)]}


def _on(parts: list[tuple[int, str, str]], count: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    for sign, name, importer in parts:
        yield sign, name, ({"count": count} if name == "trade" else {}) | {"importer": importer}


def _side(read: dict[str, Any], at: int) -> list[str]:
    """One row: levels and change of the year at a place, its yearly average, chance of a rise."""
    reference = read["reference"]
    absent = not reference.any()
    level = ["" if absent else _in_words(median_range(reference[:, at]))]
    if "if_implemented" not in read:
        return level
    change = read["if_implemented"] - reference
    after = "" if absent else _in_words(median_range(read["if_implemented"][:, at]))
    share = "" if absent or (reference[:, at] <= 0).any() else together(
        [100.0 * float(change[:, at].mean() / reference[:, at].mean())], 2)[0]
    chance = [probability(float((change[:, at] > NOTHING).mean()), "short")]
    return [*level, after, changed(Change.of(change[:, at]), "short"), share,
            changed(Change.of(change.mean(axis=1)), "short"), *(chance if len(change) > 1 else [])]


def supplier_changes(view: ResultsView, importer: str) -> tuple[list[str], Read]:
    """Names of a market's suppliers, and the changes of their sales if implemented by year."""
    suppliers = _suppliers_of(view, importer)
    return list(suppliers.values()), lambda year: [
        view.change("imports", "if_implemented", year=year, importer=importer, exporter=code)
        for code in suppliers]


def account_changes(view: ResultsView, importer: str) -> tuple[list[str], Read]:
    """Names of a market's accounts, and their changes if implemented by year."""
    given = _given(view)
    return [words()[key] for key in given.values()], lambda year: [
        view.change(name, "if_implemented", year=year, importer=importer) for name in given]


def _given(view: ResultsView) -> dict[str, str]:
    """Accounts that a run has: with a closure those of one market at a time are left out."""
    return {name: key for name, key in ACCOUNTS.items() if name in view.dataset}


def _total(values: Array) -> Array:
    """Give one number a draw: the sum over groups where there are several."""
    return values if values.ndim == 1 else np.asarray(values.sum(axis=-1))


def _row(view: ResultsView, label: str, name: str, **where: Any) -> list[str] | None:
    """Label, levels, change with its range and in per cent; None where nothing changes to show."""
    reference = _total(view.draws(name, "reference", **where))
    if not view.changes:
        return [label, _in_words(median_range(reference))]
    change = _total(view.change(name, "if_implemented", **where))
    mean = float(change.mean())
    if abs(mean) < max(SMALL, LEAST * abs(float(reference.mean()))):
        return None
    row = [label, *(pretty(median_range(values)[0]) for values in (reference, reference + change)),
           changed(Change.of(change), "short"),
           _percent(100.0 * mean / float(reference.mean())) if reference.all() else ""]
    if view.point:
        return row
    risky = _total(view.change(name, "scenario", **where))
    return [*row, pretty(float(risky.mean()))]


def _percent(value: float) -> str:
    return pretty(value, places=min(decimals([value], 2), 2))


def _table(view: ResultsView, name: str, rows: list[list[str]], importer: str, *,
           extra: Sequence[str] = (), total: bool = False) -> dict[str, Any]:
    phrases = words()["tables"]
    named = phrases["columns"] | (phrases["point"] if view.point else {})
    keys = ["reference"]
    if view.changes:
        keys = ["reference", "level", "change", "percent", "average", *extra]
    keys = [key for key in keys if not (view.point and key == "average")]
    title = phrases[name]["title"].format(**view.flow(importer), year=view.moment,
                                          count=view.pair.name(view.count))
    return {"title": title, "rows": rows, "total": total,
            "columns": [phrases[name]["first"],
                        *(named[key].format(case=view.case_words) for key in keys)]}
