"""Kinds of distribution, each with its inverse, exact on the open interval (0, 1)."""

from __future__ import annotations

from typing import Any, Literal, Self, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from scipy.special import betainc, betaincinv, expit, logit, ndtr, ndtri

from tradesim.common.arrays import Array, ratio

EDGE = 2.0**-53
"""Distance that probabilities keep from 0 and 1."""


WEB = ("https://", "http://")
"""How an address on the web begins; nothing else becomes a link."""


class Strict(BaseModel):
    """A checked, unchangeable record: no unknown keys, no conversions, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Source(Strict):
    """Where a statement was read: a title, and an address on the web where there is one."""

    title: str = Field(min_length=1)
    url: str = ""

    @field_validator("url")
    @classmethod
    def _on_the_web(cls, url: str) -> str:
        if url and not url.startswith(WEB):
            raise ValueError(f"'{url}' is not a web address; it starts with https://")
        return url


class Fixed(Strict):
    """A number taken as certain."""

    kind: Literal["fixed"]
    value: float

    def support(self) -> tuple[float, float]:
        """Least and greatest value."""
        return self.value, self.value

    def quantile(self, u: Array, low: float, high: float) -> Array:
        """Inverse distribution at `u`."""
        return np.full(np.shape(u), self.value)


class Uniform(Strict):
    """Every value between two limits equally likely."""

    kind: Literal["uniform"]
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _rising(low=self.low, high=self.high)
        return self

    def support(self) -> tuple[float, float]:
        """Least and greatest value."""
        return self.low, self.high

    def quantile(self, u: Array, low: float, high: float) -> Array:
        r"""Inverse distribution at `u`: :math:`l + (h - l) u`."""
        return self.low + (self.high - self.low) * u


class Triangular(Strict):
    """Density rising from the lower limit to the mode and falling to the upper limit."""

    kind: Literal["triangular"]
    low: float
    mode: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        _rising(low=self.low, mode=self.mode, high=self.high)
        return self

    def support(self) -> tuple[float, float]:
        """Least and greatest value."""
        return self.low, self.high

    def quantile(self, u: Array, low: float, high: float) -> Array:
        """Inverse distribution at `u`: square roots on both sides of the mode."""
        width = self.high - self.low
        left, right = self.mode - self.low, self.high - self.mode
        return np.where(u * width < left, self.low + np.sqrt(u * width * left),
                        self.high - np.sqrt((1.0 - u) * width * right))


class Normal(Strict):
    """The normal distribution, truncated to the parameter's bounds."""

    kind: Literal["normal"]
    mean: float
    sd: float = Field(gt=0)

    def support(self) -> tuple[float, float]:
        """Least and greatest value before truncation."""
        return -np.inf, np.inf

    def quantile(self, u: Array, low: float, high: float) -> Array:
        """Inverse of the truncated distribution at `u`."""
        return self.mean + self.sd * _normal(u, (low - self.mean) / self.sd,
                                             (high - self.mean) / self.sd)


class Lognormal(Strict):
    """`shift` plus a number whose logarithm is normal, truncated to the parameter's bounds."""

    kind: Literal["lognormal"]
    median: float = Field(gt=0)
    sd: float = Field(gt=0)
    shift: float = 0.0

    def support(self) -> tuple[float, float]:
        """Least and greatest value before truncation."""
        return self.shift, np.inf

    def quantile(self, u: Array, low: float, high: float) -> Array:
        """Inverse of the truncated distribution at `u`."""
        z = _normal(u, self._score(low), self._score(high))
        return self.shift + self.median * np.exp(self.sd * z)

    def _score(self, value: float) -> float:
        above = value - self.shift
        return float(np.log(above / self.median)) / self.sd if above > 0 else -np.inf


class Beta(Strict):
    """The beta distribution on 0 to 1, truncated to the parameter's bounds."""

    kind: Literal["beta"]
    a: float = Field(gt=0)
    b: float = Field(gt=0)

    def support(self) -> tuple[float, float]:
        """Least and greatest value before truncation."""
        return 0.0, 1.0

    def quantile(self, u: Array, low: float, high: float) -> Array:
        """Inverse of the truncated distribution at `u`."""
        below = betainc(self.a, self.b, max(low, 0.0))
        inside = betainc(self.a, self.b, min(high, 1.0)) - below
        return np.asarray(betaincinv(self.a, self.b, below + u * inside))


class ZeroInflatedLognormal(Strict):
    """Zero with probability `zero`, otherwise lognormal, truncated to the parameter's bounds."""

    kind: Literal["zero_inflated_lognormal"]
    zero: float = Field(ge=0, lt=1)
    median: float = Field(gt=0)
    sd: float = Field(gt=0)

    def support(self) -> tuple[float, float]:
        """Least and greatest value before truncation."""
        return 0.0, np.inf

    def quantile(self, u: Array, low: float, high: float) -> Array:
        """Inverse distribution at `u`: zero up to `zero`, then the lognormal part."""
        top = float(np.log(high / self.median)) / self.sd if high > 0 else -np.inf
        rest = np.clip((u - self.zero) / (1.0 - self.zero), EDGE, 1.0 - EDGE)
        positive = self.median * np.exp(self.sd * _normal(rest, -np.inf, top))
        return np.where(u <= self.zero, 0.0, positive)


class Range(Strict):
    """A central value within limits that no draw leaves.

    A value on one of its limits stays there, and so does one whose limits are equal.
    """

    kind: Literal["range"]
    value: float
    low: float
    high: float

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"low, value, high must rise, but are {self.low:g}, {self.value:g}, "
                             f"{self.high:g}")
        return self

    def support(self) -> tuple[float, float]:
        """Least and greatest value."""
        return self.low, self.high

    def quantile(self, u: Array, low: float, high: float) -> Array:
        """Inverse distribution at `u`; see `between`."""
        return between(u, self.value, self.low, self.high)


Distribution = (Fixed | Uniform | Triangular | Normal | Lognormal | Beta | ZeroInflatedLognormal
                | Range)
KINDS: tuple[str, ...] = tuple(get_args(part.model_fields["kind"].annotation)[0]
                               for part in get_args(Distribution))


def between(u: Array, value: Any, low: Any, high: Any) -> Array:
    r"""Inverse distribution of a central value within limits.

    .. math::

        x(u) = l + (h - l)\,\Lambda\!\left(\operatorname{logit}\frac{v - l}{h - l}
        + \Phi^{-1}(u)\right)

    The median is :math:`v`; draws never leave :math:`[l, h]`.

    Parameters
    ----------
    u
        Probabilities in (0, 1).
    value, low, high
        Median and limits; broadcast against `u`.
    """
    value, low, high = (np.asarray(part, dtype=float) for part in (value, low, high))
    width = high - low
    share = ratio(value - low, width)
    inside = low + width * expit(logit(share) + ndtri(u))
    return np.asarray(np.where((share <= 0) | (share >= 1), value, np.clip(inside, low, high)))


def _rising(**values: float) -> None:
    if not (list(values.values()) == sorted(values.values())
            and min(values.values()) < max(values.values())):
        said = ", ".join(f"{value:g}" for value in values.values())
        raise ValueError(f"{', '.join(values)} must rise, but are {said}")


def _normal(u: Array, low: float, high: float) -> Array:
    """Invert the standard normal truncated to [low, high].

    Far out on the right the distribution function is one to the last digit, so a range right of
    zero is computed on its mirror image.
    """
    if low > 0:
        return -_normal(1.0 - u, -high, -low)
    below = ndtr(low)
    return np.asarray(ndtri(below + u * (ndtr(high) - below)))
