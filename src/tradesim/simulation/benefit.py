"""What is gained against what it costs, where levers carry a cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

COSTS = "cost_present_value"
GAINS = "welfare_present_value"


def costly(dataset: xr.Dataset) -> bool:
    """Whether any lever pulled has a cost."""
    return bool(np.any(dataset["policy_cost"].to_numpy()))


def present_values(dataset: xr.Dataset, case: str) -> dict[str, np.ndarray[Any, Any]]:
    r"""Present values up to the horizon in one case, by draw (equation A11).

    .. math:: N = \sum_j V_j - K

    Parameters
    ----------
    dataset
        Results of a run.
    case
        A case of policy.

    Returns
    -------
    dict
        USD of the first year by draw: ``cost`` :math:`K`, the gain :math:`V` of each country by
        its name, ``joint`` for both, and ``net`` of the cost :math:`N`.
    """
    last = dataset.isel(year=-1).sel(case=case)
    cost = last[COSTS].to_numpy().astype(float)
    gains = {str(importer): last[GAINS].sel(importer=importer).to_numpy().astype(float)
             for importer in dataset["importer"].to_numpy()}
    joint = np.sum(list(gains.values()), axis=0)
    return {"cost": cost, **gains, "joint": joint, "net": joint - cost}


def ratio(values: dict[str, np.ndarray[Any, Any]]) -> float:
    """Mean joint gain over mean cost; zero where nothing is spent."""
    cost = float(values["cost"].mean())
    return float(values["joint"].mean()) / cost if cost > 0.0 else 0.0
