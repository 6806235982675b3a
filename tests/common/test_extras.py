"""The hint for a missing package works for a stranger: it never names another program."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tradesim.common import extras
from tradesim.common.extras import DISTRIBUTION, install

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_distribution_is_the_one_of_the_project():
    assert PROJECT["name"] == DISTRIBUTION != "tradesim"


@pytest.mark.parametrize("extra", ["pdf", "office", "parquet", "distributed", "backtest"])
def test_packages_of_an_extra_are_named(monkeypatch, extra):
    wanted = PROJECT["optional-dependencies"][extra]
    monkeypatch.setattr(extras, "requires", lambda name: [
        f'{line}; extra == "{key}"' for key, lines in PROJECT["optional-dependencies"].items()
        for line in lines] + ["numpy>=2.0"])
    assert install(extra) == "pip install " + " ".join(f"'{line}'" for line in wanted)


def test_without_metadata_the_distribution_is_named(monkeypatch):
    monkeypatch.setattr(extras, "requires", lambda name: None)
    assert install("office") == "pip install 'tradesim-scenarios[office]'"
