"""What to type where a package that tradesim can do without is missing."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires

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
