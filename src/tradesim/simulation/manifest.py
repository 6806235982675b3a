"""The manifest of a folder of results: what made it, and the hash of every file that was made."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.common.extras import version_of
from tradesim.common.files import DISPLAY, calibration_folder, neighbours, sha256
from tradesim.common.output import is_leftover
from tradesim.inputs.strict_json import Record, read_json

DATA, MANIFEST = "results.nc", "manifest.json"
AGAIN = "run the scenario again"

SHIPPED = "shipped"
"""What a manifest says instead of a path of the calibration that comes with tradesim."""

PACKAGES = ("tradesim", "numpy", "scipy", "pandas", "xarray", "matplotlib")


class Manifest(Record):
    """What made a folder of results."""

    run_id: str
    command: str
    seed: int = Field(ge=0)
    draws: int = Field(ge=1)
    #: `SHIPPED`, or the folder as it is seen from the folder of results
    calibration: str
    created: str
    python: str
    versions: dict[str, str]
    #: SHA-256 of every file of the calibration that the run could read
    hashes: dict[str, str]
    #: SHA-256 of every file that the run left
    files: dict[str, str]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder of results.

    Raises
    ------
    InputError
        When it is no folder of results, or its manifest is not what a run writes.
    """
    path = Path(folder) / MANIFEST
    if not path.exists():
        there = Path(folder)
        raise InputError([Problem(
            str(folder), "", f"is not a folder of results: it holds no {MANIFEST}"
            if there.is_dir() else "is a file, not a folder of results" if there.exists()
            else "there is no such folder", nearest(there.name, neighbours(there, MANIFEST))
            or "`tradesim run` leaves one in results/")])
    manifest = read_json(path, Manifest, f"it is of another version of tradesim, or not of a run; "
                         f"{AGAIN}")
    if DATA not in manifest.files:
        raise InputError([Problem(str(path), f"files.{DATA}", "is missing", AGAIN)])
    return manifest


def write_manifest(folder: Path, attrs: Mapping[str, Any]) -> None:
    """Write the manifest of results that are in a folder, from what identifies their run."""
    calibration = Path(attrs["calibration"]).resolve()
    _write(folder, {
        "run_id": attrs["run_id"], "command": attrs["command"], "seed": int(attrs["seed"]),
        "draws": int(attrs["draws"]), "calibration": seen_from(folder, calibration),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": {package: version_of(package) for package in PACKAGES},
        "hashes": json.loads(attrs["hashes"])})


def seal(folder: Path) -> None:
    """Bring the hashes of a manifest up to date with the files beside it: reports and figures."""
    _write(folder, json.loads((folder / MANIFEST).read_text(encoding="utf-8")))


def _write(folder: Path, content: Mapping[str, Any]) -> None:
    made = {path.relative_to(folder).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*")) if path.is_file()
            and path.name != MANIFEST and not is_leftover(path.name)}
    text = json.dumps({**content, "files": made}, indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8", newline="\n")


def seen_from(folder: Path, calibration: Path) -> str:
    """Name a calibration so that the name holds wherever both are moved together."""
    if calibration == calibration_folder():
        return SHIPPED
    try:
        return Path(os.path.relpath(calibration, folder.resolve())).as_posix()
    except ValueError:  # another drive
        return calibration.as_posix()


def place_of(folder: Path, name: str) -> Path:
    """Folder of the calibration that a manifest in `folder` names; it may not be there."""
    if name == SHIPPED:
        return calibration_folder()
    return Path(os.path.normpath(folder.resolve() / name))


def calibration_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of every file of a calibration folder that a run may read, by path in it.

    What only reports read (`DISPLAY`) is left out: a better translation makes no other run.
    """
    return {path.relative_to(folder).as_posix(): sha256(path)
            for path in sorted(folder.rglob("*"))
            if path.suffix in (".csv", ".yaml", ".nc") and path.is_file()
            and path.relative_to(folder).parts[0] != DISPLAY}


def made_with(attrs: Mapping[str, Any], *names: str) -> Path:
    """Folder of the calibration that made results, as far as it is still what it was.

    Parameters
    ----------
    attrs
        Attributes of the results.
    names
        Files that must be as they were; all that the run could read by default.

    Raises
    ------
    InputError
        When neither the folder that the run used nor the one that comes with tradesim is.
    """
    then = json.loads(attrs["hashes"])
    needed = names or tuple(then)
    used, moved = Path(attrs["calibration"]), [""]
    for folder in dict.fromkeys((used, calibration_folder())):
        now = calibration_hashes(folder) if folder.is_dir() else {}
        changed = [name for name in needed if now.get(name) != then.get(name)]
        if now and not changed:
            return folder
        moved = changed if folder == used and now else moved
    message = (f"is not what the run used: {', '.join(moved[:3])} changed since"
               if moved[0] else "is not there any more")
    raise InputError([Problem(str(used), "--calibration", f"the calibration of run "
                              f"{attrs['run_id']} {message}", f"{AGAIN}, or name a calibration "
                              "with --calibration where the command has it")])
