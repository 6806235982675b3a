"""Shares of named products in their groups, from files whose codes are deep enough."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tradesim.inputs.distributions import Range
from tradesim.inputs.pair import Pair
from tradesim.inputs.products import SHARE, own
from tradesim.inputs.trade_files.cells import FAINT, outwards
from tradesim.inputs.trade_files.evidence import Documented, Evidence, Judged, evidence
from tradesim.inputs.trade_files.official import Gap
from tradesim.inputs.trade_files.trade import FLOW, Trade

if TYPE_CHECKING:
    import pandas as pd

    from tradesim.inputs.parameters import Parameter

DIGITS = 6
"""Decimals of a share."""


@dataclass(frozen=True)
class ProductShare(Documented):
    """Share of a product in what an importer buys of its group from a supplier."""

    product: str


def product_values(trades: Sequence[Trade], pair: Pair) -> pd.DataFrame:
    """Give the value of each named product and of its group, where a file tells them apart.

    A product is left out of a flow in which some row is a total that holds it and more: codes of
    two digits say nothing of a product of four.

    Returns
    -------
    pandas.DataFrame
        Columns `FLOW`, ``scheme``, ``product``, ``value`` and ``whole`` in USD, ``files``,
        ``sha256``, ``source``.
    """
    import pandas as pd

    rows = pd.concat([trade.products.assign(files=trade.path.name, sha256=trade.sha256,
                                            source=trade.source) for trade in trades])
    rows = rows[rows["scheme"] == "HS"]
    codes = rows["code"].unique()
    home = {code: _product_of(code, pair) for code in codes}
    rows = rows.assign(group=rows["code"].str[:2].map(pair.group_of_chapter),
                       product=rows["code"].map(home))
    found: list[dict[str, Any]] = []
    for flow, inside in rows.groupby(FLOW):
        whole, mine = (inside.groupby(name)["value"].sum() for name in ("group", "product"))
        there, names = set(inside["code"]), {
            name: " + ".join(dict.fromkeys(inside[name])) for name in ("files", "sha256", "source")}
        for name, product in pair.products.items():
            if whole.get(product.group, 0.0) > 0 and not there & _coarser(product.codes):
                found.append({**dict(zip(FLOW, flow, strict=True)), "scheme": "HS",
                              "product": name, "value": mine.get(name, 0.0),
                              "whole": whole[product.group], **names})
    return pd.DataFrame(found)


def _product_of(code: str, pair: Pair) -> str:
    """Name of the product that a code belongs to, or nothing."""
    return next((name for name, product in pair.products.items()
                 if code.startswith(product.codes)), "")


def _coarser(codes: Sequence[str]) -> set[str]:
    """Codes that hold one of these and more."""
    return {code[:digits] for code in codes for digits in range(2, len(code), 2)}


def product_shares(values: pd.DataFrame, pair: Pair, judged: Mapping[str, Parameter],
                   count: str = "", gaps: Collection[Gap] = ()) -> list[ProductShare]:
    """Make shares of every product that is documented, as `cells.cells` makes cells.

    Parameters
    ----------
    values
        From `product_values`.
    judged
        Numbers of products as they were, by dotted name.
    count, gaps
        As for `evidence`.
    """
    found = []
    for product, rows in values.groupby("product", sort=False) if len(values) else ():
        for seen in evidence(rows, pair, count, gaps):
            found.append(_share(str(product), seen, judged))
    return found


def _share(product: str, seen: Evidence, judged: Mapping[str, Parameter]) -> ProductShare:
    parts = seen.flow.groupby(FLOW)[["value", "whole"]].sum()
    shares = (parts["value"] / parts["whole"]).to_numpy()
    value = float(seen.chosen["value"].sum() / seen.chosen["whole"].sum())
    value = round(value if value > 0 else min(float(shares.mean()), FAINT), DIGITS)
    low = min(float(shares.min()), value * seen.down)
    high = min(max(float(shares.max()), value * seen.up), 1.0)
    ends = (0.0, 0.0) if value == 0.0 else outwards(low, high, DIGITS)
    name = own(judged, f"{SHARE}.{seen.importer}.{product}.{seen.exporter}")
    before = _judged(judged[name]) if name else None
    return ProductShare(seen.importer, seen.exporter, value, *ends, seen.grade, seen.source,
                        seen.note(before), before, product)


def _judged(cell: Parameter) -> Judged:
    value = cell.distribution.value if isinstance(cell.distribution, Range) else cell.low
    return Judged(value, cell.low, cell.high, cell.grade)
