"""Skill with its interval, what each origin adds to it, and how wide ranges were, as texts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tradesim.reports.wording import MINUS, words
from tradesim.studies.backtest import track_record as record
from tradesim.studies.backtest.benchmarks import OPEN, RIVALS
from tradesim.studies.backtest.bootstrap import SkillRange
from tradesim.studies.backtest.track_record import RIVAL, RIVAL_ALL_YEARS

if TYPE_CHECKING:
    import pandas as pd

WALK = next(iter(RIVALS))
"""The rival with which width is compared."""


def percent(share: float) -> str:
    """Write a share as per cent."""
    number = f"{100 * share:.0f}".replace("-0", "0").replace("-", MINUS)
    return str(words("backtest")["per_cent"].format(number=number))


def log(value: float, sign: str = "") -> str:
    """Write a difference of logs."""
    return f"{value:{sign}.3f}".replace("-", MINUS)


def named(model: str) -> str:
    """Name of a model for a reader; a specification goes by its own name."""
    texts = words("backtest")
    name = str(texts["models"].get(model.removesuffix(OPEN), model))
    return str(texts["open_years"].format(name=name)) if model.endswith(OPEN) else name


def skill_cells(found: SkillRange) -> list[str]:
    """Skill, its 90 % interval, and the probability that there is none; empty for one origin."""
    if math.isnan(found.low):
        return [percent(found.skill), "", ""]
    return [percent(found.skill), f"{percent(found.low)} to {percent(found.high)}",
            percent(found.chance_of_none)]


def skill_text(found: SkillRange) -> str:
    """Give a skill with its interval as part of a sentence."""
    skill, interval, none = skill_cells(found)
    return f"{skill} [{interval}; P(skill ≤ 0) {none}]" if interval else skill


def summary(rows: pd.DataFrame, model: str) -> str:
    """Mean skill with its interval against both sets of rivals, coverage, and the largest origin.

    `rows` are those of one target and count, from `track_record.of`.
    """
    fair, every = (record.skill(rows, model, kind) for kind in (RIVAL, RIVAL_ALL_YEARS))
    first, whole = min(2, len(fair.horizons)), record.overall(rows)
    held = [percent(whole[f"covered{level}"][model]) for level in (90, 50)]
    last = fair.horizons[-1]
    over = f"Mean skill over years {first} to {last}" if first < last else f"Skill in year {first}"
    return (f"{over} against rivals that leave out "
            f"years with the corridor closed, as the model does: {skill_text(fair.range(first))}; "
            f"against rivals that see every year: {skill_text(every.range(first))}. "
            f"{_largest(rows, model, first)}Held: {held[0]} of outcomes by the 90 % ranges, "
            f"{held[1]} by the 50 % ranges.")


def _largest(rows: pd.DataFrame, model: str, first: int) -> str:
    """Name the origin that makes most of the gain on the random walk, where there is a gain."""
    each = record.by_origin(rows, (model, WALK), first, total=True)
    gain = each[WALK] - each[model]
    if len(gain) < 2 or gain.sum() <= 0:
        return ""
    return (f"Of what the model gains on the {named(WALK)} of all years there, "
            f"{percent(gain.max() / gain.sum())} comes from the forecasts made in "
            f"{gain.idxmax()}. ")


def horizon_rows(rows: pd.DataFrame, model: str) -> list[list[str]]:
    """Scores of one model by horizon, against the best rival of both kinds, as texts."""
    scores, table = record.skill(rows, model), record.by_horizon(rows)
    every = record.skill(rows, model, RIVAL_ALL_YEARS)
    by_key = {(row["model"], row["horizon"]): row for row in table.to_dict("records")}
    lines = []
    for place, h in enumerate(scores.horizons):
        mine, rival = by_key[model, h], by_key[scores.rival[place], h]
        lines.append([
            str(h), str(mine["forecasts"]), log(mine["crps"]),
            named(scores.rival[place].removesuffix(OPEN)), log(rival["crps"]),
            *skill_cells(scores.range(h, h)), *skill_cells(every.range(h, h)),
            percent(mine["covered90"]), percent(mine["covered50"]), log(mine["bias"], "+")])
    return lines


def origin_rows(rows: pd.DataFrame, model: str) -> list[list[str]]:
    """Mean CRPS by origin from the second year on: the model, and the random walk both ways."""
    first = min(2, int(rows["horizon"].max()))
    each = record.by_origin(rows, (model, WALK + OPEN, WALK), first)
    return [[str(origin), *map(log, values)]
            for origin, values in zip(each.index, each.to_numpy(), strict=True)]


def sharpness_rows(rows: pd.DataFrame, model: str) -> list[list[str]]:
    """Dispersion of the PIT and mean width of the 90 % range by horizon, as texts."""
    names = (model, WALK + OPEN, WALK)
    found = {(row["model"], row["horizon"]): row
             for row in record.sharpness(rows, names).to_dict("records")}
    return [[str(h), *(f"{found[name, h][column]:.2f}" for column in ("dispersion", "width")
                       for name in names),
             f"{found[model, h]['width'] / found[names[1], h]['width']:.2f}"]
            for h in sorted({h for _, h in found})]
