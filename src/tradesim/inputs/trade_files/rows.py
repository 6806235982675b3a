"""Rows of one file under their roles: text cleaned, countries known, the pair's trade chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.inputs.pair import Pair
from tradesim.inputs.trade_files import numbers
from tradesim.inputs.trade_files.countries import WORLD, Countries, suppliers
from tradesim.inputs.trade_files.layouts import Found, Layout, detect, nearest_layout, plain
from tradesim.inputs.trade_files.sheets import Sheet, read_sheets

if TYPE_CHECKING:
    import pandas as pd

FLOWS = (("re-import", ("re-import", "reimport")), ("re-export", ("re-export", "reexport")),
         ("import", ("import", "gross imp")), ("export", ("export", "gross exp")),
         ("import", ("m", "imp", "импорт", "ввоз")), ("export", ("x", "exp", "экспорт", "вывоз")))
"""Flows by how the words of a file begin."""

MANY = 3
"""Names or lines that a message lists."""

UNKNOWN = 0.01
"""Share of the value with partners of unknown name from which a file is refused."""


@dataclass
class Reading:
    """A file in the course of reading: its table, what was mended, what is wrong."""

    path: Path
    layout: Layout
    headings: tuple[str, ...]
    rows: pd.DataFrame  #: by line of the file: columns by role, then more
    said: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def wrong(self, key: str, message: str, hint: str = "", row: int | None = None) -> None:
        """Note a problem; without a hint, say what to download instead."""
        self.problems.append(Problem(
            str(self.path), key, message, hint or f"download instead: {self.layout.download}",
            None if row is None else int(row)))

    def stop(self) -> None:
        """Raise what was found so far."""
        if self.problems:
            raise InputError(self.problems)

    def keep(self, mask: np.ndarray) -> None:
        """Keep the rows that a mask marks."""
        self.rows = self.rows[mask]


def read_rows(path: Path, layouts: Sequence[Layout]) -> Reading:
    """Read a file under the layout that fits it; columns are roles, cells are text.

    Raises
    ------
    InputError
        When no layout fits, when the layout cannot serve, or when a column is missing.
    """
    sheets = read_sheets(path)
    fits = [(sheet, found) for sheet in sheets if (found := detect(sheet.head, layouts))]
    if not fits:
        raise InputError([_unknown(path, sheets, layouts)])
    sheet, found = max(fits, key=lambda fit: len(fit[1].layout.recognised_by))
    layout = found.layout
    refused = Problem(str(path), "", f"looks like {layout.title}: {layout.refuse}",
                      f"download instead: {layout.download}", found.row + 1)
    if layout.refuse:
        raise InputError([refused])
    if missing := layout.missing(found.headings):
        raise InputError([Problem(
            str(path), name, f"column missing; looks like {layout.title}",
            "it is called " + " or ".join(heading for role in name.split(" or ")
                                          for heading in layout.columns.get(role, (role,))),
            found.row + 1) for name in missing])
    rows = _by_role(sheet, found)
    reading = Reading(path, layout, found.headings, rows, list(sheet.said))
    if found.row:
        reading.said.append(f"the heading stands in row {found.row + 1}")
    return reading


def _unknown(path: Path, sheets: Sequence[Sheet], layouts: Sequence[Layout]) -> Problem:
    known = ", ".join(dict.fromkeys(layout.name for layout in layouts if not layout.refuse))
    for sheet in sheets:
        if near := nearest_layout(sheet.head, layouts):
            layout, row, missing = near
            return Problem(str(path), "", f"is nearest to {layout.title}, but lacks the column"
                           f"{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
                           f"download instead: {layout.download}", row + 1)
    first = next((row for sheet in sheets for row in sheet.head if any(row)), ())
    shown = ", ".join(cell for cell in first[:6] if cell)
    return Problem(str(path), "", f"has the layout of no known agency (first row: {shown[:120]})",
                   f"known: {known}; or make a table with columns year, reporter, partner, flow, "
                   "product, value")


def _by_role(sheet: Sheet, found: Found) -> pd.DataFrame:
    """Give the columns that have a role; of several headings for one, the first that is filled."""
    import pandas as pd

    places: dict[str, int] = {}
    for number, heading in enumerate(found.headings):
        places.setdefault(plain(heading), number)
    wanted = {role: [places[plain(name)] for name in headings if plain(name) in places]
              for role, headings in found.layout.columns.items()}
    table = sheet.body(found.row, [place for columns in wanted.values() for place in columns])
    rows = {}
    for role, columns in wanted.items():
        for place in columns:
            texts = pd.Series(numbers.mapped(table[place], str.strip), table.index)
            if (texts != "").any() or place == columns[-1]:
                rows[role] = texts
                break
    frame = pd.DataFrame(rows)
    notes = (frame["value"] == "") & (frame["code"] == "")
    return frame[~notes]


def flow_columns(reading: Reading) -> None:
    """Add ``flow``: import, export, and what is neither; unknown words are problems."""
    rows, layout = reading.rows, reading.layout
    if layout.flow:
        reading.rows = rows.assign(flow=layout.flow)
    elif "flow" in rows:
        flows = {plain(code): flow for code, flow in layout.flows.items()}

        def flow_of(text: str) -> str:
            word = plain(text)
            return flows.get(word) or next(
                (flow for flow, starts in FLOWS
                 if word in starts or word.startswith(tuple(s for s in starts if len(s) > 3))), "")

        known = numbers.mapped(rows["flow"], flow_of)
        if (known == "").any():
            odd = rows["flow"][known == ""]
            reading.wrong("flow", f"'{odd.iloc[0]}' is no flow ({len(odd)} rows)",
                          "write import or export", odd.index[0])
        reading.rows = rows.assign(flow=known)


def direction_columns(reading: Reading, countries: Countries, pair: Pair) -> None:
    """Add ``reporter`` (empty where both are reconciled), ``importer``, ``exporter``.

    Codes are those of the pair's suppliers, so that countries of a group report together;
    ``country`` is the partner's own code, ``by`` what the file calls the reporter.
    """
    rows, layout = reading.rows, reading.layout

    def known(role: str) -> tuple[np.ndarray, np.ndarray]:
        both = numbers.mapped(rows[role], lambda text: suppliers(countries, pair, text))
        return (np.array([one for one, _ in both], dtype=object),
                np.array([two for _, two in both], dtype=object))

    if layout.reporter and "destination" in rows:
        goes, comes = known("destination")[0], known("origin")
        imports = goes == layout.reporter
        partner, supplier = (np.where(imports, a, b) for a, b in
                             zip(comes, known("destination"), strict=True))
        rows = rows.assign(flow=np.where(imports, "import", "export"), reporter=layout.reporter,
                           partner=np.where(imports, rows["origin"], rows["destination"]))
        reporter = np.full(len(rows), layout.reporter, dtype=object)
    elif "reporter" not in rows and "exporter" in rows:
        (_, seller), (buyer, market) = known("exporter"), known("importer")
        reading.rows = rows.assign(reporter="", importer=np.where(buyer == "", "", market),
                                   exporter=seller, country=known("exporter")[0],
                                   partner=rows["exporter"], flow="import", by="")
        return
    else:
        partner, supplier = known("partner")
        reporter = (np.full(len(rows), layout.reporter, dtype=object) if layout.reporter
                    else known("reporter")[1])
    said = rows.get("reporter", reporter)
    imports = (rows["flow"] == "import") | (rows["flow"] == "re-import")
    market = np.where(partner == WORLD, "", supplier)
    reading.rows = rows.assign(
        reporter=reporter, country=partner, by=said,
        importer=np.where(imports, reporter, market), exporter=np.where(imports, market, reporter))


def choose_pair(reading: Reading, pair: Pair) -> None:
    """Keep what flows into the two markets, and say what else there is.

    Refuses a file of another pair, one with the world as its only partner, and one with a large
    part of partners whose names are not known.
    """
    rows = reading.rows
    ours = rows["importer"].isin(pair.importers).to_numpy() & (
        rows["importer"] != rows["exporter"]).to_numpy()
    world = (rows["country"] == WORLD).to_numpy()
    members = (rows["reporter"].isin(pair.importers) | rows["importer"].isin(pair.importers))
    here = ours & ~world & (rows["exporter"] != "").to_numpy()
    names = " and ".join(pair.name(code) for code in pair.importers)
    if not here.any():
        if (world & members.to_numpy()).any():
            reading.wrong("partner", "the world is the only partner, so the pair's goods cannot be "
                          f"told from all others; partners of {names} are needed")
        else:
            shown = _shown(rows)
            reading.wrong("reporter, partner", f"holds nothing that {names} buy"
                          + (f"; it has {shown}" if shown else ""))
        reading.stop()
    if world.any():
        reading.said.append(f"{int(world.sum()):,} rows with the world as partner left out")
    if others := int((~here & ~world).sum()):
        reading.said.append(f"{others:,} rows of other flows left out")
    reading.keep(here)


def _shown(rows: pd.DataFrame) -> str:
    columns = [name for name in ("by", "partner") if rows[name].any()]
    pairs = rows[columns].drop_duplicates().head(MANY)
    return ", ".join("-".join(map(str, pair)) for pair in pairs.itertuples(index=False))


def name_problems(reading: Reading, pair: Pair) -> None:
    """Refuse partners of unknown name that look like the pair's own, or that hold much value."""
    rows = reading.rows
    odd = rows[(rows["country"] == "")]
    if odd.empty:
        return
    own = [country.name for country in pair.countries.values()]
    for name in odd["partner"].drop_duplicates():
        if hint := nearest(str(name), own):
            reading.wrong("partner", f"'{name}' is no known country", hint,
                          odd.index[odd["partner"] == name][0])
    share = odd["value"].sum() / max(rows["value"].sum(), 1e-300)
    shown = ", ".join(map(str, odd["partner"].drop_duplicates().head(MANY)))
    if share > UNKNOWN:
        reading.wrong("partner", f"countries of unknown name hold {100 * share:.0f} % of the "
                      f"value: {shown}", "write their codes of three letters", odd.index[0])
    reading.said.append(f"partners of unknown name count as other countries: {shown}")
