"""Rules of the project that a machine can check: rooms, names, sizes, documents."""

import ast
import re
import tomllib
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from tradesim import __version__
from tradesim.cli import app as cli
from tradesim.economy.levers.registry import KINDS
from tradesim.inputs.levers import read_levers

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tradesim"
MODULES = {".".join(path.relative_to(SOURCE).with_suffix("").parts): path
           for path in sorted(SOURCE.rglob("*.py"))}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in MODULES.items()}

MAX_LINES, MAX_FUNCTION = 400, 60
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")])
FOLDERS = r"src|docs|tests|calibration|scenarios|benchmarks|\.ci|\.github"
TEXT = {".md", ".py", ".yaml", ".yml", ".toml", ".cff", ".csv", ".j2", ".css", ".mplstyle", ""}
NOT_OURS = {".git", ".venv", "results", "build", "dist", "site", "__pycache__", ".hypothesis",
            ".pytest_cache", ".mypy_cache", ".ruff_cache"}


@pytest.mark.parametrize("name", MODULES)
def test_modules_and_functions_stay_small(name):
    assert len(MODULES[name].read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef):
            first = node.body[0]
            text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            lines = node.end_lineno - (first.end_lineno if text else node.lineno)
            assert lines <= MAX_FUNCTION, f"{name}.{node.name} has {lines} lines"


@pytest.mark.parametrize("name", MODULES)
def test_public_names_say_what_they_are(name):
    tree = TREES[name]
    assert ast.get_docstring(tree) or name == "__main__"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{name}.{node.name}"


# Rooms.

