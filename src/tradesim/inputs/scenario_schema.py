"""What a scenario file may say: each key with its check, in plain words, and its JSON Schema."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Any

from tradesim.common.errors import Problem, nearest
from tradesim.inputs.answers import ANSWERS, SENTENCES
from tradesim.inputs.distributions import WEB, Fixed, Range
from tradesim.inputs.growth import HIGHEST, LOWEST, NAMED, PUBLISHED
from tradesim.inputs.levers import WORD, Choice, Lever, Setting, read_levers
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import Parameter, read_parameters
from tradesim.inputs.strict_yaml import Document, kind

CLOSURES = ("none", "one_sector")
IMBALANCES = ("multiplicative", "additive")
MAX_DRAWS, MAX_SEED = 1_000_000, 2**63 - 1

TEXT = {"type": "string", "minLength": 1}
REFERENCE: dict[str, Any] = {
    "type": "object", "required": ["title"], "additionalProperties": False,
    "properties": {"title": TEXT, "url": {"type": "string", "pattern": "^https?://"}}}

GONE = {"specification": "is gone: the reference path has one form now, whose priors come from the "
        "trade of other pairs (docs/calibration.md); leave the key out"}
"""Keys of earlier versions, and what replaced them."""

Errors = Iterator[tuple[str, ...]]
"""What is wrong with a value: the dotted rest of the key, the message, and hints."""


@dataclass(frozen=True)
class Field:
    """A key of a scenario: what is wrong with a value of it, and the JSON Schema of right ones."""

    errors: Callable[[Any], Errors]
    schema: dict[str, Any]


@dataclass(frozen=True)
class Known:
    """The names and bounds that a scenario is checked against."""

    #: parameters by dotted name, with the cells of the baseline where there are any
    parameters: Mapping[str, Parameter]
    #: levers by name; names and years
    levers: Mapping[str, Lever]
    pair: Pair

    @classmethod
    def read(cls, folder: Path) -> Known:
        """Read the names and bounds of a calibration folder, which may have no baseline."""
        folder = Path(folder)
        parameters, levers, pair = read_parameters(folder), read_levers(folder), read_pair(folder)
        if (folder / "baseline").is_dir():
            from tradesim.inputs.base_year_tables import read_cells

            parameters |= read_cells(folder)
        return cls(parameters, levers, pair)

    @cached_property
    def fields(self) -> dict[str, Field]:
        """All keys at the top of a scenario, in their order."""
        return {
            "extends": _text("scenario that this one starts from: a file beside it, or a shipped "
                             "name"),
            "title": _text("a few words for tables and figures"),
            "question": _text("what the scenario is to answer"),
            "answers": _answers(),
            "levers": _levers(self.levers),
            "parameters": _parameters(self.parameters, self.levers),
            "growth": _growth(self.pair),
            "closure": _name(CLOSURES, "whether wages and spending follow trade"),
            "imbalances": _name(IMBALANCES, "what the closure holds of trade imbalances"),
            "horizon": _number(self.pair.last_year + 1, self.pair.last_possible,
                               "last year of the run"),
            "draws": _number(1, MAX_DRAWS, "number of draws"),
            "seed": _number(0, MAX_SEED, "seed of the random numbers"),
            "target_usd": _amount("turnover a year to be reached, in USD, on the count of "
                                  "pair.yaml's target"),
            "references": _list("where the scenario's numbers and claims were read",
                                Field(_reference_errors, REFERENCE)),
            "not_modelled": _list("what the scenario leaves out", Field(_text_errors, TEXT))}


def check(document: Document, known: Known) -> list[Problem]:
    """List all that is wrong with what one scenario file says."""
    problems = []
    for key, value in document.data.items():
        if key in GONE:
            problems.append(document.problem(key, GONE[key]))
        elif key not in known.fields:
            problems.append(document.problem(key, f"unknown key; known: {', '.join(known.fields)}",
                                             nearest(key, known.fields)))
        elif value is not None:
            problems += [document.problem(f"{key}{rest}", *messages)
                         for rest, *messages in known.fields[key].errors(value)]
    return problems


def json_schema(known: Known) -> dict[str, Any]:
    """JSON Schema of scenario files, for editors that complete and check keys."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "tradesim scenario", "type": "object", "additionalProperties": False,
            "properties": {key: field.schema for key, field in known.fields.items()}}


