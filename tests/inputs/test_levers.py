"""Levers of a calibration: what the file gives and what it refuses."""

import re

import pytest

from inputs import LEVERS, write_calibration
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.levers import COMMON, Choice, read_levers
from tradesim.inputs.parameters import Parameter
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known, json_schema
from tradesim.inputs.scenario_text import describe


def test_read_levers(tmp_path):
    levers = read_levers(write_calibration(tmp_path))
    assert list(levers) == ["pact", "pass_road"]
    pact = levers["pact"]
    assert (pact.name, pact.kind, pact.needs_corridor) == ("pact", "tariff_agreement", False)
    assert pact.applies == {"members": ["BOR"], "partner": "AVA"}
    assert pact.sources[0].url == "https://example.org/pact"
    assert levers["pass_road"].sources[0].title == "A ministry"
    with pytest.raises(ValueError, match="frozen"):
        pact.kind = "other"


def test_settings_are_parameters_or_choices(tmp_path):
    levers = read_levers(write_calibration(tmp_path))
    start, scope = (levers["pact"].settings[name] for name in ("start", "scope"))
    assert isinstance(start, Parameter)
    assert (start.name, start.distribution.value, start.integer) == ("pact.start", 2028, True)
    assert start.allowed == "a whole number from 2020 to 2035 (year)"
    assert isinstance(scope, Choice)
    assert (scope.name, scope.values, scope.default) == ("pact.scope", ["partial", "full"],
                                                         "partial")
    assert scope.allowed == "one of: partial, full"
    assert list(levers["pass_road"].parameters) == [
        f"pass_road.{name}" for name in (*COMMON, "km_saved")]


REQUIRED = """
      quantity: {title: Tonnes a year, unit: tonnes a year, required: true, bounds: [0, 1000],
                 source: the user, grade: C}
      buyer: {title: Who buys, allowed: [AVA, BOR], required: true, source: the user, grade: C}
"""


def test_settings_that_a_scenario_must_give(tmp_path):
    calibration = write_calibration(tmp_path, levers=LEVERS.rstrip() + REQUIRED)
    road = read_levers(calibration)["pass_road"]
    assert road.required == ("quantity", "buyer")
    assert read_levers(calibration)["pact"].required == ()
    assert describe(road.settings["quantity"]) == "none; a scenario must give it"
    assert describe(road.settings["buyer"]) == "none; a scenario must give it"
    schema = json_schema(Known.read(calibration))["properties"]["levers"]["properties"]
    assert "default" not in schema["pass_road"]["properties"]["quantity"]
    assert "default" not in schema["pass_road"]["properties"]["buyer"]
    file = tmp_path / "mine.yaml"
    text = "title: T\nquestion: Q\nlevers:\n  pass_road: {GIVEN}\n"

    def read(given, *overrides):
        file.write_text(text.replace("GIVEN", given), encoding="utf-8")
        return read_scenario(file, Known.read(calibration), overrides)

    with pytest.raises(InputError) as caught:
        read("")
    assert str(caught.value).splitlines() == [
        f"{file}: levers.pass_road.quantity: is missing and has no default: Tonnes a year; a "
        "number from 0 to 1000 (tonnes a year); `tradesim levers pass_road` lists its settings",
        f"{file}: levers.pass_road.buyer: is missing and has no default: Who buys; one of: "
        "AVA, BOR; `tradesim levers pass_road` lists its settings"]
    with pytest.raises(InputError, match=r"buyer: 'AWA' is not one of: AVA, BOR; did you mean"):
        read("quantity: 3, buyer: AWA")
    with pytest.raises(InputError, match="quantity: -1 is not a number from 0 to 1000"):
        read("quantity: -1, buyer: AVA")
    assert read("quantity: 3, buyer: AVA").levers == {"pass_road": {"quantity": 3, "buyer": "AVA"}}
    assert read("quantity: 3", "pass_road.buyer=BOR").levers["pass_road"]["buyer"] == "BOR"
    child = tmp_path / "child.yaml"  # what the parent gives need not be given again
    child.write_text("extends: mine.yaml\ntitle: C\nlevers:\n  pass_road: {buyer: BOR}\n")
    assert read_scenario(child, Known.read(calibration)).levers["pass_road"]["quantity"] == 3


def test_levers_come_at_once_only_where_they_say_so(tmp_path):
    levers = read_levers(write_calibration(tmp_path, levers=LEVERS.replace(
        "needs_corridor: true", "needs_corridor: true\n  at_once: true")))
    assert [lever.at_once for lever in levers.values()] == [False, True]


def test_the_shipped_levers_are_in_order():
    levers = read_levers(calibration_folder())
    assert levers
    for lever in levers.values():
        assert set(COMMON) <= set(lever.settings)
        assert all(setting.source and setting.grade for setting in lever.settings.values())


SCOPE = """scope: {title: How much it covers, default: partial, allowed: [partial, full],
              source: the agreement, grade: A}"""
START = """start: {title: First year, unit: year, default: 2028, bounds: [2020, 2035],
              source: the agreement, locator: article 9, grade: B}"""


