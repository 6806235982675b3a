"""Past changes of duty that the model can be held against: the cases and their yearly figures.

Cases stand in `analogues.yaml` of a calibration folder; trade, rates, GDP and output are read from
its data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tradesim.common.errors import InputError
from tradesim.inputs.distributions import Strict
from tradesim.inputs.levers import read_levers
from tradesim.inputs.parameters import Parameter, parameter, read_parameters
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.inputs.strict_yaml import Document, load_document

FILE = "analogues.yaml"

_SOURCES = tuple(Column(name, "text", required=name in ("grade", "source"))
                 for name in ("grade", "source", "url", "note"))


class DutyCut(Strict):
    """A bilateral flow before and after an agreement.

    `before`, `after` and `later` are first and last years of windows; `rates_of` is the year
    whose applied rate would have stayed without the agreement (rates of later years are then
    those applied), else the numbers `duty` and `cut` say what was taken off.
    """

    title: str
    agreement: str
    exporter: str
    importer: str
    before: tuple[int, int]
    after: tuple[int, int]
    later: tuple[int, int] | None = None
    first_year: int
    rates_of: int | None = None
    control: str
    confounders: tuple[str, ...]
    mix: dict[str, tuple[float, float, float]]
    mix_source: str
    numbers: dict[str, Parameter]


class HomeOutput(Strict):
    """Output of home producers in the year in which a duty went, after `months_before` months."""

    title: str
    country: str
    product: str
    group: str
    year: int
    months_before: int
    trend: tuple[int, int]
    confounders: tuple[str, ...]
    numbers: dict[str, Parameter]


@dataclass(frozen=True)
class Cases:
    """All cases of a calibration folder, with the parameters that they share."""

    folder: Path
    draws: int
    seed: int
    utilisation: Parameter
    market: dict[str, Parameter]
    parameters: dict[str, Parameter]
    duty_cuts: dict[str, DutyCut]
    home_output: dict[str, HomeOutput]


def read_cases(folder: Path) -> Cases:
    """Read and check `analogues.yaml`.

    Raises
    ------
    InputError
        With every problem of the first part of the file that has any.
    """
    folder = Path(folder)
    document = load_document(folder / FILE)
    data = document.data
    wanted = ("draws", "seed", "utilisation", "market", "duty_cuts", "home_output")
    problems = [document.problem(name, "is missing") for name in wanted if name not in data]
    problems += [document.problem(name, f"unknown key; known: {', '.join(wanted)}")
                 for name in data if name not in wanted]
    if problems:
        raise InputError(problems)
    lever, _, _ = str(data["utilisation"]).partition(".")
    settings = {name: item for known in read_levers(folder).values() if known.name == lever
                for name, item in known.parameters.items()}
    if data["utilisation"] not in settings:
        raise InputError([document.problem("utilisation", f"'{data['utilisation']}' is no "
                                  "numeric setting of a lever")])
    known = read_parameters(folder)

    def cases(part: str, model: type[Any]) -> dict[str, Any]:
        return document.entries(lambda name, entry: _case(
            model, entry, f"{part}.{name}", document, known), part)

    return Cases(folder, int(data["draws"]), int(data["seed"]), settings[data["utilisation"]],
                 document.entries(lambda name, entry: parameter(
                     f"market.{name}", entry, f"market.{name}", document), "market"),
                 known, cases("duty_cuts", DutyCut), cases("home_output", HomeOutput))


def _case(model: type[Any], entry: Any, key: str, document: Document,
          known: Mapping[str, Parameter]) -> Any:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
              for name, value in entry.items()}
    made = {name: parameter(f"{key}.{name}", item, f"{key}.numbers.{name}", document)
            for name, item in fields.pop("numbers", {}).items()}
    problems = [found for item in made.values() if isinstance(item, list) for found in item]
    mix = fields.get("mix", {fields.get("group"): ()})
    problems += [document.problem(f"{key}.mix", f"'{group}' is no group with elasticities")
                 for group in mix if f"elasticity.lower.{group}" not in known]
    if "mix" in fields:
        fields["mix"] = {group: tuple(map(float, share)) for group, share in mix.items()}
    try:
        case = model(numbers=made, **fields) if not problems else None
    except ValidationError as error:
        return document.problems(error, key)
    return problems if case is None else case


def read_flows(folder: Path) -> dict[tuple[str, str], dict[int, float]]:
    """Yearly values in USD by exporter and importer from `data/analogues.csv`.

    Where two rows give the same year the better grade counts, and of equal grades the later row.
    """
    columns = (*(Column(name, "text", required=False) for name in (
        "agreement", "entry_into_force", "months", "exporter", "importer", "reporter", "series")),
        Column("year", "year"), Column("value_usd", "number", low=0.0), *_SOURCES)
    frame = read_table(Path(folder) / "data/analogues.csv", columns)
    frame = frame[(frame["months"] == "1-12") & frame["reporter"].isin(frame["exporter"])]
    flows: dict[tuple[str, str], dict[int, float]] = {}
    best: dict[tuple[str, str, int], str] = {}
    for row in frame.to_dict("records"):
        key = (str(row["exporter"]), str(row["importer"]), int(row["year"]))
        if str(row["grade"]) <= best.get(key, "Z"):
            best[key] = str(row["grade"])
            flows.setdefault(key[:2], {})[key[2]] = float(row["value_usd"])
    return flows


def _yearly(path: Path, columns: Sequence[Column], where: Mapping[str, str],
            value: str) -> dict[int, float]:
    frame = read_table(path, (*columns, *_SOURCES))
    for name, wanted in where.items():
        frame = frame[frame[name] == wanted]
    return {int(year): float(number) for year, number in
            zip(frame["year"], frame[value], strict=True)}


def read_rates(folder: Path, importer: str, exporter: str) -> dict[int, float]:
    """Average duty applied by year, share of value, from `data/tariffs_history.csv`."""
    rates = _yearly(Path(folder) / "data/tariffs_history.csv", (
        Column("year", "year"), Column("importer", "text"), Column("exporter", "text"),
        Column("applied_tariff_pct", "number", low=0, high=100)),
        {"importer": importer, "exporter": exporter}, "applied_tariff_pct")
    return {year: rate / 100 for year, rate in rates.items()}


def read_gdp(folder: Path, country: str) -> dict[int, float]:
    """Nominal GDP in USD by year from `data/macro.csv`."""
    return _yearly(Path(folder) / "data/macro.csv", (
        Column("country", "text"), Column("year", "year"), Column("variable", "text"),
        Column("kind", "text"), Column("value", "number"), Column("unit", "text"),
        Column("low", "number", False), Column("high", "number", False)),
        {"country": country, "variable": "gdp_usd", "kind": "actual"}, "value")


def read_output(folder: Path, country: str, product: str) -> dict[int, float]:
    """Yearly output from `data/home_output.csv`, thousand tonnes."""
    return _yearly(Path(folder) / "data/home_output.csv", (
        Column("country", "text"), Column("product", "text"), Column("variable", "text"),
        Column("year", "year"), Column("value", "number", low=0.0), Column("unit", "text")),
        {"country": country, "product": product, "variable": "output"}, "value")
