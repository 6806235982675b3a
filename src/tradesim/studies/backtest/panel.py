"""Skill on other pairs: the form of the reference path, held against thousands of past trades.

Ten origins of one pair cannot show skill. Here the one-count form (`reference.one_count`) is fitted
to the record of every matched pair up to every origin, with the priors of the calibration, and
scored against simple rules on the same records. `docs/outside-view.md` has the results.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem
from tradesim.common.files import program
from tradesim.common.output import whole_file
from tradesim.inputs.distributions import Beta, Lognormal, Normal
from tradesim.inputs.macro_outlook import DOLLAR_INFLATION, WORLD_GROWTH
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import read_parameters
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.inputs.trade_panel import Panel
from tradesim.reference import one_count
from tradesim.reference.matched_pairs import (
    Matching,
    Rows,
    matched,
    origins_of,
    record,
    refuse_few,
)
from tradesim.reference.one_count import Ahead, Priors
from tradesim.studies.backtest import scores
from tradesim.studies.backtest.bootstrap import skill_range
from tradesim.studies.backtest.panel_rivals import RIVALS
from tradesim.studies.backtest.track_record import MODEL

if TYPE_CHECKING:
    import pandas as pd

FILE = "panel_skill.csv"
COLUMNS = ("model", "horizon", "skill", "low", "high", "coverage90", "cases", "pairs",
           "chance_of_none", "crps", "bias")

SHIPPED, KNOWN = MODEL, "_gdp_known"
"""The form with the priors of the calibration, and what a name gets where GDP is known."""

HORIZONS, POINTS, BLOCK = 11, 256, 5
"""Years ahead; draws of a forecast, a power of two; consecutive origins in a block."""

SCORED = ("model", "origin", "horizon", "pair", "crps", "covered90", "bias")
"""Columns of the scores of an origin."""

FIRST_ORIGIN = 1973
"""Earliest origin: fourteen years after panels of GDP begin."""

NOTHING = (0.0, 0.0)
"""Elasticity of a form without GDP."""

EXPECTED_GROWTH = 2 * (np.log1p(WORLD_GROWTH) + np.log1p(DOLLAR_INFLATION))
"""Yearly growth of both GDPs together, in dollars, to expect of any two countries.

