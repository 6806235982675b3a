"""Catalogues of translations from the texts of reports: extract and update.

``python tests/helpers/catalogues.py`` brings every ``.po`` file of `LOCALE` up to date with the
templates.
"""

import io
import re
from datetime import UTC, datetime

import yaml
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2 import nodes

from tradesim.reports.html_page import environment
from tradesim.reports.language import DOMAIN, ENGLISH, LANGUAGES, LOCALE
from tradesim.reports.wording import TEMPLATES

MADE = datetime(2026, 11, 30, tzinfo=UTC)
HEADER = "# Translations of the texts of tradesim's reports; see docs/howto/languages.md."
LETTER = re.compile(r"[^\W\d_]")


def of_yaml(path):
    """Give the texts of a file of words; English where they hold no letter to translate."""
    def walk(part):
        if isinstance(part, dict | list):
            for value in part.values() if isinstance(part, dict) else part:
                yield from walk(value)
        elif isinstance(part, str) and LETTER.search(re.sub(r"\{.*?\}", "", part)):
            yield part
    yield from walk(yaml.safe_load(path.read_text(encoding="utf-8")))


def of_template(path):
    """Give the texts of a template: `trans`, `gettext`, `ngettext`, and the filter `plural`."""
    made = environment()
    source = path.read_text(encoding="utf-8")
    tree = made.parse(source)
    for _, _, text in made.extract_translations(source):
        found = tuple(part for part in text if part) if isinstance(text, tuple) else text
        yield found[0] if isinstance(found, tuple) and len(found) == 1 else found
    for node in tree.find_all(nodes.Filter):
        if node.name == "plural":
            yield tuple(argument.value for argument in node.args)


def extracted():
    """Give the catalogue of all texts, without translations."""
    found = Catalog(domain=DOMAIN, project="tradesim", header_comment=HEADER, charset="utf-8",
                    creation_date=MADE, revision_date=MADE)
    for path in sorted(TEMPLATES.rglob("*")):
        read = {".yaml": of_yaml, ".j2": of_template}.get(path.suffix)
        for text in read(path) if read else ():
            found.add(text, locations=[(path.relative_to(TEMPLATES).as_posix(), 1)])
    return found


def folder(language):
    return LOCALE / language / "LC_MESSAGES"


def catalogue(language):
    """Give the catalogue of a language as it is kept, or an empty one."""
    path = folder(language) / f"{DOMAIN}.po"
    if not path.is_file():
        return Catalog(locale=language, domain=DOMAIN)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def updated(language):
    """Give the catalogue of a language with the texts as they are now.

    A text that was rewritten loses its translation: a stale one would say something else.
    """
    kept = catalogue(language)
    kept.update(extracted(), no_fuzzy_matching=True)
    kept.obsolete.clear()
    kept.header_comment = HEADER
    kept.creation_date = kept.revision_date = MADE
    kept.project, kept.version, kept.fuzzy = "tradesim", "", False
    kept.last_translator, kept.language_team, kept.msgid_bugs_address = "", "", ""
    return kept


def po(found):
    """Give a catalogue as the bytes of a ``.po`` file."""
    buffer = io.BytesIO()
    write_po(buffer, found, width=100, include_lineno=False, sort_output=False)
    return re.sub(rb'"Generated-By:[^"]*"\n', b"", buffer.getvalue())


def refresh():
    for language in LANGUAGES:
        if language == ENGLISH:
            continue
        folder(language).mkdir(parents=True, exist_ok=True)
        found = updated(language)
        (folder(language) / f"{DOMAIN}.po").write_bytes(po(found))
        lacking = sum(1 for message in found if message.id and not translated(message))
        print(f"{language}: {len(found) - lacking} of {len(found)} texts are translated")


def translated(message):
    """Whether a message has a translation, in every form."""
    texts = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(texts) and not message.fuzzy


if __name__ == "__main__":
    refresh()
