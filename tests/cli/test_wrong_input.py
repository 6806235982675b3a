"""Wrong input of every command: judged before any work, one clear error, exit code 2, no more."""

import re
import shlex
import shutil
import socket

import pytest
from click.testing import CliRunner

import fake_sweep
from tradesim.cli import options
from tradesim.cli.app import cli
from tradesim.common import parallel
from tradesim.common.files import calibration_folder
from tradesim.inputs import scenario_schema
from tradesim.simulation import model, results

SCENARIO = "eaeu_interim"
STUDIES = {
    "run": "run {}", "decompose": "decompose {}", "goal": "goal {}", "smart": "smart {}",
    "compare": f"compare {{}} {SCENARIO}", "explore": "explore {}", "show": "show {}",
    "sweep": "sweep {} --method lhs --n 10 --over adjustment.*"}
"""Commands that take a scenario."""

SET = ("run", "decompose", "goal", "smart", "compare", "show", "sweep")
CALIBRATED = {**{name: text.format(SCENARIO) for name, text in STUDIES.items()},
              **{name: name for name in ("backtest", "identify", "forecast", "update", "calibrate",
                                         "check", "levers")},
              "import": "import table.csv", "report": "report made", "verify": "verify made",
              "show results": "show made", "new": "new mine"}
SEEDED = {**{name: STUDIES[name].format(SCENARIO)
             for name in ("run", "decompose", "goal", "compare", "explore", "sweep")},
          **{name: name for name in ("backtest", "identify", "forecast", "update", "calibrate")},
          "discover": "discover swept"}
RESULTS = ("report", "export", "verify")

