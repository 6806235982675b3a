"""Write the equations of docstrings, which are in reStructuredText, as the pages write theirs."""

import re
from typing import Any

import griffe

INLINE = re.compile(r":math:`([^`]+)`")
BLOCK = re.compile(r"^( *)\.\. math:: ?(.*(?:\n(?:\1 +.*|[ ]*(?=\n\1 )))*)", re.M)


class DocstringMath(griffe.Extension):
    """Replace ``:math:`` and ``.. math::`` in every docstring."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring is not None:
            obj.docstring.value = rewritten(obj.docstring.value)


def rewritten(text: str) -> str:
    """Give a docstring with its equations between dollars."""
    def block(found: re.Match[str]) -> str:
        lines = " ".join(line.strip() for line in found[2].splitlines() if line.strip())
        return f"{found[1]}$${lines}$$"

    return INLINE.sub(r"$\1$", BLOCK.sub(block, text))
