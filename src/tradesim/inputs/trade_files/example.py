"""A small made-up file of trade statistics, in the layout of UN Comtrade."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tradesim.inputs.pair import read_pair
from tradesim.inputs.trade_files.countries import read_countries
from tradesim.inputs.trade_files.numbers import TOTAL
from tradesim.inputs.trade_files.official import read_reported, read_totals

NAME = "example_trade.csv"

HEADING = ("typeCode", "freqCode", "refYear", "refMonth", "period", "reporterISO", "reporterDesc",
           "flowCode", "flowDesc", "partnerISO", "partnerDesc", "partner2ISO", "classificationCode",
           "cmdCode", "cmdDesc", "aggrLevel", "customsCode", "motCode", "primaryValue",
           "isAggregate")

TILT = 1.2
"""How unevenly the made-up split falls from the first chapter on."""


def example(folder: Path) -> str:
    """Write trade of the pair by chapter, as both countries might report it; the split is made up.

    Both countries' figures add up to the official totals of the base year; those of the exporter
    are a third more where it has none.
    """
    pair = read_pair(folder)
    totals, reported = read_totals(folder, pair), read_reported(folder)
    read_countries(folder)  # a calibration without it could not read the file again
    chapters = sorted(pair.group_of_chapter)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADING)
    for importer in pair.importers:
        exporter, k = pair.partner(importer), pair.importers.index(importer)
        for reporter, partner, flow, factor in (
                (importer, exporter, ("M", "Import"), 1.0),
                (exporter, importer, ("X", "Export"), 4.0 / 3.0)):
            weights = [(1.0 + 0.1 * (factor > 1.0) * (n % 7))
                       / (1 + (7 * n + 31 * k) % len(chapters)) ** TILT
                       for n in range(len(chapters))]
            total = round(reported.get((pair.base_year, reporter, importer, exporter),
                                       totals[importer, exporter] * factor))
            values = [int(total * weight / sum(weights)) for weight in weights]
            values[0] += total - sum(values)
            for code, value in ((TOTAL, total), *zip(chapters, values, strict=True)):
                writer.writerow([
                    "C", "A", pair.base_year, 52, pair.base_year, reporter, pair.name(reporter),
                    *flow, partner, pair.name(partner), "W00", "H6", code, "made up", 2, "C00", 0,
                    value, "FALSE"])
    return out.getvalue()
