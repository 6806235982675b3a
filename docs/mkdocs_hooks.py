"""Links that leave docs/ become names of files: the site holds the pages alone."""

import re
from typing import Any

OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+"
                     r"((?:scenarios|benchmarks|calibration)/[^)]+|[A-Z]+\.md)\)")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Write `[text](../scenarios/README.md)` as text with the name of the file."""
    return OUTSIDE.sub(r"\1 (`\2`)", markdown)
