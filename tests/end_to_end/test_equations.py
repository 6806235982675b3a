"""The equations that docstrings cite stand in docs/model.md, and what computes cites one.

The pattern is "equation 6", "equations 7-10", "equations 2 and L3"; in a formula, ``(6)\\;`` before
it. On the page an equation has ``\\tag{6}``, or ``**(6)**`` beside it. A number in brackets, as in
"equation (21)", is one of another work, and its year stands in the same paragraph.
"""

import ast
import re
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from tradesim.economy.levers.registry import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "model.md"
NUMBER = r"[A-Z]?\d+"
CITED = re.compile(rf"\b[Ee]quations?\s+({NUMBER}\b(?:\s*(?:,|-|and|to)\s*{NUMBER}\b)*)")
IN_FORMULA = re.compile(rf"\(({NUMBER})\)\\;")
IN_BRACKETS = re.compile(r"\b[Ee]quations?\s+\(|\b[Ee]qs?\.\s")
SOURCE = Path(__file__).parents[2] / "src" / "tradesim"
TREES = {path.relative_to(SOURCE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
         for path in sorted(SOURCE.rglob("*.py"))}
CHECKING = ("economy/levers/registry.py",)
"""Modules of the economy that compute nothing."""
COMPUTING = [name for name in TREES if name.startswith(("economy/", "reference/statespace"))
             and name not in CHECKING and not name.endswith("__init__.py")]

YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def numbers() -> list[str]:
    """Numbers of the equations of the page, in its order."""
    found = re.findall(rf"\\tag\{{({NUMBER})\}}|\*\*\(({NUMBER})\)\*\*",
                       PAGE.read_text(encoding="utf-8"))
    return [first or second for first, second in found]


def split(number: str) -> tuple[str, int]:
    """Block and place in it: ``L3`` is the third of block L."""
    block = number.rstrip("0123456789")
    return block, int(number.removeprefix(block))


def cited(text: str) -> set[str]:
    """Numbers that a text cites, with those that a range passes over."""
    found = set(IN_FORMULA.findall(text))
    for match in CITED.findall(text):
        for part in re.split(r"\s*(?:,|and)\s*", match):
            ends = re.split(r"\s*(?:-|to)\s*", part)
            (block, first), (_, last) = split(ends[0]), split(ends[-1])
            found |= {f"{block}{place}" for place in range(first, last + 1)}
    return found


def docstrings(tree: ast.AST) -> list[str]:
    """Docstrings of a module, its classes and functions, and of its constants."""
    return [node.value.value for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)]


def test_a_text_is_read_as_people_read_it():
    assert cited("equations 7-10 and L3, as equation 2") == {"7", "8", "9", "10", "L3", "2"}
    assert cited("equations 2 and S1; (11)\\; v_t") == {"2", "S1", "11"}
    assert cited("equations L1 to L3") == {"L1", "L2", "L3"}
    assert not cited("the supply equations, and 3 of them")


def test_no_number_twice_and_none_left_out():
    assert not [number for number, times in Counter(numbers()).items() if times > 1]
    blocks = groupby(sorted(map(split, numbers())), key=lambda item: item[0])
    for block, members in blocks:
        places = [place for _, place in members]
        assert places == list(range(1, len(places) + 1)), f"block {block or 'without letter'}"


@pytest.mark.parametrize("name", TREES)
def test_cited_equations_are_on_the_page(name):
    text = "\n".join(docstrings(TREES[name]))
    assert cited(text) <= set(numbers())
    elsewhere = [part for part in text.split("\n\n") if IN_BRACKETS.search(part)]
    assert all(YEAR.search(part) for part in elsewhere), 'cite as "equation 6"'


@pytest.mark.parametrize("name", COMPUTING)
def test_what_computes_cites_an_equation(name):
    assert cited("\n".join(docstrings(TREES[name])))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_cites_its_equation(kind):
    assert {number for number in cited(KINDS[kind].__doc__ or "") if number[0] in "LT"}


def test_every_equation_of_a_kind_is_cited_by_one():
    said = set().union(*(cited(kind.__doc__ or "") for kind in KINDS.values()))
    assert {number for number in numbers() if number[0] == "L"} <= said
