"""What tradesim says of the agreements, for docs/differences.md, from the expected files."""

from pathlib import Path

from expected import LAST
from result_numbers import MINUS, Numbers
from scenario_answers import COUNT, numbers

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"
BEGIN = "<!-- agreements: written by tests/refresh_expected.py -->\n"
END = "<!-- end of the agreements -->\n"
UNION = ("KAZ", "RUS", "REAEU")
AGREEMENTS = {"eaeu_interim": "interim", "eaeu_fta": "full"}


def relative(found: Numbers, variable: str, places: list[dict[str, str]]) -> str:
    """Change of a sum of flows, in per cent."""
    change, level = (sum(read(variable, **place) for place in places)
                     for read in (found.change, found.level))
    return f"{100 * change / level:+.1f} %".replace("-", MINUS)


def row(title: str, variable: str, places: list[dict[str, str]]) -> str:
    """One line of the table."""
    cells = [relative(numbers(name), variable, places) for name in AGREEMENTS]
    return f"| {title} | {' | '.join(cells)} |"


def table() -> str:
    """Markdown: average changes of the last year, if implemented."""
    def bought(*suppliers: str) -> list[dict[str, str]]:
        return [{"importer": "MNG", "exporter": name, "count": "own"} for name in suppliers]

    lines = [f"| tradesim, {LAST}, if implemented | {' | '.join(AGREEMENTS.values())} |",
             "|---|---|---|",
             row("Mongolia's imports from the Union", "imports", bought(*UNION)),
             row("of these from Kazakhstan", "imports", bought("KAZ")),
             row("Mongolia's imports from all countries", "imports",
                 bought(*UNION, "CHN", "ROW")),
             row("Mongolia's exports to Kazakhstan", "trade",
                 [{"importer": "KAZ", "exporter": "MNG", "count": COUNT}]),
             row("Mongolia's revenue from duty", "tariff_revenue",
                 [{"importer": "MNG", "count": "own"}])]
    return "\n".join(lines) + "\n"


def between(text: str) -> str:
    """The part of the page that is written here."""
    return text.split(BEGIN)[1].split(END)[0]


def refresh() -> Path:
    """Write it."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    PAGE.write_text(before + BEGIN + table() + END + after, encoding="utf-8", newline="\n")
    return PAGE