def unanswered(levers: Mapping[str, Mapping[str, Any]], file: str,
               known: Known) -> list[Problem]:
    """List the settings without default that a resolved scenario pulls a lever without."""
    return [Problem(file, f"levers.{lever}.{name}", "is missing and has no default: "
                    f"{setting.title}; {setting.allowed}",
                    f"`tradesim levers {lever}` lists its settings")
            for lever, given in levers.items()
            for name in known.levers[lever].required if name not in given
            for setting in [known.levers[lever].settings[name]]]


def disordered(levers: Mapping[str, Mapping[str, Any]], file: str,
               known: Known) -> list[Problem]:
    """List later stages without the first one, and changes that act on the same flows."""
    problems = [Problem(file, f"levers.{name}", f"is a later stage of '{first}', which the "
                        "scenario does not pull", f"add `{first}: {{}}`")
                for name in levers if (first := known.levers[name].follows) and first not in levers]
    places = {name: _where(known.levers[name], given) for name, given in levers.items()
              if known.levers[name].repeatable}
    for one, other in combinations(places, 2):
        both = [[part for part in parts if part in places[other].get(key, ())]
                for key, parts in places[one].items()]
        if both and all(both) and known.levers[one].kind == known.levers[other].kind:
            shared = "; ".join(", ".join(parts[:3]) + (" ..." if len(parts) > 3 else "")
                               for parts in both)
            problems.append(Problem(file, f"levers.{one}, levers.{other}", "both change the same "
                                    f"flows ({shared})", "let one of them leave these out"))
    return problems


