"""A resolved scenario as YAML, each value with where it was set."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tradesim.inputs.distributions import Fixed
from tradesim.inputs.levers import Choice
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.scenario import Scenario
from tradesim.inputs.scenario_schema import Known

_FIELDS = ("title", "question", "levers", "parameters", "specification", "closure", "imbalances",
           "horizon", "draws", "seed", "references", "not_modelled")


def resolved(scenario: Scenario, known: Known | None = None) -> str:
    """Write a resolved scenario as YAML, with the origin of each value behind it.

    Parameters
    ----------
    scenario
        The scenario.
    known
        When given, the defaults of each lever follow as comments.

    Returns
    -------
    str
        Text that reads back as the same scenario.
    """
    lines: list[str] = []

    def put(depth: int, name: str, value: Any, key: str) -> None:
        text = value if value in ("", " {}", " []") else f" {json.dumps(value, ensure_ascii=False)}"
        origin = scenario.origins.get(key)
        lines.append(f"{'  ' * depth}{name}:{text}" + (f"  # {origin}" if origin else ""))

    for name in _FIELDS:
        value = getattr(scenario, name)
        if name == "levers":
            put(0, name, "" if value else " {}", name)
            for lever, settings in value.items():
                put(1, lever, "" if settings else " {}", f"levers.{lever}")
                for setting, chosen in settings.items():
                    put(2, setting, chosen, f"levers.{lever}.{setting}")
                lines += _defaults(lever, settings, known)
        elif name == "parameters":
            put(0, name, "" if value else " {}", name)
            for parameter, number in value.items():
                put(1, parameter, number, f"parameters.{parameter}")
        elif name in ("references", "not_modelled"):
            put(0, name, "" if value else " []", name)
            for entry in value:
                shown = entry.model_dump(exclude_defaults=True) if name == "references" else entry
                lines.append(f"  - {json.dumps(shown, ensure_ascii=False)}")
        else:
            put(0, name, value, name)
    return "\n".join(lines) + "\n"


def _defaults(lever: str, settings: Mapping[str, Any], known: Known | None) -> list[str]:
    if known is None:
        return []
    return [f"    # {name}: {describe(setting)}  (default)"
            for name, setting in known.levers[lever].settings.items() if name not in settings]


def describe(setting: Parameter | Choice) -> str:
    """Default of a setting in a few words, with its unit."""
    if setting.required:
        return "none; a scenario must give it"
    if isinstance(setting, Choice):
        return setting.default or "none"
    shape = setting.distribution
    if isinstance(shape, Fixed):
        return f"{shape.value:.10g}" + ("" if setting.integer else f" {setting.unit}")
    parts = ", ".join(f"{name} {value:g}" for name, value in shape.model_dump().items()
                      if name != "kind" and not (name == "shift" and value == 0))
    return f"{shape.kind.replace('_', ' ')} ({parts}) {setting.unit}"
