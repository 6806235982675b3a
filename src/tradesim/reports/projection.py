"""Points and lines of a map: from degrees to a plane, and curves through points."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from tradesim.common.arrays import Array

PARALLELS, CENTRE = (42.0, 56.0), (85.0, 48.0)
"""Latitudes that are true to scale, and the middle of the map; degrees."""


def smooth(points: Array, steps: int = 64) -> Array:
    """Draw a curve through points that nowhere swings beyond them."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    curve = scipy.interpolate.PchipInterpolator(along, points)
    return np.asarray(curve(np.linspace(0.0, along[-1], steps)))


def projected(points: Array) -> Array:
    """Lambert's conformal conic projection of the sphere, in units of its radius (Snyder 1987).

    `points` are longitude and latitude in degrees; `PARALLELS` are true to scale.
    """
    first, second = np.radians(PARALLELS)

    def stretch(latitude: Any) -> Any:
        return np.tan(np.pi / 4 + latitude / 2)

    n = np.log(np.cos(first) / np.cos(second)) / np.log(stretch(second) / stretch(first))
    scale = np.cos(first) * stretch(first) ** n / n
    distance = scale / stretch(np.radians(points[:, 1])) ** n
    angle = n * np.radians(points[:, 0] - CENTRE[0])
    middle = scale / stretch(np.radians(CENTRE[1])) ** n
    return np.column_stack([distance * np.sin(angle), middle - distance * np.cos(angle)])
