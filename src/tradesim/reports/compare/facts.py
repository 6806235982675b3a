"""What the sentences of a comparison say: amounts in USD million, each once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION
from tradesim.inputs.pair import Pair
from tradesim.reports.compare.tables import chosen, heat
from tradesim.reports.ranges import NOTHING, Change, median_range
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO
from tradesim.studies.compare import (
    CASES,
    CRITERIA,
    Comparison,
    members,
    probability,
    regret,
)
from tradesim.studies.compare_paths import alike, contained, moved_reference, trough

HARDLY = 0.01
"""An effect below this share of the baseline hardly matters, whatever its sign."""

NAMED = 3
"""Packages, and shocks, that a sentence names."""

Row = dict[str, Any]


def outcomes(comparison: Comparison) -> list[Row]:
    """Last year's outcome of each policy, ranked: what the terminal and the answer show."""
    regrets, same = regret(comparison), alike(comparison)
    return [_outcome(comparison, name) | {
        "rank": rank, "best": float(regrets.chance[regrets.names.index(name)]),
        "alike": [comparison.label(other) for other in same[name]]}
        for rank, name in enumerate(chosen(comparison), 1)]


def shocks(comparison: Comparison) -> list[Row]:
    """Say what each event does in its worst year and in the last, in the order given."""
    rows = []
    for name in comparison.events:
        worst, half = trough(comparison, name)
        then = comparison.change("turnover", name, SCENARIO, count=comparison.count, year=worst)
        own = json.loads(comparison.runs[name].attrs["shocks"])
        rows.append(_outcome(comparison, name) | {
            "worst": worst, "then": Change.of(then / MILLION), "half": half,
            "policies": len(comparison.scenario(name)["levers"]) - len(own)})
    return rows


def _outcome(comparison: Comparison, name: str) -> Row:
    """Give what both kinds of scenario have: changes and probabilities of the last year."""
    where = {"count": comparison.count, "year": comparison.last}
    change = {case: comparison.change("turnover", name, case, **where) / MILLION
              for case in CASES}
    return {"name": name, "title": comparison.label(name),
            "average": Change.of(change[SCENARIO]), "implemented": Change.of(change[IMPLEMENTED]),
            "median": float(np.median(change[IMPLEMENTED])),
            "chance": {case: float(probability(comparison, name, case,
                                               comparison.target_count)[-1]) for case in CASES}}


