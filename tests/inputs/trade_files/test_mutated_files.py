"""Whatever a file holds, it is taken whole or refused in words: mutated files of every layout."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import made_up_trade_files as made
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.studies.imported import read_files

FOLDER = calibration_folder()
GOOD = made.good_rows()
BASES = (made.text(GOOD), made.text(made.wits(GOOD)), made.text(made.baci(GOOD)),
         made.text(made.table(GOOD)), made.text(made.legacy(GOOD)), made.trade_map(GOOD),
         made.text(made.declarations(GOOD, "MNG")[:300]))
JUNK = ("", "0", "-1", "NaN", "inf", "1e400", "1e300", "x", '"', ",", ";", "\n", "\t", "é",
        "Монголия", "W00", "TOTAL", "999999", "2023-13", "0x1", "1,5", "1.2.3", "null", "\x00",
        "9" * 20, "=1+1", "<td>", "</table>", "77", "1899", "MNG")


def cells(text, rng):
    lines = text.split("\n")
    for _ in range(rng.choice([1, 2, 40])):
        row = rng.randrange(len(lines))
        fields = lines[row].split(",")
        fields[rng.randrange(len(fields))] = rng.choice(JUNK)
        lines[row] = ",".join(fields)
    return "\n".join(lines)


def columns(text, rng):
    lines = [line.split(",") for line in text.split("\n")]
    place, junk = rng.randrange(len(lines[0])), rng.choice(JUNK)
    kind = rng.choice(["drop", "constant", "twice", "swap"])
    for line in (line for line in lines if len(line) > place):
        if kind == "drop":
            del line[place]
        elif kind == "constant" and line is not lines[0]:
            line[place] = junk
        elif kind == "twice":
            line.insert(place, line[place])
        elif kind == "swap":
            line[place], line[0] = line[0], line[place]
    return "\n".join(map(",".join, lines))


def cut(text, rng):
    return text[:rng.randrange(1, len(text))]


def shuffled(text, rng):
    lines = text.split("\n")
    rng.shuffle(lines)
    return "\n".join(lines[:rng.randrange(1, len(lines) + 1)])


def unquoted(text, rng):
    return text.replace('"', "", rng.choice([1, 5, 1000]))


def letters(text, rng):
    data = bytearray(text.encode())
    for _ in range(rng.choice([1, 3, 30])):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return data.decode("latin-1")


def mutated(seed: int) -> bytes:
    rng = random.Random(seed)
    text = rng.choice(BASES)
    for _ in range(rng.choice([1, 1, 2])):
        text = rng.choice([cells, columns, cut, shuffled, unquoted, letters])(text, rng) or "x"
    return text.encode(rng.choice(["utf-8", "utf-8", "utf-16", "cp1251"]), errors="replace")


def check(path, seed):
    path.write_bytes(mutated(seed))
    refused = None
    try:
        found = read_files([path], FOLDER)
    except InputError as error:
        refused = error
    if refused:
        assert all(path.name in problem.file for problem in refused.problems)
        return
    for flow in {(cell.importer, cell.exporter) for cell in found.cells}:
        inside = [cell for cell in found.cells if (cell.importer, cell.exporter) == flow]
        assert all(0 <= cell.low <= cell.value <= cell.high for cell in inside)
        total = sum(cell.value for cell in inside)
        assert sum(cell.low for cell in inside) < total < sum(cell.high for cell in inside)
    assert all(0 <= share.low <= share.value <= share.high <= 1 for share in found.shares)


SETTINGS = {"derandomize": True, "suppress_health_check": [HealthCheck.function_scoped_fixture]}


@given(seed=st.integers(0, 10**9))
@settings(max_examples=40, **SETTINGS)
def test_no_file_breaks_the_import(tmp_path, seed):
    check(tmp_path / "file.csv", seed)


@pytest.mark.slow
@pytest.mark.nightly
@given(seed=st.integers(0, 10**9))
@settings(max_examples=5000, **SETTINGS)
def test_no_file_of_many_breaks_the_import(tmp_path, seed):
    check(tmp_path / "file.csv", seed)
