"""The summary with one row per statistic, as tests look numbers up."""

import pandas as pd

from tradesim.simulation.summary import KEYS, STATISTICS


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a summary, each statistic a row: columns ``statistic`` and ``value``."""
    numbers = table.set_index(list(KEYS))[list(STATISTICS)].rename_axis(columns="statistic")
    return numbers.stack(future_stack=True).rename("value").dropna().reset_index()
