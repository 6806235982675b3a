"""tradesim: scenarios of goods trade between a pair of countries, with honest uncertainty."""

__version__ = "0.1.0"
