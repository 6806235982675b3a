"""Strict YAML: what is kept, what is refused, and where the error points."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tradesim.common.errors import InputError, Problem
from tradesim.inputs.strict_yaml import MAX_BYTES, kind, leaves, load, load_document, parse, scalar


def refused(text: str, message: str, **options: bool) -> InputError:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        parse(text, "f.yaml", **options)
    return caught.value


@pytest.mark.parametrize(("text", "value"), [
    ("NO", "NO"), ("no", "no"), ("on", "on"), ("yes", "yes"), ("y", "y"), ("1:30", "1:30"),
    ("1_000", "1_000"), ("2024-01-01", "2024-01-01"), ("true", True), ("False", False),
    ("null", None), ("~", None), ("", None), ("12", 12), ("-3", -3), ("+4", 4), ("0", 0),
    ("0.5", 0.5), (".5", 0.5), ("5.", 5.0), ("500e6", 5e8), ("1e-3", 0.001), ("inf", "inf"),
    ("nan", "nan"), ("-", "-"), ("e5", "e5"), ("=", "="),
])
def test_scalars_follow_yaml_1_2(text, value):
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


@pytest.mark.parametrize("text", ["010", "-07", "00.5", "0o17", "0x1F", "08"])
def test_numbers_that_could_be_read_in_two_ways_are_refused(text):
    refused(f"a: {text}", f"f.yaml:1:4: a: the number {text} can be read in two ways")
    assert parse(f'a: "{text}"', "f.yaml")[0] == {"a": text}


@pytest.mark.parametrize("text", [".nan", ".NaN", ".inf", "-.inf", "+.INF"])
def test_numbers_that_are_not_finite_are_refused(text):
    refused(f"a: {text}", f"f.yaml:1:4: a: {text} is not a finite number")


@pytest.mark.parametrize("text", ["1e999", "9" * 31, "9" * 5000])
def test_numbers_without_end_are_refused(text):
    refused(f"a: {text}", "is too large or has too many digits")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive(number):
    assert scalar(repr(number)) == number


@given(st.integers(-10**20, 10**20))
def test_integers_survive(number):
    assert scalar(str(number)) == number


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text):
    problems: tuple[Problem, ...] = ()
    try:
        parse(text, "f.yaml")
    except InputError as error:
        problems = error.problems
    assert all(problem.message for problem in problems)


def test_positions_count_lines_and_columns_from_one():
    data, positions, _ = parse("a: 1\nb:\n  c.d: {e: x}\n  f: [1, {g: 2}]\n", "f.yaml")
    assert data == {"a": 1, "b": {"c.d": {"e": "x"}, "f": [1, {"g": 2}]}}
    assert positions["a"] == (1, 1)
    assert positions["b.c.d.e"] == (3, 9)
    assert positions["b.f.0"] == (4, 7)
    assert positions["b.f.1.g"] == (4, 11)
    assert dict(leaves(data)) == {"a": 1, "b.c.d.e": "x", "b.f.0": 1, "b.f.1.g": 2}


def test_block_text_is_never_a_number():
    assert parse("a: >-\n  010\nb: '.nan'\nc: \"NO\"", "f")[0] == {"a": "010", "b": ".nan",
                                                                "c": "NO"}


def test_equal_keys_are_refused_at_every_depth():
    refused("a: 1\nb: 2\na: 3", "f.yaml:3:1: a: stands twice, first in line 1; keep one of them")
    refused("a: {b: 1, b: 2}", "f.yaml:1:11: a.b: stands twice, first in line 1")
    refused("a:\n- {b: 1, b: 2}", "f.yaml:2:10: a.0.b: stands twice")
    assert parse("- {b: 1}\n- {b: 2}", "f", mapping=False)[0] == [{"b": 1}, {"b": 2}]


@pytest.mark.parametrize(("text", "message"), [
    ("1: a", "f.yaml:1:1: the key 1 is a whole number, not text; write \"1\" in quotes, or a "
     "point where a comma begins decimals"),
    ("a: {b: 0,5}", "f.yaml:1:10: a: the key 5 is a whole number, not text; write \"5\" in quotes, "
     "or a point where a comma begins decimals"),
    ("a: {true: 1}", "f.yaml:1:5: a: the key true is true or false, not text"),
    ("null: 1", "the key null is nothing (null), not text"),
    ("? [1, 2]\n: 3", "f.yaml:1:3: a key is a list, not text"),
    ("? {a: 1}\n: 3", "a key is a mapping, not text"),
    ("010: 1", "the number 010 can be read in two ways"),
])
def test_keys_are_text(text, message):
    refused(text, message)


@pytest.mark.parametrize(("text", "tag"), [
    ("a: !!python/object/apply:os.system [ls]", "tag:yaml.org,2002:python/object/apply:os.system"),
    ("a: !!str 1", "tag:yaml.org,2002:str"), ("a: !mine {b: 1}", "!mine"),
    ("!!map {a: 1}", "tag:yaml.org,2002:map"), ("a: !!set {b, c}", "tag:yaml.org,2002:set"),
])
def test_tags_are_refused(text, tag):
    refused(text, f"tags ({tag}) are not allowed")


def test_aliases_are_refused_before_they_can_explode():
    bomb = "a: &a [x, x]\n" + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, "
                                     f"*{chr(97 + i)}]\n" for i in range(24))
    error = refused(bomb, "f.yaml:1:4: a: anchors (&a) are not allowed; write the value out")
    assert "aliases (*a) are not allowed" in str(error)
    refused("a: &x 1\nb: {<<: *x}", "aliases (*x) are not allowed")
    refused("a: &x [*x]", "anchors (&x) are not allowed")


@pytest.mark.parametrize("error", [
    yaml.scanner.ScannerError(problem="a limit of its own",
                              problem_mark=yaml.Mark("f", 25, 0, 25, None, None)),
    RecursionError("maximum recursion depth exceeded"),
])
def test_depth_is_refused_in_our_words_whatever_the_parser_says(monkeypatch, error):
    def refuse(text, Loader):
        raise error

    monkeypatch.setattr(yaml, "parse", refuse)
    refused("[" * 30, "is nested deeper than 20 levels")


@pytest.mark.parametrize(("text", "message"), [
    ("[" * 100_000, "is nested deeper than 20 levels"),
    ("{a: " * 30, "is nested deeper than 20 levels"),
    ("a: [" + "x," * 150_000 + "]", "holds more than 100,000 values"),
])
def test_size_is_bounded(text, message):
    refused(text, message)


@pytest.mark.parametrize(("text", "message"), [
    ("", "f.yaml: the file is empty"), ("# nothing\n", "the file is empty"),
    ("---\n", "the file is empty"), ("~", "the file is empty"),
    ("- a", "must hold 'key: value' pairs, not a list"),
    ("words", "must hold 'key: value' pairs, not text"),
    ("12", "must hold 'key: value' pairs, not a whole number"),
    ("a: 1\n---\nb: 2", "f.yaml:2:1: holds a second document after '---'"),
    ("a: b: c", "f.yaml:1:5: is not valid YAML: mapping values are not allowed in this context; "
                "put text that holds ': ' in quotes"),
    ("a:\n\t- b", "f.yaml:2:1: is not valid YAML: while scanning for the next token, found "
                  "character"),
    ("a: [1,\nb", "is not valid YAML: while parsing a flow sequence (from line 1)"),
    ("a: 'x", "is not valid YAML: while scanning a quoted scalar"),
    ("a: \x07", "is not valid YAML"),
])
def test_what_is_not_a_mapping_is_refused(text, message):
    refused(text, message)


def test_all_problems_come_together():
    error = refused("a: 010\nb: .nan\na: &x 1\nc: *x\n1: 2\nd: [", "two ways")
    assert [problem.line for problem in error.problems][:5] == [1, 2, 3, 3, 4]
    assert "not text" in str(error)
    assert "not valid YAML" in str(error)


def test_files_that_cannot_be_read(tmp_path):
    def wrong(name: str, content: bytes | None, message: str) -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=re.escape(message)):
            load(path)

    wrong("absent.yaml", None, "absent.yaml: cannot be read: No such file")
    wrong("", None, "is a directory, not a YAML file")
    wrong("latin.yaml", "a: 1\nb: é".encode("latin-1"), "latin.yaml:2: is not UTF-8 text")
    wrong("binary.yaml", b"\x89PNG\0\0", "is a binary file, not text")
    wrong("large.yaml", b"#" * (MAX_BYTES + 1), "is larger than 1 MB")
    wrong("full.yaml", b"", "the file is empty")
    with pytest.raises(InputError, match="not a possible file name"):
        load("a\0b.yaml")
    below = tmp_path / "full.yaml" / "x.yaml"
    with pytest.raises(InputError, match="cannot be read: Not a directory"):
        load(below)


def test_permission_denied(tmp_path, monkeypatch):
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")

    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", denied)
    with pytest.raises(InputError, match=r"a\.yaml: cannot be read: Permission denied"):
        load(path)


def test_byte_order_mark_is_dropped(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")
    assert load_document(path) == ({"a": 1}, {"a": (1, 1)}, str(path))


def test_kinds_have_names():
    assert [kind(value) for value in (None, True, 1, 1.0, "", [], {}, ())] == [
        "nothing (null)", "true or false", "a whole number", "a number", "text", "a list",
        "a mapping", "tuple"]
