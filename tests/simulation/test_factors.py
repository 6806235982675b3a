"""What differs between draws, as a run keeps it."""

import numpy as np
import pytest

from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation.draws import draw_all
from tradesim.simulation.model import run

DRAWS = 80


@pytest.fixture(scope="module")
def dataset():
    return run("all_levers", draws=DRAWS, seed=4)


@pytest.fixture(scope="module")
def draws(base):
    known = Known(base.parameters, base.levers, base.pair)
    scenario = read_scenario("all_levers", known, [f"draws={DRAWS}", "seed=4"])
    return draw_all(base, scenario, Cube.random(DRAWS, 4))


def test_factors_are_the_numbers_drawn(dataset, draws):
    factors = dataset["factors"]
    assert factors.dims == ("factor", "draw")
    assert (factors.to_numpy().std(axis=1) > 0).all()
    for name in ("adjustment.speed", "elasticity.demand"):
        np.testing.assert_array_equal(factors.sel(factor=name), draws[name].astype(np.float32))
    np.testing.assert_array_equal(factors.sel(factor="reference.elasticity_gdp"),
                                  draws["posterior.elasticity_gdp"].astype(np.float32))


def test_a_lever_happens_where_it_acts(dataset, base):
    names = [str(name) for name in dataset["factor"].values]
    happens = [name for name in names if name.endswith(".happens")]
    assert happens == [f"{lever}.happens" for lever in base.levers
                       if f"{lever}.happens" in names]
    any_of_them = dataset["factors"].sel(factor=happens).max("factor").to_numpy() > 0
    turnover = dataset["turnover"].sum(["count", "year"])
    changed = (turnover.sel(case="scenario") != turnover.sel(case="reference")).to_numpy()
    assert not (changed & ~any_of_them).any()


def test_cells_of_tables_and_constants_are_left_out(dataset):
    names = {str(name) for name in dataset["factor"].values}
    assert not [name for name in names if name.startswith(
        ("market.", "tariff.", "freight.", "share."))]
    assert "eaeu_fta.start" not in names
    assert all(str(title) for title in dataset["factor_title"].values)


def test_the_parts_of_the_path_explain_the_reference():
    """Log turnover of the last year is nearly a sum of the factors of the path."""
    dataset = run("base", draws=DRAWS, seed=4)
    names = ["gdp.size", "corridor.closed_years", "reference.elasticity_gdp",
             *(str(name) for name in dataset["factor"].values
               if str(name).startswith(("reference.constant.", "reference.unexplained.")))]
    x = dataset["factors"].sel(factor=names).to_numpy().T.astype(float)
    y = np.log(dataset["turnover"].isel(count=0, year=-1).sel(case="reference").to_numpy())
    x = np.column_stack([np.ones(len(y)), x])
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert 1 - left.var() / y.var() > 0.85
