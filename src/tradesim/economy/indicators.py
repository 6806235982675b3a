"""On whom a market depends: shares of suppliers, their concentration, the shared corridor."""

from __future__ import annotations

from tradesim.common.arrays import Array, ratio, total


def shares(imports: Array) -> Array:
    r"""Share of each foreign supplier in a market's imports (equation A7).

    .. math:: s_{ij} = \frac{v_{ij}}{\sum_{k} v_{kj}}

    Parameters
    ----------
    imports
        Purchases from abroad by importer and exporter, zero for home sales; order of `DIMS`.
    """
    return ratio(imports, total(imports, "exporter"))


def concentration(share: Array) -> Array:
    r"""Concentration of imports by supplier (equation A7): Herfindahl and Hirschman's index.

    .. math:: H_j = \sum_i s_{ij}^2

    Parameters
    ----------
    share
        Shares of suppliers, adding up to one; order of `DIMS`.

    Returns
    -------
    numpy.ndarray
        One over the number of suppliers where all are equal, one where there is a single one.
    """
    return total(share**2, "exporter")


def corridor_share(flow: Array, through: Array) -> Array:
    """Share of the pair's trade that takes routes of the shared corridor, or one (equation A8).

    Parameters
    ----------
    flow
        Purchases from the partner before duty, USD by importer and group; order of `DIMS`.
    through
        Share of the pair's goods on those routes, by importer and group; further leading axes
        for routes one by one.

    Returns
    -------
    numpy.ndarray
        Share between zero and one by importer; zero where the pair does not trade.
    """
    whole, part = total(flow, "group"), total(flow * through, "group")
    return ratio(part, whole)
