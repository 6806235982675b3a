"""Whatever is wrong with a scenario is said once, in words, with its place."""

import re

import pytest

from inputs import write_calibration
from tradesim.common.errors import InputError, nearest
from tradesim.inputs.scenario import Known, read_scenario

GOOD = """\
title: Good
question: Is it?
levers:
  pact: {scope: full, start: 2027}
parameters: {adjustment.speed: 0.35}
"""


@pytest.fixture
def known(tmp_path):
    return Known.read(write_calibration(tmp_path / "calibration"))


def refused(folder, known, text, message, *overrides):
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_scenario(path, known, overrides)
    return caught.value


@pytest.mark.parametrize(("old", "new", "message"), [
    # unknown keys
    ("title:", "titel:", "s.yaml:1:1: titel: unknown key; known: extends, title, question, "
                         "answers, levers, parameters, growth, closure, imbalances, horizon, "
                         "draws, seed, target_usd, references, not_modelled; did you mean "
                         "'title'?"),
    ("pact:", "pakt:", "s.yaml:4:3: levers.pakt: unknown lever; did you mean 'pact'?; `tradesim "
                       "levers` lists them"),
    ("start:", "begin:", "s.yaml:4:23: levers.pact.begin: unknown setting; known: start, delay, "
                         "phase_in, probability, scope; `tradesim levers pact` lists its settings"),
    ("start:", "strat:", "did you mean 'start'?; `tradesim levers pact` lists its settings"),
    ("adjustment.speed:", "adjustment.sped:",
     "s.yaml:5:14: parameters.adjustment.sped: unknown parameter; did you mean "
     "'adjustment.speed'?; calibration/parameters.yaml lists them"),
    ("adjustment.speed:", "pact.start:", "settings of levers stand under levers"),
    # wrong types
    ("title: Good", "title: 3", "s.yaml:1:1: title: 3 is not text: a few words for tables"),
    ("title: Good", "title: ''", "title: '' is not text"),
    ("title: Good", "title: [a]", "title: a list is not text"),
    ("{scope: full, start: 2027}", "true",
     "s.yaml:4:3: levers.pact: must be a mapping of settings ({} for all defaults), not true or "
     "false"),
    ("  pact: {scope: full, start: 2027}", "  - pact",
     "s.yaml:3:1: levers: must be a mapping of levers, not a list"),
    ("{adjustment.speed: 0.35}", "0.35", "parameters: must be a mapping of numbers, not a number"),
    ("start: 2027", "start: soon",
     "s.yaml:4:23: levers.pact.start: 'soon' is not a whole number from 2020 to 2035 (year); "
     "`tradesim levers pact` lists its settings"),
    ("start: 2027", "start: 2027.5", "levers.pact.start: 2027.5 is not a whole number"),
    ("start: 2027", "start: true", "levers.pact.start: true is not a whole number"),
    ("start: 2027", "start: [2027]", "levers.pact.start: a list is not a whole number"),
    ("start: 2027", "start: {value: 2027}", "levers.pact.start: a mapping is not a whole number"),
    ("scope: full", "scope: ful", "levers.pact.scope: 'ful' is not one of: partial, full; did you "
                                  "mean 'full'?"),
    ("scope: full", "scope: 1", "levers.pact.scope: 1 is not one of: partial, full"),
    ("scope: full", "scope: [full]", "levers.pact.scope: a list is not one of: partial, full"),
    # out of range
    ("start: 2027", "start: 2036", "levers.pact.start: 2036 is not a whole number from 2020"),
    ("start: 2027", "probability: 1.01",
     "levers.pact.probability: 1.01 is not a number from 0 to 1 (share)"),
    ("speed: 0.35", "speed: -0.1", "parameters.adjustment.speed: -0.1 is not a number from 0 to 1"),
    ("speed: 0.35", "speed: 1e400", "is too large"),
    ("title: Good", "title: Good\ndraws: 0",
     "s.yaml:2:1: draws: 0 is not a whole number from 1 to 1000000 (number of draws)"),
    ("title: Good", "title: Good\ndraws: -5", "draws: -5 is not a whole number from 1"),
    ("title: Good", "title: Good\ndraws: 2.5", "draws: 2.5 is not a whole number from 1"),
    ("title: Good", "title: Good\ndraws: lots", "draws: 'lots' is not a whole number from 1"),
    ("title: Good", "title: Good\nseed: -1", "seed: -1 is not a whole number from 0"),
    ("title: Good", "title: Good\nhorizon: 2024",
     "horizon: 2024 is not a whole number from 2025 to 2035 (last year of the run)"),
    ("title: Good", "title: Good\nhorizon: 2036", "horizon: 2036 is not a whole number from 2025"),
    # lists
    ("title: Good", "title: Good\nreferences: a book",
     "references: must be a list (where the scenario's numbers and claims were read), not text"),
    ("title: Good", "title: Good\nreferences: [a book]",
     "references.0: must be {title: ..., url: ...}, not text"),
    ("title: Good", "title: Good\nreferences: [{titel: x}]",
     "references.0.titel: unknown key; known: title, url; did you mean 'title'?"),
    ("title: Good", "title: Good\nreferences: [{url: 'https://x.org'}]",
     "references.0.title: is missing"),
    ("title: Good", "title: Good\nreferences: [{title: x, url: x.org}]",
     "references.0.url: 'x.org' is not a web address; it starts with https://"),
    ("title: Good", "title: Good\nreferences: [{title: 3}]", "references.0.title: 3 is not text"),
    ("title: Good", "title: Good\nnot_modelled: [x, 3]", "not_modelled.1: 3 is not text"),
    # what is missing
    ("title: Good\n", "", "s.yaml: title: is missing"),
    ("question: Is it?\n", "", "s.yaml: question: is missing"),
    ("question: Is it?", "question: null", "s.yaml: question: is missing"),
    # YAML traps
    ("speed: 0.35", "speed: NO", "parameters.adjustment.speed: 'NO' is not a number from 0 to 1"),
    ("start: 2027", "start: 1:30", "levers.pact.start: '1:30' is not a whole number"),
    ("title: Good", "title: Good\nseed: 010", "seed: the number 010 can be read in two ways"),
    ("speed: 0.35", "speed: .nan", ".nan is not a finite number"),
    ("speed: 0.35", "speed: 0.35, adjustment.speed: 0.4", "stands twice, first in line 5"),
    ("title: Good", "title: !!python/object/new:object []", "tags (tag:yaml.org,2002:python"),
    # parents
    ("title: Good", "title: Good\nextends: 3", "extends: 3 is not text"),
    ("title: Good", "title: Good\nextends: absent.yaml",
     "s.yaml:2:1: extends: there is no scenario 'absent.yaml' beside the file, nor among the "
     "shipped: "),
    ("title: Good", "title: Good\nextends: bsae", "did you mean 'base'?"),
    ("title: Good", "title: Good\nextends: [base]", "extends: a list is not text"),
    ("title: Good", "title: Good\nextends: ../x.yaml",
     "s.yaml:2:1: extends: '../x.yaml' leaves the folder of the file"),
    ("title: Good", "title: Good\nextends: ../../etc/passwd", "leaves the folder of the file"),
    ("title: Good", "title: Good\nextends: /etc/hosts.yaml", "leaves the folder of the file"),
    ("title: Good", "title: Good\nextends: sub/../../x.yaml", "leaves the folder of the file"),
    ("title: Good", 'title: Good\nextends: "a\\0b.yaml"',
     "extends: holds a control character (U+0000); leave it out"),
    ("title: Good", "title: Good\nextends: " + "a" * 400, "there is no scenario 'aaa"),
    ("title: Good", "title: Good\nextends: s.yaml",
     "s.yaml:2:1: extends: goes round in a loop: s.yaml -> s.yaml"),
])
def test_bad_scenarios(tmp_path, known, old, new, message):
    assert old in GOOD
    refused(tmp_path, known, GOOD.replace(old, new, 1), message)


