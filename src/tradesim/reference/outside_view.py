"""The outside view: what trades like this one did between economies that grew like these.

`calibration/outside_view*.csv` hold what a panel of other countries says, by horizon and by growth
of both GDPs together; `docs/evidence/make_outside_view.py` makes them. This module makes the
tables from windows of a panel, reads them, and answers for a model run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.inputs.strict_yaml import load
from tradesim.inputs.trade_panel import Panel
from tradesim.reference.matched_pairs import Matching, matched

if TYPE_CHECKING:
    import pandas as pd

FILE, ERAS, VARIANTS, ABOUT = ("outside_view.csv", "outside_view_eras.csv",
                               "outside_view_variants.csv", "outside_view.yaml")

AGAIN = "run `python docs/evidence/make_outside_view.py` with a panel"

CLASSES = (-np.inf, 0.0, 0.5, 0.9, 1.3, 1.95, 2.6, np.inf)
"""Bounds of the classes of growth, for eleven years: the sum of both log changes of GDP."""

LONGEST = 11
"""Years for which the bounds are meant; for h years they are h/11 of them."""

LEVELS = (0.01, *(round(0.05 * k, 2) for k in range(1, 20)), 0.99)
"""Quantiles of growth factors that are kept."""

QUANTILES = tuple(f"p{round(100 * level):02d}" for level in LEVELS)

FEWEST = 30
"""Pairs below which a class is too small to be quoted."""

_COUNTS = (Column("windows", "integer", low=0), Column("pairs", "integer", low=0),
           Column("growth", "number", required=False),
           Column("share", "number", required=False, low=0.0, high=1.0),
           Column("se", "number", required=False, low=0.0))
_BOUNDS = (Column("horizon", "integer", low=1), Column("growth_from", "number", required=False),
           Column("growth_to", "number", required=False))
COLUMNS = (*_BOUNDS, *_COUNTS,
           *(Column(name, "number", required=False, low=0.0) for name in QUANTILES))
SPLIT_COLUMNS = (Column("panel", "text"), Column("what", "text"), *_BOUNDS, *_COUNTS,
                 *(Column(name, "number", required=False, low=0.0)
                   for name in ("p05", "p10", "p50", "p90", "p95")))


class Windows(NamedTuple):
    """Windows of one length: a pair from a base year on; each (window,)."""

    pair: Array  #: which pair, the same number whoever reports
    base: Array  #: base year
    growth: Array  #: sum of both log changes of GDP
    factor: Array  #: log change of turnover; −inf where the trade had vanished
    size: Array  #: sum of both logs of GDP in the base year


def windows(panel: Panel, like: Matching, bases: Sequence[int], horizon: int, *,
            lost: bool = False) -> Windows:
    """Follow every pair that is alike in a base year over some years.

    Parameters
    ----------
    panel
        Trade of other countries.
    like
        Which pairs are alike.
    bases
        Base years; those without a record before or an outcome after are passed over.
    horizon
        Years followed.
    lost
        Whether trade that nobody reports at the end counts as nil; left out otherwise.
    """
    names = {pair: k for k, pair in enumerate(sorted({tuple(sorted(p)) for p in panel.pairs}))}
    number = np.array([names[min(pair), max(pair)] for pair in panel.pairs])
    found: list[Windows] = []
    for base in bases:
        if base not in panel.years or base + horizon not in panel.years:
            continue
        start = panel.years.index(base)
        end = start + horizon
        rows = matched(panel, base, like)
        growth = panel.log_gdp[rows, end] - panel.log_gdp[rows, start]
        factor = np.where(panel.vanished[rows, end], -np.inf,
                          panel.log_turnover[rows, end] - panel.log_turnover[rows, start])
        factor = np.where(np.isnan(factor) & lost, -np.inf, factor)
        known = np.isfinite(growth) & ~np.isnan(factor)
        found.append(Windows(number[rows], np.full(len(rows), base), growth, factor,
                             panel.log_gdp[rows, start]))
        found[-1] = Windows(*(values[known] for values in found[-1]))
    if not found:
        return Windows(*np.empty((5, 0)))
    return Windows(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def bounds(horizon: int) -> list[tuple[float, float]]:
    """Bounds of the classes of growth for a number of years."""
    edges = [edge * horizon / LONGEST for edge in CLASSES]
    return list(pairwise(edges))


def chosen(found: Windows, keep: NDArray[np.bool_]) -> Windows:
    """Windows for which `keep` is true."""
    return Windows(*(values[keep] for values in found))


def summary(found: Windows, multiple: float) -> dict[str, float]:
    r"""Count windows and say what they did.

    The standard error adds up the deviations of each pair first, because windows of one pair
    overlap: :math:`\sqrt{\sum_p (\sum_{i \in p} (x_i - \bar x))^2} / n`.

    Parameters
    ----------
    found
        Windows of one class.
    multiple
        Growth factor that the target asks for.

    Returns
    -------
    dict
        ``windows``, ``pairs``, ``growth`` (mean of the logs), ``share`` at or above the multiple,
        its standard error ``se``, and quantiles of growth factors, all windows alike.
    """
    count = len(found.factor)
    pairs, place = np.unique(found.pair, return_inverse=True)
    if not count:
        return {"windows": 0, "pairs": 0}
    reached = found.factor >= np.log(multiple)
    share = float(reached.mean())
    by_pair = np.bincount(place, reached - share)
    levels = np.quantile(np.exp(found.factor), LEVELS, method="hazen")
    return {"windows": count, "pairs": len(pairs), "growth": float(found.growth.mean()),
            "share": share, "se": float(np.sqrt((by_pair**2).sum()) / count),
            **dict(zip(QUANTILES, levels.tolist(), strict=True))}


def by_class(found: Windows, horizon: int, multiple: float) -> list[dict[str, float]]:
    """Summarise windows of one length by classes of growth; rows of `COLUMNS`."""
    return [{"horizon": horizon, "growth_from": low, "growth_to": high, **summary(
        chosen(found, (low <= found.growth) & (found.growth < high)), multiple)}
        for low, high in bounds(horizon)]


@dataclass(frozen=True)
class OutsideView:
    """The tables of a calibration folder.

    Attributes
    ----------
    about
        What was matched, base value and target in USD, sources and terms.
    classes
        Rows of `COLUMNS`.
    eras, variants
        Rows of `SPLIT_COLUMNS`: the same by base years, and with one choice changed.
    """

    about: Mapping[str, Any]
    classes: pd.DataFrame
    eras: pd.DataFrame
    variants: pd.DataFrame

    @property
    def multiple(self) -> float:
        """Growth factor for which shares were counted."""
        return float(self.about["target_usd"] / self.about["base_usd"])

    @property
    def longest(self) -> int:
        """Years ahead that the tables reach."""
        return int(self.classes["horizon"].max())


def read_outside_view(folder: Path) -> OutsideView:
    """Read and check the tables of a calibration folder.

    Raises
    ------
    InputError
        When a file is missing or wrong.
    """
    folder = Path(folder)
    missing = [Problem(str(folder / name), "", "there is no outside view here", AGAIN)
               for name in (FILE, ERAS, VARIANTS, ABOUT) if not (folder / name).is_file()]
    if missing:
        raise InputError(missing)
    about = load(folder / ABOUT)
    wrong = [Problem(str(folder / ABOUT), key, "must be a number above zero", AGAIN)
             for key in ("base_usd", "target_usd")
             if not isinstance(about.get(key), int | float)
             or not about[key] > 0]
    if wrong:
        raise InputError(wrong)
    key = ("horizon", "growth_from")
    classes = read_table(folder / FILE, COLUMNS, key=key)
    eras, variants = (read_table(folder / name, SPLIT_COLUMNS, key=("panel", "what", *key))
                      for name in (ERAS, VARIANTS))
    for table in (classes, eras, variants):
        table["growth_from"] = table["growth_from"].fillna(-np.inf)
        table["growth_to"] = table["growth_to"].fillna(np.inf)
    return OutsideView(about, classes, eras, variants)


class Answer(NamedTuple):
    """What trades like this one did, for one model run and one year.

    ``windows`` to ``se`` are counts of one class, that of the median growth of the run;
    ``share_by_draw`` gives every draw the class of its own growth.
    """

    windows: int
    pairs: int
    growth_from: float  #: bounds of the class: sum of both log changes of GDP
    growth_to: float
    growth: float  #: median of the run
    multiple: float  #: growth factor that the target asks for
    share: float  #: of the windows at or above it; NaN where the class is too small
    se: float  #: standard error of that share, by pair
    share_by_draw: float


def answer(view: OutsideView, base_value: float, target: float, horizon: int,
           growth: Array) -> Answer:
    """Say how many of the trades like this one reached a target.

    Parameters
    ----------
    view
        From `read_outside_view`.
    base_value, target
        Turnover in the base year, and the target, in the same unit.
    horizon
        Years between them.
    growth
        Sum of both log changes of GDP over these years; (draw,).

    Raises
    ------
    ValueError
        When the tables do not reach the horizon, or a value is not above zero.
    """
    if not (base_value > 0 and target > 0):
        raise ValueError("base value and target must be above zero")
    rows, multiple = _rows(view, horizon), target / base_value
    shares = np.array([_share(row, multiple, view.multiple) for row in rows])
    middle = float(np.median(growth))
    place = int(_class_of(rows, np.array([middle]))[0])
    row, share = rows[place], float(shares[place])
    counted = np.sqrt(max(row["share"] * (1 - row["share"]), 1e-9))
    return Answer(int(row["windows"]), int(row["pairs"]), float(row["growth_from"]),
                  float(row["growth_to"]), middle, multiple, share,
                  float(row["se"] * np.sqrt(share * (1 - share)) / counted),
                  float(shares[_class_of(rows, growth)].mean()))


def fan(view: OutsideView, base_value: float, growth: Array,
        levels: Sequence[float] = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)) -> Array:
    """Give quantiles of the trades like this one, to lay under the fan of the model.

    Every draw takes the growth factors of the class of its own growth, so that errors of GDP
    widen both fans alike.

    Parameters
    ----------
    view
        From `read_outside_view`.
    base_value
        Turnover in the base year.
    growth
        Sum of both log changes of GDP since the base year; (draw, horizon), horizons from one
        year on.
    levels
        Quantiles wanted; the outermost that are known are 1 and 99 %.

    Returns
    -------
    numpy.ndarray
        In the unit of the base value; (level, horizon).
    """
    reach = min(growth.shape[1], view.longest)
    return np.stack([base_value * np.exp(_mixed(_rows(view, h + 1), growth[:, h], levels))
                     for h in range(reach)], axis=1)


def _rows(view: OutsideView, horizon: int) -> list[dict[str, float]]:
    """Classes of one horizon that hold enough pairs."""
    table = view.classes
    rows = table[(table["horizon"] == horizon) & (table["pairs"] >= FEWEST)]
    if rows.empty:
        raise ValueError(f"the outside view reaches {view.longest} years, not {horizon}")
    return [{str(k): float(v) for k, v in row.items()} for row in rows.to_dict("records")]


def _class_of(rows: Sequence[Mapping[str, float]], growth: Array) -> NDArray[np.intp]:
    """Place of the class of each growth; beyond the outermost that can be quoted, that one."""
    edges = np.array([row["growth_from"] for row in rows[1:]])
    return np.searchsorted(edges, growth, side="right")


def _share(row: Mapping[str, float], multiple: float, counted: float) -> float:
    """Share at or above a multiple: counted where it is that of the table, else between levels."""
    if abs(multiple / counted - 1) < 0.01:
        return row["share"]
    factors = np.array([row[name] for name in QUANTILES])
    return 1.0 - float(np.interp(np.log(multiple), np.log(np.maximum(factors, 1e-9)), LEVELS,
                                 left=0.0, right=1.0))


def _mixed(rows: Sequence[Mapping[str, float]], growth: Array, levels: Sequence[float]) -> Array:
    """Quantiles of a mixture of classes, logs: the level at which its distribution passes."""
    weight = np.bincount(_class_of(rows, growth), minlength=len(rows)) / len(growth)
    logs = np.log(np.maximum([[row[name] for name in QUANTILES] for row in rows], 1e-9))
    places = np.unique(logs)
    below = sum(w * np.interp(places, one, LEVELS) for w, one in zip(weight, logs, strict=True))
    return np.asarray(np.interp(levels, below, places))
