"""Strategies of hypothesis that damage files: their trees, their texts, their bytes."""

from __future__ import annotations

import copy
import csv
import io
import json
from functools import cache
from typing import Any

import yaml
from hypothesis import strategies as st

HOSTILE: tuple[Any, ...] = (
    None, True, [], {}, "", " ", 0, -1, 1, 0.5, -1e308, 1e308, 2**31, 2**63, 10**40, float("nan"),
    float("inf"), "=1+1", "a\0b", "\a", "\ud7ff", "\uffff", "../x", "/dev/zero", "javascript:x",
    "https://x", "x" * 300, "[/b]", "$a$", "{{ 1 }}", "%s", "<script>", "1e999", "010", "NO",
    ".nan", "null", "2030", [[[]]], {"a": {"b": 1}}, ["a", "a"], [0, 1], "fixed", "uniform",
    {"kind": "fixed", "value": 1}, {"kind": "normal"}, {"start": 2030}, "base", "KAZ")

SNIPPETS = (b"", b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\r", b"\t", b'"', b"'", b": ", b"- ",
            b",", b",,", b"#", b"&a ", b"*a", b"!!python/object ", b"---\n", b"{", b"[" * 50, b"}",
            b"|", b">", b"1e999", b"-", b"=", "Ⱥ".encode(), b"\x1b[31m")

Draw = Any


def _places(tree: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a tree but its root, as keys from the root."""
    children = (tree.items() if isinstance(tree, dict)
                else enumerate(tree) if isinstance(tree, list) else ())
    return [place for key, value in children for place in [(*at, key), *_places(value, (*at, key))]]


def _holder(tree: Any, place: tuple[Any, ...]) -> Any:
    for key in place[:-1]:
        tree = tree[key]
    return tree


@st.composite
def trees(draw: Draw, tree: Any) -> Any:
    """Damage a tree of mappings and lists in one to three places."""
    tree = copy.deepcopy(tree)
    for _ in range(draw(st.integers(1, 3))):
        places = _places(tree)
        if not places:
            return copy.deepcopy(draw(st.sampled_from(HOSTILE)))
        place = draw(st.sampled_from(places))
        holder, key = _holder(tree, place), place[-1]
        what = draw(st.sampled_from(["replace", "replace", "delete", "rename", "move"]))
        if what == "replace":
            holder[key] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))
        elif what == "delete":
            del holder[key]
        elif what == "rename" and isinstance(holder, dict):
            holder[draw(st.sampled_from(["", "x", f"{key}s", str(key)[:-1]]))] = holder.pop(key)
        else:
            other = draw(st.sampled_from(places))
            holder[key] = copy.deepcopy(_holder(tree, other)[other[-1]]) if (
                other[:len(place)] != place) else None
    return tree


@st.composite
def damaged(draw: Draw, content: bytes) -> bytes:
    """Damage bytes in one to four places: cut, repeat, flip, put something between."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        end = min(len(content), at + draw(st.sampled_from([0, 1, 2, 10, 1000])))
        what = draw(st.sampled_from(["put", "cut", "repeat", "flip", "end"]))
        if what == "put":
            content = content[:at] + draw(st.sampled_from(SNIPPETS)) + content[end:]
        elif what == "cut":
            content = content[:at] + content[end:]
        elif what == "repeat":
            content = content[:end] + content[at:]
        elif what == "flip" and at < len(content):
            content = (content[:at] + bytes([content[at] ^ (1 << draw(st.integers(0, 7)))])
                       + content[at + 1:])
        else:
            content = content[:at]
    return content


def yaml_files(content: bytes) -> st.SearchStrategy[bytes]:
    """Damage a YAML file, as a tree or as bytes."""
    return st.one_of(damaged(content), trees(_tree(content)).map(_written))


@cache
def _tree(content: bytes) -> Any:
    return yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _written(tree: Any) -> bytes:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(tree, Dumper=dumper, allow_unicode=True, sort_keys=False).encode(
        errors="surrogatepass")


def json_files(content: bytes) -> st.SearchStrategy[bytes]:
    """Damage a JSON file, as a tree or as bytes."""
    return st.one_of(damaged(content), trees(json.loads(content)).map(
        lambda made: json.dumps(made).encode()))


@st.composite
def csv_files(draw: Draw, content: bytes) -> bytes:
    """Damage a CSV file: cells, or bytes."""
    if draw(st.booleans()):
        return draw(damaged(content))
    rows = list(csv.reader(io.StringIO(content.decode())))
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, max(0, len(rows[row]) - 1)))
        what = draw(st.sampled_from(["cell", "cell", "row", "twice", "column"]))
        if what == "cell" and rows[row]:
            rows[row][column] = str(draw(st.sampled_from(HOSTILE)))
        elif what == "row" and len(rows) > 1:
            del rows[row]
        elif what == "column":
            rows = [[cell for k, cell in enumerate(cells) if k != column] for cells in rows]
        else:
            rows.insert(row, list(rows[row]))
    made = io.StringIO()
    csv.writer(made, lineterminator="\n").writerows(rows)
    return made.getvalue().encode(errors="surrogatepass")
