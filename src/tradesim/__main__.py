"""``python -m tradesim``: the same as the command ``tradesim``."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C is heard from the first moment."""
    try:
        from tradesim.cli.app import main as start

        start()
    except KeyboardInterrupt:
        print("stopped; nothing was written", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
