"""The summary with one row per statistic, as tests look numbers up."""

import pandas as pd

from tradesim.simulation.summary import KEYS, STATISTICS


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary, each statistic a row: columns ``statistic`` and ``value``."""
    return table.melt(list(KEYS), list(STATISTICS), "statistic").dropna(subset="value",
                                                                        ignore_index=True)
