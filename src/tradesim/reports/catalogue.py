"""Catalogues of translations, read from the ``.po`` files that translators edit.

The standard library reads compiled catalogues only; without compiling, a corrected translation is
in the next report.
"""

from __future__ import annotations

import re
from ast import literal_eval
from gettext import GNUTranslations, c2py
from pathlib import Path
from typing import Any

ENTRY = re.compile(r"^(msgid|msgid_plural|msgstr(?:\[(\d+)\])?) (\".*\")$")
PLURAL = re.compile(r"plural=([^;\n]+)")


class Catalogue(GNUTranslations):
    """Translations of one ``.po`` file, with the language's own rule for plurals."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._catalog: dict[Any, str] = {}
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            if "\n#, fuzzy" not in f"\n{block}":
                self._add(_entry(block))

    def _add(self, entry: dict[str, str]) -> None:
        text = entry.get("msgid")
        if text is None:
            return
        if not text and (rule := PLURAL.search(entry["msgstr"])):
            self.plural = c2py(rule[1])
        elif "msgid_plural" in entry:
            self._catalog |= {(text, int(key[7:-1])): form for key, form in entry.items()
                              if key.startswith("msgstr[") and form}
        elif entry.get("msgstr"):
            self._catalog[text] = entry["msgstr"]


def _entry(block: str) -> dict[str, str]:
    """Give the texts of an entry by keyword; a text may go on over lines."""
    found: dict[str, str] = {}
    keyword = ""
    for line in block.splitlines():
        if start := ENTRY.match(line):
            keyword = start[1]
            found[keyword] = literal_eval(start[3])
        elif line.startswith('"') and keyword:
            found[keyword] += literal_eval(line)
    return found
