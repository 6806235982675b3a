"""Make docs/images/fan.png: ``python docs/make_images.py`` (a run of ``all_levers``)."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

IMAGES = Path(__file__).parent / "images"

with tempfile.TemporaryDirectory() as folder:
    out = Path(folder) / "run"
    subprocess.run([sys.executable, "-m", "tradesim", "run", "all_levers", "--out", str(out)],
                   check=True)
    IMAGES.mkdir(exist_ok=True)
    shutil.copy(out / "figures" / "fan.png", IMAGES / "fan.png")
