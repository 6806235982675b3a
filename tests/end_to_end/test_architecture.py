"""The page that follows one number from its table to the report says what the program does."""

import ast
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tradesim.common.files import calibration_folder
from tradesim.inputs.parameters import Cube
from tradesim.simulation import model
from tradesim.simulation.draws import draw_all

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(\w+)` in\s+`(src/[^`]+\.py)`", PAGE)))
CELL = {"importer": "MNG", "group": "other_agri", "exporter": "KAZ"}
DUTY = "tariff.MNG.other_agri.KAZ"


def says(text: str) -> bool:
    return text in re.sub(r"\s+", " ", PAGE).replace("**", "")


@pytest.fixture(scope="module")
def scenario(base):
    return model.ask(base, "eaeu_fta")[0]


@pytest.fixture(scope="module")
def draws(base, scenario):
    return draw_all(base, scenario, Cube.random(scenario.draws, scenario.seed))


@pytest.mark.parametrize(("name", "path"), NAMED)
def test_functions_of_the_page_are_where_it_says(name, path):
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body
                    if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def test_page_names_functions():
    assert len(NAMED) >= 10


def test_cell_is_that_of_the_table():
    table = pd.read_csv(calibration_folder() / "baseline" / "tariffs.csv")
    (row,) = table[(table[list(CELL)] == pd.Series(CELL)).all(axis="columns")].to_dict("records")
    assert says(" ".join(str(row[name]) for name in ("importer", "group", "exporter", "rate", "low",
                                                    "high", "grade")))


def test_draws_are_those_of_the_page(draws):
    assert says(f"In the first draw the duty is {draws[DUTY][0]:.2%}".replace("%", " %"))
    assert says(f"its mean is {draws[DUTY].mean():.2%}".replace("%", " %"))
    assert says(f"covers ({draws['eaeu_fta.coverage.full.MNG.other_agri'][0]:.3f})")
    assert says(f"duty ({draws['eaeu_interim.utilisation'][0]:.3f})")
    assert says(f"({draws['eaeu_fta.delay'][0]:.2f} years after {draws['eaeu_fta.start'][0]:.0f})")


def test_steps_are_those_of_the_page(draws):
    duty = draws[DUTY][0]
    removed = (draws["eaeu_fta.coverage.full.MNG.other_agri"][0]
               * draws["eaeu_interim.utilisation"][0])
    left = duty * (1.0 - removed)
    formalities = (draws["eaeu_fta.coverage.full.MNG.other_agri"][0]
                   * draws["eaeu_fta.nontariff_cut"][0] * draws["certified.other_agri"][0])
    for_duty, for_formalities = np.log((1.0 + left) / (1.0 + duty)), np.log1p(-formalities)
    assert says(f"{100 * removed:.1f} % of the duty")
    assert says(f"| {100 * left:.2f} % |")
    assert says(f"−{-100 * for_duty:.1f} % for the duty, −{-100 * for_formalities:.1f} % for form")
    assert says(f"| −{-100 * (for_duty + for_formalities):.2f} % |")


def trade(base, scenario, draws):
    """Trade of the cell in 2035 by count and case, USD million, averaged over draws."""
    found = model.simulate(base, scenario, draws)["trade"]
    return found.sel(importer=CELL["importer"], group=CELL["group"], year=2035).mean("draw") / 1e6


def log_change(found) -> float:
    before, after = (float(found.sel(case=case, count="kazakh"))
                     for case in ("reference", "if_implemented"))
    return 100.0 * math.log(after / before)


def test_results_of_the_first_draw_are_those_of_the_page(base, scenario, draws):
    first = {name: values[:1] for name, values in draws.items()}
    found = trade(base, scenario, first)
    assert says(f"| +{log_change(found):.2f} % |")
    for count, text in (("kazakh", "USD {:.2f} million on Kazakhstan's count becomes {:.2f} mill"),
                        ("mongolian", "collect the duty, {:.2f} become {:.2f}.")):
        assert says(text.format(*(float(found.sel(case=case, count=count))
                                  for case in ("reference", "if_implemented"))))
    no_delay = dict.fromkeys(("adjustment.first_year", "adjustment.speed"), np.ones(1))
    assert says(f"| +{log_change(trade(base, scenario, first | no_delay)):.2f} % |")


@pytest.mark.slow
@pytest.mark.nightly
def test_average_is_that_of_the_page(base, scenario, draws):
    found = trade(base, scenario, draws).sel(count="kazakh")
    effect = float(found.sel(case="if_implemented") - found.sel(case="reference"))
    assert says(f"effect_if_implemented,{1e6 * effect:.6g}")
    assert says(f"rise by USD {effect:.2f} million")
