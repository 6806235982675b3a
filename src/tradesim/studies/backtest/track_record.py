"""The track record: what `backtest.csv` of a calibration says about forecasts of the past.

One row for every forecast: what was forecast (target, count, model, origin, horizon), what
happened, quantiles of the forecast and its scores. All values are natural logs of USD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.studies.backtest.bootstrap import SkillRange, skill_range

if TYPE_CHECKING:
    import pandas as pd

FILE = "backtest.csv"
TURNOVER = "turnover"
"""Target: both directions added. Any other target is the importer of one direction."""

MODEL = "tradesim"
"""The reference path, fitted to what was known at each origin."""

SHIPPED, RIVAL, RIVAL_ALL_YEARS, PROBE = KINDS = ("model", "rival", "rival_all_years", "probe")
"""Kinds of models; a `RIVAL` does not see the years in which the corridor was closed."""

KEY = ("target", "count", "model", "origin", "horizon")
QUANTILES = ("p05", "p25", "p50", "p75", "p95")
COLUMNS = (
    Column("target", "text"), Column("count", "text"), Column("model", "text"),
    Column("kind", "text", allowed=KINDS), Column("origin", "year"),
    Column("horizon", "integer", low=1), Column("year", "year"), Column("actual", "number"),
    Column("mean", "number"), *(Column(name, "number") for name in QUANTILES),
    Column("crps", "number", low=0.0), Column("covered50", "number", low=0.0, high=1.0),
    Column("covered90", "number", low=0.0, high=1.0), Column("pit", "number", low=0.0, high=1.0),
    Column("log_score", "number"))

AGAIN = "run `tradesim backtest --keep`"


def read_record(folder: Path) -> pd.DataFrame:
    """Read and check `backtest.csv` of a calibration folder.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise InputError([Problem(str(path), "", "there is no back-test here", AGAIN)])
    return read_table(path, COLUMNS, key=KEY)


def write_record(frame: pd.DataFrame, path: Path) -> None:
    """Write a record with six digits, in the order of `COLUMNS`."""
    frame[[column.name for column in COLUMNS]].to_csv(
        path, index=False, float_format="%.6g", lineterminator="\n")


def of(frame: pd.DataFrame, target: str, count: str, model: str | None = None) -> pd.DataFrame:
    """Rows of one target on one count, of all models or of one."""
    rows = frame[(frame["target"] == target) & (frame["count"] == count)]
    return rows if model is None else rows[rows["model"] == model]


def grid(frame: pd.DataFrame, column: str, models: Sequence[str]) -> Array:
    """Lay one column out as (origin, horizon, model), NaN where there is no outcome."""
    cube = frame.set_index(["origin", "horizon", "model"])[column].to_xarray()
    return np.asarray(cube.reindex(model=list(models)).to_numpy(), dtype=float)


def models_of(frame: pd.DataFrame, *kinds: str) -> list[str]:
    """Names of the models of some kinds, in the order of the file."""
    return list(dict.fromkeys(frame.loc[frame["kind"].isin(kinds), "model"]))


@dataclass(frozen=True)
class Skill:
    """How much better a model is than the best rival at each horizon."""

    horizons: tuple[int, ...]  # years ahead
    rival: tuple[str, ...]  # the one with the lowest mean CRPS at each horizon
    skill: Array  # 1 − CRPS / CRPS of that rival; (horizon,)
    ours: Array  # CRPS; (origin, horizon), NaN where there is no outcome
    theirs: Array  # CRPS of every rival; (origin, horizon, rival)

    def mean(self, first: int = 1) -> float:
        """Mean skill over horizons from `first` on."""
        return float(self.skill[first - 1:].mean())

    def range(self, first: int = 1, last: int | None = None) -> SkillRange:
        """Mean skill over horizons `first` to `last`, with its interval over origins.

        The best rival is chosen anew in every sample. Where fewer than two origins have an
        outcome the interval is NaN.
        """
        ours, theirs = self.ours[:, first - 1:last], self.theirs[:, first - 1:last]
        if np.isfinite(ours).any(axis=1).sum() < 2:
            return SkillRange(float(self.skill[first - 1:last].mean()), *[np.nan] * 3)
        return skill_range(ours, theirs)


def skill(rows: pd.DataFrame, model: str, kind: str = RIVAL) -> Skill:
    """Skill of a model in the rows of one target and count (`of`), against the best rival.

    Rivals are the models of one kind: `RIVAL`, or `RIVAL_ALL_YEARS`.
    """
    rivals = models_of(rows, kind)
    ours, theirs = grid(rows, "crps", [model])[..., 0], grid(rows, "crps", rivals)
    value, best = np.full(ours.shape[1], np.nan), [0] * ours.shape[1]
    for h in range(ours.shape[1]):
        known = np.isfinite(ours[:, h])
        means = theirs[known, h].mean(axis=0)
        best[h] = int(means.argmin())
        value[h] = 1.0 - ours[known, h].mean() / means[best[h]]
    return Skill(tuple(range(1, len(value) + 1)), tuple(rivals[k] for k in best), value, ours,
                 theirs)


