r"""One year before and after, in the words of WITS-SMART, beside the formulas of that tool.

One table holds two sets of effects: those of this model with every lever implemented, and
those of the linear formulas of the Single Market Partial Equilibrium Simulation Tool on the same
imports, duties and elasticities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim.common.arrays import Array, axis, ratio, total
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.economy.accounts import split_change
from tradesim.inputs.parameters import Cube
from tradesim.simulation.draws import IMPLEMENTED, draw_all
from tradesim.simulation.prepared import prepare

if TYPE_CHECKING:
    import pandas as pd

    from tradesim.economy.base_year import Economy
    from tradesim.inputs.baseline import Baseline
    from tradesim.inputs.scenario import Scenario

THOUSAND = 1e3
WORLD, TOTAL = "World", "Total"
NAMES = ("Reporter", "Partner", "Product")
RATES = ("Old Simple Duty Rate (%)", "New Simple Duty Rate (%)",
         "Old Weighted Duty Rate (%)", "New Weighted Duty Rate (%)")
BEFORE, AFTER = "Imports Before ($'000)", "Imports After ($'000)"
EFFECTS = ("Trade Total Effect ($'000)", "Trade Creation Effect ($'000)",
           "Trade Diversion Effect ($'000)", "Price Effect ($'000)")
REVENUE = ("Tariff Revenue ($'000)", "Tariff New Revenue ($'000)",
           "Tariff Change in Revenue ($'000)")
IN_YEAR = "Trade Total Effect Reached in the Year ($'000)"
FORMULA = tuple(f"SMART {name}" for name in EFFECTS)
COLUMNS = (*NAMES, *RATES, BEFORE, AFTER, *EFFECTS, *REVENUE, IN_YEAR, *FORMULA)


def trade_creation(imports: Array, old: Array, new: Array, demand: Array,
                   supply: Array | float = np.inf) -> Array:
    r"""Give new imports that a lower duty calls forth, by SMART's linear formula.

    .. math:: (T7)\;\; TC = M\,\frac{E_m\,(t_1 - t_0)}{(1 + t_0)\,(1 - E_m / E_x)}

    with imports before :math:`M`, duties :math:`t_0`, :math:`t_1` as shares of value, elasticities
    of import demand :math:`E_m`, below zero, and of export supply :math:`E_x`, infinite by default.
    """
    return np.asarray(imports * demand * (new - old) / (1.0 + old)
                      / (1.0 - demand / np.asarray(supply)))


def price_effect(imports: Array, old: Array, new: Array, demand: Array,
                 supply: Array | float = np.inf) -> Array:
    r"""Give what a dearer supplier adds to the value of imports; zero when supply is elastic.

    .. math:: (T7)\;\; PE = M\,\frac{E_m}{E_x - E_m}\,\frac{t_1 - t_0}{1 + t_0}

    so that creation is :math:`E_x` times as large: suppliers move along their curve.
    """
    return np.asarray(imports * demand / (np.asarray(supply) - demand) * (new - old) / (1.0 + old))


def trade_diversion(imports: Array, old: Array, new: Array, substitution: Array) -> Array:
    r"""Give what suppliers win from each other, by SMART's formula; adds up to zero.

    .. math::

        (T7)\;\; TD = \frac{M_b M_o\, \delta E_s}{M_b + M_o + M_b\,\delta E_s}, \qquad
        \delta = \frac{1 + t_1}{1 + t_0} - 1

    with the elasticity of substitution :math:`E_s`, below zero; suppliers along the first axis.
    Those whose duty falls are one beneficiary :math:`b` with the mean :math:`\delta` of their
    imports, and share its gain as they share in that mean; all others :math:`o` lose in
    proportion to their imports.
    """
    relative = (1.0 + new) / (1.0 + old) - 1.0
    gains = np.where(relative < 0.0, imports, 0.0)
    others = imports - gains
    mine, theirs = gains.sum(axis=0), others.sum(axis=0)
    moved = (gains * relative).sum(axis=0)
    pull = moved * substitution  # of all beneficiaries together: imports times relative change
    diverted = ratio(pull * theirs, mine + theirs + pull)
    return np.asarray(gains * relative * ratio(diverted, moved) - others * ratio(diverted, theirs))


@dataclass(frozen=True)
class YearChange:
    """One year before and after; arrays by importer, exporter and group, home sales zero."""

    year: int
    before: Array  # imports on the importer's own count, USD
    after: Array  # when trade has adjusted
    reached: Array  # in that very year
    creation: Array  # parts of the change from before to after
    diversion: Array
    price: Array
    old_duty: Array  # on the last unit, share of value
    new_duty: Array
    old_revenue: Array  # at the border, USD
    new_revenue: Array
    formula: tuple[Array, Array, Array]  # creation, diversion and price effect by SMART's formulas


def compare_year(base: Baseline, scenario: Scenario, year: int | None = None) -> YearChange:
    """Compare one year with every lever implemented against the same year without.

    Everything uncertain has its middle value. Projects are left out: they are added to trade,
    not a response to a duty.

    The year is the scenario's horizon by default.

    Raises
    ------
    InputError
        When the year is not projected, or the scenario pulls nothing.
    """
    numbers = draw_all(base, scenario, Cube.point())
    start = prepare(base, scenario, numbers)
    year = scenario.horizon if year is None else year
    if year not in start.years:
        raise InputError([Problem("--year", str(year), "is not a projected year; allowed "
                                  f"{start.years[0]} to {start.years[-1]}")])
    if not scenario.levers:
        raise InputError([Problem(scenario.name, "levers", "the scenario pulls no lever, so there "
                                  "is nothing to compare", "`tradesim levers` lists them")])
    world, index = start.world, [start.years.index(year)]
    outcome = start.settle({IMPLEMENTED: dict.fromkeys(scenario.levers, np.ones(1))})
    change, settled = outcome.change, outcome.settled
    abroad = 1.0 - world.home

    def chosen(values: Array) -> Array:
        full = np.broadcast_to(values, settled.sales.shape)
        return np.asarray(full.take(index, axis=axis("year"))[:, :, :, 0, 0, 0])

    levels = start.levels * abroad
    after = levels * np.exp(change.level + settled.sales)
    quantity = levels * np.exp(change.level + settled.sales - settled.supplier_price)
    creation, diversion = split_change(quantity - levels)
    new_duty = (change.wedge + change.rent) * abroad
    at_home = _home_share(start.levels, world)
    demand = -(world.upper * at_home + world.demand * (1.0 - at_home))
    with np.errstate(divide="ignore"):
        supply = chosen(np.asarray(1.0 / world.inverse_supply))
    inputs = (chosen(levels), chosen(world.duty * abroad), chosen(new_duty))
    imports, old, new = (np.moveaxis(values, 1, 0) for values in inputs)
    diverted = trade_diversion(imports, old, new, -chosen(world.lower)[:, 0])
    formula = (trade_creation(*inputs, chosen(demand), supply), np.moveaxis(diverted, 0, 1),
               price_effect(*inputs, chosen(demand), supply))
    return YearChange(
        year, chosen(levels), chosen(after), chosen(levels * np.exp(outcome.path(world))),
        chosen(creation), chosen(diversion), chosen(after - quantity), inputs[1], inputs[2],
        chosen(levels * world.duty), chosen(after * change.wedge), formula)


def _home_share(levels: Array, world: Economy) -> Array:
    """Share of home goods in spending on a group."""
    paid = levels * (1.0 + world.duty)
    return ratio(total(paid * world.home, "exporter"), total(paid, "exporter"))


def table(base: Baseline, change: YearChange, importers: Sequence[str] = ()) -> pd.DataFrame:
    """Lay a change out under the headings of WITS-SMART.

    A row of `COLUMNS` by reporter (all importers by default), product and partner, totals and the
    world first. Amounts to the dollar, rates to four decimals of a per cent.

    Raises
    ------
    InputError
        For an importer that is not one.
    """
    import pandas as pd

    pair = base.pair
    unknown = [name for name in importers if name not in pair.importers]
    if unknown:
        raise InputError([Problem("--importer", name, f"unknown importer; known: "
                                  f"{', '.join(pair.importers)}", nearest(name, pair.importers))
                          for name in unknown])
    rows: list[Mapping[str, Any]] = []
    for index, importer in enumerate(pair.importers):
        if not importers or importer in importers:
            rows += _rows(base, change, index)
    numbers = {name: 4 if name in RATES else 3 for name in COLUMNS if name not in NAMES}
    return pd.DataFrame(rows, columns=list(COLUMNS)).round(numbers).replace(-0.0, 0.0)


def _rows(base: Baseline, change: YearChange, importer: int) -> Iterator[Mapping[str, Any]]:
    pair = base.pair
    here = pair.importers[importer]
    foreign = [k for k, name in enumerate(pair.exporters) if name != here]
    lines = pair.lines
    every = list(range(len(lines)))
    partners = [(WORLD, foreign), *((pair.name(pair.exporters[k]), [k]) for k in foreign)]
    products = [(TOTAL, every), *((pair.line_name(line), [k]) for k, line in enumerate(lines))]
    for product, places in products:
        for partner, exporters in partners:
            cell = np.ix_([importer], exporters, places)
            names = (pair.name(here), partner, product)
            yield dict(zip(COLUMNS, (*names, *_numbers(change, cell)), strict=True))


def _numbers(change: YearChange, cell: tuple[Any, ...]) -> Iterator[float]:
    """Numbers of one row, in the order of `COLUMNS`."""
    before = change.before[cell]
    weight = before / before.sum() if before.sum() > 0.0 else np.full(before.shape, np.nan)
    rates = [100.0 * duty[cell] for duty in (change.old_duty, change.new_duty)]
    yield from (float(rate.mean()) for rate in rates)
    yield from (float((rate * weight).sum()) for rate in rates)
    creation, diversion, price = change.formula
    amounts = (
        change.before, change.after,
        change.creation + change.diversion + change.price,
        change.creation, change.diversion, change.price,
        change.old_revenue, change.new_revenue, change.new_revenue - change.old_revenue,
        change.reached - change.before,
        creation + diversion + price, creation, diversion, price)
    yield from (float(amount[cell].sum()) / THOUSAND for amount in amounts)
