"""The parameters of a run as a table, each source once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from tradesim.common.arrays import Array
from tradesim.inputs.pair import Pair
from tradesim.inputs.parameters import Parameter, quantile
from tradesim.inputs.posterior import PARAMETERS, PREFIX
from tradesim.inputs.scenario_text import NONE, Difference
from tradesim.reports.wording import pretty, together, words


class Sources:
    """Sources numbered in the order in which they are first named."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, source: str) -> str:
        """Give the number of a source; none where there is no source."""
        if not source or source == NONE:
            return ""
        return str(self._numbers.setdefault(source, len(self._numbers) + 1))

    @property
    def listed(self) -> list[str]:
        """All sources, in the order of their numbers."""
        return list(self._numbers)


def parameters(known: Iterable[Parameter], posterior: xr.Dataset, given: Mapping[str, Any],
               sources: Sources) -> list[dict[str, str]]:
    """Rows of the table of parameters.

    `given` holds those that the scenario sets; they are left out.
    """
    return [{"title": parameter.title.rstrip("."), "unit": parameter.unit,
             "grade": parameter.grade, "value": value(parameter, posterior),
             "number": sources.number(parameter.source)}
            for parameter in known if parameter.name not in given]


def settings(rows: Iterable[Difference], sources: Sources, pair: Pair) -> list[dict[str, Any]]:
    """Rows of the table of what a scenario changes; sources of levers are references.

    Countries, groups, products and routes have the names that the data give them.
    """
    return [asdict(row) | {"number": sources.number(row.source if row.default else ""),
                           "value": _named(row.value, pair), "default": _named(row.default, pair)}
            for row in rows]


def _named(value: str, pair: Pair) -> str:
    """Put names for codes in a choice; a list of all groups or suppliers is a long one."""
    names = [part.strip() for part in value.split(",")]
    if {*pair.groups} <= {*names} or {*pair.exporters} <= {*names}:
        return str(words()["all_of_them"])
    return ", ".join(pair.name(name).replace("_", " ") for name in names)


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
