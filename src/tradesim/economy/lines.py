"""From numbers of groups and of products to those of the lines: each product, and what is left.

A line has its own number where there is one, else that of its group.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from tradesim.common.arrays import Array, spread
from tradesim.common.errors import InputError, Problem
from tradesim.economy.adding_up import balanced
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.pair import Pair
from tradesim.inputs.products import abroad, share_names


def cells(draws: Mapping[str, Array], name: str, pair: Pair, none: Array | None = None) -> Array:
    """Drawn numbers by line, and by importer and exporter where the name has one.

    A line has its own number or else its group's, or else `none`. A number of all foreign
    suppliers goes behind that of one, and before the group's.

    Raises
    ------
    InputError
        When a number is missing and there is no `none`.
    """
    importers = pair.importers if "{importer}" in name else ("",)
    exporters = pair.exporters if "{exporter}" in name else ("",)
    found = [_first(draws, names, none)
             for names in _names(name, importers, pair.lines_in_groups, exporters)]
    values = np.array(found).reshape(len(importers), len(pair.lines), len(exporters), -1)
    return spread(values, "importer", "group", "exporter", "draw")


def _first(draws: Mapping[str, Array], names: list[str], none: Array | None) -> Array:
    for name in names:
        if name in draws:
            return draws[name]
    if none is None:
        raise InputError([Problem("calibration", names[-1], "row missing; this scenario needs it")])
    return none


@lru_cache(maxsize=256)
def _names(name: str, importers: tuple[str, ...], lines: tuple[tuple[str, str], ...],
           exporters: tuple[str, ...]) -> list[list[str]]:
    """Names that the number of each cell may have, the first of them first."""
    def of(importer: str, code: str, exporter: str) -> list[str]:
        own = name.format(importer=importer, line=code, exporter=exporter)
        foreign = name.endswith("{exporter}") and exporter != importer
        return [own, abroad(own)] if foreign else [own]

    return [[one for code in dict.fromkeys((line, group)) for one in of(importer, code, exporter)]
            for importer in importers for line, group in lines for exporter in exporters]


def elasticities(draws: Mapping[str, Array], pair: Pair, lower: Array) -> tuple[Array, Array]:
    """Elasticities among suppliers, with the common scale, and between them and home goods.

    A product may have the second of its own; suppliers are then at least as close to each other.
    """
    lower = 1.0 + spread(draws["elasticity.scale"], "draw") * (lower - 1.0)
    upper = spread(draws["elasticity.ratio"], "draw") * lower
    for place, line in enumerate(pair.lines):
        given = draws.get(f"elasticity.upper.{line}")
        if given is not None:
            upper[:, :, place] = spread(given, "draw")[:, :, 0]
            lower[:, :, place] = np.maximum(lower[:, :, place], upper[:, :, place])
    return lower, upper


def line_shares(base: Baseline, draws: Mapping[str, Array]) -> Array | None:
    r"""Share of each line in its group's cell, (line, importer, exporter, draw) (equation I1).

    .. math:: V_{ijl} = \phi_{ijl} V_{ijs}, \qquad
        V_{ij,rest} = \bigl(1 - \sum_l \phi_{ijl}\bigr) V_{ijs}

    What is left of a group is one less its products. Where these are drawn to more than the whole
    they are moved within their ranges until nothing is left (`balanced`).
    """
    pair = base.pair
    if not pair.products:
        return None
    count, found = len(draws["elasticity.scale"]), []
    for group in pair.groups:
        products = [name for name, item in pair.products.items() if item.group == group]
        names = np.array([[share_names(draws, products, importer, exporter)
                           for exporter in pair.exporters] for importer in pair.importers],
                         dtype=object).transpose(2, 0, 1)
        shares = np.array([draws[name] if name else np.zeros(count) for name in names.flat])
        shares = shares.reshape(*names.shape, count)
        rest = 1.0 - shares.sum(axis=0)
        over = rest < 0.0
        if over.any():
            cells = [base.parameters.get(name) for name in names.flat]
            low, high = (np.array([getattr(cell, end) if cell else 0.0 for cell in cells])
                         .reshape(*names.shape, 1) + 0.0 * shares for end in ("low", "high"))
            shares[:, over] = balanced(shares[:, over], low[:, over], high[:, over], np.array(1.0))
            rest[over] = 0.0
        found += [*shares, rest]
    return np.array(found)


def split(pair: Pair, by_group: Array, shares: Array | None) -> Array:
    """Split values by group, along the first axis, into lines."""
    if shares is None:
        return by_group
    return by_group[group_places(pair)] * shares


def group_places(pair: Pair) -> list[int]:
    """Place of each line's group among the groups."""
    places = {group: place for place, group in enumerate(pair.groups)}
    return [places[group] for _, group in pair.lines_in_groups]
