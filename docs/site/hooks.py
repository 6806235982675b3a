"""What the site does to a page: links that leave docs/ become names, equations become MathML.

Browsers draw MathML themselves, so the site needs no script and no font from elsewhere.
"""

import html
import re
from typing import Any

from latex2mathml.converter import convert

OUTSIDE = re.compile(r"\[([^\]]+)\]\((?:\.\./)+"
                     r"((?:scenarios|benchmarks|calibration|examples)/[^)]+|[A-Z]+\.md)\)")
EQUATION = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.+?)\\[)\]]</\1>', re.S)
NUMBER = re.compile(r"\\tag\{([^}]+)\}")


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Write `[text](../scenarios/README.md)` as text with the name of the file."""
    return OUTSIDE.sub(r"\1 (`\2`)", markdown)


def on_page_content(content: str, **_: Any) -> str:
    """Turn equations into MathML, with the number of an equation beside it."""
    return EQUATION.sub(_equation, content)


def _equation(found: re.Match[str]) -> str:
    block = found[2] == "["
    latex = html.unescape(found[3]).strip()
    number = NUMBER.search(latex)
    drawn = convert(NUMBER.sub("", latex), display="block" if block else "inline")
    if not block:
        return drawn
    label = f'<span class="number">({number[1]})</span>' if number else ""
    return f'<div class="equation">{drawn}{label}</div>'
