"""The accounts as the report shows them: gains by cause, food, dependence, revenue, benefit-cost.

Every number comes from the results; words stand in `templates/accounts.yaml` and `accounts.j2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import yaml

from tradesim.common.arrays import MILLION, Array
from tradesim.economy.accounts import ASSUMED
from tradesim.reports.run.view import NOTHING, Change, Story
from tradesim.reports.wording import TEMPLATES, changed, pretty, probability
from tradesim.simulation.summary import benefit_cost_ratio, costly, present_values

WEIGHT = 100 * MILLION
"""From a share, which a story gives as if it were an amount in millions, to per cent."""

VISIBLE = 0.05
"""Percentage points below which a share is printed as unchanged."""

PARTS: dict[str, tuple[str, ...]] = {
    "resource": ("gain_resource",), "formalities": ("gain_formalities",),
    "tax": ("gain_tax",), "treasury": ("tariff_revenue",), "rent": ("quota_rent",),
    "terms": ("gain_supplier_price", "exporter_surplus"),
    "home_buyers": ("gain_home_price",), "home_producers": ("producer_surplus",),
    "choice": ("gain_choice",)}
"""Parts of a country's gain in the order of table and figure, with the variables they add up."""


@cache
def phrases() -> dict[str, Any]:
    """Short words of this section."""
    read: dict[str, Any] = yaml.safe_load((TEMPLATES / "accounts.yaml").read_text(encoding="utf-8"))
    return read


def parts(story: Story, importer: str, case: str = "if_implemented",
          year: int | None = None) -> dict[str, Array]:
    """Parts of a country's gain by draw, USD million, that add up to its net gain, and that.

    What a shift of the reference path does to border revenue is no gain and is left out.
    """
    where = {"importer": importer, "year": story.last if year is None else year}
    found = {part: sum((story.change(name, case, **where) for name in names),
                       start=np.zeros(story.draw_count)) for part, names in PARTS.items()}
    net = story.change("welfare", case, **where)
    found["treasury"] = net - sum(values for part, values in found.items() if part != "treasury")
    return {part: values for part, values in found.items()
            if np.abs(values).max() >= NOTHING} | {"net": net}


def assumed_part(story: Story, effect: float) -> dict[str, Any] | None:
    """Give the part of the effect on turnover that is an assumed cut of non-tariff cost, if any."""
    if ASSUMED not in story.dataset or abs(effect) < NOTHING:
        return None
    part = story.draws(ASSUMED, "if_implemented", count=story.count, year=story.last)
    share = float(part.mean()) / effect
    return {"change": Change.of(part), "percent": [100 * share], "most": share > 0.5}


def books(story: Story, *, priced: bool = True) -> dict[str, Any]:
    """Tables and facts of the section on accounts.

    Parameters
    ----------
    story
        The run and its past.
    priced
        Whether every lever of the scenario states a cost: only then are gains held against it.

    Returns
    -------
    dict
        ``gains`` (one table and one set of facts a country, where anything changes),
        ``food``, ``dependence``, ``revenue`` (tables), ``unknown`` (products without a published
        share), ``corridor`` (facts on the exposure to the shared corridor) and ``benefit``
        (present values, or None where no lever carries a cost).
    """
    pair, products = story.pair, [str(name) for name in story.dataset["product"].values]
    importers = pair.importers if story.changes else ()
    return {
        "gains": [{"table": _gains(story, importer), **_told(story, importer)}
                  for importer in importers],
        "food": _food(story, products) if products else None,
        "unknown": [item.title for name, item in pair.products.items() if name not in products],
        "dependence": [_dependence(story, importer) for importer in pair.importers],
        "corridor": [_exposure(story, importer) for importer in importers],
        "revenue": _revenue(story), "projects": _projects(story),
        "benefit": _benefit(story, priced) if costly(story.dataset) else None}


def _gains(story: Story, importer: str) -> dict[str, Any]:
    risky = parts(story, importer, "scenario")
    words, rows = phrases(), []
    for part, values in parts(story, importer).items():
        row = [words["parts"][part].format(country=story.pair.name(importer)),
               changed(Change.of(values), "short")]
        if not story.point:
            mean = risky.get(part, np.zeros(1)).mean()
            row.append(pretty(float(mean)))
        rows.append(row)
    columns = ["part", "gain", *([] if story.point else ["risky"])]
    return _table(story, "gains", rows, columns, total=True, country=story.pair.name(importer))


def _told(story: Story, importer: str) -> dict[str, Any]:
    found = parts(story, importer)
    mean = {part: float(values.mean()) for part, values in found.items()}
    lost = -mean.get("treasury", 0.0)
    return {"country": story.pair.name(importer), "net": Change.of(found["net"]),
            "resource": [mean.get("resource", 0.0)], "tax": [mean.get("tax", 0.0)],
            "formalities": [mean.get("formalities", 0.0)],
            "lost": [lost], "triangle": [mean.get("tax", 0.0) - lost]}


def _food(story: Story, products: Sequence[str]) -> dict[str, Any]:
    rows = [_row(story, story.pair.name(name), "self_sufficiency", WEIGHT, product=name)
            for name in products]
    return _table(story, "food", rows, _columns(story))


