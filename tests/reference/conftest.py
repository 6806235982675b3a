"""What the tests of the reference path share."""

import shutil

import pytest

from tradesim.common.files import calibration_folder


@pytest.fixture
def committed():
    return calibration_folder()


@pytest.fixture
def folder(tmp_path, committed):
    return shutil.copytree(committed, tmp_path / "calibration")
