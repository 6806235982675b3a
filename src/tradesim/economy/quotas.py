r"""Tariff-rate quotas: the low duty up to a quantity, the full one beyond.

What matters for trade is the duty on the last unit. Imports that fit the quota at its duty pay
that duty; imports that exceed it even at the full duty pay the full duty on the last unit; in
between the quota binds, and the marginal duty is whatever makes imports just fill it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import Array, axis, map_arrays, pick, put, ratio, spread
from tradesim.common.errors import ConvergenceError, InputError, Problem
from tradesim.economy.base_year import Economy
from tradesim.economy.equilibrium import Settled
from tradesim.economy.packed import Packed
from tradesim.economy.resolve import Pulled
from tradesim.economy.shocks import NONE, Change, Shock
from tradesim.inputs.base_year_tables import QUOTED_SHARE

TOLERANCE = 1e-10
"""Gap between imports and the quota, in log points, at which a binding quota counts as met."""

MAX_ITERATIONS = 60

Index = NDArray[np.intp]

Take = Callable[[Any], Any]
"""Take some cells of arrays in the order of `DIMS`, or of objects that hold such arrays."""

Again = Callable[[Take, Array], Settled]
"""Solve the cells taken again, at a share of the preference."""

Border = Callable[[Take, Array, Array], Change]
"""What happens at the border of the cells taken, at that share and where so much is inside."""


def with_quotas(shock: Shock, economy: Economy, lever: str, scope: str, goods: Array,
                phase: Array, calendar: Array) -> Shock:
    r"""Add to an agreement's shock what it gives within its quotas.

    .. math:: (Q3)\;\; k = \min\Bigl\{\varphi\,\frac{w\,(\tau_{out} - \tau_{in})}{\tau},\;
        \varphi - r\Bigr\}, \qquad V_t = \frac{Q\,p\,(1 + \pi)^{t - t_0}}{w}

    Parameters
    ----------
    shock
        What the agreement does outside its quotas: share of duty removed :math:`r`.
    economy
        Base year, with the drawn cells of the table of quotas: share :math:`w` of the goods under
        quota in what is sold of the line, one where it is a product; duties in and out of the
        quota, quota :math:`Q` in tonnes, and the product's price :math:`p`, USD a tonne, that
        grows by :math:`\pi` a year.
    lever, scope
        Agreement and schedule under which the table holds the quotas.
    goods
        One for each importer, exporter and line that the agreement reaches, else zero.
    phase
        Strength :math:`\varphi` of the agreement.
    calendar
        Calendar years :math:`t`.

    Returns
    -------
    Shock
        With ``quota``, the share of the group's duty removed while the quota is not full, and
        ``quota_limit``, joint sales of the group by all members at which it is; the shock
        itself when this schedule has no quota.
    """
    pair, draws = economy.pair, economy.draws
    head = f"{lever}.quota.{scope}"
    lines = np.array([place for place, line in enumerate(pair.lines) if any(
        f"{head}.{importer}.{line}.quota_tonnes" in draws for importer in pair.importers)])
    if not lines.size:
        return shock
    none = np.zeros(len(next(iter(draws.values()))))

    def cells(variable: str) -> Array:
        found = [[draws.get(f"{head}.{importer}.{pair.lines[line]}.{variable}", none)
                  for line in lines] for importer in pair.importers]
        return spread(np.array(found), "importer", "group", "draw")

    def here(values: Array) -> Array:
        return pick(values, "group", lines)

    def among_all(values: Array) -> Array:
        return put(values, "group", lines, len(pair.lines))

    share = np.maximum(cells(QUOTED_SHARE), here(economy.mask("group", [*pair.products])))
    saved = share * (cells("over_quota_rate") - cells("in_quota_rate"))
    part = np.minimum(ratio(np.maximum(saved, 0.0), here(economy.duty)), 1.0)
    price = cells("usd_per_tonne") * (1.0 + cells("price_growth")) ** (calendar - pair.base_year)
    reach = phase * here(goods)
    acts = np.any(reach > 0.0, axis=axis("exporter"), keepdims=True)
    return replace(shock, quota=among_all(np.minimum(reach * part, reach - here(shock.duty))),
                   quota_limit=among_all(acts * ratio(cells("quota_tonnes") * price, share)))


def within_quotas(again: Again, border: Border, levels: Array, pulled: Sequence[Pulled],
                  change: Change, settled: Settled) -> tuple[Change, Settled]:
    r"""Find the duty on the last unit wherever a lever gives a preference within a quota.

    .. math::

        (Q1)\;\; x = 1 \text{ if } M(1) \le Q, \quad x = 0 \text{ if } M(0) \ge Q, \quad
        \text{else } M(x) = Q

        (Q2)\;\; \text{rent} = (\tau(x) - \tau(1)) \min\{1, Q / M(x)\}, \qquad
        \text{revenue} = \tau(x) - \text{rent}

    with :math:`x` the share of the preference that the last unit enjoys, :math:`M(x)` the
    members' joint imports and :math:`\tau(x)` the marginal duty.

    Parameters
    ----------
    again
        Solves the markets at a share :math:`x`, for the cells that the function it is given
        takes.
    border
        Gives the change of these cells at that share, with the part of their imports that lies
        inside the quota.
    pulled
        Switches and shocks.
    change, settled
        The solution at :math:`x = 1` everywhere.

    Returns
    -------
    tuple
        The same solution, untouched where no quota is exceeded. ``wedge`` is then what the
        border collects and ``rent`` what holders of licences keep, shares of value.

    Raises
    ------
    ConvergenceError
        When a binding quota is not met, with the gap.
    InputError
        When two importers have quotas in one group: each then depends on the other's.

    Notes
    -----
    Quantities are those at which each year would settle, as prices are. Only cells over the
    quota are solved again: once at the full duty, and where the quota binds about three times
    more, by secant steps kept inside their bracket. Imports are nearly a straight line in the
    marginal duty and both its ends are known, so a general root finder needs twice as many.
    """
    packed = [(switch, Packed.of(shock).only("quota", "quota_limit")) for switch, shock in pulled]
    limited = [(switch, shock.whole()) for switch, shock in packed if shock.parts]
    if not limited:
        return change, settled
    quota = reduce(np.maximum, (switch * shock.quota for switch, shock in limited), NONE)
    limit = sum((switch * shock.quota_limit for switch, shock in limited), start=NONE)
    sold = levels * np.exp(change.level) * (quota > 0.0)
    places = _places(quota)
    if not places:
        return change, settled
    cells = _Cells.of(places, sold, limit, settled.sales.shape[-3:])
    return _placed(border, change, settled, list(_solved_again(again, cells, settled)))


@dataclass(frozen=True)
class _Cells:
    """Cells with a quota, of one or several markets.

    Attributes
    ----------
    importer, group, place
        Which market, and which case, year and draw together; (cell,).
    share
        Shares of the quota's suppliers in their joint sales; (exporter, cell).
    room
        Log of the quota over their reference sales; (cell,).
    shape
        Numbers of cases, years and draws, which make the places.
    """

    importer: Index
    group: Index
    place: Index
    share: Array
    room: Array
    shape: tuple[int, ...]

    @classmethod
    def of(cls, places: Sequence[tuple[int, int]], sold: Array, limit: Array,
           shape: tuple[int, ...]) -> _Cells:
        size = math.prod(shape)
        sales = np.concatenate([_flat(sold, *place, shape) for place in places], axis=-1)
        most = np.concatenate([_flat(limit, *place, shape)[0] for place in places])
        together = reduce(np.add, sales)
        with np.errstate(divide="ignore"):
            room = np.log(ratio(most, together, np.inf))
        importer, group = np.repeat(np.array(places), size, axis=0).T
        made = cls(importer, group, np.tile(np.arange(size), len(places)),
                   ratio(sales, together), room, shape)
        return made.take(np.flatnonzero(np.isfinite(room) | (room < 0.0)))

    @property
    def size(self) -> int:
        return len(self.place)

    def take(self, chosen: Index | NDArray[np.bool_]) -> _Cells:
        return replace(self, importer=self.importer[chosen], group=self.group[chosen],
                       place=self.place[chosen], share=self.share[:, chosen],
                       room=self.room[chosen])

    def excess(self, settled: Settled, *, alone: bool = True) -> Array:
        """Log of joint imports over the quota, in a solution of these cells or of all."""
        at = ((0, 0, 0, np.arange(self.size)) if alone
              else (self.group, *np.unravel_index(self.place, self.shape)))
        quantity = settled.sales[self.importer, :, *at] - settled.supplier_price[0][:, *at].T
        joint = reduce(np.add, self.share * np.exp(quantity.T))
        return np.asarray(np.log(joint) - self.room)


@dataclass(frozen=True)
class _Part:
    """What was solved again: cells, the share of the preference, imports inside, solution."""

    cells: _Cells
    margin: Array
    filled: Array
    settled: Settled

    def take(self, chosen: NDArray[np.bool_]) -> _Part:
        def kept(values: Array) -> Array:
            return values[..., chosen] if values.shape[-1] == len(chosen) > 1 else values

        return _Part(self.cells.take(chosen), self.margin[chosen], self.filled[chosen],
                     map_arrays(self.settled, kept))


def _solved_again(again: Again, cells: _Cells, settled: Settled) -> Iterator[_Part]:
    """Solve cells over the quota: at the full duty, and where it binds, in between."""
    inside = cells.excess(settled, alone=False)
    over = inside > TOLERANCE
    if not over.any():
        return
    cells, inside = cells.take(over), inside[over]
    take = _Taker(cells.group, cells.place, cells.shape)
    nothing = np.zeros(cells.size)
    found = _solve(again, take, cells, nothing)
    beyond = cells.excess(found)
    binds = beyond < -TOLERANCE
    yield _Part(cells, nothing, np.exp(-np.maximum(beyond, 0.0)), found).take(~binds)
    yield from _binding(again, take.of(np.flatnonzero(binds)), cells.take(binds), beyond[binds],
                        inside[binds])


def _binding(again: Again, take: _Taker, cells: _Cells, low_gap: Array,
             high_gap: Array) -> Iterator[_Part]:
    """Find the share at which each cell's imports just fill its quota."""
    low, high = np.zeros(cells.size), np.ones(cells.size)
    before, gap_before, last, gap_last = low, low_gap, high, high_gap
    for _ in range(MAX_ITERATIONS):
        if not cells.size:
            return
        with np.errstate(divide="ignore", invalid="ignore"):
            aim = last - gap_last * (last - before) / (gap_last - gap_before)
        aim = np.where((aim > low) & (aim < high), aim, 0.5 * (low + high))
        found = _solve(again, take, cells, aim)
        gap = cells.excess(found)
        met = np.abs(gap) <= TOLERANCE
        yield _Part(cells, aim, np.ones(cells.size), found).take(met)
        low, high = np.where(gap < 0.0, aim, low), np.where(gap > 0.0, aim, high)
        before, gap_before, last, gap_last = last, gap_last, aim, gap
        cells, take = cells.take(~met), take.of(np.flatnonzero(~met))
        low, high, before, gap_before, last, gap_last = (
            values[~met] for values in (low, high, before, gap_before, last, gap_last))
    if cells.size:
        raise ConvergenceError("quota", float(np.abs(gap_last).max()),
                               sorted({int(place) % cells.shape[-1] for place in cells.place}))


