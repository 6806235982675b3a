"""What the report says: the facts its sentences are made of, and its tables.

Every number is computed here from the results, never in a template; templates only choose
words and round.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tradesim.dims import Array
from tradesim.story import MILLION, Story
from tradesim.wording import decimals, plain, probability, together, words

# An effect below this share of the reference hardly matters, whatever its sign.
HARDLY = 0.01
# The reference's range is compared with the effect when it is at least so many times as wide.
WIDER = 3
# A draw in which turnover changes by less than this (USD million) is one without an effect.
NOTHING = 1e-6
# Fitted number on which the reference path hangs most.
DRIVER = "reference.elasticity_gdp"
# Fewer draws than this are too few to be looked at by thirds.
THIRDS = 60

Middle = tuple[float, float, float]


def middle(values: Array) -> Middle:
    """Median and the ends of the 80 % range over draws."""
    low, median, high = np.quantile(values, [0.1, 0.5, 0.9], axis=0)
    return float(median), float(low), float(high)


def average(values: Array) -> Middle:
    """Mean over draws and the ends of the 80 % range."""
    return float(values.mean()), *middle(values)[1:]


def facts(story: Story) -> dict[str, Any]:
    """Numbers and flags that the sentences of the report use.

    Parameters
    ----------
    story
        The run and its past.

    Returns
    -------
    dict
        Amounts in USD million as numbers or (middle, low, high); names as text.
    """
    pair, last = story.pair, story.last
    target = float(story.dataset.attrs["target_value"]) / MILLION
    blocks = [_block(story, count, target) for count in story.counts]
    end = blocks[0]["rows"][-1]["numbers"]
    chance = {case: _chance(story, pair.target_count, case, last, target) for case in story.cases}
    years = story.history.years
    found = {
        "count": pair.name(story.count), "target_count": pair.name(pair.target_count),
        "changes": story.changes, "draws": story.draw_count, "target": [target],
        "now": {"year": years[-1], "value": [blocks[0]["reported"]]},
        "sample": (years[0], years[-1]),
        "last": {"year": last, **end}, "blocks": blocks, "others": _others(story, blocks),
        "chance": chance, "residual": f"{story.dataset.attrs['max_residual']:.0e}",
        "chance_error": [_chance_error(chance["reference"], story.draw_count)],
        "middle": story.milestones[0] if len(story.milestones) > 1 else None,
    }
    found["hangs"] = _hangs(story, target)
    return found | _effect(story, end) | _chances(chance) if story.changes else found


def _block(story: Story, count: str, target: float) -> dict[str, Any]:
    reported = float(story.reported(count)[-1].sum())
    rows = []
    for year in story.milestones:
        where = {"count": count, "year": year}
        numbers = {"reference": middle(story.draws("turnover", "reference", **where))}
        if story.changes:
            change = {case: story.change("turnover", case, **where) for case in story.cases[1:]}
            numbers |= {"scenario": middle(story.draws("turnover", "scenario", **where)),
                        "effect": average(change["scenario"]),
                        "implemented": middle(change["if_implemented"])}
        rows.append({"year": year, "numbers": numbers,
                     **{name: _in_words(three) for name, three in numbers.items()},
                     "chances": [probability(_chance(story, count, case, year, target), "short")
                                 for case in story.cases]})
    return {"count": story.pair.name(count), "reported": reported, "now": together([reported])[0],
            "rows": rows}


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


def _effect(story: Story, end: dict[str, Middle]) -> dict[str, Any]:
    where = {"count": story.count, "year": story.last}
    change = story.change("turnover", "if_implemented", **where)
    percent = middle(100 * change / story.draws("turnover", "reference", **where))
    risky = story.change("turnover", "scenario", **where)
    median, low, high = end["implemented"]
    lower = median < 0
    spread = end["reference"][2] - end["reference"][1]
    times = round(spread / abs(median)) if median else 0
    return {
        "unclear": low <= 0 <= high, "lower": lower, "hardly": abs(percent[0]) < 100 * HARDLY,
        "size": (-median, -high, -low) if lower else (median, low, high),
        "size_percent": [abs(percent[0])],
        "nothing": float((np.abs(risky) < NOTHING).mean()),
        "skewed": abs(end["effect"][0]) > abs(median),
        "risky": bool(np.any(np.abs(risky - change) > NOTHING)),
        "times": times if times >= WIDER else 0,
        "effect_error": [float(risky.std() / np.sqrt(story.draw_count))],
        "largest": [_largest(story, importer) for importer in story.pair.importers],
        "losers": [_loser(story, importer) for importer in story.pair.importers],
    }


def _largest(story: Story, importer: str) -> dict[str, Any]:
    change = story.change("trade", "if_implemented", count=story.count, year=story.last,
                          importer=importer)
    place = int(np.argmax(np.abs(np.median(change, axis=0))))
    return {"importer": story.pair.name(importer),
            "exporter": story.pair.name(story.pair.partner(importer)),
            "group": story.pair.name(str(story.dataset["group"].values[place])),
            "change": middle(change[:, place])}


def _loser(story: Story, importer: str) -> dict[str, Any]:
    pair, codes = story.pair, [str(code) for code in story.dataset["exporter"].values]
    change = story.change("imports", "if_implemented", year=story.last, importer=importer)
    partner = codes.index(pair.partner(importer))
    rivals = [place for place in range(len(codes)) if place != partner]
    medians = np.median(change, axis=0)
    worst, best = (int(pick(rivals, key=lambda place: float(medians[place])))
                   for pick in (min, max))

    def name(place: int) -> str:
        return str(words()["home_sales"]) if codes[place] == importer else pair.name(codes[place])

    return {"importer": pair.name(importer), "partner": name(partner),
            "change": middle(change[:, partner]),
            "loser": name(worst), "loses": medians[worst] < 0, "loss": middle(change[:, worst]),
            "winner": name(best), "wins": medians[best] > max(0.0, medians[partner]),
            "gain": middle(change[:, best])}


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
    names = {"tariff_revenue": "treasury", "consumer_surplus": "consumers",
             "producer_surplus": "producers", "exporter_surplus": "exporters", "welfare": "net"}
    rows = [_row(story, words()["tables"]["account"].format(year=year, account=words()[key]), name,
                 _same, year=year, importer=importer)
            for year in story.milestones for name, key in names.items()]
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
            rows.append([phrases[key].format(**names), *_side(read)])
    keys = ["reference", *(["level", "change", "percent", "mean", "chance"]
                           if story.changes else [])]
    columns = [phrases["first"], *(phrases[key].format(first=story.years[0], last=story.last)
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
        [float(np.median(100 * change[:, -1] / reference[:, -1]))], 2)[0]
    return [*level, after, _in_words(middle(change[:, -1])), share,
            _in_words(middle(change.mean(axis=1))),
            probability(float((change[:, -1] > NOTHING).mean()), "short")]


def _same(values: Array) -> Array:
    return values


def _sum(values: Array) -> Array:
    return np.asarray(values.sum(axis=-1))


def _row(story: Story, label: str, name: str, reduce: Callable[[Array], Array],
         **where: Any) -> list[str]:
    reference = reduce(story.draws(name, "reference", **where))
    if not story.changes:
        return [label, *(plain(value) for value in middle(reference))]
    change = reduce(story.change(name, "if_implemented", **where))
    risky = reduce(story.change(name, "scenario", **where))
    median, low, high = middle(change)
    surplus = not reference.any()
    share = "" if surplus else _percent(float(np.median(100 * change / reference)))
    levels = ["", ""] if surplus else [plain(middle(values)[0])
                                       for values in (reference, reference + change)]
    return [label, *levels, *(plain(value) for value in (median, low, high)), share,
            plain(float(risky.mean()))]


def _percent(value: float) -> str:
    return plain(value, places=min(decimals([value], 2), 2))


def _table(story: Story, name: str, rows: list[list[str]], importer: str, *,
           extra: Sequence[str] = (), total: bool = False) -> dict[str, Any]:
    phrases, pair = words()["tables"], story.pair
    keys = ["reference", "reference_low", "reference_high"]
    if story.changes:
        keys = ["reference", "level", "change", "low", "high", "percent", "average", *extra]
    title = phrases[name]["title"].format(
        importer=pair.name(importer), exporter=pair.name(pair.partner(importer)),
        year=story.last, count=pair.name(story.count))
    return {"title": title, "rows": rows, "total": total,
            "columns": [phrases[name]["first"], *(phrases["columns"][key] for key in keys)]}
