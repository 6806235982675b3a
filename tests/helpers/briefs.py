"""The brief of a run as text: what a reader sees, and its prose alone."""

import re
from html import unescape

from tradesim.common.files import calibration_folder
from tradesim.inputs.levers import read_levers
from tradesim.reports.html_page import colophon, environment
from tradesim.reports.run.brief import brief
from tradesim.reports.run.reliability import reliability

FOLDER = calibration_folder()
LEVERS = read_levers(FOLDER)
PAGE = """{% import "parts.j2" as part with context %}{% include "brief.j2" %}
{{ part.colophon(made) }}"""


def rendered(view, outside=None) -> str:
    """HTML of the brief without its picture."""
    pulled = [LEVERS[name] for name in view.scenario["levers"]]
    return environment().from_string(PAGE).render(
        b=brief(view, pulled, reliability(view, FOLDER), outside), mark="", picture=None,
        sections={"numbers", "growth"}, scenario=view.scenario,
        made=colophon("2026-11-30T01:02:03", "0.4.0", "tradesim run it", 2024))


def text_of(html: str) -> str:
    """Words of a piece of HTML."""
    words = unescape(re.sub(r"<[^>]+>", " ", html)).replace("\N{NARROW NO-BREAK SPACE}", "")
    return " ".join(words.split())


def prose_of(html: str) -> str:
    """Words of its paragraphs, without tables, commands and links to the annex."""
    kept = re.sub(r'<code>.*?</code>|<a class="more".*?</a>', "", html, flags=re.S)
    return " ".join(text_of(part) for part in re.findall(r"<p[ >].*?</p>", kept, flags=re.S))


def lead_of(html: str) -> str:
    """Words of the answer, which stands first with its question."""
    return text_of(re.search(r'<div class="lead">(.*?)</div>', html, flags=re.S)[1])