OTHERS = [
    ("run base --draws 0", "Invalid value for '--draws': 0 is not in the range x>=1"),
    ("run base --draws 99999999", "'--draws': 99,999,999 is too many; at most 1,000,000 are"),
    ("run base --draws many", "Invalid value for '--draws': 'many' is not a valid integer"),
    ("run base --name a/b", "--name: a/b: must be the name of a folder"),
    ("run base --format pdff", "'pdff' is not one of 'html', 'brief', 'pdf', 'docx', 'pptx'"),
    ("decompose base", "base: levers: the scenario pulls no lever"),
    ("decompose eaeu_interim --year 1990", "--year: 1990: is outside the run, which goes from"),
    ("decompose eaeu_interim --method exat", "known: exact, permutations; did you mean 'exact'?"),
    ("decompose eaeu_interim --method permutations --permutations 5", "must be an even number"),
    ("goal base --target nan", "--target: nan: must be an amount above zero"),
    ("goal base --probability 2", "--probability: 2: must lie between 0 and 1"),
    ("goal base --vary growht", "--vary: growht: unknown setting; did you mean 'growth'?"),
    ("compare base", "at least one scenario besides the baseline is needed"),
    ("compare eaeu_interim --baseline bse", "did you mean 'base'?"),
    ("compare base eaeu_interim --show eaeu_interum",
     "--show: eaeu_interum: is not among the scenarios compared: eaeu_interim; did you mean"),
    ("compare made eaeu_interim --draws 3",
     "eaeu_interim: two runs of this scenario differ in draws: 2 and 3"),
    ("compare made base --draws 3", "draws: differs between scenarios: made 2, base 3"),
    ("compare made empty", "empty: is a directory, not a YAML file"),
    ("sweep base", "--method is needed: one of oat, grid, lhs, morris, sobol"),
    ("sweep base --method lhs --over adjustment.sped", "did you mean 'adjustment.speed'?"),
    ("sweep base --method lhs --over adjustment.speed=9:10", "both a number from 0.05 to 0.9"),
    ("sweep base --method lhs --over adjustment.* --variable turnoverr", "did you mean 'turnover'"),
    ("sweep base --method lhs --over adjustment.* --year 1990", "the scenario runs from 2025 to"),
    ("sweep base --method grid", "factors: a grid of them is 10^"),
    ("sweep base --method lhs --n 10 --over adjustment.* --scheduler nonsense",
     "--scheduler: nonsense: no Dask scheduler answers there"),
    ("discover swept --year 1990", "--year: 1990: the sweep kept no such year; kept: "),
    ("discover swept --variable turnoverr", "did you mean 'turnover'?"),
    ("discover swept --importer KAZ", "--importer: KAZ: does not apply to turnover; leave it out"),
    ("discover swept --target nan", "--target: nan: must be a finite number"),
    ("discover swept --above 1 --below 2", "exclude each other"),
    ("discover swept --above 1 --out file", "file: --out: cannot be written: a file of that name"),
    ("discover nowhere", "nowhere: is not a folder; name a folder that tradesim sweep wrote"),
    ("smart eaeu_interim --year 1990", "--year: 1990: is not a projected year; allowed 2025 to"),
    ("smart eaeu_interim --importer KZA", "did you mean 'KAZ'?"),
    ("smart eaeu_interim --out x.xls", "must end in .csv or .tsv"),
    ("backtest --origins 2030", "the last origin allowed is"),
    ("backtest --origins soon", "--origins: soon: must be two years with a colon between"),
    ("backtest --draws 60000", "--draws: 60,000: the sampler keeps 51,264 draws; at most so many"),
    ("backtest --panel nowhere", "nowhere: --panel: file not found"),
    ("backtest --panel empty", "empty: --panel: is a folder, not a file"),
    ("identify --report file", "file: --report: cannot be written: a file of that name is in"),
    ("identify --report other", "other: --report: holds other files (x) and would be replaced"),
    ("identify --out file/x.csv", "file/x.csv: --out: cannot be written: a folder above it is a"),
    ("forecast --out file/x.csv", "file/x.csv: --out: cannot be written: a folder above it is a"),
    ("forecast --out file", "so it is no forecast and is kept as it was; name another file"),
    ("forecast --draws 2000000", "2,000,000 is too many; at most 1,000,000 are allowed"),
    ("calibrate --as-of 1990", "1990 is no last year of a sample; allowed 2013 to"),
    ("calibrate --steps 1", "Invalid value for '--steps': 1 is not in the range x>=100"),
    ("update --steps 1", "Invalid value for '--steps': 1 is not in the range x>=100"),
    ("update", "no used row after 2024, the last year of pair.yaml: nothing new to take in"),
    ("import", "name one file or more"), ("import nowhere.csv", "nowhere.csv: file not found"),
    ("import table.csv --as comtrad", "did you mean 'comtrade'?"),
    ("import table.csv --years 2023-2019", "no rising range of years, such as 2019,2021-2023"),
    ("import table.csv --count kazak", "did you mean 'kazakh'?"),
    ("import table.csv --scenario bse", "did you mean 'base'?"),
    ("import table.csv --scenario base --no-answer", "has no meaning with --no-answer"),
    ("import table.csv --out other", "other: --out: is not empty; name a new folder"),
    ("export made --out empty", "empty: --out: is a folder, not a file"),
    ("show made --set draws=5", "--set: draws=5: does not apply to a folder of results"),
    ("verify made extra", "Got unexpected extra argument (extra)"),
    ("cache --cache file", "file: --cache: is not a folder"),
    ("cache --limit 5", "--limit: 5: needs --prune"),
    ("explore --count kazak", "did you mean 'kazakh'?"),
    ("explore base nonsense", "nonsense: there is no such scenario"),
    ("explore --draws 10", "'--draws': 10 is not in the range 200<=x<=2000"),
    ("check --schema empty", "empty: --schema: is a folder, not a file"),
    ("check nowhere.yaml", "nowhere.yaml: cannot be read: No such file"),
    ("levers eaeu_fto", "did you mean 'eaeu_fta'?"),
    ("cmpare base", "no such command 'cmpare'; did you mean 'compare'?")]


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A folder with results, a sweep, a file, an empty folder and one of somebody's."""
    folder = tmp_path_factory.mktemp("there")
    (folder / "made").mkdir()
    results.save(model.run(SCENARIO, draws=2), folder / "made")
    fake_sweep.write(folder / "swept", "lhs", rows=200)
    (folder / "file").write_text("hello\n", encoding="utf-8")
    (folder / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (folder / "empty").mkdir()
    (folder / "other").mkdir()
    (folder / "other" / "x").touch()
    (folder / "mine").mkdir()
    shutil.copy(calibration_folder() / "pair.yaml", folder / "mine")
    return folder


@pytest.fixture(autouse=True)
def _no_work(there, monkeypatch):
    """Work that should not begin fails."""
    def work(*_, **__):
        pytest.fail("work began before the input was judged")

    monkeypatch.chdir(there)
    for name in ("simulation.model.draw_all", "studies.discover.discover.discover",
                 "studies.explore.build.build", "studies.identification_table.identify",
                 "studies.forecasts.draw_all", "reference.calibrate.fit",
                 "studies.study.draw_all", "studies.backtest.backtest.work",
                 "studies.sweep.run.evaluate_missing"):
        monkeypatch.setattr(f"tradesim.{name}", work)


def refused(words, message, there):
    before = sorted(there.rglob("*"))
    done = CliRunner().invoke(cli, shlex.split(words), prog_name="tradesim")
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 2
    assert done.stdout == ""
    assert message in done.stderr
    told = re.sub(r"\AUsage: .*\n(Try .*\n)?\n", "", done.stderr)
    assert len(told.splitlines()) == 1 or "column missing" in told, told
    assert sorted(there.rglob("*")) == before


@pytest.mark.parametrize("command", STUDIES)
@pytest.mark.parametrize(("scenario", "message"), [
    ("nonsense", "nonsense: there is no such scenario; shipped: all_levers, base, "),
    ("bse", "did you mean 'base'?"), ("file", "file: must hold 'key: value' pairs, not text")])
def test_unknown_scenarios(there, command, scenario, message):
    refused(STUDIES[command].format(scenario), message, there)


@pytest.mark.parametrize("command", [name for name in STUDIES if name != "show"])
def test_a_folder_in_place_of_a_scenario(there, command):
    refused(STUDIES[command].format("empty"), "empty: is a directory, not a YAML file", there)


@pytest.mark.parametrize("command", SET)
@pytest.mark.parametrize(("setting", "message"), [
    ("adjustment.sped=1", "unknown key; did you mean 'adjustment.speed'?"),
    ("horizon", "--set: horizon: must read KEY=VALUE, such as draws=500"),
    ("horizon=2150", "horizon: 2150 is not a whole number from 2025 to ")])
def test_unknown_settings(there, command, setting, message):
    refused(f"{STUDIES[command].format(SCENARIO)} --set {setting}", message, there)


@pytest.mark.parametrize("command", CALIBRATED)
@pytest.mark.parametrize(("folder", "message"), [
    ("nowhere", "nowhere: --calibration: is not a folder; a calibration is a copy of "),
    ("file", "file: --calibration: is not a folder"),
    ("empty", "empty: --calibration: holds no pair.yaml"), ("mne", "did you mean 'mine'?")])
def test_unknown_calibrations(there, command, folder, message):
    refused(f"{CALIBRATED[command]} --calibration {folder}", message, there)


@pytest.mark.parametrize("command", SEEDED)
@pytest.mark.parametrize(("seed", "message"), [
    ("-1", "Invalid value for '--seed': -1 is not in the range x>=0"),
    ("9223372036854775808", "too large; the largest allowed is 9,223,372,036,854,775,807")])
def test_seeds_out_of_range(there, command, seed, message):
    refused(f"{SEEDED[command]} --seed {seed}", message, there)


def test_limits_are_those_of_scenarios():
    assert options.MAX_DRAWS == scenario_schema.MAX_DRAWS
    assert options.MAX_SEED == scenario_schema.MAX_SEED


@pytest.mark.parametrize("command", RESULTS)
@pytest.mark.parametrize(("folder", "message"), [
    ("nowhere", "nowhere: there is no such folder; `tradesim run` leaves one in results/"),
    ("mad", "mad: there is no such folder; did you mean 'made'?"),
    ("file", "file: is a file, not a folder of results"),
    ("empty", "empty: is not a folder of results: it holds no manifest.json")])
def test_folders_that_are_no_results(there, command, folder, message):
    refused(f"{command} {folder}", message, there)


@pytest.mark.parametrize(("words", "message"), OTHERS)
def test_everything_else(there, words, message):
    refused(words, message, there)


def test_a_port_in_use(there):
    pytest.importorskip("uvicorn")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        refused(f"explore --live --port {port}", f"--port: {port}: cannot be used", there)


def test_without_dask_no_scheduler(there, monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr(parallel, "import_module", absent)
    refused("sweep base --method lhs --n 10 --over adjustment.* --scheduler local",
            "needs Dask, which is not installed", there)
