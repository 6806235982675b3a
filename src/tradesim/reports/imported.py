"""What an import found, as short tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from tradesim.common.arrays import MILLION
from tradesim.inputs.pair import Pair
from tradesim.inputs.trade_files.cells import Cell, discrepancies
from tradesim.inputs.trade_files.product_shares import ProductShare
from tradesim.reports.terminal import columns
from tradesim.studies.imported import Answers, Imported


def files_text(found: Imported) -> str:
    """Say of each file which layout it has, its hash, and what was mended or left out."""
    lines = []
    for trade in found.trades:
        lines += [f"{trade.path}: {trade.layout.title}",
                  f"  SHA-256 {trade.sha256}", *(f"  {text}" for text in trade.said)]
    return "\n".join(lines)


def cells_text(found: Imported) -> str:
    """Give the table of cells: judged before, documented now, inside the old range or not."""
    tables = [_flow_table(found.pair, list(cells)) for _, cells in groupby(
        found.cells, key=lambda cell: (cell.importer, cell.exporter))]
    shares = sorted(found.shares, key=lambda share: (share.importer, share.exporter))
    tables += [_share_table(found.pair, list(part)) for _, part in groupby(
        shares, key=lambda share: (share.importer, share.exporter))]
    return "\n\n".join([*tables, *_left(found)])


def _flow_table(pair: Pair, cells: Sequence[Cell]) -> str:
    first = cells[0]
    rows = [["", "judged before", "documented now", "old range", "grade"]]
    for cell in cells:
        rows.append([pair.name(cell.group), "-" if cell.before is None else _range(cell.before),
                     _range(cell), "-" if cell.before is None else
                     "inside" if cell.inside else "outside", cell.grade])
    outside = sum(cell.before is not None and not cell.inside for cell in cells)
    total = sum(cell.value for cell in cells)
    return (f"{pair.name(first.importer)} from {pair.name(first.exporter)}, USD million of the "
            f"official total of {total:,.5g} ({first.source})\n{columns(rows)}\n"
            f"{outside} of {len(cells)} documented values lie outside the range that was judged.")


def _share_table(pair: Pair, shares: Sequence[ProductShare]) -> str:
    first = shares[0]
    rows = [["", "judged before, %", "documented now, %", "old range", "grade"]]
    for share in shares:
        rows.append([pair.name(share.product),
                     "-" if share.before is None else _per_cent(share.before), _per_cent(share),
                     "-" if share.before is None else "inside" if share.inside else "outside",
                     share.grade])
    return (f"{pair.name(first.importer)} from {pair.name(first.exporter)}, named products, share "
            f"of their groups\n{columns(rows)}")


def _per_cent(share: Any) -> str:
    return "{:.3g} ({:.3g} to {:.3g})".format(*(100 * part for part in (
        share.value, share.low, share.high)))


def _range(cell: Any) -> str:
    return f"{_amount(cell.value)} ({_amount(cell.low)} to {_amount(cell.high)})"


def _amount(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.1f}" if abs(value) >= 10 else (
        f"{value:,.2f}")


def _left(found: Imported) -> Iterator[str]:
    for (importer, exporter), share in found.left.items():
        yield (f"{found.pair.name(importer)} from {found.pair.name(exporter)}: left as it was, "
               f"because the files hold {100 * share:.0f} % of the official total only.")


def discrepancies_text(found: Imported) -> str:
    """Compare both countries' reports of the same flow by group; empty where one alone reports."""
    pair, tables = found.pair, []
    both = discrepancies(found.documented, pair.groups)
    for (importer, exporter, first, last), rows in groupby(
            both.to_dict("records"), key=itemgetter("importer", "exporter", "first", "last")):
        span = f"{first}" if first == last else f"{first}-{last}"
        table = [["", f"{pair.name(importer)} reports", f"{pair.name(exporter)} reports",
                  "ratio"]]
        for row in rows:
            mine, theirs = row["importers"] / MILLION, row["exporters"] / MILLION
            table.append([pair.name(row["group"]), _amount(mine), _amount(theirs),
                          f"{theirs / mine:.2f}" if mine > 0 else "-"])
        tables.append(f"{pair.name(importer)} from {pair.name(exporter)}, {span}, USD million by "
                      f"whoever reports\n{columns(table)}")
    return "\n\n".join(tables)


def gaps_text(found: Imported) -> str:
    """Say which flows do not add up to a total, and by how much."""
    return "\n".join(["Totals that are not met:",
                      *(f"  {gap.said(found.pair)}" for gap in found.gaps)])


def answers_text(found: Answers) -> str:
    """Set the headline before and after beside each other."""
    heads, year = (found.before, found.after), max(found.before["turnover"])
    rows = [[year, "before", "after"]]
    for label, case, statistic in (("turnover without policy, median", "reference", "p50"),
                                   ("mean change, chances counted", "effect", "mean")):
        rows.append([label, *(f"{head['turnover'][year][case][statistic] / MILLION:,.1f}"
                              for head in heads)])
    rows.append(["mean change if implemented", *(f"{_implemented(head, year) / MILLION:,.1f}"
                                                 for head in heads)])
    return (f"{found.title}: USD million, {found.before['draws']} draws, too few to quote\n"
            f"{columns(rows)}")


def _implemented(headline: Mapping[str, Any], year: str) -> float:
    turnover = headline["turnover"][year]
    implemented = headline.get("if_implemented", {}).get(year, turnover["scenario"])
    return float(implemented["mean"] - turnover["reference"]["mean"])