def _dependence(story: Story, importer: str) -> dict[str, Any]:
    words, where = phrases(), {"importer": importer}
    order = [str(code) for code in story.dataset["exporter"].values if str(code) != importer]
    rows = [_row(story, words["share"].format(country=story.pair.name(code)), "import_share",
                 WEIGHT, exporter=code, **where) for code in order]
    rows.append(_row(story, words["concentration"], "import_concentration", WEIGHT, **where))
    rows.append(_row(story, words["corridor"].format(partner=story.pair.name(
        story.pair.partner(importer))), "corridor_share", WEIGHT, **where))
    return _table(story, "dependence", rows, _columns(story),
                  country=story.pair.name(importer))


def _exposure(story: Story, importer: str) -> dict[str, Any]:
    """Trade that would stand still in a closed corridor: its share, and its value."""
    where = {"importer": importer, "year": story.last}
    found: dict[str, Any] = {"importer": story.pair.name(importer),
                             "exporter": story.pair.name(story.pair.partner(importer))}
    exposed = []
    for case in ("reference", "if_implemented"):
        share = MILLION * story.draws("corridor_share", case, **where)
        trade = story.draws("trade", case, count=story.count, **where).sum(axis=-1)
        exposed.append(share * trade)
        found[case] = [100 * float(np.median(share))]
    moved = found["if_implemented"][0] - found["reference"][0]
    return found | {"rise": Change.of(exposed[1] - exposed[0]), "higher": moved > 0.0,
                    "moved": abs(moved) >= VISIBLE}


def _revenue(story: Story) -> dict[str, Any]:
    words = phrases()
    rows = [_row(story, words[name].format(country=story.pair.name(importer)), name, 1.0,
                 importer=importer)
            for importer in story.pair.importers for name in ("tariff_revenue", "vat_revenue")]
    return _table(story, "revenue", rows, _columns(story, "usd"))


def _projects(story: Story) -> list[dict[str, Any]]:
    """Flows of projects in the last year, where there are any."""
    if not story.changes:
        return []
    found = []
    for importer in story.pair.importers:
        added = story.change("project_trade", "if_implemented", importer=importer, year=story.last)
        if np.abs(added).max() >= NOTHING:
            found.append({"importer": story.pair.name(importer), "change": Change.of(added),
                          "exporter": story.pair.name(story.pair.partner(importer))})
    return found


def _benefit(story: Story, priced: bool) -> dict[str, Any]:
    """Present values of gains and cost up to the horizon, USD million."""
    words, values = phrases(), {}
    for case in ("if_implemented", "scenario"):
        values[case] = {name: one / MILLION
                        for name, one in present_values(story.dataset, case).items()}
    cases = ["if_implemented", *([] if story.point else ["scenario"])]
    rows = []
    for name in values["if_implemented"]:
        if name == "net" and not priced:
            continue
        label = words["benefit"].get(name) or words["benefit"]["country"].format(
            country=story.pair.name(name))
        rows.append([label, *(changed(Change.of(values[case][name]), "short") for case in cases)])
    if priced:
        rows.append([words["benefit"]["ratio"],
                     *(pretty(benefit_cost_ratio(values[case]), 2) for case in cases)])
    if priced and not story.point:
        rows.append([words["benefit"]["pays"], *(probability(float(
            (values[case]["net"] > 0).mean()), "short") for case in cases)])
    sure = values["if_implemented"]
    return {"table": _table(story, "benefit", rows, ["item", *cases], first=story.years[0]),
            "rate": f"{100 * float(story.dataset.attrs['discount_rate']):g} %",
            "yearly": [float(story.change("welfare", "if_implemented", year=story.last)
                             .sum(axis=-1).mean())],
            "cost": [float(sure["cost"].mean())], "gain": [float(sure["joint"].mean())],
            "first": story.years[0],
            "ratio": pretty(benefit_cost_ratio(sure), 2) if priced else ""}


def _row(story: Story, label: str, name: str, scale: float, **where: Any) -> list[str]:
    where = {"year": story.last, **where}
    reference = scale * story.draws(name, "reference", **where)
    if not story.changes:
        return [label, pretty(float(np.median(reference)))]
    after = scale * story.draws(name, "if_implemented", **where)
    risky = scale * story.change(name, "scenario", **where)
    row = [label, *(pretty(float(np.median(values))) for values in (reference, after)),
           changed(Change.of(after - reference), "short")]
    return row if story.point else [*row, pretty(float(risky.mean()))]


def _columns(story: Story, unit: str = "share") -> list[str]:
    if not story.changes:
        return ["item", f"reference_{unit}"]
    return ["item", f"reference_{unit}", f"after_{unit}", f"change_{unit}",
            *([] if story.point else [f"risky_{unit}"])]


def _table(story: Story, name: str, rows: list[list[str]], columns: Sequence[str], *,
           total: bool = False, **names: Any) -> dict[str, Any]:
    words = phrases()
    known = words["columns"]["all"] | words["columns"][name]
    if story.point:
        known |= words["columns"]["point"]
    return {"title": words["titles"][name].format(year=story.last, **names), "rows": rows,
            "columns": [known[key] for key in columns], "total": total}
