"""Figures that the folder to be replaced holds already: the same comparison is not drawn twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any

from tradesim.common.files import NUMBERS, content, program, sha256
from tradesim.reports.html_page import FIGURES, inline, write_figures
from tradesim.simulation.manifest import MANIFEST

Draws = Mapping[str, Callable[[], Any]]


def key_of(*parts: object) -> str:
    """Name figures by what they show and by the code that draws them."""
    code = program((*NUMBERS, "reports"), "*")
    return sha256_of(json.dumps([code, *parts], default=repr).encode()).hexdigest()


def drawn_or_kept(figures: Callable[[], Draws], key: str, folder: Path, mark: str,
                  earlier: Path | None) -> tuple[dict[str, str], dict[str, Any]]:
    """Draw figures into a folder, or copy them from an earlier one that has the same.

    Returns
    -------
    tuple
        Elements for the page by name, and the record of `MANIFEST` by which the next comparison
        finds them: ``key``, ``names`` in their order, and the SHA-256 of each file.
    """
    kept = None if earlier is None else _kept(earlier, key)
    if earlier is None or kept is None:
        drawn = write_figures(figures(), folder, mark)
    else:
        shutil.copytree(earlier / FIGURES, folder / FIGURES)
        drawn = {name: inline(content(folder / FIGURES / f"{name}.svg").decode())
                 for name in kept["names"]}
    files = {path.name: sha256(path) for path in sorted((folder / FIGURES).iterdir())}
    return drawn, {"key": key, "names": list(drawn), "files": files}


def _kept(earlier: Path, key: str) -> dict[str, Any] | None:
    """Record of the figures of an earlier comparison, where they are those asked for and whole."""
    try:
        record: dict[str, Any] = json.loads(content(earlier / MANIFEST))["figures"]
        there = {path.name: sha256(path) for path in (earlier / FIGURES).iterdir()}
        return record if record["key"] == key and record["files"] == there else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
