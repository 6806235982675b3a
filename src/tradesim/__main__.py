"""``python -m tradesim``: the same as the command ``tradesim``."""

from tradesim.cli.app import main

main()
