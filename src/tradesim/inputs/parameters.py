"""The table of uncertain numbers, and how to draw them: unit cube to inverse distribution.

Whatever fills the cube (random columns, a design, a grid, 0.5 for a point run), the numbers come
out of the same inverse distributions. Every column has a stream of its own, so adding a
parameter moves no other parameter's draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import unless_changed
from tradesim.common.listed import Listed
from tradesim.inputs.distributions import (
    EDGE,
    Beta,
    Distribution,
    Lognormal,
    Normal,
    Range,
    Strict,
    ZeroInflatedLognormal,
    between,
)
from tradesim.inputs.strict_yaml import Document, kind, load_document

PARAMETERS_FILE = "parameters.yaml"


class Parameter(Strict):
    """One uncertain number: what it is, how sure we are, where it comes from."""

    name: str  #: dotted name
    #: what it is and its unit, for people
    title: str = Field(min_length=1)
    unit: str = Field(min_length=1)
    #: what is believed about it (the prior where `calibrated`)
    distribution: Annotated[Distribution, Field(discriminator="kind")]
    #: bounds that no draw and no scenario may leave
    low: float
    high: float
    #: where the number was read, and where in it
    source: str = Field(min_length=1)
    locator: str = ""
    grade: Literal["A", "B", "C", "D"]  #: A (measured) to D (guessed)
    note: str = ""  #: what else a reader should know
    calibrated: bool = False  #: whether the calibration updates it from the statistics
    #: whether a scenario must give it, because it has no default (settings of levers only)
    required: bool = False
    #: name of the parameter whose random numbers it shares; its own where empty
    drawn_with: str = ""

    @model_validator(mode="after")
    def _within_bounds(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"bounds: the lower bound {self.low:g} is above the upper bound "
                             f"{self.high:g}")
        low, high = self.distribution.support()
        truncated = isinstance(self.distribution, Normal | Lognormal | Beta | ZeroInflatedLognormal)
        if truncated and (self.high <= low or self.low >= high or self.low == self.high):
            raise ValueError("bounds: leave nothing of the distribution")
        if isinstance(self.distribution, ZeroInflatedLognormal) and self.low > 0:
            raise ValueError(f"bounds: must hold zero, but begin at {self.low:g}")
        if not truncated and not self.low <= low <= high <= self.high:
            raise ValueError(f"distribution: reaches from {low:g} to {high:g}, outside the bounds "
                             f"{self.low:g} to {self.high:g}")
        return self

    @property
    def integer(self) -> bool:
        """Whether only whole numbers make sense (calendar years)."""
        return self.unit == "year"

    @property
    def allowed(self) -> str:
        """What a scenario may write, in words."""
        number = "a whole number" if self.integer else "a number"
        return f"{number} from {self.low:.10g} to {self.high:.10g} ({self.unit})"


KEYS = tuple(sorted({*Parameter.model_fields, "bounds"}
                    - {"name", "low", "high", "required", "drawn_with"}))
"""Keys of a parameter in a YAML file."""


def quantile(parameter: Parameter, u: Array) -> Array:
    """Inverse distribution of a parameter at probabilities `u`, within its bounds."""
    values = parameter.distribution.quantile(u, parameter.low, parameter.high)
    return np.minimum(np.maximum(values, parameter.low), parameter.high)


@dataclass(frozen=True)
class Cube:
    """Where draws come from: one column of numbers in (0, 1) per parameter name.

    Build one with `Cube.of`, `Cube.random`, `Cube.point` or `Cube.table`.
    """

    draws: int
    seed: int | None = None
    first: int = 0  #: place of the first draw in every random column
    given: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    fallback: Cube | None = None

    @classmethod
    def of(cls, draws: int, seed: int) -> Self:
        """Random columns; one draw stands in the middle of everything."""
        return cls(1) if draws == 1 else cls.random(draws, seed)

    @classmethod
    def random(cls, draws: int, seed: int) -> Self:
        """Independent random columns; the first rows stay when `draws` grows."""
        if draws < 1 or seed < 0:
            raise ValueError(f"draws must be 1 or more and the seed 0 or more, not {draws}, {seed}")
        return cls(draws, seed)

    @classmethod
    def point(cls) -> Cube:
        """One draw in the middle of every distribution."""
        return cls(1)

    @classmethod
    def table(cls, columns: Mapping[str, Array], fallback: Cube) -> Cube:
        """Given columns for some names (a design, a grid), `fallback` for the others."""
        given = {name: np.array(column, dtype=float) for name, column in columns.items()}
        draws = max([len(column) for column in given.values()], default=fallback.draws)
        if fallback.draws not in (1, draws):
            raise ValueError(f"columns of {draws} draws, but the fallback has {fallback.draws}")
        for name, column in given.items():
            if column.shape != (draws,):
                raise ValueError(f"column '{name}' has shape {column.shape}, not ({draws},)")
            if not ((column > 0) & (column < 1)).all():
                raise ValueError(f"column '{name}' leaves the open interval (0, 1)")
            column.setflags(write=False)
        return cls(draws, None, 0, MappingProxyType(given), fallback)

    def part(self, rows: slice) -> Cube:
        """Give some of the draws, from `rows.start` to before `rows.stop`, as a cube."""
        given = {name: column[rows] for name, column in self.given.items()}
        fallback = self.fallback
        if fallback is not None and fallback.draws > 1:
            fallback = fallback.part(rows)
        return Cube(rows.stop - rows.start, self.seed, self.first + rows.start,
                    MappingProxyType(given), fallback)

    def column(self, name: str) -> Array:
        """Column of a name, shape (draw,), strictly between 0 and 1."""
        if name in self.given:
            return self.given[name]
        if self.fallback is not None:
            return np.broadcast_to(self.fallback.column(name), (self.draws,))
        if self.seed is None:
            return np.full(self.draws, 0.5)
        digest = hashlib.sha256(name.encode()).digest()
        stream = np.random.SeedSequence([self.seed, int.from_bytes(digest)])
        source = np.random.PCG64(stream)
        source.advance(self.first)
        uniform = np.random.Generator(source).random(self.draws)
        return np.clip(uniform, EDGE, 1.0 - EDGE)


def draw(parameters: Mapping[str, Parameter], cube: Cube,
         fixed: Mapping[str, float | Array]) -> dict[str, Array]:
    """Draw every parameter, shape (draw,), in the order of `parameters`.

    Parameters
    ----------
    parameters, cube
        The parameters by name, and where the draws come from.
    fixed
        Values that take the place of draws: one for all of them, or one for each.

    Raises
    ------
    InputError
        When `fixed` names a parameter that does not exist.
    """
    unknown = [Problem("parameters", name, "unknown parameter", nearest(name, parameters))
               for name in fixed if name not in parameters]
    if unknown:
        raise InputError(unknown)
    given = {name: np.full(cube.draws, value, dtype=float) for name, value in fixed.items()}
    given |= _ranges({name: part for name, part in parameters.items()
                      if name not in given and isinstance(part.distribution, Range)}, cube)
    return {name: given[name] if name in given else quantile(parameter, cube.column(name))
            for name, parameter in parameters.items()}


def _ranges(ranges: Mapping[str, Parameter], cube: Cube) -> dict[str, Array]:
    """Draw all parameters of kind ``range`` in one step: there are hundreds of them."""
    if not ranges:
        return {}
    u = np.array([cube.column(part.drawn_with or name) for name, part in ranges.items()])
    parts = [part.distribution for part in ranges.values()
             if isinstance(part.distribution, Range)]
    value, low, high = np.array([(part.value, part.low, part.high) for part in parts]).T[..., None]
    return dict(zip(ranges, between(u, value, low, high), strict=True))


@unless_changed(PARAMETERS_FILE)
def read_parameters(folder: Path) -> dict[str, Parameter]:
    """Read `parameters.yaml` of a calibration folder: parameters by dotted name.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    document = load_document(folder / PARAMETERS_FILE)
    return Listed(document.entries(lambda name, entry: parameter(name, entry, name, document)))


def parameter(name: str, entry: Any, key: str, document: Document,
              **given: Any) -> Parameter | list[Problem]:
    """Make a parameter of one entry of a YAML file, or list all that is wrong with it.

    Parameters
    ----------
    name
        Name the parameter is to have.
    entry
        What the file says: fields of `Parameter`, with ``bounds: [low, high]``.
    key, document
        Dotted key of the entry, and its file.
    given
        Fields that do not come from the entry.
    """
    if not isinstance(entry, dict):
        return [document.problem(key, f"must be a mapping, not {kind(entry)}")]
    fields, problems = dict(entry), []
    bounds = fields.pop("bounds", None)
    if not (isinstance(bounds, list) and len(bounds) == 2):
        problems = [document.problem(f"{key}.bounds", "is missing" if bounds is None else
                                     "must be a list of two numbers: [low, high]")]
        bounds = [-np.finfo(float).max, np.finfo(float).max]
    result = document.model(Parameter, key, fields, KEYS, name=name, low=bounds[0],
                            high=bounds[1], **given)
    return problems + result if isinstance(result, list) else problems or result
