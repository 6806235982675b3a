"""Lists of chapters: read as people write them, and every chapter has one home."""

import pytest

from inputs import PAIR, write_calibration
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.hs import CHAPTERS, SPECIAL, chapter_problems, chapters
from tradesim.inputs.pair import read_pair


def test_lists_and_ranges():
    assert chapters("06-08, 12,13") == ("06", "07", "08", "12", "13")
    assert chapters("76-78") == ("76", "78")
    assert chapters("") == ()


@pytest.mark.parametrize("text", ["6", "6-9", "09-06", "00", "1x", "01 02", "100", "01-"])
def test_what_is_no_chapter(text):
    with pytest.raises(ValueError, match="chapter"):
        chapters(text)


def test_every_chapter_needs_one_home():
    assert not list(chapter_problems({"a": "01-50", "b": "51-97"}))
    assert not list(chapter_problems({"a": "", "b": ""}))
    (twice,) = chapter_problems({"a": "01-50", "b": "50-97"})
    assert twice == "groups.b.hs: chapter 50 stands in a and in b"
    (missing,) = chapter_problems({"a": "01-13, 15-50", "b": "51-96"})
    assert "chapters 14, 97" in missing


def test_the_shipped_groups_hold_every_chapter():
    home = read_pair(calibration_folder()).group_of_chapter
    assert set(home) == {*CHAPTERS, *SPECIAL}
    assert home["14"] == "other_agri"
    assert home["99"] == "other"


@pytest.mark.parametrize(("old", "new", "message"), [
    ('"01-40"', '"01-39"', "chapter 40 of the Harmonised System in no group"),
    ('"41-97"', '"40-97"', "groups.hides.hs: chapter 40 stands in grain and in hides"),
    ('"41-97"', '"41-97, x"', "'x' is no chapter of the Harmonised System"),
    ("ROW: {name: Rest of the world}",
     "ROW: {name: Rest of the world, members: [AVA], rest: true}",
     "countries: 'AVA' is a member twice, or has a place of its own"),
    ("AVA: {name: Avalon, adjective: Avalonian}", "AVA: {name: Avalon, rest: true}\n"
     "  XXX: {name: More, rest: true}", "AVA, XXX are both the rest"),
])
def test_a_wrong_pair_is_refused(tmp_path, old, new, message):
    assert old in PAIR
    with pytest.raises(InputError, match=r"pair\.yaml") as caught:
        read_pair(write_calibration(tmp_path, pair=PAIR.replace(old, new)))
    assert message in str(caught.value)


def test_suppliers_of_countries():
    pair = read_pair(calibration_folder())
    assert [pair.supplier_of(code) for code in ("KAZ", "KGZ", "DEU")] == ["KAZ", "REAEU", "ROW"]
