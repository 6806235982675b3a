"""What a sweep left in its folder, read back: the table of rows, the factors, the indices.

A sweep's folder holds ``sweep.json`` (what was done), ``table.parquet`` or ``table.csv.gz`` (one
row an evaluation: factors in natural units, then outputs) and, but for a plain sample,
``indices.csv``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import ConfigDict, Field

from tradesim.common.arrays import Array
from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.extras import install
from tradesim.common.files import plain
from tradesim.inputs.strict_json import Record, read_json
from tradesim.simulation.results import load

JSON, INDICES = "sweep.json", "indices.csv"
PARQUET, CSV = "table.parquet", "table.csv.gz"
INDEX_COLUMNS = ("method", "output", "factor", "index", "value", "low", "high",
                 "distinguishable", "more_runs_needed", "chance")
NEEDED = INDEX_COLUMNS[:-1]
NUMBERS = ("value", "low", "high", "more_runs_needed")
TEXTS = tuple(name for name in NEEDED if name not in NUMBERS)

AGAIN = "run the sweep again with --fresh"
RUN = "results.nc"
SWITCH = "0 no, 1 yes"
"""Unit of what is either off or on."""


class AboutFactor(Record):
    """What ``sweep.json`` says of an input."""

    name: str
    title: str = ""
    unit: str = ""
    group: str = ""
    low: float | None = None
    high: float | None = None
    source: str = ""
    grade: str = ""


class AboutOutput(Record):
    """What ``sweep.json`` says of a column of numbers."""

    name: str
    title: str = ""
    unit: str = ""


class AboutTarget(Record):
    """The turnover that is to be reached, and on whose count."""

    value: float
    count: str = ""


class AboutScenario(Record):
    """What a report says of the scenario."""

    name: str
    title: str
    question: str = ""


class AboutFailed(Record):
    """A row that could not be solved."""

    row: int
    reason: str
    inputs: dict[str, float | None] = Field(default_factory=dict)


class About(Record):
    """What ``sweep.json`` says, as far as it is read again."""

    model_config = ConfigDict(extra="allow")

    method: Literal["oat", "grid", "lhs", "morris", "sobol"]
    rows: int = Field(ge=0)
    run_id: str
    scenario: AboutScenario
    factors: list[AboutFactor] = Field(min_length=1)
    outputs: list[AboutOutput] = Field(min_length=1)
    target: AboutTarget
    command: str = ""
    noise: bool = False
    failed: list[AboutFailed] = Field(default_factory=list)
    blocks: int = Field(default=0, ge=0)
    blocks_left_out: int = Field(default=0, ge=0)
    counts: dict[str, str] | None = None


@dataclass(frozen=True)
class SweptFactor:
    """One input that a sweep varied."""

    name: str
    title: str
    unit: str = ""
    group: str = ""  # policy, world, behaviour, calibration, data
    low: float = np.nan  # range it was varied over, in its unit; NaN where not known
    high: float = np.nan
    source: str = ""  # of its range
    grade: str = ""

    @property
    def switch(self) -> bool:
        """Whether it is either on or off."""
        return self.unit == SWITCH


@dataclass(frozen=True)
class Output:
    """One number that a sweep kept of every row; empty where it has no such dimension."""

    name: str  # column of the table
    variable: str
    count: str = ""
    case: str = ""
    year: int = 0
    importer: str = ""
    title: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Sweep:
    """A sweep as read back; factors and outputs in the order of the table."""

    folder: Path
    about: Mapping[str, Any]  # what ``sweep.json`` says
    table: pd.DataFrame  # one row an evaluation
    factors: tuple[SweptFactor, ...]
    outputs: tuple[Output, ...]
    indices: pd.DataFrame  # empty where there are none

    @property
    def method(self) -> str:
        """Kind of design."""
        return str(self.about["method"])

    @property
    def run_id(self) -> str:
        """Identity of the sweep."""
        return str(self.about.get("run_id", ""))

    def factor(self, name: str) -> SweptFactor:
        """Give a factor by name; a name that is not known (a group of factors) is its own title."""
        return next((one for one in self.factors if one.name == name),
                    SweptFactor(name, name.removeprefix("group:")))

    def index(self, output: Output, index: str) -> pd.DataFrame:
        """Give one index of one output: a row a factor, in the order of the file."""
        rows = self.indices
        chosen: pd.DataFrame = rows[(rows["output"] == output.name) & (rows["index"] == index)]
        return chosen.reset_index(drop=True)


def read_sweep(folder: Path) -> Sweep:
    """Read the folder that ``tradesim sweep`` wrote, or ``tradesim run``.

    Raises
    ------
    InputError
        When it is no such folder, or a part is missing or broken.
    """
    if (folder / RUN).exists() and not (folder / JSON).exists():
        return read_run(folder)
    about = read_about(folder)
    table = _table(folder)
    factors = tuple(_factor(item) for item in about["factors"])
    outputs = tuple(_output(item) for item in about["outputs"])
    missing = [name for name in (*(one.name for one in factors), *(one.name for one in outputs))
               if name not in table.columns]
    if missing:
        raise _problem(folder, f"the table has no column '{missing[0]}' that {JSON} names",
                       AGAIN)
    return Sweep(folder, about, table, factors, outputs, read_indices(folder))


def read_run(folder: Path) -> Sweep:
    """Read the folder of a plain run as a sweep: a random sample of everything that varies."""
    dataset = load(folder)
    scenario = json.loads(dataset.attrs["scenario"])
    factors = dataset["factors"].transpose("factor", "draw")
    inputs = tuple(SweptFactor(str(name), str(title), str(unit)) for name, title, unit in zip(
        *(factors[name].to_numpy() for name in ("factor", "factor_title", "factor_unit")),
        strict=True))
    columns = {one.name: column for one, column in zip(inputs, factors.to_numpy(), strict=True)}
    outputs = []
    for count, case, year in product(*(dataset[name].to_numpy().tolist()
                                       for name in ("count", "case", "year"))):
        values = dataset["turnover"].sel(count=count, case=case, year=year).to_numpy()
        outputs.append(Output(f"turnover|{count}|{case}|{year}", "turnover", count, case, year,
                              title="Turnover", unit="USD"))
        columns[outputs[-1].name] = values
        if case == "reference":
            continue
        without = dataset["turnover"].sel(count=count, case="reference", year=year).to_numpy()
        effect = "effect" if case == "scenario" else f"effect_{case}"
        outputs.append(replace(outputs[-1], name=f"turnover|{count}|{effect}|{year}",
                               case=effect))
        columns[outputs[-1].name] = values - without
    about = {"method": "random", "n": int(dataset.sizes["draw"]), "scenario": scenario,
             "noise": True,
             "seed": int(dataset.attrs["seed"]), "run_id": str(dataset.attrs["run_id"]),
             "target": {"value": float(dataset.attrs["target_value"]),
                        "count": str(dataset.attrs["target_count"])}}
    return Sweep(folder, about, pd.DataFrame(columns), inputs, tuple(outputs),
                 pd.DataFrame(columns=pd.Index(INDEX_COLUMNS)))


def read_about(folder: Path) -> dict[str, Any]:
    """Read ``sweep.json`` of the folder of a sweep.

    Raises
    ------
    InputError
        When the folder holds no sweep, or the file is broken.
    """
    hint = "name a folder that tradesim sweep wrote"
    if not folder.is_dir():
        raise _problem(folder, "is not a folder", hint)
    if not (folder / JSON).exists():
        raise _problem(folder, f"is no sweep: it holds no {JSON}", hint)
    return read_json(folder / JSON, About, AGAIN).model_dump()


def table_size(folder: Path) -> int:
    """How many numbers the table of a sweep holds."""
    about = read_about(folder)
    return int(about["rows"]) * (len(about["factors"]) + len(about["outputs"]))


def find_output(sweep: Sweep, variable: str, *, year: int | None = None, count: str | None = None,
                case: str | None = None, importer: str | None = None) -> Output:
    """Find one output by what it is.

    By the name of a variable or of a whole column. By default the last year, the count of the
    target, the case ``scenario`` and the first importer, or whatever there is.

    Raises
    ------
    InputError
        Naming the nearest, when there is no such output.
    """
    for output in sweep.outputs:
        if output.name == variable:
            return output
    some = _among(sweep.outputs, "--variable", "variable", variable)
    target = str(sweep.about.get("target", {}).get("count", ""))
    some = _among(some, "--count", "count", count or _usual(some, "count", target))
    some = _among(some, "--case", "case", case or _usual(some, "case", "scenario"))
    last = max(one.year for one in some)
    some = _among(some, "--year", "year", last if year is None else year)
    return _among(some, "--importer", "importer",
                  some[0].importer if importer is None else importer)[0]


def numbers(sweep: Sweep, name: str) -> Array:
    """Give a column of the table as numbers."""
    return np.asarray(pd.to_numeric(sweep.table[name], errors="coerce"), dtype=float)


def _among(outputs: Sequence[Output], option: str, key: str, value: Any) -> list[Output]:
    """Choose outputs by one key, or name the values there are."""
    chosen = [one for one in outputs if getattr(one, key) == value]
    if not chosen:
        known = [name for name in dict.fromkeys(str(getattr(one, key)) for one in outputs) if name]
        raise InputError([Problem(option, str(value), f"the sweep kept no such {key}; kept: "
                                  f"{', '.join(known)}" if known else f"does not apply to "
                                  f"{outputs[0].variable}; leave it out",
                                  nearest(str(value), known))])
    return chosen


def _usual(outputs: Sequence[Output], key: str, preferred: str) -> str:
    kept = [str(getattr(one, key)) for one in outputs]
    return preferred if preferred in kept else kept[0]


def _problem(folder: Path, message: str, hint: str = "") -> InputError:
    return InputError([Problem(str(folder), "", message, hint)])


def _table(folder: Path) -> pd.DataFrame:
    path = next((folder / name for name in (PARQUET, CSV) if (folder / name).exists()), None)
    if path is None:
        raise _problem(folder, f"holds no table ({PARQUET} or {CSV})",
                       "the sweep did not finish; run it again to go on")
    try:
        table = (pd.read_parquet if path.name == PARQUET else pd.read_csv)(plain(path))
    except ImportError as error:
        raise _problem(path, "reading Parquet needs pyarrow",
                       install("parquet")) from error
    except MemoryError:
        raise
    except Exception as error:  # any failure of the reader means the same to the user
        raise _problem(path, f"cannot be read: {error}", AGAIN) from error
    return table


def read_indices(folder: Path) -> pd.DataFrame:
    """Read ``indices.csv`` of the folder of a sweep; an empty table where there is none.

    Raises
    ------
    InputError
        When a column is missing, or the file is broken.
    """
    path = folder / INDICES
    if not path.exists():
        return pd.DataFrame(columns=pd.Index(INDEX_COLUMNS))
    try:
        table = pd.read_csv(plain(path), dtype=dict.fromkeys(TEXTS, str), keep_default_na=False,
                            na_values={name: [""] for name in NUMBERS})
        for name in NUMBERS:
            table[name] = pd.to_numeric(table[name])
    except KeyError as error:
        raise _problem(path, f"has no column {error}", AGAIN) from error
    except (OSError, ValueError) as error:
        raise _problem(path, f"cannot be read: {error}", AGAIN) from error
    lacking = [name for name in NEEDED if name not in table.columns]
    if lacking:
        raise _problem(path, f"has no column {lacking[0]}", AGAIN)
    if not np.isfinite(table["more_runs_needed"].to_numpy(float)).all():
        raise _problem(path, "more_runs_needed lacks a number", AGAIN)
    return table


def _factor(item: Mapping[str, Any]) -> SweptFactor:
    name = str(item["name"])
    low, high = (np.nan if item.get(key) is None else float(item[key]) for key in ("low", "high"))
    unit, group, source, grade = (str(item.get(key) or "")
                                  for key in ("unit", "group", "source", "grade"))
    return SweptFactor(name, str(item.get("title") or name).rstrip("."), unit, group, low, high,
                       source, grade)


def _output(item: Mapping[str, Any]) -> Output:
    """Read an output from its name, ``variable|count|case|year|importer``."""
    name = str(item["name"])
    variable, count, case, year, importer, *_ = [*name.split("|"), "", "", "", ""]
    return Output(name, variable, count, case, int(year) if year.isdigit() else 0, importer,
                  str(item.get("title") or variable), str(item.get("unit") or ""))