def test_contracts_cover_every_room():
    """`lint-imports` checks the contracts of pyproject.toml; here: that none leaves a room out."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    (layers,) = [contract for contract in contracts if contract["type"] == "layers"]
    assert layers["containers"] == ["tradesim"]
    assert "ignore_imports" not in layers
    rooms = [room.strip() for layer in layers["layers"] for room in layer.split("|")]
    there = {path.stem for path in SOURCE.iterdir()
             if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert sorted(rooms) == sorted(there - {"__init__", "__main__"})
    (quiet,) = [contract for contract in contracts if contract["type"] == "forbidden"]
    assert set(quiet["source_modules"]) == {
        f"tradesim.{room}" for room in ("common", "inputs", "reference", "economy", "simulation")}
    assert {"matplotlib", "jinja2", "click"} <= set(quiet["forbidden_modules"])


def test_tests_lie_in_the_folders_of_the_code():
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    others = {"end_to_end", "helpers", "published"}
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir()}
    assert folders - others - {"__pycache__"} <= rooms


def test_slow_files_exist():
    listed = re.search(r"^SLOW = \((.*?)^\)", (ROOT / "tests" / "conftest.py").read_text(
        encoding="utf-8"), re.M | re.S)[1]
    files = re.findall(r'"(.+?)"', listed)
    assert files == sorted(set(files))
    assert not [name for name in files if not (ROOT / "tests" / name).is_file()]


RETIRED = re.compile(r"\b(?:backtest_cells|backtest_pages|cli_(?:backtest|compare|"
                     r"decompose|discover|identify|parts|results|smart|sweep)|compare_pages|"
                     r"decompose_pages|discover_(?:pages|words)|document_(?:pdf|word)|goal_pages|"
                     r"lever_checks|plots_\w+|report_compare|sweep_(?:file|pages|plan|results|"
                     r"table)|yamlfile|tradesim[./](?:blocks|books|catalogue|checks|chance|dims|"
                     r"drawing|dynamics|evaluation|evidence|execution|findings|folders|outlook|plots|"
                     r"ranking|record|rivals|rules|sampling|sensitivity|settlement|shares|"
                     r"situation|story|tables|tariffs|trust|variation|workbook))\b")
"""Modules of version 0.2 that are gone: prefixes that folders replaced, and private words."""


@pytest.mark.parametrize("folder", ["src", "docs", "tests", "benchmarks"])
def test_no_retired_module_is_named(folder):
    found = {f"{path.relative_to(ROOT).as_posix()}: {match.group()}"
             for path in (ROOT / folder).rglob("*")
             if path.suffix in TEXT and path.is_file() and path != Path(__file__)
             for match in RETIRED.finditer(path.read_text(encoding="utf-8"))}
    assert not found


def test_retired_names_are_found_where_they_stand():
    for text in ("plots_books", "tradesim.story", "src/tradesim/yamlfile.py", "`cli_sweep`"):
        assert RETIRED.search(text)
    for text in ("a story", "levers", "sweep_size", "tradesim.economy.accounts"):
        assert not RETIRED.search(text)


# Names of countries, groups and routes are data.

PAIR = yaml.safe_load((ROOT / "calibration" / "pair.yaml").read_text(encoding="utf-8"))
ORDINARY = {"other", "metals", "chemicals", "tobacco"}
"""Ids that are ordinary words too: forbidden only as a whole constant text of the code."""


def names_of_the_pair() -> set[str]:
    """Ids, names and adjectives that stand in the calibration."""
    names = {*PAIR["countries"], *PAIR["groups"], *PAIR["routes"], *PAIR["counts"]}
    for country in PAIR["countries"].values():
        names |= {country["name"], country.get("adjective", country["name"])}
    return {name for name in names if name} - ORDINARY


def used(name: str, text: str) -> bool:
    """Whether the name stands in the text as a word of its own, in any case of letters.

    Codes in capitals count only in capitals.
    """
    flags = 0 if name.isupper() else re.IGNORECASE
    return re.search(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])", text, flags) is not None


@pytest.mark.parametrize("path", [path for path in sorted(SOURCE.rglob("*"))
                                  if path.is_file() and path.suffix in TEXT],
                         ids=lambda path: path.name)
def test_source_names_no_country_group_or_route(path):
    text = path.read_text(encoding="utf-8")
    assert not {name for name in names_of_the_pair() if used(name, text)}
    if path.suffix == ".py":
        constants = {node.value for node in ast.walk(ast.parse(text))
                     if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        assert not constants & ORDINARY


def test_names_are_found_where_they_stand():
    assert used("truck_altai", "on truck_altai only")
    assert used("Mongolia", "to mongolia.")
    assert not used("KAZ", "kazoo")
    assert set(PAIR["groups"]) >= ORDINARY
    assert len(names_of_the_pair()) > 20


# Documents.

@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_name_only_files_that_exist(path):
    text = path.read_text(encoding="utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text)
             if not re.match(r"[a-z]+:|#", link)]
    missing = {link for link in links if not (path.parent / link).exists()}
    named = re.findall(rf"`((?:{FOLDERS})/[^`\s]*)`", text)
    missing |= {name for name in named
                if not re.search(r"[<>{}…]|NAME", name) and not list(ROOT.glob(name.rstrip("/")))}
    assert not missing


@pytest.mark.parametrize("path", [*DOCUMENTS, *sorted([*ROOT.glob("docs/**/*.py"),
                                                       *ROOT.glob("benchmarks/*.py")])],
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_shown_outside_the_source_work(path):
    """Also those inside texts: a benchmark starts processes with a program of its own."""
    shown = re.findall(r"\bfrom (tradesim[\w.]*) import ((?:\w+, )*\w+)",
                       path.read_text(encoding="utf-8"))
    for module, names in shown:
        for name in names.split(", "):
            assert (hasattr(import_module(module), name)
                    or find_spec(f"{module}.{name}")), f"{module}.{name}"


def documents() -> str:
    """All the documentation in one text."""
    return "\n".join(path.read_text(encoding="utf-8") for path in DOCUMENTS)


@pytest.mark.parametrize("command", cli.cli.commands)
def test_every_command_is_documented_and_has_help(command):
    assert f"tradesim {command}" in documents()
    assert cli.cli.commands[command].get_short_help_str()


@pytest.mark.parametrize("lever", read_levers(ROOT / "calibration").values(),
                         ids=lambda lever: lever.name)
def test_every_lever_is_documented(lever):
    text = (ROOT / "docs" / "levers.md").read_text(encoding="utf-8")
    assert f"`{lever.name}`" in text
    sections = text.split("\n## ")
    section = next(part for part in sections if f"`{lever.name}`" in part.splitlines()[0])
    said = section + sections[1]
    assert not [name for name in lever.settings if not re.search(rf"\b{name}\b", said)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_lever_is_documented(kind):
    assert f"`{kind}`" in (ROOT / "docs" / "levers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("scenario", sorted((ROOT / "scenarios").glob("*.yaml")),
                         ids=lambda path: path.stem)
def test_every_scenario_is_documented(scenario):
    assert f"`{scenario.stem}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_navigation_names_every_page():
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "docs").as_posix() for path in ROOT.glob("docs/**/*.md")}
    assert pages == set(re.findall(r"[\w/-]+\.md", nav))


def test_version_is_the_same_everywhere():
    assert re.search(rf'^version = "{re.escape(__version__)}"$',
                     (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == __version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    entry = re.search(rf"^## \[{re.escape(__version__)}\].*?(?=^## |\Z)", changes, re.M | re.S)
    assert entry
    assert "\n### Numbers\n" in entry.group()


def test_ci_runs_the_commands_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("pip install . && tradesim run scenarios/eaeu_fta.yaml",
                    'pip install -c constraints.txt -e ".[test]" && pytest'):
        assert command in readme
        assert f"'{command}'" in script


def workflows() -> dict[str, dict]:
    """Jobs by the name of the workflow's file."""
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
            for path in (ROOT / ".github" / "workflows").glob("*.yml")}


