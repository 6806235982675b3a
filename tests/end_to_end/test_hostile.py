"""What once broke a promise: titles, seeds, pipes, names, links, closed streams, moved folders."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import docx
import jinja2
import pytest
import xarray as xr
import yaml
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder, sha256
from tradesim.common.text import control, no_formula, without_control
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import read_pair
from tradesim.inputs.posterior import read_posterior
from tradesim.inputs.strict_csv import Column, read_table
from tradesim.inputs.strict_yaml import parse
from tradesim.reports import html_page
from tradesim.reports.export import document
from tradesim.reports.export.document import Document
from tradesim.reports.export.word import write as write_word
from tradesim.reports.figure_style import save, styled, subplots
from tradesim.simulation import manifest, results
from tradesim.simulation.model import run

BEL = "\a"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Results of a run with a calibration of its own, both to be copied."""
    place = tmp_path_factory.mktemp("ran")
    shutil.copytree(calibration_folder(), place / "cal")
    results.save(run("eaeu_interim", draws=3, calibration=place / "cal"), _made(place / "r"))
    return place


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.fixture
def place(ran, tmp_path):
    shutil.copytree(ran, tmp_path / "p")
    return tmp_path / "p"


def call(*words):
    done = CliRunner().invoke(cli, [str(word) for word in words], prog_name="tradesim")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def tradesim(*words, **options):
    return subprocess.run([sys.executable, "-m", "tradesim", *words], check=False, timeout=120,
                          **{"capture_output": True, **options})


def scenario(title, name="s.yaml", **more):
    Path(name).write_text(yaml.safe_dump({"title": title, "question": "q", **more},
                                         allow_unicode=True), encoding="utf-8")
    return name


@pytest.mark.parametrize("seed", [2**31, 2**63 - 1])
def test_a_large_seed_is_kept(seed, tmp_path):
    assert call("run", "base", "--draws", 2, "--no-report", "--seed", seed).exit_code == 0
    assert results.load(tmp_path / "results" / "base").attrs["seed"] == seed


# What is read is what was written.

def test_changed_results_are_refused_by_whoever_reads_them(place):
    data = place / "r" / "results.nc"
    content = bytearray(data.read_bytes())
    content[-1000] ^= 1
    data.write_bytes(content)
    for words in (["export", place / "r"], ["report", place / "r"], ["show", place / "r"],
                  ["compare", place / "r", "base"], ["discover", place / "r"]):
        done = call(*words)
        assert done.exit_code == 2
        assert "results.nc: is not what the run wrote: its SHA-256" in done.stderr, words
    assert call("verify", place / "r").exit_code == 1


def test_the_manifest_covers_report_and_figures(place):
    (place / "r" / "figures").mkdir()
    for name in ("report.html", "figures/fan.svg"):
        (place / "r" / name).write_text("made")
    manifest.seal(place / "r")
    assert call("verify", place / "r").exit_code == 0
    (place / "r" / "figures" / "fan.svg").write_text("changed")
    done = call("verify", place / "r")
    assert done.exit_code == 1
    assert done.stderr == "figures/fan.svg: is not as the run wrote it\n"


def test_results_and_their_calibration_move_together(place, tmp_path):
    text = (place / "r" / "manifest.json").read_text()
    assert json.loads(text)["calibration"] == "../cal"
    assert str(tmp_path) not in text
    place.rename(tmp_path / "moved")
    assert call("verify", tmp_path / "moved" / "r").exit_code == 0
    assert manifest.made_with(results.load(tmp_path / "moved" / "r").attrs) == (
        tmp_path / "moved" / "cal")


def test_a_calibration_that_is_gone_or_changed_is_not_replaced_silently(place):
    with (place / "cal" / "levers.yaml").open("a") as file:
        file.write("# changed\n")
    done = call("report", place / "r")
    assert done.exit_code == 0, "the shipped calibration has the same content"
    with (place / "cal" / "pair.yaml").open("a") as file:
        file.write("# changed\n")
    head = json.loads((place / "r" / "manifest.json").read_text())
    head["hashes"]["pair.yaml"] = "0" * 64
    results.save(results.load(place / "r").assign_attrs(hashes=json.dumps(head["hashes"])),
                 place / "r")
    for words in (["report", place / "r"], ["export", place / "r"]):
        done = call(*words)
        assert done.exit_code == 2
        assert "pair.yaml changed since; run the scenario again" in done.stderr
    shutil.rmtree(place / "cal")
    assert "is not there any more" in call("report", place / "r").stderr


