"""Boxes in words: what a limit means, how strong it is, and what happens in the box."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import yaml

from tradesim.common.arrays import MILLION
from tradesim.reports.sweep_figures import title_of
from tradesim.reports.wording import TEMPLATES, decimals, pretty
from tradesim.studies.discover.discover import Data, Discovery, Question, Region
from tradesim.studies.discover.prim import Box
from tradesim.studies.sweep.results import SweptFactor

SHARES = ("share", "probability", "share of value")
BARE = ("log", "log USD", "log per log", "ratio", "elasticity", "factor", "sum of logs",
        "correlation", "place in order", "log per share of value", "log per year closed")
"""Units that are shares, and units that say nothing beside a number."""
VERY, CLEAR = 1 / 3, 2 / 3
"""A limit is strong when it leaves less than a third of the cases, weak when more than two."""


@cache
def phrases() -> dict[str, Any]:
    """Words of scenario discovery, from the templates folder."""
    read: dict[str, Any] = yaml.safe_load((TEMPLATES / "discover.yaml").read_text(encoding="utf-8"))
    return read


def number(value: float, factor: SweptFactor) -> str:
    """Write a value of a factor in its natural unit."""
    if factor.unit in SHARES:
        return f"{pretty(100 * value, places=0 if abs(value) >= 0.1 else 1)} %"
    if factor.unit == "year":
        return str(round(value))
    text = pretty(value, places=min(decimals([value]), 2) if abs(value) >= 0.1 else None)
    return text if not factor.unit or factor.unit in BARE else f"{text} {factor.unit}"


def named(factor: SweptFactor) -> str:
    """Name a factor with its unit, where that says anything, for an axis."""
    return factor.title if factor.unit in ("", *BARE) else f"{factor.title}, {factor.unit}"


def small(title: str) -> str:
    """Begin a title with a small letter, unless it begins with an abbreviation or a name."""
    first = title.split(" ")[0]
    proper = first[1:] != first[1:].lower() or "'" in first
    return title if proper else title[:1].lower() + title[1:]


def condition(data: Data, box: Box, k: int) -> str:
    """Say in words what a box asks of one factor."""
    factor, column = data.factors[k], data.x[:, k]
    low, high = float(box.low[k]), float(box.high[k])
    words, title = phrases(), small(factor.title)
    if len(np.unique(column)) == 2:
        if np.isfinite(low):
            return title
        subject = title.removesuffix(words["happens"])
        return str(words["no"].format(title=title) if subject == title
                   else subject + words["happens_not"])
    kept = float(((column >= low) & (column <= high)).mean())
    rank = 0 if kept < VERY else 1 if kept < CLEAR else 2
    year = factor.unit == "year"
    if np.isfinite(low) and np.isfinite(high):
        adverb = words["middle"]
    elif np.isfinite(low):
        adverb = words[("very_late", "late", "not_early")[rank] if year else
                       ("very_high", "high", "not_low")[rank]]
    else:
        adverb = words[("very_early", "early", "not_late")[rank] if year else
                       ("very_low", "low", "not_high")[rank]]
    return str(words["condition"].format(title=title, adverb=adverb,
                                         limits=limits(factor, low, high)))


def limits(factor: SweptFactor, low: float, high: float) -> str:
    """Write limits with their unit; years as whole years."""
    words, year = phrases(), factor.unit == "year"
    ends = {"low": number(np.ceil(low) if year and np.isfinite(low) else low, factor)
            if np.isfinite(low) else "",
            "high": number(np.floor(high) if year and np.isfinite(high) else high, factor)
            if np.isfinite(high) else ""}
    if ends["low"] and ends["high"]:
        return str(words["between"].format(**ends))
    return str(words[("from" if year else "above") if ends["low"] else
                     ("until" if year else "below")].format(**ends))


def conditions(data: Data, box: Box) -> str:
    """Say in words all that a box asks for."""
    parts = [condition(data, box, k) for k in box.restricted]
    if not parts:
        return str(phrases()["anything"])
    return ", ".join(parts[:-1]) + (" and " if parts[:-1] else "") + parts[-1]


def asked(question: Question, target: float | None,
          counts: dict[str, str]) -> tuple[str, str]:
    """Say in words what counts as a hit: in full, and in short for what follows."""
    output, words = question.output, phrases()
    scale, unit = (MILLION, "USD {} million") if output.unit == "USD" else (
        1.0, f"{{}} {output.unit}".strip())
    threshold = unit.format(pretty(question.threshold / scale))
    if output.variable == "turnover" and target == question.threshold and (
            not output.case.startswith("effect")):
        key = "reached" if question.above else "not_reached"
    else:
        key = "at_least" if question.above else "less"
    text = words[key].format(output=title_of(output, counts), threshold=threshold)
    return text[:1].upper() + text[1:], words["short"][key].format(threshold=threshold)


def sentence(found: Discovery, region: Region, what: str, rest: bool = False) -> str:
    """Say in words how often there is a hit in a box and elsewhere."""
    words = phrases()
    return str(words["sentence"].format(
        what=what, density=percent(region.density), conditions=conditions(found.data, region.box),
        elsewhere=percent(region.elsewhere), where=words["others" if rest else "elsewhere"]))


def percent(share: float) -> str:
    """Write a share as whole per cent."""
    return "–" if not np.isfinite(share) else pretty(100 * share, places=0)
