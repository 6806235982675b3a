"""What a scenario file may say: checks with plain messages, and a JSON Schema for editors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from tradesim.common.errors import Problem, nearest
from tradesim.inputs.checks import problem
from tradesim.inputs.distributions import Fixed, Range
from tradesim.inputs.levers import WORD, Choice, Lever, Setting, read_levers
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import Parameter, read_parameters
from tradesim.inputs.specifications import FILE as SPECIFICATIONS
from tradesim.inputs.specifications import STACKED, read_specifications
from tradesim.inputs.strict_yaml import Places, kind

TEXTS = {"extends": "scenario that this one starts from: a file beside it, or a shipped name",
         "title": "a few words for tables and figures",
         "question": "what the scenario is to answer"}
LISTS = {"references": "where the scenario's numbers and claims were read",
         "not_modelled": "what the scenario leaves out"}
CLOSURES = ("none", "one_sector")
IMBALANCES = ("multiplicative", "additive")
MAX_DRAWS, MAX_SEED = 1_000_000, 2**63 - 1


@dataclass(frozen=True)
class Known:
    """The names and bounds that a scenario is checked against.

    Attributes
    ----------
    parameters
        Parameters by dotted name, with the cells of the baseline where there are any.
    levers
        Levers by name.
    pair
        Names and years.
    specifications
        Specifications of the reference path that are on offer.
    """

    parameters: Mapping[str, Parameter]
    levers: Mapping[str, Lever]
    pair: Pair
    specifications: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Known:
        """Read what a calibration folder knows.

        Parameters
        ----------
        folder
            The calibration folder; cells of its baseline are known where it has one.
        """
        folder = Path(folder)
        parameters, levers = read_parameters(folder), read_levers(folder)
        pair = read_pair(folder)
        if (Path(folder) / "baseline").is_dir():
            from tradesim.inputs.baseline import read_cells

            parameters |= read_cells(Path(folder), pair, levers)
        named = tuple(read_specifications(folder)) if (folder / SPECIFICATIONS).is_file() else ()
        return cls(parameters, levers, pair, named)

    @property
    def numbers(self) -> dict[str, tuple[int, int, str]]:
        """Whole numbers at the top of a scenario: least, greatest, meaning."""
        return {"horizon": (self.pair.last_year + 1, self.pair.horizon, "last year of the run"),
                "draws": (1, MAX_DRAWS, "number of draws"),
                "seed": (0, MAX_SEED, "seed of the random numbers")}

    @property
    def choices(self) -> dict[str, tuple[tuple[str, ...], str]]:
        """Names at the top of a scenario: allowed (the default first), meaning."""
        return {"specification": ((STACKED, *self.specifications),
                                  "how the reference path is specified; stacked weighs them all"),
                "closure": (CLOSURES, "whether wages and spending follow trade"),
                "imbalances": (IMBALANCES, "what the closure holds of trade imbalances")}

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys at the top of a scenario."""
        return (*TEXTS, "levers", "parameters", *self.choices, *self.numbers, *LISTS)


def check(data: Mapping[str, Any], places: Places, file: str, known: Known) -> list[Problem]:
    """List all that is wrong with what one scenario file says.

    Parameters
    ----------
    data, places, file
        What the file says, where, and its name.
    known
        Names and bounds.
    """
    return list(_Check(places, file, known).everything(data))


def unanswered(levers: Mapping[str, Mapping[str, Any]], file: str,
               known: Known) -> list[Problem]:
    """List the settings without default that a resolved scenario pulls a lever without.

    Parameters
    ----------
    levers
        Levers of the scenario, with the settings it gives.
    file, known
        Name of the scenario's file; names and bounds.
    """
    return [Problem(file, f"levers.{lever}.{name}", "is missing and has no default: "
                    f"{setting.title}; {setting.allowed}",
                    f"`tradesim levers {lever}` lists its settings")
            for lever, given in levers.items()
            for name in known.levers[lever].required if name not in given
            for setting in [known.levers[lever].settings[name]]]