@pytest.mark.parametrize(("old", "new", "message"), [
    ("title: Tariff agreement", "tittle: x",
     "pact.tittle: unknown key; known: title, kind, family, state, follows, repeatable, applies, "
     "needs_corridor, needs_consent, at_once, only, sources, settings; did you mean 'title'?"),
    ("title: Tariff agreement", "note: x", "pact.title: is missing"),
    ("kind: tariff_agreement\n", "\n", "pact.kind: is missing"),
    ("needs_corridor: false", "needs_corridor: no",
     "pact.needs_corridor: must be true or false, not text ('no')"),
    ("needs_corridor: false\n", "\n", "pact.needs_corridor: is missing"),
    ("applies: {members: [BOR], partner: AVA}", "applies: [BOR]",
     "pact.applies: must be a mapping, not a list"),
    ("state: Signed, not in force.", "state: ''", "pact.state: must not be empty"),
    ("sources: [A ministry]", "sources: []", "pass_road.sources: must hold 1 or more"),
    ("sources: [A ministry]", "sources: [{titel: x}]", "pass_road.sources.0.titel: unknown key"),
    ("sources: [A ministry]", "sources: A ministry",
     "pass_road.sources: must be a list, not text"),
    (START, "", "pact.settings: 'start' is missing; every lever needs start, delay, phase_in, "
                "probability"),
    ("unit: year, default: 2028", "unit: years, default: 2028",
     "pact.settings.start.unit: must be 'year', not 'years'"),
    ("default: 2028, ", "", "pact.settings.start: needs a default or a distribution"),
    ("default: 2028", "default: 2036", "pact.settings.start.default: 2036 lies outside the bounds"),
    ("default: 2028", "default: 2028.5",
     "pact.settings.start.default: 2028.5 is not a whole number"),
    ("default: 2028", "default: soon", "pact.settings.start.default: must be a number, not text; "
                                       "a setting of names needs a list `allowed`"),
    ("default: 2028", "default: true", "pact.settings.start.default: must be a number, not true"),
    ("default: 2028", "default: 2028, distribution: {kind: fixed, value: 1}",
     "pact.settings.start.distribution: has both a default and a distribution"),
    ("unit: year, default", "default", "pact.settings.start.unit: is missing"),
    ("source: the agreement, locator", "locator", "pact.settings.start.source: is missing"),
    (", grade: B}", "}", "pact.settings.start.grade: is missing"),
    ("bounds: [2020, 2035]", "bounds: 2035",
     "pact.settings.start.bounds: must be a list of two numbers"),
    ("needs_corridor: false", "needs_corridor: false\n  family: shocks",
     "pact.family: must be lever, project or shock, not 'shocks'"),
    ("needs_corridor: false", "needs_corridor: false\n  at_once: soon",
     "pact.at_once: must be true or false, not text ('soon')"),
    (START, START[:-1] + ", required: true}",
     "pact.settings.start.default: has no meaning where a scenario must give the setting; "
     "drop `required` or `default`"),
    (SCOPE, SCOPE[:-1] + ", required: true}",
     "pact.settings.scope.default: has no meaning where a scenario must give the setting"),
    ("kind: uniform, low: 430, high: 767}", "kind: uniform, low: 430, high: 767}\n"
     "        required: true",
     "pass_road.settings.km_saved.distribution: has no meaning where a scenario must give the "
     "setting; drop `required` or `distribution`"),
    (START, START[:-1] + ", required: maybe}",
     "pact.settings.start.required: must be true or false, not text"),
    ("""default: 0.5,
                    bounds: [0, 1]""", """default: 0.5,
                    bounds: [0, 1.5]""",
     "pact.settings.probability.bounds: a share lies between 0 and 1, not 0 and 1.5; name another "
     "unit if it is no part of a whole"),
    ("""default: 0.5,
                    bounds: [0, 1]""", """default: 1.5,
                    bounds: [0, 1]""",
     "pact.settings.probability.default: 1.5 lies outside the bounds"),
    (SCOPE, "scope: full", "pact.settings.scope: must be a mapping, not text"),
    ("default: partial", "default: ful", "pact.settings.scope.default: 'ful' is not one of: "
                                         "partial, full"),
    ("default: partial, ", "", "pact.settings.scope.default: is missing"),
    ("allowed: [partial, full]", "allowed: [partial, 3]",
     "pact.settings.scope.allowed.1: must be text, not a whole number (3)"),
    ("allowed: [partial, full]", "allowed: [partial]",
     "pact.settings.scope.allowed: must hold 2 or more"),
    ("allowed: [partial, full]", "allowed: [partial, full], bounds: [0, 1]",
     "pact.settings.scope.bounds: unknown key"),
    ("kind: uniform", "kind: unifrom", "km_saved.distribution: unknown kind 'unifrom'"),
])
def test_bad_levers(tmp_path, old, new, message):
    assert old in LEVERS
    write_calibration(tmp_path, levers=LEVERS.replace(old, new, 1))
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_levers(tmp_path)
    assert all(problem.line for problem in caught.value.problems)


def test_a_lever_that_is_no_mapping_or_has_a_dot(tmp_path):
    write_calibration(tmp_path, levers=LEVERS.replace("pass_road:", "pass.road:") + "\nzone: 3\n")
    with pytest.raises(InputError, match=r"pass\.road: a lever's name must not hold a dot\n.*"
                                         r"zone: must be a mapping, not a whole number"):
        read_levers(tmp_path)
    write_calibration(tmp_path, levers="pact: {settings: [1]}")
    with pytest.raises(InputError, match=r"pact\.settings: must be a mapping, not a list"):
        read_levers(tmp_path)


@pytest.mark.parametrize("lever", ["gold_refinery", "ferrosilicon_plant"])
def test_nobody_is_supposed_to_buy_what_no_source_says_who_buys(lever):
    assert read_levers(calibration_folder())[lever].required == ("partner_share",)
