"""Names and codes of countries, as agencies spell them, and the supplier that each counts as."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tradesim.common.files import unless_changed
from tradesim.inputs.pair import Pair
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.inputs.trade_files.layouts import OWN

COUNTRIES = f"{OWN}/countries.csv"
WORLD = "WLD"

_LATIN, _CYRILLIC = "ABCEHKMOPTXYaceopxy", "АВСЕНКМОРТХУасеорху"
_LOOKALIKES = str.maketrans(_LATIN, _CYRILLIC)


@dataclass(frozen=True)
class Countries:
    """Codes of three letters by whatever a file calls a country."""

    by_name: Mapping[str, str]

    def code(self, text: str) -> str:
        """Code of three letters; empty when the name is not known."""
        name = text.strip()
        if name.isdecimal():
            name = str(int(name))
        return self.by_name.get(_plain(name), "")


def _plain(name: str) -> str:
    """Fold case and space; a Latin letter inside a Cyrillic word becomes its look-alike."""
    if re.search("[а-яёА-ЯЁүөҮӨ]", name):
        name = name.translate(_LOOKALIKES)
    return re.sub(r"\s+", " ", name.replace("’", "'")).strip().casefold()


@unless_changed(COUNTRIES)
def read_countries(folder: Path) -> Countries:
    """Read the table of countries of a calibration.

    Raises
    ------
    InputError
        When it is missing or has a wrong cell.
    """
    columns = (Column("iso3", "text"), Column("codes", "text", required=False),
               Column("name", "text"), Column("spellings", "text", required=False))
    by_name: dict[str, str] = {}
    for row in read_table(Path(folder) / COUNTRIES, columns, key=("iso3",)).to_dict("records"):
        names = [row["iso3"], *row["codes"].split(";"), row["name"], *row["spellings"].split("|")]
        by_name |= {_plain(name): row["iso3"] for name in names if name}
    return Countries(by_name)


def suppliers(countries: Countries, pair: Pair, name: str) -> tuple[str, str]:
    """Give the code of a country and the supplier of the pair that it counts as.

    A name that is not known counts as one of all other countries and has no code; the world as a
    whole is no supplier.
    """
    if name.strip() in pair.countries:
        return name.strip(), name.strip()
    code = countries.code(name)
    return (code, "") if code == WORLD else (code, pair.supplier_of(code))
