"""Levers in stages, levers pulled several times, and choices of several names in scenarios."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.levers import read_levers
from tradesim.inputs.scenario import Known, json_schema, read_scenario
from tradesim.inputs.scenario_text import resolved

HEAD = "title: A question\nquestion: What then?\nlevers:\n"
TWO = """\
  tariff_change_flour: {method: new_rate, rate: 0.15, groups: cereals_flour}
  tariff_change_tobacco: {method: linear_cut, cut: 0.5, groups: [tobacco, other]}
"""


@pytest.fixture(scope="module")
def known():
    return Known.read(calibration_folder())


def scenario(tmp_path: Path, known: Known, levers: str, *overrides: str):
    path = tmp_path / "mine.yaml"
    path.write_text(HEAD + levers, encoding="utf-8")
    return read_scenario(path, known, overrides)


def wrong(tmp_path: Path, known: Known, levers: str, *overrides: str) -> str:
    with pytest.raises(InputError) as caught:
        scenario(tmp_path, known, levers, *overrides)
    assert len(caught.value.problems) == 1
    return str(caught.value)


@pytest.mark.parametrize(("levers", "message"), [
    ("  tariff_change: {groups: tobacco}\n  tariff_change: {groups: other}\n",
     "levers.tariff_change: stands twice, first in line 4; call the second one "
     "tariff_change_WORD, with your own word"),

    ("  eaeu_fta: {}\n", "levers.eaeu_fta: is a later stage of 'eaeu_interim', which the scenario "
                         "does not pull; add `eaeu_interim: {}`"),
    ("  eaeu_interim: {}\n  eaeu_fta: {scope: interim}\n",
     "levers.eaeu_fta.scope: 'interim' is not one of: full, guarded; that is the lever "
     "eaeu_interim: `eaeu_interim: {}`"),
    ("  eaeu_interim: {}\n  eaeu_fta: {utilisation: 0.5}\n",
     "levers.eaeu_fta.utilisation: is set once for all stages; write it as "
     "eaeu_interim.utilisation"),
    ("  eaeu_interim: {}\n  eaeu_fta: {members: KAZ}\n", "write it as eaeu_interim.members"),
    ("  eaeu_interim: {members: [KAZ, CHN]}\n",
     "levers.eaeu_interim.members: 'CHN' is not one or more of: KAZ, RUS, REAEU"),
    ("  eaeu_interim: {members: []}\n", "is not one or more of: KAZ, RUS, REAEU"),
    ("  eaeu_interim: {without: tobaco}\n", "did you mean 'tobacco'"),
    ("  tariff_change_flour: {method: new_rat}\n", "did you mean 'new_rate'"),
    ("  tariff_change_flour: {}\n", "levers.tariff_change_flour.method: is missing and has no "
                                    "default"),
    ("  altai_road_two: {}\n", "levers.altai_road_two: unknown lever"),
    ("  tariff_change_: {method: linear_cut}\n", "unknown lever; did you mean 'tariff_change'"),
    ("  tariff_change: {method: linear_cut}\n"
     "  tariff_change_food: {method: new_rate, groups: [cereals_flour, processed_food]}\n",
     "levers.tariff_change, levers.tariff_change_food: both change the same flows (MNG; MNG, KAZ, "
     "RUS ...; cereals_flour, processed_food); let one of them leave these out"),
])
def test_bad_scenarios_get_one_clear_error(tmp_path, known, levers, message):
    assert message in wrong(tmp_path, known, levers)


def test_an_origin_share_above_one_is_one_clear_error(tmp_path, known):
    message = wrong(tmp_path, known, "  eaeu_interim: {}\n", "originating.tobacco=1.2")
    assert re.search(r"originating\.tobacco: 1\.2 is not a number from 0\.\d+ to 1 \(share\)",
                     message)


def test_an_override_may_not_take_the_first_stage_away(known):
    with pytest.raises(InputError, match="is a later stage of 'eaeu_interim'"):
        read_scenario("eaeu_fta", known, ["eaeu_interim=null"])
    later = read_scenario("eaeu_fta", known, ["eaeu_fta.start=2028", "eaeu_fta.scope=guarded"])
    assert later.levers["eaeu_fta"] == {"start": 2028, "scope": "guarded"}


def test_two_changes_of_duty_in_one_scenario(tmp_path, known):
    found = scenario(tmp_path, known, TWO, "tariff_change_flour.rate=0.2")
    assert found.levers["tariff_change_flour"]["rate"] == 0.2
    assert found.levers["tariff_change_tobacco"]["groups"] == "tobacco, other"
    lever = known.levers["tariff_change_flour"]
    assert lever.name == "tariff_change_flour"
    assert lever.title == "Change of duties by formula (flour)"
    assert all(name.startswith("tariff_change_flour.") for name in lever.parameters)
    assert "tariff_change_flour" not in list(known.levers)
    text = resolved(found, known)
    (tmp_path / "again.yaml").write_text(text, encoding="utf-8")
    assert read_scenario(tmp_path / "again.yaml", known).levers == found.levers


def test_nothing_left_out_may_be_said(tmp_path, known):
    for levers in ("  eaeu_interim: {without: []}\n", "  eaeu_interim: {without: ''}\n"):
        assert scenario(tmp_path, known, levers).levers["eaeu_interim"]["without"] == ""


def test_editors_know_all_of_it(known):
    levers = json_schema(known)["properties"]["levers"]
    (pattern, again), = levers["patternProperties"].items()
    assert re.fullmatch(pattern, "tariff_change_flour")
    assert not re.fullmatch(pattern, "tariff_change_")
    assert again == levers["properties"]["tariff_change"]
    settings = levers["properties"]["eaeu_interim"]["properties"]
    text, some = settings["members"]["anyOf"]
    assert text == {"type": ["string", "null"]}
    assert some["items"] == {"enum": ["KAZ", "RUS", "REAEU"]}
    assert (some["minItems"], settings["without"]["anyOf"][1]["minItems"]) == (1, 0)


@pytest.mark.parametrize(("change", "message"), [
    (("follows: eaeu_interim", "follows: eaeu_interin"),
     "eaeu_fta.follows: there is no lever 'eaeu_interin'; did you mean 'eaeu_interim'?"),
    (("follows: eaeu_interim", "follows: altai_road"),
     "eaeu_fta.follows: 'altai_road' is of kind 'route_improvement', this lever of "
     "'tariff_agreement'"),
    (("follows: eaeu_interim", "follows: eaeu_fta"),
     "eaeu_fta.follows: 'eaeu_fta' is a later stage itself; name the first stage"),
])
def test_bad_stages_in_the_calibration(tmp_path, change, message):
    text = (calibration_folder() / "levers.yaml").read_text(encoding="utf-8")
    (tmp_path / "levers.yaml").write_text(text.replace(*change), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_levers(tmp_path)
    assert message in str(caught.value)


def test_commands_understand_them(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text(HEAD + TWO, encoding="utf-8")
    ask = CliRunner()
    for words in (["check", "mine.yaml"], ["show", "mine.yaml"], ["levers", "tariff_change_flour"],
                  ["new", "other"]):
        done = ask.invoke(cli, words)
        assert done.exit_code == 0, done.output
    text = Path("other.yaml").read_text(encoding="utf-8")
    assert "eaeu_fta:  # EAEU–Mongolia free-trade agreement; after eaeu_interim" in text
    assert "again as tariff_change_WORD" in text
    page = ask.invoke(cli, ["levers", "eaeu_fta"]).output
    assert "later stage of eaeu_interim" in page
