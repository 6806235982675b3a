"""Reports in other languages: numbers, plurals, titles of the data, and complete catalogues."""

import csv
import re
from gettext import c2py

import pytest
import yaml
from babel.messages.catalog import Catalog
from babel.numbers import format_decimal

import catalogues
from tradesim.cli.options import LANGUAGE
from tradesim.common.errors import InputError
from tradesim.common.files import DISPLAY, calibration_folder, scenarios_folder
from tradesim.inputs.pair import read_pair
from tradesim.inputs.titles import TRANSLATIONS, read_titles
from tradesim.reports import language
from tradesim.reports.catalogue import Catalogue
from tradesim.reports.html_page import environment
from tradesim.reports.language import ENGLISH, LANGUAGES, speak
from tradesim.reports.wording import grouped, plural, pretty, words
from tradesim.simulation.manifest import calibration_hashes

OTHERS = [code for code in LANGUAGES if code != ENGLISH]
NAMED = re.compile(r"\{[^{}]*\}|%\(\w+\)s|<[^>]+>")
"""What a translation must keep: places that are filled in, and marks of HTML."""

ODD = r"""msgid ""
msgstr ""
"Plural-Forms: nplurals=2; plural=n > 1;\n"

# a remark
#: words.yaml
msgid "two \"lines\"\n"
"of text"
msgstr ""
"deux "
"lignes"

#, fuzzy
msgid "doubtful"
msgstr "douteux"

msgid "empty"
msgstr ""

msgid "day"
msgid_plural "days"
msgstr[0] "jour"
msgstr[1] "jours"
"""


def test_languages_are_the_same_everywhere():
    assert tuple(OTHERS) == TRANSLATIONS

    command = LANGUAGE(lambda: None)
    (option,) = command.__click_params__
    assert list(option.type.choices) == list(LANGUAGES)


@pytest.mark.parametrize(("code", "number"), [
    ("en", "\N{MINUS SIGN}12\N{NARROW NO-BREAK SPACE}300 and 1.50"),
    ("ru", "\N{MINUS SIGN}12\N{NARROW NO-BREAK SPACE}300 and 1,50"),
    ("mn", "\N{MINUS SIGN}12,300 and 1.50"),
    ("kk", "\N{MINUS SIGN}12\N{NARROW NO-BREAK SPACE}300 and 1,50")])
def test_numbers_are_written_as_the_language_writes_them(code, number):
    with speak(code):
        assert f"{pretty(-12345)} and {pretty(1.5)}" == number


@pytest.mark.parametrize("code", OTHERS)
def test_style_of_numbers_is_that_of_unicode(code):
    with speak(code):
        here = grouped(1234567) + language.language().point
    there = format_decimal(1234567.5, locale=code).removesuffix("5")
    assert re.sub(r"\s", " ", here) == re.sub(r"\s", " ", there)


def test_an_unknown_language_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="'rus' is unknown; known: en, ru, mn, kk"), speak("rus"):
        pass


def test_language_ends_with_its_context():
    with speak("ru"):
        assert language.code() == "ru"
        with speak("kk"):
            assert language.code() == "kk"
        assert language.code() == "ru"
    assert language.code() == ENGLISH


def test_what_lacks_a_translation_stays_english_and_is_told():
    made = "a text that no catalogue has"
    template = environment().from_string("{% trans %}" + made + "{% endtrans %}")
    assert template.render() == made
    assert not language.missing()
    with speak("ru"):
        assert environment().from_string("{{ gettext('" + made + "') }}").render() == made
        assert language.title("no such title") == "no such title"
        assert language.missing() == {made, "no such title"}
    assert not language.missing()


def test_english_needs_no_catalogue():
    read = yaml.safe_load((catalogues.TEMPLATES / "words.yaml").read_text(encoding="utf-8"))
    assert words() == read


def test_russian_has_three_forms():
    with speak("ru"):
        assert [plural(number, "year", "years") for number in (1, 2, 5, 11, 21)] == [
            "1 год", "2 года", "5 лет", "11 лет", "21 год"]
    with speak("kk"):
        assert plural(21, "year", "years") == "21 жыл"
    assert plural(21, "year", "years") == "21 years"


