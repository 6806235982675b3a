"""What the report says: the facts its sentences are made of, and its tables.

Every number is computed here from the results, never in a template; templates only choose
words and round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.levers import Lever
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.reports.run.accounts import assumed_part
from tradesim.reports.run.view import NOTHING, Change, Story
from tradesim.reports.wording import changed, decimals, plain, probability, together, words

# An effect below this share of the reference hardly matters, whatever its sign.
HARDLY = 0.01
# The reference's range is compared with the effect when it is at least so many times as wide.
WIDER = 3
# A mean change below this (USD million) would be printed as zero.
VISIBLE = 5e-5
# Fitted number on which the reference path hangs most.
DRIVER = "reference.elasticity_gdp"
# Fewer draws than this are too few to be looked at by thirds.
THIRDS = 60

ACCOUNTS = {"consumer_surplus": "consumers", "producer_surplus": "producers",
            "exporter_surplus": "exporters", "tariff_revenue": "revenue", "welfare": "net"}
"""Accounts of a market in the order of tables and figures, with the keys of their names."""

Middle = tuple[float, float, float]
Read = Callable[[int], list[Array]]


def middle(values: Array) -> Middle:
    """Median and the ends of the 80 % range over draws."""
    low, median, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
    return float(median), float(low), float(high)


def facts(story: Story, levers: Sequence[Lever] = ()) -> dict[str, Any]:
    """Numbers and flags that the sentences of the report use.

    Parameters
    ----------
    story
        The run and its past.
    levers
        Those that the scenario pulls, to be named where they change nothing.

    Returns
    -------
    dict
        Amounts in USD million as numbers, (middle, low, high) or `Change`; names as text.
    """
    pair, last = story.pair, story.last
    target = float(story.dataset.attrs["target_value"]) / MILLION
    blocks = [_block(story, count, target) for count in story.counts]
    end = blocks[0]["rows"][-1]["numbers"]
    chance = {case: _chance(story, pair.target_count, case, last, target) for case in story.cases}
    years = story.history.years
    found = {
        "count": pair.name(story.count), "target_count": pair.name(pair.target_count),
        "changes": story.changes, "draws": story.draw_count, "point": story.point,
        "target": [target],
        "now": {"year": years[-1], "value": [blocks[0]["reported"]]},
        "sample": (years[0], years[-1]),
        "last": {"year": last, **end}, "blocks": blocks, "others": _others(story, blocks),
        "chance": chance, "residual": f"{story.dataset.attrs['max_residual']:.0e}",
        "chance_error": [_chance_error(chance["reference"], story.draw_count)],
        "middle": story.milestones[0] if len(story.milestones) > 1 else None,
    }
    found["hangs"] = _hangs(story, target)
    if not story.changes:
        found["idle"] = _idle(story, levers)
    return found | _effect(story, end) | _chances(chance) if story.changes else found


def _block(story: Story, count: str, target: float) -> dict[str, Any]:
    reported = float(story.reported(count)[-1].sum())
    rows = []
    for year in story.milestones:
        where = {"count": count, "year": year}
        numbers: dict[str, Any] = {
            "reference": middle(story.draws("turnover", "reference", **where))}
        if story.changes:
            change = {case: Change.of(story.change("turnover", case, **where))
                      for case in story.cases[1:]}
            numbers |= {"scenario": middle(story.draws("turnover", story.policy, **where)),
                        "effect": change["scenario"], "implemented": change["if_implemented"]}
        rows.append({"year": year, "numbers": numbers,
                     **{name: changed(amount, "short") if isinstance(amount, Change)
                        else _in_words(amount) for name, amount in numbers.items()},
                     "chances": [probability(_chance(story, count, case, year, target), "short")
                                 for case in story.cases]})
    return {"count": story.pair.name(count), "reported": reported, "now": together([reported])[0],
            "rows": rows}


def _idle(story: Story, levers: Sequence[Lever]) -> dict[str, Any]:
    """Say what is set although nothing changes; levers with the year in which they start."""
    scenario = json.loads(story.dataset.attrs["scenario"])
    late, others = [], []
    for lever in levers:
        start = scenario["levers"][lever.name].get("start")
        setting = lever.settings.get("start")
        if start is None and isinstance(setting, Parameter):
            start = float(quantile(setting, np.array([0.5]))[0])
        if start is not None and round(start) > story.last:
            late.append({"title": lever.title, "year": round(start)})
        else:
            others.append(lever.title)
    return {"late": late, "others": others, "levers": bool(scenario["levers"]),
            "parameters": list(scenario["parameters"])}


def _hangs(story: Story, target: float) -> dict[str, Any] | None:
    """Give the reference where the elasticity to GDP is in its lowest and in its highest third."""
    if story.draw_count < THIRDS or DRIVER not in story.dataset["factor"]:
        return None
    elasticity = np.asarray(story.dataset["factors"].sel(factor=DRIVER), dtype=float)
    turnover = story.draws("turnover", "reference", count=story.pair.target_count,
                           year=story.last)
    low, high = np.quantile(elasticity, [1 / 3, 2 / 3])
    return {name: {"edge": plain(float(edge), 2), "value": [float(np.median(turnover[chosen]))],
                   "chance": float((turnover[chosen] >= target).mean())}
            for name, edge, chosen in (("low", low, elasticity <= low),
                                       ("high", high, elasticity >= high))}


def _in_words(three: Middle) -> str:
    if min(three) == max(three):
        return together(three)[0]
    median, low, high = together(three)
    return str(words()["range_short"].format(middle=median, low=low, high=high))


def _chance(story: Story, count: str, case: str, year: int, target: float) -> float:
    return float((story.draws("turnover", case, count=count, year=year) >= target).mean())


def _chance_error(share: float, draws: int) -> float:
    # The rule of three (upper 95 % end near 3/n) keeps the error above zero for a share of 0 or 1.
    return 100 * max(float(np.sqrt(share * (1 - share) / draws)), 1 / draws)


def _chances(chance: dict[str, float]) -> dict[str, Any]:
    return {"same_chance": len({probability(share) for share in chance.values()}) == 1}


def _others(story: Story, blocks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    first = story.reported(story.count).sum(axis=1)
    others = []
    for count, block in zip(story.counts[1:], blocks[1:], strict=True):
        ratio = first / story.reported(count).sum(axis=1)
        others.append({"count": block["count"], "value": [block["reported"]],
                       "ratio": plain(float(ratio[-1]), 2),
                       "mean_ratio": plain(float(np.nanmean(ratio)), 2)})
    return others


def _effect(story: Story, end: dict[str, Any]) -> dict[str, Any]:
    by_year = story.change("turnover", "if_implemented", count=story.count)
    change, risky = by_year[:, -1], story.change("turnover", "scenario", count=story.count,
                                                 year=story.last)
    percent = 100 * change / story.draws("turnover", "reference", count=story.count,
                                         year=story.last)
    lower, mean = end["implemented"].mean < 0, abs(end["implemented"].mean)
    peak = int(np.argmax(np.abs(by_year.mean(axis=0))))
    times = round((end["reference"][2] - end["reference"][1]) / mean) if mean > NOTHING else 0
    return {
        "unclear": end["implemented"].straddles, "lower": lower,
        "partial": end["implemented"].partial, "some": 1 - end["implemented"].nothing,
        "peak": {"year": story.years[peak], "change": Change.of(by_year[:, peak])},
        "hardly": abs(float(percent.mean())) < 100 * HARDLY,
        "size": Change.of(-change if lower else change),
        "size_percent": [abs(float(percent.mean()))],
        "risky": not story.point and bool(np.any(np.abs(risky - change) > NOTHING)),
        "times": times if times >= WIDER else 0,
        "effect_error": [float(risky.std() / np.sqrt(story.draw_count))],
        "assumed": assumed_part(story, float(change.mean())),
        "largest": [_largest(story, importer) for importer in story.pair.importers],
        "losers": [_loser(story, importer) for importer in story.pair.importers],
    }


def _largest(story: Story, importer: str) -> dict[str, Any]:
    change = story.change("trade", "if_implemented", count=story.count, year=story.last,
                          importer=importer)
    means = np.abs(change.mean(axis=0))
    place = int(np.argmax(means))
    return {"importer": story.pair.name(importer),
            "exporter": story.pair.name(story.pair.partner(importer)),
            "group": story.pair.name(str(story.dataset["group"].values[place])),
            "change": Change.of(change[:, place]), "none": means[place] < VISIBLE}


def _loser(story: Story, importer: str) -> dict[str, Any]:
    pair, codes = story.pair, [str(code) for code in story.dataset["exporter"].values]
    change = story.change("imports", "if_implemented", year=story.last, importer=importer)
    partner = codes.index(pair.partner(importer))
    rivals = [place for place in range(len(codes)) if place != partner]
    means = change.mean(axis=0)
    worst, best = (int(pick(rivals, key=lambda place: float(means[place])))
                   for pick in (min, max))

    def name(place: int) -> str:
        return str(words()["home_sales"]) if codes[place] == importer else pair.name(codes[place])

    return {"importer": pair.name(importer), "partner": name(partner),
            "change": Change.of(change[:, partner]),
            "loser": name(worst), "loses": means[worst] < -VISIBLE,
            "loss": Change.of(change[:, worst]),
            "winner": name(best), "wins": means[best] > max(VISIBLE, means[partner]),
            "gain": Change.of(change[:, best])}


def tables(story: Story) -> list[dict[str, Any]]:
    """Tables of the report: by direction and group, suppliers, accounts, home producers.

    Returns
    -------
    list of dict
        Each with ``title``, ``columns``, ``rows`` (texts), and ``total`` when its last row is one.
    """
    made = [_trade(story, importer) for importer in story.pair.importers]
    made += [_suppliers(story, importer) for importer in story.pair.importers]
    if story.changes:
        made += [_accounts(story, importer) for importer in story.pair.importers]
        made += [_producers(story, importer) for importer in story.pair.importers]
    return made


def _trade(story: Story, importer: str) -> dict[str, Any]:
    where = {"count": story.count, "year": story.last, "importer": importer}
    groups = [str(group) for group in story.dataset["group"].values]
    rows = [_row(story, story.pair.name(group), "trade", _same, **where, group=group)
            for group in groups]
    rows.append(_row(story, words()["all_groups"], "trade", _sum, **where))
    return _table(story, "trade", rows, importer, total=True)


def _suppliers(story: Story, importer: str) -> dict[str, Any]:
    where = {"year": story.last, "importer": importer}
    codes = [str(code) for code in story.dataset["exporter"].values]
    order = sorted(codes, key=lambda code: (code == importer, code != story.pair.partner(importer)))
    rows = []
    for code in order:
        name = words()["home_sales"] if code == importer else story.pair.name(code)
        row = _row(story, name, "imports", _same, **where, exporter=code)
        if story.changes:
            parts = [story.change(part, "if_implemented", **where, exporter=code)
                     for part in ("trade_creation", "trade_diversion")]
            row += [plain(float(part.mean())) for part in parts]
        rows.append(row)
    return _table(story, "suppliers", rows, importer, extra=["creation", "diversion"])


def _accounts(story: Story, importer: str) -> dict[str, Any]:
    rows = [_row(story, words()["tables"]["account"].format(year=year, account=words()[key]), name,
                 _same, year=year, importer=importer)
            for year in story.milestones for name, key in ACCOUNTS.items()]
    return _table(story, "accounts", rows, importer)


def _producers(story: Story, importer: str) -> dict[str, Any]:
    where = {"year": story.last, "importer": importer}
    groups = [str(group) for group in story.dataset["group"].values]
    rows = [_row(story, story.pair.name(group), "home_output", _same, **where, group=group)
            for group in groups]
    rows.append(_row(story, words()["all_groups"], "home_output", _sum, **where))
    return _table(story, "producers", rows, importer, total=True)


def sides(story: Story) -> dict[str, Any]:
    """Tell what both countries export, import, collect and gain in the last year, in a table.

    Flows are on the headline count for both sides, so that one's exports are the other's
    imports; revenue and gain are of all trade with all partners.
    """
    phrases, pair = words()["sides"], story.pair
    rows = []
    for country in pair.importers:
        partner = pair.partner(country)
        names = {"country": pair.name(country), "partner": pair.name(partner)}
        for key, parts in _items(country, partner).items():
            read = {case: sum(sign * story.draws(name, case, **where).reshape(
                        story.draw_count, len(story.years), -1).sum(axis=-1)
                        for sign, name, where in _on(parts, story.count))
                    for case in story.cases}
            if any(row := _side(read)):
                rows.append([phrases[key].format(**names), *row])
    keys = ["reference", *(["level", "change", "percent", "mean",
                             *([] if story.point else ["chance"])] if story.changes else [])]
    named = phrases | (phrases["point"] if story.point else {})
    columns = [phrases["first"], *(named[key].format(first=story.years[0], last=story.last)
                                   for key in keys)]
    return {"title": phrases["title"].format(year=story.last, count=pair.name(story.count)),
            "columns": columns, "rows": rows, "total": False}


def _items(country: str, partner: str) -> dict[str, list[tuple[int, str, str]]]:
    return {"exports": [(1, "trade", partner)], "imports": [(1, "trade", country)],
            "balance": [(1, "trade", partner), (-1, "trade", country)],
            "tariff_revenue": [(1, "tariff_revenue", country)],
            "welfare": [(1, "welfare", country)]}


def _on(parts: list[tuple[int, str, str]], count: str) -> Iterator[tuple[int, str, dict[str, str]]]:
    for sign, name, importer in parts:
        yield sign, name, ({"count": count} if name == "trade" else {}) | {"importer": importer}


def _side(read: dict[str, Any]) -> list[str]:
    """One row: levels, change in two units, its yearly average and the chance of a rise."""
    reference = read["reference"]
    absent = not reference.any()
    level = ["" if absent else _in_words(middle(reference[:, -1]))]
    if "if_implemented" not in read:
        return level
    change = read["if_implemented"] - reference
    after = "" if absent else _in_words(middle(read["if_implemented"][:, -1]))
    share = "" if absent or (reference[:, -1] <= 0).any() else together(
        [float((100 * change[:, -1] / reference[:, -1]).mean())], 2)[0]
    chance = [probability(float((change[:, -1] > NOTHING).mean()), "short")]
    return [*level, after, changed(Change.of(change[:, -1]), "short"), share,
            changed(Change.of(change.mean(axis=1)), "short"), *(chance if len(change) > 1 else [])]


def supplier_changes(story: Story, importer: str) -> tuple[list[str], Read]:
    """Names of a market's suppliers, and the changes of their sales if implemented by year."""
    codes = [str(code) for code in story.dataset["exporter"].values]
    codes.sort(key=lambda code: (code == importer, code != story.pair.partner(importer)))
    labels = [words()["home_sales"] if code == importer else story.pair.name(code)
              for code in codes]
    return labels, lambda year: [
        story.change("imports", "if_implemented", year=year, importer=importer, exporter=code)
        for code in codes]