def _where(lever: Lever, given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Names that say where a lever acts."""
    return {key: setting.names(given.get(key, setting.default))
            for key, setting in lever.settings.items()
            if isinstance(setting, Choice) and setting.several}


def integer(value: Any) -> int | None:
    """Give a number without fraction as an integer, anything else as None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


def fits(setting: Setting, value: Any) -> bool:
    """Whether a scenario may give a setting or parameter this value."""
    if isinstance(setting, Choice):
        return setting.takes(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return setting.low <= value <= setting.high and not (setting.integer and
                                                         integer(value) is None)


def _text(meaning: str) -> Field:
    def errors(value: Any) -> Errors:
        if not _is_text(value):
            yield "", f"{_quoted(value)} is not text: {meaning}"

    return Field(errors, {**TEXT, "description": meaning})


def _number(low: int, high: int, meaning: str) -> Field:
    def errors(value: Any) -> Errors:
        if integer(value) is None or not low <= value <= high:
            yield "", f"{_quoted(value)} is not a whole number from {low} to {high} ({meaning})"

    return Field(errors, {"type": "integer", "minimum": low, "maximum": high,
                          "description": meaning})


def _amount(meaning: str) -> Field:
    def errors(value: Any) -> Errors:
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0.0:
            yield "", f"{_quoted(value)} is not an amount above zero ({meaning})"

    return Field(errors, {"type": "number", "exclusiveMinimum": 0, "description": meaning})


def _name(names: tuple[str, ...], meaning: str) -> Field:
    """One of several names, the first by default."""
    def errors(value: Any) -> Errors:
        if value not in names:
            yield ("", f"{_quoted(value)} is not one of: {', '.join(names)} ({meaning})",
                   _nearest(value, names))

    return Field(errors, {"enum": [*names, None], "default": names[0], "description": meaning})


def _answers() -> Field:
    """Up to `SENTENCES` names of `ANSWERS`, in the order in which the brief gives them."""
    known = ", ".join(ANSWERS)

    def errors(value: Any) -> Errors:
        if not isinstance(value, list) or not 0 < len(value) <= SENTENCES:
            yield "", f"must be a list of one to {SENTENCES} of: {known}"
            return
        for position, name in enumerate(value):
            if not isinstance(name, str) or name not in ANSWERS:
                yield (f".{position}", f"{_quoted(name)} is not one of: {known}",
                       _nearest(name, tuple(ANSWERS)))
            elif name in value[:position]:
                yield f".{position}", f"'{name}' stands twice"

    listed = "; ".join(f"{name}: {meaning}" for name, meaning in ANSWERS.items())
    return Field(errors, {"type": ["array", "null"], "items": {"enum": [*ANSWERS]}, "minItems": 1,
                          "maxItems": SENTENCES, "uniqueItems": True, "description":
                          f"what the brief answers; by default what the levers raise. {listed}"})


def _growth(pair: Pair) -> Field:
    """Either a named path of GDP, or rates by country."""
    meaning = (f"path of both GDPs: {', '.join(NAMED)}, or growth in current USD by country, "
               "per cent a year")
    example = f"such as {{{', '.join(f'{code}: 5' for code in pair.importers)}}}"

    def errors(value: Any) -> Errors:
        if not isinstance(value, dict):
            if value not in NAMED:
                yield ("", f"{_quoted(value)} is not one of: {', '.join(NAMED)}, nor rates by "
                       f"country, {example}", _nearest(value, NAMED))
        elif not value:
            yield "", f"has no rates; give them by country, {example}"
        else:
            for country, rate in value.items():
                yield from _rate_errors(country, rate, pair.importers)

    rate = {"type": ["number", "null"], "minimum": LOWEST, "maximum": HIGHEST}
    rates = {"type": "object", "additionalProperties": False, "minProperties": 1,
             "properties": {code: rate | {"description": f"{pair.name(code)}, per cent a year"}
                            for code in pair.importers}}
    return Field(errors, {"anyOf": [{"enum": [*NAMED, None]}, rates], "default": PUBLISHED,
                          "description": meaning})


def _rate_errors(country: str, rate: Any, known: tuple[str, ...]) -> Errors:
    if country not in known:
        yield (f".{country}", f"is no country of the pair; known: {', '.join(known)}",
               nearest(str(country), known))
    elif rate is not None and (isinstance(rate, bool) or not isinstance(rate, int | float)
                               or not LOWEST <= rate <= HIGHEST):
        yield (f".{country}", f"{_quoted(rate)} is not a number from {LOWEST:g} to {HIGHEST:g} "
               "(growth in current USD, per cent a year)")


def _list(meaning: str, entry: Field) -> Field:
    def errors(value: Any) -> Errors:
        if not isinstance(value, list):
            yield "", f"must be a list ({meaning}), not {kind(value)}"
            return
        for position, part in enumerate(value):
            for key, *messages in entry.errors(part):
                yield (f".{position}{key}", *messages)

    return Field(errors, {"type": "array", "items": entry.schema, "description": meaning})


def _text_errors(entry: Any) -> Errors:
    if not _is_text(entry):
        yield "", f"{_quoted(entry)} is not text"


def _reference_errors(entry: Any) -> Errors:
    if not isinstance(entry, dict):
        yield "", f"must be {{title: ..., url: ...}}, not {kind(entry)}"
        return
    for part, value in entry.items():
        if part not in REFERENCE["properties"]:
            yield f".{part}", "unknown key; known: title, url", nearest(part, ("title", "url"))
        elif not _is_text(value):
            yield f".{part}", f"{_quoted(value)} is not text"
        elif part == "url" and not value.startswith(WEB):
            yield f".{part}", f"'{value}' is not a web address", "it starts with https://"
    if "title" not in entry:
        yield ".title", "is missing"


def _levers(levers: Mapping[str, Lever]) -> Field:
    def errors(value: Any) -> Errors:
        if not isinstance(value, dict):
            yield "", f"must be a mapping of levers, not {kind(value)}"
            return
        for name, settings in value.items():
            if name not in levers:
                yield (f".{name}", "unknown lever", nearest(name, levers),
                       "`tradesim levers` lists them")
            elif isinstance(settings, dict):
                for key, setting in settings.items():
                    for messages in _setting_errors(levers[name], levers, key, setting):
                        yield (f".{name}.{key}", *messages)
            elif settings is not None:
                yield f".{name}", ("must be a mapping of settings ({} for all defaults), not "
                                   f"{kind(settings)}")

    schemas = {name: _object(_setting_schemas(lever.settings), lever.title)
               for name, lever in levers.items()}
    again = {f"^{name}{WORD.pattern}$": schemas[name] for name, lever in levers.items()
             if lever.repeatable}
    return Field(errors, _object(
        schemas,
        "levers to pull; {} takes a lever's defaults, null removes one that the parent pulls")
        | {"patternProperties": again})


def _setting_errors(lever: Lever, levers: Mapping[str, Lever], name: str, value: Any) -> Errors:
    setting, first = lever.settings.get(name), levers[lever.follows or lever.name]
    more = f"`tradesim levers {lever.name}` lists its settings"
    if lever.follows and value == first.applies.get(name):
        more = f"that is the lever {first.name}: `{first.name}: {{}}`"
    if setting is None and name in first.settings:
        yield "is set once for all stages", f"write it as {first.name}.{name}"
    elif setting is None:
        yield (f"unknown setting; known: {', '.join(lever.settings)}",
               nearest(name, lever.settings), more)
    elif value is not None and not fits(setting, value):
        guess = ""
        if isinstance(setting, Choice):
            value = next((part for part in setting.names(value) if part not in setting.values),
                         value)
            guess = _nearest(value, setting.values)
        yield f"{_quoted(value)} is not {setting.allowed}", guess, more


def _parameters(parameters: Mapping[str, Parameter], levers: Mapping[str, Lever]) -> Field:
    def errors(value: Any) -> Errors:
        if not isinstance(value, dict):
            yield "", f"must be a mapping of numbers, not {kind(value)}"
            return
        for name, number in value.items():
            parameter = parameters.get(name)
            if parameter is None:
                yield (f".{name}", "unknown parameter", nearest(name, parameters),
                       "settings of levers stand under levers"
                       if name.partition(".")[0] in levers else "",
                       "calibration/parameters.yaml lists them")
            elif parameter.calibrated:
                yield f".{name}", ("is calibrated on the statistics together with others; a "
                                   "scenario cannot set it")
            elif number is not None and not fits(parameter, number):
                yield f".{name}", f"{_quoted(number)} is not {parameter.allowed}"

    # Editors would list hundreds of cells of the baseline, which are of kind `range`.
    listed = {name: parameter for name, parameter in parameters.items()
              if not parameter.calibrated and not isinstance(parameter.distribution, Range)}
    return Field(errors, _object(_setting_schemas(listed),
                                 "numbers taken as given instead of drawn")
                 | {"additionalProperties": {"type": ["number", "null"]}})


def _object(properties: dict[str, Any], description: str) -> dict[str, Any]:
    return {"type": ["object", "null"], "description": description, "properties": properties,
            "additionalProperties": False}


def _setting_schemas(settings: Mapping[str, Setting]) -> dict[str, Any]:
    return {name: _setting_schema(setting) for name, setting in settings.items()}


def _setting_schema(setting: Setting) -> dict[str, Any]:
    if isinstance(setting, Choice):
        default = {} if setting.required else {"default": setting.default}
        if setting.several:
            some = {"type": "array", "items": {"enum": setting.values}, "uniqueItems": True,
                    "minItems": 0 if setting.empty else 1}
            return {"anyOf": [{"type": ["string", "null"]}, some], **default,
                    "description": f"{setting.title}; a list, or a text with commas"}
        return {"enum": [*setting.values, None], **default, "description": setting.title}
    schema = {"type": ["integer" if setting.integer else "number", "null"],
              "minimum": setting.low, "maximum": setting.high,
              "description": f"{setting.title} ({setting.unit})"}
    if isinstance(setting.distribution, Fixed) and not setting.required:
        schema["default"] = setting.distribution.value
    return schema


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _quoted(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value[:60]}'"
    return str(value).lower() if isinstance(value, bool | int | float) else kind(value)


def _nearest(value: Any, names: tuple[str, ...] | list[str]) -> str:
    return nearest(value, names) if isinstance(value, str) else ""