@pytest.mark.parametrize("text", ["", "[]", "null", "{", "[" * 100_000, '{"files": {}}', "NaN",
                                  "\N{SNOWMAN}"])
@pytest.mark.parametrize("command", ["show", "verify", "report", "export", "discover"])
def test_a_damaged_manifest_is_refused(place, text, command):
    (place / "r" / "manifest.json").write_text(text, encoding="utf-16" if text == "{" else "utf-8")
    done = call(command, place / "r")
    assert done.exit_code == (1 if command == "verify" else 2)
    assert "run the scenario again" in done.stderr


@pytest.mark.parametrize("key", ["created", "python", "calibration", "hashes", "versions", "seed"])
@pytest.mark.parametrize("value", [None, [], -1.5])
def test_a_manifest_with_a_wrong_value_is_refused_with_its_key(place, key, value):
    path = place / "r" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(InputError, match=rf"manifest\.json: {key}: must be"):
        results.load(place / "r")


@pytest.mark.parametrize(("key", "value"), [
    ("scenario", "{"), ("scenario", "[]"), ("hashes", "[]"), ("count", "nobody's"),
    ("draws", "many"), ("partners", ""), ("target_count", 3), ("run_id", "another")])
def test_attributes_are_read_as_strictly(place, key, value):
    data = results.load(place / "r").assign_attrs({key: value})
    data.to_netcdf(place / "new.nc", engine="scipy")
    (place / "new.nc").replace(place / "r" / "results.nc")
    manifest.seal(place / "r")
    with pytest.raises(InputError, match=r"results\.nc.*run the scenario again"):
        results.load(place / "r")


@pytest.mark.parametrize(("key", "value"), [("hashes", "{"), ("hashes", "[]"), ("as_of", "x")])
def test_a_posterior_that_lies_consistently_is_read_as_strictly(place, key, value):
    path, about = place / "cal" / "posterior.nc", place / "cal" / "posterior.yaml"
    with xr.open_dataset(path, engine="scipy") as opened:
        data = opened.load()
    before = sha256(path)
    path.write_bytes(data.assign_attrs({key: value}).to_netcdf(engine="scipy"))
    about.write_text(about.read_text(encoding="utf-8").replace(before, sha256(path)),
                     encoding="utf-8")
    with pytest.raises(InputError, match=rf"posterior\.nc: {key}: .*run `tradesim calibrate`"):
        read_posterior(place / "cal")


# Texts are texts.

def test_a_dollar_in_a_title_is_a_dollar(tmp_path):
    for title in ("Costs $5 now and $6 later", r"$\frac{$"):
        figure = styled(lambda title=title: subplots(title, 2.0)[0])
        assert title in save(figure, "x", tmp_path)


def test_letters_that_the_font_lacks_are_text_on_the_page_and_raise_no_warning(tmp_path):
    title = "\N{MONGOLIAN LETTER A}\N{CJK UNIFIED IDEOGRAPH-4E2D}"
    figure = styled(lambda: subplots(title, 2.0)[0])
    assert title in save(figure, "x", tmp_path)


def test_word_takes_a_long_title(tmp_path):
    made = Document("x" * 300, "en", "run a", (), tmp_path)
    for name in ("a.docx", "b.docx"):
        write_word(made, tmp_path / name)
    assert docx.Document(str(tmp_path / "a.docx")).core_properties.title == "x" * 255
    assert (tmp_path / "a.docx").read_bytes() == (tmp_path / "b.docx").read_bytes()


def test_a_clock_before_1980_is_named(monkeypatch):
    monkeypatch.setattr(document, "time", SimpleNamespace(
        localtime=lambda: SimpleNamespace(tm_year=1970)))
    done = call("run", "base", "--draws", 2, "--format", "docx")
    assert done.exit_code == 2
    assert "the clock of this machine stands before 1980" in done.stderr


@pytest.mark.parametrize("title", ["a [/b] c", "[2030 text] [link=x]", ":smile:", "$5 and $6",
                                   "{braces}", "%s"])
def test_a_title_reaches_the_terminal_as_it_is(title):
    assert title in call(
        "smart", scenario(title, levers={"eaeu_interim": {}}), "--year", 2030).stdout


