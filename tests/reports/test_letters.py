"""Letters that the usual font lacks: drawn with another font of the machine, or said once."""

import contextlib
import warnings

import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.reports import figure_style, letters
from tradesim.reports.figure_style import canvas, save, style

ELSEWHERE = "\N{MATHEMATICAL BOLD DIGIT NINE}"
"""Not in DejaVu Sans, but in a font that comes with matplotlib."""

NOWHERE = "\N{MONGOLIAN LETTER MA}"


@pytest.fixture(autouse=True)
def _only_fonts_of_matplotlib(monkeypatch):
    """Leave out fonts that this machine happens to have."""
    shipped = {name: path for name, path in letters._fonts().items()
               if "mpl-data" in path and name.startswith(("DejaVu", "STIX"))}
    monkeypatch.setattr(letters, "_fonts", lambda: shipped)


def drawn(folder, title):
    """PNG and SVG of a figure, with a tick label beside its title."""
    folder.mkdir(exist_ok=True)
    with style():
        figure = canvas(title, 2.0)
        figure.subplots().set_yticks([0.0, 1.0], ["low", title])
    save(figure, "f", folder)
    return (folder / "f.png").read_bytes(), (folder / "f.svg").read_bytes()


def lines(work):
    said = []
    with letters.told(said.append):
        work()
    return said


@pytest.mark.parametrize("title", ["plain", "Цена ₸ ө ү – “words” … 5 %", "two\nlines é"])
def test_known_letters_are_drawn_as_ever(tmp_path, monkeypatch, title):
    said = lines(lambda: drawn(tmp_path / "a", title))
    here = drawn(tmp_path / "a", title)
    monkeypatch.setattr(figure_style, "drawable", lambda _: contextlib.nullcontext())
    assert drawn(tmp_path / "b", title) == here
    assert said == []


def test_another_font_draws_what_the_usual_one_lacks(tmp_path, monkeypatch):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        said = lines(lambda: drawn(tmp_path / "a", f"Nine {ELSEWHERE}"))
    assert (said, caught) == ([], [])
    picture, vector = drawn(tmp_path / "a", f"Nine {ELSEWHERE}")
    monkeypatch.setattr(figure_style, "drawable", lambda _: contextlib.nullcontext())
    box, same = drawn(tmp_path / "b", f"Nine {ELSEWHERE}")
    assert picture != box
    assert vector == same  # text there, whatever fonts this machine has


def test_what_no_font_has_is_said_once(tmp_path):
    def work():
        for name in ("a", "b"):
            drawn(tmp_path / name, f"Trade {NOWHERE} and {ELSEWHERE}")

    (line,) = lines(work)
    assert line.startswith("No font of this machine has '\u182e' (U+182E) of 'Trade \u182e and ")
    assert "boxes stand there in PNG files and in Word" in line


def test_fonts_are_those_that_hold_the_letters():
    (family,), undrawn = letters.others([ELSEWHERE, NOWHERE])
    assert ord(ELSEWHERE) in letters._letters(letters._fonts()[family])
    assert undrawn == [NOWHERE]
    assert letters.others([NOWHERE]) == ([], [NOWHERE])


def test_damaged_fonts_hold_nothing(tmp_path):
    (tmp_path / "x.ttf").write_bytes(b"no font")
    assert letters._letters(str(tmp_path / "x.ttf")) == frozenset()


@pytest.mark.slow
def test_a_command_says_it_and_writes_the_report(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.yaml").write_text(f"extends: eaeu_interim\ntitle: Steppe {NOWHERE}\n",
                                     encoding="utf-8")
    done = CliRunner().invoke(cli, ["compare", "s.yaml", "eaeu_fta", "--draws", "4", "--out", "o",
                                    "--no-explore"])
    assert done.exit_code == 0
    assert done.stderr.count("No font of this machine has") == 1
    assert f"Steppe {NOWHERE}'" in done.stderr
    assert "Glyph" not in done.stderr
    assert NOWHERE in (tmp_path / "o" / "report.html").read_text(encoding="utf-8")
