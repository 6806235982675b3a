"""Many draws: portions give the numbers of one piece, and little memory holds them."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tradesim.common.errors import InputError
from tradesim.common.memory import let_go
from tradesim.inputs.parameters import Cube
from tradesim.reports.run.page import report
from tradesim.simulation import model, portions, results
from tradesim.simulation.summary import headline, summary

DRAWS = 40


@pytest.fixture(scope="module")
def one_piece():
    return model.run("eaeu_fta", draws=DRAWS, seed=3)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(portions, "WHOLE", 20)
    monkeypatch.setattr(portions, "PORTION", 16)


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_part_of_a_cube_is_part_of_its_columns(seed):
    whole = Cube.random(50, seed)
    part = whole.part(slice(7, 31)).part(slice(2, 9))
    for name in ("posterior", "eaeu_fta.success"):
        np.testing.assert_array_equal(part.column(name), whole.column(name)[9:16])


def test_part_of_a_table_takes_its_rows_and_those_of_what_it_falls_back_to():
    given = {"a": np.linspace(0.1, 0.9, 20)}
    for fallback in (Cube.point(), Cube.random(20, 1)):
        whole = Cube.table(given, fallback)
        part = whole.part(slice(5, 12))
        for name in ("a", "b"):
            np.testing.assert_array_equal(part.column(name), whole.column(name)[5:12])


@pytest.mark.parametrize("levers", ["base", "road_through_russia"])
def test_portions_give_the_numbers_of_one_piece(levers, monkeypatch):
    whole = model.run(levers, draws=DRAWS, seed=3)
    monkeypatch.setattr(portions, "WHOLE", 20)
    monkeypatch.setattr(portions, "PORTION", 16)
    parts = model.run(levers, draws=DRAWS, seed=3)
    assert set(parts.variables) == set(whole.variables)
    for name, array in whole.data_vars.items():
        assert parts[name].dims == array.dims
        np.testing.assert_array_equal(parts[name], array, str(name))
        assert parts[name].attrs == array.attrs
    assert parts.attrs == whole.attrs


def test_what_is_told_of_portions_is_what_is_told_of_one_piece(one_piece, small):
    parts = model.run("eaeu_fta", draws=DRAWS, seed=3)
    pd.testing.assert_frame_equal(summary(parts), summary(one_piece), check_exact=True)
    assert headline(parts)["target"] == headline(one_piece)["target"]


def test_the_page_of_portions_is_that_of_one_piece(one_piece, small, tmp_path):
    pages = []
    for name, made in (("one", one_piece), ("parts", model.run("eaeu_fta", draws=DRAWS, seed=3))):
        (folder := tmp_path / name).mkdir()
        results.save(made, folder)
        text = report(folder, dataset=results.as_kept(made)).read_text(encoding="utf-8")
        pages.append(re.sub(r"\d{4}-\d\d-\d\dT[\d:+]+", "", text))
    assert pages[0] == pages[1]


def test_progress_counts_all_draws(small):
    seen = []
    model.run("base", draws=DRAWS, progress=lambda done, draws: seen.append((done, draws)))
    assert seen == sorted(seen)
    assert {draws for _, draws in seen} == {DRAWS}
    assert seen[-1] == (DRAWS, DRAWS)


def test_a_full_disk_is_said_before_work(small, monkeypatch):
    monkeypatch.setattr(portions.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000_000))
    monkeypatch.setattr(model, "draw_all", None)
    with pytest.raises(InputError, match=r"of temporary files are needed in .*TMPDIR"):
        model.run("base", draws=DRAWS)


def test_a_disk_that_fills_meanwhile_is_said_too(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(portions.os, "posix_fallocate", full, raising=False)
    with pytest.raises(InputError, match=r"0\.0 GB: of temporary files are needed"):
        portions._file((3, 4), np.dtype("float32"))


def test_numbers_of_a_file_stay_when_their_memory_is_given_back():
    array = portions._file((100, 100), np.dtype("float32"))
    array[:] = 7.0
    let_go(array[3:])
    let_go(np.ones(3))
    assert (array == 7.0).all()


def test_a_disk_that_cannot_reserve_room_is_used_all_the_same(monkeypatch):
    def unknown(*_):
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(portions.os, "posix_fallocate", unknown, raising=False)
    assert not portions._file((3, 4), np.dtype(float)).any()


def test_a_variable_that_no_file_can_hold_is_refused_before_work(monkeypatch):
    monkeypatch.setattr(portions, "LARGEST", 200_000)
    monkeypatch.setattr(model, "draw_all", None)
    with pytest.raises(InputError, match=r"--keep-draws: 40 draws: make a variable larger than"):
        model.run("base", draws=DRAWS, every=True)
