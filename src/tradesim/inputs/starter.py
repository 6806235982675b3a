"""A commented scenario file to start from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.levers import Lever
from tradesim.inputs.scenario import DRAWS, SEED, find, shipped
from tradesim.inputs.scenario_text import describe


def starter(path: Path, parent: str, levers: Mapping[str, Lever]) -> str:
    """Write the text of a new scenario: what must be filled in, and all that may be.

    Parameters
    ----------
    path
        Where the file is to stand.
    parent
        Scenario it extends: a shipped name, or a file in the same folder.
    levers
        Levers, shown as comments with their settings.

    Raises
    ------
    InputError
        When there is no such parent, or it stands in another folder, or the new name is that
        of a shipped scenario: its results would take that scenario's place.
    """
    if path.stem in shipped():
        raise InputError([Problem(str(path), "", "is the name of a shipped scenario",
                                  "choose another name")])
    extends = parent
    if parent not in shipped():
        found = find(parent)
        if not found.is_file():
            raise InputError([Problem(parent, "--from", "there is no such file")])
        if found.resolve().parent != path.resolve().parent:
            raise InputError([Problem(parent, "--from", "must stand in the folder of the new file "
                                      f"({path.resolve().parent})")])
        extends = found.name
    lines = [
        f"# A scenario for tradesim. Check it with: tradesim check {path.name}",
        "",
        "# Everything of this scenario is taken over; what stands below replaces it.",
        f"extends: {json.dumps(extends, ensure_ascii=False)}",
        f"title: {json.dumps(path.stem.replace('_', ' '), ensure_ascii=False)}",
        "question: What would change, by how much, and for whom?",
        "",
        "# Levers to pull. Take away the '# ' of 'levers:', of a lever and of each setting you",
        "# want to change, and fill in a value. 'NAME: {}' takes a lever's defaults, and",
        "# 'NAME: null' removes one that the parent pulls.",
        "# levers:",
    ]
    for lever in levers.values():
        again = f"; again as {lever.name}_WORD" if lever.repeatable else ""
        after = f"; after {lever.follows}" if lever.follows else ""
        lines.append(f"#   {lever.name}:  # {lever.title}{after}{again}")
        lines += [f"#     {name}:  # {setting.allowed}; default {describe(setting)}"
                  for name, setting in lever.settings.items()]
    lines += [
        "",
        "# Numbers to take as given instead of drawn.",
        "# parameters:",
        "#   adjustment.speed: 0.35",
        "",
        f"# draws: {DRAWS}",
        f"# seed: {SEED}",
        "",
        "# Where the scenario's numbers were read, and what it leaves out; each list replaces",
        "# that of the parent.",
        "# references:",
        "#   - {title: A study, url: https://example.org}",
        "# not_modelled:",
        "#   - what you know and the model does not",
    ]
    return "\n".join(lines) + "\n"


def write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet.

    Raises
    ------
    InputError
        When it exists, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise InputError([Problem(str(path), "", "exists already and is not overwritten",
                                  "choose another name")]) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError([Problem(str(path), "", f"cannot be written: {reason}")]) from error
