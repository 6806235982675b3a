"""Who makes more or less at home, product by product: tonnes, per cent, share of use, price."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from tradesim.common.arrays import MILLION, Array
from tradesim.reports.ranges import NOTHING, Change
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import changed, pretty, words

THOUSAND, PERCENT = 1e3, 100.0

SEEN = 0.05
"""A change of output by less than this (per cent, on average) is no row."""


@dataclass(frozen=True)
class HomeProduct:
    """What a scenario does to the home producers of one product in the year shown.

    Attributes
    ----------
    tonnes
        Output in the base year.
    output
        Change of output against the same year without the scenario, per cent, one a draw.
    before, after
        Share of use that is made at home, per cent, without and with it.
    price
        Change of the price that buyers pay, per cent.
    """

    importer: str
    product: str
    tonnes: float
    output: Array
    before: Array
    after: Array
    price: Array

    @property
    def tonnes_changed(self) -> Array:
        """Change of output in tonnes a year, at the output of the base year."""
        return self.tonnes * self.output / PERCENT


def home_products(view: ResultsView, case: str = "if_implemented", *,
                  food: bool = False) -> list[HomeProduct]:
    """Every product whose output at home is known, the largest loss in per cent first.

    Parameters
    ----------
    case
        ``scenario`` counts draws in which levers fail, ``if_implemented`` does not.
    food
        Whether only what is eaten or drunk is meant.

    Notes
    -----
    What is known of a later year is how much larger or smaller output is than it would have been.
    Tonnes are that change at the output of the base year: the path of output itself is no result.
    """
    tonnes = json.loads(view.dataset.attrs["products"])
    found = []
    for importer, product in view.followed(food=food):
        where = {"importer": importer, "product": product, "year": view.moment}

        def drawn(name: str, which: str, where: dict[str, Any] = where) -> Array:
            return MILLION * view.draws(name, which, **where)

        before, after = (PERCENT * drawn("self_sufficiency", which)
                         for which in ("reference", case))
        output, price = (PERCENT * (drawn(name, case) - 1.0)
                         for name in ("product_output", "product_price"))
        found.append(HomeProduct(importer, product, float(tonnes[product][importer]), output,
                                 before, after, price))
    return sorted(found, key=lambda item: float(item.output.mean()))


def home_table(view: ResultsView) -> dict[str, Any]:
    """Table of the products whose output changes, if the scenario is implemented."""
    phrases = words("accounts")
    kind = "point" if view.point else "all"
    rows = [[phrases["product"].format(product=view.pair.name(item.product),
                                       country=view.pair.name(item.importer)),
             pretty(item.tonnes / THOUSAND),
             _change(item.tonnes_changed / THOUSAND), _change(item.output),
             pretty(float(np.median(item.before))), pretty(float(np.median(item.after))),
             pretty(float(item.price.mean()), 2)]
            for item in home_products(view) if abs(float(item.output.mean())) >= SEEN]
    title = phrases["titles"]["products"].format(year=view.moment, case=view.case_words)
    return {"title": title, "rows": rows, "total": False, "columns": [
        text.format(case=view.case_words) for text in phrases["products"][kind].values()]}


def _change(values: Array) -> str:
    change = Change.of(values)
    return changed(change, "short") if abs(change.mean) >= NOTHING else pretty(0.0)