def account_changes(story: Story, importer: str) -> tuple[list[str], Read]:
    """Names of a market's accounts, and their changes if implemented by year."""
    return [words()[key] for key in ACCOUNTS.values()], lambda year: [
        story.change(name, "if_implemented", year=year, importer=importer) for name in ACCOUNTS]


def _same(values: Array) -> Array:
    return values


def _sum(values: Array) -> Array:
    return np.asarray(values.sum(axis=-1))


def _row(story: Story, label: str, name: str, reduce: Callable[[Array], Array],
         **where: Any) -> list[str]:
    reference = reduce(story.draws(name, "reference", **where))
    if not story.changes:
        return [label, *(plain(value) for value in middle(reference)[:1 if story.point else 3])]
    change = reduce(story.change(name, "if_implemented", **where))
    risky = reduce(story.change(name, "scenario", **where))
    mean = float(change.mean())
    surplus = not reference.any()
    share = "" if surplus else _percent(float((100 * change / reference).mean()))
    levels = ["", ""] if surplus else [plain(middle(values)[0])
                                       for values in (reference, reference + change)]
    if story.point:
        return [label, *levels, plain(mean), share]
    return [label, *levels, *(plain(value) for value in (mean, *middle(change)[1:])), share,
            plain(float(risky.mean()))]


def _percent(value: float) -> str:
    return plain(value, places=min(decimals([value], 2), 2))


def _table(story: Story, name: str, rows: list[list[str]], importer: str, *,
           extra: Sequence[str] = (), total: bool = False) -> dict[str, Any]:
    phrases, pair = words()["tables"], story.pair
    named = phrases["columns"] | (phrases["point"] if story.point else {})
    ranged = {"reference_low", "reference_high", "low", "high", "average"}
    keys = ["reference", "reference_low", "reference_high"]
    if story.changes:
        keys = ["reference", "level", "change", "low", "high", "percent", "average", *extra]
    keys = [key for key in keys if not (story.point and key in ranged)]
    title = phrases[name]["title"].format(
        importer=pair.name(importer), exporter=pair.name(pair.partner(importer)),
        year=story.last, count=pair.name(story.count))
    return {"title": title, "rows": rows, "total": total,
            "columns": [phrases[name]["first"], *(named[key] for key in keys)]}
