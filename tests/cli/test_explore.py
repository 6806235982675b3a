"""The command `explore`: what it refuses before any work, and what it writes."""

import pytest
from click.testing import CliRunner

from small_explorer import small_explorer
from tradesim.cli.app import cli


def run(*words):
    return CliRunner().invoke(cli, ["explore", *map(str, words)])


def test_the_page_is_written_and_its_error_said(tmp_path, monkeypatch):
    asked = {}

    def build(scenarios, **options):
        asked.update(options, scenarios=scenarios)
        return small_explorer()

    monkeypatch.setattr("tradesim.studies.explore.build.explore", build)
    out = tmp_path / "new" / "page.html"
    result = run("eaeu_fta", "--draws", "250", "--out", out)
    assert result.exit_code == 0
    assert "off the model" in result.output
    assert asked["scenarios"] == ("eaeu_fta",)
    assert asked["draws"] == 250
    text = out.read_text(encoding="utf-8")
    assert text.startswith("<!DOCTYPE html>")
    assert "tradesim explore eaeu_fta --out" in text


def test_a_scenario_that_no_card_can_show_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("tradesim.studies.explore.build.explore",
                        lambda *_, **__: small_explorer())
    result = run("tourism", "--out", tmp_path / "page.html")
    assert result.exit_code == 0
    assert "'tourism' sets what no card shows" in result.output


@pytest.mark.parametrize(("words", "message"), [
    (["--out", "page.pdf"], "must end in .html"),
    (["--port", "8000"], "needs --live"),
    (["--language", "fr"], "fr"),
    (["nothing_like_it"], "no such scenario")])
def test_what_cannot_be_is_refused_in_one_line(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    result = run(*words)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert not list(tmp_path.iterdir())


def test_a_folder_in_the_way_is_refused_before_the_work(tmp_path):
    (tmp_path / "page.html").mkdir()
    result = run("--out", tmp_path / "page.html")
    assert result.exit_code == 2
    assert "is a folder" in result.output
