"""What a scenario may ask about, and what it asks about where it does not say."""

from __future__ import annotations

from collections.abc import Iterable

from tradesim.inputs.levers import Lever

ANSWERS = {
    "trade": "how much the turnover of the pair changes",
    "directions": "which of the two sells the other more",
    "target": "the probability that turnover reaches the target",
    "level": "where turnover goes without policy",
    "reached": "whether statistics have reached the target already",
    "course": "when a shock costs most, and how long it lasts",
    "buyers": "what buyers gain or lose in the year in which it is most",
    "treasury": "what is collected at the border",
    "suppliers": "which suppliers gain and lose in the market that changes most",
    "producers": "what producers sell at home",
    "products": "how prices and output of products made at home change",
    "food": "how much of its own food a country makes",
    "corridor": "how much of the trade crosses the shared corridor",
    "project": "how much of a project would lift the median to the target",
    "worth": "what is built costs, and what it brings over its life",
    "services": "what visitors spend, beside goods",
    "markets": "who buys the exports of both countries",
}
"""What the brief of a run can answer, with the meaning of each."""

SENTENCES = 3
"""Answers that the brief of a scenario gives."""

OF_KIND: dict[str, tuple[str, ...]] = {
    "tariff_agreement": ("treasury", "suppliers"), "tariff_change": ("treasury", "producers"),
    "free_zone": ("treasury",), "air_link": ("services",), "visits": ("services",),
    "route_improvement": ("worth", "corridor"), "route_service": ("corridor",),
    "route_closure": ("corridor",)}
"""What the levers of a kind raise besides turnover and the target."""


def answers_of(levers: Iterable[Lever]) -> list[str]:
    """Give what a scenario with these levers asks about by default, the first thing first."""
    pulled = list(levers)
    families = {lever.family for lever in pulled}
    if not pulled:
        return ["level", "target"]
    raised = [name for lever in pulled for name in OF_KIND.get(lever.kind, ())]
    if families == {"shock"}:
        asked = ["course", "buyers", *raised]
    elif families == {"project"}:
        asked = ["trade", "project", *raised]
    else:
        asked = ["trade", *(raised or ["directions"])]
    return list(dict.fromkeys([*asked, "target"]))[:SENTENCES]
