"""Forms of the reference path that are on offer: one row of choices each, all fitted alike.

`specifications.yaml` of a calibration folder holds them; `weights.yaml` says how much each one
counts in a run. They are equations 1-3 and S1 of `docs/model.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.files import unless_changed
from tradesim.inputs.distributions import Fixed, Normal, Strict
from tradesim.inputs.strict_yaml import Document, kind, load_document

SPECIFICATIONS_FILE, WEIGHTS = "specifications.yaml", "weights.yaml"
STACKED = "stacked"
"""Name of the mixture of all weighted specifications; no specification may have it."""

MOST_OFF = 1e-6
"""How far weights may be from adding up to one."""

SIZES = {
    "nominal_gdp": "log nominal GDP in USD, both members of the pair added up",
    "real_gdp": "log real GDP, both members of the pair added up",
    "imports": "log of the importer's total imports; its nominal GDP where they are not known",
    "none": "nothing",
}
"""What a flow may grow with: term g of equation 2."""

FORMS = {"elasticity": "must be prior, {kind: normal, mean: ..., sd: ...} or "
                       "{kind: fixed, value: ...}",
         "persistence": "must be common, by_flow or a number from 0 to 1",
         "innovations": "must be normal or {kind: student, degrees: above 2}"}
"""What a key may hold that takes values of several forms."""


class Student(Strict):
    """Innovations from Student's t distribution; the reference count is the flow itself."""

    kind: Literal["student"]
    degrees: float = Field(gt=2.0, le=100.0)


class Presample(Strict):
    """Years before the sample that count with a weight: a power prior."""

    first_year: int
    weight: float = Field(ge=0.0, le=1.0)


class Specification(Strict):
    """One form of the reference path."""

    #: name, a few words, and why it is on offer
    name: str
    title: str = Field(min_length=1)
    note: str = ""
    #: what flows grow with, a key of `SIZES`
    size: Literal["nominal_gdp", "real_gdp", "imports", "none"]
    #: prior of the elasticity to it: that of ``parameters.yaml``, or one of its own
    elasticity: Literal["prior"] | Annotated[Normal | Fixed, Field(discriminator="kind")] = "prior"
    #: whether the real exchange rate and closures of the corridor enter
    exchange_rate: bool = True
    closure: bool = True
    #: how much of the residual carries over: ``common`` to both flows, ``by_flow``, or a fixed
    #: number; at one the residual is a random walk
    persistence: Literal["common", "by_flow"] | Annotated[float, Field(ge=0.0, le=1.0)] = "common"
    innovations: Literal["normal"] | Student = "normal"  #: ``normal``, or Student's t
    presample: Presample | None = None  #: years before the sample that enter, with their weight
    #: ``candidate`` (may get weight), ``ablation`` or ``probe`` (for comparison only)
    use: Literal["candidate", "ablation", "probe"] = "candidate"

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        fixed = isinstance(self.elasticity, Fixed) and self.elasticity.value == 0.0
        if self.size == "none" and not fixed:
            raise ValueError("elasticity: must be {kind: fixed, value: 0} where size is none")
        return self

    @property
    def choices(self) -> dict[str, Any]:
        """All that bears on the fit, as plain data."""
        return self.model_dump(mode="json", exclude={"name", "title", "note", "use"})

    @property
    def degrees(self) -> float:
        """Degrees of freedom of the innovations; infinite where they are normal."""
        return np.inf if self.innovations == "normal" else self.innovations.degrees


def size_of_market(size: str, log_gdp: Array, log_real: Array, log_imports: Array) -> Array:
    """Log of what flows grow with: term g of equation 2 before centring; (..., year, importer).

    `size` is a key of `SIZES`; log nominal GDP in USD, log real GDP and log total imports in USD
    (NaN where not known) have the same axes.
    """
    if size == "imports":
        return np.where(np.isnan(log_imports), log_gdp, log_imports)
    if size == "none":
        return np.zeros_like(log_gdp)
    both = log_gdp if size == "nominal_gdp" else log_real
    return np.broadcast_to(both.sum(axis=-1, keepdims=True), both.shape)


