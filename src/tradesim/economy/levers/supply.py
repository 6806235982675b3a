r"""Levers on what is supplied: plants, projects, losses, export bans."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import MILLION, Array, entry, pick, put, spread, total
from tradesim.economy.base_year import Economy
from tradesim.economy.levers.timing import lasting
from tradesim.economy.shocks import FLOOR, NONE, Shock

WHOLE = spread(1.0)
WHOLE.setflags(write=False)

TRICKLE = 1.0
"""USD a year that stands for a flow of which the reference path has nothing."""



def plants(
    economy: Economy, phase: Array, *, host: str, output_groups: Sequence[str],
    input_groups: Sequence[str], invested: Array, output_per_usd: Array, partner_share: Array,
    home_share: Array, input_share: Array, input_partner_share: Array, levels: Array,
) -> Shock:
    r"""Build plants in one country of the pair: what they sell, and what they buy (equation L9).

    With yearly output :math:`K = \varphi\, I y` in each group of output, reference sales
    :math:`X` to the partner and :math:`Y` at home,

    .. math::

        s = \ln\Bigl(1 + \frac{K (1 - w) q}{Y}\Bigr), \qquad
        o = \ln\Bigl(1 + \frac{K w}{X}\Bigr) - s

    are the changes of the host's supply and of what it offers the partner beyond that: at
    unchanged prices the partner buys :math:`K w` more. Likewise for inputs
    :math:`Q = \iota K`, of which the partner supplies :math:`p`, with reference purchases
    :math:`D` in all and :math:`X'` from the partner,

    .. math:: e = \ln(1 + Q / D), \qquad o' = \ln(1 + Q p / X') - e

    are the changes of the host's demand and of what the partner offers it.

    Parameters
    ----------
    host
        Country in which the plants stand.
    output_groups, input_groups
        What they make and what they process, groups or products; money is split evenly among
        them, and within a group as its lines sell.
    invested
        Money :math:`I` put into them, USD million.
    output_per_usd
        Yearly output :math:`y` per USD invested.
    partner_share
        Share :math:`w` of output sold to the partner.
    home_share
        Share :math:`q` of the rest that is sold at home; what remains goes to third countries,
        which are no market of the model.
    input_share
        Cost :math:`\iota` of the inputs named, share of output.
    input_partner_share
        Share :math:`p` of these inputs bought from the partner.
    """
    output = phase * invested * MILLION * output_per_usd
    host_sells, host_buys = economy.mask("exporter", [host]), economy.mask("importer", [host])
    made = economy.mask("group", output_groups) / max(len(output_groups), 1)
    used = economy.mask("group", input_groups) / max(len(input_groups), 1)
    lines = np.flatnonzero(made + used)

    def here(values: Array) -> Array:
        return pick(values, "group", lines)

    def among_all(values: Array) -> Array:
        return put(values, "group", lines, len(economy.pair.lines))

    own = here(levels[[economy.pair.importers.index(host)]])
    at_home = _together(economy, lines, own[:, [economy.pair.exporters.index(host)]],
                        output_groups)
    bought = _together(economy, lines, total(own, "exporter"), input_groups)
    flow = here(entry(levels, economy.pair_flow))
    selling, buying = (_together(economy, lines, flow, names)
                       for names in (output_groups, input_groups))

    rest = (1.0 - partner_share) * home_share
    supplied = np.log1p(here(made) * output * rest / at_home)
    sold = np.log1p(here(made) * output * partner_share / selling) - supplied
    inputs = here(used) * output * input_share
    demanded = np.log1p(inputs / bought)
    drawn = np.log1p(inputs * input_partner_share / buying) - demanded
    sells, buys = (entry(host * economy.pair_flow, economy.pair_flow)
                   for host in (host_sells, host_buys))
    return Shock(supply=host_sells * among_all(supplied), demand=host_buys * among_all(demanded),
                 availability=among_all((sells * sold + buys * drawn) * economy.pair_flow))


def _together(economy: Economy, lines: NDArray[np.intp], values: Array,
              names: Sequence[str]) -> Array:
    """Values of all lines of the same name added up, at each of these lines."""
    if not economy.pair.products:
        return np.maximum(values, TRICKLE)
    masks = (pick(economy.mask("group", [name]), "group", lines) for name in names)
    return np.maximum(reduce(np.add, (mask * total(values * mask, "group") for mask in masks),
                             0.0 * values), TRICKLE)


def project(
    economy: Economy, phase: Array, *, importer: str, group: str, quantity: Array, years: Array,
    years_on: Array, price: Array = WHOLE, partner_share: Array = WHOLE,
    joint_quantity: Array = NONE, joint_price: Array = NONE,
) -> Shock:
    r"""Add a flow of given goods to the pair's trade (equation L11).

    .. math:: X = \varphi\, e\, s\,(q\, p + q' p')

    Parameters
    ----------
    importer, group
        Who buys, and as which product, or what is left of which group, the goods are counted.
    quantity, price
        Amount a year :math:`q`, and USD per unit of it :math:`p`; without a price the amount
        is a value in USD.
    years
        For how many years.
    years_on
        Years since it began.
    partner_share
        Share :math:`s` of the amount that the partner buys, or delivers; all of it by default.
    joint_quantity, joint_price
        Amount :math:`q'` and price :math:`p'` of what comes with it; nothing by default.
    """
    worth = partner_share * (quantity * price + joint_quantity * joint_price)
    value = phase * lasting(years_on, years) * worth
    return Shock(project=value * economy.mask("importer", [importer])
                 * economy.line(group) * economy.pair_flow)


def supply_loss(
    economy: Economy, phase: Array, *, exporters: Sequence[str], groups: Sequence[str],
    loss: Array, recovery: Array, years_on: Array,
) -> Shock:
    r"""Destroy part of what a country can supply, at home and abroad; it grows back (equation L14).

    .. math:: s = \ln\bigl(1 - \varphi\, \ell \max\{0, 1 - \max\{k, 0\} / R\}\bigr)

    Parameters
    ----------
    exporters, groups
        Whose supply of which goods.
    loss
        Share :math:`\ell` of it lost.
    recovery
        Years :math:`R` until it is made good, in a straight line.
    years_on
        Years :math:`k` since the loss.
    """
    rest = np.maximum(1.0 - np.maximum(years_on, 0.0) / recovery, 0.0)
    lost = phase * loss * rest * economy.mask("exporter", exporters) * economy.mask("group", groups)
    return Shock(supply=np.maximum(np.log1p(-np.minimum(lost, 0.99)), FLOOR))


def export_ban(
    economy: Economy, phase: Array, *, exporter: str, groups: str, banned_share: Array,
    years: Array, years_on: Array,
) -> Shock:
    r"""Forbid one member of the pair to sell some goods to the other (equation L15).

    .. math:: o = \ln \max\{1 - \varphi\, e\, B,\ 0.01\}

    Parameters
    ----------
    exporter, groups
        Who may not sell what: names of groups, with commas between them.
    banned_share
        Share :math:`B` of the goods under the ban.
    years
        How long it lasts.
    years_on
        Years since it began.
    """
    flow = (economy.mask("exporter", [exporter]) * economy.pair_flow
            * economy.mask("group", [group.strip() for group in groups.split(",")]))
    banned = phase * lasting(years_on, years) * banned_share * flow
    return Shock(availability=np.maximum(np.log1p(-np.minimum(banned, 0.99)), FLOOR))
