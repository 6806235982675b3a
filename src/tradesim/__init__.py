"""tradesim: scenarios of goods trade between a pair of countries, with honest uncertainty."""

from importlib import import_module
from typing import Any

__version__ = "0.4.0"

_API = ("Comparison", "Goal", "Headline", "PreparedModel", "compare", "decompose", "figure",
        "goal", "headline", "levers", "load", "prepare", "report", "run", "save", "scenarios",
        "to_iamc")


def __getattr__(name: str) -> Any:
    """Load the programming interface when it is first used: the package alone stays light."""
    if name in _API:
        return getattr(import_module("tradesim.api"), name)
    raise AttributeError(f"module 'tradesim' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *_API})