def test_titles_of_the_data_are_translated_and_their_codes_are_not():
    english = read_pair(calibration_folder())
    titles = read_titles(calibration_folder() / DISPLAY)["ru"]
    with speak("ru"):
        spoken = language.titled(english)
    assert spoken.title == titles[english.title] != english.title
    assert spoken.pair == english.pair
    assert list(spoken.countries) == list(english.countries)
    assert read_pair(calibration_folder()).title == english.title


def test_a_better_translation_makes_no_other_run():
    assert not [name for name in calibration_hashes(calibration_folder()) if DISPLAY in name]


# Catalogues.

@pytest.fixture(scope="module")
def texts():
    return catalogues.extracted()


@pytest.mark.parametrize("code", OTHERS)
def test_catalogues_are_up_to_date(code):
    """Where this fails: `python tests/helpers/catalogues.py`, and look at the difference."""
    kept = catalogues.folder(code) / f"{language.DOMAIN}.po"
    assert catalogues.po(catalogues.updated(code)).decode() == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("code", OTHERS)
def test_catalogues_are_read_as_babel_reads_them(code):
    read = Catalogue(catalogues.folder(code) / f"{language.DOMAIN}.po")
    there = catalogues.catalogue(code)
    translated = [message for message in there if message.id and catalogues.translated(message)]
    assert len(translated) > 300
    for message in translated:
        if isinstance(message.id, tuple):
            forms = {read.ngettext(*message.id, number) for number in range(1, 30)}
            assert forms <= set(message.string)
        else:
            assert read.gettext(message.id) == message.string
    for number in range(200):
        assert read.plural(number) == c2py(there.plural_expr)(number)


def test_odd_entries_of_a_catalogue(tmp_path):
    path = tmp_path / "odd.po"
    path.write_text(ODD, encoding="utf-8")
    read = Catalogue(path)
    assert read.gettext('two "lines"\nof text') == "deux lignes"
    assert read.gettext("doubtful") == "doubtful"
    assert read.gettext("empty") == "empty"
    assert [read.ngettext("day", "days", number) for number in (1, 2)] == ["jour", "jours"]


@pytest.mark.parametrize("code", OTHERS)
def test_translations_keep_what_is_filled_in(code):
    for message in catalogues.catalogue(code):
        if not message.id:
            continue
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        wanted = set(NAMED.findall(ids[-1]))
        for text in filter(None, forms):
            assert set(NAMED.findall(text)) == wanted, text
            assert text.count("%%") == ids[-1].count("%%"), text


@pytest.mark.parametrize("code", OTHERS)
def test_complete_parts_lack_nothing(code, texts):
    kept = catalogues.catalogue(code)
    complete = set(LANGUAGES[code].complete)
    assert complete
    assert all((catalogues.TEMPLATES / part).exists() for part in complete)
    lacking = [message.id for message in texts if message.id
               and complete & {part for name, _ in message.locations
                               for part in (name, name.split("/")[0])}
               and not ((found := kept.get(message.id)) and catalogues.translated(found))]
    assert not lacking


def test_a_text_that_lacks_is_found():
    made = Catalog(locale="ru")
    made.add(("one %(n)s", "many %(n)s"), ("раз", "", ""))
    (message,) = [message for message in made if message.id]
    assert not catalogues.translated(message)


@pytest.mark.parametrize("folder", [calibration_folder() / DISPLAY, scenarios_folder()],
                         ids=["calibration", "scenarios"])
def test_every_translated_title_is_one_of_the_data(folder):
    root = folder.parent if folder.name == DISPLAY else folder
    known = {text for path in root.glob("*.yaml")
             for text in leaves(yaml.safe_load(path.read_text(encoding="utf-8")))}
    known |= {row["title"] for path in root.rglob("*.csv") if path.name != "titles.csv"
              for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
              if "title" in row}
    known |= {title.format(name) for title in GENERATED for name in list(known)}
    known |= {title.rstrip(".") for title in known}
    for titles in read_titles(folder).values():
        assert not titles.keys() - known


GENERATED = ("Product of both GDPs in the last year, rise since the base year",
             "Years in which the corridor is closed at least in part",
             "Unexplained part of trade, last year: market of {}",
             "Goods newly traded, last year, against their average: market of {}", "{} happens")
"""Titles that the program makes, some of them from names of the data (`simulation.factors`)."""


def leaves(part):
    if isinstance(part, dict | list):
        for value in part.values() if isinstance(part, dict) else part:
            yield from leaves(value)
    elif isinstance(part, str):
        yield part
