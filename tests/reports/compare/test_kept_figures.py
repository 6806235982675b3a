"""Figures of an earlier comparison are taken where they are the same, and drawn where not."""

import json

import pytest

from tradesim.common.files import NUMBERS, program
from tradesim.reports.compare import page
from tradesim.reports.compare.kept_figures import drawn_or_kept, key_of
from tradesim.reports.figure_style import subplots
from tradesim.simulation.manifest import MANIFEST


def line():
    figure, (axes,) = subplots("A line", 2.0)
    axes.plot([0, 1], [1, 0])
    return figure


@pytest.fixture
def earlier(tmp_path):
    folder = tmp_path / "earlier"
    folder.mkdir()
    drawn, record = drawn_or_kept(lambda: {"b": line, "a": line, "none": lambda: None}, "key",
                                  folder, "mark", None)
    (folder / MANIFEST).write_text(json.dumps({"figures": record}), encoding="utf-8")
    return folder, drawn


def again(tmp_path, folder, key="key"):
    """Draw once more, and say which figures were drawn."""
    called, new = [], tmp_path / "new"
    new.mkdir()

    def noted():
        called.append("drawn")
        return {"b": line, "a": line}

    return *drawn_or_kept(noted, key, new, "mark", folder), called


def test_the_same_figures_are_copied_with_their_order(tmp_path, earlier):
    folder, drawn = earlier
    found, record, called = again(tmp_path, folder)
    assert not called
    assert list(found.items()) == list(drawn.items())
    assert record == json.loads((folder / MANIFEST).read_text())["figures"]
    for name in record["files"]:
        assert (tmp_path / "new" / "figures" / name).read_bytes() == (
            folder / "figures" / name).read_bytes()


@pytest.mark.parametrize("harm", [
    lambda folder: (folder / "figures" / "a.png").write_bytes(b"other"),
    lambda folder: (folder / "figures" / "b.svg").unlink(),
    lambda folder: (folder / "figures" / "more.png").touch(),
    lambda folder: (folder / MANIFEST).write_text("{}"),
    lambda folder: (folder / MANIFEST).write_text("no JSON"),
    lambda folder: (folder / MANIFEST).unlink()])
def test_what_was_changed_is_drawn(tmp_path, earlier, harm):
    folder, drawn = earlier
    harm(folder)
    found, _, called = again(tmp_path, folder)
    assert called == ["drawn"]
    assert found == drawn


def test_another_comparison_or_none_before_is_drawn(tmp_path, earlier):
    folder, _ = earlier
    assert again(tmp_path, folder, key="another")[2] == ["drawn"]
    assert again(tmp_path / "earlier", tmp_path / "nowhere")[2] == ["drawn"]


def test_a_key_changes_with_what_is_shown_and_holds_the_code():
    assert key_of("mark", "en", ["a"]) == key_of("mark", "en", ["a"])
    assert key_of("mark", "en", ["a"]) != key_of("mark", "ru", ["a"])
    assert program((*NUMBERS, "reports"), "*") not in (program(), key_of())
    assert page.key_of is key_of