def loadings(size: str, members: int) -> tuple[Array, Array]:
    """Give the loadings of term g on each member's log nominal and real GDP (equation S1).

    Both (importer, member). Imports follow the importer's nominal GDP.
    """
    nothing, both = np.zeros((members, members)), np.ones((members, members))
    return {"nominal_gdp": (both, nothing), "real_gdp": (nothing, both),
            "imports": (np.eye(members), nothing), "none": (nothing, nothing)}[size]


@unless_changed(SPECIFICATIONS_FILE)
def read_specifications(folder: Path) -> dict[str, Specification]:
    """Read `specifications.yaml` of a calibration folder: specifications by name.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    document = load_document(folder / SPECIFICATIONS_FILE)
    return document.entries(lambda name, entry: _specification(name, entry, document))


def _specification(name: str, entry: Any, document: Document) -> Specification | list[Problem]:
    if name == STACKED:
        return [document.problem(name, "is the name of the mixture of all; choose another")]
    known = [field for field in Specification.model_fields if field != "name"]
    result = document.model(Specification, name, entry, known, name=name)
    if not isinstance(result, list):
        return result
    return list(dict.fromkeys(_plain(problem, name, document) for problem in result))


def _plain(problem: Problem, name: str, document: Document) -> Problem:
    """Name the part that is wrong and, where several forms are allowed, all of them."""
    rest = problem.key.removeprefix(f"{name}.")
    key = rest.partition(".")[0]
    if key in FORMS and not problem.message.startswith("must be {kind: fixed"):
        return document.problem(f"{name}.{key}", FORMS[key])
    part, _, message = problem.message.partition(": ")
    if rest == name and part in Specification.model_fields:
        return document.problem(f"{name}.{part}", message)
    return problem


def specification(folder: Path, name: str) -> Specification:
    """Read one specification by name; an `InputError` lists the names."""
    known = read_specifications(folder)
    if name not in known:
        raise InputError([Problem(str(Path(folder) / SPECIFICATIONS_FILE), name,
                                  f"unknown specification; known: {', '.join(known)}",
                                  nearest(name, known))])
    return known[name]


@unless_changed(WEIGHTS, SPECIFICATIONS_FILE)
def read_weights(folder: Path) -> dict[str, float]:
    """Read how much each specification counts in a run, those above zero only.

    Raises
    ------
    InputError
        For an unknown specification, a weight that is none, or weights that do not add up.
    """
    document, known = load_document(folder / WEIGHTS), read_specifications(folder)
    weights = document.data.get("weights")
    if not isinstance(weights, dict):
        raise InputError([document.problem("weights", "must be a mapping of specifications to "
                                           f"their weights, not {kind(weights)}")])
    problems = [document.problem(f"weights.{name}", message, *hints)
                for name, weight in weights.items()
                for message, *hints in _wrong_weight(name, weight, known)]
    if not problems and abs(sum(weights.values()) - 1.0) > MOST_OFF:
        problems = [document.problem("weights", f"add up to {sum(weights.values()):.6g}, must "
                                     "add up to 1")]
    if problems:
        raise InputError(problems)
    return {name: float(weights[name]) for name in known if weights.get(name, 0.0) > 0.0}


def _wrong_weight(name: str, weight: Any,
                  known: Mapping[str, Specification]) -> Iterator[tuple[str, ...]]:
    if name not in known:
        yield f"unknown specification; known: {', '.join(known)}", nearest(name, known)
    elif isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 1:
        yield (f"must be a number from 0 to 1, not {weight!r}",)
    elif weight > 0 and known[name].use != "candidate":
        article = "an" if known[name].use == "ablation" else "a"
        yield (f"is {article} {known[name].use} and cannot have weight; only candidates can",)