def _solve(again: Again, take: _Taker, cells: _Cells, margin: Array) -> Settled:
    try:
        return again(take, spread(margin, "draw"))
    except ConvergenceError as error:
        raise error.moved(lambda cell: int(cells.place[cell]) % cells.shape[-1]) from error


def _places(quota: Array) -> list[tuple[int, int]]:
    """Find importers and groups with a quota: one importer a group."""
    rest = tuple(axis(dim) for dim in ("exporter", "case", "year", "draw"))
    found = [(int(importer), int(group))
             for importer, group in np.argwhere(np.any(quota > 0.0, axis=rest))]
    groups = [group for _, group in found]
    if len(set(groups)) < len(groups):
        raise InputError([Problem("baseline/quotas.csv", "group", "two importers have quotas in "
                                  "one group that act together; only one of them can")])
    return found


def _flat(values: Array, importer: int, group: int, shape: tuple[int, ...]) -> Array:
    """One importer and group; suppliers by cell."""
    here = values if values.shape[axis("group")] == 1 else values[..., group:group + 1, :, :, :]
    here = here[min(importer, here.shape[axis("importer")] - 1)]
    return np.broadcast_to(here, (len(here), 1, *shape)).reshape(len(here), -1)


class _Taker:
    """Takes cells of single groups; they stand along the last dimension.

    What was taken is kept: some of the cells are then taken from it, not from the whole.
    """

    def __init__(self, group: Index, place: Index, shape: tuple[int, ...]) -> None:
        at = partial(_cells_of, group, np.unravel_index(place, shape))
        self._at: Callable[[Array], Array] = at
        self._packed: Take = lambda shock: Packed.of(map_arrays(shock.whole(), at))
        self._from: Take = lambda values: values
        self._known: dict[int, tuple[Any, Any]] = {}

    def of(self, chosen: Index) -> _Taker:
        """Take some of the cells only."""
        part = copy(self)
        part._at = lambda values: values[..., chosen] if values.shape[-1] > 1 else values
        part._packed = lambda shock: shock.rows(chosen)
        part._from, part._known = self, {}
        return part

    def __call__(self, values: Any) -> Any:
        """Take from an array, a list or tuple of objects, or an object with arrays."""
        if id(values) not in self._known:
            self._known[id(values)] = values, self._mapped(self._from(values))
        return self._known[id(values)][1]

    def _mapped(self, values: Any) -> Any:
        if isinstance(values, np.ndarray):
            return self._at(values)
        if isinstance(values, Packed):
            return self._packed(values)
        if isinstance(values, list | tuple):
            return type(values)(self._mapped(item) for item in values)
        if is_dataclass(values) and not isinstance(values, type):
            return map_arrays(values, self._at)
        return values


