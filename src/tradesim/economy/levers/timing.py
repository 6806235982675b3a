r"""When a lever or an event acts: its strength in each year, between zero and one."""

from __future__ import annotations

import numpy as np

from tradesim.common.arrays import Array, ratio

TIMING = ("start", "delay", "phase_in", "probability")
"""Settings that every lever has and no kind sees: they make the strength."""



def phase_in(years: Array, start: Array, length: Array) -> Array:
    r"""Give the strength of a lever over time, rising in a straight line (equation 19).

    .. math:: \varphi_t = \min\{1, \max\{0, (t + 1 - t_0) / L\}\}

    Parameters
    ----------
    years
        Calendar years.
    start
        Time :math:`t_0` at which the lever begins; fractions are parts of a year.
    length
        Years :math:`L \ge 1` until full strength; one means full in the first whole year.
    """
    return np.clip((years + 1.0 - start) / length, 0.0, 1.0)


def lasting(years_on: Array, years: Array) -> Array:
    r"""Share of what is left of a year after an event began for which it lasts (equation 20).

    .. math::

        e_t = \frac{\min\{\max\{Y - \max\{k, 0\}, 0\}, \ell\}}{\ell}, \qquad
        \ell = \min\{k + 1, 1\}, \qquad k = t - t_0

    Times the strength of a lever without phase-in it is the share of the year for which the
    event lasts.

    Parameters
    ----------
    years_on
        Years :math:`k` from the beginning to the first day of the year.
    years
        How long the event lasts, :math:`Y`.

    Returns
    -------
    numpy.ndarray
        Between zero and one; zero before the beginning and after the end.
    """
    lived = np.clip(years_on + 1.0, 0.0, 1.0)
    left = np.clip(years - np.maximum(years_on, 0.0), 0.0, lived)
    return ratio(left, lived)