@pytest.mark.parametrize("title", ["a\0b", f"a{BEL}b", "a\N{ESCAPE}[31mb", "a\uffffb", "a\x9bb"])
def test_control_characters_are_refused_where_they_are_read(title, tmp_path):
    text = f'title: "{title.encode("unicode_escape").decode()}"\n'
    with pytest.raises(InputError, match="title: holds a control character"):
        parse(text, "s.yaml")
    (tmp_path / "t.csv").write_text(f"a\n{title}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"control character|zero bytes"):
        read_table(tmp_path / "t.csv", [Column("a", "text")])
    assert control(title)
    assert without_control(title) in ("ab", "a[31mb")


def test_pages_hold_no_control_characters(monkeypatch):
    made = jinja2.Environment(loader=jinja2.DictLoader({"x": "{{ mark }}"}))
    monkeypatch.setattr(html_page, "environment", lambda: made)
    assert html_page.render("x", f"a{BEL}b") == "ab\n"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", " https://x", "x"])
@pytest.mark.parametrize("file", ["levers.yaml", "pair.yaml"])
def test_links_of_the_calibration_lead_to_the_web_only(place, url, file):
    path = place / "cal" / file
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    where = data["target"] if file == "pair.yaml" else next(iter(data.values()))
    where["sources"] = [{"title": "x", "url": url}]
    path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    read = read_pair if file == "pair.yaml" else read_levers
    with pytest.raises(InputError, match=r"sources.*is not a web address; it starts with https://"):
        read(place / "cal")


@pytest.mark.parametrize(("cell", "shown"), [
    ("=1+1", "'=1+1"), ("@x", "'@x"), ("+x", "'+x"), ("-x", "'-x"), ("-1.5e3", "-1.5e3"),
    ("a=b", "a=b"), (2.5, 2.5)])
def test_a_spreadsheet_finds_no_formula(cell, shown):
    assert no_formula(cell) == shown


def test_no_table_begins_a_formula(place):
    done = call("run", scenario("T", "=1+1.yaml"), "--draws", 2, "--no-report", "--out", "r")
    assert done.exit_code == 0
    assert call("export", "r").exit_code == 0
    assert ",'=1+1," in Path("r/iamc.csv").read_text(encoding="utf-8")


# Files that are none, and names that are none.

def test_pipes_and_devices_are_refused_everywhere(place):
    os.mkfifo("pipe.yaml")
    Path("scenarios").mkdir()
    os.mkfifo("scenarios/a.yaml")
    scenario("T", extends="pipe.yaml")
    for words in (["check", "pipe.yaml"], ["check", "scenarios"], ["check", "s.yaml"],
                  ["run", "pipe.yaml"], ["sweep", "pipe.yaml", "--method", "oat"],
                  ["show", "/dev/zero"]):
        done = call(*words)
        assert done.exit_code == 2, words
        assert "is a pipe or a device, not a file" in done.stderr
    for name in ("results.nc", "manifest.json"):
        (place / "r" / name).unlink()
        os.mkfifo(place / "r" / name)
        assert "is a pipe or a device" in call("export", place / "r").stderr
    for name in ("posterior.nc", "posterior.yaml", "data/macro.csv"):
        shutil.rmtree("cal", ignore_errors=True)
        shutil.copytree(place / "cal", "cal")
        Path("cal", name).unlink()
        os.mkfifo(Path("cal", name))
        assert call("run", "base", "--calibration", "cal").exit_code == 2


def test_words_that_are_no_text_are_refused_by_every_command():
    broken = "\udcff.yaml"
    for name in cli.commands:
        done = call(name, broken)
        assert done.exit_code == 2
        assert "holds what is no text (U+DCFF)" in done.stderr
    assert call("run", "base", "--set", f"title=\udcff{BEL}").exit_code == 2
    assert not list(Path().iterdir())


@pytest.mark.parametrize("words", [
    ["check", "x" * 300], ["run", "x" * 300], ["report", "x" * 300], ["verify", "x" * 300],
    ["show", "x" * 300], ["discover", "x" * 300], ["export", "x" * 300],
    ["run", "base", "--out", "x" * 300], ["calibrate", "--out", "x" * 300],
    ["sweep", "base", "--method", "oat", "--out", "x" * 300], ["compare", "x" * 300],
    ["run", "base", "--calibration", "x" * 300], ["smart", "base", "--out", "x" * 300 + ".csv"],
    ["forecast", "--out", "x" * 300], ["check", "--schema", "x" * 300]])
def test_names_that_are_too_long_are_bad_input(words):
    assert call(*words).exit_code == 2
    assert not list(Path().iterdir())


@pytest.mark.parametrize("out", ["", ".", "file", "file/below", "/proc/x", "loop"])
@pytest.mark.parametrize("words", [
    ["calibrate"], ["run", "base"], ["compare", "base", "eaeu_fta"], ["decompose", "all_levers"],
    ["goal", "base"], ["backtest"], ["sweep", "base", "--method", "oat"]])
def test_a_place_for_output_is_judged_before_any_work(words, out, monkeypatch):
    Path("file").touch()
    Path("loop").symlink_to("loop")
    for name in ("simulation.model.simulate", "reference.calibrate.fit",
                 "studies.backtest.backtest.work"):
        monkeypatch.setattr(f"tradesim.{name}", lambda *_, **__: pytest.fail("worked first"))
    done = call(*words, "--out", out)
    assert done.exit_code == 2
    assert "--out: " in done.stderr
    assert sorted(path.name for path in Path().iterdir()) == ["file", "loop"]


def test_a_sweep_starts_from_a_scenario_beside_it():
    Path("a").mkdir()
    scenario("T", "x.yaml")
    Path("a/w.yaml").write_text("extends: ../x.yaml\nmethod: oat\n")
    done = call("sweep", "a/w.yaml")
    assert done.exit_code == 2
    assert "'../x.yaml' leaves the folder of the file" in done.stderr


def test_strangers_stay_and_what_a_file_manager_left_does_not_count(place):
    (place / "r" / ".DS_Store").touch()
    (place / "r" / f".iamc.csv-12345678{'.tradesim'}").touch()
    words = ["run", "base", "--draws", 2, "--no-report", "--out", place / "r"]
    assert call(*words).exit_code == 0
    (place / "r" / "thesis").touch()
    assert call(*words).exit_code == 2


# Surroundings.

def test_letters_that_the_terminal_lacks_do_not_end_the_program(monkeypatch):
    title = "\N{CYRILLIC CAPITAL LETTER YA}\N{MONGOLIAN LETTER A}"
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    for code in ("cp1252", "ascii"):
        monkeypatch.setenv("PYTHONIOENCODING", code)
        done = tradesim("smart", scenario(title, levers={"eaeu_interim": {}}), "--year", "2030")
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.startswith((b"??: imports", title.encode() + b": imports"))


def test_a_closed_stream_is_no_failure():
    done = subprocess.run(f'"{sys.executable}" -m tradesim check 2>&-', shell=True, check=False,
                          capture_output=True)
    assert (done.returncode, b"no problems" in done.stdout) == (0, True)
    done = subprocess.run(f'"{sys.executable}" -m tradesim check >&-', shell=True, check=False,
                          capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_like_ctrl_c_and_leaves_nothing(number, tmp_path):
    with subprocess.Popen([sys.executable, "-m", "tradesim", "run", "all_levers", "--draws",
                           "8000", "--no-report", "--out", "o"], stderr=subprocess.PIPE) as done:
        while not list(tmp_path.iterdir()):
            pass
        done.send_signal(number)
        said = done.stderr.read()
    assert (done.returncode, said) == (130, b"stopped; nothing was written\n")
    assert not list(tmp_path.iterdir())


def test_a_hang_up_that_is_ignored_stays_ignored(tmp_path):
    code = ("import signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
            "from tradesim.cli.app import main; sys.argv = ['tradesim', '-V']\n"
            "try: main()\nexcept SystemExit: pass\n"
            "print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)")
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert done.stdout.splitlines()[-1] == b"True"


# Options that mean nothing.

def test_options_that_mean_nothing_are_refused_before_the_work(monkeypatch):
    monkeypatch.setattr("tradesim.simulation.model.simulate",
                        lambda *_, **__: pytest.fail("worked first"))
    for words in (["decompose", "all_levers", "--permutations", "6"],
                  ["decompose", "all_levers", "--permutations", "0", "--method", "permutations"],
                  ["decompose", "all_levers", "--permutations", "-2"], ["compare", "base"]):
        assert call(*words).exit_code == 2