Chosen by its record on GDP alone (`docs/outside-view.md`).
"""


def priors_of(folder: Path) -> Priors:
    """Read the priors of the larger flow, on the reference count, from a calibration folder.

    Raises
    ------
    ValueError
        When a prior is of another kind than the one-count form takes.
    """
    pair, parameters = read_pair(folder), read_parameters(folder)
    flow = pair.pair[0]
    own = {name: parameters[f"reference.{name}"].distribution for name in (
        "elasticity_gdp", "persistence", f"innovation_sd.{flow}",
        f"error_sd.{flow}.{pair.reporters[0]}")}
    elasticity, persistence, innovation, error = own.values()
    if not (isinstance(elasticity, Normal) and isinstance(persistence, Beta)
            and isinstance(innovation, Lognormal) and isinstance(error, Lognormal)):
        raise ValueError("the panel back-test takes a normal prior of the elasticity, a beta "
                         "prior of persistence and lognormal ones of standard deviations")
    return Priors((elasticity.mean, elasticity.sd), (persistence.a, persistence.b),
                  (innovation.median, innovation.sd), (error.median, error.sd))


def forms_of(shipped: Priors) -> dict[str, Priors]:
    """Forms that are compared: the shipped one, others that differ, and what each part adds."""
    others = {
        "priors_of_0_2": replace(shipped, elasticity=(1.0, 0.25), persistence=(5.0, 5.0)),
        "panel_priors": replace(shipped, elasticity=(0.6, 0.3), persistence=(8.0, 2.0)),
        "local_level": replace(shipped, elasticity=(0.6, 0.3), persistence=None),
        "without_gdp": replace(shipped, elasticity=NOTHING, persistence=None)}
    return {SHIPPED: shipped} | {name: one for name, one in others.items() if one != shipped}


def outlook(panel: Panel, rows: Rows, origin: int, horizons: int) -> Ahead:
    r"""Forecast GDP in dollars without knowing what came.

    Growth is `EXPECTED_GROWTH`; errors add up, as large as those of this rule in the past, and
    growth as such is uncertain too: variance :math:`h \sigma^2 + h^2 \sigma^2 / n`.

    Parameters
    ----------
    panel, rows, origin
        Trade of other countries, the matched pairs, the last year known.
    horizons
        Years ahead.
    """
    gdp = record(panel, origin)[1][rows]
    errors = np.diff(gdp, axis=1) - EXPECTED_GROWTH
    ahead = np.arange(1.0, horizons + 1)
    return Ahead(gdp[:, -1:] + EXPECTED_GROWTH * ahead,
                 (errors**2).mean(axis=1)[:, None] * (ahead + ahead**2 / errors.shape[1]))


def _known(panel: Panel, rows: Rows, origin: int, horizons: int) -> Ahead:
    now = panel.years.index(origin)
    mean = np.full((len(rows), horizons), np.nan)
    later = panel.log_gdp[rows, now + 1:now + 1 + horizons]
    mean[:, :later.shape[1]] = later
    return Ahead(mean, np.zeros_like(mean))


def _points() -> Array:
    """Evenly spread points, without luck: a Sobol sequence moved off its edges."""
    from scipy.stats import qmc

    return np.asarray(qmc.Sobol(2, scramble=False).random(POINTS)) + 0.5 / POINTS


Score = tuple[Array, NDArray[np.bool_], Array]
"""CRPS, whether the central 90 % held the outcome, and outcome less median; (case, horizon)."""


def _score_forms(panel: Panel, rows: Rows, origin: int, forms: Mapping[str, Priors],
                 outcome: Array) -> Iterator[tuple[str, Score]]:
    """Score all forms from one origin, with GDP forecast and with GDP known."""
    trade, gdp = (values[rows] for values in record(panel, origin))
    horizons, points = outcome.shape[1], _points()
    views = {"": outlook(panel, rows, origin, horizons),
             KNOWN: _known(panel, rows, origin, horizons)}
    done: dict[bool, tuple[one_count.Fitted, one_count.Predicted]] = {}
    for name, priors in forms.items():
        nodes, walk = one_count.grid(priors), priors.persistence is None
        if walk not in done:
            done[walk] = (one_count.fit(nodes, trade, gdp),
                          one_count.predict(nodes, trade, gdp, horizons))
        for suffix, ahead in views.items():
            if suffix and priors.elasticity == NOTHING:
                continue
            draws = one_count.forecast(priors, nodes, *done[walk], ahead, points)
            place = (draws <= outcome[..., None]).mean(axis=-1)
            yield name + suffix, (scores.crps(draws, outcome, axis=-1),
                                  (place >= 0.05) & (place <= 0.95),
                                  outcome - np.median(draws, axis=-1))


def _score_rivals(trade: Array, outcome: Array) -> Iterator[tuple[str, Score]]:
    """Score normal forecasts, in closed form."""
    for name, rule in RIVALS.items():
        mean, sd = rule(trade, outcome.shape[1])
        yield name, (scores.crps_normal(mean, sd, outcome),
                     np.abs(outcome - mean) <= ndtri(0.95) * sd, outcome - mean)


def _scored(panel: Panel, rows: Rows, origin: int, forms: Mapping[str, Priors],
            horizons: int) -> pd.DataFrame:
    """Score all forecasts of one origin, by model, horizon and pair; where all can be scored."""
    import pandas as pd

    now = panel.years.index(origin)
    outcome, gdp = (np.full((len(rows), horizons), np.nan) for _ in range(2))
    for values, target in ((panel.log_turnover, outcome), (panel.log_gdp, gdp)):
        later = values[rows, now + 1:now + 1 + horizons]
        target[:, :later.shape[1]] = later
    case, step = np.nonzero(np.isfinite(outcome) & np.isfinite(gdp))
    found = chain(_score_forms(panel, rows, origin, forms, outcome),
                  _score_rivals(record(panel, origin)[0][rows], outcome))
    return pd.concat([pd.DataFrame({
        "model": name, "origin": origin, "horizon": step + 1, "pair": rows[case],
        "crps": crps[case, step], "covered90": inside[case, step].astype(float),
        "bias": bias[case, step]}) for name, (crps, inside, bias) in found], ignore_index=True)


def run_panel(panel: Panel, priors: Priors, *, like: Matching | None = None,
              horizons: int = HORIZONS, keep: Path | None = None,
              progress: Callable[[int, int], None] | None = None) -> pd.DataFrame:
    """Forecast matched pairs of a panel from every origin, and score them.

    Parameters
    ----------
    panel
        Trade of other countries, from `inputs.trade_panel.read_panel`; the pair itself left out.
    priors
        From `priors_of`.
    like
        Which pairs are alike at an origin.
    horizons
        Most years ahead.
    keep
        Folder that keeps the scores of finished origins, so that the same call goes on.
    progress
        Called with origins done and origins in all.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``origin``, ``horizon``, ``pair`` (row of the panel), ``crps``,
        ``covered90``, ``bias`` (outcome less median).

    Raises
    ------
    InputError
        When too few pairs are matched.
    """
    import pandas as pd

    like, forms = like or Matching(), forms_of(priors)
    rows = {origin: matched(panel, origin, like, complete=True) for origin in origins_of(panel)
            if origin >= FIRST_ORIGIN}
    rows = {origin: found for origin, found in rows.items() if len(found)}
    refuse_few(panel, like, rows)
    mark, tables = _mark(panel, priors, like, horizons), []
    for done, (origin, found) in enumerate(rows.items()):
        if progress:
            progress(done, len(rows))
        file = None if keep is None else keep / f"{origin}-{mark}.csv"
        if file is not None and file.is_file():
            with suppress(ValueError, OSError):  # damaged: made again
                tables.append(pd.read_csv(file, usecols=list(SCORED)))
                continue
        tables.append(_scored(panel, found, origin, forms, horizons))
        if file is not None:
            with whole_file(file) as part:
                tables[-1].to_csv(part, index=False)
    if progress:
        progress(len(rows), len(rows))
    return pd.concat(tables, ignore_index=True)


def _mark(panel: Panel, priors: Priors, like: Matching, horizons: int) -> str:
    """Hash of everything that the scores of an origin depend on."""
    digest = hashlib.sha256(f"{program()} {priors} {like} {horizons} {panel.pairs}".encode())
    for values in (panel.log_turnover, panel.log_gdp):
        digest.update(np.nan_to_num(values, nan=-1.0).tobytes())
    return digest.hexdigest()[:12]


def skill_table(scored: pd.DataFrame, panel: Panel, *, block: int = BLOCK) -> pd.DataFrame:
    """Skill of every model against the random walk, with a 90 % interval over origins.

    Every forecast counts the same. Origins are drawn in blocks, see `bootstrap.skill_range`.

    Returns
    -------
    pandas.DataFrame
        Rows of `COLUMNS`; horizons that one origin alone reaches are left out.

    Raises
    ------
    InputError
        When the panel has a single origin.
    """
    import pandas as pd

    rival = next(iter(RIVALS))
    sums = scored.pivot_table(index="origin", columns=["model", "horizon"], values="crps",
                              aggfunc="sum")
    if len(sums) < 2:
        raise InputError([Problem(panel.name, "", f"{len(sums)} year to forecast from; a skill "
                                  "needs two or more", "give a panel of more years")])
    rows = []
    for (model, horizon), part in scored.groupby(["model", "horizon"], sort=False):
        ours, theirs = (sums[name, horizon].dropna().to_numpy() for name in (model, rival))
        if len(ours) < 2:
            continue
        found = skill_range(ours, theirs, block=block)
        pairs = {frozenset(panel.pairs[k]) for k in part["pair"].unique()}
        rows.append(dict(zip(COLUMNS, (
            model, horizon, *found[:3], part["covered90"].mean(), len(part), len(pairs),
            found.chance_of_none, part["crps"].mean(), part["bias"].mean()), strict=True)))
    return pd.DataFrame(rows)


def write_skill(table: pd.DataFrame, path: Path) -> None:
    """Write the table with four digits, in the order of `COLUMNS`."""
    table[list(COLUMNS)].round(10).to_csv(path, index=False, float_format="%.4g",
                                          lineterminator="\n")


def read_skill(folder: Path) -> pd.DataFrame | None:
    """Read `panel_skill.csv` of a calibration folder; nothing where there is none.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    path = folder / FILE
    if not path.is_file():
        return None
    numbers = [Column(name, "number") for name in ("skill", "low", "high")]
    shares = [Column(name, "number", low=0.0, high=1.0) for name in ("coverage90",
                                                                     "chance_of_none")]
    counts = [Column(name, "integer", low=1) for name in ("horizon", "cases", "pairs")]
    return read_table(path, [Column("model", "text"), *counts, *numbers, *shares,
                             Column("crps", "number", low=0.0), Column("bias", "number")],
                      key=("model", "horizon"))


def panel_without_pair(panel: Panel, folder: Path) -> Panel:
    """Leave out the pair of a calibration folder, so that it is not judged on itself.

    Raises
    ------
    InputError
        When the panel lacks it: then its codes are probably others.
    """
    first, second = read_pair(folder).pair
    panel.rows_of(first, second)
    return panel.without(first, second)
