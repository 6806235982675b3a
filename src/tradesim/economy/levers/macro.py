r"""Events that move whole economies: exchange rates and growth."""

from __future__ import annotations

import numpy as np

from tradesim.common.arrays import Array, total
from tradesim.economy.base_year import Economy
from tradesim.economy.shocks import Shock


def currency_move(
    economy: Economy, phase: Array, *, country: str, depreciation: Array, half_life: Array,
    pass_through: Array, years_on: Array,
) -> Shock:
    r"""Let one country's currency lose real value: its goods get cheaper, it buys less (L16).

    With :math:`z_t = \varphi \ln(1 - V)\, 2^{-\max\{k, 0\} / H}` the log change of the country's
    prices in USD (equation L16),

    .. math::

        w = \psi z, \qquad \ell_j = (1 - \psi) z, \qquad
        d_j = \bigl(1 - (1 - \varepsilon)\,\bar\alpha\bigr)\,\psi z

    Its suppliers offer at prices lower by :math:`w`, abroad and at home. What it spends in USD
    falls by :math:`z`, as its income does: at home prices, of goods that are the share
    :math:`\bar\alpha` of its spending, this buys less by :math:`(1 - \psi) z` only.

    Parameters
    ----------
    country
        Whose currency; a third country's moves the prices of its goods only.
    depreciation
        Real loss of value :math:`V`, share; negative for a gain.
    half_life
        Years :math:`H` in which half of it is undone.
    pass_through
        Part :math:`\psi` of it that the price in USD follows.
    years_on
        Years :math:`k` since it happened.
    """
    move = phase * np.log1p(-depreciation) * 0.5 ** (np.maximum(years_on, 0.0) / half_life)
    cheaper = pass_through * move
    here = economy.mask("importer", [country])
    paid = economy.sales * (1.0 + economy.duty)
    home_share = (total(paid * economy.home, "exporter", "group")
                  / total(paid, "exporter", "group"))
    return Shock(price=cheaper * economy.mask("exporter", [country]),
                 level=(move - cheaper) * here,
                 demand=(1.0 - (1.0 - economy.demand) * home_share) * cheaper * here)


def growth_path(
    economy: Economy, phase: Array, *, growth_of_first: Array, growth_of_second: Array,
    years: Array, years_on: Array,
) -> Shock:
    r"""Let the two economies grow faster or slower: the path moves (equations 2, L17).

    .. math::

        \Delta \ln Y_c = \varphi\, g_c \min\{1 + \max\{k, 0\}, Y\}, \qquad
        \Delta x_d = \beta \sum_c \Delta \ln Y_c

    for the pair's flows; purchases from all others grow with the importer's own GDP.

    Parameters
    ----------
    growth_of_first, growth_of_second
        Extra growth :math:`g` a year of the two members of the pair, in their order, share.
    years
        For how many years :math:`Y` growth differs; the level reached stays.
    years_on
        Years :math:`k` since it began.
    """
    grown = phase * np.minimum(1.0 + np.maximum(years_on, 0.0), years)
    first, second = (economy.mask("importer", [name]) for name in economy.pair.importers)
    own = grown * (growth_of_first * first + growth_of_second * second)
    gravity = economy.draws["posterior.elasticity_gdp"] * total(own, "importer")
    return Shock(level=gravity * economy.pair_flow + own * (1.0 - economy.pair_flow))
