r"""New goods: products that a trade did not have, as a random process (equations N1 to N3).

Constant-elasticity demand stretches the trade that is there and cannot begin a new one. The growth
of other pairs has such beginnings in it, and so has the path fitted to totals: its level, its
elasticity to size and the size of its unexplained part hold them already. So the process changes
neither the expected log of a flow nor, over ten years, its variance; it says which part of the
unexplained is new goods, and gives that part the shape of rare rises that last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tradesim.common.arrays import Array

PREFIX = "new_goods."

LEAST_RISE = float(np.log(1.25))
"""Log rise of a flow from which a new good counts: a quarter of all that is traded."""

FULL_GROWN = 2
"""Years after its first in which a new good is sold at its full size."""

SPAN = 10
"""Years over which the variance of the path stays what it was fitted to be."""

CALMEST = 0.25
"""Least share of that variance which is left to all else."""

COLUMNS = ("comes", "size", "lasts")
"""Random numbers of one flow and year."""


@dataclass(frozen=True)
class NewGoods:
    """How often goods arrive, how large they grow, how soon they are lost; first axis ``draw``.

    Attributes
    ----------
    rate
        Arrivals a year by importer; (draw, importer).
    beyond
        Mean log size beyond `LEAST_RISE`, exponentially distributed; (draw, importer).
    first_year
        Share of its full size that a good has in its first year; (draw,).
    loss
        Share of those there that are lost each year; (draw,).
    """

    rate: Array
    beyond: Array
    first_year: Array
    loss: Array

    def kept(self, years: int) -> Array:
        """Share of the goods of a year that are still there after 0, 1, ... years; (draw, age)."""
        return np.asarray((1.0 - self.loss[:, None]) ** np.arange(years))

    def grown(self, years: int) -> Array:
        """Share of its full size by age, straight up to `FULL_GROWN`; (draw, age)."""
        grown = np.minimum(np.arange(years) / FULL_GROWN, 1.0)
        return np.asarray(self.first_year[:, None] * (1.0 - grown) + grown)

    @property
    def chance(self) -> Array:
        """Probability that a good arrives in a year; (draw, importer)."""
        return np.asarray(-np.expm1(-self.rate))


def columns(importers: tuple[str, ...]) -> tuple[str, ...]:
    """Names of the random numbers of a year: `COLUMNS` of each importer."""
    return tuple(f"{importer}.{name}" for importer in importers for name in COLUMNS)


def new_goods(draws: Mapping[str, Array], importers: tuple[str, ...]) -> NewGoods | None:
    """Gather the numbers of the process from the draws; None where a calibration has none."""
    if f"{PREFIX}loss" not in draws:
        return None
    share = draws[f"{PREFIX}share_of_rises"][:, None]
    rises, beyond = (np.stack([draws[f"{PREFIX}{name}.{code}"] for code in importers], axis=-1)
                     for name in ("rises", "beyond"))
    return NewGoods(rises * share, beyond, draws[f"{PREFIX}first_year"], draws[f"{PREFIX}loss"])


def expected(goods: NewGoods, years: int) -> Array:
    r"""Mean of the log rise by new goods (equation N2); (draw, year, importer).

    The first projected year is :math:`t = 1`.

    .. math:: E\,a_{dt} = p_d\,(\ell_0 + \mu_d) \sum_{k < t} r_k (1 - \delta)^k
    """
    reached = np.cumsum(goods.grown(years) * goods.kept(years), axis=1)
    return reached[..., None] * (goods.chance * (LEAST_RISE + goods.beyond))[:, None]


def variance(goods: NewGoods, years: int) -> Array:
    r"""Variance of the log rise by new goods (equation N2); (draw, year, importer).

    .. math:: V\,a_{dt} = \sum_{k < t} \bigl[p_d\,m_d\,r_k^2 (1 - \delta)^k
        - (p_d\,(\ell_0 + \mu_d)\, r_k (1 - \delta)^k)^2\bigr], \quad
        m_d = \ell_0^2 + 2 \ell_0 \mu_d + 2 \mu_d^2
    """
    grown, kept = goods.grown(years)[..., None], goods.kept(years)[..., None]
    first = goods.chance * (LEAST_RISE + goods.beyond)
    second = goods.chance * (LEAST_RISE**2 + 2 * goods.beyond * (LEAST_RISE + goods.beyond))
    return np.cumsum(second[:, None] * grown**2 * kept - (first[:, None] * grown * kept) ** 2,
                     axis=1)


def arrivals(goods: NewGoods, uniform: Array, weight: Array | None = None,
             rate: Array | None = None) -> Array:
    r"""Log rise of each flow by the goods that have arrived (equation N1).

    .. math:: a_{dt} = \sum_{s \le t} w_s A_{ds}\, \ell_{ds}\, r_{t-s}\, 1[t - s < L_{ds}]

    :math:`A` is one with probability :math:`p = 1 - e^{-\lambda}`, :math:`\ell - \ell_0` is
    exponential with mean :math:`\mu`, and a good is lost with probability :math:`\delta` each year.

    Parameters
    ----------
    uniform
        Uniform numbers in the order of `COLUMNS`; (draw, year, importer, column). A flow and
        year whose first number is just one half stands in the middle and gets the mean instead.
    weight
        Strength :math:`w` with which arrivals of a year count; (draw, year), one by default.
    rate
        Arrivals a year in place of those of `goods`; (draw, importer).

    Returns
    -------
    numpy.ndarray
        Log points; (draw, year, importer).
    """
    years = uniform.shape[1]
    grown, kept = goods.grown(years), goods.kept(years)
    chance = goods.chance if rate is None else -np.expm1(-rate)
    comes, size, lasts = np.moveaxis(uniform, -1, 0)
    middle = comes == 0.5
    rise = np.where(comes > 1.0 - chance[:, None],
                    LEAST_RISE - goods.beyond[:, None] * np.log1p(-size), 0.0)
    mean = np.broadcast_to((chance * (LEAST_RISE + goods.beyond))[:, None], rise.shape)
    strength = np.ones(uniform.shape[:2]) if weight is None else weight
    risen = np.where(middle, mean, rise) * strength[..., None]
    path = np.zeros_like(risen)
    for age in range(years):
        still = kept[:, age, None, None]
        there = np.where(middle, still, lasts < still)[:, :years - age]
        path[:, age:] += risen[:, :years - age] * grown[:, age, None, None] * there
    return path


def left(goods: NewGoods, innovation_sd: Array, persistence: Array) -> Array:
    r"""Share of the innovations' standard deviation that is left to all else (equation N3).

    .. math:: \sqrt{\max\Bigl\{1 - \frac{V\,a_{d,H}}{\omega_d^2 \sum_{k<H} \rho^{2k}},
        \; c\Bigr\}}, \qquad H = 10

    Parameters
    ----------
    innovation_sd
        :math:`\omega` of equation 3; (draw, importer).
    persistence
        :math:`\rho` of equation 3; (draw,).

    Returns
    -------
    numpy.ndarray
        (draw, importer).
    """
    fitted = innovation_sd**2 * (persistence[:, None] ** (2 * np.arange(SPAN))).sum(1)[:, None]
    rest = 1.0 - variance(goods, SPAN)[:, -1] / fitted
    return np.asarray(np.sqrt(np.maximum(rest, CALMEST)))
