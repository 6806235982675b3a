"""The command line: what it prints, where, and with which exit code."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from click.testing import CliRunner

from inputs import write_calibration
from tradesim import __version__
from tradesim.cli.app import cli
from tradesim.cli.options import complete_levers, complete_scenarios
from tradesim.common.errors import ConvergenceError, InputError, Problem
from tradesim.common.files import calibration_folder
from tradesim.economy.levers import registry
from tradesim.inputs.scenario import Known, read_scenario, shipped
from tradesim.reports import terminal

HEAVY = ("numpy", "pandas", "scipy", "matplotlib", "pydantic", "xarray", "yaml")


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Run the command line in an empty folder; returns click's result."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words],
                                             prog_name="tradesim")


@pytest.fixture
def calibration(tmp_path_factory, monkeypatch):
    """A made-up calibration, and kinds of lever that fit it."""
    def tariff_agreement(economy, strength, *, members, partner, scope):
        pass

    def route_improvement(economy, strength, *, route, km_saved):
        pass

    kinds = {kind.__name__: kind for kind in (tariff_agreement, route_improvement)}
    plain = registry.arguments.__wrapped__
    monkeypatch.setattr(registry, "KINDS", kinds)
    monkeypatch.setattr(registry, "arguments", plain)
    return write_calibration(tmp_path_factory.mktemp("made-up"))


SCENARIO = "title: Mine\nquestion: What?\nlevers:\n  pact: {start: 2030}\n"


def numbers(middle, low, high):
    return {"p50": middle, "mean": 1.1 * middle, "p10": low, "p90": high}


def headline(**changed):
    turnover = {str(year): {"reference": numbers(150e6, 120e6, 190e6),
                            "scenario": numbers(160e6, 125e6, 200e6),
                            "effect": numbers(9.06e6, -0.01e6, 20e6)} for year in range(2025, 2036)}
    return {"scenario": "mine", "count": "bordurian", "turnover": turnover,
            "statistics": {"2024": {"bordurian": 124e6, "avalonian": 54.7e6}},
            "target": {"value": 500e6, "count": "bordurian", "probability": {
                year: {"reference": 0.001, "scenario": 0.124} for year in turnover}},
            "max_residual": 3.2e-13, "draws": 20, "seed": 1, "run_id": "abc"} | changed


@pytest.fixture
def model(monkeypatch):
    """A model that takes no time; returns what the commands asked of it."""
    asked = {}

    def run(path, **options):
        asked.update(options, path=path)
        options["progress"] and options["progress"](1, 1)
        return SimpleNamespace(attrs={"title": "Mine"})

    def save(dataset, folder, *, every):
        (folder / "summary.csv").write_text("variable\n", encoding="utf-8")

    def report(folder, calibration, *, dataset):
        (folder / "report.html").write_text("<html>", encoding="utf-8")
        asked["report"] = calibration

    fakes = {"simulation.manifest": {"seal": lambda _: None}, "simulation.model": {"run": run},
             "reports.run.page": {"report": report},
             "simulation.results": {"save": save, "as_kept": lambda dataset: dataset},
             "simulation.summary": {"headline": lambda _: headline()}}
    for name, content in fakes.items():
        fake = ModuleType(f"tradesim.{name}")
        vars(fake).update(content)
        monkeypatch.setitem(sys.modules, fake.__name__, fake)
        monkeypatch.setattr(f"tradesim.{name}", fake, raising=False)
    return asked


def python(*words, cwd, **environment):
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False,
                          cwd=cwd, env=os.environ | environment)


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"], ["rum"],
                                   ["run", "base", "--draws", "-1"]])
def test_help_loads_nothing_heavy(tmp_path, words):
    code = ("import sys; from tradesim.cli.app import main\n"
            f"sys.argv = ['tradesim', *{words!r}]\n"
            "try: main()\nexcept SystemExit: pass\n"
            f"print([name for name in {HEAVY!r} if name in sys.modules])")
    done = python("-c", code, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_the_module_is_the_command(tmp_path):
    done = python("-m", "tradesim", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"tradesim, version {__version__}\n")


def test_one_thread_for_linear_algebra_unless_told(tmp_path):
    code = ("import os, sys; from tradesim.cli.app import main\nsys.argv = ['tradesim', '-V']\n"
            "try: main()\nexcept SystemExit: pass\n"
            "print([os.environ[f'{name}_NUM_THREADS'] for name in ('OPENBLAS', 'OMP', 'MKL')])")
    environment = {"OMP_NUM_THREADS": "2"}
    os.environ.pop("OPENBLAS_NUM_THREADS", None)
    os.environ.pop("MKL_NUM_THREADS", None)
    assert python("-c", code, cwd=tmp_path, **environment).stdout.splitlines()[-1] == (
        "['1', '2', '1']")


def test_every_command_has_help_and_the_long_ones_examples(call):
    main = call("--help").output
    assert "tradesim run base" in main
    assert "_TRADESIM_COMPLETE=bash_source" in main
    for name in ("run", "calibrate", "levers", "show", "check", "new"):
        assert name in main
        text = call(name, "--help")
        assert text.exit_code == 0
        assert name == "levers" or f"tradesim {name}" in text.output
        assert "..." not in next(line for line in main.splitlines()
                                 if line.startswith(f"  {name} "))


def test_run_saves_reports_and_prints(call, model, calibration):
    Path("mine.yaml").write_text(SCENARIO, encoding="utf-8")
    done = call("run", "mine.yaml", "--draws", 20, "--seed", 3, "--set", "draws=7", "--set",
                "pact.start=2031", "--count", "bordurian", "--calibration", calibration)
    assert done.exit_code == 0, done.output
    assert model | {"progress": None} == {
        "path": "mine.yaml", "calibration": calibration, "draws": 20, "seed": 3,
        "overrides": ("draws=7", "pact.start=2031"), "count": "bordurian", "progress": None,
        "report": calibration, "every": False}
    assert sorted(path.name for path in Path("results/mine").iterdir()) == ["report.html",
                                                                            "summary.csv"]
    assert done.stdout.splitlines() == [
        "Mine", "",
        "Turnover, USD million, Borduria's count: median and 80 % range",
        "             reference          scenario           mean change",
        "2025  150 (120 to 190)  160 (125 to 200)  +10.0 (0.0 to +20.0)",
        "2030  150 (120 to 190)  160 (125 to 200)  +10.0 (0.0 to +20.0)",
        "2035  150 (120 to 190)  160 (125 to 200)  +10.0 (0.0 to +20.0)", "",
        "Statistics of 2024: 124.0 (Borduria's count), 54.7 (Avalon's count)",
        "Probability of USD 500 million (2025: under 1 % without, 12 % with; 2030: under 1 % "
        "without, 12 % with; 2035: under 1 % without, 12 % with)",
        "20 draws, seed 1, run abc, largest residual 3e-13", "Report: results/mine/report.html"]


def test_run_without_report(call, model, calibration):
    done = call("run", "base", "--no-report", "--calibration", calibration, "--out", "a/b")
    assert done.exit_code == 0
    assert "report" not in model
    assert done.stdout.endswith("Results: a/b\n")
    assert [path.name for path in Path("a/b").iterdir()] == ["summary.csv"]


def test_an_earlier_run_is_replaced_but_nothing_else(call, model, calibration):
    assert call("run", "base", "--calibration", calibration).exit_code == 0
    Path("results/base/report.html").write_text("old", encoding="utf-8")
    assert call("run", "base", "--calibration", calibration).exit_code == 0
    assert Path("results/base/report.html").read_text(encoding="utf-8") == "<html>"
    Path("results/base/thesis.docx").touch()
    done = call("run", "base", "--calibration", calibration)
    assert done.exit_code == 2
    assert done.stderr == ("results/base: --out: holds other files (thesis.docx) and would be "
                           "replaced; name a new folder with --out or --name\n")
    assert Path("results/base/thesis.docx").exists()


def test_what_is_replaced_is_said(call, model, calibration):
    first = call("run", "base", "--calibration", calibration)
    assert "Replaced" not in first.stderr
    manifest = {"draws": 2000, "command": "tradesim run base --draws 2000"}
    Path("results/base/manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name in ("report.pdf", "report.docx"):
        Path("results/base", name).touch()
    done = call("run", "base", "--no-report", "--calibration", calibration)
    assert done.stderr.splitlines() == [
        "Replaced: results/base (2,000 draws, `tradesim run base --draws 2000`)",
        "Gone with it, since this command did not write them again: manifest.json, report.docx, "
        "report.html, report.pdf"]


def test_results_take_another_name(call, model, calibration):
    for words, folder in ((("--name", "late"), "results/late"), ((), "results/base")):
        done = call("run", "base", "--calibration", calibration, *words)
        assert done.exit_code == 0
        assert done.stdout.endswith(f"Report: {folder}/report.html\n")
        assert not done.stderr
    for words, said in ((("--name", "a/b"), "must be the name of a folder"),
                        (("--name", ".a"), "must be the name of a folder"),
                        (("--name", "a", "--out", "b"), "give one of them")):
        done = call("run", "base", "--calibration", calibration, *words)
        assert done.exit_code == 2
        assert said in done.stderr


def test_a_name_with_blanks_can_be_typed_as_shown(call, calibration):
    done = call("new", "My plan 2028!", "--calibration", calibration)
    assert "tradesim check 'My plan 2028!.yaml'" in done.stdout
    assert Path("My plan 2028!.yaml").exists()


def test_check_praises_nothing_before_problems_elsewhere(call, calibration):
    Path("a.yaml").write_text("title: 3\nquestion: Why?\n", encoding="utf-8")
    done = call("check", "a.yaml", "--calibration", calibration)
    assert done.exit_code == 2
    assert done.stdout == ""


def test_out_is_tried_before_the_work(call, model, calibration):
    Path("file").touch()
    for out in ("file", "file/below", "file/far/below"):
        done = call("run", "base", "--out", out, "--calibration", calibration)
        assert done.exit_code == 2
        assert done.stderr.startswith(f"{out}: --out: cannot be written: ")
        assert len(done.stderr.splitlines()) == 1
    assert model == {}


@pytest.mark.parametrize(("error", "code", "message"), [
    (InputError([Problem("a", "b", "bad"), Problem("c", "", "worse")]), 2, "a: b: bad\nc: worse\n"),
    (ConvergenceError("the markets", 0.5, [3]), 3,
     "the markets did not converge in draw 3; largest residual 0.5\n"),
    (OSError(28, "No space left on device", "x.nc"), 1, "x.nc: No space left on device\n"),
    (KeyboardInterrupt(), 130, "stopped; nothing was written\n"),
])
def test_failures_leave_no_folder_and_no_traceback(call, model, calibration, monkeypatch, error,
                                                   code, message):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(sys.modules["tradesim.simulation.model"], "run", fail)
    done = call("run", "base", "--calibration", calibration, "--out", "a/b/c")
    assert (done.exit_code, done.stderr, done.stdout) == (code, message, "")
    assert list(Path().iterdir()) == []


def test_a_failing_report_leaves_the_earlier_run(call, model, calibration, monkeypatch):
    assert call("run", "base", "--calibration", calibration).exit_code == 0

    def fail(*_, **__):
        raise InputError([Problem("report", "", "no ink")])

    monkeypatch.setattr(sys.modules["tradesim.reports.run.page"], "report", fail)
    assert call("run", "base", "--calibration", calibration).exit_code == 2
    assert Path("results/base/report.html").exists()
    assert len(list(Path("results").iterdir())) == 1


@pytest.mark.parametrize(("words", "message"), [
    (["run"], "Missing argument 'SCENARIO'"),
    (["run", "base", "--draws", "-1"], "'--draws': -1 is not in the range x>=1"),
    (["run", "base", "--draws", "0"], "'--draws': 0 is not in the range x>=1"),
    (["run", "base", "--draws", "many"], "'--draws': 'many' is not a valid integer range"),
    (["run", "base", "--seed", "-1"], "'--seed': -1 is not in the range x>=0"),
    (["calibrate", "--seed", "-1"], "'--seed': -1 is not in the range x>=0"),
    (["run", "base", "--drwas", "1"], "No such option"),
    (["rum"], "no such command 'rum'; did you mean 'run'?"),
    (["run", "bas"], "bas: there is no such scenario; shipped: "),
    (["run", "base", "--calibration", "absent"], "absent: --calibration: is not a folder"),
    (["show", "absent.yaml"], "absent.yaml: cannot be read: No such file"),
    (["levers", "eaeu"], "levers: eaeu: unknown lever; known: "),
    (["check", "absent.yaml"], "absent.yaml: cannot be read: No such file"),
    (["new", "/proc/b"], "/proc/b.yaml: cannot be written: No such file or directory"),
    (["new", "a", "--from", "abssent"], "abssent: there is no such scenario; shipped: "),
    (["new", "a", "--from", "absent.yaml"], "absent.yaml: --from: there is no such file"),
])
def test_bad_usage(call, calibration, words, message):
    if words[0] in ("show", "check"):
        words = [*words, "--calibration", str(calibration)]
    done = call(*words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == "" or words[0] == "check"


def test_levers(call, calibration):
    text = call("levers", "--calibration", calibration).stdout
    assert text.splitlines()[:2] == ["Levers: what policy could change",
                                     "  pact       Tariff agreement [probability 0.5]"]
    assert "Shocks" not in text  # no heading without entries
    everything = call("levers").stdout
    heads = [line.partition(":")[0] for line in everything.splitlines() if line[:1].isupper()]
    assert heads == ["Levers", "Projects", "Shocks"]
    assert "give quantity, price]" in everything
    assert max(len(line) for line in everything.splitlines()) <= 120
    page = call("levers", "pass_road", "--calibration", calibration).stdout
    for part in ("pass_road: Road over the pass", "works only while the shared corridor is open",
                 "Planned.", "default: uniform (low 430, high 767) km",
                 "allowed: a number from 0 to 1000 (km)", "source: A ministry (grade B)",
                 "default: 2028\n", "source: the agreement, article 9 (grade B)"):
        assert part in page
    assert "allowed: one of: partial, full" in call("levers", "pact", "--calibration",
                                                    calibration).stdout


def test_show_prints_a_scenario_that_reads_back(call, calibration):
    Path("mine.yaml").write_text(SCENARIO, encoding="utf-8")
    done = call("show", "mine.yaml", "--set", "draws=7", "--calibration", calibration)
    assert "    start: 2030  # mine.yaml:4" in done.stdout
    assert "draws: 7  # --set" in done.stdout
    assert "# phase_in: 3 years  (default)" in done.stdout
    Path("again.yaml").write_text(done.stdout, encoding="utf-8")
    assert read_scenario("again.yaml", Known.read(calibration)).levers == {"pact": {"start": 2030}}


def test_check_says_what_it_checked(call, calibration):
    Path("good").mkdir()
    for name in "ab":
        Path(f"good/{name}.yaml").write_text(SCENARIO, encoding="utf-8")
    done = call("check", "good", "--calibration", calibration)
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        f"{calibration}: no problems (2 parameters, 2 levers with 10 settings; no folder data or "
        "baseline to check)", "good/a.yaml: no problems", "good/b.yaml: no problems"]


def test_check_prints_all_problems_of_all_files_once(call, calibration):
    Path("parent.yaml").write_text("title: 3\nquestion: Why?\n", encoding="utf-8")
    for name in "ab":
        Path(f"{name}.yaml").write_text("extends: parent.yaml\ndraws: 0\n", encoding="utf-8")
    done = call("check", ".", "--calibration", calibration)
    assert done.exit_code == 2
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["a.yaml", "parent.yaml",
                                                                         "b.yaml"]


def test_check_gathers_problems_of_the_calibration(call, tmp_path):
    folder = write_calibration(tmp_path / "bad", parameters="a: 3", levers="b: 4", pair="c: 5")
    done = call("check", "--calibration", folder)
    assert done.exit_code == 2
    for part in ("pair.yaml", "parameters.yaml:1:1: a: must be", "levers.yaml:1:1: b: must be"):
        assert part in done.stderr


def test_check_reads_translations_and_the_map(call, tmp_path):
    folder = write_calibration(tmp_path / "calibration")
    (folder / "display").mkdir()
    (folder / "display" / "titles.csv").write_text("text,ru,kz\nA,Б,\n", encoding="utf-8")
    (folder / "display" / "outlines.csv").write_text("country,ring,lon,lat\nA,1,10,95\n",
                                                     encoding="utf-8")
    result = call("check", "--calibration", folder)
    assert result.exit_code == 2
    assert "titles.csv:1: kz: unknown column; known columns: text, ru, mn, kk" in result.stderr
    assert "outlines.csv:2: lat: 95" in result.stderr


def test_check_knows_the_kinds_of_levers(call, tmp_path):
    from inputs import LEVERS

    folder = write_calibration(tmp_path / "bad", levers=LEVERS.replace("kind: tariff_agreement",
                                                                       "kind: tarif_agreement"))
    done = call("check", "--calibration", folder)
    assert "pact.kind: unknown kind 'tarif_agreement'" in done.stderr


def test_check_finds_nothing_wrong_with_what_is_shipped(call):
    done = call("check")
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1 + len(shipped())


def test_check_of_an_empty_folder(call, calibration):
    Path("empty").mkdir()
    done = call("check", "empty", "--calibration", calibration)
    assert done.stderr == "empty: holds no scenario files (*.yaml)\n"


def test_check_writes_the_schema(call, calibration):
    Path("mine.yaml").write_text(SCENARIO, encoding="utf-8")
    done = call("check", "mine.yaml", "--schema", "schema.json", "--calibration", calibration)
    assert done.stdout.endswith("Written: schema.json\n")
    assert '"tradesim scenario"' in Path("schema.json").read_text(encoding="utf-8")
    done = call("check", "mine.yaml", "--schema", "mine.yaml/schema.json", "--calibration",
                calibration)
    assert done.exit_code == 2
    assert "schema.json: --schema: cannot be written: a folder above it is a file" in done.stderr


def test_new_writes_a_scenario_that_is_good_as_it_is(call):
    done = call("new", "mine")
    assert done.exit_code == 0
    assert "tradesim check mine.yaml" in done.stdout
    assert call("check", "mine.yaml").exit_code == 0
    again = call("new", "mine.yaml")
    assert again.exit_code == 2
    assert again.stderr == ("mine.yaml: exists already and is not overwritten; choose another "
                            "name\n")


def test_new_from_a_file_beside_it_or_a_shipped_scenario(call, calibration):
    Path("mine.yaml").write_text(SCENARIO, encoding="utf-8")
    assert call("new", "child", "--from", "mine.yaml", "--calibration", calibration).exit_code == 0
    known = Known.read(calibration)
    assert read_scenario("child.yaml", known).levers == {"pact": {"start": 2030}}
    text = Path("child.yaml").read_text(encoding="utf-8")
    opened = text.replace("# levers:\n#   pact:", "levers:\n  pact:").replace(
        "#     start:  #", "    start: 2031  #", 1)
    Path("edited.yaml").write_text(opened, encoding="utf-8")
    assert read_scenario("edited.yaml", known).levers == {"pact": {"start": 2031}}
    Path("sub").mkdir()
    done = call("new", "sub/x", "--from", "mine.yaml")
    assert "mine.yaml: --from: must stand in the folder of the new file" in done.stderr


@pytest.mark.parametrize("name", shipped())
def test_new_extends_any_shipped_scenario(call, name):
    assert call("new", "mine", "--from", name).exit_code == 0
    assert f'extends: "{name}"' in Path("mine.yaml").read_text(encoding="utf-8")


def test_calibrate_passes_options_and_prints_the_fit(call, calibration, monkeypatch):
    asked = {}
    row = {"prior_mean": 1.0, "prior_sd": 0.25, "mean": 0.8123, "sd": 0.1, "p05": 0.6, "p95": 1.0,
           "contraction": 0.84, "rhat": 1.0012, "ess": 900}

    def fit(folder, **options):
        asked.update(options, folder=folder)
        return SimpleNamespace(manifest={"parameters": {"reference.x": row}}, folder=folder)

    fake = ModuleType("tradesim.reference.calibrate")
    vars(fake)["calibrate"] = fit
    monkeypatch.setitem(sys.modules, "tradesim.reference.calibrate", fake)
    done = call("calibrate", "--as-of", 2019, "--seed", 4, "--calibration", calibration)
    assert done.exit_code == 0
    assert asked == {"folder": calibration, "as_of": 2019, "seed": 4, "out": None,
                     "progress": None}
    assert "reference.x  1 ± 0.25  0.812 ± 0.1    0.6 to 1    84 %  1.001" in done.stdout


def test_completion(call):
    names = [item.value for item in complete_scenarios(None, None, "ba")]
    assert names == ["base", "ba"]
    assert len(complete_levers(None, None, "")) > 1


def test_progress_is_silent_where_nobody_watches():
    with terminal.progress("Working") as show:
        assert show is None


def test_progress_shows_on_a_terminal(monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with terminal.progress("Working") as show:
        show(1, 2)
        show(2, 2)
    assert capsys.readouterr().out == ""


def test_check_says_when_a_folder_is_a_calibration(call, calibration):
    done = call("check", calibration, "--calibration", calibration)
    assert done.exit_code == 2
    assert "is a calibration folder, not one of scenarios" in done.output


def test_check_reads_all_that_a_run_needs(call, tmp_path):
    folder = tmp_path / "calibration"
    shutil.copytree(calibration_folder(), folder)
    (folder / "posterior.nc").unlink()
    done = call("check", "--calibration", folder)
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        f"To do: {folder / 'posterior.nc'}: there is no posterior here; run `tradesim calibrate`"]
    totals = folder / "baseline" / "totals.csv"
    totals.unlink()
    done = call("check", "--calibration", folder)
    assert done.exit_code == 2
    assert f"{totals}: file not found" in done.stderr
