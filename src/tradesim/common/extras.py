"""Versions of what is installed, and what to type where an extra is missing."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version

from tradesim import __version__

DISTRIBUTION = "tradesim-scenarios"
"""Name under which the package index knows this program; `tradesim` there is another one."""


def install(extra: str) -> str:
    """Give the command that installs the packages of an extra, wherever tradesim came from."""
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        lines = []
    wanted = [line.split(";")[0].strip() for line in lines
              if re.search(rf"""extra == ['"]{re.escape(extra)}['"]""", line)]
    wanted = [name for name in wanted if not name.startswith(DISTRIBUTION)]
    return "pip install " + " ".join(f"'{name}'" for name in
                                     wanted or [f"{DISTRIBUTION}[{extra}]"])


def version_of(package: str) -> str:
    """Version of an installed package; of tradesim, that of the program that runs."""
    if package == "tradesim":
        return __version__
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
