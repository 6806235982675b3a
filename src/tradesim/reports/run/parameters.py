"""The parameters of a run as a table, each source once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.inputs.posterior import PARAMETERS, PREFIX
from tradesim.reports.wording import pretty, together, words


def parameters(known: Iterable[Parameter], posterior: xr.Dataset,
               given: Mapping[str, Any]) -> tuple[list[dict[str, str]], list[str]]:
    """Rows of the table of parameters, and the sources that its last column numbers.

    `given` holds those that the scenario sets; they are left out.
    """
    numbers: dict[str, int] = {}
    rows = []
    for parameter in known:
        if parameter.name in given:
            continue
        source = "; ".join(part for part in (parameter.source, parameter.locator) if part)
        number = numbers.setdefault(source, len(numbers) + 1)
        rows.append({"title": parameter.title.rstrip("."), "unit": parameter.unit,
                     "grade": parameter.grade, "number": str(number), "origin": "",
                     "value": value(parameter, posterior)})
    return rows, list(numbers)


def value(parameter: Parameter, posterior: xr.Dataset) -> str:
    """Middle of a parameter with its 80 % range, after the fit where it is fitted."""
    prior = _spread(quantile(parameter, np.array([0.5, 0.1, 0.9])), parameter.unit)
    fitted = _fitted(parameter.name, posterior) if parameter.calibrated else None
    if fitted is None:
        return prior
    middle, low, high = together(np.quantile(fitted, [0.5, 0.1, 0.9]).tolist())
    return str(words()["fitted_value"].format(middle=middle, low=low, high=high, prior=prior))


def _spread(values: Array, unit: str) -> str:
    if unit == "year":
        middle, low, high = (str(round(float(one))) for one in values)
    elif values.min() == values.max():
        return pretty(float(values[0]))
    else:
        middle, low, high = together([float(one) for one in values])
    return middle if low == high else str(words()["distribution"].format(
        middle=middle, low=low, high=high))


def _fitted(name: str, posterior: xr.Dataset) -> Array | None:
    variable, *labels = name.removeprefix(PREFIX).split(".")
    if variable not in PARAMETERS:
        return None
    where = dict(zip(PARAMETERS[variable], labels, strict=True))
    return np.asarray(posterior[variable].sel(where).values)
