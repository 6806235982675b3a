"""All checks of identification as one table, read from the posterior and written beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.common.output import whole_file
from tradesim.common.parallel import Mapper, Progress
from tradesim.inputs import posterior
from tradesim.inputs.parameters import quantile
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.reference.likelihood import Evidence, read_evidence
from tradesim.studies.identification import (
    contraction,
    dispersion,
    influence,
    overlap,
    ranks,
    replicate,
    statistics,
    uniformity,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

FILE = "identification.csv"
COLUMNS = ("parameter", "check", "key", "value")
DIGITS = 6


def vectors_of(dataset: xr.Dataset) -> Array:
    """Parameter vectors (draw, parameter) of a posterior file."""
    draws = dataset.sizes["draw"]
    return np.concatenate([
        dataset[name].transpose("draw", *dims).to_numpy().astype(float).reshape(draws, -1)
        for name, dims in posterior.PARAMETERS.items()], axis=1)


def checked(evidence: Evidence, vectors: Array, seed: int = 1,
            progress: Progress | None = None) -> list[dict[str, Any]]:
    """Rows parameter, check, key, value: all checks of one posterior."""
    history = evidence.history
    rows: list[dict[str, Any]] = []

    def add(parameter: str, check: str, **values: float) -> None:
        rows.extend({"parameter": parameter, "check": check, "key": key,
                     "value": round(float(value), 9) + 0.0} for key, value in values.items())

    u = (np.arange(20_000) + 0.5) / 20_000
    for k, (parameter, prior) in enumerate(evidence.priors.items()):
        before, after = quantile(prior, u), vectors[:, k]
        add(parameter, "prior", **_summary(before))
        add(parameter, "posterior", **_summary(after))
        add(parameter, "identified", contraction=contraction(float(before.var()), after),
            overlap=overlap(prior, after))
    rng = np.random.default_rng([seed, 3])
    seen = statistics(history.log_value, history.importers, history.reporters)
    again = statistics(replicate(evidence, vectors, rng), history.importers, history.reporters)
    for statistic, observed in seen.items():
        add(statistic, "predictive", observed=float(observed), **_summary(again[statistic]),
            p_value=float((again[statistic] >= observed).mean()))
    for number, year in enumerate(history.years):
        out = influence(evidence, vectors, year, seed)
        for quantity, shift in out.shift.items():
            add(quantity, "left_out", **{str(year): shift})
            add(quantity, "left_out_change", **{str(year): out.change[quantity]})
        add("weights", "left_out_effective", **{str(year): out.effective})
        add("weights", "left_out_shape", **{str(year): out.shape})
        add("weights", "left_out_refitted", **{str(year): float(out.refitted)})
        if progress is not None:
            progress(number + 1, len(history.years))
    return rows


def _summary(values: Array) -> dict[str, float]:
    p05, p50, p95 = np.quantile(values, (0.05, 0.5, 0.95))
    return {"mean": float(values.mean()), "sd": float(values.std()), "p05": float(p05),
            "p50": float(p50), "p95": float(p95)}


def identify(folder: Path, *, simulations: int = 0, seed: int = 1, mapper: Mapper = map,
             progress: Progress | None = None) -> pd.DataFrame:
    """Check the posterior of a calibration folder; a table of `COLUMNS`.

    Parameters
    ----------
    folder
        Calibration folder.
    simulations
        Fits to simulated reports (`identification.ranks`): each takes seconds.
    seed, mapper, progress
        Of everything random; over what simulations are spread; called with parts done and parts
        in all.

    Raises
    ------
    InputError
        When the posterior does not belong to the folder.
    """
    import pandas as pd

    folder = Path(folder)
    evidence = read_evidence(folder)
    vectors = vectors_of(posterior.read_posterior(folder))
    rows = checked(evidence, vectors, seed, progress)
    if simulations:
        found = ranks(evidence, simulations, seed=seed, mapper=mapper, progress=progress)
        rows += [{"parameter": parameter, "check": "simulation", "key": key, "value": float(value)}
                 for key, values in (("p_value", uniformity(found)),
                                     ("dispersion", dispersion(found)))
                 for parameter, value in zip(evidence.names, values, strict=True)]
        rows.append({"parameter": "simulations", "check": "simulation", "key": "number",
                     "value": float(simulations)})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def write(frame: pd.DataFrame, path: Path) -> None:
    """Write the table with `DIGITS` significant digits; whole or not at all."""
    rounded = frame.assign(value=[f"{value:.{DIGITS}g}" for value in frame["value"]])
    with whole_file(path) as work:
        rounded.to_csv(work, index=False, lineterminator="\n")


def read(folder: Path) -> pd.DataFrame | None:
    """Read `identification.csv` of a calibration folder; nothing where there is none."""
    path = Path(folder) / FILE
    if not path.is_file():
        return None
    return read_table(path, [Column("parameter", "text"),
                             Column("check", "text"), Column("key", "text"),
                             Column("value", "number")],
                      key=("parameter", "check", "key"))
