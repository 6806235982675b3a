"""Names and order of the dimensions every array of the model follows.

Inside the economy an array is a plain numpy array that broadcasts in the order of `DIMS`,
with an axis of length one where it does not vary. Sums and selections name their dimension,
so no axis number stands anywhere else. Draws come last: the longest dimension in the innermost
loop made the model twice as fast as suppliers last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Array = NDArray[np.float64]
Owner = TypeVar("Owner", bound="DataclassInstance")

SMALL = 4096
"""Numbers of an array for which one call costs less than one for each term."""

MILLION, BILLION = 1e6, 1e9
"""USD in the units of tables and figures."""

DIMS = ("importer", "exporter", "group", "case", "year", "draw")
_AXES = {dim: place - len(DIMS) for place, dim in enumerate(DIMS)}


def axis(dim: str) -> int:
    """Position of `dim` counted from the end, so that leading axes may be absent."""
    return _AXES[dim]


def spread(values: Any, *dims: str) -> Array:
    """Give an array whose axes are `dims`, in any order, all axes of `DIMS` in their order."""
    array = np.asarray(values, dtype=float)
    if array.ndim != len(dims):
        raise ValueError(f"{array.ndim} axes, but {len(dims)} names: {dims}")
    order, places = _layout(dims)
    moved = array.transpose(order)
    shape = [1] * len(DIMS)
    for place, size in zip(places, moved.shape, strict=True):
        shape[place] = size
    return moved.reshape(shape)


@cache
def _layout(dims: tuple[str, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Order of named axes as in `DIMS`, and their places there."""
    ordered = [dim for dim in DIMS if dim in dims]
    if len(ordered) != len(dims):
        raise ValueError(f"unknown or repeated dimension in {dims}; known: {DIMS}")
    return tuple(map(dims.index, ordered)), tuple(map(DIMS.index, ordered))


def total(values: Array, *over: str) -> Array:
    """Sum over the named dimensions, which keep an axis of length one.

    Terms are added one after the other in their order, whatever the shape and layout of the
    array: a sum of one draw has the same last bit as that draw's among thousands.
    """
    for dim in over:
        place = values.ndim + axis(dim)
        before, size = (slice(None),) * place, values.shape[place]
        if 1 < values.size <= SMALL:
            values = np.add.accumulate(values, axis=place)[*before, -1:]
        elif size > 1:
            added = np.asarray(values[*before, :1] + values[*before, 1:2])
            for term in range(2, size):
                added += values[*before, term:term + 1]
            values = added
    return values


def entry(values: Array, mask: Array) -> Array:
    """Take for each importer the one exporter that a mask of ones and zeros marks.

    The same as the total over exporters of values times mask, without adding zeros.
    """
    if values.shape[axis("exporter")] == 1:
        return values
    exporters = mask[:, :, 0, 0, 0, 0].argmax(axis=1)
    importers = np.arange(len(exporters)) % values.shape[axis("importer")]
    place = (..., importers, exporters, *[slice(None)] * (len(DIMS) - 2))
    return np.expand_dims(values[place], axis("exporter"))


def autoregression(shocks: Array, persistence: Array | float, start: Array) -> Array:
    r"""First-order autoregression :math:`z_t = \rho z_{t-1} + \epsilon_t` (equation 3).

    Parameters
    ----------
    shocks
        Innovations :math:`\epsilon`, shape (draw, year, ...), which is that of the result.
    persistence
        :math:`\rho`, one number, shape (draw,) or that of a state.
    start
        State before the first year, shape (draw, ...) or one that broadcasts to it.
    """
    rho = np.asarray(persistence)
    if rho.ndim == 1:
        rho = rho.reshape(-1, *[1] * (shocks.ndim - 2))
    path, state = np.empty_like(shocks), start
    for year in range(shocks.shape[1]):
        state = rho * state + shocks[:, year]
        path[:, year] = state
    return path


def pick(values: Array, dim: str, indices: NDArray[np.intp]) -> Array:
    """Take indices along a dimension; an array that does not vary there stays as it is."""
    return values if values.shape[axis(dim)] == 1 else values.take(indices, axis=axis(dim))


def put(values: Array, dim: str, indices: NDArray[np.intp], size: int) -> Array:
    """Put what was picked in its places again, with zeros in the others."""
    place = values.ndim + axis(dim)
    whole = np.zeros((*values.shape[:place], size, *values.shape[place + 1:]))
    np.moveaxis(whole, place, 0)[indices] = np.moveaxis(values, place, 0)
    return whole


def at(values: Array, years: NDArray[np.intp], draws: NDArray[np.intp]) -> Array:
    """Take single pairs of a year and a draw; they stand along the last dimension.

    An array that varies along neither stays as it is.
    """
    *others, all_years, all_draws = values.shape
    if all_years == all_draws == 1:
        return values
    index = (years if all_years > 1 else 0) * all_draws + (draws if all_draws > 1 else 0)
    return np.asarray(values.reshape(*others, 1, -1).take(index, axis=-1))


def only(values: Array, *dims: str) -> Array:
    """Drop every axis but those of the named dimensions, which must be of length one."""
    return values.squeeze(axis=tuple(axis(dim) for dim in DIMS if dim not in dims))


def ratio(part: Array, whole: Array, none: float = 0.0) -> Array:
    """Part over whole; `none` where the whole is zero."""
    some = np.not_equal(whole, 0.0)
    if some.all():
        return np.asarray(part / whole)
    out = np.full(np.broadcast(part, whole).shape, none)
    return np.asarray(np.divide(part, whole, out=out, where=some))


def exprel(values: Array) -> Array:
    r"""Mean of the exponential between zero and a value, :math:`(e^x - 1) / x`; one at zero.

    The same as `scipy.special.exprel`, in a tenth of its time.
    """
    return ratio(np.expm1(values), values, 1.0)


def map_arrays(owner: Owner, function: Callable[[Array], Array],
               names: Collection[str] | None = None) -> Owner:
    """Copy of a dataclass with a function applied to every field that is an array.

    With `names` only these stay; the others become a single NaN.
    """
    changed: Any = {part.name: function(value) if names is None or part.name in names
                    else np.full((1,) * len(DIMS), np.nan) for part in fields(owner)
                    if isinstance(value := getattr(owner, part.name), np.ndarray)}
    return replace(owner, **changed)


def frozen(values: Any) -> Array:
    """Make an array of floats read-only: inputs of the model are shared, never changed."""
    array = np.array(values, dtype=float)
    array.setflags(write=False)
    return array
