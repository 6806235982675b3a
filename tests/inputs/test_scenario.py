"""Scenario files: inheritance, overrides, origins, and the text that reads back."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inputs import write_calibration
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder, scenarios_folder
from tradesim.inputs.answers import answers_of
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import read_parameters
from tradesim.inputs.scenario import Known, find, json_schema, merge, read_scenario, shipped
from tradesim.inputs.scenario_text import resolved
from tradesim.inputs.strict_yaml import parse

BASE = """
title: Reference
question: Where does it go?
references: [{title: A study, url: "https://example.org"}]
not_modelled: [services]
"""
CHILD = """\
extends: parent.yaml
title: Child
levers:
  pact: {scope: full, start: 2027}
  pass_road: {}
parameters: {adjustment.speed: 0.35}
draws: 500
"""
GRANDCHILD = """\
extends: child.yaml
title: Grandchild
levers:
  pact: {start: 2030, probability: 1}
  pass_road: null
not_modelled: [services, investment]
"""


@pytest.fixture
def known(tmp_path):
    return Known.read(write_calibration(tmp_path / "calibration"))


@pytest.fixture
def folder(tmp_path):
    files = {"parent": BASE, "child": CHILD, "grandchild": GRANDCHILD}
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def light(folder: Path) -> Known:
    return Known(read_parameters(folder), read_levers(folder), read_pair(folder))


def test_defaults(folder, known):
    scenario = read_scenario(folder / "parent.yaml", known)
    assert (scenario.name, scenario.title, scenario.draws, scenario.seed, scenario.horizon) == (
        "parent", "Reference", 2000, 1, 2035)
    assert scenario.levers == {}
    assert scenario.origins["draws"] == "default"
    assert scenario.origins["horizon"] == "pair.yaml"
    assert scenario.references[0].url == "https://example.org"
    with pytest.raises(ValueError, match="frozen"):
        scenario.draws = 3


def test_inheritance_merges_replaces_and_removes(folder, known):
    scenario = read_scenario(folder / "grandchild.yaml", known)
    assert scenario.levers == {"pact": {"scope": "full", "start": 2030, "probability": 1.0}}
    assert scenario.parameters == {"adjustment.speed": 0.35}
    assert scenario.question == "Where does it go?"
    assert scenario.not_modelled == ["services", "investment"]
    assert (scenario.title, scenario.draws) == ("Grandchild", 500)


def test_types_of_settings(folder, known):
    settings = read_scenario(folder / "grandchild.yaml", known, ["pact.start=2031.0"]).levers[
        "pact"]
    assert isinstance(settings["start"], int)
    assert settings["start"] == 2031
    assert isinstance(settings["probability"], float)


def test_origins_name_file_and_line(folder, known):
    origins = read_scenario(folder / "grandchild.yaml", known, ["pact.scope=partial"]).origins
    assert origins == {
        "title": "grandchild.yaml:2", "question": "parent.yaml:3",
        "references": "parent.yaml:4", "not_modelled": "grandchild.yaml:6",
        "levers.pact": "--set", "levers.pact.scope": "--set",
        "levers.pact.start": "grandchild.yaml:4", "levers.pact.probability": "grandchild.yaml:4",
        "parameters.adjustment.speed": "child.yaml:6", "draws": "child.yaml:7",
        "horizon": "pair.yaml", "target_usd": "pair.yaml", "seed": "default",
        "answers": "default", "growth": "default", "closure": "default", "imbalances": "default"}


@pytest.mark.parametrize(("written", "wrong"), [
    ("answers: trade", "must be a list of one to 3 of: trade, directions, target"),
    ("answers: []", "must be a list of one to 3"),
    ("answers: [trade, target, food, worth]", "must be a list of one to 3"),
    ("answers: [trade, tresury]", "answers.1: 'tresury' is not one of: trade, directions"),
    ("answers: [trade, trade]", "answers.1: 'trade' stands twice")])
def test_what_cannot_be_answered_is_refused(folder, known, written, wrong):
    path = folder / "asks.yaml"
    path.write_text(BASE + written + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenario(path, known)
    assert wrong in str(caught.value)
    assert "tresury" not in written or "did you mean 'treasury'" in str(caught.value)


def test_levers_say_what_is_asked_by_default(folder, known):
    path = folder / "asks.yaml"
    path.write_text(BASE, encoding="utf-8")
    assert read_scenario(path, known).answers == ["level", "target"]
    path.write_text(BASE + "answers: [food, target]\n", encoding="utf-8")
    assert read_scenario(path, known).answers == ["food", "target"]
    pulled = read_scenario(folder / "grandchild.yaml", known)
    assert pulled.answers[0] == "trade"
    assert pulled.answers == answers_of(known.levers[name] for name in pulled.levers)


@pytest.mark.parametrize(("override", "check"), [
    ("pact.start=2028", lambda s: s.levers["pact"]["start"] == 2028),
    ("levers.pact.start=2028", lambda s: s.levers["pact"]["start"] == 2028),
    ("adjustment.speed=0.2", lambda s: s.parameters["adjustment.speed"] == 0.2),
    ("parameters.adjustment.speed=0.2", lambda s: s.parameters["adjustment.speed"] == 0.2),
    ("adjustment.speed=null", lambda s: s.parameters == {}),
    ("target_usd=130e6", lambda s: s.target_usd == 130e6),
    ("draws=7", lambda s: s.draws == 7),
    ("horizon=2030", lambda s: s.horizon == 2030),
    ("seed = 9", lambda s: s.seed == 9),
    ("pact=null", lambda s: "pact" not in s.levers),
    ("levers=null", lambda s: s.levers == {}),
    ("pass_road={}", lambda s: s.levers["pass_road"] == {}),
    ("pass_road.km_saved=500", lambda s: s.levers["pass_road"] == {"km_saved": 500.0}),
    ("title=NO", lambda s: s.title == "NO"),
    ("title='010'", lambda s: s.title == "010"),
    ("draws=null", lambda s: s.draws == 2000),
])
def test_overrides(folder, known, override, check):
    assert check(read_scenario(folder / "grandchild.yaml", known, [override]))


def test_later_overrides_win(folder, known):
    scenario = read_scenario(folder / "child.yaml", known,
                             ["pact=null", "pact.start=2031", "draws=3", "draws=4"])
    assert scenario.levers["pact"] == {"start": 2031}
    assert scenario.draws == 4


def test_a_shipped_parent_and_its_label(tmp_path):
    known = light(calibration_folder())
    (tmp_path / "mine.yaml").write_text("extends: base\ntitle: Mine\n", encoding="utf-8")
    scenario = read_scenario(tmp_path / "mine.yaml", known)
    assert re.fullmatch(r"scenarios/base\.yaml:\d+", scenario.origins["question"])
    assert scenario.origins["title"] == "mine.yaml:2"


def test_a_file_may_extend_the_shipped_scenario_of_its_own_name(tmp_path):
    (tmp_path / "base.yaml").write_text("extends: base\ntitle: Mine\n", encoding="utf-8")
    assert read_scenario(tmp_path / "base.yaml", light(calibration_folder())).title == "Mine"


def test_find(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find("base") == scenarios_folder() / "base.yaml"
    assert find("x/y.yaml") == Path("x/y.yaml")
    Path("mine.yaml").touch()
    Path("base.yaml").touch()
    assert find("mine") == Path("mine.yaml")
    assert find("base") == scenarios_folder() / "base.yaml"
    with pytest.raises(InputError, match=r"bas: there is no such scenario; shipped: .*base.*; a "
                                         r"file of your own ends in \.yaml; did you mean 'base'"):
        find("bas")
    with pytest.raises(InputError, match="there is no such scenario"):
        find("")


def test_resolved_text_reads_back(folder, known):
    scenario = read_scenario(folder / "grandchild.yaml", known, ["title=a: 'b' # c"])
    text = resolved(scenario, known)
    assert "start: 2030  # grandchild.yaml:4" in text
    assert "    # delay: triangular (low 0, mode 0, high 3) years  (default)" in text
    assert resolved(scenario).count("(default)") == 0
    again = folder / "again.yaml"
    again.write_text(text, encoding="utf-8")
    back = read_scenario(again, known)
    assert back.model_dump(exclude={"origins", "name"}) == scenario.model_dump(
        exclude={"origins", "name"})


@given(title=st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1)
       .filter(lambda text: text.strip()))
def test_any_title_reads_back(title):
    from tradesim.inputs.scenario import Scenario

    scenario = Scenario(name="x", title=title, question="q", horizon=2035, target_usd=5e8)
    assert parse(resolved(scenario), "x")[0]["title"] == title


SETTINGS = st.dictionaries(st.sampled_from("abc"), st.integers() | st.text(max_size=3), max_size=3)
FILES = st.fixed_dictionaries({}, optional={
    "title": st.text(max_size=3), "draws": st.integers(), "not_modelled": st.lists(st.text()),
    "levers": st.dictionaries(st.sampled_from("xyz"), SETTINGS, max_size=3)})


@given(FILES, FILES, FILES)
def test_merging_is_associative(first, second, third):
    assert merge(merge(first, second), third) == merge(first, merge(second, third))


@given(FILES)
def test_merging_with_nothing_changes_nothing(data):
    assert merge(data, {}) == merge({}, data) == merge(data, data) == data


def test_merging_leaves_its_arguments_alone():
    parent, child = {"a": {"b": 1, "c": 2}}, {"a": {"b": None}}
    assert merge(parent, child) == {"a": {"c": 2}}
    assert (parent, child) == ({"a": {"b": 1, "c": 2}}, {"a": {"b": None}})
    assert merge({}, {"a": {"b": None}}) == {"a": {}}


@pytest.mark.parametrize("name", shipped())
def test_shipped_scenarios(name):
    known = light(calibration_folder())
    scenario = read_scenario(name, known)
    assert scenario.question.endswith("?")
    assert scenario.references
    assert scenario.not_modelled
    data = parse((scenarios_folder() / f"{name}.yaml").read_text(encoding="utf-8"), name)[0]
    for lever, settings in (data.get("levers") or {}).items():
        for key, value in (settings or {}).items():  # None takes the lever away
            setting = known.levers[lever].settings[key]
            default = getattr(setting, "default", None)
            fixed = getattr(getattr(setting, "distribution", None), "value", default)
            assert value != fixed, f"{lever}.{key} repeats its default"


OF_THE_USER = {"project", "tariff_change", "exchange_rate", "export_ban", "gdp_growth"}
"""Levers that ask what the user has in mind; no document names a case."""


def test_every_shipped_lever_has_a_scenario():
    known = light(calibration_folder())
    used = {lever for name in shipped() if name != "all_levers"
            for lever in read_scenario(name, known).levers}
    assert used == set(known.levers) - OF_THE_USER
    assert set(read_scenario("all_levers", known).levers) <= used


def test_json_schema_is_fresh():
    schema = json_schema(Known.read(calibration_folder()))
    shipped_schema = json.loads((scenarios_folder() / "schema.json").read_text(encoding="utf-8"))
    assert shipped_schema == schema, "run: tradesim check --schema scenarios/schema.json"


def test_json_schema_says_what_is_allowed(known):
    schema = json_schema(known)["properties"]
    pact = schema["levers"]["properties"]["pact"]["properties"]
    assert pact["scope"]["enum"] == ["partial", "full", None]
    assert (pact["start"]["type"], pact["start"]["minimum"], pact["start"]["maximum"]) == (
        ["integer", "null"], 2020, 2035)
    assert pact["start"]["default"] == 2028
    assert schema["levers"]["additionalProperties"] is False
    assert schema["parameters"]["properties"]["adjustment.speed"]["maximum"] == 1
    assert set(schema) == set(known.fields)


def test_the_goal_is_that_of_the_pair_unless_a_scenario_sets_its_own(folder, known):
    assert read_scenario(folder / "parent.yaml", known).target_usd == 500e6
    (folder / "mine.yaml").write_text("extends: parent.yaml\ntarget_usd: 130000000\n",
                                      encoding="utf-8")
    mine = read_scenario(folder / "mine.yaml", known)
    assert (mine.target_usd, mine.origins["target_usd"]) == (130e6, "mine.yaml:2")
    assert "target_usd: 130000000.0  # mine.yaml:2" in resolved(mine)


@pytest.mark.parametrize("written", ["-1", "0", "a lot", "true", "[1]"])
def test_a_goal_is_an_amount_above_zero(folder, known, written):
    (folder / "mine.yaml").write_text(f"extends: parent.yaml\ntarget_usd: {written}\n",
                                      encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenario(folder / "mine.yaml", known)
    [problem] = caught.value.problems
    assert (problem.key, problem.line) == ("target_usd", 2)
    assert problem.message.endswith("is not an amount above zero (turnover a year to be reached, "
                                    "in USD, on the count of pair.yaml's target)")


def test_names_at_the_top_are_checked(tmp_path, known):
    path = tmp_path / "mine.yaml"
    path.write_text(BASE + "closure: one_sectr\nimbalances: 3\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_scenario(path, known)
    said = str(caught.value)
    assert "closure: 'one_sectr' is not one of: none, one_sector" in said
    assert "did you mean 'one_sector'?" in said
    assert "imbalances: 3 is not one of: multiplicative, additive" in said


def test_a_key_of_an_earlier_version_says_what_replaced_it(tmp_path, known):
    path = tmp_path / "mine.yaml"
    path.write_text(BASE + "specification: stacked\n", encoding="utf-8")
    for overrides in ([], ["specification=stacked"]):
        with pytest.raises(InputError, match="specification: is gone: the reference path has one "
                                             "form now") as caught:
            read_scenario(path, known, overrides)
        assert len(caught.value.problems) == 1 + len(overrides)


def test_an_override_needs_a_value(known):
    with pytest.raises(InputError, match="--set: draws=: must read KEY=VALUE, such as draws=500"):
        read_scenario("base", known, ["draws="])