def facts(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    """Numbers and flags that the sentences of the report use; amounts in USD million."""
    rows, where = outcomes(comparison), {"count": comparison.count, "year": comparison.last}
    base = median_range(comparison.levels("turnover", comparison.baseline, SCENARIO, **where),
                        MILLION)
    under = float(probability(comparison, comparison.baseline, SCENARIO,
                              comparison.target_count)[-1])
    events = shocks(comparison)
    return _standing(rows, base, under) | {
        "rows": rows, "events": events, "first": comparison.years[0], "last": comparison.last,
        "draws": comparison.draw_count, "base": base, "base_chance": under,
        "baseline": comparison.label(comparison.baseline),
        "count": pair.name(comparison.count), "target_count": pair.name(comparison.target_count),
        "target": [comparison.target / MILLION], "goal": pair.goal(comparison.target),
        "often": _often(comparison), "safest": _safest(comparison),
        "holds": _holds(comparison, rows), "reported": _reported(comparison, pair),
        "moved": [comparison.label(name) for name in moved_reference(comparison)],
        "projects": _projects(comparison), "untouched": _untouched(comparison, pair)}


def _standing(rows: Sequence[Row], base: Sequence[float], under: float) -> dict[str, Any]:
    """Who leads, who follows, who lowers turnover, and what none of them changes."""
    other = [row for row in rows if not row["alike"]]
    leader = other[0] if other else None
    boldest = max(rows, key=lambda row: row["implemented"].mean, default=None)
    likely = max(rows, key=lambda row: row["chance"][SCENARIO], default=None)
    largest = max((abs(row["implemented"].mean) for row in rows), default=0.0)
    still = all(row[case].nothing == 1 for row in rows for case in ("average", "implemented"))
    return {
        "leader": leader, "nothing": still,
        "next": [row for row in other[1:NAMED] if row["average"].mean > NOTHING],
        "boldest": boldest if leader and boldest and (
            boldest["implemented"].mean > leader["implemented"].mean) else None,
        "likely": likely if likely and whole(likely["chance"][SCENARIO]) > whole(under) else None,
        "less_likely": [row for row in rows if whole(row["chance"][SCENARIO]) < whole(under)],
        "lowers": [row for row in rows if row["average"].mean < -NOTHING],
        "hardly": [row for row in rows if abs(row["implemented"].mean) < HARDLY * base[0]],
        "alike": [row for row in rows if row["alike"]],
        "times": (base[2] - base[1]) / largest if largest else 0.0}


def whole(share: float) -> int:
    """Whole per cent of a share, as a reader sees it."""
    return round(100 * share)


def _often(comparison: Comparison) -> dict[str, Row]:
    """By each criterion the choice that is best in most draws; choices that are alike count as one.

    Empty where there is nothing to choose.
    """
    same, found = alike(comparison), {}
    if not comparison.policies:
        return {}
    for criterion in CRITERIA:
        one = regret(comparison, criterion)
        share: dict[str, float] = {}
        for name, chance in zip(one.names, one.chance, strict=True):
            first = next(iter(same.get(name, [])), name)
            share[first] = share.get(first, 0.0) + float(chance)
        best = max(share, key=lambda name: share[name])
        found[criterion] = {"name": best, "label": comparison.label(best), "share": share[best],
                            "tied": one.tied, "baseline": best == comparison.baseline}
    return found


def _safest(comparison: Comparison) -> dict[str, str]:
    """By each criterion the choice whose regret in 95 of 100 draws is smallest."""
    regrets = {criterion: regret(comparison, criterion) for criterion in CRITERIA}
    return {criterion: comparison.label(one.names[int(np.argmin(one.high))])
            for criterion, one in regrets.items()}


def _holds(comparison: Comparison, rows: Sequence[Row]) -> Mapping[str, list[str]]:
    """Name packages that hold everything another one sets, and do add more than it."""
    average = {row["name"]: row["average"].mean for row in rows}
    more = {name: [other for other in others if other in average
                   and average[name] > average[other] + NOTHING]
            for name, others in contained(comparison).items() if name in average}
    return {comparison.label(name): [comparison.label(other) for other in others]
            for name, others in more.items() if others}


def _projects(comparison: Comparison) -> list[str]:
    """Name packages that move trade and no welfare: projects in amounts set by the scenario."""
    def moves(variable: str, name: str, **where: Any) -> bool:
        return bool(np.abs(comparison.change(variable, name, IMPLEMENTED, **where)).max()
                    >= NOTHING * MILLION)

    return [comparison.label(name) for name in comparison.policies
            if moves("turnover", name, count=comparison.count) and not moves("welfare", name)]


def _untouched(comparison: Comparison, pair: Pair) -> list[dict[str, Any]]:
    """Product groups that no policy moves by a noticeable share, by direction."""
    if not comparison.policies:
        return []
    groups = [pair.name(str(group)) for group in comparison.first["group"].to_numpy()]
    rows = []
    for importer in members(comparison):
        level = np.median(comparison.levels(
            "trade", comparison.baseline, IMPLEMENTED, count=comparison.count,
            year=comparison.last, importer=importer), axis=0) / MILLION
        largest = np.abs(heat(comparison, importer)).max(axis=0)
        still = [group for group, change, base in zip(groups, largest, level, strict=True)
                 if change < HARDLY * base or change == 0]
        rows.append({"importer": pair.name(importer), "groups": still,
                      "exporter": pair.name(pair.partner(importer)), "all": len(groups)})
    return rows


def _reported(comparison: Comparison, pair: Pair) -> dict[str, Any]:
    by_year: dict[str, dict[str, float]] = json.loads(comparison.first.attrs["statistics"])
    latest = max(by_year)
    return {"year": latest, "values": [
        {"count": pair.name(name), "value": [value / MILLION]}
        for name, value in sorted(by_year[latest].items(),
                                  key=lambda item: item[0] != comparison.count)]}