def test_workflows_run_every_part_of_the_script():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    parts = set(re.search(r"all \| (.+)\) ;;", script)[1].split(" | "))
    run = {part for jobs in workflows().values() for job in jobs.values() for step in job["steps"]
           if step.get("run", "").startswith(".ci/run ")
           for part in ([step["run"].removeprefix(".ci/run ")] if "${{" not in step["run"]
                        else job["strategy"]["matrix"]["part"])}
    assert run == parts
    assert set(workflows()) == {"ci", "nightly", "release"}


def test_the_recipe_needs_what_the_project_needs():
    """conda-forge builds from the same metadata: version and dependencies are those of pip."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
    needed = {line.replace(" ", "").replace("matplotlib-base", "matplotlib")
              for line in recipe["requirements"]["run"]}
    assert needed == {*project["dependencies"], f"python{project['requires-python']}"}
    assert recipe["context"]["version"] == project["version"]
    assert recipe["package"]["name"] == project["name"]
    (command,) = project["scripts"].items()
    assert recipe["build"]["python"]["entry_points"] == [" = ".join(command)]


def test_no_text_installs_the_other_tradesim():
    """`tradesim` on the package index is another program."""
    wrong = re.compile(r"pip install (?:-\S+ )*[\"']?tradesim(?![-_\w])")
    found = {path.relative_to(ROOT).as_posix() for path in files_of_the_project()
             if wrong.search(path.read_text(encoding="utf-8"))}
    assert found <= {"CHANGELOG.md"}


def constraints() -> dict[str, str]:
    """Versions by the name of a package, where one version serves every Python."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return {name: version for line in lines if not line.startswith("#")
            for name, version in [line.split(" ;")[0].split("==")]}


def test_constraints_cover_what_the_project_names():
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    named = [*project["dependencies"], *(name for extra in
                                         project["optional-dependencies"].values()
                                         for name in extra)]
    names = {re.match(r"[\w-]+", entry)[0].lower() for entry in named} - {"tradesim-scenarios"}
    assert names <= set(constraints())
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    command = text.splitlines()[1].removeprefix("#").strip()
    assert command in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def files_of_the_project() -> list[Path]:
    """Text files, but for what tools leave."""
    return [path for path in sorted(ROOT.rglob("*"))
            if path.is_file() and path.suffix in TEXT
            and not NOT_OURS & set(path.relative_to(ROOT).parts)
            and path.name not in ("test_data.py", "test_project.py")  # they look for the same
            and not any(part.endswith(".egg-info") for part in path.parts)]


def test_nothing_speaks_of_one_machine():
    """No folders of one computer, no notes to self."""
    machine = re.compile(r"/work/|/home/|\bshared/|\bTODO\b|\bFIXME\b|\b00\d_\w+\.txt")
    found = {path.relative_to(ROOT).as_posix(): match.group()
             for path in files_of_the_project()
             if (match := machine.search(path.read_text(encoding="utf-8")))}
    assert not found
