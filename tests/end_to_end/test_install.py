"""A built wheel runs anywhere, with the data that come with it and without the checkout."""

import os
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def sh(*command: str | Path, cwd: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def borrow_packages(environment: Path) -> None:
    """Let the new environment see the packages of this one, but not its tradesim."""
    here = [path for path in site.getsitepackages() if Path(path).is_dir()]
    target = next(environment.rglob("site-packages"))
    # Appended with a plain line, so that no .pth file of ours (an editable tradesim) is read.
    (target / "borrowed.pth").write_text("\n".join(here) + "\n", encoding="utf-8")


@pytest.mark.slow
def test_wheel_runs_from_an_empty_folder(tmp_path):
    sh(sys.executable, "-m", "pip", "wheel", ROOT, "--no-deps", "--wheel-dir", tmp_path,
       "--disable-pip-version-check", cwd=tmp_path)
    (wheel,) = tmp_path.glob("tradesim_scenarios-*.whl")
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=False)
    python = environment / ("Scripts" if os.name == "nt" else "bin") / "python"
    sh(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index",
       "--disable-pip-version-check", wheel, cwd=tmp_path)
    borrow_packages(environment)
    empty = tmp_path / "empty"
    empty.mkdir()

    where = sh(python, "-c", "import tradesim; print(tradesim.__file__)", cwd=empty)
    assert Path(where.strip()).is_relative_to(environment)
    printed = sh(python.with_name("tradesim"), "run", "eaeu_fta", "--draws", "50", cwd=empty)
    left = empty / "results" / "eaeu_fta"
    assert "report.html" in printed
    for name in ("report.html", "figures", "summary.csv", "summary.json", "results.nc",
                 "scenario.yaml", "manifest.json"):
        assert (left / name).exists()
    assert len(list((left / "figures").glob("*.png"))) >= 5
    assert [path.name for path in empty.iterdir()] == ["results"]
