"""What `tradesim backtest` leaves: terminal lines, tables, figures, a page, and the new weights."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tradesim.inputs.specifications import STACKED, WEIGHTS
from tradesim.reports.backtest_figures import figures, named, phrases
from tradesim.reports.figure_style import save
from tradesim.reports.run.page import inline
from tradesim.reports.terminal import columns
from tradesim.reports.wording import MINUS
from tradesim.studies.backtest import track_record as record
from tradesim.studies.backtest.backtest import Backtest
from tradesim.studies.backtest.cells import Cell
from tradesim.studies.backtest.stacking import Decision, Standing
from tradesim.studies.backtest.track_record import (
    ABLATION,
    CANDIDATE,
    PROBE,
    RIVAL,
    STACK,
    TURNOVER,
)

if TYPE_CHECKING:
    import pandas as pd

TABLE, ABOUT, PAGE = record.FILE, "backtest.yaml", "report.html"
OUTPUTS = (TABLE, ABOUT, WEIGHTS, PAGE, "figures")
"""What a back-test leaves."""


def horizon_rows(rows: pd.DataFrame, model: str = STACKED) -> list[list[str]]:
    """Scores of one model by horizon, against the best rival, as texts.

    Parameters
    ----------
    rows
        Rows of one target and count, from `record.of`.
    model
        Which model.
    """
    found, table = record.skill(rows, model), record.by_horizon(rows)
    by_key = {(row["model"], row["horizon"]): row for row in table.to_dict("records")}
    lines = []
    for place, h in enumerate(found.horizons):
        mine, rival = by_key[model, h], by_key[found.rival[place], h]
        lines.append([str(h), str(mine["forecasts"]), _log(mine["crps"]), named(found.rival[place]),
                      _log(rival["crps"]), _percent(found.skill[place]),
                      _percent(mine["covered90"]), _percent(mine["covered50"]),
                      _log(mine["bias"], "+")])
    return lines


def model_rows(rows: pd.DataFrame, weights: Mapping[str, float]) -> list[list[str]]:
    """Mean scores of every model, each horizon counting the same, as texts.

    Parameters
    ----------
    rows
        Rows of one target and count, from `record.of`.
    weights
        Weights of the specifications.
    """
    table = record.overall(rows)
    order = {kind: place for place, kind in
             enumerate((STACK, CANDIDATE, ABLATION, PROBE, RIVAL))}
    table = table.assign(order=table["kind"].map(order)).sort_values(["order", "crps"],
                                                                     kind="stable")
    lines = []
    for model, row in table.iterrows():
        name = str(model)
        weight = f"{weights[name]:.2f}" if weights.get(name) else ""
        lines.append([named(name), phrases()["kinds"][row["kind"]], weight, _log(row["crps"]),
                      _percent(record.skill(rows, name).mean()), _percent(row["covered90"]),
                      _percent(row["covered50"]), _log(row["bias"], "+"),
                      f"{row['log_score']:.2f}".replace("-", MINUS)])
    return lines


def summary(rows: pd.DataFrame, model: str = STACKED) -> str:
    """One line: mean skill with its range without one origin, and coverage."""
    found = record.skill(rows, model)
    whole: dict[Any, Any] = record.overall(rows).loc[model].to_dict()
    first = min(2, len(found.horizons))
    low, high = found.limits(first)
    return (f"Mean skill over years {first} to {found.horizons[-1]}: {_percent(found.mean(first))} "
            f"({_percent(low)} to {_percent(high)} without one origin); over all "
            f"{_percent(found.mean())}. Held: {_percent(whole['covered90'])} of outcomes by the "
            f"90 % ranges, {_percent(whole['covered50'])} by the 50 % ranges.")


def verdict(decision: Decision) -> str:
    """Say in words what the rule makes of the candidates."""
    if decision.alone:
        return f"Clearly best, used alone: {decision.alone}"
    ranked = sorted(decision.weights.items(), key=lambda item: -item[1])
    return "Stacked: " + ", ".join(f"{name} {weight:.2f}" for name, weight in ranked)


def outcome(frame: pd.DataFrame, plan: Backtest, decision: Decision) -> str:
    """Give the lines for the terminal."""
    words, count = phrases()["columns"], plan.pair.target_count
    rows = record.of(frame, TURNOVER, count)
    table = columns([words["models"], *model_rows(rows, decision.weights)])
    if STACKED not in set(rows["model"]):
        return f"No candidate among the specifications asked for\n\n{table}"
    parts = [f"Turnover, {plan.pair.name(count)}, origins {plan.origins[0]} to {plan.origins[-1]}: "
             f"{named(STACKED)}; errors of logs",
             columns([words["horizon"], *horizon_rows(rows)]), "", summary(rows), "", table, "",
             verdict(decision)]
    return "\n".join(parts)


def write(frame: pd.DataFrame, plan: Backtest, cells: Sequence[Cell], decision: Decision,
          folder: Path, command: str) -> None:
    """Write record, weights, figures, page and how it was made into an existing folder."""
    record.write_record(frame, folder / TABLE)
    (folder / WEIGHTS).write_text(weights_text(plan, decision, command), encoding="utf-8")
    notes: dict[str, Any] = {}
    for cell in cells:
        notes.setdefault(cell.model, {})[cell.origin] = {
            key: float(f"{value:.5g}") if isinstance(value, float) else value
            for key, value in cell.note.items()}
    about = {"command": command, **plan.identity, "fits": notes}
    (folder / ABOUT).write_text(yaml.safe_dump(about, sort_keys=False, allow_unicode=True,
                                               width=100), encoding="utf-8")
    if STACKED not in set(frame["model"]):
        return
    pictures, drawn = folder / "figures", []
    pictures.mkdir(exist_ok=True)
    for name, figure in figures(frame, plan.pair.target_count):
        drawn.append((name, inline(save(figure, name, pictures))))
    (folder / PAGE).write_text(_page(frame, plan, decision, drawn, command), encoding="utf-8")


def _page(frame: pd.DataFrame, plan: Backtest, decision: Decision, drawn: Sequence[tuple[str, str]],
          command: str) -> str:
    from tradesim.reports.run.page import environment

    words, tables = phrases()["columns"], []
    for target, count in plan.series:
        rows = record.of(frame, target, count)
        name = plan.pair.name(count)
        what = "Turnover" if target == TURNOVER else (
            f"From {plan.pair.name(plan.pair.partner(target))} to {plan.pair.name(target)}")
        tables.append({"title": f"{what}, {name}: {named(STACKED)}", "columns": words["horizon"],
                       "rows": horizon_rows(rows)})
        if (target, count) == (TURNOVER, plan.pair.target_count):
            tables.append({"title": f"{what}, {name}: all models", "columns": words["models"],
                           "rows": model_rows(rows, decision.weights)})
    rows = record.of(frame, TURNOVER, plan.pair.target_count)
    said = record.track_record(frame, plan.pair.target_count)["horizons"]
    near, far = ({"ahead": h, **said[h]} for h in (min(said), max(said)))
    titles = [[name, form.title] for name, form in plan.forms.items()]
    return str(environment().get_template("backtest.html.j2").render(
        pair=plan.pair, tables=tables, near=near, far=far, drawn=drawn, again=command,
        summary=summary(rows), verdict=verdict(decision),
        count=plan.pair.name(plan.pair.target_count), origins=plan.origins,
        last=plan.years[-1], titles=titles, language="en"))


def weights_text(plan: Backtest, decision: Decision, command: str) -> str:
    """Text of `weights.yaml`: weight of every candidate, and where it comes from."""
    reason = (f"{decision.alone} is clearly best" if decision.alone
              else "stacked: no candidate is clearly best")
    about = {
        "source": f"back-test from origins {plan.origins[0]} to {plan.origins[-1]}, horizons 1 to "
                  f"{plan.horizons}, by the rule of docs/backtest.md; {reason}",
        "command": command,
        "weights": {name: one.weight for name, one in decision.standing.items()},
        "scores": {name: _standing(one) for name, one in decision.standing.items()},
        "inputs": dict(plan.identity["inputs"])}
    return ("# Written by `tradesim backtest --keep`. Scores are those of turnover on the count of "
            "the target;\n# `behind`: log score behind the best candidate, `error`: its standard "
            "error,\n# `twin`: the candidate with nearly the same forecasts that stands for it.\n"
            + yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=100))


def _standing(one: Standing) -> dict[str, Any]:
    numbers = {"log_score": one.log_score, "crps": one.crps}
    numbers |= {} if one.twin else {"behind": one.behind, "error": one.error}
    said: dict[str, Any] = {key: float(f"{value:.5g}") + 0.0 for key, value in numbers.items()}
    return said | ({"twin": one.twin} if one.twin else {})


def keep(frame: pd.DataFrame, plan: Backtest, decision: Decision, command: str) -> None:
    """Put the record and the weights into the calibration folder, each whole."""
    record.write_record(frame, plan.folder / f"{TABLE}.new")
    (plan.folder / f"{WEIGHTS}.new").write_text(weights_text(plan, decision, command),
                                                encoding="utf-8")
    for name in (TABLE, WEIGHTS):
        os.replace(plan.folder / f"{name}.new", plan.folder / name)


def _log(value: float, sign: str = "") -> str:
    return f"{value:{sign}.3f}".replace("-", MINUS)


def _percent(share: float) -> str:
    return str(phrases()["per_cent"].format(number=f"{100 * share:.0f}".replace("-", MINUS)))
