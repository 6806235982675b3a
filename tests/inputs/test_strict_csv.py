"""Tables are read whole or refused with every problem named."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradesim.common.errors import InputError
from tradesim.inputs.strict_csv import MAX_PROBLEMS, Column, read_table

COLUMNS = (Column("importer", "text", allowed=("AAA", "BBB")),
           Column("year", "year"),
           Column("count", "integer", required=False),
           Column("value", "number", low=0.0),
           Column("low", "number", required=False, low=0.0),
           Column("high", "number", required=False, low=0.0),
           Column("note", "text", required=False))
HEADER = "importer,year,count,value,low,high,note\n"
GOOD = HEADER + "AAA,2011,3,1.5,1,2,fine\nBBB,2011,,2e3,,,\n"


@pytest.fixture
def table(tmp_path: Path):
    def write(content: str | bytes) -> Path:
        path = tmp_path / "table.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path
    return write


def problems(path: Path, key: tuple[str, ...] = ("importer", "year")) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_table(path, COLUMNS, key)
    return [str(problem).replace(str(path), "FILE") for problem in caught.value.problems]


def test_good_table(table):
    frame = read_table(table(GOOD), COLUMNS, ("importer", "year"))
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert frame["importer"].tolist() == ["AAA", "BBB"]
    assert frame["value"].tolist() == [1.5, 2000.0]
    assert frame["note"].tolist() == ["fine", ""]
    assert math.isnan(frame["low"][1])
    assert frame["year"].dtype.kind == "i"


def test_codes_stay_text(table):
    path = table("code,number\nNO,0101\nNA,\n")
    frame = read_table(path, (Column("code", "text"), Column("number", "text", required=False)))
    assert frame.to_dict("list") == {"code": ["NO", "NA"], "number": ["0101", ""]}


def test_column_that_may_be_absent(table):
    frame = read_table(table("a\nx\n"), (Column("a", "text"), Column("b", "number", False)))
    assert math.isnan(frame["b"][0])


def test_all_problems_at_once_with_lines(table):
    text = HEADER + "AAB,2011,3,1,1,2,\nAAA,20x1,1.5,minus,1,2,\nAAA,2012,1,-1,,,\nBBB,2013,1,,,,\n"
    assert problems(table(text)) == [
        "FILE:2: importer: 'AAB' is unknown; did you mean 'AAA'?",
        "FILE:3: year: '20x1' is not a whole number",
        "FILE:3: count: '1.5' is not a whole number",
        "FILE:3: value: 'minus' is not a number",
        "FILE:4: value: -1 is out of range; at least 0",
        "FILE:5: value: must not be empty",
    ]


@pytest.mark.parametrize(("row", "message"), [
    ("AAA,2011,1,1,2,3,", "FILE:2: value: out of order: low 2, value 1, high 3; "
                          "must be low <= value <= high"),
    ("AAA,2011,1,4,2,3,", "FILE:2: value: out of order: low 2, value 4, high 3; "
                          "must be low <= value <= high"),
    ("AAA,1776,1,1,1,3,", "FILE:2: year: 1776 is out of range; allowed 1900 to 2200"),
    ("AAA,2011,1,nan,1,3,", "FILE:2: value: 'nan' is not a number"),
    ("AAA,2011,1,1_000,,,", "FILE:2: value: '1_000' is not a number"),
    ("AAA,2011,1,1e999,,,", "FILE:2: value: '1e999' is too large"),
    ("AAA,2011,1,,,,", "FILE:2: value: must not be empty"),
    ("ZZZ,2011,1,1,,,", "FILE:2: importer: 'ZZZ' is unknown; known: AAA, BBB"),
    ("AAA,2011,1,1", "FILE:2: 4 cells, but the heading has 7"),
    ("AAA,2011,1,1,,,,x", "FILE:2: 8 cells, but the heading has 7"),
])
def test_one_bad_row(table, row, message):
    assert problems(table(HEADER + row + "\n")) == [message]


def test_duplicate_key(table):
    text = HEADER + "AAA,2011,1,1,,,\nBBB,2011,1,1,,,\nAAA,2011,2,2,,,\n"
    assert problems(table(text)) == [
        "FILE:4: importer, year: 'AAA, 2011' stands twice, first on line 2"]


def test_line_numbers_survive_long_cells_and_blank_lines(table):
    text = HEADER + 'AAA,2011,1,1,,,"two\nlines"\n\nAAA,2012,1,x,,,\n'
    assert problems(table(text)) == ["FILE:5: value: 'x' is not a number"]


@pytest.mark.parametrize(("heading", "expected"), [
    ("importer,year,count,valu,low,high,note",
     ["FILE:1: valu: unknown column; did you mean 'value'?",
      "FILE:1: value: column missing; is it 'valu' under another name?"]),
    ("importer,year,count,value,low,high,note,zzz",
     ["FILE:1: zzz: unknown column; known columns: importer, year, count, value, low, high, note"]),
    ("importer,year,count,value,value,high,note", ["FILE:1: value: column stands twice"]),
    ("importer;year;count;value", ["FILE:1: has one column only; separate the columns by commas"]),
])
def test_bad_heading(table, heading, expected):
    row = ",".join(["AAA", "2011", "1", "1", "1", "1", "", ""][:heading.count(",") + 1])
    found = problems(table(f"{heading}\n{row}\n"))
    assert found[:len(expected)] == expected


@pytest.mark.parametrize(("content", "message"), [
    (b"", "FILE: the file is empty"),
    (b"\n\n", "FILE: the file is empty"),
    (HEADER.encode(), "FILE: the table has a heading but no rows"),
    (HEADER.encode() + b"AAA,2011,1,1,,,caf\xe9\n",
     "FILE:2: is not UTF-8 text; save it as UTF-8"),
    (b"a\0b\n", "FILE: holds zero bytes, so it is not a text table"),
    (HEADER.encode() + b'AAA,2011,1,1,,,"open\n',
     "FILE:2: is no CSV table: unexpected end of data"),
])
def test_files_that_are_no_table(table, content, message):
    assert problems(table(content)) == [message]


def test_missing_file_folder_and_unreadable(tmp_path):
    assert problems(tmp_path / "none.csv") == ["FILE: file not found"]
    assert problems(tmp_path) == ["FILE: is a folder, not a file"]
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    assert problems(loop)[0].startswith("FILE: cannot be read: ")


def test_byte_order_mark_is_no_problem(table):
    assert len(read_table(table(b"\xef\xbb\xbf" + GOOD.encode()), COLUMNS)) == 2


def test_many_problems_are_counted(table):
    found = problems(table(HEADER + "AAA,x,1,1,,,\n" * 80), key=())
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1] == "FILE: and 30 more problems"


numbers = st.floats(0, 1e12, allow_nan=False)


@given(st.lists(st.tuples(st.text("abcNO01é ,\"'\n", min_size=1).filter(str.strip), numbers),
                min_size=1))
def test_round_trip(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("round") / "table.csv"
    given_frame = pd.DataFrame(rows, columns=["code", "value"])
    given_frame.to_csv(path, index=False, lineterminator="\n")
    read = read_table(path, (Column("code", "text"), Column("value", "number")))
    assert read["code"].tolist() == [code for code, _ in rows]
    assert read["value"].tolist() == [value for _, value in rows]
