"""Titles of the data in other languages: ``titles.csv``, checked.

A title is found by its English text, so one that was rewritten in English loses its translations
instead of keeping stale ones.
"""

from __future__ import annotations

from pathlib import Path

from tradesim.common.files import unless_changed
from tradesim.inputs.strict_csv import Column, read_table

TITLES_FILE = "titles.csv"
TRANSLATIONS = ("ru", "mn", "kk")
"""ISO 639-1 codes of the languages that titles may have beside English: a column each."""


@unless_changed(TITLES_FILE)
def read_titles(folder: Path) -> dict[str, dict[str, str]]:
    """Read the translations of a folder's titles: by language, then by English text.

    A folder without ``titles.csv`` has none.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    path = folder / TITLES_FILE
    if not path.is_file():
        return {}
    columns = (Column("text", "text"),
               *(Column(code, "text", required=False) for code in TRANSLATIONS))
    rows = read_table(path, columns, key=["text"]).to_dict("records")
    return {code: {str(row["text"]): str(row[code]) for row in rows if row[code]}
            for code in TRANSLATIONS}
