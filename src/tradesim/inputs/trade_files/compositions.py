"""What files say of the goods in each flow, by product group; sections of SITC are split."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.pair import PAIR_FILE, Pair
from tradesim.inputs.strict_csv import SOURCES, Column, read_table
from tradesim.inputs.trade_files.trade import FLOW, Trade

if TYPE_CHECKING:
    import pandas as pd

    from tradesim.common.arrays import Array

SECTIONS = "baseline/sitc_sections.csv"
UNSPECIFIED = {"999999": "99", "9999": "99", "9999AA": "99"}

Prior = Mapping[tuple[str, str], Mapping[str, tuple[float, float, float]]]
"""Cells as judged so far: by importer and exporter, by group: value, low, high, USD million."""


def compositions(trades: Sequence[Trade], pair: Pair, prior: Prior,
                 folder: Path) -> pd.DataFrame:
    """Give the value of every group in every flow that the files report.

    Chapters belong to groups as `pair.yaml` says. A section of SITC holds parts of several groups:
    inside it they stand to each other as in the cells judged so far, within the ranges of those
    cells and of `baseline/sitc_sections.csv`.

    Returns
    -------
    pandas.DataFrame
        Columns `FLOW`, ``scheme``, ``group``, ``value``, ``low``, ``high`` in USD, ``files``,
        ``sha256``, ``source``.

    Raises
    ------
    InputError
        When two files hold the same goods of a flow, when a chapter has no group, or when there
        are no weights for sections.
    """
    import pandas as pd

    _refuse_repeats(trades)
    tables = [trade.products.assign(files=trade.path.name, sha256=trade.sha256,
                                    source=trade.source) for trade in trades]
    everything = pd.concat(tables, ignore_index=True)
    chapters = everything[everything["scheme"] == "HS"]
    parts = []
    if len(chapters):
        parts.append(_by_chapter(chapters, pair, folder))
    sections = everything[everything["scheme"] == "SITC"]
    if len(sections):
        parts.append(_by_section(sections, pair, prior, folder))
    return pd.concat(parts, ignore_index=True)


def _refuse_repeats(trades: Sequence[Trade]) -> None:
    for one, other in combinations(trades, 2):
        both = one.products[[*FLOW, "code"]].merge(other.products[[*FLOW, "code"]])
        for row in both.head(1).to_dict("records"):
            counted = f", both as {row['reporter']} reports" if row["reporter"] else ""
            raise InputError([Problem(
                str(other.path), f"{row['first']}, {row['importer']} from {row['exporter']}, "
                f"{row['code']}", f"stands in {one.path} too{counted}",
                "import one of the two files, or choose --years")])


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    """Names of the files of each flow."""
    rows = rows[[*FLOW, "files", "sha256", "source"]].drop_duplicates()
    return rows.groupby(FLOW)[["files", "sha256", "source"]].agg(_joined).reset_index()


def _joined(names: pd.Series[str]) -> str:
    return " + ".join(dict.fromkeys(names))


def _by_chapter(rows: pd.DataFrame, pair: Pair, folder: Path) -> pd.DataFrame:
    home = pair.group_of_chapter
    if not home:
        raise InputError([Problem(str(folder / PAIR_FILE), "groups", "no group has a list of "
                                  "chapters (hs), so products cannot be assigned")])
    codes = rows["code"].drop_duplicates()
    chapter = {code: UNSPECIFIED.get(code, code[:2]) for code in codes}
    lost = sorted({one for one in chapter.values() if one not in home})
    if lost:
        raise InputError([Problem(", ".join(dict.fromkeys(rows["files"])), "product",
                                  f"chapter {', '.join(lost)} has no group", "give it one in "
                                  f"{PAIR_FILE}, under groups, hs")])
    grouped = rows.assign(group=rows["code"].map(chapter).map(home))
    table = grouped.groupby([*FLOW, "scheme", "group"])["value"].sum().reset_index()
    whole = _every_group(table, pair).merge(_named(rows), on=FLOW)
    return whole.assign(low=whole["value"], high=whole["value"])


def _every_group(table: pd.DataFrame, pair: Pair) -> pd.DataFrame:
    """Rows for every group of a flow, zero where it has none."""
    wide = table.pivot_table(index=[*FLOW, "scheme"], columns="group", values="value",
                             aggfunc="sum").reindex(columns=list(pair.groups)).fillna(0.0)
    return wide.reset_index().melt([*FLOW, "scheme"], var_name="group", value_name="value")


def read_sections(folder: Path, pair: Pair) -> dict[tuple[str, str], tuple[float, float, float]]:
    """Read which share of a group's trade lies in each section of SITC: share, low, high.

    Raises
    ------
    InputError
        When the table is missing or wrong, or when the shares of a group do not add up to one.
    """
    path = folder / SECTIONS
    columns = (Column("group", "text", allowed=tuple(pair.groups)),
               Column("section", "text", allowed=tuple("0123456789")),
               *(Column(name, "number", low=0.0, high=1.0) for name in ("share", "low", "high")),
               *SOURCES)
    frame = read_table(path, columns, key=("group", "section"))
    sums = frame.groupby("group")["share"].sum().reindex(list(pair.groups)).fillna(0.0)
    if wrong := [str(group) for group in sums.index[~np.isclose(sums, 1.0)]]:
        raise InputError([Problem(str(path), group, f"shares add up to {sums[group]:g}, not to 1")
                          for group in wrong])
    return {(str(row["group"]), str(row["section"])): (row["share"], row["low"], row["high"])
            for row in frame.to_dict("records")}


def _by_section(rows: pd.DataFrame, pair: Pair, prior: Prior, folder: Path) -> pd.DataFrame:
    import pandas as pd

    weights = read_sections(folder, pair)
    rows = rows.assign(section=rows["code"].str[0])
    groups, sections = list(pair.groups), list("0123456789")
    share, low, high = (np.array([[weights.get((group, section), (0.0, 0.0, 0.0))[k]
                                   for section in sections] for group in groups])
                        for k in range(3))
    tables = []
    for flow, inside in rows.groupby([*FLOW, "scheme"]):
        value = inside.groupby("section")["value"].sum().reindex(sections).fillna(0.0).to_numpy()
        cells = prior.get((str(flow[3]), str(flow[4])), {})
        judged = np.array([cells.get(group, (1.0, 0.0, 1.0)) for group in groups])
        middle, least, most = split_sections(value, judged, share, low, high)
        tables.append(pd.DataFrame({
            **dict(zip([*FLOW, "scheme"], flow, strict=True)), "group": groups, "value": middle,
            "low": least, "high": most}))
    return pd.concat(tables, ignore_index=True).merge(_named(rows), on=FLOW)


def split_sections(value: Array, judged: Array, share: Array, low: Array,
                   high: Array) -> tuple[Array, Array, Array]:
    r"""Split sections among groups as the groups were judged to stand to each other.

    .. math:: x_g = \sum_s V_s\,\frac{j_g w_{gs}}{\sum_h j_h w_{hs}}

    with the section's value :math:`V_s`, the judged cell :math:`j_g` and the share of the group
    that lies in the section, :math:`w_{gs}`. The range takes a group's cell and weight at one
    end and those of all others at the other end.

    Parameters
    ----------
    value
        By section, USD.
    judged
        Value, low and high of each group's cell, (group, 3).
    share, low, high
        Weights, (group, section).
    """
    def split(own: Array, others: Array) -> Array:
        rest = others.sum(axis=0) - others
        both = own + rest
        return np.asarray((value * np.divide(own, both, out=np.zeros_like(both),
                                             where=both > 0)).sum(axis=1))

    middle, least, most = (judged[:, k, None] * part for k, part in enumerate((share, low, high)))
    even = np.where(middle.sum(axis=0) > 0, middle, share)
    return split(even, even), split(least, most), split(most, least)
