"""A sweep as a YAML file that extends a scenario."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from tradesim.common.errors import InputError, nearest
from tradesim.inputs.distributions import Strict
from tradesim.inputs.scenario import SUFFIXES, shipped
from tradesim.inputs.strict_yaml import Document, load_document
from tradesim.studies.sweep.plan import LEVELS, Wish


class SweepFile(Strict):
    """What a file of a sweep may say; see `Wish`.

    Attributes
    ----------
    extends
        The scenario: the name of a shipped one, or a file beside this one.
    title
        For people.
    set
        Settings ``key=value`` over the scenario.
    method, n, over, variables, years, products, by_group, second_order, noise, levels, seed
        As the options of the command.
    """

    extends: str
    method: str
    title: str = ""
    set: list[str] = Field(default_factory=list)
    n: int | None = Field(default=None, gt=0)
    over: list[str] = Field(default_factory=list)
    variables: list[str] = Field(default_factory=list)
    years: list[int] = Field(default_factory=list)
    products: bool = False
    by_group: bool = False
    second_order: bool | None = None
    noise: bool = False
    levels: int = LEVELS
    seed: int | None = Field(default=None, ge=0)


def is_sweep_file(path_or_name: str) -> bool:
    """Whether a path is a file of a sweep rather than a scenario."""
    path = Path(path_or_name)
    if path.suffix not in SUFFIXES or not path.is_file():
        return False
    return "method" in load_document(path).data


def read_sweep_file(path: Path) -> Wish:
    """Read and check the file of a sweep.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    document = load_document(path)
    said = document.model(SweepFile, "", document.data, tuple(SweepFile.model_fields))
    if isinstance(said, list):
        raise InputError(said)
    return Wish(_scenario(path, said.extends, document), said.method, tuple(said.set), said.n,
                tuple(said.over), tuple(said.variables), tuple(said.years), said.products,
                said.by_group, said.second_order, said.noise, said.levels, said.seed)


def _scenario(path: Path, wanted: str, document: Document) -> str:
    if wanted in shipped():
        return wanted
    for name in (wanted, *(f"{wanted}{ending}" for ending in SUFFIXES)):
        if (path.parent / name).is_file():
            return str(path.parent / name)
    raise InputError([document.problem(
        "extends", f"there is no scenario '{wanted}' beside the file, nor among the shipped: "
        f"{', '.join(shipped())}", nearest(wanted, shipped()))])
