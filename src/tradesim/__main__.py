"""``python -m tradesim``: the same as the command ``tradesim``."""

from tradesim.cli import main

main()
