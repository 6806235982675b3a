"""How long an import takes: a generated file of UN Comtrade with a quarter of a million rows.

`python benchmarks/import_files.py` prints seconds by the clock and of the processor, best of three.
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.studies.imported import read_files

ROWS = 249_984
"""Just under the limit of 250,000, at which a file counts as cut."""

HEADING = [
    "typeCode", "freqCode", "refPeriodId", "refYear", "refMonth", "period", "reporterCode",
    "reporterISO", "reporterDesc", "flowCode", "flowDesc", "partnerCode", "partnerISO",
    "partnerDesc", "partner2Code", "partner2ISO", "partner2Desc", "classificationCode",
    "classificationSearchCode", "isOriginalClassification", "cmdCode", "cmdDesc", "aggrLevel",
    "isLeaf", "customsCode", "customsDesc", "mosCode", "motCode", "motDesc", "qtyUnitCode",
    "qtyUnitAbbr", "qty", "isQtyEstimated", "altQtyUnitCode", "altQtyUnitAbbr", "altQty",
    "isAltQtyEstimated", "netWgt", "isNetWgtEstimated", "grossWgt", "isGrossWgtEstimated",
    "cifvalue", "fobvalue", "primaryValue", "legacyEstimationFlag", "isReported", "isAggregate",
]


def write(path: Path) -> None:
    """Write six digits of both importers from every supplier, several years, 47 columns."""
    pair = read_pair(calibration_folder())
    chapters = [chapter for chapter in sorted(pair.group_of_chapter) if chapter < "98"]
    partners = [code for code in pair.exporters if len(code) == 3 and not pair.countries[code].rest]
    flows = [(importer, partner, year) for importer in pair.importers for partner in partners
             if partner != importer for year in range(pair.base_year - 3, pair.base_year + 1)]
    each = ROWS // len(flows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADING)
        for importer, partner, year in flows:
            for k in range(each):
                code = f"{chapters[k % len(chapters)]}{k // len(chapters):04d}"
                row = dict.fromkeys(HEADING, "") | {
                    "typeCode": "C", "freqCode": "A", "refYear": year, "refMonth": 52,
                    "period": year, "reporterISO": importer, "reporterDesc": pair.name(importer),
                    "flowCode": "M", "flowDesc": "Import", "partnerISO": partner,
                    "partnerDesc": pair.name(partner), "partner2ISO": "W00", "cmdCode": code,
                    "classificationCode": "H6", "cmdDesc": "goods, of one kind and another",
                    "customsCode": "C00", "motCode": 0, "primaryValue": 1000 + 37 * k % 90_001}
                writer.writerow(row.values())


def main() -> None:
    """Write the file, import it three times, print the best."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "comtrade.csv"
        write(path)
        rows = sum(1 for _ in path.open(encoding="utf-8")) - 1
        best = []
        for _ in range(3):
            wall, processor = time.perf_counter(), time.process_time()
            read_files([path], calibration_folder())
            best.append((time.perf_counter() - wall, time.process_time() - processor))
        wall, processor = min(best)
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:.0f} MB: {wall:.1f} s by the clock, "
              f"{processor:.1f} s of the processor")


if __name__ == "__main__":
    main()
