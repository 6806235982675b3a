"""Many draws in little memory: portions are worked on one after the other and joined in files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Hashable, Iterable, Iterator
from itertools import chain
from math import prod

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from tradesim.common.errors import InputError, Problem
from tradesim.common.memory import let_go
from tradesim.common.parallel import blocks
from tradesim.economy.variables import precision

WHOLE, PORTION = 2048, 1024
"""Draws whose results are held in memory, and draws of a portion where there are more."""

SPARE = 5e8
"""Bytes that stay free on a disk."""


def portions(draws: int) -> list[slice]:
    """Cut draws into portions; a usual number of draws is one."""
    return blocks(draws, draws if draws <= WHOLE else PORTION)


def joined(parts: Iterable[xr.Dataset], draws: int) -> xr.Dataset:
    """Join portions along draws; one that is all of them stays as it is.

    Otherwise the numbers stand in temporary files, in single precision where that is enough
    (`variables.precision`), and are read from there when they are asked for. The files have no
    name any more, so nothing is left of them however the program ends.

    Raises
    ------
    InputError
        When the disk of temporary files is too small.
    """
    several = iter(parts)
    first = next(several)
    if first.sizes["draw"] == draws:
        return first
    return _in_files(chain([first], several), draws)


def _in_files(parts: Iterator[xr.Dataset], draws: int) -> xr.Dataset:
    found: dict[Hashable, xr.Variable] = {}
    start, residual = 0, 0.0
    for part in parts:
        rows = slice(start, start + part.sizes["draw"])
        for name, array in part.data_vars.items():
            ordered = array.transpose(..., "draw")
            if name not in found:
                file = _file((*ordered.shape[:-1], draws), precision(str(name)))
                found[name] = xr.Variable(ordered.dims, file, array.attrs)
            found[name].values[..., rows] = ordered.to_numpy()
            let_go(found[name].values)
        start, residual = rows.stop, max(residual, part.attrs["max_residual"])
    return xr.Dataset(found, part.drop_dims("draw").coords, {"max_residual": residual})


def _file(shape: tuple[int, ...], dtype: str) -> NDArray[np.floating]:
    """Make an array in a temporary file whose room on the disk is taken at once."""
    size = max(prod(shape) * np.dtype(dtype).itemsize, 1)
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                raise too_full(size) from error
        return np.memmap(file, dtype, "w+", shape=shape)


def refuse_too_full(draws: int, each: float) -> None:
    """Refuse draws that find no room in temporary files, before work begins.

    Parameters
    ----------
    draws
        How many are asked for.
    each
        Bytes that one takes in single precision.

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
