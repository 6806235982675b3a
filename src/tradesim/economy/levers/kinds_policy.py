r"""Kinds of policy besides duties and roads: approvals, payments, services, plants, contacts.

Every function takes the economy, the strength :math:`\varphi` of the lever in each draw and year,
and keyword arguments that are both its structural names (``applies``) and its settings.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tradesim.common.arrays import MILLION, Array, total
from tradesim.economy.base_year import Economy
from tradesim.economy.shocks import Shock

TRICKLE = 1.0
"""USD a year that stands for a flow of which the reference path has nothing."""


def recognition(
    economy: Economy, phase: Array, *, importers: Sequence[str], groups: Sequence[str],
    approval: Array, nontariff_cut: Array, return_share: Array,
) -> Shock:
    r"""Recognise the partner's certificates: more supply approved, less cost (equation L6).

    .. math::

        v = \varphi\, A\, w_j, \qquad n = \varphi\, N\, w_j, \qquad
        w_j = \begin{cases} 1 & j \text{ grants} \\ \rho & \text{the partner} \end{cases}

    Only approved supply gains from the lower cost (`shocks.resolve`).

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    importers
        Countries that grant the recognition.
    groups
        Goods whose suppliers need approval.
    approval
        Share :math:`A` of supply not yet approved that becomes approved.
    nontariff_cut
        Cost :math:`N` removed, share of delivered value.
    return_share
        Part :math:`\rho` of it that the partner grants in return.

    Returns
    -------
    Shock
        Supply approved and formalities removed on the pair's flows of these goods.
    """
    grants = economy.mask("importer", importers)
    flows = economy.pair_flow * economy.mask("group", groups)
    weight = phase * flows * (grants + (1.0 - grants) * return_share)
    return Shock(approval=weight * approval, information=weight * nontariff_cut, gated=flows)


def payment_relief(economy: Economy, phase: Array, *, relieved_share: Array) -> Shock:
    r"""Let traders of the pair pay each other more easily (equation L7).

    .. math:: y = \varphi\, R

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    relieved_share
        Share :math:`R` of the friction of payments that goes away.

    Returns
    -------
    Shock
        Share of the friction removed on the pair's flows.
    """
    return Shock(payment=phase * relieved_share * economy.pair_flow)


def route_service(
    economy: Economy, phase: Array, *, routes: Sequence[str], rivals: Sequence[str],
    rival_importers: Sequence[str], freight_cut: Array, crossings: Array,
    hours_saved: Array, waiting_days_saved: Array, rival_share: Array,
) -> Shock:
    r"""Run a regular service on a route: less freight, less waiting at borders (equation L8).

    .. math::

        f_r = \varphi\, c F_r, \qquad d_r = \varphi\,(B H / 24 + W), \qquad
        z_{rival} = \rho\, g\, d

    with :math:`F_r` the freight of the route today.

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    routes
        Routes that get the service.
    rivals, rival_importers
        Other suppliers whose goods cross the same posts, and where these goods go.
    freight_cut
        Share :math:`c` of the freight saved.
    crossings
        Border crossings :math:`B` of a trip that get quicker.
    hours_saved
        Hours :math:`H` saved at each.
    waiting_days_saved
        Days :math:`W` of waiting for a load, a transfer or papers saved per trip.
    rival_share
        Share :math:`\rho` of the rivals' goods that cross these posts, times their part of the
        time saved.

    Returns
    -------
    Shock
        USD per tonne and days saved on the routes; for rivals the time as a share of value.
    """
    used = economy.on_routes(routes)
    days = phase * (crossings * hours_saved / 24.0 + waiting_days_saved)
    rival = (rival_share * economy.mask("exporter", rivals) * (1.0 - economy.pair_flow)
             * economy.mask("importer", rival_importers))
    return Shock(freight=used * phase * freight_cut * economy.freight, days=used * days,
                 haulage=rival * economy.time_value * days)


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
    economy, phase
        Base year; strength of the lever.
    host
        Country in which the plants stand.
    output_groups, input_groups
        What they make and what they process; money is split evenly among groups.
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
    levels
        Reference purchases of each year, USD, order of `DIMS`.

    Returns
    -------
    Shock
        Changes of supply, demand and varieties offered.
    """
    output = phase * invested * MILLION * output_per_usd
    host_sells, host_buys = economy.mask("exporter", [host]), economy.mask("importer", [host])
    made = economy.mask("group", output_groups) / max(len(output_groups), 1)
    used = economy.mask("group", input_groups) / max(len(input_groups), 1)
    at_home = np.maximum(total(levels * economy.home, "importer"), TRICKLE)
    bought = np.maximum(total(levels, "exporter"), TRICKLE)
    flow = np.maximum(levels, TRICKLE)

    rest = (1.0 - partner_share) * home_share
    supply = host_sells * np.log1p(made * output * rest / at_home)
    sold = host_sells * economy.pair_flow * (
        np.log1p(made * output * partner_share / flow) - supply)
    inputs = used * output * input_share
    demand = host_buys * np.log1p(inputs / bought)
    drawn = host_buys * economy.pair_flow * (
        np.log1p(inputs * input_partner_share / flow) - demand)
    return Shock(supply=supply, demand=demand, availability=sold + drawn)


def contacts(economy: Economy, phase: Array, *, link_growth: Array, elasticity: Array) -> Shock:
    r"""Make more active links between firms: cheaper to find and keep a partner (equation L10).

    .. math::

        n = \varphi\, \delta_g \bigl( 1 - (1 + L)^{-\varepsilon / \omega_g} \bigr)

    so that at unchanged prices a fully differentiated group trades about
    :math:`(1 + L)^\varepsilon` times as much.

    Parameters
    ----------
    economy, phase
        Base year; strength of the lever.
    link_growth
        Growth :math:`L` of the number of active links, share.
    elasticity
        Elasticity :math:`\varepsilon` of trade to that number.

    Returns
    -------
    Shock
        Cost of information removed on the pair's flows; zero for bulk goods.
    """
    cut = -np.expm1(-elasticity * np.log1p(link_growth) / economy.lower)
    return Shock(information=phase * cut * economy.differentiated * economy.pair_flow)