def _cells_of(group: Index, places: tuple[Index, ...], values: Array) -> Array:
    """Cells of an array, one group each; an array that does not vary stays as it is."""
    if values.shape[-4:] == (1, 1, 1, 1):
        return values
    at = [place if size > 1 else 0
          for place, size in zip((group, *places), values.shape[-4:], strict=True)]
    return np.asarray(values[..., *at][..., None, None, None, :])


def _placed(border: Border, change: Change, settled: Settled,
            parts: Sequence[_Part]) -> tuple[Change, Settled]:
    """Put what was solved again in its place in copies of the whole."""
    parts = [part for part in parts if part.cells.size]
    if not parts:
        return change, settled
    shape = settled.sales.shape
    group, place, margin, filled = (np.concatenate(rows) for rows in zip(*(
        (part.cells.group, part.cells.place, part.margin, part.filled) for part in parts),
        strict=True))
    found = border(_Taker(group, place, shape[-3:]), spread(margin, "draw"),
                   spread(filled, "draw"))
    case, year, draw = np.unravel_index(place, shape[-3:])

    def put(whole: Array, size: tuple[int, ...], cells: Array) -> Array:
        copied = np.array(np.broadcast_to(whole, size))
        copied[:, :, group, case, year, draw] = np.broadcast_to(
            cells[:, :, 0, 0, 0], (*size[:2], len(group)))
        return copied

    sizes = dict.fromkeys(("log_cost", "wedge", "rent"), shape)
    if change.preference is not NONE:
        sizes["preference"] = (shape[0], 1, *shape[2:])
    new = {name: put(getattr(change, name), size, getattr(found, name))
           for name, size in sizes.items()}
    solved = {part.name: put(value, value.shape, np.concatenate(
        [getattr(some.settled, part.name) for some in parts], axis=-1)) for part in fields(settled)
        if isinstance(value := getattr(settled, part.name), np.ndarray)}
    residual = max(settled.residual, *(part.settled.residual for part in parts))
    return replace(change, **new), replace(settled, residual=residual, **solved)
