"""What a scenario does to home producers of each product: amounts by hand, and the table."""

from __future__ import annotations

import numpy as np
import pytest

import fake_results
from made_up_world import PAIR
from tradesim.reports.run.products import SEEN, home_products, home_table
from tradesim.reports.run.view import ResultsView

COUNTS = ["right", "left"]


@pytest.fixture(scope="module")
def view():
    dataset = fake_results.dataset(list(PAIR.importers), [*PAIR.exporters, "UNO", "DUE"],
                                   [f"group {place}" for place in range(12)], COUNTS, draws=40)
    history, posterior = fake_results.past(PAIR.importers, PAIR.reporters, 40)
    return ResultsView(dataset, PAIR, history, posterior)


def test_amounts_by_hand(view):
    for item in home_products(view):
        where = {"importer": item.importer, "product": item.product, "year": view.last}
        drawn = view.dataset.sel(case="if_implemented", **where)
        np.testing.assert_allclose(item.output, 100 * (drawn["product_output"] - 1))
        np.testing.assert_allclose(item.tonnes_changed, 20000 * (drawn["product_output"] - 1))
        np.testing.assert_allclose(item.after, 100 * drawn["self_sufficiency"])
        np.testing.assert_allclose(item.price, 100 * (drawn["product_price"] - 1))


def test_the_largest_loss_comes_first(view):
    found = [item.output.mean() for item in home_products(view)]
    assert found == sorted(found)
    assert [(item.importer, item.product) for item in home_products(view)] != []


def test_draws_in_which_levers_fail_count_in_the_risk_weighted_case(view):
    sure, risky = (home_products(view, case) for case in ("if_implemented", "scenario"))
    assert abs(risky[0].output.mean()) <= abs(sure[0].output.mean())


def test_rows_are_those_that_change(view):
    table = home_table(view)
    changing = [item for item in home_products(view) if abs(item.output.mean()) >= SEEN]
    assert len(table["rows"]) == len(changing) > 0
    assert {len(row) for row in table["rows"]} == {len(table["columns"])}
    assert all(row[1] == "20.0" for row in table["rows"])
