"""What a scenario changes: the first table of every report."""

import pytest

from inputs import write_calibration
from tradesim.common.files import calibration_folder
from tradesim.inputs.levers import read_levers
from tradesim.inputs.parameters import read_parameters
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.inputs.scenario_text import differences

MINE = """\
title: Mine
question: What?
levers:
  pact:
    start: 2030
    scope: full
parameters:
  adjustment.speed: 0.35
"""


@pytest.fixture
def calibration(tmp_path):
    return write_calibration(tmp_path / "calibration")


@pytest.fixture
def rows(calibration, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(MINE, encoding="utf-8")
    scenario = read_scenario(path, Known.read(calibration), ["pact.probability=0.9"])
    return {row.key: row for row in differences(
        calibration, read_parameters(calibration), read_levers(calibration), scenario)}


def test_a_lever_comes_first_with_what_the_scenario_sets_before_defaults(rows):
    # A lever's own origin is the last place that names it: here the option.
    assert list(rows) == ["pact", "pact.start", "pact.probability", "pact.scope", "pact.delay",
                           "pact.phase_in", "adjustment.speed"]
    pact = rows["pact"]
    assert (pact.title, pact.reference, pact.value, pact.origin) == (
        "Tariff agreement", "off", "on", "--set")
    assert pact.source == "The agreement"


def test_a_setting_says_its_value_unit_and_who_set_it(rows):
    start = rows["pact.start"]
    assert (start.value, start.unit, start.default, start.origin, start.given) == (
        "2030", "year", "2028", "mine.yaml:5", True)
    assert (rows["pact.scope"].value, rows["pact.scope"].origin) == ("full", "mine.yaml:6")
    assert (rows["pact.probability"].value, rows["pact.probability"].origin) == ("0.9", "--set")


def test_a_default_in_force_says_its_range_source_grade_and_line(rows, calibration):
    delay = rows["pact.delay"]
    text = (calibration / "levers.yaml").read_text(encoding="utf-8").splitlines()
    file, line = delay.origin.split(":")
    assert file == "levers.yaml"
    assert text[int(line) - 1].strip().startswith("delay:")
    assert (delay.source, delay.grade, delay.given) == ("judgement", "C", False)
    # Triangular from 0 (mode) to 3: quantile p is 3 (1 - sqrt(1 - p)).
    assert delay.value == "0.879 (0.154 to 2.05)"


def test_a_parameter_says_what_it_would_be(rows):
    speed = rows["adjustment.speed"]
    assert (speed.value, speed.origin, speed.given) == ("0.35", "mine.yaml:8", True)
    assert speed.reference.startswith("0.299 (")
    assert "to" in speed.reference


def test_the_reference_changes_nothing(base):
    known = Known(base.parameters, base.levers, base.pair)
    assert differences(base.folder, base.parameters, base.levers,
                       read_scenario("base", known)) == []


def test_every_row_of_a_shipped_scenario_has_an_origin_and_a_source(base):
    known = Known(base.parameters, base.levers, base.pair)
    rows = differences(base.folder, base.parameters, base.levers,
                       read_scenario("all_levers", known))
    assert len(rows) > len(base.levers)
    assert base.folder == calibration_folder()
    for row in rows:
        assert row.title
        assert row.value
        assert ".yaml:" in row.origin
        assert row.given or (row.source and row.grade)


@pytest.mark.parametrize(("method", "left"), [
    ("new_rate", {"rate"}), ("maximum_rate", {"cap"}), ("linear_cut", {"cut"}),
    ("swiss_formula", {"coefficient", "coefficient_from"})])
def test_settings_of_other_methods_are_not_in_force(tmp_path, method, left):
    folder = calibration_folder()
    path = tmp_path / "mine.yaml"
    path.write_text("title: Mine\nquestion: What?\n"
                    f"levers: {{tariff_change: {{method: {method}}}}}\n", encoding="utf-8")
    known = Known.read(folder)
    rows = {row.key.removeprefix("tariff_change.") for row in differences(
        folder, known.parameters, known.levers, read_scenario(path, known))}
    every = {"rate", "cap", "cut", "coefficient", "coefficient_from", "target_average_cut"}
    assert rows & every == left