def disordered(levers: Mapping[str, Mapping[str, Any]], file: str,
               known: Known) -> list[Problem]:
    """List later stages without the first one, and changes that act on the same flows.

    Parameters
    ----------
    levers
        Levers of the resolved scenario, with the settings it gives.
    """
    problems = [Problem(file, f"levers.{name}", f"is a later stage of '{first}', which the "
                        "scenario does not pull", f"add `{first}: {{}}`")
                for name in levers if (first := known.levers[name].follows) and first not in levers]
    chosen = {name: _where(known.levers[name], given) for name, given in levers.items()
              if known.levers[name].repeatable}
    for one, other in combinations(chosen, 2):
        both = [[part for part in parts if part in chosen[other].get(key, ())]
                for key, parts in chosen[one].items()]
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


def whole(value: Any) -> int | None:
    """Give a number without fraction as an integer, anything else as None."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        return None
    return int(value)


@dataclass(frozen=True)
class _Check:
    places: Places
    file: str
    known: Known

    def everything(self, data: Mapping[str, Any]) -> Iterator[Problem]:
        for key, value in data.items():
            if key not in self.known.keys:
                yield self.wrong(key, f"unknown key; known: {', '.join(self.known.keys)}",
                                 nearest(key, self.known.keys))
            elif key == "levers":
                yield from self.levers(value)
            elif key == "parameters":
                yield from self.parameters(value)
            elif value is None:
                continue
            elif key in TEXTS:
                if not isinstance(value, str) or not value.strip():
                    yield self.wrong(key, f"{_said(value)} is not text: {TEXTS[key]}")
            elif key in self.known.numbers:
                low, high, meaning = self.known.numbers[key]
                if whole(value) is None or not low <= value <= high:
                    yield self.wrong(key, f"{_said(value)} is not a whole number from {low} to "
                                          f"{high} ({meaning})")
            elif key in self.known.choices:
                values, meaning = self.known.choices[key]
                if value not in values:
                    yield self.wrong(key, f"{_said(value)} is not one of: {', '.join(values)} "
                                          f"({meaning})",
                                     nearest(value, values) if isinstance(value, str) else "")
            else:
                yield from self.entries(key, value)

    def wrong(self, key: str, message: str, *hints: str) -> Problem:
        return problem(self.file, key, self.places, message, "; ".join(filter(None, hints)))

    def levers(self, levers: Any) -> Iterator[Problem]:
        if not isinstance(levers, dict):
            if levers is not None:
                yield self.wrong("levers", f"must be a mapping of levers, not {kind(levers)}")
            return
        for name, settings in levers.items():
            key = f"levers.{name}"
            if name not in self.known.levers:
                yield self.wrong(key, "unknown lever", nearest(name, self.known.levers),
                                 "`tradesim levers` lists them")
            elif isinstance(settings, dict):
                for setting, value in settings.items():
                    yield from self.setting(f"{key}.{setting}", name, setting, value)
            elif settings is not None:
                yield self.wrong(key, f"must be a mapping of settings ({{}} for all defaults), "
                                      f"not {kind(settings)}")

    def setting(self, key: str, lever: str, name: str, value: Any) -> Iterator[Problem]:
        settings = self.known.levers[lever].settings
        setting = settings.get(name)
        more = f"`tradesim levers {lever}` lists its settings"
        first = self.known.levers[self.known.levers[lever].follows or lever]
        if setting is None and name in first.settings:
            yield self.wrong(key, "is set once for all stages", f"write it as {first.name}.{name}")
        elif setting is None:
            yield self.wrong(key, f"unknown setting; known: {', '.join(settings)}",
                             nearest(name, settings), more)
        elif value is not None and not fits(setting, value):
            guess = ""
            if first.name != lever and value == first.applies.get(name):
                more = f"that is the lever {first.name}: `{first.name}: {{}}`"
            if isinstance(setting, Choice):
                wrong = [part for part in setting.names(value) if part not in setting.values]
                value = wrong[0] if wrong else value
                guess = nearest(value, setting.values) if isinstance(value, str) else ""
            yield self.wrong(key, f"{_said(value)} is not {setting.allowed}", guess, more)

    def parameters(self, parameters: Any) -> Iterator[Problem]:
        if not isinstance(parameters, dict):
            if parameters is not None:
                yield self.wrong("parameters",
                                 f"must be a mapping of numbers, not {kind(parameters)}")
            return
        for name, value in parameters.items():
            key = f"parameters.{name}"
            if name not in self.known.parameters:
                lever = name.partition(".")[0] in self.known.levers
                yield self.wrong(key, "unknown parameter", nearest(name, self.known.parameters),
                                 "settings of levers stand under levers" if lever else "",
                                 "calibration/parameters.yaml lists them")
            elif self.known.parameters[name].calibrated:
                yield self.wrong(key, "is calibrated on the statistics together with others; "
                                      "a scenario cannot set it")
            elif value is not None and not fits(self.known.parameters[name], value):
                yield self.wrong(key, f"{_said(value)} is not "
                                      f"{self.known.parameters[name].allowed}")

    def entries(self, key: str, entries: Any) -> Iterator[Problem]:
        if not isinstance(entries, list):
            yield self.wrong(key, f"must be a list ({LISTS[key]}), not {kind(entries)}")
            return
        for position, entry in enumerate(entries):
            at = f"{key}.{position}"
            if key == "references":
                yield from self.reference(at, entry)
            elif not isinstance(entry, str) or not entry.strip():
                yield self.wrong(at, f"{_said(entry)} is not text")

    def reference(self, key: str, entry: Any) -> Iterator[Problem]:
        if not isinstance(entry, dict):
            yield self.wrong(key, f"must be {{title: ..., url: ...}}, not {kind(entry)}")
            return
        for part, value in entry.items():
            if part not in ("title", "url"):
                yield self.wrong(f"{key}.{part}", "unknown key; known: title, url",
                                 nearest(part, ("title", "url")))
            elif not isinstance(value, str) or not value.strip():
                yield self.wrong(f"{key}.{part}", f"{_said(value)} is not text")
            elif part == "url" and not value.startswith(("https://", "http://")):
                yield self.wrong(f"{key}.{part}", f"'{value}' is not a web address",
                                 "it starts with https://")
        if "title" not in entry:
            yield self.wrong(f"{key}.title", "is missing")


def fits(setting: Setting, value: Any) -> bool:
    """Whether a scenario may give a setting or parameter this value."""
    if isinstance(setting, Choice):
        return setting.takes(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return setting.low <= value <= setting.high and not (setting.integer and whole(value) is None)


def json_schema(known: Known) -> dict[str, Any]:
    """JSON Schema of scenario files, for editors that complete and check keys.

    Parameters
    ----------
    known
        Names and bounds. Parameters of kind ``range``, the cells of the baseline, are left out:
        editors would list hundreds.
    """
    text = {"type": "string", "minLength": 1}
    top: dict[str, Any] = {key: text | {"description": said} for key, said in TEXTS.items()}
    levers = {name: _object(((part, _schema(setting)) for part, setting in lever.settings.items()),
                            lever.title) for name, lever in known.levers.items()}
    top["levers"] = _object(levers.items(), "levers to pull; {} takes a lever's defaults, null "
                            "removes one that the parent pulls")
    top["levers"]["patternProperties"] = {f"^{name}{WORD.pattern}$": levers[name]
                                          for name, lever in known.levers.items()
                                          if lever.repeatable}
    top["parameters"] = _object(
        ((name, _schema(part)) for name, part in known.parameters.items()
         if not part.calibrated and not isinstance(part.distribution, Range)),
        "numbers taken as given instead of drawn")
    top["parameters"]["additionalProperties"] = {"type": ["number", "null"]}
    for key, (values, said) in known.choices.items():
        top[key] = {"enum": [*values, None], "default": values[0], "description": said}
    for key, (low, high, said) in known.numbers.items():
        top[key] = {"type": "integer", "minimum": low, "maximum": high, "description": said}
    reference = {"type": "object", "required": ["title"], "additionalProperties": False,
                 "properties": {"title": text, "url": {"type": "string", "pattern": "^https?://"}}}
    top["references"] = {"type": "array", "items": reference, "description": LISTS["references"]}
    top["not_modelled"] = {"type": "array", "items": text, "description": LISTS["not_modelled"]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "tradesim scenario", "type": "object", "additionalProperties": False,
            "properties": top}


def _object(properties: Iterable[tuple[str, Any]], description: str) -> dict[str, Any]:
    return {"type": ["object", "null"], "description": description,
            "properties": dict(properties), "additionalProperties": False}


def _schema(setting: Setting) -> dict[str, Any]:
    if isinstance(setting, Choice):
        default = {} if setting.required else {"default": setting.default}
        if setting.several:
            one = {"enum": setting.values}
            some = {"type": "array", "items": one, "uniqueItems": True,
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


def _said(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value[:60]}'"
    return str(value).lower() if isinstance(value, bool | int | float) else kind(value)
