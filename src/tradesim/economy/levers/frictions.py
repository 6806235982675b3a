r"""Levers on other costs of trading: approvals, payments, contacts between firms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tradesim.common.arrays import Array
from tradesim.economy.base_year import Economy
from tradesim.economy.levers.timing import lasting
from tradesim.economy.shocks import Shock


def recognition(
    economy: Economy, phase: Array, *, importers: Sequence[str], groups: Sequence[str],
    approval: Array, nontariff_cut: Array, return_share: Array,
) -> Shock:
    r"""Recognise the partner's certificates: more supply approved, less cost (equation L6).

    .. math::

        v = \varphi\, A\, w_j, \qquad n = \varphi\, N\, w_j, \qquad
        w_j = \begin{cases} 1 & j \text{ grants} \\ \rho & \text{the partner} \end{cases}

    Approved supply is a quantity: varieties that could not be sold before (`resolve.resolve`).

    Parameters
    ----------
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
    """
    grants = economy.mask("importer", importers)
    flows = economy.pair_flow * economy.mask("group", groups)
    weight = flows * (grants + (1.0 - grants) * return_share)
    return Shock(approval=weight * approval * phase, information=weight * nontariff_cut * phase)


def payment_relief(economy: Economy, phase: Array, *, relieved_share: Array) -> Shock:
    r"""Let traders of the pair pay each other more easily (equation L7).

    .. math:: y = \varphi\, R

    Parameters
    ----------
    relieved_share
        Share :math:`R` of the friction of payments that goes away.
    """
    return Shock(payment=phase * relieved_share * economy.pair_flow)


def payment_friction(
    economy: Economy, phase: Array, *, rivals: Sequence[str], rival_importers: Sequence[str],
    friction: Array, rival_factor: Array, years: Array, years_on: Array,
) -> Shock:
    r"""Make payments dearer, for the pair and for other suppliers concerned (equation L13).

    .. math:: x = \varphi\, e\, F, \qquad x_{rival} = \kappa\, x

    Parameters
    ----------
    rivals, rival_importers
        Other suppliers whose payments are concerned, and in which markets.
    friction
        Cost :math:`F` added on the pair's flows, share of delivered value.
    rival_factor
        Cost added on the rivals' flows, as a multiple :math:`\kappa` of the pair's.
    years
        How long it lasts.
    years_on
        Years since it began.
    """
    added = phase * lasting(years_on, years) * friction
    rival = (economy.mask("exporter", rivals) * economy.mask("importer", rival_importers)
             * (1.0 - economy.pair_flow) * (1.0 - economy.home))
    return Shock(friction=added * (economy.pair_flow + rival_factor * rival))


def contacts(economy: Economy, phase: Array, *, link_growth: Array, elasticity: Array) -> Shock:
    r"""Make more active links between firms: cheaper to find and keep a partner (equation L10).

    .. math::

        n = \varphi\, \delta_g \bigl( 1 - (1 + L)^{-\varepsilon / \omega_g} \bigr)

    so that at unchanged prices a fully differentiated group trades about
    :math:`(1 + L)^\varepsilon` times as much.

    Parameters
    ----------
    link_growth
        Growth :math:`L` of the number of active links, share.
    elasticity
        Elasticity :math:`\varepsilon` of trade to that number.
    """
    cut = -np.expm1(-elasticity * np.log1p(link_growth) / economy.lower)
    return Shock(information=cut * economy.differentiated * economy.pair_flow * phase)
