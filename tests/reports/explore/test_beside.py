"""The explorer beside a comparison."""

import json
import re

import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.reports.explore import beside as module


def compare(folder, *words):
    result = CliRunner().invoke(cli, ["compare", "road_through_russia", "--cache",
                                      str(folder / "cache"), "--out", str(folder / "out"), *words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compared")
    compare(folder, "--draws", "200")
    return folder


def test_the_page_has_the_levers_compared(compared):
    text = (compared / "out" / "explore.html").read_text(encoding="utf-8")
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert [lever["name"] for lever in data["levers"]] == ["altai_road"]
    assert [preset["name"] for preset in data["presets"]] == ["base", "road_through_russia"]
    assert data["draws"] == 200
    assert re.search(r"On 60 random packages", text)


def test_it_is_kept_and_not_built_again(compared, monkeypatch):
    def never(*_, **__):
        raise AssertionError("built again")

    monkeypatch.setattr(module, "build", never)
    before = (compared / "out" / "explore.html").read_bytes()
    compare(compared, "--draws", "200")
    assert (compared / "out" / "explore.html").read_bytes() == before


@pytest.mark.parametrize("word", ["--no-explore", "--no-report"])
def test_it_can_be_left_out(compared, word):
    compare(compared, "--draws", "200", word)
    assert not (compared / "out" / "explore.html").exists()


def test_too_few_draws_leave_it_out_with_a_word(tmp_path):
    assert "explore.html is left out: it needs 200 draws" in compare(tmp_path, "--draws", "20")
    assert not (tmp_path / "out" / "explore.html").exists()
