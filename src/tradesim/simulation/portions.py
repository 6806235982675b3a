"""Many draws in little memory: portions are worked on one after the other and joined in files."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Hashable, Iterable
from math import prod
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tradesim.common.errors import InputError, Problem
from tradesim.common.memory import let_go
from tradesim.common.parallel import blocks
from tradesim.simulation.labels import RESIDUAL

WHOLE, PORTION = 2048, 1024
"""Draws whose results are held in memory, and draws of a portion where there are more."""

SPARE = 5e8
"""Bytes that stay free on a disk."""

LARGEST = 2**31
"""Bytes of a variable that a NetCDF 3 file cannot hold any more."""


def portions(draws: int) -> list[slice]:
    """Cut draws into portions; a usual number of draws is one."""
    return blocks(draws, draws if draws <= WHOLE else PORTION)


def joined(parts: Iterable[xr.Dataset], draws: int) -> xr.Dataset:
    """Join portions along draws; one that is all of them stays as it is.

    Otherwise the numbers stand in temporary files and are read from there when they are asked
    for. On Linux the files have no name, so that nothing is left of them however the program ends.

    Raises
    ------
    InputError
        When the disk of temporary files is too small.
    """
    several = iter(parts)
    part = next(several)
    if part.sizes["draw"] == draws:
        return part
    found: dict[Hashable, xr.Variable] = {}
    orders: dict[Hashable, tuple[Hashable, ...]] = {}
    coordinates, done, residual = part.drop_dims("draw").coords, 0, 0.0
    while True:
        rows = slice(done, done + part.sizes["draw"])
        for name, array in part.data_vars.items():
            _put(found, name, array, rows, draws)
            orders.setdefault(name, array.dims)
        done, residual = rows.stop, max(residual, part.attrs[RESIDUAL])
        if done == draws:
            ordered = {name: found[name].transpose(*dims) for name, dims in orders.items()}
            return xr.Dataset(ordered, coordinates, {RESIDUAL: residual})
        del part  # one portion is in memory at a time
        part = next(several)


def _put(found: dict[Hashable, xr.Variable], name: Hashable, array: xr.DataArray, rows: slice,
         draws: int) -> None:
    """Put a portion of a variable into its file, which is made for the first one."""
    ordered = array.transpose(..., "draw")
    if name not in found:
        file = _file((*ordered.shape[:-1], draws), ordered.dtype)
        found[name] = xr.Variable(ordered.dims, file, array.attrs)
    found[name].values[..., rows] = ordered.to_numpy()
    let_go(found[name].values)


def _file(shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Make an array of zeros in a temporary file, whose room on the disk is taken at once."""
    size = max(prod(shape) * dtype.itemsize, 1)
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                    raise too_full(size) from error
        return np.memmap(file, dtype, "w+", shape=shape)


def refuse_too_full(draws: int, each: float) -> None:
    """Refuse draws that find no room in temporary files, before work begins.

    Parameters
    ----------
    draws
        How many are asked for.
    each
        Bytes that one takes.

    Raises
    ------
    InputError
        When the disk has less room.
    """
    if draws > WHOLE and draws * each + SPARE > shutil.disk_usage(tempfile.gettempdir()).free:
        raise too_full(draws * each)


def too_full(size: float) -> InputError:
    """Say that a disk has no room for so many bytes."""
    folder = tempfile.gettempdir()
    free = shutil.disk_usage(folder).free
    return InputError([Problem(
        "--draws", f"{size / 1e9:,.1f} GB", f"of temporary files are needed in {folder}, where "
        f"{free / 1e9:,.1f} GB are free", "fewer draws, or another folder in the environment "
        "variable TMPDIR")])


def refuse_too_large(draws: int, each: float) -> None:
    """Refuse to keep draws of which one variable would be more than a NetCDF 3 file can hold.

    Parameters
    ----------
    each
        Bytes of a draw in the largest variable.
    """
    if draws * each >= LARGEST:
        raise InputError([Problem("--keep-draws", f"{draws:,} draws", "make a variable larger than "
                                  "the 2 GB that results.nc can hold of one",
                                  f"{int(LARGEST / each) // 1000 * 1000:,} draws would fit")])
