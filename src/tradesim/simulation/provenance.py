"""What made a folder of results, and whether it is still what was made."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tradesim.common.extras import version_of
from tradesim.common.files import calibration_folder, sha256
from tradesim.inputs.scenario import Scenario
from tradesim.simulation import model, results
from tradesim.simulation.manifest import Manifest, calibration_hashes, read_manifest


@dataclass(frozen=True)
class Origin:
    """What made a folder of results.

    Attributes
    ----------
    folder
        The folder.
    manifest
        What the run wrote about itself.
    scenario
        The resolved scenario.
    count
        Whose statistics its headline uses.
    calibration
        Calibration folder to compare with: that of the run, or the one that comes with tradesim
        where that is gone.
    now
        The run id that the same scenario would have with that calibration and this program.
    moved
        Files of the calibration that are not as they were.
    """

    folder: Path
    manifest: Manifest
    scenario: Scenario
    count: str
    calibration: Path
    now: str
    moved: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether the same scenario would have the same run id now."""
        return bool(self.now == self.manifest.run_id)


def origin(folder: Path, calibration: Path | None = None, *, check: bool = True) -> Origin:
    """Say what made a folder of results.

    Parameters
    ----------
    folder
        A folder that a run left.
    calibration
        Calibration to compare with; that of the run by default.
    check
        As for `results.load`.

    Raises
    ------
    InputError
        When it is not a folder of results, or one of another version.
    """
    manifest = read_manifest(folder)
    attrs = results.load(folder, check=check).attrs
    scenario = Scenario.model_validate_json(attrs["scenario"])
    source = Path(attrs["calibration"]) if calibration is None else calibration
    if not source.is_dir():
        source = calibration_folder()
    now, then = calibration_hashes(source), manifest.hashes
    moved = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
    return Origin(Path(folder), manifest, scenario, str(attrs["count"]), source,
                  results.run_id(scenario, now), tuple(moved))


def lines(found: Origin) -> list[str]:
    """Tell what made a folder of results, line by line."""
    manifest = found.manifest
    versions = ", ".join(f"{name} {version}" for name, version in manifest.versions.items())
    told = [
        f"{found.scenario.title} (scenario {found.scenario.name})",
        f"Run         {manifest.run_id}",
        f"Command     {manifest.command}",
        f"Made        {manifest.created}",
        f"Draws       {manifest.draws}, seed {manifest.seed}, to {found.scenario.horizon}",
        f"Levers      {', '.join(found.scenario.levers) or 'none'}",
        f"Parameters  {', '.join(found.scenario.parameters) or 'none set'}",
        f"Headline    count '{found.count}'",
        f"Calibration {manifest.calibration} ({len(manifest.hashes)} files)",
        f"Versions    python {manifest.python}, {versions}",
        *(f"SHA-256     {value} {name}" for name, value in manifest.files.items())]
    if found.same:
        return [*told, "The same scenario would have the same run id today."]
    why = ([f"changed: {', '.join(found.moved)}"] if found.moved
           else [f"program {manifest.versions.get('tradesim')} then, "
                 f"{version_of('tradesim')} now"])
    return [*told, f"The same scenario would be run {found.now} today; {'; '.join(why)}."]


def verify(found: Origin, *, rerun: bool = False,
           progress: Callable[[int, int], None] | None = None) -> list[str]:
    """Check a folder of results against what its manifest says.

    Parameters
    ----------
    found
        From `origin`.
    rerun
        Whether to run the stored scenario again and compare its summary byte for byte.
    progress
        Called with draws done and draws in all of a rerun.

    Returns
    -------
    list of str
        What differs, one line each; empty when nothing does.
    """
    wrong = []
    for name, expected in found.manifest.files.items():
        path = found.folder / name
        if not path.is_file():
            wrong.append(f"{name}: is missing")
        elif sha256(path) != expected:
            wrong.append(f"{name}: is not as the run wrote it")
    then = found.manifest.hashes
    for name in found.moved:
        word = ("is new" if name not in then
                else "has changed" if (found.calibration / name).is_file() else "is gone")
        wrong.append(f"calibration, {name}: {word} since the run")
    if not found.same and not found.moved:
        wrong.append(f"program: {found.manifest.versions.get('tradesim')} made the run, "
                     f"{version_of('tradesim')} is here")
    return wrong + (_rerun(found, progress) if rerun else [])


def _rerun(found: Origin, progress: Callable[[int, int], None] | None) -> list[str]:
    dataset = model.run(found.folder / results.RESOLVED, calibration=found.calibration,
                        count=found.count, progress=progress)
    with tempfile.TemporaryDirectory() as made:
        results.save(dataset, Path(made))
        again = (Path(made) / results.SUMMARY).read_bytes()
    path = found.folder / results.SUMMARY
    if path.is_file() and path.read_bytes() == again:
        return []
    return [f"{results.SUMMARY}: running {results.RESOLVED} again gives other numbers"]