def test_the_good_one_is_good(tmp_path, known):
    (tmp_path / "s.yaml").write_text(GOOD, encoding="utf-8")
    assert read_scenario(tmp_path / "s.yaml", known).levers["pact"]["start"] == 2027


def test_all_problems_of_a_file_come_together(tmp_path, known):
    text = ("titel: x\nquestion: 3\nlevers:\n  pakt: {}\n  pact: {scope: ful, start: 2050}\n"
            "parameters: {adjustment.speed: 3}\ndraws: -1\nextends: absent\n")
    error = refused(tmp_path, known, text, "titel")
    assert [problem.line for problem in error.problems] == [1, 2, 4, 5, 5, 6, 7, 8]
    assert len(str(error).splitlines()) == 8


def test_problems_of_parents_and_overrides_come_too(tmp_path, known):
    (tmp_path / "parent.yaml").write_text("title: 3\nquestion: Why?\n", encoding="utf-8")
    error = refused(tmp_path, known, "extends: parent.yaml\ndraws: 0", "draws: 0",
                    "seed=x", "draws=-3")
    assert [problem.file.rpartition("/")[2] for problem in error.problems] == [
        "s.yaml", "parent.yaml", "--set", "--set"]


@pytest.mark.parametrize(("override", "message"), [
    ("draws", "--set: draws: must read KEY=VALUE, such as draws=500"),
    ("=3", "--set: =3: must read KEY=VALUE"),
    ("", "must read KEY=VALUE"),
    ("draws=-3", "--set: draws: -3 is not a whole number from 1 to 1000000"),
    ("draws=many", "--set: draws: 'many' is not a whole number"),
    ("draws=", "--set: draws=: must read KEY=VALUE, such as draws=500"),
    ("seed=010", "--set: seed=010: the number 010 can be read in two ways"),
    ("seed=.nan", ".nan is not a finite number"),
    ("adjustment.sped=1", "--set: adjustment.sped=1: unknown key; did you mean "
                          "'adjustment.speed'?"),
    ("pact.strat=2030", "levers.pact.strat: unknown setting"),
    ("pact.start=2050", "--set: levers.pact.start: 2050 is not a whole number from 2020 to 2035"),
    ("pact=3", "levers.pact: must be a mapping of settings"),
    ("levers.pakt.start=2030", "levers.pakt: unknown lever; did you mean 'pact'?"),
    ("extends=base", "unknown key"),
    ("references=x", "references: must be a list"),
    ("origins=x", "unknown key"),
    ("name=x", "unknown key"),
])
def test_bad_overrides(tmp_path, known, override, message):
    text = GOOD if "title" not in message else GOOD.replace("title: Good\n", "")
    refused(tmp_path, known, text, message, override)


