"""Answers of a run to what its scenario asks: each a function from results to facts.

Facts are words and numbers for one template of `templates/answers`, with the claims that its
sentences make.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tradesim.inputs.levers import Lever
from tradesim.reports.run import answers_sides, answers_trade
from tradesim.reports.run.tell import Facts
from tradesim.reports.run.view import ResultsView

KINDS: dict[str, Callable[[ResultsView], Facts | None]] = {
    "trade": answers_trade.trade,
    "directions": answers_trade.directions,
    "target": answers_trade.target,
    "level": answers_trade.level,
    "reached": answers_trade.reached,
    "course": answers_trade.course,
    "buyers": answers_sides.buyers,
    "treasury": answers_sides.treasury,
    "suppliers": answers_sides.suppliers,
    "producers": answers_sides.producers,
    "products": answers_sides.products,
    "food": answers_sides.food,
    "corridor": answers_trade.corridor,
    "project": answers_trade.project,
    "worth": answers_sides.worth,
    "services": answers_sides.services,
    "markets": answers_trade.markets,
}
"""Function of each answer, in the order of `inputs.answers.ANSWERS`."""


def answers(view: ResultsView, asked: Sequence[str],
            levers: Sequence[Lever] = ()) -> dict[str, Facts]:
    """Give the facts of each answer asked for that has something to say, in order.

    `levers` are those that the scenario pulls; the unit of what a project moves is theirs.
    """
    given = {name: KINDS[name](view) for name in asked}
    if facts := given.get("project"):
        facts |= answers_trade.amount(view, levers, facts)
    return {name: facts for name, facts in given.items() if facts is not None}
