"""What it costs to build and run a lever, and the present value of costs and gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from tradesim.common.arrays import MILLION, Array, axis, spread
from tradesim.inputs.levers import COST, Lever

YEAR = axis("year")


def policy_cost(levers: Mapping[str, Lever], draws: Mapping[str, Array], years: Sequence[int],
                cases: Mapping[str, Mapping[str, Array]]) -> Array:
    """Cost of all levers pulled: a lever that fails in a draw is not built in it.

    Parameters
    ----------
    levers
        Levers by name.
    cases
        For each case, a switch (zero or one, by draw) by name of lever.

    Returns
    -------
    numpy.ndarray
        USD by case, year and draw, order of `DIMS`.
    """
    names = dict.fromkeys(name for case in cases.values() for name in case)
    parts = [spread(np.stack([case[name] for case in cases.values()]), "case", "draw")
             * lever_cost(levers[name], draws, years) for name in names]
    return reduce(np.add, parts, spread(0.0))


def lever_cost(lever: Lever, draws: Mapping[str, Array], years: Sequence[int]) -> Array:
    """Cost of a lever by year if it is pulled, from its optional settings.

    Parameters
    ----------
    lever
        May have the settings ``capital_cost``, ``capital_years`` and ``yearly_cost``.

    Returns
    -------
    numpy.ndarray
        USD by year and draw, order of `DIMS`; zero for a lever without these settings.
    """
    given = {key: spread(draws[f"{lever.name}.{key}"], "draw") for key in COST
             if key in lever.settings}
    if not given:
        return spread(0.0)
    opening = spread(draws[f"{lever.name}.start"] + draws[f"{lever.name}.delay"], "draw")
    none, one = spread(0.0), spread(1.0)
    return MILLION * spending(
        spread(np.asarray(years, dtype=float), "year"), opening, given.get("capital_cost", none),
        given.get("capital_years", one), given.get("yearly_cost", none))


def spending(years: Array, opening: Array, capital: Array, length: Array,
             running: Array) -> Array:
    r"""Cost by year: capital before the opening, then running cost (equation A9).

    .. math::

        k_t = K\,\frac{|[t, t+1] \cap [b, e]|}{e - b} + k\,|[t, t+1] \cap [o, \infty)|,
        \qquad b = \max(o - n, t_0),\; e = \max(o, b + 1)

    Capital is spent evenly. What would have been spent before the first projected year
    :math:`t_0` is spent from that year on: a cost is not lost because it is early.

    Parameters
    ----------
    years
        Calendar years :math:`t`, the first projected year first; order of `DIMS`.
    opening
        Time :math:`o` at which the lever begins to work.
    capital, length
        Capital cost :math:`K` and the years :math:`n` before the opening in which it is spent.
    running
        Cost :math:`k` of a year from the opening on.

    Returns
    -------
    numpy.ndarray
        In the unit of the costs, by year.
    """
    begin = np.maximum(opening - length, years.min())
    end = np.maximum(opening, begin + 1.0)
    built = (np.clip(years + 1.0, begin, end) - np.clip(years, begin, end)) / (end - begin)
    open_share = np.clip(years + 1.0 - opening, 0.0, 1.0)
    return np.asarray(capital * built + running * open_share)


def present_value(values: Array, rate: Array) -> Array:
    r"""Discounted sum of a yearly amount up to each year (equation A10).

    .. math:: V_T = \sum_{t=t_0}^{T} \frac{x_t}{(1 + \rho)^{t - t_0}}

    Parameters
    ----------
    values
        Amount :math:`x` of each year, order of `DIMS`.
    rate
        Discount rate :math:`\rho`, share a year, without years.

    Returns
    -------
    numpy.ndarray
        Value in the first year of all that comes up to each year; nothing counts after the last.
    """
    length = values.shape[YEAR]
    ahead = spread(np.arange(float(length)), "year")
    return np.asarray(np.cumsum(values * (1.0 + rate) ** -ahead, axis=YEAR))
