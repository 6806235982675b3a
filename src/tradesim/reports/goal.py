"""What `tradesim goal` writes: a table, a figure, a page, and a few terminal lines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from tradesim.common.arrays import MILLION, Array
from tradesim.inputs.pair import Pair
from tradesim.reports.decompose import write_study
from tradesim.reports.figure_style import COUNTS, beside, subplots
from tradesim.reports.html_page import write_figures
from tradesim.reports.terminal import columns
from tradesim.reports.wording import decimals, plain, pretty, words, wrapped
from tradesim.studies.goal import GROWTH, GROWTH_BOUND
from tradesim.studies.goal_answer import TOGETHER, Goal, Move

TABLE = "goal.csv"
SHOWN = 8
"""Things moved that the terminal shows when none was named."""

LINES = 6
"""Things moved that are drawn: those that bring the probability furthest."""


def tidy(answer: Goal) -> pd.DataFrame:
    """One row per value tried, and per statistic of the first year.

    Returns
    -------
    pandas.DataFrame
        ``what`` (probability, needed, first_year, not_reached), ``name``, ``setting`` and
        ``unit`` of what is moved, ``moved_to``, ``case``, ``statistic``, ``value``.
    """
    rows: list[dict[str, Any]] = [{"what": "probability", "name": "as assumed",
                                   "case": answer.case, "value": answer.now}]
    for move in answer.moves:
        for moved_to, chance in zip(move.tried, move.chances, strict=True):
            rows.append({"what": "probability", "name": move.label, "unit": move.unit,
                         "moved_to": moved_to, "case": answer.case, "value": chance})
        if move.found is not None:
            rows += [{"what": "needed", "name": move.label, "setting": name, "unit": move.unit,
                      "case": answer.case, "value": value}
                     for name, value in move.settings.items()]
    for first in answer.first_years:
        rows += [{"what": "first_year", "case": first.case, "statistic": key,
                  "value": getattr(first, key)} for key in ("p10", "p50", "p90")]
        rows.append({"what": "not_reached", "case": first.case, "value": first.never})
    frame = pd.DataFrame(rows, columns=["what", "name", "setting", "unit", "moved_to", "case",
                                        "statistic", "value"])
    return frame.assign(target=answer.target, year=answer.year, count=answer.attrs["count"])


def labels(answer: Goal, titles: Mapping[str, str]) -> dict[str, str]:
    """Give each thing moved its name for people."""
    phrases = words("study")
    return {move.label: phrases["growth"] if move.label == GROWTH
            else phrases["together"].format(names=", ".join(move.names))
            if move.label == TOGETHER else titles[move.label] for move in answer.moves}


def in_per_cent(share: float) -> str:
    """Write a share in per cent, three digits at most."""
    return f"{100 * share:.3g}"


def shown(value: float, unit: str) -> str:
    """Write a value: whole years, shares in the unit they come in."""
    return str(round(value)) if unit == "year" else plain(value)


def outward(value: float, now: float, unit: str) -> str:
    """Write a value that is needed, rounded away from today's so that it is still enough."""
    if unit == "year" or not value:
        return shown(value, unit)
    step = 10.0 ** -decimals([value])
    rounded = np.ceil(value / step) * step if value > now else np.floor(value / step) * step
    return plain(float(rounded), 6, places=decimals([value]))


def needed(move: Move) -> str:
    """Write what is needed, or nothing where no value in the range is enough."""
    if move.found is None:
        return "–"
    if move.label != TOGETHER:
        return outward(move.found, move.now, move.unit)
    settings = ", ".join(f"{name} {value:.4g}" for name, value in move.settings.items())
    return str(words("study")["together_value"].format(share=plain(move.found), settings=settings))


def verdict(move: Move) -> str:
    """Say in words whether the target comes within reach, and how close where not."""
    phrases, (value, chance) = words("study")["answers"], move.best
    text = phrases["found"] if move.found is not None else phrases["short"].format(
        chance=in_per_cent(chance), value=shown(value, move.unit))
    return str(text) + (phrases["turns"] if move.turns else "")


def _ordered(answer: Goal) -> list[Move]:
    return sorted(answer.moves, key=lambda move: (move.found is None, -move.best[1]))


def _row(move: Move, name: str) -> list[str]:
    chance = (move.chances[move.tried.index(move.found)] if move.found is not None
              else move.best[1])
    return [name, move.unit, shown(move.now, move.unit), needed(move),
            f"{in_per_cent(chance)} %",
            f"{shown(move.tried[0], move.unit)} to {shown(move.tried[-1], move.unit)}",
            verdict(move)]


def _years(answer: Goal) -> list[list[str]]:
    phrases = words("study")
    rows = []
    for first in answer.first_years:
        reached = [phrases["never"] if value is None else str(round(value))
                 for value in (first.p10, first.p50, first.p90)]
        rows.append([phrases["cases"][first.case], *reached, f"{in_per_cent(first.never)} %"])
    return rows


def _year_heads(answer: Goal) -> list[str]:
    return [text.format(horizon=answer.study.scenario.horizon)
            for text in words("study")["columns"]["years"]]