def test_loops_name_the_chain(tmp_path, known):
    for name, parent in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {parent}.yaml\n{GOOD}", encoding="utf-8")
    with pytest.raises(InputError, match=r"c\.yaml:1:1: extends: goes round in a loop: "
                                         r"a\.yaml -> b\.yaml -> c\.yaml -> a\.yaml"):
        read_scenario(tmp_path / "a.yaml", known)


def test_a_link_out_of_the_folder_is_refused(tmp_path, known):
    outside = tmp_path / "outside.yaml"
    outside.write_text(GOOD, encoding="utf-8")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.yaml").symlink_to(outside)
    refused(inside, known, f"extends: link.yaml\n{GOOD}", "leaves the folder of the file")


def test_a_calibrated_parameter_cannot_be_set(tmp_path):
    from inputs import PARAMETERS

    folder = write_calibration(tmp_path / "calibrated", parameters=PARAMETERS.replace(
        "  grade: B\n", "  grade: B\n  calibrated: true\n"))
    refused(tmp_path, Known.read(folder), GOOD, "parameters.adjustment.speed: is calibrated on "
            "the statistics together with others; a scenario cannot set it")


@pytest.mark.parametrize(("text", "message"), [
    ("", "s.yaml: the file is empty"), ("- a", "must hold 'key: value' pairs, not a list"),
    ("just words", "must hold 'key: value' pairs, not text"),
    ("title: a\ntitle: b", "title: stands twice, first in line 1"),
    ("a: &a [b]\nc: [*a]", "anchors (&a) are not allowed"),
])
def test_files_that_are_no_scenario(tmp_path, known, text, message):
    refused(tmp_path, known, text, message)


def test_an_alias_bomb_is_refused(tmp_path, known):
    text = "a: &a [x]\n" + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
                                  for old, new in zip("abcdefghij", "bcdefghijk", strict=True))
    refused(tmp_path, known, text, "aliases (*a) are not allowed; write the value out")


def test_places_that_are_no_file(tmp_path, known):
    with pytest.raises(InputError, match="is a directory, not a YAML file"):
        read_scenario(tmp_path, known)
    with pytest.raises(InputError, match=r"absent\.yaml: cannot be read: No such file"):
        read_scenario(tmp_path / "absent.yaml", known)
    below = tmp_path / "s.yaml"
    below.write_text(GOOD, encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        read_scenario(below / "x.yaml", known)


def test_the_nearest_name_begins_alike_or_looks_alike():
    known = ["metals", "meat_livestock", "machinery"]
    assert nearest("meat", known) == "did you mean 'meat_livestock'?"  # not metals
    assert nearest("metal", known) == "did you mean 'metals'?"
    assert nearest("machinary", known) == "did you mean 'machinery'?"
    assert nearest("me", known) == ""  # two letters begin too many names
    assert nearest("wine", known) == ""
