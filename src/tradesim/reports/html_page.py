"""What every page shares: its templates, the rules for spaces that do not break, its figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from tradesim.common.text import without_control
from tradesim.reports import language, wording

if TYPE_CHECKING:
    from tradesim.reports.figure_style import Draw

PAGE, FIGURES = "report.html", "figures"

AMOUNTS = ((r"(\d) %", "\\1\N{NO-BREAK SPACE}%"), (r"\bUSD (?=\S)", "USD\N{NO-BREAK SPACE}"))
RANGES = ((r"(?<=\d) to (?=\N{MINUS SIGN}?\d)", "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"),)
"""Patterns and what replaces them, so that amounts and ranges stay on one line."""


def environment() -> jinja2.Environment:
    """Templates in the language in use, with the filters that turn numbers into words."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(wording.TEMPLATES), trim_blocks=True, lstrip_blocks=True,
        autoescape=lambda name: name is None or not name.endswith(".css"),
        undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.i18n"])
    made.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True)
    made.globals["language"] = language.code()
    made.filters.update(
        money=wording.money, number=wording.pretty, grouped=wording.grouped,
        changed=wording.changed, percent=wording.percent,
        probability=wording.probability, plural=wording.plural, plain_range=wording.interval,
        brackets=wording.plain_interval, lower_first=lambda text: text[:1].lower() + text[1:],
        capital=lambda text: text[:1].upper() + text[1:], squeeze=_squeezed, sentences=_sentences)
    return made


def _squeezed(text: str) -> str:
    """Leave one space between words; what is markup stays markup."""
    return type(text)(" ".join(text.split()))


def _sentences(parts: Sequence[str]) -> Markup:
    """Put sentences one after another; empty ones are left out."""
    return Markup(" ").join(Markup(_squeezed(part)) for part in parts if part.strip())


def render(template: str, mark: str, unbroken: Sequence[tuple[str, str]] = (),
           filters: Mapping[str, Callable[..., str]] = MappingProxyType({}), **given: Any) -> str:
    """Fill a template, without empty lines and spaces at the ends of lines.

    `mark` names the run in the titles of tables; `unbroken` holds rules for spaces that do not
    break: `AMOUNTS`, `RANGES`; `filters` are those of the page alone.
    """
    made = environment()
    made.filters.update(filters)
    text = made.get_template(template).render(mark=mark, **given)
    for pattern, replacement in unbroken:
        text = re.sub(pattern, replacement, text)
    text = without_control(text)
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip()) + "\n"


def colophon(created: str, version: str, command: str, data: int) -> dict[str, str]:
    """Give what the last lines of a brief say: who made it, when, from data to which year, how.

    `created` is the time of a manifest, whose day is shown.
    """
    return {"date": created[:10], "program": f"tradesim {version}", "command": command,
            "data": str(data)}


def write_figures(figures: Mapping[str, Draw], folder: Path, run_id: str = "") -> dict[str, str]:
    """Draw and write figures by name, and give each as an element for the page.

    They go into the folder ``figures`` of `folder`; those that draw nothing are left out, and files
    of an earlier report with their names are removed.
    """
    from tradesim.reports.figure_style import save, styled

    target = folder / FIGURES
    target.mkdir(exist_ok=True)
    pages = {}
    for name, draw in figures.items():
        if (figure := styled(draw, run_id)) is not None:
            pages[name] = inline(save(figure, name, target))
            continue
        for kind in ("png", "svg"):
            (target / f"{name}.{kind}").unlink(missing_ok=True)
    return pages


def inline(svg: str) -> str:
    """Cut an SVG file down to the element that a page holds.

    Group names go: they would repeat between figures. Size goes to the style sheet.
    """
    element = svg[svg.index("<svg"):].strip()
    element = re.sub(r"<metadata>.*?</metadata>\s*", "", element, flags=re.S)
    element = re.sub(r"<title>.*?</title>\s*|<!--.*?-->\s*", "", element, flags=re.S)
    element = re.sub(r'<g id="[^"]*"', "<g", element)
    head, rest = element.split(">", 1)
    head = re.sub(r' (?:width|height)="[^"]*"', "", head)
    return f'{head} aria-hidden="true" focusable="false">{rest}'