def outcome(answer: Goal) -> str:
    """Short table for the terminal."""
    phrases, base = words("study"), answer.study.base
    heads = phrases["columns"]["moves"]
    asked = (f"USD {answer.target / MILLION:,.0f} million in {answer.year}, "
            f"{base.pair.name(answer.attrs['count'])}, {phrases['cases'][answer.case]}")
    lines = [f"{asked}: probability {in_per_cent(answer.now)} %, asked for "
             f"{in_per_cent(answer.probability)} %", ""]
    moves = _ordered(answer)
    rows = [[heads[0], *heads[2:5]]]
    for move in moves[:SHOWN]:
        row = _row(move, move.label)
        answered = row[3].partition(":")[0] if move.found is not None else f"not within {row[5]}"
        rows.append([row[0], f"{row[2]} {move.unit}", answered, row[4]])
    lines.append(columns(rows))
    lines += [f"together: {needed(move)}" for move in moves if move.label == TOGETHER]
    if len(moves) > SHOWN:
        lines.append(f"and {len(moves) - SHOWN} more, in the report, that bring less")
    lines += [f"left out: {name}: {reason}" for name, reason in answer.left_out.items()]
    lines += ["", phrases["years_title"].format(
        target=f"USD {answer.target / MILLION:,.0f} million"),
        columns([_year_heads(answer), *_years(answer)]), "",
        f"{answer.attrs['draws']} draws, seed {answer.attrs['seed']}, "
        f"run {answer.attrs['run_id']}"]
    return "\n".join(lines)


def write(answer: Goal, folder: Path, titles: Mapping[str, str]) -> None:
    """Write table, figure, page, resolved scenario and manifest into an existing folder."""
    tidy(answer).to_csv(folder / TABLE, index=False, float_format="%.6g", lineterminator="\n")
    names, phrases, pair = labels(answer, titles), words("study"), answer.study.base.pair
    drawn = write_figures({"chances": lambda: chances(answer, pair, names)}, folder,
                          str(answer.attrs["run_id"]))
    target = f"USD {pretty(answer.target / MILLION)} million"
    moves = _ordered(answer)
    tables = [
        {"title": phrases["moves_title"].format(target=target, year=answer.year,
                                              probability=in_per_cent(answer.probability)),
         "columns": phrases["columns"]["moves"], "total": False,
         "rows": [_row(move, names[move.label]) for move in moves]},
        {"title": phrases["years_title"].format(target=target), "columns": _year_heads(answer),
         "rows": _years(answer), "total": False}]
    lines = [f"{names[move.label]}: {needed(move)}" + (
                 "." if move.label == TOGETHER else
                 f" {move.unit} (now {shown(move.now, move.unit)}).")
             for move in moves if move.found is not None]
    closest = max(moves, key=lambda move: move.best[1])
    draws = answer.study.scenario.draws
    error = 100 * np.sqrt(answer.probability * (1.0 - answer.probability) / draws)
    facts = {
        "target": answer.target / MILLION, "year": answer.year,
        "asked": in_per_cent(answer.probability), "now": in_per_cent(answer.now),
        "count": pair.name(answer.attrs["count"]), "case": phrases["cases"][answer.case],
        "closest": {"name": names[closest.label], "chance": in_per_cent(closest.best[1])},
        "left_out": [{"name": titles[name], "reason": reason}
                     for name, reason in answer.left_out.items()],
        "reached": len(lines), "lines": lines[:6], "error": [float(error)],
        "growth_only": next((needed(move) for move in moves if move.found is not None), "")
        if [move.label for move in moves if move.found is not None] == [GROWTH] else "",
        "together": any(move.label == TOGETHER for move in moves),
        "growth_bound": round(GROWTH_BOUND)}
    write_study(folder, "goal.html.j2", answer.attrs, pair=pair, drawn=drawn, f=facts,
                tables=tables)


def chances(answer: Goal, pair: Pair, names: Mapping[str, str]) -> Figure:
    """Probability of the target against what is moved, for the things that matter most."""
    phrases = words("study")["chances"]
    target = f"USD {pretty(answer.target / MILLION)} million"
    figure, (axes,) = subplots(phrases["title"].format(target=target, year=answer.year), 5.2)
    ordered = sorted(answer.moves, key=lambda move: -move.best[1])
    best = [move for move in ordered[:LINES] if move.best[1] > answer.now] or ordered[:1]
    for move, colour in zip(best, [*COUNTS, "#C04F00", "#4d4d4d"], strict=False):
        ways, shares = _way(move)
        axes.plot(ways, 100 * shares, color=colour, marker="o", markersize=3,
                  label=wrapped(names[move.label], 100))
        if move.found is not None:
            index = move.tried.index(move.found)
            axes.plot(_share(move, move.found), 100 * move.chances[index], "D", color=colour,
                      markersize=6, zorder=4)
    for value, key, dashes in ((answer.probability, "asked", (0, (5, 3))),
                               (answer.now, "now", (0, (1, 2)))):
        axes.axhline(100 * value, color="black", linewidth=1.0, linestyle=dashes, zorder=1)
        beside(axes, phrases[key].format(probability=in_per_cent(value)), (1.0, 100 * value),
               xycoords=("axes fraction", "data"), fontsize=8, va="center")
    axes.set_xlabel(phrases["share"])
    axes.set_ylabel(phrases["axis"].format(count=pair.name(answer.attrs["count"])))
    figure.legend(fontsize=7.5, frameon=False, loc="outside lower left")
    return figure


def _share(move: Move, value: float) -> float:
    """Place of a value on the way from today's to the best one tried."""
    end = _end(move)
    return (value - move.now) / (end - move.now) if end != move.now else 0.0


def _end(move: Move) -> float:
    low, high = move.tried[0], move.tried[-1]
    return low if move.chances[0] > move.chances[-1] else high


def _way(move: Move) -> tuple[Array, Array]:
    """Values between today's and the better end as shares of that way, and their chances."""
    points = sorted((_share(move, value), chance)
                    for value, chance in zip(move.tried, move.chances, strict=True))
    kept = np.array([point for point in points if point[0] >= -1e-9])
    return kept[:, 0], kept[:, 1]
