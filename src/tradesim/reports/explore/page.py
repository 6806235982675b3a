"""One HTML file without a server: the emulator, the words, and the code that draws."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tradesim.reports import language
from tradesim.reports.explore.data import TARGETS, as_script, data, trust
from tradesim.reports.html_page import environment
from tradesim.reports.language import titled
from tradesim.reports.wording import words
from tradesim.studies.explore.build import Explorer

HERE = Path(__file__).parent
SCRIPTS = ("base", "model", "answers", "state", "charts", "map", "files", "cards", "page", "live",
           "main")
"""Files of the page's code, in the order in which they build on each other."""


def page(explorer: Explorer, command: str, *, live: bool = False) -> str:
    """Write the page; with `live` it asks the server that hands it out for the model's numbers."""
    values = data(explorer, command) | {"live": live}
    pair = titled(explorer.base.pair)
    return environment().get_template("explore.html.j2").render(
        language=language.code(), pair=pair.title, words=words("explore"), live=live,
        mapped=values["map"] is not None,
        count=pair.counts[explorer.count].title, target={"low": TARGETS[0], "high": TARGETS[1]},
        trust=trust(explorer, command, f"{datetime.now(UTC):%Y-%m-%d}"),
        style=(HERE / "style.css").read_text(encoding="utf-8"), data=as_script(values),
        script=script())


def script() -> str:
    """Join the files of the page's code into one, in a scope of its own."""
    files = [(HERE / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS]
    return "(() => {\n'use strict';\n" + "\n".join(files) + "})();\n"


def write(explorer: Explorer, target: Path, command: str) -> None:
    """Write the page into a file."""
    target.write_text(page(explorer, command), encoding="utf-8", newline="\n")
