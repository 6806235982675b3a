"""The summary with one row per statistic, as tests look numbers up."""

import pandas as pd

from tradesim.simulation.summary import STATISTICS


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary or a comparison, each statistic a row: columns ``statistic``, ``value``."""
    keys = [name for name in table if name not in (*STATISTICS, "max")]
    rows = table.melt(keys, var_name="statistic", ignore_index=False).sort_index(kind="stable")
    return rows.dropna(subset="value", ignore_index=True)