def by_origin(rows: pd.DataFrame, models: Sequence[str], first: int = 2, *,
              total: bool = False) -> pd.DataFrame:
    """Mean CRPS of some models by origin, over years ahead from `first` on.

    With `total` each score is divided by the number of forecasts of its horizon instead, so that
    origins add up to the sum over horizons. Index ``origin``, one column a model.
    """
    late = rows[rows["model"].isin(models) & (rows["horizon"] >= first)]
    if total:
        number = late.groupby(["model", "horizon"])["crps"].transform("size")
        late = late.assign(crps=late["crps"] / number)
    return late.pivot_table("crps", "origin", "model",
                            aggfunc="sum" if total else "mean")[list(models)]


def sharpness(rows: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    r"""How wide the ranges of some models were, and how spread out the outcomes in them.

    Dispersion is :math:`12\,\overline{(u - 1/2)^2}` of the PIT :math:`u`: 1 if ranges are right,
    more if they are too narrow, less if too wide. Its standard error for :math:`n` forecasts that
    do not overlap is :math:`\sqrt{0.8 / n}`.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``horizon``, ``dispersion``, ``width`` (of the 90 % range, logs, mean).
    """
    chosen = rows[rows["model"].isin(models)]
    scored = chosen.assign(dispersion=12 * (chosen["pit"] - 0.5) ** 2,
                           width=chosen["p95"] - chosen["p05"])
    return scored.groupby(["model", "horizon"], sort=False)[
        ["dispersion", "width"]].mean().reset_index()


def by_horizon(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of every model at every horizon, for one target and count.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``kind``, ``horizon``, ``forecasts``, ``crps``, ``covered50``, ``covered90``,
        ``bias`` (outcome less median), ``log_score``; models in the order of the file.
    """
    scored = rows.assign(bias=rows["actual"] - rows["p50"])
    return scored.groupby(["model", "kind", "horizon"], sort=False).agg(
        forecasts=("crps", "size"), crps=("crps", "mean"), covered50=("covered50", "mean"),
        covered90=("covered90", "mean"), bias=("bias", "mean"),
        log_score=("log_score", "mean")).reset_index()


def overall(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean scores of every model over horizons, each horizon counting the same.

    Returns
    -------
    pandas.DataFrame
        Index ``model``; ``kind``, ``crps``, ``covered50``, ``covered90``, ``bias``,
        ``log_score``.
    """
    table = by_horizon(rows).drop(columns=["horizon", "forecasts"])
    return table.groupby(["model", "kind"], sort=False).mean().reset_index("kind")


def track_record(frame: pd.DataFrame, count: str, model: str = MODEL,
                 target: str = TURNOVER) -> dict[str, Any]:
    """Numbers for one sentence on how wrong forecasts of this kind were.

    Parameters
    ----------
    frame
        From `read_record`.
    count
        On which count.
    model, target
        The reference path and turnover by default.

    Returns
    -------
    dict
        ``first_origin``, ``last_origin``, ``last_year``, ``forecasts``; ``covered50``,
        ``covered90`` (shares, each horizon counting the same); ``skill``, mean over horizons with
        its interval (`bootstrap.SkillRange`), and ``skill_all_years``, the same against rivals
        that see every year; ``horizons``, a mapping from years ahead to

        - ``forecasts``: how many,
        - ``below``, ``above``: half of the outcomes lay between so many per cent (below zero, and
          above) off the middle of their forecast: e^−m − 1 and e^m − 1, with m the median
          absolute error of the log,
        - ``half_width``: half the width of the central 50 % interval, log points, mean,
        - ``covered50``, ``covered90``, ``crps``, ``skill``, ``rival`` (the best one),
        - ``bias_percent``: outcome against the middle of the forecast, mean of logs, per cent.

    Raises
    ------
    InputError
        When the record has no such rows.
    """
    rows = of(frame, target, count)
    mine = rows[rows["model"] == model]
    if not len(mine) or not models_of(rows, RIVAL) or not models_of(rows, RIVAL_ALL_YEARS):
        raise InputError([Problem(FILE, f"{target}, {count}, {model}", "no such forecasts in the "
                                  "record, or no rivals of them", AGAIN)])
    better, table = skill(rows, model), by_horizon(mine).set_index("horizon").to_dict("index")
    horizons: dict[int, Mapping[str, Any]] = {}
    for k, h in enumerate(better.horizons):
        at = mine[mine["horizon"] == h]
        middle = float((at["actual"] - at["p50"]).abs().median())
        scores: dict[Any, Any] = table[h]
        horizons[h] = {
            "forecasts": len(at), "above": 100 * float(np.expm1(middle)),
            "below": 100 * float(np.expm1(-middle)),
            "half_width": float((at["p75"] - at["p25"]).mean() / 2),
            **{name: float(scores[name]) for name in ("covered50", "covered90", "crps")},
            "skill": float(better.skill[k]), "rival": better.rival[k],
            "bias_percent": 100 * float(np.expm1(scores["bias"]))}
    whole: dict[Any, Any] = overall(mine).iloc[0].to_dict()
    return {"first_origin": int(mine["origin"].min()), "last_origin": int(mine["origin"].max()),
            "last_year": int(mine["year"].max()), "forecasts": len(mine),
            "covered50": float(whole["covered50"]), "covered90": float(whole["covered90"]),
            "skill": better.range(),
            "skill_all_years": skill(rows, model, RIVAL_ALL_YEARS).range(), "horizons": horizons}
